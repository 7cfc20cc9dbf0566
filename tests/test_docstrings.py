"""Every public object says what it takes, what it gives and what it refuses (numpydoc).

Read in the source, without importing what is heavy: some four hundred objects in half a second.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import barometre as bcs
from barometre.base.public import listed

PACKAGE = Path(bcs.__file__).parent
ROOMS = ("", "cohort", "composite", "datasets", "monitoring", "plots")


@dataclass(frozen=True)
class Documented:
    """A function, a method or a class, and its docstring."""

    name: str
    node: ast.FunctionDef | ast.ClassDef
    method: bool = False

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.node) or ""

    @property
    def taken(self) -> list[str]:
        assert isinstance(self.node, ast.FunctionDef)
        given = self.node.args
        every = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        return [name for name in every if name not in ("self", "cls")]


def public() -> Iterator[Documented]:
    met = set()
    for room in ROOMS:
        for home, name in listed(PACKAGE / room / "__init__.py"):
            path = PACKAGE.parent.joinpath(*home.split(".")).with_suffix(".py")
            if not path.exists() or (home, name) in met:
                continue  # a room, or a name that two rooms give
            met.add((home, name))
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                    yield from _inside(f"{room or 'bcs'}.{name}", node)


def _inside(name: str, node: ast.FunctionDef | ast.ClassDef) -> Iterator[Documented]:
    if isinstance(node, ast.FunctionDef):
        if "overload" not in map(ast.unparse, node.decorator_list):
            yield Documented(name, node)
        return
    yield Documented(name, node)
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
            yield Documented(f"{name}.{part.name}", part, method=True)


@pytest.fixture
def parts(checkout: Path) -> ModuleType:
    """What the documentation reads docstrings with."""
    spec = importlib.util.spec_from_file_location("parts", checkout / "docs/docstring_parts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_hundreds_of_them() -> None:
    names = [found.name for found in public()]
    assert len(names) > 350
    assert {"bcs.compute", "cohort.Cohort.did", "plots.spine", "monitoring.track"} <= set(names)


def test_every_public_object_has_a_sentence() -> None:
    assert [found.name for found in public() if not found.doc.split("\n")[0].endswith(".")] == []


def test_parameters_are_all_told_with_their_type_and_no_other(parts: ModuleType) -> None:
    wrong = []
    for found in public():
        if isinstance(found.node, ast.ClassDef) or found.name.startswith("cohort.Cohort."):
            continue  # verbs of a cohort: see below
        told = parts.parameters(found.doc)
        variadic = {a.arg for a in (found.node.args.vararg, found.node.args.kwarg) if a}
        wrong += [f"{found.name}: {name} untold" for name in {*found.taken} - {*told}]
        wrong += [f"{found.name}: {name} unknown" for name in {*told} - {*found.taken} - variadic]
        for name in {*told} & {*found.taken}:
            kind, _, about = told[name].partition("\n")
            if not kind.strip() or not about.strip():
                wrong.append(f"{found.name}: {name} without type or meaning")
    assert wrong == []


def test_defaults_told_are_those_of_the_signature(parts: ModuleType) -> None:
    """Where both are written out; a named constant is told by its value."""
    wrong, compared = [], 0
    for found in public():
        if isinstance(found.node, ast.ClassDef):
            continue
        given = found.node.args
        every = [*given.posonlyargs, *given.args]
        late = every[len(every) - len(given.defaults) :]
        defaults = {a.arg: d for a, d in zip(late, given.defaults, strict=True)}
        defaults |= {
            a.arg: d for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d
        }
        for name, told in parts.parameters(found.doc).items():
            kind = told.split("\n")[0]
            if name not in defaults and ("default " in kind or "optional" in kind):
                wrong.append(f"{found.name}: {name} has no default")
            try:
                value = ast.literal_eval(kind.partition("default ")[2])
                actual = ast.literal_eval(defaults[name])
            except (KeyError, SyntaxError, ValueError):
                continue
            compared += 1
            if (
                value != actual and actual is not None
            ):  # None: computed, the docstring says from what
                wrong.append(f"{found.name}: {name} is {actual}, told {value}")
    assert wrong == []
    assert compared > 150


def test_what_is_returned_and_raised_is_told(parts: ModuleType) -> None:
    """A method without parameters may say what it returns in its first sentence."""
    wrong = []
    for found in public():
        if isinstance(found.node, ast.ClassDef) or found.name.startswith("cohort.Cohort."):
            continue
        titles = parts.sections(found.doc).keys()
        nothing = found.node.returns is not None and ast.unparse(found.node.returns) == "None"
        if not (nothing or titles & {"Returns", "Yields"} or (found.method and not found.taken)):
            wrong.append(f"{found.name}: Returns")
        raising = any(isinstance(node, ast.Raise) for node in ast.walk(found.node))
        if raising and "Raises" not in titles and not found.name.endswith(".sentences"):
            wrong.append(f"{found.name}: Raises")
    assert wrong == []


def test_classes_tell_their_fields(parts: ModuleType) -> None:
    wrong = [
        found.name
        for found in public()
        if isinstance(found.node, ast.ClassDef)
        and not any(ast.unparse(b).endswith(("Warning", "Error")) for b in found.node.bases)
        and not parts.sections(found.doc).keys() & {"Parameters", "Attributes"}
    ]
    assert wrong == []


def test_verbs_of_a_cohort_tell_the_parameters_of_their_function(parts: ModuleType) -> None:
    """Written once, in the function; the page of the class shows them, and misses none."""
    functions = {
        name: thing
        for name in dir(bcs.cohort)
        if inspect.isfunction(thing := getattr(bcs.cohort, name))
    }
    verbs = {
        name: method
        for name, method in vars(bcs.cohort.Cohort).items()
        if inspect.isfunction(method) and name in functions
    }
    assert len(verbs) > 25
    for name, method in verbs.items():
        doc = parts.verb_doc(name, method, functions)
        told = parts.parameters(doc)
        assert list(told) == list(inspect.signature(method).parameters)[1:], name
        assert all(text.split("\n")[0].strip() for text in told.values()), name
        assert "Returns" in parts.sections(doc), name
        for taken, parameter in inspect.signature(method).parameters.items():
            stated = re.search(r'default "(.*?)"', told.get(taken, "").split("\n")[0])
            assert stated is None or stated[1] == parameter.default, f"{name}: {taken}"
