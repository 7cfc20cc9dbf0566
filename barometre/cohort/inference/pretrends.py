"""Before the treatment: the joint test that nothing moved, and what it could have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.base.face import (
    Face,
    capital,
    counted_text,
    decimals_of,
    kept_sentences,
    number_text,
    p_text,
    percent_text,
)
from barometre.base.french import format_number
from barometre.base.version import __version__


@dataclass(frozen=True)
class PreTrend(Face):
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
        ``method``, ``convention``, ``alpha``, ``df_denominator``; ``reason`` when not computable.
    """

    statistic: float
    df: int
    p: float
    slopes: Mapping[float, float]
    meta: Mapping[str, Any] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row per power: ``statistic, df, p, power, slope``."""
        rows = [
            {
                "statistic": self.statistic,
                "df": self.df,
                "p": self.p,
                "power": power,
                "slope": slope,
            }
            for power, slope in self.slopes.items()
        ]
        return pd.DataFrame(rows, columns=["statistic", "df", "p", "power", "slope"])

    def sentences(self) -> list[str]:
        """Say the test, and what it would have missed."""
        title = capital(str(self.meta["method"]))
        if "reason" in self.meta:
            return [f"{title} : impossible, {self.meta['reason']}."]
        digits = decimals_of(min(self.slopes.values(), default=1.0))
        many = counted_text(self.df, "coefficient")
        lines = [
            f"{title} : statistique {number_text(self.statistic, 2)} ({many}), {p_text(self.p)}.",
            "Un p élevé ne prouve pas que les tendances étaient parallèles.",
        ]
        lines += [
            f"Une pente de {number_text(slope, digits)} par unité de temps serait vue avec une "
            f"probabilité de {percent_text(power, 0)}."
            for power, slope in self.slopes.items()
        ]
        return [*lines, *kept_sentences(self.meta)]


def pretrend_test(
    coef: npt.ArrayLike,
    vcov: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    alpha: float = 0.05,
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
    alpha : float, default 0.05
        Size of the test.
    power : sequence of float, default (0.5, 0.8)
        Powers at which the detectable slope is given, above ``alpha`` and below 1.
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
        Lengths that differ, a covariance that is not symmetric, alpha or power out of bounds.

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
    if not 0 < alpha < 1 or not all(alpha < wanted < 1 for wanted in power):
        wanted = ", ".join(map(format_number, power))
        raise BarometreError(
            f"alpha {format_number(alpha)} ou puissances {wanted} refusés : il faut "
            "0 < alpha < puissance < 1"
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
        "alpha": alpha,
        "df_denominator": df_denominator,
        "version": __version__,
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
        float(wanted): float(np.sqrt(law_of.noncentrality(alpha, wanted) / unit))
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

    def power(self, alpha: float, noncentrality: float) -> float:
        from scipy import stats

        if self.df_denominator is None:
            critical = stats.chi2.isf(alpha, self.q)
            return float(stats.ncx2.sf(critical, self.q, noncentrality))
        critical = stats.f.isf(alpha, self.q, self.df_denominator)
        return float(stats.ncf.sf(critical, self.q, self.df_denominator, noncentrality))

    def noncentrality(self, alpha: float, wanted: float) -> float:
        from scipy.optimize import brentq

        high = 1.0
        while self.power(alpha, high) < wanted:
            high *= 2
        return float(
            brentq(lambda nc: self.power(alpha, nc) - wanted, 1e-12, high, xtol=1e-12, rtol=1e-12)
        )
