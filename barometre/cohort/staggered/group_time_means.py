"""Averages of ATT(g,t): simple, by time since entry, by group, by calendar wave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.face import Face, decimals_of, draw, interval_text, number_text
from barometre.base.tidy import Tidy
from barometre.cohort.inference.estimates import Estimate, effect_sentence, time_sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["simple", "dynamic", "group", "calendar"]
KEYS: dict[Kind, str | None] = {
    "simple": None,
    "dynamic": "event_time",
    "group": "group",
    "calendar": "wave",
}


@dataclass(frozen=True, eq=False)
class Mean:
    """A weighted mean of ATT(g,t), linearised.

    Its influence on person i is the sum over cells of ``cells`` times the influence of the cell,
    plus ``people`` times the weight of the person when she is among the treated of the cell: the
    second part is there because the weights of the mean are themselves estimated.
    """

    value: float
    cells: Floats
    people: Floats


@dataclass(frozen=True, eq=False)
class Aggregation(Face):
    """Averages of ATT(g,t).

    Attributes
    ----------
    overall : Estimate
        The average of all, with ``estimate``, ``se``, ``low``, ``high``.
    table : Tidy
        ``event_time``, ``group`` or ``wave`` (nothing for ``"simple"``), ``estimate, se, low,
        high, df, p`` and ``n``, the treated people compared, added up over the cells averaged.
    vcov : DataFrame
        Covariance of the rows of the table.
    """

    overall: Estimate
    table: Tidy
    vcov: pd.DataFrame = field(repr=False)
    _influence: Callable[[], pd.DataFrame] = field(repr=False)

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: ``method``, ``convention``, counts, cells left out with the reason."""
        return self.table.meta

    def sentences(self) -> list[str]:
        """Say the average of all, then each row, and what to fear."""
        return [effect_sentence(self.overall), *self.table.summary().splitlines()[1:]]

    def plot(self, *, title: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw the averages by time since entry, or one line each.

        Parameters
        ----------
        title : str, optional
            Title.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        Axes
        """
        if "event_time" in self.table:
            return draw("event_study_plot", self.table, title=title, ax=ax)
        key = KEYS[self.meta["aggregation"]]
        named = self.table[key].astype("str") if key else pd.Series(["moyenne"])
        return draw("effect_forest", self.table.assign(method=named), title=title, ax=ax)

    @property
    def influence(self) -> pd.DataFrame:
        """Influence of each person on each row, then on ``overall``, scaled as in `AttGt`."""
        return self._influence()


def mean_sentences(table: pd.DataFrame) -> list[str]:
    """Say each average of an aggregation."""
    if "event_time" in table:
        return time_sentences(table)
    key = next((name for name in ("group", "wave") if name in table), None)
    lines = []
    for row in table.to_dict("records") if key else []:
        digits = decimals_of(row["se"])
        name = "Entrée" if key == "group" else "Vague"
        lines.append(
            f"{name} {row[key]} : {number_text(row['estimate'], digits)} "
            f"{interval_text(row['low'], row['high'], digits)}."
        )
    return lines


def means(
    kind: Kind, group: Floats, wave: Floats, att: Floats, treated: Floats
) -> tuple[list[float], list[Mean], Mean]:
    """Average cells.

    Parameters
    ----------
    kind : {"simple", "dynamic", "group", "calendar"}
        By what.
    group, wave, att : array of k
        The cells; those whose effect is missing are left out.
    treated : array of k
        Weight of the treated people compared in each cell.

    Returns
    -------
    tuple
        Keys, mean of each key, and overall mean; its value is missing when no cell is left.

    Notes
    -----
    Callaway and Sant'Anna (2021), section 3.2. Cells are weighted by the treated people compared in
    them: the size of the group when everyone is seen at every wave. ``"group"`` averages the waves
    of a group alike and then the groups by size; ``"dynamic"`` and ``"calendar"`` overall average
    alike the times since entry from 0 on, and the waves.
    """
    known = np.isfinite(att)
    after = known & (wave >= group)

    def by_size(chosen: Booleans) -> Mean:
        share = np.where(chosen, treated, 0.0)
        if not chosen.any():
            return _nothing(att)
        share = share / share.sum()
        value = float(share[chosen] @ att[chosen])
        people = np.where(chosen, att - value, 0.0) / treated[chosen].sum()
        return Mean(value, share, people)

    if kind == "simple":
        mean = by_size(after)
        return [np.nan], [mean], mean
    if kind == "dynamic":
        since = wave - group
        keys = np.unique(since[known])
        rows = [by_size(known & (since == key)) for key in keys]
        late = [row for key, row in zip(keys, rows, strict=True) if key >= 0]
        return keys.tolist(), rows, _alike(late, att)
    if kind == "calendar":
        keys = np.unique(wave[after])
        rows = [by_size(after & (wave == key)) for key in keys]
        return keys.tolist(), rows, _alike(rows, att)
    keys = np.unique(group[after])
    rows, sizes = [], []
    for key in keys:
        chosen = after & (group == key)
        alike = chosen / chosen.sum()
        rows.append(Mean(float(alike[chosen] @ att[chosen]), alike, np.zeros(len(att))))
        sizes.append(float(alike @ np.where(chosen, treated, 0.0)))
    return keys.tolist(), rows, _by_group(rows, np.array(sizes), att)


def _by_group(rows: list[Mean], sizes: Floats, att: Floats) -> Mean:
    if not rows:
        return _nothing(att)
    share = sizes / sizes.sum()
    value = float(share @ [row.value for row in rows])
    cells = np.add.reduce([s * row.cells for s, row in zip(share, rows, strict=True)])
    people = np.add.reduce([(row.value - value) * row.cells for row in rows]) / sizes.sum()
    return Mean(value, cells, people)


def _alike(rows: list[Mean], att: Floats) -> Mean:
    if not rows:
        return _nothing(att)
    return Mean(
        float(np.mean([row.value for row in rows])),
        np.mean([row.cells for row in rows], axis=0),
        np.mean([row.people for row in rows], axis=0),
    )


def _nothing(att: Floats) -> Mean:
    return Mean(np.nan, np.zeros(len(att)), np.zeros(len(att)))
