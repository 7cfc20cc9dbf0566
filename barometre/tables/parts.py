"""One part of tables that are spread: looked at where it is, refused with all the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pandas as pd

from barometre.base.errors import TableError
from barometre.cards.columns import KEY
from barometre.tables.check import check_table, may_be_off_scale
from barometre.tables.table_set import Tables

Frames: TypeAlias = dict[str, pd.DataFrame]
Suspects: TypeAlias = dict[str, list[str]]
"""Columns whose scale is in doubt, by table."""

STATUTS, TERRITOIRES = "_statuts", "_territoires"
"""Names, among the frames of a part, of those that are no tables."""


@dataclass(frozen=True)
class Shown:
    """What a part shows: that it has a fault, or the highest value of columns, and what was sought.

    An empty part shows nothing.
    """

    faulty: bool = False
    highest: Mapping[tuple[str, str], float] = field(default_factory=dict)
    found: Any = None


@dataclass(frozen=True)
class Rows:
    """The rows of a part that tell its faults: of tables; else those of statuses, and of cells."""

    tables: Frames
    told: Frames


def keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a part as columns, in the order of codes and years, texts as pandas's."""
    plain = frame.reset_index(drop=frame.index.name != "code")
    texts = {c: "str" for c, kind in plain.dtypes.items() if isinstance(kind, pd.StringDtype)}
    plain = plain.astype(texts)
    order = [name for name in KEY if name in plain.columns]
    try:
        return plain.sort_values(order, kind="stable", ignore_index=True) if order else plain
    except TypeError:  # texts and numbers side by side: refused when they are checked
        return plain


def tables_of_part(frames: Frames) -> Tables:
    """Check the tables of a part; what only all parts show is not judged."""
    places = frames.get(TERRITOIRES)
    return Tables(_tables(frames), statuts=frames[STATUTS], territoires=places, part=True)


def _tables(frames: Frames) -> Frames:
    return {name: frame for name, frame in frames.items() if name not in (STATUTS, TERRITOIRES)}


def looked_at(frames: Frames, *, find: Callable[..., Any], **options: Any) -> Shown:
    """Check a part, and find something in it."""
    try:
        tables = tables_of_part(frames)
    except TableError:
        numbers = {name: f.select_dtypes("number") for name, f in _tables(frames).items()}
        return Shown(faulty=True, highest=highest(numbers))
    return Shown(highest=highest(tables), found=find(tables, **options))


def highest(tables: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str], float]:
    """Give the highest value of each column."""
    tops = {(name, str(c)): v for name in tables for c, v in tables[name].max().items()}
    return {column: float(value) for column, value in tops.items() if pd.notna(value)}


def refused(shown: Iterable[Shown]) -> Suspects | None:
    """Say which columns must be seen whole; None when no part has a fault and none must be."""
    faulty, tops = False, dict[tuple[str, str], float]()
    for part in shown:
        faulty |= part.faulty
        for cells, value in part.highest.items():
            tops[cells] = max(tops.get(cells, value), value)
    suspects: Suspects = {}
    for (name, column), value in tops.items():
        if may_be_off_scale(name, column, value):
            suspects.setdefault(name, []).append(column)
    return suspects if faulty or suspects else None


def gathered_rows(frames: Frames, *, suspects: Suspects) -> Rows:
    """Gather the rows that tell the faults of a part, and the columns that are in doubt."""
    found: Frames = {}
    bad = False
    for name, frame in _tables(frames).items():
        rows = frame.iloc[:0]
        try:
            check_table(name, frame, scale=False)
        except TableError as error:
            found[name] = rows = frame[_of(frame, error.lignes)]
            bad = True
        columns = [c for c in suspects.get(name, ()) if c in frame]
        if columns:
            rest = frame.loc[~frame.index.isin(rows.index), [*KEY, *columns]]
            found[name] = pd.concat([rows, rest.dropna(subset=columns, how="all")]).sort_index()
    told: Frames = {}
    if not bad:
        try:
            tables_of_part(frames)
        except TableError as error:
            said = frames[STATUTS]
            told[STATUTS] = said.iloc[error.lignes.index.unique()]
            keys = told[STATUTS].set_index(list(KEY))
            told |= {name: f[_of(f, keys)] for name, f in _tables(frames).items()}
    return Rows(found, told)


def _of(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Tell the rows whose keys are among some."""
    if not len(rows) or any(name not in frame for name in KEY):
        return pd.Series(False, frame.index)
    return pd.Series(pd.MultiIndex.from_frame(frame[list(KEY)]).isin(rows.index), frame.index)
