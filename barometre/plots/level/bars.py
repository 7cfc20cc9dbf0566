"""Sorted bars with reference lines, the everyday chart of a barometer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from barometre.base.french import Lang, absent_label, quality_mark
from barometre.cards.labels import format_value
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.plots.look.colours import INK, SOFT
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import Line, bare, figure_column, reference_lines, row_names
from barometre.plots.look.rows import WORDS, latest, present, quality_notes, source_line, zones
from barometre.plots.look.sentences import (
    absent,
    extremes,
    measured,
    topic,
    unit_line,
)
from barometre.plots.look.sentences import references as said_references
from barometre.plots.look.sheet import Sheet, Signed, house
from barometre.plots.look.sides import side_colours, side_legend, verdict_colours


@house
def ranked_bars(
    results: pd.DataFrame,
    indicator: str,
    *,
    references: Sequence[str] = (),
    territories: Sequence[str] | None = None,
    highlight: str | None = None,
    verdicts: pd.DataFrame | None = None,
    year: int | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw the territories as sorted bars, the reference territories as lines.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    indicator : str
        Identifier of the indicator.
    references : sequence of str, optional
        Codes drawn as lines, each named above the bars. Bars on the unfavourable side of the first
        one that has a value are orange, the others blue; all are grey when the indicator is neutral
        or has no reference.
    territories : sequence of str, optional
        Codes drawn as bars; by default those of the most frequent level, so that an agglomeration
        is not ranked among its neighbourhoods.
    highlight : str, optional
        Code whose name and figure are bold.
    verdicts : DataFrame, optional
        What `judge` returns: colours are then those of the verdicts against the first reference,
        grey for what is not established.
    year : int, optional
        Year, the latest by default.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Highest value at the top, figures in a column; absent values below, with their reason;
        doubtful ones hatched and marked ``(?)``.

    Raises
    ------
    BarometreError
        No result for that indicator or year.
    """
    card, rows = indicator_card(indicator), latest(results, indicator, year)
    codes = zones(rows, territories, references)
    bars = rows.reindex(codes).sort_values(
        "valeur", ascending=False, na_position="last", kind="stable"
    )
    lines = rows.reindex(present(rows, references))
    known = lines["valeur"].dropna()
    first = float(known.iloc[0]) if len(known) else np.nan
    values = bars["valeur"].to_numpy(np.float64)
    colours = (
        side_colours(values, first, card)
        if verdicts is None
        else verdict_colours(_verdicts(verdicts, bars, known))
    )
    sheet = Sheet(signed, rows=len(bars))
    lang, names = sheet.lang, sheet.names(bars.index)
    names_of_lines = sheet.names(lines.index)
    ends = _limits(values, lines, bars)
    for ax, part in sheet.slices(len(bars)):
        _draw(sheet, ax, bars.iloc[part], card, colours[part])
        bold = [i for i, code in enumerate(bars.index[part]) if code == highlight]
        row_names(sheet, ax, names[part], bold=bold)
        _write(sheet, ax, bars.iloc[part], card, bold)
        ax.set_xlim(*ends)
        bare(ax)
    marks = [
        Line(
            float(value), f"{name}{' :' if lang == 'fr' else ':'} {format_value(value, card, lang)}"
        )
        for name, value in zip(names_of_lines, lines["valeur"], strict=True)
    ]
    reference_lines(sheet, marks)
    shown = names_of_lines[list(lines.index).index(known.index[0])] if len(known) else ""
    _keep(sheet, bars, lines, (names, names_of_lines), card)
    legend = side_legend(colours, card, shown, lang, judged=verdicts is not None)
    return sheet.finish(
        title=f"{card.libelle[lang]}, {rows['annee'].iloc[0]}",
        subtitle=unit_line(card, lang),
        source=source_line(card, [int(rows["annee"].iloc[0])]),
        notes=_notes(rows.reindex([*bars.index, *lines.index]), lang),
        legend=[(Patch(color=colour), text) for colour, text in legend],
    )


def _verdicts(verdicts: pd.DataFrame, bars: pd.DataFrame, known: pd.Series) -> list[object]:
    """Take the verdicts of the bars, against the first reference that has a value."""
    mine = verdicts[
        (verdicts["indicateur"] == bars["indicateur"].iloc[0])
        & (verdicts["annee"] == bars["annee"].iloc[0])
    ]
    if len(known):
        mine = mine[mine["reference"] == known.index[0]]
    return list(mine.drop_duplicates("code").set_index("code")["verdict"].reindex(bars.index))


def _limits(values: np.ndarray, lines: pd.DataFrame, bars: pd.DataFrame) -> tuple[float, float]:
    limits = bars[["borne_inf", "borne_sup"]].to_numpy(np.float64).ravel() if (
        "borne_inf" in bars
    ) else np.empty(0)  # fmt: skip
    every = np.concatenate([values, lines["valeur"].to_numpy(np.float64), limits, [0.0]])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    return (low, high) if high > low else (low, low + 1.0)


def _draw(sheet: Sheet, ax: Axes, bars: pd.DataFrame, card: Card, colours: Sequence[str]) -> None:
    doubtful = (bars["qualite"] == "douteux").to_numpy()
    drawn = ax.barh(range(len(bars)), bars["valeur"].fillna(0), 0.72, color=colours, zorder=2)
    for bar, doubt in zip(drawn, doubtful, strict=True):
        if doubt:
            bar.set(hatch="///", edgecolor="white", linewidth=0)
    if "borne_inf" in bars and bars["borne_inf"].notna().any():
        limits = bars[["borne_inf", "borne_sup"]].to_numpy(np.float64)
        ax.hlines(range(len(bars)), *limits.T, color=INK, linewidth=1.0, zorder=4)
    ax.axvline(0, color=SOFT, linewidth=0.8, zorder=3)


def _write(sheet: Sheet, ax: Axes, bars: pd.DataFrame, card: Card, bold: Sequence[int]) -> None:
    missing = bars["valeur"].isna().to_numpy()
    statuses = bars["statut"].fillna("non_disponible")
    texts = [
        (absent_label(status, sheet.lang) if gone else format_value(value, card, sheet.lang))
        + quality_mark(quality) * (not gone)
        for value, status, gone, quality in zip(
            bars["valeur"], statuses, missing, bars["qualite"], strict=True
        )
    ]
    figure_column(sheet, ax, texts, absent=list(np.flatnonzero(missing)), bold=bold)


def _notes(rows: pd.DataFrame, lang: Lang) -> list[str]:
    notes = []
    if "borne_inf" in rows and rows["borne_inf"].notna().any():
        notes.append(WORDS[lang]["interval"])
    return notes + quality_notes([rows["qualite"]], lang)


def _keep(
    sheet: Sheet, bars: pd.DataFrame, lines: pd.DataFrame, names: tuple[list[str], list[str]],
    card: Card,
) -> None:  # fmt: skip
    year = int(bars["annee"].dropna().iloc[0])
    table = pd.concat([bars, lines])

    def sentences(lang: Lang) -> list[str]:
        def say(value: float) -> str:
            return measured(value, card, lang)

        return [
            topic(card, [year], lang) + ".",
            extremes(names[0], bars["valeur"].tolist(), say, lang),
            said_references(names[1], lines["valeur"].tolist(), say, lang),
            absent(bars["statut"].fillna("non_disponible").tolist(), lang),
        ]

    keep(sheet.axes, Equivalent(sheet.lang, sentences, table))
