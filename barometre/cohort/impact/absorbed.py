"""Many fixed effects removed at once, without a dummy per level: a sparse system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.cohort.inference.sandwich import LeastSquares, least_squares
from barometre.cohort.rows.columns import Positions

_DENSE = 10**7  # rows times levels (those of the first effect left out) of a small system
_RANK = 1e-10  # eigenvalue of the scaled system, which are at most as many as effects, that is none
_TURN = 1e-9  # norm left of the right-hand side at each turn, relative
_STOP = 1e-14  # the same, relative to the sums that make it: rounding
_STEPS = 5000
UNMOVED = 1e-9  # share of a column left by fixed effects below which it is rounding
MOST = 10**8  # numbers of the indicators of fixed effects kept as columns: 0.8 GB


@dataclass(frozen=True, eq=False)
class Absorbed:
    """Fixed effects of rows: levels as positions without gaps, the most numerous first.

    Attributes
    ----------
    codes : tuple of ndarray
        Level of each row for each effect.
    sizes : tuple of int
        Number of levels.
    weight : ndarray, optional
        Positive weights.
    """

    codes: tuple[Positions, ...]
    sizes: tuple[int, ...]
    weight: Floats | None = None

    @classmethod
    def of(cls, codes: Sequence[Positions], weight: Floats | None = None) -> Absorbed:
        """Put the most numerous effect first."""
        sizes = [int(code.max()) + 1 for code in codes]
        order = np.argsort([-size for size in sizes], kind="stable")
        return cls(tuple(codes[k] for k in order), tuple(sizes[k] for k in order), weight)

    def residual(self, column: Floats) -> Floats:
        """Subtract from a column its (weighted) regression on the dummies of all effects.

        Parameters
        ----------
        column : ndarray
            One value per row.

        Returns
        -------
        ndarray

        Raises
        ------
        BarometreError
            A system that does not converge.

        Notes
        -----
        The most numerous effect is removed by means. What it leaves of the others solves
        S g = r, S their cross products less what passes through the first (Frisch, Waugh, 1933):
        by eigenvalues when it is small, by conjugate gradients on its sparse form else (Guimaraes,
        Portugal, 2010, Gaure, 2013, for the system and its solution by projections).
        """
        left = column - (self._sums(column, 0) / self._first_mass)[self.codes[0]]
        if len(self.codes) == 1:
            return left
        right = self._other_sums(left)
        size, scale = np.linalg.norm(right), np.linalg.norm(self._other_sums(np.abs(column)))
        steps = _STEPS
        for turn in range(3):  # further turns remove what rounding left in the first one
            if size <= _STOP * scale:
                break
            effects, steps = self._solve(right, steps)
            if turn == 0 and steps >= _STEPS:
                raise BarometreError(
                    "effets fixes trop peu reliés entre eux : le calcul ne converge pas ; en "
                    "regrouper, ou se limiter au plus grand ensemble de lignes reliées"
                )
            better = self._without(left, effects)
            right = self._other_sums(better)
            before, size = size, np.linalg.norm(right)
            if not size < before:
                break
            left = better
        return left

    def _without(self, column: Floats, effects: Floats) -> Floats:
        """Subtract some effects of the others, and what they leave to the first."""
        first = (self._cross @ effects) / self._first_mass
        left: Floats = column + first[self.codes[0]]
        for k, start in enumerate(self._starts, 1):
            left -= effects[start : start + self.sizes[k]][self.codes[k]]
        return left

    @cached_property
    def rank(self) -> int:
        """Number of independent dummies.

        Exact for two effects, and for small systems (rows times levels of the others than the first
        up to ten millions); else each of the others loses what links it to the first, as reghdfe
        does (pairwise).
        """
        if len(self.codes) == 1:
            return self.sizes[0]
        if self._small:
            values, _ = self._eigen
            return self.sizes[0] + int((values > _RANK).sum())
        return self.sizes[0] + sum(
            size - self._groups(k) for k, size in enumerate(self.sizes[1:], 1)
        )

    def _groups(self, k: int) -> int:
        """Count the sets of levels of two effects that no row links."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = self.sizes[0] + self.sizes[k]
        links = (
            np.ones(len(self.codes[0]), np.int8),
            (self.codes[0], self.sizes[0] + self.codes[k]),
        )
        number, _ = connected_components(coo_array(links, shape=(n, n)), directed=False)
        return int(number)

    # ---- the system -----------------------------------------------------------------------------

    def _sums(self, column: Floats | None, k: int) -> Floats:
        weighted = self.weight
        if column is not None:
            weighted = column if self.weight is None else column * self.weight
        return np.bincount(self.codes[k], weighted, self.sizes[k]).astype(float)

    def _other_sums(self, column: Floats) -> Floats:
        return np.concatenate([self._sums(column, k) for k in range(1, len(self.codes))])

    @cached_property
    def _first_mass(self) -> Floats:
        return self._sums(None, 0)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *np.cumsum(self.sizes[1:-1]).tolist()]

    @property
    def _small(self) -> bool:
        return sum(self.sizes[1:]) * len(self.codes[0]) <= _DENSE

    @cached_property
    def _cross(self) -> Any:
        """Weights by level of the first effect and of the others: a sparse matrix."""
        from scipy.sparse import csr_array

        shape = (self.sizes[0], sum(self.sizes[1:]))
        number = len(self.codes) - 1
        one = np.ones(len(self.codes[0])) if self.weight is None else self.weight
        columns = [
            (start + code).astype(np.int32)
            for start, code in zip(self._starts, self.codes[1:], strict=True)
        ]
        first = self.codes[0].astype(np.int32)
        if (first[1:] >= first[:-1]).all():  # rows of a matrix already: nothing to sort
            counts = np.bincount(first, minlength=shape[0]) * number
            ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
            found = csr_array((np.repeat(one, number), np.stack(columns, 1).ravel(), ends), shape)
            found.sum_duplicates()
            return found
        place = (np.tile(first, number), np.concatenate(columns))
        return csr_array((np.tile(one, number), place), shape)

    @cached_property
    def _others(self) -> Any:
        """Weights by pairs of levels of the other effects: a sparse symmetric matrix."""
        from scipy.sparse import block_array, csr_array, diags_array

        number = len(self.codes) - 1
        one = np.ones(len(self.codes[0])) if self.weight is None else self.weight
        blocks: list[list[Any]] = [[None] * number for _ in range(number)]
        for j in range(number):
            blocks[j][j] = diags_array(self._sums(None, j + 1))
            for k in range(j):
                cell = self.codes[j + 1].astype(np.int64) * self.sizes[k + 1] + self.codes[k + 1]
                shape = (self.sizes[j + 1], self.sizes[k + 1])
                if shape[0] * shape[1] <= 4 * len(one):
                    block = csr_array(np.bincount(cell, one, shape[0] * shape[1]).reshape(shape))
                else:
                    block = csr_array((one, (self.codes[j + 1], self.codes[k + 1])), shape)
                blocks[j][k], blocks[k][j] = block, block.T
        return csr_array(block_array(blocks))

    @cached_property
    def _scale(self) -> Floats:
        """Root of what is left of each level once the first effect is removed; 0 for nothing."""
        cross = self._cross
        through = np.square(cross.data)
        through /= np.repeat(self._first_mass, np.diff(cross.indptr))
        total = self._others.diagonal()
        left = total - np.bincount(cross.indices, through, cross.shape[1])
        return np.where(left > _RANK * total, np.sqrt(np.maximum(left, 0)), 0.0)

    @cached_property
    def _inverse_scale(self) -> Floats:
        return np.where(self._scale > 0, 1 / np.where(self._scale > 0, self._scale, 1.0), 0.0)

    @cached_property
    def _eigen(self) -> tuple[Floats, Floats]:
        """Eigenvalues and vectors of the system scaled to a unit diagonal."""
        from scipy.sparse import diags_array

        through = self._cross.T @ (diags_array(1 / self._first_mass) @ self._cross)
        scale = self._inverse_scale
        scaled = (self._others - through).toarray() * np.outer(scale, scale)
        values, vectors = np.linalg.eigh(scaled)
        return np.asarray(values, float), np.asarray(vectors, float)

    @cached_property
    def _inverse(self) -> Floats:
        values, vectors = self._eigen
        kept = values > _RANK
        vectors = vectors[:, kept] * self._inverse_scale[:, None]
        return np.asarray((vectors / values[kept]) @ vectors.T, float)

    def _solve(self, right: Floats, steps: int) -> tuple[Floats, int]:
        """Solve the system within some steps of conjugate gradients; tell how many were needed."""
        if self._small:
            return np.asarray(self._inverse @ right, float), 0
        d = self._inverse_scale
        solution, residual = np.zeros_like(right), d * right
        direction, size = residual.copy(), float(residual @ residual)
        goal = _TURN**2 * size
        for step in range(steps):
            if size <= goal:
                return solution * d, step
            scaled = d * direction
            moved = self._others @ scaled
            moved -= self._cross.T @ ((self._cross @ scaled) / self._first_mass)
            moved *= d
            length = size / float(direction @ moved)
            solution += length * direction
            residual -= length * moved
            before, size = size, float(residual @ residual)
            direction = residual + (size / before) * direction
        return solution * d, steps


def singletons_of(codes: Sequence[Positions]) -> int:
    """Count the rows alone in a level of an effect: they tell nothing of the rest."""
    alone = np.zeros(len(codes[0]) if codes else 0, np.bool_)
    for code in codes:
        alone |= (np.bincount(code) == 1)[code]
    return int(alone.sum())


def is_nested(code: Positions, cluster: Positions) -> bool:
    """Tell whether each level lies in one cluster."""
    own = np.empty(int(code.max()) + 1, np.int64)
    own[code] = cluster
    return bool((own[code] == cluster).all())


def fit_absorbed(
    y: Floats,
    x: Sequence[Floats],
    names: Sequence[str],
    codes: Sequence[Positions],
    *,
    weight: Floats | None = None,
    cluster: Positions | None = None,
    columns: bool = False,
) -> LeastSquares:
    """Regress on columns net of fixed effects.

    Parameters
    ----------
    y : ndarray
        The explained variable.
    x : sequence of ndarray
        The columns.
    names : sequence of str
        Their names.
    codes : sequence of ndarray of int
        Level of each row for each effect.
    weight : ndarray, optional
        Positive weights.
    cluster : ndarray of int, optional
        Cluster of each row: effects nested in clusters are no parameters of CR1.
    columns : bool, default False
        Keep the effects that are not nested as columns of the basis, as CR2 and CR3 ask.

    Returns
    -------
    LeastSquares
        Coefficients of the columns that neither the effects nor the columns before explain.

    Raises
    ------
    BarometreError
        No more rows than parameters, more dummies than memory holds.
    """
    nested = [code for code in codes if cluster is not None and is_nested(code, cluster)]
    size = float(np.linalg.norm(y))
    every = Absorbed.of(codes, weight)
    if columns:
        inside = max(nested, key=lambda code: int(code.max()), default=np.zeros(len(y), np.int64))
        others = [code for code in codes if code is not inside]
        dummies = _dummies(others, len(y))
        kept = Absorbed.of([inside], weight)
        given = [f"effet {k}" for k in range(len(dummies))]
        fit = _least_squares(kept, y, [*dummies, *x], [*given, *names], size, kept.rank)
        return _last(fit, sum(name in given for name in fit.names))
    fit = _least_squares(every, y, x, names, size, every.rank)
    inner = Absorbed.of(nested, weight).rank if nested else 0
    number = len(fit.names)
    return replace(fit, k=number + every.rank - inner + bool(nested), k_all=number + every.rank)


def _least_squares(
    effects: Absorbed,
    y: Floats,
    x: Sequence[Floats],
    names: Sequence[str],
    size: float,
    absorbed: int,
) -> LeastSquares:
    matrix = np.empty((len(x), len(y))).T  # columns contiguous in memory
    for j, column in enumerate(x):
        left = effects.residual(column)
        # What effects explain whole leaves rounding, which must not pass for a column.
        known = np.linalg.norm(left) > UNMOVED * np.linalg.norm(column)
        matrix[:, j] = left if known else 0.0
    return least_squares(
        effects.residual(y), matrix, names,
        weight=effects.weight, absorbed=absorbed, nuisance=len(names), size=size,
    )  # fmt: skip


def _dummies(codes: Sequence[Positions], n: int) -> list[Floats]:
    """Return the indicators of all levels but the first of each effect."""
    number = sum(int(code.max()) for code in codes)
    if number * n > MOST:
        raise BarometreError(
            f"{counted(number, 'indicatrice')} pour {counted(n, 'ligne')} : trop pour CR2 et CR3, "
            "qui gardent les effets fixes non emboîtés dans les grappes ; les regrouper, ou CR1"
        )
    levels = [(code, level) for code in codes for level in range(1, int(code.max()) + 1)]
    return [(code == level).astype(float) for code, level in levels]


def _last(fit: LeastSquares, first: int) -> LeastSquares:
    """Leave out the first coefficients, not their part of the basis."""
    return replace(fit, coef=fit.coef[first:], back=fit.back[first:], names=fit.names[first:])
