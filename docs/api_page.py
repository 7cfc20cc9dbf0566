"""The reference: one page per public object, listed by what it serves, out of the stubs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import barometre
from barometre.base.public import listed
from barometre.cards.columns import MODELS

PACKAGE = Path(inspect.getfile(barometre)).parent

# The rooms in the order in which a reader meets them, and what each is for.
ROOMS = {
    "sources": ("Files in", "Read producers' files, or say what is wrong with them."),
    "tables": ("Tables and territories", "Tables checked at the door; codes; who is in what."),
    "datasets": ("Places", "One's own territory; memberships of all communes; names; the folder."),
    "cards": ("Indicators", "The catalogue and its cards."),
    "engine": ("Values", "Compute, aggregate, intervals, small numbers, changes of perimeter."),
    "compare": ("Comparisons", "Gaps, evolutions, ranks, needs, priorities."),
    "secrecy": ("Secrecy", "What is hidden, and what would give it back."),
    "composite": ("Indices", "IDH-4, IDT."),
    "cohort": ("Cohorts: warnings", "The verbs are below."),
    "themes": ("Household arithmetic", "Consumption units, living standards, poverty lines."),
    "pages": ("Files out", "Write results."),
    "base": ("Errors and rounding", ""),
}
SUBPACKAGES = {
    "composite": "Composite indices: `bcs.composite`",
    "cohort": "Cohorts: `bcs.cohort`",
    "monitoring": "The contract followed: `bcs.monitoring`",
    "plots": "Charts: `bcs.plots`",
    "datasets": "Bundled and synthetic data: `bcs.datasets`",
}


def public(package: str = "") -> list[tuple[str, str]]:
    """Give the public names of a package, each with the module it comes from."""
    full = f"barometre.{package}".rstrip(".")
    found = [
        (name, home.removeprefix(f"{full}."))
        for home, name in listed(PACKAGE / package / "__init__.py")
        if home != full
    ]
    return sorted(found, key=lambda pair: pair[0].lower())


def _listed(names: list[str]) -> Iterator[str]:
    yield from (
        "",
        "```{eval-rst}",
        ".. autosummary::",
        "   :toctree: api",
        "   :nosignatures:",
        "",
    )
    yield from (f"   {name}" for name in names)
    yield from ("```", "")


def api_page() -> str:
    """Write the page."""
    lines = [
        "# Reference",
        "",
        "Names, options and explanations are in English; columns, statuses and error messages",
        "are in French. `barometre.compute` is `bcs.compute` after `import barometre as bcs`.",
        "",
    ]
    names = [(name, home) for name, home in public() if not name.startswith("__")]
    homes = {home.split(".")[0] for _, home in names}
    for room in [*ROOMS, *sorted(homes - set(ROOMS))]:
        title, about = ROOMS.get(room, (room.capitalize(), ""))
        listed = [
            f"barometre.{name}" for name, home in names
            if home.split(".")[0] == room and name != "errors"
        ]  # fmt: skip
        if listed:
            lines += [f"## {title}", "", about, *_listed(listed)]
    for package, title in SUBPACKAGES.items():
        listed = [
            f"barometre.{package}.{name}"
            for name, home in public(package)
            if (name, f"{package}.{home}") not in names  # it has its page already
        ]
        lines += [f"## {title}", *_listed(listed)]
    errors = [
        f"barometre.base.errors.{name}"
        for name, thing in vars(barometre.errors).items()
        if inspect.isclass(thing) and issubclass(thing, Exception) and name != "BarometreError"
    ]
    lines += [
        "## Kinds of errors",
        "",
        "All errors that the library raises on purpose are `BarometreError`, a `ValueError`. Those",
        "that refuse an input have `defauts`, every fault found, and `lignes`, the faulty rows.",
        *_listed(errors),
        "## Cards and models",
        "",
        "The fields of a card, the rows of results, the models of the input tables (their columns,",
        "units and limits are in [](tables.md)).",
        *_listed(
            [
                *(f"barometre.cards.schema.{name}" for name in ("Card", "Codes", "Example")),
                "barometre.engine.results.Results",
                *(f"barometre.cards.columns.{model.__name__}" for model in MODELS.values()),
            ]
        ),
    ]
    return "\n".join(lines)
