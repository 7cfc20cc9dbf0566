"""The Baromètre de Cohésion Sociale of a French agglomeration, from files to indicators."""

from barometre import datasets
from barometre.aggregate import aggregate
from barometre.cards import catalogue, indicator_card
from barometre.compute import compute
from barometre.errors import BarometreError
from barometre.households import Household, consumption_units, equivalised_income, poverty_line
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

__all__ = [
    "BarometreError",
    "Household",
    "Tables",
    "aggregate",
    "apply_passage",
    "catalogue",
    "check_files",
    "combine",
    "compute",
    "consumption_units",
    "datasets",
    "equivalised_income",
    "indicator_card",
    "level_of",
    "membership",
    "poverty_line",
    "qpv_correspondence",
    "read",
    "read_membership",
    "read_passage",
    "repair_codes",
    "round_half_up",
    "to_2024",
]
