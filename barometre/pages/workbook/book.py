"""An Excel file written row by row: its dates, its formats, its texts."""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError, FileSizeError

from barometre.base.errors import BarometreError
from barometre.base.french import Lang

ROWS, COLUMNS = 1_048_576, 16_384
"""What a sheet holds, whatever the program that opens it."""

CELL = 32_767
"""Characters of a cell."""

REPLACED = "\ufffd"
_ILLEGAL = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"


def legal(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    r"""Replace the characters that no workbook can hold; count the cells concerned.

    Examples
    --------
    >>> legal(pd.DataFrame({"libelle": ["Denain\x07", "Raismes"]}))[0]["libelle"].tolist()
    ['Denain�', 'Raismes']
    """
    changed, cells = {}, 0
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        texts = frame[name].astype("str")
        wrong = texts.str.contains(_ILLEGAL).fillna(False).astype(bool)
        long = texts.str.len().fillna(0) > CELL
        if wrong.any() or long.any():
            cells += int((wrong | long).sum())
            clean = texts.str.replace(_ILLEGAL, REPLACED, regex=True)
            changed[name] = clean.mask(long, clean.str[: CELL - 1] + "…")
    return frame.assign(**changed), cells


def legal_text(text: str) -> str:
    """Replace the characters that no workbook can hold in one text."""
    return re.sub(_ILLEGAL, REPLACED, text)[:CELL]


@dataclass
class Book:
    """A workbook being written, with the formats already made."""

    book: Workbook
    lang: Lang = "fr"
    _formats: dict[tuple[tuple[str, Any], ...], Any] = field(default_factory=dict)

    def look(self, **properties: Any) -> Any:
        """Return the format with these properties, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(properties)
        return self._formats[key]

    def say(self, french: str, english: str) -> str:
        """Return a text in the language of the workbook."""
        return french if self.lang == "fr" else english

    def sheet(self, name: str) -> Any:
        """Add a sheet."""
        return self.book.add_worksheet(name)


@contextmanager
def whole_workbook(path: Path) -> Iterator[Workbook]:
    """Open a workbook of XlsxWriter in constant memory, and close it whole: no other file is left.

    Raises
    ------
    OSError
        The disk refuses it.
    BarometreError
        A sheet of more than 4 GiB.
    """
    with tempfile.TemporaryDirectory(prefix="barometre-") as folder:
        book = Workbook(path, {"constant_memory": True, "tmpdir": folder})
        try:
            yield book
            book.close()
        except FileCreateError as error:
            cause = error.args[0] if error.args else error
            raise cause if isinstance(cause, OSError) else OSError(str(cause)) from error
        except FileSizeError as error:
            raise BarometreError(
                f"{path.name} : feuille de plus de 4 Gio ; écrire en .csv ou en .parquet"
            ) from error
        finally:
            for sheet in book.worksheets():
                with suppress(OSError):  # after a failure that has been told
                    sheet.row_data_fh.close()


@contextmanager
def open_book(path: Path, title: str, day: dt.date, lang: Lang = "fr") -> Iterator[Book]:
    """Open a workbook in constant memory, and close it whole.

    Parameters
    ----------
    path : Path
        File to write.
    title : str
        Title in the properties of the file.
    day : date
        Date in the properties of the file, unless ``SOURCE_DATE_EPOCH`` gives one: never the
        clock's, so that the same results make the same bytes.
    lang : {"fr", "en"}, default "fr"
        Language of the sheets that people read.

    Raises
    ------
    OSError
        The disk refuses it.
    BarometreError
        A sheet of more than 4 GiB.
    """
    with whole_workbook(path) as book:
        book.set_properties({"title": title, "author": "barometre", "created": _created(day)})
        yield Book(book, lang)


def _created(day: dt.date) -> dt.datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        return dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC).replace(tzinfo=None)
    return dt.datetime(day.year, day.month, day.day)
