"""
Rangs et leurs intervalles
==========================

Un rang sans intervalle ne dit pas ce qui est établi. Ici l'indice est recalculé avec d'autres
poids, une autre normalisation, une autre moyenne : un rang qui en dépend est large.
"""

import pandas as pd

import barometre as bcs
import barometre.plots
from barometre.composite import Alternatives, Index, robustness

leaves = {
    "emploi": "taux_emploi_15_64",
    "rsa": "taux_couverture_rsa",
    "c2s": "taux_couverture_c2s",
    "scolarisation": "taux_scolarisation_15_24",
}
tables = bcs.datasets.tables()
results = bcs.compute(tables, list(leaves.values()))
quarters = results[results["code"].str.startswith("QP")]
frame = quarters.pivot(index="code", columns="indicateur", values="valeur")
frame = frame[list(leaves.values())].set_axis(list(leaves), axis=1)
frame.index = frame.index.map(tables.territoires["libelle_court"])
tree = pd.DataFrame(
    [
        ("indice", None, None),
        ("emploi", "indice", 1),
        ("rsa", "indice", -1),
        ("c2s", "indice", -1),
        ("scolarisation", "indice", 1),
    ],
    columns=["id", "parent", "direction"],
)
index = Index.from_table(tree, normalise="minmax", out=(0, 100))
choices = Alternatives(
    weights=0.25, normalise=["minmax", "zscore"], aggregate=["arithmetic", "geometric"]
)
result = robustness(index, frame, choices, draws=300, seed=0)
ax = bcs.plots.rank_intervals(result, title="Ce qui ne dépend pas des choix")
