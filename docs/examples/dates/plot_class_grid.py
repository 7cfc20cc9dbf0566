"""
Niveau et évolution ensemble
============================

Neuf cases : au-dessus ou au-dessous de la référence, et mieux ou moins bien qu'elle depuis.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.tables(), "part_familles_monoparentales_caf")

ax = bcs.plots.class_grid(
    results, "part_familles_monoparentales_caf", start=2016, end=2021, reference="200042190"
)
