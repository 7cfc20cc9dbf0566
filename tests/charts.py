"""What every chart must hold: texts on the sheet, none over another, numbers in French."""

from __future__ import annotations

import re

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from barometre.plots.look.sheet import STYLE

_SLACK = 1.5  # pixels by which the boxes of two lines of type may touch: no ink is in them


def figure_of(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def shown(ax: Axes) -> list[tuple[str, Bbox]]:
    """List the texts that are drawn, with their boxes."""
    import matplotlib as mpl

    figure = figure_of(ax)
    with mpl.rc_context(STYLE):
        figure.draw_without_rendering()
        off = {
            id(text)
            for panel in figure.axes
            if not panel.axison
            for axis in (panel.xaxis, panel.yaxis)
            for text in axis.findobj(Text)
        }
        found = []
        for text in figure.findobj(Text):
            assert isinstance(text, Text)
            hidden = not text.get_visible() or not text.get_text().strip()
            if hidden or id(text) in off:
                continue
            found.append((text.get_text(), text.get_window_extent()))
    return _ticks_in_view(ax, found)


def _ticks_in_view(ax: Axes, found: list[tuple[str, Bbox]]) -> list[tuple[str, Bbox]]:
    """Leave out the marks of axes that are out of the view, which matplotlib does not draw."""
    out: set[tuple[str, tuple[float, ...]]] = set()
    for panel in figure_of(ax).axes:
        for axis in (panel.xaxis, panel.yaxis):
            drawn = {id(t.label1) for t in axis._update_ticks()}  # type: ignore[union-attr]  # not in the stubs
            drawn |= {id(t.label2) for t in axis._update_ticks()}  # type: ignore[union-attr]  # not in the stubs
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                for label in (tick.label1, tick.label2):
                    if id(label) not in drawn:
                        box = label.get_window_extent()
                        out.add((label.get_text(), tuple(box.extents)))
    return [(text, box) for text, box in found if (text, tuple(box.extents)) not in out]


def texts(ax: Axes) -> list[str]:
    """List the texts of a chart, lines joined, plain spaces."""
    return [re.sub(r"[\n\u00a0\u202f]", " ", text) for text, _ in shown(ax)]


def faults(ax: Axes, *, french: bool = True) -> list[str]:
    """List what is wrong with a chart."""
    sheet, found = figure_of(ax).bbox, shown(ax)
    wrong = [
        f"out of the sheet: {text!r}"
        for text, box in found
        if box.x0 < -1 or box.y0 < -1 or box.x1 > sheet.x1 + 1 or box.y1 > sheet.y1 + 1
    ]
    wrong += [
        f"{a!r} over {b!r}"
        for i, (a, one) in enumerate(found)
        for b, other in found[:i]
        if _meet(one, other)
    ]
    for text, _ in found:
        if "nan" in text.lower().split() or (french and re.search(r"\d\.\d", text)):
            wrong.append(f"not a number for readers: {text!r}")
    return wrong


def _meet(one: Bbox, other: Bbox) -> bool:
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(wide > _SLACK and high > _SLACK)


def legend(ax: Axes) -> list[str]:
    """List the entries of the legend: that of the figure, or of the axes that were given."""
    keys = [*figure_of(ax).legends, *([ax.get_legend()] if ax.get_legend() else [])]
    return [
        re.sub(r"[\n\u00a0\u202f]", " ", t.get_text())
        for key in keys
        if key
        for t in key.get_texts()
    ]


def title(ax: Axes) -> str:
    """Return the title, on one line, with plain spaces."""
    return re.sub(r"[\n\u00a0\u202f]", " ", ax.get_title(loc="left"))
