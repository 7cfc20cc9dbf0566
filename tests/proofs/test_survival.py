"""Durations against R's survival: ties, censoring, competing exits, delayed entry, weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre import cohort
from tests.proofs.reading import CLOSED, data, result, same

# What enters each call of survival.R.
CASES = {
    "plain": (),
    "by_arm": ("by",),
    "entry": ("by", "entry"),
    "weight": ("by", "weight"),
    "both": ("entry", "weight"),
}
THEIRS = {"se": "std_err"}
COLUMNS = {"by": "arm", "entry": "entry", "weight": "weight"}
KM = [
    (case, scale, 0.9 if (case, scale) == ("by_arm", "plain") else 0.95)
    for case in CASES
    for scale in ("log", "log-log", "plain")
]


def arguments(case: str) -> dict[str, Any]:
    return {name: data("people")[COLUMNS[name]] for name in CASES[case]}


def durations() -> tuple[pd.Series[Any], pd.Series[Any]]:
    people = data("people")
    return people["duration"], people["cause"]


def rows_of(name: str, **key: Any) -> Any:
    theirs = result(name, "R-survival-*")
    for column, value in key.items():
        theirs = theirs[theirs[column] == value]
    return theirs.reset_index(drop=True)


def exits_only(theirs: pd.DataFrame, counts: list[str]) -> pd.DataFrame:
    """R also has a row at each entry, where nothing happens."""
    return theirs[theirs[counts].sum(axis=1) > 0].reset_index(drop=True)


@pytest.mark.parametrize(("case", "scale", "level"), KM)
def test_survival_curves(case: str, scale: Any, level: float) -> None:
    time, cause = durations()
    ours = cohort.kaplan_meier(time, cause == 1, **arguments(case), conf_type=scale, level=level)
    theirs = exits_only(rows_of("km_curves", case=case, conf_type=scale), ["n_event", "n_censor"])
    assert set(theirs["level"]) == {level}
    for column in ("time", "n_risk", "n_event", "n_censor", "survival", "se"):
        same(ours[column], theirs[THEIRS.get(column, column)], atol=1e-12)
    known = theirs["low"].notna() & ours["low"].notna()
    assert known.sum() > 10
    same(ours["low"][known], theirs["low"][known])
    same(ours["high"][known], theirs["high"][known])


@pytest.mark.parametrize(("case", "scale", "level"), KM)
def test_quantiles(case: str, scale: Any, level: float) -> None:
    time, cause = durations()
    ours = cohort.survival_quantile(
        time, cause == 1, [0.1, 0.25, 0.5, 0.75], **arguments(case), conf_type=scale, level=level
    )
    theirs = rows_of("km_quantiles", case=case, conf_type=scale)
    for column in ("q", "quantile", "low", "high"):
        same(ours[column], theirs[column])


@pytest.mark.parametrize("case", CASES)
def test_restricted_means(case: str) -> None:
    time, cause = durations()
    ours = cohort.rmst(time, cause == 1, horizon=12, **arguments(case))
    theirs = rows_of("rmst", case=case)
    same(ours["estimate"], theirs["rmst"])
    same(ours["se"], theirs["std_err"])


@pytest.mark.parametrize("scale", ["log", "plain"])
@pytest.mark.parametrize("case", CASES)
def test_cumulative_incidence(case: str, scale: Any) -> None:
    time, cause = durations()
    ours = cohort.cumulative_incidence(time, cause, **arguments(case), conf_type=scale)
    theirs = rows_of("cumulative_incidence", case=case, conf_type=scale)
    keys = [*(["group"] if "by" in CASES[case] else []), "cause", "time"]
    both = ours.merge(theirs, on=keys, suffixes=("", "_r"))
    assert len(both) == len(ours)
    # With several states R counts people, not weights; those of the curves are compared above.
    counts = () if "weight" in CASES[case] else ("n_risk", "n_event")
    for column in (*counts, "cif"):
        same(both[column], both[f"{column}_r"], atol=1e-12)
    same(both["se"], both["std_err"], atol=1e-12)
    known = both["low"].notna() & both["low_r"].notna()
    assert known.sum() > 20
    same(both["low"][known], both["low_r"][known], atol=1e-12)
    same(both["high"][known], both["high_r"][known])


@pytest.mark.parametrize("rho", [0, 0.5, 1])
@pytest.mark.parametrize("strata", [None, "sex"])
@pytest.mark.parametrize("by", ["arm", "diploma"])
def test_log_rank(by: str, strata: str | None, rho: float) -> None:
    people, (time, cause) = data("people"), durations()
    ours = cohort.logrank(
        time, cause == 1, people[by], None if strata is None else people[strata], rho=rho
    )
    theirs = result("logrank", "R-*").fillna({"strata": ""})
    row = theirs[
        (theirs["by"] == by) & (theirs["strata"] == (strata or "")) & (theirs["rho"] == rho)
    ].iloc[0]
    assert ours.df == row["df"]
    np.testing.assert_allclose([ours.chisq, ours.p], [row["chisq"], row["p"]], rtol=CLOSED)


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("strata", [None, "sex"])
@pytest.mark.parametrize("by", ["arm", "diploma", "base_zone"])
def test_gray(by: str, strata: str | None, rho: float) -> None:
    ours = cohort.gray_test(data("people"), "duration", "cause", by, strata=strata, rho=rho)
    theirs = result("gray").fillna({"strata": ""}).query("by == @by and rho == @rho")
    theirs = theirs[theirs["strata"] == (strata or "")]
    assert ours["cause"].tolist() == theirs["cause"].tolist() == [1, 2]
    assert ours["df"].tolist() == theirs["df"].tolist()
    same(ours["chisq"], theirs["chisq"])
    same(ours["p"], theirs["p"])


@pytest.mark.parametrize("traits", [(), ("age", "diploma")])
@pytest.mark.parametrize("code", [1, 2])
@pytest.mark.parametrize("ties", [True, False])
def test_fine_gray(ties: bool, code: int, traits: tuple[str, ...]) -> None:
    people = data("people")
    time = people["duration"] + (0 if ties else people["person"] / 1000)
    ours = cohort.fine_gray(
        people.assign(time=time), "time", "cause", code=code, by="arm", covariates=traits
    ).table
    theirs = result("fine_gray").query("ties == @ties and code == @code")
    theirs = theirs[theirs["design"] == ("traits" if traits else "arm")]
    assert ours["term"].str.replace("=", "").tolist() == theirs["term"].tolist()
    # crr stops when the likelihood no longer grows: it is flat to the last digit some 1e-8 around.
    same(ours["coefficient"], theirs["coefficient"], rtol=1e-7)
    same(ours["se"], theirs["se"], rtol=1e-7)


@pytest.mark.parametrize("by", ["arm", "diploma"])
def test_log_rank_with_delayed_entry(by: str) -> None:
    people, (time, cause) = data("people"), durations()
    ours = cohort.logrank(time, cause == 1, people[by], entry=people["entry"])
    row = result("logrank_entry", "py-*").set_index("by").loc[by]
    np.testing.assert_allclose([ours.chisq, ours.p], [row["chisq"], row["p"]], rtol=CLOSED)
    # Without ties: the score test of R's coxph, by stratum too.
    spread = time + people["person"] / 1000
    theirs = result("logrank_entry", "R-*").fillna({"strata": ""}).set_index(["by", "strata"])
    for strata in ("", "sex"):
        labels = people[strata] if strata else None
        untied = cohort.logrank(spread, cause == 1, people[by], labels, entry=people["entry"])
        assert untied.df == theirs.loc[(by, strata), "df"]
        # R's score test inverts a matrix of information after a search from zero.
        np.testing.assert_allclose(untied.chisq, theirs.loc[(by, strata), "chisq"], rtol=1e-10)
