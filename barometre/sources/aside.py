"""Files that hold no value of an indicator: notices, memberships, tables of passage."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from barometre.sources.files.text import Source, is_notice, split_name
from barometre.sources.kind import Kind, Recognised
from barometre.sources.report import Reading, set_aside

_NOTICE_SHEETS = re.compile(
    r"(variables?|documentation|notice|lisez[- _]?moi|readme|sommaire|d[ée]finitions?|"
    r"m[ée]tadonn[ée]es|glossaire|avertissement)([ _\d].*)?",
    re.IGNORECASE,
)
_NOTICE_COLUMNS = ({"COD_VAR", "LIB_VAR"}, {"VARIABLE", "LIBELLE"}, {"variable", "libelle"})


def _notice(header: Sequence[str], nom: str) -> bool:
    file, sheet = split_name(nom)
    return (
        any(columns <= set(header) for columns in _NOTICE_COLUMNS)
        or is_notice(PurePosixPath(file).name)
        or bool(_NOTICE_SHEETS.fullmatch(sheet.strip()))
    )


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
    columns = set(header)
    return {"DEPCOM_HIST", "DEPCOM"} <= columns or "CODGEO_INI" in columns


def _aside(genre: str, title: str, is_one: Callable[[Sequence[str], str], bool]) -> Kind:
    def read(source: Source) -> Reading:
        return set_aside(source.nom, genre, title)

    recognised = Recognised(genre, genre, read)
    return Kind(genre, lambda header, nom: recognised if is_one(header, nom) else None)


NOTICES = _aside("notice", "notice ou dictionnaire de variables : rien à calculer", _notice)
MEMBERSHIPS = _aside(
    "appartenance", "liste de communes et de leurs ensembles : read_membership", _membership
)
PASSAGES = _aside("passage", "table de passage entre communes : read_passage", _passage)
