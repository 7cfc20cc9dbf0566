"""What the ranks of many replications say: intervals, who is above whom, who cannot be told apart.

Ranks are kept as whole numbers, one row a unit and one column a replication; 0 where the unit has
no score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from barometre.base.arrays import Floats, Integers, RowNumbers
from barometre.composite.tree.ties import tied_ranks

Ranks = NDArray[np.unsignedinteger]

_CELLS = 2**20  # numbers held at once
_WINDOW = 64  # units compared at once with the head of a group
_GUARD = 1e-9  # 0.05 * 1000 = 50.00000000000001 is the 50th


def ranks_of(scores: Floats) -> Ranks:
    """Rank the scores of each replication.

    Parameters
    ----------
    scores : array, shape (replications, units)
        Scores, NaN where there is none.

    Returns
    -------
    array of unsigned int, same shape
        1 = best, ties taking the smallest rank; 0 where there is no score.
    """
    dtype = np.min_scalar_type(max(scores.shape[-1], 1))
    ranked: Ranks = np.nan_to_num(tied_ranks(scores), copy=False).astype(dtype)
    return ranked


def intervals_of(ranks: Ranks, level: float) -> tuple[Floats, Floats, Floats]:
    """Give the median rank of each unit, and the interval that leaves as much on each side.

    Parameters
    ----------
    ranks : array, shape (units, replications)
        Ranks.
    level : float
        Share of the replications within the interval.

    Returns
    -------
    tuple of array, shape (units,)
        Median, lower and upper bound: ranks that occur (inverse of the distribution function), the
        median being halfway between the middle two. NaN for a unit never ranked.
    """
    ordered = np.sort(ranks, axis=1)
    number = ranks.shape[1]
    known = (ranks > 0).sum(axis=1)
    start, row = number - known, np.arange(len(ranks))

    def at(place: RowNumbers) -> Floats:
        values = ordered[row, np.minimum(start + np.maximum(place, 0), number - 1)]
        return np.where(known > 0, values, np.nan)

    def quantile(share: float) -> Floats:
        return at(np.ceil(share * known - _GUARD).astype(np.intp) - 1)

    tail = (1 - level) / 2
    median = (at((known - 1) // 2) + at(known // 2)) / 2
    return median, quantile(tail), quantile(1 - tail)


def above(one: Ranks, others: Ranks) -> Floats:
    """Give the probability that a unit is above others, ties counting half.

    Parameters
    ----------
    one : array, shape (replications,)
        Ranks of the unit.
    others : array, shape (units, replications)
        Ranks of the others.

    Returns
    -------
    array, shape (units,)
        Share of the replications where both are ranked; NaN where none is.
    """
    wins = np.count_nonzero(one < others, axis=1)
    ties = np.count_nonzero((one == others) & (one > 0), axis=1)
    both = np.full(len(others), one.size)
    if not (one.all() and others.all()):
        present = (one > 0) & (others > 0)
        wins, both = np.count_nonzero((one < others) & present, axis=1), present.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((wins + ties / 2) / both)


def pairs_above(ranks: Ranks) -> Floats:
    """Give the probability that each unit is above each other; 1/2 against itself."""
    units = len(ranks)
    result = np.full((units, units), 0.5)
    for i in range(units - 1):
        row = above(ranks[i], ranks[i + 1 :])
        result[i, i + 1 :], result[i + 1 :, i] = row, 1 - row
    return result


def groups_of(ranks: Ranks, nominal: Floats, level: float) -> Integers:
    """Cut the nominal ranking where units can be told apart from the head of their group.

    Parameters
    ----------
    ranks : array, shape (units, replications)
        Ranks.
    nominal : array, shape (units,)
        Nominal ranks, NaN where there is none.
    level : float
        Units are told apart when one is above the other in more than (1 + level) / 2 of the
        replications.

    Returns
    -------
    array of int, shape (units,)
        Number of the group, from the best; 0 without a nominal rank.
    """
    order = np.argsort(nominal, kind="stable")
    order = order[: int((~np.isnan(nominal)).sum())]
    groups = np.zeros(len(nominal), dtype=np.int64)
    most = (1 + level) / 2 + _GUARD
    head = number = 0
    while head < len(order):
        number += 1
        groups[order[head]] = number
        after = head + 1
        while after < len(order):
            window = order[after : after + _WINDOW]
            chances = above(ranks[order[head]], ranks[window])
            apart = np.flatnonzero(~(np.maximum(chances, 1 - chances) <= most))
            reached = len(window) if not len(apart) else int(apart[0])
            groups[window[:reached]] = number
            after += reached
            if len(apart):
                break
        head = after
    return groups


def mean_shift(ranks: Ranks, nominal: Floats) -> Floats:
    """Give the mean absolute gap to nominal ranks, along the last axis.

    Parameters
    ----------
    ranks : array, shape (rows, columns)
        Ranks, 0 where there is none.
    nominal : array that broadcasts to it
        Nominal ranks, NaN where there is none.

    Returns
    -------
    array, shape (rows,)
        NaN where nothing has both.
    """
    result = np.full(len(ranks), np.nan)
    nominal = np.broadcast_to(nominal, ranks.shape)
    size = max(1, _CELLS // max(1, ranks.shape[1]))
    for start in range(0, len(ranks), size):
        rows = slice(start, start + size)
        some, there = ranks[rows], nominal[rows]
        both = (some > 0) & ~np.isnan(there)
        gaps = np.where(both, np.abs(some - there), 0.0).sum(axis=1)
        np.divide(gaps, both.sum(axis=1), out=result[rows], where=both.any(axis=1))
    return result
