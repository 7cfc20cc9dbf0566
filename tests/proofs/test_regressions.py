"""Regressions, 2x2 differences, fixed effects, event studies: clubSandwich, sandwich, pyfixest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre import cohort
from tests.proofs.reading import CLOSED, panel, result, same

# clubSandwich's names: its CR1S is our CR1. With dummies for people it counts them, and so does
# our CR1S.
TYPES = {"HC1": "HC1", "CR0": "CR0", "CR1": "CR1S", "CR2": "CR2", "CR3": "CR3"}
FIXED = {"HC1": "HC1", "CR0": "CR0", "CR1S": "CR1S", "CR2": "CR2"}
# Dummies for 180 people: R's QR of 190 columns leaves about two digits less than CLOSED; pyfixest
# demeans by iteration, until nothing moves by more than 1e-13 of the sum of the outcome.
DUMMIES, DEMEANED = 1e-9, 1e-9
WEIGHTS = [None, "weight"]
KEYS: dict[str, Any] = {"person": "person", "wave": "wave"}


def theirs_of(case: str, weight: str | None, kind: str) -> Any:
    rows = result("regressions").fillna({"weight": ""})
    chosen = (rows["case"] == case) & (rows["weight"] == (weight or "")) & (rows["type"] == kind)
    return rows[chosen].reset_index(drop=True)


def of_pyfixest(case: str, weight: str | None, cluster: str) -> Any:
    rows = result("fixed_effects").fillna({"weight": ""})
    key = {"case": case, "weight": weight or "", "cluster": cluster}
    return rows[(rows[[*key]] == pd.Series(key)).all(axis=1)].reset_index(drop=True)


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("se", TYPES)
def test_least_squares(se: Any, weight: str | None) -> None:
    rows = panel().query("wave == 2025").assign(male=lambda x: (x["sex"] == "H").astype(int))
    terms = ["age", "male", "arm"]
    fit = cohort.cluster_robust(rows, "income", terms, cluster="base_zone", se=se, weight=weight)
    theirs = theirs_of("regression", weight, TYPES[se])
    same(fit.table["estimate"], theirs["estimate"])
    same(fit.table["se"], theirs["se"])
    if se != "HC1":
        same(fit.table["df"], theirs["df"], rtol=1e-9)  # a ratio of sums of squares of traces


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("se", TYPES)
def test_difference_in_differences(se: Any, weight: str | None) -> None:
    rows = panel()
    rows = rows[rows["wave"].isin([2022, 2025])]
    options: dict[str, Any] = {"cluster": "base_zone", "weight": weight, "se": se}
    ours = cohort.did(rows, "income", 2025, **KEYS, arm="arm", **options)
    theirs = theirs_of("did", weight, TYPES[se]).iloc[0]
    np.testing.assert_allclose(
        [ours.estimate, ours.se], theirs[["estimate", "se"]].astype(float), rtol=CLOSED
    )
    if se != "HC1":
        assert ours.df == pytest.approx(theirs["df"], rel=1e-9)
    if se == "CR1":
        other = of_pyfixest("did", weight, "base_zone").iloc[0]
        found = [ours.estimate, ours.se, ours.p]
        np.testing.assert_allclose(
            found, other[["estimate", "se", "p"]].astype(float), rtol=DEMEANED
        )
    people = cohort.Cohort(rows, person="person", wave="wave", arm="arm", cluster="base_zone")
    assert people.did("income", post=2025, se=se, weight=weight).se == ours.se


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("se", [*FIXED, "CR1"])
def test_two_way_fixed_effects(se: Any, weight: str | None) -> None:
    rows = panel()
    options: dict[str, Any] = {"cluster": "base_zone", "weight": weight, "se": se}
    ours = cohort.twfe(rows, "income", "treated", **KEYS, **options)
    if se == "CR1":
        theirs = of_pyfixest("twfe", weight, "base_zone").iloc[0]
        assert ours.p == pytest.approx(theirs["p"], rel=1e-6)  # printed from its own rounding
    else:
        theirs = theirs_of("twfe", weight, FIXED[se]).iloc[0]
    np.testing.assert_allclose(
        [ours.estimate, ours.se], theirs[["estimate", "se"]].astype(float), rtol=DUMMIES
    )
    if se == "CR2":
        assert ours.df == pytest.approx(theirs["df"], rel=1e-7)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_person_is_the_default_cluster_of_fixed_effects(weight: str | None) -> None:
    rows = panel()
    ours = cohort.twfe(rows, "income", "treated", **KEYS, weight=weight)
    theirs = of_pyfixest("twfe", weight, "person").iloc[0]
    np.testing.assert_allclose(
        [ours.estimate, ours.se], theirs[["estimate", "se"]].astype(float), rtol=DEMEANED
    )


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("se", [*FIXED, "CR1"])
@pytest.mark.parametrize("case", ["event_study", "event_study_window"])
def test_event_studies(case: str, se: Any, weight: str | None) -> None:
    rows = panel()
    study = cohort.event_study(
        rows,
        "income",
        **KEYS,
        first_treated="first",
        se=se,
        cluster="base_zone",
        weight=weight,
        window=(-3, 2) if case == "event_study_window" else None,
    )
    ours = study.table[study.table["event_time"] != -1].reset_index(drop=True)
    if se == "CR1":
        theirs = of_pyfixest(case, weight, "base_zone")
        theirs["term"] = theirs["term"].str.extract(r"(-?\d+)\D*$")[0].astype(int)
        theirs = theirs.sort_values("term").reset_index(drop=True)
    else:
        theirs = theirs_of(case, weight, FIXED[se])
    same(ours["event_time"], theirs["term"])
    # Some estimates are near 0 next to their error: their rounding is that of the income (1 000).
    same(ours["estimate"], theirs["estimate"], rtol=DUMMIES, atol=1e-9)
    same(ours["se"], theirs["se"], rtol=DUMMIES)
    if se == "CR2":
        same(ours["df"], theirs["df"], rtol=1e-7)


def test_covariance_of_an_event_study() -> None:
    rows = panel()
    study = cohort.event_study(
        rows, "income", **KEYS, first_treated="first", se="CR2", cluster="base_zone"
    )
    theirs = result("event_study_vcov").pivot(index="row", columns="column", values="value")
    np.testing.assert_allclose(
        study.vcov, theirs.sort_index().sort_index(axis=1), rtol=1e-7, atol=1e-7
    )


@pytest.mark.parametrize("weight", [None, "weight"])
def test_pretrend_of_an_event_study_with_few_clusters(weight: str | None) -> None:
    """The test HTZ of clubSandwich, whatever the errors of the table."""
    study = cohort.event_study(
        panel(), "income", **KEYS, first_treated="first", cluster="base_zone", weight=weight
    )
    theirs = (
        result("joint_tests").fillna("").query("weight == @weight" if weight else "weight == ''")
    )
    theirs = theirs.set_index("q")
    test = study.pretrend()
    assert test.df == 4
    # The persons' dummies of R are removed here: their rounding is that of the covariance above.
    assert test.statistic == pytest.approx(theirs.loc[4, "statistic"], rel=1e-7)
    assert test.meta["df_denominator"] == pytest.approx(theirs.loc[4, "df_denominator"], rel=1e-7)
    assert test.p == pytest.approx(theirs.loc[4, "p"], rel=1e-7)
