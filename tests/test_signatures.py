"""What a docstring says of an option is what the signature does: each default, written twice."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import barometre as bcs


class Said(NamedTuple):
    """What a docstring says of a parameter: its type, its default, its lines."""

    type: str
    default: str | None
    text: str


def documented(function: Any) -> dict[str, Said]:
    """Read the parameters of a docstring."""
    found = {}
    doc = re.split(r"\n(?:Returns|Raises|Notes|Examples)\n-", inspect.getdoc(function) or "")[0]
    for names, kind, text in re.findall(r"(?m)^(\w+(?:, \w+)*) : (.*)\n((?:    .*\n?)*)", doc):
        type_, _, default = kind.partition(", default ")
        for name in names.split(", "):
            found[name] = Said(type_, default or None, text)
    return found


def functions() -> Iterator[tuple[str, Any]]:
    """Walk the functions, methods and classes of the package."""
    for info in pkgutil.walk_packages(bcs.__path__, "barometre."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", None) != module.__name__:
                continue
            if inspect.isfunction(value) or inspect.isclass(value):
                yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for inner, method in vars(value).items():
                    method = getattr(method, "__func__", method)
                    if inspect.isfunction(method) and not inner.startswith("__"):
                        yield f"{module.__name__}.{name}.{inner}", method


def defaults(function: Any) -> dict[str, Any]:
    """Give the parameters that have a default, with it."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # an exception, a type of tuples
        return {}
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def test_a_documented_default_is_that_of_the_signature() -> None:
    seen, wrong = 0, []
    for name, function in functions():
        values, said = defaults(function), documented(function)
        for option, value in values.items():
            if option not in said or (told := said[option].default) is None or value is None:
                continue  # None: what the text says is taken later
            try:
                expected = ast.literal_eval(told)
            except (SyntaxError, ValueError):
                continue  # words
            seen += 1
            if value != expected or isinstance(value, bool) != isinstance(expected, bool):
                wrong.append((name, option, told, value))
    assert not wrong
    assert seen > 200


def public(room: Any) -> Iterator[tuple[str, Any]]:
    """Walk the public functions and classes of a room, and the methods of the latter."""
    for name in dir(room):
        value = getattr(room, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            yield name, value
        if inspect.isclass(value) and value.__module__.startswith("barometre"):
            for inner, method in vars(value).items():
                if inspect.isfunction(method) and not inner.startswith("_"):
                    yield f"{name}.{inner}", method


@pytest.mark.parametrize(
    "room",
    [bcs, bcs.cohort, bcs.composite, bcs.plots, bcs.datasets],
    ids=lambda room: room.__name__,
)
def test_a_public_option_says_its_default(room: Any) -> None:
    """A number or a flag is written with its default, or where it is the same is said."""
    silent = []
    for name, function in public(room):
        said = documented(function)
        for option, value in defaults(function).items():
            if option not in said or not isinstance(value, bool | int | float) or value != value:
                continue
            told = said[option]
            if same := re.search(r"(?:As in|See) `(\w+)`", told.text):
                other = defaults(getattr(room, same[1]))
                assert other.get(option, value) == value, (name, option)
            elif told.default is None:
                silent.append((name, option))
    assert not silent
