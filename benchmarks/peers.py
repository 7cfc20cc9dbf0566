"""The same estimators beside other programs, when they are installed (``make bench-peers``)."""

from __future__ import annotations

import importlib.util

import numpy as np

from barometre.cohort import cox, kaplan_meier
from benchmarks.cohort import PEOPLE, WAVES, followed, spells
from benchmarks.timing import Run, Sized


def measures() -> list[Sized]:
    """List the peers that are installed; the others are named."""
    every = {
        "pyfixest": [
            Sized("peers, two-way fixed effects / pyfixest", PEOPLE, fixed_effects, 1 / 12),
            Sized("peers, two more fixed effects / pyfixest", PEOPLE, more_effects, 3.0),
            Sized("peers, event study / pyfixest", PEOPLE, event_study, 1.0),
        ],
        "diff_diff": [Sized("peers, ATT(g,t) / diff-diff", PEOPLE, staggered, 1 / 13)],
        "lifelines": [
            Sized("peers, Kaplan-Meier / lifelines", PEOPLE, curve, 1.0),
            Sized("peers, Cox / lifelines", (1_000, 10_000, 100_000), hazards, 1.0),
        ],
    }
    absent = [name for name in every if importlib.util.find_spec(name) is None]
    if absent:
        print(f"not installed, not compared: {', '.join(absent)}")
    return [measure for name, found in every.items() if name not in absent for measure in found]


def fixed_effects(people: int) -> tuple[Run, Run]:
    import pyfixest

    frame, cohort = followed(people)
    formula = "y ~ treated | person + wave"
    return (
        lambda: cohort.twfe("y", "treated"),
        lambda: pyfixest.feols(formula, frame, vcov={"CRV1": "zone"}, fixef_rm="none"),
    )


def more_effects(people: int) -> tuple[Run, Run]:
    """Add 1 000 places where people mostly stay, and 5 000 that always change."""
    import pyfixest

    from barometre.cohort import Cohort

    rng = np.random.default_rng(1)
    frame = followed(people)[0]
    block = np.repeat(rng.integers(1_000, size=people), WAVES)
    moved = rng.uniform(size=len(frame)) < 0.1
    block[moved] = rng.integers(1_000, size=int(moved.sum()))
    wide = frame.assign(block=block, firm=rng.integers(5_000, size=len(frame)))
    cohort = Cohort(wide, "person", "wave", first_treated="entry", cluster="zone")
    formula = "y ~ treated | person + wave + block + firm"
    return (
        lambda: cohort.twfe("y", "treated", effects=["block", "firm"]),
        lambda: pyfixest.feols(formula, wide, vcov={"CRV1": "zone"}, fixef_rm="none"),
    )


def event_study(people: int) -> tuple[Run, Run]:
    """Compare effects by time since entry; who never enters is at the reference."""
    import pyfixest

    frame, cohort = followed(people)
    since = (frame["wave"] - frame["entry"]).where(frame["entry"] > 0, -1)
    wide = frame.assign(since=since)
    formula = "y ~ i(since, ref=-1) | person + wave"
    return (
        lambda: cohort.event_study("y"),
        lambda: pyfixest.feols(formula, wide, vcov={"CRV1": "zone"}, fixef_rm="none"),
    )


def staggered(people: int) -> tuple[Run, Run]:
    import diff_diff

    frame, cohort = followed(people)
    names = {"outcome": "y", "unit": "person", "time": "wave", "first_treat": "entry"}
    return (
        lambda: cohort.att_gt("y", cluster="person"),
        lambda: diff_diff.CallawaySantAnna().fit(frame, **names),
    )


def curve(people: int) -> tuple[Run, Run]:
    import lifelines

    frame = spells(people)
    return (
        lambda: kaplan_meier(frame["days"], frame["event"]),
        lambda: lifelines.KaplanMeierFitter().fit(frame["days"], frame["event"]),
    )


def hazards(people: int) -> tuple[Run, Run]:
    """Compare two hazard ratios with their robust errors, Efron's ties."""
    import lifelines

    frame = spells(people)
    return (
        lambda: cox(frame, "days", "event", covariates=["age", "trained"]),
        lambda: lifelines.CoxPHFitter().fit(frame, "days", "event", robust=True),
    )
