"""Two-way fixed effects by pyfixest, wild bootstrap by wildboottest, log-rank test by statsmodels.

Run with pyfixest, wildboottest and statsmodels installed:
``python tests/proofs/scripts/fixed_effects.py``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DATA = Path(__file__).parent.parent / "data"
RESULTS = DATA.parent / "results"


def write(rows: list[dict[str, Any]], name: str, package: str) -> None:
    path = RESULTS / f"{name}__py-{package}-{version(package)}.csv"
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.15g")


def read() -> pd.DataFrame:
    panel = pd.read_csv(DATA / "panel.csv").merge(pd.read_csv(DATA / "people.csv"), on="person")
    panel = panel[panel["seen"] == 1].reset_index(drop=True)
    panel["rel"] = np.where(panel["first"] == 0, -1, panel["wave"] - panel["first"])
    panel["bin"] = panel["rel"].clip(-3, 2)
    panel["post"] = (panel["wave"] > 2023).astype(int)
    return panel


def fixed_effects(panel: pd.DataFrame) -> list[dict[str, Any]]:
    feols = import_module("pyfixest").feols
    # Demeaning goes on until nothing moves in the last digits.
    demeaner = import_module("pyfixest.demeaners").MapDemeaner(fixef_tol=1e-13)
    two = panel[panel["wave"].isin([2022, 2025])]
    models = {
        "did": (two, "income ~ arm * post", "arm:post"),
        "twfe": (panel, "income ~ treated | person + wave", "treated"),
        "event_study": (panel, "income ~ i(rel, ref=-1) | person + wave", "rel"),
        "event_study_window": (panel, "income ~ i(bin, ref=-1) | person + wave", "bin"),
    }
    rows: list[dict[str, Any]] = []
    for (case, (frame, formula, keep)), weight, cluster in product(
        models.items(), ("", "weight"), ("base_zone", "person")
    ):
        fit = feols(
            formula,
            frame,
            vcov={"CRV1": cluster},
            weights=weight or None,
            fixef_rm="none",  # people seen once count among the rows, as with fixest
            demeaner=demeaner,
        )
        table = fit.tidy()
        for term, found in table[[keep in str(name) for name in table.index]].iterrows():
            rows.append(
                {
                    "case": case,
                    "weight": weight,
                    "cluster": cluster,
                    "term": str(term),
                    "estimate": found["Estimate"],
                    "se": found["Std. Error"],
                    "p": found["Pr(>|t|)"],
                }
            )
    return rows


def bootstrap() -> list[dict[str, Any]]:
    people = pd.read_csv(DATA / "people.csv")
    panel = read()
    wide = panel.pivot(index="person", columns="wave", values="income")
    people["change"] = people["person"].map(wide[2025] - wide[2022])
    known = people.dropna(subset=["change"])
    design = known[["age", "zone_arm"]].assign(const=1.0)[["const", "age", "zone_arm"]]
    model = import_module("statsmodels.api").OLS(known["change"], design)
    rows = []
    for imposed in (True, False):
        found = import_module("wildboottest.wildboottest").wildboottest(
            model,
            param="zone_arm",
            cluster=known["base_zone"].str[1:].astype(int),
            B=99_999,  # more than 2^12: every vector is tried
            bootstrap_type="11",
            impose_null=imposed,
            seed=1,
            parallel=False,
            show=False,
        )
        t, p = found.to_numpy().ravel()[:2]
        rows.append({"imposed": imposed, "t": t, "p": p})
    return rows


def log_rank() -> list[dict[str, Any]]:
    """Delayed entry, which survdiff of R does not have (nor statsmodels, with strata or rho)."""
    people = pd.read_csv(DATA / "people.csv")
    event = (people["cause"] == 1).astype(int).to_numpy()
    test = import_module("statsmodels.duration.survfunc").survdiff
    rows = []
    for by in ("arm", "diploma"):
        chisq, p = test(
            people["duration"].to_numpy(),
            event,
            people[by].to_numpy(),
            entry=people["entry"].to_numpy(),
        )
        rows.append({"by": by, "chisq": chisq, "p": p})
    return rows


def main() -> None:
    write(fixed_effects(read()), "fixed_effects", "pyfixest")
    write(bootstrap(), "wild_bootstrap", "wildboottest")
    write(log_rank(), "logrank_entry", "statsmodels")


if __name__ == "__main__":
    main()
