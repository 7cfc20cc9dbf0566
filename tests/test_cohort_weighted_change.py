"""Weights in the change of a place: as many people as they weigh, and what they may not tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from barometre.base.errors import BarometreError, FaultsError
from barometre.cohort import decompose_change
from tests.test_cohort_zone_change import MOVES, moves

RNG = np.random.default_rng(12)
NAMES = [f"p{i}" for i in range(40)]
BEFORE = pd.Series(RNG.normal(20, 5, 30), index=NAMES[:30])
AFTER = pd.Series(RNG.normal(22, 5, 28), index=NAMES[12:])
LATER = pd.Series(RNG.normal(25, 5, 12), index=NAMES[:12])
TIMES = pd.Series(RNG.integers(1, 5, 40).astype(float), index=NAMES)
WHERE = {name: "nord" if i % 3 else "sud" for i, name in enumerate(NAMES)}


def repeated(values: pd.Series[float]) -> pd.Series[float]:
    """Write each person as many times as its weight says."""
    rows = [
        (f"{who} {k}", values[who])
        for who in map(str, values.index)
        for k in range(int(TIMES[who]))
    ]
    return pd.Series(dict(rows))


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_weight_is_a_number_of_people_alike(statistic: str) -> None:
    found = decompose_change(BEFORE, AFTER, statistic, LATER, weight=TIMES)  # type: ignore[arg-type]
    many = decompose_change(repeated(BEFORE), repeated(AFTER), statistic, repeated(LATER))  # type: ignore[arg-type]
    np.testing.assert_allclose(found.table["value"], many.table["value"], rtol=0, atol=1e-12)
    assert (found.n_stayers, found.n_exits, found.n_entries) == (18, 12, 10)
    assert found.total == pytest.approx(found.in_situ + found.exits + found.entries)


def test_destinations_share_weighted_exits_out() -> None:
    found = decompose_change(
        BEFORE, AFTER, destination=WHERE, origin=WHERE, weight=dict(TIMES.items())
    )
    places = {f"{who} {k}": WHERE[who] for who in NAMES for k in range(int(TIMES[who]))}
    many = decompose_change(repeated(BEFORE), repeated(AFTER), destination=places, origin=places)
    for ours, theirs in (
        (found.by_destination, many.by_destination),
        (found.by_origin, many.by_origin),
    ):
        assert ours is not None
        assert theirs is not None
        np.testing.assert_allclose(ours["value"], theirs["value"], atol=1e-12)
    assert found.by_destination is not None
    assert found.by_destination["n"].sum() == 12  # people, not weights
    assert found.by_destination["value"].sum() == pytest.approx(found.exits)


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_equal_weights_change_nothing(statistic: str) -> None:
    options = {"draws": 20, "seed": 3, "household": {n: n[-1] for n in NAMES}}
    plain = decompose_change(BEFORE, AFTER, statistic, LATER, **options)  # type: ignore[arg-type]
    same = decompose_change(BEFORE, AFTER, statistic, LATER, weight=TIMES * 0 + 0.3, **options)  # type: ignore[arg-type]
    np.testing.assert_allclose(
        plain.table.drop(columns="component"), same.table.drop(columns="component"), atol=1e-12
    )


def test_who_has_no_weight_is_left_out_and_counted() -> None:
    found = decompose_change(BEFORE, AFTER, weight=TIMES.drop(["p0", "p39"]))
    less = decompose_change(BEFORE.drop("p0"), AFTER.drop("p39"), weight=TIMES)
    assert found.total == less.total
    assert found.meta["lost"] == {"sans poids": 2}
    assert (found.meta["n_in"], found.meta["n_used"]) == (40, 38)


def test_what_a_weight_may_hide_is_not_published() -> None:
    found = decompose_change(BEFORE, AFTER, weight=TIMES)
    with pytest.raises(BarometreError, match="décomposition pondérée"):
        found.published()
    assert found.summary().endswith("une personne peut y peser pour beaucoup.")
    assert decompose_change(BEFORE, AFTER).published()["status"].eq("publie").any()


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (TIMES - 1, "poids nuls, négatifs ou infinis"),
        (TIMES * np.inf, "poids nuls, négatifs ou infinis"),
        (TIMES.astype(str), "donner des nombres"),
        (pd.concat([TIMES, TIMES[:1]]), "personnes en double : p0"),
        (TIMES.set_axis(range(40)), "aucune personne n'a de poids"),
    ],
)
def test_weights_refused(weight: pd.Series[float], words: str) -> None:
    with pytest.raises(FaultsError, match=words):
        decompose_change(BEFORE, AFTER, weight=weight)


def test_a_function_takes_no_weight() -> None:
    with pytest.raises(BarometreError, match="une fonction ne prend pas de poids"):
        decompose_change(BEFORE, AFTER, np.max, weight=TIMES)


def test_a_cohort_weighs_by_column_or_by_person() -> None:
    """Before 10 (x2), 20, 60 (x3); after 14 (x2), 7, 9: the weight of the first wave of each."""
    mass = MOVES["id"].map({"a": 2.0, "b": 1, "c": 3, "d": 1, "e": 1, "f": 9})
    frame = MOVES.assign(w=mass.mask(MOVES["year"].eq(2) & MOVES["id"].eq("a"), 50.0))
    found = moves(frame).decompose_change("y", "N", 1, 2, weight="w")
    assert found.total == pytest.approx((28 + 7 + 9) / 4 - (20 + 20 + 180) / 6)
    assert found.in_situ == pytest.approx(4)
    given = frame[frame["year"].eq(1)].set_index("id")["w"]
    by_person = moves(frame).decompose_change("y", "N", 1, 2, weight=given)
    assert by_person.meta["lost"] == {"sans poids": 1}  # e was not seen at the first wave
    with pytest.raises(FaultsError, match="absent"):
        moves(frame).decompose_change("y", "N", 1, 2, weight="absent")
