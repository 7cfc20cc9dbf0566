"""Estimates of one effect by several methods, one line each, against what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.plots import look

_COLUMNS = ("estimate", "low", "high")
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "x": "Effet estimé",
        "truth": "effet vrai : ",
        "caught": "Bleu : l'intervalle contient l'effet vrai ; orange : il le manque",
        "bounds": "Trait sans point : bornes",
        "between": " ; ",
    },
    "en": {
        "x": "Estimated effect",
        "truth": "true effect: ",
        "caught": "Blue: the interval holds the true effect; orange: it misses it",
        "bounds": "Line without a dot: bounds",
        "between": ", ",
    },
}


def effect_forest(
    effects: pd.DataFrame | Mapping[str, Any],
    *,
    truth: float | None = None,
    title: str | None = None,
    label: str | None = None,
    decimals: int = 0,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates and their intervals, one line per method.

    Parameters
    ----------
    effects : DataFrame or mapping
        ``method, estimate, low, high``, and ``group`` for headings; or a mapping of the method to
        what has these attributes, such as an `Estimate`. Without an estimate the line is a pair of
        bounds.
    truth : float, optional
        The true effect, when it is known: a vertical line. The colour then says which intervals
        hold it.
    title : str, optional
        Title.
    label : str, optional
        Label of the horizontal axis, with the unit.
    decimals : int, default 0
        Decimals of the figures written on the right.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure of fitting height by default.

    Returns
    -------
    Axes
        From top to bottom in the order received. A method without estimate nor bounds keeps its
        line, empty.

    Raises
    ------
    BarometreError
        Columns that are absent, nothing to draw.
    """
    rows, words = _rows(effects), _WORDS[lang]
    places, headings = _places(rows)
    if ax is None:
        _, ax = plt.subplots(figsize=(9, 1.4 + 0.36 * (max(places) + 1)), layout="constrained")
    values = rows[list(_COLUMNS)].to_numpy(np.float64)
    ax.axvline(0, color=look.SOFT, linewidth=0.8, zorder=1)
    if truth is not None:
        ax.axvline(truth, color=look.INK, linewidth=1.4, linestyle="--", zorder=1)
        ax.annotate(words["truth"] + format_number(truth, decimals, lang), (truth, 1),
                    xytext=(0, 3), xycoords=("data", "axes fraction"), ha="center",
                    textcoords="offset points", fontsize=9, color=look.INK)  # fmt: skip
    for y, line in zip(places, values, strict=True):
        _draw(ax, y, line, truth, decimals, lang)
    ticks = sorted([*zip(places, rows["method"], strict=True), *headings])
    ax.set_yticks([y for y, _ in ticks], [str(name) for _, name in ticks])
    heads = {y for y, _ in headings}
    for (y, _), text in zip(ticks, ax.get_yticklabels(), strict=True):
        text.set(fontweight="bold" if y in heads else "normal", color=look.INK, fontsize=9.5)
    ax.set_ylim(max(places) + 0.6, min(*places, *heads, 0) - 0.6)
    ax.set_xlabel(label or words["x"], color=look.INK)
    notes = [words["caught"]] if truth is not None else []
    if (np.isnan(values[:, 0]) & ~np.isnan(values[:, 1])).any():
        notes.append(words["bounds"])
    if notes:
        ax.annotate("\n".join(notes), (0, 0), xytext=(0, -36), xycoords="axes fraction",
                    textcoords="offset points", va="top", fontsize=8, color=look.SOFT)  # fmt: skip
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#e5e7eb", linewidth=0.8)
    ax.set_axisbelow(True)
    if title:
        above = 22 if truth is not None else 8
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold", color=look.INK, pad=above)
    return ax


def _rows(effects: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
    if not isinstance(effects, pd.DataFrame):
        effects = pd.DataFrame(
            [
                {"method": name, **{key: getattr(effect, key) for key in _COLUMNS}}
                for name, effect in effects.items()
            ],
            columns=["method", *_COLUMNS],
        )
    missing = {"method", *_COLUMNS} - set(effects.columns)
    if missing or effects.empty:
        raise BarometreError(
            f"effets vides ou sans {', '.join(sorted(missing)) or 'ligne'} : donner method,"
            " estimate, low et high, une ligne par méthode"
        )
    return effects


def _places(rows: pd.DataFrame) -> tuple[list[float], list[tuple[float, str]]]:
    """Place the lines from 0 downwards, and a heading above the first line of each group."""
    if "group" not in rows:
        return [float(y) for y in range(len(rows))], []
    places, headings, y = [], [], 0.0
    before: Any = None
    for name in rows["group"]:
        if name != before:
            headings.append((y, str(name)))
            y, before = y + 1, name
        places.append(y)
        y += 1
    return places, headings


def _draw(ax: Axes, y: float, line: Any, truth: float | None, decimals: int, lang: Lang) -> None:
    estimate, low, high = line
    colour = look.INK
    if truth is not None and not np.isnan(low + high):
        colour = look.FAVOURABLE if low <= truth <= high else look.UNFAVOURABLE
    ends = 0.12
    ax.hlines(y, low, high, color=colour, linewidth=2, zorder=3)
    ax.vlines([low, high], y - ends, y + ends, color=colour, linewidth=2, zorder=3)
    ax.plot(estimate, y, "o", color=colour, markersize=6.5, zorder=4)
    known = [format_number(v, decimals, lang) for v in (low, high) if not np.isnan(v)]
    text = "" if np.isnan(estimate) else format_number(estimate, decimals, lang)
    if len(known) == 2:
        text += f" [{_WORDS[lang]['between'].join(known)}]"
    ax.annotate(text.strip(), (1.01, y), xycoords=("axes fraction", "data"), va="center",
                fontsize=9, color=look.INK, annotation_clip=False)  # fmt: skip
