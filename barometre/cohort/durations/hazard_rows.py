"""The rows of a model of hazards: who is at risk, the columns compared, the clusters."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, counted
from barometre.base.version import __version__
from barometre.cohort.durations.risk_sets import Spells, as_spells
from barometre.cohort.inference.estimates import FewClustersWarning
from barometre.cohort.rows.columns import as_codes, require_columns
from barometre.cohort.rows.covariates import complete_columns

MANY = 30  # clusters from which sizes are under 8 %, 6 treated ones as well
SIZES = "8 à 16 % des fois de 6 à 20 grappes"
FAR = 30.0  # log hazards this far apart: an estimate that runs to infinity
INFINITE = (
    "rapport de risques infini : dans un groupe, l'événement n'arrive jamais, ou toujours"
    " avant les autres ; regrouper ou retirer une covariable"
)


@dataclass(frozen=True)
class HazardRows:
    """What a model of hazards is fitted on, row by row, checked.

    Attributes
    ----------
    spells : Spells
        Durations and entries.
    failed : ndarray of bool
        Who has the event.
    columns : DataFrame
        Columns of the model.
    codes : ndarray of int
        Cluster of each row, the row itself without ``cluster``.
    cluster : str or None
        Column of the clusters.
    level : float
        Confidence level.
    """

    spells: Spells
    failed: Booleans
    columns: pd.DataFrame
    codes: Integers
    cluster: str | None
    level: float

    @property
    def groups(self) -> int:
        """Number of clusters."""
        return int(self.codes.max()) + 1

    @property
    def terms(self) -> list[str]:
        """Names of the columns."""
        return [str(name) for name in self.columns.columns]

    def ratios(self, beta: Floats, covariance: Floats) -> pd.DataFrame:
        """Return ratios with intervals, from a sandwich without factor."""
        from scipy import stats

        groups = self.groups
        se = np.sqrt(np.diag(covariance) * (groups / (groups - 1) if self.cluster else 1.0))
        law = stats.t(groups - 1) if self.cluster else stats.norm
        reach = float(law.isf((1 - self.level) / 2)) * se
        statistic = beta / se
        table = pd.DataFrame({"term": self.terms, "coefficient": beta, "se": se})
        table["hazard_ratio"] = np.exp(beta)
        table["low"], table["high"] = np.exp(beta - reach), np.exp(beta + reach)
        return table.assign(statistic=statistic, p=2 * law.sf(np.abs(statistic)))

    def meta(self, method: str, convention: str) -> dict[str, object]:
        """Say how it was fitted, and on whom."""
        law = (
            f"par grappe, Student à {self.groups - 1} degrés"
            if self.cluster
            else "par personne, loi normale"
        )
        return {
            "method": method,
            "convention": f"{convention}, erreurs robustes {law}",
            "level": self.level,
            "cluster": self.cluster,
            "n_in": self.spells.n_in,
            "n_used": len(self.columns),
            "lost": dict(self.spells.lost),
            "version": __version__,
            **self.caution(),
        }

    def caution(self) -> dict[str, str]:
        """Say what few clusters do to the errors, and warn when one group is in one of them."""
        if not self.cluster or self.groups >= MANY:
            return {}
        alone = [name for name in self.terms if self._fewest(name) == 1]
        if alone:
            text = (
                f"{', '.join(alone)} : une valeur tient dans une seule grappe, l'erreur-type est "
                "bien trop petite (MacKinnon, Webb, 2018)"
            )
            warnings.warn(text, FewClustersWarning, stacklevel=4)
        else:
            text = (
                f"{counted(self.groups, 'grappe')} : ces erreurs sont trop petites quand les bras "
                f"sont des grappes entières ; un test à 5 % rejette à tort {SIZES}"
            )
        return {"caution": text}

    def _fewest(self, term: str) -> int:
        """Least number of clusters of a value of a column that clusters determine; else 0."""
        column = self.columns[term]
        if column.nunique() > 2 or column.groupby(self.codes).nunique().max() > 1:
            return 0
        return int(pd.Series(self.codes).groupby(column.to_numpy()).nunique().min())


def hazard_rows(
    frame: pd.DataFrame,
    duration: str,
    event: str,
    *,
    by: str | None,
    covariates: Sequence[str],
    entry: str | None,
    cluster: str | None,
    level: float,
    code: int | None = None,
) -> HazardRows:
    """Choose and check the rows of a model of hazards, or refuse what cannot be fitted.

    With a code, the event is the cause of this code, and the others compete with it.
    """
    require_columns(frame, [duration, event, by, entry, cluster, *covariates])
    if not 0 < level < 1:
        raise BarometreError(f"level = {level} refusé : donner un niveau entre 0 et 1")
    # The group of a row is its position: what is left out of the spells is left out of the rest.
    spells = as_spells(
        pd.Series(frame[duration].array),
        pd.Series(frame[event].array),
        by=pd.Series(np.arange(len(frame))),
        entry=None if entry is None else pd.Series(frame[entry].array),
        competing=code is not None,
    )
    kept = frame.iloc[spells.labels.to_numpy(np.int64)[spells.group]] if len(frame) else frame
    failed = spells.cause == (1 if code is None else code)
    codes = np.arange(len(kept), dtype=np.int64)
    if cluster is not None:
        codes, _ = as_codes(kept[cluster], cluster)
    columns = _columns(kept, by, covariates)
    _check(columns, int(failed.sum()), int(codes.max(initial=-1)) + 1, cluster)
    return HazardRows(spells, failed, columns, codes, cluster, level)


def _columns(kept: pd.DataFrame, by: str | None, covariates: Sequence[str]) -> pd.DataFrame:
    """Return the columns of the model; a group of numbers other than 0 and 1 is a category."""
    names = [covariates] if isinstance(covariates, str) else list(covariates)
    if by is None and not names:
        raise BarometreError("ni by= ni covariates= : nommer ce que le modèle compare")
    if by is not None:
        plain = pd.api.types.is_numeric_dtype(kept[by]) and kept[by].dropna().isin([0, 1]).all()
        if not (plain or isinstance(kept[by].dtype, pd.CategoricalDtype)):
            values = kept[by].map(str, na_action="ignore")
            ranks = {str(value): None for value in sorted(kept[by].dropna().unique())}
            kept = kept.assign(**{by: pd.Categorical(values, categories=list(ranks))})
        names = [by, *(name for name in names if name != by)]
    return complete_columns(kept, names)


def _check(columns: pd.DataFrame, events: int, clusters: int, cluster: str | None) -> None:
    if not events:
        raise BarometreError("aucun événement : rien à comparer")
    if cluster is not None and clusters < 2:
        raise BarometreError(f"{cluster} : une seule grappe ; il en faut au moins 2")
    still = [str(name) for name in columns.columns if columns[name].nunique() < 2]
    if still or not len(columns.columns):
        raise BarometreError(f"{', '.join(still) or 'groupe'} : ne varie pas ; à retirer du modèle")
    centred = columns.to_numpy(np.float64)
    centred = (centred - centred.mean(axis=0)) / centred.std(axis=0)
    if np.linalg.matrix_rank(centred) < centred.shape[1]:
        raise BarometreError(
            f"{', '.join(map(str, columns.columns))} : l'une dépend des autres ; en retirer une"
        )
