"""`compute`, the check of tables and unions, against the bare pandas that does the same."""

from __future__ import annotations

import functools
import io
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

import barometre as bcs
from barometre.cards.listing import load_cards
from barometre.tables.check import check_table
from barometre.tables.table_set import Tables
from benchmarks.timing import Measure, Run, Sized, best

COMMUNES = (3_500, 11_000, 35_000)
EPCI = 28
"""Communes of a union, about as many as those of an EPCI."""


def measures(*, small: bool) -> list[Measure | Sized]:
    """List what is promised of values and tables."""
    times = 1 if small else 15
    return [
        Measure("import barometre / import pandera.pandas", 1.2,
                functools.partial(importing, (), times)),
        Measure("import barometre, compute and read / import pandera.pandas", 1.2,
                functools.partial(importing, ("compute", "read"), times)),
        Sized("check of the slowest table / read_csv", COMMUNES, checking, 1.5),
        Sized("compute, communes / bare pandas", COMMUNES, values_of("commune"), 2.0),
        Sized(
            "compute, communes x 10 years / bare pandas",
            (350, 3_500, 35_000),
            values_of("commune", range(2012, 2022)),
            2.0,
        ),
        Sized("compute, IRIS / bare pandas", (4_900, 15_500, 49_000), values_of("iris"), 2.0),
        Sized("compute, QPV / bare pandas", (160, 500, 1_600), values_of("qpv"), 2.0),
        Sized("compute with intervals / without", COMMUNES, with_intervals, 3.0),
        Sized("aggregate, communes into EPCI / groupby and sum", COMMUNES, unions, 20.0),
    ]  # fmt: skip


@functools.lru_cache(maxsize=1)
def tables_of(level: str, size: int, years: tuple[int, ...] = (2021,)) -> Tables:
    """Draw the tables of a year, for communes or under the codes of a level; repeat it for others.

    Repeating draws nothing new, and takes a tenth of the time.
    """
    base, when = bcs.datasets.make_tables(size, 2021, seed=0), [*years]
    if level == "commune" and when == [2021]:
        return base
    codes = base["population"].index.get_level_values("code")
    names = dict(zip(codes, codes_of(level, codes), strict=True))
    keys = pd.MultiIndex.from_arrays(
        [pd.Index([*names.values()] * len(when)), np.repeat(when, len(codes))],
        names=["code", "annee"],
    )
    frames = {name: pd.concat([base[name]] * len(when)).set_axis(keys) for name in base}
    said = base.statuts.assign(code=base.statuts["code"].map(names))
    said = pd.concat([said.assign(annee=year) for year in when], ignore_index=True)
    return Tables(frames, statuts=said)


def codes_of(level: str, communes: Iterable[str]) -> list[str]:
    """Write a code of a level for each commune."""
    if level == "iris":
        return [f"{code}0101" for code in communes]
    if level == "qpv":
        return [f"QP0{code}" for code in communes]
    return [*communes]


def bare_arithmetic(tables: Tables) -> pd.DataFrame:
    """Do the arithmetic of every indicator as one would by hand, into the same long shape."""
    t = {name: tables[name] for name in tables}
    values = {}
    for name, card in load_cards().items():
        columns = [t[table][column] for table, cs in card.entrees.items() for column in cs]
        if len(columns) == 1:
            values[name] = columns[0]
        elif len(columns) == 2 or len(card.entrees) == 2:
            factor = 10_000.0 if card.unite == "pour_10000" else 100.0
            values[name] = factor * columns[0] / columns[-1]
        else:
            values[name] = 100 * columns[0] / sum(columns)
    by_hand: pd.Series[float] = pd.concat(values, names=["indicateur"]).rename("valeur")
    return by_hand.reset_index()


def values_of(level: str, years: Iterable[int] = (2021,)) -> Callable[[int], tuple[Run, Run]]:
    """Compare `compute` on every table with bare pandas; tables are checked beforehand."""

    def make(size: int) -> tuple[Run, Run]:
        tables = tables_of(level, size, tuple(years))
        return lambda: bcs.compute(tables), lambda: bare_arithmetic(tables)

    return make


def with_intervals(size: int) -> tuple[Run, Run]:
    """Compare `compute` with intervals and without."""
    tables = tables_of("commune", size)
    return lambda: bcs.compute(tables, intervals=True), lambda: bcs.compute(tables)


def checking(size: int) -> tuple[Run, Run]:
    """Compare the check of a table just read with its reading from CSV: of the slowest table."""
    tables = bcs.datasets.make_tables(size, 2021, seed=0, secrecy=False)

    def sides(name: str) -> tuple[Run, Run]:
        text = tables[name].to_csv()
        frame = pd.read_csv(io.StringIO(text), dtype={"code": str}).set_index(["code", "annee"])
        return (
            lambda: check_table(name, frame),
            lambda: pd.read_csv(io.StringIO(text), dtype={"code": str}),
        )

    pairs = [sides(name) for name in tables]
    return max(pairs, key=lambda pair: best(pair[0], 2) / best(pair[1], 2))


def unions(size: int) -> tuple[Run, Run]:
    """Compare unions of communes with the sums of their tables, which say nothing of what lacks."""
    tables = tables_of("commune", size)
    codes = tables["population"].index.get_level_values("code")
    union = {code: f"U{place // EPCI:04d}" for place, code in enumerate(codes)}

    def bare() -> list[pd.DataFrame]:
        frames = [tables[name].reset_index() for name in tables]
        return [
            frame.assign(code=frame["code"].map(union)).groupby(["code", "annee"]).sum(min_count=1)
            for frame in frames
        ]

    return lambda: bcs.aggregate(tables, union), bare


def importing(names: Sequence[str], times: int) -> float:
    """Compare ``import barometre``, some names being asked for, with ``import pandera.pandas``.

    Each is in a new interpreter, in turn: the median of what the processor spent, the modules being
    compiled beforehand as those of an installed package are.
    """
    ours = "\n".join(["import barometre", *(f"barometre.{name}" for name in names)])
    programs = (ours, "import pandera.pandas")
    spent: dict[str, list[float]] = {program: [] for program in programs}
    with tempfile.TemporaryDirectory() as compiled:
        env = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = compiled
        for program in programs:
            seconds(program, env)  # compiles
        for program in programs * times:
            spent[program].append(seconds(program, env))
    us, them = (statistics.median(spent[program]) for program in programs)
    return us / them


def seconds(program: str, env: Mapping[str, str]) -> float:
    """Return what the processor spends on a program, from its first line."""
    timed = f"import time\ns = time.process_time()\n{program}\nprint(time.process_time() - s)"
    run = subprocess.run(
        [sys.executable, "-c", timed], env=env, capture_output=True, text=True, check=True
    )
    return float(run.stdout)
