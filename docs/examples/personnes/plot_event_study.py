"""
Effet avant et après l'entrée
=============================

ATT(g,t) par durée depuis l'entrée : avant, il ne devrait rien y avoir ; après, l'effet vrai est
de 60 euros par mois.
"""

import barometre as bcs
import barometre.plots

people = bcs.datasets.make_cohort(2400, entries=(2026, 2028), mobility=0.08)
people["treated"] = (people["wave"] >= people["first_treated"]).astype(int)
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
effects = cohort.att_gt("income", covariates=["diploma"])
ax = bcs.plots.event_study_plot(
    effects.aggregate("dynamic").table,
    truth=60,
    label="Effet (euros par mois)",
    source="cohorte fictive",
)
