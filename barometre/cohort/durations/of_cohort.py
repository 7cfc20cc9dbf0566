"""Durations of a cohort: from its statuses to times of events, and to their curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import UnknownNameError
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.competing import cumulative_incidence
from barometre.cohort.durations.cox_model import CoxModel, cox
from barometre.cohort.durations.curve_errors import Interval
from barometre.cohort.durations.curve_tests import LogRank, logrank
from barometre.cohort.durations.curves import kaplan_meier, rmst
from barometre.cohort.durations.first_events import AtEntry, event_sentences, event_times
from barometre.cohort.durations.gray import gray_test
from barometre.cohort.durations.person_periods import DiscreteHazard, Link, discrete_hazard
from barometre.cohort.durations.subdistribution import FineGrayModel, fine_gray
from barometre.cohort.rows.panel import PanelRows

Event = str | int | Sequence[Any] | Callable[[pd.DataFrame], "pd.Series[bool]"]
Origin = Literal["entry", "calendar", "first_treated"]


def time_to_event(
    frame: pd.DataFrame,
    event: Event,
    *,
    person: str,
    wave: str,
    status: str | None = None,
    first_treated: str | None = None,
    origin: Origin = "entry",
    competing: Event | None = None,
    at_entry: AtEntry = "event",
) -> Tidy:
    """Time from an origin to the first wave at which an event is seen, for each person.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    event, competing : str, sequence or callable
        A column of booleans or of 0 and 1; else a status, or several; else a function of the frame
        that returns booleans. Nothing is known where the status is missing. After the competing
        event the first one cannot be seen.
    person, wave : str
        Columns.
    status : str, optional
        Column of the status, when the event is one.
    first_treated : str, optional
        Column of the wave of the first treatment, when it is the origin; missing, 0 or infinite for
        the never treated.
    origin : {"entry", "calendar", "first_treated"}, default "entry"
        First wave of the person, of the cohort, or of the treatment (who is never treated has
        none).
    at_entry : {"event", "exclude"}, default "event"
        Who shows the event, or the competing one, at the first wave known since the origin was
        never seen without it, and cannot pass to it: an event of duration ``entry`` (0 from the
        entry), or left out and counted. The curves and tests of a cohort leave them out by default.

    Returns
    -------
    Tidy
        One row per person: ``person``, ``entry``, ``duration``, ``event`` (0 censored at the last
        wave known, 1 the event, 2 the competing one). Durations are differences between waves, or
        numbers of waves when these are no numbers. ``entry`` is the time from the origin to the
        first wave known. What comes before the origin is left out. People without any wave known
        since the origin, without origin, or in the state from their entry are counted in
        ``.meta["lost"]``. The method of a cohort adds arm, cluster and weight.

    Raises
    ------
    BarometreError
        A status that nobody has, an event without ``status``, events other than 0 and 1, both
        events at the same wave, an origin without its column; what `Cohort` refuses.

    Notes
    -----
    The event happened between two waves: the duration is that of the later one.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 2], "t": [0, 1, 0, 1], "s": ["no", "job", "no", "no"]})
    >>> times = time_to_event(rows, "job", person="id", wave="t", status="s")
    >>> times[["duration", "event"]].to_numpy().tolist()
    [[1.0, 1.0], [1.0, 0.0]]
    """
    panel = PanelRows(frame, person, wave, first_treated=first_treated, status=status)
    return panel_time_to_event(panel, event, origin=origin, competing=competing, at_entry=at_entry)


def panel_time_to_event(
    panel: PanelRows,
    event: Event,
    *,
    origin: Origin = "entry",
    competing: Event | None = None,
    at_entry: AtEntry = "event",
) -> Tidy:
    """Compute `time_to_event` on a panel, with arm, cluster and weight under their names."""
    if origin not in get_args(Origin):
        raise UnknownNameError("choix d'origine", str(origin), get_args(Origin))
    if at_entry not in get_args(AtEntry):
        raise UnknownNameError("choix d'at_entry", str(at_entry), get_args(AtEntry))
    start: str | pd.Series[Any] = origin
    if origin == "first_treated":
        start = panel.entries
    times = event_times(
        panel,
        _seen(panel, event),
        competing=None if competing is None else _seen(panel, competing),
        origin=start,
        at_entry=at_entry,
    )
    position = times["person"].to_numpy(np.int64)
    frame = times.assign(person=panel.people.take(position))
    for name in (panel.arm, panel.cluster, panel.weight):
        if name is not None:
            frame[name] = panel.baseline(name).iloc[position].array
    meta = times.meta | {"convention": f"origine : {origin}"}
    return tidy(frame, sentences=event_sentences, **meta)


def panel_kaplan_meier(
    panel: PanelRows,
    event: Event,
    by: str | None = None,
    *,
    origin: Origin = "entry",
    at_entry: AtEntry = "exclude",
    conf_type: Interval = "log",
    level: float = 0.95,
) -> Tidy:
    """Kaplan-Meier of the times of a cohort: `kaplan_meier`."""
    times, columns = _durations(panel, event, by, origin=origin, at_entry=at_entry)
    curve = kaplan_meier(event=times["event"], **columns, conf_type=conf_type, level=level)
    return _both(times, curve)


def panel_cumulative_incidence(
    panel: PanelRows,
    event: Event,
    competing: Event,
    by: str | None = None,
    *,
    origin: Origin = "entry",
    at_entry: AtEntry = "exclude",
    conf_type: Interval = "log",
    level: float = 0.95,
) -> Tidy:
    """Cumulative incidence of the times of a cohort: `cumulative_incidence`."""
    times, columns = _durations(
        panel, event, by, origin=origin, at_entry=at_entry, competing=competing
    )
    curve = cumulative_incidence(cause=times["event"], **columns, conf_type=conf_type, level=level)
    return _both(times, curve)


def panel_rmst(
    panel: PanelRows,
    event: Event,
    by: str | None = None,
    *,
    horizon: float | None = None,
    origin: Origin = "entry",
    at_entry: AtEntry = "exclude",
    level: float = 0.95,
) -> Tidy:
    """Mean time without the event: `rmst`."""
    times, columns = _durations(panel, event, by, origin=origin, at_entry=at_entry)
    return _both(times, rmst(event=times["event"], **columns, horizon=horizon, level=level))


def panel_logrank(
    panel: PanelRows,
    event: Event,
    by: str,
    *,
    strata: str | None = None,
    origin: Origin = "entry",
    at_entry: AtEntry = "exclude",
    rho: float = 0.0,
) -> LogRank:
    """Log-rank test of the times of a cohort: `logrank`."""
    times, columns = _durations(panel, event, by, origin=origin, at_entry=at_entry)
    unweighted = columns.pop("weight") is not None
    layers = None if strata is None else _trait(panel, times, strata)
    test = logrank(event=times["event"], **columns, strata=layers, rho=rho)
    more = {
        "n_in": times.meta["n_in"],
        "lost": times.meta["lost"] | test.meta["lost"],
        "convention": f"{times.meta['convention']} ; {test.meta['convention']}"
        + " ; sans les poids de la cohorte" * unweighted,
    }
    test.table.meta.update(more)
    return test


def panel_gray_test(
    panel: PanelRows,
    event: Event,
    competing: Event,
    by: str,
    *,
    strata: str | None = None,
    at_entry: AtEntry = "exclude",
    rho: float = 0.0,
) -> Tidy:
    """Gray's test of the times of a cohort since entry: `gray_test`."""
    times, columns = _durations(
        panel, event, by, origin="entry", at_entry=at_entry, competing=competing
    )
    unweighted = " ; sans les poids de la cohorte" * (columns["weight"] is not None)
    frame = pd.DataFrame({name: columns[name] for name in ("duration", "by")})
    frame = frame.assign(cause=times["event"])
    if strata is not None:
        frame["strata"] = _trait(panel, times, strata)
    layers = None if strata is None else "strata"
    test = gray_test(frame, "duration", "cause", "by", strata=layers, rho=rho)
    test.meta["convention"] += unweighted
    return _both(times, test)


def panel_cox(
    panel: PanelRows,
    event: Event,
    by: str | None = None,
    *,
    covariates: Sequence[str] = (),
    cluster: str | None = None,
    origin: Origin = "entry",
    at_entry: AtEntry = "exclude",
    level: float = 0.95,
) -> CoxModel:
    """Model the times of a cohort by traits of the first wave: `cox`."""
    times, given = _hazard_frame(
        panel, event, by, covariates, cluster, origin=origin, at_entry=at_entry
    )
    model = cox(**given, level=level)
    return replace(model, meta=_hazard_meta(panel, times, model.meta))


def panel_fine_gray(
    panel: PanelRows,
    event: Event,
    competing: Event,
    by: str | None = None,
    *,
    covariates: Sequence[str] = (),
    cluster: str | None = None,
    at_entry: AtEntry = "exclude",
    level: float = 0.95,
) -> FineGrayModel:
    """Model the incidence of the times of a cohort since entry: `fine_gray`."""
    times, given = _hazard_frame(
        panel, event, by, covariates, cluster,
        origin="entry", at_entry=at_entry, competing=competing,
    )  # fmt: skip
    del given["entry"]
    model = fine_gray(cause=given.pop("event"), **given, level=level)
    return replace(model, meta=_hazard_meta(panel, times, model.meta))


def panel_discrete_hazard(
    panel: PanelRows,
    event: Event,
    by: str | None = None,
    *,
    covariates: Sequence[str] = (),
    cluster: str | None = None,
    origin: Origin = "entry",
    at_entry: AtEntry = "exclude",
    link: Link = "cloglog",
    level: float = 0.95,
) -> DiscreteHazard:
    """Model the waves of events of a cohort by traits of the first wave: `discrete_hazard`."""
    times, given = _hazard_frame(
        panel, event, by, covariates, cluster, origin=origin, at_entry=at_entry
    )
    model = discrete_hazard(**given, link=link, level=level)
    return replace(model, meta=_hazard_meta(panel, times, model.meta))


def _hazard_frame(
    panel: PanelRows,
    event: Event,
    by: str | None,
    covariates: Sequence[str],
    cluster: str | None,
    *,
    origin: Origin,
    at_entry: AtEntry,
    competing: Event | None = None,
) -> tuple[Tidy, dict[str, Any]]:
    """Return the times, and the arguments of a model of their hazards."""
    times, columns = _durations(
        panel, event, by, origin=origin, at_entry=at_entry, competing=competing
    )
    traits = [covariates] if isinstance(covariates, str) else list(covariates)
    group = cluster or panel.cluster
    names = {name for name in (by, group, *traits) if name is not None}
    duration, happened, start = (f"{word} de la cohorte" for word in ("durée", "issue", "entrée"))
    frame = pd.DataFrame({name: _trait(panel, times, name) for name in names})
    frame[duration], frame[happened] = times["duration"].array, times["event"].array
    entry = columns["entry"]
    if entry is not None:
        frame[start] = entry.array
    if panel.arm in names:  # the treated arm against the other one, whatever their names
        flags = pd.Series(panel.in_treated_arm[panel.first_rows])
        position = panel.people.get_indexer(pd.Index(times["person"]))
        frame[panel.arm] = flags.iloc[position].to_numpy(np.int64)
    return times, {
        "frame": frame,
        "duration": duration,
        "event": happened,
        "by": by,
        "covariates": traits,
        "entry": None if entry is None else start,
        "cluster": group,
    }


def _hazard_meta(panel: PanelRows, times: Tidy, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Say what was lost from the rows to the durations, then from these to the model."""
    unweighted = " ; sans les poids de la cohorte" * (panel.weight is not None)
    return {
        **meta,
        "n_in": times.meta["n_in"],
        "lost": times.meta["lost"] | meta["lost"],
        "convention": f"{times.meta['convention']} ; {meta['convention']}{unweighted}",
    }


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
    panel: PanelRows,
    event: Event,
    by: str | None,
    *,
    origin: Origin,
    at_entry: AtEntry,
    competing: Event | None = None,
) -> tuple[Tidy, dict[str, Any]]:
    """Return the times, and the arguments of their curves."""
    times = panel_time_to_event(panel, event, origin=origin, competing=competing, at_entry=at_entry)
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
    curve.meta.update(
        n_in=times.meta["n_in"],
        lost=times.meta["lost"] | curve.meta["lost"],
        convention=f"{times.meta['convention']} ; {curve.meta['convention']}",
    )
    return curve
