"""Choropleth maps, on outlines or on tiles."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, absent_label, quality_mark
from barometre.cards.labels import format_value
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.plots.look.colours import INK, NEUTRAL, SOFT, ink_on
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.rows import latest, quality_notes, source_line, zones
from barometre.plots.look.sentences import absent, extremes, measured, topic, unit_line
from barometre.plots.look.sheet import Sheet, Signed, house
from barometre.plots.maps.classing import MapClass, Rule, classed
from barometre.plots.maps.outlines import (
    Geometry,
    MapWarning,
    Outlines,
    read_outlines,
    unmatched_text,
)
from barometre.plots.maps.squares import Tiles, draw_tiles, tiles_of

_ASIDE = "#f8f8f6"  # outlines that are not of the results
_PLAIN = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
_SEEN = 1000  # marks that the side of a map can show
_WITHIN = 0.01  # share of a layer's outline that is on the map, for it to be drawn
_EDGES: tuple[Literal["-", "--", ":"], ...] = ("-", "--", ":")
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "over": "{name} ({n})",
        "scheme": "Schéma, et non carte : une tuile de même surface par commune, près de sa place.",
        "sorted": "Tuiles dans l'ordre des noms, sans géographie : donner des contours (GeoJSON,"
        " GeoPackage ou shapefile des communes, de l'IGN par exemple) pour une carte.",
        "unmet": "Codes sans correspondance : {text}.",
        "class": "{text} : {names}.",
        "zones": "quartiers",
    },
    "en": {
        "over": "{name} ({n})",
        "scheme": "A scheme, not a map: one tile of the same size per commune, near its place.",
        "sorted": "Tiles in the order of names, without geography: give outlines (GeoJSON,"
        " GeoPackage or shapefile of the communes) for a map.",
        "unmet": "Codes without a match: {text}.",
        "class": "{text}: {names}.",
        "zones": "neighbourhoods",
    },
}


@house
def choropleth(
    results: pd.DataFrame,
    geometry: Geometry | None = None,
    *,
    indicator: str | None = None,
    rule: Rule = "quantiles",
    classes: int = 5,
    reference: str | None = None,
    tolerance: float = 0.05,
    verdicts: pd.DataFrame | None = None,
    territories: Sequence[str] | None = None,
    over: Geometry | Mapping[str, Geometry] | None = None,
    names: bool = True,
    year: int | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Map an indicator in classes.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    geometry : path or GeoDataFrame, optional
        Outlines: GeoJSON, GeoPackage, shapefile, or a frame of geopandas (extra ``maps``). Without
        them the map is schematic: a tile per territory, at its place for the communes of La Porte
        du Hainaut, in the order of names for others.
    indicator : str, optional
        Identifier; not needed when the results have one only.
    rule : {"quantiles", "reference", "verdict"}, default "quantiles"
        Classes of equal numbers of territories; below, near (``tolerance``) and above the
        reference; the verdicts of `judge`.
    classes : int, default 5
        Number of classes of ``"quantiles"``.
    reference : str, optional
        Code of the territory of reference.
    tolerance : float, default 0.05
        Relative distance under which a value is near the reference.
    verdicts : DataFrame, optional
        What `judge` returns.
    territories : sequence of str, optional
        Codes; by default those of the most frequent level.
    over : geometry or mapping of str to geometry, optional
        Outlines drawn over the map without a fill, by the name that the legend gives them:
        neighbourhoods, pockets of poverty.
    names : bool, default True
        Write the names that fit in their territory.
    year : int, optional
        Year, the latest by default.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Classes with their number in the legend; absent values hatched, with the reason. Outlines
        without a result are pale; codes that do not meet are listed both ways, below the map and in
        a `MapWarning`.

    Raises
    ------
    BarometreError
        Several indicators and none chosen, outlines that cannot be read or share no code, a rule
        without its reference or verdicts.
    """
    card, rows, year = _rows(results, indicator, year)
    codes = zones(rows, territories, [reference] if reference else [])
    mine = rows.reindex(codes)
    shapes = None if geometry is None else read_outlines(geometry, codes)
    sheet = Sheet(signed, aspect=1.15 if (signed.get("size") or "a4") == "a4" else 0.42)
    lang = sheet.lang
    against = (sheet.names([reference])[0], float(rows["valeur"].get(reference, np.nan))) if (
        reference
    ) else ("", np.nan)  # fmt: skip
    found = classed(
        mine, card, rule, number=classes, reference=against, tolerance=tolerance, lang=lang,
        verdicts=_verdicts(verdicts, card.id, year, reference),
    )  # fmt: skip
    labels = dict(zip(codes, sheet.names(codes), strict=True))
    legend = _legend(found)
    notes: list[str] = []
    if shapes is None:
        tiles = tiles_of(codes, labels)
        _tiles(sheet, tiles, (mine, card), found, labels)
        notes.append(_WORDS[lang]["scheme" if tiles.placed else "sorted"])
    else:
        marks = mine["qualite"].where(mine["valeur"].notna()).map(quality_mark)
        named = {code: labels[code] + marks[code] for code in codes}
        drawn = _areas(sheet, shapes, found, named if names else {})
        legend += _over(sheet, over, drawn)
        notes += _unmet(codes, shapes, lang)
    _keep(sheet, mine, found, (labels, card, year))
    notes += quality_notes([mine["qualite"].where(mine["valeur"].notna())], lang)
    return sheet.finish(
        title=f"{card.libelle[lang]}, {year}", subtitle=unit_line(card, lang),
        source=source_line(card, [year]), notes=notes, legend=legend,
    )  # fmt: skip


def _rows(
    results: pd.DataFrame, indicator: str | None, year: int | None
) -> tuple[Card, pd.DataFrame, int]:
    known = list(results["indicateur"].unique()) if "indicateur" in results else []
    if indicator is None and len(known) != 1:
        raise BarometreError(
            f"carte refusée : choisir indicator= parmi {', '.join(map(str, known)) or 'aucun'}"
        )
    card = indicator_card(str(known[0]) if indicator is None else indicator)
    rows = latest(results, card.id, year)
    return card, rows, int(rows["annee"].iloc[0])


def _verdicts(
    verdicts: pd.DataFrame | None, indicator: str, year: int, reference: str | None
) -> pd.Series | None:
    if verdicts is None:
        return None
    mine = verdicts[(verdicts["indicateur"] == indicator) & (verdicts["annee"] == year)]
    if reference is not None:
        mine = mine[mine["reference"] == reference]
    if mine["code"].duplicated().any():
        raise BarometreError("verdicts de plusieurs références : donner reference=")
    return mine.set_index("code")["verdict"]


def _legend(found: Sequence[MapClass]) -> list[tuple[Artist, str]]:
    return [
        (
            Patch(facecolor=item.colour, edgecolor=SOFT, linewidth=0.5,
                  hatch="////" if item.absent else None),
            f"{item.text} ({len(item.codes)})",
        )
        for item in found
    ]  # fmt: skip


# ---- outlines ------------------------------------------------------------------------------------


def _areas(
    sheet: Sheet, outlines: Outlines, found: Sequence[MapClass], labels: Mapping[str, str]
) -> Any:
    """Fill the outlines of the classes over pale ones; return the box of what is filled."""
    ax, shapes = sheet.axes[0], outlines.shapes
    colour = {code: item for item in found for code in item.codes if code in shapes.index}
    own = shapes.loc[sorted(colour)]
    west, south, east, north = own.total_bounds
    room = 0.03 * max(east - west, north - south)
    box = (west - room, south - room, east + room, north + room)
    shapes = shapes.simplify(max(east - west, north - south) / _SEEN)  # finer is not seen
    for shape in shapes[~shapes.index.isin(own.index)].cx[box[0] : box[2], box[1] : box[3]]:
        ax.add_patch(_patch(shape, facecolor=_ASIDE, edgecolor="#dcdcd8", linewidth=0.5, zorder=1))
    for code, shape in shapes.loc[own.index].items():
        item = colour[str(code)]
        ax.add_patch(
            _patch(
                shape,
                facecolor=item.colour,
                edgecolor=NEUTRAL,
                linewidth=0.5,
                zorder=2,
                hatch="////" if item.absent else None,
            )
        )
    ax.set_xlim(box[0], box[2])
    ax.set_ylim(box[1], box[3])
    _square(sheet, ax, (box[2] - box[0]) / (box[3] - box[1]))
    sheet.later(lambda: _name_areas(sheet, ax, own, colour, labels))
    return own


def _square(sheet: Sheet, ax: Axes, ratio: float) -> None:
    """Keep the shape of the ground: the height follows from the width, within the sheet."""
    ax.set_aspect("equal", adjustable="box", anchor="W")
    ax.set_axis_off()
    if sheet.own:
        sheet.height = min(sheet.height, (72 * sheet.width - 16) / ratio)


def _patch(shape: Any, **style: Any) -> PathPatch:
    """Draw a polygon or several, holes included."""
    rings = []
    for part in getattr(shape, "geoms", [shape]):
        if part.geom_type == "Polygon":
            rings += [part.exterior, *part.interiors]
    paths = [Outline(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings]
    if not paths:
        paths = [Outline(np.zeros((1, 2)))]
    return PathPatch(Outline.make_compound_path(*paths), **style)


def _name_areas(
    sheet: Sheet, ax: Axes, own: Any, colour: Mapping[str, MapClass], labels: Mapping[str, str]
) -> None:
    """Write the names that fit inside their territory."""
    from shapely.geometry import box

    ax.apply_aspect()
    points = 72 / sheet.figure.dpi
    scale = (ax.transData.transform((1000.0, 0)) - ax.transData.transform((0.0, 0)))[0] * points
    per_point = 1000.0 / float(scale)
    size = sheet.small
    for code, shape in own.items():
        name = labels.get(str(code), "")
        ways = [name, name.replace("-", "-\n", 1), name.replace(" ", "\n", 1)] if name else []
        for text in dict.fromkeys(ways):
            lines = text.split("\n")
            wide = (max(sheet.wide(line, size) for line in lines) / 2 + 1) * per_point
            high = 0.66 * size * len(lines) * per_point
            at = shape.representative_point()
            if shape.contains(box(at.x - wide, at.y - high, at.x + wide, at.y + high)):
                item = colour[str(code)]
                ax.text(at.x, at.y, text, ha="center", va="center", fontsize=size, zorder=5,
                        color=INK if item.absent else ink_on(item.colour),
                        bbox=_PLAIN if item.absent else None)  # fmt: skip
                break


def _over(
    sheet: Sheet, over: Geometry | Mapping[str, Geometry] | None, own: Any
) -> list[tuple[Artist, str]]:
    """Outline further layers over the map; return their entries of the legend."""
    if over is None:
        return []
    words = _WORDS[sheet.lang]
    layers = over if isinstance(over, Mapping) else {words["zones"]: over}
    entries: list[tuple[Artist, str]] = []
    ground = own.union_all()
    for (name, geometry), style in zip(layers.items(), _EDGES * len(layers), strict=False):
        shapes = read_outlines(geometry).shapes.to_crs(own.crs)
        inside = shapes[shapes.intersection(ground).area > _WITHIN * shapes.area]
        for shape in inside:
            sheet.axes[0].add_patch(
                _patch(
                    shape, facecolor="none", edgecolor=INK, linewidth=1.0, linestyle=style, zorder=4
                )
            )
        line = Line2D([], [], color=INK, linewidth=1.0, linestyle=style)
        entries.append((line, words["over"].format(name=name, n=len(inside))))
    return entries


def _unmet(codes: Sequence[str], outlines: Outlines, lang: Lang) -> list[str]:
    """Tell the codes that do not meet; outlines beyond the results are the rule in a wide file."""
    text = unmatched_text(codes, map(str, outlines.shapes.index))
    lost = set(codes) - set(map(str, outlines.shapes.index))
    if not text:
        return []
    warnings.warn(text, MapWarning, stacklevel=4)
    if not lost:
        return []
    return [
        _WORDS[lang]["unmet"].format(
            text=unmatched_text(codes, outlines.shapes.index, listed=False)
        )
    ]


# ---- tiles ---------------------------------------------------------------------------------------


def _tiles(
    sheet: Sheet, tiles: Tiles, what: tuple[pd.DataFrame, Card], found: Sequence[MapClass],
    labels: Mapping[str, str],
) -> None:  # fmt: skip
    rows, card = what
    texts = {}
    for code, row in rows.iterrows():
        gone = bool(np.isnan(row["valeur"]))
        status = row["statut"] if isinstance(row["statut"], str) else "non_disponible"
        value = (
            absent_label(status, sheet.lang)
            if gone
            else format_value(row["valeur"], card, sheet.lang)
        )
        texts[str(code)] = value + quality_mark(row["qualite"]) * (not gone)
    fills = {code: (item.colour, item.absent) for item in found for code in item.codes}
    draw_tiles(sheet, tiles, fills, labels, texts)


def _keep(
    sheet: Sheet, rows: pd.DataFrame, found: Sequence[MapClass],
    shown: tuple[Mapping[str, str], Card, int],
) -> None:  # fmt: skip
    labels, card, year = shown
    table = rows.assign(classe=pd.Series({c: item.text for item in found for c in item.codes}))

    def sentences(lang: Lang) -> list[str]:
        def say(value: float) -> str:
            return measured(value, card, lang)

        names = [labels[str(code)] for code in rows.index]
        said = [
            topic(card, [year], lang) + ".",
            extremes(names, rows["valeur"].tolist(), say, lang),
            absent(rows["statut"].fillna("non_disponible").tolist(), lang),
        ]
        if lang == sheet.lang:
            said += [
                _WORDS[lang]["class"].format(
                    text=item.text, names=", ".join(labels[c] for c in item.codes)
                )
                for item in found
                if not item.absent
            ]
        return said

    keep(sheet.axes, Equivalent(sheet.lang, sentences, table))
