"""Schooling, diplomas, young people neither in work nor in school.

One pure function per card of ``indicators/formation``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import Diplomes, Scolarisation
from barometre.themes.formulas import indicator, share


@indicator
def taux_scolarisation_15_24(scolarisation: DataFrame[Scolarisation]) -> pd.Series[float]:
    """Enrolled residents per 100 residents aged 15-24 (census, main processing)."""
    return share(scolarisation["scolarises_15_24_ans"], scolarisation["population_15_24_ans"])


@indicator
def part_non_diplomes(diplomes: DataFrame[Diplomes]) -> pd.Series[float]:
    """No diploma, or the brevet at most, per 100 people aged 15+ out of school."""
    return share(diplomes["sans_diplome_ou_brevet"], diplomes["non_scolarises_15_ans_plus"])


@indicator
def part_diplomes_superieur(diplomes: DataFrame[Diplomes]) -> pd.Series[float]:
    """Two years of higher education or more per 100 people aged 15+ out of school."""
    return share(diplomes["diplomes_bac2_plus"], diplomes["non_scolarises_15_ans_plus"])


@indicator
def part_jeunes_non_inseres(scolarisation: DataFrame[Scolarisation]) -> pd.Series[float]:
    """Neither in school nor in work per 100 residents aged 15-24."""
    return share(
        scolarisation["jeunes_non_inseres_15_24_ans"], scolarisation["population_15_24_ans"]
    )
