"""A composite index as a declaration: leaves, nodes, and how each is computed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import pandas as pd

from barometre.base.errors import BarometreError, Fault, FaultsError, UnknownNameError
from barometre.base.files import write_text
from barometre.composite.score.scores import Scores, score
from barometre.composite.tree.bounds import Bounds
from barometre.composite.tree.file import parts_of_toml, toml_of
from barometre.composite.tree.parts import BOUNDED, Clip, Leaf, Method, Normalise
from barometre.composite.tree.rows import parts_of_table
from barometre.composite.tree.shape import Tree
from barometre.composite.tree.ties import TOLERANCE


class Options(TypedDict, total=False):
    """What `Index.with_options` changes everywhere in a tree."""

    normalise: Normalise | None
    out: tuple[float, float]
    clip: Clip | None
    aggregate: Method
    min_available: float
    floor: float | None


@dataclass(frozen=True)
class Index(Tree):
    """A composite index: a tree of leaves and nodes.

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

    Examples
    --------
    >>> tree = pd.DataFrame({
    ...     "id": ["indice", "emploi", "chomage"],
    ...     "parent": [None, "indice", "indice"],
    ...     "direction": [1, 1, -1],
    ... })
    >>> index = Index.from_table(tree, normalise="minmax", out=(0, 100))
    >>> frame = pd.DataFrame({"emploi": [60, 70, 50], "chomage": [10, 20, 15]}, index=[*"abc"])
    >>> index.score(frame).table
       emploi  chomage  indice
    a    50.0    100.0    75.0
    b   100.0      0.0    50.0
    c     0.0     50.0    25.0
    """

    def with_bounds(self, bounds: Bounds) -> Index:
        """Fix the bounds of the leaves: what is scored then moves no other score.

        Parameters
        ----------
        bounds : Bounds
            Low and high by leaf, in natural units. The leaves become goalposts.

        Returns
        -------
        Index
            The same tree with these goalposts; leaves not named keep theirs.

        Raises
        ------
        FaultsError
            A name that is no leaf, a leaf that has no bounds (z-score, percentile, none), bounds
            that are no `Bounds`.
        """
        if not isinstance(bounds, Bounds):
            raise BarometreError("bornes refusées : donner Bounds({composante: (bas, haut)})")
        kinds = {leaf.id: leaf.normalise for leaf in self.leaves}
        if faults := [
            Fault(name, "ni min-max ni goalposts dans cet indice", "retirer ces bornes")
            for name in bounds.limits
            if kinds.get(name) not in BOUNDED
        ]:
            raise FaultsError("bornes refusées", faults)
        leaves = (
            replace(leaf, normalise="goalposts", low=limits[0], high=limits[1])
            if (limits := bounds.limits.get(leaf.id))
            else leaf
            for leaf in self.leaves
        )
        return replace(self, leaves=tuple(leaves))

    def observe(
        self,
        frame: pd.DataFrame,
        *,
        reference: str = "",
        years: Iterable[int] = (),
        date: datetime.date | None = None,
    ) -> Bounds:
        """Observe the bounds of the leaves on a reference set, to keep and reuse.

        Parameters
        ----------
        frame : DataFrame, units x leaves
            The reference set.
        reference : str
            Its name: "communes des Hauts-de-France".
        years : iterable of int, optional
            Its years; by default those of the index level ``annee``, if any.
        date : date, optional
            When it was observed; by default today.

        Returns
        -------
        Bounds
            Smallest and largest value of each min-max or goalposts leaf. Without logarithm, a value
            of a log leaf does not count.

        Raises
        ------
        BarometreError
            No such leaf, a leaf without two different values, or a column missing or not numeric.
        """
        bounded = {leaf.id: leaf for leaf in self.leaves if leaf.normalise in BOUNDED}
        if not bounded:
            raise BarometreError("aucune feuille de cet indice n'a de bornes à observer")
        kept = Bounds.columns_of(frame, list(bounded))
        for name, leaf in bounded.items():
            if leaf.transform == "log":
                kept[name] = kept[name].where(kept[name] > 0)
        return Bounds.observed(kept, reference=reference, years=years, date=date)

    def with_options(self, **options: Unpack[Options]) -> Index:
        """Change normalisation, aggregation... everywhere in the tree.

        Parameters
        ----------
        **options
            Among ``normalise, out, clip`` (every leaf) and ``aggregate, min_available, floor``
            (every node). A normalisation other than goalposts drops the bounds.

        Returns
        -------
        Index
            The changed index.

        Raises
        ------
        UnknownNameError
            An option that leaves and nodes do not have.
        """
        for name in options:
            if name not in Options.__annotations__:
                raise UnknownNameError("nom d'option", name, Options.__annotations__)
        given: dict[str, Any] = dict(options)
        of_leaf = {k: v for k, v in given.items() if k in {f.name for f in fields(Leaf)}}
        of_node = {k: v for k, v in given.items() if k not in of_leaf}
        if of_leaf.get("normalise", "goalposts") != "goalposts":
            of_leaf |= {"low": None, "high": None}
        leaves = tuple(replace(leaf, **of_leaf) for leaf in self.leaves)
        return Index(leaves, tuple(replace(node, **of_node) for node in self.nodes))

    def with_weights(self, weights: Mapping[str, float]) -> Index:
        """Change the weights of some leaves or nodes.

        Parameters
        ----------
        weights : mapping of str to float
            New weights, 0 or more, by leaf or node; the others keep theirs.

        Returns
        -------
        Index
            The changed index.

        Raises
        ------
        UnknownNameError
            A name that is not in the tree.
        """
        for name in weights:
            if name not in self.columns:
                raise UnknownNameError("nom de composante", name, self.columns)
        leaves = [replace(x, weight=weights.get(x.id, x.weight)) for x in self.leaves]
        nodes = [replace(x, weight=weights.get(x.id, x.weight)) for x in self.nodes]
        return Index(tuple(leaves), tuple(nodes))

    # ---- use ------------------------------------------------------------------------------------

    def score(self, frame: pd.DataFrame, *, tolerance: float = TOLERANCE) -> Scores:
        """Score units.

        Parameters
        ----------
        frame : DataFrame, units x leaves
            Raw values, one row a unit, indexed by code or by (code, annee). Columns that are no
            leaf are left out and listed in ``Scores.unused``.
        tolerance : float, default 1e-12
            Relative difference up to which scores share a rank.

        Returns
        -------
        Scores
            Every level of the tree. A missing component leaves its weight to its siblings. A leaf
            whose scale cannot be observed (constant, one unit) is missing, as is the logarithm of
            zero or less; ``Scores.remarks`` says so. No row gives no score.

        Raises
        ------
        BarometreError
            A leaf without column, not numeric, infinite; a unit given twice; goalposts not fixed;
            several years (level ``annee``) whose scale would be observed on all of them at once;
            a negative component in a mean other than arithmetic.
        """
        return score(self, frame, tolerance=tolerance)

    # ---- tables and files -----------------------------------------------------------------------

    @classmethod
    def from_table(
        cls,
        tree: pd.DataFrame,
        *,
        normalise: Normalise | None = "minmax",
        aggregate: Method | Mapping[int | str, Method] = "arithmetic",
        min_available: float = 0.0,
        out: tuple[float, float] | Mapping[str, tuple[float, float]] | None = None,
        clip: Clip | None = "both",
        floor: float | None = None,
    ) -> Index:
        """Declare an index by a table, one row a leaf or a node, in any order.

        Parameters
        ----------
        tree : DataFrame
            Columns ``id``, ``parent`` (missing for the root), ``direction`` (1 or -1; needed by the
            leaves) and ``weight`` (1 if there is no such column). Columns that rule over the
            options for their row, where they are filled in: for leaves ``transform``, ``low``,
            ``high``, ``clip`` (``"none"`` for no clip) and ``normalise`` (``"none"`` likewise); for
            nodes ``aggregate``, ``min_available`` and ``floor``.
        normalise : {"minmax", "zscore", "percentile", "goalposts", None}, default "minmax"
            How leaves are normalised; None when the values already are (``direction`` is then
            theirs already).
        aggregate : str, float or mapping, default "arithmetic"
            ``"arithmetic"``, ``"geometric"``, ``"harmonic"`` or the power of a mean; or one by
            level (leaves are level 1, their parents level 2...) or by node.
        min_available : float, default 0
            Share of the direct components under which a node has no score.
        out : tuple of float, optional
            Scale: (low, high), or (mean, standard deviation) of z-scores. By default (0, 1). Where
            leaves mix z-scores and others, a mapping of normalisation to scale.
        clip : {"both", "low", "high", None}, default "both"
            End at which leaves that have bounds are held.
        floor : float, optional
            Floor of geometric and harmonic means; by default a hundredth of the scale.

        Returns
        -------
        Index
            The index.

        Raises
        ------
        FaultsError
            Every fault of the table and of the tree.
        """
        options = {"normalise": normalise, "out": out, "clip": clip}
        leaves, nodes = parts_of_table(
            tree, options, aggregate=aggregate, min_available=min_available, floor=floor
        )
        return cls(leaves, nodes)

    @classmethod
    def from_toml(cls, path: str | Path) -> Index:
        """Read an index written by `to_toml`, or by hand.

        Parameters
        ----------
        path : str or Path
            A TOML file: one ``[[leaf]]`` or ``[[node]]`` each, with the fields of `Leaf` and
            `Node`; what is left out takes its default, and ``"none"`` says None.

        Returns
        -------
        Index
            The index.

        Raises
        ------
        BarometreError
            A file that cannot be read, a field unknown or missing, a fault of the tree.
        """
        return cls(*parts_of_toml(path))

    def to_toml(self, path: str | Path) -> Path:
        """Write the index to a TOML file, whole; `from_toml` gives it back equal.

        Parameters
        ----------
        path : str or Path
            File to write.

        Returns
        -------
        Path
            The file.
        """
        return write_text(path, toml_of(self.leaves, self.nodes))
