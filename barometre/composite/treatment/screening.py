"""Units kept for an index by how many of its indicators they have."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from barometre.base.errors import BarometreError, counted
from barometre.base.face import Face, percent_text
from barometre.composite.score.levels import unit_names
from barometre.composite.treatment.described import is_share
from barometre.composite.treatment.inputs import indicators

_SHOWN = 5  # units quoted


@dataclass(frozen=True, eq=False)
class Screening(Face):
    """What `screen` returns.

    Attributes
    ----------
    table : DataFrame
        A row a unit: ``manquants``, ``zeros``, ``disponibilite`` (share of the indicators,
        from 0 to 1), ``non_nuls`` (share of those known), ``garde`` and ``raison``, empty for a
        unit kept.
    frame : DataFrame
        The units kept, as given.
    min_share : float
        The least availability.
    """

    table: pd.DataFrame
    frame: pd.DataFrame
    min_share: float

    def sentences(self) -> list[str]:
        """Say how many units are kept, and which are not."""
        units = counted(len(self.table), "unité")
        verb = "gardée" if len(self.frame) < 2 else "gardées"
        first = (
            f"{units} examinée{'s' * (len(self.table) > 1)}, {len(self.frame)} {verb} (au moins"
            f" {percent_text(self.min_share)} des indicateurs)."
        )
        out = self.table[~self.table["garde"]]
        if out.empty:
            return [first]
        named = [
            f"{name} ({reason})"
            for name, reason in zip(unit_names(out.index), out["raison"], strict=True)
        ]
        more = f" ; et {len(named) - _SHOWN} de plus" if len(named) > _SHOWN else ""
        return [first, f"Laissées de côté : {' ; '.join(named[:_SHOWN])}{more}."]


def screen(frame: pd.DataFrame, min_share: float, *, min_nonzero: float = 0.0) -> Screening:
    """Keep the units that have enough of the indicators, and say why the others are left out.

    Parameters
    ----------
    frame : DataFrame, units x indicators
        Raw values, NaN where missing.
    min_share : float
        Least share of the indicators that a unit must have, from 0 to 1.
    min_nonzero : float, default 0
        Least share of the known indicators that are not zero.

    Returns
    -------
    Screening
        The units kept, and a row a unit with its availability and the reason.

    Raises
    ------
    BarometreError
        A column that is no number, no indicator, a share that is none.

    Notes
    -----
    Screening of ``Screen`` of COINr (``byNA``, and ``byzeros`` with ``min_nonzero``): a unit at the
    limit is kept.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2], "b": [3, None], "c": [0, None]}, index=["x", "y"])
    >>> print(screen(frame, 0.5))
    2 unités examinées, 1 gardée (au moins 50,0 % des indicateurs).
    Laissées de côté : y (1 indicateur sur 3).
    """
    values = indicators(frame, "tri refusé")
    for name, limit in (("min_share", min_share), ("min_nonzero", min_nonzero)):
        if not is_share(limit):
            raise BarometreError(f"{name}={limit!r} refusé : donner une part, de 0 à 1")
    number = values.shape[1]
    if not number:
        raise BarometreError("tri refusé : aucun indicateur dans la table")
    missing, zeros = values.isna().sum(axis=1), (values == 0).sum(axis=1)
    known = number - missing
    # counts against counts: 0.1 * 30 is a hair over 3
    few = known < min_share * number * (1 - 1e-12)
    null = known - zeros < min_nonzero * known * (1 - 1e-12)
    reasons = [
        ", ".join(
            [f"{counted(n, 'indicateur')} sur {number}"] * bool(a)
            + [f"{counted(z, 'zéro')} sur {n}"] * bool(b)
        )
        for n, a, z, b in zip(known, few, zeros, null, strict=True)
    ]
    kept = ~(few | null)
    table = pd.DataFrame(
        {
            "manquants": missing,
            "zeros": zeros,
            "disponibilite": known / number,
            "non_nuls": (known - zeros) / known.where(known > 0),
            "garde": kept,
            "raison": pd.Series(reasons, index=values.index, dtype="str"),
        }
    )
    return Screening(table, frame[kept.to_numpy()], float(min_share))
