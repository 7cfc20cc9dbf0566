"""Attrition: who is lost, whether the arms lose alike, and what losses can do to an effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError
from barometre.base.face import (
    Face,
    capital,
    decimals_of,
    interval_text,
    kept_sentences,
    level_text,
    number_text,
    p_text,
    percent_text,
)
from barometre.base.french import format_number
from barometre.base.tidy import Tidy, tidy
from barometre.base.version import __version__
from barometre.cohort.losses.alike import Denominator, balance_table, effective_size, masses
from barometre.cohort.losses.logit import LogitFit, fit_logit
from barometre.cohort.rows.columns import as_binary, as_codes, as_numbers, require_columns
from barometre.cohort.rows.covariates import two_arms
from barometre.engine.sampling import newcombe, score_interval

NO_WEIGHT = "poids nul ou manquant"


def attrition(
    frame: pd.DataFrame,
    lost: str,
    arm: str,
    *,
    treated: object = None,
    weight: str | pd.Series[float] | None = None,
    level: float = 0.95,
) -> Tidy:
    """Compare the shares of people lost in two arms.

    Parameters
    ----------
    frame : DataFrame
        One row per person of the first wave.
    lost : str
        Column of 0 (still there) and 1 (lost).
    arm : str
        Column of the arm, of two values.
    treated : object, optional
        Value of the treated; needed unless the arm is 0 and 1, or booleans.
    weight : str or Series, optional
        Weights of the first wave, zero or more, in a column or under the index of the frame; who
        has none is left out and counted.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Tidy
        Rows ``control``, ``treated`` and ``difference`` in ``group``: ``n, n_lost, rate, low,
        high`` (shares from 0 to 1; Wilson, and Newcombe for the difference), ``statistic, p``
        (difference only: normal test with the pooled variance, missing when nobody or everybody
        is lost). With weights, ``n`` and ``n_lost`` are people, the rates are weighted, and
        ``n_eff`` is the size of a sample without weights that would be as precise: it takes the
        place of ``n`` in limits and test.

    Raises
    ------
    BarometreError
        A column absent, losses other than 0 and 1, an arm that is not of two values, negative
        weights, an arm without weight.

    Notes
    -----
    Effective sizes: p (1 - p) over the linearised variance of p, sum(w^2 (y - p)^2) / sum(w)^2
    (Rao & Scott, 1992, Biometrics 48, for the test); Kish's where nobody or everybody is lost.

    Examples
    --------
    >>> people = pd.DataFrame({"arm": [0] * 4 + [1] * 4, "lost": [0, 0, 0, 1, 0, 1, 1, 1]})
    >>> attrition(people, "lost", "arm")["rate"].tolist()
    [0.25, 0.75, 0.5]
    """
    from scipy import stats

    mine, gone = two_arms(frame, arm, treated), _lost(frame, lost)
    w = np.nan_to_num(masses(frame, weight))
    arms = [(w > 0) & ~mine, (w > 0) & mine]
    if not all(here.any() for here in arms):
        raise BarometreError("weight : un bras n'a aucun poids ; rien à comparer")
    n = np.array([here.sum() for here in arms])
    k = np.array([gone[here].sum() for here in arms])
    rate, size = k / n, n.astype(np.float64)
    if weight is not None:
        rate, size = np.transpose([_weighted_share(gone[here], w[here]) for here in arms])
    low, high = score_interval(rate, 1 / size, level)
    gap_low, gap_high = newcombe(low[1], high[1], rate[1], low[0], high[0], rate[0])
    pooled = (size * rate).sum() / size.sum()
    error = np.sqrt(pooled * (1 - pooled) * (1 / size).sum())
    statistic = (rate[1] - rate[0]) / error if error > 0 else np.nan
    table = pd.DataFrame(
        {
            "group": ["control", "treated", "difference"],
            "n": [*n, n.sum()],
            "n_lost": [*k.astype(np.int64), int(k.sum())],
            **({} if weight is None else {"n_eff": [*size, size.sum()]}),
            "rate": [*rate, rate[1] - rate[0]],
            "low": [*low, float(gap_low)],
            "high": [*high, float(gap_high)],
            "statistic": [np.nan, np.nan, statistic],
            "p": [np.nan, np.nan, 2 * stats.norm.sf(abs(statistic))],
        }
    )
    left_out = len(frame) - int(n.sum())
    of_sizes = "" if weight is None else ", sur des effectifs efficaces (Rao et Scott, 1992)"
    return tidy(
        table,
        sentences=_sentences,
        method="taux d'attrition par bras" + ("" if weight is None else ", pondérés"),
        convention=f"Wilson et Newcombe à {level_text(level)}, test normal à variance commune"
        + of_sizes,
        n_in=len(frame),
        n_used=int(n.sum()),
        lost={NO_WEIGHT: left_out} if left_out else {},
    )


def _weighted_share(y: Floats, w: Floats) -> tuple[float, float]:
    """Return a weighted share and its effective size."""
    mass = w / w.sum()
    share = float(np.clip(mass @ y, 0.0, 1.0))
    if y.min() == y.max():
        return float(y[0]), effective_size(w)
    return share, share * (1 - share) / float((mass**2) @ (y - share) ** 2)


def _sentences(table: pd.DataFrame) -> list[str]:
    """Say who loses how many, and the difference."""
    rows = {row["group"]: row for row in table.to_dict("records")}
    lines = []
    for group, name in (("control", "Comparaison"), ("treated", "Traités")):
        row = rows[group]
        low, high = percent_text(row["low"]), percent_text(row["high"])
        people = f"{number_text(row['n_lost'])} sur {number_text(row['n'])}"
        lines.append(
            f"{name} : {percent_text(row['rate'])} de perdus ({people}"
            f"{', sans poids' if 'n_eff' in row else ''}), intervalle [{low} ; {high}]."
        )
    gap = rows["difference"]
    points = [100 * gap[name] for name in ("rate", "low", "high")]
    lines.append(
        f"Écart : {number_text(points[0], 1, signed=True)} points "
        f"{interval_text(points[1], points[2], 1)}, {p_text(gap['p'])}."
    )
    return lines


def attrition_model(
    frame: pd.DataFrame, lost: str, covariates: Sequence[str], *, weight: str | None = None
) -> LogitFit:
    """Regress being lost on what was known at the first wave; `fit_logit`, with its joint test.

    Parameters
    ----------
    frame : DataFrame
        One row per person of the first wave.
    lost : str
        Column of 0 and 1.
    covariates : sequence of str
        Baseline columns; put the arm, and its products, to see whether arms lose differently.
    weight : str, optional
        Column of weights.

    Returns
    -------
    LogitFit
        ``table`` with odds ratios; ``statistic, df, p`` of the joint test.

    Raises
    ------
    BarometreError
        See `fit_logit`.
    """
    _lost(frame, lost)
    return fit_logit(frame, lost, covariates, weight=weight)


def stayers_and_lost(
    frame: pd.DataFrame,
    lost: str,
    covariates: Sequence[str],
    *,
    weight: str | pd.Series[float] | None = None,
    denominator: Denominator = "pooled",
) -> Tidy:
    """Compare at baseline those who were lost with those who stayed.

    Parameters
    ----------
    frame : DataFrame
        One row per person, at the first wave.
    lost : str
        Column of 0 and 1.
    covariates : sequence of str
        Columns of numbers or categories, as in `attrition_model`.
    weight : str or Series, optional
        See `balance_table`.
    denominator : {"pooled", "treated", "control", "all"}
        See `balance_table`; the lost stand for the treated.

    Returns
    -------
    Tidy
        `balance_table` with ``lost`` and ``stayed`` in the names of the columns.

    Raises
    ------
    BarometreError
        Nobody lost or nobody left.
    """
    table = balance_table(frame, lost, covariates, weight, denominator)
    names = {
        name: name.replace("treated", "lost").replace("control", "stayed") for name in table.columns
    }
    meta = {
        name.replace("treated", "lost").replace("control", "stayed"): value
        for name, value in table.meta.items()
    }
    return tidy(table.rename(columns=names), **meta | {"method": "perdus comparés aux présents"})


@dataclass(frozen=True)
class LeeBounds(Face):
    """Bounds of the effect on those who would stay in either arm.

    Attributes
    ----------
    low, high : float
        Bounds of the effect.
    trimmed_share : float
        Share of the observed outcomes of ``trimmed_arm`` that are cut off.
    trimmed_arm : str
        ``"treated"``, ``"control"``, or ``"none"`` when both arms lose alike.
    retention_treated, retention_control : float
        Shares still observed.
    n, n_observed : int
        People, and those observed.
    interval : tuple of float or None
        Interval of the effect (Imbens & Manski 2004), after a bootstrap.
    meta : dict
        ``method``, ``convention``, ``n_in``, ``n_used``, ``lost``, ``draws``, ``level``, ``seed``.
    """

    low: float
    high: float
    trimmed_share: float
    trimmed_arm: str
    retention_treated: float
    retention_control: float
    n: int
    n_observed: int
    interval: tuple[float, float] | None
    meta: dict[str, Any] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row: ``low, high, interval_low, interval_high, trimmed_arm, trimmed_share, n``..."""
        start, end = self.interval or (np.nan, np.nan)
        names = ("trimmed_arm", "trimmed_share", "retention_treated", "retention_control")
        row = {"low": self.low, "high": self.high, "interval_low": start, "interval_high": end}
        row |= {name: getattr(self, name) for name in (*names, "n", "n_observed")}
        return pd.DataFrame([row])

    def sentences(self) -> list[str]:
        """Say the bounds, who is trimmed, and what is supposed."""
        digits = decimals_of(self.high - self.low)
        kept = (percent_text(self.retention_treated), percent_text(self.retention_control))
        arms = {"treated": "bras traité", "control": "bras de comparaison"}
        lines = [
            f"{capital(str(self.meta['method']))} : l'effet est dans "
            f"{interval_text(self.low, self.high, digits)}.",
            f"Suivis : {kept[0]} des traités et {kept[1]} de la comparaison.",
        ]
        if self.trimmed_arm in arms:
            share = percent_text(self.trimmed_share)
            lines.append(f"Part coupée : {share} du {arms[self.trimmed_arm]}.")
        if self.interval is not None:
            interval = interval_text(*self.interval, digits)
            level = level_text(self.meta["level"])
            lines.append(f"Intervalle de l'effet à {level} : {interval}.")
        lines.append(
            "Suppose que l'action ne fait que retenir des personnes, ou ne fait que les éloigner."
        )
        return [*lines, *kept_sentences(self.meta)]


def lee_bounds(
    frame: pd.DataFrame,
    outcome: str,
    arm: str,
    *,
    treated: object = None,
    weight: str | pd.Series[float] | None = None,
    cluster: str | None = None,
    draws: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> LeeBounds:
    """Bound an effect when the arms do not lose people alike.

    Parameters
    ----------
    frame : DataFrame
        One row per person of the first wave.
    outcome : str
        Column of the outcome, missing for the lost.
    arm : str
        Column of the arm, of two values.
    treated : object, optional
        Value of the treated; needed unless the arm is 0 and 1, or booleans.
    weight : str or Series, optional
        Weights of the first wave, of the lost as of the others, zero or more, in a column or under
        the index of the frame; who has none is left out and counted.
    cluster : str, optional
        Column of the clusters drawn whole by the bootstrap; by default people, within arms.
    draws : int, default 0
        Bootstrap draws, 0 for no interval.
    level : float, default 0.95
        Confidence level of the interval.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    LeeBounds
        With equal retention both bounds are the difference of means. They are missing when an arm
        has no outcome left.

    Raises
    ------
    BarometreError
        A column absent, an arm that is not of two values, draws or level out of range, negative
        weights, an arm without weight.

    Notes
    -----
    Lee (2009): the arm that keeps more people loses a share of its highest, then of its lowest
    outcomes, equal to the relative difference of retention. The person at the cut counts for the
    fraction that makes the share exact. With weights, shares and cut are shares of the weights
    (Tauchmann, 2014, Stata Journal 14(4)). Supposes that the programme only ever keeps people in,
    or only ever drives them out. Interval: Imbens & Manski (2004).

    Examples
    --------
    >>> people = pd.DataFrame({"y": [1, 2, 3, 4, 0, None, 2, None], "arm": [1] * 4 + [0] * 4})
    >>> bounds = lee_bounds(people, "y", "arm")
    >>> bounds.low, bounds.high
    (0.5, 2.5)
    """
    require_columns(frame, [outcome, arm, cluster])
    y = as_numbers(frame[outcome], outcome, missing=True)
    mine = two_arms(frame, arm, treated)
    if draws < 0 or int(draws) != draws or not 0 < level < 1:
        raise BarometreError(
            f"draws={draws}, level={format_number(level)} ; draws entier positif, level entre 0 "
            "et 1"
        )
    w = np.nan_to_num(masses(frame, weight))
    kept, everyone = w > 0, len(y)
    if not (kept & mine).any() or not (kept & ~mine).any():
        raise BarometreError("weight : un bras n'a aucun poids ; rien à comparer")
    groups = None if cluster is None else as_codes(frame[cluster], cluster)[0][kept]
    y, mine, w = y[kept], mine[kept], w[kept]
    low, high, share, side = _bounds(y, mine, w)
    seen = ~np.isnan(y)
    lost = {"résultat manquant": int((~seen).sum()), NO_WEIGHT: int((~kept).sum())}
    return LeeBounds(
        low=low,
        high=high,
        trimmed_share=share,
        trimmed_arm=side,
        retention_treated=_kept_share(seen[mine], w[mine]),
        retention_control=_kept_share(seen[~mine], w[~mine]),
        n=len(y),
        n_observed=int(seen.sum()),
        interval=_interval(y, mine, w, groups, (low, high), draws, level, seed) if draws else None,
        meta={
            "method": "bornes de Lee (2009)" + ("" if weight is None else ", pondérées"),
            "convention": "coupe exacte, la personne à la limite compte pour une fraction",
            "n_in": everyone,
            "n_used": int(seen.sum()),
            "lost": {reason: n for reason, n in lost.items() if n or reason != NO_WEIGHT},
            "outcome": outcome,
            "cluster": cluster,
            "draws": draws,
            "level": level,
            "seed": seed,
            "version": __version__,
        },
    )


def _lost(frame: pd.DataFrame, lost: str) -> Floats:
    require_columns(frame, [lost])
    return as_binary(frame[lost], lost)


def _kept_share(seen: Booleans, w: Floats) -> float:
    return float(w[seen].sum() / w.sum())


def _bounds(y: Floats, treated: Booleans, w: Floats) -> tuple[float, float, float, str]:
    seen = ~np.isnan(y)
    one, zero = treated & seen, ~treated & seen
    if not (one.any() and zero.any()):
        return np.nan, np.nan, np.nan, "none"
    keep = _kept_share(seen[treated], w[treated]), _kept_share(seen[~treated], w[~treated])
    means = np.average(y[one], weights=w[one]), np.average(y[zero], weights=w[zero])
    if keep[0] == keep[1]:
        gap = float(means[0] - means[1])
        return gap, gap, 0.0, "none"
    share = float(1 - min(keep) / max(keep))
    if keep[0] > keep[1]:
        lowest, highest = _trimmed_means(y[one], w[one], share)
        return float(lowest - means[1]), float(highest - means[1]), share, "treated"
    lowest, highest = _trimmed_means(y[zero], w[zero], share)
    return float(means[0] - highest), float(means[0] - lowest), share, "control"


def _trimmed_means(values: Floats, w: Floats, share: float) -> tuple[float, float]:
    """Means without the highest share of the weights, and without the lowest."""
    order = np.argsort(values, kind="stable")

    def mean(rows: Integers) -> float:
        kept = w[rows].sum() * (1 - share)
        before = np.cumsum(w[rows]) - w[rows]
        mass = np.clip(kept - before, 0, w[rows])
        return float((values[rows] * mass).sum() / kept)

    return mean(order), mean(order[::-1])


def _interval(
    y: Floats,
    treated: Booleans,
    w: Floats,
    cluster: Integers | None,
    bounds: tuple[float, float],
    draws: int,
    level: float,
    seed: int,
) -> tuple[float, float]:
    """Interval that holds the effect, wherever it lies between the bounds."""
    from scipy import optimize, stats

    rng = np.random.default_rng(seed)
    found = np.empty((draws, 2))
    if cluster is None:
        pools = [np.flatnonzero(treated), np.flatnonzero(~treated)]
        for draw in range(draws):
            rows = np.concatenate([rng.choice(pool, size=len(pool)) for pool in pools])
            found[draw] = _bounds(y[rows], treated[rows], w[rows])[:2]
    else:
        members = [np.flatnonzero(cluster == one) for one in range(int(cluster.max()) + 1)]
        for draw in range(draws):
            chosen = rng.integers(len(members), size=len(members))
            rows = np.concatenate([members[one] for one in chosen])
            found[draw] = (
                _bounds(y[rows], treated[rows], w[rows])[:2]
                if 0 < treated[rows].sum() < len(rows)
                else (np.nan, np.nan)
            )
    errors = np.nanstd(found, axis=0, ddof=1)
    largest = errors.max()
    if not largest > 0:
        return bounds
    width = (bounds[1] - bounds[0]) / largest
    # One-sided when the bounds are far apart, two-sided when they meet.
    critical = optimize.brentq(
        lambda c: stats.norm.cdf(c + width) - stats.norm.cdf(-c) - level, 0.0, 10.0
    )
    return float(bounds[0] - critical * errors[0]), float(bounds[1] + critical * errors[1])
