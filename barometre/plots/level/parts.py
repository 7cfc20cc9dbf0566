"""Parts of a whole, territory by territory, as stacked bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.base.french import Lang, absent_label, format_number
from barometre.plots.look.colours import PALE, SOFT, categories
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import bare, row_names, write_parts
from barometre.plots.look.naming import clean
from barometre.plots.look.sheet import Sheet, Signed, house

_SLACK = 0.6  # points by which printed shares, each rounded, may pass 100
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "rest": "non renseigné",
        "title": "Répartition",
        "unit": "parts, en %",
        "say": "{part} : de {low} % ({a}) à {high} % ({b}).",
        "none": "Sans valeur : {names}.",
    },
    "en": {
        "rest": "not known",
        "title": "Distribution",
        "unit": "shares, in %",
        "say": "{part}: from {low}% ({a}) to {high}% ({b}).",
        "none": "Without a value: {names}.",
    },
}


@house
def share_bars(
    table: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    counts: bool = False,
    ordered: bool = False,
    references: Sequence[str] = (),
    sort: str | None = None,
    decimals: int = 0,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw the parts of a whole as bars stacked to 100 %.

    Parameters
    ----------
    table : DataFrame
        One row per territory (index of codes), one column per part: shares in per cent, or counts.
    names : mapping, optional
        Names of the parts, those of the columns by default.
    counts : bool, default False
        The columns are counts, of which shares are made.
    ordered : bool, default False
        The parts have an order (ages, sizes): colours go from light to dark.
    references : sequence of str, optional
        Codes of rows drawn at the bottom, in bold.
    sort : str, optional
        Column by which rows are sorted, the highest at the top; the order received by default.
    decimals : int, default 0
        Decimals of the shares written.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Shares are written where there is room. What is missing to 100 is hatched and said; a row
        with a missing part is hatched as a whole.

    Raises
    ------
    BarometreError
        No part, a column that is absent, negative parts, or shares that pass 100 %.
    """
    shares = _shares(table, counts)
    rows = _ordered(shares, references, sort)
    sheet = Sheet(signed, rows=len(rows), pitch=1.9)
    lang, words = sheet.lang, _WORDS[sheet.lang]
    labels = sheet.names(rows.index)
    number = int((~rows.index.isin(list(references))).sum())
    colours = categories(rows.shape[1], ordered=ordered)
    values = rows.to_numpy(np.float64)
    for ax, part in sheet.slices(len(rows)):
        ax.set_xlim(0, 100)
        row_names(sheet, ax, labels[part], bold=range(number - part.start, len(rows)))
        bare(ax)
        _stack(ax, values[part], colours, lang)
    sheet.later(lambda: write_parts(sheet, values, colours, decimals))
    parts = [clean((names or {}).get(str(c), str(c))) for c in rows]
    entries = [(Patch(color=c), name) for c, name in zip(colours, parts, strict=True)]
    if (_rest(values) > _SLACK).any() or np.isnan(values).any():
        entries.append((Patch(facecolor="white", edgecolor=SOFT, hatch="////"), words["rest"]))

    def sentences(lang: Lang) -> list[str]:
        return _sentences(rows.iloc[:number], labels, parts, decimals, lang)

    keep(sheet.axes, Equivalent(lang, sentences, rows))
    return sheet.finish(title=words["title"], subtitle=words["unit"], legend=entries)


def _shares(table: pd.DataFrame, counts: bool) -> pd.DataFrame:
    if table.empty or not table.shape[1]:
        raise BarometreError("barres empilées refusées : ni ligne ni part à dessiner")
    shares = table.astype("float64")
    if counts:
        shares = 100 * shares.div(shares.sum(axis=1, skipna=False).replace(0, np.nan), axis=0)
    faults = [
        Fault(", ".join(map(str, shares.index[wrong])), problem, remedy)
        for wrong, problem, remedy in (
            ((shares < 0).any(axis=1), "part négative", "des parts vont de 0 à 100"),
            (
                shares.sum(axis=1) > 100 + _SLACK * shares.shape[1],
                "parts dont la somme passe 100 %",
                "donner des parts d'un même tout, ou counts=True pour des effectifs",
            ),
        )
        if wrong.any()
    ]
    if faults:
        raise FaultsError("barres empilées refusées", faults)
    return shares


def _ordered(shares: pd.DataFrame, references: Sequence[str], sort: str | None) -> pd.DataFrame:
    if sort is not None and sort not in shares:
        raise BarometreError(
            f"sort=« {sort} » n'est pas une part ; parts : {', '.join(map(str, shares))}"
        )
    below = shares.index.isin(list(references))
    zones = shares[~below]
    if sort is not None:
        zones = zones.sort_values(sort, ascending=False, kind="stable")
    return pd.concat([zones, shares.reindex([c for c in references if c in shares.index])])


def _rest(values: Floats) -> Floats:
    return np.asarray(100 - np.nansum(values, axis=1), dtype=np.float64)


def _stack(ax: Axes, values: Floats, colours: Sequence[str], lang: Lang) -> None:
    y, base = np.arange(len(values)), np.zeros(len(values))
    unknown = np.isnan(values).any(axis=1)
    for column, colour in zip(values.T, colours, strict=True):
        wide = np.where(unknown, 0.0, np.nan_to_num(column))
        ax.barh(y, wide, 0.78, left=base, color=colour, edgecolor="white", linewidth=0.6)
        base = base + wide
    left = np.where(100 - base > _SLACK * len(colours), 100 - base, 0.0)
    ax.barh(y, left, 0.78, left=base, facecolor="white", edgecolor=PALE, hatch="////", linewidth=0)
    for i in np.flatnonzero(unknown):
        ax.annotate(absent_label("non_disponible", lang), (50, i), ha="center", va="center",
                    style="italic", fontsize=8, color=SOFT,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip


def _sentences(
    rows: pd.DataFrame, labels: list[str], parts: list[str], decimals: int, lang: Lang
) -> list[str]:
    words, said = _WORDS[lang], []
    for name, column in zip(parts, rows, strict=True):
        known = rows[column].to_numpy(np.float64)
        if np.isnan(known).all():
            continue
        low, high = int(np.nanargmin(known)), int(np.nanargmax(known))
        numbers = {key: format_number(known[at], decimals, lang)
                   for key, at in (("low", low), ("high", high))}  # fmt: skip
        said.append(words["say"].format(part=name, a=labels[low], b=labels[high], **numbers))
    missing = [labels[i] for i in np.flatnonzero(rows.isna().any(axis=1))]
    return [*said, words["none"].format(names=", ".join(missing)) if missing else ""]
