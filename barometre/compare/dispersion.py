"""How unequal zones are: weighted coefficient of variation, Theil's index and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arguments import Numbers, as_numbers
from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.base.face import Face
from barometre.base.french import format_number

Labels: TypeAlias = "pd.Series[Any] | npt.NDArray[Any] | Sequence[Any]"

# A mean this small beside the values is a zero that binary sums did not cancel exactly.
_ZERO = 1e-12
_SHOWN = 3


@dataclass(frozen=True)
class TheilParts(Face):
    """Theil's index and what it is made of.

    Attributes
    ----------
    total, between, within : float
        The index of all zones, of the groups (each zone having the mean of its group), and the sum
        of the indices of the groups, each weighed by its share of the total of the values;
        ``between + within`` is ``total``. All missing when the mean is zero.
    groups : DataFrame
        One row per group, indexed by ``groupe``: ``poids`` (share of the weight), ``moyenne``,
        ``theil`` (its own index), ``inter`` (its term of ``between``, negative when its mean is
        under the general mean) and ``intra`` (its term of ``within``).
    """

    total: float
    between: float
    within: float
    groups: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """The groups."""
        return self.groups

    def sentences(self) -> list[str]:
        """Say how much of the index is between groups, how much within."""
        if np.isnan(self.total):
            return ["Indice de Theil non défini : la moyenne est nulle, ou aucune valeur."]
        number = len(self.groups)
        told = f"Indice de Theil : {format_number(self.total, 4)} ({counted(number, 'groupe')})."
        if self.total == 0:
            return [told, "Les zones ont toutes la même valeur."]
        share = format_number(100 * self.between / self.total, 0)
        between, within = format_number(self.between, 4), format_number(self.within, 4)
        return [told, f"Entre les groupes : {between} ({share} %) ; dans les groupes : {within}."]


def weighted_cv(values: Numbers, weights: Numbers | None = None) -> float:
    """Compute the coefficient of variation, zones being weighed by their population.

    Parameters
    ----------
    values : Series, array or sequence of float
        Value of each zone. A missing one is left out with its weight.
    weights : Series, array or sequence of float, optional
        Weight of each zone, none missing or negative, 0 to leave it out; the same for all by
        default. Two Series (or a mapping) are matched by label, anything else by position.

    Returns
    -------
    float
        Standard deviation (of the population: no n - 1) over the absolute mean. 0 for one zone or
        equal values; missing for no value, and for a mean of zero, to which nothing is relative.

    Raises
    ------
    BarometreError
        Input that is not numeric, infinite, of another length or with other labels; weights that
        are negative, missing or all zero.

    Notes
    -----
    Williamson's index of regional inequality (J. G. Williamson, 1965, *Economic Development and
    Cultural Change* 13(4)). Two cautions. The index of a rate p is not that of 1 - p, though the
    standard deviation is: near 0 % a rate looks dispersed, near 100 % it looks even. And with
    values of both signs (a gap between women and men) the mean may be near zero, and the index as
    large as one likes.

    Examples
    --------
    >>> weighted_cv([10, 30])
    0.5
    >>> round(weighted_cv([10, 30], [3, 1]), 6)  # mean 15, variance 75
    0.57735
    """
    x, w, _ = _paired(values, weights, None)
    if not x.any():
        return float("nan")
    x = np.ldexp(x, -int(np.frexp(np.abs(x).max())[1]))  # without rounding, nor overflow below
    mean = x[0] + (w * (x - x[0])).sum() / w.sum()  # equal values are exactly their mean
    if abs(mean) <= _ZERO * (w * np.abs(x)).sum() / w.sum():
        return float("nan")
    return float(np.sqrt((w * (x - mean) ** 2).sum() / w.sum()) / abs(mean))


@overload
def theil(values: Numbers, weights: Numbers | None = None, groups: None = None) -> float: ...
@overload
def theil(values: Numbers, weights: Numbers | None, groups: Labels) -> TheilParts: ...
@overload
def theil(values: Numbers, weights: Numbers | None = None, *, groups: Labels) -> TheilParts: ...
def theil(
    values: Numbers, weights: Numbers | None = None, groups: Labels | None = None
) -> float | TheilParts:
    """Compute Theil's T, zones being weighed by their population, and its parts by group.

    Parameters
    ----------
    values : Series, array or sequence of float
        Value of each zone, none negative. A missing one is left out with its weight.
    weights : Series, array or sequence of float, optional
        Weight of each zone, as for `weighted_cv`.
    groups : Series, array or sequence, optional
        Group of each zone, none missing.

    Returns
    -------
    float or TheilParts
        The index, from 0 (equal values; one zone) to the logarithm of the total weight over the
        smallest one; missing for no value or a mean of zero. With ``groups``, its parts too.

    Raises
    ------
    BarometreError
        As `weighted_cv`, and for a negative value (the index has no meaning) or a missing group.

    Notes
    -----
    T = sum of p (x / m) ln(x / m), where p is the share of the weight and m the weighted mean
    (H. Theil, 1967, *Economics and Information Theory*); a zone at zero adds nothing, which is the
    limit. With groups, T = sum of s ln(s / p) + sum of s T_g, where s is the share of a group in
    the total of the values and p in the weight (A. F. Shorrocks, 1980, *Econometrica* 48(3)).

    Examples
    --------
    >>> round(theil([0, 20]), 6)  # ln 2: all in one half
    0.693147
    >>> parts = theil([10, 10, 30, 30], groups=["A", "A", "B", "B"])
    >>> parts.within, parts.total == parts.between
    (0.0, True)
    """
    x, w, labels = _paired(values, weights, groups)
    if (x < 0).any():
        shown = ", ".join(format_number(value) for value in x[x < 0][:_SHOWN])
        remedy = "prendre le coefficient de variation, ou l'indicateur d'où vient cet écart"
        negative = counted(int((x < 0).sum()), "valeur négative", "valeurs négatives")
        raise BarometreError(f"indice de Theil refusé : {negative} ({shown}) ; {remedy}")
    unit = x.max() if x.any() else 1.0
    x = x / unit  # equal values become exactly 1, and large ones do not overflow
    total = _theil(x, w) if x.any() else float("nan")
    return total if labels is None else _parts(x, w, labels, total, unit)


def _theil(x: Floats, w: Floats) -> float:
    return float((w * _divergence(x / ((w * x).sum() / w.sum()))).sum() / w.sum())


def _divergence(ratio: Floats) -> Floats:
    """Compute r ln r - r + 1: never negative, and of the same mean as r ln r when r has mean 1."""
    excess = np.where(ratio > 0, ratio - 1, 0.0)
    return np.where(ratio > 0, np.maximum(ratio * np.log1p(excess) - excess, 0.0), 1.0)


def _parts(x: Floats, w: Floats, labels: pd.Series[Any], total: float, unit: float) -> TheilParts:
    """Decompose the index of values that were divided by ``unit``."""
    code, names = pd.factorize(labels)
    weight = np.bincount(code, w, len(names))
    amount = np.bincount(code, w * x, len(names))
    with np.errstate(invalid="ignore", divide="ignore"):  # groups all at zero
        share, mean = weight / weight.sum(), amount / weight
        level = mean / (amount.sum() / weight.sum())
        own = np.bincount(code, w * _divergence(x / mean[code]), len(names)) / weight
        between = np.where(level > 0, share * level * np.log(level), 0.0)
        within = np.where(level > 0, share * level * own, 0.0)
    undefined = np.isnan(total)
    parts = {"poids": share, "moyenne": mean * unit, "theil": np.where(mean > 0, own, np.nan)}
    parts |= {"inter": between, "intra": within}
    groups = pd.DataFrame(parts, index=pd.Index(names, name="groupe"))
    if undefined:
        groups[["theil", "inter", "intra"]] = np.nan
    return TheilParts(
        total=total,
        between=total if undefined else float((share * _divergence(level)).sum()),
        within=total if undefined else float(within.sum()),
        groups=groups,
    )


# ---- what is received ---------------------------------------------------------------------------


def as_weights(weights: Numbers) -> Floats:
    """Turn weights into an array; refuse missing or negative ones, and nothing but zeros.

    Raises
    ------
    BarometreError
        Weights that cannot weigh.
    """
    (array,) = as_numbers(at_least=0, weights=weights)
    if np.isnan(array).any():
        missing = counted(int(np.isnan(array).sum()), "manquant")
        raise BarometreError(f"weights refusé : {missing} ; mettre 0 pour écarter une zone")
    if array.size and not array.any():
        raise BarometreError("weights refusé : tous nuls ; donner un poids à une zone au moins")
    return array


def _paired(
    values: Numbers, weights: Numbers | None, groups: Labels | None
) -> tuple[Floats, Floats, pd.Series[Any] | None]:
    """Bring weights and groups on the values; leave out what is missing or has no weight."""
    (x,) = as_numbers(values=values)
    if x.ndim != 1:
        raise BarometreError("values refusé : donner une suite, un nombre par zone")
    w, labels = np.ones(len(x)), None
    if weights is not None:
        w = as_weights(_beside(weights, values, len(x), "weights"))
    if groups is not None:
        labels = _beside(groups, values, len(x), "groups")
        if labels.isna().any():
            missing = counted(int(labels.isna().sum()), "manquant")
            raise BarometreError(f"groups refusé : {missing} ; donner un groupe à chaque zone")
    known = ~np.isnan(x) & (w > 0)
    return x[known], w[known], None if labels is None else labels[known]


def _beside(given: Any, values: Any, length: int, name: str) -> pd.Series[Any]:
    """Bring a column on the labels of the values, or on their positions."""
    given = pd.Series(given) if isinstance(given, Mapping) else given
    column = given if isinstance(given, pd.Series) else pd.Series(given)
    if len(column) != length:
        raise BarometreError(f"{name} : {len(column)} au lieu de {length} ; un par valeur")
    both = isinstance(given, pd.Series) and isinstance(values, pd.Series)
    if both and not column.index.equals(values.index):
        unique = column.index.is_unique and values.index.is_unique
        if not unique or not values.index.isin(column.index).all():
            raise BarometreError(
                f"{name} : étiquettes autres que celles des valeurs ; leur donner le même index,"
                " ou des tableaux sans index"
            )
        column = column.reindex(values.index)
    return column.reset_index(drop=True)
