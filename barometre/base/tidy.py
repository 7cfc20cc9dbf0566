"""Tidy frames that remember what made them: method, convention, who was kept and who was lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import pandas as pd

from barometre.base.face import capital, draw, html_of, kept_sentences
from barometre.base.version import __version__

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Sentences: TypeAlias = Callable[[pd.DataFrame], Sequence[str]]


@dataclass(frozen=True)
class _Look:
    """What a frame says of its figures, and the chart that draws it."""

    sentences: Sentences | None = None
    chart: str | None = None


class Tidy(pd.DataFrame):
    """A data frame with a ``meta``, what was used to make it, and a ``summary()`` in French.

    Whatever pandas derives from it (a selection, a sum, a copy) is a plain data frame: what was
    said of the whole is not said of a part.

    Attributes
    ----------
    meta : dict
        ``method``, ``convention``, ``n_in``, ``n_used``, ``lost`` (reason to number), ``caution``
        where there is one, and ``version`` of the library: the only place for what a reader must
        know.
    """

    _metadata: ClassVar[list[str]] = ["meta", "_look"]
    meta: dict[str, Any] = {}  # noqa: RUF012 - replaced, never written in, by `tidy`
    _look: _Look = _Look()

    def summary(self) -> str:
        """Say in French what the frame shows, who was used, who was left out; a sentence a line."""
        figures = list(self._look.sentences(self)) if self._look.sentences and len(self) else []
        empty = [] if len(self) else ["Aucune ligne."]
        title = [f"{capital(str(self.meta['method']))}."] if self.meta.get("method") else []
        return "\n".join([*title, *empty, *figures, *kept_sentences(self.meta)])

    def _repr_html_(self) -> str:
        return html_of(self.summary(), self)

    # pandas has a plotting accessor of that name, which stays where no chart is natural
    @property
    def plot(self) -> Callable[..., Axes]:  # type: ignore[override]
        """Draw the frame: ``plot(title=, ax=)`` where a chart is natural, else as pandas does."""
        if self._look.chart is None:
            plain: Callable[..., Axes] = pd.DataFrame(self).plot
            return plain
        chart = self._look.chart

        def drawing(*, title: str | None = None, ax: Axes | None = None) -> Axes:
            return draw(chart, self, title=title, ax=ax)

        return drawing


def tidy(
    frame: pd.DataFrame,
    *,
    sentences: Sentences | None = None,
    chart: str | None = None,
    **meta: Any,
) -> Tidy:
    """Join to a frame what was used to make it.

    Parameters
    ----------
    frame : DataFrame
        The result; its data are not copied.
    sentences : callable, optional
        What to say in French of the figures, from the frame: a function of a module, so that the
        result can be pickled.
    chart : str, optional
        Name of the chart of ``barometre.plots`` that draws it.
    **meta
        ``method``, ``convention``, ``n_in``, ``n_used``, ``lost`` and whatever else a reader needs.

    Returns
    -------
    Tidy
        The same frame with ``.meta``, to which ``version`` is added, and ``.summary()``.

    Examples
    --------
    >>> result = tidy(pd.DataFrame({"n": [3]}), method="essai", n_in=4, n_used=3, lost={"âge": 1})
    >>> result.meta["lost"], type(result.head()).__name__
    ({'âge': 1}, 'DataFrame')
    >>> print(result.summary())
    Essai.
    Base : 3 personnes sur 4.
    Hors du calcul : 1 personne (âge).
    """
    result = Tidy(frame, copy=False)
    result.meta = {**meta, "version": __version__}
    result._look = _Look(sentences, chart)
    return result
