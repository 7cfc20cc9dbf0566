"""Read back the results that were written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.compare.rows import checked_rows
from barometre.pages.delimited import NUMBERS, header_names, read_delimited
from barometre.sources.files.sheets import unescaped
from barometre.tables.table_set import RESULT_COLUMNS

SHEET = "resultats"
"""The sheet of a workbook that holds one row per value."""


def read_results(path: str | Path) -> pd.DataFrame:
    """Read results that `write_results` has written: CSV of either kind, XLSX or Parquet.

    Parameters
    ----------
    path : str or Path
        The file; a CSV or a workbook saved again by a spreadsheet is read too.

    Returns
    -------
    DataFrame
        The results as `compute` gave them: same rows, same order, same columns. Labels and units,
        which the file has beside the codes, are left out. A workbook keeps 15 digits of a number.

    Raises
    ------
    BarometreError
        A file that is missing, is no file of results, or that a spreadsheet has spoilt (codes that
        lost their leading zero, values that are no numbers...): every fault.

    Examples
    --------
    >>> import tempfile
    >>> from barometre import compute, write_results
    >>> homes = {"code": ["59172"], "annee": [2021], "logements": [80], "logements_vacants": [12]}
    >>> results = compute({"logements": pd.DataFrame(homes)})
    >>> path = write_results(results, Path(tempfile.mkdtemp()) / "r.csv", csv="excel")
    >>> read_results(path).equals(results)
    True
    """
    path = Path(path)
    if not path.is_file():
        raise BarometreError(f"{path.name} : fichier introuvable ; donner le chemin d'un fichier")
    texts = _texts(path)
    absent = [name for name in RESULT_COLUMNS if name not in texts.columns]
    if absent:
        raise BarometreError(
            f"{path.name} : ce ne sont pas des résultats de barometre (colonnes absentes :"
            f" {', '.join(absent)}) ; des données se lisent par bcs.read"
        )
    frame = _typed(path.name, texts[list(RESULT_COLUMNS)])
    checked_rows(frame)
    return frame


def is_results(path: Path) -> bool:
    """Tell a file of results by its columns."""
    try:
        if path.suffix.lower() == ".parquet":
            names = set(pyarrow.parquet.read_schema(path).names)
        elif path.suffix.lower() == ".xlsx":
            names = set(_rows(path, limit=1).columns)
        else:
            with path.open("rb") as stream:
                names = set(header_names(stream.readline(65_536).decode("utf-8-sig")))
    except Exception:  # whatever it is, it is not ours
        return False
    return set(RESULT_COLUMNS) <= names


def _texts(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        if path.suffix.lower() == ".xlsx":
            return _rows(path)
        return read_delimited(path.read_bytes())
    except (BarometreError, OSError, MemoryError):
        raise
    except Exception as error:  # zipfile, openpyxl and pyarrow have each their own
        cause = str(error).split("\n")[0][:200]
        raise BarometreError(f"{path.name} : fichier illisible ou abîmé ({cause})") from error


def _rows(path: Path, limit: int | None = None) -> pd.DataFrame:
    import openpyxl  # slow to import, and rarely needed

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        if SHEET not in book.sheetnames:
            raise BarometreError(f"{path.name} : feuille « {SHEET} » absente")
        sheet = book[SHEET]
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True, max_row=limit)
        names = [str(name) for name in next(rows, ())]
        columns: list[list[object]] = [[] for _ in names]
        for row in rows:
            for column, value in zip(columns, row, strict=False):
                column.append(unescaped(value) if isinstance(value, str) else value)
            for column in columns[len(row) :]:
                column.append(None)
    finally:
        book.close()
    data = {n: pd.Series(c, dtype=object) for n, c in zip(names, columns, strict=True)}
    return pd.DataFrame(data)


def _typed(nom: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns the types of `compute`, or say which cells have none."""
    faults: list[Fault] = []
    columns: dict[str, pd.Series[Any]] = {}
    for name in RESULT_COLUMNS:
        given = frame[name]
        if name != "annee" and name not in NUMBERS:
            columns[name] = given.astype("str")
            continue
        numbers = _numbers(given)
        lost = given.notna() & numbers.isna()
        if name == "annee":
            lost |= numbers.isna() | (numbers % 1 != 0)
        if lost.any():
            many = counted(int(lost.sum()), "cellule")
            problem = f"{many} sans nombre, dont « {given[lost].iloc[0]} »"
            faults.append(Fault(name, problem, "corriger", frame[lost]))
        columns[name] = numbers
    codes = columns["code"]
    short = codes.str.fullmatch(r"\d{4}").fillna(False).astype(bool)
    if short.any():
        many = counted(int(short.sum()), "code")
        problem = f"{many} de 4 chiffres, dont {codes[short].iloc[0]} : zéro initial perdu"
        faults.append(Fault("code", problem, "repartir du fichier d'origine", frame[short]))
    if faults:
        raise FaultsError(f"fichier {nom} refusé", faults)
    return pd.DataFrame(columns).astype({"annee": np.int64})


def _numbers(given: pd.Series[Any]) -> pd.Series[float]:
    """Read numbers to the last digit, a missing one for what is none."""
    try:
        cast = pyarrow.array(given, from_pandas=True).cast(pyarrow.float64())
        return pd.Series(cast.to_numpy(zero_copy_only=False), index=given.index)
    except pyarrow.ArrowException:
        return pd.to_numeric(given, errors="coerce").astype(np.float64)
