"""Classes of a map: each value in one class, each class with its colour and its number."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.french import Lang, absent_label, format_number
from barometre.base.rounding import round_half_up
from barometre.cards.labels import format_value
from barometre.cards.schema import Card
from barometre.plots.look.colours import FAVOURABLE, NEUTRAL, PALE, UNFAVOURABLE, ramp
from barometre.plots.look.sides import side_colours

Rule: TypeAlias = Literal["quantiles", "reference", "verdict"]

_NEAR = "#e6dcc8"
_LOW, _HIGH = "#cfd6de", "#5b6573"  # of an indicator without direction
_VERDICTS: dict[str, tuple[str, str, str]] = {
    "defavorable": (UNFAVOURABLE, "défavorable, établi", "worse, established"),
    "comparable": (_NEAR, "écart non établi", "difference not established"),
    "favorable": (FAVOURABLE, "favorable, établi", "better, established"),
    "plus_eleve": (_HIGH, "plus élevé, établi", "higher, established"),
    "plus_bas": (_LOW, "plus bas, établi", "lower, established"),
    "non_juge": (PALE, "non jugé", "not judged"),
}


class MapClass(NamedTuple):
    """One class: who is in it, its colour, what the legend says; hatched for an absent value."""

    codes: list[str]
    colour: str
    text: str
    absent: bool = False


def classed(
    rows: pd.DataFrame,
    card: Card,
    rule: Rule,
    *,
    number: int = 5,
    reference: tuple[str, float] = ("", np.nan),
    tolerance: float = 0.05,
    verdicts: pd.Series | None = None,
    lang: Lang = "fr",
) -> list[MapClass]:
    """Sort territories into classes.

    Parameters
    ----------
    rows : DataFrame
        Rows of one indicator and year, by code.
    card : Card
        The indicator.
    rule : {"quantiles", "reference", "verdict"}
        As many territories in each class; below, near or above the reference; the verdicts.
    number : int, default 5
        Classes of ``"quantiles"``; fewer when values are alike.
    reference : tuple of str and float
        Name and value of the reference.
    tolerance : float, default 0.05
        Relative distance under which a value is near the reference.
    verdicts : Series, optional
        Verdicts of `judge`, by code.
    lang : {"fr", "en"}
        Language of the texts.

    Returns
    -------
    list of MapClass
        Classes that have someone, from the lowest; then absent values, by reason.

    Raises
    ------
    BarometreError
        An unknown rule, or one that lacks its reference or its verdicts.
    """
    if rule not in get_args(Rule):
        raise UnknownNameError("règle de classes", str(rule), get_args(Rule))
    known = rows[rows["valeur"].notna()]
    if rule == "quantiles":
        found = _quantiles(known, card, number, lang)
    elif rule == "reference":
        if np.isnan(reference[1]) or reference[1] == 0:
            raise BarometreError("classes refusées : la référence n'a pas de valeur non nulle")
        found = _against(known, card, reference, tolerance, lang)
    elif verdicts is None:
        raise BarometreError("classes refusées : donner verdicts=, le résultat de judge")
    else:
        found = _judged(known, verdicts, lang)
    absent = [
        MapClass([str(c) for c in part.index], "white", absent_label(str(status), lang), True)
        for status, part in rows[rows["valeur"].isna()].groupby("statut", sort=True)
    ]
    return [item for item in [*found, *absent] if item.codes]


def _quantiles(known: pd.DataFrame, card: Card, number: int, lang: Lang) -> list[MapClass]:
    """Cut between values as they are printed: two that print alike are in one class."""
    printed = known["valeur"].map(lambda v: round_half_up(float(v), card.decimales))
    values = np.sort(printed.to_numpy(np.float64))
    if not len(values):
        return []
    last = [-(-len(values) * k // number) - 1 for k in range(1, number + 1)]
    cuts = np.unique(values[[i for i in last if i >= 0]])
    classes = np.searchsorted(cuts, printed.to_numpy(np.float64), side="left")
    used = np.unique(classes)
    found = []
    for colour, which in zip(ramp(len(used)), used, strict=True):
        part = printed[classes == which]
        low, high = (format_value(v, card, lang) for v in (part.min(), part.max()))
        word = "à" if lang == "fr" else "to"
        text = low if low == high else f"{low} {word} {high}"
        found.append(MapClass([str(code) for code in part.index], colour, text))
    return found


def _against(
    known: pd.DataFrame, card: Card, reference: tuple[str, float], tolerance: float, lang: Lang
) -> list[MapClass]:
    name, value = reference
    gap = (known["valeur"] - value) / abs(value)
    share = format_number(100 * tolerance, None, lang)
    fr = lang == "fr"
    texts = (
        f"plus de {share} % sous « {name} »" if fr else f"over {share}% below “{name}”",
        f"à moins de {share} % de « {name} »" if fr else f"within {share}% of “{name}”",
        f"plus de {share} % au-dessus de « {name} »" if fr else f"over {share}% above “{name}”",
    )
    parts = (gap < -tolerance, gap.abs() <= tolerance, gap > tolerance)
    ends = np.array([value - abs(value), value + abs(value)])
    low, high = side_colours(ends, value, card)
    if card.sens in ("neutre", "proche_de_zero", "proche_de_50") or low == high:
        low, high = _LOW, _HIGH
    low, high = (_LOW if c == NEUTRAL else c for c in (low, high))
    return [
        MapClass([str(code) for code in known.index[part]], colour, text)
        for part, colour, text in zip(parts, (low, _NEAR, high), texts, strict=True)
    ]


def _judged(known: pd.DataFrame, verdicts: pd.Series, lang: Lang) -> list[MapClass]:
    mine = verdicts.reindex(known.index).fillna("non_juge")
    return [
        MapClass([str(c) for c in mine.index[mine == name]], colour, fr if lang == "fr" else en)
        for name, (colour, fr, en) in _VERDICTS.items()
    ]
