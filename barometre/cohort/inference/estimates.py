"""What an estimator hands back: an estimate with its interval, and the test of its pre-trends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import BarometreError, counted
from barometre.base.french import format_number

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
_TESTED = 0.05  # level of the tests whose power is given


class FewClustersWarning(UserWarning):
    """So few clusters that no result, however large, can be significant at 5 %."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """One estimated effect.

    Attributes
    ----------
    estimate, se : float
        The effect and its standard error; ``meta["convention"]`` names the formula of the latter.
    df : float
        Degrees of freedom of the Student distribution used for the interval and the p-value.
    low, high : float
        Bounds of the 95 % interval.
    n : int
        Number of rows (person and wave) used; ``meta["n_used"]`` counts the people.
    p, statistic : float
        Two-sided p-value of no effect, and estimate / se.
    meta : dict
        ``method``, ``convention``, ``n_in``, ``n_used``, ``lost``, ``version``...
    table : DataFrame, optional
        What the estimate was made of, when there is something to show.
    """

    estimate: float
    se: float
    df: float
    low: float
    high: float
    n: int
    p: float
    statistic: float
    meta: Mapping[str, Any] = field(repr=False)
    table: pd.DataFrame | None = field(default=None, repr=False)


@dataclass(frozen=True)
class PreTrend:
    """Joint test that nothing moved before the treatment, and what it could have seen.

    Attributes
    ----------
    statistic : float
        Wald statistic (chi-squared), or its F version when ``df_denominator`` is given.
    df : int
        Number of coefficients tested.
    p : float
        Probability of such a statistic when trends are parallel. A large one is no proof of it:
        read ``slopes``.
    slopes : dict
        Power to slope: the steepest linear difference of trend (per unit of time) that the test
        would have missed with probability 1 - power.
    meta : dict
        ``method``, ``convention``, ``level``, ``df_denominator``; ``reason`` when not computable.
    """

    statistic: float
    df: int
    p: float
    slopes: Mapping[float, float]
    meta: Mapping[str, Any] = field(repr=False)


def student_interval(
    estimate: npt.ArrayLike, se: npt.ArrayLike, df: npt.ArrayLike, level: float = LEVEL
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the statistic, the two-sided p-value and the bounds of a Student interval.

    Parameters
    ----------
    estimate, se, df : array_like
        Effects, standard errors and degrees of freedom; an infinite df is the normal law.
    level : float, default 0.95
        Coverage of the interval.

    Returns
    -------
    tuple of ndarray
        Statistic, p, low, high; all missing where the standard error is 0 or missing, since
        nothing is then known of the uncertainty.

    Examples
    --------
    >>> [round(float(x), 4) for x in student_interval(2.0, 1.0, np.inf)]
    [2.0, 0.0455, 0.04, 3.96]
    """
    from scipy import stats

    b, s, d = (np.asarray(value, float) for value in (estimate, se, df))
    s = np.where(s > 0, s, np.nan)
    statistic = b / s
    half = stats.t.ppf((1 + level) / 2, d) * s
    p = 2 * stats.t.sf(np.abs(statistic), d)
    return statistic, np.asarray(p, float), b - half, b + half


def make_estimate(
    estimate: float,
    se: float,
    df: float,
    n: int,
    meta: Mapping[str, Any],
    *,
    table: pd.DataFrame | None = None,
) -> Estimate:
    """Complete an estimate with its statistic, p-value and 95 % interval.

    Parameters
    ----------
    estimate, se, df : float
        Effect, standard error, degrees of freedom.
    n : int
        Rows used.
    meta : mapping
        What was used; ``version`` is added.
    table : DataFrame, optional
        The details.

    Returns
    -------
    Estimate
        With missing statistic, p-value and bounds when the standard error is 0 or missing.

    Examples
    --------
    >>> round(make_estimate(2.0, 1.0, 10, 40, {"method": "did"}).high, 3)
    4.228
    """
    statistic, p, low, high = student_interval(estimate, se, df)
    said = {**meta, "version": version("barometre")}
    return Estimate(
        estimate=float(estimate),
        se=float(se),
        df=float(df),
        low=float(low),
        high=float(high),
        n=int(n),
        p=float(p),
        statistic=float(statistic),
        meta=said,
        table=table,
    )


def pretrend_test(
    coef: npt.ArrayLike,
    vcov: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    level: float = _TESTED,
    power: Sequence[float] = (0.5, 0.8),
    df_denominator: float | None = None,
) -> PreTrend:
    """Test that all pre-treatment coefficients are 0, and say what the test could have seen.

    Parameters
    ----------
    coef : array_like of length q
        Estimates before treatment, without the base period.
    vcov : array_like of shape (q, q)
        Their covariance.
    times : array_like of length q
        Distance in time of each coefficient to its base period (-1, -2... before it, in whatever
        sign the estimator subtracts): had trends differed by a slope, coefficient ``j`` would have
        moved by ``slope * times[j]``.
    level : float, default 0.05
        Level of the test.
    power : sequence of float, default (0.5, 0.8)
        Powers at which the detectable slope is given, above ``level`` and below 1.
    df_denominator : float, optional
        Use the F law with these denominator degrees of freedom (clusters - 1 when clusters are
        few); the chi-squared law by default.

    Returns
    -------
    PreTrend
        Statistic, df, p and slopes. They are missing, with ``meta["reason"]``, when there is no
        coefficient, when the covariance is not invertible (fewer clusters than coefficients, say),
        or when a coefficient is missing. Slopes are infinite when all times are 0.

    Raises
    ------
    BarometreError
        Lengths that differ, a covariance that is not symmetric, level or power out of bounds.

    Notes
    -----
    Wald statistic W = b' V^-1 b. Under a linear violation of slope s its law is non-central with
    parameter s^2 t' V^-1 t, which gives the slope detected with a given power: the diagnostic of
    Roth (2022), "Pretest with caution", with the joint test instead of one test per coefficient.

    Examples
    --------
    >>> test = pretrend_test([0.1, -0.2], [[0.04, 0], [0, 0.04]], [-2, -1])
    >>> round(test.statistic, 3), test.df, round(test.p, 3), round(test.slopes[0.8], 3)
    (1.25, 2, 0.535, 0.278)
    """
    b, t = (np.atleast_1d(np.asarray(value, float)) for value in (coef, times))
    flat = np.asarray(vcov, float).reshape(-1)
    if not level < 1 or not level > 0 or not all(level < wanted < 1 for wanted in power):
        raise BarometreError(
            f"niveau {format_number(level)} ou puissances {list(power)} refusés : il faut "
            "0 < niveau < puissance < 1"
        )
    if len(t) != len(b) or len(flat) != len(b) ** 2:
        raise BarometreError(
            f"{counted(len(b), 'coefficient')} pour {counted(len(t), 'durée')} et "
            f"{counted(len(flat), 'covariance')} : il en faut q, q et q × q"
        )
    v = flat.reshape(len(b), len(b))
    if not np.allclose(v, v.T, rtol=1e-6, atol=0, equal_nan=True):
        raise BarometreError("la matrice de covariance n'est pas symétrique : vérifier son ordre")
    law = "khi-deux" if df_denominator is None else "F"
    meta = {
        "method": "test de Wald conjoint des coefficients antérieurs au traitement",
        "convention": f"loi du {law}, pentes détectables selon Roth (2022)"
        if law == "khi-deux"
        else f"loi de {law}, pentes détectables selon Roth (2022)",
        "level": level,
        "df_denominator": df_denominator,
        "version": version("barometre"),
    }
    reason = _not_testable(b, v)
    if reason:
        lost = dict.fromkeys(map(float, power), np.nan)
        return PreTrend(np.nan, len(b), np.nan, lost, {**meta, "reason": reason})
    scaled = np.linalg.cholesky(v)
    wald = float(np.square(np.linalg.solve(scaled, b)).sum())
    unit = float(np.square(np.linalg.solve(scaled, t)).sum())  # non-centrality of a slope of 1
    law_of = _Wald(len(b), df_denominator)
    slopes = {
        float(wanted): float(np.sqrt(law_of.noncentrality(level, wanted) / unit))
        if unit > 0
        else np.inf
        for wanted in power
    }
    return PreTrend(law_of.statistic(wald), len(b), law_of.p(wald), slopes, meta)


def _not_testable(b: Floats, v: Floats) -> str | None:
    if not len(b):
        return "aucun coefficient avant le traitement"
    if not (np.isfinite(b).all() and np.isfinite(v).all()):
        return "coefficient ou covariance manquants avant le traitement"
    scale = np.sqrt(np.diag(v))
    if not (scale > 0).all():
        return "variance nulle avant le traitement"
    # On correlations, so that a change of unit changes nothing; 1e-10 is far above rounding.
    if np.linalg.eigvalsh(v / np.outer(scale, scale)).min() < 1e-10:
        return (
            "covariance non inversible : plus de coefficients que les grappes ou les personnes "
            "n'en permettent"
        )
    return None


@dataclass(frozen=True)
class _Wald:
    """The law of a Wald statistic: chi-squared, or F when its denominator is finite."""

    q: int
    df_denominator: float | None

    def statistic(self, wald: float) -> float:
        return wald if self.df_denominator is None else wald / self.q

    def p(self, wald: float) -> float:
        from scipy import stats

        if self.df_denominator is None:
            return float(stats.chi2.sf(wald, self.q))
        return float(stats.f.sf(wald / self.q, self.q, self.df_denominator))

    def power(self, level: float, noncentrality: float) -> float:
        from scipy import stats

        if self.df_denominator is None:
            critical = stats.chi2.isf(level, self.q)
            return float(stats.ncx2.sf(critical, self.q, noncentrality))
        critical = stats.f.isf(level, self.q, self.df_denominator)
        return float(stats.ncf.sf(critical, self.q, self.df_denominator, noncentrality))

    def noncentrality(self, level: float, wanted: float) -> float:
        from scipy.optimize import brentq

        high = 1.0
        while self.power(level, high) < wanted:
            high *= 2
        return float(
            brentq(lambda nc: self.power(level, nc) - wanted, 1e-12, high, xtol=1e-12, rtol=1e-12)
        )
