"""Regressions written as formulas, by pyfixest: ``python tests/proofs/scripts/formulas.py``."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parents[1]
# formula, errors (a cluster, or none), weight
MODELS = [
    ("income ~ on | person + wave", "base_zone", ""),
    ("income ~ on | person + wave", "base_zone", "weight"),
    ("income ~ on + on:age | person + wave + zone", "base_zone", "weight"),
    ("income ~ on + on:age | person + wave + zone + status", "base_zone", ""),
    ("income ~ on + age | zone + wave + status", "person", ""),
    ("income ~ on + age | zone + wave", "hetero", ""),
    ("income ~ on + age | zone + wave", "iid", "weight"),
    ("log(income + 1000) ~ on | person + base_zone^wave", "base_zone", ""),
    ("income ~ on * age + C(diploma)", "base_zone", "weight"),
    ("income ~ on + poly(age, 2)", "hetero", ""),
]


def main() -> None:
    feols = import_module("pyfixest").feols
    demeaner = import_module("pyfixest.demeaners").MapDemeaner(fixef_tol=1e-13)
    panel = pd.read_csv(HERE / "data" / "panel.csv").merge(
        pd.read_csv(HERE / "data" / "people.csv"), on="person"
    )
    panel = panel[panel["seen"] == 1].reset_index(drop=True)
    panel["on"] = ((panel["first"] > 0) & (panel["wave"] >= panel["first"])).astype(int)
    panel = panel.dropna(subset=["income", "age", "status", "diploma"])
    rows: list[dict[str, Any]] = []
    for formula, errors, weight in MODELS:
        fit = feols(
            formula,
            panel,
            vcov=errors if errors in ("hetero", "iid") else {"CRV1": errors},
            weights=weight or None,
            fixef_rm="none",
            demeaner=demeaner,
        )
        for term, found in fit.tidy().iterrows():
            rows.append(
                {
                    "formula": formula,
                    "errors": errors,
                    "weight": weight,
                    "term": str(term),
                    "estimate": found["Estimate"],
                    "se": found["Std. Error"],
                    "p": found["Pr(>|t|)"],
                    "n": fit._N,
                }
            )
    path = HERE / "results" / f"feols__py-pyfixest-{version('pyfixest')}.csv"
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.15g")


if __name__ == "__main__":
    main()
