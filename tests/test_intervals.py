"""Intervals and grades of indicators: which method, which level, which population, which note."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cards.listing import indicator_card, load_cards
from barometre.engine.limits import communes_of
from barometre.engine.results import GRADES, Results
from barometre.engine.sampling import SurveyDesign
from barometre.tables.table_set import Tables
from tests.strategies import valid_tables

CARDS = list(load_cards().values())
VACANCY, ALONE = "taux_logements_vacants", "part_menages_une_personne"
GAP, LONE_PARENTS = "ecart_taux_emploi_femmes_hommes", "part_familles_monoparentales_caf"


def frame(codes: list[str], year: int | list[int] = 2021, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"code": codes, "annee": year, **columns})


def computed(tables: dict[str, pd.DataFrame], indicator: str) -> pd.Series[Any]:
    results = Results.validate(bcs.compute(tables, indicator, intervals=True))
    assert len(results) == 1
    return results.iloc[0]


def theirs(p: float, n: float, fraction: float, deff: float) -> list[float]:
    """Statsmodels' Wilson interval in per cent; the finite population enters by the level."""
    alpha, size = 2 * norm.sf(norm.ppf(0.975) * np.sqrt(1 - fraction)), fraction * n / deff
    return [100 * x for x in proportion_confint(p * size, size, alpha=alpha, method="wilson")]


TOWN = frame(["59172"], population=[20_000])
HOMES = frame(["59172"], logements=[9_000], logements_vacants=[900])


# ---- census -------------------------------------------------------------------------------------


def test_a_share_of_a_town() -> None:
    row = computed({"logements": HOMES, "population": TOWN}, VACANCY)
    assert [row["borne_inf"], row["borne_sup"]] == pytest.approx(theirs(0.1, 9000, 0.4, 1.5))
    assert row["qualite"] == "A"
    assert pd.isna(row["note"])


@pytest.mark.parametrize(
    ("population", "year", "fraction"),
    [(9_999, 2021, 0.2), (9_999, 2013, 0.25), (10_000, 2013, 0.4)],
)
def test_the_complementary_processing(population: int, year: int, fraction: float) -> None:
    tables = {
        "familles": frame(["59172"], year, menages=[3000], menages_une_personne=[900]),
        "population": frame(["59172"], year, population=[population]),
    }
    row = computed(tables, ALONE)
    assert [row["borne_inf"], row["borne_sup"]] == pytest.approx(theirs(0.3, 3000, fraction, 1.5))
    assert row["qualite"] == ("A" if fraction == 0.4 else "B")


def test_the_main_processing_of_a_village_has_no_width() -> None:
    row = computed({"logements": HOMES, "population": TOWN.assign(population=9_999)}, VACANCY)
    assert row["borne_inf"] == row["valeur"] == row["borne_sup"] == 10.0
    assert row["qualite"] == "A"
    assert row["note"] == "enquêté en entier : non-réponse et étalement sur cinq ans restent"


def test_no_design_effect_divides_a_census() -> None:
    few = HOMES.set_index(["code", "annee"]).div(20).reset_index()
    tables = {"logements": few, "population": TOWN.assign(population=300)}
    design = SurveyDesign(deff_households=50)
    whole = bcs.compute(tables, VACANCY, intervals=design).iloc[0]
    plain = bcs.compute(tables, VACANCY, intervals=True).iloc[0]
    assert whole["qualite"] == plain["qualite"] != "C"
    assert whole["note"] == plain["note"]


def test_a_gap_between_women_and_men() -> None:
    activite = frame(
        ["59172"],
        femmes_15_64_ans=[6000],
        femmes_actives_occupees_15_64_ans=[3000],
        hommes_15_64_ans=[5000],
        hommes_actifs_occupes_15_64_ans=[2900],
    )
    row = computed({"activite": activite, "population": TOWN}, GAP)
    alpha = 2 * norm.sf(norm.ppf(0.975) * np.sqrt(0.6))
    expected = confint_proportions_2indep(
        0.5 * 1200, 1200, 0.58 * 1000, 1000, method="newcomb", compare="diff", alpha=alpha
    )
    assert [row["borne_inf"], row["borne_sup"]] == pytest.approx([100 * x for x in expected])
    assert row["valeur"] == pytest.approx(-8)
    assert row["qualite"] == "B"


def test_the_design_is_a_choice() -> None:
    tables = {"logements": HOMES, "population": TOWN}
    design = SurveyDesign(deff_households=3, deff_persons=1, level=0.9)
    results = bcs.compute(tables, VACANCY, intervals=design)
    alpha, size = 2 * norm.sf(norm.ppf(0.95) * np.sqrt(0.6)), 0.4 * 9000 / 3
    expected = proportion_confint(0.1 * size, size, alpha=alpha, method="wilson")
    assert results[["borne_inf", "borne_sup"]].to_numpy()[0] == pytest.approx(
        [100 * x for x in expected]
    )
    with pytest.raises(BarometreError, match="intervals : donner"):
        bcs.compute(tables, VACANCY, intervals="wilson")  # type: ignore[call-overload]  # the point


def test_an_iris_was_surveyed_as_its_commune() -> None:
    homes = HOMES.assign(code="591720101")
    row = computed({"logements": homes, "population": TOWN}, VACANCY)
    assert [row["borne_inf"], row["borne_sup"]] == pytest.approx(theirs(0.1, 9000, 0.4, 1.5))


@pytest.mark.parametrize("code", ["200042190", "59", "R32", "METRO", "QP059050", "gc_denain"])
def test_above_the_commune_and_in_neighbourhoods_there_is_none(code: str) -> None:
    tables = {"logements": HOMES.assign(code=code), "population": TOWN.assign(code=code)}
    row = computed(tables, VACANCY)
    assert np.isnan([row["borne_inf"], row["borne_sup"]]).all()
    assert (
        row["note"]
        == "sans intervalle : fraction de sondage connue des seules communes et de leurs IRIS"
    )
    assert pd.isna(row["qualite"])


def test_without_population_there_is_none_and_the_remedy_is_told() -> None:
    for tables in (
        {"logements": HOMES},
        {"logements": HOMES, "population": TOWN.assign(code="59446")},
        {"logements": HOMES, "population": TOWN.assign(population=np.nan)},
        {"logements": HOMES, "population": TOWN.assign(annee=2015)},
        {"logements": HOMES, "population": TOWN.assign(annee=2022)},
    ):
        row = computed(tables, VACANCY)
        assert np.isnan([row["borne_inf"], row["borne_sup"]]).all()
        assert row["note"] == "sans intervalle : donner la population municipale (table population)"
    older = computed({"logements": HOMES, "population": TOWN.assign(annee=2016)}, VACANCY)
    assert older["borne_inf"] < 10 < older["borne_sup"]


def test_levels_told_win_over_the_form_of_codes() -> None:
    codes = ["59172", "591720101", "200042190", "240100000", "59", "2A004", "2A0040101", "QP059050"]
    found, is_commune = communes_of(pd.Index(codes), pd.Series(dtype="str"))
    expected = ["59172", "59172", None, None, None, "2A004", "2A004", None]
    assert found.astype(object).where(found.notna(), None).tolist() == expected
    assert is_commune.tolist() == [True, False, False, False, False, True, False, False]
    told = pd.Series({"240100000": "iris", "59172": "union", "591720101": ""})
    found, is_commune = communes_of(pd.Index(codes[:4]), told)
    assert found.astype(object).where(found.notna(), None).tolist() == [
        None,
        "59172",
        None,
        "24010",
    ]
    assert not is_commune.any()


def test_few_people_are_graded_d_and_the_value_is_kept() -> None:
    few = HOMES.assign(logements=49, logements_vacants=10)
    row = computed({"logements": few, "population": TOWN}, VACANCY)
    assert [row["qualite"], row["statut"]] == ["D", "ok"]
    rare = computed({"logements": HOMES.assign(logements_vacants=4), "population": TOWN}, VACANCY)
    assert rare["qualite"] == "D"
    unknown = computed({"logements": few}, VACANCY)  # no interval, but few all the same
    assert [unknown["qualite"], np.isnan(unknown["borne_inf"])] == ["D", True]


def test_a_doubtful_value_stays_doubtful() -> None:
    statuts = pd.DataFrame(
        [("59172", 2021, "logements", "logements", "ok", "douteux", "faute de frappe")],
        columns=["code", "annee", "table", "colonne", "statut", "qualite", "motif"],
    )
    tables = Tables({"logements": HOMES, "population": TOWN}, statuts=statuts)
    row = bcs.compute(tables, VACANCY, intervals=True).iloc[0]
    assert [row["qualite"], row["note"]] == ["douteux", "faute de frappe"]
    assert row["borne_inf"] < 10 < row["borne_sup"]


def test_published_and_estimated_values_have_none() -> None:
    published = frame(["59172", "QP059050"], taux_logements_vacants=[12.0, 20.0])
    tables = {
        "logements": HOMES.assign(logements_vacants=np.nan),
        "publies": published,
        "population": TOWN,
    }
    results = bcs.compute(tables, VACANCY, intervals=True)
    assert results["origine"].tolist() == ["publie", "publie"]
    assert results[["borne_inf", "borne_sup", "qualite"]].isna().all(axis=None)
    assert set(results["note"]) == {"sans intervalle : valeur publiée, sans ses effectifs"}
    zones = frame(["59172", "59446"], logements=[100, 50], logements_vacants=[10, np.nan])
    union = bcs.aggregate({"logements": zones}, {"59000": ["59172", "59446"]})
    row = bcs.compute(union, VACANCY, intervals=True).iloc[0]
    assert row["origine"] == "estime"
    assert "sans intervalle : valeur estimée" in row["note"]
    assert np.isnan(row["borne_inf"])


def test_medians_have_none() -> None:
    revenus = frame(["59172"], niveau_de_vie_median=[18_550])
    row = computed({"revenus": revenus, "population": TOWN}, "niveau_de_vie_median")
    assert row[["borne_inf", "borne_sup", "qualite"]].isna().all()
    assert pd.isna(row["note"])  # what holds of every median is no note of one value


def test_limits_follow_their_rows_when_years_come_in_disorder() -> None:
    homes = frame(
        ["59172"] * 3,
        [2021, 2011, 2016],
        logements=[9000, 900, 90_000],
        logements_vacants=[900, 90, 9000],
    )
    towns = frame(["59172"] * 3, [2011, 2016, 2021], population=[20_000] * 3)
    results = bcs.compute({"logements": homes, "population": towns}, VACANCY, intervals=True)
    assert results["annee"].tolist() == [2011, 2016, 2021]
    for low, high, n in zip(
        results["borne_inf"], results["borne_sup"], (900, 90_000, 9000), strict=True
    ):
        assert [low, high] == pytest.approx(theirs(0.1, n, 0.4, 1.5))


# ---- registers ----------------------------------------------------------------------------------


def test_rounded_counts_of_a_commune() -> None:
    """Single parents over all parents: every pair of counts that rounds so is within the limits."""
    caf = frame(
        ["59172"],
        allocataires_monoparents=[40],
        allocataires_couples_avec_enfant=[60],
        allocataires=[200],
    )
    row = computed({"allocataires": caf}, LONE_PARENTS)
    assert row["borne_inf"] == pytest.approx(100 * 37.5 / (37.5 + 62.5))
    assert row["borne_sup"] == pytest.approx(100 * 42.5 / (42.5 + 57.5))
    for a, b in itertools.product(range(38, 43), range(58, 63)):
        assert row["borne_inf"] <= 100 * a / (a + b) <= row["borne_sup"]
    assert row["note"] == "bornes d'arrondi : effectifs arrondis à un multiple de 5"
    assert row["qualite"] == "A"  # half-width 2.5 points
    small = computed(
        {
            "allocataires": caf.assign(
                allocataires_monoparents=10, allocataires_couples_avec_enfant=45
            )
        },
        LONE_PARENTS,
    )
    assert small["qualite"] == "B"


def test_a_count_and_a_rate_over_the_census() -> None:
    seekers = frame(["59172"], demandeurs_abc=[100])
    row = computed({"demandeurs_emploi": seekers}, "demandeurs_emploi_abc")
    assert row[["borne_inf", "borne_sup"]].tolist() == [97.5, 102.5]
    assert pd.isna(row["qualite"])  # the thresholds of the grades are points
    zero = computed(
        {"demandeurs_emploi": seekers.assign(demandeurs_abc=0)}, "demandeurs_emploi_abc"
    )
    assert zero[["borne_inf", "borne_sup"]].tolist() == [0, 2.5]
    both = {"demandeurs_emploi": seekers, "activite": frame(["59172"], population_15_64_ans=[400])}
    row = computed(both, "taux_demandeurs_emploi_abc")
    assert row[["borne_inf", "borne_sup"]].tolist() == pytest.approx([97.5 / 4, 102.5 / 4])
    minima = {
        "allocataires": frame(
            ["59172"], allocataires=[500], allocataires_aah=[50], allocataires_rsa_socle=[150]
        ),
        "population": frame(["59172"], population=[900], menages=[400]),
    }
    row = computed(minima, "taux_couverture_minima_sociaux")
    assert row[["borne_inf", "borne_sup"]].tolist() == pytest.approx([195 / 4, 205 / 4])


def test_limits_of_rounding_stay_within_those_of_the_indicator() -> None:
    seekers = frame(["59172"], demandeurs_abc=[100], demandeurs_abc_femmes=[100])
    row = computed({"demandeurs_emploi": seekers}, "part_femmes_defm")
    assert row[["borne_inf", "borne_sup"]].tolist() == pytest.approx([100 * 97.5 / 102.5, 100])


def test_counts_that_are_not_rounded_are_exact() -> None:
    """One count that is no multiple of 5 shows that its column was not rounded that year."""
    seekers = frame(
        ["59172", "59446", "59172"],
        [2021, 2021, 2016],
        demandeurs_abc=[100, 203, 100],
        demandeurs_abc_femmes=[50, 100, 50],
    )
    results = bcs.compute({"demandeurs_emploi": seekers}, "demandeurs_emploi_abc", intervals=True)
    assert results["borne_inf"].fillna(-1).tolist() == [97.5, -1, -1]
    assert (
        results["note"].tolist()[1:]
        == ["sans intervalle : registre exhaustif, sans arrondi connu"] * 2
    )
    shares = bcs.compute(
        {"demandeurs_emploi": seekers.iloc[1:2]}, "part_femmes_defm", intervals=True
    )
    assert shares.loc[0, "qualite"] == "A"  # exact; 5 and 50 are the only thresholds
    elsewhere = seekers.iloc[:1].assign(code="QP059050")
    assert np.isnan(
        computed({"demandeurs_emploi": elsewhere}, "demandeurs_emploi_abc")["borne_inf"]
    )


# ---- everything at once -------------------------------------------------------------------------


def test_all_indicators_of_synthetic_communes() -> None:
    tables = bcs.datasets.make_tables(150, seed=3)
    plain, results = bcs.compute(tables), Results.validate(bcs.compute(tables, intervals=True))
    same = ["code", "annee", "indicateur", "valeur", "statut", "origine"]
    pd.testing.assert_frame_equal(plain[same], results[same])
    assert plain[["borne_inf", "borne_sup", "qualite"]].isna().all(axis=None)
    known = results[results["statut"] == "ok"]
    bounded = known["borne_inf"].notna()
    assert (bounded == known["borne_sup"].notna()).all()
    rows = known[bounded]
    assert rows["valeur"].between(rows["borne_inf"], rows["borne_sup"]).all()
    only_published = known["indicateur"].map(lambda name: indicator_card(name).nature == "publie")
    told = known["note"].fillna("").str.contains("sans intervalle")
    assert (bounded | told | only_published).all()
    assert not (told & (bounded | only_published)).any()
    assert (
        results.loc[results["statut"] != "ok", ["borne_inf", "borne_sup", "qualite"]]
        .isna()
        .all(axis=None)
    )
    assert set(known["qualite"].dropna()) == set(GRADES)
    for card in CARDS:
        rows = known[(known["indicateur"] == card.id) & known["borne_inf"].notna()]
        low, high = card.bornes
        assert (rows["borne_inf"] >= low).all()
        assert (rows["borne_sup"] <= high).all()


SOME = ("population", "activite", "logements", "allocataires", "demandeurs_emploi", "revenus")


@settings(max_examples=4)
@given(valid_tables(SOME, rows=4, missing=True))
def test_intervals_never_fail_nor_change_a_value(frames: dict[str, pd.DataFrame]) -> None:
    tables = Tables(frames)
    results = Results.validate(bcs.compute(tables, intervals=True))
    pd.testing.assert_series_equal(results["valeur"], bcs.compute(tables)["valeur"])
    bounded = results[results["borne_inf"].notna()]
    assert bounded["valeur"].between(bounded["borne_inf"], bounded["borne_sup"]).all()


def test_no_row_and_no_table() -> None:
    empty = frame([], logements=[], logements_vacants=[]).astype({"code": "str", "annee": int})
    results = bcs.compute({"logements": empty, "population": TOWN}, intervals=True)
    assert VACANCY not in set(results["indicateur"])
    assert len(bcs.compute({}, intervals=True)) == 0
