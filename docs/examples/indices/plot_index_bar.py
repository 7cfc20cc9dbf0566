"""
Un indice et ses dimensions
===========================

L'IDH-4 de l'agglomération et celui de la région. Les niveaux de vie sont ceux de l'Insee en 2019
; l'ICM et les diplômes sont inventés, de sorte que les deux indices soient ceux du contrat.
"""

import pandas as pd

import barometre as bcs
import barometre.plots

components = pd.DataFrame(
    [("200042190", 125, 72, 18550), ("R32", 103.3, 74, 20360)],
    columns=["code", "icm", "part_diplomes", "niveau_de_vie_median"],
)
bounds = {"icm": (60, 160), "part_diplomes": (50, 90), "niveau_de_vie_median": (14090, 38860)}
index = bcs.idh4(components, bounds=bounds)
ax = bcs.plots.index_bar(index, references=["R32"])
