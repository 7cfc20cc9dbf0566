"""Indicator cards: one TOML file per indicator, every field required, every choice a closed list.

The file name is the identifier, the folder is the theme, and the function of that name in
``barometre.themes.<theme>`` computes it. Cards are read when asked, cached, and read-only.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
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


def expand_indicators(names: str | Iterable[str]) -> list[str]:
    """List the indicators that identifiers and themes stand for, once each, in the order asked.

    Parameters
    ----------
    names : str or iterable of str
        Identifiers of indicators, or names of themes (``"revenus"``), that stand for all theirs.

    Returns
    -------
    list of str

    Raises
    ------
    UnknownNameError
        Neither an indicator nor a theme; the nearest names are given.
    """
    cards, found = load_cards(), []
    for name in [names] if isinstance(names, str) else names:
        of_theme = [card.id for card in cards.values() if card.theme == name]
        if not of_theme and name not in cards:
            raise UnknownNameError("indicateur ou thème", str(name), [*cards, *THEMES])
        found += of_theme or [name]
    return list(dict.fromkeys(found))


def catalogue(lang: Literal["fr", "en"] = "fr", *, theme: str | None = None) -> pd.DataFrame:
    """List the indicators.

    Parameters
    ----------
    lang : {"fr", "en"}
        Language of labels, themes and units.
    theme : str, optional
        Theme whose indicators are listed (``"revenus"``), all by default.

    Returns
    -------
    DataFrame
        One row per indicator, indexed by identifier: theme, label, unit, direction, producer,
        levels (joined by ", ").

    Raises
    ------
    UnknownNameError
        Unknown theme.
    """
    if theme is not None and theme not in THEMES:
        raise UnknownNameError("thème", str(theme), THEMES)
    column = 0 if lang == "fr" else 1
    cards = [card for card in load_cards().values() if theme in (None, card.theme)]
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
