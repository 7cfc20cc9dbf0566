"""Each writer killed, short of room, forbidden or doubled: every file is whole, nothing is left."""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.writers import WRITERS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits are those of POSIX")
TRIALS = ("kill", "full", "closed", "race")
SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
QUICK = [
    *((name, trial) for name in ("results.csv", "edition") for trial in TRIALS),
    ("results.xlsx", "full"), ("chart.svg", "closed"), ("chart.pdf", "full"), ("index.toml", "kill"),
]  # fmt: skip
"""What is tried in continuous integration, at a few moments; `make slow` tries all, at fifty."""


@pytest.mark.parametrize(
    ("name", "trial"), list(itertools.product(WRITERS, TRIALS)) if SLOW else QUICK
)
def test_a_writer_leaves_whole_files_whatever_happens(name: str, trial: str) -> None:
    few, many = {"kill": (4, 50), "full": (2, 8), "closed": (1, 1), "race": (3, 20)}[trial]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # someone without rights must come to it
        done = subprocess.run(
            [sys.executable, "-m", "tests.writers", name, f"{folder}/x", trial, str(many if SLOW else few)],
            capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


WAYS = {"write_text", "write_bytes", "to_csv", "to_parquet", "to_excel", "savefig", "write_sheets"}
"""Methods and functions that write a file."""


def test_nothing_is_written_elsewhere_than_in_a_temporary_file(checkout: Path) -> None:
    """A file is written by `write_text` of `base`, or at the path that `replacing` gives."""
    found = set()
    for path in sorted((checkout / "barometre").rglob("*.py")):
        for call in (
            n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)
        ):
            written = written_by(call)
            if written not in (None, "temporary"):
                found.add(f"{path.stem} : {written}")
    assert found == {
        "delimited : path",  # the caller's temporary file
        "folder : path",  # in a folder that is renamed when it is whole
        "vector : content",  # memory
    }


def written_by(call: ast.Call) -> str | None:
    """Say where a call writes, when it does."""
    if isinstance(call.func, ast.Name):
        return ast.unparse(call.args[1]) if call.func.id == "write_sheets" else None
    if not isinstance(call.func, ast.Attribute):
        return None
    first = call.args[0] if call.args else None
    if call.func.attr in ("write_text", "write_bytes"):
        return ast.unparse(call.func.value)
    if call.func.attr == "open" and first is not None and "w" in ast.unparse(first):
        return ast.unparse(call.func.value)
    if call.func.attr in WAYS and first is not None:
        return ast.unparse(first)
    return None
