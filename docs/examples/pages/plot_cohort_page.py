"""
La page d'une cohorte
=====================

Suivi, pertes, équilibre, durées, effet : chaque tableau sous sa forme protégée, et ce qui a été
caché est dit.
"""

from pathlib import Path

import barometre as bcs
import barometre.plots

people = bcs.datasets.make_cohort(2400, entries=(2026, 2028), mobility=0.08)
cohort = bcs.cohort.Cohort(
    people,
    person="person",
    wave="wave",
    arm="arm",
    first_treated="first_treated",
    cluster="baseline_zone",
    zone="zone",
    status="status",
)
folder = Path("sortie/cohorte")
folder.mkdir(parents=True, exist_ok=True)
written = bcs.cohort_page(
    cohort,
    folder / "cohorte.html",
    outcome="income",
    covariates=["diploma", "age", "sex"],
    event="emploi",
    unit="euros par mois",
    notice="Personnes fictives.",
    truth=60,
)
page = written.page
print(written.summary())

# %%
# Un de ses graphiques, dessiné à part :

ax = bcs.plots.state_bars(cohort.state_distribution(), source="cohorte fictive")
