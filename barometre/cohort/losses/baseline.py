"""A cohort seen from its first wave: one row per person, who is lost later, what weights mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.tidy import Tidy
from barometre.cohort.inference.estimates import Estimate
from barometre.cohort.inference.sandwich import StandardError
from barometre.cohort.losses.alike import Denominator, balance_table
from barometre.cohort.losses.logit import LogitFit
from barometre.cohort.losses.lost import LeeBounds, attrition, attrition_model, lee_bounds
from barometre.cohort.losses.weights import (
    AttritionWeights,
    Estimand,
    TreatmentWeights,
    attrition_weights,
    propensity_weights,
    weighted_effect,
)
from barometre.cohort.rows.columns import as_numbers
from barometre.cohort.rows.panel import PanelRows

_OUTCOME, _CLUSTER = "résultat", "grappe"
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


def _with_arm(panel: PanelRows, frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Write the arm of people as 1 (treated) and 0, under the name of its column."""
    flags = pd.Series(panel.in_treated_arm[panel.first_rows], panel.people)
    assert panel.arm is not None  # refused above
    return frame.assign(**{panel.arm: flags.reindex(frame.index).astype(np.int64)}), panel.arm


def _given(
    panel: PanelRows, weight: str | pd.Series[float] | None, frame: pd.DataFrame
) -> pd.Series[float] | None:
    """Put the weights given on people: a column as it was at the first wave, or by person."""
    if isinstance(weight, str):
        return panel.baseline(weight).reindex(frame.index)
    return weight


def panel_attrition(
    panel: PanelRows,
    wave: Any = None,
    *,
    weight: str | pd.Series[float] | None = None,
    level: float = 0.95,
) -> Tidy:
    """Compare losses between arms at a wave: `attrition`."""
    frame, arm = _with_arm(panel, lost_at(panel, wave))
    table = attrition(frame, "lost", arm, weight=_given(panel, weight, frame), level=level)
    _counted(table.meta, panel, frame)
    return table


def panel_attrition_model(
    panel: PanelRows, covariates: Sequence[str], wave: Any = None, *, weight: str | None = None
) -> LogitFit:
    """Explain losses at a wave by the first one: `attrition_model`."""
    frame = lost_at(panel, wave)
    fit = attrition_model(frame, "lost", covariates, weight=weight)
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
    weight: str | None = None,
) -> AttritionWeights:
    """Weight those seen at a wave: `attrition_weights`."""
    frame = lost_at(panel, wave)
    weights = attrition_weights(
        frame.assign(seen=1 - frame["lost"]),
        "seen",
        covariates,
        numerator=numerator,
        stabilised=stabilised,
        trim=trim,
        weight=weight,
    )
    _counted(weights.meta, panel, frame)
    return weights


def _later_outcome(
    panel: PanelRows, outcome: str, wave: Any, cluster: str | None
) -> tuple[pd.DataFrame, str, str, str | None]:
    """Return the people of the first wave with their arm, their outcome at a later one, a cluster.

    The three names are those of the columns; the cluster is that of the first wave.
    """
    frame, arm = _with_arm(panel, lost_at(panel, wave))
    person, position = panel.codes
    rows = position == _later_wave(panel, wave)
    values = as_numbers(panel.column(outcome), outcome, missing=True)
    later = pd.Series(values[rows], panel.people[person[rows]]).reindex(frame.index)
    columns = {_OUTCOME: later, arm: frame[arm]}
    if cluster is not None:
        columns[_CLUSTER] = panel.baseline(cluster).reindex(frame.index)
    return pd.DataFrame(columns), _OUTCOME, arm, None if cluster is None else _CLUSTER


def panel_lee_bounds(
    panel: PanelRows,
    outcome: str,
    wave: Any = None,
    *,
    weight: str | pd.Series[float] | None = None,
    cluster: str | None = None,
    draws: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> LeeBounds:
    """Bound the effect at a wave whatever the losses: `lee_bounds`."""
    frame, later, arm, group = _later_outcome(panel, outcome, wave, cluster)
    mass = _given(panel, weight, frame)
    bounds = lee_bounds(
        frame, later, arm, weight=mass, cluster=group, draws=draws, level=level, seed=seed
    )
    bounds.meta.update(outcome=outcome, cluster=cluster)
    _counted(bounds.meta, panel, frame)
    return bounds


def panel_weighted_effect(
    panel: PanelRows,
    outcome: str,
    wave: Any = None,
    *,
    weight: str | pd.Series[float] | None = None,
    cluster: str | None = None,
    se: StandardError = "CR0",
) -> Estimate:
    """Compare the weighted arms at a wave: `weighted_effect`, on the people of the first wave.

    The weight is a column, as at the first wave, or a Series indexed by person; that of the panel
    by default, as its cluster is, else the person.
    """
    group = cluster or panel.cluster or panel.person
    frame, later, arm, grouped = _later_outcome(
        panel, outcome, wave, None if group == panel.person else group
    )
    mass = _given(panel, panel.weight if weight is None else weight, frame)
    effect = weighted_effect(frame, later, arm, weight=mass, cluster=grouped, se=se)
    own = group == panel.person and cluster is None
    meta = {
        **effect.meta,
        "outcome": outcome,
        "cluster": f"{group} (la personne, faute de cluster=)" if own else group,
    }
    _counted(meta, panel, frame)
    return replace(effect, meta=meta)


def panel_balance_table(
    panel: PanelRows,
    covariates: Sequence[str],
    weight: str | pd.Series[float] | None = None,
    denominator: Denominator = "treated",
) -> Tidy:
    """Compare the arms at the first wave of each person: `balance_table`."""
    frame, arm = _with_arm(panel, baseline_frame(panel))
    return balance_table(frame, arm, covariates, weight, denominator)


def panel_propensity_weights(
    panel: PanelRows,
    covariates: Sequence[str],
    *,
    estimand: Estimand = "att",
    stabilised: bool = False,
    trim: float | None = None,
) -> TreatmentWeights:
    """Weight the arms on their first wave: `propensity_weights`."""
    frame, arm = _with_arm(panel, baseline_frame(panel))
    return propensity_weights(
        frame,
        arm,
        covariates,
        estimand=estimand,
        stabilised=stabilised,
        trim=trim,
        weight=panel.weight,
    )
