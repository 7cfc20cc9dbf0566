"""What docstrings hold: their sections, and the verbs of a cohort completed by their functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from inspect import cleandoc, signature
from typing import Any

_TITLE = r"[A-Z][A-Za-z ]+\n-{3,}$"
_SECTION = re.compile(rf"(?ms)^([A-Z][A-Za-z ]+)\n-{{3,}}\n(.*?)(?=^{_TITLE}|\Z)")
_LIKE_EVENTS = ("event", "origin", "at_entry")
"""Parameters of verbs on durations, which `time_to_event` describes."""
_OWN = {
    "wave": "object, optional\n    A wave of the cohort; the last one by default.",
    "since": "object, optional\n    Wave that the change starts from; levels by default.",
    "competing": "str, callable or column\n    What ends the story first (cause 2), as ``event``.",
    "outcome": "str\n    Column of the result.",
    "zone": "object\n    The place, a value of the column of places of the cohort.",
    "start": "object\n    First wave compared.",
    "end": "object\n    Last wave compared.",
}
"""Parameters that verbs have and functions do not."""
_GROUP = "str, optional\n    Column of the group: that of the first row of the person."


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
            found |= dict.fromkeys(names, kind)
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
    timed = "duration" in other
    for taken in list(signature(method).parameters)[1:]:
        if taken in _LIKE_EVENTS:
            text = parameters(functions["time_to_event"].__doc__ or "").get(taken)
        elif timed and taken == "by" and taken not in mine:
            text = _GROUP
        else:
            text = mine.get(taken) or other.get(taken) or _OWN.get(taken)
        default = signature(method).parameters[taken].default
        if text is not None and isinstance(default, str):
            text = re.sub(r'(?<=default )"[^"]*"', f'"{default}"', text, count=1)
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
