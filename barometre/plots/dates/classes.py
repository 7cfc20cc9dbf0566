"""Level and evolution together: three classes of level, three of evolution, names in the cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.compare.years import evolution
from barometre.plots.look.colours import INK, SOFT
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.rows import latest, of_indicator, source_line, zones
from barometre.plots.look.sentences import counted, measured, topic, unit_line
from barometre.plots.look.sheet import Sheet, Signed, house

_PAINT = {-2: "#f0c4a3", -1: "#f8e4d6", 0: "#f1f2f4", 1: "#dfeaf4", 2: "#b7d1e8"}
_WORDS: dict[Lang, dict[str, tuple[str, ...] | str]] = {
    "fr": {
        "level": ("inférieur de plus de {t} %", "à moins de {t} %", "supérieur de plus de {t} %"),
        "change": ("↘ en baisse", "→ stable (± {t} %)", "↗ en hausse"),
        "title": "{label} : niveau en {end} et évolution depuis {start}",
        "side": "Niveau en {end}, par rapport à « {ref} » ({value})",
        "paint": "Orange : du côté défavorable pour le niveau et l'évolution ; bleu : du côté"
        " favorable. Les classes disent des distances, elles ne prouvent rien.",
        "left": "Évolution non lue : {names}.",
    },
    "en": {
        "level": ("over {t}% below", "within {t}%", "over {t}% above"),
        "change": ("↘ down", "→ stable (± {t}%)", "↗ up"),
        "title": "{label}: level in {end} and change since {start}",
        "side": "Level in {end}, against “{ref}” ({value})",
        "paint": "Orange: unfavourable level and change; blue: favourable. Classes tell distances,"
        " they prove nothing.",
        "left": "Change not read: {names}.",
    },
}


@house
def class_grid(
    results: pd.DataFrame,
    indicator: str,
    *,
    start: int,
    end: int,
    reference: str,
    territories: Sequence[str] | None = None,
    tolerance: float = 0.05,
    **signed: Unpack[Signed],
) -> Axes:
    """Sort territories into three classes of level and three of evolution.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    indicator : str
        Identifier of the indicator.
    start, end : int
        The two years.
    reference : str
        Code of the territory with which levels are compared.
    territories : sequence of str, optional
        Codes; by default those of the most frequent level.
    tolerance : float, default 0.05
        Relative distance under which a level is near, and an evolution stable.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Names in nine cells, with their number. Those whose evolution is refused or whose value is
        absent are listed below.

    Raises
    ------
    BarometreError
        A reference without value, or that is zero; a comparison refused for everyone.
    """
    card, rows = indicator_card(indicator), of_indicator(results, indicator)
    last = latest(results, indicator, end)
    against = float(last["valeur"].get(reference, np.nan))
    if not np.isfinite(against) or against == 0:
        raise BarometreError(
            f"grille refusée : « {reference} » n'a pas de valeur non nulle en {end}"
        )
    codes = zones(last, territories, [reference])
    table = _classes(rows, last, codes, (start, end), against, tolerance)
    size = signed.get("size") or "a4"
    lines = _lines(table)
    sheet = Sheet(signed, rows=sum(lines), pitch=1.35 if size == "a4" else 1.3, grid=(1, 1))
    ax, lang = sheet.axes[0], sheet.lang
    names = dict(zip(codes, sheet.names(codes), strict=True))
    ref = sheet.names([reference])[0]
    _frame(sheet, ax, table, card, lines, (tolerance, end, ref, against))
    sheet.later(lambda: _fill(sheet, ax, table, names, lines))
    words = _WORDS[lang]
    left = [names[str(code)] for code in table.index[table["niveau"].isna()]]
    notes = [str(words["paint"])] if card.sens in ("hausse_favorable", "hausse_defavorable") else []
    if left:
        notes.append(str(words["left"]).format(names=", ".join(left)))
    _keep(sheet, table, names, (card, start, end), (ref, against, tolerance))
    return sheet.finish(
        title=str(words["title"]).format(label=card.libelle[lang], start=start, end=end),
        subtitle=unit_line(card, lang),
        source=source_line(card, [start, end], sheet.lang),
        notes=notes,
    )


def _classes(
    rows: pd.DataFrame, last: pd.DataFrame, codes: list[str], years: tuple[int, int],
    against: float, tolerance: float,
) -> pd.DataFrame:  # fmt: skip
    """Give each territory its class of level and of evolution, from 0 to 2."""
    change = evolution(rows, *years).set_index("code").reindex(codes)
    ratio = change["evolution"] / change["valeur_debut"].abs()
    level = (last["valeur"].reindex(codes) - against) / abs(against)
    read = (change["statut"] == "ok") & ratio.notna() & level.notna()

    def classes(distance: pd.Series) -> pd.Series:
        three = 1 + (distance > tolerance).astype(float) - (distance < -tolerance).astype(float)
        return three.where(read)

    return pd.DataFrame(
        {
            "debut": change["valeur_debut"], "fin": change["valeur_fin"],
            "niveau": classes(level), "evolution": classes(ratio),
        },
        index=pd.Index(codes, name="code"),
    )  # fmt: skip


def _lines(table: pd.DataFrame) -> list[int]:
    """Count the lines of each row of cells, the highest level at the top: names, and a heading."""
    sizes = table.groupby(["niveau", "evolution"]).size()
    return [
        2 + max([int(sizes.get((float(level), float(way)), 0)) for way in range(3)] + [1])
        for level in (2, 1, 0)
    ]


def _frame(
    sheet: Sheet, ax: Axes, table: pd.DataFrame, card: Card, lines: Sequence[int],
    said: tuple[float, int, str, float],
) -> None:  # fmt: skip
    tolerance, end, ref, against = said
    words, share = _WORDS[sheet.lang], format_number(100 * tolerance, None, sheet.lang)
    ends = np.concatenate([[0], np.cumsum(lines)])
    way = {"hausse_favorable": 1, "hausse_defavorable": -1}.get(card.sens, 0)
    for row, level in enumerate((2, 1, 0)):
        for change in range(3):
            side = way * ((level - 1) + (change - 1))
            ax.add_patch(
                Rectangle(
                    (change + 0.02, ends[row] + 0.12),
                    0.96,
                    lines[row] - 0.24,
                    facecolor=_PAINT[side],
                    edgecolor="none",
                )
            )
    middles = [(a + b) / 2 for a, b in pairwise(ends)]
    ax.set_yticks(middles, [
        sheet.folded(words["level"][level].format(t=share), sheet.small, 88) for level in (2, 1, 0)
    ], fontsize=sheet.small)  # fmt: skip
    ax.set_xticks([0.5, 1.5, 2.5], [w.format(t=share) for w in words["change"]],
                  fontsize=sheet.small)  # fmt: skip
    ax.xaxis.tick_top()
    ax.tick_params(axis="both", length=0, labelcolor=INK)
    ax.set_xlim(0, 3)
    ax.set_ylim(ends[-1], 0)
    ax.spines[:].set_visible(False)
    value = measured(against, card, sheet.lang)
    ax.set_xlabel(str(words["side"]).format(end=end, ref=ref, value=value), fontsize=sheet.small,
                  color=SOFT, loc="left")  # fmt: skip


def _fill(
    sheet: Sheet, ax: Axes, table: pd.DataFrame, names: dict[str, str], lines: Sequence[int]
) -> None:
    ends = np.concatenate([[0], np.cumsum(lines)])
    wide = ax.get_window_extent(sheet.renderer).width * 72 / sheet.figure.dpi / 3 - 14
    for row, level in enumerate((2, 1, 0)):
        for change in range(3):
            here = table[(table["niveau"] == level) & (table["evolution"] == change)]
            ax.text(change + 0.05, ends[row] + 0.75, counted(len(here), sheet.lang),
                    fontsize=sheet.small, color=SOFT, va="center")  # fmt: skip
            for i, code in enumerate(here.index):
                text, size = names[str(code)], sheet.text
                while sheet.wide(text, size) > wide and len(text) > 4:
                    text = text[:-2].rstrip(" ,-…") + "…"
                ax.text(change + 0.05, ends[row] + 1.75 + i, text, fontsize=size, va="center")


def _keep(
    sheet: Sheet, table: pd.DataFrame, names: dict[str, str], what: tuple[Card, int, int],
    against: tuple[str, float, float],
) -> None:  # fmt: skip
    card, start, end = what
    ref, value, tolerance = against

    def sentences(lang: Lang) -> list[str]:
        words, share = _WORDS[lang], format_number(100 * tolerance, None, lang)
        said = [
            topic(card, [start, end], lang) + ".",
            str(words["side"]).format(end=end, ref=ref, value=measured(value, card, lang)) + ".",
        ]
        for level in (2, 1, 0):
            for change in range(3):
                here = table[(table["niveau"] == level) & (table["evolution"] == change)]
                if len(here):
                    cell = f"{words['level'][level]}, {words['change'][change][2:]}"
                    shown = ", ".join(names[str(code)] for code in here.index)
                    colon = " : " if lang == "fr" else ": "
                    said.append(f"{cell.format(t=share)}{colon}{shown}.")
        left = [names[str(code)] for code in table.index[table["niveau"].isna()]]
        return [*said, str(words["left"]).format(names=", ".join(left)) if left else ""]

    keep(sheet.axes, Equivalent(sheet.lang, sentences, table))
