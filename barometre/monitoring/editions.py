"""An edition: what was published at a date, kept as a folder that proves itself.

A folder holds ``edition.toml`` (schema, versions, date, state, parameters, sha256 of inputs and
outputs), the values, the tables of the contract and the finished files handed to it. It is written
whole beside its place, then renamed: a run killed on the way leaves the former edition as it was.
"""

from __future__ import annotations

import datetime
import glob
import hashlib
import io
import secrets
import shutil
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd
import tomli_w

from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.base.face import Face
from barometre.base.files import NO_ROOM, TEMPORARY, reason_of
from barometre.base.french import Lang
from barometre.base.version import __version__
from barometre.engine.results import Results
from barometre.tables.records import RECORDS, check_records

SCHEMA = 1
"""Number of the layout of an edition's folder; a later one is refused."""

State = Literal["projet", "validé"]

_MANIFEST = "edition.toml"
_RESULTS = "resultats.csv"
_TABLES, _FILES = "suivi", "fichiers"
_READINGS, _PAUSE = (
    20,
    0.05,
)  # tries, and seconds between two: a folder takes its place in an instant


@dataclass(frozen=True)
class Edition(Face):
    """An edition read from its folder, every file checked against its sha256.

    Attributes
    ----------
    folder : Path
        The folder.
    date : date
        The edition's date, as given.
    state : {"projet", "validé"}
        Where the sign-off stands.
    validated_by : str
        Who validated it; empty for a draft.
    version : str
        Version of the library that wrote it.
    parameters : mapping
        What it was made with.
    inputs, outputs : mapping of str to str
        sha256 of the sources, by name, and of the files of the folder, by path.
    results : DataFrame
        Tidy results.
    tables : mapping of str to DataFrame
        Tables of the contract, by name.
    """

    folder: Path
    date: datetime.date
    state: State
    validated_by: str
    version: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    results: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]

    @property
    def table(self) -> pd.DataFrame:
        """The results."""
        return self.results

    def sentences(self) -> list[str]:
        """Return the sentence of the summary, in French."""
        who = f", validée par {self.validated_by}" if self.validated_by else ""
        known, names, places = self._counts()
        return [
            f"Édition du {self.date:%d/%m/%Y} ({self.state}{who}) : {counted(known, 'valeur')} de"
            f" {counted(names, 'indicateur')} pour {counted(places, 'territoire')} ;"
            f" {counted(len(self.tables), 'table')} de suivi,"
            f" {counted(len(self.inputs), 'source')}."
        ]

    def summary(self, lang: Lang = "fr") -> str:
        """Say what the edition is.

        Parameters
        ----------
        lang : {"fr", "en"}, default "fr"
            Language.

        Returns
        -------
        str
        """
        if lang == "fr":
            return super().summary()
        state = f"validated by {self.validated_by}" if self.validated_by else "draft"
        known, names, places = self._counts()
        return (
            f"Edition of {self.date:%Y-%m-%d} ({state}): values: {known}, indicators: {names},"
            f" territories: {places}, tables of the follow-up: {len(self.tables)},"
            f" sources: {len(self.inputs)}."
        )

    def _counts(self) -> tuple[int, int, int]:
        """Count the values, the indicators and the territories."""
        known = int((self.results["statut"] == "ok").sum())
        return known, self.results["indicateur"].nunique(), self.results["code"].nunique()


def create_edition(
    folder: str | Path,
    *,
    date: datetime.date | str,
    results: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame] | None = None,
    files: Mapping[str, str | Path | bytes] | None = None,
    inputs: Sequence[str | Path] = (),
    parameters: Mapping[str, Any] | None = None,
) -> Edition:
    """Write an edition, whole; the same content gives the same bytes.

    Parameters
    ----------
    folder : str or Path
        Folder of the edition. A draft that is there is replaced; a validated edition never is.
    date : date or str
        Date of the edition (``2026-03-01``): it is given, never the clock's.
    results : DataFrame
        Tidy results.
    tables : mapping of str to DataFrame, optional
        Tables of the contract (``objectifs``, ``actions``...).
    files : mapping of str to str, Path or bytes, optional
        Finished files, by relative name: pages, workbooks.
    inputs : sequence of str or Path, optional
        Sources, whose sha256 is kept.
    parameters : mapping, optional
        What the edition was made with; values that TOML holds.

    Returns
    -------
    Edition

    Raises
    ------
    FaultsError
        A table that is refused, a file that is absent or leaves the folder: every fault.
    BarometreError
        The folder is a validated edition, no edition at all, or another run has just written it.
    """
    target = Path(folder)
    former = _require_free(target)
    content = _content(results, tables or {}, files or {}, inputs)
    manifest = {
        "schema": SCHEMA,
        "version": __version__,
        "date": _date_of(date),
        "etat": "projet",
        "valide_par": "",
        "parametres": dict(parameters or {}),
        "entrees": {Path(path).name: _sha256(Path(path).read_bytes()) for path in inputs},
        "sorties": {name: _sha256(data) for name, data in sorted(content.items())},
    }
    try:
        text = tomli_w.dumps(manifest, multiline_strings=False)
    except (TypeError, ValueError) as error:
        raise BarometreError(
            f"parametres de l'édition : {error} ; donner textes et nombres"
        ) from error
    written = text.encode("utf-8")
    _write(target, {**content, _MANIFEST: written}, former)
    return _edition(target, written, content)


def validate_edition(folder: str | Path, *, by: str) -> Edition:
    """Mark a draft as validated; it can no longer be replaced.

    Parameters
    ----------
    folder : str or Path
        Folder of the edition.
    by : str
        Who validates it.

    Returns
    -------
    Edition

    Raises
    ------
    BarometreError
        Not an intact draft, nobody named, or another run has just written it.
    """
    if not by.strip():
        raise BarometreError("by : dire qui valide l'édition")
    target = Path(folder)
    former, content = _snapshot(target)
    edition = _edition(target, former, content)
    if edition.state == "validé":
        raise BarometreError(f"{target} : déjà validée par {edition.validated_by}")
    manifest = _manifest(target, former) | {"etat": "validé", "valide_par": by.strip()}
    text = tomli_w.dumps(manifest).encode("utf-8")
    _write(target, {**content, _MANIFEST: text}, former)
    return _edition(target, text, content)


def open_edition(folder: str | Path) -> Edition:
    """Read an edition, checked: nothing missing, nothing altered, of a known schema.

    Parameters
    ----------
    folder : str or Path
        Folder of the edition.

    Returns
    -------
    Edition

    Raises
    ------
    FaultsError
        Files absent, altered or in excess: every one. The folder is left as it is.
    BarometreError
        No edition in this folder, a manifest that cannot be read, a schema to come.
    """
    target = Path(folder)
    return _edition(target, *_snapshot(target))


# ---- reading ------------------------------------------------------------------------------------


def _snapshot(target: Path) -> tuple[bytes, dict[str, bytes]]:
    """Read the manifest and the files of a folder as one run left them.

    What another run replaces meanwhile is read again: an edition is never a mixture of two.
    """
    for _ in range(_READINGS):
        _recover(target)
        manifest = target / _MANIFEST
        if not (manifest.is_file() or _formers(target) or manifest.is_file()):  # one may come
            raise BarometreError(f"{target} : aucune édition dans ce dossier ({_MANIFEST} absent)")
        try:
            found = target.stat()
            text = manifest.read_bytes()
            content = {
                path.relative_to(target).as_posix(): path.read_bytes()
                for path in target.rglob("*")
                if path.is_file() and path.name != _MANIFEST and not path.name.startswith(".")
            }
            now = target.stat()
            if (now.st_ino, now.st_ctime_ns) == (found.st_ino, found.st_ctime_ns):
                return text, content
        except FileNotFoundError:  # between the two renamings of a run
            pass
        except OSError as error:
            raise _unreadable(target, error) from error
        time.sleep(_PAUSE)
    raise BarometreError(
        f"{target} : d'autres exécutions ne cessent de le remplacer ; réessayer quand elles seront"
        " finies"
    )


def _unreadable(target: Path, error: OSError) -> BarometreError:
    return BarometreError(
        f"{error.filename or target} : lecture impossible ({error.strerror}) ; en demander le"
        " droit, ou le fermer s'il est ouvert"
    )


def _edition(target: Path, text: bytes, content: Mapping[str, bytes]) -> Edition:
    """Check the files of an edition against its manifest, and give them their types."""
    manifest = _manifest(target, text)
    expected = manifest["sorties"]
    present = set(content)
    faults = [
        Fault(name, "absent", "reprendre l'édition entière")
        for name in sorted(set(expected) - present)
    ]
    faults += [
        Fault(name, "en trop", "le retirer, ou refaire l'édition")
        for name in sorted(present - set(expected))
    ]
    faults += [
        Fault(name, "modifié depuis l'édition", "reprendre l'édition entière")
        for name in sorted(present & set(expected))
        if _sha256(content[name]) != expected[name]
    ]
    if faults:
        raise FaultsError(f"édition {target} refusée", faults)
    tables = {
        name: check_records(
            name, pd.read_csv(io.BytesIO(content[file]), dtype="str"), f"{name}.csv"
        )
        for name in RECORDS
        if (file := f"{_TABLES}/{name}.csv") in content
    }
    return Edition(
        folder=target,
        date=manifest["date"],
        state=manifest["etat"],
        validated_by=manifest["valide_par"],
        version=manifest["version"],
        parameters=manifest["parametres"],
        inputs=manifest["entrees"],
        outputs=expected,
        results=_read_results(content[_RESULTS]),
        tables=tables,
    )


# ---- content ------------------------------------------------------------------------------------


def _content(
    results: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    files: Mapping[str, str | Path | bytes],
    inputs: Sequence[str | Path],
) -> dict[str, bytes]:
    """Gather the bytes of every file of an edition, by relative name."""
    columns = list(Results.to_schema().columns)
    faults = [
        Fault(name, "colonne absente des résultats", "donner les résultats de compute")
        for name in columns
        if name not in results
    ]
    faults += [
        Fault(str(path), "source introuvable", "corriger le chemin")
        for path in inputs
        if not Path(path).is_file()
    ]
    content: dict[str, bytes] = {}
    for name, given in files.items():
        place = Path(name)
        if place.is_absolute() or ".." in place.parts or not name.strip():
            faults.append(Fault(name, "sort du dossier de l'édition", "donner un nom relatif"))
        elif isinstance(given, bytes):
            content[f"{_FILES}/{place.as_posix()}"] = given
        elif not Path(given).is_file():
            faults.append(Fault(name, f"fichier {given} introuvable", "corriger le chemin"))
        else:
            content[f"{_FILES}/{place.as_posix()}"] = Path(given).read_bytes()
    for name, table in tables.items():
        try:
            checked = check_records(name, table)
        except FaultsError as error:
            faults += error.defauts
        else:
            content[f"{_TABLES}/{name}.csv"] = checked.to_csv(
                index=False, lineterminator="\n"
            ).encode()
    if faults:
        raise FaultsError("édition refusée", faults)
    ordered = results[columns].sort_values(["code", "annee", "indicateur"])
    content[_RESULTS] = ordered.to_csv(index=False, lineterminator="\n").encode()
    return content


def _read_results(data: bytes) -> pd.DataFrame:
    columns = list(Results.to_schema().columns)
    numbers = {"valeur", "borne_inf", "borne_sup"}
    kinds: dict[str, Any] = {name: "float64" if name in numbers else "str" for name in columns}
    return pd.read_csv(
        io.BytesIO(data),
        dtype=kinds | {"annee": "int64"},
        keep_default_na=False,
        na_values=[""],
    )


def _date_of(date: datetime.date | str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(date) if isinstance(date, str) else date
    except ValueError:
        raise BarometreError(
            f"date de l'édition « {date} » illisible : écrire 2026-03-01"
        ) from None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _manifest(folder: Path, text: bytes) -> dict[str, Any]:
    """Read the manifest of an edition, of the schema that we know."""
    path = folder / _MANIFEST
    try:
        manifest = tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BarometreError(f"{path} illisible : {error} ; reprendre l'édition entière") from error
    schema = manifest.get("schema")
    if schema != SCHEMA:
        raise BarometreError(
            f"{path} : schéma {schema}, celui-ci lit {SCHEMA} ; mettre barometre à jour"
        )
    kinds = {
        "version": str, "date": datetime.date, "etat": str, "valide_par": str,
        "parametres": dict, "entrees": dict, "sorties": dict,
    }  # fmt: skip
    wrong = [name for name, kind in kinds.items() if not isinstance(manifest.get(name), kind)]
    if wrong or manifest["etat"] not in get_args(State):
        names = ", ".join(wrong or ["etat"])
        raise BarometreError(f"{path} : champs absents ou illisibles ({names}) ; la reprendre")
    return manifest


# ---- writing ------------------------------------------------------------------------------------


def _formers(target: Path) -> list[Path]:
    """List where former editions wait while a new one takes their place."""
    return sorted(target.parent.glob(f".{glob.escape(target.name)}.*{TEMPORARY}-ancienne"))


def _recover(target: Path) -> None:
    """Put back the former edition when a run was killed between its two renamings."""
    if not target.exists() and _formers(target):
        time.sleep(_PAUSE)  # a run that lives is between the two for an instant only
        formers = _formers(target)
        if not target.exists() and formers:
            with suppress(OSError):
                formers[-1].rename(target)


def _require_free(target: Path) -> bytes | None:
    """Return the manifest that is to be replaced, None when there is none.

    A validated edition, or a folder that is no edition, is refused.
    """
    _recover(target)
    try:
        free = not any(target.iterdir())
    except FileNotFoundError:
        free = not _formers(target)
    except NotADirectoryError:
        raise BarometreError(
            f"{target} : un fichier porte ce nom ; donner un autre dossier"
        ) from None
    except OSError as error:
        raise _unreadable(target, error) from error
    if free:
        return None
    former, _ = _snapshot(target)
    manifest = _manifest(target, former)
    if manifest["etat"] == "validé":
        raise BarometreError(
            f"{target} : validée par {manifest['valide_par']}, elle ne se remplace pas ;"
            " donner un autre dossier"
        )
    return former


def _write(target: Path, content: Mapping[str, bytes], former: bytes | None) -> None:
    """Write a folder beside its place, then rename it; one run only can win.

    ``former`` is the manifest that was there when the run began: another one, or one where there
    was none, is the work of another run, and is left as it is.
    """
    token = secrets.token_hex(4)
    made = target.with_name(f".{target.name}.{token}{TEMPORARY}")
    aside = target.with_name(f".{target.name}.{token}{TEMPORARY}-ancienne")
    try:
        for name, data in sorted(content.items()):
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        killed = _formers(target)  # before ours is put aside: later ones are of runs that live
        if former is not None:
            target.rename(aside)
            if (aside / _MANIFEST).read_bytes() != former:
                aside.rename(target)
                raise BarometreError(
                    f"{target} : édition non écrite, une autre exécution vient de l'écrire ; la"
                    " relire avant de la remplacer"
                )
        elif target.is_dir():
            target.rmdir()  # empty, or another run has just written it
        made.rename(target)
        for left in [aside, *killed]:
            shutil.rmtree(left, ignore_errors=True)
    except OSError as error:
        _recover(target)
        reason, remedy = reason_of(error)
        if error.errno not in NO_ROOM:
            remedy = (
                "une autre exécution l'écrit peut-être, ou le dossier est ouvert, protégé ou"
                " plein : réessayer"
            )
        raise BarometreError(f"{target} : édition non écrite ({reason}) ; {remedy}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
