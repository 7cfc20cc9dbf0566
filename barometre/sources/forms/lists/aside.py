"""Files that hold no input of an indicator: notices, memberships, passages, our own results."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.sources.file_report import Reading, set_aside
from barometre.sources.files.answers import OUTLINES as OUTLINES_NAME
from barometre.sources.files.text import Source, is_notice, split_name
from barometre.sources.kind import Kind, Recognised
from barometre.tables.codes import level_of
from barometre.tables.members import is_passage
from barometre.tables.table_set import RESULT_COLUMNS, Tables

_NOTICE_SHEETS = re.compile(
    r"(variables?|documentation|notice|lisez[- _]?moi|readme|sommaire|d[ée]finitions?|"
    r"m[ée]tadonn[ée]es|glossaire|avertissement)([ _\d].*)?",
    re.IGNORECASE,
)
_NOTICE_COLUMNS = ({"COD_VAR", "LIB_VAR"}, {"VARIABLE", "LIBELLE"}, {"variable", "libelle"})

# The rows of a file of results; the other sheets of a workbook of results.
_RESULT_SHEETS = (
    set(RESULT_COLUMNS),
    {"code", "territoire", "niveau"},
    {"theme", "indicateur", "libelle", "definition"},
)


def _notice(header: Sequence[str], nom: str) -> bool:
    file, sheet = split_name(nom)
    return (
        any(columns <= set(header) for columns in _NOTICE_COLUMNS)
        or is_notice(PurePosixPath(file).name)
        or bool(_NOTICE_SHEETS.fullmatch(sheet.strip()))
    )


def _read_notice(source: Source) -> Reading:
    """Set a notice aside; the names that it gives to codes of territories are kept."""
    reading = set_aside(
        source.nom, "notice", "notice ou dictionnaire de variables : rien à calculer"
    )
    if not {"COD_VAR", "COD_MOD", "LIB_MOD"} <= set(source.entete):
        return reading
    texts = source.lire(["COD_VAR", "COD_MOD", "LIB_MOD"])
    texts = texts[(texts["COD_VAR"] == "CODGEO") & (texts["LIB_MOD"] != "")]
    places = pd.DataFrame({"code": texts["COD_MOD"], "libelle": texts["LIB_MOD"]})
    places["niveau"] = places["code"].map(level_of)
    known = places[places["niveau"].isin(["qpv", "iris", "commune", "epci"])]
    named = Tables({}, territoires=known.drop_duplicates("code"), source=source.nom)
    return replace(reading, tables=named)


def _membership(header: Sequence[str], nom: str) -> bool:
    columns = set(header)
    return bool(columns & {"COM", "CODGEO"}) and (
        {"TYPECOM", "COMPARENT"} <= columns
        or (
            columns <= {"COM", "CODGEO", "LIBGEO", "EPCI", "LIBEPCI", "DEP", "REG", "NATURE_EPCI"}
            and bool(columns & {"EPCI", "DEP", "REG"})
        )
    )


def _passage(header: Sequence[str], nom: str) -> bool:
    return is_passage(header)


def _results(header: Sequence[str], nom: str) -> bool:
    return any(columns <= set(header) for columns in _RESULT_SHEETS)


def _districts(header: Sequence[str], nom: str) -> bool:
    return bool(re.fullmatch(r"ARM([ _-]\d{4})?", split_name(nom)[1].strip()))


def _aside(genre: str, title: str, is_one: Callable[[Sequence[str], str], bool]) -> Kind:
    def read(source: Source) -> Reading:
        return set_aside(source.nom, genre, title)

    recognised = Recognised(genre, genre, read)
    return Kind(genre, lambda header, nom: recognised if is_one(header, nom) else None)


def _outlines(header: Sequence[str], nom: str) -> bool:
    return split_name(nom)[1] == OUTLINES_NAME


def _national(header: Sequence[str], nom: str) -> bool:
    columns = set(header)
    childcare = any(name.startswith(("txcouv_", "pl_", "tot_offre")) for name in columns)
    caf = any(name.startswith(("indfoy_", "Nombre foyers ")) for name in columns)
    dated = bool(columns & {"dtreffre", "Date référence"})
    placed = any(re.match(r"n[ou]m[a-z]|(?:Numéro|Nom) ", name) for name in columns)
    return (childcare and "annee" in columns and "national" in columns) or (
        caf and dated and not placed
    )


def _schools(header: Sequence[str], nom: str) -> Recognised | None:
    names = {name.casefold() for name in header}
    ips = "uai" in names and any(name.startswith("ips") for name in names)
    brevet = {"numero d'etablissement", "presents", "admis"} <= names
    return Recognised("education", "education", _no_indicator) if ips or brevet else None


def _no_indicator(source: Source) -> Reading:
    raise BarometreError(
        f"{source.nom} : indice de position sociale ou brevet par établissement, dont aucun"
        " indicateur n'est encore fait ; ne pas donner ce fichier"
    )


SCHOOLS = Kind("education", _schools)
NATIONALS = _aside(
    "national", "ligne nationale dont le champ (outre-mer ou non) n'est pas établi", _national
)
DISTRICTS = _aside(
    "arrondissements",
    "arrondissements municipaux, déjà comptés dans leur commune (feuille COM)",
    _districts,
)
OUTLINES = _aside("contours", "contours de territoires (GeoJSON), pour les cartes", _outlines)
NOTICES = Kind(
    "notice",
    lambda header, nom: (
        Recognised("notice", "notice", _read_notice) if _notice(header, nom) else None
    ),
)
MEMBERSHIPS = _aside(
    "appartenance", "liste de communes et de leurs ensembles : read_membership", _membership
)
PASSAGES = _aside("passage", "table de passage entre communes : read_passage", _passage)
RESULTS = _aside("resultats", "résultats écrits par barometre : read_results les relit", _results)
