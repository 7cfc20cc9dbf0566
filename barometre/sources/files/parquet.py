"""Read Parquet files as texts, and write the values of any container as such."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import IO, Any

import pandas as pd
import pyarrow as pa

from barometre.sources.files import limits
from barometre.sources.files.delimited import as_frame, folded

_BATCH = 2**16


def as_text(value: Any) -> str:
    """Write a cell as a person would have typed it: no ``.0``, ISO dates, VRAI and FAUX."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, bool):
        return "VRAI" if value else "FAUX"
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() else repr(float(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value.decode() if isinstance(value, bytes) else str(value)


def open_parquet(stream: IO[bytes]) -> Any:
    """Open a Parquet file; the module is loaded with the first one, not with the library."""
    from pyarrow.parquet import ParquetFile

    return ParquetFile(stream)


def parquet_names(stream: IO[bytes]) -> tuple[str, ...]:
    """Give the names of the columns of a Parquet file."""
    return folded(open_parquet(stream).schema_arrow.names)


def parquet_columns(
    nom: str, stream: IO[bytes], positions: Sequence[int], columns: Sequence[str], most: int
) -> pd.DataFrame:
    """Read columns of a Parquet file, of so many rows at most; all are kept."""
    file = open_parquet(stream)
    limits.refuse_rows(nom, file.metadata.num_rows, most)
    names = [file.schema_arrow.names[position] for position in positions]
    texts: list[list[Any]] = [[] for _ in names]
    weight = 0
    for batch in file.iter_batches(_BATCH, columns=names):
        lot = pa.Table.from_batches([batch])
        for column, name in zip(texts, names, strict=True):
            chunks = column_texts(lot.column(name)).chunks
            weight += sum(chunk.nbytes for chunk in chunks)
            column += chunks
        limits.refuse_heavy(nom, weight)
    cells = (pa.chunked_array(chunks, pa.large_string()).to_pandas() for chunks in texts)
    return as_frame(list(cells), columns)


def column_texts(column: Any) -> Any:
    """Write an Arrow column as texts, each distinct value once; empty where there is none."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column.validate(full=True)  # a damaged file may hold bytes that are no text
        return column.cast(pa.large_string()).fill_null("")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    pieces = []
    for chunk in column.chunks:
        texts = pa.array([as_text(value.as_py()) for value in chunk.dictionary], pa.large_string())
        pieces.append(texts.take(chunk.indices).fill_null(""))
    return pa.chunked_array(pieces, pa.large_string())
