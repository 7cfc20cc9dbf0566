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
from barometre.cohort.losses.weights import attrition_weights, combine_weights, propensity_weights
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


def drawn(seed: int, n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"arm": np.arange(n) % 2, "lost": rng.integers(0, 2, n)})
    frame["y"] = np.where(frame["lost"] == 1, np.nan, rng.integers(0, 30, n))
    return frame.assign(w=rng.integers(1, 4, n), x=rng.normal(size=n))


@pytest.mark.parametrize("seed", range(8))
def test_weights_of_one_are_no_weights_and_their_scale_is_nothing(seed: int) -> None:
    frame = drawn(seed).assign(one=1.0)
    plain = attrition(frame, "lost", "arm")
    one = attrition(frame, "lost", "arm", weight="one")
    np.testing.assert_allclose(one["n_eff"], plain["n"], rtol=1e-12)
    figures = ["rate", "low", "high", "statistic", "p"]
    np.testing.assert_allclose(one[figures], plain[figures], rtol=1e-9, atol=1e-12)
    weighted = attrition(frame, "lost", "arm", weight="w")
    scaled = attrition(frame, "lost", "arm", weight=frame["w"] * 7.3)
    np.testing.assert_allclose(scaled.iloc[:, 1:], weighted.iloc[:, 1:], rtol=1e-9, atol=1e-12)
    bounds = [
        lee_bounds(frame["y"], frame["arm"], weight=w) for w in (frame["w"] * 7.3, frame["w"])
    ]
    low, high = ([getattr(one, side) for one in bounds] for side in ("low", "high"))
    assert (low[0], high[0]) == pytest.approx((low[1], high[1]), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(8))
def test_whole_weights_are_people_repeated(seed: int) -> None:
    """Shares and bounds of whole weights are those of as many people."""
    frame = drawn(seed)
    many = frame.loc[frame.index.repeat(frame["w"])]
    ours = attrition(frame, "lost", "arm", weight="w")
    theirs = attrition(many, "lost", "arm")
    np.testing.assert_allclose(ours["rate"], theirs["rate"], rtol=1e-12, atol=1e-12)
    assert (ours["n_eff"] <= theirs["n"] + 1e-9).all()  # weights never add precision
    one = lee_bounds(frame["y"], frame["arm"], weight=frame["w"])
    other = lee_bounds(many["y"], many["arm"])
    assert (one.low, one.high, one.trimmed_share) == pytest.approx(
        (other.low, other.high, other.trimmed_share), abs=1e-9, nan_ok=True
    )
    assert one.trimmed_arm == other.trimmed_arm or one.trimmed_share < 1e-12
    assert one.retention_treated == pytest.approx(other.retention_treated)


def test_who_has_no_weight_is_out_and_counted() -> None:
    frame = drawn(3)
    frame.loc[[0, 5], "w"] = np.nan
    frame.loc[7, "w"] = 0
    kept = frame[frame["w"] > 0]
    found, expected = (attrition(rows, "lost", "arm", weight="w") for rows in (frame, kept))
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected))
    assert found.meta["lost"] == {"poids nul ou manquant": 3}
    assert "3 personnes (poids nul ou manquant)" in found.summary()
    bounds = lee_bounds(frame["y"], frame["arm"], weight=frame["w"], draws=30)
    same = lee_bounds(kept["y"], kept["arm"], weight=kept["w"], draws=30)
    assert (bounds.low, bounds.high, bounds.interval) == (same.low, same.high, same.interval)
    assert bounds.meta["lost"]["poids nul ou manquant"] == 3
    table = stayers_and_lost(frame.dropna(), "arm", ["x"], weight="w")
    assert {"smd", "smd_before", "mean_lost_before"} <= set(table.columns)
    for wrong in (-1.0, np.nan):
        with pytest.raises(BarometreError, match="poids"):
            attrition(
                frame.assign(w=np.where(frame["arm"] == 1, wrong, 1.0)), "lost", "arm", weight="w"
            )


@pytest.mark.parametrize("seed", [0, 1])
def test_survey_weights_count_once_in_combined_weights(seed: int) -> None:
    """Whole survey weights: those of as many people, each worth one."""
    frame = drawn(seed, 60).assign(seen=lambda people: 1 - people["lost"])
    many = frame.loc[frame.index.repeat(frame["w"])].reset_index(names="who")
    both = [
        combine_weights(
            propensity_weights(rows, "arm", ["x"], weight=weight),
            attrition_weights(rows, "seen", ["x", "arm"], weight=weight),
        )
        for rows, weight in ((frame, "w"), (many, None))
    ]
    alone = both[1].groupby(many["who"]).first()
    # Newton's steps end on other sums: the twelfth digit moves
    np.testing.assert_allclose(both[0], alone * frame["w"], rtol=1e-8)
    other = propensity_weights(frame.assign(v=frame["w"] + 1), "arm", ["x"], weight="v")
    with pytest.raises(BarometreError, match="poids de sondage différents"):
        combine_weights(other, attrition_weights(frame, "seen", ["x"], weight="w"))


def test_refusals_and_empty_arms() -> None:
    with pytest.raises(BarometreError, match="un seul bras"):
        lee_bounds([1.0, 2.0], [1, 1])
    assert np.isnan(lee_bounds([1.0, np.nan], [1, 0]).low)
    with pytest.raises(BarometreError, match="colonne absente"):
        attrition(people(1, 4, 1, 4), "perdu", "arm")
