"""Robust standard errors: other programs, closed forms, brute force, properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from barometre.base.errors import BarometreError
from barometre.cohort import Cohort
from barometre.cohort.inference.sandwich import STANDARD_ERRORS, StandardError
from tests.columns import cluster_robust
from tests.conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "cohort"
golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="reference datasets are not ours to give")


def mpdta() -> pd.DataFrame:
    frame = pd.read_csv(GOLDEN / "data" / "mpdta.csv")
    frame["post"] = (frame["first.treat"] > 0) & (frame["year"] >= frame["first.treat"])
    frame["state"] = frame["countyreal"] // 1000
    return frame


def twfe(se: StandardError) -> Any:
    cohort = Cohort(mpdta(), person="countyreal", wave="year", cluster="state")
    return cohort.twfe("lemp", treated="post", se=se)


@golden
@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR1S", "CR2"])
def test_club_sandwich_on_mpdta(kind: StandardError) -> None:
    """1e-9: the precision asked of closed forms. Our CR1 is what clubSandwich calls CR1S without
    the fixed effects; its own CR1, G/(G-1) alone, is among the neighbours we give."""
    table = pd.read_csv(GOLDEN / "results" / "cluster_robust__R-clubSandwich-0.5.8.csv")
    row = table[(table["dataset"] == "mpdta") & (table["type"] == kind)].iloc[0]
    ours = twfe(kind)
    se = ours.meta["other_se"]["CR1 de clubSandwich"] if kind == "CR1" else ours.se
    assert ours.estimate == pytest.approx(row["estimate"], rel=1e-9)
    assert se == pytest.approx(row["se"], rel=1e-9)
    if kind == "CR2":
        assert ours.df == pytest.approx(row["df_satt"], rel=1e-9)
        assert ours.p == pytest.approx(row["p_satt"], rel=1e-9)
    else:
        assert ours.df == 28  # "p_naive_t" of the reference: Student with clusters - 1
        if kind != "CR1":
            assert ours.p == pytest.approx(row["p_naive_t"], rel=1e-9)


@golden
def test_four_errors_in_circulation() -> None:
    """Printed with 6 decimals in the reference's README, hence 5e-7."""
    assert twfe("CR1").se == pytest.approx(0.022663, abs=5e-7)  # fixest
    assert twfe("CR1S").se == pytest.approx(0.025340, abs=5e-7)  # statsmodels with dummies
    assert twfe("CR2").se == pytest.approx(0.023350, abs=5e-7)
    # linearmodels: n/(n-k), all fixed effects counted, and nothing for the number of clusters.
    assert twfe("CR0").se * np.sqrt(2500 / (2500 - 505)) == pytest.approx(0.024904, abs=5e-7)
    assert "fixest" in twfe("CR1").meta["convention"]


@golden
def test_satterthwaite_of_cr0_and_with_explicit_dummies() -> None:
    """The same regression as R's, with its 504 dummies instead of people removed."""
    frame = mpdta()
    frame = frame[frame["countyreal"].isin(frame["countyreal"].unique()[::10])]  # a tenth: quicker
    dummies = pd.get_dummies(frame[["countyreal", "year"]].astype(str), drop_first=True)
    design = dummies.assign(post=frame["post"])
    cohort = Cohort(frame, person="countyreal", wave="year", cluster="state")
    for se in STANDARD_ERRORS:
        if se == "CR1":  # counts the people or not
            continue
        full = cluster_robust(frame["lemp"], design, frame["state"], se=se).table.iloc[-1]
        ours = cohort.twfe("lemp", "post", se=se)
        assert ours.estimate == pytest.approx(full["estimate"], rel=1e-9)
        assert ours.se == pytest.approx(full["se"], rel=1e-8)  # nearly singular clusters
        assert ours.df == pytest.approx(full["df"], rel=1e-6)


def sample(seed: int = 0, g: int = 7) -> tuple[Any, pd.DataFrame, Any, Any]:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, g, 60)
    x = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=g)[cluster] * 1e4 + 1e5})
    y = x["a"] * 0.5 + rng.normal(size=g)[cluster] + rng.normal(size=60)
    return y, x, cluster, rng.uniform(0.5, 3, 60)


@pytest.mark.parametrize("weighted", [False, True])
def test_statsmodels(weighted: bool) -> None:
    y, x, cluster, w = sample()
    weight = w if weighted else np.ones(60)
    model = sm.WLS(y, sm.add_constant(x), weights=weight)
    for se, options in (
        ("CR1", {"cov_type": "cluster", "cov_kwds": {"groups": cluster}}),
        ("HC1", {"cov_type": "HC1"}),
    ):
        other = model.fit(**options)
        ours = cluster_robust(y, x, cluster, se=se, weight=w if weighted else None)
        # 1e-7: statsmodels solves with columns of 1e5 as they are
        np.testing.assert_allclose(ours.table["estimate"], other.params, rtol=1e-7)
        np.testing.assert_allclose(ours.table["se"], other.bse, rtol=1e-7)
        np.testing.assert_allclose(ours.vcov, other.cov_params(), rtol=1e-6)


def brute_force(y: Any, x: Any, cluster: Any, weight: Any, power: float) -> tuple[Any, Any]:
    """Bell and McCaffrey (2002) with the n x n matrices of the article."""
    root = np.sqrt(weight)
    x, y = x * root[:, None], y * root
    bread = np.linalg.inv(x.T @ x)
    maker = np.eye(len(y)) - x @ bread @ x.T
    residual = maker @ y
    groups = [np.flatnonzero(cluster == g) for g in np.unique(cluster)]
    meat, columns = np.zeros_like(bread), []
    for rows in groups:
        values, vectors = np.linalg.eigh(maker[np.ix_(rows, rows)])
        powers = np.where(values > 1e-9, np.where(values > 1e-9, values, 1) ** power, 0)
        adjust = vectors @ np.diag(powers) @ vectors.T
        score = x[rows].T @ adjust @ residual[rows]
        meat = meat + np.outer(score, score)
        columns.append(maker[:, rows] @ adjust @ x[rows] @ bread)
    df = []
    for j in range(x.shape[1]):
        p = np.stack([column[:, j] for column in columns], axis=1)
        inner = p.T @ p
        df.append(np.trace(inner) ** 2 / np.square(inner).sum())
    return bread @ meat @ bread, np.array(df)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("se", "power"), [("CR2", -0.5), ("CR3", -1.0)])
@pytest.mark.parametrize("own_cluster", [False, True])
def test_brute_force(weighted: bool, se: StandardError, power: float, own_cluster: bool) -> None:
    y, x, cluster, w = sample(3)
    x["b"] /= 1e5
    if own_cluster:  # a cluster alone determines a coefficient: pseudo-inverse
        x["own"] = cluster == 2
    weight = w if weighted else np.ones(60)
    vcov, df = brute_force(y.to_numpy(), sm.add_constant(x).to_numpy(float), cluster, weight, power)
    ours = cluster_robust(y, x, cluster, se=se, weight=w if weighted else None)
    np.testing.assert_allclose(ours.vcov, vcov, rtol=1e-8, atol=1e-12)  # inverse of x'x there
    np.testing.assert_allclose(ours.table["df"], df, rtol=1e-8)


def test_cr3_is_the_jackknife() -> None:
    """Deviations from the full estimate when each cluster is left out (Bell, McCaffrey, 2002)."""
    y, x, cluster, _ = sample(5)
    matrix = sm.add_constant(x / [1, 1e5]).to_numpy()
    full = np.linalg.lstsq(matrix, y, rcond=None)[0]
    out = [
        np.linalg.lstsq(matrix[cluster != g], y[cluster != g], rcond=None)[0] - full
        for g in range(7)
    ]
    ours = cluster_robust(y, x / [1, 1e5], cluster, se="CR3")
    np.testing.assert_allclose(ours.vcov, np.stack(out).T @ np.stack(out), rtol=1e-8)


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10))
@settings(max_examples=30)
def test_cr2_of_two_groups_is_welch(n0: int, n1: int, seed: int) -> None:
    """Each row its cluster: s1^2/n1 + s0^2/n0, with the df of Bell and McCaffrey in closed form
    (Imbens, Kolesar, 2016)."""
    y = np.random.default_rng(seed).normal(size=n0 + n1)
    arm = np.repeat([0, 1], [n0, n1])
    row = cluster_robust(y, arm, np.arange(n0 + n1), se="CR2").table.iloc[-1]
    welch = stats.ttest_ind(y[arm == 1], y[arm == 0], equal_var=False)
    assert row["statistic"] == pytest.approx(welch.statistic, rel=1e-9)
    df = (1 / n0 + 1 / n1) ** 2 / (1 / (n0**2 * (n0 - 1)) + 1 / (n1**2 * (n1 - 1)))
    assert row["df"] == pytest.approx(df, rel=1e-9)


@given(st.sampled_from(STANDARD_ERRORS), st.integers(0, 5), st.floats(1e-3, 1e3))
@settings(max_examples=40)
def test_order_labels_units_and_scale_of_weights_do_not_matter(
    se: StandardError, seed: int, unit: float
) -> None:
    y, x, cluster, w = sample(seed)
    ours = cluster_robust(y, x, cluster, se=se, weight=w).table
    order = np.random.default_rng(seed).permutation(60)
    labels = np.array(list("zyxwvut"))[cluster]
    other = cluster_robust(
        (unit * y + 5).to_numpy()[order],
        x.iloc[order],
        labels[order],
        se=se,
        weight=unit * w[order],
    ).table
    # 1e-7: the column of 1e5 and the constant are nearly collinear
    np.testing.assert_allclose(other["se"], unit * ours["se"], rtol=1e-7)
    np.testing.assert_allclose(other["df"], ours["df"], rtol=1e-7)
    np.testing.assert_allclose(other["statistic"][1:], ours["statistic"][1:], rtol=1e-6)


def test_blocks_of_rows_and_inputs_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    y, x, cluster, w = sample()
    matrix = x.to_numpy()
    given = matrix.copy(), w.copy()
    whole = cluster_robust(y, matrix, cluster, se="CR2", weight=w, intercept=False)
    monkeypatch.setattr("barometre.cohort.inference.sandwich._BLOCK", 7)
    blocks = cluster_robust(y, matrix, cluster, se="CR2", weight=w, intercept=False)
    np.testing.assert_allclose(blocks.vcov, whole.vcov, rtol=1e-10)
    np.testing.assert_array_equal(matrix, given[0])
    np.testing.assert_array_equal(w, given[1])


def test_a_constant_is_added_once() -> None:
    y, x, cluster, _ = sample()
    assert cluster_robust(y, x, cluster).table["term"].tolist() == ["const", "a", "b"]
    dummies = pd.get_dummies(pd.Series(cluster), prefix="g")
    assert "const" not in set(cluster_robust(y, dummies, cluster).table["term"])
    assert cluster_robust(y, x, cluster, intercept=False).table["term"].tolist() == ["a", "b"]


def test_what_pandas_users_pass() -> None:
    y, x, cluster, _ = sample()
    ours = cluster_robust(y, x["a"], cluster).table["se"]
    for other in (
        cluster_robust(list(y), x[["a"]].to_numpy(), list(cluster)),
        cluster_robust(
            y.astype("Float64"), x["a"].astype("Float64"), pd.Series(cluster, dtype="Int64")
        ),
        cluster_robust(y, x["a"], pd.Categorical(cluster)),
    ):
        np.testing.assert_array_equal(other.table["se"], ours)


def test_an_error_that_cannot_be_estimated_is_missing() -> None:
    fit = cluster_robust(
        [1, 2, 4, 8, 3, 5], pd.get_dummies(pd.Series(list("aabbcc"))), list("aabbcc")
    )
    np.testing.assert_allclose(fit.table["estimate"], [1.5, 6, 4])
    assert fit.table[["se", "p", "low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"se": "CR4"}, "type d.erreur « CR4 » inconnu"),
        ({"cluster": None}, "demande des grappes"),
        ({"cluster": np.ones(60)}, "une seule grappe"),
        ({"weight": np.zeros(60)}, "poids"),
        ({"weight": np.full(60, np.nan)}, "manquantes"),
        ({"design": pd.DataFrame({"a": [np.nan, *range(59)]})}, "a : 1 valeur manquante"),
        (
            {"design": pd.DataFrame({"a": range(60), "b": range(0, 120, 2)})},
            "« b » est une combinaison",
        ),
        ({"design": pd.DataFrame({"a": ["x"] * 60})}, "convertir en nombres"),
        ({"design": np.zeros((60, 0))}, "aucune colonne"),
        ({"design": np.random.default_rng(0).normal(size=(60, 60))}, "paramètres"),
        ({"design": pd.DataFrame(np.zeros((60, 2)), columns=["a", "a"])}, "deux fois"),
    ],
)
def test_refusals(change: dict[str, Any], said: str) -> None:
    y, x, cluster, _ = sample()
    arguments = {"outcome": y, "design": x, "cluster": cluster, **change}
    if isinstance(change.get("design"), pd.DataFrame):
        arguments["outcome"] = y.to_numpy()
    with pytest.raises(BarometreError, match=said):
        cluster_robust(**arguments)


def test_nothing_is_refused() -> None:
    with pytest.raises(BarometreError, match="aucune ligne"):
        cluster_robust([], np.zeros((0, 1)), [])


@pytest.mark.parametrize("se", STANDARD_ERRORS)
def test_a_perfect_fit_has_no_error_but_rounding(se: StandardError) -> None:
    x = np.random.default_rng(0).normal(size=50)
    for y in (np.full(50, 3.3), 3.3 * x + 1, 1e9 * x + 0.1):
        table = cluster_robust(y, x, np.arange(50) % 7, se=se).table
        assert table["p"].isna().all()
        assert (table["se"].isna() | (table["se"] == 0)).all()
        assert table[["low", "high", "statistic"]].isna().all(axis=None)


@pytest.mark.parametrize("se", STANDARD_ERRORS)
@pytest.mark.parametrize("gaps", [False, True])
def test_people_and_waves_that_explain_everything(se: StandardError, gaps: bool) -> None:
    """What is left is the rounding of the fixed effects: no p-value can be made of it."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"id": np.repeat(np.arange(60), 4), "t": np.tile(range(4), 60)})
    rows["qp"] = rows["id"] % 7
    rows["start"] = np.where(rows["qp"] < 3, 2.0, np.nan)
    rows["on"] = rows["t"] >= rows["start"]
    rows["y"] = rng.normal(size=60)[rows["id"]] + rng.normal(size=4)[rows["t"]] + 0.7 * rows["on"]
    if gaps:
        rows = rows.sample(frac=0.8, random_state=0)
    cohort = Cohort(rows, "id", "t", cluster="qp", first_treated="start")
    effect = cohort.twfe("y", "on", se=se)
    assert effect.estimate == pytest.approx(0.7, rel=1e-9)
    assert np.isnan(effect.p)
    study = cohort.event_study("y", se=se)
    assert study.table["p"].isna().all()
    assert np.isnan(study.pretrend().p)


def test_one_treated_cluster_is_told() -> None:
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"id": np.repeat(np.arange(60), 3), "t": np.tile(range(3), 60)})
    rows["qp"] = rows["id"] % 6
    rows["start"] = np.where(rows["qp"] == 0, 2.0, np.nan)
    rows["on"], rows["y"] = rows["t"] >= rows["start"], rng.normal(size=180)
    cohort = Cohort(rows, "id", "t", cluster="qp", first_treated="start")
    for meta in (cohort.twfe("y", "on").meta, cohort.event_study("y").meta):
        assert meta["n_clusters_treated"] == 1
        assert "une seule grappe" in meta["caution"]
    assert cohort.event_study("y").meta["n_clusters_control"] == 5
    assert "caution" not in cohort.twfe("y", "on", cluster="id").meta
