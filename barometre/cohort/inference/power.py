"""Before the data: the effect a study can detect, the number of people it needs."""

from __future__ import annotations

import math

from barometre.base.errors import BarometreError
from barometre.cohort.inference.intraclass import IntraClass
from barometre.cohort.inference.power_plan import (
    Correlation,
    ProportionTest,
    StudyPlan,
    plan_of,
    require_people,
    require_share,
    require_test,
    solve,
)


def minimum_detectable_effect(
    n: float,
    n_control: float | None = None,
    *,
    sd: float = 1.0,
    proportion: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    cluster_size: float | None = None,
    icc: float | IntraClass = 0.0,
    waves_pre: int = 0,
    waves_post: int = 1,
    correlation: float = 0.0,
    correlation_type: Correlation = "constant",
    attrition: float = 0.0,
    test: ProportionTest = "normal",
) -> StudyPlan:
    """Compute the smallest effect that a study detects with a given power.

    Parameters
    ----------
    n, n_control : float
        People enrolled in each arm; as many controls as treated by default.
    sd : float, default 1.0
        Standard deviation of one measure of one person: the effect has the same unit.
    proportion : float, optional
        Share of yes in the control arm, between 0 and 1, for a yes/no outcome; the effect is then
        a rise of this share, and ``sd`` must be left alone.
    power : float, default 0.8
        Probability of seeing the effect.
    alpha : float, default 0.05
        Size of the two-sided test.
    cluster_size : float, optional
        People per neighbourhood when whole neighbourhoods are assigned.
    icc : float or IntraClass, default 0.0
        Intra-class correlation of the outcome analysed (of its change, with waves before), or what
        `intraclass_correlation` gives.
    waves_pre : int, default 0
        Waves measured before. With none, means after are compared; with some, the change from the
        mean before to the mean after (difference in differences).
    waves_post : int, default 1
        Waves measured after.
    correlation : float, default 0.0
        Correlation of a person's measures: of any two waves (``"constant"``), or of two successive
        waves, fading as its powers (``"ar1"``).
    correlation_type : {"constant", "ar1"}
        See above.
    attrition : float, default 0.0
        Share of people expected to be lost, the same in both arms.
    test : {"normal", "arcsine"}
        Test of two proportions: normal with the pooled variance under the null (Fleiss 1981, the
        tail on the wrong side left out), or Cohen's h (1988, both tails).

    Returns
    -------
    StudyPlan
        ``effect`` is the minimum detectable effect. It is missing when no rise of the share up
        to 1 would be detected.

    Raises
    ------
    BarometreError
        An argument outside its range, or too few people or clusters for a test.

    Notes
    -----
    Noncentral t of two means, both tails counted (Cohen 1988); clusters multiply the variance by
    1 + (m - 1) icc and leave as many degrees of freedom as clusters less two (Donner & Klar 2000);
    waves multiply it by the variance of the mean after less the mean before, in units of one
    measure (Frison & Pocock 1992, McKenzie 2012): (1 - r)(1/pre + 1/post) for a constant
    correlation r.

    Examples
    --------
    >>> round(minimum_detectable_effect(100).effect, 4)
    0.3981
    >>> round(minimum_detectable_effect(100, waves_pre=1, correlation=0.7).effect, 4)
    0.3084
    """
    arms = n if n_control is None else n_control
    require_people(n, arms)
    plan = plan_of(
        sd, proportion, power, alpha, arms / n, cluster_size, float(icc), waves_pre, waves_post,
        correlation, correlation_type, attrition, test,
    )  # fmt: skip
    require_test(plan, n)
    high = 1.0 if proportion is None else 1 - proportion
    if proportion is None:
        high = sd
        while plan.detected(n, high) < power:
            high *= 2
    elif plan.detected(n, high) < power:
        return plan.planned(math.nan, n, "effect")
    effect = solve(lambda effect: plan.detected(n, effect) - power, 1e-12 * high, high)
    return plan.planned(effect, n, "effect")


def sample_size(
    effect: float,
    *,
    ratio: float = 1.0,
    sd: float = 1.0,
    proportion: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    cluster_size: float | None = None,
    icc: float | IntraClass = 0.0,
    waves_pre: int = 0,
    waves_post: int = 1,
    correlation: float = 0.0,
    correlation_type: Correlation = "constant",
    attrition: float = 0.0,
    test: ProportionTest = "normal",
) -> StudyPlan:
    """Compute how many people to enrol for an effect to be detected with a given power.

    Parameters
    ----------
    effect : float
        Effect to detect, in the unit of ``sd``; a difference of proportions with ``proportion``.
    ratio : float, default 1.0
        Controls per treated person.
    sd, proportion, power, alpha, cluster_size, icc, waves_pre, waves_post, correlation : float
        As in `minimum_detectable_effect`.
    correlation_type : {"constant", "ar1"}, default "constant"
        Correlation between the waves of a person.
    attrition : float, default 0
        Share of people lost, from 0 to 1.
    test : {"normal", "arcsine"}, default "normal"
        Test of two proportions. All as in `minimum_detectable_effect`.

    Returns
    -------
    StudyPlan
        ``n`` is the number of treated people, not rounded, losses included; ``people`` and
        ``clusters`` are rounded up.

    Raises
    ------
    BarometreError
        An argument outside its range; a zero effect; a share that would leave 0-1.

    Notes
    -----
    Formulas of `minimum_detectable_effect`, solved for the size.

    Examples
    --------
    >>> round(sample_size(0.5).n, 2)
    63.77
    >>> sample_size(0.10, proportion=0.30, attrition=0.2).people
    890
    """
    plan = plan_of(
        sd, proportion, power, alpha, ratio, cluster_size, float(icc), waves_pre, waves_post,
        correlation, correlation_type, attrition, test,
    )  # fmt: skip
    if not (math.isfinite(effect) and effect != 0):
        raise BarometreError(f"effect={effect} ; donner un effet non nul")
    require_share(proportion, effect)
    # Mean of a t test is not defined under one degree of freedom: the smallest size has one.
    smallest = 3 / (1 + ratio) * (cluster_size or 1 / (1 - attrition))
    if plan.detected(smallest, abs(effect) if proportion is None else effect) >= power:
        return plan.planned(effect, smallest, "n")
    largest = 2 * smallest
    while plan.detected(largest, effect) < power:
        largest *= 2
    n = solve(lambda size: plan.detected(size, effect) - power, smallest, largest)
    return plan.planned(effect, n, "n")


def achieved_power(
    n: float,
    effect: float,
    *,
    n_control: float | None = None,
    sd: float = 1.0,
    proportion: float | None = None,
    alpha: float = 0.05,
    cluster_size: float | None = None,
    icc: float | IntraClass = 0.0,
    waves_pre: int = 0,
    waves_post: int = 1,
    correlation: float = 0.0,
    correlation_type: Correlation = "constant",
    attrition: float = 0.0,
    test: ProportionTest = "normal",
) -> float:
    """Compute the probability that a study detects an effect.

    Parameters
    ----------
    n : float
        People enrolled in the treated arm.
    effect : float
        True effect, in the unit of ``sd``; a difference of proportions with ``proportion``.
    n_control : float, optional
        People enrolled in the control arm; as many by default.
    sd, proportion, alpha, cluster_size, icc, waves_pre, waves_post, correlation : float
        As in `minimum_detectable_effect`.
    correlation_type : {"constant", "ar1"}, default "constant"
        Correlation between the waves of a person.
    attrition : float, default 0
        Share of people lost, from 0 to 1.
    test : {"normal", "arcsine"}, default "normal"
        Test of two proportions. All as in `minimum_detectable_effect`.

    Returns
    -------
    float
        Power, between 0 and 1.

    Raises
    ------
    BarometreError
        As `minimum_detectable_effect`.

    Examples
    --------
    >>> round(achieved_power(30, 0.5), 4)
    0.4779
    """
    arms = n if n_control is None else n_control
    require_people(n, arms)
    plan = plan_of(
        sd, proportion, 0.5 + alpha / 2, alpha, arms / n, cluster_size, float(icc), waves_pre,
        waves_post, correlation, correlation_type, attrition, test,
    )  # fmt: skip
    require_test(plan, n)
    require_share(proportion, effect)
    return plan.detected(n, effect)
