"""A territory among others: general or concentrated needs, priorities, the most similar ones."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.cards.listing import indicator_card
from barometre.cards.schema import THEMES
from barometre.compare.disadvantage import cumulative_disadvantage
from barometre.compare.needs import diagnose
from barometre.compare.order import priorities
from barometre.compare.similar.nearest import Neighbours, SimilarWarning, neighbours
from barometre.compare.zones import is_count, is_index
from barometre.pages.territory.facts.evidence import Evidence, last_year, zones_of
from barometre.pages.territory.facts.grids import Grid, grid
from barometre.pages.territory.language.grammar import counted
from barometre.pages.territory.language.words import pick
from barometre.tables.codes import level_of

NEAREST = 5
"""Similar territories named."""

_VARIABLES = 6  # more would count the same thing several times
_FIRST = 3  # zones named under a theme
_KNOWN = 0.9  # share of the peers that must have a variable
_DRAWS = 300


@dataclass(frozen=True)
class Context:
    """What is asked once for all the territories of a level.

    Attributes
    ----------
    order : DataFrame or None
        Result of `priorities` on the peers, by theme.
    cumulated : DataFrame or None
        Result of `cumulative_disadvantage` on the peers.
    needs : DataFrame or None
        Result of `diagnose` on the neighbourhoods of an EPCI.
    """

    order: pd.DataFrame | None = field(repr=False)
    cumulated: pd.DataFrame | None = field(repr=False)
    needs: pd.DataFrame | None = field(repr=False)


@dataclass(frozen=True)
class Similar:
    """The territories most like one, and what that rests on.

    Attributes
    ----------
    table : Grid
        Neighbours and their values of the variables.
    remarks : tuple of str
        Pool, stability.
    """

    table: Grid
    remarks: tuple[str, ...]


def context_of(evidence: Evidence, code: str) -> Context:
    """Ask for the order of the peers of a territory, and the needs of what it holds.

    Parameters
    ----------
    evidence : Evidence
        What the verbs say.
    code : str
        A territory.
    """
    results, level = evidence.results, level_of(code)
    zones = list(zones_of(evidence, code))
    bounded = bool(results["borne_inf"].notna().any())
    order = cumulated = needs = None
    if len(zones) > 2:
        order = priorities(results, zones, year="latest", draws=_DRAWS if bounded else 0)
        cumulated = cumulative_disadvantage(results, zones, year="latest")
    whole = code if level == "epci" else next(iter(evidence.references[code]), None)
    reference = _far(evidence, code)
    if whole is not None and reference is not None and len(zones) > 2 and whole not in zones:
        try:
            needs = diagnose(results, zones, whole, reference)
        except BarometreError:
            needs = None
    return Context(order, cumulated, needs)


def _far(evidence: Evidence, code: str) -> str | None:
    refs = evidence.references[code]
    return refs[-1] if refs else None


def place_grid(context: Context, evidence: Evidence, code: str, lang: Lang) -> Grid | None:
    """Place a territory among its peers, theme by theme, with what drives its rank."""
    if context.order is None or code not in set(context.order["code"]):
        return None
    rows = []
    for row in context.order[context.order["code"] == code].to_dict("records"):
        number = int((context.order["theme"] == row["theme"]).sum())
        place = "–"
        if pd.notna(row["rang"]):
            place = f"{int(row['rang'])}\u00a0/\u00a0{number}"
            if pd.notna(row["rang_min"]):
                place += (
                    f" [{int(row['rang_min'])}{pick((' ;', ';'), lang)} {int(row['rang_max'])}]"
                )
        rows.append([pick(THEMES[row["theme"]], lang), place, _drivers(row["moteurs_id"], lang)])
    if not rows:
        return None
    return grid(
        pick(
            (
                f"Place parmi les {len(evidence.peers[code])} territoires semblables, par thème"
                " (1 : le moins favorable)",
                f"Place among the {len(evidence.peers[code])} territories of its kind, by theme"
                " (1: the least favourable)",
            ),
            lang,
        ),
        [
            pick(("thème", "theme"), lang), pick(("rang", "rank"), lang),
            pick(("ce qui pèse le plus", "what weighs most"), lang),
        ],
        rows,
        texts=3,
    )  # fmt: skip


def _drivers(names: object, lang: Lang) -> str:
    if not isinstance(names, str):
        return "–"
    labels = [indicator_card(name.strip()).libelle[lang] for name in names.split(" ; ")]
    return pick((" ; ", "; "), lang).join(labels)


def cumulated_sentence(context: Context, code: str, lang: Lang) -> str:
    """Say for how many indicators a territory is among the worst fifth."""
    if context.cumulated is None:
        return ""
    rows = context.cumulated[context.cumulated["code"] == code]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    bad, seen = int(row["defavorables"]), int(row["disponibles"])
    zones = len(context.cumulated)
    if lang == "en":
        return f"Among the worst fifth of {zones} territories for {bad} indicators of {seen}."
    told = counted(bad, "indicateur")
    return f"Dans le cinquième le moins favorable des {zones} territoires pour {told} sur {seen}."


def theme_grid(context: Context, evidence: Evidence, lang: Lang) -> Grid | None:
    """Name the first zones of each theme: where to act first, and why."""
    if context.order is None or context.order.empty:
        return None
    rows = []
    for theme, part in context.order.groupby("theme", sort=False):
        first = part[part["rang"].notna()].head(_FIRST)
        names = [evidence.places[code].short for code in first["code"]]
        drivers = dict.fromkeys(
            name for text in first["moteurs_id"].dropna() for name in str(text).split(" ; ")
        )
        rows.append(
            [pick(THEMES[str(theme)], lang), ", ".join(names), _drivers(" ; ".join(drivers), lang)]
            if drivers
            else [pick(THEMES[str(theme)], lang), ", ".join(names), "–"]
        )
    return grid(
        pick(("Priorités par thème", "Priorities by theme"), lang),
        [
            pick(("thème", "theme"), lang),
            pick(("les moins favorables d'abord", "least favourable first"), lang),
            pick(("ce qui pèse le plus", "what weighs most"), lang),
        ],
        rows,
        texts=3,
    )


_NEEDS = {
    "généralisé": ("généralisé", "general"),
    "concentré": ("concentré", "concentrated"),
    "les deux": ("généralisé et concentré", "general and concentrated"),
    "ni l'un ni l'autre": ("ni l'un ni l'autre", "neither"),
}


_MIXED = ("non lu (zones de part et d'autre de zéro)", "not read (zones on both sides of zero)")


def needs_grid(context: Context, evidence: Evidence, lang: Lang) -> Grid | None:
    """Tell the needs that are general from those that are concentrated."""
    if context.needs is None:
        return None
    rows = []
    for row in context.needs[context.needs["statut"] == "ok"].to_dict("records"):
        card = indicator_card(row["indicateur"])
        mixed = "signes contraires" in str(row["note"])  # a mean near zero: nothing is spread
        rows.append(
            [
                card.libelle[lang],
                str(int(row["annee"])),
                format_number(100 * row["ecart_defavorable"], 0, lang, signed=True)
                + ("\u202f%" if lang == "fr" else "%"),
                "–" if mixed else format_number(row["dispersion"], 2, lang),
                pick(_MIXED if mixed else _NEEDS[row["diagnostic"]], lang),
            ]
        )
    if not rows:
        return None
    first = context.needs.iloc[0]
    whole, reference = (evidence.places[first[name]] for name in ("territoire", "reference"))
    return grid(
        pick(
            (
                f"Besoins généralisés ou concentrés : {whole.name} ; référence : {reference.name}",
                f"General or concentrated needs: {whole.name} against {reference.name}",
            ),
            lang,
        ),
        [
            pick(pair, lang)
            for pair in (
                ("indicateur", "indicator"), ("année", "year"),
                ("écart défavorable", "unfavourable gap"),
                ("dispersion des zones", "spread of the zones"), ("besoin", "need"),
            )
        ],
        rows,
    )  # fmt: skip


def similar_of(evidence: Evidence, code: str, lang: Lang = "fr") -> Similar | None:
    """Find the territories of the results most like one, and say why.

    Returns
    -------
    Similar or None
        None when fewer than two variables are known for enough of the peers. The variables are
        the shares and rates that most peers have, one by theme first.
    """
    peers = [peer for peer in evidence.peers[code] if peer != code]
    names = _variables(evidence, code)
    if len(peers) <= NEAREST or len(names) < 2:
        return None
    rows = evidence.results[evidence.results["indicateur"].isin(names)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SimilarWarning)  # `_remarks` says it on the page
            found = neighbours(rows, code, names, k=NEAREST, pool=evidence.peers[code])
    except BarometreError:
        return None
    return Similar(_similar_grid(found, evidence, code, names, lang), _remarks(found, names, lang))


def _variables(evidence: Evidence, code: str) -> list[str]:
    """Choose variables that nearly all peers have, one by theme before a second one."""
    peers = evidence.peers[code]
    seen: dict[str, list[str]] = {}
    for own, name in evidence.cells:
        card = indicator_card(name)
        if own != code or is_count(name) or is_index(name) or card.theme == "contexte":
            continue
        year = last_year(evidence.cells[own, name])
        known = sum(evidence.value(peer, name, year) is not None for peer in peers)
        if known >= _KNOWN * len(peers):
            seen.setdefault(card.theme, []).append(name)
    depth = max((len(names) for names in seen.values()), default=0)
    ordered = [
        names[place] for place in range(depth) for names in seen.values() if place < len(names)
    ]
    return ordered[:_VARIABLES]


def _similar_grid(
    found: Neighbours, evidence: Evidence, code: str, names: Sequence[str], lang: Lang
) -> Grid:
    rows = []
    for own in (code, *found.peers):
        cells = []
        for name in names:
            value = evidence.value(own, name, int(found.pool.years[name]))
            decimals = indicator_card(name).decimales
            cells.append("–" if value is None else format_number(value, decimals, lang))
        far = found.table.set_index("code")["distance"].get(own)
        rows.append(
            [
                evidence.places[own].short,
                *cells,
                "–" if far is None else format_number(float(far), 2, lang),
            ]
        )
    heads = [
        f"{indicator_card(name).libelle[lang]} ({int(found.pool.years[name])})" for name in names
    ]
    return grid(
        pick(("Les territoires les plus proches", "The most similar territories"), lang),
        [pick(("territoire", "territory"), lang), *heads, pick(("distance", "distance"), lang)],
        rows,
    )


def _remarks(found: Neighbours, names: Sequence[str], lang: Lang) -> tuple[str, ...]:
    complete, size = len(found.pool.figures), found.pool.size
    least = found.stability.sort_values("communs").iloc[0]
    label = indicator_card(str(least["variable"])).libelle[lang]
    number = int(least["communs"])
    if lang == "en":
        return (
            f"Distance: root of the mean of the squared differences of {len(names)} variables, in"
            " standard deviations of the pool.",
            f"Pool: {complete} territories of {size} have every variable.",
            f"Without “{label}”, {number} of the {len(found.table)} stay: the fewer, the more the"
            " choice of variables made the neighbours.",
        )
    return (
        f"Distance : racine de la moyenne des carrés des écarts de {len(names)} variables, en"
        " écarts-types du vivier.",
        f"Vivier : {complete} territoires sur {size} ont toutes les variables.",
        f"Sans « {label} », il en reste {number} sur {len(found.table)} : moins il en reste, plus"
        " le choix des variables a fait les voisins.",
    )
