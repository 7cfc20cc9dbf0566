"""Quasi-random designs and total-order Sobol' shares.

A design has two matrices A and B of points of the unit cube. For a group of coordinates i, AB_i is
A with these coordinates taken from B: what then moves is due to the group, alone or with others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from barometre.base.arrays import Floats, RowNumbers


def power_of_two(number: int) -> int:
    """Give the least power of two that is not under a number.

    Examples
    --------
    >>> [power_of_two(number) for number in (1, 2, 3, 1000)]
    [1, 2, 4, 1024]
    """
    return 1 << (number - 1).bit_length()


def base_points(number: int, coordinates: int, seed: int) -> tuple[Floats, Floats]:
    """Draw the matrices A and B of a design.

    Parameters
    ----------
    number : int
        Points wanted, rounded up to a power of two: a Sobol' sequence is balanced at these only.
    coordinates : int
        Coordinates of a point; none gives points without coordinates.
    seed : int
        Seed of the scrambling.

    Returns
    -------
    tuple of array, shape (points, coordinates)
        A and B, between 0 included and 1 excluded.

    Notes
    -----
    Sobol' sequence in twice as many coordinates (Saltelli et al., 2010, Computer Physics
    Communications 181), scrambled (Owen, 1998) by ``scipy.stats.qmc``.
    """
    points = power_of_two(number)
    if coordinates == 0:
        return np.empty((points, 0)), np.empty((points, 0))
    from scipy.stats import qmc

    rng = np.random.default_rng([seed, 0])
    sequence = qmc.Sobol(2 * coordinates, scramble=True, seed=rng)
    both: Floats = sequence.random_base2(points.bit_length() - 1)
    return both[:, :coordinates], both[:, coordinates:]


def chosen(uniform: Floats, options: int) -> RowNumbers:
    """Turn a coordinate into the number of an option, all as likely.

    Examples
    --------
    >>> chosen(np.array([0.0, 0.3, 0.34, 0.99]), 3).tolist()
    [0, 0, 1, 2]
    """
    return np.minimum((uniform * options).astype(np.intp), options - 1)


@dataclass
class Spread:
    """Sums of a design, added up block by block."""

    centre: Floats  # near the outputs, so that variances keep their digits
    known: Floats
    first: Floats
    second: Floats
    pairs: Floats
    squares: Floats

    @classmethod
    def empty(cls, groups: int, centre: Floats) -> Spread:
        """Start from nothing."""
        shape = centre.shape
        known, first, second = (np.zeros(shape) for _ in range(3))
        pairs, squares = (np.zeros((groups, *shape)) for _ in range(2))
        return cls(centre, known, first, second, pairs, squares)

    def add(self, base: Floats, changed: Sequence[Floats]) -> None:
        """Add the outputs of a block, NaN where there is none."""
        gaps = base - self.centre
        present = ~np.isnan(gaps)
        gaps = np.where(present, gaps, 0.0)
        self.known += present.sum(axis=0)
        self.first += gaps.sum(axis=0)
        self.second += (gaps**2).sum(axis=0)
        for i, other in enumerate(changed):
            moves = base - other
            both = ~np.isnan(moves)
            self.pairs[i] += both.sum(axis=0)
            self.squares[i] += np.where(both, moves**2, 0.0).sum(axis=0)

    def shares(self) -> Floats:
        """Estimate the total-order shares of what was added, one by group.

        Returns
        -------
        array, one share per group
            Share of the variance that would remain if all but the group were known. Shares add up
            to more than 1 when groups interact. With several outputs: part of the sum of their
            variances (Gamboa, Janon, Klein and Lagnoux, 2014). All zero without any variance.

        Notes
        -----
        Jansen (1999, Computer Physics Communications 117): the mean of (A - AB_i)^2 / 2, over the
        variance of A. An estimate may pass 1 by chance.
        """
        known, pairs = np.maximum(self.known, 1), np.maximum(self.pairs, 1)
        variance = float(np.sum(self.second / known - (self.first / known) ** 2))
        moved = (self.squares / pairs / 2).sum(axis=tuple(range(1, pairs.ndim)))
        return np.asarray(moved / variance if variance > 0 else np.zeros_like(moved))
