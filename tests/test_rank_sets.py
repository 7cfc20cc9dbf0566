"""Sets of ranks that hold the true rank: critical values of tables, coverage by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import barometre as bcs
from barometre.base.arrays import Floats
from barometre.compare.proof.rank_sets import joint_critical, marginal_critical, told_apart
from tests.test_rank_intervals import REGISTER, bounded, limits
from tests.test_ranking import CLOSE, WORK

Z = stats.norm.ppf(0.975)


@pytest.mark.parametrize(
    ("others", "dunnett"), [(1, 1.96), (2, 2.21), (4, 2.44), (6, 2.57), (9, 2.69)]
)
def test_equal_errors_have_the_critical_values_of_dunnett(others: int, dunnett: float) -> None:
    """Dunnett (1964), two-sided 5 %, infinite degrees of freedom, printed with two decimals."""
    found = marginal_critical(np.ones(others + 1), 0.95)
    assert found == pytest.approx(np.full(others + 1, dunnett), abs=0.006)


@pytest.mark.parametrize(("number", "tukey"), [(2, 2.77), (3, 3.31), (10, 4.47), (20, 5.01)])
def test_all_pairs_have_the_studentised_range(number: int, tukey: float) -> None:
    """Table of the studentised range, 5 %, infinite degrees of freedom."""
    assert joint_critical(number, 0.95) * np.sqrt(2) == pytest.approx(tukey, abs=0.006)


@pytest.mark.parametrize("number", [8, 120])
def test_unequal_errors_have_the_critical_values_of_draws(number: int) -> None:
    """One by one, then on the grid: 40 000 draws leave 0.02 on a quantile at 95 %."""
    rng = np.random.default_rng(0)
    error = rng.uniform(0.2, 3, number)
    noise = rng.normal(size=(40_000, number)) * error
    found = marginal_critical(error, 0.95)
    for j in (0, 1, number - 1):
        gap = np.hypot(error[j], np.delete(error, j))
        largest = (np.abs(noise[:, [j]] - np.delete(noise, j, axis=1)) / gap).max(axis=1)
        assert found[j] == pytest.approx(np.quantile(largest, 0.95), abs=0.05)


def coverage(
    truth: Floats, error: Floats, draws: int, *, simultaneous: bool
) -> tuple[float, float]:
    """Share of the draws that hold the ranks (the smallest of territories), and mean width."""
    rng = np.random.default_rng(1)
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = len(truth) - (truth[None, :] < truth[:, None]).sum(axis=1)
    held, widths = [], []
    for _ in range(draws):
        value = rng.normal(truth, error)
        better, worse = told_apart(
            value, Z * error, Z * error, np.zeros(len(truth)), level=0.95,
            simultaneous=simultaneous,
        )  # fmt: skip
        low, high = 1 + better, len(truth) - worse
        held.append((low <= best) & (worst <= high))
        widths.append((high - low).mean())
    share = np.array(held)
    return float(share.all(axis=1).mean() if simultaneous else share.mean(axis=0).min()), float(
        np.mean(widths)
    )


@pytest.mark.parametrize("simultaneous", [False, True])
@pytest.mark.parametrize("spread", [0.0, 0.1, 2.0])
def test_true_ranks_are_held(spread: float, simultaneous: bool) -> None:
    """Territories that hardly differ, where quantiles of drawn ranks hold 89 %."""
    truth = spread * np.arange(12.0)
    held, _ = coverage(truth, np.linspace(0.5, 2, 12), 80, simultaneous=simultaneous)
    assert held * 80 >= stats.binom.ppf(0.001, 80, 0.95)


def test_drawn_ranks_do_not_hold_and_joint_values_are_wider() -> None:
    rng = np.random.default_rng(3)
    held, widths = [], []
    for _ in range(15):
        value = 50 + rng.normal(size=13)
        frame = bounded(list(value), list(value - Z), list(value + Z), indicator=WORK)
        drawn, sets = limits(frame, draws=400), limits(frame, method="marginal")
        joint = limits(  # the joint region of Klein, Wright and Wieczorek (2020)
            bounded(list(value), list(value - 2.88 * 1), list(value + 2.88 * 1), indicator=WORK),
            method="overlap",
        )
        held.append([[low == 1 and high == 13 for low, high in found] for found in (drawn, sets)])
        widths.append([sum(b - a for a, b in found) for found in (sets, joint)])
    # Thirteen equal territories: each rank is true, so that only 1 to 13 holds.
    montecarlo, marginal = np.mean(held, axis=(0, 2))
    assert montecarlo < 0.5 < 0.9 < marginal
    assert np.mean(widths, axis=0)[0] < np.mean(widths, axis=0)[1] + 1e-9


def test_many_territories_are_never_narrower_than_compared_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(2)
    value, error = rng.normal(size=500), rng.uniform(0.1, 0.5, 500)
    call = {"level": 0.95, "simultaneous": False}
    exact = told_apart(value, error, error, np.zeros(500), **call)  # type: ignore[arg-type]  # a dict of options
    monkeypatch.setattr("barometre.compare.proof.rank_sets._PAIRS", 10)
    fast = told_apart(value, error, error, np.zeros(500), **call)  # type: ignore[arg-type]  # a dict of options
    for one, other in zip(exact, fast, strict=True):
        assert (other <= one).all()
        assert (one - other).mean() < 3  # of 500


@pytest.mark.parametrize("indicator", [WORK, "taux_surpeuplement"])
def test_two_territories_are_told_apart_by_the_interval_of_their_difference(indicator: str) -> None:
    """Square and add: 10 and 12.9 with half-widths of 2 and 2 differ (2.83), 12.8 does not."""
    for other, apart in ((12.9, True), (12.8, False)):
        found = limits(
            bounded([10.0, other], [8, other - 2], [12, other + 2], indicator=indicator),
            method="marginal",
        )
        assert (found == [(1, 2), (1, 2)]) is not apart


def test_registers_and_distances_are_told_apart_when_bounds_do_not_meet() -> None:
    register = bounded([10.0, 12.0, 14.0], [9, 11, 13.5], [11.5, 13, 15], indicator=REGISTER)
    assert limits(register, method="marginal") == limits(register, method="overlap")
    close = bounded([50.0, 60.0, 70.0], [48, 58, 68], [52, 62, 72], indicator=CLOSE)
    assert limits(close, method="marginal") == [(1, 1), (2, 2), (3, 3)]
    wider = pd.DataFrame(limits(close, method="marginal", level=0.9999))
    assert (wider[0] <= [1, 2, 3]).all()


def test_exact_values_and_a_single_territory() -> None:
    one = bounded([10.0], [9.0], [11.0], indicator=WORK)
    assert limits(one, method="marginal") == limits(one, method="simultaneous") == [(1, 1)]
    some = bcs.rank(bounded([10.0, 20.0], [9.0, np.nan], [11.0, np.nan], indicator=WORK))
    assert some["rang_min"].tolist()[0] == 2
