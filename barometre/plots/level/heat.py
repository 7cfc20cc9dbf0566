"""A table territory x indicator coloured by what is favourable."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from barometre.base.arrays import Floats, RowNumbers
from barometre.base.errors import BarometreError
from barometre.base.french import DOUBT_MARK, Lang, absent_label
from barometre.cards.labels import format_value, unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.plots import look

_LIMIT = 2.0  # standard deviations at which the colour is full
_COLOURS = LinearSegmentedColormap.from_list(
    "defavorable_favorable", [look.UNFAVOURABLE, "#f7f5f2", look.FAVOURABLE]
)
_GREY = "#eceef1"


def heat_table(
    results: pd.DataFrame,
    *,
    territories: Sequence[str],
    reference: str,
    others: Sequence[str] = (),
    indicators: Sequence[str] | None = None,
    labels: pd.Series[str] | None = None,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Colour every value by its gap to a reference, in the favourable or unfavourable direction.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`; each indicator is shown at its latest year.
    territories : sequence of str
        Codes of the rows, shown from the least to the most favourable on average.
    reference : str
        Code of the territory that the colours compare with, shown below the rows.
    others : sequence of str, optional
        Codes of further rows, below the reference.
    indicators : sequence of str, optional
        Columns; by default those that have a direction and are no count.
    labels : Series of str, optional
        Labels by code.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure of fitting size by default.

    Returns
    -------
    Axes
        The gap is divided by the standard deviation of the indicator over ``territories``; beyond
        two the colour is full. Grey cells have no colour to give: absent value, neutral indicator,
        reference without value, no dispersion.

    Raises
    ------
    BarometreError
        No indicator to show.
    """
    cards = _columns(results, indicators)
    tables = [look.latest(results, card.id, None) for card in cards]
    rows = [*territories, reference, *others]
    value = np.column_stack([table["valeur"].reindex(rows).to_numpy(float) for table in tables])
    score = np.column_stack(
        [_scores(value[:, j], len(territories), card) for j, card in enumerate(cards)]
    )
    order = [*_worst_first(score[: len(territories)]), *range(len(territories), len(rows))]
    if ax is None:
        size = (2.6 + 1.02 * len(cards), 2.4 + 0.36 * len(rows))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    for line, i in enumerate(order):
        y = line + 0.35 * (line >= len(territories))
        for j, (card, table) in enumerate(zip(cards, tables, strict=True)):
            cell = table.loc[rows[i]] if rows[i] in table.index else None
            _draw_cell(ax, j, y, cell, score[i, j], card, lang)
    heights = [line + 0.35 * (line >= len(territories)) for line in range(len(rows))]
    ax.set_yticks(heights, look.names_of(pd.Index([rows[i] for i in order]), labels))
    ax.set_xticks(
        range(len(cards)), [_heading(c, t, lang) for c, t in zip(cards, tables, strict=True)]
    )
    ax.set_xlim(-0.5, len(cards) - 0.5)
    ax.set_ylim(heights[-1] + 0.5, -0.5)
    _dress(ax, look.names_of(pd.Index([reference]), labels)[0], results, rows, lang)
    return ax


def _columns(results: pd.DataFrame, indicators: Sequence[str] | None) -> list[Card]:
    if indicators is not None:
        return [indicator_card(name) for name in indicators]
    cards = [indicator_card(name) for name in results["indicateur"].unique()]
    shown = [card for card in cards if card.sens != "neutre" and card.unite != "nombre"]
    if not shown:
        raise BarometreError("aucun indicateur orienté à colorer : donner indicators=")
    return shown


def _scores(values: Floats, number: int, card: Card) -> Floats:
    """Standardise the favourable gaps; the reference comes just after the territories."""
    spread = np.nanstd(values[:number]) if np.isfinite(values[:number]).sum() > 1 else 0.0
    if not spread:
        return np.full(len(values), np.nan)
    return look.favourable_gap(values, float(values[number]), card) / spread


def _worst_first(score: Floats) -> RowNumbers:
    known = np.isfinite(score)
    mean = np.where(known, score, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.argsort(mean, kind="stable")


def _draw_cell(
    ax: Axes, x: float, y: float, cell: pd.Series | None, score: float, card: Card, lang: Lang
) -> None:
    position = 0.5 + score / (2 * _LIMIT)
    colour = _GREY if np.isnan(score) else _COLOURS(float(np.clip(position, 0, 1)))
    ax.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=colour, edgecolor="none"))
    if cell is None:
        text, absent = "–", True
    elif np.isnan(cell["valeur"]):
        text, absent = absent_label(cell["statut"], lang), True
    else:
        text, absent = format_value(cell["valeur"], card, lang), False
        text += DOUBT_MARK * (cell["qualite"] == "douteux")
    dark = not np.isnan(score) and abs(score) > 0.75 * _LIMIT
    ax.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize=9,
        style="italic" if absent else "normal",
        color="white" if dark and not absent else look.SOFT if absent else look.INK,
    )


def _heading(card: Card, table: pd.DataFrame, lang: Lang) -> str:
    label = f"{card.libelle[lang]} ({unit_label(card, lang)}), {table['annee'].iloc[0]}"
    return "\n".join(textwrap.wrap(label, 15, break_long_words=False))


def _dress(
    ax: Axes, reference: str, results: pd.DataFrame, rows: Sequence[str], lang: Lang
) -> None:
    words = look.words(lang)
    ax.xaxis.tick_top()
    ax.tick_params(axis="both", length=0)
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", labelsize=9.5, labelcolor=look.INK)
    ax.spines[:].set_visible(False)
    note = words["about"].format(ref=reference)
    shown = results[results["code"].isin(list(rows))]
    if (shown["qualite"] == "douteux").any():
        note += f"\n{words['doubt']}"
    ax.annotate(
        note,
        (0, 0),
        xytext=(0, -8),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize=8.5,
        color=look.SOFT,
    )
    _legend(ax, words)


def _legend(ax: Axes, words: dict[str, str]) -> None:
    """Draw the scale of colours at the bottom right."""
    bar = ax.inset_axes((0.72, -0.085, 0.16, 0.022))
    bar.imshow(np.linspace(0, 1, 64)[None, :], cmap=_COLOURS, aspect="auto")
    bar.set_axis_off()
    style: dict[str, Any] = {
        "transform": bar.transAxes,
        "va": "center",
        "fontsize": 8.5,
        "color": look.SOFT,
    }
    bar.text(-0.03, 0.5, words["worse_end"], ha="right", **style)
    bar.text(1.03, 0.5, words["better_end"], ha="left", **style)
