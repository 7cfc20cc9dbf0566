"""Survival and incidence curves: steps, their intervals, how many people are still at risk."""

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

# Blue, orange, green and purple differ in lightness too; the dashes tell them apart in grey.
COLOURS = (look.FAVOURABLE, look.UNFAVOURABLE, "#3f8f5b", "#7b5ea7", "#22262b", "#b8860b")
_DASHES = ("-", "--", "-.", ":")
_LEFT = -26.0  # of the axis, in points: clear of the first number
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "survival": "Part sans l'événement (%)",
        "cif": "Part ayant eu l'événement (%)",
        "time": "Durée",
        "at_risk": "À risque",
        "all": "Ensemble",
        "cause": "cause",
        "late": "Entrées différées : effectif à la sortie suivante",
    },
    "en": {
        "survival": "Share without the event (%)",
        "cif": "Share with the event (%)",
        "time": "Time",
        "at_risk": "At risk",
        "all": "All",
        "cause": "cause",
        "late": "Delayed entries: number at the next exit",
    },
}


def survival_curves(
    curve: pd.DataFrame,
    *,
    labels: Mapping[Any, str] | None = None,
    title: str | None = None,
    time_label: str | None = None,
    at_risk: bool = True,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Draw the curves of `kaplan_meier` or `cumulative_incidence`.

    Parameters
    ----------
    curve : DataFrame
        Result of `cohort.kaplan_meier` or of `cohort.cumulative_incidence`.
    labels : mapping, optional
        Names of the groups, or of the causes when there is no group.
    title : str, optional
        Title.
    time_label : str, optional
        Unit of the durations: ``"Mois depuis l'entrée"``.
    at_risk : bool, default True
        Write under the axis how many people are at risk at each mark; they are rounded when they
        are sums of weights.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        Steps in per cent, the interval shaded where it exists, one colour and dash per curve.

    Raises
    ------
    BarometreError
        A frame that is no curve, or is empty.
    """
    value = "cif" if "cif" in curve else "survival"
    missing = {"time", value, "low", "high", "n_risk"} - set(curve.columns)
    if missing or curve.empty:
        raise BarometreError(
            f"courbe vide ou sans {', '.join(sorted(missing)) or 'ligne'} : donner le résultat de"
            " kaplan_meier ou de cumulative_incidence"
        )
    words = _WORDS[lang]
    parts = _series(curve, labels or {}, words)
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
    for i, (name, part) in enumerate(parts):
        _draw(ax, name, part, value, COLOURS[i % len(COLOURS)], _DASHES[i % len(_DASHES)])
    ax.set_ylim(0, 102)
    ax.set_xlim(0, float(curve["time"].max()) or 1)
    ax.set_ylabel(words[value], color=look.INK)
    ax.set_xlabel(time_label or words["time"], color=look.INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    ax.set_axisbelow(True)
    if title:
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold", color=look.INK)
    if len(parts) > 1:
        ax.legend(frameon=False, fontsize=9, handlelength=2.6)
    if at_risk:
        # Those at risk of one cause are at risk of the others: one line per group, not per curve.
        same = "cause" in curve and len(parts) > 1
        groups = _series(curve.drop(columns="cause"), labels or {}, words) if same else parts
        rows = [
            (name, look.INK if same else COLOURS[i % len(COLOURS)], part)
            for i, (name, part) in enumerate(groups)
        ]
        _count(ax, rows, lang)
    return ax


def _series(
    curve: pd.DataFrame, labels: Mapping[Any, str], words: Mapping[str, str]
) -> list[tuple[str, pd.DataFrame]]:
    """Cut the curves apart, in the order of the frame, each with its name."""
    keys = [name for name in ("group", "cause") if name in curve]
    if keys == ["group", "cause"] and len(curve["cause"].unique()) == 1:
        keys = ["group"]
    if not keys:
        return [(words["all"], curve)]
    named = []
    for found, part in curve.groupby(keys, sort=False, observed=True):
        first, *others = found if isinstance(found, tuple) else (found,)
        default = f"{words['cause']} {first}" if keys == ["cause"] else str(first)
        name = str(labels.get(first, default))
        named.append((", ".join([name, *(f"{words['cause']} {c}" for c in others)]), part))
    return named


def _draw(ax: Axes, name: str, part: pd.DataFrame, value: str, colour: str, dash: str) -> None:
    start = 0.0 if value == "cif" else 1.0

    def steps(column: str) -> Any:
        return 100 * np.append(start, part[column].to_numpy(np.float64))

    time = np.append(0.0, part["time"].to_numpy(np.float64))
    ax.fill_between(
        time, steps("low"), steps("high"), step="post", color=colour, alpha=0.15, linewidth=0
    )
    ax.step(
        time, steps(value), where="post", color=colour, linestyle=dash, linewidth=1.8, label=name
    )


def _count(ax: Axes, rows: list[tuple[str, str, pd.DataFrame]], lang: Lang) -> None:
    """Write the numbers at risk under the axis, at its marks: name, colour and curve of a line."""
    words = _WORDS[lang]
    low, high = ax.get_xlim()
    marks = [mark for mark in ax.get_xticks() if low <= mark <= high]
    ax.set_xticks(marks)
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8.5, "va": "top"}
    top = -38.0
    ax.annotate(words["at_risk"], (0, 0), xytext=(_LEFT, top), xycoords="axes fraction", ha="right",
                color=look.SOFT, **style)  # fmt: skip
    for i, (name, colour, part) in enumerate(rows):
        y = top - 13 * (i + 1)
        ax.annotate(name, (0, 0), xytext=(_LEFT, y), xycoords="axes fraction", ha="right",
                    color=colour, **style)  # fmt: skip
        for mark in marks:
            number = format_number(number_at_risk(part, mark), 0, lang)
            ax.annotate(number, (mark, 0), xytext=(0, y),
                        xycoords=("data", "axes fraction"), ha="center", color=look.INK,
                        **style)  # fmt: skip
    if any(_has_late_entries(part) for _, _, part in rows):
        ax.annotate(words["late"], (0, 0), xytext=(0, top - 13 * (len(rows) + 1)),
                    xycoords="axes fraction", color=look.SOFT, **style)  # fmt: skip


def number_at_risk(part: pd.DataFrame, time: float) -> float:
    """Return how many people are at risk at a time: those of the next exit, 0 after the last."""
    times, numbers = part["time"].to_numpy(np.float64), part["n_risk"].to_numpy(np.float64)
    after = times >= time
    return float(numbers[after][times[after].argmin()]) if after.any() else 0.0


def _has_late_entries(part: pd.DataFrame) -> bool:
    """Tell whether the numbers at risk go up: someone entered between two exits."""
    risk = part.drop_duplicates("time")["n_risk"].to_numpy(np.float64)
    return bool((np.diff(risk) > 1e-9 * risk[:-1]).any())
