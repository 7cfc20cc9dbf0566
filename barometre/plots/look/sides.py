"""Colours of the two sides of a reference, and what a legend says of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from barometre.base.arrays import Floats
from barometre.base.french import Lang
from barometre.cards.schema import Card
from barometre.compare.proof.sides import favourable_gap
from barometre.plots.look.colours import FAVOURABLE, NEUTRAL, UNFAVOURABLE

WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "worse": "moins favorable que « {ref} »",
        "better": "plus favorable ou égal",
        "plain": "non coloré : {why}",
        "defavorable": "défavorable, établi",
        "favorable": "favorable, établi",
        "other": "écart non établi, ou non jugé",
    },
    "en": {
        "worse": "worse than “{ref}”",
        "better": "better or equal",
        "plain": "not coloured: {why}",
        "defavorable": "worse, established",
        "favorable": "better, established",
        "other": "difference not established, or not judged",
    },
}
_VERDICTS = {"defavorable": UNFAVOURABLE, "favorable": FAVOURABLE}


def side_scores(values: Floats, reference: float, card: Card) -> Floats:
    """Return the favourable gaps that may be coloured.

    Parameters
    ----------
    values : ndarray of float
        Values of one indicator.
    reference : float
        Value to compare with.
    card : Card
        The indicator.

    Returns
    -------
    ndarray of float
        `favourable_gap`; 0 on the favourable side of an indicator whose card has a reserve about it
        (a low interdecile ratio is no good news by itself).
    """
    gap = favourable_gap(values, reference, card)
    return np.minimum(gap, 0.0) if card.reserve_favorable else gap


def side_colours(values: Floats, reference: float, card: Card) -> list[str]:
    """Colour values by their side of a reference; grey where there is no side to tell."""
    if card.sens == "neutre" or np.isnan(reference):
        return [NEUTRAL] * len(values)
    better = NEUTRAL if card.reserve_favorable else FAVOURABLE
    gaps = favourable_gap(values, reference, card)
    return [UNFAVOURABLE if gap < 0 else better for gap in gaps]


def verdict_colours(verdicts: Iterable[object]) -> list[str]:
    """Colour verdicts of `judge`: grey for what is not established."""
    return [_VERDICTS.get(str(verdict), NEUTRAL) for verdict in verdicts]


def side_legend(
    colours: Iterable[str], card: Card, reference: str, lang: Lang, *, judged: bool
) -> list[tuple[str, str]]:
    """List the colours that are there, each with what it says."""
    words, used = WORDS[lang], set(colours)
    if judged:
        says = {UNFAVOURABLE: words["defavorable"], FAVOURABLE: words["favorable"],
                NEUTRAL: words["other"]}  # fmt: skip
    else:
        says = {UNFAVOURABLE: words["worse"].format(ref=reference), FAVOURABLE: words["better"]}
        if card.reserve_favorable:
            says[NEUTRAL] = words["plain"].format(why=card.reserve_favorable[lang])
        if not used & {UNFAVOURABLE, FAVOURABLE}:
            return []
    return [(colour, text) for colour, text in says.items() if colour in used]
