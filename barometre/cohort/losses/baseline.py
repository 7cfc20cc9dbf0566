"""A cohort seen from its first wave: one row per person, who is lost later, what weights mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.cohort.rows.columns import as_numbers
from barometre.cohort.rows.panel import PanelRows

if TYPE_CHECKING:
    from barometre.base.tidy import Tidy
    from barometre.cohort.losses.alike import Denominator
    from barometre.cohort.losses.logit import LogitFit
    from barometre.cohort.losses.lost import LeeBounds
    from barometre.cohort.losses.weights import AttritionWeights, Estimand, TreatmentWeights

LATE = "entré après la première vague"


def baseline_frame(panel: PanelRows) -> pd.DataFrame:
    """Return the first row of each person, indexed by person, in order of appearance."""
    return panel.frame.iloc[panel.first_rows].set_axis(panel.people, axis=0)


def lost_at(panel: PanelRows, wave: Any = None) -> pd.DataFrame:
    """Return the people of the first wave, with a column ``lost``.

    Parameters
    ----------
    panel : PanelRows
        The cohort.
    wave : object, optional
        Wave at which people should still be seen; the last one by default.

    Returns
    -------
    DataFrame
        Rows of those seen at the first wave of the panel, indexed by person; ``lost`` is 1 for
        those without a row at ``wave``. People who entered later are not among them.

    Raises
    ------
    BarometreError
        An unknown wave, or the first one.
    """
    person, position = panel.codes
    seen = np.zeros(panel.n_people, dtype=bool)
    seen[person[position == _later_wave(panel, wave)]] = True
    first = baseline_frame(panel)
    start = position[panel.first_rows] == 0
    frame: pd.DataFrame = first.assign(lost=(~seen).astype(np.int64)).loc[start]
    return frame


def wave_position(panel: PanelRows, wave: Any) -> int:
    """Return the position of a wave, a date as text included; -1 when there is no such wave."""
    try:
        found = pd.Index(panel.waves).get_loc(wave)
    except (KeyError, TypeError, ValueError, pd.errors.InvalidIndexError):
        return -1
    if isinstance(found, slice):  # a year that holds one wave, or several
        return found.start if found.stop - found.start == 1 else -1
    return int(found)


def wave_names(panel: PanelRows) -> list[str]:
    """Return the waves as a message writes them: dates without their hour."""
    return list(pd.Index(panel.waves).astype(str))


def _later_wave(panel: PanelRows, wave: Any) -> int:
    last = len(panel.waves) - 1
    if last < 1:
        raise BarometreError("une seule vague : personne ne peut encore être perdu de vue")
    position = last if wave is None else wave_position(panel, wave)
    if position < 1:
        later = ", ".join(wave_names(panel)[1:])
        raise BarometreError(f"vague {wave} ; choisir parmi les suivantes : {later}")
    return position


def _counted(meta: dict[str, Any], panel: PanelRows, frame: pd.DataFrame) -> None:
    """Count everyone in, those who came after the first wave among the left out."""
    late = panel.n_people - len(frame)
    if late:
        meta |= {"n_in": panel.n_people, "lost": {**meta["lost"], LATE: late}}


def _arm(panel: PanelRows) -> str:
    if panel.arm is None:
        raise BarometreError("la cohorte n'a pas de bras ; le donner à Cohort(..., arm=...)")
    return panel.arm


def panel_attrition(panel: PanelRows, wave: Any = None, *, level: float = 0.95) -> Tidy:
    """Compare losses between arms at a wave: `attrition.attrition_rates`."""
    from barometre.cohort.losses.lost import attrition_rates

    frame = lost_at(panel, wave)
    table = attrition_rates(frame, "lost", _arm(panel), level=level)
    _counted(table.meta, panel, frame)
    return table


def panel_attrition_model(
    panel: PanelRows, covariates: Sequence[str], wave: Any = None
) -> LogitFit:
    """Explain losses at a wave by the first one: `attrition.attrition_model`."""
    from barometre.cohort.losses.lost import attrition_model

    frame = lost_at(panel, wave)
    fit = attrition_model(frame, "lost", covariates)
    _counted(fit.meta, panel, frame)
    return fit


def panel_attrition_weights(
    panel: PanelRows,
    covariates: Sequence[str],
    wave: Any = None,
    *,
    numerator: Sequence[str] = (),
    stabilised: bool = True,
    trim: float | None = None,
) -> AttritionWeights:
    """Weight those seen at a wave: `propensity.attrition_weights`."""
    from barometre.cohort.losses.weights import attrition_weights

    frame = lost_at(panel, wave)
    weights = attrition_weights(
        frame.assign(seen=1 - frame["lost"]),
        "seen",
        covariates,
        numerator=numerator,
        stabilised=stabilised,
        trim=trim,
    )
    _counted(weights.meta, panel, frame)
    return weights


def panel_lee_bounds(
    panel: PanelRows,
    outcome: str,
    wave: Any = None,
    *,
    cluster: str | None = None,
    draws: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> LeeBounds:
    """Bound the effect at a wave whatever the losses: `attrition.lee_bounds`."""
    from barometre.cohort.losses.lost import lee_bounds

    frame = lost_at(panel, wave)
    person, position = panel.codes
    rows = position == _later_wave(panel, wave)
    values = as_numbers(panel.column(outcome), outcome, missing=True)
    later = pd.Series(values[rows], panel.people[person[rows]])
    bounds = lee_bounds(
        later.reindex(frame.index),
        frame[_arm(panel)],
        cluster=None if cluster is None else panel.baseline(cluster).reindex(frame.index),
        draws=draws,
        level=level,
        seed=seed,
    )
    _counted(bounds.meta, panel, frame)
    return bounds


def panel_balance(
    panel: PanelRows,
    covariates: Sequence[str],
    weight: str | pd.Series[float] | None = None,
    denominator: Denominator = "treated",
) -> Tidy:
    """Compare the arms at the first wave of each person: `balance.balance_table`."""
    from barometre.cohort.losses.alike import balance_table

    return balance_table(baseline_frame(panel), _arm(panel), covariates, weight, denominator)


def panel_propensity_weights(
    panel: PanelRows,
    covariates: Sequence[str],
    *,
    estimand: Estimand = "att",
    stabilised: bool = False,
    trim: float | None = None,
) -> TreatmentWeights:
    """Weight the arms on their first wave: `propensity.propensity_weights`."""
    from barometre.cohort.losses.weights import propensity_weights

    return propensity_weights(
        baseline_frame(panel),
        _arm(panel),
        covariates,
        estimand=estimand,
        stabilised=stabilised,
        trim=trim,
        weight=panel.weight,
    )
