"""A least-squares estimate in the terms of the user, and its predictions.

Polynomials are estimated in a well-conditioned basis. A change of basis is a matrix, so that
coefficients and the root of their covariance are mapped to plain powers by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse, stats

from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._moments.estimate import LeastSquaresEstimate, root_of

_BLOCK_ENTRIES = 2**18  # 2 MB of float64


class UserEstimate(NamedTuple):
    """The optimum, with the covariance of its orthonormal coordinates."""

    estimate: LeastSquaresEstimate
    basis: PolynomialBasis | None
    covariance: np.ndarray  # (targets, k, k)
    use_t: bool  # Student's t in place of the normal distribution

    def interval(
        self, center: np.ndarray, error: np.ndarray, confidence: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The ends of intervals around ``center`` with standard errors ``error``."""
        tail = (1.0 - confidence) / 2.0
        df = self.estimate.df_resid
        quantile = stats.t.isf(tail, df) if self.use_t else stats.norm.isf(tail)
        return center - quantile * error, center + quantile * error

    def p_values(self, statistic: np.ndarray) -> np.ndarray:
        """Two-sided p-values of coefficients in units of their standard errors."""
        size = np.abs(statistic)
        tail = stats.t.sf(size, self.estimate.df_resid) if self.use_t else stats.norm.sf(size)
        p: np.ndarray = 2.0 * tail
        return p

    def to_user(self) -> np.ndarray:
        """The matrix (k, k) from coefficients in the basis, const first, to those of the user."""
        if self.basis is None:
            return np.eye(self.estimate.n_coef)
        return self._change(self.basis, self.basis.monomials())

    def params(self) -> np.ndarray:
        """Coefficients (targets, k), const first."""
        return self.estimate.solution() @ (self.to_user() @ self.estimate.to_coef()).T

    def root(self) -> np.ndarray:
        """Matrices L (targets, k, k); the covariance of the coefficients is L·Lᵀ."""
        root: np.ndarray = self.to_user() @ self.estimate.to_coef() @ root_of(self.covariance)
        return root

    def bse(self) -> np.ndarray:
        """Standard errors (targets, k) of the coefficients."""
        errors: np.ndarray = np.linalg.norm(self.root(), axis=2)
        return errors

    def from_user(self) -> np.ndarray:
        """The inverse of `to_user`."""
        if self.basis is None:
            return np.eye(self.estimate.n_coef)
        return self._change(self.basis.monomials(), self.basis)

    def condition_number(self) -> float:
        """The condition number of the table of the user's terms."""
        return self.estimate.condition_number(self.to_user(), self.from_user())

    def deviations(self) -> np.ndarray:
        """Standard deviations (p,) of the user's terms; root mean squares without an intercept."""
        first = int(self.estimate.has_intercept)
        terms = self.estimate.factor @ self.from_user()[first:, first:]
        deviations: np.ndarray = np.linalg.norm(terms, axis=0) / self.estimate.weight**0.5
        return deviations

    def difference(self, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """A model (targets, terms) in the basis less the optimum, in the terms of the user."""
        model = np.column_stack([intercept, coef]) if self.estimate.has_intercept else coef
        optimum = self.estimate.solution() @ self.estimate.to_coef().T
        difference: np.ndarray = (model - optimum) @ self.to_user().T
        return difference

    def predict(self, x: Any) -> tuple[np.ndarray, np.ndarray]:
        """Means and their standard errors (samples, targets), for rows (samples, features)."""
        solution, root = self.estimate.solution(), root_of(self.covariance)
        mean = np.empty((x.shape[0], len(solution)))
        error = np.empty_like(mean)
        for rows, block in self._blocks(x):
            z = self.estimate.coordinates(block)
            mean[rows] = z @ solution.T
            error[rows] = np.linalg.norm(z @ root, axis=2).T
        return mean, error

    def _blocks(self, x: Any) -> Iterator[tuple[slice, np.ndarray]]:
        """The rows block by block, dense and expanded."""
        x = x.tocsr() if sparse.issparse(x) else x
        length = max(_BLOCK_ENTRIES // self.estimate.n_coef, 256)
        for start in range(0, x.shape[0], length):
            rows = slice(start, start + length)
            block = x[rows].toarray() if sparse.issparse(x) else x[rows]
            block = block.astype(np.float64)
            if self.basis is not None:
                block = self.basis.expand(block, np.empty((self.basis.n_expanded, len(block)))).T
            yield rows, block

    def _change(self, old: PolynomialBasis, new: PolynomialBasis) -> np.ndarray:
        """The matrix (k, k) from coefficients in one basis to those in another."""
        # each row is the polynomial of one coefficient
        unit = np.eye(self.estimate.n_coef)
        if not self.estimate.has_intercept:
            return old.convert(unit, np.zeros(len(unit)), new)[0].T
        coef, intercept = old.convert(unit[:, 1:], unit[:, 0], new)
        return np.column_stack([intercept, coef]).T
