"""Composite indices: a declared tree, scored, ranked, split and explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barometre.base.public import attach

if TYPE_CHECKING:
    from barometre.composite.french.calibration import Calibration as Calibration
    from barometre.composite.french.calibration import published_idt as published_idt
    from barometre.composite.french.development_inputs import idh4_components as idh4_components
    from barometre.composite.french.in_results import IndexWarning as IndexWarning
    from barometre.composite.french.in_results import add_indices as add_indices
    from barometre.composite.french.in_results import idh4_bounds as idh4_bounds
    from barometre.composite.french.presets import HDI as HDI
    from barometre.composite.french.presets import IDH2 as IDH2
    from barometre.composite.french.presets import IDH4 as IDH4
    from barometre.composite.french.territorial import TerritorialIndex as TerritorialIndex
    from barometre.composite.index import Index as Index
    from barometre.composite.robust.alternatives import Alternatives as Alternatives
    from barometre.composite.robust.audit_table import audit as audit
    from barometre.composite.robust.balanced import BalancedWeights as BalancedWeights
    from barometre.composite.robust.balanced import balance_weights as balance_weights
    from barometre.composite.robust.data_error import DataError as DataError
    from barometre.composite.robust.robust_scores import Robustness as Robustness
    from barometre.composite.robust.robust_scores import robustness as robustness
    from barometre.composite.score.scores import Scores as Scores
    from barometre.composite.score.strengths import Strengths as Strengths
    from barometre.composite.treatment.associations import Correlations as Correlations
    from barometre.composite.treatment.associations import correlations as correlations
    from barometre.composite.treatment.completion import Imputation as Imputation
    from barometre.composite.treatment.completion import RankEffect as RankEffect
    from barometre.composite.treatment.completion import impute as impute
    from barometre.composite.treatment.consistency import Reliability as Reliability
    from barometre.composite.treatment.consistency import reliability as reliability
    from barometre.composite.treatment.denominators import Denominated as Denominated
    from barometre.composite.treatment.denominators import denominate as denominate
    from barometre.composite.treatment.described import statistics as statistics
    from barometre.composite.treatment.growth import annual_growth as annual_growth
    from barometre.composite.treatment.outliers import Treatment as Treatment
    from barometre.composite.treatment.outliers import treat as treat
    from barometre.composite.treatment.screening import Screening as Screening
    from barometre.composite.treatment.screening import screen as screen
    from barometre.composite.tree.bounds import Bounds as Bounds
    from barometre.composite.tree.parts import Leaf as Leaf
    from barometre.composite.tree.parts import Node as Node

__getattr__, __dir__, __all__ = attach(__name__, __file__)
