"""Workbooks and Parquet files are read as text."""

from __future__ import annotations

import datetime as dt
import io
import struct
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError
from barometre.sources.files import parquet, sheets
from barometre.sources.files.text import Source, open_sources
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
        ["59172", "2022-01-31T12:30:00", "VRAI"],
        ["Source : DREES", "", ""],
    ]
    with pytest.raises(FaultsError, match=r"apl\.xlsx \[APL 2022\].*\n.*colonnes en double : A"):
        source.lire(["A"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""), (" x\u00a0", "x"), ("#DIV/0!", "#DIV/0!"), (True, "VRAI"), (False, "FAUX"), (12, "12"), (12.0, "12"), (12.5, "12.5"),
        (0.1, "0.1"), (1e-05, "1e-05"), (1e16, "10000000000000000"), (float("nan"), ""), (float("inf"), ""), (pd.NaT, ""),
        (dt.date(2022, 1, 31), "2022-01-31"), (dt.datetime(2022, 1, 31), "2022-01-31"), (dt.time(12, 30), "12:30:00"), (b"x", "x"),
    ],
)  # fmt: skip
def test_cells_as_text(value: object, expected: str) -> None:
    assert parquet.as_text(value) == expected


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
        ["01001", "1", "1200", "x", "VRAI", "2022-01-31", ""],
        ["", "", "0.5", "y", "", "", ""],
    ]
    pq.write_table(table.slice(0, 0), tmp_path / "f.parquet")
    assert cells(source) == []


def test_parquet_column_that_is_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"CODGEO": ["01001"], "l": [[1, 2]]}), tmp_path / "f.parquet")
    with pytest.raises(BarometreError, match=r"f\.parquet : fichier illisible"):
        only(tmp_path / "f.parquet").lire(["l"])


# ---- what the file says of its cells -------------------------------------------------------------


def cells_book(path: Path, *rows: Sequence[tuple[object, str] | object]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row, 1):
            value, form = cell if isinstance(cell, tuple) else (cell, "")
            written = sheet.cell(number, column, value)
            written.number_format = form or written.number_format
    book.save(path)
    return book


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.25, "0.0%", 25.0), (0.006, "0.0%", 0.6), (0.07, "0 %", 7.0), (1, "0%", 100.0), (-0.035, '0.0\\ "%"%', -3.5),
        (0.25, "0.00", 0.25), (25, '0.0" %"', 25.0), (25, "0.0\\%", 25.0), (0.5, "General", 0.5), (1e-7, "0%", 1e-5),
    ],
)  # fmt: skip
def test_a_percent_cell_is_read_as_it_is_shown(
    tmp_path: Path, value: float, form: str, shown: float
) -> None:
    cells_book(tmp_path / "f.xlsx", ["CODGEO", "A"], ["01001", (value, form)])
    assert float(cells(only(tmp_path / "f.xlsx"))[0][1]) == shown


def test_rates_of_percent_cells(tmp_path: Path) -> None:
    rows = [[f"59{i:03d}", 2021, (rate, "0.0%")] for i, rate in enumerate((0.08, 0.5, 0.009))]
    cells_book(tmp_path / "publies.xlsx", ["code", "annee", "taux_logements_vacants"], *rows)
    rates = bcs.read(tmp_path / "publies.xlsx")["publies"]["taux_logements_vacants"]
    assert rates.tolist() == [8, 50, 0.9]


def test_a_formula_never_computed_is_no_empty_cell(tmp_path: Path) -> None:
    """Programs that write formulas leave their result to Excel: nothing is in the file."""
    rows = [["59172", 2021, 80, 12], ["59446", 2021, 60, "=SUM(C2:C3)"]]
    head = ["code", "annee", "logements", "logements_vacants"]
    cells_book(tmp_path / "logements.xlsx", head, *rows)
    with pytest.raises(BarometreError, match=r"\(59446 en 2021 : formule non calculée\)"):
        bcs.read(tmp_path / "logements.xlsx")


@pytest.mark.parametrize(("error", "status"), [("#N/A", True), ("#DIV/0!", True), ("#REF!", False)])
def test_an_excel_error_is_no_secret(tmp_path: Path, error: str, status: bool) -> None:
    head = [
        "CODGEO",
        "LIBGEO",
        "NBMEN19",
        "NBUC19",
        "Q219",
        "D119",
        "D919",
        "PPSOC19",
        "PIMPOT19",
        "RD",
    ]
    rows = [["59172", "Denain", 8000, 12000, 14320, 8910, 22360, 24, -9, 2.5]]
    rows += [["59446", "Hérin", 1600, 2000, error, 8910, 22360, 24, -9, 2.5]]
    cells_book(tmp_path / "FILO2019_DISP_COM.xlsx", head, *rows)
    if not status:
        with pytest.raises(BarometreError, match=r"Q219 : 1 cellule illisible \(#REF!\)"):
            bcs.read(tmp_path / "FILO2019_DISP_COM.xlsx")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = bcs.read(tmp_path / "FILO2019_DISP_COM.xlsx").statuts
    assert told[["code", "statut", "motif"]].to_numpy().tolist() == [
        ["59446", "non_disponible", f"« {error} » dans le fichier"]
    ]


def test_booleans_and_dates_are_no_numbers(tmp_path: Path) -> None:
    for value in (True, dt.date(2022, 1, 31)):
        rows = ["59172", 2021, 80, value]
        head = ["code", "annee", "logements", "logements_vacants"]
        cells_book(tmp_path / "logements.xlsx", head, rows)
        with pytest.raises(BarometreError, match="logements_vacants : 1 cellule illisible"):
            bcs.read(tmp_path / "logements.xlsx")


def test_a_code_merged_over_its_rows_is_that_of_each(tmp_path: Path) -> None:
    head = ["code", "annee", "logements", "logements_vacants"]
    rows: list[list[object]] = [["59172", 2020, 80, 12], [None, 2021, 82, 11]]
    rows += [["59446", 2021, 60, 3], [None, 2020, 5, 1]]
    book = cells_book(tmp_path / "logements.xlsx", head, *rows)
    sheet = book.active
    assert sheet is not None
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("C4:C5")  # a number is not repeated: it would count twice
    sheet.merge_cells("C2:D2")
    book.save(tmp_path / "logements.xlsx")
    read = cells(only_of(tmp_path / "logements.xlsx"))
    assert [row[0] for row in read] == ["59172", "59172", "59446", ""]
    assert [row[2] for row in read] == ["80", "82", "60", sheets.MERGED]
    assert [row[3] for row in read] == [sheets.MERGED, "11", "3", "1"]
    with pytest.raises(BarometreError, match=r"logements_vacants : .*cellule fusionnée"):
        bcs.read(tmp_path / "logements.xlsx")


def test_a_note_merged_over_the_columns_stays_a_note(tmp_path: Path) -> None:
    head = ["code", "annee", "logements", "logements_vacants"]
    book = cells_book(
        tmp_path / "logements.xlsx", head, ["59172", 2021, 80, 12], ["Source : Insee"]
    )
    sheet = book.active
    assert sheet is not None
    sheet.merge_cells("A3:D5")
    book.save(tmp_path / "logements.xlsx")
    read = cells(only_of(tmp_path / "logements.xlsx"))
    assert read == [["59172", "2021", "80", "12"], ["Source : Insee", "", "", ""]]


def test_blocks_merged_over_a_whole_sheet_cost_nothing(tmp_path: Path) -> None:
    head = ["code", "annee", "logements", "logements_vacants"]
    book = cells_book(tmp_path / "logements.xlsx", head, ["59172", 2021, 80, 12])
    sheet = book.active
    assert sheet is not None
    for _ in range(300):
        sheet.merged_cells.add("A1:XFD1048576")
    book.save(tmp_path / "logements.xlsx")
    assert cells(only_of(tmp_path / "logements.xlsx")) == [["59172", "2021", "80", "12"]]


def only_of(path: Path) -> Source:
    (source,) = open_sources(path, lambda names, nom: "code" in names)
    return source
