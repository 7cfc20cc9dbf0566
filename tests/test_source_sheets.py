"""Workbooks and Parquet files are read as text."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from barometre.base.errors import BarometreError, FaultsError
from barometre.sources.files import sheets
from tests.test_source_text import cells, only, write


def workbook(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "APL 2022"
    for row in [
        ["APL aux médecins"],
        [],
        ["CODGEO", "de 65 ans\net moins ", "A", "A", None, "D", None],
        ["", "ménages"],
        ["01001", 1200.0, 0.1, 1, "x", dt.date(2022, 1, 31), None],
        [None],
        [59172, True, "#N/A", "=1/0", None, dt.datetime(2022, 1, 31, 12, 30), "à côté"],
        ["Source : DREES"],
    ]:
        sheet.append(row)
    book.create_sheet("Lisez-moi").append(["un mot"])
    hidden = book.create_sheet("Cachée")
    hidden.append(["CODGEO", "A"])
    hidden.sheet_state = "hidden"
    book.save(path)
    return path  # fmt: skip


def test_workbook(tmp_path: Path) -> None:
    source = only(workbook(tmp_path / "apl.xlsx"))
    assert source.nom == "apl.xlsx [APL 2022]"
    assert source.stem == "apl APL 2022"
    assert source.entete == ("CODGEO", "de 65 ans et moins", "A", "A", "", "D")
    assert cells(source, ["CODGEO", "D", "de 65 ans et moins"]) == [
        ["", "", "ménages"],
        ["01001", "2022-01-31", "1200"],
        ["59172", "2022-01-31T12:30:00", "1"],
        ["Source : DREES", "", ""],
    ]
    with pytest.raises(FaultsError, match=r"apl\.xlsx \[APL 2022\].*\n.*colonnes en double : A"):
        source.lire(["A"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""), (" x\u00a0", "x"), ("#DIV/0!", ""), (True, "1"), (False, "0"), (12, "12"), (12.0, "12"), (12.5, "12.5"),
        (0.1, "0.1"), (1e-05, "1e-05"), (1e16, "10000000000000000"), (float("nan"), ""), (float("inf"), ""), (pd.NaT, ""),
        (dt.date(2022, 1, 31), "2022-01-31"), (dt.datetime(2022, 1, 31), "2022-01-31"), (dt.time(12, 30), "12:30:00"), (b"x", "x"),
    ],
)  # fmt: skip
def test_cells_as_text(value: object, expected: str) -> None:
    assert sheets.as_text(value) == expected


def test_a_sheet_whose_dimensions_are_wrong(tmp_path: Path) -> None:
    """Some programs write A1 as the extent of every sheet."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(workbook(tmp_path / "apl.xlsx")) as book,
        zipfile.ZipFile(content, "w") as wrong,
    ):
        for name in book.namelist():
            wrong.writestr(name, book.read(name).replace(b'ref="A1:G8"', b'ref="A1"'))
    source = only(write(tmp_path / "apl.xlsx", content.getvalue()))
    assert len(source.lire(["CODGEO"])) == 4


def old_workbook(rows: Sequence[Sequence[str | float]]) -> bytes:
    """Write a BIFF2 sheet: the one format of Excel that fits in a few lines."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    content = record(0x0009, struct.pack("<HH", 2, 0x10))
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            where = struct.pack("<HH3x", i, j)
            if isinstance(cell, str):
                content += record(
                    0x0004, where + struct.pack("<B", len(cell)) + cell.encode("cp1252")
                )
            else:
                content += record(0x0003, where + struct.pack("<d", cell))
    return content + record(0x000A, b"")


def test_old_workbook(tmp_path: Path) -> None:
    rows: list[list[str | float]] = [["Titre"], ["CODGEO", "A"], ["01001", 1200.0], ["59172", 12.5]]
    source = only(write(tmp_path / "vieux.xls", old_workbook(rows)))
    assert source.nom.startswith("vieux.xls [")
    assert cells(source) == [["01001", "1200"], ["59172", "12.5"]]


# Parquet


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            " CODGEO": ["01001", None],
            "i": [1, None],
            "f": [1200.0, 0.5],
            "d": pa.array(["x", "y"]).dictionary_encode(),
            "b": [True, None],
            "date": [dt.date(2022, 1, 31), None],
            "n": pa.nulls(2),
        }
    )
    pq.write_table(table, tmp_path / "f.parquet")
    source = only(tmp_path / "f.parquet")
    assert cells(source) == [
        ["01001", "1", "1200", "x", "1", "2022-01-31", ""],
        ["", "", "0.5", "y", "", "", ""],
    ]
    pq.write_table(table.slice(0, 0), tmp_path / "f.parquet")
    assert cells(source) == []


def test_parquet_column_that_is_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"CODGEO": ["01001"], "l": [[1, 2]]}), tmp_path / "f.parquet")
    with pytest.raises(BarometreError, match=r"f\.parquet : fichier illisible"):
        only(tmp_path / "f.parquet").lire(["l"])
