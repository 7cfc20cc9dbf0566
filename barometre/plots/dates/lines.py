"""The trajectory of an indicator over the years, with references and targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number, quality_mark
from barometre.cards.labels import format_value
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.plots.look.colours import FAVOURABLE, GRID, INK, SOFT
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.rows import of_indicator, present, quality_notes, zones
from barometre.plots.look.sentences import measured, topic, unit_line
from barometre.plots.look.sheet import Sheet, Signed, house
from barometre.tables.codes import level_of

_LIGHT = "#c3ccd6"
_NAMED = 6  # lines beyond which those that are not the subject are not named
_DASHES = ((0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "target": "objectif",
        "break": "rupture : {why}",
        "breaks": "Rupture de série : {why}. Les valeurs ne sont pas jointes.",
        "say": "{name} : {text}.",
        "in": "{value} en {year}",
    },
    "en": {
        "target": "target",
        "break": "break: {why}",
        "breaks": "Break in the series: {why}. The values are not joined.",
        "say": "{name}: {text}.",
        "in": "{value} in {year}",
    },
}


class _Label(NamedTuple):
    """What is written at the end of a line."""

    x: float
    y: float
    text: str
    colour: str
    bold: bool


@house
def trajectory(
    results: pd.DataFrame,
    indicator: str,
    *,
    territories: Sequence[str] | None = None,
    references: Sequence[str] = (),
    highlight: str | None = None,
    targets: Mapping[int, float] | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw an indicator over the years, one line per territory.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    indicator : str
        Identifier of the indicator.
    territories : sequence of str, optional
        Codes; by default those of the most frequent level.
    references : sequence of str, optional
        Codes drawn as dashed lines.
    highlight : str, optional
        Code drawn in full ink, the others being light.
    targets : mapping of int to float, optional
        Targets by year: triangles.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Lines are named at their end, the names moved apart where they would meet. A line stops at a
        missing year and at a break of the card, which is marked.

    Raises
    ------
    BarometreError
        No result, or no territory.
    """
    card, rows = indicator_card(indicator), of_indicator(results, indicator)
    wide = rows.pivot(index="annee", columns="code", values="valeur").sort_index()
    quality = rows.pivot(index="annee", columns="code", values="qualite").sort_index()
    asked = None if territories is None else [*territories, *([highlight] if highlight else [])]
    codes = zones(rows.drop_duplicates("code").set_index("code"), asked, references)
    others = present(wide.T, references)
    sheet = Sheet(signed, aspect=0.5)
    ax, lang = sheet.axes[0], sheet.lang
    names = dict(zip([*codes, *others], sheet.names([*codes, *others]), strict=True))
    cuts = _cuts(card, codes, wide)
    years = wide.index.to_numpy(np.float64)
    labels = []
    for code in [*codes, *others]:
        own = code == highlight or (highlight is None and len(codes) <= _NAMED and code in codes)
        values = wide[code].to_numpy(np.float64)
        colour = INK if own or code in others else _LIGHT
        style = _DASHES[others.index(code) % len(_DASHES)] if code in others else "-"
        _line(ax, years, values, cuts, (colour, style, 2.4 if code == highlight else 1.3))
        if (own or code in others or len(codes) <= _NAMED) and np.isfinite(values).any():
            last = int(np.flatnonzero(np.isfinite(values))[-1])
            doubt = quality_mark(quality[code].iloc[last])
            text = f"{names[code]} {format_value(values[last], card, lang)}{doubt}"
            labels.append(_Label(years[last], values[last], text, INK, code == highlight))
    _axes(sheet, ax, wide, cuts, targets or {}, card)
    sheet.later(lambda: _name(sheet, ax, labels))
    _keep(sheet, wide[[*codes, *others]], names, card)
    legend = []
    if targets:
        mark = Line2D([], [], marker="^", linestyle="none", color=FAVOURABLE, markersize=7)
        legend.append((mark, _WORDS[lang]["target"]))
    when = " – ".join(map(str, sorted({int(years[0]), int(years[-1])})))
    return sheet.finish(
        title=f"{card.libelle[lang]}, {when}",
        subtitle=unit_line(card, lang),
        source=card.producteur,
        notes=[
            *(_WORDS[lang]["breaks"].format(why=why) for why in cuts.values()),
            *quality_notes([quality[code] for code in [*codes, *others]], lang),
        ],
        legend=legend,
    )


def _cuts(card: Card, codes: Sequence[str], wide: pd.DataFrame) -> dict[int, str]:
    """Find the breaks of the card between two of the years, for the levels drawn."""
    levels = {level_of(code) for code in codes}
    first, last = int(wide.index.min()), int(wide.index.max())
    return {
        change.annee: change.motif
        for change in card.ruptures
        if first < change.annee <= last and (not change.niveaux or levels & set(change.niveaux))
    }


def _line(
    ax: Axes, years: Floats, values: Floats, cuts: Mapping[int, str],
    style: tuple[str, object, float],
) -> None:  # fmt: skip
    colour, dash, width = style
    edges = [-np.inf, *sorted(cuts), np.inf]
    for low, high in pairwise(edges):
        part = (years >= low) & (years < high)
        ax.plot(years[part], values[part], color=colour, linestyle=dash, linewidth=width,
                marker="o", markersize=2 + 1.4 * width, zorder=2 + (colour == INK))  # fmt: skip


def _axes(
    sheet: Sheet, ax: Axes, wide: pd.DataFrame, cuts: Mapping[int, str],
    targets: Mapping[int, float], card: Card,
) -> None:  # fmt: skip
    for year in cuts:
        ax.axvline(year - 0.5, color=SOFT, linewidth=1, linestyle=":")
    for year, value in targets.items():
        ax.plot(year, value, "^", color=FAVOURABLE, markersize=8, zorder=6, clip_on=False)
        ax.annotate(format_value(value, card, sheet.lang), (year, value), xytext=(0, 7),
                    textcoords="offset points", ha="center", fontsize=sheet.small)  # fmt: skip
    years = sorted({*map(int, wide.index), *map(int, targets)})
    every = -(-len(years) // 12)
    ax.set_xticks(years[::-1][::every][::-1])
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:.0f}")
    ax.yaxis.set_major_formatter(lambda v, _: format_number(v, None, sheet.lang))
    ax.tick_params(axis="both", length=0, labelsize=sheet.small)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.spines[:].set_visible(False)
    ax.set_xlim(years[0] - 0.3, years[-1] + 0.3)
    ax.margins(y=0.08)


def _name(sheet: Sheet, ax: Axes, labels: Sequence[_Label]) -> None:
    """Name the lines at the right, each as near its end as the others allow."""
    points = 72 / sheet.figure.dpi
    at = [float(ax.transData.transform((0, label.y))[1]) * points for label in labels]
    frame = ax.get_window_extent(sheet.renderer)
    places = _apart(at, 1.25 * sheet.small, frame.y0 * points, frame.y1 * points)
    right = ax.get_xlim()[1]
    for label, y, place in zip(labels, at, places, strict=True):
        ax.annotate(label.text, (right, label.y), xytext=(5, place - y),
                    textcoords="offset points", va="center", ha="left", fontsize=sheet.small,
                    color=label.colour, weight="bold" if label.bold else "normal",
                    annotation_clip=False)  # fmt: skip
        ax.plot([label.x, right], [label.y, label.y], color=GRID, linewidth=0.8, zorder=0)


def _apart(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Move places apart, by as little as it takes, within limits where there is room."""
    order = np.argsort(places, kind="stable")
    moved = np.array(places, dtype=np.float64)[order]
    for _ in range(200):
        gaps = least - np.diff(moved)
        if (gaps <= 1e-6).all():
            break
        push = np.clip(gaps, 0, None) / 2
        moved[:-1] -= push
        moved[1:] += push
        if least * len(moved) <= high - low:
            moved = np.clip(moved, low, high)
    placed = np.empty(len(moved))
    for i in range(1, len(moved)):  # whatever is left of an overlap
        moved[i] = max(moved[i], moved[i - 1] + least)
    placed[order] = moved
    return [float(place) for place in placed]


def _keep(sheet: Sheet, wide: pd.DataFrame, names: Mapping[str, str], card: Card) -> None:
    def sentences(lang: Lang) -> list[str]:
        words = _WORDS[lang]
        said = [topic(card, [int(year) for year in wide.index], lang) + "."]
        for code in wide:
            known = wide[code].dropna()
            if known.empty:
                continue
            ends = dict.fromkeys([known.index[0], known.index[-1]])
            text = ", ".join(
                words["in"].format(value=measured(known[year], card, lang), year=year)
                for year in ends
            )
            said.append(words["say"].format(name=names[str(code)], text=text))
        return said

    if wide.empty:
        raise BarometreError("trajectoire refusée : aucune valeur")
    keep(sheet.axes, Equivalent(sheet.lang, sentences, wide.T))
