"""Joint uncertainty of an index: designs, shares, rank intervals, pairs and groups."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.composite import (
    Alternatives,
    Bounds,
    DataError,
    Index,
    Leaf,
    Node,
    Robustness,
    robustness,
)
from barometre.composite.data_error import draws_of
from barometre.composite.rank_draws import above, groups_of, intervals_of, pairs_above, ranks_of
from barometre.composite.replications import coordinates, design_of, weighted_columns
from barometre.composite.sobol import Spread, base_points, chosen, power_of_two, total_order
from barometre.errors import BarometreError, FaultsError, UnknownNameError

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots

LEAVES = ["a", "b", "c", "d"]
JOINT: dict[str, Any] = {
    "weights": 0.25,
    "normalise": ("minmax", "zscore", "percentile"),
    "aggregate": ("arithmetic", "geometric"),
}
FEW = settings(max_examples=15)  # every example is a whole run
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


def frame_of(seed: int, units: int, *, missing: float = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.uniform(10, 90, (units, 4))
    values[rng.random(values.shape) < missing] = np.nan
    return pd.DataFrame(values, index=[f"u{i:02d}" for i in range(units)], columns=LEAVES)


def errors_of(frame: pd.DataFrame, size: float = 3.0) -> pd.DataFrame:
    return frame.notna() * size


def total_of(function: Any, coordinates: int, points: int) -> np.ndarray:
    one, two = base_points(points, coordinates, seed=3)
    changed = []
    for i in range(coordinates):
        mixed = one.copy()
        mixed[:, i] = two[:, i]
        changed.append(function(mixed))
    return total_order(function(one), changed)


# ---- design and shares --------------------------------------------------------------------------


def test_total_order_shares_of_the_ishigami_function() -> None:
    """Closed form with a = 7 and b = 0.1 (Homma and Saltelli, 1996)."""
    a, b = 7.0, 0.1

    def ishigami(u: np.ndarray) -> np.ndarray:
        x, y, z = (np.pi * (2 * u - 1)).T
        return np.asarray(np.sin(x) + a * np.sin(y) ** 2 + b * z**4 * np.sin(x))

    first = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    second, both = a**2 / 8, 8 * b**2 * np.pi**8 / 225
    expected = np.array([first + both, second, both]) / (first + second + both)
    np.testing.assert_allclose(expected, [0.5576, 0.4424, 0.2437], atol=5e-5)
    # quasi-random: the error of 2^14 points is some thousandths
    np.testing.assert_allclose(total_of(ishigami, 3, 2**14), expected, atol=0.005)


def test_shares_of_a_sum_are_those_of_its_variances() -> None:
    slopes = np.array([1.0, 2.0, 0.5, 0.0])
    found = total_of(lambda u: u @ slopes, 4, 2**12)
    np.testing.assert_allclose(found, slopes**2 / (slopes**2).sum(), atol=0.003)
    assert found[3] == 0


def test_shares_of_a_product_show_its_interaction() -> None:
    """For (1 + x)(1 + y), x and y of mean 0: V = v + v + v v, each total order (v + v v) / V."""
    found = total_of(lambda u: (2 * u + 0.5).prod(axis=1) / 2.25, 2, 2**13)
    v = (4 / 12) / 1.5**2
    np.testing.assert_allclose(found, (v + v * v) / (2 * v + v * v), atol=0.005)
    assert found.sum() > 1.05


def test_several_outputs_add_their_variances_up() -> None:
    """Outputs (3x, y): 9 tenths of the variance are of x."""
    found = total_of(lambda u: u * [3.0, 1.0], 2, 2**12)
    np.testing.assert_allclose(found, [0.9, 0.1], atol=0.003)


@given(seed=seeds, cut=st.integers(1, 19))
def test_blocks_add_up(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    base, other = rng.normal(5, 1, (2, 20, 3))
    base[rng.random(base.shape) < 0.1] = np.nan
    sums = Spread.empty(1, np.full(3, 5.0))
    for rows in (slice(None, cut), slice(cut, None)):
        sums.add(base[rows], [other[rows]])
    np.testing.assert_allclose(sums.shares(), total_order(base - 5, [other - 5]), rtol=1e-9)


def test_points_are_balanced_and_seeded() -> None:
    assert [power_of_two(n) for n in (1, 2, 3, 1000, 1024)] == [1, 2, 4, 1024, 1024]
    one, two = base_points(1000, 3, seed=1)
    assert one.shape == two.shape == (1024, 3)
    for column in np.hstack([one, two]).T:  # one point in each of 1 024 intervals
        assert sorted((column * 1024).astype(int)) == list(range(1024))
    np.testing.assert_array_equal(one, base_points(1000, 3, seed=1)[0])
    assert (one != base_points(1000, 3, seed=2)[0]).any()
    assert np.bincount(chosen(one[:, 0], 4)).tolist() == [256] * 4


def test_weights_keep_their_spread() -> None:
    index = tree()
    alternatives = Alternatives(weights=0.25)
    points = base_points(256, coordinates(index, alternatives), seed=0)[0]
    design = design_of(index, alternatives, points, 0)
    factors = design.weights / index.weights
    named = [index.columns[j] for j in weighted_columns(index)]
    assert sorted(named) == ["a", "b", "c", "d", "n"]
    assert (factors[:, list(index.columns).index("r")] == 1).all()
    moving = factors[:, weighted_columns(index)]
    assert 0.75 <= moving.min() < 0.76
    assert 1.24 < moving.max() <= 1.25


# ---- replications against the engine, one at a time ----------------------------------------------


def replayed(result: Robustness, index: Index, frame: pd.DataFrame, row: int) -> pd.Series[float]:
    """Score one replication by the public way."""
    choice = result.choices.iloc[row]
    kind, mean, bounds = (choice[x] for x in ("normalisation", "agregation", "bornes"))
    if kind != "déclarée" and kind != "minmax":
        index = index.with_options(normalise=kind, out=(50, 10) if kind == "zscore" else (0, 100))
    elif bounds == "larges":
        index = index.with_bounds(WIDE)
    if mean != "déclarée":
        index = index.with_options(aggregate=mean)
    weights = {str(k): float(v) for k, v in result.weights.iloc[row].items()}
    return index.with_weights(weights).score(frame).table["r"]


WIDE = Bounds({"a": (0, 100), "b": (5, 95)}, reference="larges")


def test_replications_are_those_of_the_engine_one_by_one() -> None:
    index, frame = tree(), frame_of(0, 12, missing=0.1)
    alternatives = Alternatives(**JOINT, bounds=(None, WIDE))
    result = robustness(index, frame, alternatives, n=64, seed=5, keep_scores=True)
    assert result.scores is not None
    assert len(result.choices.drop_duplicates()) == 12
    for row in range(64):
        alone = replayed(result, index, frame, row)
        # z-scores: the sum of a column is rounded according to the order of its rows
        np.testing.assert_allclose(result.scores.iloc[row], alone, rtol=1e-13)
        if result.choices["normalisation"][row] != "zscore":
            np.testing.assert_array_equal(result.scores.iloc[row], alone)
        ranks = (-alone).rank(method="min")
        np.testing.assert_array_equal(result.draws.iloc[row], ranks)


@pytest.mark.parametrize("law", ["standard_errors", "denominators"])
def test_drawn_data_are_scored_with_their_own_scales(law: str) -> None:
    index, frame = tree(), frame_of(1, 9)
    error = DataError(**{law: frame * 0 + 40.0})  # type: ignore[arg-type]
    result = robustness(index, frame, JOINT, error, n=32, seed=2, keep_scores=True)
    order = np.lexsort([frame[name].to_numpy() for name in reversed(LEAVES)])
    data = draws_of(LEAVES, frame.to_numpy().T, frame.index, error, seed=2).ordered(order)
    assert result.scores is not None
    for row in range(32):
        drawn = pd.DataFrame(data.take([row])[0].T, index=frame.index[order], columns=LEAVES)
        assert (drawn != frame.loc[drawn.index]).all(axis=None)
        alone = replayed(result, index, drawn, row)
        np.testing.assert_allclose(result.scores.iloc[row].iloc[order], alone, rtol=1e-13)


def test_draws_have_the_moments_of_their_laws() -> None:
    frame = pd.DataFrame({"p": [0.0, 20.0], "x": [1000.0, 50.0], "y": [1.0, 2.0]})
    error = DataError(
        standard_errors=pd.DataFrame({"x": [80.0, 0.0]}),
        denominators=pd.DataFrame({"p": [50, 400]}),
    )
    draws = draws_of([*"pxy"], frame.to_numpy().T, frame.index, error, seed=0)
    values = draws.take(range(20_000))
    p, x, y = values.transpose(1, 0, 2)
    a, b = np.array([0.5, 80.5]), np.array([50.5, 320.5])
    expected = 100 * a / (a + b)
    spread = 100 * np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    five = 5 / np.sqrt(20_000)  # five standard errors of a mean
    assert (np.abs(p.mean(axis=0) - expected) < five * spread).all()
    np.testing.assert_allclose(p.std(axis=0), spread, rtol=0.05)
    assert abs(x[:, 0].mean() - 1000) < five * 80
    np.testing.assert_allclose(x[:, 0].std(), 80, rtol=0.03)
    assert (x[:, 1] == 50).all()
    assert (y == [1.0, 2.0]).all()
    np.testing.assert_array_equal(draws.take([7, 3])[1], values[3])


# ---- ranks, pairs, groups -----------------------------------------------------------------------


@given(seed=seeds, units=st.integers(1, 9), n=st.integers(1, 40))
def test_intervals_and_pairs_are_those_of_their_definition(seed: int, units: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, (n, units)).astype(float)
    scores[rng.random(scores.shape) < 0.15] = np.nan
    ranks = ranks_of(scores).T
    median, low, high = intervals_of(ranks, 0.9)
    chances = pairs_above(ranks)
    for i in range(units):
        known = scores[:, i][~np.isnan(scores[:, i])]
        if not len(known):
            assert np.isnan([median[i], low[i], high[i]]).all()
            continue
        mine = ranks[i][ranks[i] > 0]
        expected = np.quantile(mine, [0.05, 0.95], method="inverted_cdf")
        assert [median[i], low[i], high[i]] == [np.median(mine), *expected]
        for j in range(units):
            both = ~np.isnan(scores[:, i]) & ~np.isnan(scores[:, j])
            if not both.any():
                assert i == j or np.isnan(chances[i, j])
                continue
            gaps = scores[both, i] - scores[both, j]
            assert chances[i, j] == pytest.approx(((gaps > 0) + (gaps == 0) / 2).mean())
    inside = ~np.isnan(chances)
    np.testing.assert_array_equal((chances + chances.T)[inside], 1)


@given(seed=seeds, units=st.integers(1, 200), level=st.sampled_from([0.5, 0.9]))
def test_groups_are_those_of_their_definition(seed: int, units: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    truth = np.sort(rng.normal(0, units / 4, units))[::-1]
    ranks = ranks_of(truth + rng.normal(0, 1, (25, units))).T
    nominal = np.arange(1.0, units + 1)
    found = groups_of(ranks, nominal, level)
    head, number, expected = 0, 1, []
    for unit in range(units):
        chance = above(ranks[head], ranks[[unit]])[0]
        if unit > head and not (1 - level) / 2 - 1e-9 <= chance <= (1 + level) / 2 + 1e-9:
            head, number = unit, number + 1
        expected.append(number)
    assert found.tolist() == expected


def test_without_alternatives_ranks_are_certain() -> None:
    index, frame = tree(), frame_of(3, 20, missing=0.1)
    result = robustness(index, frame, n=16)
    expected = index.score(frame).ranks["r"]
    for name in ("rang", "rang_min", "rang_max", "rang_median"):
        np.testing.assert_array_equal(result.ranks[name].astype(float), expected.astype(float))
    assert (result.ranks["decalage_moyen"] == 0).all()
    assert result.ranks["groupe"].max() == 20
    chances = result.pairwise().to_numpy()
    assert set(np.unique(chances)) == {0.0, 0.5, 1.0}
    assert result.shares.empty
    same = robustness(index, frame, {"weights": 0}, errors_of(frame, 0), n=16)
    pd.testing.assert_frame_equal(same.ranks, result.ranks)


@FEW
@given(seed=seeds, shuffle=st.permutations(range(10)))
def test_order_and_labels_of_units_do_not_matter(seed: int, shuffle: list[int]) -> None:
    index, frame = tree(), frame_of(seed, 10, missing=0.1)
    errors = errors_of(frame)
    first = robustness(index, frame, JOINT, errors, n=32, seed=1)
    moved = frame.iloc[shuffle]
    again = robustness(index, moved, JOINT, errors[LEAVES[::-1]], n=32, seed=1)
    pd.testing.assert_frame_equal(again.ranks.loc[frame.index], first.ranks)
    names = {code: f"x{9 - i}" for i, code in enumerate(frame.index)}
    other = robustness(index, frame.rename(index=names), JOINT, errors.rename(index=names), n=32,
                       seed=1)  # fmt: skip
    pd.testing.assert_frame_equal(other.ranks.set_axis(frame.index), first.ranks)
    np.testing.assert_array_equal(other.pairwise(), first.pairwise())


@FEW
@given(seed=seeds)
def test_what_is_better_everywhere_is_always_above(seed: int) -> None:
    frame = frame_of(seed, 8)
    frame.loc["u00"] = frame.loc["u01"] + np.array([5.0, -5.0, 5.0, 5.0])  # b: less is better
    result = robustness(tree(), frame, {"weights": 0.9}, n=64, seed=seed % 7)
    assert result.pairwise(["u00", "u01"]).loc["u00", "u01"] == 1
    assert (result.draws["u00"] < result.draws["u01"]).all()


def test_seeds_make_runs_and_runs_agree() -> None:
    index, frame = tree(), frame_of(4, 15)
    errors = errors_of(frame)
    one, two, other = (robustness(index, frame, JOINT, errors, 256, s) for s in (0, 0, 1))
    pd.testing.assert_frame_equal(one.ranks, two.ranks)
    pd.testing.assert_frame_equal(one.shares, two.shares)
    assert (one.draws != other.draws).any(axis=None)
    gaps = one.ranks["rang_median"] - other.ranks["rang_median"]
    assert gaps.abs().max() <= 1


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    index, frame = tree(), frame_of(4, 15)
    whole = robustness(index, frame, JOINT, errors_of(frame), n=64)
    shares = whole.shares
    modules = [
        sys.modules[f"barometre.composite.{x}"]
        for x in ("replications", "rank_draws", "alternative_shares")
    ]
    monkeypatch.setattr(modules[0], "_CELLS", 200)
    monkeypatch.setattr(modules[1], "_CELLS", 50)
    monkeypatch.setattr(modules[2], "_SCORES", 100)
    cut = robustness(index, frame, JOINT, errors_of(frame), n=64)
    pd.testing.assert_frame_equal(cut.ranks, whole.ranks)
    pd.testing.assert_frame_equal(cut.shares, shares, rtol=1e-12)  # sums in another order


# ---- shares of the alternatives ------------------------------------------------------------------


def test_shares_of_bounds_and_data_in_closed_form() -> None:
    """One leaf, score (x + e - low) / 100 with low 0 or 10 and e of deviation 5: half and half."""
    index = Index((Leaf("x", "r", 1, low=0, high=100, clip=None),), (Node("r"),))
    frame = pd.DataFrame({"x": np.linspace(30, 60, 40)})
    bounds = (None, Bounds({"x": (10, 110)}))
    result = robustness(index, frame, {"bounds": bounds}, frame * 0 + 5.0, n=1024)
    shares = result.shares.set_index("alternative")
    assert list(shares.index) == ["bornes", "données"]
    # the generator of the data: forty units average 1 024 squared normals each
    np.testing.assert_allclose(shares["part_score"], 0.5, atol=0.02)
    assert shares.loc["bornes", "part_rang"] == 0  # a common shift moves no rank
    assert shares.loc["données", "part_rang"] == pytest.approx(1, abs=0.05)
    assert shares.loc["bornes", "remarque"] == "change des scores, mais aucun rang"


def test_shares_of_independent_parts_sum_to_one() -> None:
    index, frame = tree(), frame_of(6, 30)
    alone = robustness(index, frame, {"weights": 0.25}, n=512).shares
    assert alone["part_score"].item() == pytest.approx(1, abs=0.05)
    joint = robustness(index, frame, JOINT, errors_of(frame), n=512).shares
    assert list(joint["alternative"]) == ["poids", "normalisation", "agrégation", "données"]
    parts = joint[["part_score", "part_rang", "part_decalage"]]
    assert ((parts >= 0) & (parts <= 1.1)).all(axis=None)
    assert parts["part_score"].sum() > 0.95


def test_what_changes_nothing_is_said() -> None:
    leaves = (Leaf("x", "m", 1, low=0, high=100), Leaf("y", "m", 1, low=0, high=100))
    index = Index(leaves, (Node("r"), Node("m", "r")))
    frame = frame_of(2, 10).rename(columns={"a": "x", "b": "y"})[["x", "y"]]
    same = Bounds({"x": (0, 100)}, reference="mêmes")
    result = robustness(
        index,
        frame,
        {"weights": 0.25, "aggregate": ["arithmetic", 1.0], "bounds": (None, same)},
        pd.DataFrame({"x": 1.0}, index=frame.index),
        n=50,
    )
    shares = result.shares.set_index("alternative")
    for name in ("agrégation", "bornes"):
        assert (shares.loc[name, ["part_score", "part_rang", "part_decalage"]] == 0).all()
        assert shares.loc[name, "remarque"] == "ne change rien"
    assert shares.loc["poids", "remarque"] == ""
    told = dict(zip(*(result.remarks[name] for name in result.remarks), strict=True))
    assert told["y"] == "absente de data_error : tenue pour exacte"
    assert told["n"] == "50 réplications demandées, 64 faites (puissance de deux)"
    assert {"agrégation", "bornes"} <= set(told)
    single = robustness(index, frame, {"normalise": ["zscore"]}, n=4).shares
    said = "ne change rien : 1 option, la même dans toutes les réplications"
    assert single["remarque"].tolist() == [said]


def test_a_mean_may_change_in_one_node_only() -> None:
    index, frame = tree(), frame_of(8, 10)
    options = [None, {"n": "geometric"}]
    result = robustness(index, frame, {"aggregate": options}, n=8, keep_scores=True)
    assert set(result.choices["agregation"]) == {"déclarée", "n : geometric"}
    other = Index(index.leaves, tuple(
        Node(x.id, x.parent, x.weight, "geometric" if x.id == "n" else x.aggregate)
        for x in index.nodes
    ))  # fmt: skip
    row = int(np.flatnonzero(result.choices["agregation"] == "n : geometric")[0])
    assert result.scores is not None
    np.testing.assert_array_equal(result.scores.iloc[row], other.score(frame).table["r"])


# ---- edges --------------------------------------------------------------------------------------


def test_z_scores_far_below_are_held_under_a_geometric_mean() -> None:
    """A unit 7 standard deviations down would have a negative T-score."""
    frame = frame_of(0, 60)
    frame.loc["u00", "a"] = -3000.0
    index = tree()
    result = robustness(index, frame, {"normalise": ["zscore"], "aggregate": "geometric"}, n=1,
                        keep_scores=True)  # fmt: skip
    assert (
        index.with_options(normalise="zscore", out=(50, 10)).score(frame).normalised.min().min() < 0
    )
    assert result.scores is not None
    assert result.scores.notna().all(axis=None)


def test_few_units_and_missing_scores() -> None:
    index = tree(min_available=0.9)
    goal = index.with_bounds(Bounds(dict.fromkeys(LEAVES, (0, 100))))
    frame = frame_of(1, 5)
    frame.loc["u02", "d"] = np.nan
    result = robustness(goal, frame, {"weights": 0.25}, errors_of(frame), n=16)
    assert result.ranks.loc["u02"].isna().all()
    assert (result.draws["u02"] == 0).all()
    assert result.ranks["rang"].max() == 4
    chances = result.pairwise()
    assert chances.loc["u02"].drop("u02").isna().all()
    alone = robustness(goal, frame.head(1), {"weights": 0.25}, n=16)
    assert (alone.ranks[["rang", "rang_min", "rang_max", "groupe"]] == 1).all(axis=None)
    empty = robustness(goal, frame.head(0), JOINT, errors_of(frame.head(0)), n=16)
    assert empty.ranks.empty
    assert empty.pairwise().empty
    assert (empty.shares[["part_score", "part_rang"]] == 0).all(axis=None)


def test_draws_without_a_logarithm_are_told() -> None:
    index = Index((Leaf("x", "r", 1, transform="log", low=1, high=100),), (Node("r"),))
    frame = pd.DataFrame({"x": [2.0, 50.0, 80.0]}, index=[*"abc"])
    result = robustness(index, frame, data_error=frame * 0 + 2.0, n=64)
    lost = int((result.draws["a"] == 0).sum())
    assert 0 < lost < 64
    told = dict(zip(*(result.remarks[name] for name in result.remarks), strict=True))
    assert told["a"] == f"sans score dans {lost} réplications sur 64"
    assert result.ranks.loc["a", "rang_max"] == 3


def test_denominators_leave_missing_values_missing() -> None:
    frame = frame_of(0, 6, missing=0.3)
    error = {"denominators": frame * 0 + 100}
    data = draws_of(LEAVES, frame.to_numpy().T, frame.index, DataError.read(error), seed=0)
    np.testing.assert_array_equal(np.isnan(data.take([0])[0].T), frame.isna())


@pytest.mark.parametrize(
    ("alternatives", "match"),
    [
        ({"weights": 25}, "0.25 pour ± 25 %"),
        ({"weights": -0.1}, "écart relatif"),
        ({"weights": np.nan}, "écart relatif"),
        ({"poids": 0.25}, "alternative « poids » inconnu"),
        ({"normalise": ["min-max"]}, "Vouliez-vous dire « minmax »"),
        ({"normalise": []}, "aucune option"),
        ({"normalise": ["minmax", "minmax"]}, "en double"),
        ({"aggregate": ["geometrique"]}, "geometric"),
        ({"aggregate": [{"zz": "geometric"}]}, "zz : pas un nœud"),
        ({"bounds": [{"a": (0, 1)}]}, "bounds refusée"),
        ({"bounds": [Bounds({"zz": (0, 1)})]}, "zz : aucune feuille"),
        ({"normalise": ["zscore"], "bounds": [Bounds({"a": (0, 1)})]}, "a : aucune feuille"),
        ({"normalise": ["goalposts"]}, "bornes de « a » à fixer"),
        (0.25, "donner Alternatives"),
    ],
)
def test_alternatives_are_checked(alternatives: Any, match: str) -> None:
    with pytest.raises(BarometreError, match=match):
        robustness(tree(), frame_of(0, 5), alternatives, n=4)


def test_leaves_already_normalised_keep_their_values() -> None:
    with pytest.raises(FaultsError, match=r"a : déjà normalisée[\s\S]*d : déjà"):
        robustness(tree(normalise=None, out=None), frame_of(0, 5), {"normalise": ["zscore"]}, n=4)


@pytest.mark.parametrize(
    ("error", "match"),
    [
        (frame_of(0, 5) * 0 - 1, "a : 5 valeurs sans erreur-type positive"),
        (frame_of(0, 5).mask(frame_of(0, 5) > 0), "sans erreur-type"),
        (frame_of(0, 4) * 0, r"1 territoire sans erreur \(u04\)"),
        (frame_of(0, 6) * 0, r"1 territoire absents du tableau \(u05\)"),
        (frame_of(0, 5).assign(zz=1.0), "pas de feuille zz"),
        ({"standard_error": frame_of(0, 5)}, "Vouliez-vous dire « standard_errors »"),
        ({"denominators": frame_of(0, 5) * 0}, "sans dénominateur positif"),
        ({"denominators": frame_of(0, 5) * 0 + 9, "scale": 1}, "hors de 0-1"),
        ({"denominators": frame_of(0, 5) * 0 + 9, "scale": 0}, "scale 0 refusé"),
        ({"standard_errors": frame_of(0, 5), "denominators": frame_of(0, 5)}, "garder l'un"),
        ({"standard_errors": 3.0}, "pas un DataFrame"),
        (3.0, "DataFrame d'erreurs-types"),
    ],
)
def test_data_errors_are_checked(error: Any, match: str) -> None:
    with pytest.raises(BarometreError, match=match):
        robustness(tree(), frame_of(0, 5), data_error=error, n=4)


@pytest.mark.parametrize(
    "options", [{"n": 0}, {"n": 2.5}, {"seed": -1}, {"seed": True}, {"level": 1}, {"level": 90}]
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(BarometreError, match=next(iter(options))):
        robustness(tree(), frame_of(0, 5), **options)


def test_one_year_at_a_time_and_known_units() -> None:
    frame = frame_of(0, 4)
    years = pd.concat({2019: frame, 2020: frame}, names=["annee", "code"])
    goal = tree().with_bounds(Bounds(dict.fromkeys(LEAVES, (0, 100))))
    with pytest.raises(BarometreError, match=r"plusieurs années \(2019, 2020\)"):
        robustness(goal, years, n=4)
    one = robustness(goal, years.loc[[2019]], {"weights": 0.25}, n=4)
    assert one.ranks.index.equals(years.loc[[2019]].index)
    with pytest.raises(BarometreError, match="u0 » sans score"):
        robustness(goal, frame, n=4).pairwise(["u0"])
    with pytest.raises(UnknownNameError, match="champ de data_error"):
        DataError.read({"zz": 1})


def test_inputs_are_left_alone() -> None:
    frame = frame_of(0, 6)
    errors = errors_of(frame)
    before, spread = frame.copy(), errors.copy()
    robustness(tree(), frame, JOINT, errors, n=8).shares  # noqa: B018
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(errors, spread)


def test_names_give_functions() -> None:
    import barometre.composite as composite

    assert callable(composite.robustness)
    assert callable(composite.audit)


# ---- chart --------------------------------------------------------------------------------------


def test_the_chart_shows_ranks_intervals_and_groups() -> None:
    frame = frame_of(9, 12)
    result = robustness(tree(), frame, JOINT, errors_of(frame), n=128)
    ax = plots.rank_intervals(result, labels=pd.Series({"u00": "Denain"}))
    rows = result.ranks.sort_values("rang")
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == [{"u00": "Denain"}.get(code, code) for code in rows.index]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    (bars,) = ax.collections
    spans = [(segment[0][0], segment[1][0]) for segment in bars.get_segments()]  # type: ignore[attr-defined]
    assert spans == [*zip(rows["rang_min"], rows["rang_max"], strict=True)]
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert list(dots.get_xdata()) == rows["rang"].tolist()  # type: ignore[arg-type]
    wide = [len(list(run)) for _, run in itertools.groupby(rows["groupe"])]
    assert len(ax.patches) == sum(size > 1 for size in wide) > 0
    legend = ax.get_legend()
    assert legend is not None
    said = {text.get_text() for text in legend.get_texts()}
    assert {"intervalle à 90 % des réplications", "statistiquement à égalité"} <= said
    plt.close("all")


def test_the_chart_of_some_territories_on_a_given_axes() -> None:
    result = robustness(tree(), frame_of(9, 5), n=4)
    _, ax = plt.subplots()
    drawn = plots.rank_intervals(result.ranks, territories=["u03", "u01"], lang="en", ax=ax)
    assert drawn is ax
    assert len(ax.get_yticklabels()) == 2
    assert ax.get_title(loc="left") == "Ranks and their interval"
    assert not ax.patches
    with pytest.raises(BarometreError, match="absents des rangs : zz"):
        plots.rank_intervals(result, territories=["zz"])
    with pytest.raises(BarometreError, match="sans rang_median"):
        plots.rank_intervals(result.ranks.drop(columns="rang_median"))
    with pytest.raises(BarometreError, match="aucun territoire"):
        plots.rank_intervals(result.ranks.head(0))
    plt.close("all")
