"""P-values with few clusters: wild bootstrap and randomisation."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort
from barometre.cohort.inference.bootstrap import POINTS, smallest_p
from barometre.cohort.inference.estimates import FewClustersWarning
from tests.columns import cluster_robust, randomisation_test, wild_bootstrap
from tests.conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "cohort"
golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="reference datasets are not ours to give")


def grunfeld(**options: Any) -> Any:
    data = pd.read_csv(GOLDEN / "data" / "grunfeld_aer.csv")
    return wild_bootstrap(data["invest"], data[["value", "capital"]], data["firm"], **options)


@golden
@pytest.mark.parametrize("term", ["value", "capital"])
@pytest.mark.parametrize("kind", ["WCR11", "WCU11"])
def test_full_enumeration_of_eleven_firms(term: str, kind: str) -> None:
    reference = pd.read_csv(GOLDEN / "results" / "wild_cluster_bootstrap__py-peers.csv")
    rows = reference[(reference["term"] == term) & (reference["type"] == kind)]
    brute = rows[rows["source"].str.startswith("brute")].iloc[0]
    other = rows[rows["source"].str.startswith("wildboottest")].iloc[0]
    ours = grunfeld(term=term, imposed=kind == "WCR11")
    assert (ours.p_strict, ours.p_weak) == (brute["p_strict"], brute["p_weak"])  # counts: exact
    assert ours.p == ours.p_weak  # ties count: what holds the level with few clusters
    assert (ours.exact, ours.draws, ours.n_clusters) == (True, 2**11, 11)
    # 1e-9: the precision asked of closed forms. wildboottest has CR1, the brute force CR0.
    assert ours.statistic == pytest.approx(other["t"], rel=1e-9)
    cr0 = np.sqrt(11 / 10 * 219 / 217)
    assert ours.statistic * cr0 == pytest.approx(brute["t"], rel=1e-9)


@golden
def test_counts_written_in_the_reference() -> None:
    assert grunfeld(term="value").p_strict == 8 / 2048
    assert grunfeld(term="capital").p_strict == 44 / 2048


def sample(g: int, seed: int = 0, size: int = 5) -> tuple[Any, pd.DataFrame, Any]:
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(g), size)
    x = pd.DataFrame({"a": rng.normal(size=g * size), "b": rng.normal(size=g)[cluster]})
    y = 0.4 * x["a"].to_numpy() + rng.normal(size=g)[cluster] + rng.normal(size=g * size)
    return y, x, cluster


def plain_statistic(y: Any, x: Any, cluster: Any, column: int, null: float) -> float:
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    u = y - x @ beta
    scores = np.stack([x[cluster == g].T @ u[cluster == g] for g in np.unique(cluster)])
    return float(
        (beta[column] - null) / np.sqrt((bread @ scores.T @ scores @ bread)[column, column])
    )


def brute_force(
    y: Any, x: Any, cluster: Any, column: int, null: float, imposed: bool
) -> tuple[float, float]:
    """Fit every bootstrap sample again."""
    others = np.delete(x, column, axis=1)
    if imposed:
        fitted = (
            null * x[:, column]
            + others @ np.linalg.lstsq(others, y - null * x[:, column], rcond=None)[0]
        )
        centre = null
    else:
        beta = np.linalg.lstsq(x, y, rcond=None)[0]
        fitted, centre = x @ beta, beta[column]
    observed = abs(plain_statistic(y, x, cluster, column, null))
    sizes = np.array(
        [
            abs(
                plain_statistic(
                    fitted + np.array(w)[cluster] * (y - fitted), x, cluster, column, centre
                )
            )
            for w in itertools.product([-1.0, 1.0], repeat=cluster.max() + 1)
        ]
    )
    return float((sizes > observed + 1e-8).mean()), float((sizes > observed - 1e-8).mean())


@pytest.mark.parametrize("imposed", [True, False])
@pytest.mark.parametrize(("term", "null"), [("a", 0.0), ("b", 0.0), ("a", 0.3)])
@pytest.mark.filterwarnings("ignore::barometre.cohort.inference.estimates.FewClustersWarning")
def test_brute_force(imposed: bool, term: str, null: float) -> None:
    y, x, cluster = sample(6)
    ours = wild_bootstrap(y, x, cluster, term=term, null=null, imposed=imposed)
    matrix = np.column_stack([np.ones(len(x)), x])
    column = 1 + list(x).index(term)
    assert (ours.p_strict, ours.p_weak) == brute_force(y, matrix, cluster, column, null, imposed)
    fit = cluster_robust(y, x, cluster).table.set_index("term").loc[term]
    assert ours.estimate == pytest.approx(fit["estimate"], rel=1e-10)
    assert ours.se == pytest.approx(fit["se"], rel=1e-10)
    assert ours.statistic == pytest.approx((fit["estimate"] - null) / fit["se"], rel=1e-8)


def test_weights_are_a_regression_on_scaled_columns() -> None:
    y, x, cluster = sample(7)
    w = np.random.default_rng(3).uniform(0.5, 2, len(y))
    root = np.sqrt(w)
    scaled = x.assign(const=1.0).mul(root, axis=0)
    ours = wild_bootstrap(y, x, cluster, term="a", weight=w * 10)
    plain = wild_bootstrap(y * root, scaled, cluster, term="a", intercept=False)
    assert ours.p_weak == plain.p_weak
    assert ours.statistic == pytest.approx(plain.statistic, rel=1e-10)


def test_five_neighbourhoods_cannot_be_significant() -> None:
    y, x, cluster = sample(5)
    y = y + 50 * x["a"]  # as strong as can be
    with pytest.warns(FewClustersWarning, match="0,0625"):
        ours = wild_bootstrap(y, x[["a"]], cluster)
    assert ours.smallest_p == ours.p == smallest_p(5) == 0.0625
    assert ours.p_strict == 0
    assert ours.p_weak == 0.0625
    assert "smallest_p=0.0625" in repr(ours)
    six_points = wild_bootstrap(y, x[["a"]], cluster, law="webb")
    assert (six_points.exact, six_points.draws) == (True, 6**5)
    assert six_points.p == six_points.smallest_p == 6**-4


def test_many_clusters_are_drawn_and_reproducible() -> None:
    y, x, cluster = sample(20)
    ours = [wild_bootstrap(y, x, cluster, term="a", draws=499, seed=s) for s in (1, 1, 2)]
    assert ours[0] == ours[1]
    assert ours[0].p_strict != ours[2].p_strict
    assert not ours[0].exact
    assert ours[0].p == (1 + 499 * ours[0].p_strict) / 500
    assert ours[0].smallest_p == 1 / 500
    # The same law, drawn and enumerated: 4 standard errors of 20 000 draws.
    y, x, cluster = sample(12)
    exact = wild_bootstrap(y, x, cluster, term="b").p_strict
    webb = wild_bootstrap(y, x, cluster, term="b", law="webb", draws=20_000).p_strict
    assert abs(webb - exact) < 0.05  # two laws of the weights, the same p to a few hundredths


def test_rows_columns_and_names_do_not_matter() -> None:
    y, x, cluster = sample(8)
    ours = wild_bootstrap(y, x, cluster, term="a")
    order = np.random.default_rng(0).permutation(len(y))
    labels = np.array(list("hgfedcba"))[cluster]
    other = wild_bootstrap(7 * y[order] + 3, 2 * x.iloc[order, ::-1], labels[order], term="a")
    assert (ours.p_strict, ours.p_weak) == (other.p_strict, other.p_weak)
    assert wild_bootstrap(y, x.to_numpy(), cluster, term=0).p == ours.p
    assert wild_bootstrap(y, x[["b", "a"]], cluster).p == ours.p  # the last column by default


def people(g: int = 8, per: int = 4, gaps: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = g * per
    frame = pd.DataFrame({"id": np.repeat(np.arange(n), 3), "year": np.tile([2024, 2025, 2026], n)})
    frame["qp"] = frame["id"] % g
    frame["arm"] = (frame["qp"] < g // 2).astype(int)
    frame["on"] = frame["arm"] * (frame["year"] >= 2026)
    frame["y"] = rng.normal(size=n)[frame["id"]] + rng.normal(size=3 * n) + 0.3 * frame["on"]
    frame["w"] = rng.uniform(1, 3, 3 * n)
    return frame.drop(index=[4, 10, 30]) if gaps else frame


def test_designs_of_a_cohort() -> None:
    cohort = Cohort(people(), "id", "year", arm="arm", cluster="qp")
    columns = cohort.did_design("y", 2026)
    test = bcs.cohort.wild_bootstrap(*columns, term="effet", intercept=False)
    effect = cohort.did("y", 2026)
    assert test.estimate == pytest.approx(effect.estimate, rel=1e-10)
    assert test.se == pytest.approx(effect.se, rel=1e-10)


@pytest.mark.parametrize("weight", [None, "w"])
def test_fixed_effects_may_be_removed_before_the_bootstrap(weight: str | None) -> None:
    frame = people(gaps=True).reset_index(drop=True)
    cohort = Cohort(frame, "id", "year", cluster="qp", weight=weight)
    columns = cohort.twfe_design("y", "on")
    test = bcs.cohort.wild_bootstrap(*columns, term="effet", intercept=False)
    dummies = (
        pd.get_dummies(frame[["id", "year"]].astype(str))
        .drop(columns="year_2024")
        .assign(on=frame["on"])
    )
    weights = None if weight is None else frame["w"]
    full = wild_bootstrap(frame["y"], dummies, frame["qp"], term="on", weight=weights)
    assert (test.p_strict, test.p_weak) == (full.p_strict, full.p_weak)
    assert test.estimate == pytest.approx(full.estimate, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"term": "z"}, "inconnu"),
        ({"term": 5}, "2 variables"),
        ({"law": "mammen"}, "inconnu"),
        ({"draws": 0}, "tirages"),
        ({"draws": 10.5}, "tirages"),
        ({"null": np.nan}, "null"),
        ({"cluster": np.zeros(40)}, "une seule grappe"),
        ({"cluster": [None] * 40}, "manquante"),
        ({"outcome": np.full(40, np.nan)}, "manquante"),
        ({"outcome": ["a"] * 40}, "nombres"),
        ({"outcome": [np.inf] * 40}, "infinies"),
        ({"design": pd.DataFrame({"a": np.ones(40), "b": np.arange(40) % 8})}, None),
        ({"design": pd.DataFrame({"a": np.arange(40.0), "b": 2 * np.arange(40.0)})}, "combinaison"),
        ({"weight": -np.ones(40)}, "négatif"),
    ],
)
def test_refusals(change: dict[str, Any], said: str | None) -> None:
    y, x, cluster = sample(8)
    arguments = {"outcome": y, "design": x, "cluster": cluster, **change}
    if said is None:  # a constant column is the constant, not a second one
        assert wild_bootstrap(**arguments).n == 40
        return
    with pytest.raises(BarometreError, match=said):
        wild_bootstrap(**arguments)


def test_an_error_of_zero_is_refused() -> None:
    y, _, cluster = sample(8)
    with pytest.raises(BarometreError, match="nulle"):
        wild_bootstrap(y, pd.get_dummies(pd.Series(cluster)), cluster)  # one mean per cluster
    with pytest.raises(BarometreError, match="au moins 2"):
        smallest_p(1)


# ---- randomisation ------------------------------------------------------------------------------


def test_fisher_lady_tasting_tea() -> None:
    """Fisher (1935): 4 cups out of 8, all found: 1 in 70, and as far on the other side."""
    cups = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    ours = randomisation_test(cups, cups)
    assert ours.p == ours.smallest_p == 2 / 70
    assert ours.draws == ours.meta["n_assignments"] == 70


small = st.lists(st.integers(-5, 5), min_size=4, max_size=9)


@pytest.mark.filterwarnings("ignore::barometre.cohort.inference.estimates.FewClustersWarning")
@settings(max_examples=50)
@given(small, st.data())
def test_brute_force_of_assignments(values: list[int], data: Any) -> None:
    n = len(values)
    k = data.draw(st.integers(1, n - 1))
    arm = np.zeros(n)
    arm[:k] = 1
    y = np.array(values, float)

    def difference(treated: Any) -> float:
        other = [i for i in range(n) if i not in treated]
        return float(abs(np.mean(y[list(treated)]) - np.mean(y[other])))

    sizes = np.array([difference(c) for c in itertools.combinations(range(n), k)])
    expected = (sizes >= difference(tuple(range(k))) - 1e-9).mean()
    assert randomisation_test(y, arm).p == pytest.approx(expected, abs=1e-12)
    assert randomisation_test(3 * y + 1e6, arm).p == pytest.approx(expected, abs=1e-12)
    own = randomisation_test(y, arm, statistic=lambda o, a: o[a == 1].mean() - o[a == 0].mean())
    assert own.p == pytest.approx(expected, abs=1e-12)


def test_scipy_permutation_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, 6), rng.normal(0, 1, 7)
    other = stats.permutation_test(
        (a, b), lambda x, y: abs(np.mean(x) - np.mean(y)), alternative="greater", n_resamples=np.inf
    )
    ours = randomisation_test(np.concatenate([a, b]), [1] * 6 + [0] * 7)
    assert ours.p == pytest.approx(other.pvalue, abs=1e-12)
    assert len(ours.distribution) == len(other.null_distribution)


def test_clusters_and_strata_by_hand() -> None:
    # 5 neighbourhoods, 2 treated: 10 assignments; the two highest are treated, so p = 1/10.
    y = [1, 2, 3, 4, 5, 6, 7, 8, 20, 30]
    with pytest.warns(FewClustersWarning, match="5 unités"):
        ours = randomisation_test(y, [0] * 6 + [1] * 4, cluster=list("aabbccddee"))
    assert (ours.p, ours.smallest_p, ours.n_units, ours.draws) == (0.1, 0.1, 5, 10)
    # 2 strata of 2 pairs: 2 x 2 assignments, largest and its mirror.
    with pytest.warns(FewClustersWarning):
        ours = randomisation_test([1, 5, 2, 9], [0, 1, 0, 1], strata=[0, 0, 1, 1])
    assert (ours.statistic, ours.p, ours.smallest_p) == (5.5, 0.5, 0.5)


def test_a_stratum_of_one_arm_stays_as_it_was() -> None:
    y = [1, 5, 2, 9, 100.0]
    with pytest.warns(FewClustersWarning):
        ours = randomisation_test(y, [0, 1, 0, 1, 1], strata=[0, 0, 0, 0, 1])
    assert ours.draws == 6  # 4 choose 2: the fifth is treated in all
    expected = [
        np.mean([y[i], y[j], 100]) - (17 - y[i] - y[j]) / 2
        for i, j in itertools.combinations(range(4), 2)
    ]
    np.testing.assert_allclose(sorted(ours.distribution), sorted(expected))
    assert ours.smallest_p == 1 / 6


def test_drawn_assignments() -> None:
    rng = np.random.default_rng(0)
    y, arm = rng.normal(size=60), np.repeat([0, 1], 30)
    ours = [randomisation_test(y, arm, draws=999, seed=s) for s in (0, 0, 1)]
    assert ours[0].p == ours[1].p != ours[2].p
    assert not ours[0].exact
    assert ours[0].p == (1 + (abs(ours[0].distribution) >= abs(ours[0].statistic)).sum()) / 1000
    # With 30 people an arm the law is close to Student's: 4 standard errors of 999 draws.
    assert abs(ours[0].p - stats.ttest_ind(y[:30], y[30:]).pvalue) < 4 * np.sqrt(0.25 / 999)


def test_missing_outcomes_are_counted() -> None:
    y = pd.Series([1, 2, 3, 4, 7, 8, 9, 10, None], dtype="Float64")
    ours = randomisation_test(y, [False] * 4 + [True] * 5)
    assert ours.p == 2 / 70
    assert ours.meta["lost"] == {"résultat manquant": 1}
    assert (ours.n, ours.meta["n_in"]) == (8, 9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"arm": [0, 0, 1, 2]}, "0"),
        ({"arm": ["a", "b", "a", "b"]}, "True"),
        ({"arm": [0, 0, 1, None]}, "manquante"),
        ({"arm": [1, 1, 1, 1]}, "rien à réaffecter|un seul bras"),
        ({"cluster": [1, 1, 1, 2]}, "varie au sein"),
        ({"cluster": [1, 1, 2, 2], "strata": [1, 2, 3, 3]}, "strata varie"),
        ({"strata": [1, 1, 2, 2]}, "rien à réaffecter|un seul bras"),
        ({"outcome": [np.nan] * 4}, "aucune valeur"),
        ({"statistic": "median"}, "inconnu"),
        ({"statistic": lambda y, a: np.nan}, "nombre fini"),
        ({"draws": -1}, "tirages"),
    ],
)
def test_randomisation_refusals(change: dict[str, Any], said: str) -> None:
    arguments = {"outcome": [1, 2, 3, 4], "arm": [0, 0, 1, 1], **change}
    with pytest.raises(BarometreError, match=said):
        randomisation_test(**arguments)


def test_a_constant_outcome_is_refused() -> None:
    _, x, cluster = sample(6)
    with pytest.raises(BarometreError, match="ajustement est parfait"):
        wild_bootstrap(np.full(len(x), 3.3), x, cluster)


def test_the_points_are_those_published() -> None:
    """Rademacher's; Webb's six (2023): plus and minus the roots of 1/2, 1 and 3/2."""
    assert sorted(POINTS["rademacher"]) == [-1, 1]
    half, one, more = np.sqrt([0.5, 1, 1.5])
    np.testing.assert_allclose(sorted(POINTS["webb"]), [-more, -one, -half, half, one, more])
