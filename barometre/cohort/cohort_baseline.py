"""A cohort seen from its first wave: one row per person, who is lost later, what weights mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from barometre.errors import BarometreError

if TYPE_CHECKING:
    from barometre.cohort.attrition import LeeBounds
    from barometre.cohort.balance import Denominator
    from barometre.cohort.logit import LogitFit
    from barometre.cohort.panel import Cohort
    from barometre.cohort.propensity import AttritionWeights, Estimand, TreatmentWeights
    from barometre.cohort.tidy import Tidy


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
    waves = list(cohort.waves)
    wanted = waves[-1] if wave is None else wave
    if wanted not in waves[1:]:
        later = ", ".join(map(str, waves[1:]))
        raise BarometreError(f"vague {wanted} ; choisir parmi les suivantes : {later}")
    person, position = cohort.codes
    seen = np.zeros(cohort.n_people, dtype=bool)
    seen[person[position == waves.index(wanted)]] = True
    first = baseline_frame(cohort)
    start = position[cohort.first_rows] == 0
    frame: pd.DataFrame = first.assign(lost=(~seen).astype(np.int64)).loc[start]
    return frame


def _arm(cohort: Cohort) -> str:
    if cohort.arm is None:
        raise BarometreError("la cohorte n'a pas de bras ; le donner à Cohort(..., arm=...)")
    return cohort.arm


def cohort_attrition(cohort: Cohort, wave: Any = None, *, level: float = 0.95) -> Tidy:
    """Compare losses between arms at a wave: `attrition.attrition_rates`."""
    from barometre.cohort.attrition import attrition_rates

    return attrition_rates(lost_at(cohort, wave), "lost", _arm(cohort), level=level)


def cohort_attrition_model(cohort: Cohort, covariates: Sequence[str], wave: Any = None) -> LogitFit:
    """Explain losses at a wave by the first one: `attrition.attrition_model`."""
    from barometre.cohort.attrition import attrition_model

    return attrition_model(lost_at(cohort, wave), "lost", covariates)


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
    from barometre.cohort.propensity import attrition_weights

    frame = lost_at(cohort, wave)
    return attrition_weights(
        frame.assign(seen=1 - frame["lost"]),
        "seen",
        covariates,
        numerator=numerator,
        stabilised=stabilised,
        trim=trim,
    )


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
    from barometre.cohort.attrition import lee_bounds

    frame = lost_at(cohort, wave)
    at = cohort.waves[-1] if wave is None else wave
    rows = (cohort.frame[cohort.wave] == at).to_numpy()
    later = pd.Series(cohort.frame[outcome].to_numpy()[rows], cohort.frame[cohort.person][rows])
    return lee_bounds(
        later.reindex(frame.index).astype(np.float64),
        frame[_arm(cohort)],
        cluster=None if cluster is None else frame[cluster],
        draws=draws,
        level=level,
        seed=seed,
    )


def cohort_balance(
    cohort: Cohort,
    covariates: Sequence[str],
    weight: str | pd.Series[float] | None = None,
    denominator: Denominator = "treated",
) -> Tidy:
    """Compare the arms at the first wave of each person: `balance.balance_table`."""
    from barometre.cohort.balance import balance_table

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
    from barometre.cohort.propensity import propensity_weights

    return propensity_weights(
        baseline_frame(cohort),
        _arm(cohort),
        covariates,
        estimand=estimand,
        stabilised=stabilised,
        trim=trim,
        weight=cohort.weight,
    )
