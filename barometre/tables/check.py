"""The door of the library: a frame enters as a table that satisfies its model, or is refused.

What arrives is often almost right: codes read as numbers, numbers read as text, shares between 0
and 1, a key given twice. Each of these has its own words; what remains is left to the pandera model
of the table. All faults of a table are reported at once.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Iterator, Sequence
from numbers import Number

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, Fault, TableError, UnknownNameError, counted
from barometre.base.frames import absent_columns, repeated_columns
from barometre.base.french import format_number
from barometre.cards.columns import KEY, MODELS, broken_relations
from barometre.cards.listing import load_cards
from barometre.tables.codes import are_codes, damaged_codes, matched
from barometre.tables.keys import has_missing, is_unique, used

PUBLISHED = "publies"
"""Name of the table of published values: one column per indicator, in the unit of its card."""

_SHOWN = 5  # cases quoted per fault; the error holds all the rows
_DIGITS = (2, 3, 5, 9)  # department or region, overseas department, commune, EPCI or IRIS
_ZERO_LOST = (1, 4, 8)  # the same without the leading zero
_PLAIN_NAME = r"[!-~](?:[ -~]*[!-~])?"  # most names: Arrow tells these, Python the others
_NAME = r"(?:\S.*)?[^\d\s.](?:.*\S)?"  # more than digits and points, no blank at the ends


def check_table(
    name: str,
    frame: pd.DataFrame,
    source: str | None = None,
    *,
    scale: bool = True,
    sound: pd.Index | None = None,
) -> pd.DataFrame:
    """Return a table that satisfies its model, or refuse it with every fault.

    Parameters
    ----------
    name : str
        Name of the table: a key of `tables.MODELS`, or ``"publies"``.
    frame : DataFrame
        Values, with ``code`` and ``annee`` as index or as columns. Columns of the model that are
        absent are added, empty.
    source : str, optional
        Where the frame comes from (a file), for the message.
    scale : bool, default True
        Refuse columns on the wrong scale (fractions for percentages), which all rows tell together;
        False for a part of them.
    sound : Index, optional
        A key found without fault: that of other tables of one file is mostly the same.

    Returns
    -------
    DataFrame
        Float columns of the model on the index ``(code, annee)``, rows in the order received. The
        frame received is not modified.

    Raises
    ------
    TableError
        One or several faults: unknown column, codes that lost a zero or were read as numbers,
        numbers read as text, key given twice, shares on the wrong scale, values out of limits, part
        larger than its whole. The message names them all; ``lignes`` holds the faulty rows.
    UnknownNameError
        No table of that name.
    """
    if name != PUBLISHED and name not in MODELS:
        raise UnknownNameError("nom de table", name, [*MODELS, PUBLISHED])
    if not isinstance(frame, pd.DataFrame):
        spread = hasattr(frame, "to_delayed")  # of Dask, whose frames bear the same name
        kind = (
            "un cadre Dask, à ramener en mémoire (.compute())" if spread else type(frame).__name__
        )
        raise BarometreError(f"table {name} refusée : un DataFrame est attendu, pas {kind}")
    repeated = repeated_columns(frame)
    keyed, absent = _with_key(frame.loc[:, ~frame.columns.duplicated()] if repeated else frame)
    faults = [*repeated, *absent]
    if keyed is None:
        raise TableError(_title(name, source), faults)
    if sound is None or not keyed.index.is_(sound):
        faults += [*_code_faults(keyed), *_year_faults(keyed), *_repeated_keys(keyed)]
    model = name in MODELS
    schema = _schema(name, tuple(MODELS[name].to_schema().columns if model else keyed.columns))
    columns = list(schema.columns)
    faults += _unknown_columns(keyed.columns, columns if model else load_cards())
    faults += _text_faults(keyed, columns)
    if faults:
        # Values can still be judged in the columns that hold numbers: report those faults too.
        numbers = keyed.select_dtypes("number", exclude=["complex64", "complex128"]).reindex(
            columns=columns
        )
        faults += _value_faults(name, numbers, schema)
        raise TableError(_title(name, source), [*faults, *_scale_faults(numbers, schema, scale)])
    numbers = pd.DataFrame(_floats(keyed, columns), _typed_key(keyed.index), columns)
    try:
        _validate(name, numbers)
    except SchemaErrors as error:
        found = list(_value_faults(name, numbers, schema))
        found += _scale_faults(numbers, schema, scale)
        found = found or [Fault(name, str(error), "corriger la table")]
        raise TableError(_title(name, source), found) from error
    scale_faults = list(_scale_faults(numbers, schema, scale))
    if scale_faults:
        raise TableError(_title(name, source), scale_faults)
    return numbers


def _validate(name: str, numbers: pd.DataFrame) -> None:
    """Hold the columns that have a value against the model: an empty one breaks no rule."""
    filled = numbers[numbers.columns[(~np.isnan(numbers.to_numpy())).any(axis=0)]]
    schema = _schema(name, tuple(filled.columns))
    # The schema takes milliseconds a column, whatever its length: it judges what is not plainly in.
    if not is_plainly_valid(name, filled, schema):
        schema.validate(filled, lazy=True)


def is_plainly_valid(name: str, numbers: pd.DataFrame, schema: pa.DataFrameSchema) -> bool:
    """Tell the tables whose numbers are all within their limits, and parts within their wholes.

    Parameters
    ----------
    name : str
        Name of the table.
    numbers : DataFrame
        Columns of floats, each with a value.
    schema : DataFrameSchema
        Theirs.

    Returns
    -------
    bool
        False when the schema must be asked.
    """
    ends = np.array([(np.nanmin(v), np.nanmax(v)) for v in numbers.to_numpy().T]).reshape(-1, 2)
    within = all(
        _holds(check, low, high)
        for column, (low, high) in zip(numbers.columns, ends, strict=True)
        for check in schema.columns[column].checks
    )
    if not within or not np.isfinite(ends).all():
        return False
    model, bare = MODELS.get(name), numbers.set_axis(range(len(numbers)))  # keys are heavy
    return model is None or not any(broken.any() for _, broken in broken_relations(model, bare))


def _holds(check: pa.Check, low: float, high: float) -> bool:
    """Tell whether a check that is an interval holds between two values; False for another."""
    bounds = check.statistics or {}
    least, most = bounds.get("min_value", -np.inf), bounds.get("max_value", np.inf)
    if check.name in ("greater_than_or_equal_to", "less_than_or_equal_to"):
        return bool(least <= low and high <= most)
    if check.name == "in_range" and bounds["include_min"] and bounds["include_max"]:
        return bool(least <= low and high <= most)
    return check.name in ("in_range", "less_than", "greater_than") and least < low and high < most


def is_count(table: str, column: str) -> bool:
    """Tell whether a column holds counts, which add up, or statistics, which do not."""
    if table == PUBLISHED:
        return load_cards()[column].nature == "effectif"
    return bool(MODELS[table].to_schema().columns[column].metadata["unite"] == "nombre")


def reaches_thousands(table: str, column: str) -> bool:
    """Tell the columns that are written with a mark of thousands: counts, incomes of a year."""
    if is_count(table, column):
        return True
    if table == PUBLISHED:
        return load_cards()[column].unite == "euros_par_an"
    return bool(MODELS[table].to_schema().columns[column].metadata["unite"] == "euros_par_an")


def _title(name: str, source: str | None) -> str:
    label = MODELS[name].__name__ if name in MODELS else name
    return f"table {label} refusée" + (f" ({source})" if source else "")


@functools.cache
def _schema(name: str, columns: tuple[str, ...]) -> pa.DataFrameSchema:
    """Return the pandera schema of some columns of a table; the key is checked apart, in words.

    That of the published values comes from the cards.
    """
    if name in MODELS:
        model = MODELS[name].to_schema()
        known = {column: model.columns[column] for column in columns}
        return pa.DataFrameSchema(known, checks=model.checks, strict=True)
    cards = load_cards()
    described = {
        column: pa.Column(
            float,
            pa.Check.in_range(*cards[column].bornes),
            nullable=True,
            title=cards[column].libelle["fr"],
            metadata={"unite": cards[column].unite, "plausible": cards[column].plausible},
        )
        for column in columns
        if column in cards
    }
    return pa.DataFrameSchema(described, strict=True)


# ---- the key ------------------------------------------------------------------------------------


def _with_key(frame: pd.DataFrame) -> tuple[pd.DataFrame | None, list[Fault]]:
    """Put the key in the index if it came as columns."""
    if tuple(frame.index.names) == KEY:
        return frame, []
    available = frame.reset_index() if any(frame.index.names) else frame
    remedy = "donner code et annee, en index ou en colonnes"
    if absent := absent_columns(available, KEY, remedy):
        return None, [*absent]
    return available.set_index(list(KEY)), []


def _code_faults(frame: pd.DataFrame) -> Iterator[Fault]:
    if _in_form(frame.index):
        return  # what is of the form of a level is neither short, nor damaged, nor odd
    codes = frame.index.get_level_values("code")
    if pd.api.types.is_numeric_dtype(codes.dtype):
        yield Fault(
            "code",
            f"codes lus comme des nombres ({_sample(codes.unique())}) : zéros initiaux perdus",
            "relire le fichier avec dtype={'code': str}",
            frame,
        )
        return
    if codes.hasnans:
        bad = frame[codes.isna()]
        yield Fault(
            "code",
            counted(len(bad), "code manquant", "codes manquants"),
            "compléter ou retirer ces lignes",
            bad,
        )
    texts = pd.Series(codes).astype("str").dropna()
    digits, length = texts.str.isdigit(), texts.str.len()
    short = texts[digits & length.isin(_ZERO_LOST)]
    named = texts[~digits]
    strange = texts[digits & ~length.isin([*_DIGITS, *_ZERO_LOST])]
    plain = matched(named, _PLAIN_NAME) & ~matched(named, r"[0-9 .]*")
    rest = named[~plain]
    odd = pd.concat([strange, rest[~rest.str.fullmatch(_NAME)]])
    if len(short):
        cases = [f"« {code} » n'a que {counted(len(code), 'caractère')}" for code in short.unique()]
        yield Fault(
            "code",
            f"{counted(len(cases), 'code trop court', 'codes trop courts')} : {_sample(cases)} ;"
            " zéro initial perdu ?",
            "relire le fichier avec dtype=str, ou rétablir le zéro",
            frame.iloc[short.index],
        )
    if damaged := damaged_codes(named.unique()):
        cases = [f"« {name} »" + (f" ({code} ?)" if code else "") for name, code in damaged.items()]
        yield Fault(
            "code",
            f"{counted(len(cases), 'code abîmé', 'codes abîmés')} : {_sample(cases)}",
            "relire la source en texte, ou corriger",
            frame.iloc[named[named.isin(list(damaged))].index],
        )
    if len(odd):
        yield Fault(
            "code",
            f"codes d'aucune forme connue : {_sample(odd.unique())}",
            "commune 5 caractères, IRIS ou EPCI 9, QPV « QP059050 » ou « QN05950M », sinon un nom",
            frame.iloc[odd.index],
        )


def _in_form(index: pd.Index) -> bool:
    """Tell whether all codes are of the form of a level, each looked at once."""
    if not isinstance(index, pd.MultiIndex):
        return False
    known = used(index, "code")
    return known.dtype == "str" and not has_missing(index, "code") and are_codes(known)


def _year_faults(frame: pd.DataFrame) -> Iterator[Fault]:
    if isinstance(frame.index, pd.MultiIndex):
        known = used(frame.index, "annee")
        whole = known.dtype == np.int64 and not has_missing(frame.index, "annee")
        if whole and (not len(known) or 1900 <= known.min() <= known.max() <= 2100):
            return
    years = frame.index.get_level_values("annee")
    numbers = pd.to_numeric(pd.Series(years), errors="coerce")
    bad = ~(numbers.mod(1).eq(0) & numbers.between(1900, 2100)).to_numpy()
    if bad.any():
        yield Fault(
            "annee",
            f"années illisibles : {_sample(pd.unique(years[bad]))}",
            "donner l'année des données en quatre chiffres, sans décimale",
            frame[bad],
        )


def _repeated_keys(frame: pd.DataFrame) -> Iterator[Fault]:
    if is_unique(frame.index):
        return
    repeated = frame[frame.index.duplicated(keep=False)]
    keys = [f"{code} en {year}" for code, year in repeated.index.unique()]
    yield Fault(
        "clé",
        f"{counted(len(keys), 'clé')} (code, annee) en double : {_sample(keys)}",
        "ne garder qu'une ligne par territoire et par année",
        repeated,
    )


def _typed_key(index: pd.Index) -> pd.MultiIndex:
    """Give the key its types: text and whole numbers."""
    if isinstance(index, pd.MultiIndex):
        levels = dict(zip(index.names, index.levels, strict=True))
        if levels["code"].dtype == "str" and levels["annee"].dtype == np.int64:
            return index
    codes, years = index.get_level_values("code"), index.get_level_values("annee")
    whole = years.to_numpy(dtype=np.float64).astype(np.int64)
    return pd.MultiIndex.from_arrays([codes.astype("str"), whole], names=list(KEY))


# ---- the columns --------------------------------------------------------------------------------


def _unknown_columns(columns: Iterable[object], known: Iterable[str]) -> Iterator[Fault]:
    admitted = list(known)
    for column in columns:
        if column not in admitted:
            near = difflib.get_close_matches(str(column), admitted, n=1)
            some = ", ".join(admitted[:20]) + ", ..." * (len(admitted) > 20)
            remedy = f"vouliez-vous dire « {near[0]} » ?" if near else f"colonnes admises : {some}"
            yield Fault(str(column), "colonne inconnue", remedy)


def _text_faults(frame: pd.DataFrame, known: Iterable[str]) -> Iterator[Fault]:
    """Find what is no number; of a column of texts, the cells that are none are quoted."""
    types = dict(zip(frame.columns, frame.dtypes, strict=True))
    for column in known:
        if column not in types or types[column] == np.float64:
            continue
        cells = frame[column]
        if pd.api.types.is_bool_dtype(cells.dtype):
            remedy = "donner des nombres : 0 et 1 ne sont pas des effectifs"
            yield Fault(column, "vrai et faux au lieu de nombres", remedy, frame[[column]])
        if pd.api.types.is_numeric_dtype(cells.dtype) and cells.dtype.kind != "c":
            continue
        given = cells[cells.notna()]
        typed = given[~given.map(_is_number).astype(bool)]
        if typed.empty:
            continue  # numbers read as objects, None beside them
        texts = typed.astype("str").str.replace(r"\s", "", regex=True).str.replace(",", ".")
        bad = typed[pd.to_numeric(texts, errors="coerce").isna()]
        words = f"nombres lus comme du texte ({_sample(typed.drop_duplicates())})"
        if len(bad):
            cases = (f"{c} en {y} : {cell}" for (c, y), cell in zip(bad.index, bad, strict=True))
            number = counted(len(bad), "cellule illisible", "cellules illisibles")
            words = f"{number} ({_sample(cases)})"
        yield Fault(
            column,
            words,
            "relire avec le bon séparateur décimal et de milliers ; laisser vide une valeur absente"
            " et dire pourquoi dans « statuts »",
            frame.loc[frame.index.isin((bad if len(bad) else typed).index), [column]],
        )


def _is_number(cell: object) -> bool:
    """Tell a number, Decimal included, from a boolean, a text, a complex."""
    return isinstance(cell, Number) and not isinstance(cell, bool | complex | np.complexfloating)


def _floats(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Give the numbers of columns side by side; one that the frame lacks is empty."""
    numbers = np.full((len(columns), len(frame)), np.nan)
    if len(frame.columns) and all(kind == np.float64 for kind in frame.dtypes):
        at = pd.Index(columns).get_indexer(frame.columns)
        numbers[at[at >= 0]] = frame.to_numpy().T[at >= 0]
        return numbers.T
    for row, column in zip(numbers, columns, strict=True):
        if column in frame:
            row[:] = _as_floats(frame[column]).to_numpy()
    return numbers.T


def _as_floats(cells: pd.Series) -> pd.Series[float]:
    """Give floats whatever holds the numbers: None, NA and Decimal included."""
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return cells.astype(np.float64)
    return cells.map(lambda cell: np.nan if pd.isna(cell) else float(cell)).astype(np.float64)


def may_be_off_scale(table: str, column: str, highest: float) -> bool:
    """Tell, by its highest value, a column whose scale must be judged.

    Parameters
    ----------
    table, column : str
        Name of the table, and of its column.
    highest : float
        Its highest value.

    Returns
    -------
    bool
        False when no value can be a fraction given for a percentage, nor the contrary.
    """
    if column not in (MODELS[table].to_schema().columns if table in MODELS else load_cards()):
        return False
    described = _schema(table, (column,)).columns[column]
    facts = described.metadata or {}
    if facts.get("plausible") is None or highest <= 0:
        return False
    if facts["unite"] == "pourcent":
        return highest <= 1
    return bool(facts["unite"] == "rapport" and highest > facts["plausible"][1])


def _scale_faults(
    frame: pd.DataFrame, schema: pa.DataFrameSchema, whole: bool = True
) -> Iterator[Fault]:
    """Find percentages given as fractions, and ratios given as percentages."""
    for name, column in schema.columns.items() if whole else ():
        plausible = (column.metadata or {}).get("plausible")
        if plausible is None:
            continue
        cells = frame[name].to_numpy(np.float64, na_value=np.nan)
        cells = cells[~np.isnan(cells)]
        if not len(cells) or cells.max() <= 0:
            continue
        if column.metadata["unite"] == "pourcent" and cells.max() > 1:
            continue
        low, high = plausible
        median = float(np.median(cells))
        if column.metadata["unite"] == "pourcent" and cells.max() <= 1:
            # Producers print percentages with one decimal; fractions need more.
            values = frame[name].dropna().astype(float)
            fine = (values * 10).mod(1).between(1e-6, 1 - 1e-6).mean() > 0.5
            if low <= 100 * median <= high and (median < low or (len(values) >= 5 and fine)):
                yield Fault(
                    name,
                    f"{counted(len(values), 'part')} entre 0 et 1 ({_sample(values)}) là où des"
                    " pourcentages de 0 à 100 sont attendus",
                    "multiplier la colonne par 100",
                    frame.loc[values.index, [name]],
                )
        if column.metadata["unite"] == "rapport" and low <= median / 100 <= high < median:
            values = frame[name].dropna().astype(float)
            yield Fault(
                name,
                f"rapports donnés pour 100 ({_sample(values)}) au lieu de valeurs simples",
                "diviser la colonne par 100",
                frame.loc[values.index, [name]],
            )


def _value_faults(name: str, frame: pd.DataFrame, schema: pa.DataFrameSchema) -> Iterator[Fault]:
    """List what the checks of the model find, with the cases."""
    for column, described in schema.columns.items():
        for check in described.checks:
            values = frame[column].dropna()
            bad = values[~check(values).check_output]
            if len(bad):
                yield Fault(
                    column,
                    f"{counted(len(bad), 'valeur')} hors des limites ({_limit(check)}) :"
                    f" {_cases(bad)}",
                    "vérifier l'unité et la saisie",
                    frame.loc[bad.index, [column]],
                )
    if name not in MODELS:
        return
    for (parts, whole), broken in broken_relations(MODELS[name], frame):
        rows = frame[broken]
        if len(rows):
            given = [part for part in parts if rows[part].notna().any()]
            total = rows[given].sum(axis=1)
            cases = [
                f"{code} en {year} : {format_number(part)} > {format_number(limit)}"
                for (code, year), part, limit in zip(rows.index, total, rows[whole], strict=True)
            ]
            verb = "dépassent" if len(rows) > 1 else "dépasse"
            yield Fault(
                " + ".join(given),
                f"{counted(len(rows), 'valeur')} {verb} « {whole} » : {_sample(cases)}",
                "vérifier les deux côtés",
                rows[[*given, whole]],
            )


# ---- words --------------------------------------------------------------------------------------


def _limit(check: pa.Check) -> str:
    bounds = check.statistics or {}
    words = {"min_value": "minimum", "max_value": "maximum"}
    return ", ".join(
        f"{words[key]} {format_number(bounds[key])}" for key in words if key in bounds
    ) or str(check.error)


def _cases(values: pd.Series[float]) -> str:
    return _sample(
        [
            f"{code} en {year} : {format_number(value)}"
            for (code, year), value in zip(values.index, values, strict=True)
        ]
    )


def _sample(items: Iterable[object]) -> str:
    # codes and years are labels: their digits are not grouped
    cases = [f"{x:.10g}".replace(".", ",") if isinstance(x, float) else str(x) for x in items]
    return " ; ".join(cases[:_SHOWN]) + (" ; ..." if len(cases) > _SHOWN else "")
