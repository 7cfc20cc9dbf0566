"""The bundled data, with their provenance, and the synthetic tables and cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barometre.base.public import attach

if TYPE_CHECKING:
    from barometre.datasets.bundled import Column as Column
    from barometre.datasets.bundled import Dataset as Dataset
    from barometre.datasets.bundled import load as load
    from barometre.datasets.bundled import make_cohort as make_cohort
    from barometre.datasets.bundled import make_tables as make_tables
    from barometre.datasets.bundled import names as names
    from barometre.datasets.bundled import tables as tables

__getattr__, __dir__, __all__ = attach(__name__, __file__)
