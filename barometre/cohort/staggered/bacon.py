"""What two-way fixed effects average: the comparisons of Goodman-Bacon, and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, decimals_of, number_text, percent_text
from barometre.base.version import __version__
from barometre.cohort.rows.panel import PanelRows
from barometre.cohort.staggered.group_time_people import gather_waves

NEVER, LATER, BEFORE = "jamais traités", "traités plus tard", "déjà traités"


@dataclass(frozen=True, eq=False)
class BaconWeights(Face):
    """Two-way fixed effects taken apart.

    Attributes
    ----------
    table : DataFrame
        ``treated, control, comparison, estimate, weight``: one row per 2 x 2 comparison of a group
        of entry with another one; ``comparison`` says what the control is then.
    estimate : float
        Sum of the products of estimates and weights: the effect that `twfe` gives.
    meta : dict
        ``method``, ``convention``, ``n_in``, ``n_used``, ``lost``.
    """

    table: pd.DataFrame
    estimate: float
    meta: Mapping[str, Any] = field(repr=False)

    @property
    def by_comparison(self) -> pd.DataFrame:
        """Weight and mean estimate of each kind of comparison."""
        total = self.table["weight"].groupby(self.table["comparison"]).sum()
        product = self.table["weight"] * self.table["estimate"]
        mean = product.groupby(self.table["comparison"]).sum() / total
        return pd.DataFrame({"weight": total, "estimate": mean})

    def sentences(self) -> list[str]:
        """Say the weight of each kind of comparison, and what to fear."""
        digits = decimals_of(abs(self.estimate) / 10)
        lines = [
            f"Effets fixes à deux dimensions : {number_text(self.estimate, digits)}, moyenne de "
            f"{counted_text(len(self.table), 'comparaison')} 2 × 2."
        ]
        lines += [
            f"Contre les {name} : {percent_text(row.weight, 1)} du poids, effet moyen "
            f"{number_text(row.estimate, digits)}."
            for name, row in self.by_comparison.iterrows()
        ]
        if BEFORE in set(self.table["comparison"]):
            lines.append(
                "Ceux qui sont déjà traités servent de témoins : si leur effet change avec le "
                "temps, la moyenne est fausse ; préférer att_gt."
            )
        return lines


def bacon_weights(
    frame: pd.DataFrame, outcome: str, *, person: str, wave: str, first_treated: str
) -> BaconWeights:
    """Take two-way fixed effects apart into 2 x 2 comparisons between groups of entry.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    outcome : str
        Column of numbers.
    person, wave, first_treated : str
        Columns, as in `att_gt`; who enters at the first wave is always treated.

    Returns
    -------
    BaconWeights
        The comparisons, with the people seen at every wave; the others are counted in
        ``meta["lost"]``.

    Raises
    ------
    BarometreError
        Fewer than 2 groups of entry, nobody seen at every wave; what `att_gt` refuses of columns.

    Notes
    -----
    Goodman-Bacon (2021), theorem 1: the weight of a comparison is the variance of the treatment
    that it brings, within its two groups and its waves. Weights add up to 1.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": np.repeat([1, 2, 3], 3), "t": [1, 2, 3] * 3,
    ...                      "g": np.repeat([0, 2, 3], 3), "y": [0, 0, 0, 0, 1, 1, 0, 0, 5]})
    >>> parts = bacon_weights(rows, "y", person="id", wave="t", first_treated="g")
    >>> parts.table["control"].astype(str).tolist(), parts.table["estimate"].tolist()
    (['jamais', '3', 'jamais', '2'], [1.0, 1.0, 5.0, 5.0])
    >>> round(float(parts.table["weight"].sum()), 12)
    1.0
    """
    return panel_bacon_weights(PanelRows(frame, person, wave, first_treated=first_treated), outcome)


def panel_bacon_weights(panel: PanelRows, outcome: str) -> BaconWeights:
    """Take apart two-way fixed effects on a panel, each person weighing the same."""
    values, entry, waves, write = gather_waves(panel, outcome)
    kept = np.asarray(np.isfinite(values).all(axis=0), np.bool_)
    if not kept.any():
        raise BarometreError("personne n'est vu à toutes les vagues : rien à décomposer")
    values, entry = values[:, kept], entry[kept]
    entry = np.where(entry > waves[-1], np.inf, np.maximum(entry, waves[0]))
    groups, of = np.unique(entry, return_inverse=True)
    if len(groups) < 2:
        raise BarometreError("un seul groupe d'entrée : il n'y a personne à comparer")
    share = np.bincount(of) / len(of)
    means = np.stack([values[:, of == k].mean(axis=1) for k in range(len(groups))])
    treated = (waves[None, :] >= groups[:, None]).astype(float)
    rows = [
        (k, j, *_comparison(k, j, groups, share, means, treated, waves))
        for k in range(len(groups))
        for j in np.argsort(-groups)
        if k != j and np.isfinite(groups[k]) and groups[k] > waves[0]
    ]
    found = pd.DataFrame(rows, columns=["treated", "control", "comparison", "estimate", "weight"])
    found["weight"] /= found["weight"].sum()

    def name(k: int) -> Any:
        return "jamais" if np.isinf(groups[k]) else write([groups[k]])[0]

    table = found.assign(
        treated=[name(k) for k in found["treated"]], control=[name(k) for k in found["control"]]
    )
    lost = int((~kept).sum())
    meta = {
        "method": "décomposition des effets fixes à deux dimensions",
        "convention": "Goodman-Bacon (2021), personnes vues à toutes les vagues",
        "outcome": outcome,
        "n_in": len(kept),
        "n_used": int(kept.sum()),
        "lost": {"pas vues à toutes les vagues": lost} if lost else {},
        "version": __version__,
    }
    return BaconWeights(table, float((table["estimate"] * table["weight"]).sum()), meta)


def _comparison(
    k: int, j: int, groups: Floats, share: Floats, means: Floats, treated: Floats, waves: Floats
) -> tuple[str, float, float]:
    """Compare group k, when it enters, with group j while the status of j does not change."""
    if np.isinf(groups[j]):
        kind, window = NEVER, np.ones(len(waves), np.bool_)
    elif groups[j] > groups[k]:
        kind, window = LATER, waves < groups[j]
    else:
        kind, window = BEFORE, waves >= groups[j]
    after = (waves >= groups[k])[window]
    gap = (means[k] - means[j])[window]
    estimate = float(gap[after].mean() - gap[~after].mean())
    # Variance of the treatment within the pair and the window, double-demeaned.
    size = share[k] + share[j]
    mine, time = share[k] / size, float(after.mean())
    weight = (size * window.mean()) ** 2 * mine * (1 - mine) * time * (1 - time)
    return kind, estimate, float(weight)
