"""Indicators of an index: missing values by EM, against package Amelia."""

from __future__ import annotations

import numpy as np

from barometre import composite
from tests.proofs.reading import data, result, same


def test_expected_values() -> None:
    frame = data("indicators").set_index("code")
    # The holes of em.R, more than the panel has.
    for name, rows in (("emploi", [2, 5, 8]), ("chomage", [3, 7, 11])):
        frame.iloc[rows, frame.columns.get_loc(name)] = np.nan  # type: ignore[index]
    theirs = result("em").set_index(["code", "indicator"])["expected"]
    ours = composite.impute(frame, method="em").table.set_index(["unite", "indicateur"])["valeur"]
    assert sorted(ours.index) == sorted(theirs.index)
    # Amelia stops when a parameter moves by less than 1e-12 a round: 1e-8 of the values.
    same(ours.sort_index(), theirs.sort_index(), rtol=1e-7)
