"""Orders of priority: scores and ranks by brute force, rank intervals, drivers, absent values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.compare.order import priorities
from barometre.tables.table_set import Tables

POVERTY, MINIMA, MEDIAN = (
    "taux_de_pauvrete",
    "taux_couverture_minima_sociaux",
    "niveau_de_vie_median",
)
JOBS = "taux_emploi_15_64"


def results(
    values: dict[str, list[float | None]], year: int = 2021, half: float | None = None
) -> pd.DataFrame:
    """Values by indicator, one per zone; bounds at ``half`` on each side."""
    parts = [
        pd.DataFrame(
            {
                "code": list("ABCDEFGH"[: len(column)]),
                "annee": year,
                "indicateur": name,
                "valeur": pd.Series(column, dtype="float64"),
            }
        )
        for name, column in values.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    if half is not None:
        frame = frame.assign(borne_inf=frame["valeur"] - half, borne_sup=frame["valeur"] + half)
    return frame


def scores(frame: pd.DataFrame, **options: Any) -> dict[str, float]:
    found = priorities(frame, draws=0, **options)
    return dict(zip(found["code"], found["score"], strict=True))


# ---- scores and ranks ---------------------------------------------------------------------------


def test_percent_ranks_by_hand() -> None:
    """Worst 100, best 0, in the direction of each card; equal zones share the mean place."""
    frame = results({POVERTY: [10, 30, 20, 20, 5], MEDIAN: [20000, 15000, 16000, 17000, 18000]})
    assert scores(frame) == {
        "B": 100,
        "C": (62.5 + 75) / 2,
        "D": (62.5 + 50) / 2,
        "A": 12.5,
        "E": 12.5,
    }
    found = priorities(frame, draws=0)
    assert found["code"].tolist() == ["B", "C", "D", "A", "E"]
    assert found["rang"].tolist() == [1, 2, 3, 4, 4]
    weighted = scores(frame, weights={POVERTY: 3, MEDIAN: 1})
    assert weighted["C"] == (3 * 62.5 + 75) / 4


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=2, max_size=3))
def test_scores_by_brute_force(columns: list[list[int]]) -> None:
    names = [POVERTY, MINIMA, MEDIAN][: len(columns)]
    frame = results(
        {name: [float(v) for v in column] for name, column in zip(names, columns, strict=True)}
    )
    bad = np.array(
        [
            [-v if name == MEDIAN else v for v in column]
            for name, column in zip(names, columns, strict=True)
        ],
        dtype=float,
    )
    places = np.array(
        [[100 * (np.sum(b < v) + (np.sum(b == v) - 1) / 2) / 5 for v in b] for b in bad]
    )
    found = priorities(frame, draws=0).sort_values("code")
    np.testing.assert_allclose(found["score"], places.mean(axis=0), atol=1e-9)
    expected = [
        int(1 + np.sum(places.mean(axis=0) > score + 1e-9)) for score in places.mean(axis=0)
    ]
    assert found["rang"].tolist() == expected
    spread = bad.std(axis=1, keepdims=True)
    z = np.where(
        spread > 0, (bad - bad.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1), 0
    )
    by_z = priorities(frame, draws=0, aggregate="mean_zscore").sort_values("code")
    np.testing.assert_allclose(by_z["score"], z.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(z[0], stats.zscore(bad[0]) if spread[0] > 0 else 0, atol=1e-9)


def test_drivers_are_what_raises_the_score() -> None:
    frame = results({POVERTY: [10, 30, 20], MINIMA: [5, 6, 30], MEDIAN: [20000, 15000, 16000]})
    found = priorities(frame, draws=0).set_index("code")
    labels = {name: bcs.indicator_card(name).libelle["fr"] for name in (POVERTY, MINIMA, MEDIAN)}
    assert found["moteurs_id"]["B"] == f"{MEDIAN} ; {POVERTY}"
    assert found["moteurs"]["B"] == f"{labels[MEDIAN]} (100) ; {labels[POVERTY]} (100)"
    assert found["moteurs_id"]["C"] == MINIMA
    assert found[["moteurs", "moteurs_id"]].loc["A"].isna().all()
    one = priorities(frame, draws=0, drivers=1, weights={POVERTY: 5, MINIMA: 1, MEDIAN: 1})
    assert one.set_index("code")["moteurs_id"]["B"] == POVERTY
    # 66.7 weighs (66.7 - 50) x 3.1 = 51.7 against (100 - 50) x 1: what counts is beyond the middle.
    four = results({POVERTY: [40, 30, 20, 10], MINIMA: [6, 9, 5, 4]})
    beyond = priorities(four, draws=0, drivers=1, weights={POVERTY: 1, MINIMA: 3.1})
    assert beyond.set_index("code")["moteurs_id"]["A"] == MINIMA
    z = priorities(frame, draws=0, aggregate="mean_zscore").set_index("code")
    assert z["moteurs"]["C"] == f"{labels[MINIMA]} (1,4) ; {labels[MEDIAN]} (0,5)"
    assert (one["ponderation"] == "poids donnés").all()


def test_absent_values_never_count_as_good() -> None:
    frame = results(
        {
            POVERTY: [10, 30, 20, None],
            MINIMA: [None, 6, 30, None],
            MEDIAN: [None, 15000, 16000, 14000],
        }
    )
    found = priorities(frame, draws=0).set_index("code")
    assert found["indicateurs"].to_dict() == {"B": 3, "C": 3, "A": 1, "D": 1}
    assert found["absents"]["A"] == 2
    assert found.loc[["A", "D"], "rang"].isna().all()  # one indicator of three is under half
    assert found.loc[["A", "D"], "statut"].tolist() == ["non_disponible"] * 2
    assert found["note"]["A"] == "trop peu d'indicateurs disponibles"
    half = results({POVERTY: [10, 30, 20], MINIMA: [None, 6, 30]})
    assert priorities(half, draws=0)["rang"].notna().all()  # one of two is half
    most = scores(frame, min_share=0.3)
    assert (most["D"], most["A"]) == (100, 0)
    graded = results({POVERTY: [10, 30, 20]}).assign(qualite=["A", "C", "B"])
    assert priorities(graded, draws=0)["rang"].isna().sum() == 1
    assert priorities(graded, draws=0, without_grades=())["code"][0] == "B"
    alone = results({POVERTY: [10, 30], MINIMA: [5, None]})  # one zone has no place among others
    assert priorities(alone, draws=0)["indicateurs"].tolist() == [1, 1]


# ---- rank intervals -----------------------------------------------------------------------------


def test_without_bounds_there_is_no_interval() -> None:
    found = priorities(results({POVERTY: [10, 30, 20]}))
    assert found[["rang_min", "rang_max"]].isna().all(axis=None)
    assert set(found["note"]) == {"sans intervalle : aucune borne"}
    none = priorities(results({POVERTY: [10, 30, 20]}, half=1), draws=0)
    assert none["rang_min"].isna().all()
    assert none["note"].isna().all()


def test_values_far_apart_keep_their_ranks_and_equal_ones_take_any() -> None:
    far = priorities(results({POVERTY: [10, 30, 20]}, half=1.0))
    assert far[["rang_min", "rang_max"]].to_numpy().tolist() == [[1, 1], [2, 2], [3, 3]]
    assert far["note"].isna().all()
    near = priorities(results({POVERTY: [20, 20, 20]}, half=5.0))
    assert near[["rang_min", "rang_max"]].to_numpy().tolist() == [[1, 3]] * 3


def test_the_chance_that_two_zones_swap_is_that_of_the_normal_law() -> None:
    """P(swap) = P(N(0, 2 s2) > d): the interval holds both ranks when it passes half of 1 - level."""
    spread = 2.0 / stats.norm.ppf(0.975)
    for distance in (1.0, 2.0, 4.0, 6.0):
        swap = stats.norm.sf(distance / (spread * np.sqrt(2)))
        for level in (0.5, 0.8, 0.95):
            if abs(swap - (1 - level) / 2) < 0.02:
                continue  # 4000 draws tell frequencies within 0.02 almost surely
            frame = results({POVERTY: [20, 20 + distance]}, half=2.0)
            found = priorities(frame, draws=4000, level=level)
            both = bool(swap > (1 - level) / 2)
            assert found["rang_max"].tolist() == ([2, 2] if both else [1, 2])
            assert found["rang_min"].tolist() == ([1, 1] if both else [1, 2])


def test_intervals_hold_the_rank_are_seeded_and_ignore_the_order() -> None:
    rng = np.random.default_rng(3)
    frame = results(
        {
            POVERTY: [*rng.uniform(10, 20, 8)],
            MINIMA: [*rng.uniform(10, 20, 8)],
            JOBS: [*rng.uniform(40, 60, 8)],
        },
        half=2,
    )
    found = priorities(frame)
    assert (found["rang_min"] <= found["rang"]).all()
    assert (found["rang"] <= found["rang_max"]).all()
    assert (found["rang_min"] < found["rang_max"]).any()
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(priorities(shuffled), found)
    alone = priorities(frame, themes="emploi")
    pd.testing.assert_frame_equal(alone, found[found["theme"] == "emploi"].reset_index(drop=True))
    wider = priorities(frame, level=0.99)
    assert (wider["rang_min"] <= found["rang_min"]).all()
    assert (wider["rang_max"] >= found["rang_max"]).all()
    assert not priorities(frame, seed=1, draws=50)["rang_max"].equals(
        priorities(frame, draws=50)["rang_max"]
    )


def test_values_without_bounds_make_intervals_too_narrow_and_it_is_said() -> None:
    frame = results({POVERTY: [10, 11, 12], MEDIAN: [15000, 16000, 15500]}, half=1)
    frame.loc[frame["indicateur"] == MEDIAN, ["borne_inf", "borne_sup"]] = np.nan
    found = priorities(frame)
    assert set(found["note"]) == {
        "intervalle trop étroit : sans bornes pour 1 de ses indicateurs sur 2"
    }
    assert set(found["bornes"]) == {1}


def test_draws_stay_within_the_limits_of_the_card() -> None:
    """A poverty rate of 0 to 5, and one of exactly 0: the second is never above the first."""
    frame = results({POVERTY: [0.0, 0.0, 50]}).assign(borne_inf=[0, 0, 50], borne_sup=[5.0, 0, 50])
    found = priorities(frame).set_index("code")
    assert found["rang"].to_dict() == {"C": 1, "A": 2, "B": 2}
    assert found["rang_max"].to_dict() == {"C": 1, "A": 2, "B": 3}
    assert found["rang_min"].to_dict() == {"C": 1, "A": 2, "B": 2}


# ---- themes, years, what is given ---------------------------------------------------------------


def test_themes_and_years() -> None:
    frame = pd.concat(
        [results({JOBS: [50, 60], POVERTY: [10, 20]}), results({JOBS: [50, 40]}, year=2016)]
    )
    found = priorities(frame, draws=0)
    keys = found[["theme", "annee", "code", "rang"]].to_numpy().tolist()
    assert keys == [
        ["revenus", 2021, "B", 1], ["revenus", 2021, "A", 2], ["emploi", 2016, "B", 1], ["emploi", 2016, "A", 2],
        ["emploi", 2021, "A", 1], ["emploi", 2021, "B", 2],
    ]  # fmt: skip
    assert set(priorities(frame, themes=["emploi"], year=2016, draws=0)["annee"]) == {2016}
    mixed = pd.concat([results({MINIMA: [5, 9]}, year=2019), results({POVERTY: [10, 20]})])
    latest = priorities(mixed, year="latest", draws=0)
    assert latest["indicateurs"].tolist() == [2, 2]
    assert set(latest["millesimes"]) == {"2019-2021"}
    apart = pd.concat([results({JOBS: [50, 60]}, year=2019), results({POVERTY: [10, 20]})])
    told = (
        priorities(apart, year="latest", draws=0).groupby("theme")[["annee", "millesimes"]].first()
    )
    assert told.loc[["revenus", "emploi"]].to_numpy().tolist() == [[2021, "2021"], [2019, "2019"]]


def test_real_and_synthetic_results(contract: Tables) -> None:
    computed = bcs.compute(contract)
    quarters = [code for code in computed["code"].unique() if code.startswith("QP")]
    found = priorities(computed, quarters, themes="emploi")
    jobs = computed[(computed["indicateur"] == JOBS) & computed["code"].isin(quarters)].set_index(
        "code"
    )["valeur"]
    expected = jobs.rank(method="min").astype("int64").to_dict()
    assert dict(zip(found["code"], found["rang"], strict=True)) == expected
    assert found["code"].iloc[[0, -1]].tolist() == ["QP059052", "QP059058"]  # Schneider, Elnon
    with pytest.raises(BarometreError, match="donner zones="):
        priorities(computed)


def test_choices_are_echoed_and_inputs_left_as_they_are() -> None:
    frame = results({POVERTY: [10, 30, 20]}, half=1)
    kept = frame.copy()
    found = priorities(frame, draws=20, seed=7, level=0.9, min_share=0.25)
    row = found.iloc[0]
    assert row[["tirages", "graine", "niveau", "part_min", "ponderation", "statut"]].tolist() == [
        20,
        7,
        0.9,
        0.25,
        "égale",
        "ok",
    ]
    assert "rangs" in row["agregation"]
    pd.testing.assert_frame_equal(frame, kept)
    empty = priorities(frame.iloc[:0])
    assert empty.empty
    assert list(empty) == list(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"aggregate": "median"}, "agrégation « median » inconnu"),
        ({"themes": "revenu"}, "Vouliez-vous dire « revenus »"),
        ({"themes": "logement"}, "aucun résultat à comparer pour logement"),
        ({"draws": -1}, "draws=-1 refusé"),
        ({"draws": 1.5}, "draws=1.5 refusé"),
        ({"seed": True}, "seed=True refusé"),
        ({"drivers": "3"}, "drivers='3' refusé"),
        ({"level": 1}, "level refusé"),
        ({"bounds_level": 0}, "level refusé"),
        ({"min_share": 2}, "un nombre de 0 à 1"),
        ({"weights": {MINIMA: 1}}, r"1 indicateur absent \(.*\) ; en donner un par indicateur"),
        ({"weights": [1]}, "donner une Series par indicateur"),
        ({"weights": {POVERTY: -1}}, "nombres finis ≥ 0"),
        ({"zones": ["X"]}, "aucune zone dans les résultats"),
        ({"indicators": "population"}, "effectifs non comparables"),
        ({"indicators": "part_menages_sans_voiture"}, "aucun résultat"),
    ],
)
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        priorities(results({POVERTY: [10, 30, 20], "population": [1, 2, 3]}), **options)
