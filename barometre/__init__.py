"""The Baromètre de Cohésion Sociale of a French agglomeration, from files to indicators."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from barometre import datasets
from barometre.aggregate import aggregate
from barometre.cards import catalogue, indicator_card
from barometre.compare import gap
from barometre.compute import compute
from barometre.equivalent_year import EquivalentYear, equivalent_year
from barometre.errors import BarometreError
from barometre.evolution import evolution
from barometre.households import Household, consumption_units, equivalised_income, poverty_line
from barometre.ranking import rank
from barometre.rounding import round_half_up
from barometre.sources.reading import check_files, read
from barometre.table_set import Tables, combine
from barometre.territories import (
    apply_passage,
    level_of,
    membership,
    qpv_correspondence,
    read_membership,
    read_passage,
    repair_codes,
    to_2024,
)
from barometre.uncertainty import Design, newcombe, wilson
from barometre.union_intervals import union_intervals

# Loaded when first asked for, so that the import of most scripts stays light. No name here is that
# of a module of the package, which would take its place once imported.
if TYPE_CHECKING:
    from barometre import cohort, composite
    from barometre.composite.bounds import Bounds
    from barometre.composite.calibration import calibrate_idt
    from barometre.composite.idh4 import idh4
    from barometre.composite.idt import idt
    from barometre.diagnostic import diagnose
    from barometre.disadvantage import cumulative_disadvantage
    from barometre.dispersion import TheilParts, theil, weighted_cv
    from barometre.fragility import fragility_75, fragility_scores
    from barometre.priority_order import priorities
    from barometre.secrecy import Suppressed, suppress
    from barometre.secrecy_audit import audit_suppression
    from barometre.shrinkage import shrink, shrink_rates

_LATER = {
    "audit_suppression": "barometre.secrecy_audit",
    "Bounds": "barometre.composite.bounds",
    "calibrate_idt": "barometre.composite.calibration",
    "cumulative_disadvantage": "barometre.disadvantage",
    "diagnose": "barometre.diagnostic",
    "fragility_75": "barometre.fragility",
    "fragility_scores": "barometre.fragility",
    "idh4": "barometre.composite.idh4",
    "idt": "barometre.composite.idt",
    "priorities": "barometre.priority_order",
    "shrink": "barometre.shrinkage",
    "shrink_rates": "barometre.shrinkage",
    "suppress": "barometre.secrecy",
    "Suppressed": "barometre.secrecy",
    "theil": "barometre.dispersion",
    "TheilParts": "barometre.dispersion",
    "weighted_cv": "barometre.dispersion",
}

__all__ = [
    "BarometreError",
    "Bounds",
    "Design",
    "EquivalentYear",
    "Household",
    "Suppressed",
    "Tables",
    "TheilParts",
    "aggregate",
    "apply_passage",
    "audit_suppression",
    "calibrate_idt",
    "catalogue",
    "check_files",
    "cohort",
    "combine",
    "composite",
    "compute",
    "consumption_units",
    "cumulative_disadvantage",
    "datasets",
    "diagnose",
    "equivalent_year",
    "equivalised_income",
    "evolution",
    "fragility_75",
    "fragility_scores",
    "gap",
    "idh4",
    "idt",
    "indicator_card",
    "level_of",
    "membership",
    "newcombe",
    "poverty_line",
    "priorities",
    "qpv_correspondence",
    "rank",
    "read",
    "read_membership",
    "read_passage",
    "repair_codes",
    "round_half_up",
    "shrink",
    "shrink_rates",
    "suppress",
    "theil",
    "to_2024",
    "union_intervals",
    "weighted_cv",
    "wilson",
]


def __getattr__(name: str) -> Any:
    if name in ("cohort", "composite"):
        return importlib.import_module(f"barometre.{name}")
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module 'barometre' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
