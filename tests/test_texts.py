"""Columns of texts by number: what pandas says of the texts themselves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.texts import RUN, Texts

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
    pieces = column.array.__arrow_array__().chunks  # type: ignore[attr-defined]
    assert len({piece.buffers()[2].address for piece in pieces}) == 1
