"""Commitments of partners: what was planned, what was done, who answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.tables.records import check_records

NO_ANSWER = "sans réponse"


def review(engagements: pd.DataFrame, year: int | None = None) -> pd.DataFrame:
    """Review the commitments of each partner at a year, and since the beginning.

    Parameters
    ----------
    engagements : DataFrame
        Table ``engagements``: one row a commitment and year.
    year : int, optional
        Year; by default the last one of the table.

    Returns
    -------
    DataFrame
        One row a partner and year up to ``year``: ``n`` commitments, ``n_tenus, n_en_partie,
        n_non_tenus, n_sans_reponse`` (empty counts as such), ``completude`` (percent answered),
        ``taux_tenus`` (percent of those answered; missing when nobody answered),
        ``part_realisee`` (percent, mean over the commitments with ``prevu`` above 0 and a
        ``realise``, each capped at 100) and ``n_chiffres``.

    Raises
    ------
    TableError
        The table is refused.
    """
    rows = check_records("engagements", engagements)
    if year is not None:
        rows = rows[rows["annee"] <= year]
    groups = rows.groupby(["partenaire", "annee"], sort=True)
    columns = ["partenaire", "annee", "n", "n_tenus", "n_en_partie", "n_non_tenus"]
    columns += ["n_sans_reponse", "completude", "taux_tenus", "part_realisee", "n_chiffres"]
    told = [{"partenaire": who, "annee": when, **_told(group)} for (who, when), group in groups]
    return pd.DataFrame(told, columns=columns)


def _told(rows: pd.DataFrame) -> dict[str, Any]:
    """Count what a partner says of its commitments of one year."""
    answers = rows["reponse"].fillna(NO_ANSWER).value_counts()
    kept, partly, broken, silent = (
        int(answers.get(word, 0)) for word in ("tenu", "en partie", "non tenu", NO_ANSWER)
    )
    answered = len(rows) - silent
    counted = rows[(rows["prevu"] > 0) & rows["realise"].notna()]
    done = (counted["realise"] / counted["prevu"]).clip(upper=1)
    return {
        "n": len(rows),
        "n_tenus": kept,
        "n_en_partie": partly,
        "n_non_tenus": broken,
        "n_sans_reponse": silent,
        "completude": 100 * answered / len(rows),
        "taux_tenus": 100 * kept / answered if answered else np.nan,
        "part_realisee": 100 * done.mean() if len(done) else np.nan,
        "n_chiffres": len(counted),
    }


def contract_commitments(year: int = 2024) -> pd.DataFrame:
    """Give the 64 commitments of the landlords as a table ``engagements``, without answers.

    Parameters
    ----------
    year : int, default 2024
        Year of the rows.

    Returns
    -------
    DataFrame
        The commitments, ``prevu`` where the contract prints a figure.
    """
    frame = datasets.load("engagements_bailleurs").frame
    table = frame.rename(columns={"bailleur": "partenaire", "valeur": "prevu"}).assign(annee=year)
    kept = ["id", "annee", "partenaire", "engagement", "type", "orientation", "prevu", "unite"]
    return check_records("engagements", table[kept])
