"""Follow-up: who is seen at which wave, how many stay, when and why the others leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Integers
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.face import level_text, number_text, percent_text
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.follow.status_table import ABSENT, StatusTable, status_table
from barometre.cohort.rows.keys import positions
from barometre.cohort.rows.panel import PanelRows
from barometre.engine.sampling import score_interval

Clock = Literal["calendar", "entry"]

UNKNOWN = "unknown"
"""Reason of those who left without any."""


def participation_patterns(
    frame: pd.DataFrame,
    *,
    person: str,
    wave: str,
    observed: str | None = None,
    limit: int | None = None,
) -> Tidy:
    """Count the people by the waves at which they are seen: the table of Stata's ``xtdescribe``.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    person, wave : str
        Columns.
    observed : str, optional
        Column that says whether the person is seen at that wave: booleans, else a column that is
        missing when she is not (an outcome). Every row counts by default.
    limit : int, optional
        Number of patterns shown, the most frequent first; the rest is one line, ``"(autres)"``.

    Returns
    -------
    Tidy
        ``pattern`` (one character per wave: ``1`` seen, ``.`` not), ``n``, ``percent``,
        ``cumulative`` (per cent). Those who are seen at no wave are counted in ``.meta["lost"]``,
        which also has the ``waves``.

    Raises
    ------
    BarometreError
        An unknown column, a limit below 1; what `Cohort` refuses.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 3, 3], "year": [2024, 2026, 2025, 2024, 2026]})
    >>> table = participation_patterns(rows, person="id", wave="year")
    >>> table[["pattern", "n"]].to_numpy().tolist()
    [['1.1', 2], ['.1.', 1]]
    """
    return panel_participation_patterns(
        PanelRows(frame, person, wave), observed=observed, limit=limit
    )


def panel_participation_patterns(
    panel: PanelRows, *, observed: str | None = None, limit: int | None = None
) -> Tidy:
    """Count `participation_patterns` on a panel."""
    if limit is not None and not (isinstance(limit, Integral) and limit >= 1):
        raise BarometreError(f"limit {limit} : donner au moins 1 profil")
    table = _presence(panel, observed, None)
    seen = (table.state != ABSENT)[:, table.met]
    code = np.zeros(seen.shape[1], np.int64)
    for byte in np.packbits(seen, axis=0):  # eight waves at a time, numbered again after each
        code, _ = positions(pd.Series(code * 256 + byte))
    counts = np.bincount(code)
    example = np.zeros(len(counts), np.int64)
    example[code] = np.arange(len(code))
    patterns = ["".join(".1"[bool(mark)] for mark in seen[:, one]) for one in example]
    frame = pd.DataFrame({"pattern": pd.array(patterns, "str"), "n": counts.astype(np.int64)})
    frame = frame.sort_values(["n", "pattern"], ascending=False, ignore_index=True)
    if limit is not None and len(frame) > limit:
        others = pd.DataFrame({"pattern": ["(autres)"], "n": [frame["n"][limit:].sum()]})
        frame = pd.concat([frame.head(limit), others], ignore_index=True)
    return tidy(
        _shares(frame), sentences=_pattern_sentences, **_meta(table, "profils de participation")
    )


def _pattern_sentences(table: pd.DataFrame) -> list[str]:
    return [
        f"Profil {row['pattern']} : {percent_text(row['percent'] / 100)}."
        for row in table.head(3).to_dict("records")
    ]


def waves_per_person(
    frame: pd.DataFrame, *, person: str, wave: str, observed: str | None = None
) -> Tidy:
    """Count the people by the number of waves at which they are seen.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    person, wave : str
        Columns of the person and of the wave.
    observed : str, optional
        Column that says who is seen, as in `participation_patterns`; every row counts by default.

    Returns
    -------
    Tidy
        ``n_waves``, ``n``, ``percent``, ``cumulative``; ``.meta["quantiles"]`` has the minimum, the
        5, 25, 50, 75, 95 % quantiles and the maximum, as ``xtdescribe`` shows them (the mean of the
        two neighbours at a step).

    Raises
    ------
    BarometreError
        As `participation_patterns`.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 3, 3], "t": [1, 2, 1, 1, 2]})
    >>> waves_per_person(rows, person="id", wave="t")[["n_waves", "n"]].to_numpy().tolist()
    [[1, 1], [2, 2]]
    """
    return panel_waves_per_person(PanelRows(frame, person, wave), observed=observed)


def panel_waves_per_person(panel: PanelRows, *, observed: str | None = None) -> Tidy:
    """Count `waves_per_person` on a panel."""
    table = _presence(panel, observed, None)
    sizes = (table.state != ABSENT)[:, table.met].sum(axis=0)
    found, counts = np.unique(sizes, return_counts=True)
    marks = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    quantiles = {
        mark: float(np.quantile(sizes, mark, method="averaged_inverted_cdf"))
        for mark in marks
        if len(sizes)
    }
    frame = pd.DataFrame({"n_waves": found.astype(np.int64), "n": counts.astype(np.int64)})
    meta = _meta(table, "nombre de vagues par personne")
    return tidy(_shares(frame), sentences=_count_sentences, **meta, quantiles=quantiles)


def _count_sentences(table: pd.DataFrame) -> list[str]:
    last = table.iloc[-1]
    return [
        f"Vues à {number_text(float(last['n_waves']))} vagues, le plus souvent possible : "
        f"{percent_text(float(last['percent']) / 100)}."
    ]


def _shares(frame: pd.DataFrame) -> pd.DataFrame:
    total = frame["n"].sum()
    return frame.assign(
        percent=100 * frame["n"] / total, cumulative=100 * frame["n"].cumsum() / total
    )


def retention(
    frame: pd.DataFrame,
    *,
    person: str,
    wave: str,
    by: str | None = None,
    observed: str | None = None,
    clock: Clock = "calendar",
    level: float = 0.95,
) -> Tidy:
    """Share of those expected who are seen, wave by wave.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    person, wave : str
        Columns of the person and of the wave.
    observed : str, optional
        Column that says who is seen, as in `participation_patterns`; every row counts by default.
    by : str, optional
        Column of the group; a person has that of the first row.
    clock : {"calendar", "entry"}, default "calendar"
        Count by wave, those who have already entered being expected; or by number of waves since
        entry, those being expected for whom that wave has taken place.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Tidy
        One row per group and wave: ``group`` (with ``by``), ``wave`` or ``since_entry``,
        ``n_expected``, ``n_present``, ``n_away`` (not seen, but seen later), ``n_gone`` (not seen
        any more), ``retention``, ``low``, ``high``. Share and interval are missing where nobody is
        expected. Who is never seen, or has no group, is counted in ``.meta["lost"]``.

    Raises
    ------
    BarometreError
        As `participation_patterns`; a clock that does not exist, a level outside 0-1.

    Notes
    -----
    Interval of Wilson (1927).

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 3, 3], "year": [2024, 2026, 2025, 2024, 2026]})
    >>> table = retention(rows, person="id", wave="year")
    >>> table[["n_expected", "n_present", "n_away", "n_gone"]].to_numpy().tolist()
    [[2, 2, 0, 0], [3, 1, 2, 0], [3, 2, 0, 1]]
    """
    panel = PanelRows(frame, person, wave)
    return panel_retention(panel, by, observed=observed, clock=clock, level=level)


def panel_retention(
    panel: PanelRows,
    by: str | None = None,
    *,
    observed: str | None = None,
    clock: Clock = "calendar",
    level: float = 0.95,
) -> Tidy:
    """Compute `retention` on a panel."""
    table = _presence(panel, observed, by)
    stays = _stays(table, clock)
    steps = np.arange(len(table.waves))[:, None]
    expected = (steps >= stays.entry) & (steps <= stays.final)
    n_expected = _by_group(table, expected)
    n_present = _by_group(table, expected & stays.seen)
    n_gone = _by_group(table, expected & (steps > stays.last))
    known = n_expected > 0
    share = np.divide(n_present, n_expected, out=np.full(known.shape, np.nan), where=known)
    low, high = score_interval(share, 1 / np.where(known, n_expected, np.nan), level)
    columns = {
        **_clock_column(table, clock, steps.ravel()),
        "n_expected": n_expected,
        "n_present": n_present,
        "n_away": n_expected - n_present - n_gone,
        "n_gone": n_gone,
        "retention": share,
        "low": low,
        "high": high,
    }
    meta = _meta(table, f"rétention, horloge {clock}", f"Wilson à {level_text(level)}")
    return tidy(table.stacked(columns), sentences=_retention_sentences, **meta)


def _retention_sentences(table: pd.DataFrame) -> list[str]:
    """Say the retention at the last wave of each group."""
    key = "wave" if "wave" in table else "since_entry"
    groups = (
        table.groupby("group", sort=False, observed=True) if "group" in table else [("", table)]
    )
    lines = []
    for group, rows in groups:
        row = rows.to_dict("records")[-1]
        name = f"{group}, " if group != "" else ""
        when = f"vague {row[key]}" if key == "wave" else f"{row[key]} vagues après l'entrée"
        low, high = percent_text(row["low"]), percent_text(row["high"])
        lines.append(
            f"{name}{when} : {percent_text(row['retention'])} de suivis "
            f"({number_text(row['n_present'])} sur {number_text(row['n_expected'])} attendus), "
            f"intervalle [{low} ; {high}]."
        )
    return lines


def exits(
    frame: pd.DataFrame,
    *,
    person: str,
    wave: str,
    reason: str | None = None,
    by: str | None = None,
    observed: str | None = None,
    clock: Clock = "calendar",
) -> Tidy:
    """Count those who are not seen any more, by the first wave they miss and by reason.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    person, wave : str
        Columns of the person and of the wave.
    observed : str, optional
        Column that says who is seen, as in `participation_patterns`; every row counts by default.
    by : str, optional
        Column of the group; a person has that of the first row.
    clock : {"calendar", "entry"}, default "calendar"
        Waves, or number of waves since entry, as in `retention`.
    reason : str, optional
        Column of the reason of the exit: that of the last row of the person where it is not
        missing, from the last wave seen on; ``"unknown"`` where there is none. A cohort without
        ``reason`` counts exits by ``last_status``, the last status known, which says what people
        were and not why they left.

    Returns
    -------
    Tidy
        One row per group, wave (from the second one) and reason, zeros included: ``group`` (with
        ``by``), ``wave`` or ``since_entry``, ``reason`` (or ``last_status``), ``n``, ``n_at_risk``
        (in at the wave before, or away and back later), ``rate`` (missing without anybody at risk).
        Those seen at the last wave have not left. Without any exit the only reason is
        ``"unknown"``.

    Raises
    ------
    BarometreError
        As `retention`.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 3, 3], "t": [1, 2, 1, 1, 2], "why": list("xxmxx")})
    >>> table = exits(rows, person="id", wave="t", reason="why")
    >>> table[["wave", "reason", "n", "n_at_risk"]].to_numpy().tolist()
    [[2, 'm', 1, 3]]
    """
    panel = PanelRows(frame, person, wave)
    return panel_exits(panel, by, reason=reason, observed=observed, clock=clock)


def panel_exits(
    panel: PanelRows,
    by: str | None = None,
    *,
    reason: str | None = None,
    observed: str | None = None,
    clock: Clock = "calendar",
) -> Tidy:
    """Count `exits` on a panel, by last status known unless a reason is named."""
    table = _presence(panel, observed, by)
    stays = _stays(table, clock)
    leaves, gone = stays.last < stays.final, stays.last + 1
    code, reasons = _reasons(panel, reason or panel.status, stays, leaves)
    steps = np.arange(1, max(len(table.waves), 1))[:, None]
    inside = (steps > stays.entry) & (steps <= stays.final)
    at_risk = _by_group(table, inside & (steps <= gone))
    counts = np.stack(
        [_by_group(table, leaves & (steps == gone) & (code == k)) for k in range(len(reasons))],
        axis=-1,
    )
    total = np.repeat(at_risk[:, :, None], len(reasons), axis=2)
    by_status = reason is None and panel.status is not None
    columns = {
        **_clock_column(table, clock, np.repeat(steps.ravel(), len(reasons))),
        "last_status" if by_status else "reason": reasons.take(
            np.tile(np.arange(len(reasons)), len(steps))
        ),
        "n": counts,
        "n_at_risk": total,
        "rate": np.divide(counts, total, out=np.full(total.shape, np.nan), where=total > 0),
    }
    told = (
        "dernier statut connu, qui n'est pas une raison" if by_status else "dernière raison connue"
    )
    convention = f"première vague manquée ; {told}"
    meta = _meta(table, f"sorties, horloge {clock}", convention)
    return tidy(table.stacked(columns), sentences=_exit_sentences, **meta)


def _exit_sentences(table: pd.DataFrame) -> list[str]:
    """Say how many left, all waves together, by reason or last status."""
    by_status = "last_status" in table
    key = "last_status" if by_status else "reason"
    counts = table.groupby(key, sort=False, observed=True)["n"].sum()
    parts = [f"{value} {number_text(float(n))}" for value, n in counts.items() if n]
    lead = "Sorties, par dernier statut connu" if by_status else "Sorties"
    return [f"{lead} : {', '.join(parts)}." if parts else "Personne n'est sorti."]


# ---- shared -------------------------------------------------------------------------------------


def _presence(panel: PanelRows, observed: str | None, by: str | None) -> StatusTable:
    """Lay out who is seen when: a status table of a single status."""
    seen = np.ones(len(panel.frame), np.bool_)
    if observed is not None:
        column = panel.column(observed)
        flags = column if pd.api.types.is_bool_dtype(column) else column.notna()
        seen = flags.astype("boolean").fillna(value=False).to_numpy(np.bool_)
    return status_table(panel, pd.Series(np.where(seen, 1.0, np.nan)), by=by, constant=True)


@dataclass(frozen=True)
class _Stays:
    """When each person is in, counted by a clock; who is never seen is never expected.

    ``seen`` has one row per step; ``entry``, ``last`` and ``final`` are the steps of the first wave
    seen, of the last one, and of the end of the survey.
    """

    seen: Booleans
    entry: Integers
    last: Integers
    final: Integers
    last_wave: Integers


def _stays(table: StatusTable, clock: str) -> _Stays:
    if clock not in get_args(Clock):
        raise UnknownNameError("choix d'horloge", str(clock), get_args(Clock))
    seen = table.state != ABSENT
    end = len(table.waves) - 1
    if not seen.size:
        none = np.zeros(seen.shape[1], np.int64)
        return _Stays(seen, none, none, none - 1, none)
    entry, last = seen.argmax(axis=0), end - seen[::-1].argmax(axis=0)
    final = np.full(len(entry), end)
    if clock == "entry":
        steps = entry + np.arange(end + 1)[:, None]
        shifted = np.take_along_axis(seen, np.minimum(steps, end), axis=0) & (steps <= end)
        stays = _Stays(shifted, np.zeros_like(entry), last - entry, final - entry, last)
    else:
        stays = _Stays(seen, entry, last, final, last)
    return replace(stays, final=np.where(table.met, stays.final, -1))


def _by_group(table: StatusTable, people: Booleans) -> Integers:
    """Count people by group (rows) and step (columns)."""
    counts = np.zeros((len(table.groups), len(people)), np.int64)
    for step, here in enumerate(people):
        counts[:, step] = np.rint(table.cells(0, here.astype(np.int64), 2)[:, 1])
    return counts


def _clock_column(table: StatusTable, clock: Clock, steps: Integers) -> dict[str, pd.Index]:
    if clock == "entry":
        return {"since_entry": pd.Index(steps)}
    return {"wave": table.waves.take(steps)}


def _reasons(
    panel: PanelRows, reason: str | None, stays: _Stays, leaves: Booleans
) -> tuple[Integers, pd.Index]:
    """Return the reason of each person, by its position, and the reasons of those who leave."""
    words = np.full(len(leaves), UNKNOWN, dtype=object)
    if reason is not None:
        column = panel.column(reason)
        who, when = panel.codes
        known = column.notna().to_numpy() & (when >= stays.last_wave[who])
        latest = np.full(len(leaves), -1, np.int64)
        np.maximum.at(latest, who[known], when[known])
        rows = np.flatnonzero(known & (when == latest[who]))
        words[who[rows]] = column.iloc[rows].astype(object)
    code_of, reasons = positions(pd.Series(words[leaves], dtype=object), sort=True)
    code = np.full(len(leaves), -1, np.int64)
    code[leaves] = code_of
    return code, reasons if len(reasons) else pd.Index([UNKNOWN], dtype="str")


def _meta(table: StatusTable, method: str, convention: str = "") -> dict[str, Any]:
    """Say what was used."""
    unseen = int((~table.met).sum())
    ungrouped = int((table.met & ~table.in_group(0)).sum()) if table.n_people else 0
    lost = {"jamais vu": unseen, "groupe manquant": ungrouped}
    return {
        "method": method,
        "convention": convention,
        "n_in": table.n_people,
        "n_used": table.n_people - unseen - ungrouped,
        "lost": {why: number for why, number in lost.items() if number},
        "waves": table.waves.tolist(),
    }
