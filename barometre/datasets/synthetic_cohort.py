"""Synthetic cohorts: people followed over the years, with a known effect. No one is real."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError

ELSEWHERE = "hors QPV"
STATUSES = ("emploi", "formation", "recherche d'emploi", "inactivité")
DIPLOMAS = ("aucun diplôme", "CAP ou BEP", "bac ou plus")


def draw_cohort(
    zones: Sequence[str],
    n: int,
    waves: Sequence[int],
    *,
    effect: float,
    entries: Sequence[int],
    share_treated: float,
    attrition: float,
    mobility: float,
    zone_shock: float,
    complete: bool,
    seed: int,
) -> pd.DataFrame:
    """Draw a cohort; see `barometre.datasets.make_cohort`."""
    _check(
        zones, n, waves, entries, seed,
        {"share_treated": share_treated, "attrition": attrition, "mobility": mobility},
        {"effect": effect, "zone_shock": zone_shock},
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    periods = len(waves)
    home = rng.integers(len(zones), size=n)
    diploma = rng.choice(3, size=n, p=[0.40, 0.35, 0.25])
    age = rng.integers(18, 60, size=n)
    woman = rng.random(n) < 0.52
    # The programme goes to those who are worse off, whatever their diploma: levels differ between
    # arms, trends do not.
    household = _households(rng, home)
    ability = rng.normal(0, 100, household.max() + 1)[household] + rng.normal(0, 150, n)
    need = rng.logistic(size=n) - ability / 150
    arm = need > np.quantile(need, 1 - share_treated)
    entry = np.where(arm, rng.choice(np.asarray(entries), size=n), np.iinfo(np.int64).max)
    # Incomes rise for everyone, faster with a diploma: the naive before/after calls it an effect.
    slope = 15 + 10 * diploma
    time = np.arange(periods)
    shocks = rng.normal(0, 1, (len(zones), periods)) * zone_shock
    noise = rng.normal(0, 90, (n, periods))
    treated = np.asarray(waves)[None, :] >= entry[:, None]
    level = 1100 + ability + 90 * (diploma - 1) - 20 * woman
    without = level[:, None] + slope[:, None] * time + shocks[home] + noise
    income = without + effect * treated
    # The better off leave the neighbourhoods: a place does not show what happens to its people.
    where = _move(rng, home, income, len(zones), mobility)
    lost_at, reason = _lose(rng, income[:, 0], diploma, arm, where, attrition, periods)
    status = _status(rng, income, age, periods)
    rows = np.repeat(np.arange(n), periods)
    names = np.array([*zones, ELSEWHERE], dtype=object)
    frame = pd.DataFrame(
        {
            "person": pd.array(np.char.add("P", np.char.zfill(rows.astype(str), 7)), dtype="str"),
            "wave": np.tile(np.asarray(waves, dtype=np.int64), n),
            "arm": arm[rows].astype(np.int64),
            "first_treated": np.where(arm, entry.astype(np.float64), np.nan)[rows],
            "zone": pd.array(names[where.ravel()], dtype="str"),
            "baseline_zone": pd.array(names[home[rows]], dtype="str"),
            "household": household[rows],
            "sex": pd.array(np.where(woman, "F", "H")[rows], dtype="str"),
            "age": age[rows] + np.tile(np.asarray(waves) - waves[0], n),
            "diploma": pd.array(np.array(DIPLOMAS, dtype=object)[diploma[rows]], dtype="str"),
            "income": income.ravel(),
            "status": pd.array(np.array(STATUSES, dtype=object)[status.ravel()], dtype="str"),
        }
    )
    frame.attrs = {
        "synthetic": True,
        "truth": {"effect": float(effect), "trend": float(slope.mean())},
    }
    return frame if complete else _seen(frame, lost_at, reason, periods)


def _check(
    zones: Sequence[str],
    n: int,
    waves: Sequence[int],
    entries: Sequence[int],
    seed: int,
    shares: Mapping[str, float],
    amounts: Mapping[str, float],
) -> None:
    """Refuse what no cohort can be drawn from, every fault at once."""
    numbers = {**amounts, **shares}
    wrong = [k for k, x in numbers.items() if not isinstance(x, Real) or not math.isfinite(x)]
    wrong += [k for k, x in (("n", n), ("seed", seed)) if not isinstance(x, Integral)]
    if wrong:
        raise BarometreError(
            f"cohorte de synthèse refusée : {', '.join(wrong)} : donner un nombre, entier pour n"
            " et seed"
        )
    faults = {
        "n : au moins 2 personnes": n >= 2,
        "waves : au moins 2, croissantes": len(waves) >= 2 and list(waves) == sorted(set(waves)),
        "entries : des vagues, après la première": bool(entries) and set(entries) <= set(waves[1:]),
        "share_treated : entre 0 et 1": 0 < shares["share_treated"] < 1,
        "attrition : de 0 à moins de 1": 0 <= shares["attrition"] < 1,
        "mobility : de 0 à moins de 1": 0 <= shares["mobility"] < 1,
        "zone_shock : positif ou nul": amounts["zone_shock"] >= 0,
        "zones : au moins 2": len(zones) >= 2,
        "seed : positif ou nul": seed >= 0,
    }
    refused = [rule for rule, holds in faults.items() if not holds]
    if refused:
        raise BarometreError("cohorte de synthèse refusée : " + " ; ".join(refused))


def _seen(
    frame: pd.DataFrame, lost_at: Integers, reason: npt.NDArray[np.object_], periods: int
) -> pd.DataFrame:
    """Keep the waves at which each person is seen; the last one says why it is."""
    time = np.arange(periods)
    seen = (time[None, :] < lost_at[:, None]).ravel()
    last = (time[None, :] == lost_at[:, None] - 1) & (lost_at[:, None] < periods)
    reasons = np.full(last.shape, None, dtype=object)
    reasons[last] = reason[last.any(axis=1)]
    reasons = reasons.ravel()
    return frame.assign(exit_reason=pd.array(reasons, dtype="str"))[seen].reset_index(drop=True)


def _households(rng: np.random.Generator, home: Integers) -> Integers:
    """Number households of one to three people who live in the same neighbourhood."""
    household = np.empty(len(home), dtype=np.int64)
    known = 0
    for zone in np.unique(home):
        members = np.flatnonzero(home == zone)
        sizes = rng.choice([1, 2, 3], size=len(members), p=[0.6, 0.3, 0.1])
        numbers = np.repeat(np.arange(len(members)), sizes)[: len(members)]
        household[members] = known + numbers
        known += int(numbers.max()) + 1
    return household


def _move(
    rng: np.random.Generator,
    home: Integers,
    income: Floats,
    zones: int,
    mobility: float,
) -> Integers:
    """Where each person lives at each wave; the last code is elsewhere."""
    n, periods = income.shape
    where = np.empty((n, periods), dtype=np.int64)
    where[:, 0] = home
    for wave in range(1, periods):
        ease = 1 / (1 + np.exp(-(income[:, wave - 1] - 1200) / 150))
        moves = rng.random(n) < 2 * mobility * ease
        # Leavers mostly quit the neighbourhoods; some come back to one of them.
        elsewhere = rng.random(n) < np.where(where[:, wave - 1] == zones, 0.2, 0.75)
        target = np.where(elsewhere, zones, rng.integers(zones, size=n))
        where[:, wave] = np.where(moves, target, where[:, wave - 1])
    return where


def _lose(
    rng: np.random.Generator,
    first: Floats,
    diploma: Integers,
    arm: Booleans,
    where: Integers,
    attrition: float,
    periods: int,
) -> tuple[Integers, npt.NDArray[np.object_]]:
    """Position of the first wave missed, and why; the causes are seen at the first wave."""
    n = len(first)
    lost_at, reason = np.full(n, periods), np.full(n, None, dtype=object)
    if attrition == 0:
        return lost_at, reason
    low = -(first - first.mean()) / first.std()
    # The comparison group loses its better off and its least qualified people, the programme its
    # poorest: whoever compares those who are left finds too small an effect.
    pull = np.where(arm, 0.5 * low + 0.2 * (diploma - 1), -0.5 * low - 0.8 * (diploma - 1))
    chance = 1 / (1 + np.exp(-(_centre(pull, attrition) + pull)))
    for wave in range(1, periods):
        leaves = (lost_at == periods) & (rng.random(n) < chance)
        lost_at[leaves] = wave
        moved = where[:, wave] != where[:, wave - 1]
        said = np.where(moved, "déménagement", rng.choice(["refus", "injoignable"], size=n))
        reason[leaves] = said[leaves]
    return lost_at, reason


def _centre(pull: Floats, share: float) -> float:
    """Find what to add to every pull for the mean chance to be the share asked for."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-(middle + pull)))).mean() < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _status(
    rng: np.random.Generator,
    income: Floats,
    age: Integers,
    periods: int,
) -> Integers:
    """Status at each wave, that lasts, and is more often employment with a higher income."""
    n = len(age)
    status = np.empty((n, periods), dtype=np.int64)
    for wave in range(periods):
        works = 1 / (1 + np.exp(-(income[:, wave] - 1150) / 120))
        trains = np.where(age < 30, 0.35, 0.10)
        draw = rng.random((n, 2))
        new = np.where(
            draw[:, 0] < works,
            0,
            np.where(draw[:, 1] < trains, 1, np.where(draw[:, 1] < 0.75, 2, 3)),
        )
        stays = rng.random(n) < 0.6
        status[:, wave] = new if wave == 0 else np.where(stays, status[:, wave - 1], new)
    return status
