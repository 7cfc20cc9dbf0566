"""What the rounding of counts leaves open: the limits of a ratio, of a sum."""

from __future__ import annotations

import itertools

import numpy as np

from barometre.base.arrays import Floats, weighed
from barometre.engine.sampling import Interval


def linear_bounds(
    counts: Floats, half: Floats | None, above: Floats, below: Floats | None
) -> Interval:
    """Return the limits of a ratio of linear forms when each count may be off by ``half``.

    A ratio of linear forms is monotone in each count: its extremes are at the corners of the box.

    Parameters
    ----------
    counts, half : array of shape (rows, counts)
        Counts as published, and by how much each may differ, nothing for None; no true count is
        negative.
    above, below : array of shape (counts,)
        Coefficients of the numerator and of the denominator; without the latter, a sum.
    """
    low, high = np.full(len(counts), np.inf), np.full(len(counts), -np.inf)
    widths = {} if half is None else {j: h for j, h in enumerate(half.T) if (h > 0).any()}
    for signs in itertools.product((-1.0, 1.0), repeat=len(widths)):
        corner = np.maximum(counts, 0)
        for (j, width), sign in zip(widths.items(), signs, strict=True):
            corner[:, j] = np.maximum(counts[:, j] + sign * width, 0)
        top = weighed(corner, above)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = top if below is None else top / weighed(corner, below)
        low, high = np.fmin(low, value), np.fmax(high, value)
    # A zero numerator over a zero denominator says nothing: fmin and fmax leave it out.
    unknown = np.logical_or.reduce([np.isnan(column) for column in counts.T])
    if below is not None:
        unknown |= weighed(counts, below) == 0
    return Interval(np.where(unknown, np.nan, low), np.where(unknown, np.nan, high))
