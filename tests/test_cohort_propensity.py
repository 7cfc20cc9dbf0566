"""Weights of the arms and of those who stayed: other programs' results and closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cohort.inference.sandwich import StandardError
from barometre.cohort.losses.weights import attrition_weights, combine_weights, propensity_weights
from tests.columns import weighted_effect
from tests.conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "cohort"
golden = pytest.mark.skipif(not GOLDEN.exists(), reason="résultats de référence absents")
ITERATED = 1e-6  # R stops its iterations when the deviance moves by less than 1e-8


def lalonde() -> pd.DataFrame:
    return pd.read_csv(GOLDEN / "data/lalonde_matchit.csv", index_col="id")


def nhefs() -> tuple[pd.DataFrame, list[str]]:
    frame = pd.read_csv(GOLDEN / "data/nhefs.csv")
    squares = ["age", "smokeintensity", "smokeyrs", "wt71"]
    for name in squares:
        frame[f"{name}2"] = frame[name] ** 2
    categories = ["education", "exercise", "active"]
    for name in categories:
        frame[name] = frame[name].astype("category")
    frame["seen"] = 1 - frame["censored"]
    return frame, ["sex", "race", *squares, *[f"{name}2" for name in squares], *categories]


def people(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    young = rng.random(n) < 0.4
    arm = rng.random(n) < np.where(young, 0.7, 0.3)
    seen = rng.random(n) < np.where(young, 0.5, 0.9)
    return pd.DataFrame(
        {"young": young.astype(int), "arm": arm.astype(int), "seen": seen.astype(int)}
    )


@golden
def test_scores_and_att_of_lalonde() -> None:
    frame = lalonde()
    names = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
    found = propensity_weights(frame, "treat", names)
    scores = pd.read_csv(
        GOLDEN / "results/lalonde_propensity__R-MatchIt-4.5.1.csv", index_col="id"
    )["ps"]
    np.testing.assert_allclose(found.score, scores.loc[frame.index], rtol=ITERATED)
    expected = pd.read_csv(GOLDEN / "results/lalonde_ipw__R-stats-4.2.2.csv").iloc[0].to_dict()
    assert found.ess["control"] == pytest.approx(expected["ess_control"], rel=ITERATED)
    errors: dict[StandardError, str] = {"CR0": "se_hc0", "CR2": "se_hc2"}
    for se, column in errors.items():  # one person, one cluster
        effect = bcs.cohort.weighted_effect(frame, "re78", "treat", weight=found.weight, se=se)
        assert effect.estimate == pytest.approx(expected["estimate"], rel=ITERATED)
        assert effect.se == pytest.approx(expected[column], rel=ITERATED)


@golden
def test_attrition_weights_of_nhefs() -> None:
    frame, names = nhefs()
    expected = pd.read_csv(GOLDEN / "results/nhefs_ipcw_weights__R-stats-4.2.2.csv")
    assert (expected["seqn"] == frame["seqn"]).all()
    treat = propensity_weights(frame, "qsmk", names, estimand="ate", stabilised=True)
    stay = attrition_weights(frame, "seen", ["qsmk", *names], numerator=["qsmk"])
    kept = frame["seen"] == 1
    np.testing.assert_allclose(treat.weight, expected["sw_treat"], rtol=ITERATED)
    np.testing.assert_allclose(stay.probability, expected["p_uncensored"], rtol=ITERATED)
    np.testing.assert_allclose(stay.weight[kept], expected["sw_cens"][kept], rtol=ITERATED)
    assert stay.weight[~kept].isna().all()
    both = combine_weights(treat, stay)
    np.testing.assert_allclose(both[kept], expected["sw"][kept], rtol=ITERATED)


@golden
def test_effects_of_nhefs() -> None:
    frame, names = nhefs()
    rows = pd.read_csv(GOLDEN / "results/nhefs_ipw__R-geepack-1.3.9.csv")
    rows = rows[rows["term"] == "qsmk"].set_index("estimator")
    known = frame[frame["seen"] == 1]
    everyone = combine_weights(
        propensity_weights(frame, "qsmk", names, estimand="ate", stabilised=True),
        attrition_weights(frame, "seen", ["qsmk", *names], numerator=["qsmk"]),
    )
    weights = {
        "12.1 crude": None,
        "12.2 IPTW unstabilised, complete cases": propensity_weights(
            known, "qsmk", names, estimand="ate"
        ).weight,
        "12.3 IPTW stabilised, complete cases": propensity_weights(
            known, "qsmk", names, estimand="ate", stabilised=True
        ).weight,
        "12.7 stabilised IPTW x IPCW (attrition)": everyone[frame["seen"] == 1],
    }
    assert set(weights) == set(rows.index)
    for name, weight in weights.items():
        expected = {str(k): v for k, v in rows.loc[name].items()}
        # geepack's intervals are normal; without weights R reported lm's own error.
        found = weighted_effect(known["wt82_71"], known["qsmk"], weight)
        assert found.estimate == pytest.approx(expected["estimate"], rel=ITERATED), name
        assert found.n == expected["n"]
        if weight is None:
            continue
        assert found.se == pytest.approx(expected["se"], rel=ITERATED), name
        assert (found.low, found.high) == pytest.approx(
            (expected["lo"], expected["hi"]), rel=ITERATED
        )
        moments = (weight.mean(), weight.min(), weight.max(), weight.std())
        assert moments == pytest.approx(
            [expected[f"w_{m}"] for m in ("mean", "min", "max", "sd")], rel=ITERATED
        )


def test_one_category_reweights_to_the_shares() -> None:
    """A saturated model: weights are ratios of counts, and balance is exact."""
    frame = people()
    found = propensity_weights(frame, "arm", ["young"])
    share = frame.groupby("young")["arm"].mean()
    expected = np.where(frame["arm"] == 1, 1, (share / (1 - share)).loc[frame["young"]])
    np.testing.assert_allclose(found.weight, expected, rtol=1e-9)
    assert found.balance["smd"].abs().max() < 1e-9
    assert found.balance["smd_before"].abs().max() > 0.3
    whole = propensity_weights(frame, "arm", ["young"], estimand="ate")
    assert whole.weight[frame["arm"] == 1].sum() == pytest.approx(len(frame), rel=1e-9)
    stable = propensity_weights(frame, "arm", ["young"], estimand="ate", stabilised=True)
    assert stable.weight.mean() == pytest.approx(1, rel=1e-9)


def test_those_who_stayed_stand_for_all() -> None:
    frame = people()
    found = attrition_weights(frame, "seen", ["young"])
    assert found.balance["smd"].abs().max() < 1e-9
    assert found.balance["smd_before"].abs().max() > 0.1
    assert found.meta["lost"] == {"perdu": int((frame["seen"] == 0).sum())}
    assert found.weight.mean() == pytest.approx(1, rel=1e-9)


@given(st.integers(0, 20), st.booleans())
def test_without_losses_weights_are_one(seed: int, stabilised: bool) -> None:
    found = attrition_weights(
        people(40, seed).assign(seen=1), "seen", ["young"], stabilised=stabilised
    )
    assert (found.weight == 1).all()
    assert found.ess == pytest.approx(40)
    assert found.fit is None


def test_trimming_brings_the_largest_down() -> None:
    frame = people().assign(age=lambda f: np.arange(len(f)) % 41 + 20 * f["arm"])
    free = propensity_weights(frame, "arm", ["age"], estimand="ate")
    held = propensity_weights(frame, "arm", ["age"], estimand="ate", trim=0.9)
    assert held.meta["n_trimmed"] == (held.weight < free.weight).sum() > 0
    assert held.weight.max() < free.weight.max()
    assert held.ess["control"] > free.ess["control"]


def test_overlap_counts_those_without_a_counterpart() -> None:
    frame = pd.DataFrame({"arm": [0] * 10 + [1] * 10, "age": [*range(20, 30), *range(25, 35)]})
    overlap = propensity_weights(frame, "arm", ["age"]).overlap.set_index("arm")
    assert overlap["n_outside"].to_dict() == {"treated": 5, "control": 5}


def test_weighted_effect_by_hand() -> None:
    y, arm, w = [1.0, 3.0, 10.0, np.nan, 4.0], [0, 0, 1, 1, 1], [1, 3, 1, 5, 2]
    found = weighted_effect(y, arm, w)
    assert found.estimate == pytest.approx((10 + 8) / 3 - (1 + 9) / 4)
    zero = (1 * (1 - 2.5)) ** 2 + (3 * 0.5) ** 2
    one = (10 - 6) ** 2 + (2 * (4 - 6)) ** 2
    assert found.se == pytest.approx(np.sqrt(zero / 16 + one / 9))
    assert (found.n, found.meta["lost"]["résultat manquant"]) == (4, 1)


def test_weights_recover_the_effect_that_losses_hide() -> None:
    """Those who are left show too small an effect; weights bring it back."""
    truth = 60.0
    gaps = []
    for seed in range(12):
        rows = bcs.datasets.make_cohort(1500, attrition=0.08, effect=truth, seed=seed)
        first = rows[rows["wave"] == 2024].set_index("person")
        last = rows[rows["wave"] == 2030].set_index("person")["income"].reindex(first.index)
        base = first.assign(seen=last.notna().astype(int), pull=first["income"] * first["arm"])
        base["crossed"] = base["diploma"] + base["arm"].astype(str)
        change = last - first["income"]
        weight = attrition_weights(
            base, "seen", ["income", "pull", "crossed"], numerator=["arm"]
        ).weight
        gaps.append(
            [
                weighted_effect(change, base["arm"]).estimate - truth,
                weighted_effect(change, base["arm"], weight).estimate - truth,
            ]
        )
    naive, mended = np.mean(gaps, axis=0)
    error = np.std(gaps, axis=0, ddof=1) / np.sqrt(len(gaps))
    assert abs(naive) > 4 * error[0]
    assert abs(mended) < 3 * error[1]


def test_refusals() -> None:
    frame = people()
    with pytest.raises(BarometreError, match="stabilised n'a d'effet que pour"):
        propensity_weights(frame, "arm", ["young"], stabilised=True)
    with pytest.raises(BarometreError, match=r"trim=0\.2"):
        attrition_weights(frame, "seen", ["young"], trim=0.2)
    with pytest.raises(BarometreError, match="tout le monde est perdu"):
        attrition_weights(frame.assign(seen=0), "seen", ["young"])
    treat = propensity_weights(frame, "arm", ["young"])
    with pytest.raises(BarometreError, match="mêmes personnes"):
        combine_weights(treat, attrition_weights(frame.iloc[:200], "seen", ["young"]))
    with pytest.raises(BarometreError, match="donner des poids de traitement"):
        combine_weights(treat, treat)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(BarometreError, match="type d'erreur « HC0 » inconnu"):
        weighted_effect([1.0, 2.0], [0, 1], se="HC0")


def test_weights_say_what_they_were_made_of() -> None:
    frame = people()
    stay = attrition_weights(frame, "seen", "young", numerator="arm")
    same = attrition_weights(frame, "seen", ["young"], numerator=["arm"])
    pd.testing.assert_series_equal(stay.weight, same.weight)
    lost = int((frame["seen"] == 0).sum())
    for meta in (stay.meta, stay.balance.meta):
        assert (meta["n_in"], meta["n_used"], meta["lost"]) == (300, 300 - lost, {"perdu": lost})
    assert stay.meta["numerator"] == ["arm"]
    treat = propensity_weights(frame, "arm", ["young"])
    assert stay.meta["version"] == treat.meta["version"] == stay.balance.meta["version"]
