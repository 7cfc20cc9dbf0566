"""Transitions hold to TraMineR and to a count by hand; absence is said, never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.cohort import Cohort
from tests.columns import mean_time, state_distribution, transition_counts, transition_rates

GOLDEN = Path(__file__).parent.parent.parent / "shared" / "golden" / "cohort"
PRINTED = 1e-9  # the reference files print 15 digits; ours differ by the order of sums
golden = pytest.mark.skipif(not GOLDEN.exists(), reason="reference data are not beside the project")


@pytest.fixture(scope="module")
def mvad() -> pd.DataFrame:
    """The school leavers, one row per month from September 1993 to June 1999."""
    frame = pd.read_csv(GOLDEN / "data" / "mvad.csv")
    months = list(frame.columns[16:86])
    rows = frame.melt(["id", "weight", "catholic"], months, var_name="month", value_name="status")
    return rows.assign(month=pd.Categorical(rows["month"], months, ordered=True))


def reference(name: str) -> pd.DataFrame:
    return pd.read_csv(next((GOLDEN / "results").glob(f"{name}__*.csv")))


# ---- TraMineR -----------------------------------------------------------------------------------


@golden
@pytest.mark.parametrize(
    ("kind", "column", "options"),
    [
        ("weighted", "rate", {"weight": "weight"}),
        ("unweighted", "rate", {}),
        ("unweighted lag=12", "rate", {"lag": 12}),
        ("unweighted count=TRUE", "n", {}),
    ],
)
def test_rates_of_traminer(
    mvad: pd.DataFrame, kind: str, column: str, options: dict[str, Any]
) -> None:
    expected = reference("mvad_seqtrate").query("weighting == @kind")
    if "weight" in options:
        options = {"weight": mvad["weight"]}
    found = transition_rates(mvad["id"], mvad["month"], mvad["status"], **options)
    both = found.merge(expected, on=["from", "to"], suffixes=("", "_r"), validate="1:1")
    assert len(both) == len(expected) == 36
    theirs = both["rate_r"]
    np.testing.assert_allclose(both[column], theirs, rtol=0, atol=0 if column == "n" else PRINTED)


@golden
def test_distribution_of_traminer(mvad: pd.DataFrame) -> None:
    expected = reference("mvad_state_distribution").set_index("month")
    found = state_distribution(mvad["id"], mvad["month"], mvad["status"])
    shares = found.pivot(index="wave", columns="state", values="share")
    assert [str(month) for month in shares.index] == expected.index.tolist()
    states = expected.columns.drop("entropy")
    np.testing.assert_allclose(shares[states], expected[states], rtol=0, atol=PRINTED)
    entropy = found.drop_duplicates("wave")["entropy"]
    np.testing.assert_allclose(entropy, expected["entropy"], rtol=0, atol=PRINTED)


@golden
def test_mean_time_of_traminer(mvad: pd.DataFrame) -> None:
    expected = reference("mvad_mean_time").set_index("state")
    keys = mvad["id"], mvad["month"], mvad["status"]
    plain = mean_time(*keys).set_index("state")["mean_time"].loc[expected.index]
    np.testing.assert_allclose(plain, expected["mean_months_unweighted"], rtol=PRINTED)
    weighted = mean_time(*keys, weight=mvad["weight"]).set_index("state")["mean_time"]
    theirs = expected["mean_months_weighted"]
    np.testing.assert_allclose(weighted.loc[expected.index], theirs, rtol=PRINTED)


@golden
def test_the_verbs_of_a_cohort_are_the_functions(mvad: pd.DataFrame) -> None:
    cohort = Cohort(
        mvad, "id", "month", arm="catholic", treated="yes", weight="weight", status="status"
    )
    keys = mvad["id"], mvad["month"], mvad["status"]
    options: dict[str, Any] = {"weight": mvad["weight"], "by": mvad["catholic"]}
    for ours, theirs in [
        (cohort.transition_rates("arm"), transition_rates(*keys, **options)),
        (cohort.state_distribution("arm"), state_distribution(*keys, **options)),
        (cohort.mean_time("catholic"), mean_time(*keys, **options)),
    ]:
        pd.testing.assert_frame_equal(ours, theirs)
        assert ours.meta == theirs.meta


@golden
def test_time_to_first_employment(mvad: pd.DataFrame) -> None:
    expected = pd.read_csv(GOLDEN / "data" / "mvad_time_to_first_employment.csv")
    cohort = Cohort(mvad, "id", "month", weight="weight", status="status")
    times = cohort.time_to_event("employment").merge(
        expected, left_on="person", right_on="id", suffixes=("", "_r")
    )
    assert len(times) == 712
    assert (times["duration"] + 1 == times["time"]).all()  # R counts the month that begins as 1
    assert (times["event"] == times["event_r"]).all()


# ---- by hand ------------------------------------------------------------------------------------


def panel(seed: int, people: int = 12, waves: int = 5) -> pd.DataFrame:
    """Rows with holes, unknown statuses, weights and groups that change."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "id": np.repeat(np.arange(people), waves),
            "wave": np.tile([2019, 2021, 2022, 2024, 2030][:waves], people),
            "status": np.array(["a", "b", "c", None])[rng.integers(0, 4, people * waves)],
            "weight": rng.uniform(0.5, 2, people * waves),
            "group": rng.integers(0, 2, people * waves),
        }
    )
    return rows[rng.random(len(rows)) < 0.8].sample(frac=1, random_state=seed)


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 4))
def test_counts_by_hand(seed: int, lag: int) -> None:
    rows = panel(seed)
    waves = sorted(rows["wave"].unique())
    later = {wave: waves[i + lag] for i, wave in enumerate(waves) if i + lag < len(waves)}
    known = rows.dropna(subset="status")
    start = known.assign(wave=known["wave"].map(later)).dropna(subset="wave")
    pairs = start.merge(known, on=["id", "wave"], suffixes=("", "_to"))
    expected = pairs.groupby(["group", "status", "status_to"])["weight"].sum()
    found = transition_counts(
        rows["id"], rows["wave"], rows["status"], lag=lag, weight=rows["weight"], by=rows["group"]
    )
    ours = found[found["n"] > 0].set_index(["group", "from", "to"])["n"]
    assert ours.to_dict() == pytest.approx(expected.to_dict())
    assert found.meta["pairs"] == len(pairs)
    order = rows["wave"].rank(method="dense").astype(int)
    start = rows.assign(wave=order)[["id", "wave", "status", "group"]]
    ends = start.assign(wave=order - lag)[["id", "wave", "status"]]
    both = start.merge(ends, on=["id", "wave"], how="outer", suffixes=("", "_to"))
    both = both[both["wave"].between(1, len(waves) - lag)]
    either = both[["status", "status_to"]].notna().any(axis=1).sum()
    assert found.meta["pairs_lost"] == either - len(pairs)
    assert found.meta["n_used"] == pairs["id"].nunique()
    plain = transition_rates(rows["id"], rows["wave"], rows["status"], lag=lag)
    assert plain["n"].sum() == len(pairs)
    totals = plain.groupby("from")["rate"].sum(min_count=1).dropna()
    assert np.allclose(totals, 1)


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_absence_is_the_same_without_row_and_without_status(seed: int) -> None:
    rows = panel(seed).drop(columns=["weight", "group"])
    full = rows.set_index(["id", "wave"])["status"]
    keys = pd.MultiIndex.from_product([sorted(set(rows["id"])), sorted(set(rows["wave"]))])
    every = full.reindex(keys.set_names(["id", "wave"])).reset_index()
    for function in (transition_rates, state_distribution, mean_time):
        for missing in ("drop", "state"):
            ours = function(rows["id"], rows["wave"], rows["status"], missing=missing)
            theirs = function(every["id"], every["wave"], every["status"], missing=missing)
            pd.testing.assert_frame_equal(ours, theirs)
    state = transition_counts(rows["id"], rows["wave"], rows["status"], missing="state")
    assert state["n"].sum() == (rows["wave"].nunique() - 1) * rows["id"].nunique()


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.floats(0.01, 100))
def test_names_order_and_scale_do_not_matter(seed: int, k: float) -> None:
    rows = panel(seed)
    other = rows.sample(frac=1, random_state=1)
    for function in (transition_rates, state_distribution, mean_time):
        ours = function(rows["id"], rows["wave"], rows["status"], weight=rows["weight"])
        theirs = function(
            "P" + other["id"].astype(str),
            other["wave"],
            other["status"],
            weight=k * other["weight"],
        )
        drop = [name for name in ("n",) if function is not mean_time]
        pd.testing.assert_frame_equal(ours.drop(columns=drop), theirs.drop(columns=drop))


def test_distribution_and_time_by_hand() -> None:
    rows = pd.DataFrame(
        {"id": [1, 1, 2, 2, 3], "t": [1, 2, 1, 2, 2], "s": ["a", "b", "a", "a", None],
         "w": [1.0, 1, 3, 3, 5]}
    )  # fmt: skip
    keys = rows["id"], rows["t"], rows["s"]
    shares = state_distribution(*keys, weight=rows["w"])
    assert shares["n"].tolist() == [4, 0, 3, 1]
    assert shares["share"].tolist() == [1, 0, 0.75, 0.25]
    assert shares["entropy"].tolist() == pytest.approx([0, 0, 0.8112781245, 0.8112781245])
    assert shares.meta["lost"] == {"aucun statut connu": 1}
    times = mean_time(*keys, weight=rows["w"])
    assert times["mean_time"].tolist() == [1.75, 0.25]
    assert times["n"].tolist() == [2, 2]
    everyone = mean_time(*keys, missing="state").set_index("state")["mean_time"]
    assert everyone.to_dict() == pytest.approx({"a": 1, "b": 1 / 3, "missing": 2 / 3})


def test_people_without_any_status_are_absent_all_along() -> None:
    """Their time is that of the missing state: the times add up to the number of waves."""
    times = mean_time([1, 1, 2], [1, 2, 1], ["a", "a", None], missing="state")
    assert times["mean_time"].sum() == 2


def test_categories_are_all_states() -> None:
    status = pd.Categorical(["b", "a"], categories=["b", "a", "z"])
    table = transition_rates([1, 1], [1, 2], status)
    assert table["from"].tolist() == ["b"] * 3 + ["a"] * 3 + ["z"] * 3
    assert table["rate"].tolist()[:3] == [0, 1, 0]
    assert table["rate"][3:].isna().all()


def test_small_panels() -> None:
    for function in (transition_rates, state_distribution, mean_time):
        with pytest.raises(BarometreError, match="aucune ligne"):
            function([], [], [])
    one = transition_rates([1], [1], ["a"])
    assert one["n"].tolist() == [0]
    assert one["rate"].isna().all()
    assert one.meta["lost"] == {"jamais deux statuts connus à cet écart": 1}
    alone = state_distribution([1], [1], ["a"])
    assert alone["entropy"].tolist() == [0]
    empty = transition_rates([1, 1], [1, 2], [None, None])
    assert list(empty.columns) == ["from", "to", "n", "rate"]
    assert empty.empty


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lag": 0}, "lag"),
        ({"lag": True}, "lag"),
        ({"missing": "oui"}, "missing="),
        ({"weight": [1, 0]}, "poids"),
        ({"weight": [1, np.nan]}, "weight : 1 valeur manquante"),
        ({"wave": [1, 1]}, "en double"),
        ({"wave": [1, None]}, "wave : 1 valeur manquante"),
        ({"wave": ["t1", "t2"]}, "sans ordre"),
        ({"status": ["a", "missing"], "missing": "state"}, "déjà un statut"),
    ],
)
def test_what_is_refused(change: dict[str, Any], words: str) -> None:
    columns: dict[str, Any] = {"person": [1, 1], "wave": [1, 2], "status": ["a", "b"]} | change
    with pytest.raises(BarometreError, match=words):
        transition_rates(**columns)


def test_a_missing_group_is_counted() -> None:
    table = transition_rates([1, 1, 2, 2], [1, 2, 1, 2], list("abab"), by=["x", "x", None, None])
    assert table["group"].unique().tolist() == ["x"]
    assert table["n"].sum() == 1
    assert (table.meta["n_in"], table.meta["n_used"]) == (2, 1)
