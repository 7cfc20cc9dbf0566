"""The page of every message of error, read in the code that raises it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from markdown_parts import plain, table

import barometre

PACKAGE = Path(inspect.getfile(barometre)).parent
_REFUSALS = ("FaultsError", "TableError", "CardError", "CohortError", "DatasetError")
_FAULT = "Fault"
_LEAST = 8  # letters, under which a message is made of values only


def messages_page() -> str:
    """Write the page in Markdown (MyST): what is refused, room by room, with the remedy."""
    parts = [
        "# Every message",
        "Read in the code when the documentation is built; `…` stands for a value. What follows a"
        " semicolon is what to do. [](errors.md) explains the kinds.",
    ]
    for room in sorted(path for path in PACKAGE.iterdir() if path.is_dir()):
        rows = sorted(
            {(text, kind) for path in room.rglob("*.py") for kind, text in messages_of(path)}
        )
        if rows:
            parts += [
                f"## {plain(room.name)}",
                table(["Message", "Kind"], [[plain(text), kind] for text, kind in rows]),
            ]
    return "\n\n".join(parts) + "\n"


def messages_of(path: Path) -> Iterator[tuple[str, str]]:
    """Find the errors and the faults that a module writes with a text of its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in ("BarometreError", *_REFUSALS) and node.args:
            text = _text(node.args[0])
            kind = "refusal" if node.func.id in _REFUSALS else "error"
        elif node.func.id == _FAULT:
            given = [*node.args, *(k.value for k in node.keywords if k.arg != "lignes")]
            text = " ; ".join(filter(None, map(_text, given[1:3])))
            kind = "fault"
        else:
            continue
        if sum(map(str.isalpha, text)) >= _LEAST:
            yield kind, text


def _text(node: ast.expr) -> str:
    """Write a text as it is in the code, ``…`` for what is known only when it is raised."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return "…"
