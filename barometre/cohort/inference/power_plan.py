"""What a study is planned on, and the power it gives: the arithmetic behind `power`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from numbers import Real
from typing import Literal

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, decimals_of, number_text, percent_text
from barometre.base.french import format_number

Correlation = Literal["constant", "ar1"]
ProportionTest = Literal["normal", "arcsine"]


@dataclass(frozen=True)
class StudyPlan(Face):
    """A study to come and what it can show; ``float(plan)`` is the quantity asked for.

    Attributes
    ----------
    effect : float
        Effect detected with the power asked for, in the outcome's unit (a difference of
        proportions for a yes/no outcome).
    n, n_control : float
        People enrolled in the treated and control arms, before attrition; not rounded.
    people : int
        Both arms, each rounded up: whole people, or whole clusters when there are some.
    clusters : int or None
        Clusters in both arms together, rounded up.
    power, alpha : float
        Power, and size of the two-sided test.
    df : float
        Degrees of freedom of the test; infinite for a proportion without clusters.
    variance_factor : float
        Variance of the outcome analysed over the variance of one measure of one person: waves and
        clusters taken together.
    """

    effect: float
    n: float
    n_control: float
    people: int
    clusters: int | None
    power: float
    alpha: float
    df: float
    variance_factor: float
    asked: Literal["effect", "n"]

    def __float__(self) -> float:
        """Return the quantity asked for: the effect, or the people of the treated arm."""
        return self.effect if self.asked == "effect" else self.n

    @property
    def table(self) -> pd.DataFrame:
        """One row: the figures of the plan, under their names."""
        names = [field.name for field in fields(self) if field.name != "asked"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def sentences(self) -> list[str]:
        """Say what can be seen, and with whom."""
        power, alpha = percent_text(self.power, 0), percent_text(self.alpha, 0)
        test = f"avec une puissance de {power} et un test bilatéral à {alpha}"
        effect = number_text(self.effect, decimals_of(abs(self.effect) / 10))
        if math.isnan(self.effect):
            first = f"Aucun effet possible n'est détectable {test}."
        elif self.asked == "effect":
            first = f"Plus petit effet détectable {test} : {effect}."
        else:
            first = f"Pour un effet de {effect} {test}, inscrire {people_text(self.people)}."
        clusters = "" if self.clusters is None else f", {counted_text(self.clusters, 'grappe')}"
        return [
            first,
            f"Plan : {people_text(self.n)} traitées et {number_text(math.ceil(self.n_control))} de "
            f"comparaison{clusters} ; ddl {number_text(self.df)}.",
            f"Une mesure vaut, par sa variance, {number_text(self.variance_factor, 2)} fois celle "
            "d'une mesure unique d'une personne (vagues et grappes).",
        ]


def people_text(number: float) -> str:
    """Write a number of people, rounded up."""
    return counted_text(_ceil(number), "personne")


@dataclass(frozen=True)
class Assumptions:
    """Everything of a plan but its effect and its size."""

    sd: float
    proportion: float | None
    test: ProportionTest
    power: float
    alpha: float
    ratio: float
    cluster_size: float | None
    icc: float
    waves: float
    attrition: float

    @property
    def variance_factor(self) -> float:
        if self.cluster_size is None:
            return self.waves
        # Losses are spread over the clusters: each keeps its share of observed people.
        observed = self.cluster_size * (1 - self.attrition)
        return self.waves * (1 + (observed - 1) * self.icc)

    def df(self, n: float) -> float:
        both = n * (1 + self.ratio)
        if self.cluster_size is not None:
            return both / self.cluster_size - 2
        return math.inf if self.proportion is not None else both * (1 - self.attrition) - 2

    def detected(self, n: float, effect: float) -> float:
        """Probability that the two-sided test rejects."""
        from scipy import stats

        first = n * (1 - self.attrition) / self.variance_factor
        second = first * self.ratio
        if self.proportion is None:
            error = self.sd * math.sqrt(1 / first + 1 / second)
            return _power(effect / error, self.df(n), self.alpha)
        before, after = self.proportion, self.proportion + effect
        if self.test == "arcsine":
            shift = 2 * (math.asin(math.sqrt(after)) - math.asin(math.sqrt(before)))
            return _power(shift / math.sqrt(1 / first + 1 / second), self.df(n), self.alpha)
        pooled = (after + self.ratio * before) / (1 + self.ratio)
        null = math.sqrt(pooled * (1 - pooled) * (1 / first + 1 / second))
        real = math.sqrt(after * (1 - after) / first + before * (1 - before) / second)
        if not real > 0:  # all say yes, or no, in each arm: the difference is certain
            return float(abs(effect) > null * stats.norm.isf(self.alpha / 2))
        # Fleiss's formula leaves out the tail on the wrong side, as everyone who uses it does.
        return _power(abs(effect) / real, self.df(n), self.alpha, stretch=null / real, tails=1)

    def planned(self, effect: float, n: float, asked: Literal["effect", "n"]) -> StudyPlan:
        arms = (n, n * self.ratio)
        people = sum(_ceil(arm) for arm in arms)
        clusters = None
        if self.cluster_size is not None:
            each = [_ceil(arm / self.cluster_size) for arm in arms]
            clusters = sum(each)
            people = _ceil(clusters * self.cluster_size)
        return StudyPlan(
            effect=effect,
            n=n,
            n_control=n * self.ratio,
            people=people,
            clusters=clusters,
            power=self.power,
            alpha=self.alpha,
            df=self.df(n),
            variance_factor=self.variance_factor,
            asked=asked,
        )


def wave_variance(
    waves_pre: int, waves_post: int, correlation: float, correlation_type: Correlation = "constant"
) -> float:
    """Variance of the mean after less the mean before, for measures of unit variance.

    Parameters
    ----------
    waves_pre, waves_post : int
        Numbers of waves, evenly spaced; with none before, the mean after alone.
    correlation : float
        Correlation of two waves, or of two successive ones.
    correlation_type : {"constant", "ar1"}
        Same correlation whatever the distance, or fading as its powers.

    Returns
    -------
    float
        Variance factor.

    Examples
    --------
    >>> round(wave_variance(1, 1, 0.5), 12)
    1.0
    """
    waves = np.arange(waves_pre + waves_post)
    distance = np.abs(waves[:, None] - waves[None, :])
    if correlation_type == "constant":
        matrix = np.where(distance == 0, 1.0, correlation)
    else:
        matrix = np.where(distance == 0, 1.0, float(correlation) ** distance)
    weights = np.where(waves < waves_pre, -1.0 / max(waves_pre, 1), 1.0 / waves_post)
    return float(weights @ matrix @ weights)


def require_people(n: float, n_control: float) -> None:
    if not all(isinstance(size, Real) and size > 0 for size in (n, n_control)):
        raise BarometreError(
            f"effectifs des bras : {n} et {n_control} ; donner deux nombres positifs"
        )


def require_test(plan: Assumptions, n: float) -> None:
    if plan.df(n) < 1:
        unit = "grappes" if plan.cluster_size is not None else "personnes observées"
        raise BarometreError(
            f"{format_number(plan.df(n) + 2)} {unit} en tout ; il en faut au moins 3 pour un test"
        )


def require_share(proportion: float | None, effect: float) -> None:
    if proportion is not None and not 0 <= proportion + effect <= 1:
        raise BarometreError(
            f"proportion + effect = {format_number(proportion + effect)} ; rester entre 0 et 1"
        )


def plan_of(
    sd: float,
    proportion: float | None,
    power: float,
    alpha: float,
    ratio: float,
    cluster_size: float | None,
    icc: float,
    waves_pre: int,
    waves_post: int,
    correlation: float,
    correlation_type: Correlation,
    attrition: float,
    test: ProportionTest,
) -> Assumptions:
    """Refuse what is out of range, all at once, and sum the waves up in one factor."""
    inside = {
        "sd : un nombre positif": sd > 0 and math.isfinite(sd),
        "sd et proportion s'excluent": proportion is None or sd == 1.0,
        "proportion : entre 0 et 1": proportion is None or 0 <= proportion <= 1,
        "power : entre alpha et 1": 0 < alpha < power < 1,
        "alpha : entre 0 et 1": 0 < alpha < 1,
        "ratio : un nombre positif": ratio > 0 and math.isfinite(ratio),
        "cluster_size : au moins 1": cluster_size is None or cluster_size >= 1,
        "icc : entre 0 et 1": 0 <= icc <= 1,
        "icc demande cluster_size": icc == 0 or cluster_size is not None,
        "waves_pre : un entier, 0 ou plus": waves_pre >= 0 and int(waves_pre) == waves_pre,
        "waves_post : un entier, 1 ou plus": waves_post >= 1 and int(waves_post) == waves_post,
        "correlation : de 0 à moins de 1": 0 <= correlation < 1,
        "correlation_type : « constant » ou « ar1 »": correlation_type in ("constant", "ar1"),
        "attrition : de 0 à moins de 1": 0 <= attrition < 1,
        "test : « normal » ou « arcsine »": test in ("normal", "arcsine"),
    }
    refused = [rule for rule, holds in inside.items() if not holds]
    if refused:
        raise BarometreError("plan refusé : " + " ; ".join(refused))
    waves = wave_variance(waves_pre, waves_post, correlation, correlation_type)
    return Assumptions(
        sd, proportion, test, power, alpha, ratio, cluster_size, icc, waves, attrition
    )


def _power(
    shift: float, df: float, alpha: float, stretch: float = 1.0, tails: Literal[1, 2] = 2
) -> float:
    """What lies beyond the critical values, for a statistic shifted by the effect."""
    from scipy import stats

    if df > 1e6:  # the noncentral t is then the normal to all printed digits
        limit = stretch * stats.norm.isf(alpha / 2)
        beyond = stats.norm.sf(limit - abs(shift))
        return float(beyond + (tails == 2) * stats.norm.cdf(-limit - abs(shift)))
    limit = stretch * stats.t.isf(alpha / 2, df)
    upper = stats.nct.sf(limit, df, abs(shift))
    # Far below, scipy gives nan for a tail smaller than any double.
    return float(upper + (tails == 2) * np.nan_to_num(stats.nct.cdf(-limit, df, abs(shift))))


def solve(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-12, rtol=1e-14))


def _ceil(size: float) -> int:
    """Round up, a size that is whole but for the last digits staying as it is."""
    return math.ceil(size - 1e-9)
