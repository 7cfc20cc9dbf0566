"""Compare cumulative incidences: Gray's test, cause by cause."""

from __future__ import annotations

from numbers import Real

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError
from barometre.base.face import counted_text, number_text, p_text
from barometre.base.french import format_number
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.durations.risk_sets import Spells, as_spells
from barometre.cohort.rows.columns import require_columns


def gray_test(
    frame: pd.DataFrame,
    duration: str,
    cause: str,
    by: str,
    *,
    strata: str | None = None,
    rho: float = 0.0,
) -> Tidy:
    """Test that groups have the same cumulative incidence of each cause (Gray, 1988).

    The log-rank test compares hazards, the other causes being censored: a group may have as many
    events per person at risk and fewer in the end, since more of its people left otherwise. This
    test compares the shares of `cumulative_incidence`.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    duration, cause, by : str
        Columns of the time of exit, of its cause (0 when censored) and of the group, as in
        `cumulative_incidence`; weights and delayed entry have no place in this test.
    strata : str, optional
        Column of the strata within which groups are compared.
    rho : float, default 0
        Weight (1 - F)^rho of each time, F being the pooled incidence: above 0, early events count
        more.

    Returns
    -------
    Tidy
        A row a cause: ``cause, n_event, chisq, df, p``. A statistic is missing when a group cannot
        be compared with the others.

    Raises
    ------
    BarometreError
        A column absent, fewer than two groups, negative or infinite rho, and the errors of
        `cumulative_incidence`.

    Notes
    -----
    Gray, R. J. (1988), *A class of K-sample tests for comparing the cumulative incidence of a
    competing risk*, Annals of Statistics 16(3): the variance of section 3, with the factors for
    ties of ``cuminc`` of R (package cmprsk). People count as independent.

    Examples
    --------
    >>> people = pd.DataFrame({"years": [1, 2, 3, 4, 5, 6, 7, 8], "arm": [0] * 4 + [1] * 4})
    >>> people["exit"] = [1, 1, 2, 1, 2, 2, 1, 0]
    >>> test = gray_test(people, "years", "exit", "arm")
    >>> test["chisq"].round(3).tolist(), test["df"].tolist()
    ([3.774, 0.917], [1, 1])
    """
    from scipy.stats import chi2

    require_columns(frame, [duration, cause, by, strata])
    layers = None if strata is None else frame[strata]
    spells = as_spells(frame[duration], frame[cause], by=frame[by], strata=layers, competing=True)
    sizes = np.bincount(spells.group, minlength=len(spells.labels))
    if np.count_nonzero(sizes) < 2:
        raise BarometreError("un seul groupe : le test compare au moins deux groupes")
    if not (isinstance(rho, Real) and np.isfinite(rho) and rho >= 0):
        raise BarometreError(f"rho {rho} : donner un nombre positif ou nul")
    causes = [int(code) for code in np.unique(spells.cause) if code > 0]
    present = np.flatnonzero(sizes)
    df = len(present) - 1
    rows = []
    for code in causes:
        score, variance = np.zeros(len(sizes)), np.zeros((len(sizes), len(sizes)))
        for part in spells.cut(spells.stratum, int(spells.stratum.max()) + 1):
            gap, spread = _stratum(part, code, rho)
            score, variance = score + gap, variance + spread
        # The gaps add up to 0: one group is redundant.
        used = present[:-1]
        part_of, chisq = variance[np.ix_(used, used)], np.nan
        if np.linalg.matrix_rank(part_of) == df:
            chisq = float(score[used] @ np.linalg.solve(part_of, score[used]))
        n_event = int((spells.cause == code).sum())
        rows.append((code, n_event, chisq, df, float(chi2.sf(chisq, df))))
    table = pd.DataFrame(rows, columns=["cause", "n_event", "chisq", "df", "p"])
    name = "test de Gray" + ("" if rho == 0 else f", rho = {format_number(rho)}")
    convention = "variance de Gray (1988), facteurs d'ex æquo de cmprsk"
    return tidy(table, sentences=_sentences, **spells.meta(name, convention))


def _sentences(table: pd.DataFrame) -> list[str]:
    return [
        f"Cause {row['cause']} ({counted_text(row['n_event'], 'événement')}) :"
        f" χ² = {number_text(row['chisq'], 2)}, "
        f"{counted_text(row['df'], 'degré de liberté', 'degrés de liberté')}, {p_text(row['p'])}."
        for row in table.to_dict("records")
    ]


def _stratum(spells: Spells, code: int, rho: float) -> tuple[Floats, Floats]:
    """Return the scores of the groups and their covariance, in one stratum.

    Arrays are times x groups, then times x groups x groups.
    """
    groups = len(spells.labels)
    if not len(spells.duration):
        return np.zeros(groups), np.zeros((groups, groups))
    time, at = np.unique(spells.duration, return_inverse=True)

    def by_group(rows: Booleans) -> Floats:
        cells = np.bincount(at[rows] * groups + spells.group[rows], minlength=len(time) * groups)
        return cells.reshape(-1, groups).astype(np.float64)

    risk = by_group(np.ones(len(at), np.bool_))[::-1].cumsum(axis=0)[::-1]
    first = by_group(spells.cause == code)
    other = by_group((spells.cause > 0) & (spells.cause != code))
    safe = np.maximum(risk, 1.0)
    after = np.cumprod(1 - (first + other) / safe, axis=0)
    before = _lagged(after, 1.0)
    own = _lagged(np.cumsum(before * first / safe, axis=0), 0.0)  # incidence of each group
    size = _ratio(risk, before)  # h of the paper: the group less its censored people
    total, events = size.sum(axis=1, keepdims=True), first.sum(axis=1, keepdims=True)
    step = _ratio(events, total)
    pooled = np.cumsum(step, axis=0)
    left = 1 - _lagged(pooled, 0.0)
    weight = left**rho
    adjusted = size * (1 - own)  # R of the paper: who had another event stays in
    expected = events * _ratio(adjusted, adjusted.sum(axis=1, keepdims=True))
    score = (weight * (first - expected)).sum(axis=0)
    gaps = np.eye(groups) - _ratio(size, total)[:, None, :]
    effect = (weight * size)[:, :, None] * gaps
    grown = np.cumsum(effect * _ratio(step, left)[:, :, None], axis=0)
    to_come = grown[-1] - grown
    here = np.where(after > 0, _ratio(1 - pooled, after), 0.0)
    # Ties are drawn without replacement: the hypergeometric factor.
    ties = 1 - _ratio(np.maximum(events - 1, 0.0), total * before - 1)
    one = ties * _ratio(before * events, total * safe) * (risk > 0)
    two = (1 - _ratio(np.maximum(other - 1, 0.0), safe - 1)) * before**2 * other / safe**2
    moved = effect + (1 - here)[:, None, :] * to_come
    kept = here[:, None, :] * to_come
    variance = _squares(one, moved) + _squares(two * (after > 0), kept)
    return score, variance


def _lagged(values: Floats, start: float) -> Floats:
    """Return the value just before each time."""
    return np.vstack([np.full((1, values.shape[1]), start), values[:-1]])


def _ratio(above: Floats, below: Floats) -> Floats:
    """Divide, 0 where there is nothing to divide by."""
    above, below = np.broadcast_arrays(above, below)
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)


def _squares(mass: Floats, values: Floats) -> Floats:
    """Sum over times and groups the products of the effects on two groups."""
    summed: Floats = np.einsum("tk,tik,tjk->ij", mass, values, values, optimize=True)
    return summed
