"""The scores of an index: every level kept, with ranks, contributions and explanations."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, counted
from barometre.base.face import Drawn, decimals_of
from barometre.base.french import format_number
from barometre.composite.score.contributions import (
    MEAN,
    Reference,
    contributions_of,
    reference_values,
)
from barometre.composite.score.explanation import explanation_of
from barometre.composite.score.levels import Levels, unit_names
from barometre.composite.score.means import aggregate_tree
from barometre.composite.score.normalise import normalise_tree, scale_of, transformed
from barometre.composite.score.remarks import remarks_of
from barometre.composite.score.strengths import Strengths, strengths_of
from barometre.composite.score.years import YEAR
from barometre.composite.tree.leaves import read_leaves
from barometre.composite.tree.shape import Tree
from barometre.composite.tree.ties import TOLERANCE


@dataclass(frozen=True, eq=False)
class Scores(Levels, Drawn):
    """What `Index.score` returns.

    Attributes
    ----------
    remarks : DataFrame
        What happened to values and scores, one row each. The others are those of `Levels`.
    """

    @cached_property
    def remarks(self) -> pd.DataFrame:
        """What happened to values and scores, one row each.

        Columns: those of the unit (``code``, ``annee``...; missing when the whole leaf is
        concerned), ``noeud`` and ``remarque``: a logarithm that does not exist, a constant, a value
        outside fixed bounds, a component raised to the floor, too few components.
        """
        return remarks_of(self)

    chart = "gap_dimensions"

    def sentences(self) -> list[str]:
        """Say how many units are scored, from which score to which, and what scales rest on."""
        root = self.tree.root
        scores = self.table[root]
        known = scores.dropna()
        lines = [
            f"Indice « {root} » : {counted(len(scores), 'ligne')},"
            f" {format_number(len(known))} avec un score."
        ]
        if len(known):
            decimals = decimals_of(float(known.std()))
            ends = (int(known.argmin()), int(known.argmax()))
            low, high = (
                f"{format_number(known.iloc[at], decimals)} ({unit_names(known.index[[at]])[0]})"
                for at in ends
            )
            lines.append(f"Scores de {low} à {high}.")
        if observed := observed_scales(self.tree):
            lines.append(
                f"Échelles observées sur ces lignes ({', '.join(observed)}) : une de plus ou de"
                " moins changerait les scores ; index.observe et with_bounds les fixent."
            )
        if self.unused:
            lines.append(f"Colonnes laissées de côté : {', '.join(self.unused)}.")
        if told := len(self.remarks):
            lines.append(f"{counted(told, 'remarque')} sur les valeurs : voir remarks.")
        return lines

    def drawn(self) -> pd.DataFrame:
        """Give the gaps to the mean of the units, split between the components of the root."""
        parts = self.contributions(reference=MEAN, by="children")
        parts = parts.assign(ecart=parts.sum(axis=1, skipna=False))
        parts.attrs = {"indice": self.tree.root, "reference": "moyenne des territoires"}
        return parts

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
        return contributions_of(self, self.column(node), reference, by)

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
        return pd.Series({name: values[name] for name in self.tree.columns}, dtype="float64")

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
        return explanation_of(self, self.position(code), reference, self.remarks)

    def strengths(self, code: Hashable, *, number: int = 5) -> Strengths:
        """List the indicators where a unit is best and worst placed among the others.

        Parameters
        ----------
        code : label
            The unit.
        number : int, default 5
            Most strengths, and most weaknesses.

        Returns
        -------
        Strengths
            By rank among the units of the year that have the indicator, best ahead; a strength is
            in the first half, a weakness in the second, and what all have alike is neither.

        Raises
        ------
        BarometreError
            An unknown unit, a number that is not positive.

        Notes
        -----
        ``get_str_weak`` of COINr, by the share of the units behind rather than by the rank, so that
        an indicator known of a few units only compares with the others.
        """
        return strengths_of(self, self.position(code), number)


def score(tree: Tree, frame: pd.DataFrame, *, tolerance: float = TOLERANCE) -> Scores:
    """Score units; `Index.score` says how."""
    names = [leaf.id for leaf in tree.leaves]
    values, unused = read_leaves(names, frame)
    if not isinstance(tolerance, int | float) or not 0 <= tolerance < 1:
        raise BarometreError(f"tolerance {tolerance} : donner un écart relatif, entre 0 et 1")
    _refuse_pooled_years(tree, frame.index)
    fitted = {
        leaf.id: scale_of(transformed(values[j], leaf), leaf) for j, leaf in enumerate(tree.leaves)
    }
    normalised = normalise_tree(tree, values.T, fitted)
    nodes = aggregate_tree(tree, normalised, units=frame.index)
    table = np.stack([nodes[name] for name in tree.columns]).T
    return Scores(
        tree=tree,
        raw=pd.DataFrame(values.T, index=frame.index, columns=names),
        normalised=pd.DataFrame(normalised, index=frame.index, columns=names),
        table=pd.DataFrame(table, index=frame.index, columns=list(tree.columns)),
        fitted=fitted,
        unused=unused,
        tolerance=float(tolerance),
    )


def observed_scales(tree: Tree) -> list[str]:
    """List the leaves whose scale is that of the units scored."""
    return [x.id for x in tree.leaves if x.normalise not in (None, "goalposts")]


def _refuse_pooled_years(tree: Tree, units: pd.Index) -> None:
    """Refuse a scale observed on several years: a new year would change those published."""
    observed = observed_scales(tree)
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
