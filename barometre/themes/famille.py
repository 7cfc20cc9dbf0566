"""Families and households.

One pure function per card of ``indicators/famille``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import AccueilJeuneEnfant, Allocataires, Familles
from barometre.themes.formulas import indicator, rate, share


@indicator
def part_familles_monoparentales(familles: DataFrame[Familles]) -> pd.Series[float]:
    """Single-parent families per 100 families (census, complementary processing)."""
    return share(familles["familles_monoparentales"], familles["familles"])


@indicator
def part_familles_monoparentales_caf(allocataires: DataFrame[Allocataires]) -> pd.Series[float]:
    """Single parents per 100 Caf recipient households with children: AM / (AM + ACAVENF)."""
    monoparents = allocataires["allocataires_monoparents"]
    return share(monoparents, monoparents + allocataires["allocataires_couples_avec_enfant"])


@indicator
def part_menages_une_personne(familles: DataFrame[Familles]) -> pd.Series[float]:
    """One-person households per 100 households (census, complementary processing)."""
    return share(familles["menages_une_personne"], familles["menages"])


@indicator
def part_personnes_agees_vivant_seules(familles: DataFrame[Familles]) -> pd.Series[float]:
    """People aged 80 or more living alone per 100 people of that age (census, main processing)."""
    return share(familles["personnes_80_ans_plus_seules"], familles["personnes_80_ans_plus"])


@indicator
def taux_couverture_accueil_jeune_enfant(
    accueil_jeune_enfant: DataFrame[AccueilJeuneEnfant],
) -> pd.Series[float]:
    """Formal childcare places per 100 children under three (Onape); may exceed 100."""
    return rate(accueil_jeune_enfant["places_accueil"], accueil_jeune_enfant["enfants_moins_3_ans"])
