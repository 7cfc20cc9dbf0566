"""The Baromètre de Cohésion Sociale of a French agglomeration, from files to indicators."""

from barometre import datasets
from barometre.cards import catalogue, indicator_card
from barometre.compute import compute
from barometre.errors import BarometreError
from barometre.households import Household, consumption_units, equivalised_income, poverty_line
from barometre.rounding import round_half_up
from barometre.sources.own_tables import read
from barometre.table_set import Tables, combine

__all__ = [
    "BarometreError",
    "Household",
    "Tables",
    "catalogue",
    "combine",
    "compute",
    "consumption_units",
    "datasets",
    "equivalised_income",
    "indicator_card",
    "poverty_line",
    "read",
    "round_half_up",
]
