"""Bring leaves to one scale: transform, orient, then goalposts, min-max, z-score or percentile.

The last axis of an array is the units; leading axes are replications. A leaf is normalised in two
steps, so that a replication may bring its own scale, and a reference unit be put on the scale of
the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.composite.tree.parts import Leaf
from barometre.composite.tree.shape import Tree
from barometre.composite.tree.ties import TOLERANCE, tied_ranks

# Low and high bounds, or mean and standard deviation, of transformed values: (..., 1) each.
Scale: TypeAlias = tuple[Floats, Floats]


def transformed(values: Floats, leaf: Leaf) -> Floats:
    """Apply the transform of a leaf; what has no logarithm is missing."""
    if leaf.transform is None:
        return values
    logs: Floats = np.log(np.where(values > 0, values, np.nan))
    return logs


def scale_of(values: Floats, leaf: Leaf) -> Scale:
    """Give the scale of a leaf: its goalposts, or what the transformed values show.

    Missing (NaN) where the values show none: no value, a constant, one value. A spread within
    rounding (1e-12 of the values) is that of a constant.
    """
    if leaf.normalise in (None, "percentile"):
        nothing = np.full((*values.shape[:-1], 1), np.nan)
        return nothing, nothing
    if leaf.normalise == "goalposts":
        if leaf.low is None or leaf.high is None:
            raise BarometreError(
                f"bornes de « {leaf.id} » à fixer : index.with_bounds(bounds), avec des bornes"
                " fixes (Bounds) ou observées (index.observe)"
            )
        low, high = transformed(np.array([[leaf.low], [leaf.high]]), leaf)
        return low, high
    low = np.fmin.reduce(values, axis=-1, keepdims=True, initial=np.inf)
    high = np.fmax.reduce(values, axis=-1, keepdims=True, initial=-np.inf)
    known = low <= high
    low, high = np.where(known, low, np.nan), np.where(known, high, np.nan)
    spread = high - low > TOLERANCE * np.maximum(np.abs(low), np.abs(high))
    if leaf.normalise == "minmax":
        return np.where(spread, low, np.nan), np.where(spread, high, np.nan)
    present = ~np.isnan(values)
    number = present.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(present, values, 0.0).sum(axis=-1, keepdims=True) / number
        squares = np.where(present, (values - mean) ** 2, 0.0).sum(axis=-1, keepdims=True)
        deviation = np.sqrt(squares / (number - 1))
    return np.where(spread, mean, np.nan), np.where(spread, deviation, np.nan)


def rescaled(values: Floats, leaf: Leaf, scale: Scale) -> Floats:
    """Put transformed values on the scale of a leaf, the best at the top."""
    if leaf.normalise is None:
        return values
    start, end = leaf.out
    if leaf.normalise == "percentile":
        number = (~np.isnan(values)).sum(axis=-1, keepdims=True)
        # values are data, compared as received: the tolerance is for scores, which are computed
        below = tied_ranks(values, tolerance=0, ascending=leaf.direction > 0) - 1
        spread = np.fmax.reduce(below, axis=-1, keepdims=True, initial=0.0) > 0  # not a constant
        return start + (end - start) * (below / np.where(spread, number - 1, np.nan))
    first, second = scale
    if leaf.normalise == "zscore":
        return start + end * (leaf.direction * (values - first) / second)
    share = (values - first if leaf.direction > 0 else second - values) / (second - first)
    if leaf.clip is not None:
        share = np.clip(
            share,
            0.0 if _clips(leaf, low=True) else None,
            1.0 if _clips(leaf, low=False) else None,
        )
    return start + (end - start) * share


def _clips(leaf: Leaf, *, low: bool) -> bool:
    """Tell whether normalised values are held at the low (or high) end of the scale."""
    return leaf.clip in ("both", "low" if low else "high")


def normalise_tree(tree: Tree, values: Floats, scales: Mapping[str, Scale] | None = None) -> Floats:
    """Normalise raw values, leaf by leaf.

    Parameters
    ----------
    tree : Tree
        The tree.
    values : array, shape (..., units, leaves)
        Raw values, leaves in the order of ``tree.leaves``, NaN where missing.
    scales : mapping of str to Scale, optional
        Scales by leaf, on transformed values; by default goalposts, or what the values show.

    Returns
    -------
    array, shape (..., units, leaves)
        Normalised values, each leaf contiguous in memory.
    """
    given = scales or {}
    *lead, units, leaves = values.shape
    result = np.empty((*lead, leaves, units))
    for j, leaf in enumerate(tree.leaves):
        column = transformed(values[..., j], leaf)
        scale = given.get(leaf.id) or scale_of(column, leaf)
        result[..., j, :] = rescaled(column, leaf, scale)
    return np.swapaxes(result, -1, -2)
