"""
Carte avec contours
===================

Avec l'option « maps », les contours viennent d'un GeoJSON, d'un GeoPackage ou d'un GeoDataFrame.
Ceux-ci sont inventés : donner à la place le fichier de l'IGN ou de l'ANCT.
"""

import geopandas as gpd
from shapely.geometry import box

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.make_tables(9, 2021, seed=3), "taux_logements_vacants")
squares = [
    box(
        3.2 + 0.05 * (i % 3), 50.3 + 0.03 * (i // 3), 3.25 + 0.05 * (i % 3), 50.33 + 0.03 * (i // 3)
    )
    for i in range(9)
]
outlines = gpd.GeoDataFrame({"code": results["code"]}, geometry=squares, crs=4326)
ax = bcs.plots.choropleth(
    results, outlines, indicator="taux_logements_vacants", classes=3, source="tables fictives"
)
