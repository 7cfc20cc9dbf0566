"""Difference in differences: two arms, before and after."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cohort.impact.sample import (
    Regression,
    Sample,
    adjusting_columns,
    clusters_by_side,
    effect_estimate,
    panel_sample,
)
from barometre.cohort.inference.estimates import Estimate, FewClustersWarning
from barometre.cohort.inference.sandwich import (
    CONVENTIONS,
    UNCLUSTERED,
    LeastSquares,
    StandardError,
    check_standard_error,
    least_squares,
    sandwich,
)
from barometre.cohort.rows.columns import as_binary
from barometre.cohort.rows.panel import PanelRows

_INTERACTION = np.array([[1.0, -1.0, -1.0, 1.0]])  # cells: arm 0 before, after, arm 1 before, after


def did(
    frame: pd.DataFrame,
    outcome: str,
    post: Any,
    *,
    person: str,
    wave: str,
    arm: str,
    treated: object = None,
    cluster: str | None = None,
    weight: str | None = None,
    covariates: Sequence[str] = (),
    effects: Sequence[str] = (),
    se: StandardError = "CR1",
) -> Estimate:
    """2x2 difference in differences: change of the treated minus change of the others.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    outcome : str
        Column of the outcome; rows where it is missing are left out and counted.
    post : wave, list of waves, str or array of bool
        First wave after the start of the action (that wave and later ones), the waves after it,
        a column of 0 and 1, or one boolean per row.
    person, wave, arm : str
        Columns. Arms have two values.
    treated : object, optional
        Value of the treated arm; needed unless the arm is 0 and 1, or booleans.
    cluster : str, optional
        Column of the cluster, the same at all waves of a person; the person by default.
    weight : str, optional
        Column of positive weights.
    covariates : sequence of str, optional
        Columns that adjust the effect: numbers as they are, texts as one indicator per label. Those
        that the fixed effects explain are left out and named in ``meta["dropped"]``.
    effects : sequence of str, optional
        Columns of further fixed effects, one indicator per value.
    se : {"CR1", "CR2", "HC1", "CR0", "CR1S", "CR3"}, default "CR1"
        Standard error: see `cluster_robust`.

    Returns
    -------
    Estimate
        ``details`` holds the four means (``arm, post, mean, n``); ``meta`` counts people and rows
        in, used and lost, people seen on both sides, and clusters with treated people. On a panel
        with gaps all rows count, of people seen on one side only too: the difference of means is
        then not the mean of personal changes (use `twfe`).

    Raises
    ------
    BarometreError
        One of the four cells empty, no more than 4 rows, an unknown column, wave or ``se``, a
        cluster that changes within a person, fewer than 2 clusters; what `Cohort` refuses.

    Warns
    -----
    FewClustersWarning
        All treated people, or all others, are in one cluster: no cluster-robust error is reliable.

    Notes
    -----
    Coefficient of arm x post in the regression of the outcome on arm, post and arm x post
    (Ashenfelter, Card, 1985; Card, Krueger, 1994), which is the two-way fixed effects estimate on a
    full panel. It is the effect on the treated if trends would have been parallel.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2024, 2025] * 4,
    ...                      "arm": [0] * 4 + [1] * 4, "score": [1, 2, 1, 3, 1, 5, 2, 5]})
    >>> effect = did(rows, "score", 2025, person="id", wave="year", arm="arm")
    >>> effect.estimate, round(effect.se, 4), effect.df, effect.n
    (2.0, 0.7638, 3.0, 8)
    """
    panel = PanelRows(frame, person, wave, arm=arm, treated=treated, cluster=cluster, weight=weight)
    return panel_did(panel, outcome, post, covariates=covariates, effects=effects, se=se)


def panel_did(
    panel: PanelRows,
    outcome: str,
    post: Any,
    *,
    cluster: str | None = None,
    weight: str | None = None,
    covariates: Sequence[str] = (),
    effects: Sequence[str] = (),
    se: StandardError = "CR1",
) -> Estimate:
    """Estimate `did` on a panel, whose cluster and weight are used unless others are named."""
    check_standard_error(se)
    arm = panel.in_treated_arm
    sample = panel_sample(panel, outcome, cluster=cluster, weight=weight, se=se)
    others = adjusting_columns(panel, sample, covariates, effects)
    return _did(sample, arm, after_start(panel, post), se, others)


def did_design(
    frame: pd.DataFrame,
    outcome: str,
    post: Any,
    *,
    person: str,
    wave: str,
    arm: str,
    treated: object = None,
    cluster: str | None = None,
    weight: str | None = None,
) -> Regression:
    """Return the regression of `did` as columns.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    outcome, person, wave, arm : str
        Columns.
    post : object
        First wave after the start of the action, the waves after it, a column or booleans.
    treated : object, optional
        The treated value of ``arm``.
    cluster, weight : str, optional
        Columns; the person is the cluster by default. All as in `did`.

    Returns
    -------
    Regression
        To give to ``wild_bootstrap(*regression, term="effet", intercept=False)``.

    Raises
    ------
    BarometreError
        As `did`.
    """
    panel = PanelRows(frame, person, wave, arm=arm, treated=treated, cluster=cluster, weight=weight)
    return panel_did_design(panel, outcome, post)


def panel_did_design(
    panel: PanelRows,
    outcome: str,
    post: Any,
    *,
    cluster: str | None = None,
    weight: str | None = None,
) -> Regression:
    """Return the regression of `panel_did` as columns."""
    arm = panel.in_treated_arm
    sample = panel_sample(panel, outcome, cluster=cluster, weight=weight, se="CR1")
    arm, after = sample.take(arm), sample.take(after_start(panel, post))
    columns = {"const": 1.0, "arm": arm, "post": after, "effet": arm * after}
    return sample.regression(sample.y, pd.DataFrame(columns))


def after_start(panel: PanelRows, post: Any) -> Floats:
    """Return 1 for the rows after the start of the action, 0 for the others.

    Parameters
    ----------
    panel : PanelRows
        The panel.
    post : wave, list of waves, str or array of bool
        See `did`.

    Returns
    -------
    ndarray
        One number per row.

    Raises
    ------
    BarometreError
        A wave or a column that does not exist, a column other than 0 and 1.
    """
    waves = pd.Index(panel.waves)
    rows = len(panel.frame)
    if isinstance(post, (list, tuple, set, frozenset, range, np.ndarray, pd.Series, pd.Index)):
        values = pd.Series(post if not isinstance(post, (set, frozenset)) else list(post))
        if len(values) == rows and pd.api.types.is_bool_dtype(values.dtype):
            return as_binary(values, "post")
        if isinstance(waves, pd.DatetimeIndex):
            values = pd.to_datetime(values)
        unknown = values[~values.isin(waves)]
        if len(unknown):
            raise UnknownNameError("nom de vague", str(unknown.iloc[0]), map(str, waves))
        return np.asarray(waves.isin(values)[panel.codes.wave], float)
    if isinstance(post, str) and post in panel.frame.columns and post not in waves:
        return as_binary(panel.frame[post], post)
    if isinstance(waves, pd.DatetimeIndex) and isinstance(post, date):
        post = pd.Timestamp(post)
    position = waves.get_indexer(pd.Index([post]))[0]
    if position >= 0:  # labels of an ordered category are not in alphabetical order
        later = np.arange(len(waves)) >= position
    else:
        if isinstance(post, str) and not isinstance(waves, (pd.DatetimeIndex, pd.PeriodIndex)):
            known = [*map(str, waves), *map(str, panel.frame.columns)]
            raise UnknownNameError("nom de vague ou de colonne", post, known)
        try:
            later = np.asarray(waves >= post)
        except (TypeError, ValueError):
            raise UnknownNameError("nom de vague", str(post), map(str, waves)) from None
    return np.asarray(later[panel.codes.wave], float)


def _did(
    sample: Sample, arm: Floats, post: Floats, se: StandardError, others: pd.DataFrame
) -> Estimate:
    fit, table = _cell_means(sample, sample.take(arm), sample.take(post))
    dropped: list[str] = []
    if len(others.columns):
        fit = _adjusted_fit(sample, sample.take(arm), sample.take(post), others)
        dropped = [column for column in others.columns if column not in fit.names]
        fit = replace(fit, coef=fit.coef[-1:], back=fit.back[-1:])
    vcov, df, _ = sandwich(fit, sample.cluster, sample.n_clusters, se)
    sides = [np.bincount(sample.ways.person[sample.take(post) == s]) > 0 for s in (0, 1)]
    shared = min(map(len, sides))
    meta = {
        **sample.meta,
        "method": "différence de différences 2 × 2",
        "convention": CONVENTIONS[se],
        "adjusted": list(others.columns),
        "dropped": dropped,
        "n_before_and_after": int((sides[0][:shared] & sides[1][:shared]).sum()),
    }
    if sample.cluster is not None and se not in UNCLUSTERED:
        treated = sample.take(arm) == 1
        meta |= clusters_by_side(sample, control=~treated, treated=treated)
        if "caution" in meta:
            warnings.warn(meta["caution"], FewClustersWarning, stacklevel=4)
    return effect_estimate(fit, vcov, df, sample, se, meta, details=table)


def _adjusted_fit(sample: Sample, arm: Floats, post: Floats, others: pd.DataFrame) -> LeastSquares:
    """Regress on covariates, then arm, post and their product."""
    columns = np.column_stack([np.ones(len(arm)), others, arm, post, arm * post])
    names = ["const", *others.columns, "arm", "post", "effet"]
    return least_squares(
        sample.y, columns, names, weight=sample.weight, nuisance=3 + len(others.columns)
    )


def _cell_means(sample: Sample, arm: Floats, post: Floats) -> tuple[LeastSquares, pd.DataFrame]:
    """Regress on arm, post and arm x post: the dummies of the four cells are orthogonal."""
    cell = (2 * arm + post).astype(np.int64)
    counts = np.bincount(cell, minlength=4)
    names = ["témoins avant", "témoins après", "traités avant", "traités après"]
    empty = [name for name, count in zip(names, counts, strict=True) if not count]
    if empty:
        raise BarometreError(
            f"aucune ligne pour : {', '.join(empty)} ; il faut les deux bras avant et après : "
            "vérifier post= et les résultats manquants"
        )
    if len(cell) <= 4:
        raise BarometreError("4 lignes : l'effet est connu, pas son erreur ; il en faut davantage")
    weight = np.ones(len(cell)) if sample.weight is None else sample.weight
    totals = np.bincount(cell, weight, 4)
    means = np.bincount(cell, weight * sample.y, 4) / totals
    # A second pass removes what rounding left in the mean of large values.
    means += np.bincount(cell, weight * (sample.y - means[cell]), 4) / totals
    root = np.sqrt(weight)
    q = np.empty((4, len(cell))).T  # columns next to each other in memory
    for number in range(4):
        q[:, number] = np.where(cell == number, root / np.sqrt(totals[number]), 0.0)
    fit = LeastSquares(
        coef=_INTERACTION @ means,
        names=("effet",),
        q=q,
        residual=root * (sample.y - means[cell]),
        back=_INTERACTION / np.sqrt(totals),
        k=4,
        k_all=4,
    )
    shown = {"arm": [0, 0, 1, 1], "post": [0, 1, 0, 1], "mean": means, "n": counts}
    return fit, pd.DataFrame(shown)
