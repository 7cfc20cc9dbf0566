"""What the ready-made indices of France give: one class for the IDH-4, the IDH-2 and the IDT."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import Drawn, draw
from barometre.base.french import format_number
from barometre.composite.french.reference_gaps import gaps_to
from barometre.composite.score.contributions import MEAN, Reference
from barometre.composite.score.gap_sentence import gap_sentence
from barometre.composite.score.levels import row_of
from barometre.composite.score.scores import Scores
from barometre.composite.score.years import YEAR
from barometre.composite.tree.bounds import Bounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Split(Protocol):
    """How the gap of an index to a reference is split between its dimensions."""

    def parts(self, reference: Reference) -> pd.DataFrame:
        """Give the part of each dimension, territories in rows."""
        ...


@dataclass(frozen=True, eq=False)
class ScoreSplit:
    """The gaps of a scored index."""

    scores: Scores

    def parts(self, reference: Reference) -> pd.DataFrame:
        """Split as `Scores.contributions` does."""
        return self.scores.contributions(reference=reference, by="children")


@dataclass(frozen=True, eq=False)
class LinearSplit:
    """The gaps of an index that is linear in its components."""

    values: pd.DataFrame
    slopes: pd.Series[float]
    names: Mapping[str, str]

    def parts(self, reference: Reference) -> pd.DataFrame:
        """Split by slopes: what a gap in each component makes."""
        mean = isinstance(reference, str) and reference == MEAN
        gaps = self.values - self.values.mean() if mean else gaps_to(self.values, reference)
        return (self.slopes * gaps).rename(columns=self.names)


@dataclass(frozen=True, eq=False)
class TerritorialIndex(Drawn):
    """What `idh4` and `idt` return.

    ``result["idh4"]`` is ``result.table["idh4"]``.

    Attributes
    ----------
    table : DataFrame, territories x columns
        The dimensions, the index and what happened to each territory (``remarques``): see `idh4`
        and `idt`.
    name : str
        The column of the index: ``"idh4"``, ``"idh2"`` or ``"idt_reconstitue"``.
    title : str
        Its name in French.
    dimensions : tuple of str
        What its gaps are split between.
    decimals : int, default 2
        Decimals with which it is printed.
    remarks : tuple of str
        What a reader must know of the whole, in French.
    reference : label, mapping or Series, optional
        What it is measured from, for the IDT: its zero.
    bounds : Bounds, optional
        The bounds used for every territory and year, for the IDH.
    scores : Scores, optional
        The scores of the engine, for the IDH: `Scores.explain`, the audit.
    """

    table: pd.DataFrame
    name: str
    title: str
    dimensions: tuple[str, ...]
    decimals: int = 2
    remarks: tuple[str, ...] = ()
    reference: Any = None
    bounds: Bounds | None = None
    scores: Scores | None = field(default=None, repr=False)
    split: Split | None = field(default=None, repr=False)

    chart = "gap_dimensions"

    def __getitem__(self, column: str) -> pd.Series:
        """Return a column of the table."""
        if column not in self.table:
            raise UnknownNameError("nom de colonne", str(column), map(str, self.table))
        return self.table[column]

    def contributions(self, reference: Reference = None) -> pd.DataFrame:
        """Split the gap of each territory to a reference between the dimensions.

        Parameters
        ----------
        reference : label, "mean", mapping or Series
            A code (of the same year as each row, when there are several), a label
            ``(code, annee)``, the mean of the territories, or raw values by component. By default,
            that of the index, if it has one (the IDT).

        Returns
        -------
        DataFrame, territories x columns
            The part of each dimension, and ``ecart``, their sum: the gap between indices. Missing
            where the index is. ``attrs`` has the name of the index and the reference.

        Raises
        ------
        BarometreError
            No reference, an unknown one, one without index, or ``"mean"`` over several years.
        """
        reference = self._reference(reference)
        index = self.table.index
        if self._by_year(reference):
            years = index.get_level_values(YEAR)
            each = [self._parts(self._at(reference, y))[years == y] for y in years.unique()]
            parts: pd.DataFrame = pd.concat(each).reindex(index)
        else:
            parts = self._parts(reference)
        given = isinstance(reference, Mapping | pd.Series | list | np.ndarray)
        parts.attrs = {
            "indice": self.title,
            "reference": "valeurs données" if given else str(reference),
        }
        return parts

    def explain(
        self,
        code: Hashable,
        reference: Reference = None,
        *,
        labels: Mapping[Any, str] | pd.Series[str] | None = None,
        decimals: int | None = None,
    ) -> str:
        """Say in French how a territory compares with a reference, and because of what.

        Parameters
        ----------
        code : label
            A territory: its code, or ``(code, annee)`` when there are several years.
        reference : label, mapping or Series
            As in `contributions`.
        labels : mapping or Series of str, optional
            Names by code.
        decimals : int, optional
            Decimals printed, those of the index by default. Gaps are computed before rounding.

        Returns
        -------
        str
            One sentence. A dimension is "principalement" the cause when it makes more than half of
            what pulls in the direction of the gap.

        Raises
        ------
        BarometreError
            An unknown territory or reference, or a reference without index.
        """
        reference = self._reference(reference)
        row = row_of(self.table.index, code)
        label = self.table.index[row]
        if self._by_year(reference):
            year = self.table.index.get_level_values(YEAR)[row]
            reference = self._at(reference, year)
        parts = self._parts(reference).iloc[row]
        value = float(self.table[self.name].iloc[row])
        return gap_sentence(
            self.title,
            (_named(label, labels), value),
            (_named(reference, labels), self._value_of(reference, value - float(parts["ecart"]))),
            {name: float(parts[name]) for name in self.dimensions},
            missing=str(self.table["remarques"].fillna("").iloc[row]),
            decimals=self.decimals if decimals is None else decimals,
        )

    def sentences(self) -> list[str]:
        """Say how many territories, from which value to which, and what a reader must know."""
        index = self.table[self.name]
        known = index.dropna()
        lines = [f"{self.title} : {counted(len(index), 'ligne')}, {len(known)} avec une valeur."]
        if len(known):
            ends = [
                f"{format_number(known.iloc[at], self.decimals)} ({_named(known.index[at], None)})"
                for at in (int(known.argmin()), int(known.argmax()))
            ]
            lines.append(f"De {ends[0]} à {ends[1]}.")
        if "hors_bornes" in self.table and (outside := int(self.table["hors_bornes"].sum())):
            lines.append(f"{counted(outside, 'ligne')} hors des bornes, tenues à la borne.")
        if self.bounds is not None and self.bounds.reference:
            years = ", ".join(map(str, self.bounds.years))
            lines.append(f"Bornes : {self.bounds.reference}{f' ({years})' if years else ''}.")
        return [*lines, *(f"{remark[:1].upper()}{remark[1:]}." for remark in self.remarks)]

    def plot(
        self, reference: Reference = None, *, title: str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the gaps to a reference, split between the dimensions.

        Parameters
        ----------
        reference : label, "mean", mapping or Series, optional
            As in `contributions`; by default that of the index, else the mean of the territories.
        title : str, optional
            Title.
        ax : Axes, optional
            Where to draw.

        Returns
        -------
        Axes
        """
        chosen = MEAN if reference is None and self.reference is None else reference
        return draw(self.chart, self.contributions(chosen), title=title, ax=ax)

    def _reference(self, given: Reference) -> Any:
        if given is None and self.reference is None:
            raise BarometreError("référence manquante : un territoire, « mean », ou des valeurs")
        return self.reference if given is None else given

    def _by_year(self, reference: Any) -> bool:
        """Tell whether a reference is a code, to be taken at the year of each row."""
        index = self.table.index
        if isinstance(reference, tuple | list | np.ndarray | Mapping | pd.Series):
            return False
        return reference != MEAN and YEAR in index.names and index.nlevels > 1 and len(index) > 0

    def _at(self, code: Any, year: Hashable) -> tuple[Hashable, ...]:
        """Write the label of a code at a year."""
        label = tuple(year if name == YEAR else code for name in self.table.index.names)
        if label not in self.table.index:
            raise BarometreError(f"référence refusée : « {code} » n'a pas de ligne en {year}")
        return label

    def _parts(self, reference: Any) -> pd.DataFrame:
        index = self.table.index
        if isinstance(reference, str) and reference == MEAN and YEAR in index.names:
            years = index.get_level_values(YEAR).unique()
            if len(years) > 1:
                raise BarometreError(
                    "référence « mean » refusée : plusieurs années ; donner un territoire, ou ses"
                    " valeurs"
                )
        assert self.split is not None  # both makers give one
        parts = self.split.parts(reference)[list(self.dimensions)]
        if self.scores is None:
            return parts.assign(ecart=parts.sum(axis=1, skipna=False))
        there = self.scores.reference_scores(reference)[self.name]
        return parts.assign(ecart=self.table[self.name] - there)

    def _value_of(self, reference: Any, otherwise: float) -> float:
        if self.scores is None:
            return otherwise
        return float(self.scores.reference_scores(reference)[self.name])


def _named(label: object, labels: Mapping[Any, str] | pd.Series[str] | None) -> str:
    """Name a territory, and its year when it has one."""
    if isinstance(label, Mapping | pd.Series | list | np.ndarray):
        return "la référence"
    if isinstance(label, str) and label == MEAN:
        return "la moyenne des territoires"
    known = {} if labels is None else dict(labels)
    if not isinstance(label, tuple):
        return f"« {known.get(label, label)} »"
    code, year = (label[1], label[0]) if isinstance(label[0], int | np.integer) else label[:2]
    return f"« {known.get(code, code)} » en {year}"
