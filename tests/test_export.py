"""Files of results: complete, labelled, readable, never half-written."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.worksheet.worksheet import Worksheet

import barometre as bcs
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.engine.results import Results
from barometre.pages import results_file, workbook
from barometre.pages.workbook import book as workbook_book
from barometre.tables.table_set import RESULT_COLUMNS, Tables


def heads(sheet: Worksheet) -> dict[object, int]:
    return {cell.value: cell.column for cell in sheet[2]}


def rows(sheet: Worksheet) -> dict[object, int]:
    return {sheet.cell(r, 1).value: r for r in range(3, sheet.max_row + 1)}


def guide(book: openpyxl.Workbook) -> dict[str, str]:
    lines = book["lisez-moi"].iter_rows(values_only=True)
    return {str(word): str(meaning) for word, meaning in (line[:2] for line in lines) if word}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_flat_files_hold_every_row_and_keep_codes(
    contract: Tables, tmp_path: Path, suffix: str
) -> None:
    results = bcs.compute(contract)
    path = results_file.write_results(results, tmp_path / f"r{suffix}", contract.territoires)
    read = pd.read_csv(path, dtype={"code": str}) if suffix == ".csv" else pd.read_parquet(path)
    assert read["code"].tolist() == results["code"].tolist()
    assert read["valeur"].tolist() == pytest.approx(results["valeur"].tolist(), nan_ok=True)
    assert read["statut"].tolist() == results["statut"].tolist()
    assert read.loc[read["code"] == "59", "libelle"].unique().tolist() == ["Nord"]
    assert read.loc[read["indicateur"] == "taux_emploi_15_64", "unite"].unique().tolist() == ["%"]


def test_the_columns_of_results_are_those_of_the_model() -> None:
    assert tuple(Results.to_schema().columns) == RESULT_COLUMNS


# ---- the workbook --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contract_book(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    tables = bcs.datasets.tables()
    path = tmp_path_factory.mktemp("book") / "r.xlsx"
    results_file.write_results(bcs.compute(tables), path, tables.territoires)
    return openpyxl.load_workbook(path)


def test_the_workbook_reads_as_a_table(contract: Tables, contract_book: openpyxl.Workbook) -> None:
    results, book = bcs.compute(contract), contract_book
    assert book.sheetnames == ["lisez-moi", "tableau", "écarts", "resultats", "indicateurs"]
    sheet = book["tableau"]
    at, where = heads(sheet), rows(sheet)
    assert len(where) == results["code"].nunique()
    rate = at["Taux d'emploi des 15-64 ans (%), 2019"]
    assert sheet.cell(where["QP059050"], rate).value == 34.5
    assert sheet.cell(where["QP059050"], rate).number_format == "#,##0.0"
    women = at["Part des femmes parmi les demandeurs d'emploi (A, B, C) (%), 2021"]
    assert sheet.cell(where["QP059058"], women).value == "secret"
    doubtful = sheet.cell(where["ENSQP_200042190"], women)
    assert doubtful.value == 46.3
    assert doubtful.number_format == '#,##0.0" (?)"'
    assert doubtful.fill.fgColor.rgb == "FFFFF2CC"
    assert "compte le QP masqué pour zéro" in doubtful.comment.text
    assert book["resultats"].max_row == len(results) + 1
    assert book["indicateurs"].max_row == results["indicateur"].nunique() + 1


def test_every_value_of_the_results_stands_in_its_cell_of_the_table(
    contract: Tables, contract_book: openpyxl.Workbook
) -> None:
    results, sheet = bcs.compute(contract), contract_book["tableau"]
    at, where = heads(sheet), rows(sheet)
    for value in results.itertuples():
        card = bcs.indicator_card(str(value.indicateur))
        head = next(h for h in at if str(h).startswith(f"{card.libelle['fr']} (")
                    and str(h).endswith(f", {value.annee}"))  # fmt: skip
        cell = sheet.cell(where[value.code], at[head]).value
        if value.statut == "ok":
            assert cell == pytest.approx(value.valeur, rel=1e-15, abs=0)  # Excel keeps 16 digits
        else:
            assert (
                cell
                == {"secret": "secret", "non_disponible": "n.d.", "sans_objet": "s.o."}[
                    str(value.statut)
                ]
            )
    filled = sum(sheet.cell(r, c).value is not None for r in where.values() for c in at.values())
    assert filled == len(results) + 3 * len(where)


def test_references_come_first_and_the_others_by_name(contract_book: openpyxl.Workbook) -> None:
    sheet = contract_book["tableau"]
    codes = [str(code) for code in rows(sheet)]
    assert codes[:3] == ["200042190", "59", "METRO"]
    quarters = [sheet.cell(r, 2).value for code, r in rows(sheet).items() if "QP059" in str(code)]
    assert len(quarters) == 13
    assert quarters == sorted(quarters)  # no accent begins the name of these
    assert sheet.freeze_panes == "D3"
    assert (
        sheet.auto_filter.ref
        == f"A2:{sheet.cell(2, sheet.max_column).coordinate[:-1]}{sheet.max_row}"
    )


def test_the_bands_are_those_of_the_themes(contract_book: openpyxl.Workbook) -> None:
    sheet = contract_book["tableau"]
    theme = ""
    themes: dict[str, set[str]] = {}
    labels = {c.libelle["fr"]: c.theme for c in map(bcs.indicator_card, bcs.catalogue().index)}
    for column in range(4, sheet.max_column + 1):
        theme = sheet.cell(1, column).value or theme
        head = str(sheet.cell(2, column).value)
        own = {labels[label] for label in labels if head.startswith(f"{label} (")}
        themes.setdefault(theme, set()).update(own)
    assert all(len(own) == 1 for own in themes.values())
    assert len(set(map(frozenset, themes.values()))) == len(themes)


def test_gaps_are_those_of_gap(contract: Tables, contract_book: openpyxl.Workbook) -> None:
    results, sheet = bcs.compute(contract), contract_book["écarts"]
    at = heads(sheet)
    gaps = bcs.gap(results, ["200042190", "59", "METRO"]).set_index(
        ["code", "reference", "indicateur", "annee"]
    )
    names = contract.territoires["libelle"]
    where = {
        (sheet.cell(r, 1).value, sheet.cell(r, 4).value): r for r in range(3, sheet.max_row + 1)
    }
    assert len(where) == 3 * (results["code"].nunique() - 1)
    rate = at["Taux d'emploi des 15-64 ans (points), 2019"]
    for code, reference in [("QP059050", "200042190"), ("QP059050", "METRO"), ("59", "METRO")]:
        cell = sheet.cell(where[code, names[reference]], rate)
        expected = gaps.xs((code, reference, "taux_emploi_15_64", 2019))
        assert cell.value == pytest.approx(expected["ecart"], abs=1e-12)
        assert expected["appreciation"] == "defavorable"
        assert cell.fill.fgColor.rgb == "FFFBE5D6"
    assert not any("par an" in str(head) for head in at)  # euros a month, as gaps are


def test_the_first_sheet_says_what_when_and_from_what(
    contract: Tables, contract_book: openpyxl.Workbook
) -> None:
    said, results = guide(contract_book), bcs.compute(contract)
    assert said["Années des données"] == f"{results['annee'].min()} à {results['annee'].max()}"
    assert said["Références"] == "CA de la Porte du Hainaut, Nord, France métropolitaine"
    assert "QPV (13)" in said["Territoires"]
    sheet = contract_book["lisez-moi"]
    sources = {str(cell.value) for cell in sheet["B"]}
    for source in ("Recensement de la population (RP)", "Sirene"):
        own = [name for name in results["indicateur"].unique()
               if bcs.indicator_card(name).source == source]  # fmt: skip
        years = sorted(results.loc[results["indicateur"].isin(own), "annee"].unique())
        told = f"{source}. Années : {', '.join(map(str, years))} ; {len(own)} indicateurs."
        assert told in sources


def test_intervals_and_grades_stand_beside_their_value(tmp_path: Path) -> None:
    tables = bcs.datasets.make_tables(60, 2021, seed=3)
    results = bcs.compute(tables, "part_familles_monoparentales", intervals=True)
    path = results_file.write_results(results, tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(path)["tableau"]
    assert [cell.value for cell in sheet[2]][4:6] == ["intervalle", "classe"]
    where, seen = rows(sheet), set()
    for value in results.itertuples():
        cells = [sheet.cell(where[value.code], column) for column in (4, 5, 6)]
        if value.statut != "ok" or value.qualite == "D":
            assert cells[0].value in ("secret", "n.d.", "non défini")
            assert cells[1].value is None
            continue
        seen.add(value.qualite)
        assert cells[0].value == pytest.approx(value.valeur, rel=1e-15, abs=0)
        assert cells[2].value == value.qualite
        assert cells[0].number_format.endswith('" *"') == (value.qualite == "C")
        low, high = str(cells[1].value).strip("[]").replace(",", ".").split(" ; ")
        assert float(low) == pytest.approx(value.borne_inf, abs=0.0501)
        assert float(high) == pytest.approx(value.borne_sup, abs=0.0501)
    assert {"A", "C"} <= seen


def test_only_what_a_reader_must_act_on_is_commented(tmp_path: Path) -> None:
    counts = pd.DataFrame(
        {"code": ["59172", "59064", "59002"], "annee": 2021, "logements": 100.0,
         "logements_vacants": [10.0, 10.0, np.nan]}
    )  # fmt: skip
    published = pd.DataFrame(
        {"code": ["59172", "59064"], "annee": 2021, "taux_logements_vacants": [10.0, 12.0]}
    )
    results = bcs.compute({"logements": counts, "publies": published}, intervals=True)
    path = results_file.write_results(results, tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(path)["tableau"]
    comments = {sheet.cell(r, 1).value: sheet.cell(r, 4).comment for r in rows(sheet).values()}
    assert comments["59172"] is None
    assert comments["59002"] is None
    assert "valeur publiée : 12, écart de −2" in comments["59064"].text


def test_what_would_give_more_values_is_told_on_the_first_sheet(tmp_path: Path) -> None:
    counts = pd.DataFrame(
        {"code": ["59172", "59064"], "annee": 2018, "equipements_sportifs": [4.0, 2.0]}
    )
    people = pd.DataFrame({"code": ["59172"], "annee": 2018, "population": [20_000.0]})
    results = bcs.compute({"equipements": counts, "population": people})
    path = results_file.write_results(results, tmp_path / "r.xlsx")
    said = guide(openpyxl.load_workbook(path))
    assert "Population municipale, table population" in said["1 n.d."]


def test_references_order_and_edition_can_be_chosen(contract: Tables, tmp_path: Path) -> None:
    results = bcs.compute(contract)
    path = results_file.write_results(
        results, tmp_path / "r.xlsx", contract.territoires,
        references=["METRO", "ENSQP_200042190"], order="code", edition=dt.date(2025, 6, 1),
    )  # fmt: skip
    book = openpyxl.load_workbook(path)
    codes = [str(code) for code in rows(book["tableau"])]
    assert codes[:2] == ["METRO", "ENSQP_200042190"]
    quarters = [code for code in codes if code.startswith("QP059")]
    assert quarters == sorted(quarters)
    assert guide(book)["Édition"] == "2025-06-01"
    assert book.properties.created == dt.datetime(2025, 6, 1)
    with pytest.raises(BarometreError, match="référence hors des résultats : 99999"):
        results_file.write_results(results, tmp_path / "x.xlsx", references="99999")
    with pytest.raises(UnknownNameError, match="ordre"):
        results_file.write_results(results, tmp_path / "x.xlsx", order="nom")  # type: ignore[arg-type]


def test_a_large_workbook_keeps_its_values_and_leaves_its_labels_out(
    contract: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "LARGE", 100)
    results = bcs.compute(contract)
    path = results_file.write_results(results, tmp_path / "r.xlsx", contract.territoires)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["lisez-moi", "tableau", "resultats", "indicateurs"]
    assert [cell.value for cell in book["resultats"][1]] == list(RESULT_COLUMNS)
    pd.testing.assert_frame_equal(bcs.read_results(path), results, rtol=1e-14)


def test_results_without_labels_are_written_too(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"code": ["01001"], "annee": [2021], "logements": [80], "logements_vacants": [12]}
    )
    results = bcs.compute({"logements": frame})
    for suffix in results_file.SUFFIXES:
        assert results_file.write_results(results, tmp_path / "new" / f"r{suffix}").exists()
    assert "libelle" not in pd.read_csv(tmp_path / "new" / "r.csv").columns


def test_empty_results_are_written_and_read_back(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"code": ["01001"], "annee": [2021], "logements": [80], "logements_vacants": [12]}
    )
    results = bcs.compute({"logements": frame}).iloc[:0]
    for suffix in results_file.SUFFIXES:
        path = results_file.write_results(results, tmp_path / f"r{suffix}")
        pd.testing.assert_frame_equal(bcs.read_results(path), results)


# ---- what is refused ----------------------------------------------------------------------------


def test_an_unknown_suffix_is_refused(contract: Tables, tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match=r"format « .ods » inconnu pour r.ods"):
        results_file.write_results(bcs.compute(contract), tmp_path / "r.ods")


def test_more_rows_than_a_sheet_are_refused_and_written_in_csv(
    contract: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = bcs.compute(contract)
    monkeypatch.setattr(results_file, "ROWS", len(results))
    path = tmp_path / "r.xlsx"
    with pytest.raises(BarometreError, match=r"lignes : une feuille .* sont dans r\.csv"):
        results_file.write_results(results, path, contract.territoires)
    assert not path.exists()
    pd.testing.assert_frame_equal(bcs.read_results(tmp_path / "r.csv"), results)
    (tmp_path / "r.csv").write_text("à moi", encoding="utf-8")
    with pytest.raises(BarometreError, match=r"r\.csv existe déjà et n'est pas remplacé"):
        results_file.write_results(results, path)
    assert (tmp_path / "r.csv").read_text(encoding="utf-8") == "à moi"
    monkeypatch.undo()
    assert results_file.write_results(results, path).exists()


def test_more_columns_than_a_sheet_are_refused(
    contract: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barometre.pages.workbook.wide.COLUMNS", 20)
    with pytest.raises(BarometreError, match="une feuille de classeur n'en tient que 20"):
        results_file.write_results(bcs.compute(contract), tmp_path / "r.xlsx")
    assert list(tmp_path.iterdir()) == []
    assert (workbook_book.ROWS, workbook_book.COLUMNS) == (2**20, 2**14)


def test_what_is_no_result_is_refused_by_a_workbook(contract: Tables, tmp_path: Path) -> None:
    results = bcs.compute(contract)
    with pytest.raises(BarometreError, match="colonnes absentes : statut"):
        results_file.write_results(results.drop(columns="statut"), tmp_path / "r.xlsx")
    twice = pd.concat([results, results.iloc[:1]], ignore_index=True)
    with pytest.raises(BarometreError, match="1 ligne en double, dont part_familles"):
        results_file.write_results(twice, tmp_path / "r.xlsx")


def test_a_template_is_a_workbook_of_texts(tmp_path: Path) -> None:
    path = results_file.write_template("logements", tmp_path / "logements.xlsx")
    read = pd.read_excel(path, dtype=str)
    assert read["code"].tolist() == ["UNITE", "EXEMPLE"]
    assert read["logements"].tolist() == ["nombre", "nd"]
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def test_a_large_workbook_marks_grade_c_without_its_intervals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "LARGE", 10)
    tables = bcs.datasets.make_tables(60, 2021, seed=3)
    results = bcs.compute(tables, "part_familles_monoparentales", intervals=True)
    sheet = openpyxl.load_workbook(results_file.write_results(results, tmp_path / "r.xlsx"))[
        "tableau"
    ]
    assert sheet.max_column == 4
    marks = {code: sheet.cell(r, 4).number_format[-2:] == '*"' for code, r in rows(sheet).items()}
    graded = dict(zip(results["code"], results["qualite"] == "C", strict=True))
    assert marks == graded
