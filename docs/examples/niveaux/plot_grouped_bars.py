"""
Barres groupées
===============

Deux à quatre indicateurs d'une même unité.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.tables(), ["taux_couverture_rsa", "taux_couverture_aah"])

ax = bcs.plots.grouped_bars(
    results, ["taux_couverture_rsa", "taux_couverture_aah"], references=["200042190", "METRO"]
)
