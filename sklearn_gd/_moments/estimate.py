"""The least-squares optimum in orthonormal coordinates, and what statistics say of it.

The rows z of these coordinates are [√(1/W), (x − μ)·A], with W the sum of the weights, μ the
means of the columns and A the inverse of a triangular factor of the centred table. Weighted
by their w, they are orthonormal: Σ w zᵀz is the identity. So a prediction is z·c, its
leverage is w‖z‖², and the coefficients of [1 x] are C·c, with (XᵀWX)⁻¹ = C·Cᵀ. Without an
intercept the first coordinate is absent and μ is zero.

This file needs NumPy only, so that a saved result is read without torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats


class LeastSquaresEstimate(NamedTuple):
    """The optimum of every target, in units of the data."""

    n_rows: int  # rows of positive weight
    log_weight: float  # the sum of the logarithms of their weights
    weight: float  # the sum of their weights
    x_mean: np.ndarray  # (p,) zeros without an intercept
    y_mean: np.ndarray  # (targets,)
    factor: np.ndarray  # (m, p) of the centred table
    inverse: np.ndarray  # (p, p) A
    slopes: np.ndarray  # (targets, p) c, without the coordinate of the intercept
    rss: np.ndarray  # (targets,) weighted sum of squared residuals
    is_exact: np.ndarray  # (targets,) whether the residuals are rounding
    has_intercept: bool

    @property
    def n_coef(self) -> int:
        """Number of coefficients of a target, with the intercept."""
        return len(self.x_mean) + int(self.has_intercept)

    @property
    def df_model(self) -> int:
        """Degrees of freedom of the model: coefficients without the intercept."""
        return len(self.x_mean)

    @property
    def df_resid(self) -> int:
        """Degrees of freedom of the residuals: rows less coefficients."""
        return self.n_rows - self.n_coef

    @property
    def scale(self) -> np.ndarray:
        """Residual variances (targets,) of a row of weight 1."""
        return self.rss / self.df_resid

    @property
    def explained(self) -> np.ndarray:
        """Weighted sums of squares (targets,) that the columns explain."""
        return np.square(self.slopes).sum(axis=1)

    @property
    def rsquared(self) -> np.ndarray:
        """R² (targets,), around the mean if there is an intercept. NaN for constant targets."""
        return 1.0 - _ratio(self.rss, self.explained + self.rss)

    @property
    def rsquared_adj(self) -> np.ndarray:
        """R² (targets,) with mean squares in place of sums of squares."""
        share = (self.n_rows - int(self.has_intercept)) / self.df_resid
        return 1.0 - share * (1.0 - self.rsquared)

    @property
    def llf(self) -> np.ndarray:
        """Log-likelihood (targets,) of normal errors with variances scale / w."""
        half = self.n_rows / 2
        with np.errstate(divide="ignore"):
            likelihood: np.ndarray = -half * (np.log(2 * np.pi * self.rss / self.n_rows) + 1.0)
        return likelihood + self.log_weight / 2

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        """Rows x (samples, p) in the orthonormal coordinates, (samples, coefficients)."""
        z: np.ndarray = (x - self.x_mean) @ self.inverse
        if not self.has_intercept:
            return z
        return np.column_stack([np.full(len(z), self.weight**-0.5), z])

    def solution(self) -> np.ndarray:
        """The optimum in the orthonormal coordinates, (targets, coefficients)."""
        if not self.has_intercept:
            return self.slopes
        return np.column_stack([self.y_mean * self.weight**0.5, self.slopes])

    def to_coef(self) -> np.ndarray:
        """C, the map from coordinates to coefficients of [1 x], (coefficients, coefficients)."""
        if not self.has_intercept:
            return self.inverse
        first = np.concatenate([[self.weight**-0.5], -self.x_mean @ self.inverse])
        return np.vstack([first, np.pad(self.inverse, ((0, 0), (1, 0)))])

    def table(self) -> np.ndarray:
        """A table with the same products as the rows √w·[1 x], of few rows."""
        if not self.has_intercept:
            return self.factor
        first = self.weight**0.5 * np.concatenate([[1.0], self.x_mean])
        return np.vstack([first, np.pad(self.factor, ((0, 0), (1, 0)))])

    def condition_number(self, to_user: np.ndarray, from_user: np.ndarray) -> float:
        """The largest singular value of the rows √w·[1 x] divided by the smallest.

        The matrices change coefficients into those of the user, and back. The smallest
        singular value is the inverse of the largest of the inverse, which is accurate.
        """
        largest = np.linalg.norm(self.table() @ from_user, 2)
        return float(largest * np.linalg.norm(to_user @ self.to_coef(), 2))

    def covariance(self) -> np.ndarray:
        """The covariance of the coordinates (targets, k, k), if all errors are alike."""
        return self.scale[:, None, None] * np.eye(self.n_coef)

    def f_test(self, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F and its p-value (targets,) for the hypothesis that all slopes are zero.

        It is Wald's test with the covariance (targets, k, k) of the coordinates.
        """
        first = int(self.has_intercept)
        size, vectors = np.linalg.eigh(covariance[:, first:, first:])
        part = np.einsum("tij,ti->tj", vectors, self.slopes)
        statistic = _ratio(np.square(part), size).sum(axis=1) / self.df_model
        return statistic, stats.f.sf(statistic, self.df_model, self.df_resid)


def root_of(covariance: np.ndarray) -> np.ndarray:
    """Matrices L with L·Lᵀ equal to the covariances (..., k, k)."""
    size, vectors = np.linalg.eigh(covariance)
    root: np.ndarray = vectors * np.sqrt(size.clip(min=0.0))[..., None, :]
    return root


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The ratio a / b, infinite or NaN where b is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return a / b
