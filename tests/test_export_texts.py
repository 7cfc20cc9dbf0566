"""What is written is read back: numbers, texts that look like formulas, control characters."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Literal

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.engine import limits
from barometre.engine.english_notes import english_note
from barometre.engine.results import LACKING, TOO_FEW
from barometre.pages.delimited import marked, unmarked
from barometre.pages.results_back import read_results
from barometre.pages.results_file import write_results
from barometre.tables.table_set import RESULT_COLUMNS, Tables

Kind = Literal["machine", "excel", "xlsx", "parquet"]
KINDS: tuple[Kind, ...] = ("machine", "excel", "xlsx", "parquet")
FLAT: tuple[Kind, ...] = ("machine", "excel", "parquet")
FORMULAS = ("=1+1", "+33 3 27", "-12", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("x";"y")')


def written(
    results: pd.DataFrame, folder: Path, kind: Kind, territoires: pd.DataFrame | None = None
) -> Path:
    if kind == "machine":
        return write_results(results, folder / "machine.csv", territoires)
    if kind == "excel":
        return write_results(results, folder / "excel.csv", territoires, csv="excel")
    return write_results(results, folder / f"r.{kind}", territoires)


def with_notes(notes: list[str | None]) -> pd.DataFrame:
    """Results whose notes are any texts."""
    size = len(notes)
    return pd.DataFrame(
        {
            "code": pd.Series([f"{59000 + i}" for i in range(size)], dtype="str"),
            "annee": np.full(size, 2021),
            "indicateur": pd.Series(["taux_logements_vacants"] * size, dtype="str"),
            "valeur": np.full(size, np.nan),
            "statut": pd.Series(["secret"] * size, dtype="str"),
            "borne_inf": np.full(size, np.nan),
            "borne_sup": np.full(size, np.nan),
            "qualite": pd.Series([None] * size, dtype="str"),
            "origine": pd.Series(["calcule"] * size, dtype="str"),
            "note": pd.Series(notes, dtype="str"),
        }
    )


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_read_back_as_they_were(contract: Tables, tmp_path: Path, kind: Kind) -> None:
    for results in (
        bcs.compute(contract),
        bcs.compute(bcs.datasets.make_tables(40, seed=5), intervals=True),
    ):
        path = written(results, tmp_path, kind, territoires=contract.territoires)
        read = bcs.read_results(path)
        digits = 1e-15 if kind == "xlsx" else 0  # a workbook keeps 16 digits
        pd.testing.assert_frame_equal(read, results, rtol=digits, atol=0, check_exact=not digits)


numbers = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=20))
def test_every_number_is_read_back_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    folder = tmp_path_factory.mktemp("numbers")
    results = with_notes([None] * len(values)).assign(valeur=values, statut="ok")
    results["statut"] = results["statut"].astype("str")
    for kind in FLAT:
        read = bcs.read_results(written(results, folder, kind))["valeur"]
        assert [math.copysign(1, x) * x for x in read] == [math.copysign(1, x) * x for x in values]


# NUL is no text: no CSV reader keeps it.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
awkward = st.sampled_from(
    [*FORMULAS, "'=1", "''-2", "'quoted", 'a"b', "a;b,c", "l1\nl2", "_x0007_"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(texts, awkward, st.none()), min_size=1, max_size=20))
def test_every_text_is_read_back_from_csv(
    tmp_path_factory: pytest.TempPathFactory, notes: list[str | None]
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    results = with_notes(notes)
    for kind in FLAT[:2]:
        read = bcs.read_results(written(results, folder, kind))
        pd.testing.assert_frame_equal(read, results)


@settings(max_examples=200)
@given(st.lists(st.one_of(texts, awkward), min_size=1))
def test_a_mark_is_taken_off_exactly_where_it_was_put(notes: list[str]) -> None:
    frame = pd.DataFrame({"note": pd.Series(notes, dtype="str"), "valeur": -1.0})
    given_marks = marked(frame)
    pd.testing.assert_frame_equal(unmarked(given_marks), frame)
    assert not given_marks["note"].str.match("^[=+@\t\r\n-]").any()
    assert (given_marks["valeur"] == -1.0).all()


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_is_never_a_formula(tmp_path: Path, text: str) -> None:
    results = with_notes([text])
    results["code"] = pd.Series([text.strip()], dtype="str")
    places = pd.DataFrame({"libelle": [text], "niveau": ["commune"]}, index=[text.strip()])
    book = openpyxl.load_workbook(written(results, tmp_path, "xlsx", territoires=places))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    assert text in {cell.value for cell in book["resultats"][2]} or "\r" in text
    content = written(results, tmp_path, "excel", territoires=places).read_text("utf-8-sig")
    for cell in content.replace('"', ";").split(";"):
        assert not cell.startswith(("=", "+", "-", "@", "\t"))


@pytest.mark.parametrize("text", ["\r=1", "a\r\nb", "_x000D_", "\ttab", "fin\n"])
def test_what_a_workbook_writes_by_number_is_read_back(tmp_path: Path, text: str) -> None:
    back = read_results(written(with_notes([text]), tmp_path, "xlsx"))
    assert back["note"].tolist() == [text]


def test_every_note_that_the_library_writes_has_its_english(contract: Tables) -> None:
    """What documents say is French; all else is translated, and numbers with it."""
    results = bcs.compute(contract, intervals=True, check_published=False)
    drawn = bcs.compute(bcs.datasets.make_tables(60, 2021, seed=4), intervals=True)
    documents = {part for text in contract.statuts["motif"].dropna() for part in text.split(" ; ")}
    notes = {part for note in [*results["note"].dropna(), *drawn["note"].dropna()] for part in note.split(" ; ")}  # fmt: skip
    reasons = {text for name, text in vars(limits).items() if re.match("_[A-Z]", name) and isinstance(text, str) and len(text) > 20}  # fmt: skip
    written = (notes - documents) | {LACKING + "Population, table population", TOO_FEW} | reasons
    left = {part for part in written if english_note(part) == part}
    assert {part for part in left if not part.startswith("évolution imprimée")} <= documents
    assert english_note("déduit de deux nombres imprimés : 1\u202f234 en 2021, +5,5 % depuis 2016") == "deduced from two printed numbers: 1,234 in 2021, +5.5% since 2016"  # fmt: skip


def test_a_negative_number_is_never_marked(tmp_path: Path) -> None:
    results = with_notes([None]).assign(valeur=-2.5, borne_inf=-3.0, borne_sup=-2.0)
    results["statut"] = pd.Series(["ok"], dtype="str")
    line = written(results, tmp_path, "excel").read_text("utf-8-sig").splitlines()[1]
    assert ";-2,5;%;ok;-3,0;-2,0;" in line


def test_csv_for_excel_opens_in_a_french_spreadsheet(contract: Tables, tmp_path: Path) -> None:
    path = written(bcs.compute(contract), tmp_path, "excel", territoires=contract.territoires)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfcode;libelle;niveau;annee;")
    assert b"\r\n" in content
    read = pd.read_csv(path, sep=";", decimal=",", dtype={"code": str}, encoding="utf-8-sig")
    assert read["valeur"].dtype == np.float64
    assert (read["valeur"].notna() == (read["statut"] == "ok")).all()


def test_csv_for_machines_shows_codes_to_be_text(contract: Tables, tmp_path: Path) -> None:
    results = bcs.compute(contract)
    lines = written(results, tmp_path, "machine").read_text("utf-8").splitlines()
    assert lines[0] == ",".join(
        f'"{name}"' for name in
        (*RESULT_COLUMNS[:3], "libelle_indicateur", "valeur", "unite", *RESULT_COLUMNS[4:])
    )  # fmt: skip
    assert lines[1].startswith(f'"{results["code"][0]}",{results["annee"][0]},"')


def test_an_unknown_kind_of_csv_is_refused(contract: Tables, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="sorte de CSV « exel » inconnue"):
        write_results(bcs.compute(contract), tmp_path / "r.csv", csv="exel")  # type: ignore[arg-type]


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1f", "\ufffe", "\uffff"])
def test_a_control_character_is_replaced_and_told(tmp_path: Path, character: str) -> None:
    results = with_notes([f"a{character}b"])
    places = pd.DataFrame(
        {"libelle": [f"Denain{character}"], "niveau": ["commune"]}, index=["59000"]
    )
    book = openpyxl.load_workbook(written(results, tmp_path, "xlsx", territoires=places))
    assert book["resultats"]["B2"].value == "Denain\ufffd"
    said = [cell.value for cell in book["lisez-moi"]["B"]]
    assert any("caractères de contrôle" in str(text).lower() for text in said)
    for kind in FLAT:
        assert written(results, tmp_path, kind, territoires=places).exists()
        assert bcs.read_results(written(results, tmp_path, kind))["note"].notna().all()


def test_a_text_too_long_for_a_cell_is_cut_and_told(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(written(with_notes(["é" * 40_000]), tmp_path, "xlsx"))
    note = book["resultats"].cell(2, book["resultats"].max_column).value
    assert len(note) == 32_767
    assert any("coupé" in str(cell.value) for cell in book["lisez-moi"]["B"])


# ---- what is no file of results -------------------------------------------------------------------


def test_a_file_that_a_spreadsheet_has_spoilt_is_refused(tmp_path: Path) -> None:
    results = with_notes([None, "secret"])
    path = written(results, tmp_path, "excel")
    text = path.read_text("utf-8-sig")
    path.write_text(text.replace("59000", "1001").replace(";2021;", ";vingt;"), "utf-8-sig")
    with pytest.raises(FaultsError) as refused:
        bcs.read_results(path)
    assert {fault.lieu for fault in refused.value.defauts} == {"annee", "code"}
    assert "dont 1001 : zéro initial perdu" in str(refused.value)
    path.write_text(text.replace(";secret;", ";perdu;"), "cp1252")
    with pytest.raises(FaultsError, match="statut : inconnu"):
        bcs.read_results(path)


def test_a_file_saved_again_in_the_windows_encoding_is_read(tmp_path: Path) -> None:
    results = with_notes(["secret à l'été", None])
    path = written(results, tmp_path, "excel")
    path.write_bytes(path.read_text("utf-8-sig").encode("cp1252"))
    pd.testing.assert_frame_equal(bcs.read_results(path), results)


@pytest.mark.parametrize("name", ["r.csv", "r.xlsx", "r.parquet"])
def test_what_is_no_result_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(BarometreError, match=f"{name} : fichier introuvable"):
        bcs.read_results(path)
    path.write_bytes(b"code;annee;logements\n59172;2021;80\n")
    with pytest.raises(BarometreError, match=name):
        bcs.read_results(path)
    path.write_bytes(b"")
    with pytest.raises(BarometreError, match=name):
        bcs.read_results(path)


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_no_source_and_do_not_stop_a_folder(tmp_path: Path, kind: Kind) -> None:
    source = tmp_path / "logements.csv"
    source.write_text("code;annee;logements;logements_vacants\n59172;2021;80;12\n", "utf-8")
    results = bcs.compute(bcs.read(source))
    path = written(results, tmp_path, kind)
    with pytest.raises(BarometreError, match="résultats écrits par barometre : read_results"):
        bcs.read(path)
    pd.testing.assert_frame_equal(bcs.compute(bcs.read(tmp_path)), results)
