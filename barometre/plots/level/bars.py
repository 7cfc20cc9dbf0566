"""Sorted bars with reference lines, the everyday chart of a barometer."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from barometre.base.french import DOUBT_MARK, Lang, absent_label
from barometre.cards.labels import format_value, unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.plots import look

_LEGEND_COLUMNS = 2


def ranked_bars(
    results: pd.DataFrame,
    indicator: str,
    *,
    references: Sequence[str] = (),
    territories: Sequence[str] | None = None,
    labels: pd.Series[str] | None = None,
    year: int | None = None,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Draw the territories as sorted bars, the reference territories as lines.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    indicator : str
        Identifier of the indicator.
    references : sequence of str, optional
        Codes drawn as lines. Bars on the unfavourable side of the first one that has a value are
        orange, the others blue; all are grey when the indicator is neutral or has no reference.
    territories : sequence of str, optional
        Codes drawn as bars, all those that are no reference by default.
    labels : Series of str, optional
        Labels by code.
    year : int, optional
        Year, the latest by default.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure of fitting height by default.

    Returns
    -------
    Axes
        Highest value at the top; absent values below, with their reason; doubtful ones hatched and
        marked ``(?)``.

    Raises
    ------
    BarometreError
        No result for that indicator or year.
    """
    card, rows = indicator_card(indicator), look.latest(results, indicator, year)
    chosen = [c for c in rows.index if c not in references] if territories is None else territories
    bars = rows.reindex([c for c in chosen if c in rows.index]).sort_values(
        "valeur", ascending=True, na_position="first", kind="stable"
    )
    lines = rows.reindex([c for c in references if c in rows.index])
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 1.7 + 0.33 * len(bars)), layout="constrained")
    _draw_bars(ax, bars, card, _colours(bars, lines, card), lang)
    ax.set_yticks(range(len(bars)), look.names_of(bars.index, labels))
    ax.set_ylim(-0.6, len(bars) - 0.4)
    _draw_lines(ax, lines, card, labels, lang)
    _dress(ax, rows, lines, card, labels, lang)
    return ax


def _colours(bars: pd.DataFrame, lines: pd.DataFrame, card: Card) -> list[str]:
    known = lines["valeur"].dropna()
    if card.sens == "neutre" or known.empty:
        return [look.NEUTRAL] * len(bars)
    gaps = look.favourable_gap(bars["valeur"].to_numpy(), float(known.iloc[0]), card)
    return [look.UNFAVOURABLE if gap < 0 else look.FAVOURABLE for gap in gaps]


def _draw_bars(ax: Axes, bars: pd.DataFrame, card: Card, colours: list[str], lang: Lang) -> None:
    doubtful = (bars["qualite"] == "douteux").to_numpy()
    drawn = ax.barh(range(len(bars)), bars["valeur"].fillna(0), height=0.72, color=colours)
    for bar, doubt in zip(drawn, doubtful, strict=True):
        if doubt:
            bar.set(hatch="///", edgecolor="white")
    ends = bars["valeur"].to_numpy(np.float64, copy=True)
    if bars["borne_inf"].notna().any():
        limits = bars[["borne_inf", "borne_sup"]].to_numpy(np.float64)
        ax.hlines(range(len(bars)), *limits.T, color=look.INK, linewidth=1.0, zorder=4)
        ends = np.where(ends < 0, np.fmin(ends, limits[:, 0]), np.fmax(ends, limits[:, 1]))
    for y, (value, end, status, doubt) in enumerate(
        zip(bars["valeur"], ends, bars["statut"], doubtful, strict=True)
    ):
        absent = np.isnan(value)
        text = absent_label(status, lang) if absent else format_value(value, card, lang)
        below = not absent and value < 0
        ax.annotate(
            text + DOUBT_MARK * bool(doubt),
            (0 if absent else end, y),
            xytext=(-4 if below else 4, 0),
            textcoords="offset points",
            ha="right" if below else "left",
            va="center",
            zorder=5,  # over the reference lines, which would cross the digits
            fontsize=9,
            color=look.SOFT if absent else look.INK,
            style="italic" if absent else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.9},
        )


def _draw_lines(
    ax: Axes, lines: pd.DataFrame, card: Card, labels: pd.Series[str] | None, lang: Lang
) -> None:
    """Draw the references, each with its own dash, named in a legend: labels would collide."""
    dashes = ["-", "--", ":", "-."]
    names = look.names_of(lines.index, labels)
    for i, (name, value) in enumerate(zip(names, lines["valeur"], strict=True)):
        if np.isnan(value):
            continue
        ax.axvline(
            value,
            color=look.INK,
            linewidth=1.4,
            linestyle=dashes[i % len(dashes)],
            zorder=3,
            label=f"{name} : {format_value(value, card, lang)}",
        )
    if ax.get_legend_handles_labels()[0]:
        ax.legend(
            loc="upper left",
            bbox_to_anchor=(0, 0),
            borderaxespad=0.2,
            ncols=_LEGEND_COLUMNS,
            frameon=False,
            fontsize=9,
            handlelength=2.2,
        )


def _dress(
    ax: Axes,
    rows: pd.DataFrame,
    lines: pd.DataFrame,
    card: Card,
    labels: pd.Series[str] | None,
    lang: Lang,
) -> None:
    year, words, known = rows["annee"].iloc[0], look.words(lang), lines["valeur"].dropna()
    ax.set_title(
        f"{card.libelle[lang]}, {year}\n",
        loc="left",
        fontsize=12,
        fontweight="bold",
        color=look.INK,
    )
    notes = [f"{words['source']} : {card.producteur}, {year}"]
    if card.sens != "neutre" and len(known):
        notes.insert(0, words["sides"].format(ref=look.names_of(known.index[:1], labels)[0]))
    if rows["borne_inf"].notna().any():
        notes.append(words["interval"])
    if (rows["qualite"] == "douteux").any():
        notes.append(words["doubt"])
    ax.text(0, 1.012, unit_label(card, lang), transform=ax.transAxes, fontsize=9, color=look.SOFT)
    ax.annotate(
        "\n".join(notes),
        (0, 0),
        xytext=(0, -8 - 15 * -(-len(known) // _LEGEND_COLUMNS)),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize=8,
        color=look.SOFT,
    )
    ax.spines[["top", "right", "bottom", "left"]].set_visible(False)
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.tick_params(axis="y", length=0, labelsize=9.5, labelcolor=look.INK)
    ax.axvline(0, color=look.SOFT, linewidth=0.8)
    ax.margins(x=0.14)
