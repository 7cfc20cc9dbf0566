"""Tiles instead of outlines: one square per territory."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.patches import Rectangle

from barometre import datasets
from barometre.plots.look.colours import INK, SOFT, ink_on
from barometre.plots.look.sheet import Sheet

_BUNDLED = "tuiles_porte_du_hainaut"
_LINES = 3  # of a name in its tile


@dataclass(frozen=True)
class Tiles:
    """Where tiles are.

    Attributes
    ----------
    places : mapping of str to tuple of int
        Row from the north and column from the west, by code.
    placed : bool
        Tiles are near the place of their territory; else they are in the order of names.
    """

    places: Mapping[str, tuple[int, int]]
    placed: bool


@functools.cache
def _bundled() -> Mapping[str, tuple[int, int]]:
    frame = datasets.load(_BUNDLED).frame
    rows, columns = frame["rang_depuis_le_nord"], frame["rang_depuis_l_ouest"]
    return {
        str(code): (int(row), int(column))
        for code, row, column in zip(frame["code"], rows, columns, strict=True)
    }


def tiles_of(codes: Sequence[str], labels: Mapping[str, str]) -> Tiles:
    """Place tiles: as bundled when all the codes are there, else in the order of names.

    Parameters
    ----------
    codes : sequence of str
        Codes of the territories.
    labels : mapping of str to str
        Their names.

    Returns
    -------
    Tiles
    """
    known = _bundled()
    if all(code in known for code in codes):
        return Tiles({code: known[code] for code in codes}, True)
    across = max(1, math.ceil(math.sqrt(len(codes))))
    order = sorted(codes, key=lambda code: (labels[code], code))
    return Tiles({code: divmod(i, across) for i, code in enumerate(order)}, False)


def draw_tiles(
    sheet: Sheet,
    tiles: Tiles,
    fills: Mapping[str, tuple[str, bool]],
    labels: Mapping[str, str],
    texts: Mapping[str, str],
) -> None:
    """Draw the tiles with their names and figures.

    Parameters
    ----------
    sheet : Sheet
        Where to draw.
    tiles : Tiles
        Where tiles are.
    fills : mapping
        Colour, and whether it is hatched, by code.
    labels, texts : mapping of str to str
        Names and figures by code.
    """
    ax = sheet.axes[0]
    rows = 1 + max(row for row, _ in tiles.places.values())
    columns = 1 + max(column for _, column in tiles.places.values())
    ax.set_xlim(-0.52, columns - 0.48)
    ax.set_ylim(rows - 0.48, -0.52)
    ax.set_axis_off()
    if sheet.own:  # a tile is a little wider than high, so that names fit
        sheet.height = min(72 * 7.6, sheet.height * 1.2, 0.82 * (72 * sheet.width) * rows / columns)
    for code, (row, column) in tiles.places.items():
        colour, hatched = fills[code]
        ax.add_patch(
            Rectangle(
                (column - 0.48, row - 0.48),
                0.96,
                0.96,
                facecolor=colour,
                linewidth=0.6,
                edgecolor=SOFT,
                hatch="////" if hatched else None,
            )
        )

    def write() -> None:
        points = 72 / sheet.figure.dpi
        frame = ax.get_window_extent(sheet.renderer)
        wide = 0.96 * frame.width * points / (columns + 0.04) - 4
        high = 0.96 * frame.height * points / (rows + 0.04)
        size = min(sheet.small, high / (1.3 * (_LINES + 1)))
        for code, (row, column) in tiles.places.items():
            colour, hatched = fills[code]
            name = _fitted(sheet, labels[code], size, wide)
            ax.text(column, row, f"{name}\n{texts[code]}", ha="center", va="center", fontsize=size,
                    color=INK if hatched else ink_on(colour), linespacing=1.15,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85}
                    if hatched else None)  # fmt: skip

    sheet.later(write)


def _fitted(sheet: Sheet, name: str, size: float, wide: float) -> str:
    """Fold a name between words and after hyphens; cut what does not fit."""
    lines, line = [], ""
    for piece in name.replace("-", "-\0").replace(" ", " \0").split("\0"):
        if line and sheet.wide((line + piece).rstrip(), size) > wide:
            lines.append(line.rstrip())
            line = ""
        line += piece
    lines.append(line.rstrip())
    kept = []
    for text in lines[:_LINES]:
        while sheet.wide(text, size) > wide and len(text) > 3:
            text = text[:-2] + "…"
        kept.append(text)
    if len(lines) > _LINES:
        kept[-1] = kept[-1].rstrip("-… ") + "…"
    return "\n".join(kept)
