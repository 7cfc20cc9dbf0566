"""The page of the yearly review of the contract, for its steering committee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from barometre.base.french import Lang
from barometre.datasets.places.members import Members
from barometre.monitoring.money import funding
from barometre.pages.territory.charts import Chart, draw_credits
from barometre.pages.territory.facts.followed import (
    Followed,
    Review,
    agenda_grid,
    followed_of,
    target_details,
)
from barometre.pages.territory.facts.grids import Grid
from barometre.pages.territory.language.words import in_words, pick
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


_STEPS = (("payé", "paid"), ("engagé", "committed"), ("prévu", "planned"))


def credits_chart(review: Review, signed: Mapping[str, str], lang: Lang = "fr") -> Chart | None:
    """Draw the money of each priority at the last step that is known: mainstream and specific.

    Parameters
    ----------
    review : Review
        The contract at a year.
    signed : mapping of str to str
        ``licence`` and ``note`` of the chart.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    Chart or None
        None without money of two natures that year.
    """
    table = review.records.get("financements")
    if table is None or not (table["annee"] == review.year).any():
        return None
    sums = funding(table, "orientation", years=[review.year])
    steps = set(sums["etape"])
    step = next((pair for pair in _STEPS if pair[0] in steps), None)
    if step is None:
        return None
    mine = sums[sums["etape"] == step[0]]
    amounts = mine.pivot_table("montant", "orientation", "credits", aggfunc="sum", observed=True)
    title = pick(
        (
            f"Crédits de {review.year} par orientation, montant {step[0]}",
            f"Money of {review.year} by priority, {step[1]}",
        ),
        lang,
    )
    source = pick(("suivi du contrat", "follow-up of the contract"), lang)
    return draw_credits(amounts, "credits", {**signed, "title": title, "source": source}, lang)


def render_yearly(
    yearly: Yearly,
    frame: Frame,
    boxes: Sequence[Box],
    lang: Lang = "fr",
    *,
    chart: Chart | None = None,
) -> str:
    """Write the page of the review."""
    text = template("revue.html.j2").render(
        y=yearly,
        chart=None if chart is None else (Markup(chart.svg), chart.text),
        f=frame,
        boxes=boxes,
        lang=lang,
        t=lambda french, english: french if lang == "fr" else english,
    )
    return typeset(text, lang)
