"""The largest curvature of an objective, and the learning rates that it allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from sklearn_gd._base.types import Params
from sklearn_gd._problem.least_squares import LeastSquares

_MAX_ENTRY = 1e150
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


def curvature_of_rows(
    x: Any, weight: np.ndarray, x_mean: np.ndarray, scale: np.ndarray, *, with_intercept: bool
) -> float:
    """The same for the mean over rows (dense or sparse), by Lanczos' method.

    For coordinates v with coefficients ``scale`` · v on centred columns.
    """
    first = int(with_intercept)

    def apply_hessian(v: np.ndarray) -> np.ndarray:
        w = v[first:].ravel() * scale
        fitted = weight * (x @ w - x_mean @ w + (v[0] if first else 0.0))
        gradient = scale * (x.T @ fitted - x_mean * fitted.sum())
        return 2.0 * np.concatenate([[fitted.sum()] * first, gradient])

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
    largest = eigsh(hessian, k=1, v0=start, return_eigenvectors=False, tol=1e-8)
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
    return 2.0 * (1.0 + momentum) / ((1.0 - dampening) * curvature)
