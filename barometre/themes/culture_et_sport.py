"""Sports licences, sports facilities, cultural venues.

One pure function per card of ``indicators/culture_et_sport``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import Equipements, Licences, Population
from barometre.themes.formulas import indicator, rate, ratio, share


@indicator
def taux_licences_sportives(
    licences: DataFrame[Licences], population: DataFrame[Population]
) -> pd.Series[float]:
    """Sports licences per 100 residents; a resident may hold several."""
    return rate(licences["licences"], population["population"])


@indicator
def part_femmes_licences(licences: DataFrame[Licences]) -> pd.Series[float]:
    """Licences of women per 100 licences whose holder's sex is known."""
    femmes = licences["licences_femmes"]
    return share(femmes, femmes + licences["licences_hommes"])


@indicator
def equipements_sportifs_10000(
    equipements: DataFrame[Equipements], population: DataFrame[Population]
) -> pd.Series[float]:
    """Sports facilities per 10 000 residents, natural sites excluded."""
    return 10_000 * ratio(equipements["equipements_sportifs"], population["population"])


@indicator
def equipements_culturels_10000(
    equipements: DataFrame[Equipements], population: DataFrame[Population]
) -> pd.Series[float]:
    """Cultural venues per 10 000 residents."""
    return 10_000 * ratio(equipements["equipements_culturels"], population["population"])
