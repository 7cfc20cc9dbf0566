"""
Parts d'un tout
===============

Un tableau d'effectifs dont les colonnes font un tout : ici la situation, à la dernière vague, des
personnes d'une cohorte fictive, quartier par quartier.
"""

import barometre as bcs
import barometre.plots

people = bcs.datasets.make_cohort(2400, seed=0)
last = people[people["wave"] == people["wave"].max()]
counts = last.groupby(["baseline_zone", "status"]).size().unstack(fill_value=0)
ax = bcs.plots.share_bars(
    counts, counts=True, source="cohorte fictive", title="Situation en fin de suivi"
)
