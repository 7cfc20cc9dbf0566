"""The set of tables that `compute` takes: checked frames, why cells are absent, who is who."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.errors import Fault, FaultsError, TableError, UnknownNameError, counted
from barometre.table_checks import PUBLISHED, check_table
from barometre.tables import KEY, MODELS

Status = Literal["ok", "secret", "non_disponible", "non_defini", "sans_objet"]
STATUSES: tuple[Status, ...] = ("ok", "secret", "non_disponible", "non_defini", "sans_objet")

DOUBTFUL = "douteux"
"""Quality of a value kept as printed although it is contradicted elsewhere."""

STATUTS_COLUMNS = ("code", "annee", "table", "colonne", "statut", "qualite", "motif")
TERRITOIRES_COLUMNS = ("libelle", "libelle_court", "niveau")


Positions = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]
Words = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Remarks:
    """What is said of the cells of one column, row by row.

    Attributes
    ----------
    statut : array of int8
        Position in `STATUSES` of the reason for an absent value; 0 when none is given.
    douteux : array of bool
        The value is doubtful.
    motif : array of int64
        Position of the reason in `Tables.motifs`; -1 when nothing is said.
    """

    statut: Positions
    douteux: Booleans
    motif: Words


class Tables(Mapping[str, pd.DataFrame]):
    """An immutable set of checked tables.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Tables by name (``"logements"``, ``"activite"``..., and ``"publies"`` for the values that
        a producer only publishes as rates or medians: one column per indicator).
    statuts : DataFrame, optional
        What there is to say of single cells, one row each: ``code``, ``annee``, ``table``,
        ``colonne``, ``statut`` (``ok`` for a cell that has a value), ``qualite`` (``"douteux"`` or
        missing) and ``motif``, the reason in words.
    territoires : DataFrame, optional
        ``libelle``, ``niveau`` and, when there is one, ``libelle_court`` of the territories,
        indexed by ``code``.

    Attributes
    ----------
    statuts : DataFrame
        As given, checked.
    territoires : DataFrame
        As given, checked.

    Raises
    ------
    TableError
        A table is refused, or a cell declared absent holds a value; every fault of every table.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {"code": ["59172"], "annee": [2021], "logements": [80], "logements_vacants": [12]}
    ... )
    >>> list(Tables({"logements": frame}))
    ['logements']
    """

    def __init__(
        self,
        frames: Mapping[str, pd.DataFrame],
        *,
        statuts: pd.DataFrame | None = None,
        territoires: pd.DataFrame | None = None,
    ) -> None:
        self._frames: dict[str, pd.DataFrame] = {}
        refused: list[TableError] = []
        for name, frame in frames.items():
            try:
                self._frames[name] = check_table(name, frame)
            except TableError as error:
                refused.append(error)
        if len(refused) == 1:
            raise refused[0]
        if refused:
            faults = [fault for error in refused for fault in error.defauts]
            raise TableError("\n".join(str(error) for error in refused) + "\nen tout", faults)
        self._statuts = _check_statuts(statuts, self._frames)
        self._territoires = _check_territoires(territoires)
        self._add_rows_told_of()
        motifs, self._motifs = pd.factorize(self._statuts["motif"])
        self._remarks = {
            (table, column): self._remarks_of(table, column, cells, motifs)
            for table, column, cells in _by_column(self._statuts)
            if table in self._frames
        }

    def remarks(self, table: str, column: str) -> Remarks | None:
        """Return what is said of a column, on the rows of its table, or None."""
        return self._remarks.get((table, column))

    def index_of(self, table: str) -> pd.MultiIndex:
        """Return the keys of a table."""
        index = self._frames[table].index
        assert isinstance(index, pd.MultiIndex)  # so checked at the door
        return index

    @property
    def motifs(self) -> list[str]:
        """The reasons given in ``statuts``."""
        return list(self._motifs)

    def _add_rows_told_of(self) -> None:
        """Give a row to a territory whose table only says why it is absent."""
        for table, cells in self._statuts.groupby("table"):
            name = str(table)
            if name in self._frames:
                frame = self._frames[name]
                told = pd.MultiIndex.from_frame(cells[list(KEY)].drop_duplicates())
                new = told[~told.isin(frame.index)]
                if len(new):
                    self._frames[name] = frame.reindex(frame.index.append(new))

    def _remarks_of(self, table: str, column: str, cells: pd.DataFrame, motifs: Words) -> Remarks:
        index = self._frames[table].index
        rows = index.get_indexer(pd.MultiIndex.from_frame(cells[list(KEY)]))
        said = Remarks(
            statut=np.zeros(len(index), dtype=np.int8),
            douteux=np.zeros(len(index), dtype=bool),
            motif=np.full(len(index), -1, dtype=np.int64),
        )
        said.statut[rows] = pd.Categorical(cells["statut"], categories=list(STATUSES)).codes
        said.douteux[rows] = cells["qualite"] == DOUBTFUL
        said.motif[rows] = motifs[cells.index]
        return said

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table; changing it leaves the set as it was."""
        if name not in self._frames:
            if name in MODELS or name == PUBLISHED:
                raise KeyError(name)
            raise UnknownNameError("nom de table", name, [*MODELS, PUBLISHED])
        return self._frames[name].copy(deep=False)

    def __contains__(self, name: object) -> bool:
        return name in self._frames

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} ({len(frame)} lignes)" for name, frame in self._frames.items())
        return f"Tables({sizes})"

    @property
    def statuts(self) -> pd.DataFrame:
        """What there is to say of single cells."""
        return self._statuts.copy(deep=False)

    @property
    def territoires(self) -> pd.DataFrame:
        """Labels and level of the territories, by code."""
        return self._territoires.copy(deep=False)


def as_tables(tables: Tables | Mapping[str, pd.DataFrame]) -> Tables:
    """Check a plain mapping of frames; a `Tables` is returned as it is."""
    return tables if isinstance(tables, Tables) else Tables(tables)


def combine(parts: Iterable[Tables]) -> Tables:
    """Merge several sets of tables into one.

    Parameters
    ----------
    parts : iterable of Tables
        Sets that may hold the same tables for other territories, years or columns.

    Returns
    -------
    Tables
        Every cell of every part.

    Raises
    ------
    FaultsError
        The same cell is given twice with different values.
    """
    sets = list(parts)
    faults: list[Fault] = []
    frames: dict[str, pd.DataFrame] = {}
    for name in dict.fromkeys(name for tables in sets for name in tables):
        merged: pd.DataFrame | None = None
        for frame in (tables[name] for tables in sets if name in tables):
            faults += [] if merged is None else _conflicts(name, merged, frame)
            merged = frame if merged is None else _fill(merged, frame)
        assert merged is not None  # the name comes from one of the sets
        frames[name] = merged
    if faults:
        raise FaultsError("tables inconciliables", faults)
    territoires = pd.concat([tables.territoires for tables in sets])
    return Tables(
        frames,
        statuts=pd.concat([tables.statuts for tables in sets]).drop_duplicates(),
        territoires=territoires[~territoires.index.duplicated()],
    )


def _fill(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Add the rows and columns of the second, keeping the order of arrival."""
    index = first.index.append(second.index.difference(first.index, sort=False))
    columns = [*first.columns, *(c for c in second.columns if c not in first.columns)]
    return first.reindex(index=index, columns=columns).fillna(
        second.reindex(index=index, columns=columns)
    )


def _conflicts(name: str, first: pd.DataFrame, second: pd.DataFrame) -> Iterator[Fault]:
    rows = first.index.intersection(second.index)
    for column in first.columns.intersection(second.columns):
        one, other = first.loc[rows, column], second.loc[rows, column]
        bad = rows[(one.notna() & other.notna() & (one != other)).to_numpy()]
        if len(bad):
            code, year = bad[0]
            yield Fault(
                f"{name}.{column}",
                f"{counted(len(bad), 'cellule')} à deux valeurs, dont {code} en {year} :"
                f" {one[bad[0]]:.10g} et {other[bad[0]]:.10g}",
                "ne garder qu'une source",
            )


def empty_statuts() -> pd.DataFrame:
    """Return the frame of statuses of a set where nothing is to be said."""
    frame = pd.DataFrame({column: pd.Series(dtype="str") for column in STATUTS_COLUMNS})
    return frame.astype({"annee": np.int64})


def _check_statuts(
    statuts: pd.DataFrame | None, frames: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    if statuts is None or statuts.empty:
        return empty_statuts()
    missing = [column for column in STATUTS_COLUMNS if column not in statuts.columns]
    if missing:
        remedy = f"donner les colonnes {', '.join(STATUTS_COLUMNS)}"
        raise TableError(
            "statuts refusés", [Fault("statuts", f"colonnes absentes : {missing}", remedy)]
        )
    checked = statuts[list(STATUTS_COLUMNS)].reset_index(drop=True)
    checked = checked.astype({"annee": np.int64})
    faults = []
    odd = checked[~checked["statut"].isin(STATUSES)]
    if len(odd):
        problem = f"inconnu : {', '.join(map(str, odd['statut'].unique()))}"
        faults.append(Fault("statut", problem, f"choisir parmi {', '.join(STATUSES)}", odd))
    for table, column, cells in _by_column(checked):
        if table not in frames:
            continue  # the table may come with another set
        if column not in frames[table].columns:
            faults.append(
                Fault("statuts", f"« {table}.{column} » inconnu", "corriger le nom", cells)
            )
            continue
        values = frames[table][column].reindex(pd.MultiIndex.from_frame(cells[list(KEY)]))
        absent = cells["statut"].to_numpy() != "ok"
        held = cells[absent & values.notna().to_numpy()]
        if len(held):
            first = held.iloc[0]
            faults.append(
                Fault(
                    f"{table}.{column}",
                    f"{counted(len(held), 'cellule')} sans valeur selon « statuts »"
                    f" ({first['statut']}) mais renseignée, dont {first['code']} en"
                    f" {first['annee']}",
                    "retirer la valeur, surtout si elle est secrète, ou le statut",
                    held,
                )
            )
    if faults:
        raise TableError("statuts refusés", faults)
    return checked


def _by_column(statuts: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for (table, column), cells in statuts.groupby(["table", "colonne"], sort=False):
        yield str(table), str(column), cells


def _check_territoires(territoires: pd.DataFrame | None) -> pd.DataFrame:
    if territoires is None:
        index = pd.Index([], name="code", dtype="str")
        return pd.DataFrame({c: pd.Series(dtype="str") for c in TERRITOIRES_COLUMNS}, index=index)
    frame = territoires.set_index("code") if "code" in territoires.columns else territoires
    if "libelle_court" not in frame.columns and "libelle" in frame.columns:
        frame = frame.assign(libelle_court=frame["libelle"])
    missing = [column for column in TERRITOIRES_COLUMNS if column not in frame.columns]
    if missing or frame.index.name != "code" or not frame.index.is_unique:
        remedy = "donner libelle et niveau, une ligne par code"
        raise TableError(
            "territoires refusés",
            [Fault("territoires", f"colonnes absentes {missing} ou code en double", remedy)],
        )
    return frame[list(TERRITOIRES_COLUMNS)]
