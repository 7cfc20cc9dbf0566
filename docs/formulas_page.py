"""The page of formulas: what each function computes, from whom, and what it was compared with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

from docstring_parts import sections
from markdown_parts import code, plain, prose
from proofs_page import comparisons

import barometre as bcs

_ROOMS = {
    "": "Values, comparisons, secrecy",
    "composite": "Composite indices",
    "cohort": "Cohorts",
    "monitoring": "The contract followed",
}


def formulas_page() -> str:
    """Write the page in Markdown (MyST): a function that gives no formula is not there."""
    parts = [
        "# Formulas",
        "Written from the docstrings when the documentation is built: the formula and its source,"
        " what is assumed, and the programs that the function was compared with ([](proofs.md)).",
    ]
    for room, title in _ROOMS.items():
        module = getattr(bcs, room) if room else bcs
        parts += [f"## {title}", *_room(room, module)]
    return "\n\n".join(parts) + "\n"


def _room(room: str, module: ModuleType) -> Iterator[str]:
    programs: dict[str, set[str]] = {}
    for test in comparisons():
        for verb in test.verbs:
            programs.setdefault(verb, set()).update(test.programs)
    for name in dir(module):
        thing = getattr(module, name)
        notes = sections(inspect.getdoc(thing) or "")
        if inspect.ismodule(thing) or not notes.keys() & {"Notes", "References"}:
            continue
        full = ".".join(filter(None, ["barometre", room, name]))
        yield f"### {code(name)}"
        yield f"{{py:obj}}`{full}`: {prose((inspect.getdoc(thing) or '').splitlines()[0])}"
        for title in ("Notes", "References"):
            yield from (prose(part) for part in notes.get(title, "").split("\n\n") if part)
        compared = programs.get(name) if room in ("cohort", "composite") else None
        if compared:
            yield f"*Compared with {plain(', '.join(sorted(compared)))}.*"
