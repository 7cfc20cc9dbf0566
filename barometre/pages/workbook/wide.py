"""The sheets that one reads and prints: territories in rows, indicators in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.french import DOUBT_MARK, Lang, absent_label, format_number
from barometre.cards.labels import unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import THEMES, Card
from barometre.compare.gaps import GAP_UNITS, gap
from barometre.engine.english_notes import english_note
from barometre.engine.results import COMPUTED_KEPT, displayed
from barometre.pages.workbook.book import CELL, COLUMNS, ROWS, Book
from barometre.pages.workbook.places import Place
from barometre.tables.table_set import DOUBTFUL

MARK_C = " *"
"""What follows a value of grade C: it is not to be ranked."""

COMMENTS = 500
"""Comments that a sheet may bear; the others are read in the notes of the values."""

FAVOURABLE, UNFAVOURABLE, DOUBT, REFERENCE, HEAD = (
    "#DCEBF7", "#FBE5D6", "#FFF2CC", "#F2F2F2", "#E8EDF3",
)  # fmt: skip
_BANDS = ("#D9E2EC", "#EADFD3")  # two shades that follow each other
_GREY = "#595959"
_FIRST = 2  # rows of headings
_PAIR = ["indicateur", "annee"]


@dataclass(frozen=True)
class Column:
    """An indicator in a year, and what stands beside its value."""

    card: Card
    year: int
    intervals: bool
    grades: bool

    @property
    def width(self) -> int:
        """The number of columns of the sheet."""
        return 1 + self.intervals + self.grades


@dataclass(frozen=True)
class Wide:
    """Where each value stands: rows of the results by territory and column, -1 for none."""

    columns: Sequence[Column]
    rows: npt.NDArray[np.int32]


def columns_of(results: pd.DataFrame) -> list[Column]:
    """List the indicators and years of results, theme by theme."""
    bounded = results["borne_inf"].notna() | results["borne_sup"].notna()
    graded = results["qualite"].notna() & (results["qualite"] != DOUBTFUL)
    pairs = (
        results[["indicateur", "annee"]]
        .assign(borne=bounded, classe=graded)
        .groupby(["indicateur", "annee"], sort=False)
        .any()
    )
    themes = list(THEMES)
    asked = {name: i for i, name in enumerate(results["indicateur"].unique())}
    found = [
        Column(indicator_card(str(name)), int(year), bool(borne), bool(classe))
        for (name, year), borne, classe in zip(
            pairs.index, pairs["borne"], pairs["classe"], strict=True
        )
    ]
    return sorted(found, key=lambda c: (themes.index(c.card.theme), asked[c.card.id], c.year))


def placed(results: pd.DataFrame, codes: Sequence[str], columns: Sequence[Column]) -> Wide:
    """Find the row of each territory and column."""
    at = pd.Index(codes).get_indexer(pd.Index(results["code"]))
    keys = pd.MultiIndex.from_tuples(
        [(c.card.id, c.year) for c in columns], names=["indicateur", "annee"]
    )
    column = keys.get_indexer(pd.MultiIndex.from_frame(results[["indicateur", "annee"]]))
    rows = np.full((len(codes), len(columns)), -1, dtype=np.int32)
    kept = (at >= 0) & (column >= 0)
    rows[at[kept], column[kept]] = np.flatnonzero(kept)
    return Wide(columns, rows)


# ---- the table -----------------------------------------------------------------------------------


def write_table(
    book: Book, results: pd.DataFrame, places: Sequence[Place], *, beside: bool = True
) -> None:
    """Write the sheet ``tableau``: values, with their interval and grade beside when asked."""
    shown = displayed(results)
    columns = columns_of(shown)
    if not beside:
        columns = [replace(column, intervals=False, grades=False) for column in columns]
    keys = ("code", book.say("territoire", "territory"), book.say("niveau", "level"))
    _check_size(len(places), len(keys) + sum(c.width for c in columns))
    sheet = book.sheet(book.say("tableau", "table"))
    _write_heads(book, sheet, keys, columns, [unit_label(c.card, book.lang) for c in columns])
    _set_key_widths(sheet, places)
    wide = placed(shown, [place.code for place in places], columns)
    starts = len(keys) + np.cumsum([0, *(c.width for c in columns)])
    cells = _Cells(book, sheet, _Values.of(shown))
    for i, place in enumerate(places):
        row, filled = _FIRST + i, wide.rows[i]
        plain = _plain(book) if place.reference else None
        for j, text in enumerate((place.code, place.label, place.level_label(book.lang))):
            sheet.write_string(row, j, text, plain)
        if place.reference:
            for at in range(len(keys), int(starts[-1])):
                sheet.write_blank(row, at, None, plain)
        for j in np.flatnonzero(filled >= 0).tolist():
            at = int(starts[j])
            cells.write(row, at, columns[j], int(filled[j]), place.reference)
            cells.comment(row, at, int(filled[j]))
    _finish(sheet, len(places), len(keys), int(starts[-1]))


@dataclass(frozen=True)
class _Values:
    """The columns of results as arrays: a cell is asked for at a time."""

    value: npt.NDArray[np.float64]
    status: npt.NDArray[np.object_]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    quality: npt.NDArray[np.object_]
    note: pd.Series[str]
    acted: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, results: pd.DataFrame) -> _Values:
        def words(name: str) -> npt.NDArray[np.object_]:
            codes, known = pd.factorize(results[name])
            return np.array([*known, ""], dtype=object)[codes]

        differs = results["note"].str.contains(COMPUTED_KEPT, regex=False).fillna(False)
        doubtful = results["qualite"] == DOUBTFUL
        return cls(
            results["valeur"].to_numpy(np.float64),
            words("statut"),
            results["borne_inf"].to_numpy(np.float64),
            results["borne_sup"].to_numpy(np.float64),
            words("qualite"),
            results["note"],
            (doubtful | differs.astype(bool)).to_numpy(),
        )


class _Cells:
    """Writes the cells of the table; their formats are found once."""

    def __init__(self, book: Book, sheet: Any, values: _Values) -> None:
        self._sheet, self._values, self._comments = sheet, values, 0
        self._lang = book.lang
        self._doubtful = book.say("valeur douteuse", "doubtful value")
        self._number = cache(partial(_number, book))
        self._absent = cache(partial(_absent, book))
        self._beside = cache(partial(_beside, book))

    def write(self, row: int, at: int, column: Column, position: int, reference: bool) -> None:
        """Write a value and what stands beside it, or why it is absent."""
        sheet, values = self._sheet, self._values
        status, grade = values.status[position], values.quality[position]
        if status != "ok":
            sheet.write_string(row, at, absent_label(status, self._lang), self._absent(reference))
            return
        decimals = column.card.decimales
        mark = DOUBT_MARK if grade == DOUBTFUL else MARK_C if grade == "C" else ""
        sheet.write_number(row, at, values.value[position], self._number(decimals, mark, reference))
        low, high = values.low[position], values.high[position]
        if column.intervals and not np.isnan(low + high):
            between = " ; " if self._lang == "fr" else "; "
            limits = (
                f"[{between.join(format_number(x, decimals, self._lang) for x in (low, high))}]"
            )
            sheet.write_string(row, at + 1, limits, self._beside(reference))
        if column.grades and grade and grade != DOUBTFUL:
            sheet.write_string(row, at + 1 + column.intervals, grade, self._beside(reference))

    def comment(self, row: int, at: int, position: int) -> None:
        """Tell what a reader must know before using a value, if anything."""
        if not self._values.acted[position] or self._comments >= COMMENTS:
            return
        note = self._values.note.iloc[position]
        text = note if isinstance(note, str) else self._doubtful
        text = text if self._lang == "fr" else english_note(text)
        self._sheet.write_comment(row, at, text[:CELL], {"x_scale": 2, "y_scale": 1.2})
        self._comments += 1


# ---- gaps ----------------------------------------------------------------------------------------


def write_gaps(
    book: Book, results: pd.DataFrame, places: Sequence[Place], references: Sequence[str]
) -> None:
    """Write the sheet ``écarts``: every territory less each reference, reference by reference."""
    gaps = gap(displayed(results), references)
    given = results[results["code"].isin(references)]
    columns = [
        Column(column.card, column.year, intervals=False, grades=False)
        for column in columns_of(given)
    ]
    units = [_gap_unit(column.card, book.lang) for column in columns]
    names = {place.code: place.label or place.code for place in places}
    keys = (
        *("code", book.say("territoire", "territory"), book.say("niveau", "level")),
        book.say("référence", "reference"),
    )
    number = sum(len(places) - 1 for _ in references)
    _check_size(number, len(keys) + len(columns))
    sheet = book.sheet(book.say("écarts", "gaps"))
    _write_heads(book, sheet, keys, columns, units)
    _set_key_widths(sheet, places)
    sheet.set_column(3, 3, min(60, max(14, *(len(names[code]) for code in references))))
    row = _FIRST
    for reference in references:
        theirs = pd.MultiIndex.from_frame(given.loc[given["code"] == reference, _PAIR])
        mine = gaps[gaps["reference"] == reference]
        # What the reference has no row of is no missing gap.
        mine = mine[pd.MultiIndex.from_frame(mine[_PAIR]).isin(theirs)].reset_index(drop=True)
        others = [place for place in places if place.code != reference]
        wide = placed(mine, [place.code for place in others], columns)
        cells = _gap_cells(mine)
        for i, place in enumerate(others):
            plain = _plain(book) if place.reference else None
            for j, text in enumerate(
                (place.code, place.label, place.level_label(book.lang), names[reference])
            ):
                sheet.write_string(row, j, text, plain)
            for j, position in enumerate(wide.rows[i].tolist()):
                if position >= 0:
                    _write_gap(book, sheet, (row, len(keys) + j), columns[j], cells[position])
            row += 1
    _finish(sheet, number, len(keys), len(keys) + len(columns))


def _gap_unit(card: Card, lang: Lang) -> str:
    """Return the unit of a gap: points, of percentages."""
    if lang == "fr" or card.unite == "pourcent":
        return GAP_UNITS[card.unite]
    return unit_label(card, lang)


_Gap = tuple[float, str, str, bool]  # the gap, its status, which way it is good, a doubt


def _gap_cells(gaps: pd.DataFrame) -> list[_Gap]:
    """List gaps; one whose interval holds 0 is neither good nor bad."""
    unsure = (gaps["ecart_inf"] <= 0) & (gaps["ecart_sup"] >= 0)
    way = gaps["appreciation"].mask(unsure, "").fillna("")
    doubtful = gaps["qualite"] == DOUBTFUL
    return list(
        zip(gaps["ecart"].tolist(), gaps["statut"].tolist(), way.tolist(), doubtful.tolist(),
            strict=True)
    )  # fmt: skip


def _write_gap(book: Book, sheet: Any, cell: tuple[int, int], column: Column, told: _Gap) -> None:
    value, status, way, doubtful = told
    if status != "ok":
        sheet.write_string(*cell, absent_label(status, book.lang), _absent(book, False))
        return
    decimals = 0 if column.card.unite == "euros_par_an" else column.card.decimales
    mark = DOUBT_MARK if doubtful else ""
    shape = _shape(decimals, mark)
    properties: dict[str, Any] = {"num_format": f"+{shape};-{shape};{shape}", "align": "right"}
    if way in ("favorable", "defavorable"):
        properties["bg_color"] = FAVOURABLE if way == "favorable" else UNFAVOURABLE
    sheet.write_number(*cell, value, book.look(**properties))


# ---- what both share -----------------------------------------------------------------------------


def _check_size(territories: int, columns: int) -> None:
    if columns > COLUMNS:
        raise BarometreError(
            f"{columns} colonnes : une feuille de classeur n'en tient que {COLUMNS} ; calculer"
            " moins d'indicateurs ou d'années, ou écrire en .csv"
        )
    if territories + _FIRST > ROWS:
        raise BarometreError(
            f"{territories} lignes : une feuille de classeur n'en tient que {ROWS - _FIRST} ;"
            " comparer à moins de références, ou écrire en .csv"
        )


def _write_heads(
    book: Book, sheet: Any, keys: Sequence[str], columns: Sequence[Column], units: Sequence[str]
) -> None:
    """Write the bands of the themes and, under them, one heading per column."""
    sheet.set_row(0, 18)
    sheet.set_row(1, 92)
    at, band = len(keys), 0
    for theme in dict.fromkeys(column.card.theme for column in columns):
        width = sum(c.width for c in columns if c.card.theme == theme)
        look = book.look(
            bold=True, bg_color=_BANDS[band % 2], left=1, border_color=_GREY, align="left"
        )
        title = book.say(*THEMES[theme])
        if width > 1:
            sheet.merge_range(0, at, 0, at + width - 1, title, look)
        else:
            sheet.write_string(0, at, title, look)
        at, band = at + width, band + 1
    head = book.look(bold=True, bg_color=HEAD, text_wrap=True, valign="top", border=1,
                     border_color="#BFBFBF")  # fmt: skip
    for j, key in enumerate(keys):
        sheet.write_string(1, j, key, head)
    at = len(keys)
    for column, unit in zip(columns, units, strict=True):
        title = f"{column.card.libelle[book.lang]} ({unit}), {column.year}"
        grade = book.say("classe", "grade")
        beside = [book.say("intervalle", "interval")] * column.intervals + [grade] * column.grades
        for text, width in zip((title, *beside), (15, 15, 8), strict=False):
            if text == grade:
                width = 8
            sheet.set_column(at, at, width)
            sheet.write_string(1, at, text, head)
            at += 1


def _set_key_widths(sheet: Any, places: Sequence[Place]) -> None:
    longest = max((len(place.label) for place in places), default=0)
    for j, width in enumerate((17, min(60, max(14, longest)), 21)):
        sheet.set_column(j, j, width)


def _finish(sheet: Any, rows: int, keys: int, columns: int) -> None:
    """Freeze the headings, filter the columns, and print them on every page."""
    sheet.freeze_panes(_FIRST, keys)
    sheet.autofilter(1, 0, _FIRST + max(rows, 1) - 1, columns - 1)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.repeat_rows(0, 1)
    sheet.repeat_columns(0, keys - 1)


def _plain(book: Book) -> Any:
    return book.look(bold=True, bg_color=REFERENCE)


def _shape(decimals: int, mark: str) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "") + (f'"{mark}"' if mark else "")


def _number(book: Book, decimals: int, mark: str, reference: bool) -> Any:
    properties: dict[str, Any] = {"num_format": _shape(decimals, mark), "align": "right"}
    if reference:
        properties |= {"bold": True, "bg_color": REFERENCE}
    if mark == DOUBT_MARK:
        properties["bg_color"] = DOUBT
    if mark == MARK_C:
        properties |= {"italic": True, "font_color": _GREY}
    return book.look(**properties)


def _absent(book: Book, reference: bool) -> Any:
    ground = {"bg_color": REFERENCE} if reference else {}
    return book.look(italic=True, font_color=_GREY, align="right", **ground)


def _beside(book: Book, reference: bool) -> Any:
    ground = {"bg_color": REFERENCE} if reference else {}
    return book.look(font_color=_GREY, align="center", **ground)
