"""Effects by group of entry and wave, ATT(g,t), for treatments that start at several dates."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.tidy import tidy
from barometre.cohort.inference.estimates import interval_columns
from barometre.cohort.inference.sandwich import StandardError, check_standard_error
from barometre.cohort.rows.panel import PanelRows
from barometre.cohort.staggered.group_time_cells import Base, Cell, Control, Method
from barometre.cohort.staggered.group_time_people import Gathered, Missing, gather
from barometre.cohort.staggered.group_time_repeated import ROW, any_cell, numbered
from barometre.cohort.staggered.group_time_result import AttGt, cell_sentences


class ComparisonWarning(UserWarning):
    """Comparisons that cannot be estimated, or groups too small for their covariates."""


def att_gt(
    frame: pd.DataFrame,
    outcome: str,
    *,
    person: str | None,
    wave: str,
    first_treated: str,
    control: Control = "never",
    base: Base = "varying",
    covariates: Sequence[str] | str | None = None,
    method: Method = "dr",
    missing: Missing = "pairs",
    anticipation: float = 0,
    cluster: str | None = None,
    weight: str | None = None,
    se: StandardError | None = None,
) -> AttGt:
    """Estimate the effect of a treatment on each group of entry at each wave, ATT(g,t).

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    outcome : str
        Column of numbers; a missing value is a person not seen at that wave.
    person, wave, first_treated : str
        Columns. ``person=None``: repeated cross-sections, each row being another person (surveys of
        the same neighbourhoods, other people each time). ``first_treated`` is the wave of the first
        treatment, and missing, 0 or infinite for the never treated. Entering after the last wave
        (and its anticipation) is never being treated. Waves that are numbers count in their own
        unit; dates, periods and ordered categories count in waves, and one enters at the first wave
        that is not before her date.
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
    missing : {"pairs", "balanced"}
        Keep for each comparison the people seen at its two dates, or only the people seen at every
        wave.
    anticipation : float, default 0
        Time before the treatment at which it may already act.
    cluster : str, optional
        Column of the cluster, as it was at the first wave of the person; the person by default.
        ``meta["caution"]`` names the groups that are each in one cluster, whose errors are then
        too small.
    weight : str, optional
        Positive weights, as they were at the first wave of the person.
    se : {"CR2", "CR0", "CR1", "CR1S", "HC1", "CR3"}, optional
        Standard error: see Notes. By default ``"CR2"`` with clusters, whose intervals hold their
        level when clusters are few, and ``"CR0"`` by person; ``"CR3"`` is refused.

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
    influence functions, summed within clusters: sqrt(sum of squares) / n. ``"CR0"`` has no
    small-sample correction and normal intervals, as R's did 2.5: with few clusters they are too
    short. ``"CR1"`` multiplies the variance by G / (G - 1) and has Student intervals with G - 1
    degrees of freedom; so has ``"CR1S"``, no other parameter being counted. ``"CR2"`` divides the
    sum of a cluster by the root of what its share h in the people compared leaves, 1 - h, and has
    the degrees of freedom of Satterthwaite (Bell, McCaffrey, 2002): it is the CR2 of the regression
    of the change on the treatment when there are no covariates. ``"HC1"`` ignores the
    clusters: it is ``"CR1"`` with one person, one cluster. Intervals are at 95 %, cell by cell; a
    group of one person shows no variance of its own.

    Without ``person``, the estimators are those of repeated cross-sections (Sant'Anna and Zhao,
    2020; the locally efficient one for ``"dr"``), as R's did has them with ``panel = FALSE``. They
    assume that the people surveyed are not chosen otherwise because of the treatment.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "t": [1, 2] * 4})
    >>> rows["g"], rows["y"] = [2] * 4 + [0] * 4, [0, 3, 0, 5, 0, 1, 0, 2]
    >>> effects = att_gt(rows, "y", person="id", wave="t", first_treated="g")
    >>> effects.table[["group", "wave", "estimate", "n_treated", "n_control"]].values.tolist()
    [[2.0, 2.0, 2.5, 2.0, 2.0]]
    >>> round(effects.aggregate("simple").overall.se, 4)
    0.7906
    """
    if person is None:
        frame, person = numbered(frame), ROW
    panel = PanelRows(frame, person, wave, first_treated=first_treated, weight=weight)
    return panel_att_gt(
        panel,
        outcome,
        control=control,
        base=base,
        covariates=covariates,
        method=method,
        missing=missing,
        anticipation=anticipation,
        cluster=cluster,
        se=se,
    )


def panel_att_gt(
    panel: PanelRows,
    outcome: str,
    *,
    control: Control = "never",
    base: Base = "varying",
    covariates: Sequence[str] | str | None = None,
    method: Method = "dr",
    missing: Missing = "pairs",
    anticipation: float = 0,
    cluster: str | None = None,
    se: StandardError | None = None,
) -> AttGt:
    """Estimate `att_gt` on a panel, whose cluster is used unless another one is named."""
    options = (("control", control, Control), ("base", base, Base), ("method", method, Method))
    for name, value, admitted in (*options, ("missing", missing, Missing)):
        if value not in get_args(admitted):
            raise UnknownNameError(f"{name} =", str(value), get_args(admitted))
    if se is not None:
        check_standard_error(se)
    if se in ("CR3", "iid"):
        raise BarometreError(
            f"{se} : non défini pour des fonctions d'influence ; donner « CR2 » (peu de grappes), "
            "« CR1 » (G/(G-1)), « CR0 » (sans correction) ou « HC1 » (sans grappes)"
        )
    repeated = panel.person == ROW
    if repeated and missing == "balanced":
        raise BarometreError('missing="balanced" : personne n\'est vu deux fois sans person=')
    names = [covariates] if isinstance(covariates, str) else list(covariates or [])
    clustered = None if se == "HC1" else cluster or panel.cluster or panel.person
    by = None if clustered == panel.person else clustered
    gathered = gather(
        panel, outcome, names, control, base, by, missing, anticipation, se, repeated=repeated
    )
    _warn_small(gathered, len(gathered.people.covariates))
    cells, errors, compared = _estimate(gathered, method, keep=bool(names))
    frame = _table(gathered, cells, errors)
    reasons = pd.Series([known.reason for known in cells], dtype=object)
    not_estimated = frame[["group", "wave"]].assign(reason=reasons)[reasons.notna()]
    _warn_not_estimated(not_estimated)
    lost = dict(gathered.lost)
    if compared < panel.n_people - sum(lost.values()):
        unused = panel.n_people - sum(lost.values()) - compared
        why = "jamais vues aux deux dates d'une comparaison"
        lost["sans résultat, ou à une date non comparée" if repeated else why] = unused
    own = clustered == panel.person and cluster is None
    meta: dict[str, Any] = {
        "method": (_METHODS[method] if names else "différence des évolutions moyennes")
        + ", autres personnes à chaque vague" * repeated,
        "convention": f"Callaway et Sant'Anna (2021), témoins {_CONTROLS[control]} ; "
        f"{_ERRORS[gathered.people.kind]}",
        "outcome": outcome,
        "n_in": panel.n_people,
        "n_used": compared,
        "n_rows": gathered.n_rows,
        "n_clusters": None if se == "HC1" else gathered.n_clusters,
        "lost": lost,
        "not_estimated": not_estimated.to_dict("records"),
        "control": control,
        "base": base,
        "covariates": names,
        "missing": missing,
        "anticipation": anticipation,
        "cluster": _cluster_text(clustered, own=own, repeated=repeated),
        **({"unit": "ligne"} if repeated else {}),
        "weight": panel.weight and f"{panel.weight}, à la première vague",
        **_single_clusters(gathered),
    }
    table = tidy(frame, sentences=cell_sentences, **meta)
    return AttGt(table, gathered, tuple(cells), method)


def _cluster_text(cluster: str | None, *, own: bool, repeated: bool) -> str | None:
    if repeated and own:
        return None
    return f"{cluster} (la personne, faute de cluster=)" if own else cluster


def _estimate(gathered: Gathered, method: Method, *, keep: bool) -> tuple[list[Cell], Floats, int]:
    """Estimate each comparison; give the cells, errors and df, and how many people were compared.

    Influences without covariates are computed again when needed: n x cells is a lot to keep.
    """
    people = gathered.people
    cells, errors = [], []
    compared = np.zeros(people.outcome.shape[1], np.bool_)
    for comparison in gathered.comparisons:
        known = any_cell(people, comparison, method)
        _mark(compared, known)
        errors.append((np.nan, np.nan) if comparison.reference else people.error(known))
        known = replace(known, kept=None)
        cells.append(known if keep else replace(known, influence=(), shares=known.shares[:0]))
    return cells, np.array(errors), int(compared.sum())


def _table(gathered: Gathered, cells: list[Cell], errors: Floats) -> pd.DataFrame:
    people = gathered.people
    ses, df = errors.T
    df = df if people.adjusted else np.full(len(df), gathered.df)
    frame = pd.DataFrame(
        {
            "group": gathered.named([people.groups[c.group] for c in gathered.comparisons]),
            "wave": gathered.named([people.waves[c.wave] for c in gathered.comparisons]),
            "estimate": [known.att for known in cells],
            "se": ses,
        }
    )
    frame[["low", "high", "df", "p"]] = interval_columns(frame["estimate"], ses, df)
    frame["n"] = [known.n_treated + known.n_control for known in cells]
    frame["n_treated"] = [known.n_treated for known in cells]
    frame["n_control"] = [known.n_control for known in cells]
    return frame


_CONTROLS: dict[Control, str] = {"never": "jamais traités", "not_yet": "pas encore traités"}
_ERRORS: dict[StandardError, str] = {
    "CR0": "CR0, fonctions d'influence sommées par grappe, sans correction ; loi normale",
    "CR1": "CR1, fonctions d'influence sommées par grappe, G/(G-1) ; ddl G-1",
    "CR1S": "CR1S, fonctions d'influence sommées par grappe, G/(G-1) ; ddl G-1",
    "CR2": "CR2, fonctions d'influence sommées par grappe, corrigées de leur part ; ddl de "
    "Satterthwaite",
    "HC1": "HC1, fonctions d'influence sans grappes, n/(n-1) ; ddl n-1",
}
_METHODS: dict[Method, str] = {
    "dr": "doublement robuste : moindres carrés et logit (Sant'Anna, Zhao, 2020)",
    "ipw": "pondération par l'inverse du score de propension, normée (Abadie, 2005)",
    "reg": "régression des témoins (Heckman, Ichimura, Todd, 1997)",
}


def _mark(compared: Booleans, known: Cell) -> None:
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
    caution = (
        f"groupes tenant chacun dans une seule grappe : {named} ; l'erreur-type par grappe y est "
        "bien trop petite (MacKinnon, Webb, 2018)"
    )
    return {"caution": caution}


def _named(gathered: Gathered, group: float) -> str:
    return "jamais" if np.isinf(group) else str(gathered.named([group])[0])


def _warn_not_estimated(failed: pd.DataFrame) -> None:
    causes = failed[failed["reason"].str.contains("covariable|colinéaire|score")]
    if len(causes):
        cells = " ; ".join(f"({g}, {t}) {why}" for g, t, why in causes.to_numpy())
        warnings.warn(
            f"{counted(len(causes), 'effet non estimé', 'effets non estimés')} : {cells}",
            ComparisonWarning,
            stacklevel=4,
        )
