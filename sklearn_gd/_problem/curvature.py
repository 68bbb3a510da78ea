"""The largest curvature of an objective, and the learning rates that it allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits
from torch import Tensor

from sklearn_gd._base.types import Params
from sklearn_gd._moments.tensor_moments import TensorMoments
from sklearn_gd._problem.least_squares import LeastSquares
from sklearn_gd._problem.preconditioners import (
    DeficientPreconditioner,
    Preconditioner,
    RowSpacePreconditioner,
)

_MAX_ENTRY = 1e150
# of the eigenvector, in eigenvalues; the error of the eigenvalue is about its square
_MAX_RESIDUAL = 1e-4
_MAX_DECOMPOSED = 500  # rows or columns of a matrix whose singular values are computed


def curvature_of_least_squares(objective: LeastSquares) -> float:
    """Largest eigenvalue of the Hessian of squared error, for one problem."""
    if objective.design is None:
        return 2.0
    design, ridge = objective.design[0], objective.ridge  # (coordinates, m)
    largest = float(design.abs().max()) if design.numel() else 0.0
    if not largest < _MAX_ENTRY:
        return float("inf")  # squares overflow
    if ridge is None and min(design.shape) <= _MAX_DECOMPOSED:
        return 2.0 * float(torch.linalg.matrix_norm(design, ord=2)) ** 2

    def apply_hessian(v: np.ndarray) -> np.ndarray:
        vector = torch.from_numpy(v.ravel()).to(design)
        product = design @ (vector @ design)
        if ridge is not None:
            product = product + ridge[0, 0, 0] * vector
        return 2.0 * product.cpu().numpy()

    return largest_eigenvalue(apply_hessian, len(design))


def curvature_of_loss(
    moments: TensorMoments,
    preconditioner: Preconditioner,
    second_derivative: float,
    l2: float,
    to_original: Tensor | None,
    *,
    with_means: bool,
) -> float:
    """Largest eigenvalue of c·ZᵀZ + l2·WᵀW: of a mean loss and its L2 penalty, for one problem.

    c is the largest second derivative of the loss, Z the centred data in the coordinates of the
    preconditioner, and W the map to coefficients in original units. ``with_means`` is for data
    that are not centred: then the intercept is the first coordinate. It is infinite where the
    Hessian overflows.
    """
    preconditioner = _with_matrices(preconditioner)
    first, size = int(with_means), preconditioner.n_coordinates

    def apply_hessian(v: Tensor) -> Tensor:
        """The Hessian times rows (vectors, coordinates)."""
        coef = preconditioner.to_coef(v[None, None, :, first:])[0, 0]
        gradient = second_derivative * (coef @ moments.factor.T @ moments.factor) / moments.weight
        if first:
            means = second_derivative * (v[:, :1] + coef @ moments.x_mean[:, None])
            gradient = gradient + means * moments.x_mean
        original = coef if to_original is None else coef @ to_original @ to_original.T
        product = preconditioner.transform(gradient + l2 * original)
        return torch.cat([means, product], dim=1) if first else product

    if size + first <= _MAX_DECOMPOSED:
        hessian = apply_hessian(torch.eye(size + first).to(moments.factor))
        if not torch.isfinite(hessian).all():
            return math.inf
        return float(torch.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])

    def apply_to_array(v: np.ndarray) -> np.ndarray:
        rows = torch.from_numpy(v.reshape(1, -1)).to(moments.factor)
        product: np.ndarray = apply_hessian(rows)[0].cpu().numpy()
        return product

    return largest_eigenvalue(apply_to_array, size + first)


def _with_matrices(preconditioner: Preconditioner) -> Preconditioner:
    """The same map. Its matrices are made once, and not in every product."""
    if isinstance(preconditioner, DeficientPreconditioner):
        return preconditioner.to_dense()
    if isinstance(preconditioner, RowSpacePreconditioner):
        return preconditioner._replace(inner=preconditioner.inner.to_dense())
    return preconditioner


def curvature_of_rows(
    x: Any,
    weight: np.ndarray,
    x_mean: np.ndarray,
    scale: np.ndarray,
    second_derivative: float,
    l2: float,
    *,
    with_intercept: bool,
) -> float:
    """The same for rows (dense or sparse), by Lanczos' method.

    For coordinates v with coefficients ``scale`` · v on centred columns.
    """
    first = int(with_intercept)

    def apply_hessian(v: np.ndarray) -> np.ndarray:
        w = v[first:].ravel() * scale
        fitted = weight * (x @ w - x_mean @ w + (v[0] if first else 0.0))
        gradient = scale * (second_derivative * (x.T @ fitted - x_mean * fitted.sum()) + l2 * w)
        return np.concatenate([[second_derivative * fitted.sum()] * first, gradient])

    return largest_eigenvalue(apply_hessian, len(x_mean) + first)


def largest_eigenvalue(apply: Callable[[np.ndarray], np.ndarray], size: int) -> float:
    """The largest eigenvalue of a symmetric map of vectors, by Lanczos' method."""
    if size <= 2:  # too small for the method
        matrix = np.stack([apply(unit) for unit in np.eye(size)])
        return float(np.linalg.eigvalsh(matrix)[-1])
    hessian = LinearOperator((size, size), matvec=apply, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=size)
    if not apply(start).any():
        return 0.0
    # several threads would wait for each other in every operation on vectors
    with threadpool_limits(1, user_api="blas"):
        largest = eigsh(hessian, k=1, v0=start, return_eigenvectors=False, tol=_MAX_RESIDUAL)
    return float(largest[0])


def max_stable_lr(curvature: float, options: Params) -> float:
    """Largest lr at which SGD with these options converges.

    At a larger lr a root of the iteration on the steepest eigenvector is outside of the unit
    circle (Polyak, Some Methods of Speeding Up the Convergence of Iteration Methods, 1964,
    for momentum).
    """
    curvature = curvature + options["weight_decay"]
    if curvature == 0.0:
        return float("inf")
    momentum = options["momentum"]
    if options["nesterov"]:
        return 2.0 * (1.0 + momentum) / ((1.0 + 2.0 * momentum) * curvature)
    dampening = options["dampening"] if momentum else 0.0
    if dampening == 1.0:  # the velocity is that of the first gradient, and dies away
        return float("inf")
    return 2.0 * (1.0 + momentum) / ((1.0 - dampening) * curvature)
