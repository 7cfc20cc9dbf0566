"""The rows of a long file that are asked for, kept lot by lot: the memory is that of what is kept.

Nothing is added up here. A row is kept when it is yearly, of a level that we know, and each of its
dimensions has a code that some target asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from barometre.base.errors import Fault, FaultsError, counted
from barometre.base.french import format_number
from barometre.sources.files.text import Source
from barometre.sources.files.values import parse_numbers
from barometre.sources.forms.melodi.cubes import KEYS, LEVELS, Cube, Term, dimensions_of
from barometre.tables.table_set import STATUSES

_SECRET, _ABSENT = STATUSES.index("secret"), STATUSES.index("non_disponible")
_ELSEWHERE = "K"  # the data are in another category: the row is not to be read
_MISSING = frozenset("LMOQ")
_API_GEO = re.compile(r"\d{4}-([A-Z0-9]+)-(.+)")
_PERIOD = re.compile(r"(\d{4})(?:-(?:01-01|12-31)(?:[T ].*)?)?")
_OPTIONAL = ("GEO_OBJECT", "FREQ", "OBS_STATUS", "CONF_STATUS", "UNIT_MULT")
_TYPES = {
    "lieu": "int32",
    "annee": "int16",
    "combinaison": "int16",
    "valeur": "float64",
    "statut": "int8",
    "mot": "int32",
}
_NO_OBJECT = Fault(
    "GEO_OBJECT",
    "colonne absente ou vide : 33063 est une commune et un bassin de vie, 75 une région et un"
    " département",
    "télécharger le jeu avec sa colonne GEO_OBJECT",
)

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
        ``lieu`` (position in ``lieux``), ``annee``, ``combinaison`` (number in ``Wanted``),
        ``valeur``, ``statut`` (position in STATUSES), ``mot`` (position in ``mots``): numbers only.
    lieux : tuple of tuple of str
        Object and code of the territories, as written.
    mots : tuple of str
        Reasons; the first is empty.
    ecartees : int
        Rows of another geography, of another period than a year, or included in another category.
    """

    frame: pd.DataFrame
    lieux: tuple[tuple[str, str], ...]
    mots: tuple[str, ...]
    ecartees: int


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
    asked = [*wanted.noms, *KEYS]
    asked += [name for name in _OPTIONAL if name in source.entete and name not in asked]
    return source.reduced(asked, partial(_of_lot, _Codes(wanted), source.nom), _joined)


def _of_lot(codes: _Codes, nom: str, lot: Any) -> Rows:
    kept = _Kept(nom)
    frame = kept.of_lot(lot, codes.number(lot))
    return Rows(frame, tuple(kept.places), tuple(kept.words), kept.set_aside)


def _joined(parts: Iterable[Rows]) -> Rows:
    """Put rows of several lots together: places and reasons are numbered as they are met."""
    places: dict[tuple[str, str], int] = {}
    words = {"": 0}
    frames, set_aside = [], 0
    for part in parts:
        place = [places.setdefault(place, len(places)) for place in part.lieux]
        word = [words.setdefault(word, len(words)) for word in part.mots]
        renumbered = {
            column: np.array(number, dtype=_TYPES[column])[part.frame[column]]
            for column, number in (("lieu", place), ("mot", word))
        }
        frames.append(part.frame.assign(**renumbered))
        set_aside += part.ecartees
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(_TYPES))
    return Rows(frame, tuple(places), tuple(words), set_aside)


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
    words, positions = _encoded(column)
    return np.array([known.get(word, -1) for word in words] or [-1], dtype=np.int64)[positions]


def _encoded(column: Any) -> tuple[list[str], Ints]:
    """Give the distinct texts of a column, stripped, and their positions."""
    encoded = column.combine_chunks().dictionary_encode()
    words = [(word or "").strip() for word in encoded.dictionary.to_pylist()]
    positions = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return words or [""], positions.astype(np.int64)


class _Kept:
    """Keep rows of a lot; places and reasons are numbered."""

    def __init__(self, nom: str) -> None:
        self._nom = nom
        self.places: dict[tuple[str, str], int] = {}
        self.words: dict[str, int] = {"": 0}
        self.set_aside = 0

    def of_lot(self, lot: Any, number: Ints) -> pd.DataFrame:
        rows = np.flatnonzero(number >= 0)
        lot, number = lot.take(pa.array(rows)), number[rows]
        place = self._place(lot)
        year = self._flags(lot, "TIME_PERIOD", _year)
        yearly = (year > 0) & (self._flags(lot, "FREQ", lambda text: int(text in ("A", ""))) == 1)
        here = self._flags(lot, "OBS_STATUS", lambda text: int(text != _ELSEWHERE)) == 1
        keep = (place >= 0) & yearly & here
        self.set_aside += int((~keep).sum())
        lot = lot.filter(pa.array(keep))
        cells = {"lieu": place[keep], "annee": year[keep], "combinaison": number[keep]}
        frame = pd.DataFrame(cells | self._values(lot))
        return frame.astype(_TYPES)

    def _flags(self, lot: Any, name: str, rule: Callable[[str], int]) -> Ints:
        """Apply a rule to the distinct texts of a column; to an empty one when there is none."""
        if name not in lot.column_names:
            return np.full(lot.num_rows, rule(""))
        words, positions = _encoded(lot.column(name))
        return np.array([rule(word) for word in words], dtype=np.int64)[positions]

    def _place(self, lot: Any) -> Ints:
        """Number object and code of each row, -1 for those left out; the API has both in GEO."""
        codes, code_at = _encoded(lot.column("GEO"))
        objects, object_at = (
            _encoded(lot.column("GEO_OBJECT"))
            if "GEO_OBJECT" in lot.column_names
            else ([""], np.zeros(lot.num_rows, dtype=np.int64))
        )
        pairs, rank = np.unique(code_at * len(objects) + object_at, return_inverse=True)
        numbers = []
        for pair in pairs:
            code, object_ = codes[int(pair) // len(objects)], objects[int(pair) % len(objects)]
            hit = _API_GEO.fullmatch(code)
            if hit:
                object_, code = object_ or hit[1], hit[2]
            if not object_:
                raise FaultsError(f"fichier {self._nom} refusé", [_NO_OBJECT])
            ours = object_ in LEVELS and (object_ != "FRANCE" or code == "FM")
            key = (object_, code)
            numbers.append(self.places.setdefault(key, len(self.places)) if ours else -1)
        return np.array(numbers, dtype=np.int64)[rank] if numbers else np.empty(0, np.int64)

    def _word(self, text: str) -> int:
        return self.words.setdefault(text, len(self.words))

    def _values(self, lot: Any) -> dict[str, Any]:
        """Turn cells into numbers, or into the reason why there is none."""
        texts = lot.column("OBS_VALUE").to_pandas().astype("str")
        parsed = parse_numbers(texts)
        if parsed.illisible.any():
            bad = ", ".join(texts[parsed.illisible].str.strip().unique()[:5])
            fault = Fault("OBS_VALUE", f"cellules illisibles ({bad})", "un nombre est attendu")
            raise FaultsError(f"fichier {self._nom} refusé", [fault])
        value = parsed.valeur * 10.0 ** self._flags(lot, "UNIT_MULT", _power)
        status = parsed.statut.astype(np.int64)
        word = np.zeros(len(status), dtype=np.int64)
        for text in texts[status > 0].unique():
            word[(texts == text).to_numpy()] = self._word(f"« {text.strip()} » dans le fichier")
        missing = self._flags(lot, "OBS_STATUS", lambda text: int(text in _MISSING)) == 1
        absent = (missing | np.isnan(value)) & (status == 0)
        status[absent] = _ABSENT
        word[absent] = self._flags(lot, "OBS_STATUS", self._why_absent)[absent]
        hidden = self._flags(lot, "CONF_STATUS", lambda text: int(text not in ("F", ""))) == 1
        status[hidden] = _SECRET
        word[hidden] = self._flags(lot, "CONF_STATUS", self._why_hidden)[hidden]
        provisional = self._flags(lot, "OBS_STATUS", lambda text: int(text == "P")) == 1
        word[provisional & (status == 0)] = self._word("valeur provisoire (OBS_STATUS = P)")
        value[status > 0] = np.nan
        return {"valeur": value, "statut": status, "mot": word}

    def _why_absent(self, text: str) -> int:
        return self._word(f"OBS_STATUS = {text}" if text else "vide dans le fichier")

    def _why_hidden(self, text: str) -> int:
        return self._word(f"CONF_STATUS = {text}")


def _year(text: str) -> int:
    """Give the year of a period that is a whole one, else 0: a month is none."""
    hit = _PERIOD.fullmatch(text)
    return int(hit[1]) if hit else 0


def _power(text: str) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,2}", text) else 0


def one_value(rows: Rows, nom: str) -> pd.DataFrame:
    """Keep one row of those served twice: the same value, were it with two precisions.

    Parameters
    ----------
    rows : Rows
        What is kept of a file.
    nom : str
        Its name, for the message.

    Returns
    -------
    DataFrame
        ``rows.frame``, one row per territory, year and combination.

    Raises
    ------
    FaultsError
        Two rows of one key differ: neither is added up nor preferred.
    """
    keys = ["lieu", "annee", "combinaison"]
    frame = rows.frame
    numbers = (frame["lieu"].to_numpy(np.int64) * 10_000 + frame["annee"]) * (2**15)
    sorted_keys = np.sort((numbers + frame["combinaison"]).to_numpy())
    if not (sorted_keys[1:] == sorted_keys[:-1]).any():
        return frame
    frame = frame.drop_duplicates([*keys, "valeur", "statut"])
    twice = frame[frame.duplicated(keys, keep=False)]
    wrong: list[str] = []
    best: list[int] = []
    for _, same in twice.groupby(keys, sort=False):
        values = [float(value) for value in same["valeur"]]
        finest = max(range(len(values)), key=lambda i: _decimals(values[i]))
        if not all(_same(value, values[finest]) for value in values):
            shown = " et ".join(map(format_number, values[:2]))
            place = rows.lieux[int(same["lieu"].iloc[0])]
            wrong.append(f"{' '.join(place)} en {same['annee'].iloc[0]} : {shown}")
        best.append(same.index[finest])
    if wrong:
        more = " ; ..." * (len(wrong) > 3)
        fault = Fault(
            "lignes",
            f"{counted(len(wrong), 'clé')} données deux fois autrement"
            f" ({' ; '.join(wrong[:3])}{more})",
            "garder une ligne par territoire, période et combinaison de dimensions",
        )
        raise FaultsError(f"fichier {nom} refusé", [fault])
    return frame.drop(twice.index.difference(pd.Index(best)))


def _decimals(value: float) -> int:
    text = repr(value)
    return len(text.partition(".")[2].rstrip("0")) if "e" not in text else 17


def _same(value: float, precise: float) -> bool:
    if np.isnan(value) or np.isnan(precise):
        return bool(np.isnan(value) and np.isnan(precise))
    return value == precise or abs(value - precise) <= 0.5001 * 10.0 ** -_decimals(value)
