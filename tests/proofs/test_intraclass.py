"""Intra-class correlation and ordinary errors: the analysis of variance and lm of R."""

from __future__ import annotations

from typing import Any

import pytest

from barometre import cohort
from tests.proofs.reading import panel, result, same

FIXED = 1e-9  # dummies for 180 people: R's QR of 190 columns loses about two digits


def test_analysis_of_variance() -> None:
    for row in result("intraclass").itertuples():
        rows = panel().query("wave == @row.wave")
        ours = cohort.intraclass_correlation(rows, "income", "base_zone", level=row.level)
        assert (ours.n, ours.n_clusters) == (row.n, row.n_clusters)
        found = [ours.estimate, ours.low, ours.high]
        assert found == pytest.approx([row.estimate, row.low, row.high], rel=1e-10)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_ordinary_least_squares(weight: Any) -> None:
    theirs = result("ols").fillna({"weight": ""})
    theirs = theirs[theirs["weight"] == (weight or "")]
    last = panel().query("wave == 2025")
    ours = cohort.cluster_robust(last, "income", ["age", "arm"], se="iid", weight=weight)
    table = theirs[theirs["case"] == "regression"].reset_index(drop=True)
    for name in ("estimate", "se", "df"):
        same(ours.table[name], table[name], rtol=1e-10)
    two = cohort.twfe(
        panel(), "income", "treated", person="person", wave="wave", weight=weight, se="iid"
    )
    row = theirs[theirs["case"] == "twfe"].iloc[0]
    assert [two.estimate, two.se, two.df] == pytest.approx(
        [row["estimate"], row["se"], row["df"]], rel=FIXED
    )
