"""Gaps to references: published figures, closed forms, properties, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cards.listing import load_cards
from barometre.compare.gaps import POSITIONS, gap
from barometre.compare.proof.sides import APPRECIATIONS, favourable_gap
from barometre.tables.table_set import STATUSES, Tables

COLUMNS = [
    "code", "annee", "indicateur", "reference", "valeur", "valeur_reference", "ecart", "ecart_inf",
    "ecart_sup", "rapport", "unite", "appreciation", "classe", "verdict", "preuve", "seuil_bas",
    "seuil_haut", "statut", "qualite", "origine", "note",
]  # fmt: skip


def tidy(rows: list[dict[str, Any]], **common: Any) -> pd.DataFrame:
    """Results with what is not said left to its default."""
    base = {
        "annee": 2019, "indicateur": "taux_emploi_15_64", "statut": "ok", "borne_inf": math.nan,
        "borne_sup": math.nan, "qualite": None, "origine": "calcule", "note": None,
    }  # fmt: skip
    return pd.DataFrame([{"valeur": math.nan, **base, **common, **row} for row in rows])


def row(frame: pd.DataFrame) -> Any:
    """The only row."""
    (only,) = frame.itertuples(index=False)
    return only


def pair(value: float, reference: float, **common: Any) -> Any:
    """The gap of one value to one reference."""
    rows = [{"code": "a", "valeur": value}, {"code": "ref", "valeur": reference}]
    return row(gap(tidy(rows, **common), "ref"))


# ---- published figures ---------------------------------------------------------------------------

# Elnon and the agglomeration: medians of the notes of the catalogue; gap printed in the contract.
ELNON = [(2020, 16500.0, 19000.0, 208), (2013, 14587.0, 16831.0, 187)]


@pytest.mark.parametrize(("year", "elnon", "whole", "printed"), ELNON)
def test_elnon_is_below_the_agglomeration_by_the_printed_euros_a_month(
    year: int, elnon: float, whole: float, printed: int
) -> None:
    rows = [{"code": "QP059058", "valeur": elnon}, {"code": "200042190", "valeur": whole}]
    results = tidy(rows, annee=year, indicateur="niveau_de_vie_median")
    yearly, found = row(gap(results, "200042190")), row(gap(results, "200042190", monthly=True))
    assert yearly.ecart == elnon - whole == yearly.valeur - yearly.valeur_reference
    assert yearly.unite == "€ par an et par UC"
    assert bcs.round_half_up(-found.ecart) == printed
    assert found.valeur == elnon / 12
    assert (found.unite, found.appreciation, found.classe) == (
        "€ par mois et par UC", "defavorable", "inférieur",
    )  # fmt: skip


def test_the_printed_thresholds_of_the_map_of_incomes() -> None:
    found = pair(18550, 20290, indicateur="niveau_de_vie_median")
    assert (found.seuil_bas, found.seuil_haut) == pytest.approx((19275.5, 21304.5), rel=1e-12)
    printed = [bcs.round_half_up(limit, -2) for limit in (found.seuil_bas, found.seuil_haut)]
    assert printed == [19300, 21300]  # contract, l. 408


def test_the_quarters_of_the_agglomeration_are_28_points_poorer_than_france() -> None:
    """42 % (41.88, l. 434) against 14 %, printed +28 points and three times."""
    found = pair(41.88, 14, indicateur="taux_de_pauvrete")
    assert bcs.round_half_up(found.ecart) == 28
    assert bcs.round_half_up(found.rapport) == 3
    assert (found.unite, found.appreciation) == ("points", "defavorable")


def test_gaps_of_the_contract_to_three_references(contract: Tables) -> None:
    results = bcs.compute(contract, "taux_emploi_15_64")
    found = gap(results, ["200042190", "59", "METRO"]).set_index(["code", "reference"])
    # Printed rates of 2019: Elnon 48.7, the CA 54.6, Nord 58.6, France 64.7.
    elnon = found.loc["QP059058"]
    assert elnon["ecart"].round(9).to_dict() == {"200042190": -5.9, "59": -9.9, "METRO": -16.0}
    assert found.loc[("200042190", "59"), "ecart"] == pytest.approx(-4.0, abs=1e-9)
    assert ("59", "59") not in found.index
    assert len(found) == 3 * (results["code"].nunique() - 1)
    assert set(found["origine"]) == {"publie"}


# ---- the columns, one by one ---------------------------------------------------------------------


def test_columns_and_closed_lists() -> None:
    found = gap(tidy([{"code": "a", "valeur": 1.0}, {"code": "ref", "valeur": 2.0}]), "ref")
    assert list(found) == COLUMNS
    assert set(found["appreciation"]) <= set(APPRECIATIONS)
    assert set(found["classe"]) <= set(POSITIONS)
    assert set(found["statut"]) <= set(STATUSES)
    assert list(gap(tidy([{"code": "ref", "valeur": 2.0}]), "ref")) == COLUMNS


UNITS = {
    "taux_emploi_15_64": "points",
    "ecart_taux_emploi_femmes_hommes": "points",
    "niveau_de_vie_median": "€ par an et par UC",
    "taux_licences_sportives": "pour 100",
    "equipements_sportifs_10000": "pour 10 000 habitants",
    "rapport_interdecile": "rapport",
    "population": "nombre",
    "apl_medecins_generalistes": "consultations par an",
}


@pytest.mark.parametrize(("indicator", "unit"), UNITS.items())
def test_unit_of_the_gap(indicator: str, unit: str) -> None:
    found = pair(30, 18, indicateur=indicator)
    assert found.unite == unit
    assert found.ecart == 12
    assert (found.valeur, found.valeur_reference) == (30, 18)


@pytest.mark.parametrize(
    ("indicator", "value", "reference", "said"),
    [
        ("taux_emploi_15_64", 50, 40, "favorable"),
        ("taux_emploi_15_64", 30, 40, "defavorable"),
        ("taux_de_pauvrete", 50, 40, "defavorable"),
        ("taux_de_pauvrete", 30, 40, "favorable"),
        ("part_femmes_licences", 55, 30, "favorable"),  # nearer to 50
        ("part_femmes_licences", 45, 55, "egal"),
        ("part_femmes_licences", 80, 45, "defavorable"),
        ("ecart_taux_emploi_femmes_hommes", -2, -6, "favorable"),
        ("ecart_taux_emploi_femmes_hommes", 3, -2, "defavorable"),
        ("part_menages_sans_voiture", 30, 20, "neutre"),
        ("taux_emploi_15_64", 5.1, 5.1000000000000005, "egal"),
    ],
)
def test_appreciation_follows_the_direction_of_the_card(
    indicator: str, value: float, reference: float, said: str
) -> None:
    assert pair(value, reference, indicateur=indicator).appreciation == said


@pytest.mark.parametrize(
    ("value", "reference", "said"),
    [
        (19, 20, "proche"),  # 5 % exactly: inclusive
        (21, 20, "proche"),
        (18.99, 20, "inférieur"),
        (21.01, 20, "supérieur"),
        (4.845, 5.1, "proche"),  # 0.95 * 5.1, whatever the binary rounding
        (5.355, 5.1, "proche"),
        (-19, -20, "proche"),
        (-18.9, -20, "supérieur"),
        (-21.1, -20, "inférieur"),
        (0, 0, "proche"),
        (1e-3, 0, "supérieur"),
        (-1e-3, 0, "inférieur"),
    ],
)
def test_class_within_five_percent(value: float, reference: float, said: str) -> None:
    assert pair(value, reference, indicateur="ecart_taux_emploi_femmes_hommes").classe == said


def test_tolerance_is_an_option() -> None:
    results = tidy([{"code": "a", "valeur": 19.0}, {"code": "ref", "valeur": 20.0}])
    assert gap(results, "ref", tolerance=0)["classe"].tolist() == ["inférieur"]
    wide = gap(results, "ref", tolerance=0.5).loc[0]
    assert (wide["seuil_bas"], wide["seuil_haut"], wide["classe"]) == (10, 30, "proche")


def test_a_reference_of_zero_has_no_ratio() -> None:
    assert math.isnan(pair(3, 0).rapport)
    assert pair(3, 0).ecart == 3
    assert pair(3, 2).rapport == 1.5


# ---- bounds --------------------------------------------------------------------------------------


def bounded(indicator: str, **options: Any) -> Any:
    rows = [
        {"code": "a", "valeur": 50.0, "borne_inf": 46.0, "borne_sup": 53.0},
        {"code": "ref", "valeur": 40.0, "borne_inf": 37.0, "borne_sup": 44.0},
    ]
    return gap(tidy(rows, indicateur=indicator), "ref", **options).loc[0]


@pytest.mark.parametrize("card", load_cards().values(), ids=lambda card: card.id)
@pytest.mark.parametrize("zero", [0.0, -0.0, 1e-17])
def test_nothing_to_nothing_is_no_gap_and_no_ratio(card: Any, zero: float) -> None:
    found = pair(zero, 0.0, indicateur=card.id)
    assert abs(found.ecart) < 1e-15
    assert math.isnan(found.rapport)
    assert found.appreciation == ("neutre" if card.sens == "neutre" else "egal")
    assert found.statut == "ok"
    assert zero or found.classe == "proche"


def test_bounds_of_samples_square_and_add() -> None:
    found = bounded("taux_emploi_15_64")  # 10 - sqrt(4² + 4²), 10 + sqrt(3² + 3²)
    assert found["ecart_inf"] == pytest.approx(10 - math.sqrt(32), rel=1e-12)
    assert found["ecart_sup"] == pytest.approx(10 + math.sqrt(18), rel=1e-12)


def test_bounds_of_samples_are_those_of_statsmodels() -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    counts = [(56, 70), (48, 80)]  # the example of Newcombe's article
    limits = [100 * np.array(proportion_confint(*c, method="wilson")) for c in counts]
    rows = [
        {"code": code, "valeur": 100 * k / n, "borne_inf": low, "borne_sup": high}
        for code, (k, n), (low, high) in zip(("a", "ref"), counts, limits, strict=True)
    ]
    found = gap(tidy(rows), "ref").loc[0]
    expected = confint_proportions_2indep(56, 70, 48, 80, method="newcomb")
    assert [found["ecart_inf"], found["ecart_sup"]] == pytest.approx(
        [100 * limit for limit in expected], rel=1e-9
    )


def test_bounds_of_rounded_registers_add_up() -> None:
    found = bounded("part_plus_2_ans_defm")
    assert (found["ecart_inf"], found["ecart_sup"]) == (46 - 44, 53 - 37)


def test_every_figure_of_a_row_has_the_unit_of_the_row() -> None:
    found = bounded("niveau_de_vie_median")
    assert (found["ecart"], found["ecart_inf"]) == (10, 2)
    found = bounded("niveau_de_vie_median", monthly=True)
    assert found["ecart"] == pytest.approx(10 / 12)
    assert found["ecart_inf"] == pytest.approx(2 / 12)
    assert found["valeur"] - found["valeur_reference"] == found["ecart"]


@pytest.mark.parametrize("lacking", ["a", "ref"])
def test_one_value_without_bounds_leaves_the_gap_without(lacking: str) -> None:
    rows = [
        {"code": "a", "valeur": 50.0, "borne_inf": 46.0, "borne_sup": 53.0},
        {"code": "ref", "valeur": 40.0, "borne_inf": 37.0, "borne_sup": 44.0},
    ]
    for row in rows:
        if row["code"] == lacking:
            row |= {"borne_inf": math.nan, "borne_sup": math.nan}
    for indicator in ("taux_emploi_15_64", "part_plus_2_ans_defm"):
        found = gap(tidy(rows, indicateur=indicator), "ref").loc[0]
        assert found["ecart"] == 10
        assert found[["ecart_inf", "ecart_sup"]].isna().all()


# ---- absent values, qualities, notes -------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "other", "told"),
    [
        ("ok", "secret", "secret"),
        ("secret", "non_disponible", "secret"),
        ("non_defini", "sans_objet", "sans_objet"),
        ("non_disponible", "non_defini", "non_defini"),
        ("ok", "non_disponible", "non_disponible"),
    ],
)
def test_the_stronger_reason_of_absence_is_told(mine: str, other: str, told: str) -> None:
    known = {"ok": 40.0}
    for first, second in ((mine, other), (other, mine)):
        rows = [
            {"code": "a", "valeur": known.get(first, math.nan), "statut": first},
            {"code": "ref", "valeur": known.get(second, math.nan), "statut": second},
        ]
        found = gap(tidy(rows), "ref").loc[0]
        assert found["statut"] == told
        assert found[["ecart", "rapport", "ecart_inf"]].isna().all()
        assert found[["appreciation", "classe"]].isna().all()


def test_a_reference_without_that_year_is_said() -> None:
    rows = [{"code": "a", "valeur": 40.0}, {"code": "ref", "valeur": 50.0, "annee": 2018}]
    found = gap(tidy(rows), "ref").loc[0]
    assert found["statut"] == "non_disponible"
    assert found["note"] == "« ref » n'a pas de valeur de cet indicateur en 2019"
    assert found[["valeur_reference"]].isna().all()


def test_worst_quality_origin_and_notes_of_both() -> None:
    rows = [
        {"code": "a", "valeur": 40.0, "qualite": "B", "origine": "publie", "note": "lu"},
        {"code": "b", "valeur": 40.0, "origine": "estime"},
        {"code": "ref", "valeur": 50.0, "qualite": "douteux", "origine": "publie", "note": "vu"},
        {"code": "calm", "valeur": 50.0, "qualite": "A", "origine": "calcule"},
    ]
    found = gap(tidy(rows), ["ref", "calm"]).set_index(["code", "reference"])
    assert found.loc[("a", "ref"), "qualite"] == "douteux"
    assert found.loc[("a", "calm"), "qualite"] == "B"
    assert found.loc[("b", "calm"), "qualite"] == "A"
    assert found.loc[("a", "ref"), "origine"] == "publie"
    assert found.loc[("a", "calm"), "origine"] == "calcule"
    assert found.loc[("b", "ref"), "origine"] == "estime"
    assert found.loc[("a", "ref"), "note"] == "lu ; référence « ref » : vu"
    assert found.loc[("b", "ref"), "note"] == "référence « ref » : vu"
    assert found["note"].isna().to_dict()["b", "calm"]


def test_the_results_are_left_as_they_were() -> None:
    results = tidy([{"code": "a", "valeur": 40.0}, {"code": "ref", "valeur": 50.0}])
    before = results.copy(deep=True)
    gap(results, "ref")
    pd.testing.assert_frame_equal(results, before)


def test_bare_results_are_enough() -> None:
    """Four columns, the keys possibly in the index, integers or nullable numbers."""
    bare = pd.DataFrame(
        {
            "code": ["a", "ref", "b"],
            "annee": 2019,
            "indicateur": "taux_emploi_15_64",
            "valeur": pd.array([40, 50, None], dtype="Int64"),
        }
    )
    for results in (bare, bare.set_index(["code", "annee"])):
        found = gap(results, "ref").set_index("code")
        assert found["ecart"].tolist() == pytest.approx([-10, math.nan], nan_ok=True)
        assert found["statut"].tolist() == ["ok", "non_disponible"]


def test_empty_results_have_no_gap() -> None:
    empty = gap(tidy([{"code": "a"}]).iloc[:0], "59")
    assert list(empty) == COLUMNS
    assert empty.empty


# ---- what is refused -----------------------------------------------------------------------------


def test_an_unknown_reference_is_named_with_its_neighbours() -> None:
    results = tidy([{"code": "200042190", "valeur": 1.0}, {"code": "59", "valeur": 1.0}])
    with pytest.raises(BarometreError, match=r"« 200042191 » absent ; proches : 200042190"):
        gap(results, "200042191")
    with pytest.raises(BarometreError, match=r"« METRO » .* « R32 »"):
        gap(results, ["59", "METRO", "R32"])
    with pytest.raises(BarometreError, match="aucune référence"):
        gap(results, [])


@pytest.mark.parametrize("tolerance", [-0.1, 1, 5, math.nan, True, None, "5 %"])
def test_a_tolerance_is_a_share(tolerance: Any) -> None:
    with pytest.raises(BarometreError, match=r"0\.05 pour 5 %"):
        gap(tidy([{"code": "a", "valeur": 1.0}]), "a", tolerance=tolerance)


# ---- properties ----------------------------------------------------------------------------------

NUMBERS = st.floats(-1e6, 1e6)


@settings(max_examples=25)
@given(st.lists(NUMBERS, min_size=2, max_size=8), st.sampled_from(sorted(load_cards())))
def test_gap_is_antisymmetric_and_agrees_with_the_charts(
    values: list[float], indicator: str
) -> None:
    codes = [f"c{i}" for i in range(len(values))]
    rows = [{"code": code, "valeur": v} for code, v in zip(codes, values, strict=True)]
    found = gap(tidy(rows, indicateur=indicator), codes).set_index(["code", "reference"])
    assert len(found) == len(values) * (len(values) - 1)
    back = found.swaplevel().reindex(found.index.set_names(["reference", "code"]))
    np.testing.assert_array_equal(found["ecart"], -back["ecart"])
    card = bcs.indicator_card(indicator)
    one = found.xs("c0", level="reference")
    by_chart = favourable_gap(one["valeur"].to_numpy(), values[0], card)
    # A difference of the size of binary rounding is called equal.
    clear = np.abs(by_chart) > 1e-3
    said = pd.Series(np.where(by_chart > 0, "favorable", "defavorable"), index=one.index)
    assert (one["appreciation"][clear] == said[clear]).all()
    if card.sens == "neutre":
        assert set(found["appreciation"]) <= {"neutre"}


@settings(max_examples=25)
@given(st.lists(NUMBERS, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_rows_can_come_in_any_order(values: list[float], random: Any) -> None:
    rows = [{"code": f"c{i}", "valeur": v} for i, v in enumerate(values)]
    keys = ["code", "annee", "indicateur", "reference"]
    first = gap(tidy(rows), "c0").sort_values(keys, ignore_index=True)
    random.shuffle(rows)
    pd.testing.assert_frame_equal(gap(tidy(rows), "c0").sort_values(keys, ignore_index=True), first)
