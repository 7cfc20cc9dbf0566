"""What a cohort is asked of its first wave and of its zones: the plain functions on frames by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barometre.base.errors import BarometreError, FaultsError
from barometre.cohort import (
    Cohort,
    attrition,
    attrition_model,
    attrition_weights,
    balance_table,
    intraclass_correlation,
    propensity_weights,
)
from tests.columns import lee_bounds

ROUNDING = 1e-9  # relative: the order of a sum of some hundred doubles
LATE = "entré après la première vague"

# Eight people of the first wave; i and j come at the second one. Lost in 2026: b, d, f (and i).
FIRST = pd.DataFrame(
    {
        "arm": [1, 1, 1, 1, 0, 0, 0, 0],
        "age": [20, 30, 40, 50, 25, 35, 45, 55],
        "qp": list("AABBAABB"),
        "y": [1.0, 2, 3, 4, 5, 6, 7, 8],
        "home": [1, 1, 2, 3, 4, 4, 5, 6],
    },
    index=pd.Index(list("abcdefgh"), name="id"),
)
LAST = pd.Series({"a": 4.0, "c": 5.0, "e": 5.0, "g": 8.0, "h": 9.0, "j": 100.0})
LOST = [0, 1, 0, 1, 0, 1, 0, 0]


def rows() -> pd.DataFrame:
    """Those people as a panel, waves and people in disorder."""
    late = pd.DataFrame(
        {"arm": [1, 0], "age": [60, 61], "qp": ["A", "B"], "y": [9.0, 9], "home": [7, 8]},
        index=["i", "j"],
    )
    known = pd.concat([FIRST, late])
    waves = {
        2024: FIRST,
        2025: known.loc[list("abceghij")].assign(y=lambda t: t["y"] + 1),
        2026: known.loc[LAST.index].assign(y=LAST),
    }
    frame = pd.concat([t.assign(year=year) for year, t in waves.items()]).rename_axis("id")
    return frame.reset_index().sample(frac=1, random_state=3)


def cohort(frame: pd.DataFrame | None = None, **roles: Any) -> Cohort:
    return Cohort(rows() if frame is None else frame, "id", "year", **{"arm": "arm", **roles})


def shapes() -> dict[str, pd.DataFrame]:
    """The same panel as pandas users hold it."""
    frame = rows()
    return {
        "columns": frame,
        "person as index": frame.set_index("id"),
        "person and wave as index": frame.set_index(["id", "year"]),
        "categories": frame.astype({"id": "category", "qp": "category"}),
        "nullable": frame.convert_dtypes(),
        "repeated labels": frame.set_index(np.zeros(len(frame), int)),
        "sorted": frame.sort_values(["year", "id"]),
    }


@pytest.fixture(params=list(shapes()))
def panel(request: pytest.FixtureRequest) -> Cohort:
    return cohort(shapes()[request.param], zone="qp")


# ---- the first wave -----------------------------------------------------------------------------


def test_baseline_is_the_first_row_of_each_person(panel: Cohort) -> None:
    first = panel.baseline_frame()
    assert first.index.name == "id"
    assert sorted(first.index) == list("abcdefghij")
    assert first["y"].loc[list("abcdefghij")].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 10, 10]
    assert first["year"].loc[["a", "i", "j"]].tolist() == [2024, 2025, 2025]


def test_lost_at_leaves_late_entrants_out(panel: Cohort) -> None:
    last = panel.lost_at()
    assert last["lost"].loc[list("abcdefgh")].tolist() == LOST
    assert len(last) == 8
    pd.testing.assert_frame_equal(last, panel.lost_at(2026))
    middle = panel.lost_at(2025)["lost"]
    assert sorted(middle.index[middle == 1]) == ["d", "f"]


def test_someone_away_at_a_wave_is_lost_at_that_wave_only() -> None:
    frame = pd.DataFrame({"id": list("aabbb"), "year": [1, 3, 1, 2, 3]})
    panel = Cohort(frame, "id", "year")
    assert panel.lost_at(2)["lost"].to_dict() == {"a": 1, "b": 0}
    assert panel.lost_at(3)["lost"].sum() == 0


def test_a_wave_may_be_named_by_its_year_when_it_is_the_only_one() -> None:
    days = pd.to_datetime(["2024-03-01", "2025-03-01", "2026-03-01", "2026-09-01"])
    frame = pd.DataFrame({"id": list("aabb"), "day": days[[0, 1, 0, 2]]})
    panel = Cohort(pd.concat([frame, pd.DataFrame({"id": ["a"], "day": days[3:]})]), "id", "day")
    assert panel.lost_at("2025")["lost"].to_dict() == {"a": 0, "b": 1}
    for several in ("2026", "2023"):
        with pytest.raises(BarometreError, match=several):
            panel.lost_at(several)


def test_two_clusters_are_enough_for_their_correlation() -> None:
    """Closed form: (F - 1) / (F - 1 + m), from the analysis of variance of two samples of m."""
    one, two = [1.0, 2, 4], [6.0, 7, 9]
    frame = pd.DataFrame({"y": one + two, "place": list("aaabbb")})
    f = stats.f_oneway(one, two).statistic
    found = intraclass_correlation(frame, "y", "place")
    assert found.estimate == pytest.approx((f - 1) / (f - 1 + 3))
    with pytest.raises(BarometreError, match="au moins 2"):
        intraclass_correlation(frame[:3], "y", "place")


@pytest.mark.parametrize(
    ("waves", "last", "unknown"),
    [
        (pd.to_datetime(["2024-01-01", "2025-01-01", "2026-01-01"]), pd.Timestamp("2026-01-01"), "2027-01-01"),
        (pd.to_datetime(["2024-01-01", "2025-01-01", "2026-01-01"]), "2026-01-01", "demain"),
        (pd.period_range("2024", periods=3, freq="Y"), pd.Period("2026", freq="Y"), pd.Period("2030", freq="Y")),
        (pd.CategoricalIndex(["before", "during", "after"], ["before", "during", "after"], ordered=True), "after", "never"),
        (pd.Index([2024.0, 2025.0, 2026.0]), 2026, [2026]),
    ],
)  # fmt: skip
def test_waves_of_any_type(waves: pd.Index, last: Any, unknown: Any) -> None:
    frame = rows()
    frame["year"] = waves[frame["year"] - 2024]
    panel = cohort(frame, zone="qp")
    whole = cohort(zone="qp")
    assert panel.lost_at(last)["lost"].equals(whole.lost_at()["lost"])
    assert panel.lee_bounds("y", last).low == whole.lee_bounds("y").low
    change = panel.decompose_change("y", "A", waves[0], last)
    assert change.total == whole.decompose_change("y", "A", 2024, 2026).total
    with pytest.raises(BarometreError, match="choisir parmi les suivantes"):
        panel.lost_at(unknown)
    with pytest.raises(FaultsError, match="vague inconnue"):
        panel.decompose_change("y", "A", unknown, last)


def test_a_date_is_said_without_its_hour() -> None:
    frame = rows()
    frame["year"] = pd.to_datetime(frame["year"].astype(str) + "-06-01")
    with pytest.raises(BarometreError, match=r"parmi les suivantes : 2025-06-01, 2026-06-01$"):
        cohort(frame).lost_at("2030")


def test_waves_that_cannot_have_losses() -> None:
    with pytest.raises(
        BarometreError, match="vague 2024 ; choisir parmi les suivantes : 2025, 2026"
    ):
        cohort().lost_at(2024)
    with pytest.raises(BarometreError, match="une seule vague"):
        cohort(rows().query("year == 2024")).attrition()


# ---- losses -------------------------------------------------------------------------------------


def by_hand() -> pd.DataFrame:
    return FIRST.assign(lost=LOST, seen=1 - np.array(LOST), last=LAST.reindex(FIRST.index))


def test_attrition_is_that_of_the_first_wave(panel: Cohort) -> None:
    found = panel.attrition(level=0.9)
    expected = attrition(by_hand(), "lost", "arm", level=0.9)
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected))
    assert found["n_lost"].tolist() == [1, 2, 3]
    assert found.meta["n_in"] == 10
    assert (found.meta["n_used"], found.meta["lost"]) == (8, {LATE: 2})


def test_nobody_late_nobody_counted() -> None:
    assert cohort(rows().query("id not in ['i', 'j']")).attrition().meta["lost"] == {}


def test_attrition_model_and_weights(panel: Cohort) -> None:
    fit, expected = (
        panel.attrition_model(["age", "arm"]),
        attrition_model(by_hand(), "lost", ["age", "arm"]),
    )
    np.testing.assert_allclose(fit.table["estimate"], expected.table["estimate"], rtol=ROUNDING)
    assert fit.p == pytest.approx(expected.p, rel=ROUNDING)
    assert (fit.meta["n_in"], fit.meta["lost"]) == (10, {LATE: 2})
    options: dict[str, Any] = {"numerator": ["arm"], "trim": 0.9}
    weights = panel.attrition_weights(["age", "arm"], **options)
    other = attrition_weights(by_hand(), "seen", ["age", "arm"], **options)
    assert weights.weight.isna().sum() == 3
    np.testing.assert_allclose(
        weights.weight.loc[FIRST.index].to_numpy(), other.weight.to_numpy(), rtol=ROUNDING
    )
    assert weights.meta["lost"] == {"perdu": 3, LATE: 2}
    assert weights.meta["n_in"] == weights.meta["n_used"] + 5


def test_weights_give_the_lost_to_those_who_look_like_them() -> None:
    """Half of arm 1 is left and three quarters of arm 0: they count for 2 and for 4/3."""
    weights = cohort().attrition_weights(["arm"], stabilised=False).weight
    assert weights.dropna().round(9).to_dict() == pytest.approx(
        {"a": 2, "c": 2, "e": 4 / 3, "g": 4 / 3, "h": 4 / 3}
    )


def test_lee_bounds_of_the_last_wave(panel: Cohort) -> None:
    hand = by_hand()
    found, expected = panel.lee_bounds("y"), lee_bounds(hand["last"], hand["arm"])
    assert (found.low, found.high) == (expected.low, expected.high)
    # Treated seen: 4 and 5 of 4; others: 5, 8, 9 of 4. A third of the latter is cut: one person.
    assert (found.low, found.high) == pytest.approx((4.5 - 8.5, 4.5 - 6.5))
    assert (found.n, found.n_observed) == (8, 5)
    assert (found.meta["n_in"], found.meta["lost"]) == (10, {"résultat manquant": 3, LATE: 2})
    middle = panel.lee_bounds("y", 2025)
    assert middle.n_observed == 6


def test_lee_bounds_by_cluster_take_the_cluster_of_the_first_wave() -> None:
    hand = by_hand()
    options: dict[str, Any] = {"draws": 40, "seed": 2}
    moving = rows()
    moving.loc[moving["year"] > 2024, "qp"] = "elsewhere"
    panel = cohort(moving, zone="qp")
    # Clusters are drawn by number: the same order of people gives the same draws.
    order = panel.lost_at().index
    expected = lee_bounds(
        hand["last"].loc[order], hand["arm"].loc[order], cluster=hand["qp"].loc[order], **options
    )
    for name in ("qp", "zone"):
        found = panel.lee_bounds("y", cluster=name, **options)
        assert found.interval == expected.interval


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda c: c.lee_bounds("z"), "z : colonne absente"),
        (lambda c: c.lee_bounds("y", cluster="z"), "z : colonne absente"),
        (lambda c: c.lee_bounds("qp"), "qp : valeurs de type"),
        (lambda c: c.attrition_model(["z"]), "z : colonne absente"),
        (lambda c: c.balance(["z"]), "z : colonne absente"),
        (lambda c: c.propensity_weights(["z"]), "z : colonne absente"),
        (lambda c: c.balance(["age"], "z"), "z : colonne absente"),
    ],
)
def test_unknown_columns_are_named(asked: Callable[[Cohort], Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        asked(cohort())


@pytest.mark.parametrize(
    "asked",
    [
        lambda c: c.attrition(),
        lambda c: c.lee_bounds("y"),
        lambda c: c.balance(["age"]),
        lambda c: c.propensity_weights(["age"]),
        lambda c: c.weighted_effect("y"),
        lambda c: c.did("y", 2025),
        lambda c: c.did_design("y", 2025),
    ],
)
def test_all_verbs_that_need_arms_say_it_with_the_same_words(
    asked: Callable[[Cohort], Any],
) -> None:
    said = (
        "cohorte sans arm : le donner, Cohort(..., arm=...), et treated=... si ses valeurs ne sont "
        "pas 0 et 1"
    )
    with pytest.raises(BarometreError, match=re.escape(said)):
        asked(Cohort(rows(), "id", "year"))


@pytest.mark.parametrize(
    ("arms", "treated", "words"),
    [
        (["b", "b", "c", "c"], None, "vaut 'b', 'c'"),
        (["b", "b", "c", "c"], "bénéficiaire", "aucun « bénéficiaire »"),
        (["b", "b", "c", "d"], "b", "3 valeurs"),
        (["b", "b", "b", "b"], "b", "un seul bras, « b »"),
        ([1, 1, 1, 1], None, "un seul bras, « 1 »"),
        ([1, 1, 2, 2], None, "vaut aussi 2"),
    ],
)
def test_arms_are_checked_at_once(arms: list[Any], treated: Any, words: str) -> None:
    frame = pd.DataFrame({"id": [1, 2, 3, 4], "t": 1, "bras": arms})
    with pytest.raises(BarometreError, match=f"cohorte refusée(.|\n)*bras : {words}"):
        Cohort(frame, "id", "t", arm="bras", treated=treated)
    with pytest.raises(BarometreError, match="sans arm="):
        Cohort(frame, "id", "t", treated="b")


@pytest.mark.parametrize("values", [("comparaison", "bénéficiaire"), (1, 2), (True, False)])
def test_the_treated_may_have_any_name(values: tuple[Any, Any]) -> None:
    """Results do not depend on how arms are written; the value named is the treated one."""
    plain = rows()
    named = plain.assign(arm=plain["arm"].map({0: values[0], 1: values[1]}))
    ours = Cohort(named, "id", "year", arm="arm", treated=values[1])
    theirs = Cohort(plain, "id", "year", arm="arm")
    pairs: list[Callable[[Cohort], pd.DataFrame]] = [
        lambda c: c.attrition(),
        lambda c: c.balance(["age"]),
        lambda c: c.propensity_weights(["age"]).table,
        lambda c: c.weighted_effect("y").table,
        lambda c: c.lee_bounds("y").table,
        lambda c: c.did("y", plain["year"].max()).table,
    ]
    for ask in pairs:
        pd.testing.assert_frame_equal(ask(ours), ask(theirs))


# ---- balance, propensity ------------------------------------------------------------------------


def everyone() -> pd.DataFrame:
    late = pd.DataFrame(
        {"arm": [1, 0], "age": [60, 61], "qp": ["A", "B"], "y": [10.0, 10]}, index=["i", "j"]
    )
    return pd.concat([FIRST, late])


@pytest.mark.parametrize("denominator", ["treated", "pooled"])
def test_balance_is_that_of_first_rows(panel: Cohort, denominator: Any) -> None:
    found = panel.balance(["age", "qp", "y"], denominator=denominator)
    expected = balance_table(everyone(), "arm", ["age", "qp", "y"], denominator=denominator)
    assert found["variable"].tolist() == ["age", "qp=A", "qp=B", "y"]
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected), rtol=ROUNDING)
    assert found["mean_treated"].iloc[0] == 40
    assert (found["n_treated"] + found["n_control"]).eq(10).all()


def test_balance_with_weights_of_a_series_or_of_a_column() -> None:
    panel = cohort()
    weights = panel.propensity_weights(["age"]).weight
    found = panel.balance(["age", "y"], weights)
    expected = balance_table(everyone(), "arm", ["age", "y"], weights.loc[everyone().index])
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected), rtol=ROUNDING)
    frame = rows()
    column = cohort(frame.assign(w=frame["id"].map(weights))).balance(["age", "y"], "w")
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(column), rtol=ROUNDING)


def test_weights_of_those_seen_leave_the_lost_out_of_the_balance() -> None:
    panel = cohort()
    found = panel.balance(["age"], panel.attrition_weights(["arm"]).weight)
    assert found.meta["n_used"] == 5
    assert found.meta["lost"] == {"poids nul ou manquant": 5}
    assert found["mean_treated"].item() == 30


def test_propensity_weights_are_those_of_first_rows(panel: Cohort) -> None:
    found = panel.propensity_weights(["age"], estimand="ate", stabilised=True, trim=0.8)
    expected = propensity_weights(
        everyone(), "arm", ["age"], estimand="ate", stabilised=True, trim=0.8
    )
    np.testing.assert_allclose(
        found.weight.loc[everyone().index].to_numpy(), expected.weight.to_numpy(), rtol=ROUNDING
    )
    assert found.meta["n_used"] == 10


def test_propensity_weights_take_the_weight_of_the_first_wave() -> None:
    frame = rows()
    frame["w"] = 1.0 + frame["home"] + 10 * (frame["year"] - 2024)
    found = cohort(frame, weight="w").propensity_weights(["age"])
    first = frame.sort_values("year").groupby("id")[["arm", "age", "w"]].first()
    expected = propensity_weights(first, "arm", ["age"], weight="w")
    np.testing.assert_allclose(
        found.weight.loc[first.index].to_numpy(), expected.weight.to_numpy(), rtol=ROUNDING
    )
