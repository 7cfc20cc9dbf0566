"""The actions of a year: done, for whom, at what cost; the three that are followed closely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from barometre.base.errors import Fault, FaultsError, UnknownNameError
from barometre.secrecy.suppression import suppress
from barometre.tables.records import check_records

DONE, DROPPED = "réalisée", ("reportée", "abandonnée")
REINFORCED = ("santé", "emploi", "éducation")
CHAIN = ("moyens", "realisation", "resultat", "impact")
"""The chain of an action's indicators: means, outputs, results, impact."""

THRESHOLD = 11
"""Beneficiaries under which a count is hidden."""

_BY = ("orientation", "principe", "echelle", "commune", "qpv", "porteur", "annee")


def actions(
    table: pd.DataFrame,
    by: str = "orientation",
    *,
    year: int | None = None,
    threshold: int | None = THRESHOLD,
) -> pd.DataFrame:
    """Sum up the actions of a year by orientation, neighbourhood, holder...

    Parameters
    ----------
    table : DataFrame
        Table ``actions``.
    by : str, default "orientation"
        Breakdown: ``orientation, principe, echelle, commune, qpv, porteur`` or ``annee``.
    year : int, optional
        Year kept; all by default.
    threshold : int or None, default 11
        Counts of beneficiaries below are hidden, and others so that no total gives them back
        (`suppress`); None publishes them all.

    Returns
    -------
    DataFrame
        One row a value of ``by``: ``n`` actions, ``n_realisees, n_en_cours, n_prevues,
        n_arretees`` (postponed or dropped), ``taux_realisation`` (percent of the actions not yet
        expected otherwise: done over all), ``beneficiaires_prevus, beneficiaires`` (missing when
        hidden), ``part_femmes, part_qpv`` (percent, of the actions that give both; hidden with
        their counts), ``cout`` (euros), ``cout_par_beneficiaire`` (euros, on the actions that give
        both), ``n_sans_beneficiaires`` (actions whose count is not known) and ``statut``.

    Raises
    ------
    TableError
        The table is refused.
    UnknownNameError
        A breakdown that there is not.
    """
    if by not in _BY:
        raise UnknownNameError("ventilation", by, _BY)
    rows = check_records("actions", table)
    if year is not None:
        rows = rows[rows["annee"] == year]
    groups = rows.assign(**{by: rows[by].astype("str").fillna("non précisé")}).groupby(
        by, sort=True
    )
    summed = pd.DataFrame([_summed(str(name), group) for name, group in groups])
    if summed.empty:
        return summed
    summed = summed.rename(columns={"nom": by})
    return summed if threshold is None else _protected(summed, by, threshold)


def _summed(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    """Sum up the actions of one group."""
    states = rows["etat"].value_counts()
    both = rows.dropna(subset=["cout", "beneficiaires"])
    served = both["beneficiaires"].sum()
    return {
        "nom": name,
        "n": len(rows),
        "n_realisees": int(states.get(DONE, 0)),
        "n_en_cours": int(states.get("en cours", 0)),
        "n_prevues": int(states.get("prévue", 0)),
        "n_arretees": int(sum(states.get(state, 0) for state in DROPPED)),
        "taux_realisation": 100 * states.get(DONE, 0) / len(rows),
        "beneficiaires_prevus": rows["beneficiaires_prevus"].sum(min_count=1),
        "beneficiaires": rows["beneficiaires"].sum(min_count=1),
        "part_femmes": _share(rows, "beneficiaires_femmes"),
        "part_qpv": _share(rows, "beneficiaires_qpv"),
        "cout": rows["cout"].sum(min_count=1),
        "cout_par_beneficiaire": both["cout"].sum() / served if served > 0 else np.nan,
        "n_sans_beneficiaires": int(rows["beneficiaires"].isna().sum()),
    }


def _share(rows: pd.DataFrame, part: str) -> float:
    """Percent of the beneficiaries, on the actions that give both counts."""
    known = rows.dropna(subset=[part, "beneficiaires"])
    whole = known["beneficiaires"].sum()
    return float(100 * known[part].sum() / whole) if whole > 0 else float("nan")


def _protected(summed: pd.DataFrame, by: str, threshold: int) -> pd.DataFrame:
    """Hide small counts of beneficiaries, those that would give them back, and their shares."""
    names = pd.Index(summed[by], name=by)
    whole = pd.Series(summed["beneficiaires"].fillna(0).to_numpy(), index=names)
    hidden = suppress(whole, threshold=threshold).table.iloc[: len(names)]
    out = summed.set_index(by)
    secret = pd.Series(np.ravel(hidden.isna().to_numpy()), index=names) & whole.gt(0)
    for share in ("part_femmes", "part_qpv"):
        part = (out[share] / 100 * out["beneficiaires"]).round()
        few = part.between(1, threshold - 1) | (out["beneficiaires"] - part).between(
            1, threshold - 1
        )
        out[share] = out[share].mask(secret | few)
    for column in ("beneficiaires", "cout_par_beneficiaire"):
        out[column] = out[column].mask(secret)
    out["statut"] = np.where(secret, "secret", "ok")
    return out.reset_index()


@runtime_checkable
class Estimated(Protocol):
    """What a cohort gives: an effect with its interval, and its words."""

    @property
    def table(self) -> pd.DataFrame:
        """``estimate, low, high`` in one row."""
        ...

    def summary(self) -> str:
        """Say it in French."""
        ...


def reinforced(
    table: pd.DataFrame,
    *,
    year: int | None = None,
    impact: Mapping[str, str | Estimated] | None = None,
) -> dict[str, pd.DataFrame]:
    """Lay out the actions that are followed closely: one block each for health, work, education.

    Parameters
    ----------
    table : DataFrame
        Table ``actions``.
    year : int, optional
        Year kept; all by default.
    impact : mapping of str to str or result, optional
        By ``id`` of the action, what was measured of its effect: words, or a result of `cohort`
        (``did``, ``twfe``...), whose estimate and interval are laid out beside its summary. It
        takes the place of what the table says.

    Returns
    -------
    dict of str to DataFrame
        For each of `REINFORCED`, its actions with their state and the chain `CHAIN`, then
        ``effet, effet_inf, effet_sup`` (missing where no result was given); empty when no action is
        marked.

    Raises
    ------
    TableError
        The table is refused.
    FaultsError
        An impact of no action that is followed closely, or that is neither words nor a result of
        one row: every one.

    Examples
    --------
    >>> from barometre import cohort, datasets
    >>> from barometre.monitoring import example_year
    >>> people = datasets.make_cohort(400)
    >>> effect = cohort.did(people, "income", 2030, person="person", wave="wave", arm="arm")
    >>> blocks = reinforced(example_year()["actions"], impact={"A01": effect})
    >>> blocks["emploi"]["effet"].round(1).tolist() == [round(effect.estimate, 1)]
    True
    """
    rows = check_records("actions", table)
    if year is not None:
        rows = rows[rows["annee"] == year]
    rows = _with_impact(rows, impact or {})
    columns = ["annee", "intitule", "porteur", "etat", *CHAIN, "effet", "effet_inf", "effet_sup"]
    return {
        field: rows.loc[rows["suivi_renforce"] == field, columns].reset_index(drop=True)
        for field in REINFORCED
    }


def _with_impact(rows: pd.DataFrame, impact: Mapping[str, str | Estimated]) -> pd.DataFrame:
    """Write what was measured of actions in their impact, with the estimate and its interval."""
    followed = set(rows.loc[rows["suivi_renforce"].notna(), "id"])
    rows = rows.assign(effet=np.nan, effet_inf=np.nan, effet_sup=np.nan)
    faults = []
    for action, given in impact.items():
        if action not in followed:
            remedy = f"actions suivies : {', '.join(sorted(followed)) or 'aucune'}"
            faults.append(Fault(action, "impact d'aucune action en suivi renforcé", remedy))
            continue
        here = rows["id"] == action
        if isinstance(given, str):
            rows.loc[here, "impact"] = given
            continue
        estimate = given.table if isinstance(given, Estimated) else None
        if estimate is None or len(estimate) != 1 or not set(estimate) >= _BOUNDS:
            remedy = "donner un texte, ou un résultat de cohort (une ligne estimate, low, high)"
            faults.append(Fault(action, "impact illisible", remedy))
            continue
        rows.loc[here, "impact"] = given.summary()
        row = estimate.iloc[0]
        rows.loc[here, ["effet", "effet_inf", "effet_sup"]] = (
            float(row["estimate"]), float(row["low"]), float(row["high"])
        )  # fmt: skip
    if faults:
        raise FaultsError("suivi renforcé refusé", faults)
    return rows


_BOUNDS = {"estimate", "low", "high"}
