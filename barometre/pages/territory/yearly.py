"""The page of the yearly review of the contract, for its steering committee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from barometre.base.french import Lang
from barometre.datasets.places.members import Members
from barometre.pages.territory.facts.followed import (
    Followed,
    Review,
    agenda_grid,
    followed_of,
    target_details,
)
from barometre.pages.territory.facts.grids import Grid
from barometre.pages.territory.language.words import in_words
from barometre.pages.territory.page import Frame, template, typeset
from barometre.pages.territory.perspectives import Box
from barometre.pages.workbook.places import folded

WHOLE = ""
"""No territory: the review is that of the whole contract."""


@dataclass(frozen=True)
class Yearly:
    """The content of the review.

    Attributes
    ----------
    year : int
        Year reviewed.
    orientations : tuple of str
        The orientations that targets and actions name.
    followed : Followed
        Targets counted, actions, money, commitments, abatement.
    targets, unseen : Grid or None
        The targets that were observed, and those that were not.
    agenda : Grid
        Meetings of the next year.
    """

    year: int
    orientations: tuple[str, ...]
    followed: Followed
    targets: Grid | None = field(repr=False)
    unseen: Grid | None = field(repr=False)
    agenda: Grid = field(repr=False)


def yearly_of(review: Review, known: Members, lang: Lang = "fr") -> Yearly:
    """Gather the review of the whole contract.

    Parameters
    ----------
    review : Review
        The contract at a year.
    known : Members
        Who is in what.
    lang : {"fr", "en"}, default "fr"
        Language.
    """
    named = [
        in_words(name)
        for table in ("objectifs", "actions")
        if table in review.records
        for name in review.records[table]["orientation"].dropna()
    ]
    return Yearly(
        review.year,
        tuple(sorted(set(named), key=folded)),
        followed_of(review, WHOLE, known, lang),
        target_details(review, lang),
        target_details(review, lang, seen=False),
        agenda_grid(review, lang),
    )


def render_yearly(yearly: Yearly, frame: Frame, boxes: Sequence[Box], lang: Lang = "fr") -> str:
    """Write the page of the review."""
    text = template("revue.html.j2").render(
        y=yearly,
        f=frame,
        boxes=boxes,
        lang=lang,
        t=lambda french, english: french if lang == "fr" else english,
    )
    return typeset(text, lang)
