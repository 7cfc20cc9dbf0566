"""Survival and incidence curves: steps, their intervals, how many people are still at risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.plots.look.colours import GRID, INK, SOFT, categories, luminance
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.naming import names_by_code
from barometre.plots.look.sheet import Sheet, Signed, house

_DASHES = ("-", "--", "-.", ":")
_DARK = 0.22  # luminance under which a text on white has the contrast it needs (4,5)
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "survival": "Part sans l'événement (%)",
        "cif": "Part ayant eu l'événement (%)",
        "time": "Durée, dans l'unité des données",
        "title_survival": "Part de ceux qui n'ont pas encore eu l'événement",
        "title_cif": "Part de ceux qui ont eu l'événement",
        "band": "Bande : intervalle de confiance.",
        "say": "{name} : {share} % à la durée {time}.",
        "at_risk": "À risque",
        "all": "Ensemble",
        "cause": "cause",
        "late": "Entrées différées : effectif à la sortie suivante",
    },
    "en": {
        "survival": "Share without the event (%)",
        "cif": "Share with the event (%)",
        "time": "Time, in the unit of the data",
        "title_survival": "Share of those without the event so far",
        "title_cif": "Share of those who had the event",
        "band": "Band: confidence interval.",
        "say": "{name}: {share}% at time {time}.",
        "at_risk": "At risk",
        "all": "All",
        "cause": "cause",
        "late": "Delayed entries: number at the next exit",
    },
}


@house
def survival_curves(
    curve: pd.DataFrame,
    *,
    time_label: str | None = None,
    at_risk: bool = True,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw the curves of `kaplan_meier` or `cumulative_incidence`.

    Parameters
    ----------
    curve : DataFrame
        Result of `cohort.kaplan_meier` or of `cohort.cumulative_incidence`.
    time_label : str, optional
        Unit of the durations: ``"Mois depuis l'entrée"``.
    at_risk : bool, default True
        Write under the axis how many people are at risk at each mark; they are rounded when they
        are sums of weights.
    **signed
        Title, source, size...: see `Signed`; ``labels`` are the names of the groups, or of the
        causes when there is no group.

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
    sheet = Sheet(signed, aspect=0.52)
    ax, lang = sheet.axes[0], sheet.lang
    words = _WORDS[lang]
    labels = names_by_code(signed.get("labels"))
    parts = _series(curve, labels, words)
    colours = categories(len(parts))
    lines = [
        _draw(ax, name, part, value, colours[i], _DASHES[i % len(_DASHES)])
        for i, (name, part) in enumerate(parts)
    ]
    _axes(sheet, ax, curve, words[value], time_label or words["time"])
    if at_risk:
        # Those at risk of one cause are at risk of the others: one line per group, not per curve.
        same = "cause" in curve and len(parts) > 1
        groups = _series(curve.drop(columns="cause"), labels, words) if same else parts
        rows = [(name, INK if same else colours[i], part) for i, (name, part) in enumerate(groups)]
        _count(sheet, ax, rows)
    _keep(sheet, curve, parts, value)
    return sheet.finish(
        title=words[f"title_{value}"],
        notes=[words["band"]] if curve["low"].notna().any() else [],
        legend=[(line, name) for line, (name, _) in zip(lines, parts, strict=True)]
        if len(parts) > 1
        else [],
    )


def _axes(sheet: Sheet, ax: Axes, curve: pd.DataFrame, name: str, time_name: str) -> None:
    """Write both scales in French; times that are whole numbers have no half marks."""
    times, lang = curve["time"].to_numpy(np.float64), sheet.lang
    whole = bool(np.isclose(times, np.round(times)).all())
    ax.set_ylim(0, 102)
    ax.set_xlim(0, float(times.max()) or 1)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=whole, min_n_ticks=1))
    ax.xaxis.set_major_formatter(lambda v, _: format_number(v, None, lang))
    ax.yaxis.set_major_formatter(lambda v, _: format_number(v, None, lang))
    ax.set_ylabel(name, fontsize=sheet.small)
    ax.set_xlabel(time_name, fontsize=sheet.small)
    ax.tick_params(axis="both", length=0, labelsize=sheet.small)
    ax.spines[:].set_visible(False)
    ax.grid(axis="y", color=GRID, linewidth=0.8)


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


def _draw(ax: Axes, name: str, part: pd.DataFrame, value: str, colour: str, dash: str) -> Line2D:
    start = 0.0 if value == "cif" else 1.0

    def steps(column: str) -> Any:
        return 100 * np.append(start, part[column].to_numpy(np.float64))

    time = np.append(0.0, part["time"].to_numpy(np.float64))
    ax.fill_between(
        time, steps("low"), steps("high"), step="post", color=colour, alpha=0.15, linewidth=0
    )
    (line,) = ax.step(
        time, steps(value), where="post", color=colour, linestyle=dash, linewidth=1.8, label=name
    )
    return line


def _count(sheet: Sheet, ax: Axes, rows: list[tuple[str, str, pd.DataFrame]]) -> None:
    """Write the numbers at risk under the axis, at its marks: name, colour and curve of a line."""
    words, lang = _WORDS[sheet.lang], sheet.lang
    low, high = ax.get_xlim()
    marks = [mark for mark in ax.get_xticks() if low <= mark <= high]
    ax.set_xticks(marks)
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": sheet.small, "va": "top"}
    high_line = 1.5 * sheet.small
    top = -4.2 * sheet.small
    left = -3.0 * sheet.small  # clear of the first number
    ax.annotate(words["at_risk"], (0, 0), xytext=(left, top), xycoords="axes fraction", ha="right",
                color=SOFT, **style)  # fmt: skip
    for i, (name, colour, part) in enumerate(rows):
        y = top - high_line * (i + 1)
        ax.annotate(name, (0, 0), xytext=(left, y), xycoords="axes fraction", ha="right",
                    color=colour if luminance(colour) < _DARK else INK, **style)  # fmt: skip
        for mark in marks:
            number = format_number(number_at_risk(part, mark), 0, lang)
            ax.annotate(number, (mark, 0), xytext=(0, y),
                        xycoords=("data", "axes fraction"), ha="center", color=INK,
                        **style)  # fmt: skip
    if any(_has_late_entries(part) for _, _, part in rows):
        ax.annotate(words["late"], (0, 0), xytext=(0, top - high_line * (len(rows) + 1)),
                    xycoords="axes fraction", color=SOFT, **style)  # fmt: skip


def _keep(
    sheet: Sheet, curve: pd.DataFrame, parts: list[tuple[str, pd.DataFrame]], value: str
) -> None:
    def sentences(lang: Lang) -> list[str]:
        words, said = _WORDS[lang], [_WORDS[lang][f"title_{value}"] + "."]
        for name, part in parts:
            last = part.iloc[-1]
            share = format_number(100 * float(last[value]), 0, lang)
            time = format_number(float(last["time"]), None, lang)
            said.append(words["say"].format(name=name, share=share, time=time))
        return said

    keep(sheet.axes, Equivalent(sheet.lang, sentences, curve))


def number_at_risk(part: pd.DataFrame, time: float) -> float:
    """Return how many people are at risk at a time: those of the next exit, 0 after the last."""
    times, numbers = part["time"].to_numpy(np.float64), part["n_risk"].to_numpy(np.float64)
    after = times >= time
    return float(numbers[after][times[after].argmin()]) if after.any() else 0.0


def _has_late_entries(part: pd.DataFrame) -> bool:
    """Tell whether the numbers at risk go up: someone entered between two exits."""
    risk = part.drop_duplicates("time")["n_risk"].to_numpy(np.float64)
    return bool((np.diff(risk) > 1e-9 * risk[:-1]).any())
