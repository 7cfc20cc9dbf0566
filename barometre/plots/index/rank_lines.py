"""The rank of each territory with its interval, those that are level with one another shaded."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from barometre.base.errors import BarometreError
from barometre.base.frames import check_frame
from barometre.base.french import Lang, format_number
from barometre.composite.robust.robust_scores import Robustness
from barometre.plots import look

_SHADE = "#e8edf3"
_NEEDED = ("rang", "rang_median", "rang_min", "rang_max", "groupe")
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "Rangs et leur intervalle",
        "x": "Rang (1 : le plus favorable)",
        "rank": "rang avec les choix déclarés",
        "median": "rang médian",
        "interval": "intervalle à {level} % des réplications",
        "plain": "intervalle de rang",
        "level": "statistiquement à égalité",
    },
    "en": {
        "title": "Ranks and their interval",
        "x": "Rank (1: the most favourable)",
        "rank": "rank with the choices as declared",
        "median": "median rank",
        "interval": "interval of {level}% of the replications",
        "plain": "rank interval",
        "level": "statistically level",
    },
}


def rank_intervals(
    result: Robustness | pd.DataFrame,
    *,
    territories: Sequence[Hashable] | None = None,
    labels: pd.Series[str] | None = None,
    title: str | None = None,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Draw the rank of each territory with its interval.

    Parameters
    ----------
    result : Robustness or DataFrame
        Result of `composite.robustness`, or its ``ranks``.
    territories : sequence of labels, optional
        Those to draw; by default all that have a rank.
    labels : Series of str, optional
        Names by code.
    title : str, optional
        Title.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure of fitting height by default.

    Returns
    -------
    Axes
        The best at the top; a dot for the rank, a bar for its interval, a tick for the median rank.
        Groups of at least two territories "statistiquement à égalité" are shaded.

    Raises
    ------
    BarometreError
        A frame that has no rank intervals, no territory to draw, or one that is not there.
    """
    table = result.ranks if isinstance(result, Robustness) else result
    check_frame(table, "rangs refusés", _NEEDED, remedy="donner le résultat de robustness")
    if territories is not None:
        if lost := [str(code) for code in territories if code not in table.index]:
            raise BarometreError(f"territoires absents des rangs : {', '.join(lost)}")
        table = table.loc[list(territories)]
    rows = table[table["rang"].notna()].sort_values("rang", kind="stable")
    if rows.empty:
        raise BarometreError("aucun territoire classé à dessiner")
    words = _WORDS[lang]
    interval = words["plain"]
    if isinstance(result, Robustness):
        level = format_number(100 * result.meta["level"], 0, lang)
        interval = words["interval"].format(level=level)
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 1.8 + 0.28 * len(rows)), layout="constrained")
    _shade(ax, rows["groupe"].to_numpy(np.int64), words["level"])
    _draw(ax, rows, words | {"interval": interval})
    ax.set_yticks(range(len(rows)), look.names_of(rows.index, labels))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_title(
        title or words["title"], loc="left", fontsize=12, fontweight="bold", color=look.INK
    )
    return ax


def _shade(ax: Axes, groups: np.ndarray, name: str) -> None:
    """Shade the runs of at least two rows of one group."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    ends = np.append(starts[1:], len(groups))
    wide = [(start, end) for start, end in zip(starts, ends, strict=True) if end - start > 1]
    for i, (start, end) in enumerate(wide):
        ax.axhspan(
            start - 0.44, end - 0.56, color=_SHADE, linewidth=0, zorder=0,
            label=name if i == 0 else None,
        )  # fmt: skip


def _draw(ax: Axes, rows: pd.DataFrame, words: dict[str, str]) -> None:
    rank, median, low, high = (
        rows[name].to_numpy(np.float64, na_value=np.nan)
        for name in ("rang", "rang_median", "rang_min", "rang_max")
    )
    y = np.arange(len(rows))
    ax.hlines(y, low, high, color=look.NEUTRAL, linewidth=5, alpha=0.55, label=words["interval"])
    ax.plot(median, y, "|", color=look.INK, markersize=9, label=words["median"], zorder=3)
    ax.plot(rank, y, "o", color=look.FAVOURABLE, markersize=5.5, label=words["rank"], zorder=4)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel(words["x"], color=look.INK)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.grid(axis="x", color="#e5e7eb", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(axis="both", length=0, labelsize=9)
    ax.legend(
        loc="upper left", bbox_to_anchor=(0, -0.16 if len(rows) < 12 else -0.09), ncols=2,
        frameon=False, fontsize=9, borderaxespad=0,
    )  # fmt: skip
