"""Intervals and display grades of the values of indicators: which one, from which counts.

What an indicator divides by what is not written anywhere but in its function: the function is run
on unit counts, and the divisions it does are watched. A new indicator needs nothing more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers, RowNumbers, summed, weighed
from barometre.base.errors import BarometreError
from barometre.base.french import format_number
from barometre.cards.columns import KEY, MODELS
from barometre.cards.schema import Card
from barometre.engine.results import ORIGINS, Bounds, Notes, Values
from barometre.engine.rounded_counts import linear_bounds
from barometre.engine.sampling import (
    Interval,
    Processing,
    SurveyDesign,
    grade_positions,
    newcombe,
    sampling_fraction,
    stratified_intervals,
)
from barometre.engine.seen import ALONE, Seen
from barometre.tables.table_set import STATUSES
from barometre.themes.formulas import divisions

Method: TypeAlias = Literal["wilson", "newcombe", "arrondi", "aucune"]
Column: TypeAlias = tuple[str, str]  # table and column

POPULATION_AGE = 5
"""Years by which the municipal population may be older: what a census cycle takes."""

HOUSEHOLDS = ("menages", "familles", "logements", "residences")
"""How the columns that count households, families or dwellings begin; the others count persons,
whose design effect is larger: a column forgotten here gets too wide an interval, not too short."""

ROUNDED = {"allocataires": 5.0, "demandeurs_emploi": 5.0}
"""Tables whose producers (data.caf.fr, Dares) round the counts of communes, and to what. Insee
gives the counts of Caf unrounded: a column and year that has another number is taken as exact."""

_SCALES = {"pourcent": 100.0, "points": 100.0, "pour_100": 100.0, "pour_10000": 10_000.0}
_GRADED = ("pourcent", "points", "pour_100")  # units of the thresholds of the grades
_NONE = "sans intervalle : "
_NO_FORMULA = f"{_NONE}l'indicateur n'est pas un rapport simple d'effectifs"
SURVEYED_WHOLE = "enquêté en entier : non-réponse et étalement sur cinq ans restent"
"""What is said of a census share whose interval has no width."""

_NO_LEVEL = f"{_NONE}fraction de sondage connue des seules communes et de leurs IRIS"
_NO_POPULATION = f"{_NONE}donner la population municipale (table population)"
_WHOLE = f"{_NONE}registre exhaustif, sans arrondi connu"
_PUBLISHED = f"{_NONE}valeur publiée, sans ses effectifs"
_ESTIMATED = f"{_NONE}valeur estimée"
_DEDUCED = f"{_NONE}valeur déduite de deux nombres imprimés"
_DIFFERS = f"{_NONE}les effectifs ne redonnent pas la valeur"


def as_design(design: SurveyDesign | None) -> SurveyDesign:
    """Take the assumptions given, or those by default."""
    if not isinstance(design, SurveyDesign | None):
        raise BarometreError(
            "design refusé : donner un SurveyDesign, comme SurveyDesign(deff_persons=3.0)"
        )
    return design or SurveyDesign()


# ---- what is divided by what --------------------------------------------------------------------


@dataclass(frozen=True)
class Fraction:
    """A division of an indicator: coefficients of its input columns above and below the line."""

    above: Floats
    below: Floats | None  # None: no division, a sum


def input_columns(card: Card) -> list[Column]:
    """List the input columns of an indicator, in the order of its counts."""
    return [(table, column) for table, columns in card.entrees.items() for column in columns]


def fractions_of(card: Card) -> tuple[Fraction, ...]:
    """Find what an indicator divides by what, by running it on one unit of each input in turn.

    Returns
    -------
    tuple of Fraction
        One per division; a single one without ``below`` for a sum of counts; none when an input is
        no count, or when a term is no sum or difference of inputs.
    """
    function = getattr(card.fonction, "__wrapped__", card.fonction)
    return _fractions(function, tuple(card.entrees), tuple(input_columns(card)))


@functools.cache
def _fractions(
    function: Callable[..., pd.Series[float]],
    tables: tuple[str, ...],
    columns: tuple[Column, ...],
) -> tuple[Fraction, ...]:
    models = {table: MODELS[table].to_schema().columns for table in tables}
    if any(models[table][name].metadata["unite"] != "nombre" for table, name in columns):
        return ()
    # Unit counts give the coefficients; two rows of any counts prove that they say everything.
    size = len(columns)
    rows = np.vstack([np.eye(size), 1 + np.arange(size) ** 2, 1000 - 7 * np.arange(size)])
    index = pd.MultiIndex.from_product([["essai"], range(1900, 1902 + size)], names=list(KEY))
    given = pd.DataFrame(rows, index=index, columns=pd.MultiIndex.from_tuples(columns))
    with divisions() as done:
        value = function(*(given[table] for table in tables))
    terms = [side for pair in done for side in pair] or [value]
    sides = [np.asarray(side, dtype=np.float64) for side in terms]
    if not all(np.allclose(side[size:], rows[size:] @ side[:size]) for side in sides):
        return ()
    found = [side[:size] for side in sides]
    if not done:
        return (Fraction(found[0], None),)
    return tuple(Fraction(a, b) for a, b in zip(found[::2], found[1::2], strict=True))


def deff_of(card: Card, fraction: Fraction, design: SurveyDesign) -> float:
    """Return the design effect of a share: that of what its denominator counts."""
    weights = np.zeros(0) if fraction.below is None else fraction.below
    used = [name for (_, name), c in zip(input_columns(card), weights, strict=True) if c]
    households = all(name.startswith(HOUSEHOLDS) for name in used)
    return design.deff_households if households else design.deff_persons


@dataclass(frozen=True)
class Plan:
    """How the intervals of an indicator are found, or why there are none."""

    method: Method
    fractions: tuple[Fraction, ...] = ()
    reason: str = ""


def plan_of(card: Card) -> Plan:
    """Choose how the intervals of an indicator are found."""
    if card.nature == "publie":
        return Plan("aucune", reason=f"{_NONE}statistique publiée telle quelle")
    if card.exploitation == "autre":
        return Plan("aucune", reason=f"{_NONE}incertitude de la source inconnue")
    fractions = fractions_of(card)
    if card.exploitation == "exhaustif":
        known = len(fractions) == 1
        return Plan("arrondi", fractions) if known else Plan("aucune", reason=_NO_FORMULA)
    kind = (card.nature, len([f for f in fractions if f.below is not None]))
    if kind == ("part", 1):
        return Plan("wilson", fractions)
    if kind == ("ecart", 2):
        return Plan("newcombe", fractions)
    counted = card.nature == "effectif"
    return Plan("aucune", reason=f"{_NONE}effectif d'un recensement" if counted else _NO_FORMULA)


# ---- where counts come from ---------------------------------------------------------------------


def communes_of(codes: pd.Index, niveaux: pd.Series[str]) -> tuple[pd.Series[str], Booleans]:
    """Return the commune of each code (missing above the commune), and which codes are communes.

    A level told wins over the form of the code. Nine digits that start with 20 or 24 are then an
    EPCI: an IRIS of the Dordogne (24) is known as such by its level only.
    """
    texts = pd.Series(codes, dtype="str")
    told = texts.map(niveaux).astype("str").replace("", None)
    commune, iris, silent = told.eq("commune"), told.eq("iris"), told.isna()
    if silent.any():
        form, untold = r"(?:0[1-9]|[1-8][0-9]|9[0-8]|2[AB])[0-9]{3}", texts[silent]
        commune[silent] = untold.str.fullmatch(form)
        epci = untold.str.startswith(("20", "24"))
        iris[silent] = untold.str.fullmatch(rf"{form}[0-9]{{4}}") & ~epci
    found = texts.where(commune, texts.str[:5].where(iris))
    return found, commune.to_numpy(dtype=bool)


@dataclass(frozen=True)
class Places:
    """What is known of the territories of some keys, key by key.

    Attributes
    ----------
    commune : array of bool
        The territory is a commune.
    local : array of bool
        It is a commune or an IRIS.
    population : array of float
        Population of its commune, missing when not given.
    years : array of int
        Year of the key.
    """

    commune: Booleans
    local: Booleans
    population: Floats
    years: Integers
    _fractions: dict[Processing, Floats] = field(default_factory=dict)

    def take(self, rows: RowNumbers) -> Places:
        """Bring on other rows."""
        return Places(self.commune[rows], self.local[rows], self.population[rows], self.years[rows])

    def fraction(self, processing: Processing) -> Floats:
        """Return the sampling fractions of a processing: indicators of the same keys share them."""
        if processing not in self._fractions:
            found = sampling_fraction(self.population, processing, self.years)
            self._fractions[processing] = found
        return self._fractions[processing]


@dataclass(frozen=True)
class Strata:
    """The counts that values come from: those of the territory itself, or of its communes.

    ``row`` is the position, in the values, of the one that a stratum enters; None where the strata
    are the values themselves, in order. The counts of a column are side by side in memory.
    """

    row: RowNumbers | None
    counts: Floats
    places: Places

    def rounding(self, card: Card, seen: Seen) -> Floats | None:
        """Tell by how much each count of an indicator may differ from the true one; None for 0."""
        columns = input_columns(card)
        if not any(table in ROUNDED for table, _ in columns):
            return None
        half, years, communes = np.zeros_like(self.counts), self.places.years, self.places.commune
        for j, (table, name) in enumerate(columns):
            step, count = ROUNDED.get(table, 0.0), self.counts[:, j]
            if step:
                multiple = count / step
                exact = communes & ~np.isnan(count) & (multiple != np.floor(multiple))
                told = pd.unique(years[exact]).tolist()
                known = seen.anywhere((card.id, "exact", table, name), told)
                rounded = communes & ~np.isin(years, [*known]) if known else communes
                half[:, j] = np.where(rounded, step / 2, 0.0)
        return half


# ---- from counts to limits ----------------------------------------------------------------------


def bounds_of(
    card: Card,
    values: Values,
    strata: Strata | None,
    design: SurveyDesign,
    notes: Notes,
    seen: Seen = ALONE,
) -> tuple[Values, Bounds]:
    """Give values their limits and grades, and say in their notes why they have none."""
    plan, number = plan_of(card), len(values.keys)
    known = values.statut == STATUSES.index("ok")
    computed = known & (values.origine == ORIGINS.index("calcule"))
    if plan.method == "aucune" or strata is None:
        low, high = np.full(number, np.nan), np.full(number, np.nan)
        grade = np.full(number, -1, dtype=np.int8)
        said = np.where(computed, notes.of([plan.reason or _NO_FORMULA]), -1)
    else:
        if plan.method == "arrondi":
            found = _register(card, plan, values.valeur, strata, strata.rounding(card, seen), notes)
        else:
            found = _sample(card, plan, values.valeur, strata, design, notes)
        (low, high), grade, said = found
        if not computed.all():
            low, high = (np.where(computed, limit, np.nan) for limit in (low, high))
            grade = np.where(computed, grade, np.int8(-1))
    # A statistic that is only ever published has no interval anywhere: no value says it.
    unsaid = card.nature == "publie"
    for origin, text in (("publie", _PUBLISHED), ("estime", _ESTIMATED), ("deduit", _DEDUCED)):
        rows = known & (values.origine == ORIGINS.index(origin))
        if rows.any():
            said[rows] = -1 if unsaid and origin == "publie" else notes.of([text])[0]
    note = notes.join(values.note, said if known.all() else np.where(known, said, -1))
    return replace(values, note=note), Bounds(low, high, grade)


Found: TypeAlias = tuple[Interval, npt.NDArray[np.int8], Integers]


def _sample(
    card: Card, plan: Plan, value: Floats, strata: Strata, design: SurveyDesign, notes: Notes
) -> Found:
    """Find the intervals of shares, or of differences of shares, of a census sample."""
    assert card.exploitation in ("principale", "complementaire")
    fraction = strata.places.fraction(card.exploitation)
    sampled = fraction != 1
    shares: list[Floats] = []
    limits: list[Interval] = []
    informing, above, below = list[Floats](), list[Floats](), list[Floats]()
    for division in plan.fractions:
        deff = deff_of(card, division, design)
        assert division.below is not None
        top, n = (weighed(strata.counts, side) for side in (division.above, division.below))
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(np.where(n == 0, np.nan, top / n), 0, 1)
        p, interval = stratified_intervals(
            share, n, fraction, deff, unions=strata.row, number=len(value), level=design.level
        )
        shares.append(p)
        limits.append(interval)
        size = np.where(sampled, fraction * n / deff, np.inf)
        for terms, totals in ((size, informing), (top, above), (n, below)):
            totals.append(_total(terms, strata, value))
    scale = _SCALES[card.unite]
    found, (low, high) = shares[0], limits[0]
    if plan.method == "newcombe":
        found = shares[0] - shares[1]
        low, high = newcombe(low, high, shares[0], *limits[1], shares[1])
    same = _same(scale * found, value)
    interval = Interval(*(np.where(same, scale * limit, np.nan) for limit in (low, high)))
    half = (interval.high - interval.low) / 2
    grade = grade_positions(
        half, *(functools.reduce(np.minimum, totals) for totals in (informing, above, below))
    )
    outside = _any(~strata.places.local, strata, value)
    asked = ~_any(sampled, strata, value)  # everyone was: the design effect divides nothing
    differs, no_level, nobody, whole = notes.of(
        [_DIFFERS, _NO_LEVEL, _NO_POPULATION, SURVEYED_WHOLE]
    )
    why = np.where(np.isnan(half), nobody, np.where(asked, whole, -1))
    if outside.any() or not same.all():
        why = np.where(~same, differs, np.where(outside, no_level, why))
    return _holding(interval, value), grade, why


def _register(
    card: Card, plan: Plan, value: Floats, strata: Strata, rounding: Floats | None, notes: Notes
) -> Found:
    """Find what the rounding of the counts of a register leaves open."""
    (division,) = plan.fractions
    counts = _totals(strata.counts, strata, value)
    low, high = exact, _ = linear_bounds(counts, None, division.above, division.below)
    rounded = np.zeros(len(value), dtype=bool)
    if rounding is not None:
        half = _totals(rounding, strata, value)
        rounded = np.logical_or.reduce([column > 0 for column in half.T])
    if rounded.any():
        low, high = linear_bounds(counts, half, division.above, division.below)
    scale = _SCALES.get(card.unite, 1.0)
    same = _same(np.clip(scale * exact, *card.bornes), value)
    limits = [np.where(same, np.clip(scale * x, *card.bornes), np.nan) for x in (low, high)]
    grade = np.full(len(value), -1, dtype=np.int8)
    if card.unite in _GRADED and division.below is not None:
        above, below = (weighed(counts, side) for side in (division.above, division.below))
        grade = grade_positions(
            (limits[1] - limits[0]) / 2, np.full_like(low, np.nan), above, below
        )
    rounded &= same
    steps = sorted({ROUNDED[table] for table in card.entrees if table in ROUNDED})
    multiples = " ou ".join(map(format_number, steps))
    texts = [
        _DIFFERS,
        f"bornes d'arrondi : effectifs arrondis à un multiple de {multiples}",
        _WHOLE,
    ]
    differs, between, whole = notes.of(texts)
    why = np.where(~same, differs, np.where(rounded, between, whole))
    bounds = Interval(*(np.where(rounded, limit, np.nan) for limit in limits))
    return _holding(bounds, value), grade, why


def _totals(counts: Floats, strata: Strata, value: Floats) -> Floats:
    """Add up the strata of each value, column by column."""
    if strata.row is None:
        return counts
    return np.stack([_total(column, strata, value) for column in counts.T]).T


def _total(terms: Floats, strata: Strata, value: Floats) -> Floats:
    """Add up the strata of each value; a value without stratum has nothing known."""
    if strata.row is None:
        return terms
    sums = summed(terms, strata.row, len(value))
    sums[np.bincount(strata.row, minlength=len(value)) == 0] = np.nan
    return sums


def _any(where: Booleans, strata: Strata, value: Floats) -> Booleans:
    return where if strata.row is None else summed(where, strata.row, len(value)) > 0


def _same(found: Floats, value: Floats) -> Booleans:
    # The same sum in another order.
    same: Booleans = np.abs(found - value) <= 1e-9 + 1e-9 * np.abs(value)
    return same


def _holding(bounds: Interval, value: Floats) -> Interval:
    """Let limits hold the value to the last digit; a missing limit stays missing."""
    return Interval(np.minimum(bounds.low, value), np.maximum(bounds.high, value))
