"""Effects by imputation: dummies, least squares and loops say the same, and what must not change."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barometre.base.arrays import Booleans
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort, did_imputation, event_study, feols, twfe

KEYS: dict[str, Any] = {"person": "id", "wave": "t", "first_treated": "g"}
SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
CLOSE = 1e-8  # a pseudo-inverse of fifty dummies


def rows(seed: int = 0, lost: float = 0.2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.repeat(np.arange(40), 5), "t": np.tile(np.arange(1, 6), 40)})
    frame["g"] = np.repeat(rng.choice([0, 3, 4, 9], size=40), 5)
    frame["c"] = frame["id"] % 9
    frame["x"], frame["w"] = rng.normal(size=200), rng.uniform(0.5, 2, 200)
    on = (frame["g"] > 0) & (frame["t"] >= frame["g"])
    frame["y"] = frame["id"] / 10 + frame["t"] ** 2 + frame["x"] + on * (1 + frame["t"])
    frame["y"] += rng.normal(size=200)
    return frame[rng.uniform(size=200) >= lost].sample(frac=1, random_state=seed)


def by_hand(
    frame: pd.DataFrame, chosen: Booleans, *, weighted: bool, covariate: bool, alone: bool
) -> tuple[float, float]:
    """Regress, predict, weigh and add up as the paper writes it."""
    on = ((frame["g"] > 0) & (frame["t"] >= frame["g"])).to_numpy()
    z = pd.get_dummies(frame[["id", "t"]].astype(str), dtype=float).to_numpy()
    if covariate:
        z = np.column_stack([z, frame["x"]])
    y = frame["y"].to_numpy()
    mass = frame["w"].to_numpy() if weighted else np.ones(len(frame))
    root = np.sqrt(mass[~on])[:, None]
    back = np.linalg.pinv(z[~on] * root)
    effect = y - z @ (back @ (root[:, 0] * y[~on]))
    weight = np.where(chosen, mass, 0) / mass[chosen].sum()
    v = weight.copy()
    v[~on] = -root[:, 0] * (back.T @ (z[on].T @ weight[on]))
    assert v @ y == pytest.approx(weight[chosen] @ effect[chosen], abs=1e-7)
    residual = effect.copy()
    cluster = frame["c"].to_numpy()
    for g, t in {(g, t) for g, t, o in zip(frame["g"], frame["t"], on, strict=True) if o}:
        cell = on & ((frame["g"] == g) & (frame["t"] == t)).to_numpy()
        own = {c: v[cell & (cluster == c)].sum() for c in set(cluster[cell])}
        sums = {c: (v * effect)[cell & (cluster == c)].sum() for c in own}
        for c in own:
            others = [d for d in own if not alone or d != c]
            below = sum(own[d] ** 2 for d in others)
            mean = sum(own[d] * sums[d] for d in others) / below if below else 0.0
            here = cell & (cluster == c)
            residual[here] = effect[here] - mean
        if alone and len(own) == 1:  # nobody else in the cell: all the other treated clusters
            (only,) = own  # noqa: RUF059 - of the query
            pairs = [
                (v[here].sum(), (v * effect)[here].sum())
                for _, here in frame.assign(row=np.arange(len(frame)))[on]
                .query("c != @only").groupby(["g", "t", "c"])["row"].apply(np.array).items()
            ]  # fmt: skip
            mean = sum(a * b for a, b in pairs) / sum(a * a for a, _ in pairs)
            residual[cell] = effect[cell] - mean
    total = sum((v * residual)[cluster == c].sum() ** 2 for c in set(cluster))
    return float(v @ y), float(np.sqrt(total))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("covariate", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_by_hand(weighted: bool, covariate: bool, alone: bool) -> None:
    frame = rows()
    effects = did_imputation(
        frame, "y", cluster="c", weight="w" if weighted else None,
        covariates=["x"] * covariate, leave_one_out=alone, **KEYS,
    )  # fmt: skip
    on = ((frame["g"] > 0) & (frame["t"] >= frame["g"])).to_numpy()
    options = {"weighted": weighted, "covariate": covariate, "alone": alone}
    overall = effects.aggregate("simple").overall
    estimate, se = by_hand(frame, on, **options)
    assert overall.estimate == pytest.approx(estimate, rel=CLOSE)
    assert overall.se == pytest.approx(se, rel=CLOSE)
    assert overall.df == 8
    late = effects.aggregate("dynamic").table.set_index("event_time").loc[1]
    found = by_hand(frame, on & (frame["t"] == frame["g"] + 1).to_numpy(), **options)
    assert tuple(late[["estimate", "se"]]) == pytest.approx(found, rel=CLOSE)
    cell = effects.table.iloc[0]
    here = on & ((frame["g"] == cell["group"]) & (frame["t"] == cell["wave"])).to_numpy()
    found = by_hand(frame, here, **options)
    assert tuple(cell[["estimate", "se"]]) == pytest.approx(found, rel=CLOSE)
    assert cell["n"] == here.sum()


def test_what_people_and_waves_have_in_common_does_not_count() -> None:
    frame = rows(1)
    one = did_imputation(frame, "y", cluster="c", **KEYS)
    moved = frame.assign(y=3 + 10 * frame["id"] ** 2 - 7 * frame["t"] + 2 * frame["y"])
    other = did_imputation(moved.sort_values("t"), "y", cluster="c", **KEYS)
    for column in ("estimate", "se"):
        np.testing.assert_allclose(other.table[column], 2 * one.table[column], rtol=1e-7)
    dates = frame.assign(
        t=pd.to_datetime((2020 + frame["t"]).astype(str), format="%Y"),
        g=pd.to_datetime((2020 + frame["g"]).astype(str).where(frame["g"] > 0), format="%Y"),
    )
    dated = did_imputation(dates, "y", cluster="c", **KEYS)
    np.testing.assert_allclose(dated.table["estimate"], one.table["estimate"], rtol=1e-9)
    assert dated.table["wave"].iloc[0] == pd.Timestamp("2023-01-01")


def test_one_date_and_everyone_seen_is_an_average_of_differences() -> None:
    frame = rows(2, lost=0).assign(g=lambda r: np.where(r["id"] < 15, 4, 0))
    frame["on"] = ((frame["g"] > 0) & (frame["t"] >= 4)).astype(int)
    means = frame.assign(after=frame["t"] >= 4).groupby(["g", "after"])["y"].mean()
    effects = did_imputation(frame, "y", cluster="c", **KEYS)
    overall = effects.aggregate().overall
    gap = (means[4, True] - means[4, False]) - (means[0, True] - means[0, False])
    assert overall.estimate == pytest.approx(gap, rel=1e-10)
    fixed = twfe(frame, "y", "on", person="id", wave="t", cluster="c")
    assert overall.estimate == pytest.approx(fixed.estimate, rel=1e-10)
    by_time = effects.aggregate("dynamic")
    assert by_time.overall.estimate == overall.estimate
    study = event_study(frame, "y", cluster="c", base=-1, **KEYS)
    assert set(by_time.table["event_time"]) == {e for e in study.table["event_time"] if e >= 0}


def test_influences_give_the_errors() -> None:
    frame = rows(3)
    effects = did_imputation(frame, "y", **KEYS)
    dynamic = effects.aggregate("dynamic")
    psi = dynamic.influence
    errors = np.sqrt(np.square(psi).sum()) / len(psi)
    np.testing.assert_allclose(errors.iloc[:-1], dynamic.table["se"], rtol=1e-10)
    assert errors["overall"] == pytest.approx(dynamic.overall.se, rel=1e-10)
    np.testing.assert_allclose(np.sqrt(np.diag(dynamic.vcov)), dynamic.table["se"], rtol=1e-10)
    assert np.isinf(dynamic.overall.df)
    assert list(psi.columns) == [*dynamic.table["event_time"], "overall"]


def test_what_cannot_be_imputed_is_left_out_and_counted() -> None:
    frame = rows(4, lost=0).query("g > 0 and g < 9")  # nobody is never treated
    effects = did_imputation(frame, "y", cluster="c", **KEYS)
    late = frame[frame["t"] >= 4]  # all are treated then
    assert effects.table["wave"].tolist() == [3]
    assert effects.meta["not_imputed"] == len(late)
    assert f"{len(late)} lignes (effets qui ne s'imputent pas" in effects.summary()
    first = rows(5, lost=0)
    first.loc[first["id"] < 3, "g"] = 1  # never seen before
    kept = did_imputation(first, "y", **KEYS)
    gone = did_imputation(first[first["g"] != 1], "y", **KEYS)
    np.testing.assert_allclose(kept.table["estimate"], gone.table["estimate"], rtol=1e-9)
    assert kept.meta["not_imputed"] == 15
    with pytest.raises(BarometreError, match="aucun effet ne s'impute"):
        did_imputation(first.assign(g=3), "y", **KEYS)
    with pytest.raises(BarometreError, match="personne n'est traité"):
        did_imputation(first.assign(g=0), "y", **KEYS)
    with pytest.raises(BarometreError, match="anticipation"):
        did_imputation(first, "y", anticipation=-1, **KEYS)


def test_a_cluster_alone_at_its_entry_is_compared_with_all_the_others() -> None:
    frame = rows(6, lost=0)
    frame.loc[frame["g"] == 3, "c"] = 100
    effects = did_imputation(frame, "y", cluster="c", **KEYS)
    on = ((frame["g"] > 0) & (frame["t"] >= frame["g"])).to_numpy()
    options = {"weighted": False, "covariate": False, "alone": True}
    overall = effects.aggregate().overall
    expected = by_hand(frame, on, **options)
    assert (overall.estimate, overall.se) == pytest.approx(expected, rel=CLOSE)
    plain = did_imputation(frame, "y", cluster="c", leave_one_out=False, **KEYS)
    assert plain.aggregate().overall.se < overall.se
    assert "grappes" in effects.meta["caution"]
    frame.loc[frame["g"].isin([3, 4]), "c"] = 100
    single = did_imputation(frame, "y", cluster="c", **KEYS)
    assert single.table["se"].isna().all()


def test_anticipation_imputes_the_waves_before() -> None:
    frame = rows(7, lost=0)
    effects = did_imputation(frame, "y", anticipation=1, **KEYS)
    early = did_imputation(
        frame.assign(g=frame["g"].where(frame["g"] == 0, frame["g"] - 1)), "y", **KEYS
    )
    times = effects.aggregate("dynamic").table
    assert times["event_time"].tolist() == [-1, 0, 1, 2]
    shifted = early.aggregate("dynamic").table
    np.testing.assert_allclose(times["estimate"], shifted["estimate"], rtol=1e-10)
    after = effects.table[effects.table["wave"] >= effects.table["group"]]
    weights = after["n"] / after["n"].sum()
    overall = effects.aggregate("calendar").overall.estimate
    assert overall == pytest.approx(float((weights * after["estimate"]).sum()), rel=1e-10)


def test_the_verb_of_a_cohort() -> None:
    frame = rows(8)
    people = Cohort(frame, "id", "t", first_treated="g", cluster="c", weight="w")
    effects = people.did_imputation("y", covariates=["x"])
    plain = did_imputation(frame, "y", cluster="c", weight="w", covariates=["x"], **KEYS)
    pd.testing.assert_frame_equal(pd.DataFrame(effects.table), pd.DataFrame(plain.table))
    assert "Imputation de ce que" in effects.summary()
    assert "<table" in effects._repr_html_()
    assert effects.aggregate("group").table["group"].tolist() == [3, 4]
    with pytest.raises(BarometreError, match="agrégation"):
        effects.aggregate("never")  # type: ignore[arg-type]  # what a mistake gives


def test_the_true_effect_is_found() -> None:
    found = np.empty(10)
    for seed in range(10):
        made = did_imputation(rows(100 + seed), "y", covariates=["x"], **KEYS)
        found[seed] = made.aggregate("dynamic").table["estimate"].iloc[0]
    # At their entry the effect is 4 or 5, by entry: the mean is between them.
    assert 3.9 < found.mean() < 5.1


def untreated(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["g"] == 0) | (frame["t"] < frame["g"])]


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("leads", [1, 2])
def test_before_the_entry_is_a_regression_of_the_untreated(weight: str | None, leads: int) -> None:
    """Leads beside people and waves, by person: Wald over q with the errors CR1."""
    frame = rows(3, lost=0.1)
    frame["g"] = frame["g"].replace(9, 0)
    test = did_imputation(frame, "y", weight=weight, **KEYS).pretrend(leads=leads)
    kept = untreated(frame)
    names = [f"lead{k}" for k in range(1, leads + 1)]
    since = (kept["t"] - kept["g"]).where(kept["g"] > 0)
    kept = kept.assign(**{name: 1.0 * (since == -k) for k, name in enumerate(names, 1)})
    fit = feols(f"y ~ {' + '.join(names)} | id + t", kept, weight=weight, cluster="id")
    b = fit.table.set_index("term")["estimate"][names].to_numpy()
    v = fit.vcov.loc[names, names].to_numpy()
    assert test.df == leads
    assert test.statistic == pytest.approx(b @ np.linalg.solve(v, b) / leads, rel=1e-8)


def test_before_the_entry_nothing_after_it_counts() -> None:
    frame = rows(4)
    on = (frame["g"] > 0) & (frame["t"] >= frame["g"])
    moved = frame.assign(y=frame["y"] + 50.0 * on * frame["x"])
    for options in ({}, {"cluster": "c"}, {"covariates": ["x"]}):
        one, other = (
            did_imputation(data, "y", **options, **KEYS).pretrend() for data in (frame, moved)
        )
        assert other.p == pytest.approx(one.p, rel=1e-9)
        assert np.isfinite(one.p)


def whole(treated: int, clusters: int, dates: int, seed: int = 0) -> pd.DataFrame:
    """Clusters of 3 people, the first ones entering at wave 4 (or 4 and 5), six waves."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.repeat(np.arange(3 * clusters), 6)})
    frame["t"] = np.tile(np.arange(1, 7), 3 * clusters)
    frame["c"] = frame["id"] // 3
    frame["g"] = np.where(frame["c"] < treated, 4 + frame["c"] % dates, 0)
    frame["y"] = rng.normal(size=(clusters, 7))[frame["c"], frame["t"]] + rng.normal(
        size=len(frame)
    )
    return frame


def test_before_the_entry_uneven_clusters_are_permuted_or_not_tested() -> None:
    frame = whole(2, 8, 1)
    test = did_imputation(frame, "y", cluster="c", **KEYS).pretrend()
    assert "permutation" in test.meta["method"]
    early = frame[frame["t"] < 4]
    same = event_study(early, "y", cluster="c", base=-3, **KEYS).pretrend()
    assert test.p == pytest.approx(same.p, rel=1e-12)
    several = did_imputation(whole(4, 12, 2), "y", cluster="c", **KEYS).pretrend()
    assert np.isnan(several.p)
    assert "plusieurs dates d'entrée" in several.summary()
    even = did_imputation(whole(6, 12, 1), "y", cluster="c", **KEYS).pretrend()
    assert "Hotelling" in even.meta["convention"]


def test_before_the_entry_slopes_count_from_the_mean_of_what_is_compared() -> None:
    """Time -1 against -3 and -2 together: 1.5 apart."""
    frame = whole(40, 80, 1)
    test = did_imputation(frame, "y", cluster="c", **KEYS).pretrend(leads=1)
    joined = event_study(untreated(frame), "y", cluster="c", base=-2, window=(-2, -1), **KEYS)
    se = joined.vcov.to_numpy()[0, 0] ** 0.5
    # With many clusters the slope is about that of a normal law, 2.8 errors of 1.5 units of time.
    assert test.slopes[0.8] == pytest.approx(2.8 * se / 1.5, rel=0.05)


@pytest.mark.skipif(not SLOW, reason="une minute : make slow")
@pytest.mark.parametrize(
    ("treated", "clusters", "dates", "leads"),
    [(2, 8, 1, 1), (5, 10, 1, None), (3, 12, 1, None), (12, 18, 2, None)],
)
def test_before_the_entry_the_level_holds(
    treated: int, clusters: int, dates: int, leads: int | None
) -> None:
    """300 draws: no more rejections than 7 % may give, one time in a thousand."""
    p = [
        did_imputation(whole(treated, clusters, dates, seed), "y", cluster="c", **KEYS)
        .pretrend(leads=leads, draws=199)
        .p
        for seed in range(300)
    ]
    assert np.isfinite(p).all()
    assert (np.array(p) <= 0.05).sum() <= stats.binom.ppf(0.999, 300, 0.07)


def test_before_the_entry_leads_must_leave_something() -> None:
    effects = did_imputation(whole(6, 12, 1), "y", cluster="c", **KEYS)
    for leads in (0, 3):
        with pytest.raises(BarometreError, match=f"leads={leads} pour 3 durées avant l'entrée"):
            effects.pretrend(leads=leads)
    late = whole(6, 12, 1).query("t >= 3")
    nothing = did_imputation(late, "y", cluster="c", **KEYS).pretrend()
    assert "aucun coefficient" in nothing.meta["reason"]
