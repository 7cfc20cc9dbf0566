"""What a file may cost once opened: small files are refused that would fill the memory."""

from __future__ import annotations

import io
import re
import zipfile
from typing import IO

from barometre.base.errors import BarometreError

_ROWS = 2**20  # of a sheet, in every version of Excel
_LARGEST = 4 * 2**30
_SWOLLEN = 200  # true tables, repetitive as they may be, are compressed less
_SMALL = 64 * 2**20
_CHUNK = 2**20
_ROW = re.compile(rb'<row[^>]{0,200}?\sr="(\d+)"')


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


def refuse_endless(nom: str, content: bytes) -> None:
    """Refuse a workbook with a row numbered beyond those of a sheet: reading it never ends.

    Parameters
    ----------
    nom : str
        Name of the workbook, for the message.
    content : bytes
        The whole file; nothing is said of an old one (``.xls``).

    Raises
    ------
    BarometreError
        A row beyond 1 048 576, or a member that `refuse_bomb` refuses.
    """
    if not content.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for info in book.infolist():
            refuse_bomb(f"{nom}, {info.filename}", info)
            if info.filename.startswith("xl/worksheets/") and info.filename.endswith(".xml"):
                with book.open(info) as sheet:
                    _refuse_rows(nom, sheet)


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
