"""Follow-up: who is seen at which wave, how many stay, when and why the others leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.french import format_number
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.risk_sets import Values, as_column
from barometre.cohort.follow.status_table import ABSENT, StatusTable, status_table
from barometre.cohort.rows.columns import same_rows
from barometre.cohort.rows.keys import Integers, positions
from barometre.engine.sampling import score_interval

Clock = Literal["calendar", "entry"]
Booleans = npt.NDArray[np.bool_]

UNKNOWN = "unknown"
"""Reason of those who left without any."""


def participation_patterns(
    person: Values, wave: Values, *, observed: Values = None, limit: int | None = None
) -> Tidy:
    """Count the people by the waves at which they are seen: the table of Stata's ``xtdescribe``.

    Parameters
    ----------
    person, wave : array-like
        One row per person and wave.
    observed : array-like of bool, optional
        Whether the person is seen at that wave; every row counts by default. For those whose
        outcome is known, give ``frame["outcome"].notna()``.
    limit : int, optional
        Number of patterns shown, the most frequent first; the rest is one line, ``"(autres)"``.

    Returns
    -------
    Tidy
        ``pattern`` (one character per wave: ``1`` seen, ``.`` not), ``n``, ``percent``,
        ``cumulative`` (per cent). Those who are seen at no wave are counted in ``.meta["lost"]``,
        which also has the ``waves``. Empty without anybody.

    Raises
    ------
    BarometreError
        Columns misaligned, person or wave missing, a person twice at a wave, ``observed`` that is
        not boolean, a limit below 1.

    Examples
    --------
    >>> table = participation_patterns([1, 1, 2, 3, 3], [2024, 2026, 2025, 2024, 2026])
    >>> table[["pattern", "n"]].to_numpy().tolist()
    [['1.1', 2], ['.1.', 1]]
    """
    if limit is not None and not (isinstance(limit, Integral) and limit >= 1):
        raise BarometreError(f"limit {limit} : donner au moins 1 profil")
    table = _presence(person, wave, observed, None)
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
    return tidy(_shares(frame), **_meta(table, "profils de participation"))


def waves_per_person(person: Values, wave: Values, *, observed: Values = None) -> Tidy:
    """Count the people by the number of waves at which they are seen.

    Parameters
    ----------
    person, wave, observed
        As in `participation_patterns`.

    Returns
    -------
    Tidy
        ``n_waves``, ``n``, ``percent``, ``cumulative``; ``.meta["quantiles"]`` has the minimum, the
        5, 25, 50, 75, 95 % quantiles and the maximum, as ``xtdescribe`` shows them (the mean of the
        two neighbours at a step). Empty without anybody.

    Raises
    ------
    BarometreError
        As `participation_patterns`.

    Examples
    --------
    >>> waves_per_person([1, 1, 2, 3, 3], [1, 2, 1, 1, 2])[["n_waves", "n"]].to_numpy().tolist()
    [[1, 1], [2, 2]]
    """
    table = _presence(person, wave, observed, None)
    sizes = (table.state != ABSENT)[:, table.met].sum(axis=0)
    found, counts = np.unique(sizes, return_counts=True)
    marks = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    quantiles = {
        mark: float(np.quantile(sizes, mark, method="averaged_inverted_cdf"))
        for mark in marks
        if len(sizes)
    }
    frame = pd.DataFrame({"n_waves": found.astype(np.int64), "n": counts.astype(np.int64)})
    return tidy(
        _shares(frame), **_meta(table, "nombre de vagues par personne"), quantiles=quantiles
    )


def _shares(frame: pd.DataFrame) -> pd.DataFrame:
    total = frame["n"].sum()
    return frame.assign(
        percent=100 * frame["n"] / total, cumulative=100 * frame["n"].cumsum() / total
    )


def retention(
    person: Values,
    wave: Values,
    *,
    observed: Values = None,
    by: Values = None,
    clock: Clock = "calendar",
    level: float = 0.95,
) -> Tidy:
    """Share of those expected who are seen, wave by wave.

    Parameters
    ----------
    person, wave, observed
        As in `participation_patterns`.
    by : array-like, optional
        Groups; a person has that of the first row.
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
    >>> table = retention([1, 1, 2, 3, 3], [2024, 2026, 2025, 2024, 2026])
    >>> table[["n_expected", "n_present", "n_away", "n_gone"]].to_numpy().tolist()
    [[2, 2, 0, 0], [3, 1, 2, 0], [3, 2, 0, 1]]
    """
    table = _presence(person, wave, observed, by)
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
    meta = _meta(table, f"rétention, horloge {clock}", f"Wilson à {format_number(100 * level)} %")
    return tidy(table.stacked(columns), **meta)


def exits(
    person: Values,
    wave: Values,
    reason: Values = None,
    *,
    observed: Values = None,
    by: Values = None,
    clock: Clock = "calendar",
) -> Tidy:
    """Count those who are not seen any more, by the first wave they miss and by reason.

    Parameters
    ----------
    person, wave, observed, by, clock
        As in `retention`.
    reason : array-like, optional
        Reason of the exit, or status: that of the last row of the person where it is not missing,
        from the last wave seen on; ``"unknown"`` where there is none.

    Returns
    -------
    Tidy
        One row per group, wave (from the second one) and reason, zeros included: ``group`` (with
        ``by``), ``wave`` or ``since_entry``, ``reason``, ``n``, ``n_at_risk`` (in at the wave
        before, or away and back later), ``rate`` (missing without anybody at risk). Those seen at
        the last wave have not left. Without any exit the only reason is ``"unknown"``.

    Raises
    ------
    BarometreError
        As `retention`.

    Examples
    --------
    >>> table = exits([1, 1, 2, 3, 3], [1, 2, 1, 1, 2], ["x", "x", "moved", "x", "x"])
    >>> table[["wave", "reason", "n", "n_at_risk"]].to_numpy().tolist()
    [[2, 'moved', 1, 3]]
    """
    table = _presence(person, wave, observed, by)
    stays = _stays(table, clock)
    leaves, gone = stays.last < stays.final, stays.last + 1
    code, reasons = _reasons(person, wave, reason, stays, leaves)
    steps = np.arange(1, max(len(table.waves), 1))[:, None]
    inside = (steps > stays.entry) & (steps <= stays.final)
    at_risk = _by_group(table, inside & (steps <= gone))
    counts = np.stack(
        [_by_group(table, leaves & (steps == gone) & (code == k)) for k in range(len(reasons))],
        axis=-1,
    )
    total = np.repeat(at_risk[:, :, None], len(reasons), axis=2)
    columns = {
        **_clock_column(table, clock, np.repeat(steps.ravel(), len(reasons))),
        "reason": reasons.take(np.tile(np.arange(len(reasons)), len(steps))),
        "n": counts,
        "n_at_risk": total,
        "rate": np.divide(counts, total, out=np.full(total.shape, np.nan), where=total > 0),
    }
    said = "première vague manquée ; dernière raison connue"
    return tidy(table.stacked(columns), **_meta(table, f"sorties, horloge {clock}", said))


# ---- shared -------------------------------------------------------------------------------------


def _presence(person: Values, wave: Values, observed: Values, by: Values) -> StatusTable:
    """Lay out who is seen when: a status table of a single status."""
    status: Values = np.ones(len(as_column("person", person)))
    if observed is not None:
        flags = as_column("observed", observed)
        if len(flags) and not pd.api.types.is_bool_dtype(flags):
            raise BarometreError(
                f"observed de type {flags.dtype} : donner des booléens, frame['...'].notna() par"
                " exemple"
            )
        seen = flags.astype("boolean").fillna(value=False).to_numpy(np.bool_)
        status = np.where(seen, 1.0, np.nan)
        if isinstance(observed, pd.Series):  # its index is compared with those of the others
            status = pd.Series(status, index=observed.index)
    return status_table(person, wave, status, None, by, "drop", constant=True)


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
    person: Values, wave: Values, reason: Values, stays: _Stays, leaves: Booleans
) -> tuple[Integers, pd.Index]:
    """Return the reason of each person, by its position, and the reasons of those who leave."""
    words = np.full(len(leaves), UNKNOWN, dtype=object)
    if reason is not None:
        given = {"person": person, "wave": wave, "reason": reason}
        columns = {name: as_column(name, value) for name, value in given.items()}
        same_rows(given)
        who, _ = positions(columns["person"])
        when, _ = positions(columns["wave"], sort=True)
        said = columns["reason"].notna().to_numpy() & (when >= stays.last_wave[who])
        latest = np.full(len(leaves), -1, np.int64)
        np.maximum.at(latest, who[said], when[said])
        rows = np.flatnonzero(said & (when == latest[who]))
        words[who[rows]] = columns["reason"].iloc[rows].astype(object)
    found, reasons = positions(pd.Series(words[leaves], dtype=object), sort=True)
    code = np.full(len(leaves), -1, np.int64)
    code[leaves] = found
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
