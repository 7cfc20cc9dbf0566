"""Count the rows of a lot by place, year and code, by whole columns; add up those of many lots."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from barometre.base.arrays import Booleans, Integers, distinct_numbers
from barometre.base.errors import Fault, FaultsError
from barometre.sources.files.plain import has_blanks
from barometre.sources.forms.units.unit_family import UnitFamily, year_of

KEYS = ("lieu", "annee", "ecrit")
"""Columns that say what was counted: place of the family, year and code as they are written."""

_HELD = 2**18
"""Counts of lots that are held before they are added up, beyond twice what they add up to."""


@dataclass(frozen=True)
class Plan:
    """What is looked at in each row; plain values, that may be sent to another machine.

    Attributes
    ----------
    lieux : tuple of str
        Columns of places; ``""`` for one that the file lacks.
    annee : str
        Year of the rows, unless ``colonne_annee`` has it.
    colonne_annee : str
        ``""`` when no column has the year.
    filtres : tuple of dict
        By count, the expression of each column.
    """

    lieux: tuple[str, ...]
    annee: str
    colonne_annee: str
    filtres: tuple[dict[str, str], ...]

    @property
    def colonnes(self) -> list[str]:
        """The columns to read."""
        filtered = [column for rules in self.filtres for column in rules]
        years = [self.colonne_annee] if self.colonne_annee else []
        return [*dict.fromkeys([*filter(None, self.lieux), *filtered, *years])]


def plan_of(family: UnitFamily, header: Sequence[str], nom: str, stem: str) -> Plan:
    """Find the columns of a family in a header.

    Parameters
    ----------
    family : UnitFamily
        What is counted.
    header : sequence of str
        Names of the columns; capitals do not count.
    nom, stem : str
        Name of the source, for the messages, and what it says of the year.

    Returns
    -------
    Plan

    Raises
    ------
    FaultsError
        No year.
    """
    names = {name.casefold(): name for name in header if name}
    year_column = names.get(family.annee_colonne.casefold(), "") if family.annee_colonne else ""
    year = year_of(family, stem)
    if not year_column and year is None:
        fault = Fault("année", "introuvable", "l'écrire dans le nom du fichier")
        raise FaultsError(f"fichier {nom} refusé ({family.titre})", [fault])
    written = (names.get(place.colonne.casefold(), "") for place in family.lieux)
    filters = tuple(
        {names[column.casefold()]: rule for column, rule in count.filtre.items()}
        for count in family.comptes
    )
    return Plan(tuple(written), "" if year is None else str(year), year_column, filters)


@dataclass(frozen=True)
class Tally:
    """Rows counted by place, year and code, all of them and those of each kind.

    Attributes
    ----------
    counted : pyarrow.Table
        `KEYS`, then the number of rows, then that of each count of the plan (``"0"``, ``"1"``...).
    rows : int
        Rows looked at.
    """

    counted: pa.Table
    rows: int


def tally(plan: Plan, lot: pa.Table) -> Tally:
    """Count the rows of a lot.

    Parameters
    ----------
    plan : Plan
        What is looked at.
    lot : pyarrow.Table
        The columns of the plan, as texts, none missing.

    Returns
    -------
    Tally
        A key may be there twice, when it was written with spaces around and without.
    """
    if not lot.num_rows:
        return _nothing(plan)
    year = _same(plan.annee, lot.num_rows)
    years = _texts(lot.column(plan.colonne_annee)) if plan.colonne_annee else year
    kept = [_matching(lot, rules) for rules in plan.filtres]
    pieces = [
        _counted(place, years, _texts(lot.column(column)), kept)
        for place, column in enumerate(plan.lieux)
        if column
    ]
    return Tally(pa.concat_tables([_nothing(plan).counted, *pieces]), lot.num_rows)


def summed(plan: Plan, tallies: Iterable[Tally]) -> Tally:
    """Add up what was counted in many lots, in the memory of their distinct keys.

    Parameters
    ----------
    plan : Plan
        What was looked at.
    tallies : iterable of Tally
        Of each lot, taken one at a time.

    Returns
    -------
    Tally
        Each key once, in the order in which they are first met.
    """
    pieces, held, least, rows = [_nothing(plan).counted], 0, 0, 0
    for one in tallies:
        pieces.append(one.counted)
        held, rows = held + one.counted.num_rows, rows + one.rows
        if held > 2 * least + _HELD:
            pieces = [_merged(pieces)]
            held = least = pieces[0].num_rows
    return Tally(_merged(pieces), rows)


def numbered(column: Any) -> tuple[Any, Integers]:
    """Give the distinct texts of a column, in the order in which they are met, and their places."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    encoded = column.dictionary_encode()
    at = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary, at


def _nothing(plan: Plan) -> Tally:
    kinds = (pa.int64(), pa.large_string(), pa.large_string())
    counts = ["lignes", *(str(k) for k in range(len(plan.filtres)))]
    schema = pa.schema([*zip(KEYS, kinds, strict=True), *((name, pa.int64()) for name in counts)])
    return Tally(schema.empty_table(), 0)


def _texts(column: Any) -> tuple[Any, Integers]:
    """Give the distinct texts of a column, stripped, and the place of each of its cells."""
    words, at = numbered(column)
    if has_blanks(words):
        words = pa.array([word.strip() for word in words.to_pylist()], pa.large_string())
    return words, at


def _same(text: str, size: int) -> tuple[Any, Integers]:
    return pa.array([text], pa.large_string()), np.zeros(size, dtype=np.int64)


def _matching(lot: Any, rules: Mapping[str, str]) -> Booleans:
    flags = np.ones(lot.num_rows, dtype=bool)
    for column, rule in rules.items():
        words, at = _texts(lot.column(column))
        shape = re.compile(rule, re.IGNORECASE)
        fits = np.array([bool(shape.fullmatch(word)) for word in words.to_pylist()], dtype=bool)
        flags &= fits[at]
    return flags


def _counted(place: int, years: Any, codes: Any, kept: Sequence[Booleans]) -> pa.Table:
    """Count the rows by year and code, all of them and those that are kept by each count."""
    (year_words, year_at), (words, at) = years, codes
    pairs, group = distinct_numbers(year_at * len(words) + at, len(year_words) * len(words))
    numbers = [group, *(group[flags] for flags in kept)]
    counts = [np.bincount(rows, minlength=len(pairs)) for rows in numbers]
    year, code = np.divmod(pairs, len(words))
    return _table(np.full(len(pairs), place), year_words.take(year), words.take(code), counts)


def _table(
    places: Integers, years: Any, codes: Any, counts: Sequence[npt.NDArray[Any]]
) -> pa.Table:
    names = ["lignes", *(str(k) for k in range(len(counts) - 1))]
    columns = dict(zip(names, (pa.array(n.astype(np.int64)) for n in counts), strict=True))
    return pa.table({**dict(zip(KEYS, (places, years, codes), strict=True)), **columns})


def _merged(pieces: Sequence[pa.Table]) -> pa.Table:
    """Add up the counts of each key, in the order in which keys are first met."""
    whole = pa.concat_tables(pieces)
    if not whole.num_rows:
        return whole
    place, *texts = (whole.column(name) for name in KEYS)
    (years, year_at), (words, at) = (numbered(column) for column in texts)
    key = (place.to_numpy() * len(years) + year_at) * len(words) + at
    group, keys = pd.factorize(key)
    counts = [
        np.bincount(group, column.to_numpy(), minlength=len(keys))
        for column in whole.columns[len(KEYS) :]
    ]
    rest, code = np.divmod(keys, len(words))
    places, year = np.divmod(rest, len(years))
    return _table(places, years.take(year), words.take(code), counts)
