"""The tables of a contract as files: a folder, a workbook of a sheet each, one file a table."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.files import replacing
from barometre.sources.files.text import Source, is_hidden, open_sources, split_name
from barometre.tables.records import RECORDS, check_records, columns_of

SUFFIXES = (".csv", ".xlsx", ".parquet")
_GUIDE = "lisez-moi"
_KINDS = {
    "texte": "texte",
    "nombre": "nombre",
    "annee": "année en quatre chiffres",
    "entier": "nombre entier",
    "date": "date (2025-03-21 ou 21/03/2025)",
}


def read_records(*paths: str | Path) -> dict[str, pd.DataFrame]:
    """Read tables of a contract from files, workbooks or folders.

    Parameters
    ----------
    *paths : str or Path
        CSV, XLSX (one sheet a table) or Parquet files, or folders of them. A table is recognised by
        the name of its file or sheet, else by its columns.

    Returns
    -------
    dict of str to DataFrame
        Checked tables, by name; a table in several files has all their rows.

    Raises
    ------
    TableError
        A table that is refused, with every fault and line.
    BarometreError
        A path that does not exist, a file given by name that is no table of a contract.
    """
    found: dict[str, list[pd.DataFrame]] = {}
    names: dict[str, list[str]] = {}
    for path in map(Path, paths):
        for file in _files(path):
            tables = [s for s in open_sources(file, _recognise) if s.reconnu is not None]
            if not tables and file == path:
                raise BarometreError(
                    f"{path.name} : aucune table de suivi reconnue ; tables connues :"
                    f" {', '.join(RECORDS)} (barometre template)"
                )
            for source in tables:
                found.setdefault(str(source.reconnu), []).append(_texts(source))
                names.setdefault(str(source.reconnu), []).append(source.nom)
    return {
        name: check_records(name, pd.concat(found[name], ignore_index=True), ", ".join(names[name]))
        for name in RECORDS
        if name in found
    }


def _files(path: Path) -> list[Path]:
    """List the files that a path stands for; those of a folder that cannot be a table are left."""
    if path.is_dir():
        return [
            file
            for file in sorted(path.rglob("*"))
            if file.suffix.lower() in SUFFIXES and not is_hidden(file.name)
        ]
    if not path.is_file():
        raise BarometreError(f"{path} : introuvable ; vérifier le chemin")
    if path.suffix.lower() not in SUFFIXES:
        raise BarometreError(f"{path.name} : format inconnu ; choisir {', '.join(SUFFIXES)}")
    return [path]


def _recognise(header: Sequence[str], name: str) -> str | None:
    """Name the table of a header, by the name of its file or sheet, else by its columns."""
    file, sheet = split_name(name)
    title = (sheet or Path(file).stem).casefold()  # the sheets of a workbook have their own names
    if title in RECORDS:
        return title
    given = {column for column in header if column}
    fitting = [
        table
        for table in RECORDS
        if given <= set(columns := columns_of(table))
        and {c for c, described in columns.items() if described.metadata["requis"]} <= given
    ]
    return fitting[0] if len(fitting) == 1 else None


def _texts(source: Source) -> pd.DataFrame:
    """Read every named column of a source."""
    return source.lire([column for column in source.entete if column])


def write_records(tables: Mapping[str, pd.DataFrame], path: str | Path) -> Path:
    """Write tables of a contract to a file: a workbook, or one table as CSV or Parquet.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables, by name; a CSV or a Parquet file holds one.
    path : str or Path
        ``.xlsx`` (a sheet each, and one that explains the columns), ``.csv`` or ``.parquet``.
        `read_records` gives back the same tables.

    Returns
    -------
    Path
        The file, written whole.

    Raises
    ------
    TableError, UnknownNameError, BarometreError
        A table refused or unknown, another suffix, several tables in a file of one.
    """
    path = Path(path)
    checked = {name: check_records(name, table) for name, table in tables.items()}
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BarometreError(f"{path.name} : format inconnu ; choisir {', '.join(SUFFIXES)}")
    if suffix != ".xlsx" and len(checked) != 1:
        raise BarometreError(f"{path.name} : un fichier {suffix} ne tient qu'une table")
    with replacing(path) as temporary:
        if suffix == ".xlsx":
            temporary.write_bytes(_workbook(checked))
        else:
            (table,) = checked.values()
            if suffix == ".csv":
                table.to_csv(temporary, index=False, lineterminator="\n")
            else:
                table.to_parquet(temporary, index=False)
    return path


def write_record_template(name: str | None, path: str | Path) -> Path:
    """Write an empty table to fill, or a workbook of all of them.

    Parameters
    ----------
    name : str or None
        A table; None for all, in a workbook.
    path : str or Path
        ``.csv``, ``.xlsx`` or ``.parquet``.

    Returns
    -------
    Path
        The file: the columns in their order; in a workbook the choices are lists to pick from, and
        a sheet says what each column holds.

    Raises
    ------
    UnknownNameError
        No table of that name.
    """
    if name is not None and name not in RECORDS:
        raise UnknownNameError("nom de table", name, RECORDS)
    wanted = RECORDS if name is None else (name,)
    return write_records(
        {table: pd.DataFrame(columns=list(columns_of(table))) for table in wanted}, path
    )


def _workbook(tables: Mapping[str, pd.DataFrame]) -> bytes:
    """Lay tables out in a workbook, the same bytes every time."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(content, options)
    book.set_properties({"created": pd.Timestamp("2024-01-01").to_pydatetime()})
    head = book.add_format({"bold": True, "bg_color": "#E8EDF3"})
    guide = book.add_worksheet(_GUIDE)
    rows = [("table", "colonne", "ce qu'elle dit", "à remplir", "obligatoire")]
    for name, table in tables.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, (column, described) in enumerate(columns_of(name).items()):
            facts: dict[str, Any] = described.metadata
            choices = facts.get("choix", ())
            sheet.write_string(0, place, column, head)
            sheet.set_column(place, place, max(12, min(40, len(column) + 4)))
            if choices:
                sheet.data_validation(
                    1, place, 5000, place, {"validate": "list", "source": [*choices]}
                )
            _write_cells(sheet, place, table[column])
            held = ", ".join(choices) if choices else _KINDS[facts["genre"]]
            rows.append((name, column, described.title, held, "oui" if facts["requis"] else ""))
    for line, row in enumerate(rows):
        for place, text in enumerate(row):
            guide.write_string(line, place, text, head if line == 0 else None)
    guide.set_column(0, 1, 22)
    guide.set_column(2, 3, 48)
    book.close()
    return content.getvalue()


def _write_cells(sheet: Any, place: int, values: pd.Series) -> None:
    """Write a column: numbers as numbers, texts as texts, nothing where there is nothing."""
    for row, value in enumerate(values, start=1):
        if pd.isna(value):
            continue
        if isinstance(value, str):
            sheet.write_string(row, place, value)
        else:
            sheet.write_number(row, place, float(value))
