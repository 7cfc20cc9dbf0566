"""Durations: curves, quantiles, means and tests hold to R, to statsmodels and to brute force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.cohort import (
    cumulative_incidence,
    kaplan_meier,
    logrank,
    rmst,
    survival_quantile,
)
from barometre.errors import BarometreError

GOLDEN = Path(__file__).parent.parent.parent / "shared" / "golden" / "cohort"
PRINTED = 1e-9  # the reference files print 15 digits; ours differ by the order of sums
golden = pytest.mark.skipif(not GOLDEN.exists(), reason="reference data are not beside the project")


def reference(name: str) -> pd.DataFrame:
    return pd.read_csv(next((GOLDEN / "results").glob(f"{name}__*.csv")))


def data(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / "data" / f"{name}.csv")


def parts(frame: pd.DataFrame) -> list[tuple[Any, pd.DataFrame]]:
    """The specifications of a file of results."""
    return list(frame.groupby(["dataset", "spec", "conf_type"]))


def durations(dataset: str, spec: str) -> dict[str, Any]:
    """The columns of a specification of R."""
    file = {"mvad": "mvad_time_to_first_employment"}.get(dataset, dataset)
    frame = data(file)
    time, event = {
        "lung": ("time", frame.get("status", pd.Series()).eq(2)),
        "rossi": ("week", frame.get("arrest")),
        "mvad": ("time", frame.get("event")),
    }[dataset]
    columns: dict[str, Any] = {"duration": frame[time], "event": event}
    if "weights" in spec:
        return columns | {"weight": frame["age"] / frame["age"].mean()}
    by = spec.split("~")[1]
    return columns if by == "1" else columns | {"by": f"{by}=" + frame[by].astype(str)}


# ---- R ------------------------------------------------------------------------------------------

DATASETS = ("lung", "rossi", "mvad")


@golden
def test_curves_of_r() -> None:
    curves = reference("km_curves")
    curves = curves[curves["dataset"].isin(DATASETS)]
    seen = 0
    for (dataset, spec, conf), expected in parts(curves):
        curve = kaplan_meier(**durations(dataset, spec), conf_type=conf)
        if "group" in curve:
            curve = curve.set_index("group").loc[expected["stratum"].unique()].reset_index()
        assert len(curve) == len(expected)
        for ours, theirs in [
            ("time", "time"), ("n_risk", "n_risk"), ("n_event", "n_event"), ("n_censor", "n_censor"),
            ("survival", "surv"), ("std_err", "std_err"), ("low", "lower"), ("high", "upper"),
        ]:  # fmt: skip
            np.testing.assert_allclose(curve[ours], expected[theirs], rtol=0, atol=PRINTED)
        seen += 1
    assert seen == 10


@golden
@pytest.mark.parametrize(("file", "number"), [("km_quantiles", 10), ("mvad_km_quantiles", 3)])
def test_quantiles_and_means_of_r(file: str, number: int) -> None:
    rows = reference(file)
    rows = rows[rows["dataset"].isin(DATASETS)]
    seen = 0
    for (dataset, spec, conf), expected in parts(rows):
        columns = durations(dataset, spec)
        expected = expected.sort_values("stratum")
        quantiles = survival_quantile(**columns, q=[0.25, 0.5, 0.75], conf_type=conf)
        found = quantiles[["quantile", "low", "high"]].to_numpy().reshape(len(expected), 9)
        np.testing.assert_array_equal(found, expected.loc[:, "q25":].to_numpy(np.float64))
        means = rmst(**columns)
        np.testing.assert_allclose(means["rmst"], expected["rmean"], rtol=PRINTED)
        np.testing.assert_allclose(means["std_err"], expected["se_rmean"], rtol=PRINTED)
        np.testing.assert_allclose(means["events"], expected["events"], rtol=PRINTED)
        assert means["n"].tolist() == expected["n"].tolist()
        seen += 1
    assert seen == number


@golden
@pytest.mark.parametrize("by", [None, "sex"])
def test_cumulative_incidence_of_r(by: str | None) -> None:
    frame = data("mgus2")
    time = frame["ptime"].where(frame["pstat"] == 1, frame["futime"])
    cause = frame["pstat"].where(frame["pstat"] == 1, 2 * frame["death"])
    group = None if by is None else "sex=" + frame[by]
    curves = cumulative_incidence(time, cause, by=group)
    if by is None:
        curves.insert(0, "group", "all")
    expected = reference("cuminc").query("dataset == 'mgus2'")
    expected = expected[expected["spec"].str.contains("~1" if by is None else "~sex")]
    expected = expected.assign(cause=expected["state"].map({"pcm": 1, "death": 2}))
    found = pd.merge_asof(
        expected.assign(time=expected["time"].astype(float)).sort_values("time"),
        curves[["group", "cause", "time", "cif", "std_err"]].sort_values("time"),
        on="time", by=["group", "cause"],
    )  # fmt: skip
    assert len(found) == len(expected) == (16 if by is None else 32)
    np.testing.assert_allclose(found["cif_y"], found["cif_x"], rtol=0, atol=PRINTED)
    np.testing.assert_allclose(found["std_err"], found["se"], rtol=0, atol=PRINTED)


@golden
@pytest.mark.parametrize(
    ("dataset", "spec", "rho"),
    [("lung", "logrank sex", 0), ("lung", "Peto-Peto rho=1 sex", 1), ("rossi", "logrank fin", 0)],
)
def test_log_rank_of_r(dataset: str, spec: str, rho: float) -> None:
    expected = reference("logrank").query("dataset == @dataset and spec == @spec").iloc[0]
    columns = durations(dataset, "x~" + spec.split()[-1])
    test = logrank(**columns, rho=rho)
    assert test.chisq == test.statistic == pytest.approx(expected["chisq"], rel=PRINTED)
    assert test.p == pytest.approx(expected["p"], rel=PRINTED)
    assert test.df == expected["df"]
    assert test.table["observed"][0] == pytest.approx(expected["obs1"], rel=PRINTED)
    assert test.table["expected"][0] == pytest.approx(expected["exp1"], rel=PRINTED)


# ---- brute force and statsmodels ----------------------------------------------------------------

SMALL = st.integers(0, 2**31).map(lambda seed: sample(seed))


def sample(seed: int, size: int = 25) -> pd.DataFrame:
    """Durations with ties, three causes, late entries, weights, two groups."""
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, 4, size)
    return pd.DataFrame(
        {
            "entry": entry,
            "time": entry + rng.integers(1, 8, size),
            "cause": rng.integers(0, 3, size),
            "weight": rng.uniform(0.5, 2, size),
            "group": rng.integers(0, 2, size),
            "stratum": rng.integers(0, 2, size),
        }
    )


@settings(max_examples=25)
@given(SMALL)
def test_curves_by_their_definition(frame: pd.DataFrame) -> None:
    curve = kaplan_meier(frame["time"], frame["cause"] > 0, entry=frame["entry"])
    incidence = cumulative_incidence(frame["time"], frame["cause"], entry=frame["entry"])
    survival, done = 1.0, {1: 0.0, 2: 0.0}
    for row in curve.itertuples():
        at_risk = ((frame["entry"] < row.time) & (frame["time"] >= row.time)).sum()
        leaving = frame.loc[frame["time"] == row.time, "cause"]
        for cause in done:
            done[cause] += survival * (leaving == cause).sum() / at_risk
        survival *= 1 - (leaving > 0).sum() / at_risk
        assert (row.n_risk, row.n_event) == (at_risk, (leaving > 0).sum())
        assert row.n_censor == (leaving == 0).sum()
        assert row.survival == pytest.approx(survival, abs=1e-12)
        found = incidence[incidence["time"] == row.time]
        for cause, value in zip(found["cause"], found["cif"], strict=True):
            assert value == pytest.approx(done[cause], abs=1e-12)


@settings(max_examples=4)
@given(SMALL)
def test_errors_are_those_of_the_weights(frame: pd.DataFrame) -> None:
    """The infinitesimal jackknife, by moving each weight a little."""
    columns: dict[str, Any] = {"duration": frame["time"], "entry": frame["entry"]}

    def curves(weight: pd.Series[float]) -> tuple[Any, Any]:
        km = kaplan_meier(event=frame["cause"] > 0, weight=weight, **columns)
        cif = cumulative_incidence(cause=frame["cause"], weight=weight, **columns)
        return km, cif

    km, cif = curves(frame["weight"])
    moves: tuple[list[Any], list[Any]] = ([], [])
    step = 1e-5
    for i in range(len(frame)):
        up, down = frame["weight"].copy(), frame["weight"].copy()
        up[i], down[i] = up[i] + step, down[i] - step
        (km_up, cif_up), (km_down, cif_down) = curves(up), curves(down)
        moves[0].append(frame["weight"][i] * (km_up["survival"] - km_down["survival"]) / step / 2)
        moves[1].append(frame["weight"][i] * (cif_up["cif"] - cif_down["cif"]) / step / 2)
    # central differences: the error is of the order of the square of the step
    found = np.sqrt((np.array(moves[0]) ** 2).sum(axis=0))
    alive = km["survival"] > 0
    np.testing.assert_allclose(km["std_err"][alive], found[alive], atol=1e-7)
    assert km["std_err"][~alive].isna().all()
    np.testing.assert_allclose(
        cif["std_err"], np.sqrt((np.array(moves[1]) ** 2).sum(axis=0)), atol=1e-7
    )


@settings(max_examples=15)
@given(SMALL, st.floats(0.01, 100))
def test_the_scale_of_weights_and_the_order_do_not_matter(frame: pd.DataFrame, k: float) -> None:
    def all_of(rows: pd.DataFrame, scale: float) -> list[pd.DataFrame]:
        weight = rows["weight"] * scale
        columns: dict[str, Any] = {"by": rows["group"], "entry": rows["entry"], "weight": weight}
        return [
            kaplan_meier(rows["time"], rows["cause"] > 0, **columns).drop(columns=["n_risk", "n_event", "n_censor"]),
            cumulative_incidence(rows["time"], rows["cause"], **columns).drop(columns=["n_risk", "n_event"]),
            rmst(rows["time"], rows["cause"] > 0, **columns).drop(columns="events"),
        ]  # fmt: skip

    shuffled = frame.sample(frac=1, random_state=0)
    for one, other in zip(all_of(frame, 1), all_of(shuffled, k), strict=True):
        # An error that is 0 comes out as the square root of some 1e-16, times 1.96.
        pd.testing.assert_frame_equal(one, other, rtol=1e-7, atol=1e-6)


@settings(max_examples=15)
@given(SMALL)
def test_equal_weights_are_no_weights(frame: pd.DataFrame) -> None:
    """Without late entries the jackknife of equal weights is Greenwood's error."""
    plain = kaplan_meier(frame["time"], frame["cause"] > 0)
    equal = kaplan_meier(frame["time"], frame["cause"] > 0, weight=np.full(25, 3.0))
    same = ["survival", "std_err", "low", "high"]
    np.testing.assert_allclose(plain[same], equal[same], atol=1e-8)


@settings(max_examples=15)
@given(SMALL)
def test_incidences_and_survival_add_up(frame: pd.DataFrame) -> None:
    columns: dict[str, Any] = {"entry": frame["entry"], "weight": frame["weight"]}
    curve = kaplan_meier(frame["time"], frame["cause"] > 0, **columns)
    cif = cumulative_incidence(frame["time"], frame["cause"], **columns)
    total = cif.groupby("time")["cif"].sum().to_numpy() + curve["survival"].to_numpy()
    np.testing.assert_allclose(total, 1, atol=1e-12)
    alone = cumulative_incidence(frame["time"], (frame["cause"] > 0).astype(int), **columns)
    np.testing.assert_allclose(alone["cif"], 1 - curve["survival"], atol=1e-12)
    alive = curve["survival"] > 0
    np.testing.assert_allclose(alone["std_err"][alive], curve["std_err"][alive], atol=1e-8)


def test_curves_of_statsmodels() -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    frame = sample(3, 200)
    curve = kaplan_meier(frame["time"], frame["cause"] > 0, entry=frame["entry"])
    theirs = SurvfuncRight(frame["time"], (frame["cause"] > 0).astype(int), entry=frame["entry"])
    ours = curve[curve["n_event"] > 0]
    np.testing.assert_array_equal(ours["time"], theirs.surv_times)
    np.testing.assert_array_equal(ours["n_risk"], theirs.n_risk)
    np.testing.assert_allclose(ours["survival"], theirs.surv_prob, atol=1e-12)
    alive = ours["survival"] > 0
    np.testing.assert_allclose(ours["std_err"][alive], theirs.surv_prob_se[alive], atol=1e-12)


@pytest.mark.parametrize("rho", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("strata", [None, "stratum"])
def test_log_rank_of_statsmodels(rho: float, strata: str | None) -> None:
    from statsmodels.duration.survfunc import survdiff

    frame = sample(5, 300)
    layers = None if strata is None else frame[strata]
    ours = logrank(frame["time"], frame["cause"] > 0, frame["group"], layers, rho=rho)
    options: dict[str, Any] = {} if rho == 0 else {"weight_type": "fh", "fh_p": rho}
    status = (frame["cause"] > 0).astype(int).to_numpy()
    chisq, p = survdiff(
        frame["time"].to_numpy(), status, frame["group"].to_numpy(),
        strata=None if layers is None else layers.to_numpy(), **options,
    )  # fmt: skip
    assert ours.chisq == pytest.approx(chisq, rel=1e-9)
    assert ours.p == pytest.approx(p, rel=1e-9)


def test_pairs_as_strata_give_mcnemar() -> None:
    """In each pair the first event is expected by half: chi2 = (b - c)^2 / (b + c) (McNemar, 1947).

    (A sum of strata, not a search of each stratum among all the people: quick whatever their
    number.)
    """
    rng = np.random.default_rng(3)
    pairs, arm = np.repeat(np.arange(4000), 2), np.tile([0, 1], 4000)
    time = rng.exponential(1 + 0.1 * arm)
    first = time.reshape(-1, 2).argmin(axis=1)
    b, c = int((first == 0).sum()), int((first == 1).sum())
    test = logrank(time, np.ones(8000), arm, strata=pairs)
    assert test.chisq == pytest.approx((b - c) ** 2 / (b + c), rel=1e-12)


def test_late_entries_in_the_log_rank() -> None:
    """Hand count: at 2, b is not in yet; at 4, one of the three at risk is an a."""
    test = logrank([2, 4, 5, 6], [1, 1, 0, 0], list("aabb"), entry=[0, 0, 3, 3])
    table = test.table.set_index("group")
    assert table["expected"].tolist() == pytest.approx([1 + 1 / 3, 2 / 3])
    assert table["variance"].tolist() == pytest.approx([2 / 9, 2 / 9])
    assert test.chisq == pytest.approx((2 / 3) ** 2 / (2 / 9))


def test_log_rank_of_three_groups_does_not_depend_on_names() -> None:
    frame = sample(8, 120).assign(arm=lambda f: f.index % 3)
    event = frame["cause"] > 0
    first = logrank(frame["time"], event, frame["arm"])
    second = logrank(frame["time"], event, frame["arm"].map({0: "z", 1: "b", 2: "m"}))
    assert first.df == 2
    assert first.chisq == pytest.approx(second.chisq, rel=1e-10)
    assert first.table["observed"].sum() == pytest.approx(first.table["expected"].sum())
    assert first.meta["n_used"] == 120


# ---- edges --------------------------------------------------------------------------------------


def test_events_at_time_zero_count() -> None:
    curve = kaplan_meier([0, 0, 3], [1, 0, 1])
    assert curve["time"].tolist() == [0, 3]
    assert curve["survival"].tolist() == pytest.approx([2 / 3, 0])


def test_times_that_rounding_tells_apart_are_one() -> None:
    """Of those who leave together, the censored are at risk, in whatever order they round."""
    near = 2024.3 - 2024.1  # 0.2 and 2e-13
    assert near > 0.2
    exact = kaplan_meier([0.2, 0.2, 0.5], [1, 0, 1], entry=[0, 0, 0.2])
    for duration, entry in (([near, 0.2, 0.5], [0, 0, 0.2]), ([0.2, near, 0.5], [0, 0, near])):
        pd.testing.assert_frame_equal(kaplan_meier(duration, [1, 0, 1], entry=entry), exact)
    apart = kaplan_meier([0.2, 0.2 + 1e-9], [1, 1])
    assert len(apart) == 2


def test_everyone_censored() -> None:
    curve = kaplan_meier([2, 5], [0, 0])
    assert curve[["survival", "std_err", "low", "high"]].to_numpy().tolist() == [[1, 0, 1, 1]] * 2
    assert np.isnan(survival_quantile(curve)["quantile"].item())
    assert cumulative_incidence([2, 5], [0, 0]).empty
    test = logrank([2, 5], [0, 0], ["a", "b"])
    assert np.isnan(test.chisq)
    assert np.isnan(test.p)


def test_one_person() -> None:
    curve = kaplan_meier([4], [True])
    assert curve["survival"].tolist() == [0]
    assert curve[["std_err", "low", "high"]].isna().all(axis=None)
    assert survival_quantile([4], [True])["quantile"].item() == 4
    assert rmst([4], [True])[["rmst", "std_err"]].to_numpy().tolist() == [[4, 0]]


def test_nobody() -> None:
    assert kaplan_meier([], []).columns[0] == "time"
    assert kaplan_meier([], [], by=[]).empty
    assert cumulative_incidence([], []).empty
    assert rmst([], []).empty
    assert survival_quantile([], [])["quantile"].isna().all()
    assert kaplan_meier([np.nan], [1]).meta["lost"] == {"durée manquante": 1}


def test_the_lost_are_counted_once() -> None:
    curve = kaplan_meier(
        [1, np.nan, 3, 4, 5], [1, np.nan, None, 0, 1],
        by=["a", "a", "a", None, "b"], entry=[0, 0, 0, 0, 5],
    )  # fmt: skip
    assert curve.meta["n_in"] == 5
    assert curve.meta["n_used"] == 1
    assert curve.meta["lost"] == {
        "durée manquante": 1, "événement manquant": 1, "groupe manquant": 1, "sortie avant l'entrée": 1,
    }  # fmt: skip
    assert curve["group"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"duration": [1, -2], "event": [1, 0]}, "négative"),
        ({"duration": [1, np.inf], "event": [1, 0]}, "infinie"),
        ({"duration": [1, 2], "event": [1, 2]}, "status == 2"),
        ({"duration": ["1", "2"], "event": [1, 0]}, "des nombres"),
        ({"duration": [1, 2, 3], "event": [1, 0]}, "longueurs différentes"),
        ({"duration": 3, "event": [1]}, "une colonne"),
        ({"duration": [1, 2], "event": [1, 0], "weight": [1, -1]}, "poids"),
        ({"duration": [1, 2], "event": [1, 0], "weight": [1, np.nan]}, "poids"),
        ({"duration": [1, 2], "event": [1, 0], "weight": [0, 0]}, "poids"),
        ({"duration": [1, 2], "event": [1, 0], "level": 95}, "niveau"),
        ({"duration": [1, 2], "event": [1, 0], "conf_type": "logit"}, "Vouliez-vous"),
        ({"duration": pd.Series([1, 2]), "event": pd.Series([1, 0], index=[1, 0])}, "index"),
    ],
)
def test_what_is_refused(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(BarometreError, match=words):
        kaplan_meier(**columns)


def test_other_refusals() -> None:
    with pytest.raises(BarometreError, match="cause"):
        cumulative_incidence([1, 2], [1, -1])
    with pytest.raises(BarometreError, match="un seul groupe"):
        logrank([1, 2], [1, 1], ["a", "a"])
    with pytest.raises(BarometreError, match="rho"):
        logrank([1, 2], [1, 1], ["a", "b"], rho=-1)
    with pytest.raises(BarometreError, match="quantile"):
        survival_quantile([1, 2], [1, 1], q=50)
    with pytest.raises(BarometreError, match="courbe sans"):
        survival_quantile(pd.DataFrame({"time": [1]}))
    with pytest.raises(BarometreError, match="horizon"):
        rmst([1, 2], [1, 0], horizon=3)
    with pytest.raises(BarometreError, match="horizon"):
        rmst([1, 2], [1, 0], horizon=0)
    with pytest.raises(BarometreError, match="horizon"):
        rmst([1, 2], [1, 0], horizon="fin")  # type: ignore[arg-type]
    with pytest.raises(BarometreError, match="niveau"):
        kaplan_meier([1, 2], [1, 0], level="95")  # type: ignore[arg-type]
    with pytest.raises(BarometreError, match="quantile"):
        survival_quantile([1, 2], [1, 1], q="médiane")  # type: ignore[arg-type]
    with pytest.raises(BarometreError, match="event manquant"):
        survival_quantile([1, 2])
    with pytest.raises(BarometreError, match="cause : des nombres"):
        cumulative_incidence([1, 2], ["emploi", "départ"])


@pytest.mark.parametrize("given", [{"by": [1, 1]}, {"weight": [1, 1]}, {"level": 0.9}])
def test_a_curve_already_has_its_groups_and_interval(given: dict[str, Any]) -> None:
    with pytest.raises(BarometreError, match="ne donner que q="):
        survival_quantile(kaplan_meier([1, 2], [1, 1]), 0.5, **given)


def test_what_pandas_users_pass() -> None:
    expected = kaplan_meier([5, 8, 8, 12], [1, 1, 0, 1])
    for duration, event in [
        (pd.Series([5, 8, 8, 12], dtype="Int64"), pd.Series([True, True, False, True], dtype="boolean")),
        (np.array([5.0, 8, 8, 12]), np.array([True, True, False, True])),
        (pd.Series([5, 8, 8, 12], dtype=object), pd.Series([1, 1, 0, 1], dtype=object)),
        (pd.Index([5, 8, 8, 12]), (1, 1, 0, 1)),
    ]:  # fmt: skip
        pd.testing.assert_frame_equal(kaplan_meier(duration, event), expected)


def test_groups_keep_their_type_and_order() -> None:
    by = pd.Categorical(["b", "a", "b"], categories=["b", "a", "c"], ordered=True)
    curve = kaplan_meier([1, 2, 3], [1, 1, 1], by=by)
    assert curve["group"].tolist() == ["b", "b", "a"]
    assert kaplan_meier([1, 2], [1, 1], by=[2, 1])["group"].tolist() == [1, 2]


# ---- quantiles and means by hand ----------------------------------------------------------------


def test_a_quantile_on_a_flat_part_is_its_middle() -> None:
    curve = kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1])
    assert survival_quantile(curve, 0.5)["quantile"].item() == 2.5
    assert survival_quantile(curve, q=[0.25, 0.3])["quantile"].tolist() == [1.5, 2]
    still = kaplan_meier([1, 2, 7, 9], [1, 1, 0, 0])  # the curve stays at 0.5 until 9
    assert survival_quantile(still)["quantile"].item() == 5.5


def test_quantiles_of_a_curve_and_of_its_durations_agree() -> None:
    frame = sample(11, 80)
    event = frame["cause"] > 0
    curve = kaplan_meier(frame["time"], event, by=frame["group"], conf_type="plain", level=0.9)
    direct = survival_quantile(
        frame["time"], event, [0.2, 0.5], frame["group"], conf_type="plain", level=0.9
    )
    pd.testing.assert_frame_equal(survival_quantile(curve, [0.2, 0.5]), direct)
    assert direct.meta["n_used"] == 80


def test_restricted_mean_by_hand() -> None:
    """S = 1 until 2, 0.75 until 4, 0.5 until 6: area 2 + 1.5 + 1."""
    table = rmst([2, 4, 9, 9], [1, 1, 0, 0], horizon=6)
    assert table["rmst"].item() == pytest.approx(4.5)
    # areas that remain after each event: 2.5 and 1
    assert table["std_err"].item() == pytest.approx(np.sqrt(2.5**2 / (4 * 3) + 1 / (3 * 2)))
    assert rmst([2, 4], [1, 1], horizon=10)["rmst"].item() == 3


def test_inputs_are_not_changed() -> None:
    frame = sample(1)
    before = frame.copy()
    kaplan_meier(frame["time"], frame["cause"] > 0, frame["group"], frame["entry"], frame["weight"])
    cumulative_incidence(frame["time"], frame["cause"], frame["group"])
    pd.testing.assert_frame_equal(frame, before)
