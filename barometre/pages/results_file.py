"""Write results to files that people open: CSV, XLSX, Parquet; whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pandas as pd

from barometre.base.arguments import as_lang
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.files import replacing
from barometre.base.frames import check_frame
from barometre.base.french import Lang
from barometre.cards.columns import MODELS
from barometre.cards.labels import unit_label
from barometre.cards.listing import indicator_card, load_cards
from barometre.pages.delimited import Dialect, as_dialect, write_delimited
from barometre.pages.results_back import is_results
from barometre.pages.workbook import Choices, write_workbook
from barometre.pages.workbook.book import ROWS, open_book
from barometre.pages.workbook.lists import write_rows
from barometre.pages.workbook.places import Order, as_order
from barometre.tables.check import PUBLISHED
from barometre.tables.table_set import RESULT_COLUMNS

SUFFIXES = (".csv", ".xlsx", ".parquet")


def write_results(
    results: pd.DataFrame,
    path: str | Path,
    territoires: pd.DataFrame | None = None,
    *,
    csv: Dialect = "machine",
    references: str | Iterable[str] | None = None,
    order: Order = "libelle",
    edition: str | dt.date | None = None,
    lang: Lang = "fr",
) -> Path:
    """Write tidy results, their labels beside the codes.

    The same results make the same bytes: no date of the clock enters a file.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    path : str or Path
        File to write; its suffix says how: ``.csv``, ``.xlsx`` (a readable table, gaps to the
        references, the tidy values, the definitions) or ``.parquet``.
    territoires : DataFrame, optional
        Labels and levels by code, as `Tables.territoires` gives them.
    csv : {"machine", "excel"}
        ``"machine"``: UTF-8, comma, decimal point. ``"excel"``, for a French spreadsheet:
        semicolon, decimal comma, BOM, and an apostrophe before a text that would be taken for a
        formula. `read_results` reads both.
    references : str or iterable of str, optional
        In a workbook, codes of the territories to put first and to compare with. By default the
        EPCI, the department, the region and metropolitan France, each when there is one.
    order : {"libelle", "code"}
        In a workbook, order of the territories within a level.
    edition : str or date, optional
        In a workbook, name or date of the edition. ``SOURCE_DATE_EPOCH`` or the edition date the
        properties of the file; else the last year of the data.
    lang : {"fr", "en"}
        In a workbook, language of the sheets that people read; notes and the tidy values stay in
        French.

    Returns
    -------
    Path
        The file, written whole: a failure leaves what was there before.

    Raises
    ------
    BarometreError
        A suffix of no known format, an option of no known value, or more rows than a workbook can
        hold: the results are then written in CSV beside, unless a file is in the way.

    Notes
    -----
    Above 100 000 rows a workbook has no labels in its sheet ``resultats``, no intervals in its
    ``tableau`` (grade C stays marked), and gaps only to references that are named.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BarometreError(
            f"format « {path.suffix} » inconnu pour {path.name} : choisir {', '.join(SUFFIXES)}"
        )
    check_frame(results, "résultats refusés", ("code", "annee", "indicateur", "valeur"))
    as_order(order)
    as_lang(lang)
    dialect = as_dialect(csv)
    labelled = partial(_labelled, results, territoires)  # many texts: made where they are written
    if suffix == ".xlsx":
        _check_rows(results, labelled, path)
    named = [references] if isinstance(references, str) else references
    chosen = Choices(None if named is None else list(named), order, edition, lang)
    with replacing(path) as temporary:
        if suffix == ".csv":
            write_delimited(labelled(), temporary, dialect)
        elif suffix == ".parquet":
            labelled().to_parquet(temporary, index=False)
        else:
            write_workbook(results, labelled, territoires, temporary, chosen)
    return path


def check_destination(path: str | Path, sources: Iterable[str | Path]) -> None:
    """Refuse to write over a source: what was downloaded or typed is not replaced.

    Parameters
    ----------
    path : str or Path
        File to write.
    sources : iterable of str or Path
        Files, folders or names of bundled datasets that are read.

    Raises
    ------
    BarometreError
        The file is one of the sources, under whatever name (links included), or a file of a folder
        that is one; results written there by an earlier run may be replaced.
    """
    path = Path(path)
    if not path.exists():
        return
    for source in map(Path, sources):
        inside = source.is_dir() and path.resolve().is_relative_to(source.resolve())
        same = source.is_file() and path.samefile(source)
        if same or (inside and not is_results(path)):
            raise BarometreError(
                f"{path} est l'une des sources, et serait remplacé ; donner un autre nom de fichier"
            )


def _check_rows(results: pd.DataFrame, labelled: Callable[[], pd.DataFrame], path: Path) -> None:
    """Refuse what is no result or does not fit in a sheet; what does not fit is written in CSV."""
    absent = [name for name in RESULT_COLUMNS if name not in results.columns]
    if absent:
        raise BarometreError(
            f"{path.name} : un classeur demande les résultats de compute (colonnes absentes :"
            f" {', '.join(absent)}) ; écrire en .csv ou en .parquet"
        )
    twice = results.duplicated(["code", "annee", "indicateur"])
    if twice.any():
        first = results[twice].iloc[0]
        many = counted(int(twice.sum()), "ligne")
        raise BarometreError(
            f"{path.name} : {many} en double, dont {first['indicateur']}, {first['code']} en"
            f" {first['annee']} ; n'en garder qu'une"
        )
    if len(results) < ROWS:
        return
    other = path.with_suffix(".csv")
    remedy = f"écrire en .csv ou en .parquet ({other.name} existe déjà et n'est pas remplacé)"
    if not other.exists():
        with replacing(other) as temporary:
            write_delimited(labelled(), temporary, "machine")
        remedy = f"les résultats sont dans {other.name}"
    raise BarometreError(
        f"{len(results)} lignes : une feuille de classeur n'en tient que {ROWS - 1} ; {remedy}"
    )


def _labelled(results: pd.DataFrame, territoires: pd.DataFrame | None) -> pd.DataFrame:
    """Put the label beside the code, and the indicator's label and unit beside its name."""
    cards = {name: indicator_card(name) for name in results["indicateur"].unique()}
    frame = results.copy(deep=False)
    if territoires is not None and len(territoires):
        frame.insert(1, "libelle", frame["code"].map(territoires["libelle"]).astype("str"))
        frame.insert(2, "niveau", frame["code"].map(territoires["niveau"]).astype("str"))
    place = list(frame.columns).index("indicateur") + 1
    labels = {name: card.libelle["fr"] for name, card in cards.items()}
    units = {name: unit_label(card) for name, card in cards.items()}
    frame.insert(place, "libelle_indicateur", frame["indicateur"].map(labels).astype("str"))
    frame.insert(place + 2, "unite", frame["indicateur"].map(units).astype("str"))
    return frame


def write_template(table: str, path: str | Path) -> Path:
    """Write an empty table to fill: headers, a row of units and an example row.

    The reader leaves out the rows whose code is ``UNITE`` or ``EXEMPLE``.

    Parameters
    ----------
    table : str
        Name of a table, or ``"publies"`` (one column per indicator).
    path : str or Path
        File to write, ``.csv`` (semicolons, as a French spreadsheet opens it) or ``.xlsx``.

    Returns
    -------
    Path

    Raises
    ------
    UnknownNameError
        No table of that name.
    """
    path = Path(path)
    if table == PUBLISHED:
        units = {card.id: unit_label(card) for card in load_cards().values()}
    elif table in MODELS:
        described = MODELS[table].to_schema().columns
        units = {name: str(column.metadata["unite"]) for name, column in described.items()}
    else:
        raise UnknownNameError("nom de table", table, [*MODELS, PUBLISHED])
    rows = [
        {"code": "UNITE", "annee": "année des données", "libelle": "nom du territoire"} | units,
        {"code": "EXEMPLE", "annee": "2021", "libelle": "Denain"} | dict.fromkeys(units, "nd"),
    ]
    frame = pd.DataFrame(rows)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".xlsx":
            with open_book(temporary, f"Table {table}", dt.date(1980, 1, 1)) as book:
                write_rows(book, frame, table)
        else:
            frame.to_csv(temporary, index=False, sep=";", encoding="utf-8-sig")
    return path
