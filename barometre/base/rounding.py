"""Rounding as French producers print it."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats

Numbers = TypeVar("Numbers", float, "pd.Series[float]", "np.ndarray[Any, Any]")

# A tie such as 2.675 is stored as 2.67499999999999982: what is within this relative distance of a
# tie is one, since no statistic here carries twelve significant digits.
_TIE = 1e-12


def round_half_up(values: Numbers, decimals: int = 0) -> Numbers:
    """Round half away from zero, as printed tables do.

    Python's ``round`` and numpy's go to the even neighbour (46.5 gives 46) where the producers
    print 47; binary storage would also lose decimal ties (2.675). An evolution or a gap is computed
    first and rounded last.

    Parameters
    ----------
    values : float, Series or ndarray
        Values to round, any shape.
    decimals : int, default 0
        Decimals to keep; negative rounds to tens, hundreds.

    Returns
    -------
    float, Series or ndarray
        Same type and shape; missing and infinite values are kept.

    Examples
    --------
    >>> round_half_up(46.5)
    47.0
    >>> round_half_up(-2.85, 1)
    -2.9
    """
    scale = 10.0 ** abs(decimals)
    array = np.asarray(values, dtype=float)
    scaled = np.abs(array) * scale if decimals >= 0 else np.abs(array) / scale
    up = np.floor(scaled + 0.5 + scaled * _TIE)
    # Past 2**52 every float is an integer: there is nothing to round, and adding would disturb it.
    up = np.where(scaled < 2.0**52, up, scaled)
    size = up / scale if decimals >= 0 else up * scale
    rounded: Floats = np.copysign(size, array)
    if isinstance(values, pd.Series):
        return pd.Series(rounded, index=values.index, name=values.name)
    if isinstance(values, np.ndarray):
        return rounded
    return float(rounded)
