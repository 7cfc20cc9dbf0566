"""Half-up rounding, against exact decimal arithmetic."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.french import format_number


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (46.5, 0, 47.0), (45.5, 0, 46.0), (-46.5, 0, -47.0), (2.675, 2, 2.68), (1.005, 2, 1.01),
        (-2.85, 1, -2.9), (0.49999999, 0, 0.0), (2351.4004, 0, 2351.0), (19_275.0, -2, 19_300.0),
        (21_304.5, -2, 21_300.0), (2**60 + 0.0, 0, 2**60 + 0.0),
    ],
)  # fmt: skip
def test_known_cases(value: float, decimals: int, expected: float) -> None:
    assert bcs.round_half_up(value, decimals) == expected


@given(st.decimals(-(10**7), 10**7, places=4), st.integers(0, 3))
def test_against_decimal_arithmetic(exact: Decimal, decimals: int) -> None:
    expected = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert bcs.round_half_up(float(exact), decimals) == float(expected)


def test_shapes_and_missing_values() -> None:
    series = pd.Series([0.5, np.nan, -np.inf], index=list("abc"), name="x")
    expected = pd.Series([1.0, np.nan, -np.inf], index=list("abc"), name="x")
    pd.testing.assert_series_equal(bcs.round_half_up(series), expected)
    assert bcs.round_half_up(np.array([1.25, 1.35]), 1).tolist() == [1.3, 1.4]
    assert isinstance(bcs.round_half_up(3), float)


@pytest.mark.parametrize(
    ("value", "decimals", "lang", "signed", "text"),
    [
        (2351.4, 0, "fr", False, "2\u202f351"), (2351.4, 0, "en", False, "2,351"),
        (-13.6, 1, "fr", True, "−13,6"), (4.96, 1, "en", True, "+5.0"), (-0.04, 1, "fr", True, "0,0"),
    ],
)  # fmt: skip
def test_numbers_as_printed(
    value: float, decimals: int, lang: str, signed: bool, text: str
) -> None:
    assert format_number(value, decimals, lang, signed=signed) == text  # type: ignore[arg-type]  # a str of the cases, for a literal
