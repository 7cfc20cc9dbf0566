"""What the charts share: colours, words, the rows to draw."""

from __future__ import annotations

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.french import Lang
from barometre.compare.proof.sides import favourable_gap as favourable_gap
from barometre.engine.results import displayed

# Orange against blue reads the same for colour-blind people and survives a grey print.
UNFAVOURABLE, FAVOURABLE, NEUTRAL = "#c8641e", "#2c6fa6", "#8a8f98"
INK, SOFT = "#22262b", "#6b7280"

WORDS = {
    "fr": {
        "sides": "Orange : moins favorable que « {ref} » ; bleu : plus favorable ou égal",
        "doubt": "(?) valeur publiée douteuse, reprise telle quelle",
        "interval": "Trait fin : intervalle de confiance",
        "source": "Source",
        "about": "Couleurs : écart à « {ref} », en écarts-types entre les territoires ;"
        " « – » : absent de la source",
        "worse_end": "moins favorable",
        "better_end": "plus favorable",
    },
    "en": {
        "sides": "Orange: worse than “{ref}”; blue: better or equal",
        "doubt": "(?) doubtful published value, kept as printed",
        "interval": "Thin line: confidence interval",
        "source": "Source",
        "about": "Colours: gap to “{ref}”, in standard deviations between the territories;"
        " “–”: not in the source",
        "worse_end": "worse",
        "better_end": "better",
    },
}


def latest(results: pd.DataFrame, indicator: str, year: int | None) -> pd.DataFrame:
    """Keep one indicator at one year, the latest by default, indexed by code.

    Raises
    ------
    BarometreError
        No row for that indicator and year; the years there are.
    """
    rows = displayed(results[results["indicateur"] == indicator])
    if rows.empty:
        known = ", ".join(results["indicateur"].unique())
        raise BarometreError(f"aucun résultat pour « {indicator} » (résultats : {known})")
    wanted = int(rows["annee"].max()) if year is None else year
    kept = rows[rows["annee"] == wanted]
    if kept.empty:
        years = ", ".join(map(str, sorted(rows["annee"].unique())))
        raise BarometreError(f"« {indicator} » n'a pas de résultat en {wanted} (années : {years})")
    return kept.set_index("code")


def names_of(codes: pd.Index, labels: pd.Series[str] | None) -> list[str]:
    """Return the labels of codes, the code itself where there is none."""
    if labels is None:
        return [str(code) for code in codes]
    known = labels.dropna().to_dict()
    return [str(known.get(code, code)) for code in codes]


def words(lang: Lang) -> dict[str, str]:
    """Return the words of the charts in a language."""
    return WORDS[lang]
