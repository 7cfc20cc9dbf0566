"""Correlations of indicators and nodes: Pearson, Spearman, Kendall, each with its number and p."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import Face, number_text
from barometre.composite.score.levels import Levels
from barometre.composite.score.years import refuse_several_years
from barometre.composite.treatment.inputs import indicators

Coefficient: TypeAlias = Literal["pearson", "spearman", "kendall"]
PARENT, SIBLINGS = "dessous", "frères"

_STRONG = 0.9  # two indicators that say the same thing (COINr, COIN tool)
_FEWEST = 3  # units under which nothing is correlated
_SHOWN = 5
_NAMES = {"pearson": "Pearson", "spearman": "Spearman", "kendall": "tau-b de Kendall"}


@dataclass(frozen=True, eq=False)
class Correlations(Face):
    """What `correlations` returns.

    Attributes
    ----------
    table : DataFrame
        A row a pair: ``un``, ``autre``, ``lien`` (``"dessous"`` where the other is a node that the
        first is part of, ``"frères"`` where both make one node, else empty), ``n`` units that have
        both, ``correlation`` and ``p``, missing under 3 units and for a constant.
    matrix : DataFrame
        The same, as a square.
    method : {"pearson", "spearman", "kendall"}
        The coefficient.
    """

    table: pd.DataFrame
    matrix: pd.DataFrame
    method: Coefficient

    def sentences(self) -> list[str]:
        """Say which pairs go together, and which components go against their node."""
        known = self.table.dropna(subset="correlation")
        lines = [
            f"Corrélations ({_NAMES[self.method]}) : {counted(len(known), 'paire')}"
            f" sur {len(self.table)}."
        ]
        against = known[(known["lien"] == PARENT) & (known["correlation"] < 0)]
        brothers = known["lien"].isin((SIBLINGS, ""))
        close = known[brothers & (known["correlation"].abs() > _STRONG)]
        if (known["lien"] != "").any():
            close = close[close["lien"] == SIBLINGS]
        lines += _named("Contraires à leur nœud", against)
        lines += _named(f"Au-delà de {number_text(_STRONG, 1)}", close)
        return lines


def _named(title: str, rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return []
    worst = rows.reindex(rows["correlation"].abs().sort_values(ascending=False).index)
    named = [
        f"« {row['un']} » et « {row['autre']} » {number_text(row['correlation'], 2)}"
        for row in worst.head(_SHOWN).to_dict("records")
    ]
    more = f" ; et {len(rows) - _SHOWN} de plus" if len(rows) > _SHOWN else ""
    return [f"{title} : {' ; '.join(named)}{more}."]


def correlations(data: pd.DataFrame | Levels, *, method: Coefficient = "pearson") -> Correlations:
    """Correlate indicators, or every leaf and node of scores, two by two.

    Parameters
    ----------
    data : DataFrame, units x indicators, or Scores
        Values as they are, or the scores of an index: leaves are then normalised, hence all in the
        direction where more is better, and nodes are with them.
    method : {"pearson", "spearman", "kendall"}, default "pearson"
        Of values, of ranks, or of the order of pairs of units (tau-b, which counts ties).

    Returns
    -------
    Correlations
        A row a pair of columns, on the units that have both.

    Raises
    ------
    BarometreError
        A column that is no number, fewer than two, several years at once, another method.

    Notes
    -----
    ``get_corr`` of COINr. p-values are those of scipy: Student for Pearson and Spearman, exact or
    normal for Kendall. They suppose units drawn at random, and are many: read the coefficients
    first.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [1, 2, 4, 3], "c": [9, 7, 4, 1]})
    >>> correlations(frame, method="kendall").matrix.round(2).to_numpy().tolist()
    [[1.0, 0.67, -1.0], [0.67, 1.0, -0.67], [-1.0, -0.67, 1.0]]
    """
    if method not in get_args(Coefficient):
        raise UnknownNameError("corrélation", str(method), get_args(Coefficient))
    frame = data.table if isinstance(data, Levels) else indicators(data, "corrélations refusées")
    if frame.shape[1] < 2:
        raise BarometreError("corrélations refusées : il faut au moins deux indicateurs")
    refuse_several_years(frame.index, "corrélations refusées")
    links = _links(data) if isinstance(data, Levels) else {}
    values = frame.to_numpy(np.float64)
    rows = [
        (frame.columns[i], frame.columns[j], links.get((i, j), ""),
         *_pair(values[:, i], values[:, j], method))
        for i, j in combinations(range(frame.shape[1]), 2)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["un", "autre", "lien", "n", "correlation", "p"])
    square = np.eye(frame.shape[1])
    square[np.triu_indices_from(square, 1)] = table["correlation"]
    square = np.where(np.tri(len(square), k=-1) > 0, square.T, square)
    steady = np.array([_steady(column[~np.isnan(column)]) for column in values.T], np.bool_)
    square[np.diag_indices_from(square)] = np.where(steady, np.nan, 1.0)
    matrix = pd.DataFrame(square, index=frame.columns, columns=frame.columns)
    return Correlations(table, matrix, method)


def _steady(values: Floats) -> bool:
    return len(values) < _FEWEST or bool(np.ptp(values) == 0)


def _pair(one: Floats, other: Floats, method: Coefficient) -> tuple[int, float, float]:
    from scipy import stats

    known = ~(np.isnan(one) | np.isnan(other))
    x, y = one[known], other[known]
    if _steady(x) or _steady(y):
        return len(x), np.nan, np.nan
    test = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}
    found = test[method](x, y)
    return len(x), float(found.statistic), float(found.pvalue)


def _links(scores: Levels) -> dict[tuple[int, int], str]:
    """Tell which columns of scores are below which, and which make one node."""
    tree = scores.tree
    place = {name: i for i, name in enumerate(scores.table.columns)}
    above = {child: node for node, children in tree.children.items() for child in children}
    links: dict[tuple[int, int], str] = {}
    for name in place:
        node = above.get(name)
        while node is not None:
            links[min(place[name], place[node]), max(place[name], place[node])] = PARENT
            node = above.get(node)
    for children in tree.children.values():
        for one, other in combinations(sorted(place[child] for child in children), 2):
            links[one, other] = SIBLINGS
    return links
