"""ATT(g,t) of repeated cross-sections: means by hand, regressions with dummies, sizes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre.base.errors import BarometreError
from barometre.cohort import att_gt, cluster_robust
from barometre.cohort.staggered.permuted import permuted_cells

SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
KEYS: dict[str, Any] = {"person": None, "wave": "t", "first_treated": "g"}


def rows(
    seed: int = 0, entries: tuple[int, ...] = (0, 0, 0, 3, 3, 3, 4, 4), effect: float = 1.0
) -> pd.DataFrame:
    """Neighbourhoods that enter whole, other people each year, shocks of the year."""
    rng = np.random.default_rng(seed)
    n = 60 * len(entries)
    frame = pd.DataFrame({"c": rng.integers(len(entries), size=n), "t": rng.integers(1, 6, size=n)})
    frame["g"] = np.array(entries)[frame["c"]]
    frame["age"] = rng.normal(40, 10, n)
    frame["sexe"] = rng.choice(["F", "H"], n)
    frame["w"] = rng.uniform(0.5, 2, n)
    shock = 0.3 * rng.normal(size=(len(entries), 6))
    frame["y"] = shock[frame["c"], frame["t"]] + 0.05 * frame["age"] + rng.normal(size=n)
    on = (frame["g"] > 0) & (frame["t"] >= frame["g"])
    return frame.assign(y=frame["y"] + effect * on)


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("se", ["CR0", "CR2"])
def test_a_cell_is_a_regression_on_two_waves(weight: str | None, se: Any) -> None:
    frame = rows()
    effects = att_gt(frame, "y", cluster="c", weight=weight, se=se, **KEYS)
    for k, (group, wave) in enumerate(effects.table[["group", "wave"]].to_numpy(np.int64)):
        cell = effects.table.iloc[k]
        base = group - 1 if wave >= group else wave - 1
        two = frame[frame["t"].isin([wave, base]) & frame["g"].isin([0, group])]
        two = two.assign(arm=two["g"] > 0, post=two["t"] == wave)
        two["effect"] = two["arm"] & two["post"]
        fit = cluster_robust(two, "y", ["arm", "post", "effect"], cluster="c", weight=weight, se=se)
        other = fit.table.set_index("term").loc["effect"]
        assert cell["estimate"] == pytest.approx(other["estimate"], rel=1e-9)
        assert cell["se"] == pytest.approx(other["se"], rel=1e-9)
        assert cell["n"] == len(two)
        if se == "CR2":
            assert 1 <= cell["df"] < 6


def test_without_covariates_the_methods_are_one() -> None:
    frame = rows(1)
    plain = att_gt(frame, "y", **KEYS)
    constant = frame.assign(one=0.0)
    for method in ("ipw", "reg"):
        options: Any = {"method": method}
        other = att_gt(constant, "y", **options, **KEYS)
        for column in ("estimate", "se"):
            np.testing.assert_allclose(other.table[column], plain.table[column], rtol=1e-9)
    assert "autres personnes à chaque vague" in plain.summary()
    assert plain.meta["n_used"] == len(frame)
    assert plain.meta["unit"] == "ligne"


@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
def test_what_groups_and_waves_have_in_common_does_not_count(method: Any) -> None:
    frame = rows(2)
    names = ["age", "sexe"]
    one = att_gt(frame, "y", covariates=names, method=method, cluster="c", **KEYS)
    moved = frame.assign(y=5 * frame["g"] - 3 * frame["t"] + 2 * frame["y"]).sample(frac=1)
    moved.index = pd.Index(np.zeros(len(moved), int))
    other = att_gt(moved, "y", covariates=names, method=method, cluster="c", **KEYS)
    for column in ("estimate", "se", "df"):
        scale = 1 if column == "df" else 2
        np.testing.assert_allclose(other.table[column], scale * one.table[column], rtol=1e-6)
    # The covariate explains much: adjusted, the effect of 1 is better seen.
    assert one.table["se"].mean() < 2


def test_everyone_seen_each_time_is_the_panel() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"id": np.repeat(np.arange(90), 4), "t": np.tile(np.arange(1, 5), 90)})
    frame["g"] = np.repeat(rng.choice([0, 2, 4], 90), 4)
    frame["y"] = rng.normal(size=360) + np.repeat(rng.normal(size=90), 4)
    panel = att_gt(frame, "y", person="id", wave="t", first_treated="g")
    other = att_gt(frame, "y", **KEYS)
    np.testing.assert_allclose(other.table["estimate"], panel.table["estimate"], rtol=1e-9)
    for kind in ("simple", "dynamic", "group", "calendar"):
        pair = [e.aggregate(kind).overall for e in (panel, other)]
        assert pair[0].estimate == pytest.approx(pair[1].estimate, rel=1e-9)
    psi = other.aggregate("dynamic").influence
    errors = np.sqrt(np.square(psi).sum()) / len(psi)
    np.testing.assert_allclose(errors.iloc[:-1], other.aggregate("dynamic").table["se"], rtol=1e-9)


def test_permutations_of_entries_estimate_again() -> None:
    frame = rows(4, entries=(0, 0, 0, 0, 0, 3, 3))
    effects = att_gt(frame, "y", cluster="c", **KEYS)
    test = effects.pretrend()
    assert "permutation" in test.meta["method"]
    people = effects._gathered.people
    exchanged = np.array([0, 0, 3, 0, 3, 0, 0])
    again = att_gt(frame.assign(g=exchanged[frame["c"]]), "y", cluster="c", **KEYS)
    code = pd.Series(people.cluster).groupby(
        frame["c"].to_numpy()[effects._gathered.order]
    ).first().to_numpy()  # fmt: skip
    labels = np.empty((1, 7), np.int64)
    labels[0, code] = np.where(exchanged > 0, 0, 1)
    found, errors = permuted_cells(people, effects._gathered.comparisons, labels)
    np.testing.assert_allclose(found[0], again.table["estimate"], rtol=1e-9)
    assert np.isfinite(errors).all()


def test_what_is_refused_and_left_out() -> None:
    frame = rows(5)
    with pytest.raises(BarometreError, match="personne n'est vu deux fois"):
        att_gt(frame, "y", missing="balanced", **KEYS)
    lost = frame.assign(y=frame["y"].where(frame["t"] != 2))
    effects = att_gt(lost, "y", **KEYS)
    assert "sans résultat, ou à une date non comparée" in effects.meta["lost"]
    missing = pd.DataFrame(effects.meta["not_estimated"])
    assert set(missing["reason"]) == {"personne à comparer"}
    assert set(zip(missing["group"], missing["wave"], strict=True)) == {
        (3, 2), (3, 3), (3, 4), (3, 5), (4, 2), (4, 3)
    }  # fmt: skip


@pytest.mark.skipif(not SLOW, reason="simulation: BAROMETRE_SLOW=1")
@pytest.mark.parametrize("entries", [(0,) * 6 + (4,) * 6, (0,) * 9 + (4,) * 3, (0,) * 3 + (4,) * 3])
def test_the_level_is_held(entries: tuple[int, ...]) -> None:
    """400 draws: no more rejections than 7 % may give, one time in a thousand."""
    rejected = 0
    for seed in range(400):
        frame = rows(seed, entries=entries, effect=0.0)
        rejected += att_gt(frame, "y", cluster="c", **KEYS).aggregate("simple").overall.p < 0.05
    assert rejected <= 46
