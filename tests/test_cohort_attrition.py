"""Losses: rates against another library, bounds against brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.cohort.losses.lost import attrition, attrition_model, stayers_and_lost
from tests.columns import lee_bounds


def people(lost0: int, n0: int, lost1: int, n1: int) -> pd.DataFrame:
    lost = [1] * lost0 + [0] * (n0 - lost0) + [1] * lost1 + [0] * (n1 - lost1)
    return pd.DataFrame({"arm": [0] * n0 + [1] * n1, "lost": lost, "age": np.arange(n0 + n1) % 37})


@given(st.integers(1, 39), st.integers(1, 59))
def test_rates_against_statsmodels(lost0: int, lost1: int) -> None:
    from statsmodels.stats.proportion import (
        confint_proportions_2indep,
        proportions_ztest,
    )

    found = attrition(people(lost0, 40, lost1, 60), "lost", "arm").set_index("group")
    rows = {name: {k: float(v) for k, v in found.loc[name].items()} for name in found.index}
    for name, lost, n in (("control", lost0, 40), ("treated", lost1, 60)):
        # Wilson (1927): the shares that a test at 5 % would not reject, solved by hand.
        for limit in (rows[name]["low"], rows[name]["high"]):
            z = (lost / n - limit) / np.sqrt(limit * (1 - limit) / n)
            assert abs(z) == pytest.approx(1.959963984540054, abs=1e-9)
    gap = rows["difference"]
    limits = confint_proportions_2indep(lost1, 60, lost0, 40, method="newcomb", compare="diff")
    assert (gap["low"], gap["high"]) == pytest.approx(limits, abs=1e-9)
    expected = proportions_ztest([lost1, lost0], [60, 40])
    assert (gap["statistic"], gap["p"]) == pytest.approx(expected, abs=1e-12)


def test_nobody_lost() -> None:
    found = attrition(people(0, 10, 0, 10), "lost", "arm")
    assert found["rate"].tolist() == [0, 0, 0]
    assert found["p"].isna().all()


def test_model_and_comparison_of_the_lost() -> None:
    frame = people(12, 40, 15, 60)
    fit = attrition_model(frame, "lost", ["arm"])
    # A saturated logit: the odds ratio of the two by two table.
    assert fit.table["odds_ratio"].iloc[1] == pytest.approx((15 / 45) / (12 / 28), rel=1e-9)
    table = stayers_and_lost(frame, "lost", ["age"])
    assert {"mean_lost", "mean_stayed", "n_lost", "n_stayed", "smd"} <= set(table.columns)
    assert table["mean_lost"].iloc[0] == pytest.approx(frame.loc[frame["lost"] == 1, "age"].mean())


@given(st.integers(0, 200))
def test_bounds_are_the_extreme_means_of_subsets(seed: int) -> None:
    """Half of the controls are lost, nobody treated: half of the treated are cut off."""
    rng = np.random.default_rng(seed)
    one, zero = rng.integers(0, 9, 8).astype(float), rng.integers(0, 9, 3).astype(float)
    y = np.concatenate([one, zero, [np.nan] * 3])
    arm = [1] * 8 + [0] * 6
    found = lee_bounds(y, arm)
    means = [np.mean(kept) for kept in combinations(one, 4)]
    assert found.low == pytest.approx(min(means) - zero.mean())
    assert found.high == pytest.approx(max(means) - zero.mean())
    assert found.trimmed_arm == "treated"
    assert found.trimmed_share == pytest.approx(0.5)
    flipped = lee_bounds(y, [1 - side for side in arm])
    assert (flipped.low, flipped.high) == pytest.approx((-found.high, -found.low))


@given(st.lists(st.floats(-50, 50), min_size=4, max_size=20), st.integers(0, 9))
def test_bounds_hold_the_naive_difference(values: list[float], lost: int) -> None:
    y = np.array([*values, 1.0, 2.0, *[np.nan] * lost])
    arm = np.array([1] * len(values) + [0] * (2 + lost))
    found = lee_bounds(y, arm)
    naive = np.mean(values) - 1.5
    assert found.low - 1e-9 <= naive <= found.high + 1e-9
    if lost == 0:
        assert found.low == found.high == pytest.approx(naive)
        assert found.trimmed_arm == "none"


def test_a_cut_inside_a_person() -> None:
    """Retention 1 and 3/4: 3.75 of 5 treated are kept, by hand."""
    found = lee_bounds([1, 2, 3, 4, 10, 0, 0, 0, np.nan], [1] * 5 + [0] * 4)
    assert found.low == pytest.approx((1 + 2 + 3 + 0.75 * 4) / 3.75)
    assert found.high == pytest.approx((10 + 4 + 3 + 0.75 * 2) / 3.75)


def test_interval_holds_the_bounds_and_is_normal_when_they_meet() -> None:
    rng = np.random.default_rng(2)
    y, arm = rng.normal(size=400), np.arange(400) % 2
    whole = lee_bounds(y, arm, draws=800, seed=1)
    error = np.sqrt(y[arm == 1].var() / 200 + y[arm == 0].var() / 200)
    assert whole.interval is not None
    # 800 draws give the error within 10 % (4 standard errors).
    assert (whole.interval[1] - whole.interval[0]) / 2 == pytest.approx(1.96 * error, rel=0.1)
    y[(arm == 0) & (rng.random(400) < 0.3)] = np.nan
    cut = lee_bounds(y, arm, draws=200, cluster=np.arange(400) // 4)
    assert cut.interval is not None
    assert cut.interval[0] < cut.low < cut.high < cut.interval[1]


def test_refusals_and_empty_arms() -> None:
    with pytest.raises(BarometreError, match="un seul bras"):
        lee_bounds([1.0, 2.0], [1, 1])
    assert np.isnan(lee_bounds([1.0, np.nan], [1, 0]).low)
    with pytest.raises(BarometreError, match="colonne absente"):
        attrition(people(1, 4, 1, 4), "perdu", "arm")
