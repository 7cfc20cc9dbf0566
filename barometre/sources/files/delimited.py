"""Read CSV text, whatever its encoding, separator, title lines and trailing columns."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.arrays import Booleans
from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.sources.files import limits, plain, regular

Recogniser = Callable[[Sequence[str]], object]
"""What the names of a header are recognised as; nothing (None, false) when they are not."""

HEAD = 40
"""Lines among which a header is looked for."""

_SEPARATORS = ";\t|,"  # the comma last: at equal counts it is the decimal one
_CHUNK = 2**20
_NUMBER = re.compile(r"[+-]?\d[\d\s]*(?:[.,]\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_FRENCH = re.compile(
    r"[\s\x21-\x7e\u00a0-\u017f\u0300-\u0304\u2009-\u201f\u2022\u2026\u202f\u2039\u203a\u20ac\u2122\u2212\ufeff]*"
)
"""Characters of French texts: in a file of two encodings, what tells which one a line is in."""
LARGEST = 2**26
"""Bytes of the largest text held whole; `large` reads the others."""

BEGINNING = 2**22
"""Bytes among which the header is looked for."""


@dataclass(frozen=True)
class Header:
    names: tuple[str, ...]
    separator: str
    fields: int  # unnamed columns included
    lines: int  # physical lines, the header's included
    offset: int  # bytes, likewise
    reconnu: object = None
    above: int = 0  # rows of data before it


def as_utf8(nom: str, content: bytes) -> bytes:
    """Decode whatever the encoding; UTF-8 without BOM, lines ended by LF or CRLF, no byte NUL.

    Files joined end to end may have two encodings: each line is decoded as it was written, and the
    beginning of a file as it is within the whole.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16").encode()
    elif content.startswith(codecs.BOM_UTF8):
        content = content[3:]
    if b"\0" in content:
        raise BarometreError(
            f"{nom} : ce n'est pas un fichier texte (octets nuls) ; l'enregistrer en CSV UTF-8"
        )
    if _has_lone_return(content):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content if content.isascii() or is_utf8(content) else by_line(nom, content)


def by_line(nom: str, content: bytes, *, above: int = 0) -> bytes:
    """Decode each line by itself: UTF-8 where it is, else one byte a character."""
    lines, doubtful = [], []
    for number, line in enumerate(io.BytesIO(content), above + 1):
        if line.isascii():
            lines.append(line)
            continue
        latin = _latin(line)
        lines.append(line if is_utf8(line) else latin)
        if lines[-1] is line and not _FRENCH.fullmatch(line.decode()):
            lines[-1] = latin
            if not _FRENCH.fullmatch(latin.decode()):
                doubtful.append(number)
    if doubtful:
        shown = ", ".join(map(str, doubtful[:10])) + ", ..." * (len(doubtful) > 10)
        fault = Fault(
            "encodage",
            f"deux encodages dans le fichier, indécidables pour {counted(len(doubtful), 'ligne')} :"
            f" {shown}",
            "l'enregistrer en CSV UTF-8",
        )
        raise FaultsError(f"fichier {nom} refusé", [fault])
    return b"".join(lines)


def _has_lone_return(content: bytes) -> bool:
    return b"\r" in content and content.count(b"\r") != content.count(b"\r\n")


def is_utf8(content: bytes, *, whole: bool = True) -> bool:
    """Tell whether bytes are UTF-8; a beginning may end in the middle of a character."""
    # By chunks: decoded at once, one character beyond Latin-1 doubles the memory of the file.
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _latin(content: bytes) -> bytes:
    try:
        return content.decode("cp1252").encode()
    except UnicodeDecodeError:  # five bytes have no character in CP1252
        return content.decode("latin-1").encode()


def folded(cells: Iterable[str]) -> tuple[str, ...]:
    """Fold the names of a header; drop the unnamed columns at its end."""
    names = [" ".join(cell.strip("\ufeff").split()) for cell in cells]
    return tuple(names[: max((i for i, name in enumerate(names, 1) if name), default=0)])


def find_header(content: bytes, recognise: Recogniser) -> Header | None:
    """Find the header: the first known one, else the first with two names."""
    lines = list(islice(io.BytesIO(content), 4 * HEAD))  # a quoted name may hold line breaks
    heads = {separator: list(_head(lines, separator)) for separator in _SEPARATORS}
    order = sorted(
        (header for head in heads.values() for header in head if len(header.names) > 1),
        key=lambda header: (header.lines, -len(header.names)),
    )
    known = ((header, recognise(header.names)) for header in order)  # lines of data are many
    if first := next((pair for pair in known if pair[1]), None):
        found, what = first
        before = [head.names for head in heads[found.separator] if head.lines < found.lines]
        return replace(found, reconnu=what, above=data_above(before, found.names))
    lines = lines[:HEAD]
    usual = max(_SEPARATORS, key=lambda s: sum(s.encode() in line for line in lines))
    return next((header for header in heads[usual] if sum(map(bool, header.names)) > 1), None)


def data_above(rows: Iterable[Sequence[str]], names: Sequence[str]) -> int:
    """Count the rows of data above a header: a table sorted with its header has them.

    Titles are words, or fill few of the columns; a line of years may stand above the names.
    """
    number = 0
    for row in rows:
        filled = [cell for cell in row if cell]
        numbers = [cell for cell in filled if _NUMBER.fullmatch(cell)]
        years = all(_YEAR.fullmatch(cell) for cell in numbers)
        number += not years and 2 * len(filled) > len(names) and 2 * len(numbers) >= len(filled)
    return number


def _head(lines: Sequence[bytes], separator: str) -> Iterator[Header]:
    reader = csv.reader((line.decode(errors="replace") for line in lines), delimiter=separator)
    before = 0
    with contextlib.suppress(csv.Error):  # a cell of more than 128 KiB: no header
        for cells in reader:
            offset = sum(map(len, lines[: reader.line_num]))
            yield Header(folded(cells), separator, len(cells), reader.line_num, offset)
            before = reader.line_num
            if before >= HEAD:
                return


_Row = tuple[int, int, Sequence[str] | None]
"""Number of its line, number of cells, cells; None for those of a row without surprise."""


def _rows(stream: Iterator[bytes], header: Header) -> Iterator[_Row]:
    """Count the cells of each row on its bytes; from the first difficult quote, parse them."""
    width, separator = len(header.names), header.separator.encode()
    for line, row in enumerate(stream, header.lines + 1):
        quoted = b'"' in row
        number = _count(row, separator) if quoted else row.count(separator) + 1
        if not number:
            yield from _parsed_rows(chain([row], stream), header, line - 1)
            return
        first = row[1] if row.startswith(b'"') else row[0]
        filled = 32 < first < 128 and first not in separator + b'"'
        long = number > width and row.rstrip(separator + b" \t\r\n").count(separator) >= width
        if filled and number >= width and not long:
            yield line, number, None
        elif quoted:
            yield line, number, next(csv.reader([row.decode()], delimiter=header.separator))
        else:
            yield line, number, row.decode().split(header.separator)


def _count(row: bytes, separator: bytes) -> int:
    """Count the cells of a row with quotes; 0 when they must be parsed.

    Between an even and an odd quote, a text is out of quotes: it must be separators and cells, or
    nothing (a doubled quote).
    """
    if row.count(b'"') * 64 > len(row):  # parsing is faster
        return 0
    first, *between = row.rstrip(b"\r\n").split(b'"')[::2]
    last = between.pop() if between else b""
    regular = (
        row.count(b'"') % 2 == 0
        and (not first or first.endswith(separator))
        and (not last or last.startswith(separator))
        and all(not p or (p.startswith(separator) and p.endswith(separator)) for p in between)
    )
    return (b"".join((first, *between, last)).count(separator) + 1) if regular else 0


def _parsed_rows(lines: Iterable[bytes], header: Header, line: int) -> Iterator[_Row]:
    """Parse the rows that follow some number of lines: the slow and sure way."""
    width, before = len(header.names), line
    texts = (text.decode() for text in lines)
    reader = csv.reader(texts, delimiter=header.separator, strict=True)
    for cells in reader:
        plain = len(cells) == width and cells[0].strip()
        yield line + 1, len(cells), None if plain else cells
        line = before + reader.line_num


@dataclass(frozen=True)
class _Shape:
    rows: int
    dropped: Sequence[int]
    odd: list[int]  # numbers of the lines whose cells may be shifted


def _shape(rows: Iterable[_Row], header: Header) -> _Shape:
    """Find the rows to drop and those whose cells may be shifted.

    A row must have as many cells as the header, empty ones included: in ``01001;;5;`` cut from a
    file with trailing empty columns, only their number tells that a separator is missing. It may
    have another number when most rows have it (rows, not the header, ended by a separator). A note
    under the table is told from a truncated row by its not looking like a code.
    """
    width, total = len(header.names), 0
    dropped, odd = array("q"), array("q")  # an eighth of the memory of lists, for millions
    notes: list[tuple[int, int]] = []
    unusual: dict[int, array[int]] = {}
    for index, (line, count, cells) in enumerate(rows):
        total = index + 1
        filled = [0] if cells is None else [i for i, cell in enumerate(cells) if cell.strip()]
        if not filled:
            dropped.append(index)
            continue
        if cells is not None and count < width and filled == [0] and _is_note(cells[0]):
            notes.append((index, line))
            continue
        if count < width or filled[-1] >= width:
            odd.append(line)
        elif count != header.fields:
            unusual.setdefault(count, array("q")).append(line)
        odd.extend(noted for _, noted in notes)  # not under the table, but in it
        notes = []
    told = total - len(dropped) - len(notes)
    for lines in unusual.values():
        if len(lines) < 2 or 2 * len(lines) <= told:
            odd.extend(lines)
    dropped.extend(index for index, _ in notes)
    return _Shape(total, dropped, sorted(odd))


def _is_note(cell: str) -> bool:
    """Tell a sentence from a truncated row, which begins with a code: ``59172``, ``2A004``."""
    return bool(re.search(r"[\s:]", cell.strip())) and not re.match(r"\s*[A-Z]{0,2}\d", cell)


def read_columns(
    nom: str, content: bytes, header: Header, columns: Sequence[str], most: int
) -> pd.DataFrame:
    """Read columns of a text decoded by `as_utf8`, of so many rows at most."""
    if cells := _regular(nom, content, header, columns, most):
        return as_frame(cells, columns)
    quoted = content.find(b'"', header.offset) >= 0
    stream = io.BytesIO(content)
    stream.seek(header.offset)
    kept = kept_rows(nom, stream, header)
    limits.refuse_rows(nom, len(kept), most)
    if not kept.any():
        return as_frame([[] for _ in columns], columns)
    stream.seek(header.offset)
    options = csv_options(header, columns, quoted=quoted)
    frame = pd.read_csv(stream, nrows=len(kept), **options)
    refuse_shifted(nom, len(frame), len(kept))
    if not kept.all():
        frame = frame[kept]
    return as_frame([frame[position] for position in options["usecols"]], columns)


def _regular(
    nom: str, content: bytes, header: Header, columns: Sequence[str], most: int
) -> list[Any]:
    """Give the columns of a text whose every row has the cells of its header, else nothing."""
    if len(header.names) != header.fields or len(content) - header.offset >= LARGEST:
        return []
    rows = regular.regular_rows(content, header.offset, header.separator)
    if not rows:
        return []
    limits.refuse_rows(nom, rows, most)
    places = [header.names.index(name) for name in columns]
    return regular.columns_at(content, header.offset, header.separator, header.fields, places, rows)


def kept_rows(nom: str, stream: Iterator[bytes], header: Header) -> Booleans:
    """Tell the rows of the lines under a header that are kept, down to the last one.

    Raises
    ------
    FaultsError
        Rows whose cells may be shifted, or quotes that are not closed.
    """
    try:
        shape = _shape(_rows(stream, header), header)
    except csv.Error as error:
        fault = Fault("guillemets", f"mal fermés ({error})", "les doubler ou les ôter")
        raise FaultsError(f"fichier {nom} refusé", [fault]) from error
    if shape.odd:
        lines = ", ".join(map(str, shape.odd[:10])) + ", ..." * (len(shape.odd) > 10)
        number = counted(len(shape.odd), "ligne")
        problem = f"{number} sans le nombre de colonnes de l'en-tête ({header.fields}) : {lines}"
        fault = Fault("lignes", problem, "vérifier le séparateur et les guillemets")
        raise FaultsError(f"fichier {nom} refusé", [fault])
    kept = np.ones(shape.rows, bool)
    kept[shape.dropped] = False
    # pandas refuses a last chunk of notes only
    return kept[: np.flatnonzero(kept)[-1] + 1] if kept.any() else kept[:0]


def csv_options(header: Header, columns: Sequence[str], *, quoted: bool) -> dict[str, Any]:
    """Say how pandas reads the rows under a header, as they are and by position."""
    return {
        "sep": header.separator,
        "header": None,
        "names": range(len(header.names)),
        "index_col": False,
        "usecols": [header.names.index(name) for name in columns],
        "dtype": str,
        "na_filter": False,
        "keep_default_na": False,
        "quoting": csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        "skip_blank_lines": False,
        "engine": "c",
        "encoding": "utf-8",
    }


def refuse_shifted(nom: str, rows: int, expected: int) -> None:
    """Refuse a text that two readers cut otherwise: better nothing than shifted rows."""
    if rows != expected:
        raise BarometreError(f"{nom} : lignes mal délimitées ; l'enregistrer en CSV UTF-8")


def as_frame(cells: Sequence[Any], columns: Sequence[str]) -> pd.DataFrame:
    """Build the frame of texts that every reader returns."""
    texts = {name: _stripped(one) for name, one in zip(columns, cells, strict=True)}
    return pd.DataFrame(texts, copy=False)


def _stripped(cells: Any) -> Any:
    if not isinstance(cells, pa.ChunkedArray):
        series = pd.Series(list(cells) if isinstance(cells, list) else cells, dtype="str")
        return series.str.strip().array
    whole = cells.combine_chunks()
    blank = plain.has_blanks(whole)
    return pd.array(pc.utf8_trim_whitespace(whole) if blank else whole, dtype="str")
