"""Statuses wave by wave, as stacked bars."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.plots.look.colours import SOFT, categories, ink_on
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.naming import clean, names_by_code
from barometre.plots.look.sheet import Sheet, Signed, house

_ABSENT, _MISSING = "#dfe3e8", "missing"
_ROOMY = 15  # waves beyond which not all are named
_WRITTEN = 6  # per cent under which a share is not written in its bar
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "Situation à chaque vague",
        "y": "Part des personnes (%)",
        "x": "Vague",
        "missing": "absent ou inconnu",
    },
    "en": {
        "title": "Status at each wave",
        "y": "Share of people (%)",
        "x": "Wave",
        "missing": "absent or not known",
    },
}


@house
def state_bars(
    distribution: pd.DataFrame,
    *,
    group: Any = None,
    wave_label: str | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw the distribution of statuses at each wave.

    Parameters
    ----------
    distribution : DataFrame
        Result of `cohort.state_distribution`.
    group : optional
        Group to draw; needed when there are several: draw each in its own Axes.
    wave_label : str, optional
        Label of the horizontal axis.
    **signed
        Title, source, size...: see `Signed`; ``labels`` are the names of the states.

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
    rows = _one_group(distribution, group)
    sheet = Sheet(signed, aspect=0.5)
    ax, lang, words = sheet.axes[0], sheet.lang, _WORDS[sheet.lang]
    waves, states = list(rows["wave"].unique()), list(rows["state"].unique())
    shares = rows["share"].to_numpy(np.float64).reshape(len(waves), len(states))
    totals = rows["n"].to_numpy(np.float64).reshape(shares.shape).sum(axis=1)
    names = {_MISSING: words["missing"]} | dict(names_by_code(signed.get("labels")))
    colours = categories(len([state for state in states if state != _MISSING]))
    free, base, bars = iter(colours), np.zeros(len(waves)), []
    for i, state in enumerate(states):
        heights = 100 * np.nan_to_num(shares[:, i])
        colour = _ABSENT if state == _MISSING else next(free)
        bar = ax.bar(range(len(waves)), heights, 0.8, bottom=base, color=colour,
                     edgecolor="white", linewidth=0.6)  # fmt: skip
        bars.append((bar, clean(names.get(state, state))))
        if len(waves) <= _ROOMY:
            _write(sheet, ax, base, heights, colour)
        base = base + heights
    _dress(sheet, ax, [_wave_name(wave) for wave in waves], totals)
    ax.set_ylabel(words["y"], fontsize=sheet.small)
    ax.set_xlabel(wave_label or words["x"], fontsize=sheet.small)

    def sentences(lang: Lang) -> list[str]:
        return _sentences(waves, [name for _, name in bars], shares, lang)

    keep(sheet.axes, Equivalent(lang, sentences, rows))
    # From top to bottom, as the bars are.
    return sheet.finish(title=words["title"], legend=[(bar[0], name) for bar, name in bars[::-1]])


def _sentences(waves: list[Any], names: list[str], shares: Any, lang: Lang) -> list[str]:
    """Say the shares of the first and of the last wave."""
    said = [_WORDS[lang]["title"] + "."]
    for i in dict.fromkeys([0, len(waves) - 1]):
        parts = [
            f"{name} {format_number(100 * share, 0, lang)}{' %' if lang == 'fr' else '%'}"
            for name, share in zip(names, np.nan_to_num(shares[i]), strict=True)
        ]
        said.append(f"{_wave_name(waves[i])}{' : ' if lang == 'fr' else ': '}{', '.join(parts)}.")
    return said


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


def _write(sheet: Sheet, ax: Axes, base: Any, heights: Any, colour: str) -> None:
    for x, (start, height) in enumerate(zip(base, heights, strict=True)):
        if height >= _WRITTEN:
            ax.text(x, start + height / 2, format_number(height, 0), ha="center",
                    va="center_baseline", fontsize=sheet.small, color=ink_on(colour))  # fmt: skip


def _dress(sheet: Sheet, ax: Axes, waves: list[str], totals: Any) -> None:
    every = -(-len(waves) // _ROOMY)  # more names would meet
    ax.set_xticks(range(0, len(waves), every), waves[::every])
    if len(waves) <= _ROOMY:
        plain = len(waves) <= _ROOMY / 2
        for x, total in enumerate(totals):
            number = format_number(total, 0, sheet.lang)
            ax.text(x, 101, f"n = {number}" if plain else number, ha="center", va="bottom",
                    fontsize=sheet.small, color=SOFT)  # fmt: skip
    ax.set_ylim(0, 100)
    ax.set_xlim(-0.6, len(waves) - 0.4)
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="both", length=0, labelsize=sheet.small)
