"""Event study: the effect by time since treatment, and what happened before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.impact.sample import Sample, clusters_by_side, cohort_sample, column_sample
from barometre.cohort.impact.two_way import check_enough_rows, wave_names, with_waves
from barometre.cohort.impact.within import without_person
from barometre.cohort.inference.estimates import PreTrend, pretrend_test, student_interval
from barometre.cohort.inference.sandwich import (
    CONVENTIONS,
    StandardError,
    check_standard_error,
    least_squares,
    sandwich,
)
from barometre.cohort.rows.columns import Floats, as_numbers
from barometre.cohort.rows.panel import PanelRows


@dataclass(frozen=True, eq=False)
class EventStudy:
    """Effects by time since treatment.

    Attributes
    ----------
    table : DataFrame
        ``event_time, estimate, se, low, high, n, df, p``: one row per time, ``n`` rows of treated
        people each. The base is 0 by construction, without error.
    vcov : DataFrame
        Covariance of the estimates, by event time, base left out.
    n : int
        Rows used.
    meta : dict
        ``method``, ``convention``, ``base``, ``n_in``, ``n_used``, ``lost``...
    """

    table: Tidy
    vcov: pd.DataFrame = field(repr=False)
    n: int
    meta: Mapping[str, Any] = field(repr=False)

    def pretrend(self, *, level: float = 0.05, power: Sequence[float] = (0.5, 0.8)) -> PreTrend:
        """Test jointly that nothing moved before the treatment, and say what could be seen.

        Parameters
        ----------
        level : float, default 0.05
            Level of the test.
        power : sequence of float, default (0.5, 0.8)
            Powers at which the detectable slope (per unit of wave) is given.

        Returns
        -------
        PreTrend
            F test on the times before 0, base left out; missing, with ``meta["reason"]``, when
            there is none or when clusters are too few for so many.
        """
        leads = (self.table["event_time"] < 0) & (self.table["event_time"] != self.meta["base"])
        before = self.table[leads]
        times = before["event_time"]
        distance = before["event_time"].map(self.meta["mean_time"]) - self.meta["base"]
        return pretrend_test(
            before["estimate"].to_numpy(),
            self.vcov.loc[times, times].to_numpy(),
            distance.to_numpy(),
            level=level,
            power=power,
            df_denominator=self.meta["df_denominator"],
        )


def event_study(
    outcome: Any,
    person: Any,
    wave: Any,
    first_treated: Any,
    *,
    base: float = -1,
    se: StandardError = "CR1",
    cluster: Any = None,
    weight: Any = None,
    window: tuple[float, float] | None = None,
) -> EventStudy:
    """Two-way fixed effects by time since treatment.

    Parameters
    ----------
    outcome : array_like
        The outcome, one row per person and wave; rows where it is missing are left out.
    person : array_like
        Identifiers.
    wave : array_like of numbers
        Waves.
    first_treated : array_like of numbers
        Wave of the first treatment; missing, 0 or infinite: never treated.
    base : float, default -1
        Event time the others are compared with.
    se : {"CR1", "CR2", "HC1", "CR0", "CR1S", "CR3"}, default "CR1"
        Standard error: see `fixed_effects.twfe`.
    cluster : array_like, optional
        Cluster of each row; the person by default.
    weight : array_like, optional
        Positive weights.
    window : tuple of two numbers, optional
        First and last event times: those beyond join them (Schmidheiny, Siegloch, 2023).

    Returns
    -------
    EventStudy
        Table by event time, covariance, `EventStudy.pretrend`.

    Raises
    ------
    BarometreError
        Nobody treated, a base that is not among the event times (they are listed), effects that
        cannot be told apart (everyone ends up treated and no window), columns that do not match.

    Notes
    -----
    With entries at several dates and effects that differ between them, the coefficient of one time
    mixes effects of the others (Sun, Abraham, 2021): prefer the ``"dynamic"`` aggregation of
    ATT(g,t). With a single date it is the difference in differences of each wave against the base.

    Examples
    --------
    >>> study = event_study([1, 2, 3, 2, 2, 3, 1, 2, 7, 1, 3, 8], np.repeat(list("abcd"), 3),
    ...                     [1, 2, 3] * 4, [0] * 6 + [3] * 6)
    >>> study.table[["event_time", "estimate", "n"]]
       event_time  estimate  n
    0          -2      -1.0  2
    1          -1       0.0  2
    2           0       4.0  2
    """
    check_standard_error(se)
    if cluster is None and se != "HC1":
        cluster = person
    sample = column_sample(
        outcome, person=person, wave=wave, cluster=cluster, weight=weight,
        others={"first_treated": first_treated},
    )  # fmt: skip
    first = treatment_date(first_treated)
    return _event_study(sample, as_numbers(wave, "wave"), first, base, se, window)


def panel_event_study(
    panel: PanelRows,
    outcome: str,
    *,
    base: float = -1,
    se: StandardError = "CR1",
    cluster: str | None = None,
    weight: str | None = None,
    window: tuple[float, float] | None = None,
) -> EventStudy:
    """Two-way fixed effects by time since treatment, on a cohort.

    Parameters
    ----------
    panel : PanelRows
        With ``first_treated``. Waves that are numbers count in their own unit; dates, periods and
        labels count in waves.
    outcome : str
        Column of the outcome.
    base : float, default -1
        Event time the others are compared with.
    se : {"CR1", "CR2", "HC1", "CR0", "CR1S", "CR3"}, default "CR1"
        Standard error: see `fixed_effects.twfe`.
    cluster, weight : str, optional
        Columns; by default those declared by the panel, else the person and no weight.
    window : tuple of two numbers, optional
        First and last event times: those beyond join them.

    Returns
    -------
    EventStudy
        As `event_study`; ``meta`` counts people and rows in, used and lost.

    Raises
    ------
    BarometreError
        As `event_study`; a cohort without ``first_treated``, a date of treatment that is no wave
        when waves are not numbers.

    Examples
    --------
    >>> from barometre.cohort import Cohort
    >>> rows = pd.DataFrame({"id": np.repeat([1, 2, 3, 4], 3), "year": [2024, 2025, 2026] * 4,
    ...                      "start": [0] * 6 + [2026] * 6,
    ...                      "score": [1, 2, 3, 2, 2, 3, 1, 2, 7, 1, 3, 8]})
    >>> panel_event_study(Cohort(rows, "id", "year", first_treated="start"), "score").n
    12
    """
    check_standard_error(se)
    if panel.first_treated is None:
        raise BarometreError(
            "la cohorte n'a pas de date de traitement : la créer avec first_treated=, vide ou 0 "
            "pour qui n'est jamais traité"
        )
    sample = cohort_sample(panel, outcome, cluster=cluster, weight=weight, se=se)
    first = panel.frame[panel.first_treated]
    if pd.api.types.is_numeric_dtype(panel.frame[panel.wave]):
        when, start = as_numbers(panel.frame[panel.wave], panel.wave), treatment_date(first)
    else:
        waves = pd.Index(panel.waves)
        position = waves.get_indexer(pd.Index(first)).astype(float)
        unknown = first[(position < 0) & first.notna().to_numpy()]
        if len(unknown):
            raise UnknownNameError(
                "nom de vague de traitement", str(unknown.iloc[0]), map(str, waves)
            )
        when, start = panel.codes.wave.astype(float), np.where(position < 0, np.nan, position)
    return _event_study(sample, when, start, base, se, window)


def treatment_date(first_treated: Any) -> Floats:
    """Return dates of treatment as numbers, NaN for the never treated (missing, 0, infinite).

    Parameters
    ----------
    first_treated : array_like
        Waves of the first treatment.

    Returns
    -------
    ndarray
        Numbers or NaN.

    Raises
    ------
    BarometreError
        Values that are not numbers.

    Examples
    --------
    >>> treatment_date([2026, 0, np.inf, None])
    array([2026.,   nan,   nan,   nan])
    """
    column = pd.Series(first_treated).reset_index(drop=True)
    if column.isna().all():
        return np.full(len(column), np.nan)
    dates = as_numbers(column.replace([np.inf, -np.inf], np.nan), "first_treated", missing=True)
    return np.where(dates == 0, np.nan, dates)


def _event_study(
    sample: Sample,
    wave: Floats,
    start: Floats,
    base: float,
    se: StandardError,
    window: tuple[float, float] | None,
) -> EventStudy:
    ways = sample.ways
    assert ways is not None  # person and wave were given
    wave, start = sample.take(wave), sample.take(start)
    exact = times = wave - start
    if window is not None:
        low, high = window
        if not low <= base <= high:
            raise BarometreError(f"window {window} : donner (début, fin) autour de base = {base}")
        times = np.clip(exact, low, high)
    treated = ~np.isnan(times)
    values, counts = np.unique(times[treated], return_counts=True)
    if not len(values):
        raise BarometreError("personne n'est traité : vérifier first_treated")
    if base not in values:
        known = ", ".join(f"{value:g}" for value in values)
        raise BarometreError(f"base = {base} n'est pas une durée observée ; choisir parmi {known}")
    check_enough_rows(len(sample.y), ways)
    n_groups = len(np.unique(start[treated]))
    tested = values[values != base]
    names = [f"durée {value:g}" for value in tested]
    try:
        fit = least_squares(
            without_person(sample.y, ways),
            with_waves([times == value for value in tested], ways),
            [*wave_names(ways), *names],
            weight=sample.weight,
            absorbed=ways.n_people,
            nuisance=ways.n_waves - 1,
            size=float(np.linalg.norm(sample.y)),
        )
    except BarometreError as error:
        raise BarometreError(
            f"{error}. Sans personne jamais traitée, une tendance ne se distingue pas des effets : "
            'regrouper les durées (window=), ou att_gt(control="not_yet")'
        ) from None
    vcov, df, _ = sandwich(fit, sample.cluster, sample.n_clusters, se)
    last = slice(len(fit.coef) - len(tested), None)
    vcov, df, coef = vcov[last, last], df[last], fit.coef[last]
    root = np.sqrt(np.diag(vcov))
    _, p, low_bound, high_bound = student_interval(coef, root, df)
    whole = bool((values == np.round(values)).all())
    labels: npt.NDArray[Any] = tested.astype(np.int64) if whole else tested
    frame = pd.DataFrame(
        {
            "estimate": coef,
            "se": root,
            "low": low_bound,
            "high": high_bound,
            "n": counts[values != base],
            "df": df,
            "p": p,
        },
        index=pd.Index(labels, name="event_time"),
    )
    reference = pd.DataFrame(
        {"estimate": 0.0, "n": counts[values == base]}, index=[labels.dtype.type(base)]
    ).reindex(columns=frame.columns)
    table = pd.concat([frame, reference.astype(frame.dtypes)]).sort_index()
    n_clusters = sample.n_clusters
    meta = {
        **sample.meta,
        "method": "étude d'événement à effets fixes des personnes et des vagues",
        "convention": CONVENTIONS[se],
        "base": base,
        "window": window,
        "n_groups": n_groups,
        "df_denominator": df[0] if se == "HC1" or n_clusters is None else n_clusters - 1.0,
        "mean_time": dict(zip(labels, _means(exact, times, tested), strict=True)),
    }
    if sample.cluster is not None and se != "HC1" and n_clusters != ways.n_people:
        meta |= clusters_by_side(sample, control=~treated, treated=treated)
    if n_groups > 1:
        said_before = [meta["caution"]] if "caution" in meta else []
        several = (
            "entrées à plusieurs dates : chaque durée mêle les effets des autres s'ils diffèrent "
            "(Sun, Abraham, 2021) ; préférer att_gt"
        )
        meta["caution"] = ". ".join([*said_before, several])
    said = tidy(table.rename_axis("event_time").reset_index(), **meta)
    return EventStudy(
        said, pd.DataFrame(vcov, index=labels, columns=labels), len(sample.y), said.meta
    )


def _means(exact: Floats, times: Floats, values: Floats) -> list[float]:
    """Mean event time of each value: itself, unless it gathers all times beyond the window."""
    return [float(exact[times == value].mean()) for value in values]
