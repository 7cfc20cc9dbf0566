"""When a target is due, in a contract's words: years, dates, durations, yearly, permanent."""

from __future__ import annotations

import re
from dataclasses import dataclass

YEARLY = re.compile(r"annuel|par an\b|permanent|dès |et suivantes|continu", re.IGNORECASE)


@dataclass(frozen=True)
class Deadline:
    """When a target is due.

    Attributes
    ----------
    year : int or None
        Year by whose end it is due; None where there is none.
    lasting : bool
        Yearly or permanent: judged every year, never late.
    """

    year: int | None
    lasting: bool


def deadline_of(text: str | None, start: int | None = None) -> Deadline:
    """Read a deadline as a contract writes it.

    Parameters
    ----------
    text : str or None
        ``"2027"``, ``"2026-03"``, ``"2e semestre 2024"``, ``"10 ans"`` (from ``start``),
        ``"annuel"``, ``"2024 et suivantes"``, ``"dès 2024"``, ``"non datée"``... Of several years,
        the last.
    start : int, optional
        Year from which a duration runs.

    Returns
    -------
    Deadline

    Examples
    --------
    >>> deadline_of("10 ans", 2024)
    Deadline(year=2034, lasting=False)
    >>> deadline_of("2024 et suivantes")
    Deadline(year=None, lasting=True)
    """
    if not isinstance(text, str) or not text.strip():
        return Deadline(None, lasting=False)
    if YEARLY.search(text):
        return Deadline(None, lasting=True)
    if duration := re.fullmatch(r"\s*(\d{1,2}) ans?\s*", text):
        return Deadline(None if start is None else start + int(duration[1]), lasting=False)
    years = [int(year) for year in re.findall(r"(?<!\d)(?:19|20)\d{2}(?!\d)", text)]
    return Deadline(max(years) if years else None, lasting=False)


def year_of(text: str | None) -> int | None:
    """Read the year of a reference: ``"2024-04-08"``, ``"fin 2023"``, ``"objectif 2023"``."""
    found = re.search(r"(?<!\d)(?:19|20)\d{2}(?!\d)", text) if isinstance(text, str) else None
    return int(found[0]) if found else None
