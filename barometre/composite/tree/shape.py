"""The shape of an index: which leaves make which nodes, with which weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.composite.tree.checks import check_tree
from barometre.composite.tree.parts import Leaf, Node

# A zero in a geometric or harmonic mean counts as one hundredth of the scale (0-100 read as 1-100).
FLOOR_SHARE = 0.01


@dataclass(frozen=True)
class Tree:
    """Leaves and nodes that make one tree, and what follows from it.

    Parameters
    ----------
    leaves : iterable of Leaf
        The indicators.
    nodes : iterable of Node
        The aggregates, of which one is the root. Branches may have different depths.

    Raises
    ------
    FaultsError
        Every fault of the tree: unknown parent, cycle, several roots, weights, bounds...
    """

    leaves: tuple[Leaf, ...]
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaves", tuple(self.leaves))
        object.__setattr__(self, "nodes", tuple(self.nodes))
        check_tree(self.leaves, self.nodes)

    @cached_property
    def root(self) -> str:
        """The node that has no parent."""
        return next(node.id for node in self.nodes if node.parent is None)

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """The direct components of each node, in the order of the tree."""
        found: dict[str, list[str]] = {node.id: [] for node in self.nodes}
        things: tuple[Leaf | Node, ...] = (*self.leaves, *self.nodes)
        for thing in things:
            if thing.parent is not None:
                found[thing.parent].append(thing.id)
        return {name: tuple(below) for name, below in found.items()}

    @cached_property
    def levels(self) -> dict[str, int]:
        """The level of each leaf (1) and node (one above its highest component)."""
        levels = {leaf.id: 1 for leaf in self.leaves}

        def level(name: str) -> int:
            if name not in levels:
                levels[name] = 1 + max(map(level, self.children[name]))
            return levels[name]

        level(self.root)
        return levels

    @cached_property
    def upward(self) -> tuple[Node, ...]:
        """The nodes, components before what they make."""
        return tuple(sorted(self.nodes, key=lambda node: self.levels[node.id]))

    @cached_property
    def _parts(self) -> tuple[Leaf | Node, ...]:
        return (*self.leaves, *self.upward)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the scores: leaves in the order of the tree, then nodes by level."""
        return tuple(thing.id for thing in self._parts)

    @cached_property
    def weights(self) -> Floats:
        """The weights as given, in the order of ``columns``."""
        return np.array([thing.weight for thing in self._parts])

    @cached_property
    def powers(self) -> dict[str, float]:
        """The power of the mean of each node."""
        return {node.id: node.power for node in self.nodes}

    @cached_property
    def floors(self) -> dict[str, float]:
        """The floor of each node, given or by default."""
        spans = {leaf.id: leaf.span for leaf in self.leaves}
        floors = {}
        for node in self.upward:
            spans[node.id] = max(spans[name] for name in self.children[node.id])
            floors[node.id] = FLOOR_SHARE * spans[node.id] if node.floor is None else node.floor
        return floors

    def shares(self, node: str) -> dict[str, float]:
        """Give the share of each direct component of a node in its weights (they sum to 1)."""
        given = dict(zip(self.columns, self.weights, strict=True))
        total = sum(given[name] for name in self.children[node])
        return {name: float(given[name] / total) for name in self.children[node]}

    @property
    def effective_weights(self) -> pd.Series[float]:
        """The share of each leaf and node in the root, along the tree."""
        found = {self.root: 1.0}
        for node in reversed(self.upward):
            found |= {n: share * found[node.id] for n, share in self.shares(node.id).items()}
        return pd.Series(found, dtype="float64", name="poids").reindex(list(self.columns))
