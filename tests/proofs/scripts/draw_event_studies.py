"""Event studies whose bounds are compared: ``python tests/proofs/scripts/draw_event_studies.py``.

``profits``: the first application of Rambachan and Roth (2023), Benzarti and Carloni (2019), profits of
French restaurants, as their package HonestDiD ships it (ten digits; base 2008, left out). The others
are drawn, with a seed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parents[1] / "data"
PROFITS = [
    0.006696351804, 0.02934503369, -0.006472972222, 0.0730149895, 0.1959611177, 0.3120639026,
    0.2395415455, 0.1260425001,
]  # fmt: skip
COVARIANCE = """
8.428358124e-04 4.768686777e-04 2.618051076e-04 2.354220342e-04 1.676371467e-04 1.128707663e-04 1.992816215e-05 -1.368265366e-04
4.768686777e-04 6.425420288e-04 3.987425007e-04 2.435515198e-04 2.201960306e-04 1.804591157e-04 3.843765080e-05 -2.960421989e-05
2.618051076e-04 3.987425007e-04 5.229949602e-04 2.117686090e-04 1.840722252e-04 1.458527840e-04 7.005197403e-05 5.952994979e-05
2.354220342e-04 2.435515198e-04 2.117686090e-04 3.089595411e-04 1.197866077e-04 1.334081317e-04 1.016335009e-04 1.079051726e-04
1.676371467e-04 2.201960306e-04 1.840722252e-04 1.197866077e-04 3.599704360e-04 2.478818642e-04 1.749579242e-04 1.654256921e-04
1.128707663e-04 1.804591157e-04 1.458527840e-04 1.334081317e-04 2.478818642e-04 4.263949813e-04 2.171437809e-04 2.892747871e-04
1.992816215e-05 3.843765080e-05 7.005197403e-05 1.016335009e-04 1.749579242e-04 2.171437809e-04 4.886697861e-04 3.805322049e-04
-1.368265366e-04 -2.960421989e-05 5.952994979e-05 1.079051726e-04 1.654256921e-04 2.892747871e-04 3.805322049e-04 7.617394440e-04
"""


def wide(case: str, times: list[int], estimate: list[float], vcov: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame({"case": case, "time": times, "estimate": estimate})
    for k, column in enumerate(vcov.T):
        frame[f"v{k}"] = column
    return frame


def drawn(name: str, before: int, after: int, rng: np.random.Generator) -> pd.DataFrame:
    """Outcomes of 40 clusters with shocks that last, and a trend that wanders."""
    n = before + after
    paths = np.cumsum(0.7 * rng.normal(size=(40, n + 1)), axis=1) + rng.normal(size=(40, n + 1))
    change = np.delete(paths - paths[:, [before]], before, axis=1)
    estimate = change.mean(axis=0) + np.where(np.arange(n) < before, 0, 1.0)
    times = [time for time in range(-before - 1, after) if time != -1]
    vcov = np.cov(change.T).reshape(n, n) / 40
    return wide(name, times, estimate.round(4).tolist(), vcov.round(6))


def main() -> None:
    matrix = np.array([row.split() for row in COVARIANCE.split("\n") if row], float)
    frames = [wide("profits", [-5, -4, -3, -2, 0, 1, 2, 3], PROFITS, matrix)]
    rng = np.random.default_rng(13)
    for name, (before, after) in {"a": (1, 2), "b": (2, 2), "c": (3, 2), "d": (4, 3)}.items():
        frames.append(drawn(name, before, after, rng))
    table = pd.concat(frames)
    table.to_csv(DATA / "event_studies.csv", index=False, float_format="%.10g")


if __name__ == "__main__":
    main()
