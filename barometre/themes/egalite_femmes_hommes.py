"""Women and men: employment, activity, wages.

One pure function per card of ``indicators/egalite_femmes_hommes``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import Activite, Salaires
from barometre.themes.formulas import indicator, rate, share


@indicator
def ecart_taux_emploi_femmes_hommes(activite: DataFrame[Activite]) -> pd.Series[float]:
    """Employment rate of women minus that of men, 15-64, in points (negative: women behind)."""
    femmes = share(activite["femmes_actives_occupees_15_64_ans"], activite["femmes_15_64_ans"])
    hommes = share(activite["hommes_actifs_occupes_15_64_ans"], activite["hommes_15_64_ans"])
    return femmes - hommes


@indicator
def taux_activite_femmes(activite: DataFrame[Activite]) -> pd.Series[float]:
    """Active women per 100 women aged 15-64 (census, main processing)."""
    return share(activite["femmes_actives_15_64_ans"], activite["femmes_15_64_ans"])


@indicator
def ecart_salaire_horaire_femmes_hommes(salaires: DataFrame[Salaires]) -> pd.Series[float]:
    """Hourly wage of men minus that of women, per 100 EUR of men's (positive: women behind)."""
    hommes = salaires["salaire_horaire_hommes"]
    return rate(hommes - salaires["salaire_horaire_femmes"], hommes)
