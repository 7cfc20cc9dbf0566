"""What a table cannot show any more of the file that it comes from: checked on its rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Integers, RowNumbers
from barometre.base.errors import Fault, FaultsError, counted
from barometre.base.french import format_number
from barometre.cards.columns import MODELS
from barometre.cards.listing import load_cards
from barometre.sources.files.text import stem_of
from barometre.sources.files.values import Parsed, begins, filled
from barometre.sources.wide.family import Mapped, named
from barometre.sources.wide.plan import Plan
from barometre.tables.check import PUBLISHED
from barometre.tables.codes import SHOWN
from barometre.tables.keys import is_unique
from barometre.tables.table_set import Tables

_ENOUGH = 10  # rows, for an empty column to be strange


def refuse_repeated(plan: Plan, rows: pd.DataFrame) -> None:
    """Refuse rows given twice where rows are added up: they would count double.

    Parameters
    ----------
    plan : Plan
        What to read in the file; nothing is asked of a family whose rows are not added up.
    rows : DataFrame
        Every column of the file: rows alike in some of them may be two things.

    Raises
    ------
    FaultsError
        Identical rows with a value other than 0.
    """
    if not plan.famille.sommer or not plan.nombres:
        return
    valued = np.any([_valued(rows[name]) for name in plan.nombres], axis=0)
    told = [name for column in plan.colonnes for name in column.mapped.filtre]
    telling = dict.fromkeys([plan.code, *told, *plan.famille.garder, *rows.columns])
    twice = _repeated(rows, [*telling])
    again = rows.iloc[twice[valued[twice]]]
    if len(again):
        shown = " ; ".join(again[plan.code].unique()[:SHOWN])
        lines = counted(len(again), "ligne répétée", "lignes répétées")
        problem = f"{lines} à l'identique ({plan.code} {shown}), qui compteraient double"
        raise FaultsError(
            f"fichier {plan.nom} refusé", [Fault("lignes", problem, "ôter les répétitions")]
        )


def _valued(cells: pd.Series[str]) -> Booleans:
    return filled(cells) & (cells != "0").to_numpy(bool)


def _repeated(rows: pd.DataFrame, names: Sequence[str]) -> RowNumbers:
    """Give the rows that repeat an earlier one: columns are looked at until no two rows are alike.

    What tells most comes first; only the rows that are still alike are looked at again.
    """
    if is_unique(pd.Index(rows[names[0]].array)):
        return np.zeros(0, np.intp)
    left = np.arange(len(rows))
    group = np.zeros(len(rows), np.intp)
    for name in names:
        cells = rows[name] if len(left) == len(rows) else rows[name].iloc[left]
        number, known = pd.factorize(cells)
        if len(known) > 1:
            group = pd.factorize(group * len(known) + number)[0] if group.any() else number
        alike = np.bincount(group)[group] > 1
        left, group = left[alike], group[alike]
        if not len(left):
            return left
    return left[pd.Series(group).duplicated().to_numpy()]


def refuse_impossible(
    plan: Plan,
    codes: pd.Series[str],
    parsed: Mapping[str, Parsed],
    years: Iterable[Integers],
) -> None:
    """Refuse what a sum would hide, and years to come.

    Parameters
    ----------
    plan : Plan
        What is read in the file.
    codes : Series
        Codes of its rows.
    parsed : mapping of str to Parsed
        The numbers of its rows, by column.
    years : iterable of arrays
        Years of the cells made of them.

    Raises
    ------
    FaultsError
        A negative part of a sum of counts or of shares, a count with decimals where rows are added
        up, a year after this one.
    """
    faults = [*_negative_parts(plan, codes, parsed)]
    arrays = {id(column): column for column in years}
    dates = {int(year) for column in arrays.values() for year in pd.unique(column)}
    later = sorted(year for year in dates if year > dt.datetime.now(tz=dt.UTC).year)
    if later:
        shown = ", ".join(str(int(year)) for year in later[:SHOWN])
        remedy = "corriger l'année du nom du fichier ou de sa colonne"
        faults.append(Fault(plan.annees or "année", f"à venir : {shown}", remedy))
    if faults:
        raise FaultsError(f"fichier {plan.nom} refusé", faults)


def _negative_parts(
    plan: Plan, codes: pd.Series[str], parsed: Mapping[str, Parsed]
) -> Iterator[Fault]:
    summed = {
        name
        for column in plan.colonnes
        if (plan.famille.sommer or len(column.colonnes) > 1) and _from_zero(column.mapped)
        for name in column.colonnes
    }
    for name in sorted(summed):
        values = parsed[name].valeur
        below = np.flatnonzero(values < 0)
        if len(below):
            shown = " ; ".join(f"{codes.iloc[i]} : {values[i]:g}" for i in below[:SHOWN])
            problem = f"{counted(len(below), 'valeur négative', 'valeurs négatives')} ({shown})"
            yield Fault(name, problem, "corriger la source : elle est ajoutée à d'autres")
        broken = np.flatnonzero(plan.famille.sommer & (values % 1 > 0))
        if len(broken):  # facilities, licences, job seekers: none is divided
            shown = " ; ".join(
                f"{codes.iloc[i]} : {format_number(values[i])}" for i in broken[:SHOWN]
            )
            problem = f"{counted(len(broken), 'effectif')} avec des décimales ({shown})"
            yield Fault(
                name, problem, "vérifier la colonne : chaque ligne en compte un nombre entier"
            )


def _from_zero(mapped: Mapped) -> bool:
    """Tell the columns of ours that no negative number may enter."""
    if mapped.table == PUBLISHED:
        return load_cards()[mapped.colonne].bornes[0] >= 0
    checks = MODELS[mapped.table].to_schema().columns[mapped.colonne].checks
    lows = [(check.statistics or {}).get("min_value") for check in checks]
    return any(low is not None and low >= 0 for low in lows)


def empty_columns(plan: Plan, parsed: Mapping[str, Parsed], texts: pd.DataFrame) -> tuple[str, ...]:
    """List the columns of numbers and of notes that hold none, in a file where that is strange.

    Parameters
    ----------
    plan : Plan
        What is read in the file.
    parsed : mapping of str to Parsed
        The numbers of its rows, by column.
    texts : DataFrame
        The cells of its rows.

    Returns
    -------
    tuple of str
        Nothing below ten rows, or when the columns are chosen when the file is exported.
    """
    if len(texts) < _ENOUGH:
        return ()
    numbers = [
        name
        for name in plan.nombres
        if np.isnan(parsed[name].valeur).all() and not parsed[name].statut.any()
    ]
    notes = {column.mapped.note for column in plan.colonnes} & set(texts.columns)
    return (*numbers, *(name for name in sorted(notes) if (texts[name] == "").all()))


def failed_formulas(plan: Plan, rows: pd.DataFrame) -> Iterator[str]:
    """Tell the columns where a spreadsheet could not compute: ``#DIV/0!`` is no secret.

    Parameters
    ----------
    plan : Plan
        What is read in the file.
    rows : DataFrame
        Its cells.

    Yields
    ------
    str
        Column, number of cells, the first of them.
    """
    for name in plan.nombres:
        wrong = begins(rows[name], "#")
        if wrong.any():
            failed = rows.loc[wrong, name]
            number = counted(len(failed), "cellule en erreur", "cellules en erreur")
            code = rows[plan.code][failed.index[0]]
            yield f"{name} : {number}, sans valeur ({code} : {failed.iloc[0]})"


def other_years(plan: Plan, rows: pd.DataFrame) -> Iterator[str]:
    """Tell the rows of another year than the one that the name of the file gives.

    Parameters
    ----------
    plan : Plan
        What is read in the file.
    rows : DataFrame
        Its cells.

    Yields
    ------
    str
        Column, number of rows, the first of them: added up, they are missing from their year.
    """
    hit = named(plan.famille, stem_of(plan.nom)) if plan.annees else None
    text = (hit.groupdict().get("annee") or "") if hit else ""
    if not text:
        return
    year = text if len(text) == 4 else f"20{text}"
    odd = rows[~rows[plan.annees].str.contains(year, regex=False)]
    if len(odd):
        number = counted(len(odd), "ligne d'une autre année", "lignes d'une autre année")
        first = odd.iloc[0]
        yield f"{plan.annees} : {number} que {year} ({first[plan.code]} : {first[plan.annees]})"


def implausible(tables: Tables) -> Iterator[str]:
    """Tell the published columns most of whose values are out of the plausible range of their card.

    Parameters
    ----------
    tables : Tables
        What a file gave.

    Yields
    ------
    str
        Column, median, range.
    """
    if PUBLISHED not in tables:
        return
    published = tables[PUBLISHED]
    for name in published.columns:
        values, plausible = published[name].to_numpy(), load_cards()[str(name)].plausible
        values = values[~np.isnan(values)]
        if plausible is None or not len(values):
            continue
        low, high = plausible
        median = float(np.median(values))
        if not low <= median <= high:
            yield (
                f"{name} : valeur médiane {median:.4g}, hors de la plage plausible ({low:g} à"
                f" {high:g}) ; vérifier la colonne et son unité"
            ).replace(".", ",")
