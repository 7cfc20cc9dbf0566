"""Which further cells to hide, so that no hidden cell can be deduced from the totals.

Each cell to protect gives two needs: it must be able to go down to the foot of its protection
interval and up to its head. ``protect`` hides cells until every need is met (a linear programme per
group of needs, Kelly, Golden and Assad, 1992), then publishes again those that it can do without.
``optimal`` finds the least costly pattern (Fischetti and Salazar-González, 2001): a programme in
0-1 variables, to which are added, as long as a need is not met, the cut that says why.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError
from barometre.secrecy.intruder import SOLVER_TOLERANCE, Arcs, Intruder, Problem, solve

_UNITS = 10**6  # a need in the flows of the 0-1 programme, whose capacities are fractions of it
_UNMET = 1e-4  # part of a need below which a cut is not worth adding: flows are rounded down
_SAME = 1e-9  # relative difference of two costs that are the same
_ROUNDS = 60  # of cuts added to the continuous programme before the whole one


@dataclass(frozen=True)
class Need:
    """A cell that must be able to move, up (1) or down (-1), by an amount."""

    cell: int
    sign: int
    amount: float


@dataclass(frozen=True)
class Pattern:
    """The hidden cells and what is known of their cost.

    ``gap`` is the part of the cost that a better pattern could save at most; NaN if unknown.
    ``ranges`` are the least and the greatest value of each cell, when they are known already.
    """

    hidden: Booleans
    gap: float
    ranges: tuple[Floats, Floats] | None = None


def needs_of(problem: Problem, cells: Integers, low: Floats, high: Floats) -> tuple[Need, ...]:
    """Write the protection intervals of cells as moves from their counts."""
    whole = math.ceil if problem.whole else float
    moves = [
        Need(int(cell), sign, float(whole(amount)))
        for cell in cells
        for sign, amount in (
            (-1, problem.counts[cell] - low[cell]),
            (1, high[cell] - problem.counts[cell]),
        )
    ]
    return tuple(move for move in moves if move.amount > 0)


# ---- heuristic ---------------------------------------------------------------------------------


def protect(
    problem: Problem, needs: Sequence[Need], hidden: Booleans, cost: Floats, *, primary: Booleans
) -> Booleans:
    """Hide cells of small cost until every need is met; then publish again what can be.

    ``hidden`` is where to start from; the primary cells stay hidden.

    Raises
    ------
    BarometreError
        A need that no cell of finite cost can meet, with the cells concerned.
    """
    hidden = hidden.copy()
    moves: dict[Need, Integers] = {}
    pending = list(needs)
    while True:
        moves.update(_met(Intruder(problem, hidden), pending))
        pending = [need for need in pending if need not in moves]
        if not pending:
            break
        new = _cheapest_moves(problem, _apart(problem, pending), hidden, cost)
        if not (new & ~hidden).any():
            raise RuntimeError("protection sans progrès : tolérance du solveur dépassée")
        hidden |= new
    extra = np.flatnonzero(hidden & ~primary)
    for cell in extra[np.argsort(-cost[extra], kind="stable")]:
        trial = hidden.copy()
        trial[cell] = False
        concerned = [need for need, used in moves.items() if cell in used]
        again = _met(Intruder(problem, trial), concerned, all_or_nothing=True)
        if len(again) == len(concerned):
            hidden = trial
            moves.update(again)
    return hidden


def _met(
    intruder: Intruder, needs: Iterable[Need], *, all_or_nothing: bool = False
) -> dict[Need, Integers]:
    """Find the needs that a pattern meets, with the cells that move for it."""
    met = {}
    for need in needs:
        moved, used = intruder.furthest(need.cell, need.sign, need.amount)
        if moved >= need.amount - intruder.problem.tolerance:
            met[need] = used
        elif all_or_nothing:
            break
    return met


def _apart(problem: Problem, needs: Sequence[Need]) -> list[Need]:
    """Choose needs whose cells share no line: they are met at one go."""
    grid = problem.system.grid
    rows: set[int] = set()
    columns: set[int] = set()
    chosen = []
    for need in sorted(needs, key=lambda need: -need.amount):
        row, column = divmod(need.cell, grid.shape[1])
        if row not in rows and column not in columns:
            chosen.append(need)
            rows.add(row)
            columns.add(column)
    return chosen


def _cheapest_moves(
    problem: Problem, needs: Sequence[Need], hidden: Booleans, cost: Floats
) -> Booleans:
    """Find the moves of least cost that meet the needs together; else the first need alone."""
    from scipy.sparse import hstack

    usable = np.flatnonzero(hidden | np.isfinite(cost))
    price = np.where(hidden, 0.0, cost)[usable]
    matrix = problem.system.matrix[:, usable]
    both, right = hstack([matrix, -matrix], format="csr"), np.zeros(matrix.shape[0])
    for group in (list(needs), list(needs[:1])):
        up, down = np.full(len(usable), np.inf), problem.slack[usable].copy()
        least = np.zeros((2, len(usable)))
        for need in group:
            place = int(np.searchsorted(usable, need.cell))
            up[place], down[place] = (need.amount, 0) if need.sign > 0 else (0, need.amount)
            least[0 if need.sign > 0 else 1, place] = need.amount
        move = solve(
            np.tile(price, 2),
            both,
            right,
            least.ravel(),
            np.concatenate([up, down]),
            whole=problem.whole and problem.system.ends is None,
        )
        if move is not None:
            found = np.zeros(len(hidden), dtype=np.bool_)
            moved = np.abs(move[: len(usable)] - move[len(usable) :]) > SOLVER_TOLERANCE
            found[usable[moved]] = True
            return found
    raise BarometreError(
        f"protection impossible : la cellule {problem.system.grid.place(needs[0].cell)} se déduit"
        " de cellules que « cost » interdit de cacher ; donner un coût fini à ses totaux, ou une"
        " protection moindre"
    )


# ---- least costly pattern ----------------------------------------------------------------------


def optimal(
    problem: Problem,
    needs: Sequence[Need],
    primary: Booleans,
    cost: Floats,
    *,
    start: Booleans,
    time_limit: float,
) -> Pattern:
    """Improve a pattern up to the least costly one, or until the time is over."""
    deadline = time.monotonic() + time_limit
    known = _cost(start, primary, cost)
    network = _Capacities.of(problem, np.flatnonzero(primary | np.isfinite(cost)))
    cuts: dict[bytes, tuple[Floats, float]] = {}
    y, bound, relaxed = primary.astype(np.float64), 0.0, True
    for turn in itertools.count():
        found = [cut for need in needs for cut in network.cuts(need, y, primary)]
        new = {coefficients.tobytes(): (coefficients, right) for coefficients, right in found}
        if not relaxed and not new.keys() - cuts.keys():
            return Pattern(y > 0.5, 0.0)
        cuts.update(new)
        relaxed = relaxed and bool(new) and turn < _ROUNDS
        left = deadline - time.monotonic()
        if left <= 0:
            break
        y, better = _master(list(cuts.values()), primary, cost, relaxed=relaxed, seconds=left)
        bound = max(bound, better)
        if bound >= known * (1 - _SAME):
            return Pattern(start, 0.0)
    other = protect(problem, needs, y > 0.5, cost, primary=primary)
    best = min(start, other, key=lambda hidden: _cost(hidden, primary, cost))
    known = _cost(best, primary, cost)
    return Pattern(best, (known - bound) / known if known > 0 else 0.0)


def _cost(hidden: Booleans, primary: Booleans, cost: Floats) -> float:
    return float(cost[hidden & ~primary].sum())


def _master(
    cuts: Sequence[tuple[Floats, float]],
    primary: Booleans,
    cost: Floats,
    *,
    relaxed: bool,
    seconds: float,
) -> tuple[Floats, float]:
    """Choose the cells to hide at least cost under the cuts; and a lower bound of that cost."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    y = primary.astype(np.float64)
    able = np.flatnonzero(~primary & np.isfinite(cost))
    if not cuts or not len(able):
        return y, 0.0
    found = milp(
        cost[able],
        constraints=LinearConstraint(
            np.array([coefficients[able] for coefficients, _ in cuts]),
            np.array([right for _, right in cuts]),
            np.inf,
        ),
        bounds=Bounds(0, 1),
        integrality=np.full(len(able), int(not relaxed)),
        options={"mip_rel_gap": 0.0, "time_limit": seconds},
    )
    bound = found.fun if relaxed and found.status == 0 else found.mip_dual_bound
    if found.x is not None:
        y[able] = np.clip(found.x if relaxed else np.round(found.x), 0, 1)
    return y, 0.0 if bound is None or not math.isfinite(bound) else float(bound)


@dataclass(frozen=True)
class _Capacities:
    """The network in which a need is a flow: what a cell can carry depends on its being hidden."""

    problem: Problem
    cells: Integers
    arcs: Arcs

    @classmethod
    def of(cls, problem: Problem, cells: Integers) -> _Capacities:
        return cls(problem, cells, Arcs.of(cast("Integers", problem.system.ends), cells))

    def cuts(self, need: Need, y: Floats, primary: Booleans) -> Iterator[tuple[Floats, float]]:
        """Say why a choice does not meet a need: sums of ``y`` that must be larger.

        No cell needs to carry more than the need, whose flow splits into cycles through its cell.
        """
        place = int(np.searchsorted(self.cells, need.cell))
        tail, head = (int(end) for end in self.arcs.ends[place])
        if tail == head:
            return
        up = np.ones(len(self.cells))
        down = np.minimum(self.problem.slack[self.cells] / need.amount, 1.0)
        up[place] = down[place] = 0.0
        chosen, size = y[self.cells], len(self.arcs.pairs)
        capacity = np.bincount(self.arcs.up, np.floor(_UNITS * up * chosen), size)
        capacity += np.bincount(self.arcs.down, np.floor(_UNITS * down * chosen), size)
        start, end = (head, tail) if need.sign > 0 else (tail, head)
        moved, graph = self.arcs.flow(capacity.astype(np.int64), start, end, _UNITS)
        if moved.flow_value >= _UNITS * (1 - _UNMET):
            return
        for inside in _sides(graph - moved.flow, self.arcs.nodes - 1, end):
            ends = inside[self.arcs.ends]
            through = np.where(ends[:, 0] & ~ends[:, 1], up, 0.0)
            through += np.where(ends[:, 1] & ~ends[:, 0], down, 0.0)
            fixed = primary[self.cells]
            right = 1.0 - float(through[fixed].sum())
            coefficients = np.zeros(len(y))
            coefficients[self.cells] = np.where(fixed, 0.0, np.minimum(through, right))
            if coefficients @ y < right - _UNMET / 10:
                yield coefficients, right


def _sides(left: Any, source: int, sink: int) -> Iterator[Booleans]:
    """Give the two least cuts of a flow: nodes still reached, and nodes that reach no more."""
    from scipy.sparse.csgraph import breadth_first_order

    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    nodes = np.arange(left.shape[0])
    reached = breadth_first_order(left, source, return_predecessors=False)
    yield np.isin(nodes, reached)
    reaching = breadth_first_order(left.T.tocsr(), sink, return_predecessors=False)
    yield ~np.isin(nodes, reaching)
