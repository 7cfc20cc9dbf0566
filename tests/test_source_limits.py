"""What a file costs: large texts are read as small ones, in the memory of what is kept."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.files import delimited, large, limits, sheets

COLUMNS = (
    "CODGEO",
    "LIBGEO",
    "NBMEN19",
    "NBPERS19",
    "NBUC19",
    "Q219",
    "D119",
    "D919",
    "RD",
    "TP6019",
    "PPSOC19",
)


def text_of(draw: random.Random) -> bytes:
    """Draw a text: titles, notes, empty and truncated rows, quotes, two encodings, any line end."""
    end = draw.choice(["\n", "\n", "\r\n", "\r"])
    quoted = draw.random() < 0.4

    def cell() -> str:
        word = draw.choice(["1", "", "12,5", "é", "Saint-Étienne", " x ", "a b", "œuf", "'"])
        inside = draw.choice(["", '""', ";", " ", end])
        return f'"{word}{inside}"' if quoted and draw.random() < 0.4 else word

    rows = [
        ["code", "b", "c"],
        *([f"{10000 + i}", cell(), cell()] for i in range(draw.randint(0, 9))),
    ]
    oddities: tuple[tuple[list[str], float], ...] = (
        (["Titre"], 0.2),
        (["", "", ""], 0.2),
        (["59", "1"], 0.1),
        (["Source : Insee"], 0.2),
    )
    for row, chance in oddities:
        if draw.random() < chance:
            rows.insert(0 if row == ["Titre"] else draw.randint(1, len(rows)), row)
    if draw.random() < 0.1:
        rows = [[*row, ""] for row in rows]
    text = end.join(map(";".join, rows)) + (end if draw.random() < 0.7 else "")
    content = text.encode(draw.choice(["utf-8", "utf-8", "utf-8-sig", "cp1252"]))
    other = "59000;Orléans;1".encode("cp1252")
    return content + draw.choice([b"", b"", b"", b"\0", end.encode() + other])


def whole(content: bytes, header: delimited.Header) -> pd.DataFrame:
    text = delimited.as_utf8("f", content)
    return delimited.read_columns("f", text, header, ["code", "c"], 99)


def streamed(content: bytes, header: delimited.Header) -> pd.DataFrame:
    return large.read_columns("f", lambda: io.BytesIO(content), header, ["code", "c"], 99)


def answer(read: Callable[[bytes, delimited.Header], pd.DataFrame], content: bytes) -> object:
    """Give the cells read, or the words of the refusal."""
    head = delimited.as_utf8("f", content.split(b"\0")[0])
    header = delimited.find_header(head, lambda names: "code" in names)
    assert header is not None
    try:
        return read(content, header).to_numpy().tolist()
    except BarometreError as error:
        return str(error)


@pytest.mark.parametrize("block", [7, 64, 2**20])
def test_large_texts_are_read_as_small_ones(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(large, "_BLOCK", block)
    monkeypatch.setattr(large, "_TEXT", 30)
    draw, compared, refused = random.Random(block), 0, 0
    for _ in range(60):
        content = text_of(draw)

        answers = [answer(read, content) for read in (whole, streamed)]
        assert answers[0] == answers[1], content
        compared += 1
        refused += isinstance(answers[0], str)
    assert compared == 60
    assert 5 < refused < 50


def archive(path: Path, rows: int, padding: str = "") -> Path:
    """Write a Filosofi file of communes in an archive, each row with as much beside as asked."""
    cells = "X;812;1900;1200,5;21000;12000;38000;3,2;14,1;5,5"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped,
        zipped.open("FILO2019_DISP_COM.csv", "w", force_zip64=True) as file,
    ):
        file.write((";".join((*COLUMNS, "RESTE")) + "\n").encode())
        for i in range(rows):
            noise = random.Random(i).getrandbits(1600)
            file.write(f"{1001 + i:05d};{cells};{padding}{noise}\n".encode())
    return path


def test_a_large_member_gives_the_same_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path / "f.zip", 300)
    small = bcs.read(path)
    monkeypatch.setattr(delimited, "LARGEST", 1000)
    monkeypatch.setattr(large, "LARGEST", 1000)
    assert bcs.read(path)["revenus"].equals(small["revenus"])


@pytest.mark.skipif(
    os.environ.get("BAROMETRE_SLOW") != "1", reason="some seconds and 600 MB: make slow"
)
def test_an_archive_is_limited_by_what_is_kept_not_by_its_size(tmp_path: Path) -> None:
    path = archive(tmp_path / "f.zip", 25_000, "x" * 24_000)
    assert zipfile.ZipFile(path).infolist()[0].file_size > 600e6
    program = (
        "import resource, sys, barometre as bcs\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "bcs.read(sys.argv[2]); before = peak(); tables = bcs.read(sys.argv[1])\n"
        "print(len(tables['revenus']), peak() - before)"
    )
    little = archive(tmp_path / "little.zip", 10)
    out = subprocess.run(
        [sys.executable, "-c", program, path, little], capture_output=True, text=True, check=True
    ).stdout.split()
    assert int(out[0]) == 25_000
    assert int(out[1]) < 500


def test_more_rows_than_territories_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ONE_ROW_EACH", 200)
    path = archive(tmp_path / "f.zip", 300)
    for largest in (2**26, 1000):  # held whole, then as a stream
        monkeypatch.setattr(delimited, "LARGEST", largest)
        with pytest.raises(BarometreError, match=r"f\.zip/FILO2019.*plus de 200 lignes.*découper"):
            bcs.read(path)


def test_more_text_than_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "f.zip", 300)
    monkeypatch.setattr(delimited, "LARGEST", 1000)
    monkeypatch.setattr(limits, "_HEAVIEST", 1000)
    with pytest.raises(BarometreError, match=r"colonnes utiles.*le découper"):
        bcs.read(path)


def test_archives_that_swell_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for i in range(20):
            zipped.writestr(f"{i}.csv", b"a;b\n" + b"1;2\n" * 50_000)
    monkeypatch.setattr(limits, "_SWOLLEN_WHOLE", 2**20)
    with pytest.raises(BarometreError, match=r"f\.zip : .* fois sa taille"):
        bcs.read(path)


def test_a_line_without_end_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGEST", 100)
    monkeypatch.setattr(large, "_BLOCK", 32)
    content = b"code;b\n" + b"1" * 200
    header = delimited.Header(("code", "b"), ";", 2, 1, 7)
    with pytest.raises(BarometreError, match="ce n'est pas un tableau"):
        large.read_columns("f.csv", lambda: io.BytesIO(content), header, ["code"], 99)


@pytest.mark.parametrize("member", ["xl/sharedStrings.xml", "xl/styles.xml"])
def test_a_workbook_is_limited_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["code", "annee", "logements", "logements_vacants"])
    book.active.append(["59172", 2021, 80, 12])
    path = tmp_path / "logements.xlsx"
    book.save(path)
    assert len(bcs.read(path)["logements"]) == 1
    held = dict.fromkeys(limits._HELD, 0)
    monkeypatch.setattr(limits, "_HELD", held | {member.lower().removesuffix(".xml"): 0})
    with pytest.raises(BarometreError, match=r"logements\.xlsx : xl/.* remplirait la mémoire"):
        bcs.read(path)


def test_marks_of_a_sheet_are_found_across_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["code", "annee", "logements", "logements_vacants"])
    for i in range(30):
        book.active.append([f"{59000 + i}" if i % 2 == 0 else None, 2021, 80, 12])
    book.active["C9"] = "=SUM(1,2)"
    path = tmp_path / "logements.xlsx"
    book.save(path)
    content = path.read_bytes()
    whole = sheets._marks(content, "xl/worksheets/sheet1.xml")
    assert whole.unsaved
    monkeypatch.setattr(sheets, "_PIECE", 100)
    assert sheets._marks(content, "xl/worksheets/sheet1.xml") == whole


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_no_more_is_read_than_asked_nor_reserved_than_is_there(size: int) -> None:
    content = bytes(range(256)) * 2**13  # 2 MiB
    assert limits.read_at_most(io.BytesIO(content), size) == content[:size]
    tracemalloc.start()
    with tempfile.TemporaryFile() as file:
        file.write(b"code;a\n")
        file.seek(0)
        assert limits.read_at_most(file, 2**26) == b"code;a\n"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22
