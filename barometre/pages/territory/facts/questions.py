"""The questions of a page: the contract's annex for a neighbourhood, the nine themes for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from barometre.base.french import Lang
from barometre.cards.schema import THEMES
from barometre.pages.territory.facts.lines import Line


@dataclass(frozen=True)
class Question:
    """A heading of the page and the indicators that answer it.

    Attributes
    ----------
    key : str
        Anchor of the page.
    pillar, question : tuple of str
        Pillar and question, in French and in English.
    indicators : tuple of str
        Identifiers, the one of the chart first.
    """

    key: str
    pillar: tuple[str, str]
    question: tuple[str, str]
    indicators: tuple[str, ...]


_DEMOGRAPHY = ("Démographie", "Population")
_HOUSING = ("Logement", "Housing")
_INCOME = ("Revenus", "Income")
_EDUCATION = ("Éducation", "Education")
_WORK = ("Emploi", "Work")
_DYNAMICS = ("Dynamiques", "Dynamics")
_LIFE = ("Vie quotidienne", "Daily life")

ANNEX: tuple[Question, ...] = (
    Question(
        "attractivite", _DEMOGRAPHY,
        ("Attractivité résidentielle", "Does the neighbourhood attract residents?"),
        ("population",),
    ),
    Question(
        "ages", _DEMOGRAPHY,
        ("Jeunesse et vieillissement", "Young and old"),
        (
            "indice_jeunesse", "indice_evolution_generations_agees",
            "part_personnes_agees_vivant_seules",
        ),
    ),
    Question(
        "nationalite", _DEMOGRAPHY,
        ("Nationalité étrangère", "Foreign nationals"),
        ("part_population_etrangere", "nombre_etrangers"),
    ),
    Question(
        "monoparentalite", _DEMOGRAPHY,
        ("Monoparentalité", "Single parents"),
        (
            "part_familles_monoparentales_caf", "part_monoparents_allocataires",
            "part_familles_monoparentales",
        ),
    ),
    Question(
        "besoins-logement", _HOUSING,
        ("Besoins de logement", "Housing needs"),
        ("part_menages_une_personne", "taux_surpeuplement"),
    ),
    Question(
        "logements", _HOUSING,
        ("Caractéristiques des logements", "Dwellings"),
        ("part_logements_sociaux", "taux_logements_vacants", "part_residences_avant_1946"),
    ),
    Question(
        "finances", _INCOME,
        ("Situation financière", "Financial situation"),
        (
            "taux_couverture_minima_sociaux", "taux_couverture_rsa", "taux_couverture_aah",
            "allocataires_minima_sociaux", "taux_de_pauvrete", "niveau_de_vie_median",
            "rapport_interdecile", "part_prestations_sociales", "taux_couverture_c2s",
            "taux_couverture_c2s_moins_18", "taux_couverture_c2s_25_49",
            "taux_couverture_c2s_50_59", "beneficiaires_c2s",
        ),
    ),
    Question(
        "parcours", _EDUCATION,
        ("Parcours et diplômes", "Schooling and diplomas"),
        (
            "taux_scolarisation_15_24", "ecart_taux_scolarisation_filles_garcons",
            "part_jeunes_non_inseres", "part_jeunes_non_inseres_16_25", "part_non_diplomes",
            "part_diplomes_superieur",
        ),
    ),
    Question(
        "eloignement", _WORK,
        ("Populations les plus éloignées de l'emploi", "People furthest from work"),
        (
            "taux_emploi_15_64", "ecart_taux_emploi_femmes_hommes", "taux_activite_femmes",
            "taux_chomage_rp", "part_emplois_precaires", "ecart_salaire_horaire_femmes_hommes",
        ),
    ),
    Question(
        "emplois", _WORK,
        ("Caractéristiques d'emploi", "Job-seekers, travel to work, new businesses"),
        (
            "part_plus_2_ans_defm", "part_moins_26_ans_defm", "part_femmes_defm",
            "part_etrangers_defm", "part_bac2_defm", "demandeurs_emploi_abc",
            "demandeurs_emploi_a", "demandeurs_emploi_moins_26_ans",
            "taux_demandeurs_emploi_abc", "part_actifs_voiture", "part_actifs_hors_commune",
            "part_menages_sans_voiture", "taux_creation_etablissements",
            "part_auto_entrepreneurs_creations",
        ),
    ),
    Question(
        "dynamiques", _DYNAMICS,
        ("Dynamiques territoriales", "Territorial dynamics"),
        ("idt_compas", "idt", "idh4"),
    ),
    Question(
        "services", _LIFE,
        ("Santé, famille, culture et sport", "Health, family, culture and sport"),
        (
            "apl_medecins_generalistes", "part_assures_sans_medecin_traitant",
            "part_femmes_sans_mammographie", "taux_couverture_accueil_jeune_enfant",
            "equipements_sportifs_10000", "equipements_culturels_10000",
            "taux_licences_sportives", "part_femmes_licences",
        ),
    ),
)  # fmt: skip
"""The eleven questions of the annex, in its order, then what it does not ask."""

_THEME_QUESTIONS = {
    "famille": (
        "Comment sont faites les familles et les ménages ?",
        "What are families and households like?",
    ),
    "revenus": ("De quoi vivent les habitants ?", "What do residents live on?"),
    "emploi": ("Qui a un emploi, qui en cherche ?", "Who has a job, who is looking for one?"),
    "formation": ("Jusqu'où mènent les études ?", "How far does education lead?"),
    "mobilite": ("Comment se déplace-t-on ?", "How do people travel?"),
    "logement": ("Comment est-on logé ?", "How are people housed?"),
    "sante": ("Qui accède aux soins ?", "Who has access to care?"),
    "egalite_femmes_hommes": (
        "Femmes et hommes ont-ils la même place ?",
        "Do women and men have the same place?",
    ),
    "culture_et_sport": (
        "Quels équipements, quelles pratiques ?",
        "What facilities, what activities?",
    ),
    "contexte": (
        "Qui sont les habitants, et dans quel contexte ?",
        "Who are the residents, and in what context?",
    ),
}


def questions_of(level: str, lines: Sequence[Line]) -> list[tuple[Question, list[Line]]]:
    """Sort the lines of a territory under its questions, those without any line left out.

    Parameters
    ----------
    level : str
        Level of the territory.
    lines : sequence of Line
        Its indicators.

    Returns
    -------
    list of (Question, list of Line)
        The annex's order for a neighbourhood, the nine themes and the context for the others.
    """
    asked = ANNEX if level == "qpv" else _by_theme(lines)
    by_name = {line.card.id: line for line in lines}
    found = []
    for question in asked:
        mine = [by_name[name] for name in question.indicators if name in by_name]
        if mine:
            found.append((question, mine))
    return found


def _by_theme(lines: Sequence[Line]) -> list[Question]:
    return [
        Question(
            f"theme-{theme.replace('_', '-')}",
            names,
            _THEME_QUESTIONS[theme],
            tuple(line.card.id for line in lines if line.card.theme == theme),
        )
        for theme, names in THEMES.items()
    ]


def pillar_of(question: Question, lang: Lang) -> str:
    """Name the pillar of a question."""
    return question.pillar[0 if lang == "fr" else 1]
