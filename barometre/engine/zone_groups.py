"""The zones of unions, grouped by union: sums, and what the zones that are known cover."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, RowNumbers
from barometre.base.errors import counted
from barometre.base.french import format_number
from barometre.base.rounding import round_half_up
from barometre.cards.columns import KEY
from barometre.engine.alignment import counted_once

Weights: TypeAlias = "pd.Series[float] | None"

SHOWN = 3
"""Zones or reasons quoted."""


@dataclass(frozen=True)
class Expected:
    """The zones expected in unions: their keys, those of their unions, and which a table has."""

    keys: pd.MultiIndex
    unions: pd.MultiIndex
    zones: pd.DataFrame
    _held: list[tuple[pd.Index, Booleans]] = field(default_factory=list)

    @classmethod
    def of(cls, zones: pd.DataFrame) -> Expected:
        """Index the zones (``zone``, ``union``, ``annee``)."""
        keys, unions = (
            pd.MultiIndex.from_frame(zones[[name, "annee"]], names=list(KEY))
            for name in ("zone", "union")
        )
        return cls(keys, unions, zones)

    def held(self, index: pd.Index) -> Booleans:
        """Tell the zones of the unions that a table knows; tables often share their keys."""
        for known, rows in self._held:
            if known.equals(index):
                return rows
        here = np.asarray(self.unions.isin(self.unions[self.keys.isin(index)]))
        here &= counted_once(self.zones, index)
        self._held.append((index, here))
        return here


@dataclass(frozen=True)
class Group:
    """The zones of unions: their cells (keyed by union and year), names and weights."""

    cells: pd.DataFrame
    zone: pd.Series[str]
    poids: pd.Series[float]

    @classmethod
    def of(cls, frame: pd.DataFrame, expected: Expected, weights: Weights) -> Group:
        """Bring a table on the zones expected; a zone without row has missing cells."""
        here = expected.held(frame.index)
        index = expected.unions[here]
        poids = np.full(len(here), np.nan) if weights is None else weights.to_numpy()
        return cls(
            cells=frame.reindex(expected.keys[here]).set_axis(index),
            zone=pd.Series(expected.zones["zone"].to_numpy()[here], index=index, dtype="str"),
            poids=pd.Series(poids[here], index=index),
        )

    @functools.cached_property
    def size(self) -> pd.Series[int]:
        """Count the zones of each union and year."""
        return self.zone.groupby(level=[0, 1], sort=False).size()

    @functools.cached_property
    def _union(self) -> RowNumbers:
        """The number of the union of each zone, as `size` orders them."""
        return self.size.index.get_indexer(self.cells.index)

    @functools.cached_property
    def weight(self) -> pd.Series[float]:
        """The weight of each union, where that of every zone is known."""
        return self.whole(self.poids)

    def total(self, values: pd.Series) -> pd.Series:
        """Add up by union, in the order of the zones."""
        sums = pd.Series(values.array).groupby(self._union, sort=False).sum()
        return sums.set_axis(self.size.index)

    def whole(self, values: pd.Series) -> pd.Series:
        """Add up by union where every zone is known and the sum is not zero."""
        sums = self.total(values)
        return sums.where((self.total(values.isna()) == 0) & (sums > 0))

    def coverage(self, known: pd.Series[bool], share: pd.Series[float] | None = None) -> pd.Series:
        """Say what the zones known are: their share (of the weights), how many, without which."""
        flags, size = known.to_numpy(), self.size.to_numpy()
        covered = np.bincount(self._union[flags], minlength=len(size))
        by_weight = 100 * self.total(self.poids.where(flags, 0)) / self.weight
        share = by_weight if share is None else share.fillna(by_weight)
        few = (size - covered <= SHOWN)[self._union]
        rows, zones = np.flatnonzero(~flags & few), self.zone.to_numpy()
        lost: dict[int, list[str]] = {}
        for union, zone in zip(self._union[rows].tolist(), zones[rows], strict=True):
            lost.setdefault(union, []).append(zone)
        percents, at = np.unique(round_half_up(share.to_numpy(np.float64)), return_inverse=True)
        words = ["" if math.isnan(x) else f"{format_number(x, 0)} % " for x in percents.tolist()]
        zones_known = {some: counted(some, "zone") for some in np.unique(covered).tolist()}
        texts = []
        cells = zip(at.tolist(), covered.tolist(), size.tolist(), strict=True)
        for union, (place, some, every) in enumerate(cells):
            percent = words[place]
            if percent == "100 % " and some < every:
                percent = "plus de 99 % "
            without = f", sans {', '.join(lost[union])}" if union in lost else ""
            texts.append(f"couverture {percent}({zones_known[some]} sur {every}{without})")
        return pd.Series(texts, index=self.size.index, dtype="str")
