"""Consumption units, living standards and poverty lines, against Insee's published lines."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError

COUPLE, LONE_PARENT = bcs.Household(2), bcs.Household(1, 1)
# Household, consumption units, line of 2007 (contract's sources, quoted in the domain notes).
LINES_2007 = [
    ((1, 0), 1.0, 908), ((2, 0), 1.5, 1362), ((1, 1), 1.3, 1181), ((2, 1), 1.8, 1635),
    ((3, 0), 2.0, 1817), ((2, 2), 2.1, 1907), ((4, 0), 2.5, 2271),
]  # fmt: skip


def test_the_four_lines_of_2020_published_by_the_contract() -> None:
    printed = bcs.datasets.load("seuils_pauvrete_2020").frame
    households = {
        "personne_seule": (1, 0),
        "couple_sans_enfant": (2, 0),
        "monoparent_1_enfant_moins_14_ans": (1, 1),
        "couple_2_enfants_moins_14_ans": (2, 2),
    }
    assert len(printed) == 4
    for name, line in zip(
        printed["type_menage"], printed["seuil_pauvrete_mensuel_2020_eur"], strict=True
    ):
        assert bcs.poverty_line(households[name]) == line
        for threshold in (1119.667, 1119.7, 1119.7619):
            assert bcs.poverty_line(households[name], threshold) == line


@pytest.mark.parametrize(("household", "units", "line"), LINES_2007)
def test_the_lines_of_2007(household: tuple[int, int], units: float, line: int) -> None:
    assert bcs.consumption_units(*household) == units
    assert bcs.poverty_line(household, year=2007) == line
    assert bcs.poverty_line(household, 908.29) == line


def test_the_rounded_line_must_not_be_multiplied() -> None:
    assert bcs.poverty_line((2, 2), 1120) == 2352
    assert bcs.poverty_line((2, 2)) == 2351


def test_thresholds_outside_the_interval_fail_some_line() -> None:
    for threshold in (1119.66, 1119.763):
        lines = [bcs.poverty_line(h, threshold) for h in ((1, 0), (2, 0), (1, 1), (2, 2))]
        assert lines != [1120, 1680, 1456, 2351]


def test_a_line_that_the_published_ones_do_not_settle_is_told() -> None:
    with pytest.warns(UserWarning, match="à un euro près"):
        assert bcs.poverty_line((2, 1)) in (2015, 2016)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bcs.poverty_line((2, 2))


def test_shapes() -> None:
    adults = pd.Series([1.0, 2.0, np.nan], index=["a", "b", "c"])
    units = bcs.consumption_units(adults, pd.Series([0.0, 3.0, 1.0], index=["a", "b", "c"]))
    assert units.round(9).tolist()[:2] == [1.0, 2.4]
    assert np.isnan(units["c"])
    incomes = pd.Series([12_000.0, 24_000.0, 1.0], index=["a", "b", "c"])
    living = bcs.equivalised_income(incomes, adults, 0)
    assert living.tolist()[:2] == [12_000.0, 16_000.0]
    assert bcs.consumption_units(np.array([1.0, 2.0])).tolist() == [1.0, 1.5]
    assert bcs.equivalised_income(-600.0, 1) == -600.0
    assert bcs.poverty_line(COUPLE) == 1680
    assert bcs.poverty_line(LONE_PARENT) == 1456


@pytest.mark.parametrize(("adults", "children"), [(0, 2), (-1, 0), (1, -1), (1.5, 0)])
def test_impossible_households(adults: float, children: float) -> None:
    with pytest.raises(BarometreError):
        bcs.consumption_units(adults, children)
    with pytest.raises(BarometreError):  # one among others is enough
        bcs.consumption_units(np.array([2.0, adults]), np.array([0.0, children]))


@pytest.mark.parametrize("threshold", [0.0, -5.0, float("nan"), float("inf")])
def test_impossible_thresholds(threshold: float) -> None:
    with pytest.raises(BarometreError, match="un montant mensuel positif"):
        bcs.poverty_line(1, threshold)


def test_a_year_without_line_says_which_are_known() -> None:
    with pytest.raises(BarometreError, match="connus : 2007, 2020"):
        bcs.poverty_line(1, year=2023)


@given(st.integers(1, 12), st.integers(0, 12))
def test_the_scale_against_its_definition(adults: int, children: int) -> None:
    expected = 1 + 0.5 * (adults - 1) + 0.3 * children
    assert bcs.consumption_units(adults, children) == pytest.approx(expected, rel=1e-15)
