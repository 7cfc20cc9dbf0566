"""What the generated pages share: literal text, code, tables and targets in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&])")
_LINE_MARK = re.compile(r"^([-+:%]|\d+(?=[.)]))")  # list, definition, comment


def plain(text: str, *, edges: bool = False) -> str:
    """Write a text so that Markdown leaves it as it is, on one line; ``edges`` keeps its spaces."""
    escaped = _SPECIAL.sub(r"\\\1", text if edges else " ".join(text.split()))
    return _LINE_MARK.sub(lambda mark: _escape_mark(mark[0]), escaped)


def _escape_mark(mark: str) -> str:
    return f"{mark[:-1]}&#{ord(mark[-1])};"


def prose(text: str) -> str:
    """Write a text of a docstring: what is between backquotes is code, the rest is plain."""
    parts = re.split(r"(``.+?``|`[^`\n]+`)", " ".join(text.split()))
    return "".join(code(p.strip("`")) if p.startswith("`") else plain(p, edges=True) for p in parts)


def code(text: str) -> str:
    """Write a text as code; a bar is escaped, as tables ask."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{' '.join(text.split())}{fence}".replace("|", "\\|")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; its cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def link(text: str, target: str) -> str:
    """Link to a target of any page."""
    return f"[{text}](#{target})"


def target(kind: str, name: str) -> str:
    """Name the place of something: ``table-logements``, ``indicateur-population``."""
    return f"{kind}-{name}".replace("_", "-")
