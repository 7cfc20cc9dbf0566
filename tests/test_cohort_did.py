"""Difference in differences and two-way fixed effects."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from barometre.base.errors import BarometreError
from barometre.cohort import Cohort
from barometre.cohort.inference.estimates import FewClustersWarning
from tests.columns import cluster_robust, did, event_study, twfe


def people(n: int = 40, gaps: bool = False, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.repeat(np.arange(n), 4), "year": np.tile(range(2024, 2028), n)})
    frame["qp"] = frame["id"] % 8
    frame["arm"] = (frame["qp"] < 4).astype(int)
    frame["start"] = np.where(frame["arm"], 2026, 0)
    frame["post"] = frame["year"] >= 2026
    frame["on"] = frame["arm"] * frame["post"]
    frame["dose"] = frame["on"] * rng.uniform(0, 2, len(frame))
    frame["w"] = rng.uniform(0.5, 2, len(frame))
    frame["y"] = (
        rng.normal(size=n)[frame["id"]]
        + rng.normal(size=len(frame))
        + 0.7 * frame["on"]
        + 0.1 * frame["year"]
    )
    if gaps:
        frame.loc[rng.choice(len(frame), 25, replace=False), "y"] = np.nan
        frame = frame.drop(index=rng.choice(len(frame), 20, replace=False).tolist())
    return frame.sample(frac=1, random_state=seed)


def cohort(frame: pd.DataFrame, **roles: Any) -> Cohort:
    return Cohort(frame, "id", "year", **{"arm": "arm", "first_treated": "start", **roles})


def ols(frame: pd.DataFrame, formula: str, weight: str | None = None, **options: Any) -> Any:
    used = frame.dropna(subset="y")
    if options.get("cov_type") == "cluster":
        options["cov_kwds"] = {"groups": used["qp"]}
    return smf.wls(formula, used, weights=1 if weight is None else used[weight]).fit(**options)


# ---- 2 x 2 --------------------------------------------------------------------------------------


def test_four_means_by_hand() -> None:
    # Controls 10, 20 then 12, 24: +3. Treated 30, 40 then 41, 45: +8. Effect 5.
    effect = did(
        [10, 20, 12, 24, 30, 40, 41, 45],
        [0] * 4 + [1] * 4,
        [0, 0, 1, 1] * 2,
        cluster=list("ababcdcd"),
    )
    assert effect.estimate == 5
    assert effect.details is not None
    assert effect.details[["arm", "post", "mean", "n"]].to_numpy().tolist() == [
        [0, 0, 15, 2], [0, 1, 18, 2], [1, 0, 35, 2], [1, 1, 43, 2],
    ]  # fmt: skip
    # Personal changes 2, 4 and 11, 5: deviations 1 and 3, each over 2 people, G/(G-1) (n-1)/(n-k).
    assert effect.se == pytest.approx(np.sqrt((2 * 0.5**2 + 2 * 1.5**2) * 4 / 3 * 7 / 4), rel=1e-12)
    assert (effect.df, effect.n) == (3, 8)
    half = stats.t.ppf(0.975, 3) * effect.se
    assert [effect.low, effect.high] == pytest.approx([5 - half, 5 + half])
    assert effect.p == pytest.approx(2 * stats.t.sf(5 / effect.se, 3))


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("weight", [None, "w"])
def test_did_is_the_interaction_of_statsmodels(gaps: bool, weight: str | None) -> None:
    frame = people(gaps=gaps)
    frame["after"] = frame["post"].astype(int)
    for se, kind in (("CR1", "cluster"), ("HC1", "HC1")):
        other = ols(frame, "y ~ arm * after", weight, cov_type=kind)
        ours = cohort(frame).did("y", post=2026, se=se, cluster="qp", weight=weight)  # type: ignore[arg-type]  # a str of the cases, for a literal
        # 1e-9: two ways of solving the same equations
        assert ours.estimate == pytest.approx(other.params["arm:after"], rel=1e-9)
        assert ours.se == pytest.approx(other.bse["arm:after"], rel=1e-9)
        assert ours.n == other.nobs
    design = frame[["arm", "after", "on"]][frame["y"].notna()]
    used = frame.dropna(subset="y")
    full = cluster_robust(
        used["y"], design, used["qp"], se="CR2", weight=None if weight is None else used[weight]
    )
    ours = cohort(frame).did("y", post=2026, se="CR2", cluster="qp", weight=weight)
    assert ours.se == pytest.approx(full.table["se"].iloc[-1], rel=1e-9)
    assert ours.df == pytest.approx(full.table["df"].iloc[-1], rel=1e-9)


def test_every_way_to_say_after() -> None:
    frame = people()
    panel = cohort(frame)
    expected = panel.did("y", 2026)
    for post in (
        [2026, 2027],
        {2026, 2027},
        range(2026, 2028),
        np.array([2026, 2027]),
        "post",
        frame["post"].to_numpy(),
        frame["post"],
        2025.5,
        np.int64(2026),
    ):
        assert panel.did("y", post).estimate == expected.estimate
    for waves, start in (
        (pd.to_datetime(frame["year"].astype(str)), "2026-01-01"),
        (pd.to_datetime(frame["year"].astype(str)), pd.Timestamp(2026, 1, 1)),
        (pd.PeriodIndex(frame["year"].astype(str), freq="Y"), pd.Period("2026")),
        (
            pd.Categorical(
                frame["year"].map({2024: "d", 2025: "c", 2026: "b", 2027: "a"}),
                list("dcba"),
                ordered=True,
            ),
            "b",
        ),
    ):
        other = Cohort(frame.assign(year=waves), "id", "year", arm="arm")
        assert other.did("y", start).estimate == pytest.approx(expected.estimate, rel=1e-12)
    assert cohort(frame.assign(arm=frame["arm"] == 1)).did("y", 2026).estimate == expected.estimate


def test_people_lost_are_counted() -> None:
    frame = people()
    frame.loc[(frame["id"] < 3) | ((frame["id"] == 5) & frame["post"]), "y"] = np.nan
    effect = cohort(frame).did("y", 2026)
    assert effect.meta["n_in"] == 40
    assert effect.meta["n_used"] == 37
    assert effect.meta["lost"] == {"résultat manquant à toutes les vagues": 3}
    assert effect.meta["rows_lost"] == {"résultat manquant": 14}
    assert effect.meta["n_before_and_after"] == 36
    assert effect.n == effect.meta["rows_used"] == 146
    assert effect.meta["version"]


def test_the_cluster_is_said() -> None:
    frame = people()
    alone = cohort(frame).did("y", 2026)
    assert alone.meta["cluster"] == "id (la personne, faute de cluster=)"
    assert alone.df == 39
    declared = cohort(frame, cluster="qp").did("y", 2026)
    asked = cohort(frame).did("y", 2026, cluster="qp")
    assert declared.se == asked.se != alone.se
    assert (declared.meta["cluster"], declared.df) == ("qp", 7)
    assert cohort(frame, cluster="qp").did("y", 2026, cluster="id").se == alone.se
    assert cohort(frame).did("y", 2026, se="HC1").meta["cluster"] is None
    weighted = cohort(frame, weight="w").did("y", 2026)
    assert weighted.estimate == cohort(frame).did("y", 2026, weight="w").estimate


def test_an_arm_in_one_cluster_is_said() -> None:
    frame = people()
    frame["big"] = np.where(frame["arm"] == 1, 0, frame["qp"])
    with pytest.warns(FewClustersWarning, match="une seule grappe"):
        effect = cohort(frame).did("y", 2026, cluster="big")
    assert (effect.meta["n_clusters_treated"], effect.meta["n_clusters_control"]) == (1, 4)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"outcome": "z"}, "z : colonne absente"),
        ({"post": 2030}, "témoins après"),
        ({"post": 2020}, "témoins avant"),
        ({"post": "apres"}, "« apres » inconnu"),
        ({"post": [2026, 2031]}, "vague « 2031 » inconnu"),
        ({"post": "year"}, "0"),
        ({"se": "CR9"}, "erreur « CR9 »"),
        ({"cluster": "year"}, "change d'une vague à l'autre pour 40 personnes"),
        ({"cluster": "one"}, "une seule grappe"),
        ({"cluster": "hole"}, "manquante"),
        ({"cluster": "nope"}, "nope : colonne absente"),
        ({"weight": "zero"}, "négatifs ou nuls"),
        ({"outcome": "text"}, "nombres"),
        ({"outcome": "void"}, "aucune valeur"),
        ({"outcome": "endless"}, "infinie"),
    ],
)
def test_did_refusals(call: dict[str, Any], said: str) -> None:
    frame = people().assign(one=1, zero=0.0, text="a", void=np.nan)
    frame["hole"] = frame["qp"].where(frame["id"] != 3)
    frame["endless"] = np.where(frame["id"] == 0, np.inf, 1.0)
    with pytest.raises(BarometreError, match=said):
        cohort(frame).did(**{"outcome": "y", "post": 2026, **call})


def test_arms_that_are_not_0_and_1() -> None:
    frame = people()
    for arm, said in (("a", "'a'"), (2, "2")):
        with pytest.raises(BarometreError, match=said):
            cohort(
                frame.assign(
                    arm=np.where(frame["arm"] == 1, arm, 0)
                    if arm == 2
                    else np.where(frame["arm"] == 1, "a", "b")
                )
            ).did("y", 2026)
    with pytest.raises(BarometreError, match="cohorte sans arm"):
        Cohort(frame, "id", "year").did("y", 2026)
    with pytest.raises(BarometreError, match="4 lignes"):
        did([1, 2, 3, 4], [0, 0, 1, 1], [0, 1, 0, 1], cluster=[1, 1, 2, 2])


# ---- two-way fixed effects ----------------------------------------------------------------------


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("treated", ["on", "dose"])
def test_twfe_is_the_regression_on_dummies(gaps: bool, weight: str | None, treated: str) -> None:
    frame = people(gaps=gaps)
    formula = f"y ~ {treated} + C(id) + C(year)"
    for se, kind in (("CR1S", "cluster"), ("HC1", "HC1")):
        other = ols(frame, formula, weight, cov_type=kind)
        ours = cohort(frame).twfe("y", treated=treated, se=se, cluster="qp", weight=weight)  # type: ignore[arg-type]  # a str of the cases, for a literal
        assert ours.estimate == pytest.approx(other.params[treated], rel=1e-9)
        assert ours.se == pytest.approx(other.bse[treated], rel=1e-9)
    slow = cohort(frame).twfe("y", treated, se="CR3", cluster="qp", weight=weight)
    assert slow.estimate == pytest.approx(ours.estimate, rel=1e-9)


@pytest.mark.parametrize("weight", [None, "w"])
def test_cr2_with_people_removed_is_that_with_all_dummies(weight: str | None) -> None:
    frame = people(gaps=True).dropna(subset="y")
    dummies = pd.get_dummies(frame[["id", "year"]].astype(str), drop_first=True).assign(
        on=frame["on"]
    )
    weights = None if weight is None else frame[weight]
    full = cluster_robust(frame["y"], dummies, frame["qp"], se="CR2", weight=weights).table.iloc[-1]
    ours = cohort(frame).twfe("y", "on", se="CR2", cluster="qp", weight=weight)
    assert ours.se == pytest.approx(full["se"], rel=1e-9)
    assert ours.df == pytest.approx(full["df"], rel=1e-9)


def test_panel_in_two_pieces() -> None:
    """Waves 1-2 and waves 3-4 share nobody: a wave effect more cannot be told from the people's."""
    frame = people(60)
    early = frame["id"] % 2 == 0
    frame["on"] = (frame["id"] % 3 == 0) & (frame["year"].isin([2025, 2027]))
    frame = frame[(early & (frame["year"] < 2026)) | (~early & (frame["year"] >= 2026))]
    dummies = pd.get_dummies(frame[["id", "year"]].astype(str)).assign(on=frame["on"])
    beta = np.linalg.lstsq(dummies.to_numpy(float), frame["y"], rcond=None)[0]
    for se in ("CR0", "CR3"):
        ours = cohort(frame).twfe("y", "on", se=se)
        assert ours.estimate == pytest.approx(beta[-1], rel=1e-9)


def test_balanced_twfe_is_the_did() -> None:
    panel = cohort(people())
    assert panel.twfe("y", "on").estimate == pytest.approx(panel.did("y", 2026).estimate, rel=1e-10)


def test_twfe_refusals() -> None:
    frame = people()
    panel = cohort(frame)
    for column in ("arm", "post"):
        with pytest.raises(BarometreError, match="seules personnes et vagues"):
            panel.twfe("y", column)
        with pytest.raises(BarometreError, match="combinaison"):
            panel.twfe("y", column, se="CR2")
    with pytest.raises(BarometreError, match="onn : colonne absente ; vouliez-vous dire « on »"):
        panel.twfe("y", "onn")
    with pytest.raises(BarometreError, match="expliquent tout"):
        cohort(frame.drop_duplicates("id")).twfe("y", "on")
    frame["hole"] = frame["on"].where(frame["id"] != 1).astype("Int64")
    with pytest.raises(BarometreError, match="hole : 4 valeurs manquantes"):
        cohort(frame).twfe("y", "hole")
    frame.loc[frame["id"] == 1, "y"] = np.nan  # no outcome, so no treatment needed
    assert cohort(frame).twfe("y", "hole").meta["n_used"] == 39


def test_someone_seen_once_changes_nothing_but_the_counts() -> None:
    frame = people()
    alone = pd.DataFrame(
        {"id": [99], "year": [2027], "y": [50.0], "on": [1], "arm": [1], "start": [2026]}
    )
    ours, more = cohort(frame).twfe("y", "on"), cohort(pd.concat([frame, alone])).twfe("y", "on")
    assert more.estimate == pytest.approx(ours.estimate, rel=1e-9)
    assert more.n == ours.n + 1


# ---- what must not matter -----------------------------------------------------------------------


@given(st.integers(0, 20), st.booleans(), st.floats(0.01, 100))
@settings(max_examples=15)
def test_labels_order_and_unit_of_weights(seed: int, gaps: bool, unit: float) -> None:
    frame = people(16, gaps, seed)
    other = frame.sample(frac=1, random_state=seed + 1).assign(w=frame["w"] * unit)
    other["id"] = "p" + (997 - other["id"]).astype(str)
    for se in ("CR1", "CR2"):
        for verb, how in (("did", 2026), ("twfe", "on")):
            a, b = (
                getattr(cohort(f, cluster="qp", weight="w"), verb)("y", how, se=se)
                for f in (frame, other)
            )
            # 1e-8: additions in another order, in nearly singular clusters for CR2
            assert (a.estimate, a.se, a.df) == pytest.approx((b.estimate, b.se, b.df), rel=1e-8)


@given(st.lists(st.floats(-1e4, 1e4), min_size=16, max_size=16), st.booleans())
@settings(max_examples=15)
def test_a_constant_per_person(constants: list[float], gaps: bool) -> None:
    frame = people(16, gaps)
    moved = frame.assign(y=frame["y"] + np.array(constants)[frame["id"]])
    a, b = (cohort(f).twfe("y", "on") for f in (frame, moved))
    assert (a.estimate, a.se) == pytest.approx((b.estimate, b.se), rel=1e-7)  # 1e4 + y loses digits
    if not gaps:
        a, b = (cohort(f).did("y", 2026) for f in (frame, moved))
        assert a.estimate == pytest.approx(b.estimate, rel=1e-7)


def test_columns_instead_of_a_cohort() -> None:
    frame = people(gaps=True)
    panel = cohort(frame)
    columns = frame["y"], frame["id"], frame["year"]
    a, b = twfe(*columns, frame["on"], cluster=frame["qp"]), panel.twfe("y", "on", cluster="qp")
    assert (a.estimate, a.se, a.n) == pytest.approx((b.estimate, b.se, b.n), rel=1e-10)
    a = did(frame["y"], frame["arm"], frame["post"], cluster=frame["id"])
    assert a.se == pytest.approx(panel.did("y", 2026).se, rel=1e-10)
    c, d = event_study(*columns, frame["start"]), panel.event_study("y")
    np.testing.assert_allclose(c.table.drop(columns="n"), d.table.drop(columns="n"), rtol=1e-9)
    with pytest.raises(BarometreError, match="change d'une vague"):
        twfe(*columns, frame["on"], cluster=frame["year"])


def test_frames_are_left_as_they_were() -> None:
    frame = people(gaps=True)
    before = frame.copy()
    panel = cohort(frame)
    panel.did("y", 2026, weight="w")
    panel.twfe("y", "on", se="CR2", weight="w")
    panel.event_study("y")
    pd.testing.assert_frame_equal(frame, before)


def test_recovery_and_coverage() -> None:
    """300 panels with an effect of 0.7: mean within 4 Monte-Carlo errors; of 95 % intervals with 8
    clusters, at least 90 % and at most 99 % hold it (4 errors of a share around 95 %)."""
    found = [
        cohort(people(seed=seed), cluster="qp").did("y", 2026, se="CR2") for seed in range(300)
    ]
    effects = np.array([f.estimate for f in found])
    assert abs(effects.mean() - 0.7) < 4 * effects.std() / np.sqrt(300)
    assert 0.90 <= np.mean([f.low <= 0.7 <= f.high for f in found]) <= 0.995


def test_a_constant_per_person_leaves_the_clustered_error_alone() -> None:
    """Residuals of an exact effect cancel in each cluster: nothing is left but rounding."""
    frame = people()
    frame["y"] = 3.0 * np.sin(frame["id"]) + 0.1 * (frame["year"] - 2024) + 0.7 * frame["on"]
    frame["y"] += 1e3 * np.cos(frame["id"])
    effect = cohort(frame).did("y", post=2026)
    assert effect.estimate == pytest.approx(0.7, rel=1e-9)
    assert np.isnan(effect.se)
    assert np.isnan(effect.p)


def test_a_plain_date_is_a_wave() -> None:
    frame = people()
    never = pd.Series(pd.NaT, index=frame.index)
    dated = frame.assign(year=pd.to_datetime(frame["year"].astype(str)), start=never)
    expected = cohort(frame).did("y", post=2026)
    for start in (date(2026, 1, 1), datetime(2025, 6, 1), "2026-01-01", pd.Timestamp(2026, 1, 1)):
        assert cohort(dated).did("y", post=start).estimate == expected.estimate
