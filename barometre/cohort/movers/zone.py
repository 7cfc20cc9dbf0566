"""The change of a cohort's zone: who was there, who is there, where the others went."""

from __future__ import annotations

from typing import Any

from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.base.frames import absent_columns
from barometre.cohort.losses.baseline import wave_names, wave_position
from barometre.cohort.movers.change import ChangeDecomposition, Statistic, decompose_change
from barometre.cohort.rows.panel import PanelRows

LOST, UNKNOWN = "perdu de vue", "inconnue"


def panel_change(
    panel: PanelRows,
    outcome: str,
    zone: Any,
    start: Any,
    end: Any,
    *,
    statistic: Statistic = "mean",
    household: str | None = None,
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

    Returns
    -------
    ChangeDecomposition
        With destinations and origins when the statistic is a mean or a rate.

    Raises
    ------
    BarometreError
        No zone column, an unknown zone, wave or column.
    """
    if panel.zone is None:
        raise BarometreError("la cohorte n'a pas de zone ; la donner à Cohort(..., zone=...)")
    frame = panel.frame
    names = [outcome] if household is None else [outcome, household]
    faults = [*absent_columns(frame, names)]
    positions = [wave_position(panel, wave) for wave in (start, end)]
    known = ", ".join(wave_names(panel))
    faults += [
        Fault(str(wave), "vague inconnue", f"vagues présentes : {known}")
        for wave, position in zip((start, end), positions, strict=True)
        if position < 0
    ]
    if not frame[panel.zone].eq(zone).any():
        faults.append(Fault(str(zone), "zone inconnue", "l'écrire comme dans la colonne"))
    if faults:
        raise FaultsError("décomposition refusée", faults)
    person, wave = panel.codes
    at = [wave == position for position in positions]
    first, last = (frame[rows].set_axis(panel.people[person[rows]], axis=0) for rows in at)
    places = [rows[panel.zone].astype(object) for rows in (first, last)]
    here, there = (place.index[place.eq(zone)] for place in places)
    unsure = here.intersection(places[1].index[places[1].isna()]).union(
        there.intersection(places[0].index[places[0].isna()])
    )
    here, there = here.difference(unsure, sort=False), there.difference(unsure, sort=False)
    gone, came = here.difference(there, sort=False), there.difference(here, sort=False)
    followed = gone.intersection(last.index)
    additive = statistic in ("mean", "rate")
    homes = None
    if household is not None:
        homes = last[household].combine_first(first[household])
    change = decompose_change(
        first.loc[here, outcome],
        last.loc[there, outcome],
        statistic,
        last.loc[followed, outcome] if len(followed) else None,
        destination={one: places[1].get(one, LOST) for one in gone} if additive else None,
        origin={one: places[0].get(one, UNKNOWN) for one in came} if additive else None,
        household=homes,
        draws=draws,
        level=level,
        seed=seed,
    )
    if len(unsure):
        lost = {**change.meta["lost"], "zone manquante à l'une des deux vagues": len(unsure)}
        change.meta.update(n_in=change.meta["n_in"] + len(unsure), lost=lost)
    return change
