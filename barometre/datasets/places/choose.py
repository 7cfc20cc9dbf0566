"""Keep what one needs of tables or results: a territory, levels, themes, years."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict, Unpack, overload

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Integers
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.texts import Texts
from barometre.cards.listing import expand_indicators
from barometre.datasets.places.members import Given, department_of_quarter
from barometre.datasets.places.territory import Names, Selection, are_iris, selection
from barometre.tables.codes import LEVELS, level_of
from barometre.tables.table_set import TERRITOIRES_COLUMNS, Tables

Frames: TypeAlias = Mapping[str, pd.DataFrame]
Year: TypeAlias = "int | Iterable[int] | Literal['latest']"


class PlacesWarning(UserWarning):
    """Something of a territory that cannot be told from what is known of it."""


class Wanted(TypedDict, total=False):
    """The options of `select`."""

    epci: Names | None
    dep: Names | None
    commune: Names | None
    qpv: Names | None
    zones: Names | Path | None
    place: Selection | None
    level: Names | None
    indicators: Names | None
    year: Year | None
    references: bool
    membership: Given | Iterable[Given] | None
    vintage: int | None


@overload
def select(data: Tables, **wanted: Unpack[Wanted]) -> Tables: ...
@overload
def select(data: pd.DataFrame, **wanted: Unpack[Wanted]) -> pd.DataFrame: ...
@overload
def select(data: Frames, **wanted: Unpack[Wanted]) -> Frames: ...


def select(
    data: Tables | pd.DataFrame | Frames,
    *,
    epci: Names | None = None,
    dep: Names | None = None,
    commune: Names | None = None,
    qpv: Names | None = None,
    zones: Names | Path | None = None,
    place: Selection | None = None,
    level: Names | None = None,
    indicators: Names | None = None,
    year: Year | None = None,
    references: bool = True,
    membership: Given | Iterable[Given] | None = None,
    vintage: int | None = None,
) -> Tables | pd.DataFrame | Frames:
    """Keep one's territory and what it is compared with.

    Parameters
    ----------
    data : Tables, DataFrame or mapping of DataFrame
        Tables, results of `compute`, of `gap`..., or several of these by name.
    epci, dep, commune, qpv : str or iterable of str, optional
        Codes or names (``"La Porte du Hainaut"``); several options add up.
    zones : str, iterable of str or path, optional
        Codes of any kind, or a CSV file that has them in its column ``code``.
    place : Selection, optional
        A territory already described by `selection`, instead of the options above.
    level : str or iterable of str, optional
        Levels kept of the territory (``"commune"``, ``"qpv"``...); references are kept.
    indicators : str or iterable of str, optional
        Identifiers of indicators or names of themes (``"revenus"``), of results only.
    year : int, iterable of int or "latest", optional
        Years of the results; ``"latest"`` keeps, for each indicator and level, the latest year when
        some territory has a value, and the references for the same years.
    references : bool, default True
        Keep the references: EPCI, its neighbourhoods as a whole, department, region, metropolitan
        France.
    membership : Series, mapping, DataFrame, path or list, optional
        Who is in what, that wins over what is bundled (`selection`).
    vintage : int, optional
        Vintage of the bundled memberships, the latest by default. Deleted communes are followed.

    Returns
    -------
    Tables, DataFrame or dict of DataFrame
        Of the kind received, rows and columns as they were; tables that lose all their rows are
        left out. `Tables.territoires` gets the labels it lacked.

    Raises
    ------
    BarometreError
        Nothing left; a name that is unknown or borne by several; ``year`` or ``indicators`` asked
        of tables, whose denominators may be of another year.
    UnknownNameError
        Unknown level, indicator or theme.

    Warns
    -----
    PlacesWarning
        Neighbourhoods of the departments of the territory whose EPCI is not known; only references
        left.

    Examples
    --------
    >>> from barometre import datasets, compute
    >>> results = compute(datasets.tables())
    >>> ours = select(results, commune="Denain", indicators="revenus", year="latest")
    >>> sorted(ours["code"].unique())  # doctest: +NORMALIZE_WHITESPACE
    ['200042190', '59', 'ENSQP_200042190', 'ENSQP_59', 'ENSQP_METRO', 'METRO', 'QP059050',
     'QP059054']
    """
    options = {"epci": epci, "dep": dep, "commune": commune, "qpv": qpv}
    asked = [name for name, value in {**options, "zones": zones}.items() if value is not None]
    if place is not None and asked:
        raise BarometreError(f"place= et {', '.join(asked)}= ne se cumulent pas : choisir")
    if asked:
        place = selection(**options, zones=zones, membership=membership, vintage=vintage)
    if not isinstance(data, (Tables, pd.DataFrame, Mapping)):
        raise BarometreError(f"select : {type(data).__name__} ; donner des tables ou des résultats")
    frames = {"": data} if isinstance(data, pd.DataFrame) else dict(data)
    chosen = _Chosen(place, _levels(level), _indicators(indicators), _years(year), references)
    masks = {name: chosen.rows(frame, name) for name, frame in frames.items()}
    if place is not None:
        _warn_of_what_is_missing(frames, place)
    kept = {name: frame[masks[name]] for name, frame in frames.items()}
    if isinstance(data, pd.DataFrame):
        return kept[""]
    kept = {name: frame for name, frame in kept.items() if len(frame)}
    return _tables(data, kept, place) if isinstance(data, Tables) else kept


@dataclass(frozen=True)
class _Chosen:
    """What was asked for, checked; None asks nothing."""

    place: Selection | None
    levels: frozenset[str] | None
    indicators: frozenset[str] | None
    years: frozenset[int] | Literal["latest"] | None
    references: bool

    def rows(self, frame: pd.DataFrame, name: str) -> Booleans:
        """Tell the rows to keep of a frame."""
        codes = _codes_of(frame, name)
        own, compared = np.ones(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
        if self.place is not None:
            own = codes.among(self.place.keeps(codes.known, references=False))
            compared = codes.among(self.place.keeps(codes.known)) & ~own
        levels = []
        if self.levels is not None or self.years == "latest":
            levels = _levels_of(pd.Index(codes.known, dtype="str"))
        if self.levels is not None:
            own &= codes.among([level in self.levels for level in levels])
        if (self.indicators is not None or self.years is not None) and not _is_results(frame):
            remedy = 'le demander des résultats, ou à compute(tables, "revenus")'
            raise BarometreError(f"indicators= et year= : pas d'une table ({name}) ; {remedy}")
        if self.indicators is not None:
            names = Texts.of(frame["indicateur"])
            asked = names.among([known in self.indicators for known in names.known])
            own, compared = own & asked, compared & asked
        if isinstance(self.years, frozenset):
            asked = frame["annee"].isin(self.years).to_numpy(dtype=bool)
            own, compared = own & asked, compared & asked
        elif self.years == "latest":
            number = {name: place for place, name in enumerate(dict.fromkeys(levels))}
            level = np.array([*map(number.get, levels), len(number)], dtype=np.int64)
            own, compared = _latest(frame, own, compared, level[codes.positions])
        return own | compared if self.references else own


def _latest(
    frame: pd.DataFrame, own: Booleans, compared: Booleans, level: Integers
) -> tuple[Booleans, Booleans]:
    """Keep the latest year with a value, by indicator and level, and the references of that year.

    Where the territory has no value at all, the latest year of the references is kept.
    """
    indicator = Texts.of(frame["indicateur"]).positions.astype(np.int64)
    year, years = pd.factorize(frame["annee"], sort=True)
    there = (indicator >= 0) & (year >= 0)
    valued = there & frame["valeur"].notna().to_numpy(dtype=bool)
    size = int(level.max(initial=0)) + 1
    number = int(indicator.max(initial=0)) + 1
    group = indicator * size + level

    def last(rows: Booleans, groups: Integers, number: int) -> Integers:
        """Give the latest year of each group among some rows, -1 for none."""
        found = np.full(number, -1, dtype=np.int64)
        np.maximum.at(found, groups[rows], year[rows])
        return found

    of_level = last(own & valued, group, number * size)
    kept = np.zeros((number, len(years) + 1), dtype=bool)  # the last column stands for none
    kept[np.arange(number * size) // size, of_level] = True
    alone = ~kept[:, :-1].any(axis=1)
    of_reference = last(compared & valued, indicator, number)
    kept[alone, of_reference[alone]] = True
    return (
        own & there & (year == of_level[group]),
        compared & there & kept[indicator, year],
    )


def restrict(tables: Tables, place: Selection) -> Tables:
    """Keep the rows of tables that are of a territory or of its references, and say nothing.

    Parameters
    ----------
    tables : Tables
        What a file gave.
    place : Selection
        The territory.

    Returns
    -------
    Tables
        Tables that are left without row are left out.
    """
    kept = {}
    for name in tables:
        frame = tables[name]
        rows = frame[place.keeps(frame.index.get_level_values("code"))]
        if len(rows):
            kept[name] = rows
    return _tables(tables, kept, place)


def _tables(data: Tables, kept: dict[str, pd.DataFrame], place: Selection | None) -> Tables:
    """Make tables of the rows kept, with what is said of them and the labels they lacked."""
    held = {code for frame in kept.values() for code in frame.index.get_level_values("code")}
    statuts, labels = data.statuts, data.territoires
    labels = labels[labels.index.isin(held)]
    if place is not None:
        rows = [
            (code, place.libelles[code], place.libelles[code], level_of(code))
            for code in sorted(held.difference(labels.index))
            if code in place.libelles
        ]
        added = pd.DataFrame(rows, columns=["code", *TERRITOIRES_COLUMNS], dtype="str")
        labels = pd.concat([labels, added.set_index("code")])
    told = statuts["code"].isin(held) & statuts["table"].isin(kept)
    return Tables(kept, statuts=statuts[told], territoires=labels)


def _warn_of_what_is_missing(frames: Frames, place: Selection) -> None:
    """Say which neighbourhoods may be of the territory, and whether it has anything at all."""
    codes = pd.Index([c for n, f in frames.items() for c in _codes_of(f, n).known], dtype="str")
    codes = codes.unique()
    if len(codes) == 0:
        return
    if not place.keeps(codes).any():
        shown = ", ".join(map(str, codes[:3]))
        raise BarometreError(
            f"rien de {place.titre} dans ces données ({shown}...) ; vérifier le territoire, ou les"
            " zéros initiaux des codes"
        )
    if not place.keeps(codes, references=False).any():
        text = f"aucun territoire de {place.titre} dans ces données, seulement ses références"
        warnings.warn(text, PlacesWarning, stacklevel=3)
    departments = set(place.references.get("departement", ())) - place.departements
    listed = set(place.members.quarters["code"])
    epci = place.references.get("epci", ())
    unknown = [
        code
        for code in codes.dropna()
        if code[:2] in ("QP", "QN")
        and code not in listed
        and department_of_quarter(code) in departments
        and not any((code[:2], whole) in place.members.covered for whole in epci)
    ]
    if unknown and "commune" in place.codes:
        warnings.warn(
            f"{place.titre} : {counted(len(unknown), 'quartier')} de"
            f" {', '.join(sorted(departments))} d'EPCI inconnu ({', '.join(unknown[:3])}...),"
            " laissés de côté ; donner leur liste (membership=)",
            PlacesWarning,
            stacklevel=3,
        )


# ---- what is asked ------------------------------------------------------------------------------


def _codes_of(frame: pd.DataFrame, name: str) -> Texts:
    if "code" in frame.columns:
        codes = frame["code"]
    elif "code" in frame.index.names:
        codes = frame.index.get_level_values("code").to_series()
    else:
        of = f" ({name})" if name else ""
        remedy = "donner des tables ou des résultats"
        raise BarometreError(f"select : colonne « code » absente{of} ; {remedy}")
    return Texts.of(codes)


def _is_results(frame: pd.DataFrame) -> bool:
    return {"indicateur", "annee", "valeur"} <= set(frame.columns)


def _levels_of(codes: pd.Index[str]) -> list[str]:
    """Tell levels by the form of the codes, an IRIS from an EPCI by the list of these."""
    iris = are_iris(codes)
    return ["iris" if is_one else level_of(c) for c, is_one in zip(codes, iris, strict=True)]


def _listed(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(map(str, names))


def _levels(names: Names | None) -> frozenset[str] | None:
    if names is None:
        return None
    for name in _listed(names):
        if name not in LEVELS:
            raise UnknownNameError("niveau", name, LEVELS)
    return frozenset(_listed(names))


def _indicators(names: Names | None) -> frozenset[str] | None:
    return None if names is None else frozenset(expand_indicators(names))


def _years(year: Year | None) -> frozenset[int] | Literal["latest"] | None:
    if year is None or year == "latest":
        return year
    given = [year] if isinstance(year, (int, np.integer)) else year
    years = [] if isinstance(given, str) else list(given)
    if not years or any(isinstance(y, bool) or not isinstance(y, (int, np.integer)) for y in years):
        raise BarometreError(f"year={year!r} refusé : donner une année, une liste, ou « latest »")
    return frozenset(map(int, years))
