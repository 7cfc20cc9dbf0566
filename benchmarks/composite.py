"""Composite indices: a national table and joint replications against bare NumPy."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from barometre.composite import Index
from benchmarks.timing import Run, Sized

LEAVES, NODES = 30, 5


def measures() -> list[Sized]:
    """Return the promises on indices."""
    sizes = (3_500, 11_000, 35_000)
    return [Sized("composite, 30 leaves scored and ranked / NumPy", sizes, scoring, 5.0)]


def scoring(units: int) -> tuple[Run, Run]:
    """Compare the scores and ranks of an index with NumPy; both find the same."""
    frame, index = national(units), tree()
    values = frame.to_numpy()

    def ours() -> pd.DataFrame:
        return index.score(frame).ranks

    bare = plain_scores(values)
    assert np.allclose(index.score(frame).table.to_numpy()[:, LEAVES:], bare[0], atol=1e-9)
    assert (ours().to_numpy(np.float64)[:, -1] == bare[1][:, -1]).all()
    return ours, lambda: plain_scores(values)


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
