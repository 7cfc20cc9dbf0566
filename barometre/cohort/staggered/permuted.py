"""Effects with the dates of entry exchanged between whole clusters, from sums by cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from barometre.base.arrays import Floats, Integers
from barometre.cohort.staggered.group_time_cells import Comparison, People


def labels_of_clusters(people: People) -> Integers | None:
    """Group of entry of each cluster, or nothing when some cluster mixes several.

    Parameters
    ----------
    people : People
        People with clusters.

    Returns
    -------
    ndarray of int, optional
        Position of the group among ``people.groups``.
    """
    group = np.repeat(np.arange(len(people.groups)), np.diff(people.bounds))
    label = np.full(people.n_clusters, -1, np.int64)
    label[people.clusters] = group
    return None if (label[people.clusters] != group).any() else label


def permuted_cells(
    people: People, planned: Sequence[Comparison], labels: Integers
) -> tuple[Floats, Floats]:
    """Estimate comparisons without covariates for many ways of giving clusters their entry.

    Parameters
    ----------
    people : People
        The people.
    planned : sequence of Comparison
        The comparisons.
    labels : ndarray of shape (draws, G)
        Group of entry of each cluster.

    Returns
    -------
    tuple of ndarray of shape (draws, comparisons)
        Effects, missing where a side is empty, and the errors they would have if people were
        independent, up to a factor.

    Notes
    -----
    A mean over people is a ratio of sums over clusters: those of the changes between two waves and
    of the weights of the people seen at both.
    """
    everyone = slice(0, people.outcome.shape[1])
    found = np.empty((len(labels), len(planned)))
    errors = np.empty_like(found)
    for k, comparison in enumerate(planned):
        treated = labels == comparison.group
        control = np.zeros_like(treated)
        for low, high in comparison.controls:
            control |= (labels >= low) & (labels <= high)
        parts = [(people.change(comparison, everyone), 1.0)]
        if people.repeated:  # other people at each wave: two differences of means
            parts = [
                (people.outcome[comparison.wave], 1.0),
                (people.outcome[comparison.base], -1.0),
            ]
        effect, variance = np.zeros(len(labels)), np.zeros(len(labels))
        for values, sign in parts:
            seen = np.isfinite(values)
            mass = seen.astype(float) if people.weight is None else people.weight * seen
            total = np.bincount(people.clusters, mass, people.n_clusters)
            sums = np.bincount(
                people.clusters, mass * np.where(seen, values, 0.0), people.n_clusters
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                seen_treated, seen_control = treated @ total, control @ total
                effect += sign * (treated @ sums / seen_treated - control @ sums / seen_control)
                variance += 1 / seen_treated + 1 / seen_control
        found[:, k], errors[:, k] = effect, np.sqrt(variance)
    return found, errors
