"""
Besoins généraux ou concentrés
==============================

L'écart de l'agglomération à sa référence, croisé avec la dispersion entre ses quartiers.
"""

import barometre as bcs
import barometre.plots

tables = bcs.datasets.tables()
results = bcs.compute(tables)
quarters = [code for code in results["code"].unique() if code.startswith("QP")]
people = tables["population"]["population"].groupby("code").last()
diagnosis = bcs.diagnose(results, quarters, "200042190", "59", people)
ax = bcs.plots.diagnostic_map(diagnosis)
