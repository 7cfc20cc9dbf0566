"""Contributions and explanations of small trees, worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from barometre.base.errors import BarometreError
from barometre.composite import HDI, Index, Leaf, Node
from tests.test_composite_scores import ABC, UNDP, flat, plain


def one(**values: float) -> pd.DataFrame:
    return pd.DataFrame(values, index=["a"])


def test_contributions_of_an_arithmetic_mean() -> None:
    index = flat(Leaf("x", "r", 1, 3, low=0, high=10), Leaf("y", "r", -1, 1, low=0, high=40))
    scores = index.score(ABC)
    own = pd.DataFrame({"x": [0, 0.375, 0.75], "y": [0.0625, 0.1875, 0.125]}, index=[*"abc"])
    pd.testing.assert_frame_equal(scores.contributions(), own, rtol=1e-14)
    gaps = own - own.loc["b"]
    for reference in ("b", {"x": 5, "y": 10}, pd.Series({"y": 10.0, "x": 5.0})):
        split = scores.contributions(reference=reference)
        pd.testing.assert_frame_equal(split, gaps, rtol=1e-14, atol=1e-16)
    mean = scores.contributions(reference="mean")
    pd.testing.assert_frame_equal(mean, own - own.mean(), rtol=1e-14, atol=1e-16)
    assert scores.reference_scores({"x": 5, "y": 10}).to_dict() == scores.table.loc["b"].to_dict()


def test_contributions_of_a_geometric_mean() -> None:
    """L(S, R) w ln(v / r): from 1 to 4 and from 1 to 1, the whole gap is the first's."""
    split = (
        plain("xy", aggregate="geometric")
        .score(pd.DataFrame({"x": [1.0, 4, 4], "y": [1.0, 1, 16]}, index=[*"abc"]))
        .contributions(reference="a")
    )
    # c: S = 8; L = 7 / ln 8; x takes ln 4 / 2 = ln 8 / 3
    expected = np.array([[0, 0], [1, 0], [7 / 3, 14 / 3]])
    np.testing.assert_allclose(split, expected, rtol=1e-14, atol=0)


def test_contributions_of_a_harmonic_mean() -> None:
    """Shapley value by hand: (v, r) = (2, 1) and (6, 1); S = 3, R = 1."""
    frame = pd.DataFrame({"x": [1.0, 2], "y": [1.0, 6]}, index=["r", "v"])
    split = plain("xy", aggregate="harmonic").score(frame).contributions(reference="r")
    h = {(1, 1): 1.0, (2, 1): 4 / 3, (1, 6): 12 / 7, (2, 6): 3.0}
    x = (h[2, 1] - h[1, 1] + h[2, 6] - h[1, 6]) / 2
    np.testing.assert_allclose(split.loc["v"], [x, 2 - x], rtol=1e-14)


def test_contributions_with_missing_components() -> None:
    frame = pd.DataFrame({"x": [1.0, np.nan, np.nan], "y": [2.0, 8, np.nan]}, index=[*"abc"])
    scores = plain("xy").score(frame)
    np.testing.assert_array_equal(scores.contributions(), [[0.5, 1], [np.nan, 8], [np.nan] * 2])
    # b scores 8 as if its x were 8
    split = scores.contributions(reference="a")
    np.testing.assert_array_equal(split, [[0, 0], [3.5, 3], [np.nan] * 2])


def test_contributions_under_a_node_of_one_component() -> None:
    """The harmonic gap of the first test goes whole to the only leaf of ``n``."""
    frame = pd.DataFrame({"x": [1.0, 2], "y": [1.0, 6]}, index=["r", "v"])
    below = Index(
        (Leaf("x", "n", 1, normalise=None), Leaf("y", "r", 1, normalise=None)),
        (Node("r", aggregate="harmonic"), Node("n", "r")),
    )
    h = {(1, 1): 1.0, (2, 1): 4 / 3, (1, 6): 12 / 7, (2, 6): 3.0}
    x = (h[2, 1] - h[1, 1] + h[2, 6] - h[1, 6]) / 2
    split = below.score(frame).contributions(reference="r").loc["v"]
    np.testing.assert_allclose(split, [x, 2 - x], rtol=1e-14)


def test_a_missing_node_under_its_floor_still_adds_up() -> None:
    """b is 0 all over; its missing ``n`` counts for 0 too, not for the floor of ``n``."""
    index = Index(
        tuple(Leaf(name, node, 1, normalise=None) for name, node in ("xn", "yn", "zr")),
        (Node("r", aggregate=2), Node("n", "r", aggregate="geometric", floor=0.5)),
    )
    frame = pd.DataFrame({"x": [1, np.nan], "y": [4, np.nan], "z": [3.0, 0.0]}, index=[*"ab"])
    scores = index.score(frame)
    assert scores.table["r"].tolist() == pytest.approx([math.sqrt((4 + 9) / 2), 0])
    for reference, gap in (("a", -math.sqrt(6.5)), ("b", math.sqrt(6.5))):
        split = scores.contributions(reference=reference)
        whole = scores.contributions(reference=reference, by="children")
        other = "b" if reference == "a" else "a"
        assert split.loc[other].sum() == pytest.approx(gap, rel=1e-14)
        assert split.loc[other, ["x", "y"]].sum() == pytest.approx(whole.loc[other, "n"], rel=1e-14)


def test_contributions_are_asked_properly() -> None:
    scores = HDI.score(UNDP)
    with pytest.raises(BarometreError, match="nœud « idh » inconnu"):
        scores.contributions("idh")
    with pytest.raises(BarometreError, match="choix by= « feuilles » inconnu"):
        scores.contributions(by="feuilles")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(
        BarometreError, match=r"territoire « Frace » sans score\. Vouliez-vous dire France"
    ):
        scores.contributions(reference="Frace")
    for several in (["France"], slice("France", "Niger"), UNDP):
        with pytest.raises(BarometreError, match="n'est pas un territoire : donner son code"):
            scores.contributions(reference=several)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(
        BarometreError, match="life_exp, avg_sch, gni_pc_2017ppp : colonnes absentes"
    ):
        scores.contributions(reference={"exp_sch": 1})
    with pytest.raises(BarometreError, match="référence manquante"):
        scores.reference_scores(None)
    ranked = HDI.with_options(normalise="percentile").score(UNDP)
    with pytest.raises(BarometreError, match="percentile"):
        ranked.contributions(reference={"life_exp": 1})
    nothing = plain("x").score(one(x=np.nan))
    with pytest.raises(BarometreError, match="pas de score « r »"):
        nothing.contributions(reference="a")
    wide = Index(
        tuple(Leaf(f"x{i}", "r", 1, normalise=None) for i in range(20)), (Node("r", None, 1, 2.0),)
    ).score(pd.DataFrame(np.ones((2, 20)), columns=[f"x{i}" for i in range(20)]))
    assert wide.contributions().to_numpy() == pytest.approx(1 / 20)
    with pytest.raises(BarometreError, match="trop de composantes"):
        wide.contributions(reference=0)
    pd.testing.assert_frame_equal(scores.contributions("life_exp"), scores.table[["life_exp"]])


def test_leaves_sum_to_their_dimension() -> None:
    scores = HDI.score(UNDP)
    leaves, dimensions = (
        scores.contributions(reference="France", by=by) for by in ("leaves", "children")
    )
    both = leaves["exp_sch"] + leaves["avg_sch"]
    np.testing.assert_allclose(both, dimensions["education"], rtol=0, atol=1e-15)
    inside = scores.contributions("education", reference="France")
    gap = scores.table["education"] - scores.table["education"]["France"]
    np.testing.assert_allclose(inside.sum(axis=1), gap, rtol=0, atol=1e-15)


def test_explain_shows_how_values_became_the_score() -> None:
    told = HDI.score(UNDP).explain("Hong Kong").set_index("noeud")
    assert list(told.index) == [
        "HDI",
        "life_exp",
        "gni_pc_2017ppp",
        "education",
        "exp_sch",
        "avg_sch",
    ]
    life = told.loc["life_exp"]
    assert life["remarque"] == "85,473 au-dessus de la borne 85 : ramenée à la borne"
    assert (life["valeur"], life["borne_basse"], life["borne_haute"]) == (85.473, 20, 85)
    assert (life["score"], life["poids"], life["rang"]) == (1, pytest.approx(1 / 3), 1)
    assert told["valeur_transformee"]["gni_pc_2017ppp"] == pytest.approx(math.log(62_607))
    assert told["agregation"].dropna().to_dict() == {"HDI": "geometric", "education": "arithmetic"}
    parts = told["contribution"]
    assert parts["HDI"] == told["score"]["HDI"]
    assert parts[["life_exp", "gni_pc_2017ppp", "education"]].sum() == pytest.approx(parts["HDI"])
    assert parts[["exp_sch", "avg_sch"]].sum() == pytest.approx(parts["education"])


def test_explain_compares_with_a_reference() -> None:
    scores = HDI.score(UNDP)
    told = scores.explain("Niger", "France").set_index("noeud")["contribution"]
    gap = scores.table["HDI"]["Niger"] - scores.table["HDI"]["France"]
    assert told["HDI"] == pytest.approx(gap)
    expected = scores.contributions(reference="France", by="children").loc["Niger"]
    np.testing.assert_allclose(told[list(expected.index)], expected, rtol=1e-12)


def test_explain_tells_observed_scales_and_missing_parts() -> None:
    leaves = (
        Leaf("x", "r", 1, normalise="minmax"),
        Leaf("y", "r", 1, normalise="zscore", weight=3),
        Leaf("z", "r", 1, normalise="minmax", transform="log"),
    )
    frame = ABC.assign(x=[np.nan, 2.0, 4.0], z=[-1, 1, 100])
    told = flat(*leaves).score(frame).explain("a").set_index("noeud")
    assert list(told.loc["x", ["borne_basse", "borne_haute"]]) == [2, 4]
    assert list(told.loc["y", ["moyenne", "ecart_type"]]) == [20, 10]
    assert list(told.loc["z", ["borne_basse", "borne_haute"]]) == [1, 100]
    np.testing.assert_array_equal(told["poids"], [1, np.nan, 1, np.nan])
    assert told["score"]["r"] == told["score"]["y"] == told["contribution"]["y"] == 1
    assert told["remarque"]["z"] == "−1 n'a pas de logarithme : valeur manquante"
