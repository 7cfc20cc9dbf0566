"""The logistic regression behind attrition and propensity weights, and its joint test."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, number_text, p_text
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.inference.estimates import student_interval, term_sentences
from barometre.cohort.rows.columns import as_binary, as_weights, require_columns
from barometre.cohort.rows.covariates import complete_columns

_CERTAIN = 1e-10


@dataclass(frozen=True)
class LogitFit(Face):
    """A fitted logistic regression.

    Attributes
    ----------
    table : Tidy
        ``term, estimate, se, statistic, df, p, low, high, odds_ratio``; ``const`` first.
    probability : Series
        Fitted probability of each person, on the index of the frame.
    statistic, df, p : float
        Joint test that no covariate matters: likelihood ratio, chi-squared.
    """

    table: Tidy
    probability: pd.Series[float] = field(repr=False)
    statistic: float
    df: int
    p: float

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: see ``table``."""
        return self.table.meta

    def sentences(self) -> list[str]:
        """Say the joint test, then the coefficients."""
        title, *others = self.table.summary().splitlines()
        test = (
            f"Test conjoint : statistique {number_text(self.statistic, 2)} "
            f"({counted_text(self.df, 'coefficient')}), {p_text(self.p)}."
        )
        return [title, test, *others]


def fit_logit(
    frame: pd.DataFrame,
    outcome: str,
    covariates: Sequence[str],
    *,
    weight: str | None = None,
) -> LogitFit:
    """Regress a yes/no outcome on covariates.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    outcome : str
        Column of 0 and 1.
    covariates : sequence of str
        Columns; texts and categories are coded against their first category. None is a constant
        probability.
    weight : str, optional
        Column of positive weights: the point estimates are weighted, standard errors are robust
        (HC0), and the joint test is then a Wald test.

    Returns
    -------
    LogitFit

    Raises
    ------
    BarometreError
        Missing values, an outcome that never varies, collinear covariates, or covariates that
        predict the outcome perfectly for someone (no finite estimate exists).

    Notes
    -----
    Maximum likelihood by Newton's method (statsmodels).

    Examples
    --------
    >>> people = pd.DataFrame({"lost": [0, 0, 0, 1, 0, 1, 1, 1], "arm": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> fit = fit_logit(people, "lost", ["arm"])
    >>> fit.table["odds_ratio"].round(6).tolist()
    [0.333333, 9.0]
    """
    from scipy import stats

    require_columns(frame, [outcome, weight])
    y = as_binary(frame[outcome], outcome)
    if y.min() == y.max():
        raise BarometreError(f"{outcome} : toujours la même valeur ; rien à expliquer")
    columns = complete_columns(frame, covariates) if len(covariates) else frame.iloc[:, :0]
    x = np.column_stack([np.ones(len(y)), columns.to_numpy(np.float64)])
    names = ["const", *columns.columns]
    _refuse_collinear(x, names)
    w = as_weights(frame[weight], weight) if weight is not None else None
    estimate, covariance, probability = _fit(x, y, w)
    _refuse_separated(probability, y, outcome)
    se = np.sqrt(np.diag(covariance))
    df = len(names) - 1
    statistic = _joint(y, probability) if w is None else _wald(estimate[1:], covariance[1:, 1:])
    _, p, low, high = student_interval(estimate, se, np.inf)
    table = pd.DataFrame(
        {
            "term": names,
            "estimate": estimate,
            "se": se,
            "statistic": estimate / se,
            "df": np.inf,
            "p": p,
            "low": low,
            "high": high,
            "odds_ratio": np.exp(estimate),
        }
    )
    return LogitFit(
        table=tidy(
            table,
            sentences=term_sentences,
            method="régression logistique" + (" pondérée" if w is not None else ""),
            convention="test joint : " + ("Wald robuste" if w is not None else "vraisemblance"),
            outcome=outcome,
            n_in=len(y),
            n_used=len(y),
            lost={},
        ),
        probability=pd.Series(probability, index=frame.index, name="probability"),
        statistic=max(statistic, 0.0),
        df=df,
        p=float(stats.chi2.sf(statistic, df)) if df else np.nan,
    )


def _fit(x: Floats, y: Floats, w: Floats | None) -> tuple[Floats, Floats, Floats]:
    """Return the coefficients, their covariance and the fitted probabilities."""
    import statsmodels.api as sm

    # Newton's steps are taken on centred and scaled columns, so that ages squared converge too.
    centre, scale = x.mean(axis=0), x.std(axis=0)
    centre[0], scale[0] = 0.0, 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # separation is told in our words by the caller
        z = (x - centre) / scale
        if w is None:
            fit = sm.Logit(y, z).fit(method="newton", tol=1e-14, maxiter=60, disp=False)
            covariance = fit.cov_params()
        else:
            model = sm.GLM(y, z, family=sm.families.Binomial(), freq_weights=w)
            fit = model.fit(tol=1e-14, maxiter=100, tol_criterion="params")
            covariance = _robust(z, y, w, np.asarray(fit.params))
    back = np.diag(1 / scale)
    back[0, 1:] = -centre[1:] / scale[1:]
    probability = 1 / (1 + np.exp(-(z @ fit.params)))
    return back @ fit.params, back @ covariance @ back.T, probability


def _joint(y: Floats, probability: Floats) -> float:
    """Likelihood ratio of the fit against a constant probability."""
    share = y.mean()
    null = len(y) * (share * np.log(share) + (1 - share) * np.log(1 - share))
    fitted = np.sum(np.log(np.where(y == 1, probability, 1 - probability)))
    return float(2 * (fitted - null))


def _wald(shift: Floats, covariance: Floats) -> float:
    return float(shift @ np.linalg.solve(covariance, shift)) if len(shift) else 0.0


def _refuse_collinear(x: Floats, names: Sequence[str]) -> None:
    spread = np.abs(x).max(axis=0)
    scaled = x / np.where(spread == 0, 1, spread)
    for size in range(1, x.shape[1] + 1):
        if np.linalg.matrix_rank(scaled[:, :size]) < size:
            raise BarometreError(
                f"« {names[size - 1]} » est constante ou se déduit des covariables qui la"
                " précèdent ; la retirer"
            )


def _refuse_separated(probability: Floats, y: Floats, name: str) -> None:
    certain = np.abs(y - probability) < _CERTAIN
    if certain.any() or not np.isfinite(probability).all():
        raise BarometreError(
            f"{name} : les covariables le prédisent à coup sûr pour {int(certain.sum())} personnes"
            " ; regrouper des catégories ou retirer la covariable en cause"
        )


def _robust(
    z: Floats,
    y: Floats,
    w: Floats,
    params: Floats,
) -> Floats:
    p = 1 / (1 + np.exp(-(z @ params)))
    bread = np.linalg.inv((z * (w * p * (1 - p))[:, None]).T @ z)
    scores = z * (w * (y - p))[:, None]
    return np.asarray(bread @ (scores.T @ scores) @ bread, float)
