"""Commands over the contract: its dashboard, the indicators of its actions, its editions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barometre.cli.app import Commune, Dep, Epci, Qpv, Quiet, Zones, console

if TYPE_CHECKING:
    import pandas as pd

    from barometre.pages.workspace import Config

edition_app = typer.Typer(
    help="Éditions : ce qui a été publié, à quelle date, et ce qui a changé.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(monitor)
    app.command(name="check-indicator")(check_indicator)
    app.add_typer(edition_app, name="edition")


def monitor(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Dossier ou classeur de suivi ; par défaut celui de barometre.toml."),
    ] = None,
    year: Annotated[
        int | None, typer.Option(help="Année de la revue ; par défaut celle du dossier.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="Résultats (compute) : observations des objectifs, besoins des QPV."),
    ] = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    lang: Annotated[
        str | None, typer.Option(help="Langue : fr ou en ; par défaut celle du dossier.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Classeur à écrire (.xlsx).")] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Montrer une année fictive du contrat.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Tableau de bord du contrat : objectifs, actions, crédits, engagements, TFPB, calendrier.

    D'un territoire demandé : ses actions, ses crédits, son abattement de TFPB ; le reste est celui
    du contrat entier.

    Exemple : barometre monitor suivi --year 2025 --out tableau-de-bord.xlsx
    """
    from barometre.base.arguments import as_lang
    from barometre.datasets.places.territory import selection
    from barometre.monitoring import example_year, read_records
    from barometre.pages.dashboard import (
        dashboard,
        of_territory,
        print_dashboard,
        write_dashboard,
    )
    from barometre.pages.results_back import read_results
    from barometre.pages.workspace import current_config

    if out is not None and out.suffix.lower() != ".xlsx":
        raise typer.BadParameter("terminer par .xlsx", param_hint="--out")
    config = current_config()
    words = as_lang(lang or config.sorties.langue)
    tables = example_year() if example else read_records(_followed(folder))
    asked: dict[str, Any] = {
        "epci": epci,
        "dep": dep,
        "commune": commune,
        "qpv": qpv,
        "zones": zones,
    }
    if any(asked.values()):
        tables = of_territory(tables, selection(**asked))
    board = dashboard(
        tables,
        year or config.editions.annee,
        results=None if results is None else read_results(results),
        threshold=config.seuils.secret,
    )
    if not quiet:
        print_dashboard(board, console(), words)
    if out is not None:
        write_dashboard(board, out, words)
        console().print(f"{out} : {len(board.sheets)} feuilles")


def _followed(folder: Path | None) -> Path:
    """Return the folder asked, else that of the working folder."""
    from barometre.pages.workspace import find_config, load_config

    if folder is not None:
        return folder
    found = find_config()
    if found is None:
        raise typer.BadParameter(
            "donner un dossier de suivi, ou se placer dans un dossier de travail",
            param_hint="FOLDER",
        )
    config = load_config(found)
    return config.path(config.editions.suivi)


def check_indicator(
    sheet: Annotated[Path, typer.Argument(help="Fiche de l'indicateur (TOML).")],
    lang: Annotated[
        str | None, typer.Option(help="Langue du rapport, fr ou en ; par défaut celle du dossier.")
    ] = None,
) -> None:
    """Dit ce qui manque ou est mal défini dans l'indicateur d'une action.

    Exemple : barometre check-indicator fiche.toml
    """
    from barometre.base.arguments import as_lang
    from barometre.monitoring import check_indicator as checked
    from barometre.pages.workspace import current_config

    words = as_lang(lang or current_config().sorties.langue)
    report = checked(sheet)
    console().print(report.summary(words), soft_wrap=True)
    if not report.ok:
        raise typer.Exit(1)


@edition_app.command()
def create(
    results: Annotated[Path, typer.Option(help="Fichier de résultats (compute).")],
    date: Annotated[str, typer.Option(help="Date de l'édition : 2026-03-01.")],
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Dossier de l'édition ; par défaut, dans un dossier de travail, celui de l'année"
            " dans le dossier des éditions.",
            show_default=False,
        ),
    ] = None,
    suivi: Annotated[
        Path | None,
        typer.Option(help="Dossier ou classeur de suivi ; par défaut celui du dossier de travail."),
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="Fichier fini à joindre (plusieurs au besoin).")
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            help="Source dont garder l'empreinte (plusieurs) ; par défaut celles du dossier de"
            " travail."
        ),
    ] = None,
) -> None:
    """Fige une édition : valeurs, suivi, fichiers finis, empreintes.

    Exemple : barometre edition create editions/2026 --results resultats.csv --date 2026-03-01
    """
    from barometre.monitoring import create_edition
    from barometre.pages.results_back import read_results
    from barometre.pages.workspace import find_config, load_config

    named = {path.name: path for path in file or []}
    if len(named) < len(file or []):
        several = ", ".join(map(str, file or []))
        raise typer.BadParameter(f"deux fichiers de même nom : {several}", param_hint="--file")
    found = find_config()
    config = None if found is None else load_config(found)
    edition = create_edition(
        _edition_folder(folder, date, config),
        date=date,
        results=read_results(results),
        tables=_tables(suivi, config),
        files=named,
        inputs=source or ([] if config is None else _files(config.path(config.sources.dossier))),
        parameters={} if config is None else config.plain(),
    )
    console().print(edition.summary("fr" if config is None else config.sorties.langue))


def _edition_folder(folder: Path | None, date: str, config: Config | None) -> Path:
    """Return the folder asked, else that of the year among the editions of the working folder."""
    if folder is not None:
        return folder
    if config is None:
        raise typer.BadParameter(
            "donner le dossier de l'édition, ou se placer dans un dossier de travail",
            param_hint="FOLDER",
        )
    return config.path(config.editions.dossier) / str(config.editions.annee or date[:4])


def _tables(suivi: Path | None, config: Config | None) -> dict[str, pd.DataFrame]:
    """Read the follow-up asked, else that of the working folder; it may hold none."""
    from barometre.monitoring import read_records

    if suivi is not None:
        return read_records(suivi)
    own = None if config is None else config.path(config.editions.suivi)
    return read_records(own) if own is not None and own.is_dir() else {}


def _files(folder: Path) -> list[Path]:
    """List the files of a folder of sources, hidden ones left out."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.parts)
    ]


def _last_two(old: Path | None, new: Path | None) -> tuple[Path, Path]:
    """Return the editions asked, else the last two of the working folder, by date."""
    from barometre.monitoring import open_edition
    from barometre.pages.workspace import current_config

    if old is not None and new is not None:
        return old, new
    config = current_config()
    home = config.path(config.editions.dossier)
    held = sorted(path.parent for path in home.glob("*/edition.toml"))
    if old is not None or len(held) < 2:
        raise typer.BadParameter(
            "donner l'ancienne et la nouvelle édition (ou aucune, dans un dossier de travail qui en"
            " a deux)",
            param_hint="OLD NEW",
        )
    first, second = sorted(held, key=lambda path: (open_edition(path).date, path.name))[-2:]
    return first, second


@edition_app.command()
def compare(
    old: Annotated[
        Path | None,
        typer.Argument(
            help="Dossier de l'ancienne édition ; sans rien, les deux dernières du dossier de"
            " travail.",
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        Path | None, typer.Argument(help="Dossier de la nouvelle.", show_default=False)
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Pourquoi des valeurs ont changé : revision ou correction.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Fichier à écrire.")] = None,
) -> None:
    """Ce que la nouvelle édition change, et ce que les deux redonnent ensemble.

    Exemple : barometre edition compare editions/2025 editions/2026 --reason revision
    """
    from barometre.cli.frames import check_suffix, deliver
    from barometre.monitoring import compare_editions, disclosures, open_edition

    check_suffix(out)
    old, new = _last_two(old, new)
    before, after = open_edition(old), open_edition(new)
    changes = compare_editions(before, after, reason=reason)  # type: ignore[arg-type] # checked there
    given_back = disclosures({old.name: before, new.name: after})
    screen = console()
    if changes.empty:
        screen.print("Aucune différence entre les deux éditions.")
    else:
        deliver(changes, out, screen, title="changements")
    if len(given_back):
        screen.print(
            f"attention : {len(given_back)} cellules secrètes d'une édition se déduisent de l'autre"
        )
        deliver(given_back, None, screen, title="cellules redonnées")


@edition_app.command()
def validate(
    folder: Annotated[Path, typer.Argument(help="Dossier de l'édition.")],
    by: Annotated[str, typer.Option(help="Qui valide.")],
) -> None:
    """Marque une édition comme validée ; elle ne se remplace plus.

    Exemple : barometre edition validate editions/2026 --by "comité de pilotage"
    """
    from barometre.monitoring import validate_edition

    console().print(validate_edition(folder, by=by).summary())
