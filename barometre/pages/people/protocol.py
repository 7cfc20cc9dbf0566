"""What to prepare before following people: the sheet to fill in, and the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.files import write_text
from barometre.base.french import format_number
from barometre.cohort import minimum_detectable_effect
from barometre.pages.frames_file import write_frame
from barometre.pages.people.content import Section
from barometre.pages.people.page import render_people
from barometre.pages.territory.facts.grids import grid

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("personne", "pseudonyme de la personne, le même à chaque vague", "obligatoire"),
    ("vague", "année ou date du relevé", "obligatoire"),
    ("groupe", "1 : bénéficiaire, 0 : comparaison ; ne change jamais", "obligatoire"),
    ("entree", "première vague où la personne est dans l'action ; vide : jamais", "conseillé"),
    ("quartier_depart", "quartier à la première vague ; ne change jamais", "conseillé"),
    ("quartier", "quartier à cette vague ; « ailleurs » si la personne est partie", "conseillé"),
    ("statut", "emploi, formation, recherche, inactivité... à cette vague", "conseillé"),
    ("resultat", "mesure suivie : revenu, score... ; un nombre", "conseillé"),
    ("age", "âge révolu à cette vague", "facultatif"),
    ("sexe", "F ou H", "facultatif"),
    ("diplome", "niveau à la première vague", "facultatif"),
    ("motif_sortie", "si la personne n'est plus suivie : refus, déménagement...", "conseillé"),
)
"""Columns of the sheet: name, what goes in it, whether it is needed."""


@dataclass(frozen=True)
class Prepared:
    """The two files of a cohort to come.

    Attributes
    ----------
    sheet, protocol : Path
    """

    sheet: Path
    protocol: Path


def prepare_cohort(
    folder: str | Path,
    *,
    people: int = 200,
    zones: int | None = None,
    correlation: float = 0.5,
    icc: float = 0.02,
    attrition: float = 0.2,
) -> Prepared:
    """Write the sheet to fill in and the protocol of a cohort to come.

    Parameters
    ----------
    folder : str or Path
        Where to write ``saisie_cohorte.csv`` and ``protocole_cohorte.html``.
    people : int, default 200
        People expected, half of them in the action.
    zones : int, optional
        Neighbourhoods, when whole ones are chosen rather than people.
    correlation : float, default 0.5
        Correlation of the result between two waves, supposed.
    icc : float, default 0.02
        Correlation within a neighbourhood, supposed.
    attrition : float, default 0.2
        Share of the people lost by the end, supposed.

    Returns
    -------
    Prepared

    Raises
    ------
    BarometreError
        Fewer than 20 people, fewer than 4 neighbourhoods, impossible shares.
    """
    if isinstance(people, bool) or not isinstance(people, int) or people < 20:
        raise BarometreError(f"people={people!r} refusé : donner un entier d'au moins 20")
    if zones is not None and (not isinstance(zones, int) or zones < 4 or zones > people // 2):
        raise BarometreError(f"zones={zones!r} refusé : donner un entier de 4 à {people // 2}")
    target = Path(folder)
    sheet = target / "saisie_cohorte.csv"
    write_frame(
        pd.DataFrame(columns=[name for name, _, _ in COLUMNS]), sheet, title="saisie", csv="excel"
    )
    sections = _sections(people, zones, correlation, icc, attrition)
    text = render_people(
        "Protocole d'une cohorte",
        sections,
        notice="À relire, compléter et signer avant tout recueil.",
    )
    return Prepared(sheet, write_text(target / "protocole_cohorte.html", text))


def _sections(
    people: int, zones: int | None, correlation: float, icc: float, attrition: float
) -> tuple[Section, ...]:
    return (
        Section(
            "recueillir",
            "Que recueillir, et quand",
            (
                "Une ligne par personne et par vague, y compris pour les personnes de comparaison."
                " Au moins une vague avant l'entrée dans l'action, deux si possible : sans elles,"
                " rien ne dit si les groupes évoluaient déjà différemment.",
                "Chercher aussi ceux qui partent : qui n'est plus retrouvé n'est pas quelqu'un qui"
                " va mieux, ni moins bien. Noter pourquoi.",
            ),
            (
                grid(
                    "Colonnes de la feuille de saisie (saisie_cohorte.csv)",
                    ("colonne", "contenu", "statut"),
                    COLUMNS,
                    texts=3,
                ),
            ),
        ),
        Section("proteger", "Pseudonymiser, garder, détruire", _PROTECT),
        Section("registre", "Ce qu'il faut écrire au registre des traitements", _REGISTER),
        _power(people, zones, correlation, icc, attrition),
    )


_PROTECT = (
    "Remplacer chaque identifiant par un pseudonyme à clé (HMAC-SHA256 : cohort.create_key, puis"
    " cohort.pseudonymise) avant tout calcul. La clé est un fichier à part, lisible d'une seule"
    " personne, jamais joint aux données.",
    "C'est une pseudonymisation, non une anonymisation : ces données restent personnelles.",
    "Durée : fixer avant le recueil la date où la clé est détruite (au plus tard à la fin du"
    " contrat), et celle où le fichier l'est. À la destruction : effacer la clé et ses copies,"
    " sauvegardes comprises, et dresser un procès-verbal daté et signé.",
    "Ne jamais joindre de nom, d'adresse, de date de naissance exacte, ni de texte libre.",
)
_REGISTER = (
    "Responsable du traitement, et délégué à la protection des données.",
    "Finalité : mesurer l'effet d'une action du contrat de ville, sans décision individuelle.",
    "Base légale, information des personnes, droit d'opposition et façon de l'exercer.",
    "Catégories de données et de personnes ; données sensibles : aucune, ou justifier.",
    "Destinataires ; durée de conservation de la clé et du fichier ; mesures de sécurité.",
    "Analyse d'impact (AIPD) : dire si elle est nécessaire, et pourquoi.",
)


def _power(
    people: int, zones: int | None, correlation: float, icc: float, attrition: float
) -> Section:
    """Say what effect so many people and neighbourhoods let be seen."""
    half = people // 2
    rows = []
    for number in sorted({half, people, 2 * people}):
        alone = _smallest(number, correlation, attrition)
        cells = [format_number(number, 0), format_number(alone, 2)]
        if zones is not None:
            whole = _smallest(number, correlation, attrition, cluster_size=number / zones, icc=icc)
            cells.append(format_number(whole, 2))
        rows.append(cells)
    heads = ["personnes en tout", "plus petit effet vu, en écarts-types"]
    if zones is not None:
        heads.append(f"le même, si l'on choisit {zones} quartiers entiers")
    return Section(
        "puissance",
        "Combien de personnes pour quel effet",
        (
            f"Double différence, vue quatre fois sur cinq au niveau de 5 % ; corrélation supposée"
            f" entre vagues {format_number(correlation, 2)}, pertes"
            f" {format_number(100 * attrition, 0)} %"
            + (f", corrélation dans un quartier {format_number(icc, 2)}." if zones else "."),
        ),
        (grid("Plus petit effet que cette taille laisse voir", heads, rows),),
        reading="Un effet de 0,2 écart-type est souvent dit petit, 0,5 moyen. Un effectif trop"
        " petit ne montre rien : mieux vaut alors décrire que conclure.",
    )


def _smallest(
    number: int,
    correlation: float,
    attrition: float,
    *,
    cluster_size: float = 1.0,
    icc: float = 0.0,
) -> float:
    """Return the smallest effect seen, in standard deviations, half of the people in each arm."""
    found = minimum_detectable_effect(
        number // 2,
        number - number // 2,
        sd=1.0,
        waves_pre=1,
        correlation=correlation,
        attrition=attrition,
        cluster_size=cluster_size,
        icc=icc,
    )
    return float(found.effect)
