"""Joint replications of an index, choices and data drawn together, against a bare NumPy loop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from barometre.composite import Alternatives, robustness
from barometre.composite.tree.parts import Normalise
from benchmarks.composite import LEAVES, NODES, national, tree
from benchmarks.timing import Run, Sized

REPLICATIONS = 1_000
NORMALISE: tuple[Normalise, ...] = ("minmax", "zscore", "percentile")
CHOICES = Alternatives(weights=0.25, normalise=NORMALISE, aggregate=("arithmetic", "geometric"))


def measures() -> list[Sized]:
    """Return the promises on robustness."""
    return [
        Sized(
            f"composite, {REPLICATIONS} joint replications / NumPy loop",
            (160, 500, 1_600),
            replications,
            3.0,
            megabytes=1_000.0,
        )
    ]


def replications(units: int) -> tuple[Run, Run]:
    """Compare ranks under drawn choices and data with a loop over the draws."""
    frame, index = national(units), tree()
    errors, values = frame * 0 + 2.0, frame.to_numpy()
    return (
        lambda: robustness(index, frame, CHOICES, errors, draws=REPLICATIONS).ranks,
        lambda: plain_ranks(values, REPLICATIONS),
    )


def plain_ranks(values: np.ndarray, replications: int) -> np.ndarray:
    """Draw, normalise, average and rank, one replication at a time: no check, no missing value."""
    rng = np.random.default_rng(0)
    scales: list[Callable[[np.ndarray], np.ndarray]] = [
        plain_minmax,
        plain_zscore,
        plain_percentile,
    ]
    ranks = np.empty((replications, len(values)))
    leaf_weights, top = 1.0 + np.arange(LEAVES) % 4, 1.0 + np.arange(NODES)
    down = np.arange(LEAVES) % 3 == 0
    data = np.ascontiguousarray(values.T)
    for r in range(replications):
        drawn = data + 2.0 * rng.standard_normal(data.shape)
        drawn[down] *= -1
        scaled = scales[rng.integers(3)](drawn)
        below = leaf_weights * rng.uniform(0.75, 1.25, LEAVES)
        above = top * rng.uniform(0.75, 1.25, NODES)
        geometric = bool(rng.integers(2))
        if geometric:
            scaled = np.log(np.maximum(scaled, 1.0))
        nodes = np.stack(
            [below[k::NODES] @ scaled[k::NODES] / below[k::NODES].sum() for k in range(NODES)]
        )
        score = above @ nodes / above.sum()
        order = np.argsort(-score)
        ranks[r, order] = np.arange(1.0, len(order) + 1)
    return np.percentile(ranks, [5, 50, 95], axis=0)


def plain_minmax(values: np.ndarray) -> np.ndarray:
    """Scale between 0 and 100."""
    low, high = values.min(1, keepdims=True), values.max(1, keepdims=True)
    return np.asarray(100 * (values - low) / (high - low))


def plain_zscore(values: np.ndarray) -> np.ndarray:
    """Scale to a mean of 50 and a standard deviation of 10."""
    return np.asarray(
        50 + 10 * (values - values.mean(1, keepdims=True)) / values.std(1, ddof=1, keepdims=True)
    )


def plain_percentile(values: np.ndarray) -> np.ndarray:
    """Rank from 0 to 100, no tie."""
    ranks = np.empty(values.shape)
    order = np.argsort(values, axis=1)
    np.put_along_axis(ranks, order, np.arange(values.shape[1])[None, :] * 1.0, axis=1)
    return np.asarray(100 * ranks / (values.shape[1] - 1))
