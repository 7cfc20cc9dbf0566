"""The quasi-random design and the shares of variance, against closed forms."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from barometre.composite import (
    Alternatives,
)
from barometre.composite.robust.replications import coordinates, replications_of, weighted_columns
from barometre.composite.robust.sobol import Spread, base_points, chosen, power_of_two

mpl.use("Agg")


from tests.test_composite_robustness import seeds, total_of, total_order, tree

# ---- design and shares --------------------------------------------------------------------------


def test_total_order_shares_of_the_ishigami_function() -> None:
    """Closed form with a = 7 and b = 0.1 (Homma and Saltelli, 1996)."""
    a, b = 7.0, 0.1

    def ishigami(u: np.ndarray) -> np.ndarray:
        x, y, z = (np.pi * (2 * u - 1)).T
        return np.asarray(np.sin(x) + a * np.sin(y) ** 2 + b * z**4 * np.sin(x))

    first = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    second, both = a**2 / 8, 8 * b**2 * np.pi**8 / 225
    expected = np.array([first + both, second, both]) / (first + second + both)
    np.testing.assert_allclose(expected, [0.5576, 0.4424, 0.2437], atol=5e-5)
    # quasi-random: the error of 2^14 points is some thousandths
    np.testing.assert_allclose(total_of(ishigami, 3, 2**14), expected, atol=0.005)


def test_shares_of_a_sum_are_those_of_its_variances() -> None:
    slopes = np.array([1.0, 2.0, 0.5, 0.0])
    found = total_of(lambda u: u @ slopes, 4, 2**12)
    np.testing.assert_allclose(found, slopes**2 / (slopes**2).sum(), atol=0.003)
    assert found[3] == 0


def test_shares_of_a_product_show_its_interaction() -> None:
    """For (1 + x)(1 + y), x and y of mean 0: V = v + v + v v, each total order (v + v v) / V."""
    found = total_of(lambda u: (2 * u + 0.5).prod(axis=1) / 2.25, 2, 2**13)
    v = (4 / 12) / 1.5**2
    np.testing.assert_allclose(found, (v + v * v) / (2 * v + v * v), atol=0.005)
    assert found.sum() > 1.05


def test_several_outputs_add_their_variances_up() -> None:
    """Outputs (3x, y): 9 tenths of the variance are of x."""
    found = total_of(lambda u: u * [3.0, 1.0], 2, 2**12)
    np.testing.assert_allclose(found, [0.9, 0.1], atol=0.003)


@given(seed=seeds, cut=st.integers(1, 19))
def test_blocks_add_up(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    base, other = rng.normal(5, 1, (2, 20, 3))
    base[rng.random(base.shape) < 0.1] = np.nan
    sums = Spread.empty(1, np.full(3, 5.0))
    for rows in (slice(None, cut), slice(cut, None)):
        sums.add(base[rows], [other[rows]])
    np.testing.assert_allclose(sums.shares(), total_order(base - 5, [other - 5]), rtol=1e-9)


def test_points_are_balanced_and_seeded() -> None:
    assert [power_of_two(n) for n in (1, 2, 3, 1000, 1024)] == [1, 2, 4, 1024, 1024]
    one, two = base_points(1000, 3, seed=1)
    assert one.shape == two.shape == (1024, 3)
    for column in np.hstack([one, two]).T:  # one point in each of 1 024 intervals
        assert sorted((column * 1024).astype(int)) == list(range(1024))
    np.testing.assert_array_equal(one, base_points(1000, 3, seed=1)[0])
    assert (one != base_points(1000, 3, seed=2)[0]).any()
    assert np.bincount(chosen(one[:, 0], 4)).tolist() == [256] * 4


def test_weights_keep_their_spread() -> None:
    index = tree()
    alternatives = Alternatives(weights=0.25)
    points = base_points(256, coordinates(index, alternatives), seed=0)[0]
    design = replications_of(index, alternatives, points, 0)
    factors = design.weights / index.weights
    named = [index.columns[j] for j in weighted_columns(index)]
    assert sorted(named) == ["a", "b", "c", "d", "n"]
    assert (factors[:, list(index.columns).index("r")] == 1).all()
    moving = factors[:, weighted_columns(index)]
    assert 0.75 <= moving.min() < 0.76
    assert 1.24 < moving.max() <= 1.25
