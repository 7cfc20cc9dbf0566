"""Read any file we know into checked tables, and say what each file holds.

The one road of a file: see `barometre.sources.kind`.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError, NoTableError, UnknownNameError
from barometre.sources.file_report import FileReport, Reading, described, set_aside, told_empty
from barometre.sources.files.text import (
    SUFFIXES,
    Source,
    is_hidden,
    open_sources,
    shown_name,
    split_name,
    stem_of,
)
from barometre.sources.forms.melodi.cubes import load_cubes
from barometre.sources.forms.units.unit_family import load_unit_families
from barometre.sources.kind import Beside, Recognised, Waiting
from barometre.sources.kinds import last_resort, recognise
from barometre.sources.own_tables import named_table
from barometre.sources.wide import family
from barometre.sources.wide.by_family import unrecognised
from barometre.sources.wide.revisions import revised
from barometre.tables.table_set import Tables, combine

if TYPE_CHECKING:
    from barometre.datasets.places.territory import Selection


class SourceWarning(UserWarning):
    """Something a reader of the values must know about the file they come from."""


_UNREAD = {
    suffix: f"format {suffix} non lu, mis de côté : {remedy}"
    for suffixes, remedy in (
        ((".ods", ".xlsb", ".numbers", ".dbf", ".sas7bdat"), "l'enregistrer en XLSX ou en CSV"),
        ((".gz", ".7z", ".rar", ".tar", ".bz2", ".xz"), "l'extraire d'abord"),
    )
    for suffix in suffixes
}
"""Formats that may hold data and are not opened: what to do with them."""

OnError = Literal["refuse", "skip"]
SameCell = Literal["refuse", "recent"]


@dataclass(frozen=True)
class FilesRead:
    """What some files gave.

    Attributes
    ----------
    tables : Tables
        Every cell of every file that was read.
    reports : tuple of FileReport
        One a file, those set aside included.
    skipped : tuple of str
        Faulty files left out as asked, each with its faults.
    parts : tuple of (str, Tables)
        What each file gave, by name.
    """

    tables: Tables
    reports: tuple[FileReport, ...]
    skipped: tuple[str, ...]
    parts: tuple[tuple[str, Tables], ...]


@dataclass
class _Run:
    """Where a reading of several sources stands."""

    place: Selection | None
    readings: list[Reading] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    opened: list[Source] = field(default_factory=list)

    def take(self, reading: Reading) -> None:
        """Keep what a file gave, one's own territory only."""
        tables = reading.tables
        if self.place is not None and not reading.aside:
            from barometre.datasets.places.choose import restrict  # loaded for a territory only

            tables = restrict(tables, self.place)
        self.readings.append(Reading(tables, told_empty(reading), reading.aside))


def read(
    *sources: str | Path,
    place: Selection | None = None,
    on_error: OnError = "refuse",
    same: SameCell = "refuse",
) -> Tables:
    """Read producers' files and our own tables, whatever their vintage.

    Parameters
    ----------
    *sources : str or Path
        Files (CSV, XLSX, XLS, Parquet, JSON, ZIP of these), folders of them with their sub-folders,
        or names of bundled datasets. Each file is recognised by its header, then by its name. Files
        that need others (exports with labels, geolocated Sirene) are read with them, whatever
        their order. In a folder, what is of no known family (notes, dictionaries, images, lock
        files) is set aside and listed by `check_files`; a file given by its name must be read.
    place : Selection, optional
        One's territory and its references (`selection`): the rest is dropped file by file, so that
        memory follows the territory and not France.
    on_error : {"refuse", "skip"}, default "refuse"
        What a recognised but faulty file does: refuse everything, or be left out with a warning.
    same : {"refuse", "recent"}, default "refuse"
        The same cell with two values: refused, or the value of the file whose data, then whose
        name, go to the later year.

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
        A family whose column codes were never seen in a real file; codes given their zero back; a
        file left out.
    """
    found = read_files(*sources, place=place, on_error=on_error, same=same)
    for report in found.reports:
        tell(report)
    for text in found.skipped:
        warnings.warn(f"fichier ignoré comme demandé : {text}", SourceWarning, stacklevel=2)
    return found.tables


def tell(report: FileReport) -> None:
    """Warn whoever called a reader of what must be known of a file."""
    for text in report.avertissements:
        warnings.warn(f"{report.fichier} : {text}", SourceWarning, stacklevel=3)


def read_files(
    *sources: str | Path,
    place: Selection | None = None,
    on_error: OnError = "refuse",
    same: SameCell = "refuse",
) -> FilesRead:
    """Read files as `read`, and keep what each of them gave.

    Parameters
    ----------
    *sources, place, on_error, same
        As for `read`.

    Returns
    -------
    FilesRead

    Raises
    ------
    BarometreError
        As `read`.
    """
    if on_error not in ("refuse", "skip"):
        raise UnknownNameError("valeur de on_error", str(on_error), ("refuse", "skip"))
    run = _read_all(sources, place)
    if run.refusals and on_error == "refuse":
        raise BarometreError("\n".join(run.refusals))
    if all(reading.aside for reading in run.readings):
        files = [f"{one.report.fichier} ({one.report.titre})" for one in run.readings]
        told = " ; ".join([*files, *run.refusals]) or "aucun fichier"
        raise BarometreError(f"aucune valeur à lire : {told}")
    parts = [(one.report.fichier, one.tables) for one in run.readings if not one.aside]
    if same == "recent":
        parts.sort(key=lambda part: _edition(part[0], part[1]), reverse=True)
        tables = combine(*_with_labels(parts, run), same="recent")
    else:
        tables = combine(*_with_labels(parts, run))
    reports = tuple(one.report for one in run.readings)
    return FilesRead(tables, reports, tuple(run.refusals), tuple(parts))


def _with_labels(parts: Sequence[tuple[str, Tables]], run: _Run) -> tuple[list[Tables], list[str]]:
    """Add to what files gave the names that lists set aside give to their territories."""
    lists = [(one.report.fichier, one.tables) for one in run.readings if one.aside]
    every = [*parts, *lists]
    return [tables for _, tables in every], [name for name, _ in every]


def _edition(name: str, tables: Tables) -> tuple[int, int]:
    """Give the last year of the data of a file, then the last one that its name says."""
    years = [int(tables.index_of(table).get_level_values("annee").max()) for table in tables]
    named = [int(year) for year in re.findall(r"(?<!\d)20\d{2}(?!\d)", name)]
    return max(years, default=0), max(named, default=0)


def check_files(
    *sources: str | Path, place: Selection | None = None, on_error: OnError = "refuse"
) -> list[FileReport]:
    """Say of every file what it holds, what it feeds and what is missing to feed more.

    Parameters
    ----------
    *sources : str or Path
        Files, or folders read with their sub-folders.
    place : Selection, optional
        Territory to keep.
    on_error : {"refuse", "skip"}, default "refuse"
        Whether a faulty file stops everything, or is listed and left out. All as for `read`.

    Returns
    -------
    list of FileReport
        One a file, those set aside included.

    Raises
    ------
    BarometreError
        One or several files are refused; every fault of every file.
    """
    run = _read_all(sources, place)
    if run.refusals and on_error == "refuse":
        raise BarometreError("\n".join(run.refusals))
    return [reading.report for reading in run.readings]


def _read_all(sources: Sequence[str | Path], place: Selection | None) -> _Run:
    """Read every source; the refusal of one does not hide those of the others."""
    run = _Run(place)
    for source in sources:
        try:
            items = list(_items(source, run))
            names = Counter(item.name for item, _ in items if isinstance(item, Path))
            for item, named in items:
                twice = isinstance(item, Path) and names[item.name] > 1
                within = Path(source) if twice else None
                _read_item(item, run, named=named, within=within)
        except BarometreError as error:
            run.refusals.append(str(error))
    for reading in _waiting(run.opened, run.readings, run.refusals):
        run.take(reading)
    run.readings = revised(run.readings)
    if not run.readings and not run.refusals:
        raise BarometreError("aucune source : donner un fichier, un dossier ou un jeu de données")
    return run


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


def _items(source: str | Path, run: _Run) -> Iterator[tuple[Path | str, bool]]:
    """List the files of a source, or the bundled dataset that it names; and whether it is named.

    What a folder holds beside data is set aside as it is met.
    """
    path = Path(source)
    found = _what(path) if str(source) else ""
    if found == "folder":
        yield from ((file, False) for file in _files(path, run))
    elif found == "file":
        yield path, True
    elif source in datasets.names():
        yield str(source), True
    else:
        near = difflib.get_close_matches(str(source), datasets.names(), 3, 0.7)
        others = f" (jeux proches : {', '.join(near)})" if near else ""
        raise BarometreError(
            f"« {source} » n'est ni un fichier, ni un dossier, ni un jeu de données fourni ;"
            f" vérifier le chemin{others}"
        )


def _what(path: Path) -> Literal["folder", "file", ""]:
    """Tell a folder, a file and neither; what cannot be looked at is refused in words."""
    try:
        return "folder" if path.is_dir() else "file" if path.exists() else ""
    except ValueError:  # a byte NUL in the name
        return ""
    except OSError as error:
        raise BarometreError(
            f"{shown_name(path)} : chemin inaccessible ({error.strerror}) ; vérifier les droits et"
            " la longueur du nom"
        ) from error


def _files(folder: Path, run: _Run) -> Iterator[Path]:
    """List the files of a folder and of its sub-folders that may be data."""
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(is_hidden(part) for part in path.relative_to(folder).parts)
    ]
    if not files:
        raise BarometreError(f"le dossier {folder.name} ne contient aucun fichier de données")
    for path in files:
        if path.suffix.lower() in SUFFIXES:
            yield path
        else:
            name = path.relative_to(folder).as_posix()
            run.readings.append(set_aside(name, "autre", f"format {path.suffix or 'inconnu'}",
                                          told=_UNREAD.get(path.suffix.lower(), "")))  # fmt: skip


def _read_item(item: Path | str, run: _Run, *, named: bool, within: Path | None) -> None:
    """Read one file; the refusal of a sheet or of a member does not hide the others.

    A name that several files of a folder bear is told with its sub-folders.
    """
    if isinstance(item, str):
        tables = datasets.tables(item)
        run.take(Reading(tables, described(tables, item, "jeu de données fourni")))
        return
    try:
        sources = open_sources(item, recognise)
    except NoTableError as error:
        if named or _has_a_known_name(stem_of(item.name)):
            run.refusals.append(str(error))
            return
        told = str(error).removeprefix(f"{shown_name(item)} : ").partition(" ; ")[0]
        run.readings.append(set_aside(shown_name(item), "autre", told, told=f"{told}, mis de côté"))
        return
    except BarometreError as error:
        run.refusals.append(str(error))
        return
    if within is not None:
        folders = f"{item.parent.relative_to(within).as_posix()}/".removeprefix("./")
        folders = folders.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        sources = [replace(source, nom=folders + source.nom) for source in sources]
    books = {split_name(source.nom)[0] for source in sources if source.reconnu is not None}
    run.opened += sources
    for source in sources:
        if isinstance(source.reconnu, Waiting):
            continue
        try:
            beside = not named or split_name(source.nom)[0] in books
            run.take(_read_source(source, beside=beside))
        except BarometreError as error:
            run.refusals.append(str(error))


def _has_a_known_name(stem: str) -> bool:
    """Tell whether a file is named as data are: what it lacks is then a fault."""
    return bool(named_table(stem)) or any(
        family.named(one, stem) for one in family.load_families().values()
    )


def _read_source(source: Source, *, beside: bool) -> Reading:
    """Read a source as what it was recognised as; beside known ones, it may be no data."""
    found = source.reconnu or last_resort(source.entete, source.nom)
    if isinstance(found, Recognised):
        return found.read(source)
    if beside:
        title = "aucune famille connue"
        if "[" not in source.nom and _has_a_known_name(source.stem):  # not one more sheet
            title = "porte le nom d'une famille connue, sans ses colonnes"
        return set_aside(source.nom, "autre", title, told=f"{title}, mis de côté")
    raise unrecognised(source)


def families() -> pd.DataFrame:
    """List the families of files that `read` recognises.

    Returns
    -------
    DataFrame
        Indexed by family: title, producer, where the file is found, state of the codes, tables fed.
    """
    wide = [
        (one.nom, one.titre, one.producteur, one.ou, one.etat, {m.table for m in one.colonnes})
        for one in family.load_families().values()
    ]
    units = [
        (one.nom, one.titre, one.producteur, one.ou, one.etat,
         {count.vers.split(".")[0] for count in one.comptes})
        for one in load_unit_families().values()
    ]  # fmt: skip
    cubes = [
        (cube.nom, f"{cube.titre} : Melodi, {', '.join(cube.jeux)}", "Insee", cube.ou, cube.etat,
         {target.table for target in cube.colonnes})
        for cube in load_cubes().values() if not cube.refus
    ]  # fmt: skip
    names, titles, producers, places, states, fed = zip(*wide, *units, *cubes, strict=True)
    return pd.DataFrame(
        {
            "titre": titles,
            "producteur": producers,
            "ou": places,
            "etat": states,
            "tables": [", ".join(sorted(tables)) for tables in fed],
        },
        index=pd.Index(names, name="famille"),
    )
