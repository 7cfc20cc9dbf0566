"""Composite indices: a national table and joint replications against bare NumPy."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from barometre.composite import Index
from benchmarks.timing import Measure, best

LEAVES, NODES = 30, 5


def measures(*, small: bool) -> list[Measure]:
    """Return the promises on indices."""
    units, times = (400, 1) if small else (35_000, 5)
    frame, index = national(units), tree()

    def scoring() -> float:
        def ours() -> pd.DataFrame:
            return index.score(frame).ranks

        bare = plain_scores(frame.to_numpy())
        assert np.allclose(index.score(frame).table.to_numpy()[:, LEAVES:], bare[0], atol=1e-9)
        assert (ours().to_numpy(np.float64)[:, -1] == bare[1][:, -1]).all()
        return best(ours, times) / best(lambda: plain_scores(frame.to_numpy()), times)

    return [Measure("composite, 30 leaves scored and ranked / NumPy", 5.0, scoring)]


def national(units: int) -> pd.DataFrame:
    """Draw units x 30 indicators."""
    rng = np.random.default_rng(0)
    names = [f"i{j:02d}" for j in range(LEAVES)]
    codes = [f"{unit:05d}" for unit in range(units)]
    return pd.DataFrame(rng.normal(50, 12, (units, LEAVES)), index=codes, columns=names)


def tree() -> Index:
    """Five nodes of six leaves, weights and directions that differ, arithmetic means."""
    leaves = [
        (f"i{j:02d}", f"n{j % NODES}", -1 if j % 3 == 0 else 1, 1.0 + j % 4) for j in range(LEAVES)
    ]
    nodes = [(f"n{k}", "indice", 1, 1.0 + k) for k in range(NODES)]
    table = pd.DataFrame([*leaves, *nodes], columns=["id", "parent", "direction", "weight"])
    root = pd.DataFrame({"id": ["indice"], "parent": [None], "direction": [1], "weight": [1.0]})
    return Index.from_table(
        pd.concat([table, root], ignore_index=True),
        normalise="minmax",
        aggregate="arithmetic",
        out=(0, 100),
    )


def plain_scores(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Min-max, weighted means, ranks of every column: no check, no missing value."""
    low, high = values.min(0), values.max(0)
    scaled = 100 * (values - low) / (high - low)
    down = np.arange(LEAVES) % 3 == 0
    scaled[:, down] = 100 - scaled[:, down]
    weights = 1.0 + np.arange(LEAVES) % 4
    nodes = np.column_stack(
        [scaled[:, k::NODES] @ (weights[k::NODES] / weights[k::NODES].sum()) for k in range(NODES)]
    )
    top = 1.0 + np.arange(NODES)
    scores = np.column_stack([nodes, nodes @ (top / top.sum())])
    everything = np.column_stack([scaled, scores])
    return scores, stats.rankdata(-everything, method="min", axis=0)
