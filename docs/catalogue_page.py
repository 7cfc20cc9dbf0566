"""The catalogue page, written from the cards: a new card appears with nothing else to touch."""

from __future__ import annotations

import importlib
import re
from itertools import groupby

from card_page import STATES, levels_of
from markdown_parts import code, link, plain, table, target

from barometre.cards.listing import load_cards
from barometre.cards.schema import THEMES, Card

_FILTER = """```{raw} html
<div class="filter" id="filtre" data-columns="1,2,3,4"></div>
<script src="_static/filter.js" defer></script>
```"""


def catalogue_page() -> str:
    """Write the catalogue of the indicators in Markdown (MyST).

    Returns
    -------
    str
        The table of the indicators, which a small script filters, then the themes.
    """
    cards = list(load_cards().values())
    themes = [card.theme for card in cards if card.theme != "contexte"]
    states = [codes.etat for card in cards for codes in card.codes]
    parts = [
        "# Catalogue of the indicators",
        f"{len(themes)} indicators of the barometer in {len(set(themes))} themes, and"
        f" {len(cards) - len(themes)} measures of context. This page and those of the indicators"
        " are written from their cards when the documentation is built. The texts of a card are in"
        " French, in the producers' own terms; labels and definitions exist in both languages.",
        "A formula is marked *verified* when its column codes were seen in a real file of the"
        f" producer, *unverified* otherwise. Verified: {states.count('verifie')} families of"
        f" files; unverified: {states.count('non_verifie')}. Contract lines are line numbers in"
        " the text of the *contrat de ville Quartiers 2030* of La Porte du Hainaut.",
        'The same as a dictionary of variables: <a href="indicateurs.csv">CSV</a>,'
        ' <a href="indicateurs.xlsx">Excel</a>;'
        " at home, `barometre indicators --export indicateurs.xlsx`.",
        _FILTER,
        table(["Indicator", "Theme", "Source", "Levels", "State"], [_row(card) for card in cards]),
        "## Themes",
        *(_theme(theme) for theme, _ in groupby(cards, key=lambda card: card.theme)),
        "```{toctree}\n:hidden:\n:glob:\n\nfiches/*\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _row(card: Card) -> list[str]:
    return [
        f"{link(plain(card.libelle['fr']), target('indicateur', card.id))}<br>"
        f"{plain(card.libelle['en'])}<br>{code(card.id)}",
        plain(THEMES[card.theme][0]),
        ", ".join(map(plain, producers(card.producteur))),
        levels_of(card.niveaux),
        _state(card),
    ]


def producers(text: str) -> list[str]:
    """List the producers that the field of a card names, without what each of them gives."""
    bare = re.sub(r"\s*\([^)]*\)", "", text)
    names = (re.sub(r" pour .*", "", name).strip() for name in re.split(r"[,;/]", bare))
    return list(dict.fromkeys(name for name in names if not name.startswith("d'après")))


def _state(card: Card) -> str:
    states = {codes.etat for codes in card.codes}
    if len(states) > 1:
        return "in part verified"
    return STATES[states.pop()]


def _theme(theme: str) -> str:
    french, english = THEMES[theme]
    module = importlib.import_module(f"barometre.themes.{theme}")
    about = plain((module.__doc__ or "").strip().split("\n", 1)[0])
    return f"({target('theme', theme)})=\n**{plain(french)}** (*{plain(english)}*): {about}"
