"""Commands over values: gaps, evolutions, ranks, needs, priorities, indices, secrecy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from barometre.cli.app import (
    Commune,
    Csv,
    Dep,
    Epci,
    Indicator,
    Level,
    OnError,
    Out,
    Qpv,
    Quiet,
    Sources,
    Theme,
    Year,
    Zones,
    console,
)

Reference = Annotated[
    list[str], typer.Option(help="Territoire de comparaison : code ou nom (plusieurs au besoin).")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (gap, evolution, rank, diagnose, priorities, idh4, idt, suppress):
        app.command()(command)


def gap(
    reference: Reference,
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Level = None,
    year: Year = None,
    intervals: Annotated[bool, typer.Option(help="Donner les intervalles.")] = False,
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    quiet: Quiet = False,
) -> None:
    """Écarts de chaque territoire à une référence.

    Exemple : barometre gap resultats.csv --reference METRO --indicator taux_emploi_15_64
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.gaps import gap as compared

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, level, year, on_error, quiet)
    done = results_of(wish, intervals=intervals)
    _deliver(compared(done.results, reference), done, out, csv, "écarts")


def evolution(
    start: Annotated[int, typer.Option(help="Première année.")],
    end: Annotated[int, typer.Option(help="Dernière année.")],
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Level = None,
    reference: Annotated[str | None, typer.Option(help="Pour dire s'il y a convergence.")] = None,
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    quiet: Quiet = False,
) -> None:
    """Évolutions entre deux années, refusées avec la raison où elles ne se lisent pas.

    Exemple : barometre evolution resultats.csv --start 2016 --end 2021
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.years import evolution as compared

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, level, None, on_error, quiet)
    done = results_of(wish)
    found = compared(done.results, start, end, reference=reference)
    _deliver(found, done, out, csv, "évolutions")


def rank(
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Level = None,
    year: Year = None,
    intervals: Annotated[bool, typer.Option(help="Donner les intervalles des rangs.")] = True,
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    quiet: Quiet = False,
) -> None:
    """Rangs des territoires d'un niveau, avec leurs intervalles.

    Exemple : barometre rank resultats.csv --level qpv --indicator taux_emploi_15_64
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.ranks import rank as ranked

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, level, year, on_error, quiet)
    done = results_of(wish, intervals=intervals)
    _deliver(ranked(done.results, intervals=intervals), done, out, csv, "rangs")


def diagnose(
    territory: Annotated[str, typer.Option(help="Le territoire entier : code ou nom.")],
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    reference: Annotated[str, typer.Option(help="À quoi il est comparé.")] = "METRO",
    indicator: Indicator = None,
    theme: Theme = None,
    level: Annotated[str, typer.Option(help="Niveau des zones comparées entre elles.")] = "qpv",
    year: Year = None,
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    quiet: Quiet = False,
) -> None:
    """Besoins généralisés ou concentrés : le territoire, et ses zones entre elles.

    Exemple : barometre diagnose resultats.csv --territory 200042190 --level qpv
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.needs import diagnose as told

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, None, year, on_error, quiet)
    done = results_of(wish, intervals=True)
    found = told(done.results, _codes(done, level), territory, reference)
    _deliver(found, done, out, csv, "diagnostic")


def priorities(
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Annotated[str, typer.Option(help="Niveau des zones à classer.")] = "qpv",
    year: Year = "latest",
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    quiet: Quiet = False,
) -> None:
    """Zones par ordre de priorité, thème par thème, et ce qui l'explique.

    Exemple : barometre priorities resultats.csv --level qpv --theme emploi
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.order import priorities as ordered

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, None, None, on_error, quiet)
    done = results_of(wish, intervals=True)
    when: Any = "latest" if year == "latest" else int(year) if year else None
    found = ordered(done.results, _codes(done, level), year=when)
    _deliver(found, done, out, csv, "priorités")


def idh4(
    components: Annotated[Path, typer.Argument(help="Table des composantes, une ligne un code.")],
    bounds: Annotated[Path, typer.Option(help="Bornes enregistrées (TOML).")],
    out: Out = None,
    csv: Csv = "machine",
) -> None:
    """IDH-4 de territoires, de leurs composantes et de bornes enregistrées.

    Exemple : barometre idh4 composantes.csv --bounds bornes.toml
    """
    from barometre.cli.frames import deliver
    from barometre.composite.french.development import idh4 as scored

    index = scored(_components(components), bounds)
    deliver(index.table, out, console(), title="IDH-4", csv=csv)


def idt(
    components: Annotated[Path, typer.Argument(help="Table des composantes, une ligne un code.")],
    reference: Annotated[str, typer.Option(help="Code de la référence, dans la table.")] = "METRO",
    out: Out = None,
    csv: Csv = "machine",
) -> None:
    """IDT reconstitué, jamais un chiffre de COMPAS.

    Exemple : barometre idt composantes.csv --reference METRO
    """
    from barometre.cli.frames import deliver
    from barometre.composite.french.reconstructed import idt as scored

    index = scored(_components(components), reference)
    deliver(index.table, out, console(), title="IDT reconstitué", csv=csv)


def suppress(
    table: Annotated[Path, typer.Argument(help="Tableau d'effectifs : libellés puis nombres.")],
    threshold: Annotated[int, typer.Option(help="Effectif en dessous duquel on masque.")] = 11,
    out: Out = None,
    csv: Csv = "machine",
) -> None:
    """Masque les petits effectifs d'un tableau, et ce qui les redonnerait.

    Exemple : barometre suppress effectifs.csv --threshold 11 --out publiable.csv
    """
    from barometre.cli.frames import deliver
    from barometre.secrecy.suppression import suppress as protected

    counts = _counts(table)
    done = protected(counts, threshold=threshold)
    deliver(done.table.reset_index(), out, console(), title="tableau publiable", csv=csv)


# ---- inputs and outputs -------------------------------------------------------------------------


def _deliver(frame: pd.DataFrame, done: Any, out: Path | None, csv: str, title: str) -> None:
    """Write or print what a command found, and end it."""
    from barometre.cli.frames import check_suffix, deliver
    from barometre.cli.work import leave

    check_suffix(out)
    deliver(frame, out, console(), title=title, labels=done.labels, csv=csv)
    leave(done.skipped)


def _codes(done: Any, level: str) -> list[str]:
    """List the codes of a level in the results, references left out."""
    from barometre.base.errors import BarometreError
    from barometre.tables.codes import level_of

    codes = pd.Series(done.results["code"].unique())
    kept = codes[codes.map(level_of) == level].tolist()
    if not kept:
        raise BarometreError(
            f"aucun territoire de niveau {level} dans les résultats ; changer --level"
        )
    return kept


def _components(path: Path) -> pd.DataFrame:
    """Read a table of components: a code, perhaps a year, then numbers."""
    frame = _texts(path)
    keys = [name for name in ("code", "annee") if name in frame]
    numbers = frame.drop(columns=keys).apply(_numbers)
    return pd.concat([frame[keys], numbers], axis=1).set_index(keys)


def _counts(path: Path) -> pd.DataFrame:
    """Read a table of counts: a first column of labels, then numbers."""
    frame = _texts(path)
    return frame.set_index(frame.columns[0]).apply(_numbers)


def _numbers(texts: pd.Series) -> pd.Series:
    plain = texts.str.replace(r"[\s\u00a0\u202f]", "", regex=True).str.replace(",", ".")
    return pd.to_numeric(plain.mask(plain == ""), errors="raise")


def _texts(path: Path) -> pd.DataFrame:
    """Read the one table of a file as texts, whatever its dialect."""
    from barometre.base.errors import BarometreError
    from barometre.sources.files.text import open_sources

    if not path.is_file():
        raise BarometreError(f"{path} : introuvable ; vérifier le chemin")
    found = open_sources(path, lambda header, name: "table" if len(header) > 1 else None)
    known = [source for source in found if source.reconnu]
    if len(known) != 1:
        raise BarometreError(f"{path.name} : un tableau est attendu, {len(known)} trouvés")
    return known[0].lire([name for name in known[0].entete if name])
