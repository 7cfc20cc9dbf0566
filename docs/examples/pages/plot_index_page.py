"""
L'index des pages
=================

Quand plusieurs territoires ont leur page, un index les réunit, et un classeur garde ce qu'elles
montrent.
"""

from pathlib import Path

import barometre as bcs
import barometre.plots

tables = bcs.datasets.tables()
results = bcs.compute(tables, ["emploi", "famille", "sante"])
written = bcs.report(
    results,
    Path("sortie/index"),
    territories=["QP059050", "QP059054"],
    tables=tables,
    edition="exemple",
)
page = written.index
print(written.summary())

# %%
# Le tableau des mêmes chiffres, en image :

ax = bcs.plots.heat_table(results, territories=["QP059050", "QP059054"], reference="200042190")
