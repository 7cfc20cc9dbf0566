"""Named measures of the contract that are not indicators of the barometer.

One pure function per card of ``indicators/contexte``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import (
    Allocataires,
    DemandeursEmploi,
    Etablissements,
    Indices,
    Population,
    Sante,
    Scolarisation,
)
from barometre.themes.formulas import indicator, rate, ratio, share


@indicator
def population(population: DataFrame[Population]) -> pd.Series[float]:
    """Municipal population (census)."""
    return population["population"]


@indicator
def indice_jeunesse(population: DataFrame[Population]) -> pd.Series[float]:
    """Residents under 20 for one aged 60 or more."""
    return ratio(
        population["population_moins_20_ans"],
        population["population_60_74_ans"] + population["population_75_ans_plus"],
    )


@indicator
def indice_evolution_generations_agees(population: DataFrame[Population]) -> pd.Series[float]:
    """Residents aged 60-74 for one aged 75 or more."""
    return ratio(population["population_60_74_ans"], population["population_75_ans_plus"])


@indicator
def nombre_etrangers(population: DataFrame[Population]) -> pd.Series[float]:
    """Residents of foreign nationality (census)."""
    return population["population_etrangere"]


@indicator
def part_population_etrangere(population: DataFrame[Population]) -> pd.Series[float]:
    """Residents of foreign nationality per 100 residents (census)."""
    return share(population["population_etrangere"], population["population"])


@indicator
def allocataires_minima_sociaux(allocataires: DataFrame[Allocataires]) -> pd.Series[float]:
    """Recipient households of RSA or AAH; one that draws both counts twice, as published."""
    return allocataires["allocataires_aah"] + allocataires["allocataires_rsa_socle"]


@indicator
def taux_couverture_aah(
    allocataires: DataFrame[Allocataires], population: DataFrame[Population]
) -> pd.Series[float]:
    """AAH recipient households per 100 census households."""
    return rate(allocataires["allocataires_aah"], population["menages"])


@indicator
def taux_couverture_rsa(
    allocataires: DataFrame[Allocataires], population: DataFrame[Population]
) -> pd.Series[float]:
    """RSA recipient households per 100 census households."""
    return rate(allocataires["allocataires_rsa_socle"], population["menages"])


@indicator
def beneficiaires_c2s(sante: DataFrame[Sante]) -> pd.Series[float]:
    """People covered by the C2S, with or without contribution (Cnam)."""
    return sante["beneficiaires_c2s"]


@indicator
def taux_couverture_c2s_moins_18(sante: DataFrame[Sante]) -> pd.Series[float]:
    """C2S beneficiaries per 100 insured people under 18."""
    return share(sante["beneficiaires_c2s_moins_18_ans"], sante["assures_moins_18_ans"])


@indicator
def taux_couverture_c2s_25_49(sante: DataFrame[Sante]) -> pd.Series[float]:
    """C2S beneficiaries per 100 insured people aged 25-49."""
    return share(sante["beneficiaires_c2s_25_49_ans"], sante["assures_25_49_ans"])


@indicator
def taux_couverture_c2s_50_59(sante: DataFrame[Sante]) -> pd.Series[float]:
    """C2S beneficiaries per 100 insured people aged 50-59."""
    return share(sante["beneficiaires_c2s_50_59_ans"], sante["assures_50_59_ans"])


@indicator
def demandeurs_emploi_abc(demandeurs_emploi: DataFrame[DemandeursEmploi]) -> pd.Series[float]:
    """Registered job-seekers of categories A, B and C at the end of the month."""
    return demandeurs_emploi["demandeurs_abc"]


@indicator
def demandeurs_emploi_a(demandeurs_emploi: DataFrame[DemandeursEmploi]) -> pd.Series[float]:
    """Registered job-seekers of category A at the end of the month."""
    return demandeurs_emploi["demandeurs_a"]


@indicator
def demandeurs_emploi_moins_26_ans(
    demandeurs_emploi: DataFrame[DemandeursEmploi],
) -> pd.Series[float]:
    """Registered job-seekers under 26 (A, B, C)."""
    return demandeurs_emploi["demandeurs_abc_moins_26_ans"]


@indicator
def part_femmes_defm(demandeurs_emploi: DataFrame[DemandeursEmploi]) -> pd.Series[float]:
    """Women per 100 registered job-seekers (A, B, C)."""
    return share(demandeurs_emploi["demandeurs_abc_femmes"], demandeurs_emploi["demandeurs_abc"])


@indicator
def part_moins_26_ans_defm(demandeurs_emploi: DataFrame[DemandeursEmploi]) -> pd.Series[float]:
    """People under 26 per 100 registered job-seekers (A, B, C)."""
    return share(
        demandeurs_emploi["demandeurs_abc_moins_26_ans"], demandeurs_emploi["demandeurs_abc"]
    )


@indicator
def part_etrangers_defm(demandeurs_emploi: DataFrame[DemandeursEmploi]) -> pd.Series[float]:
    """Foreign nationals per 100 registered job-seekers (A, B, C)."""
    return share(demandeurs_emploi["demandeurs_abc_etrangers"], demandeurs_emploi["demandeurs_abc"])


@indicator
def part_bac2_defm(demandeurs_emploi: DataFrame[DemandeursEmploi]) -> pd.Series[float]:
    """Educated above the baccalaureate per 100 registered job-seekers (A, B, C)."""
    return share(demandeurs_emploi["demandeurs_abc_bac2"], demandeurs_emploi["demandeurs_abc"])


@indicator
def part_plus_2_ans_defm(demandeurs_emploi: DataFrame[DemandeursEmploi]) -> pd.Series[float]:
    """Registered for over two years per 100 registered job-seekers (A, B, C)."""
    return share(
        demandeurs_emploi["demandeurs_abc_plus_2_ans"], demandeurs_emploi["demandeurs_abc"]
    )


@indicator
def part_monoparents_allocataires(allocataires: DataFrame[Allocataires]) -> pd.Series[float]:
    """Single parents per 100 Caf recipient households: AM / A."""
    return share(allocataires["allocataires_monoparents"], allocataires["allocataires"])


@indicator
def taux_creation_etablissements(etablissements: DataFrame[Etablissements]) -> pd.Series[float]:
    """Establishments created in the year per 100 of the stock; may exceed 100."""
    return rate(etablissements["creations"], etablissements["etablissements"])


@indicator
def part_auto_entrepreneurs_creations(
    etablissements: DataFrame[Etablissements],
) -> pd.Series[float]:
    """Creations under the auto-entrepreneur scheme per 100 creations."""
    return share(etablissements["creations_auto_entrepreneurs"], etablissements["creations"])


@indicator
def ecart_taux_scolarisation_filles_garcons(
    scolarisation: DataFrame[Scolarisation],
) -> pd.Series[float]:
    """Enrolment rate of girls minus that of boys, 15-24, in points."""
    filles = share(scolarisation["filles_scolarisees_15_24_ans"], scolarisation["filles_15_24_ans"])
    garcons = share(
        scolarisation["garcons_scolarises_15_24_ans"], scolarisation["garcons_15_24_ans"]
    )
    return filles - garcons


@indicator
def part_jeunes_non_inseres_16_25(scolarisation: DataFrame[Scolarisation]) -> pd.Series[float]:
    """Neither in school nor in work per 100 residents aged 16-25."""
    return share(
        scolarisation["jeunes_non_inseres_16_25_ans"], scolarisation["population_16_25_ans"]
    )


@indicator
def idt_compas(indices: DataFrame[Indices]) -> pd.Series[float]:
    """The territorial development index, as COMPAS publishes it."""
    return indices["valeur_idt_compas"]


@indicator
def idt(indices: DataFrame[Indices]) -> pd.Series[float]:
    """The reconstruction of the territorial development index."""
    return indices["valeur_idt"]


@indicator
def idh4(indices: DataFrame[Indices]) -> pd.Series[float]:
    """The human development index of communes (IDH-4)."""
    return indices["valeur_idh4"]
