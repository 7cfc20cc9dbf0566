"""Joint tests with few clusters: Hotelling's law, with the degrees of freedom of the covariance."""

from __future__ import annotations

import numpy as np

from barometre.base.arrays import Floats

_ALONE = 1e-10  # share left of a side below which it is all in one cluster


def inverse_root(matrix: Floats) -> Floats:
    """Return the symmetric inverse square root of a positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root: Floats = (vectors / np.sqrt(values)) @ vectors.T
    return root


def regression_df(grams: Floats, adjust: Floats, contrasts: Floats) -> float:
    """Degrees of freedom of a CR2 covariance of several coefficients.

    Parameters
    ----------
    grams : ndarray of shape (G, k, k)
        q_g' q_g of each cluster, q an orthonormal basis of the columns.
    adjust : ndarray of shape (G, k, k)
        (I - q_g' q_g) to the power -1/2.
    contrasts : ndarray of shape (c, k)
        The coefficients tested, in terms of those on the basis.

    Returns
    -------
    float
        Those of Satterthwaite when c = 1.

    Notes
    -----
    Tipton and Pustejovsky (2015), the test "HTZ" of clubSandwich: variances of all the entries of
    the covariance matched with those of a Wishart law (Zhang, 2012), rows being independent with
    equal variances. With K_ij = d_ij D_i - N_i N_j' the covariance of the scores of clusters i and
    j, the sum of these variances is that of tr(K_ij)^2 + tr(K_ij K_ij) over i and j.
    """
    c = len(contrasts)
    unit = inverse_root(contrasts @ contrasts.T) @ contrasts
    scores = np.einsum("gij,sj->gsi", adjust, unit)
    led = np.einsum("gij,gsj->gsi", grams, scores)  # N_g, one row per contrast
    own = np.einsum("gsi,gti->gst", scores, led)
    square = np.einsum("gsi,gti->gst", led, led)
    trace = np.einsum("gss->g", own)
    total = (trace**2).sum() + np.einsum("gst,gts->", own, own)
    total -= 2 * (trace * np.einsum("gss->g", square)).sum()
    total -= 2 * np.einsum("gst,gts->", own, square)
    flat = np.einsum("gsa,gtb->satb", led, led)
    total += np.square(_gram(led)).sum()
    total += np.einsum("satb,tasb->", flat, flat)
    return float(c * (c + 1) / total) if total > 0 else np.nan


def _gram(led: Floats) -> Floats:
    """Sum over clusters of vec(N) vec(N)': its norm is that of all the traces of N_i N_j'."""
    rows = led.reshape(len(led), -1)
    return np.asarray(rows.T @ rows, float)


def leverage_scale(share: Floats) -> Floats:
    """Return what the sum of a cluster is multiplied by for its square to be without bias.

    Parameters
    ----------
    share : ndarray
        Share of each cluster in the weight of its side, whose mean is estimated.

    Returns
    -------
    ndarray
        (1 - share) to the power -1/2: CR2 of a mean. 1 where the side is all in one cluster.
    """
    left = 1 - share
    return np.where(left > _ALONE, 1 / np.sqrt(np.where(left > _ALONE, left, 1.0)), 1.0)


def side_traces(share: Floats) -> tuple[Floats, Floats]:
    """Return tr(O_a) and tr(O_a O_b), O_a the covariance of the adjusted sums of side a.

    Parameters
    ----------
    share : ndarray of shape (A, G)
        Share of each cluster in the weight of each side.

    Returns
    -------
    tuple of ndarray
        Of shapes (A,) and (A, A). A side that one cluster holds tells nothing: 0.

    Notes
    -----
    Sums about the mean of a side have the covariance h_c (c = d) - h_c h_d; adjusted, that of
    `leverage_scale`, O = diag(h / (1 - h)) - m m' with m = h (1 - h)^(-1/2).
    """
    single = (share > 1 - _ALONE).any(axis=1, keepdims=True)
    h = np.where(single, 0.0, share)
    scale = leverage_scale(h)
    d, m = scale**2 * h, scale * h
    own = d.sum(1) - (m**2).sum(1)
    crossed = d @ (m**2).T
    return own, d @ d.T - crossed - crossed.T + (m @ m.T) ** 2


def means_df(spread: Floats, own: Floats, traces: Floats) -> Floats:
    """Satterthwaite degrees of freedom of sums of means of several sides.

    Parameters
    ----------
    spread : ndarray of shape (k, A)
        Variance that each side gives each estimate, if people were independent.
    own, traces : ndarray
        Of `side_traces`.

    Returns
    -------
    ndarray of shape (k,)
        (tr O)^2 / tr(O^2), O the sum of the covariances of the sides; missing where nothing is
        known of the variance.

    Examples
    --------
    >>> own, traces = side_traces(np.array([[0.2] * 5 + [0] * 5, [0] * 5 + [0.2] * 5]))
    >>> means_df(np.array([[1.0, 1.0], [1.0, 0.0]]), own, traces).round(9)
    array([8., 4.])
    """
    top = (spread @ own) ** 2
    bottom = np.einsum("ka,ab,kb->k", spread, traces, spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)


def joint_means_df(spread: Floats, own: Floats, traces: Floats) -> float:
    """Degrees of freedom of the covariance of several such estimates, as `regression_df`.

    Parameters
    ----------
    spread : ndarray of shape (A, q, q)
        Covariance that each side gives the estimates, if people were independent.
    own, traces : ndarray
        Of `side_traces`.

    Returns
    -------
    float
    """
    q = spread.shape[1]
    total = np.einsum("a,aij->ij", own, spread)
    scale = np.sqrt(np.diag(total))
    if not (scale > 0).all() or np.linalg.cond(total / np.outer(scale, scale)) > 1e10:
        return np.nan
    root = inverse_root(total)
    unit = root @ spread @ root
    trace = np.einsum("aii->a", unit)
    both = np.outer(trace, trace) + np.einsum("aij,bji->ab", unit, unit)
    return float(q * (q + 1) / (traces * both).sum())
