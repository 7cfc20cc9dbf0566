"""Lines: what can be deduced by someone who knows the rule, by enumeration and by integer programs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from barometre.base.tidy import tidy
from barometre.cohort.movers.change import ChangeDecomposition
from barometre.cohort.protection import hide_small_groups
from barometre.secrecy.lines import coarse, hide_in_lines, kept_steps


def splits(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to share a number of people out."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for others in splits(total - first, parts - 1):
            yield (first, *others)


def never_narrowed(seen: dict[object, list[tuple[int, ...]]], threshold: int) -> None:
    """Every small count behind a publication may be any other one, and stay small."""
    for publication, lines in seen.items():
        for values in zip(*lines, strict=True):
            small = {value for value in values if 0 < value < threshold}
            if len(set(values)) > 1 or small:
                assert small in (set(), set(range(1, threshold))), publication


# ---- everything that is published, over every line ----------------------------------------------


@pytest.mark.parametrize(
    ("rows", "threshold", "most"),
    [
        (1, 5, 12),
        (2, 5, 24),
        (3, 4, 22),
        (3, 11, 34),
        (4, 3, 14),
        (4, 5, 20),
        (5, 3, 13),
        (6, 3, 11),
    ],
)
def test_whoever_runs_the_rule_again_learns_nothing(rows: int, threshold: int, most: int) -> None:
    lines = [line for total in range(most + 1) for line in splits(total, rows)]
    table = pd.DataFrame({"n": np.ravel(lines), "line": np.arange(len(lines)).repeat(rows)})
    shown = hide_small_groups(
        table.assign(part=1.0 * table["n"]), threshold=threshold, within="line"
    )
    counts = shown["n"].astype("float64").to_numpy().reshape(-1, rows)
    assert not ((counts > 0) & (counts < threshold)).any()
    # A share is hidden with its count; a zero share, as soon as something is.
    part = shown["part"].astype("float64").to_numpy().reshape(-1, rows)
    assert (np.isnan(part) >= np.isnan(counts)).all()
    told = (shown["total_status"] == "publie").to_numpy().reshape(-1, rows)
    assert (told.any(axis=1) == told.all(axis=1)).all()
    assert np.isnan(counts[~told]).all()
    assert set(shown["status"]) <= {"publie", "secret"}
    assert ((shown["status"] == "secret").to_numpy() == np.isnan(counts).ravel()).all()
    seen: dict[object, list[tuple[int, ...]]] = {}
    for line, count, share, total in zip(lines, counts, part, told[:, 0], strict=True):
        published = tuple(np.nan_to_num(count, nan=-1)), tuple(np.isnan(share)), total * sum(line)
        seen.setdefault((*published, total), []).append(line)
    never_narrowed(seen, threshold)
    assert any(len(behind) > 1 for behind in seen.values())


@pytest.mark.parametrize(("rows", "threshold", "most"), [(4, 3, 14), (5, 3, 12), (4, 4, 18)])
def test_the_sum_of_each_hidden_part_may_be_told(rows: int, threshold: int, most: int) -> None:
    """Running totals of a line give the sums of its hidden parts: they are published too here."""
    seen: dict[object, list[tuple[int, ...]]] = {}
    for line in itertools.chain.from_iterable(splits(total, rows) for total in range(most + 1)):
        counts = np.array(line, float)
        hidden = hide_in_lines(counts, np.zeros(rows, np.intp), threshold=threshold)
        running = np.cumsum(counts)
        # At the rows published, zeros in the midst of a hidden part excepted.
        shown = [
            (int(n), int(sum_)) if not secret and n else (int(n) if not secret else None, None)
            for n, sum_, secret in zip(line, running, hidden.rows, strict=True)
        ]
        total = None if hidden.totals[0] else sum(line)
        seen.setdefault((tuple(shown), total), []).append(line)
    never_narrowed(seen, threshold)


@pytest.mark.parametrize("threshold", [2, 3])
def test_what_a_place_publishes_tells_no_small_group(threshold: int) -> None:
    seen: dict[object, list[tuple[int, ...]]] = {}
    for total in range(4 * threshold + 3):
        for stay, leave, come in splits(total, 3):
            place = ChangeDecomposition(
                1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, stay, leave, come, tidy(pd.DataFrame())
            )  # fmt: skip
            shown = place.published(threshold)
            assert set(shown["status"]) <= {"publie", "secret"}
            key = tuple(shown["n"].astype(object).where(shown["n"].notna(), None))
            assert key[0] in (None, total)
            seen.setdefault(key, []).append((stay, leave, come))
    never_narrowed(seen, threshold)


@pytest.mark.parametrize(
    ("steps", "threshold", "most"), [(2, 4, 14), (4, 3, 12), (5, 3, 10), (8, 2, 7)]
)
def test_dates_that_are_published_tell_no_small_flow(steps: int, threshold: int, most: int) -> None:
    seen: dict[tuple[int | None, ...], list[tuple[int, ...]]] = {}
    for flow in itertools.chain.from_iterable(splits(total, steps) for total in range(most + 1)):
        flows = np.array(flow, float)[:, None]
        kept = kept_steps(flows, np.ones(steps + 1, bool), threshold=threshold)
        running = np.append(0, np.cumsum(flow))
        assert kept[0]
        assert not {n for n in np.diff(running[kept]) if 0 < n < threshold}
        key = tuple(int(n) if shown else None for n, shown in zip(running, kept, strict=True))
        seen.setdefault(key, []).append(flow)
    for key, lines in seen.items():
        for place, values in enumerate(zip(*lines, strict=True)):
            known = key[place] is not None and key[place + 1] is not None
            small = {value for value in values if 0 < value < threshold}
            assert small in (set(), set(range(1, threshold)))
            assert not known or not small


def test_a_date_that_cannot_be_told_by_itself_is_not() -> None:
    flows = np.full((4, 1), 20.0)
    told = np.array([True, True, False, True, True])
    assert kept_steps(flows, told, threshold=11).tolist() == [True, False, False, False, True]
    told[2] = True
    assert kept_steps(flows, told, threshold=11).all()
    assert not kept_steps(flows, np.zeros(5, bool), threshold=11).any()
    assert kept_steps(flows / 10, np.ones(5, bool), threshold=11).tolist() == [True] + [False] * 4


# ---- random lines, integer programs -------------------------------------------------------------


def furthest(line: np.ndarray, hidden: np.ndarray, row: int, sign: int, total: bool) -> float:
    """The least (1) or greatest (-1) value of a hidden row, none being 0: an integer program."""
    known = np.where(hidden, np.nan, line)
    low = np.where(hidden, 1.0, known)
    high = np.where(hidden, np.inf, known)
    cost = np.zeros(len(line))
    cost[row] = sign
    rules = [LinearConstraint(np.ones(len(line)), line.sum(), line.sum())] if total else []
    found = milp(cost, constraints=rules, bounds=Bounds(low, high), integrality=np.ones(len(line)))
    return float(found.x[row]) if found.status == 0 else -sign * np.inf


def test_random_lines_against_integer_programs() -> None:
    draw, programs = np.random.default_rng(0), 0
    for _ in range(2000):
        rows, threshold = int(draw.integers(1, 12)), int(draw.integers(2, 12))
        line = draw.poisson(draw.gamma(0.8, 18, rows)).astype(float)
        result = hide_in_lines(line, np.zeros(rows, np.intp), threshold=threshold)
        hidden, few = result.rows, (line > 0) & (line < threshold)
        assert hidden[few].all()
        assert hidden.any() == few.any()
        if result.totals[0]:
            assert hidden.all()
            continue
        assert not (hidden & (line == 0)).any()
        # Without solving: what is left of the total, each of the others being 1 at least.
        rest = line[hidden].sum() - (hidden.sum() - 1)
        assert not few.any() or (hidden.sum() > 1 and rest >= threshold - 1)
        if few.any() and programs < 250:
            programs += 1
            row = int(np.flatnonzero(few)[0])
            assert furthest(line, hidden, row, 1, total=True) == 1
            assert furthest(line, hidden, row, -1, total=True) == rest
    assert programs == 250


@pytest.mark.parametrize(
    ("line", "shown", "total"),
    [
        ([10, 10], [None, None], "publie"),
        ([1, 11], [None, None], "publie"),
        ([1] * 11, [None] * 11, "secret"),
        ([50, 10, 10], [50, None, None], "publie"),
        ([50, 10, 1], [None, None, None], "publie"),
        ([50, 0, 10, 30], [50, 0, None, None], "publie"),
        ([3], [None], "secret"),
        ([3, 0, 0], [None, None, None], "secret"),
        ([40, 30, 20], [40, 30, 20], "publie"),
        ([0, 0], [0, 0], "publie"),
        ([], [], ""),
    ],
)
def test_lines_that_gave_their_counts_back(
    line: list[int], shown: list[int | None], total: str
) -> None:
    table = hide_small_groups(pd.DataFrame({"n": np.array(line, np.int64)}))
    assert table["n"].astype(object).where(table["n"].notna(), None).tolist() == shown
    assert set(table["total_status"]) == ({total} if line else set())
    assert set(table["status"]) <= {"publie", "secret"}


def test_lines_are_apart_and_keep_their_places() -> None:
    draw = np.random.default_rng(3)
    counts, line = draw.poisson(12, 400).astype(float), draw.integers(0, 60, 400)
    whole = hide_in_lines(counts, line, threshold=11)
    for one in range(60):
        rows = line == one
        alone = hide_in_lines(counts[rows], np.zeros(rows.sum(), np.intp), threshold=11)
        assert whole.rows[rows].tolist() == alone.rows.tolist()
        assert whole.totals[one] == alone.totals[0]


# ---- values that tell numbers of people ---------------------------------------------------------


def test_a_mean_in_full_tells_its_number_of_people() -> None:
    """Rates of 50 who stay with 20 who move, of whom 8 leave: only rounded do they fit any split."""

    def fits(told: float, within: float) -> set[int]:
        found = set()
        for few in range(1, 20):
            first, last = np.arange(51 + few) / (50 + few), np.arange(71 - few) / (70 - few)
            if (np.abs(np.subtract.outer(last, first) - told) <= within + 1e-12).any():
                found.add(few)
        return found

    for leavers, employed, after in itertools.product((1, 4, 8, 10), (10, 23, 40), (12, 31)):
        total = after / (70 - leavers) - employed / (50 + leavers)
        assert len(fits(total, 0.0)) < 19
        assert fits(coarse(total, 50), 0.01) == set(range(1, 20))
        assert abs(coarse(total, 50) - total) <= 0.01 + 1e-12
    assert [coarse(x, 50) for x in (0.0, 123456.0, 12.3456, np.inf)] == [0, 123000, 12.3, np.inf]
    assert [coarse(0.1234, n) for n in (11, 50, 100, 10**6)] == [0.1, 0.12, 0.12, 0.123]
