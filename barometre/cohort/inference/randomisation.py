"""Randomisation inference: what the effect would have been had others been drawn."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import (
    Face,
    capital,
    counted_text,
    decimals_of,
    kept_sentences,
    number_text,
    p_text,
)
from barometre.base.french import format_number
from barometre.base.version import __version__
from barometre.cohort.inference.estimates import FewClustersWarning
from barometre.cohort.rows.columns import as_arm, as_codes, as_numbers, require_columns

Statistic = Literal["difference"] | Callable[[Floats, Floats], float]

ENUMERATED = 2**15  # at most so many assignments are all tried
_CHUNK = 2**21  # numbers held at once while drawing
_TIE = 1e-9  # gap between two statistics, relative to the spread, below which it is rounding


@dataclass(frozen=True, eq=False)
class RandomisationResult(Face):
    """Randomisation test of no effect on anyone.

    Attributes
    ----------
    statistic : float
        As observed.
    p : float
        Share of the assignments, the observed one included, with a statistic at least as large.
    smallest_p : float
        The smallest p-value that the assignments can give.
    draws : int
        Assignments tried.
    exact : bool
        Whether they are all of them.
    n, n_units : int
        Values used; units that were assigned (people or clusters).
    meta : dict
        ``method``, ``convention``, ``n_assignments``, ``n_in``, ``n_used``, ``lost``, ``seed``...
    distribution : ndarray
        The statistic under each assignment tried.
    """

    statistic: float
    p: float
    smallest_p: float
    draws: int
    exact: bool
    n: int
    n_units: int
    meta: Mapping[str, Any] = field(repr=False)
    distribution: Floats = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row: ``statistic, p, smallest_p, draws, n, n_units``."""
        names = ("statistic", "p", "smallest_p", "draws", "n", "n_units")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def sentences(self) -> list[str]:
        """Say the statistic, its p-value, and the smallest one that could be."""
        digits = decimals_of(float(np.std(self.distribution)))
        tried = counted_text(self.draws, "affectation")
        return [
            f"{capital(str(self.meta['method']))} : statistique "
            f"{number_text(self.statistic, digits)}, {p_text(self.p)}.",
            f"{tried}{', toutes essayées' if self.exact else ' au hasard'} de "
            f"{counted_text(self.n_units, 'unité')} ; p ne peut pas descendre sous "
            f"{format_number(float(f'{self.smallest_p:.3g}'))}.",
            *kept_sentences(self.meta),
        ]


def check_draws(draws: int) -> None:
    """Refuse a number of draws that is not a positive integer."""
    if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)) or draws < 1:
        raise BarometreError(f"draws = {draws} : donner un nombre entier de tirages, 1 au moins")


def randomisation_test(
    frame: pd.DataFrame,
    outcome: str,
    arm: str,
    *,
    treated: object = None,
    cluster: str | None = None,
    strata: str | None = None,
    statistic: Statistic = "difference",
    draws: int = 9999,
    seed: int = 0,
) -> RandomisationResult:
    """Test that the action had no effect on anyone, by assigning it again as it was drawn.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    outcome : str
        Column of an outcome, or of its change since the first wave for a difference in
        differences. Missing ones are left out and counted.
    arm : str
        Column of the arm, of two values.
    treated : object, optional
        Value of the treated; needed unless the arm is 0 and 1, or booleans.
    cluster : str, optional
        Column of the cluster, when whole clusters were assigned; the arm is then the same for all
        its people.
    strata : str, optional
        Column of the strata within which the assignment was made; the same for all people of a
        cluster.
    statistic : {"difference"} or callable, default "difference"
        Difference of means (treated - others) over people, or a function of the outcomes and the
        arms (1 and 0, in the same order) that returns a number.
    draws : int, default 9999
        Random assignments, when there are too many to try them all.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    RandomisationResult
        Two-sided test on the size of the statistic. Exact when there are at most 32 768
        assignments with as many treated units per stratum, the observed one included; else
        (1 + number) / (1 + draws).

    Raises
    ------
    BarometreError
        A column absent, an arm that is missing, is not of two values or varies within a cluster;
        strata that vary within a cluster or that never mix the two arms; a statistic that is not a
        finite number.

    Warns
    -----
    FewClustersWarning
        The smallest attainable p-value is above 0.05: nothing can be significant.

    Notes
    -----
    Fisher (1935); for clusters and few of them treated, MacKinnon and Webb (2020). Drawn p-values
    count the observed assignment (Phipson, Smyth, 2010). Statistics that differ by rounding only
    are ties.

    Examples
    --------
    >>> rows = pd.DataFrame({"y": [1, 2, 3, 4, 7, 8, 9, 10], "arm": [0] * 4 + [1] * 4})
    >>> test = randomisation_test(rows, "y", "arm")
    >>> test.statistic, test.draws, round(test.p, 4), round(test.smallest_p, 4)
    (6.0, 70, 0.0286, 0.0286)
    """
    check_draws(draws)
    require_columns(frame, [outcome, arm, cluster, strata])
    if not callable(statistic) and statistic != "difference":
        raise UnknownNameError("nom de statistique", str(statistic), ["difference"])
    y = as_numbers(frame[outcome], outcome, missing=True)
    kept = ~np.isnan(y)
    if not kept.any():
        raise BarometreError(f"{outcome} : aucune valeur ; vérifier la colonne du résultat")
    mine = as_arm(frame[arm], arm, treated)[kept] == 1
    unit = np.arange(len(y)) if cluster is None else as_codes(frame[cluster], cluster)[0]
    stratum = np.zeros(len(y), np.int64) if strata is None else as_codes(frame[strata], strata)[0]
    y, stratum = y[kept], stratum[kept]
    unit = np.unique(unit[kept], return_inverse=True)[1]
    plan = _Plan.of(unit, mine, stratum)
    measure = _Measure(y, unit, plan.n_units, statistic)
    observed = measure.of(plan.treated[None, :])[0]
    exact = plan.n_assignments <= ENUMERATED
    assigned = plan.every(measure.step) if exact else plan.draw(draws, seed, measure.step)
    distribution = np.concatenate([measure.of(chosen) for chosen in assigned])
    if not np.isfinite(distribution).all() or not np.isfinite(observed):
        raise BarometreError("la statistique n'est pas un nombre fini pour chaque affectation")
    large = int((np.abs(distribution) >= abs(observed) - measure.tie(observed)).sum())
    total = len(distribution)
    mirrored = plan.mirrored and not callable(statistic)
    floor = (2 if mirrored else 1) / plan.n_assignments
    if not exact:
        floor = max(floor, 1 / (1 + total))
    if floor > 0.05:
        warnings.warn(
            f"{counted(plan.n_units, 'unité affectée', 'unités affectées')} : aucun p ne peut "
            f"descendre sous {format_number(floor)}",
            FewClustersWarning,
            stacklevel=2,
        )
    lost = int((~kept).sum())
    meta = {
        "method": "inférence par réaffectation"
        + (" des grappes" if cluster is not None else "")
        + (" au sein des strates" if strata is not None else ""),
        "convention": "p bilatéral, affectation observée comptée",
        "n_assignments": plan.n_assignments,
        "n_in": len(kept),
        "n_used": len(y),
        "lost": {"résultat manquant": lost} if lost else {},
        "seed": None if exact else seed,
        "version": __version__,
    }
    return RandomisationResult(
        statistic=float(observed),
        p=large / total if exact else (1 + large) / (1 + total),
        smallest_p=floor,
        draws=total,
        exact=exact,
        n=len(y),
        n_units=plan.n_units,
        meta=meta,
        distribution=distribution,
    )


@dataclass(frozen=True)
class _Plan:
    """Units, the arm and the stratum of each: what may be assigned again."""

    treated: Booleans
    strata: tuple[Integers, ...]

    @classmethod
    def of(cls, unit: Integers, treated: Booleans, stratum: Integers) -> _Plan:
        n_units = int(unit.max()) + 1
        of_unit = np.zeros(n_units, np.bool_)
        in_stratum = np.zeros(n_units, np.int64)
        of_unit[unit], in_stratum[unit] = treated, stratum
        if (of_unit[unit] != treated).any():
            raise BarometreError(
                "arm varie au sein d'une grappe : des grappes entières n'ont pas été affectées ; "
                "retirer cluster=, ou donner les grappes comme strates"
            )
        if (in_stratum[unit] != stratum).any():
            raise BarometreError("strata varie au sein d'une grappe : donner une strate par grappe")
        groups = [np.flatnonzero(in_stratum == value) for value in np.unique(in_stratum)]
        mixed = tuple(group for group in groups if 0 < of_unit[group].sum() < len(group))
        if not mixed:
            raise BarometreError(
                "rien à réaffecter : il faut des traités et des non-traités dans une même strate"
            )
        return cls(of_unit, mixed)

    @property
    def n_units(self) -> int:
        return len(self.treated)

    @property
    def n_assignments(self) -> int:
        return math.prod(math.comb(len(s), int(self.treated[s].sum())) for s in self.strata)

    @property
    def mirrored(self) -> bool:
        """Whether exchanging the two arms is an assignment too, of opposite difference."""
        movable = sum(map(len, self.strata)) == self.n_units
        return movable and all(2 * self.treated[s].sum() == len(s) for s in self.strata)

    def every(self, step: int) -> Iterator[Booleans]:
        """Yield all assignments, some at a time."""
        choices = [itertools.combinations(s, int(self.treated[s].sum())) for s in self.strata]
        fixed = self.treated.copy()
        for s in self.strata:
            fixed[s] = False
        combined = itertools.product(*choices)
        while some := list(itertools.islice(combined, step)):
            assigned = np.tile(fixed, (len(some), 1))
            for row, chosen in enumerate(some):
                assigned[row, list(itertools.chain.from_iterable(chosen))] = True
            yield assigned

    def draw(self, draws: int, seed: int, step: int) -> Iterator[Booleans]:
        """Yield random assignments, some at a time."""
        generator = np.random.default_rng(seed)
        for start in range(0, draws, step):
            assigned = np.tile(self.treated, (min(step, draws - start), 1))
            for s in self.strata:
                assigned[:, s] = generator.permuted(assigned[:, s], axis=1)
            yield assigned


class _Measure:
    """The statistic under assignments of the units, one per row."""

    def __init__(self, y: Floats, unit: Integers, n_units: int, statistic: Statistic) -> None:
        self.y, self.unit, self.statistic = y, unit, statistic
        centred = y - y.mean()  # a difference of means ignores the level, rounding does not
        self.spread = float(np.abs(centred).max())
        self.sums = np.bincount(unit, centred, n_units)
        self.counts = np.bincount(unit, minlength=n_units).astype(float)
        self.step = max(1, _CHUNK // n_units)

    def of(self, assigned: Booleans) -> Floats:
        if callable(self.statistic):
            rows = (chosen[self.unit].astype(float) for chosen in assigned)
            return np.array([float(self.statistic(self.y, arm)) for arm in rows])
        sums, counts = assigned @ self.sums, assigned @ self.counts
        others = (self.sums.sum() - sums) / (self.counts.sum() - counts)
        return np.asarray(sums / counts - others, float)

    def tie(self, observed: float) -> float:
        return _TIE * (abs(observed) if callable(self.statistic) else self.spread)
