"""The index of a report: a line a territory, what is established of it, where its page is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from barometre.base.french import Lang
from barometre.pages.territory.brief import Counts
from barometre.pages.territory.content import Content
from barometre.pages.territory.facts.standing import Spine
from barometre.pages.territory.page import Frame, template, typeset

_KINDS = {
    "epci": ("Agglomérations", "Agglomerations"),
    "qpv": ("Quartiers prioritaires", "Priority neighbourhoods"),
    "commune": ("Communes", "Municipalities"),
    "autre": ("Autres territoires", "Other territories"),
}


@dataclass(frozen=True)
class Entry:
    """A line of the index."""

    code: str
    name: str
    kind: str
    page: str
    population: str
    worst: str
    unfavourable: int
    favourable: int
    counts: Counts
    spine: Spine | None = None


def entry_of(content: Content, page: str) -> Entry:
    """Sum up a page for the index.

    Parameters
    ----------
    content : Content
        The page.
    page : str
        Name of its file.
    """
    names = [row.verdict_name for _, rows in content.profile for row in rows]
    worst = content.brief.unfavourable[0].text if content.brief.unfavourable else ""
    return Entry(
        content.place.code,
        content.place.name,
        content.kind,
        page,
        content.population,
        worst,
        names.count("defavorable"),
        names.count("favorable"),
        content.counts,
    )


def render_index(
    entries: Sequence[Entry], frame: Frame, lang: Lang = "fr", *, review: str = ""
) -> str:
    """Write the index.

    Parameters
    ----------
    entries : sequence of Entry
        The pages, in order.
    frame : Frame
        What stands around.
    lang : {"fr", "en"}, default "fr"
        Language.
    review : str, optional
        Name of the page of the yearly review.
    """
    place = 0 if lang == "fr" else 1
    groups = [
        (names[place], [entry for entry in entries if entry.kind == kind])
        for kind, names in _KINDS.items()
    ]
    text = template("territoires.html.j2").render(
        groups=[(name, mine) for name, mine in groups if mine],
        f=frame,
        review=review,
        lang=lang,
        t=lambda french, english: french if lang == "fr" else english,
    )
    return typeset(text, lang)
