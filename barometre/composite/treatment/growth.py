"""How fast each indicator of a unit grows a year, between its first and its last known value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.composite.score.levels import unit_names
from barometre.composite.score.years import YEAR
from barometre.composite.treatment.inputs import indicators

_NO_PERIOD = "moins de deux années connues"
_NOT_POSITIVE = "valeur nulle ou négative au départ, ou négative à la fin"


def annual_growth(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the compound annual growth rate of each indicator of each unit.

    Parameters
    ----------
    frame : DataFrame, (units, years) x indicators
        Index of several levels, one of them ``annee``; values on a scale with a true zero.

    Returns
    -------
    DataFrame
        A row a unit and an indicator: ``unite``, ``indicateur``, ``debut`` and ``fin`` (first and
        last year with a value), ``valeur_debut``, ``valeur_fin``, ``croissance`` in per cent a
        year, and ``raison`` where there is none.

    Raises
    ------
    BarometreError
        No level ``annee``, years that are no whole numbers, a unit twice in a year, a column that
        is no number.

    Notes
    -----
    ``100 ((last / first) ** (1 / years) - 1)``, as ``CAGR`` of COINr: the years between say
    nothing. A share that grows from 1 to 2 % has a rate of 100 %: points are `evolution`'s.

    Examples
    --------
    >>> key = pd.MultiIndex.from_product([["59172"], [2010, 2012]], names=["code", "annee"])
    >>> table = annual_growth(pd.DataFrame({"prix": [100.0, 121.0]}, index=key))
    >>> table["croissance"].round(6).item()
    10.0
    """
    values = indicators(frame, "croissance refusée")
    if frame.index.nlevels < 2 or YEAR not in frame.index.names:
        raise BarometreError(
            f'croissance refusée : pas de niveau « {YEAR} » ; frame.set_index(["code", "{YEAR}"])'
        )
    years = frame.index.get_level_values(YEAR)
    if not pd.api.types.is_integer_dtype(years.dtype):
        raise BarometreError(f"croissance refusée : « {YEAR} » n'a pas que des nombres entiers")
    if twice := unit_names(frame.index[frame.index.duplicated()].unique()):
        more = f" et {len(twice) - 5} de plus" if len(twice) > 5 else ""
        raise BarometreError(
            f"croissance refusée : {', '.join(twice[:5])}{more} en double ; une ligne par unité et"
            " par année"
        )
    numbers, units = pd.factorize(values.reset_index(level=YEAR, drop=True).index)
    names = unit_names(units)
    rows = pd.DataFrame({"unite": numbers, "annee": np.asarray(years)}).sort_values("annee")
    tables = [
        _growth(rows.assign(valeur=values[name].to_numpy()[rows.index]), names, str(name))
        for name in values
    ]
    if not tables:
        raise BarometreError("croissance refusée : aucun indicateur dans la table")
    return pd.concat(tables, ignore_index=True)


def _growth(rows: pd.DataFrame, names: list[str], indicator: str) -> pd.DataFrame:
    """Give the growth of one indicator; rows in the order of years."""
    known = rows.dropna(subset="valeur").groupby("unite")
    first, last = (ends.reindex(range(len(names))) for ends in (known.first(), known.last()))
    span = (last["annee"] - first["annee"]).to_numpy(dtype=np.float64)
    before = first["valeur"].to_numpy(dtype=np.float64)
    after = last["valeur"].to_numpy(dtype=np.float64)
    period, positive = span > 0, (before > 0) & (after >= 0)
    both = period & positive
    growth = np.full(len(names), np.nan)
    growth[both] = 100 * ((after[both] / before[both]) ** (1 / span[both]) - 1)
    reasons = np.select([~period, ~positive], [_NO_PERIOD, _NOT_POSITIVE], "")
    return pd.DataFrame(
        {
            "unite": names,
            "indicateur": indicator,
            "debut": first["annee"].astype("Int64").array,
            "fin": last["annee"].astype("Int64").array,
            "valeur_debut": before,
            "valeur_fin": after,
            "croissance": growth,
            "raison": reasons,
        }
    )
