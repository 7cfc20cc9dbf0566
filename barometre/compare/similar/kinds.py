"""A typology: territories sorted into classes, described, and sorted again to see what holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, number_text
from barometre.compare.rows import checked_rows
from barometre.compare.similar.pool import Pool, Years, pool_of
from barometre.tables.codes import level_of


@dataclass(frozen=True, repr=False)
class Typology(Face):
    """Classes of territories.

    Attributes
    ----------
    table : DataFrame
        ``code``, ``classe`` (1 is the largest) and ``distance`` to the centre of the class.
    profiles : DataFrame
        One row per class and variable: ``classe, effectif, variable, moyenne`` (in the unit of the
        variable, the geometric mean of one in logarithms) and ``score`` (in standard deviations
        from the mean of the pool).
    stability : float
        Mean adjusted Rand index of the classes found again on resampled units: 1 when they are the
        same, 0 when they agree no more than by chance.
    by_class : DataFrame
        ``classe`` and ``jaccard``: mean overlap of the class with the nearest one of each resample.
    explained : float
        Share of the variance between classes.
    pool : Pool
        The units, and who was left out.
    """

    table: pd.DataFrame
    profiles: pd.DataFrame
    stability: float
    by_class: pd.DataFrame
    explained: float
    pool: Pool

    def sentences(self) -> Sequence[str]:
        """Say the classes, what sets them apart, and whether they would be found again."""
        lines = [
            self.pool.described(),
            f"{counted_text(len(self.by_class), 'classe')},"
            f" {number_text(100 * self.explained)} % de la variance ; indice de stabilité"
            f" {number_text(self.stability, 2)} (1 : les mêmes sur chaque rééchantillon).",
        ]
        for number, part in self.profiles.groupby("classe"):
            far = part.reindex(part["score"].abs().sort_values(ascending=False).index).head(2)
            told = " ; ".join(
                f"{row['variable']} {number_text(row['score'], 1, signed=True)}"
                for row in far.to_dict("records")
            )
            size = counted_text(part["effectif"].iloc[0], "territoire")
            lines.append(f"Classe {number} ({size}) : {told}.")
        return lines


def typology(
    results: pd.DataFrame,
    variables: Iterable[str],
    year: Years = "latest",
    classes: int = 4,
    *,
    pool: str | Iterable[str] | None = None,
    name: str | None = None,
    log: Iterable[str] | None = None,
    starts: int = 20,
    draws: int = 100,
    seed: int = 0,
) -> Typology:
    """Sort territories into classes by k-means.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them.
    variables : iterable of str
        Identifiers of indicators.
    year : int, "latest" or mapping of str to int, default "latest"
        Year of the variables, as in `neighbours`.
    classes : int, default 4
        Number of classes, at least 2.
    pool : str or iterable of str, optional
        Level or codes of the territories; the level of most of them by default.
    name : str, optional
        What the pool is, in words.
    log : iterable of str, optional
        Variables taken in logarithms; the counts by default.
    starts : int, default 20
        Starts of the algorithm (k-means++), of which the best is kept.
    draws : int, default 100
        Resamples of the units (bootstrap), for the stability.
    seed : int, default 0
        Seed: the same call gives the same classes, whatever the order of the rows.

    Returns
    -------
    Typology

    Raises
    ------
    BarometreError
        Variables, year or pool that are none; fewer complete units than classes.
    UnknownNameError
        An indicator of no card.

    Notes
    -----
    Lloyd's algorithm with the seeds of Arthur and Vassilvitskii (2007), on the variables
    standardised over the complete units. Adjusted Rand index: Hubert and Arabie (1985); stability
    of a class: Hennig (2007), who reads under 0.6 as a class that is not to be trusted. k-means
    always gives classes, whether or not there are any: the stability tells.

    Examples
    --------
    >>> from barometre import compute, datasets
    >>> drawn = compute(datasets.make_tables(80, 2021, seed=1))
    >>> found = typology(drawn, ["taux_emploi_15_64", "part_non_diplomes"], classes=3, draws=10)
    >>> sorted(found.table["classe"].unique().tolist())
    [1, 2, 3]
    """
    for label, number, least in (
        ("classes", classes, 2), ("starts", starts, 1), ("draws", draws, 1), ("seed", seed, 0)
    ):  # fmt: skip
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
            raise BarometreError(f"{label}={number!r} refusé : donner un entier d'au moins {least}")
    rows = checked_rows(results)
    levels = pd.Series([level_of(code) for code in rows.codes])
    level = str(levels.mode().iloc[0]) if len(levels) else "commune"
    found = pool_of(rows, variables, year, level=level, pool=pool, name=name, log=log)
    scores = found.scores.sort_index()
    points = scores.to_numpy()
    if len(np.unique(points, axis=0)) <= classes:
        raise BarometreError(f"classes={classes} refusé : {len(points)} unités complètes")
    rng = np.random.default_rng(seed)
    labels, centres = kmeans(points, classes, starts, rng)
    stability, overlap = _resampled(points, labels, classes, draws, rng)
    gaps = np.sqrt(((points - centres[labels]) ** 2).mean(axis=1))
    table = pd.DataFrame({"code": scores.index, "classe": labels + 1, "distance": gaps})
    within = ((points - centres[labels]) ** 2).sum() / (points**2).sum()
    by_class = pd.DataFrame({"classe": np.arange(1, classes + 1), "jaccard": overlap})
    profiles = _profiles(found, scores, labels)
    return Typology(table, profiles, stability, by_class, float(1 - within), found)


def kmeans(
    points: Floats, classes: int, starts: int, rng: np.random.Generator
) -> tuple[Integers, Floats]:
    """Return the labels and centres of the best of several starts, the largest class first."""
    from scipy.cluster.vq import ClusterError, kmeans2

    best, labels, centres = np.inf, np.zeros(len(points), dtype=np.int64), points[:classes]
    for _ in range(starts):
        try:
            middle, mine = kmeans2(points, classes, iter=100, minit="++", missing="raise", rng=rng)
        except ClusterError:
            continue  # a class was left empty: another start
        cost = ((points - middle[mine]) ** 2).sum()
        if cost < best - 1e-12:
            best, labels, centres = cost, mine.astype(np.int64), middle
    sizes = np.bincount(labels, minlength=classes)
    order = np.lexsort((centres[:, 0], -sizes))
    place = np.empty(classes, dtype=np.int64)
    place[order] = np.arange(classes)
    return place[labels], centres[order]


def _resampled(
    points: Floats, labels: Integers, classes: int, draws: int, rng: np.random.Generator
) -> tuple[float, Floats]:
    """Sort resampled units again: mean adjusted Rand index, mean overlap of each class."""
    indexes, overlaps = [], []
    for _ in range(draws):
        drawn = np.unique(rng.integers(0, len(points), len(points)))
        if len(drawn) <= classes:
            continue
        again, _ = kmeans(points[drawn], classes, 5, rng)
        table = np.zeros((classes, classes))
        np.add.at(table, (labels[drawn], again), 1)
        indexes.append(adjusted_rand(table))
        union = table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table
        overlaps.append((table / np.maximum(union, 1)).max(axis=1))
    if not indexes:
        return float("nan"), np.full(classes, np.nan)
    return float(np.mean(indexes)), np.mean(overlaps, axis=0)


def adjusted_rand(table: Floats) -> float:
    """Return the adjusted Rand index of two partitions, from their cross table.

    Examples
    --------
    >>> adjusted_rand(np.array([[3.0, 0.0], [0.0, 2.0]]))
    1.0
    """

    def pairs(counts: Floats) -> float:
        return float((counts * (counts - 1) / 2).sum())

    total = pairs(np.array([table.sum()]))
    rows, columns = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected, most = rows * columns / total, (rows + columns) / 2
    return 1.0 if most == expected else (pairs(table) - expected) / (most - expected)


def _profiles(pool: Pool, scores: pd.DataFrame, labels: Integers) -> pd.DataFrame:
    """Describe each class by the mean of its variables."""
    figures = pool.figures.reindex(scores.index).to_numpy()
    points, names = scores.to_numpy(), [str(name) for name in scores]
    rows = []
    for number in range(labels.max() + 1):
        mine = labels == number
        means, middles = figures[mine].mean(axis=0), points[mine].mean(axis=0)
        for place, name in enumerate(names):
            shown = float(np.exp(means[place])) if name in pool.logged else float(means[place])
            rows.append((number + 1, int(mine.sum()), name, shown, float(middles[place])))
    return pd.DataFrame(rows, columns=["classe", "effectif", "variable", "moyenne", "score"])
