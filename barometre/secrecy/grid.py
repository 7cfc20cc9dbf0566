"""The table whose cells are to be hidden: its counts, its totals, and which cell adds up to which.

Rows and columns have labels; some labels are the sum of others (``Ensemble``, an agglomeration and
its zones). ``read_table`` is the door: it returns the counts with their totals and a ``Grid`` that
knows the additions, or raises one error that names every fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import Fault, FaultsError, counted
from barometre.base.french import format_number

Margins: TypeAlias = bool | Literal["row", "column"]
Relations: TypeAlias = Mapping[Any, Sequence[Any]]  # labels of any hashable type
Sums: TypeAlias = tuple[tuple[int, tuple[int, ...]], ...]

ADDITION_TOLERANCE = 1e-9  # relative: sums of floats do not add up to the last digit
_SHOWN = 5  # cells quoted by a fault
_NUMBERS = {"integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty"}
_TOTALS = {"all", "total", "ensemble", "tous", "toutes"}  # labels of a total under another name


@dataclass(frozen=True)
class Grid:
    """The labels of a table and their additions: each total with the positions of its parts."""

    rows: pd.Index
    columns: pd.Index
    row_sums: Sums
    column_sums: Sums

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.columns)

    @cached_property
    def row_leaves(self) -> Any:  # scipy.sparse.csr_array
        """The leaves of each row: 1 where the row of the line holds the leaf of the column."""
        return leaves_of(len(self.rows), self.row_sums)

    @cached_property
    def column_leaves(self) -> Any:
        return leaves_of(len(self.columns), self.column_sums)

    @cached_property
    def leaf_rows(self) -> Booleans:
        """The rows that are no total."""
        return _no_total(len(self.rows), self.row_sums)

    @cached_property
    def leaf_columns(self) -> Booleans:
        return _no_total(len(self.columns), self.column_sums)

    @property
    def leaves(self) -> Booleans:
        """The cells that are no total, as a table."""
        return cast("Booleans", np.outer(self.leaf_rows, self.leaf_columns))

    def add_up(self, values: Floats) -> Floats:
        """Replace every total by the sum of its leaves."""
        return np.asarray(self.row_leaves @ (self.column_leaves @ values.T).T, np.float64)

    def free(self, hidden: Booleans) -> Booleans:
        """Flag the cells without upper limit: a leaf of theirs is in hidden cells only."""
        shown = (~hidden.reshape(self.shape)).astype(np.float64)
        published = self.row_leaves.T @ (self.column_leaves.T @ shown.T).T
        leaves = self.leaves & (published == 0)
        return cast("Booleans", (self.add_up(leaves.astype(np.float64)) > 0).ravel())

    def names(self, cell: int) -> tuple[Hashable, Hashable]:
        row, column = divmod(int(cell), len(self.columns))
        return self.rows[row], self.columns[column]

    def place(self, cell: int) -> str:
        row, column = self.names(cell)
        return f"{label_text(row)} × {label_text(column)}"


def label_text(label: Hashable) -> str:
    """Write a label; the levels of a compound one are joined."""
    if isinstance(label, tuple):
        return " / ".join(str(part) for part in label if part != "")
    return str(label)


def _word(label: Hashable) -> Hashable:
    """Take a label, or the first level of a compound one."""
    return label[0] if isinstance(label, tuple) and label else label


def _no_total(size: int, sums: Sums) -> Booleans:
    flags = np.ones(size, dtype=np.bool_)
    flags[[total for total, _ in sums]] = False
    return flags


def leaves_of(size: int, sums: Sums) -> Any:
    """Count how many times each label holds each leaf, in a sparse matrix; a leaf holds itself."""
    from scipy.sparse import csr_array

    totals = dict(sums)
    held: dict[int, Counter[int]] = {}

    def one(label: int, above: tuple[int, ...]) -> Counter[int]:
        if label in above:
            raise RecursionError
        if label not in held:
            parts = totals.get(label)
            held[label] = Counter({label: 1})
            if parts is not None:
                held[label] = Counter()
                for part in parts:
                    held[label].update(one(part, (*above, label)))
        return held[label]

    rows = [one(label, ()) for label in range(size)]
    return csr_array(
        (
            np.array([times for row in rows for times in row.values()], dtype=np.float64),
            np.array([leaf for row in rows for leaf in row], dtype=np.int64),
            np.concatenate([[0], np.cumsum([len(row) for row in rows])]),
        ),
        shape=(size, size),
    )


# ---- reading -----------------------------------------------------------------------------------


@dataclass
class _Axis:
    """The labels of one side of the table, while its totals are found."""

    name: str  # ligne or colonne
    labels: list[Hashable]
    sums: dict[Hashable, list[Hashable]] = field(default_factory=dict)
    added: list[Hashable] = field(default_factory=list)

    def total(self, word: Hashable) -> Hashable | None:
        """Find the label of the total (a label alone is none), or its first level if compound."""
        for label in self.labels if len(self.labels) > 1 else ():
            if word in (label, _word(label)):
                return label
        return None

    def leaves(self) -> list[Hashable]:
        return [label for label in self.labels if label not in self.sums]

    def add_total(self, label: Hashable) -> None:
        """Make a label the sum of all: of the highest ones, or of the leaves if groups cross."""
        parts = [part for listed in self.sums.values() for part in listed]
        crossed = len(parts) != len(set(parts))
        tops = self.leaves() if crossed else [one for one in self.labels if one not in parts]
        self.sums[label] = [one for one in tops if one != label]

    def positions(self) -> Sums:
        place = {label: number for number, label in enumerate(self.labels)}
        return tuple(
            (place[total], tuple(place[part] for part in parts))
            for total, parts in self.sums.items()
            if parts
        )


def read_table(
    table: pd.DataFrame | pd.Series,
    *,
    total: Hashable,
    margins: Margins,
    relations: Relations | None,
    with_hidden: bool = False,
) -> tuple[pd.DataFrame, Grid]:
    """Check a table of counts; add the totals that it lacks, unless it has hidden cells.

    Returns
    -------
    DataFrame, Grid
        The counts as floats with their totals, and the additions between the labels.

    Raises
    ------
    FaultsError
        Labels given twice, cells that are no counts, totals that are not the sum of their parts,
        relations between unknown labels.
    """
    if isinstance(table, pd.Series):
        table = table.to_frame("effectif" if table.name is None else table.name)
    if not isinstance(table, pd.DataFrame):
        raise _refused(
            Fault("tableau", f"{type(table).__name__} reçu", "donner un DataFrame ou une Series")
        )
    if not isinstance(margins, bool) and margins not in ("row", "column"):
        raise _refused(
            Fault("margins", f"« {margins} » inconnu", "écrire True, False, 'row' ou 'column'")
        )
    counts = _counts(table, with_hidden)
    sides = _Axis("ligne", list(counts.index)), _Axis("colonne", list(counts.columns))
    if margins is False:
        for side in sides:
            side.labels = [one for one in side.labels if one != side.total(total)]
        counts = counts.loc[sides[0].labels, sides[1].labels]
    _read_relations(sides, relations or {}, with_hidden)
    _read_margins(sides, total, margins, add=not with_hidden and counts.size > 0)
    grid = _grid(sides, counts)
    full = counts.reindex(index=grid.rows, columns=grid.columns, fill_value=0.0)
    values = full.to_numpy()
    if not with_hidden:
        sums = grid.add_up(values)
        new = np.add.outer(
            grid.rows.isin(sides[0].added).astype(int),
            grid.columns.isin(sides[1].added).astype(int),
        )
        values = np.where(new > 0, sums, values)
        full = pd.DataFrame(values, index=grid.rows, columns=grid.columns)
        faults = [*_not_sums(grid, values, sums), *_disguised(sides, full)]
        if faults:
            raise _refused(*faults)
    return full, grid


def _refused(*faults: Fault) -> FaultsError:
    return FaultsError("tableau refusé", faults)


def _counts(table: pd.DataFrame, with_hidden: bool) -> pd.DataFrame:
    """Turn the cells into floats, or say which are no counts."""
    faults = []
    for axis, name in ((table.index, "lignes"), (table.columns, "colonnes")):
        twice = axis[axis.duplicated()].unique()
        if len(twice):
            faults.append(
                Fault(name, f"libellés en double : {_listed(twice)}", "additionner ou renommer")
            )
        if axis.to_frame().isna().any(axis=None):
            faults.append(Fault(name, "un libellé est vide", "nommer chaque libellé"))
    if faults:
        raise _refused(*faults)
    numbers = {}
    for column in table.columns:
        cells = table[column]
        try:
            if pd.api.types.infer_dtype(cells, skipna=True) not in _NUMBERS:
                raise TypeError  # texts, dates and complex numbers convert, but count nothing
            numbers[column] = cells.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            faults.append(
                Fault(
                    f"colonne {label_text(column)}",
                    f"de type {cells.dtype}, pas numérique",
                    "donner des nombres seulement, les libellés en index",
                )
            )
    if faults:
        raise _refused(*faults)
    data = np.column_stack(list(numbers.values())) if numbers else np.empty(table.shape)
    grid = Grid(table.index, table.columns, (), ())
    wrong = {
        "négative": (data < 0, "un effectif est positif ou nul"),
        "infinie": (np.isinf(data), "donner des effectifs"),
        "vide": (
            np.isnan(data) & (not with_hidden),
            "donner tous les effectifs : le secret ne se pose pas sur un tableau déjà troué"
            " (audit_suppression en fait l'audit) ; écrire 0 s'il n'y a personne",
        ),
    }
    for kind, (where, remedy) in wrong.items():
        if where.any():
            places = _listed([grid.place(int(cell)) for cell in np.flatnonzero(where)])
            number = counted(int(where.sum()), f"cellule {kind}", f"cellules {kind}s")
            faults.append(Fault("effectifs", f"{number} ({places})", remedy))
    if faults:
        raise _refused(*faults)
    return pd.DataFrame(data, index=table.index, columns=table.columns)


def _listed(labels: Sequence[Hashable] | pd.Index) -> str:
    shown = ", ".join(label_text(label) for label in labels[:_SHOWN])
    return shown + (f"... ({len(labels)} en tout)" if len(labels) > _SHOWN else "")


def _read_relations(sides: tuple[_Axis, _Axis], relations: Relations, with_hidden: bool) -> None:
    faults = []
    for whole, parts in relations.items():
        place = f"relations[{label_text(whole)}]"
        if isinstance(parts, str) or not list(parts):
            faults.append(Fault(place, "n'est pas une liste de parties", "écrire ['a', 'b']"))
            continue
        listed = list(parts)
        found = [side for side in sides if all(part in side.labels for part in listed)]
        if len(found) == 2:
            found = [side for side in sides if whole in side.labels]
        if len(found) != 1:
            unknown = [p for p in listed if not any(p in side.labels for side in sides)]
            problem = (
                f"libellés inconnus : {_listed(unknown)}"
                if unknown
                else "les parties ne sont pas toutes en lignes, ou toutes en colonnes, sans"
                " ambiguïté"
            )
            faults.append(
                Fault(place, problem, "nommer des libellés du tableau, les sous-totaux d'abord")
            )
            continue
        side = found[0]
        if whole in listed or len(set(listed)) < len(listed):
            faults.append(Fault(place, "une partie est en double", "la nommer une seule fois"))
        elif whole not in side.labels:
            if with_hidden:
                faults.append(Fault(place, "total absent du tableau", "le donner, même caché"))
            side.labels.append(whole)
            side.added.append(whole)
        side.sums[whole] = listed
    if faults:
        raise _refused(*faults)


def _read_margins(
    sides: tuple[_Axis, _Axis], total: Hashable, margins: Margins, *, add: bool
) -> None:
    """Find the totals; without any, add those that are asked for."""
    given = [side.total(total) is not None for side in sides]
    asked = {"row": "ligne", "column": "colonne"}
    for side in sides:
        label = side.total(total)
        wanted = margins is True or (margins is not False and asked[margins] == side.name)
        if label is not None and not wanted and margins is not False:
            raise _refused(
                Fault(
                    f"{side.name} {label_text(label)}",
                    f"reçue alors que margins = « {margins} »",
                    "la retirer du tableau, ou demander margins=True",
                )
            )
        by_itself = margins is not True or not any(given)
        # The total of a single label would only repeat it.
        if label is None and wanted and by_itself and add and _tops(side) > 1:
            depth = next((len(one) for one in side.labels if isinstance(one, tuple)), 0)
            label = (total, *[""] * (depth - 1)) if depth else total
            side.labels.append(label)
            side.added.append(label)
        if label is not None and label not in side.sums:
            side.add_total(label)


def _tops(side: _Axis) -> int:
    """Count the labels that are in no other."""
    parts = {part for listed in side.sums.values() for part in listed}
    return sum(label not in parts for label in side.labels)


def _grid(sides: tuple[_Axis, _Axis], counts: pd.DataFrame) -> Grid:
    axes: list[pd.Index] = []
    for side, axis in zip(sides, (counts.index, counts.columns), strict=True):
        if isinstance(axis, pd.MultiIndex) and side.labels:
            axes.append(
                pd.MultiIndex.from_tuples(
                    cast("list[tuple[Hashable, ...]]", side.labels), names=axis.names
                )
            )
        elif side.added:
            axes.append(pd.Index(side.labels, name=axis.name))
        else:
            axes.append(axis)
    grid = Grid(axes[0], axes[1], sides[0].positions(), sides[1].positions())
    for side, size, sums in zip(sides, grid.shape, (grid.row_sums, grid.column_sums), strict=True):
        try:
            twice = np.unique((leaves_of(size, sums) > 1).nonzero()[0])
        except RecursionError:
            raise _refused(
                Fault("relations", f"une {side.name} est partie d'elle-même", "ôter la boucle")
            ) from None
        if len(twice):
            names = _listed([side.labels[number] for number in twice])
            raise _refused(
                Fault("relations", f"parties qui se recouvrent dans {names}", "les séparer")
            )
    return grid


def _not_sums(grid: Grid, values: Floats, sums: Floats) -> Iterator[Fault]:
    scale = max(1.0, float(np.abs(values).max(initial=0.0)))
    broken = np.argwhere(np.abs(values - sums) > ADDITION_TOLERANCE * scale)
    told = [
        f"{label_text(grid.rows[i])} × {label_text(grid.columns[j])}"
        f" vaut {format_number(values[i, j])}, la somme {format_number(sums[i, j])}"
        for i, j in broken
    ]
    if told:
        yield Fault(
            "totaux",
            ", ".join(told[:20]) + (f"... ({len(told)} en tout)" if len(told) > 20 else ""),
            "corriger, donner les effectifs non arrondis, ou retirer les totaux : ils seront"
            " calculés",
        )


def _disguised(sides: tuple[_Axis, _Axis], full: pd.DataFrame) -> Iterator[Fault]:
    """Refuse a total under another name: the model would not know that it gives cells back."""
    for side, frame in zip(sides, (full, full.T), strict=True):
        leaves = frame.loc[side.leaves()].to_numpy()
        whole = leaves.sum(axis=0)
        for label, row in zip(side.leaves(), leaves, strict=True):
            word = str(_word(label))
            if word.casefold() not in _TOTALS or len(leaves) == 1 or not row.sum() > 0:
                continue
            if np.allclose(2 * row, whole, rtol=ADDITION_TOLERANCE, atol=0.0):
                yield Fault(
                    f"{side.name} {label_text(label)}",
                    "égale à la somme des autres",
                    f"la déclarer comme total : total='{word}'",
                )
