"""Count the rows of a file by territory, lot by lot: millions of rows in the memory of one lot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import Fault, FaultsError, counted
from barometre.sources.file_report import Reading, described, tables_of
from barometre.sources.files.text import Source
from barometre.sources.forms.units.unit_family import (
    Count,
    Place,
    UnitFamily,
    find_unit_family,
    year_of,
)
from barometre.sources.kind import Kind, Recognised
from barometre.tables.codes import check_codes, repair_codes

_NO_TERRITORY = re.compile(r"|NR|X{5}|9{5}|Z{5}", re.IGNORECASE)

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """What was counted.

    Attributes
    ----------
    cells : DataFrame
        As `report.tables_of` takes them.
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    lignes, reparees : int
        Rows read; codes given their zero back.
    """

    cells: pd.DataFrame
    territoires: pd.DataFrame
    lignes: int
    reparees: int


def count_rows(family: UnitFamily, source: Source) -> Counts:
    """Count the rows of each territory and year.

    Parameters
    ----------
    family : UnitFamily
        What is counted.
    source : Source
        The file.

    Returns
    -------
    Counts
        A territory of the file none of whose rows is of a kind has zero.

    Raises
    ------
    FaultsError
        No year; codes of another form than their level.
    """
    names = {name.casefold(): name for name in source.entete if name}
    places = [place for place in family.lieux if place.colonne.casefold() in names]
    year_column = names.get(family.annee_colonne.casefold(), "") if family.annee_colonne else ""
    year = year_of(family, source.stem)
    if not year_column and year is None:
        fault = Fault("année", "introuvable", "l'écrire dans le nom du fichier")
        raise FaultsError(f"fichier {source.nom} refusé ({family.titre})", [fault])
    filters = {column for count in family.comptes for column in count.filtre}
    wanted = {column: names[column.casefold()] for column in filters}
    asked = [names[place.colonne.casefold()] for place in places]
    present: Counter[tuple[int, str, str]] = Counter()
    matched: Counter[tuple[int, int, str, str]] = Counter()
    rows = 0
    for lot in source.lots([*asked, *wanted.values(), *([year_column] if year_column else [])]):
        rows += lot.num_rows
        years = _texts(lot.column(year_column)) if year_column else _same(str(year), lot.num_rows)
        kept = [_matching(lot, wanted, count.filtre) for count in family.comptes]
        for i, column in enumerate(asked):
            codes = _texts(lot.column(column))
            present += _counted((i,), years, codes, np.ones(lot.num_rows, dtype=bool))
            for k, flags in enumerate(kept):
                matched += _counted((i, k), years, codes, flags)
    return _cells(family, places, present, matched, rows, source)


def _texts(column: Any) -> Any:
    """Encode a column: its distinct texts, stripped, and their positions."""
    encoded = column.combine_chunks().dictionary_encode()
    words = np.array([(word or "").strip() for word in encoded.dictionary.to_pylist()] or [""],
                     dtype=object)  # fmt: skip
    return words, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _same(text: str, size: int) -> Any:
    return np.array([text], dtype=object), np.zeros(size, dtype=np.int64)


def _matching(lot: Any, wanted: Mapping[str, str], rules: Mapping[str, str]) -> Flags:
    flags = np.ones(lot.num_rows, dtype=bool)
    for column, rule in rules.items():
        words, positions = _texts(lot.column(wanted[column]))
        shape = re.compile(rule, re.IGNORECASE)
        fits = np.array([bool(shape.fullmatch(word)) for word in words], dtype=bool)
        flags &= fits[positions]
    return flags


def _counted(prefix: tuple[int, ...], years: Any, codes: Any, flags: Flags) -> Counter[Any]:
    """Count the flagged rows by year and code."""
    (year_words, year_at), (code_words, code_at) = years, codes
    pairs, number = np.unique(year_at[flags] * len(code_words) + code_at[flags], return_counts=True)
    found: Counter[Any] = Counter()
    for pair, n in zip(pairs, number, strict=True):
        year, code = divmod(int(pair), len(code_words))
        found[(*prefix, year_words[year], code_words[code])] += int(n)
    return found


def _cells(
    family: UnitFamily,
    places: Sequence[Place],
    present: Counter[Any],
    matched: Counter[Any],
    rows: int,
    source: Source,
) -> Counts:
    """Turn counts into cells, codes and years being checked."""
    keys = pd.DataFrame(list(present), columns=["lieu", "annee", "ecrit"])
    outside = [_NO_TERRITORY.fullmatch(code) or code.upper() in places[i].hors
               for i, code in zip(keys["lieu"], keys["ecrit"], strict=True)]  # fmt: skip
    keys = keys[~np.array(outside, dtype=bool)].reset_index(drop=True)
    faults = _odd_years(keys["annee"], family.annee_colonne)
    keys["niveau"] = [places[i].niveau for i in keys["lieu"]]
    keys["code"], repaired = keys["ecrit"], 0
    for level, part in keys.groupby("niveau"):
        codes, number = repair_codes(part["ecrit"], str(level))
        keys.loc[part.index, "code"], repaired = codes, repaired + number
        faults += check_codes(codes, str(level))
    if faults:
        raise FaultsError(f"fichier {source.nom} refusé ({family.titre})", faults)
    parts = [_one_count(keys, matched, k, count) for k, count in enumerate(family.comptes)]
    territories = keys[["code", "niveau"]].drop_duplicates("code", ignore_index=True)
    return Counts(
        pd.concat(parts, ignore_index=True),
        territories.assign(libelle=territories["code"])[["code", "libelle", "niveau"]],
        rows,
        repaired,
    )


def _odd_years(years: pd.Series[str], column: str) -> list[Fault]:
    odd = sorted(set(years[~years.str.fullmatch(r"(?:19|20)\d{2}")]))
    if not odd:
        return []
    shown = ", ".join(f"« {text} »" for text in odd[:5])
    return [Fault(column, f"années illisibles : {shown}", "corriger la colonne")]


def _one_count(keys: pd.DataFrame, matched: Counter[Any], k: int, count: Count) -> pd.DataFrame:
    written = zip(keys["lieu"], keys["annee"], keys["ecrit"], strict=True)
    number = [matched[place, k, year, code] for place, year, code in written]
    # Codes written in two ways (a lost zero) are one territory.
    summed = keys.assign(valeur=number).groupby(["code", "annee"], sort=False)["valeur"].sum()
    table, _, column = count.vers.partition(".")
    return summed.reset_index().assign(
        annee=lambda frame: frame["annee"].astype(np.int64),
        valeur=lambda frame: frame["valeur"].astype(np.float64),
        statut=np.int8(0),
        motif="",
        table=table,
        colonne=column,
    )


# ---- the kind -----------------------------------------------------------------------------------


def _recognise(header: Sequence[str], nom: str) -> Recognised | None:
    family = find_unit_family(header)
    return Recognised("unites", family.nom, partial(_read, family)) if family else None


def _read(family: UnitFamily, source: Source) -> Reading:
    counts = count_rows(family, source)
    tables = tables_of(counts.cells, counts.territoires, source.nom)
    warned = []
    if family.etat == "non_verifie":
        warned.append(f"codes de colonnes jamais vus dans un vrai fichier ({family.titre})")
    if counts.reparees:
        warned.append(f"{counted(counts.reparees, 'code')} : zéro initial rétabli")
    used = {place.colonne.casefold() for place in family.lieux} | {family.annee_colonne.casefold()}
    used |= {column.casefold() for count in family.comptes for column in count.filtre}
    report = replace(
        described(tables, source.nom, family.titre),
        famille=family.nom,
        lignes=len(counts.territoires),
        reparees=counts.reparees,
        utilisees=tuple(name for name in source.entete if name.casefold() in used),
        ignorees_colonnes=tuple(n for n in source.entete if n and n.casefold() not in used),
        avertissements=tuple(warned),
    )
    return Reading(tables, report)


UNITS = Kind("unites", _recognise)
