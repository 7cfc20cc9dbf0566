"""Several indicators of one unit side by side, territory by territory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, absent_label, quality_mark
from barometre.cards.labels import format_value, unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.plots.look.colours import INK, SOFT, categories
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import bare, row_names, share_limits
from barometre.plots.look.rows import latest, present, quality_notes, zones
from barometre.plots.look.sentences import absent, extremes, measured, unit_line
from barometre.plots.look.sheet import Sheet, Signed, house


@house
def grouped_bars(
    results: pd.DataFrame,
    indicators: Sequence[str],
    *,
    territories: Sequence[str] | None = None,
    references: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    year: int | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw two to four indicators of one unit as bars side by side.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    indicators : sequence of str
        Identifiers, in the order of the bars.
    territories : sequence of str, optional
        Codes of the groups; by default those of the most frequent level.
    references : sequence of str, optional
        Codes of the groups at the bottom, in bold.
    names : mapping, optional
        Short names of the indicators for the legend, their cards' by default.
    year : int, optional
        Year, the latest of each indicator by default.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Groups from the highest value of the first indicator; each figure at the end of its bar.

    Raises
    ------
    BarometreError
        Fewer than two indicators or more than four, or units that differ.
    """
    cards = [indicator_card(name) for name in indicators]
    if not 2 <= len(cards) <= 4 or len({card.unite for card in cards}) > 1:
        raise BarometreError(
            "barres groupées refusées : deux à quatre indicateurs de même unité sont attendus,"
            f" reçu {', '.join(f'{c.id} ({unit_label(c)})' for c in cards) or 'aucun'}"
        )
    tables = [latest(results, card.id, year) for card in cards]
    codes = zones(tables[0], territories, references)
    order = tables[0]["valeur"].reindex(codes).sort_values(
        ascending=False, na_position="last", kind="stable"
    )  # fmt: skip
    codes = [*order.index, *present(tables[0], references)]
    sheet = Sheet(signed, rows=len(codes), pitch=0.55 + 1.15 * len(cards))
    size = min(0.92 * sheet.text, 0.75 * sheet.pitch / len(cards))  # of a figure beside its bar
    lang, labels = sheet.lang, sheet.names(codes)
    series = [table.reindex(codes) for table in tables]
    for ax, part in sheet.slices(len(codes)):
        for i, (rows, card) in enumerate(zip(series, cards, strict=True)):
            _bars(sheet, ax, rows.iloc[part], card, (i, len(cards), size))
        row_names(sheet, ax, labels[part], bold=range(len(order) - part.start, len(codes)))
        bare(ax)
        ax.axvline(0, color=SOFT, linewidth=0.8)
        if 0 < len(order) - part.start < part.stop - part.start:
            ax.axhline(len(order) - part.start - 0.5, color=SOFT, linewidth=0.6)
    share_limits(sheet, room=0.0, zero=True)
    shown = [(names or {}).get(card.id, card.libelle[lang]) for card in cards]
    years = [int(table["annee"].iloc[0]) for table in tables]
    _keep(sheet, series, labels, cards, (len(order), names or {}, years))
    when = f"{years[0]}" if len(set(years)) == 1 else f"{min(years)} – {max(years)}"
    return sheet.finish(
        title=f"{', '.join(shown)}, {when}",
        subtitle=unit_line(cards[0], lang),
        source=" ; ".join(dict.fromkeys(card.producteur for card in cards)) + f", {when}",
        notes=quality_notes((rows["qualite"] for rows in series), lang),
        legend=[
            (Patch(color=c), name) for c, name in zip(categories(len(cards)), shown, strict=True)
        ],
    )


def _bars(
    sheet: Sheet, ax: Axes, rows: pd.DataFrame, card: Card, at: tuple[int, int, float]
) -> None:
    which, number, size = at
    thick = 0.84 / number
    y = np.arange(len(rows)) + (which - (number - 1) / 2) * thick
    values = rows["valeur"].to_numpy(np.float64)
    colour = categories(number)[which]
    bars = ax.barh(y, np.nan_to_num(values), 0.92 * thick, color=colour)
    for x, place, status, quality, bar in zip(
        values, y, rows["statut"].fillna("non_disponible"), rows["qualite"], bars, strict=True
    ):
        if quality == "douteux":
            bar.set(hatch="///", edgecolor="white")
        missing = np.isnan(x)
        text = absent_label(status, sheet.lang) if missing else format_value(x, card, sheet.lang)
        left = not missing and x < 0
        ax.annotate(
            text + quality_mark(quality) * (not missing), (0 if missing else x, place),
            xytext=(-3 if left else 3, 0), textcoords="offset points", va="center_baseline",
            ha="right" if left else "left", fontsize=size,
            color=SOFT if missing else INK, style="italic" if missing else "normal",
        )  # fmt: skip


def _keep(
    sheet: Sheet, series: Sequence[pd.DataFrame], labels: Sequence[str], cards: Sequence[Card],
    shown: tuple[int, Mapping[str, str], Sequence[int]],
) -> None:  # fmt: skip
    number, names, years = shown
    table = pd.DataFrame(
        {card.id: rows["valeur"] for card, rows in zip(cards, series, strict=True)}
    )

    def sentences(lang: Lang) -> list[str]:
        said = []
        for card, rows, year in zip(cards, series, years, strict=True):
            name = names.get(card.id, card.libelle[lang]) + f", {year}"
            values = rows["valeur"].tolist()[:number]

            def say(value: float, card: Card = card) -> str:
                return measured(value, card, lang)

            text = extremes(labels[:number], values, say, lang)
            said += [f"{name} : {text}" if lang == "fr" else f"{name}: {text}"]
            said.append(absent(rows["statut"].fillna("non_disponible").tolist()[:number], lang))
        return said

    keep(sheet.axes, Equivalent(sheet.lang, sentences, table))
