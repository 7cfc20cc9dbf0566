"""Amounts of several years: in constant euros with a price series, else said to be nominal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans
from barometre.base.errors import BarometreError
from barometre.compare.rows import Rows, joined, named

Prices: TypeAlias = "pd.Series[float] | Mapping[int, float]"

NOMINAL = "euros courants : la hausse des prix n'est pas retirée (deflate=)"


def is_amount(rows: Rows) -> Booleans:
    """Tell the rows that are amounts in euros."""
    euros = rows.by_card((card.unite == "euros_par_an" for card in rows.cards), rows.card)
    return euros.astype(bool)


def deflated(
    rows: Rows,
    prices: Prices | None,
    base: int | None = None,
    *,
    years: Collection[int] | None = None,
) -> Rows:
    """Give amounts in the euros of one year, their bounds with them, and say which euros they are.

    Parameters
    ----------
    rows : Rows
        Checked results.
    prices : Series or mapping, optional
        Price index by year, in any base; amounts stay nominal without it.
    base : int, optional
        Year of the euros, by default the last one of the amounts.
    years : collection of int, optional
        Years to deflate, all by default; the others are left as they are.

    Returns
    -------
    Rows
        Amounts times ``index[base] / index[year]``.

    Raises
    ------
    BarometreError
        A series that lacks a year of the amounts or of the base, or is not positive.
    """
    mine = is_amount(rows)
    when = rows.frame["annee"].to_numpy()
    if years is not None:
        mine &= np.isin(when, list(years))
    if prices is None or not mine.any():
        return rows
    index = pd.Series(dict(prices), dtype="float64")
    target = int(when[mine].max()) if base is None else base
    wanted = {target, *(int(year) for year in np.unique(when[mine]))}
    absent = ", ".join(str(year) for year in sorted(wanted - set(index.index)))
    if absent or not (index > 0).all():
        told = f"années absentes : {absent}" if absent else "indices non positifs"
        raise BarometreError(f"deflate refusé : {told} ; donner un indice de prix par année")
    factor = np.where(mine, index[target] / index.reindex(when).to_numpy(), 1.0)
    columns = ("valeur", "borne_inf", "borne_sup")
    frame = rows.frame.assign(**{name: rows.frame[name] * factor for name in columns})
    text = f"euros constants de {target}"
    frame["note"] = joined(frame["note"], named(np.where(mine, 0, -1), [text]))
    return replace(rows, frame=frame)
