"""What the guide tells to type exists, and what the page of messages quotes is said."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.calls import call

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
TYPED = re.compile(r"^    (barometre .+)$", re.MULTILINE)
WRITTEN = {
    *("api.md", "catalogue.md", "tables.md", "sources.md"),
    *("commands.md", "messages.md", "formulas.md", "proofs.md"),
}
"""Pages that the build writes."""
LINES = [
    (path.name, line)
    for path in sorted([ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("guide/*.md")])
    if path.name not in WRITTEN and path.exists()  # not beside an installed package
    for line in TYPED.findall(path.read_text(encoding="utf-8"))
]


def test_the_pages_tell_what_to_type(checkout: Path) -> None:
    assert len(LINES) > 10


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_and_its_options_exist(page: str, line: str) -> None:
    _, *words = shlex.split(line.split("#")[0])
    command = [words[0]]
    if words[0] == "edition":
        command.append(words[1])
    told = call(*command, "--help", columns=200)
    assert told.code == 0, f"{page}: {line}"
    for option in (word.split("=")[0] for word in words if word.startswith("--")):
        assert option in told.out, f"{page}: {line}"


def test_messages_quoted_are_in_the_library(checkout: Path) -> None:
    rows = [
        line.split("|")[1]
        for line in (DOCS / "errors.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    quoted = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    assert len(quoted) > 8
    code = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "barometre").rglob("*.py"))
    for text in quoted:
        assert text in code, text
