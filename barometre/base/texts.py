"""Columns of texts, by the position of each in a list: looked into, joined and written at once.

Millions of results have some hundreds of different texts. Each is handled once, and its rows by
number; written, the rows where one text is repeated hold the same memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute

from barometre.base.arrays import Booleans, Integers, distinct_numbers

Column: TypeAlias = pd.api.extensions.ExtensionArray
Numbered: TypeAlias = npt.NDArray[np.integer[Any]]

_BLOCK = 1 << 16  # rows gone through at once, a multiple of RUN
RUN = 1 << 14
"""Rows of the longest run of one text; a column has that many rows in one piece or more."""


@dataclass(frozen=True)
class Texts:
    """A column of texts.

    Attributes
    ----------
    positions : array of int
        Position of the text of each row in ``known``; -1 is none.
    known : tuple of str
        Texts, one of which may be there twice.
    """

    positions: Numbered
    known: tuple[str, ...]

    @classmethod
    def of(cls, column: pd.Series) -> Texts:
        """Number the texts of a column; a piece that comes again is looked into once."""
        known: dict[str, int] = {}
        seen: dict[tuple[int, ...], tuple[pyarrow.Array, Numbered]] = {}
        parts: list[Numbered] = []
        last: tuple[pyarrow.Array, Numbered] | None = None
        for chunk in _chunks(column):
            place = (*(buffer.address if buffer else 0 for buffer in chunk.buffers()), chunk.offset)
            found = seen.get(place)
            if found is None or len(found[1]) < len(chunk):
                same = last is not None and chunk.equals(last[0])
                found = (chunk, last[1] if last and same else _numbered(chunk, known))
                seen[place] = found
            parts.append(found[1][: len(chunk)])
            last = found
        none = np.zeros(0, dtype=np.int32)
        return cls(np.concatenate(parts) if parts else none, tuple(known))

    @classmethod
    def one(cls, text: str, where: Booleans) -> Texts:
        """Say one text of some rows, and nothing of the others."""
        return cls(np.where(where, np.int32(0), np.int32(-1)), (text,))

    @classmethod
    def none(cls, number: int) -> Texts:
        """Say nothing of some number of rows."""
        return cls(np.full(number, -1, dtype=np.int32), ())

    def take(self, rows: Numbered) -> Texts:
        """Bring on other rows; -1 is a row without text."""
        if not len(self.positions):
            return Texts.none(len(rows))
        found = self.positions[rows]
        none = rows < 0
        if none.any():
            found[none] = -1
        return Texts(found, self.known)

    def places(self, admitted: Sequence[str]) -> Integers:
        """Give the position of each text in another list; -1 is none, or not one of these."""
        where = {text: place for place, text in enumerate(admitted)}
        return self.mapped(lambda text: where.get(text, -1), -1)

    def mapped(self, number: Callable[[str], int], default: int) -> Integers:
        """Give a number for each text, asked once."""
        numbers = np.array([*(number(text) for text in self.known), default], dtype=np.int64)
        found: Integers = numbers[self.positions]
        return found

    def told(self, tell: Callable[[str], bool]) -> Booleans:
        """Tell the rows whose text has a property, asked once a text."""
        return self.among([tell(text) for text in self.known])

    def among(self, known: Sequence[bool] | Booleans) -> Booleans:
        """Tell the rows whose text is one of those told, text by text."""
        answers = np.append(np.asarray(known, dtype=bool), np.zeros(1, dtype=bool))
        found: Booleans = answers[self.positions]
        return found

    def then(self, other: Texts, before: str = "") -> Texts:
        """Append other texts to these, some words put before them."""
        rows = np.flatnonzero(other.positions >= 0)
        if not len(rows):
            return self
        added = [before + text for text in other.known]
        mine, theirs = self.positions[rows].astype(np.int64), other.positions[rows]
        present, place = distinct_numbers(
            (mine + 1) * len(added) + theirs, len(added) * (self._size + 1)
        )
        joined = []
        for first, second in (divmod(int(pair), len(added)) for pair in present):
            start = f"{self.known[first - 1]} ; " if first else ""
            joined.append(start + added[second])
        positions = self.positions.astype(np.int32)
        positions[rows] = self._size + place
        return Texts(positions, (*self.known, *joined))

    def written(self) -> Column:
        """Write the texts as a column of pandas."""
        writer = Writer()
        return writer.texts(writer.chunks(self.known, self.positions, RUN))

    @property
    def _size(self) -> int:
        return len(self.known)


def _chunks(column: pd.Series) -> list[pyarrow.Array]:
    texts = column if column.dtype == "str" else column.astype("str")
    found = pyarrow.array(texts.array, pyarrow.large_string())
    return found.chunks if isinstance(found, pyarrow.ChunkedArray) else [found]


def _numbered(chunk: pyarrow.Array, known: dict[str, int]) -> Numbered:
    """Number the texts of a piece, adding those that are new."""
    if _is_one(chunk):
        return np.full(len(chunk), known.setdefault(chunk[0].as_py(), len(known)), dtype=np.int32)
    encoded = chunk.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    numbers = np.array([*(known.setdefault(w, len(known)) for w in words), -1], dtype=np.int32)
    indices = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    positions: Numbered = numbers[indices]
    return positions


def _is_one(chunk: pyarrow.Array) -> bool:
    """Tell a run of one text by its bytes: to hash each row takes ten times longer."""
    if len(chunk) < 2 or chunk.null_count or chunk[0] != chunk[-1]:
        return False
    _, offsets, held = chunk.buffers()
    ends = np.frombuffer(offsets, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    size = int(ends[1] - ends[0])
    if not (np.diff(ends) == size).all():
        return False
    rows = np.frombuffer(held or b"", np.uint8)[ends[0] : ends[-1]].reshape(len(chunk), size)
    return bool((rows == rows[0]).all())


class Writer:
    """Writes columns of texts in pieces that hold the same memory wherever one text is repeated.

    Twenty million results have some sixty indicators and four origins: written once a row, they
    weigh more than the numbers.
    """

    def __init__(self) -> None:
        self._runs: dict[str | None, pyarrow.Array] = {}
        self._known: tuple[Sequence[str], pyarrow.Array] | None = None

    def texts(self, chunks: Iterable[pyarrow.Array]) -> Column:
        """Make a column of pieces."""
        column: Column = pd.array(
            pyarrow.chunked_array([*chunks], pyarrow.large_string()), dtype="str"
        )
        return column

    def repeated(self, text: str | None, number: int) -> list[pyarrow.Array]:
        """Write a text some number of times."""
        run = self._runs.get(text)
        if run is None or len(run) < min(number, RUN):
            run = pyarrow.repeat(pyarrow.scalar(text, pyarrow.large_string()), min(number, RUN))
            self._runs[text] = run
        whole, rest = divmod(number, RUN)
        return [run] * whole + ([run.slice(0, rest)] if rest else [])

    def chunks(self, known: Sequence[str], positions: Numbered, length: int) -> list[pyarrow.Array]:
        """Write the texts at some positions, -1 giving a missing one, in pieces of one length."""
        if self._known is None or self._known[0] is not known:
            self._known = known, pyarrow.array(known, pyarrow.large_string())
        array = self._known[1]
        if 0 < len(positions) <= length and (low := int(positions.min())) == positions.max():
            return self.repeated(known[low] if low >= 0 else None, len(positions))
        starts = np.arange(0, len(positions), length)
        lows, highs = (
            (f.reduceat(positions, starts) for f in (np.minimum, np.maximum))
            if len(starts)
            else (starts, starts)
        )
        found: list[pyarrow.Array] = []
        mixed = np.append(lows != highs, False)
        at = 0
        while at < len(starts):
            if not mixed[at]:
                place = int(lows[at])
                number = min(length, len(positions) - int(starts[at]))
                found += self.repeated(known[place] if place >= 0 else None, number)
                at += 1
                continue
            end = at + int(np.argmin(mixed[at:]))
            some = positions[at * length : end * length]
            mask = some < 0 if (lows[at:end] < 0).any() else None
            # The default memory is given back to the system at each turn, and asked for again.
            memory = pyarrow.system_memory_pool()
            places = pyarrow.array(some, mask=mask)
            found.append(pyarrow.compute.take(array, places, memory_pool=memory))
            at = end
        return found


def written_by_blocks(
    number: int, part: Callable[[slice], Mapping[str, Texts | npt.NDArray[Any]]]
) -> dict[str, Column | npt.NDArray[Any]]:
    """Make columns some rows at a time: what is worked on stays near the processor.

    Parameters
    ----------
    number : int
        Rows there are.
    part : callable
        Columns of some rows, each found from those rows only: numbers or texts.

    Returns
    -------
    dict
        The columns of all rows.
    """
    columns: dict[str, npt.NDArray[Any]] = {}
    texts: dict[str, tuple[Writer, list[pyarrow.Array]]] = {}
    order: list[str] = []
    for start in range(0, max(number, 1), _BLOCK):
        some = slice(start, min(start + _BLOCK, number))
        found = part(some)
        order = [*found]
        for name, column in found.items():
            if isinstance(column, Texts):
                writer, chunks = texts.setdefault(name, (Writer(), []))
                chunks += writer.chunks(column.known, column.positions, RUN)
            else:
                columns.setdefault(name, np.empty(number, column.dtype))[some] = column
    written = {name: writer.texts(chunks) for name, (writer, chunks) in texts.items()}
    return {name: written[name] if name in written else columns[name] for name in order}
