"""Removing the fixed effects of people and waves, exactly and without a dummy per person."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from barometre.base.arrays import Floats
from barometre.cohort.rows.columns import Positions


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
        shape = (self.n_people, self.n_waves)
        if len(self.person) != shape[0] * shape[1]:
            return False
        person, wave = self.person.reshape(shape), self.wave.reshape(shape)
        in_order = (person == np.arange(shape[0])[:, None]).all()
        return bool(in_order and (wave == np.arange(shape[1])).all())

    def person_sums(self, values: Floats | None) -> Floats:
        """Weighted sums by person; of 1 when there are no values."""
        if self.grid:
            if values is None:
                return np.full(self.n_people, float(self.n_waves))
            lines = values.reshape(self.n_people, self.n_waves)
            sums = lines[:, 0].astype(float)
            for wave in range(1, self.n_waves):  # in the order of a sum row by row
                sums += lines[:, wave]
            return sums
        return np.bincount(self.person, self._weighted(values), self.n_people).astype(float)

    def wave_sums(self, values: Floats | None) -> Floats:
        """Weighted sums by wave; of 1 when there are no values."""
        if self.grid and values is not None:
            sums: Floats = values.reshape(self.n_people, self.n_waves).sum(axis=0)
            return sums
        return np.bincount(self.wave, self._weighted(values), self.n_waves).astype(float)

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
        return np.asarray(values.reshape(-1, rows.n_waves) - means[:, None], float).ravel()
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
                deviation.reshape(-1, rows.n_waves)[:] -= means
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
