"""Records beyond memory: a dataset of pyarrow read as a stream, or a frame of Dask on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from barometre.base.errors import BarometreError
from barometre.cards.columns import KEY
from barometre.sources.file_report import Reading, told_empty
from barometre.sources.files.delimited import folded
from barometre.sources.files.parquet import column_texts
from barometre.sources.files.text import Found, Source
from barometre.sources.kind import Beside, Recognised, Waiting
from barometre.sources.kinds import recognise
from barometre.sources.reading import tell
from barometre.tables.table_set import Tables

if TYPE_CHECKING:
    import dask.dataframe as dd


Records: TypeAlias = "ds.Dataset | dd.DataFrame"

_ROWS = 2**16
"""Rows held at once: a stream of any length takes the memory of some of these lots."""

_BY_LOTS = ("unites", "melodi")
_WITH_STOCK = "sirene_geo"


def count_records(records: Records, name: str, *, stock: Records | None = None) -> Tables:
    """Count the rows of records by territory, whatever their number.

    Parameters
    ----------
    records : pyarrow.dataset.Dataset or dask.dataframe.DataFrame
        One row per facility (BPE), dwelling (RPLS) or establishment (geolocated Sirene), or those
        of a data set of Insee's Melodi, of which some are kept; under the columns of the producer:
        files in a folder, Parquet on storage that the cluster shares.
    name : str
        Name that the producer gives to the file (``"BPE24"``, ``"DS_RP_LOGEMENT_PRINC"``): it has
        the year, unless a column does, and the data set.
    stock : pyarrow.dataset.Dataset or dask.dataframe.DataFrame, optional
        With geolocated Sirene, the stock of establishments, which says when they were created.

    Returns
    -------
    Tables
        As `read` counts a file of these rows, territories in the order of their codes: the same to
        the last row, streamed or on a cluster.

    Raises
    ------
    BarometreError
        Neither a dataset nor a frame of Dask; columns that no family has; no stock for Sirene.
    FaultsError
        No year; codes of another form than their level.

    Warns
    -----
    SourceWarning
        What `read` says of such a file: codes given their zero back, rows counted nowhere, none.

    Notes
    -----
    A dataset is read in this process, in the memory of some lots and of what is kept. A frame of
    Dask is counted where its partitions are, by the scheduler in use (the client of the cluster, if
    there is one); counts, or the rows that are kept, alone travel. Nothing else here knows of
    machines.

    Examples
    --------
    >>> import warnings, pyarrow as pa, pyarrow.dataset as ds
    >>> rows = pa.table({"AN": ["2024"] * 2, "DEPCOM": ["59172"] * 2, "TYPEQU": ["F101", "A129"],
    ...                  "DOM": ["F", "A"], "SDOM": ["F1", "A1"]})
    >>> with warnings.catch_warnings(action="ignore"):  # their codes were seen in no real file yet
    ...     tables = count_records(ds.dataset(rows), "BPE24")
    >>> tables["equipements"]["equipements_sportifs"].to_dict()
    {('59172', 2024): 1.0}
    """
    reading = _counted(_source(records, name), stock)
    tell(told_empty(reading))
    return _in_order(reading.tables)


def _counted(source: Source, stock: Records | None) -> Reading:
    """Count by the form that recognises the columns."""
    found = source.reconnu
    if isinstance(found, Recognised) and found.genre in _BY_LOTS and stock is None:
        return found.read(source)
    if isinstance(found, Waiting) and found.genre == _WITH_STOCK:
        beside = () if stock is None else (_source(stock, "StockEtablissement"),)
        return found.read(source, Beside(Tables({}).territoires, (source, *beside)))
    if stock is not None:
        raise BarometreError(f"{source.nom} : le stock ne va qu'avec Sirene géolocalisé ; l'ôter")
    header = ", ".join(source.entete[:12])
    raise BarometreError(
        f"{source.nom} : colonnes d'aucune famille comptée ligne à ligne ({header}) ; voir"
        " families()"
    )


def _in_order(tables: Tables) -> Tables:
    """Give territories in the order of their codes: that of the rows is not always known."""
    frames = {table: tables[table].sort_index() for table in tables}
    said = tables.statuts.sort_values(list(KEY), kind="stable", ignore_index=True)
    return Tables(frames, statuts=said, territoires=tables.territoires.sort_index())


# ---- lots ---------------------------------------------------------------------------------------


def _source(records: object, name: str) -> Source:
    """Give records as a file of many lots."""
    if isinstance(records, ds.Dataset):
        names = folded(records.schema.names)
        batches = partial(_batches, records, names)
        return Source(name, names, _whole, recognise(names, name), batches)
    columns = getattr(records, "columns", None)
    if columns is None or not hasattr(records, "to_delayed"):
        kind = type(records).__name__
        raise BarometreError(f"records : {kind} ; donner un Dataset de pyarrow ou un cadre Dask")
    names = folded(map(str, columns))
    spread = partial(_spread, records, names)
    return Source(name, names, _whole, recognise(names, name), _spread=spread)


def _whole(columns: Sequence[str], most: int) -> pd.DataFrame:
    raise AssertionError("ce qui se lit par lots ne se lit pas en entier")


def _batches(records: ds.Dataset, names: Sequence[str], columns: Sequence[str]) -> Iterator[Any]:
    inside = [records.schema.names[names.index(column)] for column in columns]
    for batch in records.to_batches(columns=inside, batch_size=_ROWS, batch_readahead=2,
                                    fragment_readahead=1):  # fmt: skip
        yield _texts(pa.Table.from_batches([batch]), columns)


def _spread(
    records: dd.DataFrame,
    names: Sequence[str],
    columns: Sequence[str],
    of_lot: Callable[[Any], Found],
    added: Callable[[Iterable[Found]], Found],
) -> Found:
    """Find something in each partition, and put it together where they are."""
    from dask import bag
    from dask.delayed import delayed

    wanted = records[[records.columns[names.index(column)] for column in columns]]
    # One task reads a partition and looks at it: no worker reads ahead of what it counts.
    looked = wanted.map_partitions(
        _of_part, columns, delayed(of_lot), meta=pd.Series([], dtype=object)
    )
    whole = bag.from_delayed(looked.to_delayed()).reduction(added, added, split_every=8)
    # Delayed: without a cluster, threads and no processes. The fusion of bags fails on one part.
    found: Found = whole.to_delayed(optimize_graph=False).compute()
    return found


def _of_part(
    part: pd.DataFrame, columns: Sequence[str], of_lot: Callable[[Any], Found]
) -> pd.Series:
    lot = pa.Table.from_pandas(part, preserve_index=False)
    starts = range(0, max(lot.num_rows, 1), _ROWS)
    found = [of_lot(_texts(lot.slice(start, _ROWS), columns)) for start in starts]
    return pd.Series(found, dtype=object)


def _texts(lot: pa.Table, columns: Sequence[str]) -> pa.Table:
    texts = [column_texts(column) for column in lot.columns]
    return pa.table(dict(zip(columns, texts, strict=True)))
