"""ATT(g,t) of repeated cross-sections by csdid: ``python tests/proofs/scripts/repeated.py``.

The rows of the panel, some waves of some people left out, as if each were another person.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from functools import partialmethod
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parents[1]
# method, covariates, weight, cluster, control, base
CASES = [
    ("dr", "", "", "", "nevertreated", "varying"),
    ("dr", "", "weight", "base_zone", "notyettreated", "universal"),
    ("dr", "age+male", "", "", "nevertreated", "varying"),
    ("dr", "age+male", "weight", "base_zone", "notyettreated", "varying"),
    ("ipw", "age+male", "", "", "nevertreated", "varying"),
    ("ipw", "age+male", "weight", "", "notyettreated", "universal"),
    ("reg", "age+male", "", "base_zone", "nevertreated", "varying"),
    ("reg", "age+male", "weight", "", "notyettreated", "varying"),
]


def number(value: Any) -> float:
    return float(np.asarray(value, dtype=float).reshape(-1)[0])


def main() -> None:
    warnings.simplefilter("ignore")
    glm = import_module("statsmodels.api").GLM
    glm.fit = partialmethod(glm.fit, tol=1e-14, maxiter=200)  # the exact maximum
    people = pd.read_csv(HERE / "data" / "people.csv")
    people["male"] = (people["sex"] == "H").astype(float)
    frame = pd.read_csv(HERE / "data" / "panel.csv").merge(people, on="person")
    frame = frame[frame["seen"] == 1].reset_index(drop=True)
    frame["row"] = np.arange(len(frame))
    rows: list[dict[str, Any]] = []
    for method, covariates, weight, cluster, control, base in CASES:
        case = {
            "method": method, "covariates": covariates, "weight": weight, "cluster": cluster,
            "control": control, "base": base,
        }  # fmt: skip
        with contextlib.redirect_stdout(io.StringIO()):
            fit = (
                import_module("csdid.att_gt")
                .ATTgt(
                    yname="income",
                    tname="wave",
                    idname="row",
                    gname="first",
                    data=frame.copy(),
                    panel=False,
                    control_group=control,
                    xformla=f"income~{covariates or 1}",
                    clustervar=cluster or None,
                    weights_name=weight or None,
                )
                .fit(method, base, bstrap=False)
            )
            found = fit.results
            waves = found["year"] if "year" in found else found["t"]
            cells = zip(found["group"], waves, found["att"], found["se"], strict=True)
            for group, wave, att, se in cells:
                place = {"kind": "cell", "group": group, "wave": wave}
                rows.append(case | place | {"estimate": number(att), "se": number(se)})
            for kind in ("simple", "dynamic", "group", "calendar"):
                mean = fit.aggte(kind, bstrap=False, cband=False).atte
                value = {"estimate": number(mean["overall_att"]), "se": number(mean["overall_se"])}
                rows.append(case | {"kind": kind, "group": np.nan, "wave": np.nan} | value)
    path = HERE / "results" / f"att_gt_repeated__py-csdid-{version('csdid')}.csv"
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.15g")


if __name__ == "__main__":
    main()
