"""The sheets that programs read back: one row per value, one card per indicator."""

from __future__ import annotations

from typing import Any

import pandas as pd

from barometre.base.french import Lang
from barometre.cards.labels import unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import THEMES
from barometre.engine.limits import plan_of
from barometre.pages.workbook.book import Book
from barometre.pages.workbook.wide import HEAD

_CHUNK = 20_000
_WIDTHS = {"libelle": 34, "libelle_indicateur": 50, "indicateur": 34, "note": 60, "unite": 16}
_CARD_WIDTHS = (22, 34, 46, 60, 14, 18, 50, 40, 40, 44, 26, 16, 40, 70)


def write_rows(book: Book, frame: pd.DataFrame, name: str) -> None:
    """Write a frame, one row each, empty cells left out."""
    sheet = book.sheet(name)
    write_heads(book, sheet, list(frame.columns))
    for j, column in enumerate(frame.columns):
        sheet.set_column(j, j, _WIDTHS.get(column, 14))
    numeric = [pd.api.types.is_numeric_dtype(frame[column]) for column in frame.columns]
    writers = [sheet.write_number if number else sheet.write_string for number in numeric]
    known = [frame[column].notna().any() for column in frame.columns]
    for start in range(0, len(frame), _CHUNK):
        part = frame.iloc[start : start + _CHUNK]
        cells = [
            (j, writers[j], part[column].tolist())
            for j, column in enumerate(frame.columns)
            if known[j]
        ]
        for i in range(len(part)):
            row = start + i + 1
            for j, write, values in cells:
                value = values[i]
                if value == value and value is not None:
                    write(row, j, value)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(frame), 1), len(frame.columns) - 1)


def write_heads(book: Book, sheet: Any, names: list[str]) -> None:
    """Write the names of columns on the first row."""
    head = book.look(bold=True, bg_color=HEAD)
    for j, name in enumerate(names):
        sheet.write_string(0, j, name, head)


def write_cards(book: Book, results: pd.DataFrame) -> None:
    """Write the cards of the indicators: what each measures, from what, how to read it."""
    years = results.groupby("indicateur", sort=False)["annee"].unique()
    sheet = book.sheet(book.say("indicateurs", "indicators"))
    rows = [_card_row(str(name), sorted(found), book.lang) for name, found in years.items()]
    wrapped = book.look(text_wrap=True, valign="top")
    names = list(rows[0]) if rows else ["indicateur"]
    write_heads(book, sheet, names)
    for j, width in enumerate(_CARD_WIDTHS[: len(names)]):
        sheet.set_column(j, j, width)
    for i, row in enumerate(rows, start=1):
        for j, text in enumerate(row.values()):
            sheet.write_string(i, j, text, wrapped)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(len(rows), 1), len(names) - 1)


def _card_row(name: str, years: list[int], lang: Lang) -> dict[str, str]:
    card = indicator_card(name)
    plan = plan_of(card)
    return {
        "theme": THEMES[card.theme][0 if lang == "fr" else 1],
        "indicateur": card.id,
        "libelle": card.libelle[lang],
        "definition": card.definition[lang],
        "unite": unit_label(card, lang),
        "sens": card.sens.replace("_", " "),
        "univers": card.univers,
        "numerateur": card.numerateur,
        "denominateur": card.denominateur,
        "source": card.source,
        "producteur": card.producteur,
        "annees": ", ".join(map(str, years)),
        "intervalle": plan.reason or _METHODS[plan.method],
        "precautions": "\n".join(card.precautions),
    }


_METHODS = {
    "wilson": "intervalle de sondage d'une part (Wilson)",
    "newcombe": "intervalle de sondage d'un écart (Newcombe)",
    "arrondi": "bornes d'arrondi quand les effectifs sont arrondis",
    "aucune": "",
}
