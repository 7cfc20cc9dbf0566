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
from barometre.engine.english_notes import english_note
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
    "secret": (
        "Le producteur ne diffuse pas cette valeur (secret statistique).",
        "The producer does not publish this value (statistical secrecy).",
    ),
    "non_disponible": (
        "Valeur non disponible, ou effectifs trop faibles pour être montrés (D).",
        "Value not available, or counts too small to be shown (D).",
    ),
    "sans_objet": ("Sans objet pour ce territoire.", "Does not apply to this territory."),
    "non_defini": ("Le dénominateur est nul.", "The denominator is zero."),
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
    sheet = book.sheet(book.say("lisez-moi", "read me"))
    sheet.set_column(0, 0, _WORD + 6)
    sheet.set_column(1, 1, _MEANING + 10)
    sheet.hide_gridlines(2)
    wrapped = book.look(text_wrap=True, valign="top")
    row, title = 0, book.say("Baromètre de cohésion sociale", "Social cohesion barometer")
    sheet.write_string(row, 0, title, book.look(bold=True, font_size=16))
    for title, lines in (
        (book.say("Ce que contient ce classeur", "What this workbook holds"), _what),
        (book.say("Sources et années des données", "Sources and years of the data"), _sources),
        (book.say("Feuilles", "Sheets"), _sheets),
        (book.say("Lecture", "How to read it"), _marks),
        (book.say("À compléter", "What would give more"), _to_complete),
    ):
        listed = list(lines(contents, book))
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


def _what(contents: Contents, book: Book) -> Iterator[Line]:
    results, places, say = contents.results, contents.places, book.say
    if contents.edition:
        yield say("Édition", "Edition"), contents.edition, ""
    years = results["annee"]
    if len(results):
        first, last = int(years.min()), int(years.max())
        span = f"{first} {say('à', 'to')} {last}" if first < last else str(first)
        yield say("Années des données", "Years of the data"), span, ""
    levels = Counter(place.level_label(book.lang) for place in places)
    kinds = ", ".join(f"{label} ({number})" for label, number in levels.items())
    colon = say(" :", ":")
    yield say("Territoires", "Territories"), f"{len(places)}{colon} {kinds}", ""
    if references := [place.label or place.code for place in places if place.reference]:
        yield say("Références", "References"), ", ".join(references), ""
    yield say("Indicateurs", "Indicators"), str(results["indicateur"].nunique()), ""
    known = _count(int((results["statut"] == "ok").sum()), book)
    rows = _count(len(results), book)
    yield say("Valeurs", "Values"), say(f"{known} sur {rows} lignes", f"{known} of {rows} rows"), ""
    absent = results["statut"][results["statut"] != "ok"].value_counts()
    if len(absent):
        words = (
            f"{absent_label(str(s), book.lang)} ({_count(n, book)})" for s, n in absent.items()
        )
        yield say("Absentes", "Absent"), ", ".join(words), ""
    yield say("Calculé par", "Made by"), f"barometre {__version__}", ""


def _count(number: int, book: Book) -> str:
    return format_number(number, 0, book.lang)


def _sources(contents: Contents, book: Book) -> Iterator[Line]:
    """Give each source its years and its indicators."""
    found: dict[tuple[str, str], tuple[set[int], int]] = {}
    groups = contents.results.groupby("indicateur", sort=False)["annee"].unique()
    for name, years in groups.items():
        card = indicator_card(str(name))
        known, number = found.get((card.producteur, card.source), (set(), 0))
        found[card.producteur, card.source] = (known | set(map(int, years)), number + 1)
    for (producer, source), (years, number) in sorted(found.items()):
        listed = ", ".join(map(str, sorted(years)))
        yield (
            producer,
            book.say(
                f"{source}. Années : {listed} ; {counted(number, 'indicateur')}.",
                f"{source}. Years: {listed}; {number} indicator{'s' * (number > 1)}.",
            ),
            "",
        )


def _sheets(contents: Contents, book: Book) -> Iterator[Line]:
    say = book.say
    yield (
        say("tableau", "table"),
        say(
            "Une ligne par territoire, les références en tête ; une colonne par indicateur et par"
            " année, thème par thème.",
            "One row a territory, the references first; one column an indicator and year, theme by"
            " theme.",
        ),
        "",
    )
    if contents.gaps:
        yield (
            say("écarts", "gaps"),
            say(
                "Chaque territoire moins chaque référence, avant tout arrondi : choisir la"
                " référence par le filtre de sa colonne.",
                "Each territory less each reference, before any rounding: choose the reference by"
                " the filter of its column.",
            ),
            "",
        )
    yield (
        "resultats",
        say(
            "Une ligne par valeur, avec son statut, son origine et sa note.",
            "One row a value, with its status, its origin and its note (in French).",
        ),
        "",
    )
    yield (
        say("indicateurs", "indicators"),
        say(
            "La fiche de chaque indicateur : définition, champ, source, précautions.",
            "The card of each indicator: definition, field, source, precautions.",
        ),
        "",
    )


def _marks(contents: Contents, book: Book) -> Iterator[Line]:
    results, say = contents.results, book.say
    quality = set(results["qualite"].dropna().unique())
    number = say("12,3", "12.3")
    yield (
        say("Ligne grisée", "Grey row"),
        say("Territoire de référence.", "A reference."),
        REFERENCE,
    )
    if DOUBTFUL in quality:
        yield (
            f"{number} (?)",
            say(
                "Valeur publiée douteuse, reprise telle quelle ; la raison est en commentaire"
                f" (les {COMMENTS} premières) et dans la note.",
                "Doubtful published value, as it was printed; why is in a comment (of the first"
                f" {COMMENTS}) and in the note.",
            ),
            DOUBT,
        )
    if quality & {"A", "B", "C", "D"}:
        yield (
            say("classe", "grade"),
            say(
                "Demi-intervalle : A jusqu'à 3 points, B de 3 à 7 (à lire avec prudence), C au-delà"
                " ou sur moins de 100 réponses (ne pas classer), D effectifs trop faibles (n.d.).",
                "Half-interval: A up to 3 points, B 3 to 7 (read with care), C beyond or on fewer"
                " than 100 answers (not to be ranked), D counts too small (n.a.).",
            ),
            "",
        )
        yield (
            f"{number}{MARK_C}",
            say(
                "Valeur de classe C : trop imprécise pour être classée.",
                "Value of grade C: too imprecise to be ranked.",
            ),
            "",
        )
    yield from _colours(contents, book)
    statuses = set(results["statut"].unique()) | ({"non_disponible"} if "D" in quality else set())
    yield from (
        (absent_label(status, book.lang), say(*texts), "")
        for status, texts in _ABSENCES.items()
        if status in statuses
    )
    yield (
        say("Cellule vide", "Empty cell"),
        say(
            "La source ne dit rien de ce territoire cette année-là.",
            "The source says nothing of this territory that year.",
        ),
        "",
    )


def _colours(contents: Contents, book: Book) -> Iterator[Line]:
    if not contents.gaps:
        return
    say = book.say
    yield (
        say("Fond bleu", "Blue"),
        say(
            "Écart favorable, par le sens de l'indicateur.",
            "Favourable gap, by the direction of the indicator.",
        ),
        FAVOURABLE,
    )
    yield (
        say("Fond orange", "Orange"),
        say(
            "Écart défavorable. Sans couleur : indicateur neutre, écart nul, ou intervalle de"
            " l'écart qui contient 0.",
            "Unfavourable gap. Without colour: neutral indicator, no gap, or a gap whose interval"
            " holds 0.",
        ),
        UNFAVOURABLE,
    )


def _to_complete(contents: Contents, book: Book) -> Iterator[Line]:
    """Say what would give more values, and what could not be written as it was."""
    results = contents.results
    lacking = results[results["note"].str.contains(LACKING, regex=False).fillna(False).astype(bool)]
    absent = absent_label("non_disponible", book.lang)
    for note, rows in lacking.groupby("note", sort=False):
        names = ", ".join(
            indicator_card(str(name)).libelle[book.lang] for name in rows["indicateur"].unique()
        )
        text = book.say(f"{note} : {names}.", f"{english_note(str(note))}: {names}.")
        yield f"{_count(len(rows), book)} {absent}", text, ""
    if contents.replaced:
        number = contents.replaced
        yield (
            book.say(counted(number, "cellule"), f"{number} cell{'s' * (number > 1)}"),
            book.say(
                "Caractères de contrôle, qu'un classeur ne peut contenir, remplacés par « \ufffd »"
                " (ou texte de plus de 32 767 caractères, coupé).",
                "Control characters, that a workbook cannot hold, replaced by “\ufffd” (or a text"
                " of more than 32,767 characters, cut).",
            ),
            "",
        )
