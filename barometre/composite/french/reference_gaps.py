"""Gaps of the three components of the IDT to a reference: its values, or a row of the same year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, FaultsError
from barometre.composite.french.component_frame import share_faults
from barometre.composite.score.years import YEAR

ThreeNumbers: TypeAlias = "Mapping[str, float] | pd.Series[float] | Sequence[float] | Floats"
COMPONENTS = ("part_emploi_25_54", "part_sup_bac", "revenu_median")


def three_numbers(given: object, names: Sequence[str], what: str) -> pd.Series[float]:
    """Read three numbers, by component or in their order.

    Raises
    ------
    BarometreError
        Not three finite numbers, or of other components.
    """
    if isinstance(given, Mapping | pd.Series):
        by_name = dict(given)
        if isinstance(given, pd.Series) and isinstance(given.index, pd.RangeIndex):
            by_name = dict(zip(names, given, strict=False)) if len(given) == len(names) else {}
        if lacking := [name for name in names if name not in by_name]:
            raise BarometreError(
                f"{what} refusé : {', '.join(lacking)} sans valeur ; donner {', '.join(names)}"
            )
        numbers = [by_name[name] for name in names]
    elif isinstance(given, Iterable) and not isinstance(given, str):
        numbers = list(given)
    else:
        numbers = []
    if len(numbers) != len(names):
        raise BarometreError(
            f"{what} refusé : donner trois nombres, dans l'ordre {', '.join(names)}"
        )
    try:
        values = np.array([float(number) for number in numbers])
    except (TypeError, ValueError):
        values = np.full(len(names), np.nan)
    if not np.isfinite(values).all():
        wrong = [name for name, ok in zip(names, np.isfinite(values), strict=True) if not ok]
        raise BarometreError(f"{what} refusé : {', '.join(wrong)} sans nombre fini")
    return pd.Series(values, index=list(names))


def is_three_numbers(reference: object) -> bool:
    """Tell the values of a reference from its code, or its label ``(code, annee)``."""
    if isinstance(reference, tuple):
        return len(reference) == len(COMPONENTS)
    return isinstance(reference, Mapping | pd.Series | list | np.ndarray)


def gaps_to(values: pd.DataFrame, reference: object) -> pd.DataFrame:
    """Subtract a reference: its values, or a row of the same year.

    Raises
    ------
    BarometreError
        A reference that is absent some year, or incomplete; shares in another unit.
    """
    base: pd.DataFrame | pd.Series[float]
    names = list(map(str, values))
    if is_three_numbers(reference):
        base = three_numbers(reference, names, "reference")
        scales = {name: [float(base[name])] for name in names}
    else:
        base = _rows_of(values, reference)
        scales = {name: [] for name in names}
    shares = [name for name in names if name in COMPONENTS[:2]]
    if faults := [f for n in shares for f in share_faults(values[n], scales[n], "référence")]:
        raise FaultsError("composantes refusées", faults)
    return values - base


def _rows_of(values: pd.DataFrame, code: object) -> pd.DataFrame:
    """Give each row the values of a code, at its year."""
    index = values.index
    by_year = isinstance(index, pd.MultiIndex) and YEAR in index.names
    if isinstance(code, tuple) or not by_year:
        codes, wanted = index, pd.Index(np.zeros(len(index), dtype=np.int64))
    else:
        codes = pd.Index([label[index.names.index(YEAR) == 0] for label in index])
        wanted = index.get_level_values(YEAR)
    here = np.array([label == code for label in codes], dtype=bool)
    rows, years = values[here], wanted[here]
    if lacking := sorted(set(map(str, wanted)) - set(map(str, years))):
        when = f" en {', '.join(lacking)}" if by_year and codes is not index else ""
        raise BarometreError(f"référence refusée : « {code} » n'a pas de ligne{when}")
    if rows.isna().any(axis=None):
        raise BarometreError(f"référence refusée : « {code} » n'a pas les trois composantes")
    return rows.set_axis(years).loc[wanted].set_axis(index)


def codes_of(index: pd.Index) -> pd.Index:
    """Give the codes of an index of codes, or of codes and years."""
    if isinstance(index, pd.MultiIndex) and YEAR in index.names:
        return index.get_level_values(int(index.names.index(YEAR) == 0))
    return index
