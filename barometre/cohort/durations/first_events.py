"""From statuses at waves to times of events: one duration per person."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError
from barometre.base.face import counted_text, number_text
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.risk_sets import numbers
from barometre.cohort.rows.keys import is_number
from barometre.cohort.rows.panel import PanelRows

IN_STATE = "dans l'état dès l'entrée : pas d'événement observé"
"""Why someone who shows the event at the first wave known has no duration."""

AtEntry = Literal["exclude", "event"]


def event_times(
    panel: PanelRows,
    event: pd.Series[Any],
    *,
    competing: pd.Series[Any] | None = None,
    origin: str | pd.Series[Any] = "entry",
    at_entry: AtEntry = "event",
) -> Tidy:
    """Time from an origin to the first wave at which an event is seen, for each person.

    Parameters
    ----------
    panel : PanelRows
        The rows.
    event : Series of bool or of 0 and 1
        Whether the event is seen at that wave; a missing value is a wave at which nothing is known
        of it, left out.
    competing : Series of bool or of 0 and 1, optional
        Another event, after which the first one cannot be seen.
    origin : {"entry", "calendar"} or Series, default "entry"
        First wave of the person; first wave of all; or a wave by row, constant within the person,
        such as that of the first treatment (missing, infinite or 0: none).
    at_entry : {"event", "exclude"}, default "event"
        Who shows the event, or the competing one, at the first wave known since the origin was
        never seen without it: an event of duration ``entry``, or left out and counted.

    Returns
    -------
    Tidy
        One row per person, by position: ``person``, ``entry``, ``duration``, ``event`` (0 censored
        at the last wave known, 1 the event, 2 the competing one). Durations are differences between
        waves, or numbers of waves when these are no numbers. ``entry`` is the time from the origin
        to the first wave known, from which the person is observed. What comes before the origin is
        left out. People without any wave known since the origin, without origin, or in the state
        from their entry are counted in ``.meta["lost"]``.

    Raises
    ------
    BarometreError
        Events other than 0 and 1, both events at the same wave, an origin that varies within a
        person.

    Notes
    -----
    The event happened between two waves: the duration is that of the later one.
    """
    who, when = panel.codes
    waves, number = panel.wave_index, panel.n_people
    scale = _scale(waves)
    code = _codes(event, competing)
    time = scale[when]
    start = _origin(origin, who, time, number, waves, scale)
    known = (code >= 0) & (time >= start[who])
    who, time, code = who[known], time[known], code[known]
    first, last, reached = (np.full(number, value) for value in (np.inf, -np.inf, np.inf))
    np.minimum.at(first, who, time)
    np.maximum.at(last, who, time)
    np.minimum.at(reached, who[code > 0], time[code > 0])
    kind = np.zeros(number, np.int64)
    here = (code > 0) & (time == reached[who])
    kind[who[here]] = code[here]
    seen = np.isfinite(first)
    frame = pd.DataFrame(
        {
            "person": np.arange(number),
            "entry": first - start,
            "duration": np.where(kind > 0, reached, last) - start,
            "event": kind,
        }
    )
    unknown = int(np.isnan(start).sum())
    there = seen & (kind > 0) & (reached == first) & (at_entry == "exclude")
    lost = {
        "sans origine": unknown,
        "rien de connu depuis l'origine": int((~seen).sum()) - unknown,
        IN_STATE: int(there.sum()),
    }
    used = seen & ~there
    return tidy(
        frame[used].reset_index(drop=True),
        sentences=event_sentences,
        method="durée jusqu'à la première vague où l'événement est vu",
        convention=f"origine : {origin if isinstance(origin, str) else 'donnée par ligne'}",
        n_in=number,
        n_used=int(used.sum()),
        lost={reason: number for reason, number in lost.items() if number},
    )


def event_sentences(table: pd.DataFrame) -> list[str]:
    """Say how many had the event, a competing one, or none as long as they were seen."""
    had, other, none = (int((table["event"] == code).sum()) for code in (1, 2, 0))
    competing = f", {counted_text(other, 'événement concurrent', 'événements concurrents')}"
    return [
        f"{counted_text(had, 'événement')}{competing if other else ''} ; {number_text(none)} sans "
        "événement tant que suivies."
    ]


def _scale(waves: pd.Index) -> Floats:
    """Return the time of each wave: its number, or its position."""
    if is_number(waves.to_series()):
        return waves.to_numpy(np.float64)
    return np.arange(len(waves), dtype=np.float64)


def _codes(event: pd.Series[Any], competing: pd.Series[Any] | None) -> Integers:
    """Return 0, 1 or 2 (competing) by row, -1 when not known."""
    code = _flags("event", event)
    if competing is not None:
        other = _flags("competing", competing)
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
    origin: str | pd.Series[Any],
    who: Integers,
    time: Floats,
    n_people: int,
    waves: pd.Index,
    scale: Floats,
) -> Floats:
    """Return the origin of each person, missing when there is none."""
    if isinstance(origin, str):
        if origin == "calendar":
            return np.full(n_people, scale[0] if len(scale) else np.nan)
        start = np.full(n_people, np.inf)
        np.minimum.at(start, who, time)
        return start
    if is_number(origin) and is_number(waves.to_series()):
        by_row = origin.to_numpy(np.float64, na_value=np.nan)
        # 0 is never treated, even where it is a wave
        by_row = np.where(np.isfinite(by_row) & (by_row != 0), by_row, np.nan)
    else:
        found = waves.get_indexer(pd.Index(origin))
        by_row = np.where(found >= 0, found.astype(np.float64), np.nan)
        if (origin.notna().to_numpy() & (found < 0)).any():
            raise BarometreError("origin : une valeur n'est pas une vague de la cohorte")
    start = np.full(n_people, np.nan)
    start[who] = by_row
    if not np.array_equal(start[who], by_row, equal_nan=True):
        raise BarometreError("origin varie d'une vague à l'autre : une origine par personne")
    return start
