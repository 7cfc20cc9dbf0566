"""The charts of a page, as SVG without a date: the same data give the same bytes."""

from __future__ import annotations

import io
import re
import unicodedata
from contextlib import AbstractContextManager

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from barometre.base.french import Lang
from barometre.pages.territory.facts.evidence import Evidence, zones_of
from barometre.pages.territory.facts.lines import Line
from barometre.plots import ranked_bars

_SIZE = 7.2  # inches
_NAME = 40  # characters of a name on an axis


def _settings() -> AbstractContextManager[None]:
    """Texts stay texts, and names of what is drawn do not depend on the run."""
    return mpl.rc_context({"svg.hashsalt": "barometre", "svg.fonttype": "none", "font.size": 10.0})


def draw_line(evidence: Evidence, line: Line, lang: Lang = "fr") -> bytes:
    """Draw an indicator among the peers of a territory.

    Parameters
    ----------
    evidence : Evidence
        Results and names.
    line : Line
        The indicator and the territory.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    bytes
        SVG.
    """
    own = line.place.code
    codes = [*zones_of(evidence, own)]
    references = [] if line.is_count else [r.place.code for r in line.references if r.known]
    if own not in codes and not line.is_count:
        references = [own, *references]
    names = {code: chart_name(evidence.places[code].short) for code in (*codes, *references)}
    rows = evidence.results[
        (evidence.results["indicateur"] == line.card.id)
        & (evidence.results["annee"] == line.year)
        & evidence.results["code"].isin([*codes, *references])
    ]
    drawn = [code for code in codes if code in set(rows["code"])]
    with _settings():
        figure = Figure(figsize=(_SIZE, 1.9 + 0.3 * len(drawn)), layout="constrained")
        ranked_bars(
            rows,
            line.card.id,
            references=references,
            territories=drawn,
            labels=pd.Series(names),
            year=line.year,
            lang=lang,
            ax=figure.subplots(),
        )
        return svg_of(figure)


def chart_name(name: str) -> str:
    """Shorten a name for an axis, without marks of direction nor formulas.

    Examples
    --------
    >>> chart_name("Elnon"), len(chart_name("x" * 300))
    ('Elnon', 40)
    """
    plain = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    short = plain if len(plain) <= _NAME else f"{plain[: _NAME - 1].rstrip()}…"
    return short.replace("$", "\\$")


def svg_of(figure: Figure) -> bytes:
    """Write a figure as SVG, without what changes from one run to the next."""
    content = io.BytesIO()
    with _settings():
        figure.savefig(
            content, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight"
        )
    text = content.getvalue().decode("utf-8")
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>\n?", "", text, flags=re.DOTALL)
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", text).encode("utf-8")
