"""Score an index many times at once: other choices, other draws of the data.

A replication is one row of `Replications`; those that share their discrete choices are scored
together, in blocks small enough for the cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats, RowNumbers
from barometre.composite.robust.alternatives import Alternatives, Choice, low_end
from barometre.composite.robust.data_error import Draws
from barometre.composite.robust.sobol import chosen
from barometre.composite.score.means import aggregate_tree
from barometre.composite.score.normalise import normalise_tree
from barometre.composite.tree.shape import Tree

_CELLS = 2**20  # values held at once: 8 MB an array
_DISCRETE = ("normalise", "bounds", "aggregate")


@dataclass(frozen=True, eq=False)
class Replications:
    """The choices of each replication.

    Parameters
    ----------
    choices : array of int, shape (replications, 3)
        Options of normalisation, bounds and mean.
    weights : array, shape (replications, columns)
        Weights in the order of ``Index.columns``.
    draws : array of int, shape (replications,)
        Numbers of the draws of the data.
    """

    choices: RowNumbers
    weights: Floats
    draws: RowNumbers

    def __len__(self) -> int:
        return len(self.draws)

    def rows(self, rows: slice | RowNumbers) -> Replications:
        """Take some replications."""
        return Replications(self.choices[rows], self.weights[rows], self.draws[rows])

    def with_group(self, group: str, other: Replications) -> Replications:
        """Take one group of coordinates from another design."""
        if group == "weights":
            return replace(self, weights=other.weights)
        if group == "data":
            return replace(self, draws=other.draws)
        choices, j = self.choices.copy(), _DISCRETE.index(group)
        choices[:, j] = other.choices[:, j]
        return replace(self, choices=choices)

    def moved(self, other: Replications) -> RowNumbers:
        """Give the replications that differ from those of another design."""
        same = (self.choices == other.choices).all(axis=1) & (self.draws == other.draws)
        same &= (self.weights == other.weights).all(axis=1)
        return np.flatnonzero(~same)


def weighted_columns(tree: Tree) -> RowNumbers:
    """Give the columns whose weight matters: those that have a sibling."""
    siblings = {name: len(names) for names in tree.children.values() for name in names}
    return np.array([j for j, name in enumerate(tree.columns) if siblings.get(name, 1) > 1], int)


def coordinates(tree: Tree, alternatives: Alternatives) -> int:
    """Count the coordinates of a design."""
    weights = 0 if alternatives.weights is None else len(weighted_columns(tree))
    return weights + sum(getattr(alternatives, name) is not None for name in _DISCRETE)


def replications_of(
    tree: Tree, alternatives: Alternatives, points: Floats, first: int
) -> Replications:
    """Turn points of the unit cube into choices.

    Parameters
    ----------
    tree : Tree
        The tree.
    alternatives : Alternatives
        What varies.
    points : array, shape (replications, coordinates)
        Points, discrete choices first.
    first : int
        Number of the first draw of the data.
    """
    choices = np.zeros((len(points), len(_DISCRETE)), dtype=np.intp)
    used = 0
    for j, name in enumerate(_DISCRETE):
        if (options := getattr(alternatives, name)) is not None:
            choices[:, j] = chosen(points[:, used], len(options))
            used += 1
    weights = np.tile(tree.weights, (len(points), 1))
    if alternatives.weights is not None:
        weights[:, weighted_columns(tree)] *= 1 + alternatives.weights * (2 * points[:, used:] - 1)
    return Replications(choices, weights, np.arange(first, first + len(points)))


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores the root of every variant of an index, on values or draws of them."""

    variants: Mapping[Choice, Tree]
    data: Draws
    _kept: dict[Choice, Floats] = field(default_factory=dict, repr=False)

    def scores(self, design: Replications) -> Floats:
        """Score replications.

        Returns
        -------
        array, shape (replications, units)
            NaN where a unit has no score.
        """
        leaves, units = self.data.observed.shape
        result = np.empty((len(design), units))
        # without errors, normalised values are shared and only the scores have replications
        held = 8 * units if self.data.exact else leaves * units
        size = max(1, _CELLS // max(1, held))
        for choice, variant in self.variants.items():
            rows = np.flatnonzero((design.choices == choice).all(axis=1))
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                normalised = self._normalised(choice, variant, design.draws[some])
                nodes = aggregate_tree(variant, normalised, weights=design.weights[some])
                result[some] = nodes[variant.root]
        return result

    def check(self, values: Floats, units: pd.Index) -> None:
        """Refuse, naming the units, what a variant cannot score on the values as given.

        Parameters
        ----------
        values : array, shape (leaves, units)
            Values without error.
        units : Index
            Their labels.
        """
        for variant in self.variants.values():
            aggregate_tree(variant, _held(variant, normalise_tree(variant, values.T)), units=units)

    def _normalised(self, choice: Choice, variant: Tree, draws: RowNumbers) -> Floats:
        if not self.data.exact:
            return _held(variant, normalise_tree(variant, self.data.take(draws).swapaxes(1, 2)))
        if choice not in self._kept:
            self._kept[choice] = _held(variant, normalise_tree(variant, self.data.observed.T))
        return self._kept[choice]


def _held(variant: Tree, normalised: Floats) -> Floats:
    """Hold z-scores at the low end of their scale under means that know no negative value."""
    if all(node.power == 1 for node in variant.nodes):
        return normalised
    for j, leaf in enumerate(variant.leaves):
        if leaf.normalise == "zscore":
            np.maximum(normalised[..., j], low_end(leaf), out=normalised[..., j])
    return normalised
