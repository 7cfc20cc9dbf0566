"""The sheets that one reads and prints: territories in rows, indicators in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.french import DOUBT_MARK, absent_label, format_number
from barometre.cards.labels import unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import THEMES, Card
from barometre.compare.gaps import GAP_UNITS, gap
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
_CHUNK = 5_000


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


def write_table(book: Book, results: pd.DataFrame, places: Sequence[Place]) -> None:
    """Write the sheet ``tableau``: values, with their interval and grade when there are some."""
    shown = displayed(results)
    columns = columns_of(shown)
    keys = ("code", "territoire", "niveau")
    _check_size(len(places), len(keys) + sum(c.width for c in columns))
    sheet = book.sheet("tableau")
    _write_heads(book, sheet, keys, columns, [unit_label(c.card) for c in columns])
    wide = placed(shown, [place.code for place in places], columns)
    values = _Values.of(shown)
    comments = 0
    for i, place in enumerate(places):
        row = _FIRST + i
        plain = _plain(book, place.reference)
        for j, text in enumerate((place.code, place.label, place.level_label)):
            sheet.write_string(row, j, text, plain)
        at = len(keys)
        for column, position in zip(columns, wide.rows[i].tolist(), strict=True):
            if position >= 0:
                _write_value(book, sheet, (row, at), column, values, position, place.reference)
                if comments < COMMENTS and (said := values.to_act_on(position)):
                    sheet.write_comment(row, at, said[:CELL], {"x_scale": 2, "y_scale": 1.2})
                    comments += 1
            elif place.reference:
                for beside in range(column.width):
                    sheet.write_blank(row, at + beside, None, plain)
            at += column.width
    _finish(sheet, len(places), len(keys), len(keys) + sum(c.width for c in columns))


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

    def to_act_on(self, position: int) -> str:
        """What a reader must know before using the value, if anything."""
        if not self.acted[position]:
            return ""
        note = self.note.iloc[position]
        return note if isinstance(note, str) else "valeur douteuse"


def _write_value(
    book: Book,
    sheet: Any,
    cell: tuple[int, int],
    column: Column,
    values: _Values,
    position: int,
    reference: bool,
) -> None:
    row, at = cell
    status, grade = values.status[position], values.quality[position]
    if status != "ok":
        sheet.write_string(row, at, absent_label(status), _absent(book, reference))
        return
    mark = DOUBT_MARK if grade == DOUBTFUL else MARK_C if grade == "C" else ""
    look = _number(book, column.card.decimales, mark, reference)
    sheet.write_number(row, at, values.value[position], look)
    if column.intervals:
        low, high = values.low[position], values.high[position]
        if not np.isnan(low + high):
            decimals = column.card.decimales
            limits = f"[{format_number(low, decimals)} ; {format_number(high, decimals)}]"
            sheet.write_string(row, at + 1, limits, _beside(book, reference))
    if column.grades and grade and grade != DOUBTFUL:
        sheet.write_string(row, at + 1 + column.intervals, grade, _beside(book, reference))


# ---- gaps ----------------------------------------------------------------------------------------


def write_gaps(
    book: Book, results: pd.DataFrame, places: Sequence[Place], references: Sequence[str]
) -> None:
    """Write the sheet ``écarts``: every territory less each reference, reference by reference."""
    gaps = gap(displayed(results), references)
    columns = [
        Column(column.card, column.year, intervals=False, grades=False)
        for column in columns_of(results)
    ]
    units = [GAP_UNITS[column.card.unite] for column in columns]
    names = {place.code: place.label or place.code for place in places}
    keys = ("code", "territoire", "niveau", "référence")
    number = sum(len(places) - 1 for _ in references)
    _check_size(number, len(keys) + len(columns))
    sheet = book.sheet("écarts")
    _write_heads(book, sheet, keys, columns, units)
    row = _FIRST
    for reference in references:
        mine = gaps[gaps["reference"] == reference].reset_index(drop=True)
        others = [place for place in places if place.code != reference]
        wide = placed(mine, [place.code for place in others], columns)
        cells = _gap_cells(mine)
        for i, place in enumerate(others):
            plain = _plain(book, place.reference)
            for j, text in enumerate(
                (place.code, place.label, place.level_label, names[reference])
            ):
                sheet.write_string(row, j, text, plain)
            for j, position in enumerate(wide.rows[i].tolist()):
                if position >= 0:
                    _write_gap(book, sheet, (row, len(keys) + j), columns[j], cells[position])
            row += 1
    _finish(sheet, number, len(keys), len(keys) + len(columns))


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
        sheet.write_string(*cell, absent_label(status), _absent(book, False))
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
    for j, width in enumerate((16, 38, 21, 30)[: len(keys)]):
        sheet.set_column(j, j, width)
    sheet.set_row(0, 18)
    sheet.set_row(1, 92)
    at, band = len(keys), 0
    for theme in dict.fromkeys(column.card.theme for column in columns):
        width = sum(c.width for c in columns if c.card.theme == theme)
        look = book.look(
            bold=True, bg_color=_BANDS[band % 2], left=1, border_color=_GREY, align="left"
        )
        title = THEMES[theme][0]
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
        title = f"{column.card.libelle['fr']} ({unit}), {column.year}"
        beside = ["intervalle"] * column.intervals + ["classe"] * column.grades
        for text, width in zip((title, *beside), (15, 15, 8), strict=False):
            if text == "classe":
                width = 8
            sheet.set_column(at, at, width)
            sheet.write_string(1, at, text, head)
            at += 1


def _finish(sheet: Any, rows: int, keys: int, columns: int) -> None:
    """Freeze the headings, filter the columns, and print them on every page."""
    sheet.freeze_panes(_FIRST, keys)
    sheet.autofilter(1, 0, _FIRST + max(rows, 1) - 1, columns - 1)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.repeat_rows(0, 1)
    sheet.repeat_columns(0, keys - 1)


def _plain(book: Book, reference: bool) -> Any:
    return book.look(**({"bold": True, "bg_color": REFERENCE} if reference else {}))


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
