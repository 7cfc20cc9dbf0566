"""A data set of Insee's Melodi: how its rows give our columns. All data, one TOML per data set.

A long file gives a value for every combination of codes of its dimensions, totals beside details.
So every dimension is fixed: a row counts only when each of its codes is one that is asked for.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

from barometre.base.errors import CardError, Fault, FaultsError
from barometre.cards.columns import MODELS, columns_of
from barometre.cards.listing import load_cards

LEVELS: Mapping[str, str] = {
    "COM": "commune",
    "EPCI": "epci",
    "DEP": "departement",
    "REG": "region",
    "FRANCE": "france_metropolitaine",
}
"""Our level, by object of Insee's geography; the others are left out. GEO alone is no key."""

KEYS = ("GEO", "TIME_PERIOD", "OBS_VALUE")
"""Columns that every long file has."""

ATTRIBUTES = frozenset(
    {"GEO_OBJECT", "FREQ", "OBS_STATUS", "OBS_STATUS_FR", "CONF_STATUS", "UNIT_MULT", "DECIMALS",
     "UNIT_MEASURE", *KEYS}
)  # fmt: skip
"""Columns that are no dimension, unless the data set says that one is (UNIT_MEASURE)."""

Term = tuple[str, ...]
"""One code per dimension of a data set, in its order."""


@dataclass(frozen=True)
class Target:
    """One of our columns and the rows that give it.

    Attributes
    ----------
    vers : str
        ``"table.colonne"``, or ``"publies.indicateur"``.
    codes : tuple of mapping
        Alternatives, by order of preference: codes change with the vintage. Each gives, by
        dimension, the codes whose rows are added up (every combination); a code that begins with
        ``-`` is taken away. Of the dimensions left out the code is that of the data set.
    depuis, jusqua : int
        First and last year of the data that the target holds for.
    absente : str
        What an absent row means when its fellows do not tell: ``"inconnu"``, or ``"zero"`` when the
        producer leaves zeros out; the value then says so.
    reserve : str
        What must be said of every value, if anything.
    """

    vers: str
    codes: tuple[Mapping[str, tuple[str, ...]], ...]
    depuis: int = 0
    jusqua: int = 9999
    absente: str = "inconnu"
    reserve: str = ""

    @property
    def table(self) -> str:
        """Our table."""
        return self.vers.split(".")[0]

    @property
    def colonne(self) -> str:
        """Our column in it, or the indicator."""
        return self.vers.split(".")[1]


@dataclass(frozen=True)
class Cube:
    """A data set.

    Attributes
    ----------
    nom, titre : str
        Its present identifier, its title.
    jeux : tuple of str
        Every identifier that it has or had.
    etat : str
        ``"verifie"`` when its coded rows were seen, else ``"non_verifie"``.
    signature : tuple of str
        Dimensions that tell it from the others when the file does not bear its identifier.
    dimensions : mapping of str to tuple of str
        Every dimension known, and the codes it is fixed to when a target says nothing: the first
        present serves.
    parties : mapping of str to tuple of tuple of str
        By dimension, the lists of codes that add up to the code it is fixed to.
    notes : tuple of str
        What a reader must know.
    refus : str
        Why nothing of ours is read in it, when that is the case.
    colonnes : tuple of Target
        Our columns.
    """

    nom: str
    titre: str
    jeux: tuple[str, ...]
    etat: str
    signature: tuple[str, ...]
    dimensions: Mapping[str, tuple[str, ...]]
    parties: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refus: str = ""
    colonnes: tuple[Target, ...] = ()

    @property
    def ou(self) -> str:
        """Where its files are found."""
        return (
            f"catalogue-donnees.insee.fr ou API Melodi, jeu {self.nom}, une édition par millésime"
        )

    def term(self, codes: Mapping[str, str]) -> Term:
        """Complete some codes with those that the other dimensions are fixed to."""
        return tuple(codes.get(name, fixed[0]) for name, fixed in self.dimensions.items())

    def terms(self, alternative: Mapping[str, Sequence[str]]) -> list[tuple[Term, int]]:
        """List the combinations that an alternative adds up (1) or takes away (-1)."""
        names = list(alternative)
        found = []
        for codes in product(*(alternative[name] for name in names)):
            sign = -1 if sum(code.startswith("-") for code in codes) % 2 else 1
            plain = (code.removeprefix("-") for code in codes)
            found.append((self.term(dict(zip(names, plain, strict=True))), sign))
        return found


@functools.cache
def load_cubes() -> Mapping[str, Cube]:
    """Read every data set, by present identifier.

    Returns
    -------
    mapping of str to Cube
        Read-only; those whose rows feed none of our columns are there with the reason.

    Raises
    ------
    CardError
        A data set aims at a column that is not ours, or at a dimension that it does not list.
    """
    cubes: dict[str, Cube] = {}
    faults: list[Fault] = []
    for path in sorted((Path(__file__).parent / "sets").glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        described = content.pop("refuses", None)
        for one in described if described is not None else [content | {"nom": path.stem}]:
            cube = _cube(one)
            cubes[cube.nom] = cube
            faults += _faults(cube)
    if faults:
        raise CardError("jeux Melodi refusés", faults)
    return MappingProxyType(cubes)


def _cube(content: dict[str, Any]) -> Cube:
    fixed = {name: tuple(text.split("|")) for name, text in content.get("dimensions", {}).items()}
    targets = tuple(
        Target(
            **one | {"codes": tuple({n: tuple(v) for n, v in way.items()} for way in one["codes"])}
        )
        for one in content.get("colonnes", [])
    )
    return Cube(
        nom=content["nom"],
        titre=content["titre"],
        jeux=tuple(content.get("jeux", [content["nom"]])),
        etat=content.get("etat", "verifie"),
        signature=tuple(content.get("signature", [])),
        dimensions=fixed,
        parties={n: tuple(map(tuple, lists)) for n, lists in content.get("parties", {}).items()},
        notes=tuple(content.get("notes", [])),
        refus=content.get("refus", ""),
        colonnes=targets,
    )


def _faults(cube: Cube) -> list[Fault]:
    faults = []
    for target in cube.colonnes:
        table, _, column = target.vers.partition(".")
        admitted: Iterable[str] = columns_of(table) if table in MODELS else ()
        if column not in (load_cards() if table == "publies" else admitted):
            faults.append(Fault(cube.nom, f"« {target.vers} » n'est pas des nôtres", "corriger"))
        unknown = {name for way in target.codes for name in way} - set(cube.dimensions)
        faults += [Fault(cube.nom, f"dimension {name} non listée", "ajouter") for name in unknown]
    unlisted = {*cube.signature, *cube.parties} - set(cube.dimensions)
    faults += [Fault(cube.nom, f"dimension {name} non listée", "ajouter") for name in unlisted]
    return faults


# ---- which data set -----------------------------------------------------------------------------

_NAMED = re.compile(r"(?<![A-Z])D[SD](?:_[A-Z0-9]+)+")
_ENDING = re.compile(r"_(?:DATA|CSV|PARQUET|FR|EN|\d{4})(?:_.*)?$")


def is_long(header: Iterable[str]) -> bool:
    """Tell whether a header is that of a long file of Insee."""
    return set(KEYS) <= set(header)


def identifier(stem: str) -> str:
    """Find the identifier of a data set in the name of a file, edition and format left out.

    Insee writes identifiers in capitals: what follows in lower case is the user's.

    Examples
    --------
    >>> identifier("DS_RP_LOGEMENT_PRINC_2023_data")
    'DS_RP_LOGEMENT_PRINC'
    """
    text = re.sub(r"[\s.-]", "_", stem)
    hit = _NAMED.search(text) or _NAMED.search(text.upper())
    return _ENDING.sub("", hit.group()) if hit else ""


def dimensions_of(header: Iterable[str]) -> list[str]:
    """List the columns of a header that are no attribute."""
    return [name for name in header if name and name not in ATTRIBUTES]


def find_cube(header: Sequence[str], stem: str) -> Cube | None:
    """Find the data set of a file: by the identifier in its name, else by its dimensions.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    stem : str
        Name of the file, or of the answer of the API.

    Returns
    -------
    Cube or None
        None for a data set that is not described; without an identifier, when no data set or
        several have all the dimensions of the header.
    """
    named = identifier(stem)
    if named:
        return next((cube for cube in load_cubes().values() if named in cube.jeux), None)
    names = set(dimensions_of(header))
    fitting = [
        cube
        for cube in load_cubes().values()
        if cube.signature and set(cube.signature) <= names <= set(cube.dimensions)
    ]
    least = min((len(cube.dimensions) for cube in fitting), default=0)
    nearest = [cube for cube in fitting if len(cube.dimensions) == least]
    return nearest[0] if len(nearest) == 1 else None


def unread(cube: Cube | None, header: Sequence[str], nom: str, stem: str) -> FaultsError:
    """Say which data set a long file is, why nothing of it is read, and which ones are."""
    named = identifier(stem) or (cube.nom if cube else "")
    reading = ", ".join(name for known in load_cubes().values() if not known.refus
                        for name in known.jeux)  # fmt: skip
    if cube:
        problem = f"{cube.titre} : {cube.refus}"
    elif named:
        problem = "ce jeu n'est pas lu"
    else:
        shown = ", ".join(dimensions_of(header)) or "aucune"
        problem = f"jeu non reconnu à ses dimensions ({shown}) ; nommer le fichier d'après son jeu"
    return FaultsError(
        f"fichier {nom} refusé : fichier long de l'Insee (Melodi)",
        [Fault(f"jeu {named or '?'}", problem, f"jeux lus : {reading}")],
    )
