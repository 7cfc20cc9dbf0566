"""What may be published of the results of a cohort: their protected form, table by table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats, RowNumbers
from barometre.base.errors import BarometreError
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.curve_errors import half_width, limits
from barometre.cohort.movers.change import ChangeDecomposition
from barometre.cohort.protection import hide_small_groups
from barometre.secrecy.lines import (
    PUBLISHED,
    SECRET,
    hide_in_lines,
    is_small,
    kept_steps,
)

Form: TypeAlias = Callable[[pd.DataFrame, float], pd.DataFrame]

_LEVEL = 0.95


def protect(
    result: Any, *, threshold: float = 11, times: Sequence[float] | None = None
) -> Tidy | pd.DataFrame:
    """Return the form of a cohort's result that may be published: nothing gives a small count back.

    Parameters
    ----------
    result : DataFrame or object with a ``table``
        The whole result of `retention`, `transition_counts`, `transition_rates`,
        `state_distribution`, `kaplan_meier`, `attrition`, `balance_table` (or of the verbs of
        a `Cohort`) or `decompose_change`, as returned, without weights of a survey.
    threshold : float, default 11
        Smallest number of people published; zeros are published.
    times : sequence of float, optional
        Curves only: times at which the curve may be told, from 0 on; all whole times by default.
        Choose them beforehand: times chosen on the data say when something happened.

    Returns
    -------
    DataFrame
        The columns of the result and ``status``, of a single kind when hidden: ``secret``, else
        ``publie``.

        - retention: a wave is published if those who enter, leave, are away or present are nobody
          or ``threshold`` people at least, since the wave published before as well. Waves are
          halved (see the page on secrecy): the first and the last one, the one between...
        - transitions and statuses: the destinations of an origin (the statuses of a wave) are a
          line of `hide_small_groups`, and the rates go with the counts.
        - survival: rows are intervals of ``times``, halved likewise; events and losses are those of
          the interval, which ``time`` ends, and ``n_risk`` those at risk at its start. The curve
          is that of the intervals, since the original tells each date of exit. Those lost in an
          interval count until its end: the original is at most this curve, and equal to it where
          all are lost at the ends. ``se`` is Greenwood's, ``low`` and ``high`` are at 95 %, on
          the log scale.
        - attrition: the lost, kept, and all that tells them are hidden together.
        - balance: a covariate is hidden if one of its counts (a category or its contrary, its
          missing values, in an arm) is small, and with it the category by which it would be
          given back.
        - a decomposition: its ``published``.

    Raises
    ------
    BarometreError
        A result without protected form (exits, participation, cumulative incidence, models,
        effects), weights, a curve with delayed entries, a threshold or times that are no numbers.

    Notes
    -----
    Every result is protected by itself: two of the same people (with and without groups, at two
    thresholds, a retention and an attrition) may still give a count back together.

    Examples
    --------
    >>> from barometre.cohort import retention
    >>> rows = pd.DataFrame({"id": [*range(60), *range(45), *range(41)]})
    >>> rows["year"] = [2024] * 60 + [2025] * 45 + [2026] * 41
    >>> table = protect(retention(rows, person="id", wave="year"))
    >>> table[["wave", "n_expected", "n_present", "status"]].to_numpy().tolist()
    [[2024, 60, 60, 'publie'], [2025, <NA>, <NA>, 'secret'], [2026, 60, 41, 'publie']]
    """
    if not is_number(threshold) or threshold <= 1:
        raise BarometreError(f"threshold={threshold!r} refusé : donner un nombre supérieur à 1")
    if isinstance(result, ChangeDecomposition):
        return result.published(threshold)
    table = result if isinstance(result, pd.DataFrame) else getattr(result, "table", None)
    columns = set(table.columns) if isinstance(table, pd.DataFrame) else set()
    name = next((name for name, needed in _COLUMNS.items() if needed <= columns), None)
    if name is None or not isinstance(table, pd.DataFrame):
        raise BarometreError(
            "résultat sans forme protégée ; en ont une : rétention, transitions, distribution des"
            " statuts, courbe de survie, attrition, équilibre des bras, décomposition"
        )
    if name != "survie" and times is not None:
        raise BarometreError("times ne vaut que pour une courbe de survie")
    plain = pd.DataFrame(table).reset_index(drop=True)
    weighted = [one for one in plain if one in _COUNTS and pd.api.types.is_float_dtype(plain[one])]
    if weighted:
        raise BarometreError(
            f"{', '.join(weighted)} : sommes de poids ; protéger le résultat sans poids, dont les"
            " effectifs sont des personnes"
        )
    if name == "survie":
        shown = _survival(plain, threshold, times)
    else:
        shown = _FORMS[name](plain, threshold)
    return tidy(shown, method=f"{name}, forme protégée", threshold=threshold)


_COUNTS = {"n", "n_expected", "n_present", "n_risk", "n_event", "n_lost", "n_treated", "n_control"}
_COLUMNS = {
    "rétention": {"n_expected", "n_present", "n_away", "n_gone", "retention"},
    "transitions": {"from", "to", "n"},
    "statuts": {"wave", "state", "n", "share"},
    "survie": {"time", "n_risk", "n_event", "n_censor", "survival"},
    "équilibre": {"variable", "mean_treated", "mean_control", "n_treated", "n_control"},
    "attrition": {"group", "n", "n_lost", "rate"},
}


def _secret(table: pd.DataFrame, hidden: Booleans, columns: Sequence[str]) -> pd.DataFrame:
    """Hide columns of some rows, and say so in ``status``."""
    masked = {name: _masked(table[name], hidden) for name in columns}
    status = pd.Series(np.where(hidden, SECRET, PUBLISHED), table.index, dtype="str")
    return table.assign(**masked, status=status)


def _masked(column: pd.Series[Any], hidden: Booleans) -> pd.Series[Any]:
    whole = pd.api.types.is_integer_dtype(column)
    return (column.astype("Int64") if whole else column.astype("float64")).mask(hidden)


def _groups(table: pd.DataFrame) -> Iterator[RowNumbers]:
    """Yield the rows of each group, in order."""
    if "group" not in table:
        yield np.arange(len(table))
        return
    codes = table.groupby("group", sort=False, observed=True, dropna=False).ngroup().to_numpy()
    for code in range(int(codes.max(initial=-1)) + 1):
        yield np.flatnonzero(codes == code)


# ---- lines --------------------------------------------------------------------------------------


def _transitions(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    return _lines(table, "from", "to", threshold)


def _states(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    return _lines(table, "wave", "state", threshold)


def _lines(table: pd.DataFrame, line: str, row: str, threshold: float) -> pd.DataFrame:
    keys = [name for name in ("group", line) if name in table]
    shown = hide_small_groups(table, "n", threshold=threshold, within=keys, keep=row)
    return pd.DataFrame(shown).drop(columns="total_status").astype({"n": "Int64"})


# ---- running counts -----------------------------------------------------------------------------


def _retention(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    counts = ["n_expected", "n_present", "n_away", "n_gone"]
    hidden = np.ones(len(table), np.bool_)
    for rows in _groups(table):
        values = table.loc[rows, counts].to_numpy(np.float64)
        told = np.asarray(~is_small(values, threshold).any(axis=1), np.bool_)
        # By time since entry the expected are fewer and fewer: nobody leaves their number but by
        # the end of the survey, and those gone are not added up.
        running = values[:, [0, 3]] if "wave" in table else values[:, [0]]
        hidden[rows] = ~kept_steps(np.abs(np.diff(running, axis=0)), told, threshold=threshold)
    return _secret(table, hidden, [*counts, "retention", "low", "high"])


def _survival(table: pd.DataFrame, threshold: float, times: Sequence[float] | None) -> pd.DataFrame:
    marks = _marks(table, times)
    parts = []
    for rows in _groups(table):
        part = _intervals(table.loc[rows], marks, threshold)
        if "group" in table:
            part.insert(0, "group", table["group"].iloc[np.repeat(rows[:1], len(part))].to_numpy())
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _marks(table: pd.DataFrame, times: Sequence[float] | None) -> Floats:
    """Return the times at which a curve may be told, from 0 on."""
    if times is None:
        last = table["time"].max()
        return np.arange(0.0, (0.0 if np.isnan(last) else np.ceil(last)) + 1)
    marks = np.array([time if is_number(time) else np.nan for time in times], np.float64)
    if not len(marks) or not (np.diff(marks) > 0).all() or not marks[0] >= 0:
        raise BarometreError("times refusé : donner des nombres croissants, 0 ou plus")
    return marks if marks[0] == 0 else np.concatenate([[0.0], marks])


def _intervals(curve: pd.DataFrame, marks: Floats, threshold: float) -> pd.DataFrame:
    """Add a curve up between the times that may be told, and write its life table."""
    time = curve["time"].to_numpy(np.float64)
    exits = curve[["n_event", "n_censor"]].to_numpy(np.float64)
    risk = curve["n_risk"].to_numpy(np.float64)
    if (np.diff(risk) != -exits[:-1].sum(axis=1)).any():
        raise BarometreError("courbe à entrées différées : elle n'a pas de forme protégée")
    # Exits at time 0 are of the first interval; those after the last time, of none.
    steps = np.maximum(np.searchsorted(marks, time), 1) - 1
    flows = np.zeros((max(len(marks) - 1, 0), 2))
    inside = steps < len(flows)
    np.add.at(flows, steps[inside], exits[inside])
    everyone = float(risk[0]) if len(risk) else 0.0
    at_risk = everyone - np.concatenate([[0.0], flows.sum(axis=1).cumsum()])
    told = ~is_small(at_risk, threshold)
    kept = np.flatnonzero(kept_steps(flows, told, threshold=threshold))
    sums = np.vstack([np.zeros(2), flows.cumsum(axis=0)])
    if len(kept) < 2:
        nothing = {name: [np.nan] for name in ("survival", "se", "low", "high")}
        none = pd.array([pd.NA], dtype="Int64")
        counts = {"n_risk": none, "n_event": none, "n_censor": none}
        return pd.DataFrame({"time": marks[-1:], **counts, **nothing, "status": SECRET})
    event, censor = np.diff(sums[kept], axis=0).T
    return pd.DataFrame(
        {
            "time": marks[kept[1:]],
            **{
                name: pd.array(np.rint(values).astype(np.int64), dtype="Int64")
                for name, values in (
                    ("n_risk", at_risk[kept[:-1]]), ("n_event", event), ("n_censor", censor),
                )
            },
            **_life_table(at_risk[kept[:-1]], event),
            "status": PUBLISHED,
        }
    )  # fmt: skip


def _life_table(n_risk: Floats, event: Floats) -> dict[str, Floats]:
    """Return the curve of intervals whose losses come last, its error and its limits."""
    share = np.divide(event, n_risk, out=np.zeros_like(event), where=n_risk > 0)
    survival = np.cumprod(1 - share)
    left = n_risk * (n_risk - event)
    spread = np.cumsum(np.divide(event, left, out=np.full_like(event, np.nan), where=left > 0))
    relative = np.where(survival > 0, np.sqrt(spread), np.nan)
    low, high = limits(survival, relative, "log", half_width("log", _LEVEL))
    return {"survival": survival, "se": survival * relative, "low": low, "high": high}


# ---- arms ---------------------------------------------------------------------------------------


def _attrition(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    arms = table[table["group"] != "difference"]
    n, lost = arms["n"].to_numpy(np.float64), arms["n_lost"].to_numpy(np.float64)
    few = bool(is_small(n, threshold).any())
    small = few or bool(is_small(np.concatenate([lost, n - lost]), threshold).any())
    figures = [str(name) for name in table if name not in ("group", *([] if few else ["n"]))]
    return _secret(table, np.full(len(table), small), figures)


def _balance(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    hidden = is_small(table["n_missing"].to_numpy(np.float64), threshold)
    names = table["variable"].astype(str)
    covariate = pd.factorize(names.str.split("=", n=1).str[0])[0]
    ratio = table.get("var_ratio_before", table["var_ratio"])
    for arm in ("treated", "control"):
        n = table[f"n_{arm}"].to_numpy(np.float64)
        missing = n.max(initial=0.0) - n
        hidden |= is_small(n, threshold) | is_small(missing, threshold)
        mean = table.get(f"mean_{arm}_before", table[f"mean_{arm}"]).to_numpy(np.float64)
        yes = np.nan_to_num(np.rint(mean * n))
        # A yes/no covariate has no ratio of variances; its mean is a number of people.
        counted = ratio.isna().to_numpy() & (yes >= 0) & (yes <= n)
        for one in range(int(covariate.max(initial=-1)) + 1):
            rows = np.flatnonzero(counted & (covariate == one))
            if not len(rows):
                continue
            rest = n[rows].max() - yes[rows].sum()
            line = np.append(yes[rows], max(rest, 0.0))
            whole = hide_in_lines(line, np.zeros(len(line), np.intp), threshold=threshold)
            hidden[rows] |= whole.rows[:-1]
            if len(rows) == 1 or (whole.rows[-1] and rest > 0):
                hidden[rows] |= whole.rows.any()
    figures = [str(name) for name in table if name != "variable"]
    return _secret(table, hidden, figures)


_FORMS: dict[str, Form] = {
    "rétention": _retention,
    "transitions": _transitions,
    "statuts": _states,
    "équilibre": _balance,
    "attrition": _attrition,
}
