"""Whether a territory is part of another one: what makes their figures go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from barometre.datasets.places.members import Members, department_of_quarter
from barometre.tables.codes import level_of

Inside: TypeAlias = Literal["oui", "partie", "non", "inconnu"]

_LARGER = ("commune", "epci", "departement", "region", "france_metropolitaine")


def inside(codes: Sequence[str], whole: str, known: Members) -> list[Inside]:
    """Tell which territories are part of another one.

    Parameters
    ----------
    codes : sequence of str
        Codes of territories.
    whole : str
        Code of what may contain them.
    known : Members
        Who is in what.

    Returns
    -------
    list of str
        ``"oui"`` when the territory is wholly inside, ``"partie"`` when only a part of it is (a
        neighbourhood of two agglomerations), ``"non"`` when none is, ``"inconnu"`` when it cannot
        be told (a union, a neighbourhood that no list names).

    Examples
    --------
    >>> from barometre.datasets.places.members import members
    >>> inside(["59172", "QP059021", "02691", "59"], "200042190", members())
    ['oui', 'partie', 'non', 'non']
    """
    level = level_of(whole)
    if level == "union":
        return ["inconnu"] * len(codes)
    return [_one(code, whole, level, known) for code in codes]


def _one(code: str, whole: str, level: str, known: Members) -> Inside:
    mine = level_of(code)
    if mine == "union":
        return "inconnu"
    if mine == "qpv":
        return _quarter(code, whole, level, known)
    if mine in _LARGER and (level not in _LARGER or _LARGER.index(mine) >= _LARGER.index(level)):
        return "non"
    towns = known.communes
    if mine == "iris":
        towns = towns[towns.index == code[:5]]
    elif mine == "commune":
        towns = towns[towns.index == code]
    elif mine in towns:
        towns = towns[towns[mine] == code]
    if towns.empty:
        return "inconnu"
    return _share(_holds(towns, whole, level))


def _holds(towns: pd.DataFrame, whole: str, level: str) -> pd.Series[bool]:
    """Tell which communes are in a whole."""
    if level == "france_metropolitaine":
        return ~towns["departement"].str.startswith("97")
    if level == "commune":
        return pd.Series(towns.index == whole, index=towns.index)
    if level not in towns:
        return pd.Series(False, index=towns.index)
    return towns[level] == whole


def _share(held: pd.Series[bool]) -> Inside:
    return "oui" if held.all() else "partie" if held.any() else "non"


def _quarter(code: str, whole: str, level: str, known: Members) -> Inside:
    department = department_of_quarter(code)
    if level == "france_metropolitaine":
        return "non" if department.startswith("97") else "oui"
    if level == "departement":
        return "oui" if department == whole else "non"
    if level == "region":
        regions = known.communes.loc[known.communes["departement"] == department, "region"]
        return "oui" if (regions == whole).any() else "non"
    rows = known.quarters[known.quarters["code"] == code]
    if rows.empty:
        return "inconnu"
    if level == "epci":
        return _share(rows["epci"] == whole)
    towns = {town for cell in rows["communes"].fillna("") for town in str(cell).split()}
    if level != "commune" or not towns:
        return "inconnu" if level == "commune" else "non"
    return _share(pd.Series(np.array(sorted(towns)) == whole))
