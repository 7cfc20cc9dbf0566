"""Social housing, vacancy, overcrowding, age of dwellings.

One pure function per card of ``indicators/logement``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import Logements
from barometre.themes.formulas import indicator, share


@indicator
def part_logements_sociaux(logements: DataFrame[Logements]) -> pd.Series[float]:
    """Main homes let unfurnished by a social landlord (HLM) per 100 main homes (census)."""
    return share(logements["residences_principales_hlm"], logements["residences_principales"])


@indicator
def taux_logements_vacants(logements: DataFrame[Logements]) -> pd.Series[float]:
    """Vacant dwellings per 100 dwellings (census, main processing)."""
    return share(logements["logements_vacants"], logements["logements"])


@indicator
def taux_surpeuplement(logements: DataFrame[Logements]) -> pd.Series[float]:
    """Overcrowded homes per 100 main homes, one-person studios excluded on both sides."""
    return share(logements["residences_suroccupees"], logements["residences_hors_studio_seul"])


@indicator
def part_residences_avant_1946(logements: DataFrame[Logements]) -> pd.Series[float]:
    """Main homes finished before 1946 per 100 main homes of known date."""
    return share(logements["residences_avant_1946"], logements["residences_date_connue"])
