"""A made-up year of the contract: real orientations, partners and places, drawn figures.

Nothing of it was observed. It serves the demonstration, the documentation and the tests: it holds
every state of an action, every answer of a partner, and every status that a target can have.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.monitoring.commitments import contract_commitments
from barometre.monitoring.targets import contract_targets
from barometre.tables.records import check_records

EXAMPLE = "exemple fictif"
"""What every row of the made-up year says of itself."""

_SEED = 2030
_ORIENTATIONS = (
    *("emploi", "sante", "reussite_educative"),
    *("transition_ecologique", "tranquillite", "cadre_de_vie"),
)
_STATES = ("réalisée", "réalisée", "en cours", "prévue", "reportée", "réalisée", "abandonnée")
_REINFORCED = {"emploi": "emploi", "sante": "santé", "reussite_educative": "éducation"}
_FUNDERS = (
    ("État (politique de la ville)", "specifique"),
    ("La Porte du Hainaut", "specifique"),
    ("Caf du Nord", "droit_commun"),
    ("Département du Nord", "droit_commun"),
)
_PAID = (("prévu", 1.0), ("engagé", 0.9), ("payé", 0.7))
_ANSWERS = ("tenu", "en partie", "tenu", "non tenu", "sans réponse")
# Observations that give, with the deadlines of the contract, each status once at least.
_OBSERVED = (
    ("E16", 2025, 15.0, None, None),  # SNU: ahead
    ("E17", 2025, 46.0, None, None),  # colos apprenantes: late
    ("E18", 2024, 18.0, None, None),  # Pass'Sport: the other way
    ("E48", 2025, 12.3, None, None),  # apprentices: on the path
    ("E22", 2025, 6.0, None, None),  # crèches: reached
    ("E23", 2025, 9.0, None, None),  # no reference: to be given
    ("E49", 2025, 34.7, None, None),  # every year, with a reference: not reached
    ("L02", 2025, 2.3, 1.5, 3.1),  # cycling: not told apart
    ("L06", 2025, 655.0, None, None),
    ("L14", 2025, 6.0, None, None),
)


def example_year(year: int = 2025) -> dict[str, pd.DataFrame]:
    """Draw a made-up year of the contract, always the same.

    Parameters
    ----------
    year : int, default 2025
        Year of the actions, amounts, commitments and abatement.

    Returns
    -------
    dict of str to DataFrame
        Tables ``objectifs`` (the real ones), ``observations``, ``actions``, ``financements``,
        ``engagements`` and ``tfpb``. Figures are invented: every row says so, but those of the real
        targets.

    Examples
    --------
    >>> year = example_year()
    >>> len(year["objectifs"]), len(year["actions"]), len(year["tfpb"])
    (114, 42, 104)
    """
    draws = np.random.default_rng(_SEED)
    actions = _actions(year, draws)
    return {
        "objectifs": contract_targets(),
        "observations": _observations(year),
        "actions": actions,
        "financements": _funding(actions, draws),
        "engagements": _commitments(year, draws),
        "tfpb": _abatement(year, draws),
    }


def _quarters() -> pd.DataFrame:
    """List the 13 neighbourhoods of 2024 with the first of their communes."""
    frame = datasets.load("qpv_2024").frame
    return frame[frame["code"].str.startswith("QN")].reset_index(drop=True)


def _observations(year: int) -> pd.DataFrame:
    columns = ["id", "annee", "valeur", "borne_inf", "borne_sup"]
    table = pd.DataFrame(list(_OBSERVED), columns=columns).assign(source=EXAMPLE)
    return check_records("observations", table.assign(annee=table["annee"] - 2025 + year))


def _actions(year: int, draws: np.random.Generator) -> pd.DataFrame:
    """Draw seven actions for each orientation, in every state."""
    quarters = _quarters()
    rows = []
    for number in range(7 * len(_ORIENTATIONS)):
        orientation = _ORIENTATIONS[number // 7]
        state = _STATES[number % 7]
        quarter = quarters.iloc[number % len(quarters)]
        expected = float(draws.integers(12, 160))
        people = float(round(expected * draws.uniform(0.5, 1.2))) if state == "réalisée" else np.nan
        women = float(round(people * draws.uniform(0.35, 0.7))) if people == people else np.nan
        followed = number % 7 == 0 and orientation in _REINFORCED
        rows.append(
            {
                "id": f"A{number + 1:02d}",
                "annee": year,
                "intitule": f"Action {number + 1} ({EXAMPLE})",
                "orientation": orientation,
                "echelle": "quartier",
                "qpv": quarter["code"],
                "porteur": f"Porteur {number % 9 + 1} ({EXAMPLE})",
                "etat": state,
                "suivi_renforce": _REINFORCED[orientation] if followed else None,
                "beneficiaires_prevus": expected,
                "beneficiaires": people,
                "beneficiaires_femmes": women,
                "beneficiaires_qpv": float(round(people * 0.8)) if people == people else np.nan,
                "cout": float(draws.integers(20, 400) * 100),
                "moyens": EXAMPLE if followed else None,
                "realisation": f"{EXAMPLE} : ateliers tenus" if followed else None,
                "resultat": f"{EXAMPLE} : sorties positives" if followed else None,
                "impact": f"{EXAMPLE} : voir le suivi de cohorte" if followed else None,
            }
        )
    return check_records("actions", pd.DataFrame(rows))


def _funding(actions: pd.DataFrame, draws: np.random.Generator) -> pd.DataFrame:
    """Share the cost of each action between funders, planned, committed and paid."""
    rows = []
    for action in actions.to_dict("records"):
        shares = draws.dirichlet(np.ones(len(_FUNDERS)))
        for (funder, kind), share in zip(_FUNDERS, shares, strict=True):
            device = "CPO" if draws.random() < 0.5 else "Appel à projets"
            for step, rate in _PAID:
                rows.append(
                    {
                        "nomAttribuant": funder,
                        "nomBeneficiaire": action["porteur"],
                        "objet": action["intitule"],
                        "montant": round(float(action["cout"] * share * rate), 2),
                        "unite": "eur",
                        "annee": action["annee"],
                        "orientation": action["orientation"],
                        "credits": kind,
                        "etape": step,
                        "qpv": action["qpv"],
                        "action": action["id"],
                        "dispositifAide": device if kind == "specifique" else None,
                    }
                )
    return check_records("financements", pd.DataFrame(rows))


def _commitments(year: int, draws: np.random.Generator) -> pd.DataFrame:
    """Answer for the real commitments of the landlords."""
    table = contract_commitments(year)
    table["reponse"] = [_ANSWERS[i % len(_ANSWERS)] for i in range(len(table))]
    asked = table["prevu"].fillna(0) > 0
    done = (table["prevu"] * draws.uniform(0.3, 1.1, len(table))).round()
    table["realise"] = done.where(asked)
    table["commentaire"] = EXAMPLE
    return check_records("engagements", table)


def _abatement(year: int, draws: np.random.Generator) -> pd.DataFrame:
    """Draw one action on each axis of the abatement for each neighbourhood."""
    framework = datasets.load("tfpb_actions_cadre_national").frame
    framework = framework.drop_duplicates("axe_rang")
    landlords = sorted(datasets.load("engagements_bailleurs").frame["bailleur"].unique())
    rows = [
        {
            "annee": year,
            "bailleur": landlords[place % len(landlords)],
            "qpv": code,
            "axe": int(action["axe_rang"]),
            "action": f"{action['action']} ({EXAMPLE})",
            "nature": action["nature"],
            "logements": float(draws.integers(40, 600)),
            "montant_prevu": float(draws.integers(10, 300) * 100),
            "montant_depense": float(draws.integers(5, 300) * 100),
        }
        for place, code in enumerate(_quarters()["code"])
        for action in framework.to_dict("records")
    ]
    return check_records("tfpb", pd.DataFrame(rows))
