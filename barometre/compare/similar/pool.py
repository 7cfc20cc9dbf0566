"""The units compared with one another: a named pool, its variables, what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.cards.listing import indicator_card
from barometre.compare.rows import Rows
from barometre.tables.codes import LEVELS, level_of
from barometre.tables.table_set import DOUBTFUL

Years: TypeAlias = 'int | Literal["latest"] | Mapping[str, int]'

LEVEL_NAMES = {
    "commune": "communes", "epci": "EPCI", "iris": "IRIS", "qpv": "quartiers prioritaires",
    "departement": "départements", "region": "régions",
    "france_metropolitaine": "France métropolitaine", "union": "ensembles",
}  # fmt: skip


@dataclass(frozen=True)
class Pool:
    """Complete units and their standardised variables.

    Attributes
    ----------
    name : str
        What the pool is, in words.
    size : int
        Units of the pool, complete or not.
    figures : DataFrame
        Variables of the complete units, by code, counts in logarithms.
    scores : DataFrame
        The same, less the mean and over the standard deviation of the complete units.
    years : Series of int
        Year of each variable.
    logged : tuple of str
        Variables taken in logarithms.
    excluded : DataFrame
        ``code`` and ``motif`` of the units left out.
    """

    name: str
    size: int
    figures: pd.DataFrame
    scores: pd.DataFrame
    years: pd.Series[int]
    logged: tuple[str, ...]
    excluded: pd.DataFrame

    def described(self) -> str:
        """Say what the pool is and how many of its units are complete."""
        complete = f"{len(self.figures)} sur {self.size}"
        return f"Vivier : {self.name} ; {complete} ont toutes les variables."


def pool_of(
    rows: Rows,
    variables: Iterable[str],
    year: Years,
    *,
    level: str,
    pool: str | Iterable[str] | None,
    name: str | None,
    log: Iterable[str] | None,
) -> Pool:
    """Gather the units of a pool and standardise their variables.

    Parameters
    ----------
    rows : Rows
        Checked results.
    variables : iterable of str
        Identifiers of indicators, at least one.
    year : int, "latest" or mapping of str to int
        Year of the variables: one for all, the latest of each, or one by variable.
    level : str
        Level of the pool when it is not given.
    pool : str, iterable of str or None
        Level of the units, or their codes.
    name : str or None
        What the pool is, in words.
    log : iterable of str or None
        Variables taken in logarithms; the counts by default.

    Returns
    -------
    Pool
        The standard deviation is that of the complete units (divided by their number).

    Raises
    ------
    BarometreError
        No variable, one given twice or absent; a year without value; a pool of no unit; a variable
        that does not vary, or that has no logarithm.
    """
    names = _variables(rows, variables)
    years = _years(rows, names, year)
    codes, described = _codes(rows, pool, level, name)
    frame = rows.frame[rows.frame["code"].isin(codes)]
    wanted = frame[frame["annee"] == frame["indicateur"].map(years)]
    values = wanted.pivot(index="code", columns="indicateur", values="valeur")
    values = values.reindex(index=codes, columns=names)
    logged = tuple(
        n for n in names if n in ([v for v in names if _counted(v)] if log is None else set(log))
    )
    excluded = _excluded(values, wanted)
    complete = values.dropna()
    for column in logged:
        if (complete[column] <= 0).any():
            raise BarometreError(f"« {column} » : une valeur nulle n'a pas de logarithme (log=)")
        complete = complete.assign(**{column: np.log(complete[column])})
    spread = complete.std(ddof=0)
    flat = [str(column) for column in names if not spread[column] > 0]
    if len(complete) < 2 or flat:
        told = (
            f"sans variation : {', '.join(flat)}" if len(complete) > 1 else "moins de deux unités"
        )
        raise BarometreError(f"vivier refusé ({described}) : {told} ; revoir variables ou pool")
    scores = (complete - complete.mean()) / spread
    return Pool(
        described, len(codes), complete, scores, pd.Series(years, dtype="int64"), logged, excluded
    )


def _counted(name: str) -> bool:
    return indicator_card(name).unite == "nombre"


def _variables(rows: Rows, variables: Iterable[str]) -> list[str]:
    names = [variables] if isinstance(variables, str) else [str(name) for name in variables]
    for name in names:
        indicator_card(name)
    absent = [name for name in names if name not in {card.id for card in rows.cards}]
    if not names or len(set(names)) < len(names) or absent:
        told = f"absentes des résultats : {', '.join(absent)}" if absent else "aucune, ou en double"
        raise BarometreError(f"variables refusées : {told}")
    return names


def _years(rows: Rows, names: list[str], year: Years) -> dict[str, int]:
    known = rows.frame[rows.frame["valeur"].notna()].groupby("indicateur")["annee"]
    there = {
        name: sorted(set(known.get_group(name))) if name in known.groups else [] for name in names
    }
    found = {}
    for name in names:
        asked = year.get(name) if isinstance(year, Mapping) else year
        if asked == "latest" and there[name]:
            found[name] = int(there[name][-1])
        elif isinstance(asked, (int, np.integer)) and asked in there[name]:
            found[name] = int(asked)
        else:
            others = ", ".join(map(str, there[name])) or "aucune"
            raise BarometreError(
                f"year={asked!r} refusé pour « {name} » : années qui ont une valeur : {others}"
            )
    return found


def _codes(
    rows: Rows, pool: str | Iterable[str] | None, level: str, name: str | None
) -> tuple[list[str], str]:
    """List the units of the pool, and say what it is."""
    if pool is None or (isinstance(pool, str) and pool in LEVELS):
        wanted = level if pool is None else str(pool)
        codes = [code for code in rows.codes if level_of(code) == wanted]
        words = f"{LEVEL_NAMES.get(wanted, wanted)} des résultats"
    else:
        given = {pool} if isinstance(pool, str) else {str(code) for code in pool}
        codes = [code for code in rows.codes if code in given]
        words = f"liste de {counted(len(given), 'code')}"
        if not codes:
            raise BarometreError("pool refusé : aucune de ses unités n'est dans les résultats")
    return codes, name or words


def _excluded(values: pd.DataFrame, wanted: pd.DataFrame) -> pd.DataFrame:
    """Say why units are left out: the variables they lack, and the reason of each."""
    lacking = values.isna()
    status = wanted.pivot(index="code", columns="indicateur", values="statut")
    status = status.reindex(index=values.index, columns=values.columns).fillna("non_disponible")
    words = status.to_numpy(dtype=object)
    rows = []
    for place in np.flatnonzero(lacking.any(axis=1)):
        absent = np.flatnonzero(lacking.to_numpy()[place])
        told = " ; ".join(f"{values.columns[int(i)]} : {words[place, i]}" for i in absent)
        rows.append((str(values.index[int(place)]), told))
    return pd.DataFrame(rows, columns=["code", "motif"]).astype("str")


def doubtful_of(rows: Rows, codes: Iterable[str], years: Mapping[str, int]) -> list[str]:
    """List the units of which a variable is doubtful."""
    frame = rows.frame
    here = frame["code"].isin(list(codes)) & (frame["qualite"] == DOUBTFUL)
    used = frame["annee"] == frame["indicateur"].map(dict(years))
    return sorted(set(frame.loc[here & used, "code"]))


def distances(scores: pd.DataFrame, code: str) -> tuple[Floats, Floats]:
    """Return the distance of all units to one, and the squared difference of each variable."""
    squares: Floats = (scores.to_numpy() - scores.loc[code].to_numpy()) ** 2
    return np.sqrt(squares.mean(axis=1)), squares
