"""Files mutated as spreadsheets, exports and hands do: same values, a warning, or one clear error.

Small files made here with the true headers, a seeded mutator of ours: 2 000 files, 10 000 with
BAROMETRE_SLOW=1. What form alone betrays must not change a value without a word.
"""

from __future__ import annotations

import csv
import io
import os
import random
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from tests.test_sources import BPE, CAF, DEMO, FILO, line

N = 10_000 if os.environ.get("BAROMETRE_SLOW") == "1" else 2_000
SEED = 11
PARTS = 8
"""Shared between the processes that run the tests."""

Rows = list[list[str]]
Content = bytes
Cells = dict[tuple[str, str, str, int], float | str]


def _filo(code: str, i: int) -> str:
    filled = dict.fromkeys(FILO.split(";")[13:], f"{12 + i}.{i % 9 + 1}")
    filled |= {"NBMEN19": str(8000 + 131 * i), "NBPERS19": str(20000 + 307 * i)}
    filled |= {f"{name}19": str(9000 + 1013 * k + 17 * i) for k, name in enumerate(("D1", "Q2"))}
    filled |= {"D119": str(9000 + 17 * i), "Q219": str(18000 + 17 * i), "D919": str(33000 + 7 * i)}
    filled |= {"RD": f"3.{i % 9 + 1}", "PIMPOT19": f"-{14 + i}.2"}
    return line(FILO, CODGEO=code, LIBGEO=f"Commune {code}", **filled)


def _files() -> dict[str, tuple[str, Rows]]:
    """Give each file its separator and its rows, the header first."""
    communes = [f"{d}{n:03d}" for d in ("01", "02", "59") for n in range(1, 7)]
    departments = [f"{n:02d}" for n in (*range(1, 20), 59)]
    quarters = [f"QP0590{n:02d}" for n in range(20, 36)]
    iris = [f"59172{n:04d}" for n in range(101, 115)]
    filled = dict.fromkeys(DEMO.split(";")[2:], "12") | {"LIB_COM": "Denain", "POP_COM_QP": ""}
    demo = [
        line(DEMO, CODGEO=code, LIBGEO=f"Quartier {i}",
             **filled | {"POP_MUN": str(2400 + 13 * i), "TX_F": "51,2", "A": str(900 + i),
                         "PERCOU": str(2000 + i), "NOTE_CNAF": "0", "NOTE_RP": "0"})
        for i, code in enumerate(quarters)
    ]  # fmt: skip
    caf = [
        line(CAF, CODGEO=code, NOTE="0", A=900 + i, PERCOU=2100 + i, AI=300 + i, AM=100 + i,
             ACSSENF=90, ACAVENF=310, AC3ENF=80, ENF=700, AAL=120, AAPL=410, AAAH=60, APPA=150, ARSAS=200)
        for i, code in enumerate(iris)
    ]  # fmt: skip
    texts = {
        "FILO2019_DISP_COM.csv": (";", [FILO, *(_filo(c, i) for i, c in enumerate(communes))]),
        "FILO2019_DISP_DEP.csv": (";", [FILO, *(_filo(c, i) for i, c in enumerate(departments))]),
        "DEMO_2021.csv": (";", [DEMO, *demo]),
        "data_CAF_2020_IRIS.csv": (";", [CAF, *caf]),
        "bpe_2018_dep59.csv": (
            ",",
            [BPE, *(f'"32","59","{c}","{c}",2018,"{t}",{i + 1}'
                    for i, c in enumerate(communes) for t in ("F101", "F303"))],
        ),
    }  # fmt: skip
    return {
        name: (separator, list(csv.reader(rows, delimiter=separator)))
        for name, (separator, rows) in texts.items()
    }


FILES = _files()


def _written(rows: Rows, separator: str, quoting: int = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n", quoting=quoting).writerows(rows)  # type: ignore[arg-type]  # an int of the cases, for a literal
    return out.getvalue()


def _code_column(rows: Rows) -> int:
    return rows[0].index("DEPCOM") if "DEPCOM" in rows[0] else 0


def _numbers(rows: Rows, column: int) -> bool:
    return all(row[column].replace(".", "").replace(",", "").lstrip("-").isdigit() for row in rows[1:])  # fmt: skip


# A mutation changes rows in place (and may say how they are written), as its name says.
Mutation = Callable[[random.Random, Rows, str], str | bytes | None]
MUTATIONS: dict[str, Mutation] = {}


def mutation(function: Mutation) -> Mutation:
    MUTATIONS[function.__name__] = function
    return function


@mutation
def code_form(draw: random.Random, rows: Rows, separator: str) -> None:
    column, one = _code_column(rows), draw.random() < 0.5
    changes: list[Callable[[str], str]] = [
        lambda v: v.lstrip("0"), lambda v: v.lower(), lambda v: f" {v} ", lambda v: v + "\u00a0",
        lambda v: "'" + v, lambda v: v + ".0", lambda v: "0" + v, lambda v: v + ".",
        lambda v: v.replace("0", "O"), lambda v: v + " - Denain", lambda v: "#####",
        lambda v: f'="{v}"', lambda v: f"{float(v):.4E}" if v.isdigit() else v,
        lambda v: "\ufeff" + v, lambda v: "",
    ]  # fmt: skip
    change = draw.choice(changes)
    for row in draw.sample(rows[1:], 1) if one else rows[1:]:
        row[column] = change(row[column])


@mutation
def note(draw: random.Random, rows: Rows, separator: str) -> None:
    words = draw.choice(["Source : Insee, Filosofi 2019", "Champ : France", "* secret", "© Insee",
                         "Lecture : 59172 vaut 12", "nd = non disponible", "2021 : année", "Note"])  # fmt: skip
    padded = [""] * (len(rows[0]) - 1) if draw.random() < 0.7 else []
    rows.insert(draw.choice([len(rows), draw.randrange(1, len(rows))]), [words, *padded])


@mutation
def total(draw: random.Random, rows: Rows, separator: str) -> None:
    name = draw.choice(["Total", "ENSEMBLE", "France", "", "Moyenne", "00000", "Somme", "Nord"])
    row = [
        "123456" if _numbers(rows, column) and column != _code_column(rows) else ""
        for column in range(len(rows[0]))
    ]
    row[_code_column(rows)] = name
    rows.insert(draw.choice([1, len(rows)]), row)


@mutation
def header_again(draw: random.Random, rows: Rows, separator: str) -> None:
    rows.insert(draw.randrange(1, len(rows) + 1), list(rows[0]))


@mutation
def header_amid(draw: random.Random, rows: Rows, separator: str) -> None:
    rows.insert(draw.randrange(1, len(rows)), rows.pop(0))


@mutation
def thousands(draw: random.Random, rows: Rows, separator: str) -> None:
    mark = draw.choice(" ,.'\u00a0\u202f")
    for row in rows[1:]:
        for column, cell in enumerate(row):
            if column != _code_column(rows) and cell.isdigit() and len(cell) > 3 and cell != "2018":
                row[column] = f"{int(cell):,}".replace(",", mark)


@mutation
def dropped_column(draw: random.Random, rows: Rows, separator: str) -> None:
    column = draw.randrange(len(rows[0]))
    for row in rows:
        del row[column]


@mutation
def emptied_column(draw: random.Random, rows: Rows, separator: str) -> None:
    column = draw.randrange(len(rows[0]))
    for row in rows[1:]:
        row[column] = ""


@mutation
def renamed_column(draw: random.Random, rows: Rows, separator: str) -> None:
    column = draw.randrange(len(rows[0]))
    name = rows[0][column]
    rows[0][column] = draw.choice([name.lower(), f" {name} ", name[:-1] + "X", f"{name}.1",
                                   f"'{name}'", name[:3] + "\n" + name[3:]])  # fmt: skip


@mutation
def line_ends(draw: random.Random, rows: Rows, separator: str) -> str:
    lines = _written(rows, separator).splitlines()
    return draw.choice(["\r\n", "\r", "\n\n", "\r\r\n", "\n\f\n"]).join(lines) + draw.choice(
        ["", "\n", "\n" * 30, "\n\x1a"]
    )


@mutation
def quotes(draw: random.Random, rows: Rows, separator: str) -> str:
    if draw.random() < 0.3:
        return _written(rows, separator, csv.QUOTE_ALL)
    lines = _written(rows, separator).splitlines()
    i = draw.randrange(1, len(lines))
    place = draw.choice([0, lines[i].find(separator), lines[i].find(separator) + 1, len(lines[i])])
    lines[i] = f'{lines[i][:place]}"{lines[i][place:]}'
    return "\n".join(lines)


@mutation
def encoded(draw: random.Random, rows: Rows, separator: str) -> bytes:
    encoding = draw.choice(["utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32", "utf-7"])
    return _written(rows, separator).encode(encoding)


@mutation
def truncated(draw: random.Random, rows: Rows, separator: str) -> None:
    del draw.choice(rows[1:])[draw.randrange(1, len(rows[0])) :]


@mutation
def shifted(draw: random.Random, rows: Rows, separator: str) -> None:
    row = draw.choice(rows[1:])
    row.insert(draw.randrange(1, len(row)), "")


@mutation
def repeated(draw: random.Random, rows: Rows, separator: str) -> None:
    rows.insert(draw.randrange(1, len(rows)), list(draw.choice(rows[1:])))


@mutation
def odd_cell(draw: random.Random, rows: Rows, separator: str) -> None:
    columns = [c for c in range(len(rows[0])) if c != _code_column(rows) and _numbers(rows, c)]
    row = draw.choice(rows[1:])
    row[draw.choice(columns)] = draw.choice(["<5", "12 %", "(4)", "inf", "0x1F", "VRAI", "#REF!",
                                             "#DIV/0!", "12/03/2021", "4*", "~10", "3 - 5"])  # fmt: skip


@mutation
def damaged(draw: random.Random, rows: Rows, separator: str) -> bytes:
    """Bytes changed in a Parquet file."""
    out = io.BytesIO()
    pd.DataFrame(rows[1:], columns=rows[0]).to_parquet(out)
    content = bytearray(out.getvalue())
    for _ in range(draw.randint(1, 4)):
        content[draw.randrange(len(content))] = draw.randrange(256)
    return bytes(content)


BY_FORM = frozenset(MUTATIONS) - {"odd_cell", "encoded", "damaged"}
"""Kinds that form alone betrays."""


def _cells(path: Path) -> tuple[Cells, set[str]]:
    """Read every cell, or why it has no value; and what is told."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        tables = bcs.read(path)
    cells: Cells = {}
    for name in tables:
        frame = tables[name]
        for column in frame.columns:
            given = frame[column].dropna()
            for (code, year), value in zip(given.index.tolist(), given.tolist(), strict=True):
                cells[name, column, code, year] = value
    said = tables.statuts[tables.statuts["statut"] != "ok"]
    keys = zip(*(said[key].tolist() for key in ("table", "colonne", "code", "annee")), strict=True)
    cells |= dict(zip(keys, said["statut"].tolist(), strict=True))
    return cells, {str(w.message) for w in told}


Silent = tuple[int, str, str, list[str]]


def tally(
    folder: Path, numbers: Iterable[int]
) -> tuple[Counter[tuple[str, str]], list[Silent], list[tuple[int, str, str]]]:
    """Read mutated files: outcomes by kind, silent changes, refusals that do not name the file."""
    before = {}
    for name, (separator, rows) in FILES.items():
        path = folder / name
        path.write_text(_written(rows, separator), encoding="utf-8")
        before[name] = _cells(path)
    seen: Counter[tuple[str, str]] = Counter()
    silent: list[Silent] = []
    nameless: list[tuple[int, str, str]] = []
    for number in numbers:
        draw = random.Random(SEED * 1_000_000 + number)
        name, kind = draw.choice(sorted(FILES)), draw.choice(sorted(MUTATIONS))
        separator, rows = FILES[name][0], [list(row) for row in FILES[name][1]]
        content = MUTATIONS[kind](draw, rows, separator)
        content = _written(rows, separator) if content is None else content
        path = folder / (name if kind != "damaged" else name.replace(".csv", ".parquet"))
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        try:
            cells, told = _cells(path)
        except BarometreError as error:
            seen[kind, "refused"] += 1
            nameless += [(number, kind, str(error))] * (path.stem not in str(error))
            continue
        (same, said) = before[name]
        how = "same" if cells == same else "told" if told - said else "silent"
        seen[kind, how] += 1
        if how == "silent":
            silent.append((number, kind, name, sorted(map(str, cells.items() ^ same.items()))[:2]))
    return seen, silent, nameless


@pytest.mark.parametrize("part", range(PARTS))
def test_a_mutated_file_never_changes_a_value_without_a_word(tmp_path: Path, part: int) -> None:
    seen, silent, nameless = tally(tmp_path, range(part, N, PARTS))
    by_form = sum(count for (kind, _), count in seen.items() if kind in BY_FORM)
    betrayed = [case for case in silent if case[1] in BY_FORM]
    assert nameless == []  # a refusal names its file
    assert {kind for kind, _ in seen} == set(MUTATIONS)
    assert len(betrayed) <= 0.02 * by_form, betrayed[:20]
    assert len(silent) <= 0.02 * N / PARTS, silent[:20]


@pytest.mark.parametrize("kind", sorted(MUTATIONS))
def test_every_mutation_changes_the_file(kind: str) -> None:
    changed = 0
    for number in range(40):
        draw = random.Random(number)
        separator, rows = FILES["FILO2019_DISP_COM.csv"]
        mutated = [list(row) for row in rows]
        content = MUTATIONS[kind](draw, mutated, separator)
        changed += mutated != rows or content not in (None, _written(rows, separator))
    assert changed > 20
