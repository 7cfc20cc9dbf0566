"""What an intruder can deduce: the feasible range of every hidden cell.

The intruder knows the published cells, the additions, and the smallest value that a hidden cell can
have. The tables that agree with all of it form a polytope; the range of a cell is its extent. For
whole counts in a table that is nested in one direction at most, the additions are those of a
network: a range is a maximum flow, and its ends are whole. Otherwise a linear programme gives it,
in whole numbers when the counts are whole.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats, RowNumbers
from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.secrecy.grid import ADDITION_TOLERANCE, Grid, Relations, Sums, label_text, read_table

SOLVER_TOLERANCE = 1e-6  # moves that a programme may leave instead of 0


@dataclass(frozen=True)
class System:
    """The additions of a grid as equations ``matrix @ cells = 0``, cells row by row.

    ``ends`` gives the two equations that each cell joins, as arcs of a network (from, to), when the
    table is one; the node after the last equation closes it.
    """

    grid: Grid
    matrix: Any  # scipy.sparse.csr_array
    ends: RowNumbers | None

    @classmethod
    def of(cls, grid: Grid) -> System:
        """Write the equations, without those that others imply."""
        from scipy.sparse import csr_array

        rows, columns = grid.shape
        cells = np.arange(rows * columns).reshape(rows, columns)
        # Rows that are totals add up because the rows they hold do.
        row_leaf, column_leaf = grid.leaf_rows, grid.leaf_columns
        by_row = grid.row_sums, cells.T, np.ones(columns, dtype=np.bool_), column_leaf
        by_column = grid.column_sums, cells, row_leaf, np.ones(rows, dtype=np.bool_)
        if not _flat(grid.column_sums) and _flat(grid.row_sums):
            by_row = grid.row_sums, cells.T, column_leaf, column_leaf
            by_column = grid.column_sums, cells, np.ones(rows, dtype=np.bool_), row_leaf
        entries: list[tuple[int, int, int]] = []
        number = 0
        for turn, (sums, lines, kept, positive) in ((1, by_row), (-1, by_column)):
            for line, leaf in zip(lines[kept], positive[kept], strict=True):
                # Signs are such that a cell leaves one equation and enters the other.
                sign = turn if leaf else -turn
                for total, parts in sums:
                    entries += [(number, line[part], sign) for part in parts]
                    entries.append((number, line[total], -sign))
                    number += 1
        where = np.array(entries, dtype=np.intp).reshape(-1, 3)
        shape = (number, rows * columns)
        matrix = csr_array((where[:, 2].astype(np.float64), (where[:, 0], where[:, 1])), shape)
        return cls(grid, matrix, _ends(where, shape))


def _flat(sums: Sums) -> bool:
    return len(sums) <= 1


def _ends(entries: RowNumbers, shape: tuple[int, int]) -> RowNumbers | None:
    """Read the equations as nodes and the cells as arcs, if each cell is in two at most."""
    ends = np.full((shape[1], 2), shape[0], dtype=np.intp)
    for side, sign in ((0, 1), (1, -1)):
        here = entries[entries[:, 2] == sign]
        if len(np.unique(here[:, 1])) < len(here):
            return None
        ends[here[:, 1], side] = here[:, 0]
    return ends


@dataclass(frozen=True)
class Problem:
    """A table to protect: its equations, its counts, and the least that an intruder knows of each.

    ``slack`` is how far each cell can go down.
    """

    system: System
    counts: Floats
    slack: Floats
    whole: bool

    @property
    def tolerance(self) -> float:
        """How much two amounts may differ and be the same: whole ones differ by 1 at least."""
        return 0.1 if self.whole else 1e-5


@dataclass(frozen=True)
class Arcs:
    """The cells as arcs of a flow problem: an arc up and an arc down, cells of same ends merged."""

    nodes: int
    ends: RowNumbers
    up: RowNumbers  # places of the arcs among the pairs of nodes
    down: RowNumbers
    pairs: RowNumbers

    @classmethod
    def of(cls, ends: RowNumbers, cells: RowNumbers) -> Arcs:
        """Prepare the network of some cells; the last node is the source."""
        nodes = int(ends.max(initial=0)) + 2
        kept = ends[cells]
        source = np.full(nodes - 1, nodes - 1)
        tails = np.concatenate([kept[:, 0], kept[:, 1], source])
        heads = np.concatenate([kept[:, 1], kept[:, 0], np.arange(nodes - 1)])
        pairs, where = np.unique(tails * nodes + heads, return_inverse=True)
        return cls(nodes, kept, where[: len(kept)], where[len(kept) : 2 * len(kept)], pairs)

    def flow(self, capacity: RowNumbers, start: int, end: int, limit: int) -> tuple[Any, Any]:
        """Send up to ``limit`` from one node to another; the flow and the capacities, as graphs."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import maximum_flow

        data = np.minimum(capacity, limit).astype(np.int32)
        tails, heads = np.divmod(self.pairs, self.nodes)
        data[tails == heads] = 0
        source = self.nodes - 1
        data[np.searchsorted(self.pairs, source * self.nodes + start)] = limit
        starts = np.searchsorted(tails, np.arange(self.nodes + 1))
        graph = csr_array(
            (data, heads.astype(np.int32), starts.astype(np.int32)), (self.nodes, self.nodes)
        )
        return maximum_flow(graph, source, end), graph


class Residual:
    """What the hidden cells of a network can carry: an arc up and an arc down for each.

    Flows go along shortest paths, one after the other (Edmonds and Karp, 1972). In a table they
    have three or four arcs: far less than it takes to hand the whole network over to a library.
    """

    def __init__(self, ends: RowNumbers, slack: Floats) -> None:
        self.heads = [int(node) for pair in ends[:, ::-1] for node in pair]
        self.left = [room for down in slack for room in (math.inf, float(down))]
        self.arcs: list[list[int]] = [[] for _ in range(int(ends.max(initial=0)) + 1)]
        for arc in range(len(self.heads)):
            self.arcs[self.heads[arc ^ 1]].append(arc)
        self.links: dict[tuple[int, int], list[int]] = {}
        for arc, head in enumerate(self.heads):
            self.links.setdefault((self.heads[arc ^ 1], head), []).append(arc)
        self._none = 1e-9 * max(1.0, float(slack.max(initial=0.0)))

    def send(self, start: int, end: int, limit: float, *, without: int) -> tuple[float, list[int]]:
        """Send up to ``limit`` from a node to another without a cell; the amount, and the cells."""
        kept = {arc: self.left[arc] for arc in (2 * without, 2 * without + 1)}
        for arc in kept:
            self.left[arc] = 0.0
        sent = 0.0
        while limit - sent > self._none and (path := self._path(start, end)):
            amount = min(limit - sent, *(self.left[arc] for arc in path))
            for arc in path:
                kept.setdefault(arc, self.left[arc])
                kept.setdefault(arc ^ 1, self.left[arc ^ 1])
                self.left[arc] -= amount
                self.left[arc ^ 1] += amount
            sent += amount
        # The room down tells whether a cell moved: the room up is infinite.
        moved = [arc // 2 for arc, room in kept.items() if arc % 2 and self.left[arc] != room]
        for arc, room in kept.items():
            self.left[arc] = room
        return sent, [cell for cell in moved if cell != without]

    def _path(self, start: int, end: int) -> list[int]:
        """Find the arcs of a shortest path; none without any."""
        came = {start: -1}
        queue = [start]
        if (arc := self._link(start, end)) >= 0:
            return [arc]
        for node in queue:
            for arc in self.arcs[node]:
                head = self.heads[arc]
                if head in came or self.left[arc] <= self._none:
                    continue
                came[head] = arc
                # Looking one arc ahead spares most of the lines that a total crosses.
                if (last := self._link(head, end)) >= 0:
                    path = [last]
                    while head != start:
                        path.append(came[head])
                        head = self.heads[came[head] ^ 1]
                    return path
                queue.append(head)
        return []

    def _link(self, start: int, end: int) -> int:
        """Find an arc with room between two nodes, or -1."""
        for arc in self.links.get((start, end), ()):
            if self.left[arc] > self._none:
                return arc
        return -1


@dataclass(frozen=True)
class Intruder:
    """Someone who sees a table with these cells hidden."""

    problem: Problem
    hidden: Booleans

    @cached_property
    def cells(self) -> RowNumbers:
        return np.flatnonzero(self.hidden)

    @cached_property
    def free(self) -> Booleans:
        return self.problem.system.grid.free(self.hidden)

    @cached_property
    def _residual(self) -> Residual:
        ends = cast("RowNumbers", self.problem.system.ends)
        return Residual(ends[self.cells], self.problem.slack[self.cells])

    def furthest(
        self, cell: int, sign: int, limit: float | None = None
    ) -> tuple[float, RowNumbers]:
        """Say how far a hidden cell can move up (1) or down (-1), and with which others.

        The move stops at ``limit``; without it, it may be infinite.
        """
        if sign > 0 and limit is None and self.free[cell]:
            return np.inf, np.empty(0, dtype=np.intp)
        slack = float(self.problem.slack[cell])
        if sign < 0:
            limit = slack if limit is None else min(limit, slack)
        if limit is not None and limit <= 0:
            return 0.0, np.empty(0, dtype=np.intp)
        if self.problem.system.ends is not None:
            # Without a limit, no more than all that the others can give.
            return self._by_flow(cell, sign, self._reach if limit is None else limit)
        return self._by_programme(cell, sign, limit)

    @cached_property
    def _reach(self) -> float:
        return float(self.problem.slack[self.hidden].sum()) + 1

    def _by_flow(self, cell: int, sign: int, limit: float) -> tuple[float, RowNumbers]:
        place = int(np.searchsorted(self.cells, cell))
        tail, head = (int(end) for end in cast("RowNumbers", self.problem.system.ends)[cell])
        if tail == head:  # in no addition
            return limit, np.array([cell])
        start, end = (head, tail) if sign > 0 else (tail, head)
        moved, through = self._residual.send(start, end, limit, without=place)
        return moved, self.cells[[place, *through]]

    def _by_programme(self, cell: int, sign: int, limit: float | None) -> tuple[float, RowNumbers]:
        problem, place = self.problem, int(np.searchsorted(self.cells, cell))
        gain = np.zeros(len(self.cells))
        gain[place] = -sign
        low, high = -problem.slack[self.cells], np.full(len(self.cells), np.inf)
        if limit is not None:
            low[place], high[place] = max(low[place], -limit), limit
        matrix = problem.system.matrix[:, self.cells]
        move = solve(gain, matrix, np.zeros(matrix.shape[0]), low, high, whole=problem.whole)
        if move is None:  # no move is always possible: the solver failed
            raise RuntimeError(f"audit impossible : {problem.system.grid.place(cell)}")
        return abs(float(move[place])), self.cells[np.abs(move) > SOLVER_TOLERANCE]

    def ranges(self, cells: RowNumbers | None = None) -> tuple[Floats, Floats]:
        """Give the least and the greatest value of each hidden cell, or of some of them."""
        low, high = self.problem.counts.copy(), self.problem.counts.copy()
        for cell in self.cells if cells is None else cells:
            low[cell] -= self.furthest(cell, -1)[0]
            high[cell] += self.furthest(cell, 1)[0]
        return low, high


def solve(
    cost: Floats,
    matrix: Any,
    right: Floats,
    low: Floats,
    high: Floats,
    *,
    whole: bool,
    within: float = 0.0,
) -> Floats | None:
    """Minimise ``cost @ x`` with ``matrix @ x = right`` and limits; None without a solution."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    rows = LinearConstraint(matrix, right - within, right + within) if matrix.shape[0] else None
    # Most programmes have whole solutions without being asked, much faster.
    for asked in (False, True) if whole else (False,):
        found = milp(
            cost,
            constraints=rows,
            bounds=Bounds(low, high),
            integrality=np.full(len(cost), int(asked)),
            options={"mip_rel_gap": 0.0},
        )
        if found.x is None:
            return None
        values = np.asarray(found.x, dtype=np.float64)
        if not whole:
            return values
        if asked or np.abs(values - np.round(values)).max() < SOLVER_TOLERANCE:
            return np.asarray(np.round(values))
    return None


# ---- tables of others --------------------------------------------------------------------------


class SampledAuditWarning(UserWarning):
    """A table with so many hidden cells that only some of them were audited."""


def audit_suppression(
    table: pd.DataFrame | pd.Series,
    *,
    total: Hashable = "Ensemble",
    relations: Relations | None = None,
    lowest: float = 0,
    sample: int = 5000,
) -> pd.DataFrame:
    """Give the range of every hidden cell of a published table, and say which can be recovered.

    Parameters
    ----------
    table : DataFrame or Series
        Counts with their totals, missing where they are hidden.
    total : hashable, default "Ensemble"
        Label of the total row and of the total column. A side without it has no total.
    relations : mapping, optional
        Other totals and their parts: ``{"CA": ["Z1", "Z2"]}``, in rows or in columns.
    lowest : float, default 0
        Least value of a hidden cell: 1 when the zeros are published.
    sample : int, default 5000
        Hidden cells audited at most: beyond, as many are drawn, always the same, and a warning
        says so. Each takes a time that grows with the table, some milliseconds for 3 000 rows.

    Returns
    -------
    DataFrame
        One row per hidden cell audited: ``ligne``, ``colonne``, ``borne_inf``, ``borne_sup``
        (infinite when nothing limits the cell) and ``retrouvable``, true when they are equal.
        Counts are whole when the published ones are. Empty when nothing is hidden, or without
        table.

    Raises
    ------
    BarometreError
        Labels given twice, cells that are no counts, unknown labels, a negative ``lowest``, or
        published cells that no table agrees with.

    Warns
    -----
    SampledAuditWarning
        More hidden cells than ``sample``.

    Notes
    -----
    The intruder of Fischetti and Salazar-González (2001): two programmes per cell, the least and
    the greatest value that agree with what is published.

    Examples
    --------
    >>> seen = pd.DataFrame(
    ...     {"F": [None, None, 40], "H": [30, 25, 55], "Ensemble": [None, 33, 95]},
    ...     index=["Z1", "Z2", "Ensemble"],
    ... )
    >>> print(audit_suppression(seen).to_string(index=False))
    ligne  colonne  borne_inf  borne_sup  retrouvable
       Z1        F       32.0       32.0         True
       Z1 Ensemble       62.0       62.0         True
       Z2        F        8.0        8.0         True
    """
    if not is_number(lowest) or lowest < 0:
        raise BarometreError(f"lowest vaut {lowest} ; donner un nombre positif ou nul")
    if not is_number(sample) or sample < 1:
        raise BarometreError(f"sample vaut {sample} ; donner un nombre de cellules, 1 ou plus")
    counts, grid = read_table(
        table, total=total, margins=True, relations=relations, with_hidden=True
    )
    seen = counts.to_numpy().ravel()
    hidden = np.isnan(seen)
    known = np.where(hidden, 0.0, seen)
    whole = bool((known == np.floor(known)).all() and lowest == int(lowest))
    system = System.of(grid)
    cells = np.flatnonzero(hidden)
    matrix = system.matrix[:, cells]
    right = -(system.matrix @ known)
    low, high = np.full(len(cells), float(lowest)), np.full(len(cells), np.inf)
    within = 0.0 if whole else ADDITION_TOLERANCE * max(1.0, float(known.max(initial=0.0)))
    start = _start(matrix, right, low, high, whole=whole, within=within)
    if start is None:
        raise FaultsError(
            "audit impossible",
            [
                Fault(
                    "totaux",
                    "aucun tableau n'a ces effectifs publiés et ces totaux",
                    "vérifier les additions, les arrondis et « lowest »",
                )
            ],
        )
    known[cells] = start
    slack = np.where(hidden, known - lowest, 0.0)
    problem = Problem(system, known, slack, whole)
    audited = cells
    if len(cells) > sample:
        drawn = np.random.default_rng(0).choice(cells, int(sample), replace=False)
        audited = np.sort(drawn)
        warnings.warn(
            f"audit de {int(sample)} cellules cachées tirées parmi {len(cells)} ; sample= en"
            " demande plus",
            SampledAuditWarning,
            stacklevel=2,
        )
    least, most = Intruder(problem, hidden).ranges(audited)
    return bounds_table(grid, audited, least, most).assign(
        retrouvable=most[audited] - least[audited] <= problem.tolerance
    )


def _start(
    matrix: Any, right: Floats, low: Floats, high: Floats, *, whole: bool, within: float
) -> Floats | None:
    """Find one table that agrees with what is published."""
    if not len(low):
        return low if np.abs(right).max(initial=0.0) <= within else None
    return solve(np.ones(len(low)), matrix, right, low, high, whole=whole, within=within)


def bounds_table(grid: Grid, cells: RowNumbers, low: Floats, high: Floats) -> pd.DataFrame:
    """Write the ranges of some cells, one row each."""
    names = [grid.names(cell) for cell in cells]
    return pd.DataFrame(
        {
            "ligne": [label_text(row) for row, _ in names],
            "colonne": [label_text(column) for _, column in names],
            "borne_inf": low[cells],
            "borne_sup": high[cells],
        }
    ).astype({"ligne": "str", "colonne": "str", "borne_inf": "float64", "borne_sup": "float64"})
