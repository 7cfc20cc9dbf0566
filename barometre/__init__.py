"""The Baromètre de Cohésion Sociale of a French agglomeration, from files to indicators.

What is public is written once, in this file: each name is loaded when first asked for, so
that the import stays light whatever the library grows into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from barometre.base.former import keep_former_names
from barometre.base.public import attach

if TYPE_CHECKING:
    from barometre import cohort as cohort
    from barometre import composite as composite
    from barometre import datasets as datasets
    from barometre import monitoring as monitoring
    from barometre import plots as plots
    from barometre.base import errors as errors
    from barometre.base.errors import BarometreError as BarometreError
    from barometre.base.rounding import round_half_up as round_half_up
    from barometre.base.tidy import Tidy as Tidy
    from barometre.base.version import __version__ as __version__
    from barometre.cards.listing import catalogue as catalogue
    from barometre.cards.listing import indicator_card as indicator_card
    from barometre.cohort.inference.estimates import FewClustersWarning as FewClustersWarning
    from barometre.cohort.pseudonyms import PseudonymWarning as PseudonymWarning
    from barometre.cohort.staggered.group_time import ComparisonWarning as ComparisonWarning
    from barometre.compare.disadvantage import cumulative_disadvantage as cumulative_disadvantage
    from barometre.compare.dispersion import TheilParts as TheilParts
    from barometre.compare.dispersion import theil as theil
    from barometre.compare.dispersion import weighted_cv as weighted_cv
    from barometre.compare.elders import fragility_75 as fragility_75
    from barometre.compare.elders import fragility_scores as fragility_scores
    from barometre.compare.gaps import gap as gap
    from barometre.compare.lateness import EquivalentYear as EquivalentYear
    from barometre.compare.lateness import equivalent_year as equivalent_year
    from barometre.compare.needs import diagnose as diagnose
    from barometre.compare.order import priorities as priorities
    from barometre.compare.proof.trends import trend as trend
    from barometre.compare.proof.verdicts import judge as judge
    from barometre.compare.ranks import rank as rank
    from barometre.compare.similar.kinds import Typology as Typology
    from barometre.compare.similar.kinds import typology as typology
    from barometre.compare.similar.nearest import Neighbours as Neighbours
    from barometre.compare.similar.nearest import SimilarWarning as SimilarWarning
    from barometre.compare.similar.nearest import neighbours as neighbours
    from barometre.compare.years import evolution as evolution
    from barometre.composite.french.calibration import calibrate_idt as calibrate_idt
    from barometre.composite.french.development import idh4 as idh4
    from barometre.composite.french.in_results import IndexWarning as IndexWarning
    from barometre.composite.french.reconstructed import idt as idt
    from barometre.composite.tree.bounds import Bounds as Bounds
    from barometre.datasets.places.bundle import communes as communes
    from barometre.datasets.places.bundle import former_communes as former_communes
    from barometre.datasets.places.choose import PlacesWarning as PlacesWarning
    from barometre.datasets.places.choose import select as select
    from barometre.datasets.places.gazetteer import find_territory as find_territory
    from barometre.datasets.places.territory import Selection as Selection
    from barometre.datasets.places.territory import selection as selection
    from barometre.engine.perimeters import apply_passage as apply_passage
    from barometre.engine.perimeters import qpv_bridge as qpv_bridge
    from barometre.engine.perimeters import qpv_correspondence as qpv_correspondence
    from barometre.engine.perimeters import to_2024 as to_2024
    from barometre.engine.sampling import SurveyDesign as SurveyDesign
    from barometre.engine.sampling import newcombe as newcombe
    from barometre.engine.sampling import wilson as wilson
    from barometre.engine.shrinkage import shrink as shrink
    from barometre.engine.shrinkage import shrink_rates as shrink_rates
    from barometre.engine.union_limits import union_intervals as union_intervals
    from barometre.engine.unions import DistrictsWarning as DistrictsWarning
    from barometre.engine.unions import aggregate as aggregate
    from barometre.engine.values import PublishedDifference as PublishedDifference
    from barometre.engine.values import compute as compute
    from barometre.pages.people.files import CohortPage as CohortPage
    from barometre.pages.people.files import cohort_page as cohort_page
    from barometre.pages.people.files import read_people as read_people
    from barometre.pages.people.protocol import prepare_cohort as prepare_cohort
    from barometre.pages.results_back import read_results as read_results
    from barometre.pages.results_file import write_results as write_results
    from barometre.pages.territory.files import Report as Report
    from barometre.pages.territory.files import report as report
    from barometre.pages.workspace import Config as Config
    from barometre.pages.workspace import init_folder as init_folder
    from barometre.pages.workspace import load_config as load_config
    from barometre.secrecy.intruder import SampledAuditWarning as SampledAuditWarning
    from barometre.secrecy.intruder import audit_suppression as audit_suppression
    from barometre.secrecy.suppression import Suppressed as Suppressed
    from barometre.secrecy.suppression import suppress as suppress
    from barometre.sources.forms.lists.quarters import (
        read_qpv_correspondence as read_qpv_correspondence,
    )
    from barometre.sources.forms.lists.quarters import read_qpv_members as read_qpv_members
    from barometre.sources.reading import SourceWarning as SourceWarning
    from barometre.sources.reading import check_files as check_files
    from barometre.sources.reading import read as read
    from barometre.sources.records import count_records as count_records
    from barometre.tables.codes import level_of as level_of
    from barometre.tables.codes import repair_codes as repair_codes
    from barometre.tables.members import RepairedCodes as RepairedCodes
    from barometre.tables.members import membership as membership
    from barometre.tables.members import read_membership as read_membership
    from barometre.tables.members import read_passage as read_passage
    from barometre.tables.spread import DaskTables as DaskTables
    from barometre.tables.table_set import Tables as Tables
    from barometre.tables.table_set import combine as combine
    from barometre.themes.households import Household as Household
    from barometre.themes.households import consumption_units as consumption_units
    from barometre.themes.households import equivalised_income as equivalised_income
    from barometre.themes.households import poverty_line as poverty_line

__getattr__, __dir__, __all__ = attach(__name__, __file__)
keep_former_names()
