"""Columns of texts by number: what pandas says of the texts themselves."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.texts import RUN, Texts, written_by_blocks
from barometre.sources.files.regular import columns_at, regular_rows

TEXTS = st.lists(st.sampled_from(["", "ok", "secret", "a ; b", "é"]) | st.none(), max_size=40)


def series(texts: list[str | None]) -> pd.Series:
    return pd.Series(texts, dtype="str")


@given(TEXTS)
@settings(max_examples=40, deadline=None)
def test_what_is_numbered_is_written_back(texts: list[str | None]) -> None:
    column = series(texts)
    numbered = Texts.of(pd.concat([column, column[:3], column]))  # pieces that come again
    back = pd.Series(numbered.written())
    pd.testing.assert_series_equal(back, series([*texts, *texts[:3], *texts]))
    assert len(set(numbered.known)) == len(numbered.known)


@given(st.lists(st.tuples(*[st.sampled_from(["x", "y", None])] * 2), max_size=30))
@settings(max_examples=40, deadline=None)
def test_texts_are_joined_row_by_row(pairs: list[tuple[str | None, str | None]]) -> None:
    first, second = (series([pair[i] for pair in pairs]) for i in (0, 1))
    found = pd.Series(Texts.of(first).then(Texts.of(second), "n : ").written())
    expected = [a if b is None else f"n : {b}" if a is None else f"{a} ; n : {b}" for a, b in pairs]
    pd.testing.assert_series_equal(found, series(expected))


def test_many_pairs_of_texts_are_joined_alike() -> None:
    """Beyond a number of pairs, those that exist are sorted rather than looked for in a table."""
    names = series([f"t{i}" for i in range(2500)])
    found = pd.Series(Texts.of(names).then(Texts.of(names[::-1])).written())
    assert found.tolist() == [f"t{i} ; t{2499 - i}" for i in range(2500)]


def test_rows_are_taken_told_and_placed() -> None:
    texts = Texts.of(series(["b", None, "a", "b"]))
    assert pd.Series(texts.take(np.array([3, -1, 1])).written()).isna().tolist() == [0, 1, 1]
    assert texts.told(lambda text: text == "b").tolist() == [True, False, False, True]
    assert texts.places(["a", "b"]).tolist() == [1, -1, 0, 1]
    assert texts.places(["a"]).tolist() == [-1, -1, 0, -1]


@pytest.mark.parametrize("number", [RUN - 1, RUN, 3 * RUN + 5])
def test_a_text_repeated_is_held_once(number: int) -> None:
    text = "taux_demandeurs_emploi_abc" * 10
    column = pd.Series(Texts.one(text, np.ones(number, dtype=bool)).written())
    assert (column == text).all()
    assert len(column) == number
    pieces = column.array.__arrow_array__().chunks
    assert len({piece.buffers()[2].address for piece in pieces}) == 1


CELLS = st.text(alphabet='a;"\n\r 1', max_size=5)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=5), st.booleans())
@settings(max_examples=150, deadline=None)
def test_rows_counted_on_bytes_are_those_that_are_parsed(
    rows: list[list[str]], written: bool
) -> None:
    """A file said to be regular has, parsed, as many rows, each with the cells of its header."""
    stream = io.StringIO(newline="")
    stream.write("code;b;c\n")
    if written:
        csv.writer(stream, delimiter=";", lineterminator="\n").writerows(rows)
    else:
        stream.write("\n".join(";".join(row) for row in rows))
    content = stream.getvalue().encode()
    offset = content.index(b"\n") + 1
    number = regular_rows(content, offset, ";")
    columns = columns_at(content, offset, ";", 3, [2, 0, 1], number) if number else []
    if columns:
        parsed = [*csv.reader(io.StringIO(stream.getvalue(), newline=""), delimiter=";")][1:]
        assert len(parsed) == number
        assert {len(row) for row in parsed} == {3}
        assert all(row[0].strip() for row in parsed)
        third, first, second = (column.to_pylist() for column in columns)
        assert [*map(list, zip(first, second, third, strict=True))] == parsed


def test_a_file_with_quotes_is_regular_too() -> None:
    content = b'code;b;c\r\n"01001";"a;b\n";1\r\n01002;"say ""x""";2\r\n'
    offset = content.index(b"\n") + 1
    assert regular_rows(content, offset, ";") == 2
    codes, texts = columns_at(content, offset, ";", 3, [0, 1], 2)
    assert codes.to_pylist() == ["01001", "01002"]
    assert texts.to_pylist() == ["a;b\n", 'say "x"']


def test_a_file_whose_rows_have_not_all_their_cells_is_not_regular() -> None:
    content = b"code;b;c\n01001;1;2\n01002;1\n"
    assert regular_rows(content, 9, ";") == 2
    assert columns_at(content, 9, ";", 3, [0], 2) == []


def test_columns_made_by_blocks_are_those_made_at_once() -> None:
    number = 5 * RUN + 3  # more than one block, the last one short
    rng = np.random.default_rng(0)
    texts = Texts(rng.integers(-1, 3, number), ("a", "b", "a"))
    figures = rng.normal(size=number)

    def part(some: slice) -> dict[str, Texts | np.ndarray]:
        return {"mot": Texts(texts.positions[some], texts.known), "nombre": figures[some]}

    found = written_by_blocks(number, part)
    assert [*found] == ["mot", "nombre"]
    assert found["nombre"].tolist() == figures.tolist()
    said = [None if place < 0 else "aba"[place] for place in texts.positions]
    assert pd.Series(found["mot"]).astype(object).replace({np.nan: None}).tolist() == said


def test_columns_of_no_row_keep_their_names_and_types() -> None:
    found = written_by_blocks(0, lambda _: {"mot": Texts.none(0), "an": np.zeros(0, np.int64)})
    frame = pd.DataFrame(found)
    assert frame.dtypes.astype(str).to_dict() == {"mot": "str", "an": "int64"}
    assert frame.empty
