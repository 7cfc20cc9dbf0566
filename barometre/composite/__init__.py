"""Composite indices: a declared tree, scored, ranked, split and explained."""

from barometre.composite.alternatives import Alternatives
from barometre.composite.audit_table import audit
from barometre.composite.bounds import Bounds
from barometre.composite.calibration import Calibration, published_idt
from barometre.composite.data_error import DataError
from barometre.composite.idh4 import DevelopmentIndex
from barometre.composite.idh4_inputs import idh4_components
from barometre.composite.parts import Leaf, Node
from barometre.composite.presets import HDI, IDH2, IDH4
from barometre.composite.robust_scores import Robustness, robustness
from barometre.composite.scores import Scores
from barometre.composite.tree import Index

__all__ = [
    "HDI",
    "IDH2",
    "IDH4",
    "Alternatives",
    "Bounds",
    "Calibration",
    "DataError",
    "DevelopmentIndex",
    "Index",
    "Leaf",
    "Node",
    "Robustness",
    "Scores",
    "audit",
    "idh4_components",
    "published_idt",
    "robustness",
]
