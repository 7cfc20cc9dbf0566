"""Limits of ratios of rounded counts, against every count that rounds so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.engine.rounded_counts import linear_bounds


def ratio_limits(numerator: float, denominator: float, half: float = 2.5) -> tuple[float, float]:
    counts = np.array([[numerator, denominator]], dtype=np.float64)
    low, high = linear_bounds(
        counts, np.full((1, 2), half), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    )
    return float(low[0]), float(high[0])


@settings(max_examples=30)
@given(st.integers(0, 6), st.integers(1, 8))
def test_limits_hold_every_ratio_of_counts_that_round_so(fives: int, more: int) -> None:
    numerator, denominator = 5 * fives, 5 * (fives + more)
    low, high = ratio_limits(numerator, denominator)
    true = [
        n / d
        for n, d in itertools.product(range(60), range(1, 90))
        if 5 * round(n / 5) == numerator and 5 * round(d / 5) == denominator and n <= d
    ]
    assert low <= min(true)
    assert max(true) <= high


def test_limits_by_hand() -> None:
    assert ratio_limits(20, 100) == pytest.approx((17.5 / 102.5, 22.5 / 97.5))
    assert ratio_limits(0, 100) == pytest.approx((0, 2.5 / 97.5))
    assert ratio_limits(20, 100, 5) == pytest.approx((15 / 105, 25 / 95))
    assert np.isnan(ratio_limits(5, 0)).all()
    assert np.isnan(ratio_limits(np.nan, 100)).all()


@settings(max_examples=30)
@given(st.lists(st.integers(1, 40), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_linear_bounds_are_the_extremes_of_the_box(fives: list[int], seed: int) -> None:
    """a + b over a + b + c, each within 2.5: no point of the box is outside, corners are reached."""
    counts = 5.0 * np.array([fives])
    above, below = np.array([1.0, 1.0, 0.0]), np.ones(3)
    low, high = linear_bounds(counts, np.full((1, 3), 2.5), above, below)
    inside = counts + np.random.default_rng(seed).uniform(-2.5, 2.5, (200, 3))
    ratios = (inside @ above) / (inside @ below)
    assert low[0] <= ratios.min()
    assert ratios.max() <= high[0]
    a, b, c = counts[0]
    assert low[0] == pytest.approx((a + b - 5) / (a + b + c - 2.5))
    assert high[0] == pytest.approx((a + b + 5) / (a + b + c + 2.5))
