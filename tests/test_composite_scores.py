"""Scores of small trees worked by hand: missing data, zeros, constants, ranks, explanations."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre.base.errors import BarometreError
from barometre.composite import HDI, IDH4, Bounds, Index, Leaf, Node
from barometre.composite.score.means import aggregate_tree
from barometre.composite.tree.shape import Tree

ABC = pd.DataFrame({"x": [0.0, 5, 10], "y": [30.0, 10, 20], "z": [1.0, 10, 100]}, index=[*"abc"])
# UNDP, Human Development Report 2021/2022, statistical annex, table 1 (2021): life expectancy,
# expected and mean years of schooling, gross national income per head; and the published index.
UNDP = pd.DataFrame(
    [
        (82.499, 15.812, 11.610, 45_937, 0.903),
        (85.473, 17.278, 12.226, 62_607, 0.952),
        (61.576, 6.957, 2.117, 1_240, 0.400),
    ],
    index=["France", "Hong Kong", "Niger"],
    columns=["life_exp", "exp_sch", "avg_sch", "gni_pc_2017ppp", "idh"],
)


def flat(*leaves: Leaf, **node: Any) -> Index:
    return Index(leaves, (Node("r", **node),))


def plain(names: str = "xyz", **node: Any) -> Index:
    """Declare a mean of values taken as they are."""
    return flat(*(Leaf(name, "r", 1, normalise=None) for name in names), **node)


def one(**values: float) -> pd.DataFrame:
    return pd.DataFrame(values, index=["a"])


def said(scores: Any) -> list[tuple[object, str, str]]:
    return list(scores.remarks.itertuples(index=False, name=None))


# ---- published figures --------------------------------------------------------------------------


def test_undp_figures() -> None:
    scores = HDI.score(UNDP)
    assert scores.table["HDI"].round(3).tolist() == UNDP["idh"].tolist()
    assert scores.table.loc["Hong Kong", "life_exp"] == 1  # 85.5 years, capped
    uncapped = HDI.with_options(clip=None).score(UNDP).table["HDI"]
    assert uncapped.round(3).tolist() == [0.903, 0.954, 0.400]
    assert scores.unused == ("idh",)


def test_living_standard_of_idh4() -> None:
    """Sub-indices of NOTES with the communes of Hauts-de-France in 2019: 14 090 to 38 860 euros."""
    bounds = Bounds(
        {"icm": (50, 150), "part_diplomes": (0, 100), "niveau_de_vie_median": (14_090, 38_860)}
    )
    frame = pd.DataFrame(
        {"icm": 125, "part_diplomes": 40, "niveau_de_vie_median": [14_320, 18_550, 20_290, 20_360]},
        index=["Denain", "CA", "Nord", "Hauts-de-France"],
    )
    scores = IDH4.with_bounds(bounds).score(frame)
    assert scores.table["niveau_de_vie"].round(4).tolist() == [0.0160, 0.2711, 0.3595, 0.3628]
    assert scores.table["sante"].tolist() == [0.25] * 4  # mortality: less is better
    mean = (0.25 + 0.4 + scores.table["niveau_de_vie"]) / 3
    np.testing.assert_allclose(scores.table["idh4"], mean, rtol=1e-15)


# ---- normalisation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        (Leaf("x", "r", 1, normalise="minmax", out=(0, 100)), [0, 50, 100]),
        (Leaf("x", "r", -1, normalise="minmax", out=(1, 100)), [100, 50.5, 1]),
        (Leaf("z", "r", 1, normalise="minmax", transform="log"), [0, 0.5, 1]),
        (Leaf("x", "r", 1, normalise="zscore", out=(100, 10)), [90, 100, 110]),
        (Leaf("x", "r", -1, normalise="zscore"), [1, 0, -1]),
        (Leaf("z", "r", 1, normalise="zscore", transform="log"), [-1, 0, 1]),
        (Leaf("y", "r", 1, normalise="percentile"), [1, 0, 0.5]),
        (Leaf("y", "r", -1, normalise="percentile", out=(0, 10)), [0, 10, 5]),
        (Leaf("x", "r", 1, low=2, high=6), [0, 0.75, 1]),
        (Leaf("x", "r", -1, low=2, high=6), [1, 0.25, 0]),
        (Leaf("x", "r", 1, low=2, high=6, clip="low"), [0, 0.75, 2]),
        (Leaf("x", "r", 1, low=2, high=6, clip="high"), [-0.5, 0.75, 1]),
        (Leaf("x", "r", -1, low=2, high=6, clip="high"), [1, 0.25, -1]),
        (Leaf("x", "r", 1, low=2, high=6, clip=None, out=(0, 4)), [-2, 3, 8]),
        (Leaf("z", "r", 1, transform="log", low=0.1, high=1000), [0.25, 0.5, 0.75]),
        (Leaf("z", "r", -1, transform="log", low=10, high=1000), [1, 1, 0.5]),
        (Leaf("x", "r", -1, normalise=None), [0, 5, 10]),
    ],
)
def test_one_leaf(leaf: Leaf, expected: list[float]) -> None:
    scores = flat(leaf).score(ABC)
    np.testing.assert_allclose(scores.normalised[leaf.id], expected, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(scores.table["r"], scores.normalised[leaf.id])


def test_goalposts_come_from_a_table() -> None:
    tree = pd.DataFrame(
        {
            "id": ["r", "x", "z"],
            "parent": ["", "r", "r"],
            "direction": 1,
            "weight": [1, 3, 1],
            "low": [None, 0, 1],
            "high": [None, 20, 10_000],
            "transform": [None, None, "log"],
        }
    )
    table = Index.from_table(tree, normalise="goalposts").score(ABC).table
    np.testing.assert_allclose(table["r"], [0, (3 * 0.25 + 0.25) / 4, (3 * 0.5 + 0.5) / 4])


# ---- means --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("arithmetic", 6.5),
        (1, 6.5),
        ("geometric", 4.0),  # (2^3 x 32)^(1/4)
        (0, 4.0),
        ("harmonic", 1 / (3 / 4 * 1 / 2 + 1 / 4 * 1 / 20)),
        (-1.0, 1 / (3 / 4 * 1 / 2 + 1 / 4 * 1 / 20)),
        (2, math.sqrt((3 * 4 + 400) / 4)),
        (0.5, ((3 * math.sqrt(2) + math.sqrt(20)) / 4) ** 2),
        (-2, ((3 / 4 + 1 / 400) / 4) ** -0.5),
        (400, 20 * (1 / 4) ** (1 / 400)),
    ],
)
def test_means(aggregate: Any, expected: float) -> None:
    index = flat(
        Leaf("x", "r", 1, 3, normalise=None), Leaf("y", "r", 1, normalise=None), aggregate=aggregate
    )
    large = 32.0 if aggregate in ("geometric", 0) else 20.0
    assert index.score(one(x=2, y=large)).table.loc["a", "r"] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("aggregate", [0, -1, -3, 0.3, 4])
def test_the_mean_of_equal_values_is_theirs(aggregate: float) -> None:
    scores = plain(aggregate=aggregate).score(one(x=0.7, y=0.7, z=0.7))
    assert scores.table["r"]["a"] == pytest.approx(0.7, rel=1e-15)


@pytest.mark.parametrize("power", [-200, -8, -2, -1, 0, 0.5, 2, 8, 300])
@pytest.mark.parametrize("other", [0.0, 0.01, 1e6])
def test_a_component_of_no_weight_counts_for_nothing(power: float, other: float) -> None:
    leaves = tuple(Leaf(name, "r", 1, w, normalise=None) for name, w in (("x", 2), ("y", 0)))
    scores = flat(*leaves, aggregate=power, floor=0.0).score(one(x=0.5, y=other))
    assert scores.table["r"]["a"] == pytest.approx(0.5, rel=1e-15)
    assert [*scores.contributions().loc["a"]] == [pytest.approx(0.5, rel=1e-15), 0]


@pytest.mark.parametrize("power", [-8, -3, 3, 8])
@pytest.mark.parametrize("small", [1e-9, 1e-13])
def test_a_component_of_little_weight_keeps_its_digits(power: float, small: float) -> None:
    """The mean of the powers in fractions, exact before the root."""
    other = 50.0 if power > 0 else 1 / 64
    leaves = tuple(Leaf(name, "r", 1, w, normalise=None) for name, w in (("x", 1), ("y", small)))
    found = flat(*leaves, aggregate=power, floor=0).score(one(x=2, y=other)).table["r"]["a"]
    share = Fraction(small)
    exact = (Fraction(2) ** int(power) + share * Fraction(other) ** int(power)) / (1 + share)
    assert found == pytest.approx(float(exact) ** (1 / power), rel=1e-14)


@pytest.mark.parametrize("aggregate", ["geometric", "harmonic", -2.0])
def test_a_zero_weighs_without_annihilating_unless_asked(aggregate: Any) -> None:
    frame = one(x=0, y=1, z=1)
    floored = plain(aggregate=aggregate).score(frame)
    raised = plain(aggregate=aggregate).score(frame.replace(0, 0.01))
    assert floored.table["r"]["a"] == raised.table["r"]["a"] > 0
    assert said(floored) == [("a", "x", "0 relevé au plancher 0,01 dans « r »")]
    assert plain(aggregate=aggregate, floor=0.0).score(frame).table["r"]["a"] == 0
    assert plain(aggregate=aggregate, floor=0.5).score(frame).table["r"]["a"] > 0.5
    zeros = plain(aggregate=aggregate, floor=0.0).score(frame * 0)
    assert zeros.table["r"]["a"] == 0


def test_the_floor_is_a_hundredth_of_the_scale() -> None:
    index = Index(
        (Leaf("x", "m", 1, normalise="minmax", out=(0, 100)), Leaf("y", "r", 1, normalise=None)),
        (Node("r"), Node("m", "r", floor=3)),
    )
    assert index.floors == {"m": 3, "r": 1}
    ends = flat(
        Leaf("x", "r", 1, normalise="minmax", out=(1, 100)),
        Leaf("y", "r", 1, normalise="minmax", out=(1, 100)),
        aggregate="geometric",
    ).score(ABC)
    assert ends.remarks.empty  # 1 is above the floor of 0.99


@pytest.mark.parametrize("aggregate", [2.0, 0.5, 7.0])
def test_a_zero_in_a_positive_power_needs_no_floor(aggregate: float) -> None:
    scores = plain(aggregate=aggregate).score(one(x=0, y=0, z=0))
    assert scores.table["r"]["a"] == 0
    assert scores.remarks.empty
    one_of_three = plain(aggregate=aggregate).score(one(x=0, y=0, z=1)).table["r"]["a"]
    assert one_of_three == pytest.approx((1 / 3) ** (1 / aggregate), rel=1e-14)


def test_a_negative_component_is_refused_but_in_an_arithmetic_mean() -> None:
    frame = pd.DataFrame({"x": [1.0, -2.5], "y": 1.0, "z": 1.0}, index=["a", "b"])
    assert plain().score(frame).table["r"]["b"] == pytest.approx(-1 / 6)
    for aggregate in ("geometric", "harmonic", 2.0):
        with pytest.raises(BarometreError, match="« x » ayant 1 valeur sous zéro : b −2,5"):
            plain(aggregate=aggregate).score(frame)
    index = plain(aggregate="geometric")
    tree = Tree(index.leaves, index.nodes)
    with pytest.raises(BarometreError, match="« x » ayant 1 valeur sous zéro ; borner"):
        aggregate_tree(tree, frame.to_numpy())  # no label to quote


# ---- missing data -------------------------------------------------------------------------------


def test_missing_components_leave_their_weight_to_the_others() -> None:
    index = flat(
        Leaf("x", "r", 1, 1, normalise=None),
        Leaf("y", "r", 1, 2, normalise=None),
        Leaf("z", "r", 1, 0, normalise=None),
    )
    nan = np.nan
    frame = pd.DataFrame(
        [(3, 6, 9), (nan, 6, 9), (3, nan, nan), (nan, nan, 9), (nan, nan, nan)], columns=[*"xyz"]
    )
    scores = index.score(frame)
    # a component of weight zero makes no score on its own
    np.testing.assert_array_equal(scores.table["r"], [5, 6, 3, nan, nan])
    assert scores.ranks["r"].tolist() == [2, 1, 3, pd.NA, pd.NA]
    assert scores.ranks["r"].dtype == "Int64"


@pytest.mark.parametrize(
    ("threshold", "scored"), [(0, 3), (1 / 3, 3), (0.34, 2), (2 / 3, 2), (1, 1)]
)
def test_the_share_of_direct_components_is_counted(threshold: float, scored: int) -> None:
    nan = np.nan
    frame = pd.DataFrame([(1, 2, 3), (nan, 2, 3), (nan, nan, 3)], columns=[*"xyz"])
    scores = plain(min_available=threshold).score(frame)
    assert scores.table["r"].notna().sum() == scored
    assert len(scores.remarks) == 3 - scored
    if threshold == 1:
        assert said(scores)[1] == (2, "r", "1 composante sur 3 (seuil 1) : pas de score")


def test_a_score_withheld_below_is_a_component_missing_above() -> None:
    leaves = [
        Leaf(name, node, 1, normalise=None) for name, node in zip("wxyz", "nnrr", strict=True)
    ]
    index = Index(tuple(leaves), (Node("r"), Node("n", "r", min_available=1)))
    frame = pd.DataFrame({"w": [np.nan], "x": [9.0], "y": [1.0], "z": [2.0]})
    table = index.score(frame).table.iloc[0]
    assert math.isnan(table["n"])
    assert table["r"] == 1.5


# ---- nothing to compare -------------------------------------------------------------------------


@pytest.mark.parametrize("normalise", ["minmax", "zscore", "percentile"])
def test_one_unit_or_a_constant_has_no_scale(normalise: Any) -> None:
    index = flat(*(Leaf(name, "r", 1, normalise=normalise) for name in "xy"))
    alone = index.score(ABC.head(1))
    assert alone.table.isna().all(axis=None)
    assert alone.ranks.isna().all(axis=None)
    text = "une seule valeur, ou toutes égales : pas d'échelle, feuille manquante"
    assert [row[1:] for row in said(alone)] == [("x", text), ("y", text)]
    rounding = 0.3 if normalise == "percentile" else 0.1 + 0.2  # 5e-17 apart; ranks compare data
    constant = index.score(ABC.assign(x=[0.3, rounding, 0.3]))
    assert constant.normalised["x"].isna().all()
    np.testing.assert_array_equal(constant.table["r"], constant.normalised["y"])


@pytest.mark.parametrize("normalise", ["minmax", "zscore", "percentile", None])
def test_no_unit(normalise: Any) -> None:
    scores = flat(Leaf("x", "r", 1, normalise=normalise)).score(ABC.head(0))
    assert scores.table.shape == scores.ranks.shape == (0, 2)
    assert scores.remarks.empty
    assert list(scores.remarks) == ["code", "noeud", "remarque"]
    assert scores.contributions().shape == (0, 1)


def test_zero_or_negative_income_has_no_logarithm() -> None:
    index = flat(
        Leaf("x", "r", 1, transform="log", low=1, high=100), Leaf("y", "r", 1, low=0, high=10)
    )
    frame = pd.DataFrame({"x": [10, 0, -3], "y": [5, 5, 5]}, index=[*"abc"])
    scores = index.score(frame)
    np.testing.assert_array_equal(scores.table["x"], [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(scores.table["r"], [0.5, 0.5, 0.5])
    assert said(scores)[1] == ("c", "x", "−3 n'a pas de logarithme : valeur manquante")


def test_a_value_outside_fixed_bounds_is_told() -> None:
    frame = pd.DataFrame({"x": [-1, 5, 12]}, index=[*"abc"])
    held = flat(Leaf("x", "r", -1, low=0, high=10, clip="low")).score(frame)
    assert held.table["r"].tolist() == [1.1, 0.5, 0]
    assert said(held) == [
        ("a", "x", "−1 sous la borne 0 : gardée hors de l'échelle"),
        ("c", "x", "12 au-dessus de la borne 10 : ramenée à la borne"),
    ]


# ---- the door -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (ABC.drop(columns="y"), "y : colonne absente"),
        (ABC.assign(x="1"), "x : valeurs non numériques"),
        (ABC.assign(x=[1, "2", 3]), "x : valeurs non numériques"),
        (ABC.assign(x=[1, np.inf, 3]), r"x : valeurs infinies \(b\)"),
        (ABC.set_axis([*"xyy"], axis=1), "y : colonne en double"),
        (ABC.set_axis([*"aab"]), r"territoires en double \(a\)"),
        (ABC["x"], "donner un DataFrame"),
    ],
)
def test_a_frame_is_refused(frame: Any, fault: str) -> None:
    with pytest.raises(BarometreError, match=fault):
        plain().score(frame)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "Float64", "object", "bool"])
def test_numbers_of_any_type(dtype: str) -> None:
    frame = pd.DataFrame({"x": [1, 0], "y": [1, 1], "z": [0, 1]}).astype(dtype)  # type: ignore[arg-type]  # a str of the cases, for a literal
    np.testing.assert_allclose(plain().score(frame).table["r"], [2 / 3, 2 / 3])
    if dtype in ("Int64", "Float64", "object"):
        frame.loc[0, "z"] = None
        assert plain().score(frame).table["r"][0] == 1


def test_nothing_received_is_modified() -> None:
    frame = ABC.copy()
    scores = flat(Leaf("z", "r", 1, transform="log", normalise="minmax")).score(frame)
    scores.contributions(reference="a")
    scores.explain("b")
    pd.testing.assert_frame_equal(frame, ABC)


@pytest.mark.parametrize("tolerance", [-1, 1, math.nan, "fine"])
def test_a_tolerance_is_a_share(tolerance: Any) -> None:
    with pytest.raises(BarometreError, match="tolerance"):
        plain().score(ABC, tolerance=tolerance)


# ---- ranks and years ----------------------------------------------------------------------------


def test_ranks_have_a_tolerance() -> None:
    frame = pd.DataFrame({"x": [5.1, 7, 5.1000000000000005, 5.2, np.nan]}, index=[*"abcde"])
    scores = plain("x").score(frame)
    assert scores.ranks["r"].tolist() == [3, 1, 3, 2, pd.NA]
    assert scores.rank().tolist() == scores.rank("x").tolist() == scores.ranks["r"].tolist()
    assert plain("x").score(frame, tolerance=0).ranks["r"].tolist()[:4] == [4, 1, 3, 2]
    near_zero = pd.DataFrame({"x": [0.1 + 0.2 - 0.3, 0.0, 1.0]})  # 5.6e-17 is rounding beside 1
    assert plain("x").score(near_zero).ranks["r"].tolist() == [2, 2, 1]


def panel() -> pd.DataFrame:
    units = pd.MultiIndex.from_product([["a", "b"], [2018, 2019]], names=["code", "annee"])
    return pd.DataFrame({"x": [1.0, 4, 3, 2]}, index=units)


def test_years_are_ranked_apart_on_common_bounds() -> None:
    observed = flat(Leaf("x", "r", 1, normalise="minmax"))
    with pytest.raises(BarometreError, match=r"plusieurs années \(2018, 2019\)"):
        observed.score(panel())
    fixed = observed.with_bounds(observed.observe(panel(), reference="a et b"))
    scores = fixed.score(panel())
    np.testing.assert_allclose(scores.table["r"], [0, 1, 2 / 3, 1 / 3])
    assert scores.ranks["r"].tolist() == [2, 1, 1, 2]
    assert observed.score(panel().head(1)).table.shape == (1, 2)  # one year
    assert list(scores.remarks) == ["code", "annee", "noeud", "remarque"]
    assert scores.explain(("a", 2019))["score"].tolist() == [1, 1]
    with pytest.raises(BarometreError, match=r"« a » a plusieurs lignes"):
        scores.explain("a")
