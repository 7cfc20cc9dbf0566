"""Read the sheets of workbooks and the columns of Parquet files as text."""

from __future__ import annotations

import contextlib
import io
import math
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

import pandas as pd

from barometre.sources.files import limits
from barometre.sources.files.delimited import HEAD, Recogniser, as_frame, data_above, folded
from barometre.sources.files.parquet import as_text

_WIDEST = 2**14  # columns of a sheet
_PIECE = 2**22
_FORMULA = 2**16  # bytes of the longest cell: a formula has 8 192 characters
_QUOTED = re.compile(r'"[^"]*"|\\.')  # texts in a format of cells
_MERGER = re.compile(rb'<mergeCell ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_UNSAVED = re.compile(
    rb'<c r="([A-Z]+)(\d+)"[^>]*>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
UNSAVED = "formule non calculée"
"""Text of a cell whose formula was written by a program that did not compute it."""
MERGED = "cellule fusionnée avec un nombre"
"""Text of a cell merged with that of a number, which would count twice."""


@dataclass(frozen=True)
class SheetHeader:
    """The names of a sheet and the number of its rows down to them."""

    names: tuple[str, ...]
    rows: int
    reconnu: object = None
    above: int = 0  # rows of data before it


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what openpyxl says of styles, validations and dates it does not keep."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the styles alone: what we say is raised, or in reports
        yield


@_quiet()
def headers(
    nom: str, content: bytes, recogniser: Callable[[str], Recogniser]
) -> dict[str, SheetHeader]:
    """Find the header of each visible sheet, by name of sheet; a sheet without one is left out."""
    found = {}
    for name, sheet in _book(nom, content).items():
        texts = ([sheet.text(cell) for cell in row] for row in islice(sheet.rows, HEAD))
        header = _header(texts, recogniser(name))
        if header:
            found[name] = header
    return found


def _header(rows: Iterable[Sequence[str]], recognise: Recogniser) -> SheetHeader | None:
    heads = [SheetHeader(folded(row), i) for i, row in enumerate(rows, 1)]
    known = (
        replace(
            head,
            reconnu=found,
            above=data_above((above.names for above in heads[: head.rows - 1]), head.names),
        )
        for head in heads
        if head.names and (found := recognise(head.names))
    )
    likely = (head for head in heads if sum(map(bool, head.names)) > 1)
    return next(known, None) or next(likely, None)


@_quiet()
def read_columns(
    nom: str,
    content: bytes,
    sheet: str,
    header: SheetHeader,
    columns: Sequence[str],
    most: int,
) -> pd.DataFrame:
    """Read columns of a sheet, of so many rows at most; its empty rows are dropped.

    No cell of a sheet can be shifted. A text in cells merged downwards (the code of several rows)
    is that of each; a cell merged with a number, or a formula whose result was never saved, is
    written so, and no number.
    """
    positions = [header.names.index(column) for column in columns]
    cells: list[list[str]] = [[] for _ in columns]
    book = _book(nom, content)[sheet]
    marks = book.marks()
    mergers = _Mergers(nom, book, marks.mergers)
    width = kept = 0
    for number, row in enumerate(islice(book.rows, header.rows, None), header.rows + 1):
        width += len(row)
        limits.refuse_cells(nom, width, kept * len(columns))
        merged = mergers.texts(number, row)
        if all(map(book.is_empty, row)) and number not in marks.rows:
            continue
        kept += 1
        limits.refuse_rows(nom, kept, most)
        for column, position in zip(cells, positions, strict=True):
            text = book.text(row[position]) if position < len(row) else ""
            if (number, position) in marks.unsaved:
                text = UNSAVED
            column.append(text or merged.get(position, ""))
    return as_frame(cells, columns)


@dataclass(frozen=True, order=True)
class _Merger:
    """Merged cells: rows from 1, columns from 0, both included."""

    first: int
    last: int
    column: int
    last_column: int


class _Mergers:
    """What the mergers of a sheet say of the cells of each row, taken in order."""

    def __init__(self, nom: str, book: _Sheet, mergers: Iterable[_Merger]) -> None:
        self._nom, self._book = nom, book
        self._coming = sorted(mergers, reverse=True)
        self._open: dict[_Merger, str | None] = {}  # the text of the first cell, None for a number

    def texts(self, number: int, row: Sequence[Any]) -> dict[int, str]:
        """Give the texts of the merged cells of a row, but for the first of each merger."""
        while self._coming and self._coming[-1].first <= number:
            merger = self._coming.pop()
            if merger.last < number:
                continue
            first = row[merger.column] if merger.column < len(row) else None
            empty = first is None or merger.first < number or self._book.is_empty(first)
            self._open[merger] = (
                "" if empty else self._book.text(first) if self._book.is_text(first) else None
            )
        if not self._open:
            return {}
        self._open = {m: text for m, text in self._open.items() if m.last >= number}
        limits.refuse_cells(self._nom, 0, 0, mergers=len(self._open))
        texts: dict[int, str] = {}
        for merger, text in self._open.items():
            if text is None:
                last = min(merger.last_column, _WIDEST)
                texts |= dict.fromkeys(range(merger.column, last + 1), MERGED)
            elif text:
                texts[merger.column] = text
        return texts


@dataclass(frozen=True)
class _Marks:
    """What the file says of cells beside their values; places are (row from 1, column from 0)."""

    mergers: tuple[_Merger, ...] = ()
    unsaved: frozenset[tuple[int, int]] = frozenset()  # formulas without result

    @property
    def rows(self) -> frozenset[int]:
        return frozenset(row for row, _ in self.unsaved)


@dataclass(frozen=True)
class _Sheet:
    rows: Iterator[Sequence[Any]]
    text: Callable[[Any], str]
    is_empty: Callable[[Any], bool]
    is_text: Callable[[Any], bool]
    marks: Callable[[], _Marks] = _Marks


def _book(nom: str, content: bytes) -> dict[str, _Sheet]:
    """Open the visible sheets of a workbook, told by its bytes: extensions are often wrong."""
    return _new_book(nom, content) if content.startswith(b"PK") else _old_book(content)


def _new_book(nom: str, content: bytes) -> dict[str, _Sheet]:
    import openpyxl  # slow to import, and rarely needed

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    found = {}
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()  # those written by some programs are wrong: cells are lost
            marks = partial(_marks, content, sheet._worksheet_path)
            found[sheet.title] = _Sheet(
                sheet.iter_rows(), _new_text, _new_is_empty, _new_is_text, marks
            )
    return found


_ESCAPED = re.compile("_x(0009|000[AaDd]|005[Ff])_")


def unescaped(text: str) -> str:
    r"""Give back the characters that workbooks write by their number (ECMA-376, ST_Xstring).

    Examples
    --------
    >>> unescaped("Population_x000D_\nlégale")
    'Population\r\nlégale'
    """
    if "_x00" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _new_text(cell: Any) -> str:
    value = cell.value
    if isinstance(value, str):
        return as_text(unescaped(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _shown(value, cell.number_format)
    return as_text(value)


def _new_is_empty(cell: Any) -> bool:
    return cell.value is None


def _new_is_text(cell: Any) -> bool:
    return isinstance(cell.value, str)


def _marks(content: bytes, path: str) -> _Marks:
    """Find the merged cells and the formulas without result of a sheet in its XML."""
    mergers: set[_Merger] = set()
    unsaved: set[tuple[int, int]] = set()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(path) as sheet:
        tail = b""
        while piece := sheet.read(_PIECE):
            xml = tail + piece
            mergers |= {
                _Merger(int(first), int(last), _position(column), _position(last_column))
                for column, first, last_column, last in _MERGER.findall(xml)
            }
            unsaved |= {(int(row), _position(column)) for column, row in _UNSAVED.findall(xml)}
            tail = xml[-_FORMULA:]
    return _Marks(tuple(mergers), frozenset(unsaved))


def _position(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number - 1


def _old_book(content: bytes) -> dict[str, _Sheet]:
    import xlrd

    book = xlrd.open_workbook(file_contents=content, formatting_info=True, logfile=io.StringIO())

    def text(cell: Any) -> str:
        if cell.ctype == xlrd.XL_CELL_NUMBER:
            style = book.format_map.get(book.xf_list[cell.xf_index].format_key)
            return _shown(cell.value, style.format_str if style else "")
        if cell.ctype == xlrd.XL_CELL_DATE:
            return as_text(xlrd.xldate_as_datetime(cell.value, book.datemode))
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return str(xlrd.error_text_from_code.get(cell.value, "#REF!"))
        return as_text(bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value)

    def is_empty(cell: Any) -> bool:
        return cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK)

    def is_text(cell: Any) -> bool:
        return bool(cell.ctype == xlrd.XL_CELL_TEXT)

    found = {}
    for sheet in book.sheets():
        if not sheet.visibility:
            mergers = tuple(
                _Merger(first + 1, end, column, last - 1)
                for first, end, column, last in sheet.merged_cells
            )
            marks = partial(_Marks, mergers)
            found[str(sheet.name)] = _Sheet(sheet.get_rows(), text, is_empty, is_text, marks)
    return found


def _shown(value: float, number_format: str) -> str:
    """Write a number as its cell shows it: 0.25 under the format ``0 %`` is 25."""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    if "%" in _QUOTED.sub("", number_format or ""):
        return f"{100 * Decimal(repr(value)):f}"
    return as_text(value)
