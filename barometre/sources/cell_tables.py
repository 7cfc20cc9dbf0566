"""Put the cells of a file together into our tables, column by column, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.texts import Texts
from barometre.cards.columns import KEY
from barometre.tables.keys import key_index
from barometre.tables.table_set import STATUSES, STATUTS_COLUMNS, Tables


@dataclass(frozen=True)
class Part:
    """Cells of one of our columns.

    Attributes
    ----------
    table, colonne : str
        The column.
    code : Series of str
        Territory of each cell.
    annee : array of int
        Year of each cell.
    valeur, statut : arrays
        Value, and position in STATUSES of why there is none.
    motif : Texts
        Why, in words; ``""`` when nothing is said.
    """

    table: str
    colonne: str
    code: pd.Series[str]
    annee: npt.NDArray[Any]
    valeur: Floats
    statut: npt.NDArray[np.integer[Any]]
    motif: Texts


def tables_of(cells: pd.DataFrame, territoires: pd.DataFrame, nom: str) -> Tables:
    """Spread long cells into our tables, checked.

    Parameters
    ----------
    cells : DataFrame
        ``code``, ``annee``, ``table``, ``colonne``, ``valeur``, ``statut`` (position in STATUSES),
        ``motif`` (``""`` when nothing is said).
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    nom : str
        Name of the source, for the messages.

    Returns
    -------
    Tables
    """
    parts = [
        Part(
            str(table),
            str(column),
            part["code"],
            part["annee"].to_numpy(),
            part["valeur"].to_numpy(),
            part["statut"].to_numpy(),
            Texts.of(part["motif"]),
        )
        for (table, column), part in cells.groupby(["table", "colonne"], sort=False)
    ]
    return tables_of_columns(parts, territoires, nom)


def tables_of_columns(parts: Sequence[Part], territoires: pd.DataFrame, nom: str) -> Tables:
    """Put columns together into our tables, checked.

    Parameters
    ----------
    parts : sequence of Part
        Cells; a column may come in several parts.
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    nom : str
        Name of the source, for the messages.

    Returns
    -------
    Tables
    """
    columns: dict[str, dict[str, list[Part]]] = {}
    for part in parts:
        if len(part.code):
            columns.setdefault(part.table, {}).setdefault(part.colonne, []).append(part)
    frames: dict[str, pd.DataFrame] = {}
    shared: tuple[Part, pd.Index] | None = None  # tables of one file have often one key
    for table, given in columns.items():
        first = next(iter(given.values()))[0]
        known = shared[1] if shared and _same_keys(first, shared[0]) else None
        frames[table] = _wide(given, known)
        shared = (first, frames[table].index) if len(frames[table]) == len(first.code) else shared
    return Tables(frames, statuts=_said(parts), territoires=territoires, source=nom)


def _said(parts: Iterable[Part]) -> pd.DataFrame | None:
    """List what is said of the cells, if anything."""
    words: dict[str, int] = {}
    told = [(part, rows, motif) for part in parts for rows, motif in _remarks(part, words)]
    if not told:
        return None
    sizes = [len(motif) for *_, motif in told]
    order = np.repeat(np.arange(len(told), dtype=np.int32), sizes)
    said = {
        "code": pd.concat([_rows(part.code, rows) for part, rows, _ in told]).array,
        "annee": np.concatenate([part.annee[rows] for part, rows, _ in told]),
        "table": Texts(order, tuple(part.table for part, *_ in told)).written(),
        "colonne": Texts(order, tuple(part.colonne for part, *_ in told)).written(),
        "statut": Texts(
            np.concatenate([part.statut[rows] for part, rows, _ in told]), STATUSES
        ).written(),
        "qualite": None,
        "motif": Texts(np.concatenate([motif for *_, motif in told]), tuple(words)).written(),
        "origine": Texts.none(len(order)).written(),
    }
    return pd.DataFrame(said, columns=list(STATUTS_COLUMNS), copy=False)


def _remarks(
    part: Part, words: dict[str, int]
) -> Iterable[tuple[slice | Booleans, npt.NDArray[np.int64]]]:
    """Give the cells of which something is said, and the number of what, new words being added."""
    spoken = part.motif.told(lambda word: word != "")
    told = (part.statut > 0) | spoken
    if not told.any():
        return
    rows: slice | Booleans = slice(None) if told.all() else told
    number = part.motif.mapped(lambda word: words.setdefault(word, len(words)) if word else -1, -1)
    yield rows, number[rows]


def _rows(codes: pd.Series[str], rows: slice | Booleans) -> pd.Series[str]:
    return codes if isinstance(rows, slice) else codes[rows]


def _wide(columns: Mapping[str, Sequence[Part]], known: pd.Index | None) -> pd.DataFrame:
    """One row per territory and year, territories as received; their index may be known."""
    first = next(iter(columns.values()))[0]
    if all(len(parts) == 1 and _same_keys(parts[0], first) for parts in columns.values()):
        values = {name: parts[0].valeur for name, parts in columns.items()}
        index = _index(first) if known is None else known
        return pd.DataFrame(values, index)
    keyed = {
        name: pd.concat([pd.Series(part.valeur, _index(part)) for part in parts])
        for name, parts in columns.items()
    }
    if not all(values.index.is_unique for values in keyed.values()):
        # The door names the keys given twice.
        return pd.concat([v.to_frame(name) for name, v in keyed.items()])
    keys = pd.concat(
        [values.index.to_frame(index=False) for values in keyed.values()]
    ).drop_duplicates()
    index = key_index(keys["code"], keys["annee"])
    return pd.DataFrame({name: values.reindex(index) for name, values in keyed.items()})


def _index(part: Part) -> pd.MultiIndex:
    years = pd.Series(part.annee, index=part.code.index, name=KEY[1])
    return key_index(part.code.rename(KEY[0]), years)


def _same_keys(part: Part, first: Part) -> bool:
    """Compare keys as they stand: to index those of each column takes ten times longer."""
    if len(part.code) != len(first.code):
        return False
    own: Any = part.code.array
    other: Any = first.code.array
    codes = own is other or (own.dtype == other.dtype and own.equals(other))
    years, others = part.annee, first.annee
    return codes and (
        years is others or (years.dtype == others.dtype and bool((years == others).all()))
    )
