"""Nothing is lost: the same bytes twice, no source replaced, the old file whole after a failure."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.pages import results_file
from barometre.pages.demo import run_demo
from barometre.pages.results_file import check_destination, write_results, write_template
from barometre.tables.table_set import Tables
from tests.calls import call

SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
HOMES = "code;annee;logements;logements_vacants\n59172;2021;80;12\n"
WRITERS: dict[str, Callable[[Path, Tables], Path]] = {
    "xlsx": lambda f, t: write_results(bcs.compute(t), f / "r.xlsx", t.territoires),
    "parquet": lambda f, t: write_results(bcs.compute(t), f / "r.parquet", t.territoires),
    "csv": lambda f, t: write_results(bcs.compute(t), f / "r.csv", t.territoires),
    "excel": lambda f, t: write_results(bcs.compute(t), f / "r.csv", t.territoires, csv="excel"),
    "template": lambda f, _: write_template("logements", f / "t.xlsx"),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_same_results_make_the_same_bytes(contract: Tables, tmp_path: Path, kind: str) -> None:
    first = WRITERS[kind](tmp_path / "a", contract).read_bytes()
    time.sleep(2.1)  # the dates of a ZIP archive have two seconds of grain
    assert WRITERS[kind](tmp_path / "b", contract).read_bytes() == first


def core(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        return archive.read("docProps/core.xml").decode()


def test_the_date_of_a_workbook_is_that_of_its_data_or_is_given(
    contract: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = bcs.compute(contract)
    last = results["annee"].max()
    assert f"{last}-12-31T00:00:00Z" in core(write_results(results, tmp_path / "r.xlsx"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert "2023-11-14T22:13:20Z" in core(write_results(results, tmp_path / "r.xlsx"))


@pytest.mark.skipif(not SLOW, reason="long: each kind of file has its own test of this")
def test_the_demonstration_writes_the_same_bytes(tmp_path: Path) -> None:
    from rich.console import Console

    written = []
    for name in ("a", "b"):
        with (tmp_path / f"{name}.txt").open("w", encoding="utf-8") as stream:
            run_demo(tmp_path / name, Console(file=stream, width=200), territories=["QP059058"])
        folder = tmp_path / name
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        written.append({str(file.relative_to(folder)): file.read_bytes() for file in files})
    assert len(written[0]) >= 10
    assert written[0] == written[1]


# ---- sources ------------------------------------------------------------------------------------


def test_a_source_is_never_replaced(tmp_path: Path) -> None:
    source = tmp_path / "logements.csv"
    source.write_text(HOMES, encoding="utf-8")
    link = tmp_path / "lien.csv"
    link.symlink_to(source)
    twin = tmp_path / "jumeau.csv"
    twin.hardlink_to(source)
    for given, out in ((source, source), (source, link), (link, source), (source, twin)):
        done = call("compute", str(given), "--out", str(out))
        assert done.code == 1
        assert "est l'une des sources, et serait remplacé" in done.err
    folder = call("compute", str(tmp_path), "--out", str(source))
    assert folder.code == 1
    assert source.read_text(encoding="utf-8") == HOMES


def test_results_written_beside_the_sources_are_written_again(tmp_path: Path) -> None:
    (tmp_path / "logements.csv").write_text(HOMES, encoding="utf-8")
    for name in ("r.csv", "r.xlsx", "r.parquet"):
        for _ in range(2):
            done = call("compute", str(tmp_path), "--out", str(tmp_path / name))
            assert done.code == 0, done.err
    (tmp_path / "notes.csv").write_text("a;b\n", encoding="utf-8")
    with pytest.raises(BarometreError, match=r"notes\.csv est l'une des sources"):
        check_destination(tmp_path / "notes.csv", [tmp_path])
    check_destination(tmp_path / "notes.csv", ["contrat_qpv", tmp_path / "logements.csv"])


def test_csv_for_excel_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "logements.csv").write_text(HOMES, encoding="utf-8")
    out = tmp_path / "r.csv"
    done = call("compute", str(tmp_path / "logements.csv"), "--out", str(out), "--csv", "excel")
    assert done.code == 0, done.err
    assert ";15,0;" in out.read_text(encoding="utf-8-sig")
    wrong = call("compute", str(tmp_path / "logements.csv"), "--out", str(out), "--csv", "exel")
    assert wrong.code == 1
    assert "Vouliez-vous dire « excel »" in wrong.err


# ---- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", results_file.SUFFIXES)
def test_a_failure_leaves_what_was_there_before(
    contract: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"r{suffix}"
    path.write_bytes(b"before")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("write_workbook", "write_delimited"):
        monkeypatch.setattr(results_file, name, fail)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    with pytest.raises(BarometreError, match="disque plein"):
        write_results(bcs.compute(contract), path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
