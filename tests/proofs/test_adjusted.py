"""Differences, fixed effects and event studies with covariates: lm with dummies, clubSandwich."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre import cohort
from tests.proofs.reading import panel, result, same

KEYS: dict[str, Any] = {"person": "person", "wave": "wave", "cluster": "base_zone"}
TYPES = {"CR0": "CR0", "CR1S": "CR1S", "CR2": "CR2"}
DUMMIES = 1e-8  # R's QR of 200 columns of dummies loses about two digits


def rows() -> pd.DataFrame:
    return panel().assign(aged=lambda r: r["age"] * (r["wave"] - 2020))


def theirs(case: str, weight: str | None, se: str) -> pd.DataFrame:
    found = result("adjusted").fillna({"weight": ""})
    kept = (found["case"] == case) & (found["weight"] == (weight or "")) & (found["type"] == se)
    return pd.DataFrame(found[kept].reset_index(drop=True))


@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize("se", ["CR0", "CR1S", "CR2"])
def test_effects_with_covariates(se: Any, weight: str | None) -> None:
    two = rows()[rows()["wave"].isin([2022, 2025])]
    # The covariates of R's formula are constants of the person, and statuses.
    did = cohort.did(
        two, "income", 2025, arm="arm", weight=weight, covariates=["age", "status"], se=se, **KEYS
    )
    fixed = cohort.twfe(
        rows(), "income", "treated", weight=weight, covariates=["aged", "age"], effects=["zone"],
        se=se, **KEYS,
    )  # fmt: skip
    for case, ours in (("did", did), ("twfe", fixed)):
        row = theirs(case, weight, se).iloc[0]
        assert ours.estimate == pytest.approx(row["estimate"], rel=DUMMIES)
        assert ours.se == pytest.approx(row["se"], rel=DUMMIES)
        assert ours.df == pytest.approx(row["df"], rel=1e-6)
    assert fixed.meta["dropped"] == ["age"]
    assert "aged" in fixed.meta["adjusted"]


@pytest.mark.parametrize("weight", [None, "weight"])
def test_event_study_with_covariates(weight: str | None) -> None:
    for se in ("CR1S", "CR2"):
        study = cohort.event_study(
            rows(), "income", first_treated="first", weight=weight, se=se,
            covariates=["aged"], effects=["status"], **KEYS,
        )  # fmt: skip
        table = study.table[study.table["event_time"] != -1].reset_index(drop=True)
        expected = theirs("event_study", weight, se)
        same(table["event_time"], expected["term"])
        same(table["estimate"], expected["estimate"], rtol=DUMMIES, atol=1e-8)
        same(table["se"], expected["se"], rtol=DUMMIES)
    tests = result("adjusted_tests").fillna({"weight": ""})
    htz = tests[tests["weight"] == (weight or "")].iloc[0]
    test = study.pretrend()
    found = [test.statistic, test.meta["df_denominator"], test.p]
    assert found == pytest.approx(list(htz[["statistic", "df_denominator", "p"]]), rel=1e-6)


def test_people_seen_once_are_counted_and_tell_nothing() -> None:
    once = rows().assign(n=lambda r: r.groupby("person")["wave"].transform("count"))
    single = rows().drop_duplicates("person").iloc[[0]].assign(person="seul", income=0.0)
    more = pd.concat([once, single], ignore_index=True)
    keys = KEYS | {"cluster": None}
    one, other = (cohort.twfe(r, "income", "treated", se="iid", **keys) for r in (once, more))
    assert other.meta["singletons"] == one.meta["singletons"] + 1
    assert other.estimate == pytest.approx(one.estimate, rel=1e-12)
    assert np.isfinite(other.se)
