"""What two-way fixed effects average: diff-diff, and the coefficient itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre import cohort
from tests.proofs.reading import panel, result, same

KEYS: dict[str, Any] = {"person": "person", "wave": "wave"}


def test_comparisons_and_weights() -> None:
    rows = panel(seen=False)
    ours = cohort.bacon_weights(rows, "income", first_treated="first", **KEYS)
    theirs = result("bacon").replace({"control": {"never_treated": "jamais"}})
    table = ours.table.assign(treated=ours.table["treated"].astype(str))
    table["control"] = table["control"].astype(str)
    keys = ["treated", "control"]
    table = table.sort_values(keys).reset_index(drop=True)
    theirs = (
        theirs.astype({"treated": str, "control": str}).sort_values(keys).reset_index(drop=True)
    )
    assert table[keys].to_numpy().tolist() == theirs[keys].to_numpy().tolist()
    words = {"jamais traités": "treated_vs_never", "traités plus tard": "earlier_vs_later",
             "déjà traités": "later_vs_earlier"}  # fmt: skip
    assert table["comparison"].map(words).tolist() == theirs["comparison"].tolist()
    same(table["estimate"], theirs["estimate"])
    same(table["weight"], theirs["weight"])
    assert ours.estimate == pytest.approx(theirs["twfe"].iloc[0], rel=1e-9)


@pytest.mark.parametrize("always", [False, True])
def test_they_add_up_to_the_coefficient(always: bool) -> None:
    rows = panel(seen=False)
    if always:
        rows["first"] = rows["first"].where(rows["person"] % 7 != 0, 2021)
    rows["on"] = ((rows["first"] > 0) & (rows["wave"] >= rows["first"])).astype(int)
    parts = cohort.bacon_weights(rows, "income", first_treated="first", **KEYS)
    fixed = cohort.twfe(rows, "income", "on", **KEYS)
    assert parts.estimate == pytest.approx(fixed.estimate, rel=1e-9)
    assert parts.table["weight"].sum() == pytest.approx(1)
    warning = "Ceux qui sont déjà traités servent de témoins"
    assert warning in parts.summary()
    once = rows[rows["first"].isin([0, 2023]) | rows["first"].isna()]  # one date: none is after
    alone = cohort.bacon_weights(once, "income", first_treated="first", **KEYS)
    assert warning not in alone.summary()


def test_people_not_seen_at_every_wave_are_counted() -> None:
    rows = panel()
    parts = cohort.bacon_weights(rows, "income", first_treated="first", **KEYS)
    full = rows.groupby("person")["wave"].transform("count") == rows["wave"].nunique()
    assert parts.meta["n_used"] == rows[full]["person"].nunique() < parts.meta["n_in"]
    dates = rows.assign(
        wave=pd.to_datetime(rows["wave"].astype(str) + "-01-01"),
        first=pd.to_datetime(rows["first"].astype(str).where(rows["first"] > 0) + "-01-01"),
    )
    again = cohort.bacon_weights(dates, "income", first_treated="first", **KEYS)
    np.testing.assert_allclose(again.table["weight"], parts.table["weight"])
