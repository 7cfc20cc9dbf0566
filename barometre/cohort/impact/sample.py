"""From the rows of a panel to an effect: those with an outcome, and how many people left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, counted
from barometre.cohort.impact.within import TwoWays, near_rows
from barometre.cohort.inference.estimates import Estimate, make_estimate
from barometre.cohort.inference.sandwich import UNCLUSTERED, LeastSquares, StandardError
from barometre.cohort.rows.columns import (
    Positions,
    as_codes,
    as_numbers,
    as_weights,
    require_columns,
)
from barometre.cohort.rows.covariates import complete_columns
from barometre.cohort.rows.keys import positions
from barometre.cohort.rows.panel import PanelRows

_EXPLAINED, _GROUPED = "résultat", "grappe"  # columns of a regression
_INDICATORS = 10**8  # numbers of the indicators of further fixed effects: 0.8 GB
_NO_OUTCOME = "résultat manquant"
_NEVER_SEEN = "résultat manquant à toutes les vagues"


class Regression(NamedTuple):
    """A regression as a frame, for ``wild_bootstrap(*regression, term="effet", intercept=False)``.

    Weights and the fixed effects of people are already in the columns; the effect is ``effet``.

    Attributes
    ----------
    frame : DataFrame
        One row per person and wave used.
    outcome : str
        Column explained.
    terms : list of str
        Columns that explain it.
    cluster : str
        Column of the cluster.
    """

    frame: pd.DataFrame
    outcome: str
    terms: list[str]
    cluster: str


@dataclass(frozen=True)
class Sample:
    """Rows with an outcome.

    ``kept`` points at them among the rows received (None: all of them); the codes are positions
    without gaps among the people, waves and clusters that remain.
    """

    y: Floats
    kept: Booleans | None
    meta: dict[str, Any]
    ways: TwoWays
    weight: Floats | None = None
    cluster: Positions | None = None
    n_clusters: int | None = None

    def regression(self, y: Floats, columns: pd.DataFrame) -> Regression:
        """Put the weights in the columns of a regression."""
        assert self.cluster is not None  # asked for
        if self.weight is not None:
            root = np.sqrt(self.weight)
            y, columns = y * root, columns.mul(root, axis=0)
        frame = columns.assign(**{_EXPLAINED: y, _GROUPED: self.cluster})
        return Regression(frame, _EXPLAINED, list(columns.columns), _GROUPED)

    def take(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Keep the rows used of a column given for all rows."""
        return column if self.kept is None else column[self.kept]


def panel_sample(
    panel: PanelRows, outcome: str, *, cluster: str | None, weight: str | None, se: str
) -> Sample:
    """Gather the rows of a panel that have an outcome.

    Parameters
    ----------
    panel : PanelRows
        The panel.
    outcome : str
        Column of the outcome.
    cluster, weight : str or None
        Columns; those of the cohort by default, the person when it has no cluster.
    se : str
        Standard error: ``"HC1"`` and ``"iid"`` have no cluster.

    Returns
    -------
    Sample
        The rows kept, with the counts of people.

    Raises
    ------
    BarometreError
        Unknown column, cluster that changes within a person.
    """
    clustered = cluster or panel.cluster or panel.person
    if se in UNCLUSTERED:
        clustered = ""
    weighted = weight or panel.weight
    require_columns(panel.frame, [outcome, clustered or None, weighted])
    person, wave = panel.codes
    codes: dict[str, Positions] = {"person": person, "wave": wave}
    if clustered == panel.person:
        codes["cluster"] = person
    elif clustered and clustered == panel.cluster:  # found nested when the panel was checked
        codes["cluster"], _ = panel.cluster_codes
    elif clustered:
        codes["cluster"] = as_codes(panel.frame[clustered], clustered)[0]
        _check_nested(codes["cluster"], person)
    numbers = as_numbers(panel.frame[outcome], outcome, missing=True)
    weights = as_weights(panel.frame[weighted], weighted) if weighted else None
    sample = _sample(numbers, codes, weights)
    shown = clustered or None
    if clustered == panel.person and cluster is None:
        shown = f"{clustered} (la personne, faute de cluster=)"
    named = {"outcome": outcome, "cluster": shown, "weight": weighted}
    return replace(sample, meta={**sample.meta, **named})


def _sample(y: Floats, codes: dict[str, Positions], weight: Floats | None) -> Sample:
    """Leave out the rows without outcome, renumber, count."""
    missing = np.isnan(y)
    lost = int(missing.sum())
    if lost == len(y):
        raise BarometreError("outcome : aucune valeur ; vérifier la colonne du résultat")
    kept = ~missing if lost else None
    people_in = int(codes["person"].max()) + 1
    numbered = {
        name: (code, int(code.max()) + 1) if kept is None else _renumber(code[kept])
        for name, code in codes.items()
    }
    y = y if kept is None else y[kept]
    weight = weight if weight is None or kept is None else weight[kept]
    (person, n_people), (wave, n_waves) = numbered["person"], numbered["wave"]
    gone = people_in - n_people
    cluster, n_clusters = numbered.get("cluster", (None, None))
    meta: dict[str, Any] = {
        "n_in": people_in,
        "n_used": n_people,
        "lost": {_NEVER_SEEN: gone} if gone else {},
        "rows_in": len(missing),
        "rows_used": len(y),
        "rows_lost": {_NO_OUTCOME: lost} if lost else {},
        **({} if n_clusters is None else {"n_clusters": n_clusters}),
    }
    full = len(y) == n_people * n_waves
    ways = TwoWays(person, wave, n_people, n_waves, weight, full)
    return Sample(y, kept, meta, ways, weight, cluster, n_clusters)


def _renumber(codes: Positions) -> tuple[Integers, int]:
    """Number codes again without gaps."""
    present = np.bincount(codes) > 0
    numbers = np.cumsum(present) - 1
    return numbers[codes], int(present.sum())


def _check_nested(cluster: Positions, person: Positions) -> None:
    """Refuse a cluster that changes within a person: fixed effects would not be nested in it."""
    first = np.empty(int(person.max()) + 1, np.int64)
    first[person[::-1]] = cluster[::-1]
    moved = pd.unique(person[first[person] != cluster])
    if len(moved):
        raise BarometreError(
            f"cluster change d'une vague à l'autre pour {counted(len(moved), 'personne')} : donner "
            "une grappe par personne, celle de la première vague par exemple"
        )


def adjusting_columns(
    panel: PanelRows, sample: Sample, covariates: Sequence[str], effects: Sequence[str]
) -> pd.DataFrame:
    """Return covariates and further fixed effects as columns, on the rows used.

    Parameters
    ----------
    panel : PanelRows
        The panel.
    sample : Sample
        The rows used.
    covariates, effects : sequence of str
        Columns: numbers or labels; columns of which each value has its indicator.

    Returns
    -------
    DataFrame
        Numbers, one row per row used.

    Raises
    ------
    BarometreError
        An unknown column, missing values, more indicators than memory holds.
    """
    asked = [*([covariates] if isinstance(covariates, str) else covariates)]
    fixed = [*([effects] if isinstance(effects, str) else effects)]
    if not asked and not fixed:  # the usual case: no copy of the rows
        return pd.DataFrame(index=pd.RangeIndex(len(sample.y)))
    require_columns(panel.frame, [*asked, *fixed])
    rows = panel.frame if sample.kept is None else panel.frame[sample.kept]
    labels = rows[fixed].astype("object").where(rows[fixed].notna()).map(str, na_action="ignore")
    indicators = int(labels.nunique().sum())
    if indicators * len(rows) > _INDICATORS:
        raise BarometreError(
            f"{counted(indicators, 'indicatrice')} pour {counted(len(rows), 'ligne')} : trop pour "
            "des effets fixes en plus des personnes et des vagues ; les regrouper, ou les écrire "
            "après la barre de cohort.feols"
        )
    parts = [
        complete_columns(frame, names) for frame, names in ((rows, asked), (labels, fixed)) if names
    ]
    return pd.concat(parts, axis=1).reset_index(drop=True)


def effect_codes(panel: PanelRows, sample: Sample, effects: Sequence[str]) -> list[Positions]:
    """Number the levels of further fixed effects, on the rows used.

    Parameters
    ----------
    panel : PanelRows
        The panel.
    sample : Sample
        The rows used.
    effects : sequence of str
        Columns.

    Returns
    -------
    list of ndarray of int

    Raises
    ------
    BarometreError
        An unknown column, missing values.
    """
    names = [effects] if isinstance(effects, str) else list(effects)
    require_columns(panel.frame, names)
    found: list[Positions] = []
    for name in names:
        column = panel.frame[name]
        code, _ = positions(column if sample.kept is None else column[sample.kept])
        if (code < 0).any():
            absent = counted(int((code < 0).sum()), "valeur manquante", "valeurs manquantes")
            raise BarometreError(f"{name} : {absent} ; les compléter, ou écarter ces lignes")
        found.append(code)
    return found


def singletons(sample: Sample) -> int:
    """Count the people seen once, who tell nothing once their effect is removed."""
    if sample.ways.full:  # everyone is seen at every wave
        return sample.ways.n_people if sample.ways.n_waves == 1 else 0
    return int((np.bincount(sample.ways.person) == 1).sum())


def clusters_by_side(sample: Sample, **sides: Booleans) -> dict[str, Any]:
    """Count the clusters of each side, treated or control, and tell when one is in only one.

    Parameters
    ----------
    sample : Sample
        The rows used, with their cluster.
    **sides : ndarray of bool
        Whether each row is of the side.

    Returns
    -------
    dict
        ``n_clusters_`` and the side, and ``caution`` when one of them is 1.
    """
    assert sample.cluster is not None  # asked for
    found: dict[str, Any] = {
        f"n_clusters_{side}": _clusters_of(sample, rows) for side, rows in sides.items()
    }
    if 1 in found.values():
        found["caution"] = (
            "un bras tient dans une seule grappe : l'erreur-type par grappe est bien trop petite "
            "(MacKinnon, Webb, 2018) ; voir randomisation_test"
        )
    return found


def _clusters_of(sample: Sample, side: Booleans) -> int:
    """Count the clusters of some rows, no further than where all are seen."""
    assert sample.cluster is not None
    assert sample.n_clusters is not None
    seen = np.zeros(sample.n_clusters, np.bool_)
    for some in near_rows(len(side)):
        seen[sample.cluster[some][side[some]]] = True
        if seen.all():
            break
    return int(seen.sum())


def effect_estimate(
    fit: LeastSquares,
    vcov: Floats,
    df: Floats,
    sample: Sample,
    se: StandardError,
    meta: dict[str, Any],
    details: pd.DataFrame | None = None,
) -> Estimate:
    """Complete the effect of a fit, which is its last coefficient.

    Parameters
    ----------
    fit : LeastSquares
        The regression.
    vcov, df : ndarray
        Covariance and degrees of freedom, from `sandwich`.
    sample : Sample
        The rows used.
    se : str
        Which standard error.
    meta : dict
        What was used.
    details : DataFrame, optional
        What the effect is made of.

    Returns
    -------
    Estimate
        With the neighbours of a clustered error in ``meta["other_se"]``.
    """
    error = float(np.sqrt(vcov[-1, -1]))
    if se in ("CR0", "CR1", "CR1S") and sample.n_clusters is not None:
        meta = {**meta, "other_se": _other_conventions(error, fit, sample.n_clusters, se)}
    return make_estimate(fit.coef[-1], error, df[-1], len(sample.y), meta, details=details)


def _other_conventions(error: float, fit: LeastSquares, g: int, se: str) -> dict[str, float]:
    """Name the neighbours of a clustered error, which differ by a factor only."""
    n = len(fit.q)
    factors = {"CR0": 1.0, "CR1 de clubSandwich": g / (g - 1)}
    for name, k in (("CR1", fit.k), ("CR1S", fit.k_all)):
        factors[name] = g / (g - 1) * (n - 1) / (n - k) if n > k else np.nan
    return {n: error * float(np.sqrt(f / factors[se])) for n, f in factors.items() if n != se}
