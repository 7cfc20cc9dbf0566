"""The effect by time since treatment, and what happened before it."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.plots import look

_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "y": "Effet estimé",
        "x": "Vagues depuis l'entrée (0 : vague d'entrée)",
        "before": "avant l'entrée",
        "after": "après l'entrée",
        "truth": "effet vrai : ",
    },
    "en": {
        "y": "Estimated effect",
        "x": "Waves since entry (0: wave of entry)",
        "before": "before entry",
        "after": "after entry",
        "truth": "true effect: ",
    },
}


def event_study_plot(
    table: pd.DataFrame,
    *,
    truth: float | None = None,
    title: str | None = None,
    label: str | None = None,
    time_label: str | None = None,
    decimals: int = 0,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Draw effects by event time, with their intervals.

    Parameters
    ----------
    table : DataFrame
        ``event_time``, ``estimate``, ``low``, ``high``: the table of
        ``att_gt(...).aggregate("dynamic")`` or of an event study.
    truth : float, optional
        The true effect from entry on, when it is known.
    title : str, optional
        Title.
    label, time_label : str, optional
        Labels of the axes, with the units.
    decimals : int, default 0
        Decimals of the effects written above the points.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        Grey points before entry, which should be near 0 if trends are parallel, blue ones after.
        Intervals are those of the table, point by point; a base without error is a point alone.

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
    words = _WORDS[lang]
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
    time, effect, low, high = (
        table[name].to_numpy(np.float64) for name in ("event_time", "estimate", "low", "high")
    )
    ax.axhline(0, color=look.SOFT, linewidth=0.8, zorder=1)
    ax.axvline(-0.5, color=look.SOFT, linewidth=1, linestyle=":", zorder=1)
    end = max(time.max(), 0) + 0.5
    if truth is not None:
        ax.hlines(truth, -0.5, end, color=look.INK, linewidth=1.4, linestyle="--", zorder=2,
                  label=words["truth"] + format_number(truth, decimals, lang))  # fmt: skip
    for here, colour, mark, name in (
        (time < 0, look.NEUTRAL, "s", words["before"]),
        (time >= 0, look.FAVOURABLE, "o", words["after"]),
    ):
        ax.vlines(time[here], low[here], high[here], color=colour, linewidth=2, zorder=3)
        ax.plot(time[here], effect[here], mark, color=colour, markersize=6.5, zorder=4, label=name)
    for x, y in zip(time, effect, strict=True):
        if not np.isnan(y):
            ax.annotate(format_number(y, decimals, lang), (x, y), xytext=(7, 0), va="center",
                        textcoords="offset points", fontsize=8.5, color=look.INK, zorder=5,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip
    ax.set_xticks(
        np.unique(time), [format_number(t, None, lang, signed=True) for t in np.unique(time)]
    )
    ax.set_xlim(time.min() - 0.5, end)
    ax.set_ylabel(label or words["y"], color=look.INK)
    ax.set_xlabel(time_label or words["x"], color=look.INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    if title:
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold", color=look.INK)
    return ax
