"""Ranks of one year only: what compares units refuses several at once."""

from __future__ import annotations

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.composite.score.scores import YEAR


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
