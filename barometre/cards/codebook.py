"""The dictionary of the indicators: what each card says, in one table."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from barometre.cards.listing import catalogue, load_cards
from barometre.cards.schema import Card


def codebook(*, theme: str | None = None) -> pd.DataFrame:
    """Lay out the cards of the indicators, one row each, in French.

    Parameters
    ----------
    theme : str, optional
        Theme whose indicators are listed (``"revenus"``), all by default.

    Returns
    -------
    DataFrame
        The columns of `catalogue`, then what the card says: definition, universe, numerator and
        denominator, source and vintage, limits, input columns, formula by family of files and
        whether its codes were verified, cautions, breaks, and how it aggregates.

    Raises
    ------
    UnknownNameError
        Unknown theme.
    """
    listed = catalogue(theme=theme)
    cards = load_cards()
    fields = pd.DataFrame([_fields(cards[name]) for name in listed.index], index=listed.index)
    return listed.join(fields)


def _fields(card: Card) -> dict[str, object]:
    return {
        "definition": card.definition["fr"],
        "univers": card.univers,
        "numerateur": card.numerateur,
        "denominateur": card.denominateur,
        "source": card.source,
        "millesime": card.millesime,
        "decimales": card.decimales,
        "borne_min": _limit(card.bornes[0]),
        "borne_max": _limit(card.bornes[1]),
        "entrees": _lines(
            f"{table} : {', '.join(columns)}" for table, columns in card.entrees.items()
        ),
        "formules": _lines(
            f"{codes.famille} ({', '.join(codes.niveaux)}) : {codes.formule}"
            for codes in card.codes
        ),
        "codes_verifies": _lines(codes.famille for codes in card.codes if codes.etat == "verifie"),
        "codes_non_verifies": _lines(
            codes.famille for codes in card.codes if codes.etat == "non_verifie"
        ),
        "precautions": _lines(card.precautions),
        "ruptures": _lines(f"{change.annee} : {change.motif}" for change in card.ruptures),
        "agregation": card.regle_agregation,
    }


def _limit(value: float) -> float | None:
    """Leave empty the limit that does not exist: a workbook has no infinity."""
    return value if math.isfinite(value) else None


def _lines(texts: Iterable[str]) -> str:
    return " | ".join(texts)
