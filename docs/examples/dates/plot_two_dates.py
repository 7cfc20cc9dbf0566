"""
Deux dates
==========

Le niveau au départ et à l'arrivée. Où la comparaison est refusée, les deux points ne sont pas
joints et la raison est écrite.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.tables(), "idt_compas")

ax = bcs.plots.two_dates(results, "idt_compas", references=["200042190"])
print(bcs.plots.describe(ax))
