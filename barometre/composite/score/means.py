"""Power means over the components of a node, for all units and replications at once.

Arithmetic, geometric and harmonic means are the powers 1, 0 and -1 of one formula (Hardy,
Littlewood and Pólya, Inequalities, 1934, chapter 2).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.base.french import format_number
from barometre.composite.tree.shape import Tree

_SHARE = 1e-9  # 4 components of 5 are a share of 0.8 whatever the rounding of 0.8
_SHOWN = 3  # units quoted
_SMALLEST = 1e-300  # a power whose products with logarithms would lose their digits is 0


def power_mean(
    components: Sequence[Floats],
    weights: Floats,
    *,
    power: float,
    floor: float = 0.0,
    min_available: float = 0.0,
) -> Floats:
    """Average components, the weights of the missing ones being shared among the others.

    Parameters
    ----------
    components : sequence of k arrays, shape (..., units)
        Values that broadcast together, NaN where missing; not negative unless the power is 1.
    weights : array, shape (..., k)
        Weights not negative, of any sum.
    power : float
        1 arithmetic, 0 geometric, -1 harmonic.
    floor : float, default 0
        With a power up to 0, lower components are raised to it; at 0, a zero gives zero.
    min_available : float, default 0
        Smallest share of the components (counted, not weighed) that makes a mean.

    Returns
    -------
    array, shape (..., units)
        Each value rests on its own unit only, to the last digit. Missing where too few components
        are available, or only some of zero weight.

    Examples
    --------
    >>> one, two = np.array([1.0, 1.0]), np.array([4.0, np.nan])
    >>> power_mean([one, two], np.array([1.0, 1.0]), power=0)
    array([2., 1.])
    """
    if power < _SMALLEST:
        components = [np.maximum(values, floor) + 0.0 for values in components]  # no -0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if power == 1:
            return _average(components, weights, min_available)
        if power == -1:
            inverses = [1 / values for values in components]
            return 1 / _average(inverses, weights, min_available)
        logs = [np.log(values) for values in components]
        if abs(power) < _SMALLEST:
            return np.exp(_average(logs, weights, min_available))
        # (sum w v^p)^(1/p), written from the largest term that weighs, so that no power overflows
        largest = np.fmax if power > 0 else np.fmin
        weighed = [np.where(weights[..., j, None] > 0, logs[j], np.nan) for j in range(len(logs))]
        top = functools.reduce(largest, weighed)
        top = np.where(np.isfinite(top), top, 0.0)
        powers = [power * (values - top) for values in logs]
        mean = _average([np.expm1(x) for x in powers], weights, min_available)
        result = np.log1p(mean)  # so that small powers keep their digits
        if (far := mean < -0.5).any():  # where the others weigh little, the digits are those of exp
            alone = np.log(_average([np.exp(x) for x in powers], weights, min_available))
            result = np.where(far, alone, result)
        return np.exp(top + result / power)


def _average(terms: Sequence[Floats], weights: Floats, min_available: float) -> Floats:
    """Average term by term: a matrix product would round a unit according to its neighbours."""
    total, weight = terms[0] * weights[..., 0, None], weights[..., 0, None] + 0.0
    for j, values in enumerate(terms[1:], start=1):
        total = total + values * weights[..., j, None]
        weight = weight + weights[..., j, None]
    mean = np.asarray(total / weight)
    if not np.isnan(mean).any():
        return mean
    shape, total, weight, number = mean.shape, np.zeros(()), np.zeros(()), np.zeros(())
    for j, values in enumerate(terms):
        known = ~np.isnan(values)
        share = np.where(known, weights[..., j, None], 0.0)
        total = total + np.where(share > 0, values * share, 0.0)
        weight, number = weight + share, number + known
    enough = (weight > 0) & (number >= min_available * len(terms) - _SHARE)
    return np.broadcast_to(np.where(enough, total / weight, np.nan), shape).copy()


def aggregate_tree(
    tree: Tree,
    normalised: Floats,
    *,
    weights: Floats | None = None,
    units: pd.Index | None = None,
) -> dict[str, Floats]:
    """Aggregate normalised values up the tree.

    Parameters
    ----------
    tree : Tree
        The tree.
    normalised : array, shape (..., units, leaves)
        Normalised values, leaves in the order of ``tree.leaves``. Fastest when each leaf is
        contiguous, as `normalise_tree` returns them.
    weights : array, shape (..., columns), optional
        Weights in the order of ``tree.columns``, by replication; by default those of the tree.
    units : Index, optional
        Labels quoted in errors.

    Returns
    -------
    dict of str to array, shape (..., units)
        Every node, leaves included. (The leaves are views.)

    Raises
    ------
    BarometreError
        A mean other than arithmetic meets a negative component.
    """
    given = tree.weights if weights is None else np.asarray(weights, dtype=np.float64)
    place = {name: j for j, name in enumerate(tree.columns)}
    values = {leaf.id: normalised[..., j] for j, leaf in enumerate(tree.leaves)}
    for node in tree.upward:
        names = tree.children[node.id]
        components = [values[name] for name in names]
        if node.power != 1:
            _refuse_negative(node.id, dict(zip(names, components, strict=True)), units)
        values[node.id] = power_mean(
            components,
            given[..., [place[name] for name in names]],
            power=node.power,
            floor=tree.floors[node.id],
            min_available=node.min_available,
        )
    return values


def _refuse_negative(node: str, components: dict[str, Floats], units: pd.Index | None) -> None:
    for name, values in components.items():
        negative = values < 0
        if negative.any():
            shown = ""
            if units is not None and values.ndim == 1:
                pairs = zip(units[negative][:_SHOWN], values[negative][:_SHOWN], strict=True)
                shown = " : " + ", ".join(f"{unit} {format_number(v)}" for unit, v in pairs)
            raise BarometreError(
                f"agrégation refusée : « {node} » n'a pas de moyenne autre qu'arithmétique, sa"
                f" composante « {name} » ayant {counted(int(negative.sum()), 'valeur')} sous zéro"
                f"{shown} ; borner la normalisation (clip), changer out, ou prendre"
                ' aggregate="arithmetic"'
            )
