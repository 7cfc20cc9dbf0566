"""What a cohort is asked of its first wave and of its zones: the plain functions on frames by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.cohort import (
    Cohort,
    attrition_model,
    attrition_rates,
    attrition_weights,
    balance_table,
    decompose_change,
    lee_bounds,
    propensity_weights,
    weighted_effect,
)
from barometre.errors import BarometreError, FaultsError, UnknownNameError

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
    change = panel.decompose("y", "A", waves[0], last)
    assert change.total == whole.decompose("y", "A", 2024, 2026).total
    with pytest.raises(BarometreError, match="choisir parmi les suivantes"):
        panel.lost_at(unknown)
    with pytest.raises(FaultsError, match="vague inconnue"):
        panel.decompose("y", "A", unknown, last)


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
    expected = attrition_rates(by_hand(), "lost", "arm", level=0.9)
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
        (lambda c: c.lee_bounds("z"), "« z »"),
        (lambda c: c.lee_bounds("y", cluster="z"), "« z »"),
        (lambda c: c.lee_bounds("qp"), "qp : valeurs de type"),
        (lambda c: c.attrition_model(["z"]), "z : colonne absente"),
        (lambda c: c.balance(["z"]), "z : colonne absente"),
        (lambda c: c.propensity_weights(["z"]), "z : colonne absente"),
        (lambda c: c.balance(["age"], "z"), "z : colonne de poids absente"),
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
    ],
)
def test_a_cohort_without_arms(asked: Callable[[Cohort], Any]) -> None:
    with pytest.raises(BarometreError, match=r"pas de bras ; le donner à Cohort\(..., arm=...\)"):
        asked(Cohort(rows(), "id", "year"))


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


# ---- the change of a zone -----------------------------------------------------------------------

# In N: a stays, b leaves for S, c is lost; d comes from S, e was not seen; f stays in S.
MOVES = pd.DataFrame(
    [
        ("a", 1, "N", 10.0), ("a", 2, "N", 14.0), ("b", 1, "N", 20.0), ("b", 2, "S", 30.0), ("c", 1, "N", 60.0),
        ("d", 1, "S", 5.0), ("d", 2, "N", 7.0), ("e", 2, "N", 9.0), ("f", 1, "S", 1.0), ("f", 2, "S", 2.0),
    ],
    columns=["id", "year", "place", "y"],
)  # fmt: skip


def moves(frame: pd.DataFrame = MOVES) -> Cohort:
    return Cohort(frame.sample(frac=1, random_state=1), "id", "year", zone="place")


def test_the_change_of_a_zone_by_hand() -> None:
    """Before 10, 20, 60; after 14, 7, 9. One stayer, two leavers of 3, two entrants of 3."""
    found = moves().decompose("y", "N", 1, 2)
    assert (found.total, found.in_situ, found.exits, found.entries) == pytest.approx(
        (-20, 4, -20, -4)
    )
    assert (found.n_stayers, found.n_exits, found.n_entries) == (1, 2, 2)
    assert np.isnan(found.people)  # c is lost
    assert found.by_destination is not None
    assert found.by_origin is not None
    # Each leaver counts for its gap to the stayers, over the three residents.
    assert found.by_destination.set_index("destination")["value"].to_dict() == pytest.approx(
        {"S": (10 - 20) / 3, "perdu de vue": (10 - 60) / 3}
    )
    assert found.by_origin.set_index("origin")["value"].to_dict() == pytest.approx(
        {"S": (7 - 14) / 3, "inconnue": (9 - 14) / 3}
    )
    assert (found.meta["n_in"], found.meta["n_used"], found.meta["lost"]) == (5, 5, {})


def test_the_change_is_that_of_the_plain_function() -> None:
    seen = MOVES[~MOVES["id"].isin(["c", "e"])]
    found = moves(seen).decompose("y", "N", 1, 2, statistic="median", draws=30, seed=4)
    expected = decompose_change(
        pd.Series({"a": 10.0, "b": 20.0}), pd.Series({"a": 14.0, "d": 7.0}), "median", pd.Series({"b": 30.0}),
        draws=30, seed=4,
    )  # fmt: skip
    pd.testing.assert_frame_equal(pd.DataFrame(found.table), pd.DataFrame(expected.table))
    assert found.people == 22 - 15
    assert found.by_destination is None


@pytest.mark.parametrize(
    ("dtype", "north", "south"),
    [
        ("category", "N", "S"),
        ("Int64", 1, 2),
        ("int64", 1, 2),
        ("float64", 1.0, 2.0),
        ("object", "N", "S"),
    ],
)
def test_zones_of_any_type(dtype: Any, north: Any, south: Any) -> None:
    place = MOVES["place"].map({"N": north, "S": south}).astype(dtype)
    found = moves(MOVES.assign(place=place)).decompose("y", north, 1, 2)
    assert found.total == pytest.approx(-20)
    assert found.by_destination is not None
    assert set(found.by_destination["destination"]) == {south, "perdu de vue"}


@pytest.mark.parametrize("year", [1, 2])
def test_without_a_zone_one_has_neither_stayed_nor_left(year: int) -> None:
    """a and g live in N at one wave, nobody knows where at the other: they are in no group."""
    stay = pd.DataFrame([("g", 1, "N", 3.0), ("g", 2, "N", 4.0)], columns=list(MOVES))
    frame = pd.concat([MOVES, stay], ignore_index=True)
    lost = (frame["id"] == "g") & (frame["year"] == year)
    found = moves(frame.assign(place=frame["place"].mask(lost))).decompose("y", "N", 1, 2)
    expected = moves().decompose("y", "N", 1, 2)
    pd.testing.assert_frame_equal(pd.DataFrame(found.table), pd.DataFrame(expected.table))
    assert (found.meta["n_in"], found.meta["n_used"]) == (6, 5)
    assert found.meta["lost"] == {"zone manquante à l'une des deux vagues": 1}


def test_lost_leavers_have_no_interval_of_their_own() -> None:
    """Some draws leave the lost out; the people of the place stay unknown all the same."""
    found = moves().decompose("y", "N", 1, 2, draws=50).table.set_index("component")
    assert found.loc[["people", "composition_exit"], ["value", "low", "high"]].isna().all(axis=None)
    assert found.loc["total", ["low", "high"]].notna().all()


def test_when_nobody_stayed_no_destination_has_a_share() -> None:
    found = moves(MOVES[MOVES["id"] != "a"]).decompose("y", "N", 1, 2)
    assert np.isnan(found.exits)
    for table in (found.by_destination, found.by_origin):
        assert table is not None
        assert table["value"].isna().all()
        assert table["n"].sum() == 2


def test_households_of_those_seen_once() -> None:
    frame = MOVES.assign(home=MOVES["id"].map({"a": 1, "b": 1, "c": 2, "d": 3, "e": 4, "f": 5}))
    panel = Cohort(frame, "id", "year", zone="place")
    found = panel.decompose("y", "N", 1, 2, household="home", draws=20, seed=1)
    assert found.table["low"].iloc[0] <= found.total <= found.table["high"].iloc[0]
    nobody = Cohort(
        frame.assign(home=frame["home"].mask(frame["id"] == "c")), "id", "year", zone="place"
    )
    with pytest.raises(BarometreError, match="ménage inconnu pour : c"):
        nobody.decompose("y", "N", 1, 2, household="home", draws=5)


def test_every_fault_of_a_change_is_named() -> None:
    with pytest.raises(BarometreError, match=r"pas de zone ; la donner à Cohort\(..., zone=...\)"):
        Cohort(MOVES, "id", "year").decompose("y", "N", 1, 2)
    with pytest.raises(
        FaultsError,
        match=r"(?s)5 défauts.*z : colonne.*h : colonne.*0 : vague.*3 : vague.*E : zone",
    ):
        moves().decompose("z", "E", 0, 3, household="h")
    with pytest.raises(BarometreError, match="statistic='mode'"):
        moves().decompose("y", "N", 1, 2, statistic="mode")


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    return bcs.datasets.make_cohort(4000, mobility=0.1, complete=True, seed=5)


def test_place_and_people_when_all_are_followed(whole: pd.DataFrame) -> None:
    """People gain more than their place, whose better off leave: by brute force on all zones."""
    panel = Cohort(whole, "person", "wave", zone="zone")
    wide = whole.pivot(index="person", columns="wave", values="income")
    where = whole.pivot(index="person", columns="wave", values="zone")
    gaps = []
    for zone in sorted(set(where[2024])):
        here, there = where[2024] == zone, where[2030] == zone
        found = panel.decompose("income", zone, 2024, 2030)
        assert found.total == pytest.approx(
            wide.loc[there, 2030].mean() - wide.loc[here, 2024].mean(), rel=ROUNDING
        )
        assert found.people == pytest.approx((wide[2030] - wide[2024])[here].mean(), rel=ROUNDING)
        assert found.total == pytest.approx(
            found.people + found.composition_exit + found.composition_entry, rel=ROUNDING
        )
        assert (found.n_stayers, found.n_exits) == ((here & there).sum(), (here & ~there).sum())
        gaps.append(found.people - found.total)
    assert np.mean(gaps) > 4 * np.std(gaps, ddof=1) / np.sqrt(len(gaps))


def test_destinations_and_origins_add_up_and_balance_between_zones(whole: pd.DataFrame) -> None:
    panel = Cohort(whole, "person", "wave", zone="zone")
    zones = set(whole["baseline_zone"])
    out: dict[tuple[Any, Any], int] = {}
    come: dict[tuple[Any, Any], int] = {}
    for zone in zones:
        found = panel.decompose("income", zone, 2024, 2030)
        assert found.by_destination is not None
        assert found.by_origin is not None
        assert found.by_destination["value"].sum() == pytest.approx(
            found.exits, rel=ROUNDING, abs=1e-9
        )
        assert found.by_origin["value"].sum() == pytest.approx(
            found.entries, rel=ROUNDING, abs=1e-9
        )
        out |= {
            (zone, to): n for to, n in found.by_destination.set_index("destination")["n"].items()
        }
        come |= {(of, zone): n for of, n in found.by_origin.set_index("origin")["n"].items()}
    inside = {pair: n for pair, n in out.items() if pair[1] in zones}
    assert inside == come  # who left N for S is who came to S from N
    assert sum(out.values()) > 1000


def test_what_a_zone_may_publish(whole: pd.DataFrame) -> None:
    zone = whole["baseline_zone"].iloc[0]
    few = whole[whole["person"].isin(whole["person"].unique()[:600])]
    found = Cohort(few, "person", "wave", zone="zone").decompose("income", zone, 2024, 2025)
    assert found.n_exits < 11 <= found.n_stayers
    shown = found.published().set_index("component")
    assert shown.loc["exits", "status"] == "secret_primaire"
    assert (shown["status"] == "secret_secondaire").any()
    hidden = shown["status"] != "publie"
    assert shown.loc[hidden, ["value", "n"]].isna().all(axis=None)
    open_ = found.published(threshold=1)
    assert open_["status"].eq("publie").all()
    assert open_["value"].tolist() == [found.total, found.in_situ, found.exits, found.entries]


# ---- what must not matter -----------------------------------------------------------------------


def random_panel(seed: int, gaps: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(16, 40))
    frame = pd.DataFrame({"id": np.repeat(np.arange(n), 4), "year": np.tile(range(4), n)})
    start = rng.permutation(np.resize([0, 0, 2, 3], n))
    frame["start"], frame["arm"] = start[frame["id"]], (start[frame["id"]] > 0).astype(int)
    frame["on"] = ((frame["start"] > 0) & (frame["year"] >= frame["start"])).astype(int)
    frame["x"] = rng.normal(size=n)[frame["id"]]
    frame["w"] = rng.uniform(0.5, 3, n)[frame["id"]]
    frame["place"] = rng.choice(["N", "S", "E"], len(frame))
    frame["y"] = rng.normal(size=n)[frame["id"]] + rng.normal(size=len(frame)) + frame["on"]
    if gaps:
        frame = frame[(rng.random(len(frame)) > 0.15) | (frame["year"] == 0)]
    return frame.reset_index(drop=True)


def answers(frame: pd.DataFrame, weight: str | None = "w") -> dict[str, float]:
    """What verbs say, by name."""
    panel = Cohort(
        frame, "id", "year", arm="arm", first_treated="start", zone="place", weight=weight
    )
    found: dict[str, float] = {}
    for name, effect in {
        "did": panel.did("y", 2),
        "did CR2": panel.did("y", 2, se="CR2"),
        "twfe": panel.twfe("y", treated="on"),
        "never": panel.att_gt("y").aggregate("simple").overall,
        "not_yet": panel.att_gt("y", control="not_yet", base="universal")
        .aggregate("dynamic")
        .overall,
    }.items():
        found |= {name: effect.estimate, f"{name} se": effect.se}
    balance = panel.balance(["x"]).iloc[0]
    change = panel.decompose("y", "N", 0, 3)
    return found | {
        "smd": balance["smd"],
        "lost": panel.attrition().set_index("group").loc["difference", "rate"],
        "lee": panel.lee_bounds("y").low,
        "ess": panel.propensity_weights(["x"]).ess["control"],
        **{
            f"zone {name}": getattr(change, name)
            for name in ("total", "in_situ", "exits", "entries")
        },
    }


def assert_same(found: dict[str, float], expected: dict[str, float]) -> None:
    # Effects and outcomes are around 1: an absolute tolerance is a relative one.
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-7, abs=ROUNDING, nan_ok=True), name


seeds = st.integers(0, 10_000)


@settings(max_examples=12)
@given(seed=seeds, gaps=st.booleans(), names=st.sampled_from(["text", "shuffled", "negative"]))
def test_names_of_people_and_order_of_rows_do_not_matter(seed: int, gaps: bool, names: str) -> None:
    frame = random_panel(seed, gaps)
    rng = np.random.default_rng(seed)
    other = pd.Series(rng.permutation(frame["id"].max() + 1))
    known: dict[str, pd.Series[Any]] = {
        "text": "p" + other.astype(str),
        "shuffled": other * 7 + 3,
        "negative": -other - 1,
    }
    renamed = frame.assign(id=frame["id"].map(known[names])).sample(frac=1, random_state=seed)
    assert_same(answers(renamed), answers(frame))


@settings(max_examples=12)
@given(seed=seeds, gaps=st.booleans(), scale=st.floats(1e-6, 1e6))
def test_the_scale_of_weights_does_not_matter(seed: int, gaps: bool, scale: float) -> None:
    frame = random_panel(seed, gaps)
    assert_same(answers(frame.assign(w=frame["w"] * scale)), answers(frame))


@settings(max_examples=12)
@given(seed=seeds)
def test_equal_weights_are_no_weights(seed: int) -> None:
    frame = random_panel(seed, gaps=False).assign(w=3.0)
    assert_same(answers(frame), answers(frame, weight=None))


@settings(max_examples=12)
@given(seed=seeds, gaps=st.booleans(), spread=st.floats(0.1, 1000))
def test_a_constant_per_person_leaves_effects_unchanged(
    seed: int, gaps: bool, spread: float
) -> None:
    frame = random_panel(seed, gaps)
    constant = np.random.default_rng(seed).normal(0, spread, frame["id"].max() + 1)
    shifted, before = answers(frame.assign(y=frame["y"] + constant[frame["id"]])), answers(frame)
    # With gaps, the plain 2 x 2 compares people seen on one side only: it is not in this.
    names = ["twfe", "never", "not_yet"] + ([] if gaps else ["did", "did CR2"])
    for name in names:
        assert shifted[name] == pytest.approx(before[name], rel=0, abs=1e-12 * (1 + spread) * 100)
    for name in names[:3]:  # errors of the 2 x 2 by rows are not those of changes
        assert shifted[f"{name} se"] == pytest.approx(before[f"{name} se"], rel=1e-7 * (1 + spread))


@settings(max_examples=25)
@given(seed=seeds, gaps=st.booleans(), statistic=st.sampled_from(["mean", "median", np.max]))
def test_decompositions_of_a_cohort_add_up(seed: int, gaps: bool, statistic: Any) -> None:
    frame = random_panel(seed, gaps)
    found = Cohort(frame, "id", "year", zone="place").decompose("y", "N", 0, 3, statistic=statistic)
    if found.n_stayers:
        assert found.total == pytest.approx(found.in_situ + found.exits + found.entries, abs=1e-12)
    if not np.isnan(found.people):
        parts = found.people + found.composition_exit + found.composition_entry
        assert np.isnan(found.in_situ) or found.total == pytest.approx(parts, abs=1e-12)
    there = frame[(frame["place"] == "N") & frame["year"].isin([0, 3])]
    assert found.meta["n_in"] == there["id"].nunique()


@settings(max_examples=25)
@given(seed=seeds, stabilised=st.booleans())
def test_without_attrition_weights_are_one(seed: int, stabilised: bool) -> None:
    frame = random_panel(seed, gaps=False)
    panel = Cohort(frame, "id", "year", arm="arm")
    weights = panel.attrition_weights(["x", "arm"], stabilised=stabilised)
    assert weights.weight.eq(1).all()
    assert weights.ess == panel.n_people
    assert weights.fit is None
    wide = frame.pivot(index="id", columns="year", values="y")
    change = (wide[3] - wide[0]).loc[weights.weight.index]
    plain = weighted_effect(change, panel.baseline("arm"))
    assert weighted_effect(change, panel.baseline("arm"), weights.weight).estimate == plain.estimate


@settings(max_examples=12)
@given(seed=seeds)
def test_weighted_changes_are_the_weighted_did_of_those_left(seed: int) -> None:
    """Two programs for one number: the mean change by arm, the weighted regression on rows."""
    frame = random_panel(seed, gaps=True)
    panel = Cohort(frame, "id", "year", arm="arm")
    assume(panel.lost_at().groupby("arm")["lost"].any().all())
    weights = panel.attrition_weights(["arm"]).weight.dropna()
    left = frame[frame["id"].isin(weights.index) & frame["year"].isin([0, 3])]
    wide = left.pivot(index="id", columns="year", values="y")
    arm = left.groupby("id")["arm"].first()
    effect = weighted_effect(wide[3] - wide[0], arm, weights.loc[wide.index])
    rows = left.assign(w=left["id"].map(weights))
    did = Cohort(rows, "id", "year", arm="arm", weight="w").did("y", 3)
    assert did.estimate == pytest.approx(effect.estimate, rel=ROUNDING, abs=ROUNDING)


def test_unknown_names_suggest_the_right_one() -> None:
    with pytest.raises(UnknownNameError, match="income"):
        Cohort(bcs.datasets.make_cohort(20), "person", "wave", arm="arm").lee_bounds("incomes")
