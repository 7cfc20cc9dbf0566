"""An edition: what was published at a date, kept as a folder that proves itself.

A folder holds ``edition.toml`` (schema, versions, date, state, parameters, sha256 of inputs and
outputs), the values, the tables of the contract and the finished files handed to it. It is written
whole beside its place, then renamed: a run killed on the way leaves the former edition as it was.
"""

from __future__ import annotations

import datetime
import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.base.face import Face
from barometre.base.french import Lang
from barometre.base.version import __version__
from barometre.engine.results import Results
from barometre.monitoring.editions.folder import (
    MANIFEST,
    SCHEMA,
    State,
    folder_of,
    is_free,
    read_manifest,
    recover,
    replace,
    snapshot,
    unreadable,
)
from barometre.tables.records import RECORDS, check_records

_RESULTS = "resultats.csv"
_TABLES, _FILES = "suivi", "fichiers"


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
    target = folder_of(folder)
    former = _require_free(target)
    content = _content(results, tables or {}, files or {}, inputs)
    manifest = {
        "schema": SCHEMA,
        "version": __version__,
        "date": _date_of(date),
        "etat": "projet",
        "valide_par": "",
        "parametres": dict(parameters or {}),
        "entrees": _prints_of(inputs),
        "sorties": {name: _sha256(data) for name, data in sorted(content.items())},
    }
    try:
        text = tomli_w.dumps(manifest, multiline_strings=False)
    except (TypeError, ValueError) as error:
        raise BarometreError(
            f"parametres de l'édition : {error} ; donner textes et nombres"
        ) from error
    written = text.encode("utf-8")
    replace(target, {**content, MANIFEST: written}, former)
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
    if not isinstance(by, str) or not by.strip():
        raise BarometreError("by : dire qui valide l'édition")
    target = folder_of(folder)
    former, content = snapshot(target)
    edition = _edition(target, former, content)
    if edition.state == "validé":
        raise BarometreError(f"{target} : déjà validée par {edition.validated_by}")
    manifest = read_manifest(target, former) | {"etat": "validé", "valide_par": by.strip()}
    text = tomli_w.dumps(manifest).encode("utf-8")
    replace(target, {**content, MANIFEST: text}, former)
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
    target = folder_of(folder)
    return _edition(target, *snapshot(target))


# ---- reading ------------------------------------------------------------------------------------


def _edition(target: Path, text: bytes, content: Mapping[str, bytes]) -> Edition:
    """Check the files of an edition against its manifest, and give them their types."""
    manifest = read_manifest(target, text)
    expected = manifest["sorties"]
    if _RESULTS not in expected:
        raise BarometreError(f"{target} : édition sans {_RESULTS} ; reprendre l'édition entière")
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
        target = f"{_FILES}/{place.as_posix()}"
        if place.is_absolute() or ".." in place.parts or not name.strip():
            faults.append(Fault(name, "sort du dossier de l'édition", "donner un nom relatif"))
        elif not place.parts or any(part.startswith(".") for part in place.parts):
            faults.append(Fault(name, "nom caché, ou d'aucun fichier", "en donner un autre"))
        elif target in content:
            faults.append(Fault(name, "donné deux fois", "n'en garder qu'un"))
        elif isinstance(given, bytes):
            content[target] = given
        elif not Path(given).is_file():
            faults.append(Fault(name, f"fichier {given} introuvable", "corriger le chemin"))
        else:
            content[target] = _bytes_of(given)
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


def _bytes_of(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise unreadable(Path(path), error) from error


def _prints_of(inputs: Sequence[str | Path]) -> dict[str, str]:
    """Give the sha256 of each source by its name; by its path where two have the same name."""
    names = Counter(Path(path).name for path in inputs)
    return {
        (path.name if names[path.name] == 1 else path.as_posix()): _sha256(_bytes_of(path))
        for path in map(Path, inputs)
    }


def _date_of(date: datetime.date | str) -> datetime.date:
    if isinstance(date, datetime.datetime):
        return date.date()
    if isinstance(date, datetime.date):
        return date
    try:
        return datetime.date.fromisoformat(date)
    except (TypeError, ValueError):
        raise BarometreError(
            f"date de l'édition « {date} » illisible : écrire 2026-03-01"
        ) from None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _require_free(target: Path) -> bytes | None:
    """Return the manifest that is to be replaced, None when there is none.

    A validated edition, or a folder that is no edition, is refused.
    """
    recover(target)
    try:
        if is_free(target):
            return None
    except OSError as error:
        raise unreadable(target, error) from error
    former, _ = snapshot(target)
    manifest = read_manifest(target, former)
    if manifest["etat"] == "validé":
        raise BarometreError(
            f"{target} : validée par {manifest['valide_par']}, elle ne se remplace pas ;"
            " donner un autre dossier"
        )
    return former
