"""From the kept rows of a long file to cells of our tables: sums, zeros that are proven, reasons.

Producers leave zeros out. An absent row is read as zero when it is proven: the total is there and
the other parts make it whole. Elsewhere it is unknown, or a zero that says so where the data set
declares it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import Fault, FaultsError
from barometre.sources.files.text import Source
from barometre.sources.forms.melodi.cubes import LEVELS, Cube, Target, Term
from barometre.sources.forms.melodi.rows import (
    Rows,
    Wanted,
    check_header,
    kept_rows,
    one_value,
)
from barometre.tables.codes import check_codes, repair_codes
from barometre.tables.table_set import STATUSES

_KEYS = ["lieu", "annee"]
_ABSENT = STATUSES.index("non_disponible")
_NO_ROW = -1
_NO_WORD = 0
_ROUNDING = 1e-3  # parts are printed to five decimals, and there are at most a hundred

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CubeCells:
    """What a long file gives.

    Attributes
    ----------
    cells : DataFrame
        ``code``, ``annee``, ``table``, ``colonne``, ``valeur``, ``statut`` (position in STATUSES),
        ``motif``.
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    reparees, ignorees : int
        Codes given their zero back; rows of other geographies and periods, or included elsewhere.
    """

    cells: pd.DataFrame
    territoires: pd.DataFrame
    reparees: int
    ignorees: int


def read_cube(cube: Cube, source: Source, *, whole: bool = True) -> CubeCells:
    """Read what a long file gives to our tables.

    Parameters
    ----------
    cube : Cube
        Its data set.
    source : Source
        The file.
    whole : bool, default True
        The file holds the whole data set: False for an answer of the API, whose silence on a
        territory tells nothing.

    Returns
    -------
    CubeCells

    Raises
    ------
    FaultsError
        A dimension that the data set does not list, no row that is asked for, codes of another form
        than their level, the same key twice with two values.
    """
    title = f"fichier {source.nom} refusé (Melodi, {cube.nom})"
    check_header(cube, source)
    wanted = wanted_terms(cube, source.entete)
    rows = kept_rows(cube, wanted, source)
    frame = one_value(rows, source.nom)
    if frame["valeur"].notna().sum() == 0 and not (frame["statut"] > 0).any():
        asked = sorted({code.removeprefix("-") for target in cube.colonnes for way in target.codes
                        for codes in way.values() for code in codes})  # fmt: skip
        problem = f"aucune ligne n'a les codes lus, dont {', '.join(asked[:6])}"
        remedy = " ".join(("télécharger le jeu en entier.", *cube.notes))
        raise FaultsError(title, [Fault(cube.titre, problem, remedy)])
    grid = _Grid(cube, wanted, replace(rows, frame=frame), whole)
    parts = [(target, part) for target in cube.colonnes for part in grid.cells_of(target)]
    cells = pd.concat([part for _, part in parts], ignore_index=True)
    sizes = [len(part) for _, part in parts]
    for name in ("table", "colonne"):  # a text per cell would weigh more than the values
        words = pd.Series([getattr(target, name) for target, _ in parts], dtype="category")
        cells[name] = words.iloc[np.repeat(np.arange(len(parts)), sizes)].array
    return _coded(cells, rows, source)


def wanted_terms(cube: Cube, header: Sequence[str]) -> Wanted:
    """List the combinations of codes to keep: those of the targets, their totals and fellows."""
    names = tuple(name for name in cube.dimensions if name in header)
    asked: dict[Term, None] = {}
    for target in cube.colonnes:
        for way in target.codes:
            for term, _ in cube.terms(way):
                asked |= dict.fromkeys(_with_fellows(cube, term))
    found: dict[Term, int] = {}
    for term in asked:
        for variant in variants(cube, term, names):
            found.setdefault(variant, len(found))
    return Wanted(names, found)


def _with_fellows(cube: Cube, term: Term) -> Iterator[Term]:
    yield term
    for total, fellows in proofs(cube, term):
        yield from fellows
        yield from _with_fellows(cube, total)


def proofs(cube: Cube, term: Term) -> Iterator[tuple[Term, list[Term]]]:
    """Yield the totals that a combination is a part of, each with all of its parts."""
    for place, (name, fixed) in enumerate(cube.dimensions.items()):
        for parts in cube.parties.get(name, ()):
            if term[place] in parts:
                swapped = [(*term[:place], code, *term[place + 1 :]) for code in (fixed[0], *parts)]
                yield swapped[0], swapped[1:]


def variants(cube: Cube, term: Term, names: Sequence[str]) -> list[Term]:
    """Write a combination as a file may: the dimensions it has, every code of a fixed one.

    None when the file lacks a dimension that the combination needs.
    """
    choices = []
    for code, (name, fixed) in zip(term, cube.dimensions.items(), strict=True):
        admitted = fixed if code == fixed[0] else (code,)
        if name in names:
            choices.append(admitted)
        elif code != fixed[0]:
            return []
    return list(product(*choices))


@dataclass(frozen=True)
class _Column:
    """Value, status and reason of a combination, key by key."""

    valeur: Floats
    statut: Ints  # _NO_ROW where the file says nothing
    mot: Ints
    contredit: Flags  # a total shows that a part is there without its row


class _Grid:
    """Territories and years by combinations of codes."""

    def __init__(self, cube: Cube, wanted: Wanted, rows: Rows, whole: bool) -> None:
        self._cube, self._wanted, self._whole = cube, wanted, whole
        frame = rows.frame
        keys = pd.MultiIndex.from_frame(frame[_KEYS])
        self._index = keys.unique()
        if whole and any(t.absente == "zero" and _single(cube, t) for t in cube.colonnes):
            self._index = _every_year(self._index)
        row = self._index.get_indexer(keys)
        self._words = np.array(rows.mots, dtype=object)
        shape = (len(self._index), len(wanted.positions))
        self._valeur = np.full(shape, np.nan)
        self._statut = np.full(shape, _NO_ROW, dtype=np.int8)
        self._mot = np.zeros(shape, dtype=np.int32)
        place = (row, frame["combinaison"].to_numpy(dtype=np.int64))
        self._valeur[place] = frame["valeur"]
        self._statut[place] = frame["statut"]
        self._mot[place] = frame["mot"]
        self._year = self._index.get_level_values("annee").to_numpy(dtype=np.int64)
        self._years = np.unique(self._year)
        self._columns: dict[Term, _Column] = {}

    def _column(self, term: Term) -> _Column:
        """Give what the file says of a combination; year by year, the first code that it uses."""
        if term not in self._columns:
            size = len(self._index)
            found = _Column(
                np.full(size, np.nan),
                np.full(size, _NO_ROW),
                np.zeros(size, dtype=np.int64),
                np.zeros(size, dtype=bool),
            )
            for variant in variants(self._cube, term, self._wanted.noms):
                place = self._wanted.positions[variant]
                there = self._statut[:, place] != _NO_ROW
                new = np.isin(self._year, self._year[there]) & ~np.isin(
                    self._year, self._year[found.statut != _NO_ROW]
                )
                found.valeur[new] = self._valeur[new, place]
                found.statut[new] = self._statut[new, place]
                found.mot[new] = self._mot[new, place]
            self._columns[term] = found
        return self._columns[term]

    def _known(self, term: Term) -> _Column:
        """Complete a combination with the zeros that are proven."""
        own = self._column(term)
        value, status, denied = own.valeur.copy(), own.statut.copy(), own.contredit.copy()
        for total_term, fellows in proofs(self._cube, term):
            if not (status == _NO_ROW).any():
                break
            total = self._known(total_term)
            parts = [self._column(fellow) for fellow in fellows]
            # Parts that are absent count for nothing; one that is hidden proves nothing.
            made = np.nansum([part.valeur for part in parts], axis=0)
            hidden = np.any([part.statut > 0 for part in parts], axis=0)
            same = np.abs(made - total.valeur) <= _ROUNDING + 1e-9 * np.abs(total.valeur)
            told = (status == _NO_ROW) & (total.statut == 0) & ~hidden
            value[told & same], status[told & same] = 0.0, 0
            denied |= told & ~same
        return _Column(value, status, own.mot, denied & (status == _NO_ROW))

    def cells_of(self, target: Target) -> Iterator[pd.DataFrame]:
        """Yield the cells of a target: year by year, the first alternative that the file has."""
        done: set[int] = set()
        for seen_in_file in (True, False):
            for way in target.codes:
                terms = self._cube.terms(way)
                for year in self._years:
                    if year in done or not target.depuis <= year <= target.jusqua:
                        continue
                    here = self._year == year
                    if seen_in_file and not all(
                        (self._column(term).statut[here] != _NO_ROW).any() for term, _ in terms
                    ):
                        continue
                    cells = self._summed(target, terms, here)
                    if cells["valeur"].notna().any() or seen_in_file:
                        done.add(int(year))
                        yield cells

    def _summed(self, target: Target, terms: list[tuple[Term, int]], here: Flags) -> pd.DataFrame:
        known = [self._known(term) for term, _ in terms]
        values = np.array([column.valeur[here] for column in known])
        status = np.array([column.statut[here] for column in known])
        absent, hidden = status == _NO_ROW, status > 0
        motif = np.full(values.shape[1], "", dtype=object)
        if target.absente == "zero" and self._whole:
            denied = np.any([column.contredit[here] for column in known], axis=0)
            told = ((status == 0).any(axis=0) | _single(self._cube, target)) & ~denied
            motif[told & absent.any(axis=0)] = "sans ligne dans le fichier, compté pour zéro"
            values[absent & told] = 0.0
            absent &= ~told
        signs = np.array([[sign] for _, sign in terms])
        total = (values * signs).sum(axis=0)
        # Of several reasons secrecy, the first of STATUSES after ok, is the one to tell.
        reason = np.where(hidden, status, len(STATUSES)).min(axis=0)
        state = np.where(reason < len(STATUSES), reason, np.where(absent.any(axis=0), _ABSENT, 0))
        words = np.array([column.mot[here] for column in known])
        first = np.where(hidden & (status == reason), words, _NO_WORD).max(axis=0)
        first = np.where(hidden.any(axis=0), first, words.max(axis=0))
        motifs = self._words[first]
        motif = np.where(motifs != "", motifs, motif)
        motif[(state == _ABSENT) & (motif == "")] = "pas de ligne dans le fichier"
        if target.reserve:
            motif[state == 0] = target.reserve
        keys = self._index[here].to_frame(index=False)
        return keys.assign(
            valeur=np.where(state == 0, total, np.nan),
            statut=state,
            motif=motif,
        )


def _single(cube: Cube, target: Target) -> bool:
    return all(len(cube.terms(way)) == 1 for way in target.codes)


def _every_year(index: pd.MultiIndex) -> pd.MultiIndex:
    places = index.droplevel("annee").unique()
    years = index.get_level_values("annee").unique()
    return index.append(pd.MultiIndex.from_product([places, years], names=_KEYS)).unique()


def _coded(cells: pd.DataFrame, rows: Rows, source: Source) -> CubeCells:
    """Give territories their codes: the form of each level is checked."""
    places = pd.DataFrame(rows.lieux, columns=["objet", "geo"])
    faults: list[Fault] = []
    repaired = 0
    for object_, of_level in places.groupby("objet", sort=False):
        level = LEVELS[str(object_)]
        codes, number = repair_codes(of_level["geo"], level)
        repaired += number
        if level == "region":
            codes = "R" + codes.str.zfill(2)
        if level == "france_metropolitaine":
            codes = codes.replace("FM", "METRO")
        faults += check_codes(codes, level)
        places.loc[of_level.index, "code"] = codes
        places.loc[of_level.index, "niveau"] = level
    if faults:
        raise FaultsError(f"fichier {source.nom} refusé", faults)
    coded = cells.assign(code=places["code"].to_numpy()[cells["lieu"].to_numpy()])
    columns = ["code", "annee", "valeur", "statut", "motif", "table", "colonne"]
    seen = places.loc[np.unique(cells["lieu"])]
    territories = seen.assign(libelle=seen["code"])[["code", "libelle", "niveau"]]
    return CubeCells(
        coded.astype({"annee": np.int64, "statut": np.int8})[columns],
        territories.drop_duplicates("code", ignore_index=True),
        repaired,
        rows.ecartees,
    )
