"""The sentences of the text equivalents: extremes, references, what is absent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from barometre.base.french import Lang, absent_label, quality_mark
from barometre.cards.labels import format_value, unit_label
from barometre.cards.schema import Card


def measured(value: float, card: Card, lang: Lang, quality: object = None) -> str:
    """Write a value with its unit, where the unit is short: ``34,1 %``, ``18 550 €``."""
    text = format_value(value, card, lang)
    if np.isnan(value):
        return text
    if card.unite == "pourcent":
        text += "\u202f%" if lang == "fr" else "%"
    elif card.unite == "euros_par_an":
        text = f"{text}\u202f€" if lang == "fr" else f"€{text}"
    return text + quality_mark(quality)


def topic(card: Card, years: Sequence[int], lang: Lang) -> str:
    """Say what is drawn: label, unit and years."""
    when = " – ".join(str(y) for y in sorted({min(years), max(years)})) if years else ""
    return f"{card.libelle[lang]} ({unit_label(card, lang)}), {when}".rstrip(", ")


_BARE = ("rapport", "indice", "nombre", "pour_100", "pour_10000")


def unit_line(card: Card, lang: Lang) -> str:
    """Write the unit as a line of its own: ``En %``, ``Indice``."""
    unit = unit_label(card, lang)
    if card.unite in _BARE:
        return unit[:1].upper() + unit[1:]
    return f"En {unit}" if lang == "fr" else f"In {unit}"


def counted(number: int, lang: Lang, one: str = "", many: str = "") -> str:
    """Write how many territories there are."""
    words = (one or "territoire", many or "territoires") if lang == "fr" else ("area", "areas")
    return f"{number} {words[0] if number < 2 else words[1]}"


def extremes(
    names: Sequence[str], values: Sequence[float], say: Callable[[float], str], lang: Lang
) -> str:
    """Say how many territories have a value, the highest, the lowest and the median."""
    array = np.asarray(values, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(array))
    if not len(known):
        return "Aucune valeur." if lang == "fr" else "No value."
    if len(known) == 1:
        return (
            f"{names[known[0]]} : {say(array[known[0]])}."
            if lang == "fr"
            else (f"{names[known[0]]}: {say(array[known[0]])}.")
        )
    top, low = known[array[known].argmax()], known[array[known].argmin()]
    middle = say(float(np.median(array[known])))
    if lang == "fr":
        return (
            f"{counted(len(known), lang)} : de {say(array[low])} ({names[low]}) à"
            f" {say(array[top])} ({names[top]}), médiane {middle}."
        )
    return (
        f"{counted(len(known), lang)}: from {say(array[low])} ({names[low]}) to"
        f" {say(array[top])} ({names[top]}), median {middle}."
    )


def references(
    names: Sequence[str], values: Sequence[float], say: Callable[[float], str], lang: Lang
) -> str:
    """Say the values of the references."""
    said = [
        f"{name} {say(value)}"
        for name, value in zip(names, values, strict=True)
        if np.isfinite(value)
    ]
    if not said:
        return ""
    return f"Repères : {', '.join(said)}." if lang == "fr" else f"References: {', '.join(said)}."


def absent(statuses: Sequence[str], lang: Lang) -> str:
    """Say how many values are absent, by reason."""
    counts = Counter(status for status in statuses if status != "ok")
    if not counts:
        return ""
    plural = "s" if lang == "fr" else ""
    labels = {status: absent_label(status, lang) for status in counts}
    said = ", ".join(
        f"{n} {labels[status]}{plural * (n > 1 and labels[status].isalpha())}"
        for status, n in counts.items()
    )
    said = said.removesuffix(".")  # of « n.d. »
    return f"Sans valeur : {said}." if lang == "fr" else f"Without a value: {said}."
