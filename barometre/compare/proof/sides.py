"""Which side of a reference is favourable, and the bounds of a difference."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from barometre.base.arrays import Booleans, Floats
from barometre.base.texts import Numbered
from barometre.cards.schema import Card, Direction
from barometre.compare.rows import NOISE, SAME, favour_of
from barometre.engine.sampling import newcombe

Appreciation = Literal["defavorable", "egal", "favorable", "neutre"]
APPRECIATIONS: tuple[Appreciation, ...] = get_args(Appreciation)


def favour(values: Floats, sens: Direction | npt.NDArray[np.str_]) -> Floats:
    """Turn values into a number that grows with how favourable they are.

    Parameters
    ----------
    values : ndarray of float
        Values of indicators.
    sens : str or ndarray of str
        Direction of the card, of all values or of each.

    Returns
    -------
    ndarray of float
        The value, its opposite, or minus its distance to 0 or 50; missing for a neutral indicator.
    """
    if isinstance(sens, str):
        return favour_of([sens], values, np.zeros(values.shape, dtype=np.int64))
    ways, which = np.unique(np.asarray(sens, dtype="str"), return_inverse=True)
    return favour_of(ways.tolist(), values, np.broadcast_to(which.ravel(), values.shape))


def favourable_gap(values: Floats, reference: float, card: Card) -> Floats:
    """Return how much better than the reference each value is, by the direction of the card.

    Parameters
    ----------
    values : ndarray of float
        Values of one indicator.
    reference : float
        Value to compare with.
    card : Card
        The indicator.

    Returns
    -------
    ndarray of float
        Positive when favourable, in the unit of the indicator; missing for a neutral indicator.
    """
    return favour(values, card.sens) - favour(np.array([reference]), card.sens)


def difference_bounds(
    first: tuple[Floats, Floats, Floats],
    second: tuple[Floats, Floats, Floats],
    certain: Booleans,
) -> tuple[Floats, Floats]:
    """Return the bounds of differences between values that have bounds.

    Parameters
    ----------
    first, second : tuple of three ndarrays
        Values, lower and upper bounds; the first minus the second is taken.
    certain : ndarray of bool
        The bounds are those of a rounding, which cannot be left, and not of a sampling.

    Returns
    -------
    tuple of two ndarrays
        Missing where one of the two values has no bounds.

    Notes
    -----
    Of independent samples, square-and-add (`newcombe`; Zou and Donner, 2008, extend it to any pair
    of estimates). Of roundings, ``low1 - high2`` and ``high1 - low2``.
    """
    low, high = np.full(len(certain), np.nan), np.full(len(certain), np.nan)
    at = np.flatnonzero(~np.isnan(first[1] + first[2] + second[1] + second[2]))
    if not len(at):
        return low, high
    (v1, l1, u1), (v2, l2, u2) = (
        (value[at], np.minimum(below[at], value[at]), np.maximum(above[at], value[at]))
        for value, below, above in (first, second)
    )
    sampled = newcombe(l1, u1, v1, l2, u2, v2)
    low[at] = np.where(certain[at], l1 - u2, sampled.low)
    high[at] = np.where(certain[at], u1 - l2, sampled.high)
    none = np.isnan(low) | np.isnan(high)
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def judged(favoured: Floats, first: Floats, second: Floats) -> Numbered:
    """Return the positions in `APPRECIATIONS` of differences of two values, -1 where not known."""
    size = SAME * np.maximum(np.abs(first), np.abs(second)) + NOISE
    side = np.where(favoured > 0, np.int8(2), np.int8(0))
    side[np.abs(favoured) <= size] = 1
    side[np.isnan(favoured)] = 3
    side[np.isnan(size)] = -1
    return side
