"""Follow-up, losses, balance, weights, matching against R: msm, MatchIt, glm, sandwich, clubSandwich."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre import cohort
from tests.proofs.reading import CLOSED, data, panel, result, same

TRAITS = ["age", "sex", "diploma", "base_income"]
# Maximum likelihood: R stops at a relative change of deviance of 1e-14, that is about 1e-9 on the
# least precise coefficient (a step is the square root of what it changes in the likelihood).
FITTED = 1e-8
KEYS: dict[str, Any] = {"person": "person", "wave": "wave"}


def terms(labels: pd.Series[Any]) -> list[str]:
    """Ours, ``sex=H``, as R writes them: ``sexH``."""
    return labels.str.replace("=", "").replace("const", "(Intercept)").tolist()


@pytest.mark.parametrize(
    ("case", "rows"), [("all", panel(seen=False)), ("seen", panel()), ("lag2", panel(seen=False))]
)
def test_transitions(case: str, rows: pd.DataFrame) -> None:
    lag = 2 if case == "lag2" else 1
    ours = cohort.transition_rates(rows, "status", **KEYS, lag=lag)
    theirs = result("transitions", "R-*")
    theirs = theirs[theirs["case"] == case]
    assert ours[["from", "to"]].to_numpy().tolist() == theirs[["from", "to"]].to_numpy().tolist()
    assert ours["n"].tolist() == theirs["n"].tolist()
    same(ours["rate"], theirs["rate"])
    counts = cohort.transition_counts(rows, "status", **KEYS, lag=lag)
    assert counts["n"].tolist() == theirs["n"].tolist()


def test_transitions_by_arm_and_with_weights() -> None:
    rows = panel()
    ours = cohort.transition_rates(rows, "status", **KEYS, by="arm")
    theirs = result("transitions", "R-*").query("case == 'seen_by_arm'")
    same(ours["group"], theirs["group"])
    assert ours["n"].tolist() == theirs["n"].tolist()
    same(ours["rate"], theirs["rate"])
    ours = cohort.transition_rates(rows, "status", **KEYS, weight="weight")
    theirs = result("transitions_weighted")
    same(ours["n"], theirs["n"])
    same(ours["rate"], theirs["rate"])


@pytest.mark.parametrize("case", ["seen", "weight"])
def test_status_shares_and_times(case: str) -> None:
    rows = panel()
    weight = "weight" if case == "weight" else None
    ours = cohort.state_distribution(rows, "status", **KEYS, weight=weight)
    theirs = result("state_distribution")
    theirs = theirs[theirs["case"] == case]
    assert ours["state"].tolist() == theirs["state"].tolist()
    for column in ("wave", "n", "share", "entropy"):
        same(ours[column], theirs[column])
    ours = cohort.mean_time(rows, "status", **KEYS, weight=weight)
    theirs = result("mean_time")
    theirs = theirs[theirs["case"] == case]
    # n counts people, not their weights.
    for column in ("mean_time", "share", *(("n",) if weight is None else ())):
        same(ours[column], theirs[column])


def test_retention() -> None:
    rows = panel(seen=False).assign(seen=lambda x: x["seen"] == 1)
    ours = cohort.retention(rows, **KEYS, observed="seen", by="arm", level=0.9)
    theirs = result("retention")
    for column in ("group", "wave", "n_expected", "n_present", "retention", "low", "high"):
        # A bound of 0 or 1 is rounded away by R.
        same(ours[column], theirs[column], atol=1e-15)


def test_participation() -> None:
    rows = panel(seen=False).assign(seen=lambda x: x["seen"] == 1)
    ours = cohort.participation_patterns(rows, **KEYS, observed="seen")
    theirs = result("participation").set_index("pattern")["n"]
    assert ours.set_index("pattern")["n"].to_dict() == theirs.to_dict()
    assert ours["n"].is_monotonic_decreasing
    numbers = cohort.waves_per_person(rows, **KEYS, observed="seen")
    theirs = result("waves_per_person").set_index("n_waves")["n"]
    assert numbers.set_index("n_waves")["n"].to_dict() == theirs.to_dict()


def test_times_to_an_event_and_to_its_rival() -> None:
    theirs = result("event_times").set_index("person")
    clear = theirs.index[~theirs["clash"]]  # both at the same wave is refused
    rows = panel()
    rows = rows[rows["person"].isin(clear)]
    ours = cohort.time_to_event(
        rows,
        lambda x: x["status"] == "emploi",
        **KEYS,
        competing=lambda x: x["zone"] == "ailleurs",
    )
    assert len(ours) > 150
    assert set(ours["event"]) == {0, 1, 2}
    for column in ("duration", "event"):
        same(ours[column], theirs[column][ours["person"]].reset_index(drop=True))


def test_losses_by_arm() -> None:
    ours = cohort.attrition(data("people"), "lost", "arm")
    theirs = result("attrition_rates")
    assert ours["group"].tolist() == theirs["group"].tolist()
    for column in ("rate", "low", "high", "statistic", "p"):
        same(ours[column], theirs[column])


def compared(theirs: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Rows of MatchIt next to ours: it has one for both values of a yes/no trait."""
    ours = ours.assign(term=terms(ours["variable"]))
    both = ours.merge(theirs, on="term", suffixes=("", "_r"))
    assert len(both) == len(ours) >= 7
    return both


@pytest.mark.parametrize(
    ("estimand", "denominator"), [("ATT", "treated"), ("ATC", "control"), ("ATE", "pooled")]
)
@pytest.mark.parametrize("outcome", ["arm", "lost"])
def test_balance(outcome: str, estimand: str, denominator: Any) -> None:
    theirs = result("balance", "R-*").query("outcome == @outcome and estimand == @estimand")
    if outcome == "arm":
        ours = cohort.balance_table(data("people"), "arm", TRAITS, denominator=denominator)
    else:
        ours = cohort.stayers_and_lost(data("people"), "lost", TRAITS, denominator=denominator)
        ours = ours.rename(columns={"mean_lost": "mean_treated", "mean_stayed": "mean_control"})
    both = compared(theirs, ours)
    for column in ("mean_treated", "mean_control", "smd", "var_ratio"):
        same(both[column], both[f"{column}_r"])


def test_weighted_balance() -> None:
    people = data("people")
    theirs = result("balance_weighted").pivot(index="term", columns="arm")
    plain = people[people["arm"] == 1]
    ours = cohort.balance_table(people, "arm", TRAITS, weight="weight")
    row: Any
    for row, term in zip(ours.itertuples(), terms(ours["variable"]), strict=True):
        mean, variance = theirs.loc[term, "mean"], theirs.loc[term, "variance"]
        np.testing.assert_allclose([row.mean_treated, row.mean_control], mean[[1, 0]], rtol=CLOSED)
        if term in ("age", "base_income"):
            # The difference is divided by the deviation without weights, before and after.
            smd = (mean[1] - mean[0]) / plain[term].std()
            ratio = variance[1] / variance[0]
            np.testing.assert_allclose([row.smd, row.var_ratio], [smd, ratio], rtol=CLOSED)


@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize("outcome", ["lost", "arm"])
def test_logistic_regressions(outcome: str, weight: str | None) -> None:
    key = {"outcome": outcome, "weight": weight or ""}
    theirs = result("logit", "R-*").fillna({"weight": ""}).query("outcome == @outcome")
    theirs = theirs[theirs["weight"] == key["weight"]]
    tests = result("logit_tests").fillna({"weight": ""}).set_index(["outcome", "weight"])
    found = cohort.fit_logit(data("people"), outcome, TRAITS, weight=weight)
    assert terms(found.table["term"]) == theirs["term"].tolist()
    same(found.table["estimate"], theirs["estimate"], rtol=FITTED)
    same(found.table["se"], theirs["se"], rtol=FITTED)
    joint = tests.loc[(outcome, key["weight"])]
    assert found.df == joint["df"]
    np.testing.assert_allclose([found.statistic, found.p], joint[["statistic", "p"]], rtol=FITTED)
    verb = cohort.attrition_model if outcome == "lost" else cohort.balance_test
    assert verb(data("people"), outcome, TRAITS, weight=weight).statistic == found.statistic


@pytest.mark.parametrize(
    ("column", "options"),
    [
        ("attrition", {"stabilised": False}),
        ("attrition_stabilised", {}),
        ("attrition_by_arm", {"numerator": ["arm"]}),
        ("attrition_trimmed", {"stabilised": False, "trim": 0.9}),
    ],
)
def test_attrition_weights(column: str, options: Any) -> None:
    people = data("people").assign(seen=1 - data("people")["lost"])
    ours = cohort.attrition_weights(people, "seen", TRAITS, **options)
    same(ours.weight, result("weights")[column], rtol=FITTED)
    kept = ours.weight.dropna()
    assert ours.ess == pytest.approx(kept.sum() ** 2 / (kept**2).sum(), rel=CLOSED)  # Kish
    treatment = cohort.propensity_weights(people, "arm", TRAITS)
    both = cohort.combine_weights(treatment, ours)
    same(both, result("weights")[column] * result("weights")["att"], rtol=FITTED)


def test_weighted_losses() -> None:
    theirs = result("attrition_weighted").set_index("arm").loc[[0, 1]]
    ours = cohort.attrition(data("people"), "lost", "arm", weight="weight").iloc[:2]
    same(ours["rate"], theirs["rate"])
    # R's variance is that of n - 1: the sample without weights has the same factor.
    n, rate = theirs["n"], theirs["rate"]
    same(ours["n_eff"], rate * (1 - rate) / (theirs["se"] ** 2 * (n - 1) / n))


@pytest.mark.parametrize(
    ("column", "options"), [("plain", {"stabilised": False}), ("by_arm", {"numerator": ["arm"]})]
)
def test_attrition_weights_with_survey_weights(column: str, options: Any) -> None:
    people = data("people").assign(seen=1 - data("people")["lost"])
    ours = cohort.attrition_weights(people, "seen", TRAITS, weight="weight", **options)
    same(ours.weight, result("attrition_weights_survey")[column], rtol=FITTED)


@pytest.mark.parametrize(
    ("column", "options"),
    [
        ("att", {}),
        ("ate", {"estimand": "ate"}),
        ("ate_stabilised", {"estimand": "ate", "stabilised": True}),
        ("ate_trimmed", {"estimand": "ate", "trim": 0.9}),
        ("att_survey", {"weight": "weight"}),
    ],
)
def test_propensity_weights(column: str, options: Any) -> None:
    ours = cohort.propensity_weights(data("people"), "arm", TRAITS, **options)
    same(ours.weight, result("weights")[column], rtol=FITTED)


# One person, one cluster: CR0 is R's HC0, and CR2 its HC2.
@pytest.mark.parametrize(
    ("se", "type_of_r"),
    [("CR0", "HC0"), ("HC1", "HC1"), ("CR2", "HC2"), ("CR1", "CR1"), ("CR2", "CR2")],
)
def test_effects_with_weights(se: Any, type_of_r: str) -> None:
    people = data("people").set_index("person")
    rows = panel()
    income = rows[rows["wave"] == 2026].set_index("person")["income"].reindex(people.index)
    # R's own weights enter R's effect; income is known of everyone there.
    last = panel(seen=False).query("wave == 2026").set_index("person")["income"]
    weight = result("weights").set_index("person")["ate"] * people["weight"]
    people = people.assign(last=last, income=income)
    cluster = "base_zone" if type_of_r.startswith("CR") else None
    ours = cohort.weighted_effect(people, "last", "arm", weight=weight, cluster=cluster, se=se)
    theirs = result("weighted_effect").set_index("se_type").loc[type_of_r]
    # The weights are written with 15 digits: CLOSED still holds.
    np.testing.assert_allclose(
        [ours.estimate, ours.se], theirs[["estimate", "se"]].astype(float), rtol=CLOSED
    )
    assert ours.df == pytest.approx(theirs["df"], rel=1e-9)
    assert income.isna().sum() == people["lost"].sum()  # those left out when lost are counted
    assert cohort.weighted_effect(people, "income", "arm", weight=weight).n == income.notna().sum()


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("one", {}),
        ("caliper", {"caliper": 0.2}),
        ("smallest", {"order": "smallest"}),
        ("data", {"order": "data"}),
        ("replace", {"replace": True}),
        ("replace_two", {"replace": True, "k": 2}),
        ("score", {"scale": "score"}),
    ],
)
def test_nearest_neighbours(case: str, options: Any) -> None:
    people = data("people").set_index("person")
    pool = people[people["first"].isin([0, 2023])]
    ours = cohort.nearest_match(pool, "arm", TRAITS, **options).pairs
    theirs = result("nearest_match").query("case == @case")
    found = set(zip(ours["treated"], ours["control"], strict=True))
    assert found == set(zip(theirs["treated"], theirs["control"], strict=True))
    assert len(ours) == len(theirs) > 30


def test_rubin_rules() -> None:
    each = result("rubin_each").drop(columns="draw")
    theirs = result("rubin_pooled")
    terms = len(theirs)
    ours = cohort.rubin(each.iloc[i : i + terms] for i in range(0, len(each), terms))
    assert ours["term"].tolist() == theirs["term"].tolist()
    for column in ("estimate", "se", "df", "within", "between", "fmi"):
        same(ours[column], theirs[column])


def test_multiple_imputation() -> None:
    """400 draws of ours and of mice: both means, and both variances between draws."""
    people = data("people").set_index("person")
    last = panel(seen=False).query("wave == 2026").set_index("person")["income"]
    people["last"] = last.where(people["lost"] == 0)
    drawn = cohort.multiple_imputation(
        people, ["last"], covariates=["arm", "age", "base_income"], draws=400
    )
    ours = [cohort.weighted_effect(frame, "last", "arm").estimate for frame in drawn.completed()]
    theirs = result("imputed").set_index("term").loc["arm"]
    between = np.var(ours, ddof=1)
    error = np.sqrt((between + theirs["between"]) / 400)
    assert abs(np.mean(ours) - theirs["estimate"]) < 3 * error
    # A variance of 400 draws has a relative error of 7 %: three of the ratio of two.
    assert between / theirs["between"] == pytest.approx(1, abs=0.3)
