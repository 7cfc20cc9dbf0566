"""Any producer's file is read cell for cell, or refused: never shifted."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from barometre.base.errors import BarometreError, FaultsError
from barometre.sources.files import delimited, limits, text
from barometre.sources.files.text import Source, open_sources

HEADER = "CODGEO;LIBGEO;NBMEN19;Q219"
ROWS = "59172;Denain;8 300;14\u00a0810\n01001;L'Abergement-Clémenciat;322;23970\n"
READ = [
    ["59172", "Denain", "8 300", "14\u00a0810"],
    ["01001", "L'Abergement-Clémenciat", "322", "23970"],
]


def known(names: Sequence[str], nom: str) -> bool:
    return "CODGEO" in names and len(names) > 1


def never(names: Sequence[str], nom: str) -> bool:
    return False


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def only(path: Path) -> Source:
    (source,) = open_sources(path, known)
    return source


def cells(source: Source, columns: Sequence[str] | None = None) -> list[list[str]]:
    frame = source.lire(columns or source.entete)
    assert (frame.dtypes == "str").all()
    assert frame.index.equals(pd.RangeIndex(len(frame)))
    assert frame.columns.tolist() == list(columns or source.entete)
    return [[str(cell) for cell in row] for row in frame.to_numpy().tolist()]


# Dialects


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str) -> None:
    content = f"{HEADER}\n{ROWS}".replace("\n", end)
    assert cells(only(write(tmp_path / "f.csv", content, encoding))) == READ


def test_utf16_big_endian(tmp_path: Path) -> None:
    content = b"\xfe\xff" + f"{HEADER}\n{ROWS}".encode("utf-16-be")
    assert cells(only(write(tmp_path / "f.csv", content))) == READ


def test_bytes_without_cp1252_character(tmp_path: Path) -> None:
    source = only(write(tmp_path / "f.csv", b"CODGEO;LIBGEO\n01001;\xe9\x81\n"))
    assert cells(source) == [["01001", "é\x81"]]


def test_an_accent_beyond_the_first_chunk_decides_of_the_encoding(tmp_path: Path) -> None:
    filler = f"59172;{'x' * 793}\n" * (delimited.BEGINNING // 800)
    for encoding in ("utf-8", "cp1252"):
        path = write(tmp_path / "f.csv", f"CODGEO;LIBGEO\n{filler}01001;é\n", encoding)
        assert cells(only(path))[-1] == ["01001", "é"]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("recognised", [known, never])
def test_separators(tmp_path: Path, separator: str, recognised: text.Recogniser) -> None:
    content = "CODGEO;A;B\n59172;12;x\n01001;13;y\n".replace(";", separator)
    (source,) = open_sources(write(tmp_path / "f.csv", content), recognised)
    assert cells(source) == [["59172", "12", "x"], ["01001", "13", "y"]]


def test_decimal_commas_are_not_separators(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "CODGEO;A\n59172;12,5\n01001;1,5\n")
    (source,) = open_sources(path, never)
    assert cells(source) == [["59172", "12,5"], ["01001", "1,5"]]


def test_quotes(tmp_path: Path) -> None:
    content = '"CODGEO";"LIB\nGEO";A\n"59172";"a;b ""c""\nd";1\n01001;"";" 2 "\n2A004;5" tuyau;3\n'
    source = only(write(tmp_path / "f.csv", content))
    assert source.entete == ("CODGEO", "LIB GEO", "A")
    assert cells(source) == [
        ["59172", 'a;b "c"\nd', "1"],
        ["01001", "", "2"],
        ["2A004", '5" tuyau', "3"],
    ]


def test_sparse_quotes_are_counted_without_parsing(tmp_path: Path) -> None:
    names = [f"C{i}" for i in range(200)]
    row = ";".join(["123456"] * 199)
    content = f"CODGEO;{';'.join(names[1:])}\n" + f'"59172";{row[:-6]}"a;b ""c"""\n' * 2
    source = only(write(tmp_path / "f.csv", content))
    assert cells(source, ["CODGEO", "C198", "C199"]) == [["59172", "123456", 'a;b "c"']] * 2
    write(tmp_path / "f.csv", content + f'"59172";{row};1\n')
    with pytest.raises(FaultsError, match=r"1 ligne .*: 4 "):
        source.lire(["CODGEO"])


@pytest.mark.parametrize("cell", ['"Denain', '"De"nain'])
def test_bad_quotes_are_refused(tmp_path: Path, cell: str) -> None:
    source = only(write(tmp_path / "f.csv", f"CODGEO;LIBGEO\n59172;{cell}\n01001;x\n"))
    with pytest.raises(FaultsError, match="guillemets : mal fermés"):
        source.lire(["CODGEO"])


# Header


def test_title_lines(tmp_path: Path) -> None:
    titles = "Revenus, pauvreté ; niveau de vie\n\nSource : Insee, 2019\n" + "\n" * 5
    source = only(write(tmp_path / "f.csv", f"{titles}{HEADER}\n;;ménages;euros\n{ROWS}"))
    assert cells(source) == [["", "", "ménages", "euros"], *READ]


def test_unknown_header_is_the_first_line_of_two_names(tmp_path: Path) -> None:
    (source,) = open_sources(write(tmp_path / "f.csv", "Titre, long\n\na;b\n1;2\n3;4\n"), never)
    assert source.entete == ("a", "b")
    assert cells(source) == [["1", "2"], ["3", "4"]]


def test_names_are_folded(tmp_path: Path) -> None:
    source = only(
        write(
            tmp_path / "f.csv", 'CODGEO; EVOL_CA_N_E ;"de 65 ans\u00a0et\nmoins";;;\n59172;1;2;;;\n'
        )
    )
    assert source.entete == ("CODGEO", "EVOL_CA_N_E", "de 65 ans et moins")


def test_duplicated_names_matter_only_when_asked(tmp_path: Path) -> None:
    source = only(write(tmp_path / "f.csv", "CODGEO;A;A;;B;;\n59172;1;2;x;3;;\n"))
    assert source.entete == ("CODGEO", "A", "A", "", "B")
    assert cells(source, ["B", "CODGEO"]) == [["3", "59172"]]
    with pytest.raises(FaultsError, match="colonnes en double : A ;"):
        source.lire(["CODGEO", "A"])
    with pytest.raises(FaultsError, match="colonnes absentes : C, "):
        source.lire(["C", ""])
    assert source.lire([]).empty


@pytest.mark.parametrize("content", [HEADER, f"{HEADER}\n", f"{HEADER}\n;;;\n\n"])
def test_a_table_without_rows(tmp_path: Path, content: str) -> None:
    assert cells(only(write(tmp_path / "f.csv", content))) == []


# Shape of the rows


def test_hundreds_of_trailing_columns(tmp_path: Path) -> None:
    content = f"{HEADER}\n{ROWS};;;\n".replace("\n", ";" * 300 + "\n")
    assert cells(only(write(tmp_path / "f.csv", content))) == READ


def test_rows_but_not_the_header_end_with_a_separator(tmp_path: Path) -> None:
    content = HEADER + "\n" + ROWS.replace("\n", ";\n")
    assert cells(only(write(tmp_path / "f.csv", content))) == READ


def test_empty_rows_and_notes_are_dropped(tmp_path: Path) -> None:
    notes = "\n;;;\nSource : Insee, Filosofi 2019\n\u00a0; ;\nChamp : France\n"
    assert cells(only(write(tmp_path / "f.csv", f"{HEADER}\n\n{ROWS}{notes}"))) == READ


def test_a_row_with_only_its_code_is_kept(tmp_path: Path) -> None:
    assert cells(only(write(tmp_path / "f.csv", f"{HEADER}\n{ROWS}59001;;;\n")))[-1] == [
        "59001",
        "",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "row", ["59001", "59001 Denain", "2A004", "QP059050", "METRO", "590", "59001;x"]
)
def test_a_truncated_file_is_refused(tmp_path: Path, row: str) -> None:
    source = only(write(tmp_path / "f.csv", f"{HEADER}\n{ROWS}{row}"))
    with pytest.raises(FaultsError, match=": 4 ;"):
        source.lire(["CODGEO"])


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        ("59001;x;1", "3"),
        ("59001;x;1;2;3", "3"),
        ("59001", "3"),
        ("59001;;5;;", "3"),  # one separator too many: shifted, although nothing is beyond
        ("Une note\n59001;x;1;2", "3"),
        ('59001;"x;1";2', "3"),
        ('59001;"x\ny";1;2\n59002;x', "5"),
    ],
)
def test_ragged_rows_are_refused(tmp_path: Path, row: str, lines: str) -> None:
    first, last = ROWS.splitlines()
    source = only(write(tmp_path / "f.csv", f"{HEADER}\n{first}\n{row}\n{last}\n"))
    with pytest.raises(
        FaultsError, match=rf"1 ligne sans le nombre de colonnes .*\(4\) : {lines} ;"
    ):
        source.lire(["CODGEO"])


def test_a_missing_separator_among_trailing_columns(tmp_path: Path) -> None:
    rows = ROWS.replace("\n", ";;\n")
    source = only(write(tmp_path / "f.csv", f"{HEADER};;\n{rows}59001;5;1;;\n"))
    with pytest.raises(FaultsError, match=": 4 ;"):
        source.lire(["CODGEO"])


def test_many_ragged_rows_are_cut_short(tmp_path: Path) -> None:
    source = only(write(tmp_path / "f.csv", f"{HEADER}\n" + "59001;x\n" * 30))
    with pytest.raises(FaultsError, match=r"30 lignes .* 10, 11, \.\.\. ;"):
        source.lire(["CODGEO"])


def test_a_long_tail_of_notes(tmp_path: Path) -> None:
    notes = "Champ - France métropolitaine\n;;;;\n\n" * 20_000
    assert cells(only(write(tmp_path / "f.csv", f"{HEADER};;;;\n{ROWS}{notes}"))) == READ


# Files that are no table


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.csv", b"", "fichier vide"),
        ("f.csv", b" \r\n\n", "fichier vide"),
        ("f.csv", b"a;b\n\x00;1\n", "octets nuls"),
        ("f.csv", b"\xff\xfea", "illisible"),
        ("f.csv", b"un seul mot\n", "aucune ligne d'en-tête"),
        ("f.csv", b'"' + b"a" * 200_000, "aucune ligne d'en-tête"),
        ("f.pdf", b"%PDF", "format « .pdf » inconnu"),
        ("f.xlsx", b"PK\x03\x04", "illisible"),
        ("f.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "illisible"),
        ("f.parquet", b"PAR1", "illisible"),
        ("f.zip", b"PK\x03\x04", "illisible"),
    ],
)
def test_what_is_no_table(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(BarometreError, match=rf"^{name} : .*{message}"):
        open_sources(write(tmp_path / name, content), known)


def test_nul_bytes_far_in_the_file(tmp_path: Path) -> None:
    filler = b"59172;x\n" * (delimited.BEGINNING // 8)
    source = only(write(tmp_path / "f.csv", b"CODGEO;LIBGEO\n" + filler + b"\0"))
    with pytest.raises(BarometreError, match="octets nuls"):
        source.lire(["CODGEO"])


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match=r"absent\.csv : fichier introuvable"):
        open_sources(tmp_path / "absent.csv", known)
    (tmp_path / "dossier.csv").mkdir()
    with pytest.raises(BarometreError, match=r"dossier\.csv : c'est un dossier"):
        open_sources(tmp_path / "dossier.csv", known)


# Archives


def archive(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_archive(tmp_path: Path) -> None:
    table = f"{HEADER}\n{ROWS}"
    ignored = [
        "meta_FILO.csv", "FILO_metadata.csv", "varmod_LOG.csv", "Dictionnaire.xlsx", "doc.pdf", "LISEZMOI.txt",
        "__MACOSX/FILO.csv", "d/._FILO.csv", "vide/",
    ]  # fmt: skip
    members = {"d/FILO2019_DISP_COM.csv": table, "B.TXT": table} | dict.fromkeys(ignored, "un mot")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("APL 2022")
    sheet.append(["CODGEO", "A"])
    sheet.append(["01001", 1])
    book.save(tmp_path / "apl.xlsx")
    path = archive(tmp_path / "archive.zip", **members)
    with zipfile.ZipFile(path, "a") as file:
        file.write(tmp_path / "apl.xlsx", "apl.xlsx")
    sources = open_sources(path, known)
    assert [(source.nom, source.stem) for source in sources] == [
        ("archive.zip/d/FILO2019_DISP_COM.csv", "FILO2019_DISP_COM"),
        ("archive.zip/B.TXT", "B"),
        ("archive.zip/apl.xlsx [APL 2022]", "apl APL 2022"),
    ]
    assert cells(sources[0]) == cells(sources[1]) == READ
    assert cells(sources[2]) == [["01001", "1"]]


def test_refused_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "a.zip")
    with pytest.raises(BarometreError, match=r"a\.zip : archive vide"):
        open_sources(path, known)
    with pytest.raises(BarometreError, match=r"a\.zip : aucune ligne d'en-tête"):
        open_sources(archive(path, **{"a.txt": "mot"}), known)
    with pytest.raises(BarometreError, match=r"a\.zip/b\.zip : archive dans une archive"):
        open_sources(archive(path, **{"b.zip": "x"}), known)
    archive(path, **{"a.csv": f"{HEADER}\n{ROWS}"})
    monkeypatch.setattr(limits, "_LARGEST", 10)
    with pytest.raises(BarometreError, match=r"a\.zip/a\.csv : .* trop grand"):
        open_sources(path, known)
    monkeypatch.undo()
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    with pytest.raises(BarometreError, match=r"a\.zip/a\.csv : protégé par un mot de passe"):
        open_sources(write(path, bytes(content)), known)


def test_a_damaged_member(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", **{"a.csv": f"{HEADER}\n{ROWS}"})
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    with pytest.raises(BarometreError, match=r"a\.zip/a\.csv : fichier illisible"):
        open_sources(write(path, bytes(content)), known)


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.b.csv", "a.b"), ("base [1].csv", "base [1]"), ("base [1].xlsx [F 2]", "base [1] F 2")],
)
def test_stems(name: str, stem: str) -> None:
    assert Source(name, (), lambda *_: pd.DataFrame()).stem == stem
