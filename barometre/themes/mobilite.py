"""Cars, and the way to work.

One pure function per card of ``indicators/mobilite``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import Deplacements
from barometre.themes.formulas import indicator, share


@indicator
def part_menages_sans_voiture(deplacements: DataFrame[Deplacements]) -> pd.Series[float]:
    """Households without a car per 100 households (census, main processing)."""
    menages = deplacements["menages"]
    return share(menages - deplacements["menages_avec_voiture"], menages)


@indicator
def part_actifs_voiture(deplacements: DataFrame[Deplacements]) -> pd.Series[float]:
    """Residents who drive to work per 100 employed residents aged 15+."""
    return share(deplacements["actifs_en_voiture"], deplacements["actifs_occupes_15_ans_plus"])


@indicator
def part_actifs_hors_commune(deplacements: DataFrame[Deplacements]) -> pd.Series[float]:
    """Residents who work in another commune per 100 employed residents aged 15+."""
    return share(deplacements["actifs_hors_commune"], deplacements["actifs_occupes_15_ans_plus"])
