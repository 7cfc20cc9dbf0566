"""Joint uncertainty of an index: designs, shares, rank intervals, pairs and groups."""

from __future__ import annotations

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
from barometre.composite.robust.data_error import draws_of
from barometre.composite.robust.rank_draws import (
    above,
    groups_of,
    intervals_of,
    pairs_above,
    ranks_of,
)
from barometre.composite.robust.sobol import Spread, base_points

mpl.use("Agg")


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


def total_order(base: np.ndarray, changed: list[np.ndarray]) -> np.ndarray:
    sums = Spread.empty(len(changed), np.zeros(base.shape[1:]))
    sums.add(base, changed)
    return sums.shares()


def total_of(function: Any, coordinates: int, points: int) -> np.ndarray:
    one, two = base_points(points, coordinates, seed=3)
    changed = []
    for i in range(coordinates):
        mixed = one.copy()
        mixed[:, i] = two[:, i]
        changed.append(function(mixed))
    return total_order(function(one), changed)


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
    result = robustness(index, frame, alternatives, draws=64, seed=5, keep_scores=True)
    assert result.scores is not None
    assert len(result.choices.drop_duplicates()) == 12
    for row in range(64):
        alone = replayed(result, index, frame, row)
        # z-scores: the sum of a column is rounded according to the order of its rows
        np.testing.assert_allclose(result.scores.iloc[row], alone, rtol=1e-13)
        if result.choices["normalisation"][row] != "zscore":
            np.testing.assert_array_equal(result.scores.iloc[row], alone)
        ranks = (-alone).rank(method="min")
        np.testing.assert_array_equal(result.rank_draws.iloc[row], ranks)


@pytest.mark.parametrize("law", ["standard_errors", "denominators"])
def test_drawn_data_are_scored_with_their_own_scales(law: str) -> None:
    index, frame = tree(), frame_of(1, 9)
    error = DataError(**{law: frame * 0 + 40.0})  # type: ignore[arg-type]  # the law is a name of the cases
    result = robustness(index, frame, JOINT, error, draws=32, seed=2, keep_scores=True)
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
    result = robustness(index, frame, draws=16)
    expected = index.score(frame).ranks["r"]
    for name in ("rang", "rang_min", "rang_max", "rang_median"):
        np.testing.assert_array_equal(result.ranks[name].astype(float), expected.astype(float))
    assert (result.ranks["decalage_moyen"] == 0).all()
    assert result.ranks["groupe"].max() == 20
    chances = result.pairwise().to_numpy()
    assert set(np.unique(chances)) == {0.0, 0.5, 1.0}
    assert result.shares.empty
    same = robustness(index, frame, {"weights": 0}, errors_of(frame, 0), draws=16)
    pd.testing.assert_frame_equal(same.ranks, result.ranks)


@FEW
@given(seed=seeds, shuffle=st.permutations(range(10)))
def test_order_and_labels_of_units_do_not_matter(seed: int, shuffle: list[int]) -> None:
    index, frame = tree(), frame_of(seed, 10, missing=0.1)
    errors = errors_of(frame)
    first = robustness(index, frame, JOINT, errors, draws=32, seed=1)
    moved = frame.iloc[shuffle]
    again = robustness(index, moved, JOINT, errors[LEAVES[::-1]], draws=32, seed=1)
    pd.testing.assert_frame_equal(again.ranks.loc[frame.index], first.ranks)
    names = {code: f"x{9 - i}" for i, code in enumerate(frame.index)}
    other = robustness(index, frame.rename(index=names), JOINT, errors.rename(index=names), draws=32,
                       seed=1)  # fmt: skip
    pd.testing.assert_frame_equal(other.ranks.set_axis(frame.index), first.ranks)
    np.testing.assert_array_equal(other.pairwise(), first.pairwise())


@FEW
@given(seed=seeds)
def test_what_is_better_everywhere_is_always_above(seed: int) -> None:
    frame = frame_of(seed, 8)
    frame.loc["u00"] = frame.loc["u01"] + np.array([5.0, -5.0, 5.0, 5.0])  # b: less is better
    result = robustness(tree(), frame, {"weights": 0.9}, draws=64, seed=seed % 7)
    assert result.pairwise(["u00", "u01"]).loc["u00", "u01"] == 1
    assert (result.rank_draws["u00"] < result.rank_draws["u01"]).all()


def test_seeds_make_runs_and_runs_agree() -> None:
    index, frame = tree(), frame_of(4, 15)
    errors = errors_of(frame)
    one, two, other = (
        robustness(index, frame, JOINT, errors, draws=256, seed=s) for s in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(one.ranks, two.ranks)
    pd.testing.assert_frame_equal(one.shares, two.shares)
    assert (one.rank_draws != other.rank_draws).any(axis=None)
    gaps = one.ranks["rang_median"] - other.ranks["rang_median"]
    assert gaps.abs().max() <= 1


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    index, frame = tree(), frame_of(4, 15)
    whole = robustness(index, frame, JOINT, errors_of(frame), draws=64)
    shares = whole.shares
    modules = [
        sys.modules[f"barometre.composite.robust.{x}"]
        for x in ("replications", "rank_draws", "alternative_shares")
    ]
    monkeypatch.setattr(modules[0], "_CELLS", 200)
    monkeypatch.setattr(modules[1], "_CELLS", 50)
    monkeypatch.setattr(modules[2], "_SCORES", 100)
    cut = robustness(index, frame, JOINT, errors_of(frame), draws=64)
    pd.testing.assert_frame_equal(cut.ranks, whole.ranks)
    pd.testing.assert_frame_equal(cut.shares, shares, rtol=1e-12)  # sums in another order


# ---- shares of the alternatives ------------------------------------------------------------------


def test_shares_of_bounds_and_data_in_closed_form() -> None:
    """One leaf, score (x + e - low) / 100 with low 0 or 10 and e of deviation 5: half and half."""
    index = Index((Leaf("x", "r", 1, low=0, high=100, clip=None),), (Node("r"),))
    frame = pd.DataFrame({"x": np.linspace(30, 60, 40)})
    bounds = (None, Bounds({"x": (10, 110)}))
    result = robustness(index, frame, {"bounds": bounds}, frame * 0 + 5.0, draws=1024)
    shares = result.shares.set_index("alternative")
    assert list(shares.index) == ["bornes", "données"]
    # the generator of the data: forty units average 1 024 squared normals each
    np.testing.assert_allclose(shares["part_score"], 0.5, atol=0.02)
    assert shares.loc["bornes", "part_rang"] == 0  # a common shift moves no rank
    assert shares.loc["données", "part_rang"] == pytest.approx(1, abs=0.05)
    assert shares.loc["bornes", "remarque"] == "change des scores, mais aucun rang"


def test_shares_of_independent_parts_sum_to_one() -> None:
    index, frame = tree(), frame_of(6, 30)
    alone = robustness(index, frame, {"weights": 0.25}, draws=512).shares
    assert alone["part_score"].item() == pytest.approx(1, abs=0.05)
    joint = robustness(index, frame, JOINT, errors_of(frame), draws=512).shares
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
        draws=50,
    )
    shares = result.shares.set_index("alternative")
    for name in ("agrégation", "bornes"):
        assert (shares.loc[name, ["part_score", "part_rang", "part_decalage"]] == 0).all()
        assert shares.loc[name, "remarque"] == "ne change rien"
    assert shares.loc["poids", "remarque"] == ""
    told = dict(zip(*(result.remarks[name] for name in result.remarks), strict=True))
    assert told["y"] == "absente de data_error : tenue pour exacte"
    assert told["draws"] == "50 réplications demandées, 64 faites (puissance de deux)"
    assert {"agrégation", "bornes"} <= set(told)
    single = robustness(index, frame, {"normalise": ["zscore"]}, draws=4).shares
    said = "ne change rien : 1 option, la même dans toutes les réplications"
    assert single["remarque"].tolist() == [said]


def test_a_mean_may_change_in_one_node_only() -> None:
    index, frame = tree(), frame_of(8, 10)
    options = [None, {"n": "geometric"}]
    result = robustness(index, frame, {"aggregate": options}, draws=8, keep_scores=True)
    assert set(result.choices["agregation"]) == {"déclarée", "n : geometric"}
    other = Index(index.leaves, tuple(
        Node(x.id, x.parent, x.weight, "geometric" if x.id == "n" else x.aggregate)
        for x in index.nodes
    ))  # fmt: skip
    row = int(np.flatnonzero(result.choices["agregation"] == "n : geometric")[0])
    assert result.scores is not None
    np.testing.assert_array_equal(result.scores.iloc[row], other.score(frame).table["r"])
