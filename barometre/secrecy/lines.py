"""Lines: counts whose sum is known. Which to hide, so that no small one can be found again.

A line is halved, in the order of its rows and zeros apart: its two halves, their halves, and so
on. A part is divided only if both halves may be told: a single count from the threshold on, the
sum of h counts from threshold + h - 1 on. A row that ends up alone is published; a part that
cannot be divided is hidden whole. Where the cuts fall depends on nothing that is hidden.

Why nothing is given back, even to someone who knows the rule, the threshold, the total and the sum
D of each hidden part. In a hidden part of h rows, let any row be any v from 1 to threshold - 1, the
other rows of its half 1 (this half has h' rows), and the other half the rest. The first half is at
most threshold + h' - 2: it may not be told, so that the part is hidden too; and D, threshold +
h - 1 or more, leaves enough for every row of the other half. What is published is the same. A line
that may not be told whole is hidden with its total, and with its zeros; v with 1 everywhere else
is such a line again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from barometre.base.arrays import Booleans, Floats, RowNumbers

PUBLISHED, SECRET = "publie", "secret"
"""The two statuses of what is published: nothing tells a small count from one that protects it."""


@dataclass(frozen=True)
class HiddenRows:
    """What is hidden of some lines.

    ``rows`` flags the counts to hide, ``totals`` the lines whose total must be withheld: all their
    rows are hidden then, zeros included.
    """

    rows: Booleans
    totals: Booleans

    @property
    def status(self) -> NDArray[np.object_]:
        return np.where(self.rows, SECRET, PUBLISHED).astype(object)


def is_small(counts: Floats, threshold: float) -> Booleans:
    """Flag the counts above 0 and under the threshold."""
    small: Booleans = (counts > 0) & (counts < threshold)
    return small


def least_told(rows: int, threshold: float) -> float:
    """Return the least sum of some counts that may be told."""
    return threshold if rows == 1 else threshold + rows - 1


def hide_in_lines(counts: Floats, line: RowNumbers, *, threshold: float) -> HiddenRows:
    """Hide the small counts of lines whose totals are known, and the rows that protect them.

    Parameters
    ----------
    counts : array of float, shape (n,)
        Numbers of people, 0 or more; NaN counts nobody and is hidden.
    line : array of int, shape (n,)
        Line of each count, from 0.
    threshold : float
        First count that may be published; zeros are published too.

    Returns
    -------
    HiddenRows
        ``rows`` of shape (n,), ``totals`` of shape (number of lines,).
    """
    number = int(line.max(initial=-1)) + 1
    hidden, withheld = np.isnan(counts), np.zeros(number, dtype=np.bool_)
    concerned = np.unique(line[is_small(counts, threshold)])
    order = np.argsort(line, kind="stable")
    starts = np.searchsorted(line[order], np.arange(number + 1))
    for one in concerned:
        rows = order[starts[one] : starts[one + 1]]
        inhabited = rows[counts[rows] > 0]
        parts = list(_hidden_parts(counts[inhabited], threshold))
        for start, stop in parts:
            hidden[inhabited[start:stop]] = True
        if float(counts[inhabited].sum()) < least_told(len(inhabited), threshold):
            withheld[one] = True
            hidden[rows] = True
    return HiddenRows(hidden, withheld)


def _hidden_parts(counts: Floats, threshold: float) -> Iterator[tuple[int, int]]:
    """Yield the parts of a line of counts above 0 that are hidden, as slices."""
    sums = np.concatenate([[0.0], np.cumsum(counts)])

    def told(start: int, stop: int) -> bool:
        return bool(sums[stop] - sums[start] >= least_told(stop - start, threshold))

    pending = [(0, len(counts))]
    while pending:
        start, stop = pending.pop()
        middle = start + (stop - start) // 2
        if stop - start == 1:
            if not told(start, stop):
                yield start, stop
        elif told(start, middle) and told(middle, stop):
            pending += [(start, middle), (middle, stop)]
        else:
            yield start, stop


# ---- counts that run through time ---------------------------------------------------------------


def kept_steps(flows: Floats, told: Booleans, *, threshold: float) -> Booleans:
    """Choose the dates of a follow-up at which running counts can be published.

    The follow-up is halved as a line is: a date is published if each of its flows, since the date
    published before and until the next one, is 0 or reaches the threshold. Between two dates,
    nothing is known but the sum of the flows: with v at one date of a half and the rest in the
    other half, the same dates would have been published.

    Parameters
    ----------
    flows : array of float, shape (steps, k)
        People of each kind (who enter, who leave...) between a date and the next one.
    told : array of bool, shape (steps + 1,)
        Whether the counts of a date can be published by themselves.
    threshold : float
        First number of people that may be published.

    Returns
    -------
    array of bool, shape (steps + 1,)
        The dates published: the first and the last one at least, or the first one alone if the
        whole may not be told, or none.
    """
    sums = np.vstack([np.zeros(flows.shape[1]), np.cumsum(flows, axis=0)])
    kept = np.zeros(len(told), dtype=np.bool_)
    if not len(told) or not told[0]:
        return kept

    def large(start: int, stop: int) -> bool:
        return not is_small(np.rint(sums[stop] - sums[start]), threshold).any()

    last = len(told) - 1
    kept[0] = True
    if not told[last] or not large(0, last):
        return kept
    kept[last] = True
    pending = [(0, last)]
    while pending:
        start, stop = pending.pop()
        middle = start + (stop - start) // 2
        if start < middle and told[middle] and large(start, middle) and large(middle, stop):
            kept[middle] = True
            pending += [(start, middle), (middle, stop)]
    return kept


def coarse(value: float, people: float) -> float:
    """Round a mean, or a difference of means, that would tell its number of people in full.

    Kept are three significant digits at most, and nothing under the weight of one person of
    ``people`` (the fewest that the mean can rest on): a rate of any number of people, or a mean of
    whole numbers, then comes as near.
    """
    if not math.isfinite(value) or value == 0:
        return value
    place = math.floor(math.log10(1 / people))
    one = next(k * 10.0**place for k in (1, 2, 5, 10) if k * 10.0**place >= 1 / people)
    step = max(one, 10.0 ** (math.floor(math.log10(abs(value))) - 2))
    return round(round(value / step) * step, 12)
