"""Write any table of figures to a file that people open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.files import replacing
from barometre.pages.delimited import as_dialect, write_delimited
from barometre.pages.workbook.book import whole_workbook

SUFFIXES = (".csv", ".xlsx", ".parquet")
_SHEET_ROWS, _SHEET_COLUMNS = 1_048_575, 16_384
_NAME = 31  # characters of the name of a sheet


def write_frame(frame: pd.DataFrame, path: str | Path, *, title: str, csv: str = "machine") -> Path:
    """Write a table whole: CSV, a workbook of one sheet, or Parquet.

    Parameters
    ----------
    frame : DataFrame
        The table; its index is not written.
    path : str or Path
        ``.csv``, ``.xlsx`` or ``.parquet``.
    title : str
        Name of the sheet.
    csv : {"machine", "excel"}, default "machine"
        Kind of CSV.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    BarometreError
        Another suffix, more rows than a workbook can hold.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BarometreError(f"{path.name} : format inconnu ; choisir {', '.join(SUFFIXES)}")
    with replacing(path) as temporary:
        if suffix == ".csv":
            write_delimited(frame, temporary, as_dialect(csv))
        elif suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            write_sheets({title: frame}, temporary)
    return path


def write_sheets(frames: dict[str, pd.DataFrame], path: Path) -> None:
    """Write tables to a workbook, a sheet each: texts never become formulas, the same bytes."""
    for title, frame in frames.items():
        if len(frame) > _SHEET_ROWS or frame.shape[1] > _SHEET_COLUMNS:
            raise BarometreError(
                f"{title} : {len(frame)} lignes, une feuille n'en tient que {_SHEET_ROWS} ;"
                " écrire en .csv ou .parquet"
            )
    with whole_workbook(path) as book:
        book.set_properties({"created": pd.Timestamp("2024-01-01").to_pydatetime()})
        head = book.add_format({"bold": True, "bg_color": "#E8EDF3"})
        for title, frame in frames.items():
            sheet = book.add_worksheet(title[:_NAME])
            sheet.freeze_panes(1, 0)
            for column, name in enumerate(map(str, frame.columns)):
                sheet.write_string(0, column, name, head)
                sheet.set_column(column, column, max(10, min(44, len(name) + 4)))
            if len(frame):
                sheet.autofilter(0, 0, len(frame), frame.shape[1] - 1)
            for row, values in enumerate(frame.itertuples(index=False, name=None), start=1):
                for column, value in enumerate(values):
                    _write(sheet, row, column, value)


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    """Write a cell: a number as a number, anything else as text, nothing where there is nothing."""
    if value is None or value is pd.NA or value != value:
        return
    if isinstance(value, bool):
        sheet.write_string(row, column, "oui" if value else "non")
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value))
