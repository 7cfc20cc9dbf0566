"""Texts made to harm, in every output: no formula, no tag, no command of a terminal."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import barometre as bcs
from barometre.pages.dashboard import dashboard, write_dashboard
from barometre.pages.frames_file import write_frame
from tests.calls import call

FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("x";"y")')
TERMINAL = "Denain\x1b[2J\x1b]0;titre\x07\x9b31m\u202egauche[red]rouge[/red][/x]"
OBEYED = {
    *map(chr, range(9)),
    *map(chr, range(11, 32)),
    "\x7f",
    *map(chr, range(0x80, 0xA0)),
    "\u202e",
}


def labelled(text: str) -> pd.DataFrame:
    """Territories of which one has a label."""
    return pd.DataFrame(
        {"libelle": [text], "niveau": ["commune"]}, index=pd.Index(["59172"], name="code")
    )


def results(text: str) -> pd.DataFrame:
    homes = pd.DataFrame(
        {"code": ["59172"], "annee": 2021, "logements": [80], "logements_vacants": [12]}
    )
    return bcs.compute({"logements": homes}).assign(note=pd.Series([text], dtype="str"))


def actions(text: str) -> pd.DataFrame:
    found = bcs.monitoring.example_year()["actions"].head(3).copy()
    words = next(name for name in found if name in ("intitule", "libelle", "action", "titre"))
    found[words] = pd.Series([text, "b", "c"], index=found.index, dtype="str")
    return found


Write = Callable[[str, Path], object]
OUTPUTS: dict[str, Write] = {
    "results.xlsx": lambda text, path: bcs.write_results(results(text), path, labelled(text)),
    "results.csv": lambda text, path: bcs.write_results(results(text), path, labelled(text)),
    "excel.csv": lambda text, path: bcs.write_results(results(text), path, labelled(text), csv="excel"),
    "frame.xlsx": lambda text, path: write_frame(pd.DataFrame({text: [text]}), path, title="valeurs"),
    "frame.csv": lambda text, path: write_frame(pd.DataFrame({"a": [text]}), path, title="valeurs"),
    "frame_excel.csv": lambda text, path: write_frame(pd.DataFrame({"a": [text]}), path, title="a", csv="excel"),
    "records.xlsx": lambda text, path: bcs.monitoring.write_records({"actions": actions(text)}, path),
    "dashboard.xlsx": lambda text, path: write_dashboard(
        dashboard({**bcs.monitoring.example_year(), "actions": actions(text)}, 2025), path
    ),
}  # fmt: skip


# A dashboard takes seconds, and its cells go through the writer of the other workbooks: one text.
@pytest.mark.parametrize(
    ("name", "text"),
    [(n, t) for n in OUTPUTS for t in FORMULAS if n != "dashboard.xlsx" or t == FORMULAS[0]],
)
def test_a_text_never_becomes_a_formula(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    OUTPUTS[name](text, path)
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
            assert all(
                b"<f>" not in archive.read(n) and b"<hyperlink " not in archive.read(n)
                for n in sheets
            )
        book = openpyxl.load_workbook(path)
        seen = [
            str(c.value)
            for sheet in book
            for row in sheet.iter_rows()
            for c in row
            if c.value is not None
        ]
        assert any(text.strip()[1:6] in value for value in seen)  # it is there, as a text
        return
    content = path.read_bytes().decode("utf-8-sig")
    doubled = text.replace('"', '""')
    if "excel" in name:  # marked, so that a spreadsheet keeps it a text
        assert f"'{text}" in content or f"'{doubled}" in content
    else:  # for programs: as it is, within quotes
        assert f'"{doubled}"' in content


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    homes = f'code;annee;libelle;niveau;logements;logements_vacants\n59172;2021;"{TERMINAL}";commune;80;12\n'
    (tmp_path / "logements.csv").write_text(homes, encoding="utf-8")
    (tmp_path / "counts.csv").write_text(
        f"quartier;F\x1b[2J;H\n{TERMINAL.replace(';', '')};40;47\nb;50;50\n", encoding="utf-8"
    )
    (tmp_path / "no\x1b[2Jte.csv").write_text("bonjour\n", encoding="utf-8")
    (tmp_path / "faux\x1b[2J.csv").write_text(
        "code;annee;logements\x1b[2J\n59172;2021;8\n", encoding="utf-8"
    )
    wrong = "code;annee;logements;logements_vacants\n59\x1b[2J;2021;80;12\n"
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "logements.csv").write_text(wrong, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "logements.csv"), 0),
        (("check", "."), None),
        (("compute", "logements.csv", "--out", "r.csv"), 0),
        (("compute", ".", "--on-error", "skip", "--out", "r.csv"), None),
        (("compute", "wrong/logements.csv", "--out", "r.csv"), None),
        (("compute", "\x1b[2J.csv", "--out", "r.csv"), 1),
        (("compute", "logements.csv", "--\x1b[2J"), 2),
        (("suppress", "counts.csv"), 0),
    ],
)
def test_nothing_printed_is_a_command_of_the_terminal(
    folder: Path, arguments: tuple[str, ...], code: int | None
) -> None:
    said = call(*arguments, cwd=folder)
    assert code in (None, said.code), said
    assert not OBEYED & {*said.out, *said.err}
    assert said.out or said.err
