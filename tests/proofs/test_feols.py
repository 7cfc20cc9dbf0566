"""Regressions written as formulas: pyfixest."""

from __future__ import annotations

import numpy as np
import pytest

from barometre import cohort
from tests.proofs.reading import panel, result, same

DEMEANED = 1e-11  # both stop removing fixed effects when sums move in the thirteenth digit
KEYS = ["formula", "errors", "weight"]
MODELS = result("feols").fillna({"weight": ""})[KEYS].drop_duplicates().to_numpy().tolist()


@pytest.mark.parametrize(("formula", "errors", "weight"), MODELS)
def test_formulas(formula: str, errors: str, weight: str) -> None:
    rows = panel().sample(frac=1, random_state=1)
    rows["on"] = (rows["first"] > 0) & (rows["wave"] >= rows["first"])
    if errors in ("hetero", "iid"):
        fit = cohort.feols(
            formula, rows, weight=weight or None, se="HC1" if errors == "hetero" else "iid"
        )
    else:
        fit = cohort.feols(formula, rows, weight=weight or None, cluster=errors)
    theirs = result("feols").fillna({"weight": ""})
    theirs = theirs[(theirs[KEYS] == [formula, errors, weight]).all(axis=1)].set_index("term")
    ours = fit.table.set_index(fit.table["term"].replace({"const": "Intercept"}))
    theirs = theirs.loc[ours.index]
    assert set(theirs["n"]) == {fit.meta["n_used"]}
    for column in ("estimate", "se"):
        same(ours[column], theirs[column], rtol=DEMEANED)
    same(ours["p"], theirs["p"], rtol=1e-9, atol=1e-14)  # of a statistic raised to the df
    assert np.isfinite(ours["estimate"]).all()
