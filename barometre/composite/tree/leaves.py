"""Take the leaves of an index out of the frame that a user gives."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import Fault, FaultsError
from barometre.base.frames import absent_columns, check_frame

_SHOWN = 3  # units quoted
_TITLE = "tableau refusé"


def read_leaves(leaves: Sequence[str], frame: pd.DataFrame) -> tuple[Floats, tuple[str, ...]]:
    """Read the columns of some leaves, and list those of the frame that are left out.

    Parameters
    ----------
    leaves : sequence of str
        Wanted columns.
    frame : DataFrame, units x leaves
        Numbers of any pandas type, missing as NaN, None or NA.

    Returns
    -------
    array of float, shape (leaves, units)
        Values, NaN where missing.
    tuple of str
        Other columns.

    Raises
    ------
    BarometreError
        A column missing, given twice, not numeric or infinite; a unit given twice.
    """
    check_frame(frame, _TITLE)
    faults = [*absent_columns(frame, leaves, "une colonne par feuille de l'indice")]
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()].unique()[:_SHOWN]
        problem = f"territoires en double ({', '.join(map(str, twice))})"
        faults.append(Fault("index", problem, "une ligne par code (et par année)"))
    values = np.empty((len(leaves), len(frame)))
    for j, leaf in enumerate(leaves):
        if leaf not in frame:
            continue
        column = frame[leaf]
        if not _numeric(column):
            problem = f"valeurs non numériques ({column.dtype})"
            faults.append(Fault(leaf, problem, "convertir en nombres avant de calculer l'indice"))
            continue
        values[j] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        infinite = np.isinf(values[j])
        if infinite.any():
            shown = ", ".join(map(str, frame.index[infinite][:_SHOWN]))
            faults.append(Fault(leaf, f"valeurs infinies ({shown})", "les corriger, ou NaN"))
    if faults:
        raise FaultsError(_TITLE, faults)
    wanted = set(leaves)
    return values, tuple(str(name) for name in frame if name not in wanted)


def _numeric(column: pd.Series) -> bool:
    if column.dtype == object:  # numbers that pandas has not typed, with None
        return bool(column.dropna().map(lambda value: isinstance(value, Real)).all())
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)
