"""Cohorts of up to a million people against plain NumPy."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from barometre.cohort import Cohort, kaplan_meier, wild_bootstrap
from benchmarks.timing import Run, Sized

WAVES = 7
PEOPLE = (10_000, 100_000, 1_000_000)


def measures() -> list[Sized]:
    """Return the promises on cohorts."""
    thrice = 3 * panel(PEOPLE[0]).memory_usage(index=False).sum() / PEOPLE[0] * PEOPLE[-1] / 2**20
    return [
        Sized(
            "cohort, two-way fixed effects / NumPy", PEOPLE, fixed_effects, 1.5, megabytes=thrice
        ),
        Sized("cohort, ATT(g,t) / NumPy", PEOPLE, staggered, 1.0, megabytes=thrice),
        Sized("cohort, wild cluster bootstrap / NumPy", PEOPLE, bootstrap, 8.0),
        Sized("cohort, Kaplan-Meier / NumPy", PEOPLE, curve, 3.0),
    ]


@functools.lru_cache(maxsize=1)
def followed(people: int) -> tuple[pd.DataFrame, Cohort]:
    """Draw the panel, and follow it."""
    frame = panel(people)
    return frame, Cohort(frame, "person", "wave", first_treated="entry", cluster="zone")


def fixed_effects(people: int) -> tuple[Run, Run]:
    """Compare two-way fixed effects; both find the same error."""
    frame, cohort = followed(people)
    assert abs(cohort.twfe("y", "treated").se / plain_twfe(frame, people) - 1) < 1e-6
    return lambda: cohort.twfe("y", "treated"), lambda: plain_twfe(frame, people)


def staggered(people: int) -> tuple[Run, Run]:
    """Compare ATT(g,t); both find the same estimates."""
    frame, cohort = followed(people)

    def ours() -> pd.DataFrame:
        return pd.DataFrame(cohort.att_gt("y", cluster="person").table)

    assert np.allclose(ours()["estimate"], plain_att_gt(frame, people), atol=1e-9)
    return ours, lambda: plain_att_gt(frame, people)


def bootstrap(people: int) -> tuple[Run, Run]:
    """Compare the bootstrap of one wave, 30 clusters and 9 999 draws; both find the same p."""
    rng = np.random.default_rng(2)
    cluster = rng.integers(30, size=people)
    x = (cluster % 2) + rng.normal(size=people)
    y = 0.02 * x + rng.normal(size=30)[cluster] + rng.normal(size=people)
    frame = pd.DataFrame({"y": y, "x": x, "cluster": cluster})
    found = wild_bootstrap(frame, "y", "x", "cluster").p
    assert abs(found - plain_bootstrap(frame)) < 0.03  # other draws
    return lambda: wild_bootstrap(frame, "y", "x", "cluster"), lambda: plain_bootstrap(frame)


def curve(people: int) -> tuple[Run, Run]:
    """Compare the curve of durations in days; both find the same survival and error."""
    frame = spells(people)
    days, event = frame["days"].to_numpy(), frame["event"].to_numpy()
    ours = kaplan_meier(days, event)
    assert np.allclose(ours[["survival", "se"]].to_numpy().T[:, :-1], plain_curve(frame)[:2, :-1])
    return lambda: kaplan_meier(days, event), lambda: plain_curve(frame)


def spells(people: int) -> pd.DataFrame:
    """Draw durations of some years in days, a third of them censored, and two covariates."""
    rng = np.random.default_rng(3)
    age, trained = rng.normal(size=people), rng.integers(2, size=people)
    days = np.ceil(rng.exponential(700, people) * np.exp(-0.3 * age - 0.2 * trained))
    left = np.ceil(rng.uniform(1, 1_800, people))
    observed, event = np.minimum(days, left), (days <= left).astype(np.int64)
    return pd.DataFrame({"days": observed, "event": event, "age": age, "trained": trained})


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
            "y": noise + 0.5 * treated,
        }
    )


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


def plain_bootstrap(frame: pd.DataFrame) -> float:
    """Test that x is 0: sums by cluster once, then all draws at once; no check, no tie."""
    y, x, cluster = (frame[name].to_numpy() for name in ("y", "x", "cluster"))
    many = cluster.max() + 1
    centred, null = x - x.mean(), y - y.mean()
    score = np.bincount(cluster, centred * null, many)
    below = (centred * centred).sum()
    # Of the residuals of a draw: their regression on the constant and x leaves each score lower.
    cross = np.stack([np.bincount(cluster, centred, many), np.bincount(cluster, centred**2, many)])
    left = np.stack([np.bincount(cluster, null, many) / len(y), score / below])
    rng = np.random.default_rng(0)
    signs = np.vstack([np.ones(many), rng.integers(2, size=(9_999, many)) * 2.0 - 1])
    beta = signs @ score / below
    scores = signs * score - (signs @ left.T) @ cross
    t = np.abs(beta) / np.sqrt((scores**2).sum(1))
    return float((t[1:] >= t[0]).mean())


def plain_curve(frame: pd.DataFrame) -> np.ndarray:
    """Count exits by time, multiply, and bound: no check, no group."""
    time, place = np.unique(frame["days"].to_numpy(), return_inverse=True)
    events = np.bincount(place, frame["event"].to_numpy(), len(time))
    exits = np.bincount(place, minlength=len(time))
    at_risk = len(frame) - np.cumsum(exits) + exits
    survival = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.sqrt(np.cumsum(events / (at_risk * (at_risk - events))))
    bounds = survival * np.exp(np.outer([-1.96, 1.96], relative))
    return np.vstack([survival, survival * relative, bounds])
