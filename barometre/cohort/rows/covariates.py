"""Covariates of people: the columns of numbers that words and categories become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.cohort.rows.columns import as_arm, require_columns


def covariate_columns(
    frame: pd.DataFrame, covariates: Sequence[str], *, drop_first: bool = False
) -> pd.DataFrame:
    """Write covariates as numbers: one column per number, one per category of a text.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    covariates : sequence of str
        Columns: numbers and booleans stay, texts and categories become ``name=category``, 0 or 1,
        in alphabetical order (that of the categories when they have one).
    drop_first : bool, default False
        Leave the first category out: it is the reference of a regression.

    Returns
    -------
    DataFrame
        Floats on the same index, missing where the covariate is.

    Raises
    ------
    BarometreError
        No covariate, a column absent or given twice, an infinite value.

    Examples
    --------
    >>> people = pd.DataFrame({"age": [20, 30, 40], "sexe": ["F", "H", "F"]})
    >>> covariate_columns(people, ["age", "sexe"]).columns.tolist()
    ['age', 'sexe=F', 'sexe=H']
    """
    names = [covariates] if isinstance(covariates, str) else list(covariates)
    require_columns(frame, names)
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    faults = [Fault(name, "donnée deux fois", "la donner une fois") for name in twice]
    if not names:
        faults.append(Fault("covariates", "liste vide", "nommer au moins une colonne"))
    if faults:
        raise FaultsError("covariables refusées", faults)
    columns: dict[str, pd.Series[Any]] = {}
    for name in names:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            numbers = column.astype("Float64").astype(np.float64)
            if np.isinf(numbers).any():
                raise BarometreError(f"{name} : valeurs infinies ; les corriger")
            columns[str(name)] = numbers
            continue
        dummies = pd.get_dummies(column, dtype=np.float64)
        dummies = dummies.loc[:, dummies.sum() > 0]
        for level in list(dummies.columns)[drop_first:]:
            columns[f"{name}={level}"] = dummies[level].where(column.notna())
    return pd.DataFrame(columns, index=frame.index)


def complete_columns(
    frame: pd.DataFrame, covariates: Sequence[str], *, drop_first: bool = True
) -> pd.DataFrame:
    """Return `covariate_columns`, refusing missing values: a model would drop people silently."""
    columns = covariate_columns(frame, covariates, drop_first=drop_first)
    missing = columns.isna().sum()
    faults = [
        Fault(
            str(name),
            counted(int(number), "valeur manquante", "valeurs manquantes"),
            "la compléter (catégorie « non renseigné » ?) ou écarter ces personnes en le disant",
        )
        for name, number in missing[missing > 0].items()
    ]
    if faults:
        raise FaultsError("covariables refusées", faults)
    return columns


def two_arms(
    frame: pd.DataFrame, arm: str, treated: object = None
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return who is in the treated arm of a frame of people: see `as_arm`."""
    require_columns(frame, [arm])
    return as_arm(frame[arm], arm, treated).astype(bool)
