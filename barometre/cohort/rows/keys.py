"""Number people and waves: positions, fast where the keys are whole numbers close to each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Integers

_SPREAD = 4  # a table of flags up to this many times the rows is faster than hashing


def positions(column: pd.Series[Any], *, sort: bool = False) -> tuple[Integers, pd.Index]:
    """Return the position of each value among the distinct ones, -1 when missing.

    Parameters
    ----------
    column : Series
        Keys.
    sort : bool, default False
        Put the distinct values in order; else in order of appearance, or in order anyway when that
        is faster.

    Returns
    -------
    tuple of ndarray and Index
        Positions and distinct values. Categories without row are left out.

    Examples
    --------
    >>> positions(pd.Series([2026, 2024, 2026]))[0].tolist()
    [1, 0, 1]
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = column.cat.remove_unused_categories()
        labels = used.cat.categories
        kept = pd.CategoricalIndex(labels, categories=labels, ordered=used.cat.ordered)
        return np.asarray(used.cat.codes, np.int64), kept
    values = column.to_numpy() if isinstance(column.dtype, np.dtype) else None
    if values is not None and values.dtype.kind in "iu" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low <= _SPREAD * len(values) and high < 2**63:
            shifted = values.astype(np.int64, copy=False) - low
            seen = np.zeros(high - low + 1, np.bool_)
            seen[shifted] = True
            labels = pd.Index(np.flatnonzero(seen) + low)
            if len(labels) == len(seen):
                return shifted, labels
            return (np.cumsum(seen) - 1)[shifted], labels
    codes, found = pd.factorize(column, sort=sort)
    return np.asarray(codes, np.int64), pd.Index(found)


def repeated(
    person: Integers, wave: npt.NDArray[np.integer[Any]], n_people: int, n_waves: int
) -> Booleans | None:
    """Return the rows whose person and wave are given twice, None when there is none."""
    size = n_people * n_waves
    keys = person * n_waves + wave
    if size <= 2 * _SPREAD * len(person):
        seen = np.zeros(size, np.bool_)
        seen[keys] = True
        if np.count_nonzero(seen) == len(person):
            return None
    twice: Booleans = pd.Series(keys).duplicated(keep=False).to_numpy()
    return twice if twice.any() else None


def is_number(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds numbers, booleans apart."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def has_order(column: pd.Series[Any]) -> bool:
    """Tell whether waves of this type have an order: numbers, dates, periods, ordered labels."""
    dtype = column.dtype
    ordered = isinstance(dtype, pd.CategoricalDtype) and bool(dtype.ordered)
    dated = isinstance(dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(dtype)
    return ordered or dated or is_number(column)
