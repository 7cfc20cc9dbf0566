"""What the rounding of counts leaves open: the limits of a ratio, of a sum."""

from __future__ import annotations

import itertools

import numpy as np

from barometre.base.arguments import Numbers, as_numbers
from barometre.base.arrays import Floats
from barometre.engine.sampling import Interval


def rounding_bounds(
    numerator: Numbers, denominator: Numbers, *, step: float = 5, part: bool = True
) -> Interval:
    """Return the limits of a ratio whose two counts were rounded to a multiple of ``step``.

    Parameters
    ----------
    numerator, denominator : array-like
        Rounded counts.
    step : float, default 5
        What they are multiples of: each may be off by half of it.
    part : bool, default True
        The numerator is part of the denominator: the ratio is at most 1.

    Returns
    -------
    Interval
        At least 0. Missing where a count is or where the denominator is 0. Without ``part``, the
        upper limit is infinite when the denominator may be 0.

    Raises
    ------
    BarometreError
        A negative count, a step that is not positive.

    Examples
    --------
    >>> low, high = rounding_bounds(20, 100)
    >>> print(f"{low:.4f} - {high:.4f}")
    0.1707 - 0.2308
    """
    half = as_numbers(step=step, above=0)[0] / 2
    above, below = as_numbers(numerator=numerator, denominator=denominator, at_least=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.maximum(above - half, 0) / (below + half)
        high = (above + half) / np.maximum(below - half, 0)
    low, high = (np.where(below == 0, np.nan, limit) for limit in (low, high))
    if part:
        low, high = np.minimum(low, 1), np.minimum(high, 1)
    return Interval(low[()], high[()])


def linear_bounds(counts: Floats, half: Floats, above: Floats, below: Floats | None) -> Interval:
    """Return the limits of a ratio of linear forms when each count may be off by ``half``.

    A ratio of linear forms is monotone in each count: its extremes are at the corners of the box.

    Parameters
    ----------
    counts, half : array of shape (rows, counts)
        Counts as published, and by how much each may differ; no true count is negative.
    above, below : array of shape (counts,)
        Coefficients of the numerator and of the denominator; without the latter, a sum.
    """
    low, high = np.full(len(counts), np.inf), np.full(len(counts), -np.inf)
    moving = [j for j in range(counts.shape[1]) if (half[:, j] > 0).any()]
    for signs in itertools.product((-1.0, 1.0), repeat=len(moving)):
        corner = counts.copy()
        corner[:, moving] += half[:, moving] * np.array(signs)
        corner = np.maximum(corner, 0)
        top = corner @ above
        with np.errstate(divide="ignore", invalid="ignore"):
            value = top if below is None else top / (corner @ below)
        low, high = np.fmin(low, value), np.fmax(high, value)
    # A zero numerator over a zero denominator says nothing: fmin and fmax leave it out.
    unknown = np.isnan(counts).any(axis=1)
    if below is not None:
        unknown |= counts @ below == 0
    return Interval(np.where(unknown, np.nan, low), np.where(unknown, np.nan, high))
