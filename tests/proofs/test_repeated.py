"""ATT(g,t) when other people are seen at each wave: csdid, of R's did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre import cohort
from tests.proofs.reading import panel, result, same

KEYS = ["method", "covariates", "weight", "cluster", "control", "base"]
CONTROLS = {"nevertreated": "never", "notyettreated": "not_yet"}
# R's glm stops when its deviance moves by 1e-8, csdid was run to the exact maximum.
STOPPED = {"estimate": 1e-6, "se": 2e-5}
CLOSED = 1e-9


def cases() -> list[list[str]]:
    frame = result("att_gt_repeated")[KEYS].fillna("").drop_duplicates()
    return [list(map(str, row)) for row in frame.to_numpy()]


@pytest.mark.parametrize("case", cases())
def test_cells_and_averages(case: list[str]) -> None:
    method, covariates, weight, cluster, control, base = case
    theirs = result("att_gt_repeated").fillna(dict.fromkeys(KEYS, ""))
    theirs = theirs[(theirs[KEYS] == case).all(axis=1)]
    rows = panel().sample(frac=1, random_state=2)
    options: Any = {"method": method, "control": CONTROLS[control], "base": base}
    effects = cohort.att_gt(
        rows, "income", person=None, wave="wave", first_treated="first",
        covariates=["age", "sex"] if covariates else None, weight=weight or None,
        cluster=cluster or None, se="CR0", **options,
    )  # fmt: skip
    scored = bool(covariates) and method != "reg"
    rtol = STOPPED if scored else dict.fromkeys(("estimate", "se"), CLOSED)
    keys = ["group", "wave"]
    cells = theirs[theirs["kind"] == "cell"].set_index(keys)[["estimate", "se"]]
    ours = pd.DataFrame(effects.table).set_index(keys)[["estimate", "se"]]
    compared = ours.index.intersection(cells.index)
    assert len(compared) == len(ours) >= len(cells) - 3
    for column in ("estimate", "se"):
        known = np.isfinite(cells.loc[compared, column].to_numpy(float))
        same(
            ours.loc[compared, column][known], cells.loc[compared, column][known],
            rtol=rtol[column], atol=1e-8,
        )  # fmt: skip
    for kind in ("simple", "dynamic", "group", "calendar"):
        overall = effects.aggregate(kind).overall
        mean = theirs[theirs["kind"] == kind].iloc[0]
        same([overall.estimate], [mean["estimate"]], rtol=rtol["estimate"])
        same([overall.se], [mean["se"]], rtol=rtol["se"])
