"""What a result shows of itself: a French text, its table as HTML, a chart.

Results are made far below the charts. A result therefore only *names* its chart (``chart``), and
the name is looked up in the public list of ``barometre.plots`` when ``plot()`` is called: nothing
below imports a drawing, and no matplotlib is loaded before someone draws.
"""

from __future__ import annotations

import html
import importlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from barometre.base.french import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALL_P = 0.001  # p-values under it are not told apart
_ROWS = 30  # of the table shown in a notebook


class Face:
    """A result that tells what it is: mixin of the result classes.

    A class gives `sentences`, and has a ``table``. It then prints as its summary, and a notebook
    shows the summary above the table.
    """

    if TYPE_CHECKING:

        @property
        def table(self) -> pd.DataFrame:
            """The figures; a field or a property of each class."""
            ...

    def sentences(self) -> Sequence[str]:
        """Return the sentences of the summary, in French."""
        raise NotImplementedError  # each class of results has its own

    def summary(self) -> str:
        """Say the result in French, as a report would; a sentence a line."""
        return "\n".join(self.sentences())

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return html_of(self.summary(), self.table)


class Drawn(Face):
    """A result of which one chart is natural.

    Attributes
    ----------
    chart : str
        Name of a function of ``barometre.plots`` that takes what `drawn` gives, ``title=`` and
        ``ax=``.
    """

    chart: ClassVar[str]

    def drawn(self) -> object:
        """Return what the chart is made from: the table by default."""
        return self.table

    def plot(self, *, title: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw the result.

        Parameters
        ----------
        title : str, optional
            Title.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        Axes
        """
        return draw(self.chart, self.drawn(), title=title, ax=ax)


def draw(chart: str, subject: object, *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw something with a chart of ``barometre.plots``, found by its name.

    Parameters
    ----------
    chart : str
        Name of a public chart.
    subject : object
        What it draws.
    title : str, optional
        Title.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    axes: Axes = getattr(importlib.import_module("barometre.plots"), chart)(
        subject, title=title, ax=ax
    )
    return axes


def html_of(text: str, table: pd.DataFrame) -> str:
    """Write a text and a table as HTML, everything escaped."""
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines())
    numbered = isinstance(table.index, pd.RangeIndex)
    shown = pd.DataFrame(table).to_html(
        index=not numbered, max_rows=_ROWS, border=0, decimal=",", na_rep="–"
    )
    return f"<div>{lines}{shown}</div>"


# ---- words of the summaries ---------------------------------------------------------------------


def decimals_of(spread: float) -> int:
    """Return the decimals that show two significant digits of a standard error or of a width.

    Examples
    --------
    >>> decimals_of(6.12), decimals_of(0.034), decimals_of(250.0), decimals_of(float("nan"))
    (1, 3, 0, 2)
    """
    if not math.isfinite(spread) or spread <= 0:
        return 2
    return min(max(1 - math.floor(math.log10(spread)), 0), 9)


def number_text(value: float, decimals: int = 0, *, signed: bool = False) -> str:
    """Write a number in French, in words where there is none.

    Examples
    --------
    >>> number_text(-2.85, 1), number_text(float("nan")), number_text(float("inf"))
    ('−2,9', 'non connu', 'infini')
    """
    if math.isnan(value):
        return "non connu"
    if math.isinf(value):
        return "infini" if value > 0 else "−infini"
    return format_number(value, decimals, signed=signed)


def interval_text(low: float, high: float, decimals: int = 0) -> str:
    """Write an interval, ``[45 ; 58]``, or that there is none.

    Examples
    --------
    >>> interval_text(45.2, 57.9), interval_text(float("nan"), 1.0)
    ('[45 ; 58]', 'sans intervalle')
    """
    if math.isnan(low) or math.isnan(high):
        return "sans intervalle"
    return f"[{number_text(low, decimals)} ; {number_text(high, decimals)}]"


def p_text(p: float) -> str:
    """Write a p-value with three decimals, ``p = 0,034``, or ``p < 0,001``.

    Examples
    --------
    >>> p_text(0.0344), p_text(1e-9), p_text(float("nan"))
    ('p = 0,034', 'p < 0,001', 'p non connu')
    """
    if math.isnan(p):
        return "p non connu"
    return f"p = {format_number(p, 3)}" if p >= _SMALL_P else "p < 0,001"


def percent_text(share: float, decimals: int = 1, *, signed: bool = False) -> str:
    """Write a share from 0 to 1 in per cent.

    Examples
    --------
    >>> percent_text(0.3312)
    '33,1 %'
    """
    if not math.isfinite(share):
        return number_text(share)
    return f"{format_number(100 * share, decimals, signed=signed)} %"


def level_text(level: float) -> str:
    """Write a confidence level.

    Examples
    --------
    >>> level_text(0.95), level_text(0.999)
    ('95 %', '99,9 %')
    """
    return f"{100 * level:.10g} %".replace(".", ",")


def counted_text(number: float, one: str, many: str | None = None) -> str:
    """Write a number and its noun, ``1 personne``, ``2 400 personnes``.

    Examples
    --------
    >>> counted_text(1, "grappe"), counted_text(12, "cas", "cas")
    ('1 grappe', '12 cas')
    """
    noun = one if abs(number) < 2 else many or f"{one}s"
    return f"{number_text(float(number))} {noun}"


def kept_sentences(meta: Mapping[str, Any]) -> list[str]:
    """Say from a ``meta`` who was used, who was left out and why, how, and what to fear.

    Parameters
    ----------
    meta : mapping
        ``n_in``, ``n_used``, ``lost`` (reason to number), ``rows_used``, ``rows_lost``,
        ``n_clusters``, ``cluster``, ``weight``, ``convention``, ``caution``, ``singletons``; each
        may be absent.
        ``unit`` is what ``n_in`` counts, people by default.

    Returns
    -------
    list of str
        At most a sentence for each.

    Examples
    --------
    >>> kept_sentences({"n_in": 10, "n_used": 8, "lost": {"âge manquant": 2}, "n_clusters": 3})
    ['Base : 8 personnes sur 10, 3 grappes.', 'Hors du calcul : 2 personnes (âge manquant).']
    """
    unit = str(meta.get("unit", "personne"))
    lines, used = [], []
    if "n_used" in meta:
        of = "" if meta["n_in"] == meta["n_used"] else f" sur {number_text(float(meta['n_in']))}"
        used.append(counted_text(meta["n_used"], unit) + of)
    if "rows_used" in meta and meta.get("rows_used") != meta.get("n_used"):
        used.append(counted_text(meta["rows_used"], "ligne"))
    if meta.get("n_clusters"):
        used.append(counted_text(meta["n_clusters"], "grappe"))
    if used:
        lines.append(f"Base : {', '.join(used)}.")
    out = [f"{counted_text(n, unit)} ({why})" for why, n in meta.get("lost", {}).items() if n]
    out += [f"{counted_text(n, 'ligne')} ({why})" for why, n in meta.get("rows_lost", {}).items()]
    if out:
        lines.append(f"Hors du calcul : {' ; '.join(out)}.")
    if meta.get("singletons"):
        why = "vues une seule fois" if unit == "personne" else "seules dans un effet fixe"
        lines.append(
            f"Sans rien dire de l'effet : {counted_text(meta['singletons'], unit)} ({why})."
        )
    how = [str(meta["convention"])] if meta.get("convention") else []
    how += [f"grappes : {meta['cluster']}"] if meta.get("cluster") else []
    how += [f"poids : {meta['weight']}"] if meta.get("weight") else []
    if how:
        lines.append(f"Convention : {' ; '.join(how)}.")
    if meta.get("caution"):
        lines.append(f"Attention : {meta['caution']}.")
    return lines


def capital(text: str) -> str:
    """Begin a sentence with a capital, the rest as it is."""
    return text[:1].upper() + text[1:]
