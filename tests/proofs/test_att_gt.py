"""ATT(g,t) and its averages against csdid, and against drdid pair by pair with missing waves."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from barometre import cohort
from tests.proofs.reading import CLOSED, panel, result, same

COVARIATES = ["age", "sex"]
# With a propensity score ours stops where R's glm does, with its vcov(), as R's did (compared below,
# CLOSED); csdid and drdid were run to the exact maximum. What is left of a deviance that moves by
# less than 1e-8 is about the square root of that in the score, and enters the error, not the
# effect, at first order.
EFFECT, ERROR = 1e-7, 2e-5
CASES = [str(k) for k in range(len(result("att_gt_cases")))]


@cache
def case(number: int) -> tuple[Any, float, float]:
    """Our effects for a case of csdid, the tolerances of their values and of their errors."""
    options = result("att_gt_cases").fillna("").set_index("case").loc[number]
    ours = cohort.att_gt(
        panel(seen=False),
        "income",
        person="person",
        wave="wave",
        first_treated="first",
        control=options["control"],
        base=options["base"],
        covariates=COVARIATES if options["covariates"] else None,
        method=options["method"],
        cluster=options["cluster"] or None,
        weight=options["weight"] or None,
        anticipation=options["anticipation"],
        se="CR0",
    )
    fitted = options["covariates"] != "" and options["method"] != "reg"
    return (ours, EFFECT, ERROR) if fitted else (ours, CLOSED, CLOSED)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_effects(number: int) -> None:
    ours, effect, error = case(number)
    theirs = result("att_gt").query("case == @number")
    table = ours.table.sort_values(["group", "wave"])
    theirs = theirs.sort_values(["group", "wave"])
    assert table[["group", "wave"]].astype(int).to_numpy().tolist() == (
        theirs[["group", "wave"]].to_numpy().tolist()
    )
    # Incomes are about 1 000: 1e-9 is their rounding, where an effect is near 0.
    same(table["estimate"], theirs["att"], rtol=effect, atol=1e-9)
    same(table["se"], theirs["se"], rtol=error)


@pytest.mark.parametrize("kind", ["simple", "dynamic", "group", "calendar"])
@pytest.mark.parametrize("number", range(len(CASES)))
def test_averages(number: int, kind: Any) -> None:
    ours, effect, error = case(number)
    theirs = result("att_gt_averages").query("case == @number and kind == @kind")
    found = ours.aggregate(kind)
    overall = theirs[theirs["key"].isna()].iloc[0]
    assert found.overall.estimate == pytest.approx(overall["att"], rel=effect)
    assert found.overall.se == pytest.approx(overall["se"], rel=error)
    if kind != "simple":
        rows = theirs[theirs["key"].notna()].sort_values("key").reset_index(drop=True)
        table = found.table.sort_values(found.table.columns[0]).reset_index(drop=True)
        # The base of a universal base is an event time of effect 0, without error.
        same(table.iloc[:, 0], rows["key"])
        same(table["estimate"], rows["att"], rtol=effect, atol=1e-9)
        known = rows["se"].notna()
        assert table["se"].notna().tolist() == known.tolist()
        same(table["se"][known], rows["se"][known], rtol=error)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_joint_tests_before_treatment(number: int) -> None:
    ours, effect, error = case(number)
    theirs = result("att_gt_averages").query("case == @number and kind == 'pretest'")
    test = ours.pretrend()
    assert len(theirs) == 1
    # The statistic solves a covariance: it loses what its condition number (about 100) takes.
    assert test.statistic == pytest.approx(theirs["att"].item(), rel=100 * max(effect, error))


@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
@pytest.mark.parametrize("rows", ["all", "seen"])
def test_effects_cell_by_cell(rows: str, method: Any, weight: str | None) -> None:
    """R's glm on each pair of waves; drdid too, on the people seen at both."""
    ours = cohort.att_gt(
        panel(seen=rows == "seen"),
        "income",
        person="person",
        wave="wave",
        first_treated="first",
        covariates=COVARIATES,
        method=method,
        weight=weight,
    ).table
    if method != "reg":
        theirs = chosen("att_gt_glm", method, weight).query("rows == @rows")
        same(ours["estimate"], theirs["att"], atol=1e-9)
        same(ours["se"], theirs["se"])
    if rows == "seen":
        theirs = chosen("att_gt_pairs", method, weight)
        assert (ours["n_treated"] + ours["n_control"]).tolist() == theirs["n"].tolist()
        tolerances = (CLOSED, CLOSED) if method == "reg" else (EFFECT, ERROR)
        same(ours["estimate"], theirs["att"], rtol=tolerances[0], atol=1e-9)
        same(ours["se"], theirs["se"], rtol=tolerances[1])


def chosen(name: str, method: str, weight: str | None) -> Any:
    theirs = result(name).fillna({"weight": ""})
    theirs = theirs[(theirs["method"] == method) & (theirs["weight"] == (weight or ""))]
    return theirs.sort_values(["group", "wave"]).reset_index(drop=True)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_errors_with_few_clusters(weight: str | None) -> None:
    """Without covariates, CR2 of a cell is that of the regression of the change on the treatment."""
    ours = cohort.att_gt(
        panel(), "income", person="person", wave="wave", first_treated="first", base="universal",
        cluster="base_zone", weight=weight,
    )  # fmt: skip
    assert "CR2" in ours.meta["convention"]
    table = ours.table[ours.table["se"].notna()].reset_index(drop=True)
    theirs = (
        result("att_gt_cr2").fillna("").query("weight == @weight" if weight else "weight == ''")
    )
    assert (
        table[["group", "wave"]].to_numpy().tolist()
        == theirs[["group", "wave"]].to_numpy().tolist()
    )
    same(table["estimate"], theirs["estimate"].reset_index(drop=True), atol=1e-9)
    same(table["se"], theirs["se"].reset_index(drop=True))
