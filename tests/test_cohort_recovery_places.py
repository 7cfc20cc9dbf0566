"""What is recovered with few neighbourhoods, of durations, and of movers and stayers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import barometre as bcs
from barometre.cohort import (
    Cohort,
    cumulative_incidence,
    decompose_change,
    kaplan_meier,
    survival_quantile,
)
from tests.columns import did, wild_bootstrap
from tests.test_cohort_recovery import (
    COVERAGES,
    EFFECT,
    ERRORS,
    SLOW,
    Drawn,
    assert_covers,
    bias,
    holds,
    repeated,
)

# ---- few neighbourhoods -------------------------------------------------------------------------


def test_coverage_with_shocks_of_the_13_neighbourhoods() -> None:
    def draw(seed: int) -> Drawn:
        frame = bcs.datasets.make_cohort(390, zone_shock=60, complete=True, seed=seed)
        cohort = Cohort(frame, "person", "wave", arm="arm", cluster="baseline_zone")
        found = cohort.did("income", 2026, se="CR2")
        return {"estimate": found.estimate, "held": holds(found, EFFECT)}

    drawn = repeated(draw, COVERAGES)
    assert abs(bias(drawn["estimate"], EFFECT)) < ERRORS
    assert_covers(drawn["held"])


@cache
def treated_zones() -> pd.DataFrame:
    """Six neighbourhoods out of 13 are treated whole; a neighbourhood moves as one."""

    def draw(seed: int) -> Drawn:
        rng = np.random.default_rng(seed)
        zone = np.repeat(np.arange(13), rng.integers(8, 25, 13))
        person = np.repeat(np.arange(len(zone)), 2)
        post, arm = np.tile([0, 1], len(zone)), (zone < 6).astype(int)[person]
        shock = rng.normal(0, 40, (13, 2))[zone].ravel()
        y = (
            rng.normal(0, 180, len(zone))[person]
            + shock
            + 60 * arm * post
            + rng.normal(0, 60, len(person))
        )
        places = zone[person]
        design = pd.DataFrame({"arm": arm, "post": post, "effet": arm * post})
        zones = did(y, arm, post, se="CR2", cluster=places)
        boot = wild_bootstrap(y, design, places, term="effet", null=EFFECT)
        return {
            "estimate": zones.estimate,
            "cr2": holds(zones, EFFECT),
            "wild": boot.p > 0.05,
            "person": holds(did(y, arm, post, cluster=person), EFFECT),
        }

    return repeated(draw, COVERAGES)


@pytest.mark.parametrize("method", ["cr2", "wild"])
def test_coverage_when_neighbourhoods_are_treated_whole(method: str) -> None:
    assert abs(bias(treated_zones()["estimate"], EFFECT)) < ERRORS
    assert_covers(treated_zones()[method])


def test_clusters_of_people_forget_what_neighbours_share() -> None:
    held = treated_zones()["person"]
    print(f"clusters of people: {held.mean():.1%}")
    assert held.sum() < stats.binom.ppf(0.001, len(held), 0.92)


# ---- durations, retention -----------------------------------------------------------------------


@cache
def durations() -> pd.DataFrame:
    """Rates of 0.25 for the event and of 0.15 for the competing one, censoring by the calendar."""
    rate, other, at = 0.25, 0.15, 3.0
    survival, median = np.exp(-rate * at), np.log(2) / rate
    incidence = rate / (rate + other) * (1 - np.exp(-(rate + other) * at))

    def draw(seed: int) -> Drawn:
        rng = np.random.default_rng(seed)
        time, end = rng.exponential(1 / rate, 250), rng.uniform(1, 9, 250)
        rival = rng.exponential(1 / other, 250)
        duration, event = np.minimum(time, end), time <= end
        curve = kaplan_meier(duration, event)
        level = curve[curve["time"] <= at].iloc[-1]
        middle = survival_quantile(curve).iloc[0]
        first = np.minimum(duration, rival)
        cause = np.where(first == rival, 2, np.where(event, 1, 0))
        share = cumulative_incidence(first, cause).query("cause == 1 and time <= @at").iloc[-1]
        # A third come late, and are known only if nothing has happened to them yet.
        entry = np.where(np.arange(250) % 3 == 0, rng.uniform(0, 2, 250), 0.0)
        known = duration > entry
        later = kaplan_meier(duration[known], event[known], entry=entry[known])
        late = later[later["time"] <= at].iloc[-1]
        return {
            "survival": level["survival"] - survival,
            "late": late["survival"] - survival,
            "incidence": share["cif"] - incidence,
            "survival_held": level["low"] <= survival <= level["high"],
            "late_held": late["low"] <= survival <= late["high"],
            "median_held": middle["low"] <= median <= middle["high"],
            "incidence_held": share["low"] <= incidence <= share["high"],
        }

    return repeated(draw, COVERAGES)


@pytest.mark.parametrize("curve", ["survival", "late", "incidence"])
def test_curves_recover_theirs(curve: str) -> None:
    assert abs(bias(durations()[curve], 0)) < ERRORS


@pytest.mark.parametrize("curve", ["survival_held", "late_held", "median_held", "incidence_held"])
def test_coverage_of_curves_and_medians(curve: str) -> None:
    assert_covers(durations()[curve])


def test_coverage_of_retention() -> None:
    """A loss of 8 % at each wave, whoever one is: 0.92^6 are left at the end."""

    def draw(seed: int) -> Drawn:
        lost = np.random.default_rng(seed).geometric(0.08, 300).clip(max=7)
        rows = pd.DataFrame({"id": np.repeat(np.arange(300), lost)})
        rows["wave"] = 2024 + rows.groupby("id").cumcount()
        last = Cohort(rows, "id", "wave").retention().iloc[-1]
        return {"retention": last["retention"], "held": last["low"] <= 0.92**6 <= last["high"]}

    drawn = repeated(draw, COVERAGES)
    assert abs(bias(drawn["retention"], 0.92**6)) < ERRORS
    assert_covers(drawn["held"])


# ---- movers and stayers -------------------------------------------------------------------------


MOVES = {"total": -1.25, "in_situ": 2.0, "exits": -1.5, "entries": -1.75, "people": 2.5}


@cache
def moved() -> pd.DataFrame:
    """Households stay (3 in 5), leave or come (1 in 5 each) whole, and share their luck.

    Stayers go from 20 to 22, leavers from 26 to 30, entrants are at 15: with a quarter of the place
    that leaves and comes, exits are (20 - 26) / 4, entries (15 - 22) / 4, and the people of the
    first date gain 3/4 of 2 and 1/4 of 4.
    """

    def draw(seed: int) -> Drawn:
        rng = np.random.default_rng(seed)
        home = np.repeat(np.arange(240), rng.integers(1, 4, 240))
        group = rng.choice(3, 240, p=[0.6, 0.2, 0.2])[home]
        luck = rng.normal(0, 3, 240)[home] + rng.normal(0, 2, len(home))
        first = np.array([20.0, 26.0, np.nan])[group] + luck
        later = np.array([22.0, 30.0, 15.0])[group] + luck + rng.normal(0, 2, len(home))
        found = decompose_change(
            pd.Series(first[group != 2], np.flatnonzero(group != 2)),
            pd.Series(later[group != 1], np.flatnonzero(group != 1)),
            leavers_after=pd.Series(later[group == 1], np.flatnonzero(group == 1)),
            household=pd.Series(home),
            draws=199 if SLOW else 99,
            seed=seed,
        )
        rows = found.table.set_index("component").loc[list(MOVES)]
        truth = pd.Series(MOVES)
        held = (rows["low"] <= truth) & (truth <= rows["high"])
        return {**rows["value"], **held.add_suffix("_held")}

    return repeated(draw, COVERAGES)


@pytest.mark.parametrize("component", list(MOVES))
def test_decompositions_recover_their_components(component: str) -> None:
    assert abs(bias(moved()[component], MOVES[component])) < ERRORS
    assert_covers(moved()[f"{component}_held"])
