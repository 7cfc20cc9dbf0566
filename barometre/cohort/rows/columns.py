"""The columns that estimators take, checked once: numbers, clusters, weights, same length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError, counted
from barometre.base.frames import check_frame
from barometre.base.french import format_number

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


def require_columns(frame: pd.DataFrame, names: Iterable[str | None]) -> None:
    """Refuse a frame that has no row, or lacks some columns; a name that is None is not asked for.

    Raises
    ------
    FaultsError
        No frame, absent columns: all of them, with the nearest that are there.
    BarometreError
        No row.
    """
    check_frame(frame, "tableau refusé", [name for name in names if name is not None])
    if not len(frame):
        raise BarometreError("aucune ligne : vérifier le filtre qui précède")


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
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(numbers.sum()):  # neither missing nor infinite: the usual case, at once
            return numbers
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
        known = pd.unique(pd.Series(values).dropna())
        if all(pd.api.types.is_number(value) or pd.api.types.is_bool(value) for value in known):
            raise  # one is missing or infinite
        found = ", ".join(map(repr, known[:4]))
        raise BarometreError(
            f"{name} vaut {found} : donner 1 (ou True) aux traités et 0 (ou False) aux autres, "
            "ou nommer la valeur des traités par treated="
        ) from None
    other = np.unique(numbers[~np.isin(numbers, [0, 1]) & ~np.isnan(numbers)])
    if len(other):
        found = ", ".join(format_number(value) for value in other[:4])
        raise BarometreError(
            f"{name} vaut aussi {found} : donner 1 (ou True) aux traités et 0 (ou False) aux "
            "autres, en gardant deux groupes, ou nommer la valeur des traités par treated="
        )
    return numbers


def as_arm(column: pd.Series[Any], name: str, treated: object = None) -> Floats:
    """Return 1 for the treated arm and 0 for the other one.

    Parameters
    ----------
    column : Series
        The arm of each row.
    name : str
        What the messages call it.
    treated : object, optional
        The value of the treated; needed unless the values are 0 and 1, or booleans.

    Returns
    -------
    ndarray of float
        1 and 0.

    Raises
    ------
    BarometreError
        A missing arm, another number of arms than two, a value of the treated that is not there,
        or that has to be given.

    Examples
    --------
    >>> as_arm(pd.Series(["b", "t", "b"]), "bras", "b")
    array([1., 0., 1.])
    """
    absent = int(column.isna().sum())
    if absent:
        many = counted(absent, "valeur manquante", "valeurs manquantes")
        raise BarometreError(f"{name} : {many} ; les compléter, ou écarter ces lignes en le disant")
    values = list(pd.unique(column))
    shown = ", ".join(f"« {value} »" for value in values[:4])
    if treated is None:
        flags = as_binary(column, name)
    else:
        if treated not in values:
            raise BarometreError(
                f"{name} : aucun « {treated} » ; treated= est l'une des valeurs : {shown}"
            )
        flags = np.asarray(column == treated, np.float64)
    if len(values) < 2:
        raise BarometreError(f"{name} : un seul bras, {shown} ; il en faut deux")
    if len(values) > 2:
        raise BarometreError(
            f"{name} : {len(values)} valeurs, {shown} ; n'en garder que deux, les traités et ceux "
            "à qui on les compare"
        )
    return flags


def as_design(
    frame: pd.DataFrame, terms: str | Sequence[str], *others: str | None
) -> tuple[Floats, list[str]]:
    """Return the explanatory columns as a matrix, and their names.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    terms : str or sequence of str
        Columns of numbers or booleans, none missing.
    *others : str or None
        Other columns that must be there.

    Returns
    -------
    tuple of ndarray and list of str
        Matrix of floats and the names of its columns.

    Raises
    ------
    BarometreError
        A column absent, not numeric or with missing values, no term, a term given twice.

    Examples
    --------
    >>> as_design(pd.DataFrame({"age": [1, 2]}), "age")[0].tolist()
    [[1.0], [2.0]]
    """
    asked = [terms] if isinstance(terms, str) else list(terms)
    names = [str(term) for term in asked]
    if not names:
        raise BarometreError("terms : aucune colonne ; donner les variables explicatives")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BarometreError(f"terms : colonne donnée deux fois ({', '.join(twice)})")
    require_columns(frame, [*others, *asked])
    return np.column_stack([as_numbers(frame[term], str(term)) for term in asked]), names
