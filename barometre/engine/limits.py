"""Intervals and display grades of the values of indicators: which one, from which counts.

What an indicator divides by what is not written anywhere but in its function: the function is run
on unit counts, and the divisions it does are watched. A new indicator needs nothing more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
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
    """

    commune: Booleans
    local: Booleans
    population: Floats

    def take(self, rows: RowNumbers) -> Places:
        """Bring on other rows."""
        return Places(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True)
class Strata:
    """The counts that values come from: those of the territory itself, or of its communes.

    ``row`` is the position, in the values, of the one that a stratum enters.
    """

    row: RowNumbers
    counts: Floats
    years: Integers
    places: Places

    @functools.cached_property
    def rows_are_values(self) -> bool:
        """Tell strata that are the values themselves, in order: there is nothing to add up."""
        return bool((self.row == np.arange(len(self.row))).all())

    def rounding(self, card: Card, seen: Seen) -> Floats:
        """Tell by how much each count of an indicator may differ from the true one."""
        half = np.zeros_like(self.counts)
        for j, (table, name) in enumerate(input_columns(card)):
            step, count = ROUNDED.get(table, 0.0), self.counts[:, j]
            if step:
                multiple = count / step
                exact = self.places.commune & ~np.isnan(count) & (multiple != np.floor(multiple))
                rounded = self.places.commune
                years = np.unique(self.years[exact]).tolist()
                if years := seen.anywhere((card.id, "exact", table, name), years):
                    rounded = rounded & ~np.isin(self.years, [*years])
                half[rounded, j] = step / 2
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
    low, high = np.full(number, np.nan), np.full(number, np.nan)
    grade = np.full(number, -1, dtype=np.int8)
    known = values.statut == STATUSES.index("ok")
    computed = known & (values.origine == ORIGINS.index("calcule"))
    said = np.full(number, -1, dtype=np.int64)
    if plan.method == "aucune" or strata is None:
        said[computed] = notes.of([plan.reason or _NO_FORMULA])
    else:
        if plan.method == "arrondi":
            rounding = strata.rounding(card, seen)
            found = _register(card, plan, values.valeur, strata, rounding, notes)
        else:
            found = _sample(card, plan, values.valeur, strata, design, notes)
        (low, high), grade, said = found
        low, high = (np.where(computed, limit, np.nan) for limit in (low, high))
        grade = np.where(computed, grade, -1).astype(np.int8)
    # A statistic that is only ever published has no interval anywhere: no value says it.
    published = known & (values.origine == ORIGINS.index("publie"))
    said[published] = -1 if card.nature == "publie" else notes.of([_PUBLISHED])[0]
    said[known & (values.origine == ORIGINS.index("estime"))] = notes.of([_ESTIMATED])
    said[known & (values.origine == ORIGINS.index("deduit"))] = notes.of([_DEDUCED])
    note = notes.join(values.note, np.where(known, said, -1))
    columns = {name: column for name, column in vars(values).items() if name != "note"}
    return Values(**columns, note=note), Bounds(low, high, grade)


Found: TypeAlias = tuple[Interval, npt.NDArray[np.int8], Integers]


def _sample(
    card: Card, plan: Plan, value: Floats, strata: Strata, design: SurveyDesign, notes: Notes
) -> Found:
    """Find the intervals of shares, or of differences of shares, of a census sample."""
    assert card.exploitation in ("principale", "complementaire")
    fraction = sampling_fraction(strata.places.population, card.exploitation, strata.years)
    shares, limits, sizes = [], [], []
    above = below = np.full(len(value), np.inf)
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
        informing = np.where(fraction == 1, np.inf, fraction * n / deff)
        sizes.append(_total(informing, strata, value))
        above = np.minimum(above, _total(top, strata, value))
        below = np.minimum(below, _total(n, strata, value))
    scale = _SCALES[card.unite]
    found, (low, high) = shares[0], limits[0]
    if plan.method == "newcombe":
        found = shares[0] - shares[1]
        low, high = newcombe(low, high, shares[0], *limits[1], shares[1])
    same = _same(scale * found, value)
    interval = Interval(*(np.where(same, scale * limit, np.nan) for limit in (low, high)))
    half = (interval.high - interval.low) / 2
    grade = grade_positions(half, np.minimum.reduce(sizes), above, below)
    outside = _any(~strata.places.local, strata, value)
    asked = ~_any(fraction != 1, strata, value)  # everyone was: the design effect divides nothing
    differs, no_level, nobody, whole = notes.of(
        [_DIFFERS, _NO_LEVEL, _NO_POPULATION, SURVEYED_WHOLE]
    )
    why = np.where(np.isnan(half), nobody, np.where(asked, whole, -1))
    why = np.where(~same, differs, np.where(outside, no_level, why))
    return _holding(interval, value), grade, why


def _register(
    card: Card, plan: Plan, value: Floats, strata: Strata, rounding: Floats, notes: Notes
) -> Found:
    """Find what the rounding of the counts of a register leaves open."""
    (division,) = plan.fractions
    counts, half = (
        np.column_stack([_total(column, strata, value) for column in columns.T])
        for columns in (strata.counts, rounding)
    )
    rounded = (half > 0).any(axis=1)
    exact, _ = linear_bounds(counts, np.zeros_like(half), division.above, division.below)
    low, high = exact, exact
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


def _total(terms: Floats, strata: Strata, value: Floats) -> Floats:
    """Add up the strata of each value; a value without stratum has nothing known."""
    if strata.rows_are_values and len(strata.row) == len(value):
        return np.asarray(terms, np.float64)
    sums = summed(terms, strata.row, len(value))
    sums[np.bincount(strata.row, minlength=len(value)) == 0] = np.nan
    return sums


def _any(where: Booleans, strata: Strata, value: Floats) -> Booleans:
    if strata.rows_are_values and len(strata.row) == len(value):
        return where
    return summed(where, strata.row, len(value)) > 0


def _same(found: Floats, value: Floats) -> Booleans:
    # The same sum in another order.
    same: Booleans = np.abs(found - value) <= 1e-9 + 1e-9 * np.abs(value)
    return same


def _holding(bounds: Interval, value: Floats) -> Interval:
    """Let limits hold the value to the last digit; a missing limit stays missing."""
    return Interval(np.minimum(bounds.low, value), np.maximum(bounds.high, value))
