"""Protection of people in tables: k-anonymity, small groups hidden in what is published."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats, RowNumbers
from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.base.frames import absent_columns, repeated_columns
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.rows.columns import as_numbers
from barometre.secrecy.lines import PUBLISHED, SECRET, hide_in_lines

if TYPE_CHECKING:
    from barometre.secrecy.suppression import Suppressed


_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean"}
_SAME = 1e-12  # relative difference of two numbers that are the same


def k_anonymity(
    frame: pd.DataFrame,
    quasi_identifiers: Sequence[str],
    *,
    k: int = 11,
    person: str | None = None,
    sensitive: str | None = None,
) -> Tidy:
    """Report how many people share each combination of quasi-identifiers.

    Parameters
    ----------
    frame : DataFrame
        One row per person; or several, with ``person``.
    quasi_identifiers : sequence of str
        Columns by which someone could be recognised: age group, sex, neighbourhood... A missing
        value counts as a category of its own.
    k : int, default 11
        Smallest group wanted.
    person : str, optional
        Column of the person, whose rows count once in a group: the ten waves of one person are
        not ten people.
    sensitive : str, optional
        Column that must not be guessed: adds ``distinct``, its number of values in the group.

    Returns
    -------
    Tidy
        One row per combination, smallest groups first: the quasi-identifiers, ``n``, ``enough``.
        For internal use: it describes small groups. ``meta`` sums it up: ``k`` (smallest group),
        ``n_small`` (people in groups under ``k``), ``n_unique``, ``n_in``, ``l`` (fewest distinct
        sensitive values).

    Raises
    ------
    BarometreError
        A column absent or given twice, no quasi-identifier, one named as a column of the report,
        values that cannot be compared (lists, dictionaries), a missing person, a ``k`` under 1.

    Notes
    -----
    k-anonymity: Sweeney (2002); distinct l-diversity: Machanavajjhala et al. (2007).

    Examples
    --------
    >>> people = pd.DataFrame({"sexe": ["F", "F", "H"], "age": ["15-24", "15-24", "65+"]})
    >>> report = k_anonymity(people, ["sexe", "age"], k=2)
    >>> report.meta["k"], report.meta["n_unique"]
    (1, 1)
    """
    if isinstance(quasi_identifiers, str) or not isinstance(quasi_identifiers, Iterable):
        quasi_identifiers = [quasi_identifiers]
    columns = list(quasi_identifiers)
    if not is_number(k) or k < 1:
        raise BarometreError(f"k={k!r} refusé : donner un nombre de personnes, 1 ou plus")
    extra = [name for name in (person, sensitive) if name is not None]
    faults = _column_faults(frame, [*columns, *extra])
    faults += [
        Fault(str(name), "nom d'une colonne du rapport", "renommer cette colonne")
        for name in columns
        if name in ("n", "enough", "distinct")
    ]
    if not columns:
        faults.append(Fault("quasi_identifiers", "liste vide", "nommer au moins une colonne"))
    if not faults and person is not None and frame[person].isna().any():
        lost = counted(
            int(frame[person].isna().sum()), "ligne sans personne", "lignes sans personne"
        )
        faults.append(Fault(person, lost, "donner un identifiant, ou retirer ces lignes"))
    if faults:
        raise FaultsError("rapport refusé", faults)
    groups = frame.groupby(columns, dropna=False, observed=True, sort=False)
    people = groups.size() if person is None else groups[person].nunique()
    table = people.rename("n").to_frame()
    if sensitive is not None:
        table["distinct"] = groups[sensitive].nunique(dropna=False)
    table["enough"] = table["n"] >= k
    table = table.sort_values("n", kind="stable").reset_index()
    number = len(frame) if person is None else int(frame[person].nunique())
    return tidy(
        table,
        method="k-anonymat",
        convention="une valeur manquante est une catégorie"
        + ("" if person is None else " ; une personne compte une fois par groupe"),
        k=int(table["n"].min()) if len(table) else 0,
        wanted=k,
        n_small=int(table.loc[~table["enough"], "n"].sum()),
        n_unique=int((table["n"] == 1).sum()),
        n_in=number,
        n_used=number,
        lost={},
        l=int(table["distinct"].min()) if sensitive is not None and len(table) else None,
    )


def count_people(
    frame: pd.DataFrame,
    person: str,
    rows: str,
    columns: str,
    *,
    threshold: int = 11,
) -> Suppressed:
    """Cross two columns in a table of people fit for publication.

    Parameters
    ----------
    frame : DataFrame
        RowNumbers of people; someone is counted once in each cell.
    person, rows, columns : str
        Columns of the person and of the two variables; each person has one value of each.
    threshold : int, default 11
        Smallest cell published.

    Returns
    -------
    Suppressed
        As returned by `suppress`, with its margins.

    Raises
    ------
    BarometreError
        A column absent or given twice, a missing value, values that cannot be compared, a person
        in two rows or columns of the table.
    """
    from barometre.secrecy.suppression import suppress

    faults = _column_faults(frame, [person, rows, columns])
    if faults:
        raise FaultsError("tableau refusé", faults)
    people = frame[[person, rows, columns]].drop_duplicates()
    if people.isna().to_numpy().any():
        raise BarometreError(
            "valeurs manquantes dans le tableau ; les nommer (« non renseigné ») ou les retirer"
        )
    twice = people[person].duplicated()
    if twice.any():
        raise BarometreError(
            f"{counted(int(twice.sum()), 'personne')} dans plusieurs cases ;"
            " choisir une vague, ou une valeur par personne"
        )
    table = pd.crosstab(people[rows], people[columns]).rename_axis(index=None, columns=None)
    return suppress(table, threshold=threshold)


def hide_small_groups(
    table: pd.DataFrame,
    n: str = "n",
    *,
    threshold: float = 11,
    within: str | Sequence[str] | None = None,
    keep: str | Sequence[str] | None = None,
) -> Tidy:
    """Hide the rows of a tidy table that rest on too few people, and those that protect them.

    Parameters
    ----------
    table : DataFrame
        A tidy table with a count of people, its rows in an order that does not depend on the
        counts: sorted by size, it would tell which hidden row is the smaller.
    n : str, default "n"
        Column of the count.
    threshold : float, default 11
        Smallest count published; zeros stay.
    within : str or sequence of str, optional
        Columns whose combinations each have a known total. Without it, the whole table is one
        line, whose total is known.
    keep : str or sequence of str, optional
        Other columns of numbers that name the rows, a wave or a duration, and stay.

    Returns
    -------
    Tidy
        A copy with two columns more: ``status`` (``publie`` or ``secret``, which does not tell a
        small row from one that protects it) and ``total_status`` (``secret`` where the total of
        the line must not be published either). Hidden rows have missing numbers, columns of
        numbers written as objects included; the other columns stay. In a line with hidden rows,
        so have the columns that repeat one number along the line (an entropy, an overall mean),
        unless it is the total; and rows of zero people, beside their count.

    Raises
    ------
    BarometreError
        A column absent, or already named ``status``; a count that is not a number or is negative.

    Notes
    -----
    Halving, in the order of the rows: see the page on secrecy. Whoever knows the rule, the
    threshold, the total and the other rows still finds every value from 1 to ``threshold`` - 1
    possible for each small hidden count. One line at a time: where totals across lines are
    published too, use `count_people`, or `suppress`, on the crossed table. Columns that add rows up
    (a cumulative share) are only safe in the order of the rows; other counts than ``n`` are
    hidden with it, and not by themselves.

    Examples
    --------
    >>> table = pd.DataFrame({"statut": ["emploi", "formation", "sans"], "n": [50, 10, 10]})
    >>> hide_small_groups(table)["n"].tolist()
    [50.0, <NA>, <NA>]
    """
    if not is_number(threshold):
        raise BarometreError(f"threshold={threshold!r} refusé : donner un nombre de personnes")
    keys = [within] if isinstance(within, str) else list(within or [])
    kept = [keep] if isinstance(keep, str) else list(keep or [])
    faults = _column_faults(table, list(dict.fromkeys([n, *keys, *kept])), hashable=keys)
    faults += [
        Fault(name, "nom d'une colonne du résultat", "renommer cette colonne")
        for name in ("status", "total_status")
        if isinstance(table, pd.DataFrame) and name in table.columns
    ]
    if faults:
        raise FaultsError("tableau refusé", faults)
    result = pd.DataFrame(table).reset_index(drop=True)
    count: Floats = np.asarray(as_numbers(result[n], n, missing=True), np.float64)
    if (count < 0).any():
        raise BarometreError(f"{n} : un effectif négatif ; donner des nombres de personnes")
    line: RowNumbers = np.zeros(len(result), np.intp)
    if keys:
        line = np.asarray(result.groupby(keys, dropna=False, sort=False).ngroup(), np.intp)
    hidden = hide_in_lines(count, line, threshold=threshold)
    touched = np.isin(line, np.unique(line[hidden.rows]))
    for name in [name for name in result.columns if name not in {*keys, *kept}]:
        column = result[name]
        if pd.api.types.infer_dtype(column, skipna=True) not in _NUMBERS:
            continue
        numbers = column.astype("Float64")
        secret = hidden.rows.copy()
        if name != n:
            secret |= touched & (count == 0)
            values = np.asarray(numbers.to_numpy(np.float64, na_value=np.nan), np.float64)
            secret |= touched & _repeated(values, count, line)
        result[name] = numbers.mask(secret)
    status = np.where(hidden.rows, SECRET, PUBLISHED)
    total = np.where(hidden.totals[line], SECRET, PUBLISHED)
    return tidy(
        result.assign(
            status=pd.Series(status, result.index, dtype="str"),
            total_status=pd.Series(total, result.index, dtype="str"),
        ),
        method="petits groupes cachés, par lignes",
        convention=f"seuil de {threshold} personnes ; les zéros restent",
        threshold=threshold,
    )


def _repeated(values: Floats, count: Floats, line: RowNumbers) -> Booleans:
    """Flag the rows of lines along which a column repeats one number that is not the total."""
    number = int(line.max(initial=-1)) + 1
    low, high = np.full(number, np.inf), np.full(number, -np.inf)
    np.fmin.at(low, line, values)
    np.fmax.at(high, line, values)
    total = np.bincount(line, np.nan_to_num(count), number)
    scale = _SAME * np.maximum(1.0, np.abs(high))
    flags = (np.bincount(line, minlength=number) > 1) & (high - low <= scale)
    flags &= np.abs(high - total) > scale
    repeated: Booleans = flags[line]
    return repeated


def _column_faults(
    frame: object, names: Sequence[str], *, hashable: Sequence[str] | None = None
) -> list[Fault]:
    """List what is wrong with columns whose values are to be compared."""
    if not isinstance(frame, pd.DataFrame):
        return [Fault("tableau", f"{type(frame).__name__} reçu", "donner un DataFrame")]
    odd_names = [name for name in names if not isinstance(name, Hashable)]
    if odd_names:
        remedy = "donner un nom de colonne"
        return [Fault(str(name), "colonne absente : un nom est un texte", remedy)
                for name in odd_names]  # fmt: skip
    faults = [*repeated_columns(frame), *absent_columns(frame, names)]
    for name in () if faults else dict.fromkeys(names):
        if list(names).count(name) > 1:
            faults.append(Fault(name, "colonne en double", "la donner une seule fois"))
        elif hashable is None or name in hashable:
            odd = [one for one in frame[name] if not isinstance(one, Hashable)]
            if frame[name].dtype == object and odd:
                kind = type(odd[0]).__name__
                faults.append(Fault(name, f"valeurs de type {kind}", "donner textes ou nombres"))
    return faults
