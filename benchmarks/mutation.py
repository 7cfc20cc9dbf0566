"""Small changes of a source: where one can be made, and the source with it.

A mutant is the source with one comparison, operation, constant, condition or name of a function
replaced by its neighbour. What is never run (annotations), what is text, and the options that
cannot change a result (`SILENT`) are left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
}  # fmt: skip
_FUNCTIONS = (("share", "rate"), ("min", "max"), ("any", "all"))
_METHODS = (
    *(("minimum", "maximum"), ("lt", "le"), ("gt", "ge"), ("first", "last"), ("sum", "mean")),
    *(("idxmin", "idxmax"), ("argmin", "argmax"), ("nanmin", "nanmax"), ("min", "max")),
    *(("cumsum", "cumprod"), ("ffill", "bfill"), ("isna", "notna"), ("floor", "ceil")),
    *(("any", "all"), ("union", "intersection")),
)
FUNCTIONS = {a: b for pair in _FUNCTIONS for a, b in (pair, pair[::-1])}
METHODS = {a: b for pair in _METHODS for a, b in (pair, pair[::-1])}
# What a checked length, a frozen class, the size of a cache or the place of a warning is, no result
# shows.
SILENT = {"strict", "frozen", "slots", "maxsize", "copy", "stacklevel", "kw_only", "repr"}


@dataclass(frozen=True)
class Mutant:
    """One change: the file, the place of the node in its walk, the lines of its statement."""

    file: Path
    place: int
    lines: tuple[int, int]
    line: int
    told: str


def mutants(file: Path) -> list[Mutant]:
    """List the changes that can be made in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    lines = _statement_lines(tree)
    aside = {id(n) for one in ast.walk(tree) for n in _aside(one)}
    return [
        Mutant(file, place, lines[id(node)], getattr(node, "lineno", 0), told)
        for place, node in enumerate(ast.walk(tree))
        if id(node) not in aside and (told := _change(node, do=False))
    ]


def mutated(mutant: Mutant) -> str:
    """Write the source of a mutant, its other lines as they are."""
    source = mutant.file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    node = next(n for place, n in enumerate(ast.walk(tree)) if place == mutant.place)
    assert isinstance(node, ast.expr | ast.If)
    spot = node.test if isinstance(node, ast.If) else node
    _change(node, do=True)
    changed = node.test if isinstance(node, ast.If) else node
    rows = source.encode().split(b"\n")
    first, last = spot.lineno - 1, (spot.end_lineno or spot.lineno) - 1
    end, text = spot.end_col_offset, ast.unparse(changed).encode()
    empty = b"\n" * (last - first)  # the lines below keep their numbers
    rows[first : last + 1] = [
        rows[first][: spot.col_offset] + b"(" + text + empty + b")" + rows[last][end:]
    ]
    new = b"\n".join(rows).decode()
    try:
        same = ast.dump(ast.parse(new)) == ast.dump(ast.parse(ast.unparse(tree)))
    except SyntaxError:
        same = False
    return new if same else ast.unparse(ast.fix_missing_locations(tree))


def _statement_lines(tree: ast.Module) -> dict[int, tuple[int, int]]:
    """Give, for each node, the lines of the statement it is in; of a block, those of its head."""
    found: dict[int, tuple[int, int]] = {}

    def walk(node: ast.AST, lines: tuple[int, int]) -> None:
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else (node.end_lineno or node.lineno)
            lines = (node.lineno, max(last, node.lineno))
        found[id(node)] = lines
        for below in ast.iter_child_nodes(node):
            walk(below, lines)

    walk(tree, (1, 1))
    return found


def _aside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below annotations, texts with values, and options that no result shows."""
    for name in ("annotation", "returns"):
        below = getattr(node, name, None)
        if isinstance(below, ast.AST):
            yield from ast.walk(below)
    if isinstance(node, ast.JoinedStr):
        yield from ast.walk(node)
    elif isinstance(node, ast.keyword) and node.arg in SILENT:
        yield from ast.walk(node.value)
    elif _is_type(node):
        yield from ast.walk(node)


def _is_type(node: ast.AST) -> bool:
    """Tell what serves the checkers of types: an alias, a block of their own."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation) == "TypeAlias"
    value = node.value if isinstance(node, ast.Assign) else None
    return isinstance(value, ast.Subscript) and ast.unparse(value.value) == "Literal"


def _change(node: ast.AST, *, do: bool) -> str:
    """Say what would be done to a node, and do it if asked; nothing where nothing can be."""
    if isinstance(node, ast.If):
        # a comparison, an operation or a negation has its own mutants
        if isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            return ""
        return _set(node, "test", ast.UnaryOp(ast.Not(), node.test), "condition denied", do)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
        new = COMPARE[type(node.ops[0])]
        return _set(
            node, "ops", [new(), *node.ops[1:]], f"{_name(node.ops[0])} -> {new.__name__}", do
        )
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        if any(_is_text(side) for side in (node.left, node.right)):
            return ""
        new_op = ARITHMETIC[type(node.op)]
        return _set(node, "op", new_op(), f"{_name(node.op)} -> {new_op.__name__}", do)
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return _set(node, "op", other, f"{_name(node.op)} -> {_name(other)}", do)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        twice = ast.UnaryOp(node.op, node.operand)
        return _set(node, "operand", twice, "not dropped", do)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        value = not node.value if isinstance(node.value, bool) else node.value + 1
        return _set(node, "value", value, f"{node.value} -> {value}", do)
    if isinstance(node, ast.Call):
        return _call(node, do)
    return ""


def _call(node: ast.Call, do: bool) -> str:
    """Call the neighbour of a function: `max` for `min`, `rate` for `share`."""
    function = node.func
    if isinstance(function, ast.Name) and function.id in FUNCTIONS:
        old, new = function.id, FUNCTIONS[function.id]
        other: ast.expr = ast.Name(new)
        if old in ("share", "rate"):  # the other one need not be imported
            other = ast.parse(f"{old}.__globals__[{new!r}]", mode="eval").body
        return _set(node, "func", other, f"{old}() -> {new}()", do)
    if isinstance(function, ast.Attribute) and function.attr in METHODS:
        new = METHODS[function.attr]
        return _set(function, "attr", new, f".{function.attr}() -> .{new}()", do)
    return ""


def _set(node: ast.AST, field: str, value: object, told: str, do: bool) -> str:
    if do:
        setattr(node, field, value)
    return told


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _name(node: ast.AST) -> str:
    return type(node).__name__
