"""Differences between territories, and what is favourable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.texts import Numbered, Texts, written_by_blocks
from barometre.cards.schema import UNITS
from barometre.compare.proof.sides import APPRECIATIONS, difference_bounds, judged
from barometre.compare.proof.verdicts import Face, default_verdicts, facing
from barometre.compare.rows import (
    NOISE,
    REASONS,
    SAME,
    Rows,
    check_references,
    checked_rows,
    joint_origin,
    worst_quality,
)
from barometre.engine.results import TOO_FEW

Position = Literal["inférieur", "proche", "supérieur"]
POSITIONS: tuple[Position, ...] = get_args(Position)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that is not a share: 0.05 is 5 %."""
    if not is_number(tolerance) or not 0 <= tolerance < 1:
        raise BarometreError(
            f"tolerance={tolerance!r} refusée : donner une part entre 0 et 1 (0.05 pour 5 %)"
        )


GAP_UNITS = {name: words[0] for name, words in UNITS.items()} | {"pourcent": "points"}
"""Unit of a difference between two territories, by unit of the indicator."""

MONTHLY_UNITS = GAP_UNITS | {"euros_par_an": "€ par mois et par UC"}
"""The same where yearly amounts are given by month."""


_TOLD_GRADES = {"C": "valeur imprécise (classe C)", "D": TOO_FEW}


def by_month(rows: Rows) -> Rows:
    """Give yearly amounts by month, with their bounds: all figures of a row have one unit."""
    yearly = rows.by_card((card.unite == "euros_par_an" for card in rows.cards), rows.card)
    months = np.where(yearly.astype(bool), 12.0, 1.0)
    columns = ("valeur", "borne_inf", "borne_sup")
    return replace(rows, frame=rows.frame.assign(**{c: rows.frame[c] / months for c in columns}))


def gap(
    results: pd.DataFrame,
    reference: str | Iterable[str],
    *,
    tolerance: float = 0.05,
    monthly: bool = False,
) -> pd.DataFrame:
    """Compare every territory with one or several references.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them, the rows of the references among them.
    reference : str or iterable of str
        Codes or names of the references: the agglomeration, the department, ``"METRO"``.
    tolerance : float, default 0.05
        Relative distance up to which, inclusive, a value is ``"proche"`` of the reference.
    monthly : bool, default False
        Give yearly amounts by month: every figure of the row, in ``unite``.

    Returns
    -------
    DataFrame
        One row per territory, year, indicator and reference (a reference is not compared with
        itself), reference by reference in the order of the results; empty for empty results.

        - ``valeur``, ``valeur_reference``: as in the results.
        - ``ecart``: territory minus reference, before any rounding, in the unit ``unite``: that of
          the values, points for percentages. Missing when one of the two is absent.
        - ``ecart_inf``, ``ecart_sup``: its bounds, when both values have bounds; else missing.
        - ``rapport``: territory over reference, missing for a reference of 0, also where both are
          0: the difference is then 0, the two are ``egal`` and ``proche``.
        - ``appreciation``: ``favorable``, ``defavorable`` or ``egal`` by the direction of the card,
          ``neutre`` for an indicator without direction.
        - ``classe``: ``inférieur``, ``proche`` or ``supérieur`` to the reference, whatever the
          direction; only 0 is close to 0.
        - ``verdict``, ``preuve``: whether the difference is established, and by what, as `judge`
          says by default; ``classe`` proves nothing.
        - ``seuil_bas``, ``seuil_haut``: limits of ``proche``, in the unit of the values.
        - ``statut``: ``ok``, or the stronger reason of the two (``secret`` first);
          ``non_disponible`` when the reference has no row for that year and indicator.
        - ``qualite``: the worse of the two; ``origine``: ``publie`` only if both are; ``note``.

    Raises
    ------
    BarometreError
        A reference that is not in the results, a tolerance out of [0, 1).
    FaultsError
        Results that are refused (keys given twice, values that are no numbers...).
    UnknownNameError
        An indicator of no card.

    Notes
    -----
    The bounds are Newcombe's (1998) square-and-add for independent samples; of exhaustive registers
    they are the limits that rounding allows. A territory and the whole that contains it are not
    independent: their estimates go together, and the bounds are then wider than needed.

    Examples
    --------
    >>> medians = pd.DataFrame(
    ...     {
    ...         "code": ["QP059058", "200042190"],
    ...         "annee": 2020,
    ...         "indicateur": "niveau_de_vie_median",
    ...         "valeur": [16500.0, 19000.0],
    ...     }
    ... )
    >>> found = gap(medians, "200042190").loc[0]
    >>> round(float(found["ecart"]), 2), found["unite"], found["classe"], found["appreciation"]
    (-2500.0, '€ par an et par UC', 'inférieur', 'defavorable')
    >>> round(float(gap(medians, "200042190", monthly=True)["ecart"].iloc[0]), 2)
    -208.33
    """
    check_tolerance(tolerance)
    rows = by_month(checked_rows(results)) if monthly else checked_rows(results)
    parts = [_gap(rows, code, tolerance, monthly) for code in check_references(rows, reference)]
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _gap(rows: Rows, reference: str, tolerance: float, monthly: bool) -> pd.DataFrame:
    face = facing(rows, reference)
    columns = written_by_blocks(
        len(face.here), lambda some: _columns(face.at(some), tolerance, monthly)
    )
    return pd.DataFrame(columns, copy=False)


def _columns(face: Face, tolerance: float, monthly: bool) -> dict[str, Texts | npt.NDArray[Any]]:
    rows, here, there, cards = face.rows, face.here, face.there, face.cards
    words = MONTHLY_UNITS if monthly else GAP_UNITS
    certain = rows.certain(here) & rows.certain(there)
    first, second = rows.bounded(here), rows.bounded(there)
    value, other = first[0], second[0]
    difference = value - other
    low, high = difference_bounds(first, second, certain)
    room = tolerance * np.abs(other)
    reason = np.maximum(
        rows.positions("statut", here, REASONS),
        np.where(there < 0, 1, rows.positions("statut", there, REASONS)),
    )
    quality = worst_quality(rows, here, there)
    return {
        "code": rows.texts("code", here),
        "annee": rows.frame["annee"].to_numpy()[here],
        "indicateur": rows.texts("indicateur", here),
        "reference": Texts.one(face.reference, np.ones(len(here), dtype=bool)),
        "valeur": value,
        "valeur_reference": other,
        "ecart": difference,
        "ecart_inf": low,
        "ecart_sup": high,
        "rapport": value / np.where(np.abs(other) <= NOISE, np.nan, other),
        "unite": Texts(cards, tuple(words[card.unite] for card in rows.cards)),
        "appreciation": Texts(
            judged(rows.favour(value, cards) - rows.favour(other, cards), value, other),
            APPRECIATIONS,
        ),
        "classe": Texts(_classes(difference, other, room), POSITIONS),
        **default_verdicts(face, tolerance),
        "seuil_bas": other - room,
        "seuil_haut": other + room,
        "statut": Texts(reason, REASONS),
        "qualite": quality,
        "origine": joint_origin(rows, here, there),
        "note": _notes(face, quality),
    }


def _classes(difference: Floats, other: Floats, room: Floats) -> Numbered:
    """Place values below, close to or above a reference; -1 where one of the two is absent."""
    found = np.where(difference > 0, np.int8(2), np.int8(0))
    found[np.abs(difference) <= room * (1 + SAME) + SAME * np.abs(other)] = 1
    found[np.isnan(difference)] = -1
    return found


def _notes(face: Face, quality: Texts) -> Texts:
    """Say what must be known of both values, of their quality, of an absent reference."""
    rows, here, there, reference = face.rows, face.here, face.there, face.reference
    note = rows.texts("note", here)
    note = note.then(rows.texts("note", there), f"référence « {reference} » : ")
    told = tuple(_TOLD_GRADES.values())
    note = note.then(
        Texts(
            quality.mapped(lambda q: [*_TOLD_GRADES].index(q) if q in _TOLD_GRADES else -1, -1),
            told,
        )
    )
    without = np.flatnonzero(there < 0)
    if not len(without):
        return note
    year, years = pd.factorize(rows.frame["annee"].to_numpy()[here[without]])
    missing = np.full(len(here), -1, dtype=np.int64)
    missing[without] = year
    start = f"« {reference} » n'a pas de valeur de cet indicateur en "
    return note.then(Texts(missing, tuple(f"{start}{y}" for y in years)))
