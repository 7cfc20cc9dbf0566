"""What a chart says to those who do not see it: a text and a table, made from its data."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.base.french import Lang
from barometre.plots.look.naming import spaced


@dataclass(frozen=True)
class Equivalent:
    """The text and the data of one chart.

    Attributes
    ----------
    lang : str
        Language of the chart.
    sentences : callable
        Gives, for a language, what is said of the data.
    table : DataFrame
        What is drawn, one row per mark.
    """

    lang: Lang
    sentences: Callable[[Lang], Sequence[str]]
    table: pd.DataFrame


_KNOWN: weakref.WeakKeyDictionary[Axes, Equivalent] = weakref.WeakKeyDictionary()


def keep(axes: Sequence[Axes], equivalent: Equivalent) -> None:
    """Join to the panels of a chart what they say."""
    for ax in axes:
        _KNOWN[ax] = equivalent


def _of(ax: Axes) -> Equivalent:
    known = _KNOWN.get(ax)
    if known is None:
        raise BarometreError("axes sans graphique de barometre.plots : rien à décrire")
    return known


def describe(ax: Axes, *, lang: Lang | None = None) -> str:
    """Say in words what a chart shows: the text of its ``alt`` or ``<desc>``.

    Parameters
    ----------
    ax : Axes
        What a chart of `barometre.plots` returned.
    lang : {"fr", "en"}, optional
        Language, that of the chart by default.

    Returns
    -------
    str
        Sentences made from the data drawn: what, for how many territories, extremes, references,
        what is absent and why.

    Raises
    ------
    BarometreError
        Axes that no chart has drawn.
    """
    known = _of(ax)
    lang = lang or known.lang
    return spaced(" ".join(part for part in known.sentences(lang) if part), lang)


def chart_data(ax: Axes) -> pd.DataFrame:
    """Return the data of a chart, to be shown as a table beside it.

    Parameters
    ----------
    ax : Axes
        What a chart of `barometre.plots` returned.

    Returns
    -------
    DataFrame
        A copy of what is drawn.

    Raises
    ------
    BarometreError
        Axes that no chart has drawn.
    """
    return _of(ax).table.copy()
