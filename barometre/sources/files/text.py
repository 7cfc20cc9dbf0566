"""Open any producer's file as text: CSV, workbook, Parquet or archive, whatever its dialect."""

from __future__ import annotations

import codecs
import contextlib
import functools
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, TypeVar

import pandas as pd

from barometre.base.errors import BarometreError, Fault, FaultsError, NoTableError, counted
from barometre.sources.files import answers, delimited, limits, parquet, stream
from barometre.sources.files.delimited import HEAD

if TYPE_CHECKING:
    from barometre.sources.files.sheets import SheetHeader

Opening = Callable[[], IO[bytes]]
"""Opens a file or the member of an archive; a source keeps it, not bytes: many may be open."""

Recogniser = Callable[[Sequence[str], str], object]
"""What the names of a header and the name of a source are recognised as; None when not known."""

Found = TypeVar("Found")

_NOTICE = re.compile(r"meta_|varmod|dictionnaire|.*_metadata\.", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """One table of a file, as text.

    Attributes
    ----------
    nom : str
        ``"FILO2019_DISP_COM.csv"``, ``"archive.zip/FILO2019_DISP_COM.csv"`` or
        ``"apl.xlsx [APL 2022]"``.
    entete : tuple of str
        Names of the columns, spaces and line breaks folded; ``""`` for an unnamed one, dropped when
        nothing named follows.
    reconnu : object
        What the recogniser made of the header and the name; None when it knows neither.
    """

    nom: str
    entete: tuple[str, ...]
    _read: Callable[[Sequence[str], int], pd.DataFrame]
    reconnu: object = None
    _batches: Callable[[Sequence[str]], Iterator[Any]] | None = None
    _spread: Callable[..., Any] | None = None

    @property
    def stem(self) -> str:
        """What the name of the file, and of the sheet if any, says."""
        return stem_of(self.nom)

    def lire(self, columns: Sequence[str], *, most: int = limits.MOST_ROWS) -> pd.DataFrame:
        """Read some columns.

        Parameters
        ----------
        columns : sequence of str
            Names of the header; one asked twice is given once.
        most : int, optional
            Rows that such a file may have: more are refused before they fill the memory.

        Returns
        -------
        DataFrame
            Texts, stripped, empty when there is none, in the order of the file; the rows that are
            empty in the whole file and the notes under the table are left out.

        Raises
        ------
        FaultsError
            A column absent or named twice; rows without as many cells as the header.
        BarometreError
            A file that cannot be read through.
        """
        wanted = self._wanted(columns)
        if not wanted:
            return pd.DataFrame()
        with _guarded(self.nom):
            return self._read(wanted, most)

    def lots(self, columns: Sequence[str]) -> Iterator[Any]:
        """Read some columns lot by lot, in bounded memory, whatever the size of the file.

        Parameters
        ----------
        columns : sequence of str
            As for `lire`.

        Yields
        ------
        pyarrow.Table
            Columns of texts as they are in the file (not stripped), empty when there is none. A
            sheet of a workbook comes in one lot.

        Raises
        ------
        FaultsError
            A column absent or named twice.
        BarometreError
            A file that cannot be read through, a row without as many cells as the header.
        """
        wanted = self._wanted(columns)
        with _guarded(self.nom):
            if self._batches is None:
                yield stream.of_frame(self._read(wanted, limits.MOST_ROWS))
            else:
                yield from self._batches(wanted)

    def reduced(
        self,
        columns: Sequence[str],
        of_lot: Callable[[Any], Found],
        added: Callable[[Iterable[Found]], Found],
    ) -> Found:
        """Find something in each lot and put it together: lot after lot here, or where they are.

        Parameters
        ----------
        columns : sequence of str
            As for `lire`.
        of_lot : callable
            What a lot gives, one of those of `lots`. It may be sent to another machine.
        added : callable
            Puts together, in the order of the file, what lots gave, or what it gave of some.

        Returns
        -------
        object
            As ``added`` gives it.

        Raises
        ------
        BarometreError
            As `lots`.
        """
        if self._spread is None:
            return added(map(of_lot, self.lots(columns)))
        found: Found = self._spread(self._wanted(columns), of_lot, added)
        return found

    def _wanted(self, columns: Sequence[str]) -> list[str]:
        wanted = list(dict.fromkeys(columns))
        count = Counter(self.entete)
        absent = [name for name in wanted if not name or not count[name]]
        twice = [name for name in wanted if name and count[name] > 1]
        faults = [
            Fault("en-tête", f"{problem} : {', '.join(names)}", remedy)
            for names, problem, remedy in (
                (absent, "colonnes absentes", "vérifier le fichier"),
                (twice, "colonnes en double", "renommer ou ôter celles qui sont en trop"),
            )
            if names
        ]
        if faults:
            raise FaultsError(f"fichier {self.nom} refusé", faults)
        return wanted


def stem_of(nom: str) -> str:
    """Give what the name of a source says: name of the file without suffix, name of the sheet."""
    file, sheet = split_name(nom)
    return f"{PurePosixPath(file).stem} {sheet}".rstrip()


def split_name(nom: str) -> tuple[str, str]:
    """Split the name of a source into file and sheet, empty when there is none."""
    file, _, sheet = nom.rpartition(" [") if nom.endswith("]") else (nom, "", "")
    return file, sheet[:-1]


def shown_name(path: Path) -> str:
    """Give the name of a file as it can be printed: its bytes may be no UTF-8."""
    return path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def is_hidden(name: str) -> bool:
    """Tell what systems and programs leave beside data: ``.x``, ``._x.csv``, ``~$x.xlsx``."""
    return name.startswith((".", "~$"))


def is_notice(name: str) -> bool:
    """Tell the files that producers join to their data to describe them, by their names."""
    return bool(_NOTICE.match(name))


def open_sources(path: Path, recognise: Recogniser) -> list[Source]:
    """Open a file and find the header of each of its tables.

    Parameters
    ----------
    path : Path
        A CSV file (``.csv``, ``.txt``, ``.tsv``), a workbook (``.xlsx``, ``.xlsm``, ``.xls``), a
        Parquet file or a ZIP archive of such files.
    recognise : callable
        Says what the names of a header, in a source of some name, are: it decides between several
        possible header lines or separators, and its answer is kept in ``Source.reconnu``.

    Returns
    -------
    list of Source
        One per CSV or Parquet file and per visible sheet with a header; at least one.

    Raises
    ------
    BarometreError
        A file that is missing, empty, damaged, protected or of another format.
    """
    nom = shown_name(path)
    if not path.is_file():
        kind = "c'est un dossier" if path.is_dir() else "fichier introuvable"
        raise BarometreError(f"{nom} : {kind} ; donner le chemin d'un fichier")
    with _guarded(nom):
        if path.suffix.lower() == ".zip":
            return _archive_sources(nom, path, recognise)
        return _required(nom, _sources(nom, partial(_file, path), recognise))


def _file(path: Path) -> IO[bytes]:
    return path.open("rb")


# What zipfile and xlrd say of what is encrypted; Excel then uses the container of the old format.
_LOCKED = ("is encrypted", "Can't find workbook in OLE2 compound document")


@contextlib.contextmanager
def _guarded(nom: str) -> Iterator[None]:
    """Turn what other libraries raise on a damaged file into one clear refusal."""
    # Warnings are not filtered here: `lots` is suspended inside, and filters are everyone's.
    try:
        yield
    except BarometreError:
        raise
    except MemoryError as error:
        raise BarometreError(
            f"{nom} : mémoire insuffisante pour le lire ; le découper, ou le donner en Parquet"
        ) from error
    except PermissionError as error:
        raise BarometreError(
            f"{nom} : lecture interdite ; fermer le programme qui l'a ouvert, ou demander les"
            " droits de lecture"
        ) from error
    except Exception as error:  # each reader has its own: zipfile, openpyxl, xlrd, pyarrow...
        if any(words in str(error) for words in _LOCKED):
            raise BarometreError(
                f"{nom} : protégé par un mot de passe ; l'ouvrir et l'enregistrer sans"
            ) from error
        cause = f"{type(error).__name__} : {error}".split("\n")[0][:200]
        raise BarometreError(
            f"{nom} : fichier illisible, abîmé ou protégé ({cause}) ; le télécharger à nouveau ou "
            "l'enregistrer en CSV UTF-8"
        ) from error


def _required(nom: str, sources: list[Source]) -> list[Source]:
    if not sources:
        raise NoTableError(
            f"{nom} : aucune ligne d'en-tête dans les {HEAD} premières ; vérifier que c'est un "
            "tableau, avec une ligne de noms de colonnes"
        )
    return sources


def _sources(nom: str, opening: Opening, recognise: Recogniser) -> list[Source]:
    suffix = PurePosixPath(nom).suffix.lower()
    if suffix not in _CONTAINERS:
        known = ", ".join(SUFFIXES)
        raise BarometreError(f"{nom} : format « {suffix} » inconnu ; formats lus : {known}")
    with opening() as file:
        if not file.read(2**20).strip():
            raise NoTableError(f"{nom} : fichier vide ; le télécharger à nouveau")
    return _CONTAINERS[suffix](nom, opening, recognise)


# Containers: each opens a file of some suffix as the sources that it holds.


def _csv_sources(nom: str, opening: Opening, recognise: Recogniser) -> list[Source]:
    with opening() as file:
        head = file.read(delimited.BEGINNING)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            head += limits.read_at_most(
                file, delimited.LARGEST
            )  # larger ones are refused once read
        elif len(head) == delimited.BEGINNING:
            head = head[: head.rfind(b"\n") + 1] or head  # whole lines
    header = delimited.find_header(delimited.as_utf8(nom, head), lambda n: recognise(n, nom))
    if header is None:
        return []
    _refuse_data_above(nom, header.above)
    read = partial(_read_csv, nom, opening, header)
    batches = partial(stream.csv_batches, nom, opening, header)
    return [Source(nom, header.names, read, header.reconnu, batches)]


def _refuse_data_above(nom: str, number: int) -> None:
    if number:
        problem = f"{counted(number, 'ligne')} de données au-dessus de lui"
        remedy = "le remettre en tête : le tableau a été trié avec lui ?"
        raise FaultsError(f"fichier {nom} refusé", [Fault("en-tête", problem, remedy)])


def _read_csv(
    nom: str, opening: Opening, header: delimited.Header, columns: Sequence[str], most: int
) -> pd.DataFrame:
    with opening() as file:
        content = limits.read_at_most(file, delimited.LARGEST + 1)
    if len(content) > delimited.LARGEST:
        from barometre.sources.files import large  # loaded with the first such file

        return large.read_columns(nom, opening, header, columns, most)
    return delimited.read_columns(nom, delimited.as_utf8(nom, content), header, columns, most)


def _book_sources(nom: str, opening: Opening, recognise: Recogniser) -> list[Source]:
    from barometre.sources.files import sheets  # loaded with the first workbook

    def recogniser(sheet: str) -> delimited.Recogniser:
        return lambda names: recognise(names, f"{nom} [{sheet}]")

    content = _bytes(opening)
    limits.refuse_endless(nom, content)
    headers = sheets.headers(nom, content, recogniser)
    for sheet, header in headers.items():
        _refuse_data_above(f"{nom} [{sheet}]", header.above)
    return [
        Source(
            f"{nom} [{sheet}]",
            header.names,
            partial(_read_sheet, nom, opening, sheet, header),
            header.reconnu,
        )
        for sheet, header in headers.items()
    ]


def _read_sheet(
    nom: str,
    opening: Opening,
    sheet: str,
    header: SheetHeader,
    columns: Sequence[str],
    most: int,
) -> pd.DataFrame:
    from barometre.sources.files import sheets

    return sheets.read_columns(nom, _bytes(opening), sheet, header, columns, most)


def _parquet_sources(nom: str, opening: Opening, recognise: Recogniser) -> list[Source]:
    with opening() as file:
        names = parquet.parquet_names(file)
    read = partial(_read_parquet, nom, opening, names)
    batches = partial(stream.parquet_batches, opening, names)
    return [Source(nom, names, read, recognise(names, nom), batches)]


def _read_parquet(
    nom: str, opening: Opening, names: Sequence[str], columns: Sequence[str], most: int
) -> pd.DataFrame:
    positions = [names.index(column) for column in columns]
    with opening() as file:
        return parquet.parquet_columns(nom, file, positions, columns, most)


def _json_sources(nom: str, opening: Opening, recognise: Recogniser) -> list[Source]:
    with opening() as file:
        answer = answers.parse(nom, limits.read_at_most(file, answers.LARGEST + 1))
    if not answer.noms:
        return []
    name = f"{nom} [{answer.jeu}]" if answer.jeu else nom
    read = partial(_read_records, answer)
    return [Source(name, answer.noms, read, recognise(answer.noms, name))]


def _read_records(answer: answers.Answer, columns: Sequence[str], most: int) -> pd.DataFrame:
    limits.refuse_rows(answer.jeu, len(answer.lignes), most)
    cells = [[row.get(column, "") for row in answer.lignes] for column in columns]
    return delimited.as_frame(cells, columns)


def _bytes(opening: Opening) -> bytes:
    with opening() as file:
        return file.read()


_Container = Callable[[str, Opening, Recogniser], list[Source]]
_CONTAINERS: Mapping[str, _Container] = {
    **dict.fromkeys((".csv", ".txt", ".tsv"), _csv_sources),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls"), _book_sources),
    ".parquet": _parquet_sources,
    **dict.fromkeys((".json", ".geojson"), _json_sources),
}
SUFFIXES = (*_CONTAINERS, ".zip")
"""Suffixes of the files that are opened."""


# Archives


def _archive_sources(nom_archive: str, path: Path, recognise: Recogniser) -> list[Source]:
    sources: list[Source] = []
    infos = [info for info in _archive(path).infolist() if not info.is_dir()]
    limits.refuse_swollen(nom_archive, infos, path.stat().st_size)
    for info in infos:
        inside = PurePosixPath(info.filename)
        nom = f"{nom_archive}/{info.filename}"
        if "__MACOSX" in inside.parts or is_hidden(inside.name):
            continue
        if is_notice(inside.name) and not inside.name.startswith("meta_"):
            continue  # the others may name the territories
        if inside.suffix.lower() == ".zip":
            raise BarometreError(f"{nom} : archive dans une archive ; l'extraire d'abord")
        if inside.suffix.lower() not in _CONTAINERS:
            continue
        if info.flag_bits & 1:
            raise BarometreError(f"{nom} : protégé par un mot de passe ; l'extraire d'abord")
        limits.refuse_bomb(nom, info)
        with _guarded(nom):
            sources += _sources(nom, partial(_member, path, info), recognise)
    if not infos:
        raise BarometreError(f"{nom_archive} : archive vide ; la télécharger à nouveau")
    return _required(nom_archive, sources)


def _member(path: Path, info: zipfile.ZipInfo) -> IO[bytes]:
    # The archive stays open as long as the stream of its member.
    return _archive(path).open(info)


def _archive(path: Path) -> zipfile.ZipFile:
    state = path.stat()
    return _opened(path.resolve(), state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=2)
def _opened(path: Path, modified: int, size: int) -> zipfile.ZipFile:
    # Its directory is parsed once, not once a member.
    return zipfile.ZipFile(path)
