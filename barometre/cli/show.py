"""What the commands print: the catalogue, a card, the families of files, what a folder holds."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from barometre.base.errors import counted
from barometre.cards.labels import unit_label
from barometre.cards.listing import catalogue, load_cards
from barometre.cards.schema import THEMES, Card
from barometre.sources.report import FileReport


def print_catalogue(console: Console, only: str | None) -> None:
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


def print_report(console: Console, report: FileReport) -> None:
    console.print(f"[bold]{escape(report.fichier)}[/bold] : {escape(report.titre)}")
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
            table.add_row(name, escape(value))
    console.print(table)
    console.print()


def _shortened(names: Sequence[str]) -> str:
    return ", ".join(names[:30]) + f", et {len(names) - 30} autres" * (len(names) > 30)


def print_card(console: Console, card: Card) -> None:
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


def print_families(console: Console, known: pd.DataFrame) -> None:
    """List the families of files that can be read, and where each is found."""
    table = Table(box=None, pad_edge=False)
    table.add_column("famille", no_wrap=True, style="bold")
    told = [name for name in ("titre", "producteur", "ou", "etat", "tables") if name in known]
    for heading in told:
        table.add_column("où le trouver" if heading == "ou" else heading)
    for name, row in known.iterrows():
        table.add_row(str(name), *(escape(str(row[heading] or "rien")) for heading in told))
    console.print(table)


def print_synthesis(
    console: Console, whole: FileReport, *, territories: int, place: str = ""
) -> None:
    """Say what files allow together, and what is missing for more, before a line a file.

    Parameters
    ----------
    console : Console
        Where to print.
    whole : FileReport
        What the files hold once put together.
    territories : int
        Territories of the selection that the files hold.
    place : str, optional
        Name of the selection.
    """
    years = sorted(whole.annees)
    span = f", de {years[0]} à {years[-1]}" if len(years) > 1 else f", {years[0]}" if years else ""
    of = f" ({place})" if place else ""
    number = counted(len(whole.indicateurs), "indicateur")
    console.print(
        f"Avec ces fichiers : {number} pour {counted(territories, 'territoire')}{of}{span}.",
        markup=False,
    )
    for theme, (label, _) in THEMES.items():
        names = [name for name in whole.indicateurs if load_cards()[name].theme == theme]
        if names:
            console.print(f"  {label} : {', '.join(names)}", markup=False)
    if whole.manques:
        console.print("Il manque, pour en calculer d'autres :")
        for name, columns in whole.manques.items():
            console.print(f"  {name} : {', '.join(columns)}", markup=False)
    console.print()


def print_files(console: Console, reports: Sequence[FileReport]) -> None:
    """Print a line a file: what it is, its years, its territories, what it is set aside for."""
    table = Table(box=None, pad_edge=False)
    table.add_column("fichier", overflow="fold")
    table.add_column("famille", overflow="fold")
    table.add_column("années", no_wrap=True)
    table.add_column("territoires", justify="right")
    for report in reports:
        years = sorted(report.annees)
        told = f"{years[0]}-{years[-1]}" if len(years) > 1 else "".join(map(str, years))
        number = str(report.lignes) if report.lignes else "mis de côté"
        table.add_row(escape(report.fichier), escape(report.famille or report.titre), told, number)
    console.print(table)
