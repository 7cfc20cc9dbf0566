"""Event study: the effect by time since treatment, and what happened before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.face import Drawn
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.impact.event_blocks import (
    MANY,
    AdjustedLeads,
    Blocks,
    blocks_leads,
    joint_pretrend,
)
from barometre.cohort.impact.sample import (
    Sample,
    adjusting_columns,
    clusters_by_side,
    panel_sample,
    singletons,
)
from barometre.cohort.impact.two_way import check_enough_rows, wave_names, with_waves
from barometre.cohort.impact.within import without_person
from barometre.cohort.inference.estimates import COLUMNS, student_interval, time_sentences
from barometre.cohort.inference.pretrends import PreTrend, pretrend_test
from barometre.cohort.inference.sandwich import (
    CONVENTIONS,
    UNCLUSTERED,
    LeastSquares,
    StandardError,
    check_standard_error,
    least_squares,
    sandwich,
)
from barometre.cohort.inference.trend_bounds import EventLaw
from barometre.cohort.rows.columns import as_numbers
from barometre.cohort.rows.panel import PanelRows


@dataclass(frozen=True, eq=False)
class EventStudy(Drawn):
    """Effects by time since treatment.

    Attributes
    ----------
    table : Tidy
        ``event_time, estimate, se, low, high, df, p, n``: one row per time, ``n`` rows of treated
        people each. The base is 0 by construction, without error.
    vcov : DataFrame
        Covariance of the estimates, by event time, base left out.
    n : int
        Rows used.
    """

    chart: ClassVar[str] = "event_study_plot"
    table: Tidy
    vcov: pd.DataFrame = field(repr=False)
    n: int
    _sample: Sample = field(repr=False)
    _times: _Times = field(repr=False)
    _se: StandardError = field(repr=False)
    _pieces: AdjustedLeads | None = field(default=None, repr=False)

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: ``method``, ``convention``, ``base``, ``n_in``, ``n_used``, ``lost``..."""
        return self.table.meta

    def sentences(self) -> list[str]:
        """Say the effect at each time, and what to fear."""
        return self.table.summary().splitlines()

    def pretrend(
        self,
        *,
        alpha: float = 0.05,
        power: Sequence[float] = (0.5, 0.8),
        draws: int = 1999,
        seed: int = 0,
    ) -> PreTrend:
        """Test jointly that nothing moved before the treatment, and say what could be seen.

        Parameters
        ----------
        alpha : float, default 0.05
            Size of the test.
        power : sequence of float, default (0.5, 0.8)
            Powers at which the detectable slope (per unit of wave) is given.
        draws : int, default 1999
            Permutations of clusters when there are more than 5 000.
        seed : int, default 0
            Their seed.

        Returns
        -------
        PreTrend
            Test on the times before 0, base left out; missing, with ``meta["reason"]``, when
            there is none or when clusters are too few for so many.

        Notes
        -----
        With clusters that each enter at one date, when one date has fewer than 5 or 4 for 5 of
        another: a permutation of the dates of entry between clusters. Else the law of Hotelling
        with the degrees of freedom of the CR2 covariance (Tipton, Pustejovsky, 2015), whatever the
        errors of the table. By person, with ``se="HC1"`` and from 500 clusters on: F with the
        errors of the table. With covariates, always the law of Hotelling. The docs give the sizes
        measured (*What holds its level*).
        """
        leads = (self.table["event_time"] < 0) & (self.table["event_time"] != self.meta["base"])
        before = self.table[leads]
        times = before["event_time"]
        base = _means(self._times.exact, self._times.times, np.array([self._times.base]))[0]
        distance = before["event_time"].map(self.meta["mean_time"]) - base
        if self._pieces is not None:
            chosen = self._times.labels.tolist()
            return self._pieces.test(
                [chosen.index(value) for value in times],
                before["estimate"].to_numpy(),
                distance.to_numpy(float),
                alpha=alpha,
                power=power,
            )
        if self.few_clusters and before["se"].notna().all():
            dummies = self._sample.ways.n_waves - 1
            tested = pd.Index(self._times.labels).get_indexer(pd.Index(times))
            return joint_pretrend(
                Blocks.of(self._sample, self._times.start),
                self._times.columns,
                dummies + tested,
                distance.to_numpy(float),
                alpha=alpha,
                power=power,
                draws=draws,
                seed=seed,
            )
        return pretrend_test(
            before["estimate"].to_numpy(),
            self.vcov.loc[times, times].to_numpy(),
            distance.to_numpy(),
            alpha=alpha,
            power=power,
            df_denominator=self.meta["df_denominator"],
        )

    def event_law(self) -> EventLaw:
        """Return the effects with the law of any combination of them.

        Returns
        -------
        EventLaw
            What `honest_bounds` uses; degrees of freedom are those of the table, of Satterthwaite
            for each combination with CR2 and CR3.
        """
        times, tested = self._times.met, self._times.met != self._times.base
        vcov = np.zeros((len(times), len(times)))
        vcov[np.ix_(tested, tested)] = self.vcov.to_numpy()
        return EventLaw(
            times=times,
            distance=np.array(_means(self._times.exact, self._times.times, times)),
            estimate=self.table["estimate"].to_numpy(np.float64),
            vcov=vcov,
            df=lambda weights: self._df(weights[:, tested]),
            start=0.0,
            base=self._times.base,
        )

    def _df(self, weights: Floats) -> Floats:
        """Degrees of freedom of combinations of the effects, base left out."""
        own = self.table["df"].to_numpy(np.float64)[self._times.met != self._times.base]
        if self._se not in ("CR2", "CR3") or not self.few_clusters:
            return np.asarray(np.where(weights != 0, own, np.inf).min(axis=1), float)
        return self._leads.df(weights, power={"CR2": -0.5, "CR3": -1.0}[self._se])

    @cached_property
    def _leads(self) -> AdjustedLeads:
        if self._pieces is not None:
            return self._pieces
        blocks = Blocks.of(self._sample, self._times.start)
        return blocks_leads(blocks, self._times.columns, self._sample.ways.n_waves - 1)

    @property
    def few_clusters(self) -> bool:
        """Whether the test before treatment has a law of few clusters."""
        number = self._sample.n_clusters
        return number is not None and number < min(MANY, self._sample.ways.n_people)


def event_study(
    frame: pd.DataFrame,
    outcome: str,
    *,
    person: str,
    wave: str,
    first_treated: str,
    base: float = -1,
    window: tuple[float, float] | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    covariates: Sequence[str] = (),
    effects: Sequence[str] = (),
    se: StandardError = "CR1",
) -> EventStudy:
    """Two-way fixed effects by time since treatment.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    outcome : str
        Column of the outcome; rows where it is missing are left out and counted.
    person, wave : str
        Columns. Waves that are numbers count in their own unit; dates, periods and labels count in
        waves.
    first_treated : str
        Column of the wave of the first treatment; missing, 0 or infinite: never treated.
    base : float, default -1
        Event time the others are compared with.
    window : tuple of two numbers, optional
        First and last event times: those beyond join them (Schmidheiny, Siegloch, 2023).
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
        Standard error: see `twfe`.

    Returns
    -------
    EventStudy
        Table by event time, covariance, `EventStudy.pretrend`; ``meta`` counts people and rows in,
        used and lost.

    Raises
    ------
    BarometreError
        Nobody treated, a base that is not among the event times (they are listed), effects that
        cannot be told apart (everyone ends up treated and no window), a date of treatment that is
        no wave when waves are not numbers, an unknown column; what `Cohort` refuses.

    Notes
    -----
    With entries at several dates and effects that differ between them, the coefficient of one time
    mixes effects of the others (Sun, Abraham, 2021): prefer the ``"dynamic"`` aggregation of
    ATT(g,t). With a single date it is the difference in differences of each wave against the base.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": np.repeat([1, 2, 3, 4], 3), "year": [2024, 2025, 2026] * 4,
    ...                      "start": [0] * 6 + [2026] * 6,
    ...                      "score": [1, 2, 3, 2, 2, 3, 1, 2, 7, 1, 3, 8]})
    >>> study = event_study(rows, "score", person="id", wave="year", first_treated="start")
    >>> study.table[["event_time", "estimate", "n"]]
       event_time  estimate  n
    0          -2      -1.0  2
    1          -1       0.0  2
    2           0       4.0  2
    """
    panel = PanelRows(
        frame, person, wave, first_treated=first_treated, cluster=cluster, weight=weight
    )
    return panel_event_study(
        panel, outcome, base=base, window=window, covariates=covariates, effects=effects, se=se
    )


def panel_event_study(
    panel: PanelRows,
    outcome: str,
    *,
    base: float = -1,
    window: tuple[float, float] | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    covariates: Sequence[str] = (),
    effects: Sequence[str] = (),
    se: StandardError = "CR1",
) -> EventStudy:
    """Estimate `event_study` on a panel, whose cluster and weight are used unless others are named.

    Raises
    ------
    BarometreError
        As `event_study`; a panel without ``first_treated``.
    """
    check_standard_error(se)
    first = panel.entries
    sample = panel_sample(panel, outcome, cluster=cluster, weight=weight, se=se)
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
    others = adjusting_columns(panel, sample, covariates, effects)
    return _event_study(sample, _Times.of(sample, when, start, base, window), se, others)


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


@dataclass(frozen=True)
class _Times:
    """The event time of each row used, missing for the never treated.

    ``met`` are the times found, ``counts`` their rows; ``exact`` are the times before those beyond
    the window joined its ends; ``n_groups`` counts the dates of entry, ``start`` gives that of each
    row, ``waves`` the number of each wave.
    """

    times: Floats
    exact: Floats
    met: Floats
    counts: Integers
    base: float
    window: tuple[float, float] | None
    n_groups: int
    start: Floats
    waves: Floats

    @classmethod
    def of(
        cls,
        sample: Sample,
        wave: Floats,
        start: Floats,
        base: float,
        window: tuple[float, float] | None,
    ) -> _Times:
        wave, start = sample.take(wave), sample.take(start)
        exact = times = wave - start
        if window is not None:
            low, high = window
            if not low <= base <= high:
                raise BarometreError(
                    f"window {window} : donner (début, fin) autour de base = {base}"
                )
            times = np.clip(exact, low, high)
        treated = ~np.isnan(times)
        values, counts = np.unique(times[treated], return_counts=True)
        if not len(values):
            raise BarometreError("personne n'est traité : vérifier first_treated")
        if base not in values:
            known = ", ".join(f"{value:g}" for value in values)
            raise BarometreError(
                f"base = {base} n'est pas une durée observée ; choisir parmi {known}"
            )
        n_groups = len(np.unique(start[treated]))
        waves = np.empty(sample.ways.n_waves)
        waves[sample.ways.wave] = wave
        return cls(times, exact, values, counts, base, window, n_groups, start, waves)

    def columns(self, start: float) -> Floats:
        """Give the columns of people who enter at a date (missing: never), one row per wave."""
        since = self.waves - start
        if self.window is not None:
            since = np.clip(since, *self.window)
        dummies = np.eye(len(self.waves))[:, 1:]
        return np.column_stack([dummies, *(since == value for value in self.tested)]).astype(float)

    @property
    def tested(self) -> Floats:
        """The times met, base left out."""
        others: Floats = self.met[self.met != self.base]
        return others

    @property
    def labels(self) -> npt.NDArray[Any]:
        """Whole numbers where all times are whole."""
        whole = bool((self.met == np.round(self.met)).all())
        return self.tested.astype(np.int64) if whole else self.tested


def _event_study(
    sample: Sample, times: _Times, se: StandardError, others: pd.DataFrame
) -> EventStudy:
    check_enough_rows(len(sample.y), sample.ways)
    fit = _fit(sample, times, others)
    vcov, df, _ = sandwich(fit, sample.cluster, sample.n_clusters, se)
    last = slice(len(fit.coef) - len(times.tested), None)
    vcov, df, coef = vcov[last, last], df[last], fit.coef[last]
    root = np.sqrt(np.diag(vcov))
    _, p, low, high = student_interval(coef, root, df)
    labels, tested = times.labels, times.met != times.base
    frame = pd.DataFrame(
        dict(zip(COLUMNS, (coef, root, low, high, df, p, times.counts[tested]), strict=True)),
        index=pd.Index(labels, name="event_time"),
    )
    reference = pd.DataFrame(
        {"estimate": 0.0, "n": times.counts[~tested]}, index=[labels.dtype.type(times.base)]
    ).reindex(columns=frame.columns)
    table = pd.concat([frame, reference.astype(frame.dtypes)]).sort_index()
    meta = _meta(sample, times, se, df) | {
        "singletons": singletons(sample),
        "adjusted": list(others.columns),
        "dropped": [column for column in others.columns if column not in fit.names],
    }
    shown = tidy(
        table.rename_axis("event_time").reset_index(),
        sentences=time_sentences,
        chart=EventStudy.chart,
        **meta,
    )
    covariance = pd.DataFrame(vcov, index=labels, columns=labels)
    study = EventStudy(shown, covariance, len(sample.y), sample, times, se)
    if not len(others.columns) or not study.few_clusters:
        return study
    return replace(study, _pieces=AdjustedLeads.of(fit, sample, last))


def _fit(sample: Sample, times: _Times, others: pd.DataFrame) -> LeastSquares:
    ways = sample.ways
    try:
        return least_squares(
            without_person(sample.y, ways),
            with_waves(
                [*others.to_numpy().T, *(times.times == value for value in times.tested)], ways
            ),
            [*wave_names(ways), *others.columns, *(f"durée {value:g}" for value in times.tested)],
            weight=sample.weight,
            absorbed=ways.n_people,
            nuisance=ways.n_waves - 1 + len(others.columns),
            size=float(np.linalg.norm(sample.y)),
        )
    except BarometreError as error:
        raise BarometreError(
            f"{error}. Sans personne jamais traitée, une tendance ne se distingue pas des effets : "
            'regrouper les durées (window=), ou att_gt(control="not_yet")'
        ) from None


def _meta(sample: Sample, times: _Times, se: StandardError, df: Floats) -> dict[str, Any]:
    n_clusters = sample.n_clusters
    meta = {
        **sample.meta,
        "method": "étude d'événement à effets fixes des personnes et des vagues",
        "convention": CONVENTIONS[se],
        "base": times.base,
        "window": times.window,
        "n_groups": times.n_groups,
        "df_denominator": df[0] if se in UNCLUSTERED or n_clusters is None else n_clusters - 1.0,
        "mean_time": dict(
            zip(times.labels, _means(times.exact, times.times, times.tested), strict=True)
        ),
    }
    if sample.cluster is not None and se not in UNCLUSTERED and n_clusters != sample.ways.n_people:
        treated = ~np.isnan(times.times)
        meta |= clusters_by_side(sample, control=~treated, treated=treated)
    if times.n_groups > 1:
        cautions = [meta["caution"]] if "caution" in meta else []
        several = (
            "entrées à plusieurs dates : chaque durée mêle les effets des autres s'ils diffèrent "
            "(Sun, Abraham, 2021) ; préférer att_gt"
        )
        meta["caution"] = ". ".join([*cautions, several])
    return meta


def _means(exact: Floats, times: Floats, values: Floats) -> list[float]:
    """Mean event time of each value: itself, unless it gathers all times beyond the window."""
    return [float(exact[times == value].mean()) for value in values]
