"""Commands on people followed: the page of a cohort, the sheet and the protocol of one to come."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barometre.base.errors import BarometreError
from barometre.cli.app import console


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(cohort)


def cohort(
    file: Annotated[
        Path | None, typer.Argument(help="Fichier de personnes : une ligne par personne et vague.")
    ] = None,
    person: Annotated[str, typer.Option(help="Colonne de la personne.")] = "personne",
    wave: Annotated[str, typer.Option(help="Colonne de la vague.")] = "vague",
    arm: Annotated[str | None, typer.Option(help="Colonne du groupe.")] = None,
    treated: Annotated[
        str | None, typer.Option(help="Valeur de cette colonne pour les bénéficiaires.")
    ] = None,
    first_treated: Annotated[
        str | None, typer.Option(help="Colonne de la vague d'entrée dans l'action.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Colonne de la grappe : quartier.")] = None,
    zone: Annotated[str | None, typer.Option(help="Colonne du lieu à chaque vague.")] = None,
    status: Annotated[str | None, typer.Option(help="Colonne du statut.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Colonne du résultat suivi.")] = None,
    unit: Annotated[str, typer.Option(help="Unité du résultat.")] = "",
    covariate: Annotated[
        list[str] | None, typer.Option(help="Trait de départ (plusieurs au besoin).")
    ] = None,
    event: Annotated[str | None, typer.Option(help="Statut dont on attend l'arrivée.")] = None,
    reason: Annotated[str | None, typer.Option(help="Colonne du motif de sortie.")] = None,
    threshold: Annotated[
        int | None, typer.Option(help="Plus petit effectif montré : 11, ou celui du dossier.")
    ] = None,
    title: Annotated[str, typer.Option(help="Titre de la page.")] = "Suivi d'une cohorte",
    out: Annotated[Path, typer.Option(help="Page à écrire (.html).")] = Path("cohorte.html"),
    prepare: Annotated[
        Path | None,
        typer.Option(help="Écrire dans ce dossier la feuille de saisie et le protocole."),
    ] = None,
    people: Annotated[int, typer.Option(help="Personnes attendues (avec --prepare).")] = 200,
    zones: Annotated[int | None, typer.Option(help="Quartiers attendus (avec --prepare).")] = None,
) -> None:
    """Page et classeur d'une cohorte de personnes ; ou la feuille et le protocole à préparer.

    Exemple : barometre cohort personnes.csv --person person --wave wave --arm arm
    """
    if prepare is not None:
        from barometre.pages.people.protocol import prepare_cohort

        prepared = prepare_cohort(prepare, people=people, zones=zones)
        console().print(f"{prepared.sheet.name} et {prepared.protocol.name} dans {prepare}")
        return
    if file is None:
        raise typer.BadParameter("donner un fichier, ou --prepare DOSSIER", param_hint="FILE")
    from barometre.cohort import Cohort
    from barometre.pages.people.files import cohort_page, read_people
    from barometre.pages.workspace import current_config

    named = [person, wave, arm, first_treated, cluster, zone, status, outcome, reason]
    needed = [name for name in (*named, *(covariate or [])) if name]
    texts = [name for name in (person, cluster, zone, status, reason) if name]
    frame = read_people(file, needed=needed, kept=texts)
    followed = Cohort(
        frame, person=person, wave=wave, arm=arm, first_treated=first_treated, cluster=cluster,
        zone=zone, status=status, treated=_value(frame, arm, treated),
    )  # fmt: skip
    small = current_config().seuils.secret if threshold is None else threshold
    written = cohort_page(
        followed, out, outcome=outcome, covariates=covariate or (), event=event, reason=reason,
        unit=unit, title=title, threshold=small,
    )  # fmt: skip
    console().print(written.summary())


def _value(frame: object, arm: str | None, treated: str | None) -> object:
    """Read the treated value as the column holds it."""
    import pandas as pd

    if treated is None or arm is None:
        return None
    assert isinstance(frame, pd.DataFrame)
    values = {str(value): value for value in frame[arm].dropna().unique()}
    if treated not in values:
        raise BarometreError(
            f"--treated {treated} : valeur absente de « {arm} » ({', '.join(sorted(values))})"
        )
    return values[treated]
