"""Employment, unemployment, registered job-seekers.

One pure function per card of ``indicators/emploi``. It takes tables keyed by
``(code, annee)`` and returns a float Series on the index of the first one, in the unit of its card:
missing where an input is, or where the denominator is zero. A refused table raises `TableError`.
The card gives the definition, the source of the formula and worked examples.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from barometre.cards.columns import Activite, DemandeursEmploi
from barometre.themes.formulas import indicator, rate, share


@indicator
def taux_emploi_15_64(activite: DataFrame[Activite]) -> pd.Series[float]:
    """Employed people per 100 residents aged 15-64 (census, main processing)."""
    return share(activite["actifs_occupes_15_64_ans"], activite["population_15_64_ans"])


@indicator
def taux_chomage_rp(activite: DataFrame[Activite]) -> pd.Series[float]:
    """Self-declared unemployed per 100 active residents aged 15-64 (census definition)."""
    return share(activite["chomeurs_15_64_ans"], activite["actifs_15_64_ans"])


@indicator
def part_emplois_precaires(activite: DataFrame[Activite]) -> pd.Series[float]:
    """Fixed-term, temporary, subsidised and apprentice jobs per 100 employed residents aged 15+."""
    precaires = (
        activite["salaries_cdd"]
        + activite["salaries_interim"]
        + activite["salaries_emplois_aides"]
        + activite["salaries_apprentis_stagiaires"]
    )
    return share(precaires, activite["actifs_occupes_15_ans_plus"])


@indicator
def taux_demandeurs_emploi_abc(
    demandeurs_emploi: DataFrame[DemandeursEmploi], activite: DataFrame[Activite]
) -> pd.Series[float]:
    """Registered job-seekers (A, B, C) per 100 residents aged 15-64: two fields, not a share."""
    return rate(demandeurs_emploi["demandeurs_abc"], activite["population_15_64_ans"])
