"""The rows of the results that a chart draws, and what is said of them below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.frames import check_frame
from barometre.base.french import Lang
from barometre.cards.schema import Card
from barometre.engine.results import displayed
from barometre.tables.codes import level_of, qpv_generation

_COLUMNS = ("code", "annee", "indicateur", "valeur", "statut", "qualite")
WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "doubt": "(?) valeur publiée douteuse, reprise telle quelle.",
        "loose": "(C) valeur imprécise, à ne pas classer.",
        "interval": "Trait fin : intervalle de confiance.",
        "source": "Source : ",
        "licence": "Licence : ",
    },
    "en": {
        "doubt": "(?) doubtful published value, kept as printed.",
        "loose": "(C) imprecise value, not to be ranked.",
        "interval": "Thin line: confidence interval.",
        "source": "Source: ",
        "licence": "Licence: ",
    },
}


def quality_notes(qualities: Iterable[pd.Series], lang: Lang) -> list[str]:
    """Say what the marks of the values drawn mean."""
    seen = {quality for column in qualities for quality in column.dropna()}
    marks = (("douteux", "doubt"), ("C", "loose"))
    return [WORDS[lang][word] for quality, word in marks if quality in seen]


def of_indicator(results: pd.DataFrame, indicator: str) -> pd.DataFrame:
    """Keep one indicator, as it may be shown.

    Raises
    ------
    BarometreError
        No row for that indicator; those that there are.
    """
    check_frame(results, "graphique refusé", _COLUMNS, remedy="donner des résultats de compute")
    rows = displayed(results[results["indicateur"] == indicator])
    if rows.empty:
        known = ", ".join(map(str, results["indicateur"].unique()))
        raise BarometreError(f"aucun résultat pour « {indicator} » (résultats : {known})")
    return rows


def latest(results: pd.DataFrame, indicator: str, year: int | None) -> pd.DataFrame:
    """Keep one indicator at one year, the latest by default, indexed by code.

    Raises
    ------
    BarometreError
        No row for that indicator and year; the years there are.
    """
    rows = of_indicator(results, indicator)
    wanted = int(rows["annee"].max()) if year is None else year
    kept = rows[rows["annee"] == wanted]
    if kept.empty:
        years = ", ".join(map(str, sorted(rows["annee"].unique())))
        raise BarometreError(f"« {indicator} » n'a pas de résultat en {wanted} (années : {years})")
    return kept.set_index("code")


def present(rows: pd.DataFrame, codes: Iterable[str]) -> list[str]:
    """Keep the codes that have a row, in the order given."""
    return [code for code in dict.fromkeys(codes) if code in rows.index]


def zones(
    rows: pd.DataFrame, territories: Sequence[str] | None, references: Sequence[str]
) -> list[str]:
    """Choose what is drawn as rows.

    Parameters
    ----------
    rows : DataFrame
        Rows of one indicator, by code.
    territories : sequence of str, optional
        Codes asked for.
    references : sequence of str
        Codes drawn as references.

    Returns
    -------
    list of str
        Those asked for that have a row. By default the territories of the level that is the most
        frequent: an agglomeration, a department or the whole of the neighbourhoods is not one of
        them.

    Raises
    ------
    BarometreError
        No territory to draw.
    """
    codes = [str(code) for code in dict.fromkeys(rows.index)]
    if territories is not None:
        found = present(rows, territories)
    else:
        levels = pd.Series({c: _level(c) for c in codes if c not in references}, dtype="object")
        found = [] if levels.empty else list(levels.index[levels == levels.value_counts().index[0]])
    if not found:
        raise BarometreError("aucun territoire à dessiner : donner territories=")
    return found


def _level(code: str) -> str:
    """Tell the level, the neighbourhoods of 2015 apart from those of 2024."""
    return f"{level_of(code)} {qpv_generation(code) or ''}"


def source_line(card: Card, years: Iterable[int], lang: Lang = "fr") -> str:
    """Write the producer and the years of what is drawn."""
    known = sorted({int(year) for year in years})
    both = " et " if lang == "fr" else " and "
    return f"{card.producteur}, {both.join(map(str, known))}" if known else card.producteur
