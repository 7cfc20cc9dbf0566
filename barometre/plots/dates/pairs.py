"""Two dates of one indicator, territory by territory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, absent_label, quality_mark
from barometre.cards.labels import format_value
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.compare.years import evolution
from barometre.plots.look.colours import INK, NEUTRAL, SOFT
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import (
    Line,
    figure_column,
    reference_lines,
    row_names,
    scale,
    share_limits,
)
from barometre.plots.look.rows import (
    latest,
    of_indicator,
    present,
    quality_notes,
    source_line,
    zones,
)
from barometre.plots.look.sentences import extremes, measured, references, topic, unit_line
from barometre.plots.look.sheet import Sheet, Signed, house

_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "refused": "Sans trait, l'évolution n'est pas lue : {why}.",
        "some": "Sans trait, une des deux valeurs manque ou l'évolution n'est pas lue.",
        "end": "En {year}. ",
        "start": "En {year} : ",
        "reference": "{name} en {year} : {value}",
    },
    "en": {
        "refused": "Without a line, the change is not read: {why}.",
        "some": "Without a line, one of the two values is missing or the change is not read.",
        "end": "In {year}. ",
        "start": "In {year}: ",
        "reference": "{name} in {year}: {value}",
    },
}


@house
def two_dates(
    results: pd.DataFrame,
    indicator: str,
    *,
    start: int | None = None,
    end: int | None = None,
    territories: Sequence[str] | None = None,
    references: Sequence[str] = (),
    **signed: Unpack[Signed],
) -> Axes:
    """Draw one indicator at two dates: a hollow dot, a full dot, and a line between them.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    indicator : str
        Identifier of the indicator.
    start, end : int, optional
        The two years; by default the first and the last.
    territories : sequence of str, optional
        Codes of the rows; by default those of the most frequent level.
    references : sequence of str, optional
        Codes drawn below the others, in bold; the value of the first one at the last date is a
        line.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        The highest value of the last date at the top. Where `evolution` refuses the comparison,
        the two dots are not joined and the reason is below.

    Raises
    ------
    BarometreError
        No result, or a single date.
    """
    card, rows = indicator_card(indicator), of_indicator(results, indicator)
    known = sorted(rows.loc[rows["valeur"].notna(), "annee"].unique())
    if len(known) < 2 and (start is None or end is None):
        raise BarometreError(
            f"« {indicator} » n'a qu'une date ({', '.join(map(str, known))}) : il en faut deux"
        )
    first = int(known[0]) if start is None else start
    last = int(known[-1]) if end is None else end
    old, new = latest(results, indicator, first), latest(results, indicator, last)
    codes = zones(new, territories, references)
    order = new["valeur"].reindex(codes).sort_values(
        ascending=False, na_position="last", kind="stable"
    )  # fmt: skip
    codes = [*order.index, *present(new, references)]
    table, why = _table(rows, old, new, codes, first, last)
    sheet = Sheet(signed, rows=len(codes), pitch=1.95)
    lang, names = sheet.lang, sheet.names(codes)
    number = len(order)
    for ax, part in sheet.slices(len(codes)):
        _draw(sheet, ax, table.iloc[part], names[part], card, number - part.start)
    share_limits(sheet)
    for ax in sheet.axes:
        scale(sheet, ax)
    if len(codes) > number:
        row, words = table.iloc[number], _WORDS[lang]
        text = words["reference"].format(
            name=names[number], year=last, value=measured(row["fin"], card, lang)
        )
        reference_lines(sheet, [Line(float(row["fin"]), text)])

    def sentences(lang: Lang) -> list[str]:
        return _sentences(table, names, number, card, (first, last), lang)

    keep(sheet.axes, Equivalent(lang, sentences, table))
    told = quality_notes((table["qualite_debut"], table["qualite_fin"]), lang)
    return sheet.finish(
        title=f"{card.libelle[lang]}, {first} – {last}",
        subtitle=unit_line(card, lang),
        source=source_line(card, [first, last], lang),
        notes=[*_refusals(table, why, lang), *told],
        legend=_legend(first, last),
    )


def _table(
    rows: pd.DataFrame, old: pd.DataFrame, new: pd.DataFrame, codes: list[str], first: int,
    last: int,
) -> tuple[pd.DataFrame, str]:  # fmt: skip
    """Join the two dates, and whether their change may be read; and why none of them may."""
    try:
        change = evolution(rows, first, last).set_index("code")
        read, why = (change["statut"] == "ok").reindex(codes).fillna(False), ""
    except BarometreError as refusal:
        read, why = pd.Series(False, index=codes), str(refusal)

    def column(frame: pd.DataFrame, name: str) -> pd.Series:
        return frame[name].reindex(codes)

    table = pd.DataFrame(
        {
            "debut": column(old, "valeur"), "fin": column(new, "valeur"),
            "statut_debut": column(old, "statut").fillna("non_disponible"),
            "statut_fin": column(new, "statut").fillna("non_disponible"),
            "lu": read.astype(bool),
        }
    )  # fmt: skip
    for name, frame in (("qualite_debut", old), ("qualite_fin", new)):
        table[name] = column(frame, "qualite")
    return table, why


def _draw(
    sheet: Sheet, ax: Axes, rows: pd.DataFrame, names: list[str], card: Card, number: int
) -> None:
    y = np.arange(len(rows))
    old, new = rows["debut"].to_numpy(np.float64), rows["fin"].to_numpy(np.float64)
    joined = rows["lu"].to_numpy()
    ax.hlines(y[joined], old[joined], new[joined], color=NEUTRAL, linewidth=2.2, zorder=2)
    size = 0.72 * sheet.text
    ax.plot(old, y, "o", markersize=size, markerfacecolor="white", markeredgecolor=INK,
            markeredgewidth=1.2, zorder=4)  # fmt: skip
    ax.plot(new, y, "o", markersize=size, color=INK, zorder=5)
    bold = [i for i in range(len(rows)) if i >= number]
    row_names(sheet, ax, names, bold=bold)
    texts = [
        " → ".join(
            (absent_label(status, sheet.lang) if np.isnan(v) else format_value(v, card, sheet.lang))
            + quality_mark(quality) * (not np.isnan(v))
            for v, status, quality in (
                (row[when], row[f"statut_{when}"], row[f"qualite_{when}"])
                for when in ("debut", "fin")
            )
        )
        for _, row in rows.iterrows()
    ]  # fmt: skip
    absent = [i for i in range(len(rows)) if np.isnan(new[i])]
    figure_column(sheet, ax, texts, absent=absent, bold=bold, after=8)
    if 0 < number < len(rows):
        ax.axhline(number - 0.5, color=SOFT, linewidth=0.6)


def _legend(first: int, last: int) -> list[tuple[Line2D, str]]:
    hollow = Line2D([], [], marker="o", linestyle="none", markerfacecolor="white",
                    markeredgecolor=INK, markersize=6)  # fmt: skip
    full = Line2D([], [], marker="o", linestyle="none", color=INK, markersize=6)
    return [(hollow, str(first)), (full, str(last))]


def _refusals(table: pd.DataFrame, why: str, lang: Lang) -> list[str]:
    if why:
        return [_WORDS[lang]["refused"].format(why=why.rstrip("."))]
    both = table["debut"].notna() | table["fin"].notna()
    return [_WORDS[lang]["some"]] if (both & ~table["lu"]).any() else []


def _sentences(
    table: pd.DataFrame, names: list[str], number: int, card: Card, years: tuple[int, int],
    lang: Lang,
) -> list[str]:  # fmt: skip
    def say(value: float) -> str:
        return measured(value, card, lang)

    said = [topic(card, years, lang) + "."]
    zones_of, others = table.iloc[:number], table.iloc[number:]
    for year, column, word in zip(years, ("debut", "fin"), ("start", "start"), strict=True):
        text = extremes(names[:number], zones_of[column].tolist(), say, lang)
        said.append(_WORDS[lang][word].format(year=year) + text)
    change = (zones_of["fin"] - zones_of["debut"])[zones_of["lu"]]
    up, down = int((change > 0).sum()), int((change < 0).sum())
    if len(change):
        said.append(
            f"Hausse dans {up}, baisse dans {down}, sur {len(change)} évolutions lues."
            if lang == "fr"
            else f"Up in {up}, down in {down}, of {len(change)} changes read."
        )
    said.append(references(names[number:], others["fin"].tolist(), say, lang))
    return said
