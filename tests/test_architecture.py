"""The house as its imports show it: rooms in their order, no circle, no name that means two things.

Imports are read from the source, so that those under ``TYPE_CHECKING``, inside functions and of the
form ``from barometre import x`` count like the others.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import barometre as bcs
from barometre.base.public import listed

PACKAGE = Path(inspect.getfile(bcs)).parent
# From what needs nothing to what needs all; rooms of one set do not see each other.
ORDER = (
    {"base"}, {"cards", "secrecy"}, {"tables"}, {"themes", "datasets"}, {"engine", "sources"},
    {"compare", "composite", "cohort", "monitoring"}, {"plots"}, {"pages"}, {"cli"}, {"__main__"},
)  # fmt: skip
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
TIED: set[str] = set()
AT_THE_TOP, IN_A_ROOM = 18, 15
CODE_LINES = 60


def name_of(path: Path, package: Path = PACKAGE) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def sources(package: Path = PACKAGE) -> dict[str, ast.Module]:
    return {
        name_of(path, package): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
    }


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of every import of the package, the name empty for ``import x``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            if node.module and node.module.split(".")[0] == "barometre":
                yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "barometre":
                    yield alias.name, ""


def public_homes(package: Path = PACKAGE) -> dict[tuple[str, str], str]:
    """Where each public name lives: (package, name) to module, as the packages say it."""
    return {
        (name_of(file, package), name): home
        for file in package.rglob("__init__.py")
        for home, name in listed(file)
    }


def arrows(
    trees: Mapping[str, ast.Module], homes: Mapping[tuple[str, str], str]
) -> set[tuple[str, str]]:
    """Give what each module imports, a public name being that of the module where it lives."""
    found = set()
    for name, tree in trees.items():
        for module, item in imported(tree):
            home = homes.get((module, item), module)
            full = f"{home}.{item}"
            found.add((name, full if full in trees else home))
    return {(a, b) for a, b in found if a != b}


def circles(edges: set[tuple[str, str]]) -> list[set[str]]:
    """List the strongly connected sets of two modules or more."""
    names = sorted({name for edge in edges for name in edge})
    at = {name: i for i, name in enumerate(names)}
    rows, columns = [at[a] for a, _ in edges], [at[b] for _, b in edges]
    graph = coo_array(([1] * len(rows), (rows, columns)), shape=(len(names), len(names)))
    number, labels = connected_components(graph, connection="strong")
    groups = [{n for n in names if labels[at[n]] == k} for k in range(number)]
    return [group for group in groups if len(group) > 1]


TREES = sources()
HOMES = public_homes()
ARROWS = arrows(TREES, HOMES)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_rooms_are_imported_one_way() -> None:
    wrong = []
    for a, b in sorted(ARROWS):
        up, down = room_of(a), room_of(b)
        if up in ("", down) or down == "":
            continue
        if RANK[up] <= RANK[down]:
            wrong.append(f"{a} imports {b}")
    assert wrong == []


def test_no_circle_at_any_level() -> None:
    # one knot is still to be untied
    assert {name.split(".")[1] for group in circles(ARROWS) for name in group} <= TIED


def folder_of(module: str) -> str:
    """The room of a module, or of a room's own door."""
    return (
        module
        if (PACKAGE.parent / module.replace(".", "/")).is_dir()
        else module.rpartition(".")[0]
    )


def test_rooms_within_a_room_make_no_circle() -> None:
    rooms = {(folder_of(a), folder_of(b)) for a, b in ARROWS}
    apart = {
        (a, b)
        for a, b in rooms
        if not f"{a}.".startswith(f"{b}.") and not f"{b}.".startswith(f"{a}.")
    }
    assert {name.split(".")[1] for group in circles(apart) for name in group} <= TIED


@pytest.mark.parametrize(
    "code",
    [
        "from barometre.b import y",
        "from barometre import b",
        "import barometre.b",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from barometre.b import y",
        "def f():\n    from barometre.b import y",
    ],
)
def test_every_form_of_import_is_seen(code: str) -> None:
    trees = {"barometre.a": ast.parse(code), "barometre.b": ast.parse("import barometre.a")}
    found = arrows(trees, {})
    assert found == {("barometre.a", "barometre.b"), ("barometre.b", "barometre.a")}
    assert circles(found) == [{"barometre.a", "barometre.b"}]


def test_an_import_of_a_public_name_is_an_import_of_its_home() -> None:
    assert HOMES["barometre", "compute"] == "barometre.engine.values"
    trees = {
        "barometre.engine.values": ast.parse(""),
        "barometre.a": ast.parse("from barometre import compute"),
    }
    assert arrows(trees, HOMES) == {("barometre.a", "barometre.engine.values")}


def test_a_room_can_be_taken_in_at_a_glance() -> None:
    def entries(folder: Path) -> list[str]:
        aside = ("__pycache__", "_indicators", "_datasets")  # the last two in a wheel only
        return [p.name for p in folder.iterdir() if p.name not in aside]

    assert len(entries(PACKAGE)) <= AT_THE_TOP
    rooms = [p for p in PACKAGE.rglob("*") if p.is_dir() and (p / "__init__.py").exists()]
    assert {p.name: n for p in rooms if (n := len(entries(p))) > IN_A_ROOM} == {}


def test_no_module_bears_the_name_of_a_public_function() -> None:
    """``import barometre.compute as m`` must never be a function."""
    rooms = {"cohort", "composite", "datasets", "errors", "monitoring", "plots"}
    public = {name for _, name in HOMES} - rooms
    modules = {name.rsplit(".", 1)[-1] for name in TREES if "." in name}
    # the room holds the tables; `datasets.tables()` gives those of the contract
    assert modules & public <= {"tables"}
    assert importlib.util.find_spec("barometre.datasets.tables") is None


def test_no_private_name_crosses_a_module() -> None:
    crossing = [
        f"{name} imports {item} of {module}"
        for name, tree in TREES.items()
        for module, item in imported(tree)
        if item.startswith("_") and not item.startswith("__")
    ]
    assert crossing == []


def long_functions(trees: Mapping[str, ast.Module]) -> dict[str, int]:
    """Give the lines of code of functions over the cap, docstring left out."""
    found = {}
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines > CODE_LINES:
                    found[f"{name}.{node.name}"] = lines
    return found


def test_functions_stay_short() -> None:
    assert long_functions(TREES) == {}


def test_every_module_says_what_it_holds() -> None:
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []
