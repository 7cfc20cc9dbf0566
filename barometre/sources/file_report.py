"""What a file gave: its tables, and what a reader must know of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from barometre.base.texts import Texts
from barometre.cards.listing import load_cards
from barometre.sources.files.values import filled
from barometre.tables.keys import key_index, used
from barometre.tables.table_set import STATUSES, STATUTS_COLUMNS, Tables


@dataclass(frozen=True)
class FileReport:
    """What a file holds and what it feeds.

    Attributes
    ----------
    fichier, famille, titre, niveau : str
        The file (with its member or sheet), its family, the level of its territories.
    annees : tuple of int
        Years of the data.
    lignes, ignorees, reparees : int
        Territories read, rows that are none, codes put right.
    utilisees, ignorees_colonnes : tuple of str
        Columns that feed our tables, and the others.
    secretes, absentes : int
        Cells hidden by the producer, cells empty for another reason.
    indicateurs : tuple of str
        Indicators that the file is enough for.
    manques : mapping of str to tuple of str
        For the indicators it half feeds, the columns that are missing.
    avertissements : tuple of str
        What a reader must know.
    genre : str
        Kind of file; a file set aside (a notice, a membership) holds no value.
    """

    fichier: str
    famille: str
    titre: str
    niveau: str
    annees: tuple[int, ...]
    lignes: int
    ignorees: int
    reparees: int
    utilisees: tuple[str, ...]
    ignorees_colonnes: tuple[str, ...]
    secretes: int
    absentes: int
    indicateurs: tuple[str, ...]
    manques: dict[str, tuple[str, ...]]
    avertissements: tuple[str, ...]
    genre: str = "valeurs"


@dataclass(frozen=True)
class Reading:
    """One file read: its tables, the report on it, and whether it was set aside."""

    tables: Tables
    report: FileReport
    aside: bool = False


def tables_of(cells: pd.DataFrame, territoires: pd.DataFrame, nom: str) -> Tables:
    """Spread long cells into our tables, checked.

    Parameters
    ----------
    cells : DataFrame
        ``code``, ``annee``, ``table``, ``colonne``, ``valeur``, ``statut`` (position in STATUSES),
        ``motif`` (``""`` when nothing is said).
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    nom : str
        Name of the source, for the messages.

    Returns
    -------
    Tables
    """
    parts = cells.groupby(["table", "colonne"], sort=False)
    return tables_of_columns(
        [(str(table), str(column), part) for (table, column), part in parts], territoires, nom
    )


def tables_of_columns(
    parts: Sequence[tuple[str, str, pd.DataFrame]], territoires: pd.DataFrame, nom: str
) -> Tables:
    """Put columns together into our tables, checked.

    Parameters
    ----------
    parts : sequence of (str, str, DataFrame)
        Table, column, and its cells: ``code``, ``annee``, ``valeur``, ``statut``, ``motif``. A
        column may come in several parts.
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    nom : str
        Name of the source, for the messages.

    Returns
    -------
    Tables
    """
    columns: dict[str, dict[str, pd.DataFrame]] = {}
    for table, column, cells in (part for part in parts if len(part[2])):
        given = columns.setdefault(table, {})
        given[column] = pd.concat([given[column], cells]) if column in given else cells
    said = [told for part in parts if (told := _said(*part)) is not None]
    statuts = pd.concat(said, ignore_index=True) if said else None
    frames: dict[str, pd.DataFrame] = {}
    shared: tuple[pd.DataFrame, pd.Index] | None = None  # tables of one file have often one key
    for table, given in columns.items():
        first = next(iter(given.values()))
        known = shared[1] if shared and _same_keys(first, shared[0]) else None
        frames[table] = _wide(given, known)
        shared = (first, frames[table].index) if len(frames[table]) == len(first) else shared
    return Tables(frames, statuts=statuts, territoires=territoires, source=nom)


def _said(table: str, column: str, cells: pd.DataFrame) -> pd.DataFrame | None:
    """List what is said of the cells of a column, if anything."""
    told = (cells["statut"].to_numpy() > 0) | filled(cells["motif"])
    if not told.any():
        return None
    notes = cells if told.all() else cells[told]
    words, constant = Texts.of(notes["motif"]), np.zeros(len(notes), np.int32)
    positions = np.where(words.told(lambda word: word == ""), -1, words.positions)
    said = {
        "code": notes["code"].array,
        "annee": notes["annee"].array,
        "table": Texts(constant, (table,)).written(),
        "colonne": Texts(constant, (column,)).written(),
        "statut": Texts(notes["statut"].to_numpy(), STATUSES).written(),
        "qualite": None,
        "motif": Texts(positions, words.known).written(),
        "origine": Texts.none(len(notes)).written(),
    }
    return pd.DataFrame(said, columns=list(STATUTS_COLUMNS), copy=False)


def _wide(columns: Mapping[str, pd.DataFrame], known: pd.Index | None) -> pd.DataFrame:
    """One row per territory and year, territories as received; their index may be known."""
    first = next(iter(columns.values()))
    if all(_same_keys(cells, first) for cells in columns.values()):
        values = {name: cells["valeur"].to_numpy() for name, cells in columns.items()}
        index = key_index(first["code"], first["annee"]) if known is None else known
        return pd.DataFrame(values, index)
    keyed = {name: cells.set_index(["code", "annee"])["valeur"] for name, cells in columns.items()}
    if not all(values.index.is_unique for values in keyed.values()):
        # The door names the keys given twice.
        return pd.concat([v.to_frame(name) for name, v in keyed.items()])
    keys = pd.concat([cells[["code", "annee"]] for cells in columns.values()]).drop_duplicates()
    index = pd.MultiIndex.from_frame(keys)
    return pd.DataFrame({name: values.reindex(index) for name, values in keyed.items()})


def _same_keys(cells: pd.DataFrame, first: pd.DataFrame) -> bool:
    """Compare keys as they stand: to index those of each column takes ten times longer."""
    if len(cells) != len(first):
        return False
    for key in ("code", "annee"):
        own, other = cells[key].array, first[key].array
        if own is not other and not (own.dtype == other.dtype and own.equals(other)):
            return False
    return True


def described(tables: Tables, nom: str, titre: str) -> FileReport:
    """Describe tables by what they hold; `dataclasses.replace` says the rest of a file.

    Parameters
    ----------
    tables : Tables
        What was read.
    nom, titre : str
        The source, and what it is.

    Returns
    -------
    FileReport
    """
    frames = {table: tables[table] for table in tables}
    empties = {
        (table, column): int(number)
        for table, frame in frames.items()
        for column, number in zip(
            frame.columns, np.isnan(frame.to_numpy()).sum(axis=0), strict=True
        )
    }
    given = {key for key, number in empties.items() if number < len(frames[key[0]])}
    fed, missing = [], {}
    for card in load_cards().values():
        inputs = [(table, c) for table, columns in card.entrees.items() for c in columns]
        absent = [f"{table}.{c}" for table, c in inputs if (table, c) not in given]
        if not absent or ("publies", card.id) in given:
            fed.append(card.id)
        elif len(absent) < len(inputs):
            missing[card.id] = tuple(absent)
    keys = [tables.index_of(table) for table in tables]
    years = {int(year) for index in keys for year in used(index, "annee")}
    codes = [used(index, "code") for index in keys]
    codes = [one for i, one in enumerate(codes) if not any(one is other for other in codes[:i])]
    said = Texts.of(tables.statuts["statut"])
    hidden = int(said.told(lambda status: status == "secret").sum())
    empty = sum(empties[key] for key in given)
    return FileReport(
        fichier=nom,
        famille=nom,
        titre=titre,
        niveau=", ".join(sorted({*Texts.of(tables.territoires["niveau"]).known} - {""})),
        annees=tuple(sorted(years)),
        lignes=len(codes[0]) if len(codes) == 1 else _distinct(codes),
        ignorees=0,
        reparees=0,
        utilisees=tuple(f"{t}.{c}" for t, c in sorted(given)),
        ignorees_colonnes=(),
        secretes=hidden,
        absentes=max(0, empty - hidden),
        indicateurs=tuple(fed),
        manques=missing,
        avertissements=(),
    )


def _distinct(codes: Sequence[pd.Index]) -> int:
    return int(codes[0].append([*codes[1:]]).nunique()) if codes else 0


def years_of(tables: Tables, indicators: Iterable[str]) -> tuple[int, ...]:
    """List the years of what feeds some indicators.

    Parameters
    ----------
    tables : Tables
        What was read.
    indicators : iterable of str
        Their identifiers.

    Returns
    -------
    tuple of int
        Years of the data, in order; a column that no indicator can use does not count.
    """
    years: set[int] = set()
    for name in indicators:
        inputs = {table: list(columns) for table, columns in load_cards()[name].entrees.items()}
        for table, columns in {**inputs, "publies": [name]}.items():
            if table in tables:
                held = tables[table]
                known = held[held.columns.intersection(columns)].notna().any(axis="columns")
                rows = tables.index_of(table)[known.to_numpy(dtype=bool)]
                years.update(map(int, rows.get_level_values("annee").unique()))
    return tuple(sorted(years))


def set_aside(nom: str, genre: str, titre: str, *, told: str = "") -> Reading:
    """Report a file that holds no value: listed, and no reason to refuse what lies beside it.

    Parameters
    ----------
    nom, genre, titre : str
        The source, its kind, what it is.
    told : str, optional
        What a reader of the values beside must know; nothing by default.

    Returns
    -------
    Reading
        No table.
    """
    report = replace(described(Tables({}), nom, titre), genre=genre, famille=genre, manques={})
    return Reading(Tables({}), replace(report, avertissements=(told,) if told else ()), aside=True)
