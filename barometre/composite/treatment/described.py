"""The statistics of each indicator, before anything is done to it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.errors import BarometreError
from barometre.composite.robust.audit_checks import spread_shape
from barometre.composite.treatment.inputs import indicators

# Thresholds of the COIN tool (Joint Research Centre), those of `audit`.
SKEWNESS, KURTOSIS = 2.0, 3.5


def is_share(value: object) -> bool:
    """Tell a number from 0 to 1."""
    return is_number(value) and 0 <= value <= 1


def statistics(
    frame: pd.DataFrame,
    *,
    available: float = 0.65,
    zeros: float = 0.5,
    skewness: float = SKEWNESS,
    kurtosis: float = KURTOSIS,
) -> pd.DataFrame:
    """Describe each indicator: availability, range, centre, spread, shape, and what to look at.

    Parameters
    ----------
    frame : DataFrame, units x indicators
        Raw values, NaN where missing.
    available : float, default 0.65
        Share of known values under which an indicator is to be looked at.
    zeros : float, default 0.5
        Share of zeros among known values above which it is.
    skewness, kurtosis : float, default 2 and 3.5
        Both passed (skewness in absolute value): outliers.

    Returns
    -------
    DataFrame
        A row an indicator: ``n`` known values, ``manquants``, ``disponibilite`` (share from 0 to
        1), ``min``, ``max``, ``moyenne``, ``mediane``, ``ecart_type`` (n - 1), ``asymetrie``,
        ``aplatissement`` (excess), ``part_zeros`` (of known values), ``distinctes`` (number of
        distinct values) and ``remarque``, empty where nothing is to be said. What has too few
        values has none: 1 for the centre, 2 for the spread, 3 and 4 for the shape, which a constant
        has not either.

    Raises
    ------
    BarometreError
        A column that is no number, a threshold that is none.

    Notes
    -----
    Statistics of ``get_stats`` of COINr (Becker, Caperna, Del Sorbo et al., 2022, JOSS 7(78)), with
    its default thresholds but for shares of zeros, taken among known values. Skewness and kurtosis
    are the sample formulas G1 and G2 (Joanes and Gill, 1998, type 2).

    Examples
    --------
    >>> table = statistics(pd.DataFrame({"taux": [1, 2, 2, 3, 40, None]}))
    >>> table["n"].item(), table["manquants"].item(), table["remarque"].item()
    (5, 1, 'valeurs extrêmes')
    """
    values = indicators(frame, "statistiques refusées")
    for name, limit in (("available", available), ("zeros", zeros)):
        if not is_share(limit):
            raise BarometreError(f"{name}={limit!r} refusé : donner une part, de 0 à 1")
    for name, limit in (("skewness", skewness), ("kurtosis", kurtosis)):
        if not is_number(limit):
            raise BarometreError(f"{name}={limit!r} refusé : donner un nombre")
    known = values.notna().sum()
    shapes = [spread_shape(values[name].to_numpy()) for name in values]
    table = pd.DataFrame(
        {
            "n": known,
            "manquants": len(values) - known,
            "disponibilite": known / len(values) if len(values) else np.nan,
            "min": values.min(),
            "max": values.max(),
            "moyenne": values.mean(),
            "mediane": values.median(),
            "ecart_type": values.std(ddof=1),
            "asymetrie": [float(shape[0]) for shape in shapes],
            "aplatissement": [float(shape[1]) for shape in shapes],
            "part_zeros": (values == 0).sum() / known.where(known > 0),
            "distinctes": values.nunique(),
        },
        index=values.columns.rename("indicateur"),
    )
    extreme = (table["asymetrie"].abs() > skewness) & (table["aplatissement"] > kurtosis)
    flags = {
        "aucune valeur": table["n"] == 0,
        "peu disponible": (table["n"] > 0) & (table["disponibilite"] < available),
        "constant": (table["n"] > 1) & (table["distinctes"] == 1),
        "beaucoup de zéros": table["part_zeros"] > zeros,
        "valeurs extrêmes": extreme,
    }
    remarks = [
        ", ".join(word for word, where in flags.items() if where.loc[name]) for name in table.index
    ]
    return table.assign(remarque=pd.Series(remarks, index=table.index, dtype="str"))
