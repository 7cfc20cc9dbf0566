"""What large inputs take: all communes and years, secrecy, ranks, contributions, records."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import barometre as bcs
from barometre.composite import Index
from benchmarks.composite import LEAVES, NODES, national
from benchmarks.timing import Measure, best, peak_of, slope

GIGABYTE = 1024.0

_COMPUTE = """
import sys
import barometre as bcs
from benchmarks.comparisons import repeated
communes, indicators = int(sys.argv[1]), int(sys.argv[2])
tables = repeated(communes, range(2012, 2022))
names = [name for name in bcs.catalogue().index][:indicators]
print(len(bcs.compute(tables, names)))
"""
_COUNT = """
import sys
from pyarrow import dataset
import barometre as bcs
bcs.count_records(dataset.dataset(sys.argv[1]), "BPE24")
"""


def measures(*, small: bool) -> list[Measure]:
    """List what is promised of large inputs."""
    communes, times = (300, 1) if small else (35_000, 1)

    def secrecy() -> float:
        def run(rows: int) -> Callable[[], object]:
            counts = np.random.default_rng(0).poisson(12, (rows, 12))
            table = pd.DataFrame(counts, [f"r{i}" for i in range(rows)], [*"abcdefghijkl"])
            return lambda: bcs.suppress(table)

        return slope((20, 40) if small else (800, 1_600, 3_200), run, times)

    def ranks() -> float:
        tables = bcs.datasets.make_tables(communes, 2021, seed=0)
        found = bcs.compute(tables, intervals=True)
        found = found[found["indicateur"].isin(found["indicateur"].unique()[:57])]
        draws = 20 if small else 2_000
        return best(lambda: bcs.rank(found, method="montecarlo", draws=draws), times)

    def contributions() -> float:
        scores = mixed().score(national(communes))
        return best(lambda: scores.contributions(reference="mean"), times)

    def records() -> float:
        with tempfile.TemporaryDirectory() as folder:
            write_records(Path(folder), 1 if small else 20)
            return peak_of(_COUNT, folder) / GIGABYTE

    return [
        Measure(
            "memory of compute, 10 years of 57 indicators, in GB",
            2.5,
            lambda: peak_of(_COMPUTE, str(communes), "57") / GIGABYTE,
        ),
        Measure("suppress, slope with the rows of 12 columns", 1.2, secrecy),
        Measure("Monte-Carlo ranks of 57 indicators, in seconds", 30.0, ranks),
        Measure("contributions of 30 leaves, mixed means, in seconds", 5.0, contributions),
        Measure("memory of 20 million records counted, in GB", 1.0, records),
    ]


def mixed() -> Index:
    """Geometric means of arithmetic and geometric ones."""
    leaves = [(f"i{j:02d}", f"n{j % NODES}", 1.0 + j % 4, None) for j in range(LEAVES)]
    kinds = ("geometric", "arithmetic")
    nodes = [(f"n{k}", "indice", 1.0 + k, kinds[k % 2]) for k in range(NODES)]
    table = [*leaves, *nodes, ("indice", None, 1.0, "geometric")]
    frame = pd.DataFrame(table, columns=["id", "parent", "weight", "aggregate"])
    return Index.from_table(frame.assign(direction=1), normalise="minmax", out=(1, 100))


def write_records(folder: Path, files: int) -> None:
    """Write facilities, a million rows a file."""
    rng, size = np.random.default_rng(0), 1_000_000
    codes = pa.array([f"{d:02d}{c:03d}" for d in range(1, 96) if d != 20 for c in range(1, 371)])
    kinds = pa.array([f"{letter}{number}" for letter in "ABCDEFG" for number in range(101, 130)])
    for i in range(files):
        kind = kinds.take(pa.array(rng.integers(len(kinds), size=size)))
        place = codes.take(pa.array(rng.integers(len(codes), size=size)))
        domain, part = (pc.utf8_slice_codeunits(kind, 0, n) for n in (1, 2))
        columns = {"AN": pa.repeat("2024", size), "DEPCOM": place, "TYPEQU": kind, "DOM": domain}
        pq.write_table(pa.table({**columns, "SDOM": part}), folder / f"{i}.parquet")
