"""The rows of a long file that are asked for, kept lot by lot: the memory is that of what is kept.

Nothing is added up here. A row is kept when it is yearly, of a level that we know, and each of its
dimensions has a code that some target asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.sources.files.text import Source
from barometre.sources.files.values import parse_numbers
from barometre.sources.melodi.cubes import Cube, Term, dimensions_of
from barometre.tables.table_set import STATUSES

LEVELS: Mapping[str, str] = {
    "COM": "commune",
    "EPCI": "epci",
    "DEP": "departement",
    "REG": "region",
    "FRANCE": "france_metropolitaine",
}
"""Our level, by object of Insee's geography; the others are left out. GEO alone is no key."""

_SECRET, _ABSENT = STATUSES.index("secret"), STATUSES.index("non_disponible")
_ELSEWHERE = "K"  # the data are in another category: the row is not to be read
_MISSING = frozenset("LMOQ")
_API_GEO = re.compile(r"\d{4}-([A-Z0-9]+)-(.+)")

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Wanted:
    """The combinations of codes to keep and where they stand.

    Attributes
    ----------
    noms : tuple of str
        Dimensions of the file that the data set lists.
    positions : mapping of tuple to int
        Number of each combination, codes as the file writes them in the order of ``noms``.
    """

    noms: tuple[str, ...]
    positions: Mapping[Term, int]


@dataclass(frozen=True)
class Rows:
    """What is kept of a long file.

    Attributes
    ----------
    frame : DataFrame
        ``geo``, ``objet``, ``annee``, ``combinaison`` (position in ``Wanted``), ``valeur``,
        ``statut`` (position in STATUSES), ``motif``.
    lues, territoires_ecartes, periodes_ecartees, incluses_ailleurs : int
        Rows read, of another geography, of another period than a year, included in another
        category.
    """

    frame: pd.DataFrame
    lues: int
    territoires_ecartes: int
    periodes_ecartees: int
    incluses_ailleurs: int


def check_header(cube: Cube, source: Source) -> None:
    """Refuse a header whose dimensions are not all known, or without the object of its codes."""
    unknown = [name for name in dimensions_of(source.entete) if name not in cube.dimensions]
    faults = [
        Fault(
            "dimensions",
            f"{', '.join(unknown)} : inconnue{'s' * (len(unknown) > 1)} du jeu {cube.nom}",
            "sans valeur fixée, totaux et détails s'ajouteraient ; télécharger le jeu tel quel",
        )
    ]
    if unknown:
        raise FaultsError(f"fichier {source.nom} refusé (Melodi, {cube.nom})", faults)


def kept_rows(cube: Cube, wanted: Wanted, source: Source) -> Rows:
    """Read the rows that are asked for.

    Parameters
    ----------
    cube : Cube
        The data set.
    wanted : Wanted
        The combinations of codes to keep.
    source : Source
        The file.

    Returns
    -------
    Rows

    Raises
    ------
    FaultsError
        Values that are no numbers, or no column says the level of a code.
    """
    names = [name for name in source.entete if name]
    optional = ("GEO_OBJECT", "FREQ", "OBS_STATUS", "CONF_STATUS", "UNIT_MULT")
    asked = [*wanted.noms, "GEO", "TIME_PERIOD", "OBS_VALUE"]
    asked += [name for name in optional if name in names and name not in asked]
    codes = _Codes(wanted)
    lots, seen = [], np.zeros(4, dtype=np.int64)
    for lot in source.lots(asked):
        kept, counts = _of_lot(lot, codes, source.nom)
        seen += counts
        if len(kept):
            lots.append(kept)
    frame = pd.concat(lots, ignore_index=True) if lots else _no_rows()
    return Rows(frame, *map(int, seen))


class _Codes:
    """Number the combination of codes of each row; -1 when it is not asked for."""

    def __init__(self, wanted: Wanted) -> None:
        self._names = wanted.noms
        columns = list(zip(*wanted.positions, strict=True)) if wanted.positions else []
        self._known = [{c: i for i, c in enumerate(dict.fromkeys(codes))} for codes in columns]
        sizes = [len(known) for known in self._known]
        self._lookup = np.full(int(np.prod(sizes)) if sizes else 1, -1, dtype=np.int64)
        for term, position in wanted.positions.items():
            self._lookup[self._mixed([k[c] for k, c in zip(self._known, term, strict=True)])] = (
                position
            )

    def _mixed(self, digits: Sequence[Any]) -> Any:
        number: Any = 0
        for known, digit in zip(self._known, digits, strict=True):
            number = number * len(known) + digit
        return number

    def number(self, lot: Any) -> Ints:
        digits: list[Ints] = []
        unknown = np.zeros(lot.num_rows, dtype=bool)
        for name, known in zip(self._names, self._known, strict=True):
            digit = _digits(lot.column(name), known)
            unknown |= digit < 0
            digits.append(np.maximum(digit, 0))
        found = self._lookup[self._mixed(digits)] if digits else np.zeros(lot.num_rows, np.int64)
        return np.where(unknown, -1, found)


def _digits(column: Any, known: Mapping[str, int]) -> Ints:
    """Give the rank of each cell among known codes, -1 for the others; one look per code."""
    encoded = column.combine_chunks().dictionary_encode()
    words = [(word or "").strip() for word in encoded.dictionary.to_pylist()]
    ranks = np.array([known.get(word, -1) for word in words] or [-1], dtype=np.int64)
    return ranks[encoded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)]


def _of_lot(lot: Any, codes: _Codes, nom: str) -> tuple[pd.DataFrame, Ints]:
    number = codes.number(lot)
    total = lot.num_rows
    rows = np.flatnonzero(number >= 0)
    lot = lot.take(pa.array(rows))
    frame = pd.DataFrame({"combinaison": number[rows]})
    for name in lot.column_names:
        if name in ("GEO", "GEO_OBJECT", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "CONF_STATUS",
                    "UNIT_MULT", "FREQ"):  # fmt: skip
            frame[name] = pc.utf8_trim_whitespace(lot.column(name)).to_pandas().astype("str")
    frame["geo"], frame["objet"] = _places(frame, nom)
    years = frame["TIME_PERIOD"].str.extract(r"^(\d{4})(?:-(?:01-01|12-31)(?:[T ].*)?)?$")[0]
    yearly = years.notna()
    if "FREQ" in frame:
        yearly &= frame["FREQ"].isin(["A", ""])
    ours = frame["objet"].isin(list(LEVELS)) & ((frame["objet"] != "FRANCE") | (frame["geo"] == "FM"))
    status = frame["OBS_STATUS"] if "OBS_STATUS" in frame else pd.Series("", index=frame.index)
    elsewhere = status == _ELSEWHERE
    counts = [total, int((~ours).sum()), int((ours & ~yearly).sum())]
    counts.append(int((ours & yearly & elsewhere).sum()))
    keep = ours & yearly & ~elsewhere
    kept = frame[keep].assign(annee=years[keep].astype(np.int64))
    return _valued(kept, nom), np.array(counts, dtype=np.int64)


def _places(frame: pd.DataFrame, nom: str) -> tuple[pd.Series[str], pd.Series[str]]:
    """Give code and object of each row; the API writes both, and a year, in GEO."""
    parts = frame["GEO"].str.extract(_API_GEO)
    if "GEO_OBJECT" in frame:
        return parts[1].fillna(frame["GEO"]), frame["GEO_OBJECT"].mask(
            frame["GEO_OBJECT"] == "", parts[0].fillna("")
        )
    if parts[1].isna().any():
        raise FaultsError(
            f"fichier {nom} refusé",
            [
                Fault(
                    "GEO_OBJECT",
                    "colonne absente : 33063 est une commune et un bassin de vie, 75 une région et"
                    " un département",
                    "télécharger le jeu avec sa colonne GEO_OBJECT",
                )
            ],
        )
    return parts[1], parts[0]


def _valued(frame: pd.DataFrame, nom: str) -> pd.DataFrame:
    """Turn cells into numbers, or into the reason why there is none."""
    parsed = parse_numbers(frame["OBS_VALUE"])
    if parsed.illisible.any():
        bad = ", ".join(frame.loc[parsed.illisible, "OBS_VALUE"].unique()[:5])
        fault = Fault("OBS_VALUE", f"cellules illisibles ({bad})", "un nombre, ou rien, est attendu")
        raise FaultsError(f"fichier {nom} refusé", [fault])
    value, status = parsed.valeur.copy(), parsed.statut.copy()
    motif = np.full(len(frame), "", dtype=object)
    motif[status > 0] = ("« " + frame["OBS_VALUE"] + " » dans le fichier").to_numpy()[status > 0]
    if "UNIT_MULT" in frame:
        value *= 10.0 ** pd.to_numeric(frame["UNIT_MULT"], errors="coerce").fillna(0).to_numpy()
    observed = _column(frame, "OBS_STATUS")
    absent = (observed.isin(_MISSING) | np.isnan(value)).to_numpy() & (status == 0)
    status[absent] = _ABSENT
    motif[absent] = ("OBS_STATUS = " + observed).where(observed != "", "vide").to_numpy()[absent]
    kept_back = ~_column(frame, "CONF_STATUS").isin(["F", ""]).to_numpy()
    status[kept_back] = _SECRET
    motif[kept_back] = ("CONF_STATUS = " + _column(frame, "CONF_STATUS")).to_numpy()[kept_back]
    motif[(observed == "P").to_numpy() & (status == 0)] = "valeur provisoire (OBS_STATUS = P)"
    value[status > 0] = np.nan
    places = frame[["geo", "objet", "annee", "combinaison"]]
    return places.assign(valeur=value, statut=status, motif=motif)


def _column(frame: pd.DataFrame, name: str) -> pd.Series[str]:
    return frame[name] if name in frame else pd.Series("", index=frame.index, dtype="str")


def _no_rows() -> pd.DataFrame:
    names = ("geo", "objet", "annee", "combinaison", "valeur", "statut", "motif")
    return pd.DataFrame({name: [] for name in names})


def one_value(frame: pd.DataFrame, keys: Sequence[str], nom: str) -> pd.DataFrame:
    """Keep one row of those served twice: the same value, were it with two precisions.

    Raises
    ------
    FaultsError
        Two rows of one key differ: neither is added up nor preferred.
    """
    frame = frame.drop_duplicates([*keys, "valeur", "statut"])
    twice = frame[frame.duplicated(list(keys), keep=False)]
    if twice.empty:
        return frame
    wrong: list[str] = []
    best: dict[Any, Any] = {}
    for key, rows in twice.groupby(list(keys), sort=False):
        values = [float(v) for v in rows["valeur"]]
        place = max(range(len(values)), key=lambda i: _decimals(values[i]))
        if not all(_same(value, values[place]) for value in values):
            shown = " et ".join(f"{v:.12g}".replace(".", ",") for v in values[:2])
            wrong.append(f"{' '.join(map(str, key))} : {shown}")
        best[key] = rows.index[place]
    if wrong:
        more = " ; ..." * (len(wrong) > 3)
        fault = Fault(
            "lignes",
            f"{len(wrong)} clés données deux fois autrement ({' ; '.join(wrong[:3])}{more})",
            "garder une ligne par territoire, période et combinaison de dimensions",
        )
        raise FaultsError(f"fichier {nom} refusé", [fault])
    return frame.drop(twice.index.difference(pd.Index(list(best.values()))))


def _decimals(value: float) -> int:
    text = repr(value)
    return len(text.partition(".")[2].rstrip("0")) if "e" not in text else 17


def _same(value: float, precise: float) -> bool:
    if np.isnan(value) or np.isnan(precise):
        return bool(np.isnan(value) and np.isnan(precise))
    return value == precise or abs(value - precise) <= 0.5001 * 10.0 ** -_decimals(value)
