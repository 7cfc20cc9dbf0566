"""What results say of themselves: French sentences, HTML that is escaped, a chart found by name."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.face import (
    Face,
    decimals_of,
    interval_text,
    kept_sentences,
    number_text,
    p_text,
)
from barometre.base.tidy import tidy


@dataclass(frozen=True)
class Said(Face):
    """A result that says one sentence."""

    table: pd.DataFrame
    text: str

    def sentences(self) -> Sequence[str]:
        return [self.text]


def test_a_result_prints_as_its_summary_and_its_html_is_escaped() -> None:
    table = pd.DataFrame({"<b>": ["<script>"], "estimate": [1.5]})
    result = Said(table, "moins de 5 < 11 & <i>secret</i>")
    assert str(result) == result.summary() == "moins de 5 < 11 & <i>secret</i>"
    page = result._repr_html_()
    assert "<script>" not in page
    assert "<i>" not in page
    assert "5 &lt; 11 &amp; &lt;i&gt;secret&lt;/i&gt;" in page
    assert "1,5" in page


def test_a_tidy_frame_says_what_made_it_and_can_be_pickled() -> None:
    frame = tidy(pd.DataFrame({"n": [1]}), method="essai <b>", n_in=3, n_used=1, lost={"âge": 2})
    assert frame.summary().splitlines() == [
        "Essai <b>.",
        "Base : 1 personne sur 3.",
        "Hors du calcul : 2 personnes (âge).",
    ]
    assert "<b>" not in frame._repr_html_()
    again = pickle.loads(pickle.dumps(frame))
    assert again.meta == frame.meta
    assert again.summary() == frame.summary()
    assert isinstance(frame, bcs.Tidy)
    assert "Aucune ligne." in tidy(pd.DataFrame({"n": []}), method="essai").summary()


@given(
    st.floats(-1e15, 1e15) | st.sampled_from([float("nan"), float("inf"), -float("inf")]),
    st.integers(0, 6),
)
def test_no_number_is_written_with_a_point_or_as_nan(value: float, decimals: int) -> None:
    texts = [number_text(value, decimals), interval_text(value, 1.0, decimals)]
    for text in texts:
        assert "nan" not in text
        assert "." not in text
        assert "-" not in text  # the minus sign of a report is not a hyphen


@given(st.floats(1e-7, 1e7))
def test_two_digits_of_an_error_are_shown(error: float) -> None:
    shown = float(number_text(error, decimals_of(error)).replace("\u202f", "").replace(",", "."))
    assert shown == pytest.approx(error, rel=0.05)


def test_what_is_absent_is_not_said() -> None:
    assert kept_sentences({}) == []
    assert kept_sentences({"n_in": 2, "n_used": 2, "lost": {}, "unit": "ligne"}) == [
        "Base : 2 lignes."
    ]
    assert p_text(0.9996) == "p = 1,000"
