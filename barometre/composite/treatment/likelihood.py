"""Missing values expected from the other indicators of the unit: normal law, EM algorithm."""

from __future__ import annotations

import numpy as np

from barometre.base.arrays import Booleans, Floats

_STEPS = 5000
_STILL = 1e-9  # change of a standardised mean or covariance under which nothing moves any more


def expected_values(values: Floats) -> Floats:
    """Fill missing values by what the others of the row lead to expect.

    Parameters
    ----------
    values : array, shape (units, indicators)
        NaN where missing; every column has known values.

    Returns
    -------
    array
        The same, filled. A row without any value takes the means.

    Notes
    -----
    Maximum likelihood of a multivariate normal law by EM (Dempster, Laird & Rubin, 1977, JRSS B 39;
    Little & Rubin, 2020, section 11.2): each round fills by regression, and adds to the covariances
    what the regression leaves.
    """
    missing = np.isnan(values)
    centre = np.nanmean(values, axis=0)
    spread = np.nanstd(values, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    filled = np.where(missing, 0.0, (values - centre) / spread)
    mean, covariance = np.zeros(values.shape[1]), np.eye(values.shape[1])
    patterns, rows = np.unique(missing, axis=0, return_inverse=True)
    places = [np.flatnonzero(rows.ravel() == one) for one in range(len(patterns))]
    for _ in range(_STEPS):
        left = _expect(filled, mean, covariance, patterns, places)
        moved = filled.mean(axis=0)
        gaps = filled - moved
        spread_now = (gaps.T @ gaps + left) / len(filled)
        change = max(np.abs(moved - mean).max(), np.abs(spread_now - covariance).max())
        mean, covariance = moved, spread_now
        if change < _STILL:
            break
    _expect(filled, mean, covariance, patterns, places)
    return np.where(missing, filled * spread + centre, values)


def _expect(
    filled: Floats, mean: Floats, covariance: Floats, patterns: Booleans, places: list[np.ndarray]
) -> Floats:
    """Fill in place by regression on what is known; return the covariances it leaves."""
    left = np.zeros_like(covariance)
    for gone, rows in zip(patterns, places, strict=True):
        if not gone.any():
            continue
        known = ~gone
        slope = covariance[np.ix_(gone, known)] @ np.linalg.pinv(
            covariance[np.ix_(known, known)], hermitian=True
        )
        filled[np.ix_(rows, gone)] = (
            mean[gone] + (filled[np.ix_(rows, known)] - mean[known]) @ slope.T
        )
        rest = covariance[np.ix_(gone, gone)] - slope @ covariance[np.ix_(known, gone)]
        left[np.ix_(gone, gone)] += len(rows) * rest
    return left
