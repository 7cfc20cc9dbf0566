"""The set of tables that `compute` takes: checked frames, why cells are absent, who is who."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.arrays import Booleans, Integers, RowNumbers
from barometre.base.errors import (
    BarometreError,
    Fault,
    FaultsError,
    TableError,
    UnknownNameError,
    counted,
)
from barometre.base.frames import check_frame
from barometre.base.french import format_number
from barometre.base.texts import Texts
from barometre.cards.columns import KEY, MODELS
from barometre.tables.check import PUBLISHED, check_table
from barometre.tables.keys import appended, is_unique

Status = Literal["ok", "secret", "non_disponible", "non_defini", "sans_objet"]
STATUSES: tuple[Status, ...] = ("ok", "secret", "non_disponible", "non_defini", "sans_objet")

DOUBTFUL = "douteux"
"""Quality of a value kept as printed although it is contradicted elsewhere."""

ESTIMATED = "estime"
"""Quality of a cell that is neither counted nor published, but estimated from others."""

DEDUCED = "deduit"
"""Origin of a cell that is not printed, but deduced from a printed value and its evolution."""

STATUTS_COLUMNS = ("code", "annee", "table", "colonne", "statut", "qualite", "motif", "origine")
OPTIONAL_STATUTS = ("origine",)
_STATUSES = "statuts refusés"
_TERRITORIES = "territoires refusés"
RESULT_COLUMNS = (
    "code", "annee", "indicateur", "valeur", "statut", "borne_inf", "borne_sup", "qualite",
    "origine", "note",
)  # fmt: skip
"""Columns of the tidy results: a file that has them all is no source."""
TERRITOIRES_COLUMNS = ("libelle", "libelle_court", "niveau")


Positions = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Remarks:
    """What is said of the cells of one column, row by row.

    Attributes
    ----------
    statut : array of int8
        Position in `STATUSES` of the reason for an absent value; 0 when none is given.
    douteux, estime, deduit : array of bool
        The value is doubtful, is an estimate, is deduced from others.
    motif : array of int64
        Position of the reason in `Tables.motifs`; -1 when nothing is said.
    """

    statut: Positions
    douteux: Booleans
    estime: Booleans
    deduit: Booleans
    motif: Integers

    @functools.cached_property
    def rows(self) -> RowNumbers:
        """The rows of which something is said."""
        marked = self.douteux | self.estime | self.deduit
        return np.flatnonzero(marked | (self.statut != 0) | (self.motif >= 0))

    def take(self, rows: RowNumbers) -> Remarks:
        """Bring the remarks on other rows; -1 is a row of which nothing is said."""
        found = rows >= 0
        return Remarks(
            statut=np.where(found, self.statut[rows], 0).astype(np.int8),
            douteux=found & self.douteux[rows],
            estime=found & self.estime[rows],
            deduit=found & self.deduit[rows],
            motif=np.where(found, self.motif[rows], -1),
        )


class Tables(Mapping[str, pd.DataFrame]):
    """An immutable set of checked tables.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Tables by name (``"logements"``, ``"activite"``..., and ``"publies"`` for the values that
        a producer only publishes as rates or medians: one column per indicator).
    statuts : DataFrame, optional
        What there is to say of single cells, one row each: ``code``, ``annee``, ``table``,
        ``colonne``, ``statut`` (``ok`` for a cell that has a value), ``qualite`` (``"douteux"``,
        ``"estime"`` or missing) and ``motif``, the reason in words. ``origine``, if it is there, is
        ``"deduit"`` for a cell that others give, else missing.
    territoires : DataFrame, optional
        ``libelle``, ``niveau`` and, when there is one, ``libelle_court`` of the territories,
        indexed by ``code``.
    source : str, optional
        Where the frames come from (a file), for the messages.
    part : bool, default False
        The frames are some territories of a whole (`DaskTables`): the scale of a column, which all
        of them tell together, is not judged.

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
        source: str | None = None,
        part: bool = False,
    ) -> None:
        self.part = part
        self._frames: dict[str, pd.DataFrame] = {}
        refused: dict[str, TableError] = {}
        sound: pd.Index | None = None
        for name, frame in frames.items():
            try:
                checked = check_table(name, frame, source, scale=not part, sound=sound)
                self._frames[name], sound = checked, checked.index
            except TableError as error:
                refused[name] = error
        if len(refused) == 1:
            raise next(iter(refused.values()))
        if refused:
            title = f"tables {', '.join(refused)} refusées" + (f" ({source})" if source else "")
            faults = [(name, fault) for name, error in refused.items() for fault in error.defauts]
            raise TableError(title, [replace(f, lieu=f"{name}, {f.lieu}") for name, f in faults])
        self._statuts, places = _check_statuts(statuts, self._frames)
        self._territoires = _check_territoires(territoires)
        self._add_rows_told_of(places)
        motifs = Texts.of(self._statuts["motif"])
        self._motifs = motifs.known
        self._remarks = self._all_remarks(motifs.positions.astype(np.int64), places)

    def remarks(self, table: str, column: str) -> Remarks | None:
        """Return what is said of a column.

        Parameters
        ----------
        table, column : str
            Name of the table, and of its column.

        Returns
        -------
        Remarks or None
            On the rows of the table; None where nothing is said.
        """
        return self._remarks.get((table, column))

    def index_of(self, table: str) -> pd.MultiIndex:
        """Return the keys of a table.

        Parameters
        ----------
        table : str
            Name of a table that is there.

        Returns
        -------
        MultiIndex
            ``code`` and ``annee``.
        """
        index = self._frames[table].index
        assert isinstance(index, pd.MultiIndex)  # so checked at the door
        return index

    @property
    def motifs(self) -> list[str]:
        """The reasons given in ``statuts``."""
        return list(self._motifs)

    def _add_rows_told_of(self, places: dict[str, _Told]) -> None:
        """Give a row to a territory whose table only says why it is absent."""
        for table, told in places.items():
            absent = told.rows[told.places < 0]
            if len(absent):
                cells = self._statuts[list(KEY)].iloc[absent]
                new = pd.MultiIndex.from_frame(cells.drop_duplicates())
                frame = self._frames[table].reindex(self._frames[table].index.append(new))
                self._frames[table] = frame
                told.places[told.places < 0] = places_in(
                    self.index_of(table), cells["code"], cells["annee"]
                )

    def _all_remarks(
        self, motifs: Integers, places: Mapping[str, _Told]
    ) -> dict[tuple[str, str], Remarks]:
        """Bring what is said on the rows of the tables, column by column."""
        said = self._statuts
        if said.empty:
            return {}
        reasons = Texts.of(said["statut"]).places(STATUSES).astype(np.int8)
        marks = [
            _is(said[name], word)
            for name, word in (("qualite", DOUBTFUL), ("qualite", ESTIMATED), ("origine", DEDUCED))
        ]
        remarks: dict[tuple[str, str], Remarks] = {}
        for table, column, rows, at in _by_column(places):
            index = self.index_of(table)
            flags = np.zeros((len(marks), len(index)), dtype=bool)
            flags[:, at] = [mark[rows] for mark in marks]
            status = np.zeros(len(index), dtype=np.int8)
            motif = np.full(len(index), -1, dtype=np.int64)
            status[at], motif[at] = reasons[rows], motifs[rows]
            doubtful, estimated, deduced = flags
            remarks[table, column] = Remarks(status, doubtful, estimated, deduced, motif)
        return remarks

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


def combine(
    parts: Iterable[Tables],
    names: Sequence[str] = (),
    *,
    same: Literal["refuse", "recent"] = "refuse",
) -> Tables:
    """Merge several sets of tables into one, in time proportional to their size.

    Parameters
    ----------
    parts : iterable of Tables
        Sets that may hold the same tables for other territories, years or columns.
    names : sequence of str, optional
        Where each set comes from, for the message.
    same : {"refuse", "recent"}, default "refuse"
        A cell given with two values: refused, or that of the first set that has one (give the
        most recent first).

    Returns
    -------
    Tables
        Every cell of every part; a cell absent from one part and known in another is known.

    Raises
    ------
    BarometreError
        No set, or not as many names as sets.
    FaultsError
        The same cell is given twice with different values; the two sources are named.
    UnknownNameError
        A rule that there is not.
    """
    if same not in ("refuse", "recent"):
        raise UnknownNameError("valeur de same", str(same), ("refuse", "recent"))
    sets = list(parts)
    if not sets or (names and len(names) != len(sets)):
        both = f"{counted(len(names), 'nom')} pour {counted(len(sets), 'jeu', 'jeux')} de tables"
        problem = both if sets else "rien à réunir"
        raise BarometreError(f"{problem} ; donner des Tables, et un nom par jeu ou aucun")
    if len(sets) == 1:
        return sets[0]  # checked when it was made
    sources = list(names) or [f"source n° {i}" for i in range(1, len(sets) + 1)]
    faults: list[Fault] = []
    frames: dict[str, pd.DataFrame] = {}
    for table in dict.fromkeys(table for tables in sets for table in tables):
        given = [(tables._frames[table], name) for tables, name in zip(sets, sources, strict=True)
                 if table in tables]  # fmt: skip
        frames[table], found = _merged(table, given, check=same == "refuse")
        faults += found
    if faults:
        raise FaultsError("sources inconciliables", faults)
    territoires = pd.concat([tables._territoires for tables in sets])
    statuts = pd.concat([tables._statuts for tables in sets]).drop_duplicates()
    return Tables(
        frames,
        statuts=_still_true(statuts, frames),
        territoires=_named(territoires),
    )


def _named(territoires: pd.DataFrame) -> pd.DataFrame:
    """Keep the first row of each territory, with the first label that is not its code."""
    first = territoires[~territoires.index.duplicated()]
    labelled = territoires[territoires["libelle"] != territoires.index]
    labels = labelled[~labelled.index.duplicated()].reindex(first.index)
    names = ["libelle", "libelle_court"]
    bare = (first["libelle"] == first.index) & labels["libelle"].notna()
    return first.assign(**{name: first[name].mask(bare, labels[name]) for name in names})


def _merged(
    table: str, given: Sequence[tuple[pd.DataFrame, str]], *, check: bool
) -> tuple[pd.DataFrame, list[Fault]]:
    """Merge the frames of a table, rows and columns in the order of arrival."""
    if len(given) == 1:
        return given[0][0], []
    keys = appended([cast(pd.MultiIndex, frame.index) for frame, _ in given])  # so checked
    stacked = pd.concat([frame for frame, _ in given], ignore_index=True).set_axis(keys)
    twice = stacked.index.duplicated(keep=False)
    if not twice.any():
        return stacked, []
    rows = stacked[twice]
    origins = np.repeat(np.arange(len(given)), [len(frame) for frame, _ in given])[twice]
    faults = [*_conflicts(table, rows, origins, [name for _, name in given])] if check else []
    first = rows.groupby(level=list(KEY), sort=False).first()  # the first known value
    merged = stacked[~stacked.index.duplicated()]
    values = merged.to_numpy(copy=True)
    values[merged.index.get_indexer(first.index)] = first.to_numpy()
    return pd.DataFrame(values, index=merged.index, columns=merged.columns), faults


def _conflicts(
    table: str, rows: pd.DataFrame, origins: Integers, names: Sequence[str]
) -> Iterator[Fault]:
    """Find cells given with two values; the last printed digit may differ."""
    groups = rows.groupby(level=list(KEY), sort=False)
    lows, highs = groups.min(), groups.max()
    for column in rows.columns:
        low, high = lows[column].to_numpy(), highs[column].to_numpy()
        differ = ~(np.isnan(low) | np.isclose(low, high, rtol=1e-6, atol=0))
        if not differ.any():
            continue
        code, year = lows.index[int(np.flatnonzero(differ)[0])]
        here = np.flatnonzero((rows.index == (code, year)) & rows[column].notna().to_numpy())
        cells = rows[column].to_numpy()[here]
        other = int(np.flatnonzero(~np.isclose(cells, cells[0], rtol=1e-6, atol=0))[0])
        yield Fault(
            f"{table}.{column}",
            f"{counted(int(differ.sum()), 'cellule')} à deux valeurs, dont {code} en {year}"
            f" : {format_number(cells[0])} ({names[origins[here[0]]]}) et"
            f" {format_number(cells[other])} ({names[origins[here[other]]]})",
            'ne garder qu\'une source, ou la plus récente (same="recent", --same recent)',
        )


def _still_true(statuts: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Leave out the reason of an absent cell that another source gives."""
    kept = np.ones(len(statuts), dtype=bool)
    absent = (statuts["statut"] != "ok").to_numpy(bool)
    for table, column, rows, at in _by_column(_places(statuts, frames)):
        if column in frames[table].columns:
            kept[rows[_known(frames[table][column])[at] & absent[rows]]] = False
    return statuts[kept]


def empty_statuts() -> pd.DataFrame:
    """Return the frame of statuses of a set where nothing is to be said."""
    return _nothing_said().copy(deep=False)


@functools.cache
def _nothing_said() -> pd.DataFrame:
    frame = pd.DataFrame({column: pd.Series(dtype="str") for column in STATUTS_COLUMNS})
    return frame.astype({"annee": np.int64})


def _check_statuts(
    statuts: pd.DataFrame | None, frames: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, dict[str, _Told]]:
    if statuts is None or statuts.empty:
        return empty_statuts(), {}
    needed = [column for column in STATUTS_COLUMNS if column not in OPTIONAL_STATUTS]
    check_frame(statuts, _STATUSES, needed, error=TableError)
    checked = statuts.reindex(columns=list(STATUTS_COLUMNS)).reset_index(drop=True)
    faults = [*_key_faults(checked)]
    if faults:
        raise TableError(_STATUSES, faults)
    checked = checked.astype({"annee": np.int64, "origine": "str"})
    origins, reasons = Texts.of(checked["origine"]), Texts.of(checked["statut"])
    wrong = origins.told(lambda origin: origin != DEDUCED)
    if wrong.any():
        odd = checked[wrong]
        names = ", ".join(map(str, odd["origine"].unique()))
        remedy = f"écrire « {DEDUCED} », ou laisser vide"
        faults.append(Fault("origine", f"inconnue : {names}", remedy, odd))
    wrong = reasons.places(STATUSES) < 0
    if wrong.any():
        odd = checked[wrong]
        problem = f"inconnu : {', '.join(map(str, odd['statut'].unique()))}"
        faults.append(Fault("statut", problem, f"choisir parmi {', '.join(STATUSES)}", odd))
    absent = ~reasons.told(lambda reason: reason == "ok")
    places = _places(checked, frames)
    for table, column, rows, at in _by_column(places):
        if column not in frames[table].columns:
            problem = f"« {table}.{column} » inconnu"
            faults.append(Fault("statuts", problem, "corriger le nom", checked.iloc[rows]))
            continue
        filled = absent[rows] & _known(frames[table][column])[at]
        if filled.any():
            held = checked.iloc[rows[filled]]
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
        raise TableError(_STATUSES, faults)
    return checked, places


def _key_faults(statuts: pd.DataFrame) -> Iterator[Fault]:
    """Find the rows that do not say of which cell they are: its status would be lost."""
    for name in ("table", "colonne", "code"):
        cells = statuts[name]
        empty = cells.isna()
        if empty.any():
            problem = counted(int(empty.sum()), "cellule vide", "cellules vides")
            yield Fault(name, problem, "dire de quelle cellule il s'agit", statuts[empty])
        if cells.dtype == "str":
            continue
        odd = ~empty & ~np.array([isinstance(cell, str) for cell in cells], dtype=bool)
        if odd.any():
            first = cells[odd].iloc[0]
            problem = f"{counted(int(odd.sum()), 'cellule')} sans texte ({first})"
            problem += ", zéro initial perdu ?" if name == "code" else ""
            remedy = "lire les codes comme des textes" if name == "code" else "écrire un nom"
            yield Fault(name, problem, remedy, statuts[odd])
    years = pd.to_numeric(statuts["annee"], errors="coerce")
    wrong = years.isna() | (years % 1 != 0)
    if wrong.any():
        problem = f"{counted(int(wrong.sum()), 'cellule')} sans année entière"
        problem += f" ({statuts.loc[wrong, 'annee'].iloc[0]})"
        yield Fault("annee", problem, "écrire l'année des données", statuts[wrong])


def places_in(index: pd.MultiIndex, codes: pd.Series, years: pd.Series) -> RowNumbers:
    """Give the rows of some keys in a table, -1 for those that it has not.

    Parameters
    ----------
    index : MultiIndex
        Keys of the table (``code``, ``annee``), no two alike.
    codes, years : Series
        Keys looked for.

    Returns
    -------
    ndarray of int
    """
    known = [index.levels[index.names.index(name)] for name in KEY]
    number = len(known[1])
    if len(known[0]) * number > 4 * len(index) + 10_000:  # few of the keys there may be
        wanted = pd.MultiIndex.from_arrays([codes, years], names=list(KEY))
        return np.asarray(index.get_indexer(wanted), dtype=np.intp)
    code, year = _numbered(known[0], codes), _numbered(known[1], years)
    own = [np.asarray(index.codes[index.names.index(name)], dtype=np.intp) for name in KEY]
    rows = np.full(max(len(known[0]) * number, 1), -1, dtype=np.intp)
    rows[own[0] * number + own[1]] = np.arange(len(index))
    known_both = (code >= 0) & (year >= 0)
    return np.where(known_both, rows[np.where(known_both, code * number + year, 0)], -1)


def _numbered(level: pd.Index, words: pd.Series) -> RowNumbers:
    """Give the position of each word in a level, asked once a word."""
    if level.dtype == words.dtype == "str":
        return _found(pa.array(words.array, type=pa.large_string()),
                      pa.array(level.array, type=pa.large_string()))  # fmt: skip
    row, known = pd.factorize(words)
    return np.asarray(level.get_indexer(pd.Index(known))[row], dtype=np.intp)


def _places_among(cells: Any, known: Any) -> RowNumbers:
    """Give the position of each text among others; they are mostly these, in the same order."""
    whole = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
    if cells.equals(whole):
        return np.arange(len(cells))
    at = pc.index_in(cells, value_set=whole, skip_nulls=True).fill_null(-1)
    return np.asarray(at.to_numpy(zero_copy_only=False), dtype=np.intp)


def _found(cells: Any, known: Any) -> RowNumbers:
    """Give the position of each text among others; a piece that comes again is looked at once."""
    pieces = cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]
    seen: dict[tuple[int, ...], RowNumbers] = {}
    parts = []
    for piece in pieces:
        held = (buffer.address if buffer else 0 for buffer in piece.buffers())
        place = (*held, piece.offset, len(piece))
        if place not in seen:
            seen[place] = _places_among(piece, known)
        parts.append(seen[place])
    return np.concatenate(parts) if parts else np.zeros(0, np.intp)


@dataclass(frozen=True)
class _Told:
    """The rows of ``statuts`` that are of one table, and where their keys are in it (-1: nowhere).

    ``columns`` gives, by column of the table, positions in these.
    """

    rows: RowNumbers
    places: RowNumbers
    columns: Mapping[str, RowNumbers]


def _places(statuts: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> dict[str, _Told]:
    """Find the keys of the remarks in the tables; a table may come with another set."""
    found, tables, columns = {}, Texts.of(statuts["table"]), Texts.of(statuts["colonne"])
    for number, table in enumerate(tables.known):
        if table not in frames:
            continue
        rows, index = np.flatnonzero(tables.positions == number), frames[table].index
        assert isinstance(index, pd.MultiIndex)  # so checked at the door
        keys = statuts[list(KEY)]
        keys = keys if len(rows) == len(keys) else keys.iloc[rows]
        of, words = pd.factorize(columns.positions[rows])
        named = {
            columns.known[word]: np.flatnonzero(of == n)
            for n, word in enumerate(words)
            if word >= 0
        }
        found[table] = _Told(rows, places_in(index, keys["code"], keys["annee"]), named)
    return found


def _is(cells: pd.Series, word: str) -> Booleans:
    """Tell the cells that are a word; most columns of marks are empty."""
    if not cells.notna().any():
        return np.zeros(len(cells), dtype=bool)
    return (cells == word).to_numpy(bool)


def _by_column(
    places: Mapping[str, _Told],
) -> Iterator[tuple[str, str, RowNumbers, RowNumbers]]:
    """Give the rows of the remarks of each table and column, and the rows they are of."""
    for table, told in places.items():
        for column, mine in told.columns.items():
            yield table, column, told.rows[mine], told.places[mine]


def _known(column: pd.Series) -> Booleans:
    """Tell the rows that have a value, and of none (-1) that it has not."""
    return np.append(column.notna().to_numpy(bool), np.zeros(1, dtype=bool))


def _check_territoires(territoires: pd.DataFrame | None) -> pd.DataFrame:
    if territoires is None:
        index = pd.Index([], name="code", dtype="str")
        return pd.DataFrame({c: pd.Series(dtype="str") for c in TERRITOIRES_COLUMNS}, index=index)
    check_frame(territoires, _TERRITORIES, error=TableError)
    frame = territoires.set_index("code") if "code" in territoires.columns else territoires
    if "libelle_court" not in frame.columns and "libelle" in frame.columns:
        frame = frame.assign(libelle_court=frame["libelle"])
    check_frame(frame, _TERRITORIES, TERRITOIRES_COLUMNS, error=TableError)
    if frame.index.name != "code" or not is_unique(frame.index):
        remedy = "donner libelle et niveau, une ligne par code"
        raise TableError(_TERRITORIES, [Fault("code", "absent, ou en double", remedy)])
    return frame[list(TERRITOIRES_COLUMNS)]
