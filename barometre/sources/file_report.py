"""What a file gave: its tables, and what a reader must know of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from barometre.base.texts import Texts
from barometre.cards.listing import load_cards
from barometre.tables.keys import used
from barometre.tables.table_set import Tables


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


def told_empty(reading: Reading) -> FileReport:
    """Say that a file has no territory: a header alone is often a download that was cut."""
    report, tables = reading.report, reading.tables
    if reading.aside or report.lignes or len(tables.territoires) or len(tables.statuts):
        return report
    return replace(
        report, avertissements=(*report.avertissements, "aucun territoire dans le fichier")
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
