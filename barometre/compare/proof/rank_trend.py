"""The Mann-Kendall test, exact whatever the ties, and the slope of Theil and Sen."""

from __future__ import annotations

import functools
from collections import Counter
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
    i, j = np.triu_indices(len(values), k=1)
    steps = values[j] - values[i]
    statistic = float(np.sign(steps).sum())
    slope = float(np.median(steps / (times[j] - times[i]))) if len(steps) else np.nan
    ties = tuple(sorted(Counter(values.tolist()).values()))
    law = _inversions(ties)
    pairs = len(law) - 1
    scores = np.abs(pairs - 2 * np.arange(len(law)))
    p = float(law[scores >= abs(statistic)].sum() / law.sum())
    return RankTrend(statistic, min(p, 1.0), slope)


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
