"""Statuses wave by wave, as stacked bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.plots import look

# Okabe and Ito (2008), told apart by colour-blind people; the state of the missing is pale grey.
COLOURS = ("#2c6fa6", "#e69f00", "#3f8f5b", "#c8641e", "#7b5ea7", "#56b4e9", "#b8860b", "#8a8f98")
_ABSENT, _MISSING = "#dfe3e8", "missing"
_WRITTEN = 6  # per cent under which a share is not written in its bar
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {"y": "Part des personnes (%)", "x": "Vague", "missing": "absent ou inconnu"},
    "en": {"y": "Share of people (%)", "x": "Wave", "missing": "absent or not known"},
}


def state_bars(
    distribution: pd.DataFrame,
    *,
    group: Any = None,
    labels: Mapping[Any, str] | None = None,
    title: str | None = None,
    wave_label: str | None = None,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of statuses at each wave.

    Parameters
    ----------
    distribution : DataFrame
        Result of `cohort.state_distribution`.
    group : optional
        Group to draw; needed when there are several: draw each in its own Axes.
    labels : mapping, optional
        Names of the states.
    title : str, optional
        Title.
    wave_label : str, optional
        Label of the horizontal axis.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        One bar per wave, states from the bottom in the order of the frame, with the number of
        people above; nothing at a wave without anybody.

    Raises
    ------
    BarometreError
        A frame that is no distribution, is empty, or has several groups and none chosen.
    """
    missing = {"wave", "state", "share", "n"} - set(distribution.columns)
    if missing or distribution.empty:
        raise BarometreError(
            f"distribution vide ou sans {', '.join(sorted(missing)) or 'ligne'} : donner le"
            " résultat de state_distribution"
        )
    words, rows = _WORDS[lang], _one_group(distribution, group)
    waves, states = list(rows["wave"].unique()), list(rows["state"].unique())
    shares = rows["share"].to_numpy(np.float64).reshape(len(waves), len(states))
    totals = rows["n"].to_numpy(np.float64).reshape(shares.shape).sum(axis=1)
    names = {_MISSING: words["missing"]} | dict(labels or {})
    if ax is None:
        width = min(3 + 0.75 * len(waves), 14)
        _, ax = plt.subplots(figsize=(width + 1.5, 4.6), layout="constrained")
    base, wide = np.zeros(len(waves)), 0.8
    for i, state in enumerate(states):
        heights = 100 * np.nan_to_num(shares[:, i])
        colour = _ABSENT if state == _MISSING else COLOURS[i % len(COLOURS)]
        ax.bar(range(len(waves)), heights, wide, bottom=base, color=colour, edgecolor="white",
               linewidth=0.6, label=str(names.get(state, state)))  # fmt: skip
        if len(waves) <= 15:
            _write(ax, base, heights, colour)
        base = base + heights
    _dress(ax, [_wave_name(wave) for wave in waves], totals, len(waves) <= 15, lang)
    ax.set_ylabel(words["y"], color=look.INK)
    ax.set_xlabel(wave_label or words["x"], color=look.INK)
    if title:
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold", color=look.INK, pad=18)
    handles, texts = ax.get_legend_handles_labels()
    # From top to bottom, as the bars are.
    ax.legend(handles[::-1], texts[::-1], loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False,
              fontsize=9)  # fmt: skip
    return ax


def _one_group(distribution: pd.DataFrame, group: Any) -> pd.DataFrame:
    if "group" not in distribution:
        if group is not None:
            raise BarometreError(f"distribution sans groupe : pas de « {group} »")
        return distribution
    known = list(distribution["group"].unique())
    chosen = known[0] if group is None and len(known) == 1 else group
    rows: pd.DataFrame = distribution[distribution["group"] == chosen]
    if rows.empty:
        raise BarometreError(
            f"choisir un groupe (group=) parmi {', '.join(map(str, known))}, un par graphique"
        )
    return rows


def _wave_name(wave: Any) -> str:
    """Write a wave: a date without its time, a number without needless digits."""
    if isinstance(wave, pd.Timestamp):
        return str(wave.date())
    return f"{wave:g}" if isinstance(wave, float) else str(wave)


def _write(ax: Axes, base: Any, heights: Any, colour: str) -> None:
    red, green, blue = to_rgb(colour)
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.6
    for x, (start, height) in enumerate(zip(base, heights, strict=True)):
        if height >= _WRITTEN:
            ax.text(x, start + height / 2, format_number(height, 0), ha="center", va="center",
                    fontsize=8.5, color="white" if dark else look.INK)  # fmt: skip


def _dress(ax: Axes, waves: list[str], totals: Any, roomy: bool, lang: Lang) -> None:
    every = -(-len(waves) // 15)  # at most 15 names fit
    ax.set_xticks(range(0, len(waves), every), waves[::every])
    if roomy:
        for x, total in enumerate(totals):
            ax.text(
                x,
                101,
                f"n = {format_number(total, 0, lang)}",
                ha="center",
                va="bottom",
                fontsize=8,
                color=look.SOFT,
            )
    ax.set_ylim(0, 100)
    ax.set_xlim(-0.6, len(waves) - 0.4)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="both", length=0, labelsize=9)
