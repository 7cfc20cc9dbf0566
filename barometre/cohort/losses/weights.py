"""Weights that make the arms, or those who stayed, look like everyone: two objects, never mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError
from barometre.base.face import Face, capital, counted_text, kept_sentences, number_text
from barometre.base.tidy import Tidy, tidy
from barometre.base.version import __version__
from barometre.cohort.inference.estimates import Estimate, make_estimate
from barometre.cohort.inference.sandwich import (
    CONVENTIONS,
    StandardError,
    check_standard_error,
    cluster_robust,
)
from barometre.cohort.losses.alike import balance_table, effective_size, masses
from barometre.cohort.losses.logit import LogitFit, fit_logit
from barometre.cohort.rows.columns import (
    as_binary,
    as_codes,
    as_numbers,
    as_weights,
    require_columns,
)
from barometre.cohort.rows.covariates import two_arms

Estimand = Literal["att", "ate"]


@dataclass(frozen=True)
class TreatmentWeights(Face):
    """Inverse probability of treatment weights.

    Attributes
    ----------
    weight, score : Series
        Weight and propensity score of each person, on the index of the frame.
    ess : dict of str to float
        Effective sample size of each arm.
    overlap : Tidy
        ``arm, n, low, q05, median, q95, high, n_outside``: the scores of each arm, and how many are
        beyond the range of the other arm.
    balance : Tidy
        `balance_table` after weighting.
    fit : LogitFit
        The regression of the arm.
    survey : Series or None
        Survey weights that ``weight`` is a multiple of.
    """

    weight: pd.Series[float] = field(repr=False)
    score: pd.Series[float] = field(repr=False)
    ess: dict[str, float]
    overlap: Tidy = field(repr=False)
    balance: Tidy = field(repr=False)
    fit: LogitFit = field(repr=False)
    meta: dict[str, Any] = field(repr=False)
    survey: pd.Series[float] | None = field(default=None, repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """``weight`` and ``score`` of each person, under the index of the frame."""
        return pd.DataFrame({"weight": self.weight, "score": self.score})

    def sentences(self) -> list[str]:
        """Say what the weighted arms are worth, how alike they are, and who has no counterpart."""
        outside = int(self.overlap["n_outside"].sum())
        ess = number_text(self.ess["treated"]), number_text(self.ess["control"])
        return [
            f"{capital(str(self.meta['method']))}.",
            f"Effectif efficace : {ess[0]} traités, {ess[1]} de la comparaison.",
            *self.balance.summary().splitlines()[1:3],
            f"Hors du recouvrement des scores : {counted_text(outside, 'personne')}.",
            *_trim_sentences(self.meta),
            *kept_sentences(self.meta),
        ]


@dataclass(frozen=True)
class AttritionWeights(Face):
    """Inverse probability of observation weights.

    Attributes
    ----------
    weight : Series
        Weight of each person still observed, on the index of the frame; missing for the lost.
    probability : Series
        Probability of being observed.
    ess : float
        Effective sample size of those observed.
    balance : Tidy
        Everyone (treated) against those observed (control), before and after weighting: the
        weighted differences say whether those who stayed now look like all.
    fit : LogitFit or None
        The regression of being observed; None when nobody was lost.
    survey : Series or None
        Survey weights that ``weight`` is a multiple of.
    """

    weight: pd.Series[float] = field(repr=False)
    probability: pd.Series[float] = field(repr=False)
    ess: float
    balance: Tidy = field(repr=False)
    fit: LogitFit | None = field(repr=False)
    meta: dict[str, Any] = field(repr=False)
    survey: pd.Series[float] | None = field(default=None, repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """``weight`` and ``probability`` of each person, under the index of the frame."""
        return pd.DataFrame({"weight": self.weight, "probability": self.probability})

    def sentences(self) -> list[str]:
        """Say what those observed are worth, and how like everyone they are."""
        seen = number_text(self.meta["n_used"])
        return [
            f"{capital(str(self.meta['method']))}.",
            f"Effectif efficace : {number_text(self.ess)} pour {seen} personnes observées.",
            *self.balance.summary().splitlines()[1:3],
            *_trim_sentences(self.meta),
            *kept_sentences(self.meta),
            "Attention : suppose que les pertes ne dépendent que des covariables données.",
        ]


def propensity_weights(
    frame: pd.DataFrame,
    arm: str,
    covariates: Sequence[str],
    *,
    treated: object = None,
    estimand: Estimand = "att",
    stabilised: bool = False,
    trim: float | None = None,
    weight: str | None = None,
) -> TreatmentWeights:
    """Weight the arms by the inverse of the probability of the arm they are in.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    arm : str
        Column of the arm, of two values.
    covariates : sequence of str
        Baseline covariates, none missing.
    treated : object, optional
        Value of the treated; needed unless the arm is 0 and 1, or booleans.
    estimand : {"att", "ate"}
        Effect on the treated (treated 1, comparison p / (1 - p)) or on everyone (1 / p and
        1 / (1 - p)).
    stabilised : bool, default False
        Multiply by the share of the arm (``"ate"`` only: it would change nothing for the treated).
    trim : float, optional
        Quantile above which weights of each arm are brought down, e.g. 0.99.
    weight : str, optional
        Column of survey weights, which enter the regression and multiply the result.

    Returns
    -------
    TreatmentWeights

    Raises
    ------
    BarometreError
        See `fit_logit`; ``stabilised`` with ``"att"``; ``trim`` outside 0.5-1.

    Notes
    -----
    Hirano & Imbens (2001) and Hirano, Imbens & Ridder (2003); stabilised: Robins, Hernán & Brumback
    (2000); trimming at a quantile: Cole & Hernán (2008).
    """
    if estimand not in ("att", "ate"):
        raise BarometreError(f"estimand={estimand!r} ; « att » ou « ate »")
    if stabilised and estimand == "att":
        raise BarometreError("stabilised n'a d'effet que pour « ate » ; le retirer")
    _check_trim(trim)
    mine = two_arms(frame, arm, treated)
    require_columns(frame, [weight])
    frame = frame.assign(**{arm: mine.astype(np.int64)})
    fit = fit_logit(frame, arm, covariates, weight=weight)
    p = np.asarray(fit.probability, np.float64)
    survey = np.ones(len(frame)) if weight is None else as_numbers(frame[weight], weight)
    if estimand == "att":
        w = np.where(mine, 1.0, p / (1 - p))
    else:
        w = np.where(mine, 1 / p, 1 / (1 - p))
    if stabilised:
        share = (survey * mine).sum() / survey.sum()
        w = w * np.where(mine, share, 1 - share)
    w, trimmed = _trimmed(w, trim, [mine, ~mine])
    total = pd.Series(w * survey, index=frame.index, name="weight")
    return TreatmentWeights(
        weight=total,
        score=fit.probability.rename("score"),
        ess={
            "treated": effective_size(total.to_numpy()[mine]),
            "control": effective_size(total.to_numpy()[~mine]),
        },
        overlap=_overlap(p, mine),
        balance=balance_table(frame, arm, covariates, total),
        fit=fit,
        meta={
            "method": f"pondération inverse, {estimand.upper()}",
            "convention": "stabilisée" if stabilised else "non stabilisée",
            "trim": trim,
            "n_trimmed": trimmed,
            "n_in": len(frame),
            "n_used": len(frame),
            "lost": {},
            "version": __version__,
        },
        survey=None if weight is None else pd.Series(survey, frame.index),
    )


def attrition_weights(
    frame: pd.DataFrame,
    observed: str,
    covariates: Sequence[str],
    *,
    numerator: Sequence[str] = (),
    stabilised: bool = True,
    trim: float | None = None,
    weight: str | None = None,
) -> AttritionWeights:
    """Weight those still observed by the inverse of their probability of being so.

    Parameters
    ----------
    frame : DataFrame
        One row per person of the first wave.
    observed : str
        Column of 0 (lost) and 1 (observed at the later wave).
    covariates : sequence of str
        What is known of everyone at the first wave (the arm and the first outcome included, when
        losses depend on them), none missing.
    numerator : sequence of str, default ()
        Covariates of the probability in the numerator of a stabilised weight: usually the arm, or
        nothing for the overall share.
    stabilised : bool, default True
        Divide the probability given ``numerator`` by that given ``covariates``; else 1 by it.
    trim : float, optional
        Quantile above which weights are brought down, e.g. 0.99, before survey weights.
    weight : str, optional
        Column of survey weights, which enter the regressions and multiply the result.

    Returns
    -------
    AttritionWeights
        Without any loss, every weight is 1 (that of the survey with ``weight``).

    Raises
    ------
    BarometreError
        See `fit_logit`; everyone lost; ``numerator`` without ``stabilised``.

    Notes
    -----
    Robins, Rotnitzky & Zhao (1995); Hernán & Robins (2020), chapter 12. Losses must depend on the
    covariates alone.

    Examples
    --------
    >>> people = pd.DataFrame({"seen": [1, 1, 1, 0, 1, 0], "young": [0, 0, 0, 0, 1, 1]})
    >>> attrition_weights(people, "seen", ["young"], stabilised=False).weight.round(6).tolist()
    [1.333333, 1.333333, 1.333333, nan, 2.0, nan]
    """
    _check_trim(trim)
    numerator = [numerator] if isinstance(numerator, str) else list(numerator)
    if numerator and not stabilised:
        raise BarometreError("numerator n'a d'effet qu'avec stabilised=True")
    require_columns(frame, [observed, weight])
    survey = np.ones(len(frame))
    if weight is not None:
        as_weights(frame[weight], weight)  # refuses what is not positive; its scale is not kept
        survey = as_numbers(frame[weight], weight)
    seen = as_binary(frame[observed], observed).astype(bool)
    if not seen.any():
        raise BarometreError(f"{observed} : tout le monde est perdu ; rien à pondérer")
    fit = None
    p, above = np.ones(len(frame)), np.ones(len(frame))
    if not seen.all():
        fit = fit_logit(frame, observed, covariates, weight=weight)
        p = np.asarray(fit.probability, np.float64)
        if stabilised:
            share = fit_logit(frame, observed, numerator, weight=weight)
            above = np.asarray(share.probability, np.float64)
    w, trimmed = _trimmed(above / p, trim, [seen])
    total = pd.Series(np.where(seen, w * survey, np.nan), index=frame.index, name="weight")
    return AttritionWeights(
        weight=total,
        probability=pd.Series(p, index=frame.index, name="probability"),
        ess=effective_size(total.to_numpy()),
        balance=_against_everyone(frame, total, survey, covariates),
        fit=fit,
        meta={
            "method": "pondération inverse de la probabilité d'être observé",
            "convention": "stabilisée" if stabilised else "non stabilisée",
            "numerator": numerator,
            "trim": trim,
            "n_trimmed": trimmed,
            "n_in": len(frame),
            "n_used": int(seen.sum()),
            "lost": {"perdu": int((~seen).sum())},
            "version": __version__,
        },
        survey=None if weight is None else pd.Series(survey, frame.index),
    )


def combine_weights(treatment: TreatmentWeights, attrition: AttritionWeights) -> pd.Series[float]:
    """Multiply treatment weights by attrition weights, explicitly.

    Parameters
    ----------
    treatment : TreatmentWeights
        Weights of the arms.
    attrition : AttritionWeights
        Weights of those observed, for the same people.

    Returns
    -------
    Series
        Products; missing for the lost. Survey weights that both hold count once.

    Raises
    ------
    BarometreError
        Other types, other people, or other survey weights.
    """
    if not isinstance(treatment, TreatmentWeights) or not isinstance(attrition, AttritionWeights):
        raise BarometreError("donner des poids de traitement, puis des poids d'attrition")
    if not treatment.weight.index.equals(attrition.weight.index):
        raise BarometreError(
            "les deux jeux de poids ne portent pas sur les mêmes personnes ; les estimer tous deux"
            " sur celles de la première vague (panel.lost_at(...))"
        )
    both = treatment.weight * attrition.weight
    if treatment.survey is not None and attrition.survey is not None:
        if not np.allclose(treatment.survey, attrition.survey, rtol=1e-12):
            raise BarometreError(
                "les deux jeux de poids partent de poids de sondage différents ; donner les mêmes"
                " à tous deux, ou à un seul (weight=)"
            )
        both = both / treatment.survey
    return both.rename("weight")


def weighted_effect(
    frame: pd.DataFrame,
    outcome: str,
    arm: str,
    *,
    treated: object = None,
    weight: str | pd.Series[float] | None = None,
    cluster: str | None = None,
    se: StandardError = "CR0",
) -> Estimate:
    """Compare the weighted means of two arms.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    outcome : str
        Column of the outcome; people without one, or without weight, are left out and counted.
    arm : str
        Column of the arm, of two values.
    treated : object, optional
        Value of the treated; needed unless the arm is 0 and 1, or booleans.
    weight : str or Series, optional
        Column of weights, zero or more, or such weights under the index of the frame: those of
        `propensity_weights`, `attrition_weights` or `combine_weights`.
    cluster : str, optional
        Column of the cluster; the person by default.
    se : {"CR0", "CR1", "CR2", "HC1", "CR1S", "CR3"}, default "CR0"
        Standard error of the weighted regression on the arm, as in `cluster_robust`; with one
        person, one cluster, ``"CR0"`` is known as HC0 and ``"CR2"`` as HC2. It takes the weights as
        known, which is conservative for estimated propensity scores (Lunceford & Davidian 2004).

    Returns
    -------
    Estimate
        Difference of Hájek means; normal interval when the cluster is the person, Student with a
        cluster.

    Raises
    ------
    BarometreError
        An unknown column or ``se``, an arm that is not of two values or has nobody observed, a
        missing cluster, negative weights.

    Examples
    --------
    >>> people = pd.DataFrame({"y": [1, 3, 4, 8], "arm": [0, 0, 1, 1], "w": [3, 1, 1, 1]})
    >>> round(weighted_effect(people, "y", "arm", weight="w").estimate, 9)
    4.5
    """
    check_standard_error(se)
    named = weight if isinstance(weight, str) else None
    require_columns(frame, [outcome, arm, cluster, named])
    y = as_numbers(frame[outcome], outcome, missing=True)
    mine = two_arms(frame, arm, treated)
    w = masses(frame, weight)
    kept = ~np.isnan(y) & (w > 0)
    groups = np.arange(len(y)) if cluster is None else as_codes(frame[cluster], cluster)[0]
    if mine[kept].min(initial=True) == mine[kept].max(initial=False):
        raise BarometreError("un bras n'a personne d'observé ; rien à comparer")
    rows = pd.DataFrame({"y": y, "arm": mine, "cluster": groups, "weight": w})[kept]
    fit = cluster_robust(rows, "y", "arm", cluster="cluster", se=se, weight="weight")
    row = fit.table[fit.table["term"] == "arm"].iloc[0]
    lost = {
        "résultat manquant": int(np.isnan(y).sum()),
        "poids nul ou manquant": int((~np.isnan(y) & ~(w > 0)).sum()),
    }
    meta = {
        "method": "différence de moyennes pondérées (Hájek)",
        "convention": CONVENTIONS[se]
        if cluster
        else f"{se}, une personne, une grappe ; loi normale",
        "outcome": outcome,
        "n_in": len(y),
        "n_used": int(kept.sum()),
        "n_clusters": fit.meta["n_clusters"],
        "lost": {reason: number for reason, number in lost.items() if number},
        "cluster": cluster or "la personne",
    }
    df = np.inf if cluster is None else float(row["df"])
    return make_estimate(float(row["estimate"]), float(row["se"]), df, int(kept.sum()), meta)


def _trim_sentences(meta: dict[str, Any]) -> list[str]:
    if meta["trim"] is None:
        return []
    quantile = number_text(meta["trim"], 2)
    many = counted_text(meta["n_trimmed"], "poids ramené", "poids ramenés")
    return [f"{many} au quantile {quantile}."]


def _check_trim(trim: float | None) -> None:
    if trim is not None and not 0.5 <= trim <= 1:
        raise BarometreError(f"trim={trim} ; un quantile entre 0,5 et 1, ou rien")


def _trimmed(w: Floats, trim: float | None, groups: Sequence[Booleans]) -> tuple[Floats, int]:
    if trim is None:
        return w, 0
    limited = w.copy()
    for group in groups:
        limited[group] = np.minimum(w[group], np.quantile(w[group], trim))
    return limited, int((limited < w).sum())


def _overlap(score: Floats, treated: Booleans) -> Tidy:
    rows = []
    for name, here in (("treated", treated), ("control", ~treated)):
        mine, other = score[here], score[~here]
        outside = int(((mine < other.min()) | (mine > other.max())).sum())
        rows.append((name, len(mine), *np.quantile(mine, [0, 0.05, 0.5, 0.95, 1]), outside))
    columns = ["arm", "n", "low", "q05", "median", "q95", "high", "n_outside"]
    return tidy(pd.DataFrame(rows, columns=columns), method="recouvrement des scores")


def _against_everyone(
    frame: pd.DataFrame, weight: pd.Series[float], survey: Floats, covariates: Sequence[str]
) -> Tidy:
    """Everyone against those observed, stacked: the same person may be in both."""
    seen = weight.notna().to_numpy()
    n = int(seen.sum())
    side = np.repeat([1, 0], [len(frame), n])
    both = pd.concat([frame, frame[seen]], ignore_index=True).assign(_everyone=side)
    w = np.concatenate([survey, weight.to_numpy()[seen]])
    table = balance_table(both, "_everyone", covariates, w, "treated")
    table.meta |= {"n_in": len(frame), "n_used": n, "lost": {"perdu": len(frame) - n}}
    return table
