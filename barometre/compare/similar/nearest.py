"""The territories most like another one, and how much that rests on each variable."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, number_text
from barometre.compare.rows import checked_rows, code_in
from barometre.compare.similar.pool import Pool, Years, distances, doubtful_of, pool_of
from barometre.tables.codes import level_of


class SimilarWarning(UserWarning):
    """Something that makes territories look more alike than they are."""


@dataclass(frozen=True, repr=False)
class Neighbours(Face):
    """The nearest territories of a pool.

    Attributes
    ----------
    code : str
        The territory.
    table : DataFrame
        One row per neighbour, the nearest first: ``rang, code, distance``, then
        ``poids_<variable>``, the share of the squared distance that comes from each variable (they
        add up to 1).
    pool : Pool
        The units, their standardised variables, and who was left out.
    stability : DataFrame
        For each variable, ``communs``: how many of the neighbours stay when it is dropped, and
        ``nouveaux``, those that come in.
    remarks : tuple of str
        What a reader must know.
    """

    code: str
    table: pd.DataFrame
    pool: Pool
    stability: pd.DataFrame
    remarks: tuple[str, ...]

    @property
    def peers(self) -> tuple[str, ...]:
        """The codes of the neighbours, the nearest first: references of `gap` and `judge`."""
        return tuple(self.table["code"])

    @property
    def reference(self) -> str:
        """The code of the row that `with_peers` adds."""
        return f"PAIRS_{self.code}"

    def with_peers(self, results: pd.DataFrame) -> pd.DataFrame:
        """Add the median of the neighbours to results, as a territory to be compared with.

        Parameters
        ----------
        results : DataFrame
            As `compute` returns them.

        Returns
        -------
        DataFrame
            The results, then one row per year and indicator of which most neighbours have a value:
            code ``reference``, the median of those that are known, of origin ``estime``. Their
            number is in ``note``. The variables of the distance say that they are.

        Warns
        -----
        SimilarWarning
            An indicator of the results is among the variables: neighbours are near by construction.
        """
        rows = checked_rows(results).frame
        mine = rows[rows["code"].isin(self.peers) & rows["valeur"].notna()]
        groups = mine.groupby(["annee", "indicateur"], sort=False)["valeur"]
        found = groups.agg(["median", "size"]).reset_index()
        found = found[2 * found["size"] > len(self.peers)]
        used = found["indicateur"].isin(self.pool.scores.columns)
        if used.any():
            names = ", ".join(found.loc[used, "indicateur"].unique())
            warnings.warn(
                f"{names} : variable de la ressemblance ; l'écart aux voisins y est petit par"
                " construction",
                SimilarWarning,
                stacklevel=2,
            )
        note = "médiane de " + found["size"].map(str) + f" voisins de {self.code}"
        note = note + np.where(used, " ; variable de la ressemblance", "")
        added = pd.DataFrame(
            {
                "code": self.reference,
                "annee": found["annee"],
                "indicateur": found["indicateur"],
                "valeur": found["median"],
                "statut": "ok",
                "origine": "estime",
                "note": note,
            }
        )
        return pd.concat([results, added], ignore_index=True)

    def sentences(self) -> Sequence[str]:
        """Say who the neighbours are, and what they rest on."""
        first = self.table.iloc[0]
        least = self.stability.sort_values("communs").iloc[0]
        return [
            f"Territoires les plus proches de {self.code} : {', '.join(self.peers)}.",
            f"Le premier est à {number_text(first['distance'], 4)} (racine de la moyenne des carrés"
            " des écarts, en écarts-types).",
            self.pool.described(),
            f"Sans « {least['variable']} », {counted_text(least['communs'], 'voisin')} sur"
            f" {len(self.table)} restent.",
            *self.remarks,
        ]


def neighbours(
    results: pd.DataFrame,
    code: str,
    variables: Iterable[str],
    year: Years = "latest",
    k: int = 10,
    *,
    pool: str | Iterable[str] | None = None,
    name: str | None = None,
    log: Iterable[str] | None = None,
    outcome: str | Iterable[str] = (),
) -> Neighbours:
    """Find the territories most like another one.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them, for the whole pool.
    code : str
        Code or name of the territory.
    variables : iterable of str
        Identifiers of the indicators that make territories alike.
    year : int, "latest" or mapping of str to int, default "latest"
        Year of the variables: one for all, the latest of each, or one by variable.
    k : int, default 10
        Number of neighbours.
    pool : str or iterable of str, optional
        Level (``"qpv"``), or codes, of the territories to choose among; those of the level of
        ``code`` by default.
    name : str, optional
        What the pool is, in words, for the summary.
    log : iterable of str, optional
        Variables taken in logarithms; the counts by default.
    outcome : str or iterable of str, optional
        Indicators to be compared with the neighbours afterwards.

    Returns
    -------
    Neighbours

    Raises
    ------
    BarometreError
        A territory that is absent or incomplete (the variables it lacks are named); variables, year
        or pool that are none; more neighbours than complete units.
    UnknownNameError
        An indicator of no card.

    Warns
    -----
    SimilarWarning
        An outcome is among the variables.

    Notes
    -----
    Variables are standardised over the complete units of the pool, whose number divides the
    variance. The distance is the square root of the *mean* of the squared differences, so that it
    does not grow with the number of variables. All variables weigh the same: adding a second one
    that says what the first says counts it twice.

    Examples
    --------
    >>> from barometre import compute, datasets
    >>> drawn = compute(datasets.make_tables(60, 2021, seed=1))
    >>> first = drawn["code"].iloc[0]
    >>> found = neighbours(drawn, first, ["taux_emploi_15_64", "part_non_diplomes"], k=3)
    >>> len(found.peers), bool((found.table["distance"].diff().dropna() >= 0).all())
    (3, True)
    """
    rows = checked_rows(results)
    mine = code_in(rows.frame, code)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise BarometreError(f"k={k!r} refusé : donner un entier d'au moins 1")
    found = pool_of(rows, variables, year, level=level_of(mine), pool=pool, name=name, log=log)
    _check_unit(found, mine, k)
    nearest = _nearest(found.scores, mine, k)
    remarks = _remarks(found, mine)
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    if shared := [name for name in names if name in found.scores]:
        told = f"{', '.join(shared)} : à comparer, et variable de la ressemblance"
        remarks.append(told + ".")
        warnings.warn(told, SimilarWarning, stacklevel=2)
    if doubtful := doubtful_of(rows, [mine, *nearest["code"]], dict(found.years)):
        remarks.append(f"Une variable est douteuse : {', '.join(doubtful)}.")
    return Neighbours(mine, nearest, found, _stability(found.scores, mine, nearest), tuple(remarks))


def _check_unit(pool: Pool, code: str, k: int) -> None:
    if code not in pool.scores.index:
        why = pool.excluded.set_index("code")["motif"].get(code, "hors du vivier")
        raise BarometreError(f"« {code} » n'a pas toutes les variables : {why}")
    if k >= len(pool.scores):
        raise BarometreError(f"k={k} refusé : {len(pool.scores) - 1} autres unités complètes")


def _nearest(scores: pd.DataFrame, code: str, k: int) -> pd.DataFrame:
    """Order the others by distance, then by code, and share the squared distance out."""
    distance, squares = distances(scores, code)
    order = np.lexsort((scores.index.to_numpy(dtype=object).astype(str), distance))
    order = order[scores.index[order] != code][:k]
    total = squares[order].sum(axis=1, keepdims=True)
    shares = np.divide(squares[order], total, out=np.zeros_like(squares[order]), where=total > 0)
    table = pd.DataFrame(shares, columns=[f"poids_{name}" for name in scores])
    table.insert(0, "distance", distance[order])
    table.insert(0, "code", scores.index[order].astype("str"))
    table.insert(0, "rang", np.arange(1, len(order) + 1))
    return table


def _stability(scores: pd.DataFrame, code: str, nearest: pd.DataFrame) -> pd.DataFrame:
    """Count the neighbours that stay when each variable is dropped."""
    kept = set(nearest["code"])
    rows = []
    for name in scores if scores.shape[1] > 1 else ():
        others = _nearest(scores.drop(columns=name), code, len(nearest))["code"]
        rows.append((name, len(kept & set(others)), ", ".join(c for c in others if c not in kept)))
    if not rows:
        rows.append((str(scores.columns[0]), len(kept), ""))
    return pd.DataFrame(rows, columns=["variable", "communs", "nouveaux"])


def _remarks(pool: Pool, code: str) -> list[str]:
    remarks = []
    if pool.logged:
        remarks.append(f"En logarithme : {', '.join(pool.logged)}.")
    years = sorted(set(pool.years))
    if len(years) > 1:
        told = ", ".join(f"{name} ({year})" for name, year in pool.years.items())
        remarks.append(f"Années : {told}.")
    if len(pool.excluded):
        share = number_text(100 * len(pool.excluded) / pool.size)
        remarks.append(f"Unités incomplètes laissées de côté : {len(pool.excluded)} ({share} %).")
    return remarks
