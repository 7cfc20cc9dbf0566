"""The command line: ``barometre indicators | check | compute | template | demo``.

Exit codes: 0, 1 for bad input (the message on the error output, no traceback), 2 for usage.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from barometre.base.errors import BarometreError, counted
from barometre.cards.labels import unit_label
from barometre.cards.listing import catalogue, indicator_card
from barometre.cards.schema import THEMES, Card
from barometre.engine.values import PublishedDifference, compute

if TYPE_CHECKING:
    from barometre.sources.report import FileReport

app = typer.Typer(
    help="Le Baromètre de Cohésion Sociale d'une agglomération, des fichiers aux indicateurs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _console() -> Console:
    """Write to the screen, or wide enough to lose nothing when piped to a file."""
    return Console(width=None if sys.stdout.isatty() else 150, highlight=False)


@app.command()
def indicators(
    indicator: Annotated[
        str | None, typer.Argument(help="Identifiant d'un indicateur, ou nom d'un thème.")
    ] = None,
) -> None:
    """Liste les indicateurs, ou ceux d'un thème, ou montre la fiche de l'un d'eux."""
    if indicator is None or indicator in THEMES:
        _print_catalogue(_console(), indicator)
    else:
        _print_card(_console(), indicator_card(indicator))


@app.command(name="compute")
def compute_files(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Fichiers (ou dossiers) des producteurs ou de nos tables, jeux fournis."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Fichier à écrire : .csv, .xlsx ou .parquet.")],
    indicator: Annotated[
        list[str] | None,
        typer.Option(help="Indicateur ou thème à calculer (plusieurs fois au besoin)."),
    ] = None,
    intervals: Annotated[
        bool, typer.Option(help="Donner les intervalles et les classes A à D.")
    ] = False,
    check_published: Annotated[
        bool, typer.Option(help="Signaler les écarts entre valeurs calculées et publiées.")
    ] = False,
    csv: Annotated[
        str, typer.Option(help="Sorte de CSV : machine, ou excel pour un tableur français.")
    ] = "machine",
) -> None:
    """Calcule les indicateurs que les sources permettent et les écrit."""
    from barometre.pages.delimited import as_dialect
    from barometre.pages.results_file import SUFFIXES, check_destination, write_results
    from barometre.sources.reading import read

    if out.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"terminer par {', '.join(SUFFIXES)}", param_hint="--out")
    dialect = as_dialect(csv)
    check_destination(out, sources)
    tables = read(*sources)
    results = compute(
        tables, indicator or None, check_published=check_published, intervals=intervals
    )
    if results.empty:
        raise BarometreError("aucun indicateur calculable à partir de ces sources")
    write_results(results, out, tables.territoires, csv=dialect)
    known = (results["statut"] == "ok").sum()
    _console().print(
        f"{out} : {results['indicateur'].nunique()} indicateurs, {results['code'].nunique()}"
        f" territoires, {known} valeurs sur {len(results)} lignes"
    )


@app.command()
def check(
    sources: Annotated[list[str], typer.Argument(help="Fichiers, dossiers ou jeux fournis.")],
) -> None:
    """Dit ce que contient chaque fichier, ce qu'il alimente et ce qui lui manque."""
    from barometre.sources.reading import check_files

    console = _console()
    for report in check_files(*sources):
        _print_report(console, report)


@app.command()
def families() -> None:
    """Liste les familles de fichiers que l'on sait lire."""
    from barometre.sources.reading import families as known

    table = Table(box=None, pad_edge=False)
    table.add_column("famille", no_wrap=True, style="bold")
    for heading in ("fichiers", "producteur", "codes", "alimente"):
        table.add_column(heading)
    for name, row in known().iterrows():
        state = "vérifiés" if row["etat"] == "verifie" else "non vérifiés"
        table.add_row(str(name), row["titre"], row["producteur"], state, row["tables"] or "rien")
    _console().print(table)


@app.command()
def template(
    table: Annotated[str, typer.Argument(help="Nom d'une table, ou « publies ».")],
    out: Annotated[Path, typer.Option(help="Fichier à écrire : .csv ou .xlsx.")],
) -> None:
    """Écrit une table vide à remplir : en-têtes, unités et une ligne d'exemple."""
    from barometre.pages.results_file import write_template

    if out.suffix.lower() not in (".csv", ".xlsx"):
        raise typer.BadParameter("terminer par .csv ou .xlsx", param_hint="--out")
    _console().print(f"{write_template(table, out)} : à remplir puis à lire par barometre compute")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Dossier où écrire.")] = Path("barometre-demo"),
) -> None:
    """Calcule le baromètre des 13 quartiers de La Porte du Hainaut à partir du contrat."""
    from barometre.pages.demo import run_demo

    run_demo(out, _console())


def main() -> None:
    """Run the command line, bad input becoming a message and the exit code 1."""
    from barometre.sources.reading import SourceWarning

    with warnings.catch_warnings():
        # Each value concerned is told, not only the first of its kind.
        for category in (PublishedDifference, SourceWarning):
            warnings.simplefilter("always", category)
        warnings.showwarning = _show_warning
        _guarded(app)


def _guarded(command: Callable[[], None]) -> None:
    try:
        command()
    except (BarometreError, OSError) as error:
        print(f"barometre : {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"barometre : attention, {message}", file=sys.stderr)


def _print_catalogue(console: Console, only: str | None) -> None:
    frame = catalogue(theme=only)
    for theme, rows in frame.groupby("theme", sort=False):
        table = Table(title=str(theme), title_justify="left", box=None, pad_edge=False)
        table.add_column("indicateur", no_wrap=True, style="bold")
        table.add_column("libellé")
        table.add_column("unité", no_wrap=True)
        table.add_column("producteur")
        for name, row in rows.iterrows():
            table.add_row(str(name), row["libelle"], row["unite"], row["producteur"])
        console.print(table)
        console.print()
    console.print(f"{len(frame)} indicateurs ; « barometre indicators ID » montre une fiche.")


def _print_report(console: Console, report: FileReport) -> None:
    console.print(f"[bold]{report.fichier}[/bold] : {report.titre}")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    missing = [f"{name} ({', '.join(columns)})" for name, columns in report.manques.items()]
    for name, value in (
        ("famille", report.famille),
        ("niveau", report.niveau),
        ("années des données", ", ".join(map(str, report.annees))),
        ("territoires", f"{report.lignes} ({counted(report.ignorees, 'ligne')} hors territoire)"),
        ("colonnes utilisées", ", ".join(report.utilisees)),
        ("colonnes ignorées", _shortened(report.ignorees_colonnes)),
        ("cellules", f"{report.secretes} secrètes, {report.absentes} absentes"),
        ("alimente", ", ".join(report.indicateurs) or "aucun indicateur à lui seul"),
        ("manque pour", " ; ".join(missing)),
        ("attention", " ; ".join(report.avertissements)),
    ):
        if value:
            table.add_row(name, value)
    console.print(table)
    console.print()


def _shortened(names: Sequence[str]) -> str:
    return ", ".join(names[:30]) + f", et {len(names) - 30} autres" * (len(names) > 30)


def _print_card(console: Console, card: Card) -> None:
    console.print(f"[bold]{card.libelle['fr']}[/bold] ({card.id})")
    console.print(f"{card.libelle['en']}\n")
    console.print(f"{card.definition['fr']}\n")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in (
        ("thème", THEMES[card.theme][0]),
        ("unité", unit_label(card)),
        ("sens", card.sens.replace("_", " ")),
        ("univers", card.univers),
        ("numérateur", card.numerateur),
        ("dénominateur", card.denominateur),
        ("source", f"{card.source} ({card.producteur})"),
        ("millésime", card.millesime),
        ("niveaux", ", ".join(card.niveaux)),
        ("union de territoires", card.regle_agregation),
        ("entrées", " ; ".join(f"{t} : {', '.join(c)}" for t, c in card.entrees.items())),
    ):
        table.add_row(name, value)
    for codes in card.codes:
        state = "vérifié" if codes.etat == "verifie" else "non vérifié"
        table.add_row("codes", f"{codes.famille} ({state}) : {codes.formule}")
    console.print(table)
    console.print("\n[bold]Précautions[/bold]")
    for caution in card.precautions:
        console.print(f"  - {caution}")
