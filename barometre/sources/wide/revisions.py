"""The same year in two files of a producer who revises: the later one wins and says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from barometre.base.french import format_number
from barometre.sources.file_report import Reading
from barometre.sources.wide.family import load_families
from barometre.tables.table_set import Tables


def revised(readings: Sequence[Reading]) -> list[Reading]:
    """Take from earlier files the cells that a later one revises.

    Parameters
    ----------
    readings : sequence of Reading
        Files read, in any order.

    Returns
    -------
    list of Reading
        In the same order. Of two files of a family that is revised, the one whose data go to later
        years wins where the values differ, and the reason of its cell quotes the value it replaces.
    """
    found = list(readings)
    families = load_families()
    places = [
        i for i, one in enumerate(found)
        if one.report.famille in families and families[one.report.famille].revisee
        and one.report.annees
    ]  # fmt: skip
    for late in places:
        for early in places:
            same = found[late].report.famille == found[early].report.famille
            if same and max(found[late].report.annees) > max(found[early].report.annees):
                found[early], found[late] = _one_revision(found[early], found[late])
    return found


def _one_revision(early: Reading, late: Reading) -> tuple[Reading, Reading]:
    cells = _changed(early.tables, late.tables, early.report.fichier)
    if cells.empty:
        return early, late
    keys = ["code", "annee", "table", "colonne"]
    statuts = early.tables.statuts
    dropped = pd.MultiIndex.from_frame(statuts[keys]).isin(pd.MultiIndex.from_frame(cells[keys]))
    frames = {table: early.tables[table].copy() for table in early.tables}
    for (table, column), part in cells.groupby(["table", "colonne"]):
        frames[str(table)].loc[pd.MultiIndex.from_frame(part[["code", "annee"]]), column] = np.nan
    without = Tables(frames, statuts=statuts[~dropped], territoires=early.tables.territoires)
    said = pd.concat([late.tables.statuts, cells], ignore_index=True)
    told = Tables(
        {table: late.tables[table] for table in late.tables},
        statuts=said.drop_duplicates(keys, keep="last"),
        territoires=late.tables.territoires,
    )
    return replace(early, tables=without), replace(late, tables=told)


def _changed(early: Tables, late: Tables, nom: str) -> pd.DataFrame:
    """List the cells that both give otherwise, with what to say of the later value."""
    rows = []
    for table in set(early) & set(late):
        one, two = early[table], late[table]
        keys = one.index.intersection(two.index)
        for column in one.columns:
            before, after = one.loc[keys, column].to_numpy(), two.loc[keys, column].to_numpy()
            differ = ~np.isnan(before) & ~np.isnan(after) & ~np.isclose(before, after, rtol=1e-6)
            rows += [
                (*keys[int(i)], table, column, f"révisé : {format_number(before[i])} dans {nom}")
                for i in np.flatnonzero(differ)
            ]
    frame = pd.DataFrame(rows, columns=["code", "annee", "table", "colonne", "motif"])
    return frame.assign(statut="ok", qualite=None)
