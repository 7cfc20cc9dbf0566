"""Commands that write what people look at: the yearly pages of territories."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from barometre.cli.app import (
    Commune,
    Dep,
    Epci,
    OnError,
    Qpv,
    Quiet,
    Same,
    Sources,
    Zones,
    console,
    harmless,
)

if TYPE_CHECKING:
    from barometre.datasets.places.territory import Selection


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(report)


def report(
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    territory: Annotated[
        list[str] | None,
        typer.Option(
            help="Code d'un territoire (plusieurs au besoin) ; par défaut les communes demandées"
            " (--commune) et leurs quartiers, sinon les quartiers et l'EPCI, sinon les communes."
        ),
    ] = None,
    reference: Annotated[
        list[str] | None, typer.Option(help="Code d'une référence, celle des verdicts d'abord.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Dossier des pages.")] = Path("pages"),
    suivi: Annotated[Path | None, typer.Option(help="Dossier ou classeur de suivi.")] = None,
    year: Annotated[
        int | None,
        typer.Option(help="Année de la revue du contrat ; par défaut celle du dossier."),
    ] = None,
    edition: Annotated[str, typer.Option(help="Nom de l'édition : 2026.")] = "projet",
    date: Annotated[str, typer.Option(help="Date de l'édition, telle qu'imprimée.")] = "",
    validated_by: Annotated[str, typer.Option(help="Qui a validé ; sans, un projet.")] = "",
    previous: Annotated[
        Path | None, typer.Option(help="Dossier de l'édition précédente, pour les révisions.")
    ] = None,
    perspectives: Annotated[
        Path | None, typer.Option(help="Dossier des textes à écrire, gardés d'une année à l'autre.")
    ] = None,
    geometry: Annotated[
        Path | None, typer.Option(help="Contours des cartes : GeoJSON, GeoPackage, shapefile.")
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="Langue des pages, fr ou en ; par défaut celle du dossier.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Processus ; par défaut autant que de cœurs.")
    ] = None,
    on_error: OnError = None,
    same: Same = None,
    quiet: Quiet = False,
) -> None:
    """Écrit la page annuelle de chaque territoire, leur index, et le classeur des chiffres montrés.

    Exemple : barometre report resultats.csv --territory QP059050 --out pages
    """
    from barometre.cli.work import Wish, leave, results_of
    from barometre.monitoring import open_edition
    from barometre.pages.territory.files import report as write_report
    from barometre.pages.workspace import current_config

    wish = Wish(
        sources, epci, dep, commune, qpv, zones, on_error=on_error, quiet=quiet, same_cell=same
    )
    done = results_of(wish, intervals=True)
    place = wish.place
    written = write_report(
        done.results,
        out,
        territories=territory or _asked(place, done.results),
        references=reference,
        tables=done.tables,
        membership=None if place is None else [frame for _, frame in wish.memberships] or None,
        records=_records(suivi),
        year=year or current_config().editions.annee,
        edition=edition,
        date=date,
        validated_by=validated_by,
        previous=None if previous is None else open_edition(previous),
        perspectives=perspectives,
        geometry=geometry,
        lang=lang or wish.language,  # type: ignore[arg-type] # checked there
        processes=processes or os.cpu_count() or 1,
        progress=None if quiet else _told(),
    )
    console().print(written.summary())
    leave(done.skipped)


def _asked(place: Selection | None, results: pd.DataFrame) -> list[str] | None:
    """List the communes that were asked for by name, and their neighbourhoods."""
    communes = () if place is None else place.demandes.get("commune", ())
    if place is None or not communes:
        return None
    there = set(results["code"])
    return [code for code in (*communes, *place.codes.get("qpv", ())) if code in there] or None


def _records(suivi: Path | None) -> dict[str, pd.DataFrame] | None:
    """Read the follow-up asked, else that of the working folder when it holds something."""
    from barometre.monitoring import read_records
    from barometre.pages.workspace import find_config, load_config

    if suivi is not None:
        return read_records(suivi)
    found = find_config()
    if found is None:
        return None
    config = load_config(found)
    folder = config.path(config.editions.suivi)
    held = folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir())
    return read_records(folder) if held else None


def _told() -> Callable[[int, int, str], None]:
    """Tell the progress on the error output, a line every tenth and at the end."""

    def tell(number: int, total: int, code: str) -> None:
        step = max(1, total // 10)
        if number % step == 0 or number == total:
            typer.echo(f"page {number} sur {total} ({harmless(code)})", err=True)

    return tell
