"""
Tableau coloré
==============

Plusieurs indicateurs, les mêmes territoires. La couleur dit de quel côté de la référence se tient
la valeur, par le sens de la fiche ; elle ne prouve rien.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.tables())
quarters = [code for code in results["code"].unique() if code.startswith("QP")]
ax = bcs.plots.heat_table(
    results, territories=quarters, reference="200042190", others=["59", "METRO"]
)
