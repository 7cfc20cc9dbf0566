"""The grammar of the codes of territories: their form tells their level.

No other module describes the form of a code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.errors import Fault, UnknownNameError, counted
from barometre.cards.schema import Level

LEVELS = (*get_args(Level), "union")

# Digits are those of ASCII, and no form looks ahead: Arrow then reads a column at once.
_COMMUNE = r"(?:0[1-9]|[1-8][0-9]|9[0-8]|2[AB])[0-9]{3}"
_IN_THREE = r"(?:0[0-9]{2}|02[AB]|9[78][0-9])"  # a department on three characters
_QPV = {2015: rf"QP{_IN_THREE}[0-9]{{3}}", 2024: rf"QN{_IN_THREE}[0-9]{{2}}[A-Z]"}
_FORMS: dict[str, str] = {
    "commune": _COMMUNE,
    "departement": r"0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|97[1-8]",
    "region": r"R[0-9]{2}",
    "qpv": "|".join(_QPV.values()),
    "france_metropolitaine": "METRO",
    "epci": r"2[0-9]{8}",
    "iris": r"(?:0[1-9]|[13-8][0-9]|9[0-8]|2[1-9AB])[0-9]{7}",  # 20 is no department
}
_COMPILED = {level: re.compile(form) for level, form in _FORMS.items() if level != "epci"}
_OWN_TAXATION = re.compile(r"2[04]\d{7}")
_DIGITS: dict[str, int] = {"commune": 5, "iris": 9, "departement": 2}
SHOWN = 5

_DISTRICTS = {"75056": ("75101", "75120"), "69123": ("69381", "69389"), "13055": ("13201", "13216")}
DISTRICTS: Mapping[str, str] = {
    str(code): commune
    for commune, (first, last) in _DISTRICTS.items()
    for code in range(int(first), int(last) + 1)
}
"""The commune of each municipal district of Paris, Lyon and Marseille (Insee's TYPECOM ARM)."""


def level_of(code: str) -> str:
    """Tell the level of a territory from the form of its code.

    A region is written ``"R32"``: Insee's region 32 (Hauts-de-France) would else be department 32
    (Gers). Nine digits are an EPCI when they start with 20 or 24, as all those with own taxation
    do, and pass the SIREN check; else an IRIS. One IRIS in ten of the Dordogne (24) passes it too:
    where the level is known, ask `check_codes` instead.

    Parameters
    ----------
    code : str
        Code of a territory.

    Returns
    -------
    str
        A level of `LEVELS`; ``"union"`` for any other name.

    Examples
    --------
    >>> [level_of(c) for c in ("59172", "59", "R32", "200042190", "591720101", "QN05950M")]
    ['commune', 'departement', 'region', 'epci', 'iris', 'qpv']
    """
    if _OWN_TAXATION.fullmatch(code) and _siren(code):
        return "epci"
    return next((level for level, form in _COMPILED.items() if form.fullmatch(code)), "union")


def qpv_generation(code: str) -> int | None:
    """Tell the year of the perimeters of a priority neighbourhood: 2015 or 2024.

    Parameters
    ----------
    code : str
        Code of a territory: ``QP`` or ``QN``, the department on three characters (``059``, ``02A``,
        ``971``), then three digits, or two and a letter.

    Returns
    -------
    int or None
        None for any other territory.

    Examples
    --------
    >>> [qpv_generation(code) for code in ("QP059050", "QP02A001", "QN05950M", "59172")]
    [2015, 2015, 2024, None]
    """
    return next((year for year, form in _QPV.items() if re.fullmatch(form, code)), None)


def check_codes(codes: Iterable[str], level: str) -> list[Fault]:
    """List the codes that cannot be of a level.

    Parameters
    ----------
    codes : iterable of str
        Codes, as text.
    level : str
        A level of `LEVELS`; an ``"union"`` may have any name.

    Returns
    -------
    list of Fault
        At most one fault, that counts and quotes the codes and holds their rows.
    """
    if level not in LEVELS:
        raise UnknownNameError("niveau", level, LEVELS)
    texts = _as_texts(codes).fillna("")
    bad = texts[~_fits(texts, level)]
    if bad.empty:
        return []
    cases = ", ".join(f"« {code} »" for code in bad.unique()[:SHOWN])
    more = ", ..." * (bad.nunique() > SHOWN)
    zero = "rétablir un zéro initial perdu (repair_codes), ou corriger le niveau"
    remedy = "écrire « R32 » (« 32 » est un département)" if level == "region" else zero
    problem = f"{counted(bad.nunique(), 'code')} d'une autre forme que {level} : {cases}{more}"
    return [Fault("code", problem, remedy, bad.to_frame("code"))]


def _as_texts(codes: Iterable[str]) -> pd.Series[str]:
    """Number codes from 0; those that are a column of texts are not taken one by one."""
    if isinstance(codes, pd.Series) and codes.dtype == "str":
        return codes.reset_index(drop=True)
    return pd.Series(list(codes), dtype="object").astype("str")


def _fits(texts: pd.Series[str], level: str) -> pd.Series[bool]:
    if level == "union":
        return texts.str.strip() != ""
    good = matched(texts, _FORMS[level])
    if level != "epci":
        return good
    return good & texts.isin([code for code in texts[good].unique() if _siren(code)])


def are_codes(names: pd.Index | pd.Series[str]) -> bool:
    """Tell whether all names are of the form of the codes of some level."""
    cells = pa.array(names, type=pa.large_string(), from_pandas=True)
    form = "|".join(_FORMS.values())
    return bool(pc.all(pc.match_substring_regex(cells, f"^(?:{form})$"), skip_nulls=False).as_py())


def matched(texts: pd.Series[str], form: str) -> pd.Series[bool]:
    """Tell the texts that are wholly of a form, that Arrow's expressions can write.

    Parameters
    ----------
    texts : Series of str
        Texts; a missing one is of no form.
    form : str
        Regular expression.

    Returns
    -------
    Series of bool
        On the index of the texts.
    """
    cells = pa.array(texts, type=pa.large_string(), from_pandas=True)
    found = pc.fill_null(pc.match_substring_regex(cells, f"^(?:{form})$"), False)
    return pd.Series(np.array(found, dtype=bool), index=texts.index)


@dataclass(frozen=True)
class Mended:
    """Codes put right where that is certain.

    Attributes
    ----------
    codes : Series
        The codes, as text.
    gestes : mapping of str to int
        What was done, in words, and to how many codes.
    faux : Series of bool
        Codes that are still of another form than their level.
    """

    codes: pd.Series[str]
    gestes: Mapping[str, int]
    faux: pd.Series[bool]


def mend_codes(codes: pd.Series[str], level: str) -> Mended:
    """Put right what typing, spreadsheets and exports do to codes, where it is certain.

    Parameters
    ----------
    codes : Series
        Codes as text.
    level : str
        The level they are known to be of; the names of an ``"union"`` are left as they are.

    Returns
    -------
    Mended
        A code is changed only when what comes out is of the form of the level: a lost zero, a small
        letter, an apostrophe, quotes or ``="..."`` around it, a mark of order of bytes, spaces
        between its digits, its label or ``",0"`` after it, a letter O for a zero. A region written
        with digits becomes ``"R32"``, uncounted.
    """
    if level == "union":
        none = pd.Series(data=False, index=codes.index)
        return Mended(codes, {}, none)
    codes = _prefixed(codes, level)
    wrong = ~_fits(codes, level)
    if not wrong.any():
        return Mended(codes, {}, wrong)
    before = codes[wrong]
    after, steps = before, {}
    for words, change in _MENDS:
        changed = change(after, level)
        steps[words] = changed != after
        after = changed
    after = _prefixed(after, level)
    good = _fits(after, level)
    gestes = {words: int((changed & good).sum()) for words, changed in steps.items()}
    mended = codes.copy()
    mended[after.index[good]] = after[good]
    faux = wrong.copy()
    faux[after.index[good]] = False
    return Mended(mended, {words: number for words, number in gestes.items() if number}, faux)


def _prefixed(codes: pd.Series[str], level: str) -> pd.Series[str]:
    if level != "region":
        return codes
    return ("R" + codes.str.zfill(2)).where(codes.str.fullmatch(r"\d{1,2}"), codes)


def _without_marks(codes: pd.Series[str], level: str) -> pd.Series[str]:
    return codes.str.strip("\ufeff\u200b\u00a0 \"'\u2019=")


def _without_spaces(codes: pd.Series[str], level: str) -> pd.Series[str]:
    digits = codes.str.fullmatch(r"\d[\d\s]+\d")
    return codes.str.replace(r"\s", "", regex=True).where(digits, codes)


def _without_label(codes: pd.Series[str], level: str) -> pd.Series[str]:
    return codes.str.replace(r"^(\S+?)\s*(?:[-\u2013\u2014:,]\s*|\s)[^\W\d].*$", r"\1", regex=True)


def bare_codes(codes: pd.Series[str]) -> pd.Series[str]:
    """Take off codes what is certainly not theirs, whatever their level.

    Parameters
    ----------
    codes : Series
        Codes as text.

    Returns
    -------
    Series
        Without marks around them, label after them, spaces within, decimals (``"59172,0"``).
    """
    dressed = ~matched(codes, "[0-9A-Za-z]*")
    if dressed.any():
        bare = codes[dressed]
        for change in (_without_marks, _without_label, _without_spaces, _without_decimals):
            bare = change(bare, "")
        codes = codes.copy()
        codes[dressed] = bare
    return codes.str.upper()


def damaged_codes(names: Iterable[str]) -> dict[str, str]:
    """Find the names that are codes which typing or a spreadsheet changed.

    Parameters
    ----------
    names : iterable of str
        Names of territories, of any level.

    Returns
    -------
    dict of str to str
        For each damaged one, the code that it must be; ``""`` for a power of ten (``2,00042E+08``),
        whose last digits are lost. Short codes are left: ``O1`` may be the name of a zone.
    """
    found = {}
    for name in _perhaps_damaged(names):
        if not re.search(r"\d", name):
            continue
        if re.fullmatch(r"\d(?:[.,]\d+)?E\+?\d+", name, re.IGNORECASE):
            found[name] = ""
            continue
        bare = name.strip("\ufeff\u200b\u00a0 \"'\u2019=").upper()
        bare = re.sub(r"\s", "", bare) if re.fullmatch(r"\d[\d\s]+\d", bare) else bare
        code = bare if level_of(bare) != "union" else bare.replace("O", "0")
        if code != name and len(code) >= 5 and level_of(code) != "union":
            found[name] = code
    return found


_BLANKS = r"[\s\x{0b}\x{1c}-\x{1f}\x{85}\p{Z}]"
_OTHER_DIGITS = r"[^\P{Nd}0-9]"
_AROUND = r"\x{feff}\x{200b}\"'\x{2019}="
_BEGINNING = rf"^[{_BLANKS[1:-1]}{_AROUND}]*[0-9QqRrMmOo]|{_OTHER_DIGITS}"


def _perhaps_damaged(names: Iterable[str]) -> list[str]:
    """Keep the names that come near a code, or a power of ten: unions may be thousands."""
    texts = names if isinstance(names, pd.api.extensions.ExtensionArray) else [*names]
    cells = pa.array(texts, type=pa.large_string())
    cells = cells.filter(pc.match_substring_regex(cells, _BEGINNING))
    bare = pc.utf8_upper(pc.utf8_trim(cells, "\ufeff\u200b\u00a0 \"'\u2019="))
    bare = pc.replace_substring_regex(bare, _BLANKS, "")
    form = "|".join([*_FORMS.values(), r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+"])
    near = pc.match_substring_regex(cells, _OTHER_DIGITS)
    for one in (bare, pc.replace_substring(bare, "O", "0")):
        near = pc.or_(near, pc.match_substring_regex(one, f"^(?:{form})$"))
    kept: list[str] = cells.filter(near).to_pylist()
    return kept


def _without_decimals(codes: pd.Series[str], level: str) -> pd.Series[str]:
    return codes.str.replace(r"^(\d+)[.,]0*$", r"\1", regex=True)


_MENDS: tuple[tuple[str, Callable[[pd.Series, str], pd.Series[str]]], ...] = (
    ("guillemet, apostrophe ou marque ôtés", _without_marks),
    ("libellé ôté", _without_label),
    ("espaces ôtées", _without_spaces),
    ("décimale ôtée", _without_decimals),
    ("majuscule rétablie", lambda codes, level: codes.str.upper()),
    ("lettre O lue comme un zéro", lambda codes, level: codes.str.replace("O", "0")),
    ("zéro initial rétabli", lambda codes, level: repair_codes(codes, level)[0]),
)


def repair_codes(codes: pd.Series, level: str) -> tuple[pd.Series[str], int]:
    """Give codes back the leading zero that reading them as numbers has lost.

    Parameters
    ----------
    codes : Series
        Codes, as text or numbers (``1001``, ``"1001"``, ``"1001.0"``).
    level : str
        Their level. Only communes, IRIS and departments may start with a zero.

    Returns
    -------
    tuple of Series and int
        The codes as text, and how many were repaired: those one digit short. Others, and codes with
        letters, are left as they are.
    """
    texts = codes.astype("str")
    whole = texts.str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    size = _DIGITS.get(level, 0)
    short = whole.str.fullmatch(rf"[1-9]\d{{{size - 2}}}") if size else whole.isna()
    repaired = whole.mask(short.fillna(False).astype(bool), "0" + whole)
    return repaired, int((repaired != texts)[codes.notna()].sum())


def _siren(code: str) -> bool:
    """Luhn's check of a number written with nine digits; nothing else passes."""
    if not re.fullmatch(r"\d{9}", code):
        return False
    digits = [int(digit) * (1 + place % 2) for place, digit in enumerate(code)]
    return sum(digit // 10 + digit % 10 for digit in digits) % 10 == 0
