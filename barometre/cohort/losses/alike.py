"""Are the arms alike? Table 1, standardised differences, and their joint test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError
from barometre.base.face import counted_text, number_text
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.losses.logit import LogitFit, fit_logit
from barometre.cohort.rows.columns import as_numbers, require_columns
from barometre.cohort.rows.covariates import covariate_columns, two_arms

WIDE = 0.1
"""Standardised difference above which arms are said to differ (Austin, 2009)."""

Denominator = Literal["treated", "control", "pooled", "all"]


def balance_table(
    frame: pd.DataFrame,
    arm: str,
    covariates: Sequence[str],
    weight: str | pd.Series[float] | npt.ArrayLike | None = None,
    denominator: Denominator = "treated",
    *,
    treated: object = None,
) -> Tidy:
    """Compare the arms, covariate by covariate.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    arm : str
        Column of the arm, of two values.
    covariates : sequence of str
        Columns; each category of a text is a row.
    weight : str, Series or array_like, optional
        Weights, zero or more, by label for a Series; a person of weight zero or missing is out of
        the weighted sample.
    denominator : {"treated", "control", "pooled", "all"}
        Standard deviation that divides the difference of means: of the treated, of the comparison,
        the square root of their mean variance, or of everyone. Always without weights, so that
        before and after are on the same scale.
    treated : object, optional
        Value of the treated; needed unless the arm is 0 and 1, or booleans.

    Returns
    -------
    Tidy
        One row per covariate: ``variable, mean_treated, mean_control, difference, smd, var_ratio,
        n_treated, n_control, n_missing``. With weights these columns are weighted, and those that
        end in ``_before`` are not. ``var_ratio`` is missing for a yes/no covariate, ``smd`` when
        the denominator is zero. A missing value leaves its covariate's row only, and is counted.

    Raises
    ------
    BarometreError
        A column absent, an arm that is not of two values, negative weights, no weight in an arm.

    Notes
    -----
    Standardised differences: Rosenbaum & Rubin (1985), Stuart (2010). Variances use n - 1, or
    sum(w) / (sum(w)^2 - sum(w^2)) with weights; a yes/no covariate has the variance p (1 - p).

    Examples
    --------
    >>> people = pd.DataFrame({"arm": [1, 1, 0, 0], "age": [20, 30, 30, 50]})
    >>> balance_table(people, "arm", ["age"])[["mean_treated", "mean_control", "smd"]].round(4)
       mean_treated  mean_control     smd
    0          25.0          40.0 -2.1213
    """
    if denominator not in ("treated", "control", "pooled", "all"):
        raise BarometreError(
            f"denominator={denominator!r} ; « treated », « control », « pooled » ou « all »"
        )
    mine = two_arms(frame, arm, treated)
    columns = covariate_columns(frame, covariates)
    w = _weights(frame, weight, mine)
    rows = [_row(str(name), columns[name].to_numpy(), mine, w, denominator) for name in columns]
    return tidy(
        pd.DataFrame(rows),
        sentences=_sentences,
        method="comparaison des bras",
        convention=f"écart-type du dénominateur : {denominator}, sans poids",
        n_in=len(frame),
        n_used=len(frame) if w is None else int((w > 0).sum()),
        lost={} if w is None else {"poids nul ou manquant": int((w == 0).sum())},
        n_treated=int(mine.sum()),
        n_control=int((~mine).sum()),
    )


def _sentences(table: pd.DataFrame) -> list[str]:
    """Say the widest standardised difference, before and after weighting."""
    after = [name for name in ("smd_before", "smd") if name in table]
    words = {"smd_before": "Avant pondération", "smd": "Après pondération"}
    lines = []
    for column in after:
        gaps = table[column].abs()
        title = words[column] if len(after) > 1 else "Bras tels quels"
        if gaps.notna().any():
            worst = int(np.nanargmax(gaps.to_numpy(np.float64)))
            lines.append(
                f"{title} : {int((gaps > WIDE).sum())} écarts standardisés au-dessus de "
                f"{number_text(WIDE, 1)} sur {len(table)} ; le plus large, "
                f"« {table['variable'].iloc[worst]} », {number_text(gaps.iloc[worst], 2)}."
            )
    missing = int(table["n_missing"].sum())
    if missing:
        lines.append(f"{counted_text(missing, 'valeur manquante', 'valeurs manquantes')}.")
    return lines


def balance_test(
    frame: pd.DataFrame,
    arm: str,
    covariates: Sequence[str],
    *,
    treated: object = None,
    weight: str | None = None,
) -> LogitFit:
    """Test jointly that the covariates do not tell the arms apart.

    Parameters
    ----------
    frame : DataFrame
        One row per person, without missing values.
    arm : str
        Column of two values.
    covariates : sequence of str
        Columns of numbers or categories.
    treated : object, optional
        The treated value of ``arm``, as in `balance_table`.
    weight : str, optional
        Column of positive weights.

    Returns
    -------
    LogitFit
        ``statistic, df, p``: likelihood ratio of the logistic regression of the arm on the
        covariates (Hansen & Bowers 2008 discuss it), Wald with weights.

    Raises
    ------
    BarometreError
        See `fit_logit`.
    """
    mine = two_arms(frame, arm, treated)
    return fit_logit(frame.assign(**{arm: mine}), arm, covariates, weight=weight)


def effective_size(weight: npt.ArrayLike) -> float:
    """Return Kish's (1965) effective sample size: (sum w)^2 / sum w^2.

    Parameters
    ----------
    weight : array-like of float
        Weights, 0 or more, of any scale.

    Returns
    -------
    float
        Number of people of equal weights worth as much; 0 without weight.

    Examples
    --------
    >>> effective_size([1, 1, 2])
    2.6666666666666665
    """
    w = np.asarray(weight, np.float64)
    w = w[~np.isnan(w)]
    squares = float((w**2).sum())
    return float(w.sum()) ** 2 / squares if squares else 0.0


def _weights(
    frame: pd.DataFrame,
    weight: str | pd.Series[float] | npt.ArrayLike | None,
    treated: Booleans,
) -> Floats | None:
    if weight is None:
        return None
    w = np.nan_to_num(masses(frame, weight))
    if not (w[treated].sum() > 0 and w[~treated].sum() > 0):
        raise BarometreError("weight : un bras n'a aucun poids ; rien à comparer")
    return w


def masses(frame: pd.DataFrame, weight: str | pd.Series[float] | npt.ArrayLike | None) -> Floats:
    """Return the weight of each row, 1 without weights, missing as it is; refuse a negative one."""
    if weight is None:
        return np.ones(len(frame))
    if isinstance(weight, str):
        require_columns(frame, [weight])
    given = frame[weight] if isinstance(weight, str) else weight_on_rows(weight, frame.index)
    w = as_numbers(given, "weight", missing=True)
    if (w < 0).any():
        raise BarometreError("weight : poids négatifs ; un poids est positif ou nul")
    return w


def weight_on_rows(weight: Any, index: pd.Index) -> Any:
    """Put weights on the rows of the frame: by label for a Series, in order otherwise."""
    if not isinstance(weight, pd.Series):
        if np.ndim(weight) != 1 or len(weight) != len(index):
            raise BarometreError(f"weight : donner {len(index)} poids, un par ligne")
        return weight
    if weight.index.equals(index):
        return weight
    if not (weight.index.is_unique and index.is_unique):
        raise BarometreError(
            "weight : index différent de celui du tableau, et des doublons ; aligner les lignes"
        )
    if not weight.index.isin(index).any():
        raise BarometreError("weight : aucun index commun avec le tableau ; les indexer pareil")
    return weight.reindex(index)


def _row(
    name: str, x: Floats, treated: Booleans, w: Floats | None, denominator: str
) -> dict[str, Any]:
    known = ~np.isnan(x)
    yes_no = bool(np.isin(x[known], (0.0, 1.0)).all())
    one, zero = x[known & treated], x[known & ~treated]
    unit = np.sqrt(
        {
            "treated": lambda: _variance(one, None, yes_no),
            "control": lambda: _variance(zero, None, yes_no),
            "pooled": lambda: (_variance(one, None, yes_no) + _variance(zero, None, yes_no)) / 2,
            "all": lambda: _variance(x[known], None, yes_no),
        }[denominator]()
    )
    before = _compare(one, zero, None, None, unit, yes_no)
    sizes = {
        "n_treated": len(one),
        "n_control": len(zero),
        "n_missing": int((~known).sum()),
    }
    if w is None:
        return {"variable": name, **before, **sizes}
    after = _compare(one, zero, w[known & treated], w[known & ~treated], unit, yes_no)
    return {
        "variable": name,
        **after,
        **sizes,
        **{f"{key}_before": value for key, value in before.items()},
    }


def _compare(
    one: Floats, zero: Floats, w1: Floats | None, w0: Floats | None, unit: float, yes_no: bool
) -> dict[str, float]:
    means = _mean(one, w1), _mean(zero, w0)
    gap = means[0] - means[1]
    spread = _variance(zero, w0, yes_no)
    ratio = np.nan if yes_no or not spread > 0 else _variance(one, w1, yes_no) / spread
    # A covariate that does not vary cannot be put on that scale; equal means are equal on any.
    smd = gap / unit if unit > 0 else (0.0 if gap == 0 else np.nan)
    return {
        "mean_treated": means[0],
        "mean_control": means[1],
        "difference": gap,
        "smd": smd,
        "var_ratio": ratio,
    }


def _mean(x: Floats, w: Floats | None) -> float:
    total = len(x) if w is None else w.sum()
    if not total > 0:
        return float("nan")
    return float(x.mean() if w is None else (w * x).sum() / total)


def _variance(x: Floats, w: Floats | None, yes_no: bool) -> float:
    mean = _mean(x, w)
    if yes_no:
        return mean * (1 - mean)
    if w is None:
        return float(x.var(ddof=1)) if len(x) > 1 else float("nan")
    total, squares = w.sum(), (w**2).sum()
    below = total**2 - squares
    return float((w * (x - mean) ** 2).sum() * total / below) if below > 0 else float("nan")
