"""From the options of a command to tables and results of one's own territory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import pandas as pd
import typer

from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.cli.app import SKIPPED, harmless, waiting
from barometre.composite.french.development_inputs import Diploma
from barometre.composite.french.in_results import add_indices
from barometre.datasets.places.choose import select
from barometre.datasets.places.gazetteer import named_places
from barometre.datasets.places.members import members, read_text
from barometre.datasets.places.territory import Selection, selection
from barometre.engine.sampling import SurveyDesign
from barometre.engine.values import compute
from barometre.pages.results_back import is_results, read_results
from barometre.pages.workspace import (
    Config,
    Language,
    Thresholds,
    compared_with,
    find_config,
    load_config,
)
from barometre.sources.file_report import FileReport, described, years_of
from barometre.sources.files.text import split_name
from barometre.sources.found_members import find_memberships
from barometre.sources.origin import files_of
from barometre.sources.reading import FilesRead, read_files
from barometre.tables.codes import level_of
from barometre.tables.table_set import Tables

_HEAVY = 200_000_000  # bytes of sources from which a run is worth an estimate
_SECONDS = 0.35e-6  # a byte, on the machine where it was measured
_LISTED = 8  # files named when nothing is read of them
_ON_ERROR = {"refuse": "refuser", "skip": "ignorer"}


@dataclass(frozen=True)
class Wish:
    """What a command was asked, before ``barometre.toml`` completes it."""

    sources: Sequence[str] | None = None
    epci: Sequence[str] | None = None
    dep: Sequence[str] | None = None
    commune: Sequence[str] | None = None
    qpv: Sequence[str] | None = None
    zones: Path | None = None
    indicators: Sequence[str] = ()
    level: Sequence[str] | None = None
    year: str | None = None
    on_error: str | None = None
    quiet: bool = False
    same_cell: str | None = None
    references: Sequence[str] = ()
    bounds: Path | None = None
    cantons: Path | None = None
    diploma: Diploma = "cep"

    @cached_property
    def config(self) -> Config | None:
        """The working folder that the command is run in, if it is one."""
        found = find_config()
        return None if found is None else load_config(found)

    @cached_property
    def paths(self) -> list[str | Path]:
        """The sources given, else those of the working folder."""
        if self.sources:
            return list(self.sources)
        if self.config is None:
            raise typer.BadParameter(
                "donner des fichiers ou un dossier, ou se placer dans un dossier de travail"
                " (barometre init)",
                param_hint="SOURCES",
            )
        return [self.config.path(self.config.sources.dossier)]

    @cached_property
    def place(self) -> Selection | None:
        """The territory asked, else that of the working folder; None for everything.

        The references that a command names are kept with it.
        """
        place = self._asked
        if place is None or not self.references:
            return place
        return compared_with(place, self.references, alone=False)

    @cached_property
    def _asked(self) -> Selection | None:
        asked = (self.epci, self.dep, self.commune, self.qpv, self.zones)
        if any(asked):
            return selection(
                epci=self.epci,
                dep=self.dep,
                commune=self.commune,
                qpv=self.qpv,
                zones=self.zones,
                membership=[frame for _, frame in self.memberships] or None,
            )
        if self.config is None:
            return None
        return self.config.place([frame for _, frame in self.memberships])

    @cached_property
    def memberships(self) -> list[tuple[str, pd.DataFrame]]:
        """The memberships that lie among the sources, which win over those of the package."""
        found = find_memberships(*self.paths)
        refusals, good = [], []
        for name, frame in found:
            try:
                members(frame)
                good.append((name, frame))
            except BarometreError as error:
                refusals.append(f"{name} : {error}")
        if refusals and not self.skips:
            raise BarometreError("\n".join(refusals))
        self.faulty_memberships.extend(refusals)
        return good

    @cached_property
    def faulty_memberships(self) -> list[str]:
        """Memberships that were skipped as asked, with their faults."""
        return []

    def compared(self, results: pd.DataFrame) -> list[str]:
        """List the references of the territory that some results hold; none without territory."""
        if self.place is None:
            return []
        here = set(results["code"])
        return [c for codes in self.place.references.values() for c in codes if c in here]

    @property
    def design(self) -> SurveyDesign:
        """What is assumed of the census sample: that of the working folder, if any."""
        return SurveyDesign() if self.config is None else self.config.design

    @property
    def tolerance(self) -> float:
        """Relative difference up to which two values are close."""
        return Thresholds().proche if self.config is None else self.config.seuils.proche

    @property
    def language(self) -> Language:
        """Language of workbooks."""
        return "fr" if self.config is None else self.config.sorties.langue

    @property
    def skips(self) -> bool:
        """Whether a faulty file is listed rather than stopping everything."""
        if self.on_error is not None and self.on_error not in _ON_ERROR:
            raise UnknownNameError("valeur de --on-error", self.on_error, _ON_ERROR)
        default = "refuser" if self.config is None else self.config.sources.fichier_fautif
        return _ON_ERROR.get(self.on_error or "", default) == "ignorer"

    @property
    def same(self) -> Literal["refuse", "recent"]:
        """What becomes of a cell given with two values."""
        if self.same_cell is not None:
            if self.same_cell not in ("refuse", "recent"):
                raise UnknownNameError("valeur de --same", self.same_cell, ("refuse", "recent"))
            return "recent" if self.same_cell == "recent" else "refuse"
        recent = self.config is not None and self.config.sources.valeurs_differentes == "recente"
        return "recent" if recent else "refuse"

    @property
    def years(self) -> int | Literal["latest"] | None:
        """The year asked, as a number or ``"latest"``."""
        if self.year is None or self.year == "latest":
            return self.year  # type: ignore[return-value] # "latest" is all that is left
        if not self.year.isdigit():
            raise typer.BadParameter("une année, ou latest", param_hint="--year")
        return int(self.year)


@dataclass(frozen=True)
class Done:
    """Tables, results and what was set aside or skipped on the way."""

    tables: Tables | None
    results: pd.DataFrame
    skipped: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Labels and levels by code: those of the files, else the bundled names."""
        codes = pd.Index(self.results["code"].unique(), name="code")
        given = None if self.tables is None else self.tables.territoires
        return named_places(codes, given)


def files_read(wish: Wish) -> FilesRead:
    """Read the sources of a command, one's own territory only."""
    tell_estimate(wish)
    with waiting("lecture des fichiers...", quiet=wish.quiet):
        outcome = read_files(
            *wish.paths,
            place=wish.place,
            on_error="skip" if wish.skips else "refuse",
            same=wish.same,
        )
    return replace(outcome, skipped=(*outcome.skipped, *wish.faulty_memberships))


@dataclass(frozen=True)
class Checked:
    """What some files hold, before anything is computed."""

    whole: FileReport
    reports: tuple[FileReport, ...]
    skipped: tuple[str, ...]
    territories: tuple[str, ...]
    place: str
    memberships: tuple[str, ...]


def checked(wish: Wish) -> Checked:
    """Read the sources of a command only to say what they hold."""
    found = files_read(wish)
    codes = {
        str(code)
        for name in found.tables
        for code in found.tables.index_of(name).get_level_values("code").unique()
    }
    if wish.place is not None:
        own = wish.place.keeps(sorted(codes), references=False)
        codes = {code for code, mine in zip(sorted(codes), own, strict=True) if mine}
    title = "" if wish.place is None else wish.place.titre
    used = () if wish.place is None else tuple(name for name, _ in wish.memberships)
    whole = described(found.tables, "", "ensemble des fichiers")
    whole = replace(whole, annees=years_of(found.tables, whole.indicateurs) or whole.annees)
    return Checked(whole, found.reports, found.skipped, tuple(sorted(codes)), title, used)


def results_of(
    wish: Wish,
    *,
    intervals: bool = False,
    check_published: bool = False,
    files: bool = False,
) -> Done:
    """Compute what a command works on, or read results that were already written."""
    written = [path for path in wish.paths if Path(path).is_file() and is_results(Path(path))]
    if written:
        if len(written) < len(wish.paths) or len(written) > 1:
            raise BarometreError(
                "un fichier de résultats se donne seul : il n'est pas une source de calcul"
            )
        if files:
            raise BarometreError(
                "--files : un fichier de résultats ne dit plus d'où ils viennent ; donner les"
                " sources"
            )
        return Done(None, kept(read_results(written[0]), wish))
    found = files_read(wish)
    _tell_set_aside(found, wish)
    with waiting("calcul des indicateurs...", quiet=wish.quiet):
        results = compute(
            found.tables,
            list(wish.indicators) or None,
            check_published=check_published,
            intervals=wish.design if intervals else False,
        )
    if results.empty:
        raise BarometreError("aucun indicateur calculable à partir de ces sources")
    chosen = kept(_with_indices(results, found.tables, wish), wish)
    if files:
        chosen = chosen.assign(fichier=files_of(chosen, found.parts))
    return Done(found.tables, chosen, found.skipped)


def _tell_set_aside(found: FilesRead, wish: Wish) -> None:
    """List the files from which nothing was read, not every sheet of those that were."""
    read = {split_name(report.fichier)[0] for report in found.reports if report.lignes}
    read |= {name for name, _ in wish.memberships} if wish.place is not None else set()
    every = dict.fromkeys(split_name(report.fichier)[0] for report in found.reports)
    aside = [name for name in every if name not in read]
    if aside and not wish.quiet:
        more = f" et {len(aside) - _LISTED} autres" * (len(aside) > _LISTED)
        typer.echo(
            f"mis de côté : {harmless(', '.join(aside[:_LISTED]))}{more}"
            " (barometre check dit le reste)",
            err=True,
        )


def _with_indices(results: pd.DataFrame, tables: Tables, wish: Wish) -> pd.DataFrame:
    """Add the IDH-4 where bounds are given, and say what it lacks; nobody asked for the IDT."""
    if wish.bounds is None:
        if wish.cantons is not None:
            raise BarometreError("--cantons : donner aussi les bornes de l'IDH-4 (--bounds)")
        return results
    cantons = None if wish.cantons is None else read_text(wish.cantons)
    return add_indices(
        results, tables, bounds=wish.bounds, cantons=cantons, diploma=wish.diploma, only=("idh4",)
    )


def kept(results: pd.DataFrame, wish: Wish) -> pd.DataFrame:
    """Keep the rows that a command asked for."""
    if wish.place is None and not wish.level and wish.years is None and not wish.indicators:
        return results
    chosen = select(
        results,
        place=wish.place,
        level=wish.level,
        year=wish.years,
        indicators=list(wish.indicators) or None,
    )
    if chosen.empty and len(results):
        levels = {level_of(code) for code in results["code"].unique()}
        years = results["annee"]
        raise BarometreError(
            "rien à ces conditions ; les valeurs sont de niveau"
            f" {', '.join(sorted(levels))}, de {years.min()} à {years.max()}, pour"
            f" {counted(results['indicateur'].nunique(), 'indicateur')} ; changer --level, --year,"
            " --indicator ou --theme"
        )
    return chosen


def tell_estimate(wish: Wish) -> None:
    """Say how long a run on large files will be, before it starts."""
    files = [
        file
        for path in map(Path, wish.paths)
        for file in (path.rglob("*") if path.is_dir() else [path])
        if file.is_file()
    ]
    size = sum(file.stat().st_size for file in files)
    if size < _HEAVY or wish.quiet:
        return
    minutes = size * _SECONDS / 60
    typer.echo(
        f"{len(files)} fichiers, {size / 1e9:.1f} Go : environ".replace(".", ",")
        + f" {max(1, round(minutes))} min ; mémoire de l'ordre de"
        f" {max(0.5, 0.5 * size / 1e9 if wish.place is None else 0.5):.1f} Go".replace(".", ","),
        err=True,
    )


def leave(skipped: Sequence[str]) -> None:
    """End a command: list what was skipped, which the exit code says too."""
    for name in skipped:
        typer.echo(f"ignoré comme demandé : {harmless(name)}", err=True)
    if skipped:
        raise typer.Exit(SKIPPED)
