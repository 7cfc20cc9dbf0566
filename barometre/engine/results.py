"""The tidy results: their model, and the arrays they are stacked from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
import pyarrow

from barometre.base.arrays import Booleans, Floats, Integers, RowNumbers
from barometre.base.frames import check_frame
from barometre.base.texts import Column, Numbered, Writer
from barometre.tables.table_set import DOUBTFUL, STATUSES, Positions

Origin = Literal["calcule", "publie", "deduit", "estime"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
Grade = Literal["A", "B", "C", "D"]
GRADES: tuple[Grade, ...] = get_args(Grade)
COMPUTED_KEPT = "calcul retenu ; valeur publiée : "
"""How the note of a value begins that differs from the published one, or whose published one is
doubtful."""
LACKING = "dénominateur absent : "
"""How the note of a rate begins whose numerator is known and not its denominator."""
TOO_FEW = "effectifs trop faibles pour être montrés (classe D)"


class Results(pa.DataFrameModel):
    """The tidy frame of values: exactly one row per territory, year and indicator.

    ``valeur`` is missing exactly when ``statut`` is not ``ok``. ``borne_inf`` and ``borne_sup``, in
    the unit of the value, are there when intervals were asked for and one exists. ``qualite`` is
    ``"douteux"`` for a value kept as printed although contradicted, else the display grade
    (``"A"`` to ``"D"``) when intervals were asked for. ``note`` says why, or which vintage or
    origin a reader must know about.
    """

    code: str
    annee: int
    indicateur: str
    valeur: float = pa.Field(nullable=True)
    statut: str = pa.Field(isin=list(STATUSES))
    borne_inf: float = pa.Field(nullable=True)
    borne_sup: float = pa.Field(nullable=True)
    qualite: str = pa.Field(nullable=True)
    origine: str = pa.Field(isin=list(ORIGINS))
    note: str = pa.Field(nullable=True)

    class Config:
        """Nothing but these columns, in this order."""

        strict = True
        ordered = True
        unique = ["code", "annee", "indicateur"]  # noqa: RUF012 - pandera reads a plain list

    @pa.dataframe_check(name="valeur si et seulement si ok")
    @classmethod
    def _value_when_ok(cls, frame: pd.DataFrame) -> pd.Series[bool]:
        return frame["valeur"].notna() == (frame["statut"] == "ok")


def displayed(results: pd.DataFrame) -> pd.DataFrame:
    """Return results as they may be shown: a value of grade D becomes ``non_disponible``.

    Parameters
    ----------
    results : DataFrame
        Tidy results.

    Returns
    -------
    DataFrame
        The same frame when nothing is graded D; else a copy where such values and their limits are
        missing and ``note`` says why. Charts and printed tables call it; files keep every value.
    """
    check_frame(results, "résultats refusés", ("valeur", "statut", "qualite", "note"))
    few = ((results["qualite"] == "D") & results["valeur"].notna()).to_numpy()
    if not few.any():
        return results
    shown = results.copy()
    shown.loc[few, ["valeur", "borne_inf", "borne_sup"]] = np.nan
    shown.loc[few, "statut"] = "non_disponible"
    said = shown.loc[few, "note"].astype(object)
    shown.loc[few, "note"] = [
        f"{note} ; {TOO_FEW}" if isinstance(note, str) else TOO_FEW for note in said
    ]
    return shown


class Notes:
    """The texts of the notes, each kept once and known by its position; -1 is no note."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._known: dict[str, int] = {}

    def of(self, texts: Iterable[str]) -> Integers:
        """Return the positions of texts, adding those that are new."""
        return np.array([self._position(text) for text in texts], dtype=np.int64)

    def join(self, first: Integers, second: Integers) -> Integers:
        """Append the second notes to the first ones, unless they say it already."""
        noted = first >= 0
        if not noted.any():
            return second.copy()
        joined = np.where(noted, first, second)
        both = np.flatnonzero(noted & (second >= 0) & (first != second))
        if not len(both):
            return joined
        pairs, inverse = np.unique(
            np.column_stack([first[both], second[both]]), axis=0, return_inverse=True
        )
        added = []
        for one, other in pairs:
            before, after = self.texts[one], self.texts[other]
            added.append(before if after in before else f"{before} ; {after}")
        joined[both] = self.of(added)[inverse.ravel()]
        return joined

    def _position(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = len(self.texts)
            self.texts.append(text)
        return self._known[text]


@dataclass(frozen=True)
class Values:
    """The values of one indicator, one per key; words are positions in their closed list."""

    keys: pd.MultiIndex
    valeur: Floats
    statut: Positions
    origine: Positions
    douteux: Booleans
    note: Integers

    def take(self, rows: Booleans | RowNumbers) -> Values:
        """Keep some rows, or put them in another order."""
        columns = {name: column[rows] for name, column in vars(self).items()}
        return replace(self, **columns)

    def then(self, other: Values) -> Values:
        """Append rows."""
        columns = {
            name: np.concatenate([column, getattr(other, name)])
            for name, column in vars(self).items()
            if name != "keys"
        }
        return replace(self, keys=self.keys.append(other.keys), **columns)


@dataclass(frozen=True)
class Bounds:
    """Limits and display grades of the values of one indicator, row by row; grades by position."""

    borne_inf: Floats
    borne_sup: Floats
    grade: Positions

    def take(self, rows: RowNumbers) -> Bounds:
        """Put the rows in another order."""
        return Bounds(**{name: column[rows] for name, column in vars(self).items()})


def stack(
    values: Mapping[str, Values], notes: Notes, bounds: Mapping[str, Bounds] | None = None
) -> pd.DataFrame:
    """Stack indicators into the tidy frame, each by year, territories as received."""
    parts, codes, years, limits = [], [], [], []
    levels: dict[int, tuple[pyarrow.Array, Integers]] = {}  # many parts share their keys
    for name, part in values.items():
        limit = bounds[name] if bounds else None
        if id(part.keys) not in levels:
            levels[id(part.keys)] = _levels(part.keys)
        code, year = levels[id(part.keys)]
        if (year[1:] < year[:-1]).any():
            order = np.argsort(year, kind="stable")
            part, code, year = part.take(order), code.take(order), year[order]
            limit = limit and limit.take(order)
        parts.append(part)
        limits += [limit] if limit else []
        codes.append(code)
        years.append(year)

    def column(name: str) -> list[npt.NDArray[Any]]:
        return [getattr(part, name) for part in parts]

    writer = Writer()

    def words(known: Sequence[str], parts: Iterable[Numbered]) -> Column:
        """Write the words at some positions, -1 giving a missing one; most parts hold a single."""
        return writer.texts(
            chunk for part in parts for chunk in writer.chunks(known, part, max(len(part), 1))
        )

    return pd.DataFrame(
        {
            "code": writer.texts(codes),
            "annee": np.concatenate([np.zeros(0, np.int64), *years]),
            "indicateur": writer.texts(
                chunk
                for name, code in zip(values, codes, strict=True)
                for chunk in writer.repeated(name, len(code))
            ),
            "valeur": np.concatenate([np.zeros(0), *column("valeur")]),
            "statut": words(STATUSES, column("statut")),
            "borne_inf": np.concatenate([b.borne_inf for b in limits]) if limits else np.nan,
            "borne_sup": np.concatenate([b.borne_sup for b in limits]) if limits else np.nan,
            "qualite": words([DOUBTFUL, *GRADES], _quality(column("douteux"), limits)),
            "origine": words(ORIGINS, column("origine")),
            "note": words(notes.texts, column("note")),
        },
        copy=False,
    )


def _quality(doubtful: Sequence[Booleans], limits: Sequence[Bounds]) -> list[Positions]:
    """Give each value its position among the doubtful ones and the grades; -1 is none."""
    if not limits:
        return [np.where(d, np.int8(0), np.int8(-1)) for d in doubtful]
    return [
        np.where(d, np.int8(0), np.where(limit.grade < 0, np.int8(-1), limit.grade + np.int8(1)))
        for d, limit in zip(doubtful, limits, strict=True)
    ]


def _levels(keys: pd.MultiIndex) -> tuple[pyarrow.Array, Integers]:
    code = pyarrow.array(keys.get_level_values("code"), pyarrow.large_string())
    return code, keys.get_level_values("annee").to_numpy(np.int64)
