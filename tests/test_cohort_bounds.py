"""Bounds when trends are not parallel: linear programs, exact probabilities, and what cannot move."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import linprog

import barometre as bcs
from barometre.base.arrays import Floats
from barometre.cohort import (
    AttGt,
    Cohort,
    EventStudy,
    HonestBounds,
    att_gt,
    did_imputation,
    event_study,
    honest_bounds,
)
from barometre.cohort.inference.trend_bounds import EventLaw, Pieces, critical_values

mpl.use("Agg")
SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
KEYS: dict[str, Any] = {"person": "id", "wave": "t", "first_treated": "g"}


def law(times: Floats, base: float, seed: int, *, df: float = np.inf) -> EventLaw:
    """Effects drawn, compared with one time."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(len(times), len(times)))
    vcov, estimate, at = root @ root.T / 9, rng.normal(size=len(times)), times == base
    vcov[at, :] = vcov[:, at] = estimate[at] = 0.0
    return EventLaw(times, times, estimate, vcov, lambda w: np.full(len(w), df), 0.0, base)


def pieces(given: EventLaw, event_time: float | None, level: float = 0.95) -> Pieces:
    effect, carried = given.target(event_time)
    return Pieces(given, effect, given.moves()[0], carried, level)


def programmed(given: EventLaw, event_time: float | None, magnitude: float) -> tuple[float, float]:
    """Bounds by two linear programs for each largest move and sign: differences of trend unknown."""
    times, k = given.times, len(given.times)
    chosen = (times >= 0) & ((times == event_time) | (event_time is None))
    effect = chosen / chosen.sum()
    step = np.diff(np.eye(k), axis=0) / np.diff(given.distance)[:, None]
    late = times[1:] >= 0
    equal = [np.eye(k)[i] for i in np.flatnonzero((times < 0) | (times == given.base))]
    known = [given.estimate[i] for i in np.flatnonzero((times < 0) | (times == given.base))]
    found = []
    for largest, sign in product(np.flatnonzero(~late), (1, -1)):
        top = sign * step[largest]
        rows = [s * move - (magnitude if after else 1.0) * top
                for move, after in zip(step, late, strict=True) for s in (1, -1)]  # fmt: skip
        for way in (1, -1):
            made = linprog(
                way * effect, np.array(rows), np.zeros(len(rows)), np.array(equal), known,
                bounds=(None, None),
            )  # fmt: skip
            if made.success:  # else this move is not the largest, or not of this sign
                found.append(float(effect @ given.estimate) - way * made.fun)
    return min(found), max(found)


@pytest.mark.parametrize(
    ("times", "base"),
    [
        ([-2, -1, 0], -1),
        ([-4, -3, -2, -1, 0, 1, 2], -1),
        ([-4, -3, -2, -1, 0, 1], -3),
        ([-6, -4, -1, 0, 2, 3], -1),
    ],
)
@pytest.mark.parametrize("event_time", [None, 0])
def test_the_set_is_that_of_linear_programs(
    times: list[int], base: float, event_time: float | None
) -> None:
    for seed in range(4):
        given = law(np.array(times, float), base, seed)
        ours = [pieces(given, event_time).identified(m) for m in (0.0, 0.5, 2.0)]
        theirs = [programmed(given, event_time, m) for m in (0.0, 0.5, 2.0)]
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


NODES, MASS = np.polynomial.legendre.leggauss(400)


def integral(f: Callable[[Floats], Floats], low: float, high: float) -> float:
    """Integrate a smooth function, by Gauss and Legendre."""
    half = (high - low) / 2
    return float(half * (MASS @ f(low + half * (NODES + 1))))


def both_below(h: float, k: float, correlation: float) -> float:
    """P(X < h and Y < k) of two normal numbers; beyond 10 errors nothing is left."""
    rest = np.sqrt(1 - correlation**2)
    return integral(
        lambda x: stats.norm.pdf(x) * stats.norm.cdf((k - correlation * x) / rest), -10.0, h
    )


def student_both(c: float, correlation: float, df: float) -> float:
    """P(T > c and T' > c), by integrating over the common scale."""
    if np.isinf(df):
        return both_below(-c, -c, correlation)

    def at(scale: Floats) -> Floats:
        there = np.array([both_below(-c * one, -c * one, correlation) for one in scale])
        return np.asarray(there * stats.chi.pdf(scale * df**0.5, df) * df**0.5)

    return integral(at, 0.0, min(6.0, 9.9 / abs(c)))


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.6, 0.95])
@pytest.mark.parametrize("df", [2.0, 7.5, np.inf])
def test_the_critical_value_is_that_of_its_definition(correlation: float, df: float) -> None:
    for alpha in (0.05, 0.2):
        c = float(critical_values(np.array([correlation]), np.array([df]), alpha)[0])
        total = stats.t.sf(c, df) + student_both(c, correlation, df)
        assert total == pytest.approx(alpha, abs=1e-7)


@pytest.mark.parametrize("correlation", [-0.7, 0.0, 0.5, 0.9, 0.99])
def test_no_truth_between_two_ends_is_missed_more_often(correlation: float) -> None:
    """The exact probability, whatever the distance of the ends and the place of the truth."""
    c = float(critical_values(np.array([correlation]), np.array([np.inf]), 0.05)[0])
    worst = 0.0
    for ratio, apart, share in product(
        (1.0, 3.0), (0.0, 0.3, 1.0, 3.0, 9.0), (0, 0.1, 0.5, 0.9, 1)
    ):
        # From the ends a < b, of errors 1 and `ratio`, to the truth, in errors.
        to_a, to_b = share * apart, (1 - share) * apart / ratio
        above = both_below(-c + to_a, -c - to_b, correlation)
        below = both_below(-c - to_a, -c + to_b, correlation)
        worst = max(worst, float(above + below))
    assert worst <= 0.05 + 1e-6
    assert worst > 0.035  # not wide for nothing


@pytest.mark.parametrize("df", [3.0, np.inf])
def test_parallel_trends_give_the_usual_interval(df: float) -> None:
    given = law(np.array([-3.0, -2, -1, 0, 1]), -1, 5, df=df)
    low, high = pieces(given, 1).interval(0.0)
    se = np.sqrt(given.vcov[4, 4])
    half = stats.t.isf(0.025, df) * se
    np.testing.assert_allclose([low, high], given.estimate[4] + np.array([-half, half]), rtol=1e-9)


@settings(max_examples=100 if SLOW else 30)
@given(st.integers(0, 10**6), st.sampled_from([2.0, 9.0, np.inf]), st.integers(1, 5))
def test_allowing_more_says_less_and_the_breakdown_is_where_0_enters(
    seed: int, df: float, before: int
) -> None:
    given_law = law(np.arange(-before - 1.0, 3), -1, seed, df=df)
    given_law = replace(
        given_law, estimate=given_law.estimate + np.where(given_law.times < 0, 0, 3)
    )
    found = pieces(given_law, None)
    bounds = np.array([found.interval(m) for m in np.linspace(0, 3, 9)])
    assert (np.diff(bounds[:, 0]) <= 1e-9).all()
    assert (np.diff(bounds[:, 1]) >= -1e-9).all()
    sets = np.array([found.identified(m) for m in np.linspace(0, 3, 9)])
    assert (bounds[:, 0] <= sets[:, 0]).all()
    assert (bounds[:, 1] >= sets[:, 1]).all()
    limit = found.breakdown()
    excludes = [low > 0 or high < 0 for low, high in bounds]
    if np.isnan(limit):
        assert not excludes[0]
        return
    assert excludes == [bool(m <= limit) for m in np.linspace(0, 3, 9)]
    if np.isfinite(limit):
        low, high = found.interval(limit * (1 + 1e-6) + 1e-9)
        assert low <= 0 <= high


def rows(waves: tuple[int, ...] = (1, 2, 3, 4, 5, 6), *, groups: int = 1) -> pd.DataFrame:
    """12 clusters of people who enter at wave 4, or at waves 4 and 5, or never."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"id": np.repeat(np.arange(60), len(waves)), "t": [*waves] * 60})
    frame["c"] = frame["id"] % 12
    entry = np.where(np.arange(12) < 6, 4 + np.arange(12) % groups, 0)
    frame["g"] = entry[frame["c"]]
    shock = rng.normal(size=(12, 8))
    frame["y"] = shock[frame["c"], frame["t"]] + rng.normal(size=len(frame))
    frame["y"] += 2.0 * ((frame["g"] > 0) & (frame["t"] >= frame["g"]))
    return frame


def tables(*results: AttGt | EventStudy, **options: Any) -> list[Floats]:
    return [honest_bounds(result, **options).table.to_numpy(float) for result in results]


def test_one_date_of_entry_is_the_same_by_every_road() -> None:
    """Errors of people by hand: att_gt with either base and the event study are one regression."""
    varying = att_gt(rows(), "y", cluster="c", se="CR1", **KEYS)
    universal = att_gt(rows(), "y", cluster="c", se="CR1", base="universal", **KEYS)
    study = event_study(rows(), "y", cluster="c", se="CR0", **KEYS)
    other = event_study(rows(), "y", cluster="c", se="CR0", base=-3, **KEYS)
    for event_time in (None, 1):
        a, b, c, d = tables(varying, universal, study, other, event_time=event_time)
        np.testing.assert_allclose(a, b, rtol=1e-9)
        np.testing.assert_allclose(c, d, rtol=1e-9)
        np.testing.assert_allclose(a[:, :3], c[:, :3], rtol=1e-9)
        # CR1 of att_gt multiplies by G / (G - 1) only; both have G - 1 degrees of freedom.
        ratio = np.sqrt(12 / 11)
        np.testing.assert_allclose(a[0, 4] - a[0, 3], (c[0, 4] - c[0, 3]) * ratio, rtol=1e-9)


@pytest.mark.parametrize("se", ["CR2", "CR3"])
@pytest.mark.parametrize("covariates", [[], ["x"]])
def test_any_combination_has_the_degrees_of_freedom_of_the_regression(
    se: Any, covariates: list[str]
) -> None:
    """Those of a study whose base is another time: its effects are combinations of ours."""
    frame = rows(groups=2).assign(x=lambda r: np.sin(r["id"] * r["t"]))
    ours = event_study(frame, "y", cluster="c", se=se, covariates=covariates, **KEYS)
    other = event_study(frame, "y", cluster="c", se=se, covariates=covariates, base=0, **KEYS)
    known = ours.event_law()
    weights = np.eye(len(known.times)) - (known.times == 0)
    theirs = other.table.set_index("event_time").drop(index=0)
    kept = known.times != 0
    np.testing.assert_allclose(known.df(weights[kept]), theirs["df"], rtol=1e-8)
    variance = np.einsum("wi,ij,wj->w", weights, known.vcov, weights)[kept]
    np.testing.assert_allclose(np.sqrt(variance), theirs["se"], rtol=1e-8)


def test_averages_have_their_own_degrees_of_freedom() -> None:
    effects = att_gt(rows(groups=2), "y", cluster="c", **KEYS)
    known = effects.event_law()
    made = effects.aggregate("dynamic")
    np.testing.assert_allclose(known.df(np.eye(len(known.times))), made.table["df"], rtol=1e-9)
    mean = np.where(known.times >= 0, 1.0, 0.0) / (known.times >= 0).sum()
    assert known.df(mean[None, :])[0] == pytest.approx(made.overall.df, rel=1e-9)
    assert mean @ known.vcov @ mean == pytest.approx(made.overall.se**2, rel=1e-9)
    plain = honest_bounds(effects).table.iloc[0]
    assert [plain["low"], plain["high"]] == pytest.approx([made.overall.low, made.overall.high])


def test_units_and_signs_only_change_the_scale() -> None:
    frame = rows(groups=2)
    (a,) = tables(att_gt(frame, "y", cluster="c", **KEYS))
    (b,) = tables(att_gt(frame.assign(y=-10 * frame["y"] + 3), "y", cluster="c", **KEYS))
    np.testing.assert_allclose(b[:, [2, 1, 4, 3]], -10 * a[:, 1:], rtol=1e-8)
    # Waves every other year: moves are per year, and last two of them.
    apart = frame.assign(t=2 * frame["t"], g=2 * frame["g"])
    (c,) = tables(att_gt(apart, "y", cluster="c", **KEYS))
    np.testing.assert_allclose(c, a, rtol=1e-9)


def test_anticipation_moves_the_last_time_before() -> None:
    frame = rows()
    found = honest_bounds(att_gt(frame, "y", cluster="c", anticipation=1, **KEYS), event_time=0)
    assert found.moves[["start", "end"]].to_numpy().tolist() == [[-3.0, -2.0]]
    largest = abs(found.moves["estimate"][0])
    row = found.table.set_index("magnitude").loc[1.0]
    assert row["set_high"] - row["set_low"] == pytest.approx(2 * 2 * largest)  # two moves to 0


def test_times_gathered_by_a_window_count_their_mean_distance() -> None:
    study = event_study(rows(), "y", cluster="c", window=(-2, 1), **KEYS)
    found = honest_bounds(study, event_time=1, magnitudes=[1])
    # -3 and -2 together are 2.5 before; 1 and 2 together are 1.5 after the entry.
    table = study.table.set_index("event_time")["estimate"]
    move = -table[-2] / 1.5
    assert found.moves["estimate"].tolist() == pytest.approx([move])
    half = 2.5 * abs(move)
    row = found.table.iloc[1]
    assert [row["set_low"], row["set_high"]] == pytest.approx([table[1] - half, table[1] + half])


def test_what_it_says() -> None:
    found = honest_bounds(att_gt(rows(), "y", cluster="c", **KEYS), magnitudes=[0.5])
    assert isinstance(found, HonestBounds)
    text = found.summary()
    assert text.startswith("Effet moyen après l'entrée : ")
    assert "Écarts d'au plus 0,5 fois celui-là" in text
    assert "L'intervalle exclut 0 tant que ces écarts ne passent pas" in text
    assert "Rambachan et Roth (2023)" in text
    assert "12 grappes" in text
    nothing = rows().assign(y=lambda r: r["y"] - 2.0 * ((r["g"] > 0) & (r["t"] >= r["g"])))
    lost = honest_bounds(att_gt(nothing, "y", cluster="c", **KEYS), event_time=0)
    assert np.isnan(lost.breakdown)
    assert "contient 0 même si les tendances étaient parallèles" in lost.summary()
    assert lost.summary().startswith("Effet à 0 : ")
    named = ["tendances parallèles", *(f"écarts × {m}" for m in ("0,5", "1", "1,5", "2"))]
    assert lost.drawn()["method"].tolist() == named
    assert lost.plot().get_title(loc="left") == "Si les tendances n'étaient pas parallèles"


def test_what_cannot_be_bounded_is_refused() -> None:
    frame = rows()
    study = event_study(frame, "y", cluster="c", **KEYS)
    wrong: Any = did_imputation(frame, "y", **KEYS)
    with pytest.raises(bcs.BarometreError, match="ImputedEffects ne dit rien d'avant l'entrée"):
        honest_bounds(wrong)
    with pytest.raises(bcs.BarometreError, match="grandeurs −1, 1"):
        honest_bounds(study, magnitudes=[-1, 1])
    with pytest.raises(bcs.BarometreError, match="grandeurs absentes"):
        honest_bounds(study, magnitudes=[])
    with pytest.raises(bcs.BarometreError, match="niveau 1 refusés"):
        honest_bounds(study, level=1)
    with pytest.raises(bcs.BarometreError, match="durée 7 ; choisir parmi : 0, 1, 2"):
        honest_bounds(study, event_time=7)
    late = frame[frame["t"] >= 3]
    with pytest.raises(bcs.BarometreError, match="1 durée avant l'entrée : il en faut"):
        honest_bounds(event_study(late, "y", cluster="c", **KEYS))
    with pytest.raises(bcs.BarometreError, match="0 durée avant l'entrée"):
        honest_bounds(att_gt(late, "y", cluster="c", **KEYS))
    uneven = rows((1, 2, 3, 4, 6, 7), groups=2).assign(g=lambda r: r["g"].replace(5, 6))
    with pytest.raises(bcs.BarometreError, match="vagues inégalement espacées"):
        honest_bounds(att_gt(uneven, "y", cluster="c", **KEYS))
    flat = frame.assign(y=(frame["g"] > 0) * (frame["t"] >= 4) * 1.0)
    with pytest.raises(bcs.BarometreError, match="erreur"):
        honest_bounds(event_study(flat, "y", cluster="c", **KEYS))


def test_a_cohort_gives_its_cluster() -> None:
    cohort = Cohort(rows(), "id", "t", first_treated="g", cluster="c")
    assert honest_bounds(cohort.att_gt("y")).meta["n_clusters"] == 12
