"""What an effect may be when trends were not parallel: relative magnitudes, errors counted.

The truth lies within K times the largest move before the entry. Whichever that move is, the
interval of its own piece holds the truth; the union of the pieces does, without knowing which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)  # an angle of at most a right angle
_HALVINGS = 40  # of an interval of less than 1, or of one that doubles
_LARGEST = 2.0**40  # magnitudes from which the effect is said never to be lost


@dataclass(frozen=True, eq=False)
class EventLaw:
    """Effects by time since the entry, and the law of their errors.

    Attributes
    ----------
    times : ndarray of shape (k,)
        Times, in order: those before ``start``, then the others.
    distance : ndarray of shape (k,)
        The same, or their mean where a row gathers several.
    estimate, vcov : ndarray
        Effects and their covariance; 0 at the time of reference.
    df : callable
        Degrees of freedom of combinations of effects, one row of weights each.
    start : float
        First time at which the treatment may act.
    base : float
        Time with which those from ``start`` on are compared.
    gaps : ndarray, optional
        Where rows before ``start`` are changes since an earlier time: how much earlier. Without it,
        they are compared with one time, as the others.
    """

    times: Floats
    distance: Floats
    estimate: Floats
    vcov: Floats
    df: Callable[[Floats], Floats]
    start: float
    base: float
    gaps: Floats | None = None

    @property
    def before(self) -> Booleans:
        """Which times come before the treatment."""
        return np.asarray(self.times < self.start, np.bool_)

    def moves(self) -> tuple[Floats, Floats]:
        """Return what each move before the treatment is made of, per unit of time, and its ends.

        Returns
        -------
        tuple of ndarray
            Weights of the effects (moves, k), and times (moves, 2).
        """
        unit, ahead = np.eye(len(self.times)), np.flatnonzero(self.before)
        if self.gaps is not None:
            gap = self.gaps[ahead]
            ends = np.stack([self.times[ahead] - gap, self.times[ahead]], axis=1)
            return unit[ahead] / gap[:, None], ends
        first, last = ahead[:-1], ahead[1:]
        gap = self.distance[last] - self.distance[first]
        ends = np.stack([self.times[first], self.times[last]], axis=1)
        return (unit[last] - unit[first]) / gap[:, None], ends

    def target(self, event_time: float | None) -> tuple[Floats, float]:
        """Return what an effect is made of, and how many moves it may carry.

        Parameters
        ----------
        event_time : float, optional
            Which time; the mean of all from 0 on by default.

        Returns
        -------
        tuple
            Weights of the effects, compared with the last time before the treatment, and the sum of
            the moves after it, each with its weight and its duration.
        """
        after = ~self.before
        chosen = after & (self.times >= 0 if event_time is None else self.times == event_time)
        if not chosen.any():
            said = "à partir de 0" if event_time is None else f"{event_time:g}"
            known = ", ".join(f"{time:g}" for time in self.times[after])
            raise BarometreError(f"aucun effet à la durée {said} ; choisir parmi : {known}")
        weights = chosen / chosen.sum()
        left = np.cumsum(weights[after][::-1])[::-1]  # weight of what each move carries
        reference, weights = self.base, np.asarray(weights, float)
        if self.gaps is None and self.before.any():
            last = int(np.flatnonzero(self.before)[-1])
            reference = self.distance[last]
            weights[last] -= 1.0
        steps = np.diff(np.append(reference, self.distance[after]))
        return weights, float(steps @ np.abs(left))


@dataclass(frozen=True, eq=False)
class Pieces:
    """An effect, the moves before it, and the largest sum of moves that it may carry."""

    law: EventLaw
    effect: Floats
    moves: Floats
    carried: float
    level: float

    def identified(self, magnitude: float) -> tuple[float, float]:
        """Bounds of the effect if estimates had no error."""
        value = float(self.effect @ self.law.estimate)
        half = magnitude * self.carried * float(np.abs(self.moves @ self.law.estimate).max())
        return value - half, value + half

    def interval(self, magnitude: float) -> tuple[float, float]:
        """Bounds that hold the effect with the probability ``level``, errors of moves counted.

        The interval of parallel trends is part of it: allowing more never says more.
        """
        low, high = self._union(magnitude)
        return min(low, self._parallel[0]), max(high, self._parallel[1])

    @cached_property
    def _parallel(self) -> tuple[float, float]:
        return self._union(0.0)

    def _union(self, magnitude: float) -> tuple[float, float]:
        """Union over moves: each has two ends, the effect less and plus what it may carry."""
        reach = magnitude * self.carried * self.moves
        ends = np.stack([self.effect - reach, self.effect + reach])
        value = ends @ self.law.estimate
        cov = np.einsum("smi,ij,tmj->stm", ends, self.law.vcov, ends)
        se = np.sqrt(np.maximum(np.stack([cov[0, 0], cov[1, 1]]), 0.0))
        df = np.stack([self.law.df(end) for end in ends]).min(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = (se.min(axis=0) > 0) & (reach != 0).any(axis=1)  # else rounding tells them so
            alike = np.where(apart, cov[0, 1] / (se[0] * se[1]), 1.0)
        half = critical_values(alike, df, 1 - self.level) * se
        return float((value - half).min()), float((value + half).max())

    def breakdown(self) -> float:
        """Largest magnitude at which the interval is all on one side of 0; missing if none is."""
        low, high = self.interval(0.0)
        if low <= 0 <= high:
            return np.nan
        side = 1.0 if low > 0 else -1.0

        def told(magnitude: float) -> bool:
            return min(side * bound for bound in self.interval(magnitude)) > 0

        above = 1.0
        while told(above):
            above *= 2
            if above > _LARGEST:
                return np.inf
        below = above / 2 if above > 1 else 0.0
        for _ in range(_HALVINGS):
            middle = (below + above) / 2
            below, above = (middle, above) if told(middle) else (below, middle)
        return below


def critical_values(correlation: Floats, df: Floats, alpha: float) -> Floats:
    """Return the number of errors to add at both ends of an interval whose ends are estimated.

    Parameters
    ----------
    correlation : ndarray
        Of the two ends.
    df : ndarray
        Degrees of freedom of Student's law, infinite for the normal one.
    alpha : float
        Probability that the interval misses what lies between the ends.

    Returns
    -------
    ndarray
        c such that P(T > c) + P(T > c and T' > c) = alpha, T and T' having this correlation: the
        quantile of a one-sided interval when ends move apart, of a two-sided one when they are one.

    Notes
    -----
    Let the truth be the end a, the end b, or between them at a share s of the way. That it lies
    under the interval and that it lies above are two events; turned over, the second one has the
    probability that both are c errors too far. Each implies that (1 - s) a + s b, whose error is at
    most that mix of the two errors, is c of its own errors too far: probabilities add up to at most
    P(T > c) + P(T > c and T' > c). The latter is P(T > c) less an integral over an angle (Owen,
    1956; Dunnett and Sobel, 1954, for Student's law).

    Examples
    --------
    >>> critical_values(np.array([1.0, 0.0, -1.0]), np.full(3, np.inf), 0.05).round(3)
    array([1.96 , 1.667, 1.645])
    """
    from scipy import special

    def beyond(value: Floats) -> Floats:
        student = special.stdtr(degrees, -value)
        return np.asarray(np.where(normal, special.ndtr(-value), student), float)

    normal = np.isinf(df)
    degrees = np.where(normal, 1.0, df)
    angle = np.arccos(np.clip(correlation, -1.0, 1.0)) / 2
    cosine = np.square(np.cos(angle[:, None] * (1 + _NODES) / 2))
    low, high = (
        np.where(normal, -special.ndtri(tail), -special.stdtrit(degrees, tail))
        for tail in (alpha, alpha / 2)
    )
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        size = np.square(middle)[:, None] / np.maximum(cosine, 1e-300)
        power = degrees[:, None] / 2
        student = np.exp(-power * np.log1p(size / (2 * power)))
        inside = np.where(normal[:, None], np.exp(-size / 2), student)
        apart = inside @ _WEIGHTS * angle / 2 / np.pi
        missed = 2 * beyond(middle) - apart
        low, high = np.where(missed > alpha, middle, low), np.where(missed > alpha, high, middle)
    return np.asarray(high, float)
