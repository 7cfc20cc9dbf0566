"""The actions of a year: done, for whom, at what cost; the three that are followed closely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from barometre.base.errors import UnknownNameError
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


def reinforced(table: pd.DataFrame, *, year: int | None = None) -> dict[str, pd.DataFrame]:
    """Lay out the actions that are followed closely: one block each for health, work, education.

    Parameters
    ----------
    table : DataFrame
        Table ``actions``.
    year : int, optional
        Year kept; all by default.

    Returns
    -------
    dict of str to DataFrame
        For each of `REINFORCED`, its actions with their state and the chain `CHAIN`; empty when
        no action is marked.

    Raises
    ------
    TableError
        The table is refused.
    """
    rows = check_records("actions", table)
    if year is not None:
        rows = rows[rows["annee"] == year]
    columns = ["annee", "intitule", "porteur", "etat", *CHAIN]
    return {
        field: rows.loc[rows["suivi_renforce"] == field, columns].reset_index(drop=True)
        for field in REINFORCED
    }
