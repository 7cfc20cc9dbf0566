"""Cox's model: its likelihood written out, its residuals against statsmodels, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import norm, t
from statsmodels.duration.hazard_regression import PHReg

from barometre.base.errors import BarometreError, FaultsError
from barometre.cohort import Cohort, cox, logrank
from barometre.cohort.durations.cox_model import efron_residuals


def people(seed: int = 1, n: int = 90, *, ties: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm, age = rng.integers(0, 2, n), rng.normal(40, 10, n)
    end = rng.exponential(4 * np.exp(0.5 * arm - 0.02 * (age - 40)))
    time = np.ceil(end) if ties else end
    stop = np.where(rng.random(n) < 0.3, rng.uniform(1, 6, n), 50.0)
    stop = np.ceil(stop) if ties else stop
    frame = pd.DataFrame(
        {"arm": arm, "age": age, "t": np.minimum(time, stop), "d": (time <= stop) * 1}
    )
    frame["from"] = np.where(rng.random(n) < 0.3, frame["t"] * rng.uniform(0, 0.9, n), -1.0)
    return frame.assign(place=rng.integers(0, 9, n))


def likelihood(beta: Any, rows: pd.DataFrame) -> float:
    """Efron's partial likelihood, event by event."""
    linear = rows[["arm", "age"]].to_numpy() @ np.asarray(beta)
    total = 0.0
    for now in rows.loc[rows["d"].eq(1), "t"].unique():
        there = (rows["from"] < now) & (rows["t"] >= now)
        mine = (rows["t"] == now) & rows["d"].eq(1)
        for step in range(mine.sum()):
            mass = np.exp(linear[there]).sum() - step / mine.sum() * np.exp(linear[mine]).sum()
            total -= np.log(mass)
        total += linear[mine].sum()
    return float(total)


def test_the_estimate_maximises_the_likelihood_written_out() -> None:
    rows = people()
    model = cox(rows, "t", "d", by="arm", covariates=["age"], entry="from")
    best = minimize(lambda b: -likelihood(b, rows), [0.0, 0.0], method="Nelder-Mead",
                    options={"xatol": 1e-8, "fatol": 1e-10})  # fmt: skip
    np.testing.assert_allclose(model.table["coefficient"], best.x, atol=1e-5)
    assert model.n_events == rows["d"].sum()


def test_score_residuals_sum_to_the_gradient() -> None:
    """At any coefficients, and within one event time as in all."""
    rows, beta, h = people(2), np.array([0.3, -0.01]), 1e-5
    x = rows[["arm", "age"]].to_numpy(float)
    scores, left = efron_residuals(
        rows["t"].to_numpy(), rows["from"].to_numpy(), rows["d"].eq(1).to_numpy(), x, beta
    )
    slope = [
        (likelihood(beta + h * e, rows) - likelihood(beta - h * e, rows)) / (2 * h)
        for e in np.eye(2)
    ]
    np.testing.assert_allclose(scores.sum(axis=0), slope, rtol=1e-5)
    np.testing.assert_allclose(left.sum(axis=0), slope, rtol=1e-5)


def test_without_ties_errors_are_those_of_statsmodels() -> None:
    rows = people(3, ties=False)
    rows.loc[rows["t"].idxmin(), "d"] = 1  # everyone is at risk at an event: theirs is NaN else
    model = cox(rows, "t", "d", by="arm", covariates=["age"], cluster="place")
    x = rows[["arm", "age"]].to_numpy(float)
    theirs = PHReg(rows["t"], x, status=rows["d"], ties="breslow").fit(groups=rows["place"])
    np.testing.assert_allclose(model.table["coefficient"], theirs.params, rtol=1e-5)
    np.testing.assert_allclose(model.table["se"], theirs.bse * np.sqrt(9 / 8), rtol=1e-5)
    _, left = efron_residuals(
        rows["t"].to_numpy(), np.full(90, -np.inf), rows["d"].eq(1).to_numpy(), x, theirs.params
    )
    np.testing.assert_allclose(left, theirs.schoenfeld_residuals[rows["d"].eq(1)], atol=1e-8)
    reach = t(8).isf(0.025) * model.table["se"]
    np.testing.assert_allclose(np.log(model.table["high"]), model.table["coefficient"] + reach)
    assert model.n_clusters == 9


def test_alone_each_person_is_a_cluster() -> None:
    rows = people(4).assign(own=lambda f: f.index)
    alone, each = cox(rows, "t", "d", by="arm"), cox(rows, "t", "d", by="arm", cluster="own")
    assert each.table["se"][0] == pytest.approx(alone.table["se"][0] * np.sqrt(90 / 89))
    assert alone.table["p"][0] == pytest.approx(2 * norm.sf(abs(alone.table["statistic"][0])))


def test_the_score_of_no_effect_is_that_of_the_log_rank() -> None:
    """At 0 the score is observed less expected; ties apart, it is the log-rank's."""
    rows = people(5, ties=False)
    x = rows[["arm"]].to_numpy(float)
    nobody = np.full(len(rows), -1.0)
    scores, _ = efron_residuals(
        rows["t"].to_numpy(), nobody, rows["d"].eq(1).to_numpy(), x, np.zeros(1)
    )
    tested = logrank(rows["t"], rows["d"], rows["arm"]).table.set_index("group").loc[1]
    assert scores.sum() == pytest.approx(tested["observed"] - tested["expected"])


def test_hazards_that_cross_are_told_and_others_are_not() -> None:
    rng = np.random.default_rng(6)
    arm = np.repeat([0, 1], 300)
    crossed = np.where(arm == 1, rng.weibull(3, 600), rng.weibull(0.7, 600))
    rows = pd.DataFrame({"arm": arm, "t": crossed, "d": 1})
    told = cox(rows, "t", "d", by="arm")
    assert told.proportionality["p"][0] < 1e-6
    assert told.proportionality["correlation"][0] > 0  # the ratio grows with time
    assert "Risques peu proportionnels pour arm" in told.summary()
    p = [
        cox(people(s, 200, ties=False), "t", "d", by="arm").proportionality["p"][0]
        for s in range(40)
    ]
    assert np.mean(np.array(p) < 0.1) < 0.25
    assert 0.3 < np.mean(p) < 0.7


def test_only_the_order_of_times_counts() -> None:
    """Times from 0 on, or cubed: the same ratios, and events at 0 count."""
    rows = people(10)
    model = cox(rows, "t", "d", by="arm", covariates=["age"])
    for moved in (rows["t"] - rows["t"].min(), rows["t"] ** 3):
        again = cox(rows.assign(t=moved), "t", "d", by="arm", covariates=["age"])
        assert again.n_events == model.n_events
        np.testing.assert_allclose(
            again.table.drop(columns="term"), model.table.drop(columns="term"), rtol=1e-9
        )


def test_a_text_group_has_its_first_value_as_reference() -> None:
    rows = people(7).assign(bras=lambda f: f["arm"].map({0: "témoin", 1: "aidé"}))
    plain, text = cox(rows, "t", "d", by="arm"), cox(rows, "t", "d", by="bras")
    assert text.table["term"].tolist() == ["bras=témoin"]
    assert text.table["coefficient"][0] == pytest.approx(-plain.table["coefficient"][0], abs=1e-6)
    assert "<table" in text._repr_html_()


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {}, "ni by= ni covariates="),
        ({"d": 0}, {"by": "arm"}, "aucun événement"),
        ({"arm": 1}, {"by": "arm"}, "ne varie pas"),
        ({"place": 1}, {"by": "arm", "cluster": "place"}, "une seule grappe"),
        ({}, {"by": "arm", "covariates": ["same"]}, "dépend des autres"),
        ({"age": np.nan}, {"covariates": ["age"]}, "valeurs manquantes"),
        ({}, {"by": "perfect"}, "rapport de risques infini"),
    ],
)
def test_what_is_refused(change: dict[str, Any], options: dict[str, Any], words: str) -> None:
    rows = people(8).assign(same=lambda f: 2 * f["arm"] + 1, perfect=lambda f: f["d"])
    with pytest.raises((BarometreError, FaultsError), match=words):
        cox(rows.assign(**change), "t", "d", **options)


def test_a_cohort_gives_its_durations_and_its_arms() -> None:
    rng = np.random.default_rng(9)
    rows = pd.DataFrame(
        [(i, y) for i in range(80) for y in range(2020, 2025)], columns=["id", "year"]
    )
    rows["bras"] = np.where(rows["id"] % 2, "zaidé", "témoin")
    rows["age"] = rows["id"] % 7
    when = rng.integers(1, 7, 80) + 2020
    rows["job"] = (rows["year"] >= when[rows["id"]]).astype(int)
    rows["qp"] = rows["id"] % 8
    cohort = Cohort(rows, "id", "year", arm="bras", treated="témoin", cluster="qp")
    model = cohort.cox("job", "bras", covariates=["age"])
    times = cohort.time_to_event("job", at_entry="exclude")
    frame = pd.DataFrame(times).assign(
        treated=times["bras"].eq("témoin") * 1, age=times["person"] % 7, t=times["duration"]
    )
    alone = cox(frame, "t", "event", by="treated", covariates=["age"], cluster="qp")
    np.testing.assert_allclose(
        model.table.drop(columns="term"), alone.table.drop(columns="term"), rtol=1e-9
    )
    assert model.table["term"].tolist() == ["bras", "age"]
    assert (model.meta["cluster"], model.n_clusters) == ("qp", 8)
