"""Read JSON as rows of texts: answers of Insee's API, GeoJSON, lists of records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from barometre.base.errors import BarometreError
from barometre.sources.files.parquet import as_text

LARGEST = 2**26
"""Bytes of the largest file read: in memory, its objects take some ten times as much."""

OUTLINES = "GeoJSON"
"""What a source made of outlines is called, whatever the suffix of its file."""

_VALUE = "OBS_VALUE_NIVEAU"
_API_GEO = re.compile(r"\d{4}-([^-]+)-(.+)")  # the year is that of the geography


@dataclass(frozen=True)
class Answer:
    """A JSON file as a table of texts.

    Attributes
    ----------
    jeu : str
        Identifier of the data set, when the answer gives it; `OUTLINES` for a GeoJSON.
    lignes : list of mapping
        Texts by name of column.
    noms : tuple of str
        Names of the columns, in the order met.
    """

    jeu: str
    lignes: list[Mapping[str, str]]
    noms: tuple[str, ...]


def parse(nom: str, content: bytes) -> Answer:
    """Parse a JSON file.

    Parameters
    ----------
    nom : str
        Name of the file, for the messages.
    content : bytes
        What it holds.

    Returns
    -------
    Answer

    Raises
    ------
    BarometreError
        A file that is too large, is no JSON or is of another form.
    """
    if len(content) > LARGEST:
        size = f"{len(content) / 2**20:.0f} Mio"
        raise BarometreError(f"{nom} : JSON de {size}, trop grand ; télécharger le CSV")
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BarometreError(
            f"{nom} : JSON illisible ({str(error)[:100]}) ; le télécharger à nouveau"
        ) from error
    rows, jeu = _rows(document)
    if rows is None:
        raise BarometreError(
            f"{nom} : JSON d'une forme inconnue ; donner une réponse de l'API Melodi"
            " (« observations »), un GeoJSON ou une liste d'enregistrements, sinon le CSV"
        )
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return Answer(jeu, rows, names)


def _rows(document: Any) -> tuple[list[Mapping[str, str]] | None, str]:
    pages = document if isinstance(document, list) else [document]
    if not pages or not all(isinstance(page, dict) for page in pages):
        return None, ""
    if all(isinstance(page.get("observations"), list) for page in pages):
        names = {str(page.get("identifier") or "") for page in pages}
        observed = [one for page in pages for one in page["observations"]]
        if len(names) > 1 or not all(map(_is_observation, observed)):
            return None, ""
        return [_observation(one) for one in observed], names.pop()
    if all(isinstance(page.get("features"), list) for page in pages):
        features = [one for page in pages for one in page["features"]]
        if not all(isinstance(one, dict) for one in features):
            return None, ""
        return _records(one.get("properties") or {} for one in features), OUTLINES
    if isinstance(document, list):
        return _records(pages), ""
    return None, ""


def _is_observation(one: Any) -> bool:
    return isinstance(one, dict) and all(
        isinstance(one.get(part, {}), dict) for part in ("dimensions", "attributes", "measures")
    )


def _observation(one: Mapping[str, Any]) -> Mapping[str, str]:
    """Write an observation as a row of the long file: GEO holds a year, a level and a code."""
    cells = {**one.get("dimensions", {}), **one.get("attributes", {})}
    row = {str(name): as_text(value) for name, value in cells.items()}
    hit = _API_GEO.fullmatch(row.get("GEO", ""))
    if hit:
        row["GEO_OBJECT"], row["GEO"] = hit.groups()
    measure = one.get("measures", {}).get(_VALUE)
    row["OBS_VALUE"] = as_text(measure.get("value")) if isinstance(measure, dict) else ""
    return row


def _records(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, str]]:
    """Write records as rows; several codes of one cell are separated by commas."""
    return [
        {
            str(name): ", ".join(map(as_text, value)) if isinstance(value, list) else as_text(value)
            for name, value in row.items()
            if not isinstance(value, dict)
        }
        for row in rows
    ]
