"""From the rows of a producer's file to cells of our tables, as its plan says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Integers, RowNumbers
from barometre.base.errors import Fault, FaultsError, counted
from barometre.base.texts import Texts
from barometre.sources.cell_tables import Part
from barometre.sources.files.values import Parsed, filled, parse_numbers
from barometre.sources.wide.checks import empty_columns, refuse_impossible
from barometre.sources.wide.family import Mapped
from barometre.sources.wide.plan import Column, Plan
from barometre.sources.wide.rows import Territories, territories
from barometre.sources.wide.sums import Filters, Groups, added_up, grouped
from barometre.tables.check import reaches_thousands
from barometre.tables.codes import SHOWN
from barometre.tables.keys import is_unique
from barometre.tables.table_set import STATUSES

_SECRET = STATUSES.index("secret")
_UNAVAILABLE = STATUSES.index("non_disponible")


@dataclass(frozen=True)
class Cells:
    """What a file gives: long cells, labels, and what had to be done to its rows.

    Attributes
    ----------
    cells : sequence of Part
        Columns of ours.
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    lignes : Territories
        The rows that are territories, and what was done to them.
    vides : tuple of str
        Columns of numbers without any.
    """

    cells: Sequence[Part]
    territoires: pd.DataFrame
    lignes: Territories
    vides: tuple[str, ...] = ()


def cells_of(plan: Plan, rows: pd.DataFrame) -> Cells:
    """Give what a file gives to our tables.

    Parameters
    ----------
    plan : Plan
        What to read in it.
    rows : DataFrame
        Texts of the columns ``plan.lues``.

    Returns
    -------
    Cells

    Raises
    ------
    FaultsError
        Cells that are neither numbers nor known tokens, rows without year, negative parts of a
        sum, years to come.
    """
    family = plan.famille
    texts = rows[Filters(rows).matching(family.garder)] if family.garder else rows
    found = territories(plan, texts)
    texts, codes = found.textes, found.codes
    parsed = {name: parse_numbers(texts[name]) for name in plan.nombres}
    _refuse_unreadable(plan, texts, parsed)
    years = _row_years(plan, texts)
    sets = _groups(plan, codes, years), Filters(texts)
    dates = _dates(plan, years, len(codes))
    cells = [_cells(plan, column, found, dates, parsed, sets) for column in plan.colonnes]
    refuse_impossible(plan, codes, parsed, [one.annee for one in cells])
    labels = texts[plan.libelle] if plan.libelle else codes
    named = pd.DataFrame(
        {"code": codes.array, "libelle": labels.array, "niveau": found.niveaux.array}, copy=False
    )
    if not is_unique(pd.Index(codes.array)):
        named = named.drop_duplicates("code", ignore_index=True)
    return Cells(
        cells=cells,
        territoires=named,
        lignes=found,
        vides=empty_columns(plan, parsed, texts),
    )


def _row_years(plan: Plan, texts: pd.DataFrame) -> Integers | None:
    if not plan.annees:
        return None
    # 2021, 2021-12-31, 31/12/2021, 2021-T4, 202112
    row, written = pd.factorize(texts[plan.annees])
    told = pd.Series(written, dtype="str")
    told = told.str.extract(r"(?:^|\D)((?:19|20)\d{2})(?:\D|$|\d{2}$)")[0]
    if told.isna().any():
        bad = written[told.isna().to_numpy()]
        raise FaultsError(
            f"fichier {plan.nom} refusé",
            [
                Fault(
                    plan.annees, f"années illisibles : {', '.join(bad[:5])}", "corriger la colonne"
                )
            ],
        )
    found: Integers = np.array([int(year) for year in told], dtype=np.int64)[row]
    return found


def _dates(
    plan: Plan, years: Integers | None, rows: int
) -> Mapping[tuple[int | None, int], Integers]:
    """Give the years of the rows, by what columns say of theirs."""
    asked = {(column.annee, column.mapped.decalage) for column in plan.colonnes}
    own = np.zeros(rows, np.int64) if years is None else years
    return {
        (year, shift): own + shift if year is None else np.full(rows, year, np.int64)
        for year, shift in asked
    }


def _groups(plan: Plan, codes: pd.Series[str], years: Integers | None) -> Mapping[bool, Groups]:
    """Group the rows to add up for columns whose year is theirs (True), and for the others."""
    by_row = {column.annee is None for column in plan.colonnes}
    return {one: grouped(codes, years if one else None) for one in by_row if plan.famille.sommer}


def _refuse_unreadable(plan: Plan, texts: pd.DataFrame, parsed: dict[str, Parsed]) -> None:
    counts = {
        name
        for column in plan.colonnes
        if reaches_thousands(column.mapped.table, column.mapped.colonne)
        for name in column.colonnes
    }
    faults = []
    for name, values in parsed.items():
        if values.illisible.any():
            bad = texts.loc[values.illisible, name]
            problem = counted(len(bad), "cellule illisible", "cellules illisibles")
            remedy = "un nombre, ou « nd », ou rien, est attendu"
            faults.append(Fault(name, f"{problem} ({_quoted(bad)})", remedy))
        if name in counts and values.equivoque.any():
            unsure = texts.loc[values.equivoque, name]
            problem = f"milliers ou décimales ? ({_quoted(unsure)})"
            faults.append(Fault(name, problem, "ôter les séparateurs de milliers"))
    if faults:
        raise FaultsError(f"fichier {plan.nom} refusé", faults)


def _quoted(cells: pd.Series[str]) -> str:
    texts = cells.drop_duplicates()
    return " ; ".join(texts[:SHOWN]) + " ; ..." * (len(texts) > SHOWN)


def _cells(
    plan: Plan,
    column_plan: Column,
    found: Territories,
    dates: Mapping[tuple[int | None, int], Integers],
    parsed: dict[str, Parsed],
    sets: tuple[Mapping[bool, Groups], Filters],
) -> Part:
    """Turn one column of ours into cells: add up columns, then rows, say why cells are empty."""
    family, mapped, texts, codes = plan.famille, column_plan.mapped, found.textes, found.codes
    value = (
        sum((parsed[c].valeur for c in column_plan.colonnes), np.zeros(len(codes))) * mapped.facteur
    )
    status = np.zeros(len(codes), dtype=np.int8)
    motif = Texts(np.zeros(len(codes), np.int32), ("",))
    for column in column_plan.colonnes:
        told = np.flatnonzero(parsed[column].statut)
        if not len(told):
            continue
        status[told] = parsed[column].statut[told]
        # The token itself: another column of the sum may hold a value that is not to be quoted.
        motif = _saying(motif, told, texts[column], "« {} » dans le fichier")
    when = dates[column_plan.annee, mapped.decalage]
    if family.sommer:
        groups, filters = sets
        kept = np.flatnonzero(filters.matching(mapped.filtre))
        absent_is_zero = family.sans_ligne == "zero"
        of_rows = groups[column_plan.annee is None]
        sums = added_up(of_rows, kept, value, status, motif, none_is_zero=absent_is_zero)
        codes = codes if len(sums.rows) == len(codes) else codes.iloc[sums.rows]
        when = when if len(sums.rows) == len(when) else when[sums.rows]
        value, status, motif = sums.valeur, sums.statut, sums.motif
    else:
        empty = np.isnan(value)
        motif = _say_why_empty(empty, status, motif, texts, mapped, mapped.vide or family.vide)
    if mapped.reserve:
        motif = _one(motif, np.flatnonzero(~np.isnan(value)), mapped.reserve)
    return Part(mapped.table, mapped.colonne, codes, when, value, status, motif)


def _one(motif: Texts, rows: RowNumbers, text: str) -> Texts:
    """Say one text of some rows."""
    positions = motif.positions.astype(np.int32)
    positions[rows] = len(motif.known)
    return Texts(positions, (*motif.known, text))


def _saying(motif: Texts, rows: RowNumbers, cells: pd.Series[str], form: str) -> Texts:
    """Say a text of some rows made of their cells, each distinct one written once."""
    row, known = pd.factorize(cells.iloc[rows])
    positions = motif.positions.astype(np.int32)
    positions[rows] = len(motif.known) + row
    return Texts(positions, (*motif.known, *(form.replace("{}", cell) for cell in known)))


def _say_why_empty(
    without: Booleans,
    status: npt.NDArray[np.int8],
    motif: Texts,
    texts: pd.DataFrame,
    mapped: Mapped,
    empty_is: str,
) -> Texts:
    """Fill the status of empty cells: what the note of the row says, else what the producer does.

    Where a file has a column of notes, a row without note is of a territory that it does not cover.
    A column that is empty in every row hides nothing: it was emptied, or was never filled.
    """
    empty = without & (status == 0)
    if not empty.any():
        return motif
    noted = mapped.note in texts.columns
    told = filled(texts[mapped.note]) if noted else np.zeros(len(texts), np.bool_)
    hides = empty_is != "non_diffuse"
    said = empty & told
    if said.any():
        said &= (texts[mapped.note] != "0").to_numpy(bool)
        status[said] = _SECRET if hides else _UNAVAILABLE
        rows = np.flatnonzero(said)
        motif = _saying(motif, rows, texts[mapped.note], f"{mapped.note} = {{}}")
    if empty.all() or empty_is == "non_disponible":
        return motif
    left = empty & ~said
    secret = hides & (told | ~told.any())
    status[left & secret] = _SECRET
    status[left & ~secret] = _UNAVAILABLE
    motif = _one(motif, np.flatnonzero(left), "non diffusé par le producteur")
    if hides:
        why = "cellule vide : secret statistique du producteur"
        motif = _one(motif, np.flatnonzero(left & told), why)
    return motif
