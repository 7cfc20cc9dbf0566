"""The scores of an index: every level kept, with ranks, contributions and explanations."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.composite.index import Index
from barometre.composite.score.contributions import Reference, contributions_of, reference_values
from barometre.composite.score.explanation import explanation_of
from barometre.composite.score.means import aggregate_tree
from barometre.composite.score.normalise import Scale, normalise_tree, scale_of, transformed
from barometre.composite.score.remarks import remarks_of
from barometre.composite.tree.leaves import read_leaves
from barometre.composite.tree.ties import tied_ranks

YEAR = "annee"  # index level of the years: ranks are within a year


@dataclass(frozen=True, eq=False)
class Scores:
    """What `Index.score` returns.

    Attributes
    ----------
    index : Index
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

    index: Index
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
        column = self._column(node)
        ranked: pd.Series = self._ranked(self.table[[column]])[column]
        return ranked

    @cached_property
    def scales(self) -> pd.DataFrame:
        """Scale of each leaf: bounds in natural units, or mean and standard deviation.

        The mean and standard deviation are those of transformed values.
        """
        rows: dict[str, tuple[float | None, ...]] = {}
        for leaf in self.index.leaves:
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

    @cached_property
    def remarks(self) -> pd.DataFrame:
        """What happened to values and scores, one row each.

        Columns: those of the unit (``code``, ``annee``...; missing when the whole leaf is
        concerned), ``noeud`` and ``remarque``: a logarithm that does not exist, a constant, a value
        outside fixed bounds, a component raised to the floor, too few components.
        """
        return remarks_of(self)

    def contributions(
        self,
        node: str | None = None,
        reference: Reference = None,
        *,
        by: Literal["leaves", "children"] = "leaves",
    ) -> pd.DataFrame:
        """Split scores, or their gaps to a reference, between components.

        Parameters
        ----------
        node : str, optional
            Node to explain; the root by default.
        reference : label, "mean", mapping or Series, optional
            What scores are compared with: a unit of the table (its label), the unit whose
            normalised leaves are the means (``"mean"``), or raw values by leaf, put on the scale of
            these scores. None splits the score itself.
        by : {"leaves", "children"}, default "leaves"
            Components between which to split.

        Returns
        -------
        DataFrame, units x components
            Each row sums to the score, or to the score less that of the reference
            (`reference_scores`), to rounding. Missing where the score is. Without a reference,
            a missing component is missing and the others sum to the score; with one, it counts for
            what the score makes of it: the mean of its siblings.

        Raises
        ------
        BarometreError
            An unknown node, option or reference, a reference without a score, or a node with too
            many components for an exact split (take ``by="children"``).

        Notes
        -----
        Score itself: each component counts for its marginal effect times its value, which sum to
        the score as means are homogeneous (Euler). Gap: where every mean is arithmetic, weight
        times gap; where every mean is geometric and nothing is zero, the log split
        ``L(S, R) w ln(v / r)`` with L the logarithmic mean (Ang, 2004, Energy Policy 32, LMDI);
        otherwise the Shapley value of the components at each node, nested along the tree
        (Owen, 1977; Winter, 1989): the leaves of a node sum to its contribution.

        Examples
        --------
        >>> from barometre.composite import HDI
        >>> frame = pd.DataFrame(
        ...     {"life_exp": [82.5, 61.6], "exp_sch": [15.8, 7.0], "avg_sch": [11.6, 2.1],
        ...      "gni_pc_2017ppp": [45937, 1240]}, index=["France", "Niger"])
        >>> HDI.score(frame).contributions(reference="France", by="children").round(3)
                life_exp  gni_pc_2017ppp  education
        France     0.000           0.000      0.000
        Niger     -0.085          -0.183     -0.233
        """
        return contributions_of(self, self._column(node), reference, by)

    def reference_scores(self, reference: Reference) -> pd.Series[float]:
        """Score a reference of `contributions` on the scale of these scores.

        Parameters
        ----------
        reference : label, "mean", mapping or Series
            As in `contributions`.

        Returns
        -------
        Series
            Its normalised leaves and nodes, in the order of ``table``.
        """
        values = reference_values(self, reference)
        return pd.Series({name: values[name] for name in self.index.columns}, dtype="float64")

    def explain(self, code: Hashable, reference: Reference = None) -> pd.DataFrame:
        """Show how the raw values of a unit became its score.

        Parameters
        ----------
        code : label
            The unit.
        reference : optional
            As in `contributions`: the last column then splits the gap to it.

        Returns
        -------
        DataFrame
            One row a leaf or node, from the root down: ``noeud``, ``parent``, ``niveau``;
            ``valeur``, ``valeur_transformee``, then ``borne_basse`` and ``borne_haute`` (natural
            units) or ``moyenne`` and ``ecart_type``, ``normalisation``, ``score``,
            ``agregation``; ``poids`` (share among the available siblings), ``contribution`` (to
            the root), ``rang``, ``remarque``.
        """
        return explanation_of(self, self.position(code), reference)

    def position(self, code: Hashable) -> int:
        """Give the row of a unit; refuse one that is not there, with the nearest labels."""
        index = self.table.index
        try:
            found = np.arange(len(index))[index.get_loc(code)]
        except pd.errors.InvalidIndexError:
            kind = type(code).__name__
            raise BarometreError(f"un {kind} n'est pas un territoire : donner son code") from None
        except (KeyError, TypeError):
            near = difflib.get_close_matches(str(code), map(str, index), n=3)
            hint = f" Vouliez-vous dire {' ou '.join(near)} ?" if near else ""
            raise BarometreError(f"territoire « {code} » sans score.{hint}") from None
        if np.size(found) != 1:
            raise BarometreError(f"« {code} » a plusieurs lignes ; donner (code, annee)")
        return int(np.ravel(found)[0])

    def _column(self, node: str | None) -> str:
        if node is not None and node not in self.table:
            raise UnknownNameError("nœud", str(node), self.index.columns)
        return self.index.root if node is None else node

    def _ranked(self, table: pd.DataFrame) -> pd.DataFrame:
        values = table.to_numpy(dtype=np.float64).T
        ranks = np.full(values.shape, np.nan)
        for rows in _years(table.index):
            for j, column in enumerate(values):  # one at a time fits in the cache
                ranks[j, rows] = tied_ranks(column[rows], tolerance=self.tolerance)
        missing = np.isnan(ranks)
        whole = np.where(missing, 1, ranks).astype(np.int64)
        columns = {
            name: pd.arrays.IntegerArray(whole[j], missing[j]) for j, name in enumerate(table)
        }
        return pd.DataFrame(columns, index=table.index)


def score(index: Index, frame: pd.DataFrame, *, tolerance: float) -> Scores:
    """Score units; `Index.score` says how."""
    names = [leaf.id for leaf in index.leaves]
    values, unused = read_leaves(names, frame)
    if not isinstance(tolerance, int | float) or not 0 <= tolerance < 1:
        raise BarometreError(f"tolerance {tolerance} : donner un écart relatif, entre 0 et 1")
    _refuse_pooled_years(index, frame.index)
    fitted = {
        leaf.id: scale_of(transformed(values[j], leaf), leaf) for j, leaf in enumerate(index.leaves)
    }
    normalised = normalise_tree(index, values.T, fitted)
    nodes = aggregate_tree(index, normalised, units=frame.index)
    table = np.stack([nodes[name] for name in index.columns]).T
    return Scores(
        index=index,
        raw=pd.DataFrame(values.T, index=frame.index, columns=names),
        normalised=pd.DataFrame(normalised, index=frame.index, columns=names),
        table=pd.DataFrame(table, index=frame.index, columns=list(index.columns)),
        fitted=fitted,
        unused=unused,
        tolerance=float(tolerance),
    )


def _years(index: pd.Index) -> Iterator[Any]:
    """Give the rows of each year; all of them without years."""
    if YEAR not in index.names:
        yield slice(None)
        return
    years, _ = pd.factorize(index.get_level_values(YEAR))
    for year in range(years.max() + 1 if len(years) else 0):
        yield np.flatnonzero(years == year)


def _refuse_pooled_years(index: Index, units: pd.Index) -> None:
    """Refuse a scale observed on several years: a new year would change those published."""
    observed = [x.id for x in index.leaves if x.normalise not in (None, "goalposts")]
    if YEAR not in units.names or not observed:
        return
    years = sorted(map(str, units.get_level_values(YEAR).unique()))
    if len(years) > 1:
        raise BarometreError(
            f"plusieurs années ({', '.join(years)}) et une échelle observée"
            f" ({', '.join(observed[:3])}) : une année de plus changerait les scores déjà publiés ;"
            " fixer les bornes (index.with_bounds(index.observe(frame))), ou calculer une année à"
            " la fois"
        )
