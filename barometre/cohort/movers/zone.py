"""The change of a cohort's zone: who was there, who is there, where the others went."""

from __future__ import annotations

from typing import Any

import pandas as pd

from barometre.base.errors import Fault, FaultsError
from barometre.base.frames import absent_columns
from barometre.cohort.losses.baseline import wave_names, wave_position
from barometre.cohort.movers.change import ChangeDecomposition, Statistic, decompose_change
from barometre.cohort.rows.panel import PanelRows

LOST, UNKNOWN = "perdu de vue", "inconnue"


def panel_decompose_change(
    panel: PanelRows,
    outcome: str,
    zone: Any,
    start: Any,
    end: Any,
    *,
    statistic: Statistic = "mean",
    household: str | None = None,
    weight: str | pd.Series[float] | None = None,
    draws: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> ChangeDecomposition:
    """Decompose the change of one zone of a cohort between two waves.

    Leavers are followed to where they are at the second wave; those not seen any more count as
    exits, with ``perdu de vue`` as their destination, and entrants not seen at the first wave come
    from ``inconnue``. Who is seen at both waves, in the zone at one of them and with no zone at the
    other one, may have stayed or not: left out, and counted in ``meta``.

    Parameters
    ----------
    panel : PanelRows
        With a ``zone`` column.
    outcome : str
        Column of the outcome.
    zone : object
        The zone, as written in that column.
    start, end : object
        The two waves.
    statistic, draws, level, seed
        As in `decompose_change`.
    household : str, optional
        Column of the household, for the bootstrap.
    weight : str or Series, optional
        Column of weights, as at the first wave of the person, or weights indexed by person; without
        it people count for one each, whatever the weight of the cohort.

    Returns
    -------
    ChangeDecomposition
        With destinations and origins when the statistic is a mean or a rate.

    Raises
    ------
    BarometreError
        No zone column, an unknown zone, wave or column.
    """
    places_of = panel.role("zone")
    frame = panel.frame
    positions = [wave_position(panel, wave) for wave in (start, end)]
    known = ", ".join(wave_names(panel))
    names = [
        outcome,
        *([household] if household else []),
        *([weight] if isinstance(weight, str) else []),
    ]
    faults = [*absent_columns(frame, names)]
    faults += [
        Fault(str(wave), "vague inconnue", f"vagues présentes : {known}")
        for wave, position in zip((start, end), positions, strict=True)
        if position < 0
    ]
    if not places_of.eq(zone).any():
        faults.append(Fault(str(zone), "zone inconnue", "l'écrire comme dans la colonne"))
    if faults:
        raise FaultsError("décomposition refusée", faults)
    person, wave = panel.codes
    rows_at = [wave == position for position in positions]
    first, last = (frame[at].set_axis(panel.people[person[at]], axis=0) for at in rows_at)
    places = [rows[places_of.name].astype(object) for rows in (first, last)]
    before, after = (place.index[place.eq(zone)] for place in places)
    unsure = before.intersection(places[1].index[places[1].isna()]).union(
        after.intersection(places[0].index[places[0].isna()])
    )
    before, after = (those.difference(unsure, sort=False) for those in (before, after))
    gone, came = before.difference(after, sort=False), after.difference(before, sort=False)
    followed = gone.intersection(last.index)
    additive = statistic in ("mean", "rate")
    homes = None
    if household is not None:
        homes = last[household].combine_first(first[household])
    mass = panel.baseline(weight) if isinstance(weight, str) else weight
    change = decompose_change(
        first.loc[before, outcome],
        last.loc[after, outcome],
        statistic,
        last.loc[followed, outcome] if len(followed) else None,
        destination={who: places[1].get(who, LOST) for who in gone} if additive else None,
        origin={who: places[0].get(who, UNKNOWN) for who in came} if additive else None,
        household=homes,
        weight=mass,
        draws=draws,
        level=level,
        seed=seed,
    )
    if len(unsure):
        lost = {**change.meta["lost"], "zone manquante à l'une des deux vagues": len(unsure)}
        change.meta.update(n_in=change.meta["n_in"] + len(unsure), lost=lost)
    return change
