"""What a file may cost once opened: small files are refused that would fill the memory."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO

from barometre.base.errors import BarometreError
from barometre.base.french import format_number

_ROWS = 2**20  # of a sheet, in every version of Excel
_LARGEST = 4 * 2**30
_SWOLLEN = 200  # true tables, repetitive as they may be, are compressed less
_SWOLLEN_WHOLE = 2**30
_MOST_CELLS = 2**27
_MOST_KEPT = 2**23
_MOST_MERGERS = 2**14
_SMALL = 64 * 2**20
_CHUNK = 2**20
MOST_ROWS = 2**24
"""Rows of the largest file that is read whole: those of every commune and year by federation."""

ONE_ROW_EACH = 2**18
"""Rows of the largest file of one row a territory: France has 85 000 communes and IRIS."""

_HEAVIEST = 400 * 2**20
_HELD = {"xl/sharedstrings": 128, "xl/styles": 16, "xl/workbook": 16, "xl/theme": 16}
"""Members of a workbook that are held whole, and the MiB that they may have."""

_ROW = re.compile(rb'<row[^>]{0,200}?\sr="(\d+)"')


def read_at_most(file: IO[bytes], size: int) -> bytes:
    """Read no more than some bytes, reserving what is there rather than what is admitted.

    Parameters
    ----------
    file : binary file
        Open where to begin.
    size : int
        Bytes.

    Returns
    -------
    bytes
    """
    held = io.BytesIO()
    while piece := file.read(min(_CHUNK, size - held.tell())):
        held.write(piece)
    return held.getvalue()


def refuse_bomb(nom: str, info: zipfile.ZipInfo) -> None:
    """Refuse the member of an archive that is too large, or swells as no table does.

    Parameters
    ----------
    nom : str
        Name of the member, for the message.
    info : ZipInfo
        Its entry in the archive.

    Raises
    ------
    BarometreError
        More than 4 GiB; more than 64 MiB and 200 times its compressed size.
    """
    if info.file_size > _LARGEST:
        size = f"{info.file_size / 2**30:.0f} Gio"
        raise BarometreError(f"{nom} : {size} une fois extrait, trop grand ; le découper")
    if info.file_size > _SMALL and info.file_size > _SWOLLEN * info.compress_size:
        times = info.file_size // max(info.compress_size, 1)
        raise BarometreError(
            f"{nom} : {info.file_size / 2**20:.0f} Mio une fois extrait, {times} fois sa taille :"
            " aucun tableau ne se comprime autant ; le télécharger à nouveau, ou l'extraire d'abord"
        )


def refuse_swollen(nom: str, infos: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Refuse an archive whose members together swell as no tables do.

    Parameters
    ----------
    nom : str
        Name of the archive, for the message.
    infos : sequence of ZipInfo
        Its entries.
    size : int
        Its bytes.

    Raises
    ------
    BarometreError
        Members of more than 1 GiB in all, and of 200 times the size of the archive.
    """
    whole = sum(info.file_size for info in infos)
    if whole > _SWOLLEN_WHOLE and whole > _SWOLLEN * size:
        raise BarometreError(
            f"{nom} : {whole / 2**30:.0f} Gio une fois extraite, {whole // max(size, 1)} fois sa"
            " taille : aucun tableau ne se comprime autant ; la télécharger à nouveau"
        )


def refuse_endless(nom: str, content: bytes) -> None:
    """Refuse a workbook that would fill the memory, or with a row beyond those of a sheet.

    Parameters
    ----------
    nom : str
        Name of the workbook, for the message.
    content : bytes
        The whole file; nothing is said of an old one (``.xls``).

    Raises
    ------
    BarometreError
        A row beyond 1 048 576, a sheet of more than 512 MiB of XML, texts of more than 128, styles
        of more than 16, or a member that `refuse_bomb` refuses.
    """
    if not content.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for info in book.infolist():
            refuse_bomb(f"{nom}, {info.filename}", info)
            name = info.filename.lower()
            most = 2**20 * next(
                (size for start, size in _HELD.items() if name.startswith(start)), 512
            )
            if info.file_size > most and name.endswith((".xml", ".rels")):
                raise BarometreError(
                    f"{nom} : {info.filename} de {info.file_size / 2**20:.0f} Mio une fois extrait"
                    " : le lire remplirait la mémoire ; l'enregistrer en CSV UTF-8"
                )
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with book.open(info) as stream:
                    _refuse_rows(nom, stream)


def refuse_cells(nom: str, cells: int, kept: int, *, mergers: int = 0) -> None:
    """Refuse a sheet with more cells than can be gone through, or kept.

    Parameters
    ----------
    nom : str
        Name of the workbook, for the message.
    cells, kept : int
        Those met, and those of the columns that are read.
    mergers : int, optional
        Merged blocks that one row goes through.

    Raises
    ------
    BarometreError
        More than 134 217 728, 8 388 608 or 16 384.
    """
    if cells > _MOST_CELLS or kept > _MOST_KEPT or mergers > _MOST_MERGERS:
        raise BarometreError(f"{nom} : feuille trop grande ; l'enregistrer en CSV UTF-8")


def _refuse_rows(nom: str, sheet: IO[bytes]) -> None:
    tail = b""
    while piece := sheet.read(_CHUNK):
        text = tail + piece
        last = max(map(int, _ROW.findall(text)), default=0)
        if last > _ROWS:
            raise BarometreError(
                f"{nom} : une ligne numérotée {last}, une feuille en a {_ROWS} au plus ;"
                " l'enregistrer à nouveau avec un tableur, ou en CSV UTF-8"
            )
        tail = text[-256:]


def counted_rows(nom: str, lines: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Give the lines of a text; those beyond a number are refused.

    Parameters
    ----------
    nom : str
        Name of the file, for the message.
    lines : iterator of bytes
    most : int
        How many there may be.

    Yields
    ------
    bytes

    Raises
    ------
    BarometreError
        More lines.
    """
    for number, line in enumerate(lines, 1):
        refuse_rows(nom, number, most)
        yield line


def refuse_rows(nom: str, rows: int, most: int) -> None:
    """Refuse a table of more rows than such tables have.

    Parameters
    ----------
    nom : str
        Name of the file, for the message.
    rows, most : int
        How many it has at least, and may have.

    Raises
    ------
    BarometreError
        More rows.
    """
    if rows > most:
        raise BarometreError(
            f"{nom} : plus de {format_number(most)} lignes, ce qu'aucun fichier de cette sorte"
            " n'a ; vérifier qu'il n'est pas répété, ou le découper"
        )


def refuse_heavy(nom: str, weight: int) -> None:
    """Refuse texts that would fill the memory.

    Parameters
    ----------
    nom : str
        Name of the file, for the message.
    weight : int
        Bytes of the cells of the columns that are read.

    Raises
    ------
    BarometreError
        More than 400 MiB.
    """
    if weight > _HEAVIEST:
        raise BarometreError(
            f"{nom} : plus de {_HEAVIEST / 2**20:.0f} Mio dans ses seules colonnes utiles :"
            " les lire remplirait la mémoire ; le découper, par année ou par département"
        )
