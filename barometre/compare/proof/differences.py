"""The difference between a value and a reference, with bounds, by each kind of proof."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from barometre.base.arrays import Booleans, Floats, RowNumbers
from barometre.compare.rows import NOISE, SAME
from barometre.engine.sampling import newcombe, normal_quantile, score_interval


@dataclass(frozen=True)
class Measured:
    """Values with their bounds, equal to the value where nothing is uncertain."""

    value: Floats
    low: Floats
    high: Floats

    @classmethod
    def fixed(cls, value: Floats) -> Measured:
        """Take values as known numbers."""
        return cls(value, value, value)

    @classmethod
    def given(cls, value: Floats, low: Floats, high: Floats) -> Measured:
        """Take values with their bounds, those that have none being known numbers."""
        none = np.isnan(low) | np.isnan(high)
        if none.all():
            return cls.fixed(value)
        lower = np.where(none, value, np.minimum(low, value))
        return cls(value, lower, np.where(none, value, np.maximum(high, value)))

    def at(self, rows: RowNumbers) -> Measured:
        """Keep some of these."""
        return Measured(self.value[rows], self.low[rows], self.high[rows])

    def where(self, mask: Booleans, other: Measured) -> Measured:
        """Keep these where ``mask`` is true, the others elsewhere."""
        return Measured(
            *(
                np.where(mask, getattr(self, name), getattr(other, name))
                for name in ("value", "low", "high")
            )
        )


@dataclass(frozen=True)
class Difference:
    """A difference, its bounds, and the p-value that goes with them (missing where none does)."""

    low: Floats
    high: Floats
    p: Floats

    @property
    def established(self) -> Booleans:
        """Tell the differences whose bounds leave out 0."""
        apart: Booleans = (self.low > 0) | (self.high < 0)
        return apart


def sampled(first: Measured, second: Measured, level: float) -> Difference:
    """Return the difference of independent estimates: square and add (Newcombe, 1998).

    The p-value is the level at which the bounds, stretched in proportion, would reach 0.
    """
    size = SAME * np.maximum(np.abs(first.value), np.abs(second.value)) + NOISE
    low, high = newcombe(first.low, first.high, first.value, second.low, second.high, second.value)
    gap = first.value - second.value
    gap = np.where(np.abs(gap) <= size, 0.0, gap)
    reach = np.where(gap > 0, gap - low, high - gap)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = normal_quantile(level) * np.abs(gap) / reach
    z = np.where((reach <= size) & (gap != 0), np.inf, np.where(gap == 0, 0.0, z))
    same = (gap == 0) & (reach <= size)
    return Difference(np.where(same, 0.0, low), np.where(same, 0.0, high), two_sided(z))


def rounded(first: Measured, second: Measured) -> Difference:
    """Return the bounds of a difference of rounded values, which cannot be left."""
    low, high = first.low - second.high, first.high - second.low
    return Difference(low, high, np.full(low.shape, np.nan))


def binomial(above: Floats, below: Floats, level: float) -> Measured:
    """Return shares with their Wilson bounds, counts being seen as binomial."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip(np.where(below > 0, above / below, np.nan), 0, 1)
        variance = np.where(below > 0, 1 / below, np.nan)
    low, high = score_interval(share, variance, level)
    return Measured(share, low, high)


def poisson(above: Floats, below: Floats, level: float) -> Measured:
    """Return rates with their score bounds, counts being seen as Poisson.

    The bounds are the rates that are not rejected: ``(O - m)**2 <= z**2 m`` for the count ``O``.
    """
    z = normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle, half = above + z**2 / 2, z * np.sqrt(above + z**2 / 4)
        rate, low, high = (
            np.where(below > 0, x / below, np.nan)
            for x in (above, np.maximum(middle - half, 0), middle + half)
        )
    return Measured(rate, np.minimum(low, rate), high)


def against_fixed(
    above: Floats, below: Floats, reference: Floats, level: float, *, law: str
) -> Difference:
    """Return the difference between a share (or rate) and a known number, by the score test.

    The bounds are Wilson's (or Poisson's score bounds) less the reference: they leave out 0 exactly
    when the test rejects.
    """
    measured = binomial(above, below, level) if law == "binomial" else poisson(above, below, level)
    spread = reference * (1 - reference) if law == "binomial" else reference
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(measured.value - reference) / np.sqrt(spread / below)
    z = np.where(spread > 0, z, np.where(measured.value == reference, 0.0, np.inf))
    return Difference(measured.low - reference, measured.high - reference, two_sided(z))


def two_sided(z: Floats) -> Floats:
    """Return the two-sided p-value of normal deviates."""
    from scipy.special import ndtr

    p: Floats = 2 * ndtr(-np.abs(z))
    return np.where(np.isnan(z), np.nan, np.minimum(p, 1.0))


def without_part(whole: Measured, part: Measured, share: Floats) -> Measured:
    """Return the rest of a whole: the reference less the territory.

    Parameters
    ----------
    whole, part : Measured
        The reference, and the territory that it contains.
    share : array of float
        Share of the whole that the territory makes, by the denominators.

    Returns
    -------
    Measured
        The value of the rest. Its bounds come from those of the whole, less what the part brings
        (territory and rest being independent, their squared half-widths add up); no width where
        the whole has none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (whole.value - share * part.value) / (1 - share)

        def reach(whole_side: Floats, part_side: Floats) -> Floats:
            left = np.maximum(whole_side**2 - (share * part_side) ** 2, 0)
            return np.asarray(np.sqrt(left) / (1 - share))

        low = value - reach(whole.value - whole.low, part.value - part.low)
        high = value + reach(whole.high - whole.value, part.high - part.value)
    fixed = whole.low == whole.high
    return Measured(value, np.where(fixed, value, low), np.where(fixed, value, high))
