"""Numbers and tokens as producers write them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.sources.files.values import (
    NOT_APPLICABLE_TOKENS,
    SECRET_TOKENS,
    UNAVAILABLE_TOKENS,
    Parsed,
    parse_numbers,
)
from barometre.tables.table_set import STATUSES

TOKENS = {
    "secret": SECRET_TOKENS,
    "sans_objet": NOT_APPLICABLE_TOKENS,
    "non_disponible": UNAVAILABLE_TOKENS,
}


def parse(*texts: str | None) -> Parsed:
    return parse_numbers(pd.Series(texts, dtype="str"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0), ("007", 7.0), ("-3", -3.0), ("12,5", 12.5), ("12.5", 12.5),
        ("1,234", 1.234), ("1.234", 1.234), ("1234567,8", 1234567.8),
        ("1 234", 1234.0), ("1\u00a0234,5", 1234.5), ("1\u202f234\u202f567", 1234567.0),
        ("1\u2009234", 1234.0), ("1'234.5", 1234.5), ("1\u2019234", 1234.0), ("-1 234,5", -1234.5),
        ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("1,234,567.25", 1234567.25), ("1.234.567,25", 1234567.25),
        ("+5", 5.0), ("\u22125,5", -5.5), ("1.5E+03", 1500.0), ("1,5e3", 1500.0), ("2E-2", 0.02), ("+1E+2", 100.0),
        (".5", 0.5), ("-,5", -0.5), ("  7 ", 7.0), ("\u00a07\u202f", 7.0), ("0,1", 0.1),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float) -> None:
    parsed = parse(text)
    assert parsed.valeur.tolist() == [value]
    assert parsed.statut.tolist() == [0]
    assert parsed.illisible.tolist() == [False]


@pytest.mark.parametrize(
    "text",
    [
        "12%", "12 %", "(12)", "inf", "-inf", "Infinity", "1e999", "9" * 400, "１２", "١٢", "1_000",
        "0x1F", "True", "12 34", "1234 567", "1 23", "1,234,567", "1.234.567", "12,34.5", "1.23,4",
        "1,2,3", "--5", "+-5", "- 5", "5-", "<5", "abc", "1e", "e5", ".", ",", "1 234 ,5", "2021-01-01",
    ],
)  # fmt: skip
def test_unreadable(text: str) -> None:
    parsed = parse(text, "1")
    assert np.isnan(parsed.valeur[0])
    assert parsed.statut.tolist() == [0, 0]
    assert parsed.illisible.tolist() == [True, False]


@pytest.mark.parametrize("status", TOKENS)
def test_tokens(status: str) -> None:
    tokens = sorted(TOKENS[status])
    written = [
        *tokens,
        *(token.upper() for token in tokens),
        *(f" {token}\u00a0" for token in tokens),
    ]
    parsed = parse(*written)
    assert {STATUSES[position] for position in parsed.statut} == {status}
    assert np.isnan(parsed.valeur).all()
    assert not parsed.illisible.any()


def test_no_token_has_two_meanings() -> None:
    assert len(frozenset().union(*TOKENS.values())) == sum(map(len, TOKENS.values()))


def test_empty_cells_say_nothing() -> None:
    parsed = parse("", "  ", None)
    assert np.isnan(parsed.valeur).all()
    assert not parsed.statut.any()
    assert not parsed.illisible.any()


def test_no_cell() -> None:
    parsed = parse()
    kinds = [parsed.valeur.dtype.str, parsed.statut.dtype.str, parsed.illisible.dtype.str]
    assert kinds == ["<f8", "|i1", "|b1"]
    assert len(parsed.valeur) == len(parsed.statut) == len(parsed.illisible) == 0


def test_the_index_does_not_matter() -> None:
    texts = pd.Series(["1", "nd", "x"], index=[5, 5, 9], dtype="str")
    assert parse_numbers(texts).statut.tolist() == [0, 1, 0]


STYLES = [
    (group, point)
    for group in ("", " ", "\u00a0", "\u202f", "\u2009", "'", "\u2019")
    for point in ",."
]


@given(
    st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(0, 6)), max_size=20),
    st.sampled_from([*STYLES, (",", "."), (".", ",")]),
)
def test_formatted_numbers_are_read_back(
    cases: list[tuple[int, int]], style: tuple[str, str]
) -> None:
    texts, expected = [], []
    group, point = style  # one in a column
    for number, decimals in cases:
        # A comma or a point as thousands separator is only told when there are decimals.
        places = max(decimals, 1) if group in {",", "."} else decimals
        value = number / 10**places
        english = f"{value:,.{places}f}"
        texts.append(english.translate({ord(","): group, ord("."): point}))
        expected.append(float(f"{value:.{places}f}"))
    parsed = parse(*texts)
    assert parsed.valeur.tolist() == expected
    assert not parsed.illisible.any()


CONVENTIONS = [
    (["1,234.5", "1,234"], [1234.5, 1234], []),
    (["1.234,5", "1.234"], [1234.5, 1234], []),
    (["1,234", "12,5"], [1.234, 12.5], []),
    (["1.234", "12.5"], [1.234, 12.5], []),
    (["1,234", "12.5"], [None, 12.5], ["1,234"]),
    (["1.234", "12,5"], [None, 12.5], ["1.234"]),
    (["1.234", "1,234"], [None, None], ["1.234", "1,234"]),
    (["1,234.5", "12,5"], [1234.5, None], ["12,5"]),
    (["1,234.5", "12,5", "1,234"], [1234.5, None, None], ["12,5", "1,234"]),
    (["12,5", "13.2"], [12.5, 13.2], []),  # each says by itself which mark is the decimal one
    (["0,123", "4.5"], [0.123, 4.5], []),
    (["1 234,5", "1,234"], [1234.5, 1.234], []),
    (["1\u00a0234,5", "1,234"], [1234.5, 1.234], []),
]


@pytest.mark.parametrize(("texts", "values", "unreadable"), CONVENTIONS)
def test_one_convention_in_a_column(
    texts: list[str], values: list[float | None], unreadable: list[str]
) -> None:
    for order in (1, -1):
        parsed = parse(*texts[::order])
        assert [None if math.isnan(v) else v for v in parsed.valeur] == values[::order]
        found = [text for text, bad in zip(texts[::order], parsed.illisible, strict=True) if bad]
        assert sorted(found) == sorted(unreadable)


@pytest.mark.parametrize(
    ("texts", "unsure"),
    [
        (["11,223", "4,120"], True), (["11.223", "900"], True), (["11,223", "4,1"], False),
        (["0,223"], False), (["1234,567"], False), (["11 223"], False), (["11,2"], False),
    ],
)  # fmt: skip
def test_a_mark_of_which_a_column_says_nothing(texts: list[str], unsure: bool) -> None:
    assert parse(*texts).equivoque.any() == unsure


@given(st.lists(st.text(alphabet="0123456789,+-eE \u00a0'%ndsc/", max_size=8), max_size=30))
def test_a_cell_is_one_thing_and_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    parsed = parse(*texts)
    for position, text in enumerate(texts):
        alone = parse(text)
        value = parsed.valeur[position]
        number = math.isfinite(value)
        assert number + (parsed.statut[position] > 0) + parsed.illisible[position] == bool(
            text.strip()
        )
        assert np.array_equal(alone.valeur, [value], equal_nan=True)
        assert alone.statut[0] == parsed.statut[position]
        try:
            reference = float(text.strip().replace(",", "."))
        except ValueError:
            continue
        # What Python reads too has the same value; "5." and such are refused here.
        assert parsed.illisible[position] or reference == value
