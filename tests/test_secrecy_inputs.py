"""Suppression: types of counts, sizes, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre.base.errors import BarometreError, FaultsError
from barometre.secrecy.intruder import audit_suppression
from barometre.secrecy.suppression import suppress
from tests.test_secrecy import ZONES, bounds, hidden, with_margins

# ---- types and edges ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int64", "int8", "float64", "Int64", "Float64", "object"])
def test_types_of_counts(dtype: Any) -> None:
    pd.testing.assert_frame_equal(suppress(ZONES.astype(dtype)).table, suppress(ZONES).table)


def test_booleans_are_counts_of_one() -> None:
    assert suppress(ZONES > 26).table.loc["Z1", "F"] == 0


def test_empty_and_single() -> None:
    assert suppress(pd.DataFrame()).table.empty
    assert suppress(ZONES.iloc[:0]).audit.empty
    assert suppress(pd.Series(dtype="int64")).table.empty
    assert list(suppress(ZONES).audit.dtypes) == list(suppress(ZONES.iloc[:0]).audit.dtypes)
    one = suppress(pd.DataFrame({"F": [3]}, index=["Z1"]))
    assert one.table.shape == (1, 1)
    assert one.table.isna().all(axis=None)
    line = suppress(ZONES.iloc[:1])
    assert list(line.table.index) == ["Z1"]
    assert hidden(line) == {("Z1", "F"), ("Z1", "H")}
    assert audit_suppression(pd.DataFrame()).empty
    assert audit_suppression(ZONES).empty


def test_large_counts_beyond_the_flows() -> None:
    small, large = suppress(ZONES), suppress(ZONES * 10**9, threshold=11 * 10**9)
    pd.testing.assert_frame_equal(large.status, small.status)
    assert large.audit["protege"].all()
    mixed = ZONES.copy()
    mixed.loc["Z3"] = [10**12, 3 * 10**12]
    result = suppress(mixed)
    assert bounds(result.audit, "Z1", "F")[1] >= 10


def test_size_and_time() -> None:
    draw = np.random.default_rng(1)
    table = pd.DataFrame(draw.poisson(draw.gamma(1, 60, (13, 10))))
    start = time.monotonic()
    result = suppress(table)
    assert time.monotonic() - start < 10  # 0.3 s; far above, for slow machines
    assert result.method == "optimal"
    large = suppress(pd.DataFrame(draw.poisson(draw.gamma(1, 60, (120, 12)))))
    assert large.method == "heuristic"
    assert large.audit["protege"].all()


def test_a_pattern_is_returned_when_the_time_is_over() -> None:
    draw = np.random.default_rng(1)
    table = pd.DataFrame(draw.poisson(draw.gamma(1, 60, (13, 10))))
    result = suppress(table, time_limit=1e-6)
    assert result.method == "heuristic"
    assert 0 <= result.gap <= 1
    assert result.audit["protege"].all()
    assert len(result.audit) >= len(suppress(table).audit)


def test_the_result_does_not_hold_the_hidden_counts() -> None:
    result = suppress(ZONES * 7 + 1000, threshold=1030)
    shown = repr(result) + result.audit.to_string() + result.table.to_string() + result.to_text()
    assert "1028" not in shown


def test_scipy_is_loaded_when_needed_only() -> None:
    code = (
        "import sys, barometre.secrecy; sys.exit(any(m.startswith('scipy') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1}, "seuil"),
        ({"threshold": np.nan}, "seuil"),
        ({"threshold": -5}, "seuil"),
        ({"threshold": "11"}, "seuil"),
        ({"threshold": None}, "seuil"),
        ({"method": "optimum"}, "optimal"),
        ({"zero": "drop"}, "zéros"),
        ({"margins": "rows"}, "margins"),
        ({"protection": 0}, "protection"),
        ({"protection": "5"}, "protection"),
        ({"protection": (-1, 3)}, "protection"),
        ({"protection": (1, np.inf)}, "protection"),
        ({"time_limit": 0}, "time_limit"),
        ({"time_limit": "1"}, "time_limit"),
        ({"relations": ["Z1", "Z2"]}, "dictionnaire"),
        ({"relations": {"CA": ["Z1", "Z8"]}}, "Z8"),
        ({"relations": {"CA": "Z1"}}, "liste"),
        ({"relations": {"CA": ["Z1", "F"]}}, "lignes"),
        ({"relations": {"CA": ["Z1", "Z1"]}}, "double"),
        ({"relations": {"A": ["Z1", "Z2"], "B": ["A", "Z2"]}}, "recouvrent dans B"),
        ({"relations": {"Z1": ["Z2"], "Z2": ["Z1"]}}, "elle-même"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BarometreError, match=message):
        suppress(ZONES, **options)


def test_every_fault_of_a_table_is_named() -> None:
    table = ZONES.astype(float)
    table.loc["Z1", "F"] = np.nan
    table.loc["Z2", "H"] = -1
    table.loc["Z3", "H"] = np.inf
    with pytest.raises(FaultsError) as caught:
        suppress(table)
    assert len(caught.value.defauts) == 3
    assert all(place in str(caught.value) for place in ("Z1 × F", "Z2 × H", "Z3 × H"))


def test_totals_that_are_no_sums_are_named() -> None:
    table = with_margins(ZONES)
    table.loc["Ensemble", "F"] = 60
    table.loc["Z2", "Ensemble"] = 64
    with pytest.raises(FaultsError) as caught:
        suppress(table)
    assert "Ensemble × F vaut 60, la somme 59" in str(caught.value)
    assert "Z2 × Ensemble vaut 64, la somme 65" in str(caught.value)
    with pytest.raises(FaultsError, match="CA × F"):
        suppress(
            pd.concat([ZONES, pd.DataFrame({"F": [1], "H": [75]}, index=["CA"])]),
            relations={"CA": ["Z1", "Z2"]},
        )


def test_a_total_under_another_name_is_seen() -> None:
    table = pd.crosstab(
        pd.Series(list("aab"), name="z"), pd.Series(list("xyx"), name="s"), margins=True
    )
    with pytest.raises(FaultsError, match="total='All'"):
        suppress(table)
    assert suppress(table, total="All").audit["protege"].all()


@pytest.mark.parametrize(
    "table",
    [
        pd.concat([ZONES, ZONES]),
        ZONES.astype(str),
        ZONES.astype("datetime64[ns]"),
        ZONES.to_dict(),
        ZONES.rename(index={"Z1": np.nan}),
    ],
    ids=["twice", "text", "dates", "dict", "unnamed"],
)
def test_what_is_no_table_of_counts_is_refused(table: Any) -> None:
    with pytest.raises(FaultsError, match="tableau refusé"):
        suppress(table)


def test_an_impossible_table_cannot_be_audited() -> None:
    seen = pd.Series({"a": None, "b": 8, "Ensemble": 5}, dtype="float64")
    with pytest.raises(FaultsError, match="aucun tableau"):
        audit_suppression(seen)
    with pytest.raises(FaultsError, match="aucun tableau"):
        audit_suppression(pd.Series({"a": 1.0, "b": 8, "Ensemble": 5}))
    with pytest.raises(BarometreError, match="lowest"):
        audit_suppression(seen, lowest=-1)
    with pytest.raises(FaultsError, match="total absent"):
        audit_suppression(seen, relations={"c": ["a", "b"]})
    bounded = audit_suppression(pd.Series({"a": None, "b": None, "Ensemble": 5.0}), lowest=1)
    assert bounds(bounded, "a", "effectif") == (1, 4)
