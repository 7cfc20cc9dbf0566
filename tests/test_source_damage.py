"""Files damaged, hostile or half lost: one clear refusal, or what was lost is told."""

from __future__ import annotations

import contextlib
import io
import os
import random
import struct
import sys
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.reading import SourceWarning, check_files
from tests.test_sources import BPE, FILO, IPRO, REVN, filo, line, write

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*attendues? absente:barometre.sources.reading.SourceWarning"
)

ROWS = [
    line(FILO, CODGEO=f"59{i:03d}", LIBGEO=f"Commune {i}", NBMEN19=800 + i, NBPERS19=2000, Q219=18_000 + i,
         D119=9_000, D919=33_000, RD=3.7, PPSOC19=4.2)
    for i in range(12)
]  # fmt: skip


def book(path: Path, rows: list[str]) -> Path:
    made = openpyxl.Workbook()
    assert made.active is not None
    for row in rows:
        made.active.append(row.split(";"))
    made.save(path)
    return path


def rezipped(path: Path, member: str, change: tuple[bytes, bytes]) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(
                info.filename, content.replace(*change) if info.filename == member else content
            )
    path.write_bytes(out.getvalue())
    return path


# Damage


def test_a_parquet_file_with_a_changed_footer_is_refused_in_words(tmp_path: Path) -> None:
    rows = [row.split(";") for row in ROWS]
    path = tmp_path / "FILO2019_DISP_COM.parquet"
    pd.DataFrame(rows, columns=FILO.split(";")).to_parquet(path)
    good = path.read_bytes()
    footer = struct.unpack("<I", good[-8:-4])[0]
    draw = random.Random(5)
    refused = 0
    for _ in range(60):
        content = bytearray(good)
        content[len(good) - 8 - draw.randrange(1, footer)] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        with contextlib.suppress(BarometreError):
            bcs.read(path)
            continue
        refused += 1
    assert refused > 10


def test_a_parquet_file_whose_texts_are_none_is_refused_in_words(tmp_path: Path) -> None:
    bad = pa.array([b"59172", b"5917\xff"], pa.binary())
    texts = pa.StringArray.from_buffers(2, *bad.buffers()[1:])
    path = tmp_path / "FILO2019_DISP_COM.parquet"
    numbers = {key: ["9", "9"] for key in ["NBUC19", "Q219", "D919", "PIMPOT19"]}
    pq.write_table(pa.table({"CODGEO": texts, **numbers}), path)
    with pytest.raises(BarometreError, match=r"COM\.parquet : fichier illisible.*UTF8"):
        bcs.read(path)


def test_an_archive_that_lost_bytes_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("FILO2019_DISP_COM.csv", "\n".join([FILO, *ROWS]))
    good = path.read_bytes()
    for start in range(0, len(good) - 5, 7):
        path.write_bytes(good[:start] + good[start + 5 :])
        with pytest.raises(BarometreError, match=r"a\.zip"):
            bcs.read(path)


def test_a_file_that_may_not_be_read_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filo(tmp_path, *ROWS)

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(BarometreError, match="lecture interdite ; fermer le programme"):
        bcs.read(path)


@pytest.mark.skipif(sys.platform != "linux", reason="names that are not UTF-8 exist on Linux only")
def test_a_name_that_is_not_utf8_is_printed(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"FILO2019_DISP_COM_\xe9.csv")
    path.write_text("\n".join([FILO, *ROWS]), encoding="utf-8")
    (report,) = check_files(path)
    assert report.fichier.encode("utf-8").startswith(b"FILO2019_DISP_COM_")


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_a_name_that_is_none_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    filo(tmp_path, *ROWS)
    with pytest.raises(BarometreError, match=r"n'est ni un fichier|chemin inaccessible"):
        bcs.read(name)


def test_formats_that_are_not_opened_are_told_in_a_folder(tmp_path: Path) -> None:
    filo(tmp_path, *ROWS)
    for name in ("notes.docx", "x.ods", "y.csv.gz"):
        (tmp_path / name).write_bytes(b"x")
    told = {report.fichier: report.avertissements for report in check_files(tmp_path)}
    assert told["notes.docx"] == ()
    assert "XLSX" in told["x.ods"][0]
    assert "extraire" in told["y.csv.gz"][0]


def test_a_workbook_with_macros_is_read(tmp_path: Path) -> None:
    path = book(tmp_path / "FILO2019_DISP_COM.xlsm", [FILO, *ROWS])
    assert len(bcs.read(path)["revenus"]) == 12


# Hostile


def test_a_workbook_with_a_row_that_no_sheet_has_is_refused_at_once(tmp_path: Path) -> None:
    path = rezipped(
        book(tmp_path / "FILO2019_DISP_COM.xlsx", [FILO, *ROWS]),
        "xl/worksheets/sheet1.xml",
        (b"</sheetData>", b'<row r="1000000000"><c r="A1000000000"><v>1</v></c></row></sheetData>'),
    )
    start = time.process_time()
    with pytest.raises(BarometreError, match="ligne numérotée 1000000000"):
        bcs.read(path)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("name", ["a.zip", "FILO2019_DISP_COM.xlsx"])
def test_what_swells_as_no_table_is_refused_unread(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    member = "FILO2019_DISP_COM.csv" if name == "a.zip" else "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open(member, "w") as file:
        for _ in range(80):
            file.write(b"0" * 2**20)
    with pytest.raises(BarometreError, match="aucun tableau ne se comprime autant"):
        bcs.read(path)


# Half lost


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_table_sorted_with_its_header_is_refused(tmp_path: Path, suffix: str) -> None:
    rows = [*ROWS[:5], FILO, *ROWS[5:]]
    if suffix == "csv":
        path = write(tmp_path, "FILO2019_DISP_COM.csv", *rows)
    else:
        path = book(tmp_path / "FILO2019_DISP_COM.xlsx", rows)
    filled = [";".join(cell or "1" for cell in row.split(";")) for row in rows]
    path = (
        write(tmp_path, path.name, *filled)
        if suffix == "csv"
        else book(tmp_path / "FILO2019_DISP_COM.xlsx", filled)
    )
    with pytest.raises(BarometreError, match="5 lignes de données au-dessus"):
        bcs.read(path)


def test_titles_and_years_above_a_header_are_no_data(tmp_path: Path) -> None:
    above = ["Revenus en 2019;12 communes", ";".join(["2019"] * (FILO.count(";") + 1))]
    path = write(tmp_path, "FILO2019_DISP_COM.csv", *above, FILO, *ROWS)
    assert len(bcs.read(path)["revenus"]) == 12


def test_a_column_without_any_value_is_named(tmp_path: Path) -> None:
    with pytest.warns(SourceWarning, match=r"colonnes? sans aucune valeur : .*D119"):
        bcs.read(filo(tmp_path, *(row.replace(";9000;", ";;") for row in ROWS)))


def test_a_cell_that_a_spreadsheet_could_not_compute_is_told(tmp_path: Path) -> None:
    wrong = ROWS[3].replace("33000", "#DIV/0!")
    with pytest.warns(SourceWarning, match=r"D919 : 1 cellule en erreur, .*59003 : #DIV/0!"):
        tables = bcs.read(filo(tmp_path, *ROWS[:3], wrong))
    said = tables.statuts.set_index(["code", "colonne"])["statut"]
    assert said["59003", "niveau_de_vie_d9"] == "non_disponible"


def test_a_row_of_another_year_than_the_file_is_told(tmp_path: Path) -> None:
    rows = [f'"32","59","59001","59001",{year},"F101",{n}' for year, n in ((2018, 2), (2021, 3))]
    path = write(tmp_path, "bpe_2018_dep59.csv", BPE, *rows)
    with pytest.warns(SourceWarning, match=r"AN : 1 ligne d'une autre année que 2018 .*2021"):
        bcs.read(path)


# Impossible


def test_rows_given_twice_are_refused_where_rows_are_added_up(tmp_path: Path) -> None:
    rows = [f'"32","59","59{i:03d}","59{i:03d}",2018,"F101",{i + 1}' for i in range(4)]
    with pytest.raises(BarometreError, match=r"2 lignes répétées à l'identique .*59000 ; 59002"):
        bcs.read(write(tmp_path, "bpe_2018_dep59.csv", BPE, *rows, rows[0], rows[2]))


def test_a_negative_part_is_refused_before_the_sum(tmp_path: Path) -> None:
    row = line(REVN, CODGEO="QP059050", C="13 000", C_C2SNP="4 000", C_C2SP=-900)
    with pytest.raises(BarometreError, match=r"C_C2SP : 1 valeur négative \(QP059050 : -900\)"):
        bcs.read(write(tmp_path, "REVN_2022.csv", REVN, row))
    rows = [f'"32","59","59001","59001",2018,"F10{i}",{n}' for i, n in enumerate((12, -2))]
    with pytest.raises(BarometreError, match="NB_EQUIP : 1 valeur négative"):
        bcs.read(write(tmp_path, "bpe_2018_dep59.csv", BPE, *rows))
    with pytest.raises(BarometreError, match=r"NB_EQUIP : 1 effectif .*décimales \(59001 : 0,12\)"):
        bcs.read(write(tmp_path, "bpe_2018_dep59.csv", BPE, rows[0].replace(",12", ",0.12")))


def test_a_year_to_come_is_refused(tmp_path: Path) -> None:
    row = '"32","59","59001","59001",2092,"F101",3'
    with pytest.raises(BarometreError, match="AN : à venir : 2092"):
        bcs.read(write(tmp_path, "bpe_2018_dep59.csv", BPE, row))


def test_more_households_than_persons_are_refused(tmp_path: Path) -> None:
    row = line(FILO, CODGEO="59172", NBMEN19=8000, NBPERS19=2000, Q219=18_000)
    with pytest.raises(BarometreError, match="dépasse « personnes_menages_fiscaux »"):
        bcs.read(filo(tmp_path, row))


def test_published_rates_out_of_the_plausible_range_are_told(tmp_path: Path) -> None:
    def rates(value: str) -> Path:
        rows = [line(IPRO, CODGEO=f"QP05905{i}", TX_TOT_EMPL=value) for i in (2, 8)]
        return write(tmp_path, "IPRO_2022.csv", IPRO, *rows)

    with pytest.warns(SourceWarning, match="taux_emploi_15_64 : valeur médiane 2,5, hors de"):
        bcs.read(rates("2,5"))
    assert len(bcs.read(rates("48,6"))["publies"]) == 2
