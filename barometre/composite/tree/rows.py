"""From a table, one row a leaf or a node, to the parts of an index."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from barometre.base.errors import Fault, UnknownNameError
from barometre.base.frames import check_frame
from barometre.composite.tree.checks import check_tree
from barometre.composite.tree.parts import BOUNDED, POWERS, Leaf, Node

_OF_LEAF = ("transform", "low", "high", "clip", "normalise")
_OF_NODE = ("aggregate", "min_available", "floor")
_COLUMNS = ("id", "parent", "direction", "weight", *_OF_LEAF, *_OF_NODE)
_NUMBERS = ("direction", "weight", "low", "high", "min_available", "floor")
_NONE = "none"


@dataclass
class _Rows:
    """The filled cells of each row, and what is wrong with them."""

    cells: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @classmethod
    def of(cls, tree: pd.DataFrame) -> _Rows:
        rows = cls()
        for number, record in enumerate(tree.to_dict("records"), start=1):
            cells = {str(name): v for name, v in record.items() if not _empty(v)}
            name = str(cells.setdefault("id", f"ligne {number}"))
            if name == f"ligne {number}":
                rows.fault(name, "sans identifiant", "remplir id")
            for column in _NUMBERS:
                if column in cells:
                    rows.read_number(name, cells, column)
            if "weight" in tree and "weight" not in cells and "parent" in cells:
                rows.fault(name, "poids manquant", "remplir weight (1 : poids égaux)")
            rows.cells.append(cells)
        return rows

    def fault(self, name: str, problem: str, remedy: str) -> None:
        self.faults.append(Fault(name, problem, remedy))

    def read_number(self, name: str, cells: dict[str, Any], column: str) -> None:
        try:
            cells[column] = float(cells[column])
        except (TypeError, ValueError):
            self.fault(name, f"{column} « {cells.pop(column)} »", "un nombre")
            if column in ("direction", "weight"):  # said once
                cells[column] = 1.0


def parts_of_table(
    tree: pd.DataFrame,
    of_leaves: Mapping[str, Any],
    *,
    aggregate: Any,
    min_available: float,
    floor: float | None,
) -> tuple[tuple[Leaf, ...], tuple[Node, ...]]:
    """Read the rows of a tree; `Index.from_table` says how."""
    check_frame(tree, "arbre refusé")
    for name in tree:
        if name not in _COLUMNS:
            raise UnknownNameError("nom de colonne de l'arbre", str(name), _COLUMNS)
    check_frame(tree, "arbre refusé", ("id", "parent"))
    rows = _Rows.of(tree)
    parents = {cells.get("parent") for cells in rows.cells}
    levels = _levels(rows.cells)
    methods = _methods(rows, aggregate, levels)
    leaves, nodes = [], []
    for cells in rows.cells:
        if cells["id"] in parents or "parent" not in cells:
            options = {"min_available": min_available, "floor": floor}
            if cells["id"] in methods:
                options["aggregate"] = methods[cells["id"]]
            nodes.append(_node(rows, cells, options))
        else:
            leaves.append(_leaf(rows, cells, of_leaves))
    _mixed_scales(rows, leaves, of_leaves["out"])
    if of_leaves["clip"] in ("low", "high") and all(x.normalise not in BOUNDED for x in leaves):
        rows.fault("clip", "aucune feuille n'a de bornes", "retirer clip")
    return _checked(rows, leaves, nodes)


def _checked(
    rows: _Rows, leaves: list[Leaf], nodes: list[Node]
) -> tuple[tuple[Leaf, ...], tuple[Node, ...]]:
    """Give the parts of a table that has no fault."""
    for leaf in leaves:
        if leaf.normalise == "goalposts" and leaf.low is None and leaf.high is None:
            rows.fault(leaf.id, "goalposts sans bornes", "remplir low et high")
    check_tree(leaves, nodes, rows.faults)
    return tuple(leaves), tuple(nodes)


def _empty(value: object) -> bool:
    return value is None or value is pd.NA or value != value or value == ""


def _leaf(rows: _Rows, cells: dict[str, Any], options: Mapping[str, Any]) -> Leaf:
    name = str(cells["id"])
    for column in _OF_NODE:
        if column in cells:
            rows.fault(name, f"{column} sur une feuille", "le donner à un nœud")
    if "direction" not in cells:
        rows.fault(name, "direction manquante", "1 (plus vaut mieux) ou -1")
    normalise = _or_none(cells.get("normalise", options["normalise"]))
    clip = _or_none(cells.get("clip", options["clip"]))
    if "clip" in cells and normalise in ("zscore", "percentile", None):
        rows.fault(name, f"clip inutile avec normalise={normalise}", "le retirer")
    out = options["out"]
    if isinstance(out, Mapping):
        out = out.get(normalise or _NONE)
    return Leaf(
        id=cells["id"],
        parent=cells["parent"],
        direction=cells.get("direction", 1),
        weight=cells.get("weight", 1.0),
        normalise=normalise,
        transform=_or_none(cells.get("transform")),
        low=cells.get("low"),
        high=cells.get("high"),
        clip=clip,
        out=(0.0, 1.0) if out is None else out,
    )


def _node(rows: _Rows, cells: dict[str, Any], options: dict[str, Any]) -> Node:
    name = str(cells["id"])
    for column in _OF_LEAF:
        if column in cells:
            rows.fault(name, f"{column} sur un nœud", "le donner à ses feuilles")
    if cells.get("direction", 1) != 1:
        rows.fault(name, "un nœud n'a pas de direction -1", "la donner à ses feuilles")
    own = {column: cells[column] for column in _OF_NODE if column in cells}
    if isinstance(own.get("aggregate"), str):
        own["aggregate"] = _method(own["aggregate"])
    return Node(cells["id"], cells.get("parent"), cells.get("weight", 1.0), **(options | own))


def _or_none(value: Any) -> Any:
    return None if value == _NONE else value


def _method(text: str) -> Any:
    """Read a mean written in a table of texts: ``geometric``, or a power such as ``0.5``."""
    try:
        return text if text in POWERS else float(text)
    except ValueError:
        return text


def _levels(rows: list[dict[str, Any]]) -> dict[Hashable, int]:
    """Give the level of each node, as far as the rows make a tree (leaves are level 1)."""
    levels: dict[Hashable, int] = {cells["id"]: 1 for cells in rows}
    for _ in rows:  # a branch is no longer than the table; a cycle is told elsewhere
        for cells in rows:
            parent = cells.get("parent")
            if parent in levels:
                levels[parent] = max(levels[parent], levels[cells["id"]] + 1)
    return levels


def _methods(rows: _Rows, aggregate: Any, levels: Mapping[Hashable, int]) -> dict[Hashable, Any]:
    """Give the mean of each node named by an option: one for all, or by level or node."""
    parents = {cells.get("parent") for cells in rows.cells}
    own = {cells["id"] for cells in rows.cells if "aggregate" in cells}
    nodes = {c["id"]: levels[c["id"]] for c in rows.cells if c["id"] in parents}
    if not isinstance(aggregate, Mapping):
        return dict.fromkeys(nodes, aggregate)
    known = ", ".join(f"{level} ({name})" for name, level in nodes.items())
    for key in aggregate:
        if key not in nodes and key not in nodes.values():
            rows.fault("aggregate", f"ni niveau ni nœud « {key} »", f"niveaux des nœuds : {known}")
    found = {n: aggregate.get(n, aggregate.get(level)) for n, level in nodes.items()}
    for name, method in found.items():
        if method is None and name not in own:
            rows.fault(str(name), f"aucune moyenne (niveau {nodes[name]})", "compléter aggregate")
    return {name: method for name, method in found.items() if method is not None}


def _mixed_scales(rows: _Rows, leaves: list[Leaf], out: object) -> None:
    """Refuse one scale for z-scores and others: it would be read in two ways."""
    kinds = {leaf.normalise or _NONE for leaf in leaves}
    if isinstance(out, Mapping):
        for kind in out:
            if kind not in kinds:
                rows.fault("out", f"aucune feuille n'a normalise={kind}", "retirer cette échelle")
    elif out is not None and "zscore" in kinds and len(kinds) > 1:
        remedy = 'une échelle par normalisation : out={"minmax": (0, 100), "zscore": (100, 10)}'
        rows.fault("out", "z-scores et autres normalisations mêlés", remedy)
