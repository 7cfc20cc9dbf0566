"""Write the few TOML values that an index or its bounds hold, whole or not at all."""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from barometre.base.errors import BarometreError


def toml_value(value: object) -> str:
    """Write a text, a number, a date or a list of them."""
    if isinstance(value, str):
        # JSON escapes are TOML's, save the delete character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, datetime.date | int | float):
        return value.isoformat() if isinstance(value, datetime.date) else repr(value)
    assert isinstance(value, Sequence)  # nothing else is written
    return f"[{', '.join(map(toml_value, value))}]"


def toml_lines(entries: Mapping[str, object]) -> str:
    """Write one ``key = value`` a line; what is None is left out."""
    kept = {key: value for key, value in entries.items() if value is not None}
    return "".join(f"{key} = {toml_value(value)}\n" for key, value in kept.items())


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
