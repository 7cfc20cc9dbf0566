"""
La page annuelle d'un territoire
================================

Un fichier HTML qui se suffit : l'essentiel, le profil, les questions du contrat, les priorités,
la méthode. Elle est un projet tant que personne ne l'a validée.
"""

from pathlib import Path

import barometre as bcs
import barometre.plots

tables = bcs.datasets.tables()
results = bcs.compute(tables)
written = bcs.report(
    results, Path("sortie/page"), territories="QP059050", tables=tables, edition="exemple"
)
page = written.pages["QP059050"]
print(written.summary())

# %%
# Son profil, dessiné à part :

quarters = [code for code in results["code"].unique() if code.startswith("QP")]
rows = bcs.plots.spine_rows(results, "QP059050", peers=quarters, reference="200042190")
ax = bcs.plots.spine(rows, reference="200042190")
