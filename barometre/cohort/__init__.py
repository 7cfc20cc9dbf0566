"""Cohorts: people followed over the years of a contract, not places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barometre.base.public import attach

if TYPE_CHECKING:
    from barometre.cohort.durations.competing import cumulative_incidence as cumulative_incidence
    from barometre.cohort.durations.cox_model import CoxModel as CoxModel
    from barometre.cohort.durations.cox_model import cox as cox
    from barometre.cohort.durations.curve_tests import LogRank as LogRank
    from barometre.cohort.durations.curve_tests import logrank as logrank
    from barometre.cohort.durations.curves import kaplan_meier as kaplan_meier
    from barometre.cohort.durations.curves import rmst as rmst
    from barometre.cohort.durations.curves import survival_quantile as survival_quantile
    from barometre.cohort.durations.gray import gray_test as gray_test
    from barometre.cohort.durations.of_cohort import time_to_event as time_to_event
    from barometre.cohort.durations.person_periods import DiscreteHazard as DiscreteHazard
    from barometre.cohort.durations.person_periods import discrete_hazard as discrete_hazard
    from barometre.cohort.durations.subdistribution import FineGrayModel as FineGrayModel
    from barometre.cohort.durations.subdistribution import fine_gray as fine_gray
    from barometre.cohort.follow.participation import exits as exits
    from barometre.cohort.follow.participation import (
        participation_patterns as participation_patterns,
    )
    from barometre.cohort.follow.participation import retention as retention
    from barometre.cohort.follow.participation import waves_per_person as waves_per_person
    from barometre.cohort.follow.passages import mean_time as mean_time
    from barometre.cohort.follow.passages import state_distribution as state_distribution
    from barometre.cohort.follow.passages import transition_counts as transition_counts
    from barometre.cohort.follow.passages import transition_rates as transition_rates
    from barometre.cohort.impact.event_time import EventStudy as EventStudy
    from barometre.cohort.impact.event_time import event_study as event_study
    from barometre.cohort.impact.formulas import feols as feols
    from barometre.cohort.impact.sample import Regression as Regression
    from barometre.cohort.impact.two_arms import did as did
    from barometre.cohort.impact.two_arms import did_design as did_design
    from barometre.cohort.impact.two_way import twfe as twfe
    from barometre.cohort.impact.two_way import twfe_design as twfe_design
    from barometre.cohort.inference.bootstrap import BootstrapResult as BootstrapResult
    from barometre.cohort.inference.bootstrap import smallest_p as smallest_p
    from barometre.cohort.inference.bootstrap import wild_bootstrap as wild_bootstrap
    from barometre.cohort.inference.estimates import Estimate as Estimate
    from barometre.cohort.inference.estimates import FewClustersWarning as FewClustersWarning
    from barometre.cohort.inference.intraclass import IntraClass as IntraClass
    from barometre.cohort.inference.intraclass import (
        intraclass_correlation as intraclass_correlation,
    )
    from barometre.cohort.inference.multiplicity import adjust_pvalues as adjust_pvalues
    from barometre.cohort.inference.power import achieved_power as achieved_power
    from barometre.cohort.inference.power import (
        minimum_detectable_effect as minimum_detectable_effect,
    )
    from barometre.cohort.inference.power import sample_size as sample_size
    from barometre.cohort.inference.power_plan import StudyPlan as StudyPlan
    from barometre.cohort.inference.pretrends import PreTrend as PreTrend
    from barometre.cohort.inference.pretrends import pretrend_test as pretrend_test
    from barometre.cohort.inference.randomisation import RandomisationResult as RandomisationResult
    from barometre.cohort.inference.randomisation import randomisation_test as randomisation_test
    from barometre.cohort.inference.sandwich import RobustFit as RobustFit
    from barometre.cohort.inference.sandwich import cluster_robust as cluster_robust
    from barometre.cohort.losses.alike import balance_table as balance_table
    from barometre.cohort.losses.alike import balance_test as balance_test
    from barometre.cohort.losses.alike import effective_size as effective_size
    from barometre.cohort.losses.drawn_answers import Imputations as Imputations
    from barometre.cohort.losses.drawn_answers import multiple_imputation as multiple_imputation
    from barometre.cohort.losses.logit import LogitFit as LogitFit
    from barometre.cohort.losses.logit import fit_logit as fit_logit
    from barometre.cohort.losses.lost import LeeBounds as LeeBounds
    from barometre.cohort.losses.lost import attrition as attrition
    from barometre.cohort.losses.lost import attrition_model as attrition_model
    from barometre.cohort.losses.lost import lee_bounds as lee_bounds
    from barometre.cohort.losses.lost import stayers_and_lost as stayers_and_lost
    from barometre.cohort.losses.matching import Matches as Matches
    from barometre.cohort.losses.matching import nearest_match as nearest_match
    from barometre.cohort.losses.pooling import rubin as rubin
    from barometre.cohort.losses.weights import AttritionWeights as AttritionWeights
    from barometre.cohort.losses.weights import TreatmentWeights as TreatmentWeights
    from barometre.cohort.losses.weights import attrition_weights as attrition_weights
    from barometre.cohort.losses.weights import combine_weights as combine_weights
    from barometre.cohort.losses.weights import propensity_weights as propensity_weights
    from barometre.cohort.losses.weights import weighted_effect as weighted_effect
    from barometre.cohort.movers.change import ChangeDecomposition as ChangeDecomposition
    from barometre.cohort.movers.change import decompose_change as decompose_change
    from barometre.cohort.people import Cohort as Cohort
    from barometre.cohort.protection import count_people as count_people
    from barometre.cohort.protection import hide_small_groups as hide_small_groups
    from barometre.cohort.protection import k_anonymity as k_anonymity
    from barometre.cohort.pseudonyms import PseudonymWarning as PseudonymWarning
    from barometre.cohort.pseudonyms import create_key as create_key
    from barometre.cohort.pseudonyms import pseudonymise as pseudonymise
    from barometre.cohort.publication import protect as protect
    from barometre.cohort.rows.checks import CohortError as CohortError
    from barometre.cohort.side_by_side import ModelTable as ModelTable
    from barometre.cohort.side_by_side import etable as etable
    from barometre.cohort.staggered.bacon import BaconWeights as BaconWeights
    from barometre.cohort.staggered.bacon import bacon_weights as bacon_weights
    from barometre.cohort.staggered.group_time import att_gt as att_gt
    from barometre.cohort.staggered.group_time_means import Aggregation as Aggregation
    from barometre.cohort.staggered.group_time_result import AttGt as AttGt
    from barometre.cohort.staggered.imputed import ImputedEffects as ImputedEffects
    from barometre.cohort.staggered.imputed import did_imputation as did_imputation
    from barometre.cohort.staggered.unequal_trends import HonestBounds as HonestBounds
    from barometre.cohort.staggered.unequal_trends import honest_bounds as honest_bounds

__getattr__, __dir__, __all__ = attach(__name__, __file__)
