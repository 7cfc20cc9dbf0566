"""A table territory x indicator coloured by what is favourable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Text

from barometre.base.arrays import Floats, RowNumbers
from barometre.base.errors import BarometreError
from barometre.base.french import Lang, absent_label, quality_mark
from barometre.cards.labels import format_value, unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.plots.look.colours import INK, PALE, PAPER, SIDES, SOFT, ink_on
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import row_names
from barometre.plots.look.rows import latest, quality_notes
from barometre.plots.look.sentences import measured
from barometre.plots.look.sheet import Sheet, Signed, Size, house
from barometre.plots.look.sides import side_scores

_LIMIT = 2.0  # standard deviations at which the colour is full
_GAP = 0.35  # of a cell, between the territories and the reference
_FEW = 6  # columns of indicators beyond which indicators are the rows, when territories are few
_SOME = 20  # territories beyond which they are always the rows
_LEVEL = 52.0  # points a column needs for its heading to be level
_PLAIN = 120.0  # points that titles, headings and notes take
_HEADED: dict[Size, float] = {"a4": 235.0, "slide": 310.0}  # the same, headings upright
_LONG = 118.0  # points of a heading that is not
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "{n} territoires au regard de « {ref} »",
        "about": "Couleurs : écart à « {ref} », en écarts-types entre les territoires (pleine à"
        " {limit}) ; « – » : absent de la source.",
        "worse": "moins favorable",
        "same": "comme la référence",
        "better": "plus favorable",
        "grey": "valeur absente",
        "reserve": "{name} : le côté favorable n'est pas coloré ({why}).",
        "say": "{name} : {worst} moins favorables, {best} plus favorables que « {ref} » ({value})",
    },
    "en": {
        "title": "{n} areas compared with “{ref}”",
        "about": "Colours: gap to “{ref}”, in standard deviations between areas (full at {limit});"
        " “–”: not in the source.",
        "worse": "worse",
        "same": "as the reference",
        "better": "better",
        "grey": "absent value",
        "reserve": "{name}: the favourable side is not coloured ({why}).",
        "say": "{name}: {worst} worse, {best} better than “{ref}” ({value})",
    },
}


@dataclass(frozen=True)
class _Grid:
    """What the cells hold, territories in rows whatever the way they are drawn."""

    codes: list[str]
    cards: list[Card]
    tables: list[pd.DataFrame]
    cells: Floats
    scores: Floats
    number: int  # of territories; what follows are the reference and the others


@house
def heat_table(
    results: pd.DataFrame,
    *,
    territories: Sequence[str],
    reference: str,
    others: Sequence[str] = (),
    indicators: Sequence[str] | None = None,
    **signed: Unpack[Signed],
) -> Axes:
    """Colour every value by its gap to a reference, in the favourable or unfavourable direction.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`; each indicator is shown at its latest year.
    territories : sequence of str
        Codes, shown from the least to the most favourable on average.
    reference : str
        Code of the territory that the colours compare with, shown after the others.
    others : sequence of str, optional
        Codes of further territories, after the reference.
    indicators : sequence of str, optional
        Identifiers; by default those that have a direction, are no count, and of which one of the
        territories has a value or a reason for having none.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        Territories are the rows; beyond six indicators, and up to twenty territories, indicators
        are. The gap is divided by the standard deviation of the indicator over ``territories``;
        beyond two the colour is full. Absent values are hatched; white cells have no
        colour to give: neutral indicator, reference without value, no dispersion.

    Raises
    ------
    BarometreError
        No indicator to show, or no territory.
    """
    grid = _grid(results, list(territories), [reference, *others], indicators)
    rows, columns = len(grid.codes), len(grid.cards)
    turned = columns > _FEW and rows <= _SOME
    sheet = Sheet(
        signed, rows=columns if turned else rows, grid=(1, 1) if turned else None,
        pitch=2.7 if turned else 1.85, landscape=turned,
        around=_HEADED[signed.get("size") or "a4"] if turned else _PLAIN,
    )  # fmt: skip
    if turned:  # two lines of a label must fit in a row
        sheet.text = max(min(sheet.text, sheet.pitch / 2.55), 7.0)
    lang, names = sheet.lang, sheet.names(grid.codes)
    ref = names[grid.number]
    heads = [
        _heading(card, table, lang) for card, table in zip(grid.cards, grid.tables, strict=True)
    ]
    if turned:
        _panel(sheet, sheet.axes[0], grid, slice(0, rows), (names, heads), turned=True)
    else:
        for ax, part in sheet.slices(rows):
            _panel(sheet, ax, grid, part, (heads, names[part]), turned=False)
    _keep(sheet, grid, names, ref)
    words = _WORDS[lang]
    notes = [words["about"].format(ref=ref, limit=f"{_LIMIT:.0f}")]
    notes += [
        words["reserve"].format(name=card.libelle[lang], why=card.reserve_favorable[lang])
        for card in grid.cards
        if card.reserve_favorable
    ]
    notes += quality_notes((table.reindex(grid.codes)["qualite"] for table in grid.tables), lang)
    return sheet.finish(
        title=words["title"].format(n=grid.number, ref=ref),
        source=" ; ".join(dict.fromkeys(card.producteur for card in grid.cards)),
        notes=notes,
        legend=_legend(grid, words),
    )


def _grid(
    results: pd.DataFrame, territories: list[str], after: list[str],
    indicators: Sequence[str] | None,
) -> _Grid:  # fmt: skip
    if not territories:
        raise BarometreError("tableau refusé : aucun territoire (territories=)")
    cards = _columns(results, territories, indicators)
    tables = [latest(results, card.id, None) for card in cards]
    codes = [*territories, *after]
    values = np.column_stack([table["valeur"].reindex(codes).to_numpy(float) for table in tables])
    number = len(territories)
    scores = np.column_stack([_scores(values[:, j], number, c) for j, c in enumerate(cards)])
    order = [*_worst_first(scores[:number]), *range(number, len(codes))]
    return _Grid([codes[i] for i in order], cards, tables, values[order], scores[order], number)


def _columns(
    results: pd.DataFrame, territories: Sequence[str], indicators: Sequence[str] | None
) -> list[Card]:
    """Choose the indicators of which one of the territories has a value, or a reason for none."""
    if indicators is not None:
        return [indicator_card(name) for name in indicators]
    said = results["statut"].ne("non_disponible") & results["code"].isin(list(territories))
    here = results.loc[said, "indicateur"].unique()
    cards = [indicator_card(name) for name in results["indicateur"].unique() if name in here]
    shown = [card for card in cards if card.sens != "neutre" and card.unite != "nombre"]
    if not shown:
        raise BarometreError("aucun indicateur orienté à colorer : donner indicators=")
    return shown


def _scores(values: Floats, number: int, card: Card) -> Floats:
    """Standardise the favourable gaps; the reference comes just after the territories."""
    spread = np.nanstd(values[:number]) if np.isfinite(values[:number]).sum() > 1 else 0.0
    if not spread:
        return np.full(len(values), np.nan)
    return side_scores(values, float(values[number]), card) / spread


def _worst_first(score: Floats) -> RowNumbers:
    known = np.isfinite(score)
    mean = np.where(known, score, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.argsort(mean, kind="stable")


def _colour(score: float) -> str:
    if np.isnan(score):
        return PAPER
    return to_hex(SIDES(float(np.clip(0.5 + score / (2 * _LIMIT), 0, 1))))


def _draw_cell(
    sheet: Sheet, ax: Axes, place: tuple[float, float], grid: _Grid, at: tuple[int, int]
) -> Text:
    (x, y), (i, j) = place, at
    code, card, table = grid.codes[i], grid.cards[j], grid.tables[j]
    colour = _colour(grid.scores[at])
    absent = code not in table.index or np.isnan(grid.cells[at])
    ax.add_patch(
        Rectangle(
            (x - 0.48, y - 0.46),
            0.96,
            0.92,
            facecolor=colour,
            linewidth=0,
            edgecolor=PALE,
            hatch="///" if absent else None,
        )
    )
    if code not in table.index:
        text = "–"
    elif absent:
        text = absent_label(str(table.loc[code, "statut"]), sheet.lang)
    else:
        text = format_value(grid.cells[at], card, sheet.lang)
        text += quality_mark(table.loc[code, "qualite"])
    cell = ax.text(
        x, y, text, ha="center", va="center_baseline", fontsize=sheet.text,
        style="italic" if absent else "normal", color=SOFT if absent else ink_on(colour),
    )  # fmt: skip
    cell.set_in_layout(False)  # inside the axes: measured in vain
    return cell


def _heading(card: Card, table: pd.DataFrame, lang: Lang) -> str:
    return f"{card.libelle[lang]} ({unit_label(card, lang)}), {table['annee'].iloc[0]}"


def _panel(
    sheet: Sheet,
    ax: Axes,
    grid: _Grid,
    part: slice,
    names: tuple[list[str], list[str]],
    *,
    turned: bool,
) -> None:
    """Draw some of the territories, named at the left, or above when indicators are the rows."""
    across, down = names
    places = [i - part.start + _GAP * (i >= grid.number) for i in range(part.start, part.stop)]
    cells: list[Text] = []
    for i, place in zip(range(part.start, part.stop), places, strict=True):
        for j in range(len(grid.cards)):
            cells.append(_draw_cell(sheet, ax, (place, j) if turned else (j, place), grid, (i, j)))
    rows = list(range(len(down))) if turned else places
    columns = places if turned else list(range(len(across)))
    row_names(sheet, ax, down, width=(36 if sheet.width < 11 else 52) if turned else 26, at=rows)
    ax.set_ylim(max(sheet.lines - 1 + _GAP * (not turned), rows[-1]) + 0.5, -0.5)
    ax.set_xlim(-0.5, columns[-1] + 0.5)
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    sheet.later(lambda: _head_columns(sheet, ax, (columns, across), cells))


def _head_columns(
    sheet: Sheet, ax: Axes, heads: tuple[Sequence[float], Sequence[str]], cells: Sequence[Text]
) -> None:
    """Name the columns, upright where they are narrow; make the figures fit their cells."""
    columns, names = heads
    wide = ax.get_window_extent(sheet.renderer).width * 72 / sheet.figure.dpi / (columns[-1] + 1)
    upright = wide < _LEVEL
    for x, name in zip(columns, names, strict=True):
        rows = sheet.folded(name, sheet.small, _LONG if upright else wide - 4).split("\n")
        most = max(1, int(wide / (1.3 * sheet.small))) if upright else 9
        if len(rows) > most:
            rows = [*rows[: most - 1], rows[most - 1] + "…"]
        ax.annotate("\n".join(rows), (x, 1), xytext=(0, 4), xycoords=("data", "axes fraction"),
                    textcoords="offset points", ha="center", va="bottom",
                    rotation=90 if upright else 0, fontsize=sheet.small, color=INK,
                    multialignment="left" if upright else "center",
                    annotation_clip=False)  # fmt: skip
    longest = max(sheet.wide(text.get_text(), sheet.text) for text in cells)
    for text in cells:
        text.set_fontsize(sheet.text * min(1.0, (0.96 * wide - 2) / longest))


def _legend(grid: _Grid, words: dict[str, str]) -> list[tuple[Patch, str]]:
    entries = [
        (Patch(facecolor=_colour(score)), words[key])
        for score, key in ((-_LIMIT, "worse"), (0.0, "same"), (_LIMIT, "better"))
    ]
    if np.isnan(grid.cells).any():
        entries.append(
            (Patch(facecolor=PAPER, edgecolor=PALE, hatch="////", linewidth=0), words["grey"])
        )
    return entries


def _keep(sheet: Sheet, grid: _Grid, names: list[str], ref: str) -> None:
    table = pd.DataFrame(grid.cells, index=names, columns=[card.id for card in grid.cards])

    def sentences(lang: Lang) -> list[str]:
        words, said = _WORDS[lang], []
        for j, card in enumerate(grid.cards):
            score = grid.scores[: grid.number, j]
            name = _heading(card, grid.tables[j], lang)
            value = measured(float(grid.cells[grid.number, j]), card, lang)
            worst, best = int((score < 0).sum()), int((score > 0).sum())
            said.append(
                words["say"].format(name=name, worst=worst, best=best, ref=ref, value=value) + "."
            )
        return [words["title"].format(n=grid.number, ref=ref) + ".", *said]

    keep(sheet.axes, Equivalent(sheet.lang, sentences, table))
