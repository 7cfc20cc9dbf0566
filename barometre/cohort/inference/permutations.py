"""The ways of exchanging dates of entry between clusters: all of them, or some drawn."""

from __future__ import annotations

import itertools
import math

import numpy as np

from barometre.base.arrays import Integers

TRIED = 5000  # at most so many permutations are all tried
FEW, EVEN = 5, 0.8  # clusters of the smallest group, and its ratio to the largest one


def uneven(labels: Integers) -> bool:
    """Tell whether groups of clusters are too few or too unequal for the law of Hotelling.

    Examples
    --------
    >>> uneven(np.array([0] * 5 + [1] * 6)), uneven(np.array([0] * 5 + [1] * 7))
    (False, True)
    """
    sizes = np.bincount(labels)
    return bool(sizes.min() < FEW or sizes.min() < EVEN * sizes.max())


def exchanged(labels: Integers, *, draws: int, seed: int) -> tuple[Integers, bool]:
    """Permute labels between clusters.

    Parameters
    ----------
    labels : ndarray of int
        Label of each cluster, from 0 on.
    draws : int
        Permutations when there are more than 5 000: the labels as they are, and random ones.
    seed : int
        Seed of these.

    Returns
    -------
    tuple
        One permutation per row, and whether they are all of them, each once.

    Examples
    --------
    >>> exchanged(np.array([0, 0, 1]), draws=9, seed=0)[0].tolist()
    [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    """
    sizes = np.bincount(labels)
    number = math.factorial(len(labels))
    for size in sizes:
        number //= math.factorial(int(size))
    if number > TRIED:
        rng = np.random.default_rng(seed)
        drawn = rng.permuted(np.tile(labels, (draws - 1, 1)), axis=1)
        return np.concatenate([labels[None, :], drawn]), False
    every = np.full((1, len(labels)), len(sizes) - 1, np.int64)
    free = np.arange(len(labels))[None, :]
    for label, size in enumerate(sizes[:-1]):
        chosen = np.array(list(itertools.combinations(range(free.shape[1]), int(size))), np.int64)
        chosen = chosen.reshape(-1, int(size))
        left = np.ones((len(chosen), free.shape[1]), np.bool_)
        np.put_along_axis(left, chosen, values=False, axis=1)
        rest = np.nonzero(left)[1].reshape(len(chosen), -1)
        every = np.repeat(every, len(chosen), axis=0)
        np.put_along_axis(every, free[:, chosen].reshape(len(every), -1), label, axis=1)
        free = free[:, rest].reshape(len(every), -1)
    return every[np.lexsort(every.T[::-1])], True
