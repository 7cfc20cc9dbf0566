"""What the value of a territory owes to the others: which years and levels a source gives.

A row is there when some territory of its level has a value, a count is exact when another of its
year is no multiple of the rounding. Tables in one piece show it; a part of them is told what the
others show.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, TypeVar

import pandas as pd

Answer = TypeVar("Answer", bound=Hashable)
Found = TypeVar("Found")
Question: TypeAlias = tuple[str, ...]
Facts: TypeAlias = Mapping[Question, frozenset[Any]]
"""What was seen, by the question that it answers."""


@dataclass(frozen=True)
class Seen:
    """What is seen in the tables at hand, with what was seen in the others.

    Attributes
    ----------
    role : {"alone", "looking", "told"}
        The tables are all there is; they are a part, and what it shows is to be listed; they are a
        part, and what all parts show is known.
    facts : mapping
        What all parts show, as far as it is known.
    here : dict
        What these tables show, once asked; nothing is kept of tables that are alone.
    subject : str
        What the questions are about, when they are asked of several things.
    """

    role: Literal["alone", "looking", "told"] = "alone"
    facts: Facts = field(default_factory=dict)
    here: dict[Question, frozenset[Any]] = field(default_factory=dict)
    subject: str = ""
    _kept: dict[int, Any] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """The tables at hand are all there is."""
        return self.role == "alone"

    @property
    def looking(self) -> bool:
        """The other parts have not been seen yet."""
        return self.role == "looking"

    def of(self, subject: str) -> Seen:
        """Ask the same questions of something else: the unions, their zones."""
        return replace(self, subject=subject)

    def once(self, keys: pd.Index, find: Callable[[], Found]) -> Found:
        """Find something of some keys, once for a part: its indicators share them."""
        if self.alone:
            return find()
        if id(keys) not in self._kept:
            self._kept[id(keys)] = (keys, find())  # the keys, lest another take their place
        found: Found = self._kept[id(keys)][1]
        return found

    def anywhere(self, question: Question, found: Iterable[Answer]) -> frozenset[Answer]:
        """Add what the other parts show to what is found in this one.

        Parameters
        ----------
        question : tuple of str
            What is asked: the same in every part.
        found : iterable of hashable
            What this part shows.

        Returns
        -------
        frozenset
        """
        own = frozenset(found)
        if self.alone:
            return own
        if self.subject:
            question = (self.subject, *question)
        self.here[question] = own | self.here.get(question, frozenset())
        return own | self.facts.get(question, frozenset())


ALONE = Seen()
"""Tables in one piece."""


def gathered(parts: Iterable[Facts]) -> dict[Question, frozenset[Any]]:
    """Join what the parts show.

    Examples
    --------
    >>> gathered([{("a",): frozenset({1})}, {("a",): frozenset({2})}])["a",]
    frozenset({1, 2})
    """
    joined: dict[Question, frozenset[Any]] = {}
    for part in parts:
        for question, found in part.items():
            joined[question] = joined.get(question, frozenset()) | found
    return joined


def agreed(look: Callable[[Facts], Iterable[Facts]]) -> Facts:
    """Look at the parts until they answer as one that knew what differs between them.

    Parameters
    ----------
    look : callable
        Gives what each part shows, told what differs somewhere.

    Returns
    -------
    mapping
        What all parts show.
    """
    known: Facts = {}
    while True:
        shown = list(look(known))
        facts = gathered(shown)
        differs = {asked: told for asked, told in facts.items() if told and asked[-1] == "differs"}
        new = differs.keys() - known.keys()
        if all(part.get(asked) for asked in new for part in shown):
            return facts
        known = differs
