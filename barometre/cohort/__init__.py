"""Cohorts: people followed over the years of a contract, not places."""

from barometre.cohort.att_gt import att_gt
from barometre.cohort.att_gt_result import AttGt
from barometre.cohort.attrition import (
    LeeBounds,
    attrition_model,
    attrition_rates,
    lee_bounds,
    stayers_and_lost,
)
from barometre.cohort.balance import balance_table, balance_test, effective_size
from barometre.cohort.bootstrap import BootstrapResult, smallest_p, wild_bootstrap
from barometre.cohort.cluster import RobustFit, cluster_robust
from barometre.cohort.competing_risks import cumulative_incidence
from barometre.cohort.design import achieved_power, minimum_detectable_effect, sample_size
from barometre.cohort.design_plan import Design
from barometre.cohort.did import did, did_design
from barometre.cohort.estimates import Estimate, FewClustersWarning, PreTrend, pretrend_test
from barometre.cohort.event_study import EventStudy, event_study
from barometre.cohort.first_events import event_times
from barometre.cohort.fixed_effects import twfe, twfe_design
from barometre.cohort.follow_up import exits, participation_patterns, retention, waves_per_person
from barometre.cohort.logit import LogitFit, fit_logit
from barometre.cohort.matching import Matches, nearest_match
from barometre.cohort.mobility import ChangeDecomposition, decompose_change
from barometre.cohort.multiplicity import adjust_pvalues
from barometre.cohort.panel import Cohort
from barometre.cohort.panel_checks import CohortError
from barometre.cohort.propensity import (
    AttritionWeights,
    TreatmentWeights,
    attrition_weights,
    combine_weights,
    propensity_weights,
    weighted_effect,
)
from barometre.cohort.protection import (
    count_people,
    create_key,
    hide_small_groups,
    k_anonymity,
    pseudonymise,
)
from barometre.cohort.randomisation import RandomisationResult, randomisation_test
from barometre.cohort.survival import kaplan_meier, rmst, survival_quantile
from barometre.cohort.survival_tests import LogRank, logrank
from barometre.cohort.tidy import Tidy
from barometre.cohort.transitions import (
    mean_time,
    state_distribution,
    transition_counts,
    transition_rates,
)

__all__ = [
    "AttGt",
    "AttritionWeights",
    "BootstrapResult",
    "ChangeDecomposition",
    "Cohort",
    "CohortError",
    "Design",
    "Estimate",
    "EventStudy",
    "FewClustersWarning",
    "LeeBounds",
    "LogRank",
    "LogitFit",
    "Matches",
    "PreTrend",
    "RandomisationResult",
    "RobustFit",
    "Tidy",
    "TreatmentWeights",
    "achieved_power",
    "adjust_pvalues",
    "att_gt",
    "attrition_model",
    "attrition_rates",
    "attrition_weights",
    "balance_table",
    "balance_test",
    "cluster_robust",
    "combine_weights",
    "count_people",
    "create_key",
    "cumulative_incidence",
    "decompose_change",
    "did",
    "did_design",
    "effective_size",
    "event_study",
    "event_times",
    "exits",
    "fit_logit",
    "hide_small_groups",
    "k_anonymity",
    "kaplan_meier",
    "lee_bounds",
    "logrank",
    "mean_time",
    "minimum_detectable_effect",
    "nearest_match",
    "participation_patterns",
    "pretrend_test",
    "propensity_weights",
    "pseudonymise",
    "randomisation_test",
    "retention",
    "rmst",
    "sample_size",
    "smallest_p",
    "state_distribution",
    "stayers_and_lost",
    "survival_quantile",
    "transition_counts",
    "transition_rates",
    "twfe",
    "twfe_design",
    "waves_per_person",
    "weighted_effect",
    "wild_bootstrap",
]
