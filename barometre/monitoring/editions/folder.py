"""The folder of an edition: read as one run left it, replaced whole by one run at a time.

A run writes a hidden folder beside, puts the former edition aside under another hidden name, and
renames its own. One that is killed between the two renamings leaves the former aside: whoever comes
next puts it back.
"""

from __future__ import annotations

import datetime
import os
import re
import secrets
import shutil
import time
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from barometre.base.errors import BarometreError
from barometre.base.files import NO_ROOM, TEMPORARY, reason_of

SCHEMA = 1
"""Number of the layout of an edition's folder; a later one is refused."""

MANIFEST = "edition.toml"

State = Literal["projet", "validé"]

_ASIDE = "-ancienne"
_READINGS = 20  # tries: a folder takes its place in an instant
_PAUSE = 0.05  # seconds between two
_DAY = 86_400.0  # seconds after which a folder being written is that of a run that was killed


def folder_of(folder: str | Path) -> Path:
    """Give the folder itself, whatever leads to it: a link, ``.`` or ``e/../e``."""
    try:
        return Path(os.path.realpath(folder))
    except (ValueError, OSError) as error:
        raise BarometreError(f"{folder!r} : chemin illisible ({error}) ; le corriger") from error


def unreadable(target: Path, error: OSError) -> BarometreError:
    """Say what cannot be read, and what to do."""
    return BarometreError(
        f"{error.filename or target} : lecture impossible ({error.strerror}) ; en demander le"
        " droit, ou le fermer s'il est ouvert"
    )


# ---- reading ------------------------------------------------------------------------------------


def snapshot(target: Path) -> tuple[bytes, dict[str, bytes]]:
    """Read the manifest and the files of a folder as one run left them.

    What another run replaces meanwhile is read again: an edition is never a mixture of two.
    """
    for _ in range(_READINGS):
        recover(target)
        manifest = target / MANIFEST
        try:
            if not (manifest.is_file() or formers(target) or manifest.is_file()):  # one may come
                raise BarometreError(
                    f"{target} : aucune édition dans ce dossier ({MANIFEST} absent)"
                )
            found = target.stat()
            text = manifest.read_bytes()
            content = {
                path.relative_to(target).as_posix(): path.read_bytes()
                for path in target.rglob("*")
                if path.is_file() and path != manifest and not path.name.startswith(".")
            }
            now = target.stat()
            if (now.st_ino, now.st_ctime_ns) == (found.st_ino, found.st_ctime_ns):
                return text, content
        except FileNotFoundError:  # between the two renamings of a run
            pass
        except OSError as error:
            raise unreadable(target, error) from error
        time.sleep(_PAUSE)
    raise BarometreError(
        f"{target} : d'autres exécutions ne cessent de le remplacer ; réessayer quand elles seront"
        " finies"
    )


def read_manifest(folder: Path, text: bytes) -> dict[str, Any]:
    """Read the manifest of an edition, of the schema that we know."""
    path = folder / MANIFEST
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


# ---- former editions ----------------------------------------------------------------------------


def _beside(target: Path, ending: str) -> list[Path]:
    """List the hidden folders of a folder, of no other: ``2026`` is not ``2026.1``."""
    shape = re.compile(re.escape(f".{target.name}.") + "[0-9a-f]{8}" + re.escape(ending))
    try:
        return sorted(path for path in target.parent.iterdir() if shape.fullmatch(path.name))
    except OSError:  # the parent is absent, or closed: nothing is there for us
        return []


def formers(target: Path) -> list[Path]:
    """List where former editions wait while a new one takes their place, the latest one last."""
    found = []
    for path in _beside(target, TEMPORARY + _ASIDE):
        with suppress(OSError):
            if (path / MANIFEST).is_file():  # else it is being removed
                found.append((path.stat().st_ctime_ns, path))
    return [path for _, path in sorted(found)]


def is_free(target: Path) -> bool:
    """Tell a folder that is not there, or is empty; a file in its place is refused."""
    try:
        return not any(target.iterdir())
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        raise BarometreError(
            f"{target} : un fichier porte ce nom ; donner un autre dossier"
        ) from None


def recover(target: Path) -> None:
    """Put back the former edition when a run was killed between its two renamings."""
    with suppress(OSError):
        if not is_free(target) or not formers(target):
            return
        time.sleep(_PAUSE)  # a run that lives is between the two for an instant only
        left = formers(target)
        if is_free(target) and left:
            if target.exists():
                target.rmdir()
            left[-1].rename(target)


def _discard(folder: Path) -> None:
    """Remove a former edition: without its manifest it is none, were it half removed."""
    with suppress(OSError):
        (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _is_validated(folder: Path) -> bool:
    try:
        text = (folder / MANIFEST).read_bytes()
        return bool(read_manifest(folder, text)["etat"] == "validé")
    except (OSError, BarometreError):
        return False


# ---- writing ------------------------------------------------------------------------------------


def replace(target: Path, content: Mapping[str, bytes], former: bytes | None) -> None:
    """Write a folder beside its place, then rename it; one run only can win.

    ``former`` is the manifest that was there when the run began: another one, or one where there
    was none, is the work of another run, and is left as it is.
    """
    token = secrets.token_hex(4)
    made = target.with_name(f".{target.name}.{token}{TEMPORARY}")
    aside = target.with_name(made.name + _ASIDE)
    another = BarometreError(
        f"{target} : édition non écrite, une autre exécution vient de l'écrire ; la relire avant de"
        " la remplacer"
    )
    try:
        for name, data in sorted(content.items()):
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        killed = formers(target)  # before ours is put aside: later ones are of runs that live
        if former is not None:
            target.rename(aside)
            if (aside / MANIFEST).read_bytes() != former:
                aside.rename(target)
                raise another
        elif killed:
            raise another
        elif target.is_dir():
            target.rmdir()  # empty, or another run has just written it
        made.rename(target)
        for left in [aside, *(one for one in killed if not _is_validated(one))]:
            _discard(left)
        _remove_leftovers(target)
    except OSError as error:
        recover(target)
        reason, remedy = reason_of(error)
        if error.errno not in NO_ROOM:
            remedy = (
                "une autre exécution l'écrit peut-être, ou le dossier est ouvert, protégé ou"
                " plein : réessayer"
            )
        raise BarometreError(f"{target} : édition non écrite ({reason}) ; {remedy}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _remove_leftovers(target: Path) -> None:
    """Remove what runs that were killed left: half removed, or half written for a day."""
    for path in _beside(target, TEMPORARY + _ASIDE):
        if not (path / MANIFEST).exists():
            shutil.rmtree(path, ignore_errors=True)
    for path in _beside(target, TEMPORARY):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _DAY:
                shutil.rmtree(path, ignore_errors=True)
