"""Numbers and words as people read them in tables, charts and reports."""

from __future__ import annotations

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


def format_number(
    value: float, decimals: int = 0, lang: Lang = "fr", *, signed: bool = False
) -> str:
    """Write a number with its decimals, rounded half up, in the typography of a language.

    Parameters
    ----------
    value : float
        A known value.
    decimals : int, default 0
        Decimals to print.
    lang : {"fr", "en"}
        Decimal comma and narrow no-break spaces, or point and commas.
    signed : bool, default False
        Write the sign of positive numbers: evolutions and gaps.

    Returns
    -------
    str

    Examples
    --------
    >>> format_number(46.5), format_number(-2.85, 1), format_number(22.4, 1, signed=True)
    ('47', '−2,9', '+22,4')
    """
    rounded = round_half_up(value, decimals) + 0.0  # + 0.0: no "-0"
    text = f"{abs(rounded):,.{decimals}f}"
    if lang == "fr":
        text = text.replace(",", "\u202f").replace(".", ",")
    sign = "−" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return sign + text


def absent_label(status: str, lang: Lang = "fr") -> str:
    """Return what is printed instead of a value, by status."""
    return ABSENT[status][0 if lang == "fr" else 1]
