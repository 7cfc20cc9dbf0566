"""What editions published together give back of the cells that each of them hides.

Someone who has every edition knows the published counts, that a whole is the sum of its parts, and
that no count is negative: all that follows for a hidden cell is the range that these leave it, that
two linear programs give (in whole numbers for counts). A cell with one value left is given back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.cards.listing import load_cards
from barometre.monitoring.editions.edition import Edition

Wholes: TypeAlias = "str | Sequence[str]"
Membership: TypeAlias = "Mapping[str, Wholes] | pd.Series[str]"

KEY = ["code", "annee", "indicateur"]
_COLUMNS = [*KEY, "valeur", "minimum", "maximum", "moyen", "editions"]
_ELSEWHERE = "publiée dans une autre édition"
_CLOSE = 1e-6  # of a linear program, relative
_NAMED = 3  # wholes named in how a cell is given back


def disclosures(
    editions: Mapping[str, Edition | pd.DataFrame],
    membership: Membership | Mapping[str, Membership] | None = None,
    *,
    evolutions: pd.DataFrame | None = None,
    width: float = 0.0,
) -> pd.DataFrame:
    """Find the hidden cells that editions published together give back.

    Parameters
    ----------
    editions : mapping of str to Edition or DataFrame
        Editions, or their tidy results, by name.
    membership : mapping or Series, optional
        Whole by part (or wholes: an IRIS is in a commune and in a neighbourhood), for territories
        that are nested without remainder. Where the perimeter of a whole changes, a mapping by name
        of edition: the difference between two perimeters is then followed too.
    evolutions : DataFrame, optional
        Evolutions that are published (`evolution`): a hidden year is the other one less the change.
    width : float, default 0
        List also the hidden counts whose range is at most that wide.

    Returns
    -------
    DataFrame
        ``code, annee, indicateur, valeur`` (what can be deduced; missing when a range only),
        ``minimum, maximum`` (the range left), ``moyen`` (how) and ``editions`` (where what gives it
        back is published). Empty when nothing is given back. Sums are followed for counts only: a
        rate has no sum.

    Raises
    ------
    BarometreError
        A width that is negative, evolutions without their columns.

    Notes
    -----
    The range of a hidden count is the minimum and the maximum of that count over all the
    non-negative tables that agree with what is published: two linear programs (in whole numbers
    when the counts published are), solved by HiGHS on the smallest part of the table that is tied
    to it. Where editions contradict one another (a revised total), each is then taken by itself.

    Examples
    --------
    >>> rows = pd.DataFrame(
    ...     {
    ...         "code": ["59172", "59179", "CA"],
    ...         "annee": 2021,
    ...         "indicateur": "beneficiaires_c2s",
    ...         "valeur": [None, 40.0, 47.0],
    ...         "statut": ["secret", "ok", "ok"],
    ...     }
    ... )
    >>> found = disclosures({"2025": rows}, {"59172": "CA", "59179": "CA"})
    >>> found[["code", "valeur", "moyen"]].to_numpy().tolist()
    [['59172', 7.0, 'CA moins ses autres parties']]
    """
    if not width >= 0:
        raise BarometreError(f"width : un nombre positif est attendu, pas {width}")
    rows = pd.concat(
        [_rows(edition).assign(edition=name) for name, edition in editions.items()],
        ignore_index=True,
    )
    direct = _published_elsewhere(rows)
    parts = _parts_by_edition(membership, list(editions))
    by_sums = _by_programs(rows, parts, _changes(evolutions), width) if rows.size else direct[:0]
    told = pd.MultiIndex.from_frame(direct[KEY])
    by_sums = by_sums[~pd.MultiIndex.from_frame(by_sums[KEY]).isin(told)]
    kept = [table for table in (direct, by_sums) if len(table)]
    found = pd.concat(kept, ignore_index=True) if kept else direct
    return found.drop_duplicates(KEY).reset_index(drop=True)


def _rows(edition: Edition | pd.DataFrame) -> pd.DataFrame:
    results = edition.results if isinstance(edition, Edition) else edition
    return results[[*KEY, "valeur", "statut"]]


def _published_elsewhere(rows: pd.DataFrame) -> pd.DataFrame:
    """Find the cells hidden in an edition that another one publishes."""
    hidden, known = rows[rows["statut"] == "secret"], rows[rows["statut"] == "ok"]
    both = hidden.merge(known, on=KEY, suffixes=("", "_ailleurs"))
    value = both["valeur_ailleurs"]
    return both.assign(
        valeur=value,
        minimum=value,
        maximum=value,
        moyen=_ELSEWHERE,
        editions=both["edition"] + " ; " + both["edition_ailleurs"],
    )[_COLUMNS]


def _parts_by_edition(
    membership: Membership | Mapping[str, Membership] | None, names: Sequence[str]
) -> dict[str, dict[str, frozenset[str]]]:
    """List the parts of each whole, edition by edition."""
    if membership is None:
        return {name: {} for name in names}
    given: dict[str, Any] = {str(key): value for key, value in dict(membership).items()}
    nested = [value for value in given.values() if isinstance(value, Mapping | pd.Series)]
    if not nested:
        every = _parts(given)
        return dict.fromkeys(names, every)
    unknown = set(given) - set(names)
    if unknown or len(nested) < len(given):
        raise BarometreError(
            f"membership : appartenances par édition attendues ({', '.join(names)}), pas"
            f" {', '.join(map(str, unknown)) or 'un mélange'}"
        )
    return {name: _parts(dict(given.get(name, {}))) for name in names}


def _parts(membership: Mapping[str, Wholes]) -> dict[str, frozenset[str]]:
    below: dict[str, set[str]] = {}
    for part, wholes in membership.items():
        for whole in [wholes] if isinstance(wholes, str) else wholes:
            below.setdefault(str(whole), set()).add(str(part))
    return {whole: frozenset(parts) for whole, parts in below.items()}


def _changes(evolutions: pd.DataFrame | None) -> pd.DataFrame:
    """Return the published evolutions: a code, an indicator, two years, their difference."""
    columns = ["code", "indicateur", "annee_debut", "annee_fin", "evolution"]
    if evolutions is None:
        return pd.DataFrame(columns=columns)
    absent = [name for name in columns if name not in evolutions]
    if absent:
        raise BarometreError(f"evolutions : colonnes absentes ({', '.join(absent)})")
    return evolutions[columns].dropna()


# ---- equations ----------------------------------------------------------------------------------

Cell: TypeAlias = tuple[str, int, str, str]  # code, year, indicator, edition (or "" for all)


@dataclass
class _System:
    """Sums between cells, and what is known of these."""

    known: dict[Cell, float] = field(default_factory=dict)
    hidden: set[Cell] = field(default_factory=set)
    sums: list[tuple[dict[Cell, float], float, str]] = field(default_factory=list)

    def add(self, terms: Iterable[tuple[Cell, float]], how: str) -> None:
        """Add an equation whose terms sum to zero: the known ones go to its right side."""
        unknown: dict[Cell, float] = {}
        right = 0.0
        for cell, sign in terms:
            if cell in self.known:
                right -= sign * self.known[cell]
            else:
                unknown[cell] = unknown.get(cell, 0.0) + sign
        if unknown:
            self.sums.append((unknown, right, how))


def _by_programs(
    rows: pd.DataFrame,
    parts: Mapping[str, Mapping[str, frozenset[str]]],
    changes: pd.DataFrame,
    width: float,
) -> pd.DataFrame:
    """Bound every hidden cell by what all editions say; edition by edition if they disagree."""
    together, agree = _ranges(_system(rows, parts, changes), width)
    if not agree:
        for name in parts:
            own = rows[rows["edition"] == name]
            alone, _ = _ranges(_system(own, {name: parts[name]}, changes), width)
            together += alone
    found = pd.DataFrame(together, columns=[*_COLUMNS[:-1], "cells"])
    found["editions"] = [_where(cells, rows) for cells in found.pop("cells")]
    return found.drop_duplicates(KEY)


def _system(
    rows: pd.DataFrame, parts: Mapping[str, Mapping[str, frozenset[str]]], changes: pd.DataFrame
) -> _System:
    """Write the sums of wholes and the published evolutions as equations."""
    counts = _counts()
    moved = {w for of in parts.values() for w in of
             if len({other.get(w) for other in parts.values()} - {None}) > 1}  # fmt: skip
    shown = rows[rows["statut"] == "ok"].groupby(KEY)["valeur"]
    revised = set(shown.max()[~np.isclose(shown.max(), shown.min(), rtol=_CLOSE, atol=0.0)].index)

    def cell(code: str, year: int, name: str, edition: str) -> Cell:
        own = code in moved or (code, year, name) in revised
        return code, year, name, edition if own else ""

    system = _System()
    columns = [rows[name].tolist() for name in (*KEY, "edition", "statut", "valeur")]
    for code, year, name, edition, status, value in zip(*columns, strict=True):
        at = cell(code, year, name, edition)
        if status == "ok" and value == value:
            system.known.setdefault(at, float(value))
        elif status == "secret":
            system.hidden.add(at)
    system.hidden -= set(system.known)
    given = rows[rows["indicateur"].isin(counts)]
    asked = dict.fromkeys(zip(given["annee"], given["indicateur"], given["edition"], strict=True))
    written = set()
    for year, name, edition in asked:
        for whole, below in parts[edition].items():
            at = cell(whole, int(year), name, edition)
            terms = [(at, 1.0), *((cell(p, int(year), name, edition), -1.0) for p in sorted(below))]
            if (at, below) not in written:
                written.add((at, below))
                system.add(terms, whole)
    columns = [changes[name].tolist() for name in changes]
    for code, name, start, end, change in zip(*columns, strict=True):
        first, last = (cell(code, int(year), name, "") for year in (start, end))
        moved_by = (f"évolution {start}-{end}", 0, name, code)
        system.known[moved_by] = float(change)
        system.add([(last, 1.0), (first, -1.0), (moved_by, -1.0)], moved_by[0])
    return system


def _counts() -> set[str]:
    return {name for name, card in load_cards().items() if card.nature == "effectif"}


Found: TypeAlias = "list[tuple[str, int, str, float, float, float, str, list[Cell]]]"


def _ranges(system: _System, width: float) -> tuple[Found, bool]:
    """Bound the hidden cells, block by block; tell whether everything agrees."""
    cells = list(dict.fromkeys(c for unknown, _, _ in system.sums for c in unknown))
    if not cells:
        return [], True
    place = {cell: i for i, cell in enumerate(cells)}
    entries = [(i, place[cell], sign) for i, (unknown, _, _) in enumerate(system.sums)
               for cell, sign in unknown.items()]  # fmt: skip
    line, column, sign = (np.array(values) for values in zip(*entries, strict=True))
    table = csr_array((sign.astype(float), (line, column)), (len(system.sums), len(cells)))
    right = np.array([value for _, value, _ in system.sums])
    _, block = connected_components(abs(table).T @ abs(table), directed=False)
    found: Found = []
    agree, counts = True, _counts()
    for number in np.unique(block[[place[cell] for cell in system.hidden & set(cells)]]):
        here = np.flatnonzero(block == number)
        used = np.flatnonzero(abs(table[:, here]).sum(axis=1) > 0)
        own = table[used][:, here]
        names = list(dict.fromkeys(system.sums[i][2] for i in used))
        for i in here:
            if cells[i] not in system.hidden:
                continue
            least = 0.0 if cells[i][2] in counts else -np.inf
            bounds = _bounds(own, right[used], int(np.flatnonzero(here == i)[0]), least)
            if bounds is None:
                agree = False
                break
            told = _told(cells[i], bounds, names, width)
            if told is not None:
                found.append((*told, [cells[j] for j in here]))
    return found, agree


def _bounds(
    table: csr_array, right: Floats, column: int, least: float
) -> tuple[float, float] | None:
    """Return the least and the greatest value of a cell, or None where nothing agrees.

    Counts that are all whole numbers bound whole numbers, which narrows a finite range.
    """
    low, high = (_end(table, right, column, way, least, whole=False) for way in (1.0, -1.0))
    if low is None or high is None:
        return None
    whole = least == 0 and np.allclose(right, np.round(right), rtol=0, atol=_CLOSE)
    if whole and low < high < np.inf:
        low, high = (_end(table, right, column, way, least, whole=True) for way in (1.0, -1.0))
    return None if low is None or high is None else (low, high)


def _end(
    table: csr_array, right: Floats, column: int, way: float, least: float, *, whole: bool
) -> float | None:
    """Return one end of the range of a cell: the least value (1), or the greatest one (-1)."""
    cost = np.zeros(table.shape[1])
    cost[column] = way
    solved = linprog(
        cost,
        A_eq=table,
        b_eq=right,
        bounds=(least, None),
        integrality=np.full(len(cost), int(whole)),
        method="highs",
    )
    if solved.status == 3:  # unbounded
        return way * -np.inf
    return float(way * solved.fun) if solved.status == 0 else None


def _told(
    cell: Cell, bounds: tuple[float, float], names: Sequence[str], width: float
) -> tuple[str, int, str, float, float, float, str] | None:
    """Describe a cell that is given back, or whose range is narrow; None for another."""
    low, high = bounds
    close = _CLOSE * max(1.0, abs(low))
    sure = high - low <= close
    if not sure and high - low > width + close:
        return None
    changes = [name for name in names if name.startswith("évolution")]
    wholes = [name for name in names if name not in changes]
    if len(names) == 1 and wholes:
        how = f"{wholes[0]} moins ses autres parties"
    else:
        listed = ", ".join(wholes[:_NAMED]) + ", ..." * (len(wholes) > _NAMED)
        how = " ; ".join([*([f"sommes de {listed}"] if wholes else []), *changes[:_NAMED]])
    code, year, name, _ = cell
    value = round((low + high) / 2, 6) if sure else np.nan
    return code, year, name, value, round(low, 6), round(high, 6), how


def _where(cells: Sequence[Cell], rows: pd.DataFrame) -> str:
    """Name the editions that publish the year and the indicator of a block of cells."""
    pairs = {(year, name) for _, year, name, _ in cells}
    keys = zip(rows["annee"], rows["indicateur"], strict=True)
    here = [key in pairs for key in keys]
    return " ; ".join(dict.fromkeys(rows.loc[here, "edition"]))
