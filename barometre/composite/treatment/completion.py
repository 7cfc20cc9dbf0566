"""Missing values of indicators filled from a group or from the other indicators."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import Face, number_text
from barometre.composite.score.levels import unit_names
from barometre.composite.score.scores import score
from barometre.composite.treatment.inputs import indicators
from barometre.composite.treatment.likelihood import expected_values
from barometre.composite.tree.shape import Tree

Filling: TypeAlias = Literal["mean", "median", "em"]

_WORDS = {"mean": "moyenne", "median": "médiane", "em": "vraisemblance, algorithme EM"}
_SHOWN = 5  # units quoted


@dataclass(frozen=True, eq=False)
class Imputation(Face):
    """What `impute` returns.

    Attributes
    ----------
    table : DataFrame
        A row an imputed cell: ``unite``, ``indicateur``, ``groupe`` (empty without groups),
        ``valeur``, and ``sur``, the number of known values that it comes from: of the group, or
        with ``"em"`` of the unit.
    frame : DataFrame
        The frame, its missing values filled; the column of groups as given.
    left : int
        Missing values left: their unit has no group, or their group no value.
    method : {"mean", "median", "em"}
        What fills a missing value.
    by : str
        Column of the groups; empty without.
    raw : DataFrame
        The frame as given.
    """

    table: pd.DataFrame
    frame: pd.DataFrame
    left: int
    method: Filling
    by: str
    raw: pd.DataFrame

    def sentences(self) -> list[str]:
        """Say how many values are imputed, where, and how many are left."""
        group = f" par « {self.by} »" if self.by else " de toutes les unités"
        group = "" if self.method == "em" else group
        number = counted(len(self.table), "valeur imputée", "valeurs imputées")
        lines = [f"{number} ({_WORDS[self.method]}{group})."]
        if len(self.table):
            per = self.table["indicateur"].value_counts(sort=False)
            lines.append(f"Par indicateur : {', '.join(f'{n} {per[n]}' for n in per.index)}.")
        if self.left:
            number = counted(self.left, "valeur encore absente", "valeurs encore absentes")
            lines.append(f"{number} : unité sans groupe, ou groupe sans valeur.")
        return lines

    def rank_effect(self, index: Tree) -> RankEffect:
        """Score an index with and without the imputed values.

        Parameters
        ----------
        index : Index
            The index; without an imputed value, its siblings take its weight.

        Returns
        -------
        RankEffect
            A row a unit: scores and ranks of both, and how many of its leaves are imputed.

        Raises
        ------
        BarometreError
            As in `Index.score`.
        """
        leaves = [leaf.id for leaf in index.leaves]
        absent = [name for name in leaves if name not in self.frame]
        if absent:
            raise BarometreError(f"composantes absentes de la table : {', '.join(absent)}")
        before, after = (score(index, frame[leaves]) for frame in (self.raw, self.frame))
        gone = (self.raw[leaves].isna() & self.frame[leaves].notna()).sum(axis=1)
        table = pd.DataFrame(
            {
                "imputees": gone,
                "score_avant": before.table[index.root],
                "score": after.table[index.root],
                "rang_avant": before.rank(),
                "rang": after.rank(),
            }
        )
        return RankEffect(table.assign(ecart=table["rang"] - table["rang_avant"]), index.root)


@dataclass(frozen=True, eq=False)
class RankEffect(Face):
    """What `Imputation.rank_effect` returns.

    Attributes
    ----------
    table : DataFrame
        A row a unit: ``imputees`` (leaves imputed), ``score_avant``, ``score``, ``rang_avant``,
        ``rang``, and ``ecart``, the ranks lost (above 0) or won.
    root : str
        The index.
    """

    table: pd.DataFrame
    root: str

    def sentences(self) -> list[str]:
        """Say how many ranks move, and whose the most."""
        known = self.table.dropna(subset="ecart")
        size = known["ecart"].abs().astype(int)
        moved = int((size > 0).sum())
        mean = number_text(size.mean() if len(size) else 0.0, 1)
        changes = counted(moved, "rang change", "rangs changent")
        lines = [
            f"Indice « {self.root} », avec et sans valeurs imputées : {changes} sur {len(known)}"
            f" (écart moyen {mean})."
        ]
        far = known.iloc[np.argsort(-size.to_numpy(), kind="stable")[: min(moved, _SHOWN)]]
        named = [
            f"{name} {row['rang_avant']} → {row['rang']}"
            for name, row in zip(unit_names(far.index), far.to_dict("records"), strict=True)
        ]
        if named:
            lines.append(f"Les plus déplacées : {', '.join(named)}.")
        return lines


def impute(frame: pd.DataFrame, *, by: str | None = None, method: Filling = "mean") -> Imputation:
    """Fill the missing values of each indicator, from the unit's group or its other indicators.

    Parameters
    ----------
    frame : DataFrame, units x indicators
        Raw values, NaN where missing, and the column of groups.
    by : str, optional
        Column of the groups; by default all the units are one.
    method : {"mean", "median", "em"}, default "mean"
        Of the known values of the group; or what the other indicators of the unit lead to expect
        (``"em"``), without groups.

    Returns
    -------
    Imputation
        The frame filled, and the list of imputed cells. A value whose unit has no group, or whose
        group has none, stays missing and is counted.

    Raises
    ------
    BarometreError
        A column that is no number or is absent, another method; with ``"em"``, groups, an indicator
        without any value, or fewer than two units more than indicators.

    Notes
    -----
    ``i_mean_grp``, ``i_median_grp`` and ``i_EM`` of COINr (the latter by maximum likelihood under a
    multivariate normal law: treat outliers first); *Handbook on Constructing Composite Indicators*
    (OECD and JRC, 2008), step 3, which recalls that an imputed mean lessens the spread and that its
    effect on ranks is to be looked at: ``rank_effect``.

    Examples
    --------
    >>> frame = pd.DataFrame({"zone": ["a", "a", "b", "a"], "taux": [1.0, 4.0, 9.0, None]})
    >>> print(impute(frame, by="zone"))
    1 valeur imputée (moyenne par « zone »).
    Par indicateur : taux 1.
    """
    if method not in get_args(Filling):
        raise UnknownNameError("moyenne", str(method), get_args(Filling))
    values = indicators(frame, "imputation refusée", () if by is None else (by,))
    if method == "em":
        return _expected(frame, values, by)
    groups = pd.Series("", index=frame.index) if by is None else frame[by]
    # by position: the units may bear one name twice
    numbers, names = pd.factorize(groups)
    filled = frame.copy()
    cells: list[tuple[str, Hashable, Hashable, float, int]] = []
    units, left = unit_names(frame.index), 0
    for name in values:
        column = values[name].to_numpy(copy=True)
        known = ~np.isnan(column)
        grouped = pd.Series(column[known]).groupby(numbers[known])
        centres = grouped.mean() if method == "mean" else grouped.median()
        sizes = grouped.size()
        for i in np.flatnonzero(~known):
            group = numbers[i]
            if group < 0 or group not in centres.index:
                left += 1
                continue
            column[i] = centres.loc[group]
            cells.append((units[i], name, names[group], column[i], sizes.loc[group]))
        filled[name] = column
    table = pd.DataFrame(cells, columns=["unite", "indicateur", "groupe", "valeur", "sur"])
    return Imputation(table, filled, left, method, "" if by is None else str(by), frame)


def _expected(frame: pd.DataFrame, values: pd.DataFrame, by: str | None) -> Imputation:
    """Fill each missing value from the other indicators of the unit."""
    if by is not None:
        raise BarometreError("by ne vaut pas pour « em », qui se sert de toutes les unités")
    raw = values.to_numpy(np.float64)
    missing = np.isnan(raw)
    empty = [str(name) for name, gone in zip(values, missing.all(axis=0), strict=True) if gone]
    n, k = int((~missing).any(axis=1).sum()), raw.shape[1]
    if empty or n < k + 2:
        why = (
            f"aucune valeur de {', '.join(empty)}"
            if empty
            else f"{n} unités pour {counted(k, 'indicateur')}"
        )
        raise BarometreError(
            f"imputation refusée : {why} ; « em » demande deux unités de plus que d'indicateurs :"
            " imputer par dimension, ou par la moyenne d'un groupe"
        )
    filled = expected_values(raw)
    units = unit_names(frame.index)
    cells = [
        (units[i], values.columns[j], "", filled[i, j], int((~missing[i]).sum()))
        for j, i in np.argwhere(missing.T)
    ]
    table = pd.DataFrame(cells, columns=["unite", "indicateur", "groupe", "valeur", "sur"])
    complete = pd.DataFrame(filled, index=frame.index, columns=values.columns)
    return Imputation(table, complete, 0, "em", "", frame)
