"""What tests reject and intervals miss when nothing happens: draws by design, for a table of docs.

People are drawn in clusters of unequal sizes that a whole arm holds, with a random effect of the
person and shocks of the cluster that last from one wave to the next; nobody is ever affected. All
draws of a design go through the same formulas at once; a test holds them equal to the library's.
``python -m tests.sizes`` writes the table.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from barometre.base.arrays import Booleans, Floats
from barometre.cohort import Cohort, FewClustersWarning, wild_bootstrap
from barometre.cohort.inference.hotelling import joint_means_df, means_df, side_traces
from barometre.cohort.inference.permutations import exchanged, uneven
from barometre.cohort.inference.sandwich import StandardError, cluster_robust
from barometre.cohort.inference.trend_bounds import critical_values

TABLE = Path(__file__).parents[1] / "docs" / "few_clusters.csv"
WAVES, ENTRY = 7, {2: 4, 5: 7}  # leads tested: wave of entry
ALPHA = 0.05
DRAWN = 399  # permutations, where they are not all tried
DRAWS = 2000  # of each design: a size of 5 % has a standard error of 0.5 point


@dataclass(frozen=True)
class Design:
    """Clusters, and those of the treated arm; 3, 7, 5, 3... people in the clusters of each arm."""

    clusters: int
    treated: int

    @cached_property
    def labels(self) -> Booleans:
        return np.arange(self.clusters) < self.treated

    @cached_property
    def cluster(self) -> np.ndarray:
        """Cluster of each person."""
        place = np.where(
            self.labels, np.arange(self.clusters), np.arange(self.clusters) - self.treated
        )
        return np.repeat(np.arange(self.clusters), np.array([3, 7, 5])[place % 3])

    def outcomes(self, draws: int, seed: int) -> Floats:
        """Outcomes without any effect: people, waves, draws."""
        rng = np.random.default_rng([seed, self.clusters, self.treated])
        n = len(self.cluster)
        shock = rng.standard_normal((self.clusters, WAVES, draws))
        for t in range(1, WAVES):
            shock[:, t] = 0.5 * shock[:, t - 1] + np.sqrt(0.75) * shock[:, t]
        own = rng.standard_normal((n, 1, draws)) + rng.standard_normal((n, WAVES, draws))
        return np.asarray(0.5 * shock[self.cluster] + own, float)

    def cohort(self, outcome: Floats, leads: int) -> Cohort:
        """Give one draw (people, waves) to the library, entering after some leads."""
        n = len(self.cluster)
        frame = pd.DataFrame(
            {
                "person": np.repeat(np.arange(n), WAVES),
                "wave": np.tile(np.arange(1, WAVES + 1), n),
                "cluster": np.repeat(self.cluster, WAVES),
                "y": outcome.ravel(),
            }
        )
        frame["arm"] = self.labels[frame["cluster"]].astype(int)
        frame["first"] = ENTRY[leads] * frame["arm"]
        return Cohort(frame, "person", "wave", arm="arm", first_treated="first", cluster="cluster")


DESIGNS = [
    Design(g, t)
    for g, t in (
        (6, 3), (6, 2), (8, 4), (8, 2), (10, 5), (10, 3), (12, 6), (12, 3), (12, 2), (20, 10), (20, 5),
        (30, 15), (30, 6),
    )
]  # fmt: skip


@dataclass(frozen=True)
class Sides:
    """Means by arm of some columns of people (people, columns, draws), and their errors."""

    design: Design
    values: Floats

    @cached_property
    def sizes(self) -> Floats:
        return np.bincount(self.design.cluster).astype(float)

    def sums(self, values: Floats) -> Floats:
        found = np.zeros((self.design.clusters, *values.shape[1:]))
        np.add.at(found, self.design.cluster, values)
        return found

    @cached_property
    def arms(self) -> list[Booleans]:
        return [self.design.labels, ~self.design.labels]

    @cached_property
    def deviations(self) -> Floats:
        """Influences: signed, over the people of the arm."""
        found = np.empty_like(self.values)
        for arm, sign in zip(self.arms, (1, -1), strict=True):
            people = arm[self.design.cluster]
            mean = self.values[people].mean(axis=0)
            found[people] = sign * (self.values[people] - mean) / people.sum()
        return found

    @cached_property
    def difference(self) -> Floats:
        people = self.design.labels[self.design.cluster]
        gap = self.values[people].mean(axis=0) - self.values[~people].mean(axis=0)
        return np.asarray(gap, float)

    def vcov(self, kind: str) -> Floats:
        """Covariance of the columns: draws, columns, columns."""
        sums = self.sums(self.deviations)
        if kind == "CR2":
            share = self.shares.sum(axis=0)
            sums = sums / np.sqrt(1 - share)[:, None, None]
        vcov = np.einsum("cir,cjr->rij", sums, sums)
        g = self.design.clusters
        return np.asarray(vcov * (g / (g - 1) if kind == "CR1" else 1.0), float)

    @cached_property
    def shares(self) -> Floats:
        return np.stack([np.where(arm, self.sizes, 0) / self.sizes[arm].sum() for arm in self.arms])

    @cached_property
    def spread(self) -> Floats:
        """Covariance that each arm gives if people were independent: draws, arms, columns..."""
        found = []
        for arm in self.arms:
            own = self.deviations[arm[self.design.cluster]]
            found.append(np.einsum("nir,njr->rij", own, own))
        return np.stack(found, axis=1)

    def permuted(self) -> Floats:
        """Probability of the permutation test, of each draw."""
        every, _ = exchanged(1 - self.design.labels.astype(int), draws=DRAWN, seed=0)
        first = every == 0
        seen = first @ self.sizes, ~first @ self.sizes
        weights = first / seen[0][:, None] - ~first / seen[1][:, None]
        weights /= np.sqrt(1 / seen[0] + 1 / seen[1])[:, None]
        sums = self.sums(self.values - self.values.mean(axis=0))
        observed = int(np.flatnonzero((first == self.design.labels).all(axis=1))[0])
        found = []
        for r in range(sums.shape[-1]):
            b = weights @ sums[..., r]
            size = np.square(b @ np.linalg.inv(np.linalg.cholesky(b.T @ b)).T).sum(axis=1)
            found.append((size >= size[observed] * (1 - 1e-9)).mean())
        return np.array(found)


def rejected(p: Floats) -> float:
    """Percentage of rejections, missing when no draw has a p."""
    return np.nan if np.isnan(p).all() else 100 * float((p <= ALPHA).mean())


def two_arms(design: Design, outcome: Floats) -> dict[str, float]:
    """Tests of a difference in differences: before and after the entry."""
    cohort = design.cohort(outcome[..., 0], 2)
    regression = cohort.did_design("y", ENTRY[2])
    rows = outcome.reshape(-1, outcome.shape[-1])
    terms = regression.frame[regression.terms].to_numpy()
    solved = np.linalg.lstsq(terms, rows, rcond=None)[0]
    residual = rows - terms @ solved
    place = regression.terms.index("effet")
    found = {}
    kinds: tuple[StandardError, ...] = ("CR1", "CR2")
    for se in kinds:
        first = cluster_robust(
            *regression[:3], cluster=regression.cluster, se=se, intercept=False
        ).table.iloc[place]
        variance = clustered_variance(terms, residual, regression.frame["grappe"], se)[place]
        p = 2 * stats.t.sf(np.abs(solved[place]) / np.sqrt(variance), first["df"])
        found[f"did {se}"] = rejected(p)
    boots = [
        wild_bootstrap(
            regression.frame.assign(résultat=y), *regression[1:], term="effet", intercept=False,
            draws=DRAWN,
        )
        for y in rows.T
    ]  # fmt: skip
    found["bootstrap p"] = rejected(np.array([boot.p for boot in boots]))
    found["bootstrap p_strict"] = rejected(np.array([boot.p_strict for boot in boots]))
    after = slice(ENTRY[2] - 1, None)
    change = outcome[:, after].mean(axis=1) - outcome[:, : ENTRY[2] - 1].mean(axis=1)
    return found | {"randomisation": rejected(randomised(design, change))}


def clustered_variance(x: Floats, residual: Floats, cluster: pd.Series, se: str) -> Floats:
    """Variances of the coefficients of every draw: coefficients, draws."""
    inverse = np.linalg.inv(x.T @ x)
    total = np.zeros((x.shape[1], residual.shape[1]))
    for _, rows in cluster.groupby(cluster):
        mine = x[rows.index]
        score = mine.T @ residual[rows.index]
        if se == "CR2":
            values, vectors = np.linalg.eigh(np.eye(len(mine)) - mine @ inverse @ mine.T)
            power = np.where(values > 1e-10, np.where(values > 1e-10, values, 1) ** -0.5, 0)
            score = mine.T @ (vectors * power) @ vectors.T @ residual[rows.index]
        total += np.square(inverse @ score)
    g, (n, k) = cluster.nunique(), x.shape
    return total * (g / (g - 1) * (n - 1) / (n - k) if se == "CR1" else 1.0)


def randomised(design: Design, change: Floats) -> Floats:
    """Probability of the difference of means under permutations, of each draw."""
    every, _ = exchanged(1 - design.labels.astype(int), draws=DRAWN, seed=0)
    first = every == 0
    sizes = np.bincount(design.cluster).astype(float)
    sums = np.zeros((design.clusters, change.shape[1]))
    np.add.at(sums, design.cluster, change - change.mean(axis=0))
    weights = first / (first @ sizes)[:, None] - ~first / (~first @ sizes)[:, None]
    size = np.abs(weights @ sums)
    observed = int(np.flatnonzero((first == design.labels).all(axis=1))[0])
    return np.asarray((size >= size[observed] * (1 - 1e-9)).mean(axis=0), float)


def group_time(design: Design, outcome: Floats) -> dict[str, float]:
    """Intervals of the mean of ATT(g,t)."""
    base = outcome[:, ENTRY[2] - 2]
    sides = Sides(design, (outcome[:, ENTRY[2] - 1 :].mean(axis=1) - base)[:, None])
    traces = side_traces(sides.shares)
    found = {}
    for se in ("CR0", "CR1", "CR2"):
        ratio = np.abs(sides.difference[0]) / np.sqrt(sides.vcov(se)[:, 0, 0])
        df: object = {"CR0": np.inf, "CR1": design.clusters - 1}.get(se)
        if se == "CR2":
            df = means_df(sides.spread[:, :, 0, 0], *traces)
        found[f"att_gt {se}"] = rejected(2 * stats.t.sf(ratio, df))
    return found


def imputed(design: Design, outcome: Floats) -> dict[str, float]:
    """Intervals of the mean effect by imputation, entries centred on the other clusters."""
    people, waves, draws = outcome.shape
    on = np.zeros((people, waves), np.bool_)
    on[design.labels[design.cluster], ENTRY[2] - 1 :] = True
    place = np.indices((people, waves)).reshape(2, -1)
    columns = np.column_stack([np.eye(people)[place[0]], np.eye(waves)[place[1]]])
    treated, y = on.ravel(), outcome.reshape(-1, draws)
    back = np.linalg.pinv(columns[~treated])
    residual = y - columns @ (back @ y[~treated])
    v = treated / treated.sum()
    v[~treated] = -back.T @ (columns[treated].T @ v[treated])
    difference = v @ y
    cluster = design.cluster[place[0]]
    for wave in range(ENTRY[2] - 1, waves):
        cell = treated & (place[1] == wave)
        own = np.bincount(cluster[cell], v[cell], design.clusters)[: design.treated]
        sums = np.zeros((design.treated, draws))
        np.add.at(sums, cluster[cell], v[cell, None] * residual[cell])
        others = np.square(own).sum() - np.square(own)
        centre = (own @ sums - own[:, None] * sums) / others[:, None]
        residual[cell] -= centre[cluster[cell]]
    total = np.zeros((design.clusters, draws))
    np.add.at(total, cluster, v[:, None] * residual)
    ratio = np.abs(difference) / np.sqrt(np.square(total).sum(axis=0))
    return {"imputation": rejected(2 * stats.t.sf(ratio, design.clusters - 1))}


def before(design: Design, outcome: Floats) -> dict[str, float]:
    """Tests of parallel trends, changes from one wave to the next."""
    found = {}
    for leads in ENTRY:
        q = leads if leads == 5 else 2
        sides = Sides(design, np.diff(outcome[:, : q + 1], axis=1))
        found[f"pretrend, {leads}"] = rejected(trends(design, sides))
        wald = np.einsum(
            "ir,rij,jr->r", sides.difference, np.linalg.pinv(sides.vcov("CR0")), sides.difference
        )
        found[f"chi-squared, {leads}"] = rejected(stats.chi2.sf(wald, q))
    return found


def bounded(design: Design, outcome: Floats) -> dict[str, float]:
    """Intervals of relative magnitudes that miss an effect of 0, its trends as bad as they may be.

    Before the entry one move is large, or all are of the size of their error; after it each is once
    or twice the largest, always the same way. The worst of the four.
    """
    found = {}
    for leads, entry in ENTRY.items():
        large = np.asarray(np.zeros(leads), float)
        alike = np.asarray(0.5 * (-1.0) ** np.arange(leads), float)
        large[0] = 10.0
        found[f"bounds, {leads}"] = max(
            missed(design, outcome, entry, moves, magnitude)
            for moves in (large, alike)
            for magnitude in (1, 2)
        )
    return found


def missed(design: Design, outcome: Floats, entry: int, moves: Floats, magnitude: float) -> float:
    """Percentage of intervals of the mean effect that miss it, for some moves before the entry."""
    low, high = bounds_of(
        design, outcome + violation(design, entry, moves, magnitude), entry, magnitude
    )
    return 100 * float(((low > 0) | (high < 0)).mean())


def violation(design: Design, entry: int, moves: Floats, magnitude: float) -> Floats:
    """Difference of trend of the treated: people, waves, 1."""
    after = np.full(WAVES - entry + 1, magnitude * np.abs(moves).max())
    path = np.cumsum(np.concatenate([[0.0], moves, after]))
    return np.asarray(design.labels[design.cluster][:, None, None] * path[None, :, None], float)


def bounds_of(
    design: Design, outcome: Floats, entry: int, magnitude: float
) -> tuple[Floats, Floats]:
    """Interval of the mean effect, of each draw."""
    number = WAVES - entry + 1
    effect = np.zeros(WAVES)
    effect[entry - 1 :] = 1 / number
    effect[entry - 2] = -1.0
    moves = np.diff(np.eye(WAVES)[: entry - 1], axis=0)
    limits = []
    for share in (0.0, magnitude):
        reach = share * (number + 1) / 2 * moves
        ends = np.concatenate([effect - reach, effect + reach])
        sides = Sides(design, np.einsum("nwr,cw->ncr", outcome, ends))
        vcov, value = sides.vcov("CR2"), sides.difference.T
        se = np.sqrt(np.einsum("rii->ri", vcov))
        k, own = len(moves), np.einsum("raii->ria", sides.spread)
        df = means_df(own.reshape(-1, 2), *side_traces(sides.shares)).reshape(se.shape)
        both = np.einsum("rii->ri", vcov[:, :k, k:]) / (se[:, :k] * se[:, k:])
        least = np.minimum(df[:, :k], df[:, k:])
        critical = critical_values(both.ravel(), least.ravel(), ALPHA).reshape(both.shape)
        half = np.tile(critical, 2) * se
        limits.append(((value - half).min(axis=1), (value + half).max(axis=1)))
    lows, highs = zip(*limits, strict=True)
    return np.minimum(*lows), np.maximum(*highs)


def trends(design: Design, sides: Sides) -> Floats:
    """Probability of each draw, by the law that the clusters allow; missing without any."""
    q, draws = sides.difference.shape
    if q >= design.clusters - 1:
        return np.full(draws, np.nan)
    if uneven(design.labels.astype(int)):
        return sides.permuted()
    traces = side_traces(sides.shares)
    eta = np.array([joint_means_df(spread, *traces) for spread in sides.spread])
    b, v = sides.difference.T[..., None], sides.vcov("CR2")
    wald = (b * np.linalg.solve(v, b)).sum(axis=(1, 2))
    return np.asarray(stats.f.sf(wald * (eta - q + 1) / (eta * q), q, eta - q + 1), float)


def sizes(design: Design, draws: int, seed: int = 0) -> dict[str, float]:
    """Percentage of the draws in which each test rejects, or each interval misses."""
    outcome = design.outcomes(draws, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewClustersWarning)
        parts = [part(design, outcome) for part in (two_arms, group_time, imputed, before, bounded)]
    return {name: value for part in parts for name, value in part.items()}


def written(designs: list[Design], draws: int) -> pd.DataFrame:
    """Make the table of some designs: one row each."""
    rows = [{"clusters": d.clusters, "treated": d.treated} | sizes(d, draws) for d in designs]
    return pd.DataFrame(rows).round(1)


if __name__ == "__main__":
    written(DESIGNS, DRAWS).to_csv(TABLE, index=False)
