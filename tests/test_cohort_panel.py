"""A cohort: what it refuses, who is in it, who stays, how long until an event."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.base.tidy import tidy
from barometre.cohort import Cohort, CohortError
from barometre.cohort.rows.columns import as_binary
from barometre.cohort.rows.keys import positions
from tests.columns import exits, participation_patterns, retention, waves_per_person

ROWS = pd.DataFrame(
    {
        "id": ["p1", "p1", "p1", "p2", "p2", "p3", "p4", "p4"],
        "year": [2024, 2025, 2026, 2024, 2026, 2024, 2025, 2026],
        "arm": [1, 1, 1, 0, 0, 0, 1, 1],
        "entered": [2025, 2025, 2025, np.nan, 0, np.inf, 2026, 2026],
        "zone": ["A", "A", "B", "B", "B", "A", "C", "C"],
        "qp": ["A", "A", "A", "B", "B", "A", "C", "C"],
        "weight": [1.0, 2, 3, 1, 1, 1, 2, 2],
        "status": ["search", "job", "job", "search", "search", "moved", "training", None],
    }
)
ROLES: dict[str, Any] = {
    "person": "id", "wave": "year", "arm": "arm", "first_treated": "entered", "cluster": "qp",
    "zone": "zone", "weight": "weight", "status": "status",
}  # fmt: skip


def cohort(**changes: Any) -> Cohort:
    return Cohort(ROWS, **(ROLES | changes))


# ---- the frame ----------------------------------------------------------------------------------


def test_who_and_when() -> None:
    panel = cohort()
    assert panel.n_people == 4
    assert panel.waves.tolist() == [2024, 2025, 2026]
    assert panel.people.tolist() == ["p1", "p2", "p3", "p4"]
    assert panel.codes.person.tolist() == [0, 0, 0, 1, 1, 2, 3, 3]
    assert panel.codes.wave.tolist() == [0, 1, 2, 0, 2, 0, 1, 2]
    assert not panel.is_balanced
    assert panel.baseline("zone").to_dict() == {"p1": "A", "p2": "B", "p3": "A", "p4": "C"}
    assert panel.column("zone").tolist() == ROWS["zone"].tolist()
    assert repr(panel) == "Cohort(4 personnes, 3 vagues, 8 lignes)"


@settings(max_examples=20)
@given(st.permutations(range(8)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    panel = Cohort(ROWS.iloc[order], **ROLES)
    pd.testing.assert_series_equal(panel.baseline("zone").sort_index(), cohort().baseline("zone"))
    keys = list(zip(panel.people[panel.codes.person], panel.waves[panel.codes.wave], strict=True))
    assert keys == list(zip(panel.frame["id"], panel.frame["year"], strict=True))
    pd.testing.assert_frame_equal(panel.retention("arm"), cohort().retention("arm"))


def test_the_frame_is_not_changed_and_may_be_indexed() -> None:
    before = ROWS.copy()
    panel = Cohort(ROWS.set_index(["id", "year"]), **ROLES)
    assert panel.n_people == 4
    cohort().transition_rates("arm")
    pd.testing.assert_frame_equal(ROWS, before)
    shifted = ROWS.set_index(np.full(8, 7))  # the same label everywhere
    assert Cohort(shifted, **ROLES).codes.wave.tolist() == cohort().codes.wave.tolist()


@pytest.mark.parametrize(
    "waves",
    [
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([1.0, 2.0]),
        pd.to_datetime(pd.Series(["2024-01-01", "2025-01-01"])),
        pd.Series(pd.period_range("2024", periods=2, freq="Y")),
        pd.Series(pd.Categorical(["t2", "t1"], categories=["t2", "t1"], ordered=True)),
    ],
)
def test_waves_that_have_an_order(waves: pd.Series[Any]) -> None:
    panel = Cohort(pd.DataFrame({"id": [5, 5], "wave": waves}), "id", "wave")
    assert panel.codes.wave.tolist() == [0, 1]
    assert len(panel.retention()) == 2
    assert panel.is_balanced


def test_ids_around_the_largest_signed_integer() -> None:
    ids = pd.Series([2**63, 2**63 - 1, 2**63], dtype=np.uint64)
    codes, labels = positions(ids)
    assert labels[codes].tolist() == ids.tolist()
    assert len(labels) == 2


def test_ids_far_apart_or_negative() -> None:
    ids = [-(10**12), 7, 10**15]
    panel = Cohort(pd.DataFrame({"id": ids, "wave": 1}), "id", "wave")
    assert panel.people[panel.codes.person].tolist() == ids


def test_every_fault_at_once() -> None:
    rows = pd.DataFrame(
        {
            "id": [1, 1, 2, 2, None],
            "wave": [1, 1, 1, 2, 2],
            "arm": [0, 0, 0, 1, 1],
            "first": [2, 2, 0, 2, 0],
            "qp": ["A"] * 5,
            "w": [1, 0, np.nan, np.inf, 1],
        }
    )
    with pytest.raises(CohortError) as caught:
        Cohort(rows, "id", "wave", arm="arm", first_treated="first", cluster="qp", weight="w")
    message = str(caught.value)
    for words in (
        "7 défauts",
        "id : 1 valeur manquante",
        "w : 1 valeur manquante",
        "w : 2 poids négatifs, nuls ou infinis",
        "(id, wave) : 2 lignes en double (1",
        "arm : change d'une vague à l'autre pour 1 personne (2",
        "first : change d'une vague à l'autre pour 1 personne",
        "qp : une seule grappe",
    ):
        assert words in message
    twice = caught.value.lignes
    assert twice[twice["defaut"].str.contains("double")].index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arm": "bras"}, "bras : colonne absente ; corriger arm= ;"),
        ({"wave": "zone"}, "sans ordre"),
        ({"weight": "zone"}, "poids de type"),
        ({"first_treated": "zone"}, "quand les vagues sont"),
        ({"cluster": "zone"}, "change d'une vague à l'autre"),
        ({"arm": "status"}, "valeur manquante"),
    ],
)
def test_what_is_refused(changes: dict[str, str], words: str) -> None:
    with pytest.raises(CohortError, match=words):
        cohort(**changes)


def test_no_frame_and_no_row() -> None:
    with pytest.raises(CohortError, match="DataFrame"):
        Cohort([1, 2], "id", "year")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(CohortError, match="aucune ligne"):
        Cohort(ROWS.head(0), "id", "year")
    with pytest.raises(CohortError, match="None : colonne absente ; corriger person= ;"):
        Cohort(ROWS, None, "year")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(CohortError, match="id : colonne en double"):
        Cohort(pd.concat([ROWS, ROWS[["id"]]], axis=1), "id", "year")


@pytest.mark.parametrize(
    ("arm", "missing", "words"),
    [
        (["oui", None, "non"], False, "arm vaut 'oui', 'non' : donner 1"),
        (["oui", None, "non"], True, "arm vaut 'oui', 'non' : donner 1"),
        ([1, None, 0], False, "1 valeur manquante"),
        ([True, None, False], False, "1 valeur manquante"),
        ([1.0, np.inf, 0.0], True, "1 valeur infinie"),
        ([1, 2, 0], True, "arm vaut aussi 2 : donner 1"),
    ],
)
def test_an_arm_that_is_not_one_says_what_it_holds(
    arm: list[Any], missing: bool, words: str
) -> None:
    with pytest.raises(BarometreError, match=re.escape(words)):
        as_binary(pd.Series(arm, dtype=object), "arm", missing=missing)


def test_never_treated_may_be_written_several_ways() -> None:
    frame = ROWS[ROWS["id"] == "p2"].assign(entered=[np.nan, 0])
    assert Cohort(frame, "id", "year", first_treated="entered").n_people == 1


def test_columns_and_roles() -> None:
    with pytest.raises(
        BarometreError, match="zones : colonne absente ; vouliez-vous dire « zone »"
    ):
        cohort().column("zones")
    with pytest.raises(BarometreError, match="cohorte sans cluster"):
        cohort(cluster=None).column("cluster")


def test_a_tidy_frame_says_what_made_it() -> None:
    frame = tidy(pd.DataFrame({"n": [1]}), method="m", n_in=2)
    assert frame.meta["method"] == "m"
    assert frame.meta["version"]
    assert type(frame.head()) is pd.DataFrame


def test_the_cohort_does_not_load_the_statistics() -> None:
    code = (
        "import sys, barometre.cohort;"
        "print([m for m in ('scipy', 'statsmodels', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- follow-up ----------------------------------------------------------------------------------


def test_participation() -> None:
    table = cohort().participation_patterns()
    assert table["pattern"].tolist() == ["111", "1.1", "1..", ".11"]
    assert table["n"].tolist() == [1, 1, 1, 1]
    assert table["cumulative"].tolist() == [25, 50, 75, 100]
    assert cohort().participation_patterns(limit=1)["pattern"].tolist() == ["111", "(autres)"]
    assert cohort().waves_per_person()["n"].tolist() == [1, 2, 1]
    assert cohort().waves_per_person().meta["quantiles"][0.5] == 2
    known = cohort().participation_patterns(observed="status")
    assert known["pattern"].tolist() == ["111", "1.1", "1..", ".1."]


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.sampled_from([3, 8, 9, 20]))
def test_patterns_by_hand(seed: int, waves: int) -> None:
    rng = np.random.default_rng(seed)
    seen = rng.random((30, waves)) < rng.choice([0.2, 0.9])
    person, wave = np.nonzero(seen)
    when = np.unique(wave)
    expected = pd.Series(
        ["".join(".1"[mark] for mark in row[when].astype(int)) for row in seen if row.any()],
        dtype="str",
    ).value_counts()
    table = participation_patterns(person, wave)
    assert table.set_index("pattern")["n"].to_dict() == expected.to_dict()
    assert table["n"].is_monotonic_decreasing
    sizes = waves_per_person(person, wave)
    assert (sizes["n_waves"] * sizes["n"]).sum() == seen.sum()


def test_retention_by_both_clocks() -> None:
    table = cohort().retention()
    numbers = ["n_expected", "n_present", "n_away", "n_gone"]
    assert table[["wave", *numbers]].to_numpy().tolist() == [
        [2024, 3, 3, 0, 0], [2025, 4, 2, 1, 1], [2026, 4, 3, 0, 1],
    ]  # fmt: skip
    since = cohort().retention(clock="entry")
    assert since[["since_entry", *numbers]].to_numpy().tolist() == [
        [0, 4, 4, 0, 0], [1, 4, 2, 1, 1], [2, 3, 2, 0, 1],
    ]  # fmt: skip
    by_arm = cohort().retention("arm")
    assert by_arm.groupby("wave")["n_present"].sum().tolist() == table["n_present"].tolist()
    assert by_arm["retention"].isna().sum() == 0


def test_intervals_are_those_of_wilson() -> None:
    from statsmodels.stats.proportion import proportion_confint

    table = cohort().retention(level=0.9)
    low, high = proportion_confint(table["n_present"], table["n_expected"], 0.1, method="wilson")
    np.testing.assert_allclose(table["low"], low, atol=1e-12)
    np.testing.assert_allclose(table["high"], high, atol=1e-12)


def test_a_wave_without_anyone_expected() -> None:
    table = retention([1, 2], [1, 2], by=["a", "b"])
    late = table[(table["group"] == "b") & (table["wave"] == 1)]
    assert late["n_expected"].item() == 0
    assert late[["retention", "low", "high"]].isna().all(axis=None)


def test_exits_and_their_reasons() -> None:
    table = cohort().exits()  # a status is what people were, not why they left
    assert "dernier statut connu" in table.summary()
    assert table[["wave", "last_status", "n", "n_at_risk"]].to_numpy().tolist() == [
        [2025, "moved", 1, 3], [2026, "moved", 0, 3],
    ]  # fmt: skip
    told = exits(
        [1, 1, 2, 2, 3], [1, 2, 1, 2, 1], ["a", "died", "b", None, "b"],
        observed=[True, False, True, True, True],
    )  # fmt: skip
    assert told[["reason", "n", "n_at_risk"]].to_numpy().tolist() == [["b", 1, 3], ["died", 1, 3]]
    assert told["rate"].sum() == pytest.approx(2 / 3)
    none = exits([1, 1], [1, 2])
    assert none[["reason", "n"]].to_numpy().tolist() == [["unknown", 0]]


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.sampled_from(["calendar", "entry"]))
def test_exits_add_up_to_those_who_are_gone(seed: int, clock: Any) -> None:
    rng = np.random.default_rng(seed)
    person, wave = np.nonzero(rng.random((20, 5)) < 0.5)
    stay = retention(person, wave, clock=clock)
    gone = exits(person, wave, clock=clock)
    assert stay["n_present"].iloc[0] > 0
    if clock == "calendar":
        assert gone["n"].cumsum().tolist() == stay["n_gone"].tolist()[1:]
    last = pd.Series(wave).groupby(person).max()
    assert gone["n"].sum() == (last < wave.max()).sum()
    assert (gone["n"] <= gone["n_at_risk"]).all()


def test_never_seen_people_are_counted() -> None:
    table = retention([1, 2], [1, 1], observed=[True, False])
    assert table["n_expected"].tolist() == [1]
    assert table.meta["lost"] == {"jamais vu": 1}
    assert (table.meta["n_in"], table.meta["n_used"]) == (2, 1)


def test_follow_up_refusals() -> None:
    with pytest.raises(BarometreError, match="horloge"):
        retention([1], [1], clock="sablier")
    with pytest.raises(BarometreError, match="limit"):
        participation_patterns([1], [1], limit=0)
    with pytest.raises(BarometreError, match="limit"):
        participation_patterns([1], [1], limit="deux")
    with pytest.raises(BarometreError, match="niveau"):
        retention([1], [1], level=2)
    for function in (participation_patterns, retention, exits):
        with pytest.raises(BarometreError, match="aucune ligne"):
            function([], [])
