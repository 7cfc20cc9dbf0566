"""The statistics of the audit of an index, on arrays and frames: no verdict here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from barometre.base.arrays import Floats
from barometre.base.errors import FaultsError
from barometre.composite.score.levels import unit_names
from barometre.composite.score.means import aggregate_tree
from barometre.composite.score.normalise import rescaled, transformed
from barometre.composite.score.scores import Scores
from barometre.composite.tree.shape import Tree
from barometre.composite.tree.ties import TOLERANCE, tied_ranks

Smoother: TypeAlias = Literal["spline", "linear"]

_KNOTS = (0.05, 0.35, 0.65, 0.95)  # Harrell (2001), Regression Modeling Strategies, table 2.3
_FEW = 5  # distinct values up to which a mean by value is taken


def spread_shape(values: Floats) -> tuple[float, float]:
    """Give the skewness and the excess kurtosis of a sample.

    Parameters
    ----------
    values : array
        Values, NaN where missing.

    Returns
    -------
    tuple of float
        Sample formulas G1 and G2 (Joanes and Gill, 1998, type 2; those of SAS, Excel and COINr).
        NaN under 3 and 4 values, and for a constant.

    Examples
    --------
    >>> spread_shape(np.array([1.0, 2.0, 3.0, 10.0]))[0].round(6)
    np.float64(1.763633)
    """
    known = values[~np.isnan(values)]
    n = len(known)
    gaps = known - known.mean() if n else known
    second = (gaps**2).mean() if n else 0.0
    size = np.abs(known).max(initial=0.0)
    if n < 3 or not np.sqrt(second) > TOLERANCE * size:
        return np.nan, np.nan
    g1, g2 = (gaps**3).mean() / second**1.5, (gaps**4).mean() / second**2 - 3
    skewness = np.sqrt(n * (n - 1)) / (n - 2) * g1
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * g2 + 6) if n > 3 else np.nan
    return skewness, kurtosis


def cronbach_alpha(components: Floats) -> float:
    """Give Cronbach's alpha of components, on their covariances.

    Parameters
    ----------
    components : array, shape (units, components)
        Oriented components on one scale; units with a missing one are left out.

    Returns
    -------
    float
        ``k / (k - 1) (1 - sum of variances / variance of the sum)`` (Cronbach, 1951). NaN with one
        component, under 3 complete units, or without variance.

    Examples
    --------
    >>> cronbach_alpha(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]))
    0.8888888888888888
    """
    complete = components[~np.isnan(components).any(axis=1)]
    n, k = complete.shape
    if k < 2 or n < 3:
        return np.nan
    total = float(complete.sum(axis=1).var(ddof=1))
    if not total > TOLERANCE * float((complete**2).sum(axis=1).max()):
        return np.nan
    return float(k / (k - 1) * (1 - float(complete.var(axis=0, ddof=1).sum()) / total))


def first_order(component: Floats, score: Floats, smoother: Smoother = "spline") -> float:
    """Give the correlation ratio of a score on a component: Var(E(score | component)) / Var(score).

    Parameters
    ----------
    component, score : array, shape (units,)
        Values, units with a missing one being left out.
    smoother : {"spline", "linear"}, default "spline"
        How the conditional mean is estimated: restricted cubic spline with four knots (Harrell,
        2001), or mean by value up to five distinct values, less what chance explains (adjusted
        R squared); or a straight line (squared correlation).

    Returns
    -------
    float
        Between 0 and 1; NaN where too few units, or a constant.
    """
    both = ~np.isnan(component) & ~np.isnan(score)
    x, y = component[both], score[both]
    n = len(x)
    gaps = y - y.mean() if n else y
    if n < 3 or not gaps.any() or np.ptp(x) <= TOLERANCE * np.abs(x).max():
        return np.nan
    columns = ((x - x.mean()) / x.std())[:, None] if smoother == "linear" else _basis(x)
    basis = columns - columns.mean(axis=0)
    fitted = basis @ np.linalg.lstsq(basis, gaps, rcond=None)[0]
    explained = min(float((fitted**2).sum() / (gaps**2).sum()), 1.0)
    if smoother == "linear":
        return explained
    left = n - 1 - basis.shape[1]
    return max(1 - (1 - explained) * (n - 1) / left, 0.0) if left > 0 else np.nan


def _basis(x: Floats) -> Floats:
    """Give the columns of a smooth function of a component, without the constant."""
    values, place = np.unique(x, return_inverse=True)
    if len(values) <= _FEW:
        return np.asarray(np.eye(len(values))[place][:, 1:], dtype=np.float64)
    z = (x - x.mean()) / x.std()
    knots = np.unique(np.quantile(z, _KNOTS))
    if len(knots) < 3:
        return np.asarray(z[:, None])
    *inner, before, last = knots

    def cube(knot: float) -> Floats:
        return np.asarray(np.maximum(z - knot, 0.0) ** 3)

    bends = [
        cube(knot)
        - cube(before) * (last - knot) / (last - before)
        + cube(last) * (before - knot) / (last - before)
        for knot in inner
    ]
    return np.asarray(np.column_stack([z, *bends]))


def shifts(before: Floats, after: Floats) -> tuple[float, float]:
    """Give the mean and the largest rank shift between two sets of scores.

    Returns
    -------
    tuple of float
        Over the units that have both; 0 for none.
    """
    both = ~np.isnan(before) & ~np.isnan(after)
    moves = np.abs(tied_ranks(before[both]) - tied_ranks(after[both]))
    return (float(moves.mean()), float(moves.max())) if len(moves) else (0.0, 0.0)


def without_leaf(tree: Tree, leaf: str) -> Tree | None:
    """Give the index without a leaf; None when nothing, or no weight, is left in its node."""
    leaves = tuple(x for x in tree.leaves if x.id != leaf)
    nodes = list(tree.nodes)
    while True:
        parents = {x.parent for x in leaves} | {x.parent for x in nodes}
        kept = [node for node in nodes if node.id in parents]
        if len(kept) == len(nodes):
            break
        nodes = kept
    if not leaves:
        return None
    # floors and scales stay those of the whole index
    nodes = [replace(node, floor=tree.floors[node.id]) for node in nodes]
    try:
        return Tree(leaves, tuple(nodes))
    except FaultsError:  # siblings of no weight
        return None


def score_without(scores: Scores, leaf: str) -> Floats | None:
    """Score the root without a leaf, its weight going to its siblings."""
    tree = without_leaf(scores.tree, leaf)
    if tree is None:
        return None
    names = [x.id for x in tree.leaves]
    return aggregate_tree(tree, scores.normalised[names].to_numpy())[tree.root]


@dataclass(frozen=True)
class Extreme:
    """What an observed bound owes to the unit that holds it."""

    end: Literal["basse", "haute"]
    units: tuple[str, ...]  # several hold it: removing one changes nothing
    share: float  # of the range
    mean_shift: float
    max_shift: float


def extremes(scores: Scores, leaf: str) -> Iterator[Extreme]:
    """Score again with the bounds that a min-max leaf would have without its extreme unit."""
    tree = scores.tree
    j = next(i for i, x in enumerate(tree.leaves) if x.id == leaf)
    part = tree.leaves[j]
    values = transformed(scores.raw[leaf].to_numpy(np.float64), part)
    if np.isnan(scores.normalised[leaf].to_numpy()).all():
        return
    tops = scores.table[tree.root].to_numpy()
    low, high = np.nanmin(values), np.nanmax(values)
    ends: tuple[tuple[Literal["basse", "haute"], float], ...] = (("basse", low), ("haute", high))
    for end, bound in ends:
        held = np.flatnonzero(values == bound)
        names = tuple(unit_names(scores.table.index[held]))
        others = np.delete(values, held)
        if len(held) > 1 or np.isnan(others).all():
            yield Extreme(end, names, 0.0, 0.0, 0.0)
            continue
        bounds = np.array([np.nanmin(others)]), np.array([np.nanmax(others)])
        share = float(1 - (bounds[1][0] - bounds[0][0]) / (high - low))
        normalised = scores.normalised.to_numpy(copy=True)
        normalised[:, j] = rescaled(values, part, bounds) if share < 1 else np.nan
        again = aggregate_tree(tree, normalised)[tree.root].copy()
        again[held] = np.nan
        yield Extreme(end, names, share, *shifts(tops, again))
