"""The change of a cohort's zone: who was there, who is there, where the others went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from barometre.cohort.mobility import ChangeDecomposition, Statistic, decompose_change
from barometre.errors import BarometreError, Fault, FaultsError

if TYPE_CHECKING:
    from barometre.cohort.panel import Cohort

LOST = "perdu de vue"


def cohort_change(
    cohort: Cohort,
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
    exits, with ``perdu de vue`` as their destination.

    Parameters
    ----------
    cohort : Cohort
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
    if cohort.zone is None:
        raise BarometreError("la cohorte n'a pas de zone ; la donner à Cohort(..., zone=...)")
    frame = cohort.frame
    names = [outcome] if household is None else [outcome, household]
    faults = [
        Fault(name, "colonne absente", f"colonnes présentes : {', '.join(map(str, frame.columns))}")
        for name in names
        if name not in frame.columns
    ]
    waves = list(cohort.waves)
    faults += [
        Fault(str(wave), "vague inconnue", f"vagues présentes : {', '.join(map(str, waves))}")
        for wave in (start, end)
        if wave not in waves
    ]
    if not frame[cohort.zone].eq(zone).any():
        faults.append(Fault(str(zone), "zone inconnue", "l'écrire comme dans la colonne"))
    if faults:
        raise FaultsError("décomposition refusée", faults)
    first, last = (
        frame[frame[cohort.wave] == wave].set_index(cohort.person) for wave in (start, end)
    )
    here, there = first[cohort.zone].eq(zone), last[cohort.zone].eq(zone)
    followed = last[~there & last.index.isin(first.index[here])]
    additive = statistic in ("mean", "rate")
    gone = first.index[here].difference(last.index[there])
    came = last.index[there].difference(first.index[here])
    homes = None
    if household is not None:
        homes = last[household].combine_first(first[household])
    return decompose_change(
        first.loc[here, outcome],
        last.loc[there, outcome],
        statistic,
        followed[outcome] if len(followed) else None,
        destination=last[cohort.zone].reindex(gone).fillna(LOST) if additive else None,
        origin=first[cohort.zone].reindex(came).fillna("inconnue") if additive else None,
        household=homes,
        draws=draws,
        level=level,
        seed=seed,
    )
