"""Rank intervals: brute force on small tables, closed forms, what is taken as exact."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

import barometre as bcs
from barometre.compare.ranks import Method, _places, rank
from tests.test_ranking import CLOSE, NAN, NEUTRAL, POVERTY, WORK, ZERO, tidy

REGISTER = "part_plus_2_ans_defm"


def limits(frame: pd.DataFrame, **options: Any) -> list[tuple[float, float]]:
    found = rank(frame, **({"method": "montecarlo"} | options))
    return list(zip(found["rang_min"], found["rang_max"], strict=True))


def bounded(
    values: list[float], low: Sequence[float], high: Sequence[float], **how: Any
) -> pd.DataFrame:
    return tidy(values, **how).assign(borne_inf=low, borne_sup=high)


def test_disjoint_intervals_leave_no_doubt() -> None:
    results = bounded([10.0, 20.0, 30.0], [9, 19, 29], [11, 21, 31])
    for method in ("overlap", "montecarlo"):
        assert limits(results, method=method) == [(3, 3), (2, 2), (1, 1)]


def test_intervals_that_meet_leave_both_places() -> None:
    results = bounded([10.0, 20.0, 30.0], [5, 15, 29], [15, 25, 31])
    assert limits(results, method="overlap") == [(2, 3), (2, 3), (1, 1)]


def test_territories_without_bounds_have_no_interval_and_are_taken_as_exact() -> None:
    results = bounded([10.0, 20.0, 30.0], [5, NAN, 5], [25, NAN, 35])
    found = rank(results, method="overlap")
    assert found["rang_min"].tolist() == pytest.approx([1, NAN, 1], nan_ok=True)
    assert found["rang_max"].tolist() == pytest.approx([3, NAN, 3], nan_ok=True)
    assert found["note"].notna().tolist() == [True, False, True]
    assert found["note"][0].startswith("territoires sans intervalle tenus pour exacts")
    assert rank(results, intervals=False)[["rang_min", "rang_max"]].isna().all(axis=None)
    assert rank(results, ties="dense")[["rang_min", "rang_max"]].isna().all(axis=None)
    assert rank(results, intervals=False)["note"].isna().all()


def score(value: float, indicator: str) -> float:
    sens = bcs.indicator_card(indicator).sens
    target = {"proche_de_zero": 0.0, "proche_de_50": 50.0}
    if sens in target:
        return -abs(value - target[sens])
    return -value if sens == "hausse_defavorable" else value


def surely_better(one: Any, other: Any, indicator: str) -> bool:
    """Whether the worst end of one beats every point of the other, looked at point by point."""
    ends = min(score(one.borne_inf, indicator), score(one.borne_sup, indicator))
    best = max(score(x, indicator) for x in np.linspace(other.borne_inf, other.borne_sup, 2001))
    return ends > best + 1e-6


INTERVALS = st.tuples(st.integers(0, 100), st.integers(0, 30), st.integers(0, 30))


@settings(max_examples=40)
@given(
    st.lists(INTERVALS, min_size=1, max_size=7),
    st.sampled_from([WORK, POVERTY, CLOSE, ZERO, NEUTRAL, REGISTER]),
)
def test_overlap_is_counting_those_that_are_surely_better_or_worse(
    intervals: list[tuple[int, int, int]], indicator: str
) -> None:
    values = [float(v) for v, _, _ in intervals]
    low = [v - a for v, a, _ in intervals]
    high = [v + b for v, _, b in intervals]
    results = bounded(values, low, high, indicator=indicator)
    found = rank(results, method="overlap", ties="min")
    rows = list(results.itertuples())
    for mine, row in zip(rows, found.itertuples(), strict=True):
        better = sum(surely_better(other, mine, indicator) for other in rows)
        worse = sum(surely_better(mine, other, indicator) for other in rows)
        assert (row.rang_min, row.rang_max) == (1 + better, len(rows) - worse)


Z = 1.959963984540054  # of the normal law at 97.5 %


def test_draws_of_two_territories_follow_the_normal_law() -> None:
    """Half a standard error of the difference apart: the worse one is first in 31 % of draws."""
    share = 0.5 * math.erfc(0.5 / math.sqrt(2))
    assert share == pytest.approx(0.3085, abs=1e-4)
    values = [50.0, 50.0 + 0.5 * math.sqrt(2)]
    # 20 000 draws leave a standard error of 0.0033 on that share: five of them on each side.
    for tail, best in ((share - 0.0165, 1), (share + 0.0165, 2)):
        half = NormalDist().inv_cdf(1 - tail)  # of intervals of that level, for errors of 1
        results = bounded(values, [v - half for v in values], [v + half for v in values])
        assert limits(results, level=1 - 2 * tail, draws=20_000)[0] == (best, 2)


def brute_montecarlo(results: pd.DataFrame, draws: int, seed: int) -> list[tuple[int, int]]:
    """Ranks counted draw by draw, with other random numbers."""
    rng = np.random.default_rng(seed)
    rows = results[["valeur", "borne_inf", "borne_sup"]].to_numpy().tolist()
    all_ranks = []
    for _ in range(draws):
        drawn = []
        for value, low, high in rows:
            normal = rng.standard_normal()
            drawn.append(value + normal * (high - value if normal > 0 else value - low) / Z)
        all_ranks.append([1 + sum(other > one for other in drawn) for one in drawn])
    columns = np.sort(np.array(all_ranks), axis=0)
    low_place, high_place = math.ceil(0.025 * draws) - 1, math.ceil(0.975 * draws) - 1
    return [(int(column[low_place]), int(column[high_place])) for column in columns.T]


def test_the_upper_limit_of_two_draws_is_the_worse_one() -> None:
    """The first of two is second at least once in 1 - 0.548**2 = 70 % of pairs of draws."""
    pair = bounded([10.0, 10.5], [8, 8.5], [12, 12.5], indicator=WORK)
    second = sum(limits(pair, level=0.5, draws=2, seed=seed)[1][1] == 2 for seed in range(24))
    assert 10 <= second <= 23  # three standard deviations on each side of 16.8


def test_montecarlo_is_that_of_counting_draw_by_draw() -> None:
    # Values such that no quantile is near the frontier between two ranks.
    results = bounded(
        [10.0, 12.0, 20.0, 21.0, 40.0], [6, 10, 14, 20, 38], [13, 19, 24, 23, 41], indicator=WORK
    )
    found = limits(results, draws=4000)
    assert found == brute_montecarlo(results, 4000, 7)
    assert len(set(found)) > 2


def test_a_register_is_drawn_uniformly_between_its_bounds() -> None:
    """The order is reversed in 8 % of the draws (1² / 2 over 2.5²); 14 % with a normal law."""
    results = bounded([10.25, 11.75], [9.0, 10.5], [11.5, 13.0], indicator=REGISTER)
    assert bcs.indicator_card(REGISTER).sens == "hausse_defavorable"
    assert limits(results, level=0.8, draws=20_000) == [(1, 1), (2, 2)]  # 8 % < 10 %
    assert limits(results, level=0.88, draws=20_000) == [(1, 2), (1, 2)]  # 8 % > 6 %
    assert limits(results.assign(indicateur=WORK), level=0.8, draws=20_000) == [(1, 2), (1, 2)]


def test_an_estimate_from_a_register_is_no_rounding() -> None:
    """Bounds of `shrink` are left as those of a sample are, whatever the source of the counts."""
    results = bounded([10.25, 11.75], [9.0, 10.5], [11.5, 13.0], indicator=REGISTER)
    estimated = results.assign(origine="estime")
    assert limits(estimated, level=0.8, draws=20_000) == [(1, 2), (1, 2)]  # 14 % > 10 %
    sampled = bcs.gap(estimated, "b").loc[0]
    half = math.hypot(1.25, 1.25)  # square and add; 1.25 + 1.25 for a rounding
    assert [sampled["ecart_inf"], sampled["ecart_sup"]] == pytest.approx([-1.5 - half, -1.5 + half])


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=5),
    st.sets(st.integers(0, 3)),
)
def test_places_are_those_of_scipy(scores: list[list[int]], drawn: set[int]) -> None:
    """Whichever scores are drawn, the others being the same in every draw."""
    score, moving = np.array(scores, dtype=np.float64), np.array(sorted(drawn), dtype=np.intp)
    every = np.tile(score[0], (len(score), 1))
    every[:, moving] = score[:, moving]
    found = _places(score[0], moving, score[:, moving])
    assert (found == rankdata(-every, method="min", axis=1)).all()


def test_equal_exact_values_share_the_place() -> None:
    results = bounded(
        [5.1, 5.1000000000000005, 4.0], [5.1, 5.1, 3.0], [5.1, 5.1000000000000005, 9.0]
    )
    found = rank(results, draws=200, method="montecarlo")
    assert found["rang"].tolist() == [1, 1, 3]
    assert found["rang_min"].tolist() == [1, 1, 1]
    assert set(found["rang_max"][:2]) == {2}


def test_the_seed_makes_the_draws_and_the_rank_is_always_possible() -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(20, 40, 26)
    results = bounded(list(values), list(values - 6), list(values + 4))
    first, again, other = (
        rank(results, draws=100, method="montecarlo", seed=seed) for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    for method, ties in itertools.product(get_args(Method), ("min", "max", "average")):
        found = rank(results, method=method, ties=ties, draws=100)  # type: ignore[arg-type]  # a str of the cases, for a literal
        assert (found["rang_min"] <= found["rang"]).all()
        assert (found["rang"] <= found["rang_max"]).all()
        assert found["rang_max"].between(1, 26).all()


def test_more_level_is_a_wider_interval_and_montecarlo_is_within_overlap() -> None:
    rng = np.random.default_rng(2)
    values = list(rng.uniform(20, 40, 20))
    results = bounded(values, [v - 3 for v in values], [v + 3 for v in values], indicator=REGISTER)
    narrow, wide = (
        rank(results, level=level, draws=500, method="montecarlo") for level in (0.5, 0.99)
    )
    whole = rank(results, method="overlap")
    for inner, outer in ((narrow, wide), (wide, whole)):
        assert (outer["rang_min"] <= inner["rang_min"]).all()
        assert (inner["rang_max"] <= outer["rang_max"]).all()
