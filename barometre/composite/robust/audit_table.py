"""The audit of an index on a table: what passes, what to look at, what fails, and why."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from numbers import Real
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.french import format_number
from barometre.composite.robust.audit_checks import (
    Smoother,
    cronbach_alpha,
    extremes,
    first_order,
    score_without,
    shifts,
    spread_shape,
)
from barometre.composite.score.levels import unit_names
from barometre.composite.score.normalise import transformed
from barometre.composite.score.scores import Scores, score
from barometre.composite.score.years import refuse_several_years
from barometre.composite.tree.shape import Tree

PASS, LOOK, FAIL = "conforme", "à regarder", "non conforme"
COLUMNS = ["controle", "noeud", "element", "valeur", "seuil", "verdict", "raison"]
_FEWEST = 3  # units under which nothing is correlated


@dataclass(frozen=True)
class Thresholds:
    """What separates the verdicts; each is an option of `audit`.

    Parameters
    ----------
    available, unavailable : float
        Shares of values under which availability is to be looked at, then fails.
    skewness, kurtosis : float
        Both passed: outliers.
    weak : float
        Correlation with the parent under which a component hardly counts; negative, it fails.
    redundant, opposed : float
        Correlations between siblings above and below which they repeat or offset one another.
    cronbach : float
        Cronbach's alpha under which a node is to be looked at; negative, it fails.
    cronbach_gain : float
        Gain in alpha without a component from which it is to be looked at.
    importance_ratio : float
        Ratio of importance to weight (or of weight to importance) to be looked at.
    mean_shift, max_shift : float
        Mean and largest rank shift without an indicator, as shares of the number of units.
    extreme_range : float
        Share of an observed range due to one unit.
    extreme_shift : float
        Mean rank shift without that unit in the bounds, as a share of the number of units.
    """

    available: float = 0.8
    unavailable: float = 0.5
    skewness: float = 2.0
    kurtosis: float = 3.5
    weak: float = 0.3
    redundant: float = 0.92
    opposed: float = -0.4
    cronbach: float = 0.7
    cronbach_gain: float = 0.05
    importance_ratio: float = 2.0
    mean_shift: float = 0.05
    max_shift: float = 0.25
    extreme_range: float = 0.5
    extreme_shift: float = 0.05

    @classmethod
    def read(cls, given: dict[str, float]) -> Thresholds:
        """Check the options given."""
        admitted = [field.name for field in fields(cls)]
        for name, value in given.items():
            if name not in admitted:
                raise UnknownNameError("seuil", name, [*admitted, "smoother"])
            if isinstance(value, bool) or not isinstance(value, Real) or value != value:
                raise BarometreError(f"seuil {name}={value!r} refusé : donner un nombre")
        return cls(**given)


class _Row(NamedTuple):
    controle: str
    noeud: str
    element: str
    valeur: float
    seuil: float
    verdict: str
    raison: str


def audit(
    tree: Tree, frame: pd.DataFrame, *, smoother: Smoother = "spline", **thresholds: float
) -> pd.DataFrame:
    """Audit an index on a table: one row a check and an element, with its verdict and its reason.

    Parameters
    ----------
    tree : Tree
        The `Index`.
    frame : DataFrame, units x leaves
        Raw values, as in `Index.score`; one year.
    smoother : {"spline", "linear"}, default "spline"
        How importance is estimated: see `first_order`.
    **thresholds : float
        Fields of `Thresholds`, by default those of the COIN tool and audits of the Joint Research
        Centre for skewness (2), kurtosis (3.5) and redundancy (0.92).

    Returns
    -------
    DataFrame
        ``controle``; ``noeud`` and ``element`` concerned; ``valeur`` and ``seuil``; ``verdict``,
        ``"conforme"``, ``"à regarder"`` or ``"non conforme"``; ``raison``. What cannot be computed
        (no unit, too few, a constant) has no value and is to be looked at.

    Raises
    ------
    BarometreError
        What `Index.score` refuses, several years, an unknown threshold.

    Notes
    -----
    Checks, in order:

    - ``disponibilite_feuille``, ``disponibilite_territoire``: share of normalised values;
    - ``asymetrie``, ``aplatissement``: of each leaf after its transform, sample formulas (Joanes
      and Gill, 1998, type 2); outliers where both pass their threshold;
    - ``sens``: Pearson correlation of a component, oriented, with its node (of which it is part);
    - ``correlation``: of two components of a node, on the units that have both;
    - ``alpha``, ``alpha_sans``: Cronbach's alpha (1951) of the components of a node, normalised
      and oriented, on their covariances and complete units; then without each component, of three
      at least;
    - ``importance``, ``importance_feuille``: share of each component in the sum of the correlation
      ratios of its node, or of each leaf in those of the root, against its weight times or divided
      by ``importance_ratio`` (Paruolo, Saisana and Saltelli, 2013, JRSS A 176). For independent
      normal components of an arithmetic mean it is ``w_i^2 var_i`` over their sum: equal weights
      give more to what varies more;
    - ``retrait_moyen``, ``retrait_max``: rank shifts of the root without a leaf, its weight going
      to its siblings;
    - ``extreme_etendue``, ``extreme_rangs``: for each end of a min-max leaf, the share of the range
      due to the unit that holds it, and the mean rank shift of the others when bounds are observed
      without it.

    Examples
    --------
    >>> from barometre.composite import Index
    >>> table = pd.DataFrame({
    ...     "id": ["indice", "emploi", "diplome", "chomage"],
    ...     "parent": [None, "indice", "indice", "indice"],
    ...     "direction": [1, 1, 1, 1],
    ... })
    >>> index = Index.from_table(table, normalise="minmax")
    >>> frame = pd.DataFrame({
    ...     "emploi": [50, 62, 70, 71], "diplome": [40, 48, 55, 60], "chomage": [22, 16, 12, 6]
    ... })
    >>> checks = audit(index, frame)
    >>> print(checks.loc[checks["controle"] == "sens", "raison"].iloc[-1])
    corrélation −0,90 avec « indice » : varie à l'inverse ; vérifier la direction
    """
    if smoother not in get_args(Smoother):
        raise UnknownNameError("lissage", str(smoother), get_args(Smoother))
    limits = Thresholds.read(thresholds)
    refuse_several_years(
        frame.index if isinstance(frame, pd.DataFrame) else pd.Index([]), "audit refusé"
    )
    scores = score(tree, frame)
    checks: tuple[Callable[[Scores, Thresholds], Iterator[_Row]], ...] = (
        _availability,
        _shapes,
        _directions,
        _pairs,
        _alphas,
        lambda s, t: _importances(s, t, smoother),
        _left_out,
        _extremes,
    )
    rows = [row for check in checks for row in check(scores, limits)]
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        dict.fromkeys(("controle", "noeud", "element", "verdict", "raison"), "str")
        | dict.fromkeys(("valeur", "seuil"), "float64")
    )


def _number(value: float, decimals: int = 2) -> str:
    return "non calculable" if np.isnan(value) else format_number(value, decimals)


def _judged(
    row: tuple[str, str, str], value: float, limit: float, verdict: str, reason: str
) -> _Row:
    """Make a row; what has no value is to be looked at."""
    if np.isnan(value):
        return _Row(*row, value, limit, LOOK, "non calculable : trop peu de valeurs, ou constantes")
    return _Row(*row, value, limit, verdict, reason)


# ---- values -------------------------------------------------------------------------------------


def _availability(scores: Scores, limits: Thresholds) -> Iterator[_Row]:
    known = ~np.isnan(scores.normalised.to_numpy())
    root, (units, leaves) = scores.tree.root, known.shape

    def row(check: str, node: str, element: str, count: int, of: int, noun: str) -> _Row:
        share = count / of if of else np.nan
        verdict, limit = PASS, limits.available
        if share < limits.unavailable:
            verdict, limit = FAIL, limits.unavailable
        elif share < limits.available:
            verdict = LOOK
        reason = f"{counted(count, noun)} sur {of}"
        return _judged((check, node, element), share, limit, verdict, reason)

    raw = scores.raw.notna().to_numpy()
    for j, leaf in enumerate(scores.tree.leaves):
        found = row("disponibilite_feuille", leaf.parent, leaf.id, int(known[:, j].sum()), units,
                    "valeur")  # fmt: skip
        if raw[:, j].any() and not known[:, j].any():
            found = found._replace(raison="aucune échelle : une seule valeur, ou toutes égales")
        yield found
    for name, count in zip(unit_names(scores.table.index), known.sum(axis=1), strict=True):
        yield row("disponibilite_territoire", root, name, int(count), leaves, "feuille")


def _shapes(scores: Scores, limits: Thresholds) -> Iterator[_Row]:
    for leaf in scores.tree.leaves:
        skewness, kurtosis = spread_shape(transformed(scores.raw[leaf.id].to_numpy(), leaf))
        outliers = abs(skewness) > limits.skewness and kurtosis > limits.kurtosis
        reason = f"asymétrie {_number(skewness)}, aplatissement {_number(kurtosis)}"
        if outliers:
            reason += " : valeurs extrêmes ; transformer (log) ou borner"
        for check, value, limit in (
            ("asymetrie", skewness, limits.skewness),
            ("aplatissement", kurtosis, limits.kurtosis),
        ):
            place = check, leaf.parent, leaf.id
            yield _judged(place, value, limit, LOOK if outliers else PASS, reason)


# ---- structure ----------------------------------------------------------------------------------


def _correlations(scores: Scores, names: list[str]) -> pd.DataFrame:
    return scores.table[names].corr(min_periods=_FEWEST)


def _directions(scores: Scores, limits: Thresholds) -> Iterator[_Row]:
    for node in scores.tree.upward:
        parts = scores.tree.children[node.id]
        with_node = _correlations(scores, [*parts, node.id])[node.id]
        for name in parts:
            value = float(with_node[name])
            verdict, limit, more = PASS, limits.weak, ""
            if value < 0:
                verdict, limit, more = FAIL, 0.0, " : varie à l'inverse ; vérifier la direction"
            elif value < limits.weak:
                verdict, more = LOOK, " : compte à peine"
            reason = f"corrélation {_number(value)} avec « {node.id} »{more}"
            yield _judged(("sens", node.id, name), value, limit, verdict, reason)


def _pairs(scores: Scores, limits: Thresholds) -> Iterator[_Row]:
    for node in scores.tree.upward:
        parts = list(scores.tree.children[node.id])
        between = _correlations(scores, parts).to_numpy()
        for (i, one), (j, two) in itertools.combinations(enumerate(parts), 2):
            value = float(between[i, j])
            verdict, limit, more = PASS, limits.redundant, ""
            if abs(value) > limits.redundant:
                verdict, more = LOOK, " : redondantes"
            if value < limits.opposed:
                verdict, limit, more = LOOK, limits.opposed, " : se compensent dans la moyenne"
            reason = f"corrélation {_number(value)}{more}"
            yield _judged(("correlation", node.id, f"{one} × {two}"), value, limit, verdict, reason)


def _alphas(scores: Scores, limits: Thresholds) -> Iterator[_Row]:
    for node in scores.tree.upward:
        parts = list(scores.tree.children[node.id])
        if len(parts) < 2:
            continue
        components = scores.table[parts].to_numpy()
        whole = cronbach_alpha(components)
        verdict, limit = PASS, limits.cronbach
        if whole < 0:
            verdict, limit = FAIL, 0.0
        elif whole < limits.cronbach:
            verdict = LOOK
        reason = f"alpha {_number(whole)} de {len(parts)} composantes"
        yield _judged(("alpha", node.id, node.id), whole, limit, verdict, reason)
        for j, name in enumerate(parts if len(parts) > 2 else ()):
            value = cronbach_alpha(np.delete(components, j, axis=1))
            limit = whole + limits.cronbach_gain
            verdict = LOOK if value > limit else PASS
            reason = f"alpha {_number(value)} sans elle, {_number(whole)} avec"
            yield _judged(("alpha_sans", node.id, name), value, limit, verdict, reason)


# ---- weights and influence ----------------------------------------------------------------------


def _importances(scores: Scores, limits: Thresholds, smoother: Smoother) -> Iterator[_Row]:
    tree = scores.tree
    for node in tree.upward:
        yield from _against_weights(
            scores, limits, smoother, "importance", node.id, tree.shares(node.id)
        )
    if len(tree.nodes) > 1:
        weights = tree.effective_weights
        leaves = {leaf.id: float(weights[leaf.id]) for leaf in tree.leaves}
        yield from _against_weights(
            scores, limits, smoother, "importance_feuille", tree.root, leaves
        )


def _against_weights(
    scores: Scores,
    limits: Thresholds,
    smoother: Smoother,
    check: str,
    node: str,
    weights: dict[str, float],
) -> Iterator[_Row]:
    if len(weights) < 2:
        return
    score = scores.table[node].to_numpy()
    found = {n: first_order(scores.table[n].to_numpy(), score, smoother) for n in weights}
    total = float(np.nansum([*found.values()]))
    for name, weight in weights.items():
        share = found[name] / total if total > 0 else np.nan
        verdict, limit, more = PASS, weight * limits.importance_ratio, ""
        if 0 < limit < share:
            verdict, more = LOOK, " : compte plus que son poids"
        elif share < weight / limits.importance_ratio:
            verdict, limit = LOOK, weight / limits.importance_ratio
            more = " : compte moins que son poids"
        reason = (
            f"importance {_number(100 * share, 0)} %, poids {_number(100 * weight, 0)} %"
            f" (rapport de corrélation {_number(found[name])}){more}"
        )
        yield _judged((check, node, name), share, limit, verdict, reason)


def _left_out(scores: Scores, limits: Thresholds) -> Iterator[_Row]:
    root = scores.tree.root
    tops = scores.table[root].to_numpy()
    units = int((~np.isnan(tops)).sum())
    for leaf in scores.tree.leaves:
        again = score_without(scores, leaf.id)
        moves = (np.nan, np.nan) if again is None else shifts(tops, again)
        for check, value, share, how_much in (
            ("retrait_moyen", moves[0], limits.mean_shift, f"{_number(moves[0], 1)} en moyenne"),
            ("retrait_max", moves[1], limits.max_shift, f"{_number(moves[1], 0)} au plus"),
        ):
            limit = share * units
            reason = f"sans elle, les rangs bougent de {how_much} sur {units}"
            place = check, root, leaf.id
            if again is None:
                reason = "sans elle, son nœud n'a plus de composante qui ait un poids"
                yield _Row(*place, value, limit, LOOK, reason)
                continue
            yield _judged(place, value, limit, LOOK if value > limit else PASS, reason)


def _extremes(scores: Scores, limits: Thresholds) -> Iterator[_Row]:
    tops = scores.table[scores.tree.root].to_numpy()
    units = int((~np.isnan(tops)).sum())
    for leaf in scores.tree.leaves:
        for found in extremes(scores, leaf.id) if leaf.normalise == "minmax" else ():
            holder = f"borne {found.end} tenue par {found.units[0]}"
            if len(found.units) > 1:
                holder = f"borne {found.end} partagée par {len(found.units)} territoires"
            element = f"{leaf.id} ({found.end})"
            part = f"{holder} : {_number(100 * found.share, 0)} % de l'étendue"
            moves = (
                f"{holder} : sans lui, les rangs des autres bougent de"
                f" {_number(found.mean_shift, 1)} en moyenne, {_number(found.max_shift, 0)} au plus"
            )
            for check, value, limit, reason in (
                ("extreme_etendue", found.share, limits.extreme_range, part),
                ("extreme_rangs", found.mean_shift, limits.extreme_shift * units, moves),
            ):
                verdict = LOOK if value > limit else PASS
                yield _Row(check, leaf.parent, element, value, limit, verdict, reason)
