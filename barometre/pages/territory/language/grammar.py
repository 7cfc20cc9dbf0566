"""French and English as the pages write them: numbers and units, agreement, elision, articles."""

from __future__ import annotations

import math
from collections.abc import Sequence

from barometre.base.french import DOUBT_MARK, Lang, format_number
from barometre.base.rounding import round_half_up
from barometre.cards.schema import UNITS, Card
from barometre.pages.territory.language.articles import DEPARTMENT_ARTICLES, REGION_ARTICLES

NARROW = "\u202f"
NO_BREAK = "\u00a0"

_MONTH = 12
_UNITS = {
    "pourcent": (f"{NARROW}%", "%"),
    "points": (f"{NO_BREAK}point", " point"),
    "pour_100": (f"{NO_BREAK}pour{NO_BREAK}100", " per 100"),
    "pour_10000": (
        f"{NO_BREAK}pour{NO_BREAK}10{NARROW}000{NO_BREAK}habitants",
        " per 10,000 residents",
    ),
    "euros_par_an": (f"{NO_BREAK}€ par an et par UC", " € a year per CU"),
    "consultations_par_an": (f"{NO_BREAK}consultation par an", " consultation a year"),
    "rapport": ("", ""),
    "nombre": ("", ""),
    "indice": ("", ""),
}
_SHORT = {"euros_par_an": f"{NO_BREAK}€", "consultations_par_an": "", "pour_10000": ""}
_FRACTIONS = (
    (9.5, 10.5, "un sur dix", "one in ten"),
    (19.5, 20.5, "un sur cinq", "one in five"),
    (24.5, 25.5, "un quart", "a quarter"),
    (32.5, 34.2, "un tiers", "a third"),
    (39.5, 40.5, "deux sur cinq", "two in five"),
    (46.5, 49.4, "près de la moitié", "nearly half"),
    (49.5, 50.5, "la moitié", "half"),
    (59.5, 60.5, "trois sur cinq", "three in five"),
    (65.8, 67.5, "deux tiers", "two thirds"),
    (74.5, 75.5, "trois quarts", "three quarters"),
)
_TWICE = (1.9, 2.1)
_VOWELS = "aàâäeéèêëiîïoôöuùûüyœæAÀÂÄEÉÈÊËIÎÏOÔÖUÙÛÜYŒÆ"


def number_with_unit(
    value: float,
    card: Card,
    lang: Lang = "fr",
    *,
    signed: bool = False,
    doubtful: bool = False,
    short: bool = False,
) -> str:
    r"""Write a value of an indicator with its unit, as a sentence does.

    Parameters
    ----------
    value : float
        A known value, in the unit of the card.
    card : Card
        The indicator: its unit and its decimals.
    lang : {"fr", "en"}, default "fr"
        Language.
    signed : bool, default False
        Write the sign of a positive value.
    doubtful : bool, default False
        Add the mark of a doubtful value.
    short : bool, default False
        Write the unit as a table does, whose row says the rest (`long_unit`).

    Returns
    -------
    str
        With no-break spaces, and the noun of the unit in agreement.

    Examples
    --------
    >>> from barometre.cards.listing import indicator_card
    >>> number_with_unit(40.1, indicator_card("taux_emploi_15_64"))
    '40,1\u202f%'
    >>> number_with_unit(-1, indicator_card("ecart_taux_emploi_femmes_hommes"))
    '−1,0\xa0point'
    """
    text = format_number(value, card.decimales, lang, signed=signed)
    text += _SHORT[card.unite] if short and card.unite in _SHORT else _unit(card.unite, value, lang)
    return text + DOUBT_MARK if doubtful else text


def long_unit(card: Card, lang: Lang = "fr") -> str:
    """Give the unit that the cells of a table do not write in full; empty for the others.

    Examples
    --------
    >>> from barometre.cards.listing import indicator_card
    >>> long_unit(indicator_card("niveau_de_vie_median"))
    '€ par an et par UC'
    >>> long_unit(indicator_card("taux_emploi_15_64"))
    ''
    """
    return UNITS[card.unite][0 if lang == "fr" else 1] if card.unite in _SHORT else ""


def _unit(unit: str, value: float, lang: Lang) -> str:
    word = _UNITS[unit][0 if lang == "fr" else 1]
    many = plural(value, lang)
    if unit == "points":
        return word + "s" * many
    if unit == "consultations_par_an":
        return word.replace("consultation", "consultation" + "s" * many)
    return word


def plural(number: float, lang: Lang = "fr") -> bool:
    """Tell whether a noun after a number is plural: from 2 in French, but for 1 in English.

    Examples
    --------
    >>> plural(1.9), plural(2), plural(0, "en"), plural(-1, "en")
    (False, True, True, False)
    """
    return abs(number) >= 2 if lang == "fr" else abs(number) != 1


def counted(number: float, one: str, many: str | None = None, lang: Lang = "fr") -> str:
    r"""Write a number and its noun in agreement.

    Examples
    --------
    >>> counted(1, "ménage"), counted(2400, "ménage")
    ('1\xa0ménage', '2\u202f400\xa0ménages')
    """
    noun = (many or f"{one}s") if plural(number, lang) else one
    return f"{format_number(number, 0, lang)}{NO_BREAK}{noun}"


def gap_with_unit(
    gap: float, card: Card, lang: Lang = "fr", *, signed: bool = True, short: bool = False
) -> str:
    r"""Write a difference between two values: points for percentages.

    Examples
    --------
    >>> from barometre.cards.listing import indicator_card
    >>> gap_with_unit(-20.1, indicator_card("taux_emploi_15_64"))
    '−20,1\xa0points'
    """
    text = format_number(gap, card.decimales, lang, signed=signed)
    if short and card.unite in _SHORT:
        return text + _SHORT[card.unite]
    return text + _unit("points" if card.unite == "pourcent" else card.unite, gap, lang)


def share_words(value: float, card: Card, lang: Lang = "fr") -> str | None:
    """Say a share in words where the value rounds to it, and nothing else.

    Parameters
    ----------
    value : float
        A value.
    card : Card
        Its indicator: only shares in per cent have words.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    str or None
        ``un tiers`` from 32,5 to 34,2 %, ``près de la moitié``...

    Examples
    --------
    >>> from barometre.cards.listing import indicator_card
    >>> card = indicator_card("taux_couverture_minima_sociaux")
    >>> share_words(34.1, card), share_words(34.4, card), share_words(40.1, card)
    ('un tiers', None, 'deux sur cinq')
    """
    if card.unite != "pourcent":
        return None
    shown = round_half_up(value, card.decimales)
    for low, high, french, english in _FRACTIONS:
        if low <= shown <= high:
            return french if lang == "fr" else english
    return None


def ratio_words(value: float, reference: float, lang: Lang = "fr") -> str | None:
    r"""Say how many times a reference a value is, from one and a half times on.

    Returns
    -------
    str or None
        ``deux fois la référence`` only between 1,9 and 2,1, else the ratio; None under 1,5 or when
        either is not positive.

    Examples
    --------
    >>> ratio_words(40.1, 20.0), ratio_words(40.1, 17.5), ratio_words(40.1, 34.1)
    ('deux fois', '2,3\xa0fois', None)
    """
    if not (value > 0 and reference > 0) or math.isinf(value):
        return None
    ratio = value / reference
    if ratio < 1.5:
        return None
    if _TWICE[0] <= ratio <= _TWICE[1]:
        return "deux fois" if lang == "fr" else "twice"
    text = format_number(ratio, 1, lang)
    return f"{text}{NO_BREAK}fois" if lang == "fr" else f"{text} times"


def of(name: str) -> str:
    """Write ``de`` before a proper name, elided or contracted as French does.

    A name in H keeps ``de``: whether it is aspirated is not written in the name.

    Examples
    --------
    >>> of("Escaudain"), of("Denain"), of("Le Havre"), of("Les Lilas"), of("L'Haÿ-les-Roses")
    ("d'Escaudain", 'de Denain', 'du Havre', 'des Lilas', "de L'Haÿ-les-Roses")
    """
    if name.startswith("Le "):
        return f"du {name[3:]}"
    if name.startswith("Les "):
        return f"des {name[4:]}"
    return f"d'{name}" if name[:1] in _VOWELS and name else f"de {name}"


def at(name: str) -> str:
    """Write ``à`` before the name of a commune, contracted as French does.

    Examples
    --------
    >>> at("Denain"), at("Le Havre"), at("Les Lilas")
    ('à Denain', 'au Havre', 'aux Lilas')
    """
    if name.startswith("Le "):
        return f"au {name[3:]}"
    if name.startswith("Les "):
        return f"aux {name[4:]}"
    return f"à {name}"


def within(name: str, level: str, code: str, lang: Lang = "fr") -> str:
    """Say where a value is that of a territory: ``dans le Nord``, ``à Denain``.

    Parameters
    ----------
    name : str
        Its name.
    level : str
        Its level, as `level_of` gives it, or that of the labels.
    code : str
        Its code, that tells the article of a department or a region.
    lang : {"fr", "en"}, default "fr"
        Language.

    Examples
    --------
    >>> within("Nord", "departement", "59"), within("Denain", "commune", "59172")
    ('dans le Nord', 'à Denain')
    >>> within("CA de la Porte du Hainaut", "epci", "200042190")
    'dans la CA de la Porte du Hainaut'
    >>> within("QP de la CA", "ensemble_qpv_epci", "ENSQP_200042190")
    "dans l'ensemble des QP de la CA"
    >>> within("Elnon", "qpv", "QP059058"), within("mon secteur", "union", "S1")
    ('dans le quartier Elnon', 'dans « mon secteur »')
    """
    if lang == "en":
        return _within_english(name, level)
    if level == "france_metropolitaine":
        return "en France métropolitaine"
    if level == "departement" and code in DEPARTMENT_ARTICLES:
        return DEPARTMENT_ARTICLES[code] + name
    if level == "region" and code in REGION_ARTICLES:
        return REGION_ARTICLES[code] + name
    if level == "commune":
        return at(name)
    if level == "epci":
        article = "le " if name.startswith(("Grand ", "SAN ")) else "la "
        return (
            f"dans {article}{name}" if _feminine(name) or article == "le " else f"dans « {name} »"
        )
    if level == "qpv":
        return f"dans le quartier {name}"
    if name.startswith(("QP ", "QPV ", "QN ")):
        return f"dans l'ensemble des {name}"
    if name.startswith("EPCI "):
        return f"dans les {name}"
    return f"dans « {name} »"


def _feminine(name: str) -> bool:
    return name.startswith(("CA ", "CC ", "CU ", "Métropole ", "Communauté "))


def _within_english(name: str, level: str) -> str:
    if level == "france_metropolitaine":
        return "in metropolitan France"
    if level == "qpv":
        return f"in the {name} neighbourhood"
    if level in ("commune", "departement", "region", "epci"):
        return f"in {name}"
    return f"in “{name}”"


def listed(items: Sequence[str], lang: Lang = "fr") -> str:
    """Join words with commas and a last ``et``.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"]), listed([])
    ('a', 'a, b et c', '')
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {'et' if lang == 'fr' else 'and'} {items[-1]}"


def when(card: Card, year: int, lang: Lang = "fr") -> str:
    """Say the date of a value: the end of a year, its first of January, or the year.

    Examples
    --------
    >>> from barometre.cards.listing import indicator_card
    >>> when(indicator_card("taux_couverture_minima_sociaux"), 2021)
    'fin 2021'
    >>> when(indicator_card("taux_couverture_c2s"), 2022)
    'au 1er janvier 2022'
    >>> when(indicator_card("taux_emploi_15_64"), 2019)
    'en 2019'
    """
    told = card.millesime
    french = lang == "fr"
    if "31 décembre" in told or "4e trimestre" in told or "quatrième trimestre" in told:
        return f"fin {year}" if french else f"at the end of {year}"
    if "1er janvier" in told:
        return f"au 1er janvier {year}" if french else f"on 1 January {year}"
    return f"en {year}" if french else f"in {year}"


def lowered(text: str) -> str:
    """Begin with a small letter what continues a sentence, initials left as they are.

    Examples
    --------
    >>> lowered("Taux d'emploi"), lowered("QPV"), lowered("IDT, publié")
    ("taux d'emploi", 'QPV', 'IDT, publié')
    """
    return text if text[1:2].isupper() or not text else text[:1].lower() + text[1:]


def raised(text: str) -> str:
    """Begin with a capital.

    Examples
    --------
    >>> raised("écart non jugé")
    'Écart non jugé'
    """
    return text[:1].upper() + text[1:]
