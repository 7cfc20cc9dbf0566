"""The territories of a workbook in the order in which they are read."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.french import Lang
from barometre.tables.codes import level_of

Order = Literal["libelle", "code"]
ORDERS: tuple[Order, ...] = get_args(Order)

_ABOVE = ("epci", "departement", "region", "france_metropolitaine")  # from near to far
_LEVELS = {
    "commune": "commune",
    "qpv": "QPV",
    "iris": "IRIS",
    "epci": "EPCI",
    "departement": "département",
    "region": "région",
    "france_metropolitaine": "France métropolitaine",
    "union": "ensemble",
}
_LEVELS_ENGLISH = _LEVELS | {
    "commune": "municipality",
    "departement": "department",
    "region": "region",
    "france_metropolitaine": "metropolitan France",
    "union": "group",
}


@dataclass(frozen=True)
class Place:
    """A territory: code, name (or nothing), level, whether the others are compared with it."""

    code: str
    label: str
    level: str
    reference: bool

    def level_label(self, lang: Lang = "fr") -> str:
        """Return the level as people write it."""
        kind = "union" if self.level.startswith("ensemble") else self.level
        words = _LEVELS if lang == "fr" else _LEVELS_ENGLISH
        return words.get(kind, kind.replace("_", " "))


def as_order(name: str) -> Order:
    """Return an order of territories by its name.

    Raises
    ------
    UnknownNameError
        No order of that name.
    """
    for order in ORDERS:
        if name == order:
            return order
    raise UnknownNameError("ordre", str(name), ORDERS)


def places_in_order(
    codes: Sequence[str],
    territoires: pd.DataFrame | None,
    references: Sequence[str] | None,
    order: Order,
    known: pd.Series[int] | None = None,
) -> list[Place]:
    """Put the references first, then the territories level by level, by name or by code.

    Parameters
    ----------
    codes : sequence of str
        The territories of the results.
    territoires : DataFrame or None
        Labels and levels by code; a level that is not given is read from the code.
    references : sequence of str or None
        Codes of the references, in order; by default the EPCI, the department, the region and
        metropolitan France when the results have one of each.
    order : {"libelle", "code"}
        Order within a level; without labels, by code.
    known : Series, optional
        Number of indicators that each code has a value of. One indicator among several makes no
        reference by default: a region known by its IDH-4 alone.

    Raises
    ------
    BarometreError
        A reference that is not in the results.
    """
    labels, levels = _told(territoires, "libelle"), _told(territoires, "niveau")
    level = {code: levels.get(code) or level_of(code) for code in codes}
    chosen = _default_references(level, known) if references is None else list(references)
    if absent := [code for code in chosen if code not in level]:
        raise BarometreError(f"référence hors des résultats : {', '.join(absent)}")
    ranks = ("union", *reversed(_ABOVE), "commune", "qpv", "iris")

    def place_key(code: str) -> tuple[int, str, str, str]:
        named = level[code]
        rank = ranks.index(named) if named in ranks else 0
        name = folded(labels.get(code, "")) if order == "libelle" else ""
        return rank, named if rank == 0 else "", name, code

    others = sorted((code for code in codes if code not in set(chosen)), key=place_key)
    return [
        Place(code, labels.get(code, ""), level[code], code in set(chosen))
        for code in (*chosen, *others)
    ]


def _told(territoires: pd.DataFrame | None, column: str) -> dict[str, str]:
    if territoires is None or column not in territoires:
        return {}
    told = territoires[column].dropna()
    return {str(code): str(text) for code, text in zip(told.index, told, strict=True)}


def _default_references(level: dict[str, str], known: pd.Series[int] | None) -> list[str]:
    found = []
    thin = set() if known is None or known.max() < 2 else set(known.index[known < 2])
    for name in _ABOVE:
        codes = [code for code, told in level.items() if told == name and code not in thin]
        found += codes if len(codes) == 1 else []
    return found


def folded(text: str) -> str:
    """Fold a name for sorting: no accents, no capitals.

    Examples
    --------
    >>> sorted(["Wallers", "Écaillon", "abscon"], key=folded)
    ['abscon', 'Écaillon', 'Wallers']
    """
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
