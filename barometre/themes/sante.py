"""Access to care, complementary cover, prevention.

One pure function per card of ``indicators/sante``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import Sante
from barometre.themes.formulas import indicator, share


@indicator
def apl_medecins_generalistes(sante: DataFrame[Sante]) -> pd.Series[float]:
    """Consultations of a GP within reach, a year and per standardised resident (Drees)."""
    return sante["apl_medecins_generalistes"]


@indicator
def taux_couverture_c2s(sante: DataFrame[Sante]) -> pd.Series[float]:
    """C2S beneficiaries per 100 people covered by the general scheme (Cnam)."""
    return share(sante["beneficiaires_c2s"], sante["assures"])


@indicator
def part_assures_sans_medecin_traitant(sante: DataFrame[Sante]) -> pd.Series[float]:
    """Insured people aged 16+ without a registered GP per 100."""
    return share(sante["assures_sans_medecin_traitant"], sante["assures_16_ans_plus"])


@indicator
def part_femmes_sans_mammographie(sante: DataFrame[Sante]) -> pd.Series[float]:
    """Women aged 50-74 without a mammogram in 24 months per 100 insured women of that age."""
    return share(sante["femmes_sans_mammographie"], sante["femmes_50_74_ans"])
