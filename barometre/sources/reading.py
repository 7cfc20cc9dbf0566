"""Read any file we know into checked tables, and say what each file holds."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError, counted
from barometre.cards.listing import load_cards
from barometre.sources.family import Family, load_families
from barometre.sources.mapping import Cells, file_year, plans, read_cells, recognise, unrecognised
from barometre.sources.own_tables import is_own, read_own, resembles_own
from barometre.sources.text import Source, open_sources
from barometre.tables.table_set import STATUSES, STATUTS_COLUMNS, Tables, combine

SUFFIXES = (".csv", ".txt", ".tsv", ".xls", ".xlsx", ".parquet", ".zip")


class SourceWarning(UserWarning):
    """Something a reader of the values must know about the file they come from."""


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
        Territories read, rows that are none, codes given their leading zero back.
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


@dataclass(frozen=True)
class Reading:
    """One file read: its tables and the report on it."""

    tables: Tables
    report: FileReport


def read(*sources: str | Path) -> Tables:
    """Read producers' files and our own tables, whatever their vintage.

    Parameters
    ----------
    *sources : str or Path
        Files (CSV, XLSX, XLS, Parquet, ZIP of these), folders of them, or names of bundled
        datasets. Each file is recognised by its header, then by its name.

    Returns
    -------
    Tables
        Every cell of every file; absent cells keep their reason in ``statuts``.

    Raises
    ------
    BarometreError
        A source that does not exist, is of no known family or is refused, or the same cell given
        twice with different values: every fault of every file.

    Warns
    -----
    SourceWarning
        A family whose column codes were never seen in a real file; codes given their zero back.
    """
    readings: list[Reading] = []
    refusals: list[str] = []
    for source in sources:
        try:
            for item in _items(source):
                readings += _readings(item, refusals)
        except BarometreError as error:
            refusals.append(str(error))
    if refusals:
        raise BarometreError("\n".join(refusals))
    if not readings:
        raise BarometreError("aucune source : donner un fichier, un dossier ou un jeu de données")
    for reading in readings:
        for text in reading.report.avertissements:
            warnings.warn(f"{reading.report.fichier} : {text}", SourceWarning, stacklevel=2)
    return combine(
        [reading.tables for reading in readings], [reading.report.fichier for reading in readings]
    )


def check_files(*sources: str | Path) -> list[FileReport]:
    """Say of every file what it holds, what it feeds and what is missing to feed more.

    Parameters
    ----------
    *sources : str or Path
        As for `read`.

    Returns
    -------
    list of FileReport

    Raises
    ------
    BarometreError
        One or several files are refused; every fault of every file.
    """
    reports: list[FileReport] = []
    refusals: list[str] = []
    for source in sources:
        try:
            for item in _items(source):
                reports += [reading.report for reading in _readings(item, refusals)]
        except BarometreError as error:
            refusals.append(str(error))
    if refusals:
        raise BarometreError("\n".join(refusals))
    return reports


def _items(source: str | Path) -> Sequence[Path | str]:
    """List the files of a source, or the bundled dataset that it names."""
    path = Path(source)
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        if not files:
            raise BarometreError(f"le dossier {path.name} ne contient aucun fichier de données")
        return files
    if path.exists():
        return [path]
    if source in datasets.names():
        return [str(source)]
    known = ", ".join(datasets.names())
    raise BarometreError(
        f"« {source} » n'est ni un fichier, ni un dossier, ni un jeu de données ({known})"
    )


def _readings(item: Path | str, refusals: list[str]) -> Iterator[Reading]:
    """Read one file; the refusal of a sheet or of a member does not hide the others."""
    if isinstance(item, str):
        yield _described(datasets.tables(item), item, "jeu de données fourni")
        return

    def known(header: Sequence[str]) -> bool:
        return is_own(header, item.stem) or recognise(header, item.stem) is not None

    for source in open_sources(item, known):
        try:
            yield _read_source(source)
        except BarometreError as error:
            refusals.append(str(error))


def _read_source(source: Source) -> Reading:
    if is_own(source.entete, source.stem):
        return _described(read_own(source), source.nom, "nos tables")
    family = recognise(source.entete, source.stem)
    if family is None and resembles_own(source.entete):
        return _described(read_own(source), source.nom, "nos tables")
    if family is None:
        raise unrecognised(source)
    cells = read_cells(family, source)
    tables = _tables(cells, source.nom)
    return Reading(tables, _report(family, source, cells, tables))


def _tables(read_in: Cells, name: str) -> Tables:
    """Spread long cells into our tables, checked."""
    cells = read_in.cells
    frames = {}
    for table, part in cells.groupby("table", sort=False):
        frames[str(table)] = _wide(part)
    told = cells[(cells["statut"] > 0) | (cells["motif"] != "")]
    statuts = told.assign(
        statut=np.array(STATUSES, dtype=object)[told["statut"].to_numpy(dtype=np.int64)],
        qualite=None,
        motif=told["motif"].replace("", None),
    )
    return Tables(
        frames,
        statuts=statuts[list(STATUTS_COLUMNS)],
        territoires=read_in.territoires,
        source=name,
    )


def _wide(part: pd.DataFrame) -> pd.DataFrame:
    """One row per territory and year, territories as received."""
    columns = {
        str(column): cells.set_index(["code", "annee"])["valeur"]
        for column, cells in part.groupby("colonne", sort=False)
    }
    first = next(iter(columns.values())).index
    if all(values.index.equals(first) for values in columns.values()):
        return pd.DataFrame({name: values.to_numpy() for name, values in columns.items()}, first)
    if not all(values.index.is_unique for values in columns.values()):
        # The door names the keys given twice.
        return pd.concat([v.to_frame(name) for name, v in columns.items()])
    keys = part[["code", "annee"]].drop_duplicates()
    index = pd.MultiIndex.from_frame(keys)
    return pd.DataFrame({name: values.reindex(index) for name, values in columns.items()})


# ---- reports ------------------------------------------------------------------------------------


def _report(family: Family, source: Source, cells: Cells, tables: Tables) -> FileReport:
    used = {c for plan in plans(family, source, file_year(family, source)) for c in plan.colonnes}
    warned = []
    if family.etat == "non_verifie":
        warned.append(f"codes de colonnes jamais vus dans un vrai fichier ({family.titre})")
    if cells.reparees:
        warned.append(f"{counted(cells.reparees, 'code')} : zéro initial rétabli")
    base = _described(tables, source.nom, family.titre).report
    return FileReport(
        **vars(base)
        | {
            "famille": family.nom,
            "niveau": cells.niveau,
            "lignes": len(cells.territoires),
            "ignorees": cells.ignorees,
            "reparees": cells.reparees,
            "utilisees": tuple(c for c in source.entete if c in used),
            "ignorees_colonnes": tuple(c for c in source.entete if c and c not in used),
            "avertissements": (*warned,),
        }
    )


def _described(tables: Tables, name: str, title: str) -> Reading:
    """Describe tables by what they hold."""
    given = {
        (table, column)
        for table in tables
        for column in tables[table].columns
        if tables[table][column].notna().any()
    }
    fed, missing = [], {}
    for card in load_cards().values():
        inputs = [(table, c) for table, columns in card.entrees.items() for c in columns]
        absent = [f"{table}.{c}" for table, c in inputs if (table, c) not in given]
        if not absent or ("publies", card.id) in given:
            fed.append(card.id)
        elif len(absent) < len(inputs):
            missing[card.id] = tuple(absent)
    years = {int(y) for t in tables for y in tables[t].index.get_level_values("annee").unique()}
    told = tables.statuts["statut"]
    empty = sum(int(tables[t][c].isna().sum()) for t, c in given)
    report = FileReport(
        fichier=name,
        famille=name,
        titre=title,
        niveau=", ".join(sorted(set(tables.territoires["niveau"].dropna()) - {""})),
        annees=tuple(sorted(years)),
        lignes=len({code for t in tables for code in tables[t].index.get_level_values("code")}),
        ignorees=0,
        reparees=0,
        utilisees=tuple(f"{t}.{c}" for t, c in sorted(given)),
        ignorees_colonnes=(),
        secretes=int((told == "secret").sum()),
        absentes=max(0, empty - int((told == "secret").sum())),
        indicateurs=tuple(fed),
        manques=missing,
        avertissements=(),
    )
    return Reading(tables, report)


def families() -> pd.DataFrame:
    """List the families of files that `read` recognises.

    Returns
    -------
    DataFrame
        Indexed by family: title, producer, state of the codes, tables fed.
    """
    known = load_families().values()
    return pd.DataFrame(
        {
            "titre": [family.titre for family in known],
            "producteur": [family.producteur for family in known],
            "etat": [family.etat for family in known],
            "tables": [", ".join(sorted({m.table for m in family.colonnes})) for family in known],
        },
        index=pd.Index([family.nom for family in known], name="famille"),
    )
