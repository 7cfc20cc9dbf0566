"""The indicators of a frame as numbers, every fault of every column told at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

from barometre.base.errors import Fault, FaultsError
from barometre.base.frames import check_frame


def indicators(frame: pd.DataFrame, title: str, aside: Iterable[Hashable] = ()) -> pd.DataFrame:
    """Return the indicators of a frame as floats, NaN where missing.

    Parameters
    ----------
    frame : DataFrame, units x indicators
        As a user gives it.
    title : str
        What is refused: ``"traitement refusé"``.
    aside : iterable of label, optional
        Columns that must be there and are no indicator.

    Returns
    -------
    DataFrame of float
        A copy, without the columns set aside.

    Raises
    ------
    FaultsError
        No frame, a column twice or absent, or that holds something else than finite numbers.

    Examples
    --------
    >>> indicators(pd.DataFrame({"nom": ["Denain"], "taux": [1]}), "table refusée")
    Traceback (most recent call last):
    barometre.base.errors.FaultsError: table refusée : 1 défaut
      - nom : pas de nombres ; l'ôter, la mettre en index, ou la convertir
    """
    aside = list(aside)
    check_frame(frame, title, aside)
    faults: list[Fault] = []
    columns: dict[Hashable, pd.Series[float]] = {}
    for name in frame.columns.drop(aside):
        column = frame[name].convert_dtypes() if frame[name].dtype == object else frame[name]
        kind = pd.api.types
        number = kind.is_numeric_dtype(column.dtype) and not kind.is_bool_dtype(column.dtype)
        if not (number or column.isna().all()) or kind.is_complex_dtype(column.dtype):
            remedy = "l'ôter, la mettre en index, ou la convertir"
            faults.append(Fault(str(name), "pas de nombres", remedy))
            continue
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(values).any():
            faults.append(Fault(str(name), "valeur infinie", "la corriger ou la vider"))
        columns[name] = pd.Series(values, index=frame.index)
    if faults:
        raise FaultsError(title, faults)
    # no column left: the units stay
    return pd.DataFrame(columns, index=frame.index)
