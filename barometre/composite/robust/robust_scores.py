"""How far the ranks of an index rest on its choices and on the errors of its data."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.base.face import Drawn
from barometre.base.french import format_number
from barometre.composite.robust.alternative_shares import Runs, shares_of
from barometre.composite.robust.alternatives import Alternatives
from barometre.composite.robust.data_error import DataError, draws_of
from barometre.composite.robust.rank_draws import (
    groups_of,
    intervals_of,
    mean_shift,
    pairs_above,
    ranks_of,
)
from barometre.composite.robust.replications import (
    Replications,
    Scorer,
    coordinates,
    replications_of,
)
from barometre.composite.robust.sobol import base_points
from barometre.composite.score.scores import Scores, score
from barometre.composite.score.years import refuse_several_years
from barometre.composite.tree.shape import Tree

_CHOICES = {"normalise": "normalisation", "bounds": "bornes", "aggregate": "agregation"}
_PAIRS = 5000  # units of a whole matrix of pairs: 200 MB


@dataclass(frozen=True, eq=False)
class Robustness(Drawn):
    """What `robustness` returns.

    Attributes
    ----------
    ranks : DataFrame, one row a unit
        ``score`` and ``rang`` of the index as declared; ``rang_median``, ``rang_min`` and
        ``rang_max`` over the replications; ``decalage_moyen``, mean absolute gap between the rank
        of a replication and ``rang``; ``groupe``, number of the group of units "statistiquement à
        égalité", from the best. Missing for a unit without a score.
    choices : DataFrame, one row a replication
        ``normalisation``, ``bornes`` and ``agregation`` drawn.
    weights : DataFrame, replications x components
        Weights drawn, before they are brought to a total of 1 in their node.
    rank_draws : DataFrame, replications x units
        Rank of each unit in each replication; 0 where it has no score.
    scores : DataFrame, replications x units, or None
        Scores, if asked.
    nominal : Scores
        The index as declared.
    meta : dict
        What was asked and done: ``draws_asked``, ``draws`` done, ``seed``, ``level``...
    """

    ranks: pd.DataFrame
    choices: pd.DataFrame
    weights: pd.DataFrame
    rank_draws: pd.DataFrame
    scores: pd.DataFrame | None
    nominal: Scores
    meta: Mapping[str, Any]
    _runs: Runs = field(repr=False)

    chart = "rank_intervals"

    @property
    def table(self) -> pd.DataFrame:
        """The rank intervals: ``ranks``."""
        return self.ranks

    def drawn(self) -> Robustness:
        """Give the result itself: the chart says its level."""
        return self

    def sentences(self) -> list[str]:
        """Say what was drawn, how wide the intervals of ranks are, and who cannot be told apart."""
        ranked = self.ranks[self.ranks["rang"].notna()]
        level = format_number(100 * self.meta["level"])
        lines = [
            f"Rangs de {counted(len(ranked), 'territoire')} dans"
            f" {counted(self.meta['draws'], 'réplication')} (graine {self.meta['seed']}),"
            f" intervalles à {level} %."
        ]
        if not len(ranked):
            return lines
        width = (ranked["rang_max"] - ranked["rang_min"] + 1).astype(np.float64)
        alone = ranked["groupe"].map(ranked["groupe"].value_counts()) == 1
        lines.append(
            f"Un intervalle compte {counted(float(width.median()), 'rang')} au milieu,"
            f" {counted(float(width.max()), 'rang')} au plus."
        )
        lines.append(
            f"{counted(ranked['groupe'].nunique(), 'groupe')} ; {int(alone.sum())} sur"
            f" {len(ranked)} se distinguent de leurs voisins."
        )
        varied = [name for name in self.choices if len(self.choices[name].unique()) > 1]
        varied += ["poids"] if self.meta["alternatives"].weights else []
        if varied:
            lines.append(f"Choix tirés : {', '.join(map(str, varied))}.")
        return [*lines, *(f"{unit} : {text}." for unit, text in self._remarks())]

    def pairwise(self, codes: Iterable[Hashable] | None = None) -> pd.DataFrame:
        """Give P(A above B): the share of the replications where A is ranked before B.

        Parameters
        ----------
        codes : iterable of labels, optional
            Units; by default all.

        Returns
        -------
        DataFrame, units x units
            A in rows, B in columns; ties count half, so that P(A above B) + P(B above A) = 1, and a
            unit against itself is 1/2. NaN for units never scored together.

        Raises
        ------
        BarometreError
            An unknown unit; more than 5 000 units.
        """
        units = self.nominal.table.index
        if codes is None:
            rows = np.arange(len(units))
        else:
            given = [codes] if isinstance(codes, str) else list(codes)
            rows = np.array([self.nominal.position(code) for code in given], dtype=np.intp)
        if len(rows) > _PAIRS:
            raise BarometreError(
                f"{len(rows)} territoires : matrice trop grande ; en choisir au plus {_PAIRS}"
                " (pairwise(codes))"
            )
        ranks = np.ascontiguousarray(self.rank_draws.to_numpy().T[rows])
        return pd.DataFrame(pairs_above(ranks), index=units[rows], columns=units[rows])

    @cached_property
    def shares(self) -> pd.DataFrame:
        """Total-order Sobol' shares of each alternative; costs draws x (k + 1) more evaluations.

        Returns
        -------
        DataFrame, one row an alternative
            ``alternative``; ``part_score``, ``part_rang`` and ``part_decalage``: the shares of the
            variance of the scores, of the ranks and of the mean absolute rank shift; ``remarque``,
            for an alternative that changes nothing, whose shares are 0.

        Notes
        -----
        The share of an alternative is what would be left of the variance if all the others were
        settled (total order, Homma and Saltelli, 1996): its own effect and its interactions, so
        that shares add up to more than 1 where alternatives interact. Scores and ranks have one
        variance a unit: numerators and denominators are added up over units. The mean absolute rank
        shift is that of Saisana, Saltelli and Tarantola (2005, JRSS A 168). Estimated by Jansen
        (1999) on n(k + 2) evaluations in all, for k alternatives; an estimate is a draw too, and
        may pass 1 by a few hundredths. Weights (one coordinate a component) and data are groups.
        """
        return shares_of(self._runs)

    @cached_property
    def remarks(self) -> pd.DataFrame:
        """What to know of the run: ``element, remarque``; computes ``shares``.

        Alternatives that change nothing, values taken as exact, draws without a logarithm, units
        that some replications do not score, number of replications raised.
        """
        rows = [*self._runs.remarks(self.shares), *self._remarks()]
        return pd.DataFrame(rows, columns=["element", "remarque"], dtype="str")

    def _remarks(self) -> Iterator[tuple[str, str]]:
        asked, done = self.meta["draws_asked"], self.meta["draws"]
        if asked != done:
            yield "draws", f"{asked} réplications demandées, {done} faites (puissance de deux)"
        lost = (self.rank_draws.to_numpy() == 0).sum(axis=0)
        scored = self.ranks["rang"].notna().to_numpy()
        some = (lost > 0) & scored
        for unit, times in zip(self.ranks.index[some], lost[some], strict=True):
            number = counted(int(times), "réplication")
            yield str(unit), f"sans score dans {number} sur {done}"
        outside = (self.ranks["rang"] < self.ranks["rang_min"]) | (
            self.ranks["rang"] > self.ranks["rang_max"]
        )
        for unit in self.ranks.index[outside.fillna(False).to_numpy(bool)]:
            yield str(unit), "rang déclaré hors de l'intervalle : les choix faits sont extrêmes"


def robustness(
    tree: Tree,
    frame: pd.DataFrame,
    alternatives: Alternatives | Mapping[str, Any] | None = None,
    data_error: DataError | pd.DataFrame | Mapping[str, Any] | None = None,
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.90,
    keep_scores: bool = False,
) -> Robustness:
    """Score an index again and again, its choices and its data being drawn together.

    Parameters
    ----------
    tree : Tree
        The `Index` as declared, called nominal.
    frame : DataFrame, units x leaves
        Raw values, as in `Index.score`; one year.
    alternatives : Alternatives or mapping, optional
        What could be chosen otherwise: ``weights``, ``normalise``, ``aggregate``, ``bounds``.
    data_error : DataFrame, DataError or mapping, optional
        Standard errors, units x leaves; or ``DataError(denominators=...)`` for shares in per cent.
        Leaves that are not in it are exact.
    draws : int, default 1000
        Joint replications, raised to a power of two (1000 gives 1024), at which the quasi-random
        sequence is balanced.
    seed : int, default 0
        Seed: the same call gives the same results, whatever the order of the rows.
    level : float, default 0.90
        Share of the replications in the rank intervals: 0.90 leaves 5 % on each side.
    keep_scores : bool, default False
        Keep the score of every unit in every replication, 8 bytes each.

    Returns
    -------
    Robustness
        Rank intervals, groups, pairs, shares of the alternatives. Without alternatives or errors,
        every replication is the nominal one. One unit is first of one; no unit gives empty tables.

    Raises
    ------
    BarometreError
        What `Index.score` refuses, for the index or an alternative; several years; options out of
        their limits; errors that are not those of the frame.

    Notes
    -----
    Choices follow a scrambled Sobol' sequence (Owen, 1998); errors of data, which have as many
    dimensions as there are values, follow a generator seeded by replication. A scale observed on
    the data (min-max, z-score, percentile rank) is observed again on each draw. Two units are
    "statistiquement à égalité" when neither is above the other in more than ``(1 + level) / 2`` of
    the replications. A group is a run of the nominal ranking: its head, and those that follow until
    the first that can be told apart from the head, which heads the next one. Neighbours of two
    groups may thus be level with one another: `Robustness.pairwise` tells.

    Examples
    --------
    >>> from barometre.composite import Index
    >>> table = pd.DataFrame({
    ...     "id": ["indice", "emploi", "chomage"],
    ...     "parent": [None, "indice", "indice"],
    ...     "direction": [1, 1, -1],
    ... })
    >>> frame = pd.DataFrame(
    ...     {"emploi": [60, 70, 50], "chomage": [10, 20, 22]},
    ...     index=["Denain", "Raismes", "Escaudain"],
    ... )
    >>> index = Index.from_table(table, normalise="minmax", out=(0, 100))
    >>> result = robustness(index, frame, Alternatives(weights=0.25), draws=256)
    >>> result.ranks[["rang", "rang_min", "rang_max", "groupe"]]
               rang  rang_min  rang_max  groupe
    Denain        1         1         1       1
    Raismes       2         2         2       2
    Escaudain     3         3         3       3
    >>> result.pairwise().loc["Denain", "Raismes"]
    np.float64(1.0)
    """
    _check_options(draws, seed, level)
    options = Alternatives.read(alternatives)
    nominal = score(tree, frame)
    units = nominal.table.index
    refuse_several_years(units, "robustesse refusée")
    variants = options.variants(tree)
    leaves = [leaf.id for leaf in tree.leaves]
    raw = nominal.raw.to_numpy(np.float64).T
    data = draws_of(leaves, raw, units, data_error, seed=seed)
    # Draws follow the values, not the rows: the same units in another order get the same ones.
    labels = np.array(list(map(str, units)))
    keys = [labels, *data.beta, *data.alpha, *data.deviations[::-1], *raw[::-1]]
    order = np.lexsort(keys) if len(units) else np.empty(0, dtype=np.intp)
    points = base_points(draws, coordinates(tree, options), seed)
    base, other = (replications_of(tree, options, p, i * len(p)) for i, p in enumerate(points))
    tops = nominal.table[tree.root].to_numpy()
    places = nominal.rank().to_numpy(dtype=np.float64, na_value=np.nan)
    scorer = Scorer(variants, data.ordered(order))
    scorer.check(raw, units)
    runs = Runs(options, scorer, leaves, base, other, places[order], np.nan_to_num(tops[order]))
    ranks, scores = _replicate(runs, keep_scores)
    back = np.argsort(order)
    by_unit = np.ascontiguousarray(ranks[:, back].T)
    median, low, high = intervals_of(by_unit, level)
    table = pd.DataFrame(
        {
            "score": tops,
            "rang": places,
            "rang_median": median,
            "rang_min": low,
            "rang_max": high,
            "decalage_moyen": mean_shift(by_unit, places[:, None]),
            "groupe": groups_of(by_unit, places, level),
        },
        index=units,
    )
    table.loc[np.isnan(places), "rang_median":] = np.nan
    whole = dict.fromkeys(("rang", "rang_min", "rang_max", "groupe"), "Int64")
    return Robustness(
        ranks=table.astype(whole),
        choices=_choices(base, options),
        weights=pd.DataFrame(base.weights, columns=list(tree.columns)),
        rank_draws=pd.DataFrame(ranks[:, back], columns=units),
        scores=None if scores is None else pd.DataFrame(scores[:, back], columns=units),
        nominal=nominal,
        meta={
            "draws_asked": draws,
            "draws": len(base),
            "seed": seed,
            "level": level,
            "alternatives": options,
            "variants": len(variants),
            "evaluations": len(base),
            "evaluations_shares": len(base) * (len(runs.groups) + 1),
        },
        _runs=runs,
    )


def _check_options(draws: int, seed: int, level: float) -> None:
    for name, number, least in (("draws", draws, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise BarometreError(f"{name}={number!r} refusé : donner un entier d'au moins {least}")
    if isinstance(level, bool) or not isinstance(level, Real) or not 0 < level < 1:
        raise BarometreError(f"level={level!r} refusé : une part entre 0 et 1, 0.90 par exemple")


def _replicate(runs: Runs, keep: bool) -> tuple[NDArray[Any], Floats | None]:
    """Rank every replication."""
    parts, scores = [], []
    for block in runs.blocks():
        found = runs.scorer.scores(runs.base.rows(block))
        parts.append(ranks_of(found))
        if keep:
            scores.append(found)
    return np.concatenate(parts), np.concatenate(scores) if keep else None


def _choices(design: Replications, options: Alternatives) -> pd.DataFrame:
    words = options.labels
    columns = {
        name: pd.Series(np.array(words[key], dtype=object)[design.choices[:, j]], dtype="str")
        for j, (key, name) in enumerate(_CHOICES.items())
    }
    return pd.DataFrame(columns)
