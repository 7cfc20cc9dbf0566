"""Measure what the library promises, as ratios to a reference run in the same process.

    python -m benchmarks.run            full size; fails when a promise is not kept
    python -m benchmarks.run --small    small size, once: the benchmarks still run

Ratios, not seconds: machines differ. Each side is run several times and the best is kept.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time

import pandas as pd

import barometre as bcs
from barometre.cards.listing import load_cards
from barometre.tables.check import check_table
from barometre.tables.table_set import Tables
from benchmarks import cohort, composite, outputs, reading, robustness
from benchmarks.timing import Measure, best


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
    ours = best(lambda: bcs.compute(tables), times)
    return ours / best(lambda: bare_arithmetic(tables), times)


def measure_validation(communes: int, times: int) -> float:
    """Compare the check of a table just read with its reading from CSV; keep the worst table."""
    tables = bcs.datasets.make_tables(communes, 2021, seed=0, secrecy=False)
    ratios = {}
    for name in tables:
        text = tables[name].to_csv()
        read, check = [], []
        for _ in range(times):
            start = time.perf_counter()
            frame = pd.read_csv(io.StringIO(text), dtype={"code": str})
            read.append(time.perf_counter() - start)
            keyed = frame.set_index(["code", "annee"])
            start = time.perf_counter()
            check_table(name, keyed)
            check.append(time.perf_counter() - start)
        ratios[name] = min(check) / min(read)
    slowest = max(ratios, key=lambda name: ratios[name])
    print(f"    slowest check: {slowest}")
    return ratios[slowest]


def measure_import(times: int) -> float:
    """Compare ``import barometre`` with ``import pandera.pandas``, each in a new interpreter."""

    def seconds(module: str) -> float:
        program = (
            f"import time; s = time.perf_counter(); import {module}; print(time.perf_counter() - s)"
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
    small = parser.parse_args().small
    communes, times = (300, 1) if small else (35_000, 7)
    measures = [
        Measure("compute, all tables / bare pandas", 3.0, lambda: measure_compute(communes, times)),
        Measure("check of a table / read_csv", 1.5, lambda: measure_validation(communes, times)),
        Measure("import barometre / import pandera.pandas", 1.3, lambda: measure_import(times)),
        *composite.measures(small=small),
        *robustness.measures(small=small),
        *cohort.measures(small=small),
        *outputs.measures(small=small),
        *reading.measures(small=small),
    ]
    print(f"{communes} communes, best of {times}")
    broken = 0
    for measure in measures:
        ratio = measure.ratio()
        kept = ratio <= measure.bound
        broken += not kept
        said = "" if kept or small else "  BROKEN"
        print(f"  {measure.name}: {ratio:.2f} (at most {measure.bound}){said}")
    return int(bool(broken) and not small)


if __name__ == "__main__":
    raise SystemExit(main())
