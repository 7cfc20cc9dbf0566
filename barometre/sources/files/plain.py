"""Columns of texts looked at as bytes: which cells are plain numbers, and what these are.

Most cells of a producer are ``1234`` or ``12,5``: a regular expression takes three times longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.arrays import Booleans, Floats, RowNumbers

_DIGIT, _MARK, _MINUS, _OTHER = range(4)
_KINDS = np.full(256, _OTHER, np.uint8)
_KINDS[ord("0") : ord("9") + 1] = _DIGIT
_KINDS[[ord(","), ord(".")]] = _MARK
_KINDS[ord("-")] = _MINUS

_BLANKS = np.ones(256, np.bool_)
_BLANKS[33:127] = False  # what is not of ASCII may be a space

_FEW = 2**8  # cells that are sooner read than compared
_SAMPLE = 2**12  # cells that tell whether texts are repeated


def plain_numbers(cells: Any) -> tuple[Booleans, Floats]:
    """Tell the cells that are digits, one decimal mark among them or none, and a minus before.

    Parameters
    ----------
    cells : pyarrow.LargeStringArray
        Texts, none missing.

    Returns
    -------
    tuple of arrays of bool and float
        The cells that are such numbers, and these; NaN for the others.
    """
    starts, data = bytes_of(cells)
    plain = _plain(starts, data)
    if not plain.any():
        return plain, np.full(len(plain), np.nan)
    if (data == ord(",")).any():
        cells = _written(starts, np.where(data == ord(","), np.uint8(ord(".")), data))
    kept = cells if plain.all() else pc.if_else(pa.array(plain), cells, None)
    numbers = kept.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return plain, np.array(numbers, dtype=np.float64)


def bytes_of(cells: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Give the bytes of texts end to end, and where each begins; the last one is where all end."""
    if not len(cells):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    _, offsets, held = cells.buffers()
    starts = np.frombuffer(offsets, np.int64)[cells.offset : cells.offset + len(cells) + 1]
    data = np.frombuffer(held, np.uint8) if held else np.zeros(0, np.uint8)
    return starts - starts[0], data[starts[0] : starts[-1]]


def _written(starts: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> Any:
    buffers = [None, pa.py_buffer(starts), pa.py_buffer(data)]
    return pa.LargeStringArray.from_buffers(len(starts) - 1, *buffers[1:])


def _plain(starts: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> Booleans:
    """Tell the cells whose bytes are digits, and what else is where a number may have it."""
    first, end = starts[:-1], starts[1:]
    plain = end > first
    kinds = _KINDS[data]
    at = np.flatnonzero(kinds)
    if not len(at):
        return plain
    cell = np.repeat(np.arange(len(first)), end - first)[at]
    kind = kinds[at]
    first, end = first[cell], end[cell]
    digit = np.append(kinds, _OTHER) == _DIGIT
    well = (at + 1 < end) & digit[at + 1]  # a digit follows
    mark = kind == _MARK
    well &= np.where(mark, (at > first) & digit[at - 1], (kind == _MINUS) & (at == first))
    plain[cell[~well]] = False
    plain[np.bincount(cell[mark], minlength=len(plain)) > 1] = False
    return plain


def has_blanks(cells: Any) -> bool:
    """Tell whether some text may begin or end with a space: most columns have none anywhere."""
    _, data = bytes_of(cells)
    return bool(_BLANKS[data].any())


def distinct(cells: Any) -> tuple[Any, RowNumbers | None]:
    """Give the texts to look at in place of some cells.

    Parameters
    ----------
    cells : pyarrow.Array
        Texts, none missing.

    Returns
    -------
    tuple
        The distinct texts, and the position of that of each cell in them; or the cells themselves
        and None, where they are few, or most of the first ones are different.
    """
    if len(cells) < _FEW:
        return cells, None
    head = cells.slice(0, _SAMPLE)
    if 2 * len(pc.unique(head)) > len(head):
        return cells, None
    encoded = cells.dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy().astype(np.intp)
