"""Cumulative incidence with covariates: the regression of Fine and Gray, clustered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, interval_text, number_text, p_text
from barometre.cohort.durations.hazard_rows import FAR, INFINITE, hazard_rows

_STEPS, _HALVES, _STILL = 50, 30, 1e-12


@dataclass(frozen=True)
class FineGrayModel(Face):
    """Ratios of subdistribution hazards: what raises the share who have the event.

    Attributes
    ----------
    table : DataFrame
        ``term, coefficient, se, subhazard_ratio, low, high, statistic, p``: the coefficient is the
        log of the ratio, whose interval is ``low, high``.
    n, n_events, n_competing, n_clusters : int
        People, events, competing ones, clusters (people without cluster).
    meta : dict
        ``method``, ``convention``, ``level``, ``cluster``, ``n_in``, ``n_used``, ``lost``...
    """

    table: pd.DataFrame
    n: int
    n_events: int
    n_competing: int
    n_clusters: int
    meta: Mapping[str, Any] = field(repr=False)

    def sentences(self) -> list[str]:
        """Say each ratio, and how it is read."""
        groups = counted_text(self.n_clusters, "grappe")
        told = (
            f"{counted_text(self.n, 'personne')}, {counted_text(self.n_events, 'événement')}, "
            f"{counted_text(self.n_competing, 'événement concurrent', 'événements concurrents')}"
        )
        lines = [f"Modèle de Fine et Gray : {told}{f', {groups}' if self.meta['cluster'] else ''}."]
        lines += [
            f"{row['term']} : rapport de risques de sous-distribution "
            f"{number_text(row['subhazard_ratio'], 2)} "
            f"{interval_text(row['low'], row['high'], 2)}, {p_text(row['p'])}."
            for row in self.table.to_dict("records")
        ]
        lines.append("Au-dessus de 1 : plus de personnes ont l'événement au bout du compte.")
        lines.append(f"Convention : {self.meta['convention']}.")
        return lines + [f"Attention : {text}." for text in [self.meta.get("caution")] if text]


def fine_gray(
    frame: pd.DataFrame,
    duration: str,
    cause: str,
    *,
    code: int = 1,
    by: str | None = None,
    covariates: Sequence[str] = (),
    cluster: str | None = None,
    level: float = 0.95,
) -> FineGrayModel:
    """Compare the cumulative incidences of groups, with covariates (Fine and Gray, 1999).

    `cox` compares the hazards of those still there; this one, as `gray_test`, the shares who have
    the event in the end, those who had a competing one being never at risk again, yet counted.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    duration, cause : str
        Columns of the time of exit and of its cause (0 when censored), as in
        `cumulative_incidence`; weights and delayed entry have no place in this model.
    code : int, default 1
        The cause whose incidence is modelled.
    by : str, optional
        Column of the group: the first value, in order, is the reference.
    covariates : sequence of str
        Columns of numbers, texts or categories, without missing values.
    cluster : str, optional
        Column of the cluster; the person without it.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    FineGrayModel
        Ratios of subdistribution hazards, sizes.

    Raises
    ------
    BarometreError
        What `cox` refuses; no event of this cause.

    Notes
    -----
    Partial likelihood with Breslow's ties; who had a competing event stays in the risk set with
    the weight G(t-) / G(T-), where G is the Kaplan-Meier estimate of censoring. Errors are the
    sandwich of Fine and Gray (1999, equations 7 and 8), with the part due to the estimation of G,
    as ``crr`` of R (package cmprsk): summed by cluster (Zhou, Fine, Latouche and Labopin, 2012),
    times G / (G - 1) with Student's law at G - 1 degrees of freedom when a cluster is given. With
    few clusters these errors are too small, as those of `cox`. Censoring is taken as the same
    whatever the covariates.

    Examples
    --------
    >>> people = pd.DataFrame({"years": [1, 2, 3, 4, 5, 6, 7, 8], "arm": [1, 0] * 4})
    >>> people["exit"] = [1, 1, 2, 1, 2, 2, 1, 0]
    >>> model = fine_gray(people, "years", "exit", by="arm")
    >>> model.table[["term", "subhazard_ratio"]].round(3).to_numpy().tolist()
    [['arm', 0.971]]
    """
    rows = hazard_rows(
        frame, duration, cause,
        by=by, covariates=covariates, entry=None, cluster=cluster, level=level, code=code,
    )  # fmt: skip
    spells, codes = rows.spells, rows.codes
    competing = (spells.cause > 0) & ~rows.failed
    x = rows.columns.to_numpy(np.float64)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    times = _Times.of(spells.duration, rows.failed, competing)
    beta, bread = _fit((x - centre) / scale, times)
    scores = _scores((x - centre) / scale, beta, times)
    sums = np.column_stack([np.bincount(codes, column, rows.groups) for column in scores.T])
    covariance = bread @ (sums.T @ sums) @ bread / np.outer(scale, scale)
    table = rows.ratios(beta / scale, covariance)
    return FineGrayModel(
        table.rename(columns={"hazard_ratio": "subhazard_ratio"}),
        len(codes), int(rows.failed.sum()), int(competing.sum()), rows.groups,
        rows.meta("modèle de Fine et Gray", "ex aequo de Breslow"),
    )  # fmt: skip


@dataclass(frozen=True)
class _Times:
    """What depends on times alone.

    ``exit`` numbers the exit of each person among the distinct ones; ``past`` counts the distinct
    times of events until it; ``censoring`` is G just before it, ``steps`` the same at each time of
    event.
    """

    failed: Booleans
    competing: Booleans
    exit: Integers
    at_risk: Floats
    n_censored: Floats
    past: Integers
    events: Floats
    first: Integers
    censoring: Floats
    steps: Floats

    @classmethod
    def of(cls, duration: Floats, failed: Booleans, competing: Booleans) -> _Times:
        exits, at = np.unique(duration, return_inverse=True)
        at_risk = np.bincount(at)[::-1].cumsum()[::-1].astype(np.float64)
        censored = (~failed & ~competing).astype(np.float64)
        n_censored: Floats = np.bincount(at, censored, len(exits)).astype(np.float64)
        left = np.append(1.0, np.cumprod(1 - n_censored / at_risk))[:-1]
        there = np.unique(at[failed])
        events = np.bincount(at[failed], minlength=len(exits))[there].astype(np.float64)
        past = np.searchsorted(there, at, side="right")
        # The first time of event that is not before each distinct exit.
        first = np.searchsorted(there, np.arange(len(exits)))
        return cls(
            failed, competing, at, at_risk, n_censored, past, events, first, left[at], left[there]
        )

    def still(self, values: Floats) -> Floats:
        """Sum, at each time of event, over those who exit then or after."""
        sums: Floats = self._summed(values, self.past)[::-1].cumsum(axis=0)[::-1][1:]
        return sums

    def gone(self, values: Floats) -> Floats:
        """Sum, at each time of event, over the competing exits before it, weighted by 1 / G."""
        weight = 1 / self.censoring[self.competing]
        mine = values[self.competing] * (weight if values.ndim == 1 else weight[:, None])
        # At the same time, a competing exit is still in the risk set, not before the event.
        sums: Floats = self._summed(mine, self.past[self.competing]).cumsum(axis=0)[:-1]
        return sums

    def _summed(self, values: Floats, place: Integers) -> Floats:
        return by_place(place, values, len(self.events) + 1)


@dataclass(frozen=True)
class _Sums:
    """The partial likelihood at a coefficient, and what its derivatives are made of."""

    risk: Floats
    likelihood: float
    gradient: Floats
    information: Floats
    mean: Floats
    hazard: Floats
    borne: Floats
    drift: Floats


def _sums(x: Floats, beta: Floats, times: _Times) -> _Sums:
    """Weigh the risk sets: sums over people, at each time of event."""
    linear = x @ beta
    risk = np.exp(linear - linear.max())
    total = times.still(risk) + times.steps * times.gone(risk)
    moved = risk[:, None] * x
    mean = (times.still(moved) + times.steps[:, None] * times.gone(moved)) / total[:, None]
    hazard = times.events / total
    # What each person bears: each step before the exit, then G(t-) / G(T-) of those that follow.
    after = times.competing / times.censoring
    borne = cumulated(hazard)[times.past] + after * remaining(times.steps * hazard)[times.past]
    drift = (
        cumulated(mean * hazard[:, None])[times.past]
        + after[:, None] * remaining(mean * (times.steps * hazard)[:, None])[times.past]
    )
    failed = times.failed
    likelihood = float((linear - linear.max())[failed].sum() - times.events @ np.log(total))
    gradient = x[failed].sum(axis=0) - times.events @ mean
    information = (x.T * (risk * borne)) @ x - (mean.T * times.events) @ mean
    return _Sums(risk, likelihood, gradient, information, mean, hazard, borne, drift)


def by_place(place: Integers, values: Floats, size: int) -> Floats:
    """Sum the values of each place, column by column."""
    if values.ndim == 1:
        return np.bincount(place, values, size).astype(np.float64)
    return np.column_stack([by_place(place, column, size) for column in values.T])


def cumulated(values: Floats) -> Floats:
    """Sum the first 0, 1, 2... values."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), values.cumsum(axis=0)])


def remaining(values: Floats) -> Floats:
    """Sum the values from the position 0, 1, 2... to the end."""
    return cumulated(values[::-1])[::-1]


def _fit(x: Floats, times: _Times) -> tuple[Floats, Floats]:
    """Return coefficients and the inverse of their information: Newton's steps, halved at need."""
    beta = np.zeros(x.shape[1])
    now = _sums(x, beta, times)
    for _ in range(_STEPS):
        try:
            step = np.linalg.solve(now.information, now.gradient)
        except np.linalg.LinAlgError:
            raise BarometreError(INFINITE) from None
        for _ in range(_HALVES):
            ahead = _sums(x, beta + step, times)
            if ahead.likelihood >= now.likelihood - _STILL * abs(now.likelihood):
                break
            step = step / 2
        beta, now = beta + step, ahead
        if not np.ptp(x @ beta) < FAR:
            raise BarometreError(INFINITE)
        if np.abs(step).max() < _STILL:
            break
    bread = np.asarray(np.linalg.inv(now.information), np.float64)
    if not ((np.diag(bread) > 0).all() and np.sqrt(np.diag(bread)).max() < FAR):
        raise BarometreError(INFINITE)
    return beta, bread


def _scores(x: Floats, beta: Floats, times: _Times) -> Floats:
    """Return what each person weighs on the gradient: as an event, and as part of G."""
    sums = _sums(x, beta, times)
    own = -sums.risk[:, None] * (x * sums.borne[:, None] - sums.drift)
    own[times.failed] += x[times.failed] - sums.mean[times.past[times.failed] - 1]
    # The competing exits before each distinct exit, and the steps of G that follow it: what the
    # censoring of someone at that exit changes.
    rows, exits = times.competing, len(times.at_risk)
    mass = (sums.risk / times.censoring)[rows]
    lost = by_place(times.exit[rows], mass, exits)
    lost_x = by_place(times.exit[rows], mass[:, None] * x[rows], exits)
    step = times.steps * sums.hazard
    later = remaining(step)[times.first]
    later_x = remaining(sums.mean * step[:, None])[times.first]
    moved = cumulated(lost_x)[:-1] * later[:, None] - cumulated(lost)[:-1, None] * later_x
    share = moved / times.at_risk[:, None]
    drawn: Floats = -(share * (times.n_censored / times.at_risk)[:, None]).cumsum(axis=0)[
        times.exit
    ]
    censored = ~times.failed & ~times.competing
    drawn[censored] += share[times.exit[censored]]
    return own + drawn
