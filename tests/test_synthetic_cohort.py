"""The synthetic cohort: what is said of it is true of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError


def test_one_row_per_person_and_wave_in_the_13_neighbourhoods() -> None:
    people = bcs.datasets.make_cohort(400)
    assert not people.duplicated(["person", "wave"]).any()
    assert sorted(people["wave"].unique()) == list(range(2024, 2031))
    assert people["baseline_zone"].nunique() == 13
    for column in ("arm", "first_treated", "baseline_zone", "household", "sex", "diploma"):
        assert people.groupby("person")[column].nunique(dropna=False).max() == 1, column
    assert people["first_treated"].isna().equals(people["arm"] == 0)


def test_the_same_people_complete_or_not() -> None:
    people, whole = bcs.datasets.make_cohort(300), bcs.datasets.make_cohort(300, complete=True)
    assert len(whole) == 300 * 7
    joined = people.merge(whole, on=list(whole.columns), how="left", indicator=True)
    assert (joined["_merge"] == "both").all()
    assert people.equals(bcs.datasets.make_cohort(300))
    assert not people["income"].equals(bcs.datasets.make_cohort(300, seed=1)["income"])


def test_the_lost_do_not_come_back_and_say_why() -> None:
    people = bcs.datasets.make_cohort(500)
    spans = people.groupby("person")["wave"].agg(["min", "max", "size"])
    assert (spans["max"] - spans["min"] + 1 == spans["size"]).all()
    last = people.groupby("person").tail(1)
    assert last["exit_reason"].notna().equals(last["wave"] < 2030)
    assert people["exit_reason"].notna().sum() == (spans["max"] < 2030).sum()


def test_the_effect_is_what_removing_it_changes() -> None:
    """Same seed, effect or none: incomes differ by the effect, where and when people are treated."""
    options = {"n": 200, "complete": True, "entries": (2025, 2027)}
    with_it = bcs.datasets.make_cohort(effect=60.0, **options)  # type: ignore[arg-type]  # options of one dict
    without = bcs.datasets.make_cohort(effect=0.0, **options)  # type: ignore[arg-type]  # options of one dict
    treated = with_it["wave"] >= with_it["first_treated"]
    assert np.allclose(with_it["income"] - without["income"], 60.0 * treated, rtol=0, atol=1e-9)
    assert with_it.attrs["truth"]["effect"] == 60.0


def test_trends_are_parallel_and_levels_are_not() -> None:
    whole = bcs.datasets.make_cohort(40_000, effect=0.0, complete=True)
    means = whole.groupby(["arm", "wave"])["income"].mean().unstack("arm")
    gap = means[1] - means[0]
    assert (gap < -80).all()
    # The gap moves by less than 4 standard errors of a difference of changes.
    error = 4 * np.sqrt(2 * 90**2 + (8 * 6) ** 2) * np.sqrt(1 / 16_000 + 1 / 24_000)
    assert (gap - gap.iloc[0]).abs().max() < error


def test_losses_depend_on_the_first_income_in_opposite_ways() -> None:
    people = bcs.datasets.make_cohort(20_000)
    first = people[people["wave"] == 2024]
    stays = first["person"].isin(people.loc[people["wave"] == 2030, "person"])
    for arm, sign in ((0, -1), (1, 1)):
        here = first["arm"] == arm
        kept, lost = first.loc[here & stays, "income"], first.loc[here & ~stays, "income"]
        assert sign * (kept.mean() - lost.mean()) > 30
    assert bcs.datasets.make_cohort(50, attrition=0)["person"].value_counts().eq(7).all()


def test_households_live_together_and_are_alike() -> None:
    people = bcs.datasets.make_cohort(20_000, complete=True)
    first = people[people["wave"] == 2024]
    assert first.groupby("household")["baseline_zone"].nunique().max() == 1
    assert first.groupby("household").size().max() <= 3
    pairs = first[first.groupby("household")["person"].transform("size") == 2]
    incomes = pairs.sort_values("household")["income"].to_numpy().reshape(-1, 2)
    assert np.corrcoef(incomes.T)[0, 1] > 0.1  # 100^2 of a variance of about 210^2


def test_the_share_lost_is_the_one_asked_for() -> None:
    people = bcs.datasets.make_cohort(40_000, attrition=0.06)
    lost = 1 - (people["wave"] == 2025).sum() / 40_000
    assert abs(lost - 0.06) < 4 * np.sqrt(0.06 * 0.94 / 40_000)


def test_leavers_are_better_off() -> None:
    whole = bcs.datasets.make_cohort(10_000, complete=True)
    moved = whole["zone"] != whole["baseline_zone"]
    end = whole["wave"] == 2030
    assert whole.loc[moved & end, "income"].mean() > whole.loc[~moved & end, "income"].mean() + 50


def test_every_argument_out_of_range_is_named() -> None:
    with pytest.raises(BarometreError, match=r"n : .*entries : .*share_treated : .*attrition"):
        bcs.datasets.make_cohort(1, entries=(2024,), share_treated=1.0, attrition=1.0)


@pytest.mark.parametrize(
    "given",
    [{"n": 10.5}, {"n": "10"}, {"effect": float("nan")}, {"effect": None}, {"seed": None},
     {"seed": -1}, {"zone_shock": float("inf")}, {"attrition": "0.1"}],
)  # fmt: skip
def test_an_argument_that_is_no_number_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BarometreError, match=rf"refusée : {next(iter(given))} :"):
        bcs.datasets.make_cohort(**({"n": 10} | given))


def test_one_wave_of_entry_needs_no_list() -> None:
    one, several = (bcs.datasets.make_cohort(50, entries=e) for e in (2027, [2027]))
    pd.testing.assert_frame_equal(one, several)


def test_it_says_it_is_synthetic() -> None:
    assert bcs.datasets.make_cohort(10).attrs["synthetic"] is True
    assert isinstance(bcs.datasets.make_cohort(10), pd.DataFrame)
