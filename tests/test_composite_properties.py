"""What holds for any index: invariance, permutation, order of means, exact splits."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import factorial

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from barometre.composite import Index, Leaf, Node
from barometre.composite.score.means import aggregate_tree, power_mean
from barometre.composite.score.normalise import normalise_tree, scale_of, transformed
from barometre.composite.tree.parts import Normalise
from barometre.composite.tree.ties import tied_ranks

POWERS = [1.0, 0.0, -1.0, 2.0, 0.5, -2.0]
LEAVES = ["a", "b", "c", "d", "e"]
NORMALISE: list[Normalise] = ["minmax", "zscore", "percentile"]
FEW = settings(max_examples=25)  # every example scores several tables
powers = st.sampled_from(POWERS)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def indices(draw: st.DrawFn, *, normalise: Normalise = "goalposts") -> Index:
    """Draw a tree: a root over d, e and one node, itself over a, b and c."""
    weight = st.integers(0, 5)
    nodes = (
        Node("root", None, 1, draw(powers), draw(st.sampled_from([0, 0.5, 1]))),
        Node(
            "node",
            "root",
            2,
            draw(powers),
            draw(st.sampled_from([0, 0.5])),
            draw(st.none() | st.just(0.0)),
        ),
    )
    leaves = []
    for name in LEAVES:
        leaf = Leaf(
            name, "node" if name in "abc" else "root", draw(st.sampled_from([1, -1])), draw(weight)
        )
        if normalise == "goalposts":
            low = draw(st.integers(1, 40))
            leaf = replace(leaf, low=low, high=low + draw(st.integers(1, 60)))
            leaf = replace(leaf, transform="log") if draw(st.booleans()) else leaf
        else:
            leaf = replace(leaf, normalise=normalise)
        leaves.append(leaf)
    assume(sum(leaf.weight for leaf in leaves[:3]))
    return Index(tuple(leaves), nodes)


def frame_of(seed: int, units: int, missing: float = 0.1) -> pd.DataFrame:
    """Draw values around the bounds, ties and missing values included."""
    rng = np.random.default_rng(seed)
    values = rng.choice([rng.uniform(0, 110, (units, 5)), rng.integers(0, 110, (units, 5))])
    values = np.where(rng.random(values.shape) < missing, np.nan, values)
    return pd.DataFrame(values, index=[f"u{i}" for i in range(units)], columns=LEAVES)


@FEW
@given(index=indices(), seed=seeds, units=st.integers(1, 12), more=st.integers(1, 40))
def test_with_fixed_bounds_a_new_unit_or_year_changes_no_other_score(
    index: Index, seed: int, units: int, more: int
) -> None:
    """Not even the last digit: each score rests on its own row."""
    whole = frame_of(seed, units + more)
    pd.testing.assert_frame_equal(
        index.score(whole.head(units)).table, index.score(whole).table.head(units), check_exact=True
    )
    years = whole.set_axis(
        pd.MultiIndex.from_product([whole.index, [2019]], names=["code", "annee"])
    )
    later = years.rename(index={2019: 2020}, level="annee") + 1
    both = index.score(pd.concat([later, years]))
    before = index.score(years)
    pd.testing.assert_frame_equal(both.table.loc[years.index], before.table, check_exact=True)
    pd.testing.assert_frame_equal(both.ranks.loc[years.index], before.ranks)


@FEW
@given(index=indices(normalise="minmax"), seed=seeds, units=st.integers(2, 12))
def test_observed_bounds_once_kept_give_the_same_scores(
    index: Index, seed: int, units: int
) -> None:
    frame = frame_of(seed, units)
    assume((frame.min() < frame.max()).all())
    fixed = index.with_bounds(index.observe(frame))
    pd.testing.assert_frame_equal(
        index.score(frame).table, fixed.score(frame).table, check_exact=True
    )
    assert fixed.score(frame.head(1)).table.iloc[0].equals(index.score(frame).table.iloc[0])


@FEW
@given(index=indices(), seed=seeds, units=st.integers(1, 8), order=st.permutations(range(7)))
def test_order_of_rows_and_branches_does_not_matter(
    index: Index, seed: int, units: int, order: list[int]
) -> None:
    frame = frame_of(seed, units)
    scores = index.score(frame)
    shuffled = frame.sample(frac=1, random_state=seed % 1000)[LEAVES[::-1]]
    again = index.score(shuffled)
    pd.testing.assert_frame_equal(again.table.loc[frame.index], scores.table, check_exact=True)
    pd.testing.assert_frame_equal(again.ranks.loc[frame.index], scores.ranks)
    parts = [*index.leaves, *index.nodes]
    turned = [parts[i] for i in order]
    other = Index(
        tuple(x for x in turned if isinstance(x, Leaf)),
        tuple(x for x in turned if isinstance(x, Node)),
    )
    # sums in another order: equal but for rounding
    pd.testing.assert_frame_equal(
        other.score(frame).table[list(scores.table)], scores.table, rtol=1e-12, atol=1e-15
    )


@FEW
@given(index=indices(), seed=seeds, factor=st.sampled_from([0.5, 4.0, 1024.0]))
def test_only_the_shares_of_weights_matter(index: Index, seed: int, factor: float) -> None:
    frame = frame_of(seed, 6)
    weights = {leaf.id: leaf.weight * factor for leaf in index.leaves if leaf.parent == "node"}
    other = index.with_weights(weights).score(frame).table
    pd.testing.assert_frame_equal(other, index.score(frame).table, rtol=1e-13)


@FEW
@given(index=indices(), seed=seeds)
def test_a_score_lies_between_its_components(index: Index, seed: int) -> None:
    scores = index.score(frame_of(seed, 8)).table
    for node in index.upward:
        names = [n for n, share in index.shares(node.id).items() if share > 0]
        floor = index.floors[node.id] if node.power <= 0 else 0.0
        inside = scores[names].clip(lower=floor)
        mean, slack = scores[node.id], 1e-12  # a mean of equal values, to rounding
        assert not (mean < inside.min(axis=1) - slack).any()
        assert not (mean > inside.max(axis=1) + slack).any()


@FEW
@given(index=indices(), seed=seeds, leaf=st.sampled_from(LEAVES))
def test_a_better_value_never_lowers_the_score(index: Index, seed: int, leaf: str) -> None:
    frame = frame_of(seed, 6, missing=0)
    direction = next(x.direction for x in index.leaves if x.id == leaf)
    better = frame.assign(**{leaf: (frame[leaf] + 7 * direction).clip(lower=0.5)})
    better[leaf] = better[leaf].where(
        better[leaf] * direction >= frame[leaf] * direction, frame[leaf]
    )
    log = next(x.transform for x in index.leaves if x.id == leaf)
    kept = (frame[leaf] > 0) | (log is None)  # a value without logarithm is missing, not low
    before, after = index.score(frame).table["root"], index.score(better).table["root"]
    assert not (after < before - 1e-12)[kept].any()


@given(seed=seeds, p=st.floats(-8, 8), gap=st.floats(0, 4))
def test_a_power_mean_grows_with_its_power(seed: int, p: float, gap: float) -> None:
    rng = np.random.default_rng(seed)
    values, weights = list(rng.uniform(0.01, 100, (4, 3))), rng.uniform(0, 2, 4)
    low, high = (power_mean(values, weights, power=power) for power in (p, p + gap))
    assert (high >= low * (1 - 1e-12)).all()  # rounding


@given(seed=seeds, p=st.sampled_from([*POWERS, 3.7, -0.25, 1e-9, 60.0, -60.0]))
def test_power_means_are_those_of_scipy(seed: int, p: float) -> None:
    rng = np.random.default_rng(seed)
    values, weights = rng.uniform(0.01, 100, (4, 5)), rng.uniform(0.1, 2, 4)
    ours = power_mean(list(values), weights, power=p)
    wanted = stats.pmean(values, p, axis=0, weights=np.tile(weights[:, None], 5))
    # scipy's sum of powers loses digits as the power nears 0
    np.testing.assert_allclose(ours, wanted, rtol=1e-6 if p == 1e-9 else 1e-12)


# ---- normalisation ------------------------------------------------------------------------------


@FEW
@given(
    index=st.sampled_from(NORMALISE).flatmap(lambda n: indices(normalise=n)),
    seed=seeds,
    scale=st.sampled_from([0.125, 2.0, 64.0]),
    shift=st.integers(-50, 50),
)
def test_observed_scales_forget_units_of_measure(
    index: Index, seed: int, scale: float, shift: int
) -> None:
    frame = frame_of(seed, 9)
    other = index.with_options(aggregate="arithmetic")
    one, two = (other.score(f).normalised for f in (frame, frame * scale + shift))
    pd.testing.assert_frame_equal(one, two, rtol=1e-9, atol=1e-9)  # the shift costs digits


@FEW
@given(seed=seeds, units=st.integers(2, 12))
def test_ends_and_moments_of_the_scales(seed: int, units: int) -> None:
    frame = frame_of(seed, units)
    assume((frame.min() < frame.max()).all())
    flat = Index(
        tuple(Leaf(n, "r", 1, normalise="minmax", out=(10, 30)) for n in LEAVES), (Node("r"),)
    )
    observed = flat.score(frame).normalised
    assert observed.min().tolist() == [10] * 5
    np.testing.assert_allclose(observed.max(), 30, rtol=1e-15)
    standard = flat.with_options(normalise="zscore", out=(100, 10)).score(frame).normalised
    np.testing.assert_allclose(standard.mean(), 100, rtol=1e-12)
    np.testing.assert_allclose(standard.std(), 10, rtol=1e-10)
    ranks = flat.with_options(normalise="percentile", out=(0, 1)).score(frame).normalised
    wanted = (frame.rank(method="min") - 1) / (frame.count() - 1)
    pd.testing.assert_frame_equal(ranks, wanted, rtol=1e-15)


@given(values=st.lists(st.integers(-5, 5) | st.none(), max_size=12))
def test_ranks_are_those_of_scipy(values: list[int | None]) -> None:
    array = np.array([np.nan if v is None else v for v in values], dtype=float)
    for ascending in (True, False):
        ranks = tied_ranks(array, ascending=ascending)
        known = array[~np.isnan(array)] * (1 if ascending else -1)
        np.testing.assert_array_equal(ranks[~np.isnan(array)], stats.rankdata(known, method="min"))
        np.testing.assert_array_equal(np.isnan(ranks), np.isnan(array))


@given(seed=seeds, share=st.sampled_from([1e-13, -1e-13]))
def test_ranks_do_not_see_rounding(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice([0.1, 0.7, 5.1, 300.0], size=(3, 10))
    blurred = values * (1 + share * rng.random(values.shape))
    np.testing.assert_array_equal(tied_ranks(blurred), tied_ranks(values))


@pytest.mark.parametrize(("other", "rank"), [(90.5, 1), (89.5, 2)])
def test_the_tolerance_is_a_share_of_the_larger_of_two_neighbours(other: float, rank: int) -> None:
    for sign in (1, -1):
        values = sign * np.array([100, other])
        ranks = tied_ranks(values, tolerance=0.1, ascending=sign < 0)
        assert ranks.tolist() == [1, rank]


@given(seed=seeds, scale=st.sampled_from([1e-18, 1e-9, 1e9]))
def test_ranks_do_not_see_the_unit(seed: int, scale: float) -> None:
    values = np.random.default_rng(seed).choice([0.0, 0.1, 0.3, 0.7, 5.1], size=(2, 10))
    np.testing.assert_array_equal(tied_ranks(scale * values), tied_ranks(values))


# ---- replications -------------------------------------------------------------------------------


@FEW
@given(
    index=indices() | indices(normalise="minmax"),
    seed=seeds,
)
def test_replications_are_the_same_as_one_at_a_time(index: Index, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [frame_of(seed + i, 6) for i in range(4)]
    weights = index.weights * rng.uniform(0.75, 1.25, (4, len(index.columns)))
    values = normalise_tree(index, np.stack([frame.to_numpy() for frame in frames]))
    together = aggregate_tree(index, values, weights=weights)
    for r, frame in enumerate(frames):
        given_weights = dict(zip(index.columns, map(float, weights[r]), strict=True))
        alone = index.with_weights(given_weights).score(frame).table
        for name in index.columns:
            np.testing.assert_array_equal(together[name][r], alone[name])
        np.testing.assert_array_equal(
            tied_ranks(together["root"])[r], tied_ranks(alone["root"].to_numpy())
        )
    # weights by replication over the same values
    same = aggregate_tree(index, values[0], weights=weights)["root"]
    np.testing.assert_array_equal(same[0], together["root"][0])
    assert same.shape == (4, 6)


def test_a_replication_may_bring_its_own_scale() -> None:
    leaf = Leaf("a", "r", 1, low=0, high=10)
    index = Index((leaf,), (Node("r"),))
    values = np.array([[2.0], [5.0]])
    low, high = scale_of(transformed(values.T, leaf), leaf)
    scales = {"a": (low + np.array([[0.0], [1.0]]), high + np.array([[0.0], [3.0]]))}
    moved = normalise_tree(index, np.broadcast_to(values, (2, 2, 1)), scales)
    np.testing.assert_allclose(moved[..., 0], [[0.2, 0.5], [1 / 12, 4 / 12]])


# ---- contributions ------------------------------------------------------------------------------


@FEW
@given(index=indices(), seed=seeds)
def test_contributions_sum_to_scores_and_gaps(index: Index, seed: int) -> None:
    frame = frame_of(seed, 5)
    scores = index.score(frame)
    for node in ("root", "node"):
        score = scores.table[node]
        own = scores.contributions(node)
        np.testing.assert_allclose(own.sum(axis=1, min_count=1), score, rtol=0, atol=1e-12)
        for reference in ("u0", "mean"):
            base = scores.reference_scores(reference)[node]
            if np.isnan(base):
                continue
            leaves = scores.contributions(node, reference)
            children = scores.contributions(node, reference, by="children")
            for split in (leaves, children):
                total = split.sum(axis=1, skipna=False)
                np.testing.assert_allclose(total, score - base, rtol=0, atol=1e-12)
            if node == "root":
                below = leaves[["a", "b", "c"]].sum(axis=1, skipna=False)
                np.testing.assert_allclose(below, children["node"], rtol=0, atol=1e-12)


def shapley(value: dict[tuple[bool, ...], float], players: int) -> list[float]:
    """Give Shapley values from their definition, coalition by coalition."""
    found = []
    for player in range(players):
        total = 0.0
        for coalition in itertools.product([False, True], repeat=players):
            if coalition[player]:
                continue
            size = sum(coalition)
            chance = factorial(size) * factorial(players - size - 1) / factorial(players)
            joined = tuple(x or i == player for i, x in enumerate(coalition))
            total += chance * (value[joined] - value[coalition])
        found.append(total)
    return found


@FEW
@given(power=st.sampled_from([-1.0, 0.5, 3.0]), seed=seeds)
def test_one_level_gives_shapley_values(power: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    leaves = tuple(Leaf(n, "r", 1, float(rng.integers(1, 5)), normalise=None) for n in LEAVES[:4])
    index = Index(leaves, (Node("r", aggregate=power, floor=0),))
    frame = pd.DataFrame(rng.uniform(0, 10, (2, 4)), index=["v", "r"], columns=LEAVES[:4])
    split = index.score(frame).contributions(reference="r").loc["v"]
    states = [*itertools.product([False, True], repeat=4)]
    mixed = pd.DataFrame(np.where(states, frame.loc["v"], frame.loc["r"]), columns=LEAVES[:4])
    worth = dict(zip(states, index.score(mixed).table["r"], strict=True))
    np.testing.assert_allclose(split, shapley(worth, 4), rtol=0, atol=1e-13)


@FEW
@given(index=indices(), seed=seeds)
def test_two_levels_give_owen_values(index: Index, seed: int) -> None:
    """The mean over the orders of arrival in which the leaves of a node arrive together."""
    frame = frame_of(seed, 2, missing=0).clip(lower=0.5)
    scores = index.score(frame)
    names = [*LEAVES]
    states = [*itertools.product([False, True], repeat=5)]
    mixed = pd.DataFrame(np.where(states, frame.loc["u0"], frame.loc["u1"]), columns=names)
    worth = dict(zip(states, index.score(mixed).table["root"], strict=True))
    orders = [
        order
        for order in itertools.permutations(range(5))
        if max(order.index(i) for i in range(3)) - min(order.index(i) for i in range(3)) == 2
    ]
    parts: NDArray[np.float64] = np.zeros(5)
    for order in orders:
        there = [False] * 5
        for leaf in order:
            before = worth[tuple(there)]
            there[leaf] = True
            parts[leaf] += (worth[tuple(there)] - before) / len(orders)
    kinds = {(node.power, index.floors[node.id]) for node in index.nodes}
    if len(kinds) == 1 and kinds.pop()[0] in (0, 1):
        return  # the log split is not a Shapley value; the additive one is tested by hand
    split = scores.contributions(reference="u1").loc["u0", names]
    np.testing.assert_allclose(split, parts, rtol=0, atol=1e-12)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_nested_splits_of_one_kind_of_mean_are_those_of_effective_weights(power: float) -> None:
    rng = np.random.default_rng(5)
    leaves = tuple(
        Leaf(n, "node" if n in "abc" else "root", 1, float(i + 1), normalise=None)
        for i, n in enumerate(LEAVES)
    )
    nested = Index(leaves, (Node("root", aggregate=power), Node("node", "root", 2, power)))
    shares = nested.effective_weights[LEAVES]
    flat = Index(
        tuple(replace(x, parent="root", weight=float(shares[x.id])) for x in leaves),
        (nested.nodes[0],),
    )
    frame = pd.DataFrame(rng.uniform(1, 10, (6, 5)), columns=LEAVES)
    one, two = (index.score(frame).contributions(reference=0) for index in (nested, flat))
    pd.testing.assert_frame_equal(one, two, rtol=1e-12, atol=1e-14)
