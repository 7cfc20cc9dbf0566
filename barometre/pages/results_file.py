"""Write results to files that people open: CSV, XLSX, Parquet; whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.files import replacing
from barometre.base.frames import check_frame
from barometre.base.french import absent_label
from barometre.cards.columns import MODELS
from barometre.cards.labels import unit_label
from barometre.cards.listing import indicator_card, load_cards
from barometre.cards.schema import THEMES
from barometre.engine.results import displayed
from barometre.tables.check import PUBLISHED

SUFFIXES = (".csv", ".xlsx", ".parquet")

_SHEET_ROWS = 1_048_575  # rows of a sheet, less its header
_DOUBT = PatternFill("solid", fgColor="FFF2CC")
_HEAD = PatternFill("solid", fgColor="E8EDF3")
_GUIDE = (
    ("tableau", "Une ligne par territoire, une colonne par indicateur et par année."),
    ("resultats", "Une ligne par valeur, avec son statut, son origine et sa note."),
    ("indicateurs", "Libellé, définition, unité, source et précautions de chaque indicateur."),
    ("", ""),
    (
        "Cellule jaune",
        "Valeur publiée douteuse, reprise telle quelle ; la raison est en commentaire.",
    ),
    ("secret", "Le producteur ne diffuse pas cette valeur (secret statistique)."),
    ("n.d.", "Valeur non disponible, ou effectifs trop faibles pour la montrer (classe D)."),
    ("s.o.", "Sans objet pour ce territoire."),
    ("non défini", "Le dénominateur est nul."),
    ("calcule, publie", "Valeur calculée à partir d'effectifs, ou reprise du producteur."),
    (
        "qualite A à D",
        "Demi-intervalle : A jusqu'à 3 points, B de 3 à 7 (à lire avec prudence), C au-delà ou sur"
        " moins de 100 réponses (non classé), D effectifs trop faibles.",
    ),
)


def write_results(
    results: pd.DataFrame, path: str | Path, territoires: pd.DataFrame | None = None
) -> Path:
    """Write tidy results, their labels beside the codes.

    Parameters
    ----------
    results : DataFrame
        Tidy results of `compute`.
    path : str or Path
        File to write; its suffix says how: ``.csv`` (UTF-8, comma, decimal point), ``.xlsx``
        (a readable table, the tidy values, the definitions) or ``.parquet``.
    territoires : DataFrame, optional
        Labels and levels by code, as `Tables.territoires` gives them.

    Returns
    -------
    Path
        The file, written whole: a failure leaves what was there before.

    Raises
    ------
    BarometreError
        A suffix of no known format, or more rows than a workbook can hold.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BarometreError(
            f"format « {path.suffix} » inconnu pour {path.name} : choisir {', '.join(SUFFIXES)}"
        )
    if suffix == ".xlsx" and len(results) > _SHEET_ROWS:
        raise BarometreError(
            f"{len(results)} lignes : un classeur n'en tient que {_SHEET_ROWS} ; écrire en .parquet"
        )
    check_frame(results, "résultats refusés", ("code", "annee", "indicateur", "valeur"))
    labelled = _labelled(results, territoires)
    with replacing(path) as temporary:
        if suffix == ".csv":
            labelled.to_csv(temporary, index=False, lineterminator="\n")
        elif suffix == ".parquet":
            labelled.to_parquet(temporary, index=False)
        else:
            _write_workbook(labelled, temporary)
    return path


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
            frame.to_excel(temporary, index=False, sheet_name=table)
        else:
            frame.to_csv(temporary, index=False, sep=";", encoding="utf-8-sig")
    return path


# ---- workbook -----------------------------------------------------------------------------------


def _write_workbook(frame: pd.DataFrame, path: Path) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    _guide_sheet(book.create_sheet("lisez-moi"))
    _wide_sheet(book.create_sheet("tableau"), frame)
    _frame_sheet(book.create_sheet("resultats"), frame)
    _frame_sheet(book.create_sheet("indicateurs"), _definitions(frame))
    book.active = 1
    book.save(path)


def _guide_sheet(sheet: Worksheet) -> None:
    for row, (word, meaning) in enumerate(_GUIDE, start=1):
        sheet.cell(row, 1, word).font = Font(bold=True)
        sheet.cell(row, 2, meaning)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 18, 90


def _wide_sheet(sheet: Worksheet, frame: pd.DataFrame) -> None:
    """Write territories in rows, indicators in columns, as one prints them."""
    keys = ["code", *(c for c in ("libelle", "niveau") if c in frame.columns)]
    rows = {code: i for i, code in enumerate(frame["code"].unique(), start=2)}
    columns = frame[["indicateur", "annee"]].drop_duplicates()
    place = {
        pair: j
        for j, pair in enumerate(columns.itertuples(index=False, name=None), start=len(keys) + 1)
    }
    for j, key in enumerate(keys, start=1):
        _head(sheet, j, key, 42 if key == "libelle" else 18)
    for (name, year), j in place.items():
        card = indicator_card(name)
        _head(sheet, j, f"{card.libelle['fr']} ({unit_label(card)}), {year}", 16)
    for _, line in frame[keys].drop_duplicates("code").iterrows():
        for j, key in enumerate(keys, start=1):
            value = line[key]
            sheet.cell(rows[line["code"]], j, value if isinstance(value, str) else "")
    for value in displayed(frame).itertuples(index=False):
        known = value.statut == "ok"
        printed = value.valeur if known else absent_label(str(value.statut))
        cell = sheet.cell(rows[value.code], place[value.indicateur, value.annee], printed)
        if known:
            decimals = indicator_card(str(value.indicateur)).decimales
            cell.number_format = _number_format(decimals)
        else:
            cell.font = Font(italic=True, color="6B7280")
        cell.alignment = Alignment(horizontal="right")
        if value.qualite == "douteux":
            cell.fill = _DOUBT
        if isinstance(value.note, str):
            cell.comment = Comment(value.note, "barometre")
    sheet.freeze_panes = f"{get_column_letter(len(keys) + 1)}2"


def _number_format(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def _frame_sheet(sheet: Worksheet, frame: pd.DataFrame) -> None:
    for j, column in enumerate(frame.columns, start=1):
        longest = frame[column].astype("str").str.len().max() if len(frame) else 0
        _head(sheet, j, column, min(60, max(12, 0 if pd.isna(longest) else int(longest) + 2)))
    for i, line in enumerate(frame.itertuples(index=False), start=2):
        for j, value in enumerate(line, start=1):
            if not (isinstance(value, float) and pd.isna(value)):
                sheet.cell(i, j, value)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _definitions(frame: pd.DataFrame) -> pd.DataFrame:
    cards = [indicator_card(name) for name in frame["indicateur"].unique()]
    return pd.DataFrame(
        {
            "indicateur": [card.id for card in cards],
            "theme": [THEMES[card.theme][0] for card in cards],
            "libelle": [card.libelle["fr"] for card in cards],
            "definition": [card.definition["fr"] for card in cards],
            "unite": [unit_label(card) for card in cards],
            "univers": [card.univers for card in cards],
            "source": [card.source for card in cards],
            "producteur": [card.producteur for card in cards],
            "precautions": ["\n".join(card.precautions) for card in cards],
        }
    )


def _head(sheet: Worksheet, column: int, text: str, width: int) -> None:
    cell = sheet.cell(1, column, text)
    cell.font, cell.fill = Font(bold=True), _HEAD
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    sheet.column_dimensions[get_column_letter(column)].width = width
