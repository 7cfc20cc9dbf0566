"""Files of results against bare XlsxWriter and pandas, and the memory that they take."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import xlsxwriter

import barometre as bcs
from barometre.pages.delimited import Dialect
from benchmarks.timing import Measure, best

ROWS = 866_570
MEMORY = 400.0
"""Megabytes that a workbook may take above the frame it is written from."""


@functools.cache
def results(rows: int) -> pd.DataFrame:
    """Draw results of some number of rows, with intervals."""
    found = bcs.compute(bcs.datasets.make_tables(rows // 50 + 10, 2021, seed=0), intervals=True)
    assert len(found) >= rows
    return found.head(rows)


def bare_workbook(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame cell by cell, as one would by hand."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(frame.columns))
        for i, row in enumerate(frame.itertuples(index=False), 1):
            for j, value in enumerate(row):
                if value == value:  # a missing one differs
                    sheet.write(i, j, value)


def measure_workbook(rows: int, times: int) -> float:
    frame = results(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.xlsx"
        ours = best(lambda: bcs.write_results(frame, path), times)
        return ours / best(lambda: bare_workbook(frame, path), times)


def measure_csv(rows: int, times: int, kind: Dialect) -> float:
    frame = results(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.csv"
        ours = best(lambda: bcs.write_results(frame, path, csv=kind), times)
        return ours / best(lambda: frame.to_csv(path, index=False), times)


_MEMORY = """
import re, resource, sys
import pandas as pd, barometre as bcs, barometre.pages.results_file
frame = pd.read_parquet(sys.argv[1])
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
bcs.write_results(frame, sys.argv[2])
# ru_maxrss would keep what the process that launched this one held.
status = open("/proc/self/status").read()
print(int(re.search(r"VmHWM:\\s*([0-9]+)", status).group(1)) * 1024 - before)
"""


def measure_memory(rows: int) -> float:
    """Compare with its limit what a workbook takes above its frame, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source, path = Path(folder) / "r.parquet", Path(folder) / "r.xlsx"
        results(rows).to_parquet(source)
        run = subprocess.run(
            [sys.executable, "-c", _MEMORY, str(source), str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
    return int(run.stdout) / 2**20 / MEMORY


def measures(*, small: bool) -> list[Measure]:
    """List what is promised of files of results."""
    rows, times = (2_000, 1) if small else (ROWS, 1)
    return [
        Measure("results in XLSX / bare XlsxWriter", 1.3, lambda: measure_workbook(rows, times)),
        Measure(f"memory of an XLSX / {MEMORY:.0f} MB", 1.0, lambda: measure_memory(rows)),
        Measure("results in CSV / to_csv", 1.0, lambda: measure_csv(rows, times, "machine")),
        Measure(
            "results in CSV for Excel / to_csv", 2.0, lambda: measure_csv(rows, times, "excel")
        ),
    ]
