"""Which files the values come from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from barometre.base.frames import check_frame
from barometre.cards.listing import indicator_card
from barometre.tables.table_set import Tables


def files_of(results: pd.DataFrame, parts: Sequence[tuple[str, Tables]]) -> pd.Series[str]:
    """Name the files that hold the inputs of each value.

    Parameters
    ----------
    results : DataFrame
        Results of `compute`: ``code, annee, indicateur, origine``.
    parts : sequence of (str, Tables)
        What each file gave (`FilesRead.parts`).

    Returns
    -------
    Series of str
        One text a row, names separated by ``" ; "``: the files in which a column that the card
        names has a value, or a reason for having none, at that code and year; for a value
        published or deduced from what is, those that publish it. Empty where no file holds any.
    """
    check_frame(results, "résultats refusés", ("code", "annee", "indicateur", "origine"))
    names: list[list[str]] = [[] for _ in range(len(results))]
    published = (results["origine"] != "calcule").to_numpy()
    for indicator, rows in results.reset_index(drop=True).groupby("indicateur", sort=False):
        keys = pd.MultiIndex.from_frame(rows[["code", "annee"]])
        inputs = indicator_card(str(indicator)).entrees
        printed = [keys.isin(_keys(tables, "publies", [str(indicator)])) for _, tables in parts]
        as_printed = published[rows.index] & np.any(printed, axis=0)
        for (name, tables), here in zip(parts, printed, strict=True):
            given = [keys.isin(_keys(tables, table, cols)) for table, cols in inputs.items()]
            for place in rows.index[np.where(as_printed, here, np.any(given, axis=0))]:
                names[place].append(name)
    texts = [" ; ".join(dict.fromkeys(held)) for held in names]
    return pd.Series(texts, index=results.index, name="fichier", dtype="str")


def _keys(tables: Tables, table: str, columns: Sequence[str]) -> pd.MultiIndex:
    """List the codes and years at which one of some columns says something."""
    said = tables.statuts
    said = said[(said["table"] == table) & said["colonne"].isin(list(columns))]
    index = pd.MultiIndex.from_frame(said[["code", "annee"]])
    if table not in tables:
        return index
    here = [name for name in columns if name in tables[table].columns]
    if not here:
        return index
    known = tables[table][here].dropna(how="all").reset_index()[["code", "annee"]]
    both = pd.concat([index.to_frame(index=False), known]).drop_duplicates()
    return pd.MultiIndex.from_frame(both)
