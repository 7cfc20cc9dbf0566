"""A cohort: the same people at several waves, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from barometre.cohort.rows.panel import PanelRows

if TYPE_CHECKING:
    from barometre.base.tidy import Tidy
    from barometre.cohort.durations.curve_errors import Interval
    from barometre.cohort.durations.curve_tests import LogRank
    from barometre.cohort.durations.of_cohort import Event, Origin
    from barometre.cohort.follow.participation import Clock
    from barometre.cohort.follow.status_table import Missing
    from barometre.cohort.inference.sandwich import StandardError
    from barometre.cohort.losses.alike import Denominator
    from barometre.cohort.losses.logit import LogitFit
    from barometre.cohort.losses.lost import LeeBounds
    from barometre.cohort.losses.weights import AttritionWeights, Estimand, TreatmentWeights
    from barometre.cohort.movers.change import ChangeDecomposition


class Cohort(PanelRows):
    """People followed over several waves: one row per person and wave, checked once.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order; other columns are kept. It is neither copied nor
        modified.
    person, wave : str
        Columns (or index levels) of the person and of the wave. Waves are numbers, dates, periods
        or ordered categories.
    arm : str, optional
        Arm of the person: beneficiary or comparison.
    first_treated : str, optional
        Wave of the first treatment; missing, 0 or infinite: never treated.
    cluster : str, optional
        Cluster of the person, e.g. the neighbourhood at baseline. There is no default.
    zone : str, optional
        Where the person lives at that wave; it may change.
    weight : str, optional
        Positive weight. It may vary between waves: verbs on rows (transitions, distributions) use
        the weight of the row, verbs on people (durations) that of the first wave.
    status : str, optional
        Status of the person at that wave: job, training... Missing when not known.

    Attributes
    ----------
    frame : DataFrame
        The rows in the order received, on positions.
    person, wave, arm, first_treated, cluster, zone, weight, status : str or None
        The columns.

    Raises
    ------
    CohortError
        Every fault at once, with its rows: column absent, person or wave missing, waves without
        order, (person, wave) given twice, arm, first treatment or cluster that varies within a
        person or (arm, cluster) is missing, weight that is not positive, fewer than 2 clusters.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2], "year": [2024, 2025, 2024], "job": [0, 1, 0]})
    >>> cohort = Cohort(rows, person="id", wave="year")
    >>> cohort
    Cohort(2 personnes, 2 vagues, 3 lignes)
    >>> cohort.is_balanced
    False
    """

    # ---- follow-up ------------------------------------------------------------------------------

    def follow_up(self, *, observed: str | None = None, limit: int | None = None) -> Tidy:
        """Participation patterns; a wave is missed where ``observed`` is missing or False."""
        from barometre.cohort.follow.participation import participation_patterns

        return participation_patterns(*self.keys, observed=self._observed(observed), limit=limit)

    def participation(self, *, observed: str | None = None) -> Tidy:
        """People by number of waves at which they are seen: `follow_up.waves_per_person`."""
        from barometre.cohort.follow.participation import waves_per_person

        return waves_per_person(*self.keys, observed=self._observed(observed))

    def retention(
        self,
        by: str | None = None,
        *,
        clock: Clock = "calendar",
        observed: str | None = None,
        level: float = 0.95,
    ) -> Tidy:
        """Share of those expected who are seen, wave by wave: `follow_up.retention`."""
        from barometre.cohort.follow.participation import retention

        return retention(
            *self.keys,
            observed=self._observed(observed),
            by=self._optional(by),
            clock=clock,
            level=level,
        )

    def exits(
        self,
        by: str | None = None,
        *,
        reason: str | None = None,
        clock: Clock = "calendar",
        observed: str | None = None,
    ) -> Tidy:
        """Who is not seen any more, when and why (``status`` by default): `follow_up.exits`."""
        from barometre.cohort.follow.participation import exits

        return exits(
            *self.keys,
            self._optional(reason or self.status),
            observed=self._observed(observed),
            by=self._optional(by),
            clock=clock,
        )

    # ---- time to event --------------------------------------------------------------------------

    def time_to_event(
        self, event: Event, *, origin: Origin = "entry", competing: Event | None = None
    ) -> Tidy:
        """Time to the first wave at which an event is seen: `cohort_durations.time_to_event`."""
        from barometre.cohort.durations.of_cohort import time_to_event

        return time_to_event(self, event, origin=origin, competing=competing)

    def kaplan_meier(
        self,
        event: Event,
        by: str | None = None,
        *,
        origin: Origin = "entry",
        conf_type: Interval = "log",
        level: float = 0.95,
    ) -> Tidy:
        """Kaplan-Meier of `time_to_event`, by a trait at the first wave: `survival.kaplan_meier`.

        From another origin than entry, people count from the wave at which they are first known.
        The weight is that of the cohort at the first wave.
        """
        from barometre.cohort.durations.of_cohort import panel_kaplan_meier

        return panel_kaplan_meier(self, event, by, origin=origin, conf_type=conf_type, level=level)

    def cumulative_incidence(
        self,
        event: Event,
        competing: Event,
        by: str | None = None,
        *,
        origin: Origin = "entry",
        conf_type: Interval = "log",
        level: float = 0.95,
    ) -> Tidy:
        """Cumulative incidence of an event (cause 1) and of a competing one (cause 2).

        As `kaplan_meier`, by `competing_risks.cumulative_incidence`.
        """
        from barometre.cohort.durations.of_cohort import panel_cumulative_incidence

        return panel_cumulative_incidence(
            self, event, competing, by, origin=origin, conf_type=conf_type, level=level
        )

    def rmst(
        self,
        event: Event,
        by: str | None = None,
        *,
        horizon: float | None = None,
        origin: Origin = "entry",
        level: float = 0.95,
    ) -> Tidy:
        """Mean time without the event up to a horizon: `survival.rmst`."""
        from barometre.cohort.durations.of_cohort import panel_rmst

        return panel_rmst(self, event, by, horizon=horizon, origin=origin, level=level)

    def logrank(
        self,
        event: Event,
        by: str,
        *,
        strata: str | None = None,
        origin: Origin = "entry",
        rho: float = 0.0,
    ) -> LogRank:
        """Log-rank test between traits of the first wave, without weights: `logrank`."""
        from barometre.cohort.durations.of_cohort import panel_logrank

        return panel_logrank(self, event, by, strata=strata, origin=origin, rho=rho)

    # ---- transitions ----------------------------------------------------------------------------

    def transitions(
        self, by: str | None = None, *, lag: int = 1, missing: Missing = "drop"
    ) -> Tidy:
        """Passages between statuses, counts and rates: `transitions.transition_rates`."""
        from barometre.cohort.follow.passages import transition_rates

        return transition_rates(**self._statuses(by), lag=lag, missing=missing)

    def state_distribution(self, by: str | None = None, *, missing: Missing = "drop") -> Tidy:
        """Share of people in each status, by wave: `transitions.state_distribution`."""
        from barometre.cohort.follow.passages import state_distribution

        return state_distribution(**self._statuses(by), missing=missing)

    def mean_time(self, by: str | None = None, *, missing: Missing = "drop") -> Tidy:
        """Mean number of waves in each status: `transitions.mean_time`."""
        from barometre.cohort.follow.passages import mean_time

        return mean_time(**self._statuses(by), missing=missing)

    # ---- losses, balance, movers ----------------------------------------------------------------

    def baseline_frame(self) -> pd.DataFrame:
        """First row of each person, indexed by person: `cohort_baseline.baseline_frame`."""
        from barometre.cohort.losses.baseline import baseline_frame

        return baseline_frame(self)

    def lost_at(self, wave: Any = None) -> pd.DataFrame:
        """People of the first wave, and who is lost at a later one: `cohort_baseline.lost_at`."""
        from barometre.cohort.losses.baseline import lost_at

        return lost_at(self, wave)

    def attrition(self, wave: Any = None, *, level: float = 0.95) -> Tidy:
        """Losses of the arms at a wave, and their difference: `attrition.attrition_rates`."""
        from barometre.cohort.losses.baseline import panel_attrition

        return panel_attrition(self, wave, level=level)

    def attrition_model(self, covariates: Sequence[str], wave: Any = None) -> LogitFit:
        """Losses at a wave explained by the first one: `attrition.attrition_model`."""
        from barometre.cohort.losses.baseline import panel_attrition_model

        return panel_attrition_model(self, covariates, wave)

    def attrition_weights(
        self,
        covariates: Sequence[str],
        wave: Any = None,
        *,
        numerator: Sequence[str] = (),
        stabilised: bool = True,
        trim: float | None = None,
    ) -> AttritionWeights:
        """Weights of those still seen at a wave: `propensity.attrition_weights`."""
        from barometre.cohort.losses.baseline import panel_attrition_weights

        return panel_attrition_weights(
            self, covariates, wave, numerator=numerator, stabilised=stabilised, trim=trim
        )

    def lee_bounds(self, outcome: str, wave: Any = None, **options: Any) -> LeeBounds:
        """Bounds of the effect at a wave whatever the losses: `attrition.lee_bounds`."""
        from barometre.cohort.losses.baseline import panel_lee_bounds

        return panel_lee_bounds(self, outcome, wave, **options)

    def balance(
        self,
        covariates: Sequence[str],
        weight: str | pd.Series[float] | None = None,
        denominator: Denominator = "treated",
    ) -> Tidy:
        """Arms at the first wave, weights given only: `balance.balance_table`."""
        from barometre.cohort.losses.baseline import panel_balance

        return panel_balance(self, covariates, weight, denominator)

    def propensity_weights(
        self,
        covariates: Sequence[str],
        *,
        estimand: Estimand = "att",
        stabilised: bool = False,
        trim: float | None = None,
    ) -> TreatmentWeights:
        """Weights that make the arms alike at the first wave: `propensity.propensity_weights`."""
        from barometre.cohort.losses.baseline import panel_propensity_weights

        return panel_propensity_weights(
            self, covariates, estimand=estimand, stabilised=stabilised, trim=trim
        )

    def decompose(
        self, outcome: str, zone: Any, start: Any, end: Any, **options: Any
    ) -> ChangeDecomposition:
        """Change of a zone split between stayers, leavers and entrants: `zone_change`."""
        from barometre.cohort.movers.zone import panel_change

        return panel_change(self, outcome, zone, start, end, **options)

    # ---- impact ---------------------------------------------------------------------------------

    def did(
        self,
        outcome: str,
        post: Any,
        *,
        se: StandardError = "CR1",
        cluster: str | None = None,
        weight: str | None = None,
    ) -> Any:
        """Difference in differences of two arms before and after: `did.panel_did`."""
        from barometre.cohort.impact.two_arms import panel_did

        return panel_did(self, outcome, post, se=se, cluster=cluster, weight=weight)

    def twfe(
        self,
        outcome: str,
        treated: str,
        *,
        se: StandardError = "CR1",
        cluster: str | None = None,
        weight: str | None = None,
    ) -> Any:
        """Two-way fixed effects (person and wave): `did.panel_twfe`."""
        from barometre.cohort.impact.two_arms import panel_twfe

        return panel_twfe(self, outcome, treated, se=se, cluster=cluster, weight=weight)

    def event_study(
        self,
        outcome: str,
        *,
        base: int = -1,
        se: StandardError = "CR1",
        cluster: str | None = None,
        weight: str | None = None,
        window: tuple[int, int] | None = None,
    ) -> Any:
        """Two-way fixed effects by time since treatment: `did.panel_event_study`."""
        from barometre.cohort.impact.two_arms import panel_event_study

        return panel_event_study(
            self, outcome, base=base, se=se, cluster=cluster, weight=weight, window=window
        )

    def att_gt(
        self,
        outcome: str,
        control: Literal["never", "not_yet"] = "never",
        base: Literal["varying", "universal"] = "varying",
        covariates: Sequence[str] | None = None,
        method: Literal["dr", "ipw", "reg"] = "dr",
        cluster: str | None = None,
        missing: Literal["pairs", "balanced"] = "pairs",
        anticipation: int = 0,
    ) -> Any:
        """Effects by group and wave (Callaway and Sant'Anna, 2021): `att_gt.panel_att_gt`."""
        from barometre.cohort.impact.group_time import panel_att_gt

        return panel_att_gt(
            self,
            outcome,
            control=control,
            base=base,
            covariates=covariates,
            method=method,
            cluster=cluster,
            missing=missing,
            anticipation=anticipation,
        )

    # ---- columns --------------------------------------------------------------------------------

    def _observed(self, name: str | None) -> pd.Series[Any] | None:
        column = None if name is None else self.column(name)
        if column is None or pd.api.types.is_bool_dtype(column):
            return column
        return column.notna()

    def _statuses(self, by: str | None) -> dict[str, Any]:
        person, wave = self.keys
        return {
            "person": person,
            "wave": wave,
            "status": self.statuses,
            "weight": self._optional(self.weight),
            "by": self._optional(by),
        }

    def _optional(self, name: str | None) -> pd.Series[Any] | None:
        return None if name is None else self.column(name)
