"""The Mann-Kendall test, exact whatever the ties, and the slope of Theil and Sen."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from barometre.base.arrays import Floats


class RankTrend(NamedTuple):
    """Kendall's S, its exact two-sided p-value, the median slope."""

    statistic: float
    p: float
    slope: float


def mann_kendall(times: Floats, values: Floats) -> RankTrend:
    """Test whether values go up or down with time, all orders being as likely without a trend.

    Parameters
    ----------
    times : array of float
        Increasing, no two equal.
    values : array of float
        One per time.

    Returns
    -------
    RankTrend
        ``statistic`` is the number of pairs that rise less that of those that fall; ``p`` is the
        share of the orders of these values whose statistic is at least as large, either way.

    Notes
    -----
    Mann (1945), Kendall (1975). The inversions of a multiset have the law whose generating function
    is the q-multinomial coefficient (MacMahon), so that ties need no approximation.

    Examples
    --------
    >>> mann_kendall(np.arange(4.0), np.array([1.0, 2.0, 3.0, 4.0]))
    RankTrend(statistic=6.0, p=0.08333333333333333, slope=1.0)
    """
    found = mann_kendalls(times[None], values[None])
    return RankTrend(*(float(column[0]) for column in found))


def mann_kendalls(times: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Apply `mann_kendall` to many series of as many values.

    Parameters
    ----------
    times, values : array of shape (series, values)
        As `mann_kendall` takes them.

    Returns
    -------
    tuple of three arrays
        Statistics, p-values and slopes, one per series.
    """
    i, j = np.triu_indices(values.shape[1], k=1)
    steps = values[:, j] - values[:, i]
    statistic = np.sign(steps).sum(axis=1)
    slope = np.full(len(values), np.nan)
    if len(i):
        slope = np.median(steps / (times[:, j] - times[:, i]), axis=1)
    p = np.full(len(values), np.nan)
    tied = np.diff(np.sort(values, axis=1), axis=1) == 0
    patterns, which = np.unique(tied, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        ends = np.append(np.flatnonzero(~pattern), len(pattern))
        sizes = np.diff(ends, prepend=-1)
        law = _inversions(tuple(sorted(sizes.tolist())))
        scores = np.abs(len(law) - 1 - 2 * np.arange(len(law)))
        mine = np.flatnonzero(which.ravel() == number)
        sizes, place = np.unique(np.abs(statistic[mine]), return_inverse=True)
        shares = [law[scores >= size].sum() / law.sum() for size in sizes]
        p[mine] = np.minimum(shares, 1.0)[place]
    return statistic, p, slope


@functools.cache
def _inversions(ties: tuple[int, ...]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Count the orders of a multiset by their inversions, from its numbers of equal values."""
    law, placed = np.ones(1), 0
    for size in ties:
        # One block after the other: the q-binomial of its places among those already taken.
        placed += size
        law = np.convolve(law, _binomial(placed, size))
    return law


@functools.cache
def _binomial(n: int, k: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the coefficients of the q-binomial: subsets of ``k`` of ``n`` by their inversions."""
    if k in (0, n):
        return np.ones(1)
    left, right = _binomial(n - 1, k - 1), _binomial(n - 1, k)
    total = np.zeros(k * (n - k) + 1)
    total[: len(left)] += left
    total[k : k + len(right)] += right
    return total
