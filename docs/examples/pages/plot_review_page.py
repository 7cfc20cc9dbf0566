"""
La revue annuelle du contrat
============================

Objectifs, actions, crédits, engagements et calendrier, pour le comité de pilotage. Les objectifs
sont ceux du contrat ; observations, actions, crédits et engagements sont fictifs.
"""

from pathlib import Path

import barometre as bcs
import barometre.plots
from barometre import monitoring

tables = bcs.datasets.tables()
results = bcs.compute(tables, "emploi")
written = bcs.report(
    results,
    Path("sortie/revue"),
    territories="QP059050",
    tables=tables,
    records=monitoring.example_year(),
    year=2025,
    edition="exemple",
    notice="Observations, actions, crédits et engagements fictifs.",
)
page = written.review

# %%
# Les actions de chaque orientation, ce que la page résume :

actions = monitoring.actions(monitoring.example_year()["actions"], year=2025)
counts = actions.set_index("orientation")[["n_realisees", "n_arretees"]]
counts["n_autres"] = actions.set_index("orientation")["n"] - counts.sum(axis=1)
names = {"n_realisees": "réalisées", "n_arretees": "arrêtées", "n_autres": "en cours ou prévues"}
ax = bcs.plots.share_bars(
    counts.rename(columns=names), counts=True, source="actions fictives", title="Actions en 2025"
)
