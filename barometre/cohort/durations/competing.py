"""Competing exits: the share of people who left by each cause, by time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from barometre.base.face import level_text, percent_text
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.curve_errors import Influence, Interval, half_width, limits
from barometre.cohort.durations.risk_sets import (
    Spells,
    Values,
    as_counts,
    as_spells,
    risk_table,
    with_group,
)


def cumulative_incidence(
    duration: Values,
    cause: Values,
    by: Values = None,
    entry: Values = None,
    weight: Values = None,
    *,
    conf_type: Interval = "log",
    level: float = 0.95,
) -> Tidy:
    """Estimate the share of people who had each event, by time (Aalen and Johansen, 1978).

    One minus Kaplan-Meier, the other causes being censored, overstates it: who moved out cannot
    find a job in the neighbourhood any more.

    Parameters
    ----------
    duration : array-like of float
        Time to the event or to censoring, at least 0.
    cause : array-like of int
        0 when censored, 1, 2... for the causes.
    by : array-like, optional
        Group of each person.
    entry, weight : array-like of float, optional
        Time of entry under observation; positive weight.
    conf_type : {"log", "log-log", "plain"}, default "log"
        Scale of the interval.
    level : float, default 0.95
        Confidence level. All as in `kaplan_meier`; the interval is on the
        incidence itself.

    Returns
    -------
    Tidy
        One row per group, cause and distinct time of exit: ``group`` (with ``by``), ``time``,
        ``cause``, ``n_risk``, ``n_event`` (of that cause), ``cif``, ``se``, ``low``,
        ``high``. All causes of the data are in all groups. Nothing but 0 before the first event,
        without interval in "log" and "log-log". Empty when everyone is censored, and without
        anybody. Missing values are counted in ``.meta["lost"]``.

    Raises
    ------
    BarometreError
        As in `kaplan_meier`; a cause that is no integer from 0 on.

    Notes
    -----
    Sum of S(t-) d_k / n; the incidences and the survival without any event add up to 1. Error: the
    infinitesimal jackknife, as ``survfit`` of R does for several states (Therneau, survival 3.5).

    Examples
    --------
    >>> curve = cumulative_incidence([1, 2, 3, 4], [1, 2, 0, 1])
    >>> curve.query("time == 4")[["cause", "cif"]].to_numpy().tolist()
    [[1.0, 0.75], [2.0, 0.25]]
    """
    spells = as_spells(duration, cause, by=by, entry=entry, weight=weight, competing=True)
    z = half_width(conf_type, level)
    causes = tuple(int(code) for code in np.unique(spells.cause) if code > 0)
    parts = [_curves(label, part, causes, conf_type, z) for label, part in spells.by_group()]
    convention = (
        f"erreur robuste (jackknife infinitésimal) ; intervalle {conf_type} à {level_text(level)}"
    )
    return tidy(
        pd.concat(parts, ignore_index=True),
        sentences=_sentences,
        chart="survival_curves",
        **spells.meta("Aalen-Johansen", convention),
    )


def _sentences(table: pd.DataFrame) -> list[str]:
    """Say the share who had each event by the end."""
    keys = ["group", "cause"] if "group" in table else ["cause"]
    lines = []
    for _, rows in table.groupby(keys, sort=False, observed=True):
        row = rows.to_dict("records")[-1]
        name = f"Groupe {row['group']}, cause" if "group" in table else "Cause"
        low, high = percent_text(row["low"]), percent_text(row["high"])
        lines.append(
            f"{name} {row['cause']} : {percent_text(row['cif'])} à la fin, "
            f"intervalle [{low} ; {high}]."
        )
    return lines


def _curves(
    label: Any, spells: Spells, causes: tuple[int, ...], conf_type: Interval, z: float
) -> pd.DataFrame:
    table = risk_table(spells, causes)
    before = np.append(1.0, table.surviving())[: len(table.time)]
    influence = Influence(spells, table)
    empty: dict[str, Any] = dict.fromkeys(
        ("time", "cause", "n_risk", "n_event", "cif", "se", "low", "high"), np.zeros(0)
    )
    parts = [with_group(label, spells, empty).astype({"cause": np.int64})]
    for cause in causes:
        incidence = np.cumsum(before * table.events[cause] / table.n_risk)
        error = np.sqrt(influence.of_incidence(cause, before))
        relative = np.divide(error, incidence, out=np.zeros_like(error), where=incidence > 0)
        low, high = limits(incidence, relative, conf_type, z)
        columns = {
            "time": table.time,
            "cause": np.full(len(table.time), cause, np.int64),
            "n_risk": as_counts(table.n_risk, spells),
            "n_event": as_counts(table.events[cause], spells),
            "cif": incidence,
            "se": error,
            "low": low,
            "high": high,
        }
        parts.append(with_group(label, spells, columns))
    return pd.concat(parts if len(parts) == 1 else parts[1:], ignore_index=True)
