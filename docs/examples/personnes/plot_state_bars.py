"""
Situations, vague après vague
=============================

La part de chaque situation parmi les personnes présentes à chaque vague.
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
ax = bcs.plots.state_bars(cohort.state_distribution(), source="cohorte fictive")
