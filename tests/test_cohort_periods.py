"""Discrete-time hazard: closed forms of one period, its likelihood written out, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cohort import Cohort, FewClustersWarning, cox, discrete_hazard
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


def staged(clusters: int = 12, treated: int = 6) -> pd.DataFrame:
    """People seen at waves until they find a job, neighbourhoods whole in an arm."""
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"id": np.arange(40 * clusters)})
    people["qp"] = people["id"] % clusters
    people["arm"] = np.where(people["qp"] < treated, "oui", "non")
    people["age"] = rng.normal(40, 10, len(people)).round()
    chance = 0.2 + 0.15 * (people["arm"] == "oui")
    people["found"] = rng.geometric(chance)
    rows = people.merge(pd.DataFrame({"year": np.arange(2020, 2026)}), how="cross")
    rows["job"] = (rows["year"] - 2020 >= rows["found"]).astype(int)
    return rows


@pytest.mark.parametrize("link", ["cloglog", "logit"])
def test_a_cohort_gives_its_waves_and_its_arms(link: Any) -> None:
    rows = staged()
    cohort = Cohort(rows, "id", "year", arm="arm", treated="oui", cluster="qp")
    model = cohort.discrete_hazard("job", "arm", covariates=["age"], link=link)
    people = rows.drop_duplicates("id")
    frame = people.assign(
        t=people["found"].clip(upper=5), d=(people["found"] <= 5).astype(int),
        treated=(people["arm"] == "oui").astype(int),
    )  # fmt: skip
    plain = discrete_hazard(
        frame, "t", "d", by="treated", covariates=["age"], cluster="qp", link=link
    )
    numbers = ["coefficient", "se", "ratio", "low", "high", "p"]
    np.testing.assert_allclose(model.table[numbers], plain.table[numbers], rtol=1e-9)
    assert model.n_clusters == 12
    assert model.meta["n_in"] == len(people)
    assert model.table["coefficient"].iloc[0] > 0
    by_hand = cohort.cox("job", "arm", covariates=["age"])
    assert by_hand.n_events == model.n_events


def test_few_clusters_are_said_and_one_warns() -> None:
    people = staged().query("year == 2025")
    few: Any = {"by": "arm", "cluster": "qp"}
    for verb in (discrete_hazard, cox):
        model = verb(people.assign(found=people["found"].clip(upper=6)), "found", "job", **few)
        assert "12 grappes : ces erreurs sont trop petites" in model.summary()
        alone = people.assign(
            arm=(people["qp"] == 0).astype(int), found=people["found"].clip(upper=6)
        )
        with pytest.warns(FewClustersWarning, match="une seule grappe"):
            single = verb(alone, "found", "job", **few)
        assert "une valeur tient dans une seule grappe" in single.summary()
        # A trait that varies within clusters, or clusters that are many, say nothing of the kind.
        spread = verb(alone, "found", "job", covariates=["age"], cluster="id")
        assert "caution" not in spread.meta
        assert "caution" not in verb(alone, "found", "job", by="arm").meta
