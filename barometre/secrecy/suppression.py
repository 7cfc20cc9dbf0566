"""Statistical secrecy: hide small counts, and what would give them back.

Secrecy is set on counts, before shares and charts. A count under the threshold is hidden; so are
the totals that are, and further cells such that no hidden one can be deduced from the totals. The
pattern is chosen in `pattern` (by `blocks` in large tables) and checked in `intruder`: no pattern
is returned that its audit does not confirm.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import Face
from barometre.base.french import format_number
from barometre.secrecy.blocks import Table, by_blocks
from barometre.secrecy.grid import Grid, Margins, Relations, read_table
from barometre.secrecy.intruder import Intruder, Problem, System, bounds_table
from barometre.secrecy.pattern import Pattern, needs_of, optimal, protect

Method: TypeAlias = Literal["auto", "optimal", "heuristic"]
ZeroRule: TypeAlias = Literal["keep", "hide"]
ShareAxis: TypeAlias = Literal["row", "column", "total"]
Protection: TypeAlias = float | tuple[float, float] | None

PUBLISHED, PRIMARY, SECONDARY = "publie", "secret_primaire", "secret_secondaire"

_AUTO_CELLS = 800  # cells beyond which "auto" is content with the heuristic


@dataclass(frozen=True, eq=False)
class Suppressed(Face):
    """A table that can be published, and what was hidden in it.

    It prints as its summary, which tells how many cells are hidden and not which ones are small; so
    do its HTML and `to_text`.

    Attributes
    ----------
    table : DataFrame
        Counts and totals, as floats; NaN where they are hidden. The only thing to publish.
    status : DataFrame
        Same shape: ``publie``, ``secret_primaire`` (under the threshold) or ``secret_secondaire``.
        For internal use: it tells which hidden cells are small.
    audit : DataFrame
        One row per hidden cell: ``ligne``, ``colonne``, ``nature`` (its status), ``borne_inf`` and
        ``borne_sup`` (what an intruder can deduce; infinite without limit) and ``protege``. The
        counts themselves are not in it.
    threshold : float
        Threshold used.
    method : {"optimal", "heuristic"}
        How the secondary cells were chosen; ``optimal`` only if the cost is proved to be the least.
    gap : float
        Part of the cost that another pattern could save at most: 0 if optimal, NaN if unknown.
    scope : {"table", "blocs"}
        What the bounds of the audit suppose: that the intruder sees the table; or, for the tables
        protected by blocks of rows, the totals of each block as well. The true bounds are then
        as wide or wider. Every hidden cell is audited in both cases.
    """

    table: pd.DataFrame
    status: pd.DataFrame
    audit: pd.DataFrame
    threshold: float
    method: Literal["optimal", "heuristic"]
    gap: float
    scope: Literal["table", "blocs"]
    _grid: Grid = field(repr=False)

    def sentences(self) -> list[str]:
        """Return the sentences of the summary: they may be published with the table."""
        hidden, size = len(self.audit), self.table.size
        if not hidden:
            return [
                f"Aucune cellule cachée sur {size} : aucun effectif au-dessus de 0 n'est sous le"
                f" seuil de {format_number(self.threshold)}."
            ]
        known = "qui connaîtrait aussi les totaux de chaque bloc de lignes"
        seen = "qui voit le tableau" if self.scope == "table" else known
        cells = counted(hidden, "cellule cachée", "cellules cachées")
        least = "au moindre coût" if self.method == "optimal" else "de proche en proche"
        return [
            f"{cells} sur {size}, au seuil de {format_number(self.threshold)} : les petits"
            f" effectifs, et ceux qui les protègent, choisis {least}.",
            f"Audit de chacune : pour un intrus {seen}, un petit effectif peut être tout ce que son"
            " secret demande, et aucun autre n'est retrouvé.",
            "Ne sont pas couverts : d'autres tableaux sur les mêmes personnes, et qui connaît sa"
            " propre part d'un effectif.",
        ]

    def shares(
        self, axis: ShareAxis = "row", *, values: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Give the shares in per cent, hidden with their counts and with their bases.

        Parameters
        ----------
        axis : {"row", "column", "total"}, default "row"
            Base: the total of the row, of the column, or of the table. Without a total, their sum.
        values : DataFrame, optional
            Shares or rates computed elsewhere, with the same labels: they are hidden, not computed.

        Returns
        -------
        DataFrame
            Same shape as ``table``; NaN where the count or its base is hidden, and for 0 out of 0.

        Raises
        ------
        BarometreError
            An unknown axis, or ``values`` with other labels.
        """
        if axis not in get_args(ShareAxis):
            raise UnknownNameError("axe", str(axis), get_args(ShareAxis))
        counts = self.table.to_numpy()
        bases = counts
        if axis != "column":
            bases = np.tile(
                _base(bases, self._grid.column_leaves, self._grid.leaf_columns), (1, bases.shape[1])
            )
        if axis != "row":
            bases = np.tile(
                _base(bases.T, self._grid.row_leaves, self._grid.leaf_rows).T, (bases.shape[0], 1)
            )
        hidden = np.isnan(counts) | np.isnan(bases)
        if values is None:
            shares = 100 * counts / np.where(bases == 0, np.nan, bases)
            return pd.DataFrame(shares, index=self.table.index, columns=self.table.columns)
        same = values.index.isin(self.table.index).all() and len(values) == len(self.table)
        alike = values.columns.isin(self.table.columns).all()
        if not same or not alike or values.shape[1] != self.table.shape[1]:
            raise BarometreError(
                "parts refusées : leurs libellés ne sont pas ceux du tableau ; donner les mêmes"
                " lignes et colonnes, totaux compris"
            )
        placed = values.reindex(index=self.table.index, columns=self.table.columns)
        return placed.astype("float64").mask(hidden)

    def to_text(self, token: str = "s", *, decimals: int = 0) -> str:
        """Write the table as text.

        Parameters
        ----------
        token : str, default "s"
            What stands for a hidden cell.
        decimals : int, default 0
            Decimals of the counts.

        Returns
        -------
        str
        """
        return self.table.to_string(
            na_rep=token, float_format=lambda count: f"{count:.{decimals}f}".replace(".", ",")
        )


def _base(counts: Floats, held: Any, leaves: Booleans) -> Floats:
    """Take the column that holds all the leaves, or add the leaves up, as a column."""
    whole = np.flatnonzero(held.sum(axis=1) == leaves.sum())
    if len(whole):
        return counts[:, [int(whole[-1])]]
    total: Floats = counts[:, leaves].sum(axis=1, keepdims=True)  # NaN if one is hidden
    return total


def suppress(
    table: pd.DataFrame | pd.Series,
    *,
    threshold: float = 11,
    protection: Protection = None,
    margins: Margins = True,
    total: Hashable = "Ensemble",
    relations: Relations | None = None,
    method: Method = "auto",
    zero: ZeroRule = "keep",
    cost: pd.DataFrame | pd.Series | None = None,
    time_limit: float = 10,
    seed: int | None = None,
) -> Suppressed:
    """Hide the small counts of a table, and other cells so that none can be recovered.

    Parameters
    ----------
    table : DataFrame or Series
        Counts, with their totals or without. Decimals are accepted (weighted counts).
    threshold : float, default 11
        A count under it is hidden. Totals are counts.
    protection : float or pair of floats, optional
        How far below and above its count a hidden small cell must be able to be, for all that an
        intruder can deduce. By default it must be able to take every value under the threshold.
    margins : bool, "row" or "column", default True
        Whether totals are published. True: those of the table or, if it has none, a total row and
        a total column. "row": a total row only. False: none, and nothing more needs to be hidden.
    total : hashable, default "Ensemble"
        Label of the total row and of the total column.
    relations : mapping, optional
        Other totals and their parts, in rows or in columns: ``{"CA": ["Z1", "Z2"]}``. A total that
        the table lacks is added.
    method : {"auto", "optimal", "heuristic"}, default "auto"
        How to choose the secondary cells. ``auto``: the least costly pattern up to 800 cells, and
        the heuristic beyond or for tables nested in both directions. Beyond 800 cells, unless
        nested along their longer side, tables are protected by blocks of rows.
    zero : {"keep", "hide"}, default "keep"
        Whether zeros are published, or hidden as small counts.
    cost : DataFrame or Series, optional
        What hiding each cell costs, positive; infinite for a cell already published elsewhere,
        which is never hidden in addition. A total that is not named costs as much as its parts.
        By default 1, plus the count as part of the largest one: few cells first, and small ones.
    time_limit : float, default 10
        Seconds given to the optimal method; the best pattern known is returned when they are over.
    seed : int, optional
        Draws the costs at random (from 1 to 3), whatever the counts, instead of taking the small
        ones first; multiplies ``cost`` if both are given. To be kept secret: it makes it much
        harder for an intruder who runs the same program on the tables that agree with the
        published one to leave out those that would have given another pattern.

    Returns
    -------
    Suppressed
        The table to publish, the status of its cells, and the audit. An empty table gives an empty
        one. A table of a single row or column gets no total that would repeat it.

    Raises
    ------
    BarometreError
        Cells that are missing, negative, infinite or not numbers; labels given twice; totals that
        are not the sum of their parts; options out of their lists; costs that leave no protection.

    Notes
    -----
    The intruder knows the published cells, the additions, and that no hidden count is negative (nor
    zero, when zeros are published and counts are whole). That intruder does not run the program
    again: one who does, without ``seed``, may find a small count in some tables, small ones above
    all. Secondary suppression: Kelly, Golden and
    Assad (1992); Fischetti and Salazar-González (2001). A respondent who knows their own
    contribution, and the comparison with other tables, are not taken into account: tables on the
    same persons must be protected together.

    Examples
    --------
    >>> persons = pd.DataFrame({"F": [4, 30, 25], "H": [40, 35, 52]}, index=["Z1", "Z2", "Z3"])
    >>> result = suppress(persons)
    >>> print(result.to_text())
              F   H  Ensemble
    Z1        s   s        44
    Z2        s   s        65
    Z3       25  52        77
    Ensemble 59 127       186
    """
    _check_options(threshold, method, zero, time_limit, seed)
    if not isinstance(relations, Mapping | None):
        raise BarometreError("relations refusées : donner un dictionnaire, {total: [ses parties]}")
    counts, grid = read_table(table, total=total, margins=margins, relations=relations)
    values = counts.to_numpy()
    whole = bool((values == np.floor(values)).all())
    # An intruder who sees the zeros knows that a hidden person is there.
    least = grid.leaves & (values > 0) if whole and zero == "keep" else np.zeros(grid.shape)
    lowest = grid.add_up(least.astype(np.float64)).ravel()
    flat = values.ravel()
    problem = Problem(System.of(grid), flat, flat - lowest, whole)
    primary = (flat < threshold) & ((flat > 0) | (zero == "hide"))
    price = _costs(cost, counts, grid, seed)
    price[(flat == 0) & ~primary] = np.inf
    low, high = _intervals(flat, lowest, threshold, protection, whole=whole)
    pattern = _choose(problem, primary, price, (low, high), method, time_limit)
    hidden = pattern.hidden
    least_seen, most_seen = pattern.ranges or Intruder(problem, hidden).ranges()
    tolerance = problem.tolerance
    safe = np.where(
        primary,
        (least_seen <= low + tolerance) & (most_seen >= high - tolerance),
        most_seen - least_seen > tolerance,
    )
    cells = np.flatnonzero(hidden)
    if not safe[cells].all():
        raise RuntimeError("audit du secret : une cellule cachée se retrouve")
    status = np.select([primary, hidden], [PRIMARY, SECONDARY], PUBLISHED)
    audit = bounds_table(grid, cells, least_seen, most_seen)
    audit.insert(2, "nature", pd.Series(status[cells], dtype="str"))
    return Suppressed(
        table=counts.mask(hidden.reshape(grid.shape)),
        status=pd.DataFrame(status.reshape(grid.shape), grid.rows, grid.columns, dtype="str"),
        audit=audit.assign(protege=safe[cells]),
        threshold=threshold,
        method="optimal" if pattern.gap == 0 and method != "heuristic" else "heuristic",
        gap=pattern.gap,
        scope="table" if pattern.ranges is None else "blocs",
        _grid=grid,
    )


def _check_options(
    threshold: float, method: str, zero: str, time_limit: float, seed: int | None
) -> None:
    for name, value, admitted in (
        ("choix de méthode", method, get_args(Method)),
        ("traitement des zéros", zero, get_args(ZeroRule)),
    ):
        if value not in admitted:
            raise UnknownNameError(name, str(value), admitted)
    if not is_number(threshold) or threshold <= 1:
        raise BarometreError(
            f"seuil de {threshold} : rien ne serait caché ; donner un nombre supérieur à 1"
        )
    if not (is_number(time_limit) or time_limit == math.inf) or time_limit <= 0:
        raise BarometreError(f"time_limit vaut {time_limit} ; donner un nombre de secondes positif")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or seed < 0):
        # Not quoted: it is a secret.
        raise BarometreError("seed refusé ; donner un entier positif ou nul, ou rien")


def _intervals(
    counts: Floats, lowest: Floats, threshold: float, protection: Protection, *, whole: bool
) -> tuple[Floats, Floats]:
    """Give the interval that what is deduced of each small count must cover."""
    if protection is None:
        head = math.ceil(threshold) - 1.0 if whole else float(threshold)
        return lowest, np.maximum(head, lowest + 1)
    pair = protection if isinstance(protection, tuple | list) else (protection, protection)
    if len(pair) != 2 or not all(map(is_number, pair)) or not pair[0] >= 0 < pair[1]:
        raise BarometreError(
            f"protection de {protection} refusée ; donner un nombre positif, ou le couple (en"
            " dessous, au-dessus) dont le second n'est pas nul"
        )
    return np.maximum(lowest, counts - pair[0]), counts + pair[1]


def _costs(
    cost: pd.DataFrame | pd.Series | None, counts: pd.DataFrame, grid: Grid, seed: int | None
) -> Floats:
    """Read the cost of each cell; a total that is not named costs as much as its parts."""
    values = counts.to_numpy()
    drawn = 1.0 if seed is None else np.random.default_rng(seed).uniform(1, 3, values.size)
    if cost is None and seed is not None:
        return np.asarray(drawn)
    if cost is None:
        return (1 + values / max(1.0, float(values.max(initial=0.0)))).ravel()
    given = cost.to_frame(counts.columns[0]) if isinstance(cost, pd.Series) else cost
    unknown = [
        str(label)
        for axis, known in ((given.index, counts.index), (given.columns, counts.columns))
        for label in axis[~axis.isin(known)]
    ]
    try:
        numbers = given.astype("float64")
    except (TypeError, ValueError):
        numbers = given.iloc[:0].astype("float64")
        unknown.append("cellules non numériques")
    if unknown or not (numbers > 0).all(axis=None) or len(numbers) < len(given):
        raise BarometreError(
            "coûts refusés : un coût est positif (infini pour une cellule à ne pas cacher), aux"
            f" libellés du tableau ({', '.join(unknown[:5]) or 'coûts nuls, négatifs ou vides'})"
        )
    placed = numbers.reindex(index=counts.index, columns=counts.columns).to_numpy(copy=True)
    finite = np.where(np.isfinite(placed), placed, 0.0)
    dearest = float(finite.max(initial=0.0)) or 1.0
    parts = np.where(grid.leaves & np.isnan(placed), dearest, finite)
    totals = np.maximum(grid.add_up(parts * grid.leaves), dearest)
    return np.where(np.isnan(placed), totals, placed).ravel() * drawn


def _choose(
    problem: Problem,
    primary: Booleans,
    cost: Floats,
    intervals: tuple[Floats, Floats],
    method: Method,
    time_limit: float,
) -> Pattern:
    """Find the cells to hide, by the method asked for."""
    network = problem.system.ends is not None
    small = network and len(cost) <= _AUTO_CELLS
    if network and not small and method != "optimal":
        found = by_blocks(Table(problem, *intervals, primary, cost))
        if found is not None:
            return found
    if method == "optimal" and not network:
        raise BarometreError(
            "méthode « optimal » impossible : le tableau est emboîté en lignes et en colonnes, ou"
            " ses groupes se croisent ; demander « heuristic » ou « auto »"
        )
    needs = needs_of(problem, np.flatnonzero(primary), *intervals)
    start = protect(problem, needs, primary, cost, primary=primary)
    if not (start & ~primary).any():
        return Pattern(start, 0.0)
    if method == "heuristic" or (method == "auto" and not small):
        return Pattern(start, math.nan)
    best = optimal(problem, needs, primary, cost, start=start, time_limit=time_limit)
    checked = protect(problem, needs, best.hidden, cost, primary=primary)
    return best if (checked == best.hidden).all() else Pattern(checked, math.nan)
