"""A family of files of one row per thing: where its place is written and what is counted."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from barometre.base.errors import CardError, Fault
from barometre.cards.columns import MODELS, columns_of


@dataclass(frozen=True)
class Place:
    """A column that says where a thing is.

    Attributes
    ----------
    colonne : str
        Its name.
    niveau : str
        Level of its codes.
    hors : tuple of str
        What is written outside any territory of the level (``HZ``); an empty cell too.
    """

    colonne: str
    niveau: str
    hors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count:
    """One of our columns: how many rows have these cells.

    Attributes
    ----------
    vers : str
        ``"table.colonne"``.
    filtre : mapping of str to str
        By column, a regular expression that matches the whole cell.
    """

    vers: str
    filtre: Mapping[str, str]


@dataclass(frozen=True)
class UnitFamily:
    """A family of files of one row per thing.

    Attributes
    ----------
    nom, titre, producteur, etat : str
        As for the other families.
    ou : str
        Where the file is found: page or data set of the producer, edition.
    signature : tuple of str
        Columns that identify it, case ignored.
    sans : tuple of str
        Columns that it does not have: a file that has them is of another family.
    noms : tuple of str
        Regular expressions searched in the name of the file; the group ``annee`` gives its year.
    lieux : tuple of Place
        Where a thing is, one level each.
    annee_colonne : str
        Column of the year of the row, when there is one.
    comptes : tuple of Count
        What is counted.
    notes : tuple of str
        What a reader must know.
    """

    nom: str
    titre: str
    producteur: str
    etat: str
    ou: str
    signature: tuple[str, ...]
    sans: tuple[str, ...]
    noms: tuple[str, ...]
    lieux: tuple[Place, ...]
    annee_colonne: str
    comptes: tuple[Count, ...]
    notes: tuple[str, ...]


@functools.cache
def load_unit_families() -> Mapping[str, UnitFamily]:
    """Read every family of unit records, by name.

    Returns
    -------
    mapping of str to UnitFamily
        Read-only.

    Raises
    ------
    CardError
        A family aims at a column that is not ours.
    """
    families, faults = {}, []
    for path in sorted((Path(__file__).parent / "sets").glob("*.toml")):
        family = _family(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        families[path.stem] = family
        for count in family.comptes:
            table, _, column = count.vers.partition(".")
            if table not in MODELS or column not in columns_of(table):
                faults.append(
                    Fault(path.stem, f"« {count.vers} » n'est pas des nôtres", "corriger")
                )
    if faults:
        raise CardError("familles de fichiers refusées", faults)
    return MappingProxyType(families)


def _family(name: str, content: dict[str, Any]) -> UnitFamily:
    return UnitFamily(
        nom=name,
        titre=content["titre"],
        producteur=content["producteur"],
        etat=content["etat"],
        ou=content["ou"],
        signature=tuple(content["signature"]),
        sans=tuple(content.get("sans", [])),
        noms=tuple(content.get("noms", [])),
        lieux=tuple(
            Place(one["colonne"], one["niveau"], tuple(one.get("hors", [])))
            for one in content["lieux"]
        ),
        annee_colonne=content.get("annee_colonne", ""),
        comptes=tuple(
            Count(one["vers"], MappingProxyType(one.get("filtre", {})))
            for one in content.get("comptes", [])
        ),
        notes=tuple(content.get("notes", [])),
    )


def find_unit_family(header: Sequence[str]) -> UnitFamily | None:
    """Find the family of a header: all of its signature, none of what it does not have.

    Parameters
    ----------
    header : sequence of str
        Names of the columns; capitals do not count.

    Returns
    -------
    UnitFamily or None
    """
    names = {name.casefold() for name in header}
    fitting = (
        family
        for family in load_unit_families().values()
        if {name.casefold() for name in family.signature} <= names
        and not {name.casefold() for name in family.sans} & names
    )
    return next(fitting, None)


def year_of(family: UnitFamily, stem: str) -> int | None:
    """Find the year of a file in its name; None when it does not say."""
    hits = (re.search(name, stem, re.IGNORECASE) for name in family.noms)
    text = next((hit["annee"] for hit in hits if hit and hit["annee"]), None)
    return None if text is None else int(text) + (2000 if len(text) == 2 else 0)
