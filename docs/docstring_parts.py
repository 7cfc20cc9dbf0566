"""What docstrings hold: their sections, and the verbs of a cohort completed by their functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from inspect import cleandoc, signature
from typing import Any

_TITLE = r"[A-Z][A-Za-z ]+\n-{3,}$"
_SECTION = re.compile(rf"(?ms)^([A-Z][A-Za-z ]+)\n-{{3,}}\n(.*?)(?=^{_TITLE}|\Z)")
_VERBS_ALIKE = {"event": "time_to_event", "origin": "time_to_event", "at_entry": "time_to_event"}
"""Parameters of verbs that another function describes."""


def sections(doc: str) -> dict[str, str]:
    """Cut a docstring into its sections (numpydoc), by title."""
    return {title: body.rstrip() for title, body in _SECTION.findall(cleandoc(doc))}


def parameters(doc: str) -> dict[str, str]:
    """Give what a docstring says of each parameter: its type, then its text.

    Names that share a line (``by, entry : str``) share what is said.
    """
    found: dict[str, str] = {}
    names: list[str] = []
    for line in sections(doc).get("Parameters", "").splitlines():
        if line and not line.startswith(" "):
            left, _, kind = line.partition(" : ")
            names = [name.strip().lstrip("*") for name in left.split(",")]
            found |= {name: kind for name in names}
        else:
            found |= {name: f"{found[name]}\n{line}" for name in names}
    return found


def verb_doc(
    name: str, method: Callable[..., Any], functions: Mapping[str, Callable[..., Any]]
) -> str:
    """Complete the docstring of a verb with what the function of the same name says.

    Parameters
    ----------
    name : str
        Name of the verb.
    method : callable
        The method of ``Cohort``.
    functions : mapping of str to callable
        Public functions of ``bcs.cohort``, by name.

    Returns
    -------
    str
        The docstring of the method, then the parameters that it takes, what it returns, what it
        raises, its notes and its references: those of the function.
    """
    own = cleandoc(method.__doc__ or "")
    if name not in functions:
        return own
    said, mine = functions[name].__doc__ or "", parameters(own)
    other = parameters(said)
    lines = []
    for taken in list(signature(method).parameters)[1:]:
        text = mine.get(taken) or other.get(taken)
        if text is None and taken in _VERBS_ALIKE:
            text = parameters(functions[_VERBS_ALIKE[taken]].__doc__ or "").get(taken)
        if text is not None:
            lines.append(f"{taken} : {text}" if text.split("\n")[0] else f"{taken}{text}")
    parts = [own.split("\nParameters\n---")[0].rstrip()]
    if lines:
        parts.append("Parameters\n----------\n" + "\n".join(lines))
    for title in ("Returns", "Raises", "Notes", "References"):
        text = sections(own).get(title) or sections(said).get(title)
        if text:
            parts.append(f"{title}\n{'-' * len(title)}\n{text}")
    return "\n\n".join(parts)
