"""Household arithmetic: consumption units, living standard, poverty lines."""

from __future__ import annotations

import warnings
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.french import format_number
from barometre.base.rounding import round_half_up

Numbers = TypeVar("Numbers", float, "pd.Series[float]", "np.ndarray[Any, Any]")

POVERTY_LINES = MappingProxyType(
    {2007: (1816.5 / 2.0, 1362.5 / 1.5), 2020: (1679.5 / 1.5, 2351.5 / 2.1)}
)
"""By year, the interval [low, high) of the unrounded monthly line of one consumption unit.

Only rounded lines are published (Insee, 60 % of the median living standard): 908, 1 181, 1 362,
1 635, 1 817, 1 907 and 2 271 euros in 2007, 1 120, 1 456, 1 680 and 2 351 in 2020. These are all
the thresholds from which every line of the year can be obtained.
"""


class Household(NamedTuple):
    """People of a household, as consumption units count them.

    Attributes
    ----------
    personnes_14_ans_plus : int
        People aged 14 or more, at least one.
    enfants_moins_14_ans : int, default 0
        Children under 14.
    """

    personnes_14_ans_plus: int
    enfants_moins_14_ans: int = 0


def consumption_units(
    personnes_14_ans_plus: Numbers, enfants_moins_14_ans: Numbers | float = 0
) -> Numbers:
    """Count consumption units: 1 for the first adult, 0.5 per other aged 14+, 0.3 per child.

    Parameters
    ----------
    personnes_14_ans_plus : int, Series or ndarray
        People aged 14 or more, at least one per household.
    enfants_moins_14_ans : int, Series or ndarray, default 0
        Children under 14.

    Returns
    -------
    float, Series or ndarray
        Consumption units, as the input; missing where an input is.

    Raises
    ------
    BarometreError
        A household without anyone aged 14 or more, a negative or fractional number of people.

    Notes
    -----
    OECD-modified scale (Hagenaars, de Vos and Zaidi, 1994), used by Insee and Eurostat.

    Examples
    --------
    >>> consumption_units(2, 2)
    2.1
    """
    adults, children = _people(personnes_14_ans_plus), _people(enfants_moins_14_ans)
    if np.any(adults < 1):
        raise BarometreError(
            "ménage sans personne de 14 ans ou plus : l'échelle d'équivalence n'est pas définie ;"
            " vérifier la composition du ménage"
        )
    # Tenths are counted as whole numbers: 1 + 0.5 + 2 x 0.3 is 2.1, not 2.0999999999999996.
    tenths = 10 + 5 * (adults - 1) + 3 * children
    units = tenths / 10
    if isinstance(personnes_14_ans_plus, pd.Series):
        return pd.Series(units, index=personnes_14_ans_plus.index, name="unites_de_consommation")
    if isinstance(personnes_14_ans_plus, np.ndarray):
        return units
    return float(units)


def equivalised_income(
    revenu: Numbers, personnes_14_ans_plus: Numbers, enfants_moins_14_ans: Numbers | float = 0
) -> Numbers:
    """Divide a disposable income by the consumption units of its household: the living standard.

    Parameters
    ----------
    revenu : float, Series or ndarray
        Disposable income of the household, in euros; a negative one is kept.
    personnes_14_ans_plus, enfants_moins_14_ans : int, Series or ndarray
        See `consumption_units`.

    Returns
    -------
    float, Series or ndarray
        Euros per consumption unit, over the period of ``revenu``.

    Examples
    --------
    >>> equivalised_income(42_000, 2, 2)
    20000.0
    """
    living_standard: Numbers = revenu / consumption_units(
        personnes_14_ans_plus, enfants_moins_14_ans
    )
    return living_standard


def poverty_line(
    household: Household | tuple[int, ...] | int,
    threshold: float | None = None,
    *,
    year: int = 2020,
) -> int:
    """Compute the monthly poverty line of a household, rounded last.

    Parameters
    ----------
    household : Household, tuple or int
        People aged 14 or more and children under 14: ``(2, 2)``; an int is a household without
        children.
    threshold : float, optional
        Unrounded monthly line of one consumption unit, in euros. By default that of ``year``.
    year : int, default 2020
        Year of the line, when ``threshold`` is not given: a key of `POVERTY_LINES`.

    Returns
    -------
    int
        Euros a month.

    Warns
    -----
    UserWarning
        The published lines of the year do not settle the last euro of this household's.

    Raises
    ------
    BarometreError
        A year without known line, a threshold that is not positive, or an impossible household.

    Notes
    -----
    The rounded line must not be multiplied: 1 120 x 2.1 = 2 352, where Insee publishes 2 351.

    Examples
    --------
    >>> [poverty_line(household) for household in (1, 2, (1, 1), (2, 2))]
    [1120, 1680, 1456, 2351]
    """
    people = Household(household) if isinstance(household, int) else Household(*household)
    units = consumption_units(*people)
    if threshold is not None:
        if not 0 < threshold < np.inf:
            raise BarometreError(f"seuil {threshold} : un montant mensuel positif est attendu")
        return int(round_half_up(threshold * units))
    if year not in POVERTY_LINES:
        known = ", ".join(map(str, POVERTY_LINES))
        raise BarometreError(
            f"seuil de pauvreté de {year} inconnu (connus : {known}) ; donner threshold=, le seuil"
            " mensuel non arrondi d'une unité de consommation"
        )
    low, high = POVERTY_LINES[year]
    just_below = high * (1 - 1e-9)
    if round_half_up(low * units) != round_half_up(just_below * units):
        warnings.warn(
            f"seuil de {year} pour {format_number(units)} unités de consommation : les seuils"
            " publiés ne permettent de le connaître qu'à un euro près",
            stacklevel=2,
        )
    return int(round_half_up((low + high) / 2 * units))


def _people(number: Numbers | float) -> Floats:
    people = np.asarray(number, dtype=float)
    known = people[~np.isnan(people)]
    if np.any(known < 0) or np.any(known % 1):
        raise BarometreError(
            "nombre de personnes négatif ou fractionnaire ; donner des nombres entiers de personnes"
        )
    return people
