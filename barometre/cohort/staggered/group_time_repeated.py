"""One comparison of ATT(g,t) when other people are seen at each wave: repeated cross-sections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError
from barometre.cohort.inference.hotelling import leverage_scale
from barometre.cohort.staggered.group_time_cells import (
    EMPTY,
    UNKNOWN,
    Cell,
    Comparison,
    Method,
    People,
    cell,
    fit_chance,
    least_squares_on,
    scores_of,
)

ROW = "rang de la ligne"
"""Column that numbers the rows when each one is another person."""


def numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Number the rows of a frame, each one being another person."""
    if not isinstance(frame, pd.DataFrame):
        raise BarometreError("donner un DataFrame")
    return frame.assign(**{ROW: np.arange(len(frame))})


def any_cell(people: People, comparison: Comparison, method: Method) -> Cell:
    """Estimate one comparison, of the same people or of others at each wave."""
    return (repeated_cell if people.repeated else cell)(people, comparison, method)


def repeated_cell(people: People, comparison: Comparison, method: Method) -> Cell:
    """Estimate one comparison on the people seen at one wave or the other.

    The weight of a group in averages is that of all its people, at any wave, as in R's did.
    """
    rows = [
        people.run(comparison.group, comparison.group),
        *(people.run(low, high) for low, high in comparison.controls),
    ]
    after = np.concatenate([people.outcome[comparison.wave, run] for run in rows])
    before = np.concatenate([people.outcome[comparison.base, run] for run in rows])
    n = rows[0].stop - rows[0].start
    weight = np.ones(len(after))
    if people.weight is not None:
        weight = np.concatenate([people.weight[run] for run in rows])
    shares = weight[:n]
    total = float(shares.sum())
    post, kept = np.isfinite(after), np.isfinite(after) | np.isfinite(before)
    y = np.where(post, after, before)
    lacking = False
    x = np.ones((len(y), 1))
    if people.covariates and not comparison.reference:
        x = _design(people, comparison, rows, post)
        without = np.isnan(x.sum(axis=1))
        lacking = bool((without & kept).any())
        kept &= ~without
    treated = np.arange(len(y)) < n
    seen = (int(kept[:n].sum()), int(kept[n:].sum()))
    sides = [(treated == arm) & (post == late) & kept for arm in (1, 0) for late in (1, 0)]
    if comparison.reference:
        sides = sides[::2]
    if not all(side.any() for side in sides):
        return Cell(np.nan, *seen, total, shares, reason=UNKNOWN if lacking else EMPTY)
    influence, att = np.zeros(len(y)), 0.0
    if not comparison.reference:
        att, influence[kept], reason = repeated_att(
            y[kept], post[kept], treated[kept], x[kept], weight[kept], method
        )
        if reason is not None:
            return Cell(np.nan, *seen, total, shares, reason=reason)
    ends = np.cumsum([run.stop - run.start for run in rows])
    blocks = zip(rows, np.split(influence, ends[:-1]), strict=True)
    scales = np.split(_row_scales(people, rows, sides, weight), ends[:-1])
    return Cell(att, *seen, total, shares, tuple(blocks), kept, row_scales=tuple(scales))


def _design(
    people: People, comparison: Comparison, rows: Sequence[slice], post: Booleans
) -> Floats:
    """Constant and covariates, each person's at her wave."""
    columns = []
    for covariate in people.covariates:
        after = np.concatenate([covariate[comparison.wave, run] for run in rows])
        before = np.concatenate([covariate[comparison.base, run] for run in rows])
        columns.append(np.where(post, after, before))
    return np.column_stack([np.ones(len(post)), *columns])


def _row_scales(
    people: People, rows: Sequence[slice], sides: Sequence[Booleans], weight: Floats
) -> Floats:
    """What multiplies the influence of each person for sums by cluster to be those of CR2."""
    scale = np.ones(len(weight))
    if people.cluster is None:
        return scale
    cluster = np.concatenate([people.cluster[run] for run in rows])
    for side in sides:
        sums = np.bincount(cluster[side], weight[side], people.n_clusters)
        scale[side] = leverage_scale(sums / sums.sum())[cluster[side]]
    return scale


def repeated_att(
    y: Floats, post: Booleans, treated: Booleans, x: Floats, weight: Floats, method: Method
) -> tuple[float, Floats, str | None]:
    """Estimate the effect on the treated of one comparison of four samples.

    Parameters
    ----------
    y : array of n
        Outcome.
    post, treated : array of n bool
        Seen at the wave (else at the base); treated people (else controls).
    x : array of n x k
        Covariates, the constant among them.
    weight : array of n
        Positive weights.
    method : {"dr", "ipw", "reg"}
        Doubly robust, inverse probability or outcome regression.

    Returns
    -------
    tuple
        Effect, influence of each person, and why there is no effect (then missing) or None.

    Notes
    -----
    Sant'Anna and Zhao (2020): outcome regression, section 2.2; inverse probability with weights
    normed in each sample; doubly robust and locally efficient, equation (3.4), with regressions in
    the four samples. The effect is a sum of weighted means of what regressions leave; its influence
    is theirs, plus that of the regressions and of the score by their derivatives.
    """
    weight = weight / weight.mean()
    n, d = len(y), treated.astype(float)
    nothing = np.zeros(n)
    # Sign, weights of the mean, and its values: the terms of the effect.
    terms: list[tuple[float, Floats, Floats]] = []
    fitted: dict[tuple[int, int], Floats] = {}
    spreads: dict[tuple[int, int], tuple[Floats, Booleans]] = {}
    if method != "ipw":
        for arm in (0, 1) if method == "dr" else (0,):
            for late in (0, 1):
                chosen = (treated == arm) & (post == late)
                made = least_squares_on(y[chosen], x[chosen], weight[chosen])
                if made is None:
                    who = "traités" if arm else "témoins"
                    return np.nan, nothing, f"covariables colinéaires parmi les {who}"
                fitted[arm, late], spreads[arm, late] = x @ made[0], (made[1], chosen)
    chance = None
    if method != "reg":
        score = fit_chance(d, x, weight)
        if isinstance(score, str):
            return np.nan, nothing, score
        chance = score
    for late, sign in ((1, 1.0), (0, -1.0)):
        there = post == bool(late)
        control = fitted.get((0, late), nothing)
        terms.append((sign, weight * d * there, y if method == "reg" else y - control))
        if chance is not None:
            odds = weight * (1 - d) * there * chance[0] / (1 - chance[0])
            terms.append((-sign, odds, y - control))
        if method == "reg":
            terms.append((-sign, weight * d, control))
        if method == "dr":
            gap = fitted[1, late] - control
            terms += [(sign, weight * d, gap), (-sign, weight * d * there, gap)]
    means = [float(mass @ value / mass.sum()) for _, mass, value in terms]
    att = sum(sign * mean for (sign, _, _), mean in zip(terms, means, strict=True))
    influence = np.zeros(n)
    for (sign, mass, value), mean in zip(terms, means, strict=True):
        influence += sign * mass * (value - mean) / mass.sum()
    for (arm, late), (spread, chosen) in spreads.items():
        slopes = _slopes(method, arm, late, terms, x)
        residual = np.where(chosen, y - fitted[arm, late], 0.0)
        influence += scores_of(residual, x, weight) @ (spread @ slopes)
    if chance is not None:
        influence += scores_of(d - chance[0], x, weight) @ (chance[1] @ _pull(terms, means, x))
    return att, influence, None


def _slopes(
    method: Method, arm: int, late: int, terms: Sequence[tuple[float, Floats, Floats]], x: Floats
) -> Floats:
    """Derivative of the effect in the coefficients of the regression of one sample."""
    sign, first = (1.0, 0) if late else (-1.0, len(terms) // 2)
    means = [mass @ x / mass.sum() for _, mass, _ in terms[first : first + len(terms) // 2]]
    if method == "reg":  # treated at this wave, then all treated
        return np.asarray(-sign * means[1], float)
    own, odds, everyone, _ = means
    return np.asarray(sign * ((everyone - own) if arm else (odds - everyone)), float)


def _pull(
    terms: Sequence[tuple[float, Floats, Floats]], means: Sequence[float], x: Floats
) -> Floats:
    """Derivative of the effect in the coefficients of the score, which weights the controls."""
    half = len(terms) // 2
    found = np.zeros(x.shape[1])
    for place in (1, half + 1):
        sign, mass, value = terms[place]
        found += sign * ((mass * (value - means[place])) @ x) / mass.sum()
    return found
