"""Read columns of a delimited text too large to be held whole: members of archives weigh 2 GB.

It is read three times as a stream: how it is written, which rows are kept, then their cells.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.sources.files import limits
from barometre.sources.files.delimited import (
    LARGEST,
    Header,
    as_frame,
    as_utf8,
    by_line,
    csv_options,
    kept_rows,
    refuse_shifted,
)

Opening = Callable[[], IO[bytes]]

_BLOCK = 2**22
_TEXT = 2**25  # bytes cut into cells at a time


@dataclass(frozen=True)
class _Writing:
    """How a text is written."""

    utf8: bool
    returns: bool  # lines may be ended by CR alone
    quoted: bool
    size: int


def read_columns(
    nom: str, opening: Opening, header: Header, columns: Sequence[str], most: int
) -> pd.DataFrame:
    """Read columns of a delimited text, in the memory of these columns.

    Parameters
    ----------
    nom : str
        Name of the file, for the messages.
    opening : callable
        Opens it.
    header : Header
        Where its rows begin.
    columns : sequence of str
        Names of the header.
    most : int
        Rows that it may have.

    Returns
    -------
    DataFrame
        Texts, as `delimited.read_columns` gives them.

    Raises
    ------
    FaultsError, BarometreError
        As `delimited.read_columns`; a line of more than 64 MiB, UTF-16, more rows than asked, more
        text in the columns asked than `limits` admits.
    """
    writing = _writing(nom, opening)
    kept = kept_rows(
        nom, limits.counted_rows(nom, _below(nom, opening, header, writing), most), header
    )
    options = csv_options(header, columns, quoted=writing.quoted)
    pieces, rows, weight = [], 0, 0
    if kept.any():
        stream = _below(nom, opening, header, writing)
        lot = max(1, _TEXT * len(kept) // writing.size)
        for piece in pd.read_csv(stream, nrows=len(kept), chunksize=lot, **options):
            told = piece.loc[kept[rows : rows + len(piece)]]
            rows += len(piece)
            weight += int(told.memory_usage(index=False, deep=True).sum())
            limits.refuse_heavy(nom, weight)
            pieces.append(told)
    refuse_shifted(nom, rows, len(kept))
    cells = (pd.concat([piece[place] for piece in pieces]) for place in options["usecols"])
    return as_frame(list(cells) if pieces else [[] for _ in columns], columns)


def _writing(nom: str, opening: Opening) -> _Writing:
    """Find how a text is written, in one pass."""
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    returns = quoted = False
    length, weight, before = 0, 0, b""
    with opening() as file:
        while block := file.read(_BLOCK):
            if not before and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise BarometreError(f"{nom} : trop grand en UTF-16 ; l'enregistrer en CSV UTF-8")
            if decoder and not _decodes(decoder, block):
                decoder = None
            quoted = quoted or b'"' in block
            both = before + block
            returns = returns or both[:-1].count(b"\r") > both.count(b"\r\n")
            last = max(block.rfind(b"\n"), block.rfind(b"\r"))
            length = len(block) - last - 1 if last >= 0 else length + len(block)
            if length > LARGEST:
                size = f"{LARGEST / 2**20:.0f} Mio"
                raise BarometreError(
                    f"{nom} : une ligne de plus de {size} : ce n'est pas un tableau"
                )
            before, weight = block[-1:], weight + len(block)
    utf8 = decoder is not None and _decodes(decoder, b"", final=True)
    return _Writing(utf8, returns, quoted, weight)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _below(nom: str, opening: Opening, header: Header, writing: _Writing) -> IO[bytes]:
    """Give the decoded lines under the header as a stream."""
    stream = io.BufferedReader(_Pieces(_decoded(nom, opening, writing)), _BLOCK)
    stream.read(header.offset)
    return stream


def _decoded(nom: str, opening: Opening, writing: _Writing) -> Iterator[bytes]:
    """Decode a text by pieces of whole lines, as `as_utf8` the whole."""
    rest, lines, first = b"", 0, True
    with opening() as file:
        while block := file.read(_BLOCK):
            if first:
                block, first = block.removeprefix(codecs.BOM_UTF8), False
            piece, rest = _whole_lines(rest + block, returns=writing.returns)
            yield from _utf8(nom, piece, writing, above=lines)
            lines += piece.count(b"\n")
        yield from _utf8(nom, rest, writing, above=lines)


def _whole_lines(text: bytes, *, returns: bool) -> tuple[bytes, bytes]:
    """Cut a text after its last whole line."""
    end = text.rfind(b"\n")
    if returns:
        end = max(end, text.rfind(b"\r", 0, -1))  # the last one may be that of CRLF
    return text[: end + 1], text[end + 1 :]


def _utf8(nom: str, piece: bytes, writing: _Writing, *, above: int) -> Iterator[bytes]:
    if b"\0" in piece:
        piece = as_utf8(nom, piece)  # refused in its words
    if writing.returns:
        piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not (writing.utf8 or piece.isascii()):
        piece = by_line(nom, piece, above=above)
    if piece:
        yield piece


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    # `io` calls it with a memoryview, where its stubs admit any buffer, without length or slices.
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
