"""What the ready-made indices share: components keyed by territory, in the unit of their scale."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from barometre.base.errors import BarometreError, Fault
from barometre.base.frames import check_frame
from barometre.base.french import format_number
from barometre.cards.columns import KEY
from barometre.composite.tree.bounds import Bounds

_SHOWN = 3  # territories quoted


def keyed(components: pd.DataFrame) -> pd.DataFrame:
    """Index components by their columns ``code`` and ``annee``, where they have them.

    Raises
    ------
    BarometreError
        No frame, or codes read as numbers.
    """
    check_frame(components, "composantes refusées")
    given = [name for name in KEY if name in components.columns]
    if "code" in given and len(components) and pd.api.types.is_numeric_dtype(components["code"]):
        raise BarometreError(
            "composantes refusées : codes lus comme des nombres, zéros initiaux perdus ; relire le"
            " fichier avec dtype={'code': str}"
        )
    if not given:
        return components
    return components.set_index(given, append="code" not in given)


def numbers_of(components: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Take the numeric columns of an index out of its components, as floats.

    Raises
    ------
    FaultsError
        A column absent, given twice, not numeric or infinite; a territory given twice.
    """
    return Bounds.columns_of(components, list(names))


def share_faults(values: pd.Series, scale: Iterable[float], scale_name: str) -> list[Fault]:
    """Find shares (in %) out of 0-100, or written from 0 to 1 beside a scale in %, or conversely.

    Parameters
    ----------
    values : Series of float
        Shares.
    scale : iterable of float
        Bounds or reference they will be compared with.
    scale_name : str
        What the scale is called in the message.

    Returns
    -------
    list of Fault
        At most one, that quotes the territories.
    """
    name, known, other = str(values.name), values.dropna(), list(scale)
    wrong = known[(known < 0) | (known > 100)]
    if len(wrong):
        shown = ", ".join(
            f"{code} : {format_number(share)}" for code, share in wrong[:_SHOWN].items()
        )
        return [Fault(name, f"hors de 0-100 % ({shown})", "corriger, ou NaN si inconnu")]
    if not other or known.empty:
        return []
    unit, percent = known.max() <= 1, max(other) > 1
    if unit == percent and known.max() > 0:  # zeros have any unit
        kinds = ("de 0 à 1", "en pour cent")
        problem = f"parts {kinds[not unit]} et {scale_name} {kinds[percent]}"
        return [Fault(name, problem, "donner les deux dans la même unité, en pour cent")]
    return []
