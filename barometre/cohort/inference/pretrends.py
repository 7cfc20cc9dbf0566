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
        Wald statistic (chi-squared), its F version, or its size among permutations: see
        ``meta["convention"]``.
    df : int
        Number of coefficients tested.
    p : float
        Probability of such a statistic when trends are parallel. A large one is no proof of it:
        read ``slopes``.
    slopes : dict
        Power to slope: the steepest linear difference of trend (per unit of time) that the test
        would have missed with probability 1 - power.
    meta : dict
        ``method``, ``convention``, ``alpha``, ``df_denominator``; ``reason`` when not computable;
        ``smallest_p``, ``draws`` and ``exact`` of a permutation.
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
            if np.isfinite(slope)
        ]
        if "smallest_p" in self.meta:
            least = format_number(float(f"{self.meta['smallest_p']:.3g}"))
            blind = self.meta["smallest_p"] > self.meta["alpha"]
            tried = ", toutes essayées" if self.meta["exact"] else " au hasard"
            lines.append(
                f"{counted_text(self.meta['draws'], 'permutation')} de grappes{tried} ; p ne peut "
                f"pas descendre sous {least}"
                + (" : aucun écart de tendance ne peut être vu." if blind else ".")
            )
        return [*lines, *kept_sentences(self.meta)]


def pretrend_test(
    coef: npt.ArrayLike,
    vcov: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    power: Sequence[float] = (0.5, 0.8),
    df_denominator: float | None = None,
    df_covariance: float | None = None,
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
    df_covariance : float, optional
        Degrees of freedom eta of a covariance without bias: the law of Hotelling, F on q and
        eta - q + 1 degrees of freedom, which holds its level with few clusters.

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
    law = _Wald(len(b), df_denominator, df_covariance)
    meta = {
        "method": "test de Wald conjoint des coefficients antérieurs au traitement",
        "convention": f"{law.said}, pentes détectables selon Roth (2022)",
        "alpha": alpha,
        "df_denominator": law.denominator,
        "version": __version__,
    }
    reason = _not_testable(b, v) or law.undefined
    if reason:
        return untested(reason, len(b), power, meta)
    scaled = np.linalg.cholesky(v)
    wald = float(np.square(np.linalg.solve(scaled, b)).sum())
    unit = float(np.square(np.linalg.solve(scaled, t)).sum())  # non-centrality of a slope of 1
    slopes = law.slopes(unit, alpha, power)
    return PreTrend(law.statistic(wald), len(b), law.p(wald), slopes, meta)


def untested(reason: str, df: int, power: Sequence[float], meta: Mapping[str, Any]) -> PreTrend:
    """Return a test without p nor slopes, and why."""
    lost = dict.fromkeys(map(float, power), np.nan)
    return PreTrend(np.nan, df, np.nan, lost, {**meta, "reason": reason})


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
    """The law of a Wald statistic: chi-squared, F, or that of Hotelling."""

    q: int
    df_denominator: float | None = None
    df_covariance: float | None = None

    @property
    def denominator(self) -> float | None:
        """Denominator degrees of freedom of the F law."""
        if self.df_covariance is None:
            return self.df_denominator
        return self.df_covariance - self.q + 1

    @property
    def said(self) -> str:
        if self.df_covariance is not None:
            eta = format_number(round(self.df_covariance, 1))
            return f"loi de Hotelling (Tipton, Pustejovsky, 2015), {eta} ddl"
        return "loi du khi-deux" if self.df_denominator is None else "loi de F"

    @property
    def undefined(self) -> str | None:
        below = self.denominator
        if below is None or below > 0:
            return None
        return (
            "trop peu de grappes dans un bras pour tant de coefficients ("
            f"{format_number(round(self.df_covariance or 0.0, 1))} degrés de liberté pour {self.q})"
        )

    def statistic(self, wald: float) -> float:
        below = self.denominator
        if below is None:
            return wald
        factor = 1.0 if self.df_covariance is None else below / self.df_covariance
        return wald * factor / self.q

    def p(self, wald: float) -> float:
        from scipy import stats

        below = self.denominator
        law = stats.chi2(self.q) if below is None else stats.f(self.q, below)
        return float(law.sf(self.statistic(wald)))

    def power(self, alpha: float, noncentrality: float) -> float:
        from scipy import stats

        below = self.denominator
        if below is None:
            critical = stats.chi2.isf(alpha, self.q)
            return float(stats.ncx2.sf(critical, self.q, noncentrality))
        critical = stats.f.isf(alpha, self.q, below)
        return float(stats.ncf.sf(critical, self.q, below, noncentrality))

    def noncentrality(self, alpha: float, wanted: float) -> float:
        from scipy.optimize import brentq

        high = 1.0
        while self.power(alpha, high) < wanted:
            high *= 2
        return float(
            brentq(lambda nc: self.power(alpha, nc) - wanted, 1e-12, high, xtol=1e-12, rtol=1e-12)
        )

    def slopes(self, unit: float, alpha: float, power: Sequence[float]) -> dict[float, float]:
        """Slope seen with each power, from the non-centrality that a slope of 1 gives."""
        if unit <= 0:
            return dict.fromkeys(map(float, power), np.inf)
        return {
            float(wanted): float(np.sqrt(self.noncentrality(alpha, wanted) / unit))
            for wanted in power
        }


def permuted_pretrend(
    observed: Floats,
    permuted: Floats,
    times: Floats,
    *,
    groups: int,
    n_clusters: int,
    exact: bool,
    alpha: float,
    power: Sequence[float],
) -> PreTrend:
    """Test the coefficients before treatment against those of the clusters permuted.

    Parameters
    ----------
    observed : ndarray of shape (q,)
        The coefficients, over the errors that they would have if people were independent: whole
        clusters of few people weigh less.
    permuted : ndarray of shape (draws, q)
        Those of each permutation of the dates of entry between clusters, the observed one among
        them; missing where they cannot be estimated, which counts as a large statistic.
    times : ndarray of shape (q,)
        As in `pretrend_test`, over the same errors.
    groups, n_clusters : int
        Dates of entry, the never treated being one; clusters.
    exact : bool
        Whether all permutations were tried.
    alpha, power
        As in `pretrend_test`.

    Returns
    -------
    PreTrend
        p is exact when nothing but chance says which cluster enters when. ``statistic`` is
        b' M^-1 b with M the mean of b b' over permutations.

    Notes
    -----
    With two arms of equal clusters this is the permutation of Hotelling's statistic with a common
    covariance, whose law under normality is F on q and G - 1 - q degrees of freedom: the slopes use
    it, with the covariance M and the largest attainable size below ``alpha``.
    """
    q = len(observed)
    meta: dict[str, Any] = {
        "method": "test par permutation des grappes des coefficients antérieurs au traitement",
        "convention": "Fisher (1935) : dates d'entrée échangées entre grappes, permutation "
        "observée comptée ; pentes détectables selon Roth (2022), loi de Hotelling à covariance "
        "commune",
        "alpha": alpha,
        "df_denominator": None,
        "version": __version__,
    }
    known = np.asarray(np.isfinite(permuted).all(axis=1), np.bool_)
    if not q or not np.isfinite(observed).all():
        missing = "aucun coefficient" if not q else "coefficient manquant"
        return untested(f"{missing} avant le traitement", q, power, meta)
    metric = permuted[known].T @ permuted[known] / max(int(known.sum()), 1)
    if q >= n_clusters - 1 or _not_testable(observed, metric):
        few = "plus de coefficients que les grappes n'en permettent"
        return untested(f"covariance non inversible : {few}", q, power, meta)
    root = np.linalg.inv(np.linalg.cholesky(metric))
    sizes = np.square(np.where(known[:, None], permuted, 0.0) @ root.T).sum(1)
    sizes[~known] = np.inf
    wald = float(np.square(root @ observed).sum())
    # Sums in another order: ties are those within rounding.
    p = float((sizes >= wald * (1 - 1e-9)).mean())
    largest = sizes[known].max()
    step = float((sizes >= largest * (1 - 1e-9)).mean())
    meta |= {"draws": len(sizes), "exact": exact, "smallest_p": step}
    below = float(n_clusters - groups + 1 - q)
    law = _Wald(q, df_denominator=below)
    meta["df_denominator"] = below
    slopes = dict.fromkeys(map(float, power), np.inf)
    size = step * np.floor(alpha / step * (1 + 1e-12))
    if size > 0 and below > 0:
        slopes = law.slopes(float(np.square(root @ times).sum()), size, power)
    return PreTrend(wald, q, p, slopes, meta)
