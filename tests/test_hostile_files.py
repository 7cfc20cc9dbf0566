"""Archives and workbooks made to harm: refused in words, at once, and nothing is written."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError

HOMES = "code;annee;logements;logements_vacants\n59172;2021;80;12\n"
GIVEN = ["logements", "logements_vacants"]
SECRET = "code;annee;logements;logements_vacants\n01001;2021;99;98\n"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "0123456789">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY i SYSTEM "file://{path}">]>'


def zipped(members: Mapping[str, bytes | str], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return out.getvalue()


def workbook() -> dict[str, bytes]:
    book, out = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for line in HOMES.splitlines():
        book.active.append([int(cell) if cell.isdigit() else cell for cell in line.split(";")])
    book.active["A2"].value = "59172"
    book.save(out)
    with zipfile.ZipFile(out) as made:
        return {name: made.read(name) for name in made.namelist()}


def refusal(path: Path, megabytes: float = 200) -> str:
    """Read a file that must be refused in words, in little memory; a bomb would take hours."""
    tracemalloc.start()
    try:
        with pytest.raises(BarometreError) as refused:
            bcs.read(path)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < megabytes * 2**20
    return str(refused.value)


# ---- archives ------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 3, 40])
def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path, depth: int) -> None:
    content = zipped({"logements.csv": SECRET})
    for _ in range(depth):
        content = zipped({"logements.zip": content})
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert "a.zip" in refusal(path)


@pytest.mark.parametrize(
    "name",
    [
        "../logements.csv",
        "/tmp/logements.csv",
        "..\\logements.csv",
        "C:\\logements.csv",
        "a/../../logements.csv",
    ],
)
def test_a_member_that_climbs_writes_nothing_anywhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "sources" / "ici"
    folder.mkdir(parents=True)
    path = folder / "a.zip"
    path.write_bytes(zipped({name: HOMES}))
    before = sorted(tmp_path.rglob("*"))
    with contextlib.suppress(BarometreError):  # or it is read as it lies, never taken out
        assert bcs.read(path)["logements"][GIVEN].to_numpy().sum() == 92
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/tmp/logements.csv").exists()


def test_a_link_in_an_archive_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(SECRET, "utf-8")
    link = zipfile.ZipInfo("logements.csv")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(link, str(tmp_path / "secret.csv"))
    assert "01001" not in refusal(path)


def test_a_member_that_says_it_is_small_is_not_believed(tmp_path: Path) -> None:
    content = bytearray(zipped({"logements.csv": HOMES.encode() + b"0" * 40 * 2**20}))
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = (100).to_bytes(4, "little")
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert "a.zip" in refusal(path)


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    """The bomb of D. Fifield: a hundred names, one body."""
    one = zipped({"a0.csv": HOMES + "59;2021;1;1\n" * 100_000})
    place = one.rfind(b"PK\x01\x02")
    entry, end = one[place : one.rfind(b"PK\x05\x06")], one[one.rfind(b"PK\x05\x06") :]
    many = b"".join(entry.replace(b"a0.csv", f"{i:02d}.csv".encode()) for i in range(100))
    closed = end[:8] + (100).to_bytes(2, "little") * 2 + len(many).to_bytes(4, "little") + end[16:]
    path = tmp_path / "a.zip"
    path.write_bytes(one[:place] + many + closed)
    assert "a.zip" in refusal(path, megabytes=400)


@pytest.mark.parametrize("name", ["a.zip", "logements.xlsx"])
def test_what_is_encrypted_says_so(tmp_path: Path, name: str) -> None:
    members = {"logements.csv": HOMES} if name == "a.zip" else workbook()
    content = bytearray(zipped(members))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(mark)
        while place >= 0:
            content[place + flags] |= 1
            place = content.find(mark, place + 4)
    path = tmp_path / name
    path.write_bytes(content)
    assert "mot de passe" in refusal(path)


def test_a_workbook_with_a_password_says_so(tmp_path: Path) -> None:
    """Excel puts what it encrypts in the container of the old format."""
    path = tmp_path / "logements.xlsx"
    streams = [
        ("Root Entry", 5, 1),
        ("EncryptedPackage", 2, -1),
        ("EncryptionInfo", 2, -1),
        ("", 0, -1),
    ]
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBiii", 2 * len(name) + 2, kind, 1, -1, 2 if at == 1 else -1, child)
        + bytes(36) + struct.pack("<iII", -2, 0, 0)
        for at, (name, kind, child) in enumerate(streams)
    )  # fmt: skip
    head = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    )
    head += (
        bytes(10)
        + struct.pack("<IiIIiIiI", 1, 1, 0, 4096, -2, 0, -2, 0)
        + struct.pack("<109i", 0, *[-1] * 108)
    )
    path.write_bytes(head + struct.pack("<128i", -3, -2, *[-1] * 126) + directory)
    assert "mot de passe" in refusal(path)


# ---- workbooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "member",
    ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"],
)
def test_entities_that_swell_are_refused(tmp_path: Path, member: str) -> None:
    members = workbook()
    text = members[member].decode()
    body = text.partition("?>")[2] if text.startswith("<?xml") else text
    members[member] = (BOMB + body.replace(">", ">&i;", 1)).encode()
    path = tmp_path / "logements.xlsx"
    path.write_bytes(zipped(members))
    assert "logements.xlsx" in refusal(path)


def test_an_outer_entity_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("777", "utf-8")
    members = workbook()
    text = members["xl/worksheets/sheet1.xml"].decode()
    body = text.partition("?>")[2] if text.startswith("<?xml") else text
    head = OUTSIDE.format(path=tmp_path / "secret.txt")
    members["xl/worksheets/sheet1.xml"] = (head + body.replace("<v>80</v>", "<v>&i;</v>")).encode()
    assert b"&i;" in members["xl/worksheets/sheet1.xml"]
    path = tmp_path / "logements.xlsx"
    path.write_bytes(zipped(members))
    assert "777" not in refusal(path)


def test_dimensions_that_are_false_reserve_nothing(tmp_path: Path) -> None:
    members = workbook()
    text = members["xl/worksheets/sheet1.xml"].decode()
    assert '<dimension ref="A1:D2"' in text
    members["xl/worksheets/sheet1.xml"] = text.replace("A1:D2", "A1:XFD1048576").encode()
    path = tmp_path / "logements.xlsx"
    path.write_bytes(zipped(members))
    tracemalloc.start()
    try:
        assert bcs.read(path)["logements"][GIVEN].to_numpy().tolist() == [[80.0, 12.0]]
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


# ---- links ---------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_a_folder_that_holds_itself_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "logements.csv").write_text(HOMES, "utf-8")
    (tmp_path / "encore").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "perdu.csv").symlink_to(tmp_path / "absent.csv")
    assert bcs.read(tmp_path)["logements"][GIVEN].to_numpy().tolist() == [[80.0, 12.0]]
