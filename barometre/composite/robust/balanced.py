"""Weights that give the components of a node the influence that is wanted of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.base.face import Face, number_text, percent_text
from barometre.composite.score.scores import score
from barometre.composite.score.years import refuse_several_years
from barometre.composite.tree.parts import Leaf, Node
from barometre.composite.tree.shape import Tree

AnyTree = TypeVar("AnyTree", bound=Tree)

_FEWEST = 4  # units
_WIDEST = 7.0  # logarithm of the ratio of two weights: beyond, a component is as good as left out
_REACHED = 0.001  # share of influence up to which a target is met


@dataclass(frozen=True, eq=False)
class BalancedWeights(Face, Generic[AnyTree]):
    """What `balance_weights` returns.

    Attributes
    ----------
    table : DataFrame
        A row a component: ``poids_avant``, ``poids`` (shares of the node), ``influence_avant``,
        ``influence``, ``cible`` (shares too), ``correlation`` with the node under the new weights.
    index : Index
        The index with these weights.
    node : str
        The node.
    reached : bool
        Whether every influence is that wanted, within 0.1 point.
    """

    table: pd.DataFrame
    index: AnyTree
    node: str
    reached: bool

    def sentences(self) -> list[str]:
        """Say the weights, what they change, and what they are not."""
        parts = [
            f"« {name} » {percent_text(row['poids_avant'])} devient {percent_text(row['poids'])}"
            f" (influence {percent_text(row['influence_avant'])}, puis"
            f" {percent_text(row['influence'])})"
            for name, row in self.table.iterrows()
        ]
        lines = [f"Poids des composantes de « {self.node} » : {' ; '.join(parts)}."]
        if not self.reached:
            gap = float((self.table["influence"] - self.table["cible"]).abs().max())
            lines.append(
                f"Cible non atteinte : écart de {number_text(100 * gap, 1)} points au plus ; des"
                " composantes contraires ou trop liées ne se laissent pas équilibrer."
            )
        lines.append(
            "Ces poids tiennent aux corrélations de ces unités : ils disent ce qu'il faudrait pour"
            " cette influence, non ce qui importe."
        )
        return lines


def balance_weights(
    index: AnyTree,
    frame: pd.DataFrame,
    *,
    node: str | None = None,
    targets: Mapping[str, float] | None = None,
) -> BalancedWeights[AnyTree]:
    """Find the weights under which each component of a node has the influence wanted.

    Parameters
    ----------
    index : Index
        The index, whose other weights stay.
    frame : DataFrame, units x leaves
        Raw values, of one year.
    node : str, optional
        The node whose direct components are weighted; the root by default.
    targets : mapping of str to float, optional
        Influence wanted of each component, in proportion; equal by default.

    Returns
    -------
    BalancedWeights
        Weights and influences before and after, and the index with these weights.

    Raises
    ------
    BarometreError
        An unknown node, or one of a single component; targets that do not name its components, or
        are not positive; several years; fewer than four units with a score, a component that does
        not vary.

    Notes
    -----
    The influence of a component is its squared correlation with the node, signed, as a share of
    their sum: the first-order sensitivity of a linear index (Paruolo, Saisana & Saltelli, 2013,
    JRSS A 176; Becker, Saisana, Paruolo & Vandecasteele, 2017, Ecological Indicators 80), as
    ``get_opt_weights`` of COINr does with correlations. Least squares on the logarithms of the
    weights, from the present ones and from those inversely proportional to standard deviations.

    Examples
    --------
    >>> from barometre.composite import Index
    >>> tree = pd.DataFrame({"id": ["i", "a", "b"], "parent": [None, "i", "i"], "direction": 1})
    >>> frame = pd.DataFrame({"a": [1.0, 2, 3, 4, 5], "b": [3.0, 1, 9, 2, 8]})
    >>> index = Index.from_table(tree, normalise=None)
    >>> balance_weights(index, frame).table["poids"].round(3).tolist()
    [0.698, 0.302]
    """
    refuse_several_years(frame.index, "poids refusés")
    name = index.root if node is None else node
    parts = index.children.get(name, ())
    if len(parts) < 2:
        others = ", ".join(one for one, below in index.children.items() if len(below) > 1)
        raise BarometreError(
            f"« {name} » : pas un nœud de plusieurs composantes ; en sont : {others}"
        )
    wanted = _targets(targets, parts)
    table = score(index, frame).table
    known: pd.DataFrame = table[[*parts, name]].dropna()
    spread = known[list(parts)].std()
    flat = [part for part in parts if not spread[part] > 0]
    if len(known) < _FEWEST or flat:
        why = f"{', '.join(flat)} ne varie pas" if flat else f"{len(known)} unités complètes"
        raise BarometreError(f"poids refusés : {why} ; il faut {_FEWEST} unités qui diffèrent")
    before = np.array([index.shares(name)[part] for part in parts])

    def influence(logs: Floats) -> Floats:
        moved = _weighted(index, parts, np.exp(logs))
        return _influence(score(moved, frame).table, parts, name)

    logs = _solved(influence, wanted, np.log(before), -np.log(spread.to_numpy()))
    weights = np.exp(logs - np.logaddexp.reduce(logs))
    after = influence(logs)
    better = _weighted(index, parts, weights * float(sum(_given(index, parts))))
    scored = score(better, frame).table
    rows = pd.DataFrame(
        {
            "poids_avant": before,
            "poids": weights,
            "influence_avant": _influence(table, parts, name),
            "influence": after,
            "cible": wanted,
            "correlation": scored[list(parts)].corrwith(scored[name]).to_numpy(),
        },
        index=pd.Index(parts, name="composante"),
    )
    return BalancedWeights(rows, better, name, bool(np.abs(after - wanted).max() < _REACHED))


def _targets(targets: Mapping[str, float] | None, parts: tuple[str, ...]) -> Floats:
    """Return the influences wanted, as shares."""
    given = dict.fromkeys(parts, 1.0) if targets is None else dict(targets)
    faults = [
        Fault(str(name), "pas une composante du nœud", f"composantes : {', '.join(parts)}")
        for name in given
        if name not in parts
    ]
    faults += [Fault(part, "sans cible", "la donner") for part in parts if part not in given]
    faults += [
        Fault(str(name), f"cible {value!r}", "donner un nombre positif")
        for name, value in given.items()
        if not (is_number(value) and value > 0)
    ]
    if faults:
        raise FaultsError("cibles refusées", faults)
    wanted = np.array([given[part] for part in parts], np.float64)
    shares: Floats = wanted / wanted.sum()
    return shares


def _given(tree: Tree, parts: tuple[str, ...]) -> list[float]:
    things: tuple[Leaf | Node, ...] = (*tree.leaves, *tree.nodes)
    return [thing.weight for thing in things if thing.id in parts]


def _weighted(tree: AnyTree, parts: tuple[str, ...], weights: Floats) -> AnyTree:
    """Return the tree with other weights for some of its parts."""
    new = dict(zip(parts, map(float, weights), strict=True))
    leaves = tuple(replace(x, weight=new.get(x.id, x.weight)) for x in tree.leaves)
    nodes = tuple(replace(x, weight=new.get(x.id, x.weight)) for x in tree.nodes)
    return type(tree)(leaves, nodes)


def _influence(table: pd.DataFrame, parts: tuple[str, ...], node: str) -> Floats:
    """Return the signed squared correlations with the node, as shares of their sum."""
    correlation = table[list(parts)].corrwith(table[node]).to_numpy(np.float64)
    squares = correlation * np.abs(correlation)
    total = squares.sum()
    shares: Floats = squares / (total if abs(total) > 1e-12 else 1e-12)
    return shares


def _solved(influence: Callable[[Floats], Floats], wanted: Floats, *starts: Floats) -> Floats:
    """Return the logarithms of weights whose influences are the nearest to those wanted."""
    from scipy.optimize import least_squares

    found = [
        least_squares(
            lambda logs: influence(logs) - wanted,
            np.clip(start - start.mean(), -_WIDEST / 2, _WIDEST / 2),
            bounds=(-_WIDEST, _WIDEST),
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
            max_nfev=200,
        )
        for start in starts
    ]
    best: Floats = min(found, key=lambda one: one.cost).x
    return best
