"""The effect of the synthetic programme, by naive comparisons and by methods that correct them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.cohort import (
    AttritionWeights,
    TreatmentWeights,
    attrition_weights,
    cluster_robust,
    combine_weights,
    lee_bounds,
    smallest_p,
    weighted_effect,
    wild_bootstrap,
)
from barometre.cohort.inference.estimates import Estimate, make_estimate
from barometre.pages.cohort.drawn import COVARIATES, Drawn, draw

_ATTRITION = ("arm_diploma", "income_treated", "income_control", "age", "sex")
_DRAWS = 400
_FEW = 5
"""Clusters of the example of what too few of them allow."""


def effects(drawn: Drawn) -> dict[str, Any]:
    """Estimate the effect in every way the page shows.

    Parameters
    ----------
    drawn : Drawn
        The cohort.

    Returns
    -------
    dict
        ``naive``, ``did``, ``staggered``, ``corrected`` (estimates and their tests), ``weights``,
        and ``methods``, a frame of all estimates in the order of the page.
    """
    treatment = drawn.cohort.propensity_weights(COVARIATES)
    losses = attrition_weights(drawn.first, "seen", _ATTRITION, numerator=["arm"])
    found: dict[str, Any] = {
        "naive": _naive(drawn, treatment, losses),
        "did": _did(drawn),
        "staggered": _staggered(drawn),
        "corrected": _corrected(drawn, losses),
        "weights": {"treatment": treatment, "attrition": losses},
    }
    return {**found, "methods": _methods(found)}


def _naive(
    drawn: Drawn, treatment: TreatmentWeights, losses: AttritionWeights
) -> dict[str, Estimate]:
    first = drawn.first
    kept = first[(first["arm"] == 1) & (first["seen"] == 1)]
    mean = cluster_robust(
        kept.assign(mean=1.0), "change", "mean", cluster="baseline_zone", se="CR2"
    ).table.iloc[0]
    both = combine_weights(treatment, losses)
    return {
        "before_after": make_estimate(
            mean["estimate"], mean["se"], mean["df"], len(kept), {"method": "avant/après"}
        ),
        "end": _by_zone(first, "end"),
        "end_weighted": _by_zone(first, "end", both),
    }


def _did(drawn: Drawn) -> dict[str, Any]:
    cohort, last = drawn.two_dates, drawn.last
    return {
        "person": cohort.did("income", last, cluster="person"),
        "zone": cohort.did("income", last),
        "CR2": cohort.did("income", last, se="CR2"),
        "whole": drawn.two_dates_whole.did("income", last, se="CR2"),
        "bootstrap": wild_bootstrap(
            *cohort.did_design("income", last), term="effet", intercept=False, seed=drawn.seed
        ),
        "few": _FEW,
        "few_p": smallest_p(_FEW),
        "twfe": drawn.cohort.twfe("income", "treated", se="CR2"),
    }


def _staggered(drawn: Drawn) -> dict[str, Any]:
    # These errors have no correction for few clusters: they are by person, as the page says.
    plain = drawn.cohort.att_gt("income", cluster="person")
    adjusted = drawn.cohort.att_gt("income", covariates=["diploma"], cluster="person")
    dynamic = adjusted.aggregate("dynamic").table
    return {
        "plain": plain.aggregate("simple").overall,
        "adjusted": adjusted.aggregate("simple").overall,
        "dynamic": dynamic,
        "n_before": int((dynamic["event_time"] < 0).sum()),
        "pretrend": adjusted.pretrend(),
    }


def _corrected(drawn: Drawn, losses: AttritionWeights) -> dict[str, Any]:
    first = drawn.first
    return {
        "same": _by_zone(first, "change"),
        "ipw": _by_zone(first, "change", losses.weight),
        "lee": lee_bounds(first, "change", "arm", draws=_DRAWS, seed=drawn.seed),
    }


def _by_zone(first: pd.DataFrame, outcome: str, weight: pd.Series[float] | None = None) -> Estimate:
    return weighted_effect(first, outcome, "arm", weight=weight, cluster="baseline_zone", se="CR2")


def _methods(found: dict[str, Any]) -> pd.DataFrame:
    """List the estimates, in words and in the order of the page."""
    naive, did, staggered, corrected = (
        found[name] for name in ("naive", "did", "staggered", "corrected")
    )
    lee = corrected["lee"]
    rows = [
        ("Comparaisons naïves", "avant/après des bénéficiaires", naive["before_after"]),
        ("Comparaisons naïves", "bénéficiaires et comparaison, à la fin", naive["end"]),
        ("Comparaisons naïves", "à la fin, bras et pertes repondérés", naive["end_weighted"]),
        ("Doubles différences", "moyennes des présents (2 × 2)", did["CR2"]),
        ("Doubles différences", "les mêmes personnes", corrected["same"]),
        ("Doubles différences", "effets fixes, toutes les vagues", did["twfe"]),
        ("Doubles différences", "entrées échelonnées, ATT(g,t)", staggered["plain"]),
        ("Corrigées des pertes", "ATT(g,t), à diplôme égal", staggered["adjusted"]),
        ("Corrigées des pertes", "les mêmes personnes, repondérées", corrected["ipw"]),
        ("Corrigées des pertes", "bornes de Lee", None),
        ("Pour mémoire", "2 × 2 si personne n'avait été perdu", did["whole"]),
    ]
    return pd.DataFrame(
        [
            {"group": group, "method": name, "estimate": np.nan, "low": lee.low, "high": lee.high}
            if effect is None
            else {
                "group": group,
                "method": name,
                "estimate": effect.estimate,
                "low": effect.low,
                "high": effect.high,
            }
            for group, name, effect in rows
        ]
    )


def again(drawn: Drawn, times: int = 12) -> dict[str, Any]:
    """Draw other cohorts alike, to tell what the method does from what chance does.

    Parameters
    ----------
    drawn : Drawn
        The cohort of the page; the others have the seeds that follow.
    times : int, default 12
        Cohorts.

    Returns
    -------
    dict
        ``n`` cohorts and ``table``: ``method, mean, bias, error`` (of the simulation).
    """
    found = pd.DataFrame([_points(draw(drawn.seed + 1 + i, drawn.n)) for i in range(times)])
    mean = found.mean()
    table = pd.DataFrame(
        {"mean": mean, "bias": mean - drawn.truth, "error": found.std() / np.sqrt(times)}
    )
    return {"n": times, "table": table.rename_axis("method").reset_index()}


def _points(drawn: Drawn) -> dict[str, float]:
    first = drawn.first
    treated = (first["arm"] == 1).to_numpy()
    losses = attrition_weights(first, "seen", _ATTRITION, numerator=["arm"])
    base, end, change = (first[name].to_numpy() for name in ("base", "end", "change"))
    weight: Floats = np.asarray(losses.weight, np.float64)
    kept = np.nan_to_num(weight) > 0

    def gap(values: Floats, weights: Floats | None = None) -> float:
        known = ~np.isnan(values)
        w = np.ones(len(values)) if weights is None else weights
        sides = [known & treated, known & ~treated]
        mean = [float(np.average(values[side], weights=w[side])) for side in sides]
        return mean[0] - mean[1]

    return {
        "avant/après des bénéficiaires": float(change[treated & kept].mean()),
        "bénéficiaires et comparaison, à la fin": gap(end),
        "moyennes des présents (2 × 2)": gap(end) - gap(base),
        "les mêmes personnes": gap(change),
        "les mêmes personnes, repondérées": gap(change, weight),
    }
