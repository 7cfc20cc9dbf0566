"""Uncertainty of shares in small areas: intervals of sampled shares, display grades.

Functions of arrays, that know neither tables nor cards. They take numbers, lists, arrays or Series
on one index, and return arrays in the order received (a number when all are numbers). Shares are
between 0 and 1. A missing argument gives a missing result; an impossible one is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from barometre.base.arguments import Numbers, as_numbers, as_shares, is_number
from barometre.base.arrays import Booleans, Floats, RowNumbers, summed
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.engine.results import GRADES
from barometre.tables.table_set import Positions

Processing = Literal["principale", "complementaire"]

SMALL_COMMUNE = 10_000
"""Municipal population from which the census surveys a sample of the dwellings every year."""

PRECISE, CAUTION = 3.0, 7.0
"""Half-widths, in points, up to which a value is graded A, then B."""

MIN_EFFECTIVE, MIN_DENOMINATOR, MIN_NUMERATOR = 100.0, 50.0, 5.0
"""Effective size under which a value is graded C; counts under which it is graded D."""


@dataclass(frozen=True)
class SurveyDesign:
    """What is assumed of the census sample, and the level of the intervals.

    Parameters
    ----------
    deff_households : float, default 1.5
        Design effect of shares of households, families or dwellings.
    deff_persons : float, default 2.0
        Design effect of shares of persons, who are surveyed by whole households.
    level : float, default 0.95
        Confidence level.

    Raises
    ------
    BarometreError
        A design effect that is not positive, a level that is not between 0 and 1.

    Notes
    -----
    The census files do not tell the design effects: these are assumptions, to be changed at will.
    """

    deff_households: float = 1.5
    deff_persons: float = 2.0
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        as_numbers(deff_households=self.deff_households, deff_persons=self.deff_persons, above=0)
        normal_quantile(self.level)


class Interval(NamedTuple):
    """Lower and upper limits."""

    low: Floats
    high: Floats


def normal_quantile(level: float) -> float:
    """Return the half-width of the central interval of a standard normal law.

    Examples
    --------
    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    if not is_number(level) or not 0 < level < 1:
        raise BarometreError(f"level refusé : {level} ; donner un niveau entre 0 et 1 (0.95)")
    return NormalDist().inv_cdf((1 + level) / 2)


# ---- census sample ------------------------------------------------------------------------------


def sampling_fraction(population: Numbers, processing: Processing, year: Numbers) -> Floats:
    """Return the share of the dwellings of a commune that a census figure rests on.

    Parameters
    ----------
    population : array-like
        Municipal population of the commune.
    processing : {"principale", "complementaire"}
        Census processing, as the card of the indicator says (``exploitation``).
    year : array-like
        Vintage.

    Returns
    -------
    array
        Main processing: 1 under 10 000 inhabitants, else 0.40. Complementary processing: 0.20 under
        10 000 inhabitants (0.25 before 2014), else 0.40. Missing where the population is.

    Raises
    ------
    UnknownNameError
        Another processing.
    BarometreError
        A negative population.

    Notes
    -----
    Insee surveys all dwellings of a commune under 10 000 inhabitants once in five years, and 8 % of
    those of the others every year: about 40 % in five years.

    Examples
    --------
    >>> sampling_fraction([9_999, 10_000], "complementaire", 2021)
    array([0.2, 0.4])
    """
    if processing not in get_args(Processing):
        raise UnknownNameError(
            "nom d'exploitation du recensement", processing, get_args(Processing)
        )
    residents, vintage = as_numbers(population=population, year=year, at_least=0)
    small = np.where(vintage < 2014, 0.25, 0.20) if processing == "complementaire" else 1.0
    fraction = np.where(residents < SMALL_COMMUNE, small, 0.40)
    return np.where(np.isnan(residents) | np.isnan(vintage), np.nan, fraction)[()]


def effective_size(n: Numbers, *, fraction: Numbers, deff: Numbers) -> Floats:
    """Return the size of the simple random sample that would inform as much: f N / deff.

    Parameters
    ----------
    n : array-like
        Denominator of the share, as the census estimates it.
    fraction : array-like
        Sampling fraction, above 0 and at most 1.
    deff : array-like
        Design effect, positive.

    Returns
    -------
    array
        Missing where an argument is.

    Examples
    --------
    >>> effective_size(3000, fraction=0.2, deff=1.5)
    np.float64(400.0)
    """
    size, taken, effect = as_numbers(n=n, fraction=fraction, deff=deff, at_least=0)
    as_numbers(fraction=taken, deff=effect, above=0)
    as_shares(fraction=taken)
    result: Floats = taken * size / effect
    return result


def wilson(
    share: Numbers, n: Numbers, *, fraction: Numbers, deff: Numbers, level: float = 0.95
) -> Interval:
    """Return the Wilson interval of a share of a finite population, known from a sample.

    Parameters
    ----------
    share : array-like
        Observed share, between 0 and 1.
    n : array-like
        Denominator of the share in the population (not in the sample).
    fraction : array-like
        Sampling fraction, above 0 and at most 1 (`sampling_fraction`).
    deff : array-like
        Design effect.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Interval
        ``low`` and ``high``, between 0 and 1, that always hold the share. No width when the
        fraction is 1: everyone was asked. Missing where an argument is or where ``n`` is 0.

    Raises
    ------
    BarometreError
        A share or a fraction that is none, a negative size, an impossible level.

    Notes
    -----
    Wilson's (1927) score interval with the effective size ``f n / deff`` and, for the finite
    population, ``z sqrt(1 - f)`` instead of ``z``.

    Examples
    --------
    >>> low, high = wilson(0.30, 3000, fraction=0.2, deff=1.5)
    >>> print(f"{100 * low:.1f} - {100 * high:.1f}")
    26.1 - 34.2
    """
    observed, n, taken, deff = as_numbers(share=share, n=n, fraction=fraction, deff=deff)
    as_shares(share=observed)
    size = effective_size(n, fraction=taken, deff=deff)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(size > 0, (1 - taken) / size, np.nan)
    return score_interval(observed, variance, level)


def score_interval(share: Floats, variance: Floats, level: float) -> Interval:
    """Return the score interval of a share whose variance is ``variance * share * (1 - share)``.

    It is the set of the shares that are not rejected, each with its own variance.
    """
    k = normal_quantile(level) ** 2 * variance
    middle = (share + k / 2) / (1 + k)
    half = np.sqrt(k * share * (1 - share) + k**2 / 4) / (1 + k)
    # The limits hold the share; the rounding of the last digit must not say otherwise.
    low, high = np.minimum(middle - half, share), np.maximum(middle + half, share)
    return Interval(np.maximum(low, 0)[()], np.minimum(high, 1)[()])


def stratified_wilson(
    share: Numbers, n: Numbers, *, fraction: Numbers, deff: Numbers, level: float = 0.95
) -> tuple[float, Interval]:
    """Return the share of a union of strata (communes), and its interval.

    Parameters
    ----------
    share, n, fraction, deff : array-like
        As `wilson`, one element per stratum.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    tuple of float and Interval
        Missing when a stratum that has someone lacks its share or its fraction, and when there is
        nobody. A stratum with ``n`` = 0 counts for nothing. One stratum gives what `wilson` gives;
        strata that were surveyed whole give no width.

    Raises
    ------
    BarometreError
        As `wilson`.

    Notes
    -----
    The variance is ``sum (N_h/N)^2 (1-f_h) p_h (1-p_h) deff / (f_h N_h)`` (Cochran, 1977, chapter
    5). It is turned into a Wilson interval by the effective size that would have this variance,
    ``p (1-p) / var``, rather than into ``p +- z sd``, which leaves 0-1 and is too short near its
    ends. When p is 0 or 1, that size is the one of strata of equal shares: the limit of the above.
    A stratum whose own share is 0 or 1 adds nothing to the variance.

    Examples
    --------
    >>> share, (low, high) = stratified_wilson(
    ...     [0.3, 0.2], [3000, 1000], fraction=[0.2, 1], deff=1.5
    ... )
    >>> print(f"{share:.3f} ({low:.3f} - {high:.3f})")
    0.275 (0.246 - 0.306)
    """
    p, size, taken, effect = as_numbers(share=share, n=n, fraction=fraction, deff=deff)
    effective_size(size, fraction=taken, deff=effect)  # refuses what cannot be
    as_shares(share=p)
    strata = [np.ravel(column) for column in (p, size, taken, effect)]
    one = np.zeros(strata[0].size, dtype=np.intp)
    total, interval = stratified_intervals(*strata, unions=one, number=1, level=level)
    return float(total[0]), Interval(interval.low[0], interval.high[0])


def stratified_intervals(
    share: Floats,
    n: Floats,
    fraction: Floats,
    deff: float | Floats,
    *,
    unions: RowNumbers | None,
    number: int,
    level: float,
) -> tuple[Floats, Interval]:
    """Apply `stratified_wilson` to many unions; ``unions`` is the position of each stratum's.

    It is None where each stratum is a union by itself. Numbers are those of checked tables: they
    are not looked at again.
    """
    some = n != 0

    def total(terms: Floats) -> Floats:
        own = np.where(some, terms, 0.0)
        return own if unions is None else summed(own, unions, number)

    whole = total(n)
    drawn = _rows(fraction != 1)  # the other strata, surveyed whole, add nothing to the variance
    at = drawn if unions is None else unions[drawn]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = total(n * share) / whole
        p = np.where(np.abs(p - 1) <= 1e-12, 1.0, p)  # a sum of shares of 1
        q, near, size, taken = p[at], share[drawn], n[drawn], fraction[drawn]
        effective = taken * size / np.broadcast_to(deff, n.shape)[drawn]
        unit = size**2 * (1 - taken) / effective
        own = (near / q) * ((1 - near) / (1 - q))  # p (1-p) could underflow
        terms = np.zeros(len(n))
        terms[drawn] = unit * np.where((q == 0) | (q == 1), 1, own)
        variance = total(terms) / whole**2
    low = np.clip(p, 0, 1)  # no width without variance
    high, wide = low.copy(), _rows(variance != 0)
    low[wide], high[wide] = score_interval(p[wide], variance[wide], level)
    return p, Interval(low, high)


def _rows(flags: Booleans) -> RowNumbers | slice:
    """Give the rows that are told, at no cost when all are."""
    return slice(None) if flags.all() else np.flatnonzero(flags)


# ---- differences and grades ----------------------------------------------------------------------


def newcombe(
    low1: Numbers, high1: Numbers, p1: Numbers, low2: Numbers, high2: Numbers, p2: Numbers
) -> Interval:
    """Return the interval of a difference ``p1 - p2``, from the interval of each.

    Parameters
    ----------
    low1, high1, p1 : array-like
        Interval and value of the first share (Wilson's, for Newcombe's own interval).
    low2, high2, p2 : array-like
        Those of the second.

    Returns
    -------
    Interval
        In the unit of the arguments; it always holds the difference. Missing where one is.

    Raises
    ------
    BarometreError
        A value outside its interval.

    Notes
    -----
    Newcombe (1998), method 10, "square and add": the two shares are taken as independent.

    Examples
    --------
    The example of the article, 56/70 - 48/80:

    >>> low, high = newcombe(0.69183, 0.87695, 0.8, 0.49045, 0.70038, 0.6)
    >>> print(f"{low:.4f} - {high:.4f}")
    0.0524 - 0.3339
    """
    a, b, p, c, d, q = as_numbers(low1=low1, high1=high1, p1=p1, low2=low2, high2=high2, p2=p2)
    if ((a > p) | (p > b) | (c > q) | (q > d)).any():
        raise BarometreError("newcombe : une valeur est hors de son intervalle ; vérifier l'ordre")
    low = p - q - np.sqrt((p - a) ** 2 + (d - q) ** 2)
    high = p - q + np.sqrt((b - p) ** 2 + (q - c) ** 2)
    return Interval(low[()], high[()])


def grade(
    half_width: Numbers,
    *,
    n_eff: Numbers = np.nan,
    numerator: Numbers = np.nan,
    denominator: Numbers = np.nan,
) -> npt.NDArray[np.object_]:
    """Return the display grade of a value: A, B, C or D.

    Parameters
    ----------
    half_width : array-like
        Half-width of its interval, in points.
    n_eff : array-like, optional
        Effective size; missing for a register, which has none.
    numerator, denominator : array-like, optional
        Counts of the value.

    Returns
    -------
    array of str or None
        ``"D"`` (to be printed ``nd``) with a denominator under 50 or a numerator under 5, whatever
        the rest; ``"C"`` (not to be ranked) with a half-width over 7 or an effective size under
        100; ``"B"`` (to be read with caution) over 3; else ``"A"``. None without half-width.

    Raises
    ------
    BarometreError
        A negative argument.

    Examples
    --------
    >>> grade([2.0, 5.0, 8.0, 2.0], denominator=[400, 400, 400, 40]).tolist()
    ['A', 'B', 'C', 'D']
    """
    half, size, above, below = as_numbers(
        half_width=half_width, n_eff=n_eff, numerator=numerator, denominator=denominator, at_least=0
    )
    positions = grade_positions(half, size, above, below)
    words = np.array([*GRADES, None], dtype=object)
    found: npt.NDArray[np.object_] = words[positions]
    return found


def grade_positions(half: Floats, size: Floats, above: Floats, below: Floats) -> Positions:
    """Return the position of each grade in ``GRADES``, -1 for none."""
    unknown = np.isnan(half)
    loose = (half > CAUTION) | ((size < MIN_EFFECTIVE) & ~unknown)
    few = (below < MIN_DENOMINATOR) | (above < MIN_NUMERATOR)
    # Sums of bytes: what is chosen row by row takes six times longer.
    found = np.maximum(np.multiply(loose, np.int8(2)), np.multiply(half > PRECISE, np.int8(1)))
    found = np.subtract(found, unknown, dtype=np.int8)
    return np.asarray(found + np.multiply(few, np.int8(3) - found), dtype=np.int8)
