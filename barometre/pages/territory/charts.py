"""The charts of a page: those of `barometre.plots`, signed, as SVG with their text equivalents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from barometre.base.french import Lang
from barometre.pages.territory.facts.evidence import Evidence, zones_of
from barometre.pages.territory.facts.lines import Line
from barometre.plots import Signed, describe, ranked_bars, to_svg, two_dates

_MANY = 60  # zones beyond which only the nearest to the territory are drawn


@dataclass(frozen=True)
class Chart:
    """A chart to put in a page.

    Attributes
    ----------
    svg : str
        ``<svg>`` with its title and its description.
    text : str
        What it shows, in words.
    """

    svg: str
    text: str


def draw_line(
    evidence: Evidence, line: Line, key: str, signed: Mapping[str, str], lang: Lang = "fr"
) -> Chart:
    """Draw an indicator of the zones of a territory at its last year.

    Parameters
    ----------
    evidence : Evidence
        Results, names and verdicts.
    line : Line
        The indicator and the territory.
    key : str
        Name of the chart in the page.
    signed : mapping of str to str
        ``licence`` and ``note`` of the chart.
    lang : {"fr", "en"}, default "fr"
        Language.
    """
    codes, references = _drawn(evidence, line)
    return chart_of(
        ranked_bars(
            _rows(evidence, line, [*codes, *references], [line.year]),
            line.card.id,
            references=references,
            territories=codes,
            highlight=line.place.code,
            verdicts=_verdicts(evidence, line),
            year=line.year,
            **_signature(evidence, signed, lang),
        ),
        key,
    )


def draw_dates(
    evidence: Evidence, line: Line, key: str, signed: Mapping[str, str], lang: Lang = "fr"
) -> Chart | None:
    """Draw an indicator at two dates, where most zones have both.

    Returns
    -------
    Chart or None
        None without a second date for half of the zones.
    """
    if line.change is None:
        return None
    start, end = int(line.change["annee_debut"]), int(line.change["annee_fin"])
    codes, references = _drawn(evidence, line)
    both = [
        code
        for code in codes
        if all(evidence.value(code, line.card.id, year) is not None for year in (start, end))
    ]
    if not both or 2 * len(both) < len(codes):
        return None
    rows = _rows(evidence, line, [*codes, *references], [start, end])
    return chart_of(
        two_dates(
            rows, line.card.id, start=start, end=end, territories=codes, references=references,
            **_signature(evidence, signed, lang),
        ),
        key,
    )  # fmt: skip


def _drawn(evidence: Evidence, line: Line) -> tuple[list[str], list[str]]:
    """List the zones and the references of a chart: those that have a row that year."""
    own, name = line.place.code, line.card.id
    codes = [
        code
        for code in zones_of(evidence, own)
        if line.year in evidence.cells.get((code, name), {})
    ]
    if len(codes) > _MANY:
        codes = _nearest(evidence, line, codes)
    references = [] if line.is_count else [r.place.code for r in line.references if r.known]
    if not codes:
        codes = [own]
    elif own not in codes and not line.is_count:
        references = [own, *references]
    return codes, references


def _nearest(evidence: Evidence, line: Line, codes: list[str]) -> list[str]:
    """Keep the zones whose value is nearest to that of the territory, itself included."""

    def far(code: str) -> tuple[float, str]:
        value = evidence.value(code, line.card.id, line.year)
        return (math.inf if value is None else abs(value - line.value), code)

    return sorted(codes, key=far)[:_MANY]


def _rows(evidence: Evidence, line: Line, codes: list[str], years: list[int]) -> pd.DataFrame:
    shown = evidence.results
    kept = (shown["indicateur"] == line.card.id) & shown["annee"].isin(years)
    return shown[kept & shown["code"].isin(codes)]


def _verdicts(evidence: Evidence, line: Line) -> pd.DataFrame | None:
    """Give the verdicts of the zones that were judged, as `judge` returns them."""
    if line.is_count or line.first is None:
        return None
    found = [
        row
        for code in zones_of(evidence, line.place.code)
        for row in evidence.verdicts.get((code, line.card.id), {}).values()
    ]
    return pd.DataFrame(found) if found else None


def _signature(evidence: Evidence, signed: Mapping[str, str], lang: Lang) -> Signed:
    return Signed(
        licence=signed.get("licence"),
        note=signed.get("note"),
        labels=pd.Series({code: place.short for code, place in evidence.places.items()}),
        lang=lang,
    )


def chart_of(ax: Axes, key: str) -> Chart:
    """Make a chart of a page: its SVG and its text equivalent."""
    text = describe(ax)
    return Chart(to_svg(ax, name=key), text)
