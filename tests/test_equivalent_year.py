"""The year when a series had a value: hand-worked series, brute force, what is refused."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.compare.lateness import EquivalentYear, equivalent_year

RISING = {2000: 10.0, 2005: 15.0, 2010: 25.0}
FALLING = {2000: 25.0, 2005: 15.0, 2010: 10.0}


@pytest.mark.parametrize(
    ("value", "series", "year"),
    [
        (10, RISING, 2000),
        (12, RISING, 2002),
        (15, RISING, 2005),
        (20, RISING, 2007.5),
        (25, RISING, 2010),
        (20, FALLING, 2002.5),
        (12, FALLING, 2008),
        (7, {2003: 7.0}, 2003),
    ],
)
def test_interpolation_worked_by_hand(value: float, series: dict[int, float], year: float) -> None:
    found = equivalent_year(value, series)
    assert isinstance(found, EquivalentYear)
    assert found.annee == pytest.approx(year, abs=1e-9)
    assert found.croisements == pytest.approx((year,), abs=1e-9)
    assert found.statut == "dans_la_serie"


@pytest.mark.parametrize(
    ("value", "series", "status", "text"),
    [
        (9, RISING, "avant_la_serie", "avant 2000 (série de 2000 à 2010)"),
        (26, RISING, "apres_la_serie", "après 2010 (série de 2000 à 2010)"),
        (9, FALLING, "apres_la_serie", "après 2010 (série de 2000 à 2010)"),
        (26, FALLING, "avant_la_serie", "avant 2000 (série de 2000 à 2010)"),
        # Never so low, and neither end is the lowest: nothing says when.
        (1, {2000: 10.0, 2005: 2.0, 2010: 12.0}, "hors_de_la_serie", "valeur 1 inférieure à toute"),
        (13, {2000: 10.0, 2005: 2.0, 2010: 12.0}, "apres_la_serie", "après 2010"),
        (9, {2000: 4.0, 2005: 8.0, 2010: 3.0}, "hors_de_la_serie", "valeur 9 supérieure à toute"),
        (1, {2000: 5.0, 2005: 5.0}, "hors_de_la_serie", "valeur 1 inférieure"),
        (6.5, {2000: 5.0}, "hors_de_la_serie", "valeur 6,5 supérieure"),
    ],
)
def test_values_beyond_the_series(
    value: float, series: dict[int, float], status: str, text: str
) -> None:
    found = equivalent_year(value, series)
    assert (found.annee, found.statut, found.croisements) == (None, status, ())
    assert found.texte.startswith(text)


def test_every_crossing_is_given_and_the_latest_is_kept() -> None:
    series = {2000: 10.0, 2002: 14.0, 2004: 8.0, 2008: 16.0}
    found = equivalent_year(12, series)
    assert found.croisements == pytest.approx((2001, 2002 + 2 / 3, 2006))
    assert found.annee == pytest.approx(2006)
    assert found.texte == (
        "valeur de la série en 2006 (la dernière fois ; auparavant : 2001, 2003)"
    )


@pytest.mark.parametrize(
    ("series", "crossings"),
    [
        ({2000: 5.0, 2001: 7.0, 2002: 7.0, 2003: 9.0}, (2001, 2002)),
        ({2000: 5.0, 2001: 7.0, 2002: 7.0, 2003: 7.0, 2004: 9.0}, (2001, 2003)),
        ({2000: 7.0, 2001: 7.0}, (2000, 2001)),
        ({2000: 5.0, 2001: 7.0, 2002: 5.0}, (2001,)),  # touched, not crossed
        ({2000: 7.0, 2001: 9.0, 2002: 7.0}, (2000, 2002)),
        ({2000: 7.0, 2001: 7.0, 2002: 8.0, 2003: 6.0}, (2000, 2001, 2002.5)),
    ],
)
def test_stretches_at_the_value(series: dict[int, float], crossings: tuple[float, ...]) -> None:
    found = equivalent_year(7, series)
    assert found.croisements == pytest.approx(crossings)
    assert found.annee == crossings[-1]


def test_gaps_and_disorder_change_nothing() -> None:
    whole = pd.Series({2010: 25.0, 2000: 10.0, 2007: math.nan, 2005: 15.0, 1990: math.nan})
    for series in (whole, whole.astype("Float64"), whole.to_dict(), {**RISING, 2007: None}):
        assert equivalent_year(20, series) == equivalent_year(20, RISING)  # type: ignore[arg-type]  # other forms of a series or of a value
    before = whole.copy()
    equivalent_year(20, whole)
    pd.testing.assert_series_equal(whole, before)


def test_a_printed_value_is_met_whatever_the_binary_rounding() -> None:
    found = equivalent_year(0.1 + 0.2, {2000: 0.1, 2003: 0.3})
    assert (found.annee, found.statut) == (2003, "dans_la_serie")
    assert equivalent_year(0.3 - 1e-6, {2000: 0.1, 2003: 0.3}).annee < 2003  # type: ignore[operator]  # found, hence not None


@pytest.mark.parametrize(("value", "printed"), [(12.4, "2002"), (12.5, "2003"), (12.6, "2003")])
def test_the_year_is_printed_half_up(value: float, printed: str) -> None:
    """Halfway between 2002 and 2003 is 2003, as all figures of the contract are rounded."""
    assert equivalent_year(value, RISING).texte == f"valeur de la série en {printed}"


def test_several_values_make_a_table() -> None:
    values = pd.Series({"59172": 12.0, "59484": 9.0, "59491": math.nan})
    for given_ in (values, values.to_dict()):
        found = equivalent_year(given_, RISING)  # type: ignore[arg-type]  # other forms of a series or of a value
        assert list(found) == ["code", "valeur", "annee", "statut", "croisements", "texte"]
        assert found["code"].tolist() == ["59172", "59484", "59491"]
        assert found["annee"].tolist() == pytest.approx([2002, math.nan, math.nan], nan_ok=True)
        assert found["statut"].tolist() == ["dans_la_serie", "avant_la_serie", "valeur_absente"]
        assert found["croisements"].tolist() == [(2002.0,), (), ()]
    assert equivalent_year(values.iloc[:0], RISING).empty
    assert equivalent_year(math.nan, RISING) == EquivalentYear(
        None, "valeur_absente", (), "valeur absente"
    )


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ({}, "aucune année n'a de valeur"),
        ({2000: math.nan}, "aucune année n'a de valeur"),
        (pd.Series([1.0, 2.0], index=[2000, 2000]), "2000 y est deux fois"),
        (pd.Series([1.0], index=["2000"]), "'2000' n'est pas une année"),
        (pd.Series([1.0], index=[2000.5]), "n'est pas une année entière"),
        (pd.Series([1.0], index=pd.to_datetime(["2000-01-01"])), "n'est pas une année entière"),
        ({2000: math.inf}, "nombre fini"),
        ({2000: "dix"}, "donner un nombre"),
        ([1.0, 2.0], "par année"),
    ],
)
def test_wrong_series_are_refused(series: Any, said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        equivalent_year(12, series)


@pytest.mark.parametrize("value", [math.inf, "12", True, [1, 2]])
def test_wrong_values_are_refused(value: Any) -> None:
    with pytest.raises(BarometreError, match="donner un nombre"):
        equivalent_year(value, RISING)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.integers(-1, 7))
def test_crossings_are_those_of_a_fine_walk_along_the_line(levels: list[int], value: int) -> None:
    """Years are 60 steps apart: every crossing of a line of slope 1 to 6 falls on a step."""
    years = range(2000, 2000 + len(levels))
    steps = 60
    fine = [
        a * (steps - k) + b * k
        for a, b in itertools.pairwise(levels)
        for k in range(steps)
    ] + [levels[-1] * steps]  # fmt: skip
    at = [i for i, level in enumerate(fine) if level == value * steps]
    ends = [i for i in at if not (i - 1 in at and i + 1 in at)]
    found = equivalent_year(value, dict(zip(years, map(float, levels), strict=True)))
    expected = [2000 + i / steps for i in ends]
    assert found.croisements == pytest.approx(tuple(expected))
    assert (found.annee is None) == (not expected)
    assert (found.statut == "dans_la_serie") == bool(expected)


@given(st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=2, max_size=12), st.floats(0, 1))
def test_the_line_has_the_value_in_every_year_found(known: list[float], where: float) -> None:
    years = np.arange(2000, 2000 + len(known))
    value = min(known) + where * (max(known) - min(known))
    found = equivalent_year(value, pd.Series(known, index=years))
    assert found.croisements
    for year in found.croisements:
        assert np.interp(year, years, known) == pytest.approx(value, rel=1e-6, abs=1e-6)
