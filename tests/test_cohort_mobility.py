"""Movers and stayers: the worked case in fractions, exact sums, what may be published."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.cohort.movers.change import COMPONENTS, decompose_change
from tests.conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "cohort"
Outcomes: TypeAlias = "pd.Series[float]"
FEW = 1e-12  # sums of a dozen doubles


def place(stay: int, leave: int, come: int, seed: int = 0) -> tuple[Outcomes, Outcomes, Outcomes]:
    """Random outcomes of a place: before, after, and leavers' later outcomes."""
    rng = np.random.default_rng(seed)
    before = pd.Series(rng.normal(20, 5, stay + leave), index=range(stay + leave))
    after = pd.Series(
        rng.normal(18, 5, stay + come), index=[*range(stay), *range(1000, 1000 + come)]
    )
    later = pd.Series(rng.normal(25, 5, leave), index=range(stay, stay + leave))
    return before, after, later


def test_two_stayers_one_leaver_one_entrant_by_hand() -> None:
    """Before 10, 20, 60; after 14, 20 and 5: stayers 15 to 17, place 30 to 13."""
    before = pd.Series({"a": 10.0, "b": 20.0, "c": 60.0})
    after = pd.Series({"a": 14.0, "b": 20.0, "d": 5.0})
    found = decompose_change(before, after, leavers_after=pd.Series({"c": 66}))
    assert (found.total, found.in_situ, found.exits, found.entries) == (-17, 2, -15, -4)
    assert found.people == pytest.approx(10 / 3)
    assert found.composition_exit == pytest.approx(17 - 100 / 3)
    assert found.composition_entry == -4
    assert (found.n_stayers, found.n_exits, found.n_entries) == (2, 1, 1)
    # Three digits of the largest component, for all of them.
    assert "Évolution du lieu : −17,0 (" in found.summary()
    assert "Ceux qui restent : +2,0 (" in found.summary()


def test_the_worked_case_of_the_contract_follow_up() -> None:
    """Ten residents, four leave, four arrive: the place loses 4.4, its people gain 1.8."""
    before = dict(zip(range(1, 11), (12, 13, 14, 15, 16, 17, 20, 22, 24, 27), strict=True))
    after = {1: 13.5, 2: 14, 3: 15.2, 4: 15.8, 5: 17.5, 6: 18, 11: 9, 12: 10, 13: 11, 14: 12}
    later = {7: 23, 8: 24, 9: 27, 10: 30}
    found = decompose_change(pd.Series(before), pd.Series(after), leavers_after=pd.Series(later))
    exact = {
        "total": Fraction(-22, 5), "in_situ": Fraction(7, 6), "exits": Fraction(-7, 2), "entries": Fraction(-31, 15),
        "people": Fraction(9, 5), "composition_exit": Fraction(-62, 15), "composition_entry": Fraction(-31, 15),
    }  # fmt: skip
    for name, value in exact.items():
        assert getattr(found, name) == pytest.approx(float(value), abs=FEW)
    median = decompose_change(pd.Series(before), pd.Series(after), "median")
    assert (median.total, median.in_situ, median.exits, median.entries) == (-2.75, 1.0, -2.0, -1.75)


@pytest.mark.skipif(not GOLDEN.exists(), reason="résultats de référence absents")
def test_the_reference_files() -> None:
    full = pd.read_csv(GOLDEN / "data/people_decomposition_example_full.csv", index_col="id")
    first, last = full[full["zone_t1"] == "Q"], full[full["zone_t2"] == "Q"]
    left = first.index.difference(last.index)
    found = decompose_change(first["y_t1"], last["y_t2"], leavers_after=full.loc[left, "y_t2"])
    exact = json.loads((GOLDEN / "results/people_decomposition_example__exact.json").read_text())[
        "float"
    ]
    names = {
        "total": "total", "in_situ": "in_situ", "exits": "exit_effect", "entries": "entry_effect",
        "people": "people_change", "composition_exit": "composition_exit", "composition_entry": "composition_entry",
        "n_stayers": "n_stayers", "n_exits": "n_exits", "n_entries": "n_entrants",
    }  # fmt: skip
    for ours, theirs in names.items():
        assert getattr(found, ours) == pytest.approx(exact[theirs], abs=FEW)
    rate = pd.read_csv(GOLDEN / "data/people_decomposition_example_rate.csv").set_index(
        ["t", "id"]
    )["y"]
    with (GOLDEN / "results/people_decomposition_example__R-dfvad-0.3.6.csv").open() as file:
        dfvad = {(r["method"], r["component"]): float(r["value"]) for r in csv.DictReader(file)}
    shares = decompose_change(rate.loc[1], rate.loc[2], "rate")
    for method, decomposed in (("df", found), ("df|rate", shares)):
        for theirs, name in (
            ("within", "in_situ"),
            ("entry", "entries"),
            ("exit", "exits"),
            ("total", "total"),
        ):
            assert getattr(decomposed, name) == pytest.approx(dfvad[method, theirs], abs=1e-11)


@given(
    st.integers(1, 9),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 99),
    st.sampled_from(["mean", "median", np.ptp, lambda v: float(np.quantile(v, 0.9))]),
)
def test_components_add_up_for_any_statistic(
    stay: int, leave: int, come: int, seed: int, statistic: str | Callable[..., float]
) -> None:
    before, after, later = place(stay, leave, come, seed)
    found = decompose_change(before, after, statistic, later if leave else None)  # type: ignore[arg-type]  # a function or a name, by the case
    assert found.in_situ + found.exits + found.entries == pytest.approx(found.total, abs=1e-9)
    if leave:
        assert found.people + found.composition_exit + found.composition_entry == pytest.approx(
            found.total, abs=1e-9
        )
    if not leave:
        assert found.exits == 0
        assert found.people == pytest.approx(found.in_situ, abs=1e-9)
    if not come:
        assert found.entries == 0


@given(st.integers(0, 99), st.permutations(range(12)))
def test_names_and_order_do_not_matter(seed: int, order: list[int]) -> None:
    before, after, _ = place(7, 5, 4, seed)
    shuffled = before.iloc[order].rename(index=lambda person: f"p{person}")
    found = decompose_change(before, after)
    renamed = decompose_change(shuffled, after.rename(index=lambda person: f"p{person}"))
    for name in COMPONENTS:
        assert getattr(renamed, name) == pytest.approx(getattr(found, name), abs=1e-9)


def test_destinations_and_origins_share_out_the_whole() -> None:
    before, after, _ = place(8, 5, 4)
    towns = pd.Series(["Denain", "Denain", "Nord", "perdu de vue", "Nord"], index=range(8, 13))
    found = decompose_change(
        before, after, destination=towns, origin=dict.fromkeys(range(1000, 1004), "Lille")
    )
    assert found.by_destination is not None
    assert found.by_origin is not None
    assert found.by_destination["value"].sum() == pytest.approx(found.exits, abs=FEW)
    assert found.by_destination.set_index("destination")["n"].to_dict() == {
        "Denain": 2,
        "Nord": 2,
        "perdu de vue": 1,
    }
    assert found.by_origin["value"].tolist() == pytest.approx([found.entries], abs=FEW)
    with pytest.raises(BarometreError, match="destination inconnue pour : 12"):
        decompose_change(before, after, destination=towns.drop(12))
    with pytest.raises(BarometreError, match="seule une moyenne"):
        decompose_change(before, after, "median", destination=towns)


def test_unknown_outcomes_leave_with_a_count() -> None:
    before, after = (
        pd.Series({"a": 1.0, "b": np.nan, "c": 4.0}),
        pd.Series({"a": 2.0, "b": 3.0, "c": np.nan}),
    )
    found = decompose_change(before, after)
    assert (found.n_stayers, found.n_exits, found.n_entries, found.total) == (1, 0, 0, 1.0)
    assert found.meta["lost"] == {"résultat manquant": 2}
    assert (found.meta["n_in"], found.meta["n_used"]) == (3, 1)


def test_unfollowed_leavers_leave_people_unknown() -> None:
    before, after, later = place(4, 3, 2)
    assert np.isnan(decompose_change(before, after).people)
    assert np.isnan(decompose_change(before, after, leavers_after=later.iloc[:2]).people)


def test_nobody_stayed_or_nobody_at_all() -> None:
    before, after, _ = place(0, 3, 2)
    found = decompose_change(before, after)
    assert found.total == pytest.approx(after.mean() - before.mean())
    assert np.isnan([found.in_situ, found.exits, found.entries]).all()
    empty = after.iloc[:0]
    assert np.isnan(decompose_change(empty, empty).total)


def test_every_fault_is_named() -> None:
    before = pd.Series([1.0, 2.0, 3.0], index=["a", "a", "b"])
    with pytest.raises(BarometreError, match=r"(?s)2 défauts.*double : a.*pas quitté le lieu : z"):
        decompose_change(before, pd.Series({"b": 1.0}), leavers_after=pd.Series({"z": 1.0}))
    with pytest.raises(BarometreError, match="autres que 0 et 1"):
        decompose_change(pd.Series({"a": 0.5}), pd.Series({"a": 1.0}), "rate")
    words: Any = pd.Series({"a": "x"})
    with pytest.raises(BarometreError, match="donner des nombres"):
        decompose_change(words, pd.Series({"a": 1.0}))
    with pytest.raises(BarometreError, match="statistic='mode'"):
        decompose_change(pd.Series({"a": 1.0}), pd.Series({"a": 1.0}), cast("Any", "mode"))


def test_bootstrap_covers_a_known_change() -> None:
    """Outcomes are drawn around known means: about 95 % of the intervals hold the true total."""
    hits = 0
    for seed in range(120):
        before, after, _ = place(40, 20, 20, seed)
        total = decompose_change(before, after, draws=120, seed=seed).table.iloc[0]
        hits += float(total["low"]) <= -2 <= float(total["high"])
    assert 0.87 <= hits / 120 <= 1  # 4 standard errors of a proportion of 0.95, percentile limits


def test_households_are_drawn_whole() -> None:
    """Copies of a person in one household carry no information: the interval does not shrink."""
    before, after, _ = place(30, 10, 10, 5)
    homes = {person: person for person in before.index.union(after.index)}
    copies = {f"{p}-{i}": p for p in homes for i in range(4)}
    many = [
        pd.Series({f"{p}-{i}": s[p] for p in s.index for i in range(4)}) for s in (before, after)
    ]
    one = decompose_change(before, after, household=homes, draws=400, seed=1).table.set_index(
        "component"
    )
    four = decompose_change(many[0], many[1], household=copies, draws=400, seed=1).table.set_index(
        "component"
    )
    width = (four["high"] - four["low"]) / (one["high"] - one["low"])
    assert width[list(COMPONENTS)].between(0.8, 1.25).all()


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ((40, 30, 20), set()),
        ((40, 5, 20), {"exits", "entries"}),
        ((40, 30, 5), {"entries", "exits"}),
        ((15, 30, 5), {"entries", "exits"}),
        ((40, 5, 6), {"exits", "entries", "in_situ"}),
        ((50, 10, 10), {"exits", "entries"}),
        ((40, 5, 5), {"exits", "entries", "in_situ"}),
        ((5, 30, 20), {"in_situ", "exits", "entries"}),
        ((40, 5, 0), {"exits", "in_situ"}),
        ((4, 3, 20), set(COMPONENTS)),
    ],
)
def test_small_groups_are_hidden_with_what_gives_them_back(
    sizes: tuple[int, int, int], hidden: set[str]
) -> None:
    before, after, _ = place(*sizes)
    shown = decompose_change(before, after).published(threshold=11).set_index("component")
    assert set(shown.index[shown["value"].isna()]) == hidden
    assert shown["n"].isna().equals(shown["value"].isna())


def test_limits_of_no_level_are_the_middle_of_the_draws() -> None:
    """And those of half of the draws have a quarter of them on each side."""
    before, after, later = place(6, 3, 4)
    none, half = (
        decompose_change(before, after, leavers_after=later, draws=41, level=level).table
        for level in (1e-12, 0.5)
    )
    np.testing.assert_allclose(none["low"], none["high"], rtol=1e-9)
    assert (half["low"] < none["low"]).all()
    assert (half["high"] > none["high"]).all()


def test_refuses_what_is_not_a_series_of_people() -> None:
    before, after, _ = place(4, 1, 1)
    with pytest.raises(BarometreError, match=r"un dict ; donner une Series(?s:.*)un list"):
        decompose_change(before.to_dict(), after.to_list())  # type: ignore[arg-type]  # that is the point
    written = after.set_axis(after.index.astype(str))
    with pytest.raises(BarometreError, match="zéros initiaux perdus"):
        decompose_change(before, written)
    with pytest.raises(BarometreError, match="draws entier positif"):
        decompose_change(before, after, draws=2.5)  # type: ignore[arg-type]  # that is the point
