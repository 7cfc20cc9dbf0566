"""ATT(g,t): by hand, by brute force, by differentiation, and what must not move it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import barometre.cohort.staggered.group_time_cells as cells
from barometre.cohort import Cohort
from barometre.cohort.staggered.group_time import att_gt
from barometre.cohort.staggered.group_time_means import Kind
from barometre.cohort.staggered.group_time_result import AttGt

KINDS: tuple[Kind, ...] = ("simple", "dynamic", "group", "calendar")
METHODS = ("dr", "ipw", "reg")
# Sums of a few dozen numbers of the order of 1, in another order.
ROUNDING = 1e-10


def effects(frame: pd.DataFrame, **options: Any) -> AttGt:
    return att_gt(frame, "y", person="id", wave="t", first_treated="g", **options)


def panel(
    seed: int, n: int = 60, groups: tuple[float, ...] = (0, 3, 4), lost: float = 0.0
) -> pd.DataFrame:
    """People entering at several waves of 1-5, with a covariate, a weight and a cluster."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame({"id": np.repeat(np.arange(n), 5), "t": np.tile(np.arange(1, 6), n)})
    rows["g"] = np.repeat(np.resize(groups, n), 5)
    rows["x"] = np.repeat(random.normal(size=n), 5) + rows["g"] / 10
    rows["w"] = np.repeat(random.uniform(0.5, 2, size=n), 5)
    rows["c"] = np.repeat(random.permutation(n) % 9, 5)
    rows["y"] = random.normal(size=5 * n) + rows["x"] * rows["t"] + (rows["t"] >= rows["g"])
    return rows[random.uniform(size=5 * n) >= lost].reset_index(drop=True)


COMPARED = ["group", "wave", "estimate", "se", "n_treated", "n_control"]


def same(one: AttGt, other: AttGt, rtol: float = 1e-9) -> None:
    """Same table and averages: 1e-9 is far above the rounding of sums taken in another order."""
    for first, second in [
        (one.table, other.table),
        *((one.aggregate(kind).table, other.aggregate(kind).table) for kind in KINDS),
    ]:
        assert_allclose(first.to_numpy(float), second.to_numpy(float), rtol=rtol, atol=1e-9)


# ---- by hand ------------------------------------------------------------------------------------


def test_two_groups_and_two_waves() -> None:
    rows = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5], "t": [1, 2] * 5})
    rows["g"], rows["y"] = [2] * 4 + [0] * 6, [0, 3, 1, 6, 0, 1, 2, 4, 5, 8]
    made = effects(rows)
    # Changes: 3 and 5 against 1, 2 and 3; sums of squares 2 and 2.
    expected = [2, 2, 4 - 2, np.sqrt(2 / 4 + 2 / 9), 2, 3]
    names = ["group", "wave", "estimate", "se", "n_treated", "n_control"]
    columns = [*names[:4], "low", "high", "df", "p", "n", *names[4:]]
    assert list(made.table.columns) == columns
    assert made.table["n"].tolist() == [5]
    assert_allclose(made.table[names].to_numpy(float)[0], expected)
    row = made.table.iloc[0]
    assert_allclose(
        row[["low", "high"]].astype(float), 2 + np.array([-1, 1]) * 1.959963984540054 * row["se"]
    )
    for kind in KINDS:
        overall = made.aggregate(kind).overall
        assert_allclose([overall.estimate, overall.se], expected[2:4])
        assert_allclose([overall.low, overall.high], row[["low", "high"]].astype(float))
    assert made.meta["n_in"] == made.meta["n_used"] == 5
    assert made.meta["lost"] == {}
    assert made.table.meta["version"]
    test = made.pretrend()
    assert np.isnan(test.p)
    assert test.meta["reason"] == "aucun coefficient avant le traitement"


def test_averages_by_hand() -> None:
    """Effects without noise: 10 g + t, for 1 person entering at 2, 2 at 3 and 3 at 4."""
    rows = pd.DataFrame(
        [
            (i, t, g, (10 * g + t) * (t >= g > 0))
            for i, g in enumerate([2, 3, 3, 4, 4, 4, 0, 0])
            for t in (1, 2, 3, 4)
        ],
        columns=["id", "t", "g", "y"],
    )
    made = effects(rows)
    a22, a23, a24, a33, a34, a44 = 22, 23, 24, 33, 34, 44
    treated = made.table[made.table["wave"] >= made.table["group"]]
    assert_allclose(treated["estimate"], [a22, a23, a24, a33, a34, a44])
    simple = (a22 + a23 + a24 + 2 * (a33 + a34) + 3 * a44) / 10
    assert_allclose(made.aggregate("simple").overall.estimate, simple)
    dynamic = made.aggregate("dynamic")
    late = [(a22 + 2 * a33 + 3 * a44) / 6, (a23 + 2 * a34) / 3, a24]
    assert dynamic.table["event_time"].tolist() == [-2, -1, 0, 1, 2]
    assert_allclose(dynamic.table["estimate"], [0, 0, *late])
    assert_allclose(dynamic.overall.estimate, np.mean(late))
    group = made.aggregate("group")
    assert_allclose(group.table["estimate"], [23, 33.5, 44])
    assert_allclose(group.overall.estimate, (23 + 2 * 33.5 + 3 * 44) / 6)
    calendar = made.aggregate("calendar")
    assert calendar.table["wave"].tolist() == [2, 3, 4]
    by_wave = [22, (23 + 66) / 3, (24 + 68 + 132) / 6]
    assert_allclose(calendar.table["estimate"], by_wave)
    assert_allclose(calendar.overall.estimate, np.mean(by_wave))


def test_seen_at_both_dates_or_at_every_wave() -> None:
    rows = pd.DataFrame({"id": np.repeat([1, 2, 3, 4, 5], 3), "t": [1, 2, 3] * 5})
    rows["g"] = [3] * 6 + [0] * 9
    rows["y"] = [0.0, 1, 5, 0, np.nan, 9, 0, 1, 2, 0, np.nan, 7, 0, 3, np.nan]
    pairs = effects(rows)
    # At wave 2: 1 against 1 and 3; at wave 3 from wave 2: 4 against 1. Person 2 is in none.
    assert_allclose(pairs.table["estimate"], [1 - 2, 4 - 1])
    assert pairs.table[["n_treated", "n_control"]].to_numpy().tolist() == [[1, 2], [1, 1]]
    assert pairs.meta["n_used"] == 3
    assert pairs.meta["lost"] == {"jamais vues aux deux dates d'une comparaison": 2}
    balanced = effects(rows, missing="balanced")
    assert_allclose(balanced.table["estimate"], [1 - 1, 4 - 1])
    assert balanced.meta["n_used"] == 2
    assert balanced.meta["lost"] == {"pas vues à toutes les vagues": 3}
    assert_allclose(effects(rows.dropna()).table.to_numpy(float), pairs.table.to_numpy(float))


def brute_force(
    rows: pd.DataFrame, control: str, base: str, anticipation: int
) -> list[list[float]]:
    """The definition read literally, one comparison after the other, people chosen one by one."""
    y = rows.set_index(["id", "t"])["y"].to_dict()
    weight = rows.set_index("id")["w"].to_dict()
    entry = rows.set_index("id")["g"].astype(float).replace(0, np.inf).to_dict()
    made: list[list[float]] = []
    for g in sorted(e for e in set(entry.values()) if 1 + anticipation < e < np.inf):
        last = max(t for t in range(1, 6) if t + anticipation < g)
        for t in range(1, 6):
            start = last if base == "universal" or t + anticipation >= g else t - 1
            if start < 1:
                continue
            changes: dict[str, list[float]] = {"treated": [], "control": []}
            weights: dict[str, list[float]] = {"treated": [], "control": []}
            for i, e in entry.items():
                free = e > max(t, start) + anticipation if control == "not_yet" else e == np.inf
                arm = "treated" if e == g else "control"
                if (i, t) in y and (i, start) in y and (e == g or free):
                    changes[arm].append(y[i, t] - y[i, start])
                    weights[arm].append(weight[i])
            mean = {arm: np.average(changes[arm], weights=weights[arm]) for arm in changes}
            variance = sum(
                sum(
                    (w * (d - mean[arm])) ** 2
                    for d, w in zip(changes[arm], weights[arm], strict=True)
                )
                / sum(weights[arm]) ** 2
                for arm in changes
            )
            se = np.sqrt(variance) if t != start else np.nan
            att = mean["treated"] - mean["control"]
            made.append([g, t, att, se, len(changes["treated"]), len(changes["control"])])
    return made


@pytest.mark.parametrize("anticipation", [0, 1])
@pytest.mark.parametrize("base", ["varying", "universal"])
@pytest.mark.parametrize("control", ["never", "not_yet"])
def test_every_comparison_by_brute_force(control: str, base: str, anticipation: int) -> None:
    rows = panel(1, n=50, groups=(0, 2, 3, 5), lost=0.15)
    made = effects(rows, control=control, base=base, anticipation=anticipation, weight="w")
    expected = brute_force(rows, control, base, anticipation)
    assert_allclose(made.table[COMPARED].to_numpy(float), expected, rtol=ROUNDING, atol=1e-12)


# ---- proofs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, *METHODS])
def test_influences_are_derivatives(method: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The influence of a person is her weight times the derivative of the estimate in it.

    For every cell and average, with waves missing: by central differences, whose error is of the
    order of the square of the step, 1e-8.
    """
    monkeypatch.setattr(cells, "STOP", 1e-15)  # the exact maximum, not the one R's glm stops at
    rows = panel(2, n=60, lost=0.1)
    options: dict[str, Any] = {"weight": "w"}
    if method:
        options |= {"method": method, "covariates": ["x"]}

    def everything(frame: pd.DataFrame) -> tuple[AttGt, np.ndarray[Any, Any]]:
        made = effects(frame, **options)
        averages = [made.aggregate(kind) for kind in KINDS]
        values = [made.table["estimate"]]
        for average in averages:
            values += [average.table["estimate"], pd.Series([average.overall.estimate])]
        return made, np.concatenate(values)

    made, _ = everything(rows)
    influence = np.column_stack(
        [made.influence, *(made.aggregate(kind).influence for kind in KINDS)]
    )
    assert_allclose(influence.sum(axis=0), 0, atol=1e-9)
    step = 1e-4
    for i in (0, 1, 2, 30, 31, 32):
        moved = [
            everything(rows.assign(w=rows["w"] * np.where(rows["id"] == i, 1 + sign * step, 1)))[1]
            for sign in (1, -1)
        ]
        derivative = (moved[0] - moved[1]) / (2 * step)
        assert_allclose(influence[i] / len(influence), derivative, rtol=1e-5, atol=1e-8)


def test_standard_errors_come_from_the_influences() -> None:
    rows = panel(3, lost=0.1)
    alone, grouped = effects(rows), effects(rows, cluster="c", se="CR0")
    cluster = rows.groupby("id")["c"].first()
    for made, weights in ((alone, None), (grouped, cluster)):
        for influence, se in [
            (made.influence, made.table["se"]),
            *(
                (average.influence, [*average.table["se"], average.overall.se])
                for average in map(made.aggregate, KINDS)
            ),
        ]:
            sums = influence if weights is None else influence.groupby(weights).sum()
            assert_allclose(np.sqrt((sums**2).sum()) / 60, np.array(se), rtol=ROUNDING)
    assert influence.index.tolist() == list(range(60))
    keys = alone.influence.columns.to_frame(index=False)
    pd.testing.assert_frame_equal(keys, pd.DataFrame(alone.table[["group", "wave"]]))
    dynamic = alone.aggregate("dynamic")
    assert_allclose(np.sqrt(np.diag(dynamic.vcov)), dynamic.table["se"], rtol=ROUNDING)
    assert dynamic.vcov.index.tolist() == dynamic.table["event_time"].tolist()


@pytest.mark.parametrize("method", METHODS)
def test_one_yes_no_covariate_is_reweighting(method: str) -> None:
    rows = panel(4, n=80, groups=(0, 4))
    rows["x"] = (rows["id"] % 3 == 0).astype(int)
    made = effects(rows, covariates="x", method=method, weight="w")
    wide = rows.pivot(index="id", columns="t", values="y")
    who = rows.groupby("id")[["g", "x", "w"]].first()
    for t, att in zip(made.table["wave"], made.table["estimate"], strict=True):
        change = wide[t] - wide[min(t - 1, 3)]
        mean = {
            (g, x): np.average(change[part.index], weights=part["w"])
            for (g, x), part in who.groupby(["g", "x"])
        }
        treated = who[who["g"] == 4].groupby("x")["w"].sum()
        gaps = {x: mean[4, x] - mean[0, x] for x in (0, 1)}
        expected = np.average([gaps[0], gaps[1]], weights=treated.loc[[0, 1]])
        # The logit stops where R's does, which leaves ten digits.
        assert_allclose(att, expected, rtol=1e-9 if method == "ipw" else ROUNDING)


def test_labels_are_indicators() -> None:
    rows = panel(5)
    rows["label"] = np.array(["a", "b", "c"])[rows["id"] % 7 % 3]
    hot = rows.assign(b=rows["label"] == "b", c2=rows["label"] == "c")
    same(effects(rows, covariates=["label"]), effects(hot, covariates=["b", "c2"]))


def test_covariates_are_those_of_the_base_wave() -> None:
    rows = panel(6, groups=(0, 4))
    now = rows.assign(
        x=np.where(rows["t"] == 3, rows["x"], rows["x"] * 100 + rows["t"] ** 2 * rows["id"])
    )
    one, other = (effects(frame, covariates=["x"], base="universal") for frame in (rows, now))
    assert_allclose(one.table["estimate"], other.table["estimate"])
    holes = rows.assign(x=rows["x"].where((rows["t"] != 3) | (rows["id"] > 9)))
    made = effects(holes, covariates=["x"], base="universal")
    assert set(made.table["n_treated"] + made.table["n_control"]) == {50, 60}  # 60 at the base
    assert made.meta["lost"] == {}  # at the base itself no covariate is needed
    varying = effects(holes.assign(x=rows["x"].where(rows["id"] > 9)), covariates=["x"])
    assert varying.meta["lost"] == {"jamais vues aux deux dates d'une comparaison": 10}
    kept = effects(rows[rows["id"] > 9], covariates=["x"], base="universal")
    assert_allclose(made.table["estimate"], kept.table["estimate"])
    assert_allclose(made.table["se"], kept.table["se"])


@pytest.mark.parametrize("control", ["never", "not_yet"])
@pytest.mark.parametrize("base", ["varying", "universal"])
@pytest.mark.parametrize("method", ["plain", "reg", "dr"])
def test_effects_without_noise_are_recovered(control: str, base: str, method: str) -> None:
    """Parallel trends given x, no noise: each effect is found, whatever the estimator."""
    rows = panel(7, groups=(0, 2, 3, 5))
    effect = (rows["g"] ** 2 + rows["t"]) * ((rows["t"] >= rows["g"]) & (rows["g"] > 0))
    rows["y"] = rows["id"] * 3.0 + rows["t"] ** 2 + effect
    options: dict[str, Any] = {"control": control, "base": base}
    if method != "plain":
        rows["y"] += rows["x"] * rows["t"] ** 2
        rows["x"] = rows["x"].round(3)
        rows["y"] = rows["id"] * 3.0 + rows["t"] ** 2 * (1 + rows["x"]) + effect
        options |= {"covariates": ["x"], "method": method}
    made = effects(rows, **options).table
    true = (made["group"] ** 2 + made["wave"]) * (made["wave"] >= made["group"])
    assert_allclose(made["estimate"], true, atol=1e-9)


def test_recovery_and_coverage() -> None:
    """Over 100 cohorts: no bias, and intervals that cover 95 times in 100, 3 errors off at most."""
    found, covered, errors = [], 0, []
    for seed in range(100):
        rows = panel(1000 + seed, n=90, lost=0.1)
        overall = effects(rows, covariates=["x"]).aggregate("simple").overall
        found.append(overall.estimate - 1)
        errors.append(overall.se)
        covered += overall.low <= 1 <= overall.high
    assert abs(np.mean(found)) < 3 * np.std(found) / 10
    assert 95 - 3 * np.sqrt(95 * 5 / 100) <= covered
    assert 0.8 < np.mean(errors) / np.std(found) < 1.25  # a spread of 100 draws is known to 7 %


# ---- invariance ---------------------------------------------------------------------------------


@settings(max_examples=12)
@given(
    st.integers(0, 10_000), st.sampled_from(["plain", "dr"]), st.sampled_from(["never", "not_yet"])
)
def test_what_changes_nothing(seed: int, method: str, control: str) -> None:
    rows = panel(seed, lost=0.05)
    random = np.random.default_rng(seed)
    options: dict[str, Any] = {"control": control, "weight": "w"}
    if method == "dr":
        options |= {"covariates": ["x"]}
    made = effects(rows, **options)
    names = pd.Series([f"p{i}" for i in random.permutation(60)])
    same(made, effects(rows.assign(id=rows["id"].map(names)), **options))
    same(made, effects(rows.sample(frac=1, random_state=seed), **options))
    same(
        made,
        effects(
            rows.assign(y=rows["y"] + rows["id"].map(dict(enumerate(random.normal(size=60))))),
            **options,
        ),
    )
    same(made, effects(rows.assign(w=rows["w"] * 7), **options))
    same(made, effects(rows.assign(x=rows["x"] * 1000 - 5), **options))
    later = effects(
        rows.assign(t=rows["t"] + 2020, g=rows["g"].where(rows["g"] == 0, rows["g"] + 2020)),
        **options,
    )
    assert_allclose(made.table["estimate"], later.table["estimate"], atol=1e-9)
    doubled = effects(rows.assign(y=-2 * rows["y"]), **options)
    assert_allclose(doubled.table["estimate"], -2 * made.table["estimate"], atol=1e-9)
    assert_allclose(doubled.table["se"], 2 * made.table["se"], atol=1e-9)


def test_each_way_of_writing_never() -> None:
    rows = panel(8)
    made = effects(rows)
    for never in (np.nan, np.inf, 6.0, 99.0):  # 6: after the last wave
        same(made, effects(rows.assign(g=rows["g"].astype(float).replace(0.0, never))))
    same(made, effects(rows.assign(g=rows["g"].astype("Int64").where(rows["g"] > 0))))
    assert made.table["group"].dtype == np.int64


def test_the_rows_received_are_not_touched() -> None:
    rows = panel(9, lost=0.1)
    before = rows.copy()
    effects(rows, covariates=["x"], weight="w", cluster="c").aggregate("group")
    pd.testing.assert_frame_equal(rows, before)


def test_the_verb_is_the_function() -> None:
    rows = panel(10)
    cohort = Cohort(rows, "id", "t", first_treated="g", weight="w", cluster="c")
    same(cohort.att_gt("y"), effects(rows, weight="w", cluster="c"))  # that of the cohort
    same(cohort.att_gt("y", cluster="id"), effects(rows, weight="w"))  # the person by default
    same(
        cohort.att_gt(
            "y",
            control="not_yet",
            base="universal",
            covariates=["x"],
            method="ipw",
            missing="balanced",
            anticipation=1,
        ),
        effects(
            rows,
            control="not_yet",
            base="universal",
            covariates=["x"],
            method="ipw",
            cluster="c",
            missing="balanced",
            anticipation=1,
            weight="w",
        ),
    )


def test_the_cluster_is_that_of_the_first_wave() -> None:
    rows = panel(11)
    moved = rows.assign(c=np.where(rows["t"] > 2, 0, rows["c"]))
    same(effects(rows, cluster="c"), effects(moved.sample(frac=1, random_state=0), cluster="c"))
