"""Effects by imputation: diff-diff by person, did-imputation by cluster."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from barometre import cohort
from tests.proofs.reading import panel, result, same

KEYS: dict[str, Any] = {"person": "person", "wave": "wave", "first_treated": "first"}
ITERATED = 1e-10  # diff-diff removes fixed effects until they move by less
STOPPED = 1e-7  # did-imputation stops when weights move by less than 1e-11, in sums of thousands


def rows(*, seen: bool = True) -> pd.DataFrame:
    return panel(seen=seen).assign(aged=lambda r: r["age"] * (r["wave"] - 2020))


def compare(
    theirs: pd.DataFrame, effects: cohort.ImputedEffects, kind: Any, *, rtol: float = ITERATED
) -> None:
    made = effects.aggregate(kind)
    if kind == "simple":
        same([made.overall.estimate], theirs["estimate"], rtol=rtol)
        same([made.overall.se], theirs["se"], rtol=rtol)
        return
    key = {"dynamic": "event_time", "group": "group"}[kind]
    ours = made.table.set_index(key).loc[theirs["key"]]
    assert len(made.table) == len(theirs)
    same(ours["estimate"], theirs["estimate"], rtol=rtol)
    same(ours["se"], theirs["se"], rtol=rtol)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("aged", [False, True])
def test_people_as_diff_diff(gaps: bool, alone: bool, aged: bool) -> None:
    theirs = result("imputation").fillna({"cluster": ""})
    theirs = theirs[
        (theirs["gaps"] == gaps) & (theirs["alone"] == alone) & (theirs["cluster"] == "")
    ]
    theirs = theirs[(theirs["aged"] == aged) & (theirs["se"] > 0)]  # their base has no error
    effects = cohort.did_imputation(
        rows(seen=gaps), "income", covariates=["aged"] * aged, leave_one_out=alone, **KEYS
    )
    assert set(theirs["kind"]) == {"simple", "dynamic", "group"}
    for kind, found in theirs.groupby("kind"):
        compare(found, effects, kind)


@pytest.mark.parametrize("weight", ["", "weight"])
@pytest.mark.parametrize("aged", [False, True])
def test_clusters_and_weights_as_did_imputation(weight: str, aged: bool) -> None:
    theirs = result("imputation_clusters").fillna({"weight": ""})
    theirs = theirs[(theirs["aged"] == aged) & (theirs["weight"] == weight)]
    effects = cohort.did_imputation(
        rows(), "income", covariates=["aged"] * aged, cluster="base_zone", weight=weight or None,
        leave_one_out=False, **KEYS,
    )  # fmt: skip
    for kind, found in theirs.groupby("kind"):
        compare(found, effects, kind, rtol=STOPPED)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("aged", [False, True])
def test_before_the_entry_as_diff_diff(gaps: bool, aged: bool) -> None:
    """All leads tested but one, whichever: by person, the law of F with the errors CR1."""
    theirs = result("imputation_leads").query("gaps == @gaps and aged == @aged").iloc[0]
    test = cohort.did_imputation(
        rows(seen=gaps), "income", covariates=["aged"] * aged, **KEYS
    ).pretrend()
    assert test.df == theirs["leads"]
    same([test.statistic, test.p], theirs[["f", "p"]], rtol=ITERATED * 10)  # quadratic
