"""From the rows of a producer's file to cells of our tables, as its plan says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans
from barometre.base.errors import Fault, FaultsError, counted
from barometre.sources.files.values import Parsed, parse_numbers
from barometre.sources.wide.checks import empty_columns, refuse_impossible
from barometre.sources.wide.family import Mapped
from barometre.sources.wide.plan import Column, Plan
from barometre.sources.wide.rows import Territories, territories
from barometre.tables.check import reaches_thousands
from barometre.tables.codes import SHOWN
from barometre.tables.table_set import STATUSES

_SECRET = STATUSES.index("secret")
_UNAVAILABLE = STATUSES.index("non_disponible")


@dataclass(frozen=True)
class Cells:
    """What a file gives: long cells, labels, and what had to be done to its rows.

    Attributes
    ----------
    cells : sequence of (str, str, DataFrame)
        Columns of ours, as `file_report.tables_of_columns` takes them.
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    lignes : Territories
        The rows that are territories, and what was done to them.
    vides : tuple of str
        Columns of numbers without any.
    """

    cells: Sequence[tuple[str, str, pd.DataFrame]]
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
    texts = _kept(rows, family.garder)
    found = territories(plan, texts)
    texts, codes = found.textes, found.codes
    parsed = {name: parse_numbers(texts[name]) for name in plan.nombres}
    _refuse_unreadable(plan, texts, parsed)
    years = _row_years(plan, texts)
    cells = [
        (column.mapped.table, column.mapped.colonne,
         _cells(plan, column, texts, codes, years, parsed))
        for column in plan.colonnes
    ]  # fmt: skip
    refuse_impossible(plan, codes, parsed, [one["annee"] for _, _, one in cells])
    labels = texts[plan.libelle] if plan.libelle else codes
    named = pd.DataFrame({"code": codes, "libelle": labels, "niveau": found.niveaux})
    return Cells(
        cells=cells,
        territoires=named.drop_duplicates("code", ignore_index=True),
        lignes=found,
        vides=empty_columns(plan, parsed, texts),
    )


def _row_years(plan: Plan, texts: pd.DataFrame) -> npt.NDArray[np.int64] | None:
    if not plan.annees:
        return None
    # 2021, 2021-12-31, 31/12/2021, 2021-T4, 202112
    row, written = pd.factorize(texts[plan.annees])
    told = pd.Series(written, dtype="str")
    told = told.str.extract(r"(?:^|\D)((?:19|20)\d{2})(?:\D|$|\d{2}$)")[0]
    found = told.take(row).set_axis(texts.index)
    if told.isna().any():
        bad = texts.loc[found.isna(), plan.annees].unique()
        raise FaultsError(
            f"fichier {plan.nom} refusé",
            [
                Fault(
                    plan.annees, f"années illisibles : {', '.join(bad[:5])}", "corriger la colonne"
                )
            ],
        )
    return np.array(found, dtype=np.int64)


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
    texts: pd.DataFrame,
    codes: pd.Series[str],
    years: npt.NDArray[np.int64] | None,
    parsed: dict[str, Parsed],
) -> pd.DataFrame:
    """Turn one column of ours into cells: add up columns, then rows, say why cells are empty."""
    family, mapped = plan.famille, column_plan.mapped
    value = (
        sum((parsed[c].valeur for c in column_plan.colonnes), np.zeros(len(codes))) * mapped.facteur
    )
    status = np.zeros(len(codes), dtype=np.int8)
    motif = np.full(len(codes), "", dtype=object)
    for column in column_plan.colonnes:
        told = np.flatnonzero(parsed[column].statut)
        if not len(told):
            continue
        status[told] = parsed[column].statut[told]
        # The token itself: another column of the sum may hold a value that is not to be quoted.
        motif[told] = [f"« {token} » dans le fichier" for token in texts[column].iloc[told]]
    when: Any = column_plan.annee
    if when is None and years is not None:
        when = years + mapped.decalage
    if not family.sommer:
        _say_why_empty(np.isnan(value), status, motif, texts, mapped, mapped.vide or family.vide)
    frame = pd.DataFrame(
        {"code": codes, "annee": when, "valeur": value, "statut": status, "motif": motif},
        index=codes.index,
        copy=False,
    )
    if family.sommer:
        frame = _added_up(frame, texts, mapped, family.sans_ligne == "zero")
    if mapped.reserve:
        frame.loc[frame["valeur"].notna(), "motif"] = mapped.reserve
    return frame


def _say_why_empty(
    without: Booleans,
    status: npt.NDArray[np.int8],
    motif: npt.NDArray[np.object_],
    texts: pd.DataFrame,
    mapped: Mapped,
    empty_is: str,
) -> None:
    """Fill the status of empty cells: what the note of the row says, else what the producer does.

    Where a file has a column of notes, a row without note is of a territory that it does not cover.
    A column that is empty in every row hides nothing: it was emptied, or was never filled.
    """
    empty = without & (status == 0)
    if not empty.any():
        return
    noted = mapped.note in texts.columns
    notes = np.array(texts[mapped.note], dtype=object) if noted else np.full(len(texts), "")
    told, hides = notes != "", empty_is != "non_diffuse"
    said = empty & told & (notes != "0")
    status[said] = _SECRET if hides else _UNAVAILABLE
    motif[said] = [f"{mapped.note} = {note}" for note in notes[said]]
    if empty.all() or empty_is == "non_disponible":
        return
    left = empty & ~said
    secret = hides & (told | ~told.any())
    status[left & secret] = _SECRET
    status[left & ~secret] = _UNAVAILABLE
    motif[left] = "non diffusé par le producteur"
    motif[left & told & hides] = "cellule vide : secret statistique du producteur"


def _added_up(
    frame: pd.DataFrame, texts: pd.DataFrame, mapped: Mapped, none_is_zero: bool
) -> pd.DataFrame:
    """Add up the rows of a territory that a filter keeps; an unknown row makes the sum unknown."""
    rows = frame.loc[_kept(texts, mapped.filtre).index]
    keys = ["code", "annee"]
    # Of several reasons secrecy, the first of STATUSES after ok, is the one to tell.
    reason = rows["statut"].where(rows["statut"] > 0, len(STATUSES))
    rows = rows.assign(inconnu=rows["valeur"].isna(), statut=reason)
    sums = rows.groupby(keys, sort=False).agg(
        valeur=("valeur", "sum"), inconnu=("inconnu", "any"), statut=("statut", "min")
    )
    said = rows[rows["motif"] != ""].drop_duplicates(keys).set_index(keys)["motif"]
    total = (
        frame[keys]
        .drop_duplicates()
        .merge(sums.join(said).reset_index(), how="left" if none_is_zero else "inner", on=keys)
    )
    known = ~total["inconnu"].eq(other=True)
    total["valeur"] = total["valeur"].fillna(0.0).where(known)
    total["statut"] = total["statut"].fillna(0).replace(len(STATUSES), 0).astype(np.int8)
    return total.assign(motif=total["motif"].fillna("")).drop(columns="inconnu")


def _kept(texts: pd.DataFrame, rules: Mapping[str, str]) -> pd.DataFrame:
    """Keep the rows whose cells match every rule whole."""
    for column, rule in rules.items():
        texts = texts[texts[column].str.fullmatch(rule, case=False)]
    return texts
