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
from barometre.sources.cell_tables import tables_of
from barometre.sources.file_report import Reading, described
from barometre.sources.files.text import Source
from barometre.sources.forms.units.unit_family import (
    Count,
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
        As `cell_tables.tables_of` takes them.
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
    plan = plan_of(family, source.entete, source.nom, source.stem)
    total = Tally(Counter(), Counter(), 0)
    for lot in source.lots(plan.colonnes):
        total += tally(plan, lot)
    return cells_of(family, total, source.nom)


@dataclass(frozen=True)
class Plan:
    """What is looked at in each row; plain values, that may be sent to another machine.

    Attributes
    ----------
    lieux : tuple of str
        Columns of places.
    annee : str
        Year of the rows, unless ``colonne_annee`` has it.
    colonne_annee : str
        ``""`` when no column has the year.
    filtres : tuple of dict
        By count, the expression of each column.
    """

    lieux: tuple[str, ...]
    annee: str
    colonne_annee: str
    filtres: tuple[dict[str, str], ...]

    @property
    def colonnes(self) -> list[str]:
        """The columns to read."""
        filtered = [column for rules in self.filtres for column in rules]
        years = [self.colonne_annee] if self.colonne_annee else []
        return [*dict.fromkeys([*self.lieux, *filtered, *years])]


def plan_of(family: UnitFamily, header: Sequence[str], nom: str, stem: str) -> Plan:
    """Find the columns of a family in a header.

    Parameters
    ----------
    family : UnitFamily
        What is counted.
    header : sequence of str
        Names of the columns; capitals do not count.
    nom, stem : str
        Name of the source, for the messages, and what it says of the year.

    Returns
    -------
    Plan

    Raises
    ------
    FaultsError
        No year.
    """
    names = {name.casefold(): name for name in header if name}
    year_column = names.get(family.annee_colonne.casefold(), "") if family.annee_colonne else ""
    year = year_of(family, stem)
    if not year_column and year is None:
        fault = Fault("année", "introuvable", "l'écrire dans le nom du fichier")
        raise FaultsError(f"fichier {nom} refusé ({family.titre})", [fault])
    written = (names.get(place.colonne.casefold(), "") for place in family.lieux)
    filters = tuple(
        {names[column.casefold()]: rule for column, rule in count.filtre.items()}
        for count in family.comptes
    )
    return Plan(tuple(written), "" if year is None else str(year), year_column, filters)


@dataclass
class Tally:
    """Rows counted by place, year and code, all of them and those of each kind."""

    present: Counter[tuple[int, str, str]]
    matched: Counter[tuple[int, int, str, str]]
    rows: int

    def __add__(self, other: Tally) -> Tally:
        """Add up."""
        return Tally(
            self.present + other.present, self.matched + other.matched, self.rows + other.rows
        )


def tally(plan: Plan, lot: Any) -> Tally:
    """Count the rows of a lot: a table of pyarrow that has the columns of the plan, as texts."""
    found = Tally(Counter(), Counter(), lot.num_rows)
    if not lot.num_rows:
        return found
    years = _same(plan.annee, lot.num_rows)
    if plan.colonne_annee:
        years = _texts(lot.column(plan.colonne_annee))
    kept = [_matching(lot, rules) for rules in plan.filtres]
    for i, column in enumerate(plan.lieux):
        if column:
            codes = _texts(lot.column(column))
            found.present += _counted((i,), years, codes, np.ones(lot.num_rows, dtype=bool))
            for k, flags in enumerate(kept):
                found.matched += _counted((i, k), years, codes, flags)
    return found


def _texts(column: Any) -> Any:
    """Encode a column: its distinct texts, stripped, and their positions."""
    encoded = column.combine_chunks().dictionary_encode()
    words = np.array([(word or "").strip() for word in encoded.dictionary.to_pylist()] or [""],
                     dtype=object)  # fmt: skip
    return words, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _same(text: str, size: int) -> Any:
    return np.array([text], dtype=object), np.zeros(size, dtype=np.int64)


def _matching(lot: Any, rules: Mapping[str, str]) -> Flags:
    flags = np.ones(lot.num_rows, dtype=bool)
    for column, rule in rules.items():
        words, positions = _texts(lot.column(column))
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


def cells_of(family: UnitFamily, total: Tally, nom: str) -> Counts:
    """Turn counts into cells, codes and years being checked.

    Parameters
    ----------
    family : UnitFamily
        What was counted.
    total : Tally
        The rows of the whole file.
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
    places = family.lieux
    keys = pd.DataFrame(list(total.present), columns=["lieu", "annee", "ecrit"])
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
        raise FaultsError(f"fichier {nom} refusé ({family.titre})", faults)
    parts = [_one_count(keys, total.matched, k, count) for k, count in enumerate(family.comptes)]
    territories = keys[["code", "niveau"]].drop_duplicates("code", ignore_index=True)
    return Counts(
        pd.concat(parts, ignore_index=True),
        territories.assign(libelle=territories["code"])[["code", "libelle", "niveau"]],
        total.rows,
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
