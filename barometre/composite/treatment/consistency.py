"""Whether indicators measure one thing: Cronbach's alpha and principal components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text, number_text, percent_text
from barometre.base.frames import check_frame
from barometre.composite.robust.audit_checks import cronbach_alpha
from barometre.composite.treatment.inputs import indicators
from barometre.composite.tree.ties import TOLERANCE

_FEWEST = 3  # complete units


@dataclass(frozen=True, eq=False)
class Reliability(Face):
    """What `reliability` returns.

    Attributes
    ----------
    table : DataFrame
        A row an indicator: ``correlation_reste``, with the sum of the others; ``alpha_sans``, the
        alpha of the others (missing with two indicators); ``composante_1``, ``composante_2``, its
        correlations with the first two principal components.
    components : DataFrame
        A row a principal component: ``valeur_propre``, ``part`` of the variance, ``cumul``.
    alpha : float
        Cronbach's alpha of the standardised indicators.
    n : int
        Units with every indicator, those used.
    n_in : int
        Units given.
    """

    table: pd.DataFrame
    components: pd.DataFrame
    alpha: float
    n: int
    n_in: int

    def sentences(self) -> list[str]:
        """Say the alpha, and what the first components hold."""
        values, shares = self.components["valeur_propre"], self.components["part"]
        return [
            f"Alpha de Cronbach : {number_text(self.alpha, 2)}"
            f" ({counted_text(len(self.table), 'indicateur')},"
            f" {counted_text(self.n, 'unité complète', 'unités complètes')} sur {self.n_in}).",
            f"Première composante principale : {percent_text(float(shares.iloc[0]))} de la variance"
            f" (valeur propre {number_text(float(values.iloc[0]), 2)}) ;"
            f" valeurs propres au-dessus de 1 : {int((values > 1).sum())}.",
        ]


def reliability(frame: pd.DataFrame, *, direction: Mapping[str, int] | None = None) -> Reliability:
    """Give Cronbach's alpha of indicators, and their principal components.

    Parameters
    ----------
    frame : DataFrame, units x indicators
        Raw values; units with a missing one are left out.
    direction : mapping of str to {1, -1}, optional
        Indicators to be reversed (-1); those that are not named are as they are.

    Returns
    -------
    Reliability
        Alpha, what each indicator brings to it, eigenvalues and loadings.

    Raises
    ------
    BarometreError
        Fewer than two indicators or three complete units, a constant, a column that is no number,
        a direction that is neither 1 nor -1.

    Notes
    -----
    Indicators are standardised, being in different units: alpha is ``k r / (1 + (k - 1) r)``, r
    their mean correlation (Cronbach, 1951; *Handbook on Constructing Composite Indicators*, OECD
    and JRC, 2008, step 4). Components are those of the correlation matrix; a loading is an
    eigenvector times the root of its eigenvalue, its sign such that the loadings add up to no less
    than zero. No weight is made of them: what varies together is not what matters.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 1, 4, 3], "c": [1, 3, 2, 4]})
    >>> round(reliability(frame).alpha, 3)
    0.724
    """
    values = indicators(frame, "fiabilité refusée")
    signs = {} if direction is None else dict(direction)
    check_frame(frame, "fiabilité refusée", signs)
    for name, sign in signs.items():
        if sign not in (1, -1):
            raise BarometreError(f"direction de « {name} » {sign!r} refusée : donner 1 ou -1")
        values[name] *= sign
    complete = values.dropna()
    n, k = complete.shape
    if k < 2 or n < _FEWEST:
        raise BarometreError(
            f"fiabilité refusée : {counted_text(k, 'indicateur')},"
            f" {counted_text(n, 'unité complète', 'unités complètes')} ; il en faut au moins 2 et"
            f" {_FEWEST}"
        )
    steady = complete.std(ddof=1) <= TOLERANCE * complete.abs().max()
    flat = [str(name) for name in complete.columns[steady]]
    if flat:
        raise BarometreError(f"fiabilité refusée : {', '.join(flat)} ne varie pas ; à ôter")
    scaled = ((complete - complete.mean()) / complete.std(ddof=1)).to_numpy()
    eigenvalues, vectors = np.linalg.eigh(scaled.T @ scaled / (n - 1))
    eigenvalues, vectors = np.maximum(eigenvalues[::-1], 0.0), vectors[:, ::-1]
    loadings = vectors * np.sqrt(eigenvalues) * np.where(vectors.sum(axis=0) < 0, -1, 1)
    rests = [np.delete(scaled, j, axis=1) for j in range(k)]
    table = pd.DataFrame(
        {
            "correlation_reste": [
                _correlation(scaled[:, j], rest.sum(axis=1)) for j, rest in enumerate(rests)
            ],
            "alpha_sans": [cronbach_alpha(rest) for rest in rests],
            "composante_1": loadings[:, 0],
            "composante_2": loadings[:, 1],
        },
        index=values.columns.rename("indicateur"),
    )
    shares = eigenvalues / k
    components = pd.DataFrame(
        {"valeur_propre": eigenvalues, "part": shares, "cumul": shares.cumsum()},
        index=pd.RangeIndex(1, k + 1, name="composante"),
    )
    return Reliability(table, components, cronbach_alpha(scaled), n, len(values))


def _correlation(one: Floats, other: Floats) -> float:
    """Give the correlation of a standardised indicator with the sum of the others, if it varies."""
    if np.ptp(other) <= TOLERANCE * max(1.0, np.abs(one).max()):
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
