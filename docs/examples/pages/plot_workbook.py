"""
Le classeur des résultats
=========================

Une page qui dit quoi, quand et d'où ; le tableau ordonné ; les écarts ; une ligne par valeur avec
son statut et sa note ; les fiches.
"""

from pathlib import Path

import barometre as bcs
import barometre.plots
from openpyxl import load_workbook

tables = bcs.datasets.tables()
results = bcs.compute(tables, ["emploi", "famille", "sante"])
path = bcs.write_results(results, Path("sortie/barometre.xlsx"), tables.territoires)
book = load_workbook(path, read_only=True)
for sheet in book.worksheets:
    print(sheet.title, sheet.max_row, "lignes")

# %%
# Ce que dit sa première feuille :

for row in book.worksheets[0].iter_rows(values_only=True, max_row=12):
    print(*(cell for cell in row if cell is not None))

# %%
# Et, en image, un de ses tableaux :

quarters = [code for code in results["code"].unique() if code.startswith("QP")]
ax = bcs.plots.heat_table(results, territories=quarters, reference="200042190")
