"""Indicator cards: one TOML file per indicator, every field required, every choice a closed list.

The file name is the identifier, the folder is the theme, and the function of that name in
``barometre.themes.<theme>`` computes it. Cards are read when asked, cached, and read-only.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

import pandas as pd

from barometre.base.errors import CardError, Fault, UnknownNameError
from barometre.cards.reader import read_card
from barometre.cards.schema import THEMES, UNITS, Card, Theme


def _cards_folder() -> Path:
    """Find the cards: in the installed package, or at the root of a checkout."""
    packaged = Path(__file__).parents[1] / "_indicators"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "indicators"


@functools.cache
def load_cards(folder: Path | None = None) -> Mapping[str, Card]:
    """Read every card, by identifier, in the order of the themes.

    Parameters
    ----------
    folder : Path, optional
        Where the cards are, the bundled ones by default.

    Returns
    -------
    mapping of str to Card
        Read-only.

    Raises
    ------
    CardError
        A card lacks a field, has an unknown one, or a value outside its closed list; every fault
        of every card is listed.
    """
    folder = folder or _cards_folder()
    cards: dict[str, Card] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*/*.toml")):
        card, wrong = read_card(path)
        faults += wrong
        if card is not None:
            cards[card.id] = card
    if faults:
        raise CardError(f"fiches d'indicateurs refusées ({folder.name})", faults)
    order = list(get_args(Theme))
    return MappingProxyType(
        {card.id: card for card in sorted(cards.values(), key=lambda c: order.index(c.theme))}
    )


def indicator_card(identifier: str) -> Card:
    """Return the card of an indicator.

    Parameters
    ----------
    identifier : str
        Identifier of the indicator, for instance ``"taux_logements_vacants"``.

    Returns
    -------
    Card

    Raises
    ------
    UnknownNameError
        No indicator of that name; the nearest ones are given.
    """
    cards = load_cards()
    if identifier not in cards:
        raise UnknownNameError("indicateur", identifier, cards)
    return cards[identifier]


def catalogue(lang: Literal["fr", "en"] = "fr") -> pd.DataFrame:
    """List the indicators.

    Parameters
    ----------
    lang : {"fr", "en"}
        Language of labels, themes and units.

    Returns
    -------
    DataFrame
        One row per indicator, indexed by identifier: theme, label, unit, direction, producer,
        levels (joined by ", ").
    """
    column = 0 if lang == "fr" else 1
    cards = load_cards().values()
    return pd.DataFrame(
        {
            "theme": [THEMES[c.theme][column] for c in cards],
            "libelle": [c.libelle[lang] for c in cards],
            "unite": [UNITS[c.unite][column] for c in cards],
            "sens": [c.sens for c in cards],
            "producteur": [c.producteur for c in cards],
            "niveaux": [", ".join(c.niveaux) for c in cards],
        },
        index=pd.Index([c.id for c in cards], name="indicateur"),
    )
