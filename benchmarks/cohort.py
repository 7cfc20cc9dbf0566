"""Cohorts: a large balanced panel against plain NumPy, and other libraries when installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd

from barometre.cohort import Cohort, transition_counts
from benchmarks.timing import Measure, best, peak

WAVES = 7
STATES = 4


def measures(*, small: bool) -> list[Measure]:
    """Return the promises on cohorts; the panel is drawn once."""
    people, times = (3_000, 1) if small else (1_000_000, 3)
    frame = panel(people)
    cohort = Cohort(frame, "person", "wave", first_treated="entry", cluster="zone")
    size = int(frame.memory_usage(index=False, deep=True).sum())
    say_others(frame, times)

    def fixed_effects() -> float:
        def ours() -> float:
            return float(cohort.twfe("y", "treated").se)

        def plain() -> float:
            return plain_twfe(frame, people)

        assert abs(ours() / plain() - 1) < 1e-6
        seconds = best(ours, times)
        print(f"    ours, two-way fixed effects: {seconds:.2f} s")
        return seconds / best(plain, times)

    def more_effects() -> float:
        wide = with_two_more(frame)
        followed = Cohort(wide, "person", "wave", first_treated="entry", cluster="zone")

        def ours() -> float:
            return float(followed.twfe("y", "treated", effects=["block", "firm"]).se)

        def pyfixest_twfe() -> object:
            import pyfixest

            formula = "y ~ treated | person + wave + block + firm"
            return pyfixest.feols(formula, wide, vcov={"CRV1": "zone"}, fixef_rm="none")

        seconds = best(ours, times)
        print(f"    ours, two more fixed effects: {seconds:.2f} s")
        if importlib.util.find_spec("pyfixest") is None:
            print("    pyfixest is not installed: not compared")
            return 0.0
        pyfixest_twfe()
        theirs = best(pyfixest_twfe, times)
        print(f"    pyfixest, two more fixed effects: {theirs:.2f} s")
        return seconds / theirs

    def staggered() -> float:
        def ours() -> pd.DataFrame:
            return pd.DataFrame(cohort.att_gt("y", cluster="person").table)

        assert np.allclose(ours()["estimate"], plain_att_gt(frame, people), atol=1e-9)
        seconds = best(ours, times)
        print(f"    ours, ATT(g,t): {seconds:.2f} s")
        return seconds / best(lambda: plain_att_gt(frame, people), times)

    def transitions() -> float:
        def ours() -> pd.DataFrame:
            return transition_counts(frame, "status", person="person", wave="wave")

        return best(ours, times) / best(lambda: plain_transitions(frame), times)

    return [
        Measure("cohort, two-way fixed effects / NumPy", 2.5, fixed_effects),
        Measure("cohort, two more fixed effects / pyfixest", 3.0, more_effects),
        Measure("cohort, ATT(g,t) / NumPy", 1.0, staggered),
        Measure("cohort, transitions / crosstab", 1.0, transitions),
        Measure(
            "cohort, peak memory of fixed effects / frame",
            3.0,
            lambda: peak(lambda: cohort.twfe("y", "treated")) / size,
        ),
        Measure(
            "cohort, peak memory of ATT(g,t) / frame",
            3.0,
            lambda: peak(lambda: cohort.att_gt("y", cluster="person")) / size,
        ),
    ]


def panel(people: int) -> pd.DataFrame:
    """Draw a balanced panel, sorted by person and wave, with a staggered entry."""
    rng = np.random.default_rng(0)
    entry = rng.choice([0, 2026, 2027, 2028], size=people)
    wave = np.tile(np.arange(2024, 2024 + WAVES), people)
    treated = (np.repeat(entry, WAVES) > 0) & (wave >= np.repeat(entry, WAVES))
    noise = rng.normal(size=people * WAVES) + np.repeat(rng.normal(size=people), WAVES)
    return pd.DataFrame(
        {
            "person": np.repeat(np.arange(people), WAVES),
            "wave": wave,
            "entry": np.repeat(entry, WAVES),
            "zone": np.repeat(rng.integers(13, size=people), WAVES),
            "treated": treated.astype(np.int64),
            "status": rng.integers(STATES, size=people * WAVES),
            "y": noise + 0.5 * treated,
        }
    )


def with_two_more(frame: pd.DataFrame) -> pd.DataFrame:
    """Add two effects: 1 000 places where people mostly stay, 5 000 that always change."""
    rng = np.random.default_rng(1)
    people = len(frame) // WAVES
    block = np.repeat(rng.integers(1_000, size=people), WAVES)
    moved = rng.uniform(size=len(frame)) < 0.1
    block[moved] = rng.integers(1_000, size=int(moved.sum()))
    return frame.assign(block=block, firm=rng.integers(5_000, size=len(frame)))


def plain_twfe(frame: pd.DataFrame, people: int) -> float:
    """Demean twice, regress, sum the scores by cluster: no check, no option."""
    y = frame["y"].to_numpy().reshape(people, WAVES)
    x = frame["treated"].to_numpy(np.float64).reshape(people, WAVES)
    y = y - y.mean(1, keepdims=True) - y.mean(0) + y.mean()
    x = x - x.mean(1, keepdims=True) - x.mean(0) + x.mean()
    below = (x * x).sum()
    beta = (x * y).sum() / below
    zone = frame["zone"].to_numpy()[::WAVES]
    sums = np.bincount(zone, weights=(x * (y - beta * x)).sum(1))
    n, g = people * WAVES, len(sums)
    # One slope and the waves count as parameters; people are nested in the clusters.
    factor = g / (g - 1) * (n - 1) / (n - WAVES - 1)
    return float(np.sqrt(factor * (sums**2).sum()) / below)


def plain_att_gt(frame: pd.DataFrame, people: int) -> list[float]:
    """Difference of mean changes of every group and wave, with its standard error."""
    y = frame["y"].to_numpy().reshape(people, WAVES)
    entry = frame["entry"].to_numpy()[::WAVES]
    never, found = entry == 0, []
    for group in np.unique(entry[entry > 0]):
        mine = entry == group
        start = int(group) - 2024
        for wave in range(1, WAVES):
            base = start - 1 if wave >= start else wave - 1
            one, zero = (y[rows, wave] - y[rows, base] for rows in (mine, never))
            np.sqrt(one.var() / len(one) + zero.var() / len(zero))
            found.append(float(one.mean() - zero.mean()))
    return found


def plain_transitions(frame: pd.DataFrame) -> pd.DataFrame:
    """Cross each row with the next one of the same person, as one would in pandas."""
    after = frame.groupby("person")["status"].shift(-1)
    return pd.crosstab(frame["status"], after)


def say_others(frame: pd.DataFrame, times: int) -> None:
    """Print what other libraries take, once warm, when they are installed."""

    def pyfixest_twfe() -> object:
        import pyfixest

        return pyfixest.feols("y ~ treated | person + wave", frame, vcov={"CRV1": "zone"})

    def diff_diff_att_gt() -> object:
        import diff_diff

        estimator = diff_diff.CallawaySantAnna()
        return estimator.fit(frame, outcome="y", unit="person", time="wave", first_treat="entry")

    others = {
        "pyfixest": ("two-way fixed effects", pyfixest_twfe),
        "diff_diff": ("ATT(g,t)", diff_diff_att_gt),
    }
    for name, (estimator, run) in others.items():
        if importlib.util.find_spec(name) is None:
            print(f"    {name} is not installed: not compared")
        else:
            run()
            print(f"    {name}, {estimator}: {best(run, times):.2f} s")
