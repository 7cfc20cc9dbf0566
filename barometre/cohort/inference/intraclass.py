"""How alike the people of a cluster are: the intra-class correlation and its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import Face, counted_text, interval_text, number_text
from barometre.base.version import __version__
from barometre.cohort.rows.columns import as_codes, as_numbers, require_columns
from barometre.cohort.rows.panel import PanelRows


@dataclass(frozen=True)
class IntraClass(Face):
    """Intra-class correlation; `minimum_detectable_effect` and `sample_size` take it as ``icc``.

    Attributes
    ----------
    estimate : float
        Share of the variance that is between clusters; it may be negative by chance.
    low, high : float
        Bounds of its interval.
    n, n_clusters : int
        People and clusters.
    mean_size : float
        Mean size of a cluster.
    meta : dict
        ``method``, ``convention``, ``level``, ``n_in``, ``n_used``, ``lost``, ``design_effect``...
    """

    estimate: float
    low: float
    high: float
    n: int
    n_clusters: int
    mean_size: float
    meta: Mapping[str, Any] = field(repr=False)

    def __float__(self) -> float:
        """Return the correlation, 0 when it is negative."""
        return max(self.estimate, 0.0)

    @property
    def table(self) -> pd.DataFrame:
        """One row: ``estimate, low, high, n, n_clusters, mean_size``."""
        names = ("estimate", "low", "high", "n", "n_clusters", "mean_size")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def sentences(self) -> list[str]:
        """Say the correlation, and what it costs."""
        return [
            f"Corrélation intra-grappe de « {self.meta['outcome']} » : "
            f"{number_text(self.estimate, 3)} {interval_text(self.low, self.high, 3)}, "
            f"{counted_text(self.n, 'personne')} dans {counted_text(self.n_clusters, 'grappe')}.",
            f"Effet de plan de grappes de {number_text(self.mean_size, 1)} personnes : "
            f"{number_text(self.meta['design_effect'], 2)}.",
            f"Convention : {self.meta['convention']}.",
        ]


def intraclass_correlation(
    frame: pd.DataFrame, outcome: str, cluster: str, *, level: float = 0.95
) -> IntraClass:
    """Estimate the intra-class correlation of an outcome by one-way analysis of variance.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    outcome : str
        Column of numbers, or of 0 and 1; missing ones are left out and counted. For a plan with
        waves before and after, give the change.
    cluster : str
        Column of the cluster.
    level : float, default 0.95
        Level of the interval.

    Returns
    -------
    IntraClass
        Correlation, interval, sizes. The interval is not cut at 0.

    Raises
    ------
    BarometreError
        Fewer than 2 clusters, clusters of one person only, an outcome that does not vary, a level
        out of bounds.

    Notes
    -----
    (MSB - MSW) / (MSB + (m - 1) MSW) with m = (n - sum n_g^2 / n) / (G - 1), the size of unequal
    clusters (Donner, 1986). Interval of Searle from the law of F = MSB / MSW, exact for equal
    clusters of normal values and close to its level for unequal ones (Donner, Wells, 1986).

    Examples
    --------
    >>> rows = pd.DataFrame({"y": [1.0, 2, 5, 6, 9, 9], "qp": list("aabbcc")})
    >>> icc = intraclass_correlation(rows, "y", "qp")
    >>> round(icc.estimate, 3), round(icc.low, 3), round(icc.high, 3)
    (0.977, 0.681, 0.999)
    """
    from scipy import stats

    require_columns(frame, [outcome, cluster])
    if not 0 < level < 1:
        raise BarometreError(f"level = {level} refusé : donner un niveau entre 0 et 1")
    values = as_numbers(frame[outcome], outcome, missing=True)
    kept = ~np.isnan(values)
    y = values[kept]
    codes, levels = as_codes(frame[cluster][kept], cluster)
    n, g = len(y), len(levels)
    if g < 2 or n <= g:
        raise BarometreError(
            f"{counted(g, 'grappe')} pour {counted(n, 'personne')} : il en faut au moins 2, dont "
            "une de plusieurs personnes"
        )
    sizes = np.bincount(codes).astype(float)
    means = np.bincount(codes, y - y.mean()) / sizes
    between = float(sizes @ np.square(means)) / (g - 1)
    within = float(np.square(y - y.mean() - means[codes]).sum()) / (n - g)
    if not between + within > 0:
        raise BarometreError(f"« {outcome} » ne varie pas : pas de corrélation")
    m = (n - float(sizes @ sizes) / n) / (g - 1)
    ratio = between / within if within > 0 else np.inf
    tail = (1 - level) / 2
    low, high = (
        ratio / stats.f.isf(tail, g - 1, n - g),
        ratio * stats.f.isf(tail, n - g, g - 1),
    )
    found = [(f - 1) / (f + m - 1) if np.isfinite(f) else 1.0 for f in (ratio, low, high)]
    lost = int((~kept).sum())
    meta = {
        "method": "corrélation intra-grappe par analyse de variance",
        "convention": f"analyse de variance à un facteur ; intervalle de Searle à "
        f"{round(100 * level, 1):g} % (Donner, Wells, 1986)",
        "outcome": outcome,
        "level": level,
        "cluster": cluster,
        "n_in": len(values),
        "n_used": n,
        "lost": {"résultat manquant": lost} if lost else {},
        "design_effect": 1 + (n / g - 1) * max(found[0], 0.0),
        "version": __version__,
    }
    estimate, lower, upper = map(float, found)
    return IntraClass(estimate, lower, upper, n, g, n / g, meta)


def panel_intraclass(
    panel: PanelRows,
    outcome: str,
    wave: Any = None,
    *,
    since: Any = None,
    cluster: str | None = None,
    level: float = 0.95,
) -> IntraClass:
    """Estimate `intraclass_correlation` at a wave, or of the change since another one."""
    group = cluster or panel.cluster
    if group is None:
        raise BarometreError("cohorte sans cluster : le donner, cluster=...")
    require_columns(panel.frame, [outcome, group])
    numbers = panel.frame[outcome]
    values = _at(panel, numbers, panel.waves[-1] if wave is None else wave)
    if since is not None:
        values = values - _at(panel, numbers, since)
    frame = pd.DataFrame({outcome: values, group: panel.baseline(group).array})
    return intraclass_correlation(frame, outcome, group, level=level)


def _at(panel: PanelRows, column: pd.Series[Any], wave: Any) -> Any:
    """Give the values at a wave, one per person; missing for who is not seen."""
    person, position = panel.codes
    known = pd.Index(panel.waves).get_indexer(pd.Index([wave]))[0]
    if known < 0:
        raise UnknownNameError("nom de vague", str(wave), map(str, panel.waves))
    values = np.full(panel.n_people, np.nan)
    rows = position == known
    values[person[rows]] = as_numbers(column[rows], str(column.name), missing=True)
    return values
