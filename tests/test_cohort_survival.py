"""Durations: curves, quantiles, means and tests hold to R, to statsmodels and to brute force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.cohort import cumulative_incidence, kaplan_meier, logrank, rmst, survival_quantile

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
            ("survival", "surv"), ("se", "std_err"), ("low", "lower"), ("high", "upper"),
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
        np.testing.assert_allclose(means["estimate"], expected["rmean"], rtol=PRINTED)
        np.testing.assert_allclose(means["se"], expected["se_rmean"], rtol=PRINTED)
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
        curves[["group", "cause", "time", "cif", "se"]].sort_values("time"),
        on="time", by=["group", "cause"],
    )  # fmt: skip
    assert len(found) == len(expected) == (16 if by is None else 32)
    np.testing.assert_allclose(found["cif_y"], found["cif_x"], rtol=0, atol=PRINTED)
    np.testing.assert_allclose(found["se_y"], found["se_x"], rtol=0, atol=PRINTED)


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
    np.testing.assert_allclose(km["se"][alive], found[alive], atol=1e-7)
    assert km["se"][~alive].isna().all()
    np.testing.assert_allclose(cif["se"], np.sqrt((np.array(moves[1]) ** 2).sum(axis=0)), atol=1e-7)


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
    same = ["survival", "se", "low", "high"]
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
    np.testing.assert_allclose(alone["se"][alive], curve["se"][alive], atol=1e-8)


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
    np.testing.assert_allclose(ours["se"][alive], theirs.surv_prob_se[alive], atol=1e-12)


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
