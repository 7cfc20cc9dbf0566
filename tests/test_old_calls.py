"""Calls that scripts of the first version make, by position as they do: they keep working."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre import cohort, composite, datasets

# The arguments that the first version took by position, in its order.
POSITIONS = {
    "compute": "tables indicators",
    "aggregate": "tables membership",
    "gap": "results reference",
    "evolution": "results start end",
    "rank": "results by",
    "diagnose": "results zones territory reference weights",
    "priorities": "results zones",
    "suppress": "table",
    "audit_suppression": "table",
    "idh4": "components bounds",
    "idt": "components reference dispersion weights",
    "datasets.load": "name",
    "datasets.make_tables": "n_communes years seed",
    "datasets.make_cohort": "n waves",
    "composite.Index.from_table": "tree",
    "composite.Index.score": "self frame",
    "cohort.Cohort": "frame person wave arm first_treated cluster zone weight status",
    "cohort.Cohort.did": "self outcome post",
    "cohort.Cohort.twfe": "self outcome treated",
    "cohort.Cohort.att_gt": (
        "self outcome control base covariates method cluster missing anticipation"
    ),
    "cohort.Cohort.retention": "self by",
    "cohort.Cohort.attrition": "self wave",
    "cohort.Cohort.balance": "self covariates weight denominator",
    "cohort.kaplan_meier": "duration event by entry weight",
    "cohort.cumulative_incidence": "duration cause by entry weight",
    "cohort.logrank": "duration event by strata",
    "cohort.survival_quantile": "duration event q by entry weight",
    "cohort.balance_table": "frame arm covariates weight denominator",
    "cohort.decompose_change": "before after statistic leavers_after",
    "cohort.adjust_pvalues": "families method",
    "cohort.minimum_detectable_effect": "n n_control",
    "cohort.sample_size": "effect",
}
# Options of the first version, by name.
OPTIONS = {
    "compute": "check_published intervals",
    "aggregate": "weighted_mean nd_as_zero weights",
    "gap": "tolerance",
    "evolution": "override reference tolerance",
    "rank": "ties intervals level draws seed unranked method",
    "diagnose": (
        "indicators year level_threshold dispersion dispersion_threshold groups min_coverage"
        " without_grades"
    ),
    "priorities": (
        "themes indicators weights aggregate year min_share without_grades draws seed level"
        " bounds_level drivers"
    ),
    "suppress": "threshold protection margins total relations method zero cost time_limit",
    "audit_suppression": "total relations lowest",
    "idh4": "health",
    "datasets.make_tables": "secrecy",
    "datasets.make_cohort": (
        "effect entries share_treated attrition mobility zone_shock complete seed"
    ),
    "composite.Index.from_table": "normalise aggregate min_available out clip floor",
    "composite.Index.score": "tolerance",
    "cohort.Cohort.did": "se cluster weight",
    "cohort.Cohort.twfe": "se cluster weight",
    "cohort.Cohort.retention": "clock observed level",
    "cohort.Cohort.attrition": "level",
    "cohort.kaplan_meier": "conf_type level",
    "cohort.cumulative_incidence": "conf_type level",
    "cohort.logrank": "entry rho",
    "cohort.survival_quantile": "conf_type level",
    "cohort.decompose_change": "destination origin household draws level seed",
    "cohort.minimum_detectable_effect": (
        "sd proportion power alpha cluster_size icc waves_pre waves_post correlation"
        " correlation_type attrition test"
    ),
    "cohort.sample_size": (
        "ratio sd proportion power alpha cluster_size icc waves_pre waves_post correlation"
        " correlation_type attrition test"
    ),
}


def named(name: str) -> Callable[..., Any]:
    thing: Any = bcs
    for part in name.split("."):
        thing = getattr(thing, part)
    assert callable(thing)
    return thing  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", POSITIONS)
def test_the_first_arguments_keep_their_places(name: str) -> None:
    parameters = inspect.signature(named(name)).parameters
    places = [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    wanted = POSITIONS[name].split()
    assert places[: len(wanted)] == wanted
    rest = [parameters[one] for one in parameters if one not in wanted]
    assert all(one.default is not one.empty for one in rest if one.kind is not one.VAR_POSITIONAL)
    assert set(OPTIONS.get(name, "").split()) <= parameters.keys()


# ---- each call, made ----------------------------------------------------------------------------

RESULTS = bcs.compute(datasets.make_tables(30, [2016, 2021], 1))
COMMUNES = sorted(RESULTS["code"].unique())
PEOPLE = datasets.make_cohort(400, [2024, 2025, 2026, 2027], entries=(2026,), seed=1)
PEOPLE["treated"] = (PEOPLE["wave"] >= PEOPLE["first_treated"]).astype(int)
OURS = cohort.Cohort(PEOPLE, "person", "wave", "arm", "first_treated", "baseline_zone", "zone")
TIME, EVENT = np.array([1.0, 2, 2, 3, 4, 5]), np.array([1, 1, 0, 1, 0, 1])
SIDE = np.array(["a", "b", "a", "b", "a", "b"])
TREE = pd.DataFrame(
    {"id": ["i", "x", "y"], "parent": [None, "i", "i"], "direction": [1, 1, -1]}
)  # fmt: skip
UNITS = pd.DataFrame({"x": [1.0, 2, 3], "y": [3.0, 1, 2]}, index=["a", "b", "c"])
PLACE = pd.DataFrame(
    {"part_emploi": [52.0, 60], "part_diplome": [18.0, 25], "revenu": [13e3, 15e3]}
)


def same(one: Any, other: Any) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))


def test_a_cohort_by_position() -> None:
    by_name = cohort.Cohort(
        PEOPLE, person="person", wave="wave", arm="arm", first_treated="first_treated",
        cluster="baseline_zone", zone="zone",
    )  # fmt: skip
    roles = ("person", "wave", "arm", "first_treated", "cluster", "zone", "weight", "status")
    assert [getattr(OURS, role) for role in roles] == [getattr(by_name, role) for role in roles]
    whole = PEOPLE.assign(w=1.0)
    last = cohort.Cohort(
        whole, "person", "wave", "arm", "first_treated", None, "zone", "w", "status"
    )
    assert (last.cluster, last.zone, last.weight, last.status) == (None, "zone", "w", "status")


def test_verbs_of_a_cohort_by_position() -> None:
    same(OURS.did("income", 2026).table, OURS.did(outcome="income", post=2026).table)
    same(OURS.twfe("income", "treated").table, OURS.twfe(outcome="income", treated="treated").table)
    for control in ("never", "not_yet"):
        same(OURS.att_gt("income", control).table, OURS.att_gt("income", control=control).table)
    old = OURS.att_gt("income", "never", "universal", ["age"], "reg", "person", "pairs", 0)
    new = OURS.att_gt(
        "income", control="never", base="universal", covariates=["age"], method="reg",
        cluster="person", missing="pairs", anticipation=0,
    )  # fmt: skip
    same(old.table, new.table)
    same(OURS.retention("arm"), OURS.retention(by="arm"))
    same(OURS.attrition(2026), OURS.attrition(wave=2026))
    same(OURS.balance(["age"], None, "pooled"), OURS.balance(["age"], denominator="pooled"))


def test_durations_and_numbers_by_position() -> None:
    curve = cohort.kaplan_meier(TIME, EVENT, SIDE, None, np.ones(6))
    same(curve, cohort.kaplan_meier(TIME, EVENT, by=SIDE, weight=np.ones(6)))
    same(
        cohort.cumulative_incidence(TIME, EVENT, SIDE, None),
        cohort.cumulative_incidence(TIME, EVENT, by=SIDE),
    )
    same(
        cohort.logrank(TIME, EVENT, SIDE, None).table,
        cohort.logrank(TIME, EVENT, by=SIDE, strata=None).table,
    )
    same(
        cohort.survival_quantile(TIME, EVENT, [0.5], SIDE),
        cohort.survival_quantile(TIME, EVENT, q=[0.5], by=SIDE),
    )
    first = PEOPLE[PEOPLE["wave"] == 2024]
    same(
        cohort.balance_table(first, "arm", ["age", "sex"], None, "treated"),
        cohort.balance_table(first, arm="arm", covariates=["age", "sex"]),
    )
    before, after = pd.Series({"a": 10.0, "b": 20.0}), pd.Series({"a": 12.0, "c": 8.0})
    change = cohort.decompose_change(before, after, "mean", pd.Series({"b": 25.0}))
    assert (change.total, change.people) == (-5.0, 3.5)
    assert list(cohort.adjust_pvalues([0.01, 0.02], "bonferroni")["p_adjusted"]) == [0.02, 0.04]
    one, two = cohort.minimum_detectable_effect(50, 80), cohort.minimum_detectable_effect(50)
    assert one.effect < two.effect
    assert cohort.sample_size(0.5).people == 128  # Cohen (1988): 64 a group


def test_indices_by_position() -> None:
    assert list(composite.Index.from_table(TREE).score(UNITS).table.index) == ["a", "b", "c"]
    human = pd.DataFrame(
        {"life_exp": [80.0], "exp_sch": [16.0], "avg_sch": [12.0], "gni_pc_2017ppp": [40e3]}
    )
    assert 0.8 < composite.HDI.score(human).table["HDI"].item() < 1
    scores = bcs.idt(PLACE, (80, 42, 22e3), (10, 12, 4e3), (0.5, 0.2, 0.3)).table
    same(
        scores,
        bcs.idt(
            PLACE, reference=(80, 42, 22e3), dispersion=(10, 12, 4e3), weights=(0.5, 0.2, 0.3)
        ).table,
    )
    bounds = {"icm": (60, 160), "part_diplomes": (50, 90), "niveau_de_vie_median": (14e3, 39e3)}
    middle = pd.DataFrame([[110.0, 70.0, np.sqrt(14e3 * 39e3)]], columns=list(bounds))
    found = bcs.idh4(middle, bcs.Bounds(bounds)).table
    assert found.select_dtypes("number").iloc[0].between(0, 1).any()


def test_tables_and_comparisons_by_position() -> None:
    tables = datasets.make_tables(30, [2016, 2021], 1)
    same(bcs.compute(tables, ["taux_emploi_15_64"]),
         bcs.compute(tables, indicators=["taux_emploi_15_64"]))  # fmt: skip
    whole = bcs.aggregate(tables, pd.Series("200042190", COMMUNES))
    assert "200042190" in set(bcs.compute(whole)["code"])
    half = RESULTS[RESULTS["indicateur"] == "taux_emploi_15_64"]
    same(bcs.gap(half, COMMUNES[0]), bcs.gap(half, reference=COMMUNES[0]))
    same(bcs.evolution(half, 2016, 2021), bcs.evolution(half, start=2016, end=2021))
    same(bcs.rank(half, ["annee", "indicateur"]), bcs.rank(half, by=["annee", "indicateur"]))
    same(bcs.priorities(RESULTS, COMMUNES[:8]), bcs.priorities(RESULTS, zones=COMMUNES[:8]))
    weights = pd.Series(1.0, COMMUNES)
    late = half[half["annee"] == 2021]
    same(
        bcs.diagnose(late, COMMUNES[2:], COMMUNES[0], COMMUNES[1], weights),
        bcs.diagnose(
            late, zones=COMMUNES[2:], territory=COMMUNES[0], reference=COMMUNES[1], weights=weights
        ),
    )
    counts = pd.DataFrame([[3, 40, 50], [60, 70, 80], [30, 25, 44]], list("abc"), list("xyz"))
    hidden = bcs.suppress(counts)
    assert bcs.audit_suppression(hidden.table.replace("secret", np.nan).astype(float)) is not None


def test_bundled_data_by_position(contract: Any) -> None:
    assert len(datasets.load("seuils_pauvrete_2020").frame) == 4
    assert set(datasets.tables()) == set(contract)
