"""Read delimited and Parquet files lot by lot: a file of 2 GB in the memory of one lot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import pandas as pd
import pyarrow as pa

from barometre.base.errors import BarometreError
from barometre.sources.files.delimited import Header, is_utf8
from barometre.sources.files.parquet import column_texts, open_parquet

Opening = Callable[[], IO[bytes]]

_BLOCK = 2**20  # pyarrow reads some forty of them ahead
_ROWS = 2**16


def of_frame(texts: pd.DataFrame) -> Any:
    """Give a frame of texts as the only lot of its source."""
    return pa.Table.from_pandas(texts, preserve_index=False)


def csv_batches(
    nom: str, opening: Opening, header: Header, columns: Sequence[str]
) -> Iterator[Any]:
    """Yield the columns of a delimited file, encoded in UTF-8 or one byte a character."""
    from pyarrow import csv

    fields = [str(i) for i in range(max(header.fields, len(header.names)))]
    wanted = [str(header.names.index(column)) for column in columns]
    with opening() as file:
        start = file.read(_BLOCK)
    encoding = "utf8" if is_utf8(start, whole=False) else "cp1252"
    if (
        len(start) < _BLOCK
        and not b"".join(start.split(b"\n", header.lines)[header.lines :]).strip()
    ):
        return  # a header and no row
    with opening() as file:
        for _ in range(header.lines):
            file.readline()
        try:
            reader = csv.open_csv(
                file,
                csv.ReadOptions(
                    block_size=_BLOCK,
                    column_names=fields,
                    encoding=encoding,
                ),
                csv.ParseOptions(delimiter=header.separator),
                csv.ConvertOptions(
                    include_columns=wanted,
                    column_types=dict.fromkeys(wanted, pa.large_string()),
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                yield pa.Table.from_batches([batch]).rename_columns(list(columns))
        except pa.ArrowInvalid as error:
            cause = str(error).split("\n")[0][:200]
            raise BarometreError(
                f"{nom} : lignes sans le nombre de colonnes de l'en-tête ({header.fields}), ou"
                f" autre encodage ({cause}) ; le télécharger à nouveau"
            ) from error


def parquet_batches(
    opening: Opening, names: Sequence[str], columns: Sequence[str]
) -> Iterator[Any]:
    """Yield the columns of a Parquet file, as texts."""
    with opening() as stream:
        file = open_parquet(stream)
        inside = [file.schema_arrow.names[names.index(column)] for column in columns]
        for batch in file.iter_batches(_ROWS, columns=inside):
            lot = pa.Table.from_batches([batch])
            texts = [column_texts(lot.column(name)) for name in inside]
            yield pa.table(dict(zip(columns, texts, strict=True)))
