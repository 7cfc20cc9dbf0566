"""The follow-up in English: headings, closed lists and notes; what people typed stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from barometre.cards.schema import THEMES

HEADINGS: Mapping[str, str] = MappingProxyType(
    {
        "id": "id", "mesure": "measure", "orientation": "orientation", "territoire": "territory",
        "operateur": "operator", "priorite": "priority", "nature": "kind", "sens": "direction",
        "comparateur": "comparator", "cible": "target", "cible_max": "target (upper end)",
        "unite": "unit", "reference": "reference", "reference_date": "date of the reference",
        "echeance": "deadline", "indicateur": "indicator", "source": "source", "annee": "year",
        "valeur": "value", "borne_inf": "lower bound", "borne_sup": "upper bound",
        "attendu": "expected", "progres": "progress (%)", "statut": "status", "note": "note",
        "n": "number", "n_realisees": "done", "n_en_cours": "under way", "n_prevues": "planned",
        "n_arretees": "postponed or dropped", "taux_realisation": "done (%)",
        "beneficiaires_prevus": "people expected", "beneficiaires": "people reached",
        "part_femmes": "women (%)", "part_qpv": "residents of the neighbourhoods (%)",
        "cout": "cost (€)", "cout_par_beneficiaire": "cost a person (€)",
        "n_sans_beneficiaires": "number without a count of people", "intitule": "title",
        "porteur": "holder", "etat": "state", "moyens": "means", "realisation": "outputs",
        "resultat": "results", "impact": "impact", "effet": "effect",
        "effet_inf": "effect, lower bound",
        "effet_sup": "effect, upper bound", "domaine": "field", "action": "action",
        "nomAttribuant": "funder", "credits": "credits", "etape": "step", "centimes": "cents",
        "montant": "amount (€)", "approche": "approximate", "par_habitant": "€ an inhabitant",
        "centimes_cpo": "cents in agreements over several years", "part": "share (%)",
        "atteint": "reached", "partenaire": "partner", "n_tenus": "kept",
        "n_en_partie": "kept in part", "n_non_tenus": "not kept", "n_sans_reponse": "no answer",
        "completude": "answered (%)", "taux_tenus": "kept, of those answered (%)",
        "part_realisee": "done, of what was planned (%)", "n_chiffres": "number with figures",
        "axe": "axis", "bailleur": "landlord", "qpv": "neighbourhood", "commune": "municipality",
        "principe": "cross-cutting principle", "echelle": "scale", "libelle": "label",
        "dispositifAide": "scheme", "centimes_prevus": "cents planned",
        "centimes_depenses": "cents spent", "taux_depense": "spent, of what was planned (%)",
        "couverture": "spent, of the abatement (%)", "par_logement": "€ a dwelling",
        "instance": "body", "frequence": "frequency", "minimum_par_an": "at least, a year",
        "mois_ou_date": "month or date", "role": "role", "produit_attendu": "expected output",
        "sortie": "our outputs", "document": "document", "ligne_source": "line",
        "code": "code", "avant": "before", "apres": "after", "statut_avant": "status before",
        "statut_apres": "status after", "raison": "reason", "depend_de": "depends on",
        "suivi_par": "followed by", "moyen": "how", "editions": "editions", "minimum": "at least",
        "maximum": "at most", "rang": "rank of need", "rang_min": "rank, lower end",
        "rang_max": "rank, upper end", "besoins_de": "needs of",
    }
)  # fmt: skip
"""English heading of each column of the follow-up."""

VALUES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "statut": {
            "atteint": "reached", "en avance": "ahead", "sur la trajectoire": "on the path",
            "en retard": "late", "à l'opposé": "the other way", "non atteint": "not reached",
            "échu, sans donnée": "overdue, no data", "sans donnée": "no data",
            "indéterminé": "undetermined", "référence à fournir": "reference to be given",
            "relatif": "relative", "qualitatif": "qualitative",
            "sens ambigu": "ambiguous direction",
            "ok": "ok", "secret": "secret",
        },
        "nature": {
            "chiffre": "figure", "qualitatif": "qualitative",
            "reference_sans_chiffre": "reference without figure",
            "reference_relative": "relative to another figure", "renforcement": "reinforcement",
            "specifique": "specific", "révisée": "revised", "dépendante": "dependent",
            "suivie": "followed", "nouvelle": "new", "retirée": "withdrawn",
            "devenue secrète": "now secret", "publiée après secret": "published after secrecy",
            "autre absence": "other absence", "autre qualité": "other quality",
            "autre méthode": "other method",
        },
        "sens": {"hausse": "up", "baisse": "down", "ambigu": "ambiguous"},
        "comparateur": {"entre": "between"},
        "etat": {
            "prévue": "planned", "en cours": "under way", "réalisée": "done",
            "reportée": "postponed", "abandonnée": "dropped",
        },
        "domaine": {"santé": "health", "emploi": "work", "éducation": "education"},
        "credits": {
            "droit_commun": "ordinary credits", "specifique": "specific credits",
            "investissement": "investment", "autre": "other",
        },
        "etape": {"prévu": "planned", "engagé": "committed", "payé": "paid"},
        "echelle": {
            "agglomération": "agglomeration", "commune": "municipality",
            "quartier": "neighbourhood",
        },
        "raison": {"revision": "revision", "correction": "correction", "à préciser": "to be told"},
        "orientation": {"non précisé": "not told"}, "qpv": {"non précisé": "not told"},
        "commune": {"non précisé": "not told"}, "nomAttribuant": {"non précisé": "not told"},
        "dispositifAide": {"non précisé": "not told"}, "porteur": {"non précisé": "not told"},
        "principe": {"non précisé": "not told"},
    }
)  # fmt: skip
"""English words of the closed lists, by column; French ones that are not there stay."""

_STATUS = VALUES["statut"]
_FIELDS: Mapping[str, str] = {
    "nom de l'indicateur": "the name of the indicator",
    "qui est compté : quelles personnes, où, quand": "who is counted: which people, where, when",
    "ce qui est compté": "what is counted",
    "sur combien ; « aucun » pour un simple nombre": "out of how many;"
    " « aucun » for a plain number",
    "unité : %, nombre, euros, jours...": "the unit: %, nombre, euros, jours...",
    "sens souhaité : hausse ou baisse": "the direction wanted: hausse (up) or baisse (down)",
    "d'où vient la donnée, et qui la relève": "where the data come from, and who records them",
    "quand elle est relevée : mensuelle, trimestrielle, annuelle...": "when they are recorded:"
    " mensuelle, trimestrielle, annuelle...",
    "valeur de départ, et son année": "the value at the start, and its year",
    "valeur visée": "the value aimed at",
    "année ou date pour la cible": "the year or date of the target",
    "combien de personnes, à peu près, dans la plus petite case publiée": "how many people, about,"
    " in the smallest cell published",
}
_PLAIN: Mapping[str, str] = {
    # neighbourhoods of 2015 beside those of 2024
    "périmètres fusionnés, divisés ou sans équivalent": "perimeters merged, split or without equal",
    "à cheval sur deux EPCI": "across two EPCI",
    "une partie du quartier en est sortie": "a part of the neighbourhood has left it",
    "population inconnue": "population not known",
    # sheets of indicators
    "absent": "absent",
    "absent d'une part ou d'un taux": "absent from a share or a rate",
    "sans année": "without year",
    "sans valeur": "without value",
    "illisible": "cannot be read",
    "identique au numérateur": "the same as the numerator",
    "dire sur combien": "say out of how many",
    "l'écrire entre guillemets": "write it between quotes",
    "dire précisément qui ou quoi, pour que deux personnes comptent pareil": "say precisely who or"
    " what, so that two people count alike",
    "écrire %, nombre, euros, jours...": "write %, nombre, euros, jours...",
    "écrire « hausse » ou « baisse »": "write « hausse » (up) or « baisse » (down)",
    "écrire la valeur visée, seule": "write the value aimed at, alone",
    "écrire 2027 ou 30/06/2027": "write 2027 or 30/06/2027",
    "écrire un nombre entier": "write a whole number",
    "écrire de 0 à 100": "write from 0 to 100",
    "corriger la cible, la référence ou le sens": "correct the target, the reference or the"
    " direction",
    "la corriger": "correct it",
    "regrouper les quartiers, les années ou les publics avant de publier": "group neighbourhoods,"
    " years or people before publishing",
}
_WAYS = {"hausse": "up", "baisse": "down"}
_FORMS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (
        r"l'intervalle de l'observation ne permet pas de trancher : (.+)",
        lambda found: (
            "the interval of the observation does not tell: "
            + " or ".join(_STATUS[word] for word in found[1].split(" ou "))
        ),
    ),
    (r"donnée de (\d{4})", lambda found: f"data of {found[1]}"),
    (
        r"besoins de (\S+) non rapprochés : (.+)",
        lambda found: f"needs of {found[1]} not put beside: {english(found[2])}",
    ),
    (
        r"population conservée à moins de (\d+) %",
        lambda found: f"less than {found[1]}% of the population kept",
    ),
    (r"dire : (.+)", lambda found: f"say: {_FIELDS[found[1]]}"),
    (r"« (.+) » n'est pas un texte", lambda found: f"« {found[1]} » is no text"),
    (r"« (.+) » ne définit rien", lambda found: f"« {found[1]} » defines nothing"),
    (r"« (.+) » ne suffit pas", lambda found: f"« {found[1]} » is not enough"),
    (r"« (.+) » n'est pas une unité", lambda found: f"« {found[1]} » is no unit"),
    (r"« (.+) » n'est pas un sens", lambda found: f"« {found[1]} » is no direction"),
    (r"« (.+) » n'est pas une fréquence", lambda found: f"« {found[1]} » is no frequency"),
    (r"« (.+) » n'est pas un nombre", lambda found: f"« {found[1]} » is no number"),
    (r"« (.+) » n'est pas une date", lambda found: f"« {found[1]} » is no date"),
    (r"« (.+) » n'est pas un effectif", lambda found: f"« {found[1]} » is no count of people"),
    (r"(.+) n'est pas un pourcentage", lambda found: f"{found[1]} is no percentage"),
    (r"choisir parmi (.+)", lambda found: f"choose among {found[1]}"),
    (r"écrire (reference = .+)", lambda found: f"write {found[1]}"),
    (
        r"(.+) personnes : à moins de (\d+), on peut reconnaître quelqu'un",
        lambda found: f"{found[1]} people: under {found[2]}, someone may be recognised",
    ),
    (
        r"(.+) alors que la référence est (.+) et le sens « (hausse|baisse) »",
        lambda found: f"{found[1]} while the reference is {found[2]} and the way {_WAYS[found[3]]}",
    ),
    (
        r"(\d+) n'est pas après la référence \((\d+)\)",
        lambda found: f"{found[1]} is not after the reference ({found[2]})",
    ),
)


def english(text: str) -> str:
    """Return a text that the follow-up writes in English, as it is when it is not one.

    Examples
    --------
    >>> english("« mieux » n'est pas un sens")
    '« mieux » is no direction'
    """
    if text in _PLAIN:
        return _PLAIN[text]
    found = ((re.fullmatch(form, text), said) for form, said in _FORMS)
    return next((said(match) for match, said in found if match), text)


def in_english(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of the follow-up with English headings, closed lists and notes.

    Parameters
    ----------
    table : DataFrame
        What a verb of `monitoring` gives.

    Returns
    -------
    DataFrame
        The same rows; names, titles and comments stay in the language they were typed in.

    Examples
    --------
    >>> in_english(pd.DataFrame({"mesure": ["SNU"], "statut": ["en retard"]})).to_dict("records")
    [{'measure': 'SNU', 'status': 'late'}]
    """
    changed = {}
    for name in table.columns:
        words = VALUES.get(str(name))
        if words is not None:
            changed[name] = table[name].map(lambda text, words=words: words.get(text, text))
        elif name == "note":
            changed[name] = table[name].map(english_note, na_action="ignore")
    return table.assign(**changed).rename(columns=_heading)


def _heading(column: str) -> str:
    """Return the English heading of a column, the ranks of a theme among them."""
    for prefix in ("rang_min_", "rang_max_", "rang_"):
        theme = column.removeprefix(prefix)
        if column.startswith(prefix) and theme in THEMES:
            return f"{HEADINGS[prefix[:-1]]} ({THEMES[theme][1].lower()})"
    return HEADINGS.get(column, column)


def english_note(note: str) -> str:
    """Return a note of the follow-up in English.

    Examples
    --------
    >>> english_note("donnée de 2023")
    'data of 2023'
    """
    return "; ".join(map(english, str(note).split(" ; ")))
