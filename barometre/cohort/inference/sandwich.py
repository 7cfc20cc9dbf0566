"""Standard errors that allow for clusters: people of a neighbourhood, waves of a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import Face
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.inference.estimates import student_interval, term_sentences
from barometre.cohort.rows.columns import Positions, as_codes, as_design, as_numbers, as_weights

StandardError = Literal["iid", "HC1", "CR0", "CR1", "CR1S", "CR2", "CR3"]
STANDARD_ERRORS: tuple[StandardError, ...] = get_args(StandardError)
UNCLUSTERED = ("iid", "HC1")

CONVENTIONS: dict[StandardError, str] = {
    "iid": "iid : moindres carrés ordinaires, variance égale, sans grappes ; ddl n-k, tous effets "
    "fixes comptés dans k",
    "HC1": "HC1 (MacKinnon, White, 1985) : n/(n-k), tous effets fixes comptés dans k ; ddl n-k",
    "CR0": "CR0 (Liang, Zeger, 1986) : sans correction ; ddl G-1",
    "CR1": "CR1 : G/(G-1) × (n-1)/(n-k), effets fixes emboîtés dans les grappes non comptés dans k "
    "(convention de fixest ; Stata sans effet fixe) ; ddl G-1",
    "CR1S": "CR1S : G/(G-1) × (n-1)/(n-k), tous effets fixes comptés dans k (Stata ou statsmodels "
    "avec indicatrices) ; ddl G-1",
    "CR2": "CR2 (Bell, McCaffrey, 2002 ; Pustejovsky, Tipton, 2018) ; ddl de Satterthwaite",
    "CR3": "CR3 (Bell, McCaffrey, 2002), proche du jackknife ; ddl de Satterthwaite",
}

_COLLINEAR = 1e-10  # share of a column left once the others are removed: far above rounding
_BLOCK = 2**17  # rows transformed at once
_CANCELLED = 1e-20  # variance left when the scores of each cluster add up to 0: rounding
_PERFECT = 1e-13  # share of the outcome left in the residuals below which they are rounding
_SINGULAR = 1e-10  # eigenvalue of I - P below which a cluster alone determines a direction


@dataclass(frozen=True)
class LeastSquares:
    """A regression on an orthonormal basis ``q`` of its columns (times the root of the weights).

    The sandwich of a well-conditioned basis loses no digit to the scale of the columns, and the
    CR2 and CR3 adjustments, which are n_g x n_g matrices, become k x k ones.
    """

    coef: Floats
    names: tuple[str, ...]
    q: Floats
    residual: Floats
    back: Floats  # inverse of the triangle: from coefficients on q to those on the columns
    k: int  # parameters that CR1 counts
    k_all: int  # the same with the fixed effects nested in clusters


@dataclass(frozen=True, eq=False)
class RobustFit(Face):
    """Least squares with robust standard errors.

    Attributes
    ----------
    table : DataFrame
        ``term, estimate, se, statistic, df, p, low, high, df_satterthwaite``.
    vcov : DataFrame
        Covariance of the coefficients, by term.
    meta : dict
        ``method``, ``convention``, ``n``, ``n_in``, ``n_used``, ``lost``, ``n_clusters``,
        ``version``.
    """

    table: Tidy
    vcov: pd.DataFrame

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: see ``table``."""
        return self.table.meta

    def sentences(self) -> list[str]:
        """Say the coefficients, and whose they are."""
        return self.table.summary().splitlines()


def cluster_robust(
    frame: pd.DataFrame,
    outcome: str,
    terms: str | Sequence[str],
    *,
    cluster: str | None = None,
    se: StandardError = "CR1",
    weight: str | None = None,
    intercept: bool = True,
) -> RobustFit:
    """Least squares with heteroscedasticity- or cluster-robust standard errors.

    Parameters
    ----------
    frame : DataFrame
        The rows, none missing in the columns named.
    outcome : str
        Column explained.
    terms : str or sequence of str
        Columns that explain it: numbers or booleans.
    cluster : str, optional
        Column of the cluster; needed by all but ``"HC1"`` and ``"iid"``, which ignore it.
    se : {"iid", "HC1", "CR0", "CR1", "CR1S", "CR2", "CR3"}, default "CR1"
        Standard error; see Notes. ``"iid"`` is that of ordinary least squares, to find the figures
        of a paper again.
    weight : str, optional
        Column of positive weights; only their ratios matter.
    intercept : bool, default True
        Add a constant, unless the terms already contain one.

    Returns
    -------
    RobustFit
        Where residuals add up to 0 in all clusters (one dummy per cluster), nothing can be said of
        the error: it is missing, with the statistic, p-value and bounds.

    Raises
    ------
    BarometreError
        Columns absent, missing or non-numeric values, collinear columns (named), fewer than 2
        clusters, no more rows than parameters, weights not positive.

    Notes
    -----
    Sandwich of Liang and Zeger (1986) with G clusters, n rows and k parameters. CR0: no correction.
    CR1: G/(G-1) (n-1)/(n-k), as Stata and fixest; clubSandwich calls it CR1S and keeps "CR1" for
    G/(G-1) alone. CR2, CR3: residuals of a cluster are multiplied by (I - H_gg) to the power -1/2
    or -1 (Bell, McCaffrey, 2002), pseudo-inverse where a cluster alone determines a coefficient
    (Pustejovsky, Tipton, 2018), with Satterthwaite degrees of freedom; working model: independent
    rows, variance inversely proportional to the weight: with weights, CR2 and CR3 are those that
    clubSandwich gives on the rows times the square root of the weight, without weights, and not
    those it gives with them (its working model is then that of equal variances). CR0 and CR1 use
    G - 1.

    Examples
    --------
    >>> rows = pd.DataFrame({"y": [1, 2, 4, 5, 6, 9], "x": [0, 1] * 3, "g": list("aabbcc")})
    >>> fit = cluster_robust(rows, "y", "x", cluster="g", se="CR2")
    >>> fit.table[["term", "estimate", "se", "df"]].round(3)
        term  estimate     se   df
    0  const     3.667  1.453  2.0
    1      x     1.667  0.667  2.0
    """
    check_standard_error(se)
    x, names = as_design(frame, terms, outcome, cluster, weight)
    if intercept:
        x, names = with_constant(x, names)
    mass = None if weight is None else as_weights(frame[weight], weight)
    fit = least_squares(as_numbers(frame[outcome], outcome), x, names, weight=mass)
    codes, n_clusters = None, None
    if cluster is not None:
        codes, levels = as_codes(frame[cluster], cluster)
        n_clusters = len(levels)
    vcov, df, satterthwaite = sandwich(fit, codes, n_clusters, se, details=True)
    root = np.sqrt(np.diag(vcov))
    statistic, p, low, high = student_interval(fit.coef, root, df)
    table = pd.DataFrame(
        {
            "term": list(fit.names),
            "estimate": fit.coef,
            "se": root,
            "statistic": statistic,
            "df": df,
            "p": p,
            "low": low,
            "high": high,
            "df_satterthwaite": satterthwaite,
        }
    )
    meta: dict[str, Any] = {
        "method": "moindres carrés" + (" pondérés" if weight is not None else ""),
        "convention": CONVENTIONS[se],
        "n": len(x),
        "n_in": len(x),
        "n_used": len(x),
        "lost": {},
        "unit": "ligne",
        "n_clusters": n_clusters if se not in UNCLUSTERED else None,
    }
    shown = tidy(table, sentences=term_sentences, **meta)
    return RobustFit(shown, pd.DataFrame(vcov, index=names, columns=names))


def check_standard_error(se: str) -> None:
    """Refuse the name of an unknown standard error."""
    if se not in STANDARD_ERRORS:
        raise UnknownNameError("type d'erreur", str(se), STANDARD_ERRORS)


def with_constant(x: Floats, names: Sequence[str]) -> tuple[Floats, list[str]]:
    """Add a constant in front, unless the columns already span it."""
    ones = np.ones(len(x))
    left = ones - x @ np.linalg.lstsq(x, ones, rcond=None)[0]
    if np.linalg.norm(left) <= 1e-9 * np.sqrt(len(x)):  # rounding of a set of dummies
        return x, list(names)
    return np.column_stack([ones, x]), ["const", *names]


def least_squares(
    y: Floats,
    x: Floats,
    names: Sequence[str],
    *,
    weight: Floats | None = None,
    absorbed: int = 0,
    nuisance: int = 0,
    size: float | None = None,
) -> LeastSquares:
    """Regress on an orthonormal basis.

    Parameters
    ----------
    y : ndarray of shape (n,)
        The explained variable.
    x : ndarray of shape (n, k)
        The columns, overwritten.
    names : sequence of str
        Their names.
    weight : ndarray, optional
        Positive weights.
    absorbed : int, default 0
        Number of fixed effects already removed from y and x, each nested in a cluster.
    nuisance : int, default 0
        The first columns, dropped when collinear instead of refused.
    size : float, optional
        Norm of the outcome before fixed effects were removed; of y by default.

    Returns
    -------
    LeastSquares
        Without the nuisance columns that were collinear.

    Raises
    ------
    BarometreError
        Collinear columns, no more rows than parameters.
    """
    if weight is not None:
        root = np.sqrt(weight)
        y = y * root
        x *= root[:, None]
    kept = list(names)
    while True:
        if len(y) <= x.shape[1] + absorbed:
            many = counted(x.shape[1] + absorbed, "paramètre")
            raise BarometreError(
                f"{counted(len(y), 'ligne')} pour {many} : il en faut davantage, ou moins de "
                "variables"
            )
        r = _triangle(x)
        thin = np.flatnonzero(np.abs(np.diag(r)) <= _COLLINEAR * np.linalg.norm(r, axis=0))
        if not len(thin):
            break
        first = int(thin[0])
        if first >= nuisance:
            raise BarometreError(
                f"« {kept[first]} » est une combinaison des autres variables (constante et effets "
                "fixes compris) : son effet ne peut pas être isolé ; retirer l'une d'elles"
            )
        x, nuisance = np.delete(x, first, axis=1), nuisance - 1
        del kept[first]
    # Dividing by the triangle twice gives an orthonormal basis to the last digit, block by block.
    back = _inverse(r)
    _multiply(x, back)
    again = _inverse(_triangle(x))
    _multiply(x, again)
    q, back = x, np.asarray(back @ again, float)
    on_q = q.T @ y
    k = len(kept) + bool(absorbed)
    return LeastSquares(
        coef=back @ on_q,
        names=tuple(kept),
        q=q,
        residual=without_rounding(y - q @ on_q, float(np.linalg.norm(y)) if size is None else size),
        back=back,
        k=k,
        k_all=len(kept) + absorbed,
    )


def without_rounding(residual: Floats, size: float) -> Floats:
    """Return zeros when a perfect fit leaves only rounding of an outcome of that norm."""
    if float(np.linalg.norm(residual)) <= _PERFECT * size:
        return np.zeros_like(residual)
    return residual


def _triangle(x: Floats) -> Floats:
    """Return the triangle R of x = QR, from those of blocks of rows."""
    blocks = [np.linalg.qr(x[i : i + _BLOCK], "r") for i in range(0, len(x), _BLOCK)]
    return np.asarray(np.linalg.qr(np.concatenate(blocks), "r"), float)


def _inverse(r: Floats) -> Floats:
    return np.asarray(np.linalg.inv(r), float)


def _multiply(x: Floats, matrix: Floats) -> None:
    """Replace x by x times a small matrix, without a second x."""
    for i in range(0, len(x), _BLOCK):
        x[i : i + _BLOCK] = x[i : i + _BLOCK] @ matrix


def sandwich(
    fit: LeastSquares,
    cluster: Positions | None,
    n_clusters: int | None,
    se: StandardError,
    *,
    details: bool = False,
) -> tuple[Floats, Floats, Floats]:
    """Return the robust covariance of the coefficients and their degrees of freedom.

    Parameters
    ----------
    fit : LeastSquares
        The regression.
    cluster : ndarray of int, optional
        Position of the cluster of each row.
    n_clusters : int, optional
        Number of clusters.
    se : str
        Which standard error.
    details : bool, default False
        Compute Satterthwaite degrees of freedom even where they are not used.

    Returns
    -------
    tuple of ndarray
        Covariance (missing where scores cancel in every cluster), degrees of freedom used,
        Satterthwaite degrees of freedom (missing unless used
        or asked for).

    Raises
    ------
    BarometreError
        No cluster or a single one, no more rows than parameters.
    """
    n, k = len(fit.q), len(fit.back)
    unknown = np.full(k, np.nan)
    counted_k = {"iid": fit.k_all, "HC1": fit.k_all, "CR1": fit.k, "CR1S": fit.k_all}.get(se, 0)
    if n <= counted_k:
        raise BarometreError(
            f"{counted(n, 'ligne')} pour {counted(counted_k, 'paramètre')} : {se} n'est pas défini"
        )
    if se == "iid":
        spread = float(fit.residual @ fit.residual) / (n - fit.k_all)
        return fit.back @ fit.back.T * spread, np.full(k, float(n - fit.k_all)), unknown
    if se == "HC1":
        scores = fit.q * fit.residual[:, None]
        vcov = fit.back @ (scores.T @ scores) @ fit.back.T * (n / (n - fit.k_all))
        return vcov, np.full(k, float(n - fit.k_all)), unknown
    if cluster is None or n_clusters is None:
        raise BarometreError(f'{se} demande des grappes : donner cluster=, ou se="HC1"')
    if n_clusters < 2:
        raise BarometreError(f"une seule grappe : {se} en demande au moins 2")
    scores, sizes = np.empty((n_clusters, fit.q.shape[1])), np.empty(fit.q.shape[1])
    for j, column in enumerate(fit.q.T):
        score = column * fit.residual
        scores[:, j], sizes[j] = np.bincount(cluster, score, n_clusters), score @ score
    satterthwaite = unknown
    if details or se in ("CR2", "CR3"):
        grams = grams_of(fit.q, cluster, n_clusters)
        adjust = adjustments(grams, {"CR2": -0.5, "CR3": -1.0}.get(se, 0.0))
        scores = np.einsum("gij,gj->gi", adjust, scores)
        satterthwaite = satterthwaite_df(grams, adjust, fit.back)
    ratio = n_clusters / (n_clusters - 1) if se in ("CR1", "CR1S") else 1.0
    if counted_k:
        ratio *= (n - 1) / (n - counted_k)
    scores = scores @ fit.back.T  # before squaring: what cancels in a cluster cancels to the digit
    vcov = scores.T @ scores * ratio
    cancelled = np.diag(vcov) <= _CANCELLED * (np.square(fit.back) @ sizes)
    vcov[cancelled, :] = vcov[:, cancelled] = np.nan
    df = satterthwaite if se in ("CR2", "CR3") else np.full(k, float(n_clusters - 1))
    return vcov, df, satterthwaite


def grams_of(q: Floats, cluster: Positions, n_clusters: int) -> Floats:
    """Return q_g' q_g for each cluster, q an orthonormal basis (n, k)."""
    k = q.shape[1]
    grams = np.empty((n_clusters, k, k))
    for i in range(k):
        for j in range(i + 1):
            sums = np.bincount(cluster, q[:, i] * q[:, j], n_clusters)
            grams[:, i, j] = grams[:, j, i] = sums
    return grams


def adjustments(grams: Floats, power: float) -> Floats:
    """Return (I - q_g' q_g) to a power for each cluster, its null space left out.

    Parameters
    ----------
    grams : ndarray of shape (G, k, k)
        q_g' q_g, q an orthonormal basis of the columns.
    power : float
        -1/2 for CR2, -1 for CR3.

    Returns
    -------
    ndarray of shape (G, k, k)
    """
    values, vectors = np.linalg.eigh(np.eye(grams.shape[1]) - grams)
    kept = values > _SINGULAR
    powers = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0 if power else 1.0)
    adjusted: Floats = (vectors * powers[:, None, :]) @ vectors.transpose(0, 2, 1)
    return adjusted


def satterthwaite_df(grams: Floats, adjust: Floats, back: Floats) -> Floats:
    """Return the degrees of freedom of combinations of coefficients.

    Parameters
    ----------
    grams, adjust : ndarray of shape (G, k, k)
        Of `grams_of` and `adjustments`.
    back : ndarray of shape (c, k)
        The combinations, in terms of the coefficients on the basis.

    Returns
    -------
    ndarray of shape (c,)
        (tr A)^2 / tr(A^2), A the G x G matrix diag(h'Ph) - (Ph)(Ph)' of each.
    """
    found = []
    for contrast in back:
        h = adjust @ contrast
        ph = np.einsum("gij,gj->gi", grams, h)
        own = (h * ph).sum(1)
        square = (ph * ph).sum(1)
        trace = own.sum() - square.sum()
        norm = (own * own).sum() - 2 * (own * square).sum() + np.square(ph.T @ ph).sum()
        found.append(trace**2 / norm if norm > 0 else np.nan)
    return np.array(found)
