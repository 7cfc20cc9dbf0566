"""Codes of territories: the form of a code tells its level."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

import numpy as np
import pandas as pd

from barometre.base.errors import Fault, UnknownNameError, counted
from barometre.cards.schema import Level

LEVELS = (*get_args(Level), "union")

_COMMUNE = r"(?:0[1-9]|[1-8]\d|9[0-8]|2[AB])\d{3}"
_FORMS: dict[str, str] = {
    "commune": _COMMUNE,
    "departement": r"0[1-9]|1\d|2[1-9AB]|[3-8]\d|9[0-5]|97[1-8]",
    "region": r"R\d{2}",
    "qpv": r"QP(?:\d{6}|02[AB]\d{3}|2[AB]\d{4})|QN[0-9A-Z]{5}[A-Z]",
    "france_metropolitaine": "METRO",
    "epci": r"2\d{8}",
    "iris": "(?!20)" + _COMMUNE + r"\d{4}",
}
_DIGITS: dict[str, int] = {"commune": 5, "iris": 9, "departement": 2}
SHOWN = 5


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
    if re.fullmatch(r"2[04]\d{7}", code) and _siren(pd.Series([code])).all():
        return "epci"
    forms = ((level, form) for level, form in _FORMS.items() if level != "epci")
    return next((level for level, form in forms if re.fullmatch(form, code)), "union")


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
    texts = pd.Series(list(codes), dtype="object").astype("str").fillna("")
    good = texts.str.strip() != "" if level == "union" else texts.str.fullmatch(_FORMS[level])
    if level == "epci":
        good &= _siren(texts.where(good, "0"))
    bad = texts[~good]
    if bad.empty:
        return []
    cases = ", ".join(f"« {code} »" for code in bad.unique()[:SHOWN])
    more = ", ..." * (bad.nunique() > SHOWN)
    zero = "rétablir un zéro initial perdu (repair_codes), ou corriger le niveau"
    remedy = "écrire « R32 » (« 32 » est un département)" if level == "region" else zero
    problem = f"{counted(bad.nunique(), 'code')} d'une autre forme que {level} : {cases}{more}"
    return [Fault("code", problem, remedy, bad.to_frame("code"))]


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


def _siren(codes: pd.Series[str]) -> pd.Series[bool]:
    """Luhn's check of numbers written with nine digits; nothing else passes."""
    nine = codes.str.fullmatch(r"\d{9}")
    written = [list(code) for code in codes.where(nine, "000000001")]
    digits = np.array(written, dtype=np.int64).reshape(-1, 9)
    digits[:, 1::2] *= 2
    return pd.Series((digits // 10 + digits % 10).sum(axis=1) % 10 == 0, index=codes.index)
