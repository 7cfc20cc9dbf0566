"""How alike two groups are, covariate by covariate, before and after weighting: the love plot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from barometre.base.errors import BarometreError
from barometre.base.frames import check_frame
from barometre.base.french import Lang, format_number
from barometre.plots.look.colours import FAVOURABLE, INK, PALE, SOFT
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import figure_column, row_names, scale
from barometre.plots.look.naming import clean
from barometre.plots.look.sheet import Sheet, Signed, house

_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "Les deux groupes se ressemblent-ils ?",
        "unit": "Écarts de moyennes en écarts-types : suivis moins comparés",
        "before": "sans poids",
        "after": "avec les poids",
        "plain": "écart",
        "band": "Bande : moins de {limit} écart-type.",
        "say": "{n} caractéristiques ; plus de {limit} écart-type : {names}.",
        "none": "aucune",
        "largest": "Le plus grand écart : {name}, {value}.",
        "unknown": "non défini",
    },
    "en": {
        "title": "Are the two groups alike?",
        "unit": "Differences of means in standard deviations: treated less comparison",
        "before": "without weights",
        "after": "with weights",
        "plain": "difference",
        "band": "Band: less than {limit} standard deviation.",
        "say": "{n} covariates; over {limit} standard deviation: {names}.",
        "none": "none",
        "largest": "The largest difference: {name}, {value}.",
        "unknown": "undefined",
    },
}


@house
def love_plot(
    balance: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    limit: float = 0.1,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw the standardised differences of a balance table.

    Parameters
    ----------
    balance : DataFrame
        What `cohort.balance_table` returns: ``variable``, ``smd``, ``smd_before`` when weighted.
    names : mapping, optional
        Names of the covariates.
    limit : float, default 0.1
        Standard deviations under which a difference is usually taken for small (Austin, 2009).
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        The largest difference at the top. Hollow dots before weighting, full ones after; a band
        between minus and plus the limit. A difference that is not defined keeps its line.

    Raises
    ------
    BarometreError
        A frame that is not a balance table, or is empty.
    """
    check_frame(balance, "équilibre refusé", ("variable", "smd"),
                remedy="donner le résultat de balance_table")  # fmt: skip
    if balance.empty:
        raise BarometreError("équilibre refusé : aucune caractéristique à dessiner")
    weighted = "smd_before" in balance
    first = "smd_before" if weighted else "smd"
    order = balance[first].abs().sort_values(ascending=False, na_position="last", kind="stable")
    rows = balance.loc[order.index]
    labels = [clean((names or {}).get(str(v), str(v))) for v in rows["variable"]]
    sheet = Sheet(signed, rows=len(rows), pitch=1.9)
    lang, words = sheet.lang, _WORDS[sheet.lang]
    after = rows["smd"].to_numpy(np.float64)
    before = rows[first].to_numpy(np.float64)
    reach = 1.08 * max(float(np.nanmax(np.abs([*after, *before, limit]))), limit)
    for ax, part in sheet.slices(len(rows)):
        y = np.arange(part.stop - part.start)
        ax.axvspan(-limit, limit, color=PALE, linewidth=0, zorder=0)
        ax.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
        if weighted:
            ax.hlines(y, before[part], after[part], color=SOFT, linewidth=0.8, zorder=2)
            ax.plot(before[part], y, "o", markerfacecolor="white", markeredgecolor=INK,
                    markersize=0.68 * sheet.text, zorder=3)  # fmt: skip
        ax.plot(after[part], y, "o", color=FAVOURABLE, markersize=0.68 * sheet.text, zorder=4)
        row_names(sheet, ax, labels[part])
        missing = [i for i, v in enumerate(after[part]) if np.isnan(v)]
        figures = [
            words["unknown"] if np.isnan(v) else format_number(v, 2, lang, signed=True)
            for v in after[part]
        ]
        figure_column(sheet, ax, figures, absent=missing)
        ax.set_xlim(-reach, reach)
        scale(sheet, ax, signed=True)
    said = format_number(limit, None, lang)
    full = Line2D([], [], marker="o", linestyle="none", color=FAVOURABLE, markersize=6)
    hollow = Line2D([], [], marker="o", linestyle="none", markerfacecolor="white",
                    markeredgecolor=INK, markersize=6)  # fmt: skip
    legend = [(hollow, words["before"]), (full, words["after"])] if weighted else []
    _keep(sheet, rows, labels, limit)
    return sheet.finish(
        title=words["title"],
        subtitle=words["unit"],
        notes=[words["band"].format(limit=said)],
        legend=legend,
    )


def _keep(sheet: Sheet, rows: pd.DataFrame, labels: list[str], limit: float) -> None:
    def sentences(lang: Lang) -> list[str]:
        words, size = _WORDS[lang], rows["smd"].abs().to_numpy(np.float64)
        over = [name for name, value in zip(labels, size, strict=True) if value > limit]
        said = [
            words["title"],
            words["say"].format(
                n=len(rows), limit=format_number(limit, None, lang),
                names=", ".join(over) or words["none"],
            ),
        ]  # fmt: skip
        if np.isfinite(size).any():
            at = int(np.nanargmax(size))
            value = format_number(float(rows["smd"].iloc[at]), 2, lang, signed=True)
            said.append(words["largest"].format(name=labels[at], value=value))
        return said

    keep(sheet.axes, Equivalent(sheet.lang, sentences, rows))
