"""Positive weights by least squares, and how far they could be others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats

_RANK = 1e-9  # of the largest singular value, under which components are a combination


class WeightFit:
    """Non-negative least squares, with or without a free zero.

    Parameters
    ----------
    design : array, shape (rows, components)
        Gaps, times 100 and divided by dispersions.
    y : array, shape (rows,)
        Published values.
    free : bool
        Estimate the zero of the index too.
    """

    def __init__(self, design: Floats, y: Floats, *, free: bool) -> None:
        self.given, self.free = (design, y), free
        self.centre = design.mean(axis=0) if free else np.zeros(design.shape[1])
        self.level = float(y.mean()) if free else 0.0
        self.design, self.y = design - self.centre, y - self.level
        self.coefficients, self.norm = _nnls(self.design, self.y)
        self.total = float(self.coefficients.sum())

    def predict(self, design: Floats) -> Floats:
        return np.asarray(self.level + (design - self.centre) @ self.coefficients)

    def weight_range(self, j: int, limit: float) -> tuple[float, float]:
        """Give the smallest and largest weight of a component among fits within a limit."""
        best = float(self.coefficients[j] / self.total)
        return self._end(j, best, 0.0, limit), self._end(j, best, 1.0, limit)

    def _end(self, j: int, inside: float, outside: float, limit: float) -> float:
        if self._squares(j, outside) <= limit:
            return outside
        for _ in range(52):  # digits of a float
            middle = (inside + outside) / 2
            if self._squares(j, middle) <= limit:
                inside = middle
            else:
                outside = middle
        return inside

    def _squares(self, j: int, weight: float) -> float:
        """Give the smallest sum of squares of fits where a component has a given weight."""
        others = [k for k in range(self.design.shape[1]) if k != j]
        edges = weight * self.design[:, [j]] + (1 - weight) * self.design[:, others]
        return _nnls(edges, self.y)[1] ** 2


def _nnls(design: Floats, y: Floats) -> tuple[Floats, float]:
    from scipy.optimize import nnls  # heavy: not at import

    coefficients, norm = nnls(design, y)
    return np.asarray(coefficients, dtype=np.float64), float(norm)


def left_out_error(design: Floats, y: Floats, codes: pd.Index, *, free: bool) -> float:
    """Give the root mean squared error of each code predicted without it."""
    errors = np.empty(len(y))
    for code in codes.unique():
        out = np.asarray(codes == code)
        errors[out] = y[out] - WeightFit(design[~out], y[~out], free=free).predict(design[out])
    return float(np.sqrt(np.mean(errors**2)))


def combinations_in(design: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell the components that are a combination of the others, to rounding."""
    _, values, vectors = np.linalg.svd(design, full_matrices=True)
    null = vectors[np.append(values, np.zeros(len(vectors) - len(values))) <= _RANK * values[0]]
    return np.asarray((np.abs(null) > np.sqrt(_RANK)).any(axis=0))
