"""Results as delimited text: for machines, and for a French spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import pandas as pd
import pyarrow
import pyarrow.csv

from barometre.base.errors import UnknownNameError

Dialect = Literal["machine", "excel"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

NUMBERS = ("valeur", "borne_inf", "borne_sup")
"""Columns of the results that may have decimals."""

MARK = "'"
_BEGINNINGS = "=+@\t\r\n＝＋－＠-"  # of a formula, full-width forms included; the hyphen last
_FORMULA = f"^{MARK}*[{_BEGINNINGS}]"
_MARKED = f"^{MARK}+[{_BEGINNINGS}]"


def as_dialect(name: str) -> Dialect:
    """Take the name of a kind of CSV.

    Raises
    ------
    UnknownNameError
        It is none.
    """
    for dialect in DIALECTS:
        if name == dialect:
            return dialect
    raise UnknownNameError("sorte de CSV", str(name), DIALECTS)


def write_delimited(frame: pd.DataFrame, path: Path, dialect: Dialect) -> None:
    """Write a frame as text.

    Parameters
    ----------
    frame : DataFrame
        Numbers and texts.
    path : Path
        File to write.
    dialect : {"machine", "excel"}
        ``machine``: UTF-8, comma, decimal point, every text between quotes (so that a code is seen
        to be text) and nothing where there is none. ``excel``: UTF-8 with a BOM, semicolon, decimal
        comma, and an apostrophe before a text that a spreadsheet would take for a formula.
    """
    if dialect == "excel":
        marked(frame).to_csv(
            path, index=False, sep=";", decimal=",", encoding="utf-8-sig", lineterminator="\r\n"
        )
        return
    with path.open("wb") as stream:
        table = pyarrow.Table.from_pandas(frame, preserve_index=False)
        # In one piece: before a first piece without rows, pyarrow 22 writes the header twice.
        pyarrow.csv.write_csv(table.combine_chunks(), stream)


def read_delimited(content: bytes) -> pd.DataFrame:
    """Read what `write_delimited` has written, in either dialect, as texts.

    A file that a spreadsheet has saved again in the Windows encoding is read too.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    header = text.partition("\n")[0]
    french, names = _is_french(header), header_names(header)
    table = pyarrow.csv.read_csv(
        pyarrow.BufferReader(text.encode()),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=";" if french else ",", newlines_in_values=True
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pyarrow.large_string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    frame: pd.DataFrame = table.to_pandas().astype("str")
    if not french:
        return frame
    numbers = {name: frame[name].str.replace(",", ".") for name in NUMBERS if name in frame}
    return unmarked(frame).assign(**numbers)


def header_names(header: str) -> list[str]:
    """List the names of a header, in either dialect."""
    return [name.strip('"\r\n ') for name in header.split(";" if _is_french(header) else ",")]


def _is_french(header: str) -> bool:
    return header.count(";") > header.count(",")


def marked(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before the texts that a spreadsheet would take for formulas.

    A text that begins with apostrophes and then like a formula gets one more, so that taking one
    off gives every text back.

    Examples
    --------
    >>> texts = pd.DataFrame({"note": ["=1+1", "voir page 2"], "valeur": [-1.5, 2.0]})
    >>> marked(texts)["note"].tolist(), unmarked(marked(texts))["note"].tolist()
    (["'=1+1", 'voir page 2'], ['=1+1', 'voir page 2'])
    """
    changed = {}
    for name, texts in _texts(frame).items():
        found = texts.str.match(_FORMULA).fillna(False).astype(bool)
        if found.any():
            changed[name] = texts.mask(found, MARK + texts)
    return frame.assign(**changed)


def unmarked(frame: pd.DataFrame) -> pd.DataFrame:
    """Take off the apostrophes that `marked` has put."""
    changed = {}
    for name, texts in _texts(frame).items():
        found = texts.str.match(_MARKED).fillna(False).astype(bool)
        if found.any():
            changed[name] = texts.mask(found, texts.str[len(MARK) :])
    return frame.assign(**changed)


def _texts(frame: pd.DataFrame) -> dict[str, pd.Series[str]]:
    return {
        str(name): frame[name]
        for name in frame.columns
        if not pd.api.types.is_numeric_dtype(frame[name])
    }
