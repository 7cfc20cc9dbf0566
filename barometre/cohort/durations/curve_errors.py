"""Errors and intervals of survival curves: what each person weighs in them, on which scale."""

from __future__ import annotations

from numbers import Real
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cohort.durations.risk_sets import RiskTable, Spells

Interval = Literal["log", "log-log", "plain"]


def half_width(conf_type: str, level: float) -> float:
    """Return the normal quantile of a level, once level and scale are known to be right."""
    if conf_type not in get_args(Interval):
        raise UnknownNameError("intervalle", str(conf_type), get_args(Interval))
    if not (isinstance(level, Real) and 0 < level < 1):
        raise BarometreError(f"niveau de confiance {level} : donner un nombre entre 0 et 1")
    return NormalDist().inv_cdf((1 + level) / 2)


def limits(p: Floats, relative: Floats, conf_type: Interval, z: float) -> tuple[Floats, Floats]:
    """Return the limits of probabilities.

    Parameters
    ----------
    p : ndarray of float
        Probabilities.
    relative : ndarray of float
        Errors of their logarithms.
    conf_type : {"log", "log-log", "plain"}
        Scale on which the interval is symmetric.
    z : float
        Half-width, in errors.

    Returns
    -------
    tuple of ndarray
        Low and high limits, within 0-1; missing where the scale has no value (p = 0, or p = 1 in
        "log-log"), as in R.
    """
    half, p = z * relative, np.minimum(p, 1.0)  # sums of increments round to 1 + 1e-16
    if conf_type == "plain":
        return np.maximum(p - p * half, 0), np.minimum(p + p * half, 1)
    outside = (p <= 0) | ((p >= 1) & (conf_type == "log-log"))
    logs = np.log(np.where(outside, np.nan, p))
    if conf_type == "log":
        return np.exp(logs - half), np.minimum(np.exp(logs + half), 1)
    scale, shift = np.log(-logs), half / -logs
    return np.exp(-np.exp(scale + shift)), np.exp(-np.exp(scale - shift))


class Influence:
    """Infinitesimal jackknife of the curves: how each person's weight moves them.

    The variance at a time is the sum over people of the square of (weight x derivative of the curve
    with respect to that weight). A person's derivative moves while at risk, then follows the curve:
    both are polynomials in what depends on time alone, so that cumulated sums over people are
    enough, whatever the number of times.

    Parameters
    ----------
    spells : Spells
        The people.
    table : RiskTable
        Their risk table, all causes being events.
    """

    def __init__(self, spells: Spells, table: RiskTable) -> None:
        self.spells, self.table = spells, table
        self.squares = spells.weight**2
        left = table.survivors
        self.hazard = np.cumsum(table.greenwood())
        here = np.divide(1.0, left, out=np.zeros_like(left), where=left > 0)
        self.at_entry = self.before(self.hazard)
        # derivative of -log S once gone
        self.gone = (spells.cause > 0) * here[table.exits] - (
            self.hazard[table.exits] - self.at_entry
        )

    def before(self, curve: Floats) -> Floats:
        """Read a cumulated curve at the entry of each person."""
        return np.append(0.0, curve)[self.table.entries]

    def _sums(self, at: Integers, terms: Floats) -> Floats:
        size = len(self.table.time)
        sums: Floats = np.bincount(at, self.squares * terms, minlength=size)[:size].cumsum()
        return sums

    def exited(self, terms: Floats) -> Floats:
        """Sum over those who have left, at each time."""
        return self._sums(self.table.exits, terms)

    def staying(self, terms: Floats) -> Floats:
        """Sum over those who are in and do not leave yet, at each time."""
        return self._sums(self.table.entries, terms) - self._sums(self.table.exits, terms)

    def of_log_survival(self) -> Floats:
        """Variance of the logarithm of the survival."""
        entry, hazard = self.at_entry, self.hazard
        inside = hazard**2 * self.staying(np.ones_like(entry))
        inside += self.staying(entry**2) - 2 * hazard * self.staying(entry)
        return np.maximum(self.exited(self.gone**2) + inside, 0)

    def of_incidence(self, cause: int, before: Floats) -> Floats:
        """Variance of the cumulative incidence of a cause, ``before`` being S just before."""
        table, entry = self.table, self.at_entry
        steps = before * table.events[cause] / table.n_risk
        rise = np.cumsum(steps)
        drift = np.cumsum((np.append(0.0, self.hazard[:-1])) * steps - steps / table.n_risk)
        start = entry * self.before(rise) - self.before(drift)
        # While at risk the derivative is drift - entry x rise + start.
        inside = drift**2 * self.staying(np.ones_like(entry)) + rise**2 * self.staying(entry**2)
        inside += self.staying(start**2) - 2 * drift * rise * self.staying(entry)
        inside += 2 * drift * self.staying(start) - 2 * rise * self.staying(entry * start)
        # Once gone it is level - gone x rise.
        exits = table.exits
        level = drift[exits] - entry * rise[exits] + start + self.gone * rise[exits]
        level = level + (self.spells.cause == cause) * (before / table.n_risk)[exits]
        outside = self.exited(level**2) - 2 * rise * self.exited(level * self.gone)
        outside += rise**2 * self.exited(self.gone**2)
        return np.maximum(inside + outside, 0)
