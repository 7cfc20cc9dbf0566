"""Estimates of one effect by several methods, one line each, against what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.plots.look.colours import FAVOURABLE, INK, SOFT, UNFAVOURABLE
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import Line, reference_lines, row_names, scale, share_limits
from barometre.plots.look.naming import clean
from barometre.plots.look.sheet import Sheet, Signed, house

_COLUMNS = ("estimate", "low", "high")
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "Ce que chaque méthode estime",
        "x": "Effet estimé",
        "truth": "effet vrai : ",
        "caught": "Bleu : l'intervalle contient l'effet vrai ; orange : il le manque.",
        "bounds": "Trait sans point : bornes.",
        "between": " ; ",
    },
    "en": {
        "title": "What each method estimates",
        "x": "Estimated effect",
        "truth": "true effect: ",
        "caught": "Blue: the interval holds the true effect; orange: it misses it.",
        "bounds": "Line without a dot: bounds.",
        "between": ", ",
    },
}


@house
def effect_forest(
    effects: pd.DataFrame | Mapping[str, Any],
    *,
    truth: float | None = None,
    label: str | None = None,
    decimals: int = 0,
    **signed: Unpack[Signed],
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
    label : str, optional
        Label of the horizontal axis, with the unit.
    decimals : int, default 0
        Decimals of the figures written on the right.
    **signed
        Title, source, size...: see `Signed`.

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
    rows = _rows(effects)
    places, headings = _places(rows)
    total = int(max(places)) + 1
    sheet = Sheet(signed, rows=total, pitch=2.1)
    lang, words = sheet.lang, _WORDS[sheet.lang]
    values = rows[list(_COLUMNS)].to_numpy(np.float64)
    ticks = sorted([*zip(places, rows["method"], strict=True), *headings])
    heads = {y for y, _ in headings}
    for ax, part in sheet.slices(total):
        mine = [(y, clean(name)) for y, name in ticks if part.start <= y < part.stop]
        bold = [i for i, (y, _) in enumerate(mine) if y in heads]
        row_names(sheet, ax, [n for _, n in mine], bold=bold, at=[y for y, _ in mine], width=44)
        ax.set_ylim(part.start + sheet.lines - 0.4, part.start - 0.6)
        ax.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
        for y, line in zip(places, values, strict=True):
            if part.start <= y < part.stop:
                _draw(sheet, ax, (y, truth), line, decimals)
        scale(sheet, ax)
        ax.set_xlabel(label or words["x"], fontsize=sheet.small)
    if truth is not None:
        text = words["truth"] + format_number(truth, decimals, lang)
        reference_lines(sheet, [Line(truth, text)])
    share_limits(sheet)
    notes = [words["caught"]] if truth is not None else []
    if (np.isnan(values[:, 0]) & ~np.isnan(values[:, 1])).any():
        notes.append(words["bounds"])

    def sentences(lang: Lang) -> list[str]:
        colon = " : " if lang == "fr" else ": "
        said = [
            f"{clean(name)}{colon}{_figures(line, decimals, lang) or '–'}"
            for name, line in zip(rows["method"], values, strict=True)
        ]
        return [_WORDS[lang]["title"] + ".", _WORDS[lang]["between"].join(said) + "."]

    keep(sheet.axes, Equivalent(lang, sentences, rows))
    return sheet.finish(title=words["title"], subtitle=label or "", notes=notes)


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


def _draw(sheet: Sheet, ax: Axes, at: tuple[float, float | None], line: Any, decimals: int) -> None:
    (y, truth), (estimate, low, high) = at, line
    colour = INK
    if truth is not None and not np.isnan(low + high):
        colour = FAVOURABLE if low <= truth <= high else UNFAVOURABLE
    ends = 0.12
    ax.hlines(y, low, high, color=colour, linewidth=2, zorder=3)
    ax.vlines([low, high], y - ends, y + ends, color=colour, linewidth=2, zorder=3)
    ax.plot(estimate, y, "o", color=colour, markersize=6.5, zorder=4)
    ax.annotate(_figures(line, decimals, sheet.lang), (1, y), xytext=(6, 0), va="center",
                xycoords=("axes fraction", "data"), textcoords="offset points",
                fontsize=sheet.text, color=INK, annotation_clip=False)  # fmt: skip


def _figures(line: Any, decimals: int, lang: Lang) -> str:
    """Write an estimate and its interval."""
    estimate, low, high = line
    known = [format_number(v, decimals, lang) for v in (low, high) if not np.isnan(v)]
    text = "" if np.isnan(estimate) else format_number(estimate, decimals, lang)
    if len(known) == 2:
        text += f" [{_WORDS[lang]['between'].join(known)}]"
    return text.strip()
