"""The contract followed: targets, actions, money, commitments, abatement, meetings, editions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barometre.base.public import attach

if TYPE_CHECKING:
    from barometre.monitoring.abatement import tfpb as tfpb
    from barometre.monitoring.action_rows import actions as actions
    from barometre.monitoring.action_rows import reinforced as reinforced
    from barometre.monitoring.commitments import contract_commitments as contract_commitments
    from barometre.monitoring.commitments import review as review
    from barometre.monitoring.editions.changes import compare_editions as compare_editions
    from barometre.monitoring.editions.edition import Edition as Edition
    from barometre.monitoring.editions.edition import create_edition as create_edition
    from barometre.monitoring.editions.edition import open_edition as open_edition
    from barometre.monitoring.editions.edition import validate_edition as validate_edition
    from barometre.monitoring.given_back import disclosures as disclosures
    from barometre.monitoring.indicator_sheet import check_indicator as check_indicator
    from barometre.monitoring.made_up import example_year as example_year
    from barometre.monitoring.meetings import agenda as agenda
    from barometre.monitoring.money import contract_amounts as contract_amounts
    from barometre.monitoring.money import cpo_share as cpo_share
    from barometre.monitoring.money import funding as funding
    from barometre.monitoring.record_files import read_records as read_records
    from barometre.monitoring.record_files import write_record_template as write_record_template
    from barometre.monitoring.record_files import write_records as write_records
    from barometre.monitoring.targets import contract_targets as contract_targets
    from barometre.monitoring.targets import track as track

__getattr__, __dir__, __all__ = attach(__name__, __file__)
