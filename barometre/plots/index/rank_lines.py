"""The rank of each territory with its interval, those that are level with one another shaded."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from barometre.base.errors import BarometreError
from barometre.base.frames import check_frame
from barometre.base.french import Lang, format_number
from barometre.cards.listing import indicator_card
from barometre.composite.robust.robust_scores import Robustness
from barometre.plots.look.colours import FAVOURABLE, INK, NEUTRAL
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import row_names, scale
from barometre.plots.look.rows import source_line
from barometre.plots.look.sheet import Sheet, Signed, house

_SHADE = "#e8edf3"
_OF_RANK = ("code", "annee", "indicateur", "rang", "rang_min", "rang_max")
_NEEDED = ("rang", "rang_median", "rang_min", "rang_max", "groupe")
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "Rangs et leur intervalle",
        "x": "Rang (1 : le plus favorable)",
        "rank": "rang",
        "without": "Sans rang : {n}.",
        "none": "Sans intervalle de rang.",
        "median": "rang médian",
        "interval": "intervalle à {level} % des réplications",
        "plain": "intervalle de rang",
        "level": "statistiquement à égalité",
    },
    "en": {
        "title": "Ranks and their interval",
        "x": "Rank (1: the most favourable)",
        "rank": "rank",
        "without": "Without a rank: {n}.",
        "none": "Without a rank interval.",
        "median": "median rank",
        "interval": "interval of {level}% of the replications",
        "plain": "rank interval",
        "level": "statistically level",
    },
}


@house
def rank_intervals(
    result: Robustness | pd.DataFrame,
    *,
    territories: Sequence[Hashable] | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw the rank of each territory with its interval.

    Parameters
    ----------
    result : Robustness or DataFrame
        Result of `composite.robustness` or its ``ranks``, or what `rank` returns for one
        indicator and one year.
    territories : sequence of labels, optional
        Those to draw; by default all that have a rank.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        The best at the top; a dot for the rank, a bar for its interval, a tick for the median rank.
        Groups of at least two territories "statistiquement à égalité" are shaded.

    Raises
    ------
    BarometreError
        A frame that has no ranks, several rankings, no territory to draw, or one that is not there.
    """
    table = _ranks(result)
    if territories is not None:
        if lost := [str(code) for code in territories if code not in table.index]:
            raise BarometreError(f"territoires absents des rangs : {', '.join(lost)}")
        table = table.loc[list(territories)]
    rows = table[table["rang"].notna()].sort_values("rang", kind="stable")
    if rows.empty:
        raise BarometreError("aucun territoire classé à dessiner")
    sheet = Sheet(signed, rows=len(rows), pitch=1.8)
    lang, words, names = sheet.lang, _WORDS[sheet.lang], sheet.names(rows.index)
    interval = words["plain"]
    if isinstance(result, Robustness):
        level = format_number(100 * result.meta["level"], 0, lang)
        interval = words["interval"].format(level=level)
    ends = float(rows[["rang", "rang_max"]].max().max())
    for ax, part in sheet.slices(len(rows)):
        groups = rows["groupe"].iloc[part]
        _shade(ax, groups.fillna(-1).to_numpy(np.int64))
        _draw(sheet, ax, rows.iloc[part])
        row_names(sheet, ax, names[part])
        ax.set_xlim(0.4, ends + 0.6)
    absent = len(table) - len(rows)
    notes = [words["without"].format(n=absent)] if absent else []
    if rows["rang_min"].isna().all():
        notes.append(words["none"])
    title, source = words["title"], ""
    if "indicateur" in table:
        card, year = indicator_card(str(table["indicateur"].iloc[0])), int(table["annee"].iloc[0])
        title, source = f"{card.libelle[lang]}, {year}", source_line(card, [year])

    def sentences(lang: Lang) -> list[str]:
        return _sentences(rows, names, lang)

    keep(sheet.axes, Equivalent(lang, sentences, rows))
    return sheet.finish(
        title=title, subtitle=words["x"], source=source, notes=notes,
        legend=_legend(rows, words | {"interval": interval}),
    )  # fmt: skip


def _ranks(result: Robustness | pd.DataFrame) -> pd.DataFrame:
    """Take ranks by code: of `robustness`, or of `rank` for one indicator and one year."""
    table = result.ranks if isinstance(result, Robustness) else result
    if not isinstance(table, pd.DataFrame) or "indicateur" not in table:
        check_frame(table, "rangs refusés", _NEEDED, remedy="donner le résultat de robustness")
        return table
    check_frame(table, "rangs refusés", _OF_RANK, remedy="donner le résultat de rank")
    rankings = table[["annee", "indicateur"]].drop_duplicates()
    if len(rankings) > 1:
        raise BarometreError(
            f"rangs refusés : {len(rankings)} classements mêlés (indicateurs ou années) ; garder un"
            " indicateur et une année"
        )
    return table.set_index("code").assign(rang_median=np.nan, groupe=np.nan)


def _sentences(rows: pd.DataFrame, names: Sequence[str], lang: Lang) -> list[str]:
    def told(i: int) -> str:
        low, high, rank = (rows[c].iloc[i] for c in ("rang_min", "rang_max", "rang"))
        text = f"{names[i]} {format_number(float(rank), None, lang)}"
        if np.isnan(low):
            return text
        ends = [format_number(float(v), None, lang) for v in (low, high)]
        return f"{text} [{(' ; ' if lang == 'fr' else ', ').join(ends)}]"

    colon = " : " if lang == "fr" else ": "
    return [_WORDS[lang]["title"] + colon + ", ".join(told(i) for i in range(len(rows))) + "."]


def _shade(ax: Axes, groups: np.ndarray) -> None:
    """Shade the runs of at least two rows of one group."""
    starts = np.flatnonzero(np.diff(groups, prepend=-2))
    ends = np.append(starts[1:], len(groups))
    for start, end in zip(starts, ends, strict=True):
        if end - start > 1 and groups[start] >= 0:
            ax.axhspan(start - 0.44, end - 0.56, color=_SHADE, linewidth=0, zorder=0)


def _draw(sheet: Sheet, ax: Axes, rows: pd.DataFrame) -> None:
    rank, median, low, high = (
        rows[name].to_numpy(np.float64, na_value=np.nan)
        for name in ("rang", "rang_median", "rang_min", "rang_max")
    )
    y = np.arange(len(rows))
    ax.hlines(y, low, high, color=NEUTRAL, linewidth=0.45 * sheet.text, alpha=0.55)
    ax.plot(median, y, "|", color=INK, markersize=0.9 * sheet.text, zorder=3)
    ax.plot(rank, y, "o", color=FAVOURABLE, markersize=0.6 * sheet.text, zorder=4)
    scale(sheet, ax)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, min_n_ticks=1))


def _legend(rows: pd.DataFrame, words: dict[str, str]) -> list[tuple[Artist, str]]:
    dot = Line2D([], [], marker="o", linestyle="none", color=FAVOURABLE, markersize=6)
    entries: list[tuple[Artist, str]] = [(dot, words["rank"])]
    if rows["rang_median"].notna().any():
        tick = Line2D([], [], marker="|", linestyle="none", color=INK, markersize=9)
        entries.append((tick, words["median"]))
    if rows["rang_min"].notna().any():
        entries.append((Line2D([], [], color=NEUTRAL, linewidth=5, alpha=0.55), words["interval"]))
    known = rows["groupe"].dropna()
    if known.duplicated().any():
        entries.append((Patch(color=_SHADE), words["level"]))
    return entries
