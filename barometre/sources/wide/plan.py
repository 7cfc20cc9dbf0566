"""What to read in a file of a family: worked out once, from its header and its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from barometre.base.errors import Fault, FaultsError
from barometre.sources.files import limits
from barometre.sources.files.text import stem_of
from barometre.sources.wide.family import Family, Mapped, first_of, matches, named


@dataclass(frozen=True)
class Column:
    """Where one column of ours, for one year, comes from in a file."""

    mapped: Mapped
    annee: int | None  # None: the row gives it
    colonnes: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What to read in a file.

    Attributes
    ----------
    nom : str
        Name of the source.
    famille : Family
        Its family.
    code, libelle, annees : str
        Columns of the code, of the label, of the year of the row; the last two may be ``""``.
    niveau : str
        Level of the territories, by the family or the name of the file; ``""`` when neither says.
    colonnes : tuple of Column
        What feeds our tables.
    lues : tuple of str
        Every column to read, in the order of the file.
    manquantes : tuple of str
        Our columns that the family feeds and this file does not, with the producer's.
    non_etablies : tuple of str
        Columns that are not read since the year of their data is not known, and why.
    """

    nom: str
    famille: Family
    code: str
    libelle: str
    annees: str
    niveau: str
    colonnes: tuple[Column, ...]
    lues: tuple[str, ...]
    manquantes: tuple[str, ...]
    non_etablies: tuple[str, ...]

    @property
    def lignes(self) -> int:
        """Rows that such a file may have."""
        one = not self.annees and not self.famille.sommer
        return limits.ONE_ROW_EACH if one else limits.MOST_ROWS

    @property
    def nombres(self) -> tuple[str, ...]:
        """Columns of numbers."""
        return tuple(sorted({name for column in self.colonnes for name in column.colonnes}))


def plan_of(family: Family, header: Sequence[str], nom: str) -> Plan:
    """Work out what to read in a file.

    Parameters
    ----------
    family : Family
        Its family.
    header : sequence of str
        Names of its columns.
    nom : str
        Name of the source.

    Returns
    -------
    Plan

    Raises
    ------
    FaultsError
        No column of codes, no year.
    """
    code, year_column = first_of(family.code, header), first_of(family.annee_colonne, header)
    label = first_of(family.libelle, header)
    year = _file_year(family, header, nom)
    faults = []
    if not code:
        faults.append(Fault("code", f"aucune des colonnes {', '.join(family.code)}", "la rétablir"))
    if year is None and not year_column and any(m.annee is None for m in family.colonnes):
        remedy = "mettre l'année dans le nom du fichier, comme le producteur"
        named_columns = f" (colonne {' ou '.join(family.annee_colonne)})" * bool(
            family.annee_colonne
        )
        problem = f"introuvable dans l'en-tête{named_columns} et dans le nom"
        faults.append(Fault("année", problem, remedy))
    columns = _columns(family, header, year, by_row=bool(year_column))
    filters = {*family.garder, *(name for column in columns for name in column.mapped.filtre)}
    for name in sorted(filters - set(header)):
        faults.append(Fault(name, "colonne absente", "elle dit quelles lignes lire : la rétablir"))
    if faults:
        raise FaultsError(f"fichier {nom} refusé", faults)
    asked = {code, label, year_column, *family.garder}
    for column in columns:
        asked |= {column.mapped.note, *column.mapped.filtre, *column.colonnes}
    return Plan(
        nom,
        family,
        code,
        label,
        year_column,
        _level(family, nom),
        tuple(columns),
        tuple(name for name in header if name and name in asked),
        tuple(_missing(family, columns, year)),
        tuple(_undated(family, header, year)),
    )


def _undated(family: Family, header: Sequence[str], year: int | None) -> Iterator[str]:
    """List the columns left unread since the year of their data is not established, by reason."""
    reasons: dict[str, list[str]] = {}
    for mapped in family.colonnes:
        due = year is None or mapped.depuis <= year <= mapped.jusqua
        if mapped.non_etabli and due and all(matches(t, header) for t in mapped.codes):
            reasons.setdefault(mapped.non_etabli, []).extend(mapped.codes)
    for reason, codes in reasons.items():
        yield f"{', '.join(codes)} : {reason}"


def _missing(family: Family, columns: Iterable[Column], year: int | None) -> Iterator[str]:
    """List what the file of a year should feed and does not: renamed or lost columns."""
    fed: dict[str, set[int | None]] = {}
    for column in columns:
        fed.setdefault(column.mapped.vers, set()).add(column.annee)
    for vers in dict.fromkeys(mapped.vers for mapped in family.colonnes):
        due = [
            mapped
            for mapped in family.colonnes
            if mapped.vers == vers
            and not mapped.facultatif
            and not mapped.non_etabli
            and not family.au_choix
            and (year is None or mapped.depuis <= year <= mapped.jusqua)
        ]
        latest = {year + m.decalage for m in due
                  if year is not None and m.annee is None and _of_the_file(family, m)}  # fmt: skip
        years = fed.get(vers, set())
        if due and not (years if None in years or not latest else years & latest):
            yield f"{vers} ({' ou '.join(' + '.join(m.codes) for m in due)})"


def _of_the_file(family: Family, mapped: Mapped) -> bool:
    """Tell the columns whose vintage is that of the file: in some, Filosofi has its own."""
    heads = {template.partition("{")[0] for template in family.signature if "{" in template}
    if "P" in heads:
        heads.add("C")  # both samples of one census
    own = [template.partition("{")[0] for template in mapped.codes if "{" in template]
    return not heads or not own or any(head in heads for head in own)


def _file_year(family: Family, header: Sequence[str], nom: str) -> int | None:
    """Find the year of a file in its header, else in its name."""
    vintages = {
        year
        for template in family.signature
        for year in matches(template, header)
        if year is not None
    }
    if vintages:
        return max(vintages)
    hit = named(family, stem_of(nom))
    text = hit.groupdict().get("annee") if hit else None
    if not text:
        return None
    return int(text) + (2000 if len(text) == 2 else 0)


def _level(family: Family, nom: str) -> str:
    if family.niveau:
        return family.niveau
    hit = named(family, stem_of(nom))
    word = (hit.groupdict().get("niveau") or "").upper() if hit else ""
    return family.niveaux.get(word, "")


def _columns(
    family: Family, header: Sequence[str], year: int | None, *, by_row: bool
) -> list[Column]:
    """List the columns of ours that a file gives, each for its years."""
    found: dict[tuple[str, int | None], Column] = {}
    for mapped in family.colonnes:
        if mapped.non_etabli:
            continue
        hits = [matches(template, header) for template in mapped.codes]
        vintages = set(hits[0]).intersection(*hits[1:]) if hits else set()
        for vintage in vintages:
            base = vintage or year
            if base is not None and not mapped.depuis <= base <= mapped.jusqua:
                continue
            if mapped.annee is not None:
                when: int | None = mapped.annee
            elif base is None:
                if not by_row:
                    continue
                when = None
            else:
                when = None if by_row and vintage is None else base + mapped.decalage
            columns = tuple(column for hit in hits for column in hit[vintage])
            found.setdefault((mapped.vers, when), Column(mapped, when, columns))
    return list(found.values())
