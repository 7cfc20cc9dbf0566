"""
Carte sans contours
===================

Sans contours, la carte est un schéma de tuiles, et le dit : elle ne donne ni distance ni surface.
Les valeurs des 47 communes sont fictives.
"""

import barometre as bcs
import barometre.plots

towns = bcs.communes().query("epci == '200042190'").index
drawn = bcs.compute(bcs.datasets.make_tables(len(towns), 2021, seed=2021), "taux_emploi_15_64")
results = drawn.assign(code=drawn["code"].map(dict(zip(drawn["code"], towns, strict=True))))
ax = bcs.plots.choropleth(
    results, indicator="taux_emploi_15_64", classes=4, source="tables fictives", size="slide"
)
