"""The first sheet: what the workbook is, of when, from which sources, how to read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import pandas as pd

from barometre.base.errors import counted
from barometre.base.french import absent_label, format_number
from barometre.base.version import __version__
from barometre.cards.listing import indicator_card
from barometre.engine.results import LACKING
from barometre.pages.workbook.book import Book, legal_text
from barometre.pages.workbook.places import Place
from barometre.pages.workbook.wide import (
    COMMENTS,
    DOUBT,
    FAVOURABLE,
    MARK_C,
    REFERENCE,
    UNFAVOURABLE,
)
from barometre.tables.table_set import DOUBTFUL

_ABSENCES = {
    "secret": "Le producteur ne diffuse pas cette valeur (secret statistique).",
    "non_disponible": "Valeur non disponible, ou effectifs trop faibles pour être montrés (D).",
    "sans_objet": "Sans objet pour ce territoire.",
    "non_defini": "Le dénominateur est nul.",
}
_WORD, _MEANING = 26, 95  # characters to a line

Line = tuple[str, str, str]  # word, meaning, colour of the word's cell


@dataclass(frozen=True)
class Contents:
    """What a workbook holds.

    Attributes
    ----------
    results : DataFrame
        Tidy results.
    places : sequence of Place
        The territories, references first.
    gaps : bool
        There is a sheet of gaps.
    edition : str
        Name or date of the edition; empty when none is given.
    replaced : int
        Cells that held a character that no workbook can hold.
    """

    results: pd.DataFrame
    places: Sequence[Place]
    gaps: bool
    edition: str
    replaced: int


def write_guide(book: Book, contents: Contents) -> None:
    """Write the first sheet."""
    sheet = book.sheet("lisez-moi")
    sheet.set_column(0, 0, _WORD + 6)
    sheet.set_column(1, 1, _MEANING + 10)
    sheet.hide_gridlines(2)
    wrapped = book.look(text_wrap=True, valign="top")
    row = 0
    sheet.write_string(row, 0, "Baromètre de cohésion sociale", book.look(bold=True, font_size=16))
    for title, lines in (
        ("Ce que contient ce classeur", _what(contents)),
        ("Sources et années des données", _sources(contents.results)),
        ("Feuilles", _sheets(contents)),
        ("Lecture", _marks(contents)),
        ("À compléter", _to_complete(contents)),
    ):
        listed = list(lines)
        if not listed:
            continue
        row += 2
        sheet.write_string(row, 0, title, book.look(bold=True, font_size=12, bottom=1))
        sheet.write_blank(row, 1, None, book.look(bottom=1))
        for word, meaning, colour in listed:
            row += 1
            height = max(ceil(len(word) / _WORD), ceil(len(meaning) / _MEANING))
            sheet.set_row(row, 15 * height)
            ground = {"bg_color": colour} if colour else {}
            sheet.write_string(
                row, 0, word, book.look(bold=True, valign="top", text_wrap=True, **ground)
            )
            sheet.write_string(row, 1, legal_text(meaning), wrapped)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _what(contents: Contents) -> Iterator[Line]:
    results, places = contents.results, contents.places
    if contents.edition:
        yield "Édition", contents.edition, ""
    years = results["annee"]
    if len(results):
        first, last = int(years.min()), int(years.max())
        yield "Années des données", f"{first} à {last}" if first < last else str(first), ""
    levels = Counter(place.level_label for place in places)
    kinds = ", ".join(f"{label} ({number})" for label, number in levels.items())
    yield "Territoires", f"{len(places)} : {kinds}", ""
    if references := [place.label or place.code for place in places if place.reference]:
        yield "Références", ", ".join(references), ""
    yield "Indicateurs", str(results["indicateur"].nunique()), ""
    known = int((results["statut"] == "ok").sum())
    yield "Valeurs", f"{format_number(known, 0)} sur {format_number(len(results), 0)} lignes", ""
    absent = results["statut"][results["statut"] != "ok"].value_counts()
    if len(absent):
        told = (f"{absent_label(str(s))} ({format_number(n, 0)})" for s, n in absent.items())
        yield "Absentes", ", ".join(told), ""
    yield "Calculé par", f"barometre {__version__}", ""


def _sources(results: pd.DataFrame) -> Iterator[Line]:
    """Give each source its years and its indicators."""
    found: dict[tuple[str, str], tuple[set[int], int]] = {}
    for name, years in results.groupby("indicateur", sort=False)["annee"].unique().items():
        card = indicator_card(str(name))
        known, number = found.get((card.producteur, card.source), (set(), 0))
        found[card.producteur, card.source] = (known | set(map(int, years)), number + 1)
    for (producer, source), (years, number) in sorted(found.items()):
        text = f"{source}. Années : {', '.join(map(str, sorted(years)))}"
        yield producer, f"{text} ; {counted(number, 'indicateur')}.", ""


def _sheets(contents: Contents) -> Iterator[Line]:
    yield (
        "tableau",
        "Une ligne par territoire, les références en tête ; une colonne par indicateur et par"
        " année, thème par thème.",
        "",
    )
    if contents.gaps:
        yield (
            "écarts",
            "Chaque territoire moins chaque référence, avant tout arrondi : choisir la référence"
            " par le filtre de sa colonne.",
            "",
        )
    yield "resultats", "Une ligne par valeur, avec son statut, son origine et sa note.", ""
    yield (
        "indicateurs",
        "La fiche de chaque indicateur : définition, champ, source, précautions.",
        "",
    )


def _marks(contents: Contents) -> Iterator[Line]:
    results = contents.results
    quality = set(results["qualite"].dropna().unique())
    yield "Ligne grisée", "Territoire de référence.", REFERENCE
    if DOUBTFUL in quality:
        yield (
            "12,3 (?)",
            "Valeur publiée douteuse, reprise telle quelle ; la raison est en commentaire"
            f" (les {COMMENTS} premières) et dans la note.",
            DOUBT,
        )
    if quality & {"A", "B", "C", "D"}:
        yield (
            "classe",
            "Demi-intervalle : A jusqu'à 3 points, B de 3 à 7 (à lire avec prudence), C au-delà ou"
            " sur moins de 100 réponses (ne pas classer), D effectifs trop faibles (n.d.).",
            "",
        )
        yield f"12,3{MARK_C}", "Valeur de classe C : trop imprécise pour être classée.", ""
    if contents.gaps:
        yield "Fond bleu", "Écart favorable, par le sens de l'indicateur.", FAVOURABLE
        yield (
            "Fond orange",
            "Écart défavorable. Sans couleur : indicateur neutre, écart nul, ou intervalle de"
            " l'écart qui contient 0.",
            UNFAVOURABLE,
        )
    statuses = set(results["statut"].unique()) | ({"non_disponible"} if "D" in quality else set())
    yield from ((absent_label(s), told, "") for s, told in _ABSENCES.items() if s in statuses)
    yield "Cellule vide", "La source ne dit rien de ce territoire cette année-là.", ""


def _to_complete(contents: Contents) -> Iterator[Line]:
    """Say what would give more values, and what could not be written as it was."""
    results = contents.results
    lacking = results[results["note"].str.contains(LACKING, regex=False).fillna(False).astype(bool)]
    for note, rows in lacking.groupby("note", sort=False):
        names = ", ".join(
            indicator_card(str(name)).libelle["fr"] for name in rows["indicateur"].unique()
        )
        yield f"{format_number(len(rows), 0)} n.d.", f"{note} : {names}.", ""
    if contents.replaced:
        yield (
            counted(contents.replaced, "cellule"),
            "Caractères de contrôle, qu'un classeur ne peut contenir, remplacés par « \ufffd »"
            " (ou texte de plus de 32 767 caractères, coupé).",
            "",
        )
