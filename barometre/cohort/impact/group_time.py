"""Effects by group of entry and wave, ATT(g,t), for treatments that start at several dates."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import UnknownNameError, counted
from barometre.base.tidy import tidy
from barometre.cohort.impact.group_time_cells import Base, Cell, Control, Method, cell
from barometre.cohort.impact.group_time_people import Gathered, Missing, gather
from barometre.cohort.impact.group_time_result import AttGt
from barometre.cohort.inference.estimates import student_interval
from barometre.cohort.rows.panel import PanelRows


class ComparisonWarning(UserWarning):
    """Comparisons that cannot be estimated, or groups too small for their covariates."""


def att_gt(
    frame: pd.DataFrame,
    outcome: str,
    *,
    person: str,
    wave: str,
    first_treated: str,
    control: Control = "never",
    base: Base = "varying",
    covariates: Sequence[str] | str | None = None,
    method: Method = "dr",
    cluster: str | None = None,
    weight: str | None = None,
    missing: Missing = "pairs",
    anticipation: float = 0,
) -> AttGt:
    """Estimate the effect of a treatment on each group of entry at each wave, ATT(g,t).

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    outcome : str
        Column of numbers; a missing value is a person not seen at that wave.
    person, wave, first_treated : str
        Columns. ``first_treated`` is the wave of the first treatment, and missing, 0 or infinite
        for the never treated. Entering after the last wave (and its anticipation) is never being
        treated. Waves that are numbers count in their own unit; dates, periods and ordered
        categories count in waves, and one enters at the first wave that is not before her date.
    control : {"never", "not_yet"}
        Who is compared: the never treated; or everyone not treated yet at either date, the never
        treated among them.
    base : {"varying", "universal"}
        Wave compared before treatment: the previous one, or always the last before treatment
        (and its anticipation). After treatment it is always the latter.
    covariates : sequence of str, optional
        Columns, as they were at the base wave of each comparison, a constant being added; labels
        become indicators. A person whose covariate is missing then is left out of the comparison.
    method : {"dr", "ipw", "reg"}
        Doubly robust, inverse probability weighting or outcome regression; without covariates the
        three are the difference of the mean changes.
    cluster : str, optional
        Column of the cluster, as it was at the first wave of the person. No cluster by default.
        ``meta["caution"]`` names the groups that are each in one cluster, whose errors are then
        too small.
    weight : str, optional
        Positive weights, as they were at the first wave of the person.
    missing : {"pairs", "balanced"}
        Keep for each comparison the people seen at its two dates, or only the people seen at every
        wave.
    anticipation : float, default 0
        Time before the treatment at which it may already act.

    Returns
    -------
    AttGt
        ``table``, ``aggregate(...)``, ``pretrend()``, ``influence``, ``meta``. People treated from
        the first wave on have no date before and are left out, counted in ``meta["lost"]``. An
        effect that cannot be estimated (nobody to compare, collinear covariates, no overlap) is
        missing, with a `ComparisonWarning` when covariates are the cause.

    Raises
    ------
    BarometreError
        An unknown option or column, an outcome or waves that are not numbers, a single wave,
        nobody treated between the waves, nobody to compare with, fewer than 2 clusters; what
        `Cohort` refuses.

    Notes
    -----
    Callaway and Sant'Anna (2021), Sant'Anna and Zhao (2020). Standard errors come from the
    influence functions, without small-sample correction: sqrt(sum of squares) / n, summed within
    clusters first when there are some (no G / (G - 1) factor), as R's did 2.5. Intervals are
    normal, at 95 %, cell by cell: with few clusters they are too short, and a group of one person
    shows no variance of its own.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "t": [1, 2] * 4})
    >>> rows["g"], rows["y"] = [2] * 4 + [0] * 4, [0, 3, 0, 5, 0, 1, 0, 2]
    >>> effects = att_gt(rows, "y", person="id", wave="t", first_treated="g")
    >>> effects.table[["group", "wave", "att", "n_treated", "n_control"]].values.tolist()
    [[2.0, 2.0, 2.5, 2.0, 2.0]]
    >>> round(effects.aggregate("simple").overall.se, 4)
    0.7906
    """
    panel = PanelRows(frame, person=person, wave=wave, first_treated=first_treated, weight=weight)
    return panel_att_gt(
        panel,
        outcome,
        control=control,
        base=base,
        covariates=covariates,
        method=method,
        cluster=cluster,
        missing=missing,
        anticipation=anticipation,
    )


def panel_att_gt(
    panel: PanelRows,
    outcome: str,
    *,
    control: Control = "never",
    base: Base = "varying",
    covariates: Sequence[str] | str | None = None,
    method: Method = "dr",
    cluster: str | None = None,
    missing: Missing = "pairs",
    anticipation: float = 0,
) -> AttGt:
    """Estimate ATT(g,t) on a cohort: `att_gt`, with the columns the cohort has declared.

    Parameters
    ----------
    panel : PanelRows
        With ``first_treated``; its ``weight`` is used when there is one, its cluster is not
        unless ``cluster`` names it: the errors have no correction for few clusters.
    outcome, control, base, covariates, method, cluster, missing, anticipation
        As in `att_gt`.

    Returns
    -------
    AttGt
        As `att_gt`.

    Raises
    ------
    BarometreError
        As `att_gt`; a cohort without ``first_treated``.
    """
    options = (("control", control, Control), ("base", base, Base), ("method", method, Method))
    for name, value, admitted in (*options, ("missing", missing, Missing)):
        if value not in get_args(admitted):
            raise UnknownNameError(f"{name} =", str(value), get_args(admitted))
    names = [covariates] if isinstance(covariates, str) else list(covariates or [])
    gathered = gather(panel, outcome, names, control, base, cluster, missing, anticipation)
    people = gathered.people
    _warn_small(gathered, len(people.covariates))
    cells, ses = [], []
    compared = np.zeros(people.outcome.shape[1], np.bool_)
    for comparison in gathered.comparisons:
        known = cell(people, comparison, method)
        _mark(compared, known)
        ses.append(np.nan if comparison.reference else people.se(known.influence))
        known = replace(known, kept=None)
        # Influences without covariates are computed again when needed: n x cells is a lot to keep.
        cells.append(known if names else replace(known, influence=(), shares=known.shares[:0]))
    frame = pd.DataFrame(
        {
            "group": gathered.named([people.groups[c.group] for c in gathered.comparisons]),
            "wave": gathered.named([people.waves[c.wave] for c in gathered.comparisons]),
            "att": [known.att for known in cells],
            "se": ses,
            "n_treated": [known.n_treated for known in cells],
            "n_control": [known.n_control for known in cells],
        }
    )
    frame["low"], frame["high"] = student_interval(frame["att"], frame["se"], np.inf)[2:]
    reasons = pd.Series([known.reason for known in cells], dtype=object)
    not_estimated = frame[["group", "wave"]].assign(reason=reasons)[reasons.notna()]
    _warn_not_estimated(not_estimated)
    lost = dict(gathered.lost)
    if not compared.all():
        lost["jamais vues aux deux dates d'une comparaison"] = int((~compared).sum())
    meta: dict[str, Any] = {
        "method": _METHODS[method] if names else "différence des évolutions moyennes",
        "convention": (
            "Callaway et Sant'Anna (2021) ; erreurs-types par les fonctions d'influence, "
            + ("sommées par grappe sans facteur G/(G-1)" if cluster else "sans correction")
            + " ; intervalles normaux à 95 %, point par point"
        ),
        "n_in": panel.n_people,
        "n_used": int(compared.sum()),
        "n_rows": gathered.n_rows,
        "n_clusters": None if people.cluster is None else int(people.cluster.max()) + 1,
        "lost": lost,
        "not_estimated": not_estimated.to_dict("records"),
        "control": control,
        "base": base,
        "covariates": names,
        "missing": missing,
        "anticipation": anticipation,
        "cluster": cluster,
        "weight": panel.weight and f"{panel.weight}, à la première vague",
        **_single_clusters(gathered),
    }
    table = tidy(frame, **meta)
    return AttGt(table, table.meta, gathered, tuple(cells), method)


_METHODS: dict[Method, str] = {
    "dr": "doublement robuste : moindres carrés et logit (Sant'Anna, Zhao, 2020)",
    "ipw": "pondération par l'inverse du score de propension, normée (Abadie, 2005)",
    "reg": "régression des témoins (Heckman, Ichimura, Todd, 1997)",
}


def _mark(compared: npt.NDArray[np.bool_], known: Cell) -> None:
    """Mark the people that an estimated comparison used."""
    start = 0
    for run, values in known.influence:
        stop = start + len(values)
        compared[run] |= True if known.kept is None else known.kept[start:stop]
        start = stop


def _warn_small(gathered: Gathered, covariates: int) -> None:
    people = gathered.people
    sizes = np.diff(people.bounds)
    small = people.groups[sizes < covariates + 5]
    if covariates and len(small):
        named = ", ".join(_named(gathered, g) for g in small)
        warnings.warn(
            f"groupes de moins de {covariates + 5} personnes pour {covariates} covariables : "
            f"{named} ; les regrouper, ou estimer sans covariables",
            ComparisonWarning,
            stacklevel=4,
        )


def _single_clusters(gathered: Gathered) -> dict[str, str]:
    """Say in ``meta`` which groups are each in one cluster: their errors are then too small."""
    people = gathered.people
    if people.cluster is None:
        return {}
    runs = [people.run(g, g) for g in range(len(people.groups))]
    alone = [np.ptp(people.cluster[run]) == 0 for run in runs]
    if not any(alone):
        return {}
    named = ", ".join(_named(gathered, g) for g in people.groups[alone])
    said = (
        f"groupes tenant chacun dans une seule grappe : {named} ; l'erreur-type par grappe y est "
        "bien trop petite (MacKinnon, Webb, 2018)"
    )
    return {"caution": said}


def _named(gathered: Gathered, group: float) -> str:
    return "jamais" if np.isinf(group) else str(gathered.named([group])[0])


def _warn_not_estimated(failed: pd.DataFrame) -> None:
    causes = failed[failed["reason"].str.contains("colinéaire|score")]
    if len(causes):
        cells = " ; ".join(f"({g}, {t}) {why}" for g, t, why in causes.to_numpy())
        warnings.warn(
            f"{counted(len(causes), 'effet non estimé', 'effets non estimés')} : {cells}",
            ComparisonWarning,
            stacklevel=4,
        )
