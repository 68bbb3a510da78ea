"""Whether a point solves a system of equations.

A residual has the units of its equation, so it is compared with the scale of the equation: the
sum of the magnitudes of the terms of its linearization, the constant term included. (For linear
equations this is the componentwise backward error of Oettli and Prager, Compatibility of
Approximate Solution of Linear Equations with Given Error Bounds, 1964.)

A residual that is small is not enough, because equations that contradict each other a little
leave small residuals too. So the residuals are split into a part that a change of the unknowns
removes to first order, and the rest. At a solution there is no rest.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from torch import Tensor

from sklearn_gd._functions.objective import residual_vector
from sklearn_gd._functions.user_function import UserFunction
from sklearn_gd._solver.derivatives import jacobian

_SMALL = 1e-4  # of the scale of its equation: a residual of a solution
_ROUNDING = 1e-6  # of the scale of its equation: the rest that float32 functions may leave
_FIRST_ORDER = 1e-2  # of the residuals: what the curvature of the equations may leave
_EPS = float(np.finfo(np.float64).eps)
_VANISHED = 1e-8  # singular value of a Jacobian with columns of length 1
_ORTHOGONAL = 1e-3  # cosine of the residuals with the columns of the Jacobian


class Linearization(NamedTuple):
    """The equations near a point: residuals + jacobian @ (change of the unknowns)."""

    residuals: np.ndarray  # (n_equations,)
    jacobian: np.ndarray  # (n_equations, size)
    scale: np.ndarray  # (n_equations,) the sum of the magnitudes of the terms

    @classmethod
    def at(cls, function: UserFunction, point: Tensor) -> Self:
        """Differentiate at a flat point."""
        point = point.detach()
        # a constant residual has no gradient, and needs none
        vector = residual_vector(function, point.clone().requires_grad_())
        matrix = jacobian(lambda x: residual_vector(function, x), point).cpu().numpy()
        residuals, x = vector.detach().cpu().numpy(), point.cpu().numpy()
        # a derivative that is infinite, such as that of a root at 0, tells nothing
        matrix = np.where(np.isfinite(matrix).all(axis=1, keepdims=True), matrix, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # such a point has diverged
            terms = matrix * x
            scale = np.abs(terms).sum(axis=1) + np.abs(residuals - terms.sum(axis=1))
        return cls(residuals, matrix, scale)


class Judgement(NamedTuple):
    """The end of a descent, in units of the equations and of the unknowns."""

    is_small: bool  # whether the residuals are small
    residuals: np.ndarray  # (n_equations,)
    jacobian: np.ndarray  # (n_equations, size) columns of length 1, or of less (see `of`)
    cosines: np.ndarray  # (size,) of the residuals with the columns of the Jacobian

    @classmethod
    def of(cls, start: Linearization, end: Linearization) -> Self:
        """Compare the end with the start.

        Equations whose solution is 0 have no scale at the solution. They have one at the start.
        A column of the Jacobian that has vanished on the way belongs to a stationary point. So
        its length is relative to the length at the start.
        """
        scale = np.maximum(start.scale, end.scale)
        lengths = [_lengths(_divide(part.jacobian.T, scale).T) for part in (start, end)]
        shrinkage = np.minimum(_divide(lengths[1], lengths[0], default=1.0), 1.0)
        return cls(
            bool((np.abs(end.residuals) <= _SMALL * scale).all()),
            _divide(end.residuals, end.scale),
            _normalize(_divide(end.jacobian.T, end.scale).T) * shrinkage,
            _normalize(end.residuals) @ _normalize(end.jacobian) * shrinkage,
        )

    @property
    def rank(self) -> int:
        """The rank of the Jacobian."""
        _, values, _ = np.linalg.svd(self.jacobian, full_matrices=False)
        return int(np.count_nonzero(values > _EPS * max(self.jacobian.shape)))

    @property
    def is_solution(self) -> bool:
        """Whether the end solves the equations."""
        return self.is_small and not self.contradicts_itself

    @property
    def is_least_squares_point(self) -> bool:
        """Whether the equations contradict each other, and the sum of squares does not fall.

        Then the residuals are orthogonal to the columns of the Jacobian. The criterion is that
        of MINPACK (Moré, The Levenberg-Marquardt Algorithm, 1978).
        """
        is_stationary = (np.abs(self.cosines) <= _ORTHOGONAL).all()
        return bool(is_stationary) and self.contradicts_itself

    @property
    def contradicts_itself(self) -> bool:
        """Whether no change of the unknowns removes the residuals, to first order."""
        left, values, _ = np.linalg.svd(self.jacobian, full_matrices=False)
        basis = left[:, values > _VANISHED]
        rest = np.linalg.norm(self.residuals - basis @ (basis.T @ self.residuals))
        size = float(np.linalg.norm(self.residuals))
        return float(rest) > max(_ROUNDING, _FIRST_ORDER * size)


def _lengths(columns: np.ndarray) -> np.ndarray:
    """The length of each column. Squares neither overflow nor underflow."""
    largest = np.abs(columns).max(axis=0)
    lengths: np.ndarray = np.linalg.norm(_divide(columns, largest), axis=0) * largest
    return lengths


def _normalize(columns: np.ndarray) -> np.ndarray:
    """A vector, or the columns of a matrix, with length 1."""
    columns = _divide(columns, np.abs(columns).max(axis=0))
    return _divide(columns, np.linalg.norm(columns, axis=0))


def _divide(values: np.ndarray, scale: np.ndarray, default: float = 0.0) -> np.ndarray:
    """``values`` divided by ``scale``, and the default where ``scale`` is 0."""
    return np.divide(values, scale, out=np.full_like(values, default), where=scale > 0)
