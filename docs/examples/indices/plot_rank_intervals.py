"""
Rangs et leurs intervalles
==========================

Un rang sans intervalle ne dit pas ce qui est établi. Les communes sont fictives, leurs
intervalles de sondage sont ceux de leur population.
"""

import barometre as bcs
import barometre.plots

drawn = bcs.datasets.make_tables(60, 2021, seed=1)
results = bcs.compute(drawn, "taux_surpeuplement", intervals=True)
ranks = bcs.rank(results)
ax = bcs.plots.rank_intervals(ranks.dropna(subset="rang"), source="tables fictives")

# %%
# Les autres communes ont trop peu de bulletins pour un rang ; le tableau dit pourquoi.

ranks.loc[ranks["rang"].isna(), "note"].value_counts()
