"""The columns that estimators take, checked once: numbers, clusters, weights, same length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import BarometreError, counted
from barometre.base.french import format_number

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Positions = npt.NDArray[np.integer[Any]]


def same_rows(inputs: Mapping[str, Any]) -> int:
    """Refuse columns of different lengths, or Series that are not on the same index.

    Parameters
    ----------
    inputs : mapping of str to array_like or None
        The columns by the name of their parameter; ``None`` is not given. An array or a list has no
        index, and is taken in the order given.

    Returns
    -------
    int
        Their common length, which may be 0.

    Raises
    ------
    BarometreError
        Lengths or indexes that differ, a single value.

    Examples
    --------
    >>> same_rows({"outcome": [1, 2], "arm": pd.Series([0, 1]), "weight": None})
    2
    """
    given = {name: values for name, values in inputs.items() if values is not None}
    for name, values in given.items():
        if np.ndim(values) == 0:
            raise BarometreError(f"{name} : une seule valeur ; donner une valeur par ligne")
    sizes = {name: len(values) for name, values in given.items()}
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise BarometreError(f"longueurs différentes ({said}) : donner une valeur par ligne")
    indexed = {n: v for n, v in given.items() if isinstance(v, (pd.Series, pd.DataFrame))}
    first = next(iter(indexed), None)
    for name, values in indexed.items():
        if not values.index.equals(indexed[str(first)].index):
            raise BarometreError(
                f"{name} et {first} n'ont pas le même index : aligner les lignes (reindex), ou "
                "donner des tableaux sans index (.to_numpy())"
            )
    return next(iter(sizes.values()), 0)


def check_aligned(inputs: Mapping[str, Any]) -> int:
    """Return the length of columns as `same_rows` does, refusing none: nothing can be estimated."""
    size = same_rows(inputs)
    if size == 0:
        raise BarometreError("aucune ligne : vérifier le filtre qui précède")
    return size


def as_numbers(values: Any, name: str, *, missing: bool = False) -> Floats:
    """Return a column as floats.

    Parameters
    ----------
    values : array_like
        Numbers or booleans, nullable or not.
    name : str
        What the messages call it.
    missing : bool, default False
        Whether missing values are admitted.

    Returns
    -------
    ndarray of float
        A column; NaN where missing. Not a copy when already of floats.

    Raises
    ------
    BarometreError
        Not numeric, infinite, or missing when it must not be.

    Examples
    --------
    >>> as_numbers(pd.array([True, None], dtype="boolean"), "y", missing=True)
    array([ 1., nan])
    """
    try:
        column = pd.Series(values) if not isinstance(values, pd.Series) else values
        if isinstance(column.dtype, pd.CategoricalDtype):
            raise TypeError
        if column.dtype == object:
            if any(isinstance(value, str) for value in column):
                raise TypeError
            column = column.astype("Float64")
        if not pd.api.types.is_numeric_dtype(column) or column.dtype.kind == "c":
            raise TypeError
        numbers = column.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        kind = getattr(values, "dtype", type(values).__name__)
        raise BarometreError(
            f"{name} : valeurs de type {kind} ; convertir en nombres (pd.to_numeric)"
        ) from None
    if np.isinf(numbers).any():
        many = counted(int(np.isinf(numbers).sum()), "valeur infinie", "valeurs infinies")
        raise BarometreError(f"{name} : {many} ; les corriger ou les vider")
    absent = 0 if missing else int(np.isnan(numbers).sum())
    if absent:
        many = counted(absent, "valeur manquante", "valeurs manquantes")
        raise BarometreError(f"{name} : {many} ; les compléter, ou écarter ces lignes en le disant")
    return numbers


def as_weights(values: Any, name: str = "weight") -> Floats | None:
    """Return positive weights, or None when none is given.

    Parameters
    ----------
    values : array_like or None
        One weight per row.
    name : str
        What the messages call it.

    Returns
    -------
    ndarray of float or None
        The weights, scaled to an average of 1: only ratios matter.

    Raises
    ------
    BarometreError
        A weight that is missing, infinite, zero or negative.

    Examples
    --------
    >>> as_weights([1, 3])
    array([0.5, 1.5])
    """
    if values is None:
        return None
    weights = as_numbers(values, name)
    wrong = int((weights <= 0).sum())
    if wrong:
        many = counted(wrong, "poids négatif ou nul", "poids négatifs ou nuls")
        raise BarometreError(f"{name} : {many} ; un poids est positif : écarter ces lignes")
    return np.asarray(weights / weights.mean(), float)


def as_codes(values: Any, name: str) -> tuple[Integers, pd.Index]:
    """Return the position of each row's value among the distinct ones.

    Parameters
    ----------
    values : array_like
        Identifiers of any type.
    name : str
        What the messages call it.

    Returns
    -------
    tuple of ndarray of int and Index
        Positions, and the distinct values in order of appearance.

    Raises
    ------
    BarometreError
        A missing value.

    Examples
    --------
    >>> as_codes(["b", "a", "b"], "cluster")[0]
    array([0, 1, 0])
    """
    column = values if isinstance(values, (pd.Series, pd.Index)) else pd.Series(values)
    codes, levels = pd.factorize(column)
    absent = int((codes < 0).sum())
    if absent:
        many = counted(absent, "valeur manquante", "valeurs manquantes")
        raise BarometreError(f"{name} : {many} ; les compléter, ou écarter ces lignes en le disant")
    return codes.astype(np.int64, copy=False), pd.Index(levels)


def as_binary(values: Any, name: str, *, missing: bool = False) -> Floats:
    """Return a column of 0 and 1.

    Parameters
    ----------
    values : array_like
        Numbers 0 and 1, or booleans.
    name : str
        What the messages call it.
    missing : bool, default False
        Whether missing values are admitted.

    Returns
    -------
    ndarray of float
        0, 1, or NaN where missing.

    Raises
    ------
    BarometreError
        Any other value: which one is the treated one is not for the library to guess.

    Examples
    --------
    >>> as_binary([True, False], "arm")
    array([1., 0.])
    """
    try:
        numbers = as_numbers(values, name, missing=missing)
    except BarometreError:
        if missing or not pd.Series(values).isna().any():
            found = ", ".join(map(repr, pd.unique(pd.Series(values).dropna())[:4]))
            raise BarometreError(
                f"{name} vaut {found} : donner 1 (ou True) aux traités et 0 (ou False) aux autres"
            ) from None
        raise
    other = np.unique(numbers[~np.isin(numbers, [0, 1]) & ~np.isnan(numbers)])
    if len(other):
        found = ", ".join(format_number(value) for value in other[:4])
        raise BarometreError(
            f"{name} vaut aussi {found} : donner 1 (ou True) aux traités et 0 (ou False) aux "
            "autres, en gardant deux groupes"
        )
    return numbers


def as_design(design: Any, name: str = "design") -> tuple[Floats, list[str]]:
    """Return the explanatory columns as a matrix, and their names.

    Parameters
    ----------
    design : DataFrame, array_like or Series
        Columns of numbers or booleans, none missing.
    name : str
        What the messages call it.

    Returns
    -------
    tuple of ndarray and list of str
        Matrix of floats and the names of its columns (``x0``, ``x1``... without names).

    Raises
    ------
    BarometreError
        A column that is not numeric or has missing values, no column, a name given twice.

    Examples
    --------
    >>> as_design(pd.DataFrame({"age": [1, 2]}))[1]
    ['age']
    """
    if isinstance(design, pd.Series):
        design = design.to_frame()
    if not isinstance(design, pd.DataFrame):
        matrix = np.asarray(design)
        if matrix.ndim not in (1, 2):
            raise BarometreError(f"{name} : {matrix.ndim} dimensions ; donner un tableau à deux")
        matrix = matrix.reshape(len(matrix), -1)
        design = pd.DataFrame(matrix, columns=[f"x{j}" for j in range(matrix.shape[1])])
    names: Sequence[str] = [str(column) for column in design.columns]
    if not names:
        raise BarometreError(f"{name} : aucune colonne ; donner les variables explicatives")
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise BarometreError(f"{name} : colonne donnée deux fois ({', '.join(twice)})")
    columns = [as_numbers(design.iloc[:, j], names[j]) for j in range(len(names))]
    return np.column_stack(columns), list(names)
