"""
Les bras se ressemblent-ils ?
=============================

Différences standardisées avant et après pondération ; ce qui n'a pas été mesuré n'est pas
équilibré.
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
traits = ["income", "diploma", "age", "sex"]
weights = cohort.propensity_weights(traits)
ax = bcs.plots.love_plot(cohort.balance(traits, weight=weights.weight), source="cohorte fictive")
