"""Effects by imputation with clusters and weights, by did-imputation 0.1.0, after Stata's command.

``python tests/proofs/scripts/imputation_clusters.py``; its iterations go on.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from functools import partial
from importlib import import_module
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parents[1]


def main() -> None:
    warnings.simplefilter("ignore")
    module: Any = import_module("did_imputation.did_imputation")
    module.recover_fixed_effects_iterative = partial(
        module.recover_fixed_effects_iterative, max_iter=10_000, tol=1e-9
    )
    module.imputation_weights = partial(module.imputation_weights, tol=1e-11, maxit=10_000)
    panel = pd.read_csv(HERE / "data" / "panel.csv").merge(
        pd.read_csv(HERE / "data" / "people.csv"), on="person"
    )
    panel = panel[panel["seen"] == 1].reset_index(drop=True)
    panel["entry"] = panel["first"].where(panel["first"] > 0, np.nan)
    panel["aged"] = panel["age"] * (panel["wave"] - 2020)
    before = panel["entry"].isna() | (panel["wave"] < panel["entry"])
    panel = panel[panel["person"].isin(panel["person"][before])].reset_index(drop=True)
    rows: list[dict[str, Any]] = []
    for cluster, weight, aged in product(("base_zone",), ("", "weight"), (0, 1)):
        for kind in ("simple",) if aged else ("simple", "dynamic"):
            with contextlib.redirect_stdout(io.StringIO()):
                found = module.did_imputation(
                    panel.copy(), "income", "person", "wave", "entry",
                    controls=["aged"] if aged else [], aw=weight or None, cluster=cluster,
                    allhorizons=kind == "dynamic", minn=0,
                )  # fmt: skip
            for name, value in found.estimates.items():
                key = 0 if kind == "simple" else int(name.removeprefix("tau"))
                case = {"cluster": cluster, "weight": weight, "aged": aged, "kind": kind}
                error = found.std_errors[name]
                rows.append(case | {"key": key, "estimate": value, "se": error})
    name = f"imputation_clusters__py-did-imputation-{version('did-imputation')}.csv"
    pd.DataFrame(rows).to_csv(HERE / "results" / name, index=False, float_format="%.15g")


if __name__ == "__main__":
    main()
