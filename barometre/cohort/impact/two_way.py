"""Two-way fixed effects: an effect net of people and waves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.cohort.impact.absorbed import fit_absorbed
from barometre.cohort.impact.sample import (
    Regression,
    Sample,
    adjusting_columns,
    clusters_by_side,
    effect_codes,
    effect_estimate,
    panel_sample,
    singletons,
)
from barometre.cohort.impact.within import (
    TwoWays,
    near_rows,
    without_person,
    without_person_and_wave,
)
from barometre.cohort.inference.estimates import Estimate
from barometre.cohort.inference.sandwich import (
    CONVENTIONS,
    UNCLUSTERED,
    LeastSquares,
    StandardError,
    check_standard_error,
    least_squares,
    sandwich,
    without_rounding,
)
from barometre.cohort.rows.columns import Positions, as_numbers, require_columns
from barometre.cohort.rows.panel import PanelRows

_DUMMIES = 10**7  # numbers of the indicators of further effects, beyond which they are absorbed
_UNMOVED = 1e-9  # share of a column left by fixed effects below which it is rounding


def twfe(
    frame: pd.DataFrame,
    outcome: str,
    treated: str,
    *,
    person: str,
    wave: str,
    cluster: str | None = None,
    weight: str | None = None,
    covariates: Sequence[str] = (),
    effects: Sequence[str] = (),
    se: StandardError = "CR1",
) -> Estimate:
    """Two-way fixed effects: effect of a treatment that comes on, net of people and waves.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order, with gaps or not.
    outcome : str
        Column of the outcome; rows where it is missing are left out and counted.
    treated : str
        Column of 1 when the person is treated at that wave, else 0 (or of a dose); it must vary
        over time.
    person, wave : str
        Columns.
    cluster : str, optional
        Column of the cluster, the same at all waves of a person; the person by default.
    weight : str, optional
        Column of positive weights.
    covariates : sequence of str, optional
        Columns that adjust the effect: numbers as they are, texts as one indicator per label. Those
        that the fixed effects explain are left out and named in ``meta["dropped"]``.
    effects : sequence of str, optional
        Columns of further fixed effects, of any number of values but for CR2 and CR3, which keep
        one indicator per value.
    se : {"CR1", "CR2", "HC1", "iid", "CR0", "CR1S", "CR3"}, default "CR1"
        Standard error: see Notes.

    Returns
    -------
    Estimate
        People seen once are kept in the counts and tell nothing of the effect. ``meta["caution"]``
        says when all treated people are in one cluster.

    Raises
    ------
    BarometreError
        A treatment that people and waves explain (one wave, everyone treated at once...), an
        unknown column or ``se``, missing treatment, cluster that changes within a person, fewer
        than 2 clusters; what `Cohort` refuses.

    Notes
    -----
    Within estimator of Wansbeek and Kapteyn (1989), exact on any pattern of gaps and weights. With
    entries at several dates and effects that change with time it mixes comparisons between treated
    people (Goodman-Bacon, 2021; de Chaisemartin, D'Haultfoeuille, 2020): prefer ATT(g,t). Several
    clustered errors of one coefficient are in circulation: ``CR1`` does not count the people's
    effects, nested in clusters, among the parameters (fixest); ``CR1S`` counts them (dummies in
    Stata or statsmodels); ``CR2`` keeps the waves in the adjustment and leaves the people out,
    which is exact (Pustejovsky, Tipton, 2018, theorem 2). ``HC1`` is not consistent with short
    panels (Stock, Watson, 2008). ``meta["other_se"]`` gives the neighbours.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": list("aabbccdd"), "t": [0, 1] * 4,
    ...                      "on": [0, 0, 0, 0, 0, 1, 0, 1], "score": [1, 2, 1, 3, 1, 5, 2, 5]})
    >>> effect = twfe(rows, "score", "on", person="id", wave="t")
    >>> round(effect.estimate, 9), effect.df
    (2.0, 3.0)
    """
    panel = PanelRows(frame, person, wave, cluster=cluster, weight=weight)
    return panel_twfe(panel, outcome, treated, covariates=covariates, effects=effects, se=se)


def panel_twfe(
    panel: PanelRows,
    outcome: str,
    treated: str,
    *,
    cluster: str | None = None,
    weight: str | None = None,
    covariates: Sequence[str] = (),
    effects: Sequence[str] = (),
    se: StandardError = "CR1",
) -> Estimate:
    """Estimate `twfe` on a panel, whose cluster and weight are used unless others are named."""
    check_standard_error(se)
    sample, numbers = _twfe_columns(panel, outcome, treated, se, cluster, weight)
    if len(effects) and se not in ("CR2", "CR3"):
        codes = effect_codes(panel, sample, effects)
        if len(sample.y) * sum(int(code.max()) for code in codes) > _DUMMIES:
            others = adjusting_columns(panel, sample, covariates, ())
            named = [effects] if isinstance(effects, str) else list(effects)
            return _absorbed(
                sample, numbers, se, treated, others, dict(zip(named, codes, strict=True))
            )
    return _twfe(
        sample, numbers, se, treated, adjusting_columns(panel, sample, covariates, effects)
    )


def _twfe_columns(
    panel: PanelRows, outcome: str, treated: str, se: str, cluster: str | None, weight: str | None
) -> tuple[Sample, Floats]:
    """Gather the rows, and refuse a treatment that is missing where the outcome is known."""
    require_columns(panel.frame, [treated])
    sample = panel_sample(panel, outcome, cluster=cluster, weight=weight, se=se)
    numbers = as_numbers(panel.frame[treated], treated, missing=True)
    return sample, as_numbers(sample.take(numbers), treated)


def _twfe(
    sample: Sample, treated: Floats, se: StandardError, name: str, others: pd.DataFrame
) -> Estimate:
    ways = sample.ways
    check_enough_rows(len(sample.y), ways)
    dropped: list[str] = []
    if se in ("CR2", "CR3") or len(others.columns):
        fit = least_squares(
            without_person(sample.y, ways),
            with_waves([*others.to_numpy().T, treated], ways),
            [*wave_names(ways), *others.columns, name],
            weight=sample.weight,
            absorbed=ways.n_people,
            nuisance=ways.n_waves - 1 + len(others.columns),
            size=float(np.linalg.norm(sample.y)),
        )
        dropped = [column for column in others.columns if column not in fit.names]
        fit = replace(fit, coef=fit.coef[-1:], back=fit.back[-1:])
    else:
        fit = _residual_fit(sample, treated, ways, name)
    return _effect(sample, treated, fit, se, list(others.columns), dropped)


def _absorbed(
    sample: Sample,
    treated: Floats,
    se: StandardError,
    name: str,
    others: pd.DataFrame,
    codes: dict[str, Positions],
) -> Estimate:
    """Remove further effects of many levels without a column for each."""
    ways = sample.ways
    check_enough_rows(len(sample.y), ways)
    names = [*others.columns, name]
    fit = fit_absorbed(
        sample.y,
        [*others.to_numpy().T, treated],
        names,
        [ways.person, ways.wave, *codes.values()],
        weight=sample.weight,
        cluster=sample.cluster,
    )
    if name not in fit.names:
        raise BarometreError(
            f"« {name} » s'explique par les effets fixes et les autres variables : son effet ne "
            "peut pas être isolé"
        )
    dropped = [column for column in others.columns if column not in fit.names]
    fit = replace(fit, coef=fit.coef[-1:], back=fit.back[-1:])
    return _effect(sample, treated, fit, se, [*others.columns, *codes], dropped)


def _effect(
    sample: Sample,
    treated: Floats,
    fit: LeastSquares,
    se: StandardError,
    adjusted: list[str],
    dropped: list[str],
) -> Estimate:
    """Complete the effect of a fit with its error, and with what it rests on."""
    ways = sample.ways
    vcov, df, _ = sandwich(fit, sample.cluster, sample.n_clusters, se)
    meta = {
        **sample.meta,
        "method": "effets fixes des personnes et des vagues",
        "convention": CONVENTIONS[se],
        "singletons": singletons(sample),
        "adjusted": adjusted,
        "dropped": dropped,
    }
    if sample.cluster is not None and se not in UNCLUSTERED and sample.n_clusters != ways.n_people:
        meta |= clusters_by_side(sample, treated=treated != 0)
    return effect_estimate(fit, vcov, df, sample, se, meta)


def check_enough_rows(n: int, ways: TwoWays) -> None:
    """Refuse a panel that fixed effects explain whatever the outcome."""
    if n <= ways.n_people + ways.n_waves:
        raise BarometreError(
            f"{counted(n, 'ligne')} pour {counted(ways.n_people, 'personne')} et "
            f"{counted(ways.n_waves, 'vague')} : les effets fixes expliquent tout ; il faut des "
            "personnes vues à plusieurs vagues"
        )


def with_waves(columns: Sequence[npt.NDArray[Any]], ways: TwoWays) -> Floats:
    """Put the dummies of all waves but the first before some columns, people removed."""
    dummies = ways.n_waves - 1
    matrix = np.empty((dummies + len(columns), len(ways.wave))).T  # columns contiguous in memory
    for t in range(dummies):
        matrix[:, t] = without_person((ways.wave == t + 1).astype(float), ways)
    for j, column in enumerate(columns):
        numbers = column.astype(float)
        left = without_person(numbers, ways)
        # What people explain whole leaves rounding, which must not pass for a column.
        known = np.linalg.norm(left) > _UNMOVED * np.linalg.norm(numbers)
        matrix[:, dummies + j] = left if known else 0.0
    return matrix


def wave_names(ways: TwoWays) -> list[str]:
    """Name the dummies of the waves by their position."""
    return [f"vague {t + 1}" for t in range(1, ways.n_waves)]


def _residual_fit(sample: Sample, treated: Floats, ways: TwoWays, name: str) -> LeastSquares:
    """Regress on the treatment alone, once people and waves are removed (Frisch, Waugh, 1933)."""
    y, d = without_person_and_wave([sample.y, treated], ways)
    if sample.weight is not None:
        root = np.sqrt(sample.weight)
        y *= root
        d *= root
    size = _norm(d)
    # Far from its threshold, the norm of the whole treatment is enough to tell.
    if size <= _UNMOVED * _norm(treated) and size <= _UNMOVED * _norm(treated - treated.mean()):
        raise BarometreError(
            f"« {name} » s'explique par les seules personnes et vagues (il ne varie pas, ou change "
            "pour tous à la même vague) : son effet ne peut pas être isolé ; il faut des personnes "
            "traitées et d'autres non à une même vague"
        )
    coef = float(np.einsum("i,i", d, y)) / size
    for some in near_rows(len(d)):
        d[some] /= size
        y[some] -= coef * d[some]
    y = without_rounding(y, _norm(sample.y))
    return LeastSquares(
        coef=np.array([coef / size]),
        names=(name,),
        q=d[:, None],
        residual=y,
        back=np.array([[1 / size]]),
        k=1 + ways.n_waves,
        k_all=ways.n_people + ways.n_waves,
    )


def _norm(column: Floats) -> float:
    """Return a norm without the threads of BLAS, which wait for each other on a busy machine."""
    return float(np.sqrt(np.einsum("i,i", column, column)))


def twfe_design(
    frame: pd.DataFrame,
    outcome: str,
    treated: str,
    *,
    person: str,
    wave: str,
    cluster: str | None = None,
    weight: str | None = None,
) -> Regression:
    """Return the regression of `twfe` as columns.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    outcome, treated, person, wave : str
        Columns; ``treated`` is 1 from the first wave of the treatment on.
    cluster, weight : str, optional
        Columns; the person is the cluster by default. All as in `twfe`.

    Returns
    -------
    Regression
        Outcome and columns with people removed: the dummies of waves, then ``effet``. To give to
        ``wild_bootstrap(*regression, term="effet", intercept=False)``: as people are nested in
        clusters the bootstrap of these columns is that of the regression with all its dummies.

    Raises
    ------
    BarometreError
        As `twfe`.
    """
    panel = PanelRows(frame, person, wave, cluster=cluster, weight=weight)
    return panel_twfe_design(panel, outcome, treated)


def panel_twfe_design(
    panel: PanelRows,
    outcome: str,
    treated: str,
    *,
    cluster: str | None = None,
    weight: str | None = None,
) -> Regression:
    """Return the regression of `panel_twfe` as columns."""
    sample, numbers = _twfe_columns(panel, outcome, treated, "CR1", cluster, weight)
    names = [*wave_names(sample.ways), "effet"]
    columns = pd.DataFrame(with_waves([numbers], sample.ways), columns=names)
    return sample.regression(without_person(sample.y, sample.ways), columns)
