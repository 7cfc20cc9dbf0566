"""The zones, weights and rows that a diagnosis rests on, chosen and checked."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.french import format_number
from barometre.cards.listing import indicator_card, load_cards
from barometre.cards.schema import THEMES
from barometre.compare.proof.sides import favour
from barometre.compare.rows import checked_rows, names_of
from barometre.engine.results import GRADES, Grade
from barometre.engine.unions import Membership, members_of
from barometre.tables.codes import level_of

Zones: TypeAlias = (
    "Iterable[str] | pd.Series[str] | Mapping[str, str] | Mapping[str, Sequence[str]]"
)
ByCode: TypeAlias = "pd.Series[Any] | Mapping[str, Any]"

ROUNDING = 9
"""Decimals of what is compared: values that only differ by binary rounding are equal."""

_SHOWN = 3


def check_between(name: str, number: float, most: float) -> None:
    """Refuse a number that is not between 0 and some limit."""
    if not is_number(number) or not 0 <= number <= most:
        limit = (
            "un nombre positif" if math.isinf(most) else f"un nombre de 0 à {format_number(most)}"
        )
        raise BarometreError(f"{name}={number!r} refusé : donner {limit}")


def weighing(weights: object) -> str:
    """Say what zones are weighed by."""
    name = getattr(weights, "name", None)
    return "égale" if weights is None else str(name or "poids donnés")


def by_code(
    given: ByCode, codes: list[str], name: str, *, what: Literal["zone", "indicateur"] = "zone"
) -> pd.Series[Any]:
    """Take what is given by code, for some codes; refuse the codes that have nothing.

    ``what`` is the noun of the codes: zones, or indicators.
    """
    several = isinstance(given, pd.Series) and given.index.nlevels > 1
    if several or not isinstance(given, (pd.Series, Mapping)):
        by = "code, d'une seule année" if what == "zone" else what
        raise BarometreError(f"{name} refusé : donner une Series par {by}")
    series = given if isinstance(given, pd.Series) else pd.Series(dict(given))
    series = series.set_axis(series.index.astype("str"))
    twice = series.index[series.index.duplicated()].unique()
    if len(twice):
        raise BarometreError(f"{name} refusé : codes en double ({', '.join(twice[:_SHOWN])})")
    found = series.reindex(codes)
    lost = list(found.index[found.isna()])
    if lost:
        absent = "absente" if what == "zone" else "absent"
        number = counted(len(lost), f"{what} {absent}", f"{what}s {absent}s")
        raise BarometreError(
            f"{name} refusé : {number} ({', '.join(lost[:_SHOWN])}) ; en donner un par {what}"
        )
    return found


def listed(given: str | Iterable[str], name: str) -> list[str]:
    """List codes or identifiers once each, a single one being a list of one."""
    names = [given] if isinstance(given, str) else [*dict.fromkeys(map(str, given))]
    if not names:
        raise BarometreError(f"{name} : liste vide ; en donner au moins un")
    return names


def grades_said(grades: Collection[Grade]) -> str:
    """Say which grades were left out: ``"C, D"``, or ``"aucune"``."""
    return ", ".join(sorted(grades)) or "aucune"


def graded(rows: pd.DataFrame, grades: Collection[Grade]) -> pd.Series[bool]:
    """Tell the rows that have one of some display grades."""
    names = names_of(grades, "without_grades")
    for grade in names:
        if grade not in GRADES:
            raise UnknownNameError("nom de qualité", grade, GRADES)
    return rows["qualite"].isin(names)


def with_themes(indicators: str | Iterable[str], candidates: Iterable[str]) -> list[str]:
    """List indicators asked for by identifier, or by theme among some candidates."""
    names = []
    for name in listed(indicators, "indicators"):
        of_theme = [c for c in candidates if indicator_card(c).theme == name]
        if name in THEMES and not of_theme:
            raise BarometreError(f"aucun résultat à comparer pour le thème {name}")
        names += of_theme or [name]
    return list(dict.fromkeys(names))


def comparable(
    rows: pd.DataFrame, indicators: str | Iterable[str] | None, year: int | None
) -> pd.DataFrame:
    """Keep some indicators, all but counts and indices by default, and one year if one is given.

    An index is made of indicators: beside them, it would count them twice.
    """
    if indicators is None:
        names = rows["indicateur"].unique()
        kept = {name for name in names if not is_count(name) and not is_index(name)}
    else:
        there = [name for name in rows["indicateur"].unique() if not is_count(name)]
        kept = set(with_themes(indicators, there))
        cards = {name: indicator_card(name) for name in kept}
        counts = sorted(name for name in cards if is_count(name))
        absent = sorted(kept.difference(rows["indicateur"].unique()))
        if counts:
            raise BarometreError(
                f"effectifs non comparables d'une zone à l'autre : {', '.join(counts)} ; prendre"
                " une part ou un taux"
            )
        if absent:
            raise BarometreError(f"aucun résultat de ces territoires pour {', '.join(absent)}")
    rows = rows[rows["indicateur"].isin(kept)]
    if year is None or rows.empty:
        return rows
    if not (rows["annee"] == year).any():
        known = ", ".join(map(str, sorted(rows["annee"].unique())))
        raise BarometreError(f"year={year!r} refusé : aucun résultat (années : {known})")
    return rows[rows["annee"] == year]


def is_count(indicator: str) -> bool:
    """Tell an indicator that is a count, which follows the size of the territory."""
    return indicator_card(indicator).unite == "nombre"


def is_index(indicator: str) -> bool:
    """Tell a composite index, which is made of other indicators."""
    return indicator_card(indicator).unite == "indice"


@dataclass(frozen=True)
class Oriented:
    """Rows of zones that are compared with one another, and what was left out.

    Attributes
    ----------
    rows : DataFrame
        Those of the results, with ``defaveur`` (grows as the value gets worse, whatever the
        direction; missing where the value is absent or left out by its grade) and ``periode``: the
        rows of one period are compared together.
    codes : list of str
        The zones.
    periods : DataFrame
        ``annee`` and ``millesimes`` (in words) of each ``periode``.
    neutral, counts : list of str
        Indicators left out: no direction, or no rate.
    """

    rows: pd.DataFrame
    codes: list[str]
    periods: pd.DataFrame
    neutral: list[str]
    counts: list[str]


def oriented_rows(
    results: pd.DataFrame,
    zones: Iterable[str] | None,
    indicators: str | Iterable[str] | None,
    year: int | str | None,
    without_grades: Collection[Grade],
) -> Oriented:
    """Choose the rows of some zones, by year or at the latest year of each indicator.

    Raises
    ------
    BarometreError
        Zones that are absent, or of several levels; an indicator that cannot be compared.
    """
    rows = checked_rows(results).frame
    codes = _one_level(rows) if zones is None else listed(zones, "zones")
    if len(rows) and not rows["code"].isin(codes).any():
        raise BarometreError(
            f"aucune zone dans les résultats ({', '.join(codes[:_SHOWN])}...) ; vérifier les codes"
        )
    rows = rows[rows["code"].isin(codes)]
    there = set(rows["indicateur"].unique())
    present = [name for name in load_cards() if name in there]
    counts = [name for name in present if is_count(name)]
    neutral = [n for n in present if indicator_card(n).sens == "neutre" and n not in counts]
    if indicators is not None:
        indicators = with_themes(indicators, [n for n in present if n not in [*neutral, *counts]])
    if indicators is None:
        rows = rows[~rows["indicateur"].isin(neutral)]
    elif undirected := sorted(set(neutral).intersection(indicators)):
        raise BarometreError(
            f"indicateurs neutres, sans côté défavorable : {', '.join(undirected)}"
        )
    if isinstance(year, str) and year != "latest":
        raise UnknownNameError("choix d'année", year, ["latest"])
    rows = comparable(rows, indicators, None if isinstance(year, str) else year)
    place = rows["indicateur"].map({name: i for i, name in enumerate(present)})
    rows = rows.iloc[np.argsort(place.to_numpy(np.float64), kind="stable")]
    valeur = rows["valeur"].mask(graded(rows, without_grades))
    sens = rows["indicateur"].map({name: indicator_card(name).sens for name in present})
    worse = -favour(valeur.to_numpy(), sens.to_numpy("str"))
    rows = rows.assign(valeur=valeur, defaveur=worse.round(ROUNDING), periode=rows["annee"])
    if year == "latest":
        known = rows["annee"].where(rows["valeur"].notna(), -1)
        last = known.groupby(rows["indicateur"]).transform("max")
        newest = rows.groupby("indicateur")["annee"].transform("max")
        rows = rows[rows["annee"] == last.where(last >= 0, newest)].assign(periode=0)
    years = rows.groupby("periode")["annee"].agg(["min", "max"])
    words = years["min"].astype("str") + ("-" + years["max"].astype("str")).where(
        years["min"] < years["max"], ""
    )
    periods = pd.DataFrame({"annee": years["max"], "millesimes": words})
    return Oriented(rows.reset_index(drop=True), codes, periods, neutral, counts)


def _one_level(rows: pd.DataFrame) -> list[str]:
    """List the territories of the results, which must be of one level to be compared."""
    codes = rows["code"].drop_duplicates()
    levels = codes.map(level_of).value_counts()
    if len(levels) > 1:
        told = ", ".join(f"{level} ({number})" for level, number in levels.items())
        raise BarometreError(
            f"territoires de plusieurs niveaux : {told} ; donner zones= pour ne comparer que des"
            " zones entre elles"
        )
    return list(codes)


def zones_of(zones: Zones, territory: str) -> list[str]:
    """List the zones of a territory, given as such or as who is in what."""
    labelled = isinstance(zones, pd.Series) and not pd.api.types.is_integer_dtype(zones.index)
    if not (labelled or isinstance(zones, Mapping)):
        return listed(zones, "zones")
    members = members_of(cast("Membership", zones))
    inside = members.loc[members["union"] == territory, "zone"]
    if inside.empty:
        known = ", ".join(members["union"].unique()[:_SHOWN])
        raise BarometreError(f"zones : aucune n'est dans « {territory} » (ensembles : {known})")
    return listed(inside, "zones")


def check_territories(
    rows: pd.DataFrame, codes: Sequence[str], territory: str, reference: str
) -> None:
    for name, given in (("territory", territory), ("reference", reference)):
        if not isinstance(given, str):
            raise BarometreError(f"{name}={given!r} refusé : donner un code, comme texte")
    known = set(rows["code"].unique())
    absent = [code for code in (territory, reference) if code not in known]
    if absent:
        raise BarometreError(
            f"territoire absent des résultats : {', '.join(absent)} ; calculer aussi ses valeurs"
        )
    if not known.intersection(codes):
        raise BarometreError(
            f"aucune zone dans les résultats ({', '.join(codes[:_SHOWN])}...) ; vérifier les codes"
        )
    if territory in codes or territory == reference:
        what = "une de ses zones" if territory in codes else "sa propre référence"
        raise BarometreError(f"territoire « {territory} » : il ne peut être {what}")
    if reference in codes:
        raise BarometreError(
            f"référence « {reference} » : elle ne peut être une des zones ; la retirer de zones="
        )
