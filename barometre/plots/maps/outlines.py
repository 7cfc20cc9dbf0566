"""Outlines of territories, from a file or a frame: their codes found, their projection settled.

geopandas is the extra ``maps``: it is loaded here only, when outlines are read.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from barometre.base.errors import BarometreError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Geometry: TypeAlias = "str | Path | GeoDataFrame"

LAMBERT = 2154
"""EPSG code of Lambert-93, the legal projection of metropolitan France."""
_DEGREES = 4326
_METROPOLE = (-6.0, 41.0, 10.5, 51.6)  # degrees: Lambert-93 is right inside only
_NAMES = (
    "code",
    "codgeo",
    "code_insee",
    "insee_com",
    "code_com",
    "code_qp",
    "code_iris",
    "siren_epci",
)
_SHOWN = 8  # codes quoted


class MapWarning(UserWarning):
    """Codes of the results without an outline, or outlines without a result, both listed."""


@dataclass(frozen=True)
class Outlines:
    """Outlines by code.

    Attributes
    ----------
    shapes : GeoSeries
        Geometries by code, in metres.
    column : str
        Column where the codes were found.
    """

    shapes: Any
    column: str


def read_outlines(geometry: Geometry, codes: Iterable[str] | None = None) -> Outlines:
    """Read outlines and find their codes.

    Parameters
    ----------
    geometry : path or GeoDataFrame
        GeoJSON, GeoPackage, shapefile (or its ZIP), or a frame of geopandas.
    codes : iterable of str, optional
        Codes that outlines should have: the column that meets most of them is that of the codes.
        Without them, it is the first column with a usual name.

    Returns
    -------
    Outlines
        In Lambert-93, or elsewhere than metropolitan France in the local UTM.

    Raises
    ------
    BarometreError
        geopandas is not installed, a file that cannot be read, no column of codes (examples of both
        sides are given), a code twice, coordinates without a known projection.
    """
    frame = _frame(geometry)
    wanted = None if codes is None else set(codes)
    column, found = _codes(frame, wanted)
    frame = _projected(frame)
    shapes = frame.geometry.set_axis(found)
    shapes = shapes[shapes.notna() & ~shapes.is_empty]
    if shapes.index.has_duplicates:
        shapes = shapes.groupby(level=0).agg(lambda parts: parts.union_all())
        shapes = _geopandas().GeoSeries(shapes, crs=frame.crs)
    return Outlines(shapes.make_valid(), column)


def _geopandas() -> Any:
    try:
        return importlib.import_module("geopandas")
    except ImportError as error:
        raise BarometreError(
            "cartes : geopandas n'est pas installé ; pip install 'barometre[maps]', ou dessiner"
            " sans contours (tuiles)"
        ) from error


def _frame(geometry: Geometry) -> GeoDataFrame:
    geopandas = _geopandas()
    if isinstance(geometry, geopandas.GeoDataFrame):
        frame = geometry
    else:
        path = Path(geometry)
        if not path.exists():
            raise BarometreError(f"contours absents : {path} n'existe pas")
        try:
            frame = geopandas.read_file(path)
        except Exception as error:  # each driver has its own errors
            raise BarometreError(
                f"contours illisibles : {path.name} ({type(error).__name__}) ; donner un GeoJSON,"
                " un GeoPackage ou un shapefile avec ses fichiers .shx et .dbf"
            ) from error
    if not isinstance(frame, geopandas.GeoDataFrame) or frame.empty:
        raise BarometreError("contours refusés : le fichier ne contient aucune géométrie")
    return frame


def _texts(column: pd.Series) -> pd.Series:
    """Write codes as texts: a number has lost the zero at its left."""
    if pd.api.types.is_numeric_dtype(column):
        return column.map(lambda v: "" if pd.isna(v) else f"{v:.0f}").map(
            lambda text: text.zfill(5) if 0 < len(text) <= 5 else text
        )
    return column.astype("str").str.strip()


def _codes(frame: GeoDataFrame, wanted: set[str] | None) -> tuple[str, pd.Index]:
    columns = [str(name) for name in frame.columns if name != frame.geometry.name]
    usual = [name for name in columns if re.sub(r"\W", "", name).lower() in _NAMES]
    texts = {name: _texts(frame[name]) for name in columns}
    if wanted is None:
        if not usual:
            raise BarometreError(
                f"contours refusés : aucune colonne de codes parmi {', '.join(columns) or 'rien'}"
            )
        return usual[0], pd.Index(texts[usual[0]])
    met = {name: len(wanted & set(text)) for name, text in texts.items()}
    best = max(met, key=lambda name: (met[name], name in usual), default="")
    if not best or not met[best]:
        seen = "; ".join(f"{name} : {', '.join(texts[name].iloc[:3])}" for name in columns[:6])
        raise BarometreError(
            "contours refusés : aucun code commun avec les résultats"
            f" ({', '.join(sorted(wanted)[:_SHOWN])}...) ; colonnes des contours : {seen}"
        )
    return best, pd.Index(texts[best])


def _projected(frame: GeoDataFrame) -> GeoDataFrame:
    if frame.crs is None:
        west, south, east, north = frame.total_bounds
        if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
            frame = frame.set_crs(_DEGREES)
        elif 0 < west < east < 1.4e6 and 6e6 < south < north < 7.2e6:
            frame = frame.set_crs(LAMBERT)
        else:
            raise BarometreError(
                "contours sans projection connue : joindre le fichier .prj, ou donner un"
                " GeoDataFrame avec set_crs"
            )
    west, south, east, north = frame.to_crs(_DEGREES).total_bounds
    inside = (
        _METROPOLE[0] < west and _METROPOLE[1] < south and east < _METROPOLE[2]
        and north < _METROPOLE[3]
    )  # fmt: skip
    return frame.to_crs(LAMBERT if inside else frame.estimate_utm_crs())


def unmatched_text(results: Iterable[str], outlines: Iterable[str], *, listed: bool = True) -> str:
    """Say which codes of the results have no outline, and which outlines have no result.

    Parameters
    ----------
    results, outlines : iterable of str
        Codes of each side.
    listed : bool, default True
        Quote the outlines without a result; else their number alone.

    Returns
    -------
    str
        Empty when all meet.
    """
    mine, theirs = set(results), set(outlines)
    lost, spare = sorted(mine - theirs), sorted(theirs - mine)
    said = []
    if lost:
        said.append(f"{len(lost)} codes des résultats sans contour : {_quoted(lost)}")
    if spare:
        quoted = f" : {_quoted(spare)}" if listed else ""
        said.append(f"{len(spare)} contours sans résultat{quoted}")
    return " ; ".join(said)


def _quoted(codes: list[str]) -> str:
    return ", ".join(codes[:_SHOWN]) + (" ..." if len(codes) > _SHOWN else "")
