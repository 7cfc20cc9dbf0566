"""The year when a reference series had a value: how late, or how early, a territory is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.face import Face
from barometre.base.french import format_number
from barometre.base.rounding import round_half_up

YearStatus = Literal[
    "dans_la_serie", "avant_la_serie", "apres_la_serie", "hors_de_la_serie", "valeur_absente"
]

# Values closer than this, relatively, are equal: a printed value is met in the year it is that of.
_SAME = 1e-9


@dataclass(frozen=True)
class EquivalentYear(Face):
    """When a series had a value.

    Attributes
    ----------
    annee : float or None
        The latest crossing, interpolated; None when the series never had the value.
    statut : str
        ``"dans_la_serie"``; ``"avant_la_serie"`` or ``"apres_la_serie"`` when the value is beyond
        that end of the series; ``"hors_de_la_serie"`` when it was never reached and neither end
        leads to it; ``"valeur_absente"``.
    croisements : tuple of float
        Every crossing, in the order of the years; of a stretch where the series keeps the value,
        its first and its last year.
    texte : str
        The same in words, the year printed as an integer.
    """

    annee: float | None
    statut: YearStatus
    croisements: tuple[float, ...]
    texte: str

    @property
    def table(self) -> pd.DataFrame:
        """The same as one row: ``annee``, ``statut``, ``texte``."""
        year = np.nan if self.annee is None else self.annee
        return pd.DataFrame({"annee": [year], "statut": self.statut, "texte": self.texte})

    def sentences(self) -> list[str]:
        """Say the year in words."""
        return [f"{self.texte[:1].upper()}{self.texte[1:]}."]


@overload
def equivalent_year(
    value: float, series: pd.Series[float] | Mapping[int, float]
) -> EquivalentYear: ...


@overload
def equivalent_year(
    value: pd.Series[float] | Mapping[str, float], series: pd.Series[float] | Mapping[int, float]
) -> pd.DataFrame: ...


def equivalent_year(
    value: float | pd.Series[float] | Mapping[str, float],
    series: pd.Series[float] | Mapping[int, float],
) -> EquivalentYear | pd.DataFrame:
    """Find when a reference series had the value of a territory.

    Parameters
    ----------
    value : float, or Series or mapping of float
        Value of a territory, or of several by code.
    series : Series or mapping
        Values of the reference by year, in any order. Missing ones are bridged by the line between
        the years around.

    Returns
    -------
    EquivalentYear or DataFrame
        For several values, a table with one row per code: ``code``, ``valeur``, ``annee`` (missing
        when there is none), ``statut``, ``croisements``, ``texte``; empty for no value. A missing
        value is ``valeur_absente``.

        A value under the lowest of the series is before it when its first year is the lowest, after
        it when its last year is (the same above the highest). When both are, as in a series of one
        year or of one value, or neither, nothing says on which side: ``hors_de_la_serie``.

    Raises
    ------
    BarometreError
        A series without value, with a year given twice, with years that are no integers, with an
        infinite value; a value that is no number.

    Notes
    -----
    Inverse linear interpolation: between two known years the series is a straight line. When it had
    the value several times, the latest is kept: since then it has not come back to it. The year is
    printed rounded half up, as the contract does ("la CA a le revenu médian que la France avait en
    2000"); ``annee`` keeps its decimals.

    Examples
    --------
    >>> medians = pd.Series({1996: 17_000.0, 2000: 18_400.0, 2004: 19_800.0})
    >>> found = equivalent_year(18_550, medians)
    >>> round(found.annee, 2), found.statut, found.texte
    (2000.43, 'dans_la_serie', 'valeur de la série en 2000')
    >>> equivalent_year(16_000, medians).statut
    'avant_la_serie'
    """
    years, known = _checked_series(series)
    if isinstance(value, (pd.Series, Mapping)):
        values = pd.Series(value, dtype="float64") if isinstance(value, Mapping) else value
        found = [_found(_number(v), years, known) for v in values]
        return pd.DataFrame(
            {
                "code": values.index.to_numpy(),
                "valeur": pd.Series([_number(v) for v in values], dtype="float64"),
                "annee": pd.Series([f.annee for f in found], dtype="float64"),
                "statut": pd.Series([f.statut for f in found], dtype="str"),
                "croisements": pd.Series([f.croisements for f in found], dtype="object"),
                "texte": pd.Series([f.texte for f in found], dtype="str"),
            }
        )
    return _found(_number(value), years, known)


def _number(value: object) -> float:
    if value is None or value is pd.NA:
        return float("nan")
    if isinstance(value, (bool, str)):
        raise BarometreError(f"valeur {value!r} refusée : donner un nombre")
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number is refused below
    except (TypeError, ValueError):
        raise BarometreError(f"valeur {value!r} refusée : donner un nombre") from None
    if np.isinf(number):
        raise BarometreError(f"valeur {value!r} refusée : donner un nombre fini")
    return number


def _checked_series(series: pd.Series[float] | Mapping[int, float]) -> tuple[Floats, Floats]:
    """Return the years of the known values, in order, and these."""
    if not isinstance(series, (pd.Series, Mapping)):
        raise BarometreError("série refusée : donner les valeurs de la référence par année")
    given = pd.Series(dict(series), dtype="object") if isinstance(series, Mapping) else series
    wrong = [
        year
        for year in given.index
        if isinstance(year, bool)
        or not isinstance(year, (int, float, np.integer, np.floating))
        or not float(year).is_integer()
    ]
    if wrong:
        raise BarometreError(f"série refusée : {wrong[0]!r} n'est pas une année entière")
    twice = given.index[given.index.duplicated()]
    if len(twice):
        raise BarometreError(f"série refusée : l'année {twice[0]} y est deux fois")
    values = np.array([_number(v) for v in given], dtype=np.float64)
    kept = ~np.isnan(values)
    if not kept.any():
        raise BarometreError("série refusée : aucune année n'a de valeur")
    years = np.array([int(year) for year in given.index], dtype=np.float64)[kept]
    order = np.argsort(years)
    return years[order], values[kept][order]


def _found(value: float, years: Floats, known: Floats) -> EquivalentYear:
    if np.isnan(value):
        return EquivalentYear(None, "valeur_absente", (), "valeur absente")
    crossings = _crossings(value, years, known)
    if crossings:
        printed = list(dict.fromkeys(_printed(year) for year in crossings))
        text = f"valeur de la série en {printed[-1]}"
        if printed[:-1]:
            text += f" (la dernière fois ; auparavant : {', '.join(printed[:-1])})"
        return EquivalentYear(crossings[-1], "dans_la_serie", crossings, text)
    below = value < known.min()
    extreme = known.min() if below else known.max()
    first, last = known[0] == extreme, known[-1] == extreme
    span = f"série de {years[0]:.0f} à {years[-1]:.0f}"
    if first == last:
        side = "inférieure" if below else "supérieure"
        text = f"valeur {format_number(value)} {side} à toute la {span}"
        return EquivalentYear(None, "hors_de_la_serie", (), text)
    if first:
        return EquivalentYear(None, "avant_la_serie", (), f"avant {years[0]:.0f} ({span})")
    return EquivalentYear(None, "apres_la_serie", (), f"après {years[-1]:.0f} ({span})")


def _crossings(value: float, years: Floats, known: Floats) -> tuple[float, ...]:
    """List the years when the line through the known values has the value."""
    gaps = known - value
    met = np.abs(gaps) <= _SAME * max(abs(value), float(np.abs(known).min()))
    gaps = np.where(met, 0.0, gaps)
    between = np.flatnonzero(gaps[:-1] * gaps[1:] < 0)
    share = gaps[between] / (gaps[between] - gaps[between + 1])
    crossed = years[between] + share * (years[between + 1] - years[between])
    # Inside a stretch at the value, only the two ends tell something.
    inside = met & np.append(False, met[:-1]) & np.append(met[1:], False)
    return tuple(float(year) for year in np.sort(np.append(crossed, years[met & ~inside])))


def _printed(year: float) -> str:
    return f"{round_half_up(year):.0f}"
