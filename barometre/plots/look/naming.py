"""The names of territories on charts: those given, else those that are bundled."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeAlias

import pandas as pd

from barometre import datasets
from barometre.base.french import Lang
from barometre.datasets.places.bundle import communes, wholes
from barometre.tables.table_set import Tables

Labels: TypeAlias = "pd.Series[str] | pd.DataFrame | Tables | Mapping[Any, str]"

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def names_of(codes: Iterable[Hashable], labels: Labels | None = None) -> list[str]:
    """Return the names of codes.

    Parameters
    ----------
    codes : iterable
        Codes of territories.
    labels : Series, mapping, DataFrame or Tables, optional
        Names by code; of a frame (``tables.territoires``) or of tables, the short labels.

    Returns
    -------
    list of str
        The name given, else the bundled one (communes, EPCI, departments, regions, zones of the
        contract), else the code.
    """
    given, found = names_by_code(labels), []
    for code in codes:
        name = given.get(code)
        found.append(clean(name if isinstance(name, str) else bundled_name(str(code))))
    return found


def clean(text: object) -> str:
    """Take out of a text what is not seen: control characters and marks of direction."""
    return _UNSEEN.sub("", str(text)).strip() or "?"


def spaced(text: str, lang: Lang) -> str:
    """Put the no-break spaces of French typography: before ``: ; ! ? %`` and inside guillemets."""
    if lang != "fr":
        return text
    text = re.sub(r" (?=[;!?%€])", "\u202f", text)
    return re.sub(r" (?=[:»])|(?<=«) ", "\u00a0", text)


def folded_name(name: str, width: int, lines: int = 2) -> str:
    """Fold a name on a few lines, and cut what is left with an ellipsis."""
    rows = textwrap.wrap(name, width, break_on_hyphens=False) or [name]
    if len(rows) > lines:
        rows = [*rows[: lines - 1], rows[lines - 1][: width - 1].rstrip(" ,-") + "…"]
    return "\n".join(rows)


def names_by_code(labels: Labels | None) -> Mapping[Any, Any]:
    """Return the names given, by code: the short labels of a frame of territories or of tables."""
    if isinstance(labels, Tables):
        labels = labels.territoires
    if isinstance(labels, pd.DataFrame):
        column = "libelle_court" if "libelle_court" in labels else "libelle"
        labels = labels[column]
    if isinstance(labels, pd.Series):
        return dict(labels.dropna().to_dict())
    return labels or {}


def bundled_name(code: str) -> str:
    """Return the name of a territory among those that are bundled, its code when there is none."""
    return _zones().get(code) or _places().get(code) or code


@functools.cache
def _zones() -> Mapping[str, str]:
    frame = datasets.load("territoires").frame.drop_duplicates("code")
    return dict(zip(frame["code"], frame["libelle_court"].fillna(frame["libelle"]), strict=True))


@functools.cache
def _places() -> Mapping[str, str]:
    names = pd.concat([communes()["nom"], wholes()["nom"]]).dropna()
    return dict(zip(map(str, names.index), map(str, names), strict=True))
