"""Records beyond memory: a dataset of pyarrow read as a stream, or a frame of Dask on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from barometre.base.errors import BarometreError
from barometre.sources.cell_tables import tables_of_columns
from barometre.sources.files.parquet import column_texts
from barometre.sources.forms.units.counts import counts_of
from barometre.sources.forms.units.tally import KEYS, Plan, Tally, plan_of, summed, tally
from barometre.sources.forms.units.unit_family import find_unit_family
from barometre.tables.table_set import Tables

if TYPE_CHECKING:
    import dask.dataframe as dd

_ROWS = 2**16
"""Rows held at once: a stream of any length takes the memory of some of these lots."""


def count_records(records: ds.Dataset | dd.DataFrame, name: str) -> Tables:
    """Count the rows of records by territory, whatever their number.

    Parameters
    ----------
    records : pyarrow.dataset.Dataset or dask.dataframe.DataFrame
        One row per facility (BPE), dwelling (RPLS) or establishment (geolocated Sirene), under the
        columns of the producer: files in a folder, Parquet on storage that the cluster shares.
    name : str
        Name that the producer gives to the file (``"BPE24"``): it has the year, unless a column
        does.

    Returns
    -------
    Tables
        As `read` counts a file of these rows, territories in the order of their codes: the same to
        the last row, streamed or on a cluster.

    Raises
    ------
    BarometreError
        Neither a dataset nor a frame of Dask; columns that no family has.
    FaultsError
        No year; codes of another form than their level.

    Notes
    -----
    A dataset is read in this process, in the memory of some lots. A frame of Dask is counted where
    its partitions are, by the scheduler in use (the client of the cluster, if there is one); counts
    alone travel. Nothing else here knows of machines.

    Examples
    --------
    >>> import pyarrow as pa, pyarrow.dataset as ds
    >>> rows = pa.table({"AN": ["2024"] * 2, "DEPCOM": ["59172"] * 2, "TYPEQU": ["F101", "A129"],
    ...                  "DOM": ["F", "A"], "SDOM": ["F1", "A1"]})
    >>> tables = count_records(ds.dataset(rows), "BPE24")
    >>> tables["equipements"]["equipements_sportifs"].to_dict()
    {('59172', 2024): 1.0}
    """
    header = records.schema.names if isinstance(records, ds.Dataset) else _columns(records)
    family = find_unit_family(header)
    if family is None:
        raise BarometreError(
            f"{name} : colonnes d'aucune famille comptée ligne à ligne ({', '.join(header[:12])}) ;"
            " voir families()"
        )
    plan = plan_of(family, header, name, name)
    if isinstance(records, ds.Dataset):
        batches = records.to_batches(columns=plan.colonnes, batch_size=_ROWS, batch_readahead=2,
                                     fragment_readahead=1)  # fmt: skip
        lots = (_texts(pa.Table.from_batches([batch])) for batch in batches)
        total = summed(plan, (tally(plan, lot) for lot in lots))
    else:
        from dask.delayed import delayed

        parts = [delayed(_counted)(plan, part) for part in records[plan.colonnes].to_delayed()]
        total = delayed(summed)(plan, parts).compute()
    ordered = total.counted.sort_by([(name, "ascending") for name in KEYS])
    counts = counts_of(family, Tally(ordered, total.rows), name)
    return tables_of_columns(counts.parts, counts.territoires, name)


def _columns(records: object) -> list[str]:
    names = getattr(records, "columns", None)
    if names is None or not hasattr(records, "to_delayed"):
        kind = type(records).__name__
        raise BarometreError(f"records : {kind} ; donner un Dataset de pyarrow ou un cadre Dask")
    return [str(name) for name in names]


def _texts(lot: pa.Table) -> pa.Table:
    return pa.table({name: column_texts(lot.column(name)) for name in lot.column_names})


def _counted(plan: Plan, part: pd.DataFrame) -> Tally:
    return tally(plan, _texts(pa.Table.from_pandas(part, preserve_index=False)))
