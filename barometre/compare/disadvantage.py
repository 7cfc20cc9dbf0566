"""How many indicators each zone is among the worst for."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from barometre.base.arguments import as_numbers, is_number
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.french import format_number
from barometre.cards.listing import expand_indicators, indicator_card
from barometre.cards.schema import THEMES
from barometre.compare.dispersion import as_weights
from barometre.compare.proof.sides import favour
from barometre.compare.rows import SAME
from barometre.compare.zones import (
    ROUNDING,
    ByCode,
    Oriented,
    by_code,
    check_between,
    grades_said,
    oriented_rows,
    weighing,
)
from barometre.engine.results import Grade

Worst: TypeAlias = "Literal['quintile'] | float | Mapping[str, float]"
Ties = Literal["include", "exclude"]

QUINTILE = 0.2


def cumulative_disadvantage(
    results: pd.DataFrame,
    zones: Iterable[str] | None = None,
    *,
    worst: Worst = "quintile",
    by_theme: bool = True,
    weights: ByCode | None = None,
    ties: Ties = "include",
    min_indicators: int = 1,
    indicators: str | Iterable[str] | None = None,
    year: int | Literal["latest"] | None = None,
    without_grades: Collection[Grade] = ("C", "D"),
) -> pd.DataFrame:
    """Count the indicators for which each zone is among the worst.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them.
    zones : iterable of str, optional
        Codes of the zones to compare with one another; by default all those of the results, that
        must then be of one level.
    worst : "quintile", float or mapping, default "quintile"
        The worst fifth of the zones, or another share of them, by indicator and year; or the
        threshold of each indicator, in its unit, strictly beyond which a zone is disadvantaged
        (only the indicators of the mapping are then counted).
    by_theme : bool, default True
        Also count by theme.
    weights : Series or mapping, optional
        Population of each zone, by code: the worst zones are then those where the worst fifth of
        the residents live. All zones weigh the same by default.
    ties : {"include", "exclude"}, default "include"
        Whether equal zones that straddle the limit of the worst share are all in or all out.
    min_indicators : int, default 1
        Number of indicators that a zone must have for its share to be told.
    indicators : str or iterable of str, optional
        Identifiers or themes; by default all those that have a direction and are no count.
    year : int or "latest", optional
        Year; ``"latest"`` takes each indicator at its latest year, in one row per zone. By default
        one row per zone and year.
    without_grades : collection of {"A", "B", "C", "D"}, default ("C", "D")
        Display grades of the values left out.

    Returns
    -------
    DataFrame
        One row per zone and year, zones in the order received: ``code``, ``annee`` (the latest used
        with ``"latest"``), ``millesimes`` (years used), ``defavorables`` (number of indicators for
        which the zone is among the worst), ``disponibles`` (number of indicators it could be
        among), ``part`` (the first per 100 of the second), ``indicateurs`` (identifiers of the
        first, joined by " ; ", missing when there is none), then ``defavorables_<theme>`` and
        ``disponibles_<theme>`` by theme, the choices (``critere``, ``egalites``, ``ponderation``,
        ``disponibles_min``, ``classes_ecartees``), ``statut`` and ``note``.

        A value that is absent, or left out by its grade, is not available: it never counts as good.
        ``part`` is missing and ``statut`` is ``non_disponible`` under ``min_indicators``. An
        indicator needs as many zones as make one worst zone (5 for a quintile): one that has fewer
        is available nowhere that year. ``attrs`` lists the indicators left out:
        ``indicateurs_neutres``, ``effectifs``, ``trop_peu_de_zones``. Empty for empty results.

    Raises
    ------
    FaultsError
        Results that are refused.
    BarometreError
        Zones of several levels, absent from the results or without weight; a share or a threshold
        out of range; an indicator that is neutral or a count; a year of no row.
    UnknownNameError
        Unknown indicator, grade, or option.

    Notes
    -----
    Among n zones, a zone is in the worst share s when the zones strictly worse than it weigh less
    than s of all: the ``ceil(n s)`` worst ones when all weigh the same and none are equal, 3 of 13
    for a quintile, which are the zones at or beyond the quantile of order s (`numpy.quantile`).
    Counting indicators gives each the same weight: correlated ones count several times.

    Examples
    --------
    >>> results = pd.DataFrame(
    ...     {
    ...         "code": list("ABCDE"),
    ...         "annee": 2021,
    ...         "indicateur": "taux_de_pauvrete",
    ...         "valeur": [10.0, 30.0, 20.0, 25.0, 15.0],
    ...     }
    ... )
    >>> found = cumulative_disadvantage(results).set_index("code")
    >>> found["defavorables"].to_dict()
    {'A': 0, 'B': 1, 'C': 0, 'D': 0, 'E': 0}
    """
    if ties not in get_args(Ties):
        raise UnknownNameError("traitement des égalités", str(ties), get_args(Ties))
    if not is_number(min_indicators) or min_indicators < 0 or min_indicators % 1:
        raise BarometreError(f"min_indicators={min_indicators!r} refusé : donner un entier positif")
    limits = _limits(worst) if isinstance(worst, Mapping) else None
    share = QUINTILE if isinstance(worst, Mapping) else _share(worst)
    if limits is not None:
        asked = limits if indicators is None else expand_indicators(indicators)
        indicators = [name for name in asked if name in limits]
    chosen = oriented_rows(results, zones, indicators, year, without_grades)
    codes = chosen.codes
    weight = pd.Series(1.0, codes) if weights is None else by_code(weights, codes, "weights")
    weight = pd.Series(as_weights(weight), index=codes)
    rows, few = chosen.rows[chosen.rows["defaveur"].notna()], []
    if limits is not None:
        among = rows["defaveur"] > rows["indicateur"].map(limits)
    else:
        number = rows.groupby(_TOGETHER)["code"].transform("size")
        enough = number >= math.ceil(1 / share - SAME)
        few = _named(rows[~enough])
        rows = rows[enough]
        among = _among_worst(rows, rows["code"].map(weight).astype("float64"), share, ties)
    table = _counts(rows.assign(_pire=among), chosen, by_theme=by_theme)
    told = table["disponibles"] >= max(min_indicators, 1)
    table["part"] = (100 * table["defavorables"] / table["disponibles"]).where(told)
    table = table.assign(
        critere=_criterion(worst, share),
        egalites="sans objet" if limits is not None else _TIES[ties],
        ponderation=weighing(weights),
        disponibles_min=min_indicators,
        classes_ecartees=grades_said(without_grades),
        statut=np.where(told, "ok", "non_disponible"),
        note=pd.Series("trop peu d'indicateurs disponibles", table.index).where(~told),
    )
    themes = [name for name in table if str(name).startswith(("defavorables_", "disponibles_"))]
    table = table[[*_FIRST, *(name for name in themes if name != "disponibles_min"), *_LAST]]
    table.attrs |= {
        "indicateurs_neutres": chosen.neutral,
        "effectifs": chosen.counts,
        "trop_peu_de_zones": few,
    }
    return table


_TOGETHER = ["indicateur", "periode"]
_TIES = {"include": "comprises", "exclude": "exclues"}
_FIRST = (
    "code", "annee", "millesimes", "defavorables", "disponibles", "absents", "part", "indicateurs",
)  # fmt: skip
_LAST = (
    "critere",
    "egalites",
    "ponderation",
    "disponibles_min",
    "classes_ecartees",
    "statut",
    "note",
)


def _share(worst: float | str) -> float:
    if isinstance(worst, str):
        if worst != "quintile":
            raise UnknownNameError("critère", worst, ["quintile"])
        return QUINTILE
    check_between("worst", worst, 1)
    if worst in (0, 1):
        raise BarometreError(f"worst={worst!r} refusé : donner une part entre 0 et 1, exclus")
    return float(worst)


def _limits(worst: Mapping[str, float]) -> dict[str, float]:
    """Turn thresholds into what the values are compared with: the larger, the worse."""
    limits = {}
    for name, value in worst.items():
        (number,) = as_numbers(**{f"worst[{name!r}]": value})
        limits[name] = float(-favour(number, indicator_card(name).sens).round(ROUNDING))
    if not limits or any(math.isnan(limit) for limit in limits.values()):
        lost = ", ".join(name for name, limit in limits.items() if math.isnan(limit)) or "aucun"
        raise BarometreError(f"worst : seuils manquants ou sur un indicateur neutre ({lost})")
    return limits


def _criterion(worst: Worst, share: float) -> str:
    if isinstance(worst, Mapping):
        said = (f"{name} {format_number(value)}" for name, value in worst.items())
        return "au-delà de : " + " ; ".join(said)
    return f"{format_number(100 * share)} % des zones les moins favorables"


def _among_worst(
    rows: pd.DataFrame, weight: pd.Series[float], share: float, ties: Ties
) -> pd.Series[bool]:
    """Tell the rows that are in the worst share of the zones of their indicator and period."""
    equals = [*_TOGETHER, "defaveur"]
    weighed = rows[equals].assign(poids=weight)
    levels = weighed.groupby(equals)["poids"].agg(["sum", "min"]).sort_index(ascending=False)
    reached = levels.groupby(level=_TOGETHER)["sum"].cumsum()
    before = reached.groupby(level=_TOGETHER).shift(fill_value=0.0)
    whole = levels.groupby(level=_TOGETHER)["sum"].transform("sum")
    # Of equal zones that must all be in, the last is preceded by all the others.
    reach = before if ties == "include" else reached - levels["min"]
    inside = (reach < share * whole * (1 - SAME)).rename("_pire")
    return rows.join(inside, on=equals)["_pire"].astype(bool)


def _counts(rows: pd.DataFrame, chosen: Oriented, *, by_theme: bool) -> pd.DataFrame:
    """Count by zone and period, in all then by theme."""
    keys = pd.MultiIndex.from_product(
        [chosen.periods.index, chosen.codes], names=["periode", "code"]
    )
    table = pd.DataFrame(index=keys)

    def count(part: pd.DataFrame) -> tuple[pd.Series[int], pd.Series[int]]:
        grouped = part.groupby(["periode", "code"])["_pire"]
        number, among = grouped.size(), grouped.sum()
        return (
            among.reindex(keys, fill_value=0).astype("int64"),
            number.reindex(keys, fill_value=0).astype("int64"),
        )

    table["defavorables"], table["disponibles"] = count(rows)
    possible = rows.groupby("periode")["indicateur"].nunique()
    most = possible.reindex(keys.get_level_values("periode"), fill_value=0).to_numpy()
    table["absents"] = most - table["disponibles"]
    named = rows[rows["_pire"]].groupby(["periode", "code"])["indicateur"].agg(" ; ".join)
    table["indicateurs"] = named.reindex(keys).astype("str")
    theme = rows["indicateur"].map(
        {name: indicator_card(name).theme for name in rows["indicateur"].unique()}
    )
    for name in THEMES:
        if by_theme and (theme == name).any():
            both = count(rows[theme == name])
            table[f"defavorables_{name}"], table[f"disponibles_{name}"] = both
    return table.reset_index().join(chosen.periods, on="periode")


def _named(rows: pd.DataFrame) -> list[str]:
    """Name indicators and their year."""
    pairs = rows[["indicateur", "annee"]].drop_duplicates()
    return [f"{name} ({year})" for name, year in pairs.itertuples(index=False, name=None)]
