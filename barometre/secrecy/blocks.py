"""Large tables, protected by blocks of rows in a time that is in proportion to their size.

A block is protected as if its own totals by column were published. An intruder who knew them would
know more than one who sees the table, so that what is protected in each block is protected in the
whole. Where a block cannot protect a count by itself (the only one of its column in the block) it
is joined to the next one. Rows are put in blocks by their zeros, which are published.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError
from barometre.secrecy.grid import Grid, Sums
from barometre.secrecy.intruder import Intruder, Problem, System
from barometre.secrecy.pattern import Pattern, needs_of, protect

_CELLS = 400  # of a block, about
_FEW = 8  # cells of a column in a block under which the column is rare
_JOINED = 16  # blocks joined beyond which the table is protected whole


@dataclass(frozen=True)
class Table:
    """A table to protect; ``low`` and ``high`` are what each primary cell must be able to be."""

    problem: Problem
    low: Floats
    high: Floats
    primary: Booleans
    cost: Floats

    @property
    def shape(self) -> tuple[int, int]:
        return self.problem.system.grid.shape

    def cells(self, rows: Integers) -> Integers:
        """Number the cells of some rows."""
        width = self.shape[1]
        return (rows[:, None] * width + np.arange(width)).ravel()

    def turned(self) -> Table:
        """Exchange rows and columns."""
        grid = self.problem.system.grid
        order = np.arange(len(self.cost)).reshape(grid.shape).T.ravel()
        system = System.of(Grid(grid.columns, grid.rows, grid.column_sums, grid.row_sums))
        counts, slack = self.problem.counts[order], self.problem.slack[order]
        return Table(
            problem=replace(self.problem, system=system, counts=counts, slack=slack),
            low=self.low[order],
            high=self.high[order],
            primary=self.primary[order],
            cost=self.cost[order],
        )


def by_blocks(table: Table) -> Pattern | None:
    """Protect a table by blocks of its longer side; None where it must be protected whole.

    The ranges of the pattern are those of an intruder who knows the totals of each block: the true
    ones hold them.
    """
    if table.shape[1] > table.shape[0]:
        found = by_blocks(table.turned())
        if found is None or found.ranges is None:
            return None
        order = np.arange(len(table.cost)).reshape(table.shape[::-1]).T.ravel()
        low, high = found.ranges
        return replace(found, hidden=found.hidden[order], ranges=(low[order], high[order]))
    grid = table.problem.system.grid
    if not _simple(grid.row_sums, table.shape[0]):
        return None
    total = grid.row_sums[0][0] if grid.row_sums else None
    opened = _open_totals(table, total)
    if opened is None:
        return None
    hidden = np.zeros(len(table.cost), dtype=np.bool_)
    low, high = table.problem.counts.copy(), table.problem.counts.copy()
    for rows in _joined(table, total, opened):
        if rows is None:
            return None
        part, ranges = rows.pattern.hidden, rows.pattern.ranges
        assert ranges is not None
        hidden[rows.cells] = part[: len(rows.cells)]
        low[rows.cells], high[rows.cells] = (side[: len(rows.cells)] for side in ranges)
    if total is not None:
        last = table.cells(np.array([total]))
        hidden[last] = opened
        if not _total_row(table, hidden, last[opened], low, high):
            return None
    return Pattern(hidden, np.nan, (low, high))


def _simple(sums: Sums, rows: int) -> bool:
    """Whether the rows have one total that holds all the others, or none."""
    return not sums or (len(sums) == 1 and len(sums[0][1]) == rows - 1)


def _open_totals(table: Table, total: int | None) -> Booleans | None:
    """Choose the totals to hide in the row of totals, of which the blocks tell nothing either.

    A small one takes the least costly other ones with it, as long as their sum would tell it.
    None where that is not so simple.
    """
    if total is None:
        return np.zeros(table.shape[1], dtype=np.bool_)
    grid, last = table.problem.system.grid, table.cells(np.array([total]))
    opened = table.primary[last].copy()
    if not opened.any():
        return opened
    if not grid.column_sums or not _simple(grid.column_sums, table.shape[1]):
        return None
    whole = grid.column_sums[0][0]
    counts, cost = table.problem.counts[last], table.cost[last].copy()
    cost[[whole]] = np.inf
    wanted = (table.high[last] - counts)[opened].max() + table.problem.slack[last][opened].max()
    for column in np.argsort(cost, kind="stable"):
        others = opened & ~table.primary[last]
        if table.problem.slack[last][others].sum() >= wanted or not np.isfinite(cost[column]):
            break
        opened[column] = True
    return None if opened[whole] else opened


@dataclass(frozen=True)
class _Block:
    """Cells of a block (without its total) and the pattern of its table, total row last."""

    cells: Integers
    pattern: Pattern


def _joined(table: Table, total: int | None, opened: Booleans) -> Iterator[_Block | None]:
    """Yield the blocks protected; None if one would be too large."""
    height = max(8, _CELLS // table.shape[1])
    rows = np.delete(np.arange(table.shape[0]), [] if total is None else [total])
    there = (table.problem.counts.reshape(table.shape) > 0)[rows]
    often = there.sum(axis=0)
    # Columns with few people are gathered: spread, each block would have too few of them.
    rare = np.flatnonzero(often * height < _FEW * len(rows))
    if len(rare):
        rows = rows[np.lexsort(there[:, rare[np.argsort(-often[rare], kind="stable")]].T)]
    starts = [*range(0, max(len(rows) - height // 2, 1), height), len(rows)]
    last, first = len(starts) - 1, 0
    done: list[tuple[int, _Block]] = []
    while first < last:
        after, block = first, None
        while block is None:
            if after < last:
                after = min(after + max(1, after - first), last)
            elif done:
                first = done.pop()[0]
            else:
                break
            if after - first > _JOINED:
                break
            block = _protected(table, rows[starts[first] : starts[after]], total, opened)
        if block is None:
            yield None
            return
        done.append((first, block))
        first = after
    yield from (block for _, block in done)


def _protected(table: Table, rows: Integers, total: int | None, opened: Booleans) -> _Block | None:
    """Protect some rows and their total; None if they cannot be by themselves."""
    cells, width, height = table.cells(rows), table.shape[1], len(rows)
    counts, slack = table.problem.counts[cells], table.problem.slack[cells]
    hidden, cost, primary = table.primary[cells], table.cost[cells], table.primary[cells]
    sums: Sums = ()
    if total is not None:
        sums = ((height, tuple(range(height))),)
        counts, slack = (np.append(a, a.reshape(-1, width).sum(axis=0)) for a in (counts, slack))
        hidden, primary = (np.append(flags, opened) for flags in (hidden, primary))
        cost = np.append(cost, np.full(width, np.inf))
    grid, labels = table.problem.system.grid, pd.RangeIndex(height + (total is not None))
    small = Grid(labels, grid.columns, sums, grid.column_sums)
    problem = Problem(System.of(small), counts, slack, table.problem.whole)
    concerned = np.flatnonzero(table.primary[cells])
    low, high = (side[cells] for side in (table.low, table.high))
    needs = needs_of(problem, concerned, low, high)
    try:
        found = protect(problem, needs, hidden, cost, primary=primary)
    except BarometreError:
        return None
    return _Block(cells, Pattern(found, np.nan, Intruder(problem, found).ranges()))


def _total_row(table: Table, hidden: Booleans, cells: Integers, low: Floats, high: Floats) -> bool:
    """Put the ranges of hidden totals in ``low`` and ``high``; say whether they are protected."""
    intruder = Intruder(table.problem, hidden)
    for cell in cells:
        low[cell] -= intruder.furthest(int(cell), -1)[0]
        high[cell] += intruder.furthest(int(cell), 1)[0]
    tight = table.problem.tolerance
    kept = cells[table.primary[cells]]
    return bool(
        (low[kept] <= table.low[kept] + tight).all()
        and (high[kept] >= table.high[kept] - tight).all()
        and (high[cells] - low[cells] > tight).all()
    )
