"""Discrete-time hazard: closed forms of one period, its likelihood written out, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cohort import discrete_hazard
from tests.test_cohort_cox import people

# Of 40 control people 10 have the event in the only period, of 30 treated 18.
ONE = pd.DataFrame(
    {"arm": [0] * 40 + [1] * 30, "d": [1] * 10 + [0] * 30 + [1] * 18 + [0] * 12, "t": 1}
)


def test_one_period_by_hand() -> None:
    """Odds ratio and its robust error (HC0 of a saturated logit: 1/a + 1/b + 1/c + 1/d)."""
    logit = discrete_hazard(ONE, "t", "d", by="arm", link="logit").table.loc[0]
    assert logit["ratio"] == pytest.approx((18 / 12) / (10 / 30))
    assert logit["se"] == pytest.approx(np.sqrt(1 / 18 + 1 / 12 + 1 / 10 + 1 / 30))
    hazard = discrete_hazard(ONE, "t", "d", by="arm").table.loc[0]
    assert hazard["ratio"] == pytest.approx(np.log(1 - 0.6) / np.log(1 - 0.25))
    # Delta method of log(-log(1 - p)) in each arm.
    parts = [p / (n * (1 - p) * np.log(1 - p) ** 2) for p, n in ((0.6, 30), (0.25, 40))]
    assert hazard["se"] == pytest.approx(np.sqrt(sum(parts)), rel=1e-6)


@pytest.mark.parametrize("link", ["cloglog", "logit"])
def test_the_estimate_maximises_the_likelihood_written_out(link: Any) -> None:
    rows = people(21, 60).assign(t=lambda f: np.minimum(f["t"], 4))
    rows["d"] = rows["d"].where(rows["t"] < 4, 0)  # everyone left is censored at 4
    rows["from"] = np.floor(rows["from"])  # who enters at a date is not at risk then

    def loss(theta: Any) -> float:
        total = 0.0
        for row in rows.to_dict("records"):
            for k in range(1, int(row["t"]) + 1):
                if k > 3 or row["from"] >= k:
                    continue
                eta = theta[0] * row["arm"] + theta[k]
                h = 1 - np.exp(-np.exp(eta)) if link == "cloglog" else 1 / (1 + np.exp(-eta))
                total -= np.log(h if row["d"] and row["t"] == k else 1 - h)
        return total

    best = minimize(loss, [0.0, -1.0, -1.0, -1.0], method="BFGS")
    model = discrete_hazard(rows, "t", "d", by="arm", entry="from", link=link)
    assert model.table["coefficient"][0] == pytest.approx(best.x[0], abs=1e-4)
    assert model.n_periods == 3


def test_people_written_twice_in_one_cluster_add_nothing() -> None:
    rows = people(22, 120).assign(t=lambda f: np.minimum(f["t"], 6), own=range(120))
    once = discrete_hazard(rows, "t", "d", by="arm", covariates=["age"], cluster="own")
    twice = discrete_hazard(
        pd.concat([rows, rows]), "t", "d", by="arm", covariates=["age"], cluster="own"
    )
    np.testing.assert_allclose(
        once.table.drop(columns="term"), twice.table.drop(columns="term"), rtol=1e-6
    )
    assert twice.n_clusters == 120
    assert "rapport de risques" in once.summary()


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"d": 0}, {"by": "arm"}, "aucun événement"),
        ({"d": 1}, {"by": "arm"}, "tous ont l'événement"),
        ({"t": np.arange(1.0, 71), "d": [0, *[1] * 69]}, {}, "ni by= ni covariates="),
        ({"d": ONE["arm"]}, {"by": "arm"}, "rapport infini"),
    ],
)
def test_what_is_refused(change: dict[str, Any], options: dict[str, Any], words: str) -> None:
    with pytest.raises(BarometreError, match=words):
        discrete_hazard(ONE.assign(**change), "t", "d", **options)


def test_an_unknown_link_is_named() -> None:
    with pytest.raises(UnknownNameError, match="probit"):
        discrete_hazard(ONE, "t", "d", by="arm", link="probit")  # type: ignore[arg-type]
