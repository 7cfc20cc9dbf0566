"""The arrays that the numeric code takes and gives, named once."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
RowNumbers: TypeAlias = NDArray[np.intp]
"""Row numbers, as numpy's own functions give and take them."""
Booleans: TypeAlias = NDArray[np.bool_]


def summed(terms: NDArray[Any], groups: RowNumbers, number: int) -> Floats:
    """Add up terms by group, at once where each group has its single term, in order.

    Parameters
    ----------
    terms : array
        Numbers or booleans.
    groups : array of int
        Group of each term, from 0.
    number : int
        How many groups there are; one without term sums to 0.

    Returns
    -------
    array of float, one per group

    Examples
    --------
    >>> summed(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 2]), 3)
    array([1., 0., 6.])
    """
    if len(groups) == number and bool((groups == np.arange(number)).all()):
        return terms.astype(np.float64)
    return np.bincount(groups, terms, minlength=number).astype(np.float64)
