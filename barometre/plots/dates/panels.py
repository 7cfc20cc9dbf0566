"""One small panel per indicator, the same territories in the same order in each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, absent_label, quality_mark
from barometre.cards.labels import format_value, unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.plots.look.colours import INK, SOFT
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import bare, row_names
from barometre.plots.look.rows import latest, present, quality_notes, zones
from barometre.plots.look.sentences import absent, extremes, measured, references
from barometre.plots.look.sheet import Sheet, Signed, house

_LIGHT = "#b9c4d0"
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "Profil de {n} territoires",
        "many": "Trop de territoires pour les nommer ; même ordre d'un panneau à l'autre.",
    },
    "en": {
        "title": "Profile of {n} areas",
        "many": "Too many areas to be named, in the same order from one panel to the next.",
    },
}


@house
def small_multiples(
    results: pd.DataFrame,
    indicators: Sequence[str],
    *,
    territories: Sequence[str] | None = None,
    reference: str | None = None,
    highlight: str | None = None,
    names: Mapping[str, str] | None = None,
    columns: int = 3,
    year: int | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw one panel of bars per indicator, each on its own scale.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    indicators : sequence of str
        Identifiers, one panel each.
    territories : sequence of str, optional
        Codes, in the order of the rows; by default those of the most frequent level, sorted by the
        first indicator.
    reference : str, optional
        Code drawn as a line, its value in the heading of the panel.
    highlight : str, optional
        Code drawn in full ink, the others being light.
    names : mapping, optional
        Names of the indicators, their cards' by default.
    columns : int, default 3
        Panels side by side.
    year : int, optional
        Year, the latest of each indicator by default.
    **signed
        Title, source, size...: see `Signed`; ``ax`` is refused, as there are several panels.

    Returns
    -------
    Axes
        The first panel; the others are in its figure. Where rows are too many to be read (47 on a
        slide), only the highlighted territory is named and has its figure.

    Raises
    ------
    BarometreError
        No indicator, no territory, axes given.
    """
    if signed.get("ax") is not None or not indicators:
        raise BarometreError("petits multiples refusés : donner indicators=, et pas ax=")
    cards = [indicator_card(name) for name in indicators]
    tables = [latest(results, card.id, year) for card in cards]
    codes = _codes(tables[0], territories, reference)
    across = max(1, min(columns, len(cards)))
    sheet = Sheet(signed, rows=len(codes), grid=(math.ceil(len(cards) / across), across), pitch=1.5)
    lang, labels = sheet.lang, sheet.names(codes)
    roomy = sheet.pitch > 1.05 * sheet.text
    for i, (ax, card, rows) in enumerate(zip(sheet.axes, cards, tables, strict=False)):
        against = float(rows["valeur"].get(reference, np.nan)) if reference else np.nan
        _panel(sheet, ax, rows.reindex(codes), card, against, codes, highlight)
        row_names(sheet, ax, [
            name if i % across == 0 and (roomy or code == highlight) else ""
            for code, name in zip(codes, labels, strict=True)
        ])  # fmt: skip
        if highlight in codes and i % across == 0:
            ax.get_yticklabels()[codes.index(str(highlight))].set_fontweight("bold")
    for ax in sheet.axes[len(cards) :]:
        ax.set_axis_off()
    shown = [(names or {}).get(card.id, card.libelle[lang]) for card in cards]
    refs = sheet.names([reference])[0] if reference else ""
    figures = 22.0 if roomy or highlight in codes else 0.0  # points at the right of a panel
    sheet.later(lambda: _headings(sheet, shown, cards, tables, (reference, refs), figures))
    _keep(sheet, tables, codes, labels, (cards, names or {}, reference, refs))
    legend: list[tuple[Line2D | Patch, str]] = []
    if highlight in codes:
        legend.append((Patch(color=INK), labels[codes.index(str(highlight))]))
    if reference:
        legend.append((Line2D([], [], color=INK, linewidth=1.2, linestyle=(0, (4, 2))),
                       refs))  # fmt: skip
    years = sorted({int(rows["annee"].iloc[0]) for rows in tables})
    when = " – ".join(map(str, sorted({years[0], years[-1]})))
    return sheet.finish(
        title=_WORDS[lang]["title"].format(n=len(codes)) + f", {when}",
        source=" ; ".join(dict.fromkeys(card.producteur for card in cards)) + f", {when}",
        notes=[
            *([] if roomy else [_WORDS[lang]["many"]]),
            *quality_notes((rows.reindex(codes)["qualite"] for rows in tables), lang),
        ],
        legend=legend,
    )


def _codes(
    rows: pd.DataFrame, territories: Sequence[str] | None, reference: str | None
) -> list[str]:
    if territories is not None:
        codes = present(rows, territories)
        if codes:
            return codes
    found = zones(rows, territories, [reference] if reference else [])
    order = rows["valeur"].reindex(found).sort_values(
        ascending=False, na_position="last", kind="stable"
    )  # fmt: skip
    return [str(code) for code in order.index]


def _panel(
    sheet: Sheet, ax: Axes, rows: pd.DataFrame, card: Card, against: float, codes: Sequence[str],
    highlight: str | None,
) -> None:  # fmt: skip
    values = rows["valeur"].to_numpy(np.float64)
    colours = [INK if code == highlight else _LIGHT for code in codes]
    ax.barh(range(len(codes)), np.nan_to_num(values), 0.74, color=colours, zorder=2)
    known = np.append(
        values[np.isfinite(values)], [0.0, *([against] if np.isfinite(against) else [])]
    )
    low, high = float(known.min()), float(known.max())
    ax.set_xlim(low, high if high > low else low + 1)
    ax.axvline(0, color=SOFT, linewidth=0.8, zorder=3)
    if np.isfinite(against):
        ax.axvline(against, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), zorder=4)
    bare(ax)
    statuses = rows["statut"].fillna("non_disponible")
    texts = [
        (absent_label(s, sheet.lang) if np.isnan(v) else format_value(v, card, sheet.lang))
        + quality_mark(q) * (not np.isnan(v))
        for v, s, q in zip(values, statuses, rows["qualite"], strict=True)
    ]
    wide = max(sheet.wide(text, 0.92 * sheet.text) for text in texts)
    roomy = sheet.pitch > 1.05 * sheet.text
    for i, text in enumerate(texts):
        if not roomy and codes[i] != highlight:
            continue
        missing = np.isnan(values[i])
        ax.annotate(text, (1, i), xytext=(4 + wide, 0), xycoords=("axes fraction", "data"),
                    textcoords="offset points", ha="right", va="center_baseline",
                    fontsize=0.92 * sheet.text, color=SOFT if missing else INK,
                    style="italic" if missing else "normal", annotation_clip=False,
                    weight="bold" if codes[i] == highlight else "normal")  # fmt: skip


def _headings(
    sheet: Sheet, names: Sequence[str], cards: Sequence[Card], tables: Sequence[pd.DataFrame],
    reference: tuple[str | None, str], figures: float,
) -> None:  # fmt: skip
    """Write above each panel what it shows, on the width that it has with its figures."""
    code, name = reference
    for ax, label, card, rows in zip(sheet.axes, names, cards, tables, strict=False):
        frame = ax.get_window_extent(sheet.renderer)
        wide = frame.width * 72 / sheet.figure.dpi + figures
        unit = unit_label(card, sheet.lang)
        text = sheet.folded(
            f"{label} ({unit}), {rows['annee'].iloc[0]}", sheet.small, wide, bold=True
        )
        ax.annotate(text, (0, 1), xytext=(0, 3 + (1.3 * sheet.small if code else 0)),
                    xycoords="axes fraction", textcoords="offset points", va="bottom",
                    fontsize=sheet.small, weight="bold", color=INK,
                    annotation_clip=False)  # fmt: skip
        if code and np.isfinite(value := float(rows["valeur"].get(code, np.nan))):
            said = f"{name} : " if sheet.lang == "fr" else f"{name}: "
            ax.annotate(said + measured(value, card, sheet.lang), (0, 1), xytext=(0, 3),
                        xycoords="axes fraction", textcoords="offset points", va="bottom",
                        fontsize=sheet.small, color=SOFT, annotation_clip=False)  # fmt: skip


def _keep(
    sheet: Sheet, tables: Sequence[pd.DataFrame], codes: list[str], labels: list[str],
    shown: tuple[Sequence[Card], Mapping[str, str], str | None, str],
) -> None:  # fmt: skip
    cards, names, reference, refs = shown
    table = pd.DataFrame(
        {c.id: rows["valeur"].reindex(codes) for c, rows in zip(cards, tables, strict=True)}
    )

    def sentences(lang: Lang) -> list[str]:
        said = []
        for card, rows in zip(cards, tables, strict=True):
            mine = rows.reindex(codes)

            def say(value: float, card: Card = card) -> str:
                return measured(value, card, lang)

            name = f"{names.get(card.id, card.libelle[lang])}, {rows['annee'].iloc[0]}"
            text = extremes(labels, mine["valeur"].tolist(), say, lang)
            said.append(f"{name} : {text}" if lang == "fr" else f"{name}: {text}")
            if reference:
                value = float(rows["valeur"].get(reference, np.nan))
                said.append(references([refs], [value], say, lang))
            said.append(absent(mine["statut"].fillna("non_disponible").tolist(), lang))
        return said

    keep(sheet.axes, Equivalent(sheet.lang, sentences, table))
