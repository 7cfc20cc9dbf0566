"""Tests that hold their level with a dozen clusters: laws by brute force, sizes by simulation."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barometre.base.arrays import Floats, Integers
from barometre.cohort import Cohort, honest_bounds, pretrend_test
from barometre.cohort.inference.hotelling import joint_means_df, means_df, side_traces
from barometre.cohort.inference.permutations import exchanged, uneven
from tests.sizes import (
    DESIGNS,
    DRAWN,
    DRAWS,
    ENTRY,
    TABLE,
    Design,
    Sides,
    bounds_of,
    clustered_variance,
    sizes,
    trends,
    written,
)

SLOW = os.environ.get("BAROMETRE_SLOW") == "1"

RECOMMENDED = [
    "did CR2", "bootstrap p", "randomisation", "att_gt CR2", "pretrend, 2", "pretrend, 5",
    "bounds, 2", "bounds, 5",
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
@pytest.mark.parametrize(("labels", "lost"), [([0, 1, 0, 0, 1, 0], 0.15), ([0, 2, 1, 0, 1], 0)])
@pytest.mark.parametrize("weight", [None, "w"])
def test_permutations_are_those_of_estimating_again(
    verb: str, labels: list[int], lost: float, weight: str | None
) -> None:
    rows = whole_clusters(labels, lost=lost)
    dates = np.array([0, 3, 4])

    def leads(entry: Integers) -> tuple[Floats, float, Floats]:
        """Coefficients before treatment, p, and unit errors."""
        frame = rows.assign(g=entry[rows["c"]])
        cohort = Cohort(frame, "id", "t", first_treated="g", cluster="c", weight=weight)
        made = cohort.att_gt("y") if verb == "att_gt" else cohort.event_study("y")
        table, test = made.table, made.pretrend()
        mass = frame["w"] if weight else pd.Series(1.0, frame.index)
        if verb == "att_gt":
            table = table[table["wave"] < table["group"]]
            errors = unit_errors_of_cells(frame, mass, table)
        else:
            table = table[(table["event_time"] < 0) & (table["event_time"] != -1)]
            errors = unit_errors_of_times(frame, mass, table["event_time"])
        assert "permutation" in test.meta["method"]
        return table["estimate"].to_numpy(), test.p, errors

    every, exact = exchanged(np.array(labels), draws=99, seed=0)
    found = [leads(dates[other]) for other in every]
    ratio = np.stack([coef / errors for coef, _, errors in found])
    sizes = np.einsum("mi,ij,mj->m", ratio, np.linalg.inv(ratio.T @ ratio / len(ratio)), ratio)
    at = int(np.flatnonzero((every == labels).all(axis=1))[0])
    assert exact
    assert found[at][1] == pytest.approx((sizes >= sizes[at] - 1e-9).mean(), abs=1e-12)


def unit_errors_of_cells(
    frame: pd.DataFrame, mass: pd.Series[float], table: pd.DataFrame
) -> Floats:
    """Root of the inverse weights of the two sides, people seen at a wave and the one before."""
    found = []
    for group, wave in table[["group", "wave"]].to_numpy():
        twice = set(frame["id"][frame["t"] == wave]) & set(frame["id"][frame["t"] == wave - 1])
        people = frame.assign(w=mass)[frame["id"].isin(twice)].drop_duplicates("id")
        sides = [people["w"][people["g"] == side].sum() for side in (group, 0)]
        found.append(np.sqrt(1 / sides[0] + 1 / sides[1]))
    return np.array(found)


def unit_errors_of_times(
    frame: pd.DataFrame, mass: pd.Series[float], times: pd.Series[int]
) -> Floats:
    """Root of the diagonal of (X'WX)^-1, a dummy for each person, wave and event time."""
    since = (frame["t"] - frame["g"]).where(frame["g"] > 0, -1)
    dummies = [pd.get_dummies(frame["id"]), pd.get_dummies(frame["t"]).iloc[:, 1:]]
    x = np.column_stack([*dummies, *(since == e for e in np.unique(since) if e != -1)]).astype(
        float
    )
    inverse = np.linalg.pinv(x.T @ (x * mass.to_numpy()[:, None]))
    first = x.shape[1] - (len(np.unique(since)) - 1)
    names = [e for e in np.unique(since) if e != -1]
    return np.sqrt([inverse[first + names.index(e), first + names.index(e)] for e in times])


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


@pytest.mark.parametrize("design", [Design(8, 2), Design(10, 5), Design(6, 3)])
def test_the_formulas_of_the_simulation_are_those_of_the_library(design: Design) -> None:
    outcome = design.outcomes(3, seed=5)
    for draw in range(3):
        one = outcome[..., [draw]]
        for leads, entry in ENTRY.items():
            cohort = design.cohort(outcome[..., draw], leads)
            ours = trends(design, Sides(design, np.diff(one[:, : entry - 1], axis=1)))
            test = cohort.att_gt("y").pretrend(draws=DRAWN)
            assert test.p == pytest.approx(ours[0], rel=1e-8, nan_ok=True)
            if uneven(design.labels.astype(int)):  # else its degrees of freedom suppose equal rows
                again = cohort.event_study("y").pretrend(draws=DRAWN).p
                assert again == pytest.approx(ours[0], rel=1e-8, nan_ok=True)
            bounds = honest_bounds(cohort.att_gt("y"), magnitudes=[2]).table
            low, high = bounds_of(design, one, entry, 2)
            assert bounds["low"].iloc[1] == pytest.approx(low[0], rel=1e-9)
            assert bounds["high"].iloc[1] == pytest.approx(high[0], rel=1e-9)
        cohort = design.cohort(outcome[..., draw], 2)
        base = one[:, ENTRY[2] - 2]
        sides = Sides(design, (one[:, ENTRY[2] - 1 :].mean(axis=1) - base)[:, None])
        for se in ("CR0", "CR1", "CR2"):
            overall = cohort.att_gt("y", se=se).aggregate("simple").overall
            assert overall.se == pytest.approx(np.sqrt(sides.vcov(se)[0, 0, 0]), rel=1e-9)
            if se == "CR2":
                df = means_df(sides.spread[:, :, 0, 0], *side_traces(sides.shares))
                assert overall.df == pytest.approx(df[0], rel=1e-9)
        regression = cohort.did_design("y", ENTRY[2])
        terms = regression.frame[regression.terms].to_numpy()
        y = one.reshape(-1, 1)
        residual = y - terms @ np.linalg.lstsq(terms, y, rcond=None)[0]
        for kind in ("CR1", "CR2"):
            variance = clustered_variance(terms, residual, regression.frame["grappe"], kind)
            effect = cohort.did("y", ENTRY[2], se=kind)
            place = regression.terms.index("effet")
            assert effect.se == pytest.approx(np.sqrt(variance[place, 0]), rel=1e-8)


@pytest.mark.parametrize("design", [Design(8, 2), Design(10, 5), Design(12, 3)])
def test_recommended_tests_hold_their_level(design: Design) -> None:
    """200 draws: no more rejections than 7 % may give, one time in a thousand."""
    found = sizes(design, 200, seed=1)
    most = stats.binom.ppf(0.999, 200, 0.07) / 2
    assert {name: found[name] for name in RECOMMENDED if found[name] > most} == {}
    assert found["chi-squared, 5"] > 30  # what a chi-squared law would do


@pytest.mark.skipif(not SLOW, reason="quelques minutes : make slow")
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_table_of_the_docs(design: Design) -> None:
    """The table is what the draws give; 0.2 point is four draws, for other rounding elsewhere."""
    table = pd.read_csv(TABLE)
    row = table[(table["clusters"] == design.clusters) & (table["treated"] == design.treated)]
    np.testing.assert_allclose(row, written([design], DRAWS), atol=0.2)


def test_table_of_the_docs_holds_7_percent(checkout: Path) -> None:
    table = pd.read_csv(checkout / "docs" / TABLE.name)
    assert list(zip(table["clusters"], table["treated"], strict=True)) == [
        (d.clusters, d.treated) for d in DESIGNS
    ]
    assert (table[RECOMMENDED].fillna(0) <= 7.0).all(axis=None)
