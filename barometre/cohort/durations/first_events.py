"""From statuses at waves to times of events: one duration per person."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.risk_sets import Floats, Values, as_column, numbers
from barometre.cohort.rows.columns import same_rows
from barometre.cohort.rows.keys import Integers, is_number, positions, repeated

Origin = Literal["entry", "calendar"]


def event_times(
    person: Values,
    wave: Values,
    event: Values,
    *,
    competing: Values = None,
    origin: Values = "entry",
) -> Tidy:
    """Time from an origin to the first wave at which an event is seen, for each person.

    Parameters
    ----------
    person, wave : array-like
        One row per person and wave.
    event : array-like of bool or of 0 and 1
        Whether the event is seen at that wave; a missing value is a wave at which nothing is known
        of it, left out.
    competing : array-like of bool or of 0 and 1, optional
        Another event, after which the first one cannot be seen.
    origin : {"entry", "calendar"} or array-like, default "entry"
        First wave of the person; first wave of all; or a wave by row, constant within the person,
        such as that of the first treatment (missing, infinite, or 0 where 0 is no wave: none).

    Returns
    -------
    Tidy
        One row per person: ``person``, ``entry``, ``duration``, ``event`` (0 censored at the last
        wave known, 1 the event, 2 the competing one). Durations are differences between waves, or
        numbers of waves when these are no numbers; 0 when the event is seen at the origin itself.
        ``entry`` is the time from the origin to the first wave known, from which the person is
        observed. What comes before the origin is left out. People without any wave known since the
        origin, or without origin, are counted in ``.meta["lost"]``.

    Raises
    ------
    BarometreError
        Columns misaligned, person or wave missing, a person twice at a wave, events other than 0
        and 1, both events at the same wave, an origin that varies within a person.

    Notes
    -----
    The event happened between two waves: the duration is that of the later one.

    Examples
    --------
    >>> event_times([1, 1, 2, 2], [2024, 2026, 2024, 2025], [0, 1, 0, 0])[
    ...     ["person", "duration", "event"]
    ... ].to_numpy().tolist()
    [[1.0, 2.0, 1.0], [2.0, 1.0, 0.0]]
    """
    given = {"person": person, "wave": wave, "event": event, "competing": competing}
    if not isinstance(origin, str):
        given["origin"] = origin
    columns = {name: as_column(name, value) for name, value in given.items() if value is not None}
    same_rows(given)
    who, people = positions(columns["person"])
    when, waves = positions(columns["wave"], sort=True)
    if (who < 0).any() or (when < 0).any():
        raise BarometreError("personne ou vague manquante : les compléter ou les écarter")
    twice = repeated(who, when, len(people), len(waves))
    if twice is not None:
        lines = counted(int(twice.sum()), "ligne")
        raise BarometreError(f"{lines} en double : une ligne par personne et par vague")
    scale = _scale(waves)
    code = _codes(columns)
    time = scale[when]
    start = _origin(origin, columns, who, time, len(people), waves, scale)
    known = (code >= 0) & (time >= start[who])
    who, time, code = who[known], time[known], code[known]
    first, last, reached = (np.full(len(people), value) for value in (np.inf, -np.inf, np.inf))
    np.minimum.at(first, who, time)
    np.maximum.at(last, who, time)
    np.minimum.at(reached, who[code > 0], time[code > 0])
    kind = np.zeros(len(people), np.int64)
    here = (code > 0) & (time == reached[who])
    kind[who[here]] = code[here]
    seen = np.isfinite(first)
    frame = pd.DataFrame(
        {
            "person": people,
            "entry": first - start,
            "duration": np.where(kind > 0, reached, last) - start,
            "event": kind,
        }
    )
    unknown = int(np.isnan(start).sum())
    lost = {"sans origine": unknown, "rien de connu depuis l'origine": int((~seen).sum()) - unknown}
    return tidy(
        frame[seen].reset_index(drop=True),
        method="durée jusqu'à la première vague où l'événement est vu",
        convention=f"origine : {origin if isinstance(origin, str) else 'donnée par ligne'}",
        n_in=len(people),
        n_used=int(seen.sum()),
        lost={reason: number for reason, number in lost.items() if number},
    )


def _scale(waves: pd.Index) -> Floats:
    """Return the time of each wave: its number, or its position."""
    if is_number(waves.to_series()):
        return waves.to_numpy(np.float64)
    return np.arange(len(waves), dtype=np.float64)


def _codes(columns: dict[str, pd.Series[Any]]) -> Integers:
    """Return 0, 1 or 2 (competing) by row, -1 when not known."""
    code = _flags("event", columns["event"])
    if "competing" in columns:
        other = _flags("competing", columns["competing"])
        if ((code > 0) & (other > 0)).any():
            raise BarometreError("event et competing à la même vague : ils doivent s'exclure")
        code = np.where(code > 0, 1, np.where((code < 0) | (other < 0), -1, 2 * other))
    return code.astype(np.int64)


def _flags(name: str, column: pd.Series[Any]) -> Integers:
    values = numbers(name, column)
    if not np.isin(values[~np.isnan(values)], (0, 1)).all():
        raise BarometreError(f"{name} : donner des booléens, ou 0 et 1")
    return np.where(np.isnan(values), -1, values).astype(np.int64)


def _origin(
    origin: Values,
    columns: dict[str, pd.Series[Any]],
    who: Integers,
    time: Floats,
    n_people: int,
    waves: pd.Index,
    scale: Floats,
) -> Floats:
    """Return the origin of each person, missing when there is none."""
    if isinstance(origin, str):
        if origin not in get_args(Origin):
            raise UnknownNameError("choix d'origine", origin, get_args(Origin))
        if origin == "calendar":
            return np.full(n_people, scale[0] if len(scale) else np.nan)
        start = np.full(n_people, np.inf)
        np.minimum.at(start, who, time)
        return start
    column = columns["origin"]
    if is_number(column) and is_number(waves.to_series()):
        by_row = column.to_numpy(np.float64, na_value=np.nan)
        never = (by_row == 0) & (0 not in scale)  # 0 is no date, unless waves are numbered from 0
        by_row = np.where(np.isfinite(by_row) & ~never, by_row, np.nan)
    else:
        found = waves.get_indexer(pd.Index(column))
        by_row = np.where(found >= 0, found.astype(np.float64), np.nan)
        if (column.notna().to_numpy() & (found < 0)).any():
            raise BarometreError("origin : une valeur n'est pas une vague de la cohorte")
    start = np.full(n_people, np.nan)
    start[who] = by_row
    if not np.array_equal(start[who], by_row, equal_nan=True):
        raise BarometreError("origin varie d'une vague à l'autre : une origine par personne")
    return start
