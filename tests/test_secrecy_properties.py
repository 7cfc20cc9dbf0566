"""Statistical secrecy against an intruder written apart, and against every other pattern."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from barometre.base.errors import BarometreError
from barometre.secrecy import pattern
from barometre.secrecy.intruder import audit_suppression
from barometre.secrecy.suppression import Suppressed, suppress

# The solver's own tolerance is 1e-7 per equation; counts differ by 1.
SOLVER = 1e-4


def equations(shape: tuple[int, int]) -> np.ndarray:
    """Every row and every column of a table whose last ones are the totals."""
    rows, columns = shape
    cells = np.arange(rows * columns).reshape(shape)
    lines = []
    for line in [*cells, *cells.T]:
        equation = np.zeros(rows * columns)
        equation[line[:-1]], equation[line[-1]] = 1, -1
        lines.append(equation)
    return np.array(lines)


def deduced(values: np.ndarray, hidden: np.ndarray, least: float, cell: int) -> tuple[float, float]:
    """What the totals say of a hidden cell: all equations, all cells, no shortcut."""
    matrix = equations(values.shape)
    bounds = [
        (least, None) if secret else (value, value)
        for value, secret in zip(values.ravel(), hidden.ravel(), strict=True)
    ]
    ends = []
    for sign in (1, -1):
        gain = np.zeros(values.size)
        gain[cell] = sign
        found = linprog(gain, A_eq=matrix, b_eq=np.zeros(len(matrix)), bounds=bounds)
        ends.append(sign * found.fun if found.status == 0 else sign * -np.inf)
    return ends[0], ends[1]


def margined(table: pd.DataFrame) -> pd.DataFrame:
    full = table.copy()
    full["Ensemble"] = full.sum(axis=1)
    full.loc["Ensemble"] = full.sum()
    return full


def leaves_under(values: np.ndarray, row: int, column: int) -> int:
    """How many counts above zero a cell adds up."""
    rows = slice(0, -1) if row == values.shape[0] - 1 else slice(row, row + 1)
    columns = slice(0, -1) if column == values.shape[1] - 1 else slice(column, column + 1)
    return int((values[rows, columns] > 0).sum())


def covers(values: np.ndarray, hidden: np.ndarray, threshold: int) -> bool:
    """Whether every small count may have any value under the threshold, for all one can deduce."""
    for row, column in np.argwhere((values > 0) & (values < threshold)):
        low, high = deduced(values, hidden, 1, row * values.shape[1] + column)
        least = leaves_under(values, row, column)
        if low > least + SOLVER or high < max(threshold - 1, least + 1) - SOLVER:
            return False
    return True


COUNTS = st.one_of(st.integers(0, 12), st.integers(0, 60))
TABLES = st.tuples(st.integers(2, 5), st.integers(2, 4)).flatmap(
    lambda shape: st.lists(COUNTS, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
        lambda counts: pd.DataFrame(np.array(counts).reshape(shape))
    )
)


@settings(max_examples=25)
@given(TABLES, st.sampled_from(["optimal", "heuristic"]))
def test_no_hidden_cell_is_deduced_more_closely_than_its_protection(
    table: pd.DataFrame, method: str
) -> None:
    before = table.copy()
    result = suppress(table, method=method)  # type: ignore[arg-type]  # a str of the cases, for a literal
    pd.testing.assert_frame_equal(table, before)
    hidden = result.table.isna().to_numpy()
    values = margined(table).to_numpy().astype(float)
    assert covers(values, hidden, 11)
    assert result.audit["protege"].all()
    assert len(result.audit) == hidden.sum()
    cells = np.flatnonzero(hidden)
    for cell, (_, line) in list(zip(cells, result.audit.iterrows(), strict=True))[:6]:
        low, high = deduced(values, hidden, 1, int(cell))
        assert line["borne_inf"] == pytest.approx(low, abs=SOLVER)
        assert line["borne_sup"] == pytest.approx(high, abs=SOLVER)
        assert high - low >= 1 - SOLVER


@settings(max_examples=25)
@given(TABLES)
def test_what_is_hidden_and_what_is_not(table: pd.DataFrame) -> None:
    result = suppress(table)
    full = margined(table)
    small = (full > 0) & (full < 11)
    assert ((result.status == "secret_primaire") == small).all(axis=None)
    assert (result.table.isna() == (result.status != "publie")).all(axis=None)
    assert not ((full == 0) & result.table.isna()).any(axis=None)
    assert ((result.table == full) | result.table.isna()).all(axis=None)
    shares = result.shares("row")
    based = result.table["Ensemble"].where(result.table["Ensemble"] > 0)
    expected = 100 * result.table.div(based, axis=0)
    pd.testing.assert_frame_equal(shares, expected)


@settings(max_examples=12)
@given(TABLES, st.randoms(use_true_random=False))
def test_the_least_cost_depends_on_no_order_and_beats_the_heuristic(
    table: pd.DataFrame, random: object
) -> None:
    def cost(method: str, counts: pd.DataFrame) -> float:
        found = suppress(counts, method=method, cost=prices)  # type: ignore[arg-type]  # a str of the cases, for a literal
        assert method == "heuristic" or found.gap == 0
        return float(prices.where(found.status == "secret_secondaire", 0).to_numpy().sum())

    labels = [*table.index, "Ensemble"], [*table.columns, "Ensemble"]
    draw = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]  # not in the stubs
    shape = len(labels[0]), len(labels[1])
    prices = pd.DataFrame(draw.integers(1, 9, shape), index=labels[0], columns=labels[1])
    least = cost("optimal", table)
    assert least <= cost("heuristic", table) + SOLVER
    shuffled = table.sample(frac=1, random_state=1).T.sample(frac=1, random_state=2).T
    assert cost("optimal", shuffled) == pytest.approx(least)


@settings(max_examples=15)
@given(TABLES, st.floats(0.3, 3))
def test_weighted_counts_are_protected_too(table: pd.DataFrame, weight: float) -> None:
    weighted = table * weight + (table > 0) * 0.01
    result = suppress(weighted, method="heuristic")
    assert result.audit["protege"].all()
    audit = audit_suppression(result.table)
    assert not audit["retrouvable"].any()
    primary = result.audit["nature"] == "secret_primaire"
    assert (audit["borne_inf"][primary] <= SOLVER).all()
    assert (audit["borne_sup"][primary] >= 11 - SOLVER).all()


# ---- brute force -------------------------------------------------------------------------------


def cheaper(cost: np.ndarray, free: np.ndarray, limit: float) -> Iterator[tuple[int, ...]]:
    """Every set of cells that costs less than a limit."""
    for size in range(len(free) + 1):
        some = False
        for cells in itertools.combinations(free, size):
            if cost[list(cells)].sum() < limit - 1e-9:
                some = True
                yield cells
        if not some:
            return


@pytest.mark.parametrize(
    ("seed", "threshold"), [(0, 11), (2, 11), (3, 11), (4, 11), (1, 2), (3, 2)]
)
def test_no_cheaper_pattern_protects(seed: int, threshold: int) -> None:
    draw = np.random.default_rng(seed)
    if threshold == 11:
        table = pd.DataFrame(draw.choice([0, 2, 3, 9, 14, 20, 35, 50], (3, 3)))
        table.iloc[0, 0] = 4
    else:  # a single person: what is deduced must be one or two
        table = pd.DataFrame(draw.choice([1, 2, 2, 3, 5], (3, 3)))
        table.iloc[0, 0] = 1
    full = margined(table)
    prices = pd.DataFrame(
        draw.integers(1, 5, full.shape).astype(float), index=full.index, columns=full.columns
    )
    result = suppress(table, method="optimal", cost=prices, threshold=threshold)
    assert result.method == "optimal"
    values, cost = full.to_numpy().astype(float), prices.to_numpy().ravel()
    primary = ((values > 0) & (values < threshold)).ravel()
    free = np.flatnonzero(~primary & (values.ravel() > 0))
    spent = cost[(result.status == "secret_secondaire").to_numpy().ravel()].sum()
    assert covers(values, result.table.isna().to_numpy(), threshold)
    tried = 0
    for cells in cheaper(cost, free, spent):
        tried += 1
        hidden = primary.copy()
        hidden[list(cells)] = True
        assert not covers(values, hidden.reshape(values.shape), threshold)
    assert tried > 0 or spent == 0


def priced(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw a table of four by four and the cost of each of its cells, totals included."""
    draw = np.random.default_rng(seed)
    counts = draw.choice([0, 2, 5, 9, 10, 14, 20, 35, 50], (4, 4))
    table = pd.DataFrame(counts, index=list("abcd"), columns=list("wxyz"))
    full = margined(table)
    return table, pd.DataFrame(draw.uniform(0.5, 3, full.shape), full.index, full.columns)


def spent_on(result: Suppressed, prices: pd.DataFrame) -> float:
    return float(prices.to_numpy()[(result.status == "secret_secondaire").to_numpy()].sum())


def test_the_heuristic_costs_a_tenth_more_than_the_least() -> None:
    """Measured on these tables: 9 % more than what the 0-1 programme proves to be the least."""
    least, found = 0.0, 0.0
    for seed in range(30):
        table, prices = priced(seed)
        least += spent_on(suppress(table, method="optimal", cost=prices), prices)
        found += spent_on(suppress(table, method="heuristic", cost=prices), prices)
    assert least < found < 1.1 * least


@pytest.mark.parametrize("turns", [1, 2, 3, 4])
def test_out_of_time_the_gap_is_what_could_still_be_saved(
    monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    for seed in range(6):
        table, prices = priced(seed)
        prices /= 10  # all that is hidden may cost less than one
        least = spent_on(suppress(table, method="optimal", cost=prices), prices)
        clock = itertools.chain([0.0] * turns, itertools.repeat(1e9))
        with monkeypatch.context() as patch:
            patch.setattr("barometre.secrecy.pattern.time.monotonic", partial(next, clock))
            result = suppress(table, method="optimal", cost=prices, time_limit=1)
        cost = spent_on(result, prices)
        assert covers(margined(table).to_numpy().astype(float), result.table.isna().to_numpy(), 11)
        assert cost >= least - SOLVER
        assert 0 <= result.gap <= 1
        assert cost * (1 - result.gap) <= least + SOLVER  # a bound of the least cost
        if turns == 1:  # nothing is known before the first programme
            assert result.gap == (1 if cost else 0)
    alone = pd.DataFrame([[5, 6], [6, 5]])  # protect one another: nothing could be saved
    with monkeypatch.context() as patch:
        clock = itertools.chain([0.0] * turns, itertools.repeat(1e9))
        patch.setattr("barometre.secrecy.pattern.time.monotonic", partial(next, clock))
        assert suppress(alone, method="optimal", time_limit=1).gap == 0


def test_a_programme_stopped_before_any_bound_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for bound in (None, np.inf, np.nan):
        stopped = SimpleNamespace(x=None, status=1, fun=None, mip_dual_bound=bound)
        monkeypatch.setattr("scipy.optimize.milp", lambda *_, stopped=stopped, **__: stopped)
        primary = np.array([True, False])
        y, least = pattern._master(
            [(np.ones(2), 1.0)], primary, np.ones(2), relaxed=False, seconds=1.0
        )
        assert y.tolist() == [1.0, 0.0]
        assert least == 0.0


def test_part_of_a_need_carried_by_two_small_counts() -> None:
    """The three must be able to grow by 30; b and c give 4 and 5, d and e 12 and 13: enough."""
    table = pd.Series({"x": 3, "b": 5, "c": 6, "d": 13, "e": 14, "f": 20, "g": 90})
    cost = pd.Series({**dict.fromkeys("xbcde", 1.0), "f": 1.5, "g": 9.0})
    result = suppress(table, method="optimal", protection=(0, 30), cost=cost)
    assert (result.method, result.gap) == ("optimal", 0)
    assert set(table.index[result.table.iloc[:-1, 0].isna()]) == {"x", "b", "c", "d", "e"}


def with_totals(
    cells: dict[tuple[str, str], Any], relations: dict[str, list[str]]
) -> dict[tuple[str, str], Any]:
    """Add every total to the nine cells, be they numbers or arrays of tries."""
    rows, columns = list("abc"), list("vwx")
    sums = {**relations, "Ensemble": rows}
    for total, parts in sums.items():
        if parts[0] in rows:
            cells |= {
                (total, column): sum(cells[part, column] for part in parts) for column in columns
            }
    lines = list(dict.fromkeys(row for row, _ in cells))
    sums["Ensemble"] = columns
    for total, parts in sums.items():
        if parts[0] in columns:
            cells |= {(row, total): sum(cells[row, part] for part in parts) for row in lines}
    return cells


@pytest.mark.parametrize(
    "relations",
    [{}, {"AB": ["a", "b"]}, {"VW": ["v", "w"]}, {"AB": ["a", "b"], "VW": ["v", "w"]}],
    ids=["flat", "rows", "columns", "both"],
)
@pytest.mark.parametrize("seed", range(5))
def test_ranges_are_those_of_all_the_tables_that_agree(
    relations: dict[str, list[str]], seed: int
) -> None:
    draw = np.random.default_rng(seed)
    leaves = list(itertools.product("abc", "vwx"))
    counts = dict(zip(leaves, draw.integers(0, 3, 9), strict=True))
    full = with_totals(dict(counts), relations)
    secret = [leaves[k] for k in draw.permutation(9)[:4]]
    totals = [place for place in full if place not in counts]
    secret_totals = [totals[k] for k in draw.permutation(len(totals))[:3]]
    # No total exceeds 18, nor does a count that totals limit.
    tries = dict(zip(secret, np.indices([19] * 4, dtype=np.int16).reshape(4, -1), strict=True))
    drawn = with_totals({**counts, **tries}, relations)
    agree = np.ones(19**4, dtype=bool)
    for place in totals:
        if place not in secret_totals:
            agree &= drawn[place] == full[place]
    table = pd.Series(full).astype(float)
    table[[*secret, *secret_totals]] = np.nan
    audit = audit_suppression(table.unstack(), relations=relations)
    assert len(audit) == 7
    for row in audit.to_dict("records"):
        values = np.broadcast_to(drawn[row["ligne"], row["colonne"]], agree.shape)[agree]
        assert row["borne_inf"] == values.min()
        assert row["borne_sup"] == values.max() or (
            np.isinf(row["borne_sup"]) and values.max() >= 18
        )
        assert row["retrouvable"] == (row["borne_inf"] == row["borne_sup"])


def test_whole_counts_are_deduced_where_fractions_would_not_be() -> None:
    # Groups that cross: a + b = b + c = a + c = 1 has one solution, a half each.
    table = pd.Series({"a": None, "b": None, "c": None, "AB": 1, "BC": 1, "CA": 1}, dtype="float64")
    groups = {"AB": ["a", "b"], "BC": ["b", "c"], "CA": ["a", "c"]}
    with pytest.raises(BarometreError, match="aucun tableau"):
        audit_suppression(table, relations=groups)
    audit = audit_suppression(table * 0.5 + 0.25, relations=groups)
    assert audit["borne_inf"].to_list() == pytest.approx([0.375] * 3)
    assert audit["retrouvable"].all()
