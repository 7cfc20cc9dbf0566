"""Whether a series goes up or down over several years, and by which test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.texts import Texts
from barometre.cards.schema import UNITS, Card
from barometre.compare.proof.breaks import (
    BRIDGED,
    RULES,
    Bridge,
    Rule,
    bridged,
    series_breaks,
    series_signals,
)
from barometre.compare.proof.counts import Counts, counts_behind
from barometre.compare.proof.differences import two_sided
from barometre.compare.proof.prices import NOMINAL, Prices, deflated
from barometre.compare.proof.rank_trend import mann_kendalls
from barometre.compare.proof.verdicts import judge
from barometre.compare.rows import REASONS, Rows, checked_rows, names_of
from barometre.datasets.places.members import Given
from barometre.engine.perimeters import BREAK
from barometre.engine.sampling import normal_quantile
from barometre.tables.codes import level_of, qpv_generation
from barometre.tables.table_set import DOUBTFUL, Tables, as_tables

Test = Literal["cochran_armitage", "pente_ponderee", "mann_kendall"]
Trend = Literal["hausse", "baisse", "sans_tendance"]
Direction = Literal["s_ameliore", "se_degrade", "stable"]
TESTS: tuple[Test, ...] = get_args(Test)
TRENDS: tuple[Trend, ...] = get_args(Trend)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
MARK = "defavorable_et_se_degrade"

RANKED_POINTS = 8
"""Dates below which the order of values proves nothing: 7 of them reach 5 % only all in order."""

_STATISTICS = ("pente", "pente_inf", "pente_sup", "statistique", "p")
_COLUMNS = (
    "code", "indicateur", "annee_debut", "annee_fin", "points", "methode", "pente", "pente_inf",
    "pente_sup", "unite", "statistique", "p", "tendance", "evolution", "statut", "qualite", "note",
)  # fmt: skip


def trend(
    results: pd.DataFrame,
    points: int = 5,
    *,
    alpha: float = 0.05,
    reference: str | None = None,
    tables: Tables | Mapping[str, pd.DataFrame] | None = None,
    deflate: Prices | None = None,
    bridge: Bridge = None,
    override: Rule | Iterable[Rule] = (),
    membership: Given | Iterable[Given] | None = None,
) -> pd.DataFrame:
    """Say of every territory and indicator whether its series goes up or down.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them, over several years.
    points : int, default 5
        Dates that a series must have, at least 3.
    alpha : float, default 0.05
        Size of the tests.
    reference : str, optional
        Code or name of a territory of the results: adds ``verdict`` (`judge`, last year) and
        ``marque``.
    tables : Tables or mapping of DataFrame, optional
        Tables the results come from: their counts give numerators and denominators.
    deflate : Series or mapping, optional
        Price index by year: amounts are then in euros of their last year.
    bridge : bool or DataFrame, optional
        Follow the neighbourhoods of 2015 into those of 2024 where they are the same
        (`qpv_bridge`; True for the bundled one).
    override : str or iterable of str, optional
        Rules to lift, by name, as in `evolution`; the trend is then ``douteux``.
    membership : Series, mapping, DataFrame, path or list of these, optional
        Who is in what, for the verdicts.

    Returns
    -------
    DataFrame
        One row per territory and indicator; empty for empty results.

        - ``annee_debut``, ``annee_fin``, ``points``: first and last known years, number of dates;
        - ``methode``: ``cochran_armitage`` for counts of a register that are known,
          ``pente_ponderee`` where sampled values have intervals, else ``mann_kendall``, which needs
          8 dates;
        - ``pente`` a year, in ``unite``, its bounds (missing for Mann-Kendall, whose slope is the
          median of Theil and Sen), ``statistique`` (z, or Kendall's S) and ``p``, two-sided;
        - ``tendance``: ``hausse``, ``baisse`` or ``sans_tendance``; missing when it was not tested;
        - ``evolution``: ``s_ameliore``, ``se_degrade`` or ``stable``, by the direction of the card;
          missing for an indicator without direction;
        - ``statut``: ``ok``; ``non_comparable`` where a rule refuses; ``secret`` or
          ``non_disponible`` when the dates are too few or one is missing inside; ``note``.

        With ``reference``: ``reference``, ``verdict``, ``preuve``, and ``marque``, which is
        ``defavorable_et_se_degrade`` for what is both.

    Raises
    ------
    BarometreError
        Impossible arguments; a price series that lacks a year; a reference out of the results.
    UnknownNameError
        A rule of no list.
    FaultsError
        Results that are refused.

    Notes
    -----
    Cochran (1954) and Armitage (1955): counts are seen as binomial, one date apart from the other;
    those of a register are mostly the same people from one year to the next, and ``note`` says so.
    The score test of Poisson counts serves for rates. The weighted slope weighs each date by the
    inverse of its variance, from its interval. No date is left out to make a series long enough.

    Examples
    --------
    >>> rates = pd.DataFrame(
    ...     {
    ...         "code": "QP059055",
    ...         "annee": range(2012, 2022),
    ...         "indicateur": "taux_de_pauvrete",
    ...         "valeur": [35.5, 37.5, 35.9, 38.4, 39.8, 38.9, 42.4, 39.9, 39.4, 41.0],
    ...     }
    ... )
    >>> found = trend(rates).iloc[0]
    >>> found["tendance"], found["evolution"], round(float(found["p"]), 4)
    ('hausse', 'se_degrade', 0.0047)
    """
    lifted = _checked(points, alpha, override)
    rows = bridged(deflated(checked_rows(results), deflate), bridge)
    counts = counts_behind(rows, None if tables is None else as_tables(tables))
    options = _Options(points, alpha, lifted, deflate is not None)
    frame = _tested(rows, counts, options)
    if reference is None:
        return frame
    return _marked(frame, rows, reference, tables, membership)


def _checked(points: int, alpha: float, override: str | Iterable[str]) -> set[str]:
    if isinstance(points, bool) or not isinstance(points, (int, np.integer)) or points < 3:
        raise BarometreError(f"points={points!r} refusé : donner un entier d'au moins 3")
    if not is_number(alpha) or not 0 < alpha < 1:
        raise BarometreError(f"alpha={alpha!r} refusé : donner un nombre entre 0 et 1 (0.05)")
    lifted = set(names_of(override, "override"))
    for name in sorted(lifted - set(RULES)):
        raise UnknownNameError("nom de règle à lever", name, RULES)
    return lifted


@dataclass(frozen=True)
class _Options:
    points: int
    alpha: float
    lifted: set[str]
    constant: bool  # amounts are in constant euros


@dataclass(frozen=True)
class _Series:
    """The series of some results: one per territory and indicator, in the order of the results.

    Attributes
    ----------
    rows : Rows
        The results.
    of : array of int
        The series of each row.
    first : array of int
        A row of each series.
    known, mine : array of int
        Rows that have a value, series by series and by year, and their series.
    start, number : array of int
        Where those of each series begin, and how many there are.
    """

    rows: Rows
    of: Integers
    first: Integers
    known: Integers
    mine: Integers
    start: Integers
    number: Integers

    @classmethod
    def in_rows(cls, rows: Rows) -> _Series:
        """Find the series of some results."""
        key = rows.code * max(len(rows.cards), 1) + rows.card
        of, different = pd.factorize(key)
        first = np.full(len(different), len(of), dtype=np.int64)
        np.minimum.at(first, of, np.arange(len(of)))
        year = rows.frame["annee"].to_numpy(np.int64)
        order = np.lexsort((year, of))
        known = order[~np.isnan(rows.numbers("valeur")[order])]
        number = np.bincount(of[known], minlength=len(different))
        start = np.cumsum(number) - number
        return cls(rows, of, first, known, of[known], start, number)

    @property
    def card(self) -> Integers:
        """The card of each series."""
        return self.rows.card[self.first]

    @property
    def years(self) -> Integers:
        """The years of the rows that are known."""
        years: Integers = self.rows.frame["annee"].to_numpy(np.int64)[self.known]
        return years

    def every(self, where: Booleans) -> Booleans:
        """Tell the series all of whose known rows have a property."""
        others = np.bincount(self.mine[~where[self.known]], minlength=len(self.first))
        return np.asarray(others == 0)

    def ends(self) -> tuple[Floats, Floats]:
        """Give the first and the last known year of each series, missing where none is known."""
        years = np.append(self.years, 0).astype(np.float64)
        some = self.number > 0
        ends = (self.start, np.where(some, self.start + self.number - 1, 0))
        first, last = (np.where(some, years[at], np.nan) for at in ends)
        return first, last

    def of_length(self, number: int, among: Booleans) -> tuple[Integers, Integers]:
        """Give the series of so many known values, and their rows, one line each."""
        mine = np.flatnonzero((self.number == number) & among)
        return mine, self.known[self.start[mine][:, None] + np.arange(number)]


def _tested(rows: Rows, counts: Counts, options: _Options) -> pd.DataFrame:
    """Test every series, or say why it is not."""
    series = _Series.in_rows(rows)
    methods = _methods(series, counts)
    told = _told(series, methods, options)
    tested = told["refus"].isna().to_numpy(bool)
    statistics = {name: np.full(len(tested), np.nan) for name in _STATISTICS}
    middle = np.full(len(tested), np.nan)
    for place, method in enumerate(TESTS):
        here = tested & (methods == place)
        for number in np.unique(series.number[here]):
            mine, at = series.of_length(int(number), here)
            found = _statistics(method, at, rows, counts, options)
            for name, column in found.items():
                statistics[name][mine] = column
            middle[mine] = np.median(rows.numbers("valeur")[at], axis=1)
    trends, moves = _words(statistics, middle, series, options.alpha)
    first, last = series.ends()
    quality = told["qualite"].to_numpy(object, copy=True)
    doubted = rows.texts("qualite").told(lambda word: word == DOUBTFUL)
    quality[tested & ~series.every(~doubted)] = DOUBTFUL
    units = ["points" if c.unite == "pourcent" else UNITS[c.unite][0] for c in rows.cards]
    frame = pd.DataFrame(
        {
            "code": rows.column("code", series.first),
            "indicateur": rows.column("indicateur", series.first),
            "annee_debut": first,
            "annee_fin": last,
            "points": series.number,
            "methode": Texts(np.where(tested, methods, -1), TESTS).written(),
            **{name: statistics[name] for name in _STATISTICS[:3]},
            "unite": Texts(series.card, tuple(f"{unit} par an" for unit in units)).written(),
            **{name: statistics[name] for name in _STATISTICS[3:]},
            "tendance": trends.written(),
            "evolution": moves.written(),
            "statut": told["statut"],
            "qualite": quality,
            "note": told["note"],
        },
        columns=list(_COLUMNS),
    )
    if not np.isnan(first).any():
        frame = frame.astype({"annee_debut": np.int64, "annee_fin": np.int64})
    return frame.astype(dict.fromkeys(("statut", "qualite", "note"), "str"))


def _methods(series: _Series, counts: Counts) -> Integers:
    """Choose the test that the data allow, by position in TESTS."""
    rows, cards = series.rows, series.card
    some = series.number > 0
    counted = series.every((counts.below > 0) & ~np.isnan(counts.above)) & some
    register = rows.by_card(
        (c.exploitation == "exhaustif" and c.nature in ("part", "taux") for c in rows.cards), cards
    ).astype(bool)
    _, low, high = rows.bounded(np.arange(len(rows.frame)))
    bounded = series.every((high > low) & ~rows.certain(np.arange(len(rows.frame)))) & some
    ranked = TESTS.index("mann_kendall")
    by_slope = np.where(bounded, TESTS.index("pente_ponderee"), ranked)
    return np.where(register & counted, TESTS.index("cochran_armitage"), by_slope)


def _told(series: _Series, methods: Integers, options: _Options) -> pd.DataFrame:
    """Say why series are not tested, and what must be said of those that are.

    Series alike in all that is looked at are looked at once.
    """
    rows = series.rows
    places = [(level_of(code), qpv_generation(code)) for code in rows.codes]
    _, kinds = np.unique(np.array(places, dtype=str).reshape(-1, 2), axis=0, return_inverse=True)
    notes = rows.texts("note")
    bridge = np.full(len(series.first), len(rows.frame), dtype=np.int64)
    told = np.flatnonzero(notes.told(lambda note: BRIDGED in note))
    np.minimum.at(bridge, series.of[told], told)
    bridged_by = np.append(notes.positions, -1)[bridge]
    broken = np.bincount(
        series.of[notes.told(lambda note: BREAK in note)], minlength=len(series.first)
    )
    reason = np.zeros(len(series.first), dtype=np.int64)
    np.maximum.at(reason, series.of, rows.texts("statut").places(REASONS))
    dates, spans = _dates(series)
    alike = np.column_stack([
        series.card, kinds.ravel()[rows.code[series.first]], dates, broken > 0, bridged_by,
        reason, methods,
    ])  # fmt: skip
    _, example, which = np.unique(alike, axis=0, return_index=True, return_inverse=True)
    given = _given_years(rows)
    said = []
    for one in example:
        card = int(series.card[one])
        texts = [BREAK] if broken[one] else []
        texts += [notes.known[bridged_by[one]]] if bridged_by[one] >= 0 else []
        code = rows.codes[rows.code[series.first[one]]]
        seen = _Seen(rows.cards[card], code, spans[dates[one]], given[card], texts)
        said.append(_refused(seen, REASONS[reason[one]], TESTS[methods[one]], options))
    found = pd.DataFrame(said, columns=["statut", "qualite", "note", "refus"], dtype=object)
    return found.take(which.ravel()).reset_index(drop=True)


def _dates(series: _Series) -> tuple[Integers, list[list[int]]]:
    """Number the sets of known years of the series, and list them."""
    year, years = pd.factorize(series.years, sort=True)
    flags = np.zeros((len(series.first), max(len(years), 1)), dtype=bool)
    flags[series.mine, year] = True
    packed = np.packbits(flags, axis=1)
    _, example, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return which.ravel().astype(np.int64), [
        years[flags[one][: len(years)]].tolist() for one in example
    ]


def _given_years(rows: Rows) -> list[frozenset[int]]:
    """List the years for which some territory has a value, by indicator."""
    known = ~np.isnan(rows.numbers("valeur"))
    pairs = pd.DataFrame({"card": rows.card, "annee": rows.frame["annee"].to_numpy()})[known]
    there: list[set[int]] = [set() for _ in rows.cards]
    for card, year in pairs.drop_duplicates().itertuples(index=False):
        there[card].add(int(year))
    return [frozenset(years) for years in there]


@dataclass(frozen=True)
class _Seen:
    """What is looked at in a series: its known years, those of the indicator, its notes."""

    card: Card
    code: str
    years: list[int]
    given: frozenset[int]
    texts: list[str]


def _refused(
    seen: _Seen, reason: str, method: str, options: _Options
) -> tuple[str, str | None, str | None, str | None]:
    """Give the status of a series, its quality, its note, and why it is not tested."""
    notes: list[str] = []
    status, quality, refusal = _refusal(seen, reason, options, notes)
    number = len(seen.years)
    if refusal is None and method == "mann_kendall" and number < RANKED_POINTS:
        status = "non_disponible"
        refusal = f"{counted(number, 'date')} : il en faut {RANKED_POINTS} sans intervalle"
    if refusal is not None:
        notes.insert(0, refusal)
    elif method == "cochran_armitage":
        notes.append("registre vu comme des tirages : en partie les mêmes personnes chaque année")
    return status, quality, " ; ".join(notes) or None, refusal


def _refusal(
    seen: _Seen, reason: str, options: _Options, notes: list[str]
) -> tuple[str, str | None, str | None]:
    """Say why a series is not tested, and note what must be said of one that is."""
    years, card, quality = seen.years, seen.card, None
    if len(years) < options.points:
        status = reason if reason != "ok" else "non_disponible"
        return status, None, f"{counted(len(years), 'date')}, il en faut {options.points}"
    holes = sorted(y for y in seen.given if years[0] < y < years[-1] and y not in years)
    if holes:
        text = f"série trouée : aucune valeur en {', '.join(map(str, holes))}"
        return "non_disponible", None, text
    for rule, text in series_breaks(card, seen.code, years, seen.texts):
        if rule not in options.lifted:
            return "non_comparable", quality, text
        quality = DOUBTFUL
        notes.append(f"tendance demandée malgré la règle « {rule} » ({text})")
    notes += series_signals(card, seen.code, years[0], years[-1])
    notes += [text for text in seen.texts if BRIDGED in text]
    if card.unite == "euros_par_an" and not options.constant:
        notes.append(NOMINAL)
    return "ok", quality, None


def _statistics(
    method: Test, at: Integers, rows: Rows, counts: Counts, options: _Options
) -> dict[str, Floats]:
    """Give the slopes, their bounds, statistics and p-values of series, one line of rows each."""
    value, low, high = (rows.numbers(c)[at] for c in ("valeur", "borne_inf", "borne_sup"))
    years = rows.frame["annee"].to_numpy(np.float64)[at]
    if method == "mann_kendall":
        statistic, p, slope = mann_kendalls(years, value)
        return {"pente": slope, "statistique": statistic, "p": p}
    z = normal_quantile(1 - options.alpha)
    if method == "pente_ponderee":
        # The bounds of the results are those of 95 %, the level of `compute` by default.
        sd = (high - low) / (2 * normal_quantile(0.95))
        slope, error = weighted_slope(years, value, sd)
        score = slope / error
    else:
        rates = rows.by_card((card.nature == "taux" for card in rows.cards), rows.card[at[:, 0]])
        above, below, scale = counts.above[at], counts.below[at], counts.scale[at[:, 0]]
        slope, error, score = count_trend(years, above, below, poisson=rates.astype(bool))
        slope, error = slope * scale, error * scale
    return {
        "pente": slope,
        "pente_inf": slope - z * error,
        "pente_sup": slope + z * error,
        "statistique": score,
        "p": two_sided(score),
    }


def weighted_slope(years: Floats, values: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Return the slope weighted by the inverse of the variances, and its standard error.

    Parameters
    ----------
    years, values, sd : array of float
        Dates, values and their standard errors along the last axis, one series a line.

    Returns
    -------
    tuple of arrays
        One number per series.

    Examples
    --------
    >>> float(weighted_slope(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.ones(3))[0])
    1.0
    """
    weight = 1 / sd**2
    centred = years - np.average(years, weights=weight, axis=-1)[..., None]
    spread = (weight * centred**2).sum(axis=-1)
    return (weight * centred * values).sum(axis=-1) / spread, 1 / np.sqrt(spread)


def count_trend(
    years: Floats, above: Floats, below: Floats, *, poisson: bool | Booleans = False
) -> tuple[Floats, Floats, Floats]:
    """Return the slope of a share (or rate) a year, its error, and the score z of Cochran-Armitage.

    Parameters
    ----------
    years, above, below : array of float
        Dates, numerators, denominators along the last axis, one series a line.
    poisson : bool or array of bool, default False
        Counts are Poisson, not binomial.

    Returns
    -------
    tuple of arrays
        One number per series, missing where nobody, or everybody, is counted.
    """
    mean = above.sum(axis=-1) / below.sum(axis=-1)
    centred = years - np.average(years, weights=below, axis=-1)[..., None]
    unit = np.where(poisson, mean, mean * (1 - mean))
    spread = (below * centred**2).sum(axis=-1)
    good = (unit > 0) & (spread > 0)
    unit, spread = np.where(good, unit, np.nan), np.where(good, spread, np.nan)
    slope, error = (centred * above).sum(axis=-1) / spread, np.sqrt(unit / spread)
    return np.where(good, slope, np.nan), error, slope / error


def _words(
    statistics: Mapping[str, Floats], middle: Floats, series: _Series, alpha: float
) -> tuple[Texts, Texts]:
    """Put slopes in words, and by the direction of the card."""
    slope, p, cards = statistics["pente"], statistics["p"], series.card
    tested, flat = ~np.isnan(p), (p > alpha) | (slope == 0)
    trends = np.where(slope > 0, TRENDS.index("hausse"), TRENDS.index("baisse"))
    trends[flat] = TRENDS.index("sans_tendance")
    better = series.rows.favour(middle + slope, cards) - series.rows.favour(middle, cards)
    moves = np.where(better > 0, DIRECTIONS.index("s_ameliore"), DIRECTIONS.index("se_degrade"))
    moves[np.isnan(better)] = -1
    neutral = series.rows.by_card((card.sens == "neutre" for card in series.rows.cards), cards)
    moves[flat] = DIRECTIONS.index("stable")
    moves[neutral.astype(bool)] = -1
    return Texts(np.where(tested, trends, -1), TRENDS), Texts(
        np.where(tested, moves, -1), DIRECTIONS
    )


def _marked(
    frame: pd.DataFrame,
    rows: Rows,
    reference: str,
    tables: Tables | Mapping[str, pd.DataFrame] | None,
    membership: Given | Iterable[Given] | None,
) -> pd.DataFrame:
    """Add the verdict of the last year of each series, and the mark of what is bad and worsens."""
    judged = judge(rows.frame, reference, tables=tables, membership=membership)
    key = ["code", "indicateur", "annee_fin"]
    judged = judged.rename(columns={"annee": "annee_fin"})
    kept = judged[[*key, "reference", "verdict", "preuve"]]
    frame = frame.astype({"annee_fin": "Int64"}).merge(
        kept.astype({"annee_fin": "Int64"}), on=key, how="left"
    )
    worse: Booleans = (
        (frame["verdict"] == "defavorable") & (frame["evolution"] == "se_degrade")
    ).to_numpy()
    frame["marque"] = pd.Series(None, index=frame.index, dtype="str").mask(worse, MARK)
    return frame
