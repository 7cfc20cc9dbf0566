"""Keyed pseudonyms: the same person keeps the same one, and nobody finds them without the key."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import RowNumbers
from barometre.base.errors import BarometreError, Fault, FaultsError, counted

SHORTEST_KEY = 16
"""Bytes under which a key could be guessed."""

_LEAST_BITS = 32  # 16 random hexadecimal digits have 35 or more by this measure, words fewer
_BOM, _UTF16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}  # categories of Unicode without any drawing


class PseudonymWarning(UserWarning):
    """A key that others may read or guess, identifiers written in two ways."""


def create_key(path: str | Path) -> None:
    """Write a new random key to a file that only its owner can read.

    Parameters
    ----------
    path : str or Path
        A file that does not exist yet: replacing a key would change every pseudonym. Keep it away
        from the data, and out of version control.

    Raises
    ------
    BarometreError
        The file exists already, its folder does not, or nothing can be written there.
    """
    # The path is never quoted: a key given in its place would go to a log.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BarometreError(
            "ce fichier de clé existe déjà ; changer de clé changerait tous les pseudonymes"
        ) from None
    except FileNotFoundError:
        raise BarometreError(
            "le dossier de la clé n'existe pas ; le créer, ou en choisir un autre"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise BarometreError(
            f"clé impossible à écrire ({type(error).__name__}) ; choisir un fichier à créer dans un"
            " dossier où l'on peut écrire"
        ) from None
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")


def pseudonymise(
    identifiers: pd.Series[Any] | Sequence[Any],
    *,
    key_file: str | Path | None = None,
    key_variable: str | None = None,
) -> pd.Series[str]:
    """Replace identifiers by keyed pseudonyms: the same person keeps the same one, wave after wave.

    Parameters
    ----------
    identifiers : Series or sequence of str
        Identifiers as texts, taken letter for letter: a number that lost its leading zero is
        another person. Integers are written in full. Accents are taken composed (NFC), however
        they were typed.
    key_file : str or Path, optional
        File that holds the key; spaces and line ends around it do not count, nor does the byte
        order mark that some editors add.
    key_variable : str, optional
        Environment variable that holds the key. Give one of the two.

    Returns
    -------
    Series of str
        64 hexadecimal digits each, on the index of the input. Neither the key nor the identifiers
        are kept.

    Raises
    ------
    BarometreError
        No key or two, a key under 16 bytes; an identifier that is missing, empty, neither a text
        nor an integer (a decimal, even 123.0, a boolean, a list), or with invisible characters.
        No message quotes what was given as ``key_file`` or ``key_variable``.

    Warns
    -----
    PseudonymWarning
        A key file that others can read, a key that can be guessed (a character or a word repeated,
        a run), a byte order mark left out; identifiers with decomposed accents (composed), with
        spaces around (kept).

    Notes
    -----
    HMAC with SHA-256 (FIPS 198-1, RFC 2104) of the identifier in UTF-8. Whoever holds the key can
    find people again: this is pseudonymisation, not anonymisation (RGPD, article 4).
    """
    if isinstance(identifiers, pd.DataFrame | Mapping):
        kind = type(identifiers).__name__
        raise BarometreError(f"identifiants : {kind} reçu ; donner une colonne, ou une liste")
    key = _key(key_file, key_variable)
    series = pd.Series([identifiers] if isinstance(identifiers, str) else identifiers)
    texts, rows = _as_texts(series)
    words = [hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for text in texts]
    return pd.Series(np.array(words, dtype=object)[rows], index=series.index, dtype="str")


# ---- identifiers --------------------------------------------------------------------------------


def _as_texts(series: pd.Series[Any]) -> tuple[list[str], RowNumbers]:
    """Write identifiers as texts, with the text of each row; or say all that cannot be one."""
    missing = series.isna().to_numpy(np.bool_)
    rows, values = np.arange(len(series)), series.astype(object).to_numpy()
    if isinstance(series.dtype, pd.StringDtype) or pd.api.types.is_integer_dtype(series.dtype):
        rows, values = pd.factorize(values)  # of one type: none is merged with another
    texts = [_text(one) for one in values]
    other = [text is None for text in texts]
    kinds = {type(one).__name__ for one, wrong in zip(values, other, strict=True) if wrong}
    kinds -= {type(one).__name__ for one in series[missing]}
    flags = (
        (other, f"ni texte ni entier ({', '.join(sorted(kinds))})",
         "les lire comme textes (dtype=str)"),
        ([text is not None and not text.strip() for text in texts], "vide",
         "les compléter ou retirer ces lignes"),
        ([text is not None and _has_invisible(text) for text in texts],
         "avec un caractère invisible", "le retirer : la même personne aurait deux pseudonymes"),
    )  # fmt: skip
    found = [(missing, "manquant", "les compléter ou retirer ces lignes")] + [
        (~missing & np.isin(rows, np.flatnonzero(flag)), kind, remedy)
        for flag, kind, remedy in flags
    ]
    faults = [
        Fault("identifiants", _number(int(at.sum()), kind), remedy)
        for at, kind, remedy in found
        if at.any()
    ]
    if faults:
        raise FaultsError("identifiants refusés", faults)
    given = [text or "" for text in texts]
    composed = [unicodedata.normalize("NFC", text) for text in given]
    decomposed = sum(a != b for a, b in zip(given, composed, strict=True))
    spaced = sum(text != text.strip() for text in composed)
    if decomposed:
        _warn(f"{_number(decomposed, 'aux accents décomposés')} : accents pris composés (NFC)")
    if spaced:
        _warn(f"{_number(spaced, 'avec des espaces autour')} : gardées, elles comptent")
    return composed, rows


def _number(number: int, kind: str) -> str:
    """Count identifiers of a kind: ``2 identifiants vides``."""
    agreed = kind + ("s" if number > 1 and kind in ("manquant", "vide") else "")
    return f"{counted(number, 'identifiant')} {agreed}"


def _text(identifier: object) -> str | None:
    if isinstance(identifier, str):
        return str(identifier)
    if isinstance(identifier, int | np.integer) and not isinstance(identifier, bool):
        return str(int(identifier))
    return None


def _has_invisible(text: str) -> bool:
    return not text.isprintable() and any(unicodedata.category(c) in _INVISIBLE for c in text)


# ---- key ----------------------------------------------------------------------------------------


def _key(key_file: str | Path | None, key_variable: str | None) -> bytes:
    if (key_file is None) == (key_variable is None):
        raise BarometreError("clé : donner key_file ou key_variable, l'un des deux")
    key = _of_file(key_file) if key_file is not None else _of_variable(key_variable)
    if len(key) < SHORTEST_KEY:
        raise BarometreError(
            f"clé de {counted(len(key), 'octet')} ; il en faut au moins {SHORTEST_KEY}"
            " (create_key en fait une)"
        )
    if _bits(key) < _LEAST_BITS:
        _warn("clé facile à deviner (répétition ou suite) ; create_key en tire une au sort")
    return key


def _of_file(path: str | Path) -> bytes:
    try:
        content = Path(path).read_bytes()
        mode = Path(path).stat().st_mode
    except (OSError, ValueError, TypeError) as error:
        # Neither the argument nor the system's message, which quotes it: it may be the key itself.
        raise BarometreError(
            f"clé illisible ({type(error).__name__}) ; key_file est le chemin d'un fichier qui"
            " contient la clé : voir create_key"
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        _warn("fichier de clé ouvert à d'autres que son propriétaire ; le fermer (chmod 600)")
    if content.startswith(_UTF16):
        raise BarometreError("clé enregistrée en UTF-16 ; l'enregistrer en UTF-8")
    if content.startswith(_BOM):
        _warn("marque d'ordre des octets (BOM) en tête de la clé : laissée de côté")
        content = content.removeprefix(_BOM)
    return content.strip()


def _of_variable(name: object) -> bytes:
    value = ""
    if isinstance(name, str) and name and not set("=\0") & set(name):
        value = os.environ.get(name, "").removeprefix("\ufeff").strip()
    if not value:
        raise BarometreError(
            "variable d'environnement absente ou vide ; key_variable est le nom de celle qui"
            " contient la clé"
        )
    return value.encode(errors="surrogateescape")


def _bits(key: bytes) -> float:
    """Bound what a key holds by its bytes, by their differences, and by what it repeats."""
    period = next(p for p in range(1, len(key) + 1) if key == (key[:p] * len(key))[: len(key)])
    once = key[:period]
    return min(_entropy(list(once)), _entropy([b - a for a, b in pairwise(once)] or [0]))


def _entropy(values: list[int]) -> float:
    """Shannon entropy of values, in bits, times their number."""
    _, counts = np.unique(values, return_counts=True)
    return float(-(counts * np.log2(counts / counts.sum())).sum())


def _warn(text: str) -> None:
    warnings.warn(text, PseudonymWarning, stacklevel=5)
