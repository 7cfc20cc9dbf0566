"""What the commands print: the catalogue, a card, the families of files, what a folder holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd
from rich.console import Console
from rich.table import Table

from barometre.base.errors import counted
from barometre.cards.labels import unit_label
from barometre.cards.listing import catalogue, load_cards
from barometre.cards.schema import THEMES, Card
from barometre.sources.file_report import FileReport
from barometre.tables.codes import level_of

_LEVELS = {
    "commune": ("commune",),
    "iris": ("IRIS", "IRIS"),
    "qpv": ("QPV", "QPV"),
    "epci": ("EPCI", "EPCI"),
    "departement": ("département",),
    "region": ("région",),
}


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
    console.print(f"{report.fichier} : {report.titre}", style="bold")
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


def print_card(console: Console, card: Card) -> None:
    console.print(f"{card.libelle['fr']} ({card.id})", style="bold")
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
    console.print("\nPrécautions", style="bold")
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
        table.add_row(str(name), *(str(row[heading] or "rien") for heading in told))
    console.print(table)


def print_synthesis(
    console: Console,
    whole: FileReport,
    *,
    territories: Sequence[str],
    place: str = "",
    memberships: Sequence[str] = (),
) -> None:
    """Say what files allow together, and what is missing for more, before a line a file.

    Parameters
    ----------
    console : Console
        Where to print.
    whole : FileReport
        What the files hold once put together.
    territories : sequence of str
        Codes of the selection that the files hold.
    place : str, optional
        Name of the selection.
    memberships : sequence of str, optional
        Files that say who is in what, read before those of the package.
    """
    years = sorted(whole.annees)
    span = f", de {years[0]} à {years[-1]}" if len(years) > 1 else f", {years[0]}" if years else ""
    levels = Counter(level_of(code) for code in territories)
    several = [counted(levels[level], *names) for level, names in _LEVELS.items() if levels[level]]
    of = f" ({' : '.join(filter(None, [place, ', '.join(several)]))})" if place or several else ""
    number = counted(len(whole.indicateurs), "indicateur")
    console.print(
        f"Avec ces fichiers : {number} pour {counted(len(territories), 'territoire')}{of}{span}."
    )
    if memberships:
        console.print(
            f"Appartenances trouvées, qui priment sur celles du paquet : {', '.join(memberships)}."
        )
    fed = {
        label: [name for name in whole.indicateurs if load_cards()[name].theme == theme]
        for theme, (label, _) in THEMES.items()
    }
    console.print(_lists(fed))
    if whole.manques:
        console.print("Il manque, pour en calculer d'autres :")
        console.print(_lists(whole.manques))
    console.print()


def _lists(named: Mapping[str, Sequence[str]]) -> Table:
    """Lay out names and what they hold, a long list staying beside its name."""
    table = Table(box=None, show_header=False, padding=(0, 0, 0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for name, held in named.items():
        if held:
            table.add_row(name, ", ".join(held))
    return table


def print_files(
    console: Console, reports: Sequence[FileReport], memberships: Sequence[str] = ()
) -> None:
    """Print a line a file: what it is, its years, its territories, or that it is set aside."""
    table = Table(box=None, pad_edge=False)
    table.add_column("fichier", overflow="fold")
    table.add_column("famille", overflow="fold")
    table.add_column("années", no_wrap=True)
    table.add_column("territoires", justify="right")
    for report in reports:
        years = sorted(report.annees)
        told = f"{years[0]}-{years[-1]}" if len(years) > 1 else "".join(map(str, years))
        used = "utilisé" if report.fichier in memberships else "mis de côté"
        number = str(report.lignes) if report.lignes else used
        table.add_row(report.fichier, report.famille or report.titre, told, number)
    console.print(table)
