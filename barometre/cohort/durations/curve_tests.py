"""Compare survival curves: the log-rank test, its G-rho family, strata."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, number_text, p_text
from barometre.base.french import format_number
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.risk_sets import Spells, Values, as_spells, risk_table


@dataclass(frozen=True)
class LogRank(Face):
    """Result of a log-rank test.

    Parameters
    ----------
    chisq : float
        Statistic; missing when it is not defined (no event at a time with several groups at risk).
    df : int
        Degrees of freedom: groups with expected events, less 1.
    p : float
        p-value.
    table : Tidy
        ``group``, ``n``, ``observed``, ``expected``, ``variance``: weighted by S(t-)^rho.
    """

    chisq: float
    df: int
    p: float
    table: Tidy

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: see ``table``."""
        return self.table.meta

    def sentences(self) -> list[str]:
        """Say the test, then what was observed and expected in each group."""
        df = counted_text(self.df, "degré de liberté", "degrés de liberté")
        title, *others = self.table.summary().splitlines()
        test = f"χ² = {number_text(self.chisq, 2)} ({df}), {p_text(self.p)}."
        return [title, test, *others]

    @property
    def statistic(self) -> float:
        """The statistic, under its other name."""
        return self.chisq


def logrank(
    duration: Values,
    event: Values,
    by: Values,
    strata: Values = None,
    *,
    entry: Values = None,
    rho: float = 0.0,
) -> LogRank:
    """Test that groups have the same survival (Mantel, 1966; Harrington and Fleming, 1982).

    Parameters
    ----------
    duration : array-like of float
        Time to the event or to censoring, at least 0.
    event : array-like of bool or of 0 and 1
        Whether the event happened.
    by : array-like
        Group of each person, two groups at least.
    strata : array-like, optional
        Strata within which groups are compared.
    entry : array-like of float, optional
        Time of entry under observation, as in `kaplan_meier`. Weights have no place in this test.
    rho : float, default 0
        Weight S(t-)^rho of each time: 0 is the log-rank test, 1 the Peto-Peto one, which gives more
        weight to early events.

    Returns
    -------
    LogRank
        ``chisq``, ``df``, ``p``, ``table``, ``meta``. Without any event, chisq and p are missing.

    Raises
    ------
    BarometreError
        Fewer than two groups, negative or infinite rho, and the errors of `kaplan_meier`.

    Notes
    -----
    Hypergeometric variance at each time, as ``survdiff`` of R, S being the pooled Kaplan-Meier
    estimate of the stratum just before.

    Examples
    --------
    >>> test = logrank([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1], list("aaabbb"))
    >>> test.df, round(test.chisq, 3), round(test.p, 4)
    (1, 5.052, 0.0246)
    """
    from scipy.stats import chi2

    spells = as_spells(duration, event, by=by, entry=entry, strata=strata)
    sizes = np.bincount(spells.group, minlength=len(spells.labels))
    if np.count_nonzero(sizes) < 2:
        raise BarometreError("un seul groupe : le test compare au moins deux groupes")
    if not (isinstance(rho, Real) and np.isfinite(rho) and rho >= 0):
        raise BarometreError(f"rho {rho} : donner un nombre positif (0 log-rank, 1 Peto-Peto)")
    groups = len(spells.labels)
    observed, expected = np.zeros(groups), np.zeros(groups)
    variance = np.zeros((groups, groups))
    for part in spells.cut(spells.stratum, int(spells.stratum.max()) + 1):
        if not len(part.duration):
            continue
        for total, term in zip((observed, expected, variance), _stratum(part, rho), strict=True):
            total += term
    # The gaps add up to 0: one group of each connected comparison is redundant, as are empty ones.
    used = np.flatnonzero(expected > 0)
    chisq, df = np.nan, max(len(used) - 1, 0)
    if df:
        gap, part_of = (observed - expected)[used[1:]], variance[np.ix_(used[1:], used[1:])]
        if np.linalg.matrix_rank(part_of) == df:
            chisq = float(gap @ np.linalg.solve(part_of, gap))
    table = pd.DataFrame(
        {
            "group": spells.labels,
            "n": sizes,
            "observed": observed,
            "expected": expected,
            "variance": np.diag(variance),
        }
    )
    name = "log-rank" if rho == 0 else f"G-rho, rho = {format_number(rho)}"
    meta = spells.meta(name, "variance hypergéométrique, par strate")
    p = float(chi2.sf(chisq, df)) if df else np.nan
    return LogRank(chisq, df, p, tidy(table, sentences=_sentences, **meta))


def _sentences(table: pd.DataFrame) -> list[str]:
    return [
        f"{row['group']} : {number_text(row['observed'], 1)} observés, "
        f"{number_text(row['expected'], 1)} attendus, {counted_text(row['n'], 'personne')}."
        for row in table.to_dict("records")
    ]


def _stratum(spells: Spells, rho: float) -> tuple[Floats, Floats, Floats]:
    """Observed and expected events of each group, and their covariances, in one stratum."""
    risks, groups = risk_table(spells), len(spells.labels)
    size = len(risks.time)

    def by_group(at: Any, mass: Floats) -> Floats:
        cells = np.bincount(at * groups + spells.group, mass, minlength=(size + 1) * groups)
        counts: Floats = cells.astype(np.float64).reshape(-1, groups)[:size]
        return counts

    ones = np.ones(len(spells.group))
    came, left = by_group(risks.entries, ones), by_group(risks.exits, ones)
    at_risk = came.cumsum(axis=0) - left.cumsum(axis=0) + left
    weight = np.append(1.0, risks.surviving())[:size] ** rho
    share = at_risk / risks.n_risk[:, None]
    events = by_group(risks.exits, (spells.cause == 1).astype(np.float64))
    spread = risks.n_event * (risks.n_risk - risks.n_event) / np.maximum(risks.n_risk - 1, 1)
    spread *= weight**2
    covariance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return weight @ events, (weight * risks.n_event) @ share, covariance
