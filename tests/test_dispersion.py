"""The two measures of dispersion: closed forms, invariances, replication of units, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from barometre.base.errors import BarometreError
from barometre.compare.dispersion import TheilParts, theil, weighted_cv

# Values of a barometer: no two of them further apart than a factor of 10**7.
VALUES = st.floats(0.01, 1e5)
# Sums of about ten positive terms, each rounded a few times to 2**-53.
CLOSE = 1e-12


@st.composite
def zones(draw: st.DrawFn, low: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    number = draw(st.integers(low, 8))
    values = draw(st.lists(VALUES | st.just(0.0), min_size=number, max_size=number).filter(any))
    weights = draw(st.lists(st.integers(0, 9), min_size=number, max_size=number).filter(any))
    groups = draw(st.lists(st.sampled_from("ABC"), min_size=number, max_size=number))
    return np.array(values), np.array(weights), np.array(groups)


# ---- closed forms -------------------------------------------------------------------------------


def test_the_coefficient_of_variation_of_two_halves() -> None:
    assert weighted_cv([10, 30]) == 0.5
    assert weighted_cv([0, 1]) == 1.0
    assert weighted_cv([10, 30], [1, 3]) == pytest.approx(math.sqrt(75) / 25, rel=CLOSE)


@given(st.floats(0.01, 0.99))
def test_a_share_p_of_ones_among_zeros(p: float) -> None:
    """Mean p, variance p (1 - p); all of the total in a share p of the population: ln 1/p."""
    assert weighted_cv([1, 0], [p, 1 - p]) == pytest.approx(math.sqrt((1 - p) / p), rel=CLOSE)
    assert theil([1, 0], [p, 1 - p]) == pytest.approx(-math.log(p), rel=CLOSE, abs=1e-15)


def test_theil_of_two_halves() -> None:
    expected = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    assert theil([10, 30]) == pytest.approx(expected, rel=CLOSE)


def test_theil_is_half_the_squared_cv_when_values_are_close() -> None:
    """The reason for the two default thresholds, 0.2 and 0.02, to mean the same."""
    values = 100 + np.array([-1.0, 0.5, 0.5, 1.0, -1.0])
    # third order: the ratio differs by a third of the skewness times the cv, here under 1 %
    assert theil(values) == pytest.approx(weighted_cv(values) ** 2 / 2, rel=0.01)


def test_a_rate_and_its_complement_have_the_same_deviation_only() -> None:
    rate = np.array([5.0, 10.0, 15.0])
    assert weighted_cv(rate) * 10 == pytest.approx(weighted_cv(100 - rate) * 90, rel=CLOSE)


def test_weights_by_label_whatever_their_order() -> None:
    values = pd.Series({"A": 10.0, "B": 30.0})
    weights: Any = {"B": 1, "A": 3}
    labels: Any = {"B": "b", "A": "a"}
    assert weighted_cv(values, weights) == weighted_cv([10, 30], [3, 1])
    parts = theil(values, weights, labels)
    assert parts.total == theil([10, 30], [3, 1])
    assert parts.groups["poids"].to_dict() == {"a": 0.75, "b": 0.25}


# ---- other programs, brute force ----------------------------------------------------------------


@given(zones())
def test_the_cv_is_that_of_scipy_and_statsmodels(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    values, weights, _ = drawn
    described = DescrStatsW(values, weights)
    if described.mean == 0:
        assert math.isnan(weighted_cv(values, weights))
        return
    # their variance subtracts rounded means: its error is of 1e-16 of the squares
    assert weighted_cv(values, weights) == pytest.approx(
        described.std / described.mean, rel=1e-9, abs=1e-7
    )
    assert weighted_cv(values) == pytest.approx(stats.variation(values), rel=CLOSE, abs=1e-15)


@given(zones())
def test_a_weight_is_that_many_units(drawn: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    values, weights, groups = drawn
    units, members = np.repeat(values, weights), np.repeat(groups, weights)
    cv, alone = weighted_cv(values, weights), weighted_cv(units)
    assert cv == pytest.approx(alone, rel=CLOSE, abs=1e-15, nan_ok=True)
    whole, repeated = theil(values, weights, groups), theil(units, groups=members)
    for name in ("total", "between", "within"):
        assert getattr(whole, name) == pytest.approx(
            getattr(repeated, name), rel=1e-9, abs=CLOSE, nan_ok=True
        )


def brute_theil(values: np.ndarray) -> float:
    """The definition over units, logarithm by logarithm."""
    mean = math.fsum(values) / len(values)
    return math.fsum(v / mean * math.log(v / mean) for v in values if v > 0) / len(values)


@given(zones())
def test_theil_is_its_definition(drawn: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    values, _, _ = drawn
    # the definition adds terms of both signs: its error is absolute
    assert theil(values) == pytest.approx(brute_theil(values), rel=1e-9, abs=1e-14)
    assert theil(values) == pytest.approx(
        float(stats.entropy(values, np.ones(len(values)))), rel=1e-9, abs=1e-14
    )


@given(zones())
def test_the_parts_of_theil_are_their_definitions(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    values, _, groups = drawn
    parts = theil(values, groups=groups)
    assert sorted(parts.groups.index) == sorted(set(groups))
    for name, row in parts.groups.iterrows():
        inside = values[groups == name]
        share = inside.sum() / values.sum()
        assert row["poids"] == pytest.approx(len(inside) / len(values))
        assert row["moyenne"] == pytest.approx(inside.mean())
        if share > 0:
            ratio = share / (len(inside) / len(values))
            assert row["inter"] == pytest.approx(share * math.log(ratio), rel=1e-9, abs=CLOSE)
            assert row["theil"] == pytest.approx(brute_theil(inside), rel=1e-9, abs=1e-14)
            assert row["intra"] == pytest.approx(share * row["theil"], rel=1e-9, abs=CLOSE)
        else:
            assert (row["inter"], row["intra"]) == (0, 0)
            assert math.isnan(row["theil"])


# ---- properties ---------------------------------------------------------------------------------


@given(zones())
def test_within_and_between_make_the_whole(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    values, weights, groups = drawn
    parts = theil(values, weights, groups)
    assert parts.total == pytest.approx(theil(values, weights), nan_ok=True, rel=0, abs=0)
    assert parts.between + parts.within == pytest.approx(
        parts.total, rel=CLOSE, abs=1e-15, nan_ok=True
    )
    assert parts.groups["inter"].sum(skipna=False) == pytest.approx(
        parts.between, rel=1e-9, abs=CLOSE, nan_ok=True
    )
    assert parts.groups["intra"].sum(skipna=False) == pytest.approx(
        parts.within, rel=CLOSE, abs=1e-15, nan_ok=True
    )
    assert not parts.between < 0
    assert not parts.within < 0


@given(zones(), st.floats(1e-6, 1e6))
def test_the_unit_does_not_matter(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray], scale: float
) -> None:
    values, weights, _ = drawn
    for measure in (weighted_cv, theil):
        expected = measure(values, weights)
        assert measure(values * scale, weights) == pytest.approx(
            expected, rel=1e-9, abs=1e-14, nan_ok=True
        )
        assert measure(values, weights * scale) == pytest.approx(
            expected, rel=CLOSE, abs=1e-15, nan_ok=True
        )
    negated = weighted_cv(-values, weights)
    assert negated == pytest.approx(weighted_cv(values, weights), rel=CLOSE, nan_ok=True)


@given(zones(low=2), st.randoms(use_true_random=False))
def test_the_order_does_not_matter(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray], random: Any
) -> None:
    values, weights, _ = drawn
    order = list(range(len(values)))
    random.shuffle(order)
    for measure in (weighted_cv, theil):
        assert measure(values[order], weights[order]) == pytest.approx(
            measure(values, weights), rel=CLOSE, abs=1e-15, nan_ok=True
        )


@given(zones())
def test_bounds(drawn: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    values, weights, _ = drawn
    least = weights[weights > 0].min() / weights.sum()
    index, cv = theil(values, weights), weighted_cv(values, weights)
    if not math.isnan(index):
        assert 0 <= index <= -math.log(least) + 1e-12
        assert 0 <= cv <= math.sqrt(1 / least - 1) + 1e-9  # all in the smallest zone
    assert math.isnan(index) == math.isnan(cv)


@settings(max_examples=30)
@given(VALUES, st.lists(st.integers(1, 1000), min_size=1, max_size=6))
def test_equal_values_have_no_dispersion(value: float, weights: list[int]) -> None:
    values = [value] * len(weights)
    assert weighted_cv(values, weights) == 0
    assert theil(values, weights) == 0


def test_giving_to_the_poorest_lowers_both() -> None:
    before, after = [10.0, 20, 60], [15.0, 20, 55]
    assert theil(after) < theil(before)
    assert weighted_cv(after) < weighted_cv(before)


# ---- edges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[], [float("nan")], [0, 0], [None, None]])
def test_nothing_to_be_relative_to(values: Any) -> None:
    assert math.isnan(weighted_cv(values))
    assert math.isnan(theil(values))
    parts = theil(values, groups=["A"] * len(values))
    assert isinstance(parts, TheilParts)
    assert math.isnan(parts.total)
    assert math.isnan(parts.between)
    assert math.isnan(parts.within)


def test_a_mean_of_zero_up_to_binary_rounding_is_zero() -> None:
    assert sum([0.1, 0.2, -0.3]) != 0
    assert math.isnan(weighted_cv([0.1, 0.2, -0.3]))
    assert math.isnan(weighted_cv([-5, 5]))
    assert weighted_cv([-1, 3]) == 2


def test_missing_values_leave_with_their_weight() -> None:
    nothing: Any = None
    assert weighted_cv([10, nothing, 30], [1, 50, 1]) == 0.5
    assert theil([10, float("nan"), 30], [1, 50, 1]) == theil([10, 30])
    values = pd.Series([10, pd.NA, 30], dtype="Int64")
    parts = theil(values, [1, 50, 1], groups=["A", "B", "A"])
    assert parts.between == 0
    assert parts.groups.index.tolist() == ["A"]


def test_large_values_do_not_overflow() -> None:
    assert weighted_cv([1e300, 3e300]) == 0.5
    assert theil([1e300, 3e300]) == pytest.approx(theil([1, 3]), rel=CLOSE)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "Float64", "bool", "boolean"])
def test_any_numeric_type(dtype: Any) -> None:
    values = pd.Series([1, 0, 1, 0]).astype(dtype)
    assert weighted_cv(values) == 1
    assert theil(values.tolist()) == pytest.approx(math.log(2), rel=CLOSE)
    assert weighted_cv(values, values) == 0


def test_series_are_matched_by_label() -> None:
    values = pd.Series([10.0, 30], index=["59172", "59651"])
    weights = pd.Series([3, 1, 9], index=["59651", "59172", "59002"])
    assert weighted_cv(values, weights[:2]) == weighted_cv([10, 30], [1, 3])
    groups = pd.Series(["A", "B"], index=["59651", "59172"])
    assert theil(values, weights[:2], groups).groups.loc["A", "moyenne"] == 30


@pytest.mark.parametrize(
    ("values", "weights", "groups", "said"),
    [
        ([1, 2], [1], None, "weights : 1 au lieu de 2"),
        ([1, 2], [1, -1], None, "−1 ; donner des nombres finis ≥ 0"),
        ([1, 2], [1, None], None, "1 manquant"),
        ([1, 2], [0, 0], None, "tous nuls"),
        ([1, float("inf")], [1, 1], None, "∞ ; donner des nombres finis"),
        (["1", "2"], [1, 1], None, "des nombres sont attendus"),
        ([1, 2], ["a", "b"], None, "des nombres sont attendus"),
        ([1, 2], [1, 1], ["A", None], "groups refusé : 1 manquant"),
        ([1, 2], [1, 1], ["A"], "groups : 1 au lieu de 2"),
        ([[1, 2], [3, 4]], [1, 1], None, "un nombre par zone"),
        (12, [1], None, "un nombre par zone"),
        ([1, -2], [1, 1], None, r"1 valeur négative \(−2\)"),
    ],
)
def test_what_is_refused(values: Any, weights: Any, groups: Any, said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        theil(values, weights, groups)


def test_series_with_other_labels_are_refused() -> None:
    values = pd.Series([1.0, 2], index=["A", "B"])
    with pytest.raises(BarometreError, match="étiquettes autres"):
        weighted_cv(values, pd.Series([1.0, 2], index=["A", "C"]))
    with pytest.raises(BarometreError, match="étiquettes autres"):
        weighted_cv(values, pd.Series([1.0, 2]))


def test_the_inputs_are_left_as_they_are() -> None:
    values, weights = pd.Series([10.0, None, 30]), pd.Series([1.0, 2, 3])
    kept = values.copy(), weights.copy()
    theil(values, weights, ["A", "B", "A"])
    pd.testing.assert_series_equal(values, kept[0])
    pd.testing.assert_series_equal(weights, kept[1])
