"""
Trajectoire
===========

Une série, ses ruptures, et une cible à atteindre.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.tables(), "part_familles_monoparentales_caf")

ax = bcs.plots.trajectory(
    results,
    "part_familles_monoparentales_caf",
    references=["200042190"],
    highlight="QP059050",
    targets={2026: 35},
)
