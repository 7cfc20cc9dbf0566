"""All communes, all years, all indicators: in memory year by year, then on two workers of Dask.

    python -m benchmarks.spread --communes 35000 --limit 1GB --parts 40

Tables are drawn, then written as Parquet, one file per table and year, in a folder that all see.
The memory limit is that of each worker; one that passes it is started again by Dask, in another
process: the run is then refused.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from dask.distributed import LocalCluster

YEARS = range(2012, 2022)


def peak() -> float:
    """Return the gigabytes that this process held at its worst."""
    status = Path("/proc/self/status").read_text()
    held = re.search(r"VmHWM:\s*([0-9]+)", status)
    return int(held.group(1)) / 2**20 if held else float("nan")


def write(folder: Path, communes: int) -> None:
    """Draw the tables of a year, and give them again for the others."""
    import barometre as bcs

    drawn = bcs.datasets.make_tables(communes, 2021, seed=0)
    named = {name: drawn[name].reset_index() for name in drawn} | {"statuts": drawn.statuts}
    for name, frame in named.items():
        (folder / name).mkdir(parents=True)
        for year in YEARS:
            frame.assign(annee=year).to_parquet(folder / name / f"{year}.parquet", index=False)
    drawn.territoires.reset_index().to_parquet(folder / "territoires.parquet", index=False)


def tables_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name != "statuts")


def by_years(folder: Path, out: Path) -> list[float]:
    """Compute a year at a time, in this process."""
    import barometre as bcs

    places = pd.read_parquet(folder / "territoires.parquet")
    for year in YEARS:
        frames = {n: pd.read_parquet(folder / n / f"{year}.parquet") for n in tables_in(folder)}
        said = pd.read_parquet(folder / "statuts" / f"{year}.parquet")
        tables = bcs.Tables(frames, statuts=said, territoires=places)
        bcs.compute(tables).to_parquet(out / f"{year}.parquet", index=False)
    return [peak()]


@contextlib.contextmanager
def two_workers(limit: str) -> Iterator[LocalCluster]:
    """Start two workers that may hold so much memory each."""
    import dask
    from dask.distributed import LocalCluster

    # The pool that Arrow has by default keeps what it freed: a worker would seem full, and wait.
    pool = {"distributed.nanny.pre-spawn-environ.ARROW_DEFAULT_MEMORY_POOL": "system"}
    kept: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None}
    with dask.config.set(pool), LocalCluster(2, memory_limit=limit, **kept) as cluster:
        yield cluster


def by_dask(folder: Path, out: Path, limit: str, parts: str) -> list[float]:
    """Compute by parts of territories, on two workers, and say what each of them held."""
    import dask.dataframe as dd
    from dask.distributed import Client

    import barometre as bcs

    with two_workers(limit) as cluster, Client(cluster) as client:
        first = client.run(os.getpid)
        tables = bcs.DaskTables(
            {name: dd.read_parquet(folder / name) for name in tables_in(folder)},
            statuts=dd.read_parquet(folder / "statuts").repartition(npartitions=int(parts)),
            territoires=pd.read_parquet(folder / "territoires.parquet"),
        )
        bcs.compute(tables).to_parquet(out, write_index=False)
        assert client.run(os.getpid) == first, "un worker a été relancé"
        return [peak(), *client.run(peak).values()]


def same(one: Path, other: Path) -> bool:
    """Tell whether two folders hold the same results, a year at a time."""
    order = ["indicateur", "code"]
    for year in YEARS:
        left, right = (
            pq.read_table(folder, filters=[("annee", "==", year)]).to_pandas()
            for folder in (one, other)
        )
        left, right = (f.sort_values(order, ignore_index=True) for f in (left, right))
        if not left.equals(right):
            return False
    return True


def gigabytes(folder: Path) -> float:
    """Return what the files of a folder take in memory, as plain Arrow columns."""
    return float(sum(pq.read_table(file).nbytes for file in folder.rglob("*.parquet")) / 2**30)


def measured(how: str, folder: Path, out: Path, *options: str) -> None:
    """Run one way in its own process, and print its seconds and gigabytes."""
    out.mkdir()
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.spread", how, str(folder), str(out), *options]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True
    )
    held = json.loads(done.stdout.splitlines()[-1])
    seconds = time.perf_counter() - start
    told = ", ".join(f"{gigabytes:.2f}" for gigabytes in held)
    print(f"{how:9} {seconds:7.0f} s, {told} GB held (process, then workers)", flush=True)


def main() -> None:
    """Write the tables, run both ways, compare."""
    if sys.argv[1:2] in (["by_years"], ["by_dask"]):
        how, tables, results, *given = sys.argv[1:]
        run = by_years if how == "by_years" else by_dask
        print(json.dumps(run(Path(tables), Path(results), *given)))
        return
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--communes", type=int, default=35_000)
    asked.add_argument("--limit", default="1GB", help="memory limit of each worker")
    asked.add_argument("--parts", default="40", help="parts of territories")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder / "tables", options.communes)
        measured("by_years", folder / "tables", folder / "by_years")
        measured("by_dask", folder / "tables", folder / "by_dask", options.limit, options.parts)
        files = [*(folder / "by_years").glob("*.parquet")]
        rows = sum(pq.ParquetFile(file).metadata.num_rows for file in files)
        held = [gigabytes(folder / name) for name in ("tables", "by_years")]
        print(f"in memory, tables {held[0]:.2f} GB and results {held[1]:.2f} GB")
        print(f"{rows} rows, the same: {same(folder / 'by_years', folder / 'by_dask')}")


if __name__ == "__main__":
    main()
