"""
Le quartier change, ou ses habitants
====================================

Le changement d'un quartier est celui de ceux qui restent, plus ce que départs et arrivées font à
sa moyenne. Les groupes sous le seuil sont cachés.
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
change = cohort.decompose_change("income", zone="QN05952M", start=2024, end=2030)
ax = bcs.plots.waterfall(change, source="cohorte fictive")
