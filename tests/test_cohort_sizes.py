"""Tests that hold their level with a dozen clusters: laws by brute force, sizes by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barometre.cohort import Cohort, pretrend_test
from barometre.cohort.inference.hotelling import joint_means_df, means_df, side_traces
from barometre.cohort.inference.permutations import exchanged
from tests.sizes import Design, sizes

RECOMMENDED = [
    "did CR2", "bootstrap p", "randomisation", "att_gt CR2", "att_gt.pretrend, 2",
    "event_study.pretrend, 2", "att_gt.pretrend, 5", "event_study.pretrend, 5",
]  # fmt: skip


def whole_clusters(labels: list[int], *, lost: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """People of whole clusters that enter at one date each: never, wave 3 or wave 4 of 5."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(len(labels)), 3 + np.arange(len(labels)) % 3)
    rows = pd.DataFrame({"id": np.repeat(np.arange(len(cluster)), 5)})
    rows["t"] = np.tile(np.arange(1, 6), len(cluster))
    rows["c"] = cluster[rows["id"]]
    rows["g"] = np.array([0, 3, 4])[np.array(labels)[rows["c"]]]
    rows["w"] = rng.uniform(0.5, 2, len(cluster))[rows["id"]]
    rows["y"] = rng.normal(size=(len(labels), 5))[rows["c"], rows["t"] - 1]
    rows["y"] += rng.normal(size=len(rows))
    return rows[rng.uniform(size=len(rows)) >= lost].reset_index(drop=True)


@pytest.mark.parametrize("verb", ["att_gt", "event_study"])
@pytest.mark.parametrize(("labels", "lost"), [([0, 1, 0, 0, 1, 0], 0.15), ([0, 2, 1, 2, 0, 1], 0)])
@pytest.mark.parametrize("weight", [None, "w"])
def test_permutations_are_those_of_estimating_again(
    verb: str, labels: list[int], lost: float, weight: str | None
) -> None:
    rows = whole_clusters(labels, lost=lost)
    dates = np.array([0, 3, 4])

    def leads(entry: np.ndarray) -> tuple[np.ndarray, float]:
        cohort = Cohort(
            rows.assign(g=entry[rows["c"]]), "id", "t", first_treated="g", cluster="c",
            weight=weight,
        )  # fmt: skip
        made = cohort.att_gt("y") if verb == "att_gt" else cohort.event_study("y")
        table, test = made.table, made.pretrend()
        if verb == "att_gt":
            kept = table["wave"] < table["group"]
        else:
            kept = (table["event_time"] < 0) & (table["event_time"] != -1)
        assert "permutation" in test.meta["method"]
        return table["estimate"][kept].to_numpy(), test.p

    every, exact = exchanged(np.array(labels), draws=99, seed=0)
    observed, p = leads(dates[labels])
    again = np.stack([leads(dates[other])[0] for other in every])
    metric = np.linalg.inv(again.T @ again / len(again))
    found = np.einsum("mi,ij,mj->m", again, metric, again)
    assert exact
    assert p == pytest.approx((found >= observed @ metric @ observed - 1e-9).mean(), abs=1e-12)


def test_drawn_permutations_keep_the_observed_one_and_the_seed() -> None:
    labels = np.repeat([0, 1], 10)
    drawn, exact = exchanged(labels, draws=99, seed=1)
    assert not exact
    assert drawn.shape == (99, 20)
    assert drawn[0].tolist() == labels.tolist()
    assert (drawn.sum(axis=1) == 10).all()
    assert (drawn == exchanged(labels, draws=99, seed=1)[0]).all()


def test_no_p_under_alpha_says_that_nothing_can_be_seen() -> None:
    test = Cohort(
        whole_clusters([0, 1, 0, 1, 0, 1]), "id", "t", first_treated="g", cluster="c"
    ).att_gt("y").pretrend()  # fmt: skip
    assert test.meta["smallest_p"] == pytest.approx(0.1)  # 20 permutations, mirrored
    assert set(test.slopes.values()) == {np.inf}
    assert "ne peut pas descendre sous 0,1 : aucun écart" in test.summary()


def test_too_few_clusters_for_a_law_and_for_a_permutation() -> None:
    mixed = whole_clusters([0, 1, 0])
    mixed["g"] = mixed["id"].map(lambda i: [0, 5][i % 2])
    test = Cohort(mixed, "id", "t", first_treated="g", cluster="c").att_gt("y").pretrend()
    assert np.isnan(test.p)
    assert "trop peu de grappes" in test.meta["reason"]


def test_unequal_arms_are_those_of_satterthwaite() -> None:
    """Two means of 3 and 9 clusters, of equal variance: the degrees of freedom of Welch."""
    share = np.zeros((2, 12))
    share[0, :3], share[1, 3:] = 1 / 3, 1 / 9
    own, traces = side_traces(share)
    welch = (1 / 3 + 1 / 9) ** 2 / ((1 / 3) ** 2 / 2 + (1 / 9) ** 2 / 8)
    assert means_df(np.array([[1 / 3, 1 / 9]]), own, traces)[0] == pytest.approx(welch)
    # Covariances that are proportional have those of one variance, whatever their number.
    base = np.array([[2.0, 0.3], [0.3, 1.0]])
    assert joint_means_df(np.stack([base / 3, base / 9]), own, traces) == pytest.approx(welch)


def test_the_law_of_hotelling_is_exact_with_equal_arms() -> None:
    """4 000 draws of 5 + 5 clusters and 4 coefficients: within 4 standard errors of 5 %."""
    rng = np.random.default_rng(0)
    clusters = rng.normal(size=(4000, 2, 5, 4))
    b = np.diff(clusters.mean(axis=2), axis=1)[:, 0]
    off = clusters - clusters.mean(axis=2, keepdims=True)
    v = np.einsum("rsgi,rsgj->rij", off, off) / (5 * 4)
    share = np.zeros((2, 10))
    share[0, :5], share[1, 5:] = 0.2, 0.2
    eta = means_df(np.ones((1, 2)), *side_traces(share))[0]
    assert eta == pytest.approx(8)
    wald = np.einsum("ri,ri->r", b, np.linalg.solve(v, b[..., None])[..., 0])
    one = pretrend_test(b[0], v[0], [-4, -3, -2, -1], df_covariance=eta)
    assert one.statistic == pytest.approx(wald[0] * 5 / (8 * 4))
    size = (stats.f.sf(wald * 5 / (8 * 4), 4, 5) <= 0.05).mean()
    assert abs(size - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 4000)


@pytest.mark.parametrize("design", [Design(8, 2), Design(10, 5)])
def test_recommended_tests_hold_their_level(design: Design) -> None:
    """Some draws: no more rejections than 7 % may give, one time in a thousand."""
    draws = 30
    found = sizes(design, draws)[RECOMMENDED]
    assert (found.dropna() * draws <= stats.binom.ppf(0.999, draws, 0.07)).all()
