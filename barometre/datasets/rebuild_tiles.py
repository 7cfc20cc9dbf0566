"""Rebuild the bundled tile map: a square for each commune, as near as can be to its place.

Run by hand when the communes change, with their outlines (GeoJSON, degrees)::

    python -m barometre.datasets.rebuild_tiles OUTLINES.geojson 200042190 DATASETS

It writes ``tuiles_porte_du_hainaut``. The outlines themselves are not kept.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from scipy.optimize import linear_sum_assignment

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.files import write_text
from barometre.datasets.places.bundle import communes

NAME = "tuiles_porte_du_hainaut"
_SPARE = 1.35  # cells of the grid over the number of communes


def centre(geometry: Mapping[str, Any]) -> tuple[float, float]:
    """Return the centroid of a polygon, or of the largest part of a set of polygons (shoelace)."""
    kind, rings = geometry["type"], geometry["coordinates"]
    parts = [rings[0]] if kind == "Polygon" else [part[0] for part in rings]
    best = (0.0, 0.0, 0.0)
    for ring in parts:
        x, y = np.array(ring, dtype=np.float64)[:, :2].T
        cross = x[:-1] * y[1:] - x[1:] * y[:-1]
        area = float(cross.sum()) / 2
        if abs(area) > abs(best[0]):
            at = ((x[:-1] + x[1:]) * cross).sum(), ((y[:-1] + y[1:]) * cross).sum()
            best = (area, float(at[0]) / (6 * area), float(at[1]) / (6 * area))
    return best[1], best[2]


def tiles(centres: Floats) -> list[tuple[int, int]]:
    """Give each place a cell of a square grid, none twice, the sum of squared moves being least.

    Parameters
    ----------
    centres : ndarray of shape (places, 2)
        Longitude and latitude, in degrees.

    Returns
    -------
    list of tuple of int
        Row from the north and column from the west, from 0.
    """
    east = math.cos(math.radians(float(centres[:, 1].mean())))
    flat = np.column_stack([centres[:, 0] * east, -centres[:, 1]])
    flat -= flat.min(axis=0)
    wide, high = flat.max(axis=0)
    side = math.sqrt(wide * high / (_SPARE * len(flat)))
    columns, rows = math.ceil(wide / side) + 1, math.ceil(high / side) + 1
    # Where places are dense, their moves are shared by stretching each axis towards its ranks.
    even = np.argsort(np.argsort(flat, axis=0), axis=0) / (len(flat) - 1)
    mixed = 0.5 * flat / [wide, high] + 0.5 * even
    wanted = mixed * [columns - 1, rows - 1]
    cells = np.array([(c, r) for r in range(rows) for c in range(columns)], dtype=np.float64)
    cost = ((wanted[:, None, :] - cells[None, :, :]) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(cost)
    found = [(int(cells[i, 1]), int(cells[i, 0])) for i in chosen]
    top, left = min(row for row, _ in found), min(column for _, column in found)
    return [(row - top, column - left) for row, column in found]


def rebuild(outlines: Path, epci: str, folder: Path) -> int:
    """Write the dataset; return the number of communes."""
    members = communes().query("epci == @epci")
    shapes = {
        str(feature["properties"]["code"]): feature["geometry"]
        for feature in json.loads(outlines.read_text(encoding="utf-8"))["features"]
    }
    lost = [code for code in members.index if code not in shapes]
    if lost or members.empty:
        raise BarometreError(f"contours absents : {', '.join(map(str, lost)) or epci}")
    codes = sorted(map(str, members.index))
    places = tiles(np.array([centre(shapes[code]) for code in codes]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["code", "nom", "rang_depuis_le_nord", "rang_depuis_l_ouest"])
    for code, (row, column) in zip(codes, places, strict=True):
        writer.writerow([code, members.loc[code, "nom"], row, column])
    content = text.getvalue()
    target = folder / NAME
    target.mkdir(exist_ok=True)
    write_text(target / f"{NAME}.csv", content)
    described = {
        "titre": "Carte schématique : une tuile par commune de La Porte du Hainaut",
        "producteur": "barometre",
        "source": "Centres des communes, d'après des contours simplifiés de l'IGN (2018)",
        "millesime": "Communes au 1er janvier 2026",
        "licence": "Licence Ouverte",
        "notes": [
            "Schéma, et non carte : une même surface par commune, des voisinages approchés.",
            "Calculé par barometre.datasets.rebuild_tiles ; aucun contour n'est repris.",
        ],
        "lignes": len(codes),
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "colonnes": _columns(),
    }
    write_text(target / "dataset.toml", tomli_w.dumps(described))
    return len(codes)


def _columns() -> list[dict[str, str]]:
    return [
        {"nom": "code", "libelle": "Code de la commune", "unite": "texte"},
        {"nom": "nom", "libelle": "Nom", "unite": "texte"},
        {"nom": "rang_depuis_le_nord", "libelle": "Rangée, depuis le nord", "unite": "nb"},
        {"nom": "rang_depuis_l_ouest", "libelle": "Colonne, depuis l'ouest", "unite": "nb"},
    ]


def main(arguments: Sequence[str]) -> None:
    """Rebuild from the command line."""
    outlines, epci, folder = arguments
    print(f"{rebuild(Path(outlines), epci, Path(folder))} communes")


if __name__ == "__main__":
    main(sys.argv[1:])
