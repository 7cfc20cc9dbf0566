"""Rows that are territories, and the others: notes, totals, rows without code, codes gone wrong."""

from __future__ import annotations

import warnings
from pathlib import Path

import openpyxl
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.reading import SourceWarning, check_files
from tests.test_sources import CAF, DEMO, FILO, filo, line, write

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*attendues? absente:barometre.sources.reading.SourceWarning"
)

DENAIN = line(FILO, CODGEO="59172", LIBGEO="Denain", NBMEN19=8000, Q219=14_320)
HERIN = line(FILO, CODGEO="59446", LIBGEO="Hérin", NBMEN19=1600, Q219=19_000)


def codes(tables: bcs.Tables) -> list[str]:
    return tables["revenus"].index.get_level_values("code").tolist()


@pytest.mark.parametrize(
    "note",
    [
        "Source : Insee-DGFiP-Cnaf, Filosofi 2019",
        "(1) Champ : ménages fiscaux",
        "Note : nd = non diffusé",
        "Mise à jour le 12/03/2021",
    ],
)
@pytest.mark.parametrize("padded", [True, False])
def test_a_note_is_no_territory(tmp_path: Path, note: str, padded: bool) -> None:
    cell = line(FILO, CODGEO=note) if padded else note
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        tables = bcs.read(filo(tmp_path, DENAIN, HERIN, cell))
    assert codes(tables) == ["59172", "59446"]
    told = [str(w.message) for w in seen if "écartée" in str(w.message)]
    assert [note in text for text in told] == [True] * padded  # alone in its line, it is no row
    assert not tables.statuts["code"].str.contains(" ").any()


@pytest.mark.parametrize("name", ["Total général", "France métropolitaine", "FRANCE", "Province"])
def test_a_total_is_left_out_and_told(tmp_path: Path, name: str) -> None:
    with pytest.warns(SourceWarning, match=f"1 ligne sans code écartée : « {name} »"):
        tables = bcs.read(filo(tmp_path, DENAIN, HERIN, line(FILO, CODGEO=name, NBMEN19=9600)))
    assert codes(tables) == ["59172", "59446"]


def test_notes_of_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (FILO, DENAIN, HERIN):
        sheet.append(row.split(";"))
    sheet.append([])
    sheet.append(["Source : Insee"])
    path = tmp_path / "FILO2019_DISP_COM.xlsx"
    book.save(path)
    with pytest.warns(SourceWarning, match="« Source : Insee »"):
        assert codes(bcs.read(path)) == ["59172", "59446"]


@pytest.mark.parametrize("code", ["2,00042E+08", "#####", "5917", "59172 2021", "591720"])
def test_a_code_gone_wrong_is_named(tmp_path: Path, code: str) -> None:
    row = line(FILO, CODGEO=code if code != "5917" else "917", Q219=20_000)
    shown = "917" if code == "5917" else code
    with pytest.raises(BarometreError) as refused:
        bcs.read(filo(tmp_path, DENAIN, HERIN, row))
    assert f"CODGEO : 1 code d'une autre forme que commune : « {shown} »" in str(refused.value)


def test_a_column_of_names_is_no_column_of_codes(tmp_path: Path) -> None:
    rows = [line(FILO, CODGEO=name, Q219=20_000) for name in ("Denain", "Hérin", "Anzin")]
    with pytest.raises(BarometreError, match="3 lignes sur 4 sont sans code de commune"):
        bcs.read(filo(tmp_path, DENAIN, *rows))


def test_values_without_code_are_told(tmp_path: Path) -> None:
    row = line(FILO, LIBGEO="Anzin", Q219=20_000)
    with pytest.warns(SourceWarning, match="1 ligne a des valeurs et un code vide : écartée"):
        assert codes(bcs.read(filo(tmp_path, DENAIN, HERIN, row))) == ["59172", "59446"]


def test_the_ain_is_not_metropolitan_france(tmp_path: Path) -> None:
    rows = [line(FILO, CODGEO=code, Q219=20_000) for code in ("1", "2", "59", "2A")]
    with pytest.warns(SourceWarning, match="2 codes : zéro initial rétabli"):
        tables = bcs.read(filo(tmp_path, *rows, name="FILO2019_DISP_DEP.csv"))
    assert codes(tables) == ["01", "02", "59", "2A"]
    one = filo(tmp_path, rows[0], name="FILO2019_DISP_METROPOLE.csv")
    assert codes(bcs.read(one)) == ["METRO"]


def test_a_copy_by_epci_has_the_level_of_its_codes(tmp_path: Path) -> None:
    rows = [line(DEMO, CODGEO=code, POP_MUN=900, A=300) for code in ("200042190", "245901160")]
    (report,) = check_files(write(tmp_path, "DEMO_2022.csv", DEMO, *rows))
    assert report.niveau == "epci"


def test_a_file_of_no_row_is_told(tmp_path: Path) -> None:
    with pytest.warns(SourceWarning, match="aucun territoire dans le fichier"):
        assert len(bcs.read(filo(tmp_path))) == 0


def test_a_lost_column_is_told(tmp_path: Path) -> None:
    renamed = FILO.replace("D119", "D1_2019")
    with pytest.warns(
        SourceWarning, match=r"1 colonne attendue absente : revenus.niveau_de_vie_d1"
    ):
        bcs.read(filo(tmp_path, DENAIN, header=renamed))


@pytest.mark.filterwarnings("ignore::barometre.sources.reading.SourceWarning")
def test_rows_are_never_lost_without_a_word(tmp_path: Path) -> None:
    """Kept, left out and told, or of a code that the family declares to be none: all are counted."""
    given = ["590020101", "2A0040101", "", "Total", "XXXXXXXXX", "", "Champ : Caf"]
    rows = [line(CAF, CODGEO=code, A=500, NOTE=0) for code in given[:2]]
    rows += [line(CAF, CODGEO=code) for code in given[3:]]
    (report,) = check_files(write(tmp_path, "data_CAF_2020_IRIS.csv", CAF, *rows))
    assert (report.lignes, report.ignorees) == (2, 3)


@pytest.mark.parametrize(
    "typed", ["{},0", "{}.0", "'{}", '="{}"', "{} - Commune", "\ufeff{}", "{} ", "{},00"]
)
def test_codes_that_all_went_wrong_alike_still_tell_their_level(tmp_path: Path, typed: str) -> None:
    cells = [typed.format(code).replace('"', '""') for code in ("01001", "01002", "59172")]
    rows = [f'"{cell}";1000;80;900;20' for cell in cells]
    header = "CODGEO;P21_LOG;P21_LOGVAC;P21_RP;P21_RSECOCC"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        tables = bcs.read(write(tmp_path, "base-cc-logement-2021.csv", header, *rows))
    assert tables["logements"].index.get_level_values("code").tolist() == [
        "01001",
        "01002",
        "59172",
    ]
    told = any("3 codes : " in str(w.message) for w in seen)
    assert told == (typed != "{} ")  # spaces around a cell are never kept


def test_codes_of_no_form_are_refused_where_the_level_is_not_known(tmp_path: Path) -> None:
    header = "CODGEO;P21_LOG;P21_LOGVAC;P21_RP;P21_RSECOCC"
    rows = [f"{code};1000;80;900;20" for code in ("1001", "1002", "1004")]
    with pytest.raises(BarometreError, match="CODGEO : codes d'aucune forme connue"):
        bcs.read(write(tmp_path, "base-cc-logement-2021.csv", header, *rows))
