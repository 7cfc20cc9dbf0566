"""Initials of the pages, in full: the only list, from which each page takes those that it uses."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from barometre.base.french import Lang
from barometre.pages.territory.language.words import Pair

INITIALS: Mapping[str, Pair] = {
    "AAH": ("allocation aux adultes handicapés", "allowance for disabled adults"),
    "AAP": ("appel à projets", "call for projects"),
    "ACS": (
        "aide au paiement d'une complémentaire santé",
        "help to pay for complementary health cover",
    ),
    "APL": ("accessibilité potentielle localisée", "local potential accessibility"),
    "BBC": ("bâtiment basse consommation", "low-energy building"),
    "BIT": ("Bureau international du travail", "International Labour Office"),
    "BPE": ("base permanente des équipements", "permanent database of facilities"),
    "C2S": ("Complémentaire santé solidaire", "free or low-cost complementary health cover"),
    "CA": ("communauté d'agglomération", "agglomeration (group of municipalities)"),
    "CC": ("communauté de communes", "group of municipalities"),
    "CU": ("communauté urbaine", "urban community"),
    "Caf": ("caisse d'allocations familiales", "family allowance fund"),
    "CEJ": ("contrat d'engagement jeune", "youth engagement contract"),
    "CEJ-R": (
        "contrat d'engagement jeune pour les jeunes en rupture",
        "youth engagement contract for those cut off",
    ),
    "CIE": ("contrat initiative emploi", "employment initiative contract"),
    "CLS": ("contrat local de santé", "local health contract"),
    "CMU-C": ("couverture maladie universelle complémentaire", "former complementary cover"),
    "Cnaf": ("Caisse nationale des allocations familiales", "national family allowance fund"),
    "Cnam": ("Caisse nationale de l'assurance maladie", "national health insurance fund"),
    "COMPAS": (
        "centre d'observation et de mesure des politiques d'action sociale (bureau d'études)",
        "consultants in the measurement of social policies",
    ),
    "COPIL": ("comité de pilotage", "steering committee"),
    "COTECH": ("comité technique", "technical committee"),
    "CPO": ("convention pluriannuelle d'objectifs", "multi-year agreement"),
    "CRTE": (
        "contrat de relance et de transition écologique",
        "recovery and ecological transition contract",
    ),
    "Dares": (
        "direction de l'animation de la recherche, des études et des statistiques",
        "statistical service of the ministry of labour",
    ),
    "DEFM": ("demandeurs d'emploi en fin de mois", "job-seekers at the end of the month"),
    "DPE": ("diagnostic de performance énergétique", "energy performance certificate"),
    "DREES": (
        "direction de la recherche, des études, de l'évaluation et des statistiques",
        "statistical service of the ministries of health and solidarity",
    ),
    "DSIL": ("dotation de soutien à l'investissement local", "grant for local investment"),
    "EPCI": (
        "établissement public de coopération intercommunale",
        "public body of municipalities acting together",
    ),
    "HLM": ("habitation à loyer modéré", "social housing"),
    "IDH-4": (
        "indice de développement humain à l'échelle des communes",
        "human development index of municipalities",
    ),
    "IDT": ("indice de développement des territoires", "index of development of territories"),
    "Insee": (
        "Institut national de la statistique et des études économiques",
        "national institute of statistics",
    ),
    "IRIS": ("îlots regroupés pour l'information statistique", "statistical district"),
    "MSA": ("Mutualité sociale agricole", "farmers' social insurance"),
    "MSP": ("maison de santé pluriprofessionnelle", "multi-professional health centre"),
    "NEET": (
        "ni en emploi, ni en études, ni en formation",
        "not in employment, education or training",
    ),
    "NPNRU": (
        "nouveau programme national de renouvellement urbain",
        "national urban renewal programme",
    ),
    "ORS": ("observatoire régional de la santé", "regional health observatory"),
    "PAT": ("projet alimentaire territorial", "territorial food project"),
    "PCAET": ("plan climat-air-énergie territorial", "territorial climate plan"),
    "PEC": ("parcours emploi compétences", "subsidised contract with training"),
    "PLH": ("programme local de l'habitat", "local housing programme"),
    "PLIE": (
        "plan local pour l'insertion et l'emploi",
        "local plan for integration and employment",
    ),
    "QP": ("quartier prioritaire, périmètre de 2015", "priority neighbourhood, perimeter of 2015"),
    "QPV": ("quartier prioritaire de la politique de la ville", "priority neighbourhood"),
    "REP": ("réseau d'éducation prioritaire", "priority education network"),
    "RPLS": (
        "répertoire des logements locatifs des bailleurs sociaux",
        "register of social housing",
    ),
    "RSA": ("revenu de solidarité active", "minimum income"),
    "SIP": ("soutien aux initiatives de proximité", "support for local initiatives"),
    "SNU": ("service national universel", "universal national service"),
    "TFPB": ("taxe foncière sur les propriétés bâties", "property tax on buildings"),
    "UC": ("unité de consommation", "consumption unit"),
}  # fmt: skip

_OUTSIDE = re.compile(r"<style.*?</style>|<svg.*?</svg>|<[^>]*>", re.DOTALL)
_WORD = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(sorted(map(re.escape, INITIALS), key=len, reverse=True))
    + r")(?![\w-])"
)


def initials_of(page: str, lang: Lang) -> list[tuple[str, str]]:
    """List the initials that a page uses, in full, in alphabetical order.

    Parameters
    ----------
    page : str
        HTML.
    lang : {"fr", "en"}
        Language: in English the French words come first, then what they mean.

    Examples
    --------
    >>> initials_of("<p>Le RSA ; la Caf</p>", "fr")
    [('Caf', "caisse d'allocations familiales"), ('RSA', 'revenu de solidarité active')]
    """
    used = set(_WORD.findall(html.unescape(_OUTSIDE.sub(" ", page))))
    return [(name, INITIALS[name][lang != "fr"]) for name in sorted(used, key=str.lower)]
