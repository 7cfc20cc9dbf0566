"""Measure what the library promises, as ratios to a reference run in the same process.

    python -m benchmarks.run               full size; fails when a promise is not kept
    python -m benchmarks.run --small       small size, once: the benchmarks still run
    python -m benchmarks.run --only NAME   the measures whose name holds NAME
    python -m benchmarks.run --write       the page of the documentation, from this run

Ratios of processor time, not seconds: machines differ, and others may use them too. Both sides are
run in turn, several times, and the best of each is kept.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

import barometre as bcs
from barometre.cards.listing import load_cards
from barometre.tables.check import check_table
from barometre.tables.table_set import Tables
from benchmarks import cohort, comparisons, composite, outputs, reading, robustness, scale
from benchmarks.timing import Measure, against, slope


def bare_arithmetic(tables: Tables) -> pd.DataFrame:
    """Do the arithmetic of every indicator as one would by hand, into the same long shape."""
    t = {name: tables[name] for name in tables}
    part, two = _part_columns(), _two_table_columns()
    values = {
        name: 100 * t[table][numerator] / t[table][denominator]
        for name, (table, numerator, denominator) in part.items()
    }
    for name, (one, numerator, other, denominator, factor) in two.items():
        values[name] = factor * t[one][numerator] / t[other][denominator]
    for name, card in load_cards().items():
        if name not in values:
            columns = [t[table][c] for table, cs in card.entrees.items() for c in cs]
            values[name] = columns[0] if len(columns) == 1 else 100 * columns[0] / sum(columns)
    return pd.concat(values, names=["indicateur"]).rename("valeur").reset_index()


def _part_columns() -> dict[str, tuple[str, str, str]]:
    """Indicators with one numerator and one denominator in one table."""
    return {
        name: (table, columns[0], columns[1])
        for name, card in load_cards().items()
        if len(card.entrees) == 1
        for table, columns in card.entrees.items()
        if len(columns) == 2
    }


def _two_table_columns() -> dict[str, tuple[str, str, str, str, float]]:
    """Indicators whose denominator is in another table."""
    found = {}
    for name, card in load_cards().items():
        if len(card.entrees) == 2:
            (one, numerators), (other, denominators) = card.entrees.items()
            factor = 10_000.0 if card.unite == "pour_10000" else 100.0
            found[name] = (one, numerators[0], other, denominators[0], factor)
    return found


def measure_compute(communes: int, times: int) -> float:
    """Compare `compute` on every table with bare pandas; tables are checked beforehand."""
    tables = bcs.datasets.make_tables(communes, 2021, seed=0)
    assert len(bare_arithmetic(tables)) == len(bcs.compute(tables))
    return against(lambda: bcs.compute(tables), lambda: bare_arithmetic(tables), times)


def measure_intervals(communes: int, times: int) -> float:
    """Compare `compute` with intervals and without."""
    tables = bcs.datasets.make_tables(communes, 2021, seed=0)
    return against(lambda: bcs.compute(tables, intervals=True), lambda: bcs.compute(tables), times)


def measure_growth(sizes: Sequence[int], times: int) -> float:
    """Follow the time of `compute` with the number of communes."""

    def run(communes: int) -> Callable[[], object]:
        tables = bcs.datasets.make_tables(communes, 2021, seed=0)
        return lambda: bcs.compute(tables, intervals=True)

    return slope(sizes, run, times)


def measure_validation(communes: int, times: int) -> float:
    """Compare the check of a table just read with its reading from CSV; keep the worst table."""
    tables = bcs.datasets.make_tables(communes, 2021, seed=0, secrecy=False)
    ratios = {}
    for name in tables:
        text = tables[name].to_csv()
        read, check = [], []
        for _ in range(times):
            start = time.process_time()
            frame = pd.read_csv(io.StringIO(text), dtype={"code": str})
            read.append(time.process_time() - start)
            keyed = frame.set_index(["code", "annee"])
            start = time.process_time()
            check_table(name, keyed)
            check.append(time.process_time() - start)
        ratios[name] = min(check) / min(read)
    slowest = max(ratios, key=lambda name: ratios[name])
    print(f"    slowest check: {slowest}")
    return ratios[slowest]


def measure_import(times: int) -> float:
    """Compare ``import barometre`` with ``import pandera.pandas``, each in a new interpreter."""

    def seconds(module: str) -> float:
        program = (
            f"import time; s = time.process_time(); import {module}; print(time.process_time() - s)"
        )
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        return float(run.stdout)

    pairs = [(seconds("barometre"), seconds("pandera.pandas")) for _ in range(times)]
    return min(ours for ours, _ in pairs) / min(theirs for _, theirs in pairs)


def main() -> int:
    """Print every ratio with its bound; return 1 when a bound is passed at full size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="small size, once")
    parser.add_argument("--only", default="", help="measures whose name holds this")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    asked = parser.parse_args()
    small = asked.small
    communes, times = (300, 1) if small else (35_000, 7)
    sizes = (100, 200, 300) if small else (3_500, 11_000, 35_000)
    measures = [
        Measure("compute, all tables / bare pandas", 2.0, lambda: measure_compute(communes, times)),
        Measure(
            "compute with intervals / without", 3.2, lambda: measure_intervals(communes, times)
        ),
        Measure("compute, slope with the communes", 1.2, lambda: measure_growth(sizes, 3)),
        Measure("check of a table / read_csv", 1.5, lambda: measure_validation(communes, times)),
        Measure("import barometre / import pandera.pandas", 1.3, lambda: measure_import(times)),
        *comparisons.measures(small=small),
        *scale.measures(small=small),
        *composite.measures(small=small),
        *robustness.measures(small=small),
        *cohort.measures(small=small),
        *outputs.measures(small=small),
        *reading.measures(small=small),
    ]
    print(f"{communes} communes, best of {times}")
    rows = []
    for measure in (m for m in measures if asked.only in m.name):
        ratio = measure.ratio()
        kept = ratio <= measure.bound
        rows.append((measure.name, ratio, measure.bound, kept))
        said = "" if kept or small else "  BROKEN"
        print(f"  {measure.name}: {ratio:.2f} (at most {measure.bound}){said}", flush=True)
    if asked.write:
        write_page(rows)
    return int(not all(kept for *_, kept in rows) and not small)


def write_page(rows: Sequence[tuple[str, float, float, bool]]) -> None:
    """Put the figures of a run in the page of the documentation, in place of the former ones."""
    page = Path(__file__).parent.parent / "docs" / "performance.md"
    before, _, rest = page.read_text("utf-8").partition(MARK)
    former, _, after = rest.partition(MARK)
    told = {line.split(" | ")[0].strip("| "): line for line in former.splitlines()[3:]}
    told |= {
        name: f"| {name} | {ratio:.2f} | {bound:g} | {'' if kept else 'not kept'} |"
        for name, ratio, bound, kept in rows
    }
    lines = ["| measure | this run | at most |  |", "|---|---:|---:|---|", *told.values()]
    page.write_text(f"{before}{MARK}\n{chr(10).join(lines)}\n{MARK}{after}", "utf-8")


MARK = "<!-- figures of make bench -->"


if __name__ == "__main__":
    raise SystemExit(main())
