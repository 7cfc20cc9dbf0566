"""
Ce que trouve chaque méthode
============================

Trois méthodes, un effet vrai connu : seules deux comparent chaque personne à elle-même.
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
pair = bcs.cohort.Cohort(
    people[people["wave"].isin([2025, 2030])],
    person="person",
    wave="wave",
    arm="arm",
    cluster="baseline_zone",
)
effects = {
    "2 × 2": pair.did("income", post=2030, se="CR2"),
    "TWFE": cohort.twfe("income", treated="treated"),
    "ATT(g,t)": cohort.att_gt("income", covariates=["diploma"]).aggregate("simple").overall,
}
ax = bcs.plots.effect_forest(effects, truth=60, source="cohorte fictive")
