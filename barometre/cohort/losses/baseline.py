"""A cohort seen from its first wave: one row per person, who is lost later, what weights mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.cohort.rows.columns import as_numbers

if TYPE_CHECKING:
    from barometre.base.tidy import Tidy
    from barometre.cohort.losses.alike import Denominator
    from barometre.cohort.losses.logit import LogitFit
    from barometre.cohort.losses.lost import LeeBounds
    from barometre.cohort.losses.weights import AttritionWeights, Estimand, TreatmentWeights
    from barometre.cohort.people import Cohort

LATE = "entré après la première vague"


def baseline_frame(cohort: Cohort) -> pd.DataFrame:
    """Return the first row of each person, indexed by person, in order of appearance."""
    return cohort.frame.iloc[cohort.first_rows].set_axis(cohort.people, axis=0)


def lost_at(cohort: Cohort, wave: Any = None) -> pd.DataFrame:
    """Return the people of the first wave, with a column ``lost``.

    Parameters
    ----------
    cohort : Cohort
        The cohort.
    wave : object, optional
        Wave at which people should still be seen; the last one by default.

    Returns
    -------
    DataFrame
        Rows of those seen at the first wave of the cohort, indexed by person; ``lost`` is 1 for
        those without a row at ``wave``. People who entered later are not among them.

    Raises
    ------
    BarometreError
        An unknown wave, or the first one.
    """
    person, position = cohort.codes
    seen = np.zeros(cohort.n_people, dtype=bool)
    seen[person[position == _later_wave(cohort, wave)]] = True
    first = baseline_frame(cohort)
    start = position[cohort.first_rows] == 0
    frame: pd.DataFrame = first.assign(lost=(~seen).astype(np.int64)).loc[start]
    return frame


def wave_position(cohort: Cohort, wave: Any) -> int:
    """Return the position of a wave, a date as text included; -1 when there is no such wave."""
    try:
        found = pd.Index(cohort.waves).get_loc(wave)
    except (KeyError, TypeError, ValueError, pd.errors.InvalidIndexError):
        return -1
    if isinstance(found, slice):  # a year that holds one wave, or several
        return found.start if found.stop - found.start == 1 else -1
    return int(found)


def wave_names(cohort: Cohort) -> list[str]:
    """Return the waves as a message writes them: dates without their hour."""
    return list(pd.Index(cohort.waves).astype(str))


def _later_wave(cohort: Cohort, wave: Any) -> int:
    last = len(cohort.waves) - 1
    if last < 1:
        raise BarometreError("une seule vague : personne ne peut encore être perdu de vue")
    position = last if wave is None else wave_position(cohort, wave)
    if position < 1:
        later = ", ".join(wave_names(cohort)[1:])
        raise BarometreError(f"vague {wave} ; choisir parmi les suivantes : {later}")
    return position


def _counted(meta: dict[str, Any], cohort: Cohort, frame: pd.DataFrame) -> None:
    """Count everyone in, those who came after the first wave among the left out."""
    late = cohort.n_people - len(frame)
    if late:
        meta |= {"n_in": cohort.n_people, "lost": {**meta["lost"], LATE: late}}


def _arm(cohort: Cohort) -> str:
    if cohort.arm is None:
        raise BarometreError("la cohorte n'a pas de bras ; le donner à Cohort(..., arm=...)")
    return cohort.arm


def cohort_attrition(cohort: Cohort, wave: Any = None, *, level: float = 0.95) -> Tidy:
    """Compare losses between arms at a wave: `attrition.attrition_rates`."""
    from barometre.cohort.losses.lost import attrition_rates

    frame = lost_at(cohort, wave)
    table = attrition_rates(frame, "lost", _arm(cohort), level=level)
    _counted(table.meta, cohort, frame)
    return table


def cohort_attrition_model(cohort: Cohort, covariates: Sequence[str], wave: Any = None) -> LogitFit:
    """Explain losses at a wave by the first one: `attrition.attrition_model`."""
    from barometre.cohort.losses.lost import attrition_model

    frame = lost_at(cohort, wave)
    fit = attrition_model(frame, "lost", covariates)
    _counted(fit.meta, cohort, frame)
    return fit


def cohort_attrition_weights(
    cohort: Cohort,
    covariates: Sequence[str],
    wave: Any = None,
    *,
    numerator: Sequence[str] = (),
    stabilised: bool = True,
    trim: float | None = None,
) -> AttritionWeights:
    """Weight those seen at a wave: `propensity.attrition_weights`."""
    from barometre.cohort.losses.weights import attrition_weights

    frame = lost_at(cohort, wave)
    weights = attrition_weights(
        frame.assign(seen=1 - frame["lost"]),
        "seen",
        covariates,
        numerator=numerator,
        stabilised=stabilised,
        trim=trim,
    )
    _counted(weights.meta, cohort, frame)
    return weights


def cohort_lee_bounds(
    cohort: Cohort,
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

    frame = lost_at(cohort, wave)
    person, position = cohort.codes
    rows = position == _later_wave(cohort, wave)
    values = as_numbers(cohort.column(outcome), outcome, missing=True)
    later = pd.Series(values[rows], cohort.people[person[rows]])
    bounds = lee_bounds(
        later.reindex(frame.index),
        frame[_arm(cohort)],
        cluster=None if cluster is None else cohort.baseline(cluster).reindex(frame.index),
        draws=draws,
        level=level,
        seed=seed,
    )
    _counted(bounds.meta, cohort, frame)
    return bounds


def cohort_balance(
    cohort: Cohort,
    covariates: Sequence[str],
    weight: str | pd.Series[float] | None = None,
    denominator: Denominator = "treated",
) -> Tidy:
    """Compare the arms at the first wave of each person: `balance.balance_table`."""
    from barometre.cohort.losses.alike import balance_table

    return balance_table(baseline_frame(cohort), _arm(cohort), covariates, weight, denominator)


def cohort_propensity_weights(
    cohort: Cohort,
    covariates: Sequence[str],
    *,
    estimand: Estimand = "att",
    stabilised: bool = False,
    trim: float | None = None,
) -> TreatmentWeights:
    """Weight the arms on their first wave: `propensity.propensity_weights`."""
    from barometre.cohort.losses.weights import propensity_weights

    return propensity_weights(
        baseline_frame(cohort),
        _arm(cohort),
        covariates,
        estimand=estimand,
        stabilised=stabilised,
        trim=trim,
        weight=cohort.weight,
    )
