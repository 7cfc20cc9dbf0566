"""The counts behind shares and rates: given by the tables, or rebuilt from a printed share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.rounding import round_half_up
from barometre.cards.columns import KEY
from barometre.cards.listing import load_cards
from barometre.cards.schema import Card
from barometre.compare.rows import Rows
from barometre.engine.alignment import align
from barometre.engine.limits import Column, Fraction, fractions_of, input_columns
from barometre.tables.table_set import Tables

MOST_ROUNDING = 0.02
"""Share of a rebuilt denominator that the rounding of a printed share may move: a standard error
follows its square root, and moves by half of that."""

SCALES = {"pourcent": 100.0, "pour_100": 100.0, "pour_10000": 10_000.0, "rapport": 1.0}


@dataclass(frozen=True)
class Counts:
    """Numerator and denominator of each row of results, missing where they are not known.

    Attributes
    ----------
    above, below : array of float
        Numerator and denominator.
    above_rebuilt, below_rebuilt : array of bool
        The one is not known but comes from the printed share and the other, rounded.
    scale : array of float
        What the ratio is multiplied by.
    """

    above: Floats
    below: Floats
    above_rebuilt: Booleans
    below_rebuilt: Booleans
    scale: Floats

    @property
    def rebuilt(self) -> Booleans:
        """Whether one of the two is rebuilt."""
        return self.above_rebuilt | self.below_rebuilt


def counts_behind(rows: Rows, tables: Tables | None) -> Counts:
    """Find the counts of every row whose indicator is one ratio of counts.

    Parameters
    ----------
    rows : Rows
        Checked results.
    tables : Tables or None
        Tables the results come from. Without them, a denominator is the count of the results that
        is the same sum of columns (``demandeurs_emploi_abc`` for the shares of job-seekers), and a
        numerator likewise (``allocataires_minima_sociaux`` for their share of households).

    Returns
    -------
    Counts
        The numerator is that of the tables or of the results, else the value times the denominator,
        rounded half up. A denominator that nothing gives is the numerator over the printed value,
        where its rounding moves it by `MOST_ROUNDING` at the most; the other shares of the same
        denominator, territory and year then have it too.
    """
    keys = pd.MultiIndex.from_frame(rows.frame[list(KEY)])
    above, below, scale = (np.full(len(keys), np.nan) for _ in range(3))
    decimals = np.zeros(len(keys))
    known = _counts_of_results(rows)
    denominators: list[tuple[Integers, frozenset[tuple[Column, float]]]] = []
    for number, card in enumerate(rows.cards):
        here = np.flatnonzero(rows.card == number)
        division = division_of(card)
        if division is None or division.below is None:
            continue
        scale[here], decimals[here] = SCALES[card.unite], card.decimales
        if tables is not None and all(name in tables for name in card.entrees):
            above[here], below[here] = _of_tables(card, division, tables, keys[here])
        for side, coefficients in ((above, division.above), (below, division.below)):
            found = known.get(_terms(card, coefficients))
            if found is not None:
                other = found.reindex(keys[here]).to_numpy(np.float64)
                side[here] = np.where(np.isnan(side[here]), other, side[here])
        denominators.append((here, _terms(card, division.below)))
    value = rows.numbers("valeur")
    unknown = np.isnan(below)
    precise = 10.0**-decimals / 2 <= MOST_ROUNDING * value
    with np.errstate(divide="ignore", invalid="ignore"):  # shares of zero tell nothing
        told = round_half_up(above / (value / scale))
    below = np.where(unknown & precise & (value > 0), told, below)
    below = _shared(below, denominators, keys)
    rebuilt = np.isnan(above) & ~np.isnan(below) & ~np.isnan(value)
    above = np.where(rebuilt, round_half_up(value / scale * below), above)
    return Counts(above, below, rebuilt, unknown & ~np.isnan(below), scale)


def _shared(
    below: Floats,
    denominators: list[tuple[Integers, frozenset[tuple[Column, float]]]],
    keys: pd.MultiIndex,
) -> Floats:
    """Give a denominator that one share tells of to the others of the same territory and year."""
    told: dict[frozenset[tuple[Column, float]], pd.Series[float]] = {}
    for here, terms in denominators:
        mine = pd.Series(below[here], keys[here]).dropna()
        told[terms] = told[terms].combine_first(mine) if terms in told else mine
    shared = below.copy()
    for here, terms in denominators:
        found = told[terms].reindex(keys[here]).to_numpy(np.float64)
        shared[here] = np.where(np.isnan(below[here]), found, below[here])
    return shared


def division_of(card: Card) -> Fraction | None:
    """Return the only division of a share or a rate, None for what is no ratio of counts."""
    if card.nature not in ("part", "taux", "rapport") or card.unite not in SCALES:
        return None
    divisions = fractions_of(card)
    return divisions[0] if len(divisions) == 1 and divisions[0].below is not None else None


def _terms(card: Card, coefficients: Floats) -> frozenset[tuple[Column, float]]:
    """Name the sum of columns that some coefficients make."""
    columns = input_columns(card)
    return frozenset((column, c) for column, c in zip(columns, coefficients, strict=True) if c)


def _counts_of_results(rows: Rows) -> dict[frozenset[tuple[Column, float]], pd.Series[float]]:
    """Give the counts among the results, by the sum of columns that each is."""
    found = {}
    present = {card.id for card in rows.cards}
    for card in load_cards().values():
        if card.nature == "effectif" and card.id in present:
            mine = rows.frame[rows.frame["indicateur"] == card.id].dropna(subset="valeur")
            values = mine.set_index(list(KEY))["valeur"]
            for division in fractions_of(card):
                found[_terms(card, division.above)] = values
    return found


def _of_tables(
    card: Card, division: Fraction, tables: Tables, keys: pd.MultiIndex
) -> tuple[Floats, Floats]:
    lead = tables.index_of(next(iter(card.entrees)))
    at = lead.get_indexer(keys)
    aligned = [align(card, table, tables, lead) for table in card.entrees]
    columns = [a.frame[c].to_numpy() for a in aligned for c in a.columns]
    counts = np.column_stack([np.append(column, np.nan)[at] for column in columns])
    assert division.below is not None
    sides = []
    for coefficients in (division.above, division.below):
        used = coefficients != 0
        sides.append(counts[:, used] @ coefficients[used])
    return sides[0], sides[1]
