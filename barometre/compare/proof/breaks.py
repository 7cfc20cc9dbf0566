"""What keeps the values of several years from being compared, and what only must be said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, counted
from barometre.cards.schema import Break, Card
from barometre.compare.rows import Rows, joined
from barometre.engine.perimeters import BREAK, qpv_bridge
from barometre.tables.codes import level_of, qpv_generation

Rule = Literal["recensement", "cnam", "perimetre", "rupture"]
RULES: tuple[Rule, ...] = get_args(Rule)
"""The reasons for which two years are not compared; each can be lifted by its name."""

Bridge: TypeAlias = "bool | pd.DataFrame | None"

CENSUS_YEARS = 5
"""Yearly surveys in one vintage: closer vintages share some of them."""

NEW_QPV = 2024
"""First year of the neighbourhoods of the second generation."""

BRIDGED = "quartier de 2015 tenu pour celui de 2024"
"""What is said of a value of a 2015 neighbourhood that the bridge gives to that of 2024."""

CENSUS = ("principale", "complementaire")


def census_text(years: int) -> str:
    """Say that two vintages of the census share surveys."""
    return (
        f"millésimes du recensement distants de {counted(years, 'an')} :"
        f" à moins de {CENSUS_YEARS} ans, ils partagent des enquêtes"
    )


CNAM = "deux millésimes consécutifs de la Cnam ne se comparent pas en dessous de la commune"
OLD = f"périmètre de 2015, remplacé en {NEW_QPV}"


def new_text(start: int) -> str:
    """Say that a perimeter of 2024 did not exist."""
    return f"périmètre de {NEW_QPV}, qui n'existait pas en {start}"


def series_breaks(
    card: Card, code: str, years: Sequence[int], notes: Iterable[str]
) -> Iterator[tuple[Rule, str]]:
    """List the rules that a series breaks, and why.

    Parameters
    ----------
    card : Card
        The indicator.
    code : str
        The territory.
    years : sequence of int
        Years of the values, in order.
    notes : iterable of str
        Notes of the values.

    Yields
    ------
    tuple of str
        The rule and the reason.
    """
    steps = np.diff(np.asarray(years))
    first, last, level = years[0], years[-1], level_of(code)
    told = list(notes)
    if card.exploitation in CENSUS and (steps < CENSUS_YEARS).any():
        yield "recensement", census_text(int(steps.min()))
    if "Cnam" in card.producteur and level in ("iris", "qpv") and (steps == 1).any():
        yield "cnam", CNAM
    generation = qpv_generation(code)
    if generation == 2015 and last >= NEW_QPV:
        yield "perimetre", OLD
    if generation == NEW_QPV and first < NEW_QPV and not any(BRIDGED in text for text in told):
        yield "perimetre", new_text(first)
    if any(BREAK in text for text in told):
        yield "perimetre", BREAK
    for change in _crossed(card.ruptures, level, first, last):
        yield "rupture", f"rupture en {change.annee} : {change.motif}"


def series_signals(card: Card, code: str, first: int, last: int) -> list[str]:
    """List what the producer signals between two years, without a break that refuses."""
    changes = _crossed(card.alertes, level_of(code), first, last)
    return [f"signalé en {change.annee} : {change.motif}" for change in changes]


def _crossed(changes: Iterable[Break], level: str, first: int, last: int) -> list[Break]:
    return [
        change
        for change in changes
        if first < change.annee <= last and (not change.niveaux or level in change.niveaux)
    ]


def bridged(rows: Rows, bridge: Bridge) -> Rows:
    """Give the values of the 2015 neighbourhoods to those of 2024 that are the same.

    Parameters
    ----------
    rows : Rows
        Checked results.
    bridge : bool, DataFrame or None
        True for the bundled one, or a frame of `qpv_bridge`: ``code_2015``, ``code_2024``,
        ``identique``, ``part_conservee``.

    Returns
    -------
    Rows
        The values of each neighbourhood bridged have the code of 2024, and their note says so and
        gives the share of the population kept. A year that the 2024 one has already is left to it.

    Raises
    ------
    BarometreError
        A frame without these columns, or that gives a neighbourhood twice.
    """
    if bridge is None or bridge is False:
        return rows
    pairs = qpv_bridge() if bridge is True else bridge
    needed = ["code_2015", "code_2024", "identique", "part_conservee"]
    if not isinstance(pairs, pd.DataFrame) or not set(needed) <= set(pairs.columns):
        raise BarometreError(f"bridge refusé : donner les colonnes {', '.join(needed)}")
    same = pairs[pairs["identique"].astype(bool)].dropna(subset=["code_2015", "code_2024"])
    if same["code_2015"].duplicated().any() or same["code_2024"].duplicated().any():
        raise BarometreError("bridge refusé : un quartier tenu pour deux autres")
    target = rows.frame["code"].map(same.set_index("code_2015")["code_2024"])
    kept = rows.frame["code"].map(same.set_index("code_2015")["part_conservee"])
    moved = target.notna()
    frame = rows.frame.assign(code=rows.frame["code"].mask(moved, target).astype("str"))
    shares = kept.map("{:.0%}".format, na_action="ignore").astype("str").str.replace("%", " %")
    text = BRIDGED + " (" + rows.frame["code"] + ", " + shares + " de la population)"
    frame["note"] = joined(frame["note"], text.where(moved).astype("str"))
    keys = ["code", "annee", "indicateur"]
    late = moved & frame.duplicated(keys, keep=False)
    frame = frame[~late].reset_index(drop=True)
    code, codes = pd.factorize(frame["code"])
    kept_rows = np.flatnonzero(~late.to_numpy())
    return replace(
        rows, frame=frame, codes=list(codes), code=code.astype(np.int64), card=rows.card[kept_rows]
    )
