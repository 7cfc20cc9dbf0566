"""The gap of each territory to a reference, split between the dimensions of an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.composite.french.reconstructed import NAME
from barometre.composite.french.territorial import TerritorialIndex
from barometre.plots.look.colours import INK, categories, ink_on
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import bare, figure_column, row_names
from barometre.plots.look.naming import clean
from barometre.plots.look.sheet import Sheet, Signed, house

_MOST = 8  # dimensions that colours tell apart
NAMES: dict[Lang, dict[str, str]] = {
    "fr": {
        "sante": "santé",
        "education": "éducation",
        "niveau_de_vie": "niveau de vie",
        "emploi": "emploi des 25-54 ans",
        "formation": "formation au-dessus du bac",
        "revenu": "revenu médian",
    },
    "en": {
        "sante": "health",
        "education": "education",
        "niveau_de_vie": "living standard",
        "emploi": "employment at 25-54",
        "formation": "education above bac",
        "revenu": "median income",
    },
}
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "{index} : ce qui fait l'écart à « {ref} »",
        "plain": "{index} : ce qui fait l'écart",
        "total": "écart",
        "idt": "IDT reconstitué, qui n'est pas un chiffre de COMPAS.",
        "without": "sans valeur",
        "x": "Écart, en points de l'indice (à gauche : moins que « {ref} »)",
        "x_plain": "Écart, en points de l'indice",
    },
    "en": {
        "title": "{index}: what makes the gap to “{ref}”",
        "plain": "{index}: what makes the gap",
        "total": "gap",
        "idt": "Reconstructed IDT: not a figure of COMPAS.",
        "without": "no value",
        "x": "Gap, in points of the index (left: less than “{ref}”)",
        "x_plain": "Gap, in points of the index",
    },
}


@house
def gap_dimensions(
    contributions: TerritorialIndex | pd.DataFrame,
    *,
    territories: Sequence[Any] | None = None,
    year: int | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Draw the gap of each territory to a reference as bars stacked by dimension.

    Parameters
    ----------
    contributions : TerritorialIndex or DataFrame
        ``idh4(...).contributions(reference)``: a column per dimension and ``ecart``, their sum; or
        what `idt` returns, whose reference is its zero.
    territories : sequence, optional
        Codes to draw; by default all.
    year : int, optional
        Year, the latest by default.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Highest gap at the top; what lowers a territory to the left of zero, what raises it to the
        right; a triangle under the bar and a figure in a column give the gap. Territories without a
        gap are at the bottom, and said to have no value.

    Raises
    ------
    BarometreError
        A frame of something else, an unknown territory or year, or nothing to draw.
    """
    if isinstance(contributions, TerritorialIndex):
        contributions = contributions.contributions()
    rows, parts, decimals = _rows(contributions, territories, year)
    rows = rows.sort_values("ecart", ascending=False, na_position="last", kind="stable")
    sheet = Sheet(signed, rows=len(rows), pitch=2.2)
    lang, words = sheet.lang, _WORDS[sheet.lang]
    names = sheet.names(rows.index)
    legend: list[tuple[Artist, str]] = []
    for ax, part in sheet.slices(len(rows)):
        legend = _draw(ax, rows.iloc[part], parts, NAMES[lang])
        row_names(sheet, ax, names[part])
    ends = _limits(rows, parts)
    for ax, part in sheet.slices(len(rows)):
        ax.set_xlim(*ends)
        _figures(sheet, ax, rows.iloc[part], parts, decimals)
        bare(ax, x=False)
        ax.tick_params(axis="x", labelsize=sheet.small)
        ax.xaxis.set_major_formatter(lambda v, _: format_number(v, decimals, lang, signed=True))
    sheet.later(lambda: _write(sheet, rows, parts, decimals))
    legend.append(
        (Line2D([], [], marker="^", linestyle="none", color=INK, markersize=5), words["total"])
    )
    index = str(contributions.attrs.get("indice", "Indice"))
    code = contributions.attrs.get("reference", "")
    reference = sheet.names([code])[0] if code else ""
    plain = words["title" if reference else "plain"].format(index=index, ref=reference)
    axis = words["x" if reference else "x_plain"].format(ref=reference)

    def sentences(lang: Lang) -> list[str]:
        return _sentences(rows, names, (index, reference), decimals, lang)

    keep(sheet.axes, Equivalent(lang, sentences, rows))
    return sheet.finish(
        title=plain, subtitle=axis, notes=[words["idt"]] if index == NAME else [], legend=legend
    )


def _sentences(
    rows: pd.DataFrame, names: Sequence[str], what: tuple[str, str], decimals: int, lang: Lang
) -> list[str]:
    (index, reference), words = what, _WORDS[lang]
    said = [words["title" if reference else "plain"].format(index=index, ref=reference) + "."]
    for name, (_, row) in zip(names, rows.iterrows(), strict=True):
        if np.isnan(row["ecart"]):
            said.append(f"{name} {words['without']}.")
            continue
        parts = ", ".join(
            f"{NAMES[lang].get(str(part), str(part))}"
            f" {format_number(float(row[part]), decimals, lang, signed=True)}"
            for part in map(str, rows)
            if part != "ecart"
        )
        total = format_number(float(row["ecart"]), decimals, lang, signed=True)
        said.append(f"{name} {total} ({parts}).")
    return said


def _rows(
    contributions: pd.DataFrame, territories: Sequence[Any] | None, year: int | None
) -> tuple[pd.DataFrame, list[str], int]:
    """Take the rows to draw, by code, the names of the dimensions, and the decimals to print."""
    frame, decimals = contributions, 0 if contributions.attrs.get("indice") == NAME else 2
    if "idt_reconstitue" in frame:
        names = [c for c in map(str, frame) if c.startswith("contribution_")]
        short = {name: name.removeprefix("contribution_") for name in names}
        frame = frame[[*short, "idt_reconstitue"]].rename(columns=short)
        frame, decimals = frame.rename(columns={"idt_reconstitue": "ecart"}), 0
    parts = [str(name) for name in frame if name != "ecart"]
    if "ecart" not in frame or not 1 <= len(parts) <= _MOST:
        raise BarometreError(
            "contributions refusées : une colonne par dimension et « ecart », comme les donne"
            " idh4(...).contributions(reference)"
        )
    if "annee" in frame.index.names:
        years = frame.index.get_level_values("annee")
        wanted = years.max() if year is None else year
        if wanted not in years:
            raise BarometreError(f"aucun écart en {wanted}")
        frame = frame[years == wanted].droplevel("annee")
    if territories is not None:
        unknown = [str(code) for code in territories if code not in frame.index]
        if unknown:
            raise BarometreError(f"territoires sans écart : {', '.join(unknown)}")
        frame = frame.loc[list(territories)]
    if frame["ecart"].isna().all():
        raise BarometreError("aucun écart à représenter")
    return frame, parts, decimals


def _limits(rows: pd.DataFrame, parts: list[str]) -> tuple[float, float]:
    """Find the ends of the bars, with room for the figures beside them."""
    values = rows[parts].fillna(0.0).to_numpy(np.float64)
    low = float(np.minimum(values, 0).sum(axis=1).min())
    high = float(np.maximum(values, 0).sum(axis=1).max())
    room = 0.03 * ((high - low) or 1.0)
    return low - room, high + room


def _draw(
    ax: Axes, rows: pd.DataFrame, parts: list[str], names: Mapping[str, str]
) -> list[tuple[Artist, str]]:
    """Stack the parts on each side of zero; return the entries of the legend."""
    ends = {side: np.zeros(len(rows)) for side in (-1, 1)}
    y, entries = np.arange(len(rows)), list[tuple[Artist, str]]()
    for part, colour in zip(parts, categories(len(parts)), strict=True):
        values = rows[part].fillna(0.0).to_numpy()
        start = np.where(values < 0, ends[-1], ends[1])
        ax.barh(y, values, 0.68, left=start, color=colour, edgecolor="white", linewidth=0.8)
        ends[-1] += np.minimum(values, 0)
        ends[1] += np.maximum(values, 0)
        entries.append((Patch(color=colour), clean(names.get(part, part))))
    known = rows["ecart"].notna().to_numpy()
    below = np.flatnonzero(known) + 0.42  # under the bar: over it, it would hide figures
    ax.scatter(rows["ecart"][known], below, marker="^", s=20, color=INK, zorder=4)
    ax.axvline(0, color=INK, linewidth=1)
    return entries


def _figures(sheet: Sheet, ax: Axes, rows: pd.DataFrame, parts: list[str], decimals: int) -> None:
    """Write the gaps in a column at the right."""
    gaps = rows["ecart"].to_numpy(np.float64)
    texts = [
        _WORDS[sheet.lang]["without"]
        if np.isnan(gap)
        else format_number(gap, decimals, sheet.lang, signed=True)
        for gap in gaps
    ]
    missing = [i for i, gap in enumerate(gaps) if np.isnan(gap)]
    figure_column(sheet, ax, texts, absent=missing, bold=range(len(gaps)))


def _write(sheet: Sheet, rows: pd.DataFrame, parts: list[str], decimals: int) -> None:
    """Write the parts in their bars, where there is room."""
    size = 0.88 * sheet.text
    for ax, part in sheet.slices(len(rows)):
        low, high = ax.get_xlim()
        frame = ax.get_window_extent(sheet.renderer)
        unit = frame.width * 72 / sheet.figure.dpi / (high - low)
        for y, (_, row) in enumerate(rows.iloc[part].iterrows()):
            ends = {-1: 0.0, 1: 0.0}
            for name, colour in zip(parts, categories(len(parts)), strict=True):
                value = float(row[name])
                if np.isnan(row["ecart"]) or np.isnan(value):
                    continue
                side = -1 if value < 0 else 1
                text = format_number(value, decimals, sheet.lang, signed=True)
                if sheet.wide(text, size) + 3 < abs(value) * unit:
                    ax.text(ends[side] + value / 2, y, text, ha="center", va="center_baseline",
                            fontsize=size, color=ink_on(colour))  # fmt: skip
                ends[side] += value
