"""Records of every kind counted in a stream: made ones, under the true names of columns.

    python -m benchmarks.records --millions 20 --limit 1GB

prints, for each kind, the seconds of processor and the gigabytes of a process that counts it, then
what each of two workers of Dask held, with this limit of memory each, and whether all is the same.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import dataset

import barometre as bcs
from benchmarks.spread import peak, two_workers
from benchmarks.timing import told_by

MILLION = 1_000_000
PROGRAM = """
import sys, time
from pyarrow import dataset
import barometre as bcs
start = time.process_time()
folders = [dataset.dataset(folder) for folder in sys.argv[2:]]
bcs.count_records(folders[0], sys.argv[1], **dict(zip(["stock"], folders[1:])))
print(time.process_time() - start)
"""
COMMUNES = [f"{d:02d}{c:03d}" for d in range(1, 96) if d != 20 for c in range(1, 371)]
QUARTERS = [f"QN{d:03d}{n:02d}M" for d in range(1, 96) if d != 20 for n in range(1, 17)]

Columns = Mapping[str, Any]


def taken(words: list[str], at: np.ndarray) -> pa.Array:
    return pa.array(words).take(pa.array(at))


def facilities(rng: np.random.Generator, i: int, size: int) -> Columns:
    """Make facilities (BPE)."""
    kinds = [f"{letter}{number}" for letter in "ABCDEFG" for number in range(101, 130)]
    kind = taken(kinds, rng.integers(len(kinds), size=size))
    domain, part = (pc.utf8_slice_codeunits(kind, 0, n) for n in (1, 2))
    place = taken(COMMUNES, rng.integers(len(COMMUNES), size=size))
    return {"AN": pa.repeat("2024", size), "DEPCOM": place, "TYPEQU": kind, "DOM": domain,
            "SDOM": part}  # fmt: skip


def dwellings(rng: np.random.Generator, i: int, size: int) -> Columns:
    """Make dwellings (RPLS): a fifth in a neighbourhood of 2024."""
    quarters = [*QUARTERS, *["HZ"] * (4 * len(QUARTERS))]
    return {
        "Code Commune": taken(COMMUNES, rng.integers(len(COMMUNES), size=size)),
        "Code QPV 2024": taken(quarters, rng.integers(len(quarters), size=size)),
        "Code QPV 2015": taken(quarters, rng.integers(len(quarters), size=size)),
        "Surface habitable": pa.array(rng.integers(15, 150, size)),
    }


def numbers(i: int, size: int) -> pa.Array:
    plain = pa.array(np.arange(i * size, (i + 1) * size) * 37 + 10**12)
    return pc.utf8_lpad(plain.cast(pa.string()), 14, "0")


def establishments(rng: np.random.Generator, i: int, size: int) -> Columns:
    """Make geolocated establishments: one in twenty lies in a neighbourhood."""
    quarters = [*QUARTERS, *["CSZ"] * (19 * len(QUARTERS))]
    return {
        "siret": numbers(i, size),
        "x": pa.array(rng.random(size)),
        "plg_qp24": taken(quarters, rng.integers(len(quarters), size=size)),
        "plg_code_commune": taken(COMMUNES, rng.integers(len(COMMUNES), size=size)),
        "qualite_qp24": taken(["1", "2", "3"], rng.integers(3, size=size)),
    }


def stock(rng: np.random.Generator, i: int, size: int) -> Columns:
    """Make the stock of the same establishments."""
    days = [f"{year}-{month:02d}-15" for year in range(1985, 2025) for month in range(1, 13)]
    return {
        "siret": numbers(i, size),
        "dateCreationEtablissement": taken(days, rng.integers(len(days), size=size)),
        "etatAdministratifEtablissement": taken(["A", "F"], rng.integers(2, size=size)),
    }


def housing(rng: np.random.Generator, i: int, size: int) -> Columns:
    """Make a data set of Melodi: per commune and census, every combination of some dimensions.

    A commune has 576 rows, three censuses of 192, of which our columns ask for 24.
    """
    occupied, kinds = ["_T", "DW_MAIN", "DW_VAC", "DW_SEC_DW_OCC"], ["_T", "100", "211", "221"]
    cars, rooms = ["_T", "C0", "C1", "C_GE2"], ["_T", "R1", "R2"]
    row = np.arange(i * size, (i + 1) * size)
    dims: dict[str, Any] = {}
    for name, words in {"NOR": rooms, "CARS": cars, "TSH": kinds, "OCS": occupied,
                        "TIME_PERIOD": ["2012", "2017", "2023"]}.items():  # fmt: skip
        dims[name] = taken(words, row % len(words))
        row = row // len(words)
    value = np.full(size, 1000.0)
    for name, total in {"NOR": "_T", "CARS": "_T", "TSH": "_T", "OCS": "_T"}.items():
        value /= np.where(pc.equal(dims[name], total).to_numpy(zero_copy_only=False), 1, 4)
    fixed = dict.fromkeys(("L_STAY", "TDW", "CARPARK", "BUILD_END", "NRG_SRC"), "_T")
    fixed |= {"RP_MEASURE": "DWELLINGS", "GEO_OBJECT": "COM", "FREQ": "A", "OBS_STATUS": "A"}
    place = taken(COMMUNES, row)
    return {"GEO": place, **{name: pa.repeat(word, size) for name, word in fixed.items()}, **dims,
            "OBS_VALUE": pa.array(value)}  # fmt: skip


KINDS: Mapping[str, tuple[str, tuple[Callable[..., Columns], ...]]] = {
    "BPE": ("BPE24", (facilities,)),
    "RPLS": ("RPLS detail 2025", (dwellings,)),
    "Sirene": ("GeolocalisationEtablissement", (establishments, stock)),
    "Melodi": ("DS_RP_LOGEMENT_PRINC", (housing,)),
}
"""By kind, the name of the file and what makes its columns, and those of the file beside it."""


def written(folder: Path, make: Callable[..., Columns], millions: int) -> Path:
    """Write a million rows a file."""
    place = folder / make.__name__
    place.mkdir()
    rng = np.random.default_rng(0)
    for i in range(millions):
        pq.write_table(pa.table(dict(make(rng, i, MILLION))), place / f"{i:03d}.parquet")
    return place


def counted(kind: str, millions: int) -> tuple[float, float]:
    """Give the seconds and the gigabytes of a process that counts the records of a kind."""
    name, makers = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        places = [str(written(Path(folder), make, millions)) for make in makers]
        seconds, megabytes = told_by(PROGRAM, name, *places)
        return float(seconds), megabytes / 1024


def on_workers(kind: str, millions: int, limit: str) -> tuple[list[float], bool]:
    """Give the gigabytes that two workers hold, and whether they count as a stream does."""
    import dask.dataframe as dd
    from dask.distributed import Client

    name, makers = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        places = [written(Path(folder), make, millions) for make in makers]
        streams, frames = map(dataset.dataset, places), map(dd.read_parquet, places)
        streamed = bcs.count_records(next(streams), name, stock=next(streams, None))
        with two_workers(limit) as cluster, Client(cluster) as client:
            spread = bcs.count_records(next(frames), name, stock=next(frames, None))
            held = [*client.run(peak).values()]
    same = all(spread[table].equals(streamed[table]) for table in streamed)
    return held, same and spread.statuts.equals(streamed.statuts)


def main() -> None:
    """Count every kind, in a stream and on workers."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--millions", type=int, default=20)
    asked.add_argument("--limit", default="1GB", help="memory limit of each worker")
    options = asked.parse_args()
    for kind in KINDS:
        seconds, gigabytes = counted(kind, options.millions)
        print(f"{kind:8} {seconds:6.0f} s, {gigabytes:.2f} GB", flush=True)
        held, same = on_workers(kind, options.millions, options.limit)
        told = " and ".join(f"{gigabytes:.2f}" for gigabytes in held)
        print(f"{'':8} {told} GB on two workers, the same: {same}", flush=True)


if __name__ == "__main__":
    main()
