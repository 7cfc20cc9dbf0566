"""What a unit does best and worst among the others, indicator by indicator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans
from barometre.base.errors import BarometreError
from barometre.base.face import Face, decimals_of, number_text
from barometre.composite.score.levels import Levels, unit_names
from barometre.composite.score.years import rows_by_year

BEST, WORST = "force", "faiblesse"


@dataclass(frozen=True, eq=False)
class Strengths(Face):
    """What `Scores.strengths` returns.

    Attributes
    ----------
    table : DataFrame
        A row an indicator, strengths first, the best ahead, then weaknesses, the worst ahead:
        ``sens`` (``"force"``, ``"faiblesse"``), ``noeud``, ``parent``, ``rang``, ``sur`` (units
        ranked), ``valeur``, ``moyenne`` and ``mediane`` of the units ranked (in natural units),
        ``score`` (normalised: more is better).
    unit : str
        The unit.
    """

    table: pd.DataFrame
    unit: str

    def sentences(self) -> list[str]:
        """Say the ranks of the strengths and weaknesses."""
        lines = []
        for sense, title in ((BEST, "Forces"), (WORST, "Faiblesses")):
            rows = self.table[self.table["sens"] == sense].to_dict("records")
            named = [
                f"« {row['noeud']} » {row['rang']}e sur {row['sur']}".replace(" 1e ", " 1er ")
                + f" ({_number(row['valeur'])}, moyenne {_number(row['moyenne'])})"
                for row in rows
            ]
            lines.append(f"{title} de {self.unit} : {' ; '.join(named) or 'aucune'}.")
        return lines


def _number(value: float) -> str:
    return number_text(value, min(decimals_of(abs(value) or 1.0), 3))


def strengths_of(scores: Levels, row: int, number: int) -> Strengths:
    """Find the strengths of one row; `Scores.strengths` says how."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
        raise BarometreError(f"number={number!r} refusé : donner un nombre entier positif")
    leaves = list(scores.normalised.columns)
    years = scores.table.index
    ranked = scores.ranks[leaves]
    same = _same_year(years, row)
    places = pd.DataFrame(
        {
            "noeud": leaves,
            "parent": [leaf.parent for leaf in scores.tree.leaves],
            "rang": ranked.iloc[row].array,
            "sur": ranked[same].notna().sum().to_numpy(),
            "valeur": scores.raw.iloc[row].to_numpy(),
            "moyenne": scores.raw[same].mean().to_numpy(),
            "mediane": scores.raw[same].median().to_numpy(),
            "score": scores.normalised.iloc[row].to_numpy(),
        }
    )
    places = places[places["rang"].notna()]
    # From 0, the best, to 1, the worst: indicators known of fewer units compare with the others.
    middle = (places["rang"].astype(float) - 1) / (places["sur"] - 1).clip(lower=1)
    # Where all have one value, all are first, and nothing stands out.
    values = scores.normalised[same]
    spread = (values.max() > values.min()).reindex(places["noeud"]).to_numpy()
    order = middle[spread].sort_values(kind="stable")
    best = order.index[order.to_numpy() < 0.5][:number]
    worst = order.index[::-1][order.to_numpy()[::-1] > 0.5][:number]
    table = pd.concat([places.loc[best], places.loc[worst]], ignore_index=True)
    table.insert(0, "sens", [BEST] * len(best) + [WORST] * len(worst))
    return Strengths(table, unit_names(years[[row]])[0])


def _same_year(units: pd.Index, row: int) -> Booleans:
    """Tell the rows of the year of a row: ranks are within a year."""
    same = np.zeros(len(units), np.bool_)
    for rows in rows_by_year(units):
        chosen = np.arange(len(units))[rows]
        if row in chosen:
            same[chosen] = True
    return same
