"""Test before the entry of effects by imputation, by diff-diff 3.13.0.

``python tests/proofs/scripts/imputation_leads.py``.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.metadata import version
from itertools import product
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parents[1]


def main() -> None:
    warnings.simplefilter("ignore")  # the peer's own, on the few clusters of the panel
    diff_diff = import_module("diff_diff")
    panel = pd.read_csv(HERE / "data" / "panel.csv").merge(
        pd.read_csv(HERE / "data" / "people.csv"), on="person"
    )
    panel = panel.assign(aged=panel["age"] * (panel["wave"] - 2020))
    gaps = panel[panel["seen"] == 1].reset_index(drop=True)
    rows = []
    for gap, aged in product((0, 1), (0, 1)):
        found = diff_diff.ImputationDiD().fit(
            gaps if gap else panel,
            outcome="income",
            unit="person",
            time="wave",
            first_treat="first",
            covariates=["aged"] if aged else None,
        )
        test = found.pretrend_test()
        case = {"gaps": gap, "aged": aged}
        rows.append(case | {"f": test["f_stat"], "p": test["p_value"], "leads": test["df"]})
    path = HERE / "results" / f"imputation_leads__py-diff-diff-{version('diff-diff')}.csv"
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.15g")


if __name__ == "__main__":
    main()
