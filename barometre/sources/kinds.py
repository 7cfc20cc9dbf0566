"""The kinds of files, in the order in which a header is offered to them."""

from __future__ import annotations

from collections.abc import Sequence

from barometre.sources.forms.lists.aside import (
    DISTRICTS,
    MEMBERSHIPS,
    NATIONALS,
    NOTICES,
    OUTLINES,
    PASSAGES,
    RESULTS,
    SCHOOLS,
)
from barometre.sources.forms.lists.quarters import CORRESPONDENCES, QPV_LISTS
from barometre.sources.forms.melodi.labelled import LABELLED
from barometre.sources.forms.melodi.long_files import LONG_FILES
from barometre.sources.forms.units.counts import UNITS
from barometre.sources.forms.units.sirene import GEOLOCATED, STOCK
from barometre.sources.kind import Kind, Recognised, Waiting
from barometre.sources.own_tables import MISSPELT, OWN
from barometre.sources.wide.by_family import FAMILIES

KINDS: tuple[Kind, ...] = (
    RESULTS,
    OWN,
    LONG_FILES,
    LABELLED,
    NOTICES,
    DISTRICTS,
    MEMBERSHIPS,
    PASSAGES,
    CORRESPONDENCES,
    QPV_LISTS,
    OUTLINES,
    NATIONALS,
    SCHOOLS,
    GEOLOCATED,
    STOCK,
    FAMILIES,
    UNITS,
)
"""The first that recognises a header wins."""

LAST_RESORTS: tuple[Kind, ...] = (MISSPELT,)
"""What a header may be that no kind recognises: asked once the header is found."""


def recognise(header: Sequence[str], nom: str) -> Recognised | Waiting | None:
    """Tell what a header is, in a source of some name."""
    return _first(KINDS, header, nom)


def last_resort(header: Sequence[str], nom: str) -> Recognised | Waiting | None:
    """Tell what a header looks like that is of no kind."""
    return _first(LAST_RESORTS, header, nom)


def _first(kinds: Sequence[Kind], header: Sequence[str], nom: str) -> Recognised | Waiting | None:
    answers = (kind.recognise(header, nom) for kind in kinds)
    return next((answer for answer in answers if answer), None)
