"""The years of scored units: ranks are within one, and what compares units refuses several."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from barometre.base.arrays import RowNumbers
from barometre.base.errors import BarometreError

YEAR = "annee"  # index level of the years


def rows_by_year(units: pd.Index) -> Iterator[slice | RowNumbers]:
    """Give the rows of each year; all of them without years."""
    if YEAR not in units.names:
        yield slice(None)
        return
    years, _ = pd.factorize(units.get_level_values(YEAR))
    for year in range(years.max() + 1 if len(years) else 0):
        yield np.flatnonzero(years == year)


def refuse_several_years(units: pd.Index, what: str) -> None:
    """Refuse units of several years, which have no common ranking.

    Raises
    ------
    BarometreError
        More than one value of the level ``annee``.
    """
    if YEAR not in units.names:
        return
    years = sorted(set(units.get_level_values(YEAR)))
    if len(years) > 1:
        shown = ", ".join(map(str, years))
        raise BarometreError(
            f"{what} : plusieurs années ({shown}) ; une à la fois, par exemple"
            f' frame.xs({years[-1]!r}, level="{YEAR}")'
        )
