"""Open any producer's file as text: CSV, workbook, Parquet or archive, whatever its dialect."""

from __future__ import annotations

import contextlib
import fnmatch
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import pandas as pd

from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.sources import delimited, sheets
from barometre.sources.delimited import HEAD, Recognised

_Load = Callable[[], bytes]

_TEXTS = (".csv", ".txt", ".tsv")
_BOOKS = (".xlsx", ".xls")
_SUFFIXES = (*_TEXTS, *_BOOKS, ".parquet")
_METADATA = ("meta_*.csv", "*_metadata.csv", "varmod*.csv", "dictionnaire*", ".*", "~$*")
_LARGEST = 4 * 2**30


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
    """

    nom: str
    entete: tuple[str, ...]
    _read: Callable[[Sequence[str]], pd.DataFrame]

    @property
    def stem(self) -> str:
        """What the name of the file, and of the sheet if any, says."""
        file, _, sheet = self.nom.rpartition(" [") if self.nom.endswith("]") else (self.nom, "", "")
        return f"{PurePosixPath(file).stem} {sheet[:-1]}".rstrip()

    def lire(self, columns: Sequence[str]) -> pd.DataFrame:
        """Read some columns.

        Parameters
        ----------
        columns : sequence of str
            Names of the header; one asked twice is given once.

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
        if not wanted:
            return pd.DataFrame()
        with _guarded(self.nom):
            return self._read(wanted)


def open_sources(path: Path, recognised: Recognised) -> list[Source]:
    """Open a file and find the header of each of its tables.

    Parameters
    ----------
    path : Path
        A CSV file (``.csv``, ``.txt``, ``.tsv``), a workbook (``.xlsx``, ``.xls``), a Parquet file
        or a ZIP archive of such files.
    recognised : callable
        Says whether the names of a header are those of a known table: it decides between several
        possible header lines or separators.

    Returns
    -------
    list of Source
        One per CSV or Parquet file and per visible sheet with a header; at least one.

    Raises
    ------
    BarometreError
        A file that is missing, empty, damaged, protected or of another format.
    """
    if not path.is_file():
        kind = "c'est un dossier" if path.is_dir() else "fichier introuvable"
        raise BarometreError(f"{path.name} : {kind} ; donner le chemin d'un fichier")
    with _guarded(path.name):
        if path.suffix.lower() == ".zip":
            return _archive_sources(path, recognised)
        return _required(path.name, _sources(path.name, path.read_bytes, recognised))


@contextlib.contextmanager
def _guarded(nom: str) -> Iterator[None]:
    """Turn what other libraries raise on a damaged file into one clear refusal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's on styles and validations it leaves out
            yield
    except (BarometreError, OSError, MemoryError):
        raise
    except Exception as error:  # each reader has its own: zipfile, openpyxl, xlrd, pyarrow...
        cause = f"{type(error).__name__} : {error}".split("\n")[0][:200]
        raise BarometreError(
            f"{nom} : fichier illisible, abîmé ou protégé ({cause}) ; le télécharger à nouveau ou "
            "l'enregistrer en CSV UTF-8"
        ) from error


def _required(nom: str, sources: list[Source]) -> list[Source]:
    if not sources:
        raise BarometreError(
            f"{nom} : aucune ligne d'en-tête dans les {HEAD} premières ; vérifier que c'est un "
            "tableau, avec une ligne de noms de colonnes"
        )
    return sources


def _sources(nom: str, load: _Load, recognised: Recognised) -> list[Source]:
    suffix = PurePosixPath(nom).suffix.lower()
    if suffix not in _SUFFIXES:
        known = ", ".join((*_SUFFIXES, ".zip"))
        raise BarometreError(f"{nom} : format « {suffix} » inconnu ; formats lus : {known}")
    content = load()
    if not content[: 2**20].strip():
        raise BarometreError(f"{nom} : fichier vide ; le télécharger à nouveau")
    if suffix in _BOOKS:
        headers = sheets.headers(nom, content, recognised)
        return [
            Source(f"{nom} [{sheet}]", header.names, partial(_read_sheet, nom, load, sheet, header))
            for sheet, header in headers.items()
        ]
    if suffix == ".parquet":
        names = sheets.parquet_names(content)
        return [Source(nom, names, partial(_read_parquet, load, names))]
    found = delimited.find_header(delimited.beginning(nom, content), recognised)
    return [] if found is None else [Source(nom, found.names, partial(_read_csv, nom, load, found))]


# A source keeps how to load its file, not its bytes: many large ones may be open.


def _read_csv(
    nom: str, load: _Load, header: delimited.Header, columns: Sequence[str]
) -> pd.DataFrame:
    return delimited.read_columns(nom, delimited.as_utf8(nom, load()), header, columns)


def _read_sheet(
    nom: str, load: _Load, sheet: str, header: sheets.SheetHeader, columns: Sequence[str]
) -> pd.DataFrame:
    return sheets.read_columns(nom, load(), sheet, header, columns)


def _read_parquet(load: _Load, names: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    return sheets.parquet_columns(load(), [names.index(column) for column in columns], columns)


# Archives


def _archive_sources(path: Path, recognised: Recognised) -> list[Source]:
    sources: list[Source] = []
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    for info in infos:
        inside = PurePosixPath(info.filename)
        nom = f"{path.name}/{info.filename}"
        described = any(fnmatch.fnmatchcase(inside.name.lower(), one) for one in _METADATA)
        if "__MACOSX" in inside.parts or described:
            continue
        if inside.suffix.lower() == ".zip":
            raise BarometreError(f"{nom} : archive dans une archive ; l'extraire d'abord")
        if inside.suffix.lower() not in _SUFFIXES:
            continue
        if info.flag_bits & 1:
            raise BarometreError(f"{nom} : protégé par un mot de passe ; l'extraire d'abord")
        _refuse_bomb(nom, info)
        with _guarded(nom):
            sources += _sources(nom, partial(_member, path, info), recognised)
    if not infos:
        raise BarometreError(f"{path.name} : archive vide ; la télécharger à nouveau")
    return _required(path.name, sources)


def _member(path: Path, info: zipfile.ZipInfo) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(info)


def _refuse_bomb(nom: str, info: zipfile.ZipInfo) -> None:
    if info.file_size > _LARGEST:
        size = f"{info.file_size / 2**30:.0f} Gio"
        raise BarometreError(f"{nom} : {size} une fois extrait, trop grand ; le découper")
