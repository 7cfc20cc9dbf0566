"""Draws whose truth is known: what the estimators recover, what the naive comparisons do not.

Means of estimates are held within 4 Monte-Carlo errors (the standard deviation of the estimates
over the root of their number) of the truth, and a bias is shown by more than 4 of them. Coverage of
the 95 % intervals is held between 92 and 98 %. ``make slow`` runs the full size (BAROMETRE_SLOW=1);
the usual run has fewer draws, and then the number of intervals that hold the truth is one that a
coverage between 92 and 98 % gives: between the 0.1 % quantile of Binomial(draws, 0.92) and the
99.9 % quantile of Binomial(draws, 0.98). Seeds are fixed: a result does not change from one run to
the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import barometre as bcs
from barometre.cohort import Cohort, Estimate, propensity_weights
from tests.columns import lee_bounds, weighted_effect

SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
MEANS = 200 if SLOW else 40
COVERAGES = 1000 if SLOW else 40
EFFECT = 60.0
ERRORS = 4  # Monte-Carlo errors: exceeded once in 16 000 without any bias

Drawn = dict[str, float]


def repeated(draw: Callable[[int], Drawn], times: int) -> pd.DataFrame:
    return pd.DataFrame([draw(seed) for seed in range(times)])


def bias(estimates: pd.Series[float], truth: float | pd.Series[float]) -> float:
    """Mean error of the estimates, in Monte-Carlo errors."""
    gap = estimates - truth
    errors = float(gap.mean() / gap.std(ddof=1) * np.sqrt(len(gap)))
    print(f"{estimates.name}: bias {gap.mean():.4g}, {errors:.2f} MC errors")
    return errors


def assert_covers(held: pd.Series[Any]) -> None:
    """Hold the coverage between 92 and 98 %, or what a draw of such a coverage may be."""
    times, count = len(held), int(held.sum())
    print(f"{held.name}: {count} intervals out of {times} hold the truth")
    if times >= 1000:
        assert 0.92 <= count / times <= 0.98
    else:
        assert stats.binom.ppf(0.001, times, 0.92) <= count <= stats.binom.ppf(0.999, times, 0.98)


def holds(found: Estimate, truth: float) -> bool:
    return found.low <= truth <= found.high


# ---- everyone is seen ---------------------------------------------------------------------------


@cache
def complete() -> pd.DataFrame:
    """Everyone at every wave, one date of entry."""

    def draw(seed: int) -> Drawn:
        frame = bcs.datasets.make_cohort(400, complete=True, seed=seed)
        frame["on"] = (frame["wave"] >= frame["first_treated"]).astype(int)
        cohort = Cohort(frame, "person", "wave", arm="arm")
        cr1, cr2 = (cohort.did("income", 2026, se=se) for se in ("CR1", "CR2"))
        last = frame[frame["wave"] == 2030].groupby("arm")["income"].mean()
        treated = frame[frame["arm"] == 1].groupby("on")["income"].mean()
        return {
            "did": cr1.estimate,
            "se": cr1.se,
            "twfe": cohort.twfe("income", treated="on").estimate,
            "before_after": treated[1] - treated[0],
            "treated_comparison": last[1] - last[0],
            "cr1": holds(cr1, EFFECT),
            "cr2": holds(cr2, EFFECT),
        }

    return repeated(draw, COVERAGES)


@pytest.mark.parametrize("method", ["did", "twfe"])
def test_differences_in_differences_recover_the_effect(method: str) -> None:
    assert abs(bias(complete()[method], EFFECT)) < ERRORS


@pytest.mark.parametrize(("method", "sign"), [("before_after", 1), ("treated_comparison", -1)])
def test_naive_comparisons_are_biased(method: str, sign: int) -> None:
    """Incomes rise for all, and beneficiaries start worse off."""
    assert sign * bias(complete()[method], EFFECT) > ERRORS


@pytest.mark.parametrize("se", ["cr1", "cr2"])
def test_coverage_of_did_clustered_by_person(se: str) -> None:
    assert_covers(complete()[se])


def test_errors_are_the_spread_of_the_estimates() -> None:
    """A standard deviation of n draws has a relative error of about 1 / sqrt(2 (n - 1))."""
    drawn = complete()
    ratio = np.sqrt((drawn["se"] ** 2).mean()) / drawn["did"].std(ddof=1)
    assert abs(ratio - 1) < ERRORS / np.sqrt(2 * (len(drawn) - 1))


# ---- staggered entries --------------------------------------------------------------------------


@cache
def staggered() -> pd.DataFrame:
    """Entries in 2025 and 2027; ``grown`` has an effect that grows by 20 at each wave."""

    def draw(seed: int) -> Drawn:
        frame = bcs.datasets.make_cohort(
            500, range(2024, 2029), entries=(2025, 2027), complete=True, seed=seed
        )
        exposure = (frame["wave"] - frame["first_treated"]).clip(lower=0).fillna(0)
        frame["on"] = (frame["wave"] >= frame["first_treated"]).astype(int)
        frame["grown"] = frame["income"] + 20 * exposure
        cohort = Cohort(frame, "person", "wave", first_treated="first_treated")
        seen = np.random.default_rng(seed).random(len(frame)) < 0.85
        gaps = Cohort(frame[seen], "person", "wave", first_treated="first_treated")
        never = cohort.att_gt("income")
        not_yet = cohort.att_gt("income", control="not_yet").aggregate("simple").overall
        grown = cohort.att_gt("grown", control="not_yet").aggregate("simple").overall
        simple = never.aggregate("simple").overall
        # The average over the treated people and waves of this draw is what "simple" estimates.
        average = EFFECT + 20 * exposure[frame["on"] == 1].mean()
        return {
            "never": simple.estimate,
            "not_yet": not_yet.estimate,
            "gaps": gaps.att_gt("income").aggregate("simple").overall.estimate,
            "grown": grown.estimate - average,
            "grown_twfe": cohort.twfe("grown", treated="on").estimate - average,
            "never_held": holds(simple, EFFECT),
            "not_yet_held": holds(not_yet, EFFECT),
            "pretrend_held": never.pretrend().p > 0.05,
        }

    return repeated(draw, COVERAGES)


@pytest.mark.parametrize("control", ["never", "not_yet", "gaps"])
def test_att_gt_recovers_the_effect(control: str) -> None:
    assert abs(bias(staggered()[control], EFFECT)) < ERRORS


@pytest.mark.parametrize("test", ["never_held", "not_yet_held", "pretrend_held"])
def test_coverage_of_att_gt_and_level_of_its_pretrend(test: str) -> None:
    assert_covers(staggered()[test])


def test_growing_effects_are_recovered_where_two_way_fixed_effects_mix_them() -> None:
    drawn = staggered()
    assert abs(bias(drawn["grown"], 0)) < ERRORS
    assert bias(drawn["grown_twfe"], 0) < -ERRORS


@cache
def conditional() -> pd.DataFrame:
    """Three quarters of the treated without a diploma, and of the others with the highest, are taken
    out: trends are parallel at a given diploma only."""

    def draw(seed: int) -> Drawn:
        frame = bcs.datasets.make_cohort(
            700, range(2024, 2027), entries=(2025,), complete=True, seed=seed
        )
        rare = np.where(frame["arm"] == 1, "aucun diplôme", "bac ou plus") == frame["diploma"]
        frame = frame[~rare | np.repeat(np.random.default_rng(seed).random(700) < 0.25, 3)]
        cohort = Cohort(frame, "person", "wave", first_treated="first_treated")
        estimates = {"unconditional": cohort.att_gt("income")}
        for method in ("dr", "ipw", "reg"):
            estimates[method] = cohort.att_gt(
                "income", covariates=["diploma", "age"], method=method
            )
        found = {name: e.aggregate("simple").overall for name, e in estimates.items()}
        return {name: e.estimate for name, e in found.items()} | {
            "dr_held": holds(found["dr"], EFFECT)
        }

    return repeated(draw, MEANS)


@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
def test_covariates_make_trends_parallel(method: str) -> None:
    assert abs(bias(conditional()[method], EFFECT)) < ERRORS


def test_without_covariates_the_trend_of_the_diploma_is_called_an_effect() -> None:
    assert bias(conditional()["unconditional"], EFFECT) > ERRORS


# ---- losses -------------------------------------------------------------------------------------


@cache
def attrited() -> pd.DataFrame:
    """Changes of those left: between two waves with many losses, and over the seven waves."""
    diplomas = {
        name: level for level, name in enumerate(("aucun diplôme", "CAP ou BEP", "bac ou plus"))
    }
    covariates = ["arm", "income", "arm_income", "level", "arm_level"]

    def seen(seed: int, waves: range, **options: Any) -> tuple[Cohort, pd.Series[float]]:
        frame = bcs.datasets.make_cohort(1000, waves, seed=seed, **options)
        frame["level"] = frame["diploma"].map(diplomas)
        frame["arm_income"], frame["arm_level"] = (
            frame["arm"] * frame["income"],
            frame["arm"] * frame["level"],
        )
        wide = frame.pivot(index="person", columns="wave", values="income")
        cohort = Cohort(frame, "person", "wave", arm="arm")
        return cohort, (wide[waves[-1]] - wide[waves[0]]).reindex(cohort.people)

    def draw(seed: int) -> Drawn:
        found: Drawn = {}
        for name, waves, options in (
            ("two_waves", range(2024, 2026), {"entries": (2025,), "attrition": 0.3}),
            ("seven_waves", range(2024, 2031), {}),
        ):
            cohort, change = seen(seed, waves, **options)
            arm, weight = cohort.baseline("arm"), cohort.attrition_weights(covariates).weight
            found[f"{name}_left"] = weighted_effect(change, arm).estimate
            effect = weighted_effect(change, arm, weight)
            found |= {name: effect.estimate, f"{name}_held": holds(effect, EFFECT)}
        return found

    return repeated(draw, MEANS)


@pytest.mark.parametrize("waves", ["two_waves", "seven_waves"])
def test_attrition_weights_recover_what_losses_hide(waves: str) -> None:
    assert bias(attrited()[f"{waves}_left"], EFFECT) < -ERRORS
    assert abs(bias(attrited()[waves], EFFECT)) < ERRORS


@pytest.mark.parametrize("waves", ["two_waves", "seven_waves"])
def test_weighted_intervals_are_not_too_short(waves: str) -> None:
    """Errors that take the weights as known are conservative: nothing is promised above."""
    held = attrited()[f"{waves}_held"]
    assert held.sum() >= stats.binom.ppf(0.001, len(held), 0.92)


@cache
def bounded() -> pd.DataFrame:
    """The action keeps in those who would have left, the best fifth of the comparison.

    Outcomes are uniform on 0-1 and the effect is 0.1: among the treated, all seen, cutting a fifth
    above leaves a mean of 0.5, below of 0.7; the comparison seen has 0.4. Bounds: 0.1 and 0.3.
    """

    def draw(seed: int) -> Drawn:
        rng = np.random.default_rng(seed)
        arm, without = np.arange(600) % 2, rng.random(600)
        outcome = np.where((arm == 0) & (without > 0.8), np.nan, without + 0.1 * arm)
        found = lee_bounds(outcome, arm, draws=100, seed=seed)
        assert found.interval is not None
        return {
            "left": float(np.nanmean(outcome[arm == 1]) - np.nanmean(outcome[arm == 0])),
            "low": found.low,
            "high": found.high,
            "held": found.interval[0] <= 0.1 <= found.interval[1],
        }

    return repeated(draw, COVERAGES)


def test_lee_bounds_are_those_of_the_population_and_hold_the_effect() -> None:
    drawn = bounded()
    assert abs(bias(drawn["low"], 0.1)) < ERRORS
    assert abs(bias(drawn["high"], 0.3)) < ERRORS
    assert bias(drawn["left"], 0.1) > ERRORS


def test_coverage_of_the_interval_of_the_bounded_effect() -> None:
    """The effect is at the lower bound, where the interval of Imbens and Manski is not wider."""
    assert_covers(bounded()["held"])


# ---- treatment that depends on people -----------------------------------------------------------


@cache
def confounded() -> pd.DataFrame:
    """The worse off are treated, and the effect is larger for them: 60 - 30 x, x of mean 0."""

    def draw(seed: int) -> Drawn:
        rng = np.random.default_rng(seed)
        x, woman = rng.normal(size=800), rng.random(800) < 0.5
        arm = rng.random(800) < 1 / (1 + np.exp(0.7 + 0.8 * x - 0.5 * woman))
        effect = 60 - 30 * x
        y = 1000 + 100 * x + 40 * woman + effect * arm + rng.normal(0, 80, 800)
        people = pd.DataFrame({"arm": arm.astype(int), "x": x, "woman": woman, "y": y, "wave": 0})
        cohort = Cohort(people.rename_axis("id"), "id", "wave", arm="arm")
        att = cohort.propensity_weights(["x", "woman"])
        ate = propensity_weights(people, "arm", ["x", "woman"], estimand="ate", stabilised=True)
        return {
            "naive": weighted_effect(y, arm).estimate - effect[arm].mean(),
            "att": weighted_effect(y, arm, att.weight.to_numpy()).estimate - effect[arm].mean(),
            "ate": weighted_effect(y, arm, ate.weight.to_numpy()).estimate - effect.mean(),
            "att_for_ate": weighted_effect(y, arm, att.weight.to_numpy()).estimate - effect.mean(),
        }

    return repeated(draw, MEANS)


@pytest.mark.parametrize("estimand", ["att", "ate"])
def test_propensity_weights_recover_their_estimand(estimand: str) -> None:
    assert abs(bias(confounded()[estimand], 0)) < ERRORS


def test_without_weights_or_with_those_of_another_estimand_the_effect_is_biased() -> None:
    assert bias(confounded()["naive"], 0) < -ERRORS
    assert bias(confounded()["att_for_ate"], 0) > ERRORS
