"""
Ce qui fait l'écart d'un indice
===============================

La part de chaque dimension dans l'écart à la région : elles s'ajoutent exactement. L'ICM et les
diplômes sont inventés.
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
ax = bcs.plots.gap_dimensions(index.contributions("R32"))
print(index.explain("200042190", "R32", labels={"200042190": "La Porte du Hainaut"}))
