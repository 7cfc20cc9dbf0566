"""Differences between territories, and what is favourable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError
from barometre.cards.schema import UNITS, Card, Direction
from barometre.compare.rows import (
    NOISE,
    REASONS,
    SAME,
    Rows,
    check_references,
    checked_rows,
    joined,
    joint_origin,
    named,
    worst_quality,
)
from barometre.engine.sampling import newcombe

Appreciation = Literal["defavorable", "egal", "favorable", "neutre"]
Position = Literal["inférieur", "proche", "supérieur"]
APPRECIATIONS: tuple[Appreciation, ...] = get_args(Appreciation)
POSITIONS: tuple[Position, ...] = get_args(Position)


def favour(values: Floats, sens: Direction | npt.NDArray[np.str_]) -> Floats:
    """Turn values into a number that grows with how favourable they are.

    Parameters
    ----------
    values : ndarray of float
        Values of indicators.
    sens : str or ndarray of str
        Direction of the card, of all values or of each.

    Returns
    -------
    ndarray of float
        The value, its opposite, or minus its distance to 0 or 50; missing for a neutral indicator.
    """
    target = np.where(sens == np.str_("proche_de_50"), 50.0, 0.0)
    ways = ("hausse_favorable", "hausse_defavorable", "proche_de_zero", "proche_de_50")
    numbers: list[Floats] = [values, -values, -np.abs(values - target), -np.abs(values - target)]
    which = [np.broadcast_to(np.asarray(sens) == way, values.shape) for way in ways]
    return np.select(which, numbers, np.nan)


def favourable_gap(values: Floats, reference: float, card: Card) -> Floats:
    """Return how much better than the reference each value is, by the direction of the card.

    Parameters
    ----------
    values : ndarray of float
        Values of one indicator.
    reference : float
        Value to compare with.
    card : Card
        The indicator.

    Returns
    -------
    ndarray of float
        Positive when favourable, in the unit of the indicator; missing for a neutral indicator.
    """
    return favour(values, card.sens) - favour(np.array([reference]), card.sens)


def difference_bounds(
    first: tuple[Floats, Floats, Floats],
    second: tuple[Floats, Floats, Floats],
    certain: Booleans,
) -> tuple[Floats, Floats]:
    """Return the bounds of differences between values that have bounds.

    Parameters
    ----------
    first, second : tuple of three ndarrays
        Values, lower and upper bounds; the first minus the second is taken.
    certain : ndarray of bool
        The bounds are those of a rounding, which cannot be left, and not of a sampling.

    Returns
    -------
    tuple of two ndarrays
        Missing where one of the two values has no bounds.

    Notes
    -----
    Of independent samples, square-and-add (`newcombe`; Zou and Donner, 2008, extend it to any pair
    of estimates). Of roundings, ``low1 - high2`` and ``high1 - low2``.
    """
    (v1, l1, u1), (v2, l2, u2) = (
        (value, np.minimum(low, value), np.maximum(high, value))
        for value, low, high in (first, second)
    )
    sampled = newcombe(l1, u1, v1, l2, u2, v2)
    low = np.where(certain, l1 - u2, sampled.low)
    high = np.where(certain, u1 - l2, sampled.high)
    none = np.isnan(low) | np.isnan(high)
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that is not a share: 0.05 is 5 %."""
    if not is_number(tolerance) or not 0 <= tolerance < 1:
        raise BarometreError(
            f"tolerance={tolerance!r} refusée : donner une part entre 0 et 1 (0.05 pour 5 %)"
        )


def judged(favoured: Floats, first: Floats, second: Floats) -> Integers:
    """Return the positions in `APPRECIATIONS` of differences of two values, -1 where not known."""
    size = SAME * np.maximum(np.abs(first), np.abs(second)) + NOISE
    side = np.where(np.abs(favoured) <= size, 1, np.where(favoured > 0, 2, 0))
    return np.where(np.isnan(first - second), -1, np.where(np.isnan(favoured), 3, side))


GAP_UNITS = {name: words[0] for name, words in UNITS.items()} | {
    "pourcent": "points",
    "euros_par_an": "€ par mois et par UC",
}
"""Unit of a difference between two territories, by unit of the indicator."""


def gap(
    results: pd.DataFrame, reference: str | Iterable[str], *, tolerance: float = 0.05
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

    Returns
    -------
    DataFrame
        One row per territory, year, indicator and reference (a reference is not compared with
        itself), reference by reference in the order of the results; empty for empty results.

        - ``valeur``, ``valeur_reference``: as in the results.
        - ``ecart``: territory minus reference, before any rounding, in the unit ``unite``: points
          for percentages, euros a month for yearly amounts. Missing when one of the two is absent.
        - ``ecart_inf``, ``ecart_sup``: its bounds, when both values have bounds; else missing.
        - ``rapport``: territory over reference, missing for a reference of 0, also where both are
          0: the difference is then 0, the two are ``egal`` and ``proche``.
        - ``appreciation``: ``favorable``, ``defavorable`` or ``egal`` by the direction of the card,
          ``neutre`` for an indicator without direction.
        - ``classe``: ``inférieur``, ``proche`` or ``supérieur`` to the reference, whatever the
          direction; only 0 is close to 0.
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
    (-208.33, '€ par mois et par UC', 'inférieur', 'defavorable')
    """
    check_tolerance(tolerance)
    rows = checked_rows(results)
    parts = [_gap(rows, code, tolerance) for code in check_references(rows, reference)]
    return pd.concat(parts, ignore_index=True)


def _gap(rows: Rows, reference: str, tolerance: float) -> pd.DataFrame:
    year, years = pd.factorize(rows.frame["annee"])
    key = rows.card * max(len(years), 1) + year
    mine = (rows.frame["code"] == reference).to_numpy()
    place = np.full(max(len(rows.cards) * len(years), 1), -1, dtype=np.int64)
    place[key[mine]] = np.flatnonzero(mine)
    here = np.flatnonzero(~mine)
    there, cards = place[key[here]], rows.card[here]
    units = [card.unite for card in rows.cards]
    months = rows.by_card((12.0 if unit == "euros_par_an" else 1.0 for unit in units), cards)
    sens = rows.by_card((card.sens for card in rows.cards), cards)
    certain = rows.certain(here) & rows.certain(there)
    first, second = rows.bounded(here), rows.bounded(there)
    value, other = first[0], second[0]
    difference, known = value - other, ~np.isnan(value - other)
    low, high = difference_bounds(first, second, certain)
    room = tolerance * np.abs(other)
    close = np.abs(difference) <= room * (1 + SAME) + SAME * np.abs(other)
    place_of = np.where(close, 1, np.where(difference > 0, 2, 0))
    reason = np.maximum(
        rows.positions("statut", here, REASONS),
        np.where(there < 0, 1, rows.positions("statut", there, REASONS)),
    )
    frame = rows.frame.iloc[here].reset_index(drop=True)
    note = joined(frame["note"], rows.words("note", there), f"référence « {reference} » : ")
    without = frame["annee"][there < 0].astype("str")
    missing = f"« {reference} » n'a pas de valeur de cet indicateur en " + without
    favoured = favour(value, sens) - favour(other, sens)
    return pd.DataFrame(
        {
            "code": frame["code"],
            "annee": frame["annee"],
            "indicateur": frame["indicateur"],
            "reference": pd.Series(reference, index=frame.index, dtype="str"),
            "valeur": value,
            "valeur_reference": other,
            "ecart": difference / months,
            "ecart_inf": low / months,
            "ecart_sup": high / months,
            "rapport": value / np.where(np.abs(other) <= NOISE, np.nan, other),
            "unite": named(cards, [GAP_UNITS[unit] for unit in units]),
            "appreciation": named(judged(favoured, value, other), APPRECIATIONS),
            "classe": named(np.where(known, place_of, -1), POSITIONS),
            "seuil_bas": other - room,
            "seuil_haut": other + room,
            "statut": named(reason, REASONS),
            "qualite": worst_quality(rows, here, there),
            "origine": joint_origin(rows, here, there),
            "note": joined(note, missing.reindex(frame.index)),
        }
    )
