"""One page on a synthetic cohort: what each method finds of an effect that is known."""

from __future__ import annotations

import re
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from barometre.base.files import replacing
from barometre.base.french import format_number
from barometre.pages.cohort.charts import draw_charts
from barometre.pages.cohort.drawn import THRESHOLD, N
from barometre.pages.cohort.findings import compute_findings
from barometre.pages.cohort.french import spaced

__all__ = ["write_cohort_page"]

_TINY = 1e-4  # p-values under it are not told apart
_TEMPLATES = Path(__file__).parents[1] / "templates"
_TAGS = re.compile(r"(<style>.*?</style>|<[^>]*>)", re.DOTALL)
_ALT = re.compile(r'(?<=alt=")[^"]*')


def write_cohort_page(path: str | Path, *, seed: int = 0, n: int = N) -> Path:
    """Write a page in French on a synthetic cohort: one HTML file, charts included.

    Nobody in it is real, and the page says so. Every figure is computed when the page is written,
    and those that rest on fewer than 11 people are hidden.

    Parameters
    ----------
    path : str or Path
        File to write.
    seed : int, default 0
        Seed of the cohort and of what is drawn.
    n : int, default 2400
        People, at least 400.

    Returns
    -------
    Path
        The file, written whole: a failure leaves what was there before.

    Raises
    ------
    BarometreError
        Fewer than 400 people: too few for the methods shown.

    Notes
    -----
    The cohort is that of `datasets.make_cohort`, with two waves of entry.
    """
    path = Path(path)
    page = _page(compute_findings(seed, n))
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _page(found: dict[str, Any]) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "nombre": _rounded,
        "signe": partial(_rounded, signed=True),
        "pct": _percent,
        "euros": _euros,
        "proba": _probability,
        "chiffres": _digits,
        "personnes": _headcount,
    }
    charts = {name: Markup(data) for name, data in draw_charts(found).items()}  # base64: no markup
    text = environment.get_template("cohorte.html.j2").render(
        {**found, "charts": charts, "threshold": THRESHOLD, "version": version("barometre")}
    )
    return _typeset(text)


def _rounded(value: float, decimals: int = 0, *, signed: bool = False) -> str:
    return format_number(value, decimals, signed=signed)


def _percent(share: float, decimals: int = 0) -> str:
    return f"{format_number(100 * share, decimals)} %"


def _euros(value: float) -> str:
    return f"{_rounded(value)} €"


def _probability(p: float) -> str:
    sign, shown = ("=", p) if p >= _TINY else ("<", _TINY)
    return f"p\u00a0{sign}\u00a0{_digits(shown)}"


def _digits(p: float) -> str:
    """Write a p-value with three digits: ``0,0625``, ``0,000244``."""
    return format_number(float(f"{p:.3g}"))


def _headcount(number: Any) -> str:
    small = 0 < number < THRESHOLD
    return f"{f'moins de {THRESHOLD}' if small else _rounded(number)} personnes"


def _typeset(page: str) -> str:
    """Put French spaces and apostrophes in the text and in the descriptions of the charts."""
    parts = _TAGS.split(page)
    for i, part in enumerate(parts):
        if i % 2 == 0:
            parts[i] = spaced(part)
        elif part.startswith("<img"):
            parts[i] = _ALT.sub(lambda found: spaced(" ".join(found[0].split())), part)
    return "".join(parts)
