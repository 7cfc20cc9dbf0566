"""
Barres triées
=============

Un indicateur, ses territoires du plus haut au plus bas, ses références. Le titre dit ce que l'on
a trouvé ; sans titre, c'est ce qui est dessiné.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.tables(), "taux_emploi_15_64")

ax = bcs.plots.ranked_bars(
    results,
    "taux_emploi_15_64",
    references=["200042190", "59", "METRO"],
    title="Dans chaque quartier, moins d'un habitant sur deux a un emploi",
)

# %%
# Le graphique se dit aussi en mots, pour qui ne le voit pas, et se donne en tableau.

print(bcs.plots.describe(ax))
bcs.plots.chart_data(ax).head()
