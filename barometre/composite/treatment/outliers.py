"""Outliers of indicators brought in by Winsorisation, or by a logarithm where it fails."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.base.face import Face
from barometre.composite.robust.audit_checks import spread_shape
from barometre.composite.score.levels import unit_names
from barometre.composite.treatment.described import KURTOSIS, SKEWNESS
from barometre.composite.treatment.inputs import indicators

NONE, WINSORISED, LOGGED, LEFT = "aucun", "winsorisation", "logarithme", "laissé"
_SHIFT = 0.01  # of the range, so that the lowest value has a logarithm


@dataclass(frozen=True, eq=False)
class Treatment(Face):
    """What `treat` returns.

    Attributes
    ----------
    table : DataFrame
        A row an indicator: ``traitement`` (``"aucun"``, ``"winsorisation"``, ``"logarithme"``, or
        ``"laissé"`` where neither brings it in), ``points`` Winsorised, ``asymetrie_avant``,
        ``aplatissement_avant``, ``asymetrie``, ``aplatissement``, and ``conforme``, whether it is
        within the thresholds in the end.
    cells : DataFrame
        A row a point Winsorised: ``unite``, ``indicateur``, ``cote`` (``"haut"`` or ``"bas"``),
        ``avant``, ``apres``.
    frame : DataFrame, units x indicators
        Treated values; those of an indicator under logarithm are in another unit.
    """

    table: pd.DataFrame
    cells: pd.DataFrame
    frame: pd.DataFrame

    def sentences(self) -> list[str]:
        """Say what was done to which indicator and which unit."""
        done = self.table[self.table["traitement"] != NONE]
        lines = [
            f"{counted(len(self.table), 'indicateur examiné', 'indicateurs examinés')},"
            f" {len(done)} avec des valeurs extrêmes."
        ]
        for name, cells in self.cells.groupby("indicateur", sort=False):
            units = ", ".join(cells["unite"])
            lines.append(
                f"« {name} » : {counted(len(cells), 'point ramené', 'points ramenés')} ({units})."
            )
        for label, row in done.iterrows():
            if row["traitement"] == LOGGED:
                more = "" if row["conforme"] else ", encore hors des seuils"
                lines.append(f"« {label} » : logarithme de tous les points{more}.")
            elif row["traitement"] == LEFT:
                lines.append(f"« {label} » : laissé tel quel, rien ne le ramène dans les seuils.")
        return lines


def treat(
    frame: pd.DataFrame,
    *,
    points: int = 5,
    skewness: float = SKEWNESS,
    kurtosis: float = KURTOSIS,
) -> Treatment:
    """Bring the outliers of each indicator in: Winsorise some points, else take a logarithm.

    Parameters
    ----------
    frame : DataFrame, units x indicators
        Raw values, NaN where missing.
    points : int, default 5
        Most points Winsorised in an indicator, both sides together; 0 for the logarithm at once.
    skewness, kurtosis : float, default 2 and 3.5
        Both passed (skewness in absolute value): outliers.

    Returns
    -------
    Treatment
        Treated values, what was done to each indicator, and to which units.

    Raises
    ------
    BarometreError
        A column that is no number, an option that is none.

    Notes
    -----
    ``Treat`` of COINr with its defaults (Becker et al., 2022, JOSS 7(78); COIN tool of the Joint
    Research Centre). While there are outliers, the highest point (the lowest, where the skewness is
    negative) takes the value of the next one; tied points move together. Where outliers are left,
    the raw values ``x`` become ``log(x - min + 0.01 (max - min))``. Unlike COINr, a group of ties
    never passes ``points``, no indicator becomes constant, and a logarithm that does not lessen the
    skewness is not taken.

    Examples
    --------
    >>> frame = pd.DataFrame({"taux": [*range(1, 11), 30, 100]})
    >>> print(treat(frame))
    1 indicateur examiné, 1 avec des valeurs extrêmes.
    « taux » : 1 point ramené (11).
    """
    values = indicators(frame, "traitement refusé")
    if isinstance(points, bool) or not isinstance(points, int | np.integer) or points < 0:
        raise BarometreError(f"points={points!r} refusé : donner un nombre entier, positif ou nul")
    for option, limit in (("skewness", skewness), ("kurtosis", kurtosis)):
        if not is_number(limit):
            raise BarometreError(f"{option}={limit!r} refusé : donner un nombre")
    units = unit_names(frame.index)
    rows: list[tuple[str, int, float, float, float, float, bool]] = []
    cells: list[tuple[str, Hashable, str, float, float]] = []
    treated: dict[Hashable, Floats] = {}
    for name in values:
        raw = values[name].to_numpy()
        word, after = _treated(raw, int(points), (skewness, kurtosis))
        moved = np.flatnonzero((after != raw) & ~np.isnan(raw) & (word == WINSORISED))
        for i in moved:
            side = "haut" if after[i] < raw[i] else "bas"
            cells.append((units[i], name, side, raw[i], after[i]))
        end = spread_shape(after)
        inside = not _extreme(after, (skewness, kurtosis))
        rows.append((word, len(moved), *spread_shape(raw), *end, inside))
        treated[name] = after
    table = pd.DataFrame(
        rows,
        index=values.columns.rename("indicateur"),
        columns=["traitement", "points", "asymetrie_avant", "aplatissement_avant", "asymetrie",
                 "aplatissement", "conforme"],
    )  # fmt: skip
    changed = pd.DataFrame(cells, columns=["unite", "indicateur", "cote", "avant", "apres"])
    return Treatment(table, changed, pd.DataFrame(treated, index=frame.index))


def _extreme(values: Floats, limits: tuple[float, float]) -> bool:
    skewness, kurtosis = spread_shape(values)
    return bool(abs(skewness) > limits[0] and kurtosis > limits[1])


def _treated(raw: Floats, points: int, limits: tuple[float, float]) -> tuple[str, Floats]:
    """Choose the treatment of one indicator."""
    if not _extreme(raw, limits):
        return NONE, raw
    winsorised = _winsorised(raw, points, limits)
    if not _extreme(winsorised, limits):
        return WINSORISED, winsorised
    low, high = np.nanmin(raw), np.nanmax(raw)
    logged = np.log(raw - low + _SHIFT * (high - low))
    # a logarithm of two values is a change of unit: the shape stays, to rounding
    if abs(spread_shape(logged)[0]) < abs(spread_shape(raw)[0]) * (1 - 1e-9):
        return LOGGED, logged
    return LEFT, raw


def _winsorised(raw: Floats, points: int, limits: tuple[float, float]) -> Floats:
    """Bring the extreme points to the next one, while there are outliers and points are left."""
    values = raw.copy()
    while _extreme(values, limits):
        high = spread_shape(values)[0] > 0
        edge = values == (np.nanmax(values) if high else np.nanmin(values))
        others = values[~edge & ~np.isnan(values)]
        moved = edge | ((values != raw) & ~np.isnan(raw))
        if moved.sum() > points or others.min() == others.max():
            break
        values[edge] = others.max() if high else others.min()
    return values
