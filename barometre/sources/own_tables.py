"""Read our own tables, typed or exported: one table per file or sheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from barometre.base.errors import Fault, FaultsError
from barometre.cards.columns import KEY, MODELS, columns_of
from barometre.cards.listing import load_cards
from barometre.sources.file_report import Reading, described
from barometre.sources.files.text import Source, stem_of
from barometre.sources.files.values import parse_numbers
from barometre.sources.kind import Kind, Recognised
from barometre.tables.check import PUBLISHED, reaches_thousands
from barometre.tables.table_set import STATUSES, STATUTS_COLUMNS, Tables

LABELS = ("libelle", "libelle_court", "niveau")
HELP_ROWS = frozenset({"UNITE", "UNITÉ", "EXEMPLE"})
"""Codes of the rows of a template that explain how to fill it; they are no territory."""

_STATUTS_NEEDED = set(STATUTS_COLUMNS) - {"qualite", "motif", "origine"}


def _recognise(header: Sequence[str], nom: str) -> Recognised | None:
    """Recognise the header of one of our tables, of statuses or of territories."""
    columns = set(header)
    if "code" not in columns:
        return None
    values = columns - {*KEY, *LABELS, ""}
    ours = (
        columns >= _STATUTS_NEEDED
        or _is_territories(columns)
        or named_table(stem_of(nom))
        or any(values and values <= set(own) for own in _own_columns().values())
    )
    return _RECOGNISED if ours else None


def _recognise_misspelt(header: Sequence[str], nom: str) -> Recognised | None:
    """Recognise a header that shares a column with our tables: its faults are told in words."""
    columns = set(header)
    shared = any(columns & set(own) for own in _own_columns().values())
    return _RECOGNISED if "code" in columns and shared else None


def _read(source: Source) -> Reading:
    tables = read_own(source)
    report = described(tables, source.nom, "nos tables")
    now = dt.datetime.now(tz=dt.UTC).year
    if later := [str(year) for year in report.annees if year > now]:
        told = f"années à venir : {', '.join(later)}"
        report = replace(report, avertissements=(*report.avertissements, told))
    return Reading(tables, report)


_RECOGNISED = Recognised("nos tables", "nos tables", _read)
OWN = Kind("nos tables", _recognise)
MISSPELT = Kind("nos tables", _recognise_misspelt)


def read_own(source: Source) -> Tables:
    """Read a file of one of our tables, of statuses or of territories.

    Parameters
    ----------
    source : Source
        A file whose header is that of one of them.

    Returns
    -------
    Tables
        A cell written ``nd``, ``ns`` or ``s`` is secret, ``-`` or ``so`` is not applicable: both
        keep their reason in ``statuts``.

    Raises
    ------
    FaultsError
        The table cannot be told, or its columns are unknown.
    TableError
        The table is refused.
    """
    texts = source.lire([name for name in source.entete if name])
    texts = texts[~texts["code"].str.upper().isin(HELP_ROWS)].reset_index(drop=True)
    columns = set(texts.columns)
    if columns >= _STATUTS_NEEDED:
        said = texts.reindex(columns=list(STATUTS_COLUMNS)).replace("", None)
        return Tables({}, statuts=said, source=source.nom)
    if _is_territories(columns):
        return Tables({}, territoires=texts, source=source.nom)
    values = [name for name in texts.columns if name not in (*KEY, *LABELS)]
    table = _table_of(source, values)
    frame, statuts = _parse(texts, table, values)
    territories = None
    if "libelle" in columns:
        kept = texts[["code", *(name for name in LABELS if name in columns)]]
        territories = kept.drop_duplicates("code")
        if "niveau" not in columns:
            territories = territories.assign(niveau="")
    return Tables({table: frame}, statuts=statuts, territoires=territories, source=source.nom)


def _counts(table: str, column: str) -> bool:
    return column in _own_columns()[table] and reaches_thousands(table, column)


def _is_territories(columns: set[str]) -> bool:
    return {"code", "libelle", "niveau"} <= columns <= {"code", *LABELS, "geographie"}


def _own_columns() -> dict[str, tuple[str, ...]]:
    return {name: columns_of(name) for name in MODELS} | {PUBLISHED: tuple(load_cards())}


def named_table(stem: str) -> str:
    """Find the table that a file is named after, the longest name first."""
    named = [n for n in _own_columns() if stem == n or stem.startswith((f"{n}_", f"{n} "))]
    return max(named, key=len, default="")


def _table_of(source: Source, columns: Iterable[str]) -> str:
    """Find the table of a file by its name, else by its columns."""
    wanted, own = list(columns), _own_columns()
    if named_table(source.stem):
        return named_table(source.stem)
    fitting = [name for name, admitted in own.items() if set(wanted) <= set(admitted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        problem = f"ses colonnes conviennent à plusieurs tables ({', '.join(fitting)})"
        fault = Fault("table", problem, f"le nommer d'après sa table : {fitting[0]}.csv")
        raise FaultsError(f"fichier {source.nom} refusé", [fault])
    shared = {name: len(set(wanted) & set(admitted)) for name, admitted in own.items()}
    nearest = max(shared, key=lambda name: shared[name])
    unknown = ", ".join(f"« {c} »" for c in wanted if c not in own[nearest])
    fault = Fault(f"table {nearest}", f"colonnes inconnues : {unknown}", "les corriger ou les ôter")
    raise FaultsError(f"fichier {source.nom} refusé", [fault])


def _parse(
    texts: pd.DataFrame, table: str, values: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Turn texts into numbers and reasons; what is neither stays text, for the table's check."""
    frame = texts[[column for column in KEY if column in texts.columns]].copy()
    if "annee" in frame:
        years = pd.to_numeric(frame["annee"], errors="coerce")
        frame["annee"] = years if years.notna().all() else frame["annee"]
    absent = []
    for column in values:
        parsed = parse_numbers(texts[column])
        told = parsed.statut > 0
        if told.any() and set(KEY) <= set(frame.columns):
            where = frame.loc[told, list(KEY)]
            words = pd.Series(STATUSES).take(parsed.statut[told]).to_numpy()
            motifs = "« " + texts.loc[told, column] + " » dans le fichier"
            absent.append(where.assign(table=table, colonne=column, statut=words, motif=motifs))
        unsure = parsed.illisible | (parsed.equivoque & _counts(table, column))
        numbers = pd.Series(parsed.valeur, index=frame.index)
        frame[column] = (
            numbers.astype(object).mask(unsure, texts[column]) if unsure.any() else numbers
        )
    if not absent:
        return frame, None
    return frame, pd.concat(absent, ignore_index=True).assign(qualite=None)
