"""Tables of a page as texts, ready to be written in HTML or in a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes
    ----------
    caption : str
        What it shows.
    heads : tuple of str
        Headings of the columns.
    rows : tuple of tuple of str
        Texts, the first column naming the row.
    numeric : tuple of bool
        Columns set to the right.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


def grid(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1
) -> Grid:
    """Make a table whose first columns are texts and the others figures.

    Parameters
    ----------
    caption : str
        What it shows.
    heads : sequence of str
        Headings.
    rows : sequence of sequence of str
        Texts, as many as headings.
    texts : int, default 1
        Columns set to the left.

    Examples
    --------
    >>> grid("t", ["a", "b"], [["x", "1"]]).numeric
    (False, True)
    """
    return Grid(
        caption,
        tuple(heads),
        tuple(tuple(row) for row in rows),
        tuple(place >= texts for place in range(len(heads))),
    )
