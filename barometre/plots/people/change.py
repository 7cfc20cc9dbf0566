"""What the change of a place owes to those who stay, who leave and who arrive."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.cohort.movers.change import ChangeDecomposition
from barometre.plots import look

_PARTS = ("in_situ", "exits", "entries")
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "in_situ": "ceux qui restent",
        "exits": "les départs",
        "entries": "les arrivées",
        "total": "le lieu",
        "people": "les habitants\nde départ",
        "hidden": "secret",
        "y": "Évolution",
        "note": "secret : moins de {threshold} personnes, ou ce qui les ferait retrouver",
    },
    "en": {
        "in_situ": "those who stay",
        "exits": "exits",
        "entries": "entries",
        "total": "the place",
        "people": "first\ninhabitants",
        "hidden": "hidden",
        "y": "Change",
        "note": "hidden: fewer than {threshold} people, or what would give them back",
    },
}


def change_bars(
    change: ChangeDecomposition,
    *,
    threshold: int = 11,
    title: str | None = None,
    label: str | None = None,
    decimals: int = 0,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Draw the decomposition of a place's change as bars that add up to it.

    Parameters
    ----------
    change : ChangeDecomposition
        Result of `decompose_change` or of ``Cohort.decompose_change``.
    threshold : int, default 11
        Smallest number of people that a figure may rest on: see ``change.published``.
    title : str, optional
        Title.
    label : str, optional
        Label of the vertical axis, with the unit.
    decimals : int, default 0
        Decimals of the figures.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        Each bar starts where the one before ends, the last being the change of the place; where a
        figure is hidden they all start from 0. The change of the first inhabitants, wherever they
        live now, stands beside when it is known and nothing is hidden.

    Raises
    ------
    BarometreError
        A decomposition whose change is not known: nobody at one of the dates.
    """
    if np.isnan(change.total):
        raise BarometreError("évolution inconnue : personne à l'une des deux dates")
    words, published = _WORDS[lang], change.published(threshold).set_index("component")
    values = published["value"].astype("float64")
    sizes = published["n"].astype("float64")
    secret = published["status"] != "publie"
    whole = bool(values.notna().all())
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
    ax.axhline(0, color=look.SOFT, linewidth=0.8)
    start = 0.0
    for x, name in enumerate((*_PARTS, "total")):
        value = float(values[name])
        base = start if whole and name != "total" else 0.0
        if np.isnan(value):
            _say(ax, x, words["hidden"] if secret[name] else "–")
            continue
        _bar(ax, x, base, value, look.INK if name == "total" else None, decimals, lang)
        if whole and name != "total":
            start += value
            ax.plot([x + 0.36, x + 0.64], [start, start], color=look.SOFT, linewidth=0.8)
    names = [*_PARTS, "total"]
    if whole and not np.isnan(change.people):
        _bar(ax, 4.4, 0.0, change.people, look.NEUTRAL, decimals, lang)
        names.append("people")
        sizes["people"] = change.n_stayers + change.n_exits
    labels = [
        words[name]
        + ("" if np.isnan(sizes[name]) else f"\nn = {format_number(sizes[name], 0, lang)}")
        for name in names
    ]
    ax.set_xticks([0, 1, 2, 3, 4.4][: len(names)], labels, fontsize=9)
    ax.set_xlim(-0.6, 0.6 + (4.4 if len(names) == 5 else 3))
    ax.set_ylabel(label or words["y"], color=look.INK)
    ax.margins(y=0.14)
    if secret.any():
        ax.annotate(words["note"].format(threshold=threshold), (0, 0), xytext=(0, -44), va="top",
                    xycoords="axes fraction", textcoords="offset points", fontsize=8,
                    color=look.SOFT)  # fmt: skip
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.tick_params(axis="x", length=0, labelcolor=look.INK)
    if title:
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold", color=look.INK)
    return ax


def _bar(
    ax: Axes, x: float, base: float, value: float, colour: str | None, decimals: int, lang: Lang
) -> None:
    """Draw one bar and its figure: above a rise, under a fall."""
    rise = value >= 0
    ax.bar(x, value, 0.72, bottom=base,
           color=colour or (look.FAVOURABLE if rise else look.UNFAVOURABLE), zorder=3)  # fmt: skip
    ax.annotate(format_number(value, decimals, lang, signed=True), (x, base + value),
                xytext=(0, 4 if rise else -4), textcoords="offset points", ha="center",
                va="bottom" if rise else "top", fontsize=10, color=look.INK)  # fmt: skip


def _say(ax: Axes, x: float, text: str) -> None:
    ax.annotate(text, (x, 0), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=9,
                style="italic", color=look.SOFT)  # fmt: skip
