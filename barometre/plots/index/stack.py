"""An index as the sum of its dimensions, beside its references: the bar of the IDH-4."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.composite.french.territorial import TerritorialIndex
from barometre.plots.index.dimensions import NAMES
from barometre.plots.look.colours import SOFT, categories
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import bare, figure_column, row_names, write_parts
from barometre.plots.look.sheet import Sheet, Signed, house

_CLOSE = 1e-6
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "{index} : ce que chaque dimension y met",
        "unit": "de 0 à 1 ; chaque dimension compte pour un {share}, plein quand elle vaut 1",
        "shares": "tiers",
        "n": "{n}ᵉ",
        "say": "{name} : {total}, dont {parts}.",
        "none": "{name} : sans valeur.",
        "absent": "sans valeur",
        "bounds": "Bornes : {bounds}.",
    },
    "en": {
        "title": "{index}: what each dimension brings",
        "unit": "from 0 to 1; each dimension counts for one {share}, full when it is 1",
        "shares": "third",
        "n": "{n}th",
        "say": "{name}: {total}, of which {parts}.",
        "none": "{name}: no value.",
        "absent": "no value",
        "bounds": "Bounds: {bounds}.",
    },
}


@house
def index_bar(
    index: TerritorialIndex,
    *,
    territories: Sequence[Hashable] | None = None,
    references: Sequence[Hashable] = (),
    year: int | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw an index as the sum of what its dimensions bring.

    Parameters
    ----------
    index : TerritorialIndex
        What `idh4` returns.
    territories : sequence, optional
        Codes of the bars, in their order; all those of the table by default, the highest first.
    references : sequence, optional
        Codes of the bars at the bottom, in bold.
    year : int, optional
        Year, the latest by default.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Parts are the dimensions divided by their number: they add up to the index, written at the
        right.

    Raises
    ------
    BarometreError
        An index that is not the mean of its dimensions (the IDT: see `gap_dimensions`), an unknown
        territory or year.
    """
    rows = _rows(index, year)
    parts = rows[list(index.dimensions)].astype("float64") / len(index.dimensions)
    total = rows[index.name].astype("float64")
    off = (parts.sum(axis=1, skipna=False) - total).abs()
    if (off > _CLOSE).any() or (parts < -_CLOSE).any(axis=None):
        raise BarometreError(
            f"{index.title} n'est pas la moyenne de ses dimensions : dessiner ses écarts avec"
            " gap_dimensions"
        )
    codes = _codes(total, territories, references)
    number = len(codes) - len([c for c in references if c in codes])
    sheet = Sheet(signed, rows=len(codes), pitch=2.3)
    lang, words, names = sheet.lang, _WORDS[sheet.lang], sheet.names(codes)
    colours = categories(len(index.dimensions))
    values, wholes = (
        parts.reindex(codes).to_numpy(np.float64),
        total.reindex(codes).to_numpy(np.float64),
    )
    highest = min(1.0, 1.12 * float(np.nanmax(wholes)) if np.isfinite(wholes).any() else 1.0)
    for ax, part in sheet.slices(len(codes)):
        ax.set_xlim(0, highest)
        row_names(sheet, ax, names[part], bold=range(number - part.start, len(codes)))
        _stack(ax, values[part], colours)
        missing = np.flatnonzero(np.isnan(wholes[part]))
        figures = [
            words["absent"] if np.isnan(v) else format_number(v, index.decimals, lang)
            for v in wholes[part]
        ]
        figure_column(sheet, ax, figures, absent=list(missing), bold=range(len(figures)))
        bare(ax)
    sheet.later(lambda: write_parts(sheet, values, colours, index.decimals))
    shown = [NAMES[lang].get(name, name) for name in index.dimensions]
    share = words["shares"] if len(shown) == 3 else words["n"].format(n=len(shown))
    _keep(sheet, parts.reindex(codes).assign(**{index.name: wholes}), names, index)
    bounds = index.bounds.reference if index.bounds is not None else ""
    return sheet.finish(
        title=words["title"].format(index=index.title),
        subtitle=words["unit"].format(share=share),
        notes=[words["bounds"].format(bounds=bounds)] if bounds else [],
        legend=[(Patch(color=c), name) for c, name in zip(colours, shown, strict=True)],
    )


def _rows(index: TerritorialIndex, year: int | None) -> pd.DataFrame:
    rows = index.table
    if "annee" not in rows.index.names:
        return rows
    years = rows.index.get_level_values("annee")
    wanted = years.max() if year is None else year
    if wanted not in years:
        raise BarometreError(f"{index.title} n'a pas de valeur en {wanted}")
    return rows[years == wanted].droplevel("annee")


def _codes(
    total: pd.Series, territories: Sequence[Hashable] | None, references: Sequence[Hashable]
) -> list[Hashable]:
    asked = [*(territories or []), *references]
    if lost := [str(code) for code in asked if code not in total.index]:
        raise BarometreError(f"territoires sans indice : {', '.join(lost)}")
    if territories is None:
        order = total.drop(list(references)).sort_values(
            ascending=False, na_position="last", kind="stable"
        )  # fmt: skip
        territories = list(order.index)
    return [*(c for c in territories if c not in references), *references]


def _stack(ax: Axes, values: Floats, colours: Sequence[str]) -> None:
    y, base = np.arange(len(values)), np.zeros(len(values))
    whole = ~np.isnan(values).any(axis=1)
    for column, colour in zip(values.T, colours, strict=True):
        wide = np.where(whole, np.nan_to_num(column), 0.0)
        ax.barh(y, wide, 0.7, left=base, color=colour, edgecolor="white", linewidth=0.6)
        base = base + wide
    ax.axvline(0, color=SOFT, linewidth=0.8)


def _keep(sheet: Sheet, table: pd.DataFrame, names: Sequence[str], index: TerritorialIndex) -> None:
    def sentences(lang: Lang) -> list[str]:
        words = _WORDS[lang]
        said = [words["title"].format(index=index.title) + "."]
        for (_, row), name in zip(table.iterrows(), names, strict=True):
            if np.isnan(row[index.name]):
                said.append(words["none"].format(name=name))
                continue
            parts = ", ".join(
                f"{NAMES[lang].get(d, d)} {format_number(row[d], index.decimals, lang)}"
                for d in index.dimensions
            )
            total = format_number(row[index.name], index.decimals, lang)
            said.append(words["say"].format(name=name, total=total, parts=parts))
        return said

    keep(sheet.axes, Equivalent(sheet.lang, sentences, table))
