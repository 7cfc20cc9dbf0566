"""Arguments: numbers given in any form turned into float arrays, closed choices; or refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeAlias, TypeGuard, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.french import Lang, format_number

Numbers: TypeAlias = "float | Sequence[float] | npt.NDArray[Any] | pd.Series[Any]"


def is_number(value: object) -> TypeGuard[float]:
    """Tell a finite number, which no boolean is."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        return False
    return math.isfinite(float(value))


def as_numbers(
    *, at_least: float | None = None, above: float | None = None, **given: Numbers
) -> list[Floats]:
    """Turn arguments into float arrays of one shape; refuse what is no finite number within limits.

    Parameters
    ----------
    at_least, above : float, optional
        Limit of every number, itself admitted or not.
    **given
        Numbers, lists, arrays or Series; missing ones are NaN.

    Returns
    -------
    list of array
        In the order given, broadcast together.

    Raises
    ------
    BarometreError
        Text, infinite or out of limits; lengths or indexes that differ.
    """
    columns = {name: _as_array(name, value) for name, value in given.items()}
    for name, column in columns.items():
        low = at_least if above is None else above
        wrong = np.isinf(column)
        if low is not None:
            wrong |= column < low if above is None else column <= low
        if wrong.any():
            limit = "" if low is None else f" {'≥' if above is None else '>'} {format_number(low)}"
            raise BarometreError(
                f"{name} refusé : {format_number(column[wrong].flat[0])} ; donner des nombres"
                f" finis{limit}"
            )
    indexes = [value.index for value in given.values() if isinstance(value, pd.Series)]
    shapes = {column.shape for column in columns.values() if column.ndim}
    if any(not index.equals(indexes[0]) for index in indexes) or len(shapes) > 1:
        raise BarometreError(
            f"{', '.join(given)} : longueurs ou index différents ; les aligner d'abord"
        )
    return [np.array(column) for column in np.broadcast_arrays(*columns.values())]


def _as_array(name: str, value: Numbers) -> Floats:
    given = pd.Series(np.ravel(value)) if np.ndim(value) != 1 else pd.Series(value)
    if not pd.api.types.is_numeric_dtype(given.dtype):
        given = given.convert_dtypes()
    numeric = pd.api.types.is_numeric_dtype(given.dtype) or given.isna().all()
    if not numeric or pd.api.types.is_complex_dtype(given.dtype):
        raise BarometreError(f"{name} refusé : des nombres sont attendus, pas {given.dtype}")
    return given.to_numpy(dtype=np.float64, na_value=np.nan).reshape(np.shape(value))


def as_shares(**given: Numbers) -> list[Floats]:
    """Turn arguments into float arrays, as `as_numbers`, and refuse what is no share (0 to 1)."""
    arrays = as_numbers(at_least=0, above=None, **given)
    for name, array in zip(given, arrays, strict=True):
        if (array > 1).any():
            raise BarometreError(
                f"{name} refusé : {format_number(array[array > 1].flat[0])} ; une part est entre 0"
                " et 1"
            )
    return arrays


def as_lang(name: str) -> Lang:
    """Return a language by its name.

    Raises
    ------
    UnknownNameError
        Neither ``fr`` nor ``en``.
    """
    if name == "fr":
        return "fr"
    if name == "en":
        return "en"
    raise UnknownNameError("langue", str(name), get_args(Lang))
