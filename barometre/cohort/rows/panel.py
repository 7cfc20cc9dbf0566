"""The rows of a cohort: checked once, numbered once, read by name or by role."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError
from barometre.cohort.rows.checks import (
    CohortError,
    arm_faults,
    checked_columns,
    column_faults,
    panel_faults,
)
from barometre.cohort.rows.columns import as_arm, as_codes, require_columns
from barometre.cohort.rows.keys import has_order, positions

_HOW = {
    "arm": ", et treated=... si ses valeurs ne sont pas 0 et 1",
    "first_treated": ", vide ou 0 pour qui n'est jamais traité",
}
ROLES = ("person", "wave", "arm", "first_treated", "cluster", "zone", "weight", "status")


class Codes(NamedTuple):
    """Positions of the person and of the wave of each row."""

    person: Integers
    wave: npt.NDArray[np.int32]


class PanelRows:
    """One row per person and wave, and the columns that play a role: see `people.Cohort`."""

    def __init__(
        self,
        frame: pd.DataFrame,
        person: str,
        wave: str,
        arm: str | None = None,
        first_treated: str | None = None,
        cluster: str | None = None,
        zone: str | None = None,
        weight: str | None = None,
        status: str | None = None,
        *,
        treated: object = None,
    ) -> None:
        roles = {
            "person": person,
            "wave": wave,
            "arm": arm,
            "first_treated": first_treated,
            "cluster": cluster,
            "zone": zone,
            "weight": weight,
            "status": status,
        }
        self.frame = checked_columns(frame, roles)
        self.person, self.wave, self.arm, self.first_treated = person, wave, arm, first_treated
        self.cluster, self.zone, self.weight, self.status = cluster, zone, weight, status
        self.treated = treated
        faults = [*column_faults(self.frame, roles), *arm_faults(self.frame, arm, treated)]
        if has_order(self.frame[wave]):
            faults += panel_faults(self.frame, roles, *self.codes, len(self.waves))
        if faults:
            raise CohortError("cohorte refusée", faults)

    def __repr__(self) -> str:
        sizes = f"{self.n_people} personnes, {len(self.waves)} vagues, {len(self.frame)} lignes"
        return f"Cohort({sizes})"

    # ---- who and when ---------------------------------------------------------------------------

    @cached_property
    def codes(self) -> Codes:
        """Positions of the person (in ``people``) and of the wave (in ``waves``) of each row."""
        person, _ = self._people
        wave, _ = self._waves
        return Codes(person, wave)

    @property
    def people(self) -> pd.Index:
        """The people, in the order of their positions."""
        return self._people[1]

    @property
    def waves(self) -> npt.NDArray[Any]:
        """The waves, in order."""
        return np.asarray(self._waves[1])

    @property
    def wave_index(self) -> pd.Index:
        """The waves, in order, as they are written: periods and labels keep their type."""
        return self._waves[1]

    @property
    def n_people(self) -> int:
        """Number of people."""
        return len(self.people)

    @property
    def is_balanced(self) -> bool:
        """Whether everyone has a row at every wave."""
        return len(self.frame) == self.n_people * len(self.waves)

    @cached_property
    def _people(self) -> tuple[Integers, pd.Index]:
        codes, people = positions(self.frame[self.person])
        return codes, people.rename(self.person)

    @cached_property
    def _waves(self) -> tuple[npt.NDArray[np.int32], pd.Index]:
        codes, waves = positions(self.frame[self.wave], sort=True)
        return codes.astype(np.int32), waves

    @cached_property
    def cluster_codes(self) -> tuple[Integers, pd.Index]:
        """Positions of the cluster of each row, and the clusters; refused without such a column."""
        return as_codes(self.role("cluster"), str(self.cluster))

    @cached_property
    def first_rows(self) -> Integers:
        """Row of the first wave of each person, in the order of ``people``."""
        person, wave = self.codes
        first = np.full(self.n_people, len(self.waves), np.int32)
        np.minimum.at(first, person, wave)
        rows = np.flatnonzero(wave == first[person])
        found = np.empty(self.n_people, np.int64)
        found[person[rows]] = rows
        return found

    def baseline(self, column: str) -> pd.Series[Any]:
        """Return the value of a column at the first wave of each person.

        Parameters
        ----------
        column : str
            A column of the frame, or a role (``"zone"``).

        Returns
        -------
        Series
            One value per person, indexed by person; missing when it is missing at that wave.

        Examples
        --------
        >>> from barometre.cohort import Cohort
        >>> rows = pd.DataFrame({"id": [1, 1, 2], "year": [2025, 2024, 2024], "qp": list("bac")})
        >>> cohort = Cohort(rows, person="id", wave="year")
        >>> rows.assign(qp0=rows["id"].map(cohort.baseline("qp")))["qp0"].tolist()
        ['a', 'a', 'c']
        """
        return self.column(column).iloc[self.first_rows].set_axis(self.people)

    @cached_property
    def in_treated_arm(self) -> Floats:
        """1 for the rows of treated people, 0 for those of the others; refused without arms."""
        return as_arm(self.role("arm"), str(self.arm), self.treated)

    @property
    def entries(self) -> pd.Series[Any]:
        """Wave of the first treatment, on each row; refused without such a column."""
        return self.role("first_treated")

    def column(self, name: str) -> pd.Series[Any]:
        """Return a column, by its name or by its role.

        Raises
        ------
        BarometreError
            A role that this cohort has not, no column of that name.
        """
        if name not in self.frame and name in ROLES:
            return self.role(name)
        require_columns(self.frame, [name])
        return self.frame[name]

    def role(self, name: str) -> pd.Series[Any]:
        """Return the column that plays a role; the error is the same for all verbs that need it."""
        column: str | None = getattr(self, name)
        if column is None:
            raise BarometreError(
                f"cohorte sans {name} : le donner, Cohort(..., {name}=...){_HOW.get(name, '')}"
            )
        return self.frame[column]

    @property
    def statuses(self) -> pd.Series[Any]:
        """The status of each row; refused without a column that plays this role."""
        return self.role("status")
