"""Tests by enumeration, adjusted p-values and power: base R, coin, pwr, wildboottest."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre import cohort
from tests.proofs.reading import CLOSED, data, panel, result, same

FIVE = ["Z06", "Z08", "Z09", "Z10", "Z12"]


def changes() -> pd.DataFrame:
    """People seen in 2022 and 2025, and the change of their income."""
    rows = panel().pivot(index="person", columns="wave", values="income")
    change = (rows[2025] - rows[2022]).rename("change").reset_index()
    people: pd.DataFrame = data("people").merge(change, on="person")
    return people.dropna(subset="change").reset_index(drop=True)


def gap_of_medians(outcome: Any, arm: Any) -> float:
    outcome, arm = np.asarray(outcome), np.asarray(arm)
    return float(np.median(outcome[arm == 1]) - np.median(outcome[arm == 0]))


def test_randomisation() -> None:
    known = changes()
    few = known[known["base_zone"].isin(["Z01", "Z02"])]
    known = known.assign(half=(known["base_zone"] > "Z06").astype(int))
    found = {
        "people": cohort.randomisation_test(few, "change", "arm"),
        "people_medians": cohort.randomisation_test(few, "change", "arm", statistic=gap_of_medians),
        "clusters": cohort.randomisation_test(known, "change", "zone_arm", cluster="base_zone"),
        "clusters_strata": cohort.randomisation_test(
            known, "change", "zone_arm", cluster="base_zone", strata="half"
        ),
    }
    for row in result("randomisation").itertuples():
        ours = found[str(row.case)]
        assert ours.exact
        # A number of assignments over another, printed with 15 digits.
        assert ours.p == pytest.approx(row.p, rel=1e-14)
        assert ours.statistic == pytest.approx(row.statistic, rel=CLOSED)
        if row.package == "stats":
            assert ours.draws == row.draws


def wild(case: str, law: str, imposed: bool, null: float) -> Any:
    known = changes()
    if case == "five":
        known = known[known["base_zone"].isin(FIVE)].reset_index(drop=True)
    term = "arm" if case == "five" else "zone_arm"
    options: dict[str, Any] = {"law": law, "imposed": imposed, "null": null, "term": term}
    if case == "twelve_weight":
        options["weight"] = "weight"
    with warnings.catch_warnings():  # five neighbourhoods are few: it is said
        warnings.simplefilter("ignore", cohort.FewClustersWarning)
        return cohort.wild_bootstrap(known, "change", ["age", term], "base_zone", **options)


@pytest.mark.parametrize("row", range(7))
def test_wild_bootstrap_by_enumeration(row: int) -> None:
    theirs = result("wild_bootstrap", "R-*").iloc[row]
    ours = wild(theirs["case"], theirs["law"], bool(theirs["imposed"]), float(theirs["null"]))
    assert (ours.exact, ours.draws) == (True, theirs["draws"])
    # Counts of bootstrap statistics: exact.
    assert round(ours.p_strict * ours.draws, 6) == theirs["n_strict"]
    assert round(ours.p_weak * ours.draws, 6) == theirs["n_weak"]
    assert ours.estimate == pytest.approx(theirs["estimate"], rel=1e-9)
    # R's statistic has the CR0 error: G / (G - 1) (n - 1) / (n - k) between the two.
    factor = ours.n_clusters / (ours.n_clusters - 1) * (ours.n - 1) / (ours.n - 3)
    assert ours.statistic * np.sqrt(factor) == pytest.approx(theirs["t_cr0"], rel=1e-9)


@pytest.mark.parametrize("imposed", [True, False])
def test_wild_bootstrap_of_wildboottest(imposed: bool) -> None:
    """It counts the ties (the sample itself, and its opposite) with what is above, or not."""
    theirs = result("wild_bootstrap", "py-*").set_index("imposed").loc[imposed]
    ours = wild("twelve", "rademacher", imposed, 0)
    assert ours.statistic == pytest.approx(theirs["t"], rel=1e-9)
    assert ours.p_strict <= theirs["p"] <= ours.p_weak


@pytest.mark.parametrize("method", ["holm", "bh", "bonferroni", "hochberg", "hommel", "by"])
def test_adjusted_p_values(method: str) -> None:
    ours = cohort.adjust_pvalues(data("p_values"), method)
    theirs = result("p_adjust").query("method == @method")
    assert ours["outcome"].tolist() == theirs["outcome"].tolist()
    assert ours["p_adjusted"].isna().sum() == 1
    same(ours["p_adjusted"], theirs["p_adjusted"], rtol=1e-13)


def plan(case: str) -> dict[str, Any]:
    """What a case of power.R says in its name."""
    name, *numbers = case.split()
    if name == "waves":
        kind, pre, post = numbers
        return {
            "correlation": 0.6,
            "correlation_type": kind,
            "waves_pre": int(pre),
            "waves_post": int(post),
        }
    if name == "clusters":
        return {"cluster_size": float(numbers[0]), "icc": float(numbers[1])}
    return {"test": "arcsine"} if name == "2p2n.test" else {}


# Noncentral laws of R and of scipy agree to about 1e-10; a power so near 1 that its complement is
# below says nothing more.
POWER: dict[str, Any] = {"rel": 1e-9, "abs": 1e-10}


@pytest.mark.parametrize("row", range(len(result("power"))))
def test_power(row: int) -> None:
    theirs = result("power").iloc[row]
    options = plan(theirs["case"])
    if np.isfinite(theirs["proportion"]):
        options["proportion"] = theirs["proportion"]
    power = cohort.achieved_power(
        theirs["n"], theirs["effect"], n_control=theirs["n_control"], **options
    )
    assert power == pytest.approx(theirs["power"], **POWER)
    if theirs["power"] < 0.999:
        # The other two questions, answered with the power that R gave.
        target = {**options, "power": theirs["power"]}
        ratio = theirs["n_control"] / theirs["n"]
        size = cohort.sample_size(theirs["effect"], ratio=ratio, **target)
        assert size.n == pytest.approx(theirs["n"], rel=1e-7)
        effect = cohort.minimum_detectable_effect(theirs["n"], theirs["n_control"], **target)
        assert effect.effect == pytest.approx(theirs["effect"], rel=1e-7)


def test_slopes_that_a_test_of_trends_would_miss() -> None:
    vcov = np.array([[4, 1, 0.5], [1, 3, 0.8], [0.5, 0.8, 2]])
    for row in result("pretrend_slopes").itertuples():
        q = int(row.q)
        test = cohort.pretrend_test([1.5, -2, 0.7][:q], vcov[:q, :q], [-4, -3, -2][:q])
        found = [test.statistic, test.p, test.slopes[float(row.power)]]
        # The slope is a root, found by R to 1e-13 of a noncentrality of about 10.
        np.testing.assert_allclose(found, [row.statistic, row.p, row.slope], rtol=1e-9)
