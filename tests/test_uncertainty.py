"""Intervals of shares and display grades: published figures, statsmodels, brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import hypergeom, norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.engine.results import displayed
from barometre.engine.sampling import (
    SurveyDesign,
    effective_size,
    grade,
    newcombe,
    normal_quantile,
    sampling_fraction,
    stratified_wilson,
    wilson,
)
from tests.test_compare import tidy

Z = 1.959963984540054
TINY = 1e-13  # a fraction so small that the population is infinite to the 12th digit

shares = st.floats(0, 1)
sizes = st.floats(1, 1e6)
fractions = st.floats(0.01, 1)
deffs = st.floats(0.5, 5)


def infinite(count: float, size: float) -> tuple[Any, Any]:
    """The plain Wilson interval: an infinite population, no design effect."""
    return wilson(count / size, size / TINY, fraction=TINY, deff=1)


# ---- sampling -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("population", "processing", "year", "expected"),
    [
        (9_999, "principale", 2021, 1.0),
        (10_000, "principale", 2021, 0.4),
        (9_999, "complementaire", 2021, 0.2),
        (9_999, "complementaire", 2014, 0.2),
        (9_999, "complementaire", 2013, 0.25),
        (10_000, "complementaire", 2013, 0.4),
        (np.nan, "principale", 2021, np.nan),
        (0, "principale", 2021, 1.0),
    ],
)
def test_sampling_fraction(population: float, processing: Any, year: int, expected: float) -> None:
    found = sampling_fraction(population, processing, year)
    assert found == expected or (np.isnan(found) and np.isnan(expected))
    assert sampling_fraction(pd.Series([population] * 2), processing, year).shape == (2,)


def test_sampling_fraction_refuses() -> None:
    with pytest.raises(UnknownNameError, match="exploitation"):
        sampling_fraction(100, "exhaustif", 2021)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(BarometreError, match="population refusé : −1"):
        sampling_fraction(-1, "principale", 2021)


def test_the_quantile_of_the_normal_law_is_that_of_scipy() -> None:
    for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.9999):
        # AS 241 is good to 16 digits
        assert normal_quantile(level) == pytest.approx(norm.ppf((1 + level) / 2), rel=1e-14)


# ---- wilson -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "fraction", "deff", "low", "high"),
    [
        (3000, 0.2, 1.5, 26.1, 34.2),
        (400, 0.2, 1.5, 20.3, 41.8),
        (150, 0.2, 1.5, 15.7, 49.6),
        (8000, 0.4, 2.0, 28.3, 31.8),
    ],
)
def test_the_check_values_of_the_domain_notes(
    n: float, fraction: float, deff: float, low: float, high: float
) -> None:
    found = wilson(0.30, n, fraction=fraction, deff=deff)
    assert [round(100 * float(limit), 1) for limit in found] == [low, high]
    assert effective_size(3000, fraction=0.2, deff=1.5) == 400


@pytest.mark.parametrize(
    ("count", "size", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(count: float, size: float, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3."""
    assert [round(float(limit), 4) for limit in infinite(count, size)] == [low, high]


@given(shares, sizes, st.floats(0.01, 0.999), deffs, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_that_of_statsmodels(
    share: float, n: float, fraction: float, deff: float, level: float
) -> None:
    """The finite population enters as a smaller quantile: the level that has it is given."""
    size = fraction * n / deff
    quantile = norm.ppf((1 + level) / 2) * np.sqrt(1 - fraction)
    theirs = proportion_confint(share * size, size, alpha=2 * norm.sf(quantile), method="wilson")
    ours = wilson(share, n, fraction=fraction, deff=deff, level=level)
    assert [*ours] == pytest.approx([*theirs], abs=1e-9)  # their alpha loses digits near 1


@given(shares, sizes, fractions, deffs)
def test_wilson_holds_the_share_within_0_and_1(
    share: float, n: float, fraction: float, deff: float
) -> None:
    low, high = wilson(share, n, fraction=fraction, deff=deff)
    assert 0 <= low <= share <= high <= 1
    mirrored = wilson(1 - share, n, fraction=fraction, deff=deff)
    assert [1 - mirrored.high, 1 - mirrored.low] == pytest.approx([low, high], abs=1e-12)
    wider = wilson(share, n, fraction=fraction / 2, deff=deff)
    assert wider.low <= low + 1e-12
    assert wider.high >= high - 1e-12


@given(shares, sizes, deffs)
def test_everyone_asked_leaves_no_width(share: float, n: float, deff: float) -> None:
    assert [*wilson(share, n, fraction=1, deff=deff)] == [share, share]


def test_wilson_covers_draws_without_replacement() -> None:
    """Exact coverage over all populations of 200, 80 being asked: near the level, on average."""
    size, asked = 200, 80
    low, high = wilson(np.arange(asked + 1) / asked, size, fraction=asked / size, deff=1)
    coverage = []
    for having in range(5, size - 4):
        held = (low <= having / size) & (having / size <= high)
        coverage.append(hypergeom(size, having, asked).pmf(np.arange(asked + 1))[held].sum())
    # Wilson's coverage oscillates around the level; its mean does not leave it by a point.
    assert np.mean(coverage) == pytest.approx(0.95, abs=0.01)


def test_missing_arguments_give_missing_limits() -> None:
    nan = np.nan
    low, high = wilson([0.5, nan, 0.5, 0.5], [100, 100, nan, 0], fraction=0.4, deff=2)
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [False, True, True, True]
    assert np.isnan(wilson(0.5, 100, fraction=nan, deff=2).low)


@pytest.mark.parametrize(
    "given",
    [
        [0.25, 0.5],
        (0.25, 0.5),
        np.array([0.25, 0.5], dtype=np.float32),
        pd.Series([0.25, 0.5], dtype="Float64"),
        pd.Series([0.25, 0.5], dtype=object),
        pd.Series([0.25, 0.5], index=["a", "b"]),
    ],
    ids=lambda given: f"{type(given).__name__} {getattr(given, 'dtype', '')}",
)
def test_what_people_pass(given: Any) -> None:
    low, _ = wilson(given, 400, fraction=0.2, deff=1.5)
    assert isinstance(low, np.ndarray)
    assert low.tolist() == [float(wilson(p, 400, fraction=0.2, deff=1.5).low) for p in (0.25, 0.5)]
    assert wilson(True, pd.Series([4], dtype="Int64"), fraction=1, deff=1).low == [1.0]


def test_a_missing_nullable_number_is_missing() -> None:
    given = pd.Series([pd.NA, 0.5], dtype="Float64")
    assert np.isnan(wilson(given, 400, fraction=0.2, deff=1.5).low).tolist() == [True, False]
    assert np.isnan(wilson([None, 0.5], 400, fraction=0.2, deff=1.5).low).tolist() == [True, False]  # type: ignore[list-item]  # None is taken as missing
    assert wilson([], [], fraction=0.2, deff=1.5).low.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 1.5}, "share refusé : 1.5 ; une part est entre 0 et 1"),
        ({"share": 30}, "une part est entre 0 et 1"),
        ({"share": -0.1}, "share refusé : −0,1 ; donner des nombres finis ≥ 0"),
        ({"share": "0.5"}, "share refusé : des nombres sont attendus"),
        ({"share": ["a", "b"]}, "share refusé : des nombres sont attendus"),
        ({"n": -5}, "n refusé : −5"),
        ({"n": np.inf}, "n refusé : ∞"),
        ({"fraction": 0}, "fraction refusé : 0 ; donner des nombres finis > 0"),
        ({"fraction": 1.2}, "fraction refusé : 1.2"),
        ({"deff": 0}, "deff refusé : 0"),
        ({"level": 95}, "level refusé : 95"),
        ({"level": 0}, "level refusé"),
        ({"level": np.nan}, "level refusé"),
        ({"level": "95 %"}, "level refusé"),
        ({"share": [0.1, 0.2], "n": [1, 2, 3]}, "longueurs ou index différents"),
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"share": 0.5, "n": 100, "fraction": 0.4, "deff": 2.0}
    with pytest.raises(BarometreError, match=message):
        wilson(**(usual | arguments))


def test_series_on_other_indexes_are_refused() -> None:
    share, n = pd.Series([0.1, 0.2], index=["a", "b"]), pd.Series([50, 60], index=["b", "a"])
    with pytest.raises(BarometreError, match="index différents"):
        wilson(share, n, fraction=1, deff=1)


def test_design_refuses_what_cannot_be() -> None:
    assert SurveyDesign() == SurveyDesign(deff_households=1.5, deff_persons=2.0, level=0.95)
    wrong: list[dict[str, float]] = [{"deff_households": 0}, {"deff_persons": -1}, {"level": 1}]
    for arguments in wrong:
        with pytest.raises(BarometreError, match="refusé"):
            SurveyDesign(**arguments)


# ---- strata -------------------------------------------------------------------------------------


@given(shares, sizes, fractions, deffs)
def test_one_stratum_is_wilson(share: float, n: float, fraction: float, deff: float) -> None:
    p, interval = stratified_wilson([share], [n], fraction=[fraction], deff=deff)
    assert p == pytest.approx(share, rel=1e-12)
    # the share is n * share / n, whose last digits a square root doubles near 0 and 1
    assert [*interval] == pytest.approx(
        [*wilson(share, n, fraction=fraction, deff=deff)], rel=1e-9, abs=1e-9
    )


strata = st.lists(st.tuples(st.floats(0.01, 0.99), sizes, fractions), min_size=1, max_size=5)


@settings(max_examples=50)
@given(strata, deffs, st.randoms(use_true_random=False))
def test_strata_solve_the_score_equation(
    drawn: list[tuple[float, float, float]], deff: float, shuffle: Any
) -> None:
    """The formula of the notes, term by term, and its score equation solved numerically."""
    total = sum(n for _, n, _ in drawn)
    p = sum(n * share for share, n, _ in drawn) / total
    variance = sum((n / total) ** 2 * (1 - f) * q * (1 - q) * deff / (f * n) for q, n, f in drawn)
    share, (low, high) = stratified_wilson(
        *zip(*[d[:2] for d in drawn], strict=True), fraction=[d[2] for d in drawn], deff=deff
    )
    assert share == pytest.approx(p, rel=1e-12)

    def rejects(other: float) -> float:
        return float((p - other) ** 2 - Z**2 * variance / (p * (1 - p)) * other * (1 - other))

    if variance > 1e-12:
        assert low == pytest.approx(brentq(rejects, 0, p, xtol=1e-14), abs=1e-9)
        assert high == pytest.approx(brentq(rejects, p, 1, xtol=1e-14), abs=1e-9)
    shuffle.shuffle(drawn)
    again = stratified_wilson(
        [d[0] for d in drawn], [d[1] for d in drawn], fraction=[d[2] for d in drawn], deff=deff
    )
    assert [again[0], *again[1]] == pytest.approx([share, low, high], abs=1e-9)


def test_strata_surveyed_whole_leave_no_width() -> None:
    share, (low, high) = stratified_wilson([0.1, 0.3], [50, 150], fraction=1, deff=2)
    assert low == high == share == 0.25


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_a_share_of_0_or_1_in_every_stratum(end: float) -> None:
    """Two alike strata then inform as one of the same total, and no limit is a point."""
    _, interval = stratified_wilson([end, end], [400, 600], fraction=0.2, deff=1.5)
    one = wilson(end, 1000, fraction=0.2, deff=1.5)
    assert [*interval] == pytest.approx([*one], abs=1e-12)
    assert interval.high - interval.low > 0.01


def test_missing_and_empty_strata() -> None:
    nan = np.nan
    whole = stratified_wilson([0.2, 0.4], [100, 100], fraction=0.2, deff=1)
    assert (
        stratified_wilson([0.2, nan, 0.4], [100, 0, 100], fraction=[0.2, nan, 0.2], deff=1) == whole
    )
    share, (low, high) = stratified_wilson([0.2, nan], [100, 100], fraction=0.2, deff=1)
    assert np.isnan(np.array([share, low, high], dtype=float)).all()
    share, (low, high) = stratified_wilson([0.2, 0.4], [100, 100], fraction=[0.2, nan], deff=1)
    assert share == pytest.approx(0.3)
    assert np.isnan([low, high]).all()
    for nobody in ([], [0, 0]):
        share, (low, high) = stratified_wilson([nan] * len(nobody), nobody, fraction=0.2, deff=1)
        assert np.isnan(np.array([share, low, high], dtype=float)).all()


# ---- differences --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_newcombe_as_published(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10."""
    found = newcombe(
        *infinite(*first), first[0] / first[1], *infinite(*second), second[0] / second[1]
    )
    assert [round(float(limit), 4) for limit in found] == [low, high]


@settings(max_examples=50)
@given(st.integers(0, 40), st.integers(0, 60))
def test_newcombe_is_that_of_statsmodels(one: int, two: int) -> None:
    theirs = confint_proportions_2indep(one, 40, two, 60, method="newcomb", compare="diff")
    ours = newcombe(*infinite(one, 40), one / 40, *infinite(two, 60), two / 60)
    assert [*ours] == pytest.approx([*theirs], abs=1e-9)
    turned = newcombe(*infinite(two, 60), two / 60, *infinite(one, 40), one / 40)
    assert [-turned.high, -turned.low] == pytest.approx([*ours], abs=1e-12)
    assert ours.low <= one / 40 - two / 60 <= ours.high


def test_newcombe_of_missing_and_misplaced_values() -> None:
    assert np.isnan(newcombe(0.1, 0.3, 0.2, np.nan, np.nan, np.nan).low)
    with pytest.raises(BarometreError, match="hors de son intervalle"):
        newcombe(0.1, 0.2, 0.3, 0.1, 0.3, 0.2)


# ---- grades -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("half", "n_eff", "numerator", "denominator", "expected"),
    [
        (0, 500, 100, 400, "A"),
        (3, 500, 100, 400, "A"),
        (3.01, 500, 100, 400, "B"),
        (7, 500, 100, 400, "B"),
        (7.01, 500, 100, 400, "C"),
        (1, 99.9, 100, 400, "C"),
        (1, 100, 100, 400, "A"),
        (1, 500, 100, 49.9, "D"),
        (1, 500, 100, 50, "A"),
        (1, 500, 4.9, 400, "D"),
        (1, 500, 5, 400, "A"),
        (20, 10, 2, 20, "D"),
        (np.nan, 500, 100, 400, None),
        (np.nan, 50, 100, 400, None),
        (np.nan, np.nan, 2, 400, "D"),
        (2, np.nan, np.nan, np.nan, "A"),
    ],
)
def test_grades(
    half: float, n_eff: float, numerator: float, denominator: float, expected: Any
) -> None:
    found = grade(half, n_eff=n_eff, numerator=numerator, denominator=denominator)
    assert found == expected


def test_grades_of_many_and_of_none() -> None:
    assert grade([1, 5, 9]).tolist() == ["A", "B", "C"]
    assert grade([]).tolist() == []
    with pytest.raises(BarometreError, match="half_width"):
        grade(-1)


def test_only_values_of_grade_d_are_not_shown() -> None:
    rows: list[dict[str, Any]] = [
        {"code": "a", "valeur": 2.0, "qualite": "A"},
        {"code": "b", "valeur": 3.0, "qualite": "D", "borne_inf": 1.0, "borne_sup": 9.0},
        {"code": "c", "valeur": 4.0, "qualite": "D", "note": "vu ailleurs"},
        {"code": "d", "qualite": "D", "statut": "secret"},
    ]
    results = tidy(rows)
    shown = displayed(results).set_index("code")
    assert shown["valeur"].dropna().to_dict() == {"a": 2.0}
    assert shown[["borne_inf", "borne_sup"]].isna().all(axis=None)
    assert shown["statut"].tolist() == ["ok", "non_disponible", "non_disponible", "secret"]
    assert shown["note"]["c"].startswith("vu ailleurs ; ")
    pd.testing.assert_frame_equal(results, tidy(rows))  # the files keep every value
