"""Measure what the library promises, as ratios to a reference run in the same process.

    python -m benchmarks.run               full size; fails when a promise is not kept
    python -m benchmarks.run --small       the smallest size, once: the benchmarks still run
    python -m benchmarks.run --only NAME   the measures whose name holds NAME
    python -m benchmarks.run --write       the page of the documentation, from this run

Ratios of processor time, not seconds: machines differ, and others may use them too. Both sides are
run in turn, several times, and the best of each is kept. Memory is what the process holds at the
worst moment of a call, beyond what it held before.
"""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks import (
    cohort,
    comparisons,
    composite,
    computing,
    outputs,
    peers,
    reading,
    robustness,
    scale,
)
from benchmarks.timing import Found, Measure, Sized, take

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
MARK = "<!-- figures of make bench -->"
HEADER = """| measure | sizes | seconds | times the reference | at most | slope | memory |  |
|---|---|---|---:|---:|---:|---|---|"""


def listed(*, small: bool) -> dict[str, Measure | Sized]:
    """List every promise by name."""
    every = [
        *computing.measures(small=small),
        *comparisons.measures(),
        *composite.measures(),
        *robustness.measures(),
        *cohort.measures(),
        *scale.measures(small=small),
        *outputs.measures(),
        *reading.measures(small=small),
        *peers.measures(),
    ]
    return {measure.name: measure for measure in every}


def row_of(measure: Measure | Sized, *, small: bool) -> tuple[str, bool]:
    """Measure, and write a row of the table, and whether every bound is kept."""
    if isinstance(measure, Sized):
        return row_of_found(take(measure, small=small), small=small)
    ratio = measure.ratio()
    kept = ratio <= measure.bound
    told = "" if kept or small else "not kept"
    return f"| {measure.name} |  |  | {ratio:.2f} | {measure.bound:.3g} |  |  | {told} |", kept


def row_of_found(found: Found, *, small: bool) -> tuple[str, bool]:
    """Write a row: sizes, seconds, ratio and its bound, slope, memory, what is not kept."""
    m, broken = found.measure, [] if small else found.broken()
    sizes = ", ".join(f"{size:,}".replace(",", " ") for size in m.sizes[: len(found.seconds)])
    seconds = ", ".join(f"{value:.2g}" for value in found.seconds)
    slope = "" if math.isnan(found.slope) else f"{found.slope:.2f}"
    memory = f"{found.megabytes:.0f} MB, {found.memory:.1f} times"
    told = f"not kept: {', '.join(broken)}" if broken else ""
    bound = "" if math.isinf(m.bound) else f"{m.bound:.3g}"
    figures = f"{found.ratio:.2f} | {bound} | {slope} | {memory} | {told}"
    return f"| {m.name} | {sizes} | {seconds} | {figures} |", not broken


def main() -> int:
    """Print a row per promise; return 1 when a bound is passed at full size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the smallest size, once")
    parser.add_argument("--only", default="", help="measures whose name holds this")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # what is measured is the duration
    every = listed(small=asked.small)
    print(HEADER)
    rows, every_kept = {}, True
    for name in every:
        if asked.only in name:
            rows[name], kept = row_of(every[name], small=asked.small)
            every_kept &= kept
            print(rows[name], flush=True)
            if asked.write:
                write_page(rows, every)
    return int(not every_kept and not asked.small)


def write_page(rows: Mapping[str, str], known: Iterable[str]) -> None:
    """Put the rows of a run in the page of the documentation, in place of the former ones."""
    before, _, rest = PAGE.read_text("utf-8").partition(MARK)
    former, _, after = rest.partition(MARK)
    told = {line.split(" | ")[0].strip("| "): line for line in former.splitlines()[3:]}
    told |= rows
    kept = [told[name] for name in known if name in told]
    PAGE.write_text(f"{before}{MARK}\n{HEADER}\n{chr(10).join(kept)}\n{MARK}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
