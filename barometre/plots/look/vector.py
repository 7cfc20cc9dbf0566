"""Charts as SVG to put in a page, the same bytes for the same data, and charts as files."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from barometre.base.errors import BarometreError
from barometre.base.files import replacing
from barometre.base.french import Lang
from barometre.plots.look.equivalent import describe
from barometre.plots.look.sheet import STYLE

_FONTS = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', 'Liberation Sans', sans-serif"
_LINES = re.compile(r'\bd="[^"]*"')
_DIGITS = re.compile(r"(\.\d\d)\d+")  # a hundredth of a point is not seen
_NAMES = re.compile(r'(\bid="|xlink:href="#|href="#|url\(#)')


def to_svg(ax: Axes, *, name: str = "graphique", lang: Lang | None = None) -> str:
    """Write a chart as SVG, ready to be put in an HTML page, and close its figure.

    Parameters
    ----------
    ax : Axes
        What a chart of `barometre.plots` returned.
    name : str, default "graphique"
        Name of the chart in the page: what comes before each of its identifiers, so that two charts
        of one page never share one.
    lang : {"fr", "en"}, optional
        Language of the description, that of the chart by default.

    Returns
    -------
    str
        ``<svg role="img">`` with ``<title>`` and ``<desc>`` (`describe`), texts as texts. No date,
        no random identifier: the same data give the same bytes.
    """
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    content = io.StringIO()
    salt: dict[Any, Any] = {**STYLE, "svg.hashsalt": name, "svg.fonttype": "none"}
    with mpl.rc_context(salt):
        figure.savefig(
            content, format="svg", facecolor="white",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )  # fmt: skip
    text = describe(ax, lang=lang)
    plt.close(figure)
    drawn = content.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"\s*<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = _NAMES.sub(rf"\g<1>{name}-", drawn)
    drawn = re.sub(r"font: ([^;\"]*?)'DejaVu Sans', sans-serif", rf"font: \g<1>{_FONTS}", drawn)
    drawn = re.sub(r"\n\s*", "\n", drawn)
    drawn = _LINES.sub(lambda line: _DIGITS.sub(r"\1", line[0]), drawn)
    head = (
        f' role="img" aria-labelledby="{name}-titre {name}-description">\n'
        f'<title id="{name}-titre">{html.escape(text.split(". ")[0])}</title>\n'
        f'<desc id="{name}-description">{html.escape(text)}</desc>'
    )
    start = drawn.index(">")
    return drawn[:start] + head + drawn[start + 1 :]


def save_chart(ax: Axes, path: Path | str, *, dpi: int = 160) -> Path:
    """Write a chart in a file and close its figure.

    Parameters
    ----------
    ax : Axes
        What a chart of `barometre.plots` returned.
    path : path
        File to write: ``.png``, ``.svg`` or ``.pdf``.
    dpi : int, default 160
        Pixels per inch of a PNG.

    Returns
    -------
    Path
        The file, written whole or not at all; the same data give the same bytes.

    Raises
    ------
    BarometreError
        Another kind of file.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg", "pdf"):
        raise BarometreError(f"{path.name} : un graphique s'écrit en .png, .svg ou .pdf")
    # Drawn before it is written: short of room, the PDF writer of matplotlib hides the reason.
    drawn = _drawn(ax, kind, dpi)
    with replacing(path) as temporary:
        temporary.write_bytes(drawn)
    return path


def _drawn(ax: Axes, kind: str, dpi: int) -> bytes:
    """Draw a chart as a file of a kind holds it, and close its figure."""
    if kind == "svg":
        return f'<?xml version="1.0" encoding="utf-8"?>\n{to_svg(ax)}'.encode()
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    metadata = {"Software": None} if kind == "png" else {"CreationDate": None}
    content = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(content, format=kind, dpi=dpi, facecolor="white", metadata=metadata)
    plt.close(figure)
    return content.getvalue()
