"""The page of each indicator, written from its card, with a chart of the bundled data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from markdown_parts import code, link, plain, table, target

from barometre.cards.schema import THEMES, UNITS, Break, Card, Codes, Example
from barometre.sources.forms.melodi.cubes import load_cubes
from barometre.sources.forms.units.unit_family import load_unit_families
from barometre.sources.wide.family import load_families
from barometre.tables.check import PUBLISHED

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


LEAST = 5  # neighbourhoods with a value, for a chart


def card_page(card: Card, *, chart: bool = False) -> str:
    """Write the page of an indicator, that names its chart when there is one."""
    return "\n\n".join(_card(card, chart)) + "\n"


def draw_charts(folder: Path) -> set[str]:
    """Draw the indicators that the bundled data give for enough neighbourhoods.

    Returns
    -------
    set of str
        Those that have a picture in the folder. What is there already is left alone.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    import barometre as bcs
    from barometre import plots

    results = bcs.compute(bcs.datasets.tables())
    valued = results[results["valeur"].notna()]
    last = valued["annee"] == valued.groupby("indicateur")["annee"].transform("max")
    quarters = valued[last & valued["code"].str.startswith("QP")]
    drawn = set(quarters["indicateur"].value_counts().loc[lambda n: n >= LEAST].index)
    references = ["200042190", "ENSQP_200042190", "59", "METRO"]
    for name in sorted(drawn):
        path = folder / f"{name}.png"
        if not path.exists():
            known = set(valued.loc[last & (valued["indicateur"] == name), "code"])
            ax = plots.ranked_bars(
                results, name, references=[code for code in references if code in known]
            )
            plots.save_chart(ax, path, dpi=90)
            plt.close("all")
    return drawn


def _card(card: Card, chart: bool) -> Iterator[str]:
    french, english = THEMES[card.theme]
    yield f"({target('indicateur', card.id)})="
    yield f"# {plain(card.libelle['fr'])}"
    yield f"**{plain(card.libelle['en'])}** · {plain(french)} (*{plain(english)}*)"
    yield plain(card.definition["en"])
    yield f"*{plain(card.definition['fr'])}*"
    if chart:
        yield f"![{plain(card.libelle['fr'])}, par quartier]({card.id}.png)"
        yield (
            "*Bundled data: the tables of the contract Quartiers 2030 of La Porte du Hainaut"
            f' (`bcs.compute(bcs.datasets.tables(), "{card.id}")`).*'
        )
    yield "## The card"
    yield "\n".join(f":{name}: {content}" for name, content in _fields(card).items())
    yield "## Formula by family of files"
    yield table(
        ["Family", "Levels", "Columns", "Formula", "Codes"], [_codes_row(c) for c in card.codes]
    )
    yield "## Where to download"
    yield from _where(card)
    yield "## Cautions"
    yield "\n".join(f"- {plain(caution)}" for caution in card.precautions)
    if card.ruptures:
        yield "## Breaks"
        yield "Years across which an evolution is refused unless it is asked for."
        yield "\n".join(f"- {_break(change)}" for change in card.ruptures)
    yield "## Worked examples"
    yield "They are tests of the function."
    yield table(["Case", "Input", "Value"], [_example_row(e) for e in card.exemples])


def _where(card: Card) -> Iterator[str]:
    wanted = {f"{name}.{column}" for name, columns in card.entrees.items() for column in columns}
    wanted.add(f"{PUBLISHED}.{card.id}")
    rows = [
        [link(code(name), target("famille", name)), plain(where), ", ".join(map(code, met))]
        for name, where, given in _feeds()
        if (met := sorted(wanted & given))
    ]
    if rows:
        yield table(["Files read", "Where", "What they give"], rows)
    else:
        yield "No family of files that is read feeds it: its tables are to be filled by hand."


@cache
def _feeds() -> tuple[tuple[str, str, frozenset[str]], ...]:
    """List the families of files that are read: name, where it is found, what it gives."""
    wide = [(f.nom, f.ou, f.colonnes) for f in load_families().values()]
    cubes = [(c.nom, c.ou, c.colonnes) for c in load_cubes().values() if not c.refus]
    units = [(u.nom, u.ou, u.comptes) for u in load_unit_families().values()]
    return tuple(
        (name, where, frozenset(column.vers for column in columns))
        for name, where, columns in [*wide, *cubes, *units]
    )


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
        "Levels": levels_of(card.niveaux),
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
    levels = f" ({levels_of(change.niveaux)} only)" if change.niveaux else ""
    return f"{change.annee}{levels}: {plain(change.motif)}"


def _codes_row(codes: Codes) -> list[str]:
    return [
        plain(codes.famille),
        levels_of(codes.niveaux),
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


def levels_of(levels: tuple[str, ...]) -> str:
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
