"""Event study, pre-trend test and its power."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barometre.base.errors import BarometreError
from barometre.cohort import Cohort
from barometre.cohort.inference.estimates import make_estimate
from barometre.cohort.inference.pretrends import pretrend_test
from tests.columns import did
from tests.test_cohort_did import cohort, ols, people

# ---- event study --------------------------------------------------------------------------------


def test_one_date_of_entry_is_each_wave_against_the_base() -> None:
    frame = people()
    table = cohort(frame).event_study("y").table
    assert list(table) == ["event_time", "estimate", "se", "low", "high", "df", "p", "n"]
    assert table["event_time"].tolist() == [-2, -1, 0, 1]
    assert table["n"].tolist() == [20] * 4
    for year, row in zip(range(2024, 2028), table.itertuples(), strict=True):
        pair = frame[frame["year"].isin([2025, year])]
        if year == 2025:
            assert row.estimate == 0
            assert np.isnan(row.se)  # type: ignore[arg-type]  # any cell of a frame
            continue
        expected = did(pair["y"], pair["arm"], pair["year"] == year, se="HC1").estimate
        assert row.estimate == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weight", [None, "w"])
def test_several_dates_as_statsmodels(weight: str | None) -> None:
    frame = people(gaps=True)
    frame["start"] = frame["id"].map({i: [0, 2025, 2026, 2027][i % 4] for i in range(40)})
    time = (frame["year"] - frame["start"]).where(frame["start"] > 0)
    for value in (-3, -2, 0, 1, 2):
        frame[f"t{value}".replace("-", "m")] = (time == value).astype(int)
    other = ols(frame, "y ~ tm3 + tm2 + t0 + t1 + t2 + C(id) + C(year)", weight, cov_type="cluster")
    ours = cohort(frame, weight=weight).event_study("y", se="CR1S", cluster="qp")
    table = ours.table[ours.table["event_time"] != -1]
    np.testing.assert_allclose(
        table["estimate"], other.params[["tm3", "tm2", "t0", "t1", "t2"]], rtol=1e-8
    )
    np.testing.assert_allclose(table["se"], other.bse[["tm3", "tm2", "t0", "t1", "t2"]], rtol=1e-8)
    assert ours.meta["n_groups"] == 3
    assert "att_gt" in ours.meta["caution"]
    # Pre-trend: the F test of statsmodels on the same covariance.
    joint = other.f_test("tm3 = 0, tm2 = 0", cov_p=other.cov_params())
    leads = ours.vcov.loc[[-3, -2], [-3, -2]]
    test = pretrend_test(table["estimate"][:2], leads, [-2, -1], df_denominator=7)
    assert test.statistic == pytest.approx(joint.fvalue, rel=1e-6)
    assert test.df == 2
    assert test.p == pytest.approx(stats.f.sf(joint.fvalue, 2, 7), rel=1e-6)


def test_window_gathers_the_ends() -> None:
    frame = people()
    frame["start"] = frame["id"].map({i: [0, 2025, 2026, 2027][i % 4] for i in range(40)})
    panel = cohort(frame)
    table = panel.event_study("y", window=(-2, 1)).table
    assert table["event_time"].tolist() == [-2, -1, 0, 1]
    assert table["n"].tolist() == [30, 30, 30, 30]
    assert table["n"].sum() == (frame["start"] > 0).sum()
    assert panel.event_study("y", base=-2).table["estimate"].iloc[1] == 0


def test_waves_that_are_not_numbers_count_in_waves() -> None:
    frame = people()
    expected = cohort(frame).event_study("y").table
    dates = frame.assign(
        year=pd.to_datetime(frame["year"].astype(str)),
        start=pd.to_datetime(
            frame["start"].where(frame["start"] > 0).astype("Int64").astype("string")
        ),
    )
    pd.testing.assert_frame_equal(cohort(dates).event_study("y").table, expected)
    wrong = dates.assign(start=dates["start"] + pd.Timedelta(days=1))
    with pytest.raises(BarometreError, match="2026-01-02"):
        cohort(wrong).event_study("y")


def test_event_study_refusals() -> None:
    frame = people()
    with pytest.raises(BarometreError, match="first_treated="):
        Cohort(frame, "id", "year").event_study("y")
    with pytest.raises(BarometreError, match="choisir parmi -2, -1, 0, 1"):
        cohort(frame).event_study("y", base=-5)
    with pytest.raises(BarometreError, match="personne n'est traité"):
        cohort(frame.assign(start=np.nan)).event_study("y")
    with pytest.raises(BarometreError, match="window"):
        cohort(frame).event_study("y", window=(0, 3))
    everyone = frame.assign(start=np.where(frame["arm"] == 1, 2026, 2027))
    with pytest.raises(BarometreError, match="not_yet"):
        cohort(everyone).event_study("y")
    assert len(cohort(everyone).event_study("y", window=(-2, 0)).table) == 3


# ---- pre-trends and their power -----------------------------------------------------------------


def test_power_of_one_coefficient_in_closed_form() -> None:
    test = pretrend_test([0.3], [[0.04]], [-2], power=[0.5, 0.8, 0.99])
    assert test.statistic == pytest.approx(2.25)
    assert test.p == pytest.approx(2 * stats.norm.sf(1.5))
    for power, slope in test.slopes.items():
        shift = 2 * slope / 0.2  # the coefficient moves by 2 slopes, in standard errors
        found = stats.norm.sf(1.959963984540054 - shift) + stats.norm.cdf(
            -1.959963984540054 - shift
        )
        assert found == pytest.approx(power, rel=1e-9)


@pytest.mark.parametrize("df", [None, 12.0])
def test_power_by_simulation(df: float | None) -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(3, 3))
    v, t = root @ root.T, np.array([-3.0, -2.0, -1.0])
    test = pretrend_test(np.zeros(3), v, t, df_denominator=df)
    for power, slope in test.slopes.items():
        draws = rng.multivariate_normal(slope * t, v, size=40_000)
        wald = np.einsum("ni,ij,nj->n", draws, np.linalg.inv(v), draws)
        if df is None:
            found = (wald > stats.chi2.isf(0.05, 3)).mean()
        else:
            found = (wald / 3 / (rng.chisquare(df, 40_000) / df) > stats.f.isf(0.05, 3, df)).mean()
        assert abs(found - power) < 4 * np.sqrt(0.25 / 40_000)  # 4 standard errors


def test_pretrend_that_cannot_be_tested_says_why() -> None:
    for coef, v, said in (
        ([], np.zeros((0, 0)), "aucun coefficient"),
        ([1, 1], [[1, 1], [1, 1]], "non inversible"),
        ([np.nan], [[1]], "manquants"),
        ([1], [[0]], "nulle"),
    ):
        test = pretrend_test(coef, v, [-1.0] * len(coef))
        assert np.isnan(test.p)
        assert np.isnan(test.slopes[0.8])
        assert said in test.meta["reason"]
    assert pretrend_test([1.0], [[1.0]], [0]).slopes[0.5] == np.inf
    # Clusters that are the arms say nothing of the error; two of them, nothing of two leads.
    arms = cohort(people(), cluster="arm").event_study("y", base=1)
    assert arms.table["se"].isna().all()
    two = people()
    two["pair"] = two["id"] % 2
    few = cohort(two, cluster="pair").event_study("y", base=1).pretrend()
    assert "non inversible" in few.meta["reason"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"alpha": 0}, "alpha"),
        ({"power": [0.01]}, "puissance"),
        ({"power": [1]}, "puissance"),
        ({"power": [0.5, 1]}, "puissance"),
        ({"times": [1, 2]}, "q × q"),
        ({"vcov": [[1.0, 0], [0, 1]]}, "q × q"),
        ({"coef": [1, 1], "vcov": [[1, 0.5], [0, 1]], "times": [-2, -1]}, "symétrique"),
    ],
)
def test_pretrend_refusals(call: dict[str, Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        pretrend_test(**{"coef": [1.0], "vcov": [[1.0]], "times": [-1], **call})


def test_an_error_of_zero_gives_no_interval() -> None:
    nothing = make_estimate(1.0, 0.0, 3, 10, {})
    assert np.isnan([nothing.p, nothing.low, nothing.high, nothing.statistic]).all()
