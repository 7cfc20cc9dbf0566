"""What makes a tree of leaves and nodes an index; every fault is told at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias, get_args

from barometre.base.errors import Fault, FaultsError
from barometre.base.french import format_number
from barometre.composite.tree.parts import BOUNDED, POWERS, Clip, Leaf, Node, Normalise

_SHOWN = 3  # leaves or nodes quoted
_MEANS = ", ".join(POWERS)
Part: TypeAlias = Leaf | Node
_SCALES = ("minmax", "goalposts", "percentile")


def check_tree(leaves: Sequence[Leaf], nodes: Sequence[Node], faults: Sequence[Fault] = ()) -> None:
    """Refuse a tree with all that is wrong in it, besides the faults already found."""
    found = [
        *faults,
        *_shape_faults(leaves, nodes),
        *_weight_faults(leaves, nodes),
        *(fault for leaf in leaves for fault in _leaf_faults(leaf)),
        *(fault for node in nodes for fault in _node_faults(node)),
    ]
    if found:
        raise FaultsError("arbre de l'indice refusé", _gathered(found))


def _gathered(faults: Sequence[Fault]) -> list[Fault]:
    """Tell a fault once for all the leaves or nodes that have it."""
    places: dict[tuple[str, str], list[str]] = {}
    for fault in faults:
        places.setdefault((fault.probleme, fault.remede), []).append(fault.lieu)
    found = []
    for (problem, remedy), names in places.items():
        shown = list(dict.fromkeys(names))
        more = f" et {len(shown) - _SHOWN} de plus" if len(shown) > _SHOWN else ""
        found.append(Fault(", ".join(shown[:_SHOWN]) + more, problem, remedy))
    return found


def _shape_faults(leaves: Sequence[Leaf], nodes: Sequence[Node]) -> Iterator[Fault]:
    things: list[Part] = [*leaves, *nodes]
    names = Counter(thing.id for thing in things)
    for name, times in names.items():
        if not isinstance(name, str) or not name:
            yield Fault(repr(name), "identifiant vide ou non textuel", "donner un nom")
        elif times > 1:
            yield Fault(name, f"identifiant donné {times} fois", "un nom par feuille ou nœud")
    inner = {node.id for node in nodes}
    for thing in things:
        if thing.parent is not None and thing.parent not in inner:
            problem = "est une feuille" if thing.parent in names else "n'est pas dans l'arbre"
            yield Fault(
                str(thing.id), f"son parent « {thing.parent} » {problem}", "corriger parent"
            )
    roots = [node.id for node in nodes if node.parent is None]
    orphans = [leaf.id for leaf in leaves if leaf.parent is None]
    if len(roots) != 1:
        found = ", ".join(map(str, roots)) or "aucune"
        yield Fault("racine", f"{len(roots)} au lieu d'une ({found})", "un seul nœud sans parent")
    for name in orphans:
        yield Fault(str(name), "feuille sans parent", "lui donner un nœud parent")
    used = {thing.parent for thing in things}
    for node in nodes:
        if node.id not in used:
            yield Fault(str(node.id), "nœud sans composante", "le retirer, ou en faire une feuille")
    above = {node.id: node.parent for node in nodes}
    if loop := sorted({str(name) for name in above if _returns(name, above)}):
        yield Fault(", ".join(loop), "cycle de parents", "faire remonter chacun à la racine")


def _returns(name: str, above: dict[str, str | None]) -> bool:
    """Tell whether going up from a node comes back to it."""
    parent, steps = above[name], 0
    while parent is not None and parent != name and steps <= len(above):
        parent, steps = above.get(parent), steps + 1
    return parent == name


def _weight_faults(leaves: Sequence[Leaf], nodes: Sequence[Node]) -> Iterator[Fault]:
    siblings: dict[str, list[object]] = {}
    things: list[Part] = [*leaves, *nodes]
    for thing in things:
        if not _finite(thing.weight) or thing.weight < 0:
            yield Fault(str(thing.id), f"poids {thing.weight}", "un nombre positif ou nul")
        if thing.parent is not None:
            siblings.setdefault(thing.parent, []).append(thing.weight)
    for parent, weights in siblings.items():
        if all(weight == 0 for weight in weights):
            yield Fault(str(parent), "composantes toutes de poids nul", "en pondérer au moins une")


def _leaf_faults(leaf: Leaf) -> Iterator[Fault]:
    name = str(leaf.id)
    if leaf.direction not in (1, -1):
        yield Fault(name, f"direction {leaf.direction}", "1 (plus vaut mieux) ou -1")
    known = leaf.normalise is None or leaf.normalise in get_args(Normalise)
    if not known:
        admitted = ", ".join(get_args(Normalise))
        yield Fault(name, f"normalise {leaf.normalise}", f"admis : {admitted}, none")
    if leaf.transform not in (None, "log"):
        yield Fault(name, f"transform {leaf.transform}", "admis : log, none")
    elif leaf.transform and leaf.normalise is None:
        yield Fault(name, "transform sur des valeurs déjà normalisées", "choisir normalise")
    if leaf.clip is not None and leaf.clip not in get_args(Clip):
        yield Fault(name, f"clip {leaf.clip}", f"admis : {', '.join(get_args(Clip))}, none")
    yield from _bounds_faults(leaf)
    pair = leaf.out if isinstance(leaf.out, tuple) else ()
    if len(pair) != 2 or not all(map(_finite, pair)):
        yield Fault(name, f"out {leaf.out}", "deux nombres")
    elif leaf.normalise == "zscore" and pair[1] <= 0:
        yield Fault(name, f"out {leaf.out}", "moyenne et écart-type positif")
    elif leaf.normalise in _SCALES and pair[0] >= pair[1]:
        yield Fault(name, f"out {leaf.out}", "le bas, puis le haut de l'échelle")


def _bounds_faults(leaf: Leaf) -> Iterator[Fault]:
    name, bounds = str(leaf.id), (leaf.low, leaf.high)
    given = [bound for bound in bounds if bound is not None]
    if not given:
        return
    if leaf.normalise != "goalposts" and (leaf.normalise is None or leaf.normalise in BOUNDED):
        problem = f"bornes inutiles avec normalise={leaf.normalise}"
        yield Fault(name, problem, 'normalise="goalposts", ou retirer low et high')
    elif leaf.normalise != "goalposts":
        yield Fault(name, f"bornes inutiles avec normalise={leaf.normalise}", "retirer low et high")
    if len(given) < 2 or not all(map(_finite, given)):
        yield Fault(name, f"bornes {leaf.low} et {leaf.high}", "deux nombres")
    elif given[0] >= given[1]:
        yield Fault(
            name,
            f"low {format_number(given[0])} n'est pas sous high {format_number(given[1])}",
            "les corriger",
        )
    elif leaf.transform == "log" and given[0] <= 0:
        yield Fault(
            name, f"low {format_number(given[0])} n'a pas de logarithme", "une borne positive"
        )


def _node_faults(node: Node) -> Iterator[Fault]:
    name = str(node.id)
    known = node.aggregate in POWERS if isinstance(node.aggregate, str) else _finite(node.aggregate)
    if not known:
        yield Fault(name, f"aggregate {node.aggregate}", f"admis : {_MEANS}, ou une puissance")
    if not _finite(node.min_available) or not 0 <= node.min_available <= 1:
        yield Fault(name, f"min_available {node.min_available}", "une part, entre 0 et 1")
    if node.floor is not None and (not _finite(node.floor) or node.floor < 0):
        yield Fault(name, f"floor {node.floor}", "un nombre positif, ou 0 pour laisser les zéros")


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
