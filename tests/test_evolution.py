"""Evolutions: published figures, closed forms, absent values, properties."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.compare.years import (
    CONVERGENCES,
    EVOLUTION_STATUSES,
    TRENDS,
    evolution,
)

COLUMNS = [
    "code", "indicateur", "annee_debut", "annee_fin", "valeur_debut", "valeur_fin", "evolution",
    "evolution_pct", "evolution_points", "taux_annuel_pct", "evolution_inf", "evolution_sup",
    "unite", "appreciation", "statut", "qualite", "origine", "note",
]  # fmt: skip
CONVERGENCE = [
    "reference", "ecart_debut", "ecart_fin", "unite_ecart", "convergence", "evolution_reference",
    "classe", "seuil_bas", "seuil_haut",
]  # fmt: skip
INCOME, POVERTY, WORK = "niveau_de_vie_median", "taux_de_pauvrete", "taux_emploi_15_64"


def tidy(*rows: tuple[str, int, float], indicator: str = POVERTY, **common: Any) -> pd.DataFrame:
    """Results of one indicator: code, year, value."""
    frame = pd.DataFrame(rows, columns=["code", "annee", "valeur"])
    return frame.assign(indicateur=indicator, **common)


def row(frame: pd.DataFrame) -> Any:
    """The only row."""
    (only,) = frame.itertuples(index=False)
    return only


def two(before: float, after: float, start: int, end: int, **how: Any) -> Any:
    """The evolution of one territory."""
    options = {name: how.pop(name) for name in ("override",) if name in how}
    code = how.pop("code", "59172")
    return row(
        evolution(tidy((code, start, before), (code, end, after), **how), start, end, **options)
    )


# ---- published figures ---------------------------------------------------------------------------


def test_the_median_of_the_agglomeration_rose_by_1586_euros() -> None:
    """Insee: 16 964 € in 2014, 18 550 € in 2019 (the contract prints +2 550, wrongly)."""
    found = two(16964, 18550, 2014, 2019, indicator=INCOME)
    assert (found.evolution, found.unite, found.statut) == (1586, "€ par an et par UC", "ok")
    assert math.isnan(found.evolution_points)


def test_poverty_of_the_quarters_fell_by_3_points() -> None:
    """41.88 % in 2020 and 44.73 % in 2013 make -2.85, printed -3 (l. 434)."""
    found = two(44.73, 41.88, 2013, 2020)
    assert bcs.round_half_up(found.evolution) == -3
    assert bcs.round_half_up(found.evolution_points, 1) == -2.9
    assert (found.unite, found.appreciation) == ("points", "favorable")


@pytest.mark.parametrize(
    ("after", "change", "printed"),
    [(2117, -154, -6.8), (5343, 737, 16.0), (1228, 291, 31.1), (250, 7, 2.9)],
)
def test_percentages_printed_by_the_contract(after: float, change: float, printed: float) -> None:
    found = two(after - change, after, 2016, 2021, indicator="allocataires_minima_sociaux")
    assert found.evolution == change
    assert bcs.round_half_up(found.evolution_pct, 1) == printed


# ---- the columns, one by one ---------------------------------------------------------------------


def test_columns_and_closed_lists() -> None:
    results = tidy(("a", 2013, 40.0), ("a", 2020, 42.0), ("ref", 2013, 20.0), ("ref", 2020, 20.0))
    found = evolution(results, 2013, 2020, reference="ref")
    assert list(evolution(results, 2013, 2020)) == COLUMNS
    assert list(found) == [*COLUMNS, *CONVERGENCE]
    assert set(found["statut"]) <= set(EVOLUTION_STATUSES)
    assert set(found["convergence"].dropna()) <= set(CONVERGENCES)
    assert set(found["classe"].dropna()) <= set(TRENDS)
    empty = evolution(results.iloc[:0], 2013, 2020)
    assert list(empty) == COLUMNS
    assert empty.empty
    assert list(evolution(results.iloc[:0], 2013, 2020, reference="ref")) == list(found)


def test_yearly_rate_is_compounded() -> None:
    found = two(100, 200, 2010, 2020, indicator="allocataires_minima_sociaux")
    assert found.taux_annuel_pct == pytest.approx(100 * (2**0.1 - 1), rel=1e-12)
    halved = two(200, 100, 2018, 2019, indicator="allocataires_minima_sociaux")
    assert (halved.taux_annuel_pct, halved.evolution_pct) == (-50, -50)
    assert two(100, 0, 2010, 2020, indicator="allocataires_minima_sociaux").taux_annuel_pct == -100


@pytest.mark.parametrize(
    ("before", "after", "percent", "yearly"),
    [(0, 5, None, None), (-4, -2, None, None), (4, -2, -150, None), (4, 0, -100, -100)],
)
def test_no_percentage_of_what_is_not_positive(
    before: float, after: float, percent: float | None, yearly: float | None
) -> None:
    found = two(before, after, 2014, 2019, indicator="ecart_taux_emploi_femmes_hommes")
    expected = [math.nan if x is None else x for x in (percent, yearly)]
    assert [found.evolution_pct, found.taux_annuel_pct] == pytest.approx(expected, nan_ok=True)
    assert found.evolution == found.evolution_points == after - before


POINTS = {
    POVERTY: "points", "ecart_taux_emploi_femmes_hommes": "points", INCOME: "",
    "taux_licences_sportives": "", "population": "", "rapport_interdecile": "",
}  # fmt: skip


@pytest.mark.parametrize(("indicator", "unit"), POINTS.items())
def test_points_are_for_percentages(indicator: str, unit: str) -> None:
    found = two(20, 26, 2014, 2019, indicator=indicator)
    assert found.evolution == 6
    assert math.isnan(found.evolution_points) == (unit == "")
    assert (found.unite == "points") == (unit == "points")


@pytest.mark.parametrize(
    ("indicator", "before", "after", "said"),
    [
        (POVERTY, 30, 20, "favorable"),
        (WORK, 30, 20, "defavorable"),
        (WORK, 30, 30, "egal"),
        ("ecart_taux_emploi_femmes_hommes", -8, 3, "favorable"),
        ("part_femmes_licences", 40, 61, "defavorable"),
        ("part_menages_sans_voiture", 20, 30, "neutre"),
    ],
)
def test_appreciation(indicator: str, before: float, after: float, said: str) -> None:
    assert two(before, after, 2014, 2019, indicator=indicator).appreciation == said


def test_order_of_the_rows_is_that_of_the_results() -> None:
    codes = ["z", "a", "m"]
    results = pd.concat(
        [tidy(*[(c, y, 1.0) for y in (2019, 2014) for c in codes], indicator=i)
         for i in (WORK, POVERTY)]
    )  # fmt: skip
    found = evolution(results, 2014, 2019)
    assert found["code"].tolist() == codes * 2
    assert found["indicateur"].tolist() == [WORK] * 3 + [POVERTY] * 3
    before = results.copy(deep=True)
    evolution(results, 2014, 2019, reference="z")
    pd.testing.assert_frame_equal(results, before)


# ---- bounds --------------------------------------------------------------------------------------


def bounded(indicator: str, start: int, end: int, **options: Any) -> Any:
    results = tidy(("59172", start, 40.0), ("59172", end, 50.0), indicator=indicator)
    results = results.assign(borne_inf=[37.0, 46.0], borne_sup=[44.0, 53.0])
    return row(evolution(results, start, end, **options))


def test_bounds_of_two_samples_square_and_add() -> None:
    found = bounded(WORK, 2014, 2019)
    assert found.evolution_inf == pytest.approx(10 - math.sqrt(4**2 + 4**2), rel=1e-12)
    assert found.evolution_sup == pytest.approx(10 + math.sqrt(3**2 + 3**2), rel=1e-12)


def test_bounds_of_rounded_registers_add_up() -> None:
    found = bounded("part_plus_2_ans_defm", 2020, 2021)
    assert (found.evolution_inf, found.evolution_sup) == (46 - 44, 53 - 37)


def test_vintages_that_share_surveys_have_no_bounds() -> None:
    found = bounded(WORK, 2016, 2019, override="recensement")
    assert found.evolution == 10
    assert math.isnan(found.evolution_inf)
    assert math.isnan(found.evolution_sup)


def test_one_end_without_bounds_leaves_none() -> None:
    results = tidy(("a", 2014, 40.0), ("a", 2019, 50.0), indicator=WORK)
    results = results.assign(borne_inf=[37.0, math.nan], borne_sup=[44.0, math.nan])
    found = row(evolution(results, 2014, 2019))
    assert math.isnan(found.evolution_inf)
    assert found.evolution == 10


# ---- absent values -------------------------------------------------------------------------------


def test_a_refused_row_does_not_stop_the_others() -> None:
    results = pd.concat(
        [
            tidy(("59172", 2018, 20.0), ("59172", 2019, 22.0)),
            tidy(("59172", 2018, 20.0), ("59172", 2019, 22.0), indicator=WORK),
        ]
    )
    assert evolution(results, 2018, 2019)["statut"].tolist() == ["ok", "non_comparable"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("secret", "ok", "secret"),
        ("non_disponible", "secret", "secret"),
        ("non_defini", "non_disponible", "non_defini"),
        ("sans_objet", "non_defini", "sans_objet"),
    ],
)
def test_the_stronger_reason_of_absence_is_told(before: str, after: str, told: str) -> None:
    values = [12.0 if status == "ok" else math.nan for status in (before, after)]
    for indicator in (POVERTY, WORK):  # the second one would be refused too
        results = tidy(("a", 2018, values[0]), ("a", 2019, values[1]), indicator=indicator)
        found = row(evolution(results.assign(statut=[before, after]), 2018, 2019))
        assert found.statut == told
        assert math.isnan(found.evolution)
        assert pd.isna(found.appreciation)


def test_a_year_without_row_is_told() -> None:
    results = pd.concat(
        [
            tidy(("a", 2014, 20.0), ("a", 2019, 22.0), ("b", 2019, 30.0)),
            tidy(
                ("a", 2016, 20.0), ("a", 2021, 22.0), indicator="part_familles_monoparentales_caf"
            ),
        ]
    )
    found = evolution(results, 2014, 2019).set_index(["code", "indicateur"])
    assert found["statut"].tolist() == ["ok", "non_disponible", "non_disponible"]
    assert found.loc[("b", POVERTY), "note"] == "aucune donnée du territoire en 2014"
    assert found.loc[("b", POVERTY), "valeur_fin"] == 30
    other = found.loc[("a", "part_familles_monoparentales_caf"), "note"]
    assert other == (
        "aucune donnée de l'indicateur en 2014 (années : 2016, 2021) ;"
        " aucune donnée de l'indicateur en 2019 (années : 2016, 2021)"
    )


def test_notes_qualities_and_origins_of_both_years() -> None:
    results = tidy(("a", 2014, 20.0), ("a", 2019, 22.0)).assign(
        qualite=["douteux", "B"], origine=["publie", "calcule"], note=["lu", "vu"]
    )
    found = row(evolution(results, 2014, 2019))
    assert (found.qualite, found.origine) == ("douteux", "calcule")
    assert found.note == "2014 : lu ; 2019 : vu"


# ---- arguments -----------------------------------------------------------------------------------


def test_years_are_checked() -> None:
    results = tidy(("a", 2014, 20.0), ("a", 2019, 22.0))
    assert row(evolution(results, np.int64(2014), np.int32(2019))).evolution == 2  # type: ignore[arg-type]  # numpy's integers are taken too
    for start, end in ((2019, 2014), (2019, 2019)):
        with pytest.raises(BarometreError, match="le début doit précéder la fin"):
            evolution(results, start, end)
    with pytest.raises(BarometreError, match=r"aucun résultat en 2012 .* : 2014, 2019"):
        evolution(results, 2012, 2019)
    with pytest.raises(BarometreError, match="en 2012 ni en 2020"):
        evolution(results, 2012, 2020)
    for wrong in ("2014", 2014.5, True, None):
        with pytest.raises(BarometreError, match="donner une année entière"):
            evolution(results, wrong, 2019)  # type: ignore[arg-type]  # that is the point


def test_rules_references_and_results_are_checked() -> None:
    results = tidy(("a", 2014, 20.0), ("a", 2019, 22.0))
    with pytest.raises(UnknownNameError, match=r"« recensements » .*« recensement »"):
        evolution(results, 2014, 2019, override="recensements")  # type: ignore[arg-type]  # that is the point
    everything: Any
    for everything in (True, None):
        with pytest.raises(BarometreError, match=f"override={everything} refusé"):
            evolution(results, 2014, 2019, override=everything)
    with pytest.raises(BarometreError, match="référence hors des résultats : « 59 » absent"):
        evolution(results, 2014, 2019, reference="59")
    several: Any = ["a", "b"]
    with pytest.raises(BarometreError, match="une seule référence"):
        evolution(pd.concat([results, results.assign(code="b")]), 2014, 2019, reference=several)
    with pytest.raises(BarometreError, match="tolerance"):
        evolution(results, 2014, 2019, tolerance=5)
    with pytest.raises(FaultsError, match="clés en double"):
        evolution(pd.concat([results, results]), 2014, 2019)


# ---- properties ----------------------------------------------------------------------------------

NUMBERS = st.floats(0.5, 1e6)


@settings(max_examples=25)
@given(NUMBERS, NUMBERS, NUMBERS, st.integers(5, 30))
def test_evolutions_chain(first: float, middle: float, last: float, years: int) -> None:
    """Changes add up, relative ones multiply, and the yearly rate gives the end back."""
    times = [1980, 1980 + years, 1980 + 2 * years]
    results = tidy(*[("a", y, v) for y, v in zip(times, (first, middle, last), strict=True)])
    one = row(evolution(results, times[0], times[1]))
    two_ = row(evolution(results, times[1], times[2]))
    whole = row(evolution(results, times[0], times[2]))
    assert one.evolution + two_.evolution == pytest.approx(whole.evolution, abs=1e-6)
    product = (1 + one.evolution_pct / 100) * (1 + two_.evolution_pct / 100)
    assert product == pytest.approx(1 + whole.evolution_pct / 100, rel=1e-9)
    end = first * (1 + whole.taux_annuel_pct / 100) ** (2 * years)
    assert end == pytest.approx(last, rel=1e-9)
    back = row(evolution(results.assign(annee=[times[2], times[1], times[0]]), times[0], times[2]))
    assert back.evolution == -whole.evolution
