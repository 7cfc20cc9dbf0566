"""ATT(g,t) and its averages by csdid, and by drdid on each pair of waves of a panel with gaps.

Run with csdid and drdid installed: ``python tests/proofs/scripts/group_time.py``.
"""

from __future__ import annotations

import contextlib
import io
from functools import partialmethod
from importlib import import_module
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DATA = Path(__file__).parent.parent / "data"
RESULTS = DATA.parent / "results"
CONTROLS = {"never": "nevertreated", "not_yet": "notyettreated"}
FORMULAS = {"": "income~1", "age+sex": "income~age+male"}


def read() -> pd.DataFrame:
    people = pd.read_csv(DATA / "people.csv")
    people["male"] = (people["sex"] == "H").astype(float)
    return pd.read_csv(DATA / "panel.csv").merge(people, on="person")


def cases() -> list[dict[str, Any]]:
    plain = {"covariates": "", "method": "dr", "weight": "", "cluster": "", "anticipation": 0}
    bases, controls = ("varying", "universal"), tuple(CONTROLS)
    full = [
        {**plain, "control": control, "base": base, "method": method, "covariates": "age+sex"}
        for control, base, method in product(controls, bases, ("dr", "ipw", "reg"))
    ]
    bare = [
        {**plain, "control": control, "base": base} for control, base in product(controls, bases)
    ]
    more = [
        {**plain, "control": "never", "base": "varying", **options}
        for options in (
            {"weight": "weight"},
            {"cluster": "base_zone"},
            {"anticipation": 1},
            {"covariates": "age+sex", "weight": "weight", "cluster": "base_zone"},
            {"covariates": "age+sex", "weight": "weight", "method": "ipw"},
            {"covariates": "age+sex", "weight": "weight", "method": "reg", "control": "not_yet"},
            {"covariates": "age+sex", "anticipation": 1, "base": "universal", "control": "not_yet"},
        )
    ]
    return bare + full + more


def number(value: Any) -> float:
    return float(np.asarray(value, dtype=float).reshape(-1)[0])


def run(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    fit = (
        import_module("csdid.att_gt")
        .ATTgt(
            yname="income",
            tname="wave",
            idname="person",
            gname="first",
            data=frame.copy(),
            control_group=CONTROLS[options["control"]],
            xformla=FORMULAS[options["covariates"]],
            clustervar=options["cluster"] or None,
            weights_name=options["weight"] or None,
            anticipation=options["anticipation"],
        )
        .fit(options["method"], options["base"], bstrap=False)
    )
    found = fit.results
    cells = pd.DataFrame(
        {
            "group": found["group"],
            "wave": found["year"] if "year" in found else found["t"],
            "att": [number(value) for value in found["att"]],
            "se": np.asarray(found["se"], dtype=float),
        }
    )
    rows = []
    for kind in ("simple", "dynamic", "group", "calendar"):
        average = fit.aggte(kind, bstrap=False, cband=False).atte
        rows.append((kind, "", number(average["overall_att"]), number(average["overall_se"])))
        if kind != "simple":
            attributes = (average["egt"], average["att_egt"], np.ravel(average["se_egt"]))
            for key, att, se in zip(*attributes, strict=True):
                rows.append((kind, f"{key:.0f}", number(att), number(se)))
    if fit.MP["W"] is not None:
        rows.append(("pretest", "", number(fit.MP["W"]), np.nan))
    return cells, pd.DataFrame(rows, columns=["kind", "key", "att", "se"])


def by_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Two-wave estimators on the people seen at both waves of each comparison."""
    estimators = {
        "dr": import_module("drdid.drdid").drdid_panel,
        "ipw": import_module("drdid.ipwd_did").std_ipw_did_panel,
        "reg": import_module("drdid.reg_did").reg_did_panel,
    }
    seen = frame[frame["seen"] == 1]
    wide = seen.pivot(index="person", columns="wave", values="income")
    people = frame.drop_duplicates("person").set_index("person").loc[wide.index]
    rows = []
    for group, wave in product((2023, 2024, 2026), range(2022, 2027)):
        base = group - 1 if wave >= group else wave - 1
        kept = people["first"].isin([0, group]) & wide[[base, wave]].notna().all(axis=1)
        chosen, outcome = people[kept], wide[kept]
        design = np.column_stack([np.ones(len(chosen)), chosen["age"], chosen["male"]])
        for method, weight in product(estimators, ("", "weight")):
            weights = chosen[weight].to_numpy() if weight else np.ones(len(chosen))
            att, influence = estimators[method](
                outcome[wave].to_numpy(),
                outcome[base].to_numpy(),
                (chosen["first"] == group).to_numpy(dtype=int),
                design,
                weights,
            )[:2]
            se = np.sqrt(np.sum(np.square(influence))) / len(chosen)
            rows.append((method, weight, group, wave, number(att), float(se), len(chosen)))
    columns = ["method", "weight", "group", "wave", "att", "se", "n"]
    return pd.DataFrame(rows, columns=columns)


def write(frame: pd.DataFrame, name: str, package: str) -> None:
    path = RESULTS / f"{name}__py-{package}-{version(package)}.csv"
    frame.to_csv(path, index=False, float_format="%.15g")


def fit_to_the_end() -> None:
    """Both programs fit their propensity scores by GLM of statsmodels, which stops at 1e-8."""
    glm = import_module("statsmodels.api").GLM
    glm.fit = partialmethod(glm.fit, tol=1e-14, maxiter=200)


def main() -> None:
    fit_to_the_end()
    frame = read()
    cells, averages = [], []
    for k, options in enumerate(cases()):
        with contextlib.redirect_stdout(io.StringIO()):
            parts = run(frame, options)
        cells.append(parts[0].assign(case=k))
        averages.append(parts[1].assign(case=k))
    write(pd.DataFrame(cases()).rename_axis("case").reset_index(), "att_gt_cases", "csdid")
    write(pd.concat(cells), "att_gt", "csdid")
    write(pd.concat(averages), "att_gt_averages", "csdid")
    write(by_pairs(frame), "att_gt_pairs", "drdid")


if __name__ == "__main__":
    main()
