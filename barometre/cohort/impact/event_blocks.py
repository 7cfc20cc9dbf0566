"""An event study from sums by cluster: its joint law, and what it gives when entries are exchanged.

Fixed effects of people are nested in clusters, and the other columns are the same for all the
people of a cluster who enter at the same date. Everything then follows, whatever the gaps and the
weights, from two sums by block (cluster and date of entry): the waves by waves matrix of what the
means of people leave, and its product with the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from barometre.base.arrays import Floats, Integers
from barometre.cohort.impact.sample import Sample
from barometre.cohort.impact.within import without_person
from barometre.cohort.inference.hotelling import regression_df
from barometre.cohort.inference.permutations import exchanged, uneven
from barometre.cohort.inference.pretrends import PreTrend, permuted_pretrend, pretrend_test
from barometre.cohort.inference.sandwich import (
    LeastSquares,
    adjustments,
    grams_of,
    satterthwaite_df,
)

MANY = 500  # clusters from which the usual law of F is used: the others cost k x k numbers each
_SINGULAR = 1e-10  # eigenvalue, relative to the largest one, of a direction that is not there
_CHUNK = 2**22  # numbers held at once


@dataclass(frozen=True, eq=False)
class Blocks:
    """Sums by block: ``left`` (blocks, waves, waves), ``product`` (blocks, waves).

    ``entry`` is the position of the date of entry among ``entries`` (missing: never treated).
    """

    cluster: Integers
    entry: Integers
    entries: Floats
    left: Floats
    product: Floats
    n_clusters: int

    @classmethod
    def of(cls, sample: Sample, start: Floats) -> Blocks:
        """Add up the rows of a sample, ``start`` being the date of entry of each row."""
        assert sample.cluster is not None  # asked for
        assert sample.n_clusters is not None
        ways = sample.ways
        entries, entry = np.unique(start, return_inverse=True)  # one missing value, the last
        block, of_row = np.unique(
            np.asarray(sample.cluster, np.int64) * len(entries) + entry, return_inverse=True
        )
        weight = np.ones(len(sample.y)) if sample.weight is None else sample.weight
        of_person = np.zeros(ways.n_people, np.int64)
        of_person[ways.person] = of_row
        mass = np.zeros((ways.n_waves, ways.n_people))
        mass[ways.wave, ways.person] = weight
        rest = without_person(sample.y, ways) * weight
        shape = (len(block), ways.n_waves)
        product = np.bincount(of_row * shape[1] + ways.wave, rest, shape[0] * shape[1])
        total = mass.sum(axis=0)
        left = np.zeros((*shape, shape[1]))
        for t in range(shape[1]):
            left[:, t, t] += np.bincount(of_person, mass[t], shape[0])
            for u in range(t + 1):
                shared = np.bincount(of_person, mass[t] * mass[u] / total, shape[0])
                left[:, t, u] -= shared
                if u < t:
                    left[:, u, t] -= shared
        return cls(
            block // len(entries),
            block % len(entries),
            entries,
            np.asarray(left, float),
            np.asarray(product.reshape(shape), float),
            sample.n_clusters,
        )

    @property
    def labels(self) -> Integers | None:
        """Entry of each cluster, or nothing when some cluster mixes several."""
        if len(self.cluster) > self.n_clusters:
            return None
        label = np.empty(self.n_clusters, np.int64)
        label[self.cluster] = self.entry
        return label


def joint_pretrend(
    blocks: Blocks,
    columns: Callable[[float], Floats],
    leads: Sequence[int],
    times: Floats,
    *,
    alpha: float,
    power: Sequence[float],
    draws: int,
    seed: int,
) -> PreTrend:
    """Test the leads of an event study with the law that its clusters allow.

    Parameters
    ----------
    blocks : Blocks
        The rows.
    columns : callable
        From a date of entry, or missing, the columns (waves, k) of its people.
    leads : sequence of int
        Columns tested.
    times : ndarray
        Distance in time of each to the base.
    alpha, power, draws, seed
        As in `EventStudy.pretrend`.

    Returns
    -------
    PreTrend
    """
    cross, moved = _by_entry(blocks, columns)
    own = np.arange(len(blocks.cluster))
    mine, score = cross[own, blocks.entry], moved[own, blocks.entry]
    basis = _basis(mine.sum(axis=0))
    coef = basis @ (basis.T @ score.sum(axis=0))
    labels = blocks.labels
    if labels is not None and uneven(labels):
        every, exact = exchanged(labels, draws=draws, seed=seed)
        order = np.argsort(blocks.cluster)
        permuted, errors = _permuted(cross[order], moved[order], every, leads)
        own = np.sqrt(np.square(basis[leads]).sum(axis=1))
        return permuted_pretrend(
            coef[leads] / own,
            permuted / errors,
            times / own,
            groups=len(blocks.entries),
            n_clusters=blocks.n_clusters,
            exact=exact,
            alpha=alpha,
            power=power,
        )
    found = _adjusted(blocks, mine, score, basis)
    return found.test(leads, coef[leads], times, alpha=alpha, power=power)


@dataclass(frozen=True, eq=False)
class AdjustedLeads:
    """What a joint test needs of a regression with covariates: sums by cluster, not rows."""

    grams: Floats
    adjust: Floats
    scores: Floats
    back: Floats

    @classmethod
    def of(cls, fit: LeastSquares, sample: Sample, times: slice) -> AdjustedLeads:
        """Keep the coefficients of the event times of a fit."""
        assert sample.cluster is not None  # asked for
        assert sample.n_clusters is not None
        grams = grams_of(fit.q, sample.cluster, sample.n_clusters)
        adjust = adjustments(grams, -0.5)
        scores = np.stack(
            [np.bincount(sample.cluster, q * fit.residual, sample.n_clusters) for q in fit.q.T],
            axis=1,
        )
        return cls(grams, adjust, np.einsum("gij,gj->gi", adjust, scores), fit.back[times])

    def test(
        self,
        leads: Sequence[int],
        coef: Floats,
        times: Floats,
        *,
        alpha: float,
        power: Sequence[float],
    ) -> PreTrend:
        """Test some of them by the law of Hotelling."""
        rows = self.back[leads]
        sums = self.scores @ rows.T
        eta = regression_df(self.grams, self.adjust, rows) if len(leads) else 1.0
        return pretrend_test(
            coef, sums.T @ sums, times, alpha=alpha, power=power, df_covariance=eta
        )

    def df(self, weights: Floats, power: float) -> Floats:
        """Degrees of freedom of Satterthwaite of combinations of the coefficients kept.

        Parameters
        ----------
        weights : ndarray of shape (w, k)
            One combination a row.
        power : float
            -1/2 for CR2, -1 for CR3.

        Returns
        -------
        ndarray of shape (w,)
        """
        return satterthwaite_df(self.grams, adjustments(self.grams, power), weights @ self.back)


def blocks_leads(blocks: Blocks, columns: Callable[[float], Floats], first: int) -> AdjustedLeads:
    """Return what a joint test needs of a regression without covariates.

    Parameters
    ----------
    blocks : Blocks
        The rows.
    columns : callable
        As in `joint_pretrend`.
    first : int
        Column of the first event time: those before it are waves.

    Returns
    -------
    AdjustedLeads
    """
    cross, moved = _by_entry(blocks, columns)
    own = np.arange(len(blocks.cluster))
    mine, score = cross[own, blocks.entry], moved[own, blocks.entry]
    found = _adjusted(blocks, mine, score, _basis(mine.sum(axis=0)))
    return replace(found, back=found.back[first:])


def _by_entry(blocks: Blocks, columns: Callable[[float], Floats]) -> tuple[Floats, Floats]:
    """Cross products of each block, with itself and the outcome, had it entered at each date."""
    designs = np.stack([columns(date) for date in blocks.entries])
    cross = np.einsum("etk,btu,eul->bekl", designs, blocks.left, designs, optimize=True)
    return np.asarray(cross, float), np.einsum("etk,bt->bek", designs, blocks.product)


def _adjusted(blocks: Blocks, mine: Floats, score: Floats, basis: Floats) -> AdjustedLeads:
    coef = basis @ (basis.T @ score.sum(axis=0))
    residual = score - np.einsum("bkl,l->bk", mine, coef)
    grams, scores = (_by_cluster(blocks, value) for value in (mine, residual))
    grams = basis.T @ grams @ basis
    adjust = adjustments(grams, -0.5)
    return AdjustedLeads(grams, adjust, np.einsum("gij,gj->gi", adjust, scores @ basis), basis)


def _by_cluster(blocks: Blocks, values: Floats) -> Floats:
    sums = np.zeros((blocks.n_clusters, *values.shape[1:]))
    np.add.at(sums, blocks.cluster, values)
    return sums


def _basis(cross: Floats) -> Floats:
    """Return B with B B' the (pseudo-)inverse of X'X."""
    values, vectors = np.linalg.eigh(cross)
    kept = values > _SINGULAR * values[-1]
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]), float)


def _permuted(
    cross: Floats, moved: Floats, every: Integers, leads: Sequence[int]
) -> tuple[Floats, Floats]:
    """Coefficients of the leads for each way of giving clusters (rows of ``cross``) their entry.

    With their errors if rows were independent, up to a factor.
    """
    k = cross.shape[-1]
    clusters = np.arange(cross.shape[0])
    found = np.empty((len(every), len(leads)))
    errors = np.empty_like(found)
    step = max(1, _CHUNK // (cross.shape[0] * k * k))
    for begin in range(0, len(every), step):
        some = every[begin : begin + step]
        left = cross[clusters, some].sum(axis=1)
        right = moved[clusters, some].sum(axis=1)
        inverse = np.linalg.pinv(left, rcond=_SINGULAR, hermitian=True)
        found[begin : begin + step] = np.einsum("mkl,ml->mk", inverse, right)[:, leads]
        variances = np.diagonal(inverse, axis1=1, axis2=2)[:, leads]
        errors[begin : begin + step] = np.sqrt(np.maximum(variances, 0.0))
    return found, np.where(errors > 0, errors, np.nan)
