"""ATT(g,t) against R's did and other programs, on the county data of Callaway and Sant'Anna."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from barometre.cohort import Cohort
from barometre.cohort.staggered.group_time import att_gt
from barometre.cohort.staggered.group_time_means import Kind
from barometre.cohort.staggered.group_time_result import AttGt
from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "golden" / "cohort"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="other programs' results are not ours to redistribute: absent here"
)
CLOSED = 1e-11  # R prints 15 digits, of which sums taken in another order may change the last ones
CONTROLS = {"nevertreated": "never", "notyettreated": "not_yet"}
RESULTS = (("nevertreated", "notyettreated"), ("dr", "ipw", "reg"), ("varying", "universal"))
CASES = [("~1", control, "dr", base) for control, base in product(RESULTS[0], RESULTS[2])] + [
    ("~lpop", *options) for options in product(*RESULTS)
]


@cache
def data(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / "data" / f"{name}.csv").rename(
        columns={"first.treat": "first", "first_treat": "first"}
    )


@cache
def golden(name: str) -> pd.DataFrame:
    (path,) = (FOLDER / "results").glob(f"{name}*.csv")
    return pd.read_csv(path)


def effects(frame: pd.DataFrame, **options: Any) -> AttGt:
    return att_gt(frame, "lemp", person="countyreal", wave="year", first_treated="first", **options)


@cache
def case(xformla: str, control: str, method: str, base: str) -> AttGt:
    options: dict[str, Any] = {"control": CONTROLS[control], "method": method, "base": base}
    return effects(data("mpdta"), covariates=["lpop"] if xformla == "~lpop" else None, **options)


def same_cells(ours: AttGt, theirs: pd.DataFrame) -> None:
    theirs = theirs.rename(columns={"time": "wave", "t": "wave"})
    theirs = theirs.astype({"group": int, "wave": int}).sort_values(["group", "wave"])
    assert ours.table[["group", "wave"]].to_numpy().tolist() == (
        theirs[["group", "wave"]].to_numpy().tolist()
    )
    assert_allclose(ours.table["estimate"], theirs["att"], rtol=CLOSED, atol=1e-12)
    assert_allclose(ours.table["se"], theirs["se"], rtol=CLOSED)


@pytest.mark.parametrize("options", CASES)
def test_effects_are_those_of_r(options: tuple[str, str, str, str]) -> None:
    theirs = golden("mpdta_attgt__R").set_index(
        ["xformla", "control_group", "est_method", "base_period"]
    )
    theirs = theirs.sort_index().loc[[options]]
    same_cells(case(*options), theirs.reset_index())
    test = case(*options).pretrend()
    assert_allclose(test.statistic, theirs["wald_pretest"].iloc[0], rtol=CLOSED)
    assert round(test.p, 5) == theirs["wald_p"].iloc[0]


@pytest.mark.parametrize("kind", ["simple", "dynamic", "group", "calendar"])
@pytest.mark.parametrize("options", CASES)
def test_averages_are_those_of_r(options: tuple[str, str, str, str], kind: Kind) -> None:
    keys = ["xformla", "control_group", "est_method", "base_period", "type"]
    theirs = golden("mpdta_aggte__R").set_index(keys).sort_index().loc[[(*options, kind)]]
    theirs = theirs.set_index("egt")
    ours = case(*options).aggregate(kind)
    overall = theirs.loc["overall"]
    assert_allclose(ours.overall.estimate, overall["att"], rtol=CLOSED)
    if kind != "group":  # did 2.1.2 gets this one wrong: see the next test
        assert_allclose(ours.overall.se, overall["se"], rtol=CLOSED)
    rows = theirs.drop(index="overall")
    if kind != "simple":
        rows.index = rows.index.astype(int)
        rows = rows.sort_index()
        assert ours.table.iloc[:, 0].tolist() == rows.index.tolist()
        assert_allclose(ours.table["estimate"], rows["att"], rtol=CLOSED, atol=1e-12)
        assert_allclose(ours.table["se"], rows["se"], rtol=CLOSED)


REFERENCE = {
    "mpdta_nev_dr": ("~1", "nevertreated", "dr", "varying"),
    "mpdta_nyt_dr": ("~1", "notyettreated", "dr", "varying"),
    "mpdta_nev_reg_cov": ("~lpop", "nevertreated", "reg", "varying"),
    "mpdta_nev_ipw": ("~1", "nevertreated", "ipw", "varying"),
}


@pytest.mark.parametrize("scenario", REFERENCE)
def test_reference_scenarios(scenario: str) -> None:
    options = REFERENCE[scenario]
    ours = (
        case(*options)
        if options[0] != "~1"
        else effects(data("mpdta"), control=CONTROLS[options[1]], method=options[2])
    )
    cells = golden("mpdta_ref_attgt")
    same_cells(ours, cells[cells["scenario"] == scenario])
    tests = golden("mpdta_ref_pretest").set_index("scenario").loc[scenario]
    assert_allclose(ours.pretrend().statistic, tests["W"], rtol=CLOSED)
    assert round(ours.pretrend().p, 5) == tests["Wpval"]
    averages = golden("mpdta_ref_aggte")
    for kind in ("simple", "group", "dynamic", "calendar"):
        theirs = averages[(averages["scenario"] == scenario) & (averages["type"] == kind)]
        made = ours.aggregate(kind)
        # Among them the overall standard error by group, 0.0124460593209979 in the first scenario.
        assert_allclose(made.overall.estimate, theirs["overall_att"].iloc[0], rtol=CLOSED)
        assert_allclose(made.overall.se, theirs["overall_se"].iloc[0], rtol=CLOSED)
        if kind != "simple":
            assert made.table.iloc[:, 0].tolist() == theirs["egt"].astype(int).tolist()
            assert_allclose(made.table["estimate"], theirs["att_egt"], rtol=CLOSED)
            assert_allclose(made.table["se"], theirs["se_egt"], rtol=CLOSED)


@pytest.mark.parametrize(
    ("scenario", "options"),
    [
        ("universal", {"base": "universal"}),
        ("anticipation1", {"anticipation": 1}),
        ("weighted", {"weight": "wt"}),
        ("clustered", {"cluster": "clust", "se": "CR0"}),
    ],
)
def test_options(scenario: str, options: dict[str, Any]) -> None:
    cells = golden("mpdta_ref_gaps")
    ours = effects(data("mpdta_extra"), **options)
    same_cells(ours, cells[cells["scenario"] == scenario])
    if scenario == "anticipation1":
        assert list(ours.meta["lost"].values()) == [20]


def test_weights_that_vary_are_those_of_the_first_wave() -> None:
    frame = data("mpdta")
    vary = 1 + 0.05 * (frame["countyreal"] % 7) + 0.1 * (frame["year"] - 2003)
    cells = golden("mpdta_ref_fixweights")
    ours = effects(frame.assign(w=vary), weight="w")
    same_cells(ours, cells[cells["fix_weights"] == "first_period"])


def test_clusters_with_and_without_the_small_sample_factor() -> None:
    peers = golden("mpdta_attgt_cluster_state")
    cohort = Cohort(data("mpdta_extra"), "countyreal", "year", first_treated="first")
    ours = cohort.att_gt("lemp", cluster="clust", se="CR0")
    assert ours.meta["n_clusters"] == 29
    simple = ours.aggregate("simple").overall
    # csdid sums within clusters, as we do; diff-diff also multiplies the variance by G / (G - 1).
    for peer, factor in (("csdid-0.4.3", 1.0), ("diff-diff-3.13.0", np.sqrt(29 / 28))):
        theirs = peers[peers["peer"] == peer]
        last = theirs[theirs["group"] == "simple"].iloc[0]
        cells = theirs[theirs["group"] != "simple"]
        same_cells(ours, cells.assign(se=cells["se"] / factor))
        assert_allclose(simple.estimate, last["att"], rtol=CLOSED)
        assert_allclose(simple.se, last["se"] / factor, rtol=CLOSED)


@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
def test_missing_waves_by_pairs(method: str) -> None:
    peers = golden("mpdta_unbalanced_attgt__py")
    ours = effects(data("mpdta_unbalanced"), method=method)
    own = peers["option"] == "pairs observed at both dates"
    peer = (peers["peer"] == "diff-diff-3.13.0") & (
        peers["option"] == "allow_unbalanced_panel=False"
    )
    same_cells(ours, peers[own])
    same_cells(ours, peers[peer & (peers["group"] != "simple")])
    simple = ours.aggregate("simple").overall
    # Their standard error weighs the sizes of whole groups when the estimate weighs the pairs:
    # ours is proved by differentiation in test_cohort_att_gt.py.
    theirs = peers[peer & (peers["group"] == "simple")]
    assert_allclose(simple.estimate, theirs["att"].iloc[0], rtol=CLOSED)
    assert round(simple.estimate, 4) == -0.0509
    assert_allclose(simple.se, theirs["se"].iloc[0], rtol=5e-3)
    frame = data("mpdta_unbalanced")
    wide = frame.pivot(index="countyreal", columns="year", values="lemp")
    group = frame.groupby("countyreal")["first"].first()
    seen = (wide[2006] - wide[2007]).notna().groupby(group).sum()
    last = ours.table.iloc[-1]
    assert (last["n_treated"], last["n_control"]) == (seen[2007], seen[0])


@pytest.mark.parametrize("method", ["dr", "reg"])
def test_missing_waves_people_seen_throughout(method: str) -> None:
    theirs = golden("mpdta_unbalanced_attgt__R")
    theirs = theirs[~theirs["allow_unbalanced"] & (theirs["est_method"] == method)]
    ours = effects(data("mpdta_unbalanced"), missing="balanced", method=method)
    same_cells(ours, theirs[theirs["group"].notna()])
    simple = ours.aggregate("simple").overall
    overall = theirs[theirs["group"].isna()].iloc[0]
    assert_allclose([simple.estimate, simple.se], overall[["att", "se"]].astype(float), rtol=CLOSED)
    assert ours.meta["n_used"] == 266
    assert ours.meta["lost"] == {"pas vues à toutes les vagues": 234}
