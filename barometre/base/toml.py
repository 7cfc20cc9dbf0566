"""TOML files: what cannot be read is refused with the place, numbers of numpy are written plain."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from barometre.base.errors import BarometreError


def toml_text(entries: Mapping[str, object]) -> str:
    """Write a mapping of texts, numbers, dates, lists and mappings; what is None is left out.

    Examples
    --------
    >>> print(toml_text({"weight": np.float64(1.5), "log": np.True_, "low": None}), end="")
    weight = 1.5
    log = true
    """
    return tomli_w.dumps(_plain(entries))


def _plain(value: Any) -> Any:
    """Turn scalars and arrays of numpy into those of Python, mappings and lists included."""
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file; what cannot be read is refused with the place."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BarometreError(
            f"{path} : illisible ({error.strerror}) ; vérifier le chemin"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BarometreError(
            f"{path} : illisible ({error}) ; corriger la syntaxe TOML (UTF-8)"
        ) from error
