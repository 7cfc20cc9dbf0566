"""Marks that several charts share: names of rows, figures in a column, reference lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from barometre.base.french import Lang, format_number
from barometre.plots.look.colours import GRID, INK, SOFT
from barometre.plots.look.naming import folded_name
from barometre.plots.look.sheet import Sheet

_DASHES = ((0, ()), (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_WIDE_NAME = 34  # characters


class Line(NamedTuple):
    """A reference line: where, and what is written at its end."""

    value: float
    text: str


class Placed(NamedTuple):
    """A label above the chart: its line, its ends (points), its level."""

    x: float
    left: float
    right: float
    level: int


def row_names(
    sheet: Sheet, ax: Axes, names: Sequence[str], *, bold: Collection[int] = (), width: int = 0
) -> None:
    """Name the rows of a panel, the first at the top; panels keep the same height of rows."""
    lines = 2 if sheet.pitch > 2.3 * sheet.text else 1
    width = width or (_WIDE_NAME if len(sheet.axes) == 1 else 24)
    ax.set_yticks(
        range(len(names)), [folded_name(name, width, lines) for name in names],
        fontsize=sheet.text, color=INK,
    )  # fmt: skip
    for i, text in enumerate(ax.get_yticklabels()):
        text.set_fontweight("bold" if i in bold else "normal")
    ax.set_ylim(max(sheet.lines, len(names)) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def bare(ax: Axes, *, x: bool = True) -> None:
    """Take off the frame, and the marks of the horizontal axis when figures are written."""
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="both", length=0)
    if x:
        ax.tick_params(axis="x", labelbottom=False)


def scale(sheet: Sheet, ax: Axes, *, decimals: int | None = None, signed: bool = False) -> None:
    """Write a horizontal scale in the numbers of the language, with a light grid."""
    lang: Lang = sheet.lang
    ax.xaxis.set_major_locator(_few_ticks())
    ax.xaxis.set_major_formatter(lambda v, _: format_number(v, decimals, lang, signed=signed))
    ax.tick_params(axis="x", labelsize=sheet.small, length=0)
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.spines[:].set_visible(False)


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=6, min_n_ticks=2)


def figure_column(
    sheet: Sheet,
    ax: Axes,
    texts: Sequence[str],
    *,
    absent: Collection[int] = (),
    bold: Collection[int] = (),
    after: float = 4.0,
) -> float:
    """Write the figures of the rows at the right of the axes, where no line passes.

    Returns
    -------
    float
        Where the column ends, in points from the right of the axes.
    """
    wide = max(
        (sheet.wide(text, sheet.text, bold=i in bold) for i, text in enumerate(texts)), default=0.0
    )
    for i, text in enumerate(texts):
        ax.annotate(
            text, (1, i), xytext=(after + wide, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="center", fontsize=sheet.text,
            color=SOFT if i in absent else INK, style="italic" if i in absent else "normal",
            weight="bold" if i in bold else "normal", annotation_clip=False,
        )  # fmt: skip
    return after + wide


def reference_lines(sheet: Sheet, lines: Sequence[Line], *, axes: Sequence[Axes] = ()) -> None:
    """Draw references as lines over the bars, each named above the chart, at its end.

    The labels are put on as many levels as it takes for none to cover another, nor a line.
    """
    known = [line for line in lines if np.isfinite(line.value)]
    panels = list(axes) or sheet.axes
    for ax in panels:
        for i, line in enumerate(known):
            ax.axvline(line.value, color=INK, linewidth=1.2, zorder=3,
                       linestyle=_DASHES[i % len(_DASHES)])  # fmt: skip

    def name() -> None:
        for ax in panels:
            _name_lines(sheet, ax, known)

    sheet.later(name)


def _name_lines(sheet: Sheet, ax: Axes, lines: Sequence[Line]) -> None:
    points = 72 / sheet.figure.dpi
    frame = ax.get_window_extent(sheet.renderer)
    high, placed = 1.25 * sheet.small, list[Placed]()
    order = sorted(range(len(lines)), key=lambda i: -lines[i].value)
    for i in order:
        x = float(ax.transData.transform((lines[i].value, 0))[0]) * points
        wide = sheet.wide(lines[i].text, sheet.small) + 3.0
        mirrored = x + wide > frame.x1 * points + 40.0 and x - wide > 0
        ends = (x - wide, x) if mirrored else (x, x + wide)
        label = Placed(x, *ends, _free_level(x, ends, placed))
        placed.append(label)
        ax.annotate(
            lines[i].text, (lines[i].value, 1), xycoords=("data", "axes fraction"),
            xytext=(-2.0 if mirrored else 2.0, 3.0 + high * label.level),
            textcoords="offset points", ha="right" if mirrored else "left", va="bottom",
            fontsize=sheet.small, color=INK, annotation_clip=False,
        )  # fmt: skip
        ax.annotate(
            "", (lines[i].value, 1), xycoords=("data", "axes fraction"),
            xytext=(0, 3.0 + high * (label.level + 0.8)), textcoords="offset points",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 1.0, "shrinkA": 0,
                        "shrinkB": 0, "linestyle": _DASHES[i % len(_DASHES)]},
        )  # fmt: skip


def _free_level(x: float, ends: tuple[float, float], placed: Sequence[Placed]) -> int:
    """Find the lowest level where a label meets no label and no line."""

    def clear(level: int) -> bool:
        for other in placed:
            meets = ends[0] < other.right + 4 and other.left < ends[1] + 4
            crossed = ends[0] - 2 < other.x < ends[1] + 2 and other.level >= level
            crossing = other.left - 2 < x < other.right + 2 and other.level <= level
            if (meets and other.level == level) or (crossed or crossing):
                return False
        return True

    return next((level for level in range(len(placed) + 1) if clear(level)), len(placed) + 1)
