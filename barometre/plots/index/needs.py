"""Where each indicator stands: worse than the reference, dispersed among the zones, or both."""

from __future__ import annotations

import textwrap
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Text

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.frames import check_frame
from barometre.base.french import Lang, format_number
from barometre.cards.listing import indicator_card
from barometre.compare.needs import DIAGNOSES
from barometre.plots import look

_GENERAL, _CONCENTRATED, _BOTH, _NEITHER = DIAGNOSES
# Shapes say the same as colours on a grey print.
_MARKS = {
    _BOTH: ("D", "#8f3d0c"),
    _GENERAL: ("s", look.UNFAVOURABLE),
    _CONCENTRATED: ("^", look.FAVOURABLE),
    _NEITHER: ("o", look.NEUTRAL),
}
_CORNERS = {_BOTH: (1, 1), _GENERAL: (1, 0), _CONCENTRATED: (0, 1), _NEITHER: (0, 0)}
_ENGLISH = {
    _BOTH: "both", _GENERAL: "widespread", _CONCENTRATED: "concentrated", _NEITHER: "neither",
}  # fmt: skip
_WORDS = {
    "fr": {
        "title": "Besoins généralisés ou concentrés",
        "x": "Écart à « {ref} », en % de sa valeur (à droite : « {ter} » moins favorable)",
        "cv": "Dispersion entre les zones (coefficient de variation, échelle en racine carrée)",
        "theil": "Dispersion entre les zones (indice de Theil, échelle en racine carrée)",
        "weight": "zones pondérées par : {by}",
        "equal": "zones de même poids",
        "limits": "Pointillés : seuils ({level} % ; {spread})",
        "left": "sans diagnostic, non représentés : {n}",
    },
    "en": {
        "title": "Widespread or concentrated needs",
        "x": "Gap to “{ref}”, in % of its value (right: “{ter}” is worse)",
        "cv": "Dispersion between zones (coefficient of variation, square-root scale)",
        "theil": "Dispersion between zones (Theil index, square-root scale)",
        "weight": "zones weighted by: {by}",
        "equal": "zones of equal weight",
        "limits": "Dotted: thresholds ({level}%; {spread})",
        "left": "without diagnosis, not shown: {n}",
    },
}
_WRAP = 46
_SIDE = 0.35  # least width of a side, where its names are written, as a share of the other


def diagnostic_map(
    diagnosis: pd.DataFrame,
    *,
    labels: pd.Series[str] | None = None,
    lang: Lang = "fr",
    ax: Axes | None = None,
) -> Axes:
    """Place each indicator by its gap to the reference and its dispersion between zones.

    Parameters
    ----------
    diagnosis : DataFrame
        What `diagnose` returns, for one territory, one reference and one pair of thresholds.
    labels : Series of str, optional
        Labels of the territories, by code.
    lang : {"fr", "en"}, default "fr"
        Language of the chart.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        One numbered point per indicator that has a diagnosis, worse to the right and dispersed at
        the top (square-root scale), and the names of the numbers at the right of the axes; the
        thresholds make four named quadrants. Indicators without diagnosis, or whose reference is 0,
        are counted below.

    Raises
    ------
    BarometreError
        Columns of `diagnose` that are absent, several choices mixed, or nothing to draw.
    """
    choices = _choices(diagnosis)
    points = diagnosis.dropna(subset=["diagnostic", "ecart_defavorable", "dispersion"])
    if points.empty:
        raise BarometreError(
            "aucun indicateur à placer : aucun n'a de diagnostic (voir la colonne « note »)"
        )
    order = points["diagnostic"].map({name: i for i, name in enumerate(_MARKS)})
    points = points.assign(_ordre=order, _x=100 * points["ecart_defavorable"])
    points = points.sort_values(["_ordre", "_x"], ascending=[True, False], kind="stable")
    if ax is None:
        lines = len(points) + 2 * points["diagnostic"].nunique()
        _, ax = plt.subplots(figsize=(12.5, max(6.5, 2 + 0.24 * lines)), layout="constrained")
    x, y = (points[name].to_numpy(np.float64) for name in ("_x", "dispersion"))
    for name, (mark, colour) in _MARKS.items():
        here = (points["diagnostic"] == name).to_numpy()
        ax.scatter(x[here], y[here], s=42, marker=mark, color=colour, zorder=4)
    corners = _quadrants(ax, x, y, choices, lang)
    _key(ax, points, lang)
    _dress(ax, choices, points, len(diagnosis) - len(points), labels, lang)
    _number(ax, x, y, corners)
    return ax


_CHOICES = ("territoire", "reference", "mesure", "seuil_niveau", "seuil_dispersion", "ponderation")


def _choices(diagnosis: pd.DataFrame) -> dict[str, Any]:
    """Take what must be the same for all points: they are on one map."""
    needed = [*_CHOICES, "indicateur", "annee", "ecart_defavorable", "dispersion", "diagnostic"]
    check_frame(diagnosis, "carte refusée", needed, remedy="donner ce que rend diagnose")
    mixed = [name for name in _CHOICES if len(diagnosis[name].unique()) > 1]
    if mixed:
        raise BarometreError(f"plusieurs valeurs de {', '.join(mixed)} : une carte pour chacune")
    return {name: diagnosis[name].iloc[0] for name in _CHOICES if len(diagnosis)}


def _quadrants(ax: Axes, x: Floats, y: Floats, choices: dict[str, Any], lang: Lang) -> list[Text]:
    """Draw the thresholds, leave room for the labels, name the corners."""
    level, spread = 100 * choices["seuil_niveau"], choices["seuil_dispersion"]
    left, right = min(x.min(), 0.0, level), max(x.max(), 0.0, level)
    room = 0.08 * (right - left) or 1.0
    low = min(left - room, level - _SIDE * (right + room - level))
    ax.set_xlim(low, max(right + room, level + _SIDE * (level - low)))
    # Most dispersions are small, and a few very large; a logarithm has no place for 0.
    ax.set_yscale("function", functions=(np.sqrt, np.square))
    ax.set_ylim(0, 1.25 * (max(y.max(), spread) or 1.0))
    ax.axvline(level, color=look.INK, linewidth=1, linestyle=":", zorder=2)
    ax.axhline(spread, color=look.INK, linewidth=1, linestyle=":", zorder=2)
    ax.axvline(0, color=look.SOFT, linewidth=0.6, zorder=1)
    corners = []
    for name, word in zip(_MARKS, _quadrant_names(lang), strict=True):
        (h, v), colour = _CORNERS[name], _MARKS[name][1]
        text = ax.text(
            0.99 if h else 0.01,
            0.985 if v else 0.015,
            word,
            transform=ax.transAxes,
            ha="right" if h else "left",
            va="top" if v else "bottom",
            fontsize=11,
            fontweight="bold",
            color=colour,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            zorder=3,
        )
        corners.append(text)
    return corners


def _quadrant_names(lang: Lang) -> list[str]:
    return [(name if lang == "fr" else _ENGLISH[name]).upper() for name in _MARKS]


def _dress(
    ax: Axes,
    choices: dict[str, Any],
    points: pd.DataFrame,
    left_out: int,
    labels: pd.Series[str] | None,
    lang: Lang,
) -> None:
    words = _WORDS[lang]
    ter, ref = look.names_of(pd.Index([choices["territoire"], choices["reference"]]), labels)
    first, last = points["annee"].min(), points["annee"].max()
    years = f"{first}" if first == last else f"{first}-{last}"
    ax.set_title(
        f"{words['title']} : {ter}, {years}"
        if lang == "fr"
        else f"{words['title']}: {ter}, {years}",
        loc="left",
        fontsize=12,
        fontweight="bold",
        color=look.INK,
    )
    weight = words["equal" if choices["ponderation"] == "égale" else "weight"]
    ax.set_xlabel(words["x"].format(ref=ref, ter=ter), color=look.INK)
    ax.set_ylabel(words[choices["mesure"]], color=look.INK)
    limits = words["limits"].format(
        level=format_number(100 * choices["seuil_niveau"], 0, lang),
        spread=format_number(choices["seuil_dispersion"], 2, lang),
    )
    notes = [limits, weight.format(by=choices["ponderation"])]
    if left_out:
        notes.append(words["left"].format(n=left_out))
    ax.annotate(
        " ; ".join(notes) if lang == "fr" else "; ".join(notes),
        (0, 0),
        xytext=(0, -42),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize=8.5,
        color=look.SOFT,
    )
    ax.xaxis.set_major_formatter(lambda value, _: format_number(value, 0, lang, signed=True))
    decimals = 1 if ax.get_ylim()[1] > 1 else 2
    ax.yaxis.set_major_formatter(lambda value, _: format_number(value, decimals, lang))
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(length=0, labelsize=9, labelcolor=look.INK)


# ---- numbers beside the points, and what they stand for -----------------------------------------

_ANGLES = np.deg2rad(np.arange(0, 360, 30))
_REACH = (5.0, 12.0, 20.0, 30.0, 42.0)  # points between a mark and its number
_MARK = 4.0  # half of a mark, in points
_LINE = 12.5  # points between two lines of the key


def _key(ax: Axes, points: pd.DataFrame, lang: Lang) -> None:
    """Name the numbers at the right of the axes, one group by quadrant."""
    heights, number = 0.0, 0
    style: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "top",
    }
    for name, word in zip(_MARKS, _quadrant_names(lang), strict=True):
        here = points[points["diagnostic"] == name]
        if here.empty:
            continue
        ax.annotate(
            word, (1, 1), xytext=(16, -heights), fontsize=9.5, fontweight="bold",
            color=_MARKS[name][1], **style,
        )  # fmt: skip
        heights += 1.2 * _LINE
        for indicator in here["indicateur"]:
            number += 1
            label = textwrap.wrap(indicator_card(indicator).libelle[lang], _WRAP)
            ax.annotate(f"{number}", (1, 1), xytext=(29, -heights), ha="right", fontsize=8.5,
                        color=look.SOFT, **style)  # fmt: skip
            ax.annotate("\n".join(label), (1, 1), xytext=(34, -heights), fontsize=8.5,
                        color=look.INK, **style)  # fmt: skip
            heights += _LINE * len(label)
        heights += 0.6 * _LINE


def _number(ax: Axes, x: Floats, y: Floats, corners: list[Text]) -> None:
    """Put each number at the nearest place where it hides nothing, with a line when it is far."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # the layout moves the axes
    scale = figure.dpi / 72
    at = ax.transData.transform(np.column_stack([x, y])) / scale
    names = [np.array(corner.get_window_extent().extents) / scale for corner in corners]
    taken = [*np.column_stack([at - _MARK, at + _MARK]), *names]
    frame = np.array(ax.get_window_extent().extents) / scale
    size = np.array([9.0, 8.0])
    for i, point in enumerate(at):
        offset, reach, box = _nearest_free(point, size, np.array(taken), frame)
        taken.append(box)
        ax.annotate(
            f"{i + 1}",
            (x[i], y[i]),
            xytext=(offset[0], offset[1]),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8,
            color=look.INK,
            zorder=5,
            arrowprops={"arrowstyle": "-", "color": look.SOFT, "linewidth": 0.6}
            if reach > _REACH[1]
            else None,
        ).set_in_layout(False)


def _nearest_free(
    point: Floats, size: Floats, taken: Floats, frame: Floats
) -> tuple[Floats, float, Floats]:
    """Choose, among places around a point, the one that overlaps least, then the nearest."""
    way = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
    offsets = np.concatenate([way * reach + way * size / 2 for reach in _REACH])
    low = point + offsets - size / 2
    high = low + size
    across = np.minimum(high[:, None], taken[None, :, 2:]) - np.maximum(
        low[:, None], taken[None, :, :2]
    )
    overlap = np.clip(across + 0.5, 0, None).prod(axis=2).sum(axis=1)
    outside = np.clip(frame[:2] - low, 0, None).sum(axis=1)
    outside += np.clip(high - frame[2:], 0, None).sum(axis=1)
    best = int(np.argmin(10 * overlap + 50 * outside + np.hypot(*offsets.T)))
    return offsets[best], _REACH[best // len(_ANGLES)], np.concatenate([low[best], high[best]])
