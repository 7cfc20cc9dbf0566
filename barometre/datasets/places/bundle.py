"""The memberships of all communes of France, one vintage a year, loaded when asked for."""

from __future__ import annotations

import functools

import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError

YEARS = range(2021, 2027)
"""Vintages of the bundled memberships: geography on 1 January."""

LATEST = YEARS[-1]
METRO = "METRO"
_CENSUS_LAG = 3  # the population in force on 1 January is that of the census of three years before
_FURTHER = ("97", "98")  # departments and collectivities of three characters
_LEVELS = {"departement": "departement", "region": "region", "EPT": "ept"}


def communes(vintage: int | None = None) -> pd.DataFrame:
    """List the communes of France and what they are in.

    Parameters
    ----------
    vintage : int, optional
        Geography on 1 January of that year, 2021 to 2026; by default the latest.

    Returns
    -------
    DataFrame
        One row per commune and per municipal district of Paris, Lyon and Marseille, indexed by
        ``code``: ``nom``; ``commune``, of which a district is part (missing for a commune);
        ``epci`` with own taxation and ``ept`` (Métropole du Grand Paris, from 2023), missing where
        there is none; ``departement``; ``region`` (``"R32"``), missing in overseas collectivities;
        ``population``, the municipal population in force on that day, from the census of three
        years before. Each column but ``nom`` and ``population`` is a membership that `aggregate`
        takes.

    Raises
    ------
    BarometreError
        A vintage that is not bundled.

    Examples
    --------
    >>> france = communes(2026)
    >>> ours = france[france["epci"] == "200042190"]
    >>> len(ours), int(ours["population"].sum())
    (47, 158419)
    """
    return _communes(_checked(vintage)).copy(deep=False)


def former_communes(vintage: int | None = None) -> pd.DataFrame:
    """List the delegated, associated and deleted communes, and where they are now.

    Parameters
    ----------
    vintage : int, optional
        As for `communes`.

    Returns
    -------
    DataFrame
        Indexed by ``code``: ``nom`` (missing for communes deleted before 2021 that are neither
        delegated nor associated), ``commune``, the current one, and ``nature`` (``"deleguee"``,
        ``"associee"``, ``"ancienne"``). A delegated commune may have the code of the current one.

    Raises
    ------
    BarometreError
        A vintage that is not bundled.
    """
    frame = _of_vintage("communes_anciennes", _checked(vintage))
    return frame[["nom", "commune", "nature"]].copy(deep=False)


def wholes(vintage: int | None = None) -> pd.DataFrame:
    """List the EPCI, the EPT, the departments and the regions.

    Parameters
    ----------
    vintage : int, optional
        As for `communes`.

    Returns
    -------
    DataFrame
        Indexed by ``code``: ``nom``, ``niveau`` (``"epci"``, ``"ept"``, ``"departement"``,
        ``"region"``) and ``nature`` (``"CA"``, ``"CC"``... of an EPCI).
    """
    frame = _of_vintage("ensembles_de_communes", _checked(vintage))
    levels = frame["nature"].map(_LEVELS).fillna("epci")
    return frame.assign(niveau=levels.astype("str"))[["nom", "niveau", "nature"]]


def wholes_of_any_year() -> pd.DataFrame:
    """List the last name and the last vintage of every EPCI, EPT, department and region."""
    frame = datasets.load("ensembles_de_communes").frame.sort_values("fin", kind="stable")
    return frame.drop_duplicates("code", keep="last").set_index("code")[["nom", "nature", "fin"]]


@functools.cache
def _communes(vintage: int) -> pd.DataFrame:
    frame = _of_vintage("communes", vintage)
    codes = frame.index.to_series()
    department = codes.str[:2].mask(codes.str[:2].isin(_FURTHER), codes.str[:3])
    regions = _of_vintage("ensembles_de_communes", vintage)["region"]
    population = frame[f"population_{vintage - _CENSUS_LAG}"]
    frame = frame.assign(
        departement=department.astype("str"),
        region=department.map(regions).astype("str"),
        population=population,
    )
    return frame[["nom", "commune", "epci", "ept", "departement", "region", "population"]]


def _of_vintage(name: str, vintage: int) -> pd.DataFrame:
    """Take the rows of a dataset that hold for a vintage, by code."""
    frame = datasets.load(name).frame
    held = (frame["debut"] <= vintage) & (vintage <= frame["fin"])
    return frame[held].set_index("code")


def _checked(vintage: int | None) -> int:
    if vintage is None:
        return LATEST
    if isinstance(vintage, bool) or vintage not in YEARS:
        raise BarometreError(
            f"millésime {vintage!r} des communes inconnu : donner une année de {YEARS[0]} à"
            f" {LATEST}"
        )
    return int(vintage)
