"""Models side by side: what is printed is what the models say."""

from __future__ import annotations

import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort, etable


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    frame = bcs.datasets.make_cohort(300, entries=(2026, 2028), seed=3)
    frame["on"] = (frame["wave"] >= frame["first_treated"]).astype(int)
    return Cohort(
        frame, "person", "wave", arm="arm", first_treated="first_treated", cluster="baseline_zone"
    )


def test_models_side_by_side(cohort: Cohort) -> None:
    plain, adjusted = cohort.twfe("income", "on"), cohort.twfe("income", "on", effects=["zone"])
    dynamic = cohort.att_gt("income").aggregate("dynamic")
    shown = etable({"simple": plain, "ajusté": adjusted, "ATT": dynamic})
    long = shown.long.set_index(["model", "term"])
    assert long.loc[("simple", "effet"), "estimate"] == plain.estimate
    assert long.loc[("ajusté", "effet"), "se"] == adjusted.se
    assert (shown.long["model"] == "ATT").sum() == len(dynamic.table)
    table = shown.table
    assert table["simple"].iloc[1].startswith("(")
    assert table.loc["effet", "ATT"] == ""
    assert list(table.loc["erreurs"]) == ["CR1", "CR1", "CR2"]
    assert table.loc["grappes"].nunique() == 1
    assert "zone=" in str(table.loc["covariables", "ajusté"])
    assert "effet" in shown.summary()
    assert "<table" in shown._repr_html_()


def test_terms_stars_and_refusals(cohort: Cohort) -> None:
    effect = cohort.twfe("income", "on", se="HC1")
    assert 0.001 < effect.p < 0.01
    starred = etable([effect], stars=True)
    assert str(starred.table.loc["effet", "(1)"]).endswith("9**")
    assert starred.table.columns.tolist() == ["(1)"]
    study = cohort.event_study("income", window=(-2, 2))
    one = etable([study], terms=["durée 0"])
    assert one.long["term"].tolist() == ["durée 0"]
    with pytest.raises(BarometreError, match="coefficient inconnu : durée 9"):
        etable([study], terms=["durée 9"])
    with pytest.raises(BarometreError, match="modèles refusés : aucun"):
        etable([])
    with pytest.raises(BarometreError, match=r"modèles refusés : \(1\)"):
        etable([3])  # type: ignore[list-item]  # what a mistake gives
