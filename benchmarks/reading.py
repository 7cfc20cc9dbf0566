"""Reading a file of each family against pandas alone: ``read_csv`` of the columns that feed it."""

from __future__ import annotations

import functools
import itertools
import tempfile
import warnings
from pathlib import Path

import pandas as pd

import barometre as bcs
from barometre.datasets.places.bundle import communes, wholes
from barometre.sources.wide.family import Family, load_families, named
from benchmarks.timing import Measure, best, peak
from tests.test_source_families import FILES, header_of, rows_of

SMALL = ("filosofi_disp", "sigville_demo", "rp_logement", "caf_iris_com_qp")
"""Families read at small size: a file of communes, of neighbourhoods, of the census, of IRIS."""

FEW = 500
"""Rows under which a duration says nothing: families of so few territories are left out."""


def codes_of(level: str, rows: int) -> list[str]:
    """List true codes of a level, as many as asked or as there are."""
    towns = [code for code in communes().index if not code.startswith(("97", "98"))]
    if level == "commune":
        found = towns
    elif level == "iris":
        found = [f"{code}{place:04d}" for place in (101, 102) for code in towns]
    elif level == "qpv":
        found = [f"QP0{part:02d}{place:03d}" for place in range(1, 60) for part in range(1, 96)
                 if part != 20]  # fmt: skip
    else:
        above = wholes()
        found = above.index[above["niveau"] == level].tolist()
    return found[:rows]


def level_of_file(family: Family) -> str:
    """Return the level that the family, or the name of its file, gives."""
    hit = named(family, FILES[family.nom])
    told = ((hit.groupdict().get("niveau") or "") if hit else "").upper()
    return family.niveau or family.niveaux.get(told, "commune")


def write_file(folder: Path, family: Family, rows: int) -> tuple[Path, list[str], int]:
    """Write a large file of a family: its true header, true codes, the rows of a small one."""
    header = header_of(family)
    models = rows_of(family, header, zero=True)
    place = next(header.index(name) for name in header if name in family.code)
    first = models[0][place]
    own = [row for row in models if row[place] == first]
    codes = codes_of(level_of_file(family), rows)
    lines = [";".join(header)]
    for code, row in itertools.product(codes, own):
        lines.append(";".join([*row[:place], code, *row[place + 1 :]]))
    path = folder / f"{FILES[family.nom]}.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path, header, len(codes)


def read_quietly(path: Path) -> None:
    """Read a file, without what is told of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is measured is the reading
        bcs.read(path)


@functools.cache
def ratios(rows: int, times: int, *, small: bool) -> pd.DataFrame:
    """Compare durations and memory, family by family: ``temps`` and ``memoire``, as ratios."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for family in load_families().values():
            if family.nom not in FILES or (small and family.nom not in SMALL):
                continue
            folder = Path(name) / family.nom
            folder.mkdir()
            path, header, number = write_file(folder, family, rows)
            if number < min(FEW, rows):
                continue

            def alone(path: Path = path, header: list[str] = header) -> object:
                return pd.read_csv(path, sep=";", usecols=header, dtype={header[0]: "str"})

            def ours(path: Path = path) -> None:
                read_quietly(path)

            found[family.nom] = {
                "temps": best(ours, times) / best(alone, times),
                "memoire": peak(ours) / peak(alone),
            }
    return pd.DataFrame.from_dict(found, orient="index")


def worst(column: str, *, rows: int, times: int, small: bool) -> float:
    """Print the ratio of every family, and return the worst one."""
    found = ratios(rows, times, small=small)[column].sort_values(ascending=False)
    for family, ratio in found.items():
        print(f"    {column} {family}: {ratio:.1f}")
    return float(found.iloc[0])


def measures(*, small: bool) -> list[Measure]:
    """List what is promised of reading."""
    rows, times = (300, 1) if small else (10_000, 3)
    slow = functools.partial(worst, rows=rows, times=times, small=small)
    return [
        Measure("reading the slowest family / read_csv", TIME, functools.partial(slow, "temps")),
        Measure("memory of the largest one / read_csv", MEMORY, functools.partial(slow, "memoire")),
    ]


TIME, MEMORY = 80.0, 15.0
"""Ratios that the worst family keeps to. On 10 000 rows of few columns, 12 to 60 and 4 to 11 were
measured: encoding, separators, codes, secrecy and contradictions are looked at on the way."""
