"""The audit of an index: each statistic against a closed form, another program or brute force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from barometre.composite import Index, Leaf, Node, audit
from barometre.composite.robust.audit_checks import (
    cronbach_alpha,
    first_order,
    spread_shape,
)
from barometre.composite.robust.audit_table import FAIL, LOOK, PASS
from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "golden" / "composite" / "01_pipeline"
LEAVES = ["a", "b", "c", "d"]
FEW = settings(max_examples=12)  # every example scores several tables
seeds = st.integers(0, 2**32 - 1)


def tree(**options: Any) -> Index:
    """A root over d and one node, itself over a, b and c."""
    table = pd.DataFrame(
        {
            "id": ["r", "n", *LEAVES],
            "parent": [None, "r", "n", "n", "n", "r"],
            "direction": [1, 1, 1, -1, 1, 1],
            "weight": [1, 3, 1, 2, 3, 1],
        }
    )
    return Index.from_table(table, **({"normalise": "minmax", "out": (0, 100)} | options))


def frame_of(seed: int, units: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    common = rng.normal(50, 10, (units, 1))
    values = common * [1, -1, 1, 1] + rng.normal(0, 6, (units, 4)) + [0, 120, 0, 0]
    return pd.DataFrame(values, index=[f"u{i:02d}" for i in range(units)], columns=LEAVES)


def rows(table: pd.DataFrame, check: str) -> pd.DataFrame:
    return table[table["controle"] == check].set_index("element")


# ---- shape of the values ------------------------------------------------------------------------


@pytest.mark.skipif(not FOLDER.is_dir(), reason="reference files of the composite engine: absent")
def test_skewness_and_kurtosis_are_those_of_another_program() -> None:
    """COINr 1.1.14, type 2, on the screened data; its verdict is ours."""
    details = pd.read_csv(FOLDER / "05_treat_details.csv", index_col="iCode")
    values = pd.read_csv(FOLDER / "04_screened.csv", index_col="uCode")
    assert len(details) == 49
    passed = details["check_SkewKurt0.Pass"]
    leaves = tuple(Leaf(name, "r", 1, normalise="minmax") for name in details.index)
    table = audit(Index(leaves, (Node("r"),)), values)
    for check, column in (("asymetrie", "Skew"), ("aplatissement", "Kurt")):
        found = rows(table, check)
        expected = details[f"check_SkewKurt0.{column}"]
        np.testing.assert_allclose(found["valeur"][details.index], expected, rtol=1e-9)
        assert ((found["verdict"] == PASS) == passed[found.index]).all()
    assert (~passed).sum() > 3


@given(seed=seeds, units=st.integers(4, 30))
def test_skewness_and_kurtosis_are_those_of_scipy(seed: int, units: int) -> None:
    values = np.random.default_rng(seed).gamma(1.0, size=units)
    skewness, kurtosis = spread_shape(np.append(values, np.nan))
    # both are a ratio of sums, in another order
    assert skewness == pytest.approx(stats.skew(values, bias=False), rel=1e-9, abs=1e-12)
    assert kurtosis == pytest.approx(stats.kurtosis(values, bias=False), rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [3.1] * 9, [np.nan] * 5])
def test_no_shape_of_too_few_values_or_a_constant(values: list[float]) -> None:
    assert np.isnan(spread_shape(np.array(values))).all()


def test_shapes_are_those_of_transformed_values() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": np.exp(rng.normal(0, 2, 200))})
    leaf = Leaf("x", "r", 1, normalise="minmax")
    raw = rows(audit(Index((leaf,), (Node("r"),)), frame), "asymetrie")
    logs = rows(audit(Index((replace(leaf, transform="log"),), (Node("r"),)), frame), "asymetrie")
    assert (raw["verdict"]["x"], logs["verdict"]["x"]) == (LOOK, PASS)
    assert "transformer (log)" in raw["raison"]["x"]
    eased = rows(audit(Index((leaf,), (Node("r"),)), frame, skewness=100), "asymetrie")
    assert (eased["verdict"]["x"], eased["seuil"]["x"]) == (PASS, 100)


# ---- availability -------------------------------------------------------------------------------


def test_availability_of_leaves_and_units() -> None:
    frame = frame_of(0, 10)
    frame.loc[frame.index[:6], "a"] = np.nan
    frame.loc[frame.index[:3], "b"] = np.nan
    frame.loc["u00", "c"] = np.nan
    frame["d"] = 7.0
    table = audit(tree(), frame)
    leaves = rows(table, "disponibilite_feuille")
    assert leaves["valeur"].tolist() == pytest.approx([0.4, 0.7, 0.9, 0.0])
    assert leaves["verdict"].tolist() == [FAIL, LOOK, PASS, FAIL]
    assert leaves["seuil"].tolist() == [0.5, 0.8, 0.8, 0.5]
    assert leaves["raison"]["a"] == "4 valeurs sur 10"
    assert leaves["raison"]["d"].startswith("aucune échelle")
    units = rows(table, "disponibilite_territoire")
    assert list(units.index) == list(frame.index)
    assert units["valeur"].tolist() == [0.0, 0.25, 0.25, 0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.75]
    strict = rows(audit(tree(), frame, available=0.95, unavailable=0.8), "disponibilite_feuille")
    assert strict["verdict"].tolist() == [FAIL, FAIL, LOOK, FAIL]


# ---- correlations and alpha ---------------------------------------------------------------------


@FEW
@given(seed=seeds)
def test_correlations_are_those_of_the_scores(seed: int) -> None:
    index, frame = tree(), frame_of(seed)
    table, scores = audit(index, frame), index.score(frame).table
    for node, parts in index.children.items():
        for name in parts:
            row = rows(table, "sens").loc[name]
            expected = np.corrcoef(scores[name], scores[node])[0, 1]
            assert (row["noeud"], row["valeur"]) == (node, pytest.approx(expected))
            verdict = FAIL if expected < 0 else LOOK if expected < 0.3 else PASS
            assert row["verdict"] == verdict
    pairs = rows(table, "correlation")
    assert list(pairs.index) == ["a × b", "a × c", "b × c", "d × n"]
    expected = np.corrcoef(scores["a"], scores["b"])[0, 1]
    assert pairs["valeur"]["a × b"] == pytest.approx(expected)


def test_a_wrong_direction_fails() -> None:
    """b is oriented downwards and a, c, d upwards: turned over, it goes against its node."""
    frame = frame_of(1)
    frame["b"] = 120 - frame["a"]
    right = rows(audit(tree(), frame), "sens")
    assert (right["verdict"] == PASS).all()
    leaves = [replace(x, weight=1, direction=1) for x in tree().leaves]
    wrong = rows(audit(Index(tuple(leaves), tree().nodes), frame), "sens")
    assert wrong["verdict"].to_dict() == {"a": PASS, "b": FAIL, "c": PASS, "d": PASS, "n": PASS}
    assert "vérifier la direction" in wrong["raison"]["b"]
    assert wrong["seuil"]["b"] == 0


def test_repeated_and_opposed_components_are_told() -> None:
    frame = frame_of(2)
    frame["b"], frame["c"] = 200 - 2 * frame["a"], -frame["a"]
    pairs = rows(audit(tree(), frame), "correlation")
    assert pairs["valeur"]["a × b"] == pytest.approx(1)
    assert pairs["raison"]["a × b"] == "corrélation 1,00 : redondantes"
    assert pairs["raison"]["a × c"] == "corrélation −1,00 : se compensent dans la moyenne"
    assert (pairs["seuil"]["a × b"], pairs["seuil"]["a × c"]) == (0.92, -0.4)
    eased = rows(audit(tree(), frame, redundant=1.1, opposed=-1.1), "correlation")
    assert (eased["verdict"] == PASS).all()


def test_a_value_at_its_threshold_is_not_beyond_it() -> None:
    """The thresholds are set at values that the audit itself gives."""
    frame = frame_of(3, units=32)  # a power of two: a share of the units times them is exact
    found = audit(tree(), frame).set_index(["controle", "element"])["valeur"]
    for check, option, units in (
        ("correlation", "redundant", 1),
        ("retrait_moyen", "mean_shift", 32),
        ("retrait_max", "max_shift", 32),
    ):
        element = found[check].idxmax()
        for limit, verdict in ((found[check].max(), PASS), (found[check].max() * 0.999, LOOK)):
            again = rows(audit(tree(), frame, **{option: limit / units}), check)
            assert again["verdict"][element] == verdict, check


@given(seed=seeds, units=st.integers(3, 40), parts=st.integers(2, 6))
def test_alpha_of_parts_of_one_variance_is_spearman_and_brown(
    seed: int, units: int, parts: int
) -> None:
    values = np.random.default_rng(seed).normal(size=(units, parts))
    values = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    mean_r = (np.corrcoef(values.T).sum() - parts) / (parts * (parts - 1))
    expected = parts * mean_r / (1 + (parts - 1) * mean_r)
    # a small variance of the sum makes both lose digits
    assert cronbach_alpha(values) == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_alpha_by_hand_and_without_each_part() -> None:
    """Covariances of (1,2,3,4), (2,1,4,3), (1,1,2,2): sums 5/3 + 5/3 + 1/3 and 2 (1 + 2/3 + 1/3)."""
    values = np.array([[1, 2, 1], [2, 1, 1], [3, 4, 2], [4, 3, 2.0]])
    variances, covariances = 5 / 3 + 5 / 3 + 1 / 3, 2 * (1 + 2 / 3 + 2 / 3)
    expected = 1.5 * (1 - variances / (variances + covariances))
    assert cronbach_alpha(values) == pytest.approx(expected, rel=1e-12)
    frame = pd.DataFrame(values, columns=[*"xyz"])
    leaves = tuple(Leaf(name, "r", 1, normalise=None) for name in "xyz")
    table = audit(Index(leaves, (Node("r"),)), frame, cronbach=0.9, cronbach_gain=0)
    whole = rows(table, "alpha").loc["r"]
    assert (whole["valeur"], whole["verdict"]) == (pytest.approx(expected), LOOK)
    without = rows(table, "alpha_sans")
    two = 2 * (1 - (10 / 3) / (10 / 3 + 2))
    assert without["valeur"]["z"] == pytest.approx(two, rel=1e-12)
    assert without["seuil"].tolist() == pytest.approx([expected] * 3)
    assert (without["verdict"] == PASS).all()


def test_alpha_needs_parts_that_vary_together() -> None:
    assert np.isnan(cronbach_alpha(np.ones((5, 1))))
    assert np.isnan(cronbach_alpha(np.ones((5, 3))))
    assert np.isnan(cronbach_alpha(np.array([[1.0, -1], [2, -2], [3, -3]])))
    assert np.isnan(cronbach_alpha(np.array([[1.0, 2], [2, np.nan], [3, 3]])))
    frame = frame_of(4)
    frame["b"] = frame["a"] + 100  # oriented against the others
    frame["c"] = frame["a"] * 0.2 + np.random.default_rng(0).normal(0, 5, 30)
    weak = rows(audit(tree(), frame), "alpha").loc["n"]
    assert weak["valeur"] < 0
    assert weak["verdict"] == FAIL


# ---- importance ---------------------------------------------------------------------------------


def factorial(deviations: list[float], levels: int = 9) -> pd.DataFrame:
    """Give a factorial plan: independent components of given deviations, exactly."""
    marks = stats.norm.ppf((np.arange(levels) + 0.5) / levels)
    marks = marks / marks.std()
    plan = np.stack(np.meshgrid(*[marks] * len(deviations)), axis=-1).reshape(-1, len(deviations))
    return pd.DataFrame(plan * deviations, columns=LEAVES[: len(deviations)])


@pytest.mark.parametrize("smoother", ["linear", "spline"])
def test_importance_of_independent_components_in_closed_form(smoother: Any) -> None:
    """w_i^2 var_i over their sum (Paruolo, Saisana and Saltelli, 2013, section 3)."""
    weights, deviations = np.array([1.0, 1.0, 2.0]), [1.0, 3.0, 0.5]
    frame = factorial(deviations)
    leaves = tuple(
        Leaf(str(name), "r", 1, float(w), normalise=None)
        for name, w in zip(frame, weights, strict=True)
    )
    table = audit(Index(leaves, (Node("r"),)), frame, smoother=smoother)
    found = rows(table, "importance")
    parts = weights**2 * np.square(deviations)
    expected = parts / parts.sum()
    if smoother == "spline":  # adjusted for the three terms of the spline
        expected = 1 - (1 - expected) * (len(frame) - 1) / (len(frame) - 4)
        expected = expected / expected.sum()
    np.testing.assert_allclose(found["valeur"], expected, rtol=0, atol=1e-12)
    assert found["verdict"].tolist() == [LOOK, LOOK, LOOK]
    assert found["seuil"].tolist() == pytest.approx([0.25 / 2, 0.25 * 2, 0.5 / 2])
    assert "poids 25 %" in found["raison"]["a"]
    eased = rows(audit(Index(leaves, (Node("r"),)), frame, importance_ratio=10), "importance")
    assert (eased["verdict"] == PASS).all()


def test_importance_of_normal_components() -> None:
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(0, [1, 2, 3], (20_000, 3)), columns=[*"abc"]
    )
    score = frame.to_numpy() @ [0.5, 0.3, 0.2]
    expected = np.array([0.25, 0.36, 0.36]) / 0.97
    found = [first_order(frame[name].to_numpy(), score) for name in frame]
    np.testing.assert_allclose(found, expected, atol=0.02)  # sampling: about 1 / sqrt(20 000)


def test_the_spline_sees_what_a_line_does_not() -> None:
    x = np.linspace(-2, 2, 400)
    assert first_order(x, x**2, "linear") == pytest.approx(0, abs=1e-12)
    # Groups of means 1, 5 and 9 about 4: 2 of 46 unexplained, with one degree of freedom of 3.
    by_hand = first_order(np.array([0.0, 0, 1, 2]), np.array([0.0, 2, 5, 9]))
    assert by_hand == pytest.approx(1 - 2 / 46 * 3)
    assert first_order(x, x**2) > 0.98
    few = np.repeat([1.0, 2.0, 3.0], 100)
    assert first_order(few, (few - 2) ** 2) == pytest.approx(1)
    assert first_order(np.repeat([0.0, 1.0], 50), np.tile([0.0, 1.0], 50)) == 0
    spike = np.append(np.zeros(200), np.arange(8.0))  # knots that coincide
    assert first_order(spike, spike) == pytest.approx(1)


@pytest.mark.parametrize("smoother", ["linear", "spline"])
def test_no_importance_of_a_constant_or_of_too_few_units(smoother: Any) -> None:
    x = np.arange(5.0)
    for component, score in ((x * 0, x), (x, x * 0), (x[:2], x[:2]), (x * np.nan, x)):
        assert np.isnan(first_order(component, score, smoother))


def test_leaves_are_weighed_against_the_root_too() -> None:
    table = audit(tree(), frame_of(0), smoother="linear")
    leaves = rows(table, "importance_feuille")
    scores = tree().score(frame_of(0)).table
    squares = np.array([np.corrcoef(scores[name], scores["r"])[0, 1] ** 2 for name in LEAVES])
    np.testing.assert_allclose(leaves["valeur"], squares / squares.sum())
    assert set(rows(table, "importance").index) == {*LEAVES, "n"}
    flat = Index(tuple(Leaf(x, "r", 1, normalise="minmax") for x in LEAVES), (Node("r"),))
    assert rows(audit(flat, frame_of(0)), "importance_feuille").empty
