"""A page on people as HTML: of a cohort, or of what to prepare before one."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from barometre.base.version import __version__
from barometre.pages.people.content import Section
from barometre.pages.territory.page import template, typeset


def render_people(
    title: str, sections: Sequence[Section], *, notice: str = "", synthetic: bool = False
) -> str:
    """Write a page.

    Parameters
    ----------
    title, notice : str
        Title, and what the reader is told first.
    sections : sequence of Section
        What it says, in order.
    synthetic : bool, default False
        Whether people were made up: the page says so first.

    Returns
    -------
    str
        HTML, everything escaped but the charts.
    """
    text = template("personnes.html.j2").render(
        title=title,
        notice=notice,
        synthetic=synthetic,
        sections=[(part, [(Markup(c.svg), c.text) for c in part.charts]) for part in sections],
        lang="fr",
        version=__version__,
        t=lambda french, _english: french,
    )
    return typeset(text, "fr")
