"""Time to an event with covariates: the proportional hazards model of Cox, clustered."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, interval_text, number_text, p_text
from barometre.cohort.durations.hazard_rows import FAR, INFINITE, hazard_rows

_DOUBTFUL = 0.05


@dataclass(frozen=True)
class CoxModel(Face):
    """Hazard ratios of a proportional hazards model.

    Attributes
    ----------
    table : DataFrame
        ``term, coefficient, se, hazard_ratio, low, high, statistic, p``: the coefficient is the log
        of the hazard ratio, whose interval is ``low, high``.
    proportionality : DataFrame
        ``term, correlation, chisq, p``: scaled Schoenfeld residuals against time.
    n, n_events, n_clusters : int
        People, events, clusters (people without cluster).
    meta : dict
        ``method``, ``convention``, ``level``, ``cluster``, ``n_in``, ``n_used``, ``lost``...
    """

    table: pd.DataFrame
    proportionality: pd.DataFrame
    n: int
    n_events: int
    n_clusters: int
    meta: Mapping[str, Any] = field(repr=False)

    def sentences(self) -> list[str]:
        """Say each hazard ratio, then what does not look proportional."""
        groups = counted_text(self.n_clusters, "grappe")
        counted = f"{counted_text(self.n, 'personne')}, {counted_text(self.n_events, 'événement')}"
        lines = [f"Modèle de Cox : {counted}{f', {groups}' if self.meta['cluster'] else ''}."]
        lines += [
            f"{row['term']} : rapport de risques {number_text(row['hazard_ratio'], 2)} "
            f"{interval_text(row['low'], row['high'], 2)}, {p_text(row['p'])}."
            for row in self.table.to_dict("records")
        ]
        lines += [
            f"Risques peu proportionnels pour {row['term']} (corrélation au temps "
            f"{number_text(row['correlation'], 2)}, {p_text(row['p'])})."
            for row in self.proportionality.to_dict("records")
            if row["p"] < _DOUBTFUL
        ]
        lines.append(f"Convention : {self.meta['convention']}.")
        return lines + [f"Attention : {text}." for text in [self.meta.get("caution")] if text]


def cox(
    frame: pd.DataFrame,
    duration: str,
    event: str,
    *,
    by: str | None = None,
    covariates: Sequence[str] = (),
    entry: str | None = None,
    cluster: str | None = None,
    level: float = 0.95,
) -> CoxModel:
    """Compare the hazards of groups, with covariates (Cox, 1972).

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    duration, event : str
        Columns of the time of exit and of 0 (censored) or 1 (event), as in `kaplan_meier`.
    by : str, optional
        Column of the group: the first value, in order, is the reference.
    covariates : sequence of str
        Columns of numbers, texts or categories, without missing values.
    entry : str, optional
        Column of the time from which the person is at risk.
    cluster : str, optional
        Column of the cluster; the person without it.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    CoxModel
        Hazard ratios, their check of proportionality, sizes.

    Raises
    ------
    BarometreError
        Neither group nor covariate, missing covariates, fewer than two clusters, no event, columns
        that others explain, a group where the event never (or always first) happens.

    Notes
    -----
    Fitted by `PHReg` of statsmodels with Efron's ties. Errors are the sandwich of the sums of
    score residuals by cluster (Lin and Wei, 1989), those of Efron's likelihood as in ``coxph`` of
    R, times G / (G - 1), with Student's law at G - 1 degrees of freedom when a cluster is given and
    the normal one, without factor, else. With few clusters these errors are too small. The check of
    proportionality is that of Grambsch and Therneau (1994) on time itself, one covariate at a time:
    it takes people as independent.

    Examples
    --------
    >>> rows = pd.DataFrame({"t": [1, 2, 3, 4, 5, 6], "job": [1, 1, 1, 1, 0, 1]})
    >>> model = cox(rows.assign(bras=[1, 0, 1, 0, 1, 0]), "t", "job", by="bras")
    >>> model.table[["term", "hazard_ratio"]].round(3).to_numpy().tolist()
    [['bras', 1.315]]
    """
    rows = hazard_rows(
        frame, duration, event,
        by=by, covariates=covariates, entry=entry, cluster=cluster, level=level,
    )  # fmt: skip
    spells, failed, codes = rows.spells, rows.failed, rows.codes
    x = rows.columns.to_numpy(np.float64)
    beta, bread = _fit(spells.duration, x, failed, spells.entry)
    scores, schoenfeld = efron_residuals(spells.duration, spells.entry, failed, x, beta)
    sums = np.column_stack([np.bincount(codes, column, rows.groups) for column in scores.T])
    table = rows.ratios(beta, bread @ (sums.T @ sums) @ bread)
    meta = rows.meta("modèle de Cox", "ex aequo d'Efron")
    checked = _proportionality(rows.terms, bread, schoenfeld, spells.duration[failed])
    return CoxModel(table, checked, len(codes), int(failed.sum()), rows.groups, meta)


def efron_residuals(
    time: Floats, entry: Floats, failed: Any, x: Floats, beta: Floats
) -> tuple[Floats, Floats]:
    """Score residuals of people and Schoenfeld residuals of events, ties as Efron's.

    Parameters
    ----------
    time, entry : array, shape (n,)
        At risk after ``entry`` and until ``time`` included.
    failed : array of bool, shape (n,)
        Who has the event at ``time``.
    x : array, shape (n, k)
        Covariates.
    beta : array, shape (k,)
        Coefficients.

    Returns
    -------
    array, shape (n, k)
        Score residuals; their sum is the gradient of the log partial likelihood.
    array, shape (number of events, k)
        Schoenfeld residuals, in the order of the rows.
    """
    linear = x @ beta
    risk = np.exp(linear - linear.max())
    times = np.unique(time[failed])
    hazard, drift = np.zeros(len(times)), np.zeros((len(times), x.shape[1]))
    scores, left = np.zeros_like(x), np.zeros_like(x)
    first = np.searchsorted(times, entry, side="right")
    last = np.searchsorted(times, time, side="right")
    for k, now in enumerate(times):
        there, mine = (entry < now) & (time >= now), np.flatnonzero(failed & (time == now))
        share = np.arange(len(mine)) / len(mine)
        own = risk[mine]
        s0 = risk[there].sum() - share * own.sum()
        s1 = risk[there] @ x[there] - share[:, None] * (own @ x[mine])
        mean, ahead = s1 / s0[:, None], (1 - share) / s0
        hazard[k], drift[k] = (1 / s0).sum(), (mean / s0[:, None]).sum(axis=0)
        left[mine] = x[mine] - mean.mean(axis=0)
        # Those who leave at this time bear each step of it in part only.
        scores[mine] = left[mine] - own[:, None] * (ahead.sum() * x[mine] - ahead @ mean)
    last = np.where(failed, last - 1, last)
    summed = np.append(0.0, hazard.cumsum())
    drifted = np.vstack([np.zeros(x.shape[1]), drift.cumsum(axis=0)])
    borne = (summed[last] - summed[first])[:, None] * x - (drifted[last] - drifted[first])
    seen = (last > first)[:, None]
    return scores - np.where(seen, risk[:, None] * borne, 0.0), left[failed]


def _fit(time: Floats, x: Floats, failed: Any, entry: Floats) -> tuple[Floats, Floats]:
    """Return coefficients and the inverse of their information, fitted on standardised columns."""
    from statsmodels.duration.hazard_regression import PHReg

    centre, scale = x.mean(axis=0), x.std(axis=0)
    z = (x - centre) / scale
    # Order is all that counts: ranks hold at time 0 and before, where times are refused.
    times, rank = np.unique(time, return_inverse=True)
    passed = np.searchsorted(times, entry, side="right")
    late = np.where(passed > 0, passed + 0.5, 0.0)
    model = PHReg(rank + 1.0, z, status=failed.astype(float), entry=late, ties="efron")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an estimate that did not converge is refused below
        try:
            found = np.asarray(model.fit().params, np.float64)
            information = -np.asarray(model.hessian(found), np.float64)
            bread = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            found, bread = np.full(x.shape[1], np.inf), np.eye(x.shape[1])
    spread = np.ptp(z @ found) if np.isfinite(found).all() else np.inf
    wide = np.sqrt(np.abs(np.diag(bread))).max() > FAR
    if not spread < FAR or wide or not (np.diag(bread) > 0).all():
        raise BarometreError(INFINITE)
    return found / scale, bread / np.outer(scale, scale)


def _proportionality(
    terms: list[str], bread: Floats, schoenfeld: Floats, time: Floats
) -> pd.DataFrame:
    """Correlate scaled Schoenfeld residuals with time; missing when all events are at one time."""
    from scipy import stats

    gap = time - time.mean()
    scaled = len(time) * schoenfeld @ bread
    spread = gap @ gap
    if not spread > 0:
        missing = np.full(len(terms), np.nan)
        return pd.DataFrame({"term": terms, "correlation": missing, "chisq": missing, "p": missing})
    slope = gap @ scaled
    chisq = slope**2 / (len(time) * np.diag(bread) * spread)
    size = np.sqrt(spread * np.square(scaled - scaled.mean(axis=0)).sum(axis=0))
    correlation = np.divide(slope, size, out=np.full(len(terms), np.nan), where=size > 0)
    p = stats.chi2.sf(chisq, 1)
    return pd.DataFrame({"term": terms, "correlation": correlation, "chisq": chisq, "p": p})
