"""Read any file we know into checked tables, and say what each file holds.

The one road of a file: see `barometre.sources.kind`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError
from barometre.sources.files.text import SUFFIXES, Source, is_hidden, open_sources, split_name
from barometre.sources.forms.melodi.cubes import load_cubes
from barometre.sources.forms.units.unit_family import load_unit_families
from barometre.sources.kind import Beside, Recognised, Waiting
from barometre.sources.kinds import last_resort, recognise
from barometre.sources.report import FileReport, Reading, described, set_aside
from barometre.sources.wide.by_family import unrecognised
from barometre.sources.wide.family import load_families
from barometre.sources.wide.revisions import revised
from barometre.tables.table_set import Tables, combine


class SourceWarning(UserWarning):
    """Something a reader of the values must know about the file they come from."""


def read(*sources: str | Path) -> Tables:
    """Read producers' files and our own tables, whatever their vintage.

    Parameters
    ----------
    *sources : str or Path
        Files (CSV, XLSX, XLS, Parquet, JSON, ZIP of these), folders of them, or names of bundled
        datasets. Each file is recognised by its header, then by its name. Files that need others
        (exports with labels, geolocated Sirene) are read with them, whatever their order.

    Returns
    -------
    Tables
        Every cell of every file; absent cells keep their reason in ``statuts``.

    Raises
    ------
    BarometreError
        A source that does not exist, is of no known family or is refused, or the same cell given
        twice with different values: every fault of every file.

    Warns
    -----
    SourceWarning
        A family whose column codes were never seen in a real file; codes given their zero back.
    """
    readings = _read_all(sources)
    if all(reading.aside for reading in readings):
        files = " ; ".join(f"{one.report.fichier} ({one.report.titre})" for one in readings)
        raise BarometreError(f"aucune valeur à lire : {files}")
    for reading in readings:
        for text in reading.report.avertissements:
            warnings.warn(f"{reading.report.fichier} : {text}", SourceWarning, stacklevel=2)
    return combine(
        [reading.tables for reading in readings], [reading.report.fichier for reading in readings]
    )


def check_files(*sources: str | Path) -> list[FileReport]:
    """Say of every file what it holds, what it feeds and what is missing to feed more.

    Parameters
    ----------
    *sources : str or Path
        As for `read`.

    Returns
    -------
    list of FileReport

    Raises
    ------
    BarometreError
        One or several files are refused; every fault of every file.
    """
    return [reading.report for reading in _read_all(sources)]


def _read_all(sources: Sequence[str | Path]) -> list[Reading]:
    """Read every source; the refusal of one does not hide those of the others."""
    readings: list[Reading] = []
    refusals: list[str] = []
    opened: list[Source] = []
    for source in sources:
        try:
            for item in _items(source):
                readings += _readings(item, refusals, opened)
        except BarometreError as error:
            refusals.append(str(error))
    readings += _waiting(opened, readings, refusals)
    readings = revised(readings)
    if refusals:
        raise BarometreError("\n".join(refusals))
    if not readings:
        raise BarometreError("aucune source : donner un fichier, un dossier ou un jeu de données")
    return readings


def _waiting(
    opened: Sequence[Source], readings: Sequence[Reading], refusals: list[str]
) -> list[Reading]:
    """Read the files that need what the others give."""
    waiting = [source for source in opened if isinstance(source.reconnu, Waiting)]
    if not waiting:
        return []
    labels = pd.concat([Tables({}).territoires, *(one.tables.territoires for one in readings)])
    beside = Beside(labels, tuple(opened))
    found = []
    for source in waiting:
        try:
            assert isinstance(source.reconnu, Waiting)  # so chosen above
            found.append(source.reconnu.read(source, beside))
        except BarometreError as error:
            refusals.append(str(error))
    return found


def _items(source: str | Path) -> Sequence[Path | str]:
    """List the files of a source, or the bundled dataset that it names."""
    path = Path(source)
    if path.is_dir():
        files = sorted(
            p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not is_hidden(p.name)
        )
        if not files:
            raise BarometreError(f"le dossier {path.name} ne contient aucun fichier de données")
        return files
    if path.exists():
        return [path]
    if source in datasets.names():
        return [str(source)]
    known = ", ".join(datasets.names())
    raise BarometreError(
        f"« {source} » n'est ni un fichier, ni un dossier, ni un jeu de données ({known})"
    )


def _readings(item: Path | str, refusals: list[str], opened: list[Source]) -> Iterator[Reading]:
    """Read one file; the refusal of a sheet or of a member does not hide the others."""
    if isinstance(item, str):
        tables = datasets.tables(item)
        yield Reading(tables, described(tables, item, "jeu de données fourni"))
        return
    sources = open_sources(item, recognise)
    books = {split_name(source.nom)[0] for source in sources if source.reconnu is not None}
    opened += sources
    for source in sources:
        if isinstance(source.reconnu, Waiting):
            continue
        try:
            yield _read_source(source, beside=split_name(source.nom)[0] in books)
        except BarometreError as error:
            refusals.append(str(error))


def _read_source(source: Source, *, beside: bool) -> Reading:
    """Read a source as what it was recognised as; a sheet beside known ones may be no data."""
    found = source.reconnu or last_resort(source.entete, source.nom)
    if isinstance(found, Recognised):
        return found.read(source)
    if beside:
        title = "feuille non reconnue"
        return set_aside(source.nom, "feuille", title, told=f"{title}, mise de côté")
    raise unrecognised(source)


def families() -> pd.DataFrame:
    """List the families of files that `read` recognises.

    Returns
    -------
    DataFrame
        Indexed by family: title, producer, state of the codes, tables fed.
    """
    wide = [
        (one.nom, one.titre, one.producteur, one.etat, {m.table for m in one.colonnes})
        for one in load_families().values()
    ]
    units = [
        (one.nom, one.titre, one.producteur, one.etat, {c.vers.split(".")[0] for c in one.comptes})
        for one in load_unit_families().values()
    ]
    cubes = [
        (cube.nom, f"{cube.titre} : Melodi, {', '.join(cube.jeux)}", "Insee", cube.etat,
         {target.table for target in cube.colonnes})
        for cube in load_cubes().values() if not cube.refus
    ]  # fmt: skip
    names, titles, producers, states, fed = zip(*wide, *units, *cubes, strict=True)
    return pd.DataFrame(
        {
            "titre": titles,
            "producteur": producers,
            "etat": states,
            "tables": [", ".join(sorted(tables)) for tables in fed],
        },
        index=pd.Index(names, name="famille"),
    )
