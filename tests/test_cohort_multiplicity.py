"""P-values adjusted within families."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.cohort.inference.multiplicity import METHODS, adjust_pvalues
from tests.conftest import ROOT

GOLDEN = (
    ROOT.parent / "shared" / "golden" / "cohort" / "results" / "bh1995_padjust__R-stats-4.2.2.csv"
)
# No subnormal number: their products have a digit or two.
probabilities = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=12)


@pytest.mark.skipif(not GOLDEN.exists(), reason="another program's outputs are not ours to give")
@pytest.mark.parametrize("method", ["bonferroni", "holm", "hochberg", "hommel", "BH", "BY"])
@pytest.mark.parametrize("order", [1, -1])
def test_r_p_adjust_in_any_order(method: str, order: int) -> None:
    reference = pd.read_csv(GOLDEN).iloc[::order]
    ours = adjust_pvalues(reference["p"].tolist(), method)
    # 1e-12: additions in another order
    np.testing.assert_allclose(ours["p_adjusted"], reference[method], rtol=1e-12)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("holm", [0.03, 0.06, 0.06]),  # 3 x 0.01; 2 x 0.03; max(0.06, 1 x 0.04)
        ("bh", [0.03, 0.04, 0.04]),  # 3 x 0.01; min(3/2 x 0.03, 0.04); 3/3 x 0.04
        ("bonferroni", [0.03, 0.09, 0.12]),
        ("hochberg", [0.03, 0.04, 0.04]),
    ],
)
def test_three_p_values_by_hand(method: str, expected: list[float]) -> None:
    ours = adjust_pvalues([0.01, 0.03, 0.04], method)["p_adjusted"]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)  # rounding of a product


def test_each_family_on_its_own() -> None:
    families = {"emploi": [0.01, 0.04], "santé": [0.02]}
    ours = adjust_pvalues(families, "holm")
    assert ours["family"].tolist() == ["emploi", "emploi", "santé"]
    assert ours["outcome"].tolist() == [1, 2, 1]
    assert ours["p_adjusted"].tolist() == [0.02, 0.04, 0.02]
    assert ours["m"].tolist() == [2, 2, 1]
    assert list(ours.columns) == ["family", "outcome", "p", "p_adjusted", "method", "m"]
    assert ours.meta["n_used"] == 3


LONG = pd.DataFrame(
    {"outcome": list("abc"), "p": [0.01, 0.04, 0.02], "family": [1, 1, 2]}, index=[5, 6, 7]
)


@pytest.mark.parametrize(
    "families",
    [
        LONG,
        LONG.set_index(["family", "outcome"])["p"],
        {1: {"a": 0.01, "b": 0.04}, 2: {"c": 0.02}},
        {1: pd.Series({"a": 0.01, "b": 0.04}), 2: pd.Series({"c": 0.02}, dtype="Float64")},
    ],
)
def test_every_form_says_the_same(families: Any) -> None:
    ours = adjust_pvalues(families)
    assert list(zip(ours["family"], ours["outcome"], ours["p_adjusted"], strict=True)) == [
        (1, "a", 0.02),
        (1, "b", 0.04),
        (2, "c", 0.02),
    ]


@pytest.mark.parametrize(
    "family", [[0.01, 0.04], (0.01, 0.04), np.array([0.01, 0.04]), pd.Series([0.01, 0.04])]
)
def test_one_family_without_name(family: Any) -> None:
    ours = adjust_pvalues(family, "BH")
    assert ours["family"].tolist() == ["unique", "unique"]
    assert ours["p_adjusted"].tolist() == [0.02, 0.04]
    assert ours["outcome"].tolist() == [1, 2]


def test_a_missing_p_is_kept_and_not_counted() -> None:
    ours = adjust_pvalues({"a": [0.01, None, 0.04]})
    assert ours["m"].tolist() == [2, 2, 2]
    np.testing.assert_array_equal(ours["p_adjusted"], [0.02, np.nan, 0.04])
    assert ours.meta["lost"] == {"p manquant": 1}
    assert adjust_pvalues([None, np.nan])["p_adjusted"].isna().all()


@pytest.mark.parametrize("nothing", [{}, [], {"a": []}])
def test_nothing_to_adjust(nothing: Any) -> None:
    ours = adjust_pvalues(nothing)
    assert len(ours) == 0
    assert "p_adjusted" in ours


@settings(max_examples=30)
@given(probabilities, st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_adjusted_p_are_larger_ordered_and_follow_their_p(
    p: list[float], method: str, random: Any
) -> None:
    ours = adjust_pvalues(p, method)["p_adjusted"].to_numpy()
    assert (ours >= np.array(p) - 1e-15).all()  # rounding of p x m / m
    assert (ours <= 1).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(ours[order]) >= -1e-15).all()
    shuffled = list(range(len(p)))
    random.shuffle(shuffled)
    again = adjust_pvalues([p[i] for i in shuffled], method)["p_adjusted"].to_numpy()
    np.testing.assert_allclose(again, ours[shuffled], rtol=1e-12)


@settings(max_examples=30)
@given(probabilities)
def test_benjamini_hochberg_by_its_definition(p: list[float]) -> None:
    """The smallest rate at which the step-up rule of 1995 rejects, by trying ranks one by one."""
    m = len(p)
    expected = [min(min(m * q / sum(r <= q for r in p), 1) for q in p if q >= one) for one in p]
    np.testing.assert_allclose(adjust_pvalues(p, "bh")["p_adjusted"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("families", "method", "said"),
    [
        ([0.2, 1.2], "holm", "1,2"),
        ([-0.1], "holm", "entre 0 et 1"),
        ([0.2], "sidak", "inconnu"),
        ({"a": ["x"]}, "holm", "nombres"),
        ({"a": 0.1, "b": [0.2]}, "holm", "seule"),
        ({"a": "0.1"}, "holm", "nombres"),
        (0.2, "holm", "donner des p-valeurs"),
        (pd.DataFrame({"p": [0.1]}), "holm", "family, outcome"),
        (pd.DataFrame({"family": 1, "outcome": ["a", "a"], "p": 0.1}), "holm", "deux fois"),
        (pd.DataFrame({"family": [None], "outcome": ["a"], "p": 0.1}), "holm", "pas de nom"),
        (np.zeros((2, 2)), "holm", "dimension"),
    ],
)
def test_refusals(families: Any, method: str, said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        adjust_pvalues(families, method)
