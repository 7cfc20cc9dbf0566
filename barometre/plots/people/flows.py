"""From the residents of one date to those of the other: who left, who stayed, who arrived."""

from __future__ import annotations

from typing import NamedTuple, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from barometre.base.french import Lang, format_number
from barometre.cohort.movers.change import ChangeDecomposition
from barometre.plots.look.colours import FAVOURABLE, INK, NEUTRAL, SOFT, UNFAVOURABLE
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import bare
from barometre.plots.look.sheet import Sheet, Signed, house

_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "Qui est parti, qui est resté, qui est arrivé",
        "unit": "En nombre de personnes",
        "before": "première date",
        "exits": "sont partis",
        "stayers": "sont restés",
        "entries": "sont arrivés",
        "after": "seconde date",
        "hidden": "secret",
        "note": "secret : moins de {threshold} personnes, ou ce qui les ferait retrouver.",
        "colon": " : ",
    },
    "en": {
        "title": "Who left, who stayed, who arrived",
        "unit": "Number of people",
        "before": "first date",
        "exits": "left",
        "stayers": "stayed",
        "entries": "arrived",
        "after": "second date",
        "hidden": "hidden",
        "note": "hidden: fewer than {threshold} people, or what would give them back.",
        "colon": ": ",
    },
}
_ROOM = 0.1  # of the height, above the highest bar


class _Step(NamedTuple):
    """A bar: its word, its number of people (missing when hidden), where it starts, its colour."""

    word: str
    number: float
    base: float
    colour: str
    signed: bool


@house
def waterfall(
    change: ChangeDecomposition, *, threshold: int = 11, **signed: Unpack[Signed]
) -> Axes:
    """Draw the people of a place from one date to the other, as bars that start where one ends.

    Parameters
    ----------
    change : ChangeDecomposition
        Result of `decompose_change` or of ``Cohort.decompose_change``.
    threshold : int, default 11
        Smallest number of people that a figure may rest on: see ``change.published``.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Residents of the first date, less those who left, are those who stayed; more those who
        arrived, the residents of the second date. As soon as one group is hidden, so are the two
        totals: a difference would give it back.
    """
    sheet = Sheet(signed, aspect=0.5)
    ax, lang = sheet.axes[0], sheet.lang
    words, steps = _WORDS[lang], _steps(change, threshold)
    before = 0.0
    for x, step in enumerate(steps):
        if np.isnan(step.number):
            ax.annotate(words["hidden"], (x, 0), xytext=(0, 4), textcoords="offset points",
                        ha="center", style="italic", fontsize=sheet.text, color=SOFT)  # fmt: skip
            continue
        ax.bar(x, step.number, 0.68, bottom=step.base, color=step.colour, zorder=3)
        top = step.base + max(step.number, 0.0)
        ax.annotate(format_number(step.number, 0, lang, signed=step.signed), (x, top),
                    xytext=(0, 3), textcoords="offset points", ha="center", va="bottom",
                    fontsize=sheet.text, color=INK)  # fmt: skip
        before = max(before, top)
    if not any(np.isnan(step.number) for step in steps):
        _join(ax, steps)
    ax.set_xticks(range(len(steps)), [words[step.word] for step in steps], fontsize=sheet.text)
    bare(ax, x=False)
    ax.tick_params(axis="x", labelcolor=INK)
    ax.set_yticks([])
    ax.axhline(0, color=SOFT, linewidth=0.8)
    ax.set_ylim(0, (1 + _ROOM) * (before or 1.0))
    ax.set_xlim(-0.6, len(steps) - 0.4)
    hidden = any(np.isnan(step.number) for step in steps)

    def sentences(lang: Lang) -> list[str]:
        words = _WORDS[lang]
        parts = [
            words[step.word]
            + words["colon"]
            + (words["hidden"] if np.isnan(step.number) else format_number(step.number, 0, lang))
            for step in steps
        ]
        return [words["title"] + ".", ", ".join(parts) + "."]

    table = pd.DataFrame([(s.word, s.number) for s in steps], columns=["component", "n"])
    keep(sheet.axes, Equivalent(lang, sentences, table))
    return sheet.finish(
        title=words["title"],
        subtitle=words["unit"],
        notes=[words["note"].format(threshold=threshold)] if hidden else [],
    )


def _steps(change: ChangeDecomposition, threshold: int) -> list[_Step]:
    sizes = change.published(threshold).set_index("component")["n"]
    stayers, exits, entries = (
        float(sizes[name]) if pd.notna(sizes[name]) else np.nan
        for name in ("in_situ", "exits", "entries")
    )
    known = not np.isnan(stayers + exits + entries)
    before, after = (stayers + exits, stayers + entries) if known else (np.nan, np.nan)
    return [
        _Step("before", before, 0.0, INK, False),
        _Step("exits", -exits, before if known else 0.0, UNFAVOURABLE, True),
        _Step("stayers", stayers, 0.0, NEUTRAL, False),
        _Step("entries", entries, stayers if known else 0.0, FAVOURABLE, True),
        _Step("after", after, 0.0, INK, False),
    ]


def _join(ax: Axes, steps: list[_Step]) -> None:
    """Join each bar to the next, at the height where the second one starts."""
    heights = [steps[0].number, steps[2].number, steps[2].number, steps[4].number]
    for x, height in enumerate(heights):
        ax.plot([x + 0.34, x + 0.66], [height, height], color=SOFT, linewidth=0.8)
