"""Read the sheets of workbooks and the columns of Parquet files as text."""

from __future__ import annotations

import datetime as dt
import io
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, Any

import pandas as pd
import pyarrow as pa

from barometre.base.errors import BarometreError
from barometre.sources.files.delimited import HEAD, Recogniser, as_frame, data_above, folded

_LARGEST = 4 * 2**30
_EXCEL_ERRORS = frozenset(
    {"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA"}
)
_Rows = Iterator[Sequence[Any]]


@dataclass(frozen=True)
class SheetHeader:
    """The names of a sheet and the number of its rows down to them."""

    names: tuple[str, ...]
    rows: int
    reconnu: object = None
    above: int = 0  # rows of data before it


def headers(
    nom: str, content: bytes, recogniser: Callable[[str], Recogniser]
) -> dict[str, SheetHeader]:
    """Find the header of each visible sheet, by name of sheet; a sheet without one is left out."""
    found = {}
    for sheet, rows in _book(nom, content).items():
        header = _header(islice(rows, HEAD), recogniser(sheet))
        if header:
            found[sheet] = header
    return found


def _header(rows: Iterable[Sequence[Any]], recognise: Recogniser) -> SheetHeader | None:
    heads = [SheetHeader(folded(map(as_text, row)), i) for i, row in enumerate(rows, 1)]
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


def read_columns(
    nom: str, content: bytes, sheet: str, header: SheetHeader, columns: Sequence[str]
) -> pd.DataFrame:
    """Read columns of a sheet; its empty rows are dropped. No cell of a sheet can be shifted."""
    positions = [header.names.index(column) for column in columns]
    cells: list[list[str]] = [[] for _ in columns]
    for row in islice(_book(nom, content)[sheet], header.rows, None):
        if any(as_text(cell) for cell in row):
            for column, position in zip(cells, positions, strict=True):
                column.append(as_text(row[position]) if position < len(row) else "")
    return as_frame(cells, columns)


def _book(nom: str, content: bytes) -> dict[str, _Rows]:
    """Open the visible sheets of a workbook, told by its bytes: extensions are often wrong."""
    if content.startswith(b"PK"):
        return _new_book(nom, content)
    with pd.ExcelFile(io.BytesIO(content), engine="xlrd") as book:
        visible = [name for name in book.sheet_names if not _xls_hidden(book, str(name))]
        frames = book.parse(visible, header=None, dtype=object, na_filter=False)
    return {str(name): frame.itertuples(index=False, name=None) for name, frame in frames.items()}


def _xls_hidden(book: Any, name: str) -> bool:
    return bool(book.book.sheet_by_name(name).visibility)


def _new_book(nom: str, content: bytes) -> dict[str, _Rows]:
    import openpyxl  # slow to import, and rarely needed

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(info.file_size for info in archive.infolist()) > _LARGEST:
            raise BarometreError(f"{nom} : classeur trop grand ; l'enregistrer en CSV UTF-8")
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    found: dict[str, _Rows] = {}
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()  # those written by some programs are wrong: cells are lost
            found[sheet.title] = sheet.iter_rows(values_only=True)
    return found


def as_text(value: Any) -> str:
    """Write a cell as a person would have typed it: no ``.0``, ISO dates, no Excel error."""
    if isinstance(value, str):
        text = value.strip()
        return "" if text in _EXCEL_ERRORS else text
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() else repr(float(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value.decode() if isinstance(value, bytes) else str(value)


# Parquet


def open_parquet(stream: IO[bytes]) -> Any:
    """Open a Parquet file; the module is loaded with the first one, not with the library."""
    from pyarrow.parquet import ParquetFile

    return ParquetFile(stream)


def parquet_names(stream: IO[bytes]) -> tuple[str, ...]:
    """Give the names of the columns of a Parquet file."""
    return folded(open_parquet(stream).schema_arrow.names)


def parquet_columns(
    stream: IO[bytes], positions: Sequence[int], columns: Sequence[str]
) -> pd.DataFrame:
    """Read columns of a Parquet file; rows are all kept."""
    file = open_parquet(stream)
    names = [file.schema_arrow.names[position] for position in positions]
    table = file.read(columns=names)
    return as_frame([column_texts(table.column(name)).to_pandas() for name in names], columns)


def column_texts(column: Any) -> Any:
    """Write an Arrow column as texts, each distinct value once; empty where there is none."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.cast(pa.large_string()).fill_null("")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    pieces = []
    for chunk in column.chunks:
        texts = pa.array([as_text(value.as_py()) for value in chunk.dictionary], pa.large_string())
        pieces.append(texts.take(chunk.indices).fill_null(""))
    return pa.chunked_array(pieces, pa.large_string())
