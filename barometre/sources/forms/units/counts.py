"""Count the rows of a file by territory, lot by lot: millions of rows in the memory of one lot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from barometre.base.arrays import Booleans, Integers
from barometre.base.errors import Fault, FaultsError, counted
from barometre.base.texts import Texts
from barometre.sources.cell_tables import Part, tables_of_columns
from barometre.sources.file_report import Reading, described
from barometre.sources.files.text import Source
from barometre.sources.forms.units.tally import KEYS, Tally, numbered, plan_of, summed, tally
from barometre.sources.forms.units.unit_family import Count, UnitFamily, find_unit_family
from barometre.sources.kind import Kind, Recognised
from barometre.tables.codes import check_codes, repair_codes

_NO_TERRITORY = re.compile(r"|NR|X{5}|9{5}|Z{5}", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d{2}")


@dataclass(frozen=True)
class Counts:
    """What was counted.

    Attributes
    ----------
    parts : tuple of Part
        One of our columns each.
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    lignes, reparees : int
        Rows read; codes given their zero back.
    """

    parts: tuple[Part, ...]
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
    plan = plan_of(family, source.entete, source.nom, source.stem)
    total = source.reduced(plan.colonnes, partial(tally, plan), partial(summed, plan))
    return counts_of(family, total, source.nom)


def counts_of(family: UnitFamily, total: Tally, nom: str) -> Counts:
    """Turn what was counted into columns, codes and years being checked.

    Parameters
    ----------
    family : UnitFamily
        What was counted.
    total : Tally
        The rows of the whole file, each key once.
    nom : str
        Name of the source, for the messages.

    Returns
    -------
    Counts

    Raises
    ------
    FaultsError
        Codes of another form than their level, years that are none.
    """
    counted_rows = total.counted.filter(pa.array(_inside(family, total)))
    place, years, written = (counted_rows.column(name) for name in KEYS)
    year_words, year_at = numbered(years)
    faults = _odd_years(year_words.to_pylist(), family.annee_colonne)
    codes = pd.Series(written.to_pandas(), dtype="str")
    levels = np.array([one.niveau for one in family.lieux])[place.to_numpy()]
    repaired = 0
    for level in np.unique(levels):
        rows = levels == level
        found = check_codes(codes[rows], level)
        if found:  # a code of the form of its level needs no repair
            codes[rows], number = repair_codes(codes[rows], level)
            repaired += number
            found = check_codes(codes[rows], level)
        faults += found
    if faults:
        raise FaultsError(f"fichier {nom} refusé ({family.titre})", faults)
    code_words, code_at = numbered(pa.array(codes, pa.large_string()))
    # Codes written in two ways (a lost zero) are one territory.
    group, keys = pd.factorize(code_at * max(len(year_words), 1) + year_at)
    code, year = np.divmod(keys, max(len(year_words), 1))
    own_code, own_year = _as_series(code_words.take(code)), _whole_numbers(year_words)[year]
    parts = tuple(
        _part(count, own_code, own_year, np.bincount(group, rows.to_numpy(), minlength=len(keys)))
        for count, rows in zip(family.comptes, counted_rows.columns[len(KEYS) + 1 :], strict=True)
    )
    # Numbers are given in the order of the rows: a new one is above all those before.
    first = np.diff(np.maximum.accumulate(code_at), prepend=-1) > 0
    names = _as_series(code_words)
    territories = pd.DataFrame({"code": names, "libelle": names, "niveau": levels[first]})
    return Counts(parts, territories, total.rows, repaired)


def _inside(family: UnitFamily, total: Tally) -> Booleans:
    """Tell what was counted in a territory, and not where there is none (an empty cell, ``HZ``)."""
    words, at = numbered(total.counted.column("ecrit"))
    nowhere = _NO_TERRITORY.fullmatch
    place = total.counted.column("lieu").to_numpy()
    outside = np.zeros(len(at), dtype=bool)
    texts = words.to_pylist()
    none = np.array([nowhere(word) is not None for word in texts], dtype=bool)
    for number, one in enumerate(family.lieux):
        out = none | np.array([word.upper() in one.hors for word in texts], dtype=bool)
        rows = place == number
        outside[rows] = out[at[rows]]
    return ~outside


def _odd_years(years: Sequence[str], column: str) -> list[Fault]:
    odd = sorted(year for year in years if not _YEAR.fullmatch(year))
    if not odd:
        return []
    shown = ", ".join(f"« {text} »" for text in odd[:5])
    return [Fault(column, f"années illisibles : {shown}", "corriger la colonne")]


def _whole_numbers(words: Any) -> Integers:
    return np.array([int(word) for word in words.to_pylist()], dtype=np.int64)


def _as_series(words: Any) -> pd.Series[str]:
    return pd.Series(pd.array(words, dtype="str"))


def _part(count: Count, code: pd.Series[str], year: Integers, number: Any) -> Part:
    table, _, column = count.vers.partition(".")
    none = np.zeros(len(code), dtype=np.int8)
    return Part(table, column, code, year, number.astype(np.float64), none, Texts.none(len(code)))


# ---- the kind -----------------------------------------------------------------------------------


def _recognise(header: Sequence[str], nom: str) -> Recognised | None:
    family = find_unit_family(header)
    return Recognised("unites", family.nom, partial(_read, family)) if family else None


def _read(family: UnitFamily, source: Source) -> Reading:
    counts = count_rows(family, source)
    tables = tables_of_columns(counts.parts, counts.territoires, source.nom)
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
