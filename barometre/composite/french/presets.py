"""Published indices, declared for the engine."""

from __future__ import annotations

from barometre.composite.index import Index
from barometre.composite.tree.parts import Leaf, Node

# UNDP, Human Development Report 2021/2022, technical note 1: logarithm of income, values held at
# the goalposts, arithmetic mean of the two educations, geometric mean of the three dimensions.
# A dimension at zero gives zero (no floor), and a missing component no index, as published.
HDI = Index(
    leaves=(
        Leaf("life_exp", "HDI", 1, low=20, high=85),
        Leaf("exp_sch", "education", 1, low=0, high=18),
        Leaf("avg_sch", "education", 1, low=0, high=15),
        Leaf("gni_pc_2017ppp", "HDI", 1, transform="log", low=100, high=75_000),
    ),
    nodes=(
        Node("HDI", aggregate="geometric", min_available=1, floor=0),
        Node("education", "HDI", min_available=1),
    ),
)

_EDUCATION = Leaf("part_diplomes", "education", 1)
_LIVING = Leaf("niveau_de_vie_median", "niveau_de_vie", 1, transform="log")


def _regional(name: str, health: Leaf) -> Index:
    """Average health, education and living standard, each between bounds still to be fixed."""
    dimensions = tuple(Node(leaf.parent, name) for leaf in (health, _EDUCATION, _LIVING))
    return Index((health, _EDUCATION, _LIVING), (Node(name, min_available=1), *dimensions))


# Région Hauts-de-France: plain mean of the three dimensions, bounds observed over the communes of
# the region. ``icm``: all-cause comparative mortality index of the canton.
IDH4 = _regional("idh4", Leaf("icm", "sante", -1))
# Région Île-de-France: the same with life expectancy at birth.
IDH2 = _regional("idh2", Leaf("esperance_vie", "sante", 1))
