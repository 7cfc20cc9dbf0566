"""The gap of each territory to a reference, split between the dimensions of an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.composite.french.reconstructed import NAME
from barometre.composite.french.territorial import TerritorialIndex
from barometre.plots import look

# Told apart by colour-blind people, and by their greys on print.
_COLOURS = ("#2c6fa6", "#e69f00", "#7b5ea7", "#3f8f5b", "#56b4e9", "#b8860b")
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
        "idt": "IDT reconstitué, qui n'est pas un chiffre de COMPAS",
        "without": "sans valeur",
        "x": "Écart, en points de l'indice (à gauche : moins que « {ref} »)",
        "x_plain": "Écart, en points de l'indice",
    },
    "en": {
        "title": "{index}: what makes the gap to “{ref}”",
        "plain": "{index}: what makes the gap",
        "total": "gap",
        "idt": "Reconstructed IDT: not a figure of COMPAS",
        "without": "no value",
        "x": "Gap, in points of the index (left: less than “{ref}”)",
        "x_plain": "Gap, in points of the index",
    },
}
_WRITTEN = 0.09  # share of the width of the chart under which a part is not written in its bar


def gap_dimensions(
    contributions: TerritorialIndex | pd.DataFrame,
    *,
    territories: Sequence[Any] | None = None,
    labels: Mapping[Any, str] | pd.Series[str] | None = None,
    year: int | None = None,
    title: str | None = None,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Draw the gap of each territory to a reference as bars stacked by dimension.

    Parameters
    ----------
    contributions : TerritorialIndex or DataFrame
        ``idh4(...).contributions(reference)``: a column per dimension and ``ecart``, their sum; or
        what `idt` returns, whose reference is its zero.
    territories : sequence, optional
        Codes to draw; by default all.
    labels : mapping or Series of str, optional
        Names by code.
    year : int, optional
        Year, the latest by default.
    title : str, optional
        Title.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure of fitting height by default.

    Returns
    -------
    Axes
        Highest gap at the top; what lowers a territory to the left of zero, what raises it to the
        right; a triangle under the bar and a figure give the gap. Territories without a gap are at
        the bottom, and said to have no value.

    Raises
    ------
    BarometreError
        A frame of something else, an unknown territory or year, or nothing to draw.
    """
    if isinstance(contributions, TerritorialIndex):
        contributions = contributions.contributions()
    rows, parts, decimals = _rows(contributions, territories, year)
    words, names = _WORDS[lang], NAMES[lang]
    rows = rows.sort_values("ecart", na_position="first", kind="stable")
    if ax is None:
        _, ax = plt.subplots(figsize=(8.5, 1.9 + 0.36 * len(rows)), layout="constrained")
    width = _draw(ax, rows, parts, names)
    _write(ax, rows, parts, width, decimals, lang)
    index = str(contributions.attrs.get("indice", "Indice"))
    code = contributions.attrs.get("reference", "")
    reference = look.names_of(pd.Index([code]), _series(labels))[0] if code else ""
    ax.set_yticks(range(len(rows)), look.names_of(rows.index, _series(labels)))
    ax.set_ylim(-0.7, len(rows) - 0.4)
    plain = words["title" if reference else "plain"].format(index=index, ref=reference)
    ax.set_title(title or plain, loc="left", fontsize=12, fontweight="bold", color=look.INK, pad=10)
    axis = words["x" if reference else "x_plain"].format(ref=reference)
    note = f"\n{words['idt']}" if index == NAME else ""
    ax.set_xlabel(axis + note, color=look.SOFT, fontsize=9, loc="left")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=9)
    ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    ax.tick_params(axis="both", length=0, labelsize=9, labelcolor=look.INK)
    ax.xaxis.set_major_formatter(lambda value, _: format_number(value, decimals, lang, signed=True))
    return ax


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
    if "ecart" not in frame or not 1 <= len(parts) <= len(_COLOURS):
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


def _series(labels: Mapping[Any, str] | pd.Series[str] | None) -> pd.Series[str] | None:
    return labels if labels is None or isinstance(labels, pd.Series) else pd.Series(labels)


def _draw(ax: Axes, rows: pd.DataFrame, parts: list[str], names: Mapping[str, str]) -> float:
    """Stack the parts on each side of zero; return the width of the whole."""
    ends = {side: np.zeros(len(rows)) for side in (-1, 1)}
    y = np.arange(len(rows))
    for part, colour in zip(parts, _COLOURS, strict=False):
        values = rows[part].fillna(0.0).to_numpy()
        start = np.where(values < 0, ends[-1], ends[1])
        ax.barh(y, values, 0.68, left=start, color=colour, edgecolor="white", linewidth=0.8,
                label=names.get(part, part))  # fmt: skip
        ends[-1] += np.minimum(values, 0)
        ends[1] += np.maximum(values, 0)
    ax.axvline(0, color=look.INK, linewidth=1)
    width = float(ends[1].max() - ends[-1].min())
    margin = 0.17 * (width or 1.0)  # room for the figures
    ax.set_xlim(ends[-1].min() - margin, ends[1].max() + margin)
    return width


def _write(
    ax: Axes, rows: pd.DataFrame, parts: list[str], width: float, decimals: int, lang: Lang
) -> None:
    """Write parts in their bars, and the gap beside them."""
    for y, (_, row) in enumerate(rows.iterrows()):
        if np.isnan(row["ecart"]):
            ax.annotate(_WORDS[lang]["without"], (0, y), xytext=(4, 0), va="center",
                        textcoords="offset points", fontsize=9, style="italic",
                        color=look.SOFT)  # fmt: skip
            continue
        ends = {-1: 0.0, 1: 0.0}
        for part, colour in zip(parts, _COLOURS, strict=False):
            value, side = float(row[part]), -1 if row[part] < 0 else 1
            if abs(value) > _WRITTEN * width:
                red, green, blue = to_rgb(colour)
                dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.6
                said = format_number(value, decimals, lang, signed=True)
                ax.text(ends[side] + value / 2, y, said, ha="center", va="center", fontsize=8,
                        color="white" if dark else look.INK)  # fmt: skip
            ends[side] += value
        low = row["ecart"] < 0
        ax.annotate(
            format_number(row["ecart"], decimals, lang, signed=True),
            (ends[-1] if low else ends[1], y),
            xytext=(-5 if low else 5, 0),
            textcoords="offset points",
            ha="right" if low else "left",
            va="center",
            fontsize=9,
            fontweight="bold",
            color=look.INK,
        )
    known = rows["ecart"].notna().to_numpy()
    below = np.flatnonzero(known) - 0.42  # under the bar: over it, it would hide figures
    ax.scatter(rows["ecart"][known], below, marker="^", s=26, color=look.INK, zorder=4,
               label=_WORDS[lang]["total"])  # fmt: skip
