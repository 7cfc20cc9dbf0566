"""The catalogue page, written from the cards: a new card appears with nothing else to touch."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import MappingProxyType

from markdown_parts import code, link, plain, table, target

from barometre.cards.listing import load_cards
from barometre.cards.schema import THEMES, UNITS, Break, Card, Codes, Example

# Words of the closed lists of the cards. A choice added there and not here stops the build.
NATURES: Mapping[str, str] = MappingProxyType(
    {
        "part": "a part of a whole",
        "taux": "a rate between two fields",
        "rapport": "a ratio",
        "ecart": "a gap between two rates or amounts",
        "effectif": "a count",
        "publie": "the producer's statistic, repeated as it is",
    }
)
DIRECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "hausse_favorable": "a rise is favourable",
        "hausse_defavorable": "a rise is unfavourable",
        "proche_de_zero": "favourable near 0",
        "proche_de_50": "favourable near 50",
        "neutre": "neutral",
    }
)
LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "iris": "IRIS",
        "commune": "commune",
        "qpv": "QPV",
        "epci": "EPCI",
        "departement": "département",
        "region": "région",
        "france_metropolitaine": "metropolitan France",
    }
)
AGGREGATIONS: Mapping[str, str] = MappingProxyType(
    {
        "sommer": "add up the counts, then divide",
        "moyenne_ponderee": "weighted mean",
        "valeur_publiee": "does not aggregate; take the published value of the union",
    }
)
PROCESSINGS: Mapping[str, str] = MappingProxyType(
    {
        "principale": "census, main processing",
        "complementaire": "census, complementary processing",
        "exhaustif": "exhaustive register",
        "autre": "other",
    }
)
STATES: Mapping[str, str] = MappingProxyType(
    {"verifie": "✓ verified", "non_verifie": "**✗ unverified**"}
)


def catalogue_page() -> str:
    """Write the catalogue of the indicators in Markdown (MyST).

    Returns
    -------
    str
        One section per theme, with a table of its indicators and then every card in full.
    """
    cards = list(load_cards().values())
    themes = [card.theme for card in cards if card.theme != "contexte"]
    states = [codes.etat for card in cards for codes in card.codes]
    parts = [
        "# Catalogue of the indicators",
        f"{len(themes)} indicators of the barometer in {len(set(themes))} themes, and"
        f" {len(cards) - len(themes)} measures of context. This page is written from the indicator"
        " cards when the documentation is built. The texts of a card are in French, in the"
        " producers' own terms; labels and definitions exist in both languages.",
        "A formula is marked *verified* when its column codes were seen in a real file of the"
        f" producer, *unverified* otherwise. Verified: {states.count('verifie')} families of"
        f" files; unverified: {states.count('non_verifie')}. Contract lines are line numbers in"
        " the text of the *contrat de ville Quartiers 2030* of La Porte du Hainaut.",
    ]
    for theme, members in groupby(cards, key=lambda card: card.theme):
        parts += _theme(theme, list(members))
    return "\n\n".join(parts) + "\n"


def _theme(theme: str, cards: list[Card]) -> Iterator[str]:
    french, english = THEMES[theme]
    module = importlib.import_module(f"barometre.themes.{theme}")
    yield f"({target('theme', theme)})="
    yield f"## {plain(english)} ({plain(french)})"
    yield plain((module.__doc__ or "").strip().split("\n", 1)[0])
    yield table(
        ["Identifier", "Label", "Unit", "Direction", "Levels"],
        [
            [
                link(code(card.id), target("indicateur", card.id)),
                f"{plain(card.libelle['en'])} (*{plain(card.libelle['fr'])}*)",
                plain(UNITS[card.unite][1]),
                DIRECTIONS[card.sens],
                _levels(card.niveaux),
            ]
            for card in cards
        ],
    )
    for card in cards:
        yield from _card(card)


def _card(card: Card) -> Iterator[str]:
    yield f"({target('indicateur', card.id)})="
    yield f"### {plain(card.libelle['en'])}"
    yield f"**{plain(card.libelle['fr'])}**"
    yield plain(card.definition["en"])
    yield f"*{plain(card.definition['fr'])}*"
    yield "\n".join(f":{name}: {content}" for name, content in _fields(card).items())
    yield "**Formula by family of files**"
    yield table(
        ["Family", "Levels", "Columns", "Formula", "Codes"], [_codes_row(c) for c in card.codes]
    )
    yield "**Cautions**"
    yield "\n".join(f"- {plain(caution)}" for caution in card.precautions)
    if card.ruptures:
        yield "**Breaks**, across which an evolution is refused unless it is asked for"
        yield "\n".join(f"- {_break(change)}" for change in card.ruptures)
    yield "**Worked examples**"
    yield table(["Case", "Input", "Value"], [_example_row(e) for e in card.exemples])


def _fields(card: Card) -> dict[str, str]:
    inputs = [
        f"{link(code(name), target('table', name))}: {', '.join(map(code, columns))}"
        for name, columns in card.entrees.items()
    ]
    fields = {
        "Identifier": code(card.id),
        "Nature": f"{code(card.nature)}, {NATURES[card.nature]}",
        "Unit": f"{plain(UNITS[card.unite][1])} ({_decimals(card.decimales)})",
        "Direction": f"{code(card.sens)}, {DIRECTIONS[card.sens]}",
        "Universe": plain(card.univers),
        "Numerator": plain(card.numerateur),
        "Denominator": plain(card.denominateur),
        "Source": plain(card.source),
        "Producer": plain(card.producteur),
        "Vintage": plain(card.millesime),
        "Processing": PROCESSINGS[card.exploitation],
        "Levels": _levels(card.niveaux),
        "Limits": f"{_interval(card.bornes)}; usual range {_interval(card.plausible)}",
        "Aggregation": f"{code(card.agregation)}, {AGGREGATIONS[card.agregation]}."
        f" {plain(card.regle_agregation)}",
        "Input": "; ".join(inputs),
        "Contract lines": plain(", ".join(card.lignes_contrat)),
    }
    if card.ecart_millesimes_max:
        years = "year" if card.ecart_millesimes_max == 1 else "years"
        fields["Vintage gap"] = (
            "a table that lacks the year of the first one gives an earlier year, at most"
            f" {card.ecart_millesimes_max} {years} back; the note of the value says so"
        )
    return fields


def _break(change: Break) -> str:
    levels = f" ({_levels(change.niveaux)} only)" if change.niveaux else ""
    return f"{change.annee}{levels}: {plain(change.motif)}"


def _codes_row(codes: Codes) -> list[str]:
    return [
        plain(codes.famille),
        _levels(codes.niveaux),
        ", ".join(map(code, codes.colonnes)),
        plain(codes.formule),
        STATES[codes.etat],
    ]


def _example_row(example: Example) -> list[str]:
    cells = [
        f"{code(name)}: " + ", ".join(f"{code(c)} = {_number(v)}" for c, v in values.items())
        for name, values in example.tables.items()
    ]
    return [plain(example.nom), "; ".join(cells), _number(example.attendu)]


def _levels(levels: tuple[str, ...]) -> str:
    return ", ".join(LEVELS[level] for level in levels)


def _decimals(number: int) -> str:
    return "no decimal" if number == 0 else f"{number} decimal{'s' * (number > 1)}"


def _interval(limits: tuple[float, float]) -> str:
    low, high = limits
    if math.isinf(low) and math.isinf(high):
        return "none"
    if math.isinf(high):
        return f"{_number(low)} or more"
    return f"{_number(low)} or less" if math.isinf(low) else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return "no value" if math.isnan(value) else f"{value:.10g}".replace("-", "−")
