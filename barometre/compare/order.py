"""Zones in order of priority, theme by theme, with rank intervals and what drives them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.french import format_number
from barometre.cards.listing import indicator_card, load_cards
from barometre.cards.schema import THEMES, Card
from barometre.compare.dispersion import as_weights
from barometre.compare.proof.sides import favour
from barometre.compare.rows import SAME
from barometre.compare.zones import (
    ROUNDING,
    Oriented,
    by_code,
    check_between,
    grades_said,
    listed,
    oriented_rows,
    weighing,
)
from barometre.engine.results import Grade
from barometre.engine.sampling import normal_quantile

Aggregate = Literal["mean_rank", "mean_zscore"]
_SAID: Mapping[Aggregate, str] = {
    "mean_rank": "moyenne des rangs (0 : la moins défavorable, 100 : la plus défavorable)",
    "mean_zscore": "moyenne des écarts-types au-dessus de la moyenne des zones",
}
_CELLS = 2_000_000  # values drawn at once


def priorities(
    results: pd.DataFrame,
    zones: Iterable[str] | None = None,
    *,
    themes: str | Iterable[str] | None = None,
    indicators: str | Iterable[str] | None = None,
    weights: pd.Series[float] | Mapping[str, float] | None = None,
    aggregate: Aggregate = "mean_rank",
    year: int | Literal["latest"] | None = None,
    min_share: float = 0.5,
    without_grades: Collection[Grade] = ("C", "D"),
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    bounds_level: float = 0.95,
    drivers: int = 3,
) -> pd.DataFrame:
    """Order zones by theme, the most disadvantaged first.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them, with ``intervals=True`` for ranks to have intervals.
    zones : iterable of str, optional
        Codes of the zones to compare with one another; by default all those of the results, that
        must then be of one level.
    themes : str or iterable of str, optional
        Themes (``"revenus"``, ``"emploi"``...), by default all those of the results.
    indicators : str or iterable of str, optional
        Identifiers or themes; by default all those that have a direction and are no count.
    weights : Series or mapping, optional
        Weight of each indicator in its theme, by identifier; all the same by default.
    aggregate : {"mean_rank", "mean_zscore"}, default "mean_rank"
        What is averaged: the place of the zone among those that have a value, from 0 (the best) to
        100 (the worst), equal zones sharing the mean of their places; or the distance to their
        mean, in standard deviations, positive when worse.
    year : int or "latest", optional
        Year; ``"latest"`` takes each indicator at its latest year. By default each year has its
        order.
    min_share : float, default 0.5
        Share of the weight of the indicators that a zone must have to be ranked.
    without_grades : collection of {"A", "B", "C", "D"}, default ("C", "D")
        Display grades of the values left out.
    draws : int, default 1000
        Monte-Carlo draws of the rank intervals; 0 gives none.
    seed : int, default 0
        Seed of the draws: the same arguments give the same intervals, whatever the other themes.
    level : float, default 0.95
        Level of the rank intervals.
    bounds_level : float, default 0.95
        Level of the bounds of the results.
    drivers : int, default 3
        Number of indicators named.

    Returns
    -------
    DataFrame
        One row per theme, year and zone, themes in the order of the catalogue, zones from rank 1
        (the most disadvantaged) to those without rank:

        - ``theme``, ``code``, ``annee`` (the last year of the indicators of the theme),
          ``millesimes`` (their years), ``score``, ``rang`` (equal scores share
          the lower one), ``rang_min`` and ``rang_max``;
        - ``moteurs``: the indicators that raise the score most above the middle (50, or 0), in
          words, each with its own score, as "Taux de pauvreté (2,1) ; ...", and ``moteurs_id``,
          their identifiers; missing when none does;
        - ``indicateurs``, ``absents``: how many of the theme the zone has, and lacks;
        - ``bornes``: how many of them have bounds;
        - the choices: ``agregation``, ``ponderation``, ``part_min``, ``tirages``, ``graine``,
          ``niveau``, ``niveau_bornes``, ``classes_ecartees``; ``statut`` (``non_disponible``
          without rank) and ``note``.

        An interval is missing when no value of the theme has bounds, and says so; when some have
        none, these are drawn as certain, which ``note`` says too. An indicator that fewer than two
        zones have that year orders nothing and is left out. Empty for empty results.

    Raises
    ------
    FaultsError
        Results that are refused.
    BarometreError
        Zones of several levels or absent; an indicator that is neutral, a count, or without
        weight; an option out of range.
    UnknownNameError
        Unknown theme, indicator, grade or option.

    Notes
    -----
    Each value is drawn from two half-normal laws whose quantiles are its bounds, within the limits
    of its card, independently of the others; the whole order is computed again, and the interval
    holds the quantiles of the ranks, widened to the observed rank (Goldstein and Spiegelhalter,
    1996, *Journal of the Royal Statistical Society A* 159(3), on the intervals of league tables).

    Examples
    --------
    >>> results = pd.DataFrame(
    ...     {
    ...         "code": ["A", "B", "C"],
    ...         "annee": 2021,
    ...         "indicateur": "taux_de_pauvrete",
    ...         "valeur": [20.0, 30.0, 10.0],
    ...     }
    ... )
    >>> found = priorities(results)
    >>> found["code"].tolist(), found["score"].tolist(), found["rang"].tolist()
    (['B', 'A', 'C'], [100.0, 50.0, 0.0], [1, 2, 3])
    """
    if aggregate not in get_args(Aggregate):
        raise UnknownNameError("choix d'agrégation", str(aggregate), get_args(Aggregate))
    check_between("min_share", min_share, 1)
    z = normal_quantile(bounds_level)
    normal_quantile(level)
    for name, number in {"draws": draws, "seed": seed, "drivers": drivers}.items():
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 0:
            raise BarometreError(f"{name}={number!r} refusé : donner un entier positif ou nul")
    wanted = list(THEMES) if themes is None else listed(themes, "themes")
    for theme in wanted:
        if theme not in THEMES:
            raise UnknownNameError("thème", theme, THEMES)
    chosen = oriented_rows(results, zones, indicators, year, without_grades)
    sheets = list(_sheets(chosen, wanted))
    empty = [name for name in wanted if name not in {sheet.theme for sheet in sheets}]
    if themes is not None and empty and len(results):
        raise BarometreError(f"aucun résultat à comparer pour {', '.join(empty)}")
    names = list(dict.fromkeys(card.id for sheet in sheets for card in sheet.cards))
    by_name = (
        pd.Series(1.0, names)
        if weights is None
        else by_code(weights, names, "weights", what="indicateur")
    )
    by_name = pd.Series(as_weights(by_name), index=names)
    tables = []
    for sheet in sheets or [_NOTHING]:
        weight = _weights(sheet, by_name, min_share)
        points = _points(sheet, sheet.value, aggregate)
        table = _described(sheet, points, weight, aggregate, drivers)
        rng = np.random.default_rng([seed, [*THEMES].index(sheet.theme), abs(sheet.period)])
        drawn = _drawn_ranks(sheet, weight, aggregate, draws, z, rng)
        table["rang_min"], table["rang_max"] = _interval(table["rang"], drawn, level)
        tables.append(table.sort_values(["rang", "code"], kind="stable"))
    table = pd.concat(tables, ignore_index=True).assign(
        agregation=_SAID[aggregate],
        ponderation=weighing(weights),
        part_min=float(min_share),
        tirages=int(draws),
        graine=int(seed),
        niveau=float(level),
        niveau_bornes=float(bounds_level),
        classes_ecartees=grades_said(without_grades),
    )
    return _with_notes(table)[list(_COLUMNS)]


_COLUMNS = (
    "theme", "code", "annee", "millesimes", "score", "rang", "rang_min", "rang_max", "moteurs",
    "moteurs_id", "indicateurs", "absents", "bornes", "agregation", "ponderation", "part_min",
    "tirages", "graine", "niveau", "niveau_bornes", "classes_ecartees", "statut", "note",
)  # fmt: skip


@dataclass(frozen=True)
class _Sheet:
    """The values of one theme and period, zones by indicators, and their bounds."""

    theme: str
    period: int
    year: int
    vintages: str
    codes: list[str]
    cards: list[Card]
    value: Floats
    low: Floats
    high: Floats

    @property
    def bounded(self) -> Booleans:
        """Tell the values that have bounds."""
        known: Booleans = ~np.isnan(self.value + self.low + self.high)
        return known


def _sheets(chosen: Oriented, themes: list[str]) -> Iterator[_Sheet]:
    """Lay the rows out by theme and period; an indicator of one zone has no order."""
    rows = chosen.rows[chosen.rows["defaveur"].notna()]
    rows = rows[rows.groupby(["indicateur", "periode"])["code"].transform("size") > 1]
    cards = {str(name): indicator_card(name) for name in rows["indicateur"].unique()}
    theme = rows["indicateur"].map({name: card.theme for name, card in cards.items()})
    parts = dict(iter(rows.groupby([theme, "periode"])))
    codes = sorted(chosen.codes)  # the draws of a zone do not depend on the order received
    for name in THEMES:
        for period in chosen.periods.index:
            if name not in themes or (name, period) not in parts:
                continue
            part = parts[name, period]
            first, last = int(part["annee"].min()), int(part["annee"].max())
            wide = part.pivot(index="code", columns="indicateur").reindex(codes)
            here = [card for card in load_cards().values() if card.id in wide["valeur"]]
            ids = [card.id for card in here]
            yield _Sheet(
                theme=name,
                period=int(period),
                year=last,
                vintages=str(last) if first == last else f"{first}-{last}",
                codes=codes,
                cards=here,
                value=wide["valeur"][ids].to_numpy(np.float64),
                low=wide["borne_inf"][ids].to_numpy(np.float64),
                high=wide["borne_sup"][ids].to_numpy(np.float64),
            )


def _weights(sheet: _Sheet, by_name: pd.Series[float], min_share: float) -> Floats:
    """Weigh the values of the zones that have enough of them."""
    given = by_name[[card.id for card in sheet.cards]].to_numpy(np.float64)
    weight = np.where(np.isnan(sheet.value), 0.0, given)
    enough = weight.sum(axis=1) >= min_share * given.sum() * (1 - SAME)
    return np.where(enough[:, None], weight, 0.0)


def _points(sheet: _Sheet, values: Floats, aggregate: Aggregate) -> Floats:
    """Bring values (the last two axes: zones, indicators) on the scale of the scores."""
    from scipy.stats import rankdata

    points = np.full(values.shape, np.nan)
    for j, card in enumerate(sheet.cards):
        known = ~np.isnan(sheet.value[:, j])
        worse = -favour(values[..., known, j], card.sens).round(ROUNDING)
        if aggregate == "mean_rank":
            points[..., known, j] = 100 * (rankdata(worse, axis=-1) - 1) / (known.sum() - 1)
        else:
            spread = np.where(np.ptp(worse, axis=-1) > 0, worse.std(axis=-1), np.inf)[..., None]
            points[..., known, j] = (worse - worse.mean(axis=-1, keepdims=True)) / spread
    return points


def _scores(points: Floats, weight: Floats) -> Floats:
    whole = weight.sum(axis=1)
    summed = (np.where(weight > 0, points, 0.0) * weight).sum(axis=-1)
    return np.where(whole > 0, summed / np.where(whole > 0, whole, 1.0), np.nan)


def _ranks(scores: Floats) -> Floats:
    """Rank scores from the highest; equal ones share the lower rank, missing ones have none."""
    from scipy.stats import rankdata

    ranked = ~np.isnan(scores if scores.ndim == 1 else scores[0])
    ranks = np.full(scores.shape, np.nan)
    ordered = -scores[..., ranked].round(ROUNDING)
    ranks[..., ranked] = rankdata(ordered, method="min", axis=-1) if ranked.any() else ordered
    return ranks


def _drawn_ranks(
    sheet: _Sheet,
    weight: Floats,
    aggregate: Aggregate,
    draws: int,
    z: float,
    rng: np.random.Generator,
) -> Floats:
    """Rank the zones again for each draw of the values; no row when there is nothing to draw."""
    if not (sheet.bounded & (weight > 0)).any():
        return np.empty((0, len(sheet.codes)))
    up = np.where(sheet.bounded, np.maximum(sheet.high - sheet.value, 0), 0.0) / z
    down = np.where(sheet.bounded, np.maximum(sheet.value - sheet.low, 0), 0.0) / z
    least, most = np.array([card.bornes for card in sheet.cards]).T
    ranks = np.empty((draws, len(sheet.codes)))
    size = max(1, _CELLS // max(sheet.value.size, 1))
    for start in range(0, draws, size):
        number = min(size, draws - start)
        noise = rng.standard_normal((number, *sheet.value.shape))
        values = sheet.value + noise * np.where(noise > 0, up, down)
        points = _points(sheet, np.clip(values, least, most), aggregate)
        ranks[start : start + number] = _ranks(_scores(points, weight))
    return ranks


def _interval(
    ranks: pd.Series[int], drawn: Floats, level: float
) -> tuple[pd.Series[int], pd.Series[int]]:
    """Return the quantiles of the ranks drawn, widened to the observed ones."""
    observed = ranks.to_numpy(np.float64, na_value=np.nan)
    low = high = np.full(len(observed), np.nan)
    if len(drawn):
        tail = (1 - level) / 2
        low = np.minimum(observed, np.quantile(drawn, tail, axis=0, method="lower"))
        high = np.maximum(observed, np.quantile(drawn, 1 - tail, axis=0, method="higher"))
    return pd.Series(low, dtype="Int64"), pd.Series(high, dtype="Int64")


def _described(
    sheet: _Sheet, points: Floats, weight: Floats, aggregate: Aggregate, drivers: int
) -> pd.DataFrame:
    """Write the score and rank of each zone, and the indicators that raise it most."""
    scores = _scores(points, weight)
    middle, decimals = (50.0, 0) if aggregate == "mean_rank" else (0.0, 1)
    raised = np.where(weight > 0, (points - middle) * weight, 0.0).round(ROUNDING)
    order = np.argsort(-raised, axis=1, kind="stable")[:, :drivers]
    named, ids = [], []
    for i, best in enumerate(order):
        chosen = [int(j) for j in best if raised[i, j] > 0]
        labels = [sheet.cards[j].libelle["fr"] for j in chosen]
        values = [format_number(points[i, j], decimals) for j in chosen]
        pairs = zip(labels, values, strict=True)
        named.append(" ; ".join(f"{label} ({value})" for label, value in pairs) or None)
        ids.append(" ; ".join(sheet.cards[j].id for j in chosen) or None)
    known = ~np.isnan(sheet.value)
    return pd.DataFrame(
        {
            "theme": pd.Series(sheet.theme, range(len(sheet.codes)), dtype="str"),
            "code": pd.Series(sheet.codes, dtype="str"),
            "annee": np.full(len(sheet.codes), sheet.year, dtype=np.int64),
            "millesimes": pd.Series(sheet.vintages, range(len(sheet.codes)), dtype="str"),
            "score": scores,
            "rang": pd.Series(_ranks(scores), dtype="Int64"),
            "moteurs": pd.Series(named, dtype="str"),
            "moteurs_id": pd.Series(ids, dtype="str"),
            "indicateurs": known.sum(axis=1),
            "absents": (~known).sum(axis=1),
            "bornes": sheet.bounded.sum(axis=1),
        }
    )


def _with_notes(table: pd.DataFrame) -> pd.DataFrame:
    """Say why there is no rank, no interval, or one that is too narrow."""
    ranked = table["rang"].notna()
    none = table["rang_min"].isna() & (table["tirages"] > 0)
    some = ranked & ~none & (table["bornes"] < table["indicateurs"]) & (table["tirages"] > 0)
    without = (table["indicateurs"] - table["bornes"]).astype("str")
    total = table["indicateurs"].astype("str")
    narrow = (
        "intervalle trop étroit : sans bornes pour " + without + " de ses indicateurs sur " + total
    )
    reason = np.select(
        [~ranked, none],
        ["trop peu d'indicateurs disponibles", "sans intervalle : aucune borne"],
        "",
    )
    note = pd.Series(reason, table.index).where(~some, narrow)
    status = pd.Series(np.where(ranked, "ok", "non_disponible"), table.index, dtype="str")
    return table.assign(statut=status, note=note.where(note != "").astype("str"))


_NOTHING = _Sheet(
    "contexte", 0, 0, "", [], [], np.zeros((0, 0)), np.zeros((0, 0)), np.zeros((0, 0))
)
