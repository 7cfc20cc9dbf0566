"""The keys of tables (``code``, ``annee``) by the number of each code and of each year.

Text is looked at once: to hash each key takes ten times longer than to number codes and years.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.arrays import Integers, RowNumbers
from barometre.cards.columns import KEY

_SPARSE = 10_000
"""Keys that there may be, beyond four times those there are, to be counted and not sorted."""


def numbered(texts: pd.Series[str]) -> tuple[pd.Index, RowNumbers]:
    """Number texts in their order.

    Parameters
    ----------
    texts : Series of str
        Texts, none missing.

    Returns
    -------
    tuple of Index and array of int
        The distinct texts, sorted; the position of that of each row.
    """
    cells = _whole(pa.array(texts, type=pa.large_string()))
    if len(cells) and _in_order(cells):
        return pd.Index(texts.array, name=texts.name), np.arange(len(cells))
    encoded = cells.dictionary_encode()
    words, rows = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
    order = pc.array_sort_indices(words)
    rank = np.empty(len(words), np.intp)
    rank[order.to_numpy()] = np.arange(len(words))
    return pd.Index(pd.array(words.take(order), dtype="str"), name=texts.name), rank[rows]


def _whole(cells: Any) -> Any:
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells


def _in_order(cells: Any) -> bool:
    """Tell whether each text comes after the one before, as in most files."""
    return bool(pc.all(pc.less(cells[:-1], cells[1:]), skip_nulls=False).as_py())


def key_index(codes: pd.Series[str], years: pd.Series[int]) -> pd.MultiIndex:
    """Make the index of a table, as `pandas.MultiIndex.from_arrays` does.

    Parameters
    ----------
    codes, years : Series
        Of each row.

    Returns
    -------
    MultiIndex
        ``code`` and ``annee``.
    """
    if codes.dtype != "str" or years.dtype != np.int64 or codes.hasnans:
        return pd.MultiIndex.from_arrays([codes, years], names=list(KEY))
    words, row = numbered(codes)
    year, dates = pd.factorize(years.to_numpy(), sort=True)
    levels: Any = [words, pd.Index(dates)]
    rows: Any = [row, year]  # pandas takes arrays, where its stubs admit sequences
    return pd.MultiIndex(levels, rows, names=list(KEY), verify_integrity=False)


def appended(parts: Sequence[pd.MultiIndex]) -> pd.MultiIndex:
    """Put the keys of tables one after another, in time proportional to their number.

    Parameters
    ----------
    parts : sequence of MultiIndex
        ``code`` and ``annee``, none missing; `MultiIndex.append` goes through what it has gathered
        at each part.

    Returns
    -------
    MultiIndex
    """
    # A level keeps what a filter took out of the rows, a missing code for one.
    parts = [one.remove_unused_levels() if one.levels[0].hasnans else one for one in parts]
    words = pd.concat([part.levels[0].to_series() for part in parts])
    codes, rank = numbered(words)
    years, when = np.unique(np.concatenate([part.levels[1] for part in parts]), return_inverse=True)
    levels: Any = [codes, pd.Index(years)]
    rows: Any = [_moved(parts, 0, rank), _moved(parts, 1, when)]
    return pd.MultiIndex(levels, rows, names=list(KEY), verify_integrity=False)


def _moved(parts: Sequence[pd.MultiIndex], place: int, rank: RowNumbers) -> RowNumbers:
    """Give the rows of each part the number that their code, or year, has among all."""
    ends = np.cumsum([len(part.levels[place]) for part in parts])
    ranks = np.split(rank, ends[:-1])
    return np.concatenate([r[part.codes[place]] for r, part in zip(ranks, parts, strict=True)])


def key_numbers(index: pd.MultiIndex) -> Integers:
    """Give each key a number, the same for two rows of the same key."""
    code, year = (np.asarray(part, dtype=np.int64) for part in index.codes)
    numbers: Integers = (code + 1) * (len(index.levels[1]) + 1) + year + 1  # -1: a missing one
    return numbers


def is_unique(index: pd.Index) -> bool:
    """Tell whether no two rows have one key."""
    if index.dtype == "str":
        cells = _whole(pa.array(index.array, type=pa.large_string()))
        return _in_order(cells) or len(pc.unique(cells)) == len(cells)
    if not isinstance(index, pd.MultiIndex) or index.nlevels != len(KEY):
        return bool(index.is_unique)
    if len(index) < 2:
        return True
    numbers = key_numbers(index)
    if (numbers[1:] > numbers[:-1]).all():
        return True
    if numbers.max() > 4 * len(numbers) + _SPARSE:
        numbers = np.sort(numbers)
        return bool((numbers[1:] != numbers[:-1]).all())
    return bool(np.bincount(numbers).max() < 2)


def used(index: pd.MultiIndex, name: str) -> pd.Index:
    """List the codes, or the years, that a table has: in their order, not in that of its rows."""
    place = index.names.index(name)
    there = np.zeros(len(index.levels[place]), dtype=bool)
    rows = np.asarray(index.codes[place])
    there[rows[rows >= 0]] = True
    return index.levels[place] if there.all() else index.levels[place][there]


def has_missing(index: pd.MultiIndex, name: str) -> bool:
    """Tell whether the code, or the year, of some row is missing."""
    return bool((np.asarray(index.codes[index.names.index(name)]) < 0).any())
