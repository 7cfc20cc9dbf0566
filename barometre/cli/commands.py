"""The commands, in the order in which a year's work meets them."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from barometre.base.errors import BarometreError, counted
from barometre.cli import cohort_commands, compare_commands, contract_commands, page_commands
from barometre.cli.app import (
    Commune,
    Csv,
    Dep,
    Epci,
    Indicator,
    Level,
    OnError,
    Qpv,
    Quiet,
    Same,
    Sources,
    Theme,
    Year,
    Zones,
    app,
    console,
)


@cache  # once: what is registered twice is built twice at every call
def register() -> None:
    """Add the commands of the other modules to the application."""
    compare_commands.register(app)
    contract_commands.register(app)
    page_commands.register(app)
    cohort_commands.register(app)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Dossier de travail, créé au besoin.")],
    epci: Annotated[str | None, typer.Option(help="EPCI, par son code ou son nom.")] = None,
    dep: Annotated[str | None, typer.Option(help="Département.")] = None,
    commune: Annotated[
        list[str] | None, typer.Option(help="Commune (plusieurs au besoin).")
    ] = None,
) -> None:
    """Prépare un dossier de travail : barometre.toml, sources/, suivi/, editions/.

    Exemple : barometre init mon-barometre --epci 200042190
    """
    from barometre.pages.workspace import init_folder

    if not (epci or dep or commune):
        raise typer.BadParameter("le dire par --epci, --dep ou --commune", param_hint="territoire")
    path = init_folder(folder, epci=epci, dep=dep, commune=commune or None)
    console().print(
        f"{path} : à relire ; mettre les fichiers téléchargés dans {folder / 'sources'}, puis"
        f" « cd {folder} » et « barometre check »",
    )


@app.command()
def indicators(
    indicator: Annotated[str | None, typer.Argument(help="Indicateur, ou thème.")] = None,
    export: Annotated[
        Path | None, typer.Option(help="Écrire le dictionnaire : .csv, .xlsx ou .parquet.")
    ] = None,
) -> None:
    """Liste les indicateurs, ou montre la fiche de l'un d'eux.

    Exemple : barometre indicators taux_logements_vacants
    """
    from barometre.cards.codebook import codebook
    from barometre.cards.listing import indicator_card
    from barometre.cards.schema import THEMES
    from barometre.cli.frames import check_suffix
    from barometre.cli.show import print_card, print_catalogue
    from barometre.pages.frames_file import write_frame

    if export is not None:
        check_suffix(export)
        only = indicator if indicator in THEMES else None
        frame = codebook(theme=only).reset_index()
        write_frame(frame, export, title="indicateurs")
        console().print(f"{export} : {len(frame)} indicateurs")
    elif indicator is None or indicator in THEMES:
        print_catalogue(console(), indicator)
    else:
        print_card(console(), indicator_card(indicator))


@app.command()
def families() -> None:
    """Liste les familles de fichiers que l'on sait lire, et où les trouver.

    Exemple : barometre families
    """
    from barometre.cli.show import print_families
    from barometre.sources.reading import families as known

    print_families(console(), known())


@app.command()
def check(
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    detail: Annotated[
        bool, typer.Option("--detail", help="Montrer chaque fichier en détail.")
    ] = False,
    on_error: OnError = None,
    same: Same = None,
    quiet: Quiet = False,
) -> None:
    """Dit ce que les fichiers permettent, ce qui manque, et ce que contient chacun.

    Exemple : barometre check mes-telechargements --epci 200042190
    """
    from barometre.cli.show import print_files, print_report, print_synthesis
    from barometre.cli.work import Wish, checked, leave

    wish = Wish(
        sources, epci, dep, commune, qpv, zones, on_error=on_error, quiet=quiet, same_cell=same
    )
    done = checked(wish)
    screen = console()
    print_synthesis(
        screen,
        done.whole,
        territories=done.territories,
        place=done.place,
        memberships=done.memberships,
    )
    if detail:
        for report in done.reports:
            print_report(screen, report)
    else:
        print_files(screen, done.reports, done.memberships)
    leave(done.skipped)


@app.command(name="compute")
def compute_files(
    out: Annotated[Path, typer.Option(help="Fichier à écrire : .csv, .xlsx ou .parquet.")],
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
    intervals: Annotated[
        bool, typer.Option(help="Donner les intervalles et les classes A à D.")
    ] = False,
    check_published: Annotated[
        bool, typer.Option(help="Signaler les écarts entre valeurs calculées et publiées.")
    ] = False,
    files: Annotated[
        bool, typer.Option("--files", help="Dire de quels fichiers vient chaque valeur (fichier).")
    ] = False,
    reference: Annotated[
        list[str] | None,
        typer.Option(help="Dans un classeur, territoire mis en tête et comparé (code ou nom)."),
    ] = None,
    order: Annotated[
        str, typer.Option(help="Dans un classeur, territoires par « libelle » ou par « code ».")
    ] = "libelle",
    edition: Annotated[
        str | None, typer.Option(help="Dans un classeur, nom ou date (2026-03-01) de l'édition.")
    ] = None,
    bounds: Annotated[
        Path | None, typer.Option(help="Bornes enregistrées (TOML) : ajoute l'IDH-4.")
    ] = None,
    cantons: Annotated[
        Path | None, typer.Option(help="Canton de chaque commune (colonnes code et canton).")
    ] = None,
    diploma: Annotated[
        str, typer.Option(help="Diplômés de l'IDH-4 à partir du « cep » ou du « cap ».")
    ] = "cep",
    csv: Csv = "machine",
    on_error: OnError = None,
    same: Same = None,
    quiet: Quiet = False,
) -> None:
    """Calcule les indicateurs que les sources permettent et les écrit.

    Exemple : barometre compute sources --epci 200042190 --out resultats.xlsx
    """
    from barometre.cli.frames import check_suffix
    from barometre.cli.work import Wish, leave, results_of
    from barometre.compare.rows import code_in
    from barometre.composite.french.development_inputs import as_diploma
    from barometre.pages.delimited import as_dialect
    from barometre.pages.results_file import check_destination, write_results
    from barometre.pages.workbook.places import as_order

    check_suffix(out)
    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, level, year, on_error, quiet, same)
    wish = replace(wish, references=reference or (), bounds=bounds, cantons=cantons)
    wish = replace(wish, diploma=as_diploma(diploma))
    dialect, sorting = as_dialect(csv), as_order(order)
    check_destination(out, wish.paths)
    done = results_of(wish, intervals=intervals, check_published=check_published, files=files)
    references: list[str] | None = wish.compared(done.results) or None
    if reference:
        references = [code_in(done.results, name) for name in reference]
    write_results(
        done.results,
        out,
        done.labels,
        csv=dialect,
        references=references,
        order=sorting,
        edition=edition,
        lang=wish.language,
    )
    known = int((done.results["statut"] == "ok").sum())
    console().print(
        f"{out} : {counted(done.results['indicateur'].nunique(), 'indicateur')},"
        f" {counted(done.results['code'].nunique(), 'territoire')},"
        f" {counted(known, 'valeur')} sur {counted(len(done.results), 'ligne')}"
    )
    leave(done.skipped)


@app.command()
def template(
    table: Annotated[
        str, typer.Argument(help="Nom d'une table, « publies », ou « suivi » pour tout le suivi.")
    ],
    out: Annotated[Path, typer.Option(help="Fichier à écrire : .csv ou .xlsx.")],
) -> None:
    """Écrit une table vide à remplir : en-têtes, unités et une ligne d'exemple.

    Exemple : barometre template logements --out logements.csv
    """
    from barometre.monitoring import write_record_template
    from barometre.pages.results_file import write_template
    from barometre.tables.records import RECORDS

    if out.suffix.lower() not in (".csv", ".xlsx"):
        raise typer.BadParameter("terminer par .csv ou .xlsx", param_hint="--out")
    if table in RECORDS or table == "suivi":
        path = write_record_template(None if table == "suivi" else table, out)
        console().print(f"{path} : à remplir puis à lire par barometre monitor")
        return
    path = write_template(table, out)
    console().print(f"{path} : à remplir puis à lire par barometre compute")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Dossier où écrire.")] = Path("barometre-demo"),
) -> None:
    """Calcule le baromètre des 13 quartiers de La Porte du Hainaut à partir du contrat.

    Exemple : barometre demo --out essai
    """
    from barometre.pages.demo import run_demo

    if out.exists() and not out.is_dir():
        raise BarometreError(f"{out} : un fichier porte ce nom ; donner un dossier par --out")
    run_demo(out, console(), processes=os.cpu_count() or 1)
