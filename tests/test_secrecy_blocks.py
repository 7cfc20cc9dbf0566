"""Large tables by blocks, against one linear programme of the whole table."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from scipy.sparse import block_array, csr_array, eye_array, kron

from barometre.secrecy import suppression
from barometre.secrecy.intruder import SampledAuditWarning, audit_suppression
from barometre.secrecy.suppression import suppress

SOLVER = 1e-4  # of HiGHS, 1e-7 per equation; counts differ by 1


def drawn(rows: int, columns: int, mean: float, seed: int, shape: float = 1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(draw.poisson(draw.gamma(shape, mean / shape, (rows, columns))))


def whole_ranges(table: pd.DataFrame, cells: np.ndarray) -> list[tuple[float, float]]:
    """Ranges of hidden cells of a table with both totals: every row and every column adds up."""
    seen = table.to_numpy()
    rows, columns = seen.shape
    last_row = csr_array(np.append(np.ones(rows - 1), -1)[None, :])
    last_column = csr_array(np.append(np.ones(columns - 1), -1)[None, :])
    matrix = block_array(
        [[kron(last_row, eye_array(columns))], [kron(eye_array(rows), last_column)]]
    ).tocsr()
    known = np.nan_to_num(seen.ravel())
    hidden = np.isnan(seen.ravel())
    right, free = -(matrix @ known), matrix[:, np.flatnonzero(hidden)]
    place = np.cumsum(hidden) - 1
    found = []
    for cell in cells:
        gain = np.zeros(free.shape[1])
        gain[place[cell]] = 1
        ends = [linprog(sign * gain, A_eq=free, b_eq=right, bounds=(1, None)) for sign in (1, -1)]
        assert all(end.status in (0, 3) for end in ends)
        low, high = (end.fun if end.status == 0 else -np.inf for end in ends)
        found.append((low, -high))
    return found


TABLES = {
    "plain": drawn(90, 12, 60, 0),
    "poor": drawn(90, 12, 3, 1, 0.5),
    "empty": drawn(110, 10, 0.5, 2, 0.5),
    "wide": drawn(12, 90, 60, 3),
    "one column nearly empty": drawn(100, 10, 60, 4).assign(**{"3": 0}).rename(columns={"3": "r"}),
}
TABLES["one column nearly empty"].loc[[5, 50, 77], "r"] = [2, 1, 3]


@pytest.mark.parametrize("name", TABLES)
def test_blocks_protect_the_whole(name: str) -> None:
    table = TABLES[name]
    result = suppress(table)
    assert result.scope == "blocs"
    assert result.method == "heuristic"
    full = table.copy()
    full["Ensemble"] = full.sum(axis=1)
    full.loc["Ensemble"] = full.sum()
    small = (full > 0) & (full < 11)
    assert ((result.status == "secret_primaire") == small).all(axis=None)
    assert ((result.table == full) | result.table.isna()).all(axis=None)
    assert not ((full == 0) & result.table.isna()).any(axis=None)
    assert result.audit["protege"].all()
    cells = np.flatnonzero(result.table.isna().to_numpy().ravel())
    assert len(cells) == len(result.audit)
    some = np.sort(np.random.default_rng(0).choice(len(cells), 25, replace=False))
    least = _people_under(full)
    for line, (low, high) in zip(some, whole_ranges(result.table, cells[some]), strict=True):
        row = result.audit.iloc[line]
        # The audit supposes an intruder who knows the blocks: the truth is as wide or wider.
        assert row["borne_inf"] >= low - SOLVER
        assert row["borne_sup"] <= high + SOLVER
        assert high - low >= 1 - SOLVER
        if row["nature"] == "secret_primaire":
            assert row["borne_inf"] <= least[cells[line]] + SOLVER
            assert row["borne_sup"] >= max(10, least[cells[line]] + 1) - SOLVER


def _people_under(full: pd.DataFrame) -> np.ndarray:
    """How many counts above 0 each cell adds up: what it is at least."""
    there = (full.iloc[:-1, :-1] > 0).to_numpy().astype(float)
    there = np.column_stack([there, there.sum(axis=1)])
    return np.vstack([there, there.sum(axis=0)]).ravel()


@pytest.mark.parametrize(
    "options",
    [
        {"margins": "row"},
        {"margins": "column"},
        {"margins": False},
        {"zero": "hide"},
        {"protection": (2, 30)},
        {"relations": {"AB": ["c0", "c1"]}},
        {"method": "heuristic"},
    ],
    ids=str,
)
def test_blocks_whatever_the_options(options: dict[str, Any]) -> None:
    result = suppress(drawn(120, 9, 25, 6).add_prefix("c"), **options)
    assert result.scope == "blocs"
    assert result.audit["protege"].all()
    if options.get("margins") is not False:
        relations = options.get("relations")
        lowest = 0 if options.get("zero") == "hide" else 1
        audit = audit_suppression(result.table, relations=relations, lowest=lowest)
        assert not audit["retrouvable"].any()
        assert (audit["borne_inf"] <= result.audit["borne_inf"]).all()
        assert (audit["borne_sup"] >= result.audit["borne_sup"]).all()


def test_weighted_counts_by_blocks() -> None:
    result = suppress(drawn(100, 10, 60, 7) * 1.37)
    assert result.scope == "blocs"
    audit = audit_suppression(result.table)
    assert not audit["retrouvable"].any()
    assert (audit["borne_sup"] >= result.audit["borne_sup"] - SOLVER).all()


def test_a_table_that_no_block_can_protect_is_protected_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nested = {"rows": list(range(50)), "others": list(range(50, 100))}
    assert suppress(drawn(100, 9, 200, 8), relations=nested).scope == "table"
    # Everyone of a column in one row of each block: they are joined, or the table is taken whole.
    table = drawn(200, 8, 200, 9)
    table[0] = 0
    table.loc[::40, 0] = [3, 5, 4, 8, 6]
    assert suppress(table).audit["protege"].all()
    monkeypatch.setattr(suppression, "by_blocks", lambda _: None)
    whole = suppress(table)
    assert whole.scope == "table"
    assert whole.audit["protege"].all()


def test_time_is_in_proportion_to_the_size() -> None:
    times = []
    for rows in (150, 600):
        start = time.process_time()
        suppress(drawn(rows, 12, 60, 1))
        times.append(time.process_time() - start)
    assert times[1] < 12  # half a second; far above, for slow machines
    # Four times the rows; the fixed part makes it less than four, a loaded machine more.
    assert times[1] < 4 * max(times[0], 0.5)


def test_an_audit_that_is_sampled_says_so() -> None:
    result = suppress(drawn(100, 10, 20, 3))
    whole = audit_suppression(result.table, lowest=1)
    with pytest.warns(SampledAuditWarning, match=f"40 cellules cachées tirées parmi {len(whole)}"):
        part = audit_suppression(result.table, lowest=1, sample=40)
    assert len(part) == 40
    both = part.merge(whole, on=["ligne", "colonne"], suffixes=("", "_whole"))
    assert len(both) == 40
    assert (both["borne_sup"] == both["borne_sup_whole"]).all()
