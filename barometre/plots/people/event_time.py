"""The effect by time since treatment, and what happened before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.plots.look.colours import FAVOURABLE, GRID, INK, NEUTRAL, SOFT
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.sheet import Sheet, Signed, house

_WRITTEN = 15  # times beyond which effects are not written beside their point
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "y": "Effet estimé",
        "x": "Vagues depuis l'entrée (0 : vague d'entrée)",
        "before": "avant l'entrée",
        "after": "après l'entrée",
        "truth": "effet vrai : ",
        "base": "vague de référence (0 par construction)",
        "title": "Effet selon le temps écoulé depuis l'entrée",
        "band": "Traits : intervalles de confiance, point par point.",
    },
    "en": {
        "y": "Estimated effect",
        "x": "Waves since entry (0: wave of entry)",
        "before": "before entry",
        "after": "after entry",
        "truth": "true effect: ",
        "base": "base wave (0 by construction)",
        "title": "Effect by time since entry",
        "band": "Lines: confidence intervals, point by point.",
    },
}


@house
def event_study_plot(
    table: pd.DataFrame,
    *,
    truth: float | None = None,
    label: str | None = None,
    time_label: str | None = None,
    decimals: int = 0,
    base: float | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw effects by event time, with their intervals.

    Parameters
    ----------
    table : DataFrame
        ``event_time``, ``estimate``, ``low``, ``high``: the table of
        ``att_gt(...).aggregate("dynamic")`` or of an event study.
    truth : float, optional
        The true effect from entry on, when it is known.
    label, time_label : str, optional
        Labels of the axes, with the units.
    decimals : int, default 0
        Decimals of the effects written above the points.
    base : float, optional
        Event time that the others are compared with, when the table has no row for it; by default
        -1 where the table has times before and after and none at -1.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Grey points before entry, which should be near 0 if trends are parallel, blue ones after.
        Intervals are those of the table, point by point; the base, 0 by
        construction, is a hollow point.

    Raises
    ------
    BarometreError
        Columns that are absent, an empty table.
    """
    missing = {"event_time", "estimate", "low", "high"} - set(table.columns)
    if missing or table.empty:
        raise BarometreError(
            f"effets vides ou sans {', '.join(sorted(missing)) or 'ligne'} : donner la table de"
            ' aggregate("dynamic") ou de event_study'
        )
    sheet = Sheet(signed, aspect=0.52)
    ax, lang = sheet.axes[0], sheet.lang
    words, rows = _WORDS[lang], _with_base(table, base)
    time, effect = (rows[name].to_numpy(np.float64) for name in ("event_time", "estimate"))
    ax.axhline(0, color=SOFT, linewidth=0.8, zorder=1)
    ax.axvline(-0.5, color=SOFT, linewidth=1, linestyle=":", zorder=1)
    end = max(time.max(), 0) + 0.5
    legend: list[tuple[Artist, str]] = []
    if truth is not None:
        line = ax.hlines(truth, -0.5, end, color=INK, linewidth=1.4, linestyle="--", zorder=2)
        legend.append((line, words["truth"] + format_number(truth, decimals, lang)))
    legend += _points(ax, rows, words)
    for x, y in zip(time, effect, strict=True):
        if not np.isnan(y) and len(time) <= _WRITTEN:
            ax.annotate(format_number(y, decimals, lang), (x, y), xytext=(9, 0), va="center",
                        textcoords="offset points", fontsize=sheet.small, color=INK, zorder=5,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip
    marks = np.unique(time)
    every = -(-len(marks) // 12)
    ax.set_xticks(
        marks[::every], [format_number(t, None, lang, signed=True) for t in marks[::every]]
    )
    ax.set_xlim(time.min() - 0.5, end)
    ax.set_ylabel(label or words["y"], fontsize=sheet.small)
    ax.set_xlabel(time_label or words["x"], fontsize=sheet.small)
    ax.yaxis.set_major_formatter(lambda v, _: format_number(v, None, lang))
    ax.tick_params(axis="both", length=0, labelsize=sheet.small)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.spines[:].set_visible(False)

    def sentences(lang: Lang) -> list[str]:
        return _sentences(rows, decimals, lang)

    keep(sheet.axes, Equivalent(lang, sentences, rows))
    return sheet.finish(
        title=words["title"], subtitle=label or "", notes=[words["band"]], legend=legend
    )


def _with_base(table: pd.DataFrame, base: float | None) -> pd.DataFrame:
    """Add the row of the base, 0 by construction, to a table that leaves it out."""
    rows = table[["event_time", "estimate", "low", "high"]].astype("float64")
    times = set(rows["event_time"])
    if base is None and min(times) < -1 < max(times):
        base = -1.0
    rows = rows.assign(base=(rows["estimate"] == 0) & rows["low"].isna())
    if base is None or base in times:
        return rows
    added = pd.DataFrame(
        {"event_time": [base], "estimate": [0.0], "low": [np.nan], "high": [np.nan], "base": [True]}
    )
    return pd.concat([rows, added]).sort_values("event_time", kind="stable", ignore_index=True)


def _points(ax: Axes, rows: pd.DataFrame, words: Mapping[str, str]) -> list[tuple[Artist, str]]:
    """Draw the effects: squares before entry, dots after, the base hollow."""
    drawn: list[tuple[Artist, str]] = []
    time, base = rows["event_time"].to_numpy(), rows["base"].to_numpy(bool)
    for chosen, colour, mark, fill, key in (
        ((time < 0) & ~base, NEUTRAL, "s", NEUTRAL, "before"),
        ((time >= 0) & ~base, FAVOURABLE, "o", FAVOURABLE, "after"),
        (base, INK, "D", "white", "base"),
    ):
        part = rows[chosen]
        if part.empty:
            continue
        ax.vlines(part["event_time"], part["low"], part["high"], color=colour, linewidth=2,
                  zorder=3)  # fmt: skip
        (points,) = ax.plot(part["event_time"], part["estimate"], mark, color=colour,
                            markerfacecolor=fill, markersize=6.5, zorder=4,
                            label=words[key])  # fmt: skip
        drawn.append((points, words[key]))
    return drawn


def _sentences(rows: pd.DataFrame, decimals: int, lang: Lang) -> list[str]:
    words, said = _WORDS[lang], []
    columns = rows[["event_time", "estimate", "low", "high"]].to_numpy(np.float64)
    for when, estimate, low, high in columns:
        text = format_number(estimate, decimals, lang)
        if not np.isnan(low):
            ends = [format_number(v, decimals, lang) for v in (low, high)]
            text += f" [{(' ; ' if lang == 'fr' else ', ').join(ends)}]"
        time = format_number(when, None, lang, signed=True)
        said.append(f"{time}{' : ' if lang == 'fr' else ': '}{text}")
    return [words["title"] + ".", ("; " if lang == "en" else " ; ").join(said) + "."]
