"""The change of a zone of a cohort: who was there, who is there, what may be published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError
from barometre.cohort import Cohort, decompose_change
from tests.test_cohort_verbs import ROUNDING

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
    found = moves().decompose_change("y", "N", 1, 2)
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
    found = moves(seen).decompose_change("y", "N", 1, 2, statistic="median", draws=30, seed=4)
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
    found = moves(MOVES.assign(place=place)).decompose_change("y", north, 1, 2)
    assert found.total == pytest.approx(-20)
    assert found.by_destination is not None
    assert set(found.by_destination["destination"]) == {south, "perdu de vue"}


@pytest.mark.parametrize("year", [1, 2])
def test_without_a_zone_one_has_neither_stayed_nor_left(year: int) -> None:
    """a and g live in N at one wave, nobody knows where at the other: they are in no group."""
    stay = pd.DataFrame([("g", 1, "N", 3.0), ("g", 2, "N", 4.0)], columns=list(MOVES))
    frame = pd.concat([MOVES, stay], ignore_index=True)
    lost = (frame["id"] == "g") & (frame["year"] == year)
    found = moves(frame.assign(place=frame["place"].mask(lost))).decompose_change("y", "N", 1, 2)
    expected = moves().decompose_change("y", "N", 1, 2)
    pd.testing.assert_frame_equal(pd.DataFrame(found.table), pd.DataFrame(expected.table))
    assert (found.meta["n_in"], found.meta["n_used"]) == (6, 5)
    assert found.meta["lost"] == {"zone manquante à l'une des deux vagues": 1}


def test_lost_leavers_have_no_interval_of_their_own() -> None:
    """Some draws leave the lost out; the people of the place stay unknown all the same."""
    found = moves().decompose_change("y", "N", 1, 2, draws=50).table.set_index("component")
    assert found.loc[["people", "composition_exit"], ["value", "low", "high"]].isna().all(axis=None)
    assert found.loc["total", ["low", "high"]].notna().all()


def test_when_nobody_stayed_no_destination_has_a_share() -> None:
    found = moves(MOVES[MOVES["id"] != "a"]).decompose_change("y", "N", 1, 2)
    assert np.isnan(found.exits)
    for table in (found.by_destination, found.by_origin):
        assert table is not None
        assert table["value"].isna().all()
        assert table["n"].sum() == 2


def test_households_of_those_seen_once() -> None:
    frame = MOVES.assign(home=MOVES["id"].map({"a": 1, "b": 1, "c": 2, "d": 3, "e": 4, "f": 5}))
    panel = Cohort(frame, "id", "year", zone="place")
    found = panel.decompose_change("y", "N", 1, 2, household="home", draws=20, seed=1)
    assert found.table["low"].iloc[0] <= found.total <= found.table["high"].iloc[0]
    nobody = Cohort(
        frame.assign(home=frame["home"].mask(frame["id"] == "c")), "id", "year", zone="place"
    )
    with pytest.raises(BarometreError, match="ménage inconnu pour : c"):
        nobody.decompose_change("y", "N", 1, 2, household="home", draws=5)


def test_every_fault_of_a_change_is_named() -> None:
    with pytest.raises(
        BarometreError, match=r"cohorte sans zone : le donner, Cohort\(..., zone=...\)"
    ):
        Cohort(MOVES, "id", "year").decompose_change("y", "N", 1, 2)
    with pytest.raises(
        FaultsError,
        match=r"(?s)5 défauts.*« z » : colonne.*« h » : colonne.*0 : vague.*3 : vague.*E : zone",
    ):
        moves().decompose_change("z", "E", 0, 3, household="h")
    with pytest.raises(BarometreError, match="statistic='mode'"):
        moves().decompose_change("y", "N", 1, 2, statistic="mode")  # type: ignore[arg-type]  # that is the point


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
        found = panel.decompose_change("income", zone, 2024, 2030)
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
        found = panel.decompose_change("income", zone, 2024, 2030)
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
    found = Cohort(few, "person", "wave", zone="zone").decompose_change("income", zone, 2024, 2025)
    assert found.n_exits < 11 <= found.n_stayers
    shown = found.published().set_index("component")
    assert shown.loc[["exits", "entries"], "status"].eq("secret").all()
    hidden = shown["status"] != "publie"
    assert shown.loc[hidden, ["value", "n"]].isna().all(axis=None)
    open_ = found.published(threshold=1)
    assert open_["status"].eq("publie").all()
    assert open_["value"].tolist() == [found.total, found.in_situ, found.exits, found.entries]
