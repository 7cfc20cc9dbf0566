"""What a cohort refuses, found on whole columns: keys given twice, traits that change, weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from barometre.base.arrays import Integers
from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.base.frames import check_frame
from barometre.cohort.rows.columns import as_arm
from barometre.cohort.rows.keys import has_order, is_number, repeated

Roles: TypeAlias = Mapping[str, str | None]

_SHOWN = 3  # people quoted per fault; the error holds all their rows
_KEYS = ("person", "wave")
FIXED = ("arm", "first_treated", "cluster")
"""Roles whose value is the same at all the waves of a person."""


class CohortError(FaultsError):
    """A frame that is not a cohort: every fault, and the rows concerned."""


def checked_columns(frame: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Return the frame with its keys as columns, or refuse it for absent columns.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    roles : mapping of str to str or None
        Column that plays each role.

    Returns
    -------
    DataFrame
        The same data, unsorted, on positions; nothing is copied.

    Raises
    ------
    CohortError
        No frame, a frame without row, a column absent or given twice.
    """
    if not isinstance(frame, pd.DataFrame):
        kind = type(frame).__name__
        raise CohortError("cohorte refusée", [Fault("frame", f"un {kind}", "donner un DataFrame")])
    levels = [n for n in frame.index.names if n is not None and n not in frame.columns]
    flat = frame.reset_index(level=levels) if levels else frame
    flat = flat.reset_index(drop=True)
    wanted = {r: name for r, name in roles.items() if name is not None or r in _KEYS}
    lost = [f"{role}=" for role, name in wanted.items() if name not in flat.columns]
    remedy = f"corriger {', '.join(lost)}"
    check_frame(flat, "cohorte refusée", wanted.values(), remedy=remedy, error=CohortError)
    if flat.empty:
        raise CohortError(
            "cohorte refusée", [Fault("frame", "aucune ligne", "vérifier le filtre qui précède")]
        )
    return flat


def column_faults(frame: pd.DataFrame, roles: Roles) -> Iterator[Fault]:
    """Judge the columns one by one: types, then values by a pandera schema made of the roles."""
    yield from _type_faults(frame, roles)
    needed = [roles[role] for role in ("person", "wave", "arm", "cluster") if roles[role]]
    columns: dict[Any, pa.Column] = {name: pa.Column(nullable=False) for name in needed}
    weight = roles["weight"]
    if weight is not None and is_number(frame[weight]):
        positive = pa.Check(lambda w: (w > 0) & np.isfinite(w.astype(float)), name="poids")
        columns[weight] = pa.Column(checks=positive, nullable=False)
    try:
        # The columns only: pandera copies what it validates.
        pa.DataFrameSchema(columns).validate(frame[list(columns)], lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        for (column, check), found in cases.groupby(["column", "check"], sort=False):
            rows = frame.loc[np.sort(found["index"].astype(np.int64).unique())]
            if check == "not_nullable":
                said = counted(len(rows), "valeur manquante", "valeurs manquantes")
                yield Fault(
                    str(column), said, "compléter, ou écarter ces lignes en le disant", rows
                )
            else:
                said = counted(
                    len(rows), "poids négatif, nul ou infini", "poids négatifs, nuls ou infinis"
                )
                yield Fault(str(column), said, "un poids est un nombre positif", rows)


def arm_faults(frame: pd.DataFrame, arm: str | None, treated: object) -> Iterator[Fault]:
    """Judge the arms: two values, of which it is known which one is treated.

    A missing arm is told by `column_faults`.
    """
    if arm is None:
        if treated is not None:
            yield Fault("treated=", "sans arm=", "nommer aussi la colonne des bras")
        return
    known = frame[arm].dropna()
    if len(known):
        try:
            as_arm(known, arm, treated)
        except BarometreError as error:
            text = str(error).removeprefix(f"{arm} ").removeprefix(": ")
            problem, remedy = re.split(" [:;] ", text, maxsplit=1)
            yield Fault(arm, problem, remedy)


def _type_faults(frame: pd.DataFrame, roles: Roles) -> Iterator[Fault]:
    """Judge the types: waves and treatment dates are on one scale, weights are numbers."""
    wave, first, weight = roles["wave"], roles["first_treated"], roles["weight"]
    if not has_order(frame[wave]):
        yield Fault(
            str(wave),
            f"vagues de type {frame[wave].dtype}, sans ordre",
            "donner des entiers, des dates, des périodes ou un Categorical ordonné",
        )
    elif is_number(frame[wave]) and np.isinf(frame[wave].to_numpy(np.float64, na_value=0)).any():
        yield Fault(str(wave), "une vague infinie", "donner des numéros de vague finis")
    elif first is not None and not _same_scale(frame[wave], frame[first]):
        yield Fault(
            str(first),
            f"de type {frame[first].dtype} quand les vagues sont de type {frame[wave].dtype}",
            "donner la vague du premier traitement, vide ou 0 pour qui n'est jamais traité",
        )
    if weight is not None and not is_number(frame[weight]):
        yield Fault(str(weight), f"poids de type {frame[weight].dtype}", "donner des nombres")


def _same_scale(wave: pd.Series[Any], first: pd.Series[Any]) -> bool:
    if first.isna().all():
        return True
    if is_number(wave):
        return is_number(first)
    if pd.api.types.is_datetime64_any_dtype(wave.dtype):
        return pd.api.types.is_datetime64_any_dtype(first.dtype)
    return wave.dtype == first.dtype


# ---- faults of the panel ------------------------------------------------------------------------


def panel_faults(
    frame: pd.DataFrame, roles: Roles, person: Integers, wave: npt.NDArray[np.int32], n_waves: int
) -> Iterator[Fault]:
    """Judge rows against each other: one per person and wave, traits of a person constant.

    Parameters
    ----------
    frame : DataFrame
        Result of `checked_columns`.
    roles : mapping of str to str or None
        Column that plays each role.
    person, wave : ndarray of int
        Position of the person and of the wave of each row, -1 when missing.
    n_waves : int
        Number of waves.
    """
    known = (person >= 0) & (wave >= 0)
    if not known.all():
        frame, person, wave = frame[known], person[known], wave[known]
    if not len(person):
        return
    n_people = int(person.max()) + 1
    twice = repeated(person, wave, n_people, n_waves)
    if twice is not None:
        who = _people(frame[roles["person"]][twice])
        yield Fault(
            f"({roles['person']}, {roles['wave']})",
            f"{counted(int(twice.sum()), 'ligne')} en double ({who})",
            "garder une ligne par personne et par vague",
            frame[twice],
        )
    first_row = np.zeros(n_people, np.int64)
    first_row[person[::-1]] = np.arange(len(person))[::-1]
    for role in FIXED:
        column = roles[role]
        if column is None:
            continue
        codes = fixed_codes(frame[column], never=role == "first_treated")
        moved = codes != codes[first_row][person]
        if moved.any():
            changing = np.zeros(n_people, bool)
            changing[person[moved]] = True
            rows = frame[changing[person]]
            number = counted(int(changing.sum()), "personne")
            yield Fault(
                column,
                f"change d'une vague à l'autre pour {number} ({_people(rows[roles['person']])})",
                "donner une valeur par personne, celle de la première vague par exemple"
                if role == "cluster"
                else "donner une valeur par personne",
                rows,
            )
        if role == "cluster" and codes.max() < 1:
            yield Fault(column, "une seule grappe", "il en faut au moins 2 pour des erreurs-types")


def fixed_codes(column: pd.Series[Any], *, never: bool) -> Integers:
    """Number the values of a trait, -1 when missing; 0 is missing too in a treatment date."""
    if never and is_number(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        values = np.where(np.isfinite(values) & (values != 0), values, np.nan)
        return pd.factorize(values)[0]
    return pd.factorize(column)[0]


def _people(column: pd.Series[Any]) -> str:
    names = [str(name) for name in column.unique()]
    return ", ".join(names[:_SHOWN]) + ("..." if len(names) > _SHOWN else "")
