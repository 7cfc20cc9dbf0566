"""Rows of a file that are added up by territory and year: grouped once, then summed by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers, RowNumbers
from barometre.base.texts import Texts
from barometre.tables.keys import is_unique
from barometre.tables.table_set import STATUSES

_EXACT = 2.0**53  # whole numbers up to it are added without rounding, in any order


@dataclass(frozen=True)
class Groups:
    """The rows of each territory and year.

    Attributes
    ----------
    row : array of int
        Group of each row, numbered as met.
    first : array of int
        First row of each group.
    """

    row: RowNumbers
    first: RowNumbers


def grouped(codes: pd.Series[str], years: Integers | None) -> Groups:
    """Group rows by code, and by year where the rows have one."""
    if is_unique(pd.Index(codes.array)):
        return Groups(np.arange(len(codes)), np.arange(len(codes)))
    row = pd.factorize(codes)[0]
    if years is not None:
        year, dates = pd.factorize(years)
        row = pd.factorize(row * max(len(dates), 1) + year)[0]
    return Groups(row, _first(row, int(row.max(initial=-1)) + 1))


def _first(groups: RowNumbers, number: int) -> RowNumbers:
    """Give the place of the first row of each group, -1 where it has none."""
    found = np.full(number, -1, np.intp)
    found[groups[::-1]] = np.arange(len(groups))[::-1]
    return found


@dataclass(frozen=True)
class Sums:
    """What rows add up to.

    Attributes
    ----------
    rows : array of int
        First row of each territory and year, as met.
    valeur, statut, motif : arrays, Texts
        Their sums, and why there is none.
    """

    rows: RowNumbers
    valeur: Floats
    statut: npt.NDArray[np.int8]
    motif: Texts


def added_up(
    groups: Groups,
    kept: RowNumbers,
    value: Floats,
    status: npt.NDArray[np.int8],
    motif: Texts,
    *,
    none_is_zero: bool,
) -> Sums:
    """Add up the rows that a filter keeps; an unknown row makes the sum unknown.

    Parameters
    ----------
    groups : Groups
        Territory and year of each row.
    kept : array of int
        The rows to add up.
    value, status, motif : arrays, Texts
        Of every row.
    none_is_zero : bool
        What it means for a territory to have no row kept: zero, or nothing.

    Returns
    -------
    Sums
    """
    row, number = groups.row[kept], len(groups.first)
    values = value[kept]
    unknown = np.isnan(values)
    total = _summed(values[~unknown], row[~unknown], number)
    total[row[unknown]] = np.nan
    # Of several reasons secrecy, the first of STATUSES after ok, is the one to tell.
    reason = np.full(number, len(STATUSES), np.int8)
    told = np.flatnonzero(status[kept])
    np.minimum.at(reason, row[told], status[kept][told])
    reason[reason == len(STATUSES)] = 0
    words = np.flatnonzero(motif.told(lambda text: text != "")[kept])
    said = _first(row[words], number)
    positions = np.where(said >= 0, motif.positions[kept][words][said], -1) if len(words) else said
    present = np.ones(number, np.bool_)
    if not none_is_zero:
        present = np.bincount(row, minlength=number) > 0
    texts = Texts(np.where(positions < 0, len(motif.known), positions), (*motif.known, ""))
    return Sums(groups.first[present], total[present], reason[present],
                Texts(texts.positions[present], texts.known))  # fmt: skip


def _summed(values: Floats, groups: RowNumbers, number: int) -> Floats:
    whole = bool((values == np.rint(values)).all()) and float(np.abs(values).sum()) < _EXACT
    if whole:
        return np.bincount(groups, values, minlength=number).astype(np.float64)
    total = np.zeros(number)
    sums = pd.Series(values).groupby(groups).sum()  # compensated: the order matters less
    total[sums.index.to_numpy()] = sums.to_numpy()
    return total


class Filters:
    """Tells the rows whose cells match rules; each distinct cell of a column is looked at once."""

    def __init__(self, texts: pd.DataFrame) -> None:
        self._texts = texts
        self._numbered: dict[str, tuple[RowNumbers, pd.Series[str]]] = {}

    def matching(self, rules: Mapping[str, str]) -> Booleans:
        """Tell the rows whose cells match every rule whole."""
        flags = np.ones(len(self._texts), np.bool_)
        for column, rule in rules.items():
            if column not in self._numbered:
                row, known = pd.factorize(self._texts[column])
                self._numbered[column] = row, pd.Series(known, dtype="str")
            row, words = self._numbered[column]
            flags &= words.str.fullmatch(rule, case=False).to_numpy(bool)[row]
        return flags
