"""What large inputs take: all communes and years, secrecy, ranks, contributions, records."""

from __future__ import annotations

import functools
import math

import numpy as np
import pandas as pd

import barometre as bcs
from barometre.composite import Index
from benchmarks.composite import LEAVES, NODES, national
from benchmarks.records import KINDS, counted
from benchmarks.timing import Measure, Run, Sized, best, peak_of

GIGABYTE = 1024.0

_COMPUTE = """
import sys
import barometre as bcs
from benchmarks.computing import tables_of
communes, indicators = int(sys.argv[1]), int(sys.argv[2])
tables = tables_of("commune", communes, tuple(range(2012, 2022)))
names = [name for name in bcs.catalogue().index][:indicators]
print(len(bcs.compute(tables, names)))
"""


def measures(*, small: bool) -> list[Measure | Sized]:
    """List what is promised of large inputs."""
    communes = (3_500, 11_000, 35_000)
    most, files, kinds = (300, 1, ["BPE"]) if small else (35_000, 20, [*KINDS])
    return [
        Sized("suppress, rows of 12 columns / naive NumPy", (320, 1_000, 3_200), secrecy, math.inf,
              seconds=20.0),
        Sized("rank intervals of an indicator / NumPy, all pairs", communes, rank_sets, 0.5),
        Sized("Monte-Carlo ranks of an indicator / NumPy", communes, drawn_ranks, 1.0),
        Measure("Monte-Carlo ranks of 57 indicators, in s", 30.0, lambda: all_ranks(most)),
        Measure("contributions of 30 leaves, mixed means, in s", 5.0, lambda: contributions(most)),
        Measure("memory of compute, 10 years of 57 indicators, in GB", 2.5, lambda: computed(most)),
        *(Measure(f"memory of 20 million records counted, {kind}, in GB", 1.0,
                  functools.partial(counted_memory, kind, files)) for kind in kinds),
    ]  # fmt: skip


def secrecy(rows: int) -> tuple[Run, Run]:
    """Compare suppression with the usual naive one, which audits nothing and can be undone."""
    counts = np.random.default_rng(0).poisson(12, (rows, 12))
    table = pd.DataFrame(counts, [f"r{i}" for i in range(rows)], [*"abcdefghijkl"])
    return lambda: bcs.suppress(table), lambda: naive_suppression(counts)


def naive_suppression(counts: np.ndarray) -> np.ndarray:
    """Hide small counts, then the least other of any row or column where one alone is hidden."""
    hidden = counts < 11
    for _ in range(100):
        before = hidden.sum()
        for view, values in ((hidden, counts), (hidden.T, counts.T)):
            alone = np.flatnonzero(view.sum(1) == 1)
            others = np.where(view[alone], np.inf, values[alone])
            view[alone, others.argmin(1)] = True
        if hidden.sum() == before:
            break
    return hidden


@functools.lru_cache(maxsize=1)
def bounded(communes: int) -> pd.DataFrame:
    """Compute results with intervals."""
    return bcs.compute(bcs.datasets.make_tables(communes, 2021, seed=0), intervals=True)


def of_indicators(communes: int, number: int) -> pd.DataFrame:
    """Keep the first indicators."""
    found = bounded(communes)
    return found[found["indicateur"].isin(found["indicateur"].unique()[:number])]


def by_indicator(found: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Give values and standard errors, indicator by indicator."""
    groups = found.dropna(subset=["valeur", "borne_inf", "borne_sup"]).groupby("indicateur")
    return [
        (part["valeur"].to_numpy(), ((part["borne_sup"] - part["borne_inf"]) / 3.92).to_numpy())
        for _, part in groups
    ]


def rank_sets(communes: int) -> tuple[Run, Run]:
    """Compare with every pair of territories told apart, or not, in blocks: the critical value
    of one comparison, no tie, no indicator that is best in the middle."""
    found = of_indicators(communes, 1)

    def bare() -> list[np.ndarray]:
        return [all_pairs(value, error) for value, error in by_indicator(found)]

    return lambda: bcs.rank(found), bare


def all_pairs(value: np.ndarray, error: np.ndarray, block: int = 500) -> np.ndarray:
    """Count for each territory those certainly above, and certainly below."""
    better, worse = np.empty(len(value), int), np.empty(len(value), int)
    for start in range(0, len(value), block):
        part = slice(start, start + block)
        gap = value[part, None] - value
        sure = 1.96 * np.hypot(error[part, None], error)
        better[part], worse[part] = (gap < -sure).sum(1), (gap > sure).sum(1)
    return np.stack([1 + better, len(value) - worse])


def drawn_ranks(communes: int) -> tuple[Run, Run]:
    """Compare 2 000 draws of every value with those of NumPy: normal laws, no tie."""
    found = of_indicators(communes, 1)

    def bare() -> list[np.ndarray]:
        return [plain_draws(value, error) for value, error in by_indicator(found)]

    return lambda: bcs.rank(found, method="montecarlo"), bare


def plain_draws(value: np.ndarray, error: np.ndarray, draws: int = 2_000) -> np.ndarray:
    """Draw, rank, keep the ranks, and take their quantiles by blocks of territories."""
    rng = np.random.default_rng(0)
    ranks = np.empty((draws, len(value)), np.int32)
    for row in ranks:
        row[np.argsort(-(value + error * rng.standard_normal(len(value))))] = np.arange(len(value))
    blocks = np.array_split(ranks, 1 + len(value) // 500, axis=1)
    return np.hstack([np.quantile(block, [0.025, 0.975], axis=0) for block in blocks]) + 1


def all_ranks(communes: int) -> float:
    """Take the seconds of 2 000 draws of all communes and 57 indicators."""
    found = of_indicators(communes, 57)
    return best(lambda: bcs.rank(found, method="montecarlo"), 1)


def contributions(communes: int) -> float:
    """Take the seconds of exact contributions of all communes."""
    scores = mixed().score(national(communes))
    return best(lambda: scores.contributions(reference="mean"), 1)


def computed(communes: int) -> float:
    """Take the memory of a process that computes all communes, ten years."""
    return peak_of(_COMPUTE, str(communes), "57") / GIGABYTE


def counted_memory(kind: str, millions: int) -> float:
    """Take the memory of a process that counts records."""
    return counted(kind, millions)[1]


def mixed() -> Index:
    """Geometric means of arithmetic and geometric ones."""
    leaves = [(f"i{j:02d}", f"n{j % NODES}", 1.0 + j % 4, None) for j in range(LEAVES)]
    kinds = ("geometric", "arithmetic")
    nodes = [(f"n{k}", "indice", 1.0 + k, kinds[k % 2]) for k in range(NODES)]
    table = [*leaves, *nodes, ("indice", None, 1.0, "geometric")]
    frame = pd.DataFrame(table, columns=["id", "parent", "weight", "aggregate"])
    return Index.from_table(frame.assign(direction=1), normalise="minmax", out=(1, 100))
