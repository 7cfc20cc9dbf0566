"""Gray's test: what must not change it, the log-rank test it comes from, its size."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from barometre import cohort
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort, cumulative_incidence, logrank
from tests.columns import gray_test


def drawn(seed: int, n: int = 60, groups: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "time": rng.integers(1, 12, n),
            "cause": rng.choice([0, 1, 1, 2], n),
            "group": rng.permutation(np.arange(n) % groups),
            "layer": rng.integers(0, 2, n),
        }
    )


def statistics(frame: pd.DataFrame, **options: float) -> list[float]:
    columns = (frame[name] for name in ("time", "cause", "group", "layer"))
    return [float(value) for value in gray_test(*columns, **options)["chisq"]]


@pytest.mark.parametrize("seed", range(6))
def test_names_order_and_scale_of_time_are_nothing(seed: int) -> None:
    frame = drawn(seed)
    expected = pytest.approx(statistics(frame), rel=1e-8, abs=1e-10, nan_ok=True)
    renamed = frame.assign(group=frame["group"].map({0: "z", 1: "a", 2: "m"}))  # another one drops
    assert statistics(renamed.sample(frac=1, random_state=seed)) == expected
    assert statistics(frame.assign(time=np.exp(frame["time"] / 3))) == expected
    swapped = frame.assign(cause=frame["cause"].map({0: 0, 1: 2, 2: 1}))
    assert statistics(swapped)[::-1] == expected


def test_without_censoring_it_is_a_log_rank_that_keeps_the_others_in() -> None:
    """Who had the other event is at risk for ever: same scores, and the same variance in number."""
    rng = np.random.default_rng(1)
    n = 3000
    group = np.arange(n) % 2
    time = rng.exponential(1.0, n)
    cause = np.where(rng.random(n) < 0.5 + 0.05 * group, 1, 2)
    kept = np.where(cause == 1, time, time.max() + 1)
    expected = logrank(kept, cause == 1, group).chisq
    found = float(gray_test(time, cause, group)["chisq"].iloc[0])
    assert expected > 1
    assert found == pytest.approx(expected, rel=0.05)  # two estimates of one variance


def test_equal_hazards_are_not_equal_incidences() -> None:
    """The other cause takes people away in one group: the hazard is the same, the share is not."""
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 400)
    one, other = rng.exponential(1.0, 800), rng.exponential(np.where(group == 1, 0.3, 3.0))
    time, cause = np.minimum(one, other), np.where(one < other, 1, 2)
    assert logrank(time, cause == 1, group).p > 0.05
    assert float(gray_test(time, cause, group)["p"].iloc[0]) < 1e-6
    ends = cumulative_incidence(time, cause, by=group).query("cause == 1").groupby("group")["cif"]
    assert ends.last()[0] - ends.last()[1] > 0.3


def test_size() -> None:
    """5 % of true nulls are rejected, within three errors of the draws."""
    draws = 2000 if os.environ.get("BAROMETRE_SLOW") == "1" else 200
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(draws):
        time, cause = rng.integers(1, 9, 60), rng.choice([0, 1, 2], 60)
        rejected += float(gray_test(time, cause, np.arange(60) % 2)["p"].iloc[0]) < 0.05
    assert abs(rejected / draws - 0.05) < 3 * np.sqrt(0.05 * 0.95 / draws)


def test_of_a_cohort() -> None:
    rows = pd.DataFrame({"id": np.repeat(np.arange(40), 4), "year": [1, 2, 3, 4] * 40})
    rng = np.random.default_rng(3)
    rows["state"] = np.where(
        rows["year"] == 1, "cherche", rng.choice(["cherche", "job", "parti"], 160)
    )
    rows = rows.assign(arm=rows["id"] % 2, place=rows["id"] % 5, w=1 + rows["id"] % 3)
    panel = Cohort(rows, "id", "year", arm="arm", weight="w", status="state")
    found = panel.gray_test("job", "parti", "arm", strata="place", rho=1.0)
    times = panel.time_to_event("job", competing="parti")
    arm, place = (times["person"] % 2, times["person"] % 5)
    expected = gray_test(times["duration"], times["event"], arm, place, rho=1.0)
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
    assert "sans les poids de la cohorte" in found.summary()
    assert "rho = 1" in found.summary()


def test_refusals_and_nobody() -> None:
    with pytest.raises(BarometreError, match="un seul groupe"):
        gray_test([1, 2], [1, 2], ["a", "a"])
    for rho in (-1.0, np.inf):
        with pytest.raises(BarometreError, match="rho"):
            gray_test([1, 2], [1, 2], ["a", "b"], rho=rho)
    assert gray_test([1, 2], [0, 0], ["a", "b"]).empty
    with pytest.raises(BarometreError, match="colonne absente"):
        cohort.gray_test(drawn(0), "time", "cause", "zone")
    # b is gone before the only event: nothing to compare
    assert np.isnan(gray_test([1, 2, 3], [0, 1, 0], ["b", "a", "a"])["chisq"].item())
