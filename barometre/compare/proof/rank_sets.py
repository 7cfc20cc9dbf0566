"""Ranks that no error of the values rules out: differences between territories, all at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from barometre.base.arrays import Floats, Integers
from barometre.engine.sampling import normal_quantile

_NODES = np.linspace(-8.0, 8.0, 321)  # of a normal law: trapezes, exact to 1e-4 on a step
_LAW = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()
_OWN = 40  # territories up to which each has its own critical value; a grid of errors beyond
_GRID, _BINS = 24, 96
_PAIRS = 3000  # territories up to which all pairs are compared one by one


def marginal_critical(error: Floats, level: float) -> Floats:
    """Critical value of the largest difference of each territory with the others.

    Parameters
    ----------
    error : ndarray of shape (p,)
        Standard errors of values that are normal and independent; 0 for exact ones.
    level : float
        Joint coverage of the p - 1 intervals of differences of a territory.

    Returns
    -------
    ndarray of shape (p,)
        Multiples of the standard errors of differences.

    Notes
    -----
    Given the error x of territory j, the differences are independent: the coverage is the mean over
    x of the product of Phi((x + c s_jk) / s_k) - Phi((x - c s_jk) / s_k). Beyond 40 territories it
    is computed for a grid of errors of j, those of the others being gathered in 96 classes.
    """
    p = len(error)
    if p <= _OWN:
        every = np.arange(p)
        return np.array(
            [_critical(error[j], error[every != j], np.ones(p - 1), level) for j in range(p)]
        )
    sizes = np.full(_BINS, p / _BINS)
    typical = np.quantile(error, (np.arange(_BINS) + 0.5) / _BINS)
    grid = np.unique(np.quantile(error, np.linspace(0, 1, _GRID)))
    values = np.array([_critical(own, typical, sizes, level) for own in grid])
    return np.asarray(np.interp(error, grid, values), float)


def _critical(own: float, others: Floats, many: Floats, level: float) -> float:
    from scipy.special import ndtr

    if not len(others):
        return 0.0
    gap = np.hypot(own, others)
    safe = np.where(others > 0, others, 1.0)[:, None]

    def coverage(c: float) -> float:
        edge = c * gap[:, None]
        x = own * _NODES[None, :]
        inside = np.where(
            others[:, None] > 0,
            ndtr((x + edge) / safe) - ndtr((x - edge) / safe),
            (np.abs(x) <= edge).astype(float),
        )
        with np.errstate(divide="ignore"):
            return float(_LAW @ np.exp(many @ np.log(inside)))

    return _solve(coverage, level)


def joint_critical(number: int, level: float) -> float:
    """Critical value of the largest of all differences: that of Tukey and Kramer.

    Parameters
    ----------
    number : int
        Territories.
    level : float
        Joint coverage.

    Returns
    -------
    float
        Exact for equal errors, conservative for others (Hayter, 1984).

    Examples
    --------
    >>> round(joint_critical(10, 0.95) * 2**0.5, 2)  # the table of the studentised range
    4.47
    """
    from scipy.special import ndtr

    def coverage(c: float) -> float:
        low, high = ndtr(_NODES), ndtr(_NODES + c * np.sqrt(2))
        return float(number * (_LAW @ (high - low) ** (number - 1)))

    return _solve(coverage, level) if number > 1 else 0.0


def _solve(coverage: Callable[[float], float], level: float) -> float:
    from scipy.optimize import brentq

    if coverage(0.0) >= level:  # exact values only
        return 0.0
    return float(brentq(lambda c: coverage(c) - level, 0.0, 12.0, xtol=1e-7))


def told_apart(
    score: Floats,
    below: Floats,
    above: Floats,
    noise: Floats,
    *,
    level: float,
    simultaneous: bool,
) -> tuple[Integers, Integers]:
    """Count the territories that are surely better than each, surely worse.

    Parameters
    ----------
    score : ndarray of shape (p,)
        Values that grow with how favourable they are.
    below, above : ndarray of shape (p,)
        Distance to the bounds of level ``level``, on the unfavourable and favourable sides.
    noise : ndarray of shape (p,)
        Difference that is rounding.
    level : float
        Level of the bounds, and of the sets of ranks.
    simultaneous : bool
        Whether the sets of all territories hold together, or that of each by itself.

    Returns
    -------
    tuple of ndarray
        Numbers of the better ones and of the worse ones.

    Notes
    -----
    Mogstad, Romano, Shaikh and Wilhelm (2024), two-sided sets from simultaneous intervals of
    differences, in one step. The bounds of a difference are those of its two sides, squared and
    added (Newcombe, 1998), for bounds that are not symmetric.
    """
    z = normal_quantile(level)
    error = (below + above) / (2 * z)
    if simultaneous:
        critical = np.full(len(score), joint_critical(len(score), level))
    else:
        critical = marginal_critical(error, level)
    ratio = critical / z
    better = _beyond(score, below, score, above, ratio, noise)
    worse = _beyond(-score, above, -score, below, ratio, noise)
    return better, worse


def _beyond(
    others: Floats, their_side: Floats, mine: Floats, my_side: Floats, ratio: Floats, noise: Floats
) -> Integers:
    """Count the others that are above each by more than the bound of the difference."""
    if len(mine) <= _PAIRS:
        reach = ratio[:, None] * np.hypot(my_side[:, None], their_side[None, :])
        reach = np.maximum(reach, np.maximum(noise[:, None], noise[None, :]))
        return np.asarray((others[None, :] - mine[:, None] > reach).sum(axis=1))
    # Sides gathered in classes, each taken at its largest: sets are a little wider, never narrower.
    found = np.zeros(len(mine), np.int64)
    order = np.argsort(their_side, kind="stable")
    for some in np.array_split(order, 4 * _BINS):
        sorted_values = np.sort(others[some])
        reach = np.maximum(ratio * np.hypot(my_side, their_side[some].max()), noise)
        reach = np.maximum(reach, noise[some].max())
        found += len(some) - np.searchsorted(sorted_values, mine + reach, side="right")
    return found
