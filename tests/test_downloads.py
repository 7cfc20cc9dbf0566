"""Values computed apart from true downloads of 2025-2026, when they lie beside the project."""

from __future__ import annotations

import csv
import functools
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre.cards.listing import load_cards

HERE = Path(__file__).resolve()
FOLDER = next(
    (
        found
        for parent in HERE.parents
        if (found := parent / "shared" / "data" / "telechargements").is_dir()
    ),
    HERE / "absent",
)
# Rows that feed no column of ours, by what they say.
CONTROLS = re.compile(
    r"control\)|WRONG total|enterprise creations|no column of ours|overcrowding, new definition"
)
DISTRICTS = "75056 (sum of 751xx)"
LEVELS = {"COM": "", "EPCI": "", "DEP": "", "REG": "R", "QPV": "", "IRIS": ""}
OF_PARIS_SACLAY = {
    "Communauté d'agglomération Communauté Paris-Saclay": "200056232",
    "Massy": "91377",
    "Palaiseau": "91477",
    "Les Ulis": "91692",
    "Orsay": "91471",
}


@dataclass(frozen=True)
class Row:
    file: str
    territory: str
    year: int
    what: str
    value: str

    @property
    def code(self) -> str:
        if self.territory in OF_PARIS_SACLAY:
            return OF_PARIS_SACLAY[self.territory]
        if self.territory == "FRANCE FM":
            return "METRO"
        level, _, code = self.territory.partition(" ")
        return LEVELS[level] + code if level in LEVELS else self.territory


def rows() -> list[Row]:
    path = FOLDER / "expected.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        read = [
            Row(one["file"], one["territory"], int(one["year"]), one["indicator"], one["value"])
            for one in csv.DictReader(file)
        ]
    return [row for row in read if not CONTROLS.search(row.what)]


ROWS = rows()
VALUES = [row for row in ROWS if not row.what.startswith("membership.")]
MEMBERSHIPS = [row for row in ROWS if row.what.startswith("membership.")]
absent = pytest.mark.skipif(not ROWS, reason="true downloads are not beside the project")


@functools.cache
def tables_of(file: str, names: Path | None) -> bcs.Tables:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the files are is not what is tested here
        return bcs.read(FOLDER / file, *([names] if names else []))


@functools.cache
def results_of(file: str, names: Path | None) -> pd.DataFrame:
    return bcs.compute(tables_of(file, names)).set_index(["code", "annee", "indicateur"])


@pytest.fixture(scope="session")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("noms") / "territoires.csv"
    lines = [f"{code};{name};{'epci' if len(code) == 9 else 'commune'}"
             for name, code in OF_PARIS_SACLAY.items()]  # fmt: skip
    path.write_text("\n".join(["code;libelle;niveau", *lines, ""]), encoding="utf-8")
    return path


@absent
@pytest.mark.parametrize("row", VALUES or [None], ids=str)
def test_expected_values(row: Row, names: Path) -> None:
    with_names = names if "labels" in row.file else None
    tables = tables_of(row.file, with_names)
    table, _, column = row.what.partition(".")
    if row.territory == DISTRICTS:
        districts = tables[table][column].xs(row.year, level="annee")
        value = float(districts[districts.index.str.startswith("751")].sum())
    elif column:
        value = float(tables[table][column][row.code, row.year])
    else:
        assert row.what in load_cards()
        results = results_of(row.file, with_names)["valeur"].to_dict()
        value = results[row.code, row.year, row.what]
    # Values are printed with six decimals.
    assert value == pytest.approx(float(row.value), rel=1e-9, abs=1e-6)


@absent
@pytest.mark.parametrize("row", MEMBERSHIPS or [None], ids=str)
def test_expected_memberships(row: Row) -> None:
    members = bcs.read_qpv_members(FOLDER / row.file)
    level = {"communes": "commune", "epci": "epci"}[row.what.removeprefix("membership.")]
    kept = members[(members["code"] == row.code) & (members["niveau"] == level)]
    assert kept["ensemble"].tolist() == row.value.split()


@absent
def test_control_rows_are_the_only_ones_left_out() -> None:
    with (FOLDER / "expected.csv").open(encoding="utf-8", newline="") as file:
        left = [
            one["indicator"] for one in csv.DictReader(file) if CONTROLS.search(one["indicator"])
        ]
    ours = set(load_cards())
    assert len(left) > 10
    assert not {one for one in left if one in ours or re.fullmatch(r"[a-z_]+\.[a-z_0-9]+", one)}
