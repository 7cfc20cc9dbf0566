"""Cumulative disadvantage: the worst fifth by brute force, ties, thresholds, absent values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.cards.listing import load_cards
from barometre.compare.disadvantage import cumulative_disadvantage
from barometre.tables.table_set import Tables

POVERTY, JOBS, GAP = "taux_de_pauvrete", "taux_emploi_15_64", "ecart_taux_emploi_femmes_hommes"


def results(
    values: dict[str, list[float | None]], year: int = 2021, codes: str = "ABCDEFGHIJ"
) -> pd.DataFrame:
    """Values by indicator, one per zone."""
    parts = [
        pd.DataFrame(
            {
                "code": list(codes[: len(column)]),
                "annee": year,
                "indicateur": name,
                "valeur": pd.Series(column, dtype="float64"),
            }
        )
        for name, column in values.items()
    ]
    return pd.concat(parts, ignore_index=True)


def worst(frame: pd.DataFrame, **options: Any) -> str:
    found = cumulative_disadvantage(frame, **options)
    return "".join(found.loc[found["defavorables"] > 0, "code"])


# ---- the worst share ----------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 12), min_size=5, max_size=10),
    st.sampled_from([POVERTY, JOBS, GAP, "part_femmes_licences"]),
    st.sampled_from([0.2, 0.25, 0.5]),
)
def test_the_worst_share_is_at_or_beyond_the_quantile(
    values: list[int], indicator: str, share: float
) -> None:
    """`numpy.quantile` of how bad the values are: with ties, all those equal to the last."""
    column = np.array(values, dtype=float) + (40 if indicator == "part_femmes_licences" else 0)
    bad = {
        POVERTY: column,
        JOBS: -column,
        GAP: np.abs(column),
        "part_femmes_licences": np.abs(column - 50),
    }[indicator]
    found = cumulative_disadvantage(results({indicator: list(column)}), worst=share)
    # the quantile may fall a hair off the value it interpolates
    expected = bad >= np.quantile(bad, 1 - share) - 1e-9
    limit = np.sort(bad)[::-1][int(np.ceil(len(bad) * share - 1e-9)) - 1]
    assert (bad >= limit).tolist() == expected.tolist()
    assert (found["defavorables"] == 1).tolist() == expected.tolist()
    assert (found["disponibles"] == 1).all()


@pytest.mark.parametrize(("number", "expected"), [(5, 1), (6, 2), (9, 2), (10, 2)])
def test_a_quintile_rounds_up(number: int, expected: int) -> None:
    frame = results({POVERTY: [float(i) for i in range(number)]})
    found = cumulative_disadvantage(frame)
    assert found["defavorables"].sum() == expected
    assert set(found["critere"]) == {"20 % des zones les moins favorables"}
    assert found.loc[found["defavorables"] == 1, "code"].tolist() == list(
        "ABCDEFGHIJ"[number - expected : number]
    )


def test_every_round_share_is_exact() -> None:
    """0.07 x 100 is 7.000000000000001: an eighth zone would come in."""
    codes = [f"Z{i:03d}" for i in range(100)]
    frame = pd.DataFrame(
        {"code": codes, "annee": 2021, "indicateur": POVERTY, "valeur": np.arange(100.0)}
    )
    for percent in [1, 7, 14, 20, 28, 29, 55, 56, 57, 58, 99]:
        found = cumulative_disadvantage(frame, worst=percent / 100)
        assert found["defavorables"].sum() == percent


def test_equal_zones_at_the_limit() -> None:
    frame = results({POVERTY: [10, 50, 50, 20, 30]})
    assert worst(frame) == "BC"
    assert worst(frame, ties="exclude") == ""
    assert worst(frame, worst=0.4) == worst(frame, worst=0.4, ties="exclude") == "BC"
    assert set(cumulative_disadvantage(frame, ties="exclude")["egalites"]) == {"exclues"}
    binary = results({POVERTY: [10, 0.1 + 0.2, 0.3, 0.2, 0.1]})
    assert worst(binary, zones=list("BCDE"), worst=0.25) == "BC"  # 0.30000000000000004


def test_the_worst_fifth_of_the_residents() -> None:
    frame = results({POVERTY: [50, 40, 30, 20, 10]})
    assert worst(frame, weights={"A": 10, "B": 10, "C": 10, "D": 10, "E": 60}) == "AB"
    assert worst(frame, weights={"A": 60, "B": 10, "C": 10, "D": 10, "E": 10}) == "A"
    named = pd.Series(10, index=list("EDCBA"), name="population")
    found = cumulative_disadvantage(frame, weights=named)
    assert found.loc[found["defavorables"] > 0, "code"].tolist() == ["A"]
    assert set(found["ponderation"]) == {"population"}


def test_equal_zones_of_unequal_weights_go_together() -> None:
    frame = results({POVERTY: [50, 50, 30, 20, 10]})
    weights = {"A": 15, "B": 10, "C": 25, "D": 25, "E": 25}
    assert worst(frame, weights=weights) == worst(frame, weights=weights, ties="exclude") == "AB"
    heavier = weights | {"A": 40}
    assert worst(frame, weights=heavier) == "AB"
    assert worst(frame, weights=heavier, ties="exclude") == ""


# ---- thresholds ---------------------------------------------------------------------------------


def test_thresholds_are_strict_and_follow_the_direction() -> None:
    frame = results(
        {POVERTY: [20, 20.1, 30, 5, 10], JOBS: [50, 49.9, 60, 70, 40], GAP: [-8, 9, 3, -12, 0]}
    )
    found = cumulative_disadvantage(frame, worst={POVERTY: 20, JOBS: 50, GAP: -8}).set_index("code")
    assert found["indicateurs"].fillna("").to_dict() == {
        "A": "", "B": f"{POVERTY} ; {JOBS} ; {GAP}", "C": POVERTY, "D": GAP, "E": JOBS,
    }  # fmt: skip
    assert found["critere"].iloc[0] == f"au-delà de : {POVERTY} 20 ; {JOBS} 50 ; {GAP} −8"
    assert found["disponibles"].tolist() == [3] * 5
    two = cumulative_disadvantage(frame, worst={POVERTY: 20, JOBS: 50}, zones=["A", "B"])
    assert two["defavorables"].tolist() == [0, 2]  # no least number of zones


# ---- absent, neutral, counts, themes, years -----------------------------------------------------


def test_an_absent_value_is_not_available_rather_than_good() -> None:
    frame = results({POVERTY: [None, 50, 40, 30, 20, 10], JOBS: [10, 20, 30, 40, 50, 60]})
    found = cumulative_disadvantage(frame)
    told = found[["code", "defavorables", "disponibles", "absents", "part"]].to_numpy().tolist()
    assert told[:3] == [["A", 1, 1, 1, 100], ["B", 2, 2, 0, 100], ["C", 0, 2, 0, 0]]
    least = cumulative_disadvantage(frame, min_indicators=2).set_index("code")
    assert least["statut"]["A"] == "non_disponible"
    assert least["note"]["A"] == "trop peu d'indicateurs disponibles"
    assert np.isnan(least["part"]["A"])
    assert least["disponibles"]["A"] == 1
    assert (least.loc[["B", "C"], "statut"] == "ok").all()


def test_too_few_zones_make_no_quintile() -> None:
    frame = results({POVERTY: [None, 50, 40, 30, 20], JOBS: [10, 20, 30, 40, 50]})
    found = cumulative_disadvantage(frame)
    assert found["disponibles"].tolist() == [1] * 5
    assert found.attrs["trop_peu_de_zones"] == [f"{POVERTY} (2021)"]
    assert cumulative_disadvantage(frame, worst=0.25)["disponibles"].tolist() == [1, 2, 2, 2, 2]


def test_grades_are_left_out() -> None:
    frame = results({POVERTY: [90, 50, 40, 30, 20, 10]}).assign(qualite=["C", *"ABABA"])
    found = cumulative_disadvantage(frame)
    assert found["defavorables"].tolist() == [0, 1, 0, 0, 0, 0]
    assert found["disponibles"].tolist() == [0, 1, 1, 1, 1, 1]
    assert worst(frame, without_grades=("D",)) == "AB"


def test_neutral_indicators_and_counts_are_listed() -> None:
    five: list[float | None] = [1, 2, 3, 4, 5]
    frame = results(
        {
            POVERTY: five,
            "part_menages_sans_voiture": five,
            "population": five,
            "demandeurs_emploi_abc": five,
        }
    )
    found = cumulative_disadvantage(frame)
    assert found["disponibles"].tolist() == [1] * 5
    assert found.attrs["indicateurs_neutres"] == ["part_menages_sans_voiture"]
    assert set(found.attrs["effectifs"]) == {"population", "demandeurs_emploi_abc"}
    for refused in ("part_menages_sans_voiture", "population"):
        with pytest.raises(BarometreError, match=refused):
            cumulative_disadvantage(frame, indicators=[POVERTY, refused])
        with pytest.raises(BarometreError, match=refused):
            cumulative_disadvantage(frame, worst={refused: 3})


def test_themes_and_years() -> None:
    five: list[float | None] = [1, 2, 3, 4, 5]
    frame = pd.concat(
        [results({POVERTY: five, JOBS: five}), results({JOBS: five[::-1]}, year=2016)]
    )
    found = cumulative_disadvantage(frame)
    assert found["annee"].tolist() == [2016] * 5 + [2021] * 5
    assert found["code"].tolist() == list("ABCDE") * 2
    by_theme = [name for name in map(str, found) if "revenus" in name or "_emploi" in name]
    assert by_theme == [
        "defavorables_revenus",
        "disponibles_revenus",
        "defavorables_emploi",
        "disponibles_emploi",
    ]
    assert found["disponibles_revenus"].tolist() == [0] * 5 + [1] * 5
    assert found["defavorables_emploi"].tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert not [
        name for name in cumulative_disadvantage(frame, by_theme=False) if "revenus" in str(name)
    ]
    assert set(cumulative_disadvantage(frame, year=2016)["annee"]) == {2016}
    old = pd.concat([results({POVERTY: five}, year=2016), results({JOBS: five})])
    latest = cumulative_disadvantage(old, year="latest")
    assert latest[["annee", "millesimes", "disponibles"]].drop_duplicates().to_numpy().tolist() == [
        [2021, "2016-2021", 2]
    ]


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_counts_add_up_over_themes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [
        card.id
        for card in load_cards().values()
        if card.sens != "neutre" and card.unite != "nombre"
    ][:8]
    values = rng.integers(0, 9, (8, 7)).astype(float)
    values[rng.random((8, 7)) < 0.15] = np.nan
    frame = results(dict(zip(names, values.tolist(), strict=True)))
    found = cumulative_disadvantage(frame)
    for word in ("defavorables", "disponibles"):
        parts = [
            name for name in found if str(name).startswith(f"{word}_") and name != "disponibles_min"
        ]
        assert found[parts].sum(axis=1).tolist() == found[word].tolist()
    assert (found["defavorables"] <= found["disponibles"]).all()
    assert len(set(found["disponibles"] + found["absents"])) == 1
    shuffled = cumulative_disadvantage(
        frame.sample(frac=1, random_state=seed % 1000), list("ABCDEFG")
    )
    pd.testing.assert_frame_equal(shuffled, found)


# ---- what is given ------------------------------------------------------------------------------


def test_zones_of_several_levels_are_not_compared(contract: Tables) -> None:
    computed = bcs.compute(contract)
    with pytest.raises(BarometreError, match=r"plusieurs niveaux : qpv \(13\).*donner zones="):
        cumulative_disadvantage(computed)
    quarters = [code for code in computed["code"].unique() if code.startswith("QP")]
    found = cumulative_disadvantage(computed, quarters, year=2019)
    assert len(found) == 13
    jobs = computed[(computed["indicateur"] == JOBS) & computed["code"].isin(quarters)].set_index(
        "code"
    )["valeur"]
    lowest = set(
        jobs.index[jobs <= np.quantile(jobs, 0.2)]
    )  # three zones, and one equal to the third
    told = found.set_index("code")["indicateurs"].fillna("").str.contains(JOBS)
    assert set(told.index[told]) == lowest
    assert len(lowest) == 4
    # the synthetic communes are all of one level: no zones to give
    synthetic = cumulative_disadvantage(bcs.compute(bcs.datasets.make_tables(30, 2021)))
    assert len(synthetic) == 30
    assert (synthetic["defavorables"] <= synthetic["disponibles"]).all()


def test_a_zone_without_any_result_is_there() -> None:
    found = cumulative_disadvantage(results({POVERTY: [1, 2, 3, 4, 5]}), list("ABCDEZ"))
    last = found[found["code"] == "Z"][["disponibles", "absents", "statut"]]
    assert last.to_numpy().tolist() == [[0, 1, "non_disponible"]]


def test_empty_results_and_inputs_left_as_they_are() -> None:
    frame = results({POVERTY: [1, 2, 3, 4, 5]})
    kept = frame.copy()
    full = cumulative_disadvantage(frame, by_theme=False)
    pd.testing.assert_frame_equal(frame, kept)
    empty = cumulative_disadvantage(frame.iloc[:0])
    assert empty.empty
    assert list(empty) == list(full)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"worst": 0}, "entre 0 et 1, exclus"),
        ({"worst": 1}, "entre 0 et 1, exclus"),
        ({"worst": 1.2}, "worst=1.2 refusé"),
        ({"worst": float("nan")}, "worst=nan refusé"),
        ({"worst": "decile"}, "critère « decile » inconnu"),
        ({"worst": {}}, "seuils manquants"),
        ({"worst": {POVERTY: float("nan")}}, "seuils manquants"),
        ({"worst": {POVERTY: "20"}}, "nombres sont attendus"),
        ({"worst": {"taux_pauvrete": 20}}, "Vouliez-vous dire"),
        ({"ties": "average"}, "traitement des égalités « average » inconnu"),
        ({"min_indicators": -1}, "min_indicators=-1 refusé"),
        ({"min_indicators": 2.5}, "min_indicators=2.5 refusé"),
        ({"min_indicators": "2"}, "min_indicators='2' refusé"),
        ({"zones": []}, "liste vide"),
        ({"zones": ["X", "Y"]}, "aucune zone dans les résultats"),
        ({"indicators": "taux_chomage_rp"}, "aucun résultat"),
        ({"year": 2015}, r"années : 2021"),
        ({"year": "dernier"}, "année « dernier » inconnu"),
        ({"weights": {"A": 1}}, "4 zones absentes"),
        ({"weights": dict.fromkeys("ABCDE", 0)}, "tous nuls"),
        ({"without_grades": ["Z"]}, "qualité « Z » inconnu"),
        ({"without_grades": None}, "without_grades=None refusé"),
    ],
)
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        cumulative_disadvantage(results({POVERTY: [1, 2, 3, 4, 5]}), **options)


def test_faulty_results_are_refused() -> None:
    frame = results({POVERTY: [1, 2, 3, 4, 5]})
    with pytest.raises(FaultsError, match="clés en double"):
        cumulative_disadvantage(pd.concat([frame, frame]))
    with pytest.raises(UnknownNameError):
        cumulative_disadvantage(frame.assign(indicateur="indice_mystere"))
