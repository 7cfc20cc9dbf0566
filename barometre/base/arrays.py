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

_DENSE = 1 << 22  # numbers up to which a table of all of them is quicker than sorting those there


def weighed(rows: Floats, weights: Floats) -> Floats:
    """Add up the columns of each row by their weights, one after the other.

    A product of matrices adds up in an order that depends on the place of the row among others:
    the last bit of a territory would be that of its neighbours.

    Parameters
    ----------
    rows : array of shape (rows, columns)
        Numbers; a missing one makes the sum missing, whatever its weight.
    weights : array of shape (columns,)
        One per column.

    Returns
    -------
    array of float, one per row

    Examples
    --------
    >>> weighed(np.array([[1.0, 2.0], [3.0, np.nan]]), np.array([1.0, 0.0]))
    array([ 1., nan])
    """
    total = np.zeros(len(rows))
    for column, weight in zip(rows.T, weights, strict=True):
        total += column if weight == 1 else weight * column
    return total


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


def distinct_numbers(numbers: Integers, beyond: int) -> tuple[Integers, Integers]:
    """List the different numbers, and the place of each of those given among them.

    Parameters
    ----------
    numbers : array of int
        Numbers, 0 or more.
    beyond : int
        A limit that all of them are under.

    Returns
    -------
    tuple of arrays of int
        The different numbers, sorted; the place of each number in them.

    Examples
    --------
    >>> distinct_numbers(np.array([7, 2, 7]), 10)
    (array([2, 7]), array([1, 0, 1]))
    """
    if beyond > max(_DENSE, 4 * len(numbers)):
        present, place = np.unique(numbers, return_inverse=True)
        return present, place.ravel()
    there = np.zeros(beyond, dtype=bool)
    there[numbers] = True
    present = np.flatnonzero(there)
    order = np.zeros(beyond, dtype=np.int64)
    order[present] = np.arange(len(present))
    return present, order[numbers]
