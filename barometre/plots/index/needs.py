"""Where each indicator stands: worse than the reference, dispersed among the zones, or both."""

from __future__ import annotations

from typing import Any, Unpack

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
from barometre.plots.look.colours import FAVOURABLE, INK, NEUTRAL, SOFT, UNFAVOURABLE
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.sheet import Sheet, Signed, house

_GENERAL, _CONCENTRATED, _BOTH, _NEITHER = DIAGNOSES
# Shapes say the same as colours on a grey print.
_MARKS = {
    _BOTH: ("D", "#8f3d0c"),
    _GENERAL: ("s", UNFAVOURABLE),
    _CONCENTRATED: ("^", FAVOURABLE),
    _NEITHER: ("o", NEUTRAL),
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
_SIDE = 0.35  # least width of a side, where its names are written, as a share of the other


@house
def diagnostic_map(
    diagnosis: pd.DataFrame,
    **signed: Unpack[Signed],
) -> Axes:
    """Place each indicator by its gap to the reference and its dispersion between zones.

    Parameters
    ----------
    diagnosis : DataFrame
        What `diagnose` returns, for one territory, one reference and one pair of thresholds.
    **signed
        Title, source, size...: see `Signed`.

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
    sheet = Sheet(signed, aspect=0.52, landscape=True)
    ax, lang = sheet.axes[0], sheet.lang
    x, y = (points[name].to_numpy(np.float64) for name in ("_x", "dispersion"))
    for name, (mark, colour) in _MARKS.items():
        chosen = (points["diagnostic"] == name).to_numpy()
        ax.scatter(x[chosen], y[chosen], s=3.4 * sheet.text, marker=mark, color=colour, zorder=4)
    corners = _quadrants(sheet, ax, x, y, choices)
    _key(sheet, ax, points)
    ter, ref = sheet.names([choices["territoire"], choices["reference"]])
    words = _WORDS[lang]
    across = words["x"].format(ref=ref, ter=ter)
    ax.set_xlabel(sheet.folded(across, sheet.small, 0.42 * 72 * sheet.width), fontsize=sheet.small)
    ax.set_ylabel(
        sheet.folded(words[choices["mesure"]], sheet.small, 0.8 * sheet.height),
        fontsize=sheet.small,
    )
    _scales(sheet, ax)
    sheet.later(lambda: _number(sheet, ax, x, y, corners))
    first, last = points["annee"].min(), points["annee"].max()
    years = f"{first}" if first == last else f"{first}-{last}"

    def sentences(lang: Lang) -> list[str]:
        return _sentences(points, (ter, ref), lang)

    keep(sheet.axes, Equivalent(lang, sentences, points.drop(columns=["_ordre", "_x"])))
    return sheet.finish(
        title=f"{words['title']}{' : ' if lang == 'fr' else ': '}{ter}, {years}",
        source=_producers(points),
        notes=[_note(choices, len(diagnosis) - len(points), lang)],
    )


def _producers(points: pd.DataFrame) -> str:
    return " ; ".join(dict.fromkeys(indicator_card(i).producteur for i in points["indicateur"]))


def _note(choices: dict[str, Any], left_out: int, lang: Lang) -> str:
    """Say the thresholds, the weights, and what has no diagnosis."""
    words = _WORDS[lang]
    weight = words["equal" if choices["ponderation"] == "égale" else "weight"]
    limits = words["limits"].format(
        level=format_number(100 * choices["seuil_niveau"], 0, lang),
        spread=format_number(choices["seuil_dispersion"], 2, lang),
    )
    notes = [limits, weight.format(by=choices["ponderation"])]
    if left_out:
        notes.append(words["left"].format(n=left_out))
    return (" ; " if lang == "fr" else "; ").join(notes) + "."


def _sentences(points: pd.DataFrame, names: tuple[str, str], lang: Lang) -> list[str]:
    colon = " : " if lang == "fr" else ": "
    said = [f"{_WORDS[lang]['title']}{colon}{names[0]} / {names[1].rstrip('.')}."]
    for name, word in zip(_MARKS, _quadrant_names(lang), strict=True):
        found = points.loc[points["diagnostic"] == name, "indicateur"]
        if len(found):
            listed = ", ".join(indicator_card(i).libelle[lang] for i in found)
            said.append(f"{word.capitalize()}{colon}{listed}.")
    return said


_CHOICES = ("territoire", "reference", "mesure", "seuil_niveau", "seuil_dispersion", "ponderation")


def _choices(diagnosis: pd.DataFrame) -> dict[str, Any]:
    """Take what must be the same for all points: they are on one map."""
    needed = [*_CHOICES, "indicateur", "annee", "ecart_defavorable", "dispersion", "diagnostic"]
    check_frame(diagnosis, "carte refusée", needed, remedy="donner ce que rend diagnose")
    mixed = [name for name in _CHOICES if len(diagnosis[name].unique()) > 1]
    if mixed:
        raise BarometreError(f"plusieurs valeurs de {', '.join(mixed)} : une carte pour chacune")
    return {name: diagnosis[name].iloc[0] for name in _CHOICES if len(diagnosis)}


def _quadrants(sheet: Sheet, ax: Axes, x: Floats, y: Floats, choices: dict[str, Any]) -> list[Text]:
    """Draw the thresholds, leave room for the labels, name the corners."""
    level, spread = 100 * choices["seuil_niveau"], choices["seuil_dispersion"]
    left, right = min(x.min(), 0.0, level), max(x.max(), 0.0, level)
    room = 0.08 * (right - left) or 1.0
    low = min(left - room, level - _SIDE * (right + room - level))
    ax.set_xlim(low, max(right + room, level + _SIDE * (level - low)))
    # Most dispersions are small, and a few very large; a logarithm has no place for 0.
    ax.set_yscale("function", functions=(np.sqrt, np.square))
    ax.set_ylim(0, 1.25 * (max(y.max(), spread) or 1.0))
    ax.axvline(level, color=INK, linewidth=1, linestyle=":", zorder=2)
    ax.axhline(spread, color=INK, linewidth=1, linestyle=":", zorder=2)
    ax.axvline(0, color=SOFT, linewidth=0.6, zorder=1)
    corners = []
    for name, word in zip(_MARKS, _quadrant_names(sheet.lang), strict=True):
        (h, v), colour = _CORNERS[name], _MARKS[name][1]
        text = ax.text(
            0.99 if h else 0.01,
            0.985 if v else 0.015,
            word,
            transform=ax.transAxes,
            ha="right" if h else "left",
            va="top" if v else "bottom",
            fontsize=sheet.text + 1,
            fontweight="bold",
            color=colour,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            zorder=3,
        )
        corners.append(text)
    return corners


def _quadrant_names(lang: Lang) -> list[str]:
    return [(name if lang == "fr" else _ENGLISH[name]).upper() for name in _MARKS]


def _scales(sheet: Sheet, ax: Axes) -> None:
    lang = sheet.lang
    ax.xaxis.set_major_formatter(lambda value, _: format_number(value, 0, lang, signed=True))
    decimals = 1 if ax.get_ylim()[1] > 1 else 2
    ax.yaxis.set_major_formatter(lambda value, _: format_number(value, decimals, lang))
    ax.tick_params(length=0, labelsize=sheet.small, labelcolor=INK)


# ---- numbers beside the points, and what they stand for -----------------------------------------

_ANGLES = np.deg2rad(np.arange(0, 360, 30))
_REACH = (5.0, 12.0, 20.0, 30.0, 42.0)  # points between a mark and its number
_MARK = 4.0  # half of a mark, in points
_LINE = 1.45  # from one line of the key to the next, in sizes of its type


def _key(sheet: Sheet, ax: Axes, points: pd.DataFrame) -> None:
    """Name the numbers at the right of the axes, one group by quadrant, smaller when they are many.

    The key takes the height of the chart, from the top.
    """
    style: dict[str, Any] = {
        "xycoords": "axes fraction", "textcoords": "offset points", "va": "top",
        "annotation_clip": False,
    }  # fmt: skip
    wide = 0.36 * 72 * sheet.width
    of = points.groupby("diagnostic", sort=False)["indicateur"].apply(list).to_dict()
    groups = [
        (word, colour, [indicator_card(i).libelle[sheet.lang] for i in of.get(name, [])])
        for (name, (_, colour)), word in zip(
            _MARKS.items(), _quadrant_names(sheet.lang), strict=True
        )
    ]
    size = sheet.small
    for size in np.arange(sheet.small, 5.0, -0.5):
        folded = [[sheet.folded(name, size, wide) for name in names] for _, _, names in groups]
        lines = sum(name.count("\n") + 1 for names in folded for name in names)
        tall = (lines + 1.8 * sum(bool(names) for names in folded)) * _LINE * size
        if tall <= sheet.height:
            break
    heights, number = 0.0, 0
    for (word, colour, _), names in zip(groups, folded, strict=True):
        if not names:
            continue
        ax.annotate(word, (1, 1), xytext=(16, -heights), fontsize=size + 0.5, fontweight="bold",
                    color=colour, **style)  # fmt: skip
        heights += 1.2 * _LINE * size
        for name in names:
            number += 1
            ax.annotate(f"{number}", (1, 1), xytext=(30, -heights), ha="right", fontsize=size,
                        color=SOFT, **style)  # fmt: skip
            ax.annotate(name, (1, 1), xytext=(35, -heights), fontsize=size, color=INK,
                        **style)  # fmt: skip
            heights += _LINE * size * (name.count("\n") + 1)
        heights += 0.6 * _LINE * size


def _number(sheet: Sheet, ax: Axes, x: Floats, y: Floats, corners: list[Text]) -> None:
    """Put each number at the nearest place where it hides nothing, with a line when it is far."""
    points = 72 / sheet.figure.dpi
    at = ax.transData.transform(np.column_stack([x, y])) * points
    names = [np.array(c.get_window_extent(sheet.renderer).extents) * points for c in corners]
    taken = [*np.column_stack([at - _MARK, at + _MARK]), *names]
    frame = np.array(ax.get_window_extent(sheet.renderer).extents) * points
    size = np.array([1.25 * sheet.small, 1.15 * sheet.small])
    for i, point in enumerate(at):
        offset, reach, box = _nearest_free(point, size, np.array(taken), frame)
        taken.append(box)
        ax.annotate(
            f"{i + 1}", (x[i], y[i]), xytext=(offset[0], offset[1]), textcoords="offset points",
            ha="center", va="center", fontsize=sheet.small, color=INK, zorder=5,
            arrowprops={"arrowstyle": "-", "color": SOFT, "linewidth": 0.6}
            if reach > _REACH[1]
            else None,
        )  # fmt: skip


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
