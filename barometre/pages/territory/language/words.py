"""The words of the pages in French and English, and what the codes of the results say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from barometre.base.french import ABSENT, DOUBT_MARK, Lang
from barometre.cards.listing import load_cards

Pair = tuple[str, str]

STATUS: Mapping[str, Pair] = {
    "secret": ("non diffusé (secret statistique)", "not released (statistical secrecy)"),
    "non_disponible": ("non disponible", "not available"),
    "non_defini": ("non défini", "undefined"),
    "sans_objet": ("sans objet", "not applicable"),
}
STATUS_SENTENCE: Mapping[str, Pair] = {
    "secret": (
        "valeur non diffusée (secret statistique)",
        "value not released (statistical secrecy)",
    ),
    "non_disponible": ("valeur non disponible", "value not available"),
    "non_defini": (
        "valeur non définie (dénominateur nul)",
        "value undefined (zero denominator)",
    ),
    "sans_objet": ("sans objet ici", "not applicable here"),
}
VERDICT: Mapping[str, Pair] = {
    "favorable": ("favorable", "favourable"),
    "defavorable": ("défavorable", "unfavourable"),
    "comparable": ("comparable", "comparable"),
    "plus_eleve": ("plus élevé", "higher"),
    "plus_bas": ("plus bas", "lower"),
    "non_juge": ("non jugé", "not judged"),
}
PROOF: Mapping[str, Pair] = {
    "sondage": ("sondage", "sampling"),
    "arrondi": ("arrondi", "rounding"),
    "hasard": ("hasard", "chance"),
}
BEYOND: Mapping[str, Pair] = {
    "sondage": ("au-delà de l'erreur de sondage, 95 %", "beyond sampling error, 95%"),
    "arrondi": ("au-delà de l'arrondi", "beyond rounding"),
    "hasard": ("au-delà du hasard, 95 %", "beyond chance, 95%"),
}
"""What an established gap is larger than; rounding has limits and no level."""
MAY_BE: Mapping[str, Pair] = {
    "sondage": ("l'écart peut tenir au sondage", "sampling may explain the gap"),
    "arrondi": ("l'écart peut tenir à l'arrondi", "rounding may explain the gap"),
    "hasard": ("l'écart peut tenir au hasard", "chance may explain the gap"),
}
_REASONS: Mapping[str, Pair] = {
    "valeur douteuse": ("la valeur est douteuse", "the value is doubtful"),
    "référence douteuse": (
        "la valeur de la référence est douteuse",
        "the value of the reference is doubtful",
    ),
    "effectifs trop faibles (classe D)": (
        "effectifs trop faibles",
        "too few people",
    ),
    "un effectif suit la taille du territoire": (
        "un effectif suit la taille du territoire",
        "a count follows the size of the territory",
    ),
    "part d'un sondage": (
        "le recensement ne diffuse ici que des parts, sans intervalle",
        "the census releases only shares here, without intervals",
    ),
    "aucune preuve demandée": (
        "aucune preuve n'existe pour cette mesure",
        "no proof exists for this measure",
    ),
    "référence": ("la référence n'a pas de valeur", "the reference has no value"),
    "valeur": ("il n'y a pas de valeur", "there is no value"),
}
_PRODUCERS = (
    (" ; ", "; "),
    ("Insee pour les quartiers", "Insee for neighbourhoods"),
    ("Insee pour les QPV", "Insee for neighbourhoods"),
    ("Insee pour la BPE", "Insee for facilities"),
    ("Région Hauts-de-France, d'après l'ORS et l'Insee", "Hauts-de-France region, ORS and Insee"),
    ("barometre, d'après les composantes de l'Insee", "barometre, from components of Insee"),
    (", réseau interrégimes", ""),
)
_PHRASES = {
    "acces_droits": "accès aux droits",
    "acces_soins": "accès aux soins",
    "cadre_de_vie": "cadre de vie",
    "culture_sport": "culture et sport",
    "droit_commun": "droit commun",
    "sante_enfants": "santé des enfants",
    "sante_environnement": "santé et environnement",
    "sante_femmes": "santé des femmes",
    "sante_jeunes": "santé des jeunes",
}
_ACCENTS = {
    "acces": "accès", "cohesion": "cohésion", "ecologique": "écologique",
    "educative": "éducative", "education": "éducation", "numerique": "numérique",
    "parentalite": "parentalité", "reussite": "réussite", "sante": "santé",
    "specifique": "spécifique", "tranquillite": "tranquillité",
}  # fmt: skip
_TARGET_UNITS: Mapping[str, Pair] = {
    "nb": ("", ""),
    "ratio": ("", ""),
    "pct": ("\u202f%", "%"),
    "pct_par_an": ("\u202f% par an", "% a year"),
    "pct_evolution": ("\u202f% d'évolution", "% of change"),
    "nb_par_an": ("\u00a0par an", " a year"),
    "nb_par_foyer": ("\u00a0par foyer", " a household"),
    "nb_par_contrat": ("\u00a0par contrat", " a contract"),
    "nb_par_pat": ("\u00a0par PAT", " a PAT"),
    "eleves_par_classe": ("\u00a0élèves par classe", " pupils a class"),
    "logements": ("\u00a0logements", " dwellings"),
    "logements_par_an": ("\u00a0logements par an", " dwellings a year"),
    "eur": ("\u00a0€", " €"),
    "mois": ("\u00a0mois", " months"),
    "postes": ("\u00a0postes", " posts"),
    "t_CO2_par_an": ("\u00a0t de CO2 par an", " t of CO2 a year"),
}
_NOT_JUDGED = "non jugé : "
_CODE = re.compile(r"«[\s\u00a0]*([^«»]+?)[\s\u00a0]*»")


def pick(pair: Pair, lang: Lang) -> str:
    """Return the word of a language."""
    return pair[0 if lang == "fr" else 1]


def signs(lang: Lang = "fr") -> str:
    """Say what stands in a table instead of a figure, or beside it.

    Examples
    --------
    >>> "s.o. : sans objet" in signs(), "n/a: makes no sense" in signs("en")
    (True, True)
    """
    absent = {name: ABSENT[name][0 if lang == "fr" else 1] for name in ABSENT}
    if lang == "en":
        return (
            f"secret: too few people to be released; {absent['non_disponible']}: the source does"
            f" not give it; {absent['sans_objet']}: makes no sense there; {DOUBT_MARK.strip()}:"
            " doubtful printed value, kept as it is; ≈: count found again from the published share."
        )
    return (
        f"secret : trop peu de personnes pour être diffusé ; {absent['non_disponible']} : non"
        f" disponible, la source ne le donne pas ; {absent['sans_objet']} : sans objet ;"
        f" {DOUBT_MARK.strip()} : valeur imprimée douteuse, reprise telle quelle ; ≈ : effectif"
        " retrouvé par la part publiée."
    )


def in_words(identifier: object) -> str:
    """Write an identifier of the tables of the contract as words, with its accents.

    Examples
    --------
    >>> in_words("reussite_educative"), in_words("acces_droits"), in_words("Denain")
    ('réussite éducative', 'accès aux droits', 'Denain')
    """
    text = str(identifier)
    if text in _PHRASES:
        return _PHRASES[text]
    return " ".join(_ACCENTS.get(word, word) for word in text.replace("_", " ").split(" "))


def colon(lang: Lang) -> str:
    """Write a colon as the language does: after a space in French."""
    return " :" if lang == "fr" else ":"


def target_unit(unit: object, lang: Lang = "fr") -> str:
    r"""Write the unit of a target after its value; one that no list has, as it was typed.

    Examples
    --------
    >>> target_unit("pct"), target_unit("nb"), target_unit("logements_par_an")
    ('\u202f%', '', '\xa0logements par an')
    """
    text = unit if isinstance(unit, str) else ""
    if text in _TARGET_UNITS:
        return pick(_TARGET_UNITS[text], lang)
    return f"\u00a0{in_words(text)}" if text else ""


def producer(name: str, lang: Lang) -> str:
    """Write the name of a producer: names stay, what stands between them is translated.

    Examples
    --------
    >>> producer("France Travail / Dares ; Insee pour les quartiers", "en")
    'France Travail / Dares; Insee for neighbourhoods'
    """
    if lang == "fr":
        return name
    for french, english in _PRODUCERS:
        name = name.replace(french, english)
    return name


def not_judged_reason(note: object, lang: Lang = "fr") -> str:
    """Say why a gap is not judged, from the note of `judge`.

    Parameters
    ----------
    note : object
        The note of the verdict.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    str
        A clause without capital nor full stop.

    Examples
    --------
    >>> not_judged_reason("x ; non jugé : référence douteuse")
    'la valeur de la référence est douteuse'
    """
    text = note if isinstance(note, str) else ""
    reason = text.rpartition(_NOT_JUDGED)[2]
    for start, words in _REASONS.items():
        if reason.startswith(start):
            return pick(words, lang)
    return pick(("aucune référence n'a de valeur", "no reference has a value"), lang)


def clean_note(note: str, names: Mapping[str, str]) -> str:
    """Put names in the place of codes and identifiers in a note of the results.

    Parameters
    ----------
    note : str
        A note, in French.
    names : mapping of str to str
        Names by code.

    Returns
    -------
    str
        The same without machine names.

    Examples
    --------
    >>> clean_note("référence « METRO » : non_disponible", {})
    'référence « METRO » : non disponible'
    """
    cards = load_cards()

    def named(found: re.Match[str]) -> str:
        inner = found[1]
        known = cards[inner].libelle["fr"] if inner in cards else names.get(inner, inner)
        return f"« {known} »"

    text = _CODE.sub(named, note)
    for identifier in set(re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b", text)):
        word = cards[identifier].libelle["fr"] if identifier in cards else None
        text = text.replace(identifier, word or identifier.replace("_", " "))
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text)
