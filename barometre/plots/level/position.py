"""Where a territory stands among its peers, one line per indicator: the spine of a profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.frames import check_frame
from barometre.base.french import Lang, absent_label
from barometre.cards.labels import unit_label
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
from barometre.compare.proof.sides import favour
from barometre.plots.look.colours import FAVOURABLE, INK, PALE, SOFT, UNFAVOURABLE
from barometre.plots.look.equivalent import Equivalent, keep
from barometre.plots.look.marks import bare, figure_column, row_names
from barometre.plots.look.rows import latest
from barometre.plots.look.sentences import measured
from barometre.plots.look.sheet import Sheet, Signed, house

_QUANTILES = {"minimum": 0.0, "p25": 0.25, "mediane": 0.5, "p75": 0.75, "maximum": 1.0}
_PLACES = ("valeur", "reference", *_QUANTILES)
COLUMNS = (
    "code", "indicateur", "annee", "valeur", "statut", "qualite", "reference", "pairs",
    *_QUANTILES, "verdict", *(f"x_{name}" for name in _PLACES),
)  # fmt: skip
_MIDDLE = "#aab3bf"  # between the quartiles, darker than the whole
_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "title": "{ter} parmi {n} territoires comparables",
        "worse": "moins favorable",
        "better": "plus favorable",
        "all": "du minimum au maximum",
        "half": "moitié centrale (P25 à P75)",
        "median": "médiane",
        "reference": "« {ref} »",
        "defavorable": "défavorable, établi",
        "favorable": "favorable, établi",
        "other": "écart non établi",
        "none": "non jugé",
        "neutral": "Sans sens favorable : de la plus faible à la plus forte valeur.",
        "say": "{name} : {value}, de {low} à {high} chez les pairs, médiane {middle}",
        "absent": "{name} : {why}",
    },
    "en": {
        "title": "{ter} among {n} similar areas",
        "worse": "worse",
        "better": "better",
        "all": "from the lowest to the highest",
        "half": "middle half (P25 to P75)",
        "median": "median",
        "reference": "“{ref}”",
        "defavorable": "worse, established",
        "favorable": "better, established",
        "other": "difference not established",
        "none": "not judged",
        "neutral": "Without a favourable side: from the lowest to the highest value.",
        "say": "{name}: {value}, from {low} to {high} among peers, median {middle}",
        "absent": "{name}: {why}",
    },
}


def spine_rows(
    results: pd.DataFrame,
    code: str,
    *,
    peers: Sequence[str],
    reference: str,
    indicators: Sequence[str] | None = None,
    verdicts: pd.DataFrame | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Place a territory among its peers, indicator by indicator.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    code : str
        The territory.
    peers : sequence of str
        Codes of those it is placed among; the territory counts if it is one of them.
    reference : str
        Code of the reference.
    indicators : sequence of str, optional
        Identifiers, in the order of the rows; by default those where the territory has a row,
        counts excepted: they follow its size.
    verdicts : DataFrame, optional
        What `judge` returns: the verdicts of the territory against the reference.
    year : int, optional
        Year, that of the latest row of the territory by default, indicator by indicator.

    Returns
    -------
    DataFrame
        One row per indicator: ``code, indicateur, annee, valeur, statut, qualite, reference``, the
        number of ``pairs`` that have a value, their ``minimum, p25, mediane, p75, maximum`` (as
        numpy's linear quantiles), ``verdict``, and places from 0 to 1 (``x_valeur, x_reference,
        x_minimum``...): 0 is the least favourable end; without a favourable side, the lowest value.
        For an indicator that aims at 0 or 50, places follow the distance to that aim.

    Raises
    ------
    BarometreError
        The territory has no row, or none for an indicator asked for.
    """
    mine = results[results["code"] == code]
    names = list(indicators or ())
    if indicators is None:
        every = map(indicator_card, mine["indicateur"].unique())
        names = [card.id for card in every if card.unite != "nombre"]
    lost = [name for name in names if name not in set(mine["indicateur"])]
    if lost or not names:
        what = ", ".join(lost) or "aucun indicateur"
        raise BarometreError(f"« {code} » n'a pas de ligne dans les résultats pour : {what}")
    rows = []
    for name in names:
        when = int(mine.loc[mine["indicateur"] == name, "annee"].max()) if year is None else year
        rows.append(_row(latest(results, name, when), name, code, peers, reference, verdicts))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    rows: pd.DataFrame,
    name: str,
    code: str,
    peers: Sequence[str],
    reference: str,
    verdicts: pd.DataFrame | None,
) -> dict[str, object]:
    card, year = indicator_card(name), int(rows["annee"].iloc[0])
    known = rows["valeur"].reindex([c for c in peers if c in rows.index]).dropna().to_numpy(float)
    value = float(rows["valeur"].get(code, np.nan))
    against = float(rows["valeur"].get(reference, np.nan))
    quantiles = {
        key: float(np.quantile(known, q)) if len(known) else np.nan for key, q in _QUANTILES.items()
    }
    return {
        "code": code, "indicateur": name, "annee": year, "valeur": value, "reference": against,
        "statut": rows["statut"].get(code, "non_disponible"),
        "qualite": rows["qualite"].get(code), "pairs": len(known), **quantiles,
        "verdict": _verdict(verdicts, code, name, year, reference),
        **_places(card, known, value, against),
    }  # fmt: skip


def _places(card: Card, known: Floats, value: float, against: float) -> dict[str, float]:
    """Place value, reference and quantiles from 0 (least favourable) to 1."""
    way = (lambda x: x) if card.sens == "neutre" else (lambda x: favour(x, card.sens))
    good = np.sort(way(known))
    ends = way(np.array([value, against]))
    marks = [float(np.quantile(good, q)) if len(good) else np.nan for q in _QUANTILES.values()]
    points = np.array([*ends, *marks], dtype=np.float64)
    seen = points[np.isfinite(points)]
    low, high = (seen.min(), seen.max()) if len(seen) else (0.0, 1.0)
    # All alike: in the middle.
    scaled = (
        (points - low) / (high - low) if high > low else np.where(np.isnan(points), np.nan, 0.5)
    )
    return {f"x_{name}": float(x) for name, x in zip(_PLACES, scaled, strict=True)}


def _verdict(verdicts: pd.DataFrame | None, code: str, name: str, year: int, reference: str) -> str:
    if verdicts is None:
        return "non_juge"
    found = verdicts[
        (verdicts["code"] == code)
        & (verdicts["indicateur"] == name)
        & (verdicts["annee"] == year)
        & (verdicts["reference"] == reference)
    ]
    return str(found["verdict"].iloc[0]) if len(found) else "non_juge"


@house
def spine(
    rows: pd.DataFrame, *, names: Mapping[str, str] | None = None, reference: str = "",
    bare_row: bool = False, **signed: Unpack[Signed],
) -> Axes:  # fmt: skip
    """Draw the position of a territory among its peers, one line per indicator.

    Parameters
    ----------
    rows : DataFrame
        What `spine_rows` returns: for one territory.
    names : mapping, optional
        Names of the indicators, their cards' by default.
    reference : str, optional
        Code or name of the reference, for the legend.
    bare_row : bool, default False
        Draw the marks alone, without names, figures, title or legend: for the cell of a table.
    **signed
        Title, source, size...: see `Signed`.

    Returns
    -------
    Axes
        A pale bar from the minimum to the maximum of the peers, darker between quartiles; a tick
        for the median, a diamond for the reference, a dot for the territory. The unfavourable side
        is on the left. A dot is full when its difference is established (orange or blue), hollow
        when it is not, a ring of pale ink when nothing is judged; an absent value is written.

    Raises
    ------
    BarometreError
        A frame that is not one of `spine_rows`, several territories, no row.
    """
    check_frame(rows, "profil refusé", COLUMNS, remedy="donner le résultat de spine_rows")
    if rows.empty or len(set(rows["code"])) > 1:
        raise BarometreError("profil refusé : les lignes d'un seul territoire sont attendues")
    sheet = Sheet(signed, rows=len(rows), pitch=2.9)
    sheet.text = max(min(sheet.text, sheet.pitch / 2.55), 7.0)  # two lines of a name in a row
    lang, words = sheet.lang, _WORDS[sheet.lang]
    cards = [indicator_card(name) for name in rows["indicateur"]]
    labels = [
        f"{(names or {}).get(card.id, card.libelle[lang])} ({unit_label(card, lang)}), {year}"
        for card, year in zip(cards, rows["annee"], strict=True)
    ]
    figures = [
        _figure(row, card, lang) for (_, row), card in zip(rows.iterrows(), cards, strict=True)
    ]
    for ax, part in sheet.slices(len(rows)):
        _draw(ax, rows.iloc[part], sheet.text)
        bare(ax)
        if bare_row:
            ax.set_yticks([])
            ax.set_ylim(len(rows) - 0.5, -0.5)
            continue
        row_names(sheet, ax, labels[part], width=44 if len(sheet.axes) == 1 else 27)
        absent = np.flatnonzero(rows["valeur"].iloc[part].isna())
        figure_column(sheet, ax, figures[part], absent=list(absent))
    if not bare_row:
        sheet.later(lambda: _sides(sheet, words))
    territory = sheet.names([rows["code"].iloc[0]])[0]
    _say(sheet, rows, cards, territory, names or {})
    if bare_row:
        return sheet.alone(2.4, 0.2 * len(rows))
    known = (
        sheet.names([reference])[0] if reference else ("référence" if lang == "fr" else "reference")
    )
    neutral = any(card.sens == "neutre" for card in cards)
    producers = dict.fromkeys(card.producteur for card in cards)
    return sheet.finish(
        title=words["title"].format(ter=territory, n=int(rows["pairs"].max())),
        source=" ; ".join(producers),
        notes=[words["neutral"]] if neutral else [],
        legend=_legend(rows, words, known),
    )


def _sides(sheet: Sheet, words: Mapping[str, str]) -> None:
    """Name the two sides above each panel, on the width that it has."""
    for ax in sheet.axes:
        wide = ax.get_window_extent(sheet.renderer).width * 36 / sheet.figure.dpi - 4
        for x, key, side in ((0, "worse", "left"), (1, "better", "right")):
            ax.annotate(sheet.folded(words[key], sheet.small, wide), (x, 1), xytext=(0, 2),
                        xycoords="axes fraction", textcoords="offset points", ha=side, va="bottom",
                        fontsize=sheet.small, color=SOFT)  # fmt: skip


def _figure(row: pd.Series, card: Card, lang: Lang) -> str:
    if np.isnan(row["valeur"]):
        return absent_label(row["statut"], lang)
    return measured(row["valeur"], card, lang, row["qualite"])


def _draw(ax: Axes, rows: pd.DataFrame, text: float) -> None:
    y = np.arange(len(rows))
    place = {name: rows[f"x_{name}"].to_numpy(np.float64) for name in _PLACES}
    ends = np.fmin(place["minimum"], place["maximum"]), np.fmax(place["minimum"], place["maximum"])
    ax.barh(y, ends[1] - ends[0], 0.62, left=ends[0], color=PALE, zorder=1)
    ax.barh(y, place["p75"] - place["p25"], 0.62, left=place["p25"], color=_MIDDLE, zorder=2)
    ax.vlines(place["mediane"], y - 0.31, y + 0.31, color=INK, linewidth=1.3, zorder=3)
    ax.plot(place["reference"], y, "D", markersize=0.55 * text, markerfacecolor="white",
            markeredgecolor=INK, markeredgewidth=1.0, linestyle="none", zorder=4)  # fmt: skip
    for i, (x, verdict) in enumerate(zip(place["valeur"], rows["verdict"], strict=True)):
        if np.isfinite(x):
            ax.add_line(_dot(str(verdict), text, x, i))
    ax.set_xlim(-0.03, 1.03)


_DOTS = {"defavorable": UNFAVOURABLE, "favorable": FAVOURABLE}
_JUDGED = {"plus_eleve": INK, "plus_bas": INK, "comparable": INK}


def _dot(verdict: str, text: float, x: float = 0.0, y: float = 0.0) -> Line2D:
    """Make the dot of a territory: full when established, hollow when not, pale when not judged."""
    colour = _DOTS.get(verdict) or _JUDGED.get(verdict, SOFT)
    full = verdict in _DOTS or verdict in ("plus_eleve", "plus_bas")
    return Line2D(
        [x], [y], marker="o", linestyle="none", markersize=0.78 * text, zorder=5,
        markeredgecolor=colour, markeredgewidth=1.8 if verdict != "non_juge" else 1.2,
        markerfacecolor=colour if full else "white",
    )  # fmt: skip


def _legend(
    rows: pd.DataFrame, words: Mapping[str, str], reference: str
) -> list[tuple[Line2D | Patch, str]]:
    entries: list[tuple[Line2D | Patch, str]] = [
        (Patch(color=PALE), words["all"]),
        (Patch(color=_MIDDLE), words["half"]),
        (Line2D([], [], marker="|", linestyle="none", color=INK, markersize=9), words["median"]),
        (
            Line2D([], [], marker="D", linestyle="none", markersize=5, markerfacecolor="white",
                   markeredgecolor=INK),
            words["reference"].format(ref=reference),
        ),
    ]  # fmt: skip
    shown = set(rows.loc[rows["valeur"].notna(), "verdict"])
    for verdict in ("defavorable", "favorable"):
        if verdict in shown:
            entries.append((_dot(verdict, 9), words[verdict]))
    if "comparable" in shown:
        entries.append((_dot("comparable", 9), words["other"]))
    if "non_juge" in shown:
        entries.append((_dot("non_juge", 9), words["none"]))
    return entries


def _say(
    sheet: Sheet, rows: pd.DataFrame, cards: Sequence[Card], territory: str,
    names: Mapping[str, str],
) -> None:  # fmt: skip
    def sentences(lang: Lang) -> list[str]:
        words = _WORDS[lang]
        said = [words["title"].format(ter=territory, n=int(rows["pairs"].max())) + "."]
        for (_, row), card in zip(rows.iterrows(), cards, strict=True):
            name = names.get(card.id, card.libelle[lang]) + f", {row['annee']}"
            if np.isnan(row["valeur"]):
                why = absent_label(row["statut"], lang)
                said.append(words["absent"].format(name=name, why=why) + ".")
                continue
            numbers = {
                key: measured(row[column], card, lang)
                for key, column in (("low", "minimum"), ("high", "maximum"), ("middle", "mediane"))
            }
            value = measured(row["valeur"], card, lang)
            said.append(words["say"].format(name=name, value=value, **numbers) + ".")
        return said

    keep(sheet.axes, Equivalent(sheet.lang, sentences, rows))
