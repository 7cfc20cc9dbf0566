"""The charts of a page: those of `barometre.plots`, signed, as SVG with their text equivalents."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang
from barometre.composite.french.territorial import TerritorialIndex
from barometre.pages.territory.facts.evidence import Evidence, towns_of, zones_of
from barometre.pages.territory.facts.lines import Line, drawn_zones
from barometre.pages.territory.facts.places import Place, communes_of
from barometre.pages.territory.language.words import in_words, producer
from barometre.plots import (
    MapWarning,
    Signed,
    choropleth,
    describe,
    grouped_bars,
    index_bar,
    ranked_bars,
    share_bars,
    to_svg,
    trajectory,
    two_dates,
)
from barometre.plots.maps.outlines import Geometry

_PATH = 3  # dates that make a path
_MAPPED = 5  # territories that make a map
_GROUPED = 60  # bars side by side


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


@dataclass(frozen=True)
class Given:
    """What charts are drawn from, beside the evidence.

    Attributes
    ----------
    geometry : path, GeoDataFrame or None
        Outlines of the territories; without them the communes are tiles.
    index : TerritorialIndex or None
        The IDH-4 and its dimensions.
    """

    geometry: Geometry | None = None
    index: TerritorialIndex | None = None


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
    codes, references = drawn_zones(evidence, line)
    return chart_of(
        ranked_bars(
            _rows(evidence, line, [*codes, *references], [line.year]),
            line.card.id,
            references=references,
            territories=codes,
            highlight=line.place.code,
            verdicts=_verdicts(evidence, line),
            year=line.year,
            **_signature(evidence, signed, lang, line),
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
    codes, references = drawn_zones(evidence, line)
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
            **_signature(evidence, signed, lang, line),
        ),
        key,
    )  # fmt: skip


def draw_path(
    evidence: Evidence, line: Line, key: str, signed: Mapping[str, str], lang: Lang = "fr"
) -> Chart | None:
    """Draw an indicator over the years: the territory in full ink, the others light.

    Returns
    -------
    Chart or None
        None when the territory has fewer than three dates.
    """
    own, name = line.place.code, line.card.id
    cells = evidence.cells[own, name]
    years = sorted(year for year in cells if evidence.value(own, name, year) is not None)
    if len(years) < _PATH or line.is_count:
        return None
    codes, references = drawn_zones(evidence, line)
    if own in references:
        codes, references = [own], [code for code in references if code != own]
    return chart_of(
        trajectory(
            _rows(evidence, line, [*codes, *references], years), name,
            territories=codes, references=references, highlight=own,
            **_signature(evidence, signed, lang, line),
        ),
        key,
    )  # fmt: skip


def draw_groups(
    evidence: Evidence,
    lines: Sequence[Line],
    key: str,
    signed: Mapping[str, str],
    lang: Lang = "fr",
) -> Chart | None:
    """Draw two to four indicators of one unit side by side, for the zones of a territory.

    Returns
    -------
    Chart or None
        None beyond what can be read.
    """
    first = lines[0]
    codes, references = drawn_zones(evidence, first)
    if len(codes) * len(lines) > _GROUPED:
        return None
    rows = pd.concat([_rows(evidence, line, [*codes, *references], [line.year]) for line in lines])
    return chart_of(
        grouped_bars(
            rows, [line.card.id for line in lines], territories=codes, references=references,
            year=first.year, **_signature(evidence, signed, lang, *lines),
        ),
        key,
    )  # fmt: skip


def draw_map(
    evidence: Evidence,
    line: Line,
    key: str,
    given: Given,
    signed: Mapping[str, str],
    lang: Lang = "fr",
) -> Chart | None:
    """Map an indicator: the communes of an EPCI, else the peers of the territory.

    Returns
    -------
    Chart or None
        None under five territories that have a value, or when the outlines have none of them.
    """
    own, towns = line.place.code, evidence.members.communes
    if evidence.places[own].level == "epci":
        codes = list(towns_of(evidence, own))
        if given.geometry is not None and not codes:
            codes = list(zones_of(evidence, own))
    else:
        codes = list(evidence.peers[own])
        if evidence.places[own].level == "commune":
            epci = towns["epci"].get(own)
            codes = [code for code in codes if towns["epci"].get(code) == epci]
    known = [c for c in codes if evidence.value(c, line.card.id, line.year) is not None]
    if len(known) < _MAPPED:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MapWarning)  # the map says it below itself
            ax = choropleth(
                _rows(evidence, line, codes, [line.year]), given.geometry, indicator=line.card.id,
                territories=codes, classes=min(5, len(known) // 3 + 1), year=line.year,
                **_signature(evidence, signed, lang, line),
            )  # fmt: skip
    except BarometreError:
        return None  # outlines of other territories: of communes, where neighbourhoods are asked
    return chart_of(ax, key)


def draw_index(
    evidence: Evidence,
    place: Place,
    given: Given,
    signed: Mapping[str, str],
    lang: Lang = "fr",
) -> Chart | None:
    """Draw the IDH-4 of a territory, or of the communes of a neighbourhood, and its references.

    Returns
    -------
    Chart or None
        None when the index has none of them.
    """
    index = given.index
    assert index is not None  # asked for
    known = set(index.table.index.get_level_values("code").astype(str))
    mine = [place.code] if place.level != "qpv" else list(communes_of(place.code, evidence.members))
    codes = [code for code in mine if code in known]
    references = [
        code for code in evidence.references[place.code] if code in known and code not in codes
    ]
    if not codes:
        return None
    ax = index_bar(
        index, territories=codes, references=references, **_signature(evidence, signed, lang)
    )
    return chart_of(ax, "indice")


def draw_credits(
    amounts: pd.DataFrame, key: str, signed: Mapping[str, str], lang: Lang = "fr"
) -> Chart | None:
    """Draw the money of each priority: what is mainstream, what is specific.

    Parameters
    ----------
    amounts : DataFrame
        Orientations in rows, natures of credits in columns, in euros: one step, one year.
    key : str
        Name of the chart in the page.
    signed : mapping of str to str
        ``licence`` and ``note`` of the chart, its ``title`` and ``source``.
    lang : {"fr", "en"}, default "fr"
        Language.
    """
    shown = amounts[amounts.sum(axis=1) > 0].fillna(0.0)
    if shown.empty or shown.shape[1] < 2:
        return None
    words = {str(name): in_words(name) for name in (*shown.index, *shown.columns)}
    ax = share_bars(
        shown, names={name: words[str(name)] for name in shown.columns}, counts=True,
        title=signed.get("title"), source=signed.get("source"), licence=signed.get("licence"),
        note=signed.get("note"), labels=pd.Series(words), lang=lang,
    )  # fmt: skip
    return chart_of(ax, key)


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


def _signature(evidence: Evidence, signed: Mapping[str, str], lang: Lang, *lines: Line) -> Signed:
    sources = dict.fromkeys(producer(line.card.producteur, lang) for line in lines)
    return Signed(
        title=signed.get("title"),
        # French sources are those of the cards, with their years.
        source=None if lang == "fr" or not lines else "; ".join(sources),
        licence=signed.get("licence"),
        note=signed.get("note"),
        labels=pd.Series({code: place.short for code, place in evidence.places.items()}),
        lang=lang,
    )


def chart_of(ax: Axes, key: str) -> Chart:
    """Make a chart of a page: its SVG and its text equivalent."""
    text = describe(ax)
    return Chart(to_svg(ax, name=key), text)
