"""
Profil d'un territoire parmi les siens
======================================

Un territoire, l'étendue de ses semblables et la référence, indicateur par indicateur :
l'extrémité défavorable est toujours à gauche.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.tables(), ["emploi", "famille", "sante"])
quarters = [code for code in results["code"].unique() if code.startswith("QP")]
rows = bcs.plots.spine_rows(results, "QP059050", peers=quarters, reference="200042190")
ax = bcs.plots.spine(rows, reference="200042190")

# %%
# Le tableau des rangs et des quartiles sert aussi à qui dessine autrement.

rows[["indicateur", "valeur", "p25", "mediane", "p75", "reference"]].head()
