"""The table of proofs, read in the tests that compare the library with other programs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_parts import code, plain, prose, table

PROOFS = Path(__file__).parents[1] / "tests" / "proofs"


@dataclass(frozen=True)
class Comparison:
    """A test of the folder of proofs.

    Attributes
    ----------
    name, file : str
        Name of the test, and its file.
    verbs : tuple of str
        Functions of the library that it calls.
    programs : tuple of str
        Programs whose results it reads, with their version.
    """

    name: str
    file: str
    verbs: tuple[str, ...]
    programs: tuple[str, ...]


def comparisons() -> list[Comparison]:
    """Read the tests."""
    programs = _programs()
    return [
        found for path in sorted(PROOFS.glob("test_*.py")) for found in _comparisons(path, programs)
    ]


def proofs_page() -> str:
    """Write the page in Markdown (MyST)."""
    tests = comparisons()
    names = sorted({program for test in tests for program in test.programs})
    rows = [
        [
            ", ".join(map(code, test.verbs)),
            plain(test.name.removeprefix("test_").replace("_", " ")),
            plain(", ".join(test.programs)),
            code(test.file),
        ]
        for test in tests
        if test.verbs and test.programs
    ]
    alone = [[code(name), prose(why)] for name, why in sorted(_without_peer().items())]
    parts = [
        "# Proofs",
        "Read in `tests/proofs` when the documentation is built: each row is a test that runs in a"
        " clone, on a panel of people who do not exist, against results of another program that"
        " are committed with the script that made them. Tolerances, with their reason, are in the"
        " tests; conventions met, in `tests/proofs/README.md`.",
        f"{len(rows)} comparisons, {len(names)} programs: {plain(', '.join(names))}.",
        "## Compared with other programs",
        table(["Functions", "What", "Program", "Test"], rows),
        "## Without a peer",
        "What proves the functions of `bcs.cohort` that no program is compared with.",
        table(["Function", "Proved by"], alone),
    ]
    return "\n\n".join(parts) + "\n"


def _programs() -> dict[str, set[str]]:
    """List the programs that gave each result, from the names of the files."""
    found: dict[str, set[str]] = {}
    for path in (PROOFS / "results").glob("*.csv"):
        what, _, program = path.stem.partition("__")
        name, _, version = program.removeprefix("py-").removeprefix("R-").rpartition("-")
        language = "R " if program.startswith("R-") else ""
        found.setdefault(what, set()).add(f"{language}{name} {version}")
    return found


def _comparisons(path: Path, programs: dict[str, set[str]]) -> Iterator[Comparison]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests, helpers = {}, {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            (tests if node.name.startswith("test_") else helpers)[node.name] = node
        elif isinstance(node, ast.Assign):
            helpers[ast.unparse(node.targets[0])] = node
    for name, test in tests.items():
        nodes = list(_with_helpers(test, helpers, set()))
        yield Comparison(name, path.name, _verbs(nodes), _read(nodes, programs))


def _with_helpers(
    node: ast.AST, helpers: Mapping[str, ast.AST], met: set[str]
) -> Iterator[ast.AST]:
    """Walk a test, and what the module gives it."""
    for inner in ast.walk(node):
        yield inner
        if isinstance(inner, ast.Name) and inner.id in helpers and inner.id not in met:
            met.add(inner.id)
            yield from _with_helpers(helpers[inner.id], helpers, met)


def _verbs(nodes: list[ast.AST]) -> tuple[str, ...]:
    found = set()
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in ("cohort", "composite"):
                found.add(node.func.attr)
            elif ast.unparse(owner).endswith("Index"):
                found.add("Index.score")
    return tuple(sorted(found - {"Cohort"}))


def _read(nodes: list[ast.AST], programs: dict[str, set[str]]) -> tuple[str, ...]:
    columns = {c for n in nodes if isinstance(n, ast.Subscript) for c in ast.walk(n.slice)}
    read = {n.value for n in nodes if isinstance(n, ast.Constant) and n not in columns}
    return tuple(sorted({program for what in read for program in programs.get(str(what), ())}))


def _without_peer() -> dict[str, str]:
    tree = ast.parse((PROOFS / "test_every_estimator.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NO_PEER":
            return dict(ast.literal_eval(node.value))
    raise LookupError("NO_PEER")  # the page says what it no longer finds
