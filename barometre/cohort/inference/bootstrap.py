"""P-values with few clusters: wild cluster bootstrap and randomisation inference."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.face import (
    Face,
    capital,
    counted_text,
    decimals_of,
    kept_sentences,
    number_text,
    p_text,
)
from barometre.base.french import format_number
from barometre.base.version import __version__
from barometre.cohort.inference.estimates import FewClustersWarning
from barometre.cohort.inference.randomisation import check_draws
from barometre.cohort.inference.sandwich import LeastSquares, least_squares, with_constant
from barometre.cohort.rows.columns import Positions, as_codes, as_design, as_numbers, as_weights

Law = Literal["rademacher", "webb"]
POINTS: dict[str, Floats] = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.sqrt([1.5, 1.0, 0.5, 0.5, 1.0, 1.5]) * [-1, -1, -1, 1, 1, 1],
}
"""The values a cluster's residuals are multiplied by, equally likely."""

ENUMERATED = 2**15  # at most so many weight vectors are all tried: 15 clusters, or 5 with Webb's
_CHUNK = 2**21  # numbers held at once while drawing
_TIE = 1e-9  # relative gap between two statistics below which it is rounding


@dataclass(frozen=True)
class BootstrapResult(Face):
    """Wild cluster bootstrap of one coefficient.

    Attributes
    ----------
    estimate, se, statistic : float
        Coefficient, CR1 standard error and their ratio t (the null value subtracted).
    p : float
        Symmetric p-value: share of bootstrap statistics above or equal to ``|t|`` when all vectors
        are tried, (1 + number strictly above) / (1 + draws) when they are drawn.
    p_strict, p_weak : float
        Shares strictly above (the convention of boottest), and above or equal: between them are
        the ties.
    smallest_p : float
        The smallest ``p`` that so many clusters can give.
    draws : int
        Weight vectors tried.
    exact : bool
        Whether they are all of them.
    n, n_clusters : int
        Rows and clusters.
    meta : dict
        ``method``, ``convention``, ``term``, ``null``, ``seed``, ``version``.
    """

    estimate: float
    se: float
    statistic: float
    p: float
    p_strict: float
    p_weak: float
    smallest_p: float
    draws: int
    exact: bool
    n: int
    n_clusters: int
    meta: Mapping[str, Any] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row: ``term, estimate, se, statistic, p, smallest_p, draws, n``."""
        names = ("estimate", "se", "statistic", "p", "smallest_p", "draws", "n")
        values = {name: getattr(self, name) for name in names}
        return pd.DataFrame([{"term": self.meta["term"], **values}])

    def sentences(self) -> list[str]:
        """Say the coefficient, its p-value, and the smallest one that could be."""
        digits = decimals_of(self.se)
        value, error = number_text(self.estimate, digits), number_text(self.se, digits)
        tried = counted_text(self.draws, "tirage")
        return [
            f"{capital(str(self.meta['method']))}, « {self.meta['term']} » : {value} "
            f"(erreur-type CR1 {error}), {p_text(self.p)}.",
            f"{tried}{', tous essayés' if self.exact else ' au hasard'} ; avec "
            f"{counted_text(self.n_clusters, 'grappe')}, p ne peut pas descendre sous "
            f"{format_number(float(f'{self.smallest_p:.3g}'))}.",
            *kept_sentences(self.meta),
        ]


def smallest_p(n_clusters: int, *, law: Law = "rademacher") -> float:
    """Smallest p-value of a wild cluster bootstrap that tries all weight vectors.

    Parameters
    ----------
    n_clusters : int
        Number of clusters, at least 2.
    law : {"rademacher", "webb"}, default "rademacher"
        Law of what residuals are multiplied by.

    Returns
    -------
    float
        1 / 2^(G-1), or 1 / 6^(G-1) with Webb's law: vectors that are constant give back the
        observed statistic (MacKinnon, Webb, 2018).

    Raises
    ------
    BarometreError
        Fewer than 2 clusters, unknown law.

    Examples
    --------
    >>> smallest_p(5)
    0.0625
    """
    if law not in POINTS:
        raise UnknownNameError("nom de loi", str(law), POINTS)
    if n_clusters < 2:
        raise BarometreError(f"{n_clusters} grappe : il en faut au moins 2")
    return float(len(POINTS[law])) ** (1 - int(n_clusters))


def wild_bootstrap(
    frame: pd.DataFrame,
    outcome: str,
    terms: str | Sequence[str],
    cluster: str,
    *,
    term: str | int = -1,
    null: float = 0.0,
    imposed: bool = True,
    law: Law = "rademacher",
    weight: str | None = None,
    intercept: bool = True,
    draws: int = 9999,
    seed: int = 0,
) -> BootstrapResult:
    """Wild cluster bootstrap-t test of one regression coefficient.

    Parameters
    ----------
    frame : DataFrame
        The rows, none missing in the columns named. `did_design` and `twfe_design` give the frame
        and the three names that follow for a cohort.
    outcome : str
        Column explained.
    terms : str or sequence of str
        Columns that explain it.
    cluster : str
        Column of the cluster.
    term : str or int, default -1
        Column tested: its name or its position in ``terms``; the last one by default.
    null : float, default 0
        Value tested.
    imposed : bool, default True
        Residuals of the regression under the null (WCR), which holds its level better; those of
        the free regression (WCU) otherwise.
    law : {"rademacher", "webb"}, default "rademacher"
        What residuals are multiplied by: two points, or the six of Webb (2023), of use under about
        10 clusters.
    weight : str, optional
        Column of positive survey weights.
    intercept : bool, default True
        Add a constant, unless the terms already contain one.
    draws : int, default 9999
        Random vectors of that law, when there are too many to try them all.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    BootstrapResult
        Exact (every vector) up to 15 clusters, or 5 with Webb's law.

    Raises
    ------
    BarometreError
        Columns absent, missing or non-numeric values, collinear columns, fewer than 2 clusters,
        unknown term or law, a coefficient whose clustered error is 0, draws below 1.

    Warns
    -----
    FewClustersWarning
        The smallest attainable p-value is above 0.05: nothing can be significant.

    Notes
    -----
    Cameron, Gelbach and Miller (2008), types WCR11 and WCU11 of MacKinnon, Nielsen and Webb (2023):
    statistics use the CR1 error, whose constant does not change the p-value. Statistics that differ
    by rounding only are ties. Counting them is what holds the level with few clusters: leaving them
    out (``p_strict``) rejects 8 to 10 % of true nulls at 6 to 8 clusters, for 5 % (docs, *What
    holds its level*).

    Examples
    --------
    >>> y = [1.0, 2.1, 2.9, 4.2, 3.1, 4.0, 5.2, 5.9, 7.1, 8.2, 8.8, 10.1]
    >>> rows = pd.DataFrame({"y": y, "x": np.arange(12) % 4, "qp": np.repeat(range(6), 2)})
    >>> test = wild_bootstrap(rows, "y", "x", "qp", draws=99)
    >>> test.exact, test.draws, test.smallest_p, test.p
    (True, 64, 0.03125, 0.3125)
    """
    check_draws(draws)
    if law not in POINTS:
        raise UnknownNameError("nom de loi", str(law), POINTS)
    if not np.isfinite(null):
        raise BarometreError(f"null = {null} : donner un nombre")
    x, names = as_design(frame, terms, outcome, cluster, weight)
    tested = _name_of(term, names)
    if intercept:
        x, names = with_constant(x, names)
    codes, levels = as_codes(frame[cluster], cluster)
    if len(levels) < 2:
        raise BarometreError("une seule grappe : le bootstrap en demande au moins 2")
    last = [*(name for name in names if name != tested), tested]
    x = x[:, [names.index(name) for name in last]]
    mass = None if weight is None else as_weights(frame[weight], weight)
    fit = least_squares(as_numbers(frame[outcome], outcome), x, last, weight=mass)
    pieces = _Pieces.of(fit, codes, len(levels), null=null, imposed=imposed)
    vectors, exact = _weight_vectors(law, len(levels), draws, seed)
    above, equal, total = _count(pieces, vectors)
    floor = smallest_p(len(levels), law=law)
    if floor > 0.05:
        warnings.warn(
            f"{len(levels)} grappes : aucun p ne peut descendre sous {format_number(floor)}",
            FewClustersWarning,
            stacklevel=2,
        )
    p = (above + equal) / total if exact else (1 + above) / (1 + total)
    n, g = len(x), len(levels)
    scale = np.sqrt(g / (g - 1) * (n - 1) / (n - fit.k))
    meta = {
        "method": f"bootstrap par grappe (wild) {'WCR' if imposed else 'WCU'}11, loi {law}",
        "convention": "p symétrique, "
        f"{'ex æquo comptés' if exact else 'tirages au-dessus de |t|'} ; t avec l'erreur CR1",
        "term": tested,
        "null": null,
        "seed": None if exact else seed,
        "n_in": n,
        "n_used": n,
        "lost": {},
        "unit": "ligne",
        "n_clusters": g,
        "version": __version__,
    }
    return BootstrapResult(
        estimate=float(fit.coef[-1]),
        se=float(pieces.error * scale),
        statistic=float(pieces.observed / scale),
        p=p,
        p_strict=above / total,
        p_weak=(above + equal) / total,
        smallest_p=floor if exact else max(floor, 1 / (1 + total)),
        draws=total,
        exact=exact,
        n=n,
        n_clusters=g,
        meta=meta,
    )


def _count(pieces: _Pieces, vectors: Iterator[Floats]) -> tuple[int, int, int]:
    """Count the statistics strictly above the observed one, those equal to it, and all of them."""
    observed = abs(pieces.observed)
    above = equal = total = 0
    for drawn in vectors:
        sizes = np.abs(pieces.statistics(drawn))
        strict = sizes > observed * (1 + _TIE)
        above += int(strict.sum())
        equal += int(((sizes >= observed * (1 - _TIE)) & ~strict).sum())
        total += len(drawn)
    return above, equal, total


def _name_of(term: str | int, names: list[str]) -> str:
    if isinstance(term, (int, np.integer)) and str(term) not in names:
        if not -len(names) <= term < len(names):
            raise BarometreError(f"term = {term} : {len(names)} variables explicatives")
        return names[term]
    if str(term) not in names:
        raise UnknownNameError("nom de variable", str(term), names)
    return str(term)


@dataclass(frozen=True)
class _Pieces:
    """Cluster sums from which the statistic of any weight vector follows.

    With weights w, the bootstrap coefficient exceeds its centre by sum w_g own_g, and the score of
    cluster g is w_g own_g - sum_h w_h cross_hg.
    """

    own: Floats
    cross: Floats
    observed: float
    error: float

    @classmethod
    def of(
        cls, fit: LeastSquares, cluster: Positions, g: int, *, null: float, imposed: bool
    ) -> _Pieces:
        # The tested column is last in the basis: its coefficient only needs the last direction.
        last = fit.q[:, -1]
        gap = (fit.coef[-1] - null) / fit.back[-1, -1]  # back is triangular
        free = np.stack([np.bincount(cluster, q * fit.residual, g) for q in fit.q.T])
        shares = np.stack([np.bincount(cluster, q * last, g) for q in fit.q.T])
        error = float(np.sqrt(np.square(free[-1]).sum()))
        if not error > 1e-12 * float(np.linalg.norm(fit.residual)):  # rounding of sums that are 0
            raise BarometreError(
                "l'erreur-type par grappe est nulle : une grappe détermine seule le coefficient, "
                "ou l'ajustement est parfait"
            )
        scores = free + gap * shares if imposed else free
        return cls(
            own=scores[-1],
            cross=np.asarray(scores.T @ shares, float),
            observed=float(gap * np.sign(fit.back[-1, -1]) / error),
            error=error * abs(fit.back[-1, -1]),
        )

    def statistics(self, vectors: Floats) -> Floats:
        top = vectors @ self.own
        bottom = np.sqrt(np.square(vectors * self.own - vectors @ self.cross).sum(1))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = top / bottom
        return np.where(np.isnan(ratio), 0.0, ratio)  # 0 / 0: nothing moved


def _weight_vectors(law: Law, g: int, draws: int, seed: int) -> tuple[Iterator[Floats], bool]:
    points = POINTS[law]
    if len(points) ** g <= ENUMERATED:
        every = np.array(list(itertools.product(points, repeat=g)))
        return iter([every]), True
    return _draw(points, g, draws, np.random.default_rng(seed)), False


def _draw(points: Floats, g: int, draws: int, generator: np.random.Generator) -> Iterator[Floats]:
    step = max(1, _CHUNK // g)
    for start in range(0, draws, step):
        yield points[generator.integers(len(points), size=(min(step, draws - start), g))]
