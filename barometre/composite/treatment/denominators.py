"""Indicators divided by a size: what is counted becomes comparable between units."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Floats
from barometre.base.errors import Fault, FaultsError, counted
from barometre.base.face import Face
from barometre.base.frames import check_frame
from barometre.composite.score.levels import unit_names
from barometre.composite.treatment.inputs import indicators

_SHOWN = 5  # units quoted


@dataclass(frozen=True, eq=False)
class Denominated(Face):
    """What `denominate` returns.

    Attributes
    ----------
    table : DataFrame
        A row an indicator: ``denominateur``, empty where it is as given, ``multiplicateur``,
        ``correlation_avant`` and ``correlation`` with the denominator (Pearson), and ``sans``, the
        number of units whose value is lost, their denominator being missing or zero.
    frame : DataFrame, units x indicators
        The values divided, the others as given; the denominators are not among them.
    cells : DataFrame
        A row a value lost: ``unite``, ``indicateur``, ``raison``.
    """

    table: pd.DataFrame
    frame: pd.DataFrame
    cells: pd.DataFrame

    def sentences(self) -> list[str]:
        """Say what is divided by what, and what is lost."""
        done = self.table[self.table["denominateur"] != ""]
        lines = [
            f"{counted(len(self.table), 'indicateur')}, dont {len(done)} rapportés à une taille."
        ]
        for name, rows in done.groupby("denominateur", sort=False):
            lines.append(f"Par « {name} » : {', '.join(map(str, rows.index))}.")
        if len(self.cells):
            names = list(dict.fromkeys(self.cells["unite"]))
            more = f" et {len(names) - _SHOWN} de plus" if len(names) > _SHOWN else ""
            lost = counted(len(self.cells), "valeur perdue", "valeurs perdues")
            lines.append(f"{lost}, faute de dénominateur : {', '.join(names[:_SHOWN])}{more}.")
        return lines


def denominate(
    frame: pd.DataFrame,
    by: Mapping[str, str],
    *,
    sizes: pd.DataFrame | None = None,
    scale: float | Mapping[str, float] = 1.0,
) -> Denominated:
    """Divide indicators by the size of the unit: inhabitants, households, area...

    Parameters
    ----------
    frame : DataFrame, units x indicators
        Raw values, NaN where missing.
    by : mapping of str to str
        Denominator of each indicator to be divided; the others stay as they are.
    sizes : DataFrame, optional
        Denominators under the same units; by default they are columns of the frame.
    scale : float or mapping of str to float, default 1
        What the ratio is multiplied by, such as 1 000 for a number per thousand inhabitants: one
        for all, or one by indicator (1 where it is not named).

    Returns
    -------
    Denominated
        The frame divided, without its denominators, and a row an indicator. A missing or zero
        denominator leaves no value, and is listed.

    Raises
    ------
    BarometreError
        A column absent or that is no number, a negative denominator, units that ``sizes`` does not
        have, a scale that is no positive number.

    Notes
    -----
    ``Denominate`` of COINr; *Handbook on Constructing Composite Indicators* (OECD and JRC, 2008),
    step 5. Left as it is, a count follows the size of the unit: the table gives both correlations.

    Examples
    --------
    >>> frame = pd.DataFrame({"crimes": [20, 30], "habitants": [1000, 3000]}, index=["a", "b"])
    >>> denominate(frame, {"crimes": "habitants"}, scale=1000).frame["crimes"].tolist()
    [20.0, 10.0]
    """
    title = "rapport à une taille refusé"
    factors = _factors(scale, by, title)
    check_frame(frame, title, list(by))
    values = indicators(frame, title)
    divisors = _sizes(values if sizes is None else indicators(sizes, title), by, frame.index, title)
    units = unit_names(frame.index)
    inside = [] if sizes is not None else [name for name in divisors if name not in by]
    kept = values.drop(columns=inside)
    rows: list[tuple[str, float, float, float, int]] = []
    cells: list[tuple[str, Hashable, str]] = []
    for name in kept:
        if name not in by:
            rows.append(("", 1.0, np.nan, np.nan, 0))
            continue
        raw, size = values[name].to_numpy(), divisors[by[str(name)]].to_numpy()
        known = ~np.isnan(raw)
        ratio = np.full(len(raw), np.nan)
        np.divide(raw * factors.get(str(name), 1.0), size, out=ratio, where=size > 0)
        lost = np.flatnonzero(known & ~(size > 0))
        reasons = np.where(np.isnan(size), "dénominateur absent", "dénominateur nul")
        cells += [(units[i], name, str(reasons[i])) for i in lost]
        ends = (_correlation(raw, size), _correlation(ratio, size))
        rows.append((by[str(name)], factors.get(str(name), 1.0), *ends, len(lost)))
        kept[name] = ratio
    columns = ["denominateur", "multiplicateur", "correlation_avant", "correlation", "sans"]
    table = pd.DataFrame(rows, index=kept.columns.rename("indicateur"), columns=columns)
    return Denominated(table, kept, pd.DataFrame(cells, columns=["unite", "indicateur", "raison"]))


def _factors(
    scale: float | Mapping[str, float], by: Mapping[str, str], title: str
) -> dict[str, float]:
    factors = dict(scale) if isinstance(scale, Mapping) else dict.fromkeys(by, scale)
    faults = [
        Fault(f"scale de « {name} »", repr(value), "donner un nombre positif")
        for name, value in factors.items()
        if not (is_number(value) and value > 0)
    ]
    faults += [
        Fault(f"scale de « {name} »", "indicateur sans dénominateur", "le nommer dans by")
        for name in factors
        if name not in by
    ]
    if faults:
        raise FaultsError(title, faults)
    return factors


def _sizes(sizes: pd.DataFrame, by: Mapping[str, str], units: pd.Index, title: str) -> pd.DataFrame:
    """Return the denominators on the rows of the units."""
    names = list(dict.fromkeys(by.values()))
    check_frame(sizes, title, names)
    faults = []
    if not sizes.index.equals(units):
        absent = units[~units.isin(sizes.index)] if sizes.index.is_unique else units
        if len(absent):
            shown = ", ".join(unit_names(absent[:_SHOWN]))
            faults.append(
                Fault("sizes", f"sans ces unités, une fois chacune : {shown}", "les ajouter")
            )
    faults += [
        Fault(name, "dénominateur négatif", "le corriger ou le vider")
        for name in names
        if (sizes[name] < 0).any()
    ]
    if faults:
        raise FaultsError(title, faults)
    return sizes[names] if sizes.index.equals(units) else sizes[names].reindex(units)


def _correlation(one: Floats, other: Floats) -> float:
    known = ~(np.isnan(one) | np.isnan(other))
    if known.sum() < 3 or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        return float("nan")
    return float(np.corrcoef(one[known], other[known])[0, 1])
