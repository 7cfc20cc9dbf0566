"""Composite indices: a declared tree, scored, ranked, split and explained."""

from barometre.composite.bounds import Bounds
from barometre.composite.parts import Leaf, Node
from barometre.composite.presets import HDI, IDH2, IDH4
from barometre.composite.scores import Scores
from barometre.composite.tree import Index

__all__ = ["HDI", "IDH2", "IDH4", "Bounds", "Index", "Leaf", "Node", "Scores"]
