"""The notes of values in English: what the library writes; what a document says stays French.

Results keep their French notes, in every file: this is for what is shown to an English reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_PLAIN: Mapping[str, str] = {
    "effectifs trop faibles pour être montrés (classe D)": "counts too small to be shown (grade D)",
    "calcul retenu": "the computed value is kept",
    "sans intervalle": "no interval",
    "l'indicateur n'est pas un rapport simple d'effectifs": "the indicator is no plain ratio of"
    " counts",
    "enquêté en entier": "surveyed whole",
    "non-réponse et étalement sur cinq ans restent": "non-response and the spread over five years"
    " remain",
    "fraction de sondage connue des seules communes et de leurs IRIS": "the sampling fraction is"
    " known of communes and their IRIS only",
    "donner la population municipale (table population)": "give the municipal population (table"
    " population)",
    "registre exhaustif, sans arrondi connu": "exhaustive register, without known rounding",
    "valeur publiée, sans ses effectifs": "published value, without its counts",
    "valeur estimée": "estimated value",
    "valeur déduite de deux nombres imprimés": "value deduced from two printed numbers",
    "déduit de deux nombres imprimés": "deduced from two printed numbers",
    "les effectifs ne redonnent pas la valeur": "the counts do not give the value again",
    "statistique publiée telle quelle": "statistic published as it is",
    "incertitude de la source inconnue": "uncertainty of the source not known",
    "effectif d'un recensement": "count of a census",
    "valeur sans effectifs, non lissée": "value without counts, not smoothed",
    "lissage impossible": "cannot be smoothed",
    "fraction de sondage inconnue": "sampling fraction not known",
    "non diffusé par le producteur": "not released by the producer",
    "cellule vide": "empty cell",
    "secret statistique du producteur": "statistical secrecy of the producer",
    "secret statistique": "statistical secrecy",
    "secret statistique (données de synthèse)": "statistical secrecy (synthetic data)",
    "motif non précisé par la source": "reason not told by the source",
    "non calculé": "not computed",
    "la valeur d'origine est secrète": "the first value is secret",
    "pas de ligne dans le fichier": "no row in the file",
    "sans ligne dans le fichier, compté pour zéro": "no row in the file, counted as zero",
    "fusion partielle": "partial merger",
    "nd compté comme 0": "n.d. counted as 0",
    "périmètre 2015 rapporté au QPV 2024": "perimeter of 2015 carried over to the one of 2024",
    "rupture": "a break",
    "quartier à cheval sur un autre EPCI, non rapporté (partial=)": "neighbourhood across another"
    " EPCI, not carried over (partial=)",
    "effectif arrondi à un multiple de 5": "count rounded to a multiple of 5",
    "exploitation complémentaire du recensement": "complementary processing of the census",
    "sans objet": "does not apply",
    "territoire de référence de l'indice": "the reference territory of the index",
    "deux dates proches de la Cnam, en dessous de la commune": "two close dates of the Cnam, below"
    " the commune",
    "évolution à lire avec prudence": "the change is to be read with care",
    "effectif reconstitué à partir d'une part arrondie": "count rebuilt from a rounded share",
    "effectif reconstitué à partir d'un indice arrondi": "count rebuilt from a rounded index",
}
_FORMS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (
        r"dénominateur absent : (.+), table (\w+)",
        lambda found: f"denominator absent: {found[1]}, table {found[2]}",
    ),
    (r"(\w+) : données de (\d{4})", lambda found: f"{found[1]}: data of {found[2]}"),
    (
        r"valeur publiée : ([^,]+(?:,\d+)?)(?:, écart de (.+))?",
        lambda found: f"published value: {_number(found[1])}"
        + (f", gap of {_number(found[2])}" if found[2] else ""),
    ),
    (r"sans (.+), absente des tables cette année", lambda f: f"without {f[1]}, absent that year"),
    (r"rapportée à la population de (\d{4})", lambda f: f"over the population of {f[1]}"),
    (
        r"bornes d'arrondi : effectifs arrondis à un multiple de (.+)",
        lambda f: f"limits of rounding: counts rounded to a multiple of {_number(f[1])}",
    ),
    (
        r"lissé : taux brut (\S+), poids (\S+), moyenne (\S+)",
        lambda f: f"smoothed: raw rate {_number(f[1])}, weight {_number(f[2])}, mean"
        f" {_number(f[3])}",
    ),
    (r"« (.+) » dans le fichier", lambda f: f"« {f[1]} » in the file"),
    (r"(.+) en (\d{4}), (.+) depuis (\d{4})", lambda f: f"{_number(f[1])} in {f[2]},"
     f" {_number(f[3])} since {f[4]}"),
)  # fmt: skip


def english_note(note: str) -> str:
    """Return the note of a value in English, as far as the library wrote it.

    Parameters
    ----------
    note : str
        Column ``note`` of the results.

    Returns
    -------
    str
        What a document or a producer says stays as it is.

    Examples
    --------
    >>> english_note("calcul retenu ; valeur publiée : 3,3, écart de 0,05")
    'the computed value is kept; published value: 3.3, gap of 0.05'
    """
    return "; ".join(map(_english, note.split(" ; ")))


def _english(text: str) -> str:
    if text in _PLAIN:
        return _PLAIN[text]
    head, colon, rest = text.partition(" : ")
    if colon and head in _PLAIN:
        return f"{_PLAIN[head]}: {_english(rest)}"
    for form, said in _FORMS:
        if found := re.fullmatch(form, text):
            return said(found)
    if colon and re.fullmatch("« .+ »", head):
        return f"{head}: {_english(rest)}"
    return text


def _number(text: str) -> str:
    """Write the French numbers of a text in English: 1 234,5 is 1,234.5."""
    plain = text.replace("\u202f", "\x00").replace(",", ".").replace("\x00", ",")
    return plain.replace(" %", "%").replace("\xa0", " ")
