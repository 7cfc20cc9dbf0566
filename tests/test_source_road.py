"""The one road of a file: recognised once, read by what recognised it, set aside when no data."""

from __future__ import annotations

import tracemalloc
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
from barometre.base.errors import BarometreError
from barometre.sources import kinds
from barometre.sources.file_report import Reading, described
from barometre.sources.files.text import open_sources
from barometre.sources.kind import Kind, Recognised
from barometre.sources.reading import SourceWarning, check_files
from tests.test_source_text import HEADER, ROWS, known, only, write

DATA = "code;annee;logements;logements_vacants\n59172;2021;1000;80\n"


def test_a_header_is_recognised_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def recognise(header: Sequence[str], nom: str) -> Recognised | None:
        asked.append(tuple(header))
        return None

    monkeypatch.setattr(kinds, "KINDS", (Kind("témoin", recognise), *kinds.KINDS))
    bcs.read(write(tmp_path / "logements.csv", DATA))
    assert asked.count(("code", "annee", "logements", "logements_vacants")) == 1


def test_a_new_kind_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(source: object) -> Reading:
        frame = pd.DataFrame({"code": ["59172"], "annee": [2021], "logements": [7.0]})
        tables = bcs.Tables({"logements": frame})
        return Reading(tables, described(tables, "essai", "essai"))

    found = Recognised("essai", "essai", read)
    kind = Kind("essai", lambda header, nom: found if header[0] == "essai" else None)
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, kind))
    path = write(tmp_path / "quelconque.csv", "titre;\nessai;x\n1;2\n")
    assert bcs.read(path)["logements"].iloc[0, 0] == 7.0


@pytest.mark.parametrize(
    ("name", "content", "genre"),
    [
        ("meta_dossier_complet.csv", "COD_VAR;LIB_VAR;LIB_VAR_LONG\nP22_POP;Pop;P\n", "notice"),
        ("dictionnaire_base.csv", "VARIABLE;LIBELLE;TYPE\nP22_POP;Pop;NUM\n", "notice"),
        ("DS_X_metadata.csv", "COD_VAR;LIB_VAR;COD_MOD;LIB_MOD\nGEO;a;b;c\n", "notice"),
        ("communes.csv", "COM,LIBGEO,EPCI,DEP,REG\n59172,Denain,200042190,59,32\n", "appartenance"),
        ("v_commune_2024.csv", "TYPECOM,COM,DEP,COMPARENT\nCOM,75056,75,\n", "appartenance"),
        ("passage.csv", "DEPCOM_HIST;DEPCOM\n59172;59172\n", "passage"),
        ("x.csv", "CODGEO_INI;CODGEO_2024\n59172;59172\n", "passage"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_set_aside(tmp_path: Path, name: str, content: str, genre: str) -> None:
    write(tmp_path / "logements.csv", DATA)
    path = write(tmp_path / name, content)
    assert list(bcs.read(tmp_path)) == ["logements"]
    assert genre in {report.genre for report in check_files(tmp_path)}
    with pytest.raises(BarometreError, match=f"aucune valeur à lire : {name}"):
        bcs.read(path)


def test_hidden_and_temporary_files_are_no_data(tmp_path: Path) -> None:
    write(tmp_path / "logements.csv", DATA)
    for name in ("~$logements.xlsx", "._logements.csv", ".x1y2.xlsx"):
        write(tmp_path / name, b"\x08user" + b"\0" * 160)
    assert list(bcs.read(tmp_path)) == ["logements"]


def test_sheets_beside_data_are_set_aside_and_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "logements"
    for row in DATA.split():
        sheet.append(row.split(";"))
    book.create_sheet("Lisez-moi").append(["Producteur", "Insee"])
    book.create_sheet("Autre").append(["a", "b"])
    path = tmp_path / "classeur.xlsx"
    book.save(path)
    with pytest.warns(SourceWarning, match=r"classeur.xlsx \[Autre\] : aucune famille connue"):
        tables = bcs.read(path)
    assert list(tables) == ["logements"]
    assert sorted(report.genre for report in check_files(path)) == ["autre", "notice", "valeurs"]


# ---- lots --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_lots_of_a_delimited_file_are_its_rows(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "f.csv", f"Titre\n\n{HEADER}\n{ROWS}", encoding)
    source = only(path)
    lots = pa.concat_tables(source.lots(["LIBGEO", "CODGEO"])).to_pandas()
    whole = source.lire(["LIBGEO", "CODGEO"])
    assert lots.to_numpy().tolist() == whole.to_numpy().tolist()


def test_lots_of_parquet_and_of_a_member(tmp_path: Path) -> None:
    pq.write_table(pa.table({"CODGEO": ["01001"], "A": [1.5]}), tmp_path / "f.parquet")
    (lot,) = only(tmp_path / "f.parquet").lots(["A", "CODGEO"])
    assert lot.to_pydict() == {"A": ["1.5"], "CODGEO": ["01001"]}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("f.csv", f"{HEADER}\n{ROWS}")
    (lot,) = only(tmp_path / "a.zip").lots(["CODGEO"])
    assert lot["CODGEO"].to_pylist() == ["59172", "01001"]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_lots_left_half_way_leave_the_filters_of_warnings(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"f.{suffix}"
    frame = pd.DataFrame({"CODGEO": ["59172", "01001"], "A": ["1", "2"]})
    {
        "csv": lambda: frame.to_csv(path, index=False),
        "parquet": lambda: frame.to_parquet(path, index=False),
        "xlsx": lambda: frame.to_excel(path, index=False),
    }[suffix]()
    lots = only(path).lots(["CODGEO"])
    before = list(warnings.filters)
    next(lots)
    assert warnings.filters == before
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")  # what a reader of warnings does meanwhile
        del lots
        warnings.warn("dit", stacklevel=1)
    assert [str(one.message) for one in told] == ["dit"]


def test_a_row_of_another_width_is_refused_in_lots(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", f"{HEADER}\n{ROWS}59172;Denain\n")
    with pytest.raises(BarometreError, match=r"f\.csv : lignes sans le nombre de colonnes"):
        list(only(path).lots(["CODGEO"]))


def test_a_large_file_is_read_in_the_memory_of_a_lot(tmp_path: Path) -> None:
    path = tmp_path / "grand.csv"
    line = b"59172;Denain;8300;" + b"1" * 80 + b"\n"
    path.write_bytes(HEADER.encode() + b"\n" + line * 700_000)
    assert path.stat().st_size > 65e6
    tracemalloc.start()
    pool = pa.default_memory_pool()
    before, rows, peak = pool.bytes_allocated(), 0, 0
    for lot in only(path).lots(["CODGEO"]):
        rows += lot.num_rows
        peak = max(peak, pool.bytes_allocated() - before)
    python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 700_000
    assert peak + python < 60e6  # less than the file, whatever its size


# ---- two encodings in one file -----------------------------------------------------------------


UTF = "59491;Raismes-Forêt\n59172;Denain été\n".encode()
LATIN = "59446;Hérin\n".encode("cp1252")


@pytest.mark.parametrize(
    "content", [UTF + LATIN, LATIN + UTF, b"\xef\xbb\xbf" + UTF + LATIN, UTF[:21] + LATIN + UTF[21:]]
)  # fmt: skip
def test_each_line_is_read_as_it_was_written(tmp_path: Path, content: bytes) -> None:
    bom = content.startswith(b"\xef\xbb\xbf")
    body = content.removeprefix(b"\xef\xbb\xbf")
    path = write(tmp_path / "f.csv", b"\xef\xbb\xbf" * bom + b"CODGEO;LIBGEO\n" + body)
    read = only(path).lire(["LIBGEO"])["LIBGEO"]
    assert sorted(read) == ["Denain été", "Hérin", "Raismes-Forêt"]


def test_a_capital_before_a_hard_space_stays_what_it_is(tmp_path: Path) -> None:
    """``É`` and a no-break space are, in CP1252, the two bytes of a letter of no French word."""
    path = write(
        tmp_path / "f.csv", "CODGEO;LIBGEO\n59172;CITÉ\u00a0BASSE\n59446;Hérin\n", "cp1252"
    )
    assert only(path).lire(["LIBGEO"])["LIBGEO"].tolist() == ["CITÉ\u00a0BASSE", "Hérin"]


def test_a_line_of_no_certain_encoding_is_refused_with_its_number(tmp_path: Path) -> None:
    content = b"CODGEO;LIBGEO\n59172;" + "Ƀ".encode() + b"\n" + LATIN
    path = write(tmp_path / "f.csv", content)
    with pytest.raises(BarometreError, match=r"deux encodages .* 1 ligne : 2"):
        [source.lire(["LIBGEO"]) for source in open_sources(path, known)]
