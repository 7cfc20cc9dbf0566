"""Durations made ready: who is kept, who is lost and why, who is at risk at each time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError
from barometre.base.french import format_number
from barometre.cohort.rows.columns import same_rows
from barometre.cohort.rows.keys import positions

Values: TypeAlias = Any
"""A column as pandas users have it: Series, array or list."""

ROUNDING = 1e-11  # gap of times, relative to the longest: differences of dates lose 4 digits or so
EQUAL = 1e-12  # relative gap under which a risk set, a sum of weights, is emptied by its events


@dataclass(frozen=True)
class Spells:
    """Durations kept, and what was lost.

    ``cause`` is 0 when censored; ``entry`` is minus infinity without delayed entry; ``group`` is a
    position in ``labels``, ``stratum`` a position too.
    """

    duration: Floats
    cause: Integers
    entry: Floats
    weight: Floats
    group: Integers
    stratum: Integers
    labels: pd.Index
    grouped: bool
    weighted: bool
    n_in: int
    lost: dict[str, int]

    def keep(self, rows: Booleans | Integers) -> Spells:
        """Keep some rows."""
        names = ("duration", "cause", "entry", "weight", "group", "stratum")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def cut(self, codes: Integers, number: int) -> Iterator[Spells]:
        """Give the rows of each code from 0 on, in order, sorted once however many there are."""
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(number + 1))
        for start, end in pairwise(ends):
            yield self.keep(order[start:end])

    def by_group(self) -> Iterator[tuple[Any, Spells]]:
        """Give each group in order; all the people, without name, when there is no group."""
        if not self.grouped or not len(self.labels):
            yield None, self
            return
        yield from zip(self.labels, self.cut(self.group, len(self.labels)), strict=True)

    def meta(self, method: str, convention: str) -> dict[str, Any]:
        """Say what was used."""
        return {
            "method": method,
            "convention": convention,
            "n_in": self.n_in,
            "n_used": len(self.duration),
            "lost": dict(self.lost),
        }


def as_spells(
    duration: Values,
    cause: Values,
    *,
    by: Values = None,
    entry: Values = None,
    weight: Values = None,
    strata: Values = None,
    competing: bool = False,
) -> Spells:
    """Check and align columns of durations.

    Parameters
    ----------
    duration : array-like of float
        Time of the exit, at least 0.
    cause : array-like
        0 (or False) when censored, 1 (or True) for the event; other integers are other causes when
        ``competing``.
    by, strata : array-like, optional
        Groups and strata.
    entry : array-like of float, optional
        Time from which the person is at risk.
    weight : array-like of float, optional
        Weights, at least 0, not all 0.
    competing : bool, default False
        Accept several causes.

    Returns
    -------
    Spells
        What is complete; the missing values are counted in ``lost``, as are those who were never
        at risk (exit at or before entry, weight of 0).

    Raises
    ------
    BarometreError
        Columns of different lengths or indexes, that are no numbers; negative or infinite
        durations; events other than 0 and 1; negative or missing weights.
    """
    said = "cause" if competing else "event"
    given = {"duration": duration, said: cause, "by": by, "entry": entry}
    given |= {"weight": weight, "strata": strata}
    if cause is None:
        raise BarometreError(f"{said} manquant : donner une colonne, une valeur par durée")
    columns = {name: as_column(name, value) for name, value in given.items() if value is not None}
    same_rows(given)
    time, code = numbers("duration", columns["duration"]), numbers(said, columns[said])
    begin = numbers("entry", columns["entry"]) if "entry" in columns else None
    mass = numbers("weight", columns["weight"]) if "weight" in columns else np.ones(len(time))
    _check_values(time, code, mass, competing)
    if begin is None:
        (time,), begin = _without_rounding(time), np.full(len(time), -np.inf)
    else:
        time, begin = _without_rounding(time, begin)
    groups, labels = _positions(columns.get("by"), len(time))
    layers, _ = _positions(columns.get("strata"), len(time))
    reasons = {
        "durée manquante": np.isnan(time),
        "événement manquant": np.isnan(code),
        "entrée manquante": np.isnan(begin),
        "groupe manquant": groups < 0,
        "strate manquante": layers < 0,
        "poids nul": mass == 0,
        "sortie avant l'entrée": time <= begin,
    }
    lost, kept = {}, np.ones(len(time), np.bool_)
    for reason, rows in reasons.items():
        if number := int((rows & kept).sum()):
            lost[reason] = number
        kept &= ~rows
    every = Spells(
        duration=time,
        cause=np.where(kept, code, 0).astype(np.int64),
        entry=begin,
        weight=mass,
        group=groups,
        stratum=layers,
        labels=labels,
        grouped=by is not None,
        weighted=weight is not None,
        n_in=len(time),
        lost=lost,
    )
    return every.keep(kept) if lost else every


def as_column(name: str, values: Values) -> pd.Series[Any]:
    """Return a column as a Series, or refuse what is no column."""
    if isinstance(values, pd.Series):
        return values
    if np.ndim(values) != 1 or isinstance(values, (str, bytes, dict, set)):
        raise BarometreError(f"{name} : une colonne est attendue (Series, tableau ou liste)")
    return pd.Series(values, dtype="float64" if len(values) == 0 else None)


def numbers(name: str, column: pd.Series[Any]) -> Floats:
    """Return a column of numbers as floats, missing values as NaN."""
    if column.dtype == object and not column.map(lambda value: isinstance(value, str)).any():
        with contextlib.suppress(TypeError, ValueError):  # refused below, in words
            column = column.astype("Float64")
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        raise BarometreError(
            f"{name} : des nombres sont attendus, pas {column.dtype} ; les convertir avant"
        )
    return column.to_numpy(np.float64, na_value=np.nan)


def _check_values(time: Floats, code: Floats, mass: Floats, competing: bool) -> None:
    faults = []
    if (time < 0).any() or np.isinf(time).any():
        faults.append("durée négative ou infinie : compter depuis l'origine de chaque personne")
    known = code[~np.isnan(code)]
    if competing and ((known < 0) | (known != np.round(known))).any():
        faults.append("cause qui n'est pas un entier positif : 0 = censuré, 1, 2... = causes")
    if not competing and ((known != 0) & (known != 1)).any():
        found = ", ".join(format_number(v) for v in np.unique(known)[:4])
        faults.append(
            f"événement codé {found} : donner 0 ou 1 (1 ou 2 chez d'autres : écrire status == 2)"
        )
    if (mass < 0).any() or not np.isfinite(mass).all() or (len(mass) and not mass.any()):
        faults.append("poids négatif, manquant, infini, ou tous nuls : donner des nombres positifs")
    if faults:
        raise BarometreError("durées refusées : " + " ; ".join(faults))


def _without_rounding(*times: Floats) -> Iterator[Floats]:
    """Make equal the times that only rounding tells apart, as R does: 0.1 + 0.2 and 0.3."""
    known = np.unique(np.concatenate([np.unique(one) for one in times]))
    known = known[np.isfinite(known)]
    apart = np.diff(known) > ROUNDING * np.abs(known).max(initial=0)
    starts = known[np.append(np.ones(min(len(known), 1), np.bool_), apart)]
    for time in times:
        if apart.all():
            yield time
        else:
            place = np.searchsorted(starts, time, side="right") - 1
            yield np.where(np.isfinite(time), starts[place], time)


def _positions(column: pd.Series[Any] | None, size: int) -> tuple[Integers, pd.Index]:
    """Number the values of a column in order, -1 when missing."""
    if column is None:
        return np.zeros(size, np.int64), pd.Index([None], dtype=object)
    return positions(column, sort=True)


@dataclass(frozen=True)
class RiskTable:
    """Who is at risk, and what happens, at each distinct time of exit.

    ``exits`` and ``entries`` are positions of each person in ``time``: person at risk from
    ``entries`` (first time after the entry) to ``exits``, both included.
    """

    time: Floats
    n_risk: Floats
    events: dict[int, Floats]
    n_event: Floats
    n_censor: Floats
    exits: Integers
    entries: Integers

    @property
    def survivors(self) -> Floats:
        """People left after the events of each time, exactly 0 when nobody is."""
        left = self.n_risk - self.n_event
        return np.where(left > EQUAL * self.n_risk, left, 0.0)

    def surviving(self) -> Floats:
        """Kaplan-Meier estimate at each time."""
        survival: Floats = np.multiply.accumulate(self.survivors / self.n_risk)
        return survival

    def greenwood(self) -> Floats:
        """Terms of the variance of log S: d / (n (n - d)), 0 where nobody is left."""
        left = self.survivors
        safe = np.where(left > 0, left, np.inf)
        terms: Floats = self.n_event / (self.n_risk * safe)
        return terms


def risk_table(spells: Spells, causes: tuple[int, ...] = (1,)) -> RiskTable:
    """Count who is at risk and who leaves at each distinct time: at risk if entry < t <= exit."""
    time, exits = np.unique(spells.duration, return_inverse=True)
    size = len(time)

    def count(at: Integers, mass: Floats) -> Floats:
        counts: Floats = np.bincount(at, mass, minlength=size + 1)[:size].astype(np.float64)
        return counts

    entries = np.zeros(len(exits), np.int64)
    if np.isfinite(spells.entry).any():
        entries = np.searchsorted(time, spells.entry, side="right").astype(np.int64)
    of_cause = {c: spells.cause == c for c in causes}
    events = {c: count(exits, spells.weight * rows) for c, rows in of_cause.items()}
    happened = np.sum(list(events.values()), axis=0) if events else np.zeros(size)
    without = ~np.any(list(of_cause.values()), axis=0) if causes else np.ones(len(exits), np.bool_)
    censored = count(exits, spells.weight * without)
    # The sum of the exits, so that the last risk set is its exits to the last bit; less those who
    # are not in yet.
    leaving, waiting = from_end(happened + censored), from_end(count(entries, spells.weight))
    at_risk = leaving - np.append(waiting[1:], np.zeros(min(size, 1)))
    return RiskTable(time, at_risk, events, happened, censored, exits.astype(np.int64), entries)


def from_end(counts: Floats) -> Floats:
    """Sum from each position to the end."""
    sums: Floats = counts[::-1].cumsum()[::-1]
    return sums


def as_counts(values: Floats, spells: Spells) -> Any:
    """Write counts as integers, sums of weights as they are."""
    return values if spells.weighted else np.rint(values).astype(np.int64)


def with_group(label: Any, spells: Spells, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Make a frame of columns, with the group in front; its labels keep their type."""
    frame = pd.DataFrame(columns)
    if spells.grouped:
        rows = np.full(len(frame), spells.labels.get_loc(label) if len(spells.labels) else 0)
        frame.insert(0, "group", spells.labels.take(rows))
    return frame
