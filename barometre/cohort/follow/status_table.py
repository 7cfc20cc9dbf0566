"""Statuses laid out by wave and person, in small integers, for counting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cohort.rows.columns import Positions
from barometre.cohort.rows.keys import positions
from barometre.cohort.rows.panel import PanelRows

Missing = Literal["drop", "state"]
Layout = npt.NDArray[Any]

ABSENT = 0
MISSING = "missing"
"""Name of the state of those who have no row or no status, when that is a state."""


@dataclass(frozen=True)
class StatusTable:
    """One row per wave, one column per person.

    ``state`` is ABSENT, or 1 + a position in ``states``; ``weight`` (None without weights) and
    ``group`` are laid out alike, in a single row when they are constant; a missing group has the
    position that follows those of ``groups``.
    """

    state: npt.NDArray[np.integer[Any]]
    weight: Floats | None
    group: npt.NDArray[np.int32]
    waves: pd.Index
    states: pd.Index
    groups: pd.Index
    grouped: bool
    missing: Missing
    met: Booleans

    @property
    def n_people(self) -> int:
        """Number of people, with or without status."""
        return int(self.state.shape[1])

    def group_at(self, wave: int) -> npt.NDArray[np.int32]:
        """Group of each person at a wave."""
        row: npt.NDArray[np.int32] = _row(self.group, wave)
        return row

    def in_group(self, wave: int) -> Booleans:
        """Whether the group of each person is known at a wave."""
        known: Booleans = self.group_at(wave) < len(self.groups)
        return known

    def cells(self, wave: int, code: Integers, size: int) -> Floats:
        """Add up the weights of people by group (rows) and code (columns), at a wave."""
        mass = None if self.weight is None else _row(self.weight, wave)
        if self.grouped:
            code = self.group_at(wave) * np.int64(size) + code
        counts = np.bincount(code, mass, (len(self.groups) + 1) * size).astype(np.float64)
        cells: Floats = counts.reshape(-1, size)[: len(self.groups)]
        return cells

    def as_counts(self, values: Floats) -> Any:
        """Write counts as integers, sums of weights as they are."""
        return values if self.weight is not None else np.rint(values).astype(np.int64)

    def stacked(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """Stack columns group by group: indexes are repeated, arrays have one row per group."""
        size = len(self.groups)
        frame = pd.DataFrame(
            {
                name: values.take(np.tile(np.arange(len(values)), size))
                if isinstance(values, pd.Index)
                else values.reshape(-1)
                for name, values in columns.items()
            }
        )
        if self.grouped and size:
            frame.insert(
                0, "group", self.groups.take(np.repeat(np.arange(size), len(frame) // size))
            )
        elif self.grouped:
            frame.insert(0, "group", self.groups)
        return frame

    def meta(self, method: str, used: Booleans, reason: str) -> dict[str, Any]:
        """Say what was used, and why the others were not."""
        unmet, gone = int((~self.met).sum()), int((self.met & ~used).sum())
        reasons = {"aucun statut connu": unmet, reason: gone}
        weights = "pondéré" if self.weight is not None else "non pondéré"
        absence = "un état" if self.missing == "state" else "écarté"
        return {
            "method": method,
            "convention": f"{weights} ; statut manquant : {absence}",
            "n_in": self.n_people,
            "n_used": int(used.sum()),
            "lost": {why: number for why, number in reasons.items() if number},
        }


def _row(layout: Layout, wave: int) -> Layout:
    row: Layout = layout[min(wave, len(layout) - 1)]
    return row


def status_table(
    panel: PanelRows,
    status: pd.Series[Any],
    *,
    by: str | None = None,
    weight: str | None = None,
    missing: Missing = "drop",
    constant: bool = False,
) -> StatusTable:
    """Lay the statuses of a panel out.

    Parameters
    ----------
    panel : PanelRows
        The rows.
    status : Series
        Status of each row.
    by, weight : str, optional
        Columns of the group and of positive weights.
    missing : {"drop", "state"}
        Whether absence is a state; everyone then has one.
    constant : bool, default False
        Give people the weight and the group of their first row at all waves.

    Raises
    ------
    BarometreError
        As `transition_counts`.
    """
    if missing not in get_args(Missing):
        raise UnknownNameError("choix missing=", str(missing), get_args(Missing))
    who, when = panel.codes
    shape = (len(panel.wave_index), panel.n_people)
    codes, states = _states(status)
    state = np.zeros(shape, np.min_scalar_type(len(states) + 1))
    state[when, who] = codes + 1
    met = (state != ABSENT).any(axis=0)
    if missing == "state" and len(states):
        if MISSING in states:
            raise BarometreError(
                f"« {MISSING} » est déjà un statut : le renommer, ou missing='drop'"
            )
        state[state == ABSENT] = len(states) + 1
        met[:] = True
        states = states.append(pd.Index([MISSING]))
    mass = None
    if weight is not None:
        weights = panel.column(weight).to_numpy(np.float64, na_value=np.nan)
        mass = _laid_out(weights, when, who, shape, constant)
    group, groups = np.zeros((1, panel.n_people), np.int32), pd.Index([None], dtype=object)
    if by is not None:
        place, groups = positions(panel.column(by), sort=True)
        place[place < 0] = len(groups)
        group = _laid_out(place.astype(np.float64), when, who, shape, constant).astype(np.int32)
    return StatusTable(
        state, mass, group, panel.wave_index, states, groups, by is not None, missing, met
    )


def _states(column: pd.Series[Any]) -> tuple[Integers, pd.Index]:
    """Number the statuses; those of a categorical column are all its categories."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.cat.codes, np.int64), column.cat.categories
    return positions(column, sort=True)


def _laid_out(
    values: Floats, when: Positions, who: Positions, shape: tuple[int, int], constant: bool
) -> Floats:
    """Lay values out by wave and person, those of the first row filling the holes.

    A single row is returned when nobody's value changes: it stands for all waves.
    """
    table = np.full(shape, np.nan)
    table[when, who] = values
    first = np.full(shape[1], np.nan)
    for row in table[::-1]:
        first = np.where(np.isnan(row), first, row)
    holes = np.isnan(table)
    if constant or (holes | (table == first)).all():
        return first[None, :]
    return np.where(holes, first, table)
