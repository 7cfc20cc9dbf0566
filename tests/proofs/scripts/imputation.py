"""Effects by imputation, by diff-diff 3.13.0: ``python tests/proofs/scripts/imputation.py``."""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parents[1]


def main() -> None:
    warnings.simplefilter("ignore")
    diff_diff = import_module("diff_diff")
    panel = pd.read_csv(HERE / "data" / "panel.csv").merge(
        pd.read_csv(HERE / "data" / "people.csv"), on="person"
    )
    panel = panel.assign(aged=panel["age"] * (panel["wave"] - 2020))
    gaps = panel[panel["seen"] == 1].reset_index(drop=True)
    rows: list[dict[str, Any]] = []
    for gap, cluster, alone, aged in product((0, 1), ("", "base_zone"), (False, True), (0, 1)):
        if alone and cluster:  # diff-diff leaves people out, not clusters
            continue
        made = diff_diff.ImputationDiD(cluster=cluster or None, leave_one_out=alone)
        found = made.fit(
            gaps if gap else panel,
            outcome="income",
            unit="person",
            time="wave",
            first_treat="first",
            covariates=["aged"] if aged else None,
            aggregate="all",
        )
        case = {"gaps": gap, "cluster": cluster, "alone": int(alone), "aged": aged}
        rows.append(
            case
            | {"kind": "simple", "key": 0, "estimate": found.overall_att, "se": found.overall_se}
        )
        for kind, name in (("dynamic", "event_study"), ("group", "group")):
            for key, cell in getattr(found, f"{name}_effects").items():
                rows.append(
                    case | {"kind": kind, "key": key, "estimate": cell["effect"], "se": cell["se"]}
                )
    path = HERE / "results" / f"imputation__py-diff-diff-{version('diff-diff')}.csv"
    pd.DataFrame(rows).dropna(subset=["se"]).to_csv(path, index=False, float_format="%.15g")


if __name__ == "__main__":
    main()
