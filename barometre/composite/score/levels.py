"""Every level of the scores of an index, with ranks and scales: what explanations are made of."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.composite.score.normalise import Scale
from barometre.composite.score.years import rows_by_year
from barometre.composite.tree.shape import Tree
from barometre.composite.tree.ties import tied_ranks


@dataclass(frozen=True, eq=False)
class Levels:
    """Scores of every leaf and node, and how they were made.

    Attributes
    ----------
    tree : Tree
        The tree.
    raw : DataFrame, units x leaves
        Values as received.
    normalised : DataFrame, units x leaves
        Normalised values.
    table : DataFrame, units x columns
        Normalised leaves, then every node up to the root.
    fitted : mapping of str to Scale
        The scale of each leaf, on transformed values; see ``scales``.
    unused : tuple of str
        Columns of the frame that are no leaf.
    tolerance : float
        Relative difference up to which scores share a rank.
    """

    tree: Tree
    raw: pd.DataFrame
    normalised: pd.DataFrame
    table: pd.DataFrame
    fitted: Mapping[str, Scale]
    unused: tuple[str, ...]
    tolerance: float

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """Ranks of ``table``, column by column: 1 = best, ties take the smallest, within a year.

        Missing (NA) where the score is.
        """
        return self._ranked(self.table)

    def rank(self, node: str | None = None) -> pd.Series:
        """Rank one column, the root by default; quicker than ``ranks``."""
        column = self.column(node)
        ranked: pd.Series = self._ranked(self.table[[column]])[column]
        return ranked

    @cached_property
    def scales(self) -> pd.DataFrame:
        """Scale of each leaf: bounds in natural units, or mean and standard deviation.

        The mean and standard deviation are those of transformed values.
        """
        rows: dict[str, tuple[float | None, ...]] = {}
        for leaf in self.tree.leaves:
            first, second = (float(part.ravel()[0]) for part in self.fitted[leaf.id])
            if leaf.normalise == "zscore":
                rows[leaf.id] = (np.nan, np.nan, first, second)
                continue
            low, high = leaf.low, leaf.high
            if leaf.normalise == "minmax" and first == first:  # observed, not constant
                known = self.raw[leaf.id]
                known = known[known > 0] if leaf.transform == "log" else known
                low, high = known.min(), known.max()
            rows[leaf.id] = (low, high, np.nan, np.nan)
        names = ["borne_basse", "borne_haute", "moyenne", "ecart_type"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=names, dtype="float64")

    def position(self, code: Hashable) -> int:
        """Give the row of a unit; refuse one that is not there, with the nearest labels."""
        return row_of(self.table.index, code)

    def column(self, node: str | None) -> str:
        """Give the column of a node, the root by default; refuse one that is not there."""
        if node is not None and node not in self.table:
            raise UnknownNameError("nœud", str(node), self.tree.columns)
        return self.tree.root if node is None else node

    def _ranked(self, table: pd.DataFrame) -> pd.DataFrame:
        values = table.to_numpy(dtype=np.float64).T
        ranks = np.full(values.shape, np.nan)
        for rows in rows_by_year(table.index):
            for j, column in enumerate(values):  # one at a time fits in the cache
                ranks[j, rows] = tied_ranks(column[rows], tolerance=self.tolerance)
        missing = np.isnan(ranks)
        whole = np.where(missing, 1, ranks).astype(np.int64)
        columns = {
            name: pd.arrays.IntegerArray(whole[j], missing[j]) for j, name in enumerate(table)
        }
        return pd.DataFrame(columns, index=table.index)


def row_of(units: pd.Index, code: Hashable) -> int:
    """Give the row of a unit; refuse one that is not there, with the nearest labels."""
    try:
        found = np.arange(len(units))[units.get_loc(code)]
    except pd.errors.InvalidIndexError:
        kind = type(code).__name__
        raise BarometreError(f"un {kind} n'est pas un territoire : donner son code") from None
    except (KeyError, TypeError):
        near = difflib.get_close_matches(str(code), map(str, units), n=3)
        hint = f" Vouliez-vous dire {' ou '.join(near)} ?" if near else ""
        raise BarometreError(f"territoire « {code} » sans score.{hint}") from None
    if np.size(found) != 1:
        raise BarometreError(f"« {code} » a plusieurs lignes ; donner (code, annee)")
    return int(np.ravel(found)[0])


def unit_names(units: pd.Index) -> list[str]:
    """Write the labels of units."""
    return [" ".join(map(str, unit)) if isinstance(unit, tuple) else str(unit) for unit in units]
