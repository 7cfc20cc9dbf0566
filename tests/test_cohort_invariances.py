"""What must not matter to the verbs of a cohort: names, order, scale, a constant per person."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort
from tests.columns import weighted_effect
from tests.test_cohort_verbs import ROUNDING

# ---- what must not matter -----------------------------------------------------------------------


def random_panel(seed: int, gaps: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(16, 40))
    frame = pd.DataFrame({"id": np.repeat(np.arange(n), 4), "year": np.tile(range(4), n)})
    start = rng.permutation(np.resize([0, 0, 2, 3], n))
    frame["start"], frame["arm"] = start[frame["id"]], (start[frame["id"]] > 0).astype(int)
    frame["on"] = ((frame["start"] > 0) & (frame["year"] >= frame["start"])).astype(int)
    frame["x"] = rng.normal(size=n)[frame["id"]]
    frame["w"] = rng.uniform(0.5, 3, n)[frame["id"]]
    frame["place"] = rng.choice(["N", "S", "E"], len(frame))
    frame["y"] = rng.normal(size=n)[frame["id"]] + rng.normal(size=len(frame)) + frame["on"]
    if gaps:
        frame = frame[(rng.random(len(frame)) > 0.15) | (frame["year"] == 0)]
    return frame.reset_index(drop=True)


def answers(frame: pd.DataFrame, weight: str | None = "w") -> dict[str, float]:
    """What verbs say, by name."""
    panel = Cohort(
        frame, "id", "year", arm="arm", first_treated="start", zone="place", weight=weight
    )
    found: dict[str, float] = {}
    for name, effect in {
        "did": panel.did("y", 2),
        "did CR2": panel.did("y", 2, se="CR2"),
        "twfe": panel.twfe("y", treated="on"),
        "never": panel.att_gt("y").aggregate("simple").overall,
        "not_yet": panel.att_gt("y", control="not_yet", base="universal")
        .aggregate("dynamic")
        .overall,
    }.items():
        found |= {name: effect.estimate, f"{name} se": effect.se}
    balance = panel.balance(["x"]).iloc[0]
    change = panel.decompose_change("y", "N", 0, 3)
    return found | {
        "smd": balance["smd"],
        "lost": panel.attrition().set_index("group").loc["difference", "rate"],
        "lee": panel.lee_bounds("y").low,
        "ess": panel.propensity_weights(["x"]).ess["control"],
        **{
            f"zone {name}": getattr(change, name)
            for name in ("total", "in_situ", "exits", "entries")
        },
    }


def assert_same(found: dict[str, float], expected: dict[str, float]) -> None:
    # Effects and outcomes are around 1: an absolute tolerance is a relative one.
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-7, abs=ROUNDING, nan_ok=True), name


seeds = st.integers(0, 10_000)


@settings(max_examples=12)
@given(seed=seeds, gaps=st.booleans(), names=st.sampled_from(["text", "shuffled", "negative"]))
def test_names_of_people_and_order_of_rows_do_not_matter(seed: int, gaps: bool, names: str) -> None:
    frame = random_panel(seed, gaps)
    rng = np.random.default_rng(seed)
    other = pd.Series(rng.permutation(frame["id"].max() + 1))
    known: dict[str, pd.Series[Any]] = {
        "text": "p" + other.astype(str),
        "shuffled": other * 7 + 3,
        "negative": -other - 1,
    }
    renamed = frame.assign(id=frame["id"].map(known[names])).sample(frac=1, random_state=seed)
    assert_same(answers(renamed), answers(frame))


@settings(max_examples=12)
@given(seed=seeds, gaps=st.booleans(), scale=st.floats(1e-6, 1e6))
def test_the_scale_of_weights_does_not_matter(seed: int, gaps: bool, scale: float) -> None:
    frame = random_panel(seed, gaps)
    assert_same(answers(frame.assign(w=frame["w"] * scale)), answers(frame))


@settings(max_examples=12)
@given(seed=seeds)
def test_equal_weights_are_no_weights(seed: int) -> None:
    frame = random_panel(seed, gaps=False).assign(w=3.0)
    assert_same(answers(frame), answers(frame, weight=None))


@settings(max_examples=12)
@given(seed=seeds, gaps=st.booleans(), spread=st.floats(0.1, 1000))
def test_a_constant_per_person_leaves_effects_unchanged(
    seed: int, gaps: bool, spread: float
) -> None:
    frame = random_panel(seed, gaps)
    constant = np.random.default_rng(seed).normal(0, spread, frame["id"].max() + 1)
    shifted, before = answers(frame.assign(y=frame["y"] + constant[frame["id"]])), answers(frame)
    # With gaps, the plain 2 x 2 compares people seen on one side only: it is not in this.
    names = ["twfe", "never", "not_yet"] + ([] if gaps else ["did", "did CR2"])
    for name in names:
        assert shifted[name] == pytest.approx(before[name], rel=0, abs=1e-12 * (1 + spread) * 100)
    for name in names[:3]:  # errors of the 2 x 2 by rows are not those of changes
        assert shifted[f"{name} se"] == pytest.approx(before[f"{name} se"], rel=1e-7 * (1 + spread))


@settings(max_examples=25)
@given(seed=seeds, gaps=st.booleans(), statistic=st.sampled_from(["mean", "median", np.max]))
def test_decompositions_of_a_cohort_add_up(seed: int, gaps: bool, statistic: Any) -> None:
    frame = random_panel(seed, gaps)
    found = Cohort(frame, "id", "year", zone="place").decompose_change(
        "y", "N", 0, 3, statistic=statistic
    )
    if found.n_stayers:
        assert found.total == pytest.approx(found.in_situ + found.exits + found.entries, abs=1e-12)
    if not np.isnan(found.people):
        parts = found.people + found.composition_exit + found.composition_entry
        assert np.isnan(found.in_situ) or found.total == pytest.approx(parts, abs=1e-12)
    there = frame[(frame["place"] == "N") & frame["year"].isin([0, 3])]
    assert found.meta["n_in"] == there["id"].nunique()


@settings(max_examples=25)
@given(seed=seeds, stabilised=st.booleans())
def test_without_attrition_weights_are_one(seed: int, stabilised: bool) -> None:
    frame = random_panel(seed, gaps=False)
    panel = Cohort(frame, "id", "year", arm="arm")
    weights = panel.attrition_weights(["x", "arm"], stabilised=stabilised)
    assert weights.weight.eq(1).all()
    assert weights.ess == panel.n_people
    assert weights.fit is None
    wide = frame.pivot(index="id", columns="year", values="y")
    change = (wide[3] - wide[0]).loc[weights.weight.index]
    plain = weighted_effect(change, panel.baseline("arm"))
    assert weighted_effect(change, panel.baseline("arm"), weights.weight).estimate == plain.estimate


@settings(max_examples=12)
@given(seed=seeds)
def test_weighted_changes_are_the_weighted_did_of_those_left(seed: int) -> None:
    """Two programs for one number: the mean change by arm, the weighted regression on rows."""
    frame = random_panel(seed, gaps=True)
    panel = Cohort(frame, "id", "year", arm="arm")
    assume(panel.lost_at().groupby("arm")["lost"].any().all())
    weights = panel.attrition_weights(["arm"]).weight.dropna()
    left = frame[frame["id"].isin(weights.index) & frame["year"].isin([0, 3])]
    wide = left.pivot(index="id", columns="year", values="y")
    arm = left.groupby("id")["arm"].first()
    effect = weighted_effect(wide[3] - wide[0], arm, weights.loc[wide.index])
    rows = left.assign(w=left["id"].map(weights))
    did = Cohort(rows, "id", "year", arm="arm", weight="w").did("y", 3)
    assert did.estimate == pytest.approx(effect.estimate, rel=ROUNDING, abs=ROUNDING)


def test_unknown_names_suggest_the_right_one() -> None:
    with pytest.raises(BarometreError, match=r"« incomes » \(« income » \?\)"):
        Cohort(bcs.datasets.make_cohort(20), "person", "wave", arm="arm").lee_bounds("incomes")
