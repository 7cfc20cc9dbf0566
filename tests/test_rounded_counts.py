"""Limits of ratios of rounded counts, against every count that rounds so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.engine.rounded_counts import linear_bounds, rounding_bounds


@settings(max_examples=30)
@given(st.integers(0, 6), st.integers(1, 8))
def test_rounding_bounds_hold_every_count_that_rounds_so(fives: int, more: int) -> None:
    numerator, denominator = 5 * fives, 5 * (fives + more)
    low, high = rounding_bounds(numerator, denominator)
    true = [
        n / d
        for n, d in itertools.product(range(60), range(1, 90))
        if 5 * round(n / 5) == numerator and 5 * round(d / 5) == denominator and n <= d
    ]
    assert low <= min(true)
    assert max(true) <= high <= 1


def test_rounding_bounds_by_hand() -> None:
    low, high = rounding_bounds([20, 0, 100, 5], [100, 100, 100, 0])
    assert low[:3].tolist() == pytest.approx([17.5 / 102.5, 0, 97.5 / 102.5])
    assert high[:3].tolist() == pytest.approx([22.5 / 97.5, 2.5 / 97.5, 1])
    assert np.isnan([low[3], high[3]]).all()
    assert rounding_bounds(100, 100, part=False).high == pytest.approx(102.5 / 97.5)
    assert rounding_bounds(20, 100, step=10).low == pytest.approx(15 / 105)
    assert np.isnan(rounding_bounds(np.nan, 100).high)
    for wrong in (0, -5):
        with pytest.raises(BarometreError, match="step"):
            rounding_bounds(20, 100, step=wrong)
    with pytest.raises(BarometreError, match="numerator"):
        rounding_bounds(-5, 100)


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
