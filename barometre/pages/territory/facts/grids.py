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
    foreign : bool
        The rows are in French whatever the language of the page: they are data.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    foreign: bool = False


def grid(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    texts: int | Sequence[int] = 1,
    foreign: bool = False,
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
    texts : int or sequence of int, default 1
        How many first columns are texts, or which columns are.
    foreign : bool, default False
        Whether the rows are in French whatever the language of the page.

    Examples
    --------
    >>> grid("t", ["a", "b"], [["x", "1"]]).numeric
    (False, True)
    """
    words = set(range(texts)) if isinstance(texts, int) else set(texts)
    return Grid(
        caption,
        tuple(heads),
        tuple(tuple(row) for row in rows),
        tuple(place not in words for place in range(len(heads))),
        foreign,
    )
