"""Files written whole or not at all, and the errors that a disk can make, in words."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from barometre.base.errors import BarometreError

TEMPORARY = ".barometre-tmp"
"""What the name of a file being written ends with, before its suffix; it starts with a dot."""

_CLOSED = "choisir un autre dossier, ou en demander le droit ; fermer le fichier s'il est ouvert"
_SPACE = "libérer de la place, ou écrire sur un autre disque"
_ELSEWHERE = "réessayer, ou écrire dans un autre dossier"
_OTHER_NAME = "donner un autre nom de fichier"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that has no room left for a file."""
_REASONS = {
    errno.EACCES: ("écriture non autorisée", _CLOSED),
    errno.EPERM: ("écriture non autorisée", _CLOSED),
    errno.EROFS: ("disque en lecture seule", "écrire sur un autre disque"),
    errno.ENOSPC: ("disque plein", _SPACE),
    errno.EDQUOT: ("quota de disque atteint", _SPACE),
    errno.EFBIG: ("fichier trop gros pour ce disque", "écrire sur un autre disque"),
    errno.ENOENT: ("dossier absent", "créer le dossier, ou corriger le chemin"),
    errno.ENOTDIR: ("un fichier porte le nom d'un dossier du chemin", "corriger le chemin"),
    errno.EEXIST: ("un fichier porte le nom d'un dossier du chemin", "corriger le chemin"),
    errno.EISDIR: ("c'est un dossier", _OTHER_NAME),
    errno.ENAMETOOLONG: ("nom trop long", "donner un nom plus court"),
    errno.ELOOP: ("lien symbolique qui tourne en rond", "corriger le lien"),
}


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write, which takes the place of a file once the block has succeeded.

    Parameters
    ----------
    path : str or Path
        The file wanted; its folder is made when missing. A symbolic link stays one: what it points
        to is replaced. The mode of an existing file is kept, that of a new one follows the umask.

    Yields
    ------
    Path
        A new hidden file of the same suffix in the same folder; gone after a failure, and never in
        the way of another run.

    Raises
    ------
    BarometreError
        A file that cannot be written: no right, no room, a folder in its place..., with the remedy.
    """
    path = Path(path)
    try:
        target = Path(os.path.realpath(path))
        if target.is_symlink():  # realpath gives up on a loop
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = _mode_of(target)
        temporary = target.with_name(f".{secrets.token_hex(4)}{TEMPORARY}{target.suffix}")
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        os.close(os.open(temporary, flags, 0o666 if mode is None else mode | stat.S_IWUSR))
        try:
            yield temporary
            if mode is not None:
                temporary.chmod(mode)
            temporary.replace(target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        reason, remedy = reason_of(error)
        raise BarometreError(f"{path} : écriture impossible ({reason}) ; {remedy}") from error


def reason_of(error: OSError, otherwise: str = _ELSEWHERE) -> tuple[str, str]:
    """Say in French what a disk refused, and what to do; ``otherwise`` when it is not known.

    Examples
    --------
    >>> reason_of(OSError(errno.ENOSPC, "No space left on device"))
    ('disque plein', 'libérer de la place, ou écrire sur un autre disque')
    """
    return _REASONS.get(error.errno or 0, (str(error.strerror or error), otherwise))


def _mode_of(target: Path) -> int | None:
    """Give the mode of the file to replace, None when there is none; refuse what is protected."""
    if not target.exists():
        return None
    found = target.stat().st_mode
    if stat.S_ISDIR(found):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if not stat.S_ISREG(found):
        raise OSError(errno.EINVAL, "ce n'est pas un fichier")
    return stat.S_IMODE(found)


def write_text(path: str | Path, text: str) -> Path:
    """Write a text in UTF-8, whole: a failure leaves what was there before.

    Returns
    -------
    Path
        The file, as given.

    Raises
    ------
    BarometreError
        As `replacing`; a text that UTF-8 cannot hold.
    """
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BarometreError(
            f"{path} : texte impossible à écrire en UTF-8"
            f" ({text[error.start : error.end]!a}) ; corriger ce caractère"
        ) from error
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)
