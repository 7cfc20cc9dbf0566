"""One comparison of ATT(g,t): who is compared with whom, between which waves, by which estimator.

Influences are scaled so that a standard error is the square root of their sum of squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.cohort.inference.hotelling import leverage_scale, means_df, side_traces
from barometre.cohort.inference.sandwich import StandardError

Control = Literal["never", "not_yet"]
Base = Literal["varying", "universal"]
Method = Literal["dr", "ipw", "reg"]

OVERLAP = 0.999  # a fitted propensity from here on leaves no one to compare with, as in R's did
COLLINEAR = 1e-9  # sine of a covariate's angle with the others, under which it adds nothing
ITERATIONS = 100
# R's glm stops when the deviance moves by less than this share: standard errors are then those of
# R's did to the last digit, and those of the exact maximum to about five digits.
STOP = 1e-8

# Norm of the sums by cluster over that of the influences, below which it is rounding.
CANCELLED = 1e-10

EMPTY = "personne à comparer"
UNKNOWN = "personne à comparer, faute de covariables connues à la vague de base"


@dataclass(frozen=True, eq=False)
class People:
    """People sorted by wave of entry, the never treated last: a group is a run of people.

    Matrices have one row per wave and one column per person. ``kind`` is the standard error.
    ``sides`` are the bounds of the runs of each group at each wave when each person is seen once:
    repeated cross-sections.
    """

    outcome: Floats
    covariates: tuple[Floats, ...]
    weight: Floats | None
    cluster: Integers | None
    groups: Floats
    bounds: Integers
    waves: Floats
    complete: bool
    kind: StandardError = "CR0"
    sides: Integers | None = None

    @property
    def repeated(self) -> bool:
        """Whether each person is seen once, at one wave."""
        return self.sides is not None

    @property
    def factor(self) -> float:
        """What multiplies variances."""
        if self.kind in ("CR0", "CR2"):
            return 1.0
        return self.n_clusters / (self.n_clusters - 1)

    @property
    def adjusted(self) -> bool:
        """Whether sums by cluster are adjusted for their share in the means."""
        return self.kind == "CR2" and self.cluster is not None

    @property
    def asymptotic(self) -> bool:
        """Whether joint tests suppose that clusters are many: by choice, or because they are."""
        return self.kind == "CR0" or self.cluster is None

    def run(self, first: int, last: int) -> slice:
        """Positions of the people of some neighbouring groups, both included."""
        return slice(int(self.bounds[first]), int(self.bounds[last + 1]))

    def sums_by_cluster(self, psi: Floats) -> Floats:
        """Add influences (one row each) up within clusters; as they are without clusters."""
        if self.cluster is None:
            return psi
        n = int(self.cluster.max()) + 1
        sums = [np.bincount(self.cluster, row, n) for row in psi]
        return np.array(sums, dtype=np.float64).reshape(len(psi), n)

    def error(self, known: Cell) -> tuple[float, float]:
        """Standard error of a cell, and the degrees of freedom of its adjusted variance.

        The error is missing when influences add up to 0 in every cluster: nothing is known of it.
        """
        influence = known.influence
        if not influence:
            return np.nan, np.nan
        if self.cluster is None:
            size = sum(float(values @ values) for _, values in influence)
            return float(np.sqrt(self.factor * size)), np.nan
        n = self.n_clusters
        sums = np.zeros(n)
        spread = np.zeros((1, len(self.side_runs)))
        for place, (run, values) in enumerate(influence):
            if not self.adjusted:
                sums += np.bincount(self.cluster[run], values, n)
                continue
            sums += np.bincount(self.cluster[run], known.scaled(place, self.cluster[run]), n)
            spread[0] += self.by_side(np.square(values), run)
        se, size = np.linalg.norm(sums), sum(float(values @ values) for _, values in influence)
        seen = se > CANCELLED * np.sqrt(size) or not size
        df = float(means_df(spread, *self.traces)[0]) if self.adjusted else np.nan
        return float(np.sqrt(self.factor) * se) if seen else np.nan, df

    @property
    def clusters(self) -> Integers:
        """Cluster of each person; the person without clusters."""
        return np.arange(self.outcome.shape[1]) if self.cluster is None else self.cluster

    @property
    def n_clusters(self) -> int:
        """Number of clusters; of people without clusters."""
        return self.outcome.shape[1] if self.cluster is None else int(self.cluster.max()) + 1

    @cached_property
    def side_runs(self) -> list[slice]:
        """Runs of people whose means are estimated: groups of entry, at each wave if repeated."""
        bounds = self.bounds if self.sides is None else self.sides
        return [slice(int(a), int(b)) for a, b in pairwise(bounds)]

    def by_side(self, values: Floats, run: slice) -> Floats:
        """Add up by side the values of a run of people."""
        bounds = self.bounds if self.sides is None else self.sides
        ends = np.clip(bounds - run.start, 0, len(values))
        sums = np.append(0.0, np.cumsum(values))[ends]
        return np.asarray(np.diff(sums), float)

    @cached_property
    def traces(self) -> tuple[Floats, Floats]:
        """Of `side_traces`."""
        assert self.cluster is not None  # asked for
        n = self.n_clusters
        mass = np.ones(len(self.cluster)) if self.weight is None else self.weight
        sums = np.stack([np.bincount(self.cluster[run], mass[run], n) for run in self.side_runs])
        total = sums.sum(axis=1, keepdims=True)
        return side_traces(sums / np.where(total > 0, total, 1.0))

    def change(self, comparison: Comparison, rows: slice) -> Floats:
        """Outcome at the wave less outcome at the base; missing when one of them is."""
        change: Floats = self.outcome[comparison.wave, rows] - self.outcome[comparison.base, rows]
        return change


@dataclass(frozen=True)
class Comparison:
    """A group and a wave, the base wave, and the runs of groups that serve as controls."""

    group: int
    wave: int
    base: int
    controls: tuple[tuple[int, int], ...]

    @property
    def reference(self) -> bool:
        """Whether the wave is the base itself, where the effect is zero by convention."""
        return self.wave == self.base


@dataclass(frozen=True, eq=False)
class Cell:
    """The estimate of one comparison; ``att`` is missing when ``reason`` says why.

    ``influence`` holds runs of people and their values, the treated group first; ``kept`` tells
    who of them was used (None: all); ``shares`` are the weights of the treated people, zero for
    those not used, and ``total`` is their sum. ``scales`` multiply the sums by cluster of the
    treated and of the controls (`leverage_scale`); ``row_scales`` those of each person, run by run,
    when a side has several means.
    """

    att: float
    n_treated: int
    n_control: int
    total: float
    shares: Floats
    influence: tuple[tuple[slice, Floats], ...] = ()
    kept: Booleans | None = None
    reason: str | None = None
    scales: tuple[Floats, ...] = ()
    row_scales: tuple[Floats, ...] = ()

    def scaled(self, place: int, codes: Integers) -> Floats:
        """Influence of a run, for sums by cluster (``codes``) to be those of CR2."""
        values = self.influence[place][1]
        if self.row_scales:
            return values * self.row_scales[place]
        return np.asarray(values * self.scales[min(place, 1)][codes], float)


def comparisons(
    groups: Floats, waves: Floats, control: Control, base: Base, anticipation: float
) -> list[Comparison]:
    """List the comparisons of every group that has a wave before its treatment.

    Without a never-treated group the last group to enter only serves as a control, as in R's did:
    nobody is left to compare it with from its entry on.
    """
    never = len(groups) - 1 if np.isinf(groups[-1]) else None
    planned = []
    for g in range(len(groups) - 1):
        before = np.flatnonzero(waves + anticipation < groups[g])
        last_before = int(before[-1])
        for t in range(0 if base == "universal" else 1, len(waves)):
            start = last_before if base == "universal" else min(t - 1, last_before)
            if control == "never":
                runs = [] if never is None else [(never, never)]
            else:
                reached = waves[max(t, start)] + anticipation
                first = int(np.searchsorted(groups, reached, side="right"))
                runs = [(first, g - 1), (max(g + 1, first), len(groups) - 1)]
            runs = [(low, high) for low, high in runs if low <= high]
            planned.append(Comparison(g, t, start, tuple(runs)))
    return planned


def cell(people: People, comparison: Comparison, method: Method) -> Cell:
    """Estimate one comparison on the people seen at both waves.

    Without covariates the three methods are one: the difference of the mean changes.
    """
    rows = [
        people.run(comparison.group, comparison.group),
        *(people.run(low, high) for low, high in comparison.controls),
    ]
    change = np.concatenate([people.change(comparison, run) for run in rows])
    n = rows[0].stop - rows[0].start
    weight = None
    if people.weight is not None:
        weight = np.concatenate([people.weight[run] for run in rows])
    x, lacking = None, False
    if people.covariates and not comparison.reference:
        x = _design(people, comparison, rows)
        without = np.isnan(x.sum(axis=1))
        lacking = bool((without & np.isfinite(change)).any())
        change[without] = np.nan
    kept = None if people.complete and x is None else np.isfinite(change)
    seen = (n, len(change) - n)
    shares = np.ones(n) if weight is None else weight[:n]
    if kept is not None:
        seen = (int(kept[:n].sum()), int(kept[n:].sum()))
        shares = shares * kept[:n]
    total = float(shares.sum())
    if 0 in seen:
        return Cell(np.nan, *seen, total, shares, reason=UNKNOWN if lacking else EMPTY)
    if x is None:
        att, influence = _plain(change, n, weight, kept)
    else:
        used = np.isfinite(change)
        weight = np.ones(len(change)) if weight is None else weight
        treated = np.arange(len(change)) < n
        influence = np.zeros(len(change))
        att, influence[used], reason = adjusted_att(
            change[used], treated[used], x[used], weight[used], method
        )
        if reason is not None:
            return Cell(np.nan, *seen, total, shares, reason=reason)
    ends = np.cumsum([run.stop - run.start for run in rows])
    blocks = zip(rows, np.split(influence, ends[:-1]), strict=True)
    scales = _scales(people, rows, n, weight, kept)
    return Cell(att, *seen, total, shares, tuple(blocks), kept, scales=scales)


def _scales(
    people: People, rows: Sequence[slice], n: int, weight: Floats | None, kept: Booleans | None
) -> tuple[Floats, ...]:
    if people.asymptotic or people.cluster is None:
        return ()
    cluster = np.concatenate([people.cluster[run] for run in rows])
    mass = np.ones(len(cluster)) if weight is None else weight
    mass = mass if kept is None else mass * kept
    sides = (
        np.bincount(cluster[side], mass[side], people.n_clusters)
        for side in (slice(n), slice(n, None))
    )
    return tuple(leverage_scale(sums / sums.sum()) for sums in sides)


def _design(people: People, comparison: Comparison, rows: Sequence[slice]) -> Floats:
    """Constant and covariates as they were at the base wave."""
    columns = [
        np.concatenate([covariate[comparison.base, run] for run in rows])
        for covariate in people.covariates
    ]
    return np.column_stack([np.ones(len(columns[0])), *columns])


def _plain(
    change: Floats, n: int, weight: Floats | None, kept: Booleans | None
) -> tuple[float, Floats]:
    """Difference of the mean changes of the first n people and of the others."""
    if kept is not None:
        weight = kept.astype(np.float64) if weight is None else weight * kept
        change = np.where(kept, change, 0.0)
    influence = np.empty(len(change))
    means = []
    for arm, sign in ((slice(n), 1), (slice(n, None), -1)):
        if weight is None:
            means.append(float(change[arm].mean()))
            np.subtract(change[arm], means[-1], out=influence[arm])
            influence[arm] /= sign * len(change[arm])
        else:
            total = float(weight[arm].sum())
            means.append(float(weight[arm] @ change[arm]) / total)
            influence[arm] = weight[arm] * (change[arm] - means[-1]) / (sign * total)
    return means[0] - means[1], influence


def adjusted_att(
    change: Floats, treated: Booleans, x: Floats, weight: Floats, method: Method
) -> tuple[float, Floats, str | None]:
    """Estimate the effect on the treated of one comparison, given covariates.

    Parameters
    ----------
    change : array of n
        Outcome after less outcome before.
    treated : array of n bool
        Treated people, and controls.
    x : array of n x k
        Covariates, the constant among them.
    weight : array of n
        Positive weights.
    method : {"dr", "ipw", "reg"}
        Doubly robust, inverse probability or outcome regression.

    Returns
    -------
    tuple
        Effect, influence of each person, and why there is no effect (then missing) or None:
        collinear covariates, fewer controls than covariates, no overlap, a logit that does not
        converge.

    Notes
    -----
    Outcome regression: Heckman, Ichimura and Todd (1997); inverse probability, weights normed to
    one in each arm: Abadie (2005); doubly robust: Sant'Anna and Zhao (2020), least squares and
    maximum likelihood ("traditional"). Influences are theirs, divided by n. Nobody is trimmed: a
    score of 0.999 or more gives no effect.
    """
    d = treated.astype(float)
    weight = weight / weight.mean()
    n = len(change)
    nothing = np.zeros(n)
    residual, regression = change, None
    if method in ("dr", "reg"):
        regression = least_squares_on(change[~treated], x[~treated], weight[~treated])
        if regression is None:
            return np.nan, nothing, "covariables colinéaires parmi les témoins"
        residual = change - x @ regression[0]
    odds = weight * d  # what the controls are weighted by
    logit = None
    if method in ("dr", "ipw"):
        logit = fit_chance(d, x, weight)
        if isinstance(logit, str):
            return np.nan, nothing, logit
        chance = logit[0]
        odds = weight * chance * (1 - d) / (1 - chance)
    ours = weight * d
    mean_treated = (ours @ residual) / ours.sum()
    influence = ours * (residual - mean_treated) / ours.sum()
    mean_controls = 0.0
    slopes = ours @ x / ours.sum()  # of the effect, in the coefficients of the regression
    if logit is not None:
        mean_controls = (odds @ residual) / odds.sum()
        off = odds * (residual - mean_controls)
        influence -= (
            off + scores_of(d - logit[0], x, weight) @ (logit[1] @ (off @ x))
        ) / odds.sum()
        slopes = slopes - odds @ x / odds.sum()
    if regression is not None:
        influence -= scores_of((1 - d) * residual, x, weight) @ (regression[1] @ slopes)
    return float(mean_treated - mean_controls), influence, None


def scores_of(residual: Floats, x: Floats, weight: Floats) -> Floats:
    scores: Floats = (weight * residual)[:, None] * x
    return scores


def least_squares_on(y: Floats, x: Floats, weight: Floats) -> tuple[Floats, Floats] | None:
    """Coefficients and inverse of the cross products; nothing when columns are collinear."""
    if len(y) < x.shape[1]:
        return None
    root = np.sqrt(weight)
    q, r = np.linalg.qr(x * root[:, None])
    if _collinear(r):
        return None
    inverse = np.linalg.inv(r)
    return inverse @ (q.T @ (root * y)), inverse @ inverse.T


def _collinear(r: npt.NDArray[Any]) -> bool:
    norms = np.sqrt((r * r).sum(axis=0))
    return bool((np.abs(np.diag(r)) <= COLLINEAR * norms).any())


def fit_chance(d: Floats, x: Floats, weight: Floats) -> tuple[Floats, Floats] | str:
    """Fitted probabilities and inverse information, by reweighted least squares; or what is wrong.

    Start, stop and information of the last step are those of R's glm, which R's did rests on.
    """
    chance = (weight * d + 0.5) / (weight + 1)
    eta = np.log(chance / (1 - chance))
    deviance = _deviance(d, chance, weight)
    for _ in range(ITERATIONS):
        spread = chance * (1 - chance)
        step = least_squares_on(eta + (d - chance) / spread, x, weight * spread)
        if step is None:
            return "covariables colinéaires"
        eta = np.clip(x @ step[0], -30, 30)  # a chance neither 0 nor 1 in double precision
        chance = 1 / (1 + np.exp(-eta))
        before, deviance = deviance, _deviance(d, chance, weight)
        if abs(deviance - before) < STOP * (abs(deviance) + 0.1):
            break
    else:
        return "score de propension : le calcul ne converge pas"
    if chance.max() >= OVERLAP:
        return "recouvrement insuffisant : score de propension d'au moins 0,999"
    return chance, step[1]


def _deviance(d: Floats, chance: Floats, weight: Floats) -> float:
    return float(-2 * (weight @ np.log(np.where(d == 1, chance, 1 - chance))))
