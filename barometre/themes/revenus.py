"""Living standards, poverty, minimum benefits.

One pure function per card of ``indicators/revenus``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import Allocataires, Population, Revenus
from barometre.themes.formulas import indicator, rate, ratio


@indicator
def niveau_de_vie_median(revenus: DataFrame[Revenus]) -> pd.Series[float]:
    """Median disposable income per consumption unit, as Filosofi publishes it (EUR a year)."""
    return revenus["niveau_de_vie_median"]


@indicator
def taux_de_pauvrete(revenus: DataFrame[Revenus]) -> pd.Series[float]:
    """Poverty rate at 60 % of the national median, as Filosofi publishes it (5.0: 5 or less)."""
    return revenus["taux_pauvrete"]


@indicator
def rapport_interdecile(revenus: DataFrame[Revenus]) -> pd.Series[float]:
    """D9 / D1 of living standards, more precise than the printed ratio (one decimal)."""
    return ratio(revenus["niveau_de_vie_d9"], revenus["niveau_de_vie_d1"])


@indicator
def part_prestations_sociales(revenus: DataFrame[Revenus]) -> pd.Series[float]:
    """Social benefits per 100 EUR of disposable income, as Filosofi publishes them (PPSOC)."""
    return revenus["part_prestations_sociales"]


@indicator
def taux_couverture_minima_sociaux(
    allocataires: DataFrame[Allocataires], population: DataFrame[Population]
) -> pd.Series[float]:
    """RSA and AAH recipient households per 100 census households."""
    return rate(
        allocataires["allocataires_aah"] + allocataires["allocataires_rsa_socle"],
        population["menages"],
    )
