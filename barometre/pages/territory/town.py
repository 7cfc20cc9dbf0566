"""What the document of priorities of a commune must hold, and where its page holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from barometre.base.french import Lang
from barometre.pages.territory.facts.evidence import Evidence
from barometre.pages.territory.facts.grids import Grid, grid
from barometre.pages.territory.language.words import pick
from barometre.tables.codes import qpv_generation

_ELEMENTS = (
    ("diagnostic local partagé (commune et QPV)", "shared local diagnosis", "profil"),
    ("carte de la commune : QPV et poches de pauvreté", "map of the municipality", "box-carte"),
    ("équipements en quartier vécu", "facilities of the lived area", "box-equipements"),
    ("services et dispositifs principaux", "main services and schemes", "box-services"),
    ("priorités et enjeux", "priorities and stakes", "besoins"),
    ("programmation annuelle des actions", "yearly programme of actions", "contrat"),
    ("programmation TFPB", "programme of the tax abatement", "contrat"),
    ("participation citoyenne", "participation of residents", "box-participation"),
    ("organisation du pilotage", "steering", "box-pilotage"),
    ("mobilisation de l'ingénierie", "technical support", "box-ingenierie"),
    (
        "socle d'indicateurs-clés sur la durée du contrat",
        "key indicators over the contract",
        "evolutions",
    ),
)


@dataclass(frozen=True)
class Town:
    """What a commune's page has besides.

    Attributes
    ----------
    elements : tuple of (str, str)
        What the document must hold, and the anchor where it is.
    quarters : Grid or None
        Its priority neighbourhoods.
    """

    elements: tuple[tuple[str, str], ...]
    quarters: Grid | None = field(repr=False)


def town_of(evidence: Evidence, code: str, lang: Lang = "fr") -> Town:
    """List the elements of the document, and the neighbourhoods of a commune."""
    lists = evidence.members.quarters
    inside = [code in towns.split() for towns in lists["communes"]]
    rows = _quarters(lists[inside].drop_duplicates("code"))
    return Town(
        tuple((pick((french, english), lang), anchor) for french, english, anchor in _ELEMENTS),
        None
        if not rows
        else grid(
            pick(("Quartiers prioritaires de la commune", "Priority neighbourhoods"), lang),
            [
                pick(("code", "code"), lang), pick(("nom", "name"), lang),
                pick(("périmètre", "perimeter"), lang),
                pick(("communes touchées", "municipalities touched"), lang),
            ],
            rows,
            texts=3,
        ),
    )  # fmt: skip


def _quarters(lists: pd.DataFrame) -> list[list[str]]:
    return [
        [code, name or "–", str(qpv_generation(code)), str(len(towns.split()))]
        for code, name, towns in zip(lists["code"], lists["nom"], lists["communes"], strict=True)
    ]
