"""A family of producers' files: how to recognise one, and where our columns are in it. All data.

One TOML file per family in ``sources/families``. A template such as ``P{yy}_LOG`` stands for the
column of any vintage; ``F - *`` for every column that begins so.
"""

from __future__ import annotations

import bisect
import functools
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from barometre.base.errors import CardError, Fault
from barometre.cards.columns import MODELS, columns_of
from barometre.cards.listing import load_cards


@dataclass(frozen=True)
class Mapped:
    """One of our columns and where it is in the files of a family.

    Attributes
    ----------
    vers : str
        ``"table.colonne"``, or ``"publies.indicateur"``.
    codes : tuple of str
        Producer's columns, added up when there are several; templates.
    decalage : int
        Year of the data less that of the file.
    annee : int or None
        Year of the data, whatever the file.
    depuis, jusqua : int
        First and last vintage the mapping holds for.
    facteur : float
        What the values are multiplied by (100 for a share given in 0-1).
    note : str
        Column that says why the value is absent, if any (``NOTE_CNAF``): not 0 means secret.
    filtre : mapping of str to str
        Rows to keep, by column: a regular expression that matches the whole cell. Only for families
        whose rows are added up.
    reserve : str
        What must be said of every value, if anything: a break of series, another field.
    facultatif : bool
        Some true files lack it: its absence is not told.
    vide : str
        Status of an empty cell, when it is not that of the family.
    non_etabli : str
        Why the year of the data is not known, if it is not: nothing is read, and that is told.
    """

    vers: str
    codes: tuple[str, ...]
    decalage: int = 0
    annee: int | None = None
    depuis: int = 0
    jusqua: int = 9999
    facteur: float = 1.0
    note: str = ""
    filtre: Mapping[str, str] = field(default_factory=dict)
    reserve: str = ""
    facultatif: bool = False
    vide: str = ""
    non_etabli: str = ""

    @property
    def table(self) -> str:
        """Our table."""
        return self.vers.split(".")[0]

    @property
    def colonne(self) -> str:
        """Our column in it, or the indicator."""
        return self.vers.split(".")[1]


@dataclass(frozen=True)
class Family:
    """A family of files.

    Attributes
    ----------
    nom, titre, producteur : str
        Name (of the TOML file), title, producer.
    etat : str
        ``"verifie"`` when its codes were seen in a real file, else ``"non_verifie"``.
    signature : tuple of str
        Columns that every file of the family has; templates.
    noms : tuple of str
        Regular expressions searched in the name of the file, case ignored; the group ``annee``
        gives the year of the file, the group ``niveau`` its level.
    code, libelle : tuple of str
        Columns that may hold the code and the label of the territory; the first found serves.
    niveau : str
        Level of the territories; empty when the name of the file or the code tells.
    niveaux : mapping of str to str
        Level, by what the group ``niveau`` of the name says (upper case).
    annee_colonne : tuple of str
        Columns that may hold the year of the row, if any.
    vide : str
        Status of an empty cell: ``"secret"`` when the producer says that it empties what it hides,
        ``"non_diffuse"`` when it hides and does not say what an empty cell is, else
        ``"non_disponible"``.
    sommer : bool
        The rows of a territory are added up (one row per facility, per federation).
    sans_ligne : str
        When rows are added up, what it means for a territory to have none of a kind: ``"zero"``
        (no facility of that kind), or ``"absent"`` (the producer says nothing).
    garder : mapping of str to str
        Rows to keep, by column: a regular expression that matches the whole cell.
    ignorer : tuple of str
        Codes of rows that are no territory (``Ensemble``): regular expressions, case ignored.
    recoder : mapping of str to mapping
        By level, codes written otherwise by the producer (``1`` for metropolitan France).
    aussi : tuple of str
        Other levels that the same file exists at: that of its codes then.
    au_choix : bool
        Its columns are chosen when the file is exported: none is expected.
    prefixe : str
        What is put before the codes: those of sets of territories that bear the code of another.
    nom_exige : bool
        Its columns are those of another family: only the name of the file tells them apart.
    ou : str
        Where the file is found: page or data set of the producer, edition.
    revisee : bool
        Of two files that give the same year, the one that goes to later years has revised it.
    notes : tuple of str
        What a reader must know.
    colonnes : tuple of Mapped
        Our columns; for one target, the first mapping that a file satisfies serves.
    """

    nom: str
    titre: str
    producteur: str
    etat: str
    signature: tuple[str, ...]
    noms: tuple[str, ...]
    code: tuple[str, ...]
    libelle: tuple[str, ...]
    niveau: str
    niveaux: Mapping[str, str]
    annee_colonne: tuple[str, ...]
    vide: str
    sommer: bool
    sans_ligne: str
    garder: Mapping[str, str]
    ignorer: tuple[str, ...]
    recoder: Mapping[str, Mapping[str, str]]
    aussi: tuple[str, ...]
    au_choix: bool
    prefixe: str
    nom_exige: bool
    ou: str
    revisee: bool
    notes: tuple[str, ...]
    colonnes: tuple[Mapped, ...]


@functools.cache
def load_families() -> Mapping[str, Family]:
    """Read every family, by name.

    Returns
    -------
    mapping of str to Family
        Read-only.

    Raises
    ------
    CardError
        A family lacks a field, has an unknown one, or aims at a column that is not ours.
    """
    families, faults = {}, []
    for path in sorted((Path(__file__).parent.parent / "families").glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        family, wrong = _family(path.stem, content)
        families[path.stem] = family
        faults += wrong
    if faults:
        raise CardError("familles de fichiers refusées", faults)
    return MappingProxyType(families)


_OPTIONAL: Mapping[str, Any] = {
    "noms": [],
    "libelle": [],
    "niveau": "",
    "niveaux": {},
    "annee_colonne": [],
    "vide": "non_disponible",
    "sommer": False,
    "sans_ligne": "zero",
    "garder": {},
    "ignorer": [],
    "recoder": {},
    "aussi": [],
    "au_choix": False,
    "prefixe": "",
    "nom_exige": False,
    "revisee": False,
    "notes": [],
}


def _family(name: str, content: dict[str, Any]) -> tuple[Family, list[Fault]]:
    required = set(Family.__annotations__) - {"nom", *_OPTIONAL}
    faults = [
        Fault(name, f"champ {field} {problem}", "voir une famille voisine")
        for problem, fields in (
            ("absent", required - set(content)),
            ("inconnu", set(content) - required - set(_OPTIONAL)),
        )
        for field in sorted(fields)
    ]
    values = dict.fromkeys(required, ()) | dict(_OPTIONAL) | content
    columns = []
    for described in values["colonnes"]:
        unknown = set(described) - set(Mapped.__annotations__)
        if unknown or not {"vers", "codes"} <= set(described):
            faults.append(Fault(name, f"colonne mal décrite : {described}", "corriger"))
            continue
        columns.append(Mapped(**{k: _frozen(v) for k, v in described.items()}))
        table, _, target = columns[-1].vers.partition(".")
        admitted = (
            load_cards() if table == "publies" else columns_of(table) if table in MODELS else ()
        )
        if target not in admitted:
            faults.append(Fault(name, f"« {columns[-1].vers} » n'est pas des nôtres", "corriger"))
    values = {key: _frozen(value) for key, value in values.items() if key in Family.__annotations__}
    return Family(**values | {"nom": name, "colonnes": tuple(columns)}), faults


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return MappingProxyType(value) if isinstance(value, dict) else value


@functools.cache
def pattern(template: str) -> re.Pattern[str]:
    """Compile a template: ``{yy}`` and ``{yyyy}`` give the vintage, ``*`` anything."""
    text = re.escape(template).replace(r"\{yyyy\}", r"(?P<yyyy>\d{4})")
    text = text.replace(r"\{yy\}", r"(?P<yy>\d{2})").replace(r"\*", ".*")
    return re.compile(text)


def matches(template: str, header: Iterable[str]) -> dict[int | None, list[str]]:
    """List the columns of a header that a template stands for, by vintage (None without one)."""
    found: dict[int | None, list[str]] = {}
    for column in _index(tuple(header)).beginning(template):
        hit = pattern(template).fullmatch(column)
        if hit:
            groups = hit.groupdict()
            year = int(groups["yyyy"]) if groups.get("yyyy") else None
            if groups.get("yy"):
                year = int(groups["yy"]) + (1900 if int(groups["yy"]) > 60 else 2000)
            found.setdefault(year, []).append(column)
    return found


@dataclass(frozen=True)
class _Index:
    """The names of a header, found without going through them all: some have thousands."""

    places: Mapping[str, int]
    ordered: Sequence[str]
    folded: Mapping[str, str]

    def beginning(self, template: str) -> list[str]:
        """List the names that begin as a template does, in the order of the header."""
        head = re.split(r"[{*]", template, maxsplit=1)[0]
        if head == template:
            return [template] if template in self.places else []
        first = bisect.bisect_left(self.ordered, head)
        last = bisect.bisect_right(self.ordered, head + chr(sys.maxunicode))
        return sorted(self.ordered[first:last], key=self.places.__getitem__)


@functools.lru_cache(maxsize=8)
def _index(header: tuple[str, ...]) -> _Index:
    places = {name: place for place, name in reversed(list(enumerate(header)))}
    folded = {name.casefold(): name for name in reversed(header)}
    return _Index(places, sorted(places), folded)


def named(family: Family, stem: str) -> re.Match[str] | None:
    """Search the name of a file for one of the names of a family."""
    hits = (re.search(name, stem, re.IGNORECASE) for name in family.noms)
    return next((hit for hit in hits if hit), None)


def family_of(header: Sequence[str], stem: str) -> Family | None:
    """Find the family of a file by what identifies it, whatever else its vintage has.

    Parameters
    ----------
    header : sequence of str
        Column names.
    stem : str
        Name of the file, without suffix.

    Returns
    -------
    Family or None
        The family that maps most columns of the header, of those whose whole signature is there
        and of those that the file is named after and of which half of the signature is there.
    """
    header, known = tuple(header), []
    if not any(name.casefold() in _code_names() for name in header):
        return None  # most lines that may be a header are lines of data
    for family in load_families().values():
        by_name = family.nom in _named_after(stem)
        whole = all(_present(family, template, header) for template in family.signature)
        if not by_name and (family.nom_exige or not whole):
            continue
        lacking, mapped = len(absent(family, header)), _mapped(family, header)
        half = 2 * lacking <= len(family.signature) and bool(first_of(family.code, header))
        if not lacking or (half and mapped):
            known.append((mapped, not lacking, by_name, family))
    return max(known, key=lambda found: found[:3])[3] if known else None


@functools.cache
def _code_names() -> frozenset[str]:
    return frozenset(name.casefold() for family in load_families().values() for name in family.code)


@functools.lru_cache(maxsize=64)
def _named_after(stem: str) -> frozenset[str]:
    """List the families that a file is named after."""
    return frozenset(family.nom for family in load_families().values() if named(family, stem))


def absent(family: Family, header: Sequence[str]) -> list[str]:
    """List the columns of the signature of a family that a header lacks."""
    return [t for t in family.signature if not _present(family, t, header)]


def first_of(candidates: Iterable[str], header: Iterable[str]) -> str:
    """Give the first of some names that a header has, whatever its case; ``""`` when none is."""
    names = _index(tuple(header))
    hits = (c if c in names.places else names.folded.get(c.casefold(), "") for c in candidates)
    return next((hit for hit in hits if hit), "")


def _present(family: Family, template: str, header: Sequence[str]) -> bool:
    key = template in family.code
    return bool(first_of([template], header) if key else matches(template, header))


def _mapped(family: Family, header: Sequence[str]) -> int:
    return sum(all(matches(t, header) for t in mapped.codes) for mapped in family.colonnes)
