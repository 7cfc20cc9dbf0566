"""The words of a card as people read them: its values, its unit."""

from __future__ import annotations

from barometre.base.french import Lang, format_number
from barometre.cards.schema import UNITS, Card


def format_value(value: float, card: Card, lang: Lang = "fr") -> str:
    """Write a value of an indicator with the decimals of its card, signed when it is a gap."""
    return format_number(value, card.decimales, lang, signed=card.nature == "ecart")


def unit_label(card: Card, lang: Lang = "fr") -> str:
    """Return the unit of an indicator in words."""
    return UNITS[card.unite][0 if lang == "fr" else 1]
