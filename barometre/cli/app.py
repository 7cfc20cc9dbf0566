"""The application, its consoles, and the options that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

app = typer.Typer(
    help="Le Baromètre de Cohésion Sociale d'une agglomération, des fichiers aux indicateurs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

SKIPPED = 3
"""Exit code of a run that skipped a faulty file, as asked."""

Sources: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        help="Fichiers (ou dossiers) des producteurs ou de nos tables, jeux fournis ; dans un"
        " dossier de travail, ceux de barometre.toml.",
        show_default=False,
    ),
]
Epci: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="EPCI : ses communes, IRIS et quartiers, ses références.")
]
Dep: TypeAlias = Annotated[list[str] | None, typer.Option(help="Département, de même.")]
Commune: TypeAlias = Annotated[list[str] | None, typer.Option(help="Commune, de même.")]
Qpv: TypeAlias = Annotated[list[str] | None, typer.Option(help="Quartier prioritaire.")]
Zones: TypeAlias = Annotated[
    Path | None, typer.Option(help="Fichier CSV de codes (colonne « code »).")
]
Indicator: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Indicateur (plusieurs fois au besoin).")
]
Theme: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Thème : emploi, revenus... (plusieurs fois au besoin).")
]
Level: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Niveau gardé : commune, qpv, iris, epci...")
]
Year: TypeAlias = Annotated[
    str | None, typer.Option(help="Année, ou « latest » pour la dernière de chaque indicateur.")
]
Out: TypeAlias = Annotated[
    Path | None, typer.Option(help="Fichier à écrire : .csv, .xlsx ou .parquet.")
]
Csv: TypeAlias = Annotated[
    str, typer.Option(help="Sorte de CSV : machine, ou excel pour un tableur français.")
]
OnError: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Fichier fautif : « refuse » arrête tout, « skip » le liste et continue."),
]
Same: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Même case donnée deux fois autrement : « refuse », ou « recent » pour garder"
        " l'édition la plus récente."
    ),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", help="Ne rien dire en chemin.")]


# Characters that a terminal obeys: commands, and marks that turn what follows them.
_OBEYED = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
_OBEYED |= dict.fromkeys(
    [*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD
)


def harmless(text: object) -> str:
    r"""Show what a terminal would obey in the texts of files, names and labels.

    Examples
    --------
    >>> harmless("a\x1b[2J")
    'a␛[2J'
    """
    return str(text).translate(_OBEYED)


class Screen(Console):
    """A console on which data are texts, whatever they hold."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else harmless(text), style, control)


def console() -> Console:
    """Write to the screen, or wide enough to lose nothing when piped to a file.

    What is between square brackets or colons is data, never a style or a picture.
    """
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Screen(width=None if known else 150, highlight=False, markup=False, emoji=False)


@contextmanager
def waiting(words: str, *, quiet: bool) -> Iterator[None]:
    """Say what is being done while it lasts; nothing off a terminal, nor when asked to be quiet."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(words):
        yield
