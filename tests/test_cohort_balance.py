"""Table 1 and the logistic regression: other programs' results, closed forms, invariances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.cohort.losses.alike import balance_table, balance_test, effective_size
from barometre.cohort.losses.logit import fit_logit
from tests.conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "cohort"
golden = pytest.mark.skipif(not GOLDEN.exists(), reason="résultats de référence absents")
COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]


def row(table: pd.DataFrame, variable: str | None = None) -> dict[str, float]:
    """The numbers of one row of a balance table."""
    kept = table if variable is None else table[table["variable"] == variable]
    return {str(k): float(v) for k, v in kept.drop(columns="variable").iloc[0].items()}


def people(n: int = 80, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "arm": rng.permutation(np.arange(n) % 2),
            "age": rng.integers(18, 60, n),
            "sexe": rng.choice(["F", "H"], n),
            "poids": rng.uniform(0.5, 2, n),
        }
    )


@golden
def test_lalonde_before_matching() -> None:
    frame = pd.read_csv(GOLDEN / "data/lalonde_matchit.csv")
    expected = pd.read_csv(GOLDEN / "results/lalonde_balance__R-MatchIt-4.5.1.csv")
    expected = expected[expected["sample"] == "all"].set_index("variable")
    expected.index = expected.index.str.replace(r"^race(.)", r"race=\1", regex=True)
    found = balance_table(frame, "treat", COVARIATES).set_index("variable")
    assert len(found) == 9
    for ours, theirs in (
        ("mean_treated", "means_treated"),
        ("mean_control", "means_control"),
        ("smd", "smd"),
        ("var_ratio", "var_ratio"),
    ):
        wanted = expected.loc[found.index, theirs]
        np.testing.assert_allclose(found[ours], wanted, rtol=1e-12, atol=1e-13, equal_nan=True)


@golden
def test_attrition_logit_of_nhefs() -> None:
    frame = pd.read_csv(GOLDEN / "data/nhefs.csv")
    for name in ("age", "smokeintensity", "smokeyrs", "wt71"):
        frame[f"I({name}^2)"] = frame[name] ** 2
    for name in ("education", "exercise", "active"):
        frame[name] = frame[name].astype("category")
    expected = pd.read_csv(GOLDEN / "results/nhefs_attrition_logit__R-stats-4.2.2.csv")
    terms = [
        "qsmk", "sex", "race", "age", "I(age^2)", "education", "smokeintensity", "I(smokeintensity^2)",
        "smokeyrs", "I(smokeyrs^2)", "exercise", "active", "wt71", "I(wt71^2)",
    ]  # fmt: skip
    found = fit_logit(frame, "censored", terms).table
    assert len(found) == len(expected)
    np.testing.assert_allclose(found["estimate"], expected["Estimate"], rtol=1e-9)
    # R takes its standard errors one step before the last: the deviance then moves by 1e-8.
    np.testing.assert_allclose(found["se"], expected["Std..Error"], rtol=1e-6)
    np.testing.assert_allclose(found["p"], expected["Pr...z.."], rtol=1e-6)


def test_two_by_two_by_hand() -> None:
    frame = pd.DataFrame(
        {"arm": [1, 1, 1, 0, 0], "x": [1.0, 2.0, 6.0, 2.0, 4.0], "w": [1, 1, 2, 3, 1]}
    )
    found = row(balance_table(frame, "arm", ["x"], weight="w"))
    assert found["mean_treated"] == pytest.approx((1 + 2 + 12) / 4)
    assert found["mean_control"] == pytest.approx((6 + 4) / 4)
    assert found["smd"] == pytest.approx((3.75 - 2.5) / np.sqrt(7))  # variance of 1, 2, 6 is 7
    one = (7.5625 + 3.0625 + 2 * 5.0625) * 4 / (16 - 6)
    zero = (3 * 0.25 + 2.25) * 4 / (16 - 10)
    assert found["var_ratio"] == pytest.approx(one / zero)
    assert found["smd_before"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("denominator", "unit"),
    [("treated", 7.0), ("control", 2.0), ("pooled", 4.5), ("all", 4.0)],
)
def test_the_denominator_is_the_one_named(denominator: str, unit: float) -> None:
    frame = pd.DataFrame({"arm": [1, 1, 1, 0, 0], "x": [1.0, 2.0, 6.0, 2.0, 4.0]})
    assert frame["x"].var() == 4.0
    frame.loc[frame["arm"] == 1, "x"] += 1
    if denominator == "all":
        unit = float(frame["x"].var())
    found = balance_table(frame, "arm", ["x"], denominator=denominator)  # type: ignore[arg-type]  # a str of the cases, for a literal
    assert row(found)["smd"] == pytest.approx(1 / np.sqrt(unit))
    assert denominator in found.meta["convention"]


@given(st.integers(0, 50), st.floats(0.1, 10), st.floats(-5, 5))
def test_smd_does_not_depend_on_units_weights_on_their_scale(
    seed: int, scale: float, shift: float
) -> None:
    frame = people(seed=seed)
    before = row(balance_table(frame, "arm", ["age"], weight="poids"))
    moved = frame.assign(age=frame["age"] * scale + shift, poids=frame["poids"] * scale)
    after = row(balance_table(moved, "arm", ["age"], weight="poids"))
    assert after["smd"] == pytest.approx(before["smd"], rel=1e-7, abs=1e-9)
    assert after["var_ratio"] == pytest.approx(before["var_ratio"], rel=1e-7)


def test_missing_values_are_counted_where_they_are() -> None:
    frame = people().assign(sexe=lambda f: f["sexe"].where(f["age"] > 25))
    found = balance_table(frame, "arm", ["age", "sexe"])
    young = int((frame["age"] <= 25).sum())
    assert found["n_missing"].tolist() == [0, young, young]
    shares = [row(found, name)["mean_treated"] for name in ("sexe=F", "sexe=H")]
    assert sum(shares) == pytest.approx(1)


def test_zero_weight_is_out_of_the_sample() -> None:
    frame = people().assign(poids=lambda f: (f["age"] > 30).astype(float))
    found = balance_table(frame, "arm", ["age"], weight="poids")
    kept = row(balance_table(frame[frame["age"] > 30], "arm", ["age"]))
    for name in ("mean_control", "var_ratio"):
        assert row(found)[name] == pytest.approx(kept[name])
    assert found.meta["lost"] == {"poids nul ou manquant": int((frame["age"] <= 30).sum())}


def test_constant_covariates() -> None:
    frame = people().assign(rien=3.0, tout=lambda f: f["arm"])
    found = balance_table(frame, "arm", ["rien", "tout"])
    assert row(found, "rien")["smd"] == 0
    assert np.isnan(row(found, "tout")["smd"])


def test_joint_test_is_the_g_test_of_a_category() -> None:
    """One yes/no covariate: the likelihood ratio is the G statistic of the two by two table."""
    from scipy import stats

    frame = people(seed=3)
    found = balance_test(frame, "arm", ["sexe"])
    table = pd.crosstab(frame["arm"], frame["sexe"])
    g, p, df, _ = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert (found.statistic, found.df, found.p) == pytest.approx((g, df, p), rel=1e-9)


def test_weighted_logit_repeats_rows() -> None:
    frame = people(seed=4).assign(poids=lambda f: 1 + f["age"] % 3)
    whole = frame.loc[frame.index.repeat(frame["poids"])]
    weighted = fit_logit(frame, "arm", ["age", "sexe"], weight="poids")
    repeated = fit_logit(whole.reset_index(drop=True), "arm", ["age", "sexe"])
    np.testing.assert_allclose(weighted.table["estimate"], repeated.table["estimate"], rtol=1e-7)


def test_the_unit_of_a_covariate_is_no_collinearity() -> None:
    frame = people()
    plain = fit_logit(frame, "arm", ["age", "sexe"])
    large = fit_logit(frame.assign(age=frame["age"] * 1e9), "arm", ["age", "sexe"])
    np.testing.assert_allclose(large.probability, plain.probability, rtol=1e-9)


def test_a_logit_that_cannot_be_fitted_says_why() -> None:
    frame = people()
    with pytest.raises(BarometreError, match="à coup sûr"):
        fit_logit(frame.assign(y=(frame["age"] > 40).astype(int)), "y", ["age"])
    with pytest.raises(BarometreError, match="« deux » est constante ou se déduit"):
        fit_logit(frame.assign(deux=frame["age"] * 2), "arm", ["age", "deux"])
    with pytest.raises(BarometreError, match="toujours la même valeur"):
        fit_logit(frame.assign(y=1), "y", ["age"])
    with pytest.raises(BarometreError, match=r"(?s)age : 2 valeurs manquantes.*écarter"):
        fit_logit(
            frame.assign(age=frame["age"].astype(float).where(frame.index > 1)), "arm", ["age"]
        )


def test_refusals() -> None:
    frame = people()
    with pytest.raises(BarometreError, match=r"taille, revenu : colonnes absentes"):
        balance_table(frame, "arm", ["taille", "revenu"])
    with pytest.raises(BarometreError, match="un seul bras"):
        balance_table(frame.assign(arm=1), "arm", ["age"])
    with pytest.raises(BarometreError, match="poids négatifs"):
        balance_table(frame.assign(poids=-1.0), "arm", ["age"], weight="poids")
    with pytest.raises(BarometreError, match="denominator"):
        balance_table(frame, "arm", ["age"], denominator="sd")  # type: ignore[arg-type]  # that is the point


def test_effective_size_limits() -> None:
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_size([5.0, 0.0, np.nan]) == 1
    assert effective_size([]) == 0


def test_weights_by_label_or_in_order() -> None:
    frame = people().set_index(pd.Index([f"p{i}" for i in range(80)]))
    named = balance_table(frame, "arm", ["age"], weight="poids")
    shuffled = frame["poids"].sample(frac=1, random_state=0)
    for weight in (shuffled, frame["poids"].tolist(), frame["poids"].to_numpy()):
        pd.testing.assert_frame_equal(
            pd.DataFrame(balance_table(frame, "arm", ["age"], weight=weight)), pd.DataFrame(named)
        )
    with pytest.raises(BarometreError, match="donner 80 poids"):
        balance_table(frame, "arm", ["age"], weight=[1.0, 2.0])
    some = frame["poids"].iloc[:60]  # with one of nobody: those without a weight are left out
    known = frame.assign(poids=some)
    pd.testing.assert_frame_equal(
        pd.DataFrame(
            balance_table(frame, "arm", ["age"], weight=pd.concat([some, pd.Series({"x": 9.0})]))
        ),
        pd.DataFrame(balance_table(known, "arm", ["age"], weight="poids")),
    )
    with pytest.raises(BarometreError, match="aucun index commun"):
        balance_table(frame, "arm", ["age"], weight=pd.Series(1.0, range(80)))
    twice = frame.set_index(pd.Index(["p"] * 80))
    with pytest.raises(BarometreError, match="doublons"):
        balance_table(twice, "arm", ["age"], weight=frame["poids"])
