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
        "rang_max": "rank, upper end",
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
_NOTES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (
        r"l'intervalle de l'observation ne permet pas de trancher : (.+)",
        lambda found: (
            "the interval of the observation does not tell: "
            + " or ".join(_STATUS[word] for word in found[1].split(" ou "))
        ),
    ),
    (r"donnée de (\d{4})", lambda found: f"data of {found[1]}"),
)


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
    """Return a note of `track` in English.

    Examples
    --------
    >>> english_note("donnée de 2023")
    'data of 2023'
    """
    parts = []
    for part in str(note).split(" ; "):
        found = ((re.fullmatch(form, part), said) for form, said in _NOTES)
        parts.append(next((said(match) for match, said in found if match), part))
    return "; ".join(parts)
