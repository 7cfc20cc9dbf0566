"""Reading a file of each family against pandas alone: ``read_csv`` of all its columns as texts.

The promise is about files of more than 30 000 rows. Files are made here, under the true headers and
with true codes; labels, counts and decimals are as varied as a producer's, since texts that are
repeated are looked at once.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import barometre as bcs
from barometre.cards.columns import MODELS
from barometre.datasets.places.bundle import communes, wholes
from barometre.sources.wide.family import Family, load_families, matches, named
from barometre.tables.check import is_count
from benchmarks.timing import Measure, Sized, best, peak_of
from tests.test_source_families import FILES, header_of, rows_of

SMALL = ("filosofi_disp", "sigville_demo", "rp_logement", "caf_iris_com_qp")
"""Families read at small size: a file of communes, of neighbourhoods, of the census, of IRIS."""

PROMISED = 30_000
"""Rows from which a ratio is promised: France has fewer neighbourhoods, EPCI, departments."""

FEW = 40
"""Rows of a small file, whose duration is that of what does not depend on its rows."""


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
    elif level == "departement":
        found = [f"{n:02d}" for n in range(1, 96) if n != 20]
    else:
        above = wholes()
        found = above.index[above["niveau"] == level].tolist()
    return found[:rows]


def level_of_file(family: Family) -> str:
    """Return the level that the family, or the name of its file, gives."""
    hit = named(family, FILES[family.nom])
    told = ((hit.groupdict().get("niveau") or "") if hit else "").upper()
    return family.niveau or family.niveaux.get(told, "commune")


MANY = 60
"""Columns that the full file of the census feeds, and no other."""

Writing = Callable[[str, int], str]


def size_of(table: str, column: str) -> int:
    """Give the size of a count: twenty times that of its parts, and of what it is not above."""
    if table not in MODELS:
        return 1
    columns = MODELS[table].to_schema().columns
    parts = [part for one in columns[column].metadata.get("parts", ()) for part in one]
    below = [name for name, one in columns.items() if column in one.metadata.get("at_most", ())]
    return max((20 * size_of(table, part) for part in (*parts, *below)), default=1)


def writing_of(family: Family, column: str) -> Writing:
    """Say how the cells of a column vary, in such a way that parts fit their totals."""
    fed = [m for m in family.colonnes if any(matches(t, [column]) for t in m.codes)]
    if column in family.libelle:
        return lambda cell, place: f"Saint-Lieu-sur-Eau {place}"
    if not fed:
        return lambda cell, place: cell
    if all(is_count(mapped.table, mapped.colonne) for mapped in fed):
        # The full census file gives one column to a total and to its parts: only 0 fits both.
        both = len(family.colonnes) > MANY
        size = 0 if both else max(size_of(mapped.table, mapped.colonne) for mapped in fed)
        return lambda cell, place: str(size * (1 + place * 7919 % 5000))
    return lambda cell, place: f"{int(cell) or 12},{place * 37 % 100:02d}"


def write_file(folder: Path, family: Family, rows: int) -> tuple[Path, int]:
    """Write a file of a family, of so many territories at most; and count its rows."""
    header = header_of(family)
    models = rows_of(family, header, zero=True)
    place = next(header.index(name) for name in header if name in family.code)
    own = [row for row in models if row[place] == models[0][place]]
    writings = [writing_of(family, name) for name in header]
    lines = [";".join(header)]
    for number, code in enumerate(codes_of(level_of_file(family), rows)):
        for row in own:
            cells = [write(cell, number) for write, cell in zip(writings, row, strict=True)]
            lines.append(";".join([*cells[:place], code, *cells[place + 1 :]]))
    path = folder / f"{FILES[family.nom]}.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path, len(lines) - 1


def read_quietly(*paths: Path) -> None:
    """Read files, without what is told of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is measured is the reading
        bcs.read(*paths)


def read_bare(*paths: Path) -> None:
    """Read all columns of files as texts, with pandas alone."""
    for path in paths:
        pd.read_csv(path, sep=";", dtype=str)


@contextlib.contextmanager
def files(rows: int, least: int, *, small: bool) -> Iterator[dict[str, tuple[Path, int]]]:
    """Write a file of each family that has so many rows, for as long as they are needed."""
    with tempfile.TemporaryDirectory() as name:
        found = {}
        for family in load_families().values():
            if not family.colonnes or (small and family.nom not in SMALL):
                continue
            folder = Path(name) / family.nom
            folder.mkdir()
            path, number = write_file(folder, family, rows)
            if number >= least:
                found[family.nom] = path, number
        yield found


def used_columns(path: Path) -> list[str]:
    """List the columns that feed our tables."""
    return [*bcs.check_files(path)[0].utilisees]


@functools.cache
def ratios(rows: int, times: int, *, small: bool) -> pd.DataFrame:
    """Compare durations, family by family: both sides in turn, the best of each."""
    found = {}
    with files(rows, 1 if small else PROMISED, small=small) as written:
        for family, (path, number) in written.items():
            columns = used_columns(path)

            def alone(path: Path = path) -> object:
                return pd.read_csv(path, sep=";", dtype=str)

            def some(path: Path = path, columns: list[str] = columns) -> object:
                return pd.read_csv(path, sep=";", dtype=str, usecols=columns)

            def ours(path: Path = path) -> None:
                read_quietly(path)

            rounds = [(best(ours, 1), best(alone, 1), best(some, 1)) for _ in range(times)]
            us, whole, part = (min(one) for one in zip(*rounds, strict=True))
            found[family] = {
                "lignes": number,
                "temps": us / whole,
                "temps_utiles": us / part,
            }
    return pd.DataFrame.from_dict(found, orient="index")


def worst_time(rows: int, times: int, *, small: bool) -> float:
    """Print the ratios of every family, and return the worst one."""
    found = ratios(rows, times, small=small).sort_values("temps", ascending=False)
    for family, ratio in found.iterrows():
        print(f"    {family}: {ratio['temps']:.2f} ({ratio['temps_utiles']:.2f} of its used"
              f" columns alone), {ratio['lignes']:.0f} rows")  # fmt: skip
    return float(found["temps"].iloc[0])


HEAVY = """
import sys, pandas as pd, barometre as bcs
how, little, path = sys.argv[1:]
bcs.read(little)
if how == "ours":
    kept = bcs.read(path)
if how == "pandas":
    kept = pd.read_csv(path, sep=";", dtype=str)
"""
"""Reads a file in a process of its own: what Arrow holds is seen by the system alone."""


def worst_memory(rows: int, *, small: bool) -> float:
    """Print the megabytes of the families with the largest files, and return the worst ratio."""
    with files(rows, 1 if small else PROMISED, small=small) as written:
        sizes = {family: path.stat().st_size for family, (path, _) in written.items()}
        largest = sorted(sizes, key=lambda family: -sizes[family])[: 1 if small else 5]
        with tempfile.TemporaryDirectory() as name:
            little, _ = write_file(Path(name), load_families()["rp_logement"], FEW)
            held = {
                family: [peak_of(HEAVY, how, str(little), str(written[family][0]))
                         for how in ("neither", "ours", "pandas")]
                for family in largest
            }  # fmt: skip
    for family, (before, ours, alone) in held.items():
        print(f"    {family}: {ours - before} MB, {alone - before} with pandas,"
              f" {sizes[family] / 1e6:.0f} in the file")  # fmt: skip
    return max((ours - before) / max(alone - before, 1) for before, ours, alone in held.values())


def small_file(times: int, *, small: bool) -> float:
    """Print the milliseconds of a small file of every family, and return the worst ones."""
    with files(FEW, 1, small=small) as written:
        durations = {}
        for family, (path, _) in written.items():
            read_quietly(path)  # once for what is loaded once
            durations[family] = 1000 * best(functools.partial(read_quietly, path), times)
    found = pd.Series(durations).sort_values(ascending=False)
    print(f"    {', '.join(f'{family} {ms:.0f} ms' for family, ms in found.head(5).items())}"
          f" ; half of them under {found.median():.0f} ms")  # fmt: skip
    return float(found.iloc[0])


@functools.cache
def scratch() -> Path:
    """Make a folder for what is written, removed at the end."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


def census(rows: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Read a file of the census by commune, ours and with pandas."""
    folder = scratch() / str(rows)
    folder.mkdir(exist_ok=True)
    path, _ = write_file(folder, load_families()["rp_logement"], rows)
    read_quietly(path)  # once for what is loaded once
    return (
        functools.partial(read_quietly, path),
        functools.partial(pd.read_csv, path, sep=";", dtype=str),
    )


def records(folder: Path, rows: int) -> dict[str, list[Path]]:
    """Write the files of one row per facility, dwelling and establishment."""
    rng = np.random.default_rng(0)

    def drawn(choices: Sequence[str]) -> list[str]:
        return [choices[place] for place in rng.integers(len(choices), size=rows)]

    towns, new = codes_of("commune", rows), [f"QN0{n}M" for n in range(1001, 2500)]
    old = ["", "HZ", *codes_of("qpv", 1_500)]
    kinds = drawn([f"{letter}{number}" for letter in "ABCDEFG" for number in range(101, 130)])
    siret = [f"{number:014d}" for number in range(rows)]
    days = pd.date_range("2012-01-01", "2025-12-31").strftime("%Y-%m-%d").tolist()
    tables: dict[str, dict[str, list[str]]] = {
        "facilities/BPE24": {
            "AN": ["2024"] * rows, "NOMRS": siret, "DEPCOM": drawn(towns), "TYPEQU": kinds,
            "DOM": [kind[:1] for kind in kinds], "SDOM": [kind[:2] for kind in kinds],
            "SIRET": siret,
        },
        "dwellings/RPLS_2025": {
            "Code Commune": drawn(towns), "Code Postal": drawn(towns),
            "Nombre de pièces": drawn("1234"), "Surface habitable": drawn(["30", "55", "80"]),
            "Année de construction": drawn(["1962", "1985"]),
            "Code QPV 2024": drawn(["", "HZ", *new]), "Code QPV 2015": drawn(old),
        },
        "establishments/Geolocalisation": {
            "siret": siret, "x": siret, "y": siret, "plg_qp24": drawn(["HZ", *new]),
            "qualite_qp24": drawn("123"), "plg_qp15": drawn(old), "qualite_qp15": drawn("123"),
        },
        "establishments/StockEtablissement": {
            "siren": siret, "nic": siret, "siret": siret, "dateCreationEtablissement": drawn(days),
            "etat": drawn("AF"), "activite": drawn(["43.12Z"]), "effectif": drawn(["00", "NN"]),
        },
    }  # fmt: skip
    found: dict[str, list[Path]] = {}
    for name, columns in tables.items():
        path = folder / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        pd.DataFrame(columns).to_csv(path, sep=";", index=False)
        found.setdefault(path.parent.name, []).append(path)
    return found


def worst_count(rows: int, times: int) -> float:
    """Print the ratios of files counted row by row, and return the worst one."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, paths in records(Path(folder), rows).items():
            ours = functools.partial(read_quietly, *paths)
            bare = functools.partial(read_bare, *paths)
            rounds = [(best(ours, 1), best(bare, 1)) for _ in range(times)]
            us, them = (min(side) for side in zip(*rounds, strict=True))
            found[name] = us / them
    print(f"    {', '.join(f'{name} {ratio:.2f}' for name, ratio in found.items())}")
    return max(found.values())


def measures(*, small: bool) -> list[Measure | Sized]:
    """List what is promised of reading."""
    rows, times = (300, 1) if small else (35_000, 5)
    slow = functools.partial(worst_time, rows, times, small=small)
    heavy = functools.partial(worst_memory, rows, small=small)
    return [
        Measure("reading the slowest family / read_csv", TIME, slow),
        Measure("counting one row per facility, dwelling or establishment / read_csv", TIME,
                functools.partial(worst_count, 300 if small else 120_000, times)),
        Measure("reading a small file, slowest family, in ms", FIXED,
                functools.partial(small_file, times, small=small)),
        Sized("reading the census by commune / read_csv", SIZES, census, TIME),
        Measure("memory of the largest files / read_csv", MEMORY, heavy),
    ]  # fmt: skip


SIZES = (3_500, 11_000, 35_000)
TIME, FIXED, MEMORY = 3.0, 100.0, 3.0
"""What the worst family keeps to: beyond 30 000 rows, times ``read_csv`` of its texts; for a small
file, milliseconds of processor in a warm process; memory, of processes apart."""
