"""Estimators without a peer: linear programs, exact fractions, functions of scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre import cohort, composite
from tests.proofs.reading import CLOSED, data, panel, result, same


@pytest.mark.parametrize("row", range(len(result("lee_bounds"))))
def test_lee_bounds_are_linear_programs(row: int) -> None:
    theirs = result("lee_bounds").iloc[row]
    people = panel(seen=False)
    people = people[(people["wave"] == theirs["wave"]) & (people["sex"] == theirs["sex"])]
    people = people.assign(outcome=people["income"].where(people["seen"] == 1))
    ours = cohort.lee_bounds(people, "outcome", theirs["arm"])
    # HiGHS is feasible to 1e-7 of the total; solutions at a vertex are much nearer.
    np.testing.assert_allclose([ours.low, ours.high], [theirs["low"], theirs["high"]], rtol=1e-9)
    assert ours.trimmed_share == pytest.approx(theirs["trimmed_share"], rel=1e-11)
    assert ours.trimmed_arm == ("control", "treated")[theirs["trimmed_arm"]]


@pytest.mark.parametrize("row", range(len(result("decomposition"))))
def test_change_of_a_place(row: int) -> None:
    theirs = result("decomposition").iloc[row]
    rows = panel()
    rows = rows[rows["zone"] == theirs["zone"]].set_index("person")
    before, after = (rows.loc[rows["wave"] == wave, "income"] for wave in (2021, 2026))
    if theirs["statistic"] == "rate":
        before, after = ((side > 1100).astype(float) for side in (before, after))
    ours = cohort.decompose_change(before, after, theirs["statistic"])
    for part in ("total", "in_situ", "exits", "entries"):
        # Differences of incomes of about 1 000, of which 1e-12 is the rounding.
        assert getattr(ours, part) == pytest.approx(theirs[part], rel=CLOSED, abs=1e-11)
    assert [ours.n_stayers, ours.n_exits, ours.n_entries] == (
        theirs[["n_stayers", "n_exits", "n_entries"]].tolist()
    )


def composite_cases() -> list[tuple[str, float, float]]:
    keys = result("composite")[["method", "power", "least"]].drop_duplicates()
    return [(str(a), float(b), float(c)) for a, b, c in keys.to_numpy()]


@pytest.mark.parametrize(("method", "power", "least"), composite_cases())
def test_composite_index(method: Any, power: float, least: float) -> None:
    theirs = result("composite")
    chosen = (theirs[["method", "power", "least"]] == [method, power, least]).all(axis=1)
    theirs = theirs[chosen].set_index("code")
    out = {"zscore": (100, 10), "percentile": (0, 1), "minmax": (1, 100), "goalposts": (0, 100)}
    tree = data("tree")
    if method != "goalposts":
        tree = tree.drop(columns=["low", "high"])
    index = composite.Index.from_table(
        tree, normalise=method, aggregate=power, min_available=least, out=out[method], floor=0
    )
    scores = index.score(data("indicators").set_index("code"))
    expected: pd.DataFrame = theirs[[*scores.table]]
    np.testing.assert_allclose(scores.table, expected, rtol=CLOSED, atol=1e-11)  # out of 100
    ranks = scores.ranks
    expected = theirs[[f"rank_{name}" for name in ranks]]
    np.testing.assert_array_equal(ranks.astype(float), expected.to_numpy())
    same(scores.rank().astype(float), theirs["rank_indice"])
