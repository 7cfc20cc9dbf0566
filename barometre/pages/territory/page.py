"""A page as HTML: one file, its style and its charts inside, everything from data escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from barometre.base.french import Lang
from barometre.pages.territory.brief import counts_sentence
from barometre.pages.territory.charts import Chart
from barometre.pages.territory.content import Content
from barometre.pages.territory.language.initials import initials_of
from barometre.pages.territory.language.typography import spaced
from barometre.pages.territory.language.words import signs
from barometre.pages.territory.perspectives import Box

INITIALS_HERE = "<!-- sigles -->"
_TEMPLATES = Path(__file__).parents[1] / "templates"
_TAGS = re.compile(r"(<style[^>]*>.*?</style>|<[^>]*>)", re.DOTALL)
# A name may hold a mark that turns what follows it, or a character that no page may.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_HYPHEN = re.compile(r"(?<=[\s(:;\[])-(?=\d)")  # of a negative number, in the texts of cards
_SPOKEN = re.compile(r'(?<=\s)(alt|aria-label|title)="([^"]*)"')
_NOT_IN_FILES = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Frame:
    """What stands around the content of a page.

    Attributes
    ----------
    edition, date, state, validated_by : str
        Name and date of the edition, where its sign-off stands.
    licence : str
        Licence line of the charts.
    version, digest : str
        Version of the library; sha256 of the results.
    inputs : mapping of str to str
        sha256 of the sources by name.
    revisions : tuple of str
        What changed since the last edition, in sentences; ``compared`` names it.
    compared : str
    workbook, index : str
        Names of the files beside the page.
    extra : str
        What the reader is told first (a demonstration, made-up figures).
    cohorts : mapping of str to str
        What each cohort finds, by the address of its page.
    """

    edition: str
    date: str
    state: str
    validated_by: str
    licence: str
    version: str
    digest: str
    inputs: Mapping[str, str]
    revisions: tuple[str, ...]
    compared: str
    workbook: str
    index: str
    extra: str = ""
    cohorts: Mapping[str, str] = field(default_factory=dict)

    def standing(self, lang: Lang) -> str:
        """Say whether the page is a draft, or who validated it."""
        if not self.validated_by:
            return "Projet, non validé." if lang == "fr" else "Draft, not validated."
        start = "Validé par" if lang == "fr" else "Validated by"
        return f"{start} {self.validated_by}."


def file_name(code: str) -> str:
    """Name the page of a territory after its code, whatever it holds.

    Examples
    --------
    >>> file_name("QP059050"), file_name("a/../<b>")
    ('QP059050.html', 'a_.._b_.html')
    """
    return f"{_NOT_IN_FILES.sub('_', code).lstrip('.') or '_'}.html"


@lru_cache
def template(name: str) -> Template:
    """Load a template, everything escaped and nothing undefined."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def render(
    content: Content, frame: Frame, charts: Mapping[str, Sequence[Chart]], boxes: Sequence[Box]
) -> str:
    """Write a page.

    Parameters
    ----------
    content : Content
        The page, section by section.
    frame : Frame
        What stands around it.
    charts : mapping of str to sequence of Chart
        Charts by key of question.
    boxes : sequence of Box
        What people wrote.

    Returns
    -------
    str
        HTML; the same arguments give the same bytes.
    """
    text = template("territoire.html.j2").render(
        c=content,
        f=frame,
        boxes=boxes,
        charts={
            key: [(Markup(chart.svg), chart.text) for chart in drawn]
            for key, drawn in charts.items()
        },
        counts=counts_sentence(content.counts, content.lang),
        key=signs(content.lang),
        lang=content.lang,
        t=_chooser(content.lang),
    )
    return typeset(text, content.lang)


def _chooser(lang: Lang) -> object:
    def choose(french: str, english: str) -> str:
        return french if lang == "fr" else english

    return choose


def _with_initials(page: str, lang: Lang) -> str:
    """Put where the template asks for them the initials that the page uses, in full."""
    if INITIALS_HERE not in page:
        return page
    found = initials_of(page, lang)
    listed = template("sigles.html.j2").render(initials=found, t=_chooser(lang)) if found else ""
    return page.replace(INITIALS_HERE, listed)


def typeset(page: str, lang: Lang) -> str:
    """Put the initials in full where they are asked for, and French spaces and apostrophes.

    Parameters
    ----------
    page : str
        HTML.
    lang : {"fr", "en"}
        English is left as it is.
    """
    page = _with_initials(_UNSEEN.sub("", page), lang)
    if lang == "en":
        return page
    parts = _TAGS.split(page)
    for place, part in enumerate(parts):
        if place % 2 == 0:
            plain = part.replace("&#x27;", "'")  # as the charts escape it
            parts[place] = spaced(_HYPHEN.sub("−", plain))
        else:
            parts[place] = _SPOKEN.sub(lambda m: f'{m[1]}="{spaced(m[2])}"', part)
    return "".join(parts)
