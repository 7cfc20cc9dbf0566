"""The spine of an indicator: where a territory stands among its peers, unfavourable on the left."""

from __future__ import annotations

from dataclasses import dataclass

from barometre.base.french import Lang
from barometre.pages.territory.facts.lines import SENSED, Line
from barometre.pages.territory.language.grammar import number_with_unit

_INNER = 92.0  # width used, of 100: marks at the ends are not cut
_REVERSED = ("hausse_defavorable",)
_ORIENTED = ("hausse_favorable", "hausse_defavorable")


@dataclass(frozen=True)
class Spine:
    """Positions from 0 to 100, unfavourable on the left where the indicator has a direction.

    Attributes
    ----------
    p5, q1, median, q3, p95 : float
        Marks of the peers, in the order in which they are drawn.
    dot : float
        The territory.
    diamond : float or None
        The reference of the verdict.
    oriented : bool
        Whether left is unfavourable.
    colour : str
        ``unfavourable``, ``favourable`` or ``ink``.
    filled : bool
        Whether the gap was judged.
    """

    p5: float
    q1: float
    median: float
    q3: float
    p95: float
    dot: float
    diamond: float | None
    oriented: bool
    colour: str
    filled: bool


def spine_of(line: Line) -> Spine | None:
    """Place a territory, its reference and its peers on one scale.

    Parameters
    ----------
    line : Line
        An indicator of a territory.

    Returns
    -------
    Spine or None
        None without a value, without peers, or for a count, which follows size. Ends are the
        extremes of the peers and of the reference, so that every mark is in.
    """
    spread = line.spread
    if spread is None or not line.known or line.is_count:
        return None
    reference = line.first.value if line.first is not None and line.first.known else None
    ends = [spread.low, spread.high, *([] if reference is None else [reference])]
    low, high = min(ends), max(ends)
    flipped = line.card.sens in _REVERSED

    def at(value: float) -> float:
        share = 0.5 if high == low else (value - low) / (high - low)
        share = 1 - share if flipped else share
        return round((100 - _INNER) / 2 + _INNER * share, 2)

    marks = [at(mark) for mark in spread.marks]
    p5, q1, median, q3, p95 = marks[::-1] if flipped else marks
    verdict = line.verdict_name
    colour = {"defavorable": "unfavourable", "favorable": "favourable"}.get(verdict, "ink")
    return Spine(
        p5, q1, median, q3, p95,
        at(line.value),
        None if reference is None else at(reference),
        line.card.sens in _ORIENTED,
        colour if verdict in SENSED else "ink",
        verdict != "non_juge",
    )  # fmt: skip


def position_words(line: Line, lang: Lang = "fr") -> str:
    """Say what a spine shows: the five marks of the peers, the territory and its reference.

    Parameters
    ----------
    line : Line
        An indicator of a territory.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    str
        Empty where there is no spine.
    """
    spread = line.spread
    if spread is None or spine_of(line) is None:
        return ""

    def told(value: float) -> str:
        return number_with_unit(value, line.card, lang)

    _, first, median, third, _ = spread.marks
    marks = [told(mark) for mark in (spread.low, first, median, third, spread.high, line.value)]
    reference = line.first if line.first is not None and line.first.known else None
    if lang == "fr":
        text = (
            f"{spread.number} territoires : minimum {marks[0]}, premier quartile {marks[1]},"
            f" médiane {marks[2]}, troisième quartile {marks[3]}, maximum {marks[4]} ; ce"
            f" territoire {marks[5]}"
        )
        return text if reference is None else f"{text} ; référence {told(reference.value)}"
    text = (
        f"{spread.number} territories: minimum {marks[0]}, first quartile {marks[1]}, median"
        f" {marks[2]}, third quartile {marks[3]}, maximum {marks[4]}; this territory {marks[5]}"
    )
    return text if reference is None else f"{text}; reference {told(reference.value)}"
