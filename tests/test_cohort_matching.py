"""Nearest neighbours: another program's matched samples, and matching by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.cohort.losses.alike import balance_table
from barometre.cohort.losses.matching import nearest_match
from tests.conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "cohort"
golden = pytest.mark.skipif(not GOLDEN.exists(), reason="résultats de référence absents")


@golden
def test_the_matched_sample_of_matchit_documentation() -> None:
    """Ho, Imai, King & Stuart, "MatchIt: Getting Started": means of the matched comparison group.

    The reference folder has another matched sample, of MatchIt 4.5.1: see the next test.
    """
    frame = pd.read_csv(GOLDEN / "data/lalonde_matchit.csv", index_col="id")
    names = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
    found = nearest_match(frame, "treat", names, scale="score")
    published = {
        "age": 25.3027, "educ": 10.6054, "race=black": 0.4703, "race=hispan": 0.2162, "race=white": 0.3135,
        "married": 0.2108, "nodegree": 0.6378, "re74": 2342.1076, "re75": 1614.7451,
    }  # fmt: skip
    means = dict(zip(found.balance["variable"], found.balance["mean_control"], strict=True))
    assert {name: round(mean, 4) for name, mean in means.items()} == published
    assert found.n_unmatched == 0


def below(score: Any, treated: Any, *, replace: bool) -> Any:
    """Weights of the matched samples that MatchIt 4.5.1 made on the machine of the reference.

    Its nearest neighbour is the comparison person of the nearest score at or below one's own, and
    above only when none is left: its code compares absolute distances truncated to integers
    (``abs`` of C), all 0 between probabilities, and keeps the left one. Later versions do not.
    """
    free = ~treated
    weight = np.where(treated, 1.0, 0.0)
    order = np.argsort(score, kind="stable")
    for one in sorted(np.flatnonzero(treated), key=lambda i: -score[i]):
        place = int(np.flatnonzero(order == one)[0])
        left, right = ([j for j in part if free[j]] for part in (order[:place], order[place:]))
        chosen = left[-1] if left else right[0]
        weight[chosen] += 1
        free[chosen] = replace
    return weight


def six_classes(score: Any, treated: Any) -> Any:
    """Weights of six classes of as many treated people: those of each class for its controls."""
    limits = np.quantile(score[treated], np.arange(1, 6) / 6)
    inside = np.searchsorted(limits, score, side="right")[:, None] == np.arange(6)
    ratio = inside[treated].sum(0) / inside[~treated].sum(0)
    return np.where(treated, 1.0, (inside * ratio).sum(1))


@golden
def test_balance_of_the_matched_samples_of_the_reference() -> None:
    """Our balance table, on their samples: the 30 rows after matching or subclassification."""
    frame = pd.read_csv(GOLDEN / "data/lalonde_matchit.csv", index_col="id")
    scores = pd.read_csv(GOLDEN / "results/lalonde_propensity__R-MatchIt-4.5.1.csv", index_col="id")
    frame["distance"] = scores["ps"]
    theirs = pd.read_csv(GOLDEN / "results/lalonde_balance__R-MatchIt-4.5.1.csv")
    score, treated = frame["distance"].to_numpy(), (frame["treat"] == 1).to_numpy()
    names = ["distance", "age", "educ", "race", "married", "nodegree", "re74", "re75"]
    samples = {
        "nearest 1:1 without replacement": below(score, treated, replace=False),
        "nearest 1:1 with replacement": below(score, treated, replace=True),
        "subclass=6": six_classes(score, treated),
    }
    for spec, weight in samples.items():
        ours = balance_table(frame, "treat", names, weight=weight)
        ours.index = pd.Index(ours["variable"].str.replace("=", ""))
        expected = theirs[theirs["spec"].str.startswith(spec)].set_index("variable")
        assert len(expected) == len(ours) == 10
        for column, name in {
            "mean_treated": "means_treated", "mean_control": "means_control", "smd": "smd",
            "var_ratio": "var_ratio",
        }.items():  # fmt: skip
            # 1e-9: the precision asked of closed forms; 1e-12 for differences that are 0.
            np.testing.assert_allclose(
                ours[column], expected[name].loc[ours.index], rtol=1e-9, atol=1e-12
            )


def four(score: list[float]) -> pd.DataFrame:
    """Treated a and b, comparison people c, d, e."""
    return pd.DataFrame(
        {"arm": [1, 1, 0, 0, 0], "p": score, "x": [1.0, 2.0, 3.0, 4.0, 6.0]}, index=list("abcde")
    )


def test_who_chooses_first_matters() -> None:
    frame = four([0.50, 0.60, 0.56, 0.30, 0.10])
    options = {"score": "p", "scale": "score"}
    first = nearest_match(frame, "arm", ["x"], order="largest", **options)  # type: ignore[arg-type]  # options of one dict
    assert dict(zip(first.pairs["treated"], first.pairs["control"], strict=True)) == {
        "b": "c",
        "a": "d",
    }
    last = nearest_match(frame, "arm", ["x"], order="smallest", **options)  # type: ignore[arg-type]  # options of one dict
    assert dict(zip(last.pairs["treated"], last.pairs["control"], strict=True)) == {
        "a": "c",
        "b": "d",
    }
    back = nearest_match(frame, "arm", ["x"], replace=True, **options)  # type: ignore[arg-type]  # options of one dict
    assert set(back.pairs["control"]) == {"c"}
    assert back.weight.to_dict() == {"a": 1, "b": 1, "c": 1, "d": 0, "e": 0}


def test_two_neighbours_share_the_weight() -> None:
    frame = four([0.50, 0.60, 0.56, 0.49, 0.10])
    found = nearest_match(frame, "arm", ["x"], k=2, replace=True, score="p", scale="score")
    assert found.pairs.sort_values(["treated", "rank"])["control"].tolist() == ["d", "c", "c", "d"]
    assert found.weight[list("cde")].tolist() == [1, 1, 0]


def test_a_caliper_leaves_people_out_and_says_so() -> None:
    frame = four([0.50, 0.90, 0.51, 0.30, 0.10])
    found = nearest_match(frame, "arm", ["x"], caliper=0.2, score="p", scale="score")
    assert found.pairs["treated"].tolist() == ["a"]
    assert found.meta["lost"] == {"traités sans voisin": 1, "comparaison non appariée": 2}
    with pytest.raises(BarometreError, match="élargir caliper"):
        nearest_match(frame, "arm", ["x"], caliper=1e-6, score="p", scale="score")


@given(st.integers(0, 30), st.integers(1, 3), st.booleans())
def test_properties_of_any_matching(seed: int, k: int, replace: bool) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"arm": [1] * 8 + [0] * 20, "p": rng.uniform(0.1, 0.9, 28), "x": rng.normal(size=28)}
    )
    found = nearest_match(frame, "arm", ["x"], k=k, replace=replace, score="p", caliper=1.0)
    assert not found.pairs.duplicated(["treated", "control"]).any()
    assert found.pairs.groupby("treated").size().max() <= k
    if not replace:
        assert not found.pairs["control"].duplicated().any()
    zero = frame["arm"] == 0
    assert found.weight[zero].sum() == pytest.approx(found.pairs["control"].nunique())
    order = rng.permutation(28)
    again = nearest_match(
        frame.iloc[order], "arm", ["x"], k=k, replace=replace, score="p", caliper=1.0
    )
    columns = ["treated", "control"]
    assert again.pairs.sort_values(columns)[columns].to_numpy().tolist() == (
        found.pairs.sort_values(columns)[columns].to_numpy().tolist()
    )


def test_the_nearest_is_the_nearest() -> None:
    """With replacement each choice is free: brute force over all pairs."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"arm": [1] * 12 + [0] * 30, "p": rng.uniform(0.1, 0.9, 42), "x": 0.0})
    found = nearest_match(frame, "arm", ["x"], replace=True, score="p")
    logit = np.log(frame["p"] / (1 - frame["p"]))
    for treated, control in zip(found.pairs["treated"], found.pairs["control"], strict=True):
        gaps = (logit[frame["arm"] == 0] - logit[treated]).abs()
        assert gaps[control] == gaps.min()


def test_refusals() -> None:
    frame = four([0.5, 0.6, 0.5, 0.4, 1.0])
    with pytest.raises(BarometreError, match=r"k : .*caliper : .*order"):
        nearest_match(frame, "arm", ["x"], k=0, caliper=-1.0, order="best")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(BarometreError, match="n'a pas d'écart-type"):
        nearest_match(frame.iloc[1:4], "arm", ["x"], score="p", caliper=0.2)
    with pytest.raises(BarometreError, match="bornes exclues"):
        nearest_match(frame, "arm", ["x"], score="p")
