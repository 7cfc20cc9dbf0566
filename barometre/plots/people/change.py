"""What the change of a place owes to those who stay, who leave and who arrive."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.cohort.movers.change import ChangeDecomposition
from barometre.plots.look.colours import FAVOURABLE, GRID, INK, NEUTRAL, SOFT, UNFAVOURABLE
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.sheet import Sheet, Signed, house

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
        "title": "Ce qui fait l'évolution du lieu",
        "note": "secret : moins de {threshold} personnes, ou ce qui les ferait retrouver.",
    },
    "en": {
        "in_situ": "those who stay",
        "exits": "exits",
        "entries": "entries",
        "total": "the place",
        "people": "first\ninhabitants",
        "hidden": "hidden",
        "y": "Change",
        "title": "What makes the change of the place",
        "note": "hidden: fewer than {threshold} people, or what would give them back.",
    },
}


@house
def change_bars(
    change: ChangeDecomposition,
    *,
    threshold: int = 11,
    label: str | None = None,
    decimals: int = 0,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw the decomposition of a place's change as bars that add up to it.

    Parameters
    ----------
    change : ChangeDecomposition
        Result of `decompose_change` or of ``Cohort.decompose_change``.
    threshold : int, default 11
        Smallest number of people that a figure may rest on: see ``change.published``.
    label : str, optional
        Label of the vertical axis, with the unit.
    decimals : int, default 0
        Decimals of the figures.
    **signed
        Title, source, size...: see `Signed`.

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
    sheet = Sheet(signed, aspect=0.5)
    ax, lang = sheet.axes[0], sheet.lang
    words, published = _WORDS[lang], change.published(threshold).set_index("component")
    values = published["value"].astype("float64")
    sizes = published["n"].astype("float64")
    secret = published["status"] != "publie"
    whole = bool(values.notna().all())
    ax.axhline(0, color=SOFT, linewidth=0.8)
    start = 0.0
    for x, name in enumerate((*_PARTS, "total")):
        value = float(values[name])
        base = start if whole and name != "total" else 0.0
        if np.isnan(value):
            _say(sheet, ax, x, words["hidden"] if secret[name] else "–")
            continue
        _bar(sheet, ax, (x, base, value), INK if name == "total" else None, decimals)
        if whole and name != "total":
            start += value
            ax.plot([x + 0.36, x + 0.64], [start, start], color=SOFT, linewidth=0.8)
    names = [*_PARTS, "total"]
    if whole and not np.isnan(change.people):
        _bar(sheet, ax, (4.4, 0.0, change.people), NEUTRAL, decimals)
        names.append("people")
        sizes["people"] = change.n_stayers + change.n_exits
    labels = [
        words[name]
        + ("" if np.isnan(sizes[name]) else f"\nn = {format_number(sizes[name], 0, lang)}")
        for name in names
    ]
    ax.set_xticks([0, 1, 2, 3, 4.4][: len(names)], labels, fontsize=sheet.text)
    ax.set_xlim(-0.6, 0.6 + (4.4 if len(names) == 5 else 3))
    ax.set_ylabel(label or words["y"], fontsize=sheet.small)
    ax.yaxis.set_major_formatter(lambda v, _: format_number(v, None, lang, signed=True))
    ax.margins(y=0.18)  # room for the figures
    ax.spines[:].set_visible(False)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.tick_params(axis="both", length=0, labelcolor=INK)
    ax.tick_params(axis="y", labelsize=sheet.small)

    def sentences(lang: Lang) -> list[str]:
        return _sentences(values, secret, decimals, lang)

    keep(sheet.axes, Equivalent(lang, sentences, published.reset_index()))
    return sheet.finish(
        title=words["title"],
        subtitle=label or "",
        notes=[words["note"].format(threshold=threshold)] if secret.any() else [],
    )


def _sentences(values: pd.Series, secret: pd.Series, decimals: int, lang: Lang) -> list[str]:
    words, colon = _WORDS[lang], " : " if lang == "fr" else ": "
    said = [
        words[name]
        + colon
        + (
            (words["hidden"] if secret[name] else "–")
            if np.isnan(values[name])
            else format_number(float(values[name]), decimals, lang, signed=True)
        )
        for name in (*_PARTS, "total")
    ]
    return [words["title"] + ".", ", ".join(said) + "."]


def _bar(
    sheet: Sheet, ax: Axes, at: tuple[float, float, float], colour: str | None, decimals: int
) -> None:
    """Draw one bar (place, start, value) and its figure: above a rise, under a fall."""
    x, base, value = at
    rise = value >= 0
    ax.bar(x, value, 0.72, bottom=base,
           color=colour or (FAVOURABLE if rise else UNFAVOURABLE), zorder=3)  # fmt: skip
    ax.annotate(format_number(value, decimals, sheet.lang, signed=True), (x, base + value),
                xytext=(0, 4 if rise else -4), textcoords="offset points", ha="center",
                va="bottom" if rise else "top", fontsize=sheet.text, color=INK)  # fmt: skip


def _say(sheet: Sheet, ax: Axes, x: float, text: str) -> None:
    ax.annotate(text, (x, 0), xytext=(0, 4), textcoords="offset points", ha="center",
                fontsize=sheet.text, style="italic", color=SOFT)  # fmt: skip
