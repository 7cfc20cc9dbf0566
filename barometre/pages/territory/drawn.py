"""Which charts a page has, and where: by question, at most `MOST`, the plainest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from barometre.base.french import Lang
from barometre.pages.territory.charts import (
    Chart,
    Given,
    draw_dates,
    draw_groups,
    draw_index,
    draw_line,
    draw_map,
    draw_path,
)
from barometre.pages.territory.content import Content, Theme
from barometre.pages.territory.facts.evidence import Evidence
from barometre.pages.territory.facts.lines import Line
from barometre.pages.territory.language.words import Pair, pick

MOST = 25
"""Charts of a page."""

HEAVIEST = 1_100_000
"""Characters of the charts of a page, which weighs under 1,5 MB: outlines may be fine."""

INDICES, MAP = "indices", "carte"
"""Keys of the charts that no question has: the bar of the IDH-4, the map of a commune."""

GROUPS: tuple[tuple[Pair, tuple[str, ...]], ...] = (
    (
        ("RSA et AAH : part des ménages", "RSA and AAH: share of households"),
        ("taux_couverture_rsa", "taux_couverture_aah"),
    ),
    (
        ("La C2S selon l'âge", "C2S by age"),
        (
            "taux_couverture_c2s_moins_18", "taux_couverture_c2s_25_49",
            "taux_couverture_c2s_50_59",
        ),
    ),
    (
        ("Qui sont les demandeurs d'emploi ?", "Who are the job-seekers?"),
        ("part_femmes_defm", "part_plus_2_ans_defm", "part_moins_26_ans_defm"),
    ),
)  # fmt: skip
"""Indicators that are read side by side, and their title: one unit, one population cut by means or
by age."""

_Draw = Callable[[], Chart | None]


def draw_page(
    evidence: Evidence,
    content: Content,
    given: Given,
    signed: Mapping[str, str],
    lang: Lang = "fr",
) -> dict[str, tuple[Chart, ...]]:
    """Draw the charts of a page.

    Parameters
    ----------
    evidence : Evidence
        What the verbs say.
    content : Content
        The page.
    given : Given
        Outlines and index.
    signed : mapping of str to str
        ``licence`` and ``note`` of each chart.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    dict of str to tuple of Chart
        By key of question, and `INDICES` and `MAP`. When they are more than `MOST`, or heavier than
        `HEAVIEST`, those of two dates go first, then the maps, then the indicators side by side.
    """
    asked: list[tuple[int, str, _Draw]] = []
    if given.index is not None:
        asked.append((0, INDICES, lambda: draw_index(evidence, content.place, given, signed, lang)))
    alone = _mapped_alone(content, given)
    if alone is not None:
        asked.append((1, MAP, lambda: draw_map(evidence, alone, "carte", given, signed, lang)))
    for theme in content.themes:
        asked += _of_theme(evidence, content, theme, given, signed, lang)
    kept = sorted(range(len(asked)), key=lambda at: (asked[at][0], at))
    drawn: dict[int, Chart] = {}
    weight = 0
    for at in kept:
        chart = asked[at][2]() if len(drawn) < MOST and weight < HEAVIEST else None
        if chart is not None and weight + len(chart.svg) <= HEAVIEST:
            drawn[at], weight = chart, weight + len(chart.svg)
    found: dict[str, tuple[Chart, ...]] = {theme.key: () for theme in content.themes}
    for at in sorted(drawn):
        key = asked[at][1]
        found[key] = (*found.get(key, ()), drawn[at])
    return found


def _mapped_alone(content: Content, given: Given) -> Line | None:
    """Choose the indicator of the only map of a page: the worst established, else the first."""
    mapped = content.kind == "commune" or (content.kind == "qpv" and given.geometry is not None)
    lines = [theme.chart for theme in content.themes if theme.chart is not None]
    lines = [line for line in lines if not line.is_count]
    if not mapped or not lines:
        return None
    worst = [said.indicator for said in content.brief.unfavourable]
    return next((line for line in lines if line.card.id in worst), lines[0])


def _of_theme(
    evidence: Evidence,
    content: Content,
    theme: Theme,
    given: Given,
    signed: Mapping[str, str],
    lang: Lang,
) -> list[tuple[int, str, _Draw]]:
    """List the charts of a question, each with its order of precedence."""
    line, dates, key = theme.chart, theme.dates, theme.key
    asked: list[tuple[int, str, _Draw]] = []
    if line is not None:
        asked.append((0, key, lambda: draw_line(evidence, line, f"g-{key}", signed, lang)))
        if content.kind == "epci" and not line.is_count:
            asked.append(
                (2, key, lambda: draw_map(evidence, line, f"m-{key}", given, signed, lang))
            )
    for place, (title, lines) in enumerate(_grouped(theme.lines)):
        titled = {**signed, "title": pick(title, lang)}
        asked.append((1, key, _groups(evidence, lines, f"c-{key}-{place}", titled, lang)))
    if dates is not None:
        asked.append((3, key, lambda: _in_time(evidence, dates, f"d-{key}", signed, lang)))
    return asked


def _groups(
    evidence: Evidence, lines: Sequence[Line], name: str, signed: Mapping[str, str], lang: Lang
) -> _Draw:
    return lambda: draw_groups(evidence, lines, name, signed, lang)


def _in_time(
    evidence: Evidence, line: Line, key: str, signed: Mapping[str, str], lang: Lang
) -> Chart | None:
    """Draw the path of an indicator known at three dates or more, else its two dates."""
    return draw_path(evidence, line, key, signed, lang) or draw_dates(
        evidence, line, key, signed, lang
    )


def _grouped(lines: Sequence[Line]) -> list[tuple[Pair, list[Line]]]:
    """Gather the indicators of a question that are read side by side, known the same year."""
    known = {line.card.id: line for line in lines if line.known}
    found = []
    for title, names in GROUPS:
        mine = [known[name] for name in names if name in known]
        mine = [line for line in mine if line.year == mine[0].year]
        if len(mine) > 1:
            found.append((title, mine))
    return found
