"""
Petits multiples
================

Plusieurs indicateurs, un panneau chacun, un territoire mis en avant.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(
    bcs.datasets.tables(),
    ["taux_emploi_15_64", "part_femmes_defm", "taux_couverture_minima_sociaux"],
)

ax = bcs.plots.small_multiples(
    results,
    ["taux_emploi_15_64", "part_femmes_defm", "taux_couverture_minima_sociaux"],
    reference="200042190",
    highlight="QP059050",
)
