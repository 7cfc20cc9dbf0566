"""Establishments created in priority neighbourhoods: geolocated Sirene joined to its stock.

The geolocated file says where an establishment is, the stock when it was created. Both are read lot
by lot; only what lies in a neighbourhood is kept in memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.sources.cell_tables import tables_of
from barometre.sources.file_report import Reading, described, set_aside
from barometre.sources.files.text import Source
from barometre.sources.kind import Beside, Kind, Recognised, Waiting
from barometre.tables.codes import check_codes

PLACES = (("plg_qp24", "qualite_qp24"), ("plg_qp15", "qualite_qp15"))
"""Columns of the neighbourhood and of how sure it is, by perimeter."""

YEARS = 10
"""Years counted, the last one included: before, the stock has lost too many."""

_TITLE = "Sirene géolocalisé et stock des établissements : créations par quartier prioritaire"
_STOCK = "stock des établissements (Sirene) : sert avec le fichier géolocalisé"
_UNSURE = "3"
_DAY = r"^(?:1\d{3}|20\d{2})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$"
_QUARTER = re.compile(r"Q[PN].*", re.IGNORECASE)
_NOTE = "établissements créés d'après Sirene, ce qui n'est pas le dénombrement de l'Insee"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Located:
    """Establishments of a neighbourhood, by number.

    Attributes
    ----------
    siret : array of int64
        Sorted.
    quartier : array of int64
        Position in ``codes``.
    codes : tuple of str
        Neighbourhoods.
    incertains : int
        Establishments whose neighbourhood is random or unknown, left out.
    """

    siret: Ints
    quartier: Ints
    codes: tuple[str, ...]
    incertains: int

    @property
    def unseen(self) -> list[str]:
        """Neighbourhoods where no establishment surely lies."""
        seen = set(np.unique(self.quartier).tolist())
        return sorted(code for place, code in enumerate(self.codes) if place not in seen)


def locate(source: Source, column: str, quality: str) -> Located:
    """Keep the establishments that surely lie in a neighbourhood.

    Parameters
    ----------
    source : Source
        Geolocated file.
    column, quality : str
        Columns of the neighbourhood and of its quality (1 sure, 2 probable, 3 random).

    Returns
    -------
    Located

    Raises
    ------
    FaultsError
        An establishment twice, a number that is none, a neighbourhood of another form.
    """
    names = {name.casefold(): name for name in source.entete if name}
    asked = [names["siret"], names[column]] + ([names[quality]] if quality in names else [])
    found = source.reduced(asked, partial(_located, asked, source.nom), _joined)
    faults = check_codes(found.codes, "qpv")
    order = np.argsort(found.siret, kind="stable")
    siret, quarter = found.siret[order], found.quartier[order]
    twice = int((siret[1:] == siret[:-1]).sum())
    if twice:
        faults.append(
            Fault("siret", f"{counted(twice, 'établissement')} en double", "dédoubler le fichier")
        )
    if faults:
        raise FaultsError(f"fichier {source.nom} refusé", faults)
    return Located(siret, quarter, found.codes, found.incertains)


def _located(asked: Sequence[str], nom: str, lot: Any) -> Located:
    """Keep the establishments of a lot, in its order: number, neighbourhood, quality if any."""
    encoded = lot.column(asked[1]).combine_chunks().dictionary_encode()
    words = [(word or "").strip().upper() for word in encoded.dictionary.to_pylist()]
    inside = np.array([bool(_QUARTER.fullmatch(word)) for word in words] or [False], dtype=bool)
    at = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    keep, unsure = inside[at], 0
    if len(asked) > 2:
        doubtful = pc.match_substring_regex(lot.column(asked[2]), rf"^\s*{_UNSURE}(?:[.,]0*)?\s*$")
        flags = doubtful.to_numpy(zero_copy_only=False).astype(bool) if lot.num_rows else keep
        unsure = int((keep & flags).sum())
        keep &= ~flags
    codes: dict[str, int] = {}
    known = zip(words or [""], inside, strict=True)
    rank = [codes.setdefault(word, len(codes)) if there else -1 for word, there in known]
    siret = _numbers(lot.column(asked[0]).filter(pa.array(keep)), nom)
    return Located(siret, np.array(rank, dtype=np.int64)[at[keep]], tuple(codes), unsure)


def _joined(parts: Iterable[Located]) -> Located:
    """Put lots together: neighbourhoods are numbered as they are met."""
    codes: dict[str, int] = {}
    numbers, places, unsure = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for part in parts:
        rank = [codes.setdefault(code, len(codes)) for code in part.codes]
        numbers.append(part.siret)
        places.append(np.array(rank, dtype=np.int64)[part.quartier])
        unsure += part.incertains
    return Located(np.concatenate(numbers), np.concatenate(places), tuple(codes), unsure)


def _numbers(column: Any, nom: str) -> Ints:
    """Read the numbers of establishments: fourteen digits."""
    texts = pc.utf8_lpad(pc.utf8_trim_whitespace(column), 14, "0")
    if not pc.all(pc.match_substring_regex(texts, r"^\d{14}$")).as_py() and len(texts):
        fault = Fault("siret", "des cellules qui n'ont pas quatorze chiffres", "les lire en texte")
        raise FaultsError(f"fichier {nom} refusé", [fault])
    return np.array(texts.cast(pa.int64()).to_numpy(), dtype=np.int64)


@dataclass(frozen=True)
class Created:
    """The establishments of neighbourhoods, as the stock dates them.

    Attributes
    ----------
    place : array of int64
        Position of each one in `Located`.
    year : array of int64
        Its year of creation.
    last : str
        Last day of creation of the whole stock: its year may be incomplete.
    unread : tuple of str
        Dates that are none, of establishments of neighbourhoods.
    """

    place: Ints
    year: Ints
    last: str
    unread: tuple[str, ...]


def creations(located: Located, stock: Source) -> Created:
    """Find when the establishments of neighbourhoods were created.

    Parameters
    ----------
    located : Located
        Where they are.
    stock : Source
        When they were created.

    Returns
    -------
    Created

    Raises
    ------
    FaultsError
        An establishment twice, a number that is none, dates of another form.
    """
    names = {name.casefold(): name for name in stock.entete if name}
    number, date = names["siret"], names["datecreationetablissement"]
    found = stock.reduced(
        [number, date], partial(_created, located, number, date, stock.nom), _gathered
    )
    faults = []
    if twice := len(found.place) - len(np.unique(found.place)):
        said = f"{counted(twice, 'établissement')} en double"
        faults.append(Fault(number, said, "dédoubler le fichier"))
    if found.unread and not len(found.place):
        faults.append(Fault(date, _unread(found), "écrire les dates comme 2024-03-31"))
    if faults:
        raise FaultsError(f"fichier {stock.nom} refusé", faults)
    return found


def _created(located: Located, number: str, date: str, nom: str, lot: Any) -> Created:
    """Date the establishments of a lot of the stock; one without date is left out."""
    days = pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(lot.column(date)), 0, 10)
    given = pc.not_equal(days, "")
    days = days.filter(given)
    siret = _numbers(lot.column(number).filter(given), nom)
    at = np.searchsorted(located.siret, siret)
    at[at == len(located.siret)] = 0
    there = (located.siret[at] == siret) if len(located.siret) else np.zeros(len(siret), bool)
    dated = pc.match_substring_regex(days, _DAY)
    read = dated.to_numpy(zero_copy_only=False).astype(bool) if len(days) else there
    year = pc.utf8_slice_codeunits(days.filter(pa.array(there & read)), 0, 4).cast(pa.int64())
    return Created(
        at[there & read],
        year.to_numpy(),
        pc.max(days.filter(dated)).as_py() or "",
        tuple(days.filter(pa.array(there & ~read)).to_pylist()),
    )


def _gathered(parts: Iterable[Created]) -> Created:
    """Put lots together."""
    places, years = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    last, unread = "", list[str]()
    for part in parts:
        places.append(part.place)
        years.append(part.year)
        last = max(last, part.last)
        unread += part.unread
    return Created(np.concatenate(places), np.concatenate(years), last, tuple(unread))


def _unread(found: Created) -> str:
    shown = ", ".join(f"« {day} »" for day in dict.fromkeys(found.unread[:3]))
    number = len(found.unread)
    said = counted(number, "date de création illisible", "dates de création illisibles")
    return f"{said} ({shown})"


# ---- the kinds ----------------------------------------------------------------------------------


def _is_geo(header: Sequence[str], nom: str) -> Waiting | None:
    names = {name.casefold() for name in header}
    if "siret" in names and any(column in names for column, _ in PLACES):
        return Waiting("sirene_geo", "sirene_geo", _read_geo)
    return None


def _is_stock(header: Sequence[str], nom: str) -> Recognised | None:
    names = {name.casefold() for name in header}
    if {"siret", "datecreationetablissement"} <= names:
        return Recognised("sirene_stock", "sirene_stock", _read_stock)
    return None


def _read_stock(source: Source) -> Reading:
    return set_aside(source.nom, "sirene_stock", _STOCK)


def _read_geo(source: Source, beside: Beside) -> Reading:
    stocks = [one for one in beside.sources if getattr(one.reconnu, "genre", "") == "sirene_stock"]
    if len(stocks) != 1:
        problem = "il n'y en a pas" if not stocks else "il y en a plusieurs"
        raise BarometreError(
            f"{source.nom} : le fichier géolocalisé ne dit pas quand un établissement fut créé ;"
            f" lire avec lui StockEtablissement ({problem})"
        )
    names = {name.casefold() for name in source.entete}
    parts, unsure, told = [], 0, list[str]()
    for column, quality in PLACES:
        if column in names:
            located = locate(source, column, quality)
            unsure += located.incertains
            if unseen := located.unseen:
                told.append(
                    f"{', '.join(unseen)} : aucun établissement sûrement situé, sans valeur"
                )
            created = creations(located, stocks[0])
            told += [f"{_unread(created)} : comptés nulle part"] if created.unread else []
            parts.append(_cells(located, created))
    cells = pd.concat(parts, ignore_index=True)
    territories = cells[["code"]].drop_duplicates(ignore_index=True)
    territories = territories.assign(libelle=territories["code"], niveau="qpv")
    tables = tables_of(cells, territories, source.nom)
    warned = [f"codes de colonnes jamais vus dans un vrai fichier ({_TITLE})", *told]
    if unsure:
        number = counted(unsure, "établissement")
        warned.append(f"{number} au quartier incertain (qualité {_UNSURE}), comptés nulle part")
    report = described(tables, source.nom, _TITLE)
    report = replace(report, famille="sirene_geo", avertissements=tuple(warned))
    return Reading(tables, report)


def _cells(located: Located, created: Created) -> pd.DataFrame:
    """Write counts as cells; a neighbourhood where nothing was created that year has zero.

    Where no establishment surely lies, nothing is known: zero would be said of what was not seen.
    """
    last = created.last
    final = int(last[:4]) if last else 0
    quarters = located.quartier[created.place].tolist()
    found = Counter(zip(quarters, created.year.tolist(), strict=True))
    unseen = set(located.unseen)
    years = range(final - YEARS + 1, final + 1) if last else range(0)
    rows = [
        (code, year, float(found[quarter, year]))
        for quarter, code in enumerate(located.codes)
        if code not in unseen
        for year in years
    ]
    frame = pd.DataFrame(rows, columns=["code", "annee", "valeur"])
    frame = frame.astype({"code": "str", "annee": np.int64, "valeur": np.float64})
    partial_year = f"{_NOTE} ; année incomplète, dernière création le {last}"
    motif = np.where((frame["annee"] == final) & (last[5:7] != "12"), partial_year, _NOTE)
    return frame.assign(statut=np.int8(0), motif=motif, table="etablissements", colonne="creations")


GEOLOCATED = Kind("sirene_geo", _is_geo)
STOCK = Kind("sirene_stock", _is_stock)
