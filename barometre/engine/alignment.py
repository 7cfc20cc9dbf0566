"""Bring tables on the same rows: the keys of an indicator, its places, its strata, its unions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers, RowNumbers
from barometre.base.errors import BarometreError
from barometre.cards.columns import KEY
from barometre.cards.schema import Card
from barometre.engine.limits import POPULATION_AGE, Places, Strata, communes_of
from barometre.engine.seen import ALONE, Seen
from barometre.tables.codes import DISTRICTS, level_of
from barometre.tables.table_set import Tables

_SHOWN = 3  # zones quoted


@dataclass(frozen=True)
class Aligned:
    """A table brought on the rows of the first table of an indicator."""

    table: str
    columns: tuple[str, ...]
    frame: pd.DataFrame
    rows: RowNumbers | None  # where each row comes from; None when nothing moved
    years: Integers | None = None  # years of the rows, where they differ

    def inputs(self) -> list[Floats]:
        """Take the columns that enter the indicator."""
        # A checked table is one block of numbers: no column is copied, nor made a Series.
        values, names = self.frame.to_numpy(), self.frame.columns
        return [values[:, names.get_loc(column)] for column in self.columns]


def align(
    card: Card,
    table: str,
    tables: Mapping[str, pd.DataFrame],
    lead: pd.MultiIndex,
    seen: Seen = ALONE,
) -> Aligned:
    """Bring a table on the rows of the first one of its indicator.

    A table that lacks the year of the first gives its latest earlier year, no further back than
    the card admits (registers come out sooner than the census that gives their denominator).
    """
    columns, frame = card.entrees[table], tables[table]
    index = frame.index
    assert isinstance(index, pd.MultiIndex)  # so checked at the door
    rows = None if index.equals(lead) else index.get_indexer(lead)
    differs = rows is not None and (len(index) != len(lead) or bool((rows < 0).any()))
    if not seen.anywhere((card.id, table, "differs"), (differs,) * differs):
        frame = frame if rows is None else frame.take(rows)
        return Aligned(table, columns, frame, rows=rows)
    known = frame[list(columns)].notna().any(axis=1)
    keys = latest_keys(lead, index[known], card.ecart_millesimes_max)
    rows = index.get_indexer(keys)
    values = {c: np.where(rows >= 0, frame[c].to_numpy()[rows], np.nan) for c in columns}
    moved = pd.DataFrame(values, index=lead)
    years = keys.get_level_values("annee").to_numpy()
    return Aligned(table, columns, moved, rows=rows, years=years)


def latest_keys(wanted: pd.MultiIndex, available: pd.MultiIndex, max_gap: int) -> pd.MultiIndex:
    """For each key, the same code at the latest available year, at most ``max_gap`` years back."""
    if wanted.equals(available):
        return wanted
    codes, years = wanted.get_level_values("code"), wanted.get_level_values("annee").to_numpy()
    found = np.asarray(wanted.isin(available))
    chosen = years.copy()
    for gap in range(1, max_gap + 1):
        if found.all():
            break
        earlier = pd.MultiIndex.from_arrays([codes, years - gap], names=KEY)
        here = ~found & np.asarray(earlier.isin(available))
        chosen[here] -= gap
        found |= here
    return pd.MultiIndex.from_arrays([codes, chosen], names=KEY)


def places_of(tables: Tables, keys: pd.MultiIndex) -> Places:
    """Find the commune of each key and its municipal population, of the year or a little older."""
    codes, years = keys.get_level_values("code"), keys.get_level_values("annee")
    unique = pd.Index(codes.unique())
    found, is_commune = communes_of(unique, tables.territoires["niveau"])
    at = unique.get_indexer(codes)
    population = np.full(len(keys), np.nan)
    if "population" in tables:
        given = tables["population"]["population"].dropna()
        assert isinstance(given.index, pd.MultiIndex)  # a table is so keyed
        wanted = keys
        if not is_commune.all():
            wanted = pd.MultiIndex.from_arrays([found.fillna("").take(at), years], names=KEY)
        rows = given.index.get_indexer(latest_keys(wanted, given.index, POPULATION_AGE))
        population[rows >= 0] = given.to_numpy()[rows[rows >= 0]]
    known = found.notna().to_numpy()[at]
    return Places(is_commune[at], known, population, years.to_numpy(np.int64))


def level_years(tables: Tables, keys: pd.MultiIndex) -> tuple[Integers, list[tuple[str, int]]]:
    """Number the levels and years of some keys: those of one number are one level in one year.

    A level that is not told is read from the form of the code. The list says which is which.
    """
    codes = keys.get_level_values("code")
    unique = pd.Index(codes.unique())
    commune, is_commune = communes_of(unique, tables.territoires["niveau"])
    texts = pd.Series(unique, dtype="str")
    told = texts.map(tables.territoires["niveau"]).astype("str").replace("", None)
    # a long list of codes has few that are neither told nor communes nor IRIS
    named = told.mask(told.isna() & commune.notna(), "iris").mask(is_commune, "commune")
    named = named.fillna(texts[named.isna()].map(level_of).reindex(texts.index))
    level, levels = pd.factorize(named.fillna("union"))
    year, years = pd.factorize(keys.get_level_values("annee"))
    groups: Integers = level[unique.get_indexer(codes)] * len(years) + year
    return groups, [(str(name), int(one)) for name in levels for one in years]


def strata_of(
    card: Card,
    tables: Mapping[str, pd.DataFrame],
    keys: pd.MultiIndex,
    rows: RowNumbers | None,
    places: Places,
    seen: Seen = ALONE,
) -> Strata | None:
    """Bring the counts of an indicator on some keys; ``rows`` are the values that they enter.

    It is None where the keys are those of the values.
    """
    if any(name not in tables for name in card.entrees):
        return None
    lead = tables[next(iter(card.entrees))].index
    assert isinstance(lead, pd.MultiIndex)  # so checked at the door
    columns = [c for table in card.entrees for c in align(card, table, tables, lead, seen).inputs()]
    if not keys.equals(lead):
        at = lead.get_indexer(keys)
        columns = [np.where(at >= 0, column[at], np.nan) for column in columns]
    return Strata(rows, np.stack(columns).T, places)


def counted_once(zones: pd.DataFrame, index: pd.Index) -> Booleans:
    """Tell the zones to add up: Paris, Lyon and Marseille, or their districts, and never both.

    Parameters
    ----------
    zones : DataFrame
        ``zone``, ``union``, ``annee``.
    index : Index
        Keys (code, annee) that a table has.

    Returns
    -------
    ndarray of bool
        False for the districts of a commune that the table has that year, in the same union; for a
        commune that it lacks when it has some of its districts.
    """
    once = np.ones(len(zones), dtype=bool)
    commune = zones["zone"].map(DISTRICTS)
    if commune.isna().all():
        return once
    rows = np.flatnonzero(commune.notna() | zones["zone"].isin(set(DISTRICTS.values())))
    some, commune = zones.iloc[rows], commune.iloc[rows]
    present = pd.MultiIndex.from_frame(some[["zone", "annee"]]).isin(index)
    whole = some[["union", "annee"]].assign(zone=commune)
    own = pd.MultiIndex.from_frame(some[["union", "annee", "zone"]])
    twice = pd.MultiIndex.from_frame(whole).isin(own[present])
    in_parts = whole[present & commune.notna().to_numpy()]
    once[rows] = ~twice & (present | ~own.isin(pd.MultiIndex.from_frame(in_parts)))
    return once


def expected_zones(tables: Tables, members: pd.DataFrame) -> pd.DataFrame:
    """List the zones that each union should have each year of the tables."""
    if not some_known(tables, members):
        raise strangers(members)
    return zones_by_year(tables, members)


def some_known(tables: Tables, members: pd.DataFrame) -> bool:
    """Tell whether the tables have a zone of a membership."""
    return any(tables[name].index.isin(members["zone"], level="code").any() for name in tables)


def strangers(members: pd.DataFrame) -> BarometreError:
    """Refuse a membership of which the tables know no zone."""
    return BarometreError(
        f"appartenance refusée : aucune de ses zones ({', '.join(members['zone'][:_SHOWN])}...)"
        " n'est dans les tables ; vérifier la forme des codes (zéro initial, millésime)"
    )


def zones_by_year(tables: Tables, members: pd.DataFrame) -> pd.DataFrame:
    """List each zone of each union for each year of the tables."""
    every = [tables.index_of(name).unique("annee").to_numpy(np.int64) for name in tables]
    years = np.unique(np.concatenate([np.zeros(0, np.int64), *every]))
    return members.merge(pd.DataFrame({"annee": years}), how="cross")
