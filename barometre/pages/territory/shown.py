"""What the pages show, as tables of numbers for the workbook."""

from __future__ import annotations

import pandas as pd

from barometre.pages.territory.content import Content
from barometre.pages.territory.facts.grids import Grid

SHEETS = ("profil", "graphiques", "priorités", "contrat")
"""Sheets of the workbook, in order; one without rows is left out."""


def shown_rows(content: Content) -> dict[str, pd.DataFrame]:
    """Give the tables of a page, each row with its territory.

    Parameters
    ----------
    content : Content
        A page.

    Returns
    -------
    dict of str to DataFrame
        By name of sheet: values as numbers, words as the page writes them.
    """
    place = {"code": content.place.code, "territoire": content.place.name}
    charts: list[dict[str, object]] = [
        {**place, "question": theme.question, "mesure": theme.data.heads[1], "zone": row[0],
         "valeur affichée": row[1]}
        for theme in content.themes
        if theme.data is not None
        for row in theme.data.rows
    ]  # fmt: skip
    order: list[dict[str, object]] = [
        {**place, "thème": row[0], "rang": row[1], "ce qui pèse le plus": row[2]}
        for table in (content.place_table, content.theme_table)
        if table is not None
        for row in table.rows
    ]
    followed: list[dict[str, object]] = [
        {**place, "tableau": table.caption, "ligne": row[0], "colonne": head, "affiché": cell}
        for table in _tables(content)
        for row in table.rows
        for head, cell in zip(table.heads[1:], row[1:], strict=True)
    ]
    tables: dict[str, list[dict[str, object]]] = {
        "profil": [{**place, **row} for row in content.figures],
        "graphiques": charts,
        "priorités": order,
        "contrat": followed,
    }
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def _tables(content: Content) -> list[Grid]:
    """List the tables of the contract on a page."""
    followed = content.followed
    if followed is None:
        return []
    return [*([followed.states] if followed.states is not None else []), *followed.grids]
