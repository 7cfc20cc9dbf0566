"""Published evaluations found again with our verbs, on the data that a package ships.

Castle doctrine: Cheng and Hoekstra (2013) by Cunningham (2021), *Causal Inference: The Mixtape*,
section 9.6; job training: Dehejia and Wahba (1999), tables 1 and 3; learning one's HIV status in 119
villages of Malawi: Thornton (2008), abstract. Figures are as printed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre.cohort import (
    Cohort,
    att_gt,
    bacon_weights,
    balance_table,
    did_imputation,
    event_study,
    feols,
    nearest_match,
    twfe,
)

causaldata: Any = pytest.importorskip("causaldata", reason="données : extra « test », causaldata")
STATES: dict[str, Any] = {"person": "sid", "wave": "year"}
ENTRY: dict[str, Any] = {**STATES, "first_treated": "first"}


def castle() -> pd.DataFrame:
    rows = causaldata.castle.load_pandas().data.astype("float64").copy()
    first = rows[rows["post"] == 1].groupby("sid")["year"].min()
    return pd.DataFrame(rows.assign(first=rows["sid"].map(first).fillna(0)))


def training() -> pd.DataFrame:
    rows = causaldata.nsw_mixtape.load_pandas().data.drop(columns="data_id").astype("float64")
    return pd.DataFrame(rows.assign(age2=rows["age"] ** 2))


def printed(value: float, text: str) -> bool:
    """Whether a number is written so, with as many decimals."""
    decimals = len(text.partition(".")[2])
    return f"{value:.{decimals}f}" == text


def test_castle_doctrine_taken_apart() -> None:
    parts = bacon_weights(castle(), "l_homicide", **ENTRY)
    figures = {
        "traités plus tard": ("0.077", "-0.029"),
        "déjà traités": ("0.024", "0.046"),
        "jamais traités": ("0.899", "0.078"),
    }
    for name, (weight, estimate) in figures.items():
        found = parts.by_comparison
        assert printed(found["weight"][name], weight)
        assert printed(found["estimate"][name], estimate)
    assert printed(parts.estimate, "0.069")
    assert printed(twfe(castle(), "l_homicide", "post", **STATES).estimate, "0.069")
    assert printed(feols("l_homicide ~ post | sid + year", castle()).table["estimate"][0], "0.069")


def test_castle_doctrine_raises_homicides_by_eight_per_cent() -> None:
    """The abstract of the paper: a statistically significant 8 percent net increase."""
    rows = castle()
    regions = [name for name in rows if str(name).startswith("r20")]
    others = [
        "l_police", "unemployrt", "poverty", "l_income", "l_prisoner", "l_lagprisoner",
        "blackm_15_24", "whitem_15_24", "blackm_25_44", "whitem_25_44", "l_exp_subsidy",
        "l_exp_pubwelfare",
    ]  # fmt: skip
    effect = twfe(
        rows,
        "l_homicide",
        "post",
        weight="popwt",
        covariates=[*map(str, regions), *others],
        **STATES,
    )
    assert printed(effect.estimate, "0.08")
    assert effect.p < 0.05
    assert effect.meta["n_clusters"] == 50


def test_castle_doctrine_by_imputation() -> None:
    """The example of package did2s, whose two stages give this estimate: 0.075142."""
    effects = did_imputation(castle(), "l_homicide", weight="popwt", **ENTRY)
    overall = effects.aggregate("simple").overall
    assert printed(overall.estimate, "0.075142")
    assert overall.low < 0.08 < overall.high
    groups = att_gt(castle(), "l_homicide", cluster="sid", **ENTRY)
    assert groups.table["group"].nunique() == 5
    study = event_study(castle(), "l_homicide", weight="popwt", **ENTRY)
    assert study.table["event_time"].tolist() == list(range(-10, 5))


def test_job_training_raises_earnings() -> None:
    """Table 3, row NSW: 1,794 (633) and, with the covariates of its note (a), 1,672 (638)."""
    rows = training()
    plain = feols("re78 ~ treat", rows, se="iid").table.set_index("term")
    assert printed(plain["estimate"]["treat"], "1794")
    assert printed(plain["se"]["treat"], "633")
    robust = feols("re78 ~ treat", rows, se="HC1").table.set_index("term")
    assert printed(robust["se"]["treat"], "670.8245")  # Stata's regress, vce(robust), on these data
    formula = "re78 ~ treat + age + age2 + educ + nodegree + black + hisp + re74 + re75"
    adjusted = feols(formula, rows, se="iid").table.set_index("term")
    assert printed(adjusted["estimate"]["treat"], "1672")
    assert printed(adjusted["se"]["treat"], "638")
    # Their table 1: 185 and 260 men, years of school and shares without a degree.
    table = balance_table(rows, "treat", ["educ", "nodegree"]).set_index("variable")
    figures = {"educ": ("10.35", "10.09"), "nodegree": ("0.71", "0.83")}
    for name, (treated, control) in figures.items():
        assert printed(table["mean_treated"][name], treated)
        assert printed(table["mean_control"][name], control)
    assert rows["treat"].value_counts().to_dict() == {0.0: 260, 1.0: 185}


def test_robust_error_of_two_means() -> None:
    """HC1 in closed form: the squared residuals of each arm over its size squared."""
    rows = training()
    robust = feols("re78 ~ treat", rows, se="HC1").table.set_index("term")
    arms = rows.groupby("treat")["re78"]
    parts = arms.var(ddof=0) / arms.size()
    expected = math.sqrt(parts.sum() * len(rows) / (len(rows) - 2))
    assert robust["se"]["treat"] == pytest.approx(expected, rel=1e-12)


def test_job_training_against_people_who_were_not_drawn() -> None:
    """Table 3, row CPS-1: -8,498 (712) as they are, 1,582 once matched on the score of note (g)."""
    others = causaldata.cps_mixtape.load_pandas().data.drop(columns="data_id").astype("float64")
    drawn = training().query("treat == 1")
    rows = pd.concat([drawn, others], ignore_index=True)
    plain = feols("re78 ~ treat", rows, se="iid").table.set_index("term")
    assert printed(plain["estimate"]["treat"], "-8498")
    assert printed(plain["se"]["treat"], "712")
    score = {
        "age2": rows["age"] ** 2, "age3": rows["age"] ** 3, "educ2": rows["educ"] ** 2,
        "none74": (rows["re74"] == 0) * 1.0, "none75": (rows["re75"] == 0) * 1.0,
        "educ_re74": rows["educ"] * rows["re74"],
    }  # fmt: skip
    terms = [*score, "age", "educ", "marr", "black", "hisp", "re74", "re75"]
    alike = nearest_match(rows.assign(**score), "treat", terms, replace=True, scale="score")
    weight, earnings = alike.weight, rows["re78"]
    chosen = rows["treat"] == 0
    found = earnings[~chosen].mean() - np.average(earnings[chosen], weights=weight[chosen])
    assert printed(float(found), "1582")
    assert len(alike.pairs) == 185


def test_job_training_as_a_cohort() -> None:
    rows = training().rename_axis("id").reset_index()
    long = pd.concat([rows.assign(year=year, earnings=rows[f"re{year}"]) for year in (75, 78)])
    people = Cohort(long, "id", "year", arm="treat")
    effect = people.did("earnings", 78)
    means = rows.groupby("treat")[["re75", "re78"]].mean()
    change = means["re78"] - means["re75"]
    assert effect.estimate == pytest.approx(change[1] - change[0], rel=1e-9)
    # Randomised: what came before changes the estimate little.
    assert abs(effect.estimate - 1794) < 300


def test_incentives_to_learn_a_result_in_villages() -> None:
    """The abstract: without any incentive, 34 percent of the participants learned their results."""
    rows = causaldata.thornton_hiv.load_pandas().data.astype("float64")
    fit = feols("got ~ any", rows, cluster="villnum")
    came = fit.table.set_index("term")["estimate"]
    assert printed(float(came["const"]), "0.34")
    assert came["any"] > came["const"]
    assert fit.meta["n_clusters"] == 119
    assert fit.meta["lost"]
