"""Durations of a cohort: from its statuses to times of events, and to their curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import UnknownNameError
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.competing import cumulative_incidence
from barometre.cohort.durations.curve_errors import Interval
from barometre.cohort.durations.curve_tests import LogRank, logrank
from barometre.cohort.durations.curves import kaplan_meier, rmst
from barometre.cohort.durations.first_events import event_times
from barometre.cohort.rows.keys import is_number

if TYPE_CHECKING:
    from barometre.cohort.rows.panel import PanelRows

Event = str | int | Sequence[Any] | Callable[[pd.DataFrame], "pd.Series[bool]"]
Origin = Literal["entry", "calendar", "first_treated"]


def time_to_event(
    panel: PanelRows,
    event: Event,
    *,
    origin: Origin = "entry",
    competing: Event | None = None,
) -> Tidy:
    """Time from an origin to the first wave at which an event is seen, for each person.

    Parameters
    ----------
    panel : PanelRows
        The cohort.
    event, competing : str, sequence or callable
        A column of booleans or of 0 and 1; else a status, or several; else a function of the frame
        that returns booleans. Nothing is known where the status is missing.
    origin : {"entry", "calendar", "first_treated"}, default "entry"
        First wave of the person, of the cohort, or of the treatment (who is never treated has
        none).

    Returns
    -------
    Tidy
        ``person``, ``entry``, ``duration``, ``event`` (0, 1, or 2 competing) of
        `first_events.event_times`, and the arm, cluster and weight of the person, under the names
        of their columns, where the cohort has some.

    Raises
    ------
    BarometreError
        As `first_events.event_times`; a status that nobody has, an event without column ``status``,
        an origin that the cohort has not.

    Examples
    --------
    >>> from barometre.cohort import Cohort
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 2], "t": [0, 1, 0, 1], "s": ["no", "job", "no", "no"]})
    >>> cohort = Cohort(rows, person="id", wave="t", status="s")
    >>> cohort.time_to_event("job")[["duration", "event"]].to_numpy().tolist()
    [[1.0, 1.0], [1.0, 0.0]]
    """
    if origin not in get_args(Origin):
        raise UnknownNameError("choix d'origine", str(origin), get_args(Origin))
    start: Any = origin
    if origin == "first_treated":
        start = panel.column(origin)
        if is_number(start):  # 0 is never treated, even where it is a wave
            start = start.mask(start == 0)
    person, wave = panel.keys
    times = event_times(
        person,
        wave,
        _seen(panel, event),
        competing=None if competing is None else _seen(panel, competing),
        origin=start,
    )
    position = times["person"].to_numpy(np.int64)
    frame = times.assign(person=panel.people.take(position))
    for name in (panel.arm, panel.cluster, panel.weight):
        if name is not None:
            frame[name] = panel.baseline(name).iloc[position].array
    return tidy(frame, **times.meta | {"convention": f"origine : {origin}"})


def panel_kaplan_meier(
    panel: PanelRows,
    event: Event,
    by: str | None,
    *,
    origin: Origin,
    conf_type: Interval,
    level: float,
) -> Tidy:
    """Kaplan-Meier of the times of a cohort: `panel.Cohort.kaplan_meier`."""
    times, columns = _durations(panel, event, by, origin, None)
    curve = kaplan_meier(event=times["event"], **columns, conf_type=conf_type, level=level)
    return _both(times, curve)


def panel_cumulative_incidence(
    panel: PanelRows,
    event: Event,
    competing: Event,
    by: str | None,
    *,
    origin: Origin,
    conf_type: Interval,
    level: float,
) -> Tidy:
    """Cumulative incidence of the times of a cohort: `panel.Cohort.cumulative_incidence`."""
    times, columns = _durations(panel, event, by, origin, competing)
    curve = cumulative_incidence(cause=times["event"], **columns, conf_type=conf_type, level=level)
    return _both(times, curve)


def panel_rmst(
    panel: PanelRows,
    event: Event,
    by: str | None,
    *,
    horizon: float | None,
    origin: Origin,
    level: float,
) -> Tidy:
    """Mean time without the event: `panel.Cohort.rmst`."""
    times, columns = _durations(panel, event, by, origin, None)
    return _both(times, rmst(event=times["event"], **columns, horizon=horizon, level=level))


def panel_logrank(
    panel: PanelRows,
    event: Event,
    by: str,
    *,
    strata: str | None,
    origin: Origin,
    rho: float,
) -> LogRank:
    """Log-rank test of the times of a cohort: `panel.Cohort.logrank`."""
    times, columns = _durations(panel, event, by, origin, None)
    unweighted = columns.pop("weight") is not None
    layers = None if strata is None else _trait(panel, times, strata)
    found = logrank(event=times["event"], **columns, strata=layers, rho=rho)
    said = {
        "n_in": times.meta["n_in"],
        "lost": times.meta["lost"] | found.meta["lost"],
        "convention": f"{times.meta['convention']} ; {found.meta['convention']}"
        + " ; sans les poids de la cohorte" * unweighted,
    }
    return replace(found, meta=found.meta | said)


def _trait(panel: PanelRows, times: Tidy, column: str) -> pd.Series[Any]:
    """Return what people were at their first wave, on the rows of the times."""
    position = panel.people.get_indexer(pd.Index(times["person"]))
    return panel.baseline(column).iloc[position].reset_index(drop=True)


def _seen(panel: PanelRows, event: Event) -> pd.Series[Any]:
    """Return the event of each row: a column, a status, or what a function says."""
    if callable(event):
        return event(panel.frame)
    if isinstance(event, str) and event in panel.frame:
        return panel.frame[event]
    status = panel.statuses
    wanted = [event] if isinstance(event, str) or not isinstance(event, Iterable) else list(event)
    known = status.dropna().unique()
    for value in wanted:
        if value not in known:
            raise UnknownNameError("statut", str(value), map(str, known))
    return status.isin(wanted).astype("boolean").mask(status.isna())


def _durations(
    panel: PanelRows, event: Event, by: str | None, origin: Origin, competing: Event | None
) -> tuple[Tidy, dict[str, Any]]:
    """Return the times, and the arguments of their curves."""
    times = time_to_event(panel, event, origin=origin, competing=competing)
    group = None if by is None else _trait(panel, times, by)
    # Who is known from the origin on is at risk from the start, and may leave at time 0.
    late = times["entry"].where(times["entry"] > 0, -np.inf)
    return times, {
        "duration": times["duration"],
        "by": group,
        "entry": None if origin == "entry" else late,
        "weight": None if panel.weight is None else times[panel.weight],
    }


def _both(times: Tidy, curve: Tidy) -> Tidy:
    """Say what was lost from the rows to the durations, then from the durations to the curve."""
    said = {
        "n_in": times.meta["n_in"],
        "lost": times.meta["lost"] | curve.meta["lost"],
        "convention": f"{times.meta['convention']} ; {curve.meta['convention']}",
    }
    return tidy(pd.DataFrame(curve), **curve.meta | said)
