"""Files of results: complete, labelled, readable, never half-written."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.pages import results_file
from barometre.tables.table_set import Tables


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


def test_the_workbook_reads_as_a_table(contract: Tables, tmp_path: Path) -> None:
    results = bcs.compute(contract)
    path = results_file.write_results(results, tmp_path / "r.xlsx", contract.territoires)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["lisez-moi", "tableau", "resultats", "indicateurs"]
    sheet = book["tableau"]
    heads = {cell.value: cell.column for cell in sheet[1]}
    rows = {sheet.cell(r, 1).value: r for r in range(2, sheet.max_row + 1)}
    assert len(rows) == results["code"].nunique()
    rate = heads["Taux d'emploi des 15-64 ans (%), 2019"]
    assert sheet.cell(rows["QP059050"], rate).value == 34.5
    assert sheet.cell(rows["QP059050"], rate).number_format == "#,##0.0"
    women = heads["Part des femmes parmi les demandeurs d'emploi (A, B, C) (%), 2021"]
    assert sheet.cell(rows["QP059058"], women).value == "secret"
    doubtful = sheet.cell(rows["ENSQP_200042190"], women)
    assert doubtful.value == 46.3
    assert doubtful.fill.fgColor.rgb == "00FFF2CC"
    assert "compte le QP masqué pour zéro" in doubtful.comment.text
    assert book["resultats"].max_row == len(results) + 1
    assert book["indicateurs"].max_row == results["indicateur"].nunique() + 1


def test_results_without_labels_are_written_too(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"code": ["01001"], "annee": [2021], "logements": [80], "logements_vacants": [12]}
    )
    results = bcs.compute({"logements": frame})
    for suffix in results_file.SUFFIXES:
        assert results_file.write_results(results, tmp_path / "new" / f"r{suffix}").exists()
    assert "libelle" not in pd.read_csv(tmp_path / "new" / "r.csv").columns


def test_a_failure_leaves_what_was_there_before(
    contract: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.xlsx"
    path.write_bytes(b"before")

    def fail(*_: object) -> None:
        raise OSError("disque plein")

    monkeypatch.setattr(results_file, "_write_workbook", fail)
    with pytest.raises(BarometreError, match="disque plein"):
        results_file.write_results(bcs.compute(contract), path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_suffix_is_refused(contract: Tables, tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match=r"format « .ods » inconnu pour r.ods"):
        results_file.write_results(bcs.compute(contract), tmp_path / "r.ods")
