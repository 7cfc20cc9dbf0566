"""Marks that several charts share: names of rows, figures in a column, reference lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from barometre.base.arrays import Floats
from barometre.base.french import Lang, format_number
from barometre.plots.look.colours import GRID, INK, SOFT, ink_on
from barometre.plots.look.naming import folded_name
from barometre.plots.look.sheet import Sheet

_DASHES = ((0, ()), (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_WIDE_NAME = 34  # characters
_PAST = 50.0  # points by which names of lines may go past the axes


class Line(NamedTuple):
    """A reference line: where, and what is written at its end."""

    value: float
    text: str


def row_names(
    sheet: Sheet,
    ax: Axes,
    names: Sequence[str],
    *,
    bold: Collection[int] = (),
    width: int = 0,
    at: Sequence[float] | None = None,
) -> None:
    """Name the rows of a panel, the first at the top; panels keep the same height of rows."""
    lines = 2 if sheet.pitch > 2.5 * sheet.text else 1
    width = width or (_WIDE_NAME if len(sheet.axes) == 1 else 24)
    ax.set_yticks(
        range(len(names)) if at is None else at,
        [folded_name(name, width, lines) for name in names], fontsize=sheet.text, color=INK,
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
    """Name the lines above a panel, all on one side of their line, so that none crosses another.

    Texts at the right of their line are placed from the right, texts at its left from the left: a
    line that goes up to a further level then never meets a text already placed.
    """
    points = 72 / sheet.figure.dpi
    frame = ax.get_window_extent(sheet.renderer)
    at = [float(ax.transData.transform((line.value, 0))[0]) * points for line in lines]
    wide = [sheet.wide(line.text, sheet.small) + 4.0 for line in lines]
    past = max((x + w for x, w in zip(at, wide, strict=True)), default=0.0)
    before = min((x - w for x, w in zip(at, wide, strict=True)), default=0.0)
    mirrored = past > frame.x1 * points + _PAST and before > 0
    order = sorted(range(len(lines)), key=lambda i: at[i] if mirrored else -at[i])
    placed: list[tuple[float, float, int]] = []
    for i in order:
        ends = (at[i] - wide[i], at[i]) if mirrored else (at[i], at[i] + wide[i])
        level = _free_level(ends, placed)
        placed.append((*ends, level))
        _name_line(sheet, ax, lines[i], (level, mirrored), _DASHES[i % len(_DASHES)])


def _free_level(ends: tuple[float, float], placed: Sequence[tuple[float, float, int]]) -> int:
    """Find the lowest level above all the texts that a text would meet."""
    met = [level for left, right, level in placed if ends[0] < right + 4 and left < ends[1] + 4]
    return max(met, default=-1) + 1


def _name_line(
    sheet: Sheet, ax: Axes, line: Line, at: tuple[int, bool], dash: tuple[int, tuple[float, ...]]
) -> None:
    level, mirrored = at
    high = 1.3 * sheet.small
    ax.annotate(
        line.text, (line.value, 1), xycoords=("data", "axes fraction"),
        xytext=(-3.0 if mirrored else 3.0, 3.0 + high * level), textcoords="offset points",
        ha="right" if mirrored else "left", va="bottom", fontsize=sheet.small, color=INK,
        annotation_clip=False,
    )  # fmt: skip
    ax.annotate(
        "", (line.value, 1), xycoords=("data", "axes fraction"),
        xytext=(0, 3.0 + high * (level + 0.8)), textcoords="offset points", annotation_clip=False,
        arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0,
                    "linestyle": dash},
    )  # fmt: skip


def share_limits(sheet: Sheet, *, room: float = 0.04, zero: bool = False) -> None:
    """Give all panels the horizontal limits that hold the data of each."""
    ends = np.array([ax.dataLim.intervalx for ax in sheet.axes])
    ends = ends[np.isfinite(ends).all(axis=1)]
    low, high = (float(ends[:, 0].min()), float(ends[:, 1].max())) if len(ends) else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    spare = (room or 0.01) * (abs(high) or 1.0) if high == low else room * (high - low)
    for ax in sheet.axes:
        ax.set_xlim(low - spare, high + spare)


def write_parts(sheet: Sheet, values: Floats, colours: Sequence[str], decimals: int) -> None:
    """Write the parts of stacked bars that have room for their figure.

    Parameters
    ----------
    sheet : Sheet
        The sheet, its bars drawn.
    values : ndarray, rows by parts
        A row with a missing part has no figure.
    colours : sequence of str
        Of the parts.
    decimals : int
        Of the figures.
    """
    for ax, part in sheet.slices(len(values)):
        unit = ax.get_window_extent(sheet.renderer).width * 72 / sheet.figure.dpi / ax.get_xlim()[1]
        for y, row in enumerate(values[part]):
            if np.isnan(row).any():
                continue
            starts = np.cumsum(row) - row
            for start, value, colour in zip(starts, row, colours, strict=True):
                text = format_number(value, decimals, sheet.lang)
                if sheet.wide(text, 0.9 * sheet.text) + 3 < value * unit:
                    ax.text(start + value / 2, y, text, ha="center", va="center_baseline",
                            fontsize=0.9 * sheet.text, color=ink_on(colour))  # fmt: skip
