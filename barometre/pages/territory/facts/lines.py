"""One line an indicator: value, references, peers, verdict, change and trend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from barometre.base.french import Lang
from barometre.cards.listing import indicator_card, load_cards
from barometre.cards.schema import Card
from barometre.pages.territory.facts.evidence import Evidence, Row, last_year, towns_of, zones_of
from barometre.pages.territory.facts.places import Place
from barometre.tables.table_set import DOUBTFUL

MANY_ZONES = 50
"""Zones of a chart, beyond which only those of the same EPCI, then the nearest, are drawn."""

SENSED = ("favorable", "defavorable")
ESTABLISHED = (*SENSED, "plus_eleve", "plus_bas")


@dataclass(frozen=True)
class Reference:
    """The value of what a territory is compared with, the same year."""

    place: Place
    value: float
    status: str
    doubtful: bool
    verdict: Row | None = field(repr=False)

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)


@dataclass(frozen=True)
class Spread:
    """The values of the peers: five marks, and how many they are.

    Attributes
    ----------
    marks : tuple of float
        5th percentile, first quartile, median, third quartile, 95th percentile.
    low, high : float
        Extreme values.
    number : int
        Peers that have a value, the territory included.
    deviation : float
        Their standard deviation.
    """

    marks: tuple[float, float, float, float, float]
    low: float
    high: float
    number: int
    deviation: float


@dataclass(frozen=True)
class Line:
    """An indicator of a territory at its last known year.

    Attributes
    ----------
    card : Card
        The indicator.
    place : Place
        The territory.
    row : mapping
        The row of the results, with ``effectif`` and ``base``.
    year : int
        Its year.
    references : tuple of Reference
        The one of the verdicts first.
    spread : Spread or None
        Values of the peers, None under three.
    change, trend : mapping or None
        Rows of `evolution` and `trend`.
    """

    card: Card
    place: Place
    row: Row = field(repr=False)
    year: int
    references: tuple[Reference, ...] = field(repr=False)
    spread: Spread | None = field(repr=False)
    change: Row | None = field(repr=False)
    trend: Row | None = field(repr=False)

    @property
    def value(self) -> float:
        """The value, missing when it is not known."""
        return float(self.row["valeur"])

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)

    @property
    def status(self) -> str:
        """``ok``, or why there is no value."""
        return str(self.row["statut"])

    @property
    def undated(self) -> bool:
        """Whether the source gives no date: the year is that of the document which quotes it."""
        return "est l'année du document" in self.note

    @property
    def doubtful(self) -> bool:
        """Whether the value contradicts another one."""
        return bool(self.row["qualite"] == DOUBTFUL)

    @property
    def note(self) -> str:
        """What the results say of the value, in French."""
        return self.row["note"] if isinstance(self.row["note"], str) else ""

    @property
    def first(self) -> Reference | None:
        """The reference of the verdict: the nearest that has a value, else the nearest."""
        known = next((reference for reference in self.references if reference.known), None)
        return known if known is not None else next(iter(self.references), None)

    @property
    def is_count(self) -> bool:
        """Whether it is a count, which follows the size of the territory and is not compared."""
        return self.card.nature == "effectif"

    @property
    def verdict(self) -> Row | None:
        """The verdict against the first reference."""
        return None if self.first is None else self.first.verdict

    @property
    def verdict_name(self) -> str:
        """Its name, ``non_juge`` when there is none."""
        return "non_juge" if self.verdict is None else str(self.verdict["verdict"])

    @property
    def established(self) -> bool:
        """Whether a difference from the first reference is established."""
        return self.verdict_name in ESTABLISHED

    @property
    def size(self) -> float:
        """Size of the gap to the first reference, in standard deviations of the peers."""
        if self.verdict is None:
            return 0.0
        gap = abs(float(self.verdict["ecart"]))
        if self.spread is not None and self.spread.deviation > 0:
            return gap / self.spread.deviation
        other = abs(float(self.verdict["valeur_comparee"]))
        return gap / other if other else 0.0


def lines_of(evidence: Evidence, code: str, lang: Lang = "fr") -> list[Line]:
    """Gather what is known of a territory, an indicator a line, in the order of the catalogue.

    Parameters
    ----------
    evidence : Evidence
        What the verbs say.
    code : str
        The territory.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    list of Line
        Indicators of which the territory has a row, with or without a value.
    """
    mine = {name for own, name in evidence.cells if own == code}
    return [_line(evidence, code, name) for name in load_cards() if name in mine]


def _line(evidence: Evidence, code: str, name: str) -> Line:
    rows = evidence.cells[code, name]
    year = last_year(rows)
    verdicts = evidence.verdicts.get((code, name), {})
    references = []
    for reference in evidence.references[code]:
        row = evidence.cells.get((reference, name), {}).get(year)
        references.append(
            Reference(
                evidence.places[reference],
                math.nan if row is None else float(row["valeur"]),
                "non_disponible" if row is None else str(row["statut"]),
                row is not None and row["qualite"] == DOUBTFUL,
                verdicts.get(reference),
            )
        )
    return Line(
        indicator_card(name),
        evidence.places[code],
        rows[year],
        year,
        tuple(references),
        spread_of(peer_values(evidence, code, name, year)),
        evidence.changes.get((code, name)),
        evidence.trends.get((code, name)),
    )


def peer_values(evidence: Evidence, code: str, name: str, year: int) -> list[float]:
    """List the known values of the peers of a territory, itself included."""
    values = (evidence.value(peer, name, year) for peer in evidence.peers[code])
    return [value for value in values if value is not None]


def spread_of(values: Sequence[float]) -> Spread | None:
    """Mark the percentiles of some values; None under three of them.

    Examples
    --------
    >>> spread_of([1, 2, 3, 4, 5]).marks
    (1.2, 2.0, 3.0, 4.0, 4.8)
    """
    if len(values) < 3:
        return None
    marks = np.percentile(values, [5, 25, 50, 75, 95])
    p5, q1, median, q3, p95 = (float(mark) for mark in marks)
    deviation = float(np.std(values))
    return Spread(
        (p5, q1, median, q3, p95), float(min(values)), float(max(values)), len(values), deviation
    )


def drawn_zones(evidence: Evidence, line: Line) -> tuple[list[str], list[str]]:
    """List the zones and the references of a chart: those that have a row that year.

    Returns
    -------
    zones, references : list of str
        At most `MANY_ZONES` zones: those of the EPCI of a commune when all are too many, then the
        nearest to the territory by their value, itself included.
    """
    own = line.place.code
    codes = _with_row(evidence, zones_of(evidence, own), line)
    if not codes and evidence.places[own].level == "epci":
        codes = _with_row(evidence, towns_of(evidence, own), line)
    if len(codes) > MANY_ZONES:
        codes = _of_same_epci(evidence, own, codes)
    if len(codes) > MANY_ZONES:
        codes = _nearest(evidence, line, codes)
    references = [] if line.is_count else [r.place.code for r in line.references if r.known]
    if not codes:
        codes = [own]
    elif own not in codes and not line.is_count:
        references = [own, *references]
    return codes, references


def _with_row(evidence: Evidence, codes: Sequence[str], line: Line) -> list[str]:
    name = line.card.id
    return [code for code in codes if line.year in evidence.cells.get((code, name), {})]


def _of_same_epci(evidence: Evidence, own: str, codes: list[str]) -> list[str]:
    """Keep the communes of the EPCI of one; all of them when it has none."""
    epci = evidence.members.communes["epci"]
    mine = epci.get(own)
    return [code for code in codes if epci.get(code) == mine] if mine else codes


def _nearest(evidence: Evidence, line: Line, codes: list[str]) -> list[str]:
    """Keep the zones whose value is nearest to that of the territory, itself included."""

    def far(code: str) -> tuple[float, str]:
        value = evidence.value(code, line.card.id, line.year)
        return (math.inf if value is None else abs(value - line.value), code)

    return sorted(codes, key=far)[:MANY_ZONES]
