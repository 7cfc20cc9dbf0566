"""French typography: narrow no-break spaces, curved apostrophes."""

from __future__ import annotations

import re


def spaced(text: str) -> str:
    r"""Put no-break spaces, narrow before high punctuation, and curved apostrophes.

    Examples
    --------
    >>> spaced("l'effet : 60 %") == "l’effet\u202f: 60\u202f%"
    True
    """
    text = text.replace("&#39;", "’").replace("'", "’")
    text = re.sub(r"\s+([:;?!%])", "\u202f\\1", text)
    text = re.sub(r"\s+([»€])", "\u00a0\\1", text)
    return re.sub(r"«\s+", "«\u00a0", text)
