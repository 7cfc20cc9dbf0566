"""Time to event: Kaplan-Meier curves, their quantiles and their restricted mean.

Written on NumPy rather than on statsmodels, whose curves have no count of the censored and no error
that holds with weights; the tests compare the two, and both with R.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.face import (
    counted_text,
    decimals_of,
    interval_text,
    level_text,
    number_text,
    percent_text,
)
from barometre.base.french import format_number
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.curve_errors import Influence, Interval, half_width, limits
from barometre.cohort.durations.risk_sets import (
    Spells,
    Values,
    as_counts,
    as_spells,
    from_end,
    risk_table,
    with_group,
)

_TOLERANCE = 2.0**-26  # of R's quantile.survfit: S is 1 - q when nearer than this


def kaplan_meier(
    duration: Values,
    event: Values,
    by: Values = None,
    entry: Values = None,
    weight: Values = None,
    *,
    conf_type: Interval = "log",
    level: float = 0.95,
) -> Tidy:
    """Estimate the share of people without the event, by time (Kaplan and Meier, 1958).

    Parameters
    ----------
    duration : array-like of float
        Time to the event or to censoring, at least 0. Times that only rounding tells apart are one.
    event : array-like of bool or of 0 and 1
        Whether the event happened. Codes 1 and 2 are refused: write ``status == 2``.
    by : array-like, optional
        Groups, one curve each.
    entry : array-like of float, optional
        Delayed entry: the person is at risk at t when entry < t <= duration.
    weight : array-like of float, optional
        Weights of a survey or of an adjustment.
    conf_type : {"log", "log-log", "plain"}, default "log"
        Scale on which the interval is symmetric.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Tidy
        One row per group and distinct time of exit: ``group`` (with ``by``), ``time``, ``n_risk``,
        ``n_event``, ``n_censor``, ``survival``, ``se`` (of the survival), ``low``, ``high``.
        Counts are integers without weights, sums of weights otherwise. Empty without anybody. Once
        nobody is left the survival is 0, its error and interval are missing; before any event it is
        1 with an error of 0 (and no "log-log" interval). Missing values are left out and counted
        in ``.meta["lost"]``, as is who leaves at or before entry.

    Raises
    ------
    BarometreError
        Columns misaligned or not numeric, negative duration, event other than 0 and 1, negative or
        missing weights, level outside 0-1.

    Notes
    -----
    Error of Greenwood (1926), S (sum d / (n (n - d)))^0.5; with weights, the infinitesimal
    jackknife, which does not depend on their scale. Both, and the intervals, are those of
    ``survfit`` of R (Therneau, survival 3.5). The log interval is S exp(± z se / S), cut at 1.

    Examples
    --------
    >>> curve = kaplan_meier([5, 8, 8, 12], [1, 1, 0, 1])
    >>> curve[["time", "n_risk", "survival"]].to_numpy().tolist()
    [[5.0, 4.0, 0.75], [8.0, 3.0, 0.5], [12.0, 1.0, 0.0]]
    """
    spells = as_spells(duration, event, by=by, entry=entry, weight=weight)
    z = half_width(conf_type, level)
    parts = [_curve(label, part, conf_type, z) for label, part in spells.by_group()]
    error = "robuste (jackknife infinitésimal)" if spells.weighted else "Greenwood"
    convention = f"erreur {error} ; intervalle {conf_type} à {level_text(level)}"
    return tidy(
        pd.concat(parts, ignore_index=True),
        sentences=_curve_sentences,
        chart="survival_curves",
        **spells.meta("Kaplan-Meier", convention),
    )


def _curve_sentences(table: pd.DataFrame) -> list[str]:
    """Say the median and the events of each curve."""
    lines = []
    for label, rows in _by_label(table):
        median, low, high = (
            _time_at(rows["time"], rows[name], 0.5) for name in ("survival", "low", "high")
        )
        events = counted_text(float(rows["n_event"].sum()), "événement")
        reached = f"durée médiane {number_text(median, 1)} {interval_text(low, high, 1)}"
        if np.isnan(median):
            last = percent_text(float(rows["survival"].iloc[-1]))
            reached = f"médiane non atteinte ({last} sans l'événement à la fin)"
        lines.append(f"{label} : {reached}, {events}.")
    return lines


def _by_label(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    if "group" not in table:
        yield "Ensemble", table
        return
    for label, rows in table.groupby("group", sort=False, observed=True):
        yield f"Groupe {label}", rows


def _curve(label: Any, spells: Spells, conf_type: Interval, z: float) -> pd.DataFrame:
    table = risk_table(spells)
    survival = table.surviving()
    if spells.weighted:
        spread = Influence(spells, table).of_log_survival()
    else:
        spread = np.cumsum(table.greenwood())
    relative = np.where(survival > 0, np.sqrt(spread), np.nan)
    low, high = limits(survival, relative, conf_type, z)
    counts = {"n_risk": table.n_risk, "n_event": table.n_event, "n_censor": table.n_censor}
    columns = {
        "time": table.time,
        **{name: as_counts(values, spells) for name, values in counts.items()},
        "survival": survival,
        "se": survival * relative,
        "low": low,
        "high": high,
    }
    return with_group(label, spells, columns)


# ---- quantiles and restricted mean --------------------------------------------------------------


def survival_quantile(
    duration: Values,
    event: Values = None,
    q: float | Sequence[float] | None = None,
    by: Values = None,
    entry: Values = None,
    weight: Values = None,
    *,
    conf_type: Interval = "log",
    level: float = 0.95,
) -> Tidy:
    """Return the time by which a share of people have had the event: the median by default.

    Parameters
    ----------
    duration : array-like of float or DataFrame
        Durations, or a curve of `kaplan_meier`, in which case nothing else but ``q`` is given:
        ``survival_quantile(curve, 0.25)``.
    event : array-like of bool or of 0 and 1
        Whether the event happened.
    q : float or sequence of float, default 0.5
        Shares, between 0 and 1.
    by : array-like, optional
        Group of each person.
    entry, weight : array-like of float, optional
        Time of entry under observation; positive weight.
    conf_type : {"log", "log-log", "plain"}, default "log"
        Scale of the interval.
    level : float, default 0.95
        Confidence level. All as in `kaplan_meier`.

    Returns
    -------
    Tidy
        One row per group and share: ``group`` (with groups), ``q``, ``quantile``, ``low``,
        ``high``. Missing when the curve, or the limit of its interval, does not go down to 1 - q.

    Raises
    ------
    BarometreError
        A share outside 0-1, a frame that is no curve, and the errors of `kaplan_meier`.

    Notes
    -----
    The first time at which S < 1 - q; where S = 1 - q on a whole interval, its middle (the interval
    ends at the last time when the curve stays there), as R does. Limits: the same reading of
    the limits of the curve (Brookmeyer and Crowley, 1982).

    Examples
    --------
    >>> survival_quantile([5, 8, 8, 12], [1, 1, 0, 1])["quantile"].item()
    10.0
    """
    if isinstance(duration, pd.DataFrame):
        given = (None if q is None else event, by, entry, weight)
        if conf_type != "log" or level != 0.95 or any(value is not None for value in given):
            raise BarometreError(
                "une courbe porte ses événements, ses groupes et son intervalle : ne donner que q="
            )
        curve, asked = duration, event if q is None else q
        meta = dict(getattr(duration, "meta", {}))
        missing = {"time", "survival", "low", "high"} - set(curve.columns)
        if missing:
            raise BarometreError(
                f"courbe sans {', '.join(sorted(missing))} : donner kaplan_meier(...)"
            )
    else:
        estimated = kaplan_meier(
            duration, event, by, entry, weight, conf_type=conf_type, level=level
        )
        curve, asked, meta = estimated, q, estimated.meta
    groups = (
        curve.groupby("group", sort=False, observed=True) if "group" in curve else [(None, curve)]
    )
    rows = [
        ({} if label is None else {"group": label})
        | {"q": share}
        | {
            name: _time_at(part["time"], part[column], share)
            for name, column in (("quantile", "survival"), ("low", "low"), ("high", "high"))
        }
        for label, part in groups
        for share in _shares(asked)
    ]
    names = [*(["group"] if "group" in curve else []), "q", "quantile", "low", "high"]
    method = f"quantiles de {meta.pop('method', 'la courbe')}"
    frame = pd.DataFrame(rows, columns=names)
    return tidy(frame, sentences=_quantile_sentences, **meta | {"method": method})


def _shares(asked: Any) -> Floats:
    """Return the shares asked for, the median by default."""
    try:
        shares = np.atleast_1d(np.asarray(0.5 if asked is None else asked, np.float64))
    except (TypeError, ValueError):
        shares = np.full(1, np.nan)
    if shares.ndim > 1 or not ((shares > 0) & (shares < 1)).all():
        raise BarometreError("quantile hors de 0-1 : q=0.5 est la médiane")
    return shares


def _quantile_sentences(table: pd.DataFrame) -> list[str]:
    """Say each time by which a share have had the event."""
    lines = []
    for row in table.to_dict("records"):
        name = f"Groupe {row['group']}" if "group" in table else "Ensemble"
        time = number_text(row["quantile"], 1)
        lines.append(
            f"{name} : {percent_text(row['q'], 0)} ont eu l'événement à {time} "
            f"{interval_text(row['low'], row['high'], 1)}."
        )
    return lines


def _time_at(time: pd.Series[float], survival: pd.Series[float], share: float) -> float:
    times, done = time.to_numpy(np.float64), 1 - survival.to_numpy(np.float64)
    known = ~np.isnan(done)
    reached = np.flatnonzero(known & (done >= share - _TOLERANCE))
    if not len(reached):
        return np.nan
    passed = np.flatnonzero(known & (done > share + _TOLERANCE))
    start = times[reached[0]]
    end = times[passed[0]] if len(passed) else times[-1]
    return float((start + end) / 2)


def rmst(
    duration: Values,
    event: Values,
    *,
    by: Values = None,
    entry: Values = None,
    weight: Values = None,
    horizon: float | None = None,
    level: float = 0.95,
) -> Tidy:
    """Estimate the mean time without the event up to a horizon: the area under Kaplan-Meier.

    Parameters
    ----------
    duration : array-like of float
        Time to the event or to censoring, at least 0.
    event : array-like of bool or of 0 and 1
        Whether the event happened.
    by : array-like, optional
        Group of each person.
    entry, weight : array-like of float, optional
        Time of entry under observation; positive weight.
    horizon : float, optional
        End of the count, the longest duration of all groups by default.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Tidy
        One row per group: ``group`` (with ``by``), ``horizon``, ``estimate``, ``se``, ``low``,
        ``high``, ``n``, ``events`` (weighted where there are weights). A curve that ends before the
        horizon is prolonged flat. Empty without anybody.

    Raises
    ------
    BarometreError
        A horizon that is not positive, or after the last duration while a curve is above 0: nobody
        is observed there. The errors of `kaplan_meier`.

    Notes
    -----
    Error of ``survfit`` of R (Therneau, ``rmean = "common"``): the sum over event times of
    d / (n (n - d)) times the square of the area that remains; with weights, n and d are sums of
    weights of mean 1, so that their scale does not matter, and the error supposes them known.
    Symmetric interval, as Royston and Parmar (2013).

    Examples
    --------
    >>> rmst([5, 8, 8, 12], [1, 1, 0, 1], horizon=8)["estimate"].item()
    7.25
    """
    spells = as_spells(duration, event, by=by, entry=entry, weight=weight)
    z = half_width("plain", level)
    last = float(spells.duration.max()) if len(spells.duration) else np.nan
    end = last if horizon is None else float(horizon) if isinstance(horizon, Real) else np.nan
    if horizon is not None and not (np.isfinite(end) and end > 0):
        raise BarometreError(f"horizon {horizon} : donner une durée positive")
    scaled = (
        replace(spells, weight=spells.weight / spells.weight.mean()) if spells.weighted else spells
    )
    rows = [
        _area(label, part, end, last, z) for label, part in scaled.by_group() if len(part.duration)
    ]
    names = [*(["group"] if spells.grouped else []), "horizon", "estimate", "se", "low", "high"]
    convention = (
        "courbes prolongées jusqu'à l'horizon ; erreur de Greenwood ; intervalle à "
        f"{level_text(level)}"
    )
    frame = pd.DataFrame(rows, columns=[*names, "n", "events"])
    meta = spells.meta("moyenne restreinte (RMST)", convention)
    return tidy(frame, sentences=_mean_sentences, **meta)


def _mean_sentences(table: pd.DataFrame) -> list[str]:
    """Say the mean time without the event of each group."""
    lines = []
    for label, rows in _by_label(table):
        row = rows.to_dict("records")[0]
        digits = decimals_of(row["se"])
        lines.append(
            f"{label} : {number_text(row['estimate'], digits)} en moyenne sans l'événement "
            f"{interval_text(row['low'], row['high'], digits)}, "
            f"{counted_text(row['n'], 'personne')}, {counted_text(row['events'], 'événement')}."
        )
    return lines


def _area(label: Any, spells: Spells, end: float, last: float, z: float) -> dict[str, Any]:
    table = risk_table(spells)
    survival = table.surviving()
    if end > last and survival[-1] > 0:
        raise BarometreError(
            f"horizon {format_number(end)} après la dernière durée observée"
            f" ({format_number(last)}) : la courbe n'y est pas connue ;"
            " prendre un horizon plus court"
        )
    inside = table.time < end
    steps = np.append(1.0, survival[inside])
    areas = steps * np.diff(np.concatenate([[0.0], table.time[inside], [end]]))
    remaining = from_end(areas)[1:]
    error = float(np.sqrt((remaining**2 * table.greenwood()[inside]).sum()))
    mean, events = float(areas.sum()), float(table.n_event.sum())
    return ({"group": label} if spells.grouped else {}) | {
        "horizon": end,
        "estimate": mean,
        "se": error,
        "low": max(mean - z * error, 0.0),
        "high": min(mean + z * error, end),
        "n": len(spells.duration),
        "events": events if spells.weighted else round(events),
    }
