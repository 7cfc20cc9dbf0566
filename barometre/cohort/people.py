"""A cohort: the same people at several waves, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from barometre.cohort.durations import of_cohort
from barometre.cohort.follow import participation, passages
from barometre.cohort.impact import event_time, formulas, two_arms, two_way
from barometre.cohort.inference import intraclass
from barometre.cohort.losses import baseline, drawn_answers
from barometre.cohort.movers import zone as zones
from barometre.cohort.rows.panel import PanelRows
from barometre.cohort.staggered import bacon, group_time, imputed

if TYPE_CHECKING:
    from barometre.base.tidy import Tidy
    from barometre.cohort.durations.cox_model import CoxModel
    from barometre.cohort.durations.curve_errors import Interval
    from barometre.cohort.durations.curve_tests import LogRank
    from barometre.cohort.durations.first_events import AtEntry
    from barometre.cohort.durations.of_cohort import Event, Origin
    from barometre.cohort.durations.person_periods import DiscreteHazard, Link
    from barometre.cohort.durations.subdistribution import FineGrayModel
    from barometre.cohort.follow.participation import Clock
    from barometre.cohort.follow.status_table import Missing as MissingStatus
    from barometre.cohort.impact.event_time import EventStudy
    from barometre.cohort.impact.sample import Regression
    from barometre.cohort.inference.estimates import Estimate
    from barometre.cohort.inference.intraclass import IntraClass
    from barometre.cohort.inference.sandwich import RobustFit, StandardError
    from barometre.cohort.losses.alike import Denominator
    from barometre.cohort.losses.drawn_answers import Imputations
    from barometre.cohort.losses.logit import LogitFit
    from barometre.cohort.losses.lost import LeeBounds
    from barometre.cohort.losses.weights import AttritionWeights, Estimand, TreatmentWeights
    from barometre.cohort.movers.change import ChangeDecomposition, Statistic
    from barometre.cohort.staggered.bacon import BaconWeights
    from barometre.cohort.staggered.group_time_cells import Base, Control, Method
    from barometre.cohort.staggered.group_time_people import Missing as MissingWave
    from barometre.cohort.staggered.group_time_result import AttGt
    from barometre.cohort.staggered.imputed import ImputedEffects


class Cohort(PanelRows):
    """People followed over several waves: one row per person and wave, checked once.

    Each verb is a function of ``bcs.cohort`` too, of the same name, which takes a frame and the
    names of its columns: its page says what the verb assumes, and where its formulas come from.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order; other columns are kept. It is neither copied nor
        modified.
    person, wave : str
        Columns (or index levels) of the person and of the wave. Waves are numbers, dates, periods
        or ordered categories.
    arm : str, optional
        Arm of the person, of two values: beneficiary or comparison.
    treated : object, optional
        The value of ``arm`` that is the treated one; needed unless the values are 0 and 1, or
        booleans.
    first_treated : str, optional
        Wave of the first treatment; missing, 0 or infinite: never treated.
    cluster : str, optional
        Cluster of the person, e.g. the neighbourhood at baseline; verbs of impact take the person
        without it.
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
        person or (arm, cluster) is missing, arms that are not two or of which none is known to be
        the treated one, weight that is not positive, fewer than 2 clusters.

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

    def participation_patterns(
        self, *, observed: str | None = None, limit: int | None = None
    ) -> Tidy:
        """Count the people by the waves at which they are seen."""
        return participation.panel_participation_patterns(self, observed=observed, limit=limit)

    def waves_per_person(self, *, observed: str | None = None) -> Tidy:
        """Count the people by the number of waves at which they are seen."""
        return participation.panel_waves_per_person(self, observed=observed)

    def retention(
        self,
        by: str | None = None,
        *,
        observed: str | None = None,
        clock: Clock = "calendar",
        level: float = 0.95,
    ) -> Tidy:
        """Share of those expected who are seen, wave by wave."""
        return participation.panel_retention(self, by, observed=observed, clock=clock, level=level)

    def exits(
        self,
        by: str | None = None,
        *,
        reason: str | None = None,
        observed: str | None = None,
        clock: Clock = "calendar",
    ) -> Tidy:
        """Count those who are not seen any more, when and why, or what they were last."""
        return participation.panel_exits(self, by, reason=reason, observed=observed, clock=clock)

    # ---- time to event --------------------------------------------------------------------------

    def time_to_event(
        self,
        event: Event,
        *,
        origin: Origin = "entry",
        competing: Event | None = None,
        at_entry: AtEntry = "event",
    ) -> Tidy:
        """Time to the first wave at which an event is seen, with arm, cluster and weight."""
        return of_cohort.panel_time_to_event(
            self, event, origin=origin, competing=competing, at_entry=at_entry
        )

    def kaplan_meier(
        self,
        event: Event,
        by: str | None = None,
        *,
        origin: Origin = "entry",
        at_entry: AtEntry = "exclude",
        conf_type: Interval = "log",
        level: float = 0.95,
    ) -> Tidy:
        """Kaplan-Meier of `time_to_event`, by a trait at the first wave.

        Who is in the state from the first wave known on is left out, and counted in the summary
        (``at_entry="event"``: an event at once). From another origin than entry, people count from
        the wave at which they are first known. The weight is that of the cohort at the first wave.
        """
        return of_cohort.panel_kaplan_meier(
            self, event, by, origin=origin, at_entry=at_entry, conf_type=conf_type, level=level
        )

    def cumulative_incidence(
        self,
        event: Event,
        competing: Event,
        by: str | None = None,
        *,
        origin: Origin = "entry",
        at_entry: AtEntry = "exclude",
        conf_type: Interval = "log",
        level: float = 0.95,
    ) -> Tidy:
        """Cumulative incidence of an event (cause 1) and of a competing one (cause 2)."""
        return of_cohort.panel_cumulative_incidence(
            self,
            event,
            competing,
            by,
            origin=origin,
            at_entry=at_entry,
            conf_type=conf_type,
            level=level,
        )

    def rmst(
        self,
        event: Event,
        by: str | None = None,
        *,
        origin: Origin = "entry",
        at_entry: AtEntry = "exclude",
        horizon: float | None = None,
        level: float = 0.95,
    ) -> Tidy:
        """Mean time without the event up to a horizon."""
        return of_cohort.panel_rmst(
            self, event, by, origin=origin, at_entry=at_entry, horizon=horizon, level=level
        )

    def logrank(
        self,
        event: Event,
        by: str,
        *,
        origin: Origin = "entry",
        at_entry: AtEntry = "exclude",
        strata: str | None = None,
        rho: float = 0.0,
    ) -> LogRank:
        """Log-rank test between traits of the first wave, without weights."""
        return of_cohort.panel_logrank(
            self, event, by, origin=origin, strata=strata, at_entry=at_entry, rho=rho
        )

    def gray_test(
        self,
        event: Event,
        competing: Event,
        by: str,
        *,
        at_entry: AtEntry = "exclude",
        strata: str | None = None,
        rho: float = 0.0,
    ) -> Tidy:
        """Gray's test of the incidences of an event (cause 1) and of a competing one (cause 2).

        Groups are traits of the first wave, times run from the entry, without weights.
        """
        return of_cohort.panel_gray_test(
            self, event, competing, by, strata=strata, at_entry=at_entry, rho=rho
        )

    def cox(
        self,
        event: Event,
        by: str | None = None,
        *,
        covariates: Sequence[str] = (),
        cluster: str | None = None,
        origin: Origin = "entry",
        at_entry: AtEntry = "exclude",
        level: float = 0.95,
    ) -> CoxModel:
        """Hazard ratios of traits of the first wave (Cox, 1972), without weights.

        The cluster is that of the cohort unless another one is named, and the person without any.
        Of the arm, the treated one is compared with the other.
        """
        return of_cohort.panel_cox(
            self,
            event,
            by,
            covariates=covariates,
            cluster=cluster,
            origin=origin,
            at_entry=at_entry,
            level=level,
        )

    def fine_gray(
        self,
        event: Event,
        competing: Event,
        by: str | None = None,
        *,
        covariates: Sequence[str] = (),
        cluster: str | None = None,
        at_entry: AtEntry = "exclude",
        level: float = 0.95,
    ) -> FineGrayModel:
        """Ratios of the incidences of an event, beside a competing one (Fine and Gray, 1999).

        As `cox` for groups, covariates and clusters; as `gray_test`, times run from the entry.
        """
        return of_cohort.panel_fine_gray(
            self,
            event,
            competing,
            by,
            covariates=covariates,
            cluster=cluster,
            at_entry=at_entry,
            level=level,
        )

    def discrete_hazard(
        self,
        event: Event,
        by: str | None = None,
        *,
        covariates: Sequence[str] = (),
        cluster: str | None = None,
        origin: Origin = "entry",
        at_entry: AtEntry = "exclude",
        link: Link = "cloglog",
        level: float = 0.95,
    ) -> DiscreteHazard:
        """Ratios of the hazards of each wave, by traits of the first wave, without weights.

        As `cox`, for events seen at waves only: many people share the same durations.
        """
        return of_cohort.panel_discrete_hazard(
            self,
            event,
            by,
            covariates=covariates,
            cluster=cluster,
            origin=origin,
            at_entry=at_entry,
            link=link,
            level=level,
        )

    # ---- transitions ----------------------------------------------------------------------------

    def transition_counts(
        self, by: str | None = None, *, lag: int = 1, missing: MissingStatus = "drop"
    ) -> Tidy:
        """Passages between statuses."""
        return passages.panel_transition_counts(self, by, lag=lag, missing=missing)

    def transition_rates(
        self, by: str | None = None, *, lag: int = 1, missing: MissingStatus = "drop"
    ) -> Tidy:
        """Passages between statuses, counts and rates."""
        return passages.panel_transition_rates(self, by, lag=lag, missing=missing)

    def state_distribution(self, by: str | None = None, *, missing: MissingStatus = "drop") -> Tidy:
        """Share of people in each status, by wave."""
        return passages.panel_state_distribution(self, by, missing=missing)

    def mean_time(self, by: str | None = None, *, missing: MissingStatus = "drop") -> Tidy:
        """Mean number of waves in each status."""
        return passages.panel_mean_time(self, by, missing=missing)

    # ---- losses, balance, movers ----------------------------------------------------------------

    def baseline_frame(self) -> pd.DataFrame:
        """First row of each person, indexed by person."""
        return baseline.baseline_frame(self)

    def lost_at(self, wave: Any = None) -> pd.DataFrame:
        """People of the first wave, and who is lost (column ``lost``) at a later one."""
        return baseline.lost_at(self, wave)

    def attrition(
        self,
        wave: Any = None,
        *,
        weight: str | pd.Series[float] | None = None,
        level: float = 0.95,
    ) -> Tidy:
        """Losses of the arms at a wave, the last one by default, and their difference.

        Weights are those given only: a column, as it was at the first wave, or a Series indexed by
        person.
        """
        return baseline.panel_attrition(self, wave, weight=weight, level=level)

    def attrition_model(
        self, covariates: Sequence[str], wave: Any = None, *, weight: str | None = None
    ) -> LogitFit:
        """Losses at a wave explained by the first one."""
        return baseline.panel_attrition_model(self, covariates, wave, weight=weight)

    def attrition_weights(
        self,
        covariates: Sequence[str],
        wave: Any = None,
        *,
        numerator: Sequence[str] = (),
        stabilised: bool = True,
        trim: float | None = None,
        weight: str | None = None,
    ) -> AttritionWeights:
        """Weights of those still seen at a wave, times the column of weights given, if any."""
        return baseline.panel_attrition_weights(
            self,
            covariates,
            wave,
            numerator=numerator,
            stabilised=stabilised,
            trim=trim,
            weight=weight,
        )

    def multiple_imputation(
        self,
        outcome: str,
        *,
        covariates: Sequence[str] = (),
        draws: int = 20,
        iterations: int = 5,
        donors: int = 5,
        method: drawn_answers.Drawing = "pmm",
        seed: int = 0,
    ) -> Imputations[Self]:
        """Draw the missing outcomes several times, those of the lost included, arms apart.

        ``.pool(lambda cohort: cohort.did(...))`` combines any estimator by Rubin's rules. An
        outcome is drawn at every wave from the first one of the person on, from its other waves
        and covariates of the first one.
        """
        return drawn_answers.panel_multiple_imputation(
            self,
            outcome,
            covariates=covariates,
            draws=draws,
            iterations=iterations,
            donors=donors,
            method=method,
            seed=seed,
        )

    def lee_bounds(
        self,
        outcome: str,
        wave: Any = None,
        *,
        weight: str | pd.Series[float] | None = None,
        cluster: str | None = None,
        draws: int = 0,
        level: float = 0.95,
        seed: int = 0,
    ) -> LeeBounds:
        """Bounds of the effect at a wave whatever the losses; clusters are drawn whole.

        Weights are those given only: a column, as it was at the first wave, or a Series indexed by
        person, with those of the lost.
        """
        return baseline.panel_lee_bounds(
            self,
            outcome,
            wave,
            weight=weight,
            cluster=cluster,
            draws=draws,
            level=level,
            seed=seed,
        )

    def balance_table(
        self,
        covariates: Sequence[str],
        weight: str | pd.Series[float] | None = None,
        denominator: Denominator = "treated",
    ) -> Tidy:
        """Compare the arms at the first wave, with the weights given only."""
        return baseline.panel_balance_table(self, covariates, weight, denominator)

    balance = balance_table  # the short name, which scripts use

    def propensity_weights(
        self,
        covariates: Sequence[str],
        *,
        estimand: Estimand = "att",
        stabilised: bool = False,
        trim: float | None = None,
    ) -> TreatmentWeights:
        """Weights that make the arms alike at the first wave."""
        return baseline.panel_propensity_weights(
            self, covariates, estimand=estimand, stabilised=stabilised, trim=trim
        )

    def weighted_effect(
        self,
        outcome: str,
        wave: Any = None,
        *,
        weight: str | pd.Series[float] | None = None,
        cluster: str | None = None,
        se: StandardError = "CR0",
    ) -> Estimate:
        """Compare the weighted arms at a wave, the last one by default.

        The weight is a column, as it was at the first wave, or a Series indexed by person: that of
        `propensity_weights`, `attrition_weights` or `combine_weights`.
        """
        return baseline.panel_weighted_effect(
            self, outcome, wave, weight=weight, cluster=cluster, se=se
        )

    def intraclass_correlation(
        self,
        outcome: str,
        wave: Any = None,
        *,
        since: Any = None,
        cluster: str | None = None,
        level: float = 0.95,
    ) -> IntraClass:
        """Intra-class correlation at a wave, the last one by default, or of the change to it.

        ``since`` is the wave that the change starts from. The cluster is that of the cohort unless
        another one is named, as it was at the first wave of the person.
        """
        return intraclass.panel_intraclass(
            self, outcome, wave, since=since, cluster=cluster, level=level
        )

    def decompose_change(
        self,
        outcome: str,
        zone: Any,
        start: Any,
        end: Any,
        *,
        statistic: Statistic = "mean",
        household: str | None = None,
        weight: str | pd.Series[float] | None = None,
        draws: int = 0,
        level: float = 0.95,
        seed: int = 0,
    ) -> ChangeDecomposition:
        """Change of a zone between two waves, split between stayers, leavers and entrants.

        Leavers are followed to where they are at the second wave; those not seen any more count as
        exits, with ``perdu de vue`` as their destination, and entrants not seen at the first wave
        come from ``inconnue``. Weights are those given only: a column, as it was at the first wave
        of the person, or a Series indexed by person; who has none is left out, and counted.
        """
        return zones.panel_decompose_change(
            self,
            outcome,
            zone,
            start,
            end,
            statistic=statistic,
            household=household,
            weight=weight,
            draws=draws,
            level=level,
            seed=seed,
        )

    # ---- impact ---------------------------------------------------------------------------------

    def did(
        self,
        outcome: str,
        post: Any,
        *,
        cluster: str | None = None,
        weight: str | None = None,
        covariates: Sequence[str] = (),
        effects: Sequence[str] = (),
        se: StandardError = "CR1",
    ) -> Estimate:
        """Difference in differences of two arms, before and after.

        ``post`` is the first wave after the start of the action, the waves after it, a column of 0
        and 1, or one boolean per row. The cluster and the weight are those of the cohort unless
        others are named, and the person without any.
        """
        return two_arms.panel_did(
            self,
            outcome,
            post,
            cluster=cluster,
            weight=weight,
            covariates=covariates,
            effects=effects,
            se=se,
        )

    def did_design(
        self, outcome: str, post: Any, *, cluster: str | None = None, weight: str | None = None
    ) -> Regression:
        """Return the regression of `did` as columns, for `wild_bootstrap`."""
        return two_arms.panel_did_design(self, outcome, post, cluster=cluster, weight=weight)

    def twfe(
        self,
        outcome: str,
        treated: str,
        *,
        cluster: str | None = None,
        weight: str | None = None,
        covariates: Sequence[str] = (),
        effects: Sequence[str] = (),
        se: StandardError = "CR1",
    ) -> Estimate:
        """Two-way fixed effects (person and wave) of a column of treatment.

        The cluster and the weight are those of the cohort unless others are named, and the person
        without any.
        """
        return two_way.panel_twfe(
            self,
            outcome,
            treated,
            cluster=cluster,
            weight=weight,
            covariates=covariates,
            effects=effects,
            se=se,
        )

    def twfe_design(
        self, outcome: str, treated: str, *, cluster: str | None = None, weight: str | None = None
    ) -> Regression:
        """Return the regression of `twfe` as columns, for `wild_bootstrap`."""
        return two_way.panel_twfe_design(self, outcome, treated, cluster=cluster, weight=weight)

    def feols(
        self,
        formula: str,
        *,
        cluster: str | None = None,
        weight: str | None = None,
        se: StandardError = "CR1",
    ) -> RobustFit:
        """Least squares written as a formula: ``"income ~ treated | person + wave"``.

        The cluster and the weight are those of the cohort unless others are named, and the person
        without any.
        """
        return formulas.panel_feols(self, formula, cluster=cluster, weight=weight, se=se)

    def event_study(
        self,
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
        """Two-way fixed effects by time since treatment, compared with ``base``.

        The cluster and the weight are those of the cohort unless others are named, and the person
        without any. Times beyond ``window`` join its ends.
        """
        return event_time.panel_event_study(
            self,
            outcome,
            base=base,
            window=window,
            cluster=cluster,
            weight=weight,
            covariates=covariates,
            effects=effects,
            se=se,
        )

    def bacon_weights(self, outcome: str) -> BaconWeights:
        """Take two-way fixed effects apart into comparisons between groups of entry."""
        return bacon.panel_bacon_weights(self, outcome)

    def att_gt(
        self,
        outcome: str,
        control: Control = "never",
        base: Base = "varying",
        covariates: Sequence[str] | str | None = None,
        method: Method = "dr",
        cluster: str | None = None,
        missing: MissingWave = "pairs",
        anticipation: float = 0,
        *,
        se: StandardError | None = None,
    ) -> AttGt:
        """Effects by group of entry and wave (Callaway and Sant'Anna, 2021).

        The cluster is that of the cohort unless another one is named, and the person without any;
        the weight is that of the cohort, at the first wave. Errors are CR2 with clusters.
        """
        return group_time.panel_att_gt(
            self,
            outcome,
            control=control,
            base=base,
            covariates=covariates,
            method=method,
            missing=missing,
            anticipation=anticipation,
            cluster=cluster,
            se=se,
        )

    def did_imputation(
        self,
        outcome: str,
        *,
        covariates: Sequence[str] = (),
        anticipation: float = 0,
        cluster: str | None = None,
        weight: str | None = None,
        leave_one_out: bool = True,
    ) -> ImputedEffects:
        """Effects by imputation (Borusyak, Jaravel and Spiess, 2024).

        The cluster and the weight are those of the cohort unless others are named, and the person
        without any. With few clusters, `att_gt` is the one to use.
        """
        return imputed.panel_did_imputation(
            self,
            outcome,
            covariates=covariates,
            anticipation=anticipation,
            cluster=cluster,
            weight=weight,
            leave_one_out=leave_one_out,
        )
