"""Whether a series goes up or down over several years, and by which test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError, counted
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
from barometre.compare.proof.rank_trend import mann_kendall
from barometre.compare.proof.sides import favour
from barometre.compare.proof.verdicts import judge
from barometre.compare.rows import REASONS, Rows, checked_rows, names_of
from barometre.datasets.places.members import Given
from barometre.engine.sampling import normal_quantile
from barometre.tables.table_set import DOUBTFUL, Tables, as_tables

Test = Literal["cochran_armitage", "pente_ponderee", "mann_kendall"]
Trend = Literal["hausse", "baisse", "sans_tendance"]
Direction = Literal["s_ameliore", "se_degrade", "stable"]
TESTS: tuple[Test, ...] = get_args(Test)
TRENDS: tuple[Trend, ...] = get_args(Trend)
MARK = "defavorable_et_se_degrade"

RANKED_POINTS = 8
"""Dates below which the order of values proves nothing: 7 of them reach 5 % only all in order."""

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
    series = list(_series(rows))
    options = _Options(points, alpha, lifted, deflate is not None, _Columns.of(rows))
    records = [_tested(one, rows, counts, options) for one in series]
    frame = pd.DataFrame(records, columns=list(_COLUMNS)).astype(
        dict.fromkeys(("methode", "tendance", "evolution", "qualite", "note"), "str")
    )
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
class _Columns:
    """Columns of the results as plain arrays: they are looked into series by series."""

    years: Integers
    value: tuple[Floats, Floats, Floats]
    status: npt.NDArray[np.object_]
    quality: npt.NDArray[np.object_]
    note: npt.NDArray[np.object_]
    certain: Booleans

    @classmethod
    def of(cls, rows: Rows) -> _Columns:
        """Take them out of checked results."""
        all_rows = np.arange(len(rows.frame))
        status, quality, note = (
            rows.frame[name].to_numpy(dtype=object) for name in ("statut", "qualite", "note")
        )
        years = rows.frame["annee"].to_numpy(np.int64)
        return cls(years, rows.bounded(all_rows), status, quality, note, rows.certain(all_rows))


@dataclass(frozen=True)
class _Options:
    points: int
    alpha: float
    lifted: set[str]
    constant: bool  # amounts are in constant euros
    columns: _Columns


@dataclass(frozen=True)
class _Series:
    """The rows of one territory and indicator, in the order of the years.

    ``years`` are those of the indicator, whatever the territory: a hole is one of these, inside.
    """

    code: str
    card: Card
    place: Integers
    years: frozenset[int]


def _series(rows: Rows) -> Iterator[_Series]:
    """Group the rows by territory and indicator, in the order of the results."""
    frame = rows.frame
    year = frame["annee"].to_numpy()
    key = rows.code * max(len(rows.cards), 1) + rows.card
    known = frame["valeur"].notna().to_numpy()
    there = [frozenset(year[known & (rows.card == i)].tolist()) for i in range(len(rows.cards))]
    groups = pd.Series(np.arange(len(frame))).groupby(key, sort=False)
    for _, places in groups:
        at = places.to_numpy(np.int64)
        at = at[np.argsort(year[at], kind="stable")]
        card = rows.cards[rows.card[at[0]]]
        yield _Series(rows.codes[rows.code[at[0]]], card, at, there[rows.card[at[0]]])


def _tested(series: _Series, rows: Rows, counts: Counts, options: _Options) -> dict[str, Any]:
    """Test one series, or say why it is not."""
    value = options.columns.value[0][series.place]
    known = series.place[~np.isnan(value)]
    years = options.columns.years[known]
    record: dict[str, Any] = dict.fromkeys(_COLUMNS)
    record |= {
        "code": series.code,
        "indicateur": series.card.id,
        "annee_debut": int(years[0]) if len(years) else None,
        "annee_fin": int(years[-1]) if len(years) else None,
        "points": len(years),
        "unite": {"pourcent": "points"}.get(series.card.unite, UNITS[series.card.unite][0])
        + " par an",
        "statut": "ok",
    }
    notes: list[str] = []
    refusal = _refusal(series, years, options, notes, record)
    method = _method(series.card, known, options.columns, counts)
    if refusal is None and method == "mann_kendall" and len(years) < RANKED_POINTS:
        record["statut"] = "non_disponible"
        refusal = f"{counted(len(years), 'date')} : il en faut {RANKED_POINTS} sans intervalle"
    if refusal is not None:
        notes.insert(0, refusal)
        return record | {"note": " ; ".join(notes)}
    record |= _statistics(method, known, years.astype(np.float64), rows, counts, options)
    record["methode"] = method
    if method == "cochran_armitage":
        notes.append("registre vu comme des tirages : en partie les mêmes personnes chaque année")
    if (options.columns.quality[known] == DOUBTFUL).any():
        record["qualite"] = DOUBTFUL
    record |= _words(
        record["pente"], record["p"], options.columns.value[0][known], series.card, options.alpha
    )
    return record | {"note": " ; ".join(notes) or None}


def _refusal(
    series: _Series,
    years: Integers,
    options: _Options,
    notes: list[str],
    record: dict[str, Any],
) -> str | None:
    """Say why a series is not tested, and note what must be said of one that is."""
    if len(years) < options.points:
        absent = options.columns.status[series.place]
        reasons = [REASONS.index(s) for s in absent if s != "ok"]
        record["statut"] = REASONS[max(reasons)] if reasons else "non_disponible"
        return f"{counted(len(years), 'date')}, il en faut {options.points}"
    holes = sorted(y for y in series.years if years[0] < y < years[-1] and y not in years)
    if holes:
        record["statut"] = "non_disponible"
        return f"série trouée : aucune valeur en {', '.join(map(str, holes))}"
    texts = [t for t in options.columns.note[series.place] if isinstance(t, str)]
    for rule, text in series_breaks(series.card, series.code, years.tolist(), texts):
        if rule not in options.lifted:
            record["statut"] = "non_comparable"
            return text
        record["qualite"] = DOUBTFUL
        notes.append(f"tendance demandée malgré la règle « {rule} » ({text})")
    notes += series_signals(series.card, series.code, int(years[0]), int(years[-1]))
    notes += [text for text in dict.fromkeys(texts) if BRIDGED in text][:1]
    if series.card.unite == "euros_par_an" and not options.constant:
        notes.append(NOMINAL)
    return None


def _method(card: Card, known: Integers, columns: _Columns, counts: Counts) -> Test:
    """Choose the test that the data allow."""
    if card.exploitation == "exhaustif" and card.nature in ("part", "taux"):
        below, above = counts.below[known], counts.above[known]
        if len(known) and (below > 0).all() and not np.isnan(above).any():
            return "cochran_armitage"
    _, low, high = (values[known] for values in columns.value)
    if len(known) and not columns.certain[known].any() and (high > low).all():
        return "pente_ponderee"
    return "mann_kendall"


def _statistics(
    method: Test, known: Integers, years: Floats, rows: Rows, counts: Counts, options: _Options
) -> dict[str, float]:
    """Give the slope, its bounds, the statistic and the p-value."""
    value, low, high = (values[known] for values in options.columns.value)
    if method == "mann_kendall":
        found = mann_kendall(years, value)
        return {"pente": found.slope, "statistique": found.statistic, "p": found.p}
    z = normal_quantile(1 - options.alpha)
    if method == "pente_ponderee":
        # The bounds of the results are those of 95 %, the level of `compute` by default.
        sd = (high - low) / (2 * normal_quantile(0.95))
        slope, error = weighted_slope(years, value, sd)
        score = slope / error
    else:
        card = rows.cards[rows.card[known[0]]]
        above, below = counts.above[known], counts.below[known]
        slope, error, score = count_trend(years, above, below, poisson=card.nature == "taux")
        slope, error = (x * counts.scale[known[0]] for x in (slope, error))
    return {
        "pente": slope,
        "pente_inf": slope - z * error,
        "pente_sup": slope + z * error,
        "statistique": score,
        "p": float(two_sided(np.array(score))),
    }


def weighted_slope(years: Floats, values: Floats, sd: Floats) -> tuple[float, float]:
    """Return the slope weighted by the inverse of the variances, and its standard error.

    Examples
    --------
    >>> weighted_slope(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.ones(3))[0]
    1.0
    """
    weight = 1 / sd**2
    centred = years - np.average(years, weights=weight)
    spread = float((weight * centred**2).sum())
    return float((weight * centred * values).sum() / spread), float(1 / np.sqrt(spread))


def count_trend(
    years: Floats, above: Floats, below: Floats, *, poisson: bool = False
) -> tuple[float, float, float]:
    """Return the slope of a share (or rate) a year, its error, and the score z of Cochran-Armitage.

    Parameters
    ----------
    years, above, below : array of float
        Dates, numerators, denominators.
    poisson : bool, default False
        Counts are Poisson, not binomial.

    Returns
    -------
    tuple of float
        Missing where nobody, or everybody, is counted.
    """
    mean = above.sum() / below.sum()
    centred = years - np.average(years, weights=below)
    unit = mean if poisson else mean * (1 - mean)
    spread = float((below * centred**2).sum())
    if unit <= 0 or spread <= 0:
        return float("nan"), float("nan"), float("nan")
    slope = float((centred * above).sum() / spread)
    error = float(np.sqrt(unit / spread))
    return slope, error, slope / error


def _words(
    slope: float, p: float, value: Floats, card: Card, alpha: float
) -> dict[str, str | None]:
    """Put a slope in words, and by the direction of the card."""
    if np.isnan(p):
        return {"tendance": None, "evolution": None}
    if p > alpha or slope == 0:
        word, moved = "sans_tendance", "stable"
        return {"tendance": word, "evolution": None if card.sens == "neutre" else moved}
    middle = float(np.median(value))
    ends = np.array([middle, middle + slope])
    better = np.diff(favour(ends, card.sens))[0]
    words = {"tendance": "hausse" if slope > 0 else "baisse", "evolution": None}
    if not np.isnan(better):
        words["evolution"] = "s_ameliore" if better > 0 else "se_degrade"
    return words


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
