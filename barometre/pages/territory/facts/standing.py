"""The spine of an indicator: where a territory stands among its peers, unfavourable on the left."""

from __future__ import annotations

from dataclasses import dataclass

from barometre.pages.territory.facts.lines import SENSED, Line

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
