"""Ranks that do not tell apart what only rounding separates."""

from __future__ import annotations

import numpy as np

from barometre.base.arrays import Floats

# No score carries twelve significant digits: 5.1000000000000005 is not above 5.1.
TOLERANCE = 1e-12
# Around zero a sum keeps the rounding of its terms: a few last digits of the largest value.
ROUNDING = 8 * np.finfo(np.float64).eps


def tied_ranks(values: Floats, *, tolerance: float = TOLERANCE, ascending: bool = False) -> Floats:
    """Rank along the last axis, 1 = best (largest), ties taking the smallest rank.

    Parameters
    ----------
    values : array of float, shape (..., units)
        Scores; leading axes are replications.
    tolerance : float, default 1e-12
        Neighbours are tied when they differ by at most this share of the larger one (or by the
        rounding of the largest value ranked). 0 compares the numbers as stored.
    ascending : bool, default False
        Rank 1 for the smallest.

    Returns
    -------
    array of float, shape (..., units)
        Ranks, NaN where the value is.

    Examples
    --------
    >>> tied_ranks(np.array([5.1, 7.0, 5.1000000000000005, np.nan]))
    array([ 2.,  1.,  2., nan])
    """
    signed = values if ascending else -values
    order = np.argsort(signed, axis=-1)  # missing values last
    ordered = np.take_along_axis(signed, order, axis=-1)
    gaps = np.diff(ordered, axis=-1)
    ends = np.abs(values)
    largest = np.fmax.reduce(ends, axis=-1, keepdims=True, initial=0.0)
    rounding = min(tolerance, ROUNDING) * largest
    places = np.arange(1.0, values.shape[-1] + 1)
    if (gaps <= tolerance * largest + rounding).any():  # the few columns where ties are possible
        size = np.abs(ordered)
        above = gaps > tolerance * np.maximum(size[..., 1:], size[..., :-1]) + rounding
        places = np.broadcast_to(places, values.shape).copy()
        places[..., 1:] *= above
        places = np.maximum.accumulate(places, axis=-1)
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, places, axis=-1)
    ranks[np.isnan(values)] = np.nan
    return ranks
