"""What is due in a year, to whom, and which output of the library serves it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from barometre import datasets

# What each body expects, and what the library gives it: ours to say, not the contract's.
_SERVES = {
    "G01": "track, review, actions, page de l'agglomération",
    "G02": "review, funding, actions",
    "G03": "review",
    "G04": "funding, template",
    "G06": "actions, check_indicator",
    "G07": "page de la commune, priorities",
    "G08": "page de la commune",
    "G11": "check_indicator",
    "G13": "priorities, funding",
    "G17": "tfpb",
    "G18": "tfpb",
    "G19": "review",
    "G21": "funding",
    "G25": "track",
    "G26": "monitor",
    "G27": "monitor",
    "G28": "track, actions",
}
_ANNUAL_REPORT = {
    "id": "D2015-1118",
    "instance": "rapport annuel sur la politique de la ville (décret n° 2015-1118)",
    "echelle": "EPCI et communes signataires",
    "frequence": "annuelle",
    "minimum_par_an": 1.0,
    "mois_ou_date": "",
    "role": "débattu par les assemblées après avis des conseils citoyens",
    "produit_attendu": "orientations, évolution au regard des objectifs, actions, perspectives",
    "sortie": "page de l'agglomération, track, actions, funding",
}


def agenda(year: int) -> pd.DataFrame:
    """List what is due in a year of the contract.

    Parameters
    ----------
    year : int
        Year.

    Returns
    -------
    DataFrame
        ``id, instance, echelle, frequence, minimum_par_an, mois_ou_date, role, produit_attendu``
        as the contract and the CRTE print them, ``sortie`` (our outputs that serve it; empty when
        none does) and ``document, ligne_source``. Bodies that meet every year, and what is dated
        of that year; the yearly report of the décret 2015-1118 comes last.

    Examples
    --------
    >>> due = agenda(2026)
    >>> due.loc[due["id"] == "G07", ["instance", "minimum_par_an"]].to_numpy().tolist()
    [['dialogue de projets', 2.0]]
    """
    frame = datasets.load("gouvernance_calendrier").frame
    due = frame[[_due(row, year) for row in frame.to_dict("records")]].copy()
    due["sortie"] = due["id"].map(_SERVES).fillna("")
    report = pd.DataFrame([_ANNUAL_REPORT])
    return pd.concat([due, report], ignore_index=True)


def _due(row: Mapping[Hashable, Any], year: int) -> bool:
    """Tell whether a body meets, or a product is due, in a year."""
    dated = str(row["mois_ou_date"] or "")
    years = [int(y) for y in re.findall(r"(?<!\d)20\d{2}(?!\d)", dated)]
    months = re.search(r"(\d+) mois", dated)
    if months and years:  # due at the end
        years = [years[0] + int(months[1]) // 12]
    if not years:
        return str(row["frequence"]) != "une fois"
    spans = bool(re.search(r"\d à 20\d{2}|\d-20\d{2}\b", dated)) and len(years) > 1
    return min(years) <= year <= max(years) if spans else year in years
