"""Rates of small territories drawn towards the mean of all: empirical Bayes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arguments import Numbers, as_numbers
from barometre.base.arrays import Floats, weighed
from barometre.base.errors import BarometreError, counted
from barometre.base.french import format_number
from barometre.cards.columns import KEY
from barometre.cards.listing import indicator_card, load_cards
from barometre.cards.schema import Card
from barometre.engine.alignment import places_of, strata_of
from barometre.engine.limits import Fraction, as_design, deff_of, plan_of
from barometre.engine.sampling import (
    SurveyDesign,
    effective_size,
    normal_quantile,
    score_interval,
)
from barometre.engine.values import compute
from barometre.tables.codes import level_of
from barometre.tables.table_set import Tables, as_tables


@dataclass(frozen=True)
class Prior:
    """The beta law of the rates: Beta(``alpha``, ``beta``), of mean alpha / (alpha + beta).

    Its strength ``alpha + beta`` is the denominator at which a territory counts as much as the mean
    of all. It is infinite when the rates differ by no more than chance (all are the mean), and 0
    when chance explains nothing (each is its own).
    """

    mean: float
    strength: float

    def __post_init__(self) -> None:
        """Refuse what is no law."""
        if not (0 <= self.mean <= 1 and self.strength >= 0):
            raise BarometreError("prior refusé : une moyenne entre 0 et 1, une force positive")

    @property
    def alpha(self) -> float:
        """First parameter."""
        return self.mean * self.strength

    @property
    def beta(self) -> float:
        """Second parameter."""
        return (1 - self.mean) * self.strength


def estimate_prior(numerator: Numbers, denominator: Numbers) -> Prior:
    """Estimate the law of the rates of several territories from their counts.

    Parameters
    ----------
    numerator, denominator : array-like
        Counts by territory. Those missing, or of denominator 0, are left out.

    Returns
    -------
    Prior
        Its mean is the pooled rate. Its strength is infinite when the rates vary by no more than
        chance would have it, and when nothing can be told: a single territory, rates all 0 or all
        1, denominators all 1.

    Raises
    ------
    BarometreError
        A negative count, a numerator over its denominator, lengths that differ, no territory.

    Notes
    -----
    Method of moments (Kleinman, 1973) of the beta-binomial law, weighted by the denominators: with
    ``S = sum n_i (r_i - p)^2`` and ``rho`` the correlation inside a territory, ``E(S) = p (1-p)
    [k - 1 + rho sum (n_i - 1)(1 - n_i/N)]``; the strength is ``(1 - rho) / rho``.

    Examples
    --------
    >>> round(estimate_prior([2, 8], [10, 10]).strength, 4)
    0.4516
    """
    above, below = _counts(numerator, denominator)
    known = ~np.isnan(above) & (below > 0)
    y, n = above[known], below[known]
    total = n.sum()
    if not total:
        raise BarometreError("aucun territoire de dénominateur connu et positif : pas de moyenne")
    mean = float(np.clip(y.sum() / total, 0, 1))
    spread = float(((n - 1) * (1 - n / total)).sum())
    if mean in (0.0, 1.0) or spread <= 0:
        return Prior(mean, np.inf)
    observed = float((n * (y / n - mean) ** 2).sum()) / (mean * (1 - mean))
    rho = (observed - (len(n) - 1)) / spread
    return Prior(mean, np.inf if rho <= 0 else max(0.0, (1 - rho) / rho))


def shrink_rates(
    numerator: Numbers,
    denominator: Numbers,
    *,
    prior: Prior | tuple[float, float] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Draw the rates of small territories towards the mean of all.

    Parameters
    ----------
    numerator, denominator : array-like
        Counts by territory, the numerator being part of the denominator.
    prior : Prior or tuple of float, optional
        Law of the rates, or its two parameters (alpha, beta). By default `estimate_prior` of the
        counts themselves.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    DataFrame
        On the index of the numerator if it is a Series: ``valeur`` between 0 and 1, ``poids``, the
        weight of the territory's own rate in it (the rest is that of the mean), ``borne_inf`` and
        ``borne_sup``. Missing where a count is or where the denominator is 0. Empty for no
        territory; for one, its own rate.

    Raises
    ------
    BarometreError
        A negative count, a numerator over its denominator, a prior that is none.

    Notes
    -----
    Beta-binomial model: ``valeur = (alpha + y) / (alpha + beta + n)``, and the central interval of
    Beta(alpha + y, beta + n - y). The law estimated is taken as known, so the interval is somewhat
    short when territories are few. Where the rates do not differ (``poids`` 0) it is Wilson's
    interval of the pooled rate; where chance explains nothing (``poids`` 1), that of each rate.

    Examples
    --------
    >>> shrink_rates([2, 8], [10, 10], prior=(5, 5))[["valeur", "poids"]]
       valeur  poids
    0    0.35    0.5
    1    0.65    0.5
    """
    from scipy.special import betaincinv

    y, n = (np.atleast_1d(column) for column in _counts(numerator, denominator))
    if y.ndim > 1:
        raise BarometreError("shrink_rates : donner une colonne par compte, pas un tableau")
    known = ~np.isnan(y) & (n > 0)
    law = _as_prior(prior) if prior is not None else None
    law = law or (estimate_prior(y, n) if known.any() else Prior(0.0, np.inf))
    tail = (1 - level) / 2
    normal_quantile(level)  # refuses an impossible level
    y, n = (np.where(known, column, np.nan) for column in (y, n))
    if np.isinf(law.strength):
        value, weight = np.where(known, law.mean, np.nan), np.where(known, 0.0, np.nan)
        with np.errstate(divide="ignore"):
            low, high = score_interval(value, np.where(known, 1 / np.nansum(n), np.nan), level)
    elif law.strength == 0:
        value, weight = y / n, np.where(known, 1.0, np.nan)
        low, high = score_interval(value, 1 / n, level)
    else:
        value = (law.alpha + y) / (law.strength + n)
        weight = n / (law.strength + n)
        shape = (law.alpha + y, law.beta + n - y)
        low, high = betaincinv(*shape, tail), betaincinv(*shape, 1 - tail)
        # A law that heaps up at 0 or 1 has its mean beyond its quantiles.
        low, high = np.minimum(low, value), np.maximum(high, value)
    index = numerator.index if isinstance(numerator, pd.Series) else None
    return pd.DataFrame(
        {"valeur": value, "poids": weight, "borne_inf": low, "borne_sup": high}, index=index
    )


def _counts(numerator: Numbers, denominator: Numbers) -> tuple[Floats, Floats]:
    above, below = as_numbers(numerator=numerator, denominator=denominator, at_least=0)
    # Counts that come from weights may exceed their whole by the last digit.
    if (above > below * (1 + 1e-9)).any():
        raise BarometreError("numérateur plus grand que son dénominateur : ce n'est pas une part")
    return np.minimum(above, below), np.where(np.isnan(above), np.nan, below)


def _as_prior(given: Prior | tuple[float, float]) -> Prior:
    if isinstance(given, Prior):
        return given
    if np.size(given) != 2:
        raise BarometreError("prior refusé : donner un Prior, ou ses deux paramètres (alpha, beta)")
    alpha, beta = map(float, as_numbers(alpha=given[0], beta=given[1], above=0))
    return Prior(alpha / (alpha + beta), alpha + beta)


# ---- indicators ---------------------------------------------------------------------------------


def shrink(
    tables: Tables | Mapping[str, pd.DataFrame],
    indicators: str | Iterable[str] | None = None,
    *,
    design: SurveyDesign | None = None,
) -> pd.DataFrame:
    """Estimate the shares of small territories by drawing them towards the mean of their level.

    Parameters
    ----------
    tables : Tables or mapping of str to DataFrame
        Input tables, by name.
    indicators : str or iterable of str, optional
        Shares to estimate; by default all those that the tables allow.
    design : SurveyDesign, optional
        SurveyDesign effects and level; by default ``SurveyDesign()``.

    Returns
    -------
    DataFrame
        As `compute` gives it, with the estimate as ``valeur``, its interval, the origin
        ``"estime"`` and a note that gives the raw rate, its weight and the mean. The territories of
        one level and one year are drawn towards their pooled rate. Values without counts
        (published, estimated) are as `compute` gives them, with a note. A census share whose
        sampling fraction is unknown (`compute` says when) has no estimate: ``non_disponible``.

    Raises
    ------
    BarometreError
        An indicator asked for by name that is no share of counts; as `compute`.

    Notes
    -----
    `shrink_rates`. The counts of the census are first brought to the size of the simple random
    sample that would inform as much (`uncertainty.effective_size`), those of registers are taken as
    they are. An estimate is for comparing small territories, not for replacing their figure.

    Examples
    --------
    >>> counts = pd.DataFrame(
    ...     {
    ...         "code": ["59172", "59446", "59002"],
    ...         "annee": 2021,
    ...         "demandeurs_abc": [1000, 200, 50],
    ...         "demandeurs_abc_femmes": [500, 130, 15],
    ...     }
    ... )
    >>> shrink({"demandeurs_emploi": counts}, "part_femmes_defm")["valeur"].round(1).tolist()
    [50.0, 63.9, 35.5]
    """
    checked, assumed = as_tables(tables), as_design(design)
    cards = {card.id: card for card in load_cards().values() if _share(card) is not None}
    asked = None if indicators is None else _asked(indicators, cards)
    results = compute(checked, asked)
    results = results[results["indicateur"].isin(cards)].reset_index(drop=True)
    size, by_indicator = np.full(len(results), np.nan), results.groupby("indicateur").indices
    for name, rows in by_indicator.items():
        keys = pd.MultiIndex.from_frame(results.loc[rows, list(KEY)])
        size[rows] = _size(cards[str(name)], checked, keys, assumed)
    known = results["statut"] == "ok"
    counted_here = known & (results["origine"] == "calcule")
    lost, drawn = counted_here & np.isnan(size), counted_here & ~np.isnan(size)
    said = np.full(len(results), "", dtype=object)
    said[known & ~counted_here] = "valeur sans effectifs, non lissée"
    said[lost] = "lissage impossible : fraction de sondage inconnue"
    results.loc[lost, "valeur"] = np.nan
    results.loc[lost, "statut"] = "non_disponible"
    results.loc[drawn, "origine"] = "estime"
    levels = _levels(results["code"], checked)
    for _, group in results[drawn].groupby(["indicateur", "annee", levels[drawn]], sort=False):
        n, raw = size[group.index], group["valeur"] / 100
        prior = estimate_prior(raw * n, n)
        rates = shrink_rates(raw * n, n, prior=prior, level=assumed.level)
        limits, mean = ["valeur", "borne_inf", "borne_sup"], format_number(100 * prior.mean, 1)
        results.loc[group.index, limits] = 100 * rates[limits]
        said[group.index.to_numpy()] = [
            f"lissé : taux brut {format_number(100 * own, 1)}, poids {format_number(weight, 2)},"
            f" moyenne {mean}"
            for own, weight in zip(raw, rates["poids"], strict=True)
        ]
    note = (results["note"].fillna("") + " ; " + pd.Series(said, dtype="str")).str.strip(" ;")
    return results.assign(note=note.where(note != "").astype("str"))


def _asked(indicators: str | Iterable[str], cards: Mapping[str, Card]) -> list[str]:
    """Refuse the indicators that are no shares of counts."""
    names = [indicators] if isinstance(indicators, str) else list(dict.fromkeys(indicators))
    others = [indicator_card(name).id for name in names if name not in cards]
    if others:
        raise BarometreError(
            f"{counted(len(others), 'indicateur')} sans lissage : {', '.join(others)} ; seules s'y"
            " prêtent les parts d'un effectif dans un autre, d'un recensement ou d'un registre"
        )
    return names


def _share(card: Card) -> Fraction | None:
    """Return the division of an indicator that is a share of counts: others are not binomial."""
    divided = [f for f in plan_of(card).fractions if f.below is not None]
    return divided[0] if card.nature == "part" and len(divided) == 1 else None


def _size(card: Card, tables: Tables, keys: pd.MultiIndex, design: SurveyDesign) -> Floats:
    """Return the denominators of an indicator; those of the census as effective sizes."""
    places = places_of(tables, keys)
    strata = strata_of(card, tables, keys, None, places)
    division = _share(card)
    if strata is None or division is None or division.below is None:
        return np.full(len(keys), np.nan)
    n = weighed(strata.counts, division.below)
    if card.exploitation not in ("principale", "complementaire"):
        return n
    fraction = places.fraction(card.exploitation)
    return effective_size(n, fraction=fraction, deff=deff_of(card, division, design))


def _levels(codes: pd.Series[str], tables: Tables) -> pd.Series[str]:
    """Return the level of each territory: as told, else by the form of its code."""
    told = tables.territoires["niveau"].replace("", np.nan).dropna()
    levels = {code: told.get(code, level_of(code)) for code in codes.unique()}
    return codes.map(levels).rename("niveau")
