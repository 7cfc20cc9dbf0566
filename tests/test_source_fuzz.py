"""Whatever the bytes and the dialect: read cell for cell, or refused."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError, FaultsError
from barometre.sources.files.text import open_sources
from tests.test_source_sheets import old_workbook, workbook
from tests.test_source_text import HEADER, ROWS, archive, cells, known, only, write

SIGNATURES = [
    b"",
    b"PK\x03\x04",
    b"PAR1",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"CODGEO;A\n",
    b'CODGEO,"A\n',
    b"\t\x00\x04\x00\x02\x00\x10\x00",
]


@given(
    st.sampled_from(["f.csv", "f.tsv", "f.xlsx", "f.xls", "f.parquet", "f.zip"]),
    st.sampled_from(SIGNATURES),
    st.binary(max_size=200) | st.text('CODGEO;,|\t\n\r" 01é', max_size=60).map(str.encode),
)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, signature: bytes, content: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp() / name, signature + content)
    try:
        for source in open_sources(path, known):
            source.lire(
                [column for column in source.entete if source.entete.count(column) == 1 and column]
            )
    except BarometreError:
        pass


@given(st.sampled_from(["apl.xlsx", "f.parquet", "a.zip", "v.xls"]), st.data())
def test_any_damage_is_survived(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / f"sain_{name}"
    if not path.exists():
        if name == "apl.xlsx":
            workbook(path)
        elif name == "f.parquet":
            pq.write_table(pa.table({"CODGEO": ["01001"], "A": [1.5]}), path)
        elif name == "a.zip":
            archive(path, **{"a.csv": f"{HEADER}\n{ROWS}"})
        else:
            write(path, old_workbook([["CODGEO", "A"], ["01001", 1.5]]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[
        : data.draw(st.integers(len(content) // 2, len(content)) | st.just(len(content)))
    ]
    try:
        for source in open_sources(write(path.with_name(name), bytes(content)), known):
            source.lire(
                [column for column in source.entete if source.entete.count(column) == 1 and column]
            )
    except BarometreError:
        pass


NAMES = ["LIBGEO", "P20_POP", "Q219", "TX\u00a0F", "Part des ménages", "NOTE", "x"]
CELLS = st.text("ab1é ;,|\t\"'-", max_size=6)
LINES_CELLS = CELLS | st.text('a"\n;', max_size=5)


@st.composite
def frames(draw: st.DrawFn, contents: st.SearchStrategy[str]) -> tuple[list[str], list[list[str]]]:
    names = ["CODGEO", *draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))]
    codes = draw(st.lists(st.sampled_from(["01001", "59172", "2A004", "QP059050"]), max_size=6))
    rows = [[code, *(draw(contents) for _ in names[1:])] for code in codes]
    order = draw(st.permutations(range(len(names))))
    return [names[i] for i in order], [[row[i] for i in order] for row in rows]


@given(
    frame=frames(LINES_CELLS),
    separator=st.sampled_from(";,\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    trailing=st.integers(0, 3),
    titles=st.lists(
        st.sampled_from(["Revenus en 2019", "", "Source : Insee, Filosofi ; 2019", ";;;"]),
        max_size=4,
    ),
    note=st.sampled_from(["", "Champ - France", "\n;;\n"]),
    data=st.data(),
)
def test_any_dialect_is_read_cell_for_cell(
    tmp_path_factory: pytest.TempPathFactory,
    frame: tuple[list[str], list[list[str]]],
    separator: str,
    encoding: str,
    end: str,
    quoting: int,
    trailing: int,
    titles: list[str],
    note: str,
    data: st.DataObject,
) -> None:
    names, rows = frame
    if end == "\r":  # the csv module of Python 3.11 only quotes the line ends that it writes
        rows = [[cell.replace("\n", "\r") for cell in row] for row in rows]
    stream = io.StringIO(newline="")
    stream.write("".join(title + end for title in titles))
    writer = csv.writer(stream, delimiter=separator, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]  # a str of the cases, for a literal
    writer.writerows([*row, *[""] * trailing] for row in [names, *rows])
    stream.write(note.replace(";", separator).replace("\n", end))
    folder = tmp_path_factory.getbasetemp()
    source = only(write(folder / "f.csv", stream.getvalue(), encoding))
    assert source.entete == tuple(name.replace("\u00a0", " ") for name in names)
    asked = data.draw(st.permutations(source.entete))[: data.draw(st.integers(1, len(names)))]
    places = [source.entete.index(name) for name in asked]
    assert cells(source, asked) == [
        [row[i].strip().replace("\r", "\n") for i in places] for row in rows
    ]


@given(frame=frames(st.text("ab1é ,", max_size=4)), trailing=st.integers(0, 3), data=st.data())
def test_a_missing_or_added_separator_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
    frame: tuple[list[str], list[list[str]]],
    trailing: int,
    data: st.DataObject,
) -> None:
    names, rows = frame
    assume(rows)
    place = names.index("CODGEO")  # first: a label cut short looks like a note
    names, *rows = [[row[place], *row[:place], *row[place + 1 :]] for row in [names, *rows]]
    lines = [";".join([*row, *[""] * trailing]) for row in [names, *rows]]
    faulty = data.draw(st.integers(1, len(rows)))
    line = lines[faulty]
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(line)))
        lines[faulty] = f"{line[:place]};{line[place:]}"
    else:
        place = data.draw(st.sampled_from([i for i, c in enumerate(line) if c == ";"]))
        lines[faulty] = line[:place] + line[place + 1 :]
    source = only(write(tmp_path_factory.getbasetemp() / "f.csv", "\n".join(lines) + "\n"))
    with pytest.raises(FaultsError, match=f"1 ligne sans .* : {faulty + 1} ;"):
        source.lire(["CODGEO"])


@given(st.lists(st.text('a; "é', max_size=12), max_size=4), st.booleans())
def test_quotes_are_counted_as_they_are_parsed(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], sparse: bool
) -> None:
    """The quick count of cells and pandas agree with the csv module, or the file is refused."""
    filler = "x" * 700 if sparse else "x"
    content = "".join(f"{row};{filler}\n" for row in rows)
    source = only(write(tmp_path_factory.getbasetemp() / "f.csv", f"CODGEO;A;B\n{content}"))
    try:
        expected = list(csv.reader(io.StringIO(content), delimiter=";", strict=True))
        read = cells(source)
    except (BarometreError, csv.Error):
        return
    assert read == [[cell.strip() for cell in row[:3]] for row in expected]
