"""A workbook of results: what it is, the table, gaps, every value, the cards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from barometre.base.french import Lang
from barometre.pages.workbook.book import legal, open_book
from barometre.pages.workbook.guide import Contents, write_guide
from barometre.pages.workbook.lists import write_cards, write_rows
from barometre.pages.workbook.places import Order, places_in_order
from barometre.pages.workbook.wide import write_gaps, write_table

LARGE = 100_000
"""Rows above which a workbook is brief: no labels beside the codes of each value, no interval nor
grade beside those of the table, no gaps unless references are named."""


@dataclass(frozen=True)
class Choices:
    """What one may choose of a workbook.

    Attributes
    ----------
    references : sequence of str or None
        Codes of the references; None takes the EPCI, the department, the region and France, each
        when the results have one of them.
    order : {"libelle", "code"}
        Order of the territories within a level.
    edition : str or date or None
        Name or date of the edition.
    lang : {"fr", "en"}
        Language of the sheets that people read.
    """

    references: Sequence[str] | None = None
    order: Order = "libelle"
    edition: str | dt.date | None = None
    lang: Lang = "fr"


def write_workbook(
    results: pd.DataFrame,
    labelled: Callable[[], pd.DataFrame],
    territoires: pd.DataFrame | None,
    path: Path,
    choices: Choices,
) -> None:
    """Write a workbook.

    Parameters
    ----------
    results : DataFrame
        Tidy results.
    labelled : callable
        Makes the same with labels beside the codes, for the sheet of values unless it is large.
    territoires : DataFrame or None
        Labels and levels of the territories, by code.
    path : Path
        File to write.
    choices : Choices
        References, order, edition.
    """
    large = len(results) > LARGE
    results, replaced = legal(results)
    rows = results
    if not large:
        rows, replaced = legal(labelled())
    if territoires is not None:
        territoires, cells = legal(territoires)
        replaced += cells
    codes = [str(code) for code in results["code"].unique()]
    known = results[results["statut"] == "ok"].groupby("code")["indicateur"].nunique()
    places = places_in_order(codes, territoires, choices.references, choices.order, known)
    references = [place.code for place in places if place.reference]
    compared = len(places) > 1 and bool(references) and (not large or bool(choices.references))
    edition = (
        choices.edition.isoformat() if isinstance(choices.edition, dt.date) else choices.edition
    )
    title = "Baromètre de cohésion sociale" if choices.lang == "fr" else "Social cohesion barometer"
    with open_book(path, title, _day(results, choices.edition), choices.lang) as book:
        write_guide(book, Contents(results, places, compared, edition or "", replaced))
        write_table(book, results, places, beside=not large)
        if compared:
            write_gaps(book, results, places, references)
        write_rows(book, rows, "resultats")
        write_cards(book, results)


def _day(results: pd.DataFrame, edition: str | dt.date | None) -> dt.date:
    """Give the day of the edition, else the last day of the data: never today."""
    if isinstance(edition, dt.date):
        return edition
    years = results["annee"]
    return dt.date(int(years.max()) if len(years) else 1980, 12, 31)
