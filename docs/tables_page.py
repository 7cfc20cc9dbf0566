"""The page of the input tables, written from their models, so that it cannot lag behind them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pandera.pandas as pa
from markdown_parts import code, link, plain, table, target

from barometre.cards.columns import MODELS, PART_TOLERANCE, columns_of
from barometre.cards.listing import load_cards
from barometre.cards.schema import UNITS
from barometre.engine.results import ORIGINS, Results
from barometre.sources.files.values import NOT_APPLICABLE_TOKENS, SECRET_TOKENS
from barometre.tables.check import PUBLISHED
from barometre.tables.table_set import STATUSES, STATUTS_COLUMNS, TERRITOIRES_COLUMNS

# Words of the columns and closed lists of the library. A name added there and not here stops
# the build.
REMARKS: Mapping[str, str] = MappingProxyType(
    {
        "code": "Code of the territory.",
        "annee": "Year of the data.",
        "table": f"Name of the table; {code(PUBLISHED)} for a published value.",
        "colonne": "Name of the column.",
        "statut": f"{code('ok')} when the cell has a value, otherwise why it has none.",
        "qualite": f"{code('douteux')} for a value contradicted elsewhere, else empty.",
        "origine": f"{code('deduit')} for a cell deduced from others, else empty (optional).",
        "motif": "The reason, in words; it becomes the note of the values computed from the cell.",
    }
)
TERRITORIES: Mapping[str, str] = MappingProxyType(
    {
        "libelle": "Label.",
        "libelle_court": "Short label for tables and charts; the label when there is none.",
        "niveau": "Level: `commune`, `epci`, `qpv`...",
    }
)
STATUS_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "ok": "The value exists.",
        "secret": "The value exists and is hidden by statistical secrecy (*secret statistique*).",
        "non_disponible": "An input cell is empty, or the source gives nothing.",
        "non_defini": "All inputs are there and the formula has no value: a zero denominator.",
        "sans_objet": "The question does not arise for this territory.",
    }
)
ORIGIN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "calcule": "computed from counts by the library",
        "publie": "repeated as the producer publishes it",
        "deduit": "deduced from a later printed value and its printed evolution",
        "estime": "estimated (`shrink`, a mean of `aggregate`, a median of peers)",
    }
)
RESULT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "code": "Code of the territory, as received.",
        "annee": "Year of the first table of the indicator.",
        "indicateur": "Identifier of the indicator.",
        "valeur": "The value, in the unit of the card, not rounded.",
        "statut": "Whether there is a value, and otherwise why.",
        "borne_inf": "Lower limit of the interval, when intervals are asked for and one exists.",
        "borne_sup": "Upper limit of the interval.",
        "qualite": f"{code('douteux')} when the value rests on a doubtful cell; else the display"
        " grade A to D, with intervals; else empty.",
        "origine": "; ".join(f"{code(origin)}: {ORIGIN_WORDS[origin]}" for origin in ORIGINS) + ".",
        "note": "What a reader must know: reason, older vintage, published value left aside.",
    }
)


def tables_page() -> str:
    """Write the page of the input tables in Markdown (MyST).

    Returns
    -------
    str
        The key, every table with its columns and units, the published values, the statuses, the
        territories, and the columns of the results.
    """
    parts = [
        "# Input tables",
        f"`barometre.compute` takes tables: data frames of fixed names and columns. There are"
        f" {len(MODELS)} of them, one per family of sources, plus {code(PUBLISHED)} for values"
        " that a producer only publishes as rates or medians. Give the tables that you have; only"
        " the indicators that they allow are computed. This page is written from the models of"
        " the tables when the documentation is built.",
        *_rules(),
        *(part for name in MODELS for part in _model(name)),
        *_companions(),
        *_files(),
        *_results(),
    ]
    return "\n\n".join(parts) + "\n"


def _rules() -> Iterator[str]:
    yield "## Rules of all tables"
    rules = [
        "The key is `code` (text) and `annee` (the year of the data, four digits), as columns or"
        " as index. Each pair appears once.",
        "A code keeps its leading zeros: `01004`, `2A004`. A commune has 5 characters, an IRIS or"
        " an EPCI 9; a QPV is written `QP059050` (2015 perimeters) or `QN05950M` (2024"
        " perimeters). A name with letters is accepted for other territories.",
        "A year is that of the data, not that of the file. Several years go into one table.",
        "A cell is a number, or empty when the source gives nothing. It is never 0 for “unknown”.",
        "Percentages go from 0 to 100.",
        "Counts are 0 or more; decimals are accepted, because census counts are weighted.",
        "A part does not exceed its whole. Rounding is accepted up to"
        f" {_short(PART_TOLERANCE)} unit.",
        "A column of the model that you do not have may be left out. A column that the model does"
        " not know is refused.",
    ]
    yield "\n".join(f"- {rule}" for rule in rules)


def _model(name: str) -> Iterator[str]:
    model = MODELS[name]
    columns = model.to_schema().columns
    yield f"({target('table', name)})="
    yield f"## {code(name)}"
    yield plain(inspect.getdoc(model) or "")
    yield table(
        ["Column", "Content", "Unit", "Used by"],
        [
            [code(c), plain(columns[c].title or ""), _unit(columns[c]), _users(name, c)]
            for c in columns_of(name)
        ],
    )
    limits = [limit for c in columns_of(name) for limit in _limits(c, columns[c])]
    if limits:
        yield "Checked when the table is received:"
        yield "\n".join(f"- {limit}" for limit in limits)


def _users(name: str, column: str) -> str:
    return ", ".join(
        link(plain(card.libelle["en"]), target("indicateur", card.id))
        for card in load_cards().values()
        if column in card.entrees.get(name, ())
    )


def _unit(column: pa.Column) -> str:
    unit = str((column.metadata or {})["unite"])
    return plain(UNITS[unit][1] if unit in UNITS else unit)


def _limits(name: str, column: pa.Column) -> Iterator[str]:
    """Say what bounds a column: a finite maximum, its parts, the columns above it."""
    metadata = column.metadata or {}
    bounds = {key: value for check in column.checks for key, value in check.statistics.items()}
    if math.isfinite(high := bounds.get("max_value", math.inf)):
        yield f"{code(name)} ≤ {_short(high)}"
    for parts in metadata.get("parts", ()):
        yield f"{' + '.join(map(code, parts))} ≤ {code(name)}"
    for other in metadata.get("at_most", ()):
        yield f"{code(name)} ≤ {code(other)}"


def _companions() -> Iterator[str]:
    yield f"({target('table', PUBLISHED)})="
    yield f"## {code(PUBLISHED)}"
    yield (
        "Values that a producer publishes as rates, medians or gaps: one column per indicator,"
        " named after its identifier, in the unit of its card (see the [catalogue](catalogue.md))."
        " A value that can be computed from counts is preferred to the published one, and the"
        " note of the result says so."
    )
    yield f"({target('table', 'statuts')})="
    yield "## `statuts`"
    yield (
        "What there is to say of single cells, one row each. It is given to `barometre.Tables`"
        " beside the tables. A cell that `statuts` declares absent must be empty in its table."
    )
    yield table(["Column", "Content"], [[code(c), REMARKS[c]] for c in STATUTS_COLUMNS])
    yield "Statuses (`statut`), the same for cells and for results:"
    yield table(["Status", "Meaning"], [[code(s), STATUS_WORDS[s]] for s in STATUSES])
    yield f"({target('table', 'territoires')})="
    yield "## `territoires`"
    yield "Who is who, indexed by `code`. Optional; given to `barometre.Tables` as well."
    yield table(["Column", "Content"], [[code(c), TERRITORIES[c]] for c in TERRITOIRES_COLUMNS])


def _files() -> Iterator[str]:
    yield "## Tables as files"
    secret, not_applicable = (
        ", ".join(map(code, sorted(tokens))) for tokens in (SECRET_TOKENS, NOT_APPLICABLE_TOKENS)
    )
    rules = [
        "One CSV file per table, named after it: `logements.csv`, or `logements_2021.csv`. A file"
        " with another name is recognised by its columns, when they belong to one table only.",
        "`statuts.csv` and `territoires.csv` hold the two companions.",
        "The separator is a semicolon, a comma or a tab; the decimal mark is a comma or a point;"
        " spaces between thousands are accepted. UTF-8 and Windows encodings are read.",
        f"A cell under statistical secrecy may be written {secret}; a cell that is not applicable"
        f" {not_applicable}. An empty cell is not available. None of them is read as 0.",
    ]
    yield "The command line reads tables from files:"
    yield "\n".join(f"- {rule}" for rule in rules)


def _results() -> Iterator[str]:
    yield f"({target('table', 'resultats')})="
    yield "## What `compute` gives back"
    yield (
        "One row per territory, year and indicator. `valeur` is empty exactly when `statut` is not"
        " `ok`."
    )
    names = Results.to_schema().columns
    yield table(["Column", "Content"], [[code(n), RESULT_COLUMNS[n]] for n in names])


def _short(value: float) -> str:
    return f"{value:.10g}"
