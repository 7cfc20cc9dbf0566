"""Needs that are general, concentrated, both or neither: by hand, by brute force, at the edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.compare.dispersion import theil, weighted_cv
from barometre.compare.needs import DIAGNOSES, DISPERSION_THRESHOLDS, diagnose

ZONES = ["A", "B", "C"]
WEIGHTS = pd.Series({"A": 100.0, "B": 200.0, "C": 300.0}, name="population 2021")


def results(
    indicator: str = "taux_de_pauvrete", year: int = 2021, **values: float | None
) -> pd.DataFrame:
    """One indicator: the zones, the whole territory CA, its reference."""
    frame = pd.DataFrame({"code": list(values), "annee": year, "indicateur": indicator})
    frame["valeur"] = pd.Series(list(values.values()), dtype="float64")
    frame["statut"] = frame["valeur"].notna().map({True: "ok", False: "secret"})
    return frame


def one(
    frame: pd.DataFrame, zones: Any = ZONES, weights: Any = WEIGHTS, **options: Any
) -> pd.Series:
    found = diagnose(frame, zones, "CA", "R", weights, **options)
    assert len(found) == 1
    return found.iloc[0]


# ---- the four classes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"A": 20.0, "B": 20, "C": 20, "CA": 20, "R": 15}, "généralisé"),
        ({"A": 5.0, "B": 25, "C": 12, "CA": 15, "R": 15}, "concentré"),
        ({"A": 5.0, "B": 40, "C": 20, "CA": 24, "R": 15}, "les deux"),
        ({"A": 14.0, "B": 15, "C": 15, "CA": 15, "R": 15}, "ni l'un ni l'autre"),
        ({"A": 14.0, "B": 15, "C": 15, "CA": 10, "R": 15}, "ni l'un ni l'autre"),
    ],
)
def test_the_four_classes(values: dict[str, Any], expected: str) -> None:
    assert one(results(**values))["diagnostic"] == expected
    # the same with an indicator whose rise is favourable: everything on the other side of 100
    spread: dict[str, Any] = {code: 200 - value for code, value in values.items()}
    found = one(
        results("niveau_de_vie_median", **spread), dispersion_threshold=0.02, level_threshold=0.02
    )
    assert found["diagnostic"] == expected


def test_every_figure_of_a_row_by_hand() -> None:
    row = one(results(A=10, B=20, C=30, CA=24, R=16))
    mean = (10 * 100 + 20 * 200 + 30 * 300) / 600
    variance = (100 * (10 - mean) ** 2 + 200 * (20 - mean) ** 2 + 300 * (30 - mean) ** 2) / 600
    assert row["dispersion"] == pytest.approx(math.sqrt(variance) / mean, rel=1e-12)
    expected = {
        "indicateur": "taux_de_pauvrete", "theme": "revenus", "annee": 2021, "territoire": "CA", "reference": "R",
        "valeur": 24, "valeur_reference": 16, "ecart": 8, "unite": "points", "ecart_relatif": 0.5,
        "ecart_defavorable": 0.5, "mesure": "cv", "seuil_niveau": 0.05, "seuil_dispersion": 0.2,
        "ponderation": "population 2021", "zones": 3, "zones_absentes": 0, "poids": 600, "couverture": 1,
        "couverture_min": 0.5, "diagnostic": "les deux", "statut": "ok",
    }  # fmt: skip
    assert row[list(expected)].to_dict() == expected
    assert pd.isna(row["note"])


def test_a_row_has_one_unit_the_month_on_request() -> None:
    amounts = results("niveau_de_vie_median", A=18000, B=18000, C=18000, CA=18000, R=20400)
    row = one(amounts)
    assert (row["valeur"], row["ecart"], row["unite"]) == (18000, -2400, "€ par an et par UC")
    row = one(amounts, monthly=True)
    assert (row["valeur"], row["ecart"], row["unite"]) == (1500, -200, "€ par mois et par UC")
    assert row["ecart_defavorable"] == pytest.approx(2400 / 20400)


@pytest.mark.parametrize(
    ("indicator", "value", "reference", "worse"),
    [
        ("taux_emploi_15_64", 50.0, 60.0, 10 / 60),
        ("taux_de_pauvrete", 20.0, 16.0, 4 / 16),
        ("ecart_taux_emploi_femmes_hommes", -10.0, -8.0, 2 / 8),
        ("ecart_taux_emploi_femmes_hommes", 6.0, -8.0, -2 / 8),
        ("part_femmes_licences", 36.0, 40.0, 4 / 40),
        ("part_femmes_licences", 64.0, 40.0, 4 / 40),
    ],
)
def test_the_direction_of_the_card_tells_what_is_worse(
    indicator: str, value: float, reference: float, worse: float
) -> None:
    row = one(results(indicator, A=30, B=30, C=30, CA=value, R=reference))
    assert row["ecart_defavorable"] == pytest.approx(worse, rel=1e-12)
    assert row["diagnostic"] == ("généralisé" if worse > 0 else "ni l'un ni l'autre")


def test_within_the_threshold_is_close_and_binary_rounding_is_not_beyond_it() -> None:
    """5 % of 20 290 above 20 290 x 0.95 is not beyond 5 %; NOTES: Nord 2019, 19 275 to 21 305."""
    at = 20290 * 0.95
    flat: dict[str, Any] = {"A": at, "B": at, "C": at}
    assert (
        one(results("niveau_de_vie_median", CA=at, R=20290, **flat))["diagnostic"]
        == "ni l'un ni l'autre"
    )
    assert (
        one(results("niveau_de_vie_median", CA=at - 1, R=20290, **flat))["diagnostic"]
        == "généralisé"
    )
    same = one(
        results(A=12, B=12, C=8, CA=1, R=1),
        weights=None,
        dispersion_threshold=weighted_cv([12, 12, 8]),
    )
    assert same["diagnostic"] == "ni l'un ni l'autre"


def test_a_reference_of_zero() -> None:
    row = one(results("ecart_taux_emploi_femmes_hommes", A=-1, B=-1, C=-1, CA=-0.1, R=0))
    assert math.isnan(row["ecart_relatif"])
    assert row["diagnostic"] == "généralisé"


# ---- dispersion ---------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(st.floats(1, 90), min_size=2, max_size=6), st.data())
def test_dispersion_and_classes_are_their_definitions(
    values: list[float], data: st.DataObject
) -> None:
    codes = [f"Z{i}" for i in range(len(values))]
    population = data.draw(st.lists(st.integers(1, 9), min_size=len(values), max_size=len(values)))
    whole, reference = data.draw(st.floats(1, 90)), data.draw(st.floats(1, 90))
    drawn: dict[str, Any] = dict(zip(codes, values, strict=True))
    frame = results(**drawn, CA=whole, R=reference)
    weights = dict(zip(codes, population, strict=True))
    groups = {code: "AB"[i % 2] for i, code in enumerate(codes)}
    for measure in ("cv", "theil"):
        row = one(frame, codes, weights, dispersion=measure, groups=groups)
        units = np.repeat(values, population)
        index = units.std() / units.mean() if measure == "cv" else theil(units)
        assert row["dispersion"] == pytest.approx(index, rel=1e-9, abs=1e-12)
        assert row["theil_inter"] + row["theil_intra"] == pytest.approx(
            theil(units), rel=1e-9, abs=1e-12
        )
        limit = DISPERSION_THRESHOLDS[measure]
        if abs(whole - 1.05 * reference) > 1e-6 and abs(index - limit) > 1e-6:
            place = (whole > 1.05 * reference, index > limit)
            expected = dict(
                zip(
                    [(True, False), (False, True), (True, True), (False, False)],
                    DIAGNOSES,
                    strict=True,
                )
            )
            assert row["diagnostic"] == expected[place]


def test_theil_between_sectors_only() -> None:
    row = one(
        results(A=10, B=10, C=30, CA=20, R=20),
        groups={"A": "nord", "B": "nord", "C": "sud"},
        dispersion="theil",
    )
    assert row["theil_intra"] == pytest.approx(0, abs=1e-15)
    assert row["theil_inter"] == pytest.approx(row["dispersion"], rel=1e-12)
    assert row["seuil_dispersion"] == 0.02
    assert "theil_inter" not in one(results(A=10, B=10, C=30, CA=20, R=20)).index


def test_values_of_both_signs() -> None:
    frame = results("ecart_taux_emploi_femmes_hommes", A=-4, B=2, C=3, CA=-1, R=-1)
    assert "signes contraires" in one(frame)["note"]
    row = one(frame, dispersion="theil", groups={"A": 1, "B": 1, "C": 2})
    assert (row["statut"], row["note"]) == (
        "non_defini",
        "indice de Theil impossible : valeurs négatives",
    )
    assert row[["dispersion", "theil_inter", "diagnostic"]].isna().all()
    nought = one(
        results("ecart_taux_emploi_femmes_hommes", A=-5, B=5, C=0, CA=1, R=1), weights=None
    )
    assert nought["statut"] == "non_defini"
    assert "moyenne nulle" in nought["note"]


# ---- absent, hidden, doubtful, graded -----------------------------------------------------------


def test_hidden_zones_are_left_out_and_counted() -> None:
    row = one(results(A=None, B=20, C=30, CA=24, R=16))
    assert row["dispersion"] == pytest.approx(weighted_cv([20, 30], [200, 300]), rel=1e-12)
    assert row[["zones", "zones_absentes", "poids"]].tolist() == [2, 1, 500]
    assert row["couverture"] == pytest.approx(5 / 6)
    assert row["note"] == "1 zone secrète"
    assert row["statut"] == "ok"


def test_too_few_zones_give_no_diagnosis() -> None:
    row = one(results(A=10, B=20, C=None, CA=24, R=16), min_coverage=0.51)
    assert (row["statut"], row["zones"]) == ("secret", 2)
    assert row[["diagnostic", "dispersion"]].isna().all()
    assert row["note"] == "zones connues : 50 % du poids (minimum 51 %) ; 1 zone secrète"
    assert one(results(A=10, B=20, C=None, CA=24, R=16))["statut"] == "ok"  # half is enough
    unknown = results(A=10, B=20, CA=24, R=16)
    assert one(unknown, min_coverage=0.51)["statut"] == "non_disponible"
    alone = one(results(A=None, B=None, C=30, CA=24, R=16))
    assert (alone["statut"], alone["note"]) == (
        "non_defini",
        "moins de deux zones connues ; 2 zones secrètes",
    )


def test_a_territory_without_value() -> None:
    row = one(results(A=10, B=20, C=30, CA=None, R=16))
    assert (row["statut"], row["note"]) == ("secret", "CA : valeur secrète")
    both = pd.concat(
        [results(A=10, B=20, C=30, CA=12, R=12), results("taux_chomage_rp", A=1, B=2, C=3, CA=4)]
    )
    found = diagnose(both, ZONES, "CA", "R", WEIGHTS).set_index("indicateur")
    assert found.loc["taux_chomage_rp", "statut"] == "non_disponible"
    assert found.loc["taux_chomage_rp", "note"] == "R : valeur non disponible"
    assert found.loc["taux_de_pauvrete", "statut"] == "ok"


def test_neutral_indicators_are_no_need_and_counts_are_left_out() -> None:
    frame = pd.concat(
        [
            results("part_menages_sans_voiture", A=10, B=20, C=30, CA=24, R=16),
            results("population", A=10, B=20, C=30, CA=60, R=900),
        ]
    )
    row = one(frame)
    assert (row["indicateur"], row["statut"]) == ("part_menages_sans_voiture", "sans_objet")
    assert pd.isna(row["diagnostic"])
    assert math.isnan(row["ecart_defavorable"])
    assert (row["ecart"], row["ecart_relatif"]) == (8, 0.5)
    assert row["dispersion"] > 0
    with pytest.raises(
        BarometreError, match="effectifs non comparables d'une zone à l'autre : population"
    ):
        one(frame, indicators=["population"])


def test_grades_and_doubts() -> None:
    frame = results(A=10, B=20, C=30, CA=24, R=16).assign(qualite=["D", "douteux", "B", "C", "A"])
    row = one(frame)
    assert row[["zones", "valeur"]].tolist() == [
        2,
        24,
    ]  # a grade leaves zones out, not the territory
    assert row["note"] == "1 zone écartée par sa qualité ; 1 valeur douteuse"
    assert one(frame, without_grades=())["zones"] == 3


# ---- years --------------------------------------------------------------------------------------


def test_the_latest_year_that_allows_a_diagnosis() -> None:
    frame = pd.concat(
        [
            results(year=2019, A=10, B=20, C=30, CA=24, R=16),
            results(year=2020, A=11, B=20, C=30, CA=25, R=16),
            results(year=2021, A=None, B=None, C=30, CA=26, R=16),
        ]
    )
    assert one(frame)[["annee", "valeur", "statut"]].tolist() == [2020, 25, "ok"]
    assert one(frame, min_coverage=0.4)["annee"] == 2020  # one zone has no dispersion
    assert one(frame, year=2019)["valeur"] == 24
    assert one(frame, year=2021, min_coverage=0.6)["statut"] == "secret"
    with pytest.raises(BarometreError, match=r"year=2015 refusé .*2019, 2020, 2021"):
        one(frame, year=2015)
    nothing = pd.concat([results(year=y, A=None, B=None, C=3, CA=4, R=5) for y in (2019, 2021)])
    assert one(nothing, min_coverage=0.9)["annee"] == 2021
