"""Removing the fixed effects of people and waves, exactly and without a dummy per person."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from barometre.base.arrays import Floats
from barometre.cohort.rows.columns import Positions

_NEAR = 2**15  # numbers that stay near the processor while they are gone through


def near_rows(n: int, width: int = 1) -> Iterator[slice]:
    """Cut rows of some numbers each into blocks small enough for the caches of the processor."""
    step = max(_NEAR // width, 1)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


@dataclass(frozen=True)
class TwoWays:
    """The person and the wave of each row, as positions, and the weight of the row.

    ``full`` says that everyone is there exactly once at every wave: one subtraction is then enough.
    """

    person: Positions
    wave: Positions
    n_people: int
    n_waves: int
    weight: Floats | None = None
    full: bool = False

    @functools.cached_property
    def grid(self) -> bool:
        """Tell rows in the order of people, then of waves, without hole or weight: a matrix."""
        if not self.full or self.weight is not None:
            return False
        if len(self.person) != self.n_people * self.n_waves:
            return False
        return all(
            (
                self.person[some] * self.n_waves + self.wave[some]
                == np.arange(some.start, some.stop)
            ).all()
            for some in near_rows(len(self.person))
        )

    def person_sums(self, values: Floats | None) -> Floats:
        """Weighted sums by person; of 1 when there are no values."""
        if self.grid:
            if values is None:
                return np.full(self.n_people, float(self.n_waves))
            return np.asarray(np.einsum("pw->p", self._lines(values)), float)
        return np.bincount(self.person, self._weighted(values), self.n_people).astype(float)

    def wave_sums(self, values: Floats | None) -> Floats:
        """Weighted sums by wave; of 1 when there are no values."""
        if self.grid and values is not None:
            return np.asarray(np.einsum("pw->w", self._lines(values)), float)
        return np.bincount(self.wave, self._weighted(values), self.n_waves).astype(float)

    def _lines(self, values: Floats) -> Floats:
        return values.reshape(self.n_people, self.n_waves)

    def _weighted(self, values: Floats | None) -> Floats | None:
        if self.weight is None or values is None:
            return self.weight if values is None else values
        return values * self.weight


def without_person(values: Floats, rows: TwoWays) -> Floats:
    """Subtract from each row the (weighted) mean of its person.

    Parameters
    ----------
    values : ndarray
        One value per row.
    rows : TwoWays
        Whose rows they are.

    Returns
    -------
    ndarray
        Deviations; 0 for a person seen once.
    """
    totals = rows.person_sums(None)
    means = rows.person_sums(values) / np.where(totals > 0, totals, 1.0)
    if rows.grid:
        left = np.empty(len(values))
        for some in near_rows(rows.n_people, width=rows.n_waves):
            lines = slice(some.start * rows.n_waves, some.stop * rows.n_waves)
            np.subtract(values[lines], np.repeat(means[some], rows.n_waves), out=left[lines])
        return left
    return np.asarray(values - means[rows.person], float)


def without_person_and_wave(columns: list[Floats], rows: TwoWays) -> list[Floats]:
    """Subtract from each column its regression on the dummies of people and waves.

    Parameters
    ----------
    columns : list of ndarray
        Columns of one value per row.
    rows : TwoWays
        Whose rows they are.

    Returns
    -------
    list of ndarray
        What neither people nor waves explain.

    Notes
    -----
    Exact whatever the gaps and weights: once people are removed, wave effects solve a system of
    the size of the number of waves (Wansbeek, Kapteyn, 1989). On a full panel without weights the
    system is diagonal: deviations from the two means.
    """
    deviations = [without_person(column, rows) for column in columns]
    if rows.full and rows.weight is None:
        for deviation in deviations:
            means = rows.wave_sums(deviation) / rows.n_people
            if rows.grid:
                for some in near_rows(rows.n_people, width=rows.n_waves):
                    lines = slice(some.start * rows.n_waves, some.stop * rows.n_waves)
                    deviation[lines] -= np.tile(means, some.stop - some.start)
            else:
                deviation -= means[rows.wave]
        return deviations
    cell = rows.person.astype(np.int64) * rows.n_waves + rows.wave
    present = np.bincount(cell, rows.weight, rows.n_people * rows.n_waves)
    present = present.reshape(rows.n_people, rows.n_waves).astype(float)
    totals = present.sum(1)
    shares = present / np.where(totals > 0, totals, 1.0)[:, None]
    inverse = np.linalg.pinv(np.diag(present.sum(0)) - present.T @ shares, 1e-10, hermitian=True)
    for deviation in deviations:
        effects = inverse @ rows.wave_sums(deviation)
        deviation -= effects[rows.wave]
        deviation += (shares @ effects)[rows.person]
    return deviations
