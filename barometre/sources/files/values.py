"""Turn the texts of a producer's column into numbers, or into the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.arrays import Booleans, Floats
from barometre.sources.files.plain import bytes_of, distinct, plain_numbers
from barometre.tables.table_set import STATUSES

SECRET_TOKENS = frozenset(
    {"nd", "n.d.", "n.d", "ns", "n.s.", "n.s", "s", "c", "secret", "secret statistique"}
)
NOT_APPLICABLE_TOKENS = frozenset({"-", "so", "s.o.", "s.o", "sans objet", "//", "///"})
UNAVAILABLE_TOKENS = frozenset(
    {"n.c.", "n.c", "nc", "n/a", "na", "nan", "null", "vm", "...", "…", "#n/a", "#div/0!"}
)

_TOKENS = (
    (SECRET_TOKENS, STATUSES.index("secret")),
    (NOT_APPLICABLE_TOKENS, STATUSES.index("sans_objet")),
    (UNAVAILABLE_TOKENS, STATUSES.index("non_disponible")),
)
_THOUSANDS = "\u00a0\u202f\u2009'\u2019"
# Exclusive by construction: each shape says alone which separator is the decimal one.
_DECIMAL = r"^[+-]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,4})?$"
_GROUPED_BY_SPACES = r"^[+-]?[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?$"
_GROUPED_BY_COMMAS = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+$"
_GROUPED_BY_POINTS = r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+$"
_SINGLE = {mark: rf"^[+-]?[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}$" for mark in ",."}
_GROUPED = {",": _GROUPED_BY_COMMAS, ".": _GROUPED_BY_POINTS}
_HEAD = 256  # cells that mostly tell what the mark of a column is
_MARKED_NUMBER = r"^[+\x{2212}-]?[0-9\s\x{00A0}\x{202F}]*[.,][0-9]+$"


@dataclass(frozen=True)
class Parsed:
    """The numbers of a column of texts.

    Attributes
    ----------
    valeur : array of float64
        The numbers; NaN where there is none.
    statut : array of int8
        Position in `tables.table_set.STATUSES` of what a token says (``nd``, ``-``, ``nc``); 0
        for a number, an empty cell or an unreadable one.
    illisible : array of bool
        The cell is neither a number, nor a token, nor empty, or contradicts its column.
    equivoque : array of bool
        ``11,223`` or ``11.223`` where nothing in the column says that the mark is that of
        decimals: read so, it may be that of thousands.
    """

    valeur: Floats
    statut: npt.NDArray[np.int8]
    illisible: Booleans
    equivoque: Booleans


def parse_numbers(texts: pd.Series[str]) -> Parsed:
    """Read numbers as French and English producers write them.

    Parameters
    ----------
    texts : Series of str
        Cells, as text; spaces around them do not count, missing ones are empty.

    Returns
    -------
    Parsed
        Thousands by spaces (also no-break, narrow, thin) or apostrophes, in groups of three;
        decimal comma or point (``1,234`` is 1.234); ``1,234.5`` and ``1.234,5``; a sign, an
        exponent. Percents, parentheses, infinities and any other writing are unreadable: a guess
        would be a silent wrong number. One convention holds in a column: ``1,234`` is 1234 where
        ``1,234.5`` stands beside it, and unreadable beside ``12.5`` or ``1.234``. Same length as
        ``texts``, zero included.
    """
    cells = pa.array(texts, type=pa.large_string(), from_pandas=True)
    words, positions = distinct(pc.fill_null(_whole(cells), ""))
    parsed = _parsed(pc.utf8_trim_whitespace(words))
    if positions is None:
        return parsed
    return Parsed(
        parsed.valeur[positions],
        parsed.statut[positions],
        parsed.illisible[positions],
        parsed.equivoque[positions],
    )


def _whole(cells: Any) -> Any:
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells


def _parsed(cells: Any) -> Parsed:
    """Read cells without spaces around them."""
    plain, valeur = plain_numbers(cells)
    statut = np.zeros(len(cells), np.int8)
    illisible = np.zeros(len(cells), np.bool_)
    others = np.flatnonzero(~plain & _flags(pc.not_equal(cells, "")))
    if len(others):
        rest = cells.take(pa.array(others))
        valeur[others] = _numbers(_canonical(rest))
        worded = np.isnan(valeur[others])
        words = others[worded]
        statut[words] = _statuses(rest.filter(pa.array(worded)))
        illisible[words] = statut[words] == 0
    beyond = np.isinf(valeur)  # too large for a float: no number either
    illisible |= beyond
    thousands, doubtful, equivocal = _conventions(cells)
    valeur[thousands] *= 1000
    illisible |= doubtful
    valeur[beyond | illisible] = np.nan
    return Parsed(valeur, statut, illisible, equivocal)


def begins(texts: pd.Series[str], mark: str) -> Booleans:
    """Tell the cells that begin with a mark; every cell begins with an empty one."""
    cells = pa.array(texts, type=pa.large_string(), from_pandas=True)
    return _flags(pc.fill_null(pc.starts_with(cells, mark), False))


def filled(texts: pd.Series[str]) -> Booleans:
    """Tell the cells where something is written."""
    cells = pa.array(texts, type=pa.large_string(), from_pandas=True)
    return _flags(pc.fill_null(pc.not_equal(cells, ""), False))


def _conventions(
    cells: Any,
) -> tuple[Booleans, Booleans, Booleans]:
    """Tell the cells whose only mark is that of thousands, may be either, may be of thousands.

    The first are those that another cell of the column settles, the second those that another one
    contradicts, the third those of which the column says nothing.
    """
    thousands, doubtful, equivocal = (np.zeros(len(cells), np.bool_) for _ in range(3))
    _, data = bytes_of(cells)
    present = [mark for mark in ",." if (data == ord(mark)).any()]
    if not present:
        return thousands, doubtful, equivocal
    marked = {mark: np.zeros(len(cells), np.bool_) for mark in ",."}
    marked |= {mark: _flags(pc.match_substring(cells, mark)) for mark in present}
    if len(present) == 1 and _decimals(cells, marked[present[0]], present[0]):
        return thousands, doubtful, equivocal  # a single mark, that of decimals
    single = {m: _flags(pc.match_substring_regex(cells, shape)) for m, shape in _SINGLE.items()}
    grouped = {m: _flags(pc.match_substring_regex(cells, shape)) for m, shape in _GROUPED.items()}
    number = _flags(pc.match_substring_regex(cells, _MARKED_NUMBER))
    for mark, other in ((",", "."), (".", ",")):
        groups = grouped[mark].any()
        decimals = marked[mark] & ~marked[other] & ~single[mark] & number
        others = (marked[other] & ~marked[mark] & ~single[other] & number).any()
        if groups:
            doubtful |= decimals
            thousands |= single[mark] & ~decimals.any()
            doubtful |= single[mark] & decimals.any()
        elif not decimals.any():
            if others or single[other].any() or grouped[other].any():
                doubtful |= single[mark] & ~grouped[other].any()
            else:
                equivocal |= single[mark]
    return thousands, doubtful, equivocal


def _decimals(cells: Any, marked: Booleans, mark: str) -> bool:
    """Tell whether one of the first marked cells shows that the only mark is that of decimals."""
    head = cells.take(pa.array(np.flatnonzero(marked)[:_HEAD]))
    number = _flags(pc.match_substring_regex(head, _MARKED_NUMBER))
    single = _flags(pc.match_substring_regex(head, _SINGLE[mark]))
    return bool((number & ~single).any())


def _numbers(texts: Any) -> Floats:
    """Convert texts whose only possible separator is the decimal one; null is NaN."""
    decimal = pc.replace_substring(texts, ",", ".")
    values = decimal.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.array(values, dtype=np.float64)


def _canonical(texts: Any) -> Any:
    """Rewrite each text as a plain number; null when it is not one."""
    signed = pc.replace_substring(texts, "\u2212", "-")
    for space in _THOUSANDS:  # five literal passes: a regular expression takes ten times longer
        signed = pc.replace_substring(signed, space, " ")
    shapes = (
        (_GROUPED_BY_SPACES, " "),
        (_DECIMAL, ""),
        (_GROUPED_BY_COMMAS, ","),
        (_GROUPED_BY_POINTS, "."),
    )
    number = pa.nulls(len(texts), pa.large_string())
    for shape, thousands in shapes:
        fits = pc.match_substring_regex(signed, shape)
        if pc.any(fits).as_py():
            kept = pc.replace_substring(signed, thousands, "") if thousands else signed
            number = pc.if_else(fits, kept, number)
        if not number.null_count:
            break
    # Arrow reads neither a leading "+" nor a number without its first zero.
    number = pc.replace_substring(number, "+", "", max_replacements=1)
    return pc.replace_substring_regex(number, r"^(-?)([.,])", r"\10\2")


def _statuses(texts: Any) -> npt.NDArray[np.int8]:
    """Give the status that each token stands for, 0 for what is no token."""
    words = pc.utf8_lower(pc.replace_substring_regex(texts, r"[\x{00A0}\x{202F}]", " "))
    statuses = np.zeros(len(words), np.int8)
    for tokens, status in _TOKENS:
        known = pa.array(sorted(tokens), pa.large_string())
        statuses[_flags(pc.is_in(words, value_set=known))] = status
    return statuses


def _flags(values: Any) -> Booleans:
    return np.array(values.to_numpy(zero_copy_only=False), dtype=np.bool_)
