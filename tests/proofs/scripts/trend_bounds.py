"""Bounds of relative magnitudes, by honestdid 0.1.1: ``python tests/proofs/scripts/trend_bounds.py``.

honestdid asks for torch, which nothing called here uses: an empty module stands for it.
"""

from __future__ import annotations

import sys
import types
import warnings
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parents[1]
MAGNITUDES = (0.5, 1.0, 2.0)
POINTS = 80  # of the grid in which the ends of an interval are sought
LONG = {"d", "panel"}  # minutes for one interval: that of magnitude 1 only


def studies() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Times, effects and covariance: those of ``data``, and the event study of the panel."""
    table = pd.read_csv(HERE / "data" / "event_studies.csv")
    found = {}
    for name, rows in table.groupby("case"):
        vcov = rows.filter(regex="^v").to_numpy()[:, : len(rows)]
        found[str(name)] = (rows["time"].to_numpy(), rows["estimate"].to_numpy(), vcov)
    fits = pd.read_csv(next((HERE / "results").glob("fixed_effects__py-pyfixest-*.csv")))
    fits = fits[(fits["case"] == "event_study") & fits["weight"].isna()]
    fits = fits[fits["cluster"] == "base_zone"]
    times = fits["term"].str.extract(r"(-?\d+)$")[0].astype(int).to_numpy()
    long = pd.read_csv(next((HERE / "results").glob("event_study_vcov__R-*.csv")))
    square = long.pivot(index="row", columns="column", values="value").loc[times, times]
    return found | {"panel": (times, fits["estimate"].to_numpy(), square.to_numpy())}


def main() -> None:
    warnings.simplefilter("ignore")  # the peer's own, on the few clusters of the panel
    import_module("cvxpy")  # before the module that stands for torch
    torch: Any = types.ModuleType("torch")
    torch.Tensor = type("Tensor", (), {})
    torch.set_default_dtype = lambda kind: None
    torch.float64 = None
    sys.modules["torch"] = torch
    core = import_module("honestdid.core")
    rows = []
    for name, (times, estimate, vcov) in studies().items():
        before, after = int((times < 0).sum()), int((times >= 0).sum())
        first = np.eye(after)[0]
        targets = {"0": first} | ({"mean": np.full(after, 1 / after)} if after > 1 else {})
        for target, weights in targets.items():
            for magnitude in MAGNITUDES:
                ids = core._compute_IDset_DeltaRM(magnitude, estimate, weights, before, after)
                row = {"case": name, "target": target, "magnitude": magnitude}
                row |= {"set_low": ids["id_lb"], "set_high": ids["id_ub"]}
                # Those of "profits" were published with R's package.
                if target == "0" and name != "profits" and (name not in LONG or magnitude == 1):
                    row |= interval(core, estimate, vcov, before, after, weights, magnitude, ids)
                rows.append(row)
                print(row, flush=True)
    path = HERE / "results" / f"trend_bounds__py-honestdid-{version('honestdid')}.csv"
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.15g")


def interval(
    core: Any,
    estimate: np.ndarray,
    vcov: np.ndarray,
    before: int,
    after: int,
    weights: np.ndarray,
    magnitude: float,
    ids: dict[str, float],
) -> dict[str, float]:
    """Ends of the interval C-LF, ``step`` being the distance of two points of its grid."""
    post = vcov[before:, before:]
    change = np.diff(np.insert(np.eye(before + after)[:before], before, 0, axis=0), axis=0)
    spread = np.einsum("mi,ij,mj->m", change, vcov, change).max()
    carried = magnitude * np.abs(np.cumsum(weights[::-1])).sum()
    reach = 2.3 * np.sqrt(weights @ post @ weights + carried**2 * spread)
    low, high = ids["id_lb"] - reach, ids["id_ub"] + reach
    found = core.createSensitivityResults_relativeMagnitudes(
        estimate, vcov, before, after, Mbarvec=[magnitude], l_vec=weights, gridPoints=POINTS,
        grid_lb=low, grid_ub=high,
    )  # fmt: skip
    return {
        "low": found["lb"].iloc[0],
        "high": found["ub"].iloc[0],
        "step": (high - low) / (POINTS - 1),
    }


if __name__ == "__main__":
    main()
