"""
Durée jusqu'à un emploi
=======================

La part de ceux qui n'ont pas encore eu d'emploi, bras par bras, et le nombre de personnes encore
suivies sous l'axe.
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
curve = cohort.kaplan_meier("emploi", by="arm")
ax = bcs.plots.survival_curves(
    curve, labels={0: "Comparaison", 1: "Bénéficiaires"}, source="cohorte fictive"
)
