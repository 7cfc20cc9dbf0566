"""Missing values of indicators filled by the mean or the median of a group."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import UnknownNameError, counted
from barometre.base.face import Face
from barometre.composite.score.levels import unit_names
from barometre.composite.treatment.inputs import indicators

Filling: TypeAlias = Literal["mean", "median"]

_WORDS = {"mean": "moyenne", "median": "médiane"}


@dataclass(frozen=True, eq=False)
class Imputation(Face):
    """What `impute` returns.

    Attributes
    ----------
    table : DataFrame
        A row an imputed cell: ``unite``, ``indicateur``, ``groupe`` (empty without groups),
        ``valeur``, and ``sur``, the number of known values that it comes from.
    frame : DataFrame
        The frame, its missing values filled; the column of groups as given.
    left : int
        Missing values left: their unit has no group, or their group no value.
    method : {"mean", "median"}
        What fills a missing value.
    by : str
        Column of the groups; empty without.
    """

    table: pd.DataFrame
    frame: pd.DataFrame
    left: int
    method: Filling
    by: str

    def sentences(self) -> list[str]:
        """Say how many values are imputed, where, and how many are left."""
        group = f" par « {self.by} »" if self.by else " de toutes les unités"
        number = counted(len(self.table), "valeur imputée", "valeurs imputées")
        lines = [f"{number} ({_WORDS[self.method]}{group})."]
        if len(self.table):
            per = self.table["indicateur"].value_counts(sort=False)
            lines.append(f"Par indicateur : {', '.join(f'{n} {per[n]}' for n in per.index)}.")
        if self.left:
            number = counted(self.left, "valeur encore absente", "valeurs encore absentes")
            lines.append(f"{number} : unité sans groupe, ou groupe sans valeur.")
        return lines


def impute(frame: pd.DataFrame, *, by: str | None = None, method: Filling = "mean") -> Imputation:
    """Fill the missing values of each indicator by the mean or the median of the unit's group.

    Parameters
    ----------
    frame : DataFrame, units x indicators
        Raw values, NaN where missing, and the column of groups.
    by : str, optional
        Column of the groups; by default all the units are one.
    method : {"mean", "median"}, default "mean"
        Of the known values of the group.

    Returns
    -------
    Imputation
        The frame filled, and the list of imputed cells. A value whose unit has no group, or whose
        group has none, stays missing and is counted.

    Raises
    ------
    BarometreError
        A column that is no number or is absent, another method.

    Notes
    -----
    ``i_mean_grp`` and ``i_median_grp`` of COINr; *Handbook on Constructing Composite Indicators*
    (OECD and JRC, 2008), step 3, which recalls that an imputed mean lessens the spread and that its
    effect on ranks is to be looked at: score the index with and without.

    Examples
    --------
    >>> frame = pd.DataFrame({"zone": ["a", "a", "b", "a"], "taux": [1.0, 4.0, 9.0, None]})
    >>> print(impute(frame, by="zone"))
    1 valeur imputée (moyenne par « zone »).
    Par indicateur : taux 1.
    """
    if method not in get_args(Filling):
        raise UnknownNameError("moyenne", str(method), get_args(Filling))
    values = indicators(frame, "imputation refusée", () if by is None else (by,))
    groups = pd.Series("", index=frame.index) if by is None else frame[by]
    # by position: the units may bear one name twice
    numbers, names = pd.factorize(groups)
    filled = frame.copy()
    cells: list[tuple[str, Hashable, Hashable, float, int]] = []
    units, left = unit_names(frame.index), 0
    for name in values:
        column = values[name].to_numpy(copy=True)
        known = ~np.isnan(column)
        grouped = pd.Series(column[known]).groupby(numbers[known])
        centres = grouped.mean() if method == "mean" else grouped.median()
        sizes = grouped.size()
        for i in np.flatnonzero(~known):
            group = numbers[i]
            if group < 0 or group not in centres.index:
                left += 1
                continue
            column[i] = centres.loc[group]
            cells.append((units[i], name, names[group], column[i], sizes.loc[group]))
        filled[name] = column
    table = pd.DataFrame(cells, columns=["unite", "indicateur", "groupe", "valeur", "sur"])
    return Imputation(table, filled, left, method, "" if by is None else str(by))
