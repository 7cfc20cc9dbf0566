"""What an estimator hands back: an estimate with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.face import (
    Drawn,
    capital,
    decimals_of,
    interval_text,
    kept_sentences,
    number_text,
    p_text,
)
from barometre.base.version import __version__

LEVEL = 0.95
COLUMNS = ("estimate", "se", "low", "high", "df", "p", "n")
"""The words of every result, in their order."""


class FewClustersWarning(UserWarning):
    """So few clusters that no result, however large, can be significant at 5 %."""


@dataclass(frozen=True, eq=False)
class Estimate(Drawn):
    """One estimated effect; it prints as a report would say it.

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
    details : DataFrame, optional
        What the estimate is made of, when there is something to show: the four means of `did`.
    """

    chart: ClassVar[str] = "effect_forest"

    estimate: float
    se: float
    df: float
    low: float
    high: float
    n: int
    p: float
    statistic: float
    meta: Mapping[str, Any] = field(repr=False)
    details: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row: ``estimate, se, low, high, df, p, n``."""
        return pd.DataFrame([{name: getattr(self, name) for name in COLUMNS}])

    def sentences(self) -> list[str]:
        """Say the effect, its interval, whose it is, and what to fear."""
        return [effect_sentence(self), *kept_sentences(self.meta)]

    def drawn(self) -> dict[str, Estimate]:
        """Return the effect under the name of its method."""
        return {str(self.meta.get("method", "effet")): self}


def effect_sentence(effect: Estimate) -> str:
    """Say an effect in one sentence: value, interval, error, degrees of freedom, p.

    Examples
    --------
    >>> print(effect_sentence(make_estimate(2.0, 1.0, 10, 40, {"method": "essai"})))
    Essai : effet estimé 2,0, intervalle à 95 % [−0,2 ; 4,2], erreur-type 1,0, ddl 10, p = 0,073.
    """
    digits = decimals_of(effect.se)
    outcome = f" sur « {effect.meta['outcome']} »" if effect.meta.get("outcome") else ""
    value = number_text(effect.estimate, digits)
    start = (
        f"{capital(str(effect.meta.get('method', 'estimation')))}{outcome} : effet estimé {value}"
    )
    if math.isnan(effect.low):
        return f"{start}, dont l'incertitude n'est pas connue."
    df = number_text(effect.df, 0 if effect.df == round(effect.df, 9) else 1)
    law = "loi normale" if math.isinf(effect.df) else f"ddl {df}"
    return (
        f"{start}, intervalle à 95 % {interval_text(effect.low, effect.high, digits)}, "
        f"erreur-type {number_text(effect.se, digits)}, {law}, {p_text(effect.p)}."
    )


def term_sentences(table: pd.DataFrame) -> list[str]:
    """Say the coefficients of a regression, one sentence each.

    Parameters
    ----------
    table : DataFrame
        ``term, estimate, se, low, high, p``.

    Returns
    -------
    list of str
    """
    lines = []
    for row in table.to_dict("records"):
        digits = decimals_of(row["se"])
        value = number_text(row["estimate"], digits)
        interval = interval_text(row["low"], row["high"], digits)
        lines.append(f"{row['term']} : {value} {interval}, {p_text(row['p'])}.")
    return lines


def time_sentences(table: pd.DataFrame) -> list[str]:
    """Say effects by event time, one sentence each.

    Parameters
    ----------
    table : DataFrame
        ``event_time, estimate, se, low, high``.

    Returns
    -------
    list of str
    """
    lines = []
    for row in table.to_dict("records"):
        digits = decimals_of(row["se"])
        when = number_text(row["event_time"], 0, signed=True)
        if math.isnan(row["se"]) and row["estimate"] == 0:
            lines.append(f"À {when} : 0, durée de référence.")
            continue
        value = number_text(row["estimate"], digits)
        interval = interval_text(row["low"], row["high"], digits)
        lines.append(f"À {when} : {value} {interval}.")
    return lines


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


def interval_columns(estimate: npt.ArrayLike, se: npt.ArrayLike, df: npt.ArrayLike) -> pd.DataFrame:
    """Return ``low, high, df, p`` of estimates, at 95 %; p and bounds missing without an error."""
    _, p, low, high = student_interval(estimate, se, df)
    return pd.DataFrame({"low": low, "high": high, "df": df, "p": p})


def make_estimate(
    estimate: float,
    se: float,
    df: float,
    n: int,
    meta: Mapping[str, Any],
    *,
    details: pd.DataFrame | None = None,
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
    details : DataFrame, optional
        What the estimate is made of.

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
    return Estimate(
        estimate=float(estimate),
        se=float(se),
        df=float(df),
        low=float(low),
        high=float(high),
        n=int(n),
        p=float(p),
        statistic=float(statistic),
        meta={**meta, "version": __version__},
        details=details,
    )
