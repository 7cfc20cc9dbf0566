"""Time to an event seen at waves: the discrete-time hazard, one row per person and period."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.face import Face, counted_text, interval_text, number_text, p_text
from barometre.cohort.durations.hazard_rows import hazard_rows

Link = Literal["cloglog", "logit"]
_MOST = 100  # periods, each with its own hazard
_FAR = 15.0  # linear predictor beyond which a hazard is 0 or 1: no finite estimate
_RATIO = {"cloglog": "rapport de risques", "logit": "rapport de cotes"}


@dataclass(frozen=True)
class DiscreteHazard(Face):
    """Ratios of discrete-time hazards.

    Attributes
    ----------
    table : DataFrame
        ``term, coefficient, se, ratio, low, high, statistic, p``: hazard ratios with ``cloglog``,
        odds ratios with ``logit``.
    n, n_events, n_periods, n_clusters : int
        People, events, periods used, clusters (people without cluster).
    meta : dict
        ``method``, ``convention``, ``link``, ``level``, ``cluster``, ``n_in``, ``lost``...
    """

    table: pd.DataFrame
    n: int
    n_events: int
    n_periods: int
    n_clusters: int
    meta: Mapping[str, Any] = field(repr=False)

    def sentences(self) -> list[str]:
        """Say each ratio and what it rests on."""
        name = _RATIO[self.meta["link"]]
        return [
            f"Risque en temps discret : {counted_text(self.n, 'personne')}, "
            f"{counted_text(self.n_events, 'événement')}, "
            f"{counted_text(self.n_periods, 'période')}.",
            *(
                f"{row['term']} : {name} {number_text(row['ratio'], 2)} "
                f"{interval_text(row['low'], row['high'], 2)}, {p_text(row['p'])}."
                for row in self.table.to_dict("records")
            ),
            f"Convention : {self.meta['convention']}.",
            *(f"Attention : {text}." for text in [self.meta.get("caution")] if text),
        ]


def discrete_hazard(
    frame: pd.DataFrame,
    duration: str,
    event: str,
    *,
    by: str | None = None,
    covariates: Sequence[str] = (),
    entry: str | None = None,
    cluster: str | None = None,
    link: Link = "cloglog",
    level: float = 0.95,
) -> DiscreteHazard:
    """Compare the hazards of groups at each period, for events seen at waves only.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    duration, event : str
        Columns of the time of exit and of 0 (censored) or 1 (event), as in `kaplan_meier`.
    by, entry, cluster : str, optional
        Columns of the group, of the time of entry and of the cluster, as in `cox`.
    covariates : sequence of str
        Columns of numbers or categories, as in `cox`.
    level : float, default 0.95
        Confidence level.
    link : {"cloglog", "logit"}, default "cloglog"
        ``"cloglog"``: hazard ratios of the continuous time behind the waves; ``"logit"``: odds
        ratios of the hazard of a period.

    Returns
    -------
    DiscreteHazard

    Raises
    ------
    BarometreError
        As `cox`; an unknown link; more than 100 times of events.

    Notes
    -----
    A binomial regression (GLM of statsmodels) of the event of each person and period at risk, with
    a constant by period (Prentice and Gloeckler, 1978; Allison, 1982). Periods where nobody or
    everybody at risk has the event tell nothing of the ratios and are left out. Errors are the
    sandwich by cluster, with the same factor and law as in `cox`; with few clusters they are too
    small.

    Examples
    --------
    >>> rows = pd.DataFrame({"t": 1, "job": [1, 0, 0, 0, 1, 1, 1, 0], "bras": [0] * 4 + [1] * 4})
    >>> discrete_hazard(rows, "t", "job", by="bras", link="logit").table["ratio"].round(6).tolist()
    [9.0]
    """
    if link not in get_args(Link):
        raise UnknownNameError("lien", str(link), get_args(Link))
    rows = hazard_rows(
        frame, duration, event,
        by=by, covariates=covariates, entry=entry, cluster=cluster, level=level,
    )  # fmt: skip
    spells, failed = rows.spells, rows.failed
    who, period, happened = _periods(spells.duration, spells.entry, failed)
    x = rows.columns.to_numpy(np.float64)
    table = rows.ratios(*_fit(x, who, period, happened, rows.codes, link))
    meta = rows.meta("risque en temps discret", f"lien {link}, une constante par période")
    meta["link"] = link
    table = table.rename(columns={"hazard_ratio": "ratio"})
    number = int(period.max()) + 1
    return DiscreteHazard(table, len(rows.codes), int(failed.sum()), number, rows.groups, meta)


def _periods(time: Floats, entry: Floats, failed: Any) -> tuple[Integers, Integers, Floats]:
    """Return person, period and event of each person and period at risk that tells something."""
    times = np.unique(time[failed])
    if len(times) > _MOST:
        raise BarometreError(
            f"{len(times)} dates d'événement : plus de {_MOST} périodes ; les arrondir, ou cox()"
        )
    at_risk = (entry[:, None] < times) & (time[:, None] >= times)
    events = failed[:, None] & (time[:, None] == times)
    number = events.sum(axis=0)
    told = number < at_risk.sum(axis=0)
    if not told.any():
        raise BarometreError("à chaque période, tous ont l'événement : rien à comparer")
    who, period = np.nonzero(at_risk[:, told])
    return who, period, events[:, told][who, period].astype(np.float64)


def _fit(
    x: Floats, who: Integers, period: Integers, happened: Floats, codes: Integers, link: Link
) -> tuple[Floats, Floats]:
    """Return the coefficients and their sandwich, without factor."""
    import statsmodels.api as sm

    centre, scale = x.mean(axis=0), x.std(axis=0)
    z = ((x - centre) / scale)[who]
    constants = (period[:, None] == np.arange(period.max() + 1)).astype(np.float64)
    design = np.column_stack([z, constants])
    link_of = {"cloglog": sm.families.links.CLogLog, "logit": sm.families.links.Logit}[link]
    model = sm.GLM(happened, design, family=sm.families.Binomial(link_of()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an estimate that runs to infinity is refused below
        found = model.fit(
            maxiter=100, tol=1e-12, cov_type="cluster",
            cov_kwds={"groups": codes[who], "use_correction": False},
        )  # fmt: skip
        params, covariance = np.asarray(found.params), np.asarray(found.cov_params())
    far = np.abs(design @ params).max() if np.isfinite(params).all() else np.inf
    if not far < _FAR or not np.isfinite(covariance).all():
        raise BarometreError(
            "rapport infini : dans un groupe, l'événement n'arrive jamais, ou toujours ; regrouper"
            " ou retirer une covariable"
        )
    size = x.shape[1]
    return params[:size] / scale, covariance[:size, :size] / np.outer(scale, scale)
