"""Numbers and words as people read them in messages, tables, charts and reports."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Literal

from barometre.base.rounding import round_half_up

Lang = Literal["fr", "en"]

ABSENT = MappingProxyType(
    {
        "secret": ("secret", "secret"),
        "non_disponible": ("n.d.", "n.a."),
        "non_defini": ("non défini", "undefined"),
        "sans_objet": ("s.o.", "n/a"),
    }
)
"""What is printed for an absent value, by status and language."""

DOUBT_MARK = " (?)"
"""What follows a doubtful value."""

LOOSE_MARK = " (C)"
"""What follows a value of grade C: too imprecise to be ranked."""


def quality_mark(quality: object) -> str:
    """Return what follows a value of some quality in charts and printed tables.

    Examples
    --------
    >>> quality_mark("douteux"), quality_mark("C"), quality_mark("A"), quality_mark(None)
    (' (?)', ' (C)', '', '')
    """
    return {"douteux": DOUBT_MARK, "C": LOOSE_MARK}.get(str(quality), "")


_DIGITS = 10  # significant digits of a number written in full: more are rounding
_LARGE, _SMALL = 1e15, 1e-4  # beyond which a power of ten is written
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(
    value: float, decimals: int | None = None, lang: Lang = "fr", *, signed: bool = False
) -> str:
    """Write a number in the typography of a language.

    Parameters
    ----------
    value : float
        A number; ``n.d.`` when it is missing.
    decimals : int, optional
        Decimals to print, rounded half up; by default those that matter, up to ten digits.
    lang : {"fr", "en"}
        Decimal comma and narrow no-break spaces, or point and commas.
    signed : bool, default False
        Write the sign of positive numbers: evolutions and gaps.

    Returns
    -------
    str
        With a minus sign (U+2212), never before what is written as zero.

    Examples
    --------
    >>> format_number(46.5, 0), format_number(-2.85, 1), format_number(22.4, 1, signed=True)
    ('47', '−2,9', '+22,4')
    >>> format_number(3.04), format_number(-0.0), format_number(0.1 + 0.2), format_number(1e-12)
    ('3,04', '0', '0,3', '1 × 10⁻¹²')
    """
    value = float(value)
    if math.isnan(value):
        return absent_label("non_disponible", lang)
    number = value if decimals is None else round_half_up(value, decimals)
    size = abs(number)
    if math.isinf(size):
        text = "∞"
    elif decimals is not None:
        text = f"{size:,.{decimals}f}"
    else:
        text = _in_full(size)
    if lang == "fr":
        text = text.replace(",", "\u202f").replace(".", ",")
    sign = "−" if number < 0 else "+" if signed and number > 0 else ""
    return sign + text


def _in_full(size: float) -> str:
    """Write the digits of a positive number, those that rounding makes left out."""
    if size == 0:
        return "0"
    digits, power = f"{size:.{_DIGITS - 1}e}".split("e")
    if not _SMALL <= size < _LARGE:
        return f"{digits.rstrip('0').rstrip('.')} × 10{str(int(power)).translate(_RAISED)}"
    decimals = max(_DIGITS - 1 - int(power), 0)
    text = f"{size:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def absent_label(status: str, lang: Lang = "fr") -> str:
    """Return what is printed instead of a value, by status."""
    return ABSENT[status][0 if lang == "fr" else 1]
